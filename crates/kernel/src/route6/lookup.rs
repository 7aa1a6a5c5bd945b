//! From a packet's addresses to an IPv6 route (`fib6_table_lookup`, `fib6_select_path`).

use std::hash::{Hash as _, Hasher as _};
use std::net::Ipv6Addr;
use std::sync::Arc;

use rustc_hash::FxHasher;

use crate::ip6::address::needs_device;
use crate::route::{Action, Facts, LOOPBACK_IFINDEX, LookupError, RouteKind, Ruled as _};
use crate::time::Time;

use super::fib::Fib6;
use super::model::{FLAG_DEAD, FLAG_LINKDOWN, NextHop6, Prefix6, Route6, TABLE_LOCAL, TABLE_MAIN, rtf};

/// What is asked (`struct flowi6`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow6 {
    pub destination: Ipv6Addr,
    /// Unspecified where the sender has not chosen yet.
    pub source: Ipv6Addr,
    /// The device that the packet must leave by, or has come in on; 0 for any.
    pub device: u32,
    pub mark: u32,
    /// The packet has come in on this device; 0 for those of this host.
    pub iif: u32,
    /// Routes that lead through other devices do not match at all (`RT6_LOOKUP_F_IFACE`).
    pub strict: bool,
    /// A host, which prefers routers that answer (`RT6_LOOKUP_F_REACHABLE`).
    pub reachable_first: bool,
    /// The table of the VRF that the packet is in (`flowi6_l3mdev`).
    pub vrf_table: Option<u32>,
}

impl Flow6 {
    pub fn to(destination: Ipv6Addr) -> Self {
        Flow6 {
            destination,
            source: Ipv6Addr::UNSPECIFIED,
            device: 0,
            mark: 0,
            iif: 0,
            strict: false,
            reachable_first: false,
            vrf_table: None,
        }
    }
}

/// What choosing among routers asks beside the tables.
pub trait Neighbourhood {
    /// Whether a gateway was asked for and did not answer (`NUD_FAILED`).
    fn is_unreachable(&self, ifindex: u32, gateway: Ipv6Addr) -> bool;
    fn now(&self) -> Time;
}

/// The route found, and the way out chosen among its own.
#[derive(Clone, Copy, Debug)]
pub struct Found6<'a> {
    pub route: &'a Arc<Route6>,
    pub way: &'a NextHop6,
}

/// Which way out of which route was taken: what was learned of a destination holds for it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way6 {
    table: u32,
    prefix: Prefix6,
    metric: u32,
    ifindex: u32,
    gateway: Option<Ipv6Addr>,
}

/// Table, prefix and metric of a route: those of two have at most their ways out to tell them apart.
pub type RouteId6 = (u32, Prefix6, u32);

impl Way6 {
    /// One way out of a route.
    pub fn of(route: &Route6, way: &NextHop6) -> Self {
        let Route6 { table, prefix, metric, .. } = *route;
        Way6 { table, prefix, metric, ifindex: way.ifindex, gateway: way.gateway }
    }

    /// The device it leads out of.
    pub fn ifindex(&self) -> u32 {
        self.ifindex
    }

    /// The table that its route is in.
    pub fn table(&self) -> u32 {
        self.table
    }

    /// What tells its route from others.
    pub fn route(&self) -> RouteId6 {
        (self.table, self.prefix, self.metric)
    }

    /// Whether it is a way out of this route.
    pub fn is_of(&self, route: &Route6) -> bool {
        self.route() == (route.table, route.prefix, route.metric)
            && route.nexthops.iter().any(|way| self.is_through(way))
    }

    /// Whether it is this way out of its route.
    pub fn is_through(&self, way: &NextHop6) -> bool {
        (way.ifindex, way.gateway) == (self.ifindex, self.gateway)
    }
}

impl Found6<'_> {
    pub fn id(&self) -> Way6 {
        Way6::of(self.route, self.way)
    }
}

impl Fib6 {
    /// The route for a flow.
    ///
    /// # Errors
    /// [`LookupError`]: there is none, or one that refuses.
    pub fn lookup(
        &self,
        flow: &Flow6,
        around: &(impl Neighbourhood + ?Sized),
    ) -> Result<Found6<'_>, LookupError> {
        if let Some(table) = flow.vrf_table.filter(|_| needs_device(flow.destination)) {
            return self.lookup_on_link(table, flow, around);
        }
        if self.custom_rules {
            return self.lookup_by_rules(flow, around);
        }
        for table in [TABLE_LOCAL, TABLE_MAIN] {
            match self.lookup_table(table, flow, around) {
                Err(LookupError::Continue) => {}
                found => return found,
            }
        }
        Err(LookupError::NetUnreachable)
    }

    /// `vrf_link_scope_lookup`, `vrf_ip6_input_dst`: what is of one link within a VRF is in its table alone, and of a port:
    /// the VRF has no link.
    fn lookup_on_link(
        &self,
        table: u32,
        flow: &Flow6,
        around: &(impl Neighbourhood + ?Sized),
    ) -> Result<Found6<'_>, LookupError> {
        if flow.device == 0 {
            return Err(LookupError::NetUnreachable);
        }
        match self.lookup_table(table, flow, around) {
            Err(LookupError::Continue) => Err(LookupError::NetUnreachable),
            found => found,
        }
    }

    /// `fib6_rule_lookup` with `fib6_rule_action` and `fib6_rule_suppress`.
    fn lookup_by_rules(
        &self,
        flow: &Flow6,
        around: &(impl Neighbourhood + ?Sized),
    ) -> Result<Found6<'_>, LookupError> {
        let facts = Facts {
            source: flow.source.into(),
            destination: flow.destination.into(),
            iif: if flow.iif == 0 { LOOPBACK_IFINDEX } else { flow.iif },
            oif: if flow.iif == 0 { flow.device } else { 0 },
            tos: 0,
            mark: flow.mark,
            uid: 0,
            protocol: 0,
            source_port: 0,
            destination_port: 0,
            tunnel_id: 0,
            vrf: flow.vrf_table.is_some(),
        };
        let rules = self.rule_list();
        let mut at = 0;
        while let Some(rule) = rules.get(at) {
            at += 1;
            if !rule.matches(&facts) {
                continue;
            }
            let found = match rule.action {
                Action::Goto => {
                    // Only forward jumps are accepted, so this ends.
                    at = self.rule_position(rule.target).filter(|to| *to >= at).unwrap_or(at);
                    continue;
                }
                Action::Nop => continue,
                Action::Table => self.lookup_table(rule.table_for(flow.vrf_table), flow, around),
                Action::Unreachable => Err(LookupError::NetUnreachable),
                Action::Prohibit => Err(LookupError::Prohibited),
                Action::Blackhole | Action::Other(_) => Err(LookupError::Blackhole),
            };
            let suppressed = |found: &Found6<'_>| {
                let length = u32::from(found.route.prefix.length);
                rule.suppress_prefix_length.is_some_and(|least| length <= least)
            };
            match found {
                Err(LookupError::Continue) => {}
                Ok(found) if suppressed(&found) => {}
                found => return found,
            }
        }
        Err(LookupError::NetUnreachable)
    }

    /// The route for a flow in one table (`fib6_table_lookup`).
    ///
    /// # Errors
    /// [`LookupError::Continue`] where the table says nothing.
    pub fn lookup_table(
        &self,
        table: u32,
        flow: &Flow6,
        around: &(impl Neighbourhood + ?Sized),
    ) -> Result<Found6<'_>, LookupError> {
        let Some(trie) = self.trie(table) else { return Err(LookupError::Continue) };
        let key = flow.destination.into();
        let search =
            |reachable: bool| trie.longest_first(key, |routes| self.select(routes, flow, reachable, around));
        let found = match flow.reachable_first {
            true => search(true).or_else(|| search(false)),
            false => search(false),
        };
        let found = found.ok_or(LookupError::Continue)?;
        match found.route.kind.error() {
            Some(error) => Err(error),
            None if found.route.object.is_some_and(|used| used.is_blackhole) => Err(LookupError::Blackhole),
            None if found.route.flags & rtf::REJECT != 0 => Err(LookupError::NetUnreachable),
            None => Ok(found),
        }
    }

    /// `rt6_select`, `find_rr_leaf`: the best of the lowest metric that has any.
    fn select<'a>(
        &'a self,
        routes: &'a [Arc<Route6>],
        flow: &Flow6,
        reachable: bool,
        around: &(impl Neighbourhood + ?Sized),
    ) -> Option<Found6<'a>> {
        for same in routes.chunk_by(|a, b| a.metric == b.metric) {
            let mut best: Option<(u32, Found6<'a>)> = None;
            for route in same.iter().filter(|route| !route.is_expired(around.now())) {
                let Some((score, way)) = self.choose_way(route, flow, reachable, around) else { continue };
                if best.as_ref().is_none_or(|(known, _)| score > *known) {
                    best = Some((score, Found6 { route, way }));
                }
            }
            if let Some((_, found)) = best {
                return Some(found);
            }
        }
        None
    }

    /// A way out of the route for this flow, with its score (`rt6_score_route`, `fib6_select_path`).
    fn choose_way<'a>(
        &self,
        route: &'a Route6,
        flow: &Flow6,
        reachable: bool,
        around: &(impl Neighbourhood + ?Sized),
    ) -> Option<(u32, &'a NextHop6)> {
        let score = |way: &NextHop6| {
            let linkdown = way.flags & FLAG_LINKDOWN != 0 && self.ignores_linkdown(way.ifindex);
            let elsewhere = flow.device != 0 && flow.device != way.ifindex;
            let silent = || way.gateway.is_some_and(|gateway| around.is_unreachable(way.ifindex, gateway));
            if way.flags & FLAG_DEAD != 0 || linkdown || elsewhere && flow.strict || reachable && silent() {
                return None;
            }
            let preference = match route.preference {
                1 => 3,
                3 => 1,
                _ => 2,
            };
            Some(if elsewhere { preference << 2 } else { 2 | preference << 2 })
        };
        if let [way] = route.nexthops.as_slice() {
            return score(way).map(|score| (score, way));
        }
        let total: u64 =
            route.nexthops.iter().filter(|w| score(w).is_some()).map(|w| u64::from(w.weight)).sum();
        let mut hasher = FxHasher::default();
        (flow.source, flow.destination).hash(&mut hasher);
        let mut place = (hasher.finish() >> 16).checked_rem(total)?;
        for way in &route.nexthops {
            let Some(score) = score(way) else { continue };
            match place.checked_sub(u64::from(way.weight)) {
                Some(rest) => place = rest,
                None => return Some((score, way)),
            }
        }
        None
    }

    /// Whether the local table has the address for this host, and by which device (`RTN_LOCAL`, `RTN_ANYCAST`).
    pub fn local_owner(&self, address: Ipv6Addr) -> Option<(RouteKind, u32)> {
        self.owner_in(TABLE_LOCAL, address)
    }

    /// The same of another table, a VRF's.
    pub fn owner_in(&self, table: u32, address: Ipv6Addr) -> Option<(RouteKind, u32)> {
        let routes = self.trie(table)?.get(super::Prefix6::host(address));
        let found =
            routes.iter().find(|route| matches!(route.kind, RouteKind::Local | RouteKind::Anycast))?;
        Some((found.kind, found.nexthops.first()?.ifindex))
    }
}
