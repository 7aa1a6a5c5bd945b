//! `-m eui64`: a sender whose IPv6 address is made of its MAC.

use hairpin_netlink::netfilter::Match;
use hairpin_netlink::netfilter::headers::Behind;

use super::super::extension::{Given, Opt, Reader, Rest};
use super::super::fail::Fail;

pub(super) struct Eui64;

impl Reader<Match> for Eui64 {
    fn name(&self) -> &'static str {
        "eui64"
    }

    fn options(&self) -> &'static [Opt] {
        &[]
    }

    fn option(&mut self, _: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        Ok(Match::Behind(Box::new(Behind::Eui64)))
    }
}

pub(super) const SAVED: &str = " -m eui64";
/// The real program leaves no space in front, and one behind.
pub(super) const LISTED: &str = "eui64 ";
