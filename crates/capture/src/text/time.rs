//! Time stamps: the default, `-t` to `-ttttt`. Local time is UTC.

use std::fmt::Write as _;

use super::Options;

/// How a packet's time is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeStyle {
    /// Time of day.
    Clock,
    /// `-t`: nothing.
    None,
    /// `-tt`: seconds since 1970.
    Seconds,
    /// `-ttt`: since the packet before.
    SincePrevious,
    /// `-tttt`: date and time of day.
    Date,
    /// `-ttttt`: since the first packet.
    SinceFirst,
}

const NS_PER_S: u64 = 1_000_000_000;

/// Appends a time stamp; `reference_ns` is the packet that `-ttt` and `-ttttt` count from.
pub(crate) fn put(out: &mut String, options: &Options, time_ns: u64, reference_ns: &mut Option<u64>) {
    // Differences are taken between what is shown.
    let time_ns = if options.nanoseconds { time_ns } else { time_ns - time_ns % 1000 };
    let _ = match options.time {
        TimeStyle::None => return,
        // tcpdump refuses seconds with the sign bit of 32 bits set.
        TimeStyle::Clock | TimeStyle::Date | TimeStyle::Seconds
            if (time_ns / NS_PER_S) & 0x8000_0000 != 0 =>
        {
            write!(out, "[Error converting time]")
        }
        TimeStyle::Clock => write!(out, "{}", clock(time_ns)),
        TimeStyle::Date => write!(out, "{} {}", date(time_ns / NS_PER_S), clock(time_ns)),
        TimeStyle::Seconds => write!(out, "{}", time_ns / NS_PER_S),
        TimeStyle::SincePrevious | TimeStyle::SinceFirst => {
            let reference = *reference_ns.get_or_insert(time_ns);
            let sign = if time_ns < reference { '-' } else { ' ' };
            let difference = time_ns.abs_diff(reference);
            if options.time == TimeStyle::SincePrevious {
                *reference_ns = Some(time_ns);
            }
            let _ = write!(out, "{sign}{}", clock(difference));
            fraction(out, options, difference);
            return;
        }
    };
    if !out.ends_with(']') {
        fraction(out, options, time_ns);
    } else {
        out.push(' ');
    }
}

fn fraction(out: &mut String, options: &Options, time_ns: u64) {
    let rest = time_ns % NS_PER_S;
    let _ =
        if options.nanoseconds { write!(out, ".{rest:09} ") } else { write!(out, ".{:06} ", rest / 1000) };
}

/// `HH:MM:SS`
fn clock(time_ns: u64) -> String {
    let seconds = time_ns / NS_PER_S;
    format!("{:02}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
}

/// `YYYY-MM-DD` of the proleptic Gregorian calendar.
fn date(seconds: u64) -> String {
    // Days are counted from 0000-03-01, so that a leap day ends its year.
    let days = seconds / 86_400 + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(time: TimeStyle, times_ns: &[u64]) -> Vec<String> {
        let options = Options { time, ..Options::default() };
        let mut reference = None;
        let mut one = |time_ns| {
            let mut out = String::new();
            put(&mut out, &options, time_ns, &mut reference);
            out
        };
        times_ns.iter().map(|time_ns| one(*time_ns)).collect()
    }

    #[test]
    fn every_style() {
        let t = 1_709_210_096_000_001_999; // 2024-02-29 12:34:56
        assert_eq!(shown(TimeStyle::Clock, &[t]), ["12:34:56.000001 "]);
        assert_eq!(shown(TimeStyle::Date, &[t]), ["2024-02-29 12:34:56.000001 "]);
        assert_eq!(shown(TimeStyle::Seconds, &[t]), ["1709210096.000001 "]);
        assert_eq!(shown(TimeStyle::None, &[t]), [""]);
        assert_eq!(
            shown(TimeStyle::SincePrevious, &[t, t + 1_500_000_000, t]),
            [" 00:00:00.000000 ", " 00:00:01.500000 ", "-00:00:01.500000 "]
        );
        assert_eq!(shown(TimeStyle::SinceFirst, &[t, t + 1_000, t + 2_000])[2], " 00:00:00.000002 ");
    }
}
