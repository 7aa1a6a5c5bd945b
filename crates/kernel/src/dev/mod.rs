//! Device kinds, one file each. A kind decides what becomes of a frame from its own state alone and says so
//! in [`Verdict`]s; it never calls another device. [`crate::path`] performs verdicts.

pub mod bond;
pub mod bridge;
pub mod can;
pub(crate) mod features;
pub mod geneve;
pub mod ifb;
pub mod ip6_tunnel;
pub mod ip_tunnel;
pub mod ipoib;
pub mod ipvlan;
pub mod macsec;
pub mod macvlan;
pub mod netdevsim;
pub mod nlmon;
pub mod tap;
pub mod team;
pub mod tun;
pub mod tunnel;
pub mod veth;
pub mod vlan;
pub mod vrf;
pub mod vxlan;

pub use hairpin_netlink::PacketType;

use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::mac::Mac;
use crate::sock::SockId;

/// What is to be done with a frame. A list of verdicts is performed in its order; each but a `Drop` gets
/// the frame, or a copy sharing its buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Transmit on a device (`dev_queue_xmit`).
    Transmit {
        dev: DevId,
    },
    /// As `Transmit`, unless the frame is too long for the device (`br_dev_queue_push_xmit`); without its tag
    /// where the port has its VLAN untagged (`br_handle_vlan`).
    Forward {
        dev: DevId,
        untag: bool,
        /// The network of the tunnel that the frame is to go by; 0: none (`br_handle_egress_vlan_tunnel`).
        network: u32,
    },
    /// As `Forward`, as unicast to one member of its group (`maybe_deliver_addr`).
    ForwardTo {
        dev: DevId,
        untag: bool,
        network: u32,
        to: Mac,
    },
    /// A bridge device has received the frame (`br_pass_frame_up`), which may have no business in its VLAN.
    PassUp {
        bridge: DevId,
        packet_type: PacketType,
        egress: bridge::Egress,
        /// It counts as multicast.
        multicast: bool,
    },
    /// Hand to a device's receive path as if it came off its wire (`dev_forward_skb`): dropped if the device
    /// is down or the frame too long; the packet type is found anew; queued behind what is going on.
    Inject {
        dev: DevId,
    },
    /// As a received frame of that device and type, queued (`netif_rx`).
    Enqueue {
        dev: DevId,
        packet_type: PacketType,
    },
    /// The same of a group's frame that comes back to the macvlan which sent it.
    EnqueueOwn {
        dev: DevId,
        packet_type: PacketType,
    },
    /// The frame is now this device's, and goes through its receive path at once (`RX_HANDLER_ANOTHER`).
    Receive {
        dev: DevId,
        packet_type: PacketType,
    },
    /// Up to the protocols of the device it is on (`RX_HANDLER_PASS`).
    Local,
    /// Only sockets bound to the device may have it (`RX_HANDLER_EXACT`).
    Exact,
    /// Distribute a broadcast to the macvlans on this device later (`macvlan_broadcast_enqueue`).
    MacvlanBroadcast {
        lower: DevId,
    },
    /// A unit of a slow protocol, for the bond that a slave belongs to (`bond_3ad_lacpdu_recv`).
    SlowProtocol {
        bond: DevId,
        slave: DevId,
    },
    /// Distribute a multicast or broadcast frame to the ipvlans on this device later
    /// (`ipvlan_multicast_enqueue`): one that ipvlan `from` sends, or one that came in.
    IpvlanMulticast {
        lower: DevId,
        from: Option<DevId>,
    },
    /// Without its link header, route the packet in the namespace of this device and send it from there
    /// (`ipvlan_process_outbound`).
    RouteBelow {
        lower: DevId,
    },
    /// To the program that holds this queue of a macvtap or ipvtap.
    Queue {
        queue: SockId,
    },
    /// Onto the wire of a network card.
    Wire {
        segment: usize,
        port: usize,
    },
    /// Routed by the table of the VRF that it was transmitted on.
    VrfRoute,
    /// Into a packet of the IP stack below a tunnel.
    Encapsulate(tunnel::Outer),
    /// A packet may not be put into another once more; the byte that says so (RFC 2473 §4.1.1).
    TunnelLimit {
        pointer: u32,
    },
    /// Into the receive path of the vxlan device that it is on (`vxlan_encap_bypass`).
    VxlanBypass,
    /// The end: it has served its purpose.
    Consume,
    Drop(DropReason),
}

/// A list of verdicts; reused, so that deciding allocates nothing once warm.
pub type Verdicts = Vec<Verdict>;

/// Which group addresses a device that shares another one takes (`vlan->mc_filter`, `ipvlan->mac_filters`).
///
/// Linux looks at the last four bytes of an address (`mc_hash`, `ipvlan_mac_hash`): who takes 33:33:00:00:00:01 takes
/// 03:00:00:00:00:01 as well. It puts eight bits of a hash of them into its filter, which lets one group of 256 pass by
/// chance, another one in each run; none does here.
#[derive(Clone, Debug, Default)]
pub struct GroupFilter {
    all: bool,
    ends: Vec<[u8; 4]>,
}

impl GroupFilter {
    pub fn new(all: bool, groups: impl IntoIterator<Item = Mac>) -> Self {
        GroupFilter { all, ends: groups.into_iter().map(Self::end).collect() }
    }

    fn passes(&self, group: Mac) -> bool {
        self.all || self.ends.contains(&Self::end(group))
    }

    fn end(group: Mac) -> [u8; 4] {
        let [_, _, end @ ..] = group.0;
        end
    }
}

/// A device's kind with its state.
#[derive(Clone, Debug)]
pub enum Kind {
    Loopback,
    Dummy,
    Veth(veth::Veth),
    Bridge(Box<bridge::Bridge>),
    Bond(Box<bond::Bond>),
    Team(Box<team::Team>),
    Macvlan(Box<macvlan::Macvlan>),
    Ipvlan(ipvlan::Ipvlan),
    Vlan(Box<vlan::Vlan>),
    Ifb,
    Nlmon,
    Vcan,
    /// CAN devices in a pair.
    Vxcan(veth::Veth),
    IpTunnel(Box<ip_tunnel::IpTunnel>),
    Ip6Tunnel(Box<ip6_tunnel::Ip6Tunnel>),
    Geneve(Box<geneve::Geneve>),
    Macsec(Box<macsec::Macsec>),
    Tun(Box<tun::Tun>),
    Vrf(vrf::Vrf),
    Vxlan(Box<vxlan::Vxlan>),
    /// A port of a simulated card.
    Netdevsim(Box<netdevsim::Netdevsim>),
    /// On a port of InfiniBand.
    Ipoib(Box<ipoib::Ipoib>),
    /// A network card: its wire is a port of a segment.
    Nic {
        segment: usize,
        port: usize,
        /// Which of its machine's cards it is, from 0.
        number: usize,
    },
}

impl Kind {
    /// `IFLA_INFO_KIND`; cards, simulated ones too, and loopback have none.
    pub fn name(&self) -> Option<&'static str> {
        match self {
            Kind::Loopback | Kind::Nic { .. } | Kind::Netdevsim(_) => None,
            Kind::Ipoib(_) => Some("ipoib"),
            Kind::Dummy => Some("dummy"),
            Kind::Veth(_) => Some("veth"),
            Kind::Bridge(_) => Some("bridge"),
            Kind::Bond(_) => Some("bond"),
            Kind::Team(_) => Some("team"),
            Kind::Macvlan(macvlan) => Some(if macvlan.tap { "macvtap" } else { "macvlan" }),
            Kind::Ipvlan(ipvlan) => Some(if ipvlan.tap { "ipvtap" } else { "ipvlan" }),
            Kind::Vlan(_) => Some("vlan"),
            Kind::Ifb => Some("ifb"),
            Kind::Nlmon => Some("nlmon"),
            Kind::Vcan => Some("vcan"),
            Kind::Vxcan(_) => Some("vxcan"),
            Kind::IpTunnel(tunnel) => Some(tunnel.variant.name()),
            Kind::Ip6Tunnel(tunnel) => Some(tunnel.variant.name()),
            Kind::Geneve(_) => Some("geneve"),
            Kind::Macsec(_) => Some("macsec"),
            Kind::Tun(_) => Some("tun"),
            Kind::Vrf(_) => Some("vrf"),
            Kind::Vxlan(_) => Some("vxlan"),
        }
    }

    /// The namespace whose IP stack carries a tunnel's packets.
    pub fn underlay(&self) -> Option<crate::netns::NsId> {
        match self {
            Kind::Vxlan(vxlan) => Some(vxlan.underlay),
            Kind::Geneve(geneve) => Some(geneve.underlay),
            Kind::IpTunnel(tunnel) => Some(tunnel.underlay),
            Kind::Ip6Tunnel(tunnel) => Some(tunnel.underlay),
            _ => None,
        }
    }

    /// Whether it sends frames whose tag is kept beside their bytes (`NETIF_F_HW_VLAN_CTAG_TX`).
    pub fn offloads_tags(&self) -> bool {
        !matches!(self, Kind::Vlan(_) | Kind::Macvlan(_) | Kind::Macsec(_) | Kind::Dummy | Kind::Netdevsim(_))
    }

    /// The device that `IFLA_LINK` names: a lower device, or the peer of a veth.
    pub fn lower(&self) -> Option<DevId> {
        match self {
            Kind::Veth(pair) | Kind::Vxcan(pair) => pair.peer,
            Kind::Macvlan(macvlan) => Some(macvlan.lower),
            Kind::Ipvlan(ipvlan) => Some(ipvlan.lower),
            Kind::Vlan(vlan) => Some(vlan.lower),
            Kind::Macsec(macsec) => Some(macsec.lower),
            Kind::Ipoib(ipoib) => ipoib.parent,
            _ => None,
        }
    }
}

/// Who takes a device's received frames before its protocols (`dev->rx_handler`).
#[derive(Clone, Debug, Default)]
pub enum RxHandler {
    #[default]
    None,
    /// The device is a port of this bridge.
    BridgePort { bridge: DevId },
    /// The device is a slave of this bond.
    BondSlave { bond: DevId },
    /// The device is a port of this team.
    TeamPort { team: DevId },
    /// Macvlans stand on the device.
    MacvlanPort(Box<macvlan::Port>),
    /// Ipvlans stand on the device.
    IpvlanPort(Box<ipvlan::Port>),
    /// MACsec devices stand on the device.
    MacsecPort(macsec::Port),
    /// The device is a macvtap or ipvtap.
    Tap(tap::Tap),
}

impl RxHandler {
    pub fn is_none(&self) -> bool {
        matches!(self, RxHandler::None)
    }
}
