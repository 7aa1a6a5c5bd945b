//! `-j CT`

use hairpin_netlink::netfilter::Target;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;

#[derive(Default)]
pub(super) struct Ct {
    untracked: bool,
    helper: Option<String>,
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
            _ => {
                let name = given.name;
                return Err(Fail::Other(format!(
                    "CT: hairpin has no --{name}: it has no zones, and one table of times"
                )));
            }
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Target, Fail> {
        Ok(match self.untracked {
            true => Target::NoTrack { old_name: false },
            false => Target::Track { helper: self.helper.take() },
        })
    }
}

pub(super) fn saved(helper: Option<&str>) -> String {
    helper.map_or(String::new(), |helper| format!(" --helper {helper}"))
}

pub(super) fn listed(helper: Option<&str>) -> String {
    " CT".to_owned() + &helper.map_or(String::new(), |helper| format!(" helper {helper}"))
}
