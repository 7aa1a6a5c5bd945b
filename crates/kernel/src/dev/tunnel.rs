//! What tunnels have in common: what is put around a packet, and how a flow chooses its source port
//! (include/net/ip_tunnels.h, include/net/udp_tunnel.h, include/net/inet_ecn.h).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hairpin_wire::vlan::Tag;

use crate::dev::vxlan;
use crate::drop_reason::DropReason;
use crate::frame::{ETH_LEN, Frame, Partial, ethertype};
use crate::ip::{Header, UDP_CHECKSUM, UDP_LEN, checksum, fold, protocol, pseudo_sum, sum, write_checksum};
use crate::ip6::{self, next};
use crate::netns::NsId;

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

/// `udp_flow_src_port`: a port of `low..high` by the flow of the packet; both directions of a flow have the same.
pub fn source_port(frame: &Frame, (low, high): (u16, u16)) -> u16 {
    let hash = u64::from(flow_hash(frame));
    let span = u64::from(high.saturating_sub(low));
    low.saturating_add(((hash * span) >> 32) as u16)
}

/// A hash of addresses, protocol and ports, whichever the direction (`skb_get_hash`).
pub fn flow_hash(frame: &Frame) -> u32 {
    let mut state = Fnv::new();
    let mut at = ETH_LEN;
    let mut kind = frame.ethertype();
    if Tag::is_tpid(kind)
        && let Some(&[tci, low, a, b]) = frame.payload().first_chunk()
    {
        state.add(&[tci & 0x0f, low]);
        kind = u16::from_be_bytes([a, b]);
        at += hairpin_wire::vlan::TAG_LEN;
    }
    state.add(&kind.to_be_bytes());
    let packet = frame.bytes().get(at..).unwrap_or(&[]);
    match kind {
        ethertype::IPV4 => {
            if let Some(header) = Header::quoted(packet) {
                state.add_both(&header.source.octets(), &header.destination.octets());
                state.add(&[header.protocol]);
                if !header.is_fragment() {
                    let rest = packet.get(header.header_len..).unwrap_or(&[]);
                    ports(&mut state, header.protocol, rest);
                }
            }
        }
        ethertype::IPV6 => {
            if let (Some(source), Some(destination)) = (packet.get(8..24), packet.get(24..40)) {
                state.add_both(source, destination);
                let next = packet.get(6).copied().unwrap_or(0);
                state.add(&[next]);
                ports(&mut state, next, packet.get(40..).unwrap_or(&[]));
            }
        }
        _ => {}
    }
    state.finish()
}

fn ports(state: &mut Fnv, protocol: u8, rest: &[u8]) {
    match (protocol, rest) {
        (protocol::TCP | protocol::UDP, &[a, b, c, d, ..]) => state.add_both(&[a, b], &[c, d]),
        // The identifier of an echo request and its reply.
        (protocol::ICMP, &[0 | 8, _, _, _, a, b, ..]) => state.add(&[a, b]),
        _ => {}
    }
}

/// The hash function FNV-1a, 32 bits, its bits mixed in the end.
struct Fnv(u32);

impl Fnv {
    fn new() -> Fnv {
        Fnv(0x811c_9dc5)
    }

    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
    }

    /// The same whichever of the two comes first.
    fn add_both(&mut self, one: &[u8], other: &[u8]) {
        let (first, second) = if one <= other { (one, other) } else { (other, one) };
        self.add(first);
        self.add(second);
    }

    fn finish(self) -> u32 {
        let mixed = (self.0 ^ self.0 >> 16).wrapping_mul(0x85eb_ca6b);
        mixed ^ mixed >> 13
    }
}

/// Whether the one's complement sum over `bytes` is right.
pub fn sums_up(bytes: &[u8]) -> bool {
    checksum(bytes) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Pool;

    fn packet(source: [u8; 4], destination: [u8; 4], tos: u8) -> Frame {
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

    #[test]
    fn both_directions_of_a_flow_have_one_port_within_the_range() {
        let (a, b) = ([10, 0, 0, 1], [10, 0, 0, 2]);
        let range = (32768, 60999);
        let port = source_port(&packet(a, b, 0), range);
        assert_eq!(port, source_port(&packet(b, a, 0), range));
        assert!((range.0..range.1).contains(&port));
        assert_eq!(source_port(&packet(a, b, 0), (50000, 50001)), 50000);
        assert_ne!(port, source_port(&packet(a, [10, 0, 0, 3], 0), range));
    }

    /// RFC 6040 §4: what comes out of a tunnel whose outer packet met congestion.
    #[test]
    fn congestion_is_told_or_the_packet_dropped() {
        let mut capable = packet([10, 0, 0, 1], [10, 0, 0, 2], 2);
        assert_eq!(decapsulate_ecn(3, &mut capable), Ok(()));
        assert_eq!(Inner::of(&capable).tos, 3);
        assert!(sums_up(&capable.payload()[..20]));
        let mut not = packet([10, 0, 0, 1], [10, 0, 0, 2], 0);
        assert_eq!(decapsulate_ecn(3, &mut not), Err(DropReason::TunnelEcn));
        assert_eq!(decapsulate_ecn(2, &mut not), Ok(()));
        assert_eq!(Inner { tos: 3, ..Inner::default() }.outer_tos(0x28), 0x2a);
    }

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
