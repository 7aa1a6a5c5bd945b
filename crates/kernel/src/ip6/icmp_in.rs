//! ICMPv6 that this host receives (`icmpv6_rcv`): requests, errors about its own packets, neighbour discovery.

use std::net::Ipv6Addr;

use hairpin_netlink::{Address, Errno, ErrorOrigin, PacketType, Received};

use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::Frame;
use crate::netns::NsId;
use crate::route::RouteKind;
use crate::sock::{Item, Kind};
use crate::world::World;

use super::icmp::kind;
use super::route::OutKey6;
use super::{Header, MIN_MTU, extension, next, upper_checksum};

/// An error that an ICMPv6 message reports about a packet of this host.
struct Report {
    errno: Errno,
    /// The error ends a connected socket's operation.
    hard: bool,
    kind: u8,
    code: u8,
    /// Of the message's own header.
    ttl: u8,
    from: Ipv6Addr,
    /// The device that the message came in on, where `from` says nothing without.
    scope: u32,
    info: u32,
}

impl World {
    #[expect(clippy::too_many_arguments, reason = "what the headers in front of the message have told")]
    pub(super) fn icmp6_receive(
        &mut self,
        ns: NsId,
        dev: DevId,
        header: &Header,
        delivered: RouteKind,
        at: usize,
        reassembled: bool,
        frame: Frame,
    ) {
        let Some(message) = frame.payload().get(at..).filter(|message| message.len() >= 4) else {
            return self.drop_frame(Some(dev), frame, DropReason::PacketTooSmall);
        };
        let Some(netns) = self.netns.get_mut(ns) else { return };
        let counters = &mut netns.counters6;
        counters.icmp_in += 1;
        if upper_checksum(header.source, header.destination, next::ICMP, message) != 0 {
            counters.icmp_in_checksums += 1;
            counters.icmp_in_errors += 1;
            return self.drop_frame(Some(dev), frame, DropReason::IcmpChecksum);
        }
        let what = message[0];
        counters.count_icmp_in(what);
        match what {
            kind::ECHO => {
                let sysctl = &netns.sysctl;
                let ignored = sysctl.icmp6_echo_ignore_all
                    || delivered == RouteKind::Multicast && sysctl.icmp6_echo_ignore_multicast;
                if !ignored {
                    self.icmp6_echo_reply(ns, header, delivered, at, &frame);
                }
                self.consume(frame);
            }
            kind::DEST_UNREACHABLE | kind::PACKET_TOO_BIG | kind::TIME_EXCEEDED | kind::PARAMETER_PROBLEM => {
                self.icmp6_report(ns, dev, header, at, &frame);
                self.consume(frame);
            }
            kind::ROUTER_SOLICITATION..=kind::REDIRECT => {
                self.ndisc_receive(dev, header, at, reassembled, frame);
            }
            kind::LISTENER_QUERY => {
                let message = message.to_vec();
                self.listener_query(dev, header.source, &message);
                self.consume(frame);
            }
            kind::LISTENER_REPORT => {
                // The router may not have heard one that was for this host alone.
                if matches!(frame.packet_type, PacketType::Multicast | PacketType::Broadcast) {
                    let message = message.to_vec();
                    self.listener_report_heard(dev, header.source, &message);
                }
                self.consume(frame);
            }
            // Raw sockets have had their copy.
            _ => self.consume(frame),
        }
    }

    /// Neighbour discovery to an address that this host answers for as a proxy.
    pub(super) fn icmp6_receive_proxied(&mut self, ns: NsId, dev: DevId, header: &Header, frame: Frame) {
        let Some((_, at)) = extension::upper_layer(frame.payload()) else {
            return self.drop_frame(Some(dev), frame, DropReason::Ipv6BadExtension);
        };
        self.icmp6_receive(ns, dev, header, RouteKind::Local, at, false, frame);
    }

    /// `icmpv6_notify`: the sockets whose packet it is about are told.
    fn icmp6_report(&mut self, ns: NsId, dev: DevId, header: &Header, at: usize, frame: &Frame) {
        let Some(message) = frame.payload().get(at..) else { return };
        let Some((head, quoted)) = message.split_at_checked(8) else { return };
        let Some(original) = Header::quoted(quoted) else { return };
        let (kind, code) = (head[0], head[1]);
        let info = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
        let Some((errno, hard)) = errno_of(kind, code) else { return };
        if kind == kind::PACKET_TOO_BIG {
            self.learn_path_mtu6((ns, self.vrf_ifindex(dev)), &original, info);
        }
        let scope = if super::address::needs_device(header.source) { frame.iif } else { 0 };
        let report =
            Report { errno, hard, kind, code, from: header.source, ttl: header.hop_limit, scope, info };
        let Some((protocol, upper)) = extension::upper_layer(quoted) else { return };
        let iif = match frame.vrf_port {
            0 => (self.devs.get(dev).map_or(0, |device| device.ifindex), 0),
            port => (frame.iif, port),
        };
        let payload = quoted.get(upper..).unwrap_or(&[]);
        self.tell_raw6(ns, &original, protocol, payload, &report, iif);
        if protocol == next::UDP {
            self.tell_udp6(ns, &original, payload, &report, iif);
        }
        if protocol == next::TCP {
            let ends = (original.source.into(), original.destination.into());
            // `tcp_v6_err`
            let vrf = if iif.1 == 0 { 0 } else { iif.0 };
            self.tcp_error(ns, ends, payload, (errno, hard), vrf);
        }
    }

    /// `ip6_update_pmtu`: less than 1280 bytes is not believed (RFC 8201 §4).
    fn learn_path_mtu6(&mut self, (ns, vrf): (NsId, u32), original: &Header, told: u32) {
        let key = OutKey6 { source: original.source, oif: vrf, ..OutKey6::to(ns, original.destination) };
        let known = self.route_output6(key).map_or(u32::MAX, |route| route.mtu);
        let mtu = told.max(MIN_MTU);
        if mtu < known {
            self.learn_mtu6(key, mtu);
        }
    }

    /// `rawv6_err`
    fn tell_raw6(
        &mut self,
        ns: NsId,
        original: &Header,
        protocol: u8,
        payload: &[u8],
        report: &Report,
        (iif, vrf_port): (u32, u32),
    ) {
        let Some(netns) = self.netns.get(ns) else { return };
        let realtime_ns = self.epoch_ns + self.now.nanos();
        for id in &netns.raw6 {
            let Some(socket) = self.sockets.get_mut(*id) else { continue };
            let Kind::Raw6(raw) = &socket.kind else { continue };
            let about_it = raw.matches(protocol, original.destination, original.source, (iif, vrf_port));
            if !about_it || !raw.inet.receive_errors {
                continue;
            }
            let to = super::local::address(original.destination, 0, iif);
            socket.push(Item::Other(Box::new(report.received(to, payload.to_vec(), realtime_ns))));
        }
    }

    /// `__udp6_lib_err`
    fn tell_udp6(&mut self, ns: NsId, original: &Header, payload: &[u8], report: &Report, from: (u32, u32)) {
        let Some((&[a, b, c, d, ..], data)) = payload.split_first_chunk::<8>() else { return };
        let local = (original.source, u16::from_be_bytes([a, b]));
        let remote = (original.destination, u16::from_be_bytes([c, d]));
        let Some(id) = self.udp6_socket(ns, remote, local, from) else { return };
        let realtime_ns = self.epoch_ns + self.now.nanos();
        let Some(socket) = self.sockets.get_mut(id) else { return };
        let Kind::Udp6(udp) = &socket.kind else { return };
        if udp.inet.receive_errors || udp.inet.remote.is_some() && report.hard {
            let to = super::local::address(remote.0, remote.1, from.0);
            socket.push(Item::Other(Box::new(report.received(to, data.to_vec(), realtime_ns))));
        }
    }
}

impl Report {
    fn received(&self, to: Address, data: Vec<u8>, realtime_ns: u64) -> Received {
        Received::Error {
            errno: self.errno,
            origin: ErrorOrigin::Icmp6 {
                kind: self.kind,
                code: self.code,
                from: self.from,
                scope: self.scope,
            },
            info: self.info,
            to,
            data,
            ttl: self.ttl,
            realtime_ns,
        }
    }
}

/// `icmpv6_err_convert`
fn errno_of(kind: u8, code: u8) -> Option<(Errno, bool)> {
    Some(match (kind, code) {
        (kind::DEST_UNREACHABLE, 0) => (Errno::ENETUNREACH, false),
        (kind::DEST_UNREACHABLE, 1) => (Errno::EACCES, true),
        (kind::DEST_UNREACHABLE, 2 | 3) => (Errno::EHOSTUNREACH, false),
        (kind::DEST_UNREACHABLE, 4) => (Errno::ECONNREFUSED, true),
        (kind::DEST_UNREACHABLE, 5 | 6) => (Errno::EACCES, true),
        (kind::DEST_UNREACHABLE, _) => return None,
        (kind::PACKET_TOO_BIG, _) => (Errno::EMSGSIZE, false),
        (kind::PARAMETER_PROBLEM, _) => (Errno::EPROTO, true),
        (kind::TIME_EXCEEDED, _) => (Errno::EHOSTUNREACH, false),
        _ => return None,
    })
}
