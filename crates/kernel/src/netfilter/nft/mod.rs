//! nftables (nf_tables_core.c): base chains at hooks by priority, and the machine that interprets rules.
//!
//! [`load`] reads what an expression gives, [`run`] walks chains and performs statements, [`check`] is what may stand
//! where. Connections and their translation are those that `iptables` has.

mod check;
mod load;
mod run;

use hairpin_netlink::Errno;
use hairpin_netlink::netfilter::Hook;
use hairpin_netlink::netfilter::nft::{ChainKind, Family, Ruleset};
use rustc_hash::FxHashMap;

pub(super) use run::Ended;

/// The rules of a namespace.
#[derive(Clone, Debug, Default)]
pub(super) struct Nft {
    pub ruleset: Ruleset,
    /// Of each table, where its chains and sets are.
    places: Vec<Places>,
    /// The base chains by family of packets (IPv4, IPv6) and hook, in the order in which packets meet them.
    chains: [[Vec<Based>; 5]; 2],
    /// Those that translate.
    nat: [[Vec<Based>; 5]; 2],
    /// By family: something asks for connections.
    pub tracking: [bool; 2],
}

#[derive(Clone, Debug, Default)]
struct Places {
    chains: FxHashMap<String, usize>,
    sets: FxHashMap<String, usize>,
    counters: FxHashMap<String, usize>,
}

/// A base chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Based {
    pub priority: i32,
    pub table: usize,
    pub chain: usize,
}

impl Nft {
    /// Checks a ruleset and makes it ready.
    ///
    /// # Errors
    /// See [`hairpin_netlink::netfilter::nft::NftCall::Replace`].
    pub fn new(ruleset: Ruleset) -> Result<Nft, Errno> {
        check::ruleset(&ruleset)?;
        let mut nft = Nft { ruleset, ..Nft::default() };
        for (at, table) in nft.ruleset.tables.iter().enumerate() {
            nft.places.push(Places {
                chains: table.chains.iter().enumerate().map(|(at, chain)| (chain.name.clone(), at)).collect(),
                sets: table.sets.iter().enumerate().map(|(at, set)| (set.name.clone(), at)).collect(),
                counters: table.counters.iter().enumerate().map(|(at, c)| (c.name.clone(), at)).collect(),
            });
            if table.dormant {
                continue;
            }
            let families: &[usize] = match table.family {
                Family::Ip => &[0],
                Family::Ip6 => &[1],
                Family::Inet => &[0, 1],
            };
            let tracks = check::tracks(table);
            for (place, chain) in table.chains.iter().enumerate() {
                let Some(base) = chain.base else { continue };
                let based = Based { priority: base.priority, table: at, chain: place };
                for family in families {
                    let hooks = if base.kind == ChainKind::Nat { &mut nft.nat } else { &mut nft.chains };
                    hooks[*family][base.hook as usize].push(based);
                }
            }
            for family in families {
                nft.tracking[*family] |= tracks;
            }
        }
        for hooks in nft.chains.iter_mut().chain(&mut nft.nat).flatten() {
            // Of equal priority the newest comes first (`nf_hook_entries_grow`).
            hooks.reverse();
            hooks.sort_by_key(|based| based.priority);
        }
        Ok(nft)
    }

    /// The base chains at a hook, those that translate apart.
    pub fn at(&self, family: usize, hook: Hook) -> &[Based] {
        self.chains[family & 1].get(hook as usize).map_or(&[], Vec::as_slice)
    }

    pub fn nat_at(&self, family: usize, hook: Hook) -> &[Based] {
        self.nat[family & 1].get(hook as usize).map_or(&[], Vec::as_slice)
    }

    pub fn translates(&self, family: usize) -> bool {
        self.nat[family & 1].iter().any(|chains| !chains.is_empty())
    }
}
