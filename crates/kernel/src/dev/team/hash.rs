//! The hash by which mode loadbalance chooses a port: what `teamd` compiles for its `tx_hash` (teamd_bpf_chef.c of
//! libteam), and the kernel folds to a byte (`lb_get_skb_hash`).

use hairpin_netlink::team::TeamHash;

use crate::frame::{Frame, ethertype};

const TYPE_AT: usize = 12;
/// EtherType of VLANs.
const TAGGED: u32 = 0x8100;
const TAG_LEN: usize = 4;
const VLAN_ID: u32 = 0x0fff;
const TCP: u8 = 6;
const UDP: u8 = 17;
const SCTP: u8 = 132;

/// A frame's hash; 0 for one that is too short for what is to be covered, as a filter that reads beyond the end says.
pub fn hash(parts: TeamHash, frame: &Frame) -> u8 {
    words(parts, frame).unwrap_or(0).to_ne_bytes().iter().fold(0, |hash, byte| hash ^ byte)
}

fn words(parts: TeamHash, frame: &Frame) -> Option<u32> {
    let bytes = frame.bytes();
    let half = |at: usize| bytes.get(at..at + 2).map(|at| u32::from(u16::from_be_bytes([at[0], at[1]])));
    let word = |at: usize| Some(half(at)? << 16 | half(at + 2)?);
    let mut hash = 0;
    if parts.covers(TeamHash::ETHERNET) {
        hash ^= word(2)? ^ half(0)? ^ word(8)? ^ half(6)?;
    }
    if parts.0 & !TeamHash::ETHERNET.0 == 0 {
        return Some(hash);
    }
    let tagged = half(TYPE_AT)? == TAGGED;
    let shift = if tagged { TAG_LEN } else { 0 };
    if parts.covers(TeamHash::VLAN) {
        hash ^= match tagged {
            true => half(TYPE_AT + 2)? & VLAN_ID,
            false => frame.tag.map_or(0, |tag| u32::from(tag.tci)),
        };
    }
    let ports = |protocol: u8| match protocol {
        TCP => parts.covers(TeamHash::TCP),
        UDP => parts.covers(TeamHash::UDP),
        SCTP => parts.covers(TeamHash::SCTP),
        _ => false,
    };
    let any_ports = parts.0 & (TeamHash::TCP.0 | TeamHash::UDP.0 | TeamHash::SCTP.0) != 0;
    match u16::try_from(half(TYPE_AT + shift)?) {
        Ok(ethertype::IPV4) => {
            if parts.covers(TeamHash::IPV4) {
                hash ^= word(26 + shift)? ^ word(30 + shift)?;
            }
            const FRAGMENT: u32 = 0x1fff;
            if any_ports && half(20 + shift)? & FRAGMENT == 0 && ports(*bytes.get(23 + shift)?) {
                let header = usize::from(bytes.get(14 + shift)? & 0x0f) * 4;
                hash ^= half(14 + shift + header)? ^ half(16 + shift + header)?;
            }
        }
        Ok(ethertype::IPV6) => {
            if parts.covers(TeamHash::IPV6) {
                for at in (22..54).step_by(4) {
                    hash ^= word(at + shift)?;
                }
            }
            // The source port is read, but what comes of it is not kept.
            if any_ports && ports(*bytes.get(20 + shift)?) {
                half(54 + shift)?;
                hash ^= half(56 + shift)?;
            }
        }
        _ => {}
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Pool;
    use crate::mac::Mac;

    fn frame(kind: u16, payload: &[u8]) -> Frame {
        let mut frame = Pool::default().frame(crate::frame::ETH_LEN + payload.len());
        frame.set_header(Mac([2, 0, 0, 0, 0, 0x30]), Mac([2, 0, 0, 0, 0, 1]), kind);
        frame.payload_mut().copy_from_slice(payload);
        frame
    }

    /// An IPv4 packet of 10.0.0.1 with ports 1000 and 2000, if it has a header of 20 bytes.
    fn packet(protocol: u8, last: u8) -> Vec<u8> {
        let mut packet = vec![0; 28];
        packet[0] = 0x45;
        packet[9] = protocol;
        packet[12..20].copy_from_slice(&[10, 0, 0, 1, 10, 0, 0, last]);
        packet[20..24].copy_from_slice(&[0x03, 0xe8, 0x07, 0xd0]);
        packet
    }

    #[test]
    fn it_covers_what_it_is_told_to() {
        let parts = |words: &[&str]| {
            TeamHash(words.iter().filter_map(|word| TeamHash::of(word)).fold(0, |all, part| all | part.0))
        };
        let all = parts(&["eth", "ipv4", "ipv6"]);
        // As seen on a real Linux 6.1: 10.0.0.91 by the second of two ports, 10.0.0.92 by the first.
        assert_eq!(hash(all, &frame(ethertype::IPV4, &packet(1, 91))), 0x6b);
        assert_eq!(hash(all, &frame(ethertype::IPV4, &packet(1, 92))), 0x6c);
        assert_eq!(hash(parts(&["eth"]), &frame(ethertype::IPV4, &packet(1, 92))), 0x31);
        assert_eq!(hash(parts(&["nonesuch"]), &frame(ethertype::IPV4, &packet(1, 92))), 0);
        let ports = 0x03 ^ 0xe8 ^ 0x07 ^ 0xd0;
        assert_eq!(hash(parts(&["l4"]), &frame(ethertype::IPV4, &packet(UDP, 92))), ports);
        assert_eq!(hash(parts(&["tcp"]), &frame(ethertype::IPV4, &packet(UDP, 92))), 0);
        assert_eq!(hash(all, &frame(ethertype::ARP, &[0; 28])), 0x31, "neither of the families");
        assert_eq!(hash(all, &frame(ethertype::IPV4, &[0x45])), 0, "too short");
    }
}
