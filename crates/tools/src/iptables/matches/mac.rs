//! `-m mac`

use hairpin_netlink::netfilter::Match;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;

use super::not;

#[derive(Default)]
pub(super) struct Mac([u8; 6], bool);

impl Reader<Match> for Mac {
    fn name(&self) -> &'static str {
        "mac"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[opt("mac-source").invertible().required()];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        let bytes: Option<Vec<u8>> = given
            .value
            .split(':')
            .map(|byte| u8::from_str_radix(byte, 16).ok().filter(|_| (1..=2).contains(&byte.len())))
            .collect();
        let bytes = bytes.and_then(|bytes| <[u8; 6]>::try_from(bytes).ok());
        self.0 = bytes.ok_or_else(|| Fail::parameter("Invalid MAC address specified."))?;
        self.1 = given.invert;
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        Ok(Match::Mac { address: self.0, invert: self.1 })
    }
}

fn text(address: &[u8; 6]) -> String {
    address.map(|byte| format!("{byte:02x}")).join(":")
}

pub(super) fn saved(address: &[u8; 6], invert: bool) -> String {
    format!(" -m mac{} --mac-source {}", not(invert), text(address))
}

pub(super) fn listed(address: &[u8; 6], invert: bool) -> String {
    format!(" MAC{} {}", not(invert), text(address))
}
