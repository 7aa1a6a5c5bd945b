//! `-m ecn`

use hairpin_netlink::netfilter::Match;
use hairpin_netlink::netfilter::counting::Ecn;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;
use super::not;

#[derive(Default)]
pub(super) struct Reading(Ecn);

impl Reader<Match> for Reading {
    fn name(&self) -> &'static str {
        "ecn"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[
            opt("ecn-tcp-cwr").flag().invertible(),
            opt("ecn-tcp-ece").flag().invertible(),
            opt("ecn-ip-ect").invertible(),
        ];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        match given.id {
            "ecn-tcp-cwr" => self.0.cwr = Some(!given.invert),
            "ecn-tcp-ece" => self.0.ece = Some(!given.invert),
            _ => self.0.ip = Some((given.number(0, 3)? as u8, given.invert)),
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        match self.0 == Ecn::default() {
            true => Err(Fail::parameter("ECN match: some option required")),
            false => Ok(Match::Ecn(self.0)),
        }
    }
}

pub(super) fn saved(found: &Ecn) -> String {
    let mut text = " -m ecn".to_owned();
    for (name, wanted) in [("ece", found.ece), ("cwr", found.cwr)] {
        if let Some(wanted) = wanted {
            text += &format!("{} --ecn-tcp-{name}", not(!wanted));
        }
    }
    if let Some((bits, invert)) = found.ip {
        text += &format!("{} --ecn-ip-ect {bits}", not(invert));
    }
    text
}

pub(super) fn listed(found: &Ecn) -> String {
    let mut text = " ECN match".to_owned();
    for (name, wanted) in [("ECE", found.ece), ("CWR", found.cwr)] {
        if let Some(wanted) = wanted {
            text += &format!(" {}{name}", if wanted { "" } else { "!" });
        }
    }
    if let Some((bits, invert)) = found.ip {
        text += &format!(" {}ECT={bits}", if invert { "!" } else { "" });
    }
    text
}
