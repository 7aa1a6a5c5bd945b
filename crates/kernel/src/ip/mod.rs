//! IPv4.
//!
//! The way in: [`input`] → [`local`] (with [`reassemble`]) or [`forward`]. The way out: [`output`] (with
//! [`fragment`]) → the neighbour layer; [`below`] is where ipvlans send and receive by way of their lower device. [`icmp`] answers and reports; [`igmp`] tells of groups; [`route`] finds the way, with what [`exception`] has learned of it.

mod below;
pub mod exception;
mod forward;
mod fragment;
pub mod icmp;
mod icmp_in;
pub(crate) mod igmp;
mod input;
mod local;
pub(crate) mod options;
pub(crate) mod output;
pub mod reassemble;
pub mod route;
mod udp;

pub(crate) use udp::{UDP_CHECKSUM, UDP_LEN, write_udp};

use std::net::Ipv4Addr;

use crate::drop_reason::DropReason;

/// Length of a header without options.
pub const HEADER_LEN: usize = 20;

/// `IPPROTO_*`
pub mod protocol {
    pub const ICMP: u8 = 1;
    pub const IGMP: u8 = 2;
    pub const TCP: u8 = 6;
    pub const UDP: u8 = 17;
    pub const IPIP: u8 = 4;
    pub const IPV6: u8 = 41;
    pub const GRE: u8 = 47;
}

/// Fragment flags as in the header's 16-bit word.
pub const FLAG_DF: u16 = 0x4000;
pub const FLAG_MF: u16 = 0x2000;
const OFFSET_MASK: u16 = 0x1fff;

/// The fields of an IPv4 header (RFC 791 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Bytes of the header with options.
    pub header_len: usize,
    pub tos: u8,
    /// Bytes of the packet with its header.
    pub total_len: usize,
    pub id: u16,
    /// Flags and fragment offset.
    pub fragment: u16,
    pub ttl: u8,
    pub protocol: u8,
    pub source: Ipv4Addr,
    pub destination: Ipv4Addr,
}

impl Header {
    /// Reads a header as `ip_rcv_core` does.
    ///
    /// # Errors
    /// The reason for which Linux drops such a packet.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<Header, DropReason> {
        let Some(fixed) = bytes.first_chunk::<HEADER_LEN>() else {
            return Err(DropReason::PacketTooSmall);
        };
        let header_len = usize::from(fixed[0] & 15) * 4;
        if fixed[0] >> 4 != 4 || header_len < HEADER_LEN {
            return Err(DropReason::IpInHeader);
        }
        let Some(whole) = bytes.get(..header_len) else {
            return Err(DropReason::PacketTooSmall);
        };
        // As it mostly is, without options.
        let sum = if header_len == HEADER_LEN { sum(fixed) } else { sum(whole) };
        if fold(sum) != 0xffff {
            return Err(DropReason::IpChecksum);
        }
        let total_len = usize::from(u16::from_be_bytes([fixed[2], fixed[3]]));
        if bytes.len() < total_len {
            return Err(DropReason::PacketTooSmall);
        }
        if total_len < header_len {
            return Err(DropReason::IpInHeader);
        }
        Ok(Header::read(fixed, header_len, total_len))
    }

    #[inline]
    fn read(fixed: &[u8; HEADER_LEN], header_len: usize, total_len: usize) -> Header {
        Header {
            header_len,
            tos: fixed[1],
            total_len,
            id: u16::from_be_bytes([fixed[4], fixed[5]]),
            fragment: u16::from_be_bytes([fixed[6], fixed[7]]),
            ttl: fixed[8],
            protocol: fixed[9],
            source: Ipv4Addr::new(fixed[12], fixed[13], fixed[14], fixed[15]),
            destination: Ipv4Addr::new(fixed[16], fixed[17], fixed[18], fixed[19]),
        }
    }

    /// Reads what can be read of a header that may be a quotation: no checks of checksum and length.
    pub fn quoted(bytes: &[u8]) -> Option<Header> {
        let fixed = bytes.first_chunk::<HEADER_LEN>()?;
        let header_len = usize::from(fixed[0] & 15) * 4;
        let total_len = usize::from(u16::from_be_bytes([fixed[2], fixed[3]]));
        (fixed[0] >> 4 == 4 && header_len >= HEADER_LEN).then(|| Header::read(fixed, header_len, total_len))
    }

    /// Writes a header without options, checksum included.
    #[inline]
    pub fn write(&self, bytes: &mut [u8]) {
        let Some(fixed) = bytes.first_chunk_mut::<HEADER_LEN>() else { return };
        fixed[0] = 0x40 | (self.header_len / 4) as u8 & 15;
        fixed[1] = self.tos;
        fixed[2..4].copy_from_slice(&(self.total_len as u16).to_be_bytes());
        fixed[4..6].copy_from_slice(&self.id.to_be_bytes());
        fixed[6..8].copy_from_slice(&self.fragment.to_be_bytes());
        fixed[8] = self.ttl;
        fixed[9] = self.protocol;
        fixed[10..12].fill(0);
        fixed[12..16].copy_from_slice(&self.source.octets());
        fixed[16..20].copy_from_slice(&self.destination.octets());
        if self.header_len == HEADER_LEN {
            let sum = checksum(fixed);
            fixed[10..12].copy_from_slice(&sum.to_be_bytes());
        } else {
            write_checksum(bytes, self.header_len);
        }
    }

    pub fn dont_fragment(&self) -> bool {
        self.fragment & FLAG_DF != 0
    }

    pub fn more_fragments(&self) -> bool {
        self.fragment & FLAG_MF != 0
    }

    /// Where this fragment's data starts in the whole packet, in bytes.
    pub fn fragment_offset(&self) -> usize {
        usize::from(self.fragment & OFFSET_MASK) * 8
    }

    pub fn is_fragment(&self) -> bool {
        self.more_fragments() || self.fragment_offset() != 0
    }
}

/// Computes a header's checksum anew.
pub fn write_checksum(bytes: &mut [u8], header_len: usize) {
    let Some(header) = bytes.get_mut(..header_len) else { return };
    header[10..12].fill(0);
    let sum = checksum(header);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
}

/// The Internet checksum (RFC 1071): 0 over data that contains a right one.
#[inline]
pub fn checksum(bytes: &[u8]) -> u16 {
    !fold(sum(bytes))
}

/// The sum of 16-bit words before folding.
#[inline(always)]
pub fn sum(bytes: &[u8]) -> u64 {
    let mut total: u64 = 0;
    let mut chunks = bytes.chunks_exact(4);
    for chunk in &mut chunks {
        total += u64::from(u32::from_be_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]));
    }
    match *chunks.remainder() {
        [a] => total += u64::from(a) << 24,
        [a, b] => total += u64::from(u16::from_be_bytes([a, b])) << 16,
        [a, b, c] => total += u64::from(u32::from_be_bytes([a, b, c, 0])),
        _ => {}
    }
    total
}

/// Folds a sum of 32-bit words to 16 bits.
#[inline]
pub fn fold(total: u64) -> u16 {
    let mut total = (total >> 32) + (total & 0xffff_ffff);
    total = (total >> 16) + (total & 0xffff);
    total = (total >> 16) + (total & 0xffff);
    total = (total >> 16) + (total & 0xffff);
    total as u16
}

/// The pseudo-header's sum for UDP and TCP (RFC 768).
#[inline]
pub fn pseudo_sum(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8, len: usize) -> u64 {
    u64::from(u32::from(source)) + u64::from(u32::from(destination)) + u64::from(protocol) + len as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: [u8; 20] =
        [0x45, 0x00, 0x00, 0x54, 0x12, 0x34, 0x40, 0x00, 0x40, 0x01, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];

    fn packet() -> Vec<u8> {
        let mut bytes = HEADER.to_vec();
        bytes.resize(84, 0);
        write_checksum(&mut bytes, 20);
        bytes
    }

    #[test]
    fn a_header_is_read_and_written_alike() {
        let bytes = packet();
        let header = Header::parse(&bytes).expect("a right header");
        assert_eq!((header.ttl, header.protocol, header.dont_fragment()), (64, 1, true));
        let mut again = vec![0; 84];
        header.write(&mut again);
        assert_eq!(again[..20], bytes[..20]);
    }

    #[test]
    fn broken_headers_have_their_reasons() {
        let mut bytes = packet();
        bytes[8] ^= 1;
        assert_eq!(Header::parse(&bytes), Err(DropReason::IpChecksum));
        assert_eq!(Header::parse(&packet()[..60]), Err(DropReason::PacketTooSmall));
        assert_eq!(Header::parse(&packet()[..10]), Err(DropReason::PacketTooSmall));
        let mut bytes = packet();
        bytes[0] = 0x65;
        assert_eq!(Header::parse(&bytes), Err(DropReason::IpInHeader));
    }

    #[test]
    fn checksums_agree_with_a_second_implementation() {
        for len in 0..70 {
            let bytes: Vec<u8> = (0..len).map(|i| (i * 37 + 11) as u8).collect();
            let words = bytes.chunks(2).map(|w| u32::from(w[0]) << 8 | w.get(1).map_or(0, |b| u32::from(*b)));
            let mut plain: u32 = words.sum();
            while plain > 0xffff {
                plain = (plain & 0xffff) + (plain >> 16);
            }
            assert_eq!(checksum(&bytes), !(plain as u16), "{len} bytes");
        }
    }
}
