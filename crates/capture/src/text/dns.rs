//! DNS (RFC 1035), multicast DNS (RFC 6762) and EDNS (RFC 6891).

use super::dissect::{Dissected, Dissector, put, relative_time};

const HEADER_LEN: usize = 12;

const OPERATIONS: [&str; 16] = [
    "",
    " inv_q",
    " stat",
    " op3",
    " notify",
    " update",
    " op6",
    " op7",
    " op8",
    " updateA",
    " updateD",
    " updateDA",
    " updateM",
    " updateMA",
    " zoneInit",
    " zoneRef",
];
const RESPONSES: [&str; 24] = [
    "",
    " FormErr",
    " ServFail",
    " NXDomain",
    " NotImp",
    " Refused",
    " YXDomain",
    " YXRRSet",
    " NXRRSet",
    " NotAuth",
    " NotZone",
    " Resp11",
    " Resp12",
    " Resp13",
    " Resp14",
    " NoChange",
    " BadVers",
    "Resp17",
    " Resp18",
    " Resp19",
    " Resp20",
    "Resp21",
    " Resp22",
    " BadCookie",
];
const TYPES: &[(u32, &str)] = &[
    (1, "A"),
    (2, "NS"),
    (3, "MD"),
    (4, "MF"),
    (5, "CNAME"),
    (6, "SOA"),
    (7, "MB"),
    (8, "MG"),
    (9, "MR"),
    (10, "NULL"),
    (11, "WKS"),
    (12, "PTR"),
    (13, "HINFO"),
    (14, "MINFO"),
    (15, "MX"),
    (16, "TXT"),
    (17, "RP"),
    (18, "AFSDB"),
    (19, "X25"),
    (20, "ISDN"),
    (21, "RT"),
    (22, "NSAP"),
    (23, "NSAP_PTR"),
    (24, "SIG"),
    (25, "KEY"),
    (26, "PX"),
    (27, "GPOS"),
    (28, "AAAA"),
    (29, "LOC"),
    (30, "NXT"),
    (31, "EID"),
    (32, "NIMLOC"),
    (33, "SRV"),
    (34, "ATMA"),
    (35, "NAPTR"),
    (36, "KX"),
    (37, "CERT"),
    (38, "A6"),
    (39, "DNAME"),
    (40, "SINK"),
    (41, "OPT"),
    (42, "APL"),
    (43, "DS"),
    (44, "SSHFP"),
    (45, "IPSECKEY"),
    (46, "RRSIG"),
    (47, "NSEC"),
    (48, "DNSKEY"),
    (99, "SPF"),
    (100, "UINFO"),
    (101, "UID"),
    (102, "GID"),
    (103, "UNSPEC"),
    (104, "UNSPECA"),
    (249, "TKEY"),
    (250, "TSIG"),
    (251, "IXFR"),
    (252, "AXFR"),
    (253, "MAILB"),
    (254, "MAILA"),
    (255, "ANY"),
    (256, "URI"),
];
const CLASSES: &[(u32, &str)] = &[(1, "IN"), (3, "CHAOS"), (4, "HS"), (255, "ANY")];
const OPT: u16 = 41;
const IN: u16 = 1;

impl Dissector<'_> {
    pub fn dns(&mut self, at: usize, length: usize, multicast: bool) -> Dissected {
        self.protocol = "domain";
        if length < HEADER_LEN {
            put!(self, "domain [length {length} < {HEADER_LEN}]");
            self.invalid();
            return Ok(());
        }
        self.dns_message(at, length, multicast)
    }

    /// With the length prefix of RFC 1035 section 4.2.2.
    pub fn dns_over_tcp(&mut self, at: usize, length: usize) -> Dissected {
        self.protocol = "domain";
        if length < 2 {
            put!(self, " [DNS over TCP: length {length} < 2]");
            self.invalid();
            return Ok(());
        }
        let (prefix, length) = (usize::from(self.u16(at)?), length - 2);
        if prefix != length {
            put!(self, " [prefix length({prefix}) != length({length})]");
            self.invalid();
            return Ok(());
        }
        self.out.push(' ');
        self.dns(at + 2, length, false)
    }

    fn dns_message(&mut self, at: usize, length: usize, multicast: bool) -> Dissected {
        if !self.has(at, HEADER_LEN) {
            self.truncated();
            return Ok(());
        }
        let flags = self.u16(at + 2)?;
        let complete = if flags & 0x8000 != 0 {
            self.dns_response(at, flags, multicast)?
        } else {
            self.dns_request(at, flags, multicast)?
        };
        match complete {
            Some(()) => put!(self, " ({length})"),
            None => self.truncated(),
        }
        Ok(())
    }

    fn dns_response(&mut self, at: usize, flags: u16, multicast: bool) -> Dissected<Option<()>> {
        let [questions, answers, authorities, additional] = self.dns_counts(at)?;
        let response = self.dns_response_code(at, flags)?;
        put!(self, "{}{}", self.u16(at)?, OPERATIONS[usize::from(flags >> 11 & 0xf)]);
        match RESPONSES.get(usize::from(response)) {
            Some(text) => self.out.push_str(text),
            None => put!(self, " Resp{}", response & 0xfff),
        }
        for (bit, set, clear) in [(0x400, "*", ""), (0x80, "", "-"), (0x200, "|", ""), (0x20, "$", "")] {
            self.out.push_str(if flags & bit != 0 { set } else { clear });
        }
        if questions != 1 {
            put!(self, " [{questions}q]");
        }
        let mut cursor = at + HEADER_LEN;
        for question in 0..questions {
            if question != 0 {
                self.out.push(',');
            }
            let behind = if self.options.verbose > 1 {
                self.out.push_str(" q:");
                self.dns_question(cursor, at, multicast)?
            } else {
                self.skip_name(cursor)?.map(|behind| behind + 4)
            };
            match behind {
                Some(behind) => cursor = behind,
                None => return Ok(None),
            }
        }
        put!(self, " {answers}/{authorities}/{additional}");
        let Some(cursor) = self.dns_records(cursor, at, answers, true, "", multicast)? else {
            return Ok(None);
        };
        if self.options.verbose <= 1 {
            return Ok(Some(()));
        }
        let Some(cursor) = self.dns_records(cursor, at, authorities, false, " ns:", multicast)? else {
            return Ok(None);
        };
        Ok(self.dns_records(cursor, at, additional, false, " ar:", multicast)?.map(|_| ()))
    }

    fn dns_request(&mut self, at: usize, flags: u16, multicast: bool) -> Dissected<Option<()>> {
        let [questions, answers, authorities, additional] = self.dns_counts(at)?;
        let operation = flags >> 11 & 0xf;
        put!(self, "{}{}", self.u16(at)?, OPERATIONS[usize::from(operation)]);
        self.out.push_str(if flags & 0x100 != 0 { "+" } else { "" });
        self.out.push_str(if flags & 0x10 != 0 { "%" } else { "" });
        if flags & 0x6cf != 0 {
            put!(self, " [b2&3=0x{flags:x}]");
        }
        // An inverse query has its answers as the question.
        if operation == 1 {
            if questions != 0 {
                put!(self, " [{questions}q]");
            }
            if answers != 1 {
                put!(self, " [{answers}a]");
            }
        } else {
            if answers != 0 {
                put!(self, " [{answers}a]");
            }
            if questions != 1 {
                put!(self, " [{questions}q]");
            }
        }
        if authorities != 0 {
            put!(self, " [{authorities}n]");
        }
        if additional != 0 {
            put!(self, " [{additional}au]");
        }
        let mut cursor = at + HEADER_LEN;
        for question in 0..questions {
            if question > 0 && cursor >= self.end {
                return Ok(None);
            }
            match self.dns_question(cursor, at, multicast)? {
                Some(behind) => cursor = behind,
                None => return Ok(None),
            }
        }
        if self.options.verbose <= 1 {
            return Ok(Some(()));
        }
        let Some(cursor) = self.dns_records(cursor, at, answers, true, "", multicast)? else {
            return Ok(None);
        };
        let Some(cursor) = self.dns_records(cursor, at, authorities, false, " ns:", multicast)? else {
            return Ok(None);
        };
        Ok(self.dns_records(cursor, at, additional, false, " ar:", multicast)?.map(|_| ()))
    }

    fn dns_counts(&self, at: usize) -> Dissected<[u16; 4]> {
        Ok([self.u16(at + 4)?, self.u16(at + 6)?, self.u16(at + 8)?, self.u16(at + 10)?])
    }

    /// With the upper bits that an OPT record holds.
    fn dns_response_code(&self, at: usize, flags: u16) -> Dissected<u16> {
        let base = flags & 0xf;
        let [questions, answers, authorities, additional] = self.dns_counts(at)?;
        let mut cursor = at + HEADER_LEN;
        for _ in 0..questions {
            match self.skip_name(cursor)? {
                Some(behind) if behind + 4 < self.end => cursor = behind + 4,
                _ => return Ok(base),
            }
        }
        let others = u32::from(answers) + u32::from(authorities);
        for record in 0..others + u32::from(additional) {
            let Some(behind) = self.skip_name(cursor)? else { return Ok(base) };
            if !self.has(behind, 10) {
                return Ok(base);
            }
            if record >= others && self.u16(behind)? == OPT {
                return Ok(base | u16::from(self.u8(behind + 4)?) << 4);
            }
            cursor = behind + 10 + usize::from(self.u16(behind + 8)?);
            if cursor >= self.end {
                return Ok(base);
            }
        }
        Ok(base)
    }

    /// `even_at_end`: the first record is tried even where nothing is left.
    fn dns_records(
        &mut self,
        mut cursor: usize,
        message: usize,
        count: u16,
        even_at_end: bool,
        title: &str,
        multicast: bool,
    ) -> Dissected<Option<usize>> {
        for record in 0..count {
            if cursor >= self.end && (record > 0 || !even_at_end) {
                return Ok(None);
            }
            self.out.push_str(if record == 0 { title } else { "," });
            match self.dns_record(cursor, message, multicast)? {
                Some(behind) => cursor = behind,
                None => return Ok(None),
            }
        }
        Ok(Some(cursor))
    }

    fn dns_question(&mut self, at: usize, message: usize, multicast: bool) -> Dissected<Option<usize>> {
        let Some(behind) = self.skip_name(at)? else { return Ok(None) };
        if !self.has(behind, 4) {
            return Ok(None);
        }
        self.out.push(' ');
        let kind = self.u16(behind)?;
        self.token(TYPES, kind.into(), |number| format!("Type{number}"));
        let field = self.u16(behind + 2)?;
        self.dns_class(if multicast { field & 0x7fff } else { field });
        if multicast {
            self.out.push_str(if field & 0x8000 != 0 { " (QU)" } else { " (QM)" });
        }
        self.out.push_str("? ");
        Ok(self.domain_name(at, message)?.map(|behind| behind + 4))
    }

    fn dns_class(&mut self, class: u16) {
        if class != IN {
            self.out.push(' ');
            self.token(CLASSES, class.into(), |number| format!("(Class {number})"));
        }
    }

    fn dns_record(&mut self, at: usize, message: usize, multicast: bool) -> Dissected<Option<usize>> {
        let fields = if self.options.verbose > 0 {
            self.out.push(' ');
            match self.domain_name(at, message)? {
                Some(behind) => Some(behind),
                None => return Ok(None),
            }
        } else {
            self.skip_name(at)?
        };
        let Some(fields) = fields.filter(|fields| self.has(*fields, 10)) else {
            return Ok(Some(self.end));
        };
        let kind = self.u16(fields)?;
        let field = self.u16(fields + 2)?;
        let class = if multicast { field & 0x7fff } else { field };
        if kind != OPT {
            self.dns_class(class);
        }
        if multicast && field & 0x8000 != 0 {
            self.out.push_str(" (Cache flush)");
        }
        if kind != OPT && self.options.verbose > 2 {
            put!(self, " [{}]", relative_time(self.u32(fields + 4)?));
        }
        let data = fields + 10;
        let end = data + usize::from(self.u16(fields + 8)?);
        self.out.push(' ');
        self.token(TYPES, kind.into(), |number| format!("Type{number}"));
        if end > self.end {
            return Ok(None);
        }
        let complete = match kind {
            OPT => {
                put!(self, " UDPsize={class}");
                if self.u16(fields + 6)? & 0x8000 != 0 {
                    self.out.push_str(" DO");
                }
                self.edns_options(data, end)?
            }
            _ => self.dns_data(kind, data, end, message)?,
        };
        Ok(complete.map(|()| end))
    }

    fn dns_data(&mut self, kind: u16, at: usize, end: usize, message: usize) -> Dissected<Option<()>> {
        match kind {
            1 if !self.has(at, 4) => return Ok(None),
            1 => put!(self, " {}", self.ipv4(at)?),
            28 if !self.has(at, 16) => return Ok(None),
            28 => put!(self, " {}", self.ipv6(at)?),
            2 | 5 | 12 | 39 => {
                self.out.push(' ');
                return Ok(self.domain_name(at, message)?.map(|_| ()));
            }
            6 if self.options.verbose > 0 => {
                let mut cursor = at;
                for _ in 0..2 {
                    self.out.push(' ');
                    match self.domain_name(cursor, message)? {
                        Some(behind) => cursor = behind,
                        None => return Ok(None),
                    }
                }
                if !self.has(cursor, 20) {
                    return Ok(None);
                }
                for field in 0..5 {
                    put!(self, " {}", self.u32(cursor + field * 4)?);
                }
            }
            15 => {
                self.out.push(' ');
                if !self.has(at, 2) || self.domain_name(at + 2, message)?.is_none() {
                    return Ok(None);
                }
                put!(self, " {}", self.u16(at)?);
            }
            16 => {
                let mut cursor = at;
                while cursor < end {
                    self.out.push_str(" \"");
                    let length = usize::from(self.u8(cursor)?);
                    if !self.characters(cursor + 1, length) {
                        return Ok(None);
                    }
                    self.out.push('"');
                    cursor += 1 + length;
                }
            }
            33 => {
                self.out.push(' ');
                if !self.has(at, 6) || self.domain_name(at + 6, message)?.is_none() {
                    return Ok(None);
                }
                put!(self, ":{} {} {}", self.u16(at + 4)?, self.u16(at)?, self.u16(at + 2)?);
            }
            104 => return Ok(self.characters(at, end - at).then_some(())),
            256 if end - at >= 4 => {
                put!(self, " {} {} ", self.u16(at)?, self.u16(at + 2)?);
                return Ok(self.characters(at + 4, end - at - 4).then_some(()));
            }
            _ => {}
        }
        Ok(Some(()))
    }
}
