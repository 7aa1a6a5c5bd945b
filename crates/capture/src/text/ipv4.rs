//! IPv4 headers (RFC 791).

use super::dissect::{Dissected, Dissector, Truncated, checksum, checksum_should_be, put};
use super::ip_payload::Carrier;
use crate::names::{IP_PROTOCOLS, protocol_name};

const HEADER_LEN: usize = 20;
const MORE_FRAGMENTS: u16 = 0x2000;
const FLAGS: &[(u32, &str)] = &[(0x2000, "+"), (0x4000, "DF"), (0x8000, "rsvd")];

const END: u8 = 0;
const NOP: u8 = 1;
const RECORD_ROUTE: u8 = 7;
const TIME_STAMP: u8 = 68;
const LOOSE_ROUTE: u8 = 131;
const STRICT_ROUTE: u8 = 137;
const ROUTER_ALERT: u8 = 148;
const OPTIONS: &[(u32, &str)] = &[
    (0, "EOL"),
    (1, "NOP"),
    (68, "timestamp"),
    (130, "security"),
    (7, "RR"),
    (137, "SSRR"),
    (131, "LSRR"),
    (148, "RA"),
    (82, "traceroute"),
];

impl Dissector<'_> {
    pub fn ipv4_packet(&mut self, at: usize, length: usize) -> Dissected {
        self.protocol = "ip";
        let first = self.u8(at)?;
        match first >> 4 {
            4 => {}
            6 => {
                self.out.push_str("IP6, wrong link-layer encapsulation");
                self.invalid();
                return Ok(());
            }
            version => {
                put!(self, "IP{version}");
                self.invalid();
                return Ok(());
            }
        }
        if !self.options.link_header {
            self.out.push_str("IP ");
        }
        if !self.has(at, HEADER_LEN) {
            self.truncated();
            return Ok(());
        }
        if length < HEADER_LEN {
            put!(self, "truncated-ip {length}");
            return Ok(());
        }
        let header = usize::from(first & 0xf) * 4;
        if header < HEADER_LEN {
            put!(self, "bad-hlen {header}");
            return Ok(());
        }
        let total = usize::from(self.u16(at + 2)?);
        if length < total {
            put!(self, "truncated-ip - {} bytes missing! ", total - length);
        }
        if total < header {
            put!(self, "bad-len {total}");
            return Ok(());
        }
        self.within(at + total, |d| d.ipv4_body(at, header, total))
    }

    fn ipv4_body(&mut self, at: usize, header: usize, total: usize) -> Dissected {
        let fragment = self.u16(at + 6)?;
        let offset = usize::from(fragment & 0x1fff) * 8;
        let protocol = self.u8(at + 9)?;
        if self.options.verbose > 0 && !self.ipv4_details(at, header, fragment)? {
            put!(self, "{} > {}: ", self.ipv4(at + 12)?, self.ipv4(at + 16)?);
            self.truncated();
            return Ok(());
        }
        if offset != 0 {
            put!(self, "{} > {}:", self.ipv4(at + 12)?, self.ipv4(at + 16)?);
            match protocol_name(protocol) {
                Some(name) if !self.options.numeric => put!(self, " {name}"),
                _ => put!(self, " ip-proto-{protocol}"),
            }
            return Ok(());
        }
        // Protocols with ports print the addresses themselves: TCP, UDP, DCCP, SCTP.
        if !matches!(protocol, 6 | 17 | 33 | 132) {
            put!(self, "{} > {}: ", self.ipv4(at + 12)?, self.ipv4(at + 16)?);
        }
        if !self.has(at, header) {
            put!(self, " [remaining caplen({}) < header length({header})]", self.left(at));
            return Err(Truncated);
        }
        let carrier = Carrier {
            header: at,
            version: 4,
            fragmented: fragment & MORE_FRAGMENTS != 0,
            ttl: self.u8(at + 8)?,
            first_protocol: protocol,
        };
        self.ip_payload(at + header, total.saturating_sub(header), protocol, &carrier)
    }

    /// What `-v` shows in parentheses; false when the options are cut off.
    fn ipv4_details(&mut self, at: usize, header: usize, fragment: u16) -> Dissected<bool> {
        let tos = self.u8(at + 1)?;
        put!(self, "(tos 0x{tos:x}");
        self.out.push_str(["", ",ECT(1)", ",ECT(0)", ",CE"][usize::from(tos & 3)]);
        let ttl = self.u8(at + 8)?;
        if ttl >= 1 {
            put!(self, ", ttl {ttl}");
        }
        let protocol = self.u8(at + 9)?;
        put!(self, ", id {}, offset {}, flags [", self.u16(at + 4)?, u32::from(fragment & 0x1fff) * 8);
        self.bits(FLAGS, "none", u32::from(fragment & 0xe000), ", ");
        self.out.push_str("], proto ");
        self.token(IP_PROTOCOLS, u32::from(protocol), |_| "unknown".to_owned());
        put!(self, " ({protocol}), length {}", self.u16(at + 2)?);
        let mut complete = true;
        if header > HEADER_LEN {
            self.out.push_str(", options (");
            complete = self.ipv4_options(at + HEADER_LEN, header - HEADER_LEN)?;
            if !complete {
                self.out.push_str(" [truncated-option]");
            }
            self.out.push(')');
        }
        if !self.options.skip_checksums && self.has(at, header) {
            let sum = self.checksum(at, header)?;
            if sum != 0 {
                let field = self.u16(at + 10)?;
                put!(self, ", bad cksum {field:x} (->{:x})!", checksum_should_be(field, sum));
            }
        }
        self.out.push_str(")\n    ");
        Ok(complete)
    }

    /// False when an option is cut off.
    fn ipv4_options(&mut self, at: usize, length: usize) -> Dissected<bool> {
        let mut done = 0;
        while done < length {
            let (option, left) = (at + done, length - done);
            if done > 0 {
                self.out.push(',');
            }
            let kind = self.u8(option)?;
            self.token(OPTIONS, u32::from(kind), |number| format!("unknown {number}"));
            let mut option_len = 1;
            if !matches!(kind, NOP | END) {
                option_len = usize::from(self.u8(option + 1)?);
                if option_len < 2 {
                    put!(self, " [bad length {option_len}]");
                    return Ok(true);
                }
            }
            if option_len > left {
                put!(self, " [bad length {option_len}]");
                return Ok(true);
            }
            if !self.has(option, option_len) {
                return Ok(false);
            }
            match kind {
                END => return Ok(true),
                TIME_STAMP => self.time_stamp_option(option, option_len)?,
                RECORD_ROUTE | STRICT_ROUTE | LOOSE_ROUTE => self.route_option(option, option_len)?,
                ROUTER_ALERT if option_len < 4 => put!(self, " [bad length {option_len}]"),
                ROUTER_ALERT => {
                    let value = self.u16(option + 2)?;
                    if value != 0 {
                        put!(self, " value {value}");
                    }
                }
                _ => {}
            }
            done += option_len;
        }
        Ok(true)
    }

    fn route_option(&mut self, at: usize, length: usize) -> Dissected {
        if length < 3 {
            put!(self, " [bad length {length}]");
            return Ok(());
        }
        if (length + 1) & 3 != 0 {
            put!(self, " [bad length {length}]");
        }
        let field = self.u8(at + 2)?;
        let pointer = i32::from(field) - 1;
        if pointer < 3 || (pointer + 1) & 3 != 0 || pointer > length as i32 + 1 {
            put!(self, " [bad ptr {field}]");
        }
        // A pointer of 0 wraps around, and so lies behind every hop.
        let pointer = usize::try_from(pointer).unwrap_or(usize::MAX);
        let mut hop = 3;
        while hop < length {
            put!(self, " {}", self.ipv4(at + hop)?);
            if pointer > hop {
                self.out.push(',');
            }
            hop += 4;
        }
        Ok(())
    }

    fn time_stamp_option(&mut self, at: usize, length: usize) -> Dissected {
        if length < 4 {
            put!(self, "[bad length {length}]");
            return Ok(());
        }
        self.out.push_str(" TS{");
        let (field, flags) = (self.u8(at + 2)?, self.u8(at + 3)?);
        let hop_len = if flags & 0xf == 0 { 4 } else { 8 };
        if (length - 4) & (hop_len - 1) != 0 {
            put!(self, "[bad length {length}]");
        }
        let pointer = usize::from(field).checked_sub(1);
        if pointer.is_none_or(|at| at < 4 || (at - 4) & (hop_len - 1) != 0 || at > length + 1) {
            put!(self, "[bad ptr {field}]");
        }
        let mut hop = 0;
        match flags & 0xf {
            0 => self.out.push_str("TSONLY"),
            1 => self.out.push_str("TS+ADDR"),
            3 => self.out.push_str("PRESPEC"),
            kind => put!(self, "[bad ts type {kind}]"),
        }
        if matches!(flags & 0xf, 0 | 1 | 3) {
            hop = 4;
            while hop < length {
                self.out.push_str(if pointer == Some(hop) { " ^ " } else { " " });
                put!(self, "{}@", self.u32(at + hop + hop_len - 4)?);
                if hop_len == 8 {
                    put!(self, "{}", self.ipv4(at + hop)?);
                }
                hop += hop_len;
            }
        }
        if pointer == Some(hop) {
            self.out.push_str(" ^ ");
        }
        match flags >> 4 {
            0 => self.out.push('}'),
            missed => put!(self, " [{missed} hops not recorded]}} "),
        }
        Ok(())
    }

    /// The checksum of a transport packet with its IPv4 pseudo header; 0 when it is right.
    pub fn checksum_over_ipv4(&self, ip: usize, at: usize, length: usize, protocol: u8) -> Dissected<u16> {
        let destination = self.final_ipv4_destination(ip)?;
        let mut pseudo = [0; 12];
        pseudo[..4].copy_from_slice(self.bytes(ip + 12, 4)?);
        pseudo[4..8].copy_from_slice(&destination);
        pseudo[9] = protocol;
        pseudo[10..].copy_from_slice(&(length as u16).to_be_bytes());
        Ok(checksum(&[&pseudo, self.bytes(at, length)?]))
    }

    /// Behind a source route the last hop counts.
    fn final_ipv4_destination(&self, ip: usize) -> Dissected<[u8; 4]> {
        let header = usize::from(self.u8(ip)? & 0xf) * 4;
        let mut option = ip + HEADER_LEN;
        let end = ip + header;
        while option < end {
            let kind = self.u8(option)?;
            let option_len = match kind {
                END => break,
                NOP => 1,
                _ => usize::from(self.u8(option + 1)?),
            };
            if (option_len < 2 && kind != NOP) || option_len > end - option || !self.has(option, option_len) {
                break;
            }
            if matches!(kind, STRICT_ROUTE | LOOSE_ROUTE) && option_len >= 7 {
                return Ok(self.ipv4(option + option_len - 4)?.octets());
            }
            option += option_len;
        }
        Ok(self.ipv4(ip + 16)?.octets())
    }
}
