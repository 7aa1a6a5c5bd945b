//! The rtnetlink server: one file a message family.
//!
//! * [`server`] one request and its answer
//! * [`link`] `RTM_NEWLINK` and its kin
//! * [`addr`] `RTM_NEWADDR` and its kin
//! * [`neigh`] `RTM_NEWNEIGH` and its kin of IPv4; [`fdb`] those of bridges, [`fdb_vxlan`] of vxlan
//! * [`mdb`] `RTM_NEWMDB` and its kin: multicast databases of bridges
//! * [`vlan`] `RTM_NEWVLAN` and its kin: VLANs of bridges, and their counters
//! * [`generic`] generic netlink; [`macsec`] its family for channels of MACsec devices
//! * [`netconf`] `RTM_GETNETCONF`: IP settings of devices
//! * [`nexthop`] `RTM_NEWNEXTHOP` and its kin: next hops with ids of their own
//! * [`nsid`] `RTM_NEWNSID`, `RTM_GETNSID`
//! * [`route`] `RTM_NEWROUTE`, `RTM_DELROUTE`, `RTM_GETROUTE` of IPv4; [`route6`] those of IPv6
//! * [`rule`] `RTM_NEWRULE`, `RTM_DELRULE`, `RTM_GETRULE` of IPv4

use hairpin_netlink::Message;

pub(crate) mod addr;
mod fdb;
mod fdb_vxlan;
mod generic;
pub(crate) mod link;
mod lwtunnel;
mod macsec;
mod mdb;
pub(crate) mod neigh;
mod netconf;
pub(crate) mod nexthop;
mod nsid;
mod ntable;
mod qdisc;
pub mod route;
pub(crate) mod route6;
pub mod rule;
pub(crate) mod server;
pub(crate) mod vlan;
mod vlan_tunnel;

/// The kinds of links that there are (`IFLA_INFO_KIND`), by name.
pub fn link_kinds() -> impl Iterator<Item = &'static str> {
    link::kind::names()
}

/// A message for everyone who listens (`ip monitor`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    pub message: Message,
    /// `NLM_F_*` of its header.
    pub flags: u16,
}

/// The answer to a dump request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dump {
    pub messages: Vec<Message>,
    /// Each message says that the dump was filtered here (`NLM_F_DUMP_FILTERED`).
    pub filtered: bool,
}
