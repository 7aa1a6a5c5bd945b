//! iproute2's words for numbers.

use hairpin_netlink::route::route::RouteType;

use crate::route::Scope;

const TYPES: [(&str, RouteType); 9] = [
    ("unicast", RouteType::Unicast),
    ("local", RouteType::Local),
    ("broadcast", RouteType::Broadcast),
    ("anycast", RouteType::Anycast),
    ("multicast", RouteType::Multicast),
    ("blackhole", RouteType::BlackHole),
    ("unreachable", RouteType::Unreachable),
    ("prohibit", RouteType::Prohibit),
    ("throw", RouteType::Throw),
];

pub(super) fn route_type(name: &str) -> Option<RouteType> {
    TYPES.iter().find(|(text, _)| *text == name).map(|(_, kind)| *kind)
}

pub(super) fn type_name(kind: RouteType) -> &'static str {
    TYPES.iter().find(|(_, other)| *other == kind).map_or("?", |(text, _)| text)
}

pub(super) fn table(name: &str) -> u32 {
    match name {
        "local" => 255,
        "main" => 254,
        "default" => 253,
        number => number.parse().unwrap(),
    }
}

pub(super) fn table_name(table: u32) -> String {
    match table {
        255 => "local".to_owned(),
        254 => "main".to_owned(),
        253 => "default".to_owned(),
        number => number.to_string(),
    }
}

pub(super) fn protocol(name: &str) -> u8 {
    match name {
        "kernel" => 2,
        "boot" => 3,
        "static" => 4,
        number => number.parse().unwrap(),
    }
}

pub(super) fn protocol_name(protocol: u8) -> String {
    match protocol {
        2 => "kernel".to_owned(),
        3 => "boot".to_owned(),
        4 => "static".to_owned(),
        number => number.to_string(),
    }
}

pub(super) fn scope(name: &str) -> Scope {
    match name {
        "host" => Scope::HOST,
        "link" => Scope::LINK,
        "site" => Scope::SITE,
        "global" => Scope::UNIVERSE,
        number => Scope(number.parse().unwrap()),
    }
}

/// As `/etc/iproute2/rt_dsfield` names it.
pub(super) fn tos_name(tos: u8) -> String {
    if tos == 0x20 { "CS1".to_owned() } else { format!("{tos:#04x}") }
}
