//! Extension headers as far as this stack needs them (net/ipv6/exthdrs.c, RFC 8200 §4).

use super::{HEADER_LEN, next};

/// What an options header asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Options {
    /// It may be passed over.
    Skip,
    /// The packet is discarded, silently.
    Discard,
    /// Discarded, and the sender is told which byte of the packet is to blame. `group_too`: also where the
    /// destination is a multicast group.
    Report { pointer: u32, group_too: bool },
}

/// Length of the header at `at`: none if the packet ends before it does.
pub(super) fn length(packet: &[u8], at: usize) -> Option<usize> {
    let len = (usize::from(*packet.get(at + 1)?) + 1) * 8;
    (packet.len() >= at + len).then_some(len)
}

/// `ip6_parse_tlv`: the two highest bits of an unknown option say what to do.
pub(super) fn options(packet: &[u8], at: usize, len: usize) -> Options {
    let mut place = at + 2;
    let end = at + len;
    while place < end {
        let kind = packet.get(place).copied().unwrap_or(0);
        if kind == 0 {
            place += 1;
            continue;
        }
        let Some(option_len) = packet.get(place + 1).map(|len| usize::from(*len) + 2) else {
            return Options::Discard;
        };
        if place + option_len > end {
            return Options::Discard;
        }
        match kind {
            // Padding, router alert.
            1 | 5 => {}
            kind => match kind >> 6 {
                0 => {}
                1 => return Options::Discard,
                action => {
                    return Options::Report { pointer: place as u32, group_too: action == 2 };
                }
            },
        }
        place += option_len;
    }
    Options::Skip
}

/// Where the fragment header is, if the packet has one.
pub(super) fn fragment_header(packet: &[u8]) -> Option<usize> {
    let (mut kind, mut at) = (*packet.get(6)?, HEADER_LEN);
    for _ in 0..16 {
        if kind == next::FRAGMENT {
            return Some(at);
        }
        if !is_extension(kind) {
            return None;
        }
        let len = length(packet, at)?;
        (kind, at) = (*packet.get(at)?, at + len);
    }
    None
}

/// Whether the header is one that others may follow.
pub(super) fn is_extension(kind: u8) -> bool {
    matches!(kind, next::HOP | next::ROUTING | next::FRAGMENT | next::DESTINATION)
}

/// Where the upper layer starts, and which it is (`ipv6_skip_exthdr`); none behind a fragment that is not the
/// first, and where the packet ends too early.
pub(crate) fn upper_layer(packet: &[u8]) -> Option<(u8, usize)> {
    let mut kind = *packet.get(6)?;
    let mut at = HEADER_LEN;
    for _ in 0..8 {
        if !is_extension(kind) {
            return Some((kind, at));
        }
        let len = match kind {
            next::FRAGMENT => {
                let offset = u16::from_be_bytes([*packet.get(at + 2)?, *packet.get(at + 3)?]) & !7;
                if offset != 0 {
                    return None;
                }
                8
            }
            _ => length(packet, at)?,
        };
        kind = *packet.get(at)?;
        at += len;
    }
    None
}

/// The byte that names the header at `at`: in the fixed header, or in an extension header before it.
pub(super) fn naming(packet: &[u8], at: usize) -> Option<usize> {
    let (mut namer, mut place) = (6, HEADER_LEN);
    for _ in 0..8 {
        if place == at {
            return Some(namer);
        }
        namer = place;
        place += length(packet, place)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(kind: u8, rest: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; HEADER_LEN];
        bytes[6] = kind;
        bytes.extend(rest);
        bytes
    }

    #[test]
    fn the_upper_layer_is_found_behind_extension_headers() {
        let hop = [58, 0, 5, 2, 0, 0, 1, 0];
        assert_eq!(upper_layer(&packet(next::HOP, &hop)), Some((58, 48)));
        assert_eq!(upper_layer(&packet(58, &[])), Some((58, 40)));
        assert_eq!(upper_layer(&packet(next::FRAGMENT, &[17, 0, 0, 8, 0, 0, 0, 1])), None);
        assert_eq!(upper_layer(&packet(next::FRAGMENT, &[17, 0, 0, 1, 0, 0, 0, 1])), Some((17, 48)));
        assert_eq!(upper_layer(&packet(next::HOP, &hop[..5])), None);
        assert_eq!(naming(&packet(next::HOP, &hop), 48), Some(40));
    }

    #[test]
    fn unknown_options_say_what_to_do() {
        let of = |kind: u8| options(&packet(next::DESTINATION, &[58, 0, kind, 4, 0, 0, 0, 0]), 40, 8);
        assert_eq!(of(0x1e), Options::Skip);
        assert_eq!(of(0x5e), Options::Discard);
        assert_eq!(of(0x9e), Options::Report { pointer: 42, group_too: true });
        assert_eq!(of(0xde), Options::Report { pointer: 42, group_too: false });
        assert_eq!(options(&packet(0, &[58, 0, 0x1e, 9, 0, 0, 0, 0]), 40, 8), Options::Discard);
    }
}
