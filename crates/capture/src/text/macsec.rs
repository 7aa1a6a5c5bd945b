//! MACsec tags (IEEE 802.1AE-2006 §9).

use super::dissect::{Dissected, Dissector, put};
use super::ether::Addresses;

const TAG_LEN: usize = 6;
const TAG_WITH_CHANNEL_LEN: usize = 14;
const CHECK_VALUE_LEN: usize = 16;

const VERSION: u8 = 0x80;
const CHANNEL_PRESENT: u8 = 0x20;
const ENCRYPTED: u8 = 0x08;
const CHANGED: u8 = 0x04;

const FLAGS: &[(u32, &str)] = &[(0x08, "E"), (0x04, "C"), (0x40, "S"), (0x10, "B"), (0x20, "I")];

/// What a MACsec tag leaves to print.
pub(crate) enum Secured {
    /// Nothing that can be read.
    Encrypted { header: usize },
    /// The tag itself cannot be read.
    Broken,
    /// A frame's rest without its integrity check value.
    Plain { header: usize, length: usize, captured: usize },
}

impl Dissector<'_> {
    /// Prints the tag at `at`; the integrity check value is taken off the captured bytes.
    pub fn macsec(
        &mut self,
        at: usize,
        length: usize,
        captured: usize,
        addresses: Addresses,
    ) -> Dissected<Secured> {
        let outer = std::mem::replace(&mut self.protocol, "macsec");
        let there = length.min(captured);
        if there < TAG_LEN {
            return Ok(self.cut_off(outer));
        }
        let flags = self.u8(at)?;
        let header = if flags & CHANNEL_PRESENT != 0 { TAG_WITH_CHANNEL_LEN } else { TAG_LEN };
        if there < header {
            return Ok(self.cut_off(outer));
        }
        let short_length = self.u8(at + 1)?;
        if short_length & 0xc0 != 0 || flags & VERSION != 0 {
            self.invalid();
            self.protocol = outer;
            return Ok(Secured::Broken);
        }
        if self.options.link_header {
            self.macsec_tag(at, flags, short_length)?;
        }
        if flags & (ENCRYPTED | CHANGED) != 0 {
            if !self.options.link_header {
                put!(self, "{} > {} ", self.mac(addresses.source)?, self.mac(addresses.destination)?);
                self.out.push_str("802.1AE MACsec, ");
                self.macsec_tag(at, flags, short_length)?;
            }
            self.protocol = outer;
            return Ok(Secured::Encrypted { header });
        }
        let (mut length, mut captured) = (length - header, captured - header);
        if length.min(captured) < CHECK_VALUE_LEN {
            return Ok(self.cut_off(outer));
        }
        length -= CHECK_VALUE_LEN;
        captured -= CHECK_VALUE_LEN;
        self.end = self.end.saturating_sub(CHECK_VALUE_LEN);
        if short_length != 0 {
            let short_length = usize::from(short_length);
            if short_length > length.min(captured) {
                return Ok(self.cut_off(outer));
            }
            (length, captured) = (short_length, short_length);
        }
        self.protocol = outer;
        Ok(Secured::Plain { header, length, captured })
    }

    fn cut_off(&mut self, outer: &'static str) -> Secured {
        self.truncated();
        self.protocol = outer;
        Secured::Broken
    }

    fn macsec_tag(&mut self, at: usize, flags: u8, short_length: u8) -> Dissected {
        put!(self, "an {}, pn {}, flags ", flags & 3, self.u32(at + 2)?);
        self.bits(FLAGS, "none", u32::from(flags & 0x7c), "");
        if short_length != 0 {
            put!(self, ", sl {short_length}");
        }
        if flags & CHANNEL_PRESENT != 0 {
            put!(self, ", sci {:08x}{:08x}", self.u32(at + 6)?, self.u32(at + 10)?);
        }
        self.out.push_str(", ");
        Ok(())
    }
}
