//! What a segment that has come in does to a connection (net/ipv4/tcp_input.c).

use std::time::Duration;

use hairpin_netlink::Errno;

use super::{Connection, LINGER, Outcome, STAMP, State};
use crate::tcp::receive::Acknowledge;
use crate::tcp::segment::{Flags, Segment};
use crate::tcp::seq::Seq;
use crate::time::Time;

/// Nanoseconds.
const NS_PER_S: u64 = 1_000_000_000;
/// `TCP_PAWS_WINDOW`, in stamps.
const PAWS_WINDOW: i32 = 1;

impl Connection {
    /// Takes a segment in (`tcp_rcv_established`, `tcp_rcv_state_process`).
    pub fn receive(&mut self, segment: &Segment, data: &[u8], now: Time) -> Outcome {
        self.counts.received(segment, data.len(), now);
        match self.state {
            State::Closed | State::Listen => Outcome::Reset,
            State::SynSent => self.receive_syn_sent(segment, now),
            State::TimeWait => self.receive_time_wait(segment, now),
            _ => self.receive_synchronized(segment, data, now),
        }
    }

    /// `tcp_rcv_synsent_state_process`
    fn receive_syn_sent(&mut self, segment: &Segment, now: Time) -> Outcome {
        let flags = segment.flags;
        let acks = flags.has(Flags::ACK);
        if acks && segment.ack != self.iss + 1 {
            return if flags.has(Flags::RST) { Outcome::Taken } else { Outcome::Reset };
        }
        if flags.has(Flags::RST) {
            if acks {
                self.end(Some(Errno::ECONNREFUSED));
            }
            return Outcome::Taken;
        }
        if !flags.has(Flags::SYN) {
            return Outcome::Taken;
        }
        self.agree(segment);
        self.receive.start(segment.seq, now);
        if !acks {
            // Both opened at once (RFC 9293 §3.5, figure 8).
            self.state = State::SynReceived;
            self.syn_due = true;
            self.send.start_window(u32::from(segment.window), segment.seq, self.iss);
            return Outcome::Taken;
        }
        let echo = self.echo_age(segment, now);
        self.send.start_window(u32::from(segment.window), segment.seq, segment.ack);
        let window = u32::from(segment.window);
        self.send.acknowledge(segment.seq, segment.ack, window, &[], echo, false, now);
        self.counts.bytes_acked += 1;
        self.counts.news.delivered += 1;
        self.establish();
        self.ack_due = true;
        Outcome::Taken
    }

    fn establish(&mut self) {
        self.state = State::Established;
        self.retransmits = 0;
        self.receive.established(self.peer_mss);
    }

    fn receive_time_wait(&mut self, segment: &Segment, now: Time) -> Outcome {
        if segment.flags.has(Flags::RST) {
            if segment.seq == self.receive.next {
                self.end(None);
            }
            return Outcome::Taken;
        }
        // `tcp_timewait_state_process`: the last acknowledgement was lost, or something old comes late.
        self.ack_due = true;
        if segment.flags.has(Flags::FIN) {
            self.linger_at = Some(now.timer(LINGER));
        }
        Outcome::Taken
    }

    /// Whether a new connection may take the place of one that waits, and its first number then
    /// (`tcp_twsk_unique`): time stamps must have moved on by a second.
    pub fn gives_place(&self, now: Time) -> Option<Seq> {
        let began = self.linger_at?.nanos().saturating_sub(LINGER.as_nanos() as u64);
        let is_later = now.nanos() / NS_PER_S > began / NS_PER_S;
        let fits = self.state == State::TimeWait && self.has_timestamps && is_later;
        fits.then(|| self.send.next + 65_535 + 2)
    }

    /// The answer to the SYN has left already, as a cookie, with this time stamp.
    pub fn cookie_was_sent(&mut self, stamp: Option<u32>, now: Time) {
        self.syn_due = false;
        self.send.sent_syn(now);
        if let Some(stamp) = stamp {
            self.stamp_offset = self.stamp_offset.wrapping_add(stamp.wrapping_sub(self.stamp(now)));
        }
    }

    /// Whether a SYN may open a new connection in place of one that waits (RFC 6191, `tcp_timewait_state_process`).
    pub fn gives_way_to(&self, syn: &Segment) -> bool {
        let newer = syn
            .timestamps
            .is_some_and(|(stamp, _)| self.has_timestamps && (stamp.wrapping_sub(self.recent) as i32) > 0);
        self.state == State::TimeWait && (syn.seq.is_after(self.receive.next) || newer)
    }

    fn receive_synchronized(&mut self, segment: &Segment, data: &[u8], now: Time) -> Outcome {
        let flags = segment.flags;
        if self.state == State::SynReceived && flags.has(Flags::SYN) && !flags.has(Flags::ACK) {
            // The peer has not heard our answer (`tcp_check_req`).
            if segment.seq + 1 == self.receive.next {
                self.syn_due = true;
            }
            return Outcome::Taken;
        }
        if !self.is_acceptable(segment, data) {
            return Outcome::Taken;
        }
        if flags.has(Flags::RST) {
            return self.receive_reset(segment);
        }
        if flags.has(Flags::SYN) {
            // RFC 5961 §4.2: a challenge.
            self.ack_due = true;
            return Outcome::Taken;
        }
        if !flags.has(Flags::ACK) {
            return Outcome::Taken;
        }
        if self.state == State::SynReceived {
            if segment.ack != self.iss + 1 {
                return Outcome::Reset;
            }
            self.send.start_window(self.scaled(segment), segment.seq, segment.ack);
            self.establish();
        }
        if segment.ack.is_after(self.send.next) {
            return Outcome::Taken;
        }
        if let Some((stamp, _)) = segment.timestamps
            && self.has_timestamps
            && !segment.seq.is_after(self.receive.told_at())
        {
            self.recent = stamp;
        }
        self.take_acknowledgement(segment, data, now);
        if self.state == State::Closed || self.state == State::TimeWait {
            return Outcome::Taken;
        }
        self.take_data(segment, data, now)
    }

    fn scaled(&self, segment: &Segment) -> u32 {
        u32::from(segment.window) << self.peer_scale
    }

    fn echo_age(&self, segment: &Segment, now: Time) -> Option<Duration> {
        let (_, echo) = segment.timestamps.filter(|(_, echo)| self.has_timestamps && *echo != 0)?;
        Some(STAMP * self.stamp(now).wrapping_sub(echo).min(600_000))
    }

    /// `tcp_validate_incoming`: in the window, and not older than what was seen (RFC 7323 §5). One that is not is
    /// answered with what is expected.
    fn is_acceptable(&mut self, segment: &Segment, data: &[u8]) -> bool {
        let flags = segment.flags;
        let fin = u32::from(flags.has(Flags::FIN));
        let end = segment.seq + data.len() as u32 + fin;
        let old = segment.timestamps.is_some_and(|(stamp, _)| {
            self.has_timestamps && (self.recent.wrapping_sub(stamp) as i32) > PAWS_WINDOW
        });
        let edge = self.receive.next + self.receive.window_left();
        let in_window = !end.is_before(self.receive.told_at()) && !segment.seq.is_after(edge);
        if (old || !in_window) && !flags.has(Flags::RST) {
            self.receive.tell_twice(segment.seq, end);
            self.ack_due = true;
        }
        in_window && (!old || flags.has(Flags::RST))
    }

    /// RFC 5961 §3.2: only the exact number resets; another in the window is challenged.
    fn receive_reset(&mut self, segment: &Segment) -> Outcome {
        if segment.seq != self.receive.next {
            self.ack_due = true;
            return Outcome::Taken;
        }
        let error = match self.state {
            State::SynReceived => None,
            State::CloseWait => Some(Errno(32)),
            State::Closing | State::LastAck | State::TimeWait => None,
            _ => Some(Errno(104)),
        };
        self.end(error);
        Outcome::Taken
    }

    fn take_acknowledgement(&mut self, segment: &Segment, data: &[u8], now: Time) {
        let plain = data.is_empty() && !segment.flags.has(Flags::FIN) && !segment.flags.has(Flags::SYN);
        let (window, echo) = (self.scaled(segment), self.echo_age(segment, now));
        let sack = if self.has_sack { segment.sack.as_slice() } else { &[] };
        // That the answer to a SYN has arrived nobody counts (`tcp_rcv_state_process`).
        let delivered = self.send.delivered.wrapping_add(u32::from(self.send.unacked == self.iss));
        let progress = self.send.acknowledge(segment.seq, segment.ack, window, sack, echo, plain, now);
        self.counts.news.delivered += u64::from(self.send.delivered.saturating_sub(delivered));
        if progress.acked > 0 {
            self.counts.bytes_acked += u64::from(progress.acked);
            self.retransmits = 0;
            self.soft_error = None;
        } else if !self.send.has_flight() && segment.ack == self.send.unacked {
            // An answered probe of a closed window.
            self.retransmits = 0;
        }
        let fin_acked = self.send.fin_sent && self.send.unacked == self.send.next;
        match self.state {
            State::FinWait1 if fin_acked => {
                self.state = State::FinWait2;
                if self.is_orphan {
                    self.linger_at = Some(now.timer(LINGER));
                    self.counts.news.waits += 1;
                }
            }
            State::Closing if fin_acked => self.wait_out(now),
            State::LastAck if fin_acked => self.end(None),
            _ => {}
        }
    }

    fn take_data(&mut self, segment: &Segment, data: &[u8], now: Time) -> Outcome {
        let fin = segment.flags.has(Flags::FIN);
        if data.is_empty() && !fin {
            return Outcome::Taken;
        }
        let takes = matches!(self.state, State::Established | State::FinWait1 | State::FinWait2);
        let news = (segment.seq + data.len() as u32).is_after(self.receive.next);
        if self.is_orphan && takes && news && !data.is_empty() {
            // Nobody will read it (RFC 1122 §4.2.2.13).
            self.end(None);
            return Outcome::Reset;
        }
        if !takes {
            // Behind the peer's end: it has not heard our acknowledgement.
            if !news {
                self.receive.tell_twice(segment.seq, segment.seq + data.len() as u32 + u32::from(fin));
                self.ack_due = true;
            }
            return Outcome::Taken;
        }
        let push = segment.flags.has(Flags::PSH);
        let before = self.receive.next;
        self.receive.take(segment.seq, data, fin, push, self.send.rto, now);
        self.counts.bytes_received += u64::from(self.receive.next - before);
        if self.receive.is_complete {
            match self.state {
                State::Established => {
                    self.state = State::CloseWait;
                    self.receive.be_interactive();
                }
                State::FinWait1 => {
                    self.state = State::Closing;
                    self.ack_due = true;
                }
                _ => {
                    self.ack_due = true;
                    self.wait_out(now);
                }
            }
        }
        if self.receive.check(self.send.srtt, now) == Acknowledge::Now {
            self.ack_due = true;
        }
        Outcome::Taken
    }

    /// `tcp_time_wait`
    fn wait_out(&mut self, now: Time) {
        // One that nobody holds has waited since its end was acknowledged.
        let waits = self.is_orphan && self.state == State::FinWait2;
        self.counts.news.waits += u64::from(!waits);
        self.state = State::TimeWait;
        self.send.timeout_at = None;
        self.receive.ack_at = None;
        self.linger_at = Some(now.timer(LINGER));
    }

    /// `tcp_done`
    pub(super) fn end(&mut self, error: Option<Errno>) {
        // `tcp_set_state`, `tcp_done`
        match self.state {
            State::SynSent | State::SynReceived => self.counts.news.attempts_failed += 1,
            State::Established | State::CloseWait => self.counts.news.resets += 1,
            _ => {}
        }
        self.state = State::Closed;
        self.error = error.or(self.error);
        self.send.timeout_at = None;
        self.receive.ack_at = None;
        self.linger_at = None;
        self.syn_due = false;
        self.ack_due = false;
        self.probe_due = false;
    }

    /// An ICMP error about a connection that is being opened ends it; later, or while the program is still in the call
    /// that opens it, it is only remembered (`tcp_v4_err`).
    pub fn unreachable(&mut self, errno: Errno, is_owned: bool) {
        match self.state {
            State::SynSent if !is_owned => self.end(Some(errno)),
            _ => self.soft_error = Some(errno),
        }
    }

    /// An ICMP error quotes the answer to a SYN, which began at `seq`: nobody is told (`tcp_req_err`).
    pub fn give_up(&mut self, seq: Seq) {
        if seq == self.iss {
            self.end(None);
        }
    }
}
