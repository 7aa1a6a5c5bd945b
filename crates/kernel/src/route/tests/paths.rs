//! Multipath shares, VRFs and the rest that `ip route get` on one machine does not show.

use std::{collections::BTreeMap, net::Ipv4Addr};

use super::{
    random::Random,
    world::{World, address, prefix},
};
use crate::route::Ruled as _;
use crate::route::{
    Action, Flow, InputError, InsertMode, LinkState, Links, NextHopSpec, RouteKind, RouteSpec, Rule, Scope,
    Vrf, multipath_hash,
};

fn ip(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

/// v0 (3) has 10.0.0.1/24 and v1 (5) has 10.0.1.1/24, all up; the host forwards.
fn router() -> World {
    let mut world = World::new();
    for device in 1..6 {
        world.set_up(device, true);
    }
    world.add_address(3, address("10.0.0.1", 24, Scope::UNIVERSE)).unwrap();
    world.add_address(5, address("10.0.1.1", 24, Scope::UNIVERSE)).unwrap();
    for device in &mut world.devices.0 {
        device.settings.forwarding = true;
    }
    world
}

fn via(gateway: &str, weight: u16) -> NextHopSpec {
    NextHopSpec { ifindex: 0, gateway: Some(ip(gateway)), flags: 0, weight, realm: None, tunnel: None }
}

#[test]
fn flows_are_shared_by_weight() {
    let mut world = router();
    let spec = RouteSpec {
        multipath: Some(vec![via("10.0.0.9", 1), via("10.0.1.9", 3)]),
        ..RouteSpec::new(RouteKind::Unicast, prefix("20.0.0.0/8"))
    };
    world.fib.insert(&spec, InsertMode::ADD, &world.devices).unwrap();
    let random = &mut Random(3);
    let mut shares = BTreeMap::new();
    for _ in 0..40_000 {
        let source = Ipv4Addr::from(random.next() as u32);
        let flow = Flow { source, ..Flow::to(ip("20.1.1.1")) };
        let found = world.fib.select_path(world.fib.lookup(&flow).unwrap(), &flow);
        *shares.entry(found.ifindex()).or_insert(0) += 1;
        let again = world.fib.select_path(world.fib.lookup(&flow).unwrap(), &flow);
        assert_eq!(found.ifindex(), again.ifindex());
    }
    assert!((9_500..10_500).contains(&shares[&3]), "{shares:?}");
    // A required device decides alone.
    let flow = Flow { oif: 3, ..Flow::to(ip("20.1.1.1")) };
    assert_eq!(world.fib.select_path(world.fib.lookup(&flow).unwrap(), &flow).ifindex(), 3);
    // A dead way out leaves everything to the other.
    world.set_up(3, false);
    for _ in 0..100 {
        let flow = Flow { source: Ipv4Addr::from(random.next() as u32), ..Flow::to(ip("20.1.1.1")) };
        assert_eq!(world.fib.select_path(world.fib.lookup(&flow).unwrap(), &flow).ifindex(), 5);
    }
}

#[test]
fn ports_count_only_by_policy() {
    let flow = |port| Flow { source_port: port, protocol: 6, ..Flow::to(ip("20.1.1.1")) };
    assert_eq!(multipath_hash(&flow(1), 0), multipath_hash(&flow(2), 0));
    assert_ne!(multipath_hash(&flow(1), 1), multipath_hash(&flow(2), 1));
    assert!(multipath_hash(&flow(1), 1) >= 0);
}

#[test]
fn arriving_packets_are_judged() {
    let world = router();
    let judge = |source, destination, iif| {
        let flow = Flow { source: ip(source), iif, ..Flow::to(ip(destination)) };
        world.fib.input(&flow, &world.devices).map(|input| (input.kind, input.redirect))
    };
    assert_eq!(judge("10.0.0.7", "10.0.1.7", 3), Ok((RouteKind::Unicast, false)));
    assert_eq!(judge("10.0.0.7", "10.0.0.8", 3), Ok((RouteKind::Unicast, true)));
    assert_eq!(judge("10.0.0.7", "10.0.1.1", 3), Ok((RouteKind::Local, false)));
    assert_eq!(judge("10.0.0.7", "10.0.1.255", 3), Ok((RouteKind::Broadcast, false)));
    assert_eq!(judge("0.0.0.0", "255.255.255.255", 3), Ok((RouteKind::Broadcast, false)));
    assert_eq!(judge("10.0.1.1", "10.0.0.1", 3), Err(InputError::LocalSource));
    assert_eq!(judge("127.0.0.1", "10.0.0.1", 3), Err(InputError::Localnet));
    assert_eq!(judge("224.0.0.1", "10.0.0.1", 3), Err(InputError::InvalidSource));
    assert_eq!(judge("10.0.0.7", "0.0.0.0", 3), Err(InputError::InvalidDestination));
    assert_eq!(judge("10.0.0.7", "239.1.1.1", 3), Err(InputError::NotJoined));
    assert_eq!(judge("10.0.0.7", "10.0.1.7", 99), Err(InputError::Disabled));
    let no_route = InputError::NoRoute(crate::route::LookupError::NetUnreachable);
    assert_eq!(judge("10.0.0.7", "8.8.8.8", 3), Err(no_route));
}

#[test]
fn the_neighbour_is_the_gateway_or_the_destination() {
    let mut world = router();
    let spec =
        RouteSpec { gateway: Some(ip("10.0.0.9")), ..RouteSpec::new(RouteKind::Unicast, prefix("default")) };
    world.fib.insert(&spec, InsertMode::ADD, &world.devices).unwrap();
    let neighbour = |to| world.fib.lookup(&Flow::to(ip(to))).unwrap().neighbour(ip(to));
    assert_eq!(neighbour("8.8.8.8"), ip("10.0.0.9"));
    assert_eq!(neighbour("10.0.1.7"), ip("10.0.1.7"));
}

/// The devices of a world with v1 (5) in a VRF (device 7, table 10).
struct InVrf<'a>(&'a World);

impl Links for InVrf<'_> {
    fn link(&self, ifindex: u32) -> Option<LinkState<'_>> {
        let vrf = [5, 7].contains(&ifindex).then_some(Vrf { ifindex: 7, table: 10 });
        Some(LinkState { vrf, ..self.0.devices.link(ifindex)? })
    }

    fn find(&self, name: &str) -> Option<u32> {
        self.0.devices.find(name)
    }

    fn next(&self, after: u32) -> Option<u32> {
        self.0.devices.next(after)
    }

    fn addresses(&self, ifindex: u32) -> &[crate::route::InterfaceAddress] {
        self.0.devices.addresses(ifindex)
    }

    fn settings(&self, ifindex: u32) -> crate::route::Ipv4Settings {
        self.0.devices.settings(ifindex)
    }
}

#[test]
fn a_vrf_has_routes_of_its_own() {
    let mut world = router();
    world.set_up(7, true);
    let links = InVrf(&world);
    let mut fib = crate::route::Fib::new();
    for device in [1, 3, 5] {
        fib.device_up(device, &links);
    }
    let l3mdev = Rule { vrf: true, ..Rule::lookup(1000, 0) };
    assert_eq!(l3mdev.action, Action::Table);
    fib.add_rule(l3mdev, true, &links).unwrap();
    assert_eq!(fib.routes(10).len(), 3);
    let kind = |to: &str, oif| {
        fib.output(&Flow { oif, ..Flow::to(ip(to)) }, false, &links).map(|o| (o.kind, o.ifindex))
    };
    assert_eq!(kind("10.0.1.9", 7), Ok((RouteKind::Unicast, 5)));
    assert_eq!(kind("10.0.1.1", 7), Ok((RouteKind::Local, 7)));
    assert!(kind("10.0.1.9", 0).is_err());
    assert_eq!(kind("10.0.0.9", 0), Ok((RouteKind::Unicast, 3)));
    let arrived = Flow { source: ip("10.0.1.9"), iif: 5, ..Flow::to(ip("10.0.1.1")) };
    assert_eq!(fib.input(&arrived, &links).unwrap().kind, RouteKind::Local);
    let elsewhere = Flow { destination: ip("10.0.0.7"), ..arrived };
    // What the VRF's table does not know goes on to the main table, as on Linux.
    assert_eq!(fib.input(&elsewhere, &links).unwrap().kind, RouteKind::Unicast);
}
