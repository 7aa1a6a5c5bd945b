//! Matches of IPv6's extension headers and of IPsec's (net/ipv6/netfilter/ip6t_frag.c, ip6t_rt.c, ip6t_hbh.c,
//! ip6t_ipv6header.c, ip6t_mh.c, ip6t_eui64.c, ip6t_ah.c, net/ipv4/netfilter/ipt_ah.c, net/netfilter/xt_esp.c).

use hairpin_netlink::netfilter::Family;
use hairpin_netlink::netfilter::headers::{Authentication, Behind, Fragment, Headers, Options, Routing};

use super::packet::Ip;

/// `NEXTHDR_*`
mod next {
    pub const HOP: u8 = 0;
    pub const ROUTING: u8 = 43;
    pub const FRAGMENT: u8 = 44;
    pub const ESP: u8 = 50;
    pub const AUTH: u8 = 51;
    pub const NONE: u8 = 59;
    pub const DEST: u8 = 60;
}

const IPV6_HEADER_LEN: usize = 40;
/// Addresses of a routing header of type 0 begin behind so many bytes.
const ROUTING_FIXED_LEN: usize = 8;

/// The packet is what no packet should be, and is dropped whatever the rule says (`hotdrop`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// What is looked at: the packet from its IP header on, and the sender's MAC and EtherType where it came over Ethernet.
#[derive(Clone, Copy)]
pub(super) struct Packet<'a> {
    pub bytes: &'a [u8],
    pub ip: &'a Ip,
    pub link: Option<([u8; 6], u16)>,
}

pub(super) fn has(packet: Packet<'_>, wanted: &Behind) -> Result<bool, Malformed> {
    match wanted {
        Behind::Fragment(wanted) => is_fragment(packet, wanted),
        Behind::Routing(wanted) => is_routed(packet, wanted),
        Behind::Headers(wanted) => Ok(has_headers(packet, wanted)),
        Behind::Options(wanted) => has_options(packet, wanted),
        Behind::Mobility(low, high, invert) => {
            // `mh_mt6`: not of a later fragment; nothing may follow the header.
            if packet.ip.offset != 0 {
                return Ok(false);
            }
            let &[protocol, _, kind, ..] =
                packet.ip.payload(packet.bytes).first_chunk::<6>().ok_or(Malformed)?;
            if protocol != next::NONE {
                return Err(Malformed);
            }
            Ok((*low <= kind && kind <= *high) != *invert)
        }
        Behind::Eui64 => Ok(is_eui64(packet)),
        Behind::Ah(wanted) => is_authenticated(packet, wanted),
        Behind::Esp(spi) => {
            if packet.ip.offset != 0 {
                return Ok(false);
            }
            let head = packet.ip.payload(packet.bytes).first_chunk::<8>().ok_or(Malformed)?;
            Ok(spi.contains(word(head, 0).ok_or(Malformed)?))
        }
    }
}

/// The first extension header of a kind, with what follows it (`ipv6_find_hdr`); none in a later fragment but those in
/// front of its own.
fn find(packet: Packet<'_>, target: u8) -> Result<Option<&[u8]>, Malformed> {
    let mut kind = *packet.bytes.get(6).ok_or(Malformed)?;
    let mut rest = packet.bytes.get(IPV6_HEADER_LEN..).ok_or(Malformed)?;
    loop {
        let len = match kind {
            next::HOP | next::ROUTING | next::DEST => {
                let &[_, len] = rest.first_chunk::<2>().ok_or(Malformed)?;
                (usize::from(len) + 1) * 8
            }
            next::FRAGMENT => 8,
            next::AUTH => (usize::from(*rest.get(1).ok_or(Malformed)?) + 2) * 4,
            _ => return Ok(None),
        };
        let found = kind == target;
        if kind == next::ROUTING && rest.len() < 4 {
            return Err(Malformed);
        }
        if kind == next::FRAGMENT {
            let field = half(rest, 2).ok_or(Malformed)?;
            if field & 0xfff8 != 0 {
                return Ok(found.then_some(rest));
            }
        }
        if found {
            return Ok(Some(rest));
        }
        kind = *rest.first().ok_or(Malformed)?;
        // One that is longer than the packet is the last.
        rest = rest.get(len..).unwrap_or(&[]);
    }
}

/// `frag_mt6`
fn is_fragment(packet: Packet<'_>, wanted: &Fragment) -> Result<bool, Malformed> {
    let Some(header) = find(packet, next::FRAGMENT)? else { return Ok(false) };
    let head = header.first_chunk::<8>().ok_or(Malformed)?;
    let (field, id) = (u16::from_be_bytes([head[2], head[3]]), word(head, 4).ok_or(Malformed)?);
    let more = field & 1 != 0;
    Ok(wanted.id.contains(id)
        && !(wanted.reserved && (head[1] != 0 || field & 6 != 0))
        && !(wanted.first && field & 0xfff8 != 0)
        && (more || !wanted.more)
        && !(wanted.last && more))
}

/// `rt_mt6`
fn is_routed(packet: Packet<'_>, wanted: &Routing) -> Result<bool, Malformed> {
    let Some(header) = find(packet, next::ROUTING)? else { return Ok(false) };
    let &[_, len, kind, left] = header.first_chunk::<4>().ok_or(Malformed)?;
    let len = (usize::from(len) + 1) * 8;
    let header = header.get(..len).ok_or(Malformed)?;
    let mut is = wanted.segments_left.contains(left.into())
        && is_length(wanted.length, len)
        && wanted.kind.is_none_or(|(wanted, invert)| (wanted == u32::from(kind)) != invert);
    if is && wanted.reserved {
        is = word(header, 4).ok_or(Malformed)? == 0;
    }
    if wanted.addresses.is_empty() {
        return Ok(is);
    }
    let found = header.get(ROUTING_FIXED_LEN..).unwrap_or(&[]).chunks_exact(16);
    let count = found.len();
    let mut asked = wanted.addresses.iter().peekable();
    for address in found {
        let same = asked.peek().is_some_and(|asked| asked.octets() == address);
        if same {
            asked.next();
        } else if !wanted.not_strict {
            return Ok(false);
        }
    }
    let all = asked.peek().is_none() && (wanted.not_strict || count == wanted.addresses.len());
    Ok(is && all)
}

/// `hbh_mt6`
fn has_options(packet: Packet<'_>, wanted: &Options) -> Result<bool, Malformed> {
    let target = if wanted.hop_by_hop { next::HOP } else { next::DEST };
    let Some(header) = find(packet, target)? else { return Ok(false) };
    let &[_, len] = header.first_chunk::<2>().ok_or(Malformed)?;
    let len = (usize::from(len) + 1) * 8;
    let mut rest = header.get(2..len).ok_or(Malformed)?;
    for (at, (kind, option_len)) in wanted.options.iter().enumerate() {
        let Some(found) = rest.first() else { return Ok(false) };
        if found != kind {
            return Ok(false);
        }
        let step = match (*found, rest.get(1)) {
            // Pad1 has no length.
            (0, _) => 1,
            (_, None) => return Ok(false),
            (_, Some(len)) if *option_len != Options::ANY_LENGTH && option_len != len => return Ok(false),
            (_, Some(len)) => usize::from(*len) + 2,
        };
        match rest.get(step..) {
            Some(behind) => rest = behind,
            // The last may be longer than the header.
            None if at + 1 == wanted.options.len() => rest = &[],
            None => return Ok(false),
        }
    }
    Ok(is_length(wanted.length, len))
}

/// `ipv6header_mt6`
fn has_headers(packet: Packet<'_>, wanted: &Headers) -> bool {
    const PROTOCOL: u8 = 0x01;
    let Some(mut kind) = packet.bytes.get(6).copied() else { return false };
    let mut rest = packet.bytes.get(IPV6_HEADER_LEN..).unwrap_or(&[]);
    let mut found = 0u8;
    loop {
        let bit = match kind {
            next::HOP => 0x80,
            next::DEST => 0x40,
            next::ROUTING => 0x20,
            next::FRAGMENT => 0x10,
            next::AUTH => 0x08,
            next::NONE => {
                found |= 0x02;
                break;
            }
            next::ESP => {
                if rest.len() < 2 {
                    return false;
                }
                found |= 0x04;
                break;
            }
            _ => {
                found |= PROTOCOL;
                break;
            }
        };
        let Some(&[behind, len]) = rest.first_chunk::<2>() else { return false };
        found |= bit;
        let len = match kind {
            next::FRAGMENT => 8,
            next::AUTH => (usize::from(len) + 2) * 4,
            _ => (usize::from(len) + 1) * 8,
        };
        kind = behind;
        match rest.get(len..) {
            Some(behind) => rest = behind,
            None => {
                if !matches!(kind, next::NONE | next::ESP) {
                    found |= PROTOCOL;
                }
                break;
            }
        }
    }
    match wanted.soft {
        true if wanted.invert => found & wanted.mask == 0,
        true => found & wanted.mask == wanted.mask,
        false => (found == wanted.mask) != wanted.invert,
    }
}

/// `eui64_mt6` (RFC 4291, appendix A)
fn is_eui64(packet: Packet<'_>) -> bool {
    const ETH_P_IPV6: u16 = 0x86dd;
    let Some(([a, b, c, d, e, f], ETH_P_IPV6)) = packet.link else { return false };
    packet.bytes.get(16..24) == Some(&[a ^ 2, b, c, 0xff, 0xfe, d, e, f])
}

/// `ah_mt6`, `ah_mt`
fn is_authenticated(packet: Packet<'_>, wanted: &Authentication) -> Result<bool, Malformed> {
    const HEAD_LEN: usize = 12;
    if packet.ip.family == Family::Ipv4 {
        if packet.ip.offset != 0 {
            return Ok(false);
        }
        let head = packet.ip.payload(packet.bytes).get(..HEAD_LEN).ok_or(Malformed)?;
        return Ok(wanted.spi.contains(word(head, 4).ok_or(Malformed)?));
    }
    let Some(header) = find(packet, next::AUTH)? else { return Ok(false) };
    let head = header.get(..HEAD_LEN).ok_or(Malformed)?;
    let len = (usize::from(*head.get(1).ok_or(Malformed)?) + 2) * 4;
    if header.len() < len {
        return Err(Malformed);
    }
    let length = (wanted.length.0 != 0).then_some(wanted.length);
    Ok(wanted.spi.contains(word(head, 4).ok_or(Malformed)?)
        && is_length(length, len)
        && !(wanted.reserved && half(head, 2) != Some(0)))
}

fn is_length(wanted: Option<(u32, bool)>, len: usize) -> bool {
    wanted.is_none_or(|(wanted, invert)| (wanted as usize == len) != invert)
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|half| u16::from_be_bytes(*half))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|word| u32::from_be_bytes(*word))
}

#[cfg(test)]
mod tests;
