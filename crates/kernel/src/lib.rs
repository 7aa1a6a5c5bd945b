//! The emulated Linux networking kernel: no IO, no clock, no threads.

pub mod route;
pub mod rtnl;
