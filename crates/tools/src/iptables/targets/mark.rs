//! `-j MARK`

use hairpin_netlink::netfilter::Target;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;

#[derive(Default)]
pub(super) struct Mark(Option<(u32, u32)>);

impl Reader<Target> for Mark {
    fn name(&self) -> &'static str {
        "MARK"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[
            opt("set-xmark").exclusive(1),
            opt("set-mark").exclusive(1),
            opt("and-mark").exclusive(1),
            opt("or-mark").exclusive(1),
            opt("xor-mark").exclusive(1),
        ];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        let (value, mask) = given.mark()?;
        self.0 = Some(match given.id {
            "set-xmark" => (value, mask),
            "set-mark" => (value, value | mask),
            "and-mark" => (0, !value),
            "or-mark" => (value, value),
            _ => (value, 0),
        });
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Target, Fail> {
        const MISSING: &str = "MARK: One of the --set-xmark, --{and,or,xor,set}-mark options is required";
        let (value, mask) = self.0.ok_or_else(|| Fail::parameter(MISSING))?;
        Ok(Target::Mark { value, mask })
    }
}

pub(super) fn saved(value: u32, mask: u32) -> String {
    format!(" --set-xmark 0x{value:x}/0x{mask:x}")
}

/// The shortest way to say it.
pub(super) fn listed(value: u32, mask: u32) -> String {
    match (value, mask) {
        (0, mask) => format!(" MARK and 0x{:x}", !mask),
        (value, mask) if value == mask => format!(" MARK or 0x{value:x}"),
        (value, 0) => format!(" MARK xor 0x{value:x}"),
        (value, u32::MAX) => format!(" MARK set 0x{value:x}"),
        (value, mask) => format!(" MARK xset 0x{value:x}/0x{mask:x}"),
    }
}
