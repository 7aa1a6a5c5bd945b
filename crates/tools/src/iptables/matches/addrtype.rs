//! `-m addrtype`

use hairpin_netlink::netfilter::Match;

use hairpin_netlink::netfilter::matches::{AddrType, address_type};

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;

use super::not;

const KINDS: &[(&str, u16)] = &[
    ("UNSPEC", address_type::UNSPEC),
    ("UNICAST", address_type::UNICAST),
    ("LOCAL", address_type::LOCAL),
    ("BROADCAST", address_type::BROADCAST),
    ("ANYCAST", address_type::ANYCAST),
    ("MULTICAST", address_type::MULTICAST),
    ("BLACKHOLE", address_type::BLACKHOLE),
    ("UNREACHABLE", address_type::UNREACHABLE),
    ("PROHIBIT", address_type::PROHIBIT),
    ("THROW", address_type::THROW),
    ("NAT", address_type::NAT),
    ("XRESOLVE", address_type::XRESOLVE),
];

#[derive(Default)]
pub(super) struct Reading(AddrType);

impl Reader<Match> for Reading {
    fn name(&self) -> &'static str {
        "addrtype"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[
            opt("src-type").invertible(),
            opt("dst-type").invertible(),
            opt("limit-iface-in").flag().exclusive(1),
            opt("limit-iface-out").flag().exclusive(1),
        ];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        match given.id {
            "src-type" => self.0.source = Some((parse(given.value)?, given.invert)),
            "dst-type" => self.0.destination = Some((parse(given.value)?, given.invert)),
            "limit-iface-in" => self.0.limit_input = true,
            _ => self.0.limit_output = true,
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        if self.0.source.is_none() && self.0.destination.is_none() {
            return Err(Fail::parameter("addrtype: you must specify --src-type or --dst-type"));
        }
        Ok(Match::AddrType(self.0))
    }
}

fn parse(text: &str) -> Result<u16, Fail> {
    let mut kinds = 0;
    for word in text.split(',') {
        let known = KINDS.iter().find(|(name, _)| !word.is_empty() && name.starts_with(&word.to_uppercase()));
        let (_, bit) = known.ok_or_else(|| Fail::parameter(format!("addrtype: bad type \"{text}\"")))?;
        kinds |= bit;
    }
    Ok(kinds)
}

fn names_of(kinds: u16) -> String {
    let set: Vec<&str> = KINDS.iter().filter(|(_, bit)| kinds & bit != 0).map(|(name, _)| *name).collect();
    set.join(",")
}

pub(super) fn saved(found: &AddrType) -> String {
    let mut text = " -m addrtype".to_owned();
    for (title, kinds) in [("src-type", found.source), ("dst-type", found.destination)] {
        if let Some((kinds, invert)) = kinds {
            text += &format!("{} --{title} {}", not(invert), names_of(kinds));
        }
    }
    text += if found.limit_input { " --limit-iface-in" } else { "" };
    text += if found.limit_output { " --limit-iface-out" } else { "" };
    text
}

pub(super) fn listed(found: &AddrType) -> String {
    let mut text = " ADDRTYPE match".to_owned();
    for (title, kinds) in [("src-type", found.source), ("dst-type", found.destination)] {
        if let Some((kinds, invert)) = kinds {
            text += &format!(" {title} {}{}", if invert { "!" } else { "" }, names_of(kinds));
        }
    }
    text += if found.limit_input { " limit-in" } else { "" };
    text += if found.limit_output { " limit-out" } else { "" };
    text
}
