//! Everything real: the only crate that opens descriptors, sockets or clocks and starts processes.
//!
//! * [`emulated`] the emulated kernel, built from a world's file
//! * [`linux`] the real kernel behind [`hairpin_netlink::System`]
//! * [`session`] one process that owns an emulated world, and the programs in it
//! * `background` programs that run on by themselves
//! * [`shell`] what surrounds a front end that is a process of its own
//! * `view` what real programs of a session see in `/proc` and `/sys`
//! * [`multicall`] the front ends by the name they are called by
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod background;
pub mod emulated;
pub mod linux;
pub mod multicall;
pub mod session;
pub mod shell;
pub mod signals;
mod view;
