//! A table as the kernel keeps it: chains checked, jumps by number, counters beside the rules.

use hairpin_netlink::Errno;
use hairpin_netlink::netfilter::counting::RecentAction;
use hairpin_netlink::netfilter::headers::Behind;
use hairpin_netlink::netfilter::matches::address_type;
use hairpin_netlink::netfilter::targets::RejectWith;
use hairpin_netlink::netfilter::{
    Chain, Counters, Family, Hook, Match, Policy, Rule, Table, TableKind, Target,
};
use rustc_hash::FxHashMap;

use super::packet::protocol;
use super::state::{self, State};
use crate::time::Time;

/// Rules a table may have.
const RULES_MAX: usize = 1 << 20;
/// Hits that `-m recent` may ask for (`XT_RECENT_MAX_NSTAMPS`), and characters of its lists' names.
const RECENT_HITS_MAX: u32 = 255;

/// A table.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub kind: TableKind,
    pub chains: Vec<Chained>,
    /// The chain of each hook.
    pub entries: [Option<u32>; 5],
}

/// A chain.
#[derive(Clone, Debug)]
pub(super) struct Chained {
    pub name: String,
    pub builtin: Option<(Hook, Policy)>,
    pub id: u64,
    pub counters: Counters,
    pub rules: Vec<Armed>,
}

/// A rule, ready to be applied.
#[derive(Clone, Debug)]
pub(super) struct Armed {
    pub rule: Rule,
    pub action: Action,
    /// What its matches remember, in their order.
    pub states: Vec<State>,
}

/// What a rule's target does with the way through the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// No target.
    Continue,
    Accept,
    Drop,
    Return,
    Jump(u32),
    Goto(u32),
    /// The target itself says.
    Extension,
}

impl Rules {
    /// Checks a table and makes it ready. Rules and policies with a number keep what `old` counted for them;
    /// `numbers` gives out new ones.
    ///
    /// # Errors
    /// `EINVAL`: a match or target that may not stand there; `ELOOP`: a chain that leads back to itself;
    /// `ENOENT`: a jump into nothing.
    pub fn new(
        family: Family,
        table: Table,
        old: Option<&Rules>,
        numbers: &mut u64,
        now: Time,
    ) -> Result<Rules, Errno> {
        let kind = table.kind;
        if table.chains.iter().map(|chain| chain.rules.len()).sum::<usize>() > RULES_MAX {
            return Err(Errno::ENOMEM);
        }
        let mut places: FxHashMap<&str, u32> = FxHashMap::default();
        for (place, chain) in table.chains.iter().enumerate() {
            if places.insert(&chain.name, place as u32).is_some() {
                return Err(Errno::EEXIST);
            }
        }
        let builtin: Vec<Hook> =
            table.chains.iter().filter_map(|chain| chain.builtin.map(|(hook, _)| hook)).collect();
        if builtin != kind.hooks() {
            return Err(Errno::EINVAL);
        }
        let action = |target: &Target| -> Result<Action, Errno> {
            let place = |name: &str| {
                let place = places.get(name).copied().ok_or(Errno::ENOENT)?;
                let own = table.chains.get(place as usize).is_some_and(|chain| chain.builtin.is_none());
                if own { Ok(place) } else { Err(Errno::EINVAL) }
            };
            Ok(match target {
                Target::None => Action::Continue,
                Target::Accept => Action::Accept,
                Target::Drop => Action::Drop,
                Target::Return => Action::Return,
                Target::Jump(chain) => Action::Jump(place(chain)?),
                Target::Goto(chain) => Action::Goto(place(chain)?),
                _ => Action::Extension,
            })
        };
        let mut actions = Vec::new();
        for chain in &table.chains {
            let of_chain: Result<Vec<Action>, Errno> =
                chain.rules.iter().map(|rule| action(&rule.target)).collect();
            actions.push(of_chain?);
        }
        let hooks = reached(&table.chains, &actions)?;
        for (chain, hooks) in table.chains.iter().zip(&hooks) {
            for rule in &chain.rules {
                check(family, kind, *hooks, rule)?;
            }
        }
        let counted = old.map(Counted::of).unwrap_or_default();
        let mut entries = [None; 5];
        let mut chains = Vec::with_capacity(table.chains.len());
        for (place, (chain, actions)) in table.chains.into_iter().zip(actions).enumerate() {
            if let Some((hook, _)) = chain.builtin {
                entries[hook as usize] = Some(place as u32);
            }
            let mut arm = |(mut rule, action): (Rule, Action)| {
                let kept = counted.rules.get(&rule.id).filter(|_| rule.id != 0);
                // A limit begins anew with each replacement (`limit_mt_check`).
                let states = rule.matches.iter().filter_map(|found| State::of(found, now)).collect();
                if let Some(kept) = kept {
                    rule.counters = kept.rule.counters;
                } else {
                    *numbers += 1;
                    rule.id = *numbers;
                }
                Armed { rule, action, states }
            };
            let Chain { name, builtin, id, counters, rules } = chain;
            let rules = rules.into_iter().zip(actions).map(&mut arm).collect();
            let kept = counted.policies.get(&id).filter(|_| id != 0);
            let (id, counters) = match kept {
                Some(kept) => (id, *kept),
                None => {
                    *numbers += 1;
                    (*numbers, counters)
                }
            };
            chains.push(Chained { name, builtin, id, counters, rules });
        }
        Ok(Rules { kind, chains, entries })
    }

    /// The table as programs see it.
    pub fn dump(&self) -> Table {
        let chain = |chain: &Chained| Chain {
            name: chain.name.clone(),
            builtin: chain.builtin,
            id: chain.id,
            counters: chain.counters,
            rules: chain.rules.iter().map(|armed| armed.rule.clone()).collect(),
        };
        Table { kind: self.kind, chains: self.chains.iter().map(chain).collect() }
    }

    /// The matches of all its rules.
    pub fn matches(&self) -> impl Iterator<Item = &Match> {
        self.chains.iter().flat_map(|chain| &chain.rules).flat_map(|armed| &armed.rule.matches)
    }

    /// Whether a rule of it needs connections to be tracked.
    pub fn needs_tracking(&self) -> bool {
        self.chains.iter().flat_map(|chain| &chain.rules).any(|armed| needs_tracking(&armed.rule))
    }
}

/// What the rules of a table have counted, by their numbers.
#[derive(Default)]
struct Counted<'a> {
    rules: FxHashMap<u64, &'a Armed>,
    policies: FxHashMap<u64, Counters>,
}

impl<'a> Counted<'a> {
    fn of(old: &'a Rules) -> Counted<'a> {
        let rules = old.chains.iter().flat_map(|chain| &chain.rules);
        Counted {
            rules: rules.map(|armed| (armed.rule.id, armed)).collect(),
            policies: old.chains.iter().map(|chain| (chain.id, chain.counters)).collect(),
        }
    }
}

/// Matches and targets whose module holds connection tracking (`nf_ct_netns_get`).
fn needs_tracking(rule: &Rule) -> bool {
    let matched = |found: &Match| {
        matches!(
            found,
            Match::Conntrack(_)
                | Match::State { .. }
                | Match::ConnMark { .. }
                | Match::ConnLimit(_)
                | Match::ConnBytes(_)
        )
    };
    rule.matches.iter().any(matched)
        || matches!(
            rule.target,
            Target::Snat(_)
                | Target::Dnat(_)
                | Target::Masquerade(_)
                | Target::Redirect(_)
                | Target::Netmap { .. }
                | Target::ConnMark(_)
                | Target::Track { .. }
        )
}

/// `mark_source_chains`: the hooks (as bits) that each chain is reached from.
fn reached(chains: &[Chain], actions: &[Vec<Action>]) -> Result<Vec<u8>, Errno> {
    let mut hooks = vec![0u8; chains.len()];
    for (place, chain) in chains.iter().enumerate() {
        let Some((hook, _)) = chain.builtin else { continue };
        // A walk in depth: (chain, rule to look at next), and which chains are on the way down to here.
        let mut way = vec![(place, 0usize)];
        let mut on_way = vec![false; chains.len()];
        on_way[place] = true;
        hooks[place] |= 1 << hook as u8;
        while let Some((at, next)) = way.last_mut() {
            let Some(action) = actions.get(*at).and_then(|actions| actions.get(*next)) else {
                on_way[*at] = false;
                way.pop();
                continue;
            };
            *next += 1;
            let (Action::Jump(to) | Action::Goto(to)) = *action else { continue };
            let to = to as usize;
            if on_way.get(to).copied().unwrap_or(true) {
                return Err(Errno::ELOOP);
            }
            // A chain seen before from this hook leads nowhere new.
            if hooks[to] & 1 << hook as u8 != 0 {
                continue;
            }
            hooks[to] |= 1 << hook as u8;
            on_way[to] = true;
            way.push((to, 0));
        }
    }
    Ok(hooks)
}

/// `xt_check_match`, `xt_check_target`: tables and hooks in which things may stand, and what else they need.
fn check(family: Family, table: TableKind, hooks: u8, rule: &Rule) -> Result<(), Errno> {
    const fn bits(hooks: &[Hook]) -> u8 {
        let (mut bits, mut i) = (0, 0);
        while i < hooks.len() {
            bits |= 1 << hooks[i] as u8;
            i += 1;
        }
        bits
    }
    const EVERY: u8 = 0x1f;
    const EDGES_IN: u8 = bits(&[Hook::Prerouting, Hook::Input, Hook::Forward]);
    const OWN_OUT: u8 = bits(&[Hook::Output, Hook::Postrouting]);
    let header_protocol = rule.header.protocol.filter(|(_, invert)| !invert).map(|(number, _)| number);
    for found in &rule.matches {
        let (wanted, allowed) = match found {
            Match::Tcp { .. } => (Some(protocol::TCP), EVERY),
            Match::Udp { .. } => (Some(protocol::UDP), EVERY),
            Match::Sctp { .. } => (Some(protocol::SCTP), EVERY),
            Match::Icmp { .. } => {
                let number = if family == Family::Ipv4 { protocol::ICMP } else { protocol::ICMPV6 };
                (Some(number), EVERY)
            }
            Match::Behind(found) => match **found {
                Behind::Mobility(..) => (Some(protocol::MOBILITY), EVERY),
                Behind::Esp(_) => (Some(protocol::ESP), EVERY),
                Behind::Ah(_) if family == Family::Ipv4 => (Some(protocol::AH), EVERY),
                Behind::Eui64 => (None, EDGES_IN),
                _ => (None, EVERY),
            },
            Match::Mac { .. } => (None, EDGES_IN),
            // `rpfilter_check`: in raw and mangle alone.
            Match::RpFilter(_) if !matches!(table, TableKind::Raw | TableKind::Mangle) => {
                return Err(Errno::EINVAL);
            }
            Match::RpFilter(_) => (None, bits(&[Hook::Prerouting])),
            Match::Owner { .. } => (None, OWN_OUT),
            Match::AddrType(asked) if asked.limit_input => (None, !OWN_OUT),
            Match::AddrType(asked) if asked.limit_output => (None, !EDGES_IN | bits(&[Hook::Forward])),
            Match::TcpMss { .. } => (Some(protocol::TCP), EVERY),
            Match::Ecn(asked) if asked.cwr.is_some() || asked.ece.is_some() => (Some(protocol::TCP), EVERY),
            // "--physdev-out and --physdev-is-out only supported in the FORWARD and POSTROUTING chains".
            Match::PhysDev(asked)
                if (asked.output.is_some() || asked.is_out.is_some()) && asked.is_bridged != Some(true) =>
            {
                (None, EVERY & !bits(&[Hook::Output]))
            }
            _ => (None, EVERY),
        };
        if wanted.is_some_and(|wanted| header_protocol != Some(wanted)) || hooks & !allowed != 0 {
            return Err(Errno::EINVAL);
        }
        check_match(family, found)?;
    }
    use TableKind::{Filter, Mangle, Nat, Raw};
    let (only, allowed): (Option<TableKind>, u8) = match &rule.target {
        Target::Reject(_) => (Some(Filter), bits(&[Hook::Input, Hook::Forward, Hook::Output])),
        Target::Snat(_) => (Some(Nat), bits(&[Hook::Postrouting, Hook::Input])),
        Target::Dnat(_) | Target::Redirect(_) => (Some(Nat), bits(&[Hook::Prerouting, Hook::Output])),
        Target::Masquerade(_) => (Some(Nat), bits(&[Hook::Postrouting])),
        Target::Netmap { .. } => {
            (Some(Nat), bits(&[Hook::Prerouting, Hook::Output, Hook::Postrouting, Hook::Input]))
        }
        Target::NoTrack { .. } | Target::Track { .. } | Target::Trace => (Some(Raw), EVERY),
        Target::Ttl { .. } | Target::Tos { .. } | Target::Checksum => (Some(Mangle), EVERY),
        Target::Classify(_) => (Some(Mangle), bits(&[Hook::Forward, Hook::Output, Hook::Postrouting])),
        Target::TcpMss(None) => (None, bits(&[Hook::Forward, Hook::Output, Hook::Postrouting])),
        _ => (None, EVERY),
    };
    if only.is_some_and(|only| only != table) || hooks & !allowed != 0 {
        return Err(Errno::EINVAL);
    }
    match &rule.target {
        Target::Reject(RejectWith::TcpReset) if header_protocol != Some(protocol::TCP) => Err(Errno::EINVAL),
        // `xt_ct_set_helper`: there is none.
        Target::Track { helper: Some(_), .. } => Err(Errno::EINVAL),
        // "Only works on TCP SYN packets."
        Target::TcpMss(_) if !rule.matches.iter().any(asks_for_syn) => Err(Errno::EINVAL),
        _ => Ok(()),
    }
}

/// What a match's own `checkentry` refuses.
fn check_match(family: Family, found: &Match) -> Result<(), Errno> {
    let fits = match found {
        Match::Limit(limit) if !state::limit_fits(limit) => return Err(Errno::ERANGE),
        // `recent_mt_check`
        Match::Recent(wanted) => {
            let window = wanted.seconds != 0 || wanted.hits != 0 || wanted.reap;
            let plain = matches!(wanted.action, RecentAction::Set | RecentAction::Remove);
            let named = !wanted.name.is_empty() && !wanted.name.contains('/');
            named && wanted.hits <= RECENT_HITS_MAX && !(plain && window)
        }
        // `hashlimit_mt_check_common`
        Match::HashLimit(wanted) => {
            let longest = if family == Family::Ipv4 { 32 } else { 128 };
            (!wanted.bytes || super::state::byte_cost(wanted.interval) != 0)
                && wanted.gc_interval != 0
                && wanted.expire != 0
                && wanted.source_prefix <= longest
                && wanted.destination_prefix <= longest
                && !wanted.name.contains('/')
        }
        // `time_mt_check`
        Match::Time(wanted) => !(wanted.contiguous && wanted.daytime.0 < wanted.daytime.1),
        // `string_mt_check`
        Match::String(wanted) => {
            if !matches!(wanted.algorithm.as_str(), "bm" | "kmp" | "fsm") {
                return Err(Errno::ENOENT);
            }
            wanted.from <= wanted.to && !wanted.pattern.is_empty()
        }
        // `addrtype_mt_checkentry_v1`
        Match::AddrType(wanted) if family == Family::Ipv6 => {
            let kinds =
                [wanted.source, wanted.destination].iter().flatten().fold(0, |all, (kind, _)| all | kind);
            kinds & address_type::BLACKHOLE == 0
                && kinds < address_type::PROHIBIT
                && kinds & address_type::BROADCAST == 0
        }
        _ => true,
    };
    if fits { Ok(()) } else { Err(Errno::EINVAL) }
}

fn asks_for_syn(found: &Match) -> bool {
    const SYN: u8 = 2;
    matches!(found, Match::Tcp { flags: Some(flags), .. } if flags.set & SYN != 0 && !flags.invert)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(name: &str, targets: &[Target]) -> Chain {
        let rule = |target: &Target| Rule { target: target.clone(), ..Rule::default() };
        let rules = targets.iter().map(rule).collect();
        Chain { name: name.to_owned(), builtin: None, id: 0, counters: Counters::default(), rules }
    }

    fn jump(to: &str) -> Target {
        Target::Jump(to.to_owned())
    }

    fn made(kind: TableKind, input: &[Target], others: Vec<Chain>) -> Result<Rules, Errno> {
        let mut table = Table::empty(kind);
        if let Some(first) = table.chain_mut("INPUT") {
            first.rules = chain("INPUT", input).rules;
        }
        table.chains.extend(others);
        Rules::new(Family::Ipv4, table, None, &mut 0, Time::ZERO)
    }

    #[test]
    fn chains_may_not_lead_back() {
        let around = vec![chain("a", &[jump("b")]), chain("b", &[jump("a")])];
        assert_eq!(made(TableKind::Filter, &[jump("a")], around).err(), Some(Errno::ELOOP));
        // Two ways to one chain are no loop.
        let diamond = vec![chain("a", &[jump("c")]), chain("b", &[jump("c")]), chain("c", &[])];
        assert!(made(TableKind::Filter, &[jump("a"), jump("b"), jump("c")], diamond).is_ok());
        // A loop that no hook leads to does no harm.
        assert!(made(TableKind::Filter, &[], vec![chain("a", &[jump("a")])]).is_ok());
    }

    #[test]
    fn targets_have_their_tables_and_hooks() {
        let reject = Target::Reject(RejectWith::PortUnreachable);
        assert!(made(TableKind::Filter, std::slice::from_ref(&reject), vec![]).is_ok());
        assert_eq!(made(TableKind::Mangle, &[reject], vec![]).err(), Some(Errno::EINVAL));
        let masquerade = Target::Masquerade(Default::default());
        assert_eq!(
            made(TableKind::Nat, std::slice::from_ref(&masquerade), vec![]).err(),
            Some(Errno::EINVAL)
        );
        // In a chain of the user it counts from where the chain is reached.
        let indirect = vec![chain("a", &[masquerade])];
        assert_eq!(made(TableKind::Nat, &[jump("a")], indirect.clone()).err(), Some(Errno::EINVAL));
        assert!(made(TableKind::Nat, &[], indirect).is_ok());
        assert_eq!(made(TableKind::Filter, &[jump("nope")], vec![]).err(), Some(Errno::ENOENT));
    }

    #[test]
    fn counters_stay_with_their_rules() {
        let mut first = made(TableKind::Filter, &[Target::Accept, Target::Drop], vec![]).expect("a table");
        first.chains[0].rules[1].rule.counters.packets = 7;
        first.chains[0].counters.packets = 9;
        let mut table = first.dump();
        table.chains[0].rules.remove(0);
        table.chains[0].rules.push(Rule::default());
        let mut numbers = 100;
        let second =
            Rules::new(Family::Ipv4, table, Some(&first), &mut numbers, Time::ZERO).expect("a table");
        let counted: Vec<u64> =
            second.chains[0].rules.iter().map(|armed| armed.rule.counters.packets).collect();
        assert_eq!((counted, second.chains[0].counters.packets), (vec![7, 0], 9));
    }
}
