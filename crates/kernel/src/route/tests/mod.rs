//! Tests of the routing core. `recorded/*.session` are sessions of the real `ip` on Linux 6.1; the same
//! commands must print the same here.

mod differential;
mod ip;
mod names;
mod order;
mod paths;
mod print;
mod random;
mod sessions;
mod speed;
pub(crate) mod world;
