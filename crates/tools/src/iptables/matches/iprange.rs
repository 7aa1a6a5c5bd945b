//! `-m iprange`

use std::net::IpAddr;

use hairpin_netlink::netfilter::Match;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;

use super::not;

type Range = Option<(IpAddr, IpAddr, bool)>;

#[derive(Default)]
pub(super) struct IpRange {
    source: Range,
    destination: Range,
}

impl Reader<Match> for IpRange {
    fn name(&self) -> &'static str {
        "iprange"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[opt("src-range").invertible(), opt("dst-range").invertible()];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, rest: &mut Rest<'_, '_>) -> Result<(), Fail> {
        let (low, high) = given.value.split_once('-').unwrap_or((given.value, given.value));
        let address = |text: &str| {
            rest.names.parse_address(text).ok_or_else(|| {
                Fail::parameter(format!("iprange: Bad value for \"--{}\" option: \"{text}\"", given.name))
            })
        };
        let (low, high) = (address(low)?, address(high)?);
        if low > high {
            let _ = writeln!(
                rest.names.shell.err(),
                "xt_iprange: range {low}-{high} is reversed and will never match"
            );
        }
        let range = Some((low, high, given.invert));
        match given.id {
            "src-range" => self.source = range,
            _ => self.destination = range,
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        if self.source.is_none() && self.destination.is_none() {
            return Err(Fail::parameter("iprange match: You must specify `--src-range' or `--dst-range'"));
        }
        Ok(Match::IpRange { source: self.source, destination: self.destination })
    }
}

pub(super) fn saved(source: &Range, destination: &Range) -> String {
    let mut text = " -m iprange".to_owned();
    for (title, range) in [("src-range", source), ("dst-range", destination)] {
        if let Some((low, high, invert)) = range {
            text += &format!("{} --{title} {low}-{high}", not(*invert));
        }
    }
    text
}

pub(super) fn listed(source: &Range, destination: &Range) -> String {
    let mut text = String::new();
    for (title, range) in [("source", source), ("destination", destination)] {
        if let Some((low, high, invert)) = range {
            text += &format!(" {title} IP range{} {low}-{high}", not(*invert));
        }
    }
    text
}
