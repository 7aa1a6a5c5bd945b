//! ICMP (RFC 792, 950, 1191, 1256) with the extensions of RFC 4884.

use super::dissect::{Dissected, Dissector, checksum, checksum_should_be, name, put};
use super::ip_payload::{Carrier, TCP, UDP};

const ECHO_REPLY: u8 = 0;
const UNREACHABLE: u8 = 3;
const SOURCE_QUENCH: u8 = 4;
const REDIRECT: u8 = 5;
const ECHO: u8 = 8;
const ROUTER_ADVERTISEMENT: u8 = 9;
const TIME_EXCEEDED: u8 = 11;
const PARAMETER_PROBLEM: u8 = 12;
const TIME_STAMP: u8 = 13;
const TIME_STAMP_REPLY: u8 = 14;
const MASK_REPLY: u8 = 18;

/// Types without fields of their own.
const PLAIN: &[(u32, &str)] = &[
    (4, "source quench"),
    (10, "router solicitation"),
    (15, "information request"),
    (16, "information reply"),
    (17, "address mask request"),
];

/// Where the extensions of a multi-part message start.
const EXTENSIONS_AT: usize = 136;
const EXTENSION_OBJECTS: &[(u32, &str)] = &[(1, "MPLS Stack Entry"), (2, "Interface Identification")];

impl Dissector<'_> {
    pub fn icmp(&mut self, at: usize, length: usize, carrier: &Carrier) -> Dissected {
        self.protocol = "icmp";
        let kind = self.u8(at)?;
        let Some(message) = self.icmp_message(at, kind)? else {
            self.truncated();
            return Ok(());
        };
        put!(self, "ICMP {message}, length {length}");
        let verbose = self.options.verbose > 0;
        if verbose && !carrier.fragmented && self.has(at, length) {
            let sum = self.checksum(at, length)?;
            if sum != 0 {
                let field = self.u16(at + 2)?;
                put!(self, " (wrong icmp cksum {field:x} (->{:x})!)", checksum_should_be(field, sum));
            }
        }
        if !verbose {
            return Ok(());
        }
        if matches!(kind, UNREACHABLE | SOURCE_QUENCH | REDIRECT | TIME_EXCEEDED | PARAMETER_PROBLEM) {
            self.out.push_str("\n\t");
            let inner = at + 8;
            let inner_length = usize::from(self.u16(inner + 2)?);
            self.within(inner + inner_length, |d| d.ipv4_packet(inner, inner_length))?;
        }
        self.protocol = "icmp";
        if length > EXTENSIONS_AT && matches!(kind, UNREACHABLE | TIME_EXCEEDED | PARAMETER_PROBLEM) {
            self.icmp_extensions(at, length)?;
        }
        Ok(())
    }

    /// What stands behind `ICMP `; none if it is cut off.
    fn icmp_message(&self, at: usize, kind: u8) -> Dissected<Option<String>> {
        let code = self.u8(at + 1)?;
        let text = match kind {
            ECHO | ECHO_REPLY => {
                let kind = if kind == ECHO { "request" } else { "reply" };
                format!("echo {kind}, id {}, seq {}", self.u16(at + 4)?, self.u16(at + 6)?)
            }
            UNREACHABLE => return self.icmp_unreachable(at, code),
            REDIRECT => {
                let (destination, gateway) = (self.ipv4(at + 24)?, self.ipv4(at + 4)?);
                match code {
                    0 => format!("redirect {destination} to net {gateway}"),
                    1 => format!("redirect {destination} to host {gateway}"),
                    2 => format!("redirect-tos {destination} to net {gateway}"),
                    3 => format!("redirect-tos {destination} to host {gateway}"),
                    _ => format!("redirect-#{code} {destination} to {gateway}"),
                }
            }
            ROUTER_ADVERTISEMENT => return self.icmp_router_advertisement(at),
            TIME_EXCEEDED => {
                if !self.has(at + 24, 4) {
                    return Ok(None);
                }
                match code {
                    0 => "time exceeded in-transit".to_owned(),
                    1 => "ip reassembly time exceeded".to_owned(),
                    _ => format!("time exceeded-#{code}"),
                }
            }
            PARAMETER_PROBLEM if code != 0 => format!("parameter problem - code {code}"),
            PARAMETER_PROBLEM => format!("parameter problem - octet {}", self.u8(at + 4)?),
            MASK_REPLY => format!("address mask is 0x{:08x}", self.u32(at + 8)?),
            TIME_STAMP => format!("time stamp query id {} seq {}", self.u16(at + 4)?, self.u16(at + 6)?),
            TIME_STAMP_REPLY => {
                if !self.has(at + 16, 4) {
                    return Ok(None);
                }
                format!(
                    "time stamp reply id {} seq {}: org {}, recv {}, xmit {}",
                    self.u16(at + 4)?,
                    self.u16(at + 6)?,
                    since_midnight(self.u32(at + 8)?),
                    since_midnight(self.u32(at + 12)?),
                    since_midnight(self.u32(at + 16)?),
                )
            }
            _ => name(PLAIN, u32::from(kind)).map_or_else(|| format!("type-#{kind}"), str::to_owned),
        };
        Ok(Some(text))
    }

    fn icmp_unreachable(&self, at: usize, code: u8) -> Dissected<Option<String>> {
        let inner = at + 8;
        if code == 3 {
            return self.icmp_port_unreachable(inner);
        }
        let mtu = if code == 4 { self.u16(at + 6)? } else { 0 };
        let destination = self.ipv4(inner + 16)?;
        let text = match code {
            0 => format!("net {destination} unreachable"),
            1 => format!("host {destination} unreachable"),
            2 => format!("{destination} protocol {} unreachable", self.u8(inner + 9)?),
            4 if mtu != 0 => format!("{destination} unreachable - need to frag (mtu {mtu})"),
            4 => format!("{destination} unreachable - need to frag"),
            5 => format!("{destination} unreachable - source route failed"),
            6 => format!("net {destination} unreachable - unknown"),
            7 => format!("host {destination} unreachable - unknown"),
            8 => format!("{destination} unreachable - source host isolated"),
            9 => format!("net {destination} unreachable - admin prohibited"),
            10 => format!("host {destination} unreachable - admin prohibited"),
            11 => format!("net {destination} unreachable - tos prohibited"),
            12 => format!("host {destination} unreachable - tos prohibited"),
            13 => format!("host {destination} unreachable - admin prohibited filter"),
            14 => format!("host {destination} unreachable - host precedence violation"),
            15 => format!("host {destination} unreachable - precedence cutoff"),
            _ => format!("{destination} unreachable - #{code}"),
        };
        Ok(Some(text))
    }

    fn icmp_port_unreachable(&self, inner: usize) -> Dissected<Option<String>> {
        if !self.has(inner + 9, 1) {
            return Ok(None);
        }
        let header = usize::from(self.u8(inner)? & 0xf) * 4;
        let port = self.u16(inner + header + 2)?;
        let protocol = self.u8(inner + 9)?;
        let destination = self.ipv4(inner + 16)?;
        Ok(Some(match protocol {
            TCP => format!("{destination} tcp port {} unreachable", self.tcp_port(port)),
            UDP => format!("{destination} udp port {} unreachable", self.udp_port(port)),
            _ => format!("{destination} protocol {protocol} port {port} unreachable"),
        }))
    }

    fn icmp_router_advertisement(&self, at: usize) -> Dissected<Option<String>> {
        if !self.has(at + 4, 4) {
            return Ok(None);
        }
        let lifetime = self.u16(at + 6)?;
        let lifetime = match lifetime {
            0..60 => format!("{lifetime}"),
            60..3600 => format!("{}:{:02}", lifetime / 60, lifetime % 60),
            _ => format!("{}:{:02}:{:02}", lifetime / 3600, lifetime % 3600 / 60, lifetime % 60),
        };
        let (count, size) = (self.u8(at + 4)?, self.u8(at + 5)?);
        let mut text = format!("router advertisement lifetime {lifetime} {count}:");
        if size != 2 {
            text.push_str(&format!(" [size {size}]"));
            return Ok(Some(text));
        }
        for entry in (0..usize::from(count)).map(|index| at + 8 + index * 8) {
            if !self.has(entry, 8) {
                return Ok(None);
            }
            text.push_str(&format!(" {{{} {}}}", self.ipv4(entry)?, self.u32(entry + 4)?));
        }
        Ok(Some(text))
    }

    fn icmp_extensions(&mut self, at: usize, length: usize) -> Dissected {
        let extensions = at + EXTENSIONS_AT;
        if !self.has(extensions, 5) {
            self.truncated();
            return Ok(());
        }
        let extensions_len = length - EXTENSIONS_AT;
        let captured = self.has(extensions, extensions_len);
        // Without a length in the header only a right checksum tells that there are extensions.
        if self.u8(at + 5)? == 0 && captured && self.checksum(extensions, extensions_len)? != 0 {
            return Ok(());
        }
        let version = self.u8(extensions)? >> 4;
        put!(self, "\n\tICMP Multi-Part extension v{version}");
        if version != 2 {
            self.out.push_str(" packet not supported");
            return Ok(());
        }
        if captured {
            let wrong = checksum(&[self.bytes(extensions, extensions_len)?]) != 0;
            let field = self.u16(extensions + 2)?;
            let judgement = if wrong { "incorrect" } else { "correct" };
            put!(self, ", checksum 0x{field:04x} ({judgement}), length {extensions_len}");
        }
        self.icmp_extension_objects(extensions + 4, extensions_len.saturating_sub(4))
    }

    fn icmp_extension_objects(&mut self, mut at: usize, mut left: usize) -> Dissected {
        while left > 4 {
            if !self.has(at, 4) {
                self.truncated();
                return Ok(());
            }
            let (length, class, kind) = (self.u16(at)?, self.u8(at + 2)?, self.u8(at + 3)?);
            let known = name(EXTENSION_OBJECTS, u32::from(class)).unwrap_or("unknown");
            put!(self, "\n\t  {known} Object ({class}), Class-Type: {kind}, length {length}");
            at += 4;
            left -= 4;
            let Some(length) = usize::from(length).checked_sub(4).filter(|_| class != 0) else {
                return Ok(());
            };
            if class == 1 && kind == 1 {
                let label = self.u32(at)?;
                put!(self, "\n\t    label {}, tc {}", label >> 12, label >> 9 & 7);
                if label & 0x100 != 0 {
                    self.out.push_str(", [S]");
                }
                put!(self, ", ttl {}", label & 0xff);
            } else {
                self.unknown_data("\n\t    ", at, length)?;
            }
            let Some(rest) = left.checked_sub(length) else { break };
            left = rest;
            at += length;
        }
        Ok(())
    }

    /// Hex of data that no rule covers (`print_unknown_data`).
    pub fn unknown_data(&mut self, ident: &str, at: usize, length: usize) -> Dissected {
        let there = self.left(at);
        if !self.has(at, 0) {
            put!(self, "{ident}Dissector error: print_unknown_data called with pointer past end of packet");
            return Ok(());
        }
        self.hex(ident, at, length.min(there))
    }
}

/// Milliseconds since midnight as a time of day.
fn since_midnight(ms: u32) -> String {
    let seconds = ms / 1000;
    format!("{:02}:{:02}:{:02}.{:03}", seconds / 3600, seconds / 60 % 60, seconds % 60, ms % 1000)
}
