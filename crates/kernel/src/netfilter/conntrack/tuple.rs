//! What identifies a connection's packets (`struct nf_conntrack_tuple`).

use std::hash::{Hash, Hasher};
use std::net::IpAddr;

pub use hairpin_netlink::netfilter::conntrack::Tuple;

use crate::netfilter::packet::{Ip, protocol};

/// A tuple as the key of the table of connections: hashed by whole words.
///
/// The zone of its answers is no part of it.
#[derive(Clone, Copy, Debug, Eq)]
pub(super) struct Key(pub Tuple);

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        let zones = [self.0.zones[0], other.0.zones[1]];
        Tuple { zones, ..self.0 } == other.0
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Tuple { source, destination, protocol, source_port, destination_port, zones } = self.0;
        match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                state.write_u64(u64::from(u32::from(source)) << 32 | u64::from(u32::from(destination)));
            }
            (source, destination) => {
                for address in [source, destination] {
                    let bits = match address {
                        IpAddr::V4(address) => u128::from(u32::from(address)),
                        IpAddr::V6(address) => u128::from(address),
                    };
                    state.write_u64((bits >> 64) as u64);
                    state.write_u64(bits as u64);
                }
            }
        }
        let ports = u64::from(source_port) << 16 | u64::from(destination_port);
        state.write_u64(u64::from(zones[0]) << 40 | u64::from(protocol) << 32 | ports);
    }
}

/// `nf_ct_get_tuple`: of a packet, whose transport header is `payload`. None where it has none to speak of.
pub(crate) fn of_packet(ip: &Ip, payload: &[u8]) -> Option<Tuple> {
    let (source_port, destination_port) = match ip.protocol {
        protocol::ICMP | protocol::ICMPV6 => {
            let head = payload.first_chunk::<8>()?;
            (u16::from_be_bytes([head[4], head[5]]), u16::from_be_bytes([head[0], head[1]]))
        }
        protocol::TCP | protocol::UDP | protocol::SCTP | protocol::UDPLITE | 33 => {
            let head = payload.first_chunk::<8>()?;
            (u16::from_be_bytes([head[0], head[1]]), u16::from_be_bytes([head[2], head[3]]))
        }
        _ => (0, 0),
    };
    Some(Tuple {
        source: ip.source,
        destination: ip.destination,
        protocol: ip.protocol,
        source_port,
        destination_port,
        zones: [0, 0],
    })
}

/// `nf_ct_invert_tuple`: what the answer looks like. None for ICMP messages that have no answer.
pub(crate) fn inverse(tuple: &Tuple) -> Option<Tuple> {
    let (source_port, destination_port) = match tuple.protocol {
        protocol::ICMP | protocol::ICMPV6 => {
            let (kind, code) = tuple.icmp();
            let answer = match tuple.protocol {
                protocol::ICMP => inverse_icmp(kind)?,
                _ => inverse_icmpv6(kind)?,
            };
            (tuple.source_port, u16::from_be_bytes([answer, code]))
        }
        _ => (tuple.destination_port, tuple.source_port),
    };
    Some(Tuple {
        source: tuple.destination,
        destination: tuple.source,
        protocol: tuple.protocol,
        source_port,
        destination_port,
        zones: [tuple.zones[1], tuple.zones[0]],
    })
}

/// Requests and answers of ICMP: echo, time stamp, information, address mask (RFC 792, RFC 950).
fn inverse_icmp(kind: u8) -> Option<u8> {
    const PAIRS: &[(u8, u8)] = &[(8, 0), (13, 14), (15, 16), (17, 18)];
    other_of(PAIRS, kind)
}

/// Echo and node information of ICMPv6 (RFC 4443, RFC 4620).
fn inverse_icmpv6(kind: u8) -> Option<u8> {
    const PAIRS: &[(u8, u8)] = &[(128, 129), (139, 140)];
    other_of(PAIRS, kind)
}

fn other_of(pairs: &[(u8, u8)], kind: u8) -> Option<u8> {
    pairs.iter().find_map(|(a, b)| match kind {
        kind if kind == *a => Some(*b),
        kind if kind == *b => Some(*a),
        _ => None,
    })
}

/// Whether an ICMP message may begin a connection.
pub(super) fn begins_icmp(tuple: &Tuple) -> bool {
    let (kind, _) = tuple.icmp();
    match tuple.protocol {
        protocol::ICMP => matches!(kind, 8 | 13 | 15 | 17),
        _ => matches!(kind, 128 | 139),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_the_inverse_of_its_request() {
        let request = Tuple {
            source: [10, 0, 0, 1].into(),
            destination: [10, 0, 0, 2].into(),
            protocol: protocol::ICMP,
            source_port: 777,
            destination_port: 0x0800,
            zones: [1, 2],
        };
        let answer = inverse(&request).expect("echo has an answer");
        assert_eq!(answer.icmp(), (0, 0));
        assert_eq!((answer.source, answer.source_port), (request.destination, 777));
        assert_eq!(answer.zones, [2, 1]);
        assert_eq!(inverse(&answer), Some(request));
        assert_eq!(inverse(&Tuple { destination_port: 0x0300, ..request }), None);
    }
}
