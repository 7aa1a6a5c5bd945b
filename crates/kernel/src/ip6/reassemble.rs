//! Reassembly of fragments (net/ipv6/reassembly.c, RFC 8200 §4.5).

use std::net::Ipv6Addr;
use std::time::Duration;

use hairpin_netlink::netfilter::Family;

use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::{ETH_LEN, Frame};
use crate::ip6::event::Event6;
use crate::netns::NsId;
use crate::world::{TimerEvent, World};

use super::fragment::FRAGMENT_LEN;
use super::icmp::Message6;
use super::{HEADER_LEN, Header};

/// How long fragments wait for the rest (`ip6frag_time`).
const WAIT: Duration = Duration::from_secs(60);
/// Packets under reassembly in one namespace; more are dropped.
const PACKETS_MAX: usize = 1024;
/// Fragments of one packet.
const FRAGMENTS_MAX: usize = 8192;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    source: Ipv6Addr,
    destination: Ipv6Addr,
    id: u32,
    /// Where a link-local address counts.
    ifindex: u32,
}

#[derive(Clone, Debug)]
struct Part {
    offset: usize,
    /// Where its data starts in the packet.
    data: usize,
    frame: Frame,
}

impl Part {
    fn bytes(&self) -> &[u8] {
        self.frame.payload().get(self.data..).unwrap_or(&[])
    }
}

#[derive(Clone, Debug)]
struct Partial {
    key: Key,
    id: u64,
    dev: DevId,
    /// By offset, without overlap.
    parts: Vec<Part>,
    /// Bytes of the whole, once the last fragment is here.
    len: Option<usize>,
}

/// Packets of a namespace that are not whole yet.
#[derive(Clone, Debug, Default)]
pub struct Reassembly6 {
    partial: Vec<Partial>,
    next_id: u64,
}

impl World {
    /// Takes a fragment whose header is at `at`; returns the packet, without fragment header, if it is whole now.
    /// A packet as connection tracking sees it (`nf_ct_frag6_gather`): `None` while more fragments are to come.
    pub(crate) fn gather6(&mut self, ns: NsId, dev: DevId, frame: Frame) -> Option<Frame> {
        let header = Header::quoted(frame.payload())?;
        match super::extension::fragment_header(frame.payload()) {
            Some(at) if self.reassembles_first(ns, Family::Ipv6) => {
                Some(self.reassemble6(ns, dev, &header, at, frame)?.1)
            }
            _ => Some(frame),
        }
    }

    pub(super) fn reassemble6(
        &mut self,
        ns: NsId,
        dev: DevId,
        header: &Header,
        at: usize,
        frame: Frame,
    ) -> Option<(Header, Frame)> {
        let total = header.total_len();
        let extension = frame.payload().get(at..at + FRAGMENT_LEN);
        let Some(&[_, _, a, b, c, d, e, f]) = extension.and_then(|bytes| bytes.first_chunk::<FRAGMENT_LEN>())
        else {
            self.drop_frame(Some(dev), frame, DropReason::PacketTooSmall);
            return None;
        };
        let field = u16::from_be_bytes([a, b]);
        let (offset, more) = (usize::from(field & !7), field & 1 != 0);
        let len = total.saturating_sub(at + FRAGMENT_LEN);
        let end = offset + len;
        if end > 65535 || more && !len.is_multiple_of(8) || len == 0 {
            if more && !len.is_multiple_of(8) {
                // RFC 8200 4.5: the length field is to blame.
                self.icmp6_error(ns, Some(dev), &frame, Message6::ParameterProblem { code: 0, pointer: 4 });
            }
            self.drop_frame(Some(dev), frame, DropReason::FragmentTooFar);
            return None;
        }
        let now = self.now;
        let reassembly = &mut self.netns.get_mut(ns)?.reassembly6;
        let key = Key {
            source: header.source,
            destination: header.destination,
            id: u32::from_be_bytes([c, d, e, f]),
            ifindex: if super::address::needs_device(header.destination) { frame.iif } else { 0 },
        };
        let place = match reassembly.partial.iter().position(|partial| partial.key == key) {
            Some(place) => place,
            None if reassembly.partial.len() >= PACKETS_MAX => {
                self.drop_frame(Some(dev), frame, DropReason::FragmentTooFar);
                return None;
            }
            None => {
                reassembly.next_id += 1;
                let id = reassembly.next_id;
                reassembly.partial.push(Partial { key, id, dev, parts: Vec::new(), len: None });
                self.timers.add(now + WAIT, TimerEvent::Ipv6(Event6::Reassembly { ns, id }));
                reassembly.partial.len() - 1
            }
        };
        let partial = &mut reassembly.partial[place];
        let overlaps =
            partial.parts.iter().any(|part| part.offset < end && offset < part.offset + part.bytes().len());
        let contradicts = partial.len.is_some_and(|whole| end > whole)
            || !more && partial.len.is_some_and(|whole| whole != end);
        if contradicts || overlaps || partial.parts.len() >= FRAGMENTS_MAX {
            // An exact copy of a fragment is dropped alone; any other overlap ends the packet (RFC 5722).
            let copy = partial.parts.iter().any(|part| part.offset == offset && part.bytes().len() == len);
            let mut dead = vec![frame];
            if !copy {
                let partial = reassembly.partial.remove(place);
                dead.extend(partial.parts.into_iter().map(|part| part.frame));
            }
            for frame in dead {
                self.drop_frame(Some(dev), frame, DropReason::DuplicateFragment);
            }
            return None;
        }
        if !more {
            partial.len = Some(end);
        }
        let index = partial.parts.partition_point(|part| part.offset < offset);
        partial.parts.insert(index, Part { offset, data: at + FRAGMENT_LEN, frame });
        let whole = partial.len?;
        let arrived: usize = partial.parts.iter().map(|part| part.bytes().len()).sum();
        if arrived != whole {
            return None;
        }
        let partial = reassembly.partial.remove(place);
        self.join6(partial, whole)
    }

    /// Puts the fragments together (`ip6_frag_reasm`).
    fn join6(&mut self, partial: Partial, whole: usize) -> Option<(Header, Frame)> {
        let first = partial.parts.first()?;
        let packet = first.frame.payload();
        let header = Header::quoted(packet)?;
        // The headers in front of the fragment header, the last of which now names what followed it.
        let front = first.data - FRAGMENT_LEN;
        let followed = *packet.get(front)?;
        let namer = super::extension::naming(packet, front)?;
        let mut joined = self.pool.frame(ETH_LEN + front + whole);
        (joined.mark, joined.iif) = (first.frame.mark, first.frame.iif);
        (joined.packet_type, joined.trace) = (first.frame.packet_type, first.frame.trace);
        let longest = partial.parts.iter().map(|part| part.frame.payload().len()).max().unwrap_or(0);
        joined.fragment_max = u16::try_from(longest).unwrap_or(u16::MAX);
        joined
            .bytes_mut()
            .get_mut(..ETH_LEN + front)?
            .copy_from_slice(first.frame.bytes().get(..ETH_LEN + front)?);
        let bytes = joined.payload_mut();
        *bytes.get_mut(namer)? = followed;
        let payload_len = front - HEADER_LEN + whole;
        bytes.get_mut(4..6)?.copy_from_slice(&(payload_len as u16).to_be_bytes());
        for part in &partial.parts {
            let start = front + part.offset;
            bytes.get_mut(start..start + part.bytes().len())?.copy_from_slice(part.bytes());
        }
        let next_header = bytes.get(6).copied()?;
        for part in partial.parts {
            self.consume(part.frame);
        }
        Some((Header { payload_len, next_header, ..header }, joined))
    }

    /// `ip6frag_expire_frag_queue`: the rest has not come. With the first fragment here, its sender is told.
    pub(crate) fn reassembly_timeout6(&mut self, ns: NsId, id: u64) {
        let Some(netns) = self.netns.get_mut(ns) else { return };
        let Some(at) = netns.reassembly6.partial.iter().position(|partial| partial.id == id) else { return };
        netns.counters6.reassembly_timeouts += 1;
        netns.counters6.reassembly_failures += 1;
        let partial = netns.reassembly6.partial.remove(at);
        let dev = partial.dev;
        if let Some(first) = partial.parts.first().filter(|part| part.offset == 0) {
            let first = first.frame.clone();
            self.icmp6_error(ns, Some(dev), &first, Message6::ReassemblyTimeExceeded);
        }
        for part in partial.parts {
            self.drop_frame(Some(dev), part.frame, DropReason::FragmentReassemblyTimeout);
        }
    }
}
