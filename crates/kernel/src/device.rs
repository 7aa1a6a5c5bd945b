//! What every network device has, whatever its kind (`struct net_device`).

use std::net::{Ipv4Addr, Ipv6Addr};

use bitflags::bitflags;
use slotmap::new_key_type;

use crate::control::temporary::Temporary;
use crate::dev::features::Sums;
use crate::dev::{Kind, RxHandler};
use crate::mac::Mac;
use crate::mac_list::MacList;
use crate::netns::NsId;
use crate::sock::SockId;
use crate::sysctl::{DevConf, NeighParams, Overrides};
use crate::time::Time;

new_key_type! {
    /// A device, in whichever namespace it is.
    pub struct DevId;
}

bitflags! {
    /// `IFF_*` as `SIOCSIFFLAGS` knows them (`include/uapi/linux/if.h`).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Flags: u32 {
        const UP = 0x1;
        const BROADCAST = 0x2;
        const DEBUG = 0x4;
        const LOOPBACK = 0x8;
        const POINTOPOINT = 0x10;
        const NOTRAILERS = 0x20;
        const RUNNING = 0x40;
        const NOARP = 0x80;
        const PROMISC = 0x100;
        const ALLMULTI = 0x200;
        const MASTER = 0x400;
        const SLAVE = 0x800;
        const MULTICAST = 0x1000;
        const PORTSEL = 0x2000;
        const AUTOMEDIA = 0x4000;
        const DYNAMIC = 0x8000;
        const LOWER_UP = 0x10000;
        const DORMANT = 0x20000;
        const ECHO = 0x40000;
    }
}

/// `IF_OPER_*` (RFC 2863).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum OperState {
    Unknown = 0,
    NotPresent = 1,
    Down = 2,
    LowerLayerDown = 3,
    Testing = 4,
    Dormant = 5,
    Up = 6,
}

/// `addr_assign_type`: where the MAC comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum AddrAssign {
    Permanent = 0,
    Random = 1,
    Stolen = 2,
    Set = 3,
}

/// `ARPHRD_*`.
pub mod hardware {
    pub const ETHER: u16 = 1;
    pub const INFINIBAND: u16 = 32;
    pub const LOOPBACK: u16 = 772;
    pub const CAN: u16 = 280;
    pub const IPIP: u16 = 768;
    pub const TUNNEL6: u16 = 769;
    pub const SIT: u16 = 776;
    pub const GRE: u16 = 778;
    pub const IP6GRE: u16 = 823;
    pub const NETLINK: u16 = 824;
    pub const NONE: u16 = 0xfffe;
}

/// Whether frames of such a device start with an Ethernet header.
pub(crate) fn has_link_header(hardware: u16) -> bool {
    matches!(hardware, hardware::ETHER | hardware::LOOPBACK)
}

/// Counters of `ip -s link` (`struct rtnl_link_stats64`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Stats {
    pub rx_packets: u64,
    pub rx_bytes: u64,
    pub rx_errors: u64,
    pub rx_dropped: u64,
    pub rx_nohandler: u64,
    /// Packets in frames for another host.
    pub rx_otherhost: u64,
    pub tx_packets: u64,
    pub tx_bytes: u64,
    pub tx_errors: u64,
    pub tx_dropped: u64,
    /// A packet that a tunnel over IPv6 could not send.
    pub tx_aborted_errors: u64,
    /// No way to where the frame was to go.
    pub tx_carrier_errors: u64,
    /// A tunnel whose way leads through itself.
    pub collisions: u64,
    pub multicast: u64,
}

impl Stats {
    /// Each counter with what `change` makes of it and of the other's.
    fn with(&self, other: &Stats, change: impl Fn(u64, u64) -> u64) -> Stats {
        Stats {
            rx_packets: change(self.rx_packets, other.rx_packets),
            rx_bytes: change(self.rx_bytes, other.rx_bytes),
            rx_errors: change(self.rx_errors, other.rx_errors),
            rx_dropped: change(self.rx_dropped, other.rx_dropped),
            rx_nohandler: change(self.rx_nohandler, other.rx_nohandler),
            rx_otherhost: change(self.rx_otherhost, other.rx_otherhost),
            tx_packets: change(self.tx_packets, other.tx_packets),
            tx_bytes: change(self.tx_bytes, other.tx_bytes),
            tx_errors: change(self.tx_errors, other.tx_errors),
            tx_dropped: change(self.tx_dropped, other.tx_dropped),
            multicast: change(self.multicast, other.multicast),
            collisions: change(self.collisions, other.collisions),
            tx_aborted_errors: change(self.tx_aborted_errors, other.tx_aborted_errors),
            tx_carrier_errors: change(self.tx_carrier_errors, other.tx_carrier_errors),
        }
    }

    /// Counts what others have counted.
    pub fn add(&mut self, other: &Stats) {
        *self = self.with(other, u64::wrapping_add);
    }

    /// What was counted since an earlier look.
    pub fn since(&self, earlier: &Stats) -> Stats {
        self.with(earlier, u64::saturating_sub)
    }
}

/// An IPv4 address of a device (`struct in_ifaddr`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ipv4Address {
    pub local: Ipv4Addr,
    /// The other end of a point-to-point address; equal to `local` otherwise (`ifa_address`).
    pub peer: Ipv4Addr,
    pub prefix_len: u8,
    /// 0.0.0.0 where there is none.
    pub broadcast: Ipv4Addr,
    pub scope: u8,
    /// `IFA_F_*`
    pub flags: u32,
    pub label: String,
    /// Seconds; `u32::MAX` is forever.
    pub valid_lft: u32,
    pub preferred_lft: u32,
    pub metric: u32,
    pub protocol: u8,
    pub created: Time,
    pub updated: Time,
}

/// `IFA_F_*`.
pub mod ifa {
    pub const SECONDARY: u32 = 0x01;
    pub const NODAD: u32 = 0x02;
    pub const DADFAILED: u32 = 0x08;
    pub const HOMEADDRESS: u32 = 0x10;
    pub const TENTATIVE: u32 = 0x40;
    pub const PERMANENT: u32 = 0x80;
    pub const DEPRECATED: u32 = 0x20;
    pub const MANAGETEMPADDR: u32 = 0x100;
    pub const NOPREFIXROUTE: u32 = 0x200;
    pub const MCAUTOJOIN: u32 = 0x400;
    pub const STABLE_PRIVACY: u32 = 0x800;
}

/// An IPv6 address of a device (`struct inet6_ifaddr`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ipv6Address {
    pub address: Ipv6Addr,
    pub peer: Option<Ipv6Addr>,
    pub prefix_len: u8,
    pub scope: u8,
    pub flags: u32,
    pub valid_lft: u32,
    pub preferred_lft: u32,
    pub metric: u32,
    pub protocol: u8,
    pub created: Time,
    pub updated: Time,
    pub dad: Dad,
    /// It is a temporary address.
    pub temporary: Option<Temporary>,
    /// It was made of the device's token.
    pub tokenized: bool,
}

/// Where the search for duplicates of an address is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dad {
    /// Questions still to be asked.
    pub probes: u32,
    /// Told in the questions; zeros for none.
    pub nonce: [u8; 6],
    /// The timer that counts; 0 where none runs.
    pub timer: u32,
    /// The group of the address is listened to.
    pub joined: bool,
}

/// What of IPv6 a device has beside addresses (`struct inet6_dev`).
#[derive(Clone, Debug, Default)]
pub struct Inet6 {
    /// By how many seconds the lives of temporary addresses are shortened (`desync_factor`).
    pub desync: Option<u32>,
    pub listener: crate::ip6::mld::Listener,
    /// The interface identifier that addresses of advertised prefixes get, 0 for that of the MAC (RFC 4291 §2.5.1).
    pub token: u64,
    /// It has been configured since it has a link (`IF_READY`).
    pub ready: bool,
    pub solicit: Solicit,
    /// It advertises itself as a router.
    pub advertiser: Option<Box<crate::control::advertise::Advertiser>>,
    /// Anycast addresses, with the number of own addresses that bring each.
    pub anycast: Vec<(Ipv6Addr, u32)>,
}

/// How far the solicitation of routers is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Solicit {
    pub sent: u32,
    pub interval_us: u64,
    /// The timer that counts.
    pub timer: u32,
    /// A router has answered (`IF_RA_RCVD`).
    pub advertised: bool,
}

/// `IN6_ADDR_GEN_MODE_*`: how a link-local address is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum AddrGenMode {
    Eui64 = 0,
    None = 1,
    StablePrivacy = 2,
    Random = 3,
}

/// `TSO_LEGACY_MAX_SIZE`: where a driver says nothing else.
pub const TSO_MAX_HARDWARE: u32 = 65_536;
/// `GSO_MAX_SIZE`: what software devices take.
pub const TSO_MAX_SOFTWARE: u32 = 8 * 65_535;

/// A multicast group that sockets or the kernel have joined on a device (`ip_mc_list`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipv4Group {
    pub address: Ipv4Addr,
    pub users: u32,
    /// Whether the device takes frames to its MAC (`loaded`): not from when it goes down until it is up again.
    pub is_filtered: bool,
}

/// A network device.
#[derive(Clone, Debug)]
pub struct Device {
    pub id: DevId,
    pub ns: NsId,
    pub ifindex: u32,
    pub flags: Flags,
    pub carrier: bool,
    pub mtu: u32,
    pub mac: Mac,
    pub kind: Kind,
    /// Who takes received frames before the protocols do; at most one.
    pub rx_handler: RxHandler,
    /// VLAN devices on this one: (TPID, VID) and device.
    pub vlans: Vec<((u16, u16), DevId)>,
    /// Packet sockets bound to this device.
    pub taps: Vec<SockId>,
    pub stats: Stats,
    /// How often a frame was looked at on its way up (`softnet_data.processed`).
    pub rounds: u64,

    pub name: String,
    pub hardware: u16,
    pub broadcast: Mac,
    pub operstate: OperState,
    /// Its queueing discipline sends: it had a carrier when it went up, or when the link watch looked last (`dev_activate`).
    pub activated: bool,
    pub min_mtu: u32,
    pub max_mtu: u32,
    pub permanent_mac: Mac,
    pub addr_assign: AddrAssign,
    /// Tells devices with one MAC apart (`dev->dev_id`); 0 for all others.
    pub dev_id: u16,
    /// How many users want every frame (`dev->promiscuity`); the user's own wish is in `user_promisc`.
    pub promiscuity: u32,
    /// It is promiscuous because it has no filter for its secondary unicast addresses.
    pub uc_promisc: bool,
    pub allmulti: u32,
    pub user_promisc: bool,
    pub user_allmulti: bool,
    pub tx_queue_len: u32,
    pub queues: (u32, u32),
    pub qdisc: &'static str,
    /// The discipline, if it was given one.
    pub queue: Option<Box<crate::qdisc::Queue>>,
    /// Bytes of the longest segment that it takes to cut up itself.
    pub tso_max: u32,
    pub group: u32,
    pub alias: String,
    pub altnames: Vec<String>,
    pub carrier_up_count: u32,
    pub carrier_down_count: u32,
    pub protodown: bool,
    /// The bridge, bond or VRF that this device is a port of.
    pub master: Option<DevId>,
    /// Devices stacked on this one, in the order in which they were linked.
    pub uppers: Vec<DevId>,
    pub unicast: MacList,
    pub multicast: MacList,

    /// It has a part in IPv4 (`ip_ptr`): unless its MTU was set to less than 68.
    pub has_ipv4: bool,
    /// The same for IPv6 (`ip6_ptr`), and less than 1280 from the beginning.
    pub has_ipv6: bool,
    pub ipv4: Vec<Ipv4Address>,
    /// The same addresses in the form that routing reads.
    pub routing_addresses: Vec<crate::route::InterfaceAddress>,
    pub ipv4_conf: DevConf,
    pub neigh_params: NeighParams,
    /// The oldest first.
    pub ipv4_groups: Vec<Ipv4Group>,
    /// Reports of group membership that are to be sent.
    pub igmp: crate::ip::igmp::Reports,
    pub ipv6: Vec<Ipv6Address>,
    pub inet6: Inet6,
    pub ipv6_disabled: bool,
    /// Other values of `net.ipv6.conf.DEV`.
    pub ipv6_conf: Overrides,
    /// `net.ipv6.neigh.DEV`
    pub neigh6_params: NeighParams,
    pub addr_gen_mode: AddrGenMode,
    /// The features that somebody has asked for; `None` until then.
    pub features_wanted: Option<u64>,
    /// It is about to go (`NETREG_UNREGISTERING`): nobody is told of what it comes to.
    pub leaving: bool,
    /// What it does with checksums, as far as that is known.
    pub(crate) sums: Sums,
}

impl Device {
    pub fn is_up(&self) -> bool {
        self.flags.contains(Flags::UP)
    }

    /// Up, with carrier: frames can be sent (`qdisc` is not the discarding one).
    pub fn can_transmit(&self) -> bool {
        self.is_up() && self.carrier
    }

    /// Whether it may be a VRF, or a port of one: no other device has a part in VRFs.
    #[inline]
    pub(crate) fn may_be_of_vrf(&self) -> bool {
        self.master.is_some() || matches!(self.kind, Kind::Vrf(_))
    }

    /// `netif_oper_up`
    pub fn oper_up(&self) -> bool {
        matches!(self.operstate, OperState::Up | OperState::Unknown)
    }

    /// How often the carrier came or went.
    pub fn carrier_changes(&self) -> u32 {
        self.carrier_up_count + self.carrier_down_count
    }

    pub fn is_loopback(&self) -> bool {
        self.flags.contains(Flags::LOOPBACK)
    }

    pub fn is_noarp(&self) -> bool {
        self.flags.intersects(Flags::NOARP | Flags::LOOPBACK)
    }

    /// Whether all of IPv4 is one neighbour, called 0.0.0.0 (`arp_constructor`).
    #[inline]
    pub(crate) fn has_one_neighbour(&self) -> bool {
        self.flags.intersects(Flags::LOOPBACK | Flags::POINTOPOINT)
    }

    /// `dev->addr_len`: bytes of link-layer addresses. Those of IP tunnels are the tunnel's ends.
    pub fn address_len(&self) -> usize {
        match self.hardware {
            _ if matches!(&self.kind, Kind::Tun(tun) if !tun.is_tap()) => 0,
            hardware::ETHER | hardware::LOOPBACK => 6,
            // GRE that goes by what packets say has no other name.
            hardware::IPIP | hardware::SIT | hardware::GRE | hardware::NONE => 4,
            hardware::TUNNEL6 | hardware::IP6GRE => 16,
            hardware::INFINIBAND => crate::dev::ipoib::ADDRESS_LEN,
            _ => 0,
        }
    }

    /// `dev->dev_addr` and `dev->broadcast`: of a tunnel its ends.
    pub fn addresses(&self) -> (Vec<u8>, Vec<u8>) {
        if let (Kind::Ip6Tunnel(tunnel), 16) = (&self.kind, self.address_len()) {
            return (tunnel.config.local.octets().to_vec(), tunnel.config.remote.octets().to_vec());
        }
        if let Kind::Ipoib(state) = &self.kind {
            return (state.address.to_vec(), state.broadcast().to_vec());
        }
        let bytes = |mac: Mac| mac.0.iter().take(self.address_len()).copied().collect();
        (bytes(self.mac), bytes(self.broadcast))
    }

    /// `dev->perm_addr`; none where nobody has given it one.
    pub fn permanent_address(&self) -> Option<Vec<u8>> {
        if let Kind::Ipoib(state) = &self.kind {
            return (self.addr_assign != AddrAssign::Set || state.parent.is_none())
                .then(|| state.permanent.to_vec());
        }
        if self.permanent_mac.is_zero() {
            return None;
        }
        // A tunnel over IPv6 has longer addresses, of which only the beginning is random.
        let mut address = self.permanent_mac.0.to_vec();
        address.resize(self.address_len(), 0);
        Some(address)
    }

    /// `dev->hard_header_len`. Frames of a device without a link header have one in here all the same, in which only
    /// the EtherType counts; it is not seen from outside.
    pub fn header_len(&self) -> usize {
        if has_link_header(self.hardware) { crate::frame::ETH_LEN } else { 0 }
    }

    /// The device of a bus that this is a function of (`dev->dev.parent`): the bus, and its name there. None for a device
    /// that is nothing but software.
    ///
    /// The first card of a machine is in slot 3 of the first bus, where common virtual machines have it.
    pub fn parent(&self) -> Option<(&'static str, String)> {
        match &self.kind {
            Kind::Netdevsim(port) => Some((crate::dev::netdevsim::BUS, port.parent())),
            Kind::Nic { number, .. } => {
                let slot = number + 3;
                Some(("pci", format!("0000:{:02x}:{:02x}.0", slot / 32 % 256, slot % 32)))
            }
            _ => None,
        }
    }

    pub fn is_ethernet(&self) -> bool {
        self.hardware == hardware::ETHER
    }

    /// `IFF_UNICAST_FLT`: it can be told which unicast addresses it is to take.
    pub fn filters_unicast(&self) -> bool {
        matches!(
            self.kind,
            Kind::Nic { .. }
                | Kind::Macvlan(_)
                | Kind::Ipvlan(_)
                | Kind::Vlan(_)
                | Kind::Bond(_)
                | Kind::Team(_)
        )
    }

    /// Whether its driver has `ndo_set_rx_mode`.
    pub fn has_ethernet_filter(&self) -> bool {
        !matches!(
            self.kind,
            Kind::Loopback
                | Kind::Ifb
                | Kind::Nlmon
                | Kind::Vcan
                | Kind::Vxcan(_)
                | Kind::IpTunnel(_)
                | Kind::Geneve(_)
                | Kind::Vrf(_)
        )
    }

    /// What `RTM_NEWLINK` shows (`dev_get_flags`).
    pub fn shown_flags(&self) -> Flags {
        let mut flags = self.flags - (Flags::PROMISC | Flags::ALLMULTI | Flags::RUNNING);
        flags.set(Flags::PROMISC, self.user_promisc);
        flags.set(Flags::ALLMULTI, self.user_allmulti);
        if self.is_up() {
            flags.set(Flags::RUNNING, self.oper_up());
            flags.set(Flags::LOWER_UP, self.carrier);
        }
        flags
    }

    /// Whether a frame fits (`is_skb_forwardable`, `dev_forward_skb`): up, and no longer than MTU,
    /// link header and one VLAN tag.
    pub fn accepts_length(&self, frame_len: usize) -> bool {
        frame_len <= self.mtu as usize + crate::frame::ETH_LEN + hairpin_wire::vlan::TAG_LEN
    }

    /// `IFF_NO_RX_HANDLER`: nothing may take its frames away.
    pub fn refuses_rx_handler(&self) -> bool {
        matches!(self.kind, Kind::Ipvlan(_) | Kind::Vrf(_))
    }

    /// The device below, as `IFLA_LINK` tells it (`dev_get_iflink`).
    pub fn lower(&self) -> Option<DevId> {
        self.kind.lower()
    }

    pub fn has_name(&self, name: &str) -> bool {
        self.name == name || self.altnames.iter().any(|alt| alt == name)
    }
}
