//! The way of a packet, found once a flow: a cache in front of the routing tables.

use std::net::Ipv4Addr;

use hairpin_netlink::Errno;
use rustc_hash::FxHashMap;
use slotmap::Key as _;

use crate::dev::tunnel::TunnelInfo;
use crate::device::DevId;
use crate::netns::NsId;
use crate::route::{Flow, InputError, Metrics};
use crate::time::Time;
use crate::world::World;

use super::exception::{Exception, Exceptions};

pub use crate::route::RouteKind;

/// Flows that the cache remembers before it starts anew.
pub(super) const CACHE_MAX: usize = 1 << 16;
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
    pub exceptions: Exceptions,
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

    /// What is remembered now holds up to this instant at most.
    fn valid_until(&mut self, until: Option<Time>) {
        if let Some(until) = until {
            self.expires = Some(self.expires.map_or(until, |known| known.min(until)));
        }
    }

    /// Forgets what was learned in a namespace (`ip route flush cache`).
    pub fn flush(&mut self, ns: NsId) {
        self.exceptions.flush(ns);
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
            && let Some(known) = self.routes.exceptions.find(key.ns, route.destination, &taken, self.now)
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
            self.routes.exceptions.mark_used(key.ns, route.destination, way);
        }
        Ok(route)
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
                    self.routes.exceptions.mark_used(device.ns, key.destination, learned.way);
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
        let known = self.routes.exceptions.find(device.ns, key.destination, &result, self.now);
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
