//! `-m length`

use hairpin_netlink::netfilter::Match;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;

use super::not;

#[derive(Default)]
pub(super) struct Length(u16, u16, bool);

impl Reader<Match> for Length {
    fn name(&self) -> &'static str {
        "length"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[opt("length").invertible().required()];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        let (low, high) = given.range(u64::from(u16::MAX))?;
        (self.0, self.1) = (low as u16, high as u16);
        self.2 = given.invert;
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        Ok(Match::Length { low: self.0, high: self.1, invert: self.2 })
    }
}

fn text(low: u16, high: u16) -> String {
    if low == high { low.to_string() } else { format!("{low}:{high}") }
}

pub(super) fn saved(low: u16, high: u16, invert: bool) -> String {
    format!(" -m length{} --length {}", not(invert), text(low, high))
}

pub(super) fn listed(low: u16, high: u16, invert: bool) -> String {
    format!(" length {}{}", if invert { "!" } else { "" }, text(low, high))
}
