//! Network address translation (nf_nat_core.c): the mapping of a connection is chosen at its first packet and kept
//! in its reply tuple; every packet is rewritten by it.

use std::net::IpAddr;

use hairpin_netlink::netfilter::conntrack::status;
use hairpin_netlink::netfilter::targets::NatRange;

use super::conntrack::tuple::{self, Tuple};
use super::conntrack::{Conntrack, Info, ORIGINAL, REPLY, Track};
use super::packet::{Ip, changed_checksum, changed_checksum_bytes, protocol};
use crate::ip::checksum;
use crate::time::Time;

/// Ports tried before the search starts anew elsewhere (`NF_NAT_MAX_ATTEMPTS`).
const ATTEMPTS_MAX: u32 = 128;

/// Which side of a packet is rewritten (`enum nf_nat_manip_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Source,
    Destination,
}

impl Side {
    fn other(self) -> Side {
        match self {
            Side::Source => Side::Destination,
            Side::Destination => Side::Source,
        }
    }

    fn changed(self) -> u32 {
        match self {
            Side::Source => status::SRC_NAT,
            Side::Destination => status::DST_NAT,
        }
    }

    fn done(self) -> u32 {
        match self {
            Side::Source => status::SRC_NAT_DONE,
            Side::Destination => status::DST_NAT_DONE,
        }
    }
}

/// Pseudo-random numbers for ports, from a seed (splitmix64).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) >> 32) as u32
    }
}

impl Conntrack {
    /// Whether a side's mapping is settled (`nf_nat_initialized`).
    pub(super) fn is_mapped(&self, track: Track, side: Side) -> bool {
        self.get(track).is_none_or(|connection| connection.has(side.done()))
    }

    /// `nf_nat_setup_info`: settles the mapping of one side.
    pub(super) fn map(&mut self, track: Track, range: &NatRange, side: Side, now: Time, random: &mut Random) {
        let Some(connection) = self.get(track) else { return };
        if connection.has(side.done()) || connection.has(status::CONFIRMED) {
            return;
        }
        let Some(present) = tuple::inverse(connection.tuple(REPLY)) else { return };
        let chosen = self.unique_tuple(&present, range, side, now, random);
        let reply = tuple::inverse(&chosen);
        let Some(connection) = self.get_mut(track) else { return };
        if let Some(reply) = reply.filter(|_| chosen != present) {
            connection.tuples[usize::from(REPLY)] = reply;
            connection.status |= side.changed();
        }
        connection.status |= side.done();
    }

    /// `nf_nat_alloc_null_binding`: no rule wants anything; the mapping leaves the address alone.
    pub(super) fn map_to_itself(&mut self, track: Track, side: Side, now: Time, random: &mut Random) {
        let Some(connection) = self.get(track) else { return };
        let reply = connection.tuple(REPLY);
        let address = match side {
            Side::Source => reply.destination,
            Side::Destination => reply.source,
        };
        let range = NatRange { addresses: Some((address, address)), ..NatRange::default() };
        self.map(track, &range, side, now, random);
    }

    /// `get_unique_tuple`: a tuple within the range that no other connection answers to.
    fn unique_tuple(
        &self,
        present: &Tuple,
        range: &NatRange,
        side: Side,
        now: Time,
        random: &mut Random,
    ) -> Tuple {
        let randomly = range.random || range.random_fully;
        if side == Side::Source && !randomly {
            if in_range(present, range) {
                if !self.is_used(present, now) {
                    return *present;
                }
            } else {
                // What one source has been mapped to serves its other connections too.
                for (address, port) in self.mapping_of(present) {
                    let mut same = *present;
                    same.source = address;
                    same.source_port = port;
                    if in_range(&same, range) && !self.is_used(&same, now) {
                        return same;
                    }
                }
            }
        }
        let mut tuple = *present;
        choose_address(&mut tuple, range, side);
        if !randomly {
            match range.ports {
                Some((low, high)) => {
                    let fits = range.base_port.is_none() && (low..=high).contains(&port_of(&tuple, side));
                    if fits && (low == high || !self.is_used(&tuple, now)) {
                        return tuple;
                    }
                }
                None if !self.is_used(&tuple, now) => return tuple,
                None => {}
            }
        }
        self.unique_port(tuple, range, side, now, random)
    }

    /// `nf_nat_l4proto_unique_tuple`: searches a free port or id.
    fn unique_port(
        &self,
        mut tuple: Tuple,
        range: &NatRange,
        side: Side,
        now: Time,
        random: &mut Random,
    ) -> Tuple {
        let is_icmp = matches!(tuple.protocol, protocol::ICMP | protocol::ICMPV6);
        let has_ports =
            matches!(tuple.protocol, protocol::TCP | protocol::UDP | protocol::UDPLITE | protocol::SCTP | 33);
        if !is_icmp && !has_ports {
            return tuple;
        }
        let present = port_of(&tuple, side);
        let (low, high) = match range.ports {
            Some(ports) => ports,
            None if is_icmp => (0, u16::MAX),
            // The port of a destination stays unless the rule names others.
            None if side == Side::Destination => return tuple,
            // Privileged ports stay privileged.
            None if present < 512 => (1, 511),
            None if present < 1024 => (600, 1023),
            None => (1024, u16::MAX),
        };
        let size = u32::from(high.saturating_sub(low)) + 1;
        let mut offset = match range.base_port {
            Some(base) => u32::from(present.wrapping_sub(base)),
            None => random.next(),
        };
        let mut attempts = size.min(ATTEMPTS_MAX);
        loop {
            for _ in 0..attempts {
                set_port(&mut tuple, side, low.wrapping_add((offset % size) as u16));
                if !self.is_used(&tuple, now) {
                    return tuple;
                }
                offset = offset.wrapping_add(1);
            }
            if attempts >= size || attempts < 16 {
                return tuple;
            }
            attempts /= 2;
            offset = random.next();
        }
    }

    /// `nf_nat_packet`: what a side of a packet becomes by its connection's mapping; none where it stays.
    pub(super) fn mapped(&self, track: Track, side: Side) -> Option<Tuple> {
        let connection = self.get(track)?;
        let direction = track.direction();
        let wanted = match direction {
            ORIGINAL => side.changed(),
            _ => side.other().changed(),
        };
        if !connection.has(wanted) {
            return None;
        }
        tuple::inverse(connection.tuple(1 - direction))
    }

    /// `nf_nat_icmp_reply_translation`: an error about a translated connection. Rewrites the quoted packet and the
    /// header in front of it. False where the message must be dropped.
    pub(super) fn rewrite_error(&self, track: Track, side: Side, packet: &mut [u8]) -> bool {
        const REDIRECT: u8 = 5;
        let Some(connection) = self.get(track) else { return true };
        let Some(ip) = Ip::read(packet) else { return false };
        let Some(kind) = ip.payload(packet).first().copied() else { return false };
        if ip.protocol == protocol::ICMP && kind == REDIRECT {
            // Redirects make no sense once addresses differ on the two sides.
            let settled = status::SRC_NAT_DONE | status::DST_NAT_DONE;
            if connection.status & settled != settled || connection.has(status::SRC_NAT | status::DST_NAT) {
                return false;
            }
        }
        let direction = track.direction();
        let wanted = match direction {
            ORIGINAL => side.changed(),
            _ => side.other().changed(),
        };
        if !connection.has(wanted) {
            return true;
        }
        let opposite = connection.tuple(1 - direction);
        let start = ip.header_len + 8;
        let Some(quoted) = packet.get_mut(start..) else { return false };
        rewrite_packet(quoted, opposite, side.other(), false);
        let target = Tuple { source: opposite.destination, destination: opposite.source, ..*opposite };
        // The header in front gets its address; the message's checksum is computed anew.
        rewrite_addresses(packet, &target, side);
        if let Some(ip) = Ip::read(packet) {
            seal_icmp(packet, &ip);
        }
        true
    }

    /// `nf_nat_oif_changed`: a masqueraded connection whose packets leave by another device now.
    pub(super) fn left_its_device(&self, track: Track, output: u32) -> bool {
        self.get(track).is_some_and(|connection| {
            connection.masquerade != 0
                && track.direction() == ORIGINAL
                && connection.masquerade != output
                && matches!(track.info, Info::New | Info::Related | Info::Established)
        })
    }
}

/// Writes a side of a tuple into a packet: addresses, ports and checksums (`nf_nat_manip_pkt`). `partial`: the checksum is
/// left to a device.
pub(super) fn rewrite_packet(packet: &mut [u8], target: &Tuple, side: Side, partial: bool) {
    let Some(ip) = Ip::read(packet) else { return };
    rewrite_transport(packet, &ip, target, side, partial);
    rewrite_addresses(packet, target, side);
}

/// `l4proto_manip_pkt`
fn rewrite_transport(packet: &mut [u8], ip: &Ip, target: &Tuple, side: Side, partial: bool) {
    let (old, new) = match side {
        Side::Source => (ip.source, target.source),
        Side::Destination => (ip.destination, target.destination),
    };
    let payload = ip.payload_mut(packet);
    match ip.protocol {
        protocol::TCP => {
            let (at, port) = port_place(side, target);
            let whole = payload.len() >= 20;
            let old_port = write_port(payload, at, port);
            // A quotation may end before the checksum.
            match old_port {
                Some(_) if whole && partial => update_partial(payload, 16, (old, new)),
                Some(old_port) if whole => update_checksum(payload, 16, (old, new), (old_port, port), false),
                _ => {}
            }
        }
        protocol::UDP | protocol::UDPLITE => {
            let (at, port) = port_place(side, target);
            let Some(old_port) = write_port(payload, at, port) else { return };
            match partial {
                true => update_partial(payload, 6, (old, new)),
                false => update_checksum(payload, 6, (old, new), (old_port, port), true),
            }
        }
        protocol::SCTP | 33 => {
            let (at, port) = port_place(side, target);
            write_port(payload, at, port);
        }
        protocol::ICMP => {
            let queries = matches!(payload.first(), Some(0 | 8 | 13 | 14 | 15 | 16 | 17 | 18));
            if queries && let Some(old_id) = write_port(payload, 4, target.source_port) {
                let given = read_port(payload, 2).unwrap_or(0);
                let sum = changed_checksum(given, old_id, target.source_port);
                write_port(payload, 2, sum);
            }
        }
        protocol::ICMPV6 => {
            let given = read_port(payload, 2).unwrap_or(0);
            let mut sum = changed_by_address(given, old, new);
            let echo = matches!(payload.first(), Some(128 | 129));
            if echo && let Some(old_id) = write_port(payload, 4, target.source_port) {
                sum = changed_checksum(sum, old_id, target.source_port);
            }
            write_port(payload, 2, sum);
        }
        _ => {}
    }
}

/// Where a side's port stands, and what comes there.
fn port_place(side: Side, target: &Tuple) -> (usize, u16) {
    match side {
        Side::Source => (0, target.source_port),
        Side::Destination => (2, target.destination_port),
    }
}

fn read_port(payload: &[u8], at: usize) -> Option<u16> {
    payload.get(at..)?.first_chunk::<2>().map(|bytes| u16::from_be_bytes(*bytes))
}

/// Writes 16 bits; returns what was there.
fn write_port(payload: &mut [u8], at: usize, port: u16) -> Option<u16> {
    let place = payload.get_mut(at..)?.first_chunk_mut::<2>()?;
    let old = u16::from_be_bytes(*place);
    *place = port.to_be_bytes();
    Some(old)
}

fn update_checksum(
    payload: &mut [u8],
    at: usize,
    (old, new): (IpAddr, IpAddr),
    (old_port, port): (u16, u16),
    may_be_absent: bool,
) {
    let Some(given) = read_port(payload, at) else { return };
    if may_be_absent && given == 0 {
        return;
    }
    let mut sum = changed_by_address(given, old, new);
    sum = changed_checksum(sum, old_port, port);
    if may_be_absent && sum == 0 {
        sum = 0xffff;
    }
    write_port(payload, at, sum);
}

/// Of a checksum that is left to a device there is only the sum of the pseudo header, which knows no ports
/// (`inet_proto_csum_replace4`).
fn update_partial(payload: &mut [u8], at: usize, (old, new): (IpAddr, IpAddr)) {
    if let Some(given) = read_port(payload, at) {
        write_port(payload, at, !changed_by_address(!given, old, new));
    }
}

fn changed_by_address(sum: u16, old: IpAddr, new: IpAddr) -> u16 {
    match (old, new) {
        (IpAddr::V4(old), IpAddr::V4(new)) => changed_checksum_bytes(sum, &old.octets(), &new.octets()),
        (IpAddr::V6(old), IpAddr::V6(new)) => changed_checksum_bytes(sum, &old.octets(), &new.octets()),
        _ => sum,
    }
}

/// Writes one address of the IP header.
fn rewrite_addresses(packet: &mut [u8], target: &Tuple, side: Side) {
    let address = match side {
        Side::Source => target.source,
        Side::Destination => target.destination,
    };
    let is_version4 = packet.first().is_some_and(|first| first >> 4 == 4);
    match address {
        IpAddr::V4(address) if is_version4 => {
            let at = if side == Side::Source { 12 } else { 16 };
            let Some(place) = packet.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<4>()) else {
                return;
            };
            let old = std::mem::replace(place, address.octets());
            let given = read_port(packet, 10).unwrap_or(0);
            write_port(packet, 10, changed_checksum_bytes(given, &old, &address.octets()));
        }
        IpAddr::V6(address) if !is_version4 => {
            let at = if side == Side::Source { 8 } else { 24 };
            if let Some(place) = packet.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<16>()) {
                *place = address.octets();
            }
        }
        _ => {}
    }
}

/// Computes the checksum of an ICMP message anew.
fn seal_icmp(packet: &mut [u8], ip: &Ip) {
    let pseudo = match ip.protocol {
        protocol::ICMPV6 => Some(*ip),
        _ => None,
    };
    let message = ip.payload_mut(packet);
    write_port(message, 2, 0);
    let sum = match pseudo {
        Some(ip) => {
            let total = super::conntrack::handle::pseudo_sum(&ip, message.len()) + crate::ip::sum(message);
            !crate::ip::fold(total)
        }
        None => checksum(message),
    };
    write_port(message, 2, sum);
}

/// `nf_in_range`: whether a source is within a range as it is.
fn in_range(tuple: &Tuple, range: &NatRange) -> bool {
    let address = range.addresses.is_none_or(|(low, high)| low <= tuple.source && tuple.source <= high);
    address && range.ports.is_none_or(|(low, high)| (low..=high).contains(&tuple.source_port))
}

/// `find_best_ips_proto`: the same source gets the same address of a range.
fn choose_address(tuple: &mut Tuple, range: &NatRange, side: Side) {
    let Some((low, high)) = range.addresses else { return };
    let chosen = if low == high { low } else { spread(tuple, range, low, high) };
    match side {
        Side::Source => tuple.source = chosen,
        Side::Destination => tuple.destination = chosen,
    }
}

fn spread(tuple: &Tuple, range: &NatRange, low: IpAddr, high: IpAddr) -> IpAddr {
    use std::hash::{Hash as _, Hasher as _};
    let mut hasher = rustc_hash::FxHasher::default();
    tuple.source.hash(&mut hasher);
    if !range.persistent {
        tuple.destination.hash(&mut hasher);
    }
    let hash = u128::from(hasher.finish());
    match (low, high) {
        (IpAddr::V4(low), IpAddr::V4(high)) => {
            let size = u64::from(u32::from(high)).saturating_sub(u64::from(u32::from(low))) + 1;
            let step = (hash % u128::from(size)) as u32;
            IpAddr::V4(u32::from(low).wrapping_add(step).into())
        }
        (IpAddr::V6(low), IpAddr::V6(high)) => {
            let size = u128::from(high).saturating_sub(u128::from(low)).saturating_add(1);
            IpAddr::V6(u128::from(low).wrapping_add(hash % size).into())
        }
        _ => low,
    }
}

fn port_of(tuple: &Tuple, side: Side) -> u16 {
    match (tuple.protocol, side) {
        (protocol::ICMP | protocol::ICMPV6, _) | (_, Side::Source) => tuple.source_port,
        (_, Side::Destination) => tuple.destination_port,
    }
}

fn set_port(tuple: &mut Tuple, side: Side, port: u16) {
    match (tuple.protocol, side) {
        (protocol::ICMP | protocol::ICMPV6, _) | (_, Side::Source) => tuple.source_port = port,
        (_, Side::Destination) => tuple.destination_port = port,
    }
}
