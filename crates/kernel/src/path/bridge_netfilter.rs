//! Bridged IP packets at netfilter's IP hooks (net/bridge/br_netfilter_hooks.c), where the host has that module: before
//! the bridge decides PREROUTING, for each port that a packet leaves by FORWARD and POSTROUTING.
//!
//! The packet keeps its Ethernet header meanwhile. [`Bridged`] beside the frame says which ports it is about.

use hairpin_netlink::PacketType;
use hairpin_netlink::netfilter::{Family, Hook};
use hairpin_wire::vlan::Tag;

use crate::dev::Kind;
use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::{ETH_LEN, Frame, ethertype};
use crate::ip::Header;
use crate::ip::route::InRoute;
use crate::ip6;
use crate::ip6::route::InRoute6;
use crate::mac::Mac;
use crate::netfilter::{At, Bridged, Passed};
use crate::netns::NsId;
use crate::route::InputError;
use crate::sysctl::BridgeNetfilter;
use crate::world::{Waiting, World};

use super::tx::Next;

impl World {
    /// A frame that a bridge's port has received: the hook, if packets meet it, and what the bridge decides.
    #[inline]
    pub(super) fn bridge_port_receive(
        &mut self,
        bridge: DevId,
        port: DevId,
        frame: Frame,
    ) -> Option<(Next, Frame)> {
        if !self.bridge_netfilter {
            return self.bridge_decides(bridge, port, frame);
        }
        let frame = match self.bridge_filters(bridge, &frame) {
            Some((ns, family)) if self.reaches_prerouting(bridge, port, &frame) => {
                self.bridge_prerouting(ns, family, bridge, port, frame)?
            }
            _ => frame,
        };
        self.bridge_decides(bridge, port, frame)
    }

    /// `br_handle_frame_finish`
    fn bridge_decides(&mut self, bridge: DevId, port: DevId, mut frame: Frame) -> Option<(Next, Frame)> {
        let mut verdicts = self.verdicts.pop().unwrap_or_default();
        self.bridge_receive(bridge, port, &mut frame, &mut verdicts);
        self.perform_all(port, frame, verdicts)
    }

    fn reaches_prerouting(&self, bridge: DevId, port: DevId, frame: &Frame) -> bool {
        let Some(Kind::Bridge(state)) = self.devs.get(bridge).map(|device| &device.kind) else {
            return false;
        };
        state.lets_in(port, frame)
    }

    /// The namespace and family of a packet that rules are to see; `None` where they see none of such.
    fn bridge_filters(&self, bridge: DevId, frame: &Frame) -> Option<(NsId, Family)> {
        let device = self.devs.get(bridge)?;
        let netns = self.netns.get(device.ns)?;
        if !self.hosts.get(netns.host)?.bridge_netfilter {
            return None;
        }
        let settings = &netns.sysctl.bridge_netfilter;
        let family = visible_family(frame, settings)?;
        let Kind::Bridge(state) = &device.kind else { return None };
        let wanted = settings.calls[family as usize] || state.nf_call[family as usize];
        wanted.then_some((device.ns, family))
    }

    /// `brnf_get_logical_dev`: the bridge, or the VLAN device on it where that is asked for.
    fn logical_device(&self, ns: NsId, bridge: DevId, tag: Option<Tag>) -> DevId {
        let by_vlan =
            self.netns.get(ns).is_some_and(|netns| netns.sysctl.bridge_netfilter.pass_vlan_input_dev);
        let found = tag.filter(|_| by_vlan).and_then(|tag| {
            let known = self.devs.get(bridge)?.vlans.iter();
            known.clone().find(|(key, _)| *key == (tag.tpid, tag.vid())).map(|(_, vlan)| *vlan)
        });
        found.unwrap_or(bridge)
    }

    /// `br_nf_pre_routing`: `None` where the frame's way ends here or goes on elsewhere.
    fn bridge_prerouting(
        &mut self,
        ns: NsId,
        family: Family,
        bridge: DevId,
        port: DevId,
        mut frame: Frame,
    ) -> Option<Frame> {
        let checked = match family {
            Family::Ipv4 => Header::parse(frame.payload()).map(|header| header.total_len),
            Family::Ipv6 => ip6::Header::parse(frame.payload()).map(|header| header.total_len()),
        };
        let Ok(total_len) = checked else {
            if let Some(netns) = self.netns.get_mut(ns) {
                match family {
                    Family::Ipv4 => netns.counters.in_header_errors += 1,
                    Family::Ipv6 => netns.counters6.in_header_errors += 1,
                }
            }
            self.drop_frame(Some(port), frame, DropReason::NetfilterDrop);
            return None;
        };
        // The link may have padded the packet.
        frame.truncate(ETH_LEN + total_len);
        let logical = self.logical_device(ns, bridge, frame.tag);
        let (tag, packet_type) = (frame.tag, frame.packet_type);
        let mut frame = match family {
            Family::Ipv4 => self.gather_bridged(ns, logical, frame)?,
            Family::Ipv6 => self.gather6(ns, logical, frame)?,
        };
        (frame.tag, frame.packet_type) = (tag, hooked_type(packet_type));
        frame.bridged = Some(Bridged { input: Some(port), ..Bridged::default() });
        let before = destination_of(&frame);
        let at = At { ns, hook: Hook::Prerouting, input: Some(logical), output: None, next_hop: None };
        let mut frame = self.filter(at, frame)?.into_frame();
        frame.packet_type = packet_type;
        if destination_of(&frame) == before {
            return Some(frame);
        }
        match family {
            Family::Ipv4 => self.bridged_to_another(logical, frame),
            Family::Ipv6 => self.bridged_to_another6(logical, frame),
        }
    }

    /// `nf_ct_ipv4_gather_frags` for `IP_DEFRAG_CONNTRACK_BRIDGE_IN`
    fn gather_bridged(&mut self, ns: NsId, logical: DevId, frame: Frame) -> Option<Frame> {
        let header = Header::quoted(frame.payload())?;
        match header.is_fragment() && self.reassembles_first(ns, Family::Ipv4) {
            true => Some(self.gather(ns, logical, &header, frame)?.1),
            false => Some(frame),
        }
    }

    /// `br_nf_pre_routing_finish` of a packet with another destination: it stays on the bridge where the way to there
    /// is by the bridge device; any other is for this host, be it to tell that there is no way.
    fn bridged_to_another(&mut self, logical: DevId, frame: Frame) -> Option<Frame> {
        let header = Header::quoted(frame.payload())?;
        match self.route_input(logical, &header, frame.mark) {
            Ok(InRoute::Forward { dev, gateway, .. }) if dev == logical => {
                let next_hop = gateway.unwrap_or(header.destination);
                self.bridged_by_neighbour(logical, next_hop.into(), frame);
                None
            }
            Ok(_) | Err(InputError::NotForwarding | InputError::NoRoute(_)) => {
                Some(self.turned_to_host(logical, frame))
            }
            Err(_) => {
                self.drop_frame(Some(logical), frame, DropReason::TranslatedNowhere);
                None
            }
        }
    }

    /// `br_nf_pre_routing_finish_ipv6`
    fn bridged_to_another6(&mut self, logical: DevId, frame: Frame) -> Option<Frame> {
        let header = ip6::Header::quoted(frame.payload())?;
        match self.route_input6(logical, &header, frame.mark) {
            InRoute6::Forward { dev, gateway, .. } if dev == logical => {
                let next_hop = gateway.unwrap_or(header.destination);
                self.bridged_by_neighbour(logical, next_hop.into(), frame);
                None
            }
            InRoute6::Forward { .. } | InRoute6::Deliver { .. } => Some(self.turned_to_host(logical, frame)),
            InRoute6::NotJoined | InRoute6::Refuse(_) => {
                self.drop_frame(Some(logical), frame, DropReason::TranslatedNowhere);
                None
            }
        }
    }

    fn turned_to_host(&self, logical: DevId, mut frame: Frame) -> Frame {
        let own = self.devs.get(logical).map_or(Mac::ZERO, |device| device.mac);
        if let Some(destination) = frame.bytes_mut().first_chunk_mut::<6>() {
            *destination = own.0;
        }
        frame.packet_type = PacketType::Host;
        frame
    }

    /// `br_nf_pre_routing_finish_bridge`: the neighbour's address is found as for a packet of this host; the bridge
    /// device gives the frame back to where it came from ([`World::bridge_takes_back`]).
    fn bridged_by_neighbour(&mut self, logical: DevId, next_hop: std::net::IpAddr, mut frame: Frame) {
        let source = frame.source();
        if let Some(bridged) = &mut frame.bridged {
            bridged.redirected = Some(source);
        }
        self.neigh_output(logical, next_hop, frame);
    }

    /// `br_nf_dev_xmit`: what the bridge device transmits is a packet with a changed destination that a port has
    /// received. Gives the frame back if it is not.
    pub(super) fn bridge_takes_back(&mut self, bridge: DevId, mut frame: Frame) -> Option<Frame> {
        let Some(Bridged { redirected: Some(source), input: Some(port), .. }) = frame.bridged else {
            return Some(frame);
        };
        if let Some(place) = frame.bytes_mut().get_mut(6..12) {
            place.copy_from_slice(&source.0);
        }
        frame.bridged = Some(Bridged { input: Some(port), ..Bridged::default() });
        if let Some((next, mut frame)) = self.bridge_decides(bridge, port, frame) {
            let to = match next {
                Next::Device(to, packet_type) => {
                    frame.packet_type = packet_type;
                    to
                }
                Next::Local | Next::Exact => port,
            };
            self.enqueue(Waiting::Receive { dev: to, frame });
        }
        None
    }

    /// `br_nf_forward_ip`, `br_nf_post_routing`: the hooks on the way out of port `to`. `from` is the port it came in
    /// by, or the bridge device for frames of this host, which have passed theirs. `None`: it goes no further here.
    pub(super) fn bridge_forwarding(&mut self, from: DevId, to: DevId, mut frame: Frame) -> Option<Frame> {
        let Some(bridged) = frame.bridged else { return Some(frame) };
        let bridge = match self.devs.get(from) {
            Some(device) if !matches!(device.kind, Kind::Bridge(_)) => device.master,
            _ => None,
        };
        let Some(bridge) = bridge else { return Some(frame) };
        let ns = self.devs.get(bridge)?.ns;
        let settings = self.netns.get(ns)?.sysctl.bridge_netfilter;
        if visible_family(&frame, &settings).is_none() {
            return Some(frame);
        }
        let packet_type = frame.packet_type;
        frame.packet_type = hooked_type(packet_type);
        frame.bridged = Some(Bridged { output: Some(to), ..bridged });
        let logical = self.logical_device(ns, bridge, frame.tag);
        let (input, output) = (Some(logical), Some(bridge));
        let at = At { ns, hook: Hook::Forward, input, output, next_hop: None };
        let frame = self.filter(at, frame)?.into_frame();
        let at = At { hook: Hook::Postrouting, input: None, ..at };
        let passed: Passed = self.filter(at, frame)?;
        let mut frame = passed.into_frame();
        frame.packet_type = packet_type;
        frame.bridged = None;
        self.bridge_fragment(to, frame)
    }

    /// `br_nf_dev_queue_xmit`: what was put together, or is too long for the port, leaves in fragments.
    fn bridge_fragment(&mut self, to: DevId, mut frame: Frame) -> Option<Frame> {
        let mtu = self.devs.get(to)?.mtu;
        let most = match frame.fragment_max {
            0 => mtu,
            longest => mtu.min(u32::from(longest)),
        };
        if frame.payload().len() <= most as usize {
            return Some(frame);
        }
        frame.complete_checksum();
        let fragments = match frame.ethertype() {
            ethertype::IPV4 => {
                let whole = Header::quoted(frame.payload())?;
                if frame.fragment_max == 0 && whole.dont_fragment() {
                    self.drop_frame(Some(to), frame, DropReason::PacketTooBig);
                    return None;
                }
                self.fragments(&frame, most as usize)
            }
            _ if frame.fragment_max == 0 => {
                self.drop_frame(Some(to), frame, DropReason::PacketTooBig);
                return None;
            }
            _ => {
                let id = self.random_below(u64::from(u32::MAX)) as u32;
                self.fragments6(&frame, most as usize, id)
            }
        };
        let (destination, source, kind) = (frame.destination(), frame.source(), frame.ethertype());
        for mut fragment in fragments {
            fragment.set_header(destination, source, kind);
            fragment.tag = frame.tag;
            fragment.packet_type = frame.packet_type;
            self.transmit(to, fragment);
        }
        self.consume(frame);
        None
    }
}

/// The family of a packet that rules may see; tagged ones only where that is asked for.
fn visible_family(frame: &Frame, settings: &BridgeNetfilter) -> Option<Family> {
    if frame.tag.is_some() && !settings.filter_vlan_tagged {
        return None;
    }
    match frame.ethertype() {
        ethertype::IPV4 => Some(Family::Ipv4),
        ethertype::IPV6 => Some(Family::Ipv6),
        _ => None,
    }
}

/// `PACKET_OTHERHOST` is the bridge's business: rules see what is for somebody.
fn hooked_type(packet_type: PacketType) -> PacketType {
    match packet_type {
        PacketType::OtherHost => PacketType::Host,
        other => other,
    }
}

/// The bytes of the destination address, those of IPv4 with others in front.
fn destination_of(frame: &Frame) -> [u8; 16] {
    let at = if frame.ethertype() == ethertype::IPV4 { 4 } else { 24 };
    frame.payload().get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default()
}
