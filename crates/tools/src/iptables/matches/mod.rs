//! Matches by name, one file each: their options, how they are saved and how they are listed.

mod addrtype;
mod ah;
mod comment;
mod connbytes;
mod connlimit;
mod conntrack;
pub(super) mod dscp;
mod ecn;
mod esp;
mod eui64;
mod frag;
mod hashlimit;
mod icmp;
mod iprange;
mod ipv6header;
mod length;
mod limit;
mod mac;
mod mark;
mod mh;
mod multiport;
mod opts;
mod owner;
mod physdev;
mod pkttype;
mod quota;
mod recent;
mod rpfilter;
mod rt;
pub(super) mod set;
mod span;
mod state;
mod statistic;
mod string;
mod tcp;
mod tcpmss;
mod time;
pub(super) mod tos;
mod ttl;
mod u32;
mod udp;

use hairpin_netlink::netfilter::headers::Behind;
use hairpin_netlink::netfilter::matches::Ports;
use hairpin_netlink::netfilter::{Family, Match};

use super::extension::Reader;
use super::fail::Fail;
use super::names::Names;

/// The reader of `-m NAME`.
pub(super) fn reader(name: &str, family: Family) -> Option<Box<dyn Reader<Match>>> {
    Some(match name {
        "tcp" => Box::<tcp::Tcp>::default(),
        "udp" => Box::new(udp::Udp::new(false)),
        "sctp" => Box::new(udp::Udp::new(true)),
        "icmp" if family == Family::Ipv4 => Box::new(icmp::Icmp::new(family)),
        "icmp6" | "icmpv6" | "ipv6-icmp" if family == Family::Ipv6 => Box::new(icmp::Icmp::new(family)),
        "conntrack" => Box::<conntrack::Reading>::default(),
        "state" => Box::<state::State>::default(),
        "multiport" => Box::<multiport::Multiport>::default(),
        "rpfilter" => Box::<rpfilter::Reading>::default(),
        "addrtype" => Box::<addrtype::Reading>::default(),
        "mac" => Box::<mac::Mac>::default(),
        "mark" => Box::new(mark::Mark::of_packet()),
        "connmark" => Box::new(mark::Mark::of_connection()),
        "limit" => Box::<limit::Reading>::default(),
        "comment" => Box::<comment::Comment>::default(),
        "iprange" => Box::<iprange::IpRange>::default(),
        "physdev" => Box::<physdev::Reading>::default(),
        "pkttype" => Box::<pkttype::PktType>::default(),
        "ttl" if family == Family::Ipv4 => Box::new(ttl::Ttl::new(family)),
        "hl" if family == Family::Ipv6 => Box::new(ttl::Ttl::new(family)),
        "length" => Box::<length::Length>::default(),
        "set" => Box::<set::Reading>::default(),
        "owner" => Box::<owner::Owner>::default(),
        "statistic" => Box::<statistic::Reading>::default(),
        "connbytes" => Box::<connbytes::Reading>::default(),
        "connlimit" => Box::<connlimit::Reading>::default(),
        "recent" => Box::<recent::Reading>::default(),
        "hashlimit" => Box::<hashlimit::Reading>::default(),
        "quota" => Box::<quota::Quota>::default(),
        "tos" => Box::<tos::Tos>::default(),
        "dscp" => Box::<dscp::Dscp>::default(),
        "ecn" => Box::<ecn::Reading>::default(),
        "string" => Box::<string::Reading>::default(),
        "tcpmss" => Box::<tcpmss::TcpMss>::default(),
        "time" => Box::<time::Reading>::default(),
        "u32" => Box::<u32::Reading>::default(),
        "ah" => Box::new(ah::Ah::new(family)),
        "esp" => Box::<esp::Esp>::default(),
        _ if family == Family::Ipv4 => return None,
        "frag" => Box::<frag::Frag>::default(),
        "rt" => Box::<rt::Rt>::default(),
        "ipv6header" => Box::<ipv6header::Ipv6Header>::default(),
        "hbh" => Box::new(opts::Opts::new(true)),
        "dst" => Box::new(opts::Opts::new(false)),
        "mh" => Box::<mh::Mh>::default(),
        "eui64" => Box::new(eui64::Eui64),
        _ => return None,
    })
}

/// The match that a protocol's options belong to.
pub(super) fn of_protocol(protocol: u8, family: Family) -> Option<&'static str> {
    match (protocol, family) {
        (6, _) => Some("tcp"),
        (17, _) => Some("udp"),
        (132, _) => Some("sctp"),
        (50, _) => Some("esp"),
        (51, _) => Some("ah"),
        (1, Family::Ipv4) => Some("icmp"),
        (58, Family::Ipv6) => Some("icmp6"),
        _ => None,
    }
}

/// ` -m NAME OPTIONS`, as `-S` and `iptables-save` print it.
pub(super) fn saved(found: &Match, family: Family) -> String {
    match found {
        Match::Tcp { source, destination, flags, option } => {
            tcp::saved(source, destination, flags.as_ref(), *option)
        }
        Match::Udp { source, destination } => udp::saved("udp", source, destination),
        Match::Sctp { source, destination } => udp::saved("sctp", source, destination),
        Match::Icmp { kind, codes, invert } => icmp::saved(*kind, *codes, *invert, family),
        Match::Conntrack(found) => conntrack::saved(found),
        Match::State { states, invert } => state::saved(*states, *invert),
        Match::Multiport { side, ports, invert } => multiport::saved(*side, ports, *invert),
        Match::AddrType(found) => addrtype::saved(found),
        Match::RpFilter(found) => rpfilter::saved(found),
        Match::Mac { address, invert } => mac::saved(address, *invert),
        Match::Mark { value, mask, invert } => mark::saved("mark", *value, *mask, *invert),
        Match::ConnMark { value, mask, invert } => mark::saved("connmark", *value, *mask, *invert),
        Match::Limit(limit) => limit::saved(limit),
        Match::Comment(text) => comment::saved(text),
        Match::IpRange { source, destination } => iprange::saved(source, destination),
        Match::PhysDev(found) => physdev::saved(found),
        Match::PktType { kind, invert } => pkttype::saved(*kind, *invert),
        Match::Ttl { comparison, value } => ttl::saved(*comparison, *value, family),
        Match::Length { low, high, invert } => length::saved(*low, *high, *invert),
        Match::Set(found) => set::saved(found),
        Match::Owner { user, group, socket, supplementary } => {
            owner::saved(*user, *group, *socket, *supplementary)
        }
        Match::Statistic(found) => statistic::saved(found),
        Match::ConnLimit(found) => connlimit::saved(found),
        Match::ConnBytes(found) => connbytes::saved(found),
        Match::Recent(found) => recent::saved(found),
        Match::HashLimit(found) => hashlimit::saved(found, family),
        Match::Quota { bytes, invert } => quota::saved(*bytes, *invert),
        Match::Tos { value, mask, invert } => tos::saved(*value, *mask, *invert),
        Match::Dscp { value, invert } => dscp::saved(*value, *invert),
        Match::Ecn(found) => ecn::saved(found),
        Match::String(found) => string::saved(found),
        Match::TcpMss { low, high, invert } => tcpmss::saved(*low, *high, *invert),
        Match::Time(found) => time::saved(found),
        Match::Words(found) => u32::saved(found),
        Match::Behind(found) => match &**found {
            Behind::Fragment(found) => frag::saved(found),
            Behind::Routing(found) => rt::saved(found),
            Behind::Headers(found) => ipv6header::saved(found),
            Behind::Options(found) => opts::saved(found),
            Behind::Mobility(low, high, invert) => mh::saved(*low, *high, *invert),
            Behind::Eui64 => eui64::SAVED.to_owned(),
            Behind::Ah(found) => ah::saved(found),
            Behind::Esp(found) => esp::saved(found),
        },
    }
}

/// What `-L` prints of a match, with a space in front.
pub(super) fn listed(found: &Match, names: &mut Names<'_>, numeric: bool, protocol: Option<u8>) -> String {
    let family = names.family;
    match found {
        Match::Tcp { source, destination, flags, option } => {
            tcp::listed(source, destination, flags.as_ref(), *option, names, numeric)
        }
        Match::Udp { source, destination } => {
            " udp".to_owned() + &listed_ports(source, destination, "udp", names, numeric)
        }
        Match::Sctp { source, destination } => {
            " sctp".to_owned() + &listed_ports(source, destination, "sctp", names, numeric)
        }
        Match::Icmp { kind, codes, invert } => icmp::listed(*kind, *codes, *invert, family, numeric),
        Match::Conntrack(found) => conntrack::listed(found, names, numeric),
        Match::State { states, invert } => state::listed(*states, *invert),
        Match::Multiport { side, ports, invert } => {
            multiport::listed(*side, ports, *invert, names, numeric, protocol)
        }
        Match::AddrType(found) => addrtype::listed(found),
        Match::RpFilter(found) => rpfilter::listed(found),
        Match::Mac { address, invert } => mac::listed(address, *invert),
        Match::Mark { value, mask, invert } => mark::listed(" mark match", *value, *mask, *invert),
        Match::ConnMark { value, mask, invert } => {
            // The real program leaves two spaces where there is no `!`.
            let title = if *invert { " connmark match" } else { " connmark match " };
            mark::listed(title, *value, *mask, *invert)
        }
        Match::Limit(limit) => limit::listed(limit),
        Match::Comment(text) => comment::listed(text),
        Match::IpRange { source, destination } => iprange::listed(source, destination),
        Match::PhysDev(found) => physdev::listed(found),
        Match::PktType { kind, invert } => pkttype::listed(*kind, *invert),
        Match::Ttl { comparison, value } => ttl::listed(*comparison, *value, family),
        Match::Length { low, high, invert } => length::listed(*low, *high, *invert),
        Match::Set(found) => set::listed(found),
        Match::Owner { user, group, socket, supplementary } => {
            owner::listed(*user, *group, *socket, *supplementary, names, numeric)
        }
        Match::Statistic(found) => statistic::listed(found),
        Match::ConnLimit(found) => connlimit::listed(found),
        Match::ConnBytes(found) => connbytes::listed(found),
        Match::Recent(found) => recent::listed(found),
        Match::HashLimit(found) => hashlimit::listed(found, family),
        Match::Quota { bytes, .. } => quota::listed(*bytes),
        Match::Tos { value, mask, invert } => tos::listed(*value, *mask, *invert, numeric),
        Match::Dscp { value, invert } => dscp::listed(*value, *invert),
        Match::Ecn(found) => ecn::listed(found),
        Match::String(found) => string::listed(found),
        Match::TcpMss { low, high, invert } => tcpmss::listed(*low, *high, *invert),
        Match::Time(found) => time::listed(found),
        Match::Words(found) => u32::listed(found),
        Match::Behind(found) => match &**found {
            Behind::Fragment(found) => frag::listed(found),
            Behind::Routing(found) => rt::listed(found),
            Behind::Headers(found) => ipv6header::listed(found, numeric),
            Behind::Options(found) => opts::listed(found),
            Behind::Mobility(low, high, invert) => mh::listed(*low, *high, *invert, numeric),
            Behind::Eui64 => eui64::LISTED.to_owned(),
            Behind::Ah(found) => ah::listed(found),
            Behind::Esp(found) => esp::listed(found),
        },
    }
}

/// `PORT`, `LOW:HIGH`, `LOW:`, `:HIGH`.
fn parse_ports(text: &str, invert: bool, protocol: &str, names: &mut Names<'_>) -> Result<Ports, Fail> {
    let Some((low, high)) = text.split_once(':') else {
        let port = names.parse_port(text, protocol)?;
        return Ok(Ports { low: port, high: port, invert });
    };
    let low = if low.is_empty() { 0 } else { names.parse_port(low, protocol)? };
    let high = if high.is_empty() { u16::MAX } else { names.parse_port(high, protocol)? };
    if low > high {
        return Err(Fail::parameter("invalid portrange (min > max)"));
    }
    Ok(Ports { low, high, invert })
}

fn saved_ports(option: &str, ports: &Ports) -> String {
    if *ports == Ports::ANY {
        return String::new();
    }
    let not = if ports.invert { " !" } else { "" };
    match ports.low == ports.high {
        true => format!("{not} --{option} {}", ports.low),
        false => format!("{not} --{option} {}:{}", ports.low, ports.high),
    }
}

fn listed_ports(
    source: &Ports,
    destination: &Ports,
    protocol: &str,
    names: &mut Names<'_>,
    numeric: bool,
) -> String {
    let mut text = String::new();
    for (title, ports) in [("spt", source), ("dpt", destination)] {
        if *ports == Ports::ANY {
            continue;
        }
        let not = if ports.invert { "!" } else { "" };
        let low = names.port(ports.low, protocol, numeric);
        text += &match ports.low == ports.high {
            true => format!(" {title}:{not}{low}"),
            false => {
                let high = names.port(ports.high, protocol, numeric);
                format!(" {title}s:{not}{low}:{high}")
            }
        };
    }
    text
}

/// `! ` in front of what is inverted.
fn not(invert: bool) -> &'static str {
    if invert { " !" } else { "" }
}
