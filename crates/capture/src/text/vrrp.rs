//! VRRP (RFC 3768, 5798).

use super::dissect::{Dissected, Dissector, put};
use super::ip_payload::{Carrier, VRRP};

impl Dissector<'_> {
    pub fn vrrp(&mut self, at: usize, length: usize, carrier: &Carrier) -> Dissected {
        self.protocol = "vrrp";
        self.out.push_str("VRRP");
        let first = self.u8(at)?;
        let (version, kind) = (first >> 4, first & 0xf);
        put!(self, "v{version}, ");
        match kind {
            1 => self.out.push_str("Advertisement"),
            _ => put!(self, "unknown type ({kind})"),
        }
        if carrier.ttl != 255 {
            put!(self, ", (ttl {})", carrier.ttl);
        }
        if !(2..=3).contains(&version) || kind != 1 {
            return Ok(());
        }
        put!(self, ", vrid {}, prio {}", self.u8(at + 1)?, self.u8(at + 2)?);
        let authentication = self.u8(at + 4)?;
        if version == 2 {
            match authentication {
                0 => self.out.push_str(", authtype none"),
                1 => self.out.push_str(", authtype simple"),
                2 => self.out.push_str(", authtype ah"),
                kind => put!(self, ", authtype #{kind}"),
            }
            put!(self, ", intvl {}s, length {length}", self.u8(at + 5)?);
        } else {
            put!(self, ", intvl {}cs, length {length}", self.u16(at + 4)? & 0xfff);
        }
        if self.options.verbose == 0 {
            return Ok(());
        }
        if self.has(at, length) {
            let wrong = if version == 2 {
                self.checksum(at, length)?
            } else {
                self.transport_checksum(carrier, at, length, VRRP)?
            };
            if wrong != 0 {
                put!(self, ", (bad vrrp cksum {:x})", self.u16(at + 6)?);
            }
        }
        let count = usize::from(self.u8(at + 3)?);
        self.out.push_str(", addrs");
        if count > 1 {
            put!(self, "({count})");
        }
        self.out.push(':');
        let mut address = at + 8;
        for index in 0..count {
            let separator = if index == 0 { ' ' } else { ',' };
            if carrier.version == 4 {
                put!(self, "{separator}{}", self.ipv4(address)?);
                address += 4;
            } else {
                put!(self, "{separator}{}", self.ipv6(address)?);
                address += 16;
            }
        }
        if version == 2 && authentication == 1 {
            self.out.push_str(" auth \"");
            self.padded_characters(address, 8)?;
            self.out.push('"');
        }
        Ok(())
    }
}
