//! `-j CT`

use hairpin_netlink::netfilter::Target;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;

#[derive(Default)]
pub(super) struct Ct(bool);

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
        if given.id != "notrack" {
            let name = given.name;
            return Err(Fail::Other(format!("CT: hairpin has no --{name}: it has no zones and no helpers")));
        }
        self.0 = true;
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Target, Fail> {
        match self.0 {
            true => Ok(Target::NoTrack { old_name: false }),
            false => Err(Fail::Other("CT: hairpin knows --notrack only".to_owned())),
        }
    }
}
