//! `-j CLASSIFY`

use hairpin_netlink::netfilter::Target;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;

#[derive(Default)]
pub(super) struct Classify(u32);

impl Reader<Target> for Classify {
    fn name(&self) -> &'static str {
        "CLASSIFY"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[opt("set-class").required()];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        let half = |text: &str| u32::from_str_radix(text, 16).ok();
        let parts = given.value.split_once(':').and_then(|(major, minor)| half(major).zip(half(minor)));
        let bad = || Fail::parameter(format!("Bad class value \"{}\"", given.value));
        let (major, minor) = parts.ok_or_else(bad)?;
        self.0 = major << 16 | minor & 0xffff;
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Target, Fail> {
        Ok(Target::Classify(self.0))
    }
}

pub(super) fn saved(class: u32) -> String {
    format!(" --set-class {:04x}:{:04x}", class >> 16, class & 0xffff)
}

pub(super) fn listed(class: u32) -> String {
    format!(" CLASSIFY set {:x}:{:x}", class >> 16, class & 0xffff)
}
