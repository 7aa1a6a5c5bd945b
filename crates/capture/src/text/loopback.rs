//! The loopback test protocol of Ethernet (Ethernet version 2.0, chapter 8): bonds teach switches by its frames.

use super::dissect::{Dissected, Dissector, put};

const REPLY: u16 = 1;
const FORWARD_DATA: u16 = 2;

impl Dissector<'_> {
    pub fn loopback(&mut self, at: usize, length: usize) -> Dissected {
        self.protocol = "loopback";
        self.out.push_str("Loopback");
        let rest = self.loopback_header(at, length)?;
        let (at, length) = match rest {
            Ok(rest) => rest,
            Err(rest) => {
                self.out.push_str(" (invalid)");
                rest
            }
        };
        // What follows is named, and has to be there.
        self.bytes(at, length).map(drop)
    }

    /// Where the rest is and how long; as an error where the header ends too soon.
    fn loopback_header(
        &mut self,
        mut at: usize,
        mut length: usize,
    ) -> Dissected<Result<(usize, usize), (usize, usize)>> {
        if length < 2 {
            return Ok(Err((at, length)));
        }
        let skipped = self.u16_le(at)?;
        put!(self, ", skipCount {skipped}");
        if skipped % 8 != 0 {
            self.out.push_str(" (bogus)");
        }
        (at, length) = (at + 2, length - 2);
        let skipped = usize::from(skipped);
        if skipped > length {
            return Ok(Err((at, length)));
        }
        (at, length) = (at + skipped, length - skipped);
        if length < 2 {
            return Ok(Err((at, length)));
        }
        let function = self.u16_le(at)?;
        (at, length) = (at + 2, length - 2);
        match function {
            REPLY => {
                self.out.push_str(", Reply");
                if length < 2 {
                    return Ok(Err((at, length)));
                }
                let receipt = self.u16_le(at)?;
                (at, length) = (at + 2, length - 2);
                put!(self, ", receipt number {receipt}, data ({length} octets)");
            }
            FORWARD_DATA => {
                self.out.push_str(", Forward Data");
                if length < 6 {
                    return Ok(Err((at, length)));
                }
                let address = self.mac(at)?;
                (at, length) = (at + 6, length - 6);
                put!(self, ", forwarding address {address}, data ({length} octets)");
            }
            _ => put!(self, ",  invalid ({function})"),
        }
        Ok(Ok((at, length)))
    }
}
