//! Packets as bytes.
//!
//! [`smoltcp`]'s wire layer is re-exported; beside it stands one file a protocol for what it lacks.

pub mod bpdu;
pub mod dns;
pub mod lacp;
pub mod macsec;
pub mod snoop;
pub mod vlan;
pub mod zone;

pub use smoltcp::wire as smol;
