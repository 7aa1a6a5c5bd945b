//! Options of DNS's OPT record (RFC 6891).

use super::dissect::{Dissected, Dissector, Ipv6Text, put};

const EDNS_OPTIONS: &[(u32, &str)] = &[
    (1, "LLQ"),
    (2, "UL"),
    (3, "NSID"),
    (5, "DAU"),
    (6, "DHU"),
    (7, "N3U"),
    (8, "ECS"),
    (9, "EXPIRE"),
    (10, "COOKIE"),
    (11, "KEEPALIVE"),
    (12, "PADDING"),
    (13, "CHAIN"),
    (14, "KEY-TAG"),
    (16, "CLIENT-TAG"),
    (17, "SERVER-TAG"),
];

impl Dissector<'_> {
    pub fn edns_options(&mut self, at: usize, end: usize) -> Dissected<Option<()>> {
        if at >= end {
            return Ok(Some(()));
        }
        self.out.push_str(" [");
        let mut cursor = at;
        while cursor < end {
            if !self.has(cursor, 2) {
                return Ok(None);
            }
            let kind = self.u16(cursor)?;
            self.token(EDNS_OPTIONS, kind.into(), |number| format!("Opt{number}"));
            if !self.has(cursor + 2, 2) {
                return Ok(None);
            }
            let length = usize::from(self.u16(cursor + 2)?);
            let data = cursor + 4;
            if !self.has(data, length) {
                return Ok(None);
            }
            if length > 0 {
                self.out.push(' ');
                self.edns_data(kind, data, length)?;
            }
            cursor = data + length;
            if cursor < end {
                self.out.push(',');
            }
        }
        self.out.push(']');
        Ok(Some(()))
    }

    fn edns_data(&mut self, kind: u16, at: usize, length: usize) -> Dissected {
        match kind {
            8 => self.client_subnet(at, length)?,
            9 if length == 4 => put!(self, "{} sec", self.u32(at)?),
            10 if length == 8 || (16..=40).contains(&length) => {
                self.plain_hex(at, 8)?;
                if length > 8 {
                    self.out.push(' ');
                    self.plain_hex(at + 8, length - 8)?;
                }
            }
            11 if length == 2 => put!(self, "{:.1} sec", f64::from(self.u16(at)?) / 10.0),
            9..=11 => self.invalid(),
            12 => put!(self, "({length})"),
            13 => {
                self.domain_name(at, at + length)?;
            }
            14 if !length.is_multiple_of(2) => self.invalid(),
            14 => {
                for tag in (0..length).step_by(2) {
                    self.out.push_str(if tag > 0 { " " } else { "" });
                    put!(self, "{}", self.u16(at + tag)?);
                }
            }
            _ => self.plain_hex(at, length)?,
        }
        Ok(())
    }

    /// RFC 7871
    fn client_subnet(&mut self, at: usize, length: usize) -> Dissected {
        if length < 4 {
            self.invalid();
            return Ok(());
        }
        let (family, source, scope) = (self.u16(at)?, self.u8(at + 2)?, self.u8(at + 3)?);
        let bits: u8 = match family {
            1 => 32,
            2 => 128,
            _ => 0,
        };
        let given = length - 4;
        if bits == 0
            || given > usize::from(bits / 8)
            || source > bits
            || scope > bits
            || usize::from(source).div_ceil(8) != given
        {
            self.invalid();
            return Ok(());
        }
        let mut address = [0; 16];
        address[..given].copy_from_slice(self.bytes(at + 4, given)?);
        if family == 1 {
            let [a, b, c, d, ..] = address;
            put!(self, "{a}.{b}.{c}.{d}/{source}/{scope}");
        } else {
            put!(self, "{}/{source}/{scope}", Ipv6Text(address.into()));
        }
        Ok(())
    }
}
