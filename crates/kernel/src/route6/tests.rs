//! Tables and choices of IPv6 routing.

use std::net::Ipv6Addr;

use hairpin_netlink::Errno;

use super::fib::Wanted6;
use super::model::{METRIC_ADDRCONF, METRIC_USER, TABLE_LOCAL, TABLE_MAIN};
use super::source::{Candidate, Purpose, choose};
use super::*;
use crate::route::{InsertMode, LookupError, RouteKind};
use crate::time::Time;

struct Quiet;

impl Neighbourhood for Quiet {
    fn is_unreachable(&self, _: u32, gateway: Ipv6Addr) -> bool {
        gateway == ip("fe80::dead")
    }

    fn now(&self) -> Time {
        Time::ZERO
    }
}

fn ip(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

fn prefix(text: &str) -> Prefix6 {
    let (address, length) = text.split_once('/').unwrap();
    Prefix6::of(ip(address), length.parse().unwrap())
}

fn route(to: &str, ifindex: u32, gateway: Option<&str>) -> Route6 {
    let mut route = Route6::of_device(RouteKind::Unicast, prefix(to), TABLE_MAIN, METRIC_USER, ifindex);
    route.nexthops[0].gateway = gateway.map(ip);
    route
}

#[test]
fn the_longest_prefix_wins_and_dumps_come_from_the_leaves_up() {
    let mut fib = Fib6::default();
    for (to, dev) in [("::/0", 1), ("2001:db8::/32", 2), ("2001:db8:1::/48", 3), ("fe80::/64", 4)] {
        fib.insert(route(to, dev, None), InsertMode::ADD).unwrap();
    }
    let way = |to: &str| fib.lookup(&Flow6::to(ip(to)), &Quiet).unwrap().way.ifindex;
    assert_eq!((way("2001:db8:1::9"), way("2001:db8:2::9"), way("2002::1"), way("fe80::1")), (3, 2, 1, 4));
    let order: Vec<String> = fib.routes(TABLE_MAIN).map(|route| route.prefix.address.to_string()).collect();
    assert_eq!(order, ["2001:db8:1::", "2001:db8::", "fe80::", "::"]);
}

#[test]
fn a_route_through_another_device_is_passed_over_where_the_device_is_given() {
    let mut fib = Fib6::default();
    for dev in [2, 3] {
        let route =
            Route6::of_device(RouteKind::Unicast, prefix("fe80::/64"), TABLE_MAIN, METRIC_ADDRCONF, dev);
        fib.insert(route, InsertMode::PREPEND).unwrap();
    }
    let flow = Flow6 { device: 3, strict: true, ..Flow6::to(ip("fe80::1")) };
    assert_eq!(fib.lookup(&flow, &Quiet).unwrap().way.ifindex, 3);
    let flow = Flow6 { device: 4, ..flow };
    assert_eq!(fib.lookup(&flow, &Quiet).err(), Some(LookupError::NetUnreachable));
}

#[test]
fn gateways_of_one_metric_become_one_route() {
    let mut fib = Fib6::default();
    fib.insert(route("::/0", 2, Some("fe80::1")), InsertMode::ADD).unwrap();
    fib.insert(route("::/0", 2, Some("fe80::2")), InsertMode::APPEND).unwrap();
    assert_eq!(fib.routes(TABLE_MAIN).next().unwrap().nexthops.len(), 2);
    let again = fib.insert(route("::/0", 2, Some("fe80::3")), InsertMode::ADD);
    assert_eq!(again.err().map(|failure| failure.errno), Some(Errno::EEXIST));
    let wanted = Wanted6 { gateway: Some(ip("fe80::1")), ..Wanted6::default() };
    fib.delete(TABLE_MAIN, Prefix6::DEFAULT, &wanted).unwrap();
    assert_eq!(fib.routes(TABLE_MAIN).next().unwrap().nexthops.len(), 1);
}

#[test]
fn a_host_prefers_a_router_that_answers() {
    let mut fib = Fib6::default();
    let mut first = route("::/0", 2, Some("fe80::dead"));
    first.flags |= model::rtf::ADDRCONF;
    let mut second = route("::/0", 2, Some("fe80::1"));
    second.flags |= model::rtf::ADDRCONF;
    fib.insert(first, InsertMode::PREPEND).unwrap();
    fib.insert(second, InsertMode::PREPEND).unwrap();
    let flow = Flow6 { reachable_first: true, ..Flow6::to(ip("2001::1")) };
    assert_eq!(fib.lookup(&flow, &Quiet).unwrap().way.gateway, Some(ip("fe80::1")));
    assert_eq!(fib.lookup(&Flow6::to(ip("2001::1")), &Quiet).unwrap().way.gateway, Some(ip("fe80::dead")));
}

#[test]
fn refusing_routes_say_how() {
    let mut fib = Fib6::default();
    for (kind, to) in [(RouteKind::Unreachable, "2001:db8:1::/48"), (RouteKind::Prohibit, "2001:db8:2::/48")]
    {
        let mut refusing = route(to, 1, None);
        refusing.kind = kind;
        fib.insert(refusing, InsertMode::ADD).unwrap();
    }
    let error = |to: &str| fib.lookup(&Flow6::to(ip(to)), &Quiet).err();
    assert_eq!(error("2001:db8:1::1"), Some(LookupError::HostUnreachable));
    assert_eq!(error("2001:db8:2::1"), Some(LookupError::Prohibited));
    assert_eq!(error("2001:db8:3::1"), Some(LookupError::NetUnreachable));
}

#[test]
fn routes_go_with_their_device() {
    let mut fib = Fib6::default();
    fib.insert(route("2001:db8::/64", 2, None), InsertMode::ADD).unwrap();
    let local = Route6::of_device(RouteKind::Local, Prefix6::host(ip("2001:db8::1")), TABLE_LOCAL, 0, 2);
    fib.insert(local, InsertMode::ADD).unwrap();
    assert_eq!(fib.local_owner(ip("2001:db8::1")), Some((RouteKind::Local, 2)));
    assert_eq!(fib.device_down(2).len(), 2);
    assert_eq!(fib.local_owner(ip("2001:db8::1")), None);
}

/// RFC 6724 §10.1 and what Linux adds.
#[test]
fn sources_are_chosen_by_the_rules() {
    let candidate = |address: &str, ifindex| Candidate {
        address: ip(address),
        prefix_len: 64,
        ifindex,
        deprecated: false,
        temporary: false,
    };
    let pick = |to: &str, all: &[Candidate]| {
        let purpose = Purpose { destination: ip(to), ifindex: 2, prefer_temporary: false };
        choose(all.iter().copied(), &purpose).map(|address| address.to_string())
    };
    let own = [candidate("2001:db8:1::2", 2), candidate("fe80::1", 2), candidate("fd00::2", 2)];
    assert_eq!(pick("2001:db8:9::1", &own).as_deref(), Some("2001:db8:1::2"));
    assert_eq!(pick("fe80::9", &own).as_deref(), Some("fe80::1"));
    assert_eq!(pick("ff02::1", &own).as_deref(), Some("fe80::1"));
    assert_eq!(pick("fd00::9", &own).as_deref(), Some("fd00::2"));
    assert_eq!(pick("fd00::2", &own).as_deref(), Some("fd00::2"));
    // Where nothing is large enough, the largest.
    assert_eq!(pick("2001::1", &own[1..2]).as_deref(), Some("fe80::1"));
    let old = Candidate { deprecated: true, ..candidate("2001:db8:9::5", 2) };
    assert_eq!(pick("2001:db8:9::1", &[old, own[0]]).as_deref(), Some("2001:db8:1::2"));
}
