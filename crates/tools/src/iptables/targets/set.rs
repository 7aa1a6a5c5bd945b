//! `-j SET`

use hairpin_netlink::netfilter::Target;
use hairpin_netlink::netfilter::ipset::SetChange;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;
use super::super::matches::set::{shown, sides};

#[derive(Default)]
pub(super) struct Reading(SetChange);

impl Reader<Target> for Reading {
    fn name(&self) -> &'static str {
        "SET"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[
            opt("add-set").two().invertible(),
            opt("del-set").two().invertible(),
            opt("map-set").two(),
            opt("exist").flag(),
            opt("timeout"),
            opt("map-mark").flag(),
            opt("map-prio").flag(),
            opt("map-queue").flag(),
        ];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, rest: &mut Rest<'_, '_>) -> Result<(), Fail> {
        match given.id {
            "add-set" => self.0.add = Some(sides(given, rest.names)?),
            "del-set" => self.0.delete = Some(sides(given, rest.names)?),
            "exist" => self.0.exist = true,
            "timeout" => {
                let value = given.value.parse().ok().filter(|seconds| *seconds != u32::MAX);
                let bad =
                    || Fail::parameter("Invalid value for option --timeout or out of range 0-4294967294");
                self.0.timeout_s = Some(value.ok_or_else(bad)?);
            }
            name => return Err(Fail::Other(format!("SET: hairpin has no --{name}"))),
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Target, Fail> {
        if self.0.add.is_none() && self.0.delete.is_none() {
            return Err(Fail::parameter("You must specify either `--add-set' or `--del-set' or `--map-set'"));
        }
        Ok(Target::Set(Box::new(std::mem::take(&mut self.0))))
    }
}

fn text(change: &SetChange, dashes: &str) -> String {
    let mut text = String::new();
    if let Some(sides) = &change.add {
        text += &format!(" {dashes}add-set {}", shown(sides));
        if change.exist {
            text += &format!(" {dashes}exist");
        }
        if let Some(seconds) = change.timeout_s {
            text += &format!(" {dashes}timeout {seconds}");
        }
    }
    if let Some(sides) = &change.delete {
        text += &format!(" {dashes}del-set {}", shown(sides));
    }
    text
}

pub(super) fn saved(change: &SetChange) -> String {
    text(change, "--")
}

pub(super) fn listed(change: &SetChange) -> String {
    text(change, "")
}
