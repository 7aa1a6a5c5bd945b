//! Capture files, the pcap-filter language and tcpdump's text.
//!
//! Nothing here opens a file or reads a clock: [`pcap`] works on readers and writers that are passed in,
//! [`filter`] and [`text`] on byte slices.

mod names;
mod services;

pub mod filter;
pub mod pcap;
pub mod text;

/// What a captured packet starts with (`LINKTYPE_*` of the tcpdump group's list).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkType(pub u16);

impl LinkType {
    pub const ETHERNET: LinkType = LinkType(1);
    pub const LINUX_SLL: LinkType = LinkType(113);
    pub const LINUX_SLL2: LinkType = LinkType(276);

    /// libpcap's name, as `link-type EN10MB` has it.
    pub fn name(self) -> Option<&'static str> {
        match self {
            LinkType::ETHERNET => Some("EN10MB"),
            LinkType::LINUX_SLL => Some("LINUX_SLL"),
            LinkType::LINUX_SLL2 => Some("LINUX_SLL2"),
            _ => None,
        }
    }

    /// libpcap's description, as `(Ethernet)` has it.
    pub fn description(self) -> Option<&'static str> {
        match self {
            LinkType::ETHERNET => Some("Ethernet"),
            LinkType::LINUX_SLL => Some("Linux cooked v1"),
            LinkType::LINUX_SLL2 => Some("Linux cooked v2"),
            _ => None,
        }
    }
}

/// A packet of a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Nanoseconds since 1970.
    pub time_ns: u64,
    /// Length on the wire; `data` may be shorter.
    pub length: u32,
    pub data: Vec<u8>,
}
