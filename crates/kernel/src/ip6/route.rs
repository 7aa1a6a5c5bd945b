//! The way of an IPv6 packet, found once a flow: a cache in front of the tables.

use std::net::Ipv6Addr;
use std::time::Duration;

use hairpin_netlink::{Errno, Failure};
use rustc_hash::FxHashMap;

use crate::dev::tunnel::TunnelInfo;
use crate::device::{DevId, Ipv6Address, ifa};
use crate::netns::{Netns, NsId};
use crate::route::{LookupError, RouteKind};
use crate::route6::source::{Candidate, Purpose, choose, scope};
use crate::route6::{Flow6, Neighbourhood, NextHop6, Prefix6, Route6, RouteId6, Way6};
use crate::time::Time;
use crate::world::World;

use super::address::{is_link_local, needs_device};
use super::{Header, MIN_MTU};

/// Flows that the cache remembers before it starts anew.
const CACHE_MAX: usize = 1 << 16;
/// Ways to one destination of which something is known.
const WAYS_MAX: usize = 64;
/// `IP6_MAX_MTU`: the longest payload with its header.
const MTU_MAX: u32 = 65_575;
/// How long a learned path MTU holds (`ip6_rt_mtu_expires`), and a redirect (`ip6_rt_gc_timeout`).
const PMTU_EXPIRES: Duration = Duration::from_secs(600);
const REDIRECT_EXPIRES: Duration = Duration::from_secs(60);

/// The way out for a packet of this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutRoute6 {
    /// Unicast, local or multicast.
    pub kind: RouteKind,
    /// Where it leaves; the loopback device for own addresses.
    pub dev: DevId,
    /// The index of the route's device, which for an own address is the one that has it (`ip6_dst_idev`).
    pub owner: u32,
    pub gateway: Option<Ipv6Addr>,
    pub source: Ipv6Addr,
    pub destination: Ipv6Addr,
    pub mtu: u32,
    /// What the device of the route says (`ip6_dst_hoplimit`).
    pub hop_limit: u8,
    /// Bits of the route's prefix, for the rate of ICMP errors.
    pub prefix_len: u8,
    /// The tunnel that the route says.
    pub tunnel: Option<TunnelInfo>,
}

impl OutRoute6 {
    /// The address to resolve on the link.
    pub fn next_hop(&self) -> Ipv6Addr {
        self.gateway.unwrap_or(self.destination)
    }
}

/// What becomes of a packet that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InRoute6 {
    /// For this host, with the device that has the address.
    Deliver {
        kind: RouteKind,
        owner: u32,
    },
    Forward {
        dev: DevId,
        gateway: Option<Ipv6Addr>,
        mtu: u32,
        /// Less by what was learned of the path.
        learned: Option<u32>,
        tunnel: Option<TunnelInfo>,
    },
    /// A multicast group that nobody listens to.
    NotJoined,
    Refuse(LookupError),
}

/// What decides the way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OutKey6 {
    pub ns: NsId,
    pub destination: Ipv6Addr,
    /// Unspecified: to be chosen.
    pub source: Ipv6Addr,
    /// 0: any device.
    pub oif: u32,
    pub mark: u32,
}

impl OutKey6 {
    pub fn to(ns: NsId, destination: Ipv6Addr) -> Self {
        OutKey6 { ns, destination, source: Ipv6Addr::UNSPECIFIED, oif: 0, mark: 0 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct InKey6 {
    dev: DevId,
    source: Ipv6Addr,
    destination: Ipv6Addr,
    mark: u32,
}

/// What was learned about a destination beyond the tables (`struct rt6_exception`).
#[derive(Clone, Copy, Debug)]
pub struct Exception6 {
    pub way: Way6,
    pub gateway: Option<Ipv6Addr>,
    pub mtu: Option<u32>,
    pub expires: Time,
}

/// What was learned about destinations, by the routes that lead there.
#[derive(Clone, Debug, Default)]
pub struct Learned6(FxHashMap<RouteId6, Vec<(Ipv6Addr, Exception6)>>);

impl Learned6 {
    /// What is known of destinations that go by a route: each with its way out. In the order of the destinations, not
    /// of Linux's hash.
    pub fn of<'a>(
        &'a self,
        route: &'a Route6,
    ) -> impl Iterator<Item = (Ipv6Addr, &'a NextHop6, &'a Exception6)> {
        let known = self.0.get(&(route.table, route.prefix, route.metric)).map_or(&[][..], Vec::as_slice);
        known.iter().filter_map(|(destination, known)| {
            let way = route.nexthops.iter().find(|way| known.way.is_through(way))?;
            Some((*destination, way, known))
        })
    }
}

/// Remembered ways, valid for one state of the configuration.
#[derive(Clone, Debug, Default)]
pub struct RouteCache6 {
    generation: u64,
    out: FxHashMap<OutKey6, Result<OutRoute6, Errno>>,
    input: FxHashMap<InKey6, InRoute6>,
    exceptions: FxHashMap<(NsId, Ipv6Addr), Vec<Exception6>>,
    /// When the first of the remembered ways is no longer what it was.
    expires: Option<Time>,
}

impl RouteCache6 {
    #[inline]
    fn renew(&mut self, generation: u64, now: Time) {
        if self.generation != generation
            || self.out.len() + self.input.len() > CACHE_MAX
            || self.expires.is_some_and(|expires| expires <= now)
        {
            self.generation = generation;
            self.expires = None;
            self.out.clear();
            self.input.clear();
        }
    }

    /// What is known about a destination that goes this way.
    pub fn exception(&self, ns: NsId, destination: Ipv6Addr, way: Way6, now: Time) -> Option<&Exception6> {
        let known = self.exceptions.get(&(ns, destination))?.iter().find(|known| known.way == way)?;
        (known.expires > now).then_some(known)
    }

    /// What was learned in a namespace and still holds.
    pub fn learned(&self, ns: NsId, now: Time) -> Learned6 {
        let mut learned = Learned6::default();
        for ((_, destination), all) in self.exceptions.iter().filter(|((of, _), _)| *of == ns) {
            for known in all.iter().filter(|known| known.expires > now) {
                learned.0.entry(known.way.route()).or_default().push((*destination, *known));
            }
        }
        for known in learned.0.values_mut() {
            known.sort_by_key(|(destination, _)| *destination);
        }
        learned
    }

    /// Forgets what was learned of a destination by one way of a route, if it leads out of the device and by the gateway
    /// that are given (`__ip6_del_cached_rt`; device 0, no gateway: any). Whether it was that; None: nothing was learned.
    fn forget(
        &mut self,
        (ns, destination): (NsId, Ipv6Addr),
        (route, way): (&Route6, &NextHop6),
        (ifindex, gateway): (u32, Option<Ipv6Addr>),
        now: Time,
    ) -> Option<bool> {
        let all = self.exceptions.get_mut(&(ns, destination))?;
        let is_it = |known: &Exception6| known.way.is_of(route) && known.way.is_through(way);
        let at = all.iter().position(|known| known.expires > now && is_it(known))?;
        // `rt6i_gateway`: of a neighbour its own address.
        let through = all.get(at)?.gateway.or(way.gateway).unwrap_or(destination);
        if ifindex != 0 && way.ifindex != ifindex || gateway.is_some_and(|gateway| gateway != through) {
            return Some(false);
        }
        all.remove(at);
        if all.is_empty() {
            self.exceptions.remove(&(ns, destination));
        }
        Some(true)
    }

    /// A route is gone, and with it what was learned of its ways.
    pub fn forget_route(&mut self, ns: NsId, route: &Route6) {
        self.exceptions.retain(|(of, _), all| {
            all.retain(|known| *of != ns || !known.way.is_of(route));
            !all.is_empty()
        });
    }

    /// A device has another MTU than `old`: what was learned of the ways out of it follows (`rt6_exceptions_update_pmtu`).
    pub fn device_mtu_changed(&mut self, ns: NsId, ifindex: u32, old: u32, new: u32) {
        let of_it = self.exceptions.iter_mut().filter(|((of, _), _)| *of == ns);
        for known in of_it.flat_map(|(_, all)| all).filter(|known| known.way.ifindex() == ifindex) {
            known.mtu = known.mtu.map(|mtu| if mtu >= new || mtu == old { new } else { mtu });
        }
    }

    /// What is remembered now holds up to this instant at most.
    fn valid_until(&mut self, until: Option<Time>) {
        if let Some(until) = until {
            self.expires = Some(self.expires.map_or(until, |known| known.min(until)));
        }
    }
}

/// What route selection asks of a namespace's neighbours.
pub(crate) struct Around<'a> {
    pub netns: &'a Netns,
    pub now: Time,
}

impl Neighbourhood for Around<'_> {
    fn is_unreachable(&self, ifindex: u32, gateway: Ipv6Addr) -> bool {
        self.netns.neigh6.get(ifindex, gateway).is_some_and(|entry| entry.state == crate::neigh::nud::FAILED)
    }

    fn now(&self) -> Time {
        self.now
    }
}

impl World {
    /// `ip6_route_output` with `ip6_route_get_saddr`
    ///
    /// # Errors
    /// What `connect` or `sendto` fail with.
    #[inline]
    pub(crate) fn route_output6(&mut self, key: OutKey6) -> Result<OutRoute6, Errno> {
        self.routes6.renew(self.generation, self.now);
        match self.routes6.out.get(&key) {
            Some(found) => *found,
            None => {
                let found = self.find_output6(&key);
                self.routes6.out.insert(key, found);
                found
            }
        }
    }

    /// The way of something that is to be sent at once; that there is none is counted (`ip6_dst_lookup_tail`,
    /// `ip6_route_me_harder`).
    ///
    /// # Errors
    /// Those of [`World::route_output6`].
    #[inline]
    pub(crate) fn seek_output6(&mut self, key: OutKey6) -> Result<OutRoute6, Errno> {
        let found = self.route_output6(key);
        if found == Err(Errno::ENETUNREACH)
            && let Some(netns) = self.netns.get_mut(key.ns)
        {
            netns.counters6.out_no_routes += 1;
        }
        found
    }

    fn find_output6(&mut self, key: &OutKey6) -> Result<OutRoute6, Errno> {
        let netns = self.netns.get(key.ns).ok_or(Errno::ENETUNREACH)?;
        let fib = self.fib6.get(key.ns).ok_or(Errno::ENETUNREACH)?;
        let around = Around { netns, now: self.now };
        let flow = Flow6 {
            destination: key.destination,
            source: key.source,
            device: key.oif,
            mark: key.mark,
            iif: 0,
            strict: key.oif != 0 || needs_device(key.destination),
            reachable_first: !netns.sysctl.ipv6_forwarding,
            vrf_table: None,
        };
        let flow = self.in_vrf6(key.ns, flow);
        let found = match fib.lookup(&flow, &around) {
            Ok(found) => found,
            // `ip6_dst_lookup_tail` looks for a source first.
            Err(_) if key.source.is_unspecified() && !self.has_source6(key.ns) => {
                return Err(Errno::EADDRNOTAVAIL);
            }
            Err(error) => return Err(error.errno()),
        };
        let through = *netns.devices.get(&found.way.ifindex).ok_or(Errno::ENODEV)?;
        let local = matches!(found.route.kind, RouteKind::Local | RouteKind::Anycast);
        // `ip6_rt_get_dev_rcu`
        let dev = match local {
            false => through,
            true => {
                let on_link = needs_device(found.route.prefix.address);
                let vrf = self.vrf_of(through).filter(|vrf| *vrf == through || !on_link);
                vrf.unwrap_or(netns.lo)
            }
        };
        let device = self.devs.get(dev).ok_or(Errno::ENODEV)?;
        let (mtu, gateway, way) = (found.route.mtu(), found.way.gateway, found.id());
        let prefix_len = found.route.prefix.length;
        let tunnel = found.way.tunnel;
        let preferred = found.route.preferred_source;
        let kind = match found.route.kind {
            _ if key.destination.is_multicast() => RouteKind::Multicast,
            RouteKind::Anycast => RouteKind::Local,
            kind => kind,
        };
        let mut route = OutRoute6 {
            kind,
            dev,
            owner: found.way.ifindex,
            gateway,
            source: key.source,
            destination: key.destination,
            mtu: mtu.unwrap_or(self.mtu6(dev)).min(device.mtu).min(MTU_MAX),
            hop_limit: self.conf6(through, "hop_limit") as u8,
            prefix_len,
            tunnel,
        };
        if route.source.is_unspecified() {
            // `ip6_route_get_saddr`: what is in a VRF has a source of it, wherever it goes.
            let vrf = self.device_at(key.ns, key.oif).and_then(|dev| self.vrf_of(dev));
            let outside = vrf.filter(|vrf| self.vrf_of(through) != Some(*vrf));
            let preferred = preferred.filter(|_| outside.is_none());
            let from = outside.unwrap_or(through);
            let chosen = preferred.or_else(|| self.select_source6(key.ns, Some(from), key.destination));
            route.source = chosen.ok_or(Errno::EADDRNOTAVAIL)?;
        }
        let known =
            self.routes6.exception(key.ns, key.destination, way, self.now).filter(|_| !local).copied();
        if let Some(known) = known {
            route.gateway = known.gateway.or(route.gateway);
            route.mtu = known.mtu.unwrap_or(route.mtu);
        }
        self.routes6.valid_until(known.map(|known| known.expires));
        Ok(route)
    }

    fn has_source6(&self, ns: NsId) -> bool {
        self.select_source6(ns, None, Ipv6Addr::UNSPECIFIED).is_some()
    }

    /// The largest packet on a device (`cnf.mtu6`).
    pub(crate) fn mtu6(&self, dev: DevId) -> u32 {
        let Some(device) = self.devs.get(dev) else { return MIN_MTU };
        let set = device.ipv6_conf.get("mtu").and_then(|mtu| u32::try_from(*mtu).ok());
        set.map_or(device.mtu, |mtu| mtu.min(device.mtu))
    }

    /// `ipv6_dev_get_saddr`: a source for packets to `destination` that leave by `dev` (none: any).
    pub(crate) fn select_source6(
        &self,
        ns: NsId,
        dev: Option<DevId>,
        destination: Ipv6Addr,
    ) -> Option<Ipv6Addr> {
        let netns = self.netns.get(ns)?;
        let out = dev.and_then(|dev| self.devs.get(dev));
        // On a link only its own addresses are of use.
        let only = out.filter(|_| needs_device(destination)).map(|device| device.ifindex);
        let ifindex = out.map_or(0, |device| device.ifindex);
        let prefer_temporary = dev.is_some_and(|dev| self.conf6(dev, "use_tempaddr") >= 2);
        let usable = |entry: &&Ipv6Address| entry.flags & (ifa::TENTATIVE | ifa::DADFAILED) == 0;
        let vrf = dev.and_then(|dev| self.vrf_of(dev));
        let of = |is_near: bool| {
            let devices = netns.order.iter().filter_map(|dev| self.devs.get(*dev)).filter(move |device| {
                // What is in a VRF knows of the addresses in it alone.
                let near = Some(device.id) == dev || Some(device.id) == vrf;
                self.vrf_of(device.id) == vrf && (near || !is_near)
            });
            devices.flat_map(|device| {
                let wanted = only.is_none_or(|only| only == device.ifindex) && !device.ipv6_disabled;
                let of = device.ipv6.iter().filter(move |_| wanted).filter(usable);
                of.map(|entry| Candidate {
                    address: entry.address,
                    prefix_len: entry.prefix_len,
                    ifindex: device.ifindex,
                    deprecated: entry.flags & ifa::DEPRECATED != 0,
                    temporary: entry.flags & ifa::SECONDARY != 0,
                })
            })
        };
        let purpose = Purpose { destination, ifindex, prefer_temporary };
        // `ipv6_get_saddr_master`: those of the device and of its VRF first, if they reach far enough.
        let near = vrf.and_then(|_| choose(of(true), &purpose));
        near.filter(|near| scope(*near) >= scope(destination)).or_else(|| choose(of(false), &purpose))
    }

    /// Whether an address is one of this host's, that is not tentative; a link-local one on `dev` (`ipv6_chk_addr`).
    pub(crate) fn is_own_address6(&self, ns: NsId, address: Ipv6Addr, dev: Option<DevId>) -> bool {
        let strict = is_link_local(address);
        let vrf = dev.and_then(|dev| self.vrf_of(dev));
        self.devices_of(ns).filter(|device| !strict || dev.is_none_or(|dev| dev == device.id)).any(|device| {
            let own =
                device.ipv6.iter().any(|entry| entry.address == address && entry.flags & ifa::TENTATIVE == 0);
            own && self.vrf_of(device.id) == vrf
        })
    }

    /// `ip6_route_input`
    #[inline]
    pub(crate) fn route_input6(&mut self, dev: DevId, header: &Header, mark: u32) -> InRoute6 {
        self.routes6.renew(self.generation, self.now);
        let key = InKey6 { dev, source: header.source, destination: header.destination, mark };
        if let Some(found) = self.routes6.input.get(&key) {
            return *found;
        }
        let (found, until) = self.find_input6(&key);
        self.routes6.input.insert(key, found);
        self.routes6.valid_until(until);
        found
    }

    /// With the time from which on it may be another one.
    fn find_input6(&self, key: &InKey6) -> (InRoute6, Option<Time>) {
        let mut until = None;
        (self.search_input6(key, &mut until), until)
    }

    fn search_input6(&self, key: &InKey6, until: &mut Option<Time>) -> InRoute6 {
        const NOWHERE: InRoute6 = InRoute6::Refuse(LookupError::NetUnreachable);
        let Some(device) = self.devs.get(key.dev) else { return NOWHERE };
        let (Some(netns), Some(fib)) = (self.netns.get(device.ns), self.fib6.get(device.ns)) else {
            return NOWHERE;
        };
        if key.destination.is_multicast() {
            return match self.listens_to(key.dev, key.destination) {
                true => InRoute6::Deliver { kind: RouteKind::Multicast, owner: device.ifindex },
                false => InRoute6::NotJoined,
            };
        }
        let strict = is_link_local(key.destination);
        let in_vrf = self.vrf_of(key.dev).is_some();
        if let Some((_, owner)) = fib.local_owner(key.destination)
            && !(strict && in_vrf)
            && (!strict || owner == device.ifindex || device.is_loopback())
        {
            return InRoute6::Deliver { kind: RouteKind::Local, owner };
        }
        let flow = Flow6 {
            destination: key.destination,
            source: key.source,
            device: if strict { device.ifindex } else { 0 },
            mark: key.mark,
            iif: device.ifindex,
            strict,
            reachable_first: !netns.sysctl.ipv6_forwarding,
            vrf_table: None,
        };
        let flow = self.in_vrf6(device.ns, flow);
        let found = match fib.lookup(&flow, &Around { netns, now: self.now }) {
            Ok(found) => found,
            Err(error) => return InRoute6::Refuse(error),
        };
        if matches!(found.route.kind, RouteKind::Local | RouteKind::Anycast) {
            return InRoute6::Deliver { kind: RouteKind::Local, owner: found.way.ifindex };
        }
        let Some(out) = netns.devices.get(&found.way.ifindex).copied() else { return NOWHERE };
        let mtu = found.route.mtu().unwrap_or(self.mtu6(out)).max(MIN_MTU);
        let known = self.routes6.exception(device.ns, key.destination, found.id(), self.now);
        *until = known.map(|known| known.expires);
        let gateway = known.and_then(|known| known.gateway).or(found.way.gateway);
        let learned = known.and_then(|known| known.mtu);
        InRoute6::Forward { dev: out, gateway, mtu, learned, tunnel: found.way.tunnel }
    }

    /// Remembers a path MTU that an ICMPv6 message told (`__ip6_rt_update_pmtu`), of the way of packets like this.
    pub(crate) fn learn_mtu6(&mut self, path: OutKey6, mtu: u32) {
        let expires = self.now + PMTU_EXPIRES;
        self.learn6(path, expires, |known| known.mtu = Some(mtu));
    }

    /// Remembers a better next hop (`rt6_do_redirect`).
    pub(crate) fn learn_gateway6(&mut self, ns: NsId, destination: Ipv6Addr, gateway: Ipv6Addr) {
        let expires = self.now + REDIRECT_EXPIRES;
        self.learn6(OutKey6::to(ns, destination), expires, |known| known.gateway = Some(gateway));
    }

    fn learn6(&mut self, path: OutKey6, expires: Time, learn: impl FnOnce(&mut Exception6)) {
        let (Some(netns), Some(fib)) = (self.netns.get(path.ns), self.fib6.get(path.ns)) else { return };
        let flow = Flow6 {
            destination: path.destination,
            source: path.source,
            device: path.oif,
            mark: path.mark,
            iif: 0,
            strict: path.oif != 0 || needs_device(path.destination),
            reachable_first: !netns.sysctl.ipv6_forwarding,
            vrf_table: None,
        };
        let flow = self.in_vrf6(path.ns, flow);
        let around = Around { netns, now: self.now };
        let Ok(way) = fib.lookup(&flow, &around).map(|found| found.id()) else { return };
        let exceptions = &mut self.routes6.exceptions;
        if exceptions.len() >= CACHE_MAX {
            exceptions.clear();
        }
        let all = exceptions.entry((path.ns, path.destination)).or_default();
        all.retain(|known| known.expires > self.now);
        if !all.iter().any(|known| known.way == way) && all.len() < WAYS_MAX {
            all.push(Exception6 { way, gateway: None, mtu: None, expires });
        }
        if let Some(known) = all.iter_mut().find(|known| known.way == way) {
            learn(known);
            known.expires = expires;
        }
        self.changed();
    }

    /// `ip6_route_del` of a cached route: what was learned of a destination by the longest prefix around it that is no longer
    /// than the one asked for. It is no error if nothing was (`ip6_del_cached_rt`).
    ///
    /// # Errors
    /// `ESRCH`: what was learned is of another device or gateway, or there is no such table.
    pub(crate) fn forget_learned6(
        &mut self,
        ns: NsId,
        table: u32,
        prefix: Prefix6,
        wanted: (u32, Option<Ipv6Addr>),
    ) -> Result<(), Failure> {
        let fib = self.fib6.get(ns).ok_or(Errno::ESRCH)?;
        if !fib.has_table(table) {
            return Err(Failure::with_text(Errno::ESRCH, "FIB table does not exist"));
        }
        let around =
            |route: &Route6| route.prefix.length <= prefix.length && route.prefix.contains(prefix.address);
        let mut routes: Vec<_> = fib.routes(table).filter(|route| around(route)).cloned().collect();
        let longest = routes.iter().map(|route| route.prefix.length).max();
        routes.retain(|route| Some(route.prefix.length) == longest);
        for route in &routes {
            for way in &route.nexthops {
                match self.routes6.forget((ns, prefix.address), (route, way), wanted, self.now) {
                    Some(false) => {}
                    Some(true) => {
                        self.changed();
                        return Ok(());
                    }
                    None => return Ok(()),
                }
            }
        }
        // Where no route is around it Linux finds the one that stands for none.
        if routes.is_empty() { Ok(()) } else { Err(Errno::ESRCH.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::InsertMode;

    #[test]
    fn a_cached_route_is_deleted_by_its_gateway_and_its_whole_address() {
        let mut world = World::new(1);
        let host = world.add_host("pc").unwrap();
        let ns = world.hosts[host].initial;
        let lo = world.netns[ns].lo;
        let address = |text: &str| text.parse::<Ipv6Addr>().unwrap();
        let (to, router, better) = (address("2001:db8:2::1"), address("fe80::1"), address("fe80::2"));
        let net = Prefix6::of(to, 48);
        let mut route = Route6::of_device(RouteKind::Unicast, net, 254, 1024, world.devs[lo].ifindex);
        route.nexthops[0].gateway = Some(router);
        world.fib6[ns].insert(route.clone(), InsertMode::ADD).unwrap();
        let known = |world: &World| world.routes6.learned(ns, world.now).of(&route).count();
        let way = Way6::of(&route, &route.nexthops[0]);
        let learned =
            Exception6 { way, gateway: Some(better), mtu: None, expires: world.now + REDIRECT_EXPIRES };
        world.routes6.exceptions.insert((ns, to), vec![learned]);
        let forget = |world: &mut World, prefix, gateway| {
            world.forget_learned6(ns, 254, prefix, (0, gateway)).map_err(|failure| failure.errno)
        };
        assert_eq!(forget(&mut world, Prefix6::host(to), Some(router)), Err(Errno::ESRCH));
        // Of the net's own address nothing was learned, and no route is as wide as this one.
        assert_eq!(forget(&mut world, Prefix6::of(to, 64), None), Ok(()));
        assert_eq!(forget(&mut world, Prefix6::of(to, 32), None), Ok(()));
        assert_eq!(known(&world), 1);
        assert_eq!(forget(&mut world, Prefix6::host(to), Some(better)), Ok(()));
        assert_eq!(known(&world), 0);
        assert_eq!(forget(&mut world, Prefix6::host(to), Some(better)), Ok(()));
    }
}
