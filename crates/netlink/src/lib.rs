//! What a program may ask of a kernel, and what it gets: the contract between the front ends and the two
//! kernels (the emulated one and Linux).
//!
//! * [`sys`] the system calls: [`System`], [`Call`], [`Reply`]
//! * [`socket`] the sockets that they are about
//! * [`codec`] rtnetlink bytes, acknowledgements, extended-ack texts
//! * [`netfilter`] tables of rules, tracked connections
//! * [`sock_diag`] the sockets of a namespace
//! * [`bridge_port`] bridge port settings in `AF_BRIDGE` messages; [`bridge_vlan`] VLANs of bridges,
//!   [`bridge_mdb`] their multicast databases; [`macsec`] MACsec devices and their channels
//! * [`tc`] queueing disciplines
//! * [`nexthop`] next hops with ids of their own
//! * [`features`] what devices can do for the stack
//! * [`Errno`] error numbers and their texts
//! * [`route`] the typed messages of `netlink-packet-route`, re-exported: nobody else names that crate

pub mod bridge_mdb;
pub mod bridge_port;
pub mod bridge_vlan;
pub mod codec;
mod errno;
pub mod features;
pub mod macsec;
pub mod netconf;
pub mod netfilter;
pub mod nexthop;
mod shims;
pub mod sock_diag;
pub mod socket;
pub mod sys;
pub mod tc;
pub mod team;

pub use codec::{Answer, Failure, Header, transact};
pub use errno::Errno;
pub use netlink_packet_core as core;
pub use netlink_packet_route as route;
pub use netlink_packet_route::RouteNetlinkMessage as Message;
pub use shims::neighbour_cache_info;
pub use socket::{
    Address, ErrorOrigin, PacketType, PathMtuDiscovery, Received, SocketKind, SocketOption, SocketStatistics,
};
pub use sys::{Call, FIRST_NETNS, Fd, LogRecord, Now, Reply, System, TunDevice};
