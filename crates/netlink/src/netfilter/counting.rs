//! Matches that remember what they have seen.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// `-m statistic`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Statistic {
    /// With a probability in parts of 2³¹.
    Random { probability: u32, invert: bool },
    /// One of so many packets; the first one behind `packet` others.
    Nth { every: u32, packet: u32, invert: bool },
}

/// `-m connlimit`: connections at once of those whose address is alike in its first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnLimit {
    pub limit: u32,
    /// No more than the limit, rather than more.
    pub up_to: bool,
    pub prefix: u8,
    /// The destination's address rather than the source's.
    pub destination: bool,
}

/// What `-m connbytes` looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Counted {
    #[default]
    Packets,
    Bytes,
    /// Bytes a packet.
    Average,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    #[default]
    Original,
    Reply,
    Both,
}

/// `-m connbytes`: what a connection has carried so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnBytes {
    pub low: u64,
    pub high: u64,
    pub invert: bool,
    pub what: Counted,
    pub direction: Direction,
}

/// What `-m recent` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecentAction {
    Set,
    Check,
    Update,
    Remove,
}

/// `-m recent`: a list of addresses, and when they were seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recent {
    pub action: RecentAction,
    pub invert: bool,
    /// How long ago at most; 0: no matter.
    pub seconds: u32,
    /// How often at least; 0: once.
    pub hits: u32,
    /// Forgets what is older.
    pub reap: bool,
    /// With the same time to live.
    pub ttl: bool,
    pub name: String,
    pub mask: IpAddr,
    pub destination: bool,
}

/// What `-m hashlimit` counts apart (`XT_HASHLIMIT_HASH_*`).
pub mod hash_mode {
    pub const DESTINATION: u8 = 1;
    pub const DESTINATION_PORT: u8 = 2;
    pub const SOURCE: u8 = 4;
    pub const SOURCE_PORT: u8 = 8;
}

/// `-m hashlimit`: a token bucket for each address or port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HashLimit {
    pub name: String,
    /// The time between two packets, in millionths of a second; of a rate in bytes what 16 of them cost, in parts of what a
    /// second gives, 2³² of which there are.
    pub interval: u64,
    /// Packets at once; of a rate in bytes how often a full second's worth is given.
    pub burst: u64,
    /// The rate is in bytes.
    pub bytes: bool,
    /// What is above the rate matches.
    pub above: bool,
    /// Bits of [`hash_mode`].
    pub mode: u8,
    pub source_prefix: u8,
    pub destination_prefix: u8,
    pub size: u32,
    pub max: u32,
    /// Milliseconds.
    pub gc_interval: u32,
    /// Milliseconds after which an unused bucket is forgotten.
    pub expire: u32,
}

/// `-m ecn`: each with whether it must not be so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ecn {
    /// The two bits of the IP header.
    pub ip: Option<(u8, bool)>,
    /// TCP's flags CWR and ECE: whether each must be set.
    pub cwr: Option<bool>,
    pub ece: Option<bool>,
}

/// `-m string`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    pub pattern: Vec<u8>,
    pub algorithm: String,
    /// Where in the packet, from its IP header.
    pub from: u16,
    pub to: u16,
    pub ignore_case: bool,
    pub invert: bool,
}
