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
mod tests {
    use std::net::Ipv6Addr;

    use hairpin_netlink::netfilter::headers::Span;

    use super::*;

    /// Headers in hexadecimal, of packets from fd00::1 to fd00::2 (the last: from an address made of the MAC).
    const PACKETS: &[(&str, &str)] = &[
        (
            "udp",
            "6000000000101140fd000000000000000000000000000001fd00000000000000000000000000000203e807d0001000003132333435363738",
        ),
        (
            "hop",
            "6000000000180040fd000000000000000000000000000001fd000000000000000000000000000002110005020000010003e807d0001000003132333435363738",
        ),
        (
            "dst",
            "6000000000203c40fd000000000000000000000000000001fd0000000000000000000000000000021101001e04010203040105000000000003e807d0001000003132333435363738",
        ),
        (
            "rt0",
            "6000000000382b40fd000000000000000000000000000001fd0000000000000000000000000000021104000000000000fd000000000000000000000000000005fd00000000000000000000000000000603e807d0001000003132333435363738",
        ),
        (
            "rt0res",
            "6000000000482b40fd000000000000000000000000000001fd0000000000000000000000000000021106000000000007fd000000000000000000000000000005fd000000000000000000000000000009fd00000000000000000000000000000603e807d0001000003132333435363738",
        ),
        (
            "rt2",
            "6000000000282b40fd000000000000000000000000000001fd0000000000000000000000000000021102020100000000fd00000000000000000000000000000703e807d0001000003132333435363738",
        ),
        (
            "frag1",
            "6000000000182c40fd000000000000000000000000000001fd000000000000000000000000000002110000010000000503e807d0001000003132333435363738",
        ),
        (
            "frag2",
            "6000000000102c40fd000000000000000000000000000001fd00000000000000000000000000000211000008000000056162636465666768",
        ),
        (
            "fragres",
            "6000000000182c40fd000000000000000000000000000001fd000000000000000000000000000002110100000000100003e807d0001000003132333435363738",
        ),
        (
            "fraglow",
            "6000000000182c40fd000000000000000000000000000001fd000000000000000000000000000002110000020000000a03e807d0001000003132333435363738",
        ),
        (
            "ah",
            "6000000000283340fd000000000000000000000000000001fd00000000000000000000000000000211040000000000070000000100000000000000000000000003e807d0001000003132333435363738",
        ),
        (
            "ahres",
            "60000000002c3340fd000000000000000000000000000001fd0000000000000000000000000000021105000100000009000000010000000000000000000000000000000003e807d0001000003132333435363738",
        ),
        (
            "esp",
            "6000000000183240fd000000000000000000000000000001fd000000000000000000000000000002000001f40000000100000000000000000000000000000000",
        ),
        (
            "mh5",
            "6000000000088740fd000000000000000000000000000001fd0000000000000000000000000000023b00050000000000",
        ),
        (
            "mh1tcp",
            "6000000000088740fd000000000000000000000000000001fd0000000000000000000000000000020600010000000000",
        ),
        (
            "mhshort",
            "6000000000048740fd000000000000000000000000000001fd0000000000000000000000000000023b000100",
        ),
        ("none", "6000000000003b40fd000000000000000000000000000001fd000000000000000000000000000002"),
        (
            "ahshort",
            "6000000000083340fd000000000000000000000000000001fd0000000000000000000000000000021104000000000007",
        ),
        (
            "espshort",
            "6000000000043240fd000000000000000000000000000001fd00000000000000000000000000000231323334",
        ),
        (
            "all",
            "6000000000600040fd000000000000000000000000000001fd0000000000000000000000000000023c000502000001002b01001e0401020304010500000000002c02000000000000fd000000000000000000000000000005330000010000004d3c04000000000007000000010000000000000000000000003b01001e040102030401050000000000",
        ),
        (
            "late",
            "6000000000203c40fd000000000000000000000000000001fd0000000000000000000000000000022c01001e0401020304010500000000003c0000110000004d1100050200000100",
        ),
        (
            "eui",
            "6000000000101140fe80000000000000000000fffe000001fd00000000000000000000000000000203e807d0001000003132333435363738",
        ),
    ];

    fn span(low: u32, high: u32, invert: bool) -> Span {
        Span { low, high, invert }
    }

    fn addresses(last: &[u16]) -> Vec<Ipv6Addr> {
        last.iter().map(|last| Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, *last)).collect()
    }

    /// What Linux 6.1 said of each packet in turn: `1` matches, `!` is lost. A protocol that the match needs is asked for
    /// first, as by `-p`.
    #[test]
    fn headers_are_matched_as_by_linux() {
        let rows: &[(Option<u8>, Behind, &str)] = &[
            // -m frag
            (None, Behind::Fragment(Fragment { ..Fragment::default() }), "......1111.........11."),
            // -m frag --fragid 5
            (
                None,
                Behind::Fragment(Fragment { id: span(5, 5, false), ..Fragment::default() }),
                "......11..............",
            ),
            // -m frag ! --fragid 5:10
            (
                None,
                Behind::Fragment(Fragment { id: span(5, 10, true), ..Fragment::default() }),
                "........1..........11.",
            ),
            // -m frag --fragres
            (
                None,
                Behind::Fragment(Fragment { reserved: true, ..Fragment::default() }),
                "......11...........11.",
            ),
            // -m frag --fragfirst
            (
                None,
                Behind::Fragment(Fragment { first: true, ..Fragment::default() }),
                "......1.11.........1..",
            ),
            // -m frag --fragmore
            (
                None,
                Behind::Fragment(Fragment { more: true, ..Fragment::default() }),
                "......1............11.",
            ),
            // -m frag --fraglast
            (
                None,
                Behind::Fragment(Fragment { last: true, ..Fragment::default() }),
                ".......111............",
            ),
            // -m frag ! --fragid 0:4294967295
            (
                None,
                Behind::Fragment(Fragment { id: span(0, u32::MAX, true), ..Fragment::default() }),
                "......................",
            ),
            // -m rt
            (None, Behind::Routing(Routing { ..Routing::default() }), "...111.............1.."),
            // -m rt --rt-type 0
            (
                None,
                Behind::Routing(Routing { kind: Some((0, false)), ..Routing::default() }),
                "...11..............1..",
            ),
            // -m rt ! --rt-type 0
            (
                None,
                Behind::Routing(Routing { kind: Some((0, true)), ..Routing::default() }),
                ".....1................",
            ),
            // -m rt --rt-segsleft 1
            (
                None,
                Behind::Routing(Routing { segments_left: span(1, 1, false), ..Routing::default() }),
                ".....1................",
            ),
            // -m rt --rt-len 24
            (
                None,
                Behind::Routing(Routing { length: Some((24, false)), ..Routing::default() }),
                ".....1.............1..",
            ),
            // -m rt ! --rt-len 24
            (
                None,
                Behind::Routing(Routing { length: Some((24, true)), ..Routing::default() }),
                "...11.................",
            ),
            // -m rt --rt-type 0 --rt-0-res
            (
                None,
                Behind::Routing(Routing { kind: Some((0, false)), reserved: true, ..Routing::default() }),
                "...1...............1..",
            ),
            // -m rt --rt-type 0 --rt-0-addrs fd00::5,fd00::6
            (
                None,
                Behind::Routing(Routing {
                    kind: Some((0, false)),
                    addresses: addresses(&[5, 6]),
                    ..Routing::default()
                }),
                "...1..................",
            ),
            // -m rt --rt-type 0 --rt-0-addrs fd00::5,fd00::6 --rt-0-not-strict
            (
                None,
                Behind::Routing(Routing {
                    kind: Some((0, false)),
                    addresses: addresses(&[5, 6]),
                    not_strict: true,
                    ..Routing::default()
                }),
                "...11.................",
            ),
            // -m rt --rt-type 0 --rt-0-addrs fd00::5 --rt-0-not-strict
            (
                None,
                Behind::Routing(Routing {
                    kind: Some((0, false)),
                    addresses: addresses(&[5]),
                    not_strict: true,
                    ..Routing::default()
                }),
                "...11..............1..",
            ),
            // -m rt --rt-type 0 --rt-0-addrs fd00::5
            (
                None,
                Behind::Routing(Routing {
                    kind: Some((0, false)),
                    addresses: addresses(&[5]),
                    ..Routing::default()
                }),
                "...................1..",
            ),
            // -m ipv6header --header prot
            (
                None,
                Behind::Headers(Headers { mask: 0x01, invert: false, soft: false }),
                "1............111.....1",
            ),
            // -m ipv6header --header hop,prot
            (
                None,
                Behind::Headers(Headers { mask: 0x81, invert: false, soft: false }),
                ".1....................",
            ),
            // -m ipv6header ! --header hop,prot
            (
                None,
                Behind::Headers(Headers { mask: 0x81, invert: true, soft: false }),
                "1.11111111111111111111",
            ),
            // -m ipv6header --header hop --soft
            (
                None,
                Behind::Headers(Headers { mask: 0x80, invert: false, soft: true }),
                ".1.................1..",
            ),
            // -m ipv6header ! --header hop,frag --soft
            (
                None,
                Behind::Headers(Headers { mask: 0x90, invert: true, soft: true }),
                "1.1111....111111111..1",
            ),
            // -m ipv6header --header frag --soft
            (
                None,
                Behind::Headers(Headers { mask: 0x10, invert: false, soft: true }),
                "......1111.........11.",
            ),
            // -m ipv6header --header none
            (
                None,
                Behind::Headers(Headers { mask: 0x02, invert: false, soft: false }),
                "................1.....",
            ),
            // -m ipv6header --header esp
            (
                None,
                Behind::Headers(Headers { mask: 0x04, invert: false, soft: false }),
                "............1.....1...",
            ),
            // -m ipv6header --header auth,prot
            (
                None,
                Behind::Headers(Headers { mask: 0x09, invert: false, soft: false }),
                "..........11.....1....",
            ),
            // -m hbh
            (
                None,
                Behind::Options(Options { hop_by_hop: true, ..Options::default() }),
                ".1.................1..",
            ),
            // -m hbh --hbh-len 8
            (
                None,
                Behind::Options(Options { hop_by_hop: true, length: Some((8, false)), ..Options::default() }),
                ".1.................1..",
            ),
            // -m hbh ! --hbh-len 8
            (
                None,
                Behind::Options(Options { hop_by_hop: true, length: Some((8, true)), ..Options::default() }),
                "......................",
            ),
            // -m hbh --hbh-opts 5:2
            (
                None,
                Behind::Options(Options { hop_by_hop: true, options: vec![(5, 2)], ..Options::default() }),
                ".1.................1..",
            ),
            // -m hbh --hbh-opts 5,1:0
            (
                None,
                Behind::Options(Options {
                    hop_by_hop: true,
                    options: vec![(5, 255), (1, 0)],
                    ..Options::default()
                }),
                ".1.................1..",
            ),
            // -m hbh --hbh-opts 5:3
            (
                None,
                Behind::Options(Options { hop_by_hop: true, options: vec![(5, 3)], ..Options::default() }),
                "......................",
            ),
            // -m hbh --hbh-opts 5:2,1:0,0
            (
                None,
                Behind::Options(Options {
                    hop_by_hop: true,
                    options: vec![(5, 2), (1, 0), (0, 255)],
                    ..Options::default()
                }),
                "......................",
            ),
            // -m dst
            (
                None,
                Behind::Options(Options { hop_by_hop: false, ..Options::default() }),
                "..1................11.",
            ),
            // -m dst --dst-opts 0,30:4
            (
                None,
                Behind::Options(Options {
                    hop_by_hop: false,
                    options: vec![(0, 255), (30, 4)],
                    ..Options::default()
                }),
                "..1................11.",
            ),
            // -m dst --dst-opts 0,30:4,1:5
            (
                None,
                Behind::Options(Options {
                    hop_by_hop: false,
                    options: vec![(0, 255), (30, 4), (1, 5)],
                    ..Options::default()
                }),
                "..1................11.",
            ),
            // -m dst --dst-opts 30
            (
                None,
                Behind::Options(Options {
                    hop_by_hop: false,
                    options: vec![(30, 255)],
                    ..Options::default()
                }),
                "......................",
            ),
            // -m dst --dst-len 16
            (
                None,
                Behind::Options(Options {
                    hop_by_hop: false,
                    length: Some((16, false)),
                    ..Options::default()
                }),
                "..1................11.",
            ),
            // -p mh -m mh
            (Some(135), Behind::Mobility(0, 255, false), ".............1!!....!."),
            // -p mh -m mh --mh-type 5
            (Some(135), Behind::Mobility(5, 5, false), ".............1!!....!."),
            // -p mh -m mh ! --mh-type 5
            (Some(135), Behind::Mobility(5, 5, true), "..............!!....!."),
            // -m ah
            (None, Behind::Ah(Authentication { ..Authentication::default() }), "..........11.....!.1.."),
            // -m ah --ahspi 7
            (
                None,
                Behind::Ah(Authentication { spi: span(7, 7, false), ..Authentication::default() }),
                "..........1......!.1..",
            ),
            // -m ah ! --ahspi 7
            (
                None,
                Behind::Ah(Authentication { spi: span(7, 7, true), ..Authentication::default() }),
                "...........1.....!....",
            ),
            // -m ah --ahlen 24
            (
                None,
                Behind::Ah(Authentication { length: (24, false), ..Authentication::default() }),
                "..........1......!.1..",
            ),
            // -m ah --ahres
            (
                None,
                Behind::Ah(Authentication { reserved: true, ..Authentication::default() }),
                "..........1......!.1..",
            ),
            // -p esp -m esp --espspi 500
            (Some(50), Behind::Esp(span(500, 500, false)), "............1.....!.!."),
            // -p esp -m esp ! --espspi 1:400
            (Some(50), Behind::Esp(span(1, 400, true)), "............1.....!.!."),
            // -m eui64
            (None, Behind::Eui64, ".....................1"),
        ];
        for (protocol, wanted, said) in rows {
            let found: String = PACKETS
                .iter()
                .map(|(_, hex)| {
                    let bytes: Vec<u8> = hex.as_bytes().chunks(2).map(nibbles).collect();
                    let ip = Ip::read(&bytes).expect("a packet");
                    let link = Some(([2, 0, 0, 0, 0, 1], 0x86dd));
                    let packet = Packet { bytes: &bytes, ip: &ip, link };
                    match protocol {
                        Some(_) if ip.protocol_is_hidden => '!',
                        Some(protocol) if ip.protocol != *protocol => '.',
                        _ => match has(packet, wanted) {
                            Ok(true) => '1',
                            Ok(false) => '.',
                            Err(Malformed) => '!',
                        },
                    }
                })
                .collect();
            assert_eq!(found, *said, "{wanted:?}");
        }
    }

    fn nibbles(digits: &[u8]) -> u8 {
        let text = std::str::from_utf8(digits).expect("digits");
        u8::from_str_radix(text, 16).expect("a byte")
    }

    #[test]
    fn what_is_cut_short_is_no_reason_to_panic() {
        let all = [
            Behind::Fragment(Fragment::default()),
            Behind::Routing(Routing { reserved: true, addresses: addresses(&[5]), ..Routing::default() }),
            Behind::Headers(Headers { mask: 0xff, invert: false, soft: true }),
            Behind::Options(Options { hop_by_hop: true, options: vec![(5, 2)], ..Options::default() }),
            Behind::Mobility(0, 255, false),
            Behind::Ah(Authentication::default()),
            Behind::Esp(Span::default()),
            Behind::Eui64,
        ];
        for (_, hex) in PACKETS {
            let bytes: Vec<u8> = hex.as_bytes().chunks(2).map(nibbles).collect();
            for len in IPV6_HEADER_LEN..bytes.len() {
                let bytes = &bytes[..len];
                let ip = Ip::read(bytes).expect("a header");
                for wanted in &all {
                    let _ = has(Packet { bytes, ip: &ip, link: None }, wanted);
                }
            }
        }
    }
}
