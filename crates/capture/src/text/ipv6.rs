//! IPv6 headers and extension headers (RFC 8200).

use super::dissect::{Dissected, Dissector, checksum, put};
use super::ip_payload::Carrier;
use crate::names::IP_PROTOCOLS;

const HEADER_LEN: usize = 40;
const FRAGMENT_LEN: usize = 8;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const DESTINATION: u8 = 60;
const MOBILITY_OLD: u8 = 62;
const MOBILITY: u8 = 135;

const JUMBO_OPTION: u8 = 0xc2;

/// What the walk over the extension headers has found.
#[derive(Default)]
struct Found {
    any: bool,
    hop_by_hop: bool,
    jumbo: Option<u32>,
    fragmented: bool,
}

impl Dissector<'_> {
    pub fn ipv6_packet(&mut self, at: usize, length: usize) -> Dissected {
        self.protocol = "ip6";
        if !self.has(at, HEADER_LEN) {
            self.truncated();
            return Ok(());
        }
        if length < HEADER_LEN {
            put!(self, "truncated-ip6 {length}");
            return Ok(());
        }
        if !self.options.link_header {
            self.out.push_str("IP6 ");
        }
        let word = self.u32(at)?;
        if word >> 28 != 6 {
            put!(self, "version error: {} != 6", word >> 28);
            return Ok(());
        }
        let payload_len = usize::from(self.u16(at + 4)?);
        let total = if payload_len != 0 {
            let total = payload_len + HEADER_LEN;
            if length < total {
                put!(self, "truncated-ip6 - {} bytes missing!", total - length);
            }
            total
        } else {
            // To find a jumbo payload option all of the packet is looked at.
            length + HEADER_LEN
        };
        if self.options.verbose > 0 {
            self.ipv6_details(at, word, payload_len)?;
        }
        let outer_end = self.end;
        self.within(at + total, |d| d.ipv6_body(at, length, total, payload_len, outer_end))
    }

    fn ipv6_details(&mut self, at: usize, word: u32, payload_len: usize) -> Dissected {
        self.out.push('(');
        if word & 0x0ff0_0000 != 0 {
            put!(self, "class 0x{:02x}, ", word >> 20 & 0xff);
        }
        if word & 0xf_ffff != 0 {
            put!(self, "flowlabel 0x{:05x}, ", word & 0xf_ffff);
        }
        let next = self.u8(at + 6)?;
        put!(self, "hlim {}, next-header ", self.u8(at + 7)?);
        self.token(IP_PROTOCOLS, next.into(), |_| "unknown".to_owned());
        put!(self, " ({next}) payload length: {payload_len}) ");
        Ok(())
    }

    fn ipv6_body(
        &mut self,
        at: usize,
        length: usize,
        total: usize,
        payload_len: usize,
        outer_end: usize,
    ) -> Dissected {
        let first_protocol = self.u8(at + 6)?;
        let mut next = first_protocol;
        let mut left = total;
        let mut cursor = at;
        let mut advance = HEADER_LEN;
        let mut found = Found::default();
        while cursor < self.end && advance > 0 {
            let Some(rest) = left.checked_sub(advance) else {
                self.truncated();
                return Ok(());
            };
            left = rest;
            cursor += advance;
            if cursor == at + HEADER_LEN && !matches!(next, 6 | 17 | 33 | 132) {
                put!(self, "{} > {}: ", self.ipv6(at + 8)?, self.ipv6(at + 24)?);
            }
            let walked = match next {
                HOP_BY_HOP => {
                    if found.hop_by_hop {
                        self.out.push_str("[The Hop-by-Hop Options header was already found]");
                        self.invalid();
                        return Ok(());
                    }
                    if cursor != at + HEADER_LEN {
                        self.out.push_str("[The Hop-by-Hop Options header don't follow the IPv6 header]");
                        self.invalid();
                        return Ok(());
                    }
                    let walked = self.hop_by_hop(cursor, payload_len, &mut found.jumbo)?;
                    if payload_len == 0 && found.jumbo.is_none() {
                        self.out.push_str("[No valid Jumbo Payload Hop-by-Hop option found]");
                        self.invalid();
                        return Ok(());
                    }
                    found.hop_by_hop = true;
                    walked
                }
                DESTINATION => self.destination_options(cursor)?,
                FRAGMENT => {
                    let walked = self.ipv6_fragment(cursor, at)?;
                    found.fragmented = true;
                    walked.filter(|walked| cursor + walked < self.end)
                }
                ROUTING if !self.has(cursor, 1) => {
                    self.truncated();
                    return Ok(());
                }
                ROUTING => self.routing_header(cursor)?,
                MOBILITY | MOBILITY_OLD => return Ok(()),
                _ => {
                    let Some(left) = self.ipv6_payload_len(at, length, cursor, left, payload_len, &found)
                    else {
                        self.truncated();
                        return Ok(());
                    };
                    if payload_len == 0 {
                        self.end = outer_end.min(cursor + left);
                    }
                    let carrier = Carrier {
                        header: at,
                        version: 6,
                        fragmented: found.fragmented,
                        ttl: self.u8(at + 7)?,
                        first_protocol,
                    };
                    return self.ip_payload(cursor, left, next, &carrier);
                }
            };
            let Some(walked) = walked else { return Ok(()) };
            advance = walked;
            next = self.u8(cursor)?;
            found.any = true;
            self.protocol = "ip6";
        }
        Ok(())
    }

    /// The length of what is behind the headers; none if the headers are longer than the packet.
    fn ipv6_payload_len(
        &mut self,
        at: usize,
        length: usize,
        cursor: usize,
        left: usize,
        payload_len: usize,
        found: &Found,
    ) -> Option<usize> {
        let walked = cursor - at;
        if let Some(jumbo) = found.jumbo {
            let total = jumbo as usize + HEADER_LEN;
            let rest = total.checked_sub(walked)?;
            if length < total {
                put!(self, "truncated-ip6 - {} bytes missing!", total - length);
            }
            return Some(rest);
        }
        if payload_len != 0 {
            return Some(left);
        }
        if found.any { None } else { Some(0) }
    }

    /// Returns the header's length, or none where it is cut off.
    fn hop_by_hop(
        &mut self,
        at: usize,
        payload_len: usize,
        jumbo: &mut Option<u32>,
    ) -> Dissected<Option<usize>> {
        self.protocol = "hbhopt";
        let length = (usize::from(self.u8(at + 1)?) + 1) * 8;
        if !self.has(at, length) {
            self.truncated();
            return Ok(None);
        }
        self.out.push_str("HBH ");
        let complete = self.ipv6_options(at + 2, length - 2, Some((payload_len, jumbo)))?;
        if !complete {
            self.truncated();
            return Ok(None);
        }
        Ok(Some(length))
    }

    fn destination_options(&mut self, at: usize) -> Dissected<Option<usize>> {
        self.protocol = "dstopt";
        let length = (usize::from(self.u8(at + 1)?) + 1) * 8;
        if !self.has(at, length) {
            self.truncated();
            return Ok(None);
        }
        self.out.push_str("DSTOPT ");
        if self.options.verbose > 0 && !self.ipv6_options(at + 2, length - 2, None)? {
            self.truncated();
            return Ok(None);
        }
        Ok(Some(length))
    }

    /// False where an option is cut off. `jumbo` is the header's payload length and what a jumbo option sets.
    fn ipv6_options(
        &mut self,
        at: usize,
        length: usize,
        mut jumbo: Option<(usize, &mut Option<u32>)>,
    ) -> Dissected<bool> {
        let verbose = self.options.verbose > 0;
        let mut jumbo_seen = false;
        let mut done = 0;
        while done < length {
            let (option, left) = (at + done, length - done);
            let kind = self.u8(option)?;
            if kind == 0 {
                if verbose {
                    self.out.push_str("(pad1)");
                }
                done += 1;
                continue;
            }
            if left < 2 {
                return Ok(false);
            }
            let value_len = usize::from(self.u8(option + 1)?);
            if value_len + 2 > left {
                return Ok(false);
            }
            match kind {
                1 if verbose => self.out.push_str("(padn)"),
                1 => {}
                5 => {
                    if left < 4 {
                        self.out.push_str("(rtalert: trunc)");
                        return Ok(false);
                    }
                    if value_len != 2 {
                        put!(self, "(rtalert: invalid len {value_len})");
                        return Ok(false);
                    }
                    if verbose {
                        put!(self, "(rtalert: 0x{:04x}) ", self.u16(option + 2)?);
                    }
                }
                JUMBO_OPTION => {
                    if left < 6 {
                        self.out.push_str("(jumbo: trunc)");
                        return Ok(false);
                    }
                    if value_len != 4 {
                        put!(self, "(jumbo: invalid len {value_len})");
                        return Ok(false);
                    }
                    let value = self.u32(option + 2)?;
                    let fault = match &mut jumbo {
                        _ if jumbo_seen => " - already seen",
                        None => " - not a hop-by-hop option",
                        Some((payload_len, _)) if *payload_len != 0 => " - payload len != 0",
                        Some(_) if value < 65_536 => " - < 65536",
                        Some((_, found)) => {
                            **found = Some(value);
                            ""
                        }
                    };
                    jumbo_seen = true;
                    if verbose {
                        put!(self, "(jumbo: {value}{fault}) ");
                    }
                }
                0xc9 => {
                    if left < 18 {
                        self.out.push_str("(homeaddr: trunc)");
                        return Ok(false);
                    }
                    if value_len < 16 {
                        put!(self, "(homeaddr: invalid len {value_len})");
                        return Ok(false);
                    }
                    if verbose {
                        put!(self, "(homeaddr: {})", self.ipv6(option + 2)?);
                    }
                }
                _ if verbose => put!(self, "(opt_type 0x{kind:02x}: len={value_len})"),
                _ => {}
            }
            done += value_len + 2;
        }
        if verbose {
            self.out.push(' ');
        }
        Ok(true)
    }

    /// None behind a fragment that is not the first.
    fn ipv6_fragment(&mut self, at: usize, ip: usize) -> Dissected<Option<usize>> {
        self.protocol = "frag6";
        let offset = self.u16(at + 2)? & 0xfff8;
        if self.options.verbose > 0 {
            put!(self, "frag (0x{:08x}:", self.u32(at + 4)?);
        } else {
            self.out.push_str("frag (");
        }
        // The difference wraps as a size_t does.
        let length = (HEADER_LEN as u64 + u64::from(self.u16(ip + 4)?))
            .wrapping_sub((at - ip) as u64)
            .wrapping_sub(FRAGMENT_LEN as u64);
        put!(self, "{offset}|{length})");
        if offset != 0 {
            return Ok(None);
        }
        self.out.push(' ');
        Ok(Some(FRAGMENT_LEN))
    }

    fn routing_header(&mut self, at: usize) -> Dissected<Option<usize>> {
        self.protocol = "rt6";
        self.out.push_str("RT6");
        let units = self.u8(at + 1)?;
        put!(self, " (len={units}");
        let kind = self.u8(at + 2)?;
        put!(self, ", type={kind}");
        if kind == 0 {
            self.out.push_str(" [Deprecated]");
        }
        put!(self, ", segleft={}", self.u8(at + 3)?);
        let verbose = self.options.verbose > 0;
        match kind {
            0 | 2 => {
                let reserved = self.u32(at + 4)?;
                if reserved != 0 || verbose {
                    put!(self, ", rsv=0x{reserved:x}");
                }
            }
            4 => {
                put!(self, ", last-entry={}", self.u8(at + 4)?);
                let flags = self.u8(at + 5)?;
                if flags != 0 || verbose {
                    put!(self, ", flags=0x{flags:x}");
                }
                put!(self, ", tag={:x}", self.u16(at + 6)?);
            }
            _ => {
                self.out.push_str(" (unknown type)");
                self.invalid();
                return Ok(None);
            }
        }
        if units % 2 == 1 {
            put!(self, " (invalid length {units})");
            self.invalid();
            return Ok(None);
        }
        for index in 0..usize::from(units / 2) {
            put!(self, ", [{index}]{}", self.ipv6(at + 8 + index * 16)?);
        }
        self.out.push_str(") ");
        Ok(Some((usize::from(units) + 1) * 8))
    }

    /// The checksum of a transport packet with its IPv6 pseudo header; 0 when it is right.
    pub fn checksum_over_ipv6(&self, ip: usize, at: usize, length: usize, protocol: u8) -> Dissected<u16> {
        let mut pseudo = [0; 40];
        pseudo[..16].copy_from_slice(self.bytes(ip + 8, 16)?);
        pseudo[16..32].copy_from_slice(self.final_ipv6_destination(ip)?);
        pseudo[32..36].copy_from_slice(&(length as u32).to_be_bytes());
        pseudo[39] = protocol;
        Ok(checksum(&[&pseudo, self.bytes(at, length)?]))
    }

    /// Behind a routing header the last hop counts.
    fn final_ipv6_destination(&self, ip: usize) -> Dissected<&[u8]> {
        let mut destination = ip + 24;
        let mut next = self.u8(ip + 6)?;
        let mut cursor = ip + HEADER_LEN;
        while cursor < self.end {
            match next {
                HOP_BY_HOP | DESTINATION | MOBILITY | MOBILITY_OLD => {
                    next = self.u8(cursor)?;
                    cursor += (usize::from(self.u8(cursor + 1)?) + 1) * 8;
                }
                FRAGMENT => {
                    next = self.u8(cursor)?;
                    cursor += FRAGMENT_LEN;
                }
                ROUTING => {
                    let units = usize::from(self.u8(cursor + 1)?);
                    match self.u8(cursor + 2)? {
                        0 | 2 if units >= 2 && units % 2 == 0 => destination = cursor + 8 + (units - 2) * 8,
                        4 if units % 2 == 0 => destination = cursor + 8,
                        _ => {}
                    }
                    break;
                }
                _ => break,
            }
        }
        self.bytes(destination, 16)
    }
}
