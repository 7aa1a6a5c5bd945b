//! Just so much of Rust as it takes to find one's way in code as rustfmt writes it.

use std::ops::Range;

/// The code with comments, strings and character literals blanked, byte by byte.
pub(super) fn plain(code: &str) -> Vec<u8> {
    let bytes = code.as_bytes();
    let mut plain = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let end = if rest.starts_with(b"//") {
            at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
        } else if rest[0] == b'"' {
            let mut end = at + 1;
            while end < bytes.len() && bytes[end] != b'"' {
                end += if bytes[end] == b'\\' { 2 } else { 1 };
            }
            end + 1
        } else if rest[0] == b'\'' && rest.get(1) == Some(&b'\\') {
            at + 3 + rest.iter().skip(3).position(|byte| *byte == b'\'').unwrap_or(0) + 1
        } else if rest[0] == b'\'' && rest.get(2) == Some(&b'\'') {
            at + 3
        } else {
            at += 1;
            continue;
        };
        let end = end.min(bytes.len());
        for byte in &mut plain[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        // A literal is still something.
        if rest[0] != b'/' && end > at + 1 {
            plain[at] = b'"';
            plain[end - 1] = b'"';
        }
        at = end.max(at + 1);
    }
    plain
}

pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether a word begins there.
pub(super) fn word_at(plain: &[u8], at: usize, word: &str) -> bool {
    plain[at..].starts_with(word.as_bytes())
        && !(at > 0 && is_word(plain[at - 1]))
        && !plain.get(at + word.len()).is_some_and(|byte| is_word(*byte))
}

/// The first place from `from` on, outside of brackets, where `stops` says so; none where the brackets around it end.
pub(super) fn scan(plain: &[u8], from: usize, to: usize, stops: impl Fn(&[u8]) -> bool) -> Option<usize> {
    let mut depth = 0usize;
    for at in from..to {
        if depth == 0 && stops(&plain[at..to]) {
            return Some(at);
        }
        match plain[at] {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    None
}

/// Behind the bracket that closes the one there.
pub(super) fn closing(plain: &[u8], open: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (at, byte) in plain.iter().enumerate().skip(open) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// Name, body without its braces, and whether it gives a `bool`, of every function that is not `const`.
pub(super) fn functions(plain: &[u8]) -> Vec<(String, Range<usize>, bool)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < plain.len() {
        if !word_at(plain, at, "fn") {
            at += 1;
            continue;
        }
        let line = plain[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |before| before + 1);
        let constant = plain[line..at].windows(5).any(|word| word == b"const");
        let name: String =
            plain[at + 3..].iter().take_while(|byte| is_word(**byte)).map(|byte| char::from(*byte)).collect();
        at += 2;
        let Some(open) = scan(plain, at, plain.len(), |rest| matches!(rest[0], b'{' | b';')) else {
            continue;
        };
        if plain[open] == b';' || name.is_empty() {
            continue;
        }
        let Some(end) = closing(plain, open) else { continue };
        let head = String::from_utf8_lossy(&plain[at..open]).trim_end().ends_with("-> bool");
        if !constant {
            found.push((name, open + 1..end - 1, head));
        }
        at = end;
    }
    found
}
