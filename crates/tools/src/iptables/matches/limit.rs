//! `-m limit`

use hairpin_netlink::netfilter::Match;

use hairpin_netlink::netfilter::matches::Limit;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;

/// Parts of a second that intervals are counted in (`XT_LIMIT_SCALE`).
const SCALE: u32 = 10_000;
/// Units by their first letter, in seconds.
const UNITS: &[(&str, u32)] = &[("day", 86_400), ("hour", 3600), ("min", 60), ("sec", 1)];

pub(super) struct Reading(Limit);

impl Default for Reading {
    fn default() -> Self {
        Reading(Limit { interval: interval("3/hour").unwrap_or(SCALE), burst: 5 })
    }
}

impl Reader<Match> for Reading {
    fn name(&self) -> &'static str {
        "limit"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[opt("limit"), opt("limit-burst")];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        match given.id {
            "limit" => {
                let bad = || Fail::parameter(format!("bad rate \"{}\"'", given.value));
                // `strtoul` takes a number with its sign.
                let positive = given.value.strip_prefix('-');
                self.0.interval = match positive {
                    Some(positive) => interval(positive).map(|_| 0),
                    None => interval(given.value),
                }
                .ok_or_else(bad)?;
                if self.0.interval == 0 {
                    return Err(Fail::parameter(format!("Rate too fast \"{}\"", given.value)));
                }
            }
            _ => self.0.burst = given.number(0, 10_000)? as u32,
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        Ok(Match::Limit(self.0))
    }
}

/// `RATE[/UNIT]`, a unit being any beginning of second, minute, hour, day.
fn interval(text: &str) -> Option<u32> {
    let (rate, unit) = match text.split_once('/') {
        Some((rate, unit)) => (rate, unit.to_lowercase()),
        None => (text, "second".to_owned()),
    };
    let seconds = match unit.as_str() {
        "" => return None,
        unit if "second".starts_with(unit) => 1,
        unit if "minute".starts_with(unit) => 60,
        unit if "hour".starts_with(unit) => 3600,
        unit if "day".starts_with(unit) => 86_400,
        _ => return None,
    };
    let rate: u32 = rate.parse().ok().filter(|rate| *rate != 0)?;
    Some(seconds * SCALE / rate)
}

/// The largest unit in which the rate is a whole number, or near enough (`print_rate`).
fn rate(interval: u32) -> String {
    let interval = interval.max(1);
    let mut chosen = ("day", 86_400 * SCALE);
    for (name, seconds) in UNITS.iter().skip(1) {
        let unit = seconds * SCALE;
        if interval > unit || unit / interval < unit % interval {
            break;
        }
        chosen = (name, unit);
    }
    format!("{}/{}", chosen.1 / interval, chosen.0)
}

pub(super) fn saved(limit: &Limit) -> String {
    let mut text = format!(" -m limit --limit {}", rate(limit.interval));
    if limit.burst != 5 {
        text += &format!(" --limit-burst {}", limit.burst);
    }
    text
}

pub(super) fn listed(limit: &Limit) -> String {
    format!(" limit: avg {} burst {}", rate(limit.interval), limit.burst)
}
