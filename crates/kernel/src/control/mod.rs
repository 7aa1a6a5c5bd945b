//! What a change of configuration entails: the kernel's side of registering devices, setting them up and down,
//! moving them, and of every notifier that listens.
//!
//! * [`register`] devices come and move between namespaces; [`unregister`] they go
//! * [`state`] up, down, carrier, operational state
//! * [`lists`] promiscuity and group addresses
//! * [`address`] MAC and MTU
//! * [`master`] bridges and their ports
//! * [`modules`] what a machine's kernel has loaded
//! * [`ipvlan`] ipvlans on their lower device
//! * [`macsec`] MACsec devices on their lower device
//! * [`nexthop`] next hops with ids of their own
//! * [`tun`] devices of tun
//! * [`vrf`] VRFs and their ports
//! * [`vxlan`] sockets, groups and timers of vxlan devices
//! * [`namespace`] namespaces and their names
//! * [`advertise`] what a router of a world says over IPv6
//! * [`inet`] IPv4 addresses; [`inet6`] IPv6 addresses, [`dad`] whether they are free,
//!   [`autoconf`] what routers tell, [`tunnel_address`] what tunnels make of IPv4 addresses

mod address;
pub mod advertise;
mod autoconf;
pub(crate) mod bond;
mod dad;
mod inet;
mod inet6;
mod ipoib;
mod ipvlan;
pub(crate) mod link_watch;
mod lists;
mod macsec;
mod master;
mod modules;
pub(crate) mod namespace;
mod netdevsim;
mod nexthop;
mod notify;
mod offload;
pub(crate) mod register;
pub(crate) mod settings;
mod state;
pub(crate) mod team;
pub(crate) mod temporary;
mod tun;
mod tunnel_address;
mod unregister;
mod vrf;
mod vxlan;
mod wiring;

pub(crate) use inet::AddressRequest;
pub(crate) use register::NewDevice;
pub(crate) use state::{DEFAULT_QDISC, QDISCS};
