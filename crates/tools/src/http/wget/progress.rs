//! How wget writes sizes, rates and its progress.

use std::fmt::Write as _;

/// `15`, `300000 (293K)`
pub(super) fn sized(length: u64) -> String {
    match length {
        0..1024 => length.to_string(),
        _ => format!("{length} ({})", human(length)),
    }
}

/// Two digits at least (`human_readable`).
fn human(value: u64) -> String {
    let mut value = value;
    for unit in ["K", "M", "G", "T"] {
        let left = value % 1024;
        value /= 1024;
        if value < 1024 || unit == "T" {
            return match value {
                0..10 => format!("{:.1}{unit}", value as f64 + left as f64 / 1024.0),
                _ => format!("{}{unit}", value + u64::from(left >= 512)),
            };
        }
    }
    value.to_string()
}

/// `3.39 MB/s`
pub(super) fn rate(bytes: u64, elapsed_ns: u64) -> String {
    let mut value = bytes as f64 * 1e9 / elapsed_ns.max(1) as f64;
    for unit in ["B/s", "KB/s", "MB/s"] {
        if value < 1024.0 {
            return format!("{value:.*} {unit}", digits(value));
        }
        value /= 1024.0;
    }
    format!("{value:.*} GB/s", digits(value))
}

fn digits(value: f64) -> usize {
    if value >= 99.95 {
        0
    } else if value >= 9.995 {
        1
    } else {
        2
    }
}

/// The progress, a dot for each KiB (`dot_draw`).
pub(super) fn dots(received: u64, length: Option<u64>, elapsed_ns: u64) -> String {
    const ROW: u64 = 50;
    let mut text = String::from("\n");
    let total = received.div_ceil(1024);
    let mut row = 0;
    loop {
        let here = total.saturating_sub(row * ROW).min(ROW);
        let _ = write!(text, "{:6}K", row * ROW);
        for at in 0..ROW {
            if at % 10 == 0 {
                text.push(' ');
            }
            // A part of a KiB has no dot of its own.
            let whole = (row * ROW + at + 1) * 1024 <= received;
            text.push(if at < here && whole { '.' } else { ' ' });
        }
        let done = ((row + 1) * ROW * 1024).min(received);
        if let Some(percent) = length.filter(|length| *length > 0).map(|length| done * 100 / length) {
            let _ = write!(text, "{percent:3}%");
        }
        let mut speed = received as f64 * 1e9 / elapsed_ns.max(1) as f64;
        let mut unit = "";
        for next in ["K", "M", "G"] {
            if speed < 1024.0 {
                break;
            }
            (speed, unit) = (speed / 1024.0, next);
        }
        let speed = format!("{speed:.*}{unit}", digits(speed));
        row += 1;
        if row * ROW >= total.max(1) {
            let _ = writeln!(text, " {speed:>4}={}", seconds(elapsed_ns));
            return text;
        }
        let _ = writeln!(text, " {speed:>4} 0s");
    }
}

/// `0s`, `0.001s`
fn seconds(elapsed_ns: u64) -> String {
    let value = elapsed_ns as f64 / 1e9;
    if value < 0.0005 {
        "0s".to_owned()
    } else if value < 1.0 {
        format!("{value:.3}s").replace("000s", "s")
    } else if value < 10.0 {
        format!("{value:.1}s")
    } else {
        format!("{value:.0}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        assert_eq!((sized(15), sized(300_000)), ("15".to_owned(), "300000 (293K)".to_owned()));
        assert_eq!((human(2048), human(5 << 20)), ("2.0K".to_owned(), "5.0M".to_owned()));
        assert_eq!(rate(15, 4221), "3.39 MB/s");
    }

    #[test]
    fn rows_of_dots() {
        let empty = " ".repeat(54);
        assert_eq!(dots(15, Some(15), 4221), format!("\n     0K {empty}100% 3.39M=0s\n"));
        let text = dots(60 << 10, Some(60 << 10), 1_000_000);
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(rows[1].get(..30), Some("     0K .......... .......... "));
        assert!(rows[1].contains(" 83% ") && rows[2].contains("100% "), "{text}");
    }
}
