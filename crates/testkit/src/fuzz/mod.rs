//! The bodies of the fuzz targets: each takes any bytes and must return.
//!
//! `fuzz/` at the root of the project feeds them from libFuzzer; the test of this crate feeds them seeded random
//! inputs ([`inputs`]) on a stable compiler, and everything that has ever crashed one (`crashers/TARGET/`).
//!
//! * [`actions`] frames, netlink, time and system calls in any order
//! * [`dissect`] tcpdump's text of any bytes
//! * [`filter`] a filter expression and a frame
//! * [`frames`] frames into every device of a world
//! * [`netlink`] rtnetlink requests
//! * [`pcap`] capture files
//! * [`world`] world files
//! * [`arena`] the world that frames and requests act on
//! * [`inputs`] seeds, and how they are damaged

pub mod actions;
pub mod arena;
/// Builders for the packets of `hairpin-capture`'s own tests.
#[path = "../../../capture/tests/common/build.rs"]
#[allow(dead_code)]
mod build;
mod bytes;
pub mod dissect;
pub mod filter;
pub mod frames;
pub mod inputs;
pub mod netlink;
/// One packet of every protocol that the dissector knows.
#[path = "../../../capture/tests/common/packets/mod.rs"]
#[allow(dead_code)]
mod packets;
pub mod pcap;
mod samples;
pub mod world;

/// A fuzz target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    pub name: &'static str,
    pub run: fn(&[u8]),
    /// Inputs that reach deep, from which others are made.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// How much one input costs compared with the cheapest target's: it gets so many fewer of them.
    pub cost: u32,
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target { name: "actions", run: actions::run, seeds: actions::seeds, cost: 40 },
    Target { name: "dissect", run: dissect::run, seeds: dissect::seeds, cost: 1 },
    Target { name: "filter", run: filter::run, seeds: filter::seeds, cost: 1 },
    Target { name: "frames", run: frames::run, seeds: frames::seeds, cost: 100 },
    Target { name: "netlink", run: netlink::run, seeds: netlink::seeds, cost: 40 },
    Target { name: "pcap", run: pcap::run, seeds: pcap::seeds, cost: 1 },
    Target { name: "world", run: world::run, seeds: world::seeds, cost: 2 },
];
