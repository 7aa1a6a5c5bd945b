//! The emulated Linux networking kernel: deterministic, without IO, clock or threads.
//!
//! * [`World`] hosts, wires, virtual time
//! * [`dev`] what each kind of device does with a frame; [`path`] performs it
//! * [`neigh`] ARP, neighbour discovery and neighbour states; [`ip`] IPv4; [`ip6`] IPv6; [`tcp`] TCP; [`sock`]
//!   sockets
//! * [`netfilter`] rules, connection tracking, address translation
//! * [`route`] routing tables and rules; [`route6`] those of IPv6
//! * [`rtnl`] the netlink server, the only way to change the configuration; [`control`] what its changes entail
//! * [`task`] system calls; [`files`] what is under `/proc/sys/net`, `/proc/net` and `/sys/class/net`
//! * [`DropReason`], [`trace`] why packets die, and their way there

pub mod control;
pub mod dev;
pub mod device;
mod drop_reason;
pub mod files;
pub mod frame;
pub mod ip;
pub mod ip6;
mod klog;
mod links;
mod mac;
mod mac_list;
pub mod neigh;
pub mod netfilter;
pub mod netns;
pub mod path;
pub mod qdisc;
pub mod route;
pub mod route6;
pub mod rtnl;
pub mod segment;
pub mod sock;
mod summary;
pub mod sysctl;
pub mod task;
pub mod tcp;
mod time;
mod timer;
pub mod trace;
mod world;

pub use drop_reason::DropReason;
/// The release of Linux that the emulation follows.
pub const RELEASE: &str = "6.1.176";

pub use mac::Mac;
pub use netns::NsId;
pub use segment::SegmentKind;
pub use task::TaskId;
pub use time::{Time, set_ticks_a_second};
pub use world::World;
