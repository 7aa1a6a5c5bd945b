//! Numbers as the C library reads them: `strtol`, `atoi`, `sscanf("%i")`, `strtod`; and writes: `%g`. Programs show it in what
//! they accept (`0x10`, `1e3`, ` 7`) and in what they take a word for (`atoi("x")` is 0).

/// `strtoll`: the value, saturated, and how many bytes it took (0: no number). `base` 0 reads `0x` and `0`
/// prefixes.
pub(crate) fn strtol(text: &str, base: u32) -> (i64, usize) {
    let Integer { negative, magnitude, length } = integer(text, base);
    let value = i64::try_from(if negative { -magnitude } else { magnitude });
    (value.unwrap_or(if negative { i64::MIN } else { i64::MAX }), length)
}

/// `strtoul`: as [`strtol`]; a minus sign wraps around.
pub(crate) fn strtoul(text: &str, base: u32) -> (u64, usize) {
    let Integer { negative, magnitude, length } = integer(text, base);
    let value = u64::try_from(magnitude).map(|value| if negative { value.wrapping_neg() } else { value });
    (value.unwrap_or(u64::MAX), length)
}

/// An integer at the start of a text, before it is made to fit a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Integer {
    pub negative: bool,
    /// Saturated far beyond 64 bits.
    pub magnitude: i128,
    /// How many bytes of the text it took, leading blanks included (0: no number).
    pub length: usize,
}

/// What `strtol` and its kin read.
pub(crate) fn integer(text: &str, base: u32) -> Integer {
    let bytes = text.as_bytes();
    let mut at = bytes.iter().take_while(|byte| is_space(**byte)).count();
    let negative = bytes.get(at) == Some(&b'-');
    if matches!(bytes.get(at), Some(b'-' | b'+')) {
        at += 1;
    }
    let digit = |at: usize, base: u32| bytes.get(at).and_then(|byte| (*byte as char).to_digit(base));
    let hexadecimal = bytes.get(at) == Some(&b'0')
        && matches!(bytes.get(at + 1), Some(b'x' | b'X'))
        && digit(at + 2, 16).is_some();
    let base = match base {
        0 if hexadecimal => 16,
        0 if bytes.get(at) == Some(&b'0') => 8,
        0 => 10,
        base => base,
    };
    if base == 16 && hexadecimal {
        at += 2;
    }
    let start = at;
    let mut magnitude: i128 = 0;
    while let Some(digit) = digit(at, base) {
        magnitude = magnitude.saturating_mul(base.into()).saturating_add(digit.into());
        at += 1;
    }
    Integer { negative, magnitude, length: if at == start { 0 } else { at } }
}

/// `atoi`: what is no number is 0.
pub(crate) fn atoi(text: &str) -> i32 {
    strtol(text, 10).0 as i32
}

/// `sscanf("%i")`.
pub(crate) fn scan_int(text: &str) -> Option<i32> {
    match strtol(text, 0) {
        (_, 0) => None,
        (value, _) => Some(value as i32),
    }
}

/// `strtod`: the value and how many bytes it took (0: no number). Reads decimal and hexadecimal fractions,
/// `inf`, `infinity` and `nan`.
pub(crate) fn strtod(text: &str) -> (f64, usize) {
    let bytes = text.as_bytes();
    let mut at = bytes.iter().take_while(|byte| is_space(**byte)).count();
    let sign = if bytes.get(at) == Some(&b'-') { -1.0 } else { 1.0 };
    if matches!(bytes.get(at), Some(b'-' | b'+')) {
        at += 1;
    }
    let rest = text.get(at..).unwrap_or("");
    for (word, value) in [("infinity", f64::INFINITY), ("inf", f64::INFINITY), ("nan", f64::NAN)] {
        if rest.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word)) {
            return (sign * value, at + word.len());
        }
    }
    let (value, length) = if rest.starts_with("0x") || rest.starts_with("0X") {
        hexadecimal_fraction(rest)
    } else {
        decimal_fraction(rest)
    };
    if length == 0 { (0.0, 0) } else { (sign * value, at + length) }
}

/// `printf("%g")`.
pub(crate) fn general(value: f64) -> String {
    general_to(value, 6)
}

/// `printf("%.{digits}g")`.
pub(crate) fn general_to(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return if value.is_nan() { "nan".into() } else { format!("{value}") };
    }
    let most = digits.saturating_sub(1);
    let scientific = format!("{value:.most$e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..=most as i32).contains(&exponent) {
        let decimals = usize::try_from(most as i32 - exponent).unwrap_or(0);
        return trim(&format!("{value:.decimals$}")).to_owned();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", trim(mantissa), exponent.unsigned_abs())
}

/// C's `isspace`.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn digits(bytes: &[u8], at: usize, base: u32) -> usize {
    let rest = bytes.get(at..).unwrap_or(&[]);
    rest.iter().take_while(|byte| (**byte as char).is_digit(base)).count()
}

/// The end of an exponent that starts at `at`, or `at` where there is none.
fn exponent_end(bytes: &[u8], at: usize, letter: u8) -> usize {
    if bytes.get(at).map(u8::to_ascii_lowercase) != Some(letter) {
        return at;
    }
    let sign = usize::from(matches!(bytes.get(at + 1), Some(b'-' | b'+')));
    match digits(bytes, at + 1 + sign, 10) {
        0 => at,
        count => at + 1 + sign + count,
    }
}

fn decimal_fraction(text: &str) -> (f64, usize) {
    let bytes = text.as_bytes();
    let whole = digits(bytes, 0, 10);
    let mut at = whole;
    let mut count = whole;
    if bytes.get(at) == Some(&b'.') {
        let fraction = digits(bytes, at + 1, 10);
        count += fraction;
        at += usize::from(count > 0) * (1 + fraction);
    }
    if count == 0 {
        return (0.0, 0);
    }
    at = exponent_end(bytes, at, b'e');
    let value = text.get(..at).and_then(|number| number.parse().ok()).unwrap_or(0.0);
    (value, at)
}

fn hexadecimal_fraction(text: &str) -> (f64, usize) {
    let bytes = text.as_bytes();
    let mut at = 2;
    let mut value = 0.0;
    let mut scale = 0;
    let mut count = 0;
    let mut in_fraction = false;
    loop {
        match bytes.get(at).map(|byte| (*byte, (*byte as char).to_digit(16))) {
            Some((_, Some(digit))) => {
                value = value * 16.0 + f64::from(digit);
                scale -= if in_fraction { 4 } else { 0 };
                count += 1;
            }
            Some((b'.', None)) if !in_fraction => in_fraction = true,
            _ => break,
        }
        at += 1;
    }
    if count == 0 {
        return (0.0, 1);
    }
    let end = exponent_end(bytes, at, b'p');
    if end > at {
        let exponent = text.get(at + 1..end).and_then(|number| number.parse::<i32>().ok());
        scale = i32::saturating_add(scale, exponent.unwrap_or(0));
    }
    (value * f64::from(scale).exp2(), end)
}

fn trim(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strtol_reads_signs_bases_and_stops_at_the_rest() {
        assert_eq!(strtol(" -12x", 10), (-12, 4));
        assert_eq!(strtol("0x1f", 0), (31, 4));
        assert_eq!(strtol("0x1f", 16), (31, 4));
        assert_eq!(strtol("010", 0), (8, 3));
        assert_eq!(strtol("0x", 0), (0, 1));
        assert_eq!(strtol("x", 0), (0, 0));
        assert_eq!(strtol("99999999999999999999", 10), (i64::MAX, 20));
        assert_eq!(atoi("7 apples"), 7);
        assert_eq!(scan_int(""), None);
    }

    #[test]
    fn strtod_reads_fractions_exponents_and_words() {
        assert_eq!(strtod("1.5s"), (1.5, 3));
        assert_eq!(strtod(".5"), (0.5, 2));
        assert_eq!(strtod("5."), (5.0, 2));
        assert_eq!(strtod("1e3m"), (1000.0, 3));
        assert_eq!(strtod("1em"), (1.0, 1));
        assert_eq!(strtod("0x1.8p1"), (3.0, 7));
        assert_eq!(strtod("Infinity"), (f64::INFINITY, 8));
        assert_eq!(strtod("."), (0.0, 0));
        assert_eq!(strtod("-2"), (-2.0, 2));
        assert!(strtod("nan").0.is_nan());
    }

    #[test]
    fn unsigned_numbers_wrap_around() {
        assert_eq!(strtoul("-1", 10), (u64::MAX, 2));
        assert_eq!(strtoul("18446744073709551616", 10), (u64::MAX, 20));
        assert_eq!(strtol("-9223372036854775809", 10), (i64::MIN, 20));
    }

    #[test]
    fn shortest_of_six_figures() {
        let cases = [
            (0.0, "0"),
            (100.0, "100"),
            (100.0 / 3.0, "33.3333"),
            (0.099_900_1, "0.0999001"),
            (1e-5, "1e-05"),
        ];
        for (value, text) in cases {
            assert_eq!(general(value), text);
        }
        assert_eq!(general(1_234_567.0), "1.23457e+06");
    }

    #[test]
    fn general_numbers() {
        let cases = [
            (0.0, 6, "0"),
            (1234.567, 6, "1234.57"),
            (0.045, 6, "0.045"),
            (12.5, 2, "12"),
            (1e7, 6, "1e+07"),
        ];
        for (value, digits, text) in cases {
            assert_eq!(general_to(value, digits), text);
        }
        assert_eq!(general(0.00001234), "1.234e-05");
        assert_eq!(general_to(1_048_434.519_092_129_2, 17), "1048434.5190921292");
    }
}
