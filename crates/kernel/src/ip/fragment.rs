//! Fragmentation on the way out (`ip_fragment`, RFC 791 §3.2).

use std::net::Ipv4Addr;

use crate::device::DevId;
use crate::frame::{ETH_LEN, Frame};
use crate::netfilter::Passed;
use crate::world::World;

use super::{FLAG_MF, HEADER_LEN, Header};

impl World {
    /// Sends a packet to its next hop, in fragments if it is longer than `mtu`.
    #[inline]
    pub(crate) fn fragment_and_send(&mut self, dev: DevId, next_hop: Ipv4Addr, mtu: u32, passed: Passed) {
        let frame = passed.into_frame();
        // What came in fragments leaves in none longer than they were (`ip_do_fragment`).
        let mtu = match frame.fragment_max {
            0 => mtu,
            most => mtu.min(u32::from(most)),
        };
        if frame.len() <= ETH_LEN + mtu as usize {
            return self.neigh_output(dev, next_hop, frame);
        }
        self.send_in_fragments(dev, next_hop, mtu, frame);
    }

    #[inline(never)]
    fn send_in_fragments(&mut self, dev: DevId, next_hop: Ipv4Addr, mtu: u32, mut frame: Frame) {
        frame.complete_checksum();
        let fragments = self.fragments(&frame, mtu as usize);
        let ns = self.devs.get(dev).map(|device| device.ns);
        let (mut made, mut failed) = (0, false);
        let refused = std::mem::take(&mut self.transmit_refused);
        for fragment in fragments {
            self.transmit_congested = false;
            self.neigh_output(dev, next_hop, fragment);
            let congested = std::mem::take(&mut self.transmit_congested);
            // A program that sends lets the receiving side run after each frame (`local_bh_enable`).
            self.run_softirqs();
            failed = self.transmit_refused || congested;
            if failed {
                // The rest would be of no use.
                break;
            }
            made += 1;
        }
        if let Some(netns) = ns.and_then(|ns| self.netns.get_mut(ns)) {
            netns.counters.fragments_made += made;
            netns.counters.fragmented += u64::from(!failed);
            netns.counters.fragmentation_failures += u64::from(failed);
        }
        self.transmit_refused |= refused;
        self.consume(frame);
    }

    /// The fragments of a packet, each no longer than `mtu`.
    pub(crate) fn fragments(&mut self, frame: &Frame, mtu: usize) -> Vec<Frame> {
        let packet = frame.payload();
        let Some(header) = Header::quoted(packet) else { return Vec::new() };
        let (Some(head), Some(data)) = (packet.get(..header.header_len), packet.get(header.header_len..))
        else {
            return Vec::new();
        };
        let room = (mtu.saturating_sub(header.header_len) & !7).max(8);
        let base = header.fragment_offset();
        let mut fragments = Vec::new();
        for (i, part) in data.chunks(room).enumerate() {
            let last = (i + 1) * room >= data.len();
            let options =
                if i == 0 { head.get(HEADER_LEN..).unwrap_or(&[]).to_vec() } else { copied_options(head) };
            let header_len = HEADER_LEN + options.len();
            let mut fragment = self.pool.frame(ETH_LEN + header_len + part.len());
            fragment.mark = frame.mark;
            (fragment.priority, fragment.tunnel) = (frame.priority, frame.tunnel);
            fragment.iif = frame.iif;
            fragment.path_mtu = frame.path_mtu;
            fragment.trace = frame.trace;
            let more = if last && !header.more_fragments() { 0 } else { FLAG_MF };
            let offset = ((base + i * room) / 8) as u16;
            let fields = Header {
                header_len,
                total_len: header_len + part.len(),
                fragment: offset | more | (header.fragment & super::FLAG_DF),
                ..header
            };
            let bytes = fragment.payload_mut();
            if let Some((front, body)) = bytes.split_at_mut_checked(header_len) {
                if let Some(place) = front.get_mut(HEADER_LEN..) {
                    place.copy_from_slice(&options);
                }
                body.copy_from_slice(part);
            }
            fields.write(bytes);
            fragments.push(fragment);
        }
        fragments
    }
}

/// Options that every fragment carries: those with the copied bit (RFC 791 §3.1), the others blanked out.
fn copied_options(head: &[u8]) -> Vec<u8> {
    let mut options = head.get(HEADER_LEN..).unwrap_or(&[]).to_vec();
    let mut at = 0;
    while let Some(kind) = options.get(at).copied() {
        match kind {
            0 => break,
            1 => at += 1,
            _ => {
                let len = options.get(at + 1).map_or(0, |len| usize::from(*len));
                if len < 2 || at + len > options.len() {
                    break;
                }
                if kind & 0x80 == 0 {
                    options[at..at + len].fill(1);
                }
                at += len;
            }
        }
    }
    options
}

#[cfg(test)]
mod tests {
    use super::super::FLAG_DF;
    use super::*;

    #[test]
    fn fragments_cover_the_packet_without_overlap() {
        let mut world = World::new(1);
        let mut frame = world.pool.frame(ETH_LEN + HEADER_LEN + 3000);
        let header = Header {
            header_len: HEADER_LEN,
            tos: 0,
            total_len: HEADER_LEN + 3000,
            id: 7,
            fragment: 0,
            ttl: 64,
            protocol: 17,
            source: Ipv4Addr::new(10, 0, 0, 1),
            destination: Ipv4Addr::new(10, 0, 0, 2),
        };
        header.write(frame.payload_mut());
        let parts: Vec<_> = world
            .fragments(&frame, 1500)
            .iter()
            .map(|f| Header::parse(f.payload()).expect("a right header"))
            .map(|h| (h.fragment_offset(), h.total_len, h.more_fragments(), h.fragment & FLAG_DF))
            .collect();
        assert_eq!(parts, [(0, 1500, true, 0), (1480, 1500, true, 0), (2960, 60, false, 0)]);
    }

    #[test]
    fn only_copied_options_stay_in_later_fragments() {
        let mut head = vec![0; HEADER_LEN];
        head.extend([7, 3, 4, 0x83, 3, 4, 0, 0]);
        assert_eq!(copied_options(&head), [1, 1, 1, 0x83, 3, 4, 0, 0]);
    }
}
