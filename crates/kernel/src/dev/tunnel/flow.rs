//! The flow that a packet belongs to, as a number: tunnels choose their source port and flow label by it.

use hairpin_wire::vlan::Tag;

use crate::frame::{ETH_LEN, Frame, ethertype};
use crate::ip::{Header, protocol};

/// `udp_flow_src_port`: a port of `low..high` by the flow of the packet; both directions of a flow have the same.
pub fn source_port(frame: &Frame, (low, high): (u16, u16)) -> u16 {
    let hash = u64::from(flow_hash(frame));
    let span = u64::from(high.saturating_sub(low));
    low.saturating_add(((hash * span) >> 32) as u16)
}

/// A hash of addresses, protocol and ports, whichever the direction (`skb_get_hash`).
pub fn flow_hash(frame: &Frame) -> u32 {
    let mut state = Fnv::new();
    let mut at = ETH_LEN;
    let mut kind = frame.ethertype();
    if Tag::is_tpid(kind)
        && let Some(&[tci, low, a, b]) = frame.payload().first_chunk()
    {
        state.add(&[tci & 0x0f, low]);
        kind = u16::from_be_bytes([a, b]);
        at += hairpin_wire::vlan::TAG_LEN;
    }
    state.add(&kind.to_be_bytes());
    let packet = frame.bytes().get(at..).unwrap_or(&[]);
    match kind {
        ethertype::IPV4 => {
            if let Some(header) = Header::quoted(packet) {
                state.add_both(&header.source.octets(), &header.destination.octets());
                state.add(&[header.protocol]);
                if !header.is_fragment() {
                    let rest = packet.get(header.header_len..).unwrap_or(&[]);
                    ports(&mut state, header.protocol, rest);
                }
            }
        }
        ethertype::IPV6 => {
            if let (Some(source), Some(destination)) = (packet.get(8..24), packet.get(24..40)) {
                state.add_both(source, destination);
                let next = packet.get(6).copied().unwrap_or(0);
                state.add(&[next]);
                ports(&mut state, next, packet.get(40..).unwrap_or(&[]));
            }
        }
        _ => {}
    }
    state.finish()
}

fn ports(state: &mut Fnv, protocol: u8, rest: &[u8]) {
    match (protocol, rest) {
        (protocol::TCP | protocol::UDP, &[a, b, c, d, ..]) => state.add_both(&[a, b], &[c, d]),
        // The identifier of an echo request and its reply.
        (protocol::ICMP, &[0 | 8, _, _, _, a, b, ..]) => state.add(&[a, b]),
        _ => {}
    }
}

/// The hash function FNV-1a, 32 bits, its bits mixed in the end.
struct Fnv(u32);

impl Fnv {
    fn new() -> Fnv {
        Fnv(0x811c_9dc5)
    }

    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
    }

    /// The same whichever of the two comes first.
    fn add_both(&mut self, one: &[u8], other: &[u8]) {
        let (first, second) = if one <= other { (one, other) } else { (other, one) };
        self.add(first);
        self.add(second);
    }

    fn finish(self) -> u32 {
        let mixed = (self.0 ^ self.0 >> 16).wrapping_mul(0x85eb_ca6b);
        mixed ^ mixed >> 13
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::packet;
    use super::*;

    #[test]
    fn both_directions_of_a_flow_have_one_port_within_the_range() {
        let (a, b) = ([10, 0, 0, 1], [10, 0, 0, 2]);
        let range = (32768, 60999);
        let port = source_port(&packet(a, b, 0), range);
        assert_eq!(port, source_port(&packet(b, a, 0), range));
        assert!((range.0..range.1).contains(&port));
        assert_eq!(source_port(&packet(a, b, 0), (50000, 50001)), 50000);
        assert_ne!(port, source_port(&packet(a, [10, 0, 0, 3], 0), range));
    }
}
