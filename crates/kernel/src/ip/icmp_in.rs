//! ICMP that this host receives (`icmp_rcv`): requests, errors about its own packets, redirects.

use std::net::Ipv4Addr;
use std::time::Duration;

use hairpin_netlink::{Address, Errno, ErrorOrigin, Received};

use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::Frame;
use crate::netns::NsId;
use crate::route::RouteKind;
use crate::sock::{Item, Kind, SockId};
use crate::sysctl::Conf;
use crate::world::World;

use super::exception::Path;
use super::icmp::kind;
use super::route::OutKey;
use super::{Header, checksum, protocol};

/// How long a redirect holds (`ip_rt_gc_timeout`).
const REDIRECT_EXPIRES: Duration = Duration::from_secs(300);

/// An error that an ICMP message reports about a packet of this host.
struct Report {
    errno: Errno,
    /// The error ends a connected socket's operation (`harderr`).
    hard: bool,
    kind: u8,
    code: u8,
    /// Of the message's own header.
    ttl: u8,
    from: Ipv4Addr,
    info: u32,
}

impl World {
    pub(super) fn icmp_receive(
        &mut self,
        ns: NsId,
        dev: DevId,
        header: &Header,
        delivered: RouteKind,
        frame: Frame,
    ) {
        let Some(message) = frame.payload().get(header.header_len..header.total_len) else {
            return self.drop_frame(Some(dev), frame, DropReason::PacketTooSmall);
        };
        let Some(netns) = self.netns.get_mut(ns) else { return };
        netns.counters.icmp_in += 1;
        if message.len() < 8 {
            netns.counters.icmp_in_errors += 1;
            return self.drop_frame(Some(dev), frame, DropReason::PacketTooSmall);
        }
        if checksum(message) != 0 {
            netns.counters.icmp_in_checksums += 1;
            netns.counters.icmp_in_errors += 1;
            return self.drop_frame(Some(dev), frame, DropReason::IcmpChecksum);
        }
        let what = message[0];
        netns.counters.count_icmp_in(what);
        let sysctl = &netns.sysctl;
        let (ignore_all, ignore_broadcasts) =
            (sysctl.icmp_echo_ignore_all, sysctl.icmp_echo_ignore_broadcasts);
        if delivered != RouteKind::Local && matches!(what, kind::ECHO | kind::TIMESTAMP) && ignore_broadcasts
        {
            netns.counters.icmp_in_errors += 1;
            return self.drop_frame(Some(dev), frame, DropReason::InvalidProtocol);
        }
        match what {
            kind::ECHO => {
                if !ignore_all {
                    self.icmp_echo_reply(ns, dev, header, delivered, &frame);
                }
                self.consume(frame);
            }
            // Nobody here has a ping socket; raw sockets have had their copy.
            kind::ECHO_REPLY => self.consume(frame),
            kind::DEST_UNREACHABLE | kind::TIME_EXCEEDED | kind::PARAMETER_PROBLEM | kind::SOURCE_QUENCH => {
                self.icmp_report(ns, dev, header, &frame);
                self.consume(frame);
            }
            kind::REDIRECT => {
                self.icmp_redirect(ns, dev, header, &frame);
                self.consume(frame);
            }
            _ => self.consume(frame),
        }
    }

    /// `icmp_unreach`, `icmp_socket_deliver`: the sockets whose packet it is about are told.
    fn icmp_report(&mut self, ns: NsId, dev: DevId, header: &Header, frame: &Frame) {
        let Some(message) = frame.payload().get(header.header_len..) else { return };
        let Some((head, quoted)) = message.split_at_checked(8) else { return };
        let Some(original) = Header::quoted(quoted) else { return };
        let (kind, code) = (head[0], head[1]);
        let mut info = 0;
        // `raw_icmp_error`, `__udp4_lib_err`: by the device the message came in on.
        let iif = self.error_came_on(dev, frame);
        let (errno, hard) = match (kind, code) {
            (kind::DEST_UNREACHABLE, 4) => {
                let discovery = self.netns.get(ns).map_or(0, |netns| netns.sysctl.ip_no_pmtu_disc);
                info = match discovery {
                    // Nobody is believed, or only of a protocol that finds its connection first (`icmp_tag_validation`).
                    2 => return,
                    3 if original.protocol != protocol::TCP => return,
                    0 | 3 => u32::from(u16::from_be_bytes([head[6], head[7]])),
                    // That the packet is too long is believed, but not by how much.
                    _ => 0,
                };
                self.told_path_mtu(ns, dev, (&original, quoted), iif, info);
                (Errno::EMSGSIZE, true)
            }
            (kind::DEST_UNREACHABLE, code) => match unreachable_errno(code) {
                Some(found) => found,
                None => return,
            },
            (kind::TIME_EXCEEDED, _) => (Errno::EHOSTUNREACH, false),
            (kind::PARAMETER_PROBLEM, _) => (Errno::EPROTO, true),
            _ => return,
        };
        let report = Report { errno, hard, kind, code, from: header.source, ttl: header.ttl, info };
        if matches!(original.protocol, protocol::GRE | protocol::IPIP) {
            self.ip_tunnel_erred(ns, dev, &original, quoted, (kind, code));
        }
        self.tell_raw(ns, &original, quoted, &report, iif);
        if original.protocol == protocol::UDP {
            self.tell_udp(ns, &original, quoted, &report, iif);
        }
        if original.protocol == protocol::TCP {
            let segment = quoted.get(original.header_len..).unwrap_or(&[]);
            let ends_request = match kind {
                kind::DEST_UNREACHABLE => matches!(code, 0 | 1),
                _ => true,
            };
            let ends = (original.source.into(), original.destination.into());
            let vrf = if iif.1 == 0 { 0 } else { iif.0 };
            self.tcp_error(ns, ends, segment, (errno, ends_request), vrf);
        }
    }

    /// `raw_icmp_error`
    fn tell_raw(&mut self, ns: NsId, original: &Header, quoted: &[u8], report: &Report, iif: (u32, u32)) {
        let Some(netns) = self.netns.get(ns) else { return };
        let realtime_ns = self.epoch_ns + self.now.nanos();
        for id in &netns.raw {
            let Some(socket) = self.sockets.get_mut(*id) else { continue };
            let Kind::Raw(raw) = &socket.kind else { continue };
            let about_it =
                raw.matches(original.protocol, original.destination, original.source, iif.0, iif.1);
            if !about_it || !raw.inet.receive_errors {
                continue;
            }
            // `raw_err`
            let start = if raw.header_included { 0 } else { original.header_len };
            let data = quoted.get(start..).unwrap_or(&[]).to_vec();
            let to = Address::Ipv4 { address: original.destination, port: 0 };
            socket.push(Item::Other(Box::new(report.received(to, data, realtime_ns))));
        }
    }

    /// `__udp4_lib_err`
    fn tell_udp(&mut self, ns: NsId, original: &Header, quoted: &[u8], report: &Report, iif: (u32, u32)) {
        let Some(&[a, b, c, d, ..]) = quoted.get(original.header_len..) else { return };
        let local = (original.source, u16::from_be_bytes([a, b]));
        let remote = (original.destination, u16::from_be_bytes([c, d]));
        let Some(id) = self.udp_socket(ns, remote, local, iif) else { return };
        let realtime_ns = self.epoch_ns + self.now.nanos();
        let data = quoted.get(original.header_len + super::udp::UDP_LEN..).unwrap_or(&[]).to_vec();
        self.queue_udp_error(id, remote, report, data, realtime_ns);
    }

    fn queue_udp_error(
        &mut self,
        id: SockId,
        remote: (Ipv4Addr, u16),
        report: &Report,
        data: Vec<u8>,
        realtime_ns: u64,
    ) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        let Kind::Udp(udp) = &socket.kind else { return };
        let connected = udp.inet.remote.is_some();
        if udp.inet.receive_errors || (connected && report.hard) {
            let to = Address::Ipv4 { address: remote.0, port: remote.1 };
            socket.push(Item::Other(Box::new(report.received(to, data, realtime_ns))));
        }
    }

    fn error_came_on(&self, dev: DevId, frame: &Frame) -> (u32, u32) {
        match self.devs.get(dev) {
            Some(device) if device.is_loopback() => (device.ifindex, 0),
            _ => (frame.iif, frame.vrf_port),
        }
    }

    /// Of those who heed what an ICMP message says about the way of a packet, the devices that their ways are bound to, 0
    /// for none: the raw sockets that it may be of (`raw_err`), and what its protocol makes of the message (`err_handler`).
    /// Where nobody is left who sent it nothing is learned.
    fn concerned(
        &self,
        ns: NsId,
        dev: DevId,
        (original, quoted): (&Header, &[u8]),
        iif: (u32, u32),
    ) -> Vec<u32> {
        let Some(netns) = self.netns.get(ns) else { return Vec::new() };
        let of_socket = |id: &SockId| match &self.sockets.get(*id)?.kind {
            Kind::Raw(raw) => raw
                .matches(original.protocol, original.destination, original.source, iif.0, iif.1)
                .then_some(raw.inet.device),
            _ => None,
        };
        let mut ways: Vec<u32> = netns.raw.iter().filter_map(of_socket).collect();
        let body = quoted.get(original.header_len..).unwrap_or(&[]);
        let of_protocol = match (original.protocol, body) {
            // `icmp_err`: requests are programs', answers the kernel's own.
            (protocol::ICMP, [kind::ECHO_REPLY, ..]) | (protocol::TCP, _) => Some(0),
            (protocol::UDP, &[a, b, c, d, ..]) => {
                let (own, other) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
                let remote = (original.destination, other);
                let local = (original.source, own);
                let found = self.udp_socket(ns, remote, local, iif);
                match found.or_else(|| self.udp6_socket_of_both(ns, remote, local, iif.0)) {
                    Some(id) => match self.sockets.get(id).map(|socket| &socket.kind) {
                        Some(Kind::Udp(udp)) => Some(udp.inet.device),
                        Some(Kind::Udp6(udp)) => Some(udp.inet.device),
                        _ => None,
                    },
                    // `__udp4_lib_err_encap`
                    None => self.has_udp_tunnel(ns, other).then_some(0),
                }
            }
            // `gre_err`: the way out of the device that the message came in on.
            (protocol::GRE, _) => self.devs.get(dev).map(|device| device.ifindex),
            (protocol::IPIP | protocol::IPV6, _) => self.ip_tunnel_told(ns, dev, original, quoted),
            _ => None,
        };
        ways.extend(of_protocol);
        ways.sort_unstable();
        ways.dedup();
        ways
    }

    /// `ipv4_update_pmtu`, `ipv4_sk_update_pmtu`: on the way that the packet went, as far as its sender knows that.
    fn told_path_mtu(&mut self, ns: NsId, dev: DevId, about: (&Header, &[u8]), iif: (u32, u32), told: u32) {
        let (source, destination, tos) = (about.0.source, about.0.destination, about.0.tos);
        for oif in self.concerned(ns, dev, about, iif) {
            let key = OutKey { source, oif, tos: tos & 0x1e, ..OutKey::to(ns, destination) };
            // A router that does not say the MTU (RFC 1191): the next smaller plateau is not tried by Linux 6.1,
            // which takes the least it accepts.
            if let Ok(route) = self.route_output(key) {
                self.learn_path_mtu(Path { ns, source, destination, oif, tos }, route.mtu, told);
            }
        }
    }

    /// `icmp_redirect`, `__ip_do_redirect`
    fn icmp_redirect(&mut self, ns: NsId, dev: DevId, header: &Header, frame: &Frame) {
        let Some(message) = frame.payload().get(header.header_len..) else { return };
        let Some((head, quoted)) = message.split_at_checked(8) else { return };
        let Some(original) = Header::quoted(quoted) else { return };
        let gateway = Ipv4Addr::new(head[4], head[5], head[6], head[7]);
        let Some(device) = self.devs.get(dev) else { return };
        let ifindex = device.ifindex;
        let Some(netns) = self.netns.get(ns) else { return };
        let (sysctl, conf) = (&netns.sysctl, &device.ipv4_conf);
        // `IN_DEV_RX_REDIRECTS`: a router wants it allowed for all as well as here.
        let accepts = match conf.is_set(Conf::Forwarding) {
            true => sysctl.both(conf, Conf::AcceptRedirects),
            false => sysctl.either(conf, Conf::AcceptRedirects),
        };
        if !accepts || gateway.is_multicast() || gateway.is_broadcast() || gateway.octets()[0] == 0 {
            return;
        }
        let on_link = device.ipv4.iter().any(|address| {
            let mask = u32::MAX.checked_shl(32 - u32::from(address.prefix_len)).unwrap_or(0);
            (u32::from(address.peer) ^ u32::from(gateway)) & mask == 0
        });
        if !sysctl.either(conf, Conf::SharedMedia) && !on_link {
            return;
        }
        if self.address_kind(ns, gateway) != RouteKind::Unicast || self.is_local_address(ns, gateway) {
            return;
        }
        if self.concerned(ns, dev, (&original, quoted), self.error_came_on(dev, frame)).is_empty() {
            return;
        }
        // Only the router that the packet was sent to may redirect it.
        let Ok(route) = self.route_output_simple(ns, original.destination, original.source) else { return };
        if route.gateway != Some(header.source) || route.dev != dev {
            return;
        }
        // A gateway that is not known to live is asked for first; the next redirect to it will count.
        if !self.neigh_ensure(ns, ifindex, gateway) {
            return;
        }
        let entry = self.netns.get(ns).and_then(|netns| netns.neigh.get(ifindex, gateway));
        if !entry.is_some_and(crate::neigh::Neighbour::is_valid) {
            return self.neigh_use(ns, ifindex, gateway);
        }
        let expires = self.now + REDIRECT_EXPIRES;
        self.learn_gateway(ns, (original.source, original.destination), gateway, expires);
    }
}

impl Report {
    fn received(&self, to: Address, data: Vec<u8>, realtime_ns: u64) -> Received {
        Received::Error {
            errno: self.errno,
            origin: ErrorOrigin::Icmp { kind: self.kind, code: self.code, from: self.from },
            info: self.info,
            to,
            data,
            ttl: self.ttl,
            realtime_ns,
        }
    }
}

/// `icmp_err_convert`
fn unreachable_errno(code: u8) -> Option<(Errno, bool)> {
    Some(match code {
        0 => (Errno::ENETUNREACH, false),
        1 => (Errno::EHOSTUNREACH, false),
        2 => (Errno::ENOPROTOOPT, true),
        3 => (Errno::ECONNREFUSED, true),
        5 => (Errno::EOPNOTSUPP, false),
        6 => (Errno::ENETUNREACH, true),
        7 => (Errno::EHOSTDOWN, true),
        8 => (Errno(64), true),
        9 => (Errno::ENETUNREACH, true),
        10 => (Errno::EHOSTUNREACH, true),
        11 => (Errno::ENETUNREACH, false),
        12 => (Errno::EHOSTUNREACH, false),
        13 => (Errno::EHOSTUNREACH, true),
        14 => (Errno::EHOSTUNREACH, true),
        15 => (Errno::EHOSTUNREACH, true),
        _ => return None,
    })
}
