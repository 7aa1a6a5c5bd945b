//! Reassembly of fragments (net/ipv4/ip_fragment.c, RFC 791 §3.2).

use std::net::Ipv4Addr;
use std::time::Duration;

use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::{ETH_LEN, Frame};
use crate::netns::NsId;
use crate::world::{TimerEvent, World};

use super::icmp::Message;
use super::{HEADER_LEN, Header};

/// How long fragments wait for the rest (`ipfrag_time`).
const WAIT: Duration = Duration::from_secs(30);
/// Packets under reassembly in one namespace; more are dropped.
const PACKETS_MAX: usize = 1024;
/// Fragments of one packet.
const FRAGMENTS_MAX: usize = 8192;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    source: Ipv4Addr,
    destination: Ipv4Addr,
    id: u16,
    protocol: u8,
}

#[derive(Clone, Debug)]
struct Partial {
    key: Key,
    id: u64,
    dev: DevId,
    /// (offset, data of the fragment), sorted by offset, without overlap.
    parts: Vec<(usize, Frame)>,
    /// Bytes of the whole payload, once the last fragment is here.
    len: Option<usize>,
}

/// Packets of a namespace that are not whole yet.
#[derive(Clone, Debug, Default)]
pub struct Reassembly {
    partial: Vec<Partial>,
    next_id: u64,
}

impl World {
    /// `ip_defrag`: takes a fragment; returns the packet if it is whole now.
    pub(crate) fn gather(
        &mut self,
        ns: NsId,
        dev: DevId,
        header: &Header,
        frame: Frame,
    ) -> Option<(Header, Frame)> {
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.counters.reassembly_fragments += 1;
        }
        let whole = self.reassemble(ns, dev, header, frame)?;
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.counters.reassembled += 1;
        }
        Some(whole)
    }

    fn reassemble(&mut self, ns: NsId, dev: DevId, header: &Header, frame: Frame) -> Option<(Header, Frame)> {
        let offset = header.fragment_offset();
        let len = header.total_len - header.header_len;
        let end = offset + len;
        let bad_length = header.more_fragments() && !len.is_multiple_of(8);
        if end > 65535 || bad_length || len == 0 {
            self.drop_frame(Some(dev), frame, DropReason::FragmentTooFar);
            return None;
        }
        let now = self.now;
        let reassembly = &mut self.netns.get_mut(ns)?.reassembly;
        let key = Key {
            source: header.source,
            destination: header.destination,
            id: header.id,
            protocol: header.protocol,
        };
        let at = match reassembly.partial.iter().position(|partial| partial.key == key) {
            Some(at) => at,
            None if reassembly.partial.len() >= PACKETS_MAX => {
                self.drop_frame(Some(dev), frame, DropReason::FragmentTooFar);
                return None;
            }
            None => {
                reassembly.next_id += 1;
                let id = reassembly.next_id;
                reassembly.partial.push(Partial { key, id, dev, parts: Vec::new(), len: None });
                self.timers.add(now + WAIT, TimerEvent::Reassembly { ns, id });
                reassembly.partial.len() - 1
            }
        };
        let partial = &mut reassembly.partial[at];
        let overlaps = partial.parts.iter().any(|(start, part)| {
            let stop = start + part_len(part);
            *start < end && offset < stop
        });
        let contradicts = partial.len.is_some_and(|whole| end > whole)
            || (!header.more_fragments() && partial.len.is_some_and(|whole| whole != end));
        if contradicts || overlaps || partial.parts.len() >= FRAGMENTS_MAX {
            // An exact copy of a fragment is dropped alone; any other overlap ends the packet (RFC 5722).
            let copy = partial.parts.iter().any(|(start, part)| *start == offset && part_len(part) == len);
            let mut dead = vec![frame];
            if !copy {
                let partial = reassembly.partial.remove(at);
                dead.extend(partial.parts.into_iter().map(|(_, part)| part));
            }
            for frame in dead {
                self.drop_frame(Some(dev), frame, DropReason::DuplicateFragment);
            }
            return None;
        }
        if !header.more_fragments() {
            partial.len = Some(end);
        }
        let place = partial.parts.partition_point(|(start, _)| *start < offset);
        partial.parts.insert(place, (offset, frame));
        let whole = partial.len?;
        let have: usize = partial.parts.iter().map(|(_, part)| part_len(part)).sum();
        if have != whole {
            return None;
        }
        let partial = reassembly.partial.remove(at);
        self.join(partial, whole)
    }

    /// Puts the parts together behind the first one's header.
    fn join(&mut self, partial: Partial, whole: usize) -> Option<(Header, Frame)> {
        let first = &partial.parts.first()?.1;
        let header = Header::quoted(first.payload())?;
        let mut packet = self.pool.frame(ETH_LEN + header.header_len + whole);
        packet.packet_type = first.packet_type;
        packet.iif = first.iif;
        packet.mark = first.mark;
        packet.trace = first.trace;
        let longest = partial.parts.iter().map(|(_, part)| part.payload().len()).max().unwrap_or(0);
        packet.fragment_max = u16::try_from(longest).unwrap_or(u16::MAX);
        let head = first.bytes().get(..ETH_LEN + header.header_len)?;
        packet.bytes_mut().get_mut(..head.len())?.copy_from_slice(head);
        for (offset, part) in &partial.parts {
            let data = part_data(part);
            let start = header.header_len + offset;
            packet.payload_mut().get_mut(start..start + data.len())?.copy_from_slice(data);
        }
        let header = Header { total_len: header.header_len + whole, fragment: 0, ..header };
        let bytes = packet.payload_mut();
        bytes.get_mut(2..4)?.copy_from_slice(&(header.total_len as u16).to_be_bytes());
        bytes.get_mut(6..8)?.fill(0);
        super::write_checksum(bytes, header.header_len);
        for (_, part) in partial.parts {
            self.consume(part);
        }
        Some((header, packet))
    }

    /// `ip_expire`: the rest has not come. With the first fragment here, its sender is told.
    pub(crate) fn reassembly_timeout(&mut self, ns: NsId, id: u64) {
        let Some(netns) = self.netns.get_mut(ns) else { return };
        let Some(at) = netns.reassembly.partial.iter().position(|partial| partial.id == id) else { return };
        netns.counters.reassembly_timeouts += 1;
        netns.counters.reassembly_failures += 1;
        let partial = netns.reassembly.partial.remove(at);
        let (dev, parts) = (partial.dev, partial.parts);
        if let Some((0, first)) = parts.first() {
            let first = first.clone();
            self.icmp_error(ns, Some(dev), &first, Message::ReassemblyTimeExceeded);
        }
        for (_, part) in parts {
            self.drop_frame(Some(dev), part, DropReason::FragmentReassemblyTimeout);
        }
    }
}

fn part_data(frame: &Frame) -> &[u8] {
    let packet = frame.payload();
    let header_len = packet.first().map_or(HEADER_LEN, |first| usize::from(first & 15) * 4);
    packet.get(header_len..).unwrap_or(&[])
}

fn part_len(frame: &Frame) -> usize {
    part_data(frame).len()
}
