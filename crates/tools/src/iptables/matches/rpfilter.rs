//! `-m rpfilter`

use hairpin_netlink::netfilter::Match;
use hairpin_netlink::netfilter::matches::RpFilter;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;

#[derive(Default)]
pub(super) struct Reading(RpFilter);

impl Reader<Match> for Reading {
    fn name(&self) -> &'static str {
        "rpfilter"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] =
            &[opt("loose").flag(), opt("validmark").flag(), opt("accept-local").flag(), opt("invert").flag()];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        match given.id {
            "loose" => self.0.loose = true,
            "validmark" => self.0.mark = true,
            "accept-local" => self.0.accept_local = true,
            _ => self.0.invert = true,
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        Ok(Match::RpFilter(self.0))
    }
}

fn text(found: &RpFilter, dashes: &str) -> String {
    let flags = [
        (found.loose, "loose"),
        (found.mark, "validmark"),
        (found.accept_local, "accept-local"),
        (found.invert, "invert"),
    ];
    flags.iter().filter(|(is, _)| *is).map(|(_, name)| format!(" {dashes}{name}")).collect()
}

pub(super) fn saved(found: &RpFilter) -> String {
    " -m rpfilter".to_owned() + &text(found, "--")
}

pub(super) fn listed(found: &RpFilter) -> String {
    " rpfilter".to_owned() + &text(found, "")
}
