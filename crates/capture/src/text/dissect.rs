//! The state of one packet's dissection, and the checked reads that every dissector is made of.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::Options;
use super::tcp::Flows;
use crate::{names, services};

/// A read behind the captured bytes. It ends the whole packet, as `nd_trunc_longjmp` does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Truncated;

pub(crate) type Dissected<T = ()> = Result<T, Truncated>;

/// Formats into the line of a [`Dissector`]; writing into a `String` cannot fail.
macro_rules! put {
    ($d:expr, $($format:tt)*) => {{
        use std::fmt::Write as _;
        let _ = write!($d.out, $($format)*);
    }};
}
pub(crate) use put;

/// Headers that may nest in one packet; a packet built of nothing but tunnels ends here.
const NESTING_MAX: u32 = 48;

/// One packet being printed. Positions are offsets into `data`; `end` is where the captured bytes of the
/// present header's payload end (`ndo_snapend`).
pub(crate) struct Dissector<'a> {
    pub options: &'a Options,
    pub flows: &'a mut Flows,
    pub data: &'a [u8],
    pub end: usize,
    pub out: String,
    /// What ` [|…]` names.
    pub protocol: &'static str,
    nesting: u32,
}

/// A table from code points to names.
pub(crate) type Names = [(u32, &'static str)];

pub(crate) fn name(table: &Names, value: u32) -> Option<&'static str> {
    table.iter().find(|(known, _)| *known == value).map(|(_, name)| *name)
}

impl<'a> Dissector<'a> {
    pub fn new(options: &'a Options, flows: &'a mut Flows, data: &'a [u8], out: String) -> Self {
        Dissector { options, flows, data, end: data.len(), out, protocol: "", nesting: 0 }
    }

    /// Whether `length` captured bytes are there.
    pub fn has(&self, at: usize, length: usize) -> bool {
        at.checked_add(length).is_some_and(|end| end <= self.end)
    }

    /// Captured bytes from `at` on.
    pub fn left(&self, at: usize) -> usize {
        self.end.saturating_sub(at)
    }

    pub fn bytes(&self, at: usize, length: usize) -> Dissected<&'a [u8]> {
        if !self.has(at, length) {
            return Err(Truncated);
        }
        self.data.get(at..at + length).ok_or(Truncated)
    }

    fn array<const N: usize>(&self, at: usize) -> Dissected<[u8; N]> {
        self.bytes(at, N)?.try_into().map_err(|_| Truncated)
    }

    pub fn u8(&self, at: usize) -> Dissected<u8> {
        Ok(self.array::<1>(at)?[0])
    }

    pub fn u16(&self, at: usize) -> Dissected<u16> {
        self.array(at).map(u16::from_be_bytes)
    }

    pub fn u16_le(&self, at: usize) -> Dissected<u16> {
        self.array(at).map(u16::from_le_bytes)
    }

    pub fn u24(&self, at: usize) -> Dissected<u32> {
        let [a, b, c] = self.array(at)?;
        Ok(u32::from_be_bytes([0, a, b, c]))
    }

    pub fn u32(&self, at: usize) -> Dissected<u32> {
        self.array(at).map(u32::from_be_bytes)
    }

    pub fn ipv4(&self, at: usize) -> Dissected<Ipv4Addr> {
        self.array::<4>(at).map(Ipv4Addr::from)
    }

    pub fn ipv6(&self, at: usize) -> Dissected<Ipv6Text> {
        self.array::<16>(at).map(|bytes| Ipv6Text(Ipv6Addr::from(bytes)))
    }

    /// A MAC address as `-e` prints it: with names unless `-n`.
    pub fn mac(&self, at: usize) -> Dissected<String> {
        let bytes: [u8; 6] = self.array(at)?;
        if self.options.numeric {
            return Ok(hex_colon(&bytes));
        }
        if bytes == [0xff; 6] {
            return Ok("Broadcast".to_owned());
        }
        let vendor = u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]);
        let vendor = names::oui(vendor).unwrap_or("Unknown");
        Ok(format!("{} (oui {vendor})", hex_colon(&bytes)))
    }

    /// A link-layer address of any length (`linkaddr_string`).
    pub fn link_address(&self, at: usize, length: usize) -> Dissected<String> {
        match length {
            0 => Ok("<empty>".to_owned()),
            6 => self.mac(at),
            _ => Ok(hex_colon(self.bytes(at, length)?)),
        }
    }

    pub fn tcp_port(&self, port: u16) -> String {
        match services::tcp_service(port) {
            Some(name) if !self.options.numeric => name.to_owned(),
            _ => port.to_string(),
        }
    }

    pub fn udp_port(&self, port: u16) -> String {
        match services::udp_service(port) {
            Some(name) if !self.options.numeric => name.to_owned(),
            _ => port.to_string(),
        }
    }

    /// The name of a code point, or its number in `unknown`'s form.
    pub fn token(&mut self, table: &Names, value: u32, unknown: impl FnOnce(u32) -> String) {
        match name(table, value) {
            Some(name) => self.out.push_str(name),
            None => self.out.push_str(&unknown(value)),
        }
    }

    /// Names of the bits that are set (`bittok2str`).
    pub fn bits(&mut self, table: &Names, none: &str, value: u32, separator: &str) {
        let mut first = true;
        for (_, name) in table.iter().filter(|(bits, _)| value & bits == *bits) {
            if !first {
                self.out.push_str(separator);
            }
            first = false;
            self.out.push_str(name);
        }
        if first {
            self.out.push_str(none);
        }
    }

    /// ` [|proto]`
    pub fn truncated(&mut self) {
        put!(self, " [|{}]", self.protocol);
    }

    /// ` (invalid)`
    pub fn invalid(&mut self) {
        self.out.push_str(" (invalid)");
    }

    /// One character with caret and meta notation (`fn_print_char`).
    pub fn character(&mut self, byte: u8) {
        let mut byte = byte;
        if byte >= 0x80 {
            byte &= 0x7f;
            self.out.push_str("M-");
        }
        if !(0x20..0x7f).contains(&byte) {
            byte ^= 0x40;
            self.out.push('^');
        }
        self.out.push(char::from(byte));
    }

    /// Prints `length` characters; says whether all of them were captured (`nd_printn`).
    pub fn characters(&mut self, at: usize, length: usize) -> bool {
        let there = length.min(self.left(at));
        for byte in self.data.get(at..at + there).unwrap_or(&[]) {
            self.character(*byte);
        }
        there == length
    }

    /// Prints up to `length` characters, to the first zero byte (`nd_printjnp`).
    pub fn padded_characters(&mut self, at: usize, length: usize) -> Dissected {
        for index in 0..length {
            match self.u8(at + index)? {
                0 => break,
                byte => self.character(byte),
            }
        }
        Ok(())
    }

    /// Runs `inner` with the captured bytes cut off at `end` (`nd_push_snaplen`).
    pub fn within(&mut self, end: usize, inner: impl FnOnce(&mut Self) -> Dissected) -> Dissected {
        let saved = self.end;
        self.end = saved.min(end);
        let result = self.nested(inner);
        if result.is_ok() {
            self.end = saved;
        }
        result
    }

    /// Runs `inner` one header deeper.
    pub fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Dissected<T>) -> Dissected<T> {
        if self.nesting >= NESTING_MAX {
            return Err(Truncated);
        }
        self.nesting += 1;
        let result = inner(self);
        self.nesting -= 1;
        result
    }

    /// The Internet checksum of `length` captured bytes; 0 when it is right.
    pub fn checksum(&self, at: usize, length: usize) -> Dissected<u16> {
        Ok(checksum(&[self.bytes(at, length)?]))
    }
}

/// The Internet checksum (RFC 1071) over parts that are joined; every part but the last has even length.
pub(crate) fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0u64;
    for part in parts {
        for pair in part.chunks(2) {
            sum += u64::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// The value that a checksum field should hold, from what it holds and the sum over the packet
/// (`in_cksum_shouldbe`).
pub(crate) fn checksum_should_be(field: u16, sum: u16) -> u16 {
    let total = u32::from(field) + u32::from(sum);
    let total = (total & 0xffff) + (total >> 16);
    ((total & 0xffff) + (total >> 16)) as u16
}

pub(crate) fn hex_colon(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 3);
    for (index, byte) in bytes.iter().enumerate() {
        let _ = write!(text, "{}{byte:02x}", if index == 0 { "" } else { ":" });
    }
    text
}

/// An IPv6 address in tcpdump's spelling: unlike Rust's it shows `::192.0.2.1` with dots.
pub(crate) struct Ipv6Text(pub Ipv6Addr);

impl std::fmt::Display for Ipv6Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let segments = self.0.segments();
        if segments[..6] == [0; 6] && segments[6] != 0 {
            let [.., a, b, c, d] = self.0.octets();
            return write!(f, "::{a}.{b}.{c}.{d}");
        }
        write!(f, "{}", self.0)
    }
}

/// `5m1s`, `1h` … (`unsigned_relts_print`)
pub(crate) fn relative_time(mut seconds: u32) -> String {
    if seconds == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, size) in [("y", 31_536_000), ("w", 604_800), ("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)] {
        if seconds >= size {
            let _ = write!(text, "{}{unit}", seconds / size);
            seconds %= size;
        }
    }
    text
}
