//! A received IPv6 packet up to the decision: deliver or forward (`ipv6_rcv`, `ip6_rcv_finish`).

use std::net::Ipv6Addr;

use hairpin_netlink::PacketType;
use hairpin_netlink::netfilter::{Family, Hook};

use crate::dev::Kind;
use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::{ETH_LEN, Frame};
use crate::netfilter::At;
use crate::netns::NsId;
use crate::route::{LookupError, RouteKind};
use crate::world::World;

use super::address::is_link_local;
use super::extension::{self, Options};
use super::icmp::{Message6, Unreachable6};
use super::route::InRoute6;
use super::{HEADER_LEN, Header, next};

impl World {
    /// A frame with an IPv6 packet has reached the protocol layer of `dev`.
    pub(crate) fn ip6_receive(&mut self, dev: DevId, mut frame: Frame) {
        let Some(device) = self.devs.get(dev) else {
            return self.drop_frame(None, frame, DropReason::DeviceGone);
        };
        let (ns, loopback, disabled) = (device.ns, device.is_loopback(), device.ipv6_disabled);
        let (is_vrf, of_vrf) = (matches!(device.kind, Kind::Vrf(_)), device.may_be_of_vrf());
        // What this host has sent to itself comes with the device of its route.
        let sent_to = std::mem::replace(&mut frame.iif, device.ifindex);
        if frame.packet_type == PacketType::OtherHost {
            if let Some(device) = self.devs.get_mut(dev) {
                device.stats.rx_otherhost += 1;
            }
            return self.drop_frame(Some(dev), frame, DropReason::OtherHost);
        }
        let group = frame.payload().get(24) == Some(&0xff);
        let Some(netns) = self.netns.get_mut(ns) else { return };
        netns.counters6.received(frame.len() - ETH_LEN, group);
        if disabled || !device.has_ipv6 {
            netns.counters6.in_discards += 1;
            return self.drop_frame(Some(dev), frame, DropReason::Ipv6Disabled);
        }
        let mut header =
            match Header::parse(frame.payload()).and_then(|header| checked(header, loopback || is_vrf)) {
                Ok(header) => header,
                Err(reason) => {
                    match reason {
                        DropReason::PacketTooSmall => netns.counters6.in_truncated += 1,
                        _ => netns.counters6.in_header_errors += 1,
                    }
                    return self.drop_frame(Some(dev), frame, reason);
                }
            };
        // The link may have padded the packet.
        frame.truncate(ETH_LEN + header.total_len());
        if header.next_header == next::HOP && !self.hop_options_allow(ns, dev, &frame, HEADER_LEN) {
            if let Some(netns) = self.netns.get_mut(ns) {
                netns.counters6.in_header_errors += 1;
            }
            return self.drop_frame(Some(dev), frame, DropReason::Ipv6BadExtension);
        }
        if self.has_netfilter(ns) {
            let Some(passed) = self.prerouting6(ns, dev, header, frame) else { return };
            (header, frame) = passed;
        }
        if of_vrf {
            let Some(passed) = self.vrf_receive6((ns, dev), header, frame) else { return };
            (header, frame) = passed;
        }
        // `ipvlan_l3_rcv`, `ipvlan_nf_input`: a packet for an ipvlan in mode l3s passes to it.
        if let Some(owner) =
            self.devs.get(dev).and_then(|device| World::l3s_owner(device, header.destination))
            && let InRoute6::Deliver { kind, .. } = self.route_input6(owner, &header, frame.mark)
        {
            return self.local_deliver6_to(dev, owner, header, kind, frame);
        }
        // What this host sent to itself has its way already: an address of one link may be in a VRF's table.
        let to_itself = loopback
            && is_link_local(header.destination)
            && self.has_address6(ns, sent_to, header.destination);
        let route = match to_itself {
            true => InRoute6::Deliver { kind: RouteKind::Local, owner: sent_to },
            false => self.route_input6(dev, &header, frame.mark),
        };
        match route {
            InRoute6::Deliver { kind, owner } => {
                let link_group = matches!(frame.packet_type, PacketType::Broadcast | PacketType::Multicast);
                if kind == RouteKind::Local
                    && link_group
                    && self.conf6_either(dev, "drop_unicast_in_l2_multicast")
                {
                    return self.drop_frame(Some(dev), frame, DropReason::UnicastInL2Multicast);
                }
                // What this host sent to itself belongs to the device that has the address, of several the route's.
                if loopback {
                    frame.iif =
                        if self.has_address6(ns, sent_to, header.destination) { sent_to } else { owner };
                }
                self.local_deliver6(dev, header, kind, frame);
            }
            InRoute6::Forward { dev: out, gateway, mtu, learned, tunnel } => {
                self.forward6(dev, header, (out, gateway, tunnel), (mtu, learned), frame)
            }
            InRoute6::NotJoined => self.drop_frame(Some(dev), frame, DropReason::NotJoined),
            InRoute6::Refuse(error) => self.refuse6(ns, dev, error, frame),
        }
    }

    fn has_address6(&self, ns: NsId, ifindex: u32, address: Ipv6Addr) -> bool {
        let dev = self.netns.get(ns).and_then(|netns| netns.devices.get(&ifindex));
        let device = dev.and_then(|dev| self.devs.get(*dev));
        device.is_some_and(|device| device.ipv6.iter().any(|own| own.address == address))
    }

    /// Fragments are put together where connections are tracked (`nf_defrag_ipv6`); then the first hook.
    pub(super) fn prerouting6(
        &mut self,
        ns: NsId,
        dev: DevId,
        mut header: Header,
        mut frame: Frame,
    ) -> Option<(Header, Frame)> {
        if self.has_passed_prerouting(dev, &mut frame) {
            return Some((header, frame));
        }
        if self.reassembles_first(ns, Family::Ipv6)
            && let Some(at) = extension::fragment_header(frame.payload())
        {
            if let Some(netns) = self.netns.get_mut(ns) {
                netns.counters6.reassembly_fragments += 1;
            }
            (header, frame) = self.reassemble6(ns, dev, &header, at, frame)?;
            if let Some(netns) = self.netns.get_mut(ns) {
                netns.counters6.reassembled += 1;
            }
        }
        let at = At { ns, hook: Hook::Prerouting, input: Some(dev), output: None, next_hop: None };
        let frame = self.filter(at, frame)?.into_frame();
        Some((Header::quoted(frame.payload()).unwrap_or(header), frame))
    }

    /// Whether the options header at `at` lets the packet pass; it reports what it must (`ip6_tlvopt_unknown`).
    pub(super) fn hop_options_allow(&mut self, ns: NsId, dev: DevId, frame: &Frame, at: usize) -> bool {
        let packet = frame.payload();
        let Some(len) = extension::length(packet, at) else { return false };
        match extension::options(packet, at, len) {
            Options::Skip => true,
            Options::Discard => false,
            Options::Report { pointer, group_too } => {
                if group_too || packet.get(24) != Some(&0xff) {
                    let message = Message6::ParameterProblem { code: 2, pointer };
                    self.icmp6_error(ns, Some(dev), frame, message);
                }
                false
            }
        }
    }

    /// `ip6_pkt_discard`, `ip6_pkt_prohibit`
    fn refuse6(&mut self, ns: NsId, dev: DevId, error: LookupError, frame: Frame) {
        let (reason, code) = match error {
            LookupError::NetUnreachable | LookupError::Continue => {
                (DropReason::IpInNoRoutes, Some(Unreachable6::NoRoute))
            }
            LookupError::HostUnreachable => (DropReason::RouteRefused, Some(Unreachable6::NoRoute)),
            LookupError::Prohibited => (DropReason::RouteRefused, Some(Unreachable6::Prohibited)),
            LookupError::Blackhole => (DropReason::RouteRefused, None),
        };
        if code.is_some()
            && let Some(netns) = self.netns.get_mut(ns)
        {
            netns.counters6.in_no_routes += 1;
        }
        if let Some(code) = code {
            self.icmp6_error(ns, Some(dev), &frame, Message6::Unreachable(code));
        }
        self.drop_frame(Some(dev), frame, reason);
    }
}

/// What `ip6_rcv_core` refuses of addresses.
fn checked(header: Header, loopback: bool) -> Result<Header, DropReason> {
    let (source, destination) = (header.source, header.destination);
    let own_link = destination.is_multicast() && destination.octets()[1] & 15 == 1;
    let outside = source.is_loopback() || destination.is_loopback() || own_link;
    let nowhere = destination.is_multicast() && destination.octets()[1] & 15 == 0;
    match source.is_multicast() || nowhere || outside && !loopback || destination.is_unspecified() {
        true => Err(DropReason::IpInHeader),
        false => Ok(header),
    }
}
