//! Routes that the kernel makes for IPv6 addresses and devices (`addrconf_prefix_route`, `fib6_run_gc`).

use std::time::Duration;

use crate::device::DevId;
use crate::ip6::event::Event6;
use crate::netns::NsId;
use crate::route::{InsertMode, RouteKind};
use crate::route6::fib::Wanted6;
use crate::route6::model::{METRIC_ADDRCONF, TABLE_MAIN, rtf};
use crate::route6::{Change6, Prefix6, Route6};
use crate::world::{TimerEvent, World};

impl World {
    /// Tells routing whether it is to ignore routes through a device without carrier.
    pub(crate) fn settle_ignore_linkdown6(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        let (ns, ifindex) = (device.ns, device.ifindex);
        let ignore = self.conf6(dev, "ignore_routes_with_linkdown") != 0;
        if let Some(fib) = self.fib6.get_mut(ns) {
            fib.set_ignore_linkdown(ifindex, ignore);
        }
    }

    /// `addrconf_prefix_route`; `lifetime` in seconds where it ends. There is none through a device that is down.
    pub(in crate::control) fn add_prefix_route6(
        &mut self,
        dev: DevId,
        prefix: Prefix6,
        metric: u32,
        flags: u32,
        lifetime: Option<u32>,
    ) {
        let Some(device) = self.devs.get(dev) else { return };
        if !device.is_up() {
            return;
        }
        let metric = if metric == 0 { METRIC_ADDRCONF } else { metric };
        let table = self.table6_of(dev, TABLE_MAIN);
        let mut route = Route6::of_device(RouteKind::Unicast, prefix, table, metric, device.ifindex);
        route.flags |= flags;
        if device.is_loopback() && !prefix.address.is_loopback() {
            route.flags |= rtf::REJECT;
        }
        if let Some(seconds) = lifetime {
            route.flags |= rtf::EXPIRES;
            route.expires = Some(self.now + Duration::from_secs(seconds.into()));
        }
        let ns = device.ns;
        self.add_kernel_route6(ns, route);
    }

    pub(super) fn remove_prefix_route6(&mut self, dev: DevId, prefix: Prefix6, metric: u32) {
        let Some(device) = self.devs.get(dev) else { return };
        let (ns, ifindex) = (device.ns, device.ifindex);
        let metric = if metric == 0 { METRIC_ADDRCONF } else { metric };
        let wanted = Wanted6 { ifindex, metric, ..Wanted6::default() };
        let table = self.table6_of(dev, TABLE_MAIN);
        self.remove_kernel_route6(ns, table, prefix, &wanted);
    }

    /// Adds a route of the kernel; one that is there already stays.
    pub(in crate::control) fn add_kernel_route6(&mut self, ns: NsId, route: Route6) {
        let carrier = route.nexthops.first().and_then(|way| self.device_at(ns, way.ifindex));
        let carrier = carrier.and_then(|dev| self.devs.get(dev)).is_none_or(|device| device.carrier);
        let mut route = route;
        if !carrier && route.flags & (rtf::LOCAL | rtf::ANYCAST) == 0 {
            route.nexthops.iter_mut().for_each(|way| way.flags |= crate::route6::model::FLAG_LINKDOWN);
        }
        let expires = route.expires;
        let Some(fib) = self.fib6.get_mut(ns) else { return };
        if let Ok(change) = fib.insert(route, InsertMode::PREPEND) {
            self.notify_routes6(ns, &[change]);
        }
        if let Some(at) = expires {
            self.timers.add(at, TimerEvent::Ipv6(Event6::RouteExpiry { ns }));
        }
        self.changed();
    }

    pub(in crate::control) fn remove_kernel_route6(
        &mut self,
        ns: NsId,
        table: u32,
        prefix: Prefix6,
        wanted: &Wanted6,
    ) {
        let Some(fib) = self.fib6.get_mut(ns) else { return };
        if let Ok(change) = fib.delete(table, prefix, wanted) {
            self.notify_routes6(ns, &[change]);
        }
    }

    /// `fib6_run_gc`: routes whose time is over go.
    pub(crate) fn route6_expiry(&mut self, ns: NsId) {
        let now = self.now;
        let Some(fib) = self.fib6.get_mut(ns) else { return };
        let changes: Vec<Change6> = fib.expire(now);
        let next = fib.next_expiry();
        self.notify_routes6(ns, &changes);
        if let Some(at) = next {
            self.timers.add(at, TimerEvent::Ipv6(Event6::RouteExpiry { ns }));
        }
    }
}
