//! `-j CT`

use hairpin_netlink::netfilter::Target;
use hairpin_netlink::netfilter::targets::Zone;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;
use super::super::names::number;

#[derive(Default)]
pub(super) struct Ct {
    untracked: bool,
    helper: Option<String>,
    zone: Option<Zone>,
}

impl Reader<Target> for Ct {
    fn name(&self) -> &'static str {
        "CT"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[
            opt("notrack").flag(),
            opt("helper"),
            opt("timeout"),
            opt("ctevents"),
            opt("expevents"),
            opt("zone"),
            opt("zone-orig"),
            opt("zone-reply"),
        ];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        match given.id {
            "notrack" => self.untracked = true,
            "helper" => self.helper = Some(given.value.to_owned()),
            "zone" | "zone-orig" | "zone-reply" => {
                let id = match given.value {
                    "mark" => None,
                    text => Some(zone(text)?),
                };
                let known = self.zone.unwrap_or(Zone { id, original: false, reply: false });
                let original = known.original || given.id == "zone-orig";
                let reply = known.reply || given.id == "zone-reply";
                self.zone = Some(Zone { id, original, reply });
            }
            name => {
                return Err(Fail::Other(format!(
                    "CT: hairpin has no --{name}: every event is told, and one table of times"
                )));
            }
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Target, Fail> {
        Ok(match self.untracked {
            true => Target::NoTrack { old_name: false },
            false => Target::Track { helper: self.helper.take(), zone: self.zone.map(both_ways) },
        })
    }
}

/// Where no direction is named, both are.
fn both_ways(zone: Zone) -> Zone {
    let none = !zone.original && !zone.reply;
    Zone { original: zone.original || none, reply: zone.reply || none, ..zone }
}

fn zone(text: &str) -> Result<u16, Fail> {
    let found = number(text, u64::from(u16::MAX)).and_then(|number| u16::try_from(number).ok());
    found.ok_or_else(|| Fail::parameter(format!("Cannot parse {text} as a zone ID")))
}

pub(super) fn saved(helper: Option<&str>, zone: Option<Zone>) -> String {
    helper.map_or(String::new(), |helper| format!(" --helper {helper}")) + &of_zone(" --", zone)
}

pub(super) fn listed(helper: Option<&str>, zone: Option<Zone>) -> String {
    " CT".to_owned()
        + &helper.map_or(String::new(), |helper| format!(" helper {helper}"))
        + &of_zone(" ", zone)
}

fn of_zone(before: &str, zone: Option<Zone>) -> String {
    let Some(Zone { id, original, reply }) = zone.filter(|zone| zone.id != Some(0)) else {
        return String::new();
    };
    let name = match (original, reply) {
        (true, false) => "zone-orig",
        (false, true) => "zone-reply",
        _ => "zone",
    };
    match id {
        None => format!("{before}{name} mark"),
        Some(id) => format!("{before}{name} {id}"),
    }
}
