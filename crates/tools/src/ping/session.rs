//! When `ping` sends and how long it waits (iputils' `pinger`, `main_loop` and `__schedule_exit`).

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::IpAddr;

use hairpin_netlink::{Address, Errno, Fd, Received};
use hairpin_wire::smol::Icmpv4Packet;

use super::options::Options;
use super::report::{self, Closing, Counts, HeaderOptions, RoundTrips};
use crate::iputils::{Exit, complain, failed};
use crate::resolver;
use crate::{Program, Signal};

/// The shortest gap between packets without replies, and the grain of waiting, in milliseconds.
const MIN_INTERVAL_MS: i64 = 10;
const NS_PER_MS: u64 = 1_000_000;
const NS_PER_SECOND: u64 = 1_000_000_000;
/// The exit code of a program that SIGTERM has ended, as a shell tells it.
const TERMINATED: i32 = 128 + 15;
/// Length of the `struct timeval` in front of the data.
pub(super) const STAMP_LEN: usize = 16;
/// Data up to here are short enough for a time stamp.
const ICMP_HEADER_LEN: usize = 8;

/// A ping under way.
pub(super) struct Session {
    pub options: Options,
    pub fd: Fd,
    pub target: Address,
    pub hostname: String,
    pub ident: u16,
    pub multicast: bool,
    /// What follows the ICMP header of every packet, time stamp aside.
    pub data: Vec<u8>,
    pub counts: Counts,
    pub trips: RoundTrips,
    /// One bit a sequence number: whether its reply has come.
    pub seen: Vec<u64>,
    pub header_options: HeaderOptions,
    /// Items of the socket that were taken from the kernel but not looked at.
    pub queue: VecDeque<Received>,
    pub interval_ms: i64,
    /// Slow-down of `-A` in microseconds after the device had no room.
    addend_us: i64,
    acked: u16,
    /// The most packets ever in flight.
    pub pipe: i64,
    /// Milliseconds of sending that are saved up.
    tokens: i64,
    started_ns: u64,
    /// When a packet was last due.
    last_ns: Option<u64>,
    /// When SIGALRM would come.
    alarm_ns: Option<u64>,
    linger_is_set: bool,
    out_of_room: i64,
    pub exiting: bool,
    /// SIGTERM has ended it.
    terminated: bool,
    wants_status: bool,
    /// The last address that was printed, as it was.
    named: RefCell<Option<(IpAddr, String)>>,
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Woken {
    Ready,
    Expired,
    Interrupted,
}

impl Session {
    #[expect(clippy::too_many_arguments, reason = "made in one place")]
    pub fn new(
        program: &mut Program<'_>,
        fd: Fd,
        options: Options,
        data: Vec<u8>,
        target: Address,
        hostname: String,
        ident: u16,
        multicast: bool,
    ) -> Result<Self, Exit> {
        let started_ns = monotonic(program)?;
        let deadline_ns = (options.deadline_s as u64).saturating_mul(NS_PER_SECOND);
        Ok(Session {
            interval_ms: options.interval_ms,
            alarm_ns: (deadline_ns > 0).then(|| started_ns.saturating_add(deadline_ns)),
            options,
            fd,
            target,
            hostname,
            ident,
            multicast,
            data,
            counts: Counts::default(),
            trips: RoundTrips::default(),
            seen: vec![0; 0x1_0000 / 64],
            header_options: HeaderOptions::default(),
            queue: VecDeque::new(),
            addend_us: 0,
            acked: 0,
            pipe: -1,
            tokens: 0,
            started_ns,
            last_ns: None,
            linger_is_set: false,
            out_of_room: 0,
            exiting: false,
            terminated: false,
            wants_status: false,
            named: RefCell::default(),
        })
    }

    /// Sends and receives until the end; the exit code.
    pub fn run(mut self, program: &mut Program<'_>) -> Result<i32, Exit> {
        loop {
            self.take_signals(program);
            let Counts { received, errors, .. } = self.counts;
            let is_complete = self.options.count > 0 && received + errors >= self.options.count;
            if self.exiting || is_complete || (self.options.deadline_s > 0 && errors > 0) {
                break;
            }
            if std::mem::take(&mut self.wants_status) {
                let text = report::status_text(&self.counts, self.timed());
                let _ = program.shell.out().flush();
                let _ = program.shell.err().write_all(text.as_bytes());
            }
            let next_ms = loop {
                let next = self.send_if_due(program)?;
                let next = self.schedule_exit(program, next)?;
                if next > 0 {
                    break next;
                }
                self.take_signals(program);
            };
            self.receive_until(program, next_ms)?;
        }
        Ok(self.finish(program))
    }

    /// Whether replies tell their round trip.
    pub fn timing(&self) -> bool {
        self.options.data_len >= STAMP_LEN
    }

    fn timed(&self) -> Option<&RoundTrips> {
        self.timing().then_some(&self.trips)
    }

    /// An address as it is printed.
    pub fn name(&self, program: &mut Program<'_>, address: Address) -> String {
        let (number, text) = match address {
            Address::Ipv4 { address, .. } => (address.into(), address.to_string()),
            Address::Ipv6 { address: number, .. } => {
                (IpAddr::from(number), super::ping6::address_text(program, address))
            }
            Address::Link { .. } | Address::Can { .. } => return String::new(),
        };
        if self.exiting || self.options.numeric {
            return text;
        }
        if let Some((known, name)) = &*self.named.borrow()
            && *known == number
        {
            return name.clone();
        }
        let name = match resolver::name_of(program, number) {
            Some(name) => format!("{name} ({text})"),
            None => text,
        };
        self.named.replace(Some((number, name.clone())));
        name
    }

    pub fn in_flight(&self) -> i64 {
        let difference = (self.counts.transmitted as u16).wrapping_sub(self.acked);
        if difference <= 0x7fff {
            return difference.into();
        }
        self.counts.transmitted - self.counts.received - self.counts.errors
    }

    /// A packet is no longer in flight: it was answered, or an error told of it.
    pub fn acknowledge(&mut self, sequence: u16) {
        let sent = self.counts.transmitted as u16;
        let difference = sent.wrapping_sub(sequence);
        if difference > 0x7fff {
            return;
        }
        self.pipe = self.pipe.max(i64::from(difference) + 1);
        let is_newer = sequence.wrapping_sub(self.acked) as i16 > 0;
        if is_newer || i32::from(sent) - i32::from(self.acked) > 0x7fff {
            self.acked = sequence;
        }
    }

    /// `-A`: the interval follows the round trip.
    pub fn adapt_interval(&mut self) {
        let mean = self.trips.mean8;
        let estimate = if mean == 0 { self.interval_ms * 1000 } else { mean / 8 };
        self.interval_ms = (estimate + self.addend_us + 500) / 1000;
    }

    fn take_signals(&mut self, program: &mut Program<'_>) {
        while let Some(signal) = program.shell.take_signal() {
            match signal {
                Signal::Interrupt => self.exiting = true,
                Signal::Quit => self.wants_status = true,
                // The real program dies of it without another word. A script that ends a ping wants to
                // know how it went: docs/differences.md.
                Signal::Terminate => {
                    self.exiting = true;
                    self.terminated = true;
                }
            }
        }
    }

    /// Sends a packet if its time has come; in how many milliseconds the next one is due (0 or less: now).
    fn send_if_due(&mut self, program: &mut Program<'_>) -> Result<i64, Exit> {
        let now = monotonic(program)?;
        if self.alarm_ns.is_some_and(|alarm| alarm <= now) {
            self.exiting = true;
        }
        let count = self.options.count;
        let is_done = count > 0 && self.counts.transmitted >= count && self.options.deadline_s == 0;
        if self.exiting || is_done {
            return Ok(1000);
        }
        let preload = self.options.preload;
        match self.last_ns {
            None => {
                self.last_ns = Some(now);
                self.tokens = self.interval_ms.saturating_mul(preload - 1);
            }
            Some(last) => {
                let mut tokens = elapsed_ms(last, now);
                // Without an interval, packets without replies go out at a hundred a second.
                if self.interval_ms == 0 && tokens < MIN_INTERVAL_MS && self.in_flight() >= preload {
                    return Ok(MIN_INTERVAL_MS - tokens);
                }
                tokens = (tokens + self.tokens).min(self.interval_ms.saturating_mul(preload));
                if tokens < self.interval_ms {
                    return Ok(self.interval_ms - tokens);
                }
                self.last_ns = Some(now);
                self.tokens = tokens - self.interval_ms;
            }
        }
        if self.options.outstanding
            && self.counts.transmitted > 0
            && !self.is_seen(self.counts.transmitted as u16)
        {
            let stamp = self.time_of_day(program)?;
            let sequence = self.counts.transmitted % 0x1_0000;
            let _ = writeln!(program.shell.out(), "{stamp}no answer yet for icmp_seq={sequence}");
            let _ = program.shell.out().flush();
        }
        self.send(program)
    }

    fn send(&mut self, program: &mut Program<'_>) -> Result<i64, Exit> {
        let packet = self.packet(program)?;
        let sent = program.system.send(self.fd, packet, Some(self.target));
        let Err(errno) = sent else {
            self.out_of_room = 0;
            self.advance();
            if !self.options.quiet && self.options.flood {
                let _ = program.shell.out().write_all(b".");
                let _ = program.shell.out().flush();
            }
            return Ok(self.interval_ms - self.tokens);
        };
        // What the error queue says: network errors positive, local ones negative.
        let mut told = 0;
        match errno {
            Errno::ENOBUFS | Errno::ENOMEM => {
                self.tokens = 0;
                let mean = self.trips.mean8;
                self.addend_us += if mean < 8 * 50_000 { mean / 8 } else { 50_000 };
                if self.options.adaptive {
                    self.adapt_interval();
                }
                let pause = at_least_min(self.interval_ms / 2).min(500);
                self.out_of_room += 1;
                if self.out_of_room * pause < self.options.linger_ms {
                    return Ok(pause);
                }
            }
            Errno::EAGAIN => {
                self.tokens += self.interval_ms;
                return Ok(MIN_INTERVAL_MS);
            }
            _ => told = self.receive_error(program)?,
        }
        // A packet that could not leave counts as sent. An empty error queue silences it, as in iputils.
        self.advance();
        if told >= 0 && !self.options.quiet {
            if self.options.flood {
                let _ = program.shell.out().write_all(b"E");
            } else {
                complain(program, &format!("sendmsg: {errno}"));
            }
        }
        self.tokens = 0;
        Ok(at_least_min(self.interval_ms))
    }

    /// The next echo request. Its data start with the time of day, as a `struct timeval`.
    fn packet(&mut self, program: &mut Program<'_>) -> Result<Vec<u8>, Exit> {
        let sequence = (self.counts.transmitted + 1) as u16;
        self.set_seen(sequence, false);
        if self.timing() {
            let micros = self.realtime_us(program)?;
            let stamp = [micros / 1_000_000, micros % 1_000_000].map(i64::to_le_bytes);
            for (place, byte) in self.data.iter_mut().zip(stamp.iter().flatten()) {
                *place = *byte;
            }
        }
        if matches!(self.target, Address::Ipv6 { .. }) {
            return Ok(self.packet6(sequence));
        }
        let mut bytes = vec![0; ICMP_HEADER_LEN];
        bytes.extend(&self.data);
        let mut packet = Icmpv4Packet::new_unchecked(&mut bytes);
        packet.set_msg_type(report::ECHO.into());
        packet.set_msg_code(0);
        packet.set_echo_ident(self.ident);
        packet.set_echo_seq_no(sequence);
        packet.fill_checksum();
        Ok(bytes)
    }

    fn advance(&mut self) {
        self.counts.transmitted += 1;
        let sent = self.counts.transmitted as u16;
        // What was acknowledged before the sequence numbers wrapped says nothing any more.
        if i32::from(sent) - i32::from(self.acked) > 0x7fff {
            self.acked = sent.wrapping_add(1);
        }
    }

    /// After the last packet: how long its reply is waited for.
    fn schedule_exit(&mut self, program: &mut Program<'_>, next_ms: i64) -> Result<i64, Exit> {
        let count = self.options.count;
        let is_last = count > 0 && self.counts.transmitted >= count && self.options.deadline_s == 0;
        if !is_last || self.linger_is_set {
            return Ok(next_ms);
        }
        let wait_us = if self.counts.received > 0 {
            (2 * self.trips.max).max(1000 * self.interval_ms)
        } else {
            self.options.linger_ms * 1000
        };
        self.linger_is_set = wait_us != 0;
        let now = monotonic(program)?;
        let wait_ns = u64::try_from(wait_us).unwrap_or(0).saturating_mul(1000);
        self.alarm_ns = (wait_ns > 0).then(|| now.saturating_add(wait_ns));
        Ok(next_ms.max(wait_us / 1000))
    }

    /// Takes what arrives until the next packet is due.
    fn receive_until(&mut self, program: &mut Program<'_>, next_ms: i64) -> Result<(), Exit> {
        let mut may_block = true;
        let mut wait_ms = next_ms;
        let adaptive = self.options.adaptive;
        if adaptive || next_ms < at_least_min(self.interval_ms) {
            let spins = next_ms <= MIN_INTERVAL_MS && self.in_flight() == 0;
            if next_ms <= MIN_INTERVAL_MS {
                wait_ms = MIN_INTERVAL_MS;
            }
            if spins {
                // The real program polls without rest until the packet is due: here that is one wait.
                let due = self.due_ns(program, next_ms)?;
                self.wait(program, due)?;
                may_block = false;
            } else if adaptive || self.interval_ms != 0 {
                let until = after(monotonic(program)?, wait_ms);
                if self.wait(program, until)? != Woken::Ready {
                    return Ok(());
                }
                may_block = false;
            }
        }
        loop {
            let mut item = self.next_item(program)?;
            if item.is_none() && may_block {
                // SO_RCVTIMEO of the real program's socket.
                let until = after(monotonic(program)?, at_least_min(self.interval_ms));
                if self.wait(program, until)? == Woken::Ready {
                    item = self.next_item(program)?;
                }
            }
            may_block = false;
            match item {
                None => return Ok(()),
                Some(item) => self.handle(program, item)?,
            }
            if self.in_flight() == 0 {
                return Ok(());
            }
        }
    }

    /// The very instant at which [`Session::send_if_due`] finds the next packet due.
    fn due_ns(&self, program: &mut Program<'_>, next_ms: i64) -> Result<u64, Exit> {
        let now = monotonic(program)?;
        let due = self.last_ns.filter(|_| self.interval_ms > self.tokens);
        Ok(due.map_or(after(now, next_ms), |last| after(last, self.interval_ms - self.tokens)))
    }

    /// Takes the oldest item of the socket, without waiting.
    fn next_item(&mut self, program: &mut Program<'_>) -> Result<Option<Received>, Exit> {
        self.fetch(program);
        Ok(self.queue.pop_front())
    }

    /// Moves what the kernel has for the socket to the queue.
    pub fn fetch(&mut self, program: &mut Program<'_>) {
        if self.queue.is_empty() {
            // A failed reading is the pending error of the socket (the device went down): iputils finds the
            // error queue empty then and goes on.
            self.queue.extend(program.system.receive(self.fd, 64).unwrap_or_default());
        }
    }

    /// Waits for the socket, the alarm or `until_ns`.
    fn wait(&mut self, program: &mut Program<'_>, until_ns: u64) -> Result<Woken, Exit> {
        if !self.queue.is_empty() {
            return Ok(Woken::Ready);
        }
        let until = self.alarm_ns.map_or(until_ns, |alarm| alarm.min(until_ns));
        let ends_by_itself =
            self.options.deadline_s > 0 || (self.options.count > 0 && self.options.linger_ms > 0);
        match program.system.wait(&[self.fd], Some(until), ends_by_itself) {
            Ok(ready) if !ready.is_empty() => Ok(Woken::Ready),
            Ok(_) if self.alarm_ns == Some(until) => {
                self.exiting = true;
                Ok(Woken::Interrupted)
            }
            Ok(_) => Ok(Woken::Expired),
            Err(Errno::EINTR) => {
                self.take_signals(program);
                Ok(Woken::Interrupted)
            }
            Err(errno) => Err(failed(program, "poll", errno)),
        }
    }

    pub fn is_seen(&self, sequence: u16) -> bool {
        let word = self.seen.get(usize::from(sequence) / 64).copied().unwrap_or(0);
        word >> (sequence % 64) & 1 != 0
    }

    pub fn set_seen(&mut self, sequence: u16, seen: bool) {
        if let Some(word) = self.seen.get_mut(usize::from(sequence) / 64) {
            let bit = 1 << (sequence % 64);
            *word = if seen { *word | bit } else { *word & !bit };
        }
    }

    pub fn realtime_us(&self, program: &mut Program<'_>) -> Result<i64, Exit> {
        let now = program.system.now().map_err(|errno| failed(program, "gettimeofday", errno))?;
        Ok((now.realtime_ns / 1000) as i64)
    }

    /// What `-D` puts in front of a line.
    pub fn time_of_day(&self, program: &mut Program<'_>) -> Result<String, Exit> {
        if !self.options.time_of_day {
            return Ok(String::new());
        }
        let micros = self.realtime_us(program)?;
        Ok(format!("[{}.{:06}] ", micros / 1_000_000, micros % 1_000_000))
    }

    fn finish(&self, program: &mut Program<'_>) -> i32 {
        let closing = Closing {
            host: &self.hostname,
            counts: &self.counts,
            elapsed_ns: self.last_ns.unwrap_or(self.started_ns).saturating_sub(self.started_ns),
            round_trips: self.timed(),
            pipe: self.pipe,
            tells_gap: self.interval_ms == 0 || self.options.flood || self.options.adaptive,
        };
        // A closed stream cannot be reported anywhere.
        let _ = closing.print(program.shell.out());
        if self.terminated {
            return TERMINATED;
        }
        let received = self.counts.received;
        let too_few = self.options.deadline_s > 0 && received < self.options.count;
        i32::from(received == 0 || too_few)
    }
}

fn monotonic(program: &mut Program<'_>) -> Result<u64, Exit> {
    match program.system.now() {
        Ok(now) => Ok(now.monotonic_ns),
        Err(errno) => Err(failed(program, "clock_gettime", errno)),
    }
}

/// Whole milliseconds as iputils counts them: seconds and the rest apart, the rest cut towards zero.
fn elapsed_ms(from_ns: u64, to_ns: u64) -> i64 {
    let seconds = (to_ns / NS_PER_SECOND) as i64 - (from_ns / NS_PER_SECOND) as i64;
    let rest = (to_ns % NS_PER_SECOND) as i64 - (from_ns % NS_PER_SECOND) as i64;
    seconds * 1000 + rest / NS_PER_MS as i64
}

fn after(ns: u64, ms: i64) -> u64 {
    ns.saturating_add(u64::try_from(ms).unwrap_or(0).saturating_mul(NS_PER_MS))
}

fn at_least_min(ms: i64) -> i64 {
    ms.max(MIN_INTERVAL_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_are_cut_as_iputils_cuts_them() {
        assert_eq!(elapsed_ms(500_000_000, 1_499_999_999), 1000);
        assert_eq!(elapsed_ms(0, 999_999_999), 999);
        assert_eq!(elapsed_ms(999_999_999, 2_000_000_000), 1001);
    }
}
