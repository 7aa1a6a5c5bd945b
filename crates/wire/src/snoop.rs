//! What a switch reads of IGMP (RFC 2236, RFC 3376) and MLD (RFC 2710, RFC 3810) when it snoops.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

const IGMP: u8 = 2;
const ICMPV6: u8 = 58;
const HOP_BY_HOP: u8 = 0;

/// A packet to a multicast address, as far as snooping goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// Cut short, or with a wrong checksum.
    Malformed,
    /// Not about membership.
    Other {
        to: IpAddr,
    },
    Message(Message<'a>),
}

/// A message about membership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// Of IGMPv1, IGMPv2 or MLDv1.
    Report(IpAddr),
    Leave(IpAddr),
    /// A report of IGMPv3 or MLDv2.
    Records(Records<'a>),
    Query {
        /// None for all groups.
        group: Option<IpAddr>,
        from: IpAddr,
        /// Within what time members answer.
        response: Duration,
        /// Of IGMP or MLD, as the query's form tells it.
        version: u8,
    },
}

/// The records of a report of IGMPv3 or MLDv2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Records<'a> {
    count: u16,
    bytes: &'a [u8],
    v6: bool,
}

impl<'a> Records<'a> {
    /// Each record's group, and whether it is joined rather than left. Records of unknown kinds are left out;
    /// those behind one that is cut short too.
    pub fn groups(self) -> impl Iterator<Item = (IpAddr, bool)> + use<'a> {
        let address_len = if self.v6 { 16 } else { 4 };
        let mut rest = self.bytes;
        let mut left = self.count;
        std::iter::from_fn(move || {
            while left > 0 {
                left -= 1;
                let head = rest.get(..4 + address_len)?;
                let sources = usize::from(u16::from_be_bytes([head[2], head[3]]));
                let group = address(&head[4..])?;
                let len = 4 + address_len + sources * address_len + 4 * usize::from(head[1]);
                let kind = head[0];
                rest = rest.get(len..)?;
                // Include and change to include, of no sources, are how a group is left.
                match kind {
                    1 | 3 if sources == 0 => return Some((group, false)),
                    1..=6 => return Some((group, true)),
                    _ => {}
                }
            }
            None
        })
    }
}

/// Reads an IPv4 packet to a multicast address (`ip_mc_check_igmp`).
pub fn read_ipv4(packet: &[u8]) -> Packet<'_> {
    let Some(header) = packet.first_chunk::<20>() else { return Packet::Malformed };
    let header_len = usize::from(header[0] & 0xf) * 4;
    let total = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let sound = header[0] >> 4 == 4
        && header_len >= 20
        && (header_len..=packet.len()).contains(&total)
        && checksum(&packet[..header_len], 0) == 0;
    if !sound {
        return Packet::Malformed;
    }
    let from = IpAddr::V4(Ipv4Addr::new(header[12], header[13], header[14], header[15]));
    let to = Ipv4Addr::new(header[16], header[17], header[18], header[19]);
    let other = Packet::Other { to: IpAddr::V4(to) };
    if header[9] != IGMP || !to.is_multicast() {
        return other;
    }
    let body = &packet[header_len..total];
    let Some(head) = body.first_chunk::<8>() else { return Packet::Malformed };
    // Of messages that nobody knows, too.
    if checksum(body, 0) != 0 {
        return Packet::Malformed;
    }
    let group = Ipv4Addr::new(head[4], head[5], head[6], head[7]);
    Packet::Message(match head[0] {
        0x12 | 0x16 => Message::Report(IpAddr::V4(group)),
        0x17 => Message::Leave(IpAddr::V4(group)),
        0x22 => Message::Records(Records {
            count: u16::from_be_bytes([head[6], head[7]]),
            bytes: &body[8..],
            v6: false,
        }),
        0x11 => {
            let all = group.is_unspecified();
            if all && to != Ipv4Addr::new(224, 0, 0, 1) || body.len() != 8 && body.len() < 12 {
                return Packet::Malformed;
            }
            // Of version 1 there is no time, and its group is not looked at.
            let first = body.len() == 8 && head[1] == 0;
            let tenths = match body.len() {
                8 if first => 100,
                8 => u64::from(head[1]),
                _ => floating(u64::from(head[1]), 4, 3),
            };
            Message::Query {
                group: Some(IpAddr::V4(group)).filter(|_| !all && !first),
                from,
                response: Duration::from_millis(tenths * 100),
                version: match body.len() {
                    8 if first => 1,
                    8 => 2,
                    _ => 3,
                },
            }
        }
        _ => return other,
    })
}

/// Reads an IPv6 packet to a multicast address (`ipv6_mc_check_mld`).
pub fn read_ipv6(packet: &[u8]) -> Packet<'_> {
    let Some(header) = packet.first_chunk::<40>() else { return Packet::Malformed };
    let length = usize::from(u16::from_be_bytes([header[4], header[5]]));
    let (Some(from), Some(to)) = (address(&header[8..24]), address(&header[24..40])) else {
        return Packet::Malformed;
    };
    let Some(payload) = packet.get(40..40 + length).filter(|_| header[0] >> 4 == 6) else {
        return Packet::Malformed;
    };
    let other = Packet::Other { to };
    // MLD always has a hop-by-hop option, the router alert.
    let (HOP_BY_HOP, Some([ICMPV6, words])) = (header[6], payload.first_chunk::<2>()) else { return other };
    let Some(body) = payload.get(8 + 8 * usize::from(*words)..) else { return Packet::Malformed };
    let Some(kind) = body.first() else { return Packet::Malformed };
    if !matches!(kind, 130..=132 | 143) {
        return other;
    }
    let mut pseudo = 0u32;
    for pair in header[8..40].chunks_exact(2) {
        pseudo += u32::from(u16::from_be_bytes([pair[0], pair[1]]));
    }
    pseudo += body.len() as u32 + u32::from(ICMPV6);
    if checksum(body, pseudo) != 0 {
        return Packet::Malformed;
    }
    if *kind == 143 {
        let Some(head) = body.first_chunk::<8>() else { return Packet::Malformed };
        let count = u16::from_be_bytes([head[6], head[7]]);
        return Packet::Message(Message::Records(Records { count, bytes: &body[8..], v6: true }));
    }
    let Some(group) = body.get(8..24).and_then(address) else { return Packet::Malformed };
    Packet::Message(match kind {
        131 => Message::Report(group),
        132 => Message::Leave(group),
        _ => {
            let code = u64::from(u16::from_be_bytes([body[4], body[5]]));
            let millis = if body.len() == 24 { code } else { floating(code, 12, 3) };
            Message::Query {
                group: Some(group).filter(|group| !group.is_unspecified()),
                from,
                response: Duration::from_millis(millis),
                version: if body.len() == 24 { 1 } else { 2 },
            }
        }
    })
}

/// A time as the newer versions write long ones: an exponent of `exponent` bits and a mantissa (RFC 3376 §4.1.1,
/// RFC 3810 §5.1.3).
pub fn floating(code: u64, mantissa: u32, exponent: u32) -> u64 {
    let limit = 1 << (mantissa + exponent);
    if code < limit {
        return code;
    }
    let exp = code >> mantissa & ((1 << exponent) - 1);
    (code & ((1 << mantissa) - 1) | 1 << mantissa) << (exp + 3)
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => bytes.first_chunk::<4>().map(|octets| IpAddr::V4(Ipv4Addr::from(*octets))),
        16 => bytes.first_chunk::<16>().map(|octets| IpAddr::V6(Ipv6Addr::from(*octets))),
        _ => None,
    }
}

/// The internet checksum; 0 where the bytes hold their own.
fn checksum(bytes: &[u8], start: u32) -> u16 {
    let mut sum = u64::from(start);
    for pair in bytes.chunks(2) {
        sum += u64::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// Where queries go, those about one group too.
pub const QUERY_TO: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 1);

/// Length of a query of IGMPv2 with an IPv4 header that has the router alert.
pub const QUERY_LEN: usize = 32;

/// Writes a query of IGMPv2 with its IPv4 header. False if there is too little room.
pub fn write_query(bytes: &mut [u8], source: Ipv4Addr, group: Option<Ipv4Addr>, response: Duration) -> bool {
    let Some(bytes) = bytes.first_chunk_mut::<QUERY_LEN>() else { return false };
    *bytes = [0; QUERY_LEN];
    bytes[..10].copy_from_slice(&[0x46, 0xc0, 0, QUERY_LEN as u8, 0, 0, 0x40, 0, 1, IGMP]);
    bytes[12..16].copy_from_slice(&source.octets());
    bytes[16..20].copy_from_slice(&QUERY_TO.octets());
    // The router alert option.
    bytes[20..24].copy_from_slice(&[0x94, 4, 0, 0]);
    let sum = checksum(&bytes[..24], 0);
    bytes[10..12].copy_from_slice(&sum.to_be_bytes());
    bytes[24] = 0x11;
    bytes[25] = (response.as_millis() / 100).min(255) as u8;
    bytes[28..32].copy_from_slice(&group.unwrap_or(Ipv4Addr::UNSPECIFIED).octets());
    let sum = checksum(&bytes[24..], 0);
    bytes[26..28].copy_from_slice(&sum.to_be_bytes());
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn igmp(body: &[u8], to: [u8; 4]) -> Vec<u8> {
        let mut packet = vec![0x45, 0, 0, (20 + body.len()) as u8, 0, 0, 0, 0, 1, IGMP, 0, 0, 10, 0, 0, 1];
        packet.extend(to);
        let sum = checksum(&packet, 0).to_be_bytes();
        packet[10..12].copy_from_slice(&sum);
        let mut body = body.to_vec();
        let sum = checksum(&body, 0).to_be_bytes();
        body[2..4].copy_from_slice(&sum);
        packet.extend(body);
        packet
    }

    const GROUP: [u8; 4] = [239, 1, 1, 1];

    #[test]
    fn reports_leaves_and_queries_of_version_2() {
        let group = IpAddr::V4(GROUP.into());
        let message = |kind: u8| igmp(&[kind, 0, 0, 0, 239, 1, 1, 1], GROUP);
        assert_eq!(read_ipv4(&message(0x16)), Packet::Message(Message::Report(group)));
        assert_eq!(read_ipv4(&message(0x17)), Packet::Message(Message::Leave(group)));
        assert_eq!(read_ipv4(&message(0x99)), Packet::Other { to: group });
        let mut bytes = [0; QUERY_LEN];
        for asked in [None, Some(Ipv4Addr::from(GROUP))] {
            assert!(write_query(&mut bytes, [10, 0, 0, 9].into(), asked, Duration::from_secs(10)));
            let expected = Message::Query {
                group: asked.map(IpAddr::V4),
                from: IpAddr::V4([10, 0, 0, 9].into()),
                response: Duration::from_secs(10),
                version: 2,
            };
            assert_eq!(read_ipv4(&bytes), Packet::Message(expected));
        }
    }

    #[test]
    fn records_of_version_3() {
        let record = |kind: u8, sources: u8| {
            let mut record = vec![kind, 0, 0, sources, 239, 1, 1, kind];
            record.extend(vec![10; 4 * usize::from(sources)]);
            record
        };
        let mut body = vec![0x22, 0, 0, 0, 0, 0, 0, 4];
        for (kind, sources) in [(4, 0), (3, 0), (1, 2), (9, 0)] {
            body.extend(record(kind, sources));
        }
        let packet = igmp(&body, [224, 0, 0, 22]);
        let Packet::Message(Message::Records(records)) = read_ipv4(&packet) else { panic!("records") };
        let group = |last| IpAddr::V4(Ipv4Addr::new(239, 1, 1, last));
        assert_eq!(
            records.groups().collect::<Vec<_>>(),
            [(group(4), true), (group(3), false), (group(1), true)]
        );
    }

    #[test]
    fn what_is_cut_short_or_spoilt_is_malformed() {
        let packet = igmp(&[0x16, 0, 0, 0, 239, 1, 1, 1], GROUP);
        for len in 0..packet.len() {
            assert_eq!(read_ipv4(&packet[..len]), Packet::Malformed, "{len}");
        }
        let mut spoilt = packet.clone();
        spoilt[27] ^= 1;
        assert_eq!(read_ipv4(&spoilt), Packet::Malformed);
        // A general query goes to all hosts.
        assert_eq!(read_ipv4(&igmp(&[0x11, 100, 0, 0, 0, 0, 0, 0], GROUP)), Packet::Malformed);
        assert_eq!(read_ipv6(&[0x60; 30]), Packet::Malformed);
    }

    #[test]
    fn a_report_of_mld() {
        let mut packet = vec![0x60, 0, 0, 0, 0, 32, HOP_BY_HOP, 1];
        packet.extend([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        let group = [0xff, 0x15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
        packet.extend(group);
        packet.extend([ICMPV6, 0, 5, 2, 0, 0, 0, 0]);
        let mut body = vec![131, 0, 0, 0, 0, 0, 0, 0];
        body.extend(group);
        let mut pseudo = u32::from(ICMPV6) + 24;
        for pair in packet[8..40].chunks_exact(2) {
            pseudo += u32::from(u16::from_be_bytes([pair[0], pair[1]]));
        }
        let sum = checksum(&body, pseudo).to_be_bytes();
        body[2..4].copy_from_slice(&sum);
        packet.extend(body);
        assert_eq!(read_ipv6(&packet), Packet::Message(Message::Report(IpAddr::V6(group.into()))));
        packet[60] ^= 1;
        assert_eq!(read_ipv6(&packet), Packet::Malformed);
    }

    #[test]
    fn long_times() {
        assert_eq!(floating(127, 4, 3), 127);
        assert_eq!(floating(0x80, 4, 3), 16 << 3);
        assert_eq!(floating(0xff, 4, 3), 31 << 10);
    }
}
