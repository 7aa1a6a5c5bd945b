//! `-m hashlimit`

use hairpin_netlink::netfilter::counting::{HashLimit, hash_mode};
use hairpin_netlink::netfilter::{Family, Match};

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;
use super::super::names::number;

/// Parts of a second that intervals are counted in (`XT_HASHLIMIT_SCALE_v2`).
const SCALE: u64 = 1_000_000;
const BURST_MAX: u64 = 1_000_000;
/// Bytes that are counted as one (`XT_HASHLIMIT_BYTE_SHIFT`).
const BYTE_SHIFT: u32 = 4;
/// Seconds after which a bucket of bytes is forgotten, and one that may be filled before its time.
const BYTE_EXPIRE: u64 = 15;
const BYTE_EXPIRE_BURST: u64 = 60;
/// Units of bytes.
const SIZES: &[(&str, u64)] = &[("m", 1 << 20), ("k", 1 << 10), ("", 1)];
/// Units in seconds.
const UNITS: &[(&str, u64)] = &[("day", 86_400), ("hour", 3600), ("min", 60), ("sec", 1)];
/// In the order in which they are printed.
const MODES: &[(&str, u8)] = &[
    ("srcip", hash_mode::SOURCE),
    ("srcport", hash_mode::SOURCE_PORT),
    ("dstip", hash_mode::DESTINATION),
    ("dstport", hash_mode::DESTINATION_PORT),
];

#[derive(Default)]
pub(super) struct Reading {
    /// And whether what is above is wanted.
    rate: Option<(Rate, bool)>,
    burst: Option<u64>,
    mode: u8,
    name: String,
    source_prefix: Option<u8>,
    destination_prefix: Option<u8>,
    size: u32,
    max: u32,
    gc_interval: Option<u32>,
    expire: Option<u32>,
}

impl Reader<Match> for Reading {
    fn name(&self) -> &'static str {
        "hashlimit"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[
            opt("hashlimit-upto").invertible().exclusive(1),
            opt("hashlimit").alias("hashlimit-upto").invertible().exclusive(1),
            opt("hashlimit-above").invertible().exclusive(1),
            opt("hashlimit-srcmask"),
            opt("hashlimit-dstmask"),
            opt("hashlimit-burst"),
            opt("hashlimit-htable-size"),
            opt("hashlimit-htable-max"),
            opt("hashlimit-htable-expire"),
            opt("hashlimit-htable-gcinterval"),
            opt("hashlimit-mode"),
            opt("hashlimit-name").required(),
            opt("hashlimit-rate-match").flag(),
            opt("hashlimit-rate-interval").also("hashlimit-rate-match"),
        ];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        let max = u64::from(u32::MAX);
        match given.id {
            id @ ("hashlimit-upto" | "hashlimit-above") => {
                let rate = bytes_of(given.value).map_or_else(|| rate_of(given.value, id), Ok)?;
                self.rate = Some((rate, (id == "hashlimit-above") != given.invert));
            }
            // What is longer than an address the kernel refuses.
            "hashlimit-srcmask" => self.source_prefix = Some(given.number(0, 255)? as u8),
            "hashlimit-dstmask" => self.destination_prefix = Some(given.number(0, 255)? as u8),
            "hashlimit-burst" => {
                let (digits, factor) = match given.value.find(|c: char| !c.is_ascii_digit()) {
                    Some(at) if at > 0 => (&given.value[..at], factor(given.value.as_bytes().get(at))),
                    _ => (given.value, 1),
                };
                let burst = number(digits, u64::from(u32::MAX)).filter(|burst| *burst > 0);
                self.burst = Some(burst.map(|burst| burst * factor).ok_or_else(bad_burst)?);
            }
            "hashlimit-htable-size" => self.size = given.number(0, max)? as u32,
            "hashlimit-htable-max" => self.max = given.number(0, max)? as u32,
            "hashlimit-htable-expire" => self.expire = Some(given.number(0, max)? as u32),
            "hashlimit-htable-gcinterval" => self.gc_interval = Some(given.number(0, max)? as u32),
            "hashlimit-mode" => {
                for word in given.value.split(',').filter(|word| !word.is_empty()) {
                    let known = MODES.iter().find(|(name, _)| *name == word);
                    let bad = || {
                        let value = given.value;
                        Fail::parameter(format!(
                            "hashlimit: Bad value for \"--hashlimit-mode\" option: \"{value}\""
                        ))
                    };
                    self.mode |= known.ok_or_else(bad)?.1;
                }
            }
            "hashlimit-name" => given.value.clone_into(&mut self.name),
            id => return Err(Fail::Other(format!("hashlimit: hairpin has no --{id}"))),
        }
        Ok(())
    }

    fn first(&mut self) -> Result<(), Fail> {
        match self.rate {
            Some(_) => Ok(()),
            None => Err(Fail::parameter("You have to specify --hashlimit")),
        }
    }

    fn finish(&mut self, rest: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        let longest = if rest.family() == Family::Ipv4 { 32 } else { 128 };
        let (rate, above) = self.rate.unwrap_or((Rate { interval: SCALE, seconds: 1, bytes: false }, false));
        let (burst, seconds) = match (rate.bytes, self.burst) {
            (true, Some(burst)) => {
                let a_second = bytes_at(rate.interval);
                if burst < a_second || a_second == 0 {
                    return Err(Fail::parameter(format!("burst cannot be smaller than {a_second}b")));
                }
                (burst.div_ceil(a_second), BYTE_EXPIRE_BURST)
            }
            (true, None) => (0, rate.seconds),
            (false, Some(burst)) if burst > BURST_MAX => return Err(bad_burst()),
            (false, burst) => (burst.unwrap_or(5), rate.seconds),
        };
        Ok(Match::HashLimit(Box::new(HashLimit {
            name: std::mem::take(&mut self.name),
            interval: rate.interval,
            burst,
            bytes: rate.bytes,
            above,
            mode: self.mode,
            source_prefix: self.source_prefix.unwrap_or(longest),
            destination_prefix: self.destination_prefix.unwrap_or(longest),
            size: self.size,
            max: self.max,
            gc_interval: self.gc_interval.unwrap_or(1000),
            expire: self.expire.unwrap_or((seconds * 1000) as u32),
        })))
    }
}

/// A rate as it was given.
#[derive(Clone, Copy)]
struct Rate {
    interval: u64,
    /// The unit's, or after how many a bucket is forgotten.
    seconds: u64,
    bytes: bool,
}

fn bad_burst() -> Fail {
    Fail::parameter(format!("bad value for option \"--hashlimit-burst\", or out of range (1-{BURST_MAX})."))
}

/// `get_factor`
fn factor(letter: Option<&u8>) -> u64 {
    match letter {
        Some(b'm') => 1 << 20,
        Some(b'k') => 1 << 10,
        _ => 1,
    }
}

/// `NUMBER[k|m]b/s`, a rate in bytes (`parse_bytes`).
fn bytes_of(text: &str) -> Option<Rate> {
    let at = text.find("b/s").filter(|at| *at > 0)?;
    let bytes = leading(text).filter(|number| *number != 0)?;
    let bytes = bytes.saturating_mul(factor(text.as_bytes().get(at - 1)));
    Some(Rate { interval: cost_of(bytes), seconds: BYTE_EXPIRE, bytes: true })
}

/// `atoll`
fn leading(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

/// `bytes_to_cost`
fn cost_of(bytes: u64) -> u64 {
    // It has 32 bits there.
    let chunks = (bytes >> BYTE_SHIFT) as u32;
    u64::from(u32::MAX) / (u64::from(chunks) + 1)
}

/// `cost_to_bytes`
fn bytes_at(cost: u64) -> u64 {
    let chunks = u64::from(u32::MAX).checked_div(cost).unwrap_or(u64::from(u32::MAX));
    chunks.saturating_sub(1) << BYTE_SHIFT
}

/// The rate in bytes, what may come at once, and after how many seconds a bucket is forgotten (`print_bytes`).
fn of_bytes(found: &HashLimit, dashes: &str) -> (String, u64) {
    let bytes = bytes_at(found.interval);
    // The masks have 32 bits there.
    let fits = |unit: u64| cost_of(bytes & u64::from(!(unit as u32 - 1))) == found.interval;
    let unit = SIZES.iter().find(|(_, unit)| *unit == 1 || bytes >= *unit && fits(*unit));
    let (name, size) = unit.copied().unwrap_or(("", 1));
    let rate = format!("{}{name}b/s", bytes / size);
    if found.burst == 0 {
        return (rate, BYTE_EXPIRE);
    }
    let burst = bytes.saturating_mul(found.burst);
    let (name, size) = SIZES.iter().find(|(_, unit)| burst >= *unit).copied().unwrap_or(("", 1));
    (format!("{rate} {dashes}burst {}{name}b", burst / size), BYTE_EXPIRE_BURST)
}

/// `RATE[/UNIT]`
fn rate_of(text: &str, option: &str) -> Result<Rate, Fail> {
    let bad = || Fail::parameter(format!("hashlimit: Bad value for \"--{option}\" option: \"{text}\""));
    let (rate, unit) = match text.split_once('/') {
        Some((rate, unit)) => (rate, unit.to_lowercase()),
        None => (text, "second".to_owned()),
    };
    let seconds = match unit.as_str() {
        "" => return Err(bad()),
        unit if "second".starts_with(unit) => 1,
        unit if "minute".starts_with(unit) => 60,
        unit if "hour".starts_with(unit) => 3600,
        unit if "day".starts_with(unit) => 86_400,
        _ => return Err(bad()),
    };
    let rate = leading(rate).filter(|rate| *rate != 0).ok_or_else(bad)?;
    match seconds * SCALE / rate {
        0 => Err(Fail::parameter(format!("Rate too fast \"{text}\""))),
        interval => Ok(Rate { interval, seconds, bytes: false }),
    }
}

/// The rate, and the unit's seconds (`print_rate`).
fn rate(interval: u64) -> (String, u64) {
    let interval = interval.max(1);
    let mut chosen = ("day", 86_400);
    for (name, seconds) in UNITS.iter().skip(1) {
        let unit = seconds * SCALE;
        if interval > unit || unit / interval < unit % interval {
            break;
        }
        chosen = (name, *seconds);
    }
    (format!("{}/{}", chosen.1 * SCALE / interval, chosen.0), chosen.1)
}

fn text(found: &HashLimit, family: Family, saved: bool) -> String {
    let dashes = if saved { "--hashlimit-" } else { "" };
    let (rate, unit) = match found.bytes {
        true => of_bytes(found, dashes),
        false => {
            let (rate, unit) = rate(found.interval);
            (format!("{rate} {dashes}burst {}", found.burst), unit)
        }
    };
    let how = match (saved, found.above) {
        (true, true) => "--hashlimit-above",
        (true, false) => "--hashlimit-upto",
        (false, true) => "limit: above",
        (false, false) => "limit: up to",
    };
    let mut text = format!(" {how} {rate}");
    if found.mode != 0 {
        let names: Vec<&str> =
            MODES.iter().filter(|(_, bit)| found.mode & bit != 0).map(|(name, _)| *name).collect();
        text += &format!(" {dashes}mode {}", names.join(if saved { "," } else { "-" }));
    }
    if saved {
        text += &format!(" {dashes}name {}", found.name);
    }
    let longest = if family == Family::Ipv4 { 32 } else { 128 };
    let numbers = [
        ("htable-size", found.size, 0),
        ("htable-max", found.max, 0),
        ("htable-gcinterval", found.gc_interval, 1000),
        ("htable-expire", found.expire, (unit * 1000) as u32),
        ("srcmask", u32::from(found.source_prefix), longest),
        ("dstmask", u32::from(found.destination_prefix), longest),
    ];
    for (name, value, usual) in numbers {
        if value != usual {
            text += &format!(" {dashes}{name} {value}");
        }
    }
    text
}

pub(super) fn saved(found: &HashLimit, family: Family) -> String {
    " -m hashlimit".to_owned() + &text(found, family, true)
}

pub(super) fn listed(found: &HashLimit, family: Family) -> String {
    text(found, family, false)
}
