//! Which slave a frame takes in the modes that hash (`bond_xmit_hash`).

use super::options::HashPolicy;
use crate::frame::{Frame, ethertype};

/// `IPPROTO_*`
mod protocol {
    pub const ICMP: u8 = 1;
    pub const IPIP: u8 = 4;
    pub const TCP: u8 = 6;
    pub const UDP: u8 = 17;
    pub const IPV6: u8 = 41;
    pub const GRE: u8 = 47;
    pub const ESP: u8 = 50;
    pub const AH: u8 = 51;
    pub const ICMPV6: u8 = 58;
    pub const SCTP: u8 = 132;
    pub const UDPLITE: u8 = 136;
}

/// What of a packet goes into the hash (`struct flow_keys`), as the words that lie in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Flow {
    source: u32,
    destination: u32,
    ports: u32,
    /// Type, code and id of an ICMP message with an id.
    icmp: Option<u32>,
}

/// The hash of a frame; a slave is chosen by its remainder.
pub fn hash(policy: HashPolicy, frame: &Frame) -> u32 {
    let flow = |tunnels, ports| Flow::dissect(frame.ethertype(), frame.payload(), tunnels, ports);
    match policy {
        HashPolicy::Layer2 => link(frame),
        HashPolicy::Layer23 => flow(false, false).map_or(link(frame), |flow| fold(link(frame), &flow)),
        HashPolicy::Encap23 => flow(true, false).map_or(link(frame), |flow| fold(link(frame), &flow)),
        HashPolicy::Layer34 => flow(false, true).map_or(link(frame), |flow| layer4(&flow)),
        HashPolicy::Encap34 => flow(true, true).map_or(link(frame), |flow| layer4(&flow)),
        HashPolicy::VlanSrcMac => vlan_and_source(frame),
    }
}

/// `bond_eth_hash`
fn link(frame: &Frame) -> u32 {
    let (destination, source) = (frame.destination().0[5], frame.source().0[5]);
    u32::from(destination) ^ u32::from(source) ^ u32::from(frame.ethertype())
}

/// `bond_ip_hash`
fn fold(hash: u32, flow: &Flow) -> u32 {
    let hash = hash ^ flow.destination ^ flow.source;
    let hash = hash ^ (hash >> 16);
    hash ^ (hash >> 8)
}

/// The lowest bit of ports is even too often to be of use.
fn layer4(flow: &Flow) -> u32 {
    fold(flow.icmp.unwrap_or(flow.ports), flow) >> 1
}

/// `bond_vlan_srcmac_hash`
fn vlan_and_source(frame: &Frame) -> u32 {
    let [a, b, c, d, e, f] = frame.source().0;
    let vlan = frame.tag.map_or(0, |tag| u32::from(tag.tci));
    vlan ^ u32::from_be_bytes([0, a, b, c]) ^ u32::from_be_bytes([0, d, e, f])
}

/// Four bytes as the word that a little-endian machine reads.
fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

/// Headers that one packet is looked into for.
const DEPTH_MAX: u32 = 8;

impl Flow {
    /// `bond_flow_dissect`: of IP packets, and with `tunnels` of the packet inside.
    fn dissect(kind: u16, bytes: &[u8], tunnels: bool, ports: bool) -> Option<Flow> {
        let (mut kind, mut bytes) = (kind, bytes);
        let mut quoted = false;
        for _ in 0..DEPTH_MAX {
            let (mut flow, protocol, rest) = match kind {
                ethertype::IPV4 => Flow::ipv4(bytes)?,
                ethertype::IPV6 => Flow::ipv6(bytes)?,
                // `__skb_flow_dissect` finds nothing to take from ARP, and no fault in it.
                ethertype::ARP if tunnels => return Some(Flow::default()),
                _ => return None,
            };
            match protocol {
                Some(protocol::IPIP) if tunnels => kind = ethertype::IPV4,
                Some(protocol::IPV6) if tunnels => kind = ethertype::IPV6,
                Some(protocol::ICMP | protocol::ICMPV6) if !quoted => {
                    let v4 = protocol == Some(protocol::ICMP);
                    flow.icmp = icmp(rest, v4);
                    if !rest.first().is_some_and(|kind| is_error(*kind, v4)) {
                        return Some(flow);
                    }
                    // An error belongs to the flow that it quotes.
                    quoted = true;
                    bytes = rest.get(8..).unwrap_or(&[]);
                    continue;
                }
                Some(protocol) => {
                    if ports {
                        flow.ports = port_words(protocol, rest);
                    }
                    return Some(flow);
                }
                None => return Some(flow),
            }
            bytes = rest;
        }
        None
    }

    fn ipv4(bytes: &[u8]) -> Option<(Flow, Option<u8>, &[u8])> {
        let header = usize::from(bytes.first()? & 0xf) * 4;
        let flow = Flow { source: word(bytes, 12)?, destination: word(bytes, 16)?, ..Flow::default() };
        let fragment = u16::from_be_bytes([*bytes.get(6)?, *bytes.get(7)?]) & 0x3fff != 0;
        let protocol = (!fragment).then_some(*bytes.get(9)?);
        Some((flow, protocol, bytes.get(header..).unwrap_or(&[])))
    }

    fn ipv6(bytes: &[u8]) -> Option<(Flow, Option<u8>, &[u8])> {
        let address = |at: usize| {
            let words = [word(bytes, at)?, word(bytes, at + 4)?, word(bytes, at + 8)?, word(bytes, at + 12)?];
            Some(words.iter().fold(0, |hash, word| hash ^ word))
        };
        let flow = Flow { source: address(8)?, destination: address(24)?, ..Flow::default() };
        Some((flow, Some(*bytes.get(6)?), bytes.get(40..).unwrap_or(&[])))
    }
}

/// `skb_flow_get_ports`
fn port_words(protocol: u8, bytes: &[u8]) -> u32 {
    use protocol::{AH, ESP, GRE, SCTP, TCP, UDP, UDPLITE};
    match protocol {
        TCP | UDP | SCTP | ESP | UDPLITE => word(bytes, 0).unwrap_or(0),
        AH => word(bytes, 4).unwrap_or(0),
        GRE => 0,
        _ => 0,
    }
}

/// `skb_flow_get_icmp_tci`: none for a message without an id.
fn icmp(bytes: &[u8], v4: bool) -> Option<u32> {
    let [kind, code, _, _, high, low, ..] = *bytes.first_chunk::<8>()?;
    // `icmp_has_id` knows both families' echo types, and IPv4's time stamps.
    let has_id = match kind {
        0 | 8 | 13 | 14 => v4 || kind == 0 || kind == 8,
        128 | 129 => true,
        _ => false,
    };
    if !has_id {
        return None;
    }
    let id = u16::from_be_bytes([high, low]).max(1).to_le_bytes();
    Some(u32::from_le_bytes([kind, code, id[0], id[1]]))
}

/// `icmp_is_err`, `icmpv6_is_err`
fn is_error(kind: u8, v4: bool) -> bool {
    match v4 {
        true => matches!(kind, 3 | 4 | 5 | 11 | 12),
        false => kind & 0x80 == 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Pool;
    use crate::mac::Mac;

    fn frame(destination: u8, kind: u16, payload: &[u8]) -> Frame {
        let mut frame = Pool::default().frame(14 + payload.len());
        frame.set_header(Mac([2, 0, 0, 0, 0, destination]), Mac([2, 0, 0, 0, 0, 1]), kind);
        frame.payload_mut().copy_from_slice(payload);
        frame
    }

    fn udp(sport: u16, last: u8) -> Vec<u8> {
        let mut bytes = vec![0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, last];
        bytes.extend(sport.to_be_bytes());
        bytes.extend([0, 53, 0, 8, 0, 0]);
        bytes
    }

    /// Slaves that a real Linux 6.1 chose among two, with the bond's MAC 02:…:01.
    #[test]
    fn slaves_are_those_that_linux_chose() {
        let slave = |policy, frame: &Frame| hash(policy, frame) % 2;
        assert_eq!(slave(HashPolicy::Layer2, &frame(0x98, 0x88b5, &[0; 46])), 0);
        assert_eq!(slave(HashPolicy::Layer2, &frame(0x99, 0x88b5, &[0; 46])), 1);
        for (port, expected) in [(1000, 0), (1001, 0), (1002, 1), (1003, 1)] {
            let frame = frame(0x99, ethertype::IPV4, &udp(port, 2));
            assert_eq!(slave(HashPolicy::Layer34, &frame), expected, "port {port}");
            assert_eq!(slave(HashPolicy::Layer2, &frame), 0);
        }
    }

    #[test]
    fn what_is_no_whole_ip_packet_is_hashed_by_its_link() {
        let short = frame(0x99, ethertype::IPV4, &[0x45, 0, 0]);
        assert_eq!(hash(HashPolicy::Layer34, &short), link(&short));
        assert_eq!(hash(HashPolicy::Encap23, &short), link(&short));
    }

    #[test]
    fn tunnels_are_looked_into_where_the_policy_says_so() {
        let inner = udp(1002, 2);
        let mut outer = vec![0x45, 0, 0, 48, 0, 0, 0, 0, 64, 4, 0, 0, 1, 0, 0, 1, 1, 0, 0, 9];
        outer.extend(&inner);
        let tunnelled = frame(0x99, ethertype::IPV4, &outer);
        let plain = frame(0x99, ethertype::IPV4, &inner);
        assert_eq!(hash(HashPolicy::Encap34, &tunnelled), hash(HashPolicy::Layer34, &plain));
        assert_ne!(hash(HashPolicy::Layer34, &tunnelled), hash(HashPolicy::Layer34, &plain));
    }
}
