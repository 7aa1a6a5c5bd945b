//! The receiving half of a connection: order, the window that is offered, and when acknowledgements go out
//! (net/ipv4/tcp_input.c: `tcp_data_queue`, `tcp_event_data_recv`, `__tcp_ack_snd_check`; tcp_output.c:
//! `__tcp_select_window`).

mod acknowledge;
mod beyond;

use std::collections::VecDeque;
use std::time::Duration;

use super::seq::Seq;
use crate::time::Time;

/// `TCP_ATO_MIN`, `TCP_DELACK_MIN`: the least delay of an acknowledgement.
const DELAY_MIN: Duration = Duration::from_millis(40);
/// `TCP_DELACK_MAX`
const DELAY_MAX: Duration = Duration::from_millis(200);
/// `TCP_MSS_DEFAULT`
const MSS_DEFAULT: u32 = 536;
/// `TCP_MIN_MSS`
const MSS_MIN: u32 = 88;
/// What a queued segment takes of the buffer besides its data (`struct sk_buff`, its shared part, headroom).
const OVERHEAD: u32 = 768;
/// What a full segment takes of the buffer, in windows of its own size (`tcp_rcv_space_adjust`).
const FULL_SEGMENT: u64 = 2996;
/// `TCP_INIT_CWND`
const INITIAL_SEGMENTS: u32 = 10;

/// The first window to offer and the shift of all later ones (`tcp_select_initial_window`), from the default and
/// largest receive buffer (`net.ipv4.tcp_rmem`) and the segment size.
pub fn initial_window(buffer: u32, largest: u32, mss: u32) -> (u32, u8) {
    let space = window_of(buffer);
    let window = if space > mss { space - space % mss.max(1) } else { space };
    let scale = largest.max(space).max(1).ilog2().saturating_sub(15).min(14);
    (window.min(65_535), scale as u8)
}

/// `tcp_win_from_space` with `tcp_adv_win_scale` 1: half of a buffer is overhead.
fn window_of(space: u32) -> u32 {
    space - space / 2
}

/// What to do about an acknowledgement that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledge {
    No,
    Now,
    Later,
}

/// The receiving half.
#[derive(Clone, Debug)]
pub struct Receiver {
    /// `rcv_nxt`: what is expected next.
    pub next: Seq,
    /// `rcv_wup`: `next` when the window was last told.
    told_at: Seq,
    /// `rcv_wnd`: the window last told, in bytes.
    window: u32,
    /// `rcv_ssthresh`: what may be offered by now.
    threshold: u32,
    /// `window_clamp`
    clamp: u32,
    /// `sk_rcvbuf`
    buffer: u32,
    buffer_max: u32,
    /// Shift of the window on the wire.
    pub scale: u8,
    mss: u32,
    /// In order and not yet read.
    data: VecDeque<u8>,
    /// Segments that `data` came in.
    queued: u32,
    /// Behind a gap: in order, without overlaps.
    beyond: Vec<(Seq, Vec<u8>)>,
    /// Blocks of `beyond`, the one that changed last first.
    recent: Vec<(Seq, Seq)>,
    /// What came although it was there already, to be told once (RFC 2883).
    twice: Option<(Seq, Seq)>,
    pub tells_twice: bool,
    /// Where the peer's data ends, once it has said so.
    end: Option<Seq>,
    /// The end has been reached in order.
    pub is_complete: bool,

    ack_due: bool,
    ack_now: bool,
    quick: u32,
    delay: Duration,
    interactive: bool,
    pushed: bool,
    last_data: Time,
    segment_size: u32,
    pub ack_at: Option<Time>,

    measured_at: Time,
    measured_from: Seq,
    measured: u32,
    copied: Seq,
}

impl Receiver {
    /// Before the peer's first number is known; `window` and `scale` are those of [`initial_window`].
    pub fn new(buffer: u32, buffer_max: u32, window: u32, scale: u8, mss: u32) -> Receiver {
        Receiver {
            next: Seq(0),
            told_at: Seq(0),
            window,
            threshold: window,
            clamp: u32::MAX,
            buffer,
            buffer_max,
            scale,
            mss,
            data: VecDeque::new(),
            queued: 0,
            beyond: Vec::new(),
            recent: Vec::new(),
            twice: None,
            tells_twice: true,
            end: None,
            is_complete: false,
            ack_due: false,
            ack_now: false,
            quick: 0,
            delay: Duration::ZERO,
            interactive: false,
            pushed: false,
            last_data: Time::ZERO,
            segment_size: MSS_DEFAULT,
            ack_at: None,
            measured_at: Time::ZERO,
            measured_from: Seq(0),
            measured: 0,
            copied: Seq(0),
        }
    }

    /// The peer's SYN: `seq` is its number.
    pub fn start(&mut self, seq: Seq, now: Time) {
        self.next = seq + 1;
        self.told_at = self.next;
        self.copied = self.next;
        self.measured_from = self.next;
        self.measured_at = now;
    }

    /// The connection is established (`tcp_init_buffer_space`, `tcp_initialize_rcv_mss`).
    pub fn established(&mut self, peer_mss: u32) {
        let most = window_of(self.buffer);
        self.clamp = match most > 2 * self.mss {
            true => most.saturating_sub(self.mss).max(2 * self.mss),
            false => most,
        };
        self.threshold = self.window.min(self.clamp);
        self.measured = self.threshold.min(self.window).min(INITIAL_SEGMENTS * self.mss);
        self.segment_size = self.mss.min(peer_mss).min(self.window / 2).clamp(MSS_MIN, MSS_DEFAULT);
    }

    /// `tcp_receive_window`: what is left of the window last told.
    pub fn window_left(&self) -> u32 {
        self.window.saturating_sub(self.next - self.told_at)
    }

    /// The right edge of the window last told.
    pub fn edge(&self) -> Seq {
        self.told_at + self.window
    }

    /// `icsk_ack.ato`
    pub fn delay(&self) -> Duration {
        self.delay
    }

    /// `icsk_ack.rcv_mss`
    pub fn segment_size(&self) -> u32 {
        self.segment_size
    }

    /// What was offered to the peer.
    pub fn mss(&self) -> u32 {
        self.mss
    }

    /// `rcvq_space.space`
    pub fn measured(&self) -> u32 {
        self.measured
    }

    /// `rcv_ssthresh`
    pub fn threshold(&self) -> u32 {
        self.threshold
    }

    pub fn told_at(&self) -> Seq {
        self.told_at
    }

    fn memory(&self) -> u32 {
        let held: usize = self.beyond.iter().map(|(_, data)| data.len() + OVERHEAD as usize).sum();
        (self.data.len() + held) as u32 + self.queued * OVERHEAD
    }

    /// `tcp_space`
    fn space(&self) -> u32 {
        window_of(self.buffer.saturating_sub(self.memory()))
    }

    /// `__tcp_select_window`
    fn wanted_window(&mut self) -> u32 {
        let allowed = window_of(self.buffer);
        let full = self.clamp.min(allowed);
        let mut free = self.space();
        if free < full / 2 {
            self.quick = 0;
            free -= free % (1 << self.scale);
            if free < allowed / 16 || free < self.segment_size.min(full) {
                return 0;
            }
        }
        free = free.min(self.threshold);
        if self.scale > 0 {
            return free.next_multiple_of(1 << self.scale);
        }
        let size = self.segment_size.min(full).max(1);
        if self.window + size <= free || self.window > free { free - free % size } else { self.window }
    }

    /// The window for a segment that goes out now, as on the wire (`tcp_select_window`): never less than promised.
    pub fn tell_window(&mut self) -> u16 {
        let left = self.window_left();
        let wanted = self.wanted_window();
        let window = if wanted < left { left.next_multiple_of(1 << self.scale) } else { wanted };
        self.window = window;
        self.told_at = self.next;
        (window.min(65_535 << self.scale) >> self.scale) as u16
    }

    /// The window of a SYN: not scaled.
    pub fn initial(&self) -> u16 {
        self.window.min(65_535) as u16
    }

    /// Takes a segment's data in (`tcp_data_queue`); `fin` says that it ends there.
    pub fn take(&mut self, mut seq: Seq, mut data: &[u8], fin: bool, push: bool, rto: Duration, now: Time) {
        let end = seq + data.len() as u32;
        if fin {
            self.end = Some(end);
        }
        if seq.is_before(self.next) {
            let known = (self.next - seq).min(data.len() as u32);
            if known as usize == data.len() && !(fin && end == self.next) {
                // All of it is old: it is told so at once.
                self.tell_twice(seq, end + u32::from(fin));
                self.ack_due = true;
                self.ack_now = true;
                return;
            }
            self.twice = Some((seq, self.next));
            data = data.get(known as usize..).unwrap_or(&[]);
            seq += known;
        }
        let room = self.edge() - seq.max(self.told_at);
        data = data.get(..data.len().min(room as usize)).unwrap_or(&[]);
        if seq != self.next {
            return self.keep_beyond(seq, data);
        }
        if !data.is_empty() {
            self.note_data(data.len() as u32, push, rto, now);
        }
        self.append(data);
        let gap = !self.beyond.is_empty();
        self.close_gap();
        if gap && self.beyond.is_empty() {
            // RFC 5681 §4.2: a filled gap is told at once.
            self.ack_now = true;
        }
        if self.end == Some(self.next) && !self.is_complete {
            self.next += 1;
            self.is_complete = true;
            self.ack_due = true;
            self.beyond.clear();
            self.recent.clear();
        }
    }

    fn append(&mut self, data: &[u8]) {
        if !data.is_empty() {
            self.data.extend(data);
            self.queued += 1;
            self.next += data.len() as u32;
        }
    }

    /// `tcp_event_data_recv`
    fn note_data(&mut self, len: u32, push: bool, rto: Duration, now: Time) {
        self.ack_due = true;
        if len >= self.segment_size {
            self.segment_size = len.min(self.mss);
        }
        self.pushed |= push || len < self.segment_size;
        if self.delay.is_zero() {
            self.quick_acks();
            self.delay = DELAY_MIN;
        } else {
            let gap = now.since(self.last_data);
            if gap <= DELAY_MIN / 2 {
                self.delay = self.delay / 2 + DELAY_MIN / 2;
            } else if gap < self.delay {
                self.delay = (self.delay / 2 + gap).min(rto);
            } else if gap > rto {
                self.quick_acks();
            }
        }
        self.last_data = now;
        if len >= 128 {
            self.grow(len);
        }
    }

    /// `tcp_grow_window`
    fn grow(&mut self, len: u32) {
        let room = self.clamp.min(self.space()).saturating_sub(self.threshold);
        if room > 0 {
            self.threshold += room.min((2 * self.mss).max(2 * len));
            self.quick |= 1;
        }
    }

    pub fn has_data(&self) -> bool {
        !self.data.is_empty()
    }

    pub fn unread(&self) -> usize {
        self.data.len()
    }

    /// Takes up to `most` bytes out. True if the peer is to be told of it (`tcp_cleanup_rbuf`).
    pub fn read(&mut self, most: usize, srtt: Option<Duration>, now: Time) -> (Vec<u8>, bool) {
        let count = most.min(self.data.len());
        let data: Vec<u8> = self.data.drain(..count).collect();
        if self.data.is_empty() {
            self.queued = 0;
            self.data.shrink_to(64 << 10);
        }
        self.copied += count as u32;
        self.adjust(srtt, now);
        if count == 0 {
            return (data, false);
        }
        let much = self.next - self.told_at > self.segment_size;
        let drained = self.pushed && !self.interactive && self.data.is_empty();
        let mut tell = self.ack_due && (much || drained);
        let left = self.window_left();
        if !tell && 2 * left <= self.clamp {
            let wanted = self.wanted_window();
            tell = wanted > 0 && wanted >= 2 * left;
        }
        if tell {
            self.acknowledge_now();
        }
        (data, tell)
    }

    /// `tcp_rcv_space_adjust`: what was read in a round trip may come twice in the next.
    fn adjust(&mut self, srtt: Option<Duration>, now: Time) {
        let Some(srtt) = srtt else { return };
        if now.since(self.measured_at) < srtt {
            return;
        }
        let copied = self.copied - self.measured_from;
        if copied > self.measured {
            let mss = u64::from(self.mss.max(1));
            let mut window = u64::from(copied) * 2 + 16 * mss;
            let grown = u64::from(copied - self.measured);
            window += window * grown / u64::from(self.measured.max(1)) * 2;
            let buffer = (window / mss * FULL_SEGMENT).min(u64::from(self.buffer_max)) as u32;
            if buffer > self.buffer {
                self.buffer = buffer;
                self.clamp = window_of(buffer);
            }
            self.measured = copied;
        }
        self.measured_from = self.copied;
        self.measured_at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receiver() -> Receiver {
        let (window, scale) = initial_window(131_072, 6_291_456, 1460);
        let mut receiver = Receiver::new(131_072, 6_291_456, window, scale, 1460);
        receiver.start(Seq(999), Time::ZERO);
        receiver.established(1460);
        receiver
    }

    fn take(receiver: &mut Receiver, seq: u32, data: &[u8]) {
        receiver.take(Seq(seq), data, false, true, Duration::from_millis(200), Time(1_000_000));
    }

    /// Windows of Linux 6.1 on a link of 1500 bytes: 64240 in a SYN, 65160 in its answer, then 502 and 509.
    #[test]
    fn windows_are_those_of_linux() {
        assert_eq!(initial_window(131_072, 6_291_456, 1460), (64_240, 7));
        assert_eq!(initial_window(131_072, 6_291_456, 1448), (65_160, 7));
        assert_eq!(initial_window(131_072, 6_291_456, 65_495), (65_495, 7));
        assert_eq!(receiver().tell_window(), 502);
        let mut server = Receiver::new(131_072, 6_291_456, 65_160, 7, 1460);
        server.start(Seq(0), Time::ZERO);
        server.established(1460);
        take(&mut server, 1, &[0; 78]);
        assert_eq!(server.tell_window(), 509);
    }

    #[test]
    fn a_gap_is_kept_told_and_filled() {
        let mut receiver = receiver();
        take(&mut receiver, 1005, b"fghij");
        take(&mut receiver, 1015, b"pq");
        assert_eq!(receiver.check(None, Time::ZERO), Acknowledge::Now);
        assert_eq!(receiver.sack(4).as_slice(), [(Seq(1015), Seq(1017)), (Seq(1005), Seq(1010))]);
        take(&mut receiver, 1008, b"ijklmno");
        assert_eq!(receiver.sack(4).as_slice(), [(Seq(1008), Seq(1010)), (Seq(1005), Seq(1017))]);
        receiver.acknowledged();
        assert_eq!(receiver.sack(4).as_slice(), [(Seq(1005), Seq(1017))]);
        take(&mut receiver, 1000, b"abcdef");
        assert_eq!(receiver.next, Seq(1017));
        assert_eq!(receiver.sack(4).as_slice(), [(Seq(1005), Seq(1006))]);
        take(&mut receiver, 1000, b"abc");
        assert_eq!(receiver.sack(4).as_slice(), [(Seq(1000), Seq(1003))]);
        receiver.tells_twice = false;
        assert_eq!(receiver.sack(4).as_slice(), []);
        assert_eq!(receiver.read(100, None, Time::ZERO).0, b"abcdefghijklmnopq");
    }

    #[test]
    fn acknowledgements_wait_once_the_connection_is_interactive() {
        let mut receiver = receiver();
        take(&mut receiver, 1000, b"a");
        assert_eq!(receiver.check(None, Time(1_000_000)), Acknowledge::Now);
        receiver.acknowledged();
        receiver.note_sent(Time(2_000_000));
        take(&mut receiver, 1001, b"b");
        assert_eq!(receiver.check(None, Time(2_000_000)), Acknowledge::Later);
        assert!(receiver.ack_at.is_some_and(|at| at > Time(40_000_000) && at < Time(50_000_000)));
        assert!(receiver.delay_over());
        assert_eq!(receiver.check(None, Time(42_000_000)), Acknowledge::Now);
    }

    #[test]
    fn the_end_comes_after_all_data() {
        let mut receiver = receiver();
        receiver.take(Seq(1002), b"c", true, false, Duration::ZERO, Time::ZERO);
        assert!(!receiver.is_complete);
        take(&mut receiver, 1000, b"ab");
        assert!(receiver.is_complete);
        assert_eq!(receiver.next, Seq(1004));
    }

    #[test]
    fn an_unread_buffer_closes_the_window_and_reading_opens_it() {
        let mut receiver = receiver();
        let data = vec![7; 1448];
        for _ in 0..200 {
            let seq = receiver.next;
            let room = receiver.window_left().min(1448) as usize;
            receiver.take(seq, &data[..room], false, false, Duration::from_millis(200), Time(1));
            receiver.tell_window();
        }
        assert_eq!(receiver.tell_window(), 0);
        let (read, tell) = receiver.read(usize::MAX, None, Time(2));
        assert!(read.len() > 40_000 && tell, "{}", read.len());
        assert!(receiver.tell_window() > 400);
    }
}
