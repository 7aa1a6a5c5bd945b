//! `-m dscp`

use hairpin_netlink::netfilter::Match;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;
use super::not;

/// RFC 2474, RFC 2597, RFC 3246.
const CLASSES: &[(&str, u8)] = &[
    ("CS0", 0x00),
    ("CS1", 0x08),
    ("CS2", 0x10),
    ("CS3", 0x18),
    ("CS4", 0x20),
    ("CS5", 0x28),
    ("CS6", 0x30),
    ("CS7", 0x38),
    ("BE", 0x00),
    ("AF11", 0x0a),
    ("AF12", 0x0c),
    ("AF13", 0x0e),
    ("AF21", 0x12),
    ("AF22", 0x14),
    ("AF23", 0x16),
    ("AF31", 0x1a),
    ("AF32", 0x1c),
    ("AF33", 0x1e),
    ("AF41", 0x22),
    ("AF42", 0x24),
    ("AF43", 0x26),
    ("EF", 0x2e),
];

#[derive(Default)]
pub(super) struct Dscp(Option<(u8, bool)>);

impl Reader<Match> for Dscp {
    fn name(&self) -> &'static str {
        "dscp"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] =
            &[opt("dscp").invertible().exclusive(1), opt("dscp-class").invertible().exclusive(1)];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        let value = match given.id {
            "dscp" => given.number(0, 63)? as u8,
            _ => class(given.value)?,
        };
        self.0 = Some((value, given.invert));
        Ok(())
    }

    fn first(&mut self) -> Result<(), Fail> {
        match self.0 {
            None => Err(Fail::parameter("DSCP match: Parameter --dscp is required")),
            Some(_) => Ok(()),
        }
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        let (value, invert) = self.0.unwrap_or_default();
        Ok(Match::Dscp { value, invert })
    }
}

/// A class by its name.
pub(in super::super) fn class(text: &str) -> Result<u8, Fail> {
    let known = CLASSES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
    known.map(|(_, value)| *value).ok_or_else(|| Fail::parameter(format!("Invalid DSCP value `{text}'")))
}

pub(super) fn saved(value: u8, invert: bool) -> String {
    format!(" -m dscp{} --dscp 0x{value:02x}", not(invert))
}

pub(super) fn listed(value: u8, invert: bool) -> String {
    format!(" DSCP match {}0x{value:02x}", if invert { "!" } else { "" })
}
