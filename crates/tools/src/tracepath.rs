//! `tracepath`, as that of iputils 20221126 runs: the way to a host, hop by hop, and how long packets may be on it.
//!
//! Datagrams as long as the way is known to take go out with ever larger TTLs; the queue of errors of their socket tells
//! who sent them back, and why.

use std::time::Duration;

use hairpin_netlink::{
    Address, Errno, ErrorOrigin, Fd, PathMtuDiscovery, Received, SocketKind, SocketOption,
};

use crate::Program;
use crate::c_number::atoi;
use crate::getopt::{Getopt, Item};
use crate::iputils::{Exit, close, complain, fail, signed};
use crate::resolver::{self, Families, Place};

/// Bytes that no datagram has: one that is to be longer is refused all the same.
const TOO_LONG: usize = 128_000;
const LETTERS: &str = "46nbh?l:m:p:V";
/// Tries to send one packet.
const SENDS: usize = 10;
/// Packets sent for a hop that does not answer.
const TRIES: usize = 3;
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(1);
/// Packets that are remembered until they come back.
const REMEMBERED: usize = 64;
/// What every packet begins with: its TTL, and when it was sent (`struct probehdr`).
const HEADER_LEN: usize = 24;
/// Names fill the line up to here.
const HOST_COLUMN: usize = 52;

const USAGE: &str = "
Usage
  tracepath [options] <destination>

Options:
  -4             use IPv4
  -6             use IPv6
  -b             print both name and ip
  -l <length>    use packet <length>
  -m <hops>      use maximum <hops>
  -n             no dns name resolution
  -p <port>      use destination <port>
  -V             print version and exit
  <destination>  dns name or ip address

For more details see tracepath(8).
";

const VERSION: &str = "tracepath from iputils 20221126
libcap: yes, IDN: yes, NLS: no, error.h: yes, getrandom(): yes, __fpending(): yes
";

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let code = run(program).map_or_else(|Exit(code)| code, |()| 0);
    close(program, code)
}

/// What the command line says.
struct Options {
    families: Families,
    numeric: bool,
    both: bool,
    /// Bytes of a packet; 0: as long as the way takes.
    length: i64,
    hops: i64,
    port: i64,
    host: String,
}

fn usage(program: &mut Program<'_>) -> Exit {
    let _ = program.shell.out().flush();
    let _ = program.shell.err().write_all(USAGE.as_bytes());
    Exit(255)
}

fn options(program: &mut Program<'_>) -> Result<Option<Options>, Exit> {
    let mut found = Options {
        families: Families::Any,
        numeric: false,
        both: false,
        length: 0,
        hops: 30,
        port: 0,
        host: String::new(),
    };
    let args = program.args;
    let mut words = Getopt::new(program.name, args, LETTERS, &[]);
    while let Some(item) = words.next() {
        match item {
            Item::Option('4', _) => found.families = Families::Ipv4,
            Item::Option('6', _) => found.families = Families::Ipv6,
            Item::Option('n', _) => found.numeric = true,
            Item::Option('b', _) => found.both = true,
            Item::Option('l', Some(text)) => found.length = signed(program, text, 0, i32::MAX.into())?,
            Item::Option('m', Some(text)) => found.hops = signed(program, text, 0, 255)?,
            Item::Option('p', Some(text)) => found.port = signed(program, text, 0, u16::MAX.into())?,
            Item::Option('V', _) => {
                let _ = program.shell.out().write_all(VERSION.as_bytes());
                return Ok(None);
            }
            Item::Option(..) => return Err(usage(program)),
            Item::Error(text) => {
                let _ = program.shell.out().flush();
                let _ = writeln!(program.shell.err(), "{text}");
                return Err(usage(program));
            }
        }
    }
    let operands = words.operands();
    let [host] = operands.as_slice() else { return Err(usage(program)) };
    let (name, port) = match host.split_once('/') {
        Some((name, port)) if found.port == 0 => (name, i64::from(atoi(port))),
        _ => (*host, 44_444),
    };
    found.host = name.to_owned();
    if found.port == 0 {
        found.port = port;
    }
    Ok(Some(found))
}

fn run(program: &mut Program<'_>) -> Result<(), Exit> {
    let Some(options) = options(program)? else { return Ok(()) };
    let found = resolver::addresses(program, &options.host, options.families);
    let place = match found.map(|found| found.first().copied()) {
        Ok(Some(place)) => place,
        Ok(None) => return Err(fail(program, 1, &format!("{}: no address", options.host))),
        Err(unresolved) => {
            return Err(fail(program, 1, &format!("{}: {}", options.host, unresolved.text())));
        }
    };
    let six = place.address.is_ipv6();
    let (overhead, longest) = if six { (48, 128_000) } else { (28, 65_535) };
    let mtu = if options.length == 0 { longest } else { options.length };
    if mtu <= overhead {
        let text = format!("pktlen must be within: {overhead} < value <= {}", i32::MAX);
        return Err(fail(program, 1, &text));
    }
    let kind = if six { SocketKind::UdpIpv6 } else { SocketKind::UdpIpv4 };
    let socket = program.system.socket(kind).map_err(|errno| called(program, "socket", errno))?;
    for (name, option) in [
        ("IP_MTU_DISCOVER", SocketOption::PathMtuDiscovery(PathMtuDiscovery::Do)),
        ("IP_RECVERR", SocketOption::ReceiveErrors(true)),
    ] {
        program.system.set_option(socket, option).map_err(|errno| called(program, name, errno))?;
    }
    let mut tracer = Tracer {
        options,
        place,
        socket,
        ttl: 1,
        mtu,
        overhead,
        sent: [None; REMEMBERED],
        next: 0,
        there: None,
        back: None,
    };
    tracer.trace(program)
}

fn called(program: &mut Program<'_>, call: &str, errno: Errno) -> Exit {
    fail(program, 1, &format!("{call}: {errno}"))
}

/// A packet that is on its way.
#[derive(Clone, Copy)]
struct Sent {
    hops: u32,
    at_ns: u64,
}

/// What has come of a packet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// Nothing yet.
    None,
    /// Somebody has answered: on to the next hop.
    Some,
    /// There is nothing more to learn.
    Done,
}

struct Tracer {
    options: Options,
    place: Place,
    socket: Fd,
    ttl: u32,
    /// Bytes of a whole packet, as long as the way is known to take.
    mtu: i64,
    /// Of that the headers.
    overhead: i64,
    /// By the port that they went to, less the first.
    sent: [Option<Sent>; REMEMBERED],
    next: usize,
    /// Hops to the target and back.
    there: Option<u32>,
    back: Option<i32>,
}

impl Tracer {
    fn trace(&mut self, program: &mut Program<'_>) -> Result<(), Exit> {
        let hops = u32::try_from(self.options.hops).unwrap_or(0);
        let mut is_over = false;
        while self.ttl <= hops {
            let ttl = SocketOption::Ttl(u8::try_from(self.ttl).unwrap_or(u8::MAX));
            program.system.set_option(self.socket, ttl).map_err(|errno| called(program, "IP_TTL", errno))?;
            let progress = self.hop(program)?;
            if progress == Progress::Done {
                is_over = true;
                break;
            }
            if progress == Progress::None {
                say(program, &format!("{:2}:  no reply\n", self.ttl));
            }
            self.ttl += 1;
        }
        if !is_over {
            say(program, &format!("     Too many hops: pmtu {}\n", self.mtu));
        }
        say(program, &format!("     Resume: pmtu {} ", self.mtu));
        if let Some(there) = self.there {
            say(program, &format!("hops {there} "));
        }
        if let Some(back) = self.back {
            say(program, &format!("back {back} "));
        }
        say(program, "\n");
        Ok(())
    }

    /// Packets with the present TTL until one is answered; from the beginning each time that they turn out to be too long.
    fn hop(&mut self, program: &mut Program<'_>) -> Result<Progress, Exit> {
        let mut tries = 0;
        while tries < TRIES {
            let mtu = self.mtu;
            let progress = self.probe(program)?;
            if self.mtu != mtu {
                tries = 0;
                continue;
            }
            if progress != Progress::None {
                return Ok(progress);
            }
            tries += 1;
        }
        Ok(Progress::None)
    }

    /// Sends one packet and waits for what comes of it (`probe_ttl`).
    fn probe(&mut self, program: &mut Program<'_>) -> Result<Progress, Exit> {
        let mut sends = 0;
        while sends < SENDS {
            let now = program.system.now().map_err(|errno| called(program, "clock_gettime", errno))?;
            let length = usize::try_from(self.mtu - self.overhead).unwrap_or(0).min(TOO_LONG);
            let mut data = vec![0; length];
            let mut header = self.ttl.to_ne_bytes().to_vec();
            header.resize(8, 0);
            header.extend((now.realtime_ns / 1_000_000_000).to_ne_bytes());
            header.extend((now.realtime_ns % 1_000_000_000).to_ne_bytes());
            for (place, byte) in data.iter_mut().zip(header) {
                *place = byte;
            }
            self.sent[self.next] = Some(Sent { hops: self.ttl, at_ns: now.realtime_ns });
            let port = self.options.port + self.next as i64;
            let to = self.place.end(port as u16);
            if program.system.send(self.socket, data, Some(to)).is_ok_and(|sent| sent > 0) {
                break;
            }
            let progress = self.returned(program)?;
            self.sent[self.next] = None;
            match progress {
                Progress::Done => return Ok(Progress::Done),
                Progress::Some => sends = 0,
                Progress::None => sends += 1,
            }
        }
        self.next = (self.next + 1) % REMEMBERED;
        if sends == SENDS {
            say(program, &format!("{:2}:  send failed\n", self.ttl));
            return Ok(Progress::Done);
        }
        let now = program.system.now().map_err(|errno| called(program, "clock_gettime", errno))?;
        let until_ns = now.monotonic_ns + PATIENCE.as_nanos() as u64;
        // A signal ends the program by itself.
        let _ = program.system.wait(&[self.socket], Some(until_ns), true);
        self.returned(program)
    }

    /// Reads what came back (`recverr`).
    fn returned(&mut self, program: &mut Program<'_>) -> Result<Progress, Exit> {
        let mut progress = Progress::None;
        let items = program.system.receive(self.socket, REMEMBERED as u32).unwrap_or_default();
        if items.iter().any(|item| matches!(item, Received::Datagram { .. })) {
            say(program, &format!("{:2}?: reply received 8)\n", self.ttl));
            return Ok(Progress::Done);
        }
        for item in items {
            let Received::Error { errno, origin, info, to, data, ttl, realtime_ns } = item else { continue };
            let back = Some(ttl).filter(|ttl| *ttl != 0).map(hops_back);
            progress = Progress::Some;
            let sent = self.take_sent(origin, to, &data);
            let (hops, is_broken) = (sent.map(|(sent, _)| sent.hops), sent.is_some_and(|(_, broken)| broken));
            match reporter(origin) {
                None => say(program, &format!("{:2}?: {:<32} ", self.ttl, "[LOCALHOST]")),
                Some(place) => {
                    match hops {
                        Some(hops) => say(program, &format!("{hops:2}:  ")),
                        None => say(program, &format!("{:2}?: ", self.ttl)),
                    }
                    let line = self.host(program, place);
                    say(program, &line);
                }
            }
            if let Some((sent, _)) = sent {
                let taken_us = realtime_ns.saturating_sub(sent.at_ns) / 1000;
                say(program, &format!("{:3}.{:03}ms ", taken_us / 1000, taken_us % 1000));
                if is_broken {
                    say(program, "(This broken router returned corrupted payload) ");
                }
            }
            if !self.judge(program, (errno, origin, info), hops, back) {
                return Ok(Progress::Done);
            }
        }
        Ok(progress)
    }

    /// Says what the error means; false where it ends the way.
    fn judge(
        &mut self,
        program: &mut Program<'_>,
        (errno, origin, info): (Errno, ErrorOrigin, u32),
        hops: Option<u32>,
        back: Option<i32>,
    ) -> bool {
        let is_expired = matches!(
            origin,
            ErrorOrigin::Icmp { kind: 11, code: 0, .. } | ErrorOrigin::Icmp6 { kind: 3, code: 0, .. }
        );
        let ends = |program: &mut Program<'_>, text: &str| {
            say(program, text);
            false
        };
        match errno {
            Errno::ETIMEDOUT => say(program, "\n"),
            Errno::EMSGSIZE => {
                say(program, &format!("pmtu {info}\n"));
                self.mtu = info.into();
            }
            Errno::ECONNREFUSED => {
                self.there = Some(hops.unwrap_or(self.ttl));
                self.back = back;
                return ends(program, "reached\n");
            }
            Errno::EPROTO => return ends(program, "!P\n"),
            Errno::EHOSTUNREACH if is_expired => {
                let expected = i32::try_from(hops.unwrap_or(self.ttl)).unwrap_or(i32::MAX);
                if let Some(back) = back.filter(|back| *back != expected) {
                    say(program, &format!("asymm {back:2} "));
                }
                say(program, "\n");
            }
            Errno::EHOSTUNREACH => return ends(program, "!H\n"),
            Errno::ENETUNREACH => return ends(program, "!N\n"),
            Errno::EACCES => return ends(program, "!A\n"),
            errno => {
                say(program, "\n");
                complain(program, &format!("NET ERROR: {errno}"));
                return false;
            }
        }
        true
    }

    /// The packet that an error is about, by the port that it went to or by what it says of itself; whether what came back
    /// of it is not what was sent.
    fn take_sent(&mut self, origin: ErrorOrigin, to: Address, data: &[u8]) -> Option<(Sent, bool)> {
        // An error of this host's own says no port of IPv4.
        if origin == ErrorOrigin::Local && matches!(to, Address::Ipv4 { .. }) {
            return None;
        }
        let (Address::Ipv4 { port, .. } | Address::Ipv6 { port, .. }) = to else { return None };
        let slot = usize::try_from(i64::from(port) - self.options.port).ok();
        let known = slot.filter(|slot| *slot < REMEMBERED - 1).and_then(|slot| self.sent[slot].take());
        let Some(header) = data.get(..HEADER_LEN) else { return known.map(|sent| (sent, false)) };
        let word = |at: usize| header.get(at..)?.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes));
        let hops = header.first_chunk().map_or(0, |bytes| u32::from_ne_bytes(*bytes));
        match (hops, word(8), word(16)) {
            (1.., Some(seconds @ 1..), Some(ns)) => {
                let at_ns = seconds.saturating_mul(1_000_000_000).saturating_add(ns);
                Some((Sent { hops, at_ns }, false))
            }
            _ => known.map(|sent| (sent, true)),
        }
    }

    /// Who answered, filled up to the next column.
    fn host(&self, program: &mut Program<'_>, place: Place) -> String {
        let address = match place.scope {
            0 => place.address.to_string(),
            scope => {
                let name = crate::interfaces::Interfaces::dump(program.system)
                    .ok()
                    .and_then(|known| known.by_index(scope).map(|interface| interface.name().to_owned()));
                format!("{}%{}", place.address, name.unwrap_or_else(|| scope.to_string()))
            }
        };
        let mut name = String::new();
        if !self.options.numeric || self.options.both {
            name = resolver::name_of(program, place.address).unwrap_or_else(|| "???".to_owned());
        }
        let (first, second) = if self.options.numeric { (address, name) } else { (name, address) };
        let text = if self.options.both { format!("{first} ({second})") } else { first };
        let filled = text.chars().count().min(HOST_COLUMN - 1);
        format!("{text}{}", " ".repeat(HOST_COLUMN - filled))
    }
}

fn reporter(origin: ErrorOrigin) -> Option<Place> {
    match origin {
        ErrorOrigin::Local => None,
        ErrorOrigin::Icmp { from, .. } => Some(std::net::IpAddr::from(from).into()),
        ErrorOrigin::Icmp6 { from, scope, .. } => Some(Place { address: from.into(), scope }),
    }
}

/// How far away somebody is whose packet came with this TTL: senders begin with 64, 128 or 255.
fn hops_back(ttl: u8) -> i32 {
    let ttl = i32::from(ttl);
    match ttl {
        ..=64 => 65 - ttl,
        65..=128 => 129 - ttl,
        _ => 256 - ttl,
    }
}

/// Prints at once: a hop may take long.
fn say(program: &mut Program<'_>, text: &str) {
    let _ = program.shell.out().write_all(text.as_bytes());
    let _ = program.shell.out().flush();
}

#[cfg(test)]
mod tests {
    use super::hops_back;

    #[test]
    fn distances_follow_from_what_senders_begin_with() {
        assert_eq!([64, 62, 128, 127, 255, 250].map(hops_back), [1, 3, 1, 2, 1, 6]);
    }
}
