//! Matches of IPv6's extension headers and of IPsec's (linux/netfilter_ipv6/ip6t_*.h, linux/netfilter/xt_esp.h).

use std::net::Ipv6Addr;

use serde::{Deserialize, Serialize};

/// A range of numbers, both ends in it, and whether it must be another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    pub low: u32,
    pub high: u32,
    pub invert: bool,
}

impl Default for Span {
    fn default() -> Span {
        Span { low: 0, high: u32::MAX, invert: false }
    }
}

impl Span {
    pub fn contains(&self, number: u32) -> bool {
        (self.low <= number && number <= self.high) != self.invert
    }

    /// Every number, as the kernel sees the range; an inverted one holds none then.
    pub fn is_whole(&self) -> bool {
        self.low == 0 && self.high == u32::MAX
    }
}

/// `-m frag`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fragment {
    pub id: Span,
    /// Kept, and never looked at.
    pub length: Option<(u32, bool)>,
    /// The reserved fields are zero.
    pub reserved: bool,
    pub first: bool,
    pub more: bool,
    pub last: bool,
}

/// `-m rt`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routing {
    pub kind: Option<(u32, bool)>,
    pub segments_left: Span,
    pub length: Option<(u32, bool)>,
    /// The reserved field of type 0 is zero.
    pub reserved: bool,
    /// Addresses of type 0, at most [`Routing::ADDRESSES_MAX`].
    pub addresses: Vec<Ipv6Addr>,
    /// Others may stand between them.
    pub not_strict: bool,
}

impl Routing {
    pub const ADDRESSES_MAX: usize = 16;
}

/// `-m ipv6header`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Headers {
    /// `MASK_*`: hop-by-hop 0x80, destination 0x40, routing 0x20, fragment 0x10, AH 0x08, ESP 0x04, none 0x02, a
    /// protocol 0x01.
    pub mask: u8,
    pub invert: bool,
    /// There may be others.
    pub soft: bool,
}

/// `-m hbh`, `-m dst`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// The hop-by-hop header; the destination options otherwise.
    pub hop_by_hop: bool,
    pub length: Option<(u32, bool)>,
    /// Kind and length of the options at its beginning, at most [`Options::MAX`]; the length 255 is any.
    pub options: Vec<(u8, u8)>,
}

impl Options {
    pub const MAX: usize = 16;
    pub const ANY_LENGTH: u8 = 255;
}

/// `-m ah`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authentication {
    pub spi: Span,
    /// Of IPv6 alone; 0 is any.
    pub length: (u32, bool),
    /// The reserved field is zero; IPv6 alone.
    pub reserved: bool,
}

/// What a rule asks of headers behind the IP header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Behind {
    Fragment(Fragment),
    Routing(Routing),
    Headers(Headers),
    Options(Options),
    /// A mobility header's type: from, to, another.
    Mobility(u8, u8, bool),
    /// The sender's address is made of its MAC.
    Eui64,
    Ah(Authentication),
    Esp(Span),
}
