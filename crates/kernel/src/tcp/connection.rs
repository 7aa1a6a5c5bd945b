//! One connection: the states of RFC 9293 §3.3.2, as net/ipv4/tcp_input.c and tcp_timer.c walk through them.
//!
//! It knows no world: [`Connection::receive`] takes a segment in, [`Connection::transmit`] gives what is to be sent,
//! [`Connection::next_timeout`] says when [`Connection::timeout`] is due.

mod arrive;
mod depart;

use std::time::Duration;

use hairpin_netlink::Errno;

use super::counts::Counts;
use super::receive::{Receiver, initial_window};
use super::segment::{Segment, WINDOW_SCALE_MAX};
use super::send::Sender;
use super::seq::Seq;
use crate::time::Time;

/// `TCP_TIMEWAIT_LEN`, `tcp_fin_timeout`
const LINGER: Duration = Duration::from_secs(60);
/// Bytes of a time stamp option with its filling.
const TIMESTAMP_LEN: u32 = 12;
/// A time stamp counts milliseconds (`TCP_TS_HZ`).
const STAMP: Duration = Duration::from_millis(1);

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
    /// What came twice is told (`tcp_dsack`).
    pub duplicate_sack: bool,
    /// 3 and 4: the tail of what is in flight is probed for loss (`tcp_early_retrans`).
    pub early_retransmit: u8,
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
            duplicate_sack: true,
            early_retransmit: 3,
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
        self.receive.tells_twice = self.settings.duplicate_sack;
        self.send.probes_tail = self.has_sack && matches!(self.settings.early_retransmit, 3 | 4);
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
            State::SynSent => {
                // The program has changed its mind: no attempt has failed.
                self.state = State::Closed;
                return self.end(None);
            }
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
            self.counts.news.waits += 1;
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
            self.counts.news.delayed_acks += 1;
        }
        if self.send.timeout_at.is_some_and(|at| at <= now) {
            self.retransmit(now);
        }
    }

    /// `tcp_retransmit_timer`, `tcp_probe_timer`
    fn retransmit(&mut self, now: Time) {
        if self.send.is_tail_due() {
            self.counts.news.probes += u64::from(self.send.probe_tail(now));
            return;
        }
        self.retransmits += 1;
        // The answer to a SYN is no connection's yet (`reqsk_timer_handler`).
        self.counts.news.timeouts += u64::from(self.state != State::SynReceived && self.send.has_flight());
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
