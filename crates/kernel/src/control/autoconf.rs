//! What routers advertise: default routes, prefixes, addresses made from them (RFC 4861 §6.3.4, RFC 4862 §5.5;
//! `ndisc_router_discovery`, `addrconf_prefix_rcv`).

use std::net::Ipv6Addr;
use std::time::Duration;

use crate::device::{Dad, DevId, Ipv6Address, ifa};
use crate::ip6::address::{eui64, is_link_local, scope};
use crate::ip6::event::Event6;
use crate::ip6::{Header, MIN_MTU};
use crate::neigh::ndisc::{Options, address_at, option};
use crate::neigh::nud;
use crate::neigh::state::Update;
use crate::route::{Metrics, RouteKind};
use crate::route6::model::{PROTOCOL_RA, TABLE_MAIN, rtf};
use crate::route6::{Prefix6, Route6};
use crate::world::{TimerEvent, World};

/// Length of an advertisement without options.
const ADVERTISEMENT_LEN: usize = 16;
/// `IFAPROT_KERNEL_RA`
const PROTOCOL_ADVERTISED: u8 = 2;
/// `INFINITY_LIFE_TIME`
const FOREVER: u32 = u32::MAX;
/// An advertisement cannot shorten an address's life to less (RFC 4862 §5.5.3 e).
const MIN_VALID_LIFETIME: u32 = 2 * 3600;

impl World {
    /// `ipv6_accept_ra`: a router does so only if it is told to twice.
    pub(super) fn accepts_advertisements(&self, dev: DevId) -> bool {
        match (self.forwards6(dev), self.conf6(dev, "accept_ra")) {
            (true, accept) => accept == 2,
            (false, accept) => accept != 0,
        }
    }

    /// `ndisc_router_discovery`
    pub(crate) fn router_advertisement(&mut self, dev: DevId, header: &Header, message: &[u8]) -> Option<()> {
        let router = header.source;
        let options = Options::parse(message.get(ADVERTISEMENT_LEN..)?)?;
        if !is_link_local(router) {
            return None;
        }
        let mac = options.mac(option::SOURCE_MAC).ok()?;
        let accepts = self.accepts_advertisements(dev);
        let device = self.devs.get_mut(dev)?;
        let (ns, ifindex) = (device.ns, device.ifindex);
        if accepts {
            if device.inet6.solicit.sent > 0 {
                device.inet6.solicit.advertised = true;
            }
            self.default_router(dev, router, message);
            self.link_parameters(dev, message);
        }
        if self.neigh_ensure(ns, ifindex, router) {
            let how = Update { replace: true, weak: true, router: Some(true), ..Update::default() };
            self.neigh_update(ns, ifindex, router, mac, nud::STALE, how);
        }
        if !accepts {
            return Some(());
        }
        if self.conf6(dev, "accept_ra_rtr_pref") != 0 {
            for (_, told) in options.iter().filter(|(kind, _)| *kind == option::ROUTE) {
                self.route_information(dev, router, told);
            }
        }
        if self.conf6(dev, "accept_ra_pinfo") != 0 {
            for (_, told) in options.iter().filter(|(kind, _)| *kind == option::PREFIX) {
                self.prefix_information(dev, told);
            }
        }
        if self.conf6(dev, "accept_ra_mtu") != 0
            && let Some(told) = options.get(option::MTU)
        {
            self.link_mtu(dev, router, told);
        }
        Some(())
    }

    /// The default route through the router, for as long as it says.
    fn default_router(&mut self, dev: DevId, router: Ipv6Addr, message: &[u8]) {
        let own = self.devs.get(dev).is_some_and(|d| d.ipv6.iter().any(|own| own.address == router));
        if self.conf6(dev, "accept_ra_defrtr") == 0 || own && self.conf6(dev, "accept_ra_from_local") == 0 {
            return;
        }
        let (Some(&hop_limit), Some(&flags)) = (message.get(4), message.get(5)) else { return };
        let lifetime = message.get(6..8).map_or(0, |l| u16::from_be_bytes([l[0], l[1]]));
        if self.is_too_short(dev, lifetime.into()) {
            return;
        }
        // RFC 4191 2.2: the reserved value means medium.
        let preference = match flags >> 3 & 3 {
            preference @ (1 | 3) if self.conf6(dev, "accept_ra_rtr_pref") != 0 && lifetime != 0 => preference,
            _ => 0,
        };
        let least = self.conf6(dev, "accept_ra_min_hop_limit");
        let told_limit =
            (hop_limit != 0 && least < 256 && i64::from(hop_limit) >= least).then_some(hop_limit);
        if let Some(limit) = told_limit
            && let Some(device) = self.devs.get_mut(dev)
        {
            device.ipv6_conf.insert("hop_limit", limit.into());
        }
        let metric = u32::try_from(self.conf6(dev, "ra_defrtr_metric")).unwrap_or(1024);
        let life = Told { lifetime: lifetime.into(), preference, metric, hop_limit: told_limit };
        self.route_told(dev, router, Prefix6::DEFAULT, rtf::DEFAULT, life);
    }

    /// What a router tells for less time than is wanted here is passed over; that something ends, never.
    fn is_too_short(&self, dev: DevId, lifetime: u32) -> bool {
        lifetime != 0 && i64::from(lifetime) < self.conf6(dev, "accept_ra_min_lft")
    }

    /// Adds, renews or removes a route that a router told of.
    fn route_told(&mut self, dev: DevId, router: Ipv6Addr, prefix: Prefix6, flags: u32, told: Told) {
        let now = self.now;
        let Some((ns, ifindex)) = self.devs.get(dev).map(|device| (device.ns, device.ifindex)) else {
            return;
        };
        let table = self.table6_of(dev, TABLE_MAIN);
        let Some(fib) = self.fib6.get_mut(ns) else { return };
        let flags = flags | rtf::ADDRCONF;
        let is_it = |route: &Route6| {
            route.prefix == prefix
                && route.table == table
                && route.flags & flags == flags
                && route
                    .nexthops
                    .first()
                    .is_some_and(|way| way.ifindex == ifindex && way.gateway == Some(router))
        };
        let known = fib.routes(table).any(|route| is_it(route));
        if told.lifetime == 0 {
            let changes = fib.remove_where(is_it);
            return self.notify_routes6(ns, &changes);
        }
        let finite = (told.lifetime != FOREVER).then(|| now + Duration::from_secs(told.lifetime.into()));
        let mut metrics = Metrics::default();
        if let Some(limit) = told.hop_limit {
            metrics.set(Metrics::HOPLIMIT, limit.into());
        }
        if known {
            fib.change_where(is_it, |route| {
                (route.expires, route.preference) = (finite, told.preference);
                if let Some(limit) = told.hop_limit {
                    route.metrics.get_or_insert_default().set(Metrics::HOPLIMIT, limit.into());
                }
            });
            self.changed();
        } else {
            let mut route = Route6::of_device(RouteKind::Unicast, prefix, table, told.metric, ifindex);
            route.protocol = PROTOCOL_RA;
            route.flags |= flags | rtf::GATEWAY | if finite.is_some() { rtf::EXPIRES } else { 0 };
            (route.expires, route.preference) = (finite, told.preference);
            route.metrics = told.hop_limit.map(|_| Box::new(metrics));
            if let Some(way) = route.nexthops.first_mut() {
                way.gateway = Some(router);
            }
            self.add_kernel_route6(ns, route);
        }
        if let Some(at) = finite {
            self.timers.add(at, TimerEvent::Ipv6(Event6::RouteExpiry { ns }));
        }
    }

    /// Times for neighbour discovery on this link.
    fn link_parameters(&mut self, dev: DevId, message: &[u8]) {
        let word =
            |at: usize| message.get(at..at + 4).map_or(0, |w| u32::from_be_bytes([w[0], w[1], w[2], w[3]]));
        let (reachable_ms, retrans_ms) = (u64::from(word(8)), u64::from(word(12)));
        let Some(device) = self.devs.get_mut(dev) else { return };
        if retrans_ms != 0 {
            device.neigh6_params.retrans_ms = retrans_ms.max(10);
        }
        if reachable_ms != 0 && device.neigh6_params.base_reachable_ms != reachable_ms {
            device.neigh6_params.base_reachable_ms = reachable_ms.max(100);
            device.neigh6_params.gc_stale_ms = 3 * reachable_ms;
        }
    }

    /// A route beside the default one (RFC 4191 §2.3), of the lengths that are welcome.
    fn route_information(&mut self, dev: DevId, router: Ipv6Addr, told: &[u8]) {
        let (Some(&length), Some(&flags)) = (told.get(2), told.get(3)) else { return };
        let least = self.conf6(dev, "accept_ra_rt_info_min_plen");
        let most = self.conf6(dev, "accept_ra_rt_info_max_plen");
        let needed = match length {
            0 => 8,
            1..=64 => 16,
            65..=128 => 24,
            _ => return,
        };
        if told.len() < needed || i64::from(length) < least || i64::from(length) > most || length == 0 {
            return;
        }
        let preference = flags >> 3 & 3;
        if preference == 2 {
            return;
        }
        let mut octets = [0; 16];
        for (to, from) in octets.iter_mut().zip(told.get(8..).unwrap_or(&[])) {
            *to = *from;
        }
        let lifetime = told.get(4..8).map_or(0, |l| u32::from_be_bytes([l[0], l[1], l[2], l[3]]));
        if self.is_too_short(dev, lifetime) {
            return;
        }
        let metric = crate::route6::model::METRIC_USER;
        let told = Told { lifetime, preference, metric, hop_limit: None };
        self.route_told(dev, router, Prefix6::of(octets.into(), length), rtf::ROUTEINFO, told);
    }

    /// `addrconf_prefix_rcv`
    fn prefix_information(&mut self, dev: DevId, told: &[u8]) {
        let (Some(&length), Some(&flags), Some(prefix)) = (told.get(2), told.get(3), address_at(told, 16))
        else {
            return;
        };
        let word =
            |at: usize| told.get(at..at + 4).map_or(0, |w| u32::from_be_bytes([w[0], w[1], w[2], w[3]]));
        let (valid, preferred) = (word(4), word(8));
        if told.len() < 32
            || length > 128
            || prefix.is_multicast()
            || is_link_local(prefix)
            || preferred > valid
            || self.is_too_short(dev, valid)
        {
            return;
        }
        let (on_link, autonomous) = (flags & 0x80 != 0, flags & 0x40 != 0);
        if on_link {
            self.on_link_prefix(dev, Prefix6::of(prefix, length), valid);
        }
        if autonomous
            && self.conf6(dev, "autoconf") != 0
            && !(length == 64 && self.autoconfigure(dev, prefix, valid, preferred))
        {
            return;
        }
        self.notify_prefix(dev, (prefix, length), flags, (valid, preferred));
    }

    fn on_link_prefix(&mut self, dev: DevId, prefix: Prefix6, valid: u32) {
        const FLAGS: u32 = rtf::ADDRCONF | rtf::PREFIX_RT;
        let now = self.now;
        let Some((ns, ifindex)) = self.devs.get(dev).map(|device| (device.ns, device.ifindex)) else {
            return;
        };
        let table = self.table6_of(dev, TABLE_MAIN);
        let Some(fib) = self.fib6.get_mut(ns) else { return };
        let is_it = |route: &Route6| {
            route.prefix == prefix
                && route.table == table
                && route.flags & FLAGS == FLAGS
                && route.nexthops.first().is_some_and(|way| way.ifindex == ifindex && way.gateway.is_none())
        };
        let known = fib.routes(table).any(|route| is_it(route));
        let finite = (valid != FOREVER).then(|| now + Duration::from_secs(valid.into()));
        match (known, valid) {
            (true, 0) => {
                let changes = fib.remove_where(is_it);
                self.notify_routes6(ns, &changes);
            }
            (true, _) => {
                fib.change_where(is_it, |route| {
                    route.expires = finite;
                    route.flags =
                        route.flags & !rtf::EXPIRES | if finite.is_some() { rtf::EXPIRES } else { 0 };
                });
                if let Some(at) = finite {
                    self.timers.add(at, TimerEvent::Ipv6(Event6::RouteExpiry { ns }));
                }
            }
            (false, 0) => {}
            (false, _) => self.add_prefix_route6(dev, prefix, 0, FLAGS, finite.map(|_| valid)),
        }
    }

    /// `addrconf_prefix_rcv_add_addr`; false where the device can have no such address, or no more of them.
    fn autoconfigure(&mut self, dev: DevId, prefix: Ipv6Addr, valid: u32, preferred: u32) -> bool {
        let now = self.now;
        let most = self.conf6(dev, "max_addresses");
        let Some(device) = self.devs.get(dev) else { return false };
        if !device.is_ethernet() {
            return false;
        }
        let token = device.inet6.token;
        let address = match token {
            0 => eui64(prefix, device.mac, device.dev_id),
            token => Ipv6Addr::from(u128::from(prefix) & !u128::from(u64::MAX) | u128::from(token)),
        };
        let known = device.ipv6.iter().any(|own| own.address == address);
        if !known {
            if valid == 0 {
                return true;
            }
            if most > 0 && device.ipv6.len() as i64 >= most {
                return false;
            }
            let entry = Ipv6Address {
                address,
                peer: None,
                prefix_len: 64,
                scope: if scope(address) == 5 { 200 } else { 0 },
                flags: ifa::TENTATIVE | ifa::MANAGETEMPADDR,
                valid_lft: valid,
                preferred_lft: preferred,
                metric: 0,
                protocol: PROTOCOL_ADVERTISED,
                created: now,
                updated: now,
                dad: Dad::default(),
                temporary: None,
                tokenized: token != 0,
            };
            self.schedule_expiry6(dev, &entry);
            self.insert_address6(dev, entry);
            self.dad_start(dev, address);
            self.manage_temporary(dev, address, (valid, preferred), true);
            return true;
        }
        let Some(own) =
            self.devs.get_mut(dev).and_then(|d| d.ipv6.iter_mut().find(|own| own.address == address))
        else {
            return true;
        };
        let passed = u32::try_from(now.since(own.updated).as_secs()).unwrap_or(u32::MAX);
        let left = if own.valid_lft == FOREVER { FOREVER } else { own.valid_lft.saturating_sub(passed) };
        if left == 0 {
            return true;
        }
        own.valid_lft = valid.max(left.min(MIN_VALID_LIFETIME));
        own.preferred_lft = preferred;
        own.updated = now;
        own.flags &= !ifa::DEPRECATED;
        let renewed = own.clone();
        self.schedule_expiry6(dev, &renewed);
        if renewed.flags & ifa::TENTATIVE == 0 {
            self.notify_own_address6(dev, address);
        }
        self.manage_temporary(dev, address, (renewed.valid_lft, preferred), false);
        true
    }

    /// A smaller MTU for everybody on the link.
    fn link_mtu(&mut self, dev: DevId, router: Ipv6Addr, told: &[u8]) {
        let Some(&[a, b, c, d]) = told.get(4..).and_then(|bytes| bytes.first_chunk::<4>()) else { return };
        let mtu = u32::from_be_bytes([a, b, c, d]);
        let known = self.mtu6(dev);
        let Some(device) = self.devs.get_mut(dev) else { return };
        let (ns, ifindex) = (device.ns, device.ifindex);
        if mtu < MIN_MTU || mtu > device.mtu || mtu == known {
            return;
        }
        device.ipv6_conf.insert("mtu", mtu.into());
        if let Some(fib) = self.fib6.get_mut(ns) {
            let is_default = |route: &Route6| {
                let way = route.nexthops.first();
                route.flags & rtf::DEFAULT != 0
                    && way.is_some_and(|way| way.ifindex == ifindex && way.gateway == Some(router))
            };
            fib.change_where(is_default, |route| {
                route.metrics.get_or_insert_default().set(Metrics::MTU, mtu);
            });
        }
        self.changed();
    }

    /// `rt6_clean_tohost`: a neighbour is no router any more.
    pub(crate) fn forget_router(&mut self, dev: DevId, router: Ipv6Addr) {
        self.forget_routes_told(dev, Some(router));
    }

    /// `rt6_purge_dflt_routers`: a device has become a router's.
    pub(super) fn forget_routers(&mut self, dev: DevId) {
        self.forget_routes_told(dev, None);
    }

    fn forget_routes_told(&mut self, dev: DevId, router: Option<Ipv6Addr>) {
        let Some((ns, ifindex)) = self.devs.get(dev).map(|device| (device.ns, device.ifindex)) else {
            return;
        };
        let Some(fib) = self.fib6.get_mut(ns) else { return };
        let changes = fib.remove_where(|route| {
            route.flags & rtf::DEFAULT != 0
                && route.flags & rtf::ADDRCONF != 0
                && route.nexthops.iter().any(|way| {
                    way.ifindex == ifindex && router.is_none_or(|router| way.gateway == Some(router))
                })
        });
        self.notify_routes6(ns, &changes);
    }
}

/// What a router says about a route.
struct Told {
    /// Seconds; 0 takes the route back.
    lifetime: u32,
    preference: u8,
    metric: u32,
    hop_limit: Option<u8>,
}
