//! The segments that a connection sends (net/ipv4/tcp_output.c).

use super::{Connection, Outgoing, State};
use crate::tcp::segment::{Flags, Segment};
use crate::tcp::seq::Seq;
use crate::time::Time;

impl Connection {
    /// The next segment to send, if there is one.
    pub fn transmit(&mut self, now: Time) -> Option<Outgoing> {
        if std::mem::take(&mut self.reset_due) {
            let segment = Segment {
                seq: self.send.next,
                ack: self.receive.next,
                flags: Flags::RST.with(Flags::ACK),
                ..Segment::default()
            };
            return Some(Outgoing { segment, data: (segment.seq, 0) });
        }
        if self.syn_due {
            self.syn_due = false;
            let again = u64::from(self.send.next != self.iss);
            self.counts.news.sent_again += again;
            self.counts.news.syn_again += again;
            self.counts.news.uncounted += if self.state == State::SynSent { again } else { 0 };
            self.counts.sent(0, false, now);
            return Some(self.syn(now));
        }
        if self.is_synchronized() && self.state != State::TimeWait {
            let options = self.option_len();
            let most = self.send.mss.saturating_sub(options).max(1);
            let newest = self.send.next;
            if let Some((seq, len, push, fin)) = self.send.next_segment(most, now) {
                let mut flags = Flags::ACK;
                flags = if push { flags.with(Flags::PSH) } else { flags };
                flags = if fin { flags.with(Flags::FIN) } else { flags };
                if len > 0 {
                    self.receive.note_sent(now);
                }
                let again = seq.is_before(newest);
                self.counts.news.sent_again += u64::from(again);
                self.counts.news.uncounted += u64::from(again);
                self.counts.news.new_data += u64::from(!again);
                self.counts.sent(len, again, now);
                return Some(self.outgoing(seq, len, flags, now));
            }
            self.send.watch_window(now);
        }
        if std::mem::take(&mut self.probe_due) {
            self.counts.sent(0, false, now);
            return Some(self.outgoing(self.send.unacked + u32::MAX, 0, Flags::ACK, now));
        }
        if std::mem::take(&mut self.ack_due) {
            self.counts.sent(0, false, now);
            return Some(self.outgoing(self.send.next, 0, Flags::ACK, now));
        }
        None
    }

    /// SACK blocks that the next segment will have, in bytes of options.
    fn option_len(&self) -> u32 {
        match self.has_sack {
            true => match self.receive.sack(self.sack_most()).as_slice().len() as u32 {
                0 => 0,
                blocks => 4 + 8 * blocks,
            },
            false => 0,
        }
    }

    fn sack_most(&self) -> usize {
        if self.has_timestamps { 3 } else { 4 }
    }

    fn syn(&mut self, now: Time) -> Outgoing {
        self.send.sent_syn(now);
        let answers = self.state == State::SynReceived;
        let scales = match answers {
            true => self.receive.scale > 0 || self.peer_scale > 0,
            false => self.settings.window_scaling,
        };
        let segment = Segment {
            seq: self.iss,
            ack: if answers { self.receive.next } else { Seq(0) },
            flags: if answers { Flags::SYN.with(Flags::ACK) } else { Flags::SYN },
            window: self.receive.initial(),
            mss: Some(self.path_mss.min(65_535) as u16),
            window_scale: scales.then_some(self.receive.scale),
            sack_permitted: self.has_sack,
            timestamps: self.has_timestamps.then(|| (self.stamp(now), self.recent)),
            ..Segment::default()
        };
        Outgoing { segment, data: (self.iss, 0) }
    }

    fn outgoing(&mut self, seq: Seq, len: u32, flags: Flags, now: Time) -> Outgoing {
        let sack = if self.has_sack { self.receive.sack(self.sack_most()) } else { Default::default() };
        let segment = Segment {
            seq,
            ack: self.receive.next,
            flags,
            window: self.receive.tell_window(),
            timestamps: self.has_timestamps.then(|| (self.stamp(now), self.recent)),
            sack,
            ..Segment::default()
        };
        self.counts.news.told_twice += u64::from(self.has_sack && self.receive.tells_old());
        self.receive.acknowledged();
        self.ack_due = false;
        Outgoing { segment, data: (seq, len) }
    }

    /// `bytes` gets the data of an [`Outgoing`].
    pub fn copy(&self, seq: Seq, bytes: &mut [u8]) {
        self.send.copy(seq, bytes);
    }
}
