//! What tests and fuzzers of several crates share.
//!
//! * [`agree`] scripts on a real kernel and in the emulation
//! * [`fuzz`] the bodies of the fuzz targets, as plain functions of bytes

pub mod agree;
pub mod fuzz;

pub use hairpin_kernel::rtnl::link_kinds;
