//! What `ping` prints of ICMP errors, header options and its statistics.

use std::io::Write;
use std::net::Ipv4Addr;

use crate::c_number::general;

/// ICMP types (RFC 792) as they stand in a header.
pub(super) const ECHO_REPLY: u8 = 0;
pub(super) const UNREACHABLE: u8 = 3;
pub(super) const SOURCE_QUENCH: u8 = 4;
pub(super) const REDIRECT: u8 = 5;
pub(super) const ECHO: u8 = 8;
pub(super) const TIME_EXCEEDED: u8 = 11;
pub(super) const PARAMETER_PROBLEM: u8 = 12;

/// An ICMP message in words, without the end of the line. `info` is the MTU, the pointer or the next hop.
pub(super) fn icmp_text(kind: u8, code: u8, info: u32) -> String {
    let text = match (kind, code) {
        (ECHO_REPLY, _) => "Echo Reply",
        (UNREACHABLE, 0) => "Destination Net Unreachable",
        (UNREACHABLE, 1) => "Destination Host Unreachable",
        (UNREACHABLE, 2) => "Destination Protocol Unreachable",
        (UNREACHABLE, 3) => "Destination Port Unreachable",
        (UNREACHABLE, 4) => return format!("Frag needed and DF set (mtu = {info})"),
        (UNREACHABLE, 5) => "Source Route Failed",
        (UNREACHABLE, 6) => "Destination Net Unknown",
        (UNREACHABLE, 7) => "Destination Host Unknown",
        (UNREACHABLE, 8) => "Source Host Isolated",
        (UNREACHABLE, 9) => "Destination Net Prohibited",
        (UNREACHABLE, 10) => "Destination Host Prohibited",
        (UNREACHABLE, 11) => "Destination Net Unreachable for Type of Service",
        (UNREACHABLE, 12) => "Destination Host Unreachable for Type of Service",
        (UNREACHABLE, 13) => "Packet filtered",
        (UNREACHABLE, 14) => "Precedence Violation",
        (UNREACHABLE, 15) => "Precedence Cutoff",
        (UNREACHABLE, _) => return format!("Dest Unreachable, Bad Code: {code}"),
        (SOURCE_QUENCH, _) => "Source Quench",
        (REDIRECT, _) => return format!("{}(New nexthop: {})", redirect(code), Ipv4Addr::from(info)),
        (ECHO, _) => "Echo Request",
        (TIME_EXCEEDED, 0) => "Time to live exceeded",
        (TIME_EXCEEDED, 1) => "Frag reassembly time exceeded",
        (TIME_EXCEEDED, _) => return format!("Time exceeded, Bad Code: {code}"),
        (PARAMETER_PROBLEM, _) => return format!("Parameter problem: pointer = {info}"),
        (13, _) => "Timestamp",
        (14, _) => "Timestamp Reply",
        (15, _) => "Information Request",
        (16, _) => "Information Reply",
        (17, _) => "Address Mask Request",
        (18, _) => "Address Mask Reply",
        _ => return format!("Bad ICMP type: {kind}"),
    };
    text.to_owned()
}

/// An ICMPv6 message in words (`print_icmp`).
pub(super) fn icmp6_text(kind: u8, code: u8, info: u32) -> String {
    let (what, why) = match (kind, code) {
        (1, 0) => ("Destination unreachable", "No route"),
        (1, 1) => ("Destination unreachable", "Administratively prohibited"),
        (1, 2) => ("Destination unreachable", "Beyond scope of source address"),
        (1, 3) => ("Destination unreachable", "Address unreachable"),
        (1, 4) => ("Destination unreachable", "Port unreachable"),
        (1, code) => return format!("Destination unreachable: Unknown code {code}"),
        (2, 0) => return format!("Packet too big: mtu={info}"),
        (2, code) => return format!("Packet too big: mtu={info}, code={code}"),
        (3, 0) => ("Time exceeded", "Hop limit"),
        (3, 1) => ("Time exceeded", "Defragmentation failure"),
        (3, code) => return format!("Time exceeded: code {code}"),
        (4, 0) => return format!("Parameter problem: Wrong header field at {info}"),
        (4, 1) => return format!("Parameter problem: Unknown header at {info}"),
        (4, 2) => return format!("Parameter problem: Unknown option at {info}"),
        (4, code) => return format!("Parameter problem: code {code} at {info}"),
        (kind, _) => return format!("unknown icmp type: {kind}"),
    };
    format!("{what}: {why}")
}

fn redirect(code: u8) -> String {
    match code {
        0 => "Redirect Network".to_owned(),
        1 => "Redirect Host".to_owned(),
        2 => "Redirect Type of Service and Network".to_owned(),
        3 => "Redirect Type of Service and Host".to_owned(),
        _ => format!("Redirect, Bad Code: {code}"),
    }
}

/// Whether a verbose ping prints the quoted header behind [`icmp_text`].
pub(super) fn quotes_a_header(kind: u8) -> bool {
    matches!(kind, UNREACHABLE | SOURCE_QUENCH | REDIRECT | TIME_EXCEEDED | PARAMETER_PROBLEM)
}

/// A quoted IPv4 header as a verbose ping prints it: 16-bit fields in the machine's byte order, as it does.
pub(super) fn header_text(packet: &[u8]) -> String {
    let byte = |at: usize| packet.get(at).copied().unwrap_or(0);
    let half = |at: usize| u16::from_le_bytes([byte(at), byte(at + 1)]);
    let address = |at: usize| Ipv4Addr::new(byte(at), byte(at + 1), byte(at + 2), byte(at + 3));
    format!(
        "Vr HL TOS  Len   ID Flg  off TTL Pro  cks      Src      Dst Data\n \
         {:x}  {:x}  {:02x} {:04x} {:04x}   {:x} {:04x}  {:02x}  {:02x} {:04x} {}  {} \n",
        byte(0) >> 4,
        byte(0) & 15,
        byte(1),
        half(2),
        half(4),
        half(6) >> 13,
        half(6) & 0x1fff,
        byte(8),
        byte(9),
        half(10),
        address(12),
        address(16),
    )
}

/// Prints the options of IPv4 headers; knows the route of the last reply.
#[derive(Default)]
pub(super) struct HeaderOptions {
    last_route: Vec<u8>,
}

impl HeaderOptions {
    /// The text of `options`, the bytes behind the fixed header; `name` names an address.
    pub fn text(&mut self, options: &[u8], flood: bool, name: &mut dyn FnMut(Ipv4Addr) -> String) -> String {
        let mut text = String::new();
        let mut rest = options;
        while let Some(&kind) = rest.first() {
            match kind {
                0 => break,
                1 => {
                    text.push_str("\nNOP");
                    rest = rest.get(1..).unwrap_or(&[]);
                    continue;
                }
                _ => {}
            }
            let length = usize::from(rest.get(1).copied().unwrap_or(0));
            if length < 2 {
                break;
            }
            let Some(option) = rest.get(..length) else { break };
            match kind {
                131 | 137 => source_route(&mut text, option, name),
                7 => self.record_route(&mut text, option, flood, name),
                68 => time_stamp(&mut text, option, name),
                _ => text.push_str(&format!("\nunknown option {kind:x}")),
            }
            rest = rest.get(length..).unwrap_or(&[]);
        }
        text
    }

    fn record_route(
        &mut self,
        text: &mut String,
        option: &[u8],
        flood: bool,
        name: &mut dyn FnMut(Ipv4Addr) -> String,
    ) {
        // The pointer counts from 1 and the first address stands at 4: that many bytes are filled.
        let pointer = option.get(2).copied().unwrap_or(0).min(option.len().min(255) as u8);
        let filled = usize::from(pointer.saturating_sub(4));
        if filled == 0 {
            return;
        }
        let route = option.get(2..2 + filled).unwrap_or(&[]);
        if route == self.last_route && !flood {
            text.push_str("\t(same route)");
            return;
        }
        self.last_route = route.to_vec();
        text.push_str("\nRR: ");
        for address in option.get(3..).unwrap_or(&[]).chunks_exact(4).take(filled.div_ceil(4)) {
            text.push_str(&format!("\t{}\n", named(address, name)));
        }
    }
}

fn source_route(text: &mut String, option: &[u8], name: &mut dyn FnMut(Ipv4Addr) -> String) {
    let strictness = if option.first() == Some(&137) { 'S' } else { 'L' };
    text.push_str(&format!("\n{strictness}SRR: "));
    // It goes by the option's length, one address beyond it included in no case.
    let addresses = option.len().saturating_sub(4).div_ceil(4);
    for address in option.get(3..).unwrap_or(&[]).chunks_exact(4).take(addresses) {
        text.push_str(&format!("\t{}\n", named(address, name)));
    }
}

fn time_stamp(text: &mut String, option: &[u8], name: &mut dyn FnMut(Ipv4Addr) -> String) {
    let pointer = usize::from(option.get(2).copied().unwrap_or(0)).min(option.len());
    let flags = option.get(3).copied().unwrap_or(0);
    let mut left = pointer.saturating_sub(5);
    if left == 0 {
        return;
    }
    text.push_str("\nTS: ");
    let mut words = option.get(4..).unwrap_or(&[]).chunks_exact(4);
    let (mut standard, mut other) = (0, 0);
    while left > 0 {
        if flags & 15 != 0 {
            let Some(address) = words.next() else { break };
            text.push_str(&format!("\t{}", named(address, name)));
            left = left.saturating_sub(4);
            if left == 0 {
                break;
            }
        }
        let Some(word) = words.next() else { break };
        let value = word.iter().fold(0i64, |sum, byte| (sum << 8) | i64::from(*byte));
        if value & 0x8000_0000 != 0 {
            let value = value & 0x7fff_ffff;
            let shown = if other == 0 {
                format!("\t{value} absolute not-standard")
            } else {
                format!("\t{} not-standard", value - other)
            };
            text.push_str(&shown);
            other = value;
        } else {
            let shown =
                if standard == 0 { format!("\t{value} absolute") } else { format!("\t{}", value - standard) };
            text.push_str(&shown);
            standard = value;
        }
        left = left.saturating_sub(4);
        text.push('\n');
    }
    if flags >> 4 != 0 {
        text.push_str(&format!("Unrecorded hops: {}\n", flags >> 4));
    }
}

fn named(address: &[u8], name: &mut dyn FnMut(Ipv4Addr) -> String) -> String {
    let Ok(bytes) = <[u8; 4]>::try_from(address) else { return String::new() };
    let address = Ipv4Addr::from(bytes);
    if address.is_unspecified() { "0.0.0.0".to_owned() } else { name(address) }
}

/// A round trip in microseconds as ` time=… ms`.
pub(super) fn time_text(micros: i64) -> String {
    if micros >= 100_000 - 50 {
        format!(" time={} ms", (micros + 500) / 1000)
    } else if micros >= 10_000 - 5 {
        format!(" time={}.{:01} ms", (micros + 50) / 1000, (micros + 50) % 1000 / 100)
    } else if micros >= 1000 {
        format!(" time={}.{:02} ms", (micros + 5) / 1000, (micros + 5) % 1000 / 10)
    } else {
        format!(" time={}.{:03} ms", micros / 1000, micros % 1000)
    }
}

/// Round trips in microseconds.
#[derive(Clone, Debug, Default)]
pub(super) struct RoundTrips {
    pub min: Option<i64>,
    pub max: i64,
    sum: f64,
    squares: f64,
    /// Eight times the exponentially weighted mean.
    pub mean8: i64,
}

impl RoundTrips {
    pub fn add(&mut self, micros: i64) {
        self.sum += micros as f64;
        self.squares += micros as f64 * micros as f64;
        self.min = Some(self.min.map_or(micros, |min| min.min(micros)));
        self.max = self.max.max(micros);
        if self.mean8 == 0 {
            self.mean8 = micros.saturating_mul(8);
        } else {
            self.mean8 += micros - self.mean8 / 8;
        }
    }

    fn mean(&self, total: i64) -> i64 {
        (self.sum / total.max(1) as f64) as i64
    }

    /// Standard deviation, of small sums with less rounding, as iputils does.
    fn deviation(&self, total: i64) -> i64 {
        let count = total.max(1) as f64;
        let mean = self.mean(total) as f64;
        let variance = if self.sum < f64::from(i32::MAX) {
            (self.squares - self.sum * self.sum / count) / count
        } else {
            self.squares / count - mean * mean
        };
        (variance as i64).max(0).isqrt()
    }
}

/// What has been counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub transmitted: i64,
    pub received: i64,
    pub repeats: i64,
    pub errors: i64,
}

/// The rest of what the closing lines say.
pub(super) struct Closing<'a> {
    pub host: &'a str,
    pub counts: &'a Counts,
    /// From the start to the last packet sent, in nanoseconds.
    pub elapsed_ns: u64,
    /// `None` where the packets are too short for a time stamp.
    pub round_trips: Option<&'a RoundTrips>,
    pub pipe: i64,
    /// Whether the gap between packets is told (`-f`, `-A`, no interval).
    pub tells_gap: bool,
}

impl Closing<'_> {
    /// The statistics at the end.
    pub fn print(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let Counts { transmitted, received, repeats, errors } = *self.counts;
        write!(out, "\n--- {} ping statistics ---\n{transmitted} packets transmitted, ", self.host)?;
        write!(out, "{received} received")?;
        if repeats != 0 {
            write!(out, ", +{repeats} duplicates")?;
        }
        if errors != 0 {
            write!(out, ", +{errors} errors")?;
        }
        if transmitted != 0 {
            let loss = (transmitted - received) as f64 * 100.0 / transmitted as f64;
            write!(out, ", {}% packet loss", general(f64::from(loss as f32)))?;
            let (s, ns) = (self.elapsed_ns / 1_000_000_000, self.elapsed_ns % 1_000_000_000);
            write!(out, ", time {}ms", 1000 * s + (ns + 500_000) / 1_000_000)?;
        }
        writeln!(out)?;
        let mut comma = "";
        if let Some(trips) = self.round_trips.filter(|_| received != 0) {
            let total = received + repeats;
            write!(
                out,
                "rtt min/avg/max/mdev = {}/{}/{}/{} ms",
                thousandths(trips.min.unwrap_or(0)),
                thousandths(trips.mean(total)),
                thousandths(trips.max),
                thousandths(trips.deviation(total)),
            )?;
            comma = ", ";
        }
        if self.pipe > 1 {
            write!(out, "{comma}pipe {}", self.pipe)?;
            comma = ", ";
        }
        if received != 0 && self.tells_gap && transmitted > 1 {
            let gap = (self.elapsed_ns / 1000) as i64 / (transmitted - 1);
            let mean = self.round_trips.map_or(0, |trips| trips.mean8 / 8);
            write!(out, "{comma}ipg/ewma {}/{} ms", thousandths(gap), thousandths(mean))?;
        }
        writeln!(out)?;
        out.flush()
    }
}

/// The line that SIGQUIT asks for.
pub(super) fn status_text(counts: &Counts, round_trips: Option<&RoundTrips>) -> String {
    let Counts { transmitted, received, repeats, .. } = *counts;
    let loss = if transmitted == 0 { 0 } else { (transmitted - received) * 100 / transmitted };
    let mut text = format!("\r{received}/{transmitted} packets, {loss}% loss");
    if let Some(trips) = round_trips.filter(|_| received != 0) {
        text.push_str(&format!(
            ", min/avg/ewma/max = {}/{}/{}/{} ms",
            thousandths(trips.min.unwrap_or(0)),
            thousandths(trips.mean(received + repeats)),
            thousandths(trips.mean8 / 8),
            thousandths(trips.max),
        ));
    }
    text.push('\n');
    text
}

fn thousandths(micros: i64) -> String {
    format!("{}.{:03}", micros / 1000, micros % 1000)
}
