//! Data by type: their names, how they are read and printed.

use std::net::{Ipv4Addr, Ipv6Addr};

use hairpin_netlink::netfilter::nft::{Span, Type};

use super::fail::{Fail, Place};
use crate::iptables::names::PROTOCOLS;

/// Types by the names that sets use.
pub(super) const TYPES: &[(&str, Type)] = &[
    ("ipv4_addr", Type::Ipv4),
    ("ipv6_addr", Type::Ipv6),
    ("ether_addr", Type::Ether),
    ("inet_proto", Type::InetProto),
    ("inet_service", Type::Service),
    ("mark", Type::Mark),
    ("iface_index", Type::IfIndex),
    ("ifname", Type::IfName),
    ("iface_type", Type::IfType),
    ("ct_state", Type::CtState),
    ("ct_status", Type::CtStatus),
    ("ct_dir", Type::CtDirection),
    ("icmp_type", Type::IcmpType),
    ("icmp_code", Type::IcmpCode),
    ("icmpv6_type", Type::Icmp6Type),
    ("icmpv6_code", Type::Icmp6Code),
    ("tcp_flag", Type::TcpFlag),
    ("pkt_type", Type::PacketType),
    ("fib_addrtype", Type::FibType),
    ("dscp", Type::Dscp),
    ("ecn", Type::Ecn),
    ("ether_type", Type::EtherType),
    ("nf_proto", Type::NfProto),
    ("uid", Type::Uid),
    ("gid", Type::Gid),
    ("time", Type::Time),
    ("integer", Type::Integer),
    ("boolean", Type::Boolean),
    ("verdict", Type::Verdict),
];

pub(super) fn type_name(kind: Type) -> &'static str {
    TYPES.iter().find(|(_, known)| *known == kind).map_or("integer", |(name, _)| name)
}

/// Names of data.
fn symbols(kind: Type) -> &'static [(&'static str, u128)] {
    match kind {
        Type::CtState => &[("invalid", 1), ("established", 2), ("related", 4), ("new", 8), ("untracked", 64)],
        Type::CtStatus => &[
            ("expected", 1),
            ("seen-reply", 2),
            ("assured", 4),
            ("confirmed", 8),
            ("snat", 16),
            ("dnat", 32),
            ("dying", 512),
        ],
        Type::CtDirection => &[("original", 0), ("reply", 1)],
        Type::TcpFlag => &[
            ("fin", 1),
            ("syn", 2),
            ("rst", 4),
            ("psh", 8),
            ("ack", 16),
            ("urg", 32),
            ("ecn", 64),
            ("cwr", 128),
        ],
        Type::IcmpType => &[
            ("echo-reply", 0),
            ("destination-unreachable", 3),
            ("source-quench", 4),
            ("redirect", 5),
            ("echo-request", 8),
            ("router-advertisement", 9),
            ("router-solicitation", 10),
            ("time-exceeded", 11),
            ("parameter-problem", 12),
            ("timestamp-request", 13),
            ("timestamp-reply", 14),
            ("info-request", 15),
            ("info-reply", 16),
            ("address-mask-request", 17),
            ("address-mask-reply", 18),
        ],
        Type::IcmpCode => &[
            ("net-unreachable", 0),
            ("host-unreachable", 1),
            ("prot-unreachable", 2),
            ("port-unreachable", 3),
            ("frag-needed", 4),
            ("net-prohibited", 9),
            ("host-prohibited", 10),
            ("admin-prohibited", 13),
        ],
        Type::Icmp6Type => &[
            ("destination-unreachable", 1),
            ("packet-too-big", 2),
            ("time-exceeded", 3),
            ("parameter-problem", 4),
            ("echo-request", 128),
            ("echo-reply", 129),
            ("mld-listener-query", 130),
            ("mld-listener-report", 131),
            ("mld-listener-done", 132),
            ("mld-listener-reduction", 132),
            ("nd-router-solicit", 133),
            ("nd-router-advert", 134),
            ("nd-neighbor-solicit", 135),
            ("nd-neighbor-advert", 136),
            ("nd-redirect", 137),
            ("router-renumbering", 138),
            ("ind-neighbor-solicit", 141),
            ("ind-neighbor-advert", 142),
            ("mld2-listener-report", 143),
        ],
        Type::Icmp6Code => &[
            ("no-route", 0),
            ("admin-prohibited", 1),
            ("addr-unreachable", 3),
            ("port-unreachable", 4),
            ("policy-fail", 5),
            ("reject-route", 6),
        ],
        Type::PacketType => &[("host", 0), ("unicast", 0), ("broadcast", 1), ("multicast", 2), ("other", 3)],
        Type::FibType => &[
            ("unspec", 0),
            ("unicast", 1),
            ("local", 2),
            ("broadcast", 3),
            ("anycast", 4),
            ("multicast", 5),
            ("blackhole", 6),
            ("unreachable", 7),
            ("prohibit", 8),
        ],
        Type::Dscp => &[
            ("cs0", 0),
            ("cs1", 8),
            ("cs2", 16),
            ("cs3", 24),
            ("cs4", 32),
            ("cs5", 40),
            ("cs6", 48),
            ("cs7", 56),
            ("df", 0),
            ("be", 0),
            ("lephb", 1),
            ("af11", 10),
            ("af12", 12),
            ("af13", 14),
            ("af21", 18),
            ("af22", 20),
            ("af23", 22),
            ("af31", 26),
            ("af32", 28),
            ("af33", 30),
            ("af41", 34),
            ("af42", 36),
            ("af43", 38),
            ("va", 44),
            ("ef", 46),
        ],
        Type::Ecn => &[("not-ect", 0), ("ect1", 1), ("ect0", 2), ("ce", 3)],
        Type::EtherType => &[
            ("ip", 0x0800),
            ("arp", 0x0806),
            ("ip6", 0x86dd),
            ("8021q", 0x8100),
            ("8021ad", 0x88a8),
            ("vlan", 0x8100),
        ],
        Type::NfProto => &[("ipv4", 2), ("ipv6", 10)],
        Type::IfType => &[("ether", 1), ("loopback", 772), ("ppp", 512), ("ipip", 768)],
        Type::Boolean => &[("exists", 1), ("missing", 0)],
        _ => &[],
    }
}

/// What a front end knows of the kernel beside the rules: interfaces by their numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub interfaces: Vec<(u32, String)>,
}

/// The most that a type's datum may be.
fn most(kind: Type) -> u128 {
    match kind {
        Type::InetProto
        | Type::IcmpType
        | Type::IcmpCode
        | Type::Icmp6Type
        | Type::Icmp6Code
        | Type::TcpFlag => 0xff,
        Type::Service | Type::EtherType => 0xffff,
        Type::Dscp => 0x3f,
        Type::Ecn => 3,
        _ => u128::from(u32::MAX),
    }
}

/// Reads one datum.
pub(super) fn parse(kind: Type, text: &str, place: Place, known: &Known) -> Result<u128, Fail> {
    let fail = |text: &str| Err(Fail::at(text, place));
    match kind {
        Type::Ipv4 => {
            return match text.parse::<Ipv4Addr>() {
                Ok(address) => Ok(u128::from(u32::from(address))),
                Err(_) if text.chars().all(|c| c.is_ascii_digit() || c == '.') => {
                    fail("Could not resolve hostname: Name or service not known")
                }
                Err(_) if text.parse::<Ipv6Addr>().is_ok() => {
                    fail("Could not resolve hostname: Address family for hostname not supported")
                }
                Err(_) => fail("Could not resolve hostname: Temporary failure in name resolution"),
            };
        }
        Type::Ipv6 => {
            return match text.parse::<Ipv6Addr>() {
                Ok(address) => Ok(u128::from(address)),
                Err(_) => fail("Could not resolve hostname: Name or service not known"),
            };
        }
        Type::Ether => {
            let bytes: Option<Vec<u8>> =
                text.split(':').map(|byte| u8::from_str_radix(byte, 16).ok()).collect();
            let bytes = bytes.filter(|bytes| bytes.len() == 6);
            return match bytes {
                Some(bytes) => Ok(bytes.iter().fold(0, |value, byte| value << 8 | u128::from(*byte))),
                None => fail("Could not parse Ethernet address"),
            };
        }
        Type::IfName => return Ok(named(text)),
        Type::IfIndex => {
            if let Some((index, _)) = known.interfaces.iter().find(|(_, name)| name == text) {
                return Ok(u128::from(*index));
            }
            return match number(text) {
                Some(index) => Ok(index),
                None => fail("Interface does not exist"),
            };
        }
        Type::Time => {
            return match super::time::parse(text) {
                Some(ms) => Ok(u128::from(ms)),
                None => fail("Could not parse time"),
            };
        }
        _ => {}
    }
    if let Some((_, value)) = symbols(kind).iter().find(|(name, _)| *name == text) {
        return Ok(*value);
    }
    if kind == Type::InetProto
        && let Some((_, value)) = PROTOCOLS.iter().find(|(name, _)| *name == text)
    {
        return Ok(u128::from(*value));
    }
    match number(text) {
        Some(value) if value <= most(kind) => Ok(value),
        Some(_) if kind == Type::Service => fail("Service out of range"),
        Some(_) => fail("Value exceeds valid range"),
        None => fail(match kind {
            Type::CtState => "Could not parse conntrack state",
            Type::Service => match service(text) {
                Some(port) => return Ok(port),
                None => "Could not resolve service: Servname not supported for ai_socktype",
            },
            Type::InetProto => "Could not resolve protocol name",
            Type::Uid => return if text == "root" { Ok(0) } else { fail("User does not exist") },
            Type::Gid => return if text == "root" { Ok(0) } else { fail("Group does not exist") },
            _ => return Err(Fail::at(format!("Could not parse {}", described(kind)), place)),
        }),
    }
}

fn described(kind: Type) -> &'static str {
    match kind {
        Type::CtStatus => "conntrack status",
        Type::CtDirection => "conntrack direction",
        Type::IcmpType => "ICMP type",
        Type::IcmpCode => "icmp code",
        Type::Icmp6Type => "ICMPv6 type",
        Type::Icmp6Code => "icmpv6 code",
        Type::TcpFlag => "TCP flag",
        Type::PacketType => "packet type",
        Type::FibType => "fib_addrtype",
        Type::Dscp => "Differentiated Services Code Point",
        Type::Mark => "packet mark",
        Type::EtherType => "Ethernet protocol",
        Type::NfProto => "netfilter protocol",
        _ => "integer",
    }
}

/// Ports that scripts call by name; the C library's file is not read.
fn service(name: &str) -> Option<u128> {
    const SERVICES: &[(&str, u128)] = &[
        ("ftp", 21),
        ("ssh", 22),
        ("telnet", 23),
        ("smtp", 25),
        ("domain", 53),
        ("bootps", 67),
        ("bootpc", 68),
        ("tftp", 69),
        ("http", 80),
        ("pop3", 110),
        ("ntp", 123),
        ("imap2", 143),
        ("snmp", 161),
        ("https", 443),
        ("http-alt", 8080),
    ];
    SERVICES.iter().find(|(known, _)| *known == name).map(|(_, port)| *port)
}

pub(super) fn number(text: &str) -> Option<u128> {
    match text.strip_prefix("0x") {
        Some(digits) => u128::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// The name of an interface as a datum.
fn named(name: &str) -> u128 {
    let mut bytes = [0u8; 16];
    for (place, byte) in bytes.iter_mut().zip(name.bytes()) {
        *place = byte;
    }
    u128::from_be_bytes(bytes)
}

/// Prints one datum. `numeric`: `-n`.
pub(super) fn show(kind: Type, value: u128, numeric: bool, known: &Known) -> String {
    match kind {
        Type::Ipv4 => return Ipv4Addr::from(value as u32).to_string(),
        Type::Ipv6 => return Ipv6Addr::from(value).to_string(),
        Type::Ether => {
            return value.to_be_bytes()[10..]
                .iter()
                .map(|b| format!("{b:02x}"))
                .collect::<Vec<_>>()
                .join(":");
        }
        Type::IfName => return format!("\"{}\"", text_of(value)),
        Type::IfIndex => {
            let found = known.interfaces.iter().find(|(index, _)| u128::from(*index) == value);
            return found.map_or(value.to_string(), |(_, name)| format!("\"{name}\""));
        }
        Type::Mark => return format!("0x{value:08x}"),
        Type::Time => return super::time::show(u64::try_from(value).unwrap_or(u64::MAX)),
        _ => {}
    }
    if kind.is_flags() {
        return flags(kind, value, numeric, ",");
    }
    if !numeric {
        if let Some((name, _)) = symbols(kind).iter().find(|(_, known)| *known == value) {
            return (*name).to_owned();
        }
        if kind == Type::InetProto
            && let Some((name, _)) = PROTOCOLS.iter().find(|(_, known)| u128::from(*known) == value)
            && value != 0
        {
            return (*name).to_owned();
        }
    }
    match kind {
        Type::Dscp => format!("0x{value:02x}"),
        Type::EtherType => format!("0x{value:04x}"),
        _ => value.to_string(),
    }
}

/// Flags one by one; what has no name as a number.
pub(super) fn flags(kind: Type, value: u128, numeric: bool, between: &str) -> String {
    let mut words = Vec::new();
    let mut rest = value;
    for (name, bit) in symbols(kind) {
        if rest & bit != 0 {
            rest &= !bit;
            words.push(if numeric { format!("0x{bit:x}") } else { (*name).to_owned() });
        }
    }
    if rest != 0 || words.is_empty() {
        words.push(format!("0x{rest:x}"));
    }
    words.join(between)
}

/// The names of flags.
pub(super) fn flag_names(kind: Type, value: u128) -> Vec<String> {
    flags(kind, value, false, ",").split(',').map(str::to_owned).collect()
}

/// The bytes of a name up to its end.
pub(super) fn text_of(value: u128) -> String {
    let bytes = value.to_be_bytes();
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or(&[])).into_owned()
}

/// Bits of an address that may have a prefix.
pub(super) fn bits(kind: Type) -> Option<u8> {
    match kind {
        Type::Ipv4 | Type::Mark | Type::Integer => Some(32),
        Type::Ipv6 | Type::IfName => Some(128),
        Type::Ether => Some(48),
        Type::Service => Some(16),
        _ => None,
    }
}

/// The span of a prefix.
pub(super) fn under(value: u128, prefix: u8, bits: u8) -> Span {
    let host = u32::from(bits.saturating_sub(prefix));
    let mask = if host >= 128 { u128::MAX } else { (1 << host) - 1 };
    Span { first: value & !mask, last: value & !mask | mask }
}

/// The prefix that a span is, if it is one.
pub(super) fn prefix_of(span: Span, bits: u8) -> Option<u8> {
    (0..bits).find(|prefix| under(span.first, *prefix, bits) == span)
}
