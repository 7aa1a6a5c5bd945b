//! Netlink messages for the nlmon devices of a namespace (`netlink_deliver_tap`).

use crate::frame::ETH_LEN;
use crate::mac::Mac;
use crate::netns::NsId;
use crate::world::World;

/// `NETLINK_ROUTE`
const NETLINK_ROUTE: u16 = 0;
/// Most bytes of a dump's answer in one frame (`netlink_dump`).
const FRAME_MAX: usize = 16 << 10;

impl World {
    /// Shows what went over a routing socket: one frame, or for a long answer some, cut between messages.
    pub(crate) fn nlmon_tap(&mut self, ns: NsId, bytes: &[u8]) {
        if self.netns.get(ns).is_none_or(|netns| netns.nlmons.is_empty()) {
            return;
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let (part, behind) = rest.split_at(part_len(rest).min(rest.len()));
            rest = behind;
            for dev in self.netns.get(ns).map(|netns| netns.nlmons.clone()).unwrap_or_default() {
                let mut frame = self.pool.frame(ETH_LEN + part.len());
                frame.set_header(Mac::ZERO, Mac::ZERO, NETLINK_ROUTE);
                frame.payload_mut().copy_from_slice(part);
                self.name_frame(&mut frame);
                self.transmit(dev, frame);
            }
        }
    }
}

/// Bytes of the whole messages at the front that go into one frame; at least one message.
fn part_len(bytes: &[u8]) -> usize {
    let mut len = 0;
    while let Some(head) = bytes.get(len..).and_then(|rest| rest.first_chunk::<4>()) {
        let message = (u32::from_ne_bytes(*head) as usize).next_multiple_of(4).max(16);
        if len > 0 && len + message > FRAME_MAX {
            break;
        }
        len = len.saturating_add(message);
        if len >= bytes.len() {
            break;
        }
    }
    if len == 0 { bytes.len() } else { len }
}
