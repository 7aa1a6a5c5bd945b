//! `-j TTL`; for IPv6 `-j HL`

use hairpin_netlink::netfilter::targets::TtlChange;
use hairpin_netlink::netfilter::{Family, Target};

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;

pub(super) struct Ttl {
    family: Family,
    change: Option<(TtlChange, u8)>,
}

impl Ttl {
    pub fn new(family: Family) -> Ttl {
        Ttl { family, change: None }
    }
}

impl Reader<Target> for Ttl {
    fn name(&self) -> &'static str {
        if self.family == Family::Ipv4 { "TTL" } else { "HL" }
    }

    fn options(&self) -> &'static [Opt] {
        const TTL: &[Opt] =
            &[opt("ttl-set").exclusive(1), opt("ttl-inc").exclusive(1), opt("ttl-dec").exclusive(1)];
        const HL: &[Opt] =
            &[opt("hl-set").exclusive(1), opt("hl-inc").exclusive(1), opt("hl-dec").exclusive(1)];
        if self.family == Family::Ipv4 { TTL } else { HL }
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        self.change = Some(match given.id.rsplit('-').next() {
            Some("set") => (TtlChange::Set, given.number(0, 255)? as u8),
            Some("inc") => (TtlChange::Increase, given.number(1, 255)? as u8),
            _ => (TtlChange::Decrease, given.number(1, 255)? as u8),
        });
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Target, Fail> {
        let name = self.name();
        let missing = || Fail::parameter(format!("{name}: You must specify an action"));
        let (change, value) = self.change.ok_or_else(missing)?;
        Ok(Target::Ttl { change, value })
    }
}

pub(super) fn saved(change: TtlChange, value: u8, family: Family) -> String {
    let name = if family == Family::Ipv4 { "ttl" } else { "hl" };
    let how = match change {
        TtlChange::Set => "set",
        TtlChange::Increase => "inc",
        TtlChange::Decrease => "dec",
    };
    format!(" --{name}-{how} {value}")
}

pub(super) fn listed(change: TtlChange, value: u8, family: Family) -> String {
    let name = if family == Family::Ipv4 { "TTL" } else { "HL" };
    let how = match change {
        TtlChange::Set => "set to",
        TtlChange::Increase => "increment by",
        TtlChange::Decrease => "decrement by",
    };
    format!(" {name} {how} {value}")
}
