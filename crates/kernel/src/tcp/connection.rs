//! One connection: the states of RFC 9293 §3.3.2, as net/ipv4/tcp_input.c and tcp_timer.c walk through them.
//!
//! It knows no world: [`Connection::receive`] takes a segment in, [`Connection::transmit`] gives what is to be sent,
//! [`Connection::next_timeout`] says when [`Connection::timeout`] is due.

use std::time::Duration;

use hairpin_netlink::Errno;

use super::counts::Counts;
use super::receive::{Acknowledge, Receiver, initial_window};
use super::segment::{Flags, Segment, WINDOW_SCALE_MAX};
use super::send::Sender;
use super::seq::Seq;
use crate::time::Time;

/// `TCP_TIMEWAIT_LEN`, `tcp_fin_timeout`
const NS_PER_S: u64 = 1_000_000_000;
const LINGER: Duration = Duration::from_secs(60);
/// Bytes of a time stamp option with its filling.
const TIMESTAMP_LEN: u32 = 12;
/// A time stamp counts milliseconds (`TCP_TS_HZ`).
const STAMP: Duration = Duration::from_millis(1);
/// `TCP_PAWS_24DAYS`, and `TCP_PAWS_WINDOW` in stamps.
const PAWS_WINDOW: i32 = 1;

/// `TCP_*` states, by the numbers that `/proc/net/tcp` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    Established = 1,
    SynSent = 2,
    SynReceived = 3,
    FinWait1 = 4,
    FinWait2 = 5,
    TimeWait = 6,
    Closed = 7,
    CloseWait = 8,
    LastAck = 9,
    Listen = 10,
    Closing = 11,
}

/// What a host's settings give a new connection (`net.ipv4.tcp_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Settings {
    pub timestamps: bool,
    pub sack: bool,
    pub window_scaling: bool,
    /// Least, default and largest receive buffer in bytes (`tcp_rmem`).
    pub receive_buffer_min: u32,
    pub receive_buffer: u32,
    pub receive_buffer_max: u32,
    /// How often a SYN, its answer and data are sent again (`tcp_syn_retries`, `tcp_synack_retries`, `tcp_retries2`).
    pub syn_retries: u32,
    pub syn_ack_retries: u32,
    pub retries: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            timestamps: true,
            sack: true,
            window_scaling: true,
            receive_buffer_min: 4096,
            receive_buffer: 131_072,
            receive_buffer_max: 6_291_456,
            syn_retries: 6,
            syn_ack_retries: 5,
            retries: 15,
        }
    }
}

/// What became of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Taken,
    /// Not acceptable: the sender is told with a reset.
    Reset,
}

/// A segment to send: its header but for the ports, and where its data are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outgoing {
    pub segment: Segment,
    /// First number and length of the data, to be had from [`Connection::copy`].
    pub data: (Seq, u32),
}

/// A connection.
#[derive(Clone, Debug)]
pub struct Connection {
    pub state: State,
    settings: Settings,
    pub send: Sender,
    pub receive: Receiver,
    pub counts: Counts,
    iss: Seq,
    /// The largest segment that the path to the peer takes, and that the peer takes, without options.
    path_mss: u32,
    peer_mss: u32,
    has_timestamps: bool,
    has_sack: bool,
    peer_scale: u8,
    stamp_offset: u32,
    /// The peer's last time stamp, to be echoed (`ts_recent`).
    recent: u32,
    /// A SYN or SYN-ACK is to be sent.
    syn_due: bool,
    ack_due: bool,
    probe_due: bool,
    reset_due: bool,
    /// Why the connection has ended, once for the program.
    pub error: Option<Errno>,
    /// A soft error, told when the connection times out (`sk_err_soft`).
    pub soft_error: Option<Errno>,
    retransmits: u32,
    /// No program holds it any more.
    pub is_orphan: bool,
    linger_at: Option<Time>,
}

impl Connection {
    fn new(settings: Settings, state: State, iss: Seq, path_mss: u32, syn_mss: u32, now: Time) -> Connection {
        let (window, scale) = initial_window(settings.receive_buffer, settings.receive_buffer_max, syn_mss);
        let scale = if settings.window_scaling { scale } else { 0 };
        let receive =
            Receiver::new(settings.receive_buffer, settings.receive_buffer_max, window, scale, path_mss);
        Connection {
            state,
            settings,
            send: Sender::new(iss),
            receive,
            counts: Counts::new(now),
            iss,
            path_mss,
            peer_mss: 536,
            has_timestamps: settings.timestamps,
            has_sack: settings.sack,
            peer_scale: 0,
            stamp_offset: iss.0.rotate_left(7) ^ now.nanos() as u32,
            recent: 0,
            syn_due: true,
            ack_due: false,
            probe_due: false,
            reset_due: false,
            error: None,
            soft_error: None,
            retransmits: 0,
            is_orphan: false,
            linger_at: None,
        }
    }

    /// Opens a connection: a SYN is to be sent. `path_mss` is what the path takes, without IP and TCP headers.
    pub fn connect(settings: Settings, iss: Seq, path_mss: u32, now: Time) -> Connection {
        Connection::new(settings, State::SynSent, iss, path_mss, path_mss, now)
    }

    /// Answers a SYN (`tcp_conn_request`): a SYN-ACK is to be sent.
    pub fn accept(settings: Settings, iss: Seq, path_mss: u32, syn: &Segment, now: Time) -> Connection {
        let stamped = settings.timestamps && syn.timestamps.is_some();
        let syn_mss = path_mss - if stamped { TIMESTAMP_LEN.min(path_mss) } else { 0 };
        let mut connection = Connection::new(settings, State::SynReceived, iss, path_mss, syn_mss, now);
        connection.agree(syn);
        connection.receive.start(syn.seq, now);
        connection.send.start_window(u32::from(syn.window), syn.seq, iss);
        connection
    }

    /// The options of the peer's SYN: what both have is used.
    fn agree(&mut self, syn: &Segment) {
        self.peer_mss = u32::from(syn.mss.unwrap_or(536)).max(1);
        self.has_sack &= syn.sack_permitted;
        self.has_timestamps &= syn.timestamps.is_some();
        match syn.window_scale.filter(|_| self.settings.window_scaling) {
            Some(scale) => self.peer_scale = scale.min(WINDOW_SCALE_MAX),
            None => self.receive.scale = 0,
        }
        if let Some((stamp, _)) = syn.timestamps {
            self.recent = stamp;
        }
        self.settle_mss();
    }

    /// `tcp_sync_mss`
    fn settle_mss(&mut self) {
        let options = if self.has_timestamps { TIMESTAMP_LEN } else { 0 };
        self.send.mss = self.path_mss.min(self.peer_mss).saturating_sub(options).max(1);
    }

    /// The path takes less than was thought (`tcp_v4_mtu_reduced`).
    pub fn shrink_path(&mut self, path_mss: u32) {
        if path_mss < self.path_mss {
            self.path_mss = path_mss;
            self.settle_mss();
            let mss = self.send.mss;
            self.send.shrink(mss);
        }
    }

    pub fn has_timestamps(&self) -> bool {
        self.has_timestamps
    }

    pub fn has_sack(&self) -> bool {
        self.has_sack
    }

    /// The shifts of windows that are sent and received, where both ends shift.
    pub fn scales(&self) -> Option<(u8, u8)> {
        (self.peer_scale > 0 || self.receive.scale > 0).then_some((self.peer_scale, self.receive.scale))
    }

    pub fn path_mss(&self) -> u32 {
        self.path_mss
    }

    fn stamp(&self, now: Time) -> u32 {
        ((now.nanos() / STAMP.as_nanos() as u64) as u32).wrapping_add(self.stamp_offset)
    }

    /// Segments may carry data to the program.
    pub fn is_synchronized(&self) -> bool {
        !matches!(self.state, State::SynSent | State::SynReceived | State::Closed | State::Listen)
    }

    // In.

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
        let progress = self.send.acknowledge(segment.seq, segment.ack, window, sack, echo, plain, now);
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
        self.state = State::TimeWait;
        self.send.timeout_at = None;
        self.receive.ack_at = None;
        self.linger_at = Some(now.timer(LINGER));
    }

    /// `tcp_done`
    fn end(&mut self, error: Option<Errno>) {
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

    // The program's side.

    /// Queues data to be sent; how much of it.
    ///
    /// # Errors
    /// `EPIPE` once it may send no more, `EAGAIN` while there is no room, `ENOTCONN` where nothing is open.
    pub fn write(&mut self, data: &[u8]) -> Result<usize, Errno> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        match self.state {
            State::SynSent | State::SynReceived => Err(Errno::EAGAIN),
            State::Established | State::CloseWait if !self.send.is_closing => match self.send.write(data) {
                0 if !data.is_empty() => Err(Errno::EAGAIN),
                count => Ok(count),
            },
            _ => Err(Errno(32)),
        }
    }

    /// The program sends no more (`tcp_shutdown`).
    pub fn shutdown(&mut self) {
        match self.state {
            State::Established | State::SynReceived => self.state = State::FinWait1,
            State::CloseWait => self.state = State::LastAck,
            State::SynSent => return self.end(None),
            _ => return,
        }
        self.send.is_closing = true;
    }

    /// The program lets go of it (`tcp_close`). What was not read is lost, and the peer is told so with a reset.
    pub fn close(&mut self, now: Time) {
        self.is_orphan = true;
        if self.receive.has_data() {
            return self.abort();
        }
        self.shutdown();
        if self.state == State::FinWait2 {
            self.linger_at = Some(now.timer(LINGER));
        }
    }

    /// Ends it with a reset.
    pub fn abort(&mut self) {
        let tells = self.is_synchronized() && self.state != State::TimeWait;
        self.end(None);
        self.reset_due = tells || self.reset_due;
    }

    /// Up to `most` bytes that have arrived, and whether the end has been reached.
    pub fn read(&mut self, most: usize, now: Time) -> (Vec<u8>, bool) {
        let (data, tell) = self.receive.read(most, self.send.srtt, now);
        if tell && self.state != State::Closed {
            self.ack_due = true;
        }
        let over = self.receive.is_complete || self.state == State::Closed;
        let end = over && !self.receive.has_data();
        (data, end)
    }

    /// Data, the end or an error wait for the program.
    pub fn is_readable(&self) -> bool {
        self.receive.has_data() || self.receive.is_complete || self.state == State::Closed
    }

    /// There is room to write, or writing would fail.
    pub fn is_writable(&self) -> bool {
        match self.state {
            State::SynSent | State::SynReceived => false,
            State::Established | State::CloseWait => self.send.room() > 0,
            _ => true,
        }
    }

    // Out.

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
                self.counts.sent(len, seq.is_before(newest), now);
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
        self.receive.acknowledged();
        self.ack_due = false;
        Outgoing { segment, data: (seq, len) }
    }

    /// `bytes` gets the data of an [`Outgoing`].
    pub fn copy(&self, seq: Seq, bytes: &mut [u8]) {
        self.send.copy(seq, bytes);
    }

    // Time.

    /// When something is due.
    pub fn next_timeout(&self) -> Option<Time> {
        [self.send.timeout_at, self.receive.ack_at, self.linger_at].into_iter().flatten().min()
    }

    /// Does what is due.
    pub fn timeout(&mut self, now: Time) {
        if self.linger_at.is_some_and(|at| at <= now) {
            return self.end(None);
        }
        if self.receive.ack_at.is_some_and(|at| at <= now) && self.receive.delay_over() {
            self.ack_due = true;
        }
        if self.send.timeout_at.is_some_and(|at| at <= now) {
            self.retransmit(now);
        }
    }

    /// `tcp_retransmit_timer`, `tcp_probe_timer`
    fn retransmit(&mut self, now: Time) {
        self.retransmits += 1;
        let most = match self.state {
            State::SynSent => self.settings.syn_retries,
            State::SynReceived => self.settings.syn_ack_retries,
            _ => self.settings.retries,
        };
        if self.retransmits > most {
            let error = self.soft_error.unwrap_or(Errno::ETIMEDOUT);
            let error = (self.state != State::SynReceived).then_some(error);
            return self.end(error);
        }
        match self.state {
            State::SynSent | State::SynReceived => {
                self.send.backoff += 1;
                self.syn_due = true;
            }
            _ => {
                self.probe_due = self.send.is_blocked();
                self.send.timed_out(now);
            }
        }
    }
}
