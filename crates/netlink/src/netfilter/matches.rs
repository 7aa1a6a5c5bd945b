//! Matches: what a rule asks beyond the IP header.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::counting::{ConnBytes, ConnLimit, Ecn, HashLimit, Recent, Statistic, Text};

/// A range of ports, both ends in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports {
    pub low: u16,
    pub high: u16,
    pub invert: bool,
}

impl Ports {
    pub const ANY: Ports = Ports { low: 0, high: u16::MAX, invert: false };

    pub fn contain(&self, port: u16) -> bool {
        (self.low <= port && port <= self.high) != self.invert
    }
}

/// `-m tcp`: flags under a mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TcpFlags {
    pub mask: u8,
    pub set: u8,
    pub invert: bool,
}

/// States of a connection as `--ctstate` names them (`XT_CONNTRACK_STATE_*`).
pub mod state {
    pub const INVALID: u16 = 1 << 0;
    pub const ESTABLISHED: u16 = 1 << 1;
    pub const RELATED: u16 = 1 << 2;
    pub const NEW: u16 = 1 << 3;
    pub const SNAT: u16 = 1 << 6;
    pub const DNAT: u16 = 1 << 7;
    pub const UNTRACKED: u16 = 1 << 8;
}

/// Kinds of address (`XT_ADDRTYPE_*`).
pub mod address_type {
    pub const UNSPEC: u16 = 1 << 0;
    pub const UNICAST: u16 = 1 << 1;
    pub const LOCAL: u16 = 1 << 2;
    pub const BROADCAST: u16 = 1 << 3;
    pub const ANYCAST: u16 = 1 << 4;
    pub const MULTICAST: u16 = 1 << 5;
    pub const BLACKHOLE: u16 = 1 << 6;
    pub const UNREACHABLE: u16 = 1 << 7;
    pub const PROHIBIT: u16 = 1 << 8;
    pub const THROW: u16 = 1 << 9;
    pub const NAT: u16 = 1 << 10;
    pub const XRESOLVE: u16 = 1 << 11;
}

/// `-m conntrack`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conntrack {
    /// Bits of [`state`], and whether the state must be another.
    pub state: Option<(u16, bool)>,
    /// `IPS_*` bits (expected 1, seen reply 2, assured 4, confirmed 8); 0 is `NONE`.
    pub status: Option<(u32, bool)>,
    pub protocol: Option<(u8, bool)>,
    pub original_source: Option<super::Network>,
    pub original_destination: Option<super::Network>,
    pub reply_source: Option<super::Network>,
    pub reply_destination: Option<super::Network>,
    /// Ranges of ports, and whether it must be another: the original source and destination, those of the reply.
    pub ports: [Option<(u16, u16, bool)>; 4],
    /// Seconds until the connection expires.
    pub expires: Option<(u32, u32, bool)>,
    /// Packets of the reply direction; the original one otherwise.
    pub reply_direction: Option<bool>,
}

/// Which of a packet's two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    Source,
    Destination,
    Either,
}

/// How a number compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    Greater,
}

/// `-m physdev`: bridge ports that a bridged packet came in by and leaves by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhysDev {
    pub input: Option<super::Interface>,
    pub output: Option<super::Interface>,
    /// Whether it came in by a port, leaves by one, is bridged rather than routed: each wanted or not.
    pub is_in: Option<bool>,
    pub is_out: Option<bool>,
    pub is_bridged: Option<bool>,
}

/// `-m addrtype`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddrType {
    /// Bits of [`address_type`], and whether the kind must be another.
    pub source: Option<(u16, bool)>,
    pub destination: Option<(u16, bool)>,
    pub limit_input: bool,
    pub limit_output: bool,
}

/// `-m rpfilter`: whether answers would leave by the device that the packet came in by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RpFilter {
    /// By any device.
    pub loose: bool,
    /// The packet's mark counts in the lookup.
    pub mark: bool,
    /// Senders with an address of this host are fine.
    pub accept_local: bool,
    pub invert: bool,
}

/// `-m limit`: a token bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// The time between two packets, in ten-thousandths of a second (`XT_LIMIT_SCALE`).
    pub interval: u32,
    pub burst: u32,
}

/// What is done to the number at hand with the next one (`XT_U32_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WordsOp {
    And,
    Left,
    Right,
    /// It is where the next number is read from.
    At,
}

/// One test of `-m u32`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordsTest {
    /// The first number is an offset; its operation says nothing.
    pub location: Vec<(WordsOp, u32)>,
    /// Ranges, one of which the number must be in.
    pub values: Vec<(u32, u32)>,
}

/// `-m u32`: tests of numbers anywhere in a packet, all of which must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    pub tests: Vec<WordsTest>,
    pub invert: bool,
}

/// `-m time`: when a packet comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// Seconds since 1970, from and to.
    pub dates: (u32, u32),
    /// Seconds of the day, from and to; over midnight where it ends before it begins.
    pub daytime: (u32, u32),
    /// A bit for each day from Monday, which is 1, to Sunday.
    pub weekdays: u8,
    /// A bit for each day of the month, from 1.
    pub monthdays: u32,
    /// By the kernel's time zone, which is UTC here.
    pub local: bool,
    /// What is behind midnight belongs to the day before.
    pub contiguous: bool,
}

impl Clock {
    pub const ALL_WEEKDAYS: u8 = 0xfe;
    pub const ALL_MONTHDAYS: u32 = 0xffff_fffe;
}

/// A match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Match {
    /// `-m tcp`
    Tcp {
        source: Ports,
        destination: Ports,
        flags: Option<TcpFlags>,
        option: Option<(u8, bool)>,
    },
    /// `-m udp`
    Udp {
        source: Ports,
        destination: Ports,
    },
    /// `-m sctp`: its ports alone.
    Sctp {
        source: Ports,
        destination: Ports,
    },
    /// `-m icmp`, `-m icmp6`: a type (255 with ICMP: any) and a range of codes.
    Icmp {
        kind: u8,
        codes: (u8, u8),
        invert: bool,
    },
    Conntrack(Box<Conntrack>),
    /// `-m state`
    State {
        states: u16,
        invert: bool,
    },
    /// `-m multiport`
    Multiport {
        side: Side,
        ports: Vec<(u16, u16)>,
        invert: bool,
    },
    AddrType(AddrType),
    RpFilter(RpFilter),
    /// `-m mac`: the link-layer source.
    Mac {
        address: [u8; 6],
        invert: bool,
    },
    /// `-m mark`
    Mark {
        value: u32,
        mask: u32,
        invert: bool,
    },
    /// `-m connmark`
    ConnMark {
        value: u32,
        mask: u32,
        invert: bool,
    },
    Limit(Limit),
    Comment(String),
    /// `-m set`
    Set(Box<super::ipset::SetMatch>),
    /// Extension headers, and those of IPsec.
    Behind(Box<super::headers::Behind>),
    /// `-m iprange`: ranges of addresses, both ends in them.
    IpRange {
        source: Option<(IpAddr, IpAddr, bool)>,
        destination: Option<(IpAddr, IpAddr, bool)>,
    },
    PhysDev(Box<PhysDev>),
    /// `-m pkttype`: 0 unicast, 1 broadcast, 2 multicast.
    PktType {
        kind: u8,
        invert: bool,
    },
    /// `-m ttl`, `-m hl`
    Ttl {
        comparison: Comparison,
        value: u8,
    },
    /// `-m length`: of the IP packet.
    Length {
        low: u16,
        high: u16,
        invert: bool,
    },
    /// `-m owner`: ranges of user and group ids, and whether there is a socket.
    Owner {
        user: Option<(u32, u32, bool)>,
        group: Option<(u32, u32, bool)>,
        socket: Option<bool>,
        /// Any of the groups of the socket's owner.
        supplementary: bool,
    },
    Statistic(Statistic),
    ConnLimit(ConnLimit),
    ConnBytes(ConnBytes),
    Recent(Box<Recent>),
    HashLimit(Box<HashLimit>),
    /// `-m quota`: so many bytes, and no more.
    Quota {
        bytes: u64,
        invert: bool,
    },
    /// `-m tos`
    Tos {
        value: u8,
        mask: u8,
        invert: bool,
    },
    /// `-m dscp`
    Dscp {
        value: u8,
        invert: bool,
    },
    Ecn(Ecn),
    String(Box<Text>),
    Words(Box<Words>),
    Time(Clock),
    /// `-m tcpmss`: the option of a SYN.
    TcpMss {
        low: u16,
        high: u16,
        invert: bool,
    },
}
