//! IPv4 routing of one namespace, as Linux 6.1 does it. Pure: devices and addresses are asked for through
//! [`Links`], and every change returns what Linux would announce.
//!
//! * [`model`] what a route is: prefix, type, scope, metrics, ways out
//! * [`links`] what routing asks of devices
//! * [`fib`] the tables and rules of a namespace: [`Fib`]
//! * [`table`] adding and deleting routes
//! * [`nexthop`] what makes a route valid
//! * [`object`] next hops with ids of their own
//! * [`trie`] prefixes to routes
//! * [`rules`] which table answers for which packet
//! * [`lookup`] from a packet to a route; [`multipath`] sharing flows among ways out
//! * [`output`] the route of a packet of this host; [`input`] of one that arrived
//! * [`source`] choosing a source address
//! * [`address`] the routes of addresses; [`events`] devices that come and go
//! * [`proc_text`] `/proc/net/route`, [`trie_text`] `/proc/net/fib_trie` and `fib_triestat`

mod address;
mod events;
mod fib;
mod input;
mod links;
mod lookup;
pub mod model;
mod multipath;
mod nexthop;
pub mod object;
mod output;
mod proc_text;
pub mod rules;
mod source;
mod table;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod trie;
mod trie_text;

pub use fib::Fib;
pub use input::{Input, InputError};
pub use links::{
    InterfaceAddress, Ipv4Settings, LOOPBACK_IFINDEX, LinkState, Links, Vrf, device_with_address,
};
pub use lookup::{FibResult, Flow, LookupError, WayId};
pub use model::{Metrics, NextHop, Prefix, Route, RouteKind, Scope};
pub use multipath::multipath_hash;
pub(crate) use nexthop::convert_metrics;
pub use nexthop::{MetricSpec, NextHopSpec, RouteSpec};
pub use output::Output;
pub use proc_text::proc_net_route;
pub use rules::{Action, Facts, IpPrefix, Rule, RuleChange, RuleDevice, Ruled};
pub use source::{route_source, select_source};
pub use table::{InsertMode, RouteChange};
pub use trie_text::{proc_net_fib_trie, proc_net_fib_triestat};
