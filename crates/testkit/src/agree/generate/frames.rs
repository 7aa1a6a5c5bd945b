//! Frames that scenarios send as they are (`inject`): what no program of a host would say, or not at that moment.

use std::net::{Ipv4Addr, Ipv6Addr};

pub type Mac = [u8; 6];

pub const BROADCAST: Mac = [0xff; 6];
pub const IPV4: u16 = 0x0800;
pub const ARP: u16 = 0x0806;
pub const IPV6: u16 = 0x86dd;
const IGMP: u8 = 2;
const ICMPV6: u8 = 58;

/// The MAC of a host that is not there.
pub fn mac(last: u8) -> Mac {
    [0x02, 0, 0, 0, 0xaa, last]
}

pub fn hex(frame: &[u8]) -> String {
    frame.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As `ip link` writes it.
pub fn text(mac: Mac) -> String {
    mac.map(|byte| format!("{byte:02x}")).join(":")
}

pub fn ether(to: Mac, from: Mac, kind: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = [to, from].concat();
    frame.extend(kind.to_be_bytes());
    frame.extend(payload);
    // The shortest that a wire carries.
    frame.resize(frame.len().max(60), 0);
    frame
}

/// The frame with a tag.
pub fn tagged(frame: &[u8], protocol: u16, tci: u16) -> Vec<u8> {
    let (addresses, rest) = frame.split_at(12);
    let mut tagged = addresses.to_vec();
    tagged.extend(protocol.to_be_bytes());
    tagged.extend(tci.to_be_bytes());
    tagged.extend(rest);
    tagged
}

/// A frame with a length and the header of LLC.
pub fn llc(to: Mac, from: Mac, payload: &[u8]) -> Vec<u8> {
    ether(to, from, payload.len() as u16, payload)
}

/// The payload of ARP over Ethernet.
pub fn arp(operation: u16, sender: (Mac, Ipv4Addr), target: (Mac, Ipv4Addr)) -> Vec<u8> {
    let mut packet = vec![0, 1, 8, 0, 6, 4];
    packet.extend(operation.to_be_bytes());
    for (mac, address) in [sender, target] {
        packet.extend(mac);
        packet.extend(address.octets());
    }
    packet
}

/// The internet checksum.
fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = 0;
    for pair in bytes.chunks(2) {
        sum += u32::from(pair[0]) << 8 | pair.get(1).copied().map_or(0, u32::from);
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

pub fn ipv4(protocol: u8, ttl: u8, from: Ipv4Addr, to: Ipv4Addr, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x45, 0];
    packet.extend((20 + payload.len() as u16).to_be_bytes());
    packet.extend([0, 0, 0, 0, ttl, protocol, 0, 0]);
    packet.extend(from.octets());
    packet.extend(to.octets());
    let sum = checksum(&packet);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet.extend(payload);
    packet
}

/// The MAC that stands for a group.
pub fn of_group(group: Ipv4Addr) -> Mac {
    let [_, a, b, c] = group.octets();
    [1, 0, 0x5e, a & 0x7f, b, c]
}

/// A datagram to a group, without a checksum.
pub fn datagram(from: (Mac, Ipv4Addr), to: Ipv4Addr) -> Vec<u8> {
    let udp = [0x9c, 0x40, 0x27, 0x0f, 0, 12, 0, 0, b'd', b'a', b't', b'a'];
    ether(of_group(to), from.0, IPV4, &ipv4(17, 4, from.1, to, &udp))
}

/// A message of IGMP, whose checksum is filled in.
pub fn igmp(from: (Mac, Ipv4Addr), to: Ipv4Addr, message: &[u8]) -> Vec<u8> {
    let mut message = message.to_vec();
    let sum = checksum(&message);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    ether(of_group(to), from.0, IPV4, &ipv4(IGMP, 1, from.1, to, &message))
}

/// A message of MLD behind a router alert, whose checksum is filled in.
pub fn mld(from: (Mac, Ipv6Addr), to: Ipv6Addr, message: &[u8]) -> Vec<u8> {
    let mut message = message.to_vec();
    let mut pseudo = [from.1.octets(), to.octets()].concat();
    pseudo.extend((message.len() as u32).to_be_bytes());
    pseudo.extend(u32::from(ICMPV6).to_be_bytes());
    pseudo.extend(&message);
    let sum = checksum(&pseudo);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend((8 + message.len() as u16).to_be_bytes());
    packet.extend([0, 1]);
    packet.extend(from.1.octets());
    packet.extend(to.octets());
    packet.extend([ICMPV6, 0, 5, 2, 0, 0, 1, 0]);
    packet.extend(message);
    let [.., a, b, c, d] = to.octets();
    ether([0x33, 0x33, a, b, c, d], from.0, IPV6, &packet)
}

/// What a bridge says of its tree.
#[derive(Clone, Copy, Debug)]
pub struct Configuration {
    pub flags: u8,
    pub root: u64,
    pub cost: u32,
    pub bridge: u64,
    pub port: u16,
    /// In seconds.
    pub age: u16,
    pub max_age: u16,
    pub hello: u16,
    pub delay: u16,
}

pub fn bpdu(configuration: Configuration) -> Vec<u8> {
    let Configuration { flags, root, cost, bridge, port, age, max_age, hello, delay } = configuration;
    let mut payload = vec![0x42, 0x42, 3, 0, 0, 0, 0, flags];
    payload.extend(root.to_be_bytes());
    payload.extend(cost.to_be_bytes());
    payload.extend(bridge.to_be_bytes());
    payload.extend(port.to_be_bytes());
    for seconds in [age, max_age, hello, delay] {
        payload.extend((seconds << 8).to_be_bytes());
    }
    payload
}

/// A notification that the topology has changed.
pub const CHANGED: [u8; 7] = [0x42, 0x42, 3, 0, 0, 0, 0x80];
