//! `-m pkttype`

use hairpin_netlink::netfilter::Match;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;

use super::not;

const KINDS: &[(&str, u8)] = &[
    ("unicast", 0),
    ("broadcast", 1),
    ("multicast", 2),
    ("otherhost", 3),
    // Other names of the same.
    ("bcast", 1),
    ("mcast", 2),
    ("host", 0),
];

#[derive(Default)]
pub(super) struct PktType(u8, bool);

impl Reader<Match> for PktType {
    fn name(&self) -> &'static str {
        "pkttype"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[opt("pkt-type").invertible().required()];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        let known = KINDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(given.value));
        let (_, kind) = known.ok_or_else(|| Fail::parameter(format!("Bad packet type '{}'", given.value)))?;
        (self.0, self.1) = (*kind, given.invert);
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        Ok(Match::PktType { kind: self.0, invert: self.1 })
    }
}

fn name_of(kind: u8) -> String {
    let known = KINDS.iter().find(|(_, known)| *known == kind);
    known.map_or_else(|| kind.to_string(), |(name, _)| (*name).to_owned())
}

pub(super) fn saved(kind: u8, invert: bool) -> String {
    format!(" -m pkttype{} --pkt-type {}", not(invert), name_of(kind))
}

pub(super) fn listed(kind: u8, invert: bool) -> String {
    format!(" PKTTYPE {} {}", if invert { "!=" } else { "=" }, name_of(kind))
}
