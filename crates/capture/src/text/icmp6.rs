//! ICMPv6 (RFC 4443), neighbour discovery (RFC 4861) and multicast listener discovery (RFC 2710, 3810).

use super::dissect::{Dissected, Dissector, Ipv6Text, checksum_should_be, name, put};
use super::groups::IPV6_LEN;
use super::ip_payload::{Carrier, ICMPV6, TCP, UDP};

const TYPES: &[(u32, &str)] = &[
    (1, "destination unreachable"),
    (2, "packet too big"),
    (3, "time exceeded in-transit"),
    (4, "parameter problem"),
    (128, "echo request"),
    (129, "echo reply"),
    (130, "multicast listener query"),
    (131, "multicast listener report"),
    (132, "multicast listener done"),
    (133, "router solicitation"),
    (134, "router advertisement"),
    (135, "neighbor solicitation"),
    (136, "neighbor advertisement"),
    (137, "redirect"),
    (138, "router renumbering"),
    (141, "inverse neighbor solicitation"),
    (142, "inverse neighbor advertisement"),
    (143, "multicast listener report v2"),
    (144, "ha discovery request"),
    (145, "ha discovery reply"),
    (146, "mobile router solicitation"),
    (147, "mobile router advertisement"),
    (139, "who-are-you request"),
    (140, "who-are-you reply"),
    (201, "mtrace message"),
    (200, "mtrace response"),
    (155, "RPL"),
];
const UNREACHABLE_CODES: &[(u32, &str)] = &[
    (0, "unreachable route"),
    (1, " unreachable prohibited"),
    (2, "beyond scope"),
    (3, "unreachable address"),
    (4, "unreachable port"),
];
const OPTIONS: &[(u32, &str)] = &[
    (1, "source link-address"),
    (2, "destination link-address"),
    (3, "prefix info"),
    (4, "redirected header"),
    (5, "mtu"),
    (25, "rdnss"),
    (31, "dnssl"),
    (7, "advertisement interval"),
    (8, "homeagent information"),
    (24, "route info"),
];
const ROUTER_FLAGS: &[(u32, &str)] =
    &[(0x80, "managed"), (0x40, "other stateful"), (0x20, "home agent"), (0x02, "ipv6 only")];
const PREFIX_FLAGS: &[(u32, &str)] = &[(0x80, "onlink"), (0x40, "auto"), (0x20, "router")];
const NEIGHBOR_FLAGS: &[(u32, &str)] =
    &[(0x8000_0000, "router"), (0x4000_0000, "solicited"), (0x2000_0000, "override")];

/// How a message's line goes on.
enum Rest {
    /// With `, length N` unless `-v`.
    Length,
    /// Not at all: everything is printed.
    Nothing,
    CutOff,
}

impl Dissector<'_> {
    pub fn icmp6(&mut self, at: usize, length: usize, carrier: &Carrier) -> Dissected {
        self.protocol = "icmp6";
        if length == 0 {
            self.out.push_str("ICMP6, length 0");
            self.invalid();
            return Ok(());
        }
        let verbose = self.options.verbose > 0;
        if verbose && !carrier.fragmented && self.has(at, length) {
            let field = self.u16(at + 2)?;
            let sum = self.transport_checksum(carrier, at, length, ICMPV6)?;
            if sum != 0 {
                let right = checksum_should_be(field, sum);
                put!(self, "[bad icmp6 cksum 0x{field:04x} -> 0x{right:04x}!] ");
            } else {
                self.out.push_str("[icmp6 sum ok] ");
            }
        }
        let kind = self.u8(at)?;
        self.out.push_str("ICMP6, ");
        self.token(TYPES, kind.into(), |number| format!("unknown icmp6 type ({number})"));
        if verbose && matches!(kind, 133..=137 | 145 | 147) {
            put!(self, ", length {length}");
        }
        match self.icmp6_message(at, length, kind)? {
            Rest::Length if !verbose => put!(self, ", length {length}"),
            Rest::Length | Rest::Nothing => {}
            Rest::CutOff => self.truncated(),
        }
        Ok(())
    }

    fn icmp6_message(&mut self, at: usize, length: usize, kind: u8) -> Dissected<Rest> {
        let verbose = self.options.verbose > 0;
        let code = self.u8(at + 1)?;
        let inner = at + 8;
        match kind {
            1 => return self.icmp6_unreachable(at, length, code),
            2 => put!(self, ", mtu {}", self.u32(at + 4)?),
            3 => match code {
                0 => put!(self, " for {}", self.ipv6(inner + 24)?),
                1 => self.out.push_str(" (reassembly)"),
                _ => put!(self, ", unknown code ({code})"),
            },
            4 => {
                if !self.has(inner + 24, 16) {
                    return Ok(Rest::CutOff);
                }
                let octet = self.u32(at + 4)?;
                match code {
                    0 => put!(self, ", erroneous - octet {octet}"),
                    1 => put!(self, ", next header - octet {octet}"),
                    2 => put!(self, ", option - octet {octet}"),
                    3 => put!(self, ", incomplete header chain - octet {octet}"),
                    _ => put!(self, ", code-#{code}"),
                }
            }
            128 | 129 => put!(self, ", id {}, seq {}", self.u16(at + 4)?, self.u16(at + 6)?),
            130 if length == 24 => self.mld(at)?,
            130 if length >= 28 => {
                self.out.push_str(" v2");
                self.mld2_query(at, length)?;
            }
            130 => put!(self, " unknown-version (len {length}) "),
            131 | 132 => self.mld(at)?,
            133 if verbose => return self.neighbor_options(at + 8, length, 8),
            134 if verbose => {
                self.bytes(at, 16)?;
                let flags = self.u8(at + 5)?;
                put!(self, "\n\thop limit {}, Flags [", self.u8(at + 4)?);
                self.bits(ROUTER_FLAGS, "none", flags.into(), ", ");
                put!(self, "], pref {}, router lifetime {}s", preference(flags), self.u16(at + 6)?);
                put!(self, ", reachable time {}ms", self.u32(at + 8)?);
                put!(self, ", retrans timer {}ms", self.u32(at + 12)?);
                return self.neighbor_options(at + 16, length, 16);
            }
            135 => {
                put!(self, ", who has {}", self.ipv6(inner)?);
                if verbose {
                    return self.neighbor_options(at + 24, length, 24);
                }
            }
            136 => {
                put!(self, ", tgt is {}", self.ipv6(inner)?);
                if verbose {
                    self.out.push_str(", Flags [");
                    let flags = self.u32(at + 4)?;
                    self.bits(NEIGHBOR_FLAGS, "none", flags, ", ");
                    self.out.push(']');
                    return self.neighbor_options(at + 24, length, 24);
                }
            }
            137 => {
                put!(self, ", {} to {}", self.ipv6(at + 24)?, self.ipv6(at + 8)?);
                if verbose {
                    return self.neighbor_options(at + 40, length, 40);
                }
            }
            133 | 134 | 138..=142 | 145 | 147 | 155 => {}
            143 => self.mld2_report(at, length)?,
            144 | 146 => put!(self, ", id 0x{:04x}", self.u16(at + 4)?),
            _ => {
                put!(self, ", length {length}");
                if self.options.verbose <= 1 {
                    self.unknown_data("\n\t", at, length)?;
                }
                return Ok(Rest::Nothing);
            }
        }
        Ok(Rest::Length)
    }

    fn icmp6_unreachable(&mut self, at: usize, length: usize, code: u8) -> Dissected<Rest> {
        let inner = at + 8;
        self.out.push_str(", ");
        self.token(UNREACHABLE_CODES, code.into(), |number| format!("unknown unreach code ({number})"));
        match code {
            0 | 1 | 3 => put!(self, " {}", self.ipv6(inner + 24)?),
            2 => put!(self, " {}, source address {}", self.ipv6(inner + 24)?, self.ipv6(inner + 8)?),
            4 => {
                let Some((protocol, port)) = self.upper_layer_port(inner)? else {
                    return Ok(Rest::CutOff);
                };
                put!(self, ", {}", self.ipv6(inner + 24)?);
                if protocol == TCP {
                    put!(self, " tcp port {}", self.tcp_port(port));
                } else {
                    put!(self, " udp port {}", self.udp_port(port));
                }
            }
            _ if self.options.verbose <= 1 => {
                self.unknown_data("\n\t", at, length)?;
                return Ok(Rest::Nothing);
            }
            _ => {}
        }
        Ok(Rest::Length)
    }

    /// Protocol and destination port of a quoted packet.
    fn upper_layer_port(&self, ip: usize) -> Dissected<Option<(u8, u16)>> {
        if !self.has(ip + 6, 1) {
            return Ok(None);
        }
        let mut next = self.u8(ip + 6)?;
        let mut cursor = ip + 40;
        while self.has(cursor, 4) {
            match next {
                TCP | UDP => return Ok(Some((next, self.u16(cursor + 2)?))),
                0 | 43 | 60 => {
                    next = self.u8(cursor)?;
                    cursor += (usize::from(self.u8(cursor + 1)?) + 1) * 8;
                }
                44 if self.u16(cursor + 2)? & 0xfff8 == 0 => {
                    next = self.u8(cursor)?;
                    cursor += 8;
                }
                51 => {
                    next = self.u8(cursor)?;
                    cursor += (usize::from(self.u8(cursor + 1)?) + 2) * 4;
                }
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    fn mld(&mut self, at: usize) -> Dissected {
        if self.has(at, 24) {
            put!(self, "max resp delay: {} addr: {}", self.u16(at + 4)?, self.ipv6(at + 8)?);
        }
        Ok(())
    }

    fn mld2_report(&mut self, at: usize, length: usize) -> Dissected {
        if length < 8 {
            put!(self, " [invalid len {length}]");
            return Ok(());
        }
        self.group_records(at, length, IPV6_LEN)
    }

    fn mld2_query(&mut self, at: usize, length: usize) -> Dissected {
        let verbose = self.options.verbose > 0;
        if verbose {
            // RFC 3810 section 5.1.3: from 32768 on a floating-point value.
            let code = u32::from(self.u16(at + 4)?);
            let delay = if code < 32_768 { code } else { (code & 0xfff | 0x1000) << ((code >> 12 & 7) + 3) };
            put!(self, " [max resp delay={delay}]");
        }
        put!(self, " [gaddr {}", self.ipv6(at + 8)?);
        if verbose {
            let flags = self.u8(at + 24)?;
            if flags & 8 != 0 {
                self.out.push_str(" sflag");
            }
            if flags & 7 != 0 {
                put!(self, " robustness={}", flags & 7);
            }
            let code = u32::from(self.u8(at + 25)?);
            let interval = if code < 128 { code } else { (code & 0xf | 0x10) << ((code >> 4 & 7) + 3) };
            put!(self, " qqi={interval}");
        }
        self.queried_sources(at, 28, length, IPV6_LEN)
    }

    /// Options of neighbour discovery behind a message's `header_len` bytes.
    fn neighbor_options(&mut self, at: usize, length: usize, header_len: usize) -> Dissected<Rest> {
        let mut left = length as i64 - header_len as i64;
        let mut cursor = at;
        while cursor < self.end {
            if !self.has(cursor + 1, 1) {
                return Ok(Rest::CutOff);
            }
            if left <= 0 {
                return Ok(Rest::Length);
            }
            let (kind, units) = (self.u8(cursor)?, usize::from(self.u8(cursor + 1)?));
            let option_len = units * 8;
            if units == 0 || !self.has(cursor, option_len) {
                return Ok(Rest::CutOff);
            }
            let known = name(OPTIONS, kind.into()).unwrap_or("unknown");
            put!(self, "\n\t  {known} option ({kind}), length {option_len} ({units}): ");
            if !self.neighbor_option(at, cursor, kind, units)? {
                return Ok(Rest::CutOff);
            }
            if name(OPTIONS, kind.into()).is_none() && self.options.verbose <= 1 {
                self.unknown_data("\n\t  ", cursor + 2, option_len - 2)?;
                return Ok(Rest::Length);
            }
            if self.options.verbose > 1 {
                self.unknown_data("\n\t    ", cursor + 2, option_len - 2)?;
            }
            cursor += option_len;
            left -= option_len as i64;
        }
        Ok(Rest::Length)
    }

    /// False where the option is malformed.
    fn neighbor_option(&mut self, first: usize, at: usize, kind: u8, units: usize) -> Dissected<bool> {
        match kind {
            1 | 2 => put!(self, "{}", super::dissect::hex_colon(self.bytes(at + 2, units * 8 - 2)?)),
            3 => {
                let bad = if units == 4 { "" } else { "badlen" };
                put!(self, "{}/{}{bad}, Flags [", self.ipv6(at + 16)?, self.u8(at + 2)?);
                let flags = self.u8(at + 3)?;
                self.bits(PREFIX_FLAGS, "none", flags.into(), ", ");
                put!(self, "], valid time {}", lifetime(self.u32(at + 4)?));
                put!(self, ", pref. time {}", lifetime(self.u32(at + 8)?));
            }
            4 => self.unknown_data("\n\t    ", first, units * 8)?,
            5 => {
                let bad = if units == 1 { "" } else { "bad option length" };
                put!(self, " {}{bad}", self.u32(at + 4)?);
            }
            25 => {
                put!(self, " lifetime {}s,", self.u32(at + 4)?);
                for address in 0..(units - 1) / 2 {
                    put!(self, " addr: {}", self.ipv6(at + 8 + address * 16)?);
                }
            }
            31 => {
                put!(self, " lifetime {}s, domain(s):", self.u32(at + 4)?);
                let mut domain = at + 8;
                while domain < at + units * 8 && self.u8(domain)? != 0 {
                    self.out.push(' ');
                    match self.domain_name(domain, first)? {
                        Some(behind) => domain = behind,
                        None => return Ok(false),
                    }
                }
            }
            7 => put!(self, " {}ms", self.u32(at + 4)?),
            8 => put!(self, " preference {}, lifetime {}", self.u16(at + 4)?, self.u16(at + 6)?),
            24 => {
                let mut prefix = [0; 16];
                let length = match units {
                    1..=3 => (units - 1) * 8,
                    _ => return Ok(false),
                };
                let lifetime_s = self.u32(at + 4)?;
                prefix[..length].copy_from_slice(self.bytes(at + 8, length)?);
                put!(self, " {}/{}", Ipv6Text(prefix.into()), self.u8(at + 2)?);
                put!(self, ", pref={}, lifetime={}", preference(self.u8(at + 3)?), lifetime(lifetime_s));
            }
            _ => {}
        }
        Ok(true)
    }
}

fn preference(flags: u8) -> &'static str {
    ["medium", "high", "rsv", "low"][usize::from(flags >> 3 & 3)]
}

fn lifetime(seconds: u32) -> String {
    if seconds == u32::MAX { "infinity".to_owned() } else { format!("{seconds}s") }
}
