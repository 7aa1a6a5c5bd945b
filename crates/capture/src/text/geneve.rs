//! geneve (RFC 8926).

use super::dissect::{Dissected, Dissector, name, put};
use crate::names::ETHERTYPES;

const HEADER_LEN: usize = 8;
const FLAGS: &[(u8, char)] = &[(0x80, 'O'), (0x40, 'C')];
/// An Ethernet frame.
const TEB: u16 = 0x6558;

impl Dissector<'_> {
    pub fn geneve(&mut self, at: usize, length: usize) -> Dissected {
        self.protocol = "geneve";
        put!(self, "Geneve");
        if length < HEADER_LEN {
            put!(self, " [length {length} < {HEADER_LEN}]");
            self.invalid();
            return Ok(());
        }
        self.bytes(at, HEADER_LEN)?;
        let (first, flags) = (self.u8(at)?, self.u8(at + 1)?);
        if first >> 6 != 0 {
            put!(self, " ERROR: unknown-version {}", first >> 6);
            return Ok(());
        }
        put!(self, ", Flags [");
        if flags == 0 {
            put!(self, "none");
        }
        for (flag, letter) in FLAGS {
            if flags & flag != 0 {
                put!(self, "{letter}");
            }
        }
        let vni = self.u32(at + 4)? >> 8;
        put!(self, "], vni 0x{vni:x}");
        let protocol = self.u16(at + 2)?;
        let known = name(ETHERTYPES, u32::from(protocol)).unwrap_or("unknown");
        put!(self, ", proto {known} (0x{protocol:04x})");
        let options = usize::from(first & 0x3f) * 4;
        if options > 0 {
            put!(self, ", options [{options} bytes]");
        }
        let start = at + HEADER_LEN + options;
        let rest = length.saturating_sub(HEADER_LEN + options);
        put!(self, "{}", if self.options.verbose > 0 { "\n\t" } else { ": " });
        let captured = self.left(start);
        match protocol {
            TEB => {
                self.nested(|d| d.ethernet(start, rest, captured))?;
            }
            protocol => {
                if !self.payload_of_ethertype(protocol, start, rest, captured)? {
                    put!(self, "geneve-proto-0x{protocol:x}");
                }
            }
        }
        Ok(())
    }
}
