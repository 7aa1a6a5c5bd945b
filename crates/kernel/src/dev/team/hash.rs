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
