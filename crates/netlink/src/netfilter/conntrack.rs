//! Tracked connections as `conntrack` and `/proc/net/nf_conntrack` show them.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Family;

/// Bits of a connection's status (`IPS_*`).
pub mod status {
    pub const EXPECTED: u32 = 1 << 0;
    pub const SEEN_REPLY: u32 = 1 << 1;
    pub const ASSURED: u32 = 1 << 2;
    pub const CONFIRMED: u32 = 1 << 3;
    pub const SRC_NAT: u32 = 1 << 4;
    pub const DST_NAT: u32 = 1 << 5;
    pub const SRC_NAT_DONE: u32 = 1 << 7;
    pub const DST_NAT_DONE: u32 = 1 << 8;
    pub const DYING: u32 = 1 << 9;
}

/// What identifies the packets of one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tuple {
    pub source: IpAddr,
    pub destination: IpAddr,
    pub protocol: u8,
    /// The source port; the id for ICMP.
    pub source_port: u16,
    /// The destination port; type and code for ICMP.
    pub destination_port: u16,
    /// Its zone, and that of its answers; 0 where none was given.
    pub zones: [u16; 2],
}

impl Tuple {
    /// ICMP's type and code.
    pub fn icmp(&self) -> (u8, u8) {
        let [kind, code] = self.destination_port.to_be_bytes();
        (kind, code)
    }
}

/// States of a TCP connection (`enum tcp_conntrack`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum TcpState {
    #[default]
    None = 0,
    SynSent,
    SynRecv,
    Established,
    FinWait,
    CloseWait,
    LastAck,
    TimeWait,
    Close,
    SynSent2,
}

impl TcpState {
    pub fn name(self) -> &'static str {
        match self {
            TcpState::None => "NONE",
            TcpState::SynSent => "SYN_SENT",
            TcpState::SynRecv => "SYN_RECV",
            TcpState::Established => "ESTABLISHED",
            TcpState::FinWait => "FIN_WAIT",
            TcpState::CloseWait => "CLOSE_WAIT",
            TcpState::LastAck => "LAST_ACK",
            TcpState::TimeWait => "TIME_WAIT",
            TcpState::Close => "CLOSE",
            TcpState::SynSent2 => "SYN_SENT2",
        }
    }
}

/// A connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    pub id: u64,
    pub family: Family,
    pub original: Tuple,
    /// What answers look like.
    pub reply: Tuple,
    /// Bits of [`status`].
    pub status: u32,
    /// Seconds until it expires.
    pub timeout_s: u32,
    pub mark: u32,
    pub tcp: Option<TcpState>,
    /// Packets and bytes of the original direction and of the reply, where they are counted.
    pub counters: Option<[(u64, u64); 2]>,
}

/// What happened to a connection (`enum nf_ct_event`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Change {
    New,
    Update,
    Destroy,
}

/// A change that a listener is told of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub change: Change,
    pub connection: Connection,
    /// A program has made it, not a packet or time: the netlink port that it asked from.
    pub by_program: Option<u32>,
    /// It is (also) about the mark.
    pub marked: bool,
}

/// What a program changes of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    pub timeout_s: Option<u32>,
    pub mark: Option<u32>,
    /// Bits of [`status`] to be set.
    pub status: u32,
    pub tcp: Option<TcpState>,
    /// Its packets and bytes are counted from the beginning again; listeners hear nothing of that.
    pub zero: bool,
}

/// Counters of connection tracking (`struct ip_conntrack_stat`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statistics {
    pub found: u32,
    pub invalid: u32,
    pub insert: u32,
    pub insert_failed: u32,
    pub drop: u32,
    pub early_drop: u32,
    pub error: u32,
    pub search_restart: u32,
    pub clash_resolve: u32,
    pub chaintoolong: u32,
    /// Connections now.
    pub entries: u32,
}
