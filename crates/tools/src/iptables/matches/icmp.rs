//! `-m icmp`, `-m icmp6`

use hairpin_netlink::netfilter::{Family, Match};

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;
use super::super::names::number;
use super::not;

/// A name, its type and its codes.
type Named = (&'static str, u8, u8, u8);

/// ICMP messages by name (RFC 792, RFC 1812); names with one meaning stand together.
const NAMES: &[Named] = &[
    ("any", 255, 0, 255),
    ("echo-reply", 0, 0, 255),
    ("pong", 0, 0, 255),
    ("destination-unreachable", 3, 0, 255),
    ("network-unreachable", 3, 0, 0),
    ("host-unreachable", 3, 1, 1),
    ("protocol-unreachable", 3, 2, 2),
    ("port-unreachable", 3, 3, 3),
    ("fragmentation-needed", 3, 4, 4),
    ("source-route-failed", 3, 5, 5),
    ("network-unknown", 3, 6, 6),
    ("host-unknown", 3, 7, 7),
    ("network-prohibited", 3, 9, 9),
    ("host-prohibited", 3, 10, 10),
    ("TOS-network-unreachable", 3, 11, 11),
    ("TOS-host-unreachable", 3, 12, 12),
    ("communication-prohibited", 3, 13, 13),
    ("host-precedence-violation", 3, 14, 14),
    ("precedence-cutoff", 3, 15, 15),
    ("source-quench", 4, 0, 255),
    ("redirect", 5, 0, 255),
    ("network-redirect", 5, 0, 0),
    ("host-redirect", 5, 1, 1),
    ("TOS-network-redirect", 5, 2, 2),
    ("TOS-host-redirect", 5, 3, 3),
    ("echo-request", 8, 0, 255),
    ("ping", 8, 0, 255),
    ("router-advertisement", 9, 0, 255),
    ("router-solicitation", 10, 0, 255),
    ("time-exceeded", 11, 0, 255),
    ("ttl-exceeded", 11, 0, 255),
    ("ttl-zero-during-transit", 11, 0, 0),
    ("ttl-zero-during-reassembly", 11, 1, 1),
    ("parameter-problem", 12, 0, 255),
    ("ip-header-bad", 12, 0, 0),
    ("required-option-missing", 12, 1, 1),
    ("timestamp-request", 13, 0, 255),
    ("timestamp-reply", 14, 0, 255),
    ("address-mask-request", 17, 0, 255),
    ("address-mask-reply", 18, 0, 255),
];

/// ICMPv6 messages by name (RFC 4443, RFC 4861).
const NAMES6: &[Named] = &[
    ("destination-unreachable", 1, 0, 255),
    ("no-route", 1, 0, 0),
    ("communication-prohibited", 1, 1, 1),
    ("beyond-scope", 1, 2, 2),
    ("address-unreachable", 1, 3, 3),
    ("port-unreachable", 1, 4, 4),
    ("failed-policy", 1, 5, 5),
    ("reject-route", 1, 6, 6),
    ("packet-too-big", 2, 0, 255),
    ("time-exceeded", 3, 0, 255),
    ("ttl-exceeded", 3, 0, 255),
    ("ttl-zero-during-transit", 3, 0, 0),
    ("ttl-zero-during-reassembly", 3, 1, 1),
    ("parameter-problem", 4, 0, 255),
    ("bad-header", 4, 0, 0),
    ("unknown-header-type", 4, 1, 1),
    ("unknown-option", 4, 2, 2),
    ("echo-request", 128, 0, 255),
    ("ping", 128, 0, 255),
    ("echo-reply", 129, 0, 255),
    ("pong", 129, 0, 255),
    ("router-solicitation", 133, 0, 255),
    ("router-advertisement", 134, 0, 255),
    ("neighbour-solicitation", 135, 0, 255),
    ("neighbor-solicitation", 135, 0, 255),
    ("neighbour-advertisement", 136, 0, 255),
    ("neighbor-advertisement", 136, 0, 255),
    ("redirect", 137, 0, 255),
];

fn names(family: Family) -> &'static [Named] {
    if family == Family::Ipv4 { NAMES } else { NAMES6 }
}

pub(super) struct Icmp {
    family: Family,
    found: Option<(u8, (u8, u8), bool)>,
}

impl Icmp {
    pub fn new(family: Family) -> Icmp {
        Icmp { family, found: None }
    }
}

impl Reader<Match> for Icmp {
    fn name(&self) -> &'static str {
        if self.family == Family::Ipv4 { "icmp" } else { "icmp6" }
    }

    fn options(&self) -> &'static [Opt] {
        const ICMP: &[Opt] = &[opt("icmp-type").invertible().required()];
        const ICMP6: &[Opt] = &[opt("icmpv6-type").invertible().required()];
        if self.family == Family::Ipv4 { ICMP } else { ICMP6 }
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        let (kind, codes) = parse(given.value, self.family)?;
        self.found = Some((kind, codes, given.invert));
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        let (kind, codes, invert) = self.found.unwrap_or((255, (0, 255), false));
        Ok(Match::Icmp { kind, codes, invert })
    }
}

/// A name, a part of one that fits no other, or `TYPE[/CODE]`.
fn parse(text: &str, family: Family) -> Result<(u8, (u8, u8)), Fail> {
    let lower = text.to_lowercase();
    let fits = |(name, ..): &&Named| name.to_lowercase().starts_with(&lower);
    let title = if family == Family::Ipv4 { "ICMP" } else { "ICMPv6" };
    let mut found = names(family).iter().filter(fits);
    if !lower.is_empty()
        && let Some((first, kind, low, high)) = found.next()
    {
        if !first.eq_ignore_ascii_case(text)
            && let Some((second, ..)) = found.next()
        {
            return Err(Fail::parameter(format!(
                "Ambiguous {title} type `{text}': `{first}' or `{second}'?"
            )));
        }
        return Ok((*kind, (*low, *high)));
    }
    let (kind, code) = match text.split_once('/') {
        Some((kind, code)) => (kind, Some(code)),
        None => (text, None),
    };
    let Some(number_of_kind) = number(kind, 255) else {
        return Err(Fail::parameter(format!("Unknown {title} type `{kind}'")));
    };
    let codes = match code {
        None => (0, 255),
        Some(code) => {
            let code =
                number(code, 255).ok_or_else(|| Fail::parameter(format!("Unknown {title} code `{text}'")))?;
            (code as u8, code as u8)
        }
    };
    Ok((number_of_kind as u8, codes))
}

pub(super) fn saved(kind: u8, (low, high): (u8, u8), invert: bool, family: Family) -> String {
    let not = not(invert);
    match family {
        Family::Ipv4 if kind == 255 => format!(" -m icmp{not} --icmp-type any"),
        Family::Ipv4 if (low, high) == (0, 255) => format!(" -m icmp{not} --icmp-type {kind}"),
        Family::Ipv4 => format!(" -m icmp{not} --icmp-type {kind}/{low}"),
        Family::Ipv6 if (low, high) == (0, 255) => format!(" -m icmp6{not} --icmpv6-type {kind}"),
        Family::Ipv6 => format!(" -m icmp6{not} --icmpv6-type {kind}/{low}"),
    }
}

pub(super) fn listed(kind: u8, codes: (u8, u8), invert: bool, family: Family, numeric: bool) -> String {
    let not = if invert { "!" } else { "" };
    let title = if family == Family::Ipv4 { " icmp" } else { " ipv6-icmp" };
    let named = names(family).iter().find(|(_, known, low, high)| *known == kind && (*low, *high) == codes);
    match named {
        Some((name, ..)) if !numeric => return format!("{title} {not}{name}"),
        _ => {}
    }
    let code = match codes {
        (0, 255) => String::new(),
        (low, high) if low == high => format!(" code {low}"),
        (low, high) => format!(" codes {low}-{high}"),
    };
    let between = if invert { " !" } else { "" };
    format!("{title}{between}type {kind}{code}")
}
