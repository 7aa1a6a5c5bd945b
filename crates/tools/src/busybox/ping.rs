//! BusyBox's `ping` and `ping6` (networking/ping.c).

use std::net::IpAddr;

use hairpin_netlink::{Address, Errno, Fd, Received, SocketKind, SocketOption};
use hairpin_wire::smol::Icmpv4Packet;

use crate::getopt::{Getopt, Item, Long, Value};
use crate::resolver::{self, Target};
use crate::{Program, Signal};

const SECOND: u64 = 1_000_000_000;
/// Longest data; more does not fit into a packet.
const DATA_MAX: usize = 65_507 - 8;
/// The last answer is waited for so long where none has come (`MAXWAIT`).
const MAX_WAIT_S: u64 = 10;

const LONG: &[Long] = &[("help", Value::None, 'h')];

const USAGE: &str = "\
BusyBox v1.36.1 multi-call binary.

Usage: ping [OPTIONS] HOST

Send ICMP ECHO_REQUESTs to HOST

	-4,-6		Force IP or IPv6 name resolution
	-c CNT		Send only CNT pings
	-s SIZE		Send SIZE data bytes in packets (default 56)
	-i SECS		Interval
	-A		Ping as soon as reply is received
	-t TTL		Set TTL
	-I IFACE/IP	Source interface or IP address
	-W SEC		Seconds to wait for the first response (default 10)
			(after all -c CNT packets are sent)
	-w SEC		Seconds until ping exits (default:infinite)
			(can exit earlier with -c CNT)
	-q		Quiet, only display output at start/finish
	-p HEXBYTE	Payload pattern
";

struct Options {
    ipv4: bool,
    ipv6: bool,
    count: u64,
    size: usize,
    interval_ns: u64,
    at_once: bool,
    ttl: Option<u8>,
    source: Option<String>,
    wait_s: u64,
    deadline_s: u64,
    quiet: bool,
    pattern: u8,
}

/// Sent, received, received twice, and round trips in microseconds.
#[derive(Default)]
struct Counts {
    sent: u64,
    received: u64,
    repeated: u64,
    shortest: Option<u64>,
    longest: u64,
    sum: u64,
}

struct Ping {
    options: Options,
    fd: Fd,
    target: IpAddr,
    ident: u16,
    counts: Counts,
    /// One bit a sequence number: whether its answer has come.
    seen: Vec<u64>,
    /// When each sequence number was sent.
    sent_ns: Vec<u64>,
}

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let (options, host) = match parse(program) {
        Ok(parsed) => parsed,
        Err(text) => {
            let _ = write!(program.shell.err(), "{text}");
            return 1;
        }
    };
    run(program, options, &host).unwrap_or_else(|text| {
        let _ = program.shell.out().flush();
        let _ = writeln!(program.shell.err(), "{}: {text}", program.name);
        1
    })
}

fn parse(program: &Program<'_>) -> Result<(Options, String), String> {
    let mut options = Options {
        ipv4: false,
        ipv6: program.name == "ping6",
        count: 0,
        size: 56,
        interval_ns: SECOND,
        at_once: false,
        ttl: None,
        source: None,
        wait_s: MAX_WAIT_S,
        deadline_s: 0,
        quiet: false,
        pattern: 0,
    };
    let mut walk = Getopt::new(program.name, program.args, "46qvAc:s:t:w:W:I:i:p:h", LONG);
    while let Some(item) = walk.next() {
        let (letter, value) = match item {
            Item::Option(letter, value) => (letter, value.unwrap_or("")),
            Item::Error(text) => return Err(format!("{text}\n{USAGE}")),
        };
        let wrong = || format!("{}: invalid number '{value}'\n", program.name);
        match letter {
            '4' => options.ipv4 = true,
            '6' => options.ipv6 = true,
            'q' => options.quiet = true,
            'A' => options.at_once = true,
            'c' => options.count = value.parse().map_err(|_| wrong())?,
            's' => options.size = value.parse().ok().filter(|size| *size <= DATA_MAX).ok_or_else(wrong)?,
            't' => options.ttl = Some(value.parse().map_err(|_| wrong())?),
            'w' => options.deadline_s = value.parse().map_err(|_| wrong())?,
            'W' => options.wait_s = value.parse().map_err(|_| wrong())?,
            'I' => options.source = Some(value.to_owned()),
            'i' => {
                let seconds: f64 =
                    value.parse().ok().filter(|s: &f64| *s >= 0.0 && *s < 1e6).ok_or_else(wrong)?;
                options.interval_ns = (seconds * 1e9) as u64;
            }
            'p' => options.pattern = u8::from_str_radix(value, 16).map_err(|_| wrong())?,
            'h' => return Err(USAGE.to_owned()),
            _ => {}
        }
    }
    match walk.operands().as_slice() {
        [host] => Ok((options, (*host).to_owned())),
        _ => Err(USAGE.to_owned()),
    }
}

fn resolve(program: &mut Program<'_>, options: &Options, host: &str) -> Result<IpAddr, String> {
    let bad = |_| format!("bad address '{host}'");
    if options.ipv6 {
        return resolver::lookup_ipv6(program, host).map(|found| found.address.into()).map_err(bad);
    }
    if options.ipv4 {
        return resolver::lookup_ipv4(program, host).map(|found| found.address.into()).map_err(bad);
    }
    match resolver::lookup(program, host) {
        Ok(Target::V4(found)) => Ok(found.address.into()),
        Ok(Target::V6(found)) => Ok(found.address.into()),
        Err(why) => Err(bad(why)),
    }
}

fn run(program: &mut Program<'_>, options: Options, host: &str) -> Result<i32, String> {
    let target = resolve(program, &options, host)?;
    let words = |call: &str| {
        let call = call.to_owned();
        move |errno: Errno| format!("{call}: {errno}")
    };
    let kind = match target {
        IpAddr::V4(_) => SocketKind::RawIpv4 { protocol: 1 },
        IpAddr::V6(_) => SocketKind::RawIpv6 { protocol: 58 },
    };
    let fd = program.system.socket(kind).map_err(words("can't create raw socket"))?;
    if let Some(source) = &options.source {
        match source.parse::<IpAddr>() {
            Ok(address) => program.system.bind(fd, endpoint(address)).map_err(words("bind"))?,
            Err(_) => {
                let device = SocketOption::BindToDevice(source.clone());
                let bound = program.system.set_option(fd, device);
                bound.map_err(|errno| format!("can't bind to interface {source}: {errno}"))?;
            }
        }
    }
    let _ = program.system.set_option(fd, SocketOption::Broadcast(true));
    if let Some(ttl) = options.ttl {
        program.system.set_option(fd, SocketOption::Ttl(ttl)).map_err(words("setsockopt"))?;
        let _ = program.system.set_option(fd, SocketOption::MulticastTtl(ttl));
    }
    let from = options.source.as_deref().filter(|source| source.parse::<IpAddr>().is_ok());
    let from = from.map(|source| format!(" from {source}")).unwrap_or_default();
    let _ = writeln!(program.shell.out(), "PING {host} ({target}){from}: {} data bytes", options.size);
    let ident = (program.shell.process_id() & 0xffff) as u16;
    let mut ping = Ping {
        options,
        fd,
        target,
        ident,
        counts: Counts::default(),
        seen: vec![0; 0x1_0000 / 64],
        sent_ns: vec![0; 0x1_0000],
    };
    ping.run(program)?;
    let _ = program.shell.out().write_all(ping.closing(host).as_bytes());
    let missed = ping.options.deadline_s != 0 && ping.counts.received < ping.options.count;
    Ok(i32::from(ping.counts.received == 0 || missed))
}

impl Ping {
    /// Sends and receives until the end.
    fn run(&mut self, program: &mut Program<'_>) -> Result<(), String> {
        let clock = |errno: Errno| format!("clock: {errno}");
        let start = program.system.now().map_err(clock)?.monotonic_ns;
        let deadline = (self.options.deadline_s > 0)
            .then(|| start.saturating_add(self.options.deadline_s.saturating_mul(SECOND)));
        let bounded = self.options.count > 0 || deadline.is_some();
        let mut due = start;
        // When the last answer is no longer waited for.
        let mut end = None;
        loop {
            let now = program.system.now().map_err(clock)?.monotonic_ns;
            let past = |at: Option<u64>| at.is_some_and(|at| now >= at);
            if past(deadline) || past(end) {
                return Ok(());
            }
            if end.is_none() && now >= due {
                self.send(program, now)?;
                due = now.saturating_add(self.options.interval_ns);
                if self.options.count > 0 && self.counts.sent >= self.options.count {
                    // `sendping_tail`: twice the longest round trip, in whole seconds.
                    let wait = match self.counts.received {
                        0 => self.options.wait_s,
                        _ => (self.counts.longest / (512 * 1024)).max(1),
                    };
                    end = Some(now.saturating_add(wait.saturating_mul(SECOND)));
                }
            }
            let until = [deadline, end.or(Some(due))].into_iter().flatten().min();
            match program.system.wait(&[self.fd], until, bounded) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(errno) => return Err(format!("poll: {errno}")),
            }
            if matches!(program.shell.take_signal(), Some(Signal::Interrupt | Signal::Terminate)) {
                return Ok(());
            }
            for item in program.system.receive(self.fd, 64).map_err(|errno| format!("recvfrom: {errno}"))? {
                let before = self.counts.received;
                self.receive(program, &item)?;
                if self.options.at_once && self.counts.received > before {
                    due = 0;
                }
            }
            if self.options.count > 0 && self.counts.received >= self.options.count {
                return Ok(());
            }
        }
    }

    fn send(&mut self, program: &mut Program<'_>, now: u64) -> Result<(), String> {
        let sequence = self.counts.sent as u16;
        let kind = if self.target.is_ipv4() { 8 } else { 128 };
        let mut packet = vec![self.options.pattern; 8 + self.options.size];
        packet[..4].copy_from_slice(&[kind, 0, 0, 0]);
        packet[4..6].copy_from_slice(&self.ident.to_be_bytes());
        packet[6..8].copy_from_slice(&sequence.to_be_bytes());
        // Four bytes of time, where they fit.
        if let Some(stamp) = packet.get_mut(8..12) {
            stamp.copy_from_slice(&((now / 1000) as u32).to_ne_bytes());
        }
        if self.target.is_ipv4() {
            Icmpv4Packet::new_unchecked(&mut packet[..]).fill_checksum();
        }
        self.counts.sent += 1;
        if let Some(sent) = self.sent_ns.get_mut(usize::from(sequence)) {
            *sent = now;
        }
        if let Some(word) = self.seen.get_mut(usize::from(sequence) / 64) {
            *word &= !(1 << (sequence % 64));
        }
        let sent = program.system.send(self.fd, packet, Some(endpoint(self.target)));
        sent.map(drop).map_err(|errno| format!("sendto: {errno}"))
    }

    /// Looks at a packet: an answer to one of ours is told.
    fn receive(&mut self, program: &mut Program<'_>, item: &Received) -> Result<(), String> {
        let Received::Datagram { data, from, ttl, .. } = item else { return Ok(()) };
        let (from, icmp) = match from {
            Address::Ipv4 { address, .. } => {
                let length = usize::from(data.first().copied().unwrap_or(0) & 15) * 4;
                (IpAddr::from(*address), data.get(length..).unwrap_or(&[]))
            }
            Address::Ipv6 { address, .. } => (IpAddr::from(*address), data.as_slice()),
            Address::Link { .. } | Address::Can { .. } => return Ok(()),
        };
        let (Some([kind, ..]), Some(ident), Some(sequence)) = (
            icmp.first_chunk::<1>(),
            icmp.get(4..6).and_then(|bytes| bytes.try_into().ok()).map(u16::from_be_bytes),
            icmp.get(6..8).and_then(|bytes| bytes.try_into().ok()).map(u16::from_be_bytes),
        ) else {
            return Ok(());
        };
        let answer = if self.target.is_ipv4() { 0 } else { 129 };
        if *kind != answer || ident != self.ident {
            return Ok(());
        }
        let now = program.system.now().map_err(|errno| format!("clock: {errno}"))?.monotonic_ns;
        let trip = now.saturating_sub(self.sent_ns.get(usize::from(sequence)).copied().unwrap_or(now)) / 1000;
        let mark = 1u64 << (sequence % 64);
        let word = self.seen.get_mut(usize::from(sequence) / 64);
        let repeated = word.as_ref().is_some_and(|word| **word & mark != 0);
        if repeated {
            self.counts.repeated += 1;
        } else {
            self.counts.received += 1;
            if let Some(word) = word {
                *word |= mark;
            }
        }
        let counts = &mut self.counts;
        counts.sum += trip;
        counts.shortest = Some(counts.shortest.map_or(trip, |shortest| shortest.min(trip)));
        counts.longest = counts.longest.max(trip);
        if !self.options.quiet {
            let time = match self.options.size >= 4 {
                true => format!(" time={}.{:03} ms", trip / 1000, trip % 1000),
                false => String::new(),
            };
            let again = if repeated { " (DUP!)" } else { "" };
            let length = icmp.len();
            let out = program.shell.out();
            let _ = writeln!(out, "{length} bytes from {from}: seq={sequence} ttl={ttl}{time}{again}");
            let _ = out.flush();
        }
        Ok(())
    }

    /// `print_stats_and_exit`
    fn closing(&self, host: &str) -> String {
        let Counts { sent, received, repeated, shortest, longest, sum } = &self.counts;
        let mut text = format!(
            "\n--- {host} ping statistics ---\n{sent} packets transmitted, {received} packets received, "
        );
        if *repeated > 0 {
            text.push_str(&format!("{repeated} duplicates, "));
        }
        let lost = (sent.saturating_sub(*received) * 100).checked_div(*sent).unwrap_or(0);
        text.push_str(&format!("{lost}% packet loss\n"));
        if let Some(shortest) = shortest {
            let mean = sum / (received + repeated).max(1);
            let ms = |us: u64| format!("{}.{:03}", us / 1000, us % 1000);
            text.push_str(&format!(
                "round-trip min/avg/max = {}/{}/{} ms\n",
                ms(*shortest),
                ms(mean),
                ms(*longest)
            ));
        }
        text
    }
}

fn endpoint(address: IpAddr) -> Address {
    match address {
        IpAddr::V4(address) => Address::Ipv4 { address, port: 0 },
        IpAddr::V6(address) => Address::Ipv6 { address, port: 0, scope: 0 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::FakeKernel;

    /// A kernel whose every echo request is answered after a millisecond, but for the second.
    fn kernel() -> FakeKernel {
        let mut sent = 0;
        FakeKernel::new(move |packet| {
            sent += 1;
            if sent == 2 {
                return Ok(Vec::new());
            }
            let mut data = vec![0x45; 20];
            data.extend(&packet.data);
            data[20] = 0;
            let (from, to) = (packet.to, packet.to);
            let (tos, ifindex, realtime_ns) = (0, 1, 0);
            Ok(vec![(1_000_000, Received::Datagram { data, from, to, ttl: 64, tos, ifindex, realtime_ns })])
        })
    }

    fn run(line: &str) -> (String, i32) {
        let mut kernel = kernel();
        kernel.variables.insert(crate::USERLAND_VARIABLE.to_owned(), "busybox".to_owned());
        kernel.run(line)
    }

    #[test]
    fn what_busybox_prints() {
        let text = "\
PING 10.0.0.1 (10.0.0.1): 56 data bytes
64 bytes from 10.0.0.1: seq=0 ttl=64 time=1.000 ms
64 bytes from 10.0.0.1: seq=2 ttl=64 time=1.000 ms

--- 10.0.0.1 ping statistics ---
3 packets transmitted, 2 packets received, 33% packet loss
round-trip min/avg/max = 1.000/1.000/1.000 ms
";
        assert_eq!(run("ping -c 3 10.0.0.1"), (text.to_owned(), 0));
        assert_eq!(run("ping -c 1 nowhere.example"), ("ping: bad address 'nowhere.example'\n".to_owned(), 1));
        let quiet = run("ping -q -c 1 -s 8 10.0.0.1").0;
        assert!(quiet.starts_with("PING 10.0.0.1 (10.0.0.1): 8 data bytes\n\n---"), "{quiet}");
        assert_eq!(run("ping -Z").1, 1);
    }
}
