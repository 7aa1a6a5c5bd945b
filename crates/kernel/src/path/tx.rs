//! Transmit (`dev_queue_xmit`, `dev_hard_start_xmit`), and the performing of verdicts.

use hairpin_netlink::PacketType;

use crate::dev::bridge::{Egress, Known};
use crate::dev::macvlan::Mode;
use crate::dev::tunnel::TunnelInfo;
use crate::dev::veth::Veth;
use crate::dev::{Kind, RxHandler, Verdict, Verdicts, can, ifb, nlmon};
use crate::device::{DevId, Device};
use crate::drop_reason::DropReason;
use crate::frame::{ETH_LEN, Frame};
use crate::qdisc::{Discipline, Queue};
use crate::trace::Step;
use crate::world::{Waiting, World};

/// How deep transmissions may nest (`XMIT_RECURSION_LIMIT`).
const DEPTH_MAX: u32 = 8;

impl World {
    /// Sends a frame out of a device. Afterwards `transmit_congested` says whether no queue took it (`dev_queue_xmit`).
    pub(crate) fn transmit(&mut self, dev: DevId, frame: Frame) {
        let Some(device) = self.devs.get(dev) else {
            return self.drop_frame(None, frame, DropReason::DeviceGone);
        };
        if decides_alike(&device.kind) && device.can_transmit() && device.queue.is_none() {
            self.send_past_queue(dev, frame, true);
            // None of these stands on another.
            self.transmit_congested = false;
            return;
        }
        let refused = !device.can_transmit() && !self.still_takes(device);
        let (simple, tells) = (decides_alike(&device.kind), tells_of_congestion(device));
        let queued = device.queue.is_some();
        self.transmit_congested = refused;
        if refused {
            return self.drop_frame(Some(dev), frame, DropReason::QdiscDrop);
        }
        if queued {
            self.enqueue_to_send(dev, frame);
        } else {
            self.send_past_queue(dev, frame, simple);
        }
        self.transmit_congested &= tells;
    }

    /// Whether a device has lost its carrier and the link watch has yet to come (`dev_deactivate`): it is asked until then, as
    /// a bond for the announcement that its monitor makes in the run in which it finds the last slave without a link.
    #[cold]
    fn still_takes(&self, device: &Device) -> bool {
        device.is_up() && device.activated && self.link_event_waits(device.id)
    }

    /// Sends a frame past the device's queueing discipline.
    pub(crate) fn send_now(&mut self, dev: DevId, frame: Frame) {
        let simple = self.devs.get(dev).is_some_and(|device| decides_alike(&device.kind));
        self.send_past_queue(dev, frame, simple);
    }

    #[inline]
    fn send_past_queue(&mut self, dev: DevId, frame: Frame, simple: bool) {
        if self.depth >= DEPTH_MAX {
            return self.drop_frame(Some(dev), frame, DropReason::RecursionLimit);
        }
        self.depth += 1;
        match simple {
            true => self.transmit_simply(dev, frame),
            false => self.hard_start_transmit(dev, frame),
        }
        self.depth -= 1;
    }

    /// The same for kinds that decide alike of every frame.
    #[inline]
    fn transmit_simply(&mut self, dev: DevId, mut frame: Frame) {
        if frame.tag.is_some() && self.devs.get(dev).is_none_or(|device| !device.kind.offloads_tags()) {
            // `validate_xmit_vlan`
            frame.retag();
        }
        self.complete_for(dev, &mut frame);
        self.tap(dev, &frame, PacketType::Outgoing);
        self.trace_step(dev, &frame, Step::Transmit);
        let mut len = frame.len();
        let Some(device) = self.devs.get_mut(dev) else { return };
        let verdict = match &device.kind {
            Kind::Veth(veth) => veth.transmit(),
            Kind::Nic { segment, port, .. } => Verdict::Wire { segment: *segment, port: *port },
            Kind::Loopback => {
                // `loopback_xmit` counts without the link header, on both sides.
                len -= ETH_LEN.min(len);
                device.stats.rx_packets += 1;
                device.stats.rx_bytes += len as u64;
                Verdict::Enqueue { dev, packet_type: PacketType::Host }
            }
            // `dummy_xmit`, `nsim_start_xmit`
            _ => Verdict::Drop(DropReason::Discarded),
        };
        device.stats.tx_packets += 1;
        device.stats.tx_bytes += len as u64;
        self.perform_verdict(dev, frame, verdict);
    }

    fn hard_start_transmit(&mut self, dev: DevId, mut frame: Frame) {
        let Some(device) = self.devs.get(dev) else { return };
        let way = Way::of(&device.kind);
        if frame.tag.is_some() && !device.kind.offloads_tags() {
            // `validate_xmit_vlan`
            frame.retag();
        }
        self.complete_for(dev, &mut frame);
        self.tap(dev, &frame, PacketType::Outgoing);
        self.trace_step(dev, &frame, Step::Transmit);
        let len = frame.len();
        let now = self.now;
        let mut circuit = false;
        let known = match way {
            Way::Bond => return self.bond_transmit(dev, frame),
            Way::Macsec => return self.macsec_transmit(dev, frame),
            Way::Team => return self.team_transmit(dev, frame),
            Way::Bridge => {
                if frame.bridged.is_some() {
                    let Some(back) = self.bridge_takes_back(dev, frame) else { return };
                    frame = back;
                }
                self.known_to_bridge(dev, None, &frame)
            }
            Way::Plain => Known::default(),
            Way::Vxlan => {
                let Some(prepared) = self.vxlan_prepare(dev, frame) else { return };
                (frame, circuit) = prepared;
                Known::default()
            }
        };
        let mut verdicts = self.verdicts.pop().unwrap_or_default();
        let Some(device) = self.devs.get_mut(dev) else { return };
        let mut counted = Some(len);
        let mut missed = None;
        let mut sharing_port = None;
        match &mut device.kind {
            Kind::Bridge(bridge) => bridge.transmit(&mut frame, known, now, &mut verdicts),
            Kind::Vlan(vlan) => vlan.transmit(&mut frame, &mut verdicts),
            // Have a way of their own.
            Kind::Bond(_) | Kind::Team(_) | Kind::Macsec(_) => {}
            // Never has a carrier.
            Kind::Ipoib(_) | Kind::Tun(_) => verdicts.push(Verdict::Drop(DropReason::QdiscDrop)),
            Kind::Loopback | Kind::Dummy | Kind::Netdevsim(_) | Kind::Veth(_) | Kind::Nic { .. } => {}
            Kind::Macvlan(macvlan) => sharing_port = Some(macvlan.lower),
            Kind::Ifb => {
                counted = None;
                ifb::transmit(&mut device.stats, len, &mut verdicts);
            }
            Kind::Nlmon => {
                counted = None;
                nlmon::transmit(&mut device.stats, len - ETH_LEN.min(len), &mut verdicts);
            }
            Kind::Vcan => {
                counted = None;
                can::transmit_alone(&mut device.stats, &frame, &mut verdicts);
            }
            Kind::Vxcan(pair) => {
                counted = None;
                can::transmit_pair(pair, &mut device.stats, &frame, &mut verdicts);
            }
            Kind::IpTunnel(tunnel) => {
                counted = None;
                tunnel.transmit(&frame, &mut verdicts);
            }
            Kind::Ip6Tunnel(tunnel) => {
                counted = None;
                tunnel.transmit(&frame, &mut verdicts);
            }
            Kind::Geneve(geneve) => {
                counted = None;
                geneve.transmit(&frame, &mut verdicts);
            }
            Kind::Ipvlan(ipvlan) => sharing_port = Some(ipvlan.lower),
            Kind::Vrf(vrf) => {
                counted = None;
                vrf.transmit(&mut verdicts);
            }
            Kind::Vxlan(vxlan) => {
                // Counted is what finds its way (`iptunnel_xmit_stats`).
                counted = None;
                let ports = self.netns.get(vxlan.underlay).map(|netns| netns.sysctl.ip_local_port_range);
                missed = vxlan.transmit(&frame, circuit, ports.unwrap_or_default(), now, &mut verdicts);
            }
        }
        if let Some(len) = counted {
            device.stats.tx_packets += 1;
            device.stats.tx_bytes += len as u64;
        }
        if matches!(&device.kind, Kind::Bridge(bridge) if !bridge.events.is_empty()) {
            // An answer for another host is sent before the question is.
            self.bridge_events_and_timers(dev);
        }
        if let Some(missed) = missed {
            self.notify_vxlan_miss(dev, missed);
        }
        if let Some(lower) = sharing_port {
            match self.devs.get(lower).map(|lower| &lower.rx_handler) {
                Some(RxHandler::MacvlanPort(port)) => {
                    port.transmit(dev, lower, frame.destination(), &mut verdicts);
                }
                Some(RxHandler::IpvlanPort(port)) => port.transmit(dev, lower, &frame, &mut verdicts),
                _ => {}
            }
        }
        self.carry_out(dev, frame, verdicts);
    }

    /// Performs verdicts on a frame that `dev` has received, in their order, and takes the list back for reuse.
    /// Returns the frame if it goes on in the receive path.
    pub(crate) fn perform_all(
        &mut self,
        dev: DevId,
        frame: Frame,
        verdicts: Verdicts,
    ) -> Option<(Next, Frame)> {
        self.perform_each(dev, frame, verdicts, false)
    }

    /// `sends`: what is discarded was to be sent by `dev`, which counts it.
    #[inline]
    fn perform_each(
        &mut self,
        dev: DevId,
        frame: Frame,
        mut verdicts: Verdicts,
        sends: bool,
    ) -> Option<(Next, Frame)> {
        // As it mostly is: nothing is copied.
        if let [only] = verdicts[..] {
            verdicts.clear();
            self.verdicts.push(verdicts);
            return self.perform_one(dev, frame, only, sends);
        }
        let count = verdicts.len();
        let mut next = None;
        let mut rest = Some(frame);
        for (i, verdict) in verdicts.iter().enumerate() {
            let copy = match &rest {
                Some(rest) if i + 1 < count => Some(self.pool.copy(rest)),
                _ => rest.take(),
            };
            let Some(copy) = copy else { break };
            next = self.perform_one(dev, copy, *verdict, sends).or(next);
        }
        if let Some(frame) = rest.take() {
            self.consume(frame);
        }
        verdicts.clear();
        self.verdicts.push(verdicts);
        next
    }

    /// Performs one verdict. Returns the frame if it goes on in the receive path.
    #[inline]
    fn perform_one(
        &mut self,
        dev: DevId,
        mut frame: Frame,
        verdict: Verdict,
        sends: bool,
    ) -> Option<(Next, Frame)> {
        match verdict {
            Verdict::Local => Some((Next::Local, frame)),
            Verdict::Exact => Some((Next::Exact, frame)),
            Verdict::Receive { dev, packet_type } => Some((Next::Device(dev, packet_type), frame)),
            Verdict::PassUp { bridge, egress: Egress::Refused, multicast, .. } => {
                self.count_multicast(bridge, multicast);
                self.count_received(dev, bridge, &frame);
                self.drop_frame(Some(bridge), frame, DropReason::BridgeVlan);
                None
            }
            Verdict::PassUp { bridge, packet_type, egress, multicast } => {
                self.count_multicast(bridge, multicast);
                if egress == Egress::Untagged {
                    frame.tag = None;
                }
                Some((Next::Device(bridge, packet_type), frame))
            }
            Verdict::Drop(reason) if !sends => {
                self.drop_frame(Some(dev), frame, reason);
                None
            }
            other => {
                self.perform_verdict(dev, frame, other);
                None
            }
        }
    }

    /// Performs verdicts on a frame that `dev` sends.
    pub(super) fn carry_out(&mut self, dev: DevId, frame: Frame, verdicts: Verdicts) {
        if let Some((_, frame)) = self.perform_each(dev, frame, verdicts, true) {
            self.consume(frame);
        }
    }

    #[inline]
    fn perform_verdict(&mut self, dev: DevId, frame: Frame, verdict: Verdict) {
        match verdict {
            Verdict::Inject { dev: to } => self.inject(dev, to, frame),
            Verdict::Forward { dev: to, untag, network } => {
                self.forward_from_bridge(dev, to, (untag, network), frame);
            }
            Verdict::Transmit { dev: to } => self.transmit_below(dev, to, frame),
            other => self.perform_rarely(dev, frame, other),
        }
    }

    fn forward_from_bridge(
        &mut self,
        dev: DevId,
        to: DevId,
        (untag, network): (bool, u32),
        mut frame: Frame,
    ) {
        if untag {
            frame.tag = None;
        }
        if network != 0 {
            frame.tunnel = Some(TunnelInfo::of_network(network));
        }
        if frame.bridged.is_some() {
            let Some(passed) = self.bridge_forwarding(dev, to, frame) else { return };
            frame = passed;
        }
        let fits = self.devs.get(to).is_some_and(|device| device.accepts_length(frame.len()));
        if fits {
            // `br_dev_queue_push_xmit` does not tell what became of it.
            let before = self.transmit_refused;
            self.transmit(to, frame);
            (self.transmit_refused, self.transmit_congested) = (before, false);
        } else {
            self.drop_frame(Some(to), frame, DropReason::TargetMtu);
        }
    }

    /// What a frame meets less often.
    fn perform_rarely(&mut self, dev: DevId, mut frame: Frame, verdict: Verdict) {
        match verdict {
            Verdict::ForwardTo { dev: to, untag, network, to: member } => {
                if let Some(destination) = frame.bytes_mut().first_chunk_mut::<6>() {
                    *destination = member.0;
                }
                self.forward_from_bridge(dev, to, (untag, network), frame);
            }
            Verdict::Enqueue { dev, packet_type } => self.enqueue_as(dev, packet_type, false, frame),
            Verdict::EnqueueOwn { dev, packet_type } => self.enqueue_as(dev, packet_type, true, frame),
            Verdict::MacvlanBroadcast { lower } => self.macvlan_enqueue(lower, frame),
            Verdict::SlowProtocol { bond, slave } => {
                self.bond_slow_protocol(bond, slave, &frame);
                self.consume(frame);
            }
            Verdict::IpvlanMulticast { lower, from } => self.ipvlan_enqueue(lower, from, frame),
            Verdict::RouteBelow { lower } => {
                let len = frame.len();
                if !self.route_below(dev, lower, frame) {
                    self.uncount_transmit(dev, len);
                }
                // `ipvlan_process_v4_outbound`: no failure.
                self.transmit_congested = false;
            }
            Verdict::Queue { queue } => self.queue_for_tap(dev, queue, frame),
            Verdict::Wire { segment, port } => self.wire(dev, segment, port, frame),
            Verdict::Consume => self.consume(frame),
            Verdict::VrfRoute => self.vrf_route(dev, frame),
            Verdict::Encapsulate(outer) => self.encapsulate(dev, frame, outer),
            Verdict::TunnelLimit { pointer } => self.tunnel_limit_reached(dev, frame, pointer),
            Verdict::VxlanBypass => self.vxlan_encap_bypass(dev, dev, true, frame),
            Verdict::Drop(reason) => {
                if reason != DropReason::Discarded {
                    self.count_transmit_drop(dev, reason, frame.len());
                }
                self.drop_frame(Some(dev), frame, reason);
            }
            Verdict::Local
            | Verdict::Exact
            | Verdict::Receive { .. }
            | Verdict::PassUp { .. }
            // Have been performed.
            | Verdict::Inject { .. }
            | Verdict::Forward { .. }
            | Verdict::Transmit { .. } => self.consume(frame),
        }
    }

    /// `vlan_dev_hard_start_xmit`, `macvlan_start_xmit`: what the device below refuses counts as dropped.
    fn transmit_below(&mut self, dev: DevId, lower: DevId, frame: Frame) {
        let len = frame.len();
        let refused = std::mem::take(&mut self.transmit_refused);
        self.transmit(lower, frame);
        let counts =
            matches!(self.devs.get(dev).map(|device| &device.kind), Some(Kind::Macvlan(_) | Kind::Vlan(_)));
        if self.transmit_refused && counts {
            self.uncount_transmit(dev, len);
        }
        self.transmit_refused |= refused;
    }

    fn count_multicast(&mut self, bridge: DevId, multicast: bool) {
        if multicast && let Some(device) = self.devs.get_mut(bridge) {
            device.stats.multicast += 1;
        }
    }

    fn count_transmit_drop(&mut self, dev: DevId, reason: DropReason, len: usize) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        // What a bridge or a macvlan's lower device discards is counted nowhere.
        match device.kind {
            // `veth_xmit` without a peer.
            Kind::Veth(Veth { peer: None }) if reason == DropReason::NoPeer => {
                device.stats.tx_dropped += 1;
            }
            // `bond_tx_drop`
            Kind::Bond(_) => {
                device.stats.tx_dropped += 1;
                self.transmit_refused = true;
            }
            Kind::Vxlan(_) if reason == DropReason::NoTransmitTarget => device.stats.tx_dropped += 1,
            Kind::Ipvlan(_) => self.uncount_transmit(dev, len),
            // What says no way to go by, to a device that goes by what is said (`gre_fb_xmit`, `geneve_xmit`).
            Kind::IpTunnel(_) | Kind::Geneve(_) if reason == DropReason::NoTransmitTarget => {
                device.stats.tx_dropped += 1;
            }
            Kind::IpTunnel(_) => device.stats.tx_errors += 1,
            Kind::Ip6Tunnel(_) => {
                device.stats.tx_errors += 1;
                device.stats.tx_dropped += 1;
            }
            _ => {}
        }
    }

    /// A frame of a device that counts only what it got rid of, and tells its caller, is dropped after it was
    /// counted (`veth_xmit`, `ipvlan_start_xmit`).
    fn uncount_transmit(&mut self, dev: DevId, len: usize) {
        if let Some(device) = self.devs.get_mut(dev) {
            device.stats.tx_packets = device.stats.tx_packets.saturating_sub(1);
            device.stats.tx_bytes = device.stats.tx_bytes.saturating_sub(len as u64);
            device.stats.tx_dropped += 1;
            // Only a device without a queueing discipline tells its caller.
            self.transmit_refused |= !matches!(device.rx_handler, RxHandler::Tap(_));
        }
    }

    /// `dev_forward_skb`: into another device's receive path, as by a wire.
    fn inject(&mut self, from: DevId, to: DevId, mut frame: Frame) {
        let (from_sibling, from_ns) = match self.devs.get(from) {
            Some(sender) => (is_sibling_path(sender), Some(sender.ns)),
            None => (false, None),
        };
        let Some(target) = self.devs.get_mut(to) else {
            return self.drop_frame(Some(from), frame, DropReason::DeviceGone);
        };
        if !target.is_up() || !target.accepts_length(frame.len()) {
            return self.refuse_injected(from, to, frame);
        }
        frame.packet_type = World::packet_type_for(frame.destination(), target.mac);
        frame.sender = None;
        let to_ns = target.ns;
        match &target.kind {
            // Veth's peer counts what the sender's end sent; a macvlan's sibling counts the header twice
            // (`macvlan_count_rx`: the frame still has it).
            Kind::Veth(_) if !from_sibling => {
                target.stats.rx_packets += 1;
                target.stats.rx_bytes += frame.len() as u64;
            }
            Kind::Macvlan(_) => {
                target.stats.rx_packets += 1;
                target.stats.rx_bytes += (frame.len() + ETH_LEN) as u64;
                target.stats.multicast += 1;
            }
            // `ipvlan_count_rx`, with the header twice as well.
            Kind::Ipvlan(_) => {
                target.stats.rx_packets += 1;
                target.stats.rx_bytes += (frame.len() + ETH_LEN) as u64;
                target.stats.multicast += u64::from(frame.destination().is_group());
            }
            _ => {}
        }
        // `skb_scrub_packet`
        if from_ns != Some(to_ns) {
            frame.mark = 0;
        }
        frame.priority = 0;
        frame.forget_netfilter();
        self.enqueue_scrubbed(Waiting::Receive { dev: to, frame });
    }

    /// The target is down, or the frame too long for it.
    #[cold]
    fn refuse_injected(&mut self, from: DevId, to: DevId, frame: Frame) {
        let Some(target) = self.devs.get_mut(to) else { return };
        let reason = if target.is_up() { DropReason::TargetMtu } else { DropReason::TargetDown };
        target.stats.rx_dropped += 1;
        if matches!(target.kind, Kind::Ipvlan(_)) {
            // `ipvlan_count_rx`: an error is shown as a drop too, beside the drop that `dev_forward_skb` counts.
            target.stats.rx_errors += 1;
            target.stats.rx_dropped += u64::from(reason == DropReason::TargetMtu);
        }
        // `veth_xmit` counts only what could be forwarded; `ipvlan_xmit_mode_l2` does not look.
        if matches!(self.devs.get(from).map(|sender| &sender.kind), Some(Kind::Veth(veth)) if veth.peer == Some(to))
        {
            self.uncount_transmit(from, frame.len());
        }
        self.drop_frame(Some(to), frame, reason);
    }

    /// `netif_rx` with a packet type already known.
    fn enqueue_as(&mut self, dev: DevId, packet_type: PacketType, comes_back: bool, mut frame: Frame) {
        frame.packet_type = packet_type;
        frame.sender = None;
        if let Some(device) = self.devs.get_mut(dev)
            && matches!(device.kind, Kind::Vxcan(_))
        {
            can::count_received(&mut device.stats, &frame);
        } else if let Some(device) = self.devs.get_mut(dev)
            && matches!(device.kind, Kind::Macvlan(_) | Kind::Ipvlan(_))
        {
            let source = matches!(&device.kind, Kind::Macvlan(state) if state.mode == Mode::Source);
            // `macvlan_handle_frame`: a group's frame that comes back to its sender is counted without its length, for
            // that is not known there yet; `macvlan_forward_source_one` counts no frame as a group's.
            device.stats.rx_packets += 1;
            device.stats.rx_bytes += if comes_back { 0 } else { frame.len() as u64 };
            let group = matches!(packet_type, PacketType::Broadcast | PacketType::Multicast);
            device.stats.multicast += u64::from(group && !comes_back && !source);
        }
        self.enqueue(Waiting::Receive { dev, frame });
    }
}

/// Kinds that decide alike of every frame.
#[inline]
fn decides_alike(kind: &Kind) -> bool {
    matches!(kind, Kind::Veth(_) | Kind::Nic { .. } | Kind::Loopback | Kind::Dummy | Kind::Netdevsim(_))
}

/// Whether a device hands on what the one below it answered (`vlan_dev_hard_start_xmit`, `macvlan_start_xmit`,
/// `ipvlan_start_xmit`, `macsec_start_xmit`): only without a queue of its own, which takes the frame first.
#[inline]
fn tells_of_congestion(device: &Device) -> bool {
    let stands_on_another =
        matches!(device.kind, Kind::Vlan(_) | Kind::Macvlan(_) | Kind::Ipvlan(_) | Kind::Macsec(_));
    let takes_first = |queue: &Queue| !matches!(queue.discipline, Discipline::NoQueue);
    stands_on_another && !device.queue.as_ref().is_some_and(|queue| takes_first(queue))
}

/// Whether a frame injected from this device comes from one that stands on the target or beside it, rather than
/// off a veth's wire.
fn is_sibling_path(from: &Device) -> bool {
    matches!(from.kind, Kind::Macvlan(_) | Kind::Ipvlan(_))
}

/// How a device's kind is asked what to do with a frame to be sent.
enum Way {
    Plain,
    /// With what the bridge knows of an address that is asked for.
    Bridge,
    /// Requests for neighbours may be answered at once.
    Vxlan,
    /// These have a way of their own.
    Bond,
    Team,
    Macsec,
}

impl Way {
    fn of(kind: &Kind) -> Way {
        match kind {
            Kind::Bridge(_) => Way::Bridge,
            Kind::Bond(_) => Way::Bond,
            Kind::Team(_) => Way::Team,
            Kind::Macsec(_) => Way::Macsec,
            Kind::Vxlan(state) if state.config.proxy || state.config.route_short_circuit => Way::Vxlan,
            _ => Way::Plain,
        }
    }
}

/// Where a frame goes on in the receive path.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Next {
    Local,
    Exact,
    Device(DevId, PacketType),
}
