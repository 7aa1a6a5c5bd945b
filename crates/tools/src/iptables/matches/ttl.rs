//! `-m ttl`; for IPv6 `-m hl`

use hairpin_netlink::netfilter::matches::Comparison;
use hairpin_netlink::netfilter::{Family, Match};

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;

pub(super) struct Ttl {
    family: Family,
    found: Option<(Comparison, u8)>,
}

impl Ttl {
    pub fn new(family: Family) -> Ttl {
        Ttl { family, found: None }
    }
}

impl Reader<Match> for Ttl {
    fn name(&self) -> &'static str {
        if self.family == Family::Ipv4 { "ttl" } else { "hl" }
    }

    fn options(&self) -> &'static [Opt] {
        const TTL: &[Opt] = &[
            opt("ttl-lt").exclusive(1),
            opt("ttl-gt").exclusive(1),
            opt("ttl-eq").invertible().exclusive(1),
            opt("ttl").alias("ttl-eq").invertible().exclusive(1),
        ];
        const HL: &[Opt] = &[
            opt("hl-lt").exclusive(1),
            opt("hl-gt").exclusive(1),
            opt("hl-eq").invertible().exclusive(1),
            opt("hl").alias("hl-eq").invertible().exclusive(1),
        ];
        if self.family == Family::Ipv4 { TTL } else { HL }
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        let value = given.number(0, 255)? as u8;
        let comparison = match given.id {
            "ttl-lt" | "hl-lt" => Comparison::Less,
            "ttl-gt" | "hl-gt" => Comparison::Greater,
            _ if given.invert => Comparison::NotEqual,
            _ => Comparison::Equal,
        };
        self.found = Some((comparison, value));
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        let missing = match self.family {
            Family::Ipv4 => "TTL match: You must specify one of `--ttl-eq', `--ttl-lt', `--ttl-gt",
            Family::Ipv6 => "HL match: You must specify one of `--hl-eq', `--hl-lt', `--hl-gt'",
        };
        let (comparison, value) = self.found.ok_or_else(|| Fail::parameter(missing))?;
        Ok(Match::Ttl { comparison, value })
    }
}

pub(super) fn saved(comparison: Comparison, value: u8, family: Family) -> String {
    let name = if family == Family::Ipv4 { "ttl" } else { "hl" };
    let (not, how) = match comparison {
        Comparison::Equal => ("", "eq"),
        Comparison::NotEqual => (" !", "eq"),
        Comparison::Less => ("", "lt"),
        Comparison::Greater => ("", "gt"),
    };
    format!(" -m {name}{not} --{name}-{how} {value}")
}

pub(super) fn listed(comparison: Comparison, value: u8, family: Family) -> String {
    let name = if family == Family::Ipv4 { "TTL" } else { "HL" };
    let sign = match comparison {
        Comparison::Equal => "==",
        Comparison::NotEqual => "!=",
        Comparison::Less => "<",
        Comparison::Greater => ">",
    };
    format!(" {name} match {name} {sign} {value}")
}
