//! The IPv6 tables of one namespace (net/ipv6/ip6_fib.c).

use std::collections::BTreeSet;
use std::sync::Arc;

use hairpin_netlink::{Errno, Failure, codec};

use crate::route::object::ObjectUse;
use crate::route::trie::Trie;
use crate::route::{InsertMode, Rule, Ruled};
use crate::time::Time;

use super::model::{
    FLAG_DEAD, FLAG_LINKDOWN, NextHop6, PROTOCOL_KERNEL, Prefix6, Route6, TABLE_LOCAL, TABLE_MAIN, rtf,
};

/// A change of a table that Linux announces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change6 {
    /// With the `NLM_F_*` of the announcement.
    Added(Arc<Route6>, u16),
    Removed(Arc<Route6>),
}

pub(super) type Routes6 = Trie<Prefix6, Arc<Route6>>;

/// All IPv6 routing tables of a namespace.
#[derive(Clone, Debug)]
pub struct Fib6 {
    /// In the order of a dump; see [`dump_key`].
    tables: Vec<(u32, Routes6)>,
    /// In the order in which they are asked.
    rules: Vec<Rule>,
    /// Someone has changed the rules (`fib6_has_custom_rules`).
    pub(super) custom_rules: bool,
    /// Devices with `ignore_routes_with_linkdown` in effect.
    ignore_linkdown: BTreeSet<u32>,
    /// As that of IPv4.
    pub traps: bool,
}

impl Default for Fib6 {
    fn default() -> Self {
        // `fib6_tables_init`: these two are there from the start.
        let tables = vec![(TABLE_MAIN, Routes6::default()), (TABLE_LOCAL, Routes6::default())];
        let rules = [(0, TABLE_LOCAL), (32766, TABLE_MAIN)]
            .map(|(priority, table)| Rule { protocol: PROTOCOL_KERNEL, ..Rule::lookup(priority, table) })
            .into();
        Fib6 { tables, rules, custom_rules: false, ignore_linkdown: BTreeSet::new(), traps: false }
    }
}

/// What of a route a deletion request names; what is `None` or 0 fits any (`ip6_route_del`).
#[derive(Clone, Debug, Default)]
pub struct Wanted6 {
    pub ifindex: u32,
    pub gateway: Option<std::net::Ipv6Addr>,
    pub metric: u32,
    pub protocol: u8,
    /// `RTF_*` that it must have.
    pub flags: u32,
    /// The next hop object that it leads by, 0 for any or none; what the kernel takes away by itself leads by none.
    pub object: Option<u32>,
}

impl Fib6 {
    pub fn has_table(&self, id: u32) -> bool {
        self.tables.iter().any(|(known, _)| *known == id)
    }

    /// The tables in the order of a dump of all.
    pub fn table_ids(&self) -> impl Iterator<Item = u32> {
        self.tables.iter().map(|(id, _)| *id)
    }

    /// The routes of a table in the order of a dump.
    pub fn routes(&self, table: u32) -> impl Iterator<Item = &Arc<Route6>> {
        let walk = self.trie(table).map(Routes6::walk_up).unwrap_or_default();
        walk.into_iter().flat_map(|(_, routes)| routes)
    }

    #[inline]
    pub(super) fn trie(&self, id: u32) -> Option<&Routes6> {
        self.tables.iter().find(|(known, _)| *known == id).map(|(_, trie)| trie)
    }

    fn trie_mut(&mut self, id: u32) -> &mut Routes6 {
        let at = match self.tables.iter().position(|(known, _)| *known == id) {
            Some(at) => at,
            None => {
                let at = self.tables.partition_point(|(known, _)| dump_key(*known) < dump_key(id));
                self.tables.insert(at, (id, Routes6::default()));
                at
            }
        };
        &mut self.tables[at].1
    }

    pub fn set_ignore_linkdown(&mut self, ifindex: u32, ignore: bool) {
        match ignore {
            true => self.ignore_linkdown.insert(ifindex),
            false => self.ignore_linkdown.remove(&ifindex),
        };
    }

    #[inline]
    pub fn ignores_linkdown(&self, ifindex: u32) -> bool {
        self.ignore_linkdown.contains(&ifindex)
    }

    /// Adds a route (`fib6_add_rt2node`).
    ///
    /// # Errors
    /// `EEXIST`; `ENOENT` where nothing is there to be replaced.
    pub fn insert(&mut self, route: Route6, mode: InsertMode) -> Result<Change6, Failure> {
        let prefix = route.prefix;
        let trie = self.trie_mut(route.table);
        let routes = trie.get_mut(prefix);
        let mut flags = codec::NLM_F_EXCL;
        let mut at = routes.len();
        let mut same_metric = None;
        for (i, known) in routes.iter().enumerate() {
            if known.metric > route.metric {
                at = i;
                break;
            }
            if known.metric < route.metric {
                continue;
            }
            if mode.exclusive {
                return Err(Errno::EEXIST.into());
            }
            flags &= !codec::NLM_F_EXCL;
            if mode.replace {
                let fits = known.joins_others() == route.joins_others();
                if fits || same_metric.is_none() {
                    same_metric = Some(i);
                }
                if fits {
                    break;
                }
                continue;
            }
            let twice = |way: &NextHop6| {
                route.nexthops.iter().any(|new| new.ifindex == way.ifindex && new.gateway == way.gateway)
            };
            let same = match (known.object, route.object) {
                (None, None) => known.nexthops.iter().any(twice),
                (a, b) => a.map(|used| used.id) == b.map(|used| used.id),
            };
            if same {
                // The same route again: at most its end changes.
                if known.expires.is_some() {
                    let mut renewed = Route6::clone(known);
                    renewed.expires = route.expires;
                    renewed.flags = renewed.flags & !rtf::EXPIRES | route.flags & rtf::EXPIRES;
                    routes[i] = Arc::new(renewed);
                }
                return Err(Errno::EEXIST.into());
            }
            if route.joins_others() && known.joins_others() {
                same_metric = Some(i);
            }
        }
        if mode.replace {
            if let Some(place) = same_metric {
                let route = Arc::new(route);
                routes[place] = Arc::clone(&route);
                return Ok(Change6::Added(route, codec::NLM_F_REPLACE));
            }
            if !mode.create {
                trie.prune(prefix);
                return Err(Failure::with_text(Errno::ENOENT, "Can not replace route - no match found"));
            }
        }
        if let Some(place) = same_metric {
            let mut whole = Route6::clone(&routes[place]);
            whole.nexthops.extend(route.nexthops.iter().cloned());
            routes[place] = Arc::new(whole);
            // The announcement tells of the new way out, as appended.
            return Ok(Change6::Added(Arc::new(route), flags | codec::NLM_F_CREATE | codec::NLM_F_APPEND));
        }
        let route = Arc::new(route);
        routes.insert(at, Arc::clone(&route));
        Ok(Change6::Added(route, flags | codec::NLM_F_CREATE))
    }

    /// Deletes the first route that fits; with a gateway named, only that way out.
    ///
    /// # Errors
    /// `ESRCH`, with a text where there is no such table.
    pub fn delete(&mut self, table: u32, prefix: Prefix6, wanted: &Wanted6) -> Result<Change6, Failure> {
        if !self.has_table(table) {
            return Err(Failure::with_text(Errno::ESRCH, "FIB table does not exist"));
        }
        let trie = self.trie_mut(table);
        if trie.get(prefix).is_empty() {
            return Err(Errno::ESRCH.into());
        }
        let routes = trie.get_mut(prefix);
        let way_fits = |way: &NextHop6| {
            (wanted.ifindex == 0 || way.ifindex == wanted.ifindex)
                && (wanted.gateway.is_none() || way.gateway == wanted.gateway)
        };
        let leads = |route: &Route6| match route.object {
            // By its object alone, whatever else is named.
            Some(used) => wanted.object.is_some_and(|id| id == 0 || id == used.id),
            None => wanted.object.unwrap_or(0) == 0 && route.nexthops.iter().any(way_fits),
        };
        let fits = |route: &Arc<Route6>| {
            leads(route)
                && (wanted.metric == 0 || route.metric == wanted.metric)
                && (wanted.protocol == 0 || route.protocol == wanted.protocol)
                && route.flags & wanted.flags == wanted.flags
        };
        let at = routes.iter().position(fits).ok_or(Errno::ESRCH)?;
        let known = Arc::clone(&routes[at]);
        if wanted.gateway.is_some() && known.object.is_none() && known.nexthops.len() > 1 {
            let (gone, left): (Vec<_>, Vec<_>) = known.nexthops.iter().cloned().partition(way_fits);
            if !left.is_empty() {
                routes[at] = Arc::new(Route6 { nexthops: left, ..Route6::clone(&known) });
                return Ok(Change6::Removed(Arc::new(Route6 { nexthops: gone, ..Route6::clone(&known) })));
            }
        }
        routes.remove(at);
        trie.prune(prefix);
        Ok(Change6::Removed(known))
    }

    /// Routes that `doomed` picks go, in the order in which they are announced (`fib6_clean_all`).
    pub fn remove_where(&mut self, mut doomed: impl FnMut(&Route6) -> bool) -> Vec<Change6> {
        let mut changes = Vec::new();
        for (_, trie) in &mut self.tables {
            let found: Vec<Arc<Route6>> = trie
                .walk_up()
                .into_iter()
                .flat_map(|(_, routes)| routes)
                .filter(|r| doomed(r))
                .cloned()
                .collect();
            for route in found {
                trie.get_mut(route.prefix).retain(|known| !Arc::ptr_eq(known, &route));
                trie.prune(route.prefix);
                changes.push(Change6::Removed(route));
            }
        }
        changes
    }

    /// A device went down or away: routes of which it was the only way out go (`fib6_ifdown`).
    pub fn device_down(&mut self, ifindex: u32) -> Vec<Change6> {
        let doomed = |route: &Route6| {
            route.object.is_none() && route.nexthops.iter().all(|way| way.ifindex == ifindex)
        };
        let changes = self.remove_where(doomed);
        self.mark(ifindex, |way| way.flags |= FLAG_DEAD | FLAG_LINKDOWN);
        changes
    }

    /// A device is up again: dead ways out through it revive (`rt6_sync_up`).
    pub fn device_up(&mut self, ifindex: u32) {
        self.mark(ifindex, |way| way.flags &= !(FLAG_DEAD | FLAG_LINKDOWN));
    }

    /// Carrier came or went.
    pub fn carrier(&mut self, ifindex: u32, carrier: bool) {
        self.mark(ifindex, |way| match carrier {
            true => way.flags &= !FLAG_LINKDOWN,
            false => way.flags |= FLAG_LINKDOWN,
        });
    }

    fn mark(&mut self, ifindex: u32, change: impl Fn(&mut NextHop6)) {
        let concerned = |route: &Route6| {
            route.flags & (rtf::LOCAL | rtf::ANYCAST) == 0
                && route.object.is_none()
                && route.nexthops.iter().any(|way| {
                    let mut after = way.clone();
                    change(&mut after);
                    way.ifindex == ifindex && after != *way
                })
        };
        self.change_where(concerned, |route| {
            route.nexthops.iter_mut().filter(|way| way.ifindex == ifindex).for_each(&change);
        });
    }

    /// The ways out behind a next hop object are others.
    pub fn set_object_ways(&mut self, used: ObjectUse, ways: &[NextHop6]) {
        self.change_where(
            |route| route.object.is_some_and(|known| known.id == used.id),
            |route| {
                route.nexthops = ways.to_vec();
                let serial = route.object.map_or(0, |known| known.serial);
                route.object = Some(ObjectUse { serial, ..used });
            },
        );
    }

    /// The routes that lead by a next hop object, in the order of a dump.
    pub fn object_routes(&self, id: u32) -> impl Iterator<Item = Arc<Route6>> {
        let routes = self.table_ids().flat_map(|table| self.routes(table));
        routes.filter(move |route| route.object.is_some_and(|used| used.id == id)).cloned()
    }

    pub fn has_object_routes(&self, id: u32) -> bool {
        self.object_routes(id).next().is_some()
    }

    /// Changes routes in place, unannounced.
    pub fn change_where(&mut self, concerned: impl Fn(&Route6) -> bool, change: impl Fn(&mut Route6)) {
        for (_, trie) in &mut self.tables {
            trie.for_each_mut(|routes| {
                for route in routes.iter_mut().filter(|route| concerned(route)) {
                    change(Arc::make_mut(route));
                }
            });
        }
    }

    /// Routes whose time is over go.
    pub fn expire(&mut self, now: Time) -> Vec<Change6> {
        self.remove_where(|route| route.is_expired(now))
    }

    /// When the next route's time is over.
    pub fn next_expiry(&self) -> Option<Time> {
        let walks = self.tables.iter().flat_map(|(_, trie)| trie.walk_up());
        walks.flat_map(|(_, routes)| routes).filter_map(|route| route.expires).min()
    }
}

impl Ruled for Fib6 {
    const IPV6: bool = true;

    fn rule_list(&self) -> &[Rule] {
        &self.rules
    }

    fn rule_list_mut(&mut self) -> &mut Vec<Rule> {
        &mut self.rules
    }

    fn note_custom_rules(&mut self) {
        self.custom_rules = true;
    }

    fn table_exists(&self, id: u32) -> bool {
        self.has_table(id)
    }

    fn ensure_table(&mut self, id: u32) {
        self.trie_mut(id);
    }
}

/// Tables are dumped by the bucket of a hash table of 256 (`FIB6_TABLE_HASHSZ`).
fn dump_key(id: u32) -> u32 {
    id & 255
}
