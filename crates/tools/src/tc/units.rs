//! Times, rates, sizes and percentages as `tc` reads and writes them (iproute2's tc_util.c, tc_core.c).

use hairpin_netlink::tc::TICK_NS;

use crate::c_number::strtod;

/// The number at the beginning of a text, and what follows.
fn number(text: &str) -> Option<(f64, &str)> {
    let (value, len) = strtod(text);
    text.get(len..).filter(|_| len > 0).map(|rest| (value, rest))
}

/// `get_time`: microseconds.
pub(super) fn time(text: &str) -> Option<f64> {
    let (value, unit) = number(text)?;
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "us" | "usec" | "usecs" => 1.0,
        "s" | "sec" | "secs" => 1e6,
        "ms" | "msec" | "msecs" => 1e3,
        _ => return None,
    };
    Some(value * factor)
}

/// `get_ticks`: a time in ticks of the scheduler.
pub(super) fn ticks(text: &str) -> Option<u32> {
    Some(ticks_of(time(text)?))
}

/// `tc_core_time2tick`
pub(super) fn ticks_of(microseconds: f64) -> u32 {
    (microseconds * 1000.0 / TICK_NS as f64) as u32
}

/// `tc_core_tick2time`: whole microseconds.
pub(super) fn microseconds(ticks: u64) -> u32 {
    u32::try_from(ticks * TICK_NS / 1000).unwrap_or(u32::MAX)
}

/// `sprint_time`
pub(super) fn format_time(microseconds: u32) -> String {
    match microseconds {
        1_000_000.. => format!("{}s", general(f64::from(microseconds) / 1e6, 3)),
        1_000.. => format!("{}ms", general(f64::from(microseconds) / 1e3, 3)),
        _ => format!("{microseconds}us"),
    }
}

/// `get_rate64`: bytes a second.
pub(super) fn rate(text: &str) -> Option<u64> {
    let (value, unit) = number(text)?;
    let unit = unit.to_ascii_lowercase();
    let (unit, bytes) = match unit.strip_suffix("bps") {
        Some(front) => (front, true),
        None => (unit.strip_suffix("bit").unwrap_or(&unit), false),
    };
    let (unit, base) = match unit.strip_suffix('i') {
        Some(front) => (front, 1024f64),
        None => (unit, 1000f64),
    };
    let power = match unit {
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        _ => return None,
    };
    let bits = if bytes { 8.0 } else { 1.0 };
    (value >= 0.0).then_some((value * base.powi(power) * bits / 8.0) as u64)
}

/// `tc_print_rate`: of bytes a second.
pub(super) fn format_rate(rate: u64) -> String {
    const UNITS: [&str; 5] = ["", "K", "M", "G", "T"];
    let mut rate = rate.saturating_mul(8);
    let mut unit = 0;
    while unit < UNITS.len() - 1 {
        if rate < 1000 || rate < 1_000_000 && !rate.is_multiple_of(1000) {
            break;
        }
        rate /= 1000;
        unit += 1;
    }
    format!("{rate}{}bit", UNITS[unit])
}

/// `get_size`: bytes.
pub(super) fn size(text: &str) -> Option<u32> {
    let (value, unit) = number(text)?;
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "kb" | "k" => 1024.0,
        "mb" | "m" => 1024.0 * 1024.0,
        "gb" | "g" => 1024.0 * 1024.0 * 1024.0,
        "kbit" => 1024.0 / 8.0,
        "mbit" => 1024.0 * 1024.0 / 8.0,
        "gbit" => 1024.0 * 1024.0 * 1024.0 / 8.0,
        _ => return None,
    };
    let bytes = value * factor;
    (0.0..=f64::from(u32::MAX)).contains(&bytes).then_some(bytes as u32)
}

/// `sprint_size`
pub(super) fn format_size(size: u32) -> String {
    let bytes = f64::from(size);
    let near = |unit: f64| (bytes / unit + 0.5).floor() * unit - bytes;
    if size >= 1 << 20 && near(1_048_576.0).abs() < 1024.0 {
        format!("{}Mb", (bytes / 1_048_576.0 + 0.5).floor())
    } else if size >= 1024 && near(1024.0).abs() < 16.0 {
        format!("{}Kb", (bytes / 1024.0 + 0.5).floor())
    } else {
        format!("{size}b")
    }
}

/// `get_percent`: a fraction of 2³².
pub(super) fn percent(text: &str) -> Option<u32> {
    let (value, rest) = number(text)?;
    let fraction = value / 100.0;
    ((rest.is_empty() || rest == "%") && (0.0..=1.0).contains(&fraction))
        .then(|| (fraction * f64::from(u32::MAX)).round_ties_even() as u32)
}

/// `%g` of the fraction that a number stands for, times a factor.
pub(super) fn fraction(value: u32, factor: f64) -> String {
    general(f64::from(value) / f64::from(u32::MAX) * factor, 6)
}

/// `%.Ng`
pub(super) fn general(value: f64, digits: i32) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let shown = format!("{value:.*e}", (digits - 1).max(0) as usize);
    let exponent: i32 = shown.split('e').nth(1).and_then(|text| text.parse().ok()).unwrap_or_default();
    let trim = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if !(-4..digits).contains(&exponent) {
        let mantissa = trim(shown.split('e').next().unwrap_or_default());
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    trim(&format!("{value:.*}", (digits - 1 - exponent).max(0) as usize))
}

/// `tc_calc_xmittime`: in ticks.
pub(super) fn transmission(rate: u64, size: u32) -> u32 {
    if rate == 0 { 0 } else { ticks_of(1e6 * (f64::from(size) / rate as f64)) }
}

/// `tc_calc_rtable`: the transmission times of lengths, and the logarithm of a step.
pub(super) fn rate_table(rate: u64) -> (Vec<u32>, u8) {
    // The longest packet that the tool assumes, 2047 bytes, fits into 256 steps of 8.
    const CELL_LOG: u8 = 3;
    ((1..=256u32).map(|step| transmission(rate, step << CELL_LOG)).collect(), CELL_LOG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_and_written() {
        assert_eq!(ticks("100ms"), Some(1_562_500));
        assert_eq!(format_time(microseconds(1_562_500)), "100ms");
        assert_eq!(format_time(microseconds(u64::from(ticks("100").unwrap_or_default()))), "99us");
        assert_eq!(format_time(microseconds(u64::from(ticks("1500us").unwrap_or_default()))), "1.5ms");
        assert_eq!(format_time(1_000_000), "1s");
        assert_eq!(time("abc"), None);
        assert_eq!(time("1x"), None);
        assert_eq!(rate("1mbit"), Some(125_000));
        assert_eq!(rate("1MBps"), Some(1_000_000));
        assert_eq!(rate("8"), Some(1));
        assert_eq!(rate("1Kibit"), Some(128));
        assert_eq!(rate("x"), None);
        assert_eq!(format_rate(125_000), "1Mbit");
        assert_eq!(format_rate(32_000), "256Kbit");
        assert_eq!(format_rate(187_500), "1500Kbit");
        assert_eq!(size("32kbit"), Some(4096));
        assert_eq!(format_size(4096), "4Kb");
        assert_eq!(format_size(1600), "1600b");
        assert_eq!(format_size(32 << 20), "32Mb");
        assert_eq!(percent("101%"), None);
        assert_eq!(fraction(percent("0.3%").unwrap_or_default(), 100.0), "0.3");
        assert_eq!(fraction(percent("100%").unwrap_or_default(), 100.0), "100");
        assert_eq!(general(0.0001, 6), "0.0001");
        assert_eq!(general(0.00001, 6), "1e-05");
        assert_eq!(general(1234567.0, 6), "1.23457e+06");
    }
}
