//! `-m ah`: IPsec's authentication header.

use hairpin_netlink::netfilter::headers::{Authentication, Behind};
use hairpin_netlink::netfilter::{Family, Match};

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;
use super::span;

pub(super) struct Ah {
    wanted: Authentication,
    family: Family,
}

impl Ah {
    pub fn new(family: Family) -> Ah {
        Ah { wanted: Authentication::default(), family }
    }
}

impl Reader<Match> for Ah {
    fn name(&self) -> &'static str {
        "ah"
    }

    fn options(&self) -> &'static [Opt] {
        const IPV4: &[Opt] = &[opt("ahspi").invertible()];
        const IPV6: &[Opt] = &[opt("ahspi").invertible(), opt("ahlen").invertible(), opt("ahres").flag()];
        if self.family == Family::Ipv4 { IPV4 } else { IPV6 }
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        match given.id {
            "ahspi" => self.wanted.spi = span::parse(given)?,
            "ahlen" => self.wanted.length = (given.number(0, u64::from(u32::MAX))? as u32, given.invert),
            _ => self.wanted.reserved = true,
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        Ok(Match::Behind(Box::new(Behind::Ah(self.wanted))))
    }
}

fn length(wanted: &Authentication) -> Option<(u32, bool)> {
    (wanted.length.0 != 0).then_some(wanted.length)
}

pub(super) fn saved(wanted: &Authentication) -> String {
    let reserved = if wanted.reserved { " --ahres" } else { "" };
    let length = span::saved_number("ahlen", length(wanted));
    format!(" -m ah{}{length}{reserved}", span::saved("ahspi", &wanted.spi))
}

pub(super) fn listed(wanted: &Authentication) -> String {
    let reserved = if wanted.reserved { " reserved" } else { "" };
    let length = span::listed_number("length", length(wanted));
    format!(" ah {}{length}{reserved}", span::listed("spi", &wanted.spi))
}
