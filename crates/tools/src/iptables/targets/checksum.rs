//! `-j CHECKSUM`

use hairpin_netlink::netfilter::Target;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;

pub(super) struct Checksum;

impl Reader<Target> for Checksum {
    fn name(&self) -> &'static str {
        "CHECKSUM"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[opt("checksum-fill").flag().required()];
        OPTIONS
    }

    fn option(&mut self, _: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Target, Fail> {
        Ok(Target::Checksum)
    }
}
