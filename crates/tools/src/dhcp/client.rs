//! What both clients do: frames before there is an address, and what a lease makes of a device.

use std::net::Ipv4Addr;

use hairpin_netlink::{Address, Errno, Fd, Received, SocketKind};

use super::{CLIENT_PORT, Kind, Message, SERVER_PORT, option};
use crate::interfaces::{Interfaces, cut};
use crate::{Program, ip};

const ETHERTYPE_IPV4: u16 = 0x0800;
const IPV4_HEADER_LEN: usize = 20;
const UDP_HEADER_LEN: usize = 8;
const PROTOCOL_UDP: u8 = 17;

/// A device, and a socket that sees all its IPv4 frames.
pub(super) struct Link {
    pub name: String,
    pub mac: [u8; 6],
    ifindex: u32,
    socket: Fd,
}

/// How a client's IP headers look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub tos: u8,
    pub ttl: u8,
}

/// What a server has granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lease {
    pub address: Ipv4Addr,
    pub mask: Ipv4Addr,
    pub broadcast: Option<Ipv4Addr>,
    pub routers: Vec<Ipv4Addr>,
    pub dns: Vec<Ipv4Addr>,
    pub domain: Option<String>,
    pub server: Ipv4Addr,
    /// Seconds.
    pub time: u32,
    pub renewal: u32,
}

impl Lease {
    pub fn of(ack: &Message) -> Lease {
        let time = ack.number(option::LEASE_TIME).unwrap_or(u32::MAX);
        Lease {
            address: ack.yours,
            mask: ack.address(option::MASK).unwrap_or(class_mask(ack.yours)),
            broadcast: ack.address(option::BROADCAST),
            routers: ack.addresses(option::ROUTER),
            dns: ack.addresses(option::DNS),
            domain: ack.text(option::DOMAIN),
            server: ack.address(option::SERVER).unwrap_or(Ipv4Addr::UNSPECIFIED),
            time,
            renewal: ack.number(option::RENEWAL).unwrap_or(time / 2),
        }
    }

    pub fn prefix_len(&self) -> u32 {
        self.mask.to_bits().leading_ones()
    }
}

/// The mask of an address without one.
fn class_mask(address: Ipv4Addr) -> Ipv4Addr {
    match address.octets()[0] {
        0..128 => Ipv4Addr::new(255, 0, 0, 0),
        128..192 => Ipv4Addr::new(255, 255, 0, 0),
        _ => Ipv4Addr::new(255, 255, 255, 0),
    }
}

impl Link {
    /// # Errors
    /// `ENODEV` where there is no such Ethernet device.
    pub fn open(program: &mut Program<'_>, name: &str) -> Result<Link, Errno> {
        let devices = Interfaces::dump(program.system).map_err(|failure| failure.errno)?;
        let device = devices.by_name(cut(name)).ok_or(Errno::ENODEV)?;
        let mac = *device.address().first_chunk::<6>().ok_or(Errno::ENODEV)?;
        let ifindex = device.index();
        let kind = SocketKind::Packet { cooked: false, protocol: ETHERTYPE_IPV4 };
        let socket = program.system.socket(kind)?;
        let own = Address::Link { ifindex, protocol: ETHERTYPE_IPV4, mac: [0; 6] };
        program.system.bind(socket, own)?;
        Ok(Link { name: name.to_owned(), mac, ifindex, socket })
    }

    pub fn close(&self, program: &mut Program<'_>) {
        let _ = program.system.close(self.socket);
    }

    /// Sends a message to everybody, from no address.
    pub fn broadcast(&self, program: &mut Program<'_>, message: &Message, style: Style) -> Result<(), Errno> {
        let mut frame = vec![0xff; 6];
        frame.extend(self.mac);
        frame.extend(ETHERTYPE_IPV4.to_be_bytes());
        frame.extend(datagram(&message.write(), style));
        let to = Address::Link { ifindex: self.ifindex, protocol: ETHERTYPE_IPV4, mac: [0xff; 6] };
        program.system.send(self.socket, frame, Some(to)).map(drop)
    }

    /// Waits for an answer to this question.
    ///
    /// # Errors
    /// `EINTR` when a signal asks for the end.
    pub fn receive(
        &self,
        program: &mut Program<'_>,
        xid: u32,
        until_ns: u64,
    ) -> Result<Option<Message>, Errno> {
        loop {
            match program.system.wait(&[self.socket], Some(until_ns), true) {
                Ok(ready) if ready.is_empty() => return Ok(None),
                Ok(_) => {}
                Err(Errno::EINTR) if program.shell.take_signal().is_some() => return Err(Errno::EINTR),
                Err(Errno::EINTR) => continue,
                Err(errno) => return Err(errno),
            }
            for item in program.system.receive(self.socket, 1)? {
                let Received::Frame { data, .. } = item else { continue };
                let found = data.get(14..).and_then(payload).and_then(Message::parse);
                if let Some(message) = found
                    && message.is_reply
                    && message.xid == xid
                    && message.mac == self.mac
                {
                    return Ok(Some(message));
                }
            }
        }
    }
}

/// A datagram from nobody to everybody.
fn datagram(data: &[u8], style: Style) -> Vec<u8> {
    let udp_len = UDP_HEADER_LEN + data.len();
    let mut packet = vec![0x45, style.tos];
    packet.extend(((IPV4_HEADER_LEN + udp_len) as u16).to_be_bytes());
    packet.extend([0, 0, 0, 0, style.ttl, PROTOCOL_UDP, 0, 0]);
    packet.extend([0; 4]);
    packet.extend([0xff; 4]);
    let sum = !checksum(&packet, 0);
    if let Some(place) = packet.get_mut(10..12) {
        place.copy_from_slice(&sum.to_be_bytes());
    }
    packet.extend(CLIENT_PORT.to_be_bytes());
    packet.extend(SERVER_PORT.to_be_bytes());
    packet.extend((udp_len as u16).to_be_bytes());
    packet.extend([0, 0]);
    packet.extend(data);
    // The addresses' part of the pseudo header: none, and all ones.
    let pseudo = 2 * 0xffff + u32::from(PROTOCOL_UDP) + udp_len as u32;
    let sum = match !checksum(packet.get(IPV4_HEADER_LEN..).unwrap_or(&[]), pseudo) {
        0 => 0xffff,
        sum => sum,
    };
    if let Some(place) = packet.get_mut(26..28) {
        place.copy_from_slice(&sum.to_be_bytes());
    }
    packet
}

/// RFC 1071, not yet inverted.
fn checksum(bytes: &[u8], start: u32) -> u16 {
    let words = bytes.chunks(2).map(|pair| {
        u32::from(pair.first().copied().unwrap_or(0)) << 8 | u32::from(pair.get(1).copied().unwrap_or(0))
    });
    let mut sum = words.fold(start, u32::wrapping_add);
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// The data of a datagram for a client.
fn payload(packet: &[u8]) -> Option<&[u8]> {
    let first = *packet.first()?;
    let length = usize::from(first & 0xf) * 4;
    if first >> 4 != 4 || packet.get(9) != Some(&PROTOCOL_UDP) {
        return None;
    }
    let udp = packet.get(length..)?;
    let port = u16::from_be_bytes([*udp.get(2)?, *udp.get(3)?]);
    if port != CLIENT_PORT { None } else { udp.get(UDP_HEADER_LEN..) }
}

/// Runs `ip`, and says nothing of what fails.
pub(super) fn run_ip(program: &mut Program<'_>, line: &str) -> i32 {
    let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    ip::main(&mut Program { name: "ip", args: &args, system: program.system, shell: program.shell })
}

/// Sends a message from an address that this host has (`DHCPRELEASE`, renewals).
pub(super) fn send_unicast(
    program: &mut Program<'_>,
    from: Ipv4Addr,
    to: Ipv4Addr,
    message: &Message,
) -> Result<(), Errno> {
    let socket = program.system.socket(SocketKind::UdpIpv4)?;
    let bound = program.system.bind(socket, Address::Ipv4 { address: from, port: CLIENT_PORT });
    let sent = bound.and_then(|()| {
        let to = Address::Ipv4 { address: to, port: SERVER_PORT };
        program.system.send(socket, message.write(), Some(to)).map(drop)
    });
    let _ = program.system.close(socket);
    sent
}

/// Writes `/etc/resolv.conf`; a machine that does not let it be written keeps its own.
pub(super) fn write_resolver(program: &mut Program<'_>, lease: &Lease, with_domain: bool) {
    if lease.dns.is_empty() {
        return;
    }
    let mut text = String::new();
    if let Some(domain) = &lease.domain {
        if with_domain {
            text.push_str(&format!("domain {domain}\n"));
        }
        text.push_str(&format!("search {domain}\n"));
    }
    for server in &lease.dns {
        text.push_str(&format!("nameserver {server}\n"));
    }
    if let Ok(mut file) = program.shell.create("/etc/resolv.conf") {
        let _ = file.write_all(text.as_bytes());
        let _ = file.flush();
    }
}

/// The first offer of a round, or nothing.
pub(super) fn is(message: &Message, kind: Kind) -> bool {
    message.kind() == Some(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datagrams_can_be_read_again() {
        let packet = datagram(b"data", Style { tos: 0x10, ttl: 128 });
        assert_eq!(payload(&packet), None, "it is for the server");
        assert_eq!(checksum(packet.get(..20).unwrap_or(&[]), 0), 0xffff);
        let mut answer = packet.clone();
        answer[22..24].copy_from_slice(&CLIENT_PORT.to_be_bytes());
        assert_eq!(payload(&answer), Some(&b"data"[..]));
        let udp = packet.get(20..).unwrap_or(&[]);
        assert_eq!(checksum(udp, 2 * 0xffff + 17 + 12), 0xffff);
    }
}
