//! Instants and spans of time as docker prints them.

const SECOND: u64 = 1_000_000_000;

/// Year, month, day and seconds of the day of an instant (nanoseconds since 1970), in UTC.
fn date(realtime_ns: u64) -> (i64, i64, i64, i64) {
    let seconds = (realtime_ns / SECOND) as i64;
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Days from a 1st of March: leap days come last (Howard Hinnant, chrono-compatible date algorithms).
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day, rest)
}

/// The fraction of a second without trailing zeros, with its point; empty for none.
fn fraction(realtime_ns: u64) -> String {
    let digits = format!("{:09}", realtime_ns % SECOND);
    let digits = digits.trim_end_matches('0');
    if digits.is_empty() { String::new() } else { format!(".{digits}") }
}

/// `time.RFC3339Nano`; the instant before all others for 0.
pub(super) fn rfc3339(realtime_ns: u64) -> String {
    if realtime_ns == 0 {
        return "0001-01-01T00:00:00Z".to_owned();
    }
    let (year, month, day, rest) = date(realtime_ns);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{}Z", fraction(realtime_ns))
}

/// `time.Time.String`
pub(super) fn go_string(realtime_ns: u64) -> String {
    let (year, month, day, rest) = date(realtime_ns);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    let fraction = fraction(realtime_ns);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}{fraction} +0000 UTC")
}

/// `units.HumanDuration` of docker's go-units.
pub(super) fn human(duration_ns: u64) -> String {
    let seconds = duration_ns / SECOND;
    let minutes = seconds / 60;
    // Hours are rounded to the nearest.
    let hours = (seconds + 1800) / 3600;
    match (seconds, minutes, hours) {
        (0, ..) => "Less than a second".to_owned(),
        (1, ..) => "1 second".to_owned(),
        (2..60, ..) => format!("{seconds} seconds"),
        (_, 1, _) => "About a minute".to_owned(),
        (_, 0..60, _) => format!("{minutes} minutes"),
        (_, _, 1) => "About an hour".to_owned(),
        (_, _, 0..48) => format!("{hours} hours"),
        (_, _, 48..336) => format!("{} days", hours / 24),
        (_, _, 336..1440) => format!("{} weeks", hours / 24 / 7),
        (_, _, 1440..17520) => format!("{} months", hours / 24 / 30),
        _ => format!("{} years", hours / 24 / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_the_calendar() {
        assert_eq!(rfc3339(1_700_000_000 * SECOND + 120), "2023-11-14T22:13:20.00000012Z");
        assert_eq!(go_string(951_782_400 * SECOND), "2000-02-29 00:00:00 +0000 UTC");
        assert_eq!(rfc3339(4_107_542_399 * SECOND), "2100-02-28T23:59:59Z");
        assert_eq!(rfc3339(0), "0001-01-01T00:00:00Z");
    }

    /// The cases of go-units' documentation.
    #[test]
    fn spans_are_rounded_as_docker_does() {
        let minutes = |count: u64| human(count * 60 * SECOND);
        assert_eq!(human(450_000_000), "Less than a second");
        assert_eq!(human(SECOND), "1 second");
        assert_eq!(human(47 * SECOND), "47 seconds");
        assert_eq!(minutes(1), "About a minute");
        assert_eq!(minutes(3), "3 minutes");
        assert_eq!(minutes(60), "About an hour");
        assert_eq!(minutes(180), "3 hours");
        assert_eq!(minutes(60 * 48), "2 days");
        assert_eq!(minutes(60 * 24 * 14), "2 weeks");
        assert_eq!(minutes(60 * 24 * 60), "2 months");
        assert_eq!(minutes(60 * 24 * 730), "2 years");
    }
}
