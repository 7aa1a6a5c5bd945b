//! Whether a segment fits what both sides of a TCP connection have sent and may send (`tcp_in_window` of
//! nf_conntrack_proto_tcp.c). A segment must begin where its receiver still has room, must not be older than a window, and must
//! acknowledge nothing that has not been sent.

use super::segment::{Kind, Segment, after, before, flag};
use super::settings::Settings;
use super::tcp::Tcp;
use hairpin_netlink::netfilter::conntrack::TcpState;

/// How old an acknowledgement may be at least, in bytes (`MAXACKWINCONST`).
const OLD_MAX: u32 = 66_000;

/// What is remembered of a side (`IP_CT_TCP_FLAG_*`).
pub(super) mod about {
    pub const WINDOW_SCALE: u8 = 0x01;
    pub const SACK_PERMITTED: u8 = 0x02;
    /// It was the first to close.
    pub const CLOSES_FIRST: u8 = 0x04;
    /// Nothing is held against it.
    pub const LIBERAL: u8 = 0x08;
    /// It has sent data that nobody has acknowledged.
    pub const UNACKNOWLEDGED: u8 = 0x10;
    /// `max_acknowledged` is known.
    pub const ACKNOWLEDGES: u8 = 0x20;
}

/// One side of a connection (`struct ip_ct_tcp_state`). Sequence numbers are its own, but for `max_acknowledged`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Side {
    /// Behind the last byte that it has sent.
    pub end: u32,
    /// Behind the last byte that its peer has room for.
    pub max_end: u32,
    /// The largest window that it has offered; 0: it has sent nothing yet.
    pub max_window: u32,
    /// The highest number that it has acknowledged.
    pub max_acknowledged: u32,
    /// By how many bits its windows are shifted.
    pub scale: u8,
    /// Bits of [`about`].
    pub flags: u8,
}

/// What becomes of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    Fits,
    /// It is let by and changes nothing.
    Ignored,
    Invalid,
}

impl Side {
    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// `tcp_options`
    pub fn agree(&mut self, segment: &Segment) {
        let Some(agreed) = segment.agreed() else { return };
        self.scale = agreed.scale.unwrap_or(0);
        self.flags &= about::LIBERAL;
        if agreed.scale.is_some() {
            self.flags |= about::WINDOW_SCALE;
        }
        if agreed.sack {
            self.flags |= about::SACK_PERMITTED;
        }
    }

    /// `nf_ct_tcp_state_reset`
    pub fn forget(&mut self) {
        *self = Side { flags: self.flags & about::LIBERAL, ..Side::default() };
    }

    /// What is held against it is let by, where it or all are trusted (`nf_tcp_store_invalid`).
    fn or_liberal(&self, fit: Fit, settings: &Settings) -> Fit {
        if self.has(about::LIBERAL) || settings.tcp_be_liberal { Fit::Fits } else { fit }
    }
}

/// `tcp_init_sender`: a SYN of the reply direction (with an ACK or without), or another SYN than before.
fn begin(sender: &mut Side, receiver: &mut Side, direction: u8, segment: &Segment) {
    sender.end = segment.end;
    sender.max_end = segment.end;
    sender.max_window = u32::from(segment.window).max(1);
    sender.agree(segment);
    // RFC 7323 §2.2: both sides must offer to scale.
    if direction == 1 && !(sender.has(about::WINDOW_SCALE) && receiver.has(about::WINDOW_SCALE)) {
        sender.scale = 0;
        receiver.scale = 0;
    }
}

impl Tcp {
    /// `tcp_in_window`
    pub(super) fn fits(&mut self, direction: u8, segment: &Segment, settings: &Settings) -> Fit {
        let state = self.state;
        let last = &mut self.last;
        let [original, reply] = &mut self.sides;
        let (sender, receiver) = if direction == 0 { (original, reply) } else { (reply, original) };
        let Segment { mut sequence, mut end, acknowledged: mut ack, .. } = *segment;
        let mut window = u32::from(segment.window);
        // The highest byte that has arrived, with selective acknowledgements (RFC 2018).
        let mut seen = if receiver.has(about::SACK_PERMITTED) { segment.highest_seen(ack) } else { ack };
        let is_syn = segment.has(flag::SYN);
        if sender.max_window == 0 {
            if is_syn {
                begin(sender, receiver, direction, segment);
                if !segment.has(flag::ACK) {
                    return Fit::Fits;
                }
            } else {
                // In the midst of a connection.
                sender.end = end;
                sender.max_window = (window << sender.scale).max(1);
                sender.max_end = end.wrapping_add(sender.max_window);
                if receiver.max_window == 0 {
                    receiver.end = seen;
                    receiver.max_end = seen;
                } else if seen == receiver.end.wrapping_add(1) {
                    // It answers a keepalive.
                    receiver.end = seen;
                }
            }
        } else if is_syn && after(end, sender.end) && matches!(state, TcpState::SynSent | TcpState::SynRecv) {
            // RFC 793 §3.3: another beginning has higher numbers.
            begin(sender, receiver, direction, segment);
            if direction == 1 && !segment.has(flag::ACK) {
                return Fit::Fits;
            }
        }
        // Without an ACK, and in a reset that acknowledges 0, the number says nothing.
        if !segment.has(flag::ACK) || segment.has(flag::RST) && ack == 0 {
            ack = receiver.end;
            seen = receiver.end;
        }
        if segment.has(flag::RST) && sequence == 0 && state == TcpState::SynSent {
            sequence = sender.end;
            end = sender.end;
        }
        let oldest_ack = receiver.end.wrapping_sub(sender.max_window.max(OLD_MAX)).wrapping_sub(1);
        let oldest = sender.end.wrapping_sub(receiver.max_window).wrapping_sub(1);
        if !before(sequence, sender.max_end.wrapping_add(1)) {
            let beyond = end.wrapping_sub(sender.max_end).wrapping_add(1);
            let only_too_much = receiver.max_window != 0
                && after(end, oldest)
                && after(seen, oldest_ack)
                && beyond <= receiver.max_window
                && before(seen, receiver.end.wrapping_add(1));
            if only_too_much {
                sender.end = end;
                sender.flags |= about::UNACKNOWLEDGED;
                return sender.or_liberal(Fit::Ignored, settings);
            }
            return sender.or_liberal(Fit::Invalid, settings);
        }
        if !before(seen, receiver.end.wrapping_add(1)) {
            return sender.or_liberal(Fit::Invalid, settings);
        }
        let too_old = receiver.max_window != 0 && !after(end, oldest);
        if too_old || !after(seen, oldest_ack) {
            return sender.or_liberal(Fit::Ignored, settings);
        }
        if !is_syn {
            window <<= sender.scale;
        }
        sender.max_window = sender.max_window.max(window.wrapping_add(seen.wrapping_sub(ack)));
        if after(end, sender.end) {
            sender.end = end;
            sender.flags |= about::UNACKNOWLEDGED;
        }
        if segment.has(flag::ACK) && (!sender.has(about::ACKNOWLEDGES) || after(ack, sender.max_acknowledged))
        {
            sender.max_acknowledged = ack;
            sender.flags |= about::ACKNOWLEDGES;
        }
        if receiver.max_window != 0 && after(end, sender.max_end) {
            receiver.max_window = receiver.max_window.wrapping_add(end.wrapping_sub(sender.max_end));
        }
        let room = seen.wrapping_add(window);
        if after(room, receiver.max_end.wrapping_sub(1)) {
            // One byte may always be tried.
            receiver.max_end = room.wrapping_add(u32::from(window == 0));
        }
        if ack == receiver.end {
            receiver.flags &= !about::UNACKNOWLEDGED;
        }
        if segment.kind == Kind::Ack {
            let now = (direction, sequence, ack, end, segment.window);
            if (last.direction, last.sequence, last.acknowledged, last.end, last.window) == now {
                last.retransmissions = last.retransmissions.wrapping_add(1);
            } else {
                (last.direction, last.sequence, last.acknowledged, last.end, last.window) = now;
                last.retransmissions = 0;
            }
        }
        Fit::Fits
    }
}
