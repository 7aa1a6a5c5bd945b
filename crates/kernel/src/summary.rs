//! A frame in one short line, for traces. (Captures have the full text: crate `capture`.)

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::frame::{Frame, ethertype};
use crate::ip6::extension;
use crate::neigh::arp::{Arp, REQUEST};

/// A smaller EtherType is a length (IEEE 802.3).
const ETHERTYPE_MIN: u16 = 0x600;
/// The LLC header of spanning tree.
const STP: &[u8] = &[0x42, 0x42, 3];

/// For instance `02:…:01 > ff:…:ff ARP who-has 10.0.0.2 tell 10.0.0.1`.
pub fn summary(frame: &Frame) -> String {
    let tag = frame.tag.map_or(String::new(), |tag| format!(" vlan {}", tag.vid()));
    let what = match frame.ethertype() {
        ethertype::ARP => arp(frame.payload()),
        ethertype::IPV4 => ipv4(frame.payload()),
        ethertype::IPV6 => ipv6(frame.payload()),
        ..ETHERTYPE_MIN if frame.payload().starts_with(STP) => "STP".to_owned(),
        ..ETHERTYPE_MIN => "802.3".to_owned(),
        other => format!("ethertype {other:#06x}"),
    };
    format!("{} > {}{tag} {what} length {}", frame.source(), frame.destination(), frame.len())
}

fn arp(payload: &[u8]) -> String {
    match Arp::parse(payload) {
        Some(arp) if arp.operation == REQUEST => {
            format!("ARP who-has {} tell {}", arp.target, arp.sender)
        }
        Some(arp) => format!("ARP {} is-at {}", arp.sender, arp.sender_mac),
        None => "ARP (malformed)".to_owned(),
    }
}

fn ipv4(payload: &[u8]) -> String {
    let Some(header) = payload.first_chunk::<20>() else { return "IP (malformed)".to_owned() };
    let address = |at: usize| Ipv4Addr::new(header[at], header[at + 1], header[at + 2], header[at + 3]);
    let body = payload.get(usize::from(header[0] & 15) * 4..).unwrap_or(&[]);
    let protocol = match (header[9], body) {
        (1, [0, ..]) => "ICMP echo reply".to_owned(),
        (1, [8, ..]) => "ICMP echo request".to_owned(),
        (1, [kind, code, ..]) => format!("ICMP {kind}/{code}"),
        (2, _) => "IGMP".to_owned(),
        (protocol, body) => upper_layer(protocol, body),
    };
    format!("IP {} > {} ttl {} {protocol}", address(12), address(16), header[8])
}

fn ipv6(payload: &[u8]) -> String {
    let Some(header) = payload.first_chunk::<40>() else { return "IP6 (malformed)".to_owned() };
    let address = |bytes: &[u8]| <[u8; 16]>::try_from(bytes).map_or(Ipv6Addr::UNSPECIFIED, Ipv6Addr::from);
    let protocol = match extension::upper_layer(payload) {
        Some((kind, at)) => match (kind, payload.get(at..).unwrap_or(&[])) {
            (58, [kind, code, ..]) => icmp6(*kind, *code),
            (kind, body) => upper_layer(kind, body),
        },
        None => "fragment".to_owned(),
    };
    format!("IP6 {} > {} hlim {} {protocol}", address(&header[8..24]), address(&header[24..40]), header[7])
}

/// RFC 4443, 4861, 2710 and 3810.
fn icmp6(kind: u8, code: u8) -> String {
    let name = match kind {
        128 => "echo request",
        129 => "echo reply",
        130 => "multicast listener query",
        131 | 143 => "multicast listener report",
        132 => "multicast listener done",
        133 => "router solicitation",
        134 => "router advertisement",
        135 => "neighbor solicitation",
        136 => "neighbor advertisement",
        137 => "redirect",
        _ => return format!("ICMP6 {kind}/{code}"),
    };
    format!("ICMP6 {name}")
}

fn upper_layer(protocol: u8, body: &[u8]) -> String {
    let name = match protocol {
        6 => "TCP",
        17 => "UDP",
        _ => return format!("protocol {protocol}"),
    };
    match body {
        [a, b, c, d, ..] => {
            format!("{name} {} > {}", u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d]))
        }
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &str) -> String {
        let bytes: Vec<u8> = (0..bytes.len() / 2)
            .map(|at| u8::from_str_radix(&bytes[2 * at..2 * at + 2], 16).expect("hexadecimal"))
            .collect();
        let mut frame = crate::frame::Pool::default().frame(bytes.len());
        frame.bytes_mut().copy_from_slice(&bytes);
        summary(&frame)
    }

    #[test]
    fn a_line_tells_what_is_inside() {
        let echo =
            "020000000002020000000001080045000020000000004001000f0a0000010a000002080000000000000000000000";
        assert_eq!(
            of(echo),
            "02:00:00:00:00:01 > 02:00:00:00:00:02 IP 10.0.0.1 > 10.0.0.2 ttl 64 ICMP echo request length 46"
        );
        let report = "333300000016 020000000001 86dd 6000000000100001 fe80000000000000 0000000000000001 \
                      ff02000000000000 0000000000000016 3a00050200000100 8f000000 00000001"
            .replace(' ', "");
        assert_eq!(
            of(&report),
            "02:00:00:00:00:01 > 33:33:00:00:00:16 IP6 fe80::1 > ff02::16 hlim 1 ICMP6 multicast listener report \
             length 70"
        );
        let bpdu = "0180c2000000020000000001002642420300000000000000000000000000000000000000000000";
        assert_eq!(of(bpdu), "02:00:00:00:00:01 > 01:80:c2:00:00:00 STP length 39");
    }
}
