//! Devices come and move (`register_netdevice`, `dev_change_net_namespace`).

use hairpin_netlink::{Errno, Failure};

use crate::dev::ip_tunnel::Variant;
use crate::dev::ip6_tunnel::Variant as Variant6;
use crate::dev::{Kind, RxHandler, can, ifb, ipoib, nlmon, tun};
use crate::device::{AddrAssign, AddrGenMode, DevId, Device, Flags, OperState, Stats, hardware};
use crate::mac::Mac;
use crate::netns::NsId;
use crate::route::Ruled as _;
use crate::sysctl::{Conf, NeighParams};
use crate::world::World;

/// What a new device is to be.
#[derive(Clone, Debug)]
pub(crate) struct NewDevice {
    /// With `%d` for the first free number.
    pub name: String,
    pub kind: Kind,
    pub mac: Option<Mac>,
    /// 0: the next free one.
    pub ifindex: u32,
    pub mtu: Option<u32>,
}

/// Longest device name.
pub(crate) const NAME_MAX: usize = 15;

/// `dev_valid_name`
pub(crate) fn valid_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= NAME_MAX
        && name != "."
        && name != ".."
        && !name.bytes().any(|byte| byte == b'/' || byte == b':' || byte.is_ascii_whitespace())
}

impl World {
    /// Makes a device in a namespace. Its kind's own part (ports, peers, uppers) is the caller's.
    ///
    /// # Errors
    /// `EINVAL` for a bad name, `EEXIST` for one that is taken, `EBUSY` for an interface index that is.
    pub(crate) fn register(&mut self, ns: NsId, new: NewDevice) -> Result<DevId, Failure> {
        let name = self.free_name(ns, &new.name)?;
        // `sysctl_dev_name_is_allowed`: the settings of all devices have these names.
        if matches!(name.as_str(), "all" | "default") {
            return Err(Errno::EINVAL.into());
        }
        let (neigh_params, neigh6_params) = self.new_neigh_params(ns);
        let Some(netns) = self.netns.get_mut(ns) else { return Err(Errno::ENODEV.into()) };
        if let Some(host) = self.hosts.get_mut(netns.host) {
            host.vlans |= matches!(new.kind, Kind::Vlan(_));
            host.bridges |= matches!(new.kind, Kind::Bridge(_));
        }
        let ifindex = match new.ifindex {
            0 => next_ifindex(netns),
            wanted if netns.devices.contains_key(&wanted) => return Err(Errno::EBUSY.into()),
            wanted => wanted,
        };
        let mut conf = netns.sysctl.default.clone();
        if matches!(new.kind, Kind::Loopback) {
            conf.set(Conf::DisablePolicy, 1);
            conf.set(Conf::DisableXfrm, 1);
        }
        let (mac, addr_assign) = match new.mac {
            Some(mac) => (mac, AddrAssign::Set),
            None if matches!(
                new.kind,
                Kind::Loopback | Kind::Nlmon | Kind::Vcan | Kind::Vxcan(_) | Kind::Ipoib(_)
            ) || matches!(&new.kind, Kind::Tun(tun) if !tun.is_tap()) =>
            {
                (Mac::ZERO, AddrAssign::Permanent)
            }
            None => (self.random_mac(), AddrAssign::Random),
        };
        let traits = Traits::of(&new.kind);
        let tso_max = self.first_tso_max(&new.kind);
        let device = Device {
            id: DevId::default(),
            ns,
            ifindex,
            flags: traits.flags,
            carrier: true,
            mtu: new.mtu.unwrap_or(traits.mtu),
            mac,
            rx_handler: RxHandler::None,
            vlans: Vec::new(),
            taps: Vec::new(),
            rounds: 0,
            stats: Stats::default(),
            name: name.clone(),
            hardware: traits.hardware,
            broadcast: if traits.hardware == hardware::ETHER { Mac::BROADCAST } else { Mac::ZERO },
            operstate: OperState::Unknown,
            activated: false,
            min_mtu: traits.min_mtu,
            max_mtu: traits.max_mtu,
            permanent_mac: Mac::ZERO,
            addr_assign,
            dev_id: 0,
            promiscuity: 0,
            uc_promisc: false,
            allmulti: 0,
            user_promisc: false,
            user_allmulti: false,
            tx_queue_len: traits.tx_queue_len,
            queues: (1, 1),
            qdisc: "noop",
            queue: None,
            tso_max,
            group: 0,
            alias: String::new(),
            altnames: Vec::new(),
            carrier_up_count: 0,
            carrier_down_count: 0,
            protodown: false,
            master: None,
            uppers: Vec::new(),
            unicast: Default::default(),
            multicast: Default::default(),
            has_ipv4: true,
            has_ipv6: false,
            ipv4: Vec::new(),
            routing_addresses: Vec::new(),
            ipv4_conf: conf,
            neigh_params,
            ipv4_groups: Vec::new(),
            igmp: Default::default(),
            ipv6: Vec::new(),
            inet6: Default::default(),
            ipv6_disabled: false,
            ipv6_conf: Default::default(),
            neigh6_params,
            addr_gen_mode: AddrGenMode::Eui64,
            features_wanted: None,
            leaving: false,
            sums: Default::default(),
            kind: new.kind,
        };
        let dev = self.devs.insert(device);
        if let Some(device) = self.devs.get_mut(dev) {
            device.id = dev;
        }
        self.list(ns, dev, &name, ifindex);
        self.settle_ignore_linkdown(dev);
        self.ip6_begins(dev);
        let forwards = |device: &Device| device.ipv4_conf.get(Conf::Forwarding) != 0;
        if self.devs.get(dev).is_some_and(forwards) || self.forwards6(dev) {
            // `inetdev_init`, `ipv6_add_dev`
            self.unwant_lro(dev);
        }
        self.ip6_registered(dev);
        self.notify_configuration(dev, false);
        self.changed();
        Ok(dev)
    }

    /// `neigh_parms_alloc`: there is one default for all namespaces of a kernel, set in its first one.
    pub(super) fn new_neigh_params(&self, ns: NsId) -> (NeighParams, NeighParams) {
        let host = self.netns.get(ns).and_then(|netns| self.hosts.get(netns.host));
        match host.and_then(|host| self.netns.get(host.initial)).or(self.netns.get(ns)) {
            Some(first) => (first.sysctl.neigh_default, first.sysctl.neigh6_default),
            None => (NeighParams::default(), NeighParams::ipv6()),
        }
    }

    fn list(&mut self, ns: NsId, dev: DevId, name: &str, ifindex: u32) {
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.devices.insert(ifindex, dev);
            netns.names.insert(name.to_owned(), dev);
            netns.order.push(dev);
        }
        if let Some(fib) = self.fib.get_mut(ns) {
            fib.device_named(ifindex, name);
        }
        if let Some(fib) = self.fib6.get_mut(ns) {
            fib.device_named(ifindex, name);
        }
    }

    /// `unlist_netdevice`
    pub(super) fn unlist(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        if let Some(fib) = self.fib.get_mut(device.ns) {
            fib.device_unnamed(device.ifindex);
        }
        if let Some(fib) = self.fib6.get_mut(device.ns) {
            fib.device_unnamed(device.ifindex);
        }
        let Some(netns) = self.netns.get_mut(device.ns) else { return };
        netns.devices.remove(&device.ifindex);
        netns.order.retain(|known| *known != dev);
        netns.names.retain(|_, known| *known != dev);
    }

    /// A name that is free, from one that may contain one `%d`, and no other `%` (`dev_get_valid_name`).
    pub(crate) fn free_name(&self, ns: NsId, wanted: &str) -> Result<String, Failure> {
        let Some(netns) = self.netns.get(ns) else { return Err(Errno::ENODEV.into()) };
        if let Some((front, rest)) = wanted.split_once('%') {
            let back = rest.strip_prefix('d').filter(|back| !back.contains('%'));
            let Some(back) = back.filter(|_| valid_name(wanted)) else { return Err(Errno::EINVAL.into()) };
            let found =
                (0..32768).map(|i| format!("{front}{i}{back}")).find(|name| !netns.names.contains_key(name));
            return found.filter(|name| valid_name(name)).ok_or_else(|| Errno::ENFILE.into());
        }
        if !valid_name(wanted) {
            return Err(Errno::EINVAL.into());
        }
        if netns.names.contains_key(wanted) {
            return Err(Errno::EEXIST.into());
        }
        Ok(wanted.to_owned())
    }

    /// The device of a namespace with this name or alternative name.
    pub(crate) fn device_named(&self, ns: NsId, name: &str) -> Option<DevId> {
        self.netns.get(ns)?.names.get(name).copied()
    }

    pub(crate) fn device_at(&self, ns: NsId, ifindex: u32) -> Option<DevId> {
        self.netns.get(ns)?.devices.get(&ifindex).copied()
    }

    /// Moves a device to another namespace: it arrives down, without addresses, with its MAC and kind.
    ///
    /// # Errors
    /// `EINVAL` where the device may not leave its namespace, `EEXIST` where its name is taken there.
    pub(crate) fn move_to(&mut self, dev: DevId, ns: NsId, name: Option<&str>) -> Result<(), Failure> {
        let Some(device) = self.devs.get(dev) else { return Err(Errno::ENODEV.into()) };
        if matches!(
            device.kind,
            Kind::Loopback | Kind::Bridge(_) | Kind::Bond(_) | Kind::Team(_) | Kind::Vrf(_)
        ) {
            // `NETIF_F_NETNS_LOCAL`
            return Err(Errno::EINVAL.into());
        }
        if device.ns == ns {
            return Ok(());
        }
        let name = name.unwrap_or(&device.name).to_owned();
        let (old_ifindex, altnames) = (device.ifindex, device.altnames.clone());
        let Some(target) = self.netns.get(ns) else { return Err(Errno::EINVAL.into()) };
        if target.names.contains_key(&name) || altnames.iter().any(|alt| target.names.contains_key(alt)) {
            return Err(Errno::EEXIST.into());
        }
        // For those who stand on it, it goes.
        for tunnel in self.tunnels_over(device.ns, Some(old_ifindex)) {
            self.unregister(tunnel);
        }
        let watched = self.watched_with(dev);
        self.close(dev);
        self.shut_queue(dev);
        self.forget_ip(dev);
        self.release_from_master(dev);
        let ifindex = match self.netns.get_mut(ns) {
            Some(target) if target.devices.contains_key(&old_ifindex) => next_ifindex(target),
            _ => old_ifindex,
        };
        self.notify_link_moved(dev, ns, ifindex);
        if let Some(device) = self.devs.get_mut(dev) {
            device.unicast.clear();
            device.multicast.clear();
        }
        self.unlist(dev);
        let (neigh_params, _) = self.new_neigh_params(ns);
        let conf = self.netns.get(ns).map(|netns| netns.sysctl.default.clone());
        if let Some(device) = self.devs.get_mut(dev) {
            device.ns = ns;
            device.ifindex = ifindex;
            device.name = name.clone();
            if let Some(conf) = conf {
                device.ipv4_conf = conf;
            }
            device.neigh_params = neigh_params;
            device.ipv4_groups.clear();
            (device.has_ipv4, device.has_ipv6) = (true, false);
        }
        self.list(ns, dev, &name, ifindex);
        self.link_watch(&watched);
        self.settle_ignore_linkdown(dev);
        self.ip6_begins(dev);
        self.ip6_registered(dev);
        self.notify_configuration(dev, false);
        if let Some(netns) = self.netns.get_mut(ns) {
            for alt in altnames {
                netns.names.insert(alt, dev);
            }
        }
        self.changed();
        self.notify_link(dev);
        Ok(())
    }

    /// `dev_change_name`: alternative names stay.
    ///
    /// # Errors
    /// `EINVAL`, `EEXIST` as for a new device; `EBUSY` for a device that is up.
    pub(crate) fn rename(&mut self, dev: DevId, wanted: &str) -> Result<(), Failure> {
        let Some(device) = self.devs.get(dev) else { return Err(Errno::ENODEV.into()) };
        if device.name == wanted {
            return Ok(());
        }
        let (ns, ifindex, old) = (device.ns, device.ifindex, device.name.clone());
        // Linux 6.2 and later rename devices that are up.
        if device.is_up() {
            return Err(Errno::EBUSY.into());
        }
        let name = self.free_name(ns, wanted)?;
        if let Some(fib) = self.fib.get_mut(ns) {
            fib.device_unnamed(ifindex);
            fib.device_named(ifindex, &name);
        }
        if let Some(fib) = self.fib6.get_mut(ns) {
            fib.device_unnamed(ifindex);
            fib.device_named(ifindex, &name);
        }
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.names.remove(&old);
            netns.names.insert(name.clone(), dev);
        }
        if let Some(device) = self.devs.get_mut(dev) {
            // `inetdev_changename`: the first label is the new name, the others keep what they have behind a colon, or get
            // their number there.
            for (number, address) in device.ipv4.iter_mut().enumerate() {
                let tail = address.label.find(':').and_then(|colon| address.label.get(colon..));
                let tail = tail.map_or_else(|| format!(":{}", number + 1), str::to_owned);
                address.label = match number {
                    0 => name.clone(),
                    _ => {
                        let room = NAME_MAX.saturating_sub(tail.len());
                        format!("{}{tail}", name.get(..room.min(name.len())).unwrap_or_default())
                    }
                };
            }
            device.name = name;
        }
        for address in self.devs.get(dev).map(|device| device.ipv4.clone()).unwrap_or_default() {
            self.notify_address(dev, &address, false);
        }
        self.changed();
        Ok(())
    }
}

/// `dev_new_index`
fn next_ifindex(netns: &mut crate::netns::Netns) -> u32 {
    loop {
        netns.last_ifindex = netns.last_ifindex.checked_add(1).filter(|i| *i <= i32::MAX as u32).unwrap_or(1);
        if !netns.devices.contains_key(&netns.last_ifindex) {
            return netns.last_ifindex;
        }
    }
}

/// What a kind starts with (its `setup` function).
#[derive(Clone, Copy)]
struct Traits {
    flags: Flags,
    hardware: u16,
    mtu: u32,
    min_mtu: u32,
    max_mtu: u32,
    tx_queue_len: u32,
}

impl Traits {
    fn of(kind: &Kind) -> Traits {
        let ether = Traits {
            flags: Flags::BROADCAST | Flags::MULTICAST,
            hardware: hardware::ETHER,
            mtu: 1500,
            min_mtu: 68,
            max_mtu: 65535,
            tx_queue_len: 1000,
        };
        let point = Traits { flags: Flags::NOARP, min_mtu: 0, max_mtu: 0, ..ether };
        match kind {
            Kind::Loopback => Traits {
                flags: Flags::LOOPBACK,
                hardware: hardware::LOOPBACK,
                mtu: 65536,
                min_mtu: 0,
                max_mtu: 0,
                ..ether
            },
            Kind::Ipoib(_) => Traits {
                hardware: hardware::INFINIBAND,
                mtu: ipoib::DATAGRAM_MTU,
                min_mtu: 0,
                max_mtu: ipoib::CONNECTED_MTU,
                tx_queue_len: ipoib::QUEUE_LEN,
                ..ether
            },
            Kind::Netdevsim(_) => Traits { flags: Flags::BROADCAST | Flags::NOARP, ..ether },
            Kind::Dummy => Traits { flags: Flags::BROADCAST | Flags::NOARP, min_mtu: 0, max_mtu: 0, ..ether },
            Kind::Vlan(_) | Kind::Macsec(_) => Traits { min_mtu: 0, ..ether },
            Kind::Ifb => Traits {
                flags: Flags::BROADCAST | Flags::NOARP,
                min_mtu: 0,
                max_mtu: 0,
                tx_queue_len: ifb::QUEUE_LEN,
                ..ether
            },
            Kind::Tun(tun) if tun.is_tap() => Traits { max_mtu: 65_535 - 14, ..ether },
            Kind::Tun(_) => Traits {
                flags: Flags::POINTOPOINT | Flags::MULTICAST | Flags::NOARP,
                hardware: hardware::NONE,
                min_mtu: 68,
                max_mtu: 65_535,
                tx_queue_len: tun::QUEUE_LEN,
                ..ether
            },
            Kind::Nlmon => {
                Traits { hardware: hardware::NETLINK, mtu: nlmon::MTU, min_mtu: nlmon::MTU_MIN, ..point }
            }
            Kind::Vcan | Kind::Vxcan(_) => Traits { hardware: hardware::CAN, mtu: can::CANFD_MTU, ..point },
            Kind::IpTunnel(tunnel) => match tunnel.variant {
                // `ipgre_netlink_parms`
                Variant::Gre if tunnel.config.external => Traits { hardware: hardware::NONE, ..point },
                Variant::Gre => Traits { hardware: hardware::GRE, ..point },
                Variant::GreTap => Traits { max_mtu: 0, ..ether },
                Variant::Ipip => Traits { hardware: hardware::IPIP, ..point },
                Variant::Sit => {
                    Traits { hardware: hardware::SIT, min_mtu: 1280, max_mtu: 65_535 - 20 + 40, ..point }
                }
            },
            Kind::Ip6Tunnel(tunnel) => match tunnel.variant {
                Variant6::Ip6Tnl => {
                    Traits { hardware: hardware::TUNNEL6, min_mtu: 68, max_mtu: 65_535, ..point }
                }
                Variant6::Ip6Gre => Traits { hardware: hardware::IP6GRE, ..point },
                Variant6::Ip6GreTap => Traits { max_mtu: 0, ..ether },
            },
            Kind::Geneve(state) => Traits { max_mtu: 65_535 - state.config.most_headroom(), ..ether },
            Kind::Bond(_) => Traits { flags: ether.flags | Flags::MASTER, ..ether },
            Kind::Veth(_)
            | Kind::Team(_)
            | Kind::Bridge(_)
            | Kind::Macvlan(_)
            | Kind::Ipvlan(_)
            | Kind::Vxlan(_) => ether,
            // `e1000_probe`
            Kind::Nic { .. } => Traits { min_mtu: 46, max_mtu: 16_110, ..ether },
            Kind::Vrf(_) => Traits {
                flags: Flags::NOARP | Flags::MASTER,
                mtu: 65_575,
                min_mtu: 1280,
                max_mtu: 65_575,
                ..ether
            },
        }
    }
}
