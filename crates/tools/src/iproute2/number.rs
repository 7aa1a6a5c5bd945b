//! Numbers as C's `strtoul` reads them and iproute2's `get_*` bound them.

/// `strtoul`: the number and what follows it. `base` 0 takes `0x` and `0` prefixes.
/// `None` where there is no number or it is out of range.
pub(crate) fn strtoul(text: &str, base: u32) -> Option<(u64, &str)> {
    let trimmed = text.trim_start_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r']);
    let (negative, digits) = match trimmed.as_bytes().first() {
        Some(b'-') => (true, &trimmed[1..]),
        Some(b'+') => (false, &trimmed[1..]),
        _ => (false, trimmed),
    };
    let hex = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let hex = hex.filter(|rest| rest.starts_with(|c: char| c.is_ascii_hexdigit()));
    let (base, digits) = match (base, hex) {
        (0 | 16, Some(rest)) => (16, rest),
        (0, None) if digits.starts_with('0') => (8, digits),
        (0, None) => (10, digits),
        (base, _) => (base, digits),
    };
    let end = digits.find(|c: char| !c.is_digit(base)).unwrap_or(digits.len());
    let (number, rest) = digits.split_at(end);
    let value = u64::from_str_radix(number, base).ok()?;
    Some((if negative { value.wrapping_neg() } else { value }, rest))
}

/// A whole word as a number up to `max`.
fn bounded(text: &str, base: u32, max: u64) -> Option<u64> {
    match strtoul(text, base)? {
        (value, "") if value <= max => Some(value),
        _ => None,
    }
}

pub(crate) fn get_u8(text: &str, base: u32) -> Option<u8> {
    bounded(text, base, u8::MAX.into()).map(|value| value as u8)
}

pub(crate) fn get_u16(text: &str, base: u32) -> Option<u16> {
    bounded(text, base, u16::MAX.into()).map(|value| value as u16)
}

/// `get_u32` and `get_unsigned`.
pub(crate) fn get_u32(text: &str, base: u32) -> Option<u32> {
    bounded(text, base, u32::MAX.into()).map(|value| value as u32)
}

pub(crate) fn get_u64(text: &str, base: u32) -> Option<u64> {
    bounded(text, base, u64::MAX)
}

/// `get_integer` and `get_s32`.
pub(crate) fn get_i32(text: &str, base: u32) -> Option<i32> {
    let (value, rest) = strtoul(text, base)?;
    if !rest.is_empty() {
        return None;
    }
    i32::try_from(value as i64).ok()
}

/// `atoi`: the leading number or 0.
pub(crate) fn atoi(text: &str) -> i32 {
    strtoul(text, 10).map_or(0, |(value, _)| value as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bases_signs_and_rests_are_those_of_strtoul() {
        assert_eq!(strtoul("0x1f:", 0), Some((31, ":")));
        assert_eq!(strtoul("010", 0), Some((8, "")));
        assert_eq!(strtoul(" +7x", 10), Some((7, "x")));
        assert_eq!(strtoul("0x", 0), Some((0, "x")));
        assert_eq!(strtoul("", 0), None);
        assert_eq!(get_u32("-1", 0), None);
        assert_eq!(get_i32("-1", 0), Some(-1));
        assert_eq!(get_u8("256", 0), None);
        assert_eq!(get_u16("12a", 0), None);
    }
}
