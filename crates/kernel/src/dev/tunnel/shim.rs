//! What stands between the outer IP header and the packet: GRE, or UDP with VXLAN or geneve.

use std::net::IpAddr;

use crate::dev::vxlan;
use crate::drop_reason::DropReason;
use crate::frame::{Partial, ethertype};
use crate::ip::{UDP_CHECKSUM, UDP_LEN, checksum, fold, protocol, pseudo_sum, sum};
use crate::ip6::{self, next};

/// What stands between the outer IP header and the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shim {
    /// RFC 7348; with a policy unless that is 0 (draft-smith-vxlan-group-policy).
    Vxlan { vni: u32, policy: u32, ports: Ports },
    /// RFC 8926
    Geneve { vni: u32, ports: Ports },
    /// RFC 2784
    Gre(Gre),
    /// Nothing: an IP packet in an IP packet, with this protocol number.
    Ip(u8),
}

/// A GRE header (RFC 2784 §2, RFC 2890 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gre {
    /// EtherType of what is carried; [`ethertype::TEB`]: a frame.
    pub protocol: u16,
    pub key: Option<u32>,
    pub sequence: Option<u32>,
    pub checksum: bool,
}

impl Gre {
    const CHECKSUM: u8 = 0x80;
    const KEY: u8 = 0x20;
    const SEQUENCE: u8 = 0x10;

    pub fn size(&self) -> usize {
        let fields = usize::from(self.checksum) + usize::from(self.key.is_some());
        4 + 4 * (fields + usize::from(self.sequence.is_some()))
    }

    /// `gre_build_header`
    fn write(&self, body: &mut [u8], inner: Partial) -> Partial {
        let size = self.size();
        let Some(header) = body.get_mut(..size) else { return inner };
        header.fill(0);
        let mut flags = 0;
        let mut at = 4;
        if self.checksum {
            flags |= Gre::CHECKSUM;
            at += 4;
        }
        for (value, flag) in [(self.key, Gre::KEY), (self.sequence, Gre::SEQUENCE)] {
            if let (Some(value), Some(field)) = (value, header.get_mut(at..at + 4)) {
                field.copy_from_slice(&value.to_be_bytes());
                flags |= flag;
                at += 4;
            }
        }
        header[0] = flags;
        header[2..4].copy_from_slice(&self.protocol.to_be_bytes());
        if !self.checksum {
            return inner;
        }
        if !inner.is_due() {
            return Partial::new(body.len(), 4);
        }
        let sum = !fold(completed_sum(body, inner));
        if let Some(field) = body.get_mut(4..6) {
            field.copy_from_slice(&sum.to_be_bytes());
        }
        inner
    }

    /// The header at the front of a quotation, whose checksum cannot be looked at.
    pub fn quoted(body: &[u8]) -> Option<Gre> {
        let mut head = [0; 16];
        let len = body.len().min(head.len());
        head.get_mut(..len)?.copy_from_slice(body.get(..len)?);
        let summed = head[0] & Gre::CHECKSUM != 0;
        // Without the field of the checksum the rest reads alike.
        head[0] &= !Gre::CHECKSUM;
        if summed {
            head.copy_within(8.., 4);
        }
        Gre::read(&head, true).ok().map(|(gre, _)| Gre { checksum: summed, ..gre })
    }

    /// `gre_parse_header`: the header at the front of a packet, and its length.
    ///
    /// # Errors
    /// It is cut short, of another version, routed (RFC 1701), or its checksum, which is looked at where `checked`, is
    /// wrong.
    pub fn read(body: &[u8], checked: bool) -> Result<(Gre, usize), DropReason> {
        let &[flags, version, a, b] = body.first_chunk().ok_or(DropReason::PacketTooSmall)?;
        if version & 7 != 0 || flags & 0x48 != 0 {
            return Err(DropReason::GreHeader);
        }
        let has = |flag| flags & flag != 0;
        if checked && has(Gre::CHECKSUM) && !sums_up(body) {
            return Err(DropReason::GreHeader);
        }
        let mut at = if has(Gre::CHECKSUM) { 8 } else { 4 };
        let mut word = |flag| -> Result<Option<u32>, DropReason> {
            if !has(flag) {
                return Ok(None);
            }
            let field = body.get(at..).and_then(|rest| rest.first_chunk());
            at += 4;
            field.map(|field| Some(u32::from_be_bytes(*field))).ok_or(DropReason::PacketTooSmall)
        };
        let key = word(Gre::KEY)?;
        let sequence = word(Gre::SEQUENCE)?;
        let gre = Gre { protocol: u16::from_be_bytes([a, b]), key, sequence, checksum: has(Gre::CHECKSUM) };
        Ok((gre, gre.size()))
    }
}

/// The UDP side of a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    pub source: u16,
    pub destination: u16,
    /// The checksum is computed; else it is 0, which says that there is none.
    pub checksum: bool,
}

/// Length of a VXLAN header.
pub const VXLAN_LEN: usize = 8;
/// Length of a geneve header without options.
pub const GENEVE_LEN: usize = 8;

impl Shim {
    /// Bytes of the shim.
    pub fn size(&self) -> usize {
        match self {
            Shim::Vxlan { .. } => UDP_LEN + VXLAN_LEN,
            Shim::Geneve { .. } => UDP_LEN + GENEVE_LEN,
            Shim::Gre(gre) => gre.size(),
            Shim::Ip(_) => 0,
        }
    }

    /// What the outer header calls it.
    pub fn protocol(&self) -> u8 {
        match self {
            Shim::Vxlan { .. } | Shim::Geneve { .. } => protocol::UDP,
            Shim::Gre(_) => protocol::GRE,
            Shim::Ip(protocol) => *protocol,
        }
    }

    /// Whether the packet goes with its link header.
    pub fn carries_frames(&self) -> bool {
        match self {
            Shim::Vxlan { .. } | Shim::Geneve { .. } => true,
            Shim::Gre(gre) => gre.protocol == ethertype::TEB,
            Shim::Ip(_) => false,
        }
    }

    /// Writes the shim to the front of `body`, which the packet follows. `inner` is left to do of that one's checksum;
    /// returned is what is left to do of the whole (`iptunnel_handle_offloads`).
    pub(crate) fn write(
        &self,
        body: &mut [u8],
        source: IpAddr,
        destination: IpAddr,
        inner: Partial,
    ) -> Partial {
        match self {
            Shim::Vxlan { vni, policy, ports } => {
                if let Some(header) = body.get_mut(UDP_LEN..).and_then(|rest| rest.first_chunk_mut()) {
                    *header = vxlan::header(*vni, *policy);
                }
                ports.write(body, source, destination, inner)
            }
            Shim::Geneve { vni, ports } => {
                if let Some(header) = body.get_mut(UDP_LEN..).and_then(|rest| rest.first_chunk_mut()) {
                    let [a, b, c, d] = (vni << 8).to_be_bytes();
                    *header = [0, 0, 0x65, 0x58, a, b, c, d];
                }
                ports.write(body, source, destination, inner)
            }
            Shim::Gre(gre) => gre.write(body, inner),
            Shim::Ip(_) => inner,
        }
    }
}

impl Ports {
    /// `udp_set_csum`
    fn write(&self, body: &mut [u8], source: IpAddr, destination: IpAddr, inner: Partial) -> Partial {
        let len = body.len();
        let Some(head) = body.first_chunk_mut::<UDP_LEN>() else { return inner };
        head[0..2].copy_from_slice(&self.source.to_be_bytes());
        head[2..4].copy_from_slice(&self.destination.to_be_bytes());
        head[4..6].copy_from_slice(&(len as u16).to_be_bytes());
        head[6..8].fill(0);
        if !self.checksum {
            return inner;
        }
        let pseudo = match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                pseudo_sum(source, destination, protocol::UDP, len)
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                ip6::pseudo_sum(source, destination, next::UDP, len)
            }
            _ => return inner,
        };
        let (field, partial) = match inner.is_due() {
            false => (fold(pseudo), Partial::new(len, UDP_CHECKSUM)),
            true => match !fold(pseudo + completed_sum(body, inner)) {
                0 => (0xffff, inner),
                sum => (sum, inner),
            },
        };
        if let Some(place) = body.get_mut(6..8) {
            place.copy_from_slice(&field.to_be_bytes());
        }
        partial
    }
}

/// The sum of what ends with bytes whose checksum is left to the device, as it will be once that is done: they and their
/// pseudo header come to nothing (`lco_csum`).
fn completed_sum(body: &[u8], inner: Partial) -> u64 {
    let start = body.len().saturating_sub(inner.reach());
    let field = body.get(start + inner.field()..).and_then(|rest| rest.first_chunk());
    let pseudo = field.map_or(0, |field| u16::from_be_bytes(*field));
    sum(body.get(..start).unwrap_or(&[])) + u64::from(!pseudo)
}

/// Whether the one's complement sum over `bytes` is right.
fn sums_up(bytes: &[u8]) -> bool {
    checksum(bytes) == 0
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    #[test]
    fn a_gre_header_is_read_as_it_is_written() {
        for (key, sequence, checksum) in
            [(None, None, false), (Some(7), None, true), (None, Some(9), false), (Some(1), Some(2), true)]
        {
            let gre = Gre { protocol: 0x0800, key, sequence, checksum };
            let mut body = vec![0xab; gre.size() + 5];
            let partial = gre.write(&mut body, Partial::default());
            assert_eq!(partial.is_due(), checksum);
            assert_eq!(Gre::read(&body, false), Ok((gre, gre.size())));
            assert_eq!(Gre::read(&completed(&body, partial), true), Ok((gre, gre.size())));
        }
        assert!(Gre::read(&[0x80, 0, 8, 0, 1, 2, 3, 4], true).is_err());
        assert!(Gre::read(&[0x20, 0, 8, 0, 1], true).is_err());
        assert!(Gre::read(&[0, 1, 8, 0], true).is_err());
    }

    #[test]
    fn a_vxlan_header_follows_udp() {
        let ports = Ports { source: 50000, destination: 4789, checksum: true };
        let shim = Shim::Vxlan { vni: 0x01_02_03, policy: 0, ports };
        let mut body = vec![0; shim.size() + 4];
        let (source, destination) = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2));
        let partial = shim.write(&mut body, source.into(), destination.into(), Partial::default());
        assert_eq!(body[..6], [0xc3, 0x50, 0x12, 0xb5, 0, 20]);
        assert_eq!(body[8..16], [8, 0, 0, 0, 1, 2, 3, 0]);
        let pseudo = pseudo_sum(source, destination, protocol::UDP, body.len()) << 16;
        assert_eq!(u16::from_be_bytes([body[6], body[7]]), fold(pseudo));
        assert_eq!(fold(pseudo + sum(&completed(&body, partial))), 0xffff);
        let (source, destination): (Ipv6Addr, Ipv6Addr) =
            ("2001:db8::1".parse().unwrap(), "2001:db8::2".parse().unwrap());
        let partial = shim.write(&mut body, source.into(), destination.into(), Partial::default());
        assert_eq!(ip6::upper_checksum(source, destination, next::UDP, &completed(&body, partial)), 0);
    }

    #[test]
    fn an_outer_checksum_holds_once_the_inner_one_is_completed() {
        let ports = Ports { source: 50000, destination: 4789, checksum: true };
        let shim = Shim::Vxlan { vni: 7, policy: 0, ports };
        let (source, destination) = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2));
        // A datagram of three bytes, of whose checksum there is the pseudo header's sum.
        let pseudo = pseudo_sum(destination, source, protocol::UDP, 11);
        let mut body = vec![0x45; shim.size() + 14 + 20];
        body.extend([0x30, 0x39, 0, 53, 0, 11]);
        body.extend(fold(pseudo).to_be_bytes());
        body.extend(*b"abc");
        let inner = Partial::new(11, UDP_CHECKSUM);
        let left = shim.write(&mut body, source.into(), destination.into(), inner);
        assert_eq!(left, inner);
        let done = completed(&body, left);
        assert_eq!(fold((pseudo << 16) + sum(&done[done.len() - 11..])), 0xffff);
        let pseudo = pseudo_sum(source, destination, protocol::UDP, done.len()) << 16;
        assert_eq!(fold(pseudo + sum(&done)), 0xffff);
    }

    fn completed(body: &[u8], partial: Partial) -> Vec<u8> {
        let mut frame = crate::frame::Pool::default().frame_from(body);
        frame.partial = partial;
        frame.complete_checksum();
        frame.bytes().to_vec()
    }
}
