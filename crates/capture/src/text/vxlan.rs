//! VXLAN (RFC 7348), and OTV, whose port Linux takes for VXLAN by default.

use super::dissect::{Dissected, Dissector, put};

const HEADER_LEN: usize = 8;

impl Dissector<'_> {
    pub fn vxlan(&mut self, at: usize, length: usize) -> Dissected {
        self.protocol = "vxlan";
        self.out.push_str("VXLAN");
        if length < HEADER_LEN {
            self.invalid();
            return Ok(());
        }
        let flags = self.u8(at)?;
        let valid = if flags & 0x08 != 0 { "I" } else { "invalid" };
        put!(self, ", flags [{valid}] (0x{flags:02x}), ");
        put!(self, "vni {}\n", self.u24(at + 4)?);
        self.inner_frame(at, length)
    }

    pub fn otv(&mut self, at: usize, length: usize) -> Dissected {
        self.protocol = "otv";
        self.out.push_str("OTV, ");
        if length < HEADER_LEN {
            put!(self, "[length {length} < {HEADER_LEN}]");
            self.invalid();
            return Ok(());
        }
        let flags = self.u8(at)?;
        let valid = if flags & 0x08 != 0 { "I" } else { "." };
        put!(self, "flags [{valid}] (0x{flags:02x}), ");
        put!(self, "overlay {}, ", self.u24(at + 1)?);
        put!(self, "instance {}\n", self.u24(at + 4)?);
        self.inner_frame(at, length)
    }

    fn inner_frame(&mut self, at: usize, length: usize) -> Dissected {
        self.u8(at + 7)?;
        let inner = at + HEADER_LEN;
        let captured = self.left(inner);
        self.nested(|d| d.ethernet(inner, length - HEADER_LEN, captured)).map(|_| ())
    }
}
