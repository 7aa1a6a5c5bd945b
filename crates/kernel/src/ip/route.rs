//! The way of a packet, found once a flow: a cache in front of the routing tables.

use std::net::Ipv4Addr;
use std::time::Duration;

use hairpin_netlink::Errno;
use rustc_hash::{FxHashMap, FxHashSet};
use slotmap::Key as _;

use crate::dev::tunnel::TunnelInfo;
use crate::device::DevId;
use crate::netns::NsId;
use crate::route::{FibResult, Flow, InputError, Metrics, Route, WayId};
use crate::time::Time;
use crate::world::World;

pub use crate::route::RouteKind;

/// Flows that the cache remembers before it starts anew.
const CACHE_MAX: usize = 1 << 16;
/// Destinations from which on it is worth while to look for those of which nothing holds any more.
const SWEEP_MIN: usize = 64;
/// Ways to one destination of which something is known; the oldest is forgotten.
const WAYS_MAX: usize = 64;

/// The way out for a packet of this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutRoute {
    pub kind: RouteKind,
    pub dev: DevId,
    pub gateway: Option<Ipv4Addr>,
    pub source: Ipv4Addr,
    pub destination: Ipv4Addr,
    /// A copy is for this host.
    pub local: bool,
    /// Bytes of the largest IP packet: the device's MTU, or less by the route or by path MTU discovery.
    pub mtu: u32,
    /// The MTU is locked: packets go out without DF.
    pub mtu_locked: bool,
    /// The tunnel that the route says.
    pub tunnel: Option<TunnelInfo>,
}

impl OutRoute {
    /// The address to resolve on the link.
    pub fn next_hop(&self) -> Ipv4Addr {
        self.gateway.unwrap_or(self.destination)
    }
}

/// What becomes of a packet that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InRoute {
    /// For this host; the kind is local, broadcast or multicast.
    Deliver(RouteKind),
    Forward {
        /// Unicast, or a broadcast on the other link.
        kind: RouteKind,
        dev: DevId,
        gateway: Option<Ipv4Addr>,
        redirect: bool,
        /// Bytes of the largest packet that is forwarded.
        mtu: u32,
        /// The same by what was learned of the path, which does not count for what is forwarded
        /// (`ip_forward_use_pmtu`).
        path_mtu: u32,
        tunnel: Option<TunnelInfo>,
    },
}

/// What decides the way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OutKey {
    pub ns: NsId,
    pub destination: Ipv4Addr,
    /// Unspecified: to be chosen.
    pub source: Ipv4Addr,
    /// 0: any device.
    pub oif: u32,
    pub tos: u8,
    pub mark: u32,
    pub protocol: u8,
    /// The source need not be an own address.
    pub any_source: bool,
    /// Only what is on the link (`SO_DONTROUTE`).
    pub on_link: bool,
}

impl OutKey {
    pub fn to(ns: NsId, destination: Ipv4Addr) -> Self {
        OutKey {
            ns,
            destination,
            source: Ipv4Addr::UNSPECIFIED,
            oif: 0,
            tos: 0,
            mark: 0,
            protocol: 0,
            any_source: false,
            on_link: false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct InKey {
    dev: DevId,
    source: Ipv4Addr,
    destination: Ipv4Addr,
    tos: u8,
    protocol: u8,
    mark: u32,
}

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

/// The answers to what was last asked, each in a place that its question decides.
#[derive(Clone, Debug)]
struct Recent<Q, A> {
    places: Vec<Option<(u64, Q, A)>>,
}

impl<Q, A> Default for Recent<Q, A> {
    fn default() -> Self {
        Recent { places: Vec::new() }
    }
}

/// Bits of a place's number.
const RECENT_BITS: u32 = 6;

impl<Q: PartialEq, A: Copy> Recent<Q, A> {
    /// Where the answer is for packets between two addresses, seen from `from`.
    #[inline]
    fn place(from: u64, source: Ipv4Addr, destination: Ipv4Addr) -> usize {
        let addresses = u64::from(u32::from(source)) << 32 | u64::from(u32::from(destination));
        ((addresses ^ from.rotate_left(20)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - RECENT_BITS))
            as usize
    }

    #[inline]
    fn get(&self, place: usize, epoch: u64, question: &Q) -> Option<A> {
        match self.places.get(place) {
            Some(Some((at, known, answer))) if *at == epoch && known == question => Some(*answer),
            _ => None,
        }
    }

    fn set(&mut self, place: usize, epoch: u64, question: Q, answer: A) {
        if self.places.is_empty() {
            self.places.resize_with(1 << RECENT_BITS, || None);
        }
        if let Some(known) = self.places.get_mut(place) {
            *known = Some((epoch, question, answer));
        }
    }
}

/// Remembered ways, valid for one state of the configuration.
#[derive(Clone, Debug, Default)]
pub struct RouteCache {
    generation: u64,
    /// How often all ways have been forgotten.
    epoch: u64,
    /// What the tables below would be asked for most often.
    recent_out: Recent<OutKey, OutRoute>,
    recent_input: Recent<InKey, InRoute>,
    out: FxHashMap<OutKey, Result<OutRoute, Errno>>,
    input: FxHashMap<InKey, Result<InRoute, InputError>>,
    exceptions: FxHashMap<(NsId, Ipv4Addr), Vec<Exception>>,
    /// With so many destinations, those of which nothing holds any more are looked for.
    sweep_at: usize,
    /// When the first of the remembered ways is no longer what it was.
    expires: Option<Time>,
}

impl RouteCache {
    #[inline]
    fn renew(&mut self, generation: u64, now: Time) {
        if self.generation != generation
            || self.out.len() + self.input.len() > CACHE_MAX
            || self.expires.is_some_and(|expires| expires <= now)
        {
            self.generation = generation;
            self.expires = None;
            self.forget();
        }
    }

    #[cold]
    fn forget(&mut self) {
        self.epoch += 1;
        self.out.clear();
        self.input.clear();
    }

    /// What is known about a destination that the tables send this way (`find_exception`).
    pub fn exception(
        &self,
        ns: NsId,
        destination: Ipv4Addr,
        found: &FibResult<'_>,
        now: Time,
    ) -> Option<&Exception> {
        if self.exceptions.is_empty() {
            return None;
        }
        let way = found.way();
        let known = self.exceptions.get(&(ns, destination))?.iter().find(|known| known.way == way)?;
        (known.expires > now).then_some(known)
    }

    /// A lookup has found what is known of this way (`rt_bind_exception`).
    pub fn mark_used(&mut self, ns: NsId, destination: Ipv4Addr, way: WayId) {
        let all = self.exceptions.get_mut(&(ns, destination));
        if let Some(known) = all.and_then(|all| all.iter_mut().find(|known| known.way == way)) {
            known.is_used = true;
        }
    }

    /// What was learned in a namespace, still holds and has been used, by destination.
    pub fn exceptions(&self, ns: NsId, now: Time) -> Vec<(Ipv4Addr, Exception)> {
        let of_it = self.exceptions.iter().filter(|((of, _), _)| *of == ns);
        let known = of_it.flat_map(|((_, destination), all)| all.iter().map(|known| (*destination, *known)));
        let mut all: Vec<_> = known.filter(|(_, known)| known.is_used && known.expires > now).collect();
        all.sort_by_key(|(destination, _)| *destination);
        all
    }

    /// A device has another MTU: what was learned of the ways out of it follows (`fib_sync_mtu`).
    pub fn device_mtu_changed(&mut self, ns: NsId, ifindex: u32, old: u32, new: u32) {
        let of_it = self.exceptions.iter_mut().filter(|((of, _), _)| *of == ns);
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
        if self.exceptions.len() >= CACHE_MAX {
            self.exceptions.clear();
        }
        let all = self.exceptions.entry((ns, destination)).or_default();
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
        if self.exceptions.is_empty() {
            return;
        }
        self.exceptions.retain(|(of, _), all| {
            all.retain(|known| *of != ns || !known.way.is_of(route));
            !all.is_empty()
        });
    }

    /// Forgets what has expired, and what belongs to none of the ways that there are.
    fn sweep(&mut self, ways: &FxHashSet<(NsId, WayId)>, now: Time) {
        self.exceptions.retain(|(ns, _), all| {
            all.retain(|known| known.expires > now && ways.contains(&(*ns, known.way)));
            !all.is_empty()
        });
        self.sweep_at = SWEEP_MIN.max(self.exceptions.len() * 2);
    }

    /// What is remembered now holds up to this instant at most.
    fn valid_until(&mut self, until: Option<Time>) {
        if let Some(until) = until {
            self.expires = Some(self.expires.map_or(until, |known| known.min(until)));
        }
    }

    /// Forgets what was learned in a namespace (`ip route flush cache`).
    pub fn flush(&mut self, ns: NsId) {
        self.exceptions.retain(|(of, _), _| *of != ns);
        self.forget();
    }
}

impl World {
    /// `ip_route_output_key`
    ///
    /// # Errors
    /// What `connect` or `sendto` fail with.
    #[inline]
    pub(crate) fn route_output(&mut self, key: OutKey) -> Result<OutRoute, Errno> {
        self.routes.renew(self.generation, self.now);
        let place = Recent::<OutKey, OutRoute>::place(key.ns.data().as_ffi(), key.source, key.destination);
        match self.routes.recent_out.get(place, self.routes.epoch, &key) {
            Some(found) => Ok(found),
            None => self.remembered_output(key, place),
        }
    }

    fn remembered_output(&mut self, key: OutKey, place: usize) -> Result<OutRoute, Errno> {
        let found = match self.routes.out.get(&key) {
            Some(found) => *found,
            None => {
                let found = self.find_output(&key);
                self.routes.out.insert(key, found);
                found
            }
        };
        if let Ok(route) = found {
            self.routes.recent_out.set(place, self.routes.epoch, key, route);
        }
        found
    }

    /// The way to an address from a given source (unspecified: any), everything else open.
    pub(crate) fn route_output_simple(
        &mut self,
        ns: NsId,
        destination: Ipv4Addr,
        source: Ipv4Addr,
    ) -> Result<OutRoute, Errno> {
        self.route_output(OutKey { source, ..OutKey::to(ns, destination) })
    }

    fn find_output(&mut self, key: &OutKey) -> Result<OutRoute, Errno> {
        let links = self.links(key.ns).ok_or(Errno::ENETUNREACH)?;
        let fib = self.fib.get(key.ns).ok_or(Errno::ENETUNREACH)?;
        let flow = Flow {
            source: key.source,
            oif: key.oif,
            tos: key.tos & 0x1e,
            mark: key.mark,
            protocol: key.protocol,
            scope: if key.on_link { crate::route::Scope::LINK } else { crate::route::Scope::UNIVERSE },
            ..Flow::to(key.destination)
        };
        let found = fib.output(&flow, key.any_source, &links)?;
        let dev = *links.netns.devices.get(&found.ifindex).ok_or(Errno::ENODEV)?;
        let device = self.devs.get(dev).ok_or(Errno::ENODEV)?;
        let route_mtu = found.found.as_ref().and_then(|found| found.route.mtu());
        let locked = found
            .found
            .as_ref()
            .is_some_and(|found| found.route.metric(Metrics::LOCK) & (1 << Metrics::MTU) != 0);
        let taken = found.found;
        let mut route = OutRoute {
            kind: found.kind,
            dev,
            gateway: found.gateway,
            source: found.source,
            destination: found.destination,
            local: found.local,
            mtu: route_mtu.map_or(device.mtu, |(mtu, _)| mtu).min(65535),
            mtu_locked: locked,
            tunnel: taken.and_then(|taken| taken.nexthop.tunnel),
        };
        let mut learned = None;
        if let Some(taken) = taken.filter(|_| route.kind == RouteKind::Unicast)
            && let Some(known) = self.routes.exception(key.ns, route.destination, &taken, self.now)
        {
            learned = Some((known.way, known.expires));
            if let Some(gateway) = known.gateway {
                route.gateway = Some(gateway);
            }
            if let Some(mtu) = known.mtu {
                route.mtu = mtu.min(65535);
                route.mtu_locked |= known.mtu_locked;
            }
        }
        if let Some((way, expires)) = learned {
            self.routes.valid_until(Some(expires));
            self.routes.mark_used(key.ns, route.destination, way);
        }
        Ok(route)
    }

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
        let known = self.routes.learn(ns, destination, way, (self.now, expires));
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
        if let Some(known) = self.routes.exception(ns, destination, &found, now) {
            let fresh = known.expires.since(now) > PMTU_EXPIRES / 2;
            if known.mtu.is_some() && known.mtu_locked || known.mtu == Some(mtu) && !locked && fresh {
                return;
            }
        }
        // Of several ways out this is not known to be one.
        let ways: Vec<WayId> = found.ways().collect();
        self.sweep_exceptions();
        for way in ways {
            let known = self.routes.learn(ns, destination, way, (now, now + PMTU_EXPIRES));
            known.mtu = Some(mtu);
            known.mtu_locked = locked;
        }
        self.changed();
    }

    /// Routes that go with their device, or that others take the place of, are not told of: what was learned of them is
    /// looked for when more is learned, so seldom that it costs nothing.
    fn sweep_exceptions(&mut self) {
        if self.routes.exceptions.len() < self.routes.sweep_at.max(SWEEP_MIN) {
            return;
        }
        let namespaces: FxHashSet<NsId> = self.routes.exceptions.keys().map(|(ns, _)| *ns).collect();
        let fibs = namespaces.into_iter().filter_map(|ns| Some((ns, self.fib.get(ns)?)));
        let ways = fibs.flat_map(|(ns, fib)| fib.all_ways().map(move |found| (ns, found.way()))).collect();
        self.routes.sweep(&ways, self.now);
    }

    /// `ip_route_input_noref`
    ///
    /// # Errors
    /// Why the packet goes nowhere.
    #[inline]
    pub(crate) fn route_input(
        &mut self,
        dev: DevId,
        header: &super::Header,
        mark: u32,
    ) -> Result<InRoute, InputError> {
        self.routes.renew(self.generation, self.now);
        let key = InKey {
            dev,
            source: header.source,
            destination: header.destination,
            tos: header.tos & 0x1e,
            protocol: header.protocol,
            mark,
        };
        let place = Recent::<InKey, InRoute>::place(dev.data().as_ffi(), key.source, key.destination);
        match self.routes.recent_input.get(place, self.routes.epoch, &key) {
            Some(found) => Ok(found),
            None => self.remembered_input(key, place),
        }
    }

    fn remembered_input(&mut self, key: InKey, place: usize) -> Result<InRoute, InputError> {
        let found = match self.routes.input.get(&key) {
            Some(found) => *found,
            None => {
                let (found, learned) = self.find_input(&key);
                self.routes.input.insert(key, found);
                self.routes.valid_until(learned.map(|learned| learned.expires));
                if let Some((learned, device)) = learned.zip(self.devs.get(key.dev)) {
                    self.routes.mark_used(device.ns, key.destination, learned.way);
                }
                found
            }
        };
        if let Ok(route) = found {
            self.routes.recent_input.set(place, self.routes.epoch, key, route);
        }
        found
    }

    /// With what was learned of the way.
    fn find_input(&self, key: &InKey) -> (Result<InRoute, InputError>, Option<Exception>) {
        let mut learned = None;
        (self.search_input(key, &mut learned), learned)
    }

    fn search_input(&self, key: &InKey, learned: &mut Option<Exception>) -> Result<InRoute, InputError> {
        let device = self.devs.get(key.dev).ok_or(InputError::Disabled)?;
        let links = self.links(device.ns).ok_or(InputError::Disabled)?;
        let fib = self.fib.get(device.ns).ok_or(InputError::Disabled)?;
        let flow = Flow {
            source: key.source,
            iif: device.ifindex,
            tos: key.tos,
            mark: key.mark,
            protocol: key.protocol,
            ..Flow::to(key.destination)
        };
        let found = fib.input(&flow, &links)?;
        if !found.forward {
            return Ok(InRoute::Deliver(found.kind));
        }
        let kind = found.kind;
        let Some(result) = found.found else { return Err(InputError::InvalidDestination) };
        let out = links.netns.devices.get(&result.ifindex()).copied();
        let out = out.and_then(|dev| self.devs.get(dev)).ok_or(InputError::InvalidDestination)?;
        // `rt_bind_exception`
        let known = self.routes.exception(device.ns, key.destination, &result, self.now);
        *learned = known.copied();
        let next_hop =
            known.and_then(|known| known.gateway).unwrap_or_else(|| result.neighbour(key.destination));
        let mtu =
            result.route.mtu().map_or(out.mtu, |(mtu, locked)| if locked { mtu } else { mtu.min(out.mtu) });
        let learned_mtu = known.and_then(|known| known.mtu);
        let locked = known.is_some_and(|known| known.mtu_locked);
        Ok(InRoute::Forward {
            kind,
            dev: out.id,
            gateway: (next_hop != key.destination).then_some(next_hop),
            redirect: found.redirect,
            mtu: learned_mtu.filter(|_| locked).unwrap_or(mtu),
            path_mtu: learned_mtu.unwrap_or(mtu),
            tunnel: result.nexthop.tunnel,
        })
    }

    /// For ARP: the kind of route that a packet from `source` to `destination` arriving on `dev` has, and
    /// the device it would leave by. None where it goes nowhere.
    pub(crate) fn route_input_kind(
        &mut self,
        dev: DevId,
        destination: Ipv4Addr,
        source: Ipv4Addr,
        for_proxy: bool,
    ) -> Option<(RouteKind, DevId)> {
        let key = InKey { dev, source, destination, tos: 0, protocol: 0, mark: 0 };
        match self.find_input(&key).0.ok()? {
            InRoute::Deliver(kind) => Some((kind, dev)),
            // `__mkroute_input`: a route back out of the device is of no use to a proxy, but for private VLANs.
            InRoute::Forward { dev: out, .. }
                if for_proxy
                    && out == dev
                    && !self.dev_conf_either(dev, crate::sysctl::Conf::ProxyArpPvlan) =>
            {
                None
            }
            InRoute::Forward { kind, dev: out, .. } => Some((kind, out)),
        }
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
        let mut cache = RouteCache::default();
        let (one, other) = (Ipv4Addr::new(10, 0, 0, 9), Ipv4Addr::new(10, 1, 0, 9));
        cache.learn(NS(), one, first, (at(0), at(10)));
        cache.learn(NS(), other, second, (at(0), at(10)));
        // Another way takes the place of one that no longer holds.
        cache.learn(NS(), one, second, (at(5), at(15)));
        assert_eq!(cache.exceptions[&(NS(), one)].len(), 2);
        cache.learn(NS(), one, second, (at(10), at(20)));
        assert_eq!(cache.exceptions[&(NS(), one)].len(), 1);
        cache.learn(NS(), one, first, (at(10), at(20)));
        // Nothing of what no lookup has led to is listed.
        assert!(cache.exceptions(NS(), at(11)).is_empty());
        cache.mark_used(NS(), one, first);
        assert_eq!(cache.exceptions(NS(), at(11)).len(), 1);
        assert!(cache.exceptions(NS(), at(20)).is_empty());
        cache.forget_route(NS(), &route);
        assert!(cache.exceptions(NS(), at(11)).is_empty());
        assert_eq!(cache.exceptions[&(NS(), one)].len(), 1);
        // Of what is left one has expired, and one belongs to no way that there is.
        cache.learn(NS(), other, first, (at(10), at(20)));
        cache.sweep(&FxHashSet::from_iter([(NS(), second)]), at(12));
        assert_eq!(cache.exceptions.keys().collect::<Vec<_>>(), [&(NS(), one)]);
        cache.sweep(&FxHashSet::default(), at(12));
        assert!(cache.exceptions.is_empty());
    }
}
