//! What becomes of routes and groups when a next hop object changes or goes (`replace_nexthop`, `remove_nexthop`).

use crate::netns::NsId;
use crate::route::RouteChange;
use crate::route::object::What;
use crate::route6::Change6;
use crate::world::World;

impl World {
    /// Makes an object, or gives an id another meaning, and tells of it: routes that lead by it do so by its new ways.
    pub(crate) fn set_nexthop(&mut self, ns: NsId, id: u32, protocol: u8, what: What) {
        let Some(netns) = self.netns.get_mut(ns) else { return };
        let is_new = netns.nexthops.get(id).is_none();
        netns.nexthops.set(id, protocol, what);
        self.notify_nexthop(ns, id, false);
        if is_new {
            return;
        }
        let groups = self.groups_of_nexthop(ns, id);
        for concerned in std::iter::once(id).chain(groups.iter().copied()) {
            self.refresh_object_routes(ns, concerned);
        }
        // `nexthop_replace_notify`
        for concerned in std::iter::once(id).chain(groups) {
            self.notify_object_routes(ns, concerned);
        }
    }

    /// Takes an object away with the routes that lead by it; groups lose a member, or go with their last one. Where a user
    /// asked for it, it is told.
    pub(crate) fn remove_nexthop(&mut self, ns: NsId, id: u32, told: bool) {
        if told {
            self.notify_nexthop(ns, id, true);
        }
        let groups = self.groups_of_nexthop(ns, id);
        let Some(netns) = self.netns.get_mut(ns) else { return };
        if netns.nexthops.remove(id).is_none() {
            return;
        }
        if let Some(fib) = self.fib.get_mut(ns) {
            let changes = fib.remove_object_routes(id);
            self.notify_routes(ns, &changes);
        }
        if let Some(fib) = self.fib6.get_mut(ns) {
            let mut changes = fib.remove_where(|route| route.object.is_some_and(|used| used.id == id));
            // The newest route of an object is the first in its list.
            changes.sort_by_key(|change| std::cmp::Reverse(serial_of(change)));
            self.notify_routes6(ns, &changes);
        }
        for group in groups {
            let Some(netns) = self.netns.get_mut(ns) else { return };
            let is_last = match netns.nexthops.get(group).map(|group| &group.what) {
                Some(What::Group(members)) => members.len() == 1,
                _ => continue,
            };
            if is_last {
                self.remove_nexthop(ns, group, told);
                continue;
            }
            netns.nexthops.shrink(group, id);
            self.refresh_object_routes(ns, group);
            if told {
                self.notify_nexthop(ns, group, false);
            }
        }
        self.changed();
    }

    /// A device went down, or lost its link: objects that lead out of it go, unannounced (`nexthop_flush_dev`).
    pub(super) fn flush_nexthops_of(&mut self, ns: NsId, ifindex: u32) {
        let Some(netns) = self.netns.get(ns) else { return };
        for id in netns.nexthops.of_device(ifindex) {
            self.remove_nexthop(ns, id, false);
        }
    }

    fn groups_of_nexthop(&self, ns: NsId, id: u32) -> Vec<u32> {
        let object = self.netns.get(ns).and_then(|netns| netns.nexthops.get(id));
        object.map_or_else(Vec::new, |object| object.groups().to_vec())
    }

    fn refresh_object_routes(&mut self, ns: NsId, id: u32) {
        let Some(objects) = self.netns.get(ns).map(|netns| &netns.nexthops) else { return };
        let Some(used) = objects.describe(id) else { return };
        if let (Some(fib), Some(ways)) = (self.fib.get_mut(ns), objects.ways(id)) {
            fib.set_object_ways(used, &ways);
        }
        if let (Some(fib), Some(ways)) = (self.fib6.get_mut(ns), objects.ways6(id)) {
            fib.set_object_ways(used, &ways);
        }
        self.changed();
    }

    /// Old programs, which do not know of objects, hear of routes whose ways changed (`nexthop_compat_mode`).
    fn notify_object_routes(&mut self, ns: NsId, id: u32) {
        use hairpin_netlink::codec::NLM_F_REPLACE;
        let (Some(fib), Some(fib6)) = (self.fib.get(ns), self.fib6.get(ns)) else { return };
        let changes: Vec<RouteChange> =
            fib.object_routes(id).map(|route| RouteChange::Added(route, NLM_F_REPLACE)).collect();
        let mut changes6: Vec<Change6> =
            fib6.object_routes(id).map(|route| Change6::Added(route, NLM_F_REPLACE)).collect();
        changes6.sort_by_key(|change| std::cmp::Reverse(serial_of(change)));
        self.notify_routes(ns, &changes);
        self.notify_routes6(ns, &changes6);
    }
}

fn serial_of(change: &Change6) -> u64 {
    let (Change6::Added(route, _) | Change6::Removed(route)) = change;
    route.object.map_or(0, |used| used.serial)
}
