//! Names that are fixed: route types, and IP protocols as `/etc/protocols` has them; realms, which come in pairs.

use crate::iproute2::names::Table;
use crate::iproute2::number::{get_u8, get_u32};
use crate::iproute2::{Context, matches};

const ROUTE_TYPES: &[(u8, &str)] = &[
    (0, "none"),
    (1, "unicast"),
    (2, "local"),
    (3, "broadcast"),
    (4, "anycast"),
    (5, "multicast"),
    (6, "blackhole"),
    (7, "unreachable"),
    (8, "prohibit"),
    (9, "throw"),
    (10, "nat"),
    (11, "xresolve"),
];

/// `/etc/protocols` as Debian 12 installs it, first name of a number first.
const IP_PROTOCOLS: &[(u8, &str)] = &[
    (0, "ip"),
    (0, "hopopt"),
    (1, "icmp"),
    (2, "igmp"),
    (3, "ggp"),
    (4, "ipencap"),
    (5, "st"),
    (6, "tcp"),
    (8, "egp"),
    (9, "igp"),
    (12, "pup"),
    (17, "udp"),
    (20, "hmp"),
    (22, "xns-idp"),
    (27, "rdp"),
    (29, "iso-tp4"),
    (33, "dccp"),
    (36, "xtp"),
    (37, "ddp"),
    (38, "idpr-cmtp"),
    (41, "ipv6"),
    (43, "ipv6-route"),
    (44, "ipv6-frag"),
    (45, "idrp"),
    (46, "rsvp"),
    (47, "gre"),
    (50, "esp"),
    (51, "ah"),
    (57, "skip"),
    (58, "ipv6-icmp"),
    (59, "ipv6-nonxt"),
    (60, "ipv6-opts"),
    (73, "rspf"),
    (81, "vmtp"),
    (88, "eigrp"),
    (89, "ospf"),
    (93, "ax.25"),
    (94, "ipip"),
    (97, "etherip"),
    (98, "encap"),
    (103, "pim"),
    (108, "ipcomp"),
    (112, "vrrp"),
    (115, "l2tp"),
    (124, "isis"),
    (132, "sctp"),
    (133, "fc"),
    (135, "mobility-header"),
    (136, "udplite"),
    (137, "mpls-in-ip"),
    (138, "manet"),
    (139, "hip"),
    (140, "shim6"),
    (141, "wesp"),
    (142, "rohc"),
    (143, "ethernet"),
];

/// A route type's name (`RTN_*`).
pub(super) fn route_type_name(id: u8, numeric: bool) -> String {
    name(ROUTE_TYPES, id).filter(|_| !numeric).map_or_else(|| id.to_string(), str::to_owned)
}

/// A route type by word, abbreviation or number.
pub(super) fn route_type_id(text: &str) -> Option<u8> {
    let exact = [("local", 2), ("nat", 10), ("brd", 3), ("throw", 9)];
    // The order decides what an ambiguous abbreviation means.
    let abbreviated = [
        ("broadcast", 3),
        ("anycast", 4),
        ("multicast", 5),
        ("prohibit", 8),
        ("unreachable", 7),
        ("blackhole", 6),
        ("xresolve", 11),
        ("unicast", 1),
    ];
    let exact = exact.iter().find(|(word, _)| *word == text);
    let found = exact.or_else(|| abbreviated.iter().find(|(word, _)| matches(text, word)));
    found.map(|(_, id)| *id).or_else(|| get_u8(text, 0))
}

/// An IP protocol's name.
pub(super) fn ip_protocol_name(id: u8, numeric: bool) -> String {
    name(IP_PROTOCOLS, id).filter(|_| !numeric).map_or_else(|| format!("ipproto-{id}"), str::to_owned)
}

/// An IP protocol by decimal number or name.
pub(super) fn ip_protocol_id(text: &str) -> Option<u8> {
    let named = |(_, name): &&(u8, &str)| *name == text || name.to_uppercase() == text;
    get_u8(text, 10).or_else(|| IP_PROTOCOLS.iter().find(named).map(|(id, _)| *id))
}

/// Realms `[FROM/]TO`, as the two halves of one number, or that number itself.
pub(super) fn realms(ctx: &mut Context<'_>, text: &str) -> Option<u32> {
    let (from, to) = text.split_once('/').map_or((None, text), |(from, to)| (Some(from), to));
    let mut half = |text: &str| ctx.id_of(Table::Realm, text);
    let from = from.map_or(Some(0), &mut half);
    let to = if to.is_empty() { Some(0) } else { half(to) };
    match (from, to) {
        (Some(from), Some(to)) => Some(from << 16 | to),
        _ => get_u32(text, 0),
    }
}

fn name(names: &[(u8, &'static str)], id: u8) -> Option<&'static str> {
    names.iter().find(|(known, _)| *known == id).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn route_types_may_be_abbreviated() {
        assert_eq!(route_type_id("un"), Some(7));
        assert_eq!(route_type_id("uni"), Some(1));
        assert_eq!(route_type_id("black"), Some(6));
        assert_eq!(route_type_id("loc"), None);
        assert_eq!(route_type_id(""), None);
        assert_eq!(route_type_id("default"), None);
    }

    #[test]
    fn protocols_have_names_in_both_cases() {
        assert_eq!(ip_protocol_id("tcp"), Some(6));
        assert_eq!(ip_protocol_id("UDP"), Some(17));
        assert_eq!(ip_protocol_id("0x6"), None);
        assert_eq!(ip_protocol_name(0, false), "ip");
        assert_eq!(ip_protocol_name(253, false), "ipproto-253");
    }
}
