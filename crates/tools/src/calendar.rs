//! Dates of the calendar, UTC: what a world's clocks show.

/// A day and a time of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date {
    pub year: u64,
    /// From 1.
    pub month: usize,
    pub day: u64,
    pub hour: u64,
    pub minute: u64,
    pub second: u64,
    /// From Sunday.
    pub weekday: usize,
}

impl Date {
    /// Of so many seconds since 1970.
    pub fn of(seconds: u64) -> Date {
        let is_leap =
            |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let mut day = seconds / 86_400;
        // 1970 began on a Thursday.
        let weekday = ((day + 4) % 7) as usize;
        let of_day = seconds % 86_400;
        let mut year = 1970;
        while day >= 365 + u64::from(is_leap(year)) {
            day -= 365 + u64::from(is_leap(year));
            year += 1;
        }
        let lengths = [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let mut month = 1;
        for length in lengths {
            if day < length {
                break;
            }
            day -= length;
            month += 1;
        }
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        Date { year, month, day: day + 1, hour, minute, second, weekday }
    }

    /// Days from 1970 to a day; of a month that has fewer it is one of the next.
    pub fn days_before(year: u32, month: u32, day: u32) -> u64 {
        let (year, month, day) = (u64::from(year), u64::from(month), u64::from(day));
        // Years begin with March, so that the day more of a leap year is its last.
        let (year, month) = if month > 2 { (year, month - 3) } else { (year.saturating_sub(1), month + 9) };
        let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day;
        days.saturating_sub(719_469)
    }

    /// `Fri Nov 27 05:41:12 2026`, as `ctime` has it.
    pub fn ctime(self) -> String {
        let Date { year, day, hour, minute, second, .. } = self;
        let (weekday, month) = (self.weekday_name(), self.month_name());
        format!("{weekday} {month} {day:>2} {hour:02}:{minute:02}:{second:02} {year}")
    }

    /// `Mon`
    pub fn weekday_name(self) -> &'static str {
        ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"].get(self.weekday).copied().unwrap_or("")
    }

    /// `Jan`
    pub fn month_name(self) -> &'static str {
        const NAMES: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        NAMES.get(self.month.wrapping_sub(1)).copied().unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days() {
        let date = Date::of(1_795_758_072);
        assert_eq!((date.year, date.month, date.day, date.weekday_name()), (2026, 11, 27, "Fri"));
        assert_eq!((date.hour, date.minute, date.second, date.month_name()), (5, 41, 12, "Nov"));
        assert_eq!(date.ctime(), "Fri Nov 27 05:41:12 2026");
        let date = Date::of(19_782 * 86_400);
        assert_eq!((date.year, date.month, date.day), (2024, 2, 29));
        assert_eq!(Date::of(0).weekday_name(), "Thu");
    }
}
