//! Hosts, namespaces, their names and the ids by which they know each other.

use hairpin_netlink::{Errno, Failure};
use rustc_hash::FxHashMap;

use crate::dev::Kind;
use crate::device::DevId;
use crate::ip::icmp::RateLimits;
use crate::ip::reassemble::Reassembly;
use crate::mac::Mac;
use crate::neigh::Neighbours;
use crate::netns::{Counters, Host, Netns, NsId};
use crate::route::{Fib, Prefix};
use crate::segment::{LearnsFromIp, Segment, SegmentKind};
use crate::sysctl::Sysctl;
use crate::task::TaskId;
use crate::world::World;

use super::register::NewDevice;

/// Namespaces a world may have.
const NAMESPACES_MAX: usize = 1 << 20;

impl World {
    /// Adds a machine with nothing but its loopback device. Returns its number.
    ///
    /// # Errors
    /// `EEXIST` where the name is taken.
    pub fn add_host(&mut self, name: &str) -> Result<usize, Errno> {
        if self.host_named(name).is_some() {
            return Err(Errno::EEXIST);
        }
        let host = self.hosts.len();
        let initial = self.create_netns(host).map_err(|failure| failure.errno)?;
        if let Some(netns) = self.netns.get_mut(initial) {
            netns.users += 1;
        }
        self.hosts.push(Host {
            name: name.to_owned(),
            initial,
            names: Vec::new(),
            store: Default::default(),
            answer_ttl: Default::default(),
            bridge_netfilter: false,
            tunnels: (false, false),
            vlans: false,
            bridges: false,
            rounds_of_gone: 0,
            queue_handle: 0x8000_0000,
            netdevsim: Default::default(),
            log: Default::default(),
            link_watch: Default::default(),
        });
        Ok(host)
    }

    /// The names of all machines.
    pub fn host_names(&self) -> Vec<String> {
        self.hosts.iter().map(|host| host.name.clone()).collect()
    }

    pub fn host_named(&self, name: &str) -> Option<usize> {
        self.hosts.iter().position(|host| host.name == name)
    }

    /// The names of a machine's namespaces, in the order of a directory listing: newest first. Those whose name is a
    /// path are elsewhere.
    pub fn netns_names(&self, host: usize) -> Vec<String> {
        let names = self.hosts.get(host).map(|host| host.names.as_slice()).unwrap_or(&[]);
        names.iter().rev().map(|(name, _)| name.clone()).filter(|name| !name.starts_with('/')).collect()
    }

    /// Adds a wire. Returns its number.
    pub fn add_segment(&mut self, name: &str, kind: SegmentKind, pad: usize) -> usize {
        self.segments.push(Segment::new(name, kind, pad));
        self.segments.len() - 1
    }

    /// Makes a router's card take neighbours' MACs from the IP packets on the wire: those whose source is
    /// in `prefix`.
    ///
    /// # Errors
    /// `ENODEV`: no such wire, machine or card.
    pub fn learn_neighbours_from_ip(
        &mut self,
        segment: usize,
        host: usize,
        dev: &str,
        prefix: Prefix,
    ) -> Result<(), Errno> {
        let ns = self.hosts.get(host).ok_or(Errno::ENODEV)?.initial;
        let dev = self.device_named(ns, dev).ok_or(Errno::ENODEV)?;
        let wire = self.segments.get_mut(segment).ok_or(Errno::ENODEV)?;
        wire.learns_from_ip = Some(LearnsFromIp { dev, prefix });
        Ok(())
    }

    /// Makes a wire pass, beside untagged frames, only these VLANs.
    pub fn set_trunk(&mut self, segment: usize, vlans: Vec<u16>) {
        if let Some(wire) = self.segments.get_mut(segment) {
            wire.trunk = Some(vlans);
        }
    }

    /// Puts a card into a machine and its plug into a wire (none: unplugged).
    ///
    /// # Errors
    /// `EINVAL`, `EEXIST` for its name.
    pub fn add_card(
        &mut self,
        host: usize,
        name: &str,
        mac: Option<Mac>,
        segment: Option<usize>,
    ) -> Result<(), Errno> {
        let ns = self.hosts.get(host).ok_or(Errno::ENODEV)?.initial;
        let port = segment.and_then(|s| self.segments.get(s)).map_or(0, |wire| wire.ports.len());
        let of_host = |ns| self.netns.get(ns).is_some_and(|ns| ns.host == host);
        let cards = self.devs.values().filter(|device| matches!(device.kind, Kind::Nic { .. }));
        let number = cards.filter(|device| of_host(device.ns)).count();
        let kind = Kind::Nic { segment: segment.unwrap_or(usize::MAX), port, number };
        let new = NewDevice { name: name.to_owned(), kind, mac, ifindex: 0, mtu: None };
        let dev = self.register(ns, new).map_err(|failure| failure.errno)?;
        if let Some(device) = self.devs.get_mut(dev) {
            device.permanent_mac = device.mac;
            device.addr_assign = crate::device::AddrAssign::Permanent;
            device.carrier = segment.is_some();
        }
        if let Some(wire) = segment.and_then(|s| self.segments.get_mut(s)) {
            wire.ports.push(dev);
        }
        Ok(())
    }

    /// The TTL with which a machine's packets from `address` leave: it plays a station many hops away.
    pub fn set_answer_ttl(&mut self, host: usize, address: std::net::Ipv4Addr, ttl: u8) {
        if let Some(host) = self.hosts.get_mut(host) {
            host.answer_ttl.insert(address, ttl);
        }
    }

    /// A new namespace with its loopback device, down.
    pub(crate) fn create_netns(&mut self, host: usize) -> Result<NsId, Failure> {
        if self.netns.len() >= NAMESPACES_MAX {
            return Err(Errno::ENOSPC.into());
        }
        self.next_inode += 1;
        let mut sysctl = Sysctl::default();
        // `devinet_init_net`: a new namespace takes over the first one's settings for all and for new devices.
        if let Some(first) = self.hosts.get(host).and_then(|host| self.netns.get(host.initial)) {
            sysctl.all = first.sysctl.all.clone();
            sysctl.default = first.sysctl.default.clone();
            // One for all namespaces.
            sysctl.conntrack.max = first.sysctl.conntrack.max;
        }
        let ip_id = self.random_below(0xffff) as u16;
        let ns = self.netns.insert(Netns {
            host,
            inode: self.next_inode,
            devices: Default::default(),
            order: Vec::new(),
            names: FxHashMap::default(),
            last_ifindex: 0,
            lo: DevId::default(),
            nsids: Default::default(),
            sysctl,
            vrf_rule: false,
            nexthops: Default::default(),
            neigh: Neighbours::default(),
            neigh6: Neighbours::default(),
            taps: Vec::new(),
            raw: Vec::new(),
            raw6: Vec::new(),
            can: Vec::new(),
            udp: FxHashMap::default(),
            udp6: FxHashMap::default(),
            tcp: Default::default(),
            ip_tunnels: Vec::new(),
            ip6_tunnels: Vec::new(),
            nlmons: Vec::new(),
            udp_tunnels: FxHashMap::default(),
            events: Vec::new(),
            limits: RateLimits::default(),
            reassembly: Reassembly::default(),
            netfilter: None,
            reassembly6: Default::default(),
            ip_id,
            users: 0,
            counters: Counters::default(),
            counters6: Default::default(),
        });
        self.fib.insert(ns, Fib::new());
        self.fib6.insert(ns, Default::default());
        let new = NewDevice { name: "lo".to_owned(), kind: Kind::Loopback, mac: None, ifindex: 0, mtu: None };
        let lo = self.register(ns, new)?;
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.lo = lo;
        }
        Ok(ns)
    }

    /// One more user of a namespace.
    pub(crate) fn hold_netns(&mut self, ns: NsId) {
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.users += 1;
        }
    }

    /// One user fewer; the last one takes the namespace along.
    pub(crate) fn release_netns(&mut self, ns: NsId) {
        let Some(netns) = self.netns.get_mut(ns) else { return };
        netns.users = netns.users.saturating_sub(1);
        if netns.users == 0 {
            self.destroy_netns(ns);
        }
    }

    /// `cleanup_net`: virtual devices go with their namespace, cards return to the machine's first one.
    fn destroy_netns(&mut self, ns: NsId) {
        // `unhash_nsid`
        let known: Vec<(NsId, i32)> = self
            .netns
            .iter()
            .flat_map(|(other, netns)| netns.nsids.iter().map(move |(id, known)| (other, *id, *known)))
            .filter(|(_, _, known)| *known == ns)
            .map(|(other, id, _)| (other, id))
            .collect();
        for (other, id) in known {
            if let Some(netns) = self.netns.get_mut(other) {
                netns.nsids.remove(&id);
            }
            self.notify_nsid(other, id, true);
        }
        let Some(netns) = self.netns.get(ns) else { return };
        let host = netns.host;
        let home = self.hosts.get(host).map(|host| host.initial);
        if let Some(home) = home.filter(|home| *home != ns) {
            self.bring_netdevsims_home(ns, home);
        }
        let order = self.netns.get(ns).map(|netns| netns.order.clone()).unwrap_or_default();
        for dev in order {
            let Some(device) = self.devs.get(dev) else { continue };
            if let (Kind::Nic { .. } | Kind::Netdevsim(_) | Kind::Ipoib(_), Some(home)) = (&device.kind, home)
                && home != ns
            {
                let ifindex = device.ifindex;
                if self.move_to(dev, home, None).is_err() {
                    // Its name is taken there (`__dev_change_net_namespace` with "dev%d").
                    let fallback = self.free_name(home, "dev%d").unwrap_or(format!("dev{ifindex}"));
                    let _ = self.move_to(dev, home, Some(&fallback));
                }
                continue;
            }
            self.unregister(dev);
        }
        for tunnel in self.tunnels_over(ns, None) {
            self.unregister(tunnel);
        }
        for socket in self.netns.get(ns).map(|netns| netns.tcp.sockets()).unwrap_or_default() {
            self.sockets.remove(socket);
        }
        self.netns.remove(ns);
        self.fib.remove(ns);
        self.changed();
    }

    /// Gives a namespace a name on its host (`ip netns add`).
    ///
    /// # Errors
    /// `EEXIST`, `EINVAL`.
    pub(crate) fn name_netns(&mut self, host: usize, name: &str) -> Result<NsId, Errno> {
        self.check_netns_name(host, name)?;
        let ns = self.create_netns(host).map_err(|failure| failure.errno)?;
        self.keep_netns_name(host, name, ns);
        Ok(ns)
    }

    /// Gives the namespace of a task a name, one more where it has one (`ip netns attach`).
    ///
    /// # Errors
    /// As for a new namespace; `ESRCH` without such a task.
    pub fn name_netns_of(&mut self, task: TaskId, name: &str) -> Result<(), Errno> {
        let (host, ns) = self.tasks.get(task).map(|task| (task.host, task.ns)).ok_or(Errno::ESRCH)?;
        self.check_netns_name(host, name)?;
        self.keep_netns_name(host, name, ns);
        Ok(())
    }

    /// The same for the namespace of a process that stands for one (see [`Host::of_process`]).
    ///
    /// # Errors
    /// As for a new namespace; `ENOENT` without such a process.
    pub(crate) fn name_netns_of_process(
        &mut self,
        host: usize,
        process: u32,
        name: &str,
    ) -> Result<(), Errno> {
        let ns = self.hosts.get(host).and_then(|host| host.of_process(process)).ok_or(Errno::ENOENT)?;
        self.check_netns_name(host, name)?;
        self.keep_netns_name(host, name, ns);
        Ok(())
    }

    fn check_netns_name(&self, host: usize, name: &str) -> Result<(), Errno> {
        let is_plain = !name.contains('/') || name.starts_with('/');
        if name.is_empty() || !is_plain || name == "." || name == ".." {
            return Err(Errno::EINVAL);
        }
        if name.len() > 255 {
            return Err(Errno::ENAMETOOLONG);
        }
        if self.hosts.get(host).ok_or(Errno::ENODEV)?.named(name).is_some() {
            return Err(Errno::EEXIST);
        }
        Ok(())
    }

    fn keep_netns_name(&mut self, host: usize, name: &str, ns: NsId) {
        self.hold_netns(ns);
        if let Some(host) = self.hosts.get_mut(host) {
            host.names.push((name.to_owned(), ns));
        }
        self.changed();
    }

    /// Takes a name away (`ip netns del`).
    ///
    /// # Errors
    /// `ENOENT`
    pub(crate) fn unname_netns(&mut self, host: usize, name: &str) -> Result<(), Errno> {
        let names = &mut self.hosts.get_mut(host).ok_or(Errno::ENODEV)?.names;
        let at = names.iter().position(|(known, _)| known == name).ok_or(Errno::ENOENT)?;
        let (_, ns) = names.remove(at);
        self.release_netns(ns);
        self.changed();
        Ok(())
    }

    /// The id by which one namespace knows another; made if there is none (`peernet2id_alloc`).
    pub(crate) fn nsid_for(&mut self, viewer: NsId, other: NsId) -> i32 {
        if let Some(id) = self.known_nsid(viewer, other) {
            return id;
        }
        // `peernet2id_alloc`: one that nobody holds any more gets none.
        if self.netns.get(other).is_none_or(|netns| netns.users == 0) {
            return -1;
        }
        let Some(netns) = self.netns.get_mut(viewer) else { return -1 };
        let id = (0..).find(|id| !netns.nsids.contains_key(id)).unwrap_or(-1);
        netns.nsids.insert(id, other);
        self.notify_nsid(viewer, id, false);
        id
    }

    /// The id, where there is one (`peernet2id`).
    pub(crate) fn known_nsid(&self, viewer: NsId, other: NsId) -> Option<i32> {
        let netns = self.netns.get(viewer)?;
        netns.nsids.iter().find(|(_, known)| **known == other).map(|(id, _)| *id)
    }
}
