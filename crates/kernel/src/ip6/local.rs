//! Delivery to this host (`ip6_input`): extension headers, reassembly, raw sockets, the protocol.

use hairpin_netlink::Address;
use hairpin_netlink::netfilter::Hook;

use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::{ETH_LEN, Frame};
use crate::ip::protocol;
use crate::netfilter::At;
use crate::netns::NsId;
use crate::route::RouteKind;
use crate::sock::{Item, Kind};
use crate::world::World;

use super::icmp::{Message6, Unreachable6};
use super::{HEADER_LEN, Header, extension, next};

/// Extension headers that one packet may have.
const HEADERS_MAX: usize = 16;

impl World {
    /// Delivers a packet that the route says is for this host (`ip6_input`).
    pub(crate) fn local_deliver6(&mut self, dev: DevId, header: Header, delivered: RouteKind, frame: Frame) {
        self.local_deliver6_to(dev, dev, header, delivered, frame);
    }

    /// The same for a packet that came in on `dev` and is in the end of `owner`, an ipvlan on it or itself: what is
    /// counted and filtered is so in the namespace of `dev` (`ip6_protocol_deliver_rcu`).
    pub(super) fn local_deliver6_to(
        &mut self,
        dev: DevId,
        owner: DevId,
        mut header: Header,
        delivered: RouteKind,
        mut frame: Frame,
    ) {
        let Some(counting) = self.devs.get(dev).map(|device| device.ns) else { return };
        if self.has_netfilter(counting) {
            let at = At { ns: counting, hook: Hook::Input, input: Some(dev), output: None, next_hop: None };
            let Some(passed) = self.filter(at, frame) else { return };
            frame = passed.into_frame();
            header = Header::quoted(frame.payload()).unwrap_or(header);
        }
        if owner != dev {
            self.hand_to_owner(owner, &mut frame);
        }
        let dev = owner;
        let Some(ns) = self.devs.get(dev).map(|device| device.ns) else { return };
        let mut protocol = header.next_header;
        let mut at = HEADER_LEN;
        // Byte that names the present header, for reports.
        let mut namer = 6;
        let mut reassembled = false;
        for _ in 0..HEADERS_MAX {
            if !extension::is_extension(protocol) {
                break;
            }
            let packet = frame.payload();
            if protocol == next::FRAGMENT {
                if let Some(netns) = self.netns.get_mut(ns) {
                    netns.counters6.reassembly_fragments += 1;
                }
                let Some(whole) = self.reassemble6(ns, dev, &header, at, frame) else { return };
                (header, frame) = whole;
                if let Some(netns) = self.netns.get_mut(ns) {
                    netns.counters6.reassembled += 1;
                }
                (protocol, at, namer, reassembled) = (header.next_header, HEADER_LEN, 6, true);
                continue;
            }
            let Some(len) = extension::length(packet, at) else {
                return self.drop_frame(Some(dev), frame, DropReason::Ipv6BadExtension);
            };
            let following = packet.get(at).copied().unwrap_or(next::NONE);
            let allowed = match protocol {
                next::DESTINATION => self.hop_options_allow(ns, dev, &frame, at),
                next::ROUTING => self.routing_allows(ns, dev, &frame, at),
                // It was looked at on arrival, and may stand first only.
                _ => at == HEADER_LEN,
            };
            if !allowed {
                if let Some(netns) = self.netns.get_mut(ns) {
                    netns.counters6.in_header_errors += 1;
                }
                return self.drop_frame(Some(dev), frame, DropReason::Ipv6BadExtension);
            }
            namer = at;
            (protocol, at) = (following, at + len);
        }
        let tunnels = self.takes_tunnels6(ns);
        let raw = self.raw6_deliver(ns, dev, &header, protocol, at, &frame);
        if let Some(netns) = self.netns.get_mut(counting)
            && (raw
                || matches!(protocol, next::ICMP | next::TCP | next::UDP | next::NONE)
                || tunnels && matches!(protocol, protocol::GRE | protocol::IPIP | protocol::IPV6))
        {
            netns.counters6.in_delivers += 1;
        }
        let carried = protocol;
        match carried {
            next::ICMP => self.icmp6_receive(ns, dev, &header, delivered, at, reassembled, frame),
            next::UDP => self.udp6_receive(ns, dev, &header, delivered, at, frame),
            next::TCP => self.tcp6_receive(ns, dev, &header, delivered, at, frame),
            next::NONE => self.consume(frame),
            protocol::GRE | protocol::IPIP | protocol::IPV6 if tunnels => {
                self.ip6_tunnel_receive(ns, dev, &header, (carried, at), frame);
            }
            _ if raw => self.consume(frame),
            _ => {
                if let Some(netns) = self.netns.get_mut(counting) {
                    netns.counters6.in_unknown_protocols += 1;
                }
                let message = Message6::ParameterProblem { code: 1, pointer: namer as u32 };
                self.icmp6_error(ns, Some(dev), &frame, message);
                self.drop_frame(Some(dev), frame, DropReason::IpNoProtocol);
            }
        }
    }

    /// `ipv6_rthdr_rcv`: source routes that are used up are passed over, others refused.
    fn routing_allows(&mut self, ns: NsId, dev: DevId, frame: &Frame, at: usize) -> bool {
        match frame.payload().get(at + 3) {
            Some(0) => true,
            Some(_) => {
                let message = Message6::ParameterProblem { code: 0, pointer: at as u32 + 2 };
                self.icmp6_error(ns, Some(dev), frame, message);
                false
            }
            None => false,
        }
    }

    /// `raw6_local_deliver`: a copy for every raw socket that matches. True if there was one.
    fn raw6_deliver(
        &mut self,
        ns: NsId,
        dev: DevId,
        header: &Header,
        protocol: u8,
        at: usize,
        frame: &Frame,
    ) -> bool {
        let Some(netns) = self.netns.get(ns) else { return false };
        if netns.raw6.is_empty() {
            return false;
        }
        let time = self.now;
        let icmp_kind = frame.payload().get(at).copied().filter(|_| protocol == next::ICMP);
        let scope = self.devs.get(dev).map_or(0, |_| frame.iif);
        let mut found = false;
        for id in &netns.raw6 {
            let Some(socket) = self.sockets.get_mut(*id) else { continue };
            let Kind::Raw6(raw) = &socket.kind else { continue };
            let from = (frame.iif, frame.vrf_port);
            if !raw.matches(protocol, header.source, header.destination, from) {
                continue;
            }
            found = true;
            if icmp_kind.is_some_and(|kind| raw.filters_icmp(kind)) {
                continue;
            }
            socket.push(Item::Packet {
                frame: frame.clone(),
                offset: ETH_LEN + at,
                from: address(header.source, 0, scope),
                to: address(header.destination, 0, scope),
                ttl: header.hop_limit,
                tos: header.traffic_class,
                ifindex: frame.iif,
                time,
            });
        }
        found
    }

    /// `icmpv6_send(ICMPV6_DEST_UNREACH)` for a packet that could not be delivered on the link.
    pub(crate) fn link_failure6(&mut self, ns: NsId, frame: &Frame) {
        self.icmp6_error(ns, None, frame, Message6::Unreachable(Unreachable6::Address));
    }
}

/// A socket address; the device is told where the address says nothing without it.
pub(super) fn address(address: std::net::Ipv6Addr, port: u16, ifindex: u32) -> Address {
    let scope = if super::address::needs_device(address) { ifindex } else { 0 };
    Address::Ipv6 { address, port, scope }
}
