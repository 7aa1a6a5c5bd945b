//! IGMP (RFC 1112, 2236, 3376).

use super::dissect::{Dissected, Dissector, put, relative_time};
use super::groups::IPV4_LEN;

impl Dissector<'_> {
    pub fn igmp(&mut self, at: usize, length: usize) -> Dissected {
        self.protocol = "igmp";
        if self.options.quiet {
            self.out.push_str("igmp");
            return Ok(());
        }
        match self.u8(at)? {
            0x11 => {
                self.out.push_str("igmp query");
                if length >= 12 {
                    self.igmp3_query(at, length)?;
                } else {
                    self.igmp_query(at, length)?;
                }
            }
            0x12 => {
                put!(self, "igmp v1 report {}", self.ipv4(at + 4)?);
                if length != 8 {
                    put!(self, " [len {length}]");
                }
            }
            0x16 => put!(self, "igmp v2 report {}", self.ipv4(at + 4)?),
            0x17 => put!(self, "igmp leave {}", self.ipv4(at + 4)?),
            0x22 => {
                self.out.push_str("igmp v3 report");
                self.igmp3_report(at, length)?;
            }
            0x13 => {
                self.out.push_str("igmp dvmrp");
                if length < 8 {
                    put!(self, " [len {length}]");
                }
            }
            0x14 => self.out.push_str("igmp pimv1"),
            kind => put!(self, "igmp-{kind}"),
        }
        if self.options.verbose > 0 && length >= 4 && self.has(at, length) && self.checksum(at, length)? != 0
        {
            put!(self, " bad igmp cksum {:x}!", self.u16(at + 2)?);
        }
        Ok(())
    }

    fn igmp_query(&mut self, at: usize, length: usize) -> Dissected {
        match self.u8(at + 1)? {
            0 => self.out.push_str(" v1"),
            100 => self.out.push_str(" v2"),
            tenths => put!(self, " v2 [max resp time {tenths}]"),
        }
        if self.u32(at + 4)? != 0 {
            put!(self, " [gaddr {}]", self.ipv4(at + 4)?);
        }
        if length != 8 {
            put!(self, " [len {length}]");
        }
        Ok(())
    }

    fn igmp3_query(&mut self, at: usize, length: usize) -> Dissected {
        self.out.push_str(" v3");
        if !length.is_multiple_of(4) {
            put!(self, " [invalid len {length}]");
            return Ok(());
        }
        let code = u32::from(self.u8(at + 1)?);
        // RFC 3376 section 4.1.1: from 128 on a floating-point value.
        let tenths = if code < 128 { code } else { (code & 0xf | 0x10) << ((code >> 4 & 7) + 3) };
        if code != 100 {
            self.out.push_str(" [max resp time ");
            if tenths < 600 {
                put!(self, "{}.{}s", tenths / 10, tenths % 10);
            } else {
                put!(self, "{}", relative_time(tenths / 10));
            }
            self.out.push(']');
        }
        if self.u32(at + 4)? == 0 {
            return Ok(());
        }
        put!(self, " [gaddr {}", self.ipv4(at + 4)?);
        self.queried_sources(at, 12, length, IPV4_LEN)
    }

    fn igmp3_report(&mut self, at: usize, length: usize) -> Dissected {
        if length < 16 || !length.is_multiple_of(4) {
            put!(self, " [invalid len {length}]");
            return Ok(());
        }
        self.group_records(at, length, IPV4_LEN)
    }
}
