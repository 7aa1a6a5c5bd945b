//! `-m hashlimit`

use hairpin_netlink::netfilter::counting::{HashLimit, hash_mode};
use hairpin_netlink::netfilter::{Family, Match};

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;
use super::super::names::number;

/// Parts of a second that intervals are counted in (`XT_HASHLIMIT_SCALE_v2`).
const SCALE: u64 = 1_000_000;
const BURST_MAX: u64 = 1_000_000;
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
    /// The interval, the unit's seconds, and whether what is above is wanted.
    rate: Option<(u64, u64, bool)>,
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
                let (interval, unit) = rate_of(given.value, id)?;
                self.rate = Some((interval, unit, (id == "hashlimit-above") != given.invert));
            }
            // What is longer than an address the kernel refuses.
            "hashlimit-srcmask" => self.source_prefix = Some(given.number(0, 255)? as u8),
            "hashlimit-dstmask" => self.destination_prefix = Some(given.number(0, 255)? as u8),
            "hashlimit-burst" => {
                let burst = number(given.value, BURST_MAX).filter(|burst| *burst > 0);
                let bad = || {
                    Fail::parameter(format!(
                        "bad value for option \"--hashlimit-burst\", or out of range (1-{BURST_MAX})."
                    ))
                };
                self.burst = Some(burst.ok_or_else(bad)?);
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
        let (interval, unit, above) = self.rate.unwrap_or((SCALE, 1, false));
        Ok(Match::HashLimit(Box::new(HashLimit {
            name: std::mem::take(&mut self.name),
            interval,
            burst: self.burst.unwrap_or(5),
            above,
            mode: self.mode,
            source_prefix: self.source_prefix.unwrap_or(longest),
            destination_prefix: self.destination_prefix.unwrap_or(longest),
            size: self.size,
            max: self.max,
            gc_interval: self.gc_interval.unwrap_or(1000),
            expire: self.expire.unwrap_or((unit * 1000) as u32),
        })))
    }
}

/// `RATE[/UNIT]`: the interval, and the unit's seconds.
fn rate_of(text: &str, option: &str) -> Result<(u64, u64), Fail> {
    let bad = || Fail::parameter(format!("hashlimit: Bad value for \"--{option}\" option: \"{text}\""));
    let (rate, unit) = match text.split_once('/') {
        Some((rate, unit)) => (rate, unit.to_lowercase()),
        None => (text, "second".to_owned()),
    };
    if rate.ends_with('b') {
        return Err(Fail::Other("hashlimit: hairpin has no rates in bytes".to_owned()));
    }
    let seconds = match unit.as_str() {
        "" => return Err(bad()),
        unit if "second".starts_with(unit) => 1,
        unit if "minute".starts_with(unit) => 60,
        unit if "hour".starts_with(unit) => 3600,
        unit if "day".starts_with(unit) => 86_400,
        _ => return Err(bad()),
    };
    let rate: u64 = rate.parse().ok().filter(|rate| *rate != 0).ok_or_else(bad)?;
    match seconds * SCALE / rate {
        0 => Err(Fail::parameter(format!("Rate too fast \"{text}\""))),
        interval => Ok((interval, seconds)),
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
    let (rate, unit) = rate(found.interval);
    let dashes = if saved { "--hashlimit-" } else { "" };
    let how = match (saved, found.above) {
        (true, true) => "--hashlimit-above",
        (true, false) => "--hashlimit-upto",
        (false, true) => "limit: above",
        (false, false) => "limit: up to",
    };
    let mut text = format!(" {how} {rate} {dashes}burst {}", found.burst);
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
