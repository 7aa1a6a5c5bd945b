//! `-m rt`: IPv6's routing header.

use std::net::Ipv6Addr;

use hairpin_netlink::netfilter::Match;
use hairpin_netlink::netfilter::headers::{Behind, Routing};

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;
use super::span;

#[derive(Default)]
pub(super) struct Rt(Routing);

impl Reader<Match> for Rt {
    fn name(&self) -> &'static str {
        "rt"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[
            opt("rt-type").invertible(),
            opt("rt-segsleft").invertible(),
            opt("rt-len").invertible(),
            opt("rt-0-res").flag(),
            opt("rt-0-addrs"),
            opt("rt-0-not-strict").flag(),
        ];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        let wanted = &mut self.0;
        let max = u64::from(u32::MAX);
        if matches!(given.id, "rt-0-res" | "rt-0-addrs") && wanted.kind != Some((0, false)) {
            let id = given.id;
            return Err(Fail::parameter(format!("`--rt-type 0' required before `--{id}'")));
        }
        match given.id {
            "rt-type" => wanted.kind = Some((given.number(0, max)? as u32, given.invert)),
            "rt-segsleft" => wanted.segments_left = span::parse(given)?,
            "rt-len" => wanted.length = Some((given.number(0, max)? as u32, given.invert)),
            "rt-0-res" => wanted.reserved = true,
            "rt-0-addrs" => wanted.addresses = addresses(given.value)?,
            _ if wanted.addresses.is_empty() => {
                return Err(Fail::parameter("`--rt-0-addr ...' required before `--rt-0-not-strict'"));
            }
            _ => wanted.not_strict = true,
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        Ok(Match::Behind(Box::new(Behind::Routing(std::mem::take(&mut self.0)))))
    }
}

fn addresses(text: &str) -> Result<Vec<Ipv6Addr>, Fail> {
    let words: Vec<&str> = text.split(',').collect();
    let address = |word: &&str| word.parse().map_err(|_| Fail::parameter(format!("bad address: {word}")));
    let found: Result<Vec<Ipv6Addr>, Fail> = words.iter().take(Routing::ADDRESSES_MAX).map(address).collect();
    match found {
        Ok(_) if words.len() > Routing::ADDRESSES_MAX => Err(Fail::parameter("too many addresses specified")),
        found => found,
    }
}

fn joined(addresses: &[Ipv6Addr]) -> String {
    addresses.iter().map(Ipv6Addr::to_string).collect::<Vec<_>>().join(",")
}

pub(super) fn saved(wanted: &Routing) -> String {
    let mut text = " -m rt".to_owned()
        + &span::saved_number("rt-type", wanted.kind)
        + &span::saved("rt-segsleft", &wanted.segments_left)
        + &span::saved_number("rt-len", wanted.length);
    if wanted.reserved {
        text += " --rt-0-res";
    }
    if !wanted.addresses.is_empty() {
        text += &format!(" --rt-0-addrs {}", joined(&wanted.addresses));
    }
    if wanted.not_strict {
        text += " --rt-0-not-strict";
    }
    text
}

pub(super) fn listed(wanted: &Routing) -> String {
    let mut text = " rt".to_owned()
        + &span::listed_number(" type", wanted.kind)
        + &span::listed(" segsleft", &wanted.segments_left)
        + &span::listed_number(" length", wanted.length);
    if wanted.reserved {
        text += " reserved";
    }
    if !wanted.addresses.is_empty() {
        text += &format!(" 0-addrs {}", joined(&wanted.addresses));
    }
    if wanted.not_strict {
        text += " 0-not-strict";
    }
    text
}
