//! Everything real: the only crate that opens descriptors, sockets or clocks and starts processes.
//!
//! * [`linux`] the real kernel behind [`hairpin_netlink::System`]
//! * [`shell`] what surrounds a front end that is a process of its own
//! * [`multicall`] the front ends by the name they are called by
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod linux;
pub mod multicall;
pub mod shell;
pub mod signals;
