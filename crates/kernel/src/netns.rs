//! A network namespace and a host's names for it (`struct net`).

use std::collections::BTreeMap;
use std::net::IpAddr;

use rustc_hash::FxHashMap;
use slotmap::new_key_type;

use crate::device::DevId;
use crate::ip::icmp::RateLimits;
use crate::ip::reassemble::Reassembly;
use crate::ip6::reassemble::Reassembly6;
use crate::neigh::Neighbours;
use crate::netfilter::Netfilter;
use crate::route::RouteKind;
use crate::sock::SockId;
use crate::sysctl::Sysctl;

new_key_type! {
    /// A network namespace of some host.
    pub struct NsId;
}

/// One kernel of the world: a machine with its namespaces.
#[derive(Clone, Debug)]
pub struct Host {
    pub name: String,
    /// The namespace that the machine starts with.
    pub initial: NsId,
    /// Names made by `ip netns add`, oldest first; a path is a name that stands elsewhere (a container's).
    pub names: Vec<(String, NsId)>,
    /// Documents that programs keep here, with their versions.
    pub store: BTreeMap<String, (u64, Vec<u8>)>,
    /// TTL with which replies from an address leave (worlds whose internet hosts are many hops away).
    pub answer_ttl: BTreeMap<std::net::Ipv4Addr, u8>,
    /// The module br_netfilter is loaded.
    pub bridge_netfilter: bool,
    /// The modules of tunnels over IPv4, and over IPv6, are loaded: packets for them are refused where no tunnel takes them.
    pub tunnels: (bool, bool),
    /// The module of VLANs is loaded, and that of bridges: from the first such device on, whatever becomes of it.
    pub vlans: bool,
    pub bridges: bool,
    /// How often frames of devices that are gone were looked at on their way up.
    pub rounds_of_gone: u64,
    /// The last handle that a queueing discipline got without asking for one.
    pub queue_handle: u32,
    /// The bus of netdevsim, with its devices.
    pub netdevsim: crate::dev::netdevsim::Bus,
    pub(crate) log: crate::klog::KernelLog,
    pub(crate) link_watch: crate::control::link_watch::LinkWatch,
}

impl Host {
    pub fn named(&self, name: &str) -> Option<NsId> {
        if name == hairpin_netlink::FIRST_NETNS {
            return Some(self.initial);
        }
        self.names.iter().find(|(known, _)| known == name).map(|(_, ns)| *ns)
    }

    /// The namespace of a process that stands for one: the machine's first, or what a path below `/proc` was given to.
    pub fn of_process(&self, process: u32) -> Option<NsId> {
        self.named(&format!("/proc/{process}/ns/net"))
    }
}

/// A network namespace.
#[derive(Clone, Debug)]
pub struct Netns {
    /// Index of the host it belongs to.
    pub host: usize,
    /// What `stat` shows as inode number; unique in the world.
    pub inode: u64,
    pub devices: BTreeMap<u32, DevId>,
    /// Devices in the order of registration (`for_each_netdev`).
    pub order: Vec<DevId>,
    pub names: FxHashMap<String, DevId>,
    pub last_ifindex: u32,
    pub lo: DevId,
    /// Ids by which this namespace knows others (`net->netns_ids`).
    pub nsids: BTreeMap<i32, NsId>,
    pub sysctl: Sysctl,
    /// Next hops with ids of their own (`net->nexthop`).
    pub nexthops: crate::route::object::Objects,
    /// The rule that lets VRFs have their tables has been made.
    pub vrf_rule: bool,
    /// Neighbours of IPv4, and of IPv6.
    pub neigh: Neighbours,
    pub neigh6: Neighbours,
    /// Unbound packet sockets: they see every device.
    pub taps: Vec<SockId>,
    pub raw: Vec<SockId>,
    pub raw6: Vec<SockId>,
    /// CAN sockets.
    pub can: Vec<SockId>,
    /// UDP sockets by port.
    pub udp: FxHashMap<u16, Vec<SockId>>,
    pub udp6: FxHashMap<u16, Vec<SockId>>,
    pub tcp: crate::tcp::Table,
    /// Running IP tunnels over this namespace's stack.
    pub ip_tunnels: Vec<DevId>,
    pub ip6_tunnels: Vec<DevId>,
    /// Running nlmon devices of this namespace.
    pub nlmons: Vec<DevId>,
    /// Running tunnels over UDP by port, and whether over IPv6: those of a port share a socket of the kernel's.
    pub udp_tunnels: FxHashMap<(u16, bool), Vec<DevId>>,
    pub events: Vec<SockId>,
    pub limits: RateLimits,
    pub reassembly: Reassembly,
    /// None until somebody asks for a table.
    pub netfilter: Option<Box<Netfilter>>,
    pub reassembly6: Reassembly6,
    pub ip_id: u16,
    /// Names, tasks, descriptors and sockets that keep the namespace alive.
    pub users: u32,
    pub counters: Counters,
    pub counters6: Counters6,
}

impl Netns {
    /// The ports of the sockets that the kernel itself has open for tunnels, of IPv6 or of IPv4, in their order.
    pub fn tunnel_ports(&self, ipv6: bool) -> Vec<u16> {
        let mut ports: Vec<u16> =
            self.udp_tunnels.keys().filter(|(_, six)| *six == ipv6).map(|(port, _)| *port).collect();
        ports.sort_unstable();
        ports
    }

    /// The neighbours of an address's family.
    #[inline]
    pub fn neighbours(&self, address: IpAddr) -> &Neighbours {
        if address.is_ipv4() { &self.neigh } else { &self.neigh6 }
    }

    #[inline]
    pub fn neighbours_mut(&mut self, address: IpAddr) -> &mut Neighbours {
        if address.is_ipv4() { &mut self.neigh } else { &mut self.neigh6 }
    }
}

/// ICMP types that are counted, 0 to 18.
pub const ICMP_TYPES: usize = 19;

/// Counters of `/proc/net/snmp` that the stack keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub in_receives: u64,
    pub in_header_errors: u64,
    pub in_address_errors: u64,
    pub in_delivers: u64,
    pub in_no_routes: u64,
    pub forwarded: u64,
    pub out_requests: u64,
    pub out_no_routes: u64,
    /// What this host was not let send.
    pub out_discards: u64,
    pub reassembly_timeouts: u64,
    pub reassembly_fragments: u64,
    pub reassembled: u64,
    pub reassembly_failures: u64,
    pub fragmented: u64,
    pub fragmentation_failures: u64,
    pub fragments_made: u64,
    pub icmp_in: u64,
    pub icmp_in_errors: u64,
    pub icmp_in_checksums: u64,
    pub icmp_out: u64,
    /// Errors not sent for the limit on all together, and for the one on their destination.
    pub icmp_limited: u64,
    pub icmp_limited_host: u64,
    /// Messages in and out by type; Linux knows types up to `NR_ICMP_TYPES`.
    pub icmp_in_types: [u64; ICMP_TYPES],
    pub icmp_out_types: [u64; ICMP_TYPES],
    pub tcp_in: u64,
    pub tcp_active_opens: u64,
    pub tcp_passive_opens: u64,
    pub tcp_out: u64,
    pub tcp_out_resets: u64,
    pub udp_in: u64,
    pub udp_no_ports: u64,
    pub udp_out: u64,
    pub carried: Carried,
    /// What connections count together.
    pub tcp: crate::tcp::counts::News,
    pub reverse_path: u64,
}

/// Packets and bytes of IPv4 (`IpExt` of `/proc/net/netstat`), each in and out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    pub octets: [u64; 2],
    /// Packets and bytes to groups, and to all.
    pub multicast: [(u64, u64); 2],
    pub broadcast: [(u64, u64); 2],
    /// Packets in by the two bits of RFC 3168.
    pub ecn: [u64; 4],
}

impl Carried {
    const IN: usize = 0;
    const OUT: usize = 1;

    /// `IPSTATS_MIB_INMCASTPKTS` and its kin: a packet of so many bytes whose route is of this kind.
    #[inline]
    fn of_kind(&mut self, side: usize, kind: RouteKind, len: usize) {
        let (packets, bytes) = match kind {
            RouteKind::Multicast => &mut self.multicast[side],
            RouteKind::Broadcast => &mut self.broadcast[side],
            _ => return,
        };
        *packets += 1;
        *bytes += len as u64;
    }

    #[inline]
    pub fn delivers(&mut self, kind: RouteKind, len: usize) {
        self.of_kind(Self::IN, kind, len);
    }

    #[inline]
    pub fn sends(&mut self, kind: RouteKind, len: usize) {
        self.of_kind(Self::OUT, kind, len);
    }

    #[inline]
    pub fn came(&mut self, len: usize) {
        self.octets[Self::IN] += len as u64;
    }

    #[inline]
    pub fn left(&mut self, len: usize) {
        self.octets[Self::OUT] += len as u64;
    }
}

impl Counters {
    /// `icmp_out_count`
    #[inline]
    pub fn count_icmp_out(&mut self, kind: Option<u8>) {
        self.icmp_out += 1;
        if let Some(count) = kind.and_then(|kind| self.icmp_out_types.get_mut(usize::from(kind))) {
            *count += 1;
        }
    }

    #[inline]
    pub fn count_icmp_in(&mut self, kind: u8) {
        if let Some(count) = self.icmp_in_types.get_mut(usize::from(kind)) {
            *count += 1;
        }
    }
}

/// Counters of `/proc/net/snmp6` that the stack keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters6 {
    pub in_receives: u64,
    pub in_header_errors: u64,
    pub in_too_big: u64,
    pub in_no_routes: u64,
    pub in_address_errors: u64,
    pub in_unknown_protocols: u64,
    pub in_truncated: u64,
    pub in_discards: u64,
    pub in_delivers: u64,
    pub forwarded: u64,
    pub out_requests: u64,
    pub out_no_routes: u64,
    pub reassembly_timeouts: u64,
    pub reassembly_fragments: u64,
    pub reassembled: u64,
    pub reassembly_failures: u64,
    pub fragmented: u64,
    pub fragmentation_failures: u64,
    pub fragments_made: u64,
    pub in_multicast: u64,
    pub out_multicast: u64,
    pub in_octets: u64,
    pub out_octets: u64,
    pub in_multicast_octets: u64,
    pub out_multicast_octets: u64,
    pub icmp_in: u64,
    pub icmp_in_errors: u64,
    pub icmp_in_checksums: u64,
    pub icmp_out: u64,
    /// Errors not sent for the limit on their destination.
    pub icmp_limited_host: u64,
    /// Messages in and out by type.
    pub icmp_in_types: BTreeMap<u8, u64>,
    pub icmp_out_types: BTreeMap<u8, u64>,
    pub udp_in: u64,
    pub udp_no_ports: u64,
    pub udp_out: u64,
}

impl Counters6 {
    /// A packet of so many bytes has come in.
    #[inline]
    pub fn received(&mut self, len: usize, multicast: bool) {
        self.in_receives += 1;
        self.in_octets += len as u64;
        if multicast {
            self.in_multicast += 1;
            self.in_multicast_octets += len as u64;
        }
    }

    /// A packet of so many bytes goes out.
    #[inline]
    pub fn sent(&mut self, len: usize, multicast: bool) {
        self.out_requests += 1;
        self.out_octets += len as u64;
        if multicast {
            self.out_multicast += 1;
            self.out_multicast_octets += len as u64;
        }
    }

    #[inline]
    pub fn count_icmp_out(&mut self, kind: u8) {
        self.icmp_out += 1;
        *self.icmp_out_types.entry(kind).or_default() += 1;
    }

    #[inline]
    pub fn count_icmp_in(&mut self, kind: u8) {
        *self.icmp_in_types.entry(kind).or_default() += 1;
    }
}
