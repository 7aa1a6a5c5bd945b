//! What `RTM_NEWLINK` says of a device, in the order in which Linux 6.1 says it (`rtnl_fill_ifinfo`).

use hairpin_netlink::core::DefaultNla;
use hairpin_netlink::route::{
    AddressFamily,
    link::{
        LinkAttribute, LinkFlags, LinkMessage, LinkMode, LinkXdp, Map, Prop, State, Stats, Stats64,
        XdpAttached,
    },
};

use super::{af_spec, info};
use crate::dev::Kind;
use crate::device::{self, DevId, Device, OperState};
use crate::netns::NsId;
use crate::world::World;

/// `GSO_LEGACY_MAX_SIZE`, `GRO_LEGACY_MAX_SIZE`
const OFFLOAD_SIZE: u32 = 65_536;
/// `GSO_MAX_SEGS`, `TSO_MAX_SEGS`
const OFFLOAD_SEGMENTS: u32 = 65_535;

/// The crate's type for it cannot be made.
const IFLA_PHYS_SWITCH_ID: u16 = 36;

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    pub viewer: NsId,
    /// `IFLA_TARGET_NETNSID` of the request, repeated in the answer.
    pub target: Option<i32>,
}

impl World {
    /// A device as a listener in namespace `viewer` is told of it, with no change mask. A namespace that a
    /// lower device or peer is in gets an id there if it has none.
    pub(crate) fn link_message(&mut self, dev: DevId, viewer: NsId) -> LinkMessage {
        self.describe_link(dev, View { viewer, target: None })
    }

    /// `rtnl_fill_ifinfo`
    pub(super) fn describe_link(&mut self, dev: DevId, view: View) -> LinkMessage {
        let below = self.link_below(dev);
        let below = below.map(|(index, ns)| (index, ns.map(|ns| self.nsid_for(view.viewer, ns))));
        let mut message = LinkMessage::default();
        let Some(device) = self.devs.get(dev) else { return message };
        message.header.interface_family = AddressFamily::Unspec;
        message.header.index = device.ifindex;
        message.header.link_layer_type = device.hardware.into();
        message.header.flags = LinkFlags::from_bits_retain(device.shown_flags().bits());
        let master = device.master.and_then(|master| self.devs.get(master)).map(|master| master.ifindex);
        let offload = device.tso_max;
        let counted = self.stats_of(dev);
        let attributes = &mut message.attributes;
        attributes.extend(view.target.map(LinkAttribute::IfNetnsId));
        attributes.extend([
            LinkAttribute::IfName(device.name.clone()),
            LinkAttribute::TxQueueLen(device.tx_queue_len),
            LinkAttribute::OperState(oper_state(device)),
            LinkAttribute::Mode(LinkMode::Default),
            LinkAttribute::Mtu(device.mtu),
            LinkAttribute::MinMtu(device.min_mtu),
            LinkAttribute::MaxMtu(device.max_mtu),
            LinkAttribute::Group(device.group),
            LinkAttribute::Promiscuity(device.promiscuity),
            LinkAttribute::AllMulticast(device.allmulti),
            LinkAttribute::NumTxQueues(device.queues.0),
            LinkAttribute::GsoMaxSegs(OFFLOAD_SEGMENTS),
            LinkAttribute::GsoMaxSize(OFFLOAD_SIZE),
            LinkAttribute::GroMaxSize(OFFLOAD_SIZE),
            LinkAttribute::TsoMaxSize(offload),
            LinkAttribute::TsoMaxSegs(OFFLOAD_SEGMENTS),
            LinkAttribute::NumRxQueues(device.queues.1),
        ]);
        attributes.extend(master.map(LinkAttribute::Controller));
        attributes.push(LinkAttribute::Carrier(device.carrier.into()));
        attributes.push(LinkAttribute::Qdisc(device.qdisc.to_owned()));
        if !device.alias.is_empty() {
            attributes.push(LinkAttribute::IfAlias(device.alias.clone()));
        }
        let (ups, downs) = (device.carrier_up_count, device.carrier_down_count);
        attributes.extend([
            LinkAttribute::CarrierChanges(ups.wrapping_add(downs)),
            LinkAttribute::CarrierUpCount(ups),
            LinkAttribute::CarrierDownCount(downs),
            LinkAttribute::ProtoDown(device.protodown.into()),
            LinkAttribute::Map(Map::default()),
        ]);
        if device.address_len() > 0 {
            let (address, broadcast) = device.addresses();
            attributes.push(LinkAttribute::Address(address));
            attributes.push(LinkAttribute::Broadcast(broadcast));
        }
        attributes.extend([
            LinkAttribute::Stats64(stats64(&counted)),
            LinkAttribute::Stats(stats(&counted)),
            LinkAttribute::Xdp(vec![LinkXdp::Attached(XdpAttached::None)]),
        ]);
        let info = info::link_info(self, device);
        if !info.is_empty() {
            attributes.push(LinkAttribute::LinkInfo(info));
        }
        if let Some((index, netns)) = below {
            attributes.extend(netns.map(LinkAttribute::LinkNetNsId));
            if netns.is_some() || index != device.ifindex {
                attributes.push(LinkAttribute::Link(index));
            }
        }
        attributes.extend(device.permanent_address().map(LinkAttribute::PermAddress));
        if let Kind::Netdevsim(port) = &device.kind {
            attributes.extend([
                LinkAttribute::PhysPortName(port.port_name()),
                LinkAttribute::Other(DefaultNla::new(IFLA_PHYS_SWITCH_ID, port.switch_id.to_vec())),
            ]);
        }
        if let Some((bus, name)) = device.parent() {
            attributes.extend([
                LinkAttribute::ParentDevName(name),
                LinkAttribute::ParentDevBusName(bus.to_owned()),
            ]);
        }
        attributes.push(LinkAttribute::AfSpecUnspec(af_spec::af_spec(self, device)));
        if !device.altnames.is_empty() {
            let names = device.altnames.iter().cloned().map(Prop::AltIfName).collect();
            attributes.push(LinkAttribute::PropList(names));
        }
        message
    }

    /// `dev_get_iflink`, `rtnl_link_get_net`: index of the device below (or the peer), and its namespace where
    /// that is another one.
    pub(super) fn link_below(&self, dev: DevId) -> Option<(u32, Option<NsId>)> {
        let device = self.devs.get(dev)?;
        match (device.lower().and_then(|lower| self.devs.get(lower)), &device.kind) {
            // `ipvtap_link_ops` and `ipoib_link_ops` do not tell where that is.
            (Some(below), Kind::Ipvlan(state)) if state.tap => Some((below.ifindex, None)),
            (Some(below), Kind::Ipoib(_)) => Some((below.ifindex, None)),
            (Some(below), _) => Some((below.ifindex, (below.ns != device.ns).then_some(below.ns))),
            // A veth that lost its peer.
            (None, Kind::Veth(_) | Kind::Vxcan(_)) => Some((0, None)),
            // The device below by its index alone, 0 for any (`ip_tunnel_get_iflink`).
            (None, Kind::IpTunnel(state)) => {
                Some((state.config.link, (state.underlay != device.ns).then_some(state.underlay)))
            }
            (None, Kind::Ip6Tunnel(state)) => {
                Some((state.config.link, (state.underlay != device.ns).then_some(state.underlay)))
            }
            // `geneve_link_ops` does not tell.
            (None, Kind::Geneve(_)) => None,
            // A tunnel whose stack is elsewhere.
            (None, kind) => {
                kind.underlay().filter(|ns| *ns != device.ns).map(|ns| (device.ifindex, Some(ns)))
            }
        }
    }
}

/// The operational state as messages show it: a device that is down is just down.
pub(super) fn oper_state(device: &Device) -> State {
    if !device.is_up() {
        return State::Down;
    }
    match device.operstate {
        OperState::Unknown => State::Unknown,
        OperState::NotPresent => State::NotPresent,
        OperState::Down => State::Down,
        OperState::LowerLayerDown => State::LowerLayerDown,
        OperState::Testing => State::Testing,
        OperState::Dormant => State::Dormant,
        OperState::Up => State::Up,
    }
}

fn stats64(counted: &device::Stats) -> Stats64 {
    let mut stats = Stats64::default();
    stats.rx_packets = counted.rx_packets;
    stats.tx_packets = counted.tx_packets;
    stats.rx_bytes = counted.rx_bytes;
    stats.tx_bytes = counted.tx_bytes;
    stats.rx_errors = counted.rx_errors;
    stats.tx_errors = counted.tx_errors;
    stats.rx_dropped = counted.rx_dropped;
    stats.tx_dropped = counted.tx_dropped;
    stats.tx_aborted_errors = counted.tx_aborted_errors;
    stats.tx_carrier_errors = counted.tx_carrier_errors;
    stats.collisions = counted.collisions;
    stats.multicast = counted.multicast;
    stats.rx_nohandler = counted.rx_nohandler;
    stats.rx_otherhost_dropped = counted.rx_otherhost;
    stats
}

/// The counters' lower 32 bits (`copy_rtnl_link_stats`).
fn stats(counted: &device::Stats) -> Stats {
    let mut stats = Stats::default();
    stats.rx_packets = counted.rx_packets as u32;
    stats.tx_packets = counted.tx_packets as u32;
    stats.rx_bytes = counted.rx_bytes as u32;
    stats.tx_bytes = counted.tx_bytes as u32;
    stats.rx_errors = counted.rx_errors as u32;
    stats.tx_errors = counted.tx_errors as u32;
    stats.rx_dropped = counted.rx_dropped as u32;
    stats.tx_dropped = counted.tx_dropped as u32;
    stats.tx_aborted_errors = counted.tx_aborted_errors as u32;
    stats.tx_carrier_errors = counted.tx_carrier_errors as u32;
    stats.collisions = counted.collisions as u32;
    stats.multicast = counted.multicast as u32;
    stats.rx_nohandler = counted.rx_nohandler as u32;
    stats
}
