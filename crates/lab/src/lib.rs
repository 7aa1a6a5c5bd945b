//! Worlds: hosts, their NICs, and the segments that join them.
//!
//! A world file is YAML (`docs/worlds.md` is its reference). [`load`] reads one, and what it extends, into a
//! [`World`]; every complaint says file, line and column and how to mend it. [`plan`] turns a world into the
//! list of steps that builds it. Nothing here does IO: files come through a loader the caller passes.

mod builtin;
mod error;
mod load;
mod model;
mod name;
mod node;
mod plan;
mod read;
mod suggest;
mod syntax_help;
mod words;
mod yaml;

pub use builtin::{BUILT_IN, builtin};
pub use error::{Error, Errors, Position};
pub use load::{Loader, load, open, parse};
pub use model::{
    AddrGenMode, Address, Advertised, Answer, Bridge, Dns, DnsName, Host, LearnsFromIp, Nic, NicKind,
    Segment, SegmentKind, Sysctl, TextFile, World,
};
pub use plan::{Plan, Step, plan};
