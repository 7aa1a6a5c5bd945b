//! A route's metrics (`RTAX_*`): `mtu 1400`, `rtt 20ms`, `congctl lock bbr`, …

use hairpin_netlink::core::Nla;
use hairpin_netlink::route::route::RouteMetric;

use crate::iproute2::number::{get_u32, strtoul};
use crate::iproute2::{Args, Stop, matches};

/// What a metric's value looks like.
enum Kind {
    Number(fn(u32) -> RouteMetric),
    /// A number up to 255.
    Byte(fn(u32) -> RouteMetric),
    /// 0 or 1.
    Switch(fn(u32) -> RouteMetric),
    /// A time; the kernel counts in the given fraction of a millisecond where a unit was written.
    Time(fn(u32) -> RouteMetric, u32),
    Features,
    Algorithm,
}

/// One metric's keyword.
struct Keyword {
    word: &'static str,
    /// How error texts call it.
    called: &'static str,
    abbreviated: bool,
    lock: Lock,
    kind: Kind,
}

enum Lock {
    Never,
    /// With the word `lock`.
    Asked,
    Always,
}

macro_rules! keyword {
    ($word:literal, $abbreviated:literal, $lock:ident, $kind:expr) => {
        keyword!($word, $word, $abbreviated, $lock, $kind)
    };
    ($word:literal, $called:literal, $abbreviated:literal, $lock:ident, $kind:expr) => {
        Keyword { word: $word, called: $called, abbreviated: $abbreviated, lock: Lock::$lock, kind: $kind }
    };
}

/// In the order in which abbreviations are resolved.
const KEYWORDS: &[Keyword] = &[
    keyword!("mtu", false, Asked, Kind::Number(RouteMetric::Mtu)),
    keyword!("hoplimit", false, Asked, Kind::Byte(RouteMetric::Hoplimit)),
    keyword!("advmss", "mss", false, Asked, Kind::Number(RouteMetric::Advmss)),
    keyword!("reordering", true, Asked, Kind::Number(RouteMetric::Reordering)),
    keyword!("rtt", false, Asked, Kind::Time(RouteMetric::Rtt, 8)),
    keyword!("rto_min", false, Always, Kind::Time(RouteMetric::RtoMin, 1)),
    keyword!("window", true, Asked, Kind::Number(RouteMetric::Window)),
    keyword!("cwnd", true, Asked, Kind::Number(RouteMetric::Cwnd)),
    keyword!("initcwnd", true, Asked, Kind::Number(RouteMetric::InitCwnd)),
    keyword!("initrwnd", true, Asked, Kind::Number(RouteMetric::InitRwnd)),
    keyword!("features", true, Never, Kind::Features),
    keyword!("quickack", true, Never, Kind::Switch(RouteMetric::QuickAck)),
    keyword!("congctl", true, Asked, Kind::Algorithm),
    keyword!("rttvar", true, Asked, Kind::Time(RouteMetric::RttVar, 4)),
    keyword!("ssthresh", true, Asked, Kind::Number(RouteMetric::SsThresh)),
    keyword!("fastopen_no_cookie", true, Never, Kind::Switch(RouteMetric::FastopenNoCookie)),
];

/// The metrics of a route under construction.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    values: Vec<RouteMetric>,
    /// Bit `k` set: the kernel may not adjust metric `k` by what it learns.
    locked: u32,
}

impl Metrics {
    /// Takes a metric's value if `word` is a metric's keyword.
    ///
    /// # Errors
    /// The value is missing or invalid.
    pub(super) fn take(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        let named = |k: &&Keyword| k.word == word || (k.abbreviated && matches(word, k.word));
        let Some(keyword) = KEYWORDS.iter().find(named) else {
            return Ok(false);
        };
        let mut text = args.value()?;
        let lock = match keyword.lock {
            Lock::Never => false,
            Lock::Always => true,
            Lock::Asked if text == "lock" => {
                text = args.value()?;
                true
            }
            Lock::Asked => false,
        };
        let invalid = || Stop::invarg(&format!("\"{}\" value is invalid\n", keyword.called), text);
        let number = || get_u32(text, 0);
        let metric = match keyword.kind {
            Kind::Number(make) => make(number().ok_or_else(invalid)?),
            Kind::Byte(make) => make(number().filter(|n| *n <= 255).ok_or_else(invalid)?),
            Kind::Switch(make) => match number().ok_or_else(invalid)? {
                value @ 0..=1 => make(value),
                _ => {
                    let message = format!("\"{}\" value should be 0 or 1\n", keyword.called);
                    return Err(Stop::invarg(&message, text));
                }
            },
            Kind::Time(make, fraction) => {
                let (value, raw) = time(text).ok_or_else(invalid)?;
                make(if raw { value } else { value.wrapping_mul(fraction) })
            }
            Kind::Features if text == "ecn" => RouteMetric::Features(1),
            Kind::Features => return Err(Stop::invarg("\"features\" value not valid\n", text)),
            Kind::Algorithm => RouteMetric::CcAlgo(text.to_owned()),
        };
        if lock {
            self.locked |= 1 << metric.kind();
        }
        self.values.push(metric);
        Ok(true)
    }

    /// The metrics for `RTA_METRICS`; none where none was given.
    pub(super) fn finish(mut self) -> Option<Vec<RouteMetric>> {
        if self.values.is_empty() {
            return None;
        }
        if self.locked != 0 {
            self.values.push(RouteMetric::Lock(self.locked));
        }
        Some(self.values)
    }
}

/// A time in milliseconds, and whether it was written without a unit (then it is in the kernel's own).
fn time(text: &str) -> Option<(u32, bool)> {
    let (value, unit) = if text.contains('.') {
        let end = text.find(|c: char| !matches!(c, '0'..='9' | '.' | '+' | '-')).unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        (number.parse::<f64>().ok().filter(|value| *value >= 0.0)?, unit)
    } else {
        let (value, unit) = strtoul(text, 0)?;
        (value as f64, unit)
    };
    let milliseconds = match unit.to_ascii_lowercase().as_str() {
        "" | "ms" | "msec" | "msecs" => value,
        "s" | "sec" | "secs" => value * 1000.0,
        _ => return None,
    };
    Some((milliseconds.ceil() as u32, unit.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Option<Vec<RouteMetric>>, Stop> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let mut args = Args::new(&words);
        let mut metrics = Metrics::default();
        while let Some(word) = args.take() {
            assert!(metrics.take(word, &mut args)?, "{word}");
        }
        Ok(metrics.finish())
    }

    #[test]
    fn values_locks_and_units() {
        let values = parse(&["mtu", "lock", "1400", "rtt", "20ms", "rttvar", "5", "rto_min", "1.5s"]);
        assert_eq!(
            values,
            Ok(Some(vec![
                RouteMetric::Mtu(1400),
                RouteMetric::Rtt(160),
                RouteMetric::RttVar(5),
                RouteMetric::RtoMin(1500),
                RouteMetric::Lock(1 << 2 | 1 << 13),
            ]))
        );
        assert_eq!(parse(&[]), Ok(None));
    }

    #[test]
    fn bad_values_are_refused_with_their_keyword() {
        let text = |words: &[&str]| parse(words).map_err(|stop| stop.text);
        assert_eq!(
            text(&["advmss", "x"]),
            Err("Error: argument \"x\" is wrong: \"mss\" value is invalid\n\n".to_owned())
        );
        assert_eq!(
            text(&["quickack", "2"]),
            Err("Error: argument \"2\" is wrong: \"quickack\" value should be 0 or 1\n\n".to_owned())
        );
        assert_eq!(parse(&["mtu"]), Err(Stop::incomplete()));
    }
}
