//! What was learned of ways beyond the routing tables: better gateways, and the MTU of a path.

use std::net::Ipv4Addr;
use std::time::Duration;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::netns::NsId;
use crate::route::{FibResult, Flow, Route, WayId};
use crate::time::Time;
use crate::world::World;

use super::route::CACHE_MAX;

/// Destinations from which on it is worth while to look for those of which nothing holds any more.
const SWEEP_MIN: usize = 64;
/// Ways to one destination of which something is known; the oldest is forgotten.
const WAYS_MAX: usize = 64;

/// What was learned about a destination beyond the tables (`struct fib_nh_exception`).
#[derive(Clone, Copy, Debug)]
pub struct Exception {
    pub way: WayId,
    pub gateway: Option<Ipv4Addr>,
    pub mtu: Option<u32>,
    /// The MTU told was less than any link may have: packets go out without DF.
    pub mtu_locked: bool,
    /// A lookup has led here: only then Linux lists it (`fnhe_rth_output`, `fnhe_rth_input`).
    pub is_used: bool,
    pub expires: Time,
}

/// What goes a way of which something is learned.
#[derive(Clone, Copy, Debug)]
pub struct Path {
    pub ns: NsId,
    pub source: Ipv4Addr,
    pub destination: Ipv4Addr,
    /// 0: any device.
    pub oif: u32,
    pub tos: u8,
}

/// `ip_rt_mtu_expires`: how long a path's MTU is remembered.
const PMTU_EXPIRES: Duration = Duration::from_secs(600);
/// `ip_rt_min_pmtu`
const PMTU_MIN: u32 = 552;

/// What was learned, by destination.
#[derive(Clone, Debug, Default)]
pub struct Exceptions {
    known: FxHashMap<(NsId, Ipv4Addr), Vec<Exception>>,
    /// With so many destinations, those of which nothing holds any more are looked for.
    sweep_at: usize,
}

impl Exceptions {
    /// What is known about a destination that the tables send this way (`find_exception`).
    pub fn find(
        &self,
        ns: NsId,
        destination: Ipv4Addr,
        found: &FibResult<'_>,
        now: Time,
    ) -> Option<&Exception> {
        if self.known.is_empty() {
            return None;
        }
        let way = found.way();
        let known = self.known.get(&(ns, destination))?.iter().find(|known| known.way == way)?;
        (known.expires > now).then_some(known)
    }

    /// A lookup has found what is known of this way (`rt_bind_exception`).
    pub fn mark_used(&mut self, ns: NsId, destination: Ipv4Addr, way: WayId) {
        let all = self.known.get_mut(&(ns, destination));
        if let Some(known) = all.and_then(|all| all.iter_mut().find(|known| known.way == way)) {
            known.is_used = true;
        }
    }

    /// What was learned in a namespace, still holds and has been used, by destination.
    pub fn used(&self, ns: NsId, now: Time) -> Vec<(Ipv4Addr, Exception)> {
        let of_it = self.known.iter().filter(|((of, _), _)| *of == ns);
        let known = of_it.flat_map(|((_, destination), all)| all.iter().map(|known| (*destination, *known)));
        let mut all: Vec<_> = known.filter(|(_, known)| known.is_used && known.expires > now).collect();
        all.sort_by_key(|(destination, _)| *destination);
        all
    }

    /// A device has another MTU: what was learned of the ways out of it follows (`fib_sync_mtu`).
    pub fn device_mtu_changed(&mut self, ns: NsId, ifindex: u32, old: u32, new: u32) {
        let of_it = self.known.iter_mut().filter(|((of, _), _)| *of == ns);
        for known in of_it.flat_map(|(_, all)| all).filter(|known| known.way.ifindex() == ifindex) {
            let Some(mtu) = known.mtu else { continue };
            // `fnhe_update_pmtu`
            if known.mtu_locked && new <= mtu {
                known.mtu = Some(new);
                known.mtu_locked = false;
            } else if !known.mtu_locked && (new < mtu || old == mtu) {
                known.mtu = Some(new);
            }
        }
    }

    /// What is known of a destination by a way, to be filled in (`update_or_create_fnhe`).
    fn learn(
        &mut self,
        ns: NsId,
        destination: Ipv4Addr,
        way: WayId,
        (now, expires): (Time, Time),
    ) -> &mut Exception {
        if self.known.len() >= CACHE_MAX {
            self.known.clear();
        }
        let all = self.known.entry((ns, destination)).or_default();
        all.retain(|known| known.expires > now || known.way == way);
        let at = all.iter().position(|known| known.way == way).unwrap_or_else(|| {
            if all.len() >= WAYS_MAX {
                all.remove(0);
            }
            all.push(Exception { way, gateway: None, mtu: None, mtu_locked: false, is_used: false, expires });
            all.len() - 1
        });
        let known = &mut all[at];
        known.expires = expires;
        known
    }

    /// A route is gone, and with it what was learned of its ways.
    pub fn forget_route(&mut self, ns: NsId, route: &Route) {
        if self.known.is_empty() {
            return;
        }
        self.known.retain(|(of, _), all| {
            all.retain(|known| *of != ns || !known.way.is_of(route));
            !all.is_empty()
        });
    }

    /// Forgets what has expired, and what belongs to none of the ways that there are.
    fn sweep(&mut self, ways: &FxHashSet<(NsId, WayId)>, now: Time) {
        self.known.retain(|(ns, _), all| {
            all.retain(|known| known.expires > now && ways.contains(&(*ns, known.way)));
            !all.is_empty()
        });
        self.sweep_at = SWEEP_MIN.max(self.known.len() * 2);
    }

    /// Forgets what was learned in a namespace.
    pub fn flush(&mut self, ns: NsId) {
        self.known.retain(|(of, _), _| *of != ns);
    }
}

impl World {
    /// A router tells a better gateway for packets from `source` to `destination` (`__ip_do_redirect`).
    pub(crate) fn learn_gateway(
        &mut self,
        ns: NsId,
        (source, destination): (Ipv4Addr, Ipv4Addr),
        gateway: Ipv4Addr,
        expires: Time,
    ) {
        let way = self.links(ns).zip(self.fib.get(ns)).and_then(|(links, fib)| {
            let flow = Flow { source, ..Flow::to(destination) };
            fib.output(&flow, false, &links).ok()?.found.map(|found| found.way())
        });
        let Some(way) = way else { return };
        self.sweep_exceptions();
        let known = self.routes.exceptions.learn(ns, destination, way, (self.now, expires));
        known.gateway = Some(gateway);
        self.changed();
    }

    /// What goes a way that takes `old` bytes at once can go it with `told` bytes at most (`__ip_rt_update_pmtu`).
    pub(crate) fn learn_path_mtu(&mut self, path: Path, old: u32, told: u32) {
        let Path { ns, source, destination, oif, tos } = path;
        if old < told {
            return;
        }
        // With less than Linux believes it no longer asks for packets to stay whole.
        let locked = told < PMTU_MIN;
        let mtu = if locked { old.min(PMTU_MIN) } else { told };
        let now = self.now;
        let Some((links, fib)) = self.links(ns).zip(self.fib.get(ns)) else { return };
        let flow = Flow { source, oif, tos: tos & 0x1e, ..Flow::to(destination) };
        let Some(found) = fib.output(&flow, true, &links).ok().and_then(|output| output.found) else {
            return;
        };
        if found.route.mtu().is_some_and(|(_, locked)| locked) {
            return;
        }
        if let Some(known) = self.routes.exceptions.find(ns, destination, &found, now) {
            let fresh = known.expires.since(now) > PMTU_EXPIRES / 2;
            if known.mtu.is_some() && known.mtu_locked || known.mtu == Some(mtu) && !locked && fresh {
                return;
            }
        }
        // Of several ways out this is not known to be one.
        let ways: Vec<WayId> = found.ways().collect();
        self.sweep_exceptions();
        for way in ways {
            let known = self.routes.exceptions.learn(ns, destination, way, (now, now + PMTU_EXPIRES));
            known.mtu = Some(mtu);
            known.mtu_locked = locked;
        }
        self.changed();
    }

    /// Routes that go with their device, or that others take the place of, are not told of: what was learned of them is
    /// looked for when more is learned, so seldom that it costs nothing.
    fn sweep_exceptions(&mut self) {
        if self.routes.exceptions.known.len() < self.routes.exceptions.sweep_at.max(SWEEP_MIN) {
            return;
        }
        let namespaces: FxHashSet<NsId> = self.routes.exceptions.known.keys().map(|(ns, _)| *ns).collect();
        let fibs = namespaces.into_iter().filter_map(|ns| Some((ns, self.fib.get(ns)?)));
        let ways = fibs.flat_map(|(ns, fib)| fib.all_ways().map(move |found| (ns, found.way()))).collect();
        self.routes.exceptions.sweep(&ways, self.now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::tests::world::{World, address};
    use crate::route::{Fib, Scope};

    const NS: fn() -> NsId = NsId::default;

    fn world() -> World {
        let mut world = World::new();
        for device in [1, 2, 3, 4, 5] {
            world.set_up(device, true);
        }
        world.add_address(3, address("10.0.0.1", 24, Scope::UNIVERSE)).unwrap();
        world.add_address(5, address("10.1.0.1", 24, Scope::UNIVERSE)).unwrap();
        world
    }

    fn way(fib: &Fib, network: [u8; 4]) -> (WayId, Route) {
        let found = fib.all_ways().find(|found| found.prefix().address == Ipv4Addr::from(network)).unwrap();
        (found.way(), Route::clone(found.route))
    }

    #[test]
    fn what_was_learned_goes_with_its_route_and_when_it_expires() {
        let world = world();
        let ((first, route), (second, _)) = (way(&world.fib, [10, 0, 0, 0]), way(&world.fib, [10, 1, 0, 0]));
        let at = |seconds| Time::ZERO + Duration::from_secs(seconds);
        let mut exceptions = Exceptions::default();
        let (one, other) = (Ipv4Addr::new(10, 0, 0, 9), Ipv4Addr::new(10, 1, 0, 9));
        exceptions.learn(NS(), one, first, (at(0), at(10)));
        exceptions.learn(NS(), other, second, (at(0), at(10)));
        // Another way takes the place of one that no longer holds.
        exceptions.learn(NS(), one, second, (at(5), at(15)));
        assert_eq!(exceptions.known[&(NS(), one)].len(), 2);
        exceptions.learn(NS(), one, second, (at(10), at(20)));
        assert_eq!(exceptions.known[&(NS(), one)].len(), 1);
        exceptions.learn(NS(), one, first, (at(10), at(20)));
        // Nothing of what no lookup has led to is listed.
        assert!(exceptions.used(NS(), at(11)).is_empty());
        exceptions.mark_used(NS(), one, first);
        assert_eq!(exceptions.used(NS(), at(11)).len(), 1);
        assert!(exceptions.used(NS(), at(20)).is_empty());
        exceptions.forget_route(NS(), &route);
        assert!(exceptions.used(NS(), at(11)).is_empty());
        assert_eq!(exceptions.known[&(NS(), one)].len(), 1);
        // Of what is left one has expired, and one belongs to no way that there is.
        exceptions.learn(NS(), other, first, (at(10), at(20)));
        exceptions.sweep(&FxHashSet::from_iter([(NS(), second)]), at(12));
        assert_eq!(exceptions.known.keys().collect::<Vec<_>>(), [&(NS(), one)]);
        exceptions.sweep(&FxHashSet::default(), at(12));
        assert!(exceptions.known.is_empty());
    }
}
