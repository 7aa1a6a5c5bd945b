//! `/proc/net/route` (`fib_route_seq_show`): what net-tools' `route` reads.

use std::fmt::Write as _;

use super::{
    fib::Fib,
    links::Links,
    model::{Metrics, Route, RouteKind, TABLE_MAIN, mask},
};

const RTF_UP: u32 = 0x1;
const RTF_GATEWAY: u32 = 0x2;
const RTF_HOST: u32 = 0x4;
const RTF_REJECT: u32 = 0x200;

/// Lines are padded to this width.
const WIDTH: usize = 127;

/// The text of `/proc/net/route`: the main table.
pub fn proc_net_route(fib: &Fib, links: &(impl Links + ?Sized)) -> String {
    let mut text = String::new();
    if !fib.has_table(TABLE_MAIN) {
        return text;
    }
    let head =
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT".to_owned();
    put_line(&mut text, head);
    for route in fib.routes(TABLE_MAIN) {
        if !matches!(route.kind, RouteKind::Broadcast | RouteKind::Multicast) {
            put_line(&mut text, line(route, links));
        }
    }
    text
}

fn line(route: &Route, links: &(impl Links + ?Sized)) -> String {
    let nexthop = route.nexthops.first();
    let link = nexthop.and_then(|nexthop| links.link(nexthop.ifindex));
    let gateway = nexthop.and_then(|nexthop| nexthop.gateway);
    let mut flags = RTF_UP;
    if matches!(route.kind, RouteKind::Unreachable | RouteKind::Prohibit) {
        flags |= RTF_REJECT;
    }
    if gateway.is_some() {
        flags |= RTF_GATEWAY;
    }
    if route.prefix.length == 32 {
        flags |= RTF_HOST;
    }
    let mss = match route.metric(Metrics::ADVMSS) {
        0 => 0,
        mss => mss + 40,
    };
    // Addresses are printed as the machine holds them in memory.
    let raw = |address: u32| u32::from_ne_bytes(address.to_be_bytes());
    let mut text = String::new();
    let _ = write!(
        text,
        "{}\t{:08X}\t{:08X}\t{:04X}\t0\t0\t{}\t{:08X}\t{}\t{}\t{}",
        link.map_or("*", |link| link.name),
        raw(route.prefix.address.into()),
        raw(gateway.map_or(0, u32::from)),
        flags,
        route.priority as i32,
        raw(mask(route.prefix.length)),
        mss,
        route.metric(Metrics::WINDOW),
        route.metric(Metrics::RTT) >> 3,
    );
    text
}

fn put_line(text: &mut String, line: String) {
    let _ = writeln!(text, "{line:<WIDTH$}");
}
