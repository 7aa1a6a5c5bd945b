//! `-m connbytes`

use hairpin_netlink::netfilter::Match;
use hairpin_netlink::netfilter::counting::{ConnBytes, Counted, Direction};

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;
use super::not;

const MODES: &[(&str, Counted)] =
    &[("packets", Counted::Packets), ("bytes", Counted::Bytes), ("avgpkt", Counted::Average)];
const DIRECTIONS: &[(&str, Direction)] =
    &[("original", Direction::Original), ("reply", Direction::Reply), ("both", Direction::Both)];

#[derive(Default)]
pub(super) struct Reading(ConnBytes);

impl Reader<Match> for Reading {
    fn name(&self) -> &'static str {
        "connbytes"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[
            opt("connbytes").invertible().required(),
            opt("connbytes-dir").required(),
            opt("connbytes-mode").required(),
        ];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        let text = given.value;
        let unknown = || Fail::parameter(format!("Unknown --{} `{text}'", given.name));
        match given.id {
            "connbytes-dir" => {
                let found = DIRECTIONS.iter().find(|(name, _)| *name == text);
                self.0.direction = found.ok_or_else(unknown)?.1;
            }
            "connbytes-mode" => {
                let found = MODES.iter().find(|(name, _)| *name == text);
                self.0.what = found.ok_or_else(unknown)?.1;
            }
            _ => {
                let (low, high) = given.range(u64::MAX)?;
                // One number alone is the least.
                let high = if text.contains(':') { high } else { u64::MAX };
                if high < low {
                    return Err(Fail::parameter(format!("{low} should be less than {high}")));
                }
                (self.0.low, self.0.high, self.0.invert) = (low, high, given.invert);
            }
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        Ok(Match::ConnBytes(self.0))
    }
}

fn text(found: &ConnBytes, mode: &str, direction: &str, dashes: &str) -> String {
    let mut text = format!("{} {dashes}connbytes {}", not(found.invert), found.low);
    if found.high != u64::MAX {
        text += &format!(":{}", found.high);
    }
    let name = MODES.iter().find(|(_, known)| *known == found.what).map_or("", |(name, _)| name);
    text += &format!(" {mode} {name}");
    let name = DIRECTIONS.iter().find(|(_, known)| *known == found.direction).map_or("", |(name, _)| name);
    text + &format!(" {direction} {name}")
}

pub(super) fn saved(found: &ConnBytes) -> String {
    " -m connbytes".to_owned() + &text(found, "--connbytes-mode", "--connbytes-dir", "--")
}

pub(super) fn listed(found: &ConnBytes) -> String {
    text(found, "connbytes mode", "connbytes direction", "")
}
