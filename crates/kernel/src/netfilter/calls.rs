//! Netfilter's configuration: what programs read and replace.

use hairpin_netlink::netfilter::nft::NftCall;
use hairpin_netlink::netfilter::{
    Family, Match, NetfilterCall, NetfilterReply, Rule, Table, TableKind, Target,
};
use hairpin_netlink::{Errno, Received, Reply};

use super::Netfilter;
use super::nft::Nft;
use super::table::Rules;
use crate::netns::NsId;
use crate::world::World;

impl World {
    pub(crate) fn netfilter_call(&mut self, ns: NsId, call: NetfilterCall) -> Result<Reply, Errno> {
        let reply = match call {
            NetfilterCall::Tables(family) => NetfilterReply::Tables(self.tables_in_use(ns, family)),
            NetfilterCall::Table { family, kind } => {
                let rules = self.table_in_use(ns, family, kind)?;
                NetfilterReply::Table(Box::new(rules.dump()))
            }
            NetfilterCall::Replace { family, table } => {
                self.replace_table(ns, family, *table)?;
                return Ok(Reply::Done);
            }
            NetfilterCall::Connections(family) => {
                let now = self.now;
                let netns = self.netns.get(ns).ok_or(Errno::EINVAL)?;
                let shown = netns.netfilter.as_ref().map(|netfilter| netfilter.conntrack.shown(now));
                let mut shown = shown.unwrap_or_default();
                shown.retain(|connection| family.is_none_or(|family| connection.family == family));
                NetfilterReply::Connections(shown)
            }
            NetfilterCall::DeleteConnections(numbers) => {
                let now = self.now;
                let wanted: std::collections::BTreeSet<u64> = numbers.into_iter().collect();
                let netns = self.netns.get_mut(ns).ok_or(Errno::EINVAL)?;
                if let Some(netfilter) = &mut netns.netfilter {
                    netfilter.conntrack.forget_numbered(&wanted, now);
                }
                self.tell_connections(ns);
                return Ok(Reply::Done);
            }
            NetfilterCall::UpdateConnection { number, update } => {
                let now = self.now;
                self.netfilter_of(ns)?.conntrack.update(number, &update, now)?;
                self.tell_connections(ns);
                return Ok(Reply::Done);
            }
            NetfilterCall::CreateConnection(wanted) => {
                let now = self.now;
                let counts = self.netns.get(ns).is_some_and(|netns| netns.sysctl.conntrack.acct);
                let mut netfilter = Box::new(std::mem::take(self.netfilter_of(ns)?));
                let made = netfilter.conntrack.create(&wanted, counts, now);
                self.schedule_collector(ns, &mut netfilter);
                self.put_back(ns, netfilter);
                self.tell_connections(ns);
                return made.map(|()| Reply::Done);
            }
            NetfilterCall::Statistics => {
                let netns = self.netns.get(ns).ok_or(Errno::EINVAL)?;
                let mut statistics = Default::default();
                if let Some(netfilter) = &netns.netfilter {
                    statistics = netfilter.conntrack.statistics;
                    statistics.entries = netfilter.conntrack.len();
                }
                NetfilterReply::Statistics(statistics)
            }
            NetfilterCall::Nft(NftCall::Ruleset) => {
                NetfilterReply::Ruleset(Box::new(self.netfilter_of(ns)?.nft.ruleset.clone()))
            }
            NetfilterCall::Nft(NftCall::Replace(ruleset)) => {
                let nft = Nft::new(*ruleset)?;
                let netfilter = self.netfilter_of(ns)?;
                netfilter.nft = nft;
                netfilter.renew_tracking();
                self.changed();
                return Ok(Reply::Done);
            }
            NetfilterCall::Sets(call) => {
                let now = self.now;
                match self.netfilter_of(ns)?.set_call(call, now)? {
                    Some(reply) => reply,
                    None => return Ok(Reply::Done),
                }
            }
        };
        Ok(Reply::Netfilter(reply))
    }

    /// Somebody listens to a namespace's connections, or nobody does any longer.
    pub(crate) fn listen_to_connections(&mut self, ns: NsId, listened: bool) -> Result<(), Errno> {
        self.netfilter_of(ns)?.conntrack.listened = listened;
        Ok(())
    }

    /// `ctnetlink_conntrack_event`: listeners are told what has happened to connections.
    pub(super) fn tell_connections(&mut self, ns: NsId) {
        let now_ns = self.epoch_ns + self.now.nanos();
        let Some(netns) = self.netns.get_mut(ns) else { return };
        let Some(netfilter) = &mut netns.netfilter else { return };
        for event in netfilter.conntrack.changes.drain(..) {
            for id in &netns.events {
                if let Some(socket) = self.sockets.get_mut(*id)
                    && let crate::sock::Kind::ConntrackEvents = socket.kind
                {
                    let event = Box::new(event.clone());
                    let told = Received::Connection { event, realtime_ns: now_ns };
                    socket.push(crate::sock::Item::Other(Box::new(told)));
                }
            }
        }
    }

    /// The tables in use, newest first.
    pub(crate) fn tables_in_use(&self, ns: NsId, family: Family) -> Vec<TableKind> {
        let netfilter = self.netns.get(ns).and_then(|netns| netns.netfilter.as_ref());
        netfilter.map(|netfilter| netfilter.order[family as usize].clone()).unwrap_or_default()
    }

    /// Tracked connections, oldest first.
    pub(crate) fn connections(&self, ns: NsId) -> Vec<hairpin_netlink::netfilter::conntrack::Connection> {
        let netfilter = self.netns.get(ns).and_then(|netns| netns.netfilter.as_ref());
        netfilter.map(|netfilter| netfilter.conntrack.shown(self.now)).unwrap_or_default()
    }

    /// How many connections are tracked.
    pub(crate) fn connection_count(&self, ns: NsId) -> u32 {
        let netfilter = self.netns.get(ns).and_then(|netns| netns.netfilter.as_ref());
        netfilter.map_or(0, |netfilter| netfilter.conntrack.len())
    }

    fn netfilter_of(&mut self, ns: NsId) -> Result<&mut Netfilter, Errno> {
        if self.netns.get(ns).ok_or(Errno::EINVAL)?.netfilter.is_none() {
            let seed = self.random_below(u64::MAX);
            if let Some(netns) = self.netns.get_mut(ns) {
                netns.netfilter = Some(Box::new(Netfilter::new(seed)));
            }
        }
        self.netns.get_mut(ns).and_then(|netns| netns.netfilter.as_deref_mut()).ok_or(Errno::EINVAL)
    }

    /// A table; one that was not in use is now (`xt_find_table_lock`).
    fn table_in_use(&mut self, ns: NsId, family: Family, kind: TableKind) -> Result<&Rules, Errno> {
        let now = self.now;
        let netfilter = self.netfilter_of(ns)?;
        let Netfilter { tables, order, numbers, .. } = netfilter;
        let place = &mut tables[family as usize][kind as usize];
        if place.is_none() {
            let rules = Rules::new(family, Table::empty(kind), None, numbers, now)?;
            *place = Some(Box::new(rules));
            order[family as usize].insert(0, kind);
        }
        place.as_deref().ok_or(Errno::ENOENT)
    }

    /// `do_replace`
    fn replace_table(&mut self, ns: NsId, family: Family, table: Table) -> Result<(), Errno> {
        let now = self.now;
        let kind = table.kind;
        // `physdev_mt_check` asks for the module.
        let mut matches = table.chains.iter().flat_map(|chain| &chain.rules).flat_map(|rule| &rule.matches);
        let physdev = matches.clone().any(|found| matches!(found, Match::PhysDev(_)));
        // `connbytes_mt_check` has connections counted.
        let counted = matches.any(|found| matches!(found, Match::ConnBytes(_)));
        self.table_in_use(ns, family, kind)?;
        let netfilter = self.netfilter_of(ns)?;
        let Netfilter { tables, numbers, tables_track, sets, stores, .. } = netfilter;
        // `set_match_v4_checkentry`
        let known = |rule: &Rule| {
            let matches = rule.matches.iter().filter_map(|found| match found {
                Match::Set(wanted) => Some(&wanted.sides.set),
                _ => None,
            });
            let change = if let Target::Set(change) = &rule.target { Some(change) } else { None };
            let changed = change.into_iter().flat_map(|change| change.add.iter().chain(&change.delete));
            matches.chain(changed.map(|sides| &sides.set)).all(|name| sets.contains(name))
        };
        if !table.chains.iter().flat_map(|chain| &chain.rules).all(known) {
            return Err(Errno::ENOENT);
        }
        let of_family = &mut tables[family as usize];
        let rules = Rules::new(family, table, of_family[kind as usize].as_deref(), numbers, now)?;
        of_family[kind as usize] = Some(Box::new(rules));
        tables_track[family as usize] = of_family.iter().flatten().any(|rules| rules.needs_tracking());
        let families = [Family::Ipv4, Family::Ipv6].into_iter().zip(tables.iter());
        let all =
            families.flat_map(|(family, tables)| tables.iter().flatten().map(move |rules| (family, rules)));
        stores.settle(all.flat_map(|(family, rules)| rules.matches().map(move |found| (family, found))));
        netfilter.renew_tracking();
        if counted && let Some(netns) = self.netns.get_mut(ns) {
            netns.sysctl.conntrack.acct = true;
        }
        if physdev && let Some(host) = self.netns.get(ns).map(|netns| netns.host) {
            self.set_bridge_netfilter(host, true);
        }
        self.changed();
        Ok(())
    }

    /// The lists of `-m recent` of a namespace.
    pub(crate) fn recent_lists(&self, ns: NsId) -> Vec<String> {
        let netfilter = self.netns.get(ns).and_then(|netns| netns.netfilter.as_ref());
        netfilter.map(|netfilter| netfilter.stores.recent_names()).unwrap_or_default()
    }

    /// One of them as text.
    pub(crate) fn recent_list(&self, ns: NsId, name: &str) -> Option<String> {
        self.netns.get(ns)?.netfilter.as_ref()?.stores.recent_text(name)
    }

    /// Changes one of them.
    ///
    /// # Errors
    /// As [`Stores::write_recent`](super::state::Stores::write_recent).
    pub(crate) fn write_recent_list(&mut self, ns: NsId, name: &str, data: &[u8]) -> Result<(), Errno> {
        let now = self.now;
        let text = std::str::from_utf8(data).map_err(|_| Errno::EINVAL)?;
        self.netfilter_of(ns).map_err(|_| Errno::ENOENT)?.stores.write_recent(name, text, now)
    }
}
