//! `-m mark`, `-m connmark`

use hairpin_netlink::netfilter::Match;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;

use super::not;

pub(super) struct Mark {
    of_connection: bool,
    value: u32,
    mask: u32,
    invert: bool,
}

impl Mark {
    pub fn of_packet() -> Mark {
        Mark { of_connection: false, value: 0, mask: 0, invert: false }
    }

    pub fn of_connection() -> Mark {
        Mark { of_connection: true, ..Mark::of_packet() }
    }
}

impl Reader<Match> for Mark {
    fn name(&self) -> &'static str {
        if self.of_connection { "connmark" } else { "mark" }
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[opt("mark").invertible().required()];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        (self.value, self.mask) = given.mark()?;
        self.invert = given.invert;
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        let Mark { of_connection, value, mask, invert } = *self;
        Ok(match of_connection {
            true => Match::ConnMark { value, mask, invert },
            false => Match::Mark { value, mask, invert },
        })
    }
}

fn text(value: u32, mask: u32) -> String {
    match mask {
        u32::MAX => format!("0x{value:x}"),
        mask => format!("0x{value:x}/0x{mask:x}"),
    }
}

pub(super) fn saved(name: &str, value: u32, mask: u32, invert: bool) -> String {
    format!(" -m {name}{} --mark {}", not(invert), text(value, mask))
}

pub(super) fn listed(title: &str, value: u32, mask: u32, invert: bool) -> String {
    format!("{title}{} {}", not(invert), text(value, mask))
}
