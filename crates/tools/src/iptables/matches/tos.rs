//! `-m tos`

use hairpin_netlink::netfilter::Match;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;
use super::super::names::number;
use super::not;

const NAMES: &[(&str, u8)] = &[
    ("Minimize-Delay", 0x10),
    ("Maximize-Throughput", 0x08),
    ("Maximize-Reliability", 0x04),
    ("Minimize-Cost", 0x02),
    ("Normal-Service", 0x00),
];
/// The bits that a name stands for: without those of ECN, as far as they were known then.
const NAMED_MASK: u8 = 0x3f;

#[derive(Default)]
pub(super) struct Tos(u8, u8, bool);

impl Reader<Match> for Tos {
    fn name(&self) -> &'static str {
        "tos"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[opt("tos").invertible().required()];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        let (value, mask) = value_of(given.value)?;
        (self.0, self.1, self.2) = (value, mask, given.invert);
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        Ok(Match::Tos { value: self.0, mask: self.1, invert: self.2 })
    }
}

/// A name, or `VALUE[/MASK]` (`xtopt_parse_tosmask`).
pub(in super::super) fn value_of(text: &str) -> Result<(u8, u8), Fail> {
    let (value, mask) = match text.split_once('/') {
        Some((value, mask)) => (value, Some(mask)),
        None => (text, None),
    };
    if let Some(value) = number(value, 255) {
        let mask = mask.map_or(Some(255), |mask| number(mask, 255));
        let mask = mask.ok_or_else(|| Fail::parameter(format!("Illegal value: \"{text}\"")))?;
        return Ok((value as u8, mask as u8));
    }
    let named = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
    let unknown = || Fail::parameter(format!("Symbolic name \"{text}\" is unknown"));
    named.map(|(_, value)| (*value, NAMED_MASK)).ok_or_else(unknown)
}

/// The name of a value under a mask.
pub(in super::super) fn name_of(value: u8, mask: u8) -> Option<&'static str> {
    let named = NAMES.iter().find(|(_, known)| mask == NAMED_MASK && *known == value);
    named.map(|(name, _)| *name)
}

pub(super) fn saved(value: u8, mask: u8, invert: bool) -> String {
    format!(" -m tos{} --tos 0x{value:02x}/0x{mask:02x}", not(invert))
}

pub(super) fn listed(value: u8, mask: u8, invert: bool, numeric: bool) -> String {
    let not = if invert { "!" } else { "" };
    match name_of(value, mask) {
        Some(name) if !numeric => format!(" tos match{not} {name}"),
        _ => format!(" tos match{not}0x{value:02x}/0x{mask:02x}"),
    }
}
