//! What `-j REJECT` answers (nf_reject_ipv4.c, nf_reject_ipv6.c).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hairpin_netlink::netfilter::Family;
use hairpin_netlink::netfilter::targets::RejectWith;

use super::At;
use super::packet::{Ip, protocol};
use crate::frame::{ETH_LEN, Frame, Partial, ethertype};
use crate::ip::icmp::{Message, Unreachable};
use crate::ip::route::OutKey;
use crate::ip::{self, HEADER_LEN, Header};
use crate::ip6;
use crate::ip6::icmp::{Message6, Unreachable6};
use crate::ip6::route::OutKey6;
use crate::world::World;

/// A TCP header without options.
const RESET_LEN: usize = 20;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

impl World {
    pub(super) fn reject(&mut self, at: &At, frame: &Frame, with: RejectWith) {
        let Some(ip) = Ip::read(frame.payload()) else { return };
        match ip.family {
            Family::Ipv4 | Family::Ipv6 if with == RejectWith::TcpReset => self.send_reset(at, frame, &ip),
            Family::Ipv4 => {
                let what = match with {
                    RejectWith::NetUnreachable => Unreachable::Net,
                    RejectWith::HostUnreachable => Unreachable::Host,
                    RejectWith::ProtocolUnreachable => Unreachable::Protocol,
                    RejectWith::NetProhibited => Unreachable::NetProhibited,
                    RejectWith::HostProhibited => Unreachable::HostProhibited,
                    RejectWith::AdminProhibited => Unreachable::PacketFiltered,
                    _ => Unreachable::Port,
                };
                self.icmp_error(at.ns, at.input, frame, Message::Unreachable(what));
            }
            Family::Ipv6 => {
                let what = match with {
                    RejectWith::NetUnreachable => Unreachable6::NoRoute,
                    RejectWith::AdminProhibited => Unreachable6::Prohibited,
                    RejectWith::HostUnreachable => Unreachable6::Address,
                    RejectWith::PolicyFail => Unreachable6::PolicyFail,
                    RejectWith::RejectRoute => Unreachable6::RejectRoute,
                    _ => Unreachable6::Port,
                };
                self.icmp6_error(at.ns, at.input, frame, Message6::Unreachable(what));
            }
        }
    }

    /// `nf_send_reset`, `nf_send_reset6`: RFC 793 §3.4, "Reset Generation".
    fn send_reset(&mut self, at: &At, frame: &Frame, ip: &Ip) {
        let segment = ip.payload(frame.payload());
        let Some(head) = segment.first_chunk::<20>() else { return };
        let flags = head[13];
        if flags & RST != 0 || ip.protocol != protocol::TCP {
            return;
        }
        let header_len = usize::from(head[12] >> 4) * 4;
        let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (sequence, acknowledged, answer) = if flags & ACK != 0 {
            (word(8), 0, RST)
        } else {
            let length = segment.len().saturating_sub(header_len) as u32
                + u32::from(flags & 0x02 != 0)
                + u32::from(flags & 0x01 != 0);
            (0, word(4).wrapping_add(length), RST | ACK)
        };
        let mut reset = [0u8; RESET_LEN];
        reset[0..2].copy_from_slice(&head[2..4]);
        reset[2..4].copy_from_slice(&head[0..2]);
        reset[4..8].copy_from_slice(&sequence.to_be_bytes());
        reset[8..12].copy_from_slice(&acknowledged.to_be_bytes());
        reset[12] = 0x50;
        reset[13] = answer;
        match (ip.source, ip.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                self.send_reset4(at, frame, (source, destination), reset);
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                self.send_reset6(at, frame, (source, destination), reset);
            }
            _ => {}
        }
    }

    fn send_reset4(
        &mut self,
        at: &At,
        frame: &Frame,
        (source, destination): (Ipv4Addr, Ipv4Addr),
        mut reset: [u8; RESET_LEN],
    ) {
        // `nf_reject_ip_tcphdr_put` leaves the rest of the checksum to the device.
        let pseudo = ip::pseudo_sum(destination, source, protocol::TCP, reset.len());
        reset[16..18].copy_from_slice(&ip::fold(pseudo).to_be_bytes());
        let key = OutKey {
            source: destination,
            protocol: protocol::TCP,
            any_source: true,
            ..OutKey::to(at.ns, source)
        };
        let Ok(route) = self.route_output(key) else { return };
        let total_len = HEADER_LEN + reset.len();
        let header = Header {
            header_len: HEADER_LEN,
            tos: 0,
            total_len,
            id: 0,
            fragment: ip::FLAG_DF,
            ttl: self.default_ttl(at.ns, destination),
            protocol: protocol::TCP,
            source: destination,
            destination: source,
        };
        let mut answer = self.pool.frame(ETH_LEN + total_len);
        self.name_frame(&mut answer);
        answer.track = frame.track.of_error();
        if let Some((link, packet)) = answer.bytes_mut().split_at_mut_checked(ETH_LEN) {
            link[12..].copy_from_slice(&ethertype::IPV4.to_be_bytes());
            header.write(packet);
            if let Some(body) = packet.get_mut(HEADER_LEN..total_len) {
                body.copy_from_slice(&reset);
            }
        }
        answer.partial = Partial::new(reset.len(), 16);
        // Of a bridged packet: back out of the port that it came in by.
        if let Some(port) = frame.bridged.and_then(|bridged| bridged.input) {
            answer.set_header(frame.source(), frame.destination(), ethertype::IPV4);
            return self.transmit(port, answer);
        }
        let _ = self.ip_output(at.ns, &route, false, answer);
    }

    fn send_reset6(
        &mut self,
        at: &At,
        frame: &Frame,
        (source, destination): (Ipv6Addr, Ipv6Addr),
        mut reset: [u8; RESET_LEN],
    ) {
        let sum = ip6::upper_checksum(destination, source, protocol::TCP, &reset);
        reset[16..18].copy_from_slice(&sum.to_be_bytes());
        let strict = ip6::address::needs_device(source);
        let oif = at.input.filter(|_| strict).and_then(|dev| self.devs.get(dev)).map_or(0, |d| d.ifindex);
        let key = OutKey6 { source: destination, oif, ..OutKey6::to(at.ns, source) };
        let Ok(route) = self.route_output6(key) else { return };
        let header = ip6::Header {
            traffic_class: 0,
            flow_label: 0,
            payload_len: reset.len(),
            next_header: protocol::TCP,
            hop_limit: route.hop_limit,
            source: destination,
            destination: source,
        };
        let mut answer = self.pool.frame(ETH_LEN + header.total_len());
        self.name_frame(&mut answer);
        answer.track = frame.track.of_error();
        if let Some((link, packet)) = answer.bytes_mut().split_at_mut_checked(ETH_LEN) {
            link[12..].copy_from_slice(&ethertype::IPV6.to_be_bytes());
            header.write(packet);
            if let Some(body) = packet.get_mut(ip6::HEADER_LEN..) {
                body.copy_from_slice(&reset);
            }
        }
        if let Some(port) = frame.bridged.and_then(|bridged| bridged.input) {
            answer.set_header(frame.source(), frame.destination(), ethertype::IPV6);
            return self.transmit(port, answer);
        }
        let _ = self.ip6_output(at.ns, &route, false, answer);
    }
}
