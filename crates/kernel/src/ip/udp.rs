//! UDP (RFC 768; net/ipv4/udp.c).

use std::net::Ipv4Addr;

use hairpin_netlink::Address;

use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::{ETH_LEN, Frame};
use crate::netfilter::Track;
use crate::netns::NsId;
use crate::route::RouteKind;
use crate::sock::came_in::CameIn;
use crate::sock::{Item, Kind, SockId};
use crate::world::World;

use super::icmp::{Message, Unreachable};
use super::{Header, fold, protocol, pseudo_sum, sum};

/// Length of a UDP header.
pub(crate) const UDP_LEN: usize = 8;
/// Where its checksum stands.
pub(crate) const UDP_CHECKSUM: u8 = 6;

impl World {
    /// `udp_rcv`
    #[inline]
    pub(super) fn udp_receive(
        &mut self,
        ns: NsId,
        dev: DevId,
        header: &Header,
        delivered: RouteKind,
        mut frame: Frame,
    ) {
        let Some(datagram) = frame.payload().get(header.header_len..) else {
            return self.drop_frame(Some(dev), frame, DropReason::PacketTooSmall);
        };
        let Some(&[a, b, c, d, e, f, g, h]) = datagram.first_chunk::<UDP_LEN>() else {
            return self.drop_frame(Some(dev), frame, DropReason::PacketTooSmall);
        };
        let len = usize::from(u16::from_be_bytes([e, f]));
        let Some(datagram) = datagram.get(..len).filter(|_| len >= UDP_LEN) else {
            return self.drop_frame(Some(dev), frame, DropReason::PacketTooSmall);
        };
        let given = u16::from_be_bytes([g, h]);
        let pseudo = pseudo_sum(header.source, header.destination, protocol::UDP, len) << 16;
        if given != 0 && !frame.partial.is_due() && fold(pseudo + sum(datagram)) != 0xffff {
            return self.drop_frame(Some(dev), frame, DropReason::UdpChecksum);
        }
        frame.truncate(ETH_LEN + header.header_len + len);
        let from = (header.source, u16::from_be_bytes([a, b]));
        let to = (header.destination, u16::from_be_bytes([c, d]));
        let item = |frame: Frame, time| Item::Packet {
            offset: ETH_LEN + header.header_len + UDP_LEN,
            from: Address::Ipv4 { address: from.0, port: from.1 },
            to: Address::Ipv4 { address: to.0, port: to.1 },
            ttl: header.ttl,
            tos: header.tos,
            ifindex: frame.iif,
            time,
            frame,
        };
        let now = self.now;
        let tunnelled = self.has_udp_tunnel(ns, to.1);
        if matches!(delivered, RouteKind::Broadcast | RouteKind::Multicast) {
            let sockets = self.udp_listeners(ns, from, to, (frame.iif, frame.vrf_port));
            for id in &sockets {
                let copy = self.pool.copy(&frame);
                self.deliver_to(dev, *id, item(copy, now));
            }
            if tunnelled {
                return self.udp_tunnel_receive(ns, dev, header, to.1, frame);
            }
            // A broadcast that nobody wants dies without an ICMP error.
            return match sockets.is_empty() {
                true => self.drop_frame(Some(dev), frame, DropReason::NoSocket),
                false => self.consume(frame),
            };
        }
        if tunnelled {
            return self.udp_tunnel_receive(ns, dev, header, to.1, frame);
        }
        let found = self.udp_socket(ns, from, to, (frame.iif, frame.vrf_port));
        if found.is_none()
            && let Some(id) = self.udp6_socket_of_both(ns, from, to, frame.iif)
        {
            if let Some(netns) = self.netns.get_mut(ns) {
                netns.counters.udp_in += 1;
            }
            let Item::Packet { offset, ttl, tos, ifindex, time, frame, .. } = item(frame, now) else {
                return;
            };
            let end = |(address, port): (Ipv4Addr, u16)| Address::Ipv6 {
                address: address.to_ipv6_mapped(),
                port,
                scope: 0,
            };
            let item = Item::Packet { frame, offset, from: end(from), to: end(to), ttl, tos, ifindex, time };
            return self.deliver_to(dev, id, item);
        }
        match found {
            Some(id) => {
                if let Some(netns) = self.netns.get_mut(ns) {
                    netns.counters.udp_in += 1;
                }
                if self.is_dns_server(id) {
                    let from = Address::Ipv4 { address: from.0, port: from.1 };
                    return self.dns_receive(id, from, ETH_LEN + header.header_len + UDP_LEN, frame);
                }
                self.deliver_to(dev, id, item(frame, now));
            }
            None => {
                if let Some(netns) = self.netns.get_mut(ns) {
                    netns.counters.udp_no_ports += 1;
                }
                // `nf_reset_ct`: the error is no part of the connection before it is looked at itself.
                frame.track = Track::default();
                let message = Message::Unreachable(Unreachable::Port);
                self.icmp_error(ns, Some(dev), &frame, message);
                self.drop_frame(Some(dev), frame, DropReason::NoSocket);
            }
        }
    }

    /// A socket of IPv6 that takes IPv4 too, for a datagram that none of IPv4 wants.
    pub(super) fn udp6_socket_of_both(
        &self,
        ns: NsId,
        from: (Ipv4Addr, u16),
        to: (Ipv4Addr, u16),
        iif: u32,
    ) -> Option<SockId> {
        let candidates = self.netns.get(ns)?.udp6.get(&to.1)?;
        let fits = |id: &&SockId| match self.sockets.get(**id).map(|socket| &socket.kind) {
            Some(Kind::Udp6(udp)) => {
                let known = udp.inet.remote.is_none_or(|remote| remote == (from.0.to_ipv6_mapped(), from.1));
                known && udp.takes_ipv4(to.0) && (udp.inet.device == 0 || udp.inet.device == iif)
            }
            _ => false,
        };
        // One with a peer comes first.
        let is_connected = |id: &SockId| matches!(self.sockets.get(*id).map(|socket| &socket.kind), Some(Kind::Udp6(udp)) if udp.inet.remote.is_some());
        candidates.iter().filter(fits).max_by_key(|id| is_connected(id)).copied()
    }

    /// Where a datagram came in, as its sockets see it.
    #[inline]
    pub(crate) fn udp_came_in(&self, ns: NsId, iif: u32, vrf_port: u32) -> CameIn {
        let accepts = vrf_port != 0 && self.netns.get(ns).is_some_and(|netns| netns.sysctl.udp_l3mdev_accept);
        CameIn { iif, vrf_port, accepts }
    }

    /// `__udp4_lib_lookup`: the socket that fits best; of equals the one bound last.
    #[inline]
    pub(super) fn udp_socket(
        &self,
        ns: NsId,
        from: (Ipv4Addr, u16),
        to: (Ipv4Addr, u16),
        (iif, vrf_port): (u32, u32),
    ) -> Option<SockId> {
        let candidates = self.netns.get(ns)?.udp.get(&to.1)?;
        let came = self.udp_came_in(ns, iif, vrf_port);
        let mut best = None;
        for id in candidates {
            let Some(Kind::Udp(udp)) = self.sockets.get(*id).map(|socket| &socket.kind) else { continue };
            if let Some(score) = udp.score(from, to, came)
                && best.is_none_or(|(known, _)| score >= known)
            {
                best = Some((score, *id));
            }
        }
        best.map(|(_, id)| id)
    }

    /// `__udp4_lib_mcast_deliver`: every socket that fits a broadcast or multicast.
    fn udp_listeners(
        &self,
        ns: NsId,
        from: (Ipv4Addr, u16),
        to: (Ipv4Addr, u16),
        (iif, vrf_port): (u32, u32),
    ) -> Vec<SockId> {
        let candidates = self.netns.get(ns).and_then(|netns| netns.udp.get(&to.1));
        let came = self.udp_came_in(ns, iif, vrf_port);
        let fits = |id: &&SockId| match self.sockets.get(**id).map(|socket| &socket.kind) {
            Some(Kind::Udp(udp)) => {
                let joined = !to.0.is_multicast()
                    || udp.inet.groups.iter().any(|(group, on)| *group == to.0 && (*on == 0 || *on == iif));
                joined && udp.score(from, to, came).is_some()
            }
            _ => false,
        };
        candidates.map_or(Vec::new(), |candidates| candidates.iter().filter(fits).copied().collect())
    }
}

/// Writes a UDP datagram with its checksum, unless that is left for later; `body` has room for header and data.
#[inline]
pub(crate) fn write_udp(
    body: &mut [u8],
    source: (Ipv4Addr, u16),
    destination: (Ipv4Addr, u16),
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
    let pseudo = pseudo_sum(source.0, destination.0, protocol::UDP, len) << 16;
    let sum = match !fold(pseudo + sum(body)) {
        0 => 0xffff,
        sum => sum,
    };
    body[6..8].copy_from_slice(&sum.to_be_bytes());
}
