//! `-j TOS`, `-j DSCP`

use hairpin_netlink::netfilter::Target;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;
use super::super::matches::{dscp, tos};
use super::super::names::number;

/// The bits of DSCP in the field.
const DSCP_MASK: u8 = 0xfc;

pub(super) struct Tos {
    dscp: bool,
    change: Option<(u8, u8)>,
}

impl Tos {
    pub fn new(dscp: bool) -> Tos {
        Tos { dscp, change: None }
    }
}

impl Reader<Target> for Tos {
    fn name(&self) -> &'static str {
        if self.dscp { "DSCP" } else { "TOS" }
    }

    fn options(&self) -> &'static [Opt] {
        const TOS: &[Opt] = &[
            opt("set-tos").exclusive(1),
            opt("and-tos").exclusive(1),
            opt("or-tos").exclusive(1),
            opt("xor-tos").exclusive(1),
        ];
        const DSCP: &[Opt] = &[opt("set-dscp").exclusive(1), opt("set-dscp-class").exclusive(1)];
        if self.dscp { DSCP } else { TOS }
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        let bits = || {
            let found = number(given.value, 255).map(|bits| bits as u8);
            found.ok_or_else(|| {
                let name = given.name;
                Fail::parameter(format!("TOS: bad value for option \"--{name}\", or out of range (0-255).\n"))
            })
        };
        self.change = Some(match given.id {
            "set-tos" => tos::value_of(given.value)?,
            "and-tos" => (0, !bits()?),
            "or-tos" => (bits()?, bits()?),
            "xor-tos" => (bits()?, 0),
            "set-dscp" => ((given.number(0, 63)? as u8) << 2, DSCP_MASK),
            _ => (dscp::class(given.value)? << 2, DSCP_MASK),
        });
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Target, Fail> {
        let missing = match self.dscp {
            true => "DSCP target: Parameter --set-dscp is required",
            false => "TOS: An action is required",
        };
        let (value, mask) = self.change.ok_or_else(|| Fail::parameter(missing))?;
        Ok(Target::Tos { value, mask, dscp: self.dscp })
    }
}

pub(super) fn saved(value: u8, mask: u8, dscp: bool) -> String {
    match dscp {
        true => format!(" --set-dscp 0x{:02x}", value >> 2),
        false => format!(" --set-tos 0x{value:02x}/0x{mask:02x}"),
    }
}

pub(super) fn listed(value: u8, mask: u8, dscp: bool, numeric: bool) -> String {
    if dscp {
        return format!(" DSCP set 0x{:02x}", value >> 2);
    }
    let plain = format!(" TOS set 0x{value:02x}/0x{mask:02x}");
    if numeric {
        return plain;
    }
    match tos::name_of(value, mask) {
        Some(name) => format!("  TOS set{name}"),
        None if value == 0 => format!(" TOS and 0x{:02x}", !mask),
        None if value == mask => format!(" TOS or 0x{value:02x}"),
        None if mask == 0 => format!(" TOS xor 0x{value:02x}"),
        None => plain,
    }
}
