//! DNS names (RFC 1035 section 4.1.4), with the bit labels of RFC 2673.

use super::dissect::{Dissected, Dissector, put};

/// Characters of a name that are shown.
const NAME_MAX: usize = 255;

impl Dissector<'_> {
    /// Where the name ends; none where it is cut off or malformed.
    pub fn skip_name(&self, at: usize) -> Dissected<Option<usize>> {
        let mut cursor = at;
        loop {
            if !self.has(cursor, 1) {
                return Ok(None);
            }
            let label = self.u8(cursor)?;
            cursor += 1;
            match label {
                0 => return Ok(Some(cursor)),
                0xc0.. => return Ok(Some(cursor + 1)),
                0x41 => {
                    if !self.has(cursor, 1) {
                        return Ok(None);
                    }
                    cursor += 1 + bit_label_bytes(self.u8(cursor)?);
                }
                0x40.. => return Ok(None),
                length => cursor += usize::from(length),
            }
        }
    }

    /// Prints a name, following pointers backwards from `message` on; returns where it ends.
    pub fn domain_name(&mut self, at: usize, message: usize) -> Dissected<Option<usize>> {
        let mut cursor = at;
        let mut end = None;
        let mut pointers_below = at.saturating_sub(message);
        let mut shown = 0;
        loop {
            if !self.has(cursor, 1) {
                return Ok(None);
            }
            let label = self.u8(cursor)?;
            match label {
                0 => {
                    if cursor == at {
                        self.out.push('.');
                    }
                    if shown > NAME_MAX {
                        self.out.push_str("<DOMAIN NAME TOO LONG>");
                    }
                    return Ok(Some(end.unwrap_or(cursor + 1)));
                }
                0xc0.. => {
                    if !self.has(cursor + 1, 1) {
                        return Ok(None);
                    }
                    end = end.or(Some(cursor + 2));
                    let offset = usize::from(self.u16(cursor)? & 0x3fff);
                    if offset >= pointers_below {
                        self.out.push_str("<BAD PTR>");
                        return Ok(None);
                    }
                    pointers_below = offset;
                    cursor = message + offset;
                    continue;
                }
                0x80.. => {
                    self.out.push_str("<BAD LABEL TYPE>");
                    return Ok(None);
                }
                0x41 => {
                    if !self.has(cursor + 1, 1) {
                        return Ok(None);
                    }
                    let bits = self.u8(cursor + 1)?;
                    self.bit_label(cursor + 2, bits)?;
                    cursor += 2 + bit_label_bytes(bits);
                }
                0x40.. => {
                    put!(self, "<ELT {}>", label & 0x3f);
                    return Ok(None);
                }
                length => {
                    let length = usize::from(length);
                    let room = NAME_MAX.saturating_sub(shown).min(length);
                    if !self.characters(cursor + 1, room) {
                        return Ok(None);
                    }
                    shown += length;
                    cursor += 1 + length;
                }
            }
            if shown <= NAME_MAX {
                self.out.push('.');
            }
            shown += 1;
        }
    }

    /// RFC 2673
    fn bit_label(&mut self, at: usize, bits: u8) -> Dissected {
        let count = if bits == 0 { 256 } else { usize::from(bits) };
        self.out.push_str("\\[x");
        self.plain_hex(at, count / 8)?;
        match count % 8 {
            0 => {}
            rest @ 5.. => put!(self, "{:02x}", self.u8(at + count / 8)? & 0xff << (8 - rest)),
            rest => put!(self, "{:x}", self.u8(at + count / 8)? >> 4 & 0xf << (4 - rest)),
        }
        put!(self, "/{count}]");
        Ok(())
    }
}

fn bit_label_bytes(bits: u8) -> usize {
    let count = if bits == 0 { 256 } else { usize::from(bits) };
    count.div_ceil(8)
}
