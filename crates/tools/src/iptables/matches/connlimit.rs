//! `-m connlimit`

use hairpin_netlink::netfilter::counting::ConnLimit;
use hairpin_netlink::netfilter::{Family, Match, Network};

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;
use super::super::names::number;

#[derive(Default)]
pub(super) struct Reading {
    limit: Option<(u32, bool)>,
    prefix: Option<u8>,
    destination: bool,
}

impl Reader<Match> for Reading {
    fn name(&self) -> &'static str {
        "connlimit"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[
            opt("connlimit-upto").invertible().exclusive(1),
            opt("connlimit-above").invertible().exclusive(1),
            opt("connlimit-mask"),
            opt("connlimit-saddr").flag().exclusive(2),
            opt("connlimit-daddr").flag().exclusive(2),
        ];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, rest: &mut Rest<'_, '_>) -> Result<(), Fail> {
        let longest = if rest.family() == Family::Ipv4 { 32 } else { 128 };
        match given.id {
            "connlimit-saddr" => self.destination = false,
            "connlimit-daddr" => self.destination = true,
            "connlimit-mask" => {
                let mask = rest.names.parse_address(given.value);
                let of_mask = mask.and_then(|mask| Network { address: mask, mask, invert: false }.prefix());
                // What is longer than an address counts as its length.
                let bits = number(given.value, u64::from(u32::MAX)).map(|bits| bits.min(longest) as u32);
                let bad = || {
                    Fail::parameter(format!(
                        "connlimit: bad value for option \"--connlimit-mask\", neither a valid network mask nor \
                         valid CIDR (0-{longest}).\n"
                    ))
                };
                self.prefix = Some(bits.or(of_mask).ok_or_else(bad)? as u8);
            }
            id => {
                let limit = given.number(0, u64::from(u32::MAX))? as u32;
                self.limit = Some((limit, (id == "connlimit-upto") != given.invert));
            }
        }
        Ok(())
    }

    fn finish(&mut self, rest: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        let missing = || Fail::parameter("You must specify \"--connlimit-above\" or \"--connlimit-upto\".");
        let (limit, up_to) = self.limit.ok_or_else(missing)?;
        let longest = if rest.family() == Family::Ipv4 { 32 } else { 128 };
        let prefix = self.prefix.unwrap_or(longest);
        Ok(Match::ConnLimit(ConnLimit { limit, up_to, prefix, destination: self.destination }))
    }
}

pub(super) fn saved(found: &ConnLimit) -> String {
    let how = if found.up_to { "upto" } else { "above" };
    let side = if found.destination { "daddr" } else { "saddr" };
    let ConnLimit { limit, prefix, .. } = found;
    format!(" -m connlimit --connlimit-{how} {limit} --connlimit-mask {prefix} --connlimit-{side}")
}

pub(super) fn listed(found: &ConnLimit) -> String {
    let how = if found.up_to { "<=" } else { ">" };
    let side = if found.destination { "dst" } else { "src" };
    format!(" #conn {side}/{} {how} {}", found.prefix, found.limit)
}
