//! `-m hbh` and `-m dst`: the options in IPv6's headers of such.

use hairpin_netlink::netfilter::Match;
use hairpin_netlink::netfilter::headers::{Behind, Options};

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;
use super::span;

pub(super) struct Opts(Options);

impl Opts {
    pub fn new(hop_by_hop: bool) -> Opts {
        Opts(Options { hop_by_hop, ..Options::default() })
    }
}

fn name(hop_by_hop: bool) -> &'static str {
    if hop_by_hop { "hbh" } else { "dst" }
}

impl Reader<Match> for Opts {
    fn name(&self) -> &'static str {
        name(self.0.hop_by_hop)
    }

    fn options(&self) -> &'static [Opt] {
        const HOP_BY_HOP: &[Opt] = &[opt("hbh-len").invertible(), opt("hbh-opts")];
        const DESTINATION: &[Opt] = &[opt("dst-len").invertible(), opt("dst-opts")];
        if self.0.hop_by_hop { HOP_BY_HOP } else { DESTINATION }
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        match given.id {
            "hbh-len" | "dst-len" => {
                self.0.length = Some((given.number(0, u64::from(u32::MAX))? as u32, given.invert));
            }
            _ => self.0.options = options(self.name(), given.value)?,
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        Ok(Match::Behind(Box::new(Behind::Options(std::mem::take(&mut self.0)))))
    }
}

/// `parse_options`
fn options(of: &str, text: &str) -> Result<Vec<(u8, u8)>, Fail> {
    let words: Vec<&str> = text.split(',').collect();
    let mut found = Vec::new();
    for word in words.iter().take(Options::MAX) {
        let (kind, length) = match word.split_once(':') {
            Some((kind, length)) => (kind, Some(length)),
            None => (*word, None),
        };
        let kind = parse_number(of, "opt", kind)?;
        let length = match length {
            Some(_) if kind == 0 => return Err(Fail::parameter("PAD0 has not got length")),
            Some(length) => parse_number(of, "length", length)?,
            None => Options::ANY_LENGTH,
        };
        found.push((kind, length));
    }
    match words.len() > Options::MAX {
        true => Err(Fail::parameter("too many addresses specified")),
        false => Ok(found),
    }
}

/// A number, of which the low eight bits count (`parse_opts_num`).
fn parse_number(of: &str, what: &str, text: &str) -> Result<u8, Fail> {
    let (digits, base) = match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (text, 8),
        None => (text, 10),
    };
    let length = digits.find(|digit: char| !digit.is_digit(base)).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at_checked(length).unwrap_or((digits, ""));
    if digits.is_empty() {
        return Err(Fail::parameter(format!("{of}: no valid digits in {what} `{text}'")));
    }
    let Ok(number) = u64::from_str_radix(digits, base) else {
        return Err(Fail::parameter(format!("{what} `{text}' specified too big: would overflow")));
    };
    if !rest.is_empty() {
        return Err(Fail::parameter(format!("{of}: error parsing {what} `{text}'")));
    }
    Ok(number as u8)
}

fn joined(options: &[(u8, u8)]) -> String {
    let option = |(kind, length): &(u8, u8)| match *length {
        Options::ANY_LENGTH => kind.to_string(),
        length => format!("{kind}:{length}"),
    };
    options.iter().map(option).collect::<Vec<_>>().join(",")
}

pub(super) fn saved(wanted: &Options) -> String {
    let name = name(wanted.hop_by_hop);
    let mut text = format!(" -m {name}") + &span::saved_number(&format!("{name}-len"), wanted.length);
    if !wanted.options.is_empty() {
        text += &format!(" --{name}-opts {}", joined(&wanted.options));
    }
    text
}

pub(super) fn listed(wanted: &Options) -> String {
    let mut text = format!(" {}", name(wanted.hop_by_hop)) + &span::listed_number(" length", wanted.length);
    if !wanted.options.is_empty() {
        text += &format!(" opts {}", joined(&wanted.options));
    }
    text
}
