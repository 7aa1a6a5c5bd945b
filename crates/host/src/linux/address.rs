//! [`Address`] to `struct sockaddr_*` and back, as bytes.

use std::net::{Ipv4Addr, Ipv6Addr};

use hairpin_netlink::Address;

pub(super) fn encode(address: Address) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(28);
    match address {
        Address::Ipv4 { address, port } => {
            bytes.extend((libc::AF_INET as u16).to_ne_bytes());
            bytes.extend(port.to_be_bytes());
            bytes.extend(address.octets());
            bytes.extend([0; 8]);
        }
        Address::Ipv6 { address, port, scope } => {
            bytes.extend((libc::AF_INET6 as u16).to_ne_bytes());
            bytes.extend(port.to_be_bytes());
            bytes.extend(0u32.to_ne_bytes());
            bytes.extend(address.octets());
            bytes.extend(scope.to_ne_bytes());
        }
        Address::Link { ifindex, protocol, mac } => {
            bytes.extend((libc::AF_PACKET as u16).to_ne_bytes());
            bytes.extend(protocol.to_be_bytes());
            bytes.extend(ifindex.to_ne_bytes());
            bytes.extend(0u16.to_ne_bytes());
            bytes.push(0);
            bytes.push(6);
            bytes.extend(mac);
            bytes.extend([0; 2]);
        }
        Address::Can { ifindex } => {
            bytes.extend((libc::AF_CAN as u16).to_ne_bytes());
            bytes.extend([0; 2]);
            bytes.extend(ifindex.to_ne_bytes());
            bytes.extend([0; 16]);
        }
    }
    bytes
}

pub(super) fn decode(bytes: &[u8]) -> Option<Address> {
    let family = i32::from(u16::from_ne_bytes(*bytes.first_chunk()?));
    match family {
        libc::AF_INET => {
            Some(Address::Ipv4 { port: be16(bytes, 2)?, address: Ipv4Addr::from(array::<4>(bytes, 4)?) })
        }
        libc::AF_INET6 => Some(Address::Ipv6 {
            port: be16(bytes, 2)?,
            address: Ipv6Addr::from(array::<16>(bytes, 8)?),
            scope: ne32(bytes, 24)?,
        }),
        libc::AF_PACKET => {
            let link = LinkName::decode(bytes)?;
            Some(Address::Link { ifindex: link.ifindex, protocol: link.protocol, mac: link.mac })
        }
        libc::AF_CAN => Some(Address::Can { ifindex: ne32(bytes, 4)? }),
        _ => None,
    }
}

/// `struct sockaddr_ll` as a packet socket fills it.
pub(super) struct LinkName {
    pub protocol: u16,
    pub ifindex: u32,
    pub hardware: u16,
    pub packet_type: u8,
    pub mac: [u8; 6],
}

impl LinkName {
    pub fn decode(bytes: &[u8]) -> Option<LinkName> {
        // getsockname shortens the name by the unused part of the hardware address.
        let mut mac = [0; 6];
        for (to, from) in mac.iter_mut().zip(bytes.get(12..).unwrap_or(&[])) {
            *to = *from;
        }
        Some(LinkName {
            protocol: be16(bytes, 2)?,
            ifindex: ne32(bytes, 4)?,
            hardware: u16::from_ne_bytes(array(bytes, 8)?),
            packet_type: *bytes.get(10)?,
            mac,
        })
    }
}

pub(super) fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk::<N>().copied()
}

pub(super) fn ne32(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_ne_bytes)
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_the_round_trip() {
        let all = [
            Address::Ipv4 { address: Ipv4Addr::new(10, 0, 0, 1), port: 4242 },
            Address::Ipv6 { address: Ipv6Addr::LOCALHOST, port: 53, scope: 3 },
            Address::Link { ifindex: 7, protocol: 0x0806, mac: [2, 0, 0, 0, 0, 1] },
            Address::Can { ifindex: 7 },
        ];
        for address in all {
            assert_eq!(decode(&encode(address)), Some(address));
        }
    }
}
