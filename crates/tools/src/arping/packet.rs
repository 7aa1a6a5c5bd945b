//! The ARP packet as `arping` reads it.

use std::net::Ipv4Addr;

pub(super) const ETHERTYPE_IPV4: u16 = 0x0800;
pub(super) const ARP_REQUEST: u16 = 1;
pub(super) const ARP_REPLY: u16 = 2;
/// Length of an ARP header in front of its addresses.
const ARP_HEADER_LEN: usize = 8;

/// An ARP packet of Ethernet's kin for IPv4 (RFC 826).
pub(super) struct Arp<'a> {
    pub hardware: u16,
    pub operation: u16,
    pub sender_mac: &'a [u8],
    pub sender: Ipv4Addr,
    pub target_mac: &'a [u8],
    pub target: Ipv4Addr,
}

impl<'a> Arp<'a> {
    /// `None` where it is no request or reply with link addresses of `mac_len` bytes.
    pub fn parse(data: &'a [u8], mac_len: usize) -> Option<Self> {
        let half = |at: usize| Some(u16::from_be_bytes(data.get(at..at + 2)?.try_into().ok()?));
        let operation = half(6)?;
        let is_known = matches!(operation, ARP_REQUEST | ARP_REPLY)
            && half(2)? == ETHERTYPE_IPV4
            && usize::from(*data.get(4)?) == mac_len
            && *data.get(5)? == 4;
        if !is_known {
            return None;
        }
        let address = |at: usize| {
            let bytes: [u8; 4] = data.get(at..at + 4)?.try_into().ok()?;
            Some(Ipv4Addr::from(bytes))
        };
        let second = ARP_HEADER_LEN + mac_len + 4;
        Some(Arp {
            hardware: half(0)?,
            operation,
            sender_mac: data.get(ARP_HEADER_LEN..ARP_HEADER_LEN + mac_len)?,
            sender: address(ARP_HEADER_LEN + mac_len)?,
            target_mac: data.get(second..second + mac_len)?,
            target: address(second + mac_len)?,
        })
    }
}
