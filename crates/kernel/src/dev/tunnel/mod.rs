//! What tunnels have in common: what is put around a packet, and how a flow chooses its source port
//! (include/net/ip_tunnels.h, include/net/udp_tunnel.h, include/net/inet_ecn.h).

mod flow;
mod shim;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::drop_reason::DropReason;
use crate::frame::{Frame, ethertype};
use crate::ip::write_checksum;
use crate::ip6::next;
use crate::netns::NsId;

pub use flow::{flow_hash, source_port};
pub use shim::{GENEVE_LEN, Gre, Ports, Shim, VXLAN_LEN};

/// The tunnel that a packet is to go by, as its route or its VLAN says, or that it has come by (`struct ip_tunnel_info`). Devices that
/// are `external` go by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TunnelInfo {
    pub way: TunnelWay,
    /// The network identifier, or key.
    pub id: u64,
    /// Unspecified: chosen by the route. Of the family of `destination`.
    pub source: IpAddr,
    pub destination: IpAddr,
    pub tos: u8,
    /// 0: the namespace's default.
    pub ttl: u8,
    /// IPv6 only.
    pub label: u32,
    /// Of [`TunnelInfo::CHECKSUM`] and its like (`TUNNEL_*`).
    pub flags: u16,
}

/// Who says so (`IP_TUNNEL_INFO_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TunnelWay {
    /// It has come that way.
    Came,
    /// It is to go: a route says so, or it answers what has come.
    Goes,
    /// It is to go: a bridge's VLAN says the network, and the device where that is.
    GoesByNetwork,
}

impl TunnelInfo {
    /// What a frame that says itself where it goes gets around it.
    pub(crate) fn outer(self, frame: &Frame, underlay: NsId, shim: Shim) -> Outer {
        Outer {
            underlay,
            local: self.source,
            remote: self.destination,
            oif: 0,
            tos: Inner::of(frame).outer_tos(self.tos),
            ttl: self.ttl,
            ttl_is_final: false,
            dont_fragment: self.has(TunnelInfo::DONT_FRAGMENT),
            six: Six { label: self.label, ..Six::default() },
            shim,
        }
    }

    pub const CHECKSUM: u16 = 0x01;
    pub const KEY: u16 = 0x04;
    pub const SEQUENCE: u16 = 0x08;
    pub const DONT_FRAGMENT: u16 = 0x0100;

    /// What has come in a packet from `source`.
    pub fn came(id: u64, source: IpAddr, flags: u16) -> TunnelInfo {
        let nowhere = unspecified(source.is_ipv6());
        let way = TunnelWay::Came;
        TunnelInfo { way, id, source, destination: nowhere, tos: 0, ttl: 0, label: 0, flags }
    }

    /// What a bridge's VLAN says (`__vlan_tunnel_info_add`).
    pub fn of_network(id: u32) -> TunnelInfo {
        let [source, destination] = [unspecified(false); 2];
        let (way, flags) = (TunnelWay::GoesByNetwork, TunnelInfo::KEY);
        TunnelInfo { way, id: id.into(), source, destination, tos: 0, ttl: 0, label: 0, flags }
    }

    /// `iptunnel_metadata_reply`: the way back; none of what is on its way out.
    pub fn back(self) -> Option<TunnelInfo> {
        let TunnelInfo { source, destination, .. } = self;
        (self.way == TunnelWay::Came).then_some(TunnelInfo {
            way: TunnelWay::Goes,
            source: destination,
            destination: source,
            tos: 0,
            ttl: 0,
            label: 0,
            ..self
        })
    }

    pub fn has(self, flag: u16) -> bool {
        self.flags & flag != 0
    }
}

/// No address, of a family.
pub fn unspecified(six: bool) -> IpAddr {
    if six { IpAddr::V6(Ipv6Addr::UNSPECIFIED) } else { IpAddr::V4(Ipv4Addr::UNSPECIFIED) }
}

/// What an encapsulated packet gets around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outer {
    /// The namespace whose IP stack carries it.
    pub underlay: NsId,
    /// Unspecified: chosen by the route. Of the family of `remote`.
    pub local: IpAddr,
    pub remote: IpAddr,
    /// Out of this device only; 0: any.
    pub oif: u32,
    pub tos: u8,
    /// 0: the namespace's default, unless it is final.
    pub ttl: u8,
    pub ttl_is_final: bool,
    /// IPv4 only.
    pub dont_fragment: bool,
    pub six: Six,
    pub shim: Shim,
}

/// What only an outer IPv6 header has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Six {
    pub label: u32,
    /// The flow is given a label where `label` is 0 (RFC 6437).
    pub labels_flow: bool,
    /// How often the packet may be put into others, told in an option (RFC 2473 §5.1).
    pub encapsulation_limit: Option<u8>,
    /// The remote may be an address of this host (`IP6_TNL_F_ALLOW_LOCAL_REMOTE`).
    pub local_remote: bool,
}

/// What a tunnel reads of the header of the packet that it carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inner {
    /// DSCP and ECN; 0 where the packet is not IP.
    pub tos: u8,
    /// 0 where the packet is not IP.
    pub ttl: u8,
    /// An IPv4 packet with DF, or an IPv6 packet.
    pub dont_fragment: bool,
}

impl Inner {
    /// `ip_tunnel_get_dsfield`, `ip_tunnel_get_ttl`
    pub fn of(frame: &Frame) -> Inner {
        let packet = frame.payload();
        match (frame.ethertype(), packet) {
            (ethertype::IPV4, &[_, tos, _, _, _, _, flags, _, ttl, ..]) => {
                Inner { tos, ttl, dont_fragment: flags & 0x40 != 0 }
            }
            (ethertype::IPV6, &[a, b, _, _, _, _, _, ttl, ..]) => {
                Inner { tos: a << 4 | b >> 4, ttl, dont_fragment: true }
            }
            _ => Inner::default(),
        }
    }

    /// `ip_tunnel_ecn_encap`: the outer TOS, with the congestion bits of the packet (RFC 6040 §4.1).
    pub fn outer_tos(&self, tos: u8) -> u8 {
        let bits = if self.tos & ECN == ECN { ECT_0 } else { self.tos & ECN };
        tos & !ECN | bits
    }
}

/// Congestion bits of a TOS; both set: congestion was met.
const ECN: u8 = 3;
const ECT_0: u8 = 2;

/// `ip6_tnl_parse_tlv_enc_lim`: where a packet says how often it may be put into others (RFC 2473 §5.1).
pub fn encapsulation_limit(packet: &[u8]) -> Option<(usize, u8)> {
    /// The option's type.
    const LIMIT: u8 = 4;
    let (mut kind, mut at) = (*packet.get(6)?, crate::ip6::HEADER_LEN);
    while matches!(kind, next::HOP | next::ROUTING | next::DESTINATION) {
        let len = usize::from(*packet.get(at + 1)?) * 8 + 8;
        let header = packet.get(at..at + len)?;
        let mut option = 2;
        while kind == next::DESTINATION && option + 3 <= len {
            match header.get(option..option + 3)? {
                [LIMIT, 1, limit] => return Some((at + option, *limit)),
                [0, ..] => option += 1,
                [_, skip, _] => option += usize::from(*skip) + 2,
                _ => break,
            }
        }
        (kind, at) = (*header.first()?, at + len);
    }
    None
}

/// `IP_ECN_decapsulate`: congestion that the outer packet met is told to the inner one (RFC 6040 §4.2).
///
/// # Errors
/// It cannot be told, for the packet knows no such marks.
pub fn decapsulate_ecn(outer_tos: u8, frame: &mut Frame) -> Result<(), DropReason> {
    if outer_tos & ECN != ECN {
        return Ok(());
    }
    let inner = Inner::of(frame);
    let kind = frame.ethertype();
    match kind {
        ethertype::IPV4 | ethertype::IPV6 if inner.tos & ECN == 0 => Err(DropReason::TunnelEcn),
        ethertype::IPV4 => {
            let packet = frame.payload_mut();
            if let Some(tos) = packet.get_mut(1) {
                *tos |= ECN;
            }
            let header_len = packet.first().map_or(0, |first| usize::from(first & 15) * 4);
            write_checksum(packet, header_len);
            Ok(())
        }
        ethertype::IPV6 => {
            if let Some(class) = frame.payload_mut().get_mut(1) {
                *class |= ECN << 4;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// `ipv6_copy_dscp`, `ipv4_change_dsfield`: the outer packet's class, without its bits of congestion, for the inner one.
pub fn copy_dscp(outer_tos: u8, frame: &mut Frame) {
    let tos = outer_tos & !ECN | Inner::of(frame).tos & ECN;
    let kind = frame.ethertype();
    let packet = frame.payload_mut();
    match (kind, packet.first_chunk_mut::<2>()) {
        (ethertype::IPV4, Some([first, old])) => {
            let header_len = usize::from(*first & 15) * 4;
            *old = tos;
            write_checksum(packet, header_len);
        }
        (ethertype::IPV6, Some([first, second])) => {
            *first = *first & 0xf0 | tos >> 4;
            *second = *second & 0x0f | tos << 4;
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Pool;
    use crate::ip::checksum;

    pub(super) fn packet(source: [u8; 4], destination: [u8; 4], tos: u8) -> Frame {
        let mut bytes = vec![0; 12];
        bytes.extend([8, 0]);
        let mut header = vec![0x45, tos, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0];
        header.extend(source);
        header.extend(destination);
        write_checksum(&mut header, 20);
        bytes.extend(header);
        bytes.extend([0, 7, 0, 7, 0, 8, 0, 0]);
        Pool::default().frame_from(&bytes)
    }

    /// RFC 6040 §4: what comes out of a tunnel whose outer packet met congestion.
    #[test]
    fn congestion_is_told_or_the_packet_dropped() {
        let mut capable = packet([10, 0, 0, 1], [10, 0, 0, 2], 2);
        assert_eq!(decapsulate_ecn(3, &mut capable), Ok(()));
        assert_eq!(Inner::of(&capable).tos, 3);
        assert_eq!(checksum(&capable.payload()[..20]), 0);
        let mut not = packet([10, 0, 0, 1], [10, 0, 0, 2], 0);
        assert_eq!(decapsulate_ecn(3, &mut not), Err(DropReason::TunnelEcn));
        assert_eq!(decapsulate_ecn(2, &mut not), Ok(()));
        assert_eq!(Inner { tos: 3, ..Inner::default() }.outer_tos(0x28), 0x2a);
    }

    #[test]
    fn a_packet_says_how_often_it_may_be_put_into_others() {
        let mut packet = vec![0; 48];
        (packet[0], packet[6]) = (0x60, next::DESTINATION);
        packet[40..].copy_from_slice(&[41, 0, 4, 1, 3, 1, 1, 0]);
        assert_eq!(encapsulation_limit(&packet), Some((42, 3)));
        packet[40..].copy_from_slice(&[41, 0, 1, 0, 4, 1, 2, 0]);
        assert_eq!(encapsulation_limit(&packet), Some((44, 2)));
        packet[40..].copy_from_slice(&[41, 0, 1, 4, 0, 0, 0, 0]);
        assert_eq!(encapsulation_limit(&packet), None);
        assert_eq!(encapsulation_limit(&packet[..44]), None);
        packet[6] = 58;
        assert_eq!(encapsulation_limit(&packet), None);
    }
}
