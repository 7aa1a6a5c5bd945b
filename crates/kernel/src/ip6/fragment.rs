//! Fragmentation by the sender (`ip6_fragment`, RFC 8200 §4.5). Routers do not fragment.

use std::net::Ipv6Addr;

use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::{ETH_LEN, Frame};
use crate::netfilter::Passed;
use crate::netns::NsId;
use crate::world::World;

use super::{HEADER_LEN, Header, next};

/// Length of a fragment header.
pub(super) const FRAGMENT_LEN: usize = 8;

impl World {
    /// Sends a packet to its next hop on a device, in fragments if it is longer than the way's MTU and this host's
    /// own, or came in fragments.
    #[inline]
    pub(crate) fn fragment_and_send6(
        &mut self,
        ns: NsId,
        (dev, next_hop): (DevId, Ipv6Addr),
        mtu: u32,
        passed: Passed,
    ) {
        let mut frame = passed.into_frame();
        let mtu = match frame.fragment_max {
            0 => mtu,
            most => mtu.min(u32::from(most)),
        };
        if frame.len() <= ETH_LEN + mtu as usize {
            return self.neigh_output(dev, next_hop, frame);
        }
        let id = self.random_below(u64::from(u32::MAX)) as u32;
        frame.complete_checksum();
        let fragments = self.fragments6(&frame, mtu as usize, id);
        if fragments.is_empty() {
            if let Some(netns) = self.netns.get_mut(ns) {
                netns.counters6.fragmentation_failures += 1;
            }
            return self.drop_frame(Some(dev), frame, DropReason::PacketTooBig);
        }
        let (mut made, mut failed) = (0, false);
        let refused = std::mem::take(&mut self.transmit_refused);
        for fragment in fragments {
            self.transmit_congested = false;
            self.neigh_output(dev, next_hop, fragment);
            let congested = std::mem::take(&mut self.transmit_congested);
            self.run_softirqs();
            failed = self.transmit_refused || congested;
            if failed {
                // The rest would be of no use.
                break;
            }
            made += 1;
        }
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.counters6.fragments_made += made;
            netns.counters6.fragmented += u64::from(!failed);
            netns.counters6.fragmentation_failures += u64::from(failed);
        }
        self.transmit_refused |= refused;
        self.consume(frame);
    }

    /// The fragments of a packet without extension headers, each no longer than `mtu`.
    pub(crate) fn fragments6(&mut self, frame: &Frame, mtu: usize, id: u32) -> Vec<Frame> {
        let packet = frame.payload();
        let (Some(header), Some(data)) = (Header::quoted(packet), packet.get(HEADER_LEN..)) else {
            return Vec::new();
        };
        let room = mtu.saturating_sub(HEADER_LEN + FRAGMENT_LEN) & !7;
        if room == 0 {
            return Vec::new();
        }
        let mut fragments = Vec::new();
        for (i, part) in data.chunks(room).enumerate() {
            let more = (i + 1) * room < data.len();
            let mut fragment = self.pool.frame(ETH_LEN + HEADER_LEN + FRAGMENT_LEN + part.len());
            (fragment.mark, fragment.iif, fragment.trace) = (frame.mark, frame.iif, frame.trace);
            (fragment.priority, fragment.tunnel) = (frame.priority, frame.tunnel);
            let payload_len = FRAGMENT_LEN + part.len();
            let bytes = fragment.payload_mut();
            Header { payload_len, next_header: next::FRAGMENT, ..header }.write(bytes);
            if let Some((extension, body)) =
                bytes.get_mut(HEADER_LEN..).and_then(|rest| rest.split_at_mut_checked(FRAGMENT_LEN))
            {
                let offset = (i * room) as u16 | u16::from(more);
                extension[..2].copy_from_slice(&[header.next_header, 0]);
                extension[2..4].copy_from_slice(&offset.to_be_bytes());
                extension[4..].copy_from_slice(&id.to_be_bytes());
                body.copy_from_slice(part);
            }
            fragments.push(fragment);
        }
        fragments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_cover_the_packet_without_overlap() {
        let mut world = World::new(1);
        let mut frame = world.pool.frame(ETH_LEN + HEADER_LEN + 3000);
        let header = Header {
            traffic_class: 0,
            flow_label: 0,
            payload_len: 3000,
            next_header: next::UDP,
            hop_limit: 64,
            source: "2001:db8::1".parse().unwrap(),
            destination: "2001:db8::2".parse().unwrap(),
        };
        header.write(frame.payload_mut());
        let parts: Vec<_> = world
            .fragments6(&frame, 1500, 7)
            .iter()
            .map(|fragment| {
                let bytes = fragment.payload();
                (bytes.len(), bytes[40], u16::from_be_bytes([bytes[42], bytes[43]]), bytes[47])
            })
            .collect();
        assert_eq!(parts, [(1496, 17, 1, 7), (1496, 17, 1449, 7), (152, 17, 2896, 7)]);
    }
}
