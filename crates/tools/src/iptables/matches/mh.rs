//! `-m mh`: the type of a mobility header.

use hairpin_netlink::netfilter::Match;
use hairpin_netlink::netfilter::headers::Behind;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;
use super::super::names::number;
use super::not;
use super::span::exclamation;

/// RFC 6275 §6.1, with short names.
const NAMES: &[(&str, u8)] = &[
    ("binding-refresh-request", 0),
    ("brr", 0),
    ("home-test-init", 1),
    ("hoti", 1),
    ("careof-test-init", 2),
    ("coti", 2),
    ("home-test", 3),
    ("hot", 3),
    ("careof-test", 4),
    ("cot", 4),
    ("binding-update", 5),
    ("bu", 5),
    ("binding-acknowledgement", 6),
    ("ba", 6),
    ("binding-error", 7),
    ("be", 7),
];

pub(super) struct Mh(u8, u8, bool);

impl Default for Mh {
    fn default() -> Mh {
        Mh(0, u8::MAX, false)
    }
}

impl Reader<Match> for Mh {
    fn name(&self) -> &'static str {
        "mh"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[opt("mh-type").invertible()];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        let (low, high) = match given.value.split_once(':') {
            Some((low, high)) => (
                if low.is_empty() { 0 } else { kind(low)? },
                if high.is_empty() { u8::MAX } else { kind(high)? },
            ),
            None => kind(given.value).map(|kind| (kind, kind))?,
        };
        if low > high {
            return Err(Fail::parameter("Invalid MH type range (min > max)"));
        }
        *self = Mh(low, high, given.invert);
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        Ok(Match::Behind(Box::new(Behind::Mobility(self.0, self.1, self.2))))
    }
}

/// A type by the beginning of its name, the whole name before others; or by number (`name_to_type`).
fn kind(text: &str) -> Result<u8, Fail> {
    let begins = |name: &str| name.get(..text.len()).is_some_and(|head| head.eq_ignore_ascii_case(text));
    let whole = NAMES.iter().rfind(|(name, _)| name.eq_ignore_ascii_case(text));
    let found = whole.or_else(|| NAMES.iter().find(|(name, _)| begins(name))).map(|(_, kind)| *kind);
    let by_number = || number(text, u64::from(u8::MAX)).map(|number| number as u8);
    found.or_else(by_number).ok_or_else(|| Fail::parameter(format!("Invalid MH type `{text}'")))
}

fn text(low: u8, high: u8, name: impl Fn(u8) -> String) -> String {
    if low == high { name(low) } else { format!("{}:{}", name(low), name(high)) }
}

pub(super) fn saved(low: u8, high: u8, invert: bool) -> String {
    if (low, high) == (0, u8::MAX) {
        return " -m mh".to_owned();
    }
    format!(" -m mh{} --mh-type {}", not(invert), text(low, high, |kind| kind.to_string()))
}

pub(super) fn listed(low: u8, high: u8, invert: bool, numeric: bool) -> String {
    if (low, high, invert) == (0, u8::MAX, false) {
        return " mh".to_owned();
    }
    let name = |kind: u8| {
        let known = NAMES.iter().find(|(_, known)| *known == kind && !numeric);
        known.map_or_else(|| kind.to_string(), |(name, _)| (*name).to_owned())
    };
    format!(" mh {}{}", exclamation(invert), text(low, high, name))
}
