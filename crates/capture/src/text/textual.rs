//! Protocols of text lines over TCP: HTTP (RFC 9112) and the greeting of SSH (RFC 4253).

use super::dissect::{Dissected, Dissector, put};

const HTTP_METHODS: &[&str] = &[
    "GET",
    "PUT",
    "COPY",
    "HEAD",
    "LOCK",
    "MOVE",
    "POLL",
    "POST",
    "BCOPY",
    "BMOVE",
    "MKCOL",
    "TRACE",
    "LABEL",
    "MERGE",
    "DELETE",
    "SEARCH",
    "UNLOCK",
    "REPORT",
    "UPDATE",
    "NOTIFY",
    "BDELETE",
    "CONNECT",
    "OPTIONS",
    "CHECKIN",
    "PROPFIND",
    "CHECKOUT",
    "CCM_POST",
    "SUBSCRIBE",
    "PROPPATCH",
    "BPROPFIND",
    "BPROPPATCH",
    "UNCHECKOUT",
    "MKACTIVITY",
    "MKWORKSPACE",
    "UNSUBSCRIBE",
    "RPC_CONNECT",
    "VERSION-CONTROL",
    "BASELINE-CONTROL",
];
const TOKEN_MAX: usize = 128;

impl Dissector<'_> {
    pub fn http(&mut self, at: usize, length: usize) -> Dissected {
        self.protocol = "http";
        self.out.push_str("HTTP");
        let there = self.data.get(at..at + length.min(self.left(at))).unwrap_or(&[]);
        if !is_http_message(there, there.len() == length) {
            return Ok(());
        }
        if self.options.verbose == 0 {
            return self.text_line(": ", at, 0, length).map(|_| ());
        }
        put!(self, ", length: {length}");
        let mut index = 0;
        while index < length {
            match self.text_line("\n\t", at, index, length)? {
                Some(next) => index = next,
                None => break,
            }
        }
        Ok(())
    }

    pub fn ssh(&mut self, at: usize, length: usize) -> Dissected {
        self.protocol = "ssh";
        for (index, expected) in b"SSH-".iter().enumerate() {
            if self.u8(at + index)? != *expected {
                return Ok(());
            }
        }
        // Only a line that ends within the packet is a greeting.
        let mut index = 4;
        while index < length {
            match self.u8(at + index)? {
                b'\n' => break,
                b'\r' if index + 1 < length && self.u8(at + index + 1)? == b'\n' => break,
                0x20..0x7f => index += 1,
                _ => return Ok(()),
            }
        }
        if index < length {
            put!(self, ": SSH: {}", self.ascii_text(at, index));
        }
        Ok(())
    }

    /// Prints the line at `index` of a text; returns where the next one starts, if this one is text that ends.
    fn text_line(
        &mut self,
        prefix: &str,
        at: usize,
        start: usize,
        length: usize,
    ) -> Dissected<Option<usize>> {
        let mut index = start;
        while index < length {
            let next = match self.u8(at + index)? {
                b'\n' => index + 1,
                b'\r' if index + 1 < length && self.u8(at + index + 1)? == b'\n' => index + 2,
                b'\t' | 0x20..0x7f => {
                    index += 1;
                    continue;
                }
                _ => return Ok(None),
            };
            put!(self, "{prefix}{}", self.ascii_text(at + start, index - start));
            return Ok(Some(next));
        }
        put!(self, "{prefix}{}", self.ascii_text(at + start, index - start));
        self.truncated();
        Ok(None)
    }

    fn ascii_text(&self, at: usize, length: usize) -> String {
        let bytes = self.data.get(at..at + length).unwrap_or(&[]);
        bytes.iter().map(|byte| char::from(*byte)).collect()
    }
}

/// A request by its method, a response by the three digits behind the version.
fn is_http_message(bytes: &[u8], complete: bool) -> bool {
    let Some((first, rest)) = token(bytes, complete) else { return false };
    if HTTP_METHODS.iter().any(|method| method.as_bytes().eq_ignore_ascii_case(first)) {
        return true;
    }
    token(rest, complete).is_some_and(|(code, _)| code.len() == 3 && code.iter().all(u8::is_ascii_digit))
}

/// The first word, and what is behind the white space that ends it. A word that may go on behind the captured bytes is
/// none.
fn token(bytes: &[u8], complete: bool) -> Option<(&[u8], &[u8])> {
    let length = bytes.iter().position(|byte| b" \t\r\n".contains(byte)).unwrap_or(bytes.len());
    let word = &bytes[..length];
    if length == 0
        || (length == bytes.len() && !complete)
        || length > TOKEN_MAX
        || !word.iter().all(u8::is_ascii_graphic)
    {
        return None;
    }
    let behind = &bytes[length..];
    let space = behind.iter().position(|byte| *byte != b' ').unwrap_or(behind.len());
    Some((word, &behind[space..]))
}
