//! Adding routes to tables and deleting them (`fib_table_insert`, `fib_table_delete`).

use std::{cmp::Reverse, sync::Arc};

use hairpin_netlink::{Errno, Failure, codec};

use super::{
    fib::Fib,
    links::Links,
    model::{Metrics, Prefix, Route, RouteKind, Scope},
    nexthop::{MetricSpec, NextHopSpec, RouteSpec},
};

/// How to add a route: the flags of an `RTM_NEWROUTE`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InsertMode {
    /// Make the route if there is none (`NLM_F_CREATE`). Without it only a replacement succeeds.
    pub create: bool,
    /// Fail if the prefix has a route of the same TOS and metric (`NLM_F_EXCL`).
    pub exclusive: bool,
    /// Take the place of the first such route (`NLM_F_REPLACE`).
    pub replace: bool,
    /// Go behind such routes (`NLM_F_APPEND`); else before them.
    pub append: bool,
}

impl InsertMode {
    /// `ip route add`
    pub const ADD: InsertMode = InsertMode { create: true, exclusive: true, replace: false, append: false };
    /// `ip route replace`
    pub const REPLACE: InsertMode =
        InsertMode { create: true, exclusive: false, replace: true, append: false };
    /// `ip route change`
    pub const CHANGE: InsertMode =
        InsertMode { create: false, exclusive: false, replace: true, append: false };
    /// `ip route append`
    pub const APPEND: InsertMode =
        InsertMode { create: true, exclusive: false, replace: false, append: true };
    /// `ip route prepend`
    pub const PREPEND: InsertMode =
        InsertMode { create: true, exclusive: false, replace: false, append: false };

    /// From the flags of a netlink header.
    pub fn from_flags(flags: u16) -> Self {
        InsertMode {
            create: flags & codec::NLM_F_CREATE != 0,
            exclusive: flags & codec::NLM_F_EXCL != 0,
            replace: flags & codec::NLM_F_REPLACE != 0,
            append: flags & codec::NLM_F_APPEND != 0,
        }
    }
}

/// A change of a table that Linux announces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteChange {
    /// With the `NLM_F_*` of the announcement.
    Added(Arc<Route>, u16),
    Removed(Arc<Route>),
}

impl Fib {
    /// Adds a route. Returns what to announce: nothing if a replacement found the same route in place.
    ///
    /// # Errors
    /// What the kernel refuses with: see [`RouteSpec`]; `EEXIST`; `ENOENT` without
    /// [`InsertMode::create`].
    pub fn insert(
        &mut self,
        spec: &RouteSpec,
        mode: InsertMode,
        links: &(impl Links + ?Sized),
    ) -> Result<Option<RouteChange>, Failure> {
        let table = spec.table_id();
        // The table comes into being even if the route does not.
        self.make_table(table);
        let route = Arc::new(self.build(spec, links)?);
        let routes = self.routes_to(table, spec.prefix);
        let first = find_alias(routes, table, spec.tos, route.priority);
        let same_keys = |other: &Arc<Route>| {
            other.table == table && other.tos == route.tos && other.priority == route.priority
        };
        let mut flags = codec::NLM_F_EXCL;
        let mut at = first.unwrap_or_else(|| section_end(routes, table));
        if let Some(first) = first
            && same_keys(&routes[first])
        {
            if mode.exclusive {
                return Err(Errno::EEXIST.into());
            }
            flags &= !codec::NLM_F_EXCL;
            let rivals = routes[first..].iter().take_while(|other| same_keys(other));
            let same = rivals.clone().position(|other| other.same_as(&route));
            if mode.replace {
                return match same {
                    Some(0) => Ok(None),
                    Some(_) => Err(Errno::EEXIST.into()),
                    None => {
                        self.change(table, spec.prefix, |routes| routes[first] = Arc::clone(&route));
                        Ok(Some(RouteChange::Added(route, flags | codec::NLM_F_REPLACE)))
                    }
                };
            }
            if same.is_some() {
                return Err(Errno::EEXIST.into());
            }
            if mode.append {
                flags |= codec::NLM_F_APPEND;
                at = first + rivals.count();
            }
        }
        if !mode.create {
            return Err(Errno::ENOENT.into());
        }
        self.change(table, spec.prefix, |routes| routes.insert(at, Arc::clone(&route)));
        Ok(Some(RouteChange::Added(route, flags | codec::NLM_F_CREATE)))
    }

    /// Deletes the first route that fits the request.
    ///
    /// # Errors
    /// `ESRCH` if none fits; with a text if there is no such table.
    pub fn delete(&mut self, spec: &RouteSpec) -> Result<RouteChange, Failure> {
        let table = spec.table_id();
        if !self.has_table(table) {
            return Err(Failure::with_text(Errno::ESRCH, "FIB table does not exist"));
        }
        let routes = self.routes_to(table, spec.prefix);
        let first = find_alias(routes, table, spec.tos, 0).ok_or(Errno::ESRCH)?;
        let found = routes[first..]
            .iter()
            .take_while(|route| route.table == table && route.tos == spec.tos)
            .position(|route| fits(route, spec));
        let at = first + found.ok_or(Errno::ESRCH)?;
        Ok(RouteChange::Removed(self.change(table, spec.prefix, |routes| routes.remove(at))))
    }

    /// The routes of one prefix in one table, in order of preference.
    pub fn routes_of(&self, table: u32, prefix: Prefix) -> impl Iterator<Item = &Arc<Route>> {
        self.routes_to(table, prefix).iter().filter(move |route| route.table == table)
    }
}

/// The routes of a prefix are ordered by table (high first), TOS (high first) and metric (low first). This is
/// the first one of the table that does not come before (`tos`, `priority`) (`fib_find_alias`).
fn find_alias(routes: &[Arc<Route>], table: u32, tos: u8, priority: u32) -> Option<usize> {
    let wanted = (Reverse(tos), priority);
    let at = routes.iter().position(|route| {
        route.table < table || route.table == table && (Reverse(route.tos), route.priority) >= wanted
    })?;
    (routes[at].table == table).then_some(at)
}

/// Behind the last route of a table.
fn section_end(routes: &[Arc<Route>], table: u32) -> usize {
    routes.partition_point(|route| route.table >= table)
}

/// Whether a route is one that a deletion request describes.
fn fits(route: &Route, spec: &RouteSpec) -> bool {
    (spec.kind == RouteKind::Unspec || route.kind == spec.kind)
        && (spec.scope == Scope::NOWHERE || route.scope == spec.scope)
        && (spec.preferred_source.is_none() || route.preferred_source == spec.preferred_source)
        && (spec.protocol == 0 || route.protocol == spec.protocol)
        && (spec.priority == 0 || route.priority == spec.priority)
        && fits_nexthops(route, spec)
        && fits_metrics(route, spec.metrics.as_deref().unwrap_or(&[]))
}

/// `fib_nh_match`: device and gateway are compared with the first way out only.
fn fits_nexthops(route: &Route, spec: &RouteSpec) -> bool {
    if spec.nexthop_id != 0 {
        return route.object.is_some_and(|used| used.id == spec.nexthop_id);
    }
    if route.object.is_some() {
        return spec.ifindex == 0 && spec.gateway.is_none() && spec.multipath.is_none();
    }
    if spec.ifindex != 0 || spec.gateway.is_some() {
        return route.nexthops.first().is_some_and(|nexthop| {
            (spec.realm == 0 || spec.realm == nexthop.realm)
                && (spec.tunnel.is_none() || spec.tunnel == nexthop.tunnel)
                && (spec.ifindex == 0 || spec.ifindex == nexthop.ifindex)
                && (spec.gateway.is_none() || spec.gateway == nexthop.gateway)
        });
    }
    let Some(multipath) = &spec.multipath else { return true };
    let fits = |wanted: &NextHopSpec, nexthop: &super::model::NextHop| {
        (wanted.ifindex == 0 || wanted.ifindex == nexthop.ifindex)
            && (wanted.gateway.is_none() || wanted.gateway == nexthop.gateway)
            && wanted.realm.is_none_or(|realm| realm == nexthop.realm)
    };
    // More members than the route has are not looked at.
    multipath.len() >= route.nexthops.len() && multipath.iter().zip(&route.nexthops).all(|(w, n)| fits(w, n))
}

/// `fib_metrics_match`
fn fits_metrics(route: &Route, wanted: &[MetricSpec]) -> bool {
    wanted.iter().all(|metric| match metric {
        MetricSpec::Value(0, _) => true,
        MetricSpec::Value(kind, value) => *kind <= Metrics::MAX && route.metric(*kind) == *value,
        MetricSpec::Congestion(name) => {
            route.metrics.as_ref().and_then(|m| m.congestion.as_ref()) == Some(name)
        }
    })
}
