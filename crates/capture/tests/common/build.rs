//! Packets from parts, inside out, with right checksums.

use std::net::{Ipv4Addr, Ipv6Addr};

pub const A: [u8; 6] = [0x02, 0, 0, 0, 0, 0x0a];
pub const B: [u8; 6] = [0x02, 0, 0, 0, 0, 0x0b];
pub const BROADCAST: [u8; 6] = [0xff; 6];

pub fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0u32;
    for part in parts {
        for pair in part.chunks(2) {
            sum += u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

pub fn ether(to: [u8; 6], from: [u8; 6], ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = [to, from].concat();
    frame.extend(ethertype.to_be_bytes());
    frame.extend(payload);
    frame
}

pub fn padded(mut frame: Vec<u8>) -> Vec<u8> {
    frame.resize(frame.len().max(60), 0);
    frame
}

/// Puts a VLAN tag behind the addresses.
pub fn tagged(frame: &[u8], tpid: u16, tci: u16) -> Vec<u8> {
    let mut out = frame[..12].to_vec();
    out.extend(tpid.to_be_bytes());
    out.extend(tci.to_be_bytes());
    out.extend(&frame[12..]);
    out
}

pub fn arp(operation: u16, sender: ([u8; 6], [u8; 4]), target: ([u8; 6], [u8; 4])) -> Vec<u8> {
    let mut out = vec![0, 1, 8, 0, 6, 4];
    out.extend(operation.to_be_bytes());
    out.extend(sender.0);
    out.extend(sender.1);
    out.extend(target.0);
    out.extend(target.1);
    out
}

#[derive(Clone)]
pub struct V4 {
    pub from: [u8; 4],
    pub to: [u8; 4],
    pub protocol: u8,
    pub tos: u8,
    pub ttl: u8,
    pub id: u16,
    /// Flags and offset.
    pub fragment: u16,
    pub options: Vec<u8>,
}

pub fn v4(protocol: u8) -> V4 {
    V4 {
        from: [10, 0, 0, 1],
        to: [10, 0, 0, 2],
        protocol,
        tos: 0,
        ttl: 64,
        id: 0x1234,
        fragment: 0x4000,
        options: Vec::new(),
    }
}

impl V4 {
    pub fn packet(&self, payload: &[u8]) -> Vec<u8> {
        let words = 5 + self.options.len() / 4;
        let mut header = vec![0x40 | words as u8, self.tos];
        header.extend(((words * 4 + payload.len()) as u16).to_be_bytes());
        header.extend(self.id.to_be_bytes());
        header.extend(self.fragment.to_be_bytes());
        header.extend([self.ttl, self.protocol, 0, 0]);
        header.extend(self.from);
        header.extend(self.to);
        header.extend(&self.options);
        let sum = checksum(&[&header]);
        header[10..12].copy_from_slice(&sum.to_be_bytes());
        header.extend(payload);
        header
    }

    pub fn frame(&self, payload: &[u8]) -> Vec<u8> {
        ether(B, A, 0x0800, &self.packet(payload))
    }

    fn pseudo(&self, length: usize) -> Vec<u8> {
        let mut pseudo = [self.from, self.to].concat();
        pseudo.extend([0, self.protocol]);
        pseudo.extend((length as u16).to_be_bytes());
        pseudo
    }

    pub fn udp(&self, from: u16, to: u16, payload: &[u8]) -> Vec<u8> {
        let datagram = udp(from, to, payload);
        let sum = checksum(&[&self.pseudo(datagram.len()), &datagram]);
        self.frame(&with_sum(datagram, 6, sum))
    }

    pub fn tcp(&self, segment: Vec<u8>) -> Vec<u8> {
        let sum = checksum(&[&self.pseudo(segment.len()), &segment]);
        self.frame(&with_sum(segment, 16, sum))
    }
}

pub fn with_sum(mut bytes: Vec<u8>, at: usize, sum: u16) -> Vec<u8> {
    bytes[at..at + 2].copy_from_slice(&sum.to_be_bytes());
    bytes
}

pub fn udp(from: u16, to: u16, payload: &[u8]) -> Vec<u8> {
    let mut out = from.to_be_bytes().to_vec();
    out.extend(to.to_be_bytes());
    out.extend(((payload.len() + 8) as u16).to_be_bytes());
    out.extend([0, 0]);
    out.extend(payload);
    out
}

pub fn tcp(ports: (u16, u16), numbers: (u32, u32), flags: u8, options: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut out = ports.0.to_be_bytes().to_vec();
    out.extend(ports.1.to_be_bytes());
    out.extend(numbers.0.to_be_bytes());
    out.extend(numbers.1.to_be_bytes());
    out.extend([((20 + options.len()) / 4 * 16) as u8, flags, 0xfa, 0xf0, 0, 0, 0, 0]);
    out.extend(options);
    out.extend(payload);
    out
}

pub fn icmp(kind: u8, code: u8, word: u32, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![kind, code, 0, 0];
    out.extend(word.to_be_bytes());
    out.extend(payload);
    let sum = checksum(&[&out]);
    with_sum(out, 2, sum)
}

#[derive(Clone)]
pub struct V6 {
    pub from: Ipv6Addr,
    pub to: Ipv6Addr,
    pub next: u8,
    pub hop_limit: u8,
    /// Class and flow label.
    pub flow: u32,
}

pub fn v6(next: u8) -> V6 {
    V6 {
        from: "fe80::1".parse().expect("an address"),
        to: "2001:db8::2".parse().expect("an address"),
        next,
        hop_limit: 64,
        flow: 0,
    }
}

impl V6 {
    pub fn packet(&self, payload: &[u8]) -> Vec<u8> {
        let mut header = (0x6000_0000 | self.flow).to_be_bytes().to_vec();
        header.extend((payload.len() as u16).to_be_bytes());
        header.extend([self.next, self.hop_limit]);
        header.extend(self.from.octets());
        header.extend(self.to.octets());
        header.extend(payload);
        header
    }

    pub fn frame(&self, payload: &[u8]) -> Vec<u8> {
        ether(B, A, 0x86dd, &self.packet(payload))
    }

    /// A transport packet with its checksum at `at`, behind the extension headers `before`.
    pub fn summed(&self, before: &[u8], protocol: u8, packet: Vec<u8>, at: usize) -> Vec<u8> {
        let mut pseudo = [self.from.octets(), self.to.octets()].concat();
        pseudo.extend((packet.len() as u32).to_be_bytes());
        pseudo.extend([0, 0, 0, protocol]);
        let sum = checksum(&[&pseudo, &packet]);
        self.frame(&[before, &with_sum(packet, at, sum)].concat())
    }

    pub fn icmp6(&self, kind: u8, code: u8, body: &[u8]) -> Vec<u8> {
        self.summed(&[], 58, [&[kind, code, 0, 0], body].concat(), 2)
    }
}

pub fn address(text: &str) -> [u8; 4] {
    text.parse::<Ipv4Addr>().expect("an address").octets()
}

pub fn address6(text: &str) -> [u8; 16] {
    text.parse::<Ipv6Addr>().expect("an address").octets()
}

pub fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("digits"), 16).expect("digits"))
        .collect()
}

/// A DNS name without compression.
pub fn name(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for label in text.split('.').filter(|label| !label.is_empty()) {
        out.push(label.len() as u8);
        out.extend(label.bytes());
    }
    out.push(0);
    out
}

/// An 802.3 frame.
pub fn llc(to: [u8; 6], payload: &[u8]) -> Vec<u8> {
    padded(ether(to, A, payload.len() as u16, payload))
}
