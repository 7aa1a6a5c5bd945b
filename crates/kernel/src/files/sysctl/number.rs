//! Numbers as `/proc/sys` reads them (`proc_get_long`, `do_proc_dointvec`).

use hairpin_netlink::Errno;

/// A longer token is no number (`TMPBUFLEN` less the final zero).
const TOKEN_MAX: usize = 21;

/// Milliseconds of a tick: the emulated kernel has 250 a second.
pub(super) const TICK_MS: i64 = 4;

/// Milliseconds rounded up to whole ticks (`msecs_to_jiffies`).
pub(super) fn whole_ticks(milliseconds: i64) -> i64 {
    milliseconds.saturating_add(TICK_MS - 1) / TICK_MS * TICK_MS
}

/// Reads up to `count` integers between white space; what follows them is ignored. Digits may be decimal, octal
/// with a leading 0, or hexadecimal with 0x.
///
/// # Errors
/// `EINVAL` where there is no number, or something else behind a number.
pub(super) fn integers(data: &[u8], count: usize) -> Result<Vec<i64>, Errno> {
    let text = text(data)?;
    let mut found = Vec::new();
    for token in text.split([' ', '\t', '\n', '\0']).filter(|token| !token.is_empty()).take(count) {
        found.push(integer(token)?);
    }
    if found.is_empty() { Err(Errno::EINVAL) } else { Ok(found) }
}

/// One integer token (`strtoul_lenient` with a sign).
pub(super) fn integer(token: &str) -> Result<i64, Errno> {
    let (digits, negative) = match token.strip_prefix('-') {
        Some(digits) => (digits, true),
        None => (token, false),
    };
    if token.len() > TOKEN_MAX || !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return Err(Errno::EINVAL);
    }
    let value = match digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        Some(hexadecimal) => i64::from_str_radix(hexadecimal, 16),
        None if digits.len() > 1 && digits.starts_with('0') => i64::from_str_radix(digits, 8),
        None => digits.parse(),
    };
    let value = value.map_err(|_| Errno::EINVAL)?;
    Ok(if negative { -value } else { value })
}

/// What was written, as text up to a final zero.
pub(super) fn text(data: &[u8]) -> Result<&str, Errno> {
    let end = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    std::str::from_utf8(data.get(..end).unwrap_or(data)).map_err(|_| Errno::EINVAL)
}

/// A set of numbers below `size` as `1,5-9` (`proc_do_large_bitmap`): ranges in order, joined.
pub(super) fn bitmap(data: &[u8], size: u32) -> Result<String, Errno> {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for part in text(data)?.trim().split(',').filter(|part| !part.is_empty()) {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let bound = |text: &str| integer(text).ok().and_then(|value| u32::try_from(value).ok());
        match (bound(from), bound(to)) {
            (Some(from), Some(to)) if from <= to && to < size => ranges.push((from, to)),
            _ => return Err(Errno::EINVAL),
        }
    }
    ranges.sort_unstable();
    let mut joined: Vec<(u32, u32)> = Vec::new();
    for (from, to) in ranges {
        match joined.last_mut() {
            Some((_, end)) if from <= end.saturating_add(1) => *end = to.max(*end),
            _ => joined.push((from, to)),
        }
    }
    let shown = |(from, to): &(u32, u32)| match from == to {
        true => from.to_string(),
        false => format!("{from}-{to}"),
    };
    Ok(joined.iter().map(shown).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_linux_does() {
        let cases: &[(&str, usize, Option<&[i64]>)] = &[
            ("1\n", 1, Some(&[1])),
            ("0x10", 1, Some(&[16])),
            ("010", 1, Some(&[8])),
            ("1 2", 1, Some(&[1])),
            (" -5\t7 \n", 2, Some(&[-5, 7])),
            ("1x", 1, None),
            ("x", 1, None),
            ("+1", 1, None),
            ("\n", 1, None),
            ("99999999999999999999", 1, None),
        ];
        for (text, count, expected) in cases {
            assert_eq!(integers(text.as_bytes(), *count).ok().as_deref(), *expected, "{text:?}");
        }
    }

    #[test]
    fn bitmaps_are_joined() {
        assert_eq!(bitmap(b"9000-9002,8080,9003\n", 65536), Ok("8080,9000-9003".to_owned()));
        assert_eq!(bitmap(b"9-1", 65536), Err(Errno::EINVAL));
        assert_eq!(bitmap(b"65536", 65536), Err(Errno::EINVAL));
    }
}
