//! Many routes, and how long a lookup takes among them.

use std::net::Ipv4Addr;

use super::{random::Random, world::World};
use crate::route::{Flow, InsertMode, Prefix, RouteKind, RouteSpec, Scope, model::TABLE_MAIN};

/// A namespace with a default route and `count` routes of 8 to 24 bits.
fn with_routes(count: usize) -> World {
    let mut world = World::new();
    for device in [1, 2, 3] {
        world.set_up(device, true);
    }
    let random = &mut Random(1);
    let mut made = 0;
    while made <= count {
        let length = if made == 0 { 0 } else { 8 + random.below(17) as u8 };
        let prefix = Prefix::of((random.next() as u32).into(), length);
        let spec = RouteSpec { ifindex: 3, scope: Scope::LINK, ..RouteSpec::new(RouteKind::Unicast, prefix) };
        made += usize::from(world.fib.insert(&spec, InsertMode::ADD, &world.devices).is_ok());
    }
    world
}

#[test]
fn a_hundred_thousand_routes_fit() {
    let world = with_routes(100_000);
    assert_eq!(world.fib.routes(TABLE_MAIN).len(), 100_001);
    let random = &mut Random(2);
    for _ in 0..100_000 {
        let target = Ipv4Addr::from(random.next() as u32);
        assert!(world.fib.lookup(&Flow::to(target)).unwrap().prefix().contains(target));
    }
}

#[test]
#[ignore = "prints times"]
#[allow(clippy::disallowed_methods)]
fn time_of_a_lookup() {
    for count in [3, 1000, 100_000] {
        let world = with_routes(count);
        let random = &mut Random(2);
        let flows: Vec<Flow> = (0..4096).map(|_| Flow::to((random.next() as u32).into())).collect();
        let start = std::time::Instant::now();
        let rounds = 200;
        let mut sum = 0u64;
        for _ in 0..rounds {
            for flow in &flows {
                sum += world.fib.lookup(flow).map_or(0, |found| u64::from(found.prefix().length));
            }
        }
        let each = start.elapsed().as_nanos() as f64 / (rounds * flows.len()) as f64;
        println!("{count} routes: {each:.1} ns a lookup ({sum})");
    }
}
