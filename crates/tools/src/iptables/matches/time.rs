//! `-m time`

use hairpin_netlink::netfilter::Match;
use hairpin_netlink::netfilter::matches::Clock;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;
use crate::calendar::Date;

const DAY: u32 = 24 * 60 * 60;
/// The last moment that a date of 32 bits has.
const LAST: u32 = i32::MAX as u32;
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

pub(super) struct Reading(Clock);

impl Default for Reading {
    fn default() -> Self {
        Reading(Clock {
            dates: (0, LAST),
            daytime: (0, DAY - 1),
            weekdays: Clock::ALL_WEEKDAYS,
            monthdays: Clock::ALL_MONTHDAYS,
            local: false,
            contiguous: false,
        })
    }
}

impl Reader<Match> for Reading {
    fn name(&self) -> &'static str {
        "time"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[
            opt("datestart"),
            opt("datestop"),
            opt("timestart"),
            opt("timestop"),
            opt("contiguous").flag(),
            opt("weekdays").invertible(),
            opt("monthdays").invertible(),
            opt("localtz").flag(),
            opt("utc").flag(),
            opt("kerneltz").flag(),
        ];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        let wanted = &mut self.0;
        match given.id {
            "datestart" => wanted.dates.0 = date(given.value, false)?,
            "datestop" => wanted.dates.1 = date(given.value, true)?,
            "timestart" => wanted.daytime.0 = daytime(given.value)?,
            "timestop" => wanted.daytime.1 = daytime(given.value)?,
            "contiguous" => wanted.contiguous = true,
            "weekdays" => {
                let days = weekdays(given.value)?;
                wanted.weekdays = if given.invert { Clock::ALL_WEEKDAYS & !days } else { days };
            }
            "monthdays" => {
                let days = monthdays(given.value)?;
                wanted.monthdays = if given.invert { Clock::ALL_MONTHDAYS & !days } else { days };
            }
            // What was once the default, and another name of the kernel's time zone.
            "localtz" | "kerneltz" => wanted.local = true,
            _ => wanted.local = false,
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        Ok(Match::Time(self.0))
    }
}

/// `YYYY[-MM[-DD[Thh[:mm[:ss]]]]]` in seconds since 1970 (`time_parse_date`); what is missing is the earliest.
fn date(text: &str, is_end: bool) -> Result<u32, Fail> {
    let bad = |why: &str| {
        Fail::parameter(format!(
            "Invalid date \"{text}\" specified. Should be YYYY[-MM[-DD[Thh[:mm[:ss]]]]]{why}"
        ))
    };
    let (day, time) = text.split_once('T').map_or((text, None), |(day, time)| (day, Some(time)));
    let mut parts = day.split('-').map(|part| part.parse::<u32>());
    let mut next = |missing: u32| parts.next().unwrap_or(Ok(missing)).map_err(|_| bad(""));
    let (year, month, day) = (next(0)?, next(1)?, next(1)?);
    if !(1970..=2038).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return Err(bad(""));
    }
    let mut seconds = 0;
    if let Some(time) = time {
        let mut parts = time.split(':').map(|part| part.parse::<u32>());
        for (scale, below) in [(3600, 24), (60, 60), (1, 60)] {
            let part =
                parts.next().unwrap_or(Ok(0)).ok().filter(|part| *part < below).ok_or_else(|| bad(""))?;
            seconds += part * scale;
        }
    }
    let days = Date::days_before(year, month, day);
    let moment = days * u64::from(DAY) + u64::from(seconds);
    let _ = is_end;
    u32::try_from(moment).map_err(|_| bad(""))
}

/// `hh:mm[:ss]` in seconds (`time_parse_minutes`).
fn daytime(text: &str) -> Result<u32, Fail> {
    let bad = || {
        Fail::parameter(format!(
            "invalid time \"{text}\" specified, should be hh:mm[:ss] format and within the boundaries"
        ))
    };
    let parts: Vec<u32> =
        text.split(':').map(|part| part.parse().map_err(|_| bad())).collect::<Result<_, _>>()?;
    match parts.as_slice() {
        [hour @ ..=23, minute @ ..=59] => Ok(hour * 3600 + minute * 60),
        [hour @ ..=23, minute @ ..=59, second @ ..=59] => Ok(hour * 3600 + minute * 60 + second),
        _ => Err(bad()),
    }
}

fn weekdays(text: &str) -> Result<u8, Fail> {
    let mut days = 0;
    for word in text.split(',') {
        let number = match word.parse::<usize>() {
            Ok(number @ 0..=7) => {
                if number == 0 {
                    7
                } else {
                    number
                }
            }
            Ok(_) => return Err(Fail::parameter(format!("weekday {word} is not in the range 0-7"))),
            Err(_) => {
                let start: String = word.chars().take(2).collect();
                let known = WEEKDAYS
                    .iter()
                    .position(|day| day.get(..2).is_some_and(|two| two.eq_ignore_ascii_case(&start)));
                known.ok_or_else(|| Fail::parameter(format!("no such weekday: {word}")))? + 1
            }
        };
        days |= 1 << number;
    }
    Ok(days)
}

fn monthdays(text: &str) -> Result<u32, Fail> {
    let mut days = 0;
    for word in text.split(',') {
        match word.parse::<u32>() {
            Ok(day @ 1..=31) => days |= 1 << day,
            _ => return Err(Fail::parameter(format!("\"{word}\" is not a valid day or range"))),
        }
    }
    Ok(days)
}

fn clock(seconds: u32) -> String {
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn shown_weekdays(days: u8) -> String {
    let set = WEEKDAYS.iter().enumerate().filter(|(at, _)| days & 2 << at != 0);
    set.map(|(_, name)| *name).collect::<Vec<_>>().join(",")
}

fn shown_monthdays(days: u32, for_people: bool) -> String {
    let ending = |day: u32| match (for_people, day) {
        (false, _) => "",
        (true, 1 | 21 | 31) => "st",
        (true, 2 | 22) => "nd",
        (true, 3 | 23) => "rd",
        (true, _) => "th",
    };
    let set = (1..=31).filter(|day| days & 1 << day != 0);
    set.map(|day| format!("{day}{}", ending(day))).collect::<Vec<_>>().join(",")
}

/// With `between` the day and the time: a T in rules, a blank in lists.
fn shown_date(seconds: u32, between: char) -> String {
    let date = Date::of(u64::from(seconds));
    format!(
        "{:04}-{:02}-{:02}{between}{:02}:{:02}:{:02}",
        date.year, date.month, date.day, date.hour, date.minute, date.second
    )
}

pub(super) fn saved(found: &Clock) -> String {
    let mut text = " -m time".to_owned();
    if found.daytime != (0, DAY - 1) {
        text += &format!(" --timestart {} --timestop {}", clock(found.daytime.0), clock(found.daytime.1));
    }
    if found.monthdays != Clock::ALL_MONTHDAYS {
        text += &format!(" --monthdays {}", shown_monthdays(found.monthdays, false));
    }
    if found.weekdays != Clock::ALL_WEEKDAYS {
        text += &format!(" --weekdays {}", shown_weekdays(found.weekdays));
    }
    if found.dates.0 != 0 {
        text += &format!(" --datestart {}", shown_date(found.dates.0, 'T'));
    }
    // The end of time is written out too where numbers are longer than it needs.
    text += &format!(" --datestop {}", shown_date(found.dates.1, 'T'));
    if found.local {
        text += " --kerneltz";
    }
    if found.contiguous {
        text += " --contiguous";
    }
    text
}

pub(super) fn listed(found: &Clock) -> String {
    let mut text = " TIME".to_owned();
    if found.daytime != (0, DAY - 1) {
        text += &format!(" from {} to {}", clock(found.daytime.0), clock(found.daytime.1));
    }
    if found.weekdays != Clock::ALL_WEEKDAYS {
        text += &format!(" on {}", shown_weekdays(found.weekdays));
    }
    if found.monthdays != Clock::ALL_MONTHDAYS {
        text += &format!(" on {}", shown_monthdays(found.monthdays, true));
    }
    if found.dates.0 != 0 {
        text += &format!(" starting from {}", shown_date(found.dates.0, ' '));
    }
    if found.dates.1 != LAST {
        text += &format!(" until date {}", shown_date(found.dates.1, ' '));
    }
    if !found.local {
        text += " UTC";
    }
    if found.contiguous {
        text += " contiguous";
    }
    text
}
