//! What an expression gives for a packet (nft_payload.c, nft_meta.c, nft_ct.c, nft_fib.c, nft_lookup.c).

use std::net::IpAddr;

use hairpin_netlink::PacketType;
use hairpin_netlink::netfilter::Family as PacketFamily;
use hairpin_netlink::netfilter::nft::{Ct, Data, Expr, Field, Header, Meta, Set, SetRef};

use super::super::conntrack::{Info, ORIGINAL, REPLY};
use super::super::matches::Around;
use super::super::packet::protocol;
use crate::device::DevId;
use crate::frame::Owner;

/// Places that a key may have.
pub(super) const PLACES: usize = 5;

/// The data of a key's places.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Loaded {
    values: [u128; PLACES],
    len: usize,
}

impl Loaded {
    pub fn values(&self) -> &[u128] {
        self.values.get(..self.len).unwrap_or(&[])
    }

    pub fn first(&self) -> u128 {
        self.values[0]
    }
}

/// What expressions are read with: the packet, and the sets of the table.
pub(super) struct Reader<'a> {
    pub packet: Around<'a>,
    pub sets: &'a [Set],
    pub places: &'a rustc_hash::FxHashMap<String, usize>,
    pub random: u64,
}

impl Reader<'_> {
    /// Every place of a key; none where the packet lacks one.
    pub fn key(&self, exprs: &[Expr]) -> Option<Loaded> {
        let mut loaded = Loaded::default();
        for expr in exprs {
            *loaded.values.get_mut(loaded.len)? = self.value(expr)?;
            loaded.len += 1;
        }
        Some(loaded)
    }

    pub fn value(&self, expr: &Expr) -> Option<u128> {
        match expr {
            Expr::Value(value) => Some(*value),
            Expr::Payload(field) => self.payload(field),
            Expr::Meta(meta) => self.meta(*meta),
            Expr::Ct(key, direction) => self.connection(*key, *direction),
            Expr::FibType { source, iif, oif } => Some(self.fib_type(*source, *iif, *oif)),
            Expr::Bits { of, and, xor } => Some(self.value(of)? & and ^ xor),
            Expr::Map { key, map } => {
                let (set, at) = self.lookup(key, map)?;
                match &set.elements.get(at)?.data {
                    Some(Data::Values(values)) => values.first().map(|span| span.first),
                    _ => None,
                }
            }
            Expr::NumberOf { random, modulus, offset, next } => {
                let number = if *random { self.random as u32 } else { *next };
                Some(u128::from(number % (*modulus).max(1)) + u128::from(*offset))
            }
        }
    }

    pub fn set<'s>(&'s self, found: &'s SetRef) -> Option<&'s Set> {
        match found {
            SetRef::Named(name) => self.sets.get(*self.places.get(name)?),
            SetRef::Anonymous(set) => Some(set),
        }
    }

    /// The element of a set that a packet's key meets.
    pub fn lookup<'s>(&'s self, key: &[Expr], found: &'s SetRef) -> Option<(&'s Set, usize)> {
        let loaded = self.key(key)?;
        let set = self.set(found)?;
        Some((set, set.find(loaded.values(), self.packet.world.now.nanos())?))
    }

    fn payload(&self, field: &Field) -> Option<u128> {
        let packet = self.packet.frame.payload();
        let ip = self.packet.ip;
        let transport = |number: u8| (ip.protocol == number).then(|| ip.payload(packet));
        let bytes = match field.header {
            Header::Ether => {
                self.packet.at.input?;
                self.packet.frame.bytes()
            }
            Header::Vlan => {
                let tag = self.packet.frame.tag?;
                return bits(&tag.to_bytes()[2..], field.offset, field.bits);
            }
            Header::Ip => (ip.family == PacketFamily::Ipv4).then_some(packet)?,
            Header::Ip6 => (ip.family == PacketFamily::Ipv6).then_some(packet)?,
            Header::Icmp => transport(protocol::ICMP)?,
            Header::Icmp6 => transport(protocol::ICMPV6)?,
            Header::Tcp => transport(protocol::TCP)?,
            Header::Udp => transport(protocol::UDP)?,
            Header::UdpLite => transport(protocol::UDPLITE)?,
            Header::Sctp => transport(protocol::SCTP)?,
            Header::Th => ip.payload(packet),
        };
        bits(bytes, field.offset, field.bits)
    }

    fn meta(&self, meta: Meta) -> Option<u128> {
        let Around { world, at, frame, ip, .. } = &self.packet;
        let device = |dev: Option<DevId>| dev.and_then(|dev| world.devs.get(dev));
        let name = |dev: Option<DevId>| Some(interface(&device(dev)?.name));
        Some(match meta {
            Meta::Mark => u128::from(frame.mark),
            Meta::Iif => u128::from(device(at.input)?.ifindex),
            Meta::Oif => u128::from(device(at.output)?.ifindex),
            Meta::IifName => name(at.input)?,
            Meta::OifName => name(at.output)?,
            Meta::IifType => u128::from(device(at.input)?.hardware),
            Meta::OifType => u128::from(device(at.output)?.hardware),
            Meta::L4Proto => u128::from(ip.protocol),
            Meta::Protocol => match ip.family {
                PacketFamily::Ipv4 => 0x0800,
                PacketFamily::Ipv6 => 0x86dd,
            },
            Meta::NfProto => u128::from(ip.family.number()),
            Meta::Length => ip.total_len as u128,
            Meta::PacketType => match frame.packet_type {
                PacketType::Broadcast => 1,
                PacketType::Multicast => 2,
                PacketType::OtherHost => 3,
                PacketType::Host | PacketType::Outgoing => 0,
            },
            // Everything that runs in a world is root's; the kernel's own packets have no owner.
            Meta::SkUid | Meta::SkGid => (frame.owner == Owner::Program).then_some(0)?,
            Meta::Priority => 0,
            Meta::Trace => u128::from(frame.traced),
        })
    }

    fn connection(&self, key: Ct, direction: Option<u8>) -> Option<u128> {
        let track = self.packet.frame.track;
        if key == Ct::State {
            const INVALID: u128 = 1;
            const UNTRACKED: u128 = 64;
            return Some(match track.info {
                Info::None | Info::Attached => INVALID,
                Info::Untracked => UNTRACKED,
                Info::Established | Info::EstablishedReply => 2,
                Info::Related | Info::RelatedReply => 4,
                Info::New => 8,
            });
        }
        let connection = self.packet.conntrack.get(track)?;
        let tuple = connection.tuple(direction.unwrap_or(track.direction()));
        let address = |address: IpAddr, ipv4: bool| match address {
            IpAddr::V4(address) if ipv4 => Some(u128::from(u32::from(address))),
            IpAddr::V6(address) if !ipv4 => Some(u128::from(address)),
            _ => None,
        };
        Some(match key {
            Ct::State => 0,
            Ct::Status => u128::from(connection.status),
            Ct::Mark => u128::from(connection.mark),
            Ct::Direction => u128::from(if track.direction() == REPLY { REPLY } else { ORIGINAL }),
            Ct::Expiration => connection.lasts(self.packet.world.now).as_millis(),
            Ct::L3Proto => u128::from(connection.family().number()),
            Ct::Protocol => u128::from(tuple.protocol),
            Ct::SourceIp => address(tuple.source, true)?,
            Ct::DestinationIp => address(tuple.destination, true)?,
            Ct::SourceIp6 => address(tuple.source, false)?,
            Ct::DestinationIp6 => address(tuple.destination, false)?,
            Ct::SourcePort => u128::from(tuple.source_port),
            Ct::DestinationPort => u128::from(tuple.destination_port),
        })
    }

    /// `nft_fib4_eval_type`: the kind of an address as `RTN_*`.
    fn fib_type(&self, source: bool, iif: bool, oif: bool) -> u128 {
        let Around { at, ip, .. } = self.packet;
        let dev = match (iif, oif) {
            (true, _) => at.input,
            (_, true) => at.output,
            _ => None,
        };
        let address = if source { ip.source } else { ip.destination };
        u128::from(self.packet.kind_of(address, dev).trailing_zeros() % 16)
    }
}

/// An interface's name as a datum.
pub(super) fn interface(name: &str) -> u128 {
    let mut bytes = [0u8; 16];
    for (place, byte) in bytes.iter_mut().zip(name.bytes()) {
        *place = byte;
    }
    u128::from_be_bytes(bytes)
}

/// Bits of a header as a number.
fn bits(bytes: &[u8], offset: u16, count: u16) -> Option<u128> {
    let (start, end) = (usize::from(offset), usize::from(offset) + usize::from(count));
    let covering = bytes.get(start / 8..end.div_ceil(8))?;
    // At most 128 bits are asked for, and those begin with a byte.
    let value = covering.iter().take(16).fold(0u128, |value, byte| value << 8 | u128::from(*byte));
    let value = value >> (end.div_ceil(8) * 8 - end);
    Some(if count >= 128 { value } else { value & ((1 << count) - 1) })
}

/// Writes bits of a header; false where it is too short.
pub(super) fn write_bits(bytes: &mut [u8], offset: u16, count: u16, value: u128) -> bool {
    let (start, end) = (usize::from(offset), usize::from(offset) + usize::from(count));
    let Some(covering) = bytes.get_mut(start / 8..end.div_ceil(8)).filter(|found| found.len() <= 16) else {
        return false;
    };
    let shift = end.div_ceil(8) * 8 - end;
    let mask = if count >= 128 { u128::MAX } else { ((1 << count) - 1) << shift };
    let old = covering.iter().fold(0u128, |value, byte| value << 8 | u128::from(*byte));
    let new = old & !mask | value << shift & mask;
    let len = covering.len();
    if let Some(from) = new.to_be_bytes().get(16 - len..) {
        covering.copy_from_slice(from);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_read_and_written_where_they_are() {
        let mut header = [0x45u8, 0xb8, 0x12, 0x34];
        assert_eq!(bits(&header, 0, 4), Some(4));
        assert_eq!(bits(&header, 8, 6), Some(0x2e));
        assert_eq!(bits(&header, 16, 16), Some(0x1234));
        assert_eq!(bits(&header, 24, 16), None);
        assert!(write_bits(&mut header, 8, 6, 0x08));
        assert_eq!(header, [0x45, 0x20, 0x12, 0x34]);
    }
}
