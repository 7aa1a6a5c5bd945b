//! All routing tables and rules of one namespace.

use std::{
    cmp::Reverse,
    collections::BTreeSet,
    sync::{Arc, LazyLock},
};

use super::{
    model::{Prefix, Route, TABLE_LOCAL, TABLE_MAIN},
    rules::{Rule, Ruled, default_rules},
    trie::Trie,
};

/// The routes of a table.
pub(super) type Routes = Trie<Prefix, Arc<Route>>;

/// The forwarding information base of a namespace. A clone shares what neither side changes.
#[derive(Clone, Debug)]
pub struct Fib {
    /// In the order of a dump; see [`dump_key`].
    tables: Vec<Table>,
    rules: Arc<Vec<Rule>>,
    /// Someone has changed the rules: they are asked for every packet, and the local table is its own
    /// (`fib_has_custom_rules`).
    custom_rules: bool,
    custom_local_routes: bool,
    generation: u64,
    /// Devices with `ignore_routes_with_linkdown` in effect.
    ignore_linkdown: BTreeSet<u32>,
    /// Groups of the devices that have one, for rules with `suppress_ifgroup`.
    groups: Vec<(u32, u32)>,
    multipath_hash_policy: u8,
    /// A driver takes the routes, and has their packets handed to the kernel (`RTM_F_TRAP`).
    pub traps: bool,
}

#[derive(Clone, Debug)]
struct Table {
    id: u32,
    /// `None`: its routes are in the trie of the main table (`fib_trie_table` with an alias).
    trie: Option<Arc<Routes>>,
}

impl Default for Fib {
    fn default() -> Self {
        Fib::new()
    }
}

impl Fib {
    /// No routes; the three default rules.
    pub fn new() -> Self {
        // Most of many namespaces never change their rules: they share them.
        static RULES: LazyLock<Arc<Vec<Rule>>> = LazyLock::new(|| Arc::new(default_rules()));
        Fib {
            tables: Vec::new(),
            rules: Arc::clone(&RULES),
            custom_rules: false,
            custom_local_routes: false,
            generation: 0,
            ignore_linkdown: BTreeSet::new(),
            traps: false,
            groups: Vec::new(),
            multipath_hash_policy: 0,
        }
    }

    /// Grows with every change that a lookup can notice: results from before may be stale.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The rules in the order in which they are asked.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Whether any rule was ever added or deleted (`fib_has_custom_rules`).
    pub fn has_custom_rules(&self) -> bool {
        self.custom_rules
    }

    /// Whether a user ever added a route of type local (`fib_has_custom_local_routes`).
    pub fn has_custom_local_routes(&self) -> bool {
        self.custom_local_routes
    }

    pub(crate) fn note_custom_local_route(&mut self) {
        self.custom_local_routes = true;
    }

    /// Whether a table was ever used. A table outlives its routes.
    pub fn has_table(&self, id: u32) -> bool {
        self.position(id).is_ok()
    }

    /// The tables in the order of a dump of all.
    pub fn table_ids(&self) -> impl Iterator<Item = u32> {
        self.tables.iter().map(|table| table.id)
    }

    /// The routes of a table in the order of a dump.
    pub fn routes(&self, table: u32) -> Vec<&Arc<Route>> {
        let walk = self.trie(table).map(Routes::walk).unwrap_or_default();
        walk.into_iter().flat_map(|(_, routes)| routes).filter(|route| route.table == table).collect()
    }

    /// The routes of the trie that a table is kept in, by address, those of longer prefixes first. Without rules of
    /// their own, the local and the main table share one (`fib_trie_unmerge`).
    pub(super) fn stored_with(&self, table: u32) -> Vec<Arc<Route>> {
        let walk = self.trie(table).map(Routes::walk).unwrap_or_default();
        let mut routes: Vec<Arc<Route>> = walk.into_iter().flat_map(|(_, routes)| routes).cloned().collect();
        routes.sort_by_key(|route| {
            let Prefix { address, length } = route.prefix;
            (address, Reverse(length), Reverse(route.table), Reverse(route.tos), route.priority)
        });
        routes
    }

    /// Whether routes through this device are not used while it has no carrier
    /// (`ignore_routes_with_linkdown` of the device or of all).
    pub fn set_ignore_linkdown(&mut self, ifindex: u32, ignore: bool) {
        if self.ignores_linkdown(ifindex) != ignore {
            let set = &mut self.ignore_linkdown;
            if ignore {
                set.insert(ifindex)
            } else {
                set.remove(&ifindex)
            };
            self.generation += 1;
        }
    }

    #[inline]
    pub fn ignores_linkdown(&self, ifindex: u32) -> bool {
        self.ignore_linkdown.contains(&ifindex)
    }

    /// The group of a device (`ip link set … group`), for `suppress_ifgroup`. Group 0 is the default.
    pub fn set_device_group(&mut self, ifindex: u32, group: u32) {
        self.groups.retain(|(device, _)| *device != ifindex);
        if group != 0 {
            self.groups.push((ifindex, group));
        }
        self.generation += 1;
    }

    pub(super) fn device_group(&self, ifindex: u32) -> Option<u32> {
        if ifindex == 0 {
            return None;
        }
        Some(self.groups.iter().find(|(device, _)| *device == ifindex).map_or(0, |(_, group)| *group))
    }

    /// `net.ipv4.fib_multipath_hash_policy`: 0 addresses, 1 addresses, protocol and ports.
    pub fn set_multipath_hash_policy(&mut self, policy: u8) {
        self.multipath_hash_policy = policy;
        self.generation += 1;
    }

    pub fn multipath_hash_policy(&self) -> u8 {
        self.multipath_hash_policy
    }

    /// The trie in which the routes of a table are found; of the local table it may hold more.
    #[inline]
    pub(super) fn trie(&self, id: u32) -> Option<&Routes> {
        let at = self.position(id).ok()?;
        match &self.tables[at].trie {
            Some(trie) => Some(trie),
            None => self.tables[self.position(TABLE_MAIN).ok()?].trie.as_deref(),
        }
    }

    /// [`Fib::trie`] of the main table, without searching: its number is among the last.
    #[inline]
    pub(super) fn main_trie(&self) -> Option<&Routes> {
        self.tables.iter().rev().find(|table| table.id == TABLE_MAIN)?.trie.as_deref()
    }

    /// Routes of every table to one prefix within the trie of `table`.
    pub(super) fn routes_to(&self, table: u32, prefix: Prefix) -> &[Arc<Route>] {
        self.trie(table).map_or(&[], |trie| trie.get(prefix))
    }

    /// Changes the routes of one prefix.
    pub(super) fn change<R>(
        &mut self,
        table: u32,
        prefix: Prefix,
        change: impl FnOnce(&mut Vec<Arc<Route>>) -> R,
    ) -> R {
        self.generation += 1;
        let trie = self.trie_mut(table);
        let list = trie.get_mut(prefix);
        let result = change(list);
        if list.is_empty() {
            trie.prune(prefix);
        }
        result
    }

    /// Every trie of its own, in the order of a dump, with the number of its table.
    pub(super) fn tries_mut(&mut self) -> impl Iterator<Item = (u32, &mut Arc<Routes>)> {
        self.generation += 1;
        self.tables.iter_mut().filter_map(|table| Some((table.id, table.trie.as_mut()?)))
    }

    /// The settings of this, without routes.
    pub(super) fn without_tables(&self) -> Fib {
        Fib { tables: Vec::new(), ..self.clone() }
    }

    /// Makes a table if it is missing (`fib_new_table`).
    pub(super) fn make_table(&mut self, id: u32) {
        if self.position(id).is_ok() {
            return;
        }
        let shares = id == TABLE_LOCAL && !self.custom_rules;
        if shares {
            self.make_table(TABLE_MAIN);
        }
        let trie = (!shares).then(Arc::default);
        // The newest of one hash bucket is first.
        let at = self.tables.partition_point(|table| dump_key(table.id) < dump_key(id));
        self.tables.insert(at, Table { id, trie });
    }

    /// Gives the local table a trie of its own (`fib_unmerge`), for the rules come into play.
    pub(super) fn split_local_table(&mut self) {
        self.custom_rules = true;
        self.generation += 1;
        let Ok(local) = self.position(TABLE_LOCAL) else { return };
        if self.tables[local].trie.is_some() {
            return;
        }
        let mut own = Routes::default();
        for route in self.routes(TABLE_LOCAL) {
            own.get_mut(route.prefix).push(Arc::clone(route));
        }
        let prefixes: Vec<Prefix> = own.walk().into_iter().map(|(prefix, _)| prefix).collect();
        self.tables[local].trie = Some(Arc::new(own));
        for prefix in prefixes {
            self.change(TABLE_MAIN, prefix, |routes| routes.retain(|route| route.table != TABLE_LOCAL));
        }
    }

    pub(super) fn rules_mut(&mut self) -> &mut Vec<Rule> {
        self.generation += 1;
        Arc::make_mut(&mut self.rules)
    }

    /// `fib_new_table`
    pub(crate) fn note_table(&mut self, id: u32) {
        self.make_table(id);
    }

    fn trie_mut(&mut self, id: u32) -> &mut Routes {
        self.make_table(id);
        let found = |tables: &[Table], id| tables.iter().position(|table: &Table| table.id == id);
        let own = found(&self.tables, id).filter(|at| self.tables[*at].trie.is_some());
        let at = own.or_else(|| found(&self.tables, TABLE_MAIN)).unwrap_or(0);
        Arc::make_mut(self.tables[at].trie.get_or_insert_default())
    }

    /// Where a table is, or would be.
    #[inline]
    fn position(&self, id: u32) -> Result<usize, usize> {
        let bucket = self.tables.partition_point(|table| dump_key(table.id) < dump_key(id));
        let same = self.tables[bucket..].iter().take_while(|table| dump_key(table.id) == dump_key(id));
        match same.clone().position(|table| table.id == id) {
            Some(offset) => Ok(bucket + offset),
            None => Err(bucket),
        }
    }
}

impl Ruled for Fib {
    const IPV6: bool = false;

    fn rule_list(&self) -> &[Rule] {
        self.rules()
    }

    fn rule_list_mut(&mut self) -> &mut Vec<Rule> {
        self.rules_mut()
    }

    fn note_custom_rules(&mut self) {
        self.split_local_table();
    }

    fn table_exists(&self, id: u32) -> bool {
        self.has_table(id)
    }

    fn ensure_table(&mut self, id: u32) {
        self.make_table(id);
    }
}

/// Tables are dumped by the bucket of a hash table of 256 (`FIB_TABLE_HASHSZ`).
fn dump_key(id: u32) -> u32 {
    id & 255
}
