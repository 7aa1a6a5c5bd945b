//! Raw bytes as text: `-x`, `-X` and `-A`, and what stands in for a payload that nobody dissects.

use super::dissect::{Dissected, Dissector, Truncated, put};

const LINE_LEN: usize = 16;

impl Dissector<'_> {
    /// The default for payloads of unknown protocols (`ND_DEFAULTPRINT`).
    pub fn unknown_payload(&mut self, at: usize, length: usize) -> Dissected {
        if self.options.suppresses_unknown() { Ok(()) } else { self.hex_and_ascii(at, length) }
    }

    /// As `-X`.
    pub fn hex_and_ascii(&mut self, at: usize, length: usize) -> Dissected {
        let (shown, result) = self.available(at, length);
        for (line, chunk) in shown.chunks(LINE_LEN).enumerate() {
            put!(self, "\n\t0x{:04x}: ", line * LINE_LEN);
            let start = self.out.len();
            self.hex_pairs(chunk);
            let pad = (LINE_LEN / 2 * 5).saturating_sub(self.out.len() - start);
            put!(self, "{:pad$}  ", "");
            self.out.extend(
                chunk.iter().map(|byte| if byte.is_ascii_graphic() { char::from(*byte) } else { '.' }),
            );
        }
        result
    }

    /// As `-x`.
    pub fn hex(&mut self, ident: &str, at: usize, length: usize) -> Dissected {
        let (shown, result) = self.available(at, length);
        for (line, chunk) in shown.chunks(LINE_LEN).enumerate() {
            put!(self, "{ident}0x{:04x}: ", line * LINE_LEN);
            self.hex_pairs(chunk);
        }
        result
    }

    /// As `-A`.
    pub fn ascii(&mut self, at: usize, length: usize) -> Dissected {
        let (shown, result) = self.available(at, length);
        self.out.push('\n');
        for (index, byte) in shown.iter().enumerate() {
            match byte {
                // A carriage return shows as a dot, except where the line ends with it.
                b'\r' => {
                    let behind = shown.len() - index - 1;
                    if behind > 1 && shown.get(index + 1) != Some(&b'\n') {
                        self.out.push('.');
                    }
                }
                b'\t' | b' ' | b'\n' => self.out.push(char::from(*byte)),
                byte if byte.is_ascii_graphic() => self.out.push(char::from(*byte)),
                _ => self.out.push('.'),
            }
        }
        result
    }

    fn hex_pairs(&mut self, chunk: &[u8]) {
        for pair in chunk.chunks(2) {
            self.out.push(' ');
            for byte in pair {
                put!(self, "{byte:02x}");
            }
        }
    }
}

impl<'a> Dissector<'a> {
    fn available(&self, at: usize, length: usize) -> (&'a [u8], Dissected) {
        let there = length.min(self.left(at));
        let shown = self.data.get(at..at + there).unwrap_or(&[]);
        (shown, if there < length { Err(Truncated) } else { Ok(()) })
    }
}
