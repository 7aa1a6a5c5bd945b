//! IPv6.
//!
//! The way in: [`input`] → [`local`] (with [`extension`] headers and [`reassemble`]) or [`forward`]. The way
//! out: [`output`] (with [`fragment`]) → the neighbour layer. [`icmp`] answers and reports, [`icmp_in`] hears;
//! [`mld`] tells of groups, and [`mld_query`] to who asks; [`route`] finds the way. Neighbour discovery is in [`crate::neigh::ndisc`].

pub(crate) mod address;
pub mod event;
pub(crate) mod extension;
mod forward;
mod fragment;
pub mod icmp;
mod icmp_in;
mod input;
mod local;
pub mod mld;
mod mld_query;
pub(crate) mod output;
pub mod reassemble;
pub mod route;
mod udp;

use std::net::Ipv6Addr;

use crate::drop_reason::DropReason;
use crate::ip::{fold, sum};

pub(crate) use udp::write_udp6;

/// Length of the fixed header.
pub const HEADER_LEN: usize = 40;
/// The least MTU of a link (RFC 8200 §5).
pub const MIN_MTU: u32 = 1280;

/// Next header values (`IPPROTO_*`, `NEXTHDR_*`).
pub mod next {
    pub const HOP: u8 = 0;
    pub const TCP: u8 = 6;
    pub const UDP: u8 = 17;
    pub const ROUTING: u8 = 43;
    pub const FRAGMENT: u8 = 44;
    pub const ICMP: u8 = 58;
    pub const NONE: u8 = 59;
    pub const DESTINATION: u8 = 60;
}

/// The fixed header (RFC 8200 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub traffic_class: u8,
    pub flow_label: u32,
    /// Bytes behind this header.
    pub payload_len: usize,
    pub next_header: u8,
    pub hop_limit: u8,
    pub source: Ipv6Addr,
    pub destination: Ipv6Addr,
}

impl Header {
    /// Reads a header as `ip6_rcv_core` does.
    ///
    /// # Errors
    /// The reason for which Linux drops such a packet.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<Header, DropReason> {
        let Some(header) = Header::quoted(bytes) else {
            return Err(if bytes.len() < HEADER_LEN {
                DropReason::PacketTooSmall
            } else {
                DropReason::IpInHeader
            });
        };
        // A length of 0 would be a jumbogram's, or of a packet without anything.
        if bytes.len() < HEADER_LEN + header.payload_len {
            return Err(DropReason::PacketTooSmall);
        }
        Ok(header)
    }

    /// Reads what can be read of a header that may be a quotation.
    #[inline]
    pub fn quoted(bytes: &[u8]) -> Option<Header> {
        let fixed = bytes.first_chunk::<HEADER_LEN>()?;
        let first = u32::from_be_bytes([fixed[0], fixed[1], fixed[2], fixed[3]]);
        let address = |at: usize| {
            let mut octets = [0; 16];
            octets.copy_from_slice(&fixed[at..at + 16]);
            Ipv6Addr::from(octets)
        };
        (first >> 28 == 6).then(|| Header {
            traffic_class: (first >> 20) as u8,
            flow_label: first & 0x000f_ffff,
            payload_len: usize::from(u16::from_be_bytes([fixed[4], fixed[5]])),
            next_header: fixed[6],
            hop_limit: fixed[7],
            source: address(8),
            destination: address(24),
        })
    }

    /// Bytes of the packet with its header.
    pub fn total_len(&self) -> usize {
        HEADER_LEN + self.payload_len
    }

    #[inline]
    pub fn write(&self, bytes: &mut [u8]) {
        let Some(fixed) = bytes.first_chunk_mut::<HEADER_LEN>() else { return };
        let first = 6 << 28 | u32::from(self.traffic_class) << 20 | self.flow_label & 0x000f_ffff;
        fixed[0..4].copy_from_slice(&first.to_be_bytes());
        fixed[4..6].copy_from_slice(&(self.payload_len as u16).to_be_bytes());
        fixed[6] = self.next_header;
        fixed[7] = self.hop_limit;
        fixed[8..24].copy_from_slice(&self.source.octets());
        fixed[24..40].copy_from_slice(&self.destination.octets());
    }
}

/// The checksum of an upper-layer message with its pseudo-header (RFC 8200 §8.1): 0 over one that contains a
/// right one.
#[inline]
pub fn upper_checksum(source: Ipv6Addr, destination: Ipv6Addr, protocol: u8, message: &[u8]) -> u16 {
    !fold(pseudo_sum(source, destination, protocol, message.len()) + sum(message))
}

/// The pseudo-header's sum of 32-bit words, for a message of `len` bytes.
#[inline]
pub fn pseudo_sum(source: Ipv6Addr, destination: Ipv6Addr, protocol: u8, len: usize) -> u64 {
    sum(&source.octets()) + sum(&destination.octets()) + len as u64 + u64::from(protocol)
}

/// Writes the checksum of an ICMPv6 message.
#[inline]
pub(crate) fn seal_icmp(source: Ipv6Addr, destination: Ipv6Addr, message: &mut [u8]) {
    if message.len() < 4 {
        return;
    }
    message[2..4].fill(0);
    let sum = upper_checksum(source, destination, next::ICMP, message);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_and_written_alike() {
        let header = Header {
            traffic_class: 0xb8,
            flow_label: 0x12345,
            payload_len: 8,
            next_header: next::UDP,
            hop_limit: 64,
            source: "2001:db8::1".parse().unwrap(),
            destination: "ff02::1".parse().unwrap(),
        };
        let mut bytes = [0; 48];
        header.write(&mut bytes);
        assert_eq!(bytes[..4], [0x6b, 0x81, 0x23, 0x45]);
        assert_eq!(Header::parse(&bytes), Ok(header));
        assert_eq!(Header::parse(&bytes[..47]), Err(DropReason::PacketTooSmall));
        bytes[0] = 0x45;
        assert_eq!(Header::parse(&bytes), Err(DropReason::IpInHeader));
    }

    /// A neighbour solicitation as Linux sent it.
    #[test]
    fn an_icmp_checksum() {
        let source: Ipv6Addr = "fe80::ff:fe00:1".parse().unwrap();
        let destination = "ff02::2".parse().unwrap();
        let mut message = [133, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 0, 0, 0, 0, 1];
        seal_icmp(source, destination, &mut message);
        assert_eq!(upper_checksum(source, destination, next::ICMP, &message), 0);
        message[9] = 2;
        assert_ne!(upper_checksum(source, destination, next::ICMP, &message), 0);
    }
}
