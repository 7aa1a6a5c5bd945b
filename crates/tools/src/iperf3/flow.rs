//! One stream of a test: what it sends or receives, and what it counts.

use hairpin_netlink::sock_diag::{SocketFamily, SocketQuery, TcpInfo};
use hairpin_netlink::{Address, Errno, Fd, Received};

use super::{Failure, NS_PER_S};
use crate::Program;

/// Seconds, microseconds and the number of a datagram stand in front of its data.
pub(super) const DATAGRAM_HEAD: usize = 12;
/// Datagrams and pieces that one call takes.
const TAKEN_AT_ONCE: u32 = 64;

#[derive(Clone, Debug)]
pub(super) struct Flow {
    pub fd: Fd,
    /// The number it is listed by.
    pub id: u32,
    pub local: Address,
    pub remote: Address,
    pub is_sender: bool,
    pub udp: bool,
    block_size: usize,
    /// Bits a second.
    rate: u64,
    /// What is left of a block that has begun.
    pending: usize,
    pub is_blocked: bool,
    pub has_ended: bool,
    pub bytes: u64,
    pub interval_bytes: u64,
    /// Datagrams sent, or the highest number that has come.
    pub packets: u64,
    pub interval_packets: u64,
    pub lost: u64,
    pub interval_lost: u64,
    /// Seconds (RFC 1889, appendix A.8).
    pub jitter: f64,
    transit: Option<f64>,
    pub retransmits: u32,
    pub interval_retransmits: u32,
    pub info: Option<TcpInfo>,
    /// Of the round-trip times and windows that intervals saw.
    pub round_trips_us: Vec<u32>,
    pub max_window: u64,
    pub max_peer_window: u64,
}

impl Flow {
    pub fn new(fd: Fd, at: usize, ends: (Address, Address), is_server: bool, is_sender: bool) -> Flow {
        let (local, remote) = ends;
        Flow {
            fd,
            id: id(at, is_server),
            local,
            remote,
            is_sender,
            udp: false,
            block_size: 0,
            rate: 0,
            pending: 0,
            is_blocked: false,
            has_ended: false,
            bytes: 0,
            interval_bytes: 0,
            packets: 0,
            interval_packets: 0,
            lost: 0,
            interval_lost: 0,
            jitter: 0.0,
            transit: None,
            retransmits: 0,
            interval_retransmits: 0,
            info: None,
            round_trips_us: Vec::new(),
            max_window: 0,
            max_peer_window: 0,
        }
    }

    /// What the test wants of it.
    pub fn set(&mut self, udp: bool, block_size: usize, rate: u64) {
        (self.udp, self.block_size, self.rate) = (udp, block_size.max(1), rate.max(1));
    }

    /// When the next block may go, in nanoseconds since the start: not before what was sent is below the rate
    /// (`iperf_check_throttle`).
    pub fn due_ns(&self) -> u64 {
        let due = u128::from(self.bytes) * 8 * u128::from(NS_PER_S) / u128::from(self.rate);
        u64::try_from(due).unwrap_or(u64::MAX)
    }

    /// Sends blocks while the rate allows them and there is room; how many were begun. `most` bounds that.
    pub fn send(
        &mut self,
        program: &mut Program<'_>,
        elapsed_ns: u64,
        realtime_ns: u64,
        most: u64,
    ) -> Result<u64, Failure> {
        let mut begun = 0;
        loop {
            if self.pending == 0 {
                if self.due_ns() > elapsed_ns || begun >= most {
                    return Ok(begun);
                }
                self.pending = self.block_size;
                begun += 1;
            }
            let data = match self.udp {
                true => self.datagram(realtime_ns),
                false => vec![0; self.pending],
            };
            let to = self.udp.then_some(self.remote);
            match program.system.send(self.fd, data, to) {
                Ok(sent) => {
                    self.pending = if self.udp { 0 } else { self.pending.saturating_sub(sent) };
                    self.bytes += sent as u64;
                    self.interval_bytes += sent as u64;
                    if self.udp {
                        self.packets += 1;
                        self.interval_packets += 1;
                    }
                }
                Err(Errno::EAGAIN) => {
                    self.is_blocked = true;
                    return Ok(begun);
                }
                // Nobody listens yet, or no more: datagrams are lost.
                Err(Errno::ECONNREFUSED | Errno::ENOBUFS) if self.udp => {
                    self.pending = 0;
                    self.packets += 1;
                    self.interval_packets += 1;
                    self.bytes += self.block_size as u64;
                    self.interval_bytes += self.block_size as u64;
                }
                Err(Errno::EPIPE | Errno::ECONNRESET) => {
                    self.has_ended = true;
                    return Ok(begun);
                }
                Err(errno) => {
                    return super::fail(format!(
                        "error - unable to write to stream socket: {}",
                        errno.text()
                    ));
                }
            }
        }
    }

    fn datagram(&self, realtime_ns: u64) -> Vec<u8> {
        let mut data = Vec::with_capacity(self.block_size.max(DATAGRAM_HEAD));
        data.extend(((realtime_ns / NS_PER_S) as u32).to_be_bytes());
        data.extend(((realtime_ns % NS_PER_S / 1000) as u32).to_be_bytes());
        data.extend((self.packets as u32 + 1).to_be_bytes());
        data.resize(self.block_size.max(DATAGRAM_HEAD), 0);
        data
    }

    /// Takes what has come by a connection.
    pub fn receive(&mut self, program: &mut Program<'_>) -> Result<(), Failure> {
        let items = match program.system.receive(self.fd, TAKEN_AT_ONCE) {
            Ok(items) => items,
            Err(Errno::EAGAIN) => return Ok(()),
            Err(_) => {
                self.has_ended = true;
                return Ok(());
            }
        };
        for item in items {
            match item {
                Received::Stream(data) => self.took(data.len()),
                Received::Datagram { data, realtime_ns, .. } => self.took_datagram(&data, realtime_ns),
                Received::End => self.has_ended = true,
                _ => {}
            }
        }
        Ok(())
    }

    fn took(&mut self, length: usize) {
        self.bytes += length as u64;
        self.interval_bytes += length as u64;
    }

    /// A datagram: its number tells of losses, its time of the jitter (`iperf_udp_recv`).
    pub fn took_datagram(&mut self, data: &[u8], realtime_ns: u64) {
        let Some(&[a, b, c, d, e, f, g, h, i, j, k, l]) = data.first_chunk::<DATAGRAM_HEAD>() else { return };
        self.took(data.len());
        let number = u64::from(u32::from_be_bytes([i, j, k, l]));
        if number > self.packets {
            let missing = number - self.packets - 1;
            self.lost += missing;
            self.interval_lost += missing;
            self.interval_packets += number - self.packets;
            self.packets = number;
        } else {
            self.lost = self.lost.saturating_sub(1);
        }
        let sent =
            f64::from(u32::from_be_bytes([a, b, c, d])) + f64::from(u32::from_be_bytes([e, f, g, h])) / 1e6;
        let transit = realtime_ns as f64 / 1e9 - sent;
        if let Some(before) = self.transit.replace(transit) {
            self.jitter += ((transit - before).abs() - self.jitter) / 16.0;
        }
    }

    /// What the kernel knows of a connection that sends, once an interval.
    pub fn look(&mut self, program: &mut Program<'_>) {
        if self.udp || !self.is_sender {
            return;
        }
        self.info = connection(program, self.local, self.remote);
        if let Some(info) = &self.info {
            self.interval_retransmits = info.retransmits_total.saturating_sub(self.retransmits);
            self.retransmits = info.retransmits_total;
            self.round_trips_us.push(info.rtt_us);
            self.max_window = self.max_window.max(window(info));
            self.max_peer_window = self.max_peer_window.max(u64::from(info.send_window));
        }
    }

    /// An interval is over.
    pub fn begin_interval(&mut self) {
        (self.interval_bytes, self.interval_packets, self.interval_lost) = (0, 0, 0);
        self.interval_retransmits = 0;
    }
}

/// The congestion window in bytes.
pub(super) fn window(info: &TcpInfo) -> u64 {
    u64::from(info.window) * u64::from(info.send_mss)
}

/// The numbers that iperf's descriptors have.
fn id(at: usize, is_server: bool) -> u32 {
    let at = at as u32;
    match (at, is_server) {
        (0, _) => 5,
        (at, false) => 5 + 2 * at,
        (at, true) => 6 + 2 * at,
    }
}

/// A connection of this namespace by its ends (`TCP_INFO`).
pub(super) fn connection(program: &mut Program<'_>, local: Address, remote: Address) -> Option<TcpInfo> {
    let family = SocketFamily::Tcp { ipv6: matches!(local, Address::Ipv6 { .. }) };
    let query = SocketQuery { family, states: u32::MAX, owners: false, details: true };
    let sockets = program.system.sockets(query).ok()?;
    let same = |a: Address, b: Address| match (a, b) {
        (Address::Ipv6 { address: a, port: p, .. }, Address::Ipv6 { address: b, port: q, .. }) => {
            (a, p) == (b, q)
        }
        (a, b) => a == b,
    };
    let found = sockets.into_iter().find(|info| same(info.local, local) && same(info.remote, remote))?;
    found.tcp.map(|info| *info)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow() -> Flow {
        let end = Address::Ipv4 { address: [10, 0, 0, 1].into(), port: 1 };
        Flow::new(Fd(3), 0, (end, end), false, false)
    }

    #[test]
    fn datagrams_that_are_missing_and_that_come_late() {
        let mut flow = flow();
        let datagram = |number: u32| [&[0; 8][..], &number.to_be_bytes(), &[0; 20]].concat();
        for number in [1, 2, 5, 3, 6] {
            flow.took_datagram(&datagram(number), 0);
        }
        assert_eq!((flow.packets, flow.lost, flow.bytes), (6, 1, 5 * 32));
        assert!(flow.jitter.abs() < f64::EPSILON);
        flow.took_datagram(b"short", 0);
        assert_eq!(flow.packets, 6);
    }

    #[test]
    fn a_rate_spaces_blocks() {
        let mut flow = flow();
        flow.set(false, 125_000, 1_000_000);
        assert_eq!(flow.due_ns(), 0);
        flow.bytes = 125_000;
        assert_eq!(flow.due_ns(), NS_PER_S);
    }
}
