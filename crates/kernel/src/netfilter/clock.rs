//! `-m time` (net/netfilter/xt_time.c).

use hairpin_netlink::netfilter::matches::Clock;

/// `time_mt`, at so many seconds since 1970.
pub(super) fn is_time(wanted: &Clock, seconds: u64) -> bool {
    const DAY: u64 = 24 * 60 * 60;
    let (first, last) = wanted.dates;
    if seconds < u64::from(first) || seconds > u64::from(last) {
        return false;
    }
    let of_day = (seconds % DAY) as u32;
    let (start, stop) = wanted.daytime;
    let mut day = seconds / DAY;
    if start < stop {
        if of_day < start || of_day > stop {
            return false;
        }
    } else {
        if of_day < start && of_day > stop {
            return false;
        }
        if wanted.contiguous && of_day <= stop {
            day = day.saturating_sub(1);
        }
    }
    // 1970 began on a Thursday.
    let weekday = (day + 3) % 7 + 1;
    if wanted.weekdays & 1 << weekday == 0 {
        return false;
    }
    wanted.monthdays == Clock::ALL_MONTHDAYS || wanted.monthdays & 1 << day_of_month(day) != 0
}

/// The day of its month, from 1, of a day since 1970. March begins the year, so that the day more of a leap year is its
/// last.
fn day_of_month(day: u64) -> u32 {
    const OF_400_YEARS: u64 = 146_097;
    // From the first of March of the year 0.
    let day = (day + 719_468) % OF_400_YEARS;
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    (of_year - (153 * month + 2) / 5 + 1) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALWAYS: Clock = Clock {
        dates: (0, i32::MAX as u32),
        daytime: (0, 86_399),
        weekdays: Clock::ALL_WEEKDAYS,
        monthdays: Clock::ALL_MONTHDAYS,
        local: false,
        contiguous: false,
    };

    #[test]
    fn days_of_months() {
        for (day, of_month) in
            [(0, 1), (30, 31), (31, 1), (58, 28), (59, 1), (11_016, 29), (11_017, 1), (20_784, 27)]
        {
            assert_eq!(day_of_month(day), of_month, "{day}");
        }
    }

    #[test]
    fn a_time_of_day_and_week() {
        // Friday 2026-11-27, 12:00
        let noon = 20_784 * 86_400 + 43_200;
        assert!(is_time(&ALWAYS, noon));
        assert!(is_time(&Clock { weekdays: 1 << 5, ..ALWAYS }, noon));
        assert!(!is_time(&Clock { weekdays: 1 << 4, ..ALWAYS }, noon));
        assert!(!is_time(&Clock { daytime: (0, 43_199), ..ALWAYS }, noon));
        let over_midnight = Clock { daytime: (79_200, 7_200), weekdays: 1 << 4, ..ALWAYS };
        assert!(!is_time(&over_midnight, noon - 39_600), "one o'clock on Friday");
        assert!(is_time(&Clock { contiguous: true, ..over_midnight }, noon - 39_600));
    }
}
