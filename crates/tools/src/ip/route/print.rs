//! A route as text or JSON.

use std::net::IpAddr;

use hairpin_netlink::core::Nla;
use hairpin_netlink::route::route::{
    RouteCacheInfo, RouteFlags, RouteMessage, RouteMetric, RouteNextHop, RouteRealm, RouteType, RouteVia,
};

use super::encap;
use super::filter::Filter;
use super::view::{NextHopView, View};

use crate::ip::nexthop;
use crate::ip::rt_names::route_type_name;
use crate::iproute2::inet::{AF_INET, AF_INET6, family_name, family_of};
use crate::iproute2::names::Table;
use crate::iproute2::{Color, Context, Value};

/// `USER_HZ`, the unit of times in `rta_cacheinfo`.
const USER_HZ: u32 = 100;

const RTAX_LOCK: u16 = 1;
const RTAX_RTT: u16 = 4;
const RTAX_RTTVAR: u16 = 5;
const RTAX_HOPLIMIT: u16 = 10;
const RTAX_FEATURES: u16 = 12;
const RTAX_RTO_MIN: u16 = 13;
const RTAX_CC_ALGO: u16 = 16;
const RTAX_FEATURE_ECN: u32 = 1;

/// `RTAX_*` names from 2 on.
const METRICS: [&str; 16] = [
    "mtu",
    "window",
    "rtt",
    "rttvar",
    "ssthresh",
    "cwnd",
    "advmss",
    "reordering",
    "hoplimit",
    "initcwnd",
    "features",
    "rto_min",
    "initrwnd",
    "quickack",
    "congctl",
    "fastopen_no_cookie",
];

/// `RTCF_*`, in the order in which they are shown.
const CACHE_FLAGS: [(u32, &str); 14] = [
    (0x8000_0000, "local"),
    (0x4000_0000, "reject"),
    (0x2000_0000, "mc"),
    (0x1000_0000, "brd"),
    (0x0800_0000, "dst-nat"),
    (0x0080_0000, "src-nat"),
    (0x0040_0000, "masq"),
    (0x0002_0000, "dst-direct"),
    (0x0400_0000, "src-direct"),
    (0x0004_0000, "redirected"),
    (0x0100_0000, "redirect"),
    (0x0020_0000, "fastroute"),
    (0x0001_0000, "notify"),
    (0x0008_0000, "proxy"),
];

/// Route and next-hop flags, in the order in which they are shown.
const FLAGS: [(RouteFlags, &str); 11] = [
    (RouteFlags::Dead, "dead"),
    (RouteFlags::Onlink, "onlink"),
    (RouteFlags::Pervasive, "pervasive"),
    (RouteFlags::Offload, "offload"),
    (RouteFlags::Trap, "trap"),
    (RouteFlags::Notify, "notify"),
    (RouteFlags::Linkdown, "linkdown"),
    (RouteFlags::Unresolved, "unresolved"),
    (RouteFlags::RtOffload, "rt_offload"),
    (RouteFlags::RtTrap, "rt_trap"),
    (RouteFlags::OffloadFailed, "rt_offload_failed"),
];

/// Prints one route. What `filter` selects by is not repeated.
pub(super) fn print_route(ctx: &mut Context<'_>, filter: &Filter, message: &RouteMessage, deleted: bool) {
    let view = View::new(message);
    let header = view.header;
    let numeric = ctx.options.numeric;
    let details = ctx.options.details > 0;
    let kind = u8::from(header.kind);
    let cloned = header.flags.contains(RouteFlags::Cloned);

    ctx.print.open_object(None);
    if deleted {
        ctx.print.any("deleted", true, format_args!("Deleted "));
    }
    if (header.kind != RouteType::Unicast || details) && filter.takes_type(kind) {
        let name = route_type_name(kind, numeric);
        ctx.print.any("type", &name, format_args!("{name} "));
    }
    print_destinations(ctx, &view);
    if let Some(id) = view.nexthop_id {
        ctx.print.any("nhid", id, format_args!("nhid {id} "));
    }
    print_translation(ctx, &view.nexthop);
    if header.tos != 0 && filter.tos.is_none() {
        let name = ctx.name_of(Table::DsField, header.tos.into());
        ctx.print.any("tos", &name, format_args!("tos {name} "));
    }
    let whole = address_bits(view.family());
    if let Some(gateway) = view.nexthop.gateway.filter(|_| filter.via.is_none_or(|v| v.length != whole)) {
        print_gateway(ctx, gateway);
    }
    print_via(ctx, view.nexthop.via);
    if let Some(oif) = view.oif.filter(|_| filter.oif.is_none()) {
        print_device(ctx, "dev", oif);
    }
    if view.table != 0 && (view.table != super::RT_TABLE_MAIN || details) && filter.table == 0 {
        let name = ctx.name_of(Table::RouteTable, view.table);
        ctx.print.any("table", &name, format_args!("table {name} "));
    }
    if !cloned {
        let protocol = u8::from(header.protocol);
        if (protocol != super::RTPROT_BOOT || details) && filter.protocol.is_none() {
            let name = ctx.name_of(Table::Protocol, protocol.into());
            ctx.print.any("protocol", &name, format_args!("proto {name} "));
        }
        let scope = u8::from(header.scope);
        if (scope != super::RT_SCOPE_UNIVERSE || details) && filter.scope.is_none() {
            let name = ctx.name_of(Table::Scope, scope.into());
            ctx.print.any("scope", &name, format_args!("scope {name} "));
        }
    }
    if let Some(source) =
        view.preferred_source.filter(|_| filter.preferred_source.is_none_or(|p| p.length != whole))
    {
        let text = source.to_string();
        ctx.print.json("prefsrc", &text);
        ctx.print.text(format_args!("src "));
        ctx.print.colored_text(family_color(source), format_args!("{text} "));
    }
    if let Some(metric) = view.metric.filter(|_| filter.metric.is_none()) {
        ctx.print.any("metric", metric, format_args!("metric {metric} "));
    }
    print_flags(ctx, header.flags);
    if let Some(mark) = view.mark.filter(|mark| *mark != 0) {
        ctx.print.json("mark", mark);
        if mark >= 16 {
            ctx.print.text(format_args!("mark {mark:#x} "));
        } else {
            ctx.print.text(format_args!("mark {mark} "));
        }
    }
    if let Some(realm) = view.nexthop.realm.filter(|_| filter.realm.is_none_or(|(_, mask)| mask != !0)) {
        print_realm(ctx, realm);
    }
    if let Some(uid) = view.uid {
        ctx.print.any("uid", uid, format_args!("uid {uid} "));
    }
    if view.family() == AF_INET && cloned {
        print_cache_flags(ctx, header.flags);
    }
    if let Some(info) = view.cache_info.filter(|_| matches!(view.family(), AF_INET | AF_INET6)) {
        print_cache_info(ctx, info);
    }
    if let Some(metrics) = view.metrics {
        print_metrics(ctx, metrics);
    }
    if let Some(iif) = view.iif.filter(|_| filter.iif.is_none()) {
        print_device(ctx, "iif", iif);
    }
    if let Some(preference) = view.preference {
        match u8::from(preference) {
            3 => ctx.print.any("pref", "low", format_args!("pref low")),
            0 => ctx.print.any("pref", "medium", format_args!("pref medium")),
            1 => ctx.print.any("pref", "high", format_args!("pref high")),
            other => ctx.print.any("pref", other, format_args!("{other}")),
        }
    }
    if let Some(propagate) = view.ttl_propagate {
        // iproute2 6.1 spells it so.
        let word = if propagate { "enabled" } else { "disabled" };
        ctx.print.any("ttl-propogate", propagate, format_args!("ttl-propogate {word}"));
    }
    if let Some(id) = view.nexthop_id.filter(|_| details) {
        print_nexthop_object(ctx, id);
    }
    if let Some(hops) = view.multipath {
        print_multipath(ctx, &view, hops);
    }
    ctx.print.text(format_args!("\n"));
    ctx.print.close_object();
}

/// The next hop object behind a route; nothing where it is gone by now.
fn print_nexthop_object(ctx: &mut Context<'_>, id: u32) {
    let Ok(Some(object)) = nexthop::find(ctx, id) else { return };
    ctx.print.open_object(Some("nh_info"));
    ctx.print.text(format_args!("\n\tnh_info "));
    nexthop::print_fields(ctx, &object);
    ctx.print.close_object();
}

/// `default`, `10.0.0.0/8`, `10.0.0.1`, and `from` the source prefix.
fn print_destinations(ctx: &mut Context<'_>, view: &View<'_>) {
    let header = view.header;
    let whole = address_bits(view.family());
    let destination = match (view.destination, header.destination_prefix_length) {
        (Some(address), length) if length != whole => format!("{address}/{length}"),
        (Some(address), _) => address.to_string(),
        (None, 0) => "default".to_owned(),
        (None, length) => format!("0/{length} "),
    };
    let color = view.destination.map_or(Color::None, family_color);
    ctx.print.colored(color, "dst", &destination, format_args!("{destination} "));

    let length = header.source_prefix_length;
    if let Some(address) = view.source {
        let source = if length == whole { address.to_string() } else { format!("{address}/{length}") };
        ctx.print.colored(family_color(address), "from", &source, format_args!("from {source} "));
    } else if length != 0 {
        let source = format!("0/{length}");
        ctx.print.any("src", &source, format_args!("from {source} "));
    }
}

fn print_translation(ctx: &mut Context<'_>, hop: &NextHopView<'_>) {
    if let Some(address) = hop.new_destination {
        let text = address.to_string();
        ctx.print.json("to", &text);
        ctx.print.text(format_args!("as to "));
        ctx.print.colored_text(family_color(address), format_args!("{text} "));
    }
    if let Some(kind) = hop.encap {
        encap::print(&mut ctx.print, kind, hop.encap_parts);
    }
}

/// How an address is coloured.
fn family_color(address: IpAddr) -> Color {
    Color::family(family_of(address))
}

/// Bits of an address of a family.
fn address_bits(family: u8) -> u8 {
    match family {
        AF_INET => 32,
        AF_INET6 => 128,
        _ => 0,
    }
}

pub(in crate::ip) fn print_gateway(ctx: &mut Context<'_>, gateway: IpAddr) {
    let text = gateway.to_string();
    ctx.print.json("gateway", &text);
    ctx.print.text(format_args!("via "));
    ctx.print.colored_text(family_color(gateway), format_args!("{text} "));
}

/// A gateway of another family than the route's.
fn print_via(ctx: &mut Context<'_>, via: Option<&RouteVia>) {
    let address = match via {
        Some(RouteVia::Inet(address)) => IpAddr::from(*address),
        Some(RouteVia::Inet6(address)) => IpAddr::from(*address),
        _ => return,
    };
    let (family, text) = (family_name(family_of(address)), address.to_string());
    ctx.print.open_object(Some("via"));
    ctx.print.json("family", family);
    ctx.print.json("host", &text);
    ctx.print.close_object();
    ctx.print.text(format_args!("via {family} "));
    ctx.print.colored_text(family_color(address), format_args!("{text} "));
}

pub(in crate::ip) fn print_device(ctx: &mut Context<'_>, keyword: &str, index: u32) {
    let name = ctx.link_name(index);
    ctx.print.json(keyword, &name);
    ctx.print.text(format_args!("{keyword} "));
    ctx.print.colored_text(Color::InterfaceName, format_args!("{name} "));
}

pub(in crate::ip) fn print_flags(ctx: &mut Context<'_>, flags: RouteFlags) {
    ctx.print.open_array(Some("flags"));
    for (flag, name) in FLAGS {
        if flags.contains(flag) {
            ctx.print.item(name, format_args!("{name} "));
        }
    }
    ctx.print.close_array();
}

fn print_realm(ctx: &mut Context<'_>, realm: RouteRealm) {
    let to = ctx.name_of(Table::Realm, realm.destination.into());
    ctx.print.open_object(Some("flow"));
    if realm.source == 0 {
        ctx.print.text(format_args!("realm "));
    } else {
        let from = ctx.name_of(Table::Realm, realm.source.into());
        ctx.print.any("from", &from, format_args!("realms {from}/"));
    }
    ctx.print.any("to", &to, format_args!("{to} "));
    ctx.print.close_object();
}

fn print_cache_flags(ctx: &mut Context<'_>, flags: RouteFlags) {
    let mut rest = flags.bits() & !0xffff;
    ctx.print.line();
    ctx.print.open_array(Some("cache"));
    ctx.print.text(format_args!("    cache "));
    if rest != 0 {
        ctx.print.text(format_args!("<"));
    }
    for (flag, name) in CACHE_FLAGS {
        if rest & flag != 0 {
            rest &= !flag;
            ctx.print.item(name, format_args!("{name}{}", if rest == 0 { "> " } else { "," }));
        }
    }
    if rest != 0 {
        ctx.print.any("flags", &format!("{rest:x}"), format_args!("{rest:x}>"));
    }
    ctx.print.close_array();
}

fn print_cache_info(ctx: &mut Context<'_>, info: &RouteCacheInfo) {
    if info.expires != 0 {
        let seconds = info.expires.cast_signed() / USER_HZ.cast_signed();
        ctx.print.any("expires", seconds, format_args!("expires {seconds}sec "));
    }
    if info.error != 0 {
        ctx.print.any("error", info.error, format_args!("error {} ", info.error));
    }
    if ctx.options.stats > 0 {
        if info.clntref != 0 {
            ctx.print.any("users", info.clntref, format_args!("users {} ", info.clntref));
        }
        if info.used != 0 {
            ctx.print.any("used", info.used, format_args!("used {} ", info.used));
        }
        if info.last_use != 0 {
            let seconds = info.last_use / USER_HZ;
            ctx.print.any("age", seconds, format_args!("age {seconds}sec "));
        }
    }
    if info.id != 0 {
        ctx.print.any("ipid", &format!("{:#x}", info.id), format_args!("ipid 0x{:04x} ", info.id));
    }
    if info.ts != 0 || info.ts_age != 0 {
        ctx.print.any("ts", &format!("{:#x}", info.ts), format_args!("ts 0x{:x}", info.ts));
        ctx.print.any("tsage", info.ts_age, format_args!("tsage {}sec ", info.ts_age));
    }
}

fn print_metrics(ctx: &mut Context<'_>, metrics: &[RouteMetric]) {
    let value_of = |kind: u16| metrics.iter().find(|m| m.kind() == kind);
    let locked = value_of(RTAX_LOCK).map_or(0, metric_number);
    ctx.print.open_array(Some("metrics"));
    ctx.print.open_object(None);
    for (kind, name) in (2..).zip(METRICS) {
        let found = value_of(kind);
        let lock = locked & (1 << kind) != 0;
        if found.is_none() && !lock {
            continue;
        }
        let value = found.filter(|_| kind != RTAX_CC_ALGO).map_or(0, metric_number);
        if kind == RTAX_HOPLIMIT && value == u32::MAX {
            continue;
        }
        ctx.print.text(format_args!("{name} {}", if lock { "lock " } else { "" }));
        match kind {
            RTAX_FEATURES => {
                if value & RTAX_FEATURE_ECN != 0 {
                    ctx.print.any("ecn", Value::Null, format_args!("ecn "));
                }
                if value & !RTAX_FEATURE_ECN != 0 {
                    ctx.print.any("features", &format!("{value:#x}"), format_args!("{value:#x} "));
                }
            }
            RTAX_RTT | RTAX_RTTVAR | RTAX_RTO_MIN => {
                let milliseconds = match kind {
                    RTAX_RTT => value / 8,
                    RTAX_RTTVAR => value / 4,
                    _ => value,
                };
                ctx.print.json(name, milliseconds);
                if milliseconds >= 1000 {
                    ctx.print.text(format_args!("{}s ", general(f64::from(milliseconds) / 1e3)));
                } else {
                    ctx.print.text(format_args!("{milliseconds}ms "));
                }
            }
            RTAX_CC_ALGO => {
                if let Some(RouteMetric::CcAlgo(algorithm)) = found {
                    ctx.print.any("congestion", algorithm, format_args!("{algorithm} "));
                }
            }
            _ => ctx.print.any(name, value, format_args!("{value} ")),
        }
    }
    ctx.print.close_object();
    ctx.print.close_array();
}

/// The value of a metric that is a number, 0 for another.
fn metric_number(metric: &RouteMetric) -> u32 {
    let mut bytes = vec![0; metric.value_len()];
    metric.emit_value(&mut bytes);
    bytes.first_chunk::<4>().map_or(0, |bytes| u32::from_ne_bytes(*bytes))
}

/// `%g` of a number from 1 to 10 million: six significant digits without trailing zeros.
fn general(value: f64) -> String {
    let mut whole_digits = 1;
    let mut limit = 10.0;
    while value >= limit && whole_digits < 6 {
        whole_digits += 1;
        limit *= 10.0;
    }
    let text = format!("{value:.*}", 6 - whole_digits);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn print_multipath(ctx: &mut Context<'_>, view: &View<'_>, hops: &[RouteNextHop]) {
    let forwarding_cache =
        view.header.flags.contains(RouteFlags::Cloned) && view.header.kind == RouteType::Multicast;
    ctx.print.open_array(Some("nexthops"));
    for (at, hop) in hops.iter().enumerate() {
        ctx.print.open_object(None);
        if forwarding_cache {
            ctx.print.text(format_args!("{}", if at == 0 { "Oifs: " } else { " " }));
        } else {
            ctx.print.line();
            ctx.print.text(format_args!("\tnexthop "));
        }
        let attributes = NextHopView::new(&hop.attributes);
        print_translation(ctx, &attributes);
        if let Some(gateway) = attributes.gateway {
            print_gateway(ctx, gateway);
        }
        print_via(ctx, attributes.via);
        if let Some(realm) = attributes.realm {
            print_realm(ctx, realm);
        }
        let name = ctx.link_name(hop.interface_index);
        if forwarding_cache {
            ctx.print.any("dev", &name, format_args!("{name}"));
            if hop.hops != 1 {
                ctx.print.any("ttl", hop.hops, format_args!("(ttl>{})", hop.hops));
            }
            ctx.print.text(format_args!(" "));
        } else {
            ctx.print.any("dev", &name, format_args!("dev {name} "));
            let weight = u32::from(hop.hops) + 1;
            ctx.print.any("weight", weight, format_args!("weight {weight} "));
        }
        print_flags(ctx, RouteFlags::from_bits_retain(hop.flags.bits().into()));
        ctx.print.close_object();
    }
    ctx.print.close_array();
}

#[cfg(test)]
mod tests {
    use super::general;

    #[test]
    fn seconds_are_printed_as_percent_g() {
        assert_eq!(general(1.0), "1");
        assert_eq!(general(1.25), "1.25");
        assert_eq!(general(1234.567), "1234.57");
        assert_eq!(general(536_870.911), "536871");
    }
}
