//! The fields of headers, and the keys of `meta` and `ct`, by name.

use hairpin_netlink::netfilter::nft::{Ct, Field, Header, Meta, Type};

/// A field's names, and what it is.
pub(super) struct Named {
    pub header: &'static str,
    pub name: &'static str,
    pub field: Field,
}

const fn named(
    header: &'static str,
    name: &'static str,
    of: Header,
    offset: u16,
    bits: u16,
    kind: Type,
) -> Named {
    Named { header, name, field: Field { header: of, offset, bits, kind } }
}

pub(super) const FIELDS: &[Named] = &[
    named("ether", "daddr", Header::Ether, 0, 48, Type::Ether),
    named("ether", "saddr", Header::Ether, 48, 48, Type::Ether),
    named("ether", "type", Header::Ether, 96, 16, Type::EtherType),
    named("vlan", "pcp", Header::Vlan, 0, 3, Type::Integer),
    named("vlan", "dei", Header::Vlan, 3, 1, Type::Integer),
    named("vlan", "id", Header::Vlan, 4, 12, Type::Integer),
    named("ip", "version", Header::Ip, 0, 4, Type::Integer),
    named("ip", "hdrlength", Header::Ip, 4, 4, Type::Integer),
    named("ip", "dscp", Header::Ip, 8, 6, Type::Dscp),
    named("ip", "ecn", Header::Ip, 14, 2, Type::Ecn),
    named("ip", "length", Header::Ip, 16, 16, Type::Integer),
    named("ip", "id", Header::Ip, 32, 16, Type::Integer),
    named("ip", "frag-off", Header::Ip, 48, 16, Type::Integer),
    named("ip", "ttl", Header::Ip, 64, 8, Type::Integer),
    named("ip", "protocol", Header::Ip, 72, 8, Type::InetProto),
    named("ip", "checksum", Header::Ip, 80, 16, Type::Integer),
    named("ip", "saddr", Header::Ip, 96, 32, Type::Ipv4),
    named("ip", "daddr", Header::Ip, 128, 32, Type::Ipv4),
    named("ip6", "version", Header::Ip6, 0, 4, Type::Integer),
    named("ip6", "dscp", Header::Ip6, 4, 6, Type::Dscp),
    named("ip6", "ecn", Header::Ip6, 10, 2, Type::Ecn),
    named("ip6", "flowlabel", Header::Ip6, 12, 20, Type::Integer),
    named("ip6", "length", Header::Ip6, 32, 16, Type::Integer),
    named("ip6", "nexthdr", Header::Ip6, 48, 8, Type::InetProto),
    named("ip6", "hoplimit", Header::Ip6, 56, 8, Type::Integer),
    named("ip6", "saddr", Header::Ip6, 64, 128, Type::Ipv6),
    named("ip6", "daddr", Header::Ip6, 192, 128, Type::Ipv6),
    named("icmp", "type", Header::Icmp, 0, 8, Type::IcmpType),
    named("icmp", "code", Header::Icmp, 8, 8, Type::IcmpCode),
    named("icmp", "checksum", Header::Icmp, 16, 16, Type::Integer),
    named("icmp", "id", Header::Icmp, 32, 16, Type::Integer),
    named("icmp", "sequence", Header::Icmp, 48, 16, Type::Integer),
    named("icmp", "mtu", Header::Icmp, 48, 16, Type::Integer),
    named("icmp", "gateway", Header::Icmp, 32, 32, Type::Ipv4),
    named("icmpv6", "type", Header::Icmp6, 0, 8, Type::Icmp6Type),
    named("icmpv6", "code", Header::Icmp6, 8, 8, Type::Icmp6Code),
    named("icmpv6", "checksum", Header::Icmp6, 16, 16, Type::Integer),
    named("icmpv6", "id", Header::Icmp6, 32, 16, Type::Integer),
    named("icmpv6", "sequence", Header::Icmp6, 48, 16, Type::Integer),
    named("icmpv6", "mtu", Header::Icmp6, 32, 32, Type::Integer),
    named("tcp", "sport", Header::Tcp, 0, 16, Type::Service),
    named("tcp", "dport", Header::Tcp, 16, 16, Type::Service),
    named("tcp", "sequence", Header::Tcp, 32, 32, Type::Integer),
    named("tcp", "ackseq", Header::Tcp, 64, 32, Type::Integer),
    named("tcp", "doff", Header::Tcp, 96, 4, Type::Integer),
    named("tcp", "flags", Header::Tcp, 104, 8, Type::TcpFlag),
    named("tcp", "window", Header::Tcp, 112, 16, Type::Integer),
    named("tcp", "checksum", Header::Tcp, 128, 16, Type::Integer),
    named("tcp", "urgptr", Header::Tcp, 144, 16, Type::Integer),
    named("udp", "sport", Header::Udp, 0, 16, Type::Service),
    named("udp", "dport", Header::Udp, 16, 16, Type::Service),
    named("udp", "length", Header::Udp, 32, 16, Type::Integer),
    named("udp", "checksum", Header::Udp, 48, 16, Type::Integer),
    named("udplite", "sport", Header::UdpLite, 0, 16, Type::Service),
    named("udplite", "dport", Header::UdpLite, 16, 16, Type::Service),
    named("sctp", "sport", Header::Sctp, 0, 16, Type::Service),
    named("sctp", "dport", Header::Sctp, 16, 16, Type::Service),
    named("th", "sport", Header::Th, 0, 16, Type::Service),
    named("th", "dport", Header::Th, 16, 16, Type::Service),
];

pub(super) fn field(header: &str, name: &str) -> Option<Field> {
    FIELDS.iter().find(|known| known.header == header && known.name == name).map(|known| known.field)
}

pub(super) fn is_header(word: &str) -> bool {
    FIELDS.iter().any(|known| known.header == word)
}

pub(super) fn names(field: &Field) -> (&'static str, &'static str) {
    FIELDS.iter().find(|known| known.field == *field).map_or(("@", "?"), |known| (known.header, known.name))
}

/// The protocol that a header implies, by which a match on that protocol in front of it says nothing more.
pub(super) fn protocol(header: Header) -> Option<u8> {
    Some(match header {
        Header::Icmp => 1,
        Header::Tcp => 6,
        Header::Udp => 17,
        Header::Icmp6 => 58,
        Header::Sctp => 132,
        Header::UdpLite => 136,
        _ => return None,
    })
}

/// Keys of `meta`: whether they may stand without that word, and are printed so.
pub(super) const METAS: &[(&str, Meta, Type, bool)] = &[
    ("mark", Meta::Mark, Type::Mark, false),
    ("iif", Meta::Iif, Type::IfIndex, true),
    ("oif", Meta::Oif, Type::IfIndex, true),
    ("iifname", Meta::IifName, Type::IfName, true),
    ("oifname", Meta::OifName, Type::IfName, true),
    ("iiftype", Meta::IifType, Type::IfType, true),
    ("oiftype", Meta::OifType, Type::IfType, true),
    ("l4proto", Meta::L4Proto, Type::InetProto, false),
    ("protocol", Meta::Protocol, Type::EtherType, false),
    ("nfproto", Meta::NfProto, Type::NfProto, false),
    ("length", Meta::Length, Type::Integer, false),
    ("pkttype", Meta::PacketType, Type::PacketType, false),
    ("skuid", Meta::SkUid, Type::Uid, false),
    ("skgid", Meta::SkGid, Type::Gid, false),
    ("priority", Meta::Priority, Type::Integer, false),
    ("nftrace", Meta::Trace, Type::Boolean, false),
];

/// Words that may stand for a key of `meta` though they are printed with it.
pub(super) const BARE_METAS: &[&str] = &["mark", "skuid", "skgid", "pkttype", "nftrace", "protocol"];

pub(super) fn meta(name: &str) -> Option<(Meta, Type)> {
    METAS.iter().find(|(known, ..)| *known == name).map(|(_, meta, kind, _)| (*meta, *kind))
}

/// Keys of `ct`; those of a tuple may follow a direction.
pub(super) const CTS: &[(&str, Ct, Type, bool)] = &[
    ("state", Ct::State, Type::CtState, false),
    ("status", Ct::Status, Type::CtStatus, false),
    ("mark", Ct::Mark, Type::Mark, false),
    ("direction", Ct::Direction, Type::CtDirection, false),
    ("expiration", Ct::Expiration, Type::Time, false),
    ("l3proto", Ct::L3Proto, Type::NfProto, true),
    ("protocol", Ct::Protocol, Type::InetProto, true),
    ("ip saddr", Ct::SourceIp, Type::Ipv4, true),
    ("ip daddr", Ct::DestinationIp, Type::Ipv4, true),
    ("ip6 saddr", Ct::SourceIp6, Type::Ipv6, true),
    ("ip6 daddr", Ct::DestinationIp6, Type::Ipv6, true),
    ("proto-src", Ct::SourcePort, Type::Service, true),
    ("proto-dst", Ct::DestinationPort, Type::Service, true),
];
