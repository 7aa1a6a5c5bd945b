//! `-m quota`

use hairpin_netlink::netfilter::Match;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;
use super::not;

#[derive(Default)]
pub(super) struct Quota(u64, bool);

impl Reader<Match> for Quota {
    fn name(&self) -> &'static str {
        "quota"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[opt("quota").invertible().required()];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        (self.0, self.1) = (given.number(0, u64::MAX)?, given.invert);
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        Ok(Match::Quota { bytes: self.0, invert: self.1 })
    }
}

pub(super) fn saved(bytes: u64, invert: bool) -> String {
    format!(" -m quota{} --quota {bytes}", not(invert))
}

pub(super) fn listed(bytes: u64) -> String {
    format!(" quota: {bytes} bytes")
}
