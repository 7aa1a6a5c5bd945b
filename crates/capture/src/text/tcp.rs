//! TCP (RFC 9293) with its options.

use rustc_hash::FxHashMap;

use super::dissect::{Dissected, Dissector, Truncated, checksum_should_be, put};
use super::ip_payload::{Carrier, TCP};

const HEADER_LEN: usize = 20;
const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;
const URG: u8 = 0x20;
const FLAGS: &[(u32, &str)] =
    &[(0x01, "F"), (0x02, "S"), (0x04, "R"), (0x08, "P"), (0x10, "."), (0x20, "U"), (0x40, "E"), (0x80, "W")];

/// As many connections as are kept; beyond that, new ones show absolute numbers.
const FLOWS_MAX: usize = 65_536;
/// Bytes of a reset's payload that are shown.
const RESET_DATA_MAX: usize = 30;

/// Connections seen, for relative sequence numbers.
#[derive(Debug, Default)]
pub(crate) struct Flows {
    initial: FxHashMap<Flow, Initial>,
}

/// Both directions of a connection: the end with the lower port (or address) first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Flow {
    addresses: [[u8; 16]; 2],
    ports: [u16; 2],
    version: u8,
}

/// What each end counts from.
#[derive(Clone, Copy, Debug, Default)]
struct Initial {
    /// Of the first end of the [`Flow`].
    sequence: u32,
    /// Of the other.
    acknowledged: u32,
}

/// The fields of one segment that several parts of its line need.
struct Segment {
    sequence: u32,
    acknowledged: u32,
    /// What selective acknowledgements count from.
    sack_base: u32,
}

impl Dissector<'_> {
    pub fn tcp(&mut self, at: usize, length: usize, carrier: &Carrier) -> Dissected {
        self.protocol = "tcp";
        if !self.has(at + 2, 2) {
            self.endpoints(carrier, TCP, None)?;
            self.truncated();
            return Ok(());
        }
        let (source, destination) = (self.u16(at)?, self.u16(at + 2)?);
        self.endpoints(carrier, TCP, Some((self.tcp_port(source), self.tcp_port(destination))))?;
        if !self.has(at, HEADER_LEN) {
            self.truncated();
            return Ok(());
        }
        let header = usize::from(self.u8(at + 12)? >> 4) * 4;
        // The number is that of an unsigned 32-bit difference.
        let payload_len = (length as u32).wrapping_sub(header as u32);
        if header < HEADER_LEN {
            put!(self, " tcp {payload_len} [bad hdr length {header} - too short, < {HEADER_LEN}]");
            return Ok(());
        }
        let too_long = header > length;
        if self.options.quiet {
            put!(self, "tcp {payload_len}");
            if too_long {
                put!(self, " [bad hdr length {header} - too long, > {length}]");
            }
            return Ok(());
        }
        let flags = self.u8(at + 13)?;
        self.out.push_str("Flags [");
        self.bits(FLAGS, "none", u32::from(flags), "");
        self.out.push(']');
        let segment = self.tcp_segment(at, flags, carrier, source, destination)?;
        if too_long {
            put!(self, " [bad hdr length {header} - too long, > {length}]");
            return Ok(());
        }
        let verbose = self.options.verbose;
        if verbose > 0 && !self.options.skip_checksums && !carrier.fragmented && self.has(at, length) {
            let sum = self.transport_checksum(carrier, at, length, TCP)?;
            let field = self.u16(at + 16)?;
            put!(self, ", cksum 0x{field:04x}");
            if sum != 0 {
                put!(self, " (incorrect -> 0x{:04x})", checksum_should_be(field, sum));
            } else {
                self.out.push_str(" (correct)");
            }
        }
        let payload_len = length - header;
        if verbose > 1 || payload_len > 0 || flags & (SYN | FIN | RST) != 0 {
            put!(self, ", seq {}", segment.sequence);
            if payload_len > 0 {
                put!(self, ":{}", segment.sequence.wrapping_add(payload_len as u32));
            }
        }
        if flags & ACK != 0 {
            put!(self, ", ack {}", segment.acknowledged);
        }
        put!(self, ", win {}", self.u16(at + 14)?);
        if flags & URG != 0 {
            put!(self, ", urg {}", self.u16(at + 18)?);
        }
        if header > HEADER_LEN {
            self.out.push_str(", options [");
            match self.tcp_options(at + HEADER_LEN, header - HEADER_LEN, &segment)? {
                Options::Complete => self.out.push(']'),
                Options::Bad { first } => {
                    self.out.push_str(if first { "[bad opt]" } else { "[bad opt]]" });
                    return Ok(());
                }
                Options::CutOff { first } => {
                    self.truncated();
                    if !first {
                        self.out.push('>');
                    }
                    return Ok(());
                }
            }
        }
        put!(self, ", length {payload_len}");
        if payload_len == 0 {
            return Ok(());
        }
        if !self.has(at, header) {
            put!(self, " [remaining caplen({}) < header length({header})]", self.left(at));
            return Err(Truncated);
        }
        if flags & RST != 0 && verbose > 0 {
            self.reset_data(at + header, payload_len);
            return Ok(());
        }
        self.tcp_payload(at + header, payload_len, source, destination)
    }

    /// Makes sequence numbers relative to the connection's first, unless `-S`.
    fn tcp_segment(
        &mut self,
        at: usize,
        flags: u8,
        carrier: &Carrier,
        source: u16,
        destination: u16,
    ) -> Dissected<Segment> {
        let (sequence, acknowledged) = (self.u32(at + 4)?, self.u32(at + 8)?);
        if self.options.absolute_sequence || flags & ACK == 0 {
            return Ok(Segment { sequence, acknowledged, sack_base: 0 });
        }
        let ip = carrier.header;
        let (length, from, to) = if carrier.version == 4 { (4, 12, 16) } else { (16, 8, 24) };
        let mut addresses = [[0; 16]; 2];
        addresses[0][..length].copy_from_slice(self.bytes(ip + from, length)?);
        addresses[1][..length].copy_from_slice(self.bytes(ip + to, length)?);
        let mut ports = [source, destination];
        let reverse = source > destination || (source == destination && addresses[0] > addresses[1]);
        if reverse {
            addresses.swap(0, 1);
            ports.swap(0, 1);
        }
        let flow = Flow { addresses, ports, version: carrier.version };
        let known = self.flows.initial.get(&flow).copied();
        let (initial, sequence, acknowledged) = match known {
            Some(initial) if flags & SYN == 0 => {
                let (ours, theirs) = if reverse {
                    (initial.acknowledged, initial.sequence)
                } else {
                    (initial.sequence, initial.acknowledged)
                };
                (initial, sequence.wrapping_sub(ours), acknowledged.wrapping_sub(theirs))
            }
            // A new connection: this segment still shows absolute numbers.
            _ => {
                let before = acknowledged.wrapping_sub(1);
                let initial = if reverse {
                    Initial { sequence: before, acknowledged: sequence }
                } else {
                    Initial { sequence, acknowledged: before }
                };
                if known.is_some() || self.flows.initial.len() < FLOWS_MAX {
                    self.flows.initial.insert(flow, initial);
                }
                (initial, sequence, acknowledged)
            }
        };
        let sack_base = if reverse { initial.sequence } else { initial.acknowledged };
        Ok(Segment { sequence, acknowledged, sack_base })
    }

    fn reset_data(&mut self, at: usize, length: usize) {
        self.out.push_str(if self.has(at, length) { " [RST" } else { " [!RST" });
        if length > RESET_DATA_MAX {
            self.out.push('+');
        }
        self.out.push(' ');
        self.characters(at, length.min(RESET_DATA_MAX));
        self.out.push(']');
    }

    fn tcp_payload(&mut self, at: usize, length: usize, source: u16, destination: u16) -> Dissected {
        let either = |port: u16| source == port || destination == port;
        if either(22) {
            self.ssh(at, length)
        } else if either(80) || either(8080) {
            self.out.push_str(": ");
            self.http(at, length)
        } else if either(53) {
            self.dns_over_tcp(at, length)
        } else {
            Ok(())
        }
    }
}

const END: u8 = 0;
const NOP: u8 = 1;
const OPTIONS: &[(u32, &str)] = &[
    (0, "eol"),
    (1, "nop"),
    (2, "mss"),
    (3, "wscale"),
    (4, "sackOK"),
    (5, "sack"),
    (6, "echo"),
    (7, "echoreply"),
    (8, "TS"),
    (11, "cc"),
    (12, "ccnew"),
    (13, ""),
    (19, "md5"),
    (20, "scps"),
    (28, "uto"),
    (29, "tcp-ao"),
    (30, "mptcp"),
    (34, "tfo"),
    (254, "exp"),
];

/// How the walk over the options ended; `first` before any was complete.
enum Options {
    Complete,
    Bad { first: bool },
    CutOff { first: bool },
}

/// How one option ended.
enum Value {
    /// Bytes that were printed.
    Length(usize),
    Bad,
    CutOff,
}

impl Dissector<'_> {
    fn tcp_options(&mut self, at: usize, length: usize, segment: &Segment) -> Dissected<Options> {
        let (mut cursor, mut left) = (at, length);
        let mut first = true;
        while left > 0 {
            if !first {
                self.out.push(',');
            }
            let kind = self.u8(cursor)?;
            cursor += 1;
            let mut option_len = 1;
            if !matches!(kind, END | NOP) {
                option_len = usize::from(self.u8(cursor)?);
                cursor += 1;
                if option_len < 2 || option_len > left {
                    return Ok(Options::Bad { first });
                }
                left -= 1;
            }
            left -= 1;
            self.token(OPTIONS, u32::from(kind), |number| format!("unknown-{number}"));
            let printed = match self.tcp_option(kind, cursor, option_len, left, segment)? {
                Value::Length(printed) => printed,
                Value::Bad => return Ok(Options::Bad { first }),
                Value::CutOff => return Ok(Options::CutOff { first }),
            };
            cursor += printed;
            left -= printed;
            let seen = printed + if matches!(kind, END | NOP) { 1 } else { 2 };
            if seen != option_len {
                put!(self, "[len {option_len}]");
            }
            first = false;
            if kind == END {
                break;
            }
        }
        Ok(Options::Complete)
    }

    /// Prints the value of one option whose type and length bytes are behind us.
    fn tcp_option(
        &mut self,
        kind: u8,
        at: usize,
        option_len: usize,
        left: usize,
        segment: &Segment,
    ) -> Dissected<Value> {
        let rest = option_len.saturating_sub(2);
        let needed = match kind {
            END | NOP | 4 => 0,
            2 | 20 | 28 => 2,
            3 => 1,
            6 | 7 | 11 | 12 | 13 => 4,
            8 => 8,
            19 => 16,
            _ => rest,
        };
        if needed > left {
            return Ok(Value::Bad);
        }
        // Values of any length are shown as far as they go.
        if matches!(kind, END | NOP | 2..=4 | 6..=8 | 11..=13 | 19 | 20 | 28 | 34 | 254)
            && !self.has(at, needed)
        {
            return Ok(Value::CutOff);
        }
        match kind {
            END | NOP | 4 => {}
            2 => put!(self, " {}", self.u16(at)?),
            3 => put!(self, " {}", self.u8(at)?),
            5 if !rest.is_multiple_of(8) => self.out.push_str(" invalid sack"),
            5 => {
                put!(self, " {} ", rest / 8);
                for block in (0..rest).step_by(8) {
                    if !self.has(at + block, 8) {
                        return Ok(Value::CutOff);
                    }
                    let start = self.u32(at + block)?.wrapping_sub(segment.sack_base);
                    let end = self.u32(at + block + 4)?.wrapping_sub(segment.sack_base);
                    put!(self, "{{{start}:{end}}}");
                }
            }
            6 | 7 | 11 | 12 | 13 => put!(self, " {}", self.u32(at)?),
            8 => put!(self, " val {} ecr {}", self.u32(at)?, self.u32(at + 4)?),
            19 => {
                self.out.push_str(" shared secret not supplied with -M, can't check - ");
                self.plain_hex(at, needed)?;
            }
            20 => put!(self, " cap {:02x} id {}", self.u8(at)?, self.u8(at + 1)?),
            28 => {
                let value = self.u16(at)?;
                let seconds = u32::from(value >> 1);
                put!(self, " 0x{value:x} {}", if value & 1 != 0 { seconds * 60 } else { seconds });
            }
            29 if rest < 2 => self.invalid(),
            29 => {
                for (label, field) in [("keyid", at), ("rnextkeyid", at + 1)] {
                    if !self.has(field, 1) {
                        return Ok(Value::CutOff);
                    }
                    put!(self, " {label} {}", self.u8(field)?);
                }
                if rest > 2 {
                    self.out.push_str(" mac 0x");
                    if !self.hex_that_is_there(at + 2, rest - 2) {
                        return Ok(Value::CutOff);
                    }
                }
            }
            34 => {
                self.out.push(' ');
                self.fast_open(at, rest)?;
            }
            254 if rest < 2 => return Ok(Value::Bad),
            254 => {
                self.out.push('-');
                match self.u16(at)? {
                    0xf989 => {
                        self.out.push_str("tfo");
                        self.fast_open(at + 2, rest - 2)?;
                    }
                    magic => put!(self, "{magic:04x}"),
                }
            }
            _ if rest > 0 => {
                self.out.push_str(" 0x");
                if !self.hex_that_is_there(at, rest) {
                    return Ok(Value::CutOff);
                }
            }
            _ => {}
        }
        Ok(Value::Length(needed))
    }

    /// TCP Fast Open's cookie (RFC 7413).
    fn fast_open(&mut self, at: usize, length: usize) -> Dissected {
        if length == 0 {
            self.out.push_str(" cookiereq");
        } else if !length.is_multiple_of(2) || !(4..=16).contains(&length) {
            self.invalid();
        } else {
            self.out.push_str(" cookie ");
            self.plain_hex(at, length)?;
        }
        Ok(())
    }

    /// Says whether all of it was there.
    fn hex_that_is_there(&mut self, at: usize, length: usize) -> bool {
        let there = length.min(self.left(at));
        self.plain_hex(at, there).is_ok() && there == length
    }

    pub fn plain_hex(&mut self, at: usize, length: usize) -> Dissected {
        for byte in self.bytes(at, length)? {
            put!(self, "{byte:02x}");
        }
        Ok(())
    }
}
