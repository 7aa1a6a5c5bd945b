//! Replies and errors (iputils' `ping4_parse_reply`, `ping4_receive_error_msg`, `gather_statistics`).

use std::net::Ipv4Addr;

use hairpin_netlink::{Address, Errno, ErrorOrigin, Received, SocketOption};
use hairpin_wire::smol::{Icmpv4Packet, Ipv4Packet};

use super::report::{self, header_text, icmp_text, quotes_a_header, time_text};
use super::session::{STAMP_LEN, Session};
use crate::Program;
use crate::iputils::{Exit, complain, failed};

/// Shortest ICMP message and shortest IPv4 header.
const ICMP_MIN: usize = 8;
const HEADER_MIN: usize = 20;

/// A filter that discards every ICMP type but these.
pub(super) fn all_but(kinds: &[u8]) -> u32 {
    !kinds.iter().fold(0, |bits, kind| bits | 1u32.checked_shl((*kind).into()).unwrap_or(0))
}

impl Session {
    /// Looks at one item of the socket.
    pub(super) fn handle(&mut self, program: &mut Program<'_>, item: Received) -> Result<(), Exit> {
        match item {
            Received::Error { .. } => self.error(program, item).map(drop),
            Received::Datagram { data, from: Address::Ipv4 { address, .. }, realtime_ns, .. } => {
                self.datagram(program, &data, address, realtime_ns)
            }
            Received::Datagram { data, from: from @ Address::Ipv6 { .. }, ttl, realtime_ns, .. } => {
                self.datagram6(program, &data, from, ttl, realtime_ns)
            }
            _ => Ok(()),
        }
    }

    /// Reads one error of the queue after a packet could not be sent. Returns how many network errors it was,
    /// or the local ones as a negative number; an empty queue counts as one of those.
    pub(super) fn receive_error(&mut self, program: &mut Program<'_>) -> Result<i32, Exit> {
        // All of it: an error may stand behind replies.
        let fetched = program.system.receive(self.fd, 64).unwrap_or_default();
        self.queue.extend(fetched);
        let place = self.queue.iter().position(|item| matches!(item, Received::Error { .. }));
        match place.and_then(|place| self.queue.remove(place)) {
            Some(item) => self.error(program, item),
            None => Ok(-1),
        }
    }

    fn error(&mut self, program: &mut Program<'_>, item: Received) -> Result<i32, Exit> {
        if matches!(self.target, Address::Ipv6 { .. }) {
            return self.error6(program, item);
        }
        let Received::Error { errno, origin, info, to, data, .. } = item else { return Ok(0) };
        let ErrorOrigin::Icmp { kind, code, from } = origin else {
            self.local_error(program, errno, info);
            return Ok(-1);
        };
        let Some(sequence) = self.own_sequence(&data, to) else { return Ok(0) };
        self.acknowledge(sequence);
        // Now that errors come over the queue, their packets need not be seen as well.
        let heard = [report::SOURCE_QUENCH, report::REDIRECT, report::ECHO_REPLY];
        if let Err(errno) = program.system.set_option(self.fd, SocketOption::IcmpFilter(all_but(&heard))) {
            return Err(failed(program, "setsockopt(ICMP_FILTER)", errno));
        }
        self.counts.errors += 1;
        if self.options.quiet {
            return Ok(1);
        }
        if self.options.flood {
            let _ = program.shell.out().write_all(b"\x08E");
        } else {
            let stamp = self.time_of_day(program)?;
            let from = self.name(program, ipv4(from));
            let text = icmp_text(kind, code, info);
            let _ = writeln!(program.shell.out(), "{stamp}From {from} icmp_seq={sequence} {text}");
        }
        let _ = program.shell.out().flush();
        Ok(1)
    }

    fn local_error(&mut self, program: &mut Program<'_>, errno: Errno, info: u32) {
        if self.options.quiet {
            return;
        }
        if self.options.flood {
            let _ = program.shell.out().write_all(b"E");
        } else if errno == Errno::EMSGSIZE {
            complain(program, &format!("local error: message too long, mtu={info}"));
        } else {
            complain(program, &format!("local error: {errno}"));
        }
        self.counts.errors += 1;
    }

    /// The sequence number of a quoted packet, if it is an echo request of ours.
    fn own_sequence(&self, icmp: &[u8], to: Address) -> Option<u16> {
        let packet = Icmpv4Packet::new_checked(icmp.get(..ICMP_MIN)?).ok()?;
        let is_to_target = match (to, self.target) {
            (Address::Ipv4 { address: to, .. }, Address::Ipv4 { address: target, .. }) => to == target,
            _ => false,
        };
        let is_ours = u8::from(packet.msg_type()) == report::ECHO && packet.echo_ident() == self.ident;
        (is_ours && is_to_target).then(|| packet.echo_seq_no())
    }

    /// A packet of the raw socket.
    fn datagram(
        &mut self,
        program: &mut Program<'_>,
        data: &[u8],
        from: Ipv4Addr,
        realtime_ns: u64,
    ) -> Result<(), Exit> {
        let header_len = usize::from(data.first().copied().unwrap_or(0) & 15) * 4;
        let split = data.split_at_checked(header_len).filter(|_| header_len >= HEADER_MIN);
        let Some((header, icmp)) = split.filter(|(_, icmp)| icmp.len() >= ICMP_MIN) else {
            if self.options.verbose {
                let from = self.name(program, ipv4(from));
                complain(program, &format!("packet too short ({} bytes) from {from}", data.len()));
            }
            return Ok(());
        };
        let packet = Icmpv4Packet::new_unchecked(icmp);
        let (kind, code) = (u8::from(packet.msg_type()), packet.msg_code());
        match kind {
            report::ECHO_REPLY => {
                if packet.echo_ident() != self.ident {
                    return Ok(());
                }
                let hops = Ipv4Packet::new_unchecked(header).hop_limit();
                let sequence = packet.echo_seq_no();
                let is_strange = !self.options.broadcast && !self.multicast && ipv4(from) != self.target;
                let options = header.get(HEADER_MIN..).unwrap_or(&[]);
                self.reply(program, icmp, sequence, options, ipv4(from), hops, is_strange, realtime_ns)
            }
            report::ECHO => Ok(()),
            kind if quotes_a_header(kind) => self.error_packet(program, icmp, from, kind, code),
            _ => self.other(program, icmp, from, kind, code),
        }
    }

    /// `gather_statistics`; `is_strange` says that the target is not who replies.
    #[expect(clippy::too_many_arguments, reason = "what the headers of either family have told")]
    pub(super) fn reply(
        &mut self,
        program: &mut Program<'_>,
        icmp: &[u8],
        sequence: u16,
        header_options: &[u8],
        from: Address,
        hops: u8,
        is_strange: bool,
        realtime_ns: u64,
    ) -> Result<(), Exit> {
        self.counts.received += 1;
        self.acknowledge(sequence);
        let data = icmp.get(ICMP_MIN..).unwrap_or(&[]);
        let trip_us = self.round_trip(program, data, realtime_ns)?;
        let is_repeat = self.is_seen(sequence);
        if is_repeat {
            self.counts.repeats += 1;
            self.counts.received -= 1;
        }
        self.set_seen(sequence, true);
        if self.options.quiet {
            return Ok(());
        }
        if self.options.flood {
            let bell: &[u8] = if self.options.audible { b"\x08 \x08\x07" } else { b"\x08 \x08" };
            let _ = program.shell.out().write_all(bell);
            let _ = program.shell.out().flush();
            return Ok(());
        }
        let stamp = self.time_of_day(program)?;
        let name = self.name(program, from);
        let mut line = format!("{stamp}{} bytes from {name}: icmp_seq={sequence}", icmp.len());
        if self.options.verbose {
            line.push_str(&format!(" ident={}", self.ident));
        }
        line.push_str(&format!(" ttl={hops}"));
        if data.len() < self.options.data_len {
            line.push_str(" (truncated)\n");
            let _ = program.shell.out().write_all(line.as_bytes());
            let _ = program.shell.out().flush();
            return Ok(());
        }
        if self.timing() {
            line.push_str(&time_text(trip_us));
        }
        if is_repeat && (!self.multicast || self.options.verbose) {
            line.push_str(" (DUP!)");
        }
        if is_strange {
            line.push_str(" (DIFFERENT ADDRESS!)");
        }
        self.compare(&mut line, data);
        if self.options.audible {
            line.push('\x07');
        }
        let mut options = std::mem::take(&mut self.header_options);
        let mut name = |address: Ipv4Addr| self.name(program, ipv4(address));
        line.push_str(&options.text(header_options, self.options.flood, &mut name));
        self.header_options = options;
        let _ = writeln!(program.shell.out(), "{line}");
        let _ = program.shell.out().flush();
        Ok(())
    }

    /// Takes the time from the packet's stamp to its arrival, in microseconds, into the statistics.
    fn round_trip(&mut self, program: &mut Program<'_>, data: &[u8], realtime_ns: u64) -> Result<i64, Exit> {
        let word = |at: usize| {
            let bytes = data.get(at..at + 8)?.try_into().ok()?;
            Some(i64::from_le_bytes(bytes))
        };
        let (true, Some(seconds), Some(micros)) = (self.timing(), word(0), word(8)) else { return Ok(0) };
        let sent_us = seconds.saturating_mul(1_000_000).saturating_add(micros);
        let arrived_us = (realtime_ns / 1000) as i64;
        let now_us = if self.options.latency { self.realtime_us(program)? } else { arrived_us };
        let mut trip = now_us.saturating_sub(sent_us);
        while trip < 0 {
            let text = format!("Warning: time of day goes back ({trip}us), taking countermeasures");
            complain(program, &text);
            trip = 0;
            if !self.options.latency {
                self.options.latency = true;
                trip = self.realtime_us(program)?.saturating_sub(sent_us);
            }
        }
        self.trips.add(trip);
        if self.options.adaptive {
            self.adapt_interval();
        }
        Ok(trip)
    }

    /// Adds to `line` where the data differ from what was sent.
    fn compare(&self, line: &mut String, data: &[u8]) {
        let pairs = || std::iter::zip(data, &self.data).enumerate().skip(STAMP_LEN);
        let Some((at, (was, sent))) = pairs().find(|(_, (was, sent))| was != sent) else { return };
        line.push_str(&format!("\nwrong data byte #{at} should be 0x{sent:x} but was 0x{was:x}"));
        for (at, (was, _)) in pairs() {
            if at % 32 == STAMP_LEN {
                line.push_str(&format!("\n#{at}\t"));
            }
            line.push_str(&format!("{was:x} "));
        }
    }

    /// An ICMP error that came as a packet. Only redirects and source quenches are told of: the others come
    /// over the error queue as well.
    fn error_packet(
        &mut self,
        program: &mut Program<'_>,
        icmp: &[u8],
        from: Ipv4Addr,
        kind: u8,
        code: u8,
    ) -> Result<(), Exit> {
        let quoted = icmp.get(ICMP_MIN..).unwrap_or(&[]);
        let Some(to) = quoted.get(16..HEADER_MIN).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok()) else {
            return Ok(());
        };
        let to = Address::Ipv4 { address: to.into(), port: 0 };
        let Some(sequence) = self.own_sequence(quoted_icmp(quoted), to) else { return Ok(()) };
        if kind != report::REDIRECT && kind != report::SOURCE_QUENCH {
            self.acknowledge(sequence);
            return Ok(());
        }
        if self.options.quiet || self.options.flood {
            return Ok(());
        }
        let stamp = self.time_of_day(program)?;
        let from = self.name(program, ipv4(from));
        let mut text = format!("{stamp}From {from}: icmp_seq={sequence} ");
        if !Icmpv4Packet::new_unchecked(icmp).verify_checksum() {
            text.push_str("(BAD CHECKSUM)");
        }
        self.describe(&mut text, icmp, kind, code);
        let _ = program.shell.out().write_all(text.as_bytes());
        Ok(())
    }

    /// Any other ICMP message: only a verbose or flooding ping tells of it.
    fn other(
        &mut self,
        program: &mut Program<'_>,
        icmp: &[u8],
        from: Ipv4Addr,
        kind: u8,
        code: u8,
    ) -> Result<(), Exit> {
        let is_sound = Icmpv4Packet::new_unchecked(icmp).verify_checksum();
        if self.options.flood && !self.options.verbose && !self.options.quiet {
            let _ = program.shell.out().write_all(if is_sound { b"!E" } else { b"!EC" });
            return Ok(());
        }
        if !self.options.verbose {
            return Ok(());
        }
        let from = self.name(program, ipv4(from));
        let stamp = self.time_of_day(program)?;
        let mut text = format!("{}From {from}: ", stamp.replace(['[', ']'], ""));
        if is_sound {
            self.describe(&mut text, icmp, kind, code);
        } else {
            text.push_str("(BAD CHECKSUM)\n");
        }
        let _ = program.shell.out().write_all(text.as_bytes());
        Ok(())
    }

    fn describe(&self, text: &mut String, icmp: &[u8], kind: u8, code: u8) {
        let word = icmp.get(4..ICMP_MIN).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
        let info = u32::from_be_bytes(word.unwrap_or_default());
        let info = if kind == report::PARAMETER_PROBLEM { info >> 24 } else { info };
        text.push_str(&icmp_text(kind, code, info));
        text.push('\n');
        if self.options.verbose && quotes_a_header(kind) {
            text.push_str(&header_text(icmp.get(ICMP_MIN..).unwrap_or(&[])));
        }
    }
}

fn ipv4(address: Ipv4Addr) -> Address {
    Address::Ipv4 { address, port: 0 }
}

/// The ICMP message behind a quoted IPv4 header.
fn quoted_icmp(packet: &[u8]) -> &[u8] {
    let header_len = usize::from(packet.first().copied().unwrap_or(0) & 15) * 4;
    packet.get(header_len..).filter(|_| header_len >= HEADER_MIN).unwrap_or(&[])
}
