//! The sending half of a connection: what is queued and in flight, round-trip times (RFC 6298) and what becomes of an
//! acknowledgement (net/ipv4/tcp_input.c: `tcp_ack`).

mod congestion;
mod tail;

use std::collections::VecDeque;
use std::time::Duration;

use self::congestion::{Phase, Reduction};
use self::tail::Tail;
use super::seq::Seq;
use crate::time::Time;

/// `TCP_INIT_CWND`
pub const INITIAL_WINDOW: u32 = 10;
/// `TCP_RTO_MIN`, `TCP_RTO_MAX`
const RTO_MIN: Duration = Duration::from_millis(200);
const RTO_MAX: Duration = Duration::from_secs(120);
/// `TCP_TIMEOUT_INIT`
const RTO_INITIAL: Duration = Duration::from_secs(1);
/// Bytes that may wait to be sent (`net.ipv4.tcp_wmem`, largest).
const BUFFER_MAX: usize = 4 << 20;
/// Bytes that may wait at first (`net.ipv4.tcp_wmem`, default, as `sk_stream_memory_free` lets it be used).
const BUFFER: usize = 87_380;

/// A segment in flight.
#[derive(Clone, Copy, Debug)]
struct Sent {
    start: Seq,
    end: Seq,
    at: Time,
    is_again: bool,
    is_sacked: bool,
    is_lost: bool,
}

/// Segments in flight, and of those the ones that arrived, that are lost, that were sent again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flight {
    pub segments: u32,
    pub sacked: u32,
    pub lost: u32,
    pub again: u32,
}

/// What an acknowledgement has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub acked: u32,
    /// There is room to write into again.
    pub has_room: bool,
}

/// The sending half.
#[derive(Clone, Debug)]
pub struct Sender {
    /// `snd_una`
    pub unacked: Seq,
    /// `snd_nxt`
    pub next: Seq,
    /// Number of the first byte in `data`.
    base: Seq,
    data: VecDeque<u8>,
    /// Ends of writes that are to be marked PSH.
    pushes: VecDeque<Seq>,
    /// The program has written all it will.
    pub is_closing: bool,
    pub fin_sent: bool,
    /// The peer's window, scaled.
    pub window: u32,
    window_seq: Seq,
    window_ack: Seq,
    max_window: u32,
    pub mss: u32,
    /// End of the last segment that was not full (`snd_sml`).
    small_end: Seq,
    pub no_delay: bool,

    flight: VecDeque<Sent>,
    congestion: u32,
    /// Segments acknowledged since the window last grew, in congestion avoidance.
    grown: u32,
    threshold: u32,
    phase: Phase,
    duplicates: u32,
    reduction: Reduction,
    pub probes_tail: bool,
    tail: Tail,

    pub srtt: Option<Duration>,
    variance: Duration,
    min_rtt: Option<Duration>,
    /// Segments that went out another time, and those that arrived.
    pub sent_again: u32,
    pub delivered: u32,
    pub rto: Duration,
    pub backoff: u32,
    /// When what is unacknowledged counts as lost, or the window is probed.
    pub timeout_at: Option<Time>,
}

impl Sender {
    pub fn new(iss: Seq) -> Sender {
        Sender {
            unacked: iss,
            next: iss,
            base: iss + 1,
            data: VecDeque::new(),
            pushes: VecDeque::new(),
            is_closing: false,
            fin_sent: false,
            window: 0,
            window_seq: Seq(0),
            window_ack: Seq(0),
            max_window: 0,
            mss: 536,
            small_end: iss,
            no_delay: false,
            flight: VecDeque::new(),
            congestion: INITIAL_WINDOW,
            grown: 0,
            threshold: u32::MAX,
            phase: Phase::Open,
            duplicates: 0,
            reduction: Reduction::default(),
            probes_tail: false,
            tail: Tail::default(),
            srtt: None,
            variance: Duration::ZERO,
            min_rtt: None,
            sent_again: 0,
            delivered: 0,
            rto: RTO_INITIAL,
            backoff: 0,
            timeout_at: None,
        }
    }

    /// Takes data to be sent; how much of it there is room for.
    pub fn write(&mut self, data: &[u8]) -> usize {
        let count = data.len().min(self.room());
        if count == 0 {
            return 0;
        }
        // What has not been sent yet grows by what is written: one push, at its end.
        while let Some(last) = self.pushes.back()
            && last.is_after(self.next)
        {
            self.pushes.pop_back();
        }
        self.data.extend(data.get(..count).unwrap_or(&[]));
        self.pushes.push_back(self.written());
        count
    }

    /// Bytes there is room for: more once the congestion window is large (`tcp_sndbuf_expand`).
    pub fn room(&self) -> usize {
        let wanted = (self.congestion as usize * self.mss as usize * 2).clamp(BUFFER, BUFFER_MAX);
        wanted.saturating_sub(self.data.len())
    }

    /// The end of what was written.
    fn written(&self) -> Seq {
        self.base + self.data.len() as u32
    }

    pub fn unsent(&self) -> u32 {
        self.written().max(self.next) - self.next
    }

    /// Bytes written and not acknowledged.
    pub fn queued(&self) -> u32 {
        self.data.len() as u32
    }

    /// `bytes` gets what is queued from `seq` on.
    pub fn copy(&self, seq: Seq, bytes: &mut [u8]) {
        let from = (seq - self.base) as usize;
        let (front, back) = self.data.as_slices();
        let first = front.get(from..).unwrap_or(&[]);
        let second = back.get(from.saturating_sub(front.len())..).unwrap_or(&[]);
        for (to, byte) in bytes.iter_mut().zip(first.iter().chain(second)) {
            *to = *byte;
        }
    }

    /// The peer's first window, as its SYN or the acknowledgement of ours tells it.
    pub fn start_window(&mut self, window: u32, seq: Seq, ack: Seq) {
        self.window = window;
        self.max_window = window;
        self.window_seq = seq;
        self.window_ack = ack;
    }

    fn in_flight(&self) -> u32 {
        self.flight.iter().filter(|sent| !sent.is_sacked && !sent.is_lost).count() as u32
    }

    pub fn has_flight(&self) -> bool {
        !self.flight.is_empty()
    }

    /// The next segment to send: where it starts, its length, whether the sender pushes, whether FIN is on it. It
    /// counts as sent. `most` bounds its data.
    pub fn next_segment(&mut self, most: u32, now: Time) -> Option<(Seq, u32, bool, bool)> {
        if self.in_flight() < self.congestion
            && let Some(lost) = self.flight.iter_mut().find(|sent| sent.is_lost && !sent.is_sacked)
        {
            lost.is_lost = false;
            lost.is_again = true;
            lost.at = now;
            self.sent_again = self.sent_again.wrapping_add(1);
            let (start, end) = (lost.start, lost.end);
            self.reduction.sent += 1;
            self.arm(now);
            return Some(self.describe(start, end));
        }
        let edge = self.unacked + self.window;
        let limit = self.written();
        let room = if edge.is_after(self.next) { edge - self.next } else { 0 };
        let whole = self.unsent();
        let len = whole.min(most).min(room);
        let is_last = len == whole;
        let fin = self.is_closing && !self.fin_sent && is_last && (len > 0 || whole == 0) && room >= len;
        if len == 0 && !fin {
            return None;
        }
        if self.in_flight() >= self.congestion && !(fin && len == 0) && !self.tail.takes_new {
            return None;
        }
        if len < most && !fin && !self.tail.takes_new {
            // Not full, because of the window: wait for more of it, unless it is half of the largest ever seen.
            if len < whole && len < self.max_window / 2 {
                return None;
            }
            // RFC 896 as `tcp_nagle_test` has it: one small segment in flight at most.
            let small_in_flight = self.small_end.is_after(self.unacked) && !self.flight.is_empty();
            if !self.no_delay && small_in_flight && is_last {
                return None;
            }
        }
        let (start, mut end) = (self.next, self.next + len);
        if len > 0 && len < most {
            self.small_end = end;
        }
        if fin {
            end += 1;
            self.fin_sent = true;
        }
        debug_assert!(!(start + len).is_after(limit));
        self.flight.push_back(Sent {
            start,
            end,
            at: now,
            is_again: false,
            is_sacked: false,
            is_lost: false,
        });
        self.next = end;
        self.reduction.sent += 1;
        if std::mem::take(&mut self.tail.takes_new) {
            self.tail.asked = Some(self.next);
            self.arm(now);
            return Some(self.describe(start, end));
        }
        if self.timeout_at.is_none() || self.flight.len() == 1 {
            self.arm(now);
        } else if self.tail.is_due {
            self.arm_again(now);
        }
        self.watch_tail(self.until_timeout(now), now);
        Some(self.describe(start, end))
    }

    fn describe(&self, start: Seq, end: Seq) -> (Seq, u32, bool, bool) {
        let fin = self.fin_sent && end == self.written() + 1;
        let len = end - start - u32::from(fin);
        let data_end = start + len;
        let push = len > 0 && (data_end == self.written() || self.pushes.contains(&data_end));
        (start, len, push, fin)
    }

    /// SYN or SYN-ACK goes out, for the first time or again.
    pub fn sent_syn(&mut self, now: Time) {
        let first = self.next == self.unacked;
        if first {
            self.next += 1;
        }
        self.flight.clear();
        let (start, end) = (self.unacked, self.next);
        self.flight.push_back(Sent {
            start,
            end,
            at: now,
            is_again: !first,
            is_sacked: false,
            is_lost: false,
        });
        self.arm(now);
    }

    fn arm(&mut self, now: Time) {
        self.timeout_at = Some(now.timer(self.timeout()));
        self.tail.is_due = false;
    }

    /// The retransmission timeout as it is backed off now.
    fn timeout(&self) -> Duration {
        self.rto.saturating_mul(1 << self.backoff.min(10)).min(RTO_MAX)
    }

    /// Handles an acknowledgement (`tcp_ack`). `window` is scaled; `echo` the age of our time stamp that it echoes;
    /// `is_plain`: without data, SYN or FIN.
    #[allow(clippy::too_many_arguments)]
    pub fn acknowledge(
        &mut self,
        seq: Seq,
        ack: Seq,
        window: u32,
        sack: &[(Seq, Seq)],
        echo: Option<Duration>,
        is_plain: bool,
        now: Time,
    ) -> Progress {
        let (twice, sack) = tail::split_duplicate(sack, ack);
        let had_room = self.room() > 0;
        let old_window = self.window;
        if ack.is_after(self.window_ack)
            || seq.is_after(self.window_seq)
            || (seq == self.window_seq && window > self.window)
        {
            self.window = window;
            self.max_window = self.max_window.max(window);
            self.window_seq = seq;
            self.window_ack = ack.max(self.window_ack);
        }
        if !ack.is_after(self.unacked) {
            let news = self.mark_sacked(sack);
            let repeats = ack == self.unacked && is_plain && window == old_window && self.has_flight();
            self.judge_probe(ack, twice, is_plain && window == old_window && !news);
            if news || (repeats && sack.is_empty()) {
                self.duplicates += 1;
                self.look_for_loss(!sack.is_empty(), now);
                self.reduce(1);
            }
            self.settle_timer(now);
            return Progress::default();
        }
        let acked = ack - self.unacked;
        self.unacked = ack;
        let mut sample = None;
        let mut segments = 0;
        let busy = self.flight.len() as u32;
        while let Some(sent) = self.flight.front_mut()
            && sent.start.is_before(ack)
        {
            if sent.end.is_after(ack) {
                sent.start = ack;
                break;
            }
            if !sent.is_again {
                sample = Some(now.since(sent.at));
            }
            // The SYN opens no window.
            segments += u32::from(!sent.start.is_before(self.base));
            self.delivered = self.delivered.wrapping_add(u32::from(!sent.is_sacked));
            self.flight.pop_front();
        }
        let gone = if ack.is_after(self.base) { ack - self.base } else { 0 };
        let gone = (gone as usize).min(self.data.len());
        self.data.drain(..gone);
        self.base += gone as u32;
        while self.pushes.front().is_some_and(|push| !push.is_after(ack)) {
            self.pushes.pop_front();
        }
        if let Some(sample) = sample.or(echo) {
            self.measure(sample);
        }
        self.backoff = 0;
        self.mark_sacked(sack);
        self.judge_probe(ack, twice, false);
        self.advance_phase(ack, segments, busy, !sack.is_empty(), now);
        if self.flight.is_empty() {
            self.timeout_at = None;
        } else {
            self.arm(now);
            self.watch_tail(self.timeout(), now);
        }
        self.settle_timer(now);
        Progress { acked, has_room: !had_room && self.room() > 0 }
    }

    /// RFC 6298 §2, with the floor under the variance that Linux has (`tcp_rtt_estimator`).
    fn measure(&mut self, sample: Duration) {
        let sample = sample.max(Duration::from_micros(1));
        self.min_rtt = Some(self.min_rtt.map_or(sample, |known| known.min(sample)));
        match self.srtt {
            None => {
                self.srtt = Some(sample);
                self.variance = sample / 2;
            }
            Some(srtt) => {
                let error = srtt.abs_diff(sample);
                self.variance = self.variance * 3 / 4 + error / 4;
                self.srtt = Some(srtt * 7 / 8 + sample / 8);
            }
        }
        let srtt = self.srtt.unwrap_or(sample);
        self.rto = (srtt + (self.variance * 4).max(RTO_MIN)).min(RTO_MAX);
    }

    /// While the peer's window is closed, it is probed.
    fn settle_timer(&mut self, now: Time) {
        if self.flight.is_empty() && self.timeout_at.is_none() && self.is_blocked() {
            self.arm(now);
        } else if self.flight.is_empty() && !self.is_blocked() {
            self.timeout_at = None;
        }
    }

    /// Data waits, and the peer's window has no room for it.
    pub fn is_blocked(&self) -> bool {
        self.flight.is_empty() && self.unsent() > 0 && !(self.unacked + self.window).is_after(self.next)
    }

    /// Data waits and nothing is under way: sees that the window is probed.
    pub fn watch_window(&mut self, now: Time) {
        self.settle_timer(now);
    }

    pub fn congestion_window(&self) -> u32 {
        self.congestion
    }

    /// `snd_ssthresh`, once something was lost.
    pub fn threshold(&self) -> Option<u32> {
        (self.threshold != u32::MAX).then_some(self.threshold)
    }

    pub fn variance(&self) -> Duration {
        self.variance
    }

    pub fn min_rtt(&self) -> Option<Duration> {
        self.min_rtt
    }

    /// What is on its way.
    pub fn flight_counts(&self) -> Flight {
        let count = |is: fn(&Sent) -> bool| self.flight.iter().filter(|sent| is(sent)).count() as u32;
        Flight {
            segments: self.flight.len() as u32,
            sacked: count(|sent| sent.is_sacked),
            lost: count(|sent| sent.is_lost),
            again: count(|sent| sent.is_again && !sent.is_sacked),
        }
    }
}

#[cfg(test)]
mod tests;
