//! A frame in one short line, for traces. (Captures have the full text: crate `capture`.)

use std::net::Ipv4Addr;

use crate::frame::{Frame, ethertype};
use crate::neigh::arp::{Arp, REQUEST};

/// For instance `02:…:01 > ff:…:ff ARP who-has 10.0.0.2 tell 10.0.0.1`.
pub fn summary(frame: &Frame) -> String {
    let tag = frame.tag.map_or(String::new(), |tag| format!(" vlan {}", tag.vid()));
    let what = match frame.ethertype() {
        ethertype::ARP => arp(frame.payload()),
        ethertype::IPV4 => ipv4(frame.payload()),
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
        (17, [a, b, c, d, ..]) => {
            format!("UDP {} > {}", u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d]))
        }
        (6, [a, b, c, d, ..]) => {
            format!("TCP {} > {}", u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d]))
        }
        (other, _) => format!("protocol {other}"),
    };
    format!("IP {} > {} ttl {} {protocol}", address(12), address(16), header[8])
}
