//! UDP over IPv6 (RFC 8200 §8.1; net/ipv6/udp.c).

use std::net::Ipv6Addr;

use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::{ETH_LEN, Frame};
use crate::ip::UDP_LEN;
use crate::netfilter::Track;
use crate::netns::NsId;
use crate::route::RouteKind;
use crate::sock::{Item, Kind, SockId};
use crate::world::World;

use super::icmp::{Message6, Unreachable6};
use super::local::address;
use super::{Header, next, upper_checksum};

impl World {
    /// `udpv6_rcv`
    pub(super) fn udp6_receive(
        &mut self,
        ns: NsId,
        dev: DevId,
        header: &Header,
        delivered: RouteKind,
        at: usize,
        mut frame: Frame,
    ) {
        let datagram = frame.payload().get(at..).unwrap_or(&[]);
        let Some(&[a, b, c, d, e, f, g, h]) = datagram.first_chunk::<UDP_LEN>() else {
            return self.drop_frame(Some(dev), frame, DropReason::PacketTooSmall);
        };
        let len = usize::from(u16::from_be_bytes([e, f]));
        let Some(datagram) = datagram.get(..len).filter(|_| len >= UDP_LEN) else {
            return self.drop_frame(Some(dev), frame, DropReason::PacketTooSmall);
        };
        let port = u16::from_be_bytes([c, d]);
        let tunnelled = self.has_udp6_tunnel(ns, port);
        // A checksum of 0 is allowed for tunnels only (RFC 6935).
        let sums = match (g, h) {
            (0, 0) => tunnelled && self.udp6_tunnel_allows_no_checksum(ns, port),
            _ if frame.partial.is_due() => true,
            _ => upper_checksum(header.source, header.destination, next::UDP, datagram) == 0,
        };
        if !sums {
            return self.drop_frame(Some(dev), frame, DropReason::UdpChecksum);
        }
        frame.truncate(ETH_LEN + at + len);
        let from = (header.source, u16::from_be_bytes([a, b]));
        if tunnelled {
            return self.udp6_tunnel_receive(ns, dev, header, (port, at), frame);
        }
        let to = (header.destination, port);
        let iif = frame.iif;
        let now = self.now;
        let item = |frame: Frame| Item::Packet {
            offset: ETH_LEN + at + UDP_LEN,
            from: address(from.0, from.1, iif),
            to: address(to.0, to.1, iif),
            ttl: header.hop_limit,
            tos: header.traffic_class,
            ifindex: iif,
            time: now,
            frame,
        };
        if delivered == RouteKind::Multicast {
            let sockets = self.udp6_listeners(ns, from, to, (iif, frame.vrf_port));
            for id in &sockets {
                let copy = self.pool.copy(&frame);
                self.deliver_to(dev, *id, item(copy));
            }
            return match sockets.is_empty() {
                true => self.drop_frame(Some(dev), frame, DropReason::NoSocket),
                false => self.consume(frame),
            };
        }
        match self.udp6_socket(ns, from, to, (iif, frame.vrf_port)) {
            Some(id) => {
                if let Some(netns) = self.netns.get_mut(ns) {
                    netns.counters6.udp_in += 1;
                }
                if self.is_dns_server(id) {
                    return self.dns_receive(id, address(from.0, from.1, iif), ETH_LEN + at + UDP_LEN, frame);
                }
                self.deliver_to(dev, id, item(frame));
            }
            None => {
                if let Some(netns) = self.netns.get_mut(ns) {
                    netns.counters6.udp_no_ports += 1;
                }
                frame.track = Track::default();
                self.icmp6_error(ns, Some(dev), &frame, Message6::Unreachable(Unreachable6::Port));
                self.drop_frame(Some(dev), frame, DropReason::NoSocket);
            }
        }
    }

    /// `__udp6_lib_lookup`: the socket that fits best; of equals the one bound last.
    #[inline]
    pub(super) fn udp6_socket(
        &self,
        ns: NsId,
        from: (Ipv6Addr, u16),
        to: (Ipv6Addr, u16),
        (iif, vrf_port): (u32, u32),
    ) -> Option<SockId> {
        let candidates = self.netns.get(ns)?.udp6.get(&to.1)?;
        let came = self.udp_came_in(ns, iif, vrf_port);
        let mut best = None;
        for id in candidates {
            let Some(Kind::Udp6(udp)) = self.sockets.get(*id).map(|socket| &socket.kind) else { continue };
            if let Some(score) = udp.score(from, to, came)
                && best.is_none_or(|(known, _)| score >= known)
            {
                best = Some((score, *id));
            }
        }
        best.map(|(_, id)| id)
    }

    /// `__udp6_lib_mcast_deliver`
    fn udp6_listeners(
        &self,
        ns: NsId,
        from: (Ipv6Addr, u16),
        to: (Ipv6Addr, u16),
        (iif, vrf_port): (u32, u32),
    ) -> Vec<SockId> {
        let candidates = self.netns.get(ns).and_then(|netns| netns.udp6.get(&to.1));
        let came = self.udp_came_in(ns, iif, vrf_port);
        let fits = |id: &&SockId| match self.sockets.get(**id).map(|socket| &socket.kind) {
            Some(Kind::Udp6(udp)) => {
                udp.inet
                    .groups
                    .iter()
                    .any(|(group, on)| *group == to.0 && (*on == 0 || *on == iif || *on == vrf_port))
                    && udp.score(from, to, came).is_some()
            }
            _ => false,
        };
        candidates.map_or(Vec::new(), |candidates| candidates.iter().filter(fits).copied().collect())
    }
}

/// Writes a UDP datagram with its checksum, unless that is left for later; `body` has room for header and data.
#[inline]
pub(crate) fn write_udp6(
    body: &mut [u8],
    source: (Ipv6Addr, u16),
    destination: (Ipv6Addr, u16),
    data: &[u8],
    sums: bool,
) {
    let len = body.len();
    let Some((head, tail)) = body.split_at_mut_checked(UDP_LEN) else { return };
    head[0..2].copy_from_slice(&source.1.to_be_bytes());
    head[2..4].copy_from_slice(&destination.1.to_be_bytes());
    head[4..6].copy_from_slice(&(len as u16).to_be_bytes());
    head[6..8].fill(0);
    if tail.len() == data.len() {
        tail.copy_from_slice(data);
    }
    if !sums {
        return;
    }
    let sum = match upper_checksum(source.0, destination.0, next::UDP, body) {
        0 => 0xffff,
        sum => sum,
    };
    body[6..8].copy_from_slice(&sum.to_be_bytes());
}
