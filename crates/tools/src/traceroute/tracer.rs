//! Which probe is sent, given up or printed when.

use std::net::IpAddr;

use hairpin_netlink::{Address, Errno, ErrorOrigin, Fd, Received};

use super::method::{Sender, micros_s, time_s};
use super::options::Options;
use super::probe::Probe;
use super::{Exit, failed};
use crate::resolver;
use crate::{Program, Signal};

/// Added to a round trip before it is multiplied to a limit.
const PRECISION_S: f64 = 0.001;
const NS_PER_MS: u64 = 1_000_000;

/// A trace under way: every probe of every hop, in order.
pub(super) struct Tracer {
    options: Options,
    sender: Sender,
    probes: Vec<Probe>,
    /// The sockets that are listened to, oldest first.
    sockets: Vec<Fd>,
    last_sent_s: f64,
}

impl Tracer {
    pub fn new(program: &mut Program<'_>, options: Options) -> Result<Self, Exit> {
        let sender = Sender::new(program, &options)?;
        let probes = vec![Probe::default(); options.max_hops * options.probes_per_hop];
        let sockets = sender.shared.into_iter().collect();
        Ok(Tracer { options, sender, probes, sockets, last_sent_s: 0.0 })
    }

    /// Prints the header and hop after hop, to the target or the last hop.
    pub fn run(mut self, program: &mut Program<'_>) -> Result<(), Exit> {
        let Options { host, target, max_hops, header_len, data_len, .. } = &self.options;
        let length = header_len + data_len;
        let header = format!("traceroute to {host} ({target}), {max_hops} hops max, {length} byte packets");
        let _ = program.shell.out().write_all(header.as_bytes());
        let _ = program.shell.out().flush();
        let per_hop = self.options.probes_per_hop;
        let mut start = (self.options.first_hop - 1) * per_hop;
        let mut end = self.probes.len();
        while start < end {
            if let Some(until_s) = self.round(program, &mut start, &mut end)? {
                self.poll(program, until_s)?;
            }
        }
        let _ = writeln!(program.shell.out());
        Ok(())
    }

    /// Prints what is due, gives up what has expired, sends what may be sent; until when to wait then.
    fn round(
        &mut self,
        program: &mut Program<'_>,
        start: &mut usize,
        end: &mut usize,
    ) -> Result<Option<f64>, Exit> {
        let per_hop = self.options.probes_per_hop;
        let now_s = time_s(program)?;
        let mut next_s = None;
        let mut under_way = 0;
        let mut at = *start;
        while at < *end {
            if at == *start
                && !self.probe(at).is_done
                && let Some(sent_s) = self.probe(at).sent_s
            {
                let expires_s = sent_s + self.limit_s(at);
                if expires_s > now_s {
                    next_s = Some(expires_s);
                } else {
                    self.finish(program, at);
                    self.replace_by_final(at);
                }
            }
            if self.probe(at).is_done {
                if at == *start {
                    self.print(program, at);
                    *start += 1;
                }
                if self.probe(at).is_final {
                    *end = (at / per_hop + 1) * per_hop;
                }
                at += 1;
                continue;
            }
            if self.probe(at).sent_s.is_none() {
                let due_s = self.last_sent_s + self.options.send_wait_s;
                if self.options.send_wait_s > 0.0 && due_s > now_s {
                    next_s = Some(due_s);
                    break;
                }
                let mut probe = std::mem::take(self.probe_mut(at));
                self.sender.send(program, &self.options, &mut probe, at / per_hop + 1)?;
                self.sockets.extend(probe.socket);
                *self.probe_mut(at) = probe;
                match self.probe(at).sent_s {
                    Some(sent_s) => self.last_sent_s = sent_s,
                    None if next_s.is_some() => break,
                    None => return Err(failed(program, "send probe", Errno::ENOBUFS)),
                }
            }
            if next_s.is_none() {
                next_s = self.probe(at).sent_s.map(|sent_s| sent_s + self.limit_s(at));
            }
            under_way += 1;
            if under_way >= self.options.sim_probes {
                break;
            }
            at += 1;
        }
        Ok(next_s)
    }

    fn probe(&self, at: usize) -> &Probe {
        &self.probes[at]
    }

    fn probe_mut(&mut self, at: usize) -> &mut Probe {
        &mut self.probes[at]
    }

    /// How long a probe's answer is waited for.
    fn limit_s(&self, at: usize) -> f64 {
        let Options { wait_s, here_factor, near_factor, probes_per_hop, .. } = self.options;
        let limit = |trip_s: f64, factor: f64| ((trip_s + PRECISION_S) * factor).min(wait_s);
        let hop = at - at % probes_per_hop;
        let here = self.probes.iter().skip(hop).take(probes_per_hop).find_map(Probe::round_trip_s);
        if let Some(trip_s) = here.filter(|_| here_factor != 0.0) {
            return limit(trip_s, here_factor);
        }
        let later = self.probes.iter().skip(at + 1).take_while(|probe| probe.sent_s.is_some());
        match later.filter(|_| near_factor != 0.0).find_map(Probe::round_trip_s) {
            Some(trip_s) => limit(trip_s, near_factor),
            None => wait_s,
        }
    }

    /// A probe that was given up may stand where the end of the way is: that host answers only some of the
    /// probes sent at once. Then a later answer of it takes the probe's place.
    fn replace_by_final(&mut self, at: usize) {
        let per_hop = self.options.probes_per_hop;
        let hop = at - at % per_hop;
        let earlier = self.probes.get(hop..at).unwrap_or(&[]);
        if earlier.iter().any(|probe| !probe.is_done || !probe.is_final) {
            return;
        }
        let in_final_hop = !earlier.is_empty();
        let later =
            self.probes.iter().enumerate().skip(at + 1).take_while(|(_, probe)| probe.sent_s.is_some());
        let Some((place, answer)) = later.clone().find(|(_, probe)| probe.is_done) else { return };
        // Only errors like !H come out of order.
        if !answer.is_final || answer.remark.is_empty() {
            return;
        }
        let same_hop = place < hop + per_hop;
        let known =
            answer.from.is_some() && self.probes.iter().take(at).any(|probe| probe.from == answer.from);
        if !(in_final_hop || same_hop || known || self.is_as_near(at, answer)) {
            return;
        }
        let answer = std::mem::take(self.probe_mut(place));
        *self.probe_mut(at) = answer;
        // Not to be sent again.
        self.probe_mut(place).sent_s = Some(1.0);
    }

    /// Whether the TTL of an answer says that it comes from the hop of a probe, or from before it.
    fn is_as_near(&self, at: usize, answer: &Probe) -> bool {
        let per_hop = self.options.probes_per_hop;
        let Some(mut back) = answer.answer_ttl.map(hops_back) else { return false };
        let routers = self.probes.iter().enumerate().take(at).rev();
        let nearest = routers
            .filter(|(_, probe)| probe.is_done && !probe.is_final)
            .filter_map(|(place, probe)| Some((place, hops_back(probe.answer_ttl?))))
            .find(|(_, hops)| *hops < back);
        if let Some((place, hops)) = nearest {
            back = back - hops + place / per_hop + 1;
        }
        back <= at / per_hop + 1
    }

    fn print(&self, program: &mut Program<'_>, at: usize) {
        let per_hop = self.options.probes_per_hop;
        let probe = self.probe(at);
        let mut text = String::new();
        if at.is_multiple_of(per_hop) {
            text.push_str(&format!("\n{:2} ", at / per_hop + 1));
        }
        let earlier = self.probes.get(at - at % per_hop..at).unwrap_or(&[]);
        match probe.from {
            None => text.push_str(" *"),
            Some(from) => {
                let last = earlier.iter().rev().find_map(|probe| probe.from);
                if last != Some(from) {
                    text.push_str(&self.name(program, from));
                }
            }
        }
        if let (Some(received_s), Some(sent_s)) = (probe.received_s, probe.sent_s) {
            text.push_str(&format!("  {:.3} ms", (received_s - sent_s) * 1000.0));
        }
        if !probe.remark.is_empty() {
            text.push_str(&format!(" {}", probe.remark));
        }
        let _ = program.shell.out().write_all(text.as_bytes());
        let _ = program.shell.out().flush();
    }

    fn name(&self, program: &mut Program<'_>, address: IpAddr) -> String {
        if self.options.numeric {
            return format!(" {address}");
        }
        let name = resolver::name_of(program, address).unwrap_or_else(|| address.to_string());
        format!(" {name} ({address})")
    }

    /// Waits until `until_s` for answers and takes one of every socket that has some.
    fn poll(&mut self, program: &mut Program<'_>, until_s: f64) -> Result<(), Exit> {
        let wait_ms = ((until_s - time_s(program)?).max(0.0) * 1000.0).ceil() as u64;
        let now = program.system.now().map_err(|errno| failed(program, "poll", errno))?;
        let until = now.monotonic_ns.saturating_add(wait_ms.saturating_mul(NS_PER_MS));
        let ready = match program.system.wait(&self.sockets, Some(until), true) {
            Ok(ready) => ready,
            Err(Errno::EINTR) => return interrupted(program),
            Err(errno) => return Err(failed(program, "poll", errno)),
        };
        for fd in ready {
            // What cannot be read now is looked at in the next round.
            for item in program.system.receive(fd, 1).unwrap_or_default() {
                self.receive(program, fd, item)?;
            }
        }
        Ok(())
    }

    fn receive(&mut self, program: &mut Program<'_>, fd: Fd, item: Received) -> Result<(), Exit> {
        match item {
            Received::Datagram { data, from, ttl, realtime_ns, .. } => {
                let Some(at) = self.sender.find(&self.probes, fd, false, from, &data) else { return Ok(()) };
                let address: IpAddr = match from {
                    Address::Ipv4 { address, .. } => address.into(),
                    Address::Ipv6 { address, .. } => address.into(),
                    Address::Link { .. } | Address::Can { .. } => return Ok(()),
                };
                let probe = self.probe_mut(at);
                probe.is_final = true;
                probe.from = Some(address);
                probe.answer_ttl = Some(ttl);
                probe.received_s = Some(micros_s(realtime_ns));
                self.finish(program, at);
                Ok(())
            }
            Received::Error { errno, origin, info, to, data, realtime_ns, .. } => {
                // Redirects and source quenches tell of no end.
                if matches!(origin, ErrorOrigin::Icmp { kind: 4 | 5, .. }) {
                    return Ok(());
                }
                let Some(at) = self.place_of_error(fd, to, &data) else { return Ok(()) };
                self.error(program, at, (errno, origin, info), realtime_ns)
            }
            _ => Ok(()),
        }
    }

    fn place_of_error(&self, fd: Fd, to: Address, data: &[u8]) -> Option<usize> {
        let found = self.sender.find(&self.probes, fd, true, to, data);
        // A packet too long for the own device: the kernel quotes nothing of it.
        let first = (self.options.first_hop - 1) * self.options.probes_per_hop;
        let quotes_nothing = self.options.dont_fragment && data.is_empty();
        found.or(Some(first).filter(|_| quotes_nothing && !self.probe(first).is_done))
    }

    fn error(
        &mut self,
        program: &mut Program<'_>,
        at: usize,
        (errno, origin, info): (Errno, ErrorOrigin, u32),
        realtime_ns: u64,
    ) -> Result<(), Exit> {
        let received_s = if realtime_ns == 0 { time_s(program)? } else { micros_s(realtime_ns) };
        let probe = self.probe_mut(at);
        probe.received_s = Some(received_s);
        match origin {
            ErrorOrigin::Icmp { kind, code, from } => {
                probe.from = Some(from.into());
                probe.take_error(kind, code, info);
            }
            ErrorOrigin::Local if errno == Errno::EMSGSIZE && info != 0 => probe.take_mtu(info),
            ErrorOrigin::Icmp6 { kind, code, from, .. } => {
                probe.from = Some(from.into());
                probe.take_error6(kind, code, info);
            }
            ErrorOrigin::Local => return Err(failed(program, "local recverr", errno)),
        }
        self.finish(program, at);
        let mtu = info as usize;
        let Options { header_len, data_len, find_mtu, .. } = self.options;
        if find_mtu && (header_len..header_len + data_len).contains(&mtu) {
            // The same probe goes out again, shorter.
            self.options.data_len = mtu - header_len;
            *self.probe_mut(at) = Probe { remark: format!("F={mtu}"), ..Probe::default() };
        }
        Ok(())
    }

    /// Marks a probe as done and closes its socket.
    fn finish(&mut self, program: &mut Program<'_>, at: usize) {
        let probe = self.probe_mut(at);
        probe.is_done = true;
        probe.sequence = 0;
        if let Some(socket) = probe.socket.take() {
            self.close(program, socket);
        }
    }

    fn close(&mut self, program: &mut Program<'_>, socket: Fd) {
        self.sockets.retain(|fd| *fd != socket);
        let _ = program.system.close(socket);
    }
}

/// How many hops an answer has come, if it started with 64, 128 or 255.
fn hops_back(ttl: u8) -> usize {
    let start = match ttl {
        0..=64 => 65,
        65..=128 => 129,
        _ => 256,
    };
    start - usize::from(ttl)
}

/// A signal that the program does not catch ends it; any other interruption only ends the wait.
fn interrupted(program: &mut Program<'_>) -> Result<(), Exit> {
    match program.shell.take_signal() {
        Some(Signal::Interrupt) => Err(Exit(128 + 2)),
        Some(Signal::Quit) => Err(Exit(128 + 3)),
        Some(Signal::Terminate) => Err(Exit(128 + 15)),
        None => Ok(()),
    }
}
