//! Options of the IPv4 header that hosts on the way fill in (net/ipv4/ip_options.c, RFC 791 §3.1): record route and
//! time stamps.

use std::net::Ipv4Addr;
use std::ops::ControlFlow;

use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::Frame;
use crate::netns::NsId;
use crate::route::RouteKind;
use crate::sysctl::Conf;
use crate::world::World;

use super::icmp::Message;
use super::{HEADER_LEN, Header};

const END: u8 = 0;
const NO_OPERATION: u8 = 1;
const RECORD_ROUTE: u8 = 7;
const TIME_STAMP: u8 = 68;
const LOOSE_SOURCE_ROUTE: u8 = 131;
const STRICT_SOURCE_ROUTE: u8 = 137;

/// Flags of a time stamp option: times only, each behind an address, each behind an address that is already there.
const STAMP_ONLY: u8 = 0;
const STAMP_AND_ADDRESS: u8 = 1;
const STAMP_PRESPECIFIED: u8 = 3;

const MS_PER_DAY: u64 = 86_400_000;

/// The places in a packet that this host has to fill in (`struct ip_options`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Slots {
    route: Option<usize>,
    stamp_address: Option<usize>,
    stamp_time: Option<usize>,
    /// There is a source route.
    source_route: bool,
}

/// Who goes through a packet's options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Sends,
    Receives,
}

/// Takes the next free slot of each option (`__ip_options_compile`). `is_elsewhere` says which addresses are not this
/// host's.
///
/// # Errors
/// The place in the packet where its options are wrong.
pub(super) fn take_slots(
    packet: &mut [u8],
    header_len: usize,
    side: Side,
    is_elsewhere: impl Fn(Ipv4Addr) -> bool,
) -> Result<Slots, u8> {
    let mut slots = Slots::default();
    let (mut routed, mut stamped) = (false, false);
    let mut at = HEADER_LEN;
    while let Some(options) = packet.get_mut(at..header_len)
        && let Some(&kind) = options.first()
    {
        // A header has 60 bytes at most.
        let here = at as u8;
        match kind {
            END => {
                options.fill(END);
                break;
            }
            NO_OPERATION => {
                at += 1;
                continue;
            }
            _ => {}
        }
        let len = options.get(1).map_or(0, |len| usize::from(*len));
        let option = options.get_mut(..len).filter(|_| len >= 2).ok_or(here)?;
        let twice = |seen: &mut bool| if std::mem::replace(seen, true) { Err(0) } else { Ok(()) };
        let taken = match kind {
            RECORD_ROUTE => twice(&mut routed).and_then(|()| {
                slots.route = take_route(option)?.map(|place| at + place);
                Ok(())
            }),
            TIME_STAMP => twice(&mut stamped).and_then(|()| {
                let (address, time) = take_stamp(option, side, &is_elsewhere)?;
                (slots.stamp_address, slots.stamp_time) =
                    (address.map(|place| at + place), time.map(|place| at + place));
                Ok(())
            }),
            LOOSE_SOURCE_ROUTE | STRICT_SOURCE_ROUTE => twice(&mut slots.source_route).and(match *option {
                [_, _, pointer, ..] if pointer < 4 => Err(2),
                [_, _, _, ..] => Ok(()),
                _ => Err(1),
            }),
            _ => Ok(()),
        };
        taken.map_err(|offset: u8| here.saturating_add(offset))?;
        at += len;
    }
    Ok(slots)
}

/// The place of the next address in a record route option.
fn take_route(option: &mut [u8]) -> Result<Option<usize>, u8> {
    let len = option.len();
    let [_, _, pointer, ..] = option else { return Err(1) };
    let place = usize::from(*pointer);
    if place < 4 {
        return Err(2);
    }
    if place > len {
        return Ok(None);
    }
    if place + 3 > len {
        return Err(2);
    }
    *pointer = pointer.saturating_add(4);
    Ok(Some(place - 1))
}

/// The places of the next address and time in a time stamp option; where there is no room, hosts are counted.
fn take_stamp(
    option: &mut [u8],
    side: Side,
    is_elsewhere: &impl Fn(Ipv4Addr) -> bool,
) -> Result<(Option<usize>, Option<usize>), u8> {
    let len = option.len();
    let &mut [_, _, pointer, flags, ..] = option else { return Err(1) };
    let place = usize::from(pointer);
    if place < 5 {
        return Err(2);
    }
    let kind = flags & 15;
    if place > len {
        if kind != STAMP_PRESPECIFIED {
            if flags >> 4 == 15 {
                return Err(3);
            }
            if side == Side::Receives {
                option[3] += 1 << 4;
            }
        }
        return Ok((None, None));
    }
    // To the last byte of the slot.
    let rest = if matches!(kind, STAMP_AND_ADDRESS | STAMP_PRESPECIFIED) { 7 } else { 3 };
    if place + rest > len {
        return Err(2);
    }
    let (address, time, step) = match kind {
        STAMP_ONLY => (None, place - 1, 4),
        STAMP_AND_ADDRESS => (Some(place - 1), place + 3, 8),
        STAMP_PRESPECIFIED => {
            let wanted = option.get(place - 1..).and_then(<[u8]>::first_chunk::<4>);
            if wanted.is_none_or(|octets| is_elsewhere(Ipv4Addr::from(*octets))) {
                return Ok((None, None));
            }
            (None, place + 3, 8)
        }
        _ => return Ok((None, None)),
    };
    option[2] = pointer.saturating_add(step);
    Ok((address, Some(time)))
}

/// Writes this host's address and the time of day into the slots.
pub(super) fn fill(packet: &mut [u8], slots: &Slots, address: Ipv4Addr, time_ms: u32) {
    let mut write = |place: Option<usize>, bytes: [u8; 4]| {
        if let Some(place) = place
            && let Some(slot) = packet.get_mut(place..place + 4)
        {
            slot.copy_from_slice(&bytes);
        }
    };
    write(slots.route, address.octets());
    write(slots.stamp_address, address.octets());
    write(slots.stamp_time, time_ms.to_be_bytes());
}

/// Whether a program may have its packets carry these options.
pub(crate) fn are_right(options: &[u8]) -> bool {
    let mut packet = [0; HEADER_LEN + 40];
    let Some(place) = packet.get_mut(HEADER_LEN..HEADER_LEN + options.len()) else { return false };
    place.copy_from_slice(options);
    let header_len = HEADER_LEN + options.len().next_multiple_of(4);
    take_slots(&mut packet, header_len, Side::Sends, |_| true).is_ok()
}

/// The options that an answer to a packet carries too (`__ip_options_echo`).
pub(super) fn echoed(packet: &[u8], header_len: usize) -> Vec<u8> {
    let options = packet.get(HEADER_LEN..header_len).unwrap_or(&[]);
    [RECORD_ROUTE, TIME_STAMP].iter().filter_map(|kind| find(options, *kind)).flatten().copied().collect()
}

fn find(options: &[u8], wanted: u8) -> Option<&[u8]> {
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
                    return options.get(at..at + len);
                }
                at += len;
            }
        }
    }
}

impl World {
    /// Milliseconds since midnight, UTC (`inet_current_timestamp`).
    pub(super) fn time_of_day_ms(&self) -> u32 {
        let ms = (self.epoch_ns + self.now.nanos()) / 1_000_000;
        // Less than a day fits.
        (ms % MS_PER_DAY) as u32
    }

    /// `ip_rcv_options`: takes note of a received packet in its options. What is left to do where it goes on, or the drop of
    /// a packet that is wrong.
    pub(super) fn receive_options(
        &mut self,
        (ns, dev): (NsId, DevId),
        header: &Header,
        delivered: Option<RouteKind>,
        mut frame: Frame,
    ) -> ControlFlow<(), (Slots, Frame)> {
        let is_elsewhere = |address| self.address_kind(ns, address) == RouteKind::Unicast;
        let taken = take_slots(frame.payload_mut(), header.header_len, Side::Receives, is_elsewhere);
        let slots = match taken {
            Ok(slots) => slots,
            Err(pointer) => {
                if let Some(netns) = self.netns.get_mut(ns) {
                    netns.counters.in_header_errors += 1;
                }
                self.icmp_error(ns, Some(dev), &frame, Message::ParameterProblem { pointer });
                self.drop_frame(Some(dev), frame, DropReason::IpBadOptions);
                return ControlFlow::Break(());
            }
        };
        let accepts = self
            .devs
            .get(dev)
            .zip(self.netns.get(ns))
            .is_some_and(|(device, netns)| netns.sysctl.both(&device.ipv4_conf, Conf::AcceptSourceRoute));
        if slots.source_route && !accepts {
            self.drop_frame(Some(dev), frame, DropReason::SourceRoute);
            return ControlFlow::Break(());
        }
        // `fib_compute_spec_dst`
        let own = match delivered {
            Some(RouteKind::Local) => header.destination,
            _ => self.select_source(dev, header.source, 0),
        };
        // The checksum is put right where the packet goes on: what is quoted of it before has a wrong one.
        fill(frame.payload_mut(), &slots, own, self.time_of_day_ms());
        ControlFlow::Continue((slots, frame))
    }

    /// `ip_forward_options`: a route has the address on the side that the packet leaves by.
    pub(super) fn forward_options(&self, slots: Slots, out: DevId, next_hop: Ipv4Addr, packet: &mut [u8]) {
        let slots = Slots { route: slots.route, ..Slots::default() };
        fill(packet, &slots, self.select_source(out, next_hop, 0), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const END_OF_HEADER: usize = 60;

    fn packet(option: &[u8]) -> Vec<u8> {
        let mut packet = vec![0; HEADER_LEN];
        packet.push(NO_OPERATION);
        packet.extend(option);
        packet.resize(END_OF_HEADER, 0);
        packet
    }

    fn note(packet: &mut [u8], own: u8, time_ms: u32) -> Result<Slots, u8> {
        let own = Ipv4Addr::new(10, 0, 0, own);
        let slots = take_slots(packet, END_OF_HEADER, Side::Receives, |address| address != own)?;
        fill(packet, &slots, own, time_ms);
        Ok(slots)
    }

    #[test]
    fn addresses_fill_the_slots_one_after_the_other() {
        let mut bytes = packet(&[RECORD_ROUTE, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0]);
        for own in 1..4 {
            assert!(note(&mut bytes, own, 0).is_ok());
        }
        assert_eq!(bytes[21..32], [RECORD_ROUTE, 11, 12, 10, 0, 0, 1, 10, 0, 0, 2]);
        assert_eq!(echoed(&bytes, END_OF_HEADER), bytes[21..32]);
    }

    #[test]
    fn times_fill_the_slots_and_hosts_without_one_are_counted() {
        let mut bytes = packet(&[TIME_STAMP, 12, 5, STAMP_ONLY, 0, 0, 0, 0, 0, 0, 0, 0]);
        for time_ms in [1, 0x0203, 4, 5] {
            assert!(note(&mut bytes, 1, time_ms).is_ok());
        }
        assert_eq!(bytes[21..33], [TIME_STAMP, 12, 13, 0x20, 0, 0, 0, 1, 0, 0, 2, 3]);
        bytes[24] = 0xf0;
        assert_eq!(note(&mut bytes, 1, 6), Err(24));
    }

    #[test]
    fn times_stand_behind_addresses() {
        let mut bytes = packet(&[TIME_STAMP, 12, 5, STAMP_AND_ADDRESS, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert!(note(&mut bytes, 7, 8).is_ok());
        assert_eq!(bytes[21..33], [TIME_STAMP, 12, 13, STAMP_AND_ADDRESS, 10, 0, 0, 7, 0, 0, 0, 8]);
    }

    #[test]
    fn only_the_host_that_is_named_stamps() {
        let option = [TIME_STAMP, 12, 5, STAMP_PRESPECIFIED, 10, 0, 0, 2, 0, 0, 0, 0];
        let mut bytes = packet(&option);
        assert_eq!(note(&mut bytes, 1, 8), Ok(Slots::default()));
        assert_eq!(bytes[21..33], option);
        assert!(note(&mut bytes, 2, 8).is_ok());
        assert_eq!(bytes[21..33], [TIME_STAMP, 12, 13, STAMP_PRESPECIFIED, 10, 0, 0, 2, 0, 0, 0, 8]);
    }

    #[test]
    fn broken_options_are_told_by_their_place() {
        let cases: [(&[u8], u8); 9] = [
            (&[RECORD_ROUTE, 0], 21),
            (&[RECORD_ROUTE, 200, 4], 21),
            (&[RECORD_ROUTE, 2], 22),
            (&[RECORD_ROUTE, 7, 3, 0, 0, 0, 0], 23),
            (&[RECORD_ROUTE, 7, 6, 0, 0, 0, 0], 23),
            (&[RECORD_ROUTE, 3, 4, RECORD_ROUTE, 3, 4], 24),
            (&[TIME_STAMP, 3, 5], 22),
            (&[TIME_STAMP, 8, 4, 0, 0, 0, 0, 0], 23),
            (&[TIME_STAMP, 8, 5, STAMP_AND_ADDRESS, 0, 0, 0, 0], 23),
        ];
        for (option, place) in cases {
            assert_eq!(note(&mut packet(option), 1, 0), Err(place), "{option:?}");
            assert!(!are_right(&[&[NO_OPERATION], option].concat()), "{option:?}");
        }
        assert!(are_right(&[]) && are_right(&[END, 1, 2, 3]) && !are_right(&[NO_OPERATION; 41]));
    }
}
