//! Netfilter's configuration as plain data: tables, chains, rules ([`rule`]), tracked connections
//! ([`conntrack`]) and sets ([`ipset`]), and the rules of nftables ([`nft`]).
//!
//! A front end reads a table whole, changes it and puts it back, as `iptables` does with
//! `IPT_SO_SET_REPLACE`. On Linux the exchange form is the text of `iptables-save`.

pub mod conntrack;
pub mod counting;
pub mod headers;
pub mod ipset;
pub mod matches;
pub mod nft;
pub mod rule;
pub mod targets;

use serde::{Deserialize, Serialize};

pub use matches::Match;
pub use rule::{Chain, Counters, Family, Header, Hook, Interface, Network, Policy, Rule, Table, TableKind};
pub use targets::Target;

/// What a program may ask of netfilter, in the task's namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NetfilterCall {
    /// The tables that are in use, newest first (`/proc/net/ip_tables_names`); answered with
    /// [`NetfilterReply::Tables`].
    Tables(Family),
    /// One table; asking for it puts it to use. `ENOENT` where the kernel has no such table. Answered with
    /// [`NetfilterReply::Table`].
    Table { family: Family, kind: TableKind },
    /// Puts a table in the place of the one there. Rules with a number keep their counters. `EINVAL`: a match
    /// or target that may not stand there, `ELOOP`: a chain that leads back to itself, `ENOENT`: a jump into
    /// nothing.
    Replace { family: Family, table: Box<Table> },
    /// The tracked connections that have not expired, of one family or all. Answered with
    /// [`NetfilterReply::Connections`].
    Connections(Option<Family>),
    /// Forgets connections by number; those not there are no error.
    DeleteConnections(Vec<u64>),
    /// Changes a connection by its number; `ENOENT` where it is gone.
    UpdateConnection { number: u64, update: conntrack::Update },
    /// Makes a connection; `EEXIST` where another has one of its tuples.
    CreateConnection(Box<conntrack::Connection>),
    /// Counters of connection tracking (`IPCTNL_MSG_CT_GET_STATS_CPU`). Answered with
    /// [`NetfilterReply::Statistics`].
    Statistics,
    /// What `ipset` does.
    Sets(ipset::SetCall),
    /// What `nft` does.
    Nft(nft::NftCall),
}

/// The answer to a [`NetfilterCall`] that asks for something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NetfilterReply {
    Tables(Vec<TableKind>),
    Table(Box<Table>),
    Connections(Vec<conntrack::Connection>),
    Statistics(conntrack::Statistics),
    Sets(Vec<ipset::Set>),
    Ruleset(Box<nft::Ruleset>),
    /// Whether an element is in a set.
    Tested(bool),
}
