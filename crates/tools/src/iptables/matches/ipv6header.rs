//! `-m ipv6header`: which extension headers a packet has.

use hairpin_netlink::netfilter::Match;
use hairpin_netlink::netfilter::headers::{Behind, Headers};

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;
use super::super::names::{PROTOCOLS, number};
use super::not;
use super::span::exclamation;

/// Bits with long names, short ones, and the headers' numbers; the protocol behind them all is none of them.
const NAMES: &[(u8, &str, &str, u8)] = &[
    (0x80, "hop-by-hop", "hop", 0),
    (0x40, "ipv6-opts", "dst", 60),
    (0x20, "ipv6-route", "route", 43),
    (0x10, "ipv6-frag", "frag", 44),
    (0x08, "ah", "auth", 51),
    (0x04, "esp", "esp", 50),
    (0x02, "ipv6-nonxt", "none", 59),
    (0x01, "protocol", "prot", 255),
];

#[derive(Default)]
pub(super) struct Ipv6Header(Headers);

impl Reader<Match> for Ipv6Header {
    fn name(&self) -> &'static str {
        "ipv6header"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[opt("header").invertible().required(), opt("soft").flag()];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        if given.id == "soft" {
            self.0.soft = true;
            return Ok(());
        }
        let words: Vec<&str> = given.value.split(',').filter(|word| !word.is_empty()).collect();
        if words.is_empty() {
            return Err(Fail::parameter("ip6t_ipv6header: cannot parse header names"));
        }
        for word in words {
            self.0.mask |= bit(word)?;
        }
        self.0.invert = given.invert;
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        Ok(Match::Behind(Box::new(Behind::Headers(self.0))))
    }
}

/// `add_proto_to_mask` of `name_to_proto`
fn bit(word: &str) -> Result<u8, Fail> {
    let named = NAMES.iter().find(|(_, long, short, _)| *long == word || *short == word);
    if let Some((bit, ..)) = named {
        return Ok(*bit);
    }
    // Protocols have numbers, most of which are no extension header's.
    let by_name = PROTOCOLS.iter().find(|(name, _)| *name == word).map(|(_, number)| *number);
    let by_number = number(word, u64::from(u8::MAX)).map(|number| number as u8);
    let found = by_name.or(by_number);
    let known = found.and_then(|found| NAMES.iter().find(|(.., number)| *number == found));
    known.map(|(bit, ..)| *bit).ok_or_else(|| {
        let shown = by_name.map_or_else(|| word.to_owned(), |number| number.to_string());
        Fail::parameter(format!("unknown header `{shown}' specified"))
    })
}

fn names(mask: u8) -> String {
    let found = NAMES.iter().filter(|(bit, ..)| mask & bit != 0).map(|(_, long, ..)| *long);
    found.collect::<Vec<_>>().join(",")
}

pub(super) fn saved(wanted: &Headers) -> String {
    let soft = if wanted.soft { " --soft" } else { "" };
    format!(" -m ipv6header{} --header {}{soft}", not(wanted.invert), names(wanted.mask))
}

pub(super) fn listed(wanted: &Headers, numeric: bool) -> String {
    let soft = if wanted.soft { " soft" } else { "" };
    let mask = match numeric {
        true => format!("0x{:02X}", wanted.mask),
        false => names(wanted.mask),
    };
    format!(" ipv6header flags:{}{mask}{soft}", exclamation(wanted.invert))
}
