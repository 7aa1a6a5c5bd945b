//! `-m esp`: IPsec's encrypted packets.

use hairpin_netlink::netfilter::Match;
use hairpin_netlink::netfilter::headers::{Behind, Span};

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;
use super::span;

#[derive(Default)]
pub(super) struct Esp(Span);

impl Reader<Match> for Esp {
    fn name(&self) -> &'static str {
        "esp"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[opt("espspi").invertible()];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        self.0 = span::parse(given)?;
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        Ok(Match::Behind(Box::new(Behind::Esp(self.0))))
    }
}

pub(super) fn saved(spi: &Span) -> String {
    " -m esp".to_owned() + &span::saved("espspi", spi)
}

pub(super) fn listed(spi: &Span) -> String {
    " esp".to_owned() + &span::listed(" spi", spi)
}
