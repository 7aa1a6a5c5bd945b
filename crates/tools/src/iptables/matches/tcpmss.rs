//! `-m tcpmss`

use hairpin_netlink::netfilter::Match;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;
use super::not;

#[derive(Default)]
pub(super) struct TcpMss(u16, u16, bool);

impl Reader<Match> for TcpMss {
    fn name(&self) -> &'static str {
        "tcpmss"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[opt("mss").invertible().required()];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        let (low, high) = given.range(u64::from(u16::MAX))?;
        if low > high {
            return Err(Fail::parameter("tcpmss: invalid range given"));
        }
        (self.0, self.1, self.2) = (low as u16, high as u16, given.invert);
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        Ok(Match::TcpMss { low: self.0, high: self.1, invert: self.2 })
    }
}

fn span(low: u16, high: u16) -> String {
    if low == high { low.to_string() } else { format!("{low}:{high}") }
}

pub(super) fn saved(low: u16, high: u16, invert: bool) -> String {
    format!(" -m tcpmss{} --mss {}", not(invert), span(low, high))
}

pub(super) fn listed(low: u16, high: u16, invert: bool) -> String {
    format!(" tcpmss match {}{}", if invert { "!" } else { "" }, span(low, high))
}
