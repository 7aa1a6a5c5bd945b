//! Receive (`__netif_receive_skb_core`): taps, VLAN, the rx handler, then the protocols.

use hairpin_netlink::PacketType;
use hairpin_wire::vlan::Tag;

use crate::dev::{Kind, RxHandler, ipvlan, vlan::VlanFlags};
use crate::device::{DevId, Device};
use crate::drop_reason::DropReason;
use crate::frame::{ETH_LEN, Frame, ethertype};
use crate::sock::{self, Item};
use crate::trace::Step;
use crate::world::{Waiting, World};

use super::tx::Next;

/// How often one frame may change its device on the way up.
const ROUNDS_MAX: u32 = 16;

/// What is left of a frame whose tag no VLAN device wanted ([`World::without_tag`]).
enum Untagged {
    /// Behind a tag of priority there is one of this VLAN device.
    Vlan(DevId, Frame),
    Protocol(Frame),
}

impl World {
    /// A frame in a device's receive path.
    pub(crate) fn receive(&mut self, dev: DevId, frame: Frame) {
        let (mut dev, mut came_by) = (dev, dev);
        let mut frame = frame;
        frame.path_mtu = 0;
        // Tags that stay in the bytes for taps to see, the outermost first (`vlan_insert_inner_tag`).
        let mut kept: Vec<Tag> = Vec::new();
        for _ in 0..ROUNDS_MAX {
            let Some(device) = self.devs.get_mut(dev) else {
                return self.drop_frame(None, frame, DropReason::DeviceGone);
            };
            // What a slave has received is its bond's, be that down.
            if !device.is_up() && !matches!(device.kind, Kind::Bond(_) | Kind::Team(_)) {
                return self.drop_frame(Some(dev), frame, DropReason::TargetDown);
            }
            device.rounds += 1;
            let handled = !device.rx_handler.is_none();
            if frame.tag.is_none() && Tag::is_tpid(frame.ethertype()) && !frame.untag() {
                return self.drop_frame(Some(dev), frame, DropReason::HeaderTruncated);
            }
            match kept.is_empty() {
                true => self.tap(dev, &frame, frame.packet_type),
                false => self.tap(dev, &frame.with_tags(&kept), frame.packet_type),
            }
            self.trace_step(dev, &frame, Step::Receive(frame.packet_type));
            if let Some(vlan) = frame.tag.and_then(|tag| self.vlan_of(dev, tag)) {
                let tag = frame.tag.filter(|_| self.keeps_tag(vlan));
                let Some(untagged) = self.vlan_receive(vlan, frame) else { return };
                kept.extend(tag);
                (dev, frame) = (vlan, untagged);
                continue;
            }
            let next = match handled {
                true => self.rx_handler(dev, frame),
                false => Some((Next::Local, frame)),
            };
            match next {
                Some((Next::Device(to, packet_type), mut other)) => {
                    self.count_received(dev, to, &other);
                    other.packet_type = packet_type;
                    if self.devs.get(to).is_some_and(|device| matches!(device.kind, Kind::Bridge(_))) {
                        // `br_pass_frame_up` receives it anew.
                        came_by = to;
                    }
                    (dev, frame) = (to, other);
                }
                Some((Next::Local, local)) if local.tag.is_none() => {
                    self.tap_protocol(came_by, dev, &local, false);
                    return self.deliver_to_protocol(dev, local, false);
                }
                Some((Next::Local, local)) => match self.without_tag(dev, local) {
                    Some(Untagged::Vlan(vlan, tagged)) => {
                        let tag = tagged.tag.filter(|_| self.keeps_tag(vlan));
                        let Some(untagged) = self.vlan_receive(vlan, tagged) else { return };
                        kept.extend(tag);
                        (dev, frame) = (vlan, untagged);
                    }
                    Some(Untagged::Protocol(local)) => {
                        self.tap_protocol(came_by, dev, &local, false);
                        return self.deliver_to_protocol(dev, local, true);
                    }
                    None => return,
                },
                Some((Next::Exact, exact)) => {
                    self.tap_protocol(came_by, dev, &exact, true);
                    if let Some(device) = self.devs.get_mut(dev) {
                        device.stats.rx_nohandler += 1;
                    }
                    return self.drop_frame(Some(dev), exact, DropReason::UnhandledProtocol);
                }
                None => return,
            }
        }
        self.drop_frame(Some(dev), frame, DropReason::RecursionLimit);
    }

    /// Tags that no VLAN device wanted: the frame is for another station, unless the tag has a priority only. Behind
    /// such a tag there may be another one, whose VLAN device gets the frame (`check_vlan_id`).
    fn without_tag(&mut self, dev: DevId, mut frame: Frame) -> Option<Untagged> {
        while let Some(tag) = frame.tag.take() {
            if tag.vid() != 0 {
                frame.packet_type = PacketType::OtherHost;
                break;
            }
            if !Tag::is_tpid(frame.ethertype()) {
                break;
            }
            if !frame.untag() {
                self.drop_frame(Some(dev), frame, DropReason::HeaderTruncated);
                return None;
            }
            if let Some(vlan) = frame.tag.and_then(|tag| self.vlan_of(dev, tag)) {
                return Some(Untagged::Vlan(vlan, frame));
            }
        }
        Some(Untagged::Protocol(frame))
    }

    fn vlan_of(&self, dev: DevId, tag: Tag) -> Option<DevId> {
        let device = self.devs.get(dev)?;
        let key = (tag.tpid, tag.vid());
        device.vlans.iter().find(|(known, _)| *known == key).map(|(_, vlan)| *vlan)
    }

    /// Whether what this VLAN device receives keeps its tag in the bytes, where taps see it.
    fn keeps_tag(&self, vlan: DevId) -> bool {
        let Some(device) = self.devs.get(vlan) else { return false };
        match &device.kind {
            Kind::Vlan(state) => !state.flags.contains(VlanFlags::REORDER_HDR) && device.rx_handler.is_none(),
            _ => false,
        }
    }

    fn vlan_receive(&mut self, vlan: DevId, mut frame: Frame) -> Option<Frame> {
        let device = self.devs.get_mut(vlan)?;
        if !device.is_up() {
            self.drop_frame(Some(vlan), frame, DropReason::VlanDown);
            return None;
        }
        let len = frame.len();
        let mac = device.mac;
        if let Kind::Vlan(state) = &device.kind {
            frame.packet_type = state.receive(&mut frame, mac);
        }
        device.stats.rx_packets += 1;
        device.stats.rx_bytes += (len - ETH_LEN.min(len)) as u64;
        if frame.packet_type == PacketType::Multicast {
            device.stats.multicast += 1;
        }
        Some(frame)
    }

    /// R5: the device's rx handler, if any.
    #[inline]
    fn rx_handler(&mut self, dev: DevId, frame: Frame) -> Option<(Next, Frame)> {
        let device = self.devs.get(dev)?;
        if let RxHandler::BridgePort { bridge } = device.rx_handler {
            return self.bridge_port_receive(bridge, dev, frame);
        }
        if let RxHandler::BondSlave { bond } = device.rx_handler {
            return self.bond_receive(bond, dev, frame);
        }
        if let RxHandler::TeamPort { team } = device.rx_handler {
            return self.team_receive(team, dev, frame);
        }
        if let RxHandler::MacsecPort(_) = device.rx_handler {
            return self.macsec_receive(dev, frame);
        }
        let mut verdicts = match &device.rx_handler {
            RxHandler::None => return Some((Next::Local, frame)),
            _ => self.verdicts.pop().unwrap_or_default(),
        };
        let (destination, source) = (frame.destination(), frame.source());
        match &device.rx_handler {
            RxHandler::None
            | RxHandler::BondSlave { .. }
            | RxHandler::TeamPort { .. }
            | RxHandler::BridgePort { .. }
            | RxHandler::MacsecPort(_) => {}
            RxHandler::MacvlanPort(port) => {
                port.receive(dev, destination, source, frame.packet_type, &mut verdicts);
            }
            RxHandler::IpvlanPort(port) => port.receive(dev, device.mac, &frame, &mut verdicts),
            RxHandler::Tap(tap) => tap.receive(&frame, &mut verdicts),
        }
        self.perform_all(dev, frame, verdicts)
    }

    /// Counters of a stacked device that takes over a frame from `from`.
    pub(super) fn count_received(&mut self, _from: DevId, to: DevId, frame: &Frame) {
        let Some(device) = self.devs.get_mut(to) else { return };
        let len = frame.len();
        if matches!(device.kind, Kind::Bond(_)) {
            // It shows what its slaves count.
            return;
        }
        device.stats.rx_packets += 1;
        if matches!(device.kind, Kind::Team(_)) && frame.packet_type == PacketType::Multicast {
            device.stats.multicast += 1;
        }
        match &device.kind {
            // `br_pass_frame_up` counts behind the link header, `macvlan_handle_frame` with it.
            Kind::Bridge(_) | Kind::Team(_) => device.stats.rx_bytes += (len - ETH_LEN.min(len)) as u64,
            _ => device.stats.rx_bytes += len as u64,
        }
    }

    /// R7: the protocol by EtherType. `tagged`: it came with a tag that no VLAN device has taken.
    fn deliver_to_protocol(&mut self, dev: DevId, frame: Frame, tagged: bool) {
        match frame.ethertype() {
            ethertype::CAN | ethertype::CANFD => self.can_receive(dev, frame),
            0..ethertype::LEAST => self.llc_receive(dev, frame),
            ethertype::IPV4 => self.ip_receive(dev, frame),
            ethertype::ARP => self.arp_receive(dev, frame),
            ethertype::IPV6 => self.ip6_receive(dev, frame),
            _ => {
                // What a capture has taken is not lost, for `__netif_receive_skb_core`, if nothing stands between that
                // and here that might have taken it.
                let captured = !tagged && self.is_tapped(dev);
                let lost = |device: &&mut Device| !captured || !device.rx_handler.is_none();
                if let Some(device) = self.devs.get_mut(dev).filter(lost) {
                    device.stats.rx_dropped += 1;
                }
                self.drop_frame(Some(dev), frame, DropReason::UnhandledProtocol);
            }
        }
    }

    /// Gives a frame that nobody has taken to the packet sockets of its protocol: those of every device, then those of the
    /// device it came in by and, where a macvlan or VLAN stands on that, of the one that it is on now
    /// (`deliver_ptype_list_skb`). `exact`: bound sockets alone.
    #[inline]
    fn tap_protocol(&mut self, came_by: DevId, dev: DevId, frame: &Frame, exact: bool) {
        if self.packet_sockets != 0 {
            self.feed_protocol_taps(came_by, dev, frame, exact);
        }
    }

    #[inline(never)]
    fn feed_protocol_taps(&mut self, came_by: DevId, dev: DevId, frame: &Frame, exact: bool) {
        let Some(device) = self.devs.get(dev) else { return };
        let Some(netns) = self.netns.get(device.ns) else { return };
        // `packet_rcv`: sockets of another namespace than the one in which the frame is now go without.
        let first = self.devs.get(came_by).filter(|first| first.ns == device.ns && came_by != dev);
        let (ifindex, hardware, time) = (device.ifindex, device.hardware, self.now);
        let everywhere = netns.taps.iter().filter(|_| !exact);
        for id in everywhere.chain(first.into_iter().flat_map(|first| &first.taps)).chain(&device.taps) {
            let Some(socket) = self.sockets.get_mut(*id) else { continue };
            if let sock::Kind::Packet(packet) = &socket.kind
                && packet.wants_protocol(frame)
            {
                let (frame, packet_type) = (frame.clone(), frame.packet_type);
                socket.push(Item::Frame { frame, ifindex, packet_type, hardware, time });
            }
        }
    }

    /// Whether a packet socket of all protocols takes what a device receives.
    fn is_tapped(&self, dev: DevId) -> bool {
        let Some(device) = self.devs.get(dev).filter(|_| self.packet_sockets > 0) else { return false };
        let everywhere = self.netns.get(device.ns).map(|netns| netns.taps.as_slice()).unwrap_or_default();
        let own = if device.is_up() { device.taps.as_slice() } else { &[] };
        everywhere.iter().chain(own).any(|id| {
            let socket = self.sockets.get(*id).map(|socket| &socket.kind);
            matches!(socket, Some(sock::Kind::Packet(packet)) if packet.wants_all())
        })
    }

    /// R2, X3: gives packet sockets of all protocols their copy: those of every device first, then those of this one.
    #[inline]
    pub(crate) fn tap(&mut self, dev: DevId, frame: &Frame, packet_type: PacketType) {
        if self.packet_sockets != 0 {
            self.feed_taps(dev, frame, packet_type);
        }
    }

    #[inline(never)]
    fn feed_taps(&mut self, dev: DevId, frame: &Frame, packet_type: PacketType) {
        let Some(device) = self.devs.get(dev) else { return };
        let Some(netns) = self.netns.get(device.ns) else { return };
        if netns.taps.is_empty() && device.taps.is_empty() {
            return;
        }
        let (ifindex, hardware, time) = (device.ifindex, device.hardware, self.now);
        // `packet_notifier`: what listens to a device that is down hears nothing.
        let own = if device.is_up() { device.taps.as_slice() } else { &[] };
        for id in netns.taps.iter().chain(own) {
            if frame.sender == Some(*id) {
                continue;
            }
            let Some(socket) = self.sockets.get_mut(*id) else { continue };
            if let sock::Kind::Packet(packet) = &socket.kind
                && packet.wants_all()
            {
                socket.push(Item::Frame { frame: frame.clone(), ifindex, packet_type, hardware, time });
            }
        }
    }

    /// `macvlan_broadcast_enqueue`
    pub(crate) fn macvlan_enqueue(&mut self, lower: DevId, frame: Frame) {
        let Some(device) = self.devs.get_mut(lower) else { return };
        let RxHandler::MacvlanPort(port) = &mut device.rx_handler else { return };
        if port.bc_queued >= port.bc_queue_len {
            device.stats.rx_dropped += 1;
            return self.drop_frame(Some(lower), frame, DropReason::MacvlanBroadcastBacklog);
        }
        port.bc_queued += 1;
        self.works.push_back(Waiting::MacvlanBroadcast { lower, frame });
    }

    /// `macvlan_process_broadcast`
    pub(crate) fn macvlan_distribute(&mut self, lower: DevId, frame: Frame) {
        let mut verdicts = self.verdicts.pop().unwrap_or_default();
        if let Some(device) = self.devs.get_mut(lower)
            && let RxHandler::MacvlanPort(port) = &mut device.rx_handler
        {
            port.bc_queued = port.bc_queued.saturating_sub(1);
            port.distribute(frame.destination(), frame.source(), frame.ethertype(), &mut verdicts);
        }
        if let Some((_, frame)) = self.perform_all(lower, frame, verdicts) {
            self.consume(frame);
        }
    }

    /// `ipvlan_multicast_enqueue`
    pub(crate) fn ipvlan_enqueue(&mut self, lower: DevId, from: Option<DevId>, mut frame: Frame) {
        if frame.ethertype() == ethertype::PAUSE {
            return self.drop_frame(Some(lower), frame, DropReason::Pause);
        }
        let Some(port) = self.ipvlan_port(lower) else { return };
        if port.queued >= ipvlan::BACKLOG_MAX {
            if let Some(device) = self.devs.get_mut(from.unwrap_or(lower)) {
                device.stats.rx_dropped += 1;
            }
            return self.drop_frame(Some(lower), frame, DropReason::IpvlanMulticastBacklog);
        }
        port.queued += 1;
        frame.mark = 0;
        frame.forget_netfilter();
        self.works.push_back(Waiting::IpvlanMulticast { lower, from, frame });
    }

    /// `ipvlan_process_multicast`
    pub(crate) fn ipvlan_distribute(&mut self, lower: DevId, from: Option<DevId>, frame: Frame) {
        let mut verdicts = self.verdicts.pop().unwrap_or_default();
        if let Some(port) = self.ipvlan_port(lower) {
            port.queued = port.queued.saturating_sub(1);
            port.distribute(lower, from, frame.destination(), &mut verdicts);
        }
        if let Some((_, frame)) = self.perform_all(lower, frame, verdicts) {
            self.consume(frame);
        }
    }
}
