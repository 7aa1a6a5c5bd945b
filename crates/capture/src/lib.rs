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
    /// IPv4 or IPv6, nothing before it.
    pub const RAW: LinkType = LinkType(101);
    pub const LINUX_SLL: LinkType = LinkType(113);
    /// `struct can_frame` or `canfd_frame`.
    pub const CAN_SOCKETCAN: LinkType = LinkType(227);
    /// Netlink messages behind a header as of [`LinkType::LINUX_SLL`].
    pub const NETLINK: LinkType = LinkType(253);
    pub const LINUX_SLL2: LinkType = LinkType(276);

    /// libpcap's name, as `link-type EN10MB` has it.
    pub fn name(self) -> Option<&'static str> {
        match self {
            LinkType::ETHERNET => Some("EN10MB"),
            LinkType::RAW => Some("RAW"),
            LinkType::LINUX_SLL => Some("LINUX_SLL"),
            LinkType::CAN_SOCKETCAN => Some("CAN_SOCKETCAN"),
            LinkType::NETLINK => Some("NETLINK"),
            LinkType::LINUX_SLL2 => Some("LINUX_SLL2"),
            _ => None,
        }
    }

    /// libpcap's description, as `(Ethernet)` has it.
    pub fn description(self) -> Option<&'static str> {
        match self {
            LinkType::ETHERNET => Some("Ethernet"),
            LinkType::RAW => Some("Raw IP"),
            LinkType::LINUX_SLL => Some("Linux cooked v1"),
            LinkType::CAN_SOCKETCAN => Some("CAN-bus with SocketCAN headers"),
            LinkType::NETLINK => Some("Linux netlink"),
            LinkType::LINUX_SLL2 => Some("Linux cooked v2"),
            _ => None,
        }
    }
}

impl LinkType {
    /// Whether tcpdump has a text for such packets, more than their bytes.
    pub fn is_printable(self) -> bool {
        !matches!(self, LinkType::NETLINK | LinkType::CAN_SOCKETCAN)
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
