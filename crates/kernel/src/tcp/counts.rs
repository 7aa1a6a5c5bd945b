//! What a connection counts, and what it tells of itself (`tcp_get_info`).

use std::time::Duration;

use hairpin_netlink::sock_diag::TcpInfo;

use super::connection::Connection;
use super::segment::{Flags, HEADER_LEN, Segment};
use crate::time::Time;

/// Segments and bytes of a connection.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub bytes_sent: u64,
    pub bytes_sent_again: u64,
    pub bytes_acked: u64,
    pub bytes_received: u64,
    pub segments_out: u32,
    pub segments_in: u32,
    pub data_segments_out: u32,
    pub data_segments_in: u32,
    last_sent: Time,
    last_received: Time,
    last_acked: Time,
    /// What its host has not been told of yet.
    pub news: News,
}

/// What the connections of a namespace count together (`TcpExt` of `/proc/net/netstat`, and of `Tcp` of
/// `/proc/net/snmp` what connections know).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct News {
    pub attempts_failed: u64,
    pub resets: u64,
    pub sent_again: u64,
    /// Of these the ones that count as nothing else.
    pub uncounted: u64,
    pub syn_again: u64,
    pub timeouts: u64,
    pub probes: u64,
    pub told_twice: u64,
    pub new_data: u64,
    pub delivered: u64,
    pub waits: u64,
    pub delayed_acks: u64,
}

impl News {
    /// Adds what a connection has counted since.
    pub fn add(&mut self, news: News) {
        self.attempts_failed += news.attempts_failed;
        self.resets += news.resets;
        self.sent_again += news.sent_again;
        self.uncounted += news.uncounted;
        self.syn_again += news.syn_again;
        self.timeouts += news.timeouts;
        self.probes += news.probes;
        self.told_twice += news.told_twice;
        self.new_data += news.new_data;
        self.delivered += news.delivered;
        self.waits += news.waits;
        self.delayed_acks += news.delayed_acks;
    }
}

impl Counts {
    /// Of a connection that begins now.
    pub fn new(now: Time) -> Counts {
        Counts { last_sent: now, last_received: now, last_acked: now, ..Counts::default() }
    }

    /// A segment with `len` bytes of data goes out, for the first time or not.
    pub fn sent(&mut self, len: u32, again: bool, now: Time) {
        self.segments_out = self.segments_out.wrapping_add(1);
        if len > 0 {
            self.data_segments_out = self.data_segments_out.wrapping_add(1);
            self.bytes_sent += u64::from(len);
            self.bytes_sent_again += if again { u64::from(len) } else { 0 };
            self.last_sent = now;
        }
    }

    /// A segment with `len` bytes of data has come (`tcp_segs_in`).
    pub fn received(&mut self, segment: &Segment, len: usize, now: Time) {
        self.segments_in = self.segments_in.wrapping_add(1);
        if len > 0 {
            self.data_segments_in = self.data_segments_in.wrapping_add(1);
            self.last_received = now;
        }
        if segment.flags.has(Flags::ACK) {
            self.last_acked = now;
        }
    }
}

fn us(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}

impl Connection {
    /// What `ss -i` shows. `below` is the length of the header in front of a segment, of IPv4 or IPv6.
    pub fn info(&self, below: usize, now: Time) -> TcpInfo {
        let (send, receive, counts) = (&self.send, &self.receive, &self.counts);
        let flight = send.flight_counts();
        let (send_mss, cwnd) = (send.mss, send.congestion_window());
        let rtt_us = send.srtt.map_or(0, us);
        let since = |then: Time| u32::try_from(now.since(then).as_millis()).unwrap_or(u32::MAX);
        // `tcp_update_pacing_rate`: twice the window a round trip while it grows fast, 1.2 times later.
        let factor = if send.threshold().is_none_or(|threshold| cwnd < threshold / 2) { 200 } else { 120 };
        let rate = |percent: u64| match rtt_us {
            0 => 0,
            rtt => u64::from(cwnd) * u64::from(send_mss) * percent * 10_000 / u64::from(rtt),
        };
        TcpInfo {
            timestamps: self.has_timestamps(),
            sack: self.has_sack(),
            scales: self.scales(),
            congestion: "cubic".to_owned(),
            backoff: u8::try_from(send.backoff).unwrap_or(u8::MAX),
            // Whole ticks of its clock.
            rto_us: us(Duration::from_millis(send.rto.as_millis() as u64)),
            ato_us: us(receive.delay()),
            rtt_us,
            rtt_variance_us: us(send.variance()),
            min_rtt_us: send.min_rtt().map_or(0, us),
            receive_rtt_us: 0,
            busy_us: 0,
            send_mss,
            receive_mss: receive.segment_size(),
            path_mtu: self.path_mss() + (below + HEADER_LEN) as u32,
            offered_mss: receive.mss() - if self.has_timestamps() { 12 } else { 0 }.min(receive.mss()),
            window: cwnd,
            threshold: send.threshold(),
            unacked: flight.segments,
            sacked: flight.sacked,
            lost: flight.lost,
            retransmits: flight.again,
            retransmits_total: send.sent_again,
            bytes_sent: counts.bytes_sent,
            bytes_sent_again: counts.bytes_sent_again,
            bytes_acked: counts.bytes_acked,
            bytes_received: counts.bytes_received,
            segments_out: counts.segments_out,
            segments_in: counts.segments_in,
            data_segments_out: counts.data_segments_out,
            data_segments_in: counts.data_segments_in,
            delivered: send.delivered,
            last_sent_ms: since(counts.last_sent),
            last_received_ms: since(counts.last_received),
            last_acked_ms: since(counts.last_acked),
            pacing_rate: rate(factor),
            delivery_rate: 0,
            is_program_limited: send.unsent() == 0,
            receive_space: receive.measured(),
            receive_threshold: receive.threshold(),
            unsent: send.unsent(),
            send_window: send.window,
        }
    }
}
