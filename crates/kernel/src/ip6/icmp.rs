//! ICMPv6 that this host sends: errors with their rate limits, echo replies (net/ipv6/icmp.c, RFC 4443).

use std::net::Ipv6Addr;

use hairpin_netlink::PacketType;

use crate::device::DevId;
use crate::frame::Frame;
use crate::netns::NsId;
use crate::route::RouteKind;
use crate::world::World;

use super::address::needs_device;
use super::output::Fields6;
use super::route::{OutKey6, OutRoute6};
use super::{HEADER_LEN, Header, MIN_MTU, extension, next, seal_icmp};

/// ICMPv6 types.
pub mod kind {
    pub const DEST_UNREACHABLE: u8 = 1;
    pub const PACKET_TOO_BIG: u8 = 2;
    pub const TIME_EXCEEDED: u8 = 3;
    pub const PARAMETER_PROBLEM: u8 = 4;
    pub const ECHO: u8 = 128;
    pub const ECHO_REPLY: u8 = 129;
    pub const LISTENER_QUERY: u8 = 130;
    pub const LISTENER_REPORT: u8 = 131;
    pub const ROUTER_SOLICITATION: u8 = 133;
    pub const ROUTER_ADVERTISEMENT: u8 = 134;
    pub const NEIGHBOUR_SOLICITATION: u8 = 135;
    pub const NEIGHBOUR_ADVERTISEMENT: u8 = 136;
    pub const REDIRECT: u8 = 137;
}

/// Codes of "destination unreachable" that this host sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Unreachable6 {
    NoRoute = 0,
    Prohibited = 1,
    BeyondScope = 2,
    Address = 3,
    Port = 4,
    PolicyFail = 5,
    RejectRoute = 6,
}

/// An ICMPv6 error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message6 {
    Unreachable(Unreachable6),
    PacketTooBig { mtu: u32 },
    TimeExceeded,
    ReassemblyTimeExceeded,
    ParameterProblem { code: u8, pointer: u32 },
}

impl Message6 {
    /// Type, code and the four bytes that follow the checksum.
    fn encode(self) -> (u8, u8, u32) {
        match self {
            Message6::Unreachable(what) => (kind::DEST_UNREACHABLE, what as u8, 0),
            Message6::PacketTooBig { mtu } => (kind::PACKET_TOO_BIG, 0, mtu),
            Message6::TimeExceeded => (kind::TIME_EXCEEDED, 0, 0),
            Message6::ReassemblyTimeExceeded => (kind::TIME_EXCEEDED, 1, 0),
            Message6::ParameterProblem { code, pointer } => (kind::PARAMETER_PROBLEM, code, pointer),
        }
    }

    /// Whether it may be about a packet to a group (RFC 4443 §2.4 e.3).
    fn about_groups(self) -> bool {
        matches!(self, Message6::PacketTooBig { .. } | Message6::ParameterProblem { code: 2, .. })
    }
}

/// `XRLIM_BURST_FACTOR`
const BURST: u64 = 6;
/// Nanoseconds between two errors to one destination (`net.ipv6.icmp.ratelimit`).
const RATE_NS: u64 = 1_000_000_000;

impl World {
    /// `icmp6_send`: tells the sender of a packet why it goes nowhere.
    pub(crate) fn icmp6_error(&mut self, ns: NsId, dev: Option<DevId>, about: &Frame, message: Message6) {
        let packet = about.payload();
        let Some(header) = Header::quoted(packet) else { return };
        // RFC 4443 2.4: not about groups, nor to what is no single station, nor about errors.
        let group = header.destination.is_multicast() || about.packet_type != PacketType::Host;
        if group && !message.about_groups()
            || header.source.is_unspecified()
            || header.source.is_multicast()
            || is_error(packet)
        {
            return;
        }
        let own = self.is_own_address6(ns, header.destination, dev);
        let source = if own { header.destination } else { Ipv6Addr::UNSPECIFIED };
        let oif = match dev.and_then(|dev| self.devs.get(dev)) {
            Some(device) if !needs_device(header.source) => self.vrf_ifindex(device.id),
            None if !needs_device(header.source) => {
                self.device_at(ns, about.iif).map_or(0, |dev| self.vrf_ifindex(dev))
            }
            Some(device) => device.ifindex,
            None => about.iif,
        };
        let (kind, code, rest) = message.encode();
        let key = OutKey6 { source, oif, ..OutKey6::to(ns, header.source) };
        let Ok(route) = self.seek_output6(key) else { return };
        if !self.icmp6_allowed(ns, &route, kind) {
            return;
        }
        let room = MIN_MTU as usize - HEADER_LEN - 8;
        let quoted: Vec<u8> = packet.iter().take(header.total_len().min(room)).copied().collect();
        let track = about.track.of_error();
        let fields = Fields6 { track, ..Fields6::new(next::ICMP, route.hop_limit) };
        let _ = self.ip6_send(ns, &route, fields, 8 + quoted.len(), |body| {
            if let Some((head, tail)) = body.split_at_mut_checked(8) {
                head[..4].copy_from_slice(&[kind, code, 0, 0]);
                head[4..].copy_from_slice(&rest.to_be_bytes());
                tail.copy_from_slice(&quoted);
            }
            seal_icmp(route.source, route.destination, body);
        });
    }

    /// `icmpv6_global_allow`, `icmpv6_xrlim_allow`: wider routes get more.
    fn icmp6_allowed(&mut self, ns: NsId, route: &OutRoute6, kind: u8) -> bool {
        let now = self.now;
        let loopback = self.devs.get(route.dev).is_some_and(|device| device.is_loopback());
        let Some(netns) = self.netns.get_mut(ns) else { return false };
        // `net.ipv6.icmp.ratemask`: all errors but "packet too big".
        if kind == kind::PACKET_TOO_BIG {
            return true;
        }
        let (per_second, burst) = (netns.sysctl.icmp_msgs_per_sec, netns.sysctl.icmp_msgs_burst);
        if !netns.limits.allows_anybody(now, per_second, burst) {
            return false;
        }
        let cost = RATE_NS >> ((128 - u32::from(route.prefix_len.min(128))) >> 5);
        let allowed = loopback || netns.limits.take(route.destination.into(), now, cost, BURST * cost);
        match allowed {
            true => netns.limits.one_went(),
            false => netns.counters6.icmp_limited_host += 1,
        }
        allowed
    }

    /// One redirect a second about one destination (`ip6_forward`), and one to one station (`ndisc_send_redirect`).
    pub(crate) fn redirect6_allowed(&mut self, ns: NsId, to: Ipv6Addr) -> bool {
        let now = self.now;
        let Some(netns) = self.netns.get_mut(ns) else { return false };
        netns.limits.take(to.into(), now, RATE_NS, BURST * RATE_NS)
    }

    /// `icmpv6_echo_reply`: answers an echo request with its own data.
    pub(super) fn icmp6_echo_reply(
        &mut self,
        ns: NsId,
        header: &Header,
        delivered: RouteKind,
        at: usize,
        frame: &Frame,
    ) {
        let Some(len) = frame.payload().len().checked_sub(at) else { return };
        // A group is answered from an address of the device.
        let source = match delivered {
            RouteKind::Local => header.destination,
            _ => Ipv6Addr::UNSPECIFIED,
        };
        // `icmp6_iif`: of a VRF the port's link; else where the address belongs, which may be outside.
        let came_by = self.device_at(ns, frame.iif);
        let is_vrf = came_by.is_some_and(|dev| self.vrf_of(dev) == Some(dev));
        let oif = match needs_device(header.source) {
            true if is_vrf && frame.vrf_port != 0 => frame.vrf_port,
            true => frame.iif,
            false => {
                let owner = self.fib6.get(ns).and_then(|fib| fib.local_owner(header.destination));
                let owner = owner.filter(|_| is_vrf).and_then(|(_, ifindex)| self.device_at(ns, ifindex));
                owner.or(came_by).map_or(0, |dev| self.vrf_ifindex(dev))
            }
        };
        let Ok(route) = self.seek_output6(OutKey6 { source, oif, ..OutKey6::to(ns, header.source) }) else {
            return;
        };
        let fields =
            Fields6 { traffic_class: header.traffic_class, ..Fields6::new(next::ICMP, route.hop_limit) };
        let request = frame.clone();
        let _ = self.ip6_send(ns, &route, fields, len, |body| {
            let data = request.payload().get(at..).unwrap_or(&[]);
            if body.len() == data.len() {
                body.copy_from_slice(data);
            }
            if let Some(first) = body.first_mut() {
                *first = kind::ECHO_REPLY;
            }
            seal_icmp(route.source, route.destination, body);
        });
    }
}

/// `is_ineligible`: an error itself. A fragment that is not the first may be told of.
fn is_error(packet: &[u8]) -> bool {
    match extension::upper_layer(packet) {
        Some((next::ICMP, at)) => packet.get(at).is_none_or(|kind| *kind < 128),
        Some(_) | None => false,
    }
}
