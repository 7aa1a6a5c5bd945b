//! An IP packet as netfilter sees it, of either family.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hairpin_netlink::netfilter::Family;

/// `IPPROTO_*`
pub(crate) mod protocol {
    pub const ICMP: u8 = 1;
    pub const TCP: u8 = 6;
    pub const UDP: u8 = 17;
    pub const ESP: u8 = 50;
    pub const AH: u8 = 51;
    pub const ICMPV6: u8 = 58;
    pub const SCTP: u8 = 132;
    pub const MOBILITY: u8 = 135;
    pub const UDPLITE: u8 = 136;
}

/// Extension headers that one packet may have.
const EXTENSIONS_MAX: usize = 16;

/// What is asked of a packet's IP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ip {
    pub family: Family,
    pub source: IpAddr,
    pub destination: IpAddr,
    /// Of what follows the header (and IPv6's extension headers).
    pub protocol: u8,
    /// Bytes up to there.
    pub header_len: usize,
    /// Bytes of the whole packet as its header says.
    pub total_len: usize,
    pub ttl: u8,
    pub tos: u8,
    /// Where a fragment's data starts in the whole packet, in bytes.
    pub offset: usize,
    /// A later fragment of which its own header tells no protocol, but another extension header.
    pub protocol_is_hidden: bool,
    /// It is a fragment, the first or a later one.
    pub fragment: bool,
}

impl Ip {
    /// Reads a packet's header by its version; no checksums are looked at.
    pub fn read(packet: &[u8]) -> Option<Ip> {
        match packet.first()? >> 4 {
            4 => Ip::read4(packet),
            6 => Ip::read6(packet),
            _ => None,
        }
    }

    fn read4(packet: &[u8]) -> Option<Ip> {
        let fixed = packet.first_chunk::<20>()?;
        let header_len = usize::from(fixed[0] & 15) * 4;
        if header_len < 20 {
            return None;
        }
        let fragment = u16::from_be_bytes([fixed[6], fixed[7]]);
        Some(Ip {
            family: Family::Ipv4,
            source: Ipv4Addr::new(fixed[12], fixed[13], fixed[14], fixed[15]).into(),
            destination: Ipv4Addr::new(fixed[16], fixed[17], fixed[18], fixed[19]).into(),
            protocol: fixed[9],
            header_len,
            total_len: usize::from(u16::from_be_bytes([fixed[2], fixed[3]])),
            ttl: fixed[8],
            tos: fixed[1],
            offset: usize::from(fragment & 0x1fff) * 8,
            protocol_is_hidden: false,
            fragment: fragment & 0x3fff != 0,
        })
    }

    /// RFC 8200 §4: walks the extension headers (`ipv6_find_hdr`).
    fn read6(packet: &[u8]) -> Option<Ip> {
        let fixed = packet.first_chunk::<40>()?;
        let address =
            |at: usize| -> Option<Ipv6Addr> { Some(Ipv6Addr::from(*packet.get(at..)?.first_chunk::<16>()?)) };
        let mut ip = Ip {
            family: Family::Ipv6,
            source: address(8)?.into(),
            destination: address(24)?.into(),
            protocol: fixed[6],
            header_len: 40,
            total_len: 40 + usize::from(u16::from_be_bytes([fixed[4], fixed[5]])),
            ttl: fixed[7],
            tos: (fixed[0] << 4) | (fixed[1] >> 4),
            offset: 0,
            protocol_is_hidden: false,
            fragment: false,
        };
        for _ in 0..EXTENSIONS_MAX {
            let Some(&[next, len, a, b]) = packet.get(ip.header_len..).and_then(|rest| rest.first_chunk())
            else {
                break;
            };
            let bytes = match ip.protocol {
                // Hop-by-hop options, routing, destination options.
                0 | 43 | 60 => (usize::from(len) + 1) * 8,
                44 => {
                    let field = u16::from_be_bytes([a, b]);
                    ip.offset = usize::from(field & 0xfff8);
                    ip.fragment = true;
                    8
                }
                // Authentication header.
                51 => (usize::from(len) + 2) * 4,
                _ => break,
            };
            ip.protocol = next;
            ip.header_len += bytes;
            if ip.offset != 0 {
                ip.protocol_is_hidden = matches!(next, 0 | 43 | 44 | 51 | 60);
                break;
            }
        }
        Some(ip)
    }

    /// The transport header and what follows, cut to the packet's length; nothing of a later fragment.
    pub fn payload<'a>(&self, packet: &'a [u8]) -> &'a [u8] {
        if self.offset != 0 {
            return &[];
        }
        let end = self.total_len.min(packet.len());
        packet.get(self.header_len..end).unwrap_or(&[])
    }

    /// The same to write.
    pub fn payload_mut<'a>(&self, packet: &'a mut [u8]) -> &'a mut [u8] {
        if self.offset != 0 {
            return &mut [];
        }
        let end = self.total_len.min(packet.len());
        packet.get_mut(self.header_len..end).unwrap_or(&mut [])
    }

    /// The source and destination ports, where the protocol has such.
    pub fn ports(&self, packet: &[u8]) -> Option<(u16, u16)> {
        let has =
            matches!(self.protocol, protocol::TCP | protocol::UDP | protocol::SCTP | protocol::UDPLITE | 33);
        let &[a, b, c, d] = self.payload(packet).first_chunk::<4>().filter(|_| has)?;
        Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
    }
}

/// RFC 1624 eqn. 3: a checksum after one 16-bit word has changed.
pub(crate) fn changed_checksum(sum: u16, old: u16, new: u16) -> u16 {
    let mut total = u32::from(!sum) + u32::from(!old) + u32::from(new);
    total = (total >> 16) + (total & 0xffff);
    total = (total >> 16) + (total & 0xffff);
    !(total as u16)
}

/// The same after the bytes of an address (or another even number of bytes) have changed.
pub(crate) fn changed_checksum_bytes(mut sum: u16, old: &[u8], new: &[u8]) -> u16 {
    for (old, new) in old.chunks_exact(2).zip(new.chunks_exact(2)) {
        sum =
            changed_checksum(sum, u16::from_be_bytes([old[0], old[1]]), u16::from_be_bytes([new[0], new[1]]));
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ip::checksum;

    #[test]
    fn ipv6_extension_headers_are_walked() {
        let mut packet = vec![0x60, 0, 0, 0, 0, 24, 0, 64];
        packet.extend([1; 32]);
        packet.extend([44, 0, 0, 0, 0, 0, 0, 0]);
        packet.extend([17, 0, 0, 1, 0, 0, 0, 9]);
        packet.extend([0, 53, 0, 54, 0, 8, 0, 0]);
        let ip = Ip::read(&packet).expect("a packet");
        assert_eq!((ip.protocol, ip.header_len, ip.fragment, ip.offset), (17, 56, true, 0));
        assert_eq!(ip.ports(&packet), Some((53, 54)));
    }

    #[test]
    fn a_checksum_follows_a_change() {
        let mut bytes = [0x45, 0, 0, 84, 1, 2, 3, 4, 64, 1, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        let sum = checksum(&bytes);
        bytes[10..12].copy_from_slice(&sum.to_be_bytes());
        let (old, new) = ([10, 0, 0, 1], [192, 168, 77, 255]);
        bytes[12..16].copy_from_slice(&new);
        let sum = changed_checksum_bytes(sum, &old, &new);
        bytes[10..12].copy_from_slice(&sum.to_be_bytes());
        assert_eq!(checksum(&bytes), 0);
    }

    #[test]
    fn what_is_cut_short_is_no_packet() {
        for len in 0..20 {
            assert_eq!(Ip::read(&[0x45; 20][..len]), None);
        }
        assert_eq!(Ip::read(&[0x60; 39]), None);
    }
}
