//! `-m state`

use hairpin_netlink::netfilter::Match;
use hairpin_netlink::netfilter::matches::state;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;

use super::not;

/// In the order in which they are printed.
const STATES: &[(&str, u16)] = &[
    ("INVALID", state::INVALID),
    ("NEW", state::NEW),
    ("RELATED", state::RELATED),
    ("ESTABLISHED", state::ESTABLISHED),
    ("UNTRACKED", state::UNTRACKED),
];

#[derive(Default)]
pub(super) struct State {
    states: u16,
    invert: bool,
}

impl Reader<Match> for State {
    fn name(&self) -> &'static str {
        "state"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[opt("state").invertible().required()];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        for word in given.value.split(',') {
            let known = STATES.iter().find(|(name, _)| !word.is_empty() && name.eq_ignore_ascii_case(word));
            let (_, bit) = known.ok_or_else(|| Fail::parameter(format!("Bad state \"{word}\"")))?;
            self.states |= bit;
        }
        self.invert = given.invert;
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        Ok(Match::State { states: self.states, invert: self.invert })
    }
}

fn names_of(states: u16) -> String {
    let set: Vec<&str> = STATES.iter().filter(|(_, bit)| states & bit != 0).map(|(name, _)| *name).collect();
    set.join(",")
}

pub(super) fn saved(states: u16, invert: bool) -> String {
    format!(" -m state{} --state {}", not(invert), names_of(states))
}

pub(super) fn listed(states: u16, invert: bool) -> String {
    format!("{} state {}", not(invert), names_of(states))
}
