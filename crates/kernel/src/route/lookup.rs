//! From a packet's addresses to a route (`fib_lookup`, `fib_table_lookup`).

use std::{net::Ipv4Addr, sync::Arc};

use hairpin_netlink::Errno;

use super::{
    fib::{Fib, Routes},
    model::{NextHop, Prefix, Route, RouteKind, Scope, TABLE_DEFAULT, TABLE_MAIN},
    rules::{Action, Facts, Rule, Ruled as _},
};

/// What is asked: the fields of a packet that rules and routes look at (`struct flowi4`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    pub destination: Ipv4Addr,
    /// Unspecified where the sender has not chosen yet.
    pub source: Ipv4Addr,
    /// Device of arrival; 1 (loopback) for packets of this host.
    pub iif: u32,
    /// Required outgoing device, 0 for any.
    pub oif: u32,
    pub tos: u8,
    /// Routes of a wider scope do not match.
    pub scope: Scope,
    pub mark: u32,
    pub uid: u32,
    /// IP protocol, 0 where unknown.
    pub protocol: u8,
    pub source_port: u16,
    pub destination_port: u16,
    pub tunnel_id: u64,
    /// Table of the VRF that `iif` or `oif` belongs to.
    pub vrf_table: Option<u32>,
    /// Take ways out without carrier whatever the sysctl says (`FIB_LOOKUP_IGNORE_LINKSTATE`).
    pub ignore_linkstate: bool,
}

impl Flow {
    /// A packet of this host to `destination`, everything else open.
    pub fn to(destination: Ipv4Addr) -> Self {
        Flow {
            destination,
            source: Ipv4Addr::UNSPECIFIED,
            iif: super::LOOPBACK_IFINDEX,
            oif: 0,
            tos: 0,
            scope: Scope::UNIVERSE,
            mark: 0,
            uid: 0,
            protocol: 0,
            source_port: 0,
            destination_port: 0,
            tunnel_id: 0,
            vrf_table: None,
            ignore_linkstate: false,
        }
    }
}

/// The route found, and the way out chosen among its own.
#[derive(Clone, Copy, Debug)]
pub struct FibResult<'a> {
    pub route: &'a Arc<Route>,
    pub nexthop: &'a NextHop,
    /// The table that was searched. As long as nobody has changed a rule, Linux keeps the local and the main
    /// table in one trie and calls it main.
    pub table: u32,
    /// `FRA_FLOW` of the rule that led here.
    pub rule_realm: u32,
}

/// Which way out of which route was taken: what was learned about a destination holds for it alone
/// (`fib_nh_common::nhc_exceptions`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WayId {
    route: u64,
    ifindex: u32,
    gateway: Option<Ipv4Addr>,
}

impl WayId {
    /// The device it leads out of.
    pub fn ifindex(&self) -> u32 {
        self.ifindex
    }

    pub fn is_of(&self, route: &Route) -> bool {
        self.route == route.id
    }
}

impl Fib {
    /// Every way out of every route, in the order of a dump.
    pub fn all_ways(&self) -> impl Iterator<Item = FibResult<'_>> {
        let routes = self.table_ids().flat_map(|table| self.routes(table));
        routes.flat_map(|route| {
            let found = |nexthop| FibResult { route, nexthop, table: route.table, rule_realm: 0 };
            route.nexthops.iter().map(found)
        })
    }
}

impl FibResult<'_> {
    pub fn way(&self) -> WayId {
        self.way_of(self.nexthop)
    }

    fn way_of(&self, nexthop: &NextHop) -> WayId {
        WayId { route: self.route.id, ifindex: nexthop.ifindex, gateway: nexthop.gateway }
    }

    /// All ways out of the route.
    pub fn ways(&self) -> impl Iterator<Item = WayId> {
        self.route.nexthops.iter().map(|nexthop| self.way_of(nexthop))
    }

    pub fn kind(&self) -> RouteKind {
        self.route.kind
    }

    pub fn prefix(&self) -> Prefix {
        self.route.prefix
    }

    pub fn ifindex(&self) -> u32 {
        self.nexthop.ifindex
    }

    /// The address to resolve for a packet to `destination`.
    pub fn neighbour(&self, destination: Ipv4Addr) -> Ipv4Addr {
        match self.nexthop.gateway {
            Some(gateway) if self.nexthop.uses_gateway() => gateway,
            _ => destination,
        }
    }
}

/// Why there is no route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookupError {
    /// Nothing matched in this table, or a throw route did: the next rule decides (EAGAIN).
    Continue,
    /// No rule led to a route, or a rule says unreachable (ENETUNREACH).
    NetUnreachable,
    /// A route of type unreachable (EHOSTUNREACH).
    HostUnreachable,
    /// A route or rule of type prohibit (EACCES).
    Prohibited,
    /// A route or rule of type blackhole (EINVAL).
    Blackhole,
}

impl LookupError {
    pub fn errno(self) -> Errno {
        match self {
            LookupError::Continue => Errno::EAGAIN,
            LookupError::NetUnreachable => Errno::ENETUNREACH,
            LookupError::HostUnreachable => Errno::EHOSTUNREACH,
            LookupError::Prohibited => Errno::EACCES,
            LookupError::Blackhole => Errno::EINVAL,
        }
    }
}

impl Fib {
    /// The route for a flow by all rules, before multipath: see [`Fib::select_path`].
    ///
    /// # Errors
    /// [`LookupError`], never [`LookupError::Continue`].
    #[inline]
    pub fn lookup(&self, flow: &Flow) -> Result<FibResult<'_>, LookupError> {
        let found =
            if self.has_custom_rules() { self.lookup_by_rules(flow) } else { self.lookup_plain(flow) };
        found.map_err(|error| match error {
            LookupError::Continue => LookupError::NetUnreachable,
            error => error,
        })
    }

    /// The route for a flow in one table.
    ///
    /// # Errors
    /// [`LookupError::Continue`] where the table does not exist or says nothing.
    pub fn lookup_table(&self, table: u32, flow: &Flow) -> Result<FibResult<'_>, LookupError> {
        match self.trie(table) {
            Some(trie) => self.search(trie, table, flow),
            None => Err(LookupError::Continue),
        }
    }

    /// The address type of `address` by a table (`inet_addr_type_table`): unicast unless a route of that
    /// table says otherwise.
    pub fn address_kind(&self, address: Ipv4Addr, table: u32) -> RouteKind {
        self.address_owner(address, table).0
    }

    /// [`Fib::address_kind`] with the device of the route; 0 where there is none.
    pub fn address_owner(&self, address: Ipv4Addr, table: u32) -> (RouteKind, u32) {
        if address.is_unspecified() || address.is_broadcast() {
            return (RouteKind::Broadcast, 0);
        }
        if address.is_multicast() {
            return (RouteKind::Multicast, 0);
        }
        if self.trie(table).is_none() {
            return (RouteKind::Broadcast, 0);
        }
        let flow = Flow { iif: 0, ..Flow::to(address) };
        let found = self.lookup_table(table, &flow);
        found.map_or((RouteKind::Unicast, 0), |found| (found.kind(), found.ifindex()))
    }

    /// Without custom rules Linux skips them: main (which then holds the local table too), then default.
    #[inline]
    fn lookup_plain(&self, flow: &Flow) -> Result<FibResult<'_>, LookupError> {
        let in_main = match self.main_trie() {
            Some(trie) => self.search(trie, TABLE_MAIN, flow),
            None => Err(LookupError::Continue),
        };
        match in_main {
            Err(LookupError::Continue) => self.lookup_table(TABLE_DEFAULT, flow),
            found => found,
        }
    }

    /// `fib_rules_lookup` with `fib4_rule_action` and `fib4_rule_suppress`.
    fn lookup_by_rules(&self, flow: &Flow) -> Result<FibResult<'_>, LookupError> {
        let rules = self.rules();
        let facts = Facts::of(flow);
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
                Action::Table => self.lookup_table(rule.table_for(flow.vrf_table), flow),
                Action::Unreachable => Err(LookupError::NetUnreachable),
                Action::Prohibit => Err(LookupError::Prohibited),
                Action::Blackhole | Action::Other(_) => Err(LookupError::Blackhole),
            };
            match found {
                Err(LookupError::Continue) => {}
                Ok(found) if self.suppressed(rule, &found) => {}
                found => return found.map(|found| FibResult { rule_realm: rule.realm, ..found }),
            }
        }
        Err(LookupError::Continue)
    }

    fn suppressed(&self, rule: &Rule, found: &FibResult<'_>) -> bool {
        let too_short =
            rule.suppress_prefix_length.is_some_and(|least| u32::from(found.prefix().length) <= least);
        let group = || found.route.nexthops.first().and_then(|nexthop| self.device_group(nexthop.ifindex));
        too_short || rule.suppress_group.is_some_and(|suppressed| group() == Some(suppressed))
    }

    /// `fib_table_lookup`: the longest prefix first, its routes in order, their ways out in order.
    #[inline]
    fn search<'a>(&'a self, trie: &'a Routes, table: u32, flow: &Flow) -> Result<FibResult<'a>, LookupError> {
        let found = trie.longest_first(flow.destination.into(), |routes| {
            for route in routes {
                if route.tos != 0 && route.tos != flow.tos || route.scope < flow.scope {
                    continue;
                }
                if let Some(error) = route.kind.error() {
                    return Some(Err(error));
                }
                if route.flags & super::model::FLAG_DEAD != 0 {
                    continue;
                }
                if route.object.is_some_and(|used| used.is_blackhole) {
                    return Some(Err(LookupError::Blackhole));
                }
                if let Some(nexthop) = route.nexthops.iter().find(|nexthop| self.usable(nexthop, flow)) {
                    return Some(Ok(FibResult { route, nexthop, table, rule_realm: 0 }));
                }
            }
            None
        });
        found.unwrap_or(Err(LookupError::Continue))
    }

    /// `fib_lookup_good_nhc`
    #[inline]
    fn usable(&self, nexthop: &NextHop, flow: &Flow) -> bool {
        !nexthop.is_dead()
            && (flow.oif == 0 || flow.oif == nexthop.ifindex)
            && (!nexthop.is_linkdown() || flow.ignore_linkstate || !self.ignores_linkdown(nexthop.ifindex))
    }
}
