//! What becomes of routes when devices and addresses come and go (`fib_sync_*`, `fib_flush`).

use std::{net::Ipv4Addr, sync::Arc};

use super::{
    fib::Fib,
    links::Links,
    model::{FLAG_DEAD, FLAG_LINKDOWN, NextHop, Route, Scope, TABLE_MAIN},
    object::ObjectUse,
    table::RouteChange,
};

/// What happened to a device.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Loss {
    /// `NETDEV_CHANGE`
    Carrier,
    /// `NETDEV_DOWN`
    Down,
    /// `NETDEV_UNREGISTER`, or its last address went.
    Gone { unregistered: bool },
}

impl Fib {
    /// A device was set up (`NETDEV_UP`): the routes of its addresses come, and dead ways out revive.
    /// Returns what to announce.
    pub fn device_up(&mut self, ifindex: u32, links: &(impl Links + ?Sized)) -> Vec<RouteChange> {
        let addresses = links.addresses(ifindex);
        let mut changes = Vec::new();
        for address in addresses {
            changes.extend(self.add_address_routes(ifindex, addresses, address, links));
        }
        self.revive(ifindex, FLAG_DEAD, links);
        changes
    }

    /// A device was set down (`NETDEV_DOWN`): routes of which it was the only way out go, all but those to
    /// this host. Linux announces none of them; what it returns is for routes that lost their source before.
    pub fn device_down(&mut self, ifindex: u32) -> Vec<RouteChange> {
        self.lose(ifindex, Loss::Down);
        self.flush()
    }

    /// Carrier came or went (`NETDEV_CHANGE`): ways out are marked linkdown or no more.
    pub fn carrier(&mut self, ifindex: u32, carrier: bool, links: &(impl Links + ?Sized)) {
        if carrier {
            self.revive(ifindex, FLAG_LINKDOWN, links);
        } else {
            self.lose(ifindex, Loss::Carrier);
        }
    }

    /// A device whose addresses are gone leaves the namespace (`NETDEV_UNREGISTER`): every route through it
    /// goes, multipath routes too. [`Fib::device_destroyed`] is this with the addresses.
    pub fn device_removed(&mut self, ifindex: u32) -> Vec<RouteChange> {
        self.lose(ifindex, Loss::Gone { unregistered: true });
        self.flush()
    }

    /// The last address of a device was deleted: every route through it goes (`fib_disable_ip`).
    pub fn last_address_removed(&mut self, ifindex: u32) -> Vec<RouteChange> {
        self.lose(ifindex, Loss::Gone { unregistered: false });
        self.flush()
    }

    /// An address is no longer local: routes of the main table (or the device's VRF) that prefer it as
    /// source go, and are announced (`fib_sync_down_addr`).
    pub fn local_address_removed(&mut self, address: Ipv4Addr, vrf_table: Option<u32>) -> Vec<RouteChange> {
        let table = vrf_table.unwrap_or(TABLE_MAIN);
        let concerned = |route: &Route| route.table == table && route.preferred_source == Some(address);
        let found = self.update(concerned, |_, route| {
            route.flags |= FLAG_DEAD;
            route.source_removed = true;
        });
        if found { self.flush() } else { Vec::new() }
    }

    /// A next hop object is gone: its routes go (`__remove_nexthop_fib`). Returns what to announce.
    pub fn remove_object_routes(&mut self, id: u32) -> Vec<RouteChange> {
        let found = self.update(|route| leads_by(route, id), |_, route| route.flags |= FLAG_DEAD);
        if found { self.flush() } else { Vec::new() }
    }

    /// The ways out behind a next hop object are others.
    pub fn set_object_ways(&mut self, used: ObjectUse, ways: &[NextHop]) {
        self.update(
            |route| leads_by(route, used.id),
            |fib, route| {
                route.nexthops = ways.to_vec();
                let serial = route.object.map_or(0, |known| known.serial);
                route.object = Some(ObjectUse { serial, ..used });
                fib.rebalance(route);
            },
        );
    }

    /// The routes that lead by a next hop object, in the order of a dump.
    pub fn object_routes(&self, id: u32) -> impl Iterator<Item = Arc<Route>> {
        let routes = self.table_ids().flat_map(|table| self.routes(table));
        routes.filter(move |route| leads_by(route, id)).cloned()
    }

    /// The scopes that they have.
    pub fn object_scopes(&self, id: u32) -> Vec<Scope> {
        self.object_routes(id).map(|route| route.scope).collect()
    }

    /// `fib_sync_down_dev`
    fn lose(&mut self, ifindex: u32, loss: Loss) {
        let flags = if loss == Loss::Carrier { FLAG_LINKDOWN } else { FLAG_LINKDOWN | FLAG_DEAD };
        let spared = |scope: Scope| scope == Scope::NOWHERE && !matches!(loss, Loss::Gone { .. });
        self.update(
            |route| uses(route, ifindex),
            |fib, route| {
                let mut dead = 0;
                for nexthop in &mut route.nexthops {
                    if nexthop.is_dead() {
                        dead += 1;
                    } else if nexthop.ifindex == ifindex && !spared(nexthop.scope) {
                        nexthop.flags |= flags;
                        dead += 1;
                    }
                    if loss == (Loss::Gone { unregistered: true }) && nexthop.ifindex == ifindex {
                        dead = usize::MAX;
                        break;
                    }
                }
                if dead >= route.nexthops.len() {
                    route.flags |= flags;
                }
                fib.rebalance(route);
            },
        );
    }

    /// Dead ways out through a device that is up come back (`fib_sync_up`).
    pub(super) fn revive_dead(&mut self, ifindex: u32, links: &(impl Links + ?Sized)) {
        self.revive(ifindex, FLAG_DEAD, links);
    }

    fn revive(&mut self, ifindex: u32, flags: u32, links: &(impl Links + ?Sized)) {
        let Some(link) = links.link(ifindex).filter(|link| link.up) else { return };
        let flags = if flags & FLAG_DEAD != 0 && link.carrier { flags | FLAG_LINKDOWN } else { flags };
        let marked = |route: &Route| {
            uses(route, ifindex)
                && (route.flags & flags != 0 || route.nexthops.iter().any(|n| n.flags & flags != 0))
        };
        self.update(marked, |fib, route| {
            let mut alive = false;
            for nexthop in &mut route.nexthops {
                if nexthop.flags & flags == 0 {
                    alive = true;
                } else if nexthop.ifindex == ifindex && link.ipv4 {
                    alive = true;
                    nexthop.flags &= !flags;
                }
            }
            if alive {
                route.flags &= !flags;
            }
            fib.rebalance(route);
        });
    }

    /// Removes every dead route; returns those whose removal is announced (`fib_flush`).
    fn flush(&mut self) -> Vec<RouteChange> {
        let dead = |route: &Route| route.flags & FLAG_DEAD != 0;
        let mut changes = Vec::new();
        for table in self.table_ids().collect::<Vec<_>>() {
            let doomed: Vec<Arc<Route>> =
                self.routes(table).into_iter().filter(|route| dead(route)).cloned().collect();
            // The kernel walks the addresses backwards, and the routes of each forwards.
            for same in doomed.chunk_by(|a, b| a.prefix.address == b.prefix.address).rev() {
                for route in same {
                    self.change(table, route.prefix, |routes| {
                        routes.retain(|other| !Arc::ptr_eq(other, route));
                    });
                    if route.source_removed {
                        changes.push(RouteChange::Removed(Arc::clone(route)));
                    }
                }
            }
        }
        changes
    }

    /// Changes routes in place; says whether any was concerned. Tables without one stay shared.
    fn update(&mut self, concerned: impl Fn(&Route) -> bool, change: impl Fn(&Fib, &mut Route)) -> bool {
        // A cheap copy without tables: what `change` asks for are settings.
        let settings = self.without_tables();
        let mut any = false;
        for (_, trie) in self.tries_mut() {
            let hit = trie.walk().iter().any(|(_, routes)| routes.iter().any(|route| concerned(route)));
            if !hit {
                continue;
            }
            any = true;
            Arc::make_mut(trie).for_each_mut(|routes| {
                for route in routes.iter_mut().filter(|route| concerned(route)) {
                    change(&settings, Arc::make_mut(route));
                }
            });
        }
        any
    }
}

/// Whether a route's own ways out are by a device; those of a next hop object go and come with the object.
fn uses(route: &Route, ifindex: u32) -> bool {
    route.object.is_none() && route.nexthops.iter().any(|nexthop| nexthop.ifindex == ifindex)
}

fn leads_by(route: &Route, object: u32) -> bool {
    route.object.is_some_and(|used| used.id == object)
}
