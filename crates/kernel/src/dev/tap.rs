//! What macvtap makes of macvlan, and ipvtap of ipvlan (drivers/net/tap.c): queues, each held open by a program.
//! While there is one, the device's received frames go there and not to its IP stack.
//!
//! State: one [`Tap`] a device, as the device's rx handler. Receive: [`Tap::receive`]. What a program writes to
//! its queue is transmitted by the device like anything else.

use std::hash::{Hash as _, Hasher as _};

use crate::frame::Frame;
use crate::sock::SockId;

use super::ipvlan::Ends;
use super::{Verdict, Verdicts};

/// `MAX_TAP_QUEUES`
pub const QUEUES_MAX: usize = 256;
/// `TUN_READQ_SIZE`: the transmit queue length of these devices, which is how much each queue holds.
pub const QUEUE_LEN: u32 = 500;
/// Character device numbers. Linux gives out dynamic ones, from the top, as modules are loaded.
pub const MACVTAP_MAJOR: u32 = 252;
pub const IPVTAP_MAJOR: u32 = 251;

/// The queues of a device, in the order in which they were opened.
#[derive(Clone, Debug, Default)]
pub struct Tap {
    pub queues: Vec<SockId>,
    /// Of the character device (`tap_get_minor`).
    pub minor: u32,
}

impl Tap {
    /// `tap_handle_frame`
    pub fn receive(&self, frame: &Frame, out: &mut Verdicts) {
        out.push(match self.queue_of(frame) {
            Some(queue) => Verdict::Queue { queue },
            None => Verdict::Local,
        });
    }

    /// `tap_get_queue`: packets of one flow share a queue. Linux chooses it by a random key.
    fn queue_of(&self, frame: &Frame) -> Option<SockId> {
        if let [only] = self.queues[..] {
            return Some(only);
        }
        let ends = Ends::of(frame).map_or(0, |ends| {
            let mut hasher = rustc_hash::FxHasher::default();
            (ends.from, ends.to).hash(&mut hasher);
            hasher.finish()
        });
        let at = ends.checked_rem(self.queues.len() as u64)?;
        self.queues.get(at as usize).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Pool, ethertype};
    use slotmap::SlotMap;

    fn packet(to: u8) -> Frame {
        let mut bytes = vec![0; 34];
        bytes[12..14].copy_from_slice(&ethertype::IPV4.to_be_bytes());
        bytes[14] = 0x45;
        bytes[17] = 20;
        bytes[33] = to;
        Pool::default().frame_from(&bytes)
    }

    fn chosen(tap: &Tap, to: u8) -> Verdict {
        let mut out = Vec::new();
        tap.receive(&packet(to), &mut out);
        out[0]
    }

    #[test]
    fn frames_go_to_a_queue_of_their_flow_or_to_the_stack() {
        let mut ids = SlotMap::<SockId, ()>::with_key();
        let mut tap = Tap::default();
        assert_eq!(chosen(&tap, 1), Verdict::Local);
        tap.queues.push(ids.insert(()));
        assert_eq!(chosen(&tap, 1), Verdict::Queue { queue: tap.queues[0] });
        tap.queues.extend((0..3).map(|_| ids.insert(())));
        let flows: std::collections::BTreeSet<String> =
            (0..64).map(|to| format!("{:?}", chosen(&tap, to))).collect();
        assert_eq!(flows.len(), 4, "all queues are used");
        assert_eq!(chosen(&tap, 7), chosen(&tap, 7));
    }
}
