//! Options of the IPv4 header that a host fills in (net/ipv4/ip_options.c, RFC 791 §3.1): record route.

use std::net::Ipv4Addr;

use crate::device::DevId;
use crate::frame::Frame;
use crate::route::RouteKind;
use crate::world::World;

use super::{HEADER_LEN, Header, write_checksum};

const END: u8 = 0;
const NO_OPERATION: u8 = 1;
const RECORD_ROUTE: u8 = 7;

/// Writes an address into the next free slot of a record route option, where there is one.
pub(super) fn record_route(packet: &mut [u8], header_len: usize, address: Ipv4Addr) {
    let Some(options) = packet.get_mut(HEADER_LEN..header_len) else { return };
    let Some(option) = find_mut(options, RECORD_ROUTE) else { return };
    let Some(pointer) = option.get(2).copied() else { return };
    let Some(start) = usize::from(pointer).checked_sub(1).filter(|start| *start >= 3) else { return };
    let Some(slot) = option.get_mut(start..start + 4) else { return };
    slot.copy_from_slice(&address.octets());
    option[2] = pointer.saturating_add(4);
}

/// The options that an answer carries too (`__ip_options_echo`).
pub(super) fn echoed(packet: &[u8], header_len: usize) -> Vec<u8> {
    let mut options = packet.get(HEADER_LEN..header_len).unwrap_or(&[]).to_vec();
    find_mut(&mut options, RECORD_ROUTE).map_or(Vec::new(), |option| option.to_vec())
}

fn find_mut(options: &mut [u8], wanted: u8) -> Option<&mut [u8]> {
    let mut at = 0;
    loop {
        match options.get(at).copied()? {
            END => return None,
            NO_OPERATION => at += 1,
            kind => {
                let len = usize::from(options.get(at + 1).copied()?);
                if len < 2 {
                    return None;
                }
                if kind == wanted {
                    return options.get_mut(at..at + len);
                }
                at += len;
            }
        }
    }
}

impl World {
    /// `ip_rcv_options`: a packet with options is for this host, which takes note of it in them.
    pub(super) fn receive_options(
        &self,
        dev: DevId,
        header: &Header,
        delivered: RouteKind,
        frame: &mut Frame,
    ) {
        let own = match delivered {
            RouteKind::Local => header.destination,
            _ => self.select_source(dev, header.source, 0),
        };
        let packet = frame.payload_mut();
        record_route(packet, header.header_len, own);
        write_checksum(packet, header.header_len);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(option: &[u8]) -> Vec<u8> {
        let mut packet = vec![0; HEADER_LEN];
        packet.push(NO_OPERATION);
        packet.extend(option);
        packet
    }

    #[test]
    fn addresses_fill_the_slots_one_after_the_other() {
        let mut bytes = packet(&[RECORD_ROUTE, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0]);
        for last in 1..4 {
            record_route(&mut bytes, 32, Ipv4Addr::new(10, 0, 0, last));
        }
        assert_eq!(bytes[21..], [RECORD_ROUTE, 11, 12, 10, 0, 0, 1, 10, 0, 0, 2]);
        assert_eq!(echoed(&bytes, 32), bytes[21..]);
    }

    #[test]
    fn broken_options_are_left_alone() {
        for option in
            [&[RECORD_ROUTE][..], &[RECORD_ROUTE, 0], &[RECORD_ROUTE, 200, 4], &[RECORD_ROUTE, 7, 2, 0]]
        {
            let mut bytes = packet(option);
            let before = bytes.clone();
            let len = bytes.len();
            record_route(&mut bytes, len, Ipv4Addr::LOCALHOST);
            assert_eq!(bytes, before);
        }
    }
}
