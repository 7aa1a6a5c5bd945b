//! Order and longest match against the plainest way to do them.

use std::net::Ipv4Addr;

use super::{
    random::Random,
    world::{World, prefix},
};
use crate::route::{Fib, Flow, InsertMode, Prefix, RouteKind, RouteSpec, model::TABLE_MAIN};

/// A namespace with one device that is up.
fn world() -> World {
    let mut world = World::new();
    for device in [1, 2, 3] {
        world.set_up(device, true);
    }
    world
}

fn unreachable(prefix: Prefix, priority: u32, tos: u8) -> RouteSpec {
    RouteSpec { priority, tos, ..RouteSpec::new(RouteKind::Unreachable, prefix) }
}

fn random_prefix(random: &mut Random) -> Prefix {
    // Few different bits, so that prefixes nest and repeat.
    let bits = random.next() as u32 & 0xc300_8001;
    Prefix::of(bits.into(), random.below(33) as u8)
}

/// Address up, of one address length down, then TOS down, then metric up.
#[test]
fn a_dump_is_ordered() {
    for seed in 0..20 {
        let random = &mut Random(seed);
        let mut world = world();
        let mut model: Vec<(u32, u8, u8, u32)> = Vec::new();
        for _ in 0..300 {
            let prefix = random_prefix(random);
            let (tos, priority) = (8 * random.below(3) as u8, random.below(3) as u32);
            let key = (u32::from(prefix.address), 32 - prefix.length, 0xff - tos, priority);
            let spec = unreachable(prefix, priority, tos);
            if random.one_in(3) {
                let found = model.iter().position(|known| *known == key);
                let deleted = world.fib.delete(&RouteSpec { kind: RouteKind::Unspec, ..spec.clone() });
                match found {
                    // Metric 0 deletes any metric, the lowest first: leave that to the sessions.
                    _ if priority == 0 => model = keys(&world.fib),
                    Some(at) => {
                        assert!(deleted.is_ok());
                        model.remove(at);
                    }
                    None => assert!(deleted.is_err()),
                }
            } else {
                let added = world.fib.insert(&spec, InsertMode::ADD, &world.devices);
                assert_eq!(added.is_ok(), !model.contains(&key));
                if added.is_ok() {
                    model.push(key);
                }
            }
            model.sort_unstable();
            assert_eq!(keys(&world.fib), model, "seed {seed}");
        }
    }
}

fn keys(fib: &Fib) -> Vec<(u32, u8, u8, u32)> {
    let routes = fib.routes(TABLE_MAIN).into_iter();
    routes.map(|r| (u32::from(r.prefix.address), 32 - r.prefix.length, 0xff - r.tos, r.priority)).collect()
}

#[test]
fn the_longest_prefix_wins() {
    for seed in 0..20 {
        let random = &mut Random(seed);
        let mut world = world();
        let mut prefixes: Vec<Prefix> = Vec::new();
        for step in 0..400 {
            let prefix = random_prefix(random);
            let mut spec = RouteSpec { ifindex: 3, ..RouteSpec::new(RouteKind::Unicast, prefix) };
            spec.scope = crate::route::Scope::LINK;
            if step > 100 && random.one_in(2) {
                spec.kind = RouteKind::Unspec;
                assert_eq!(world.fib.delete(&spec).is_ok(), prefixes.contains(&prefix));
                prefixes.retain(|known| *known != prefix);
            } else if world.fib.insert(&spec, InsertMode::ADD, &world.devices).is_ok() {
                prefixes.push(prefix);
            }
            for _ in 0..10 {
                let target = Ipv4Addr::from(random.next() as u32 & 0xc300_8003);
                let expected = prefixes.iter().filter(|p| p.contains(target)).max_by_key(|p| p.length);
                let found = world.fib.lookup(&Flow::to(target)).ok().map(|found| found.prefix());
                assert_eq!(found.as_ref(), expected, "seed {seed} {target}");
            }
        }
    }
}

#[test]
fn a_clone_keeps_what_it_was() {
    let mut world = world();
    let spec = unreachable(prefix("10.0.0.0/8"), 0, 0);
    world.fib.insert(&spec, InsertMode::ADD, &world.devices).unwrap();
    let before = world.fib.clone();
    let generation = before.generation();
    world.fib.delete(&spec).unwrap();
    assert!(world.fib.generation() > generation);
    assert_eq!(before.routes(TABLE_MAIN).len(), 1);
    assert_eq!(world.fib.routes(TABLE_MAIN).len(), 0);
}

#[test]
fn deleting_everything_leaves_an_empty_trie() {
    let mut world = world();
    let random = &mut Random(7);
    let all: Vec<Prefix> = (0..500).map(|_| Prefix::of((random.next() as u32).into(), 24)).collect();
    for prefix in &all {
        let _ = world.fib.insert(&unreachable(*prefix, 0, 0), InsertMode::ADD, &world.devices);
    }
    for prefix in &all {
        let _ = world.fib.delete(&unreachable(*prefix, 0, 0));
    }
    assert!(world.fib.routes(TABLE_MAIN).is_empty());
    assert!(world.fib.lookup(&Flow::to("1.2.3.4".parse().unwrap())).is_err());
}
