//! `-m frag`: IPv6's fragment header.

use hairpin_netlink::netfilter::Match;
use hairpin_netlink::netfilter::headers::{Behind, Fragment};

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;
use super::span;

#[derive(Default)]
pub(super) struct Frag(Fragment);

impl Reader<Match> for Frag {
    fn name(&self) -> &'static str {
        "frag"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[
            opt("fragid").invertible(),
            opt("fraglen").invertible(),
            opt("fragres").flag(),
            opt("fragfirst").flag(),
            opt("fragmore").flag().exclusive(1),
            opt("fraglast").flag().exclusive(1),
        ];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        let wanted = &mut self.0;
        match given.id {
            "fragid" => wanted.id = span::parse(given)?,
            "fraglen" => {
                wanted.length = Some((given.number(0, u64::from(u32::MAX))? as u32, given.invert));
            }
            "fragres" => wanted.reserved = true,
            "fragfirst" => wanted.first = true,
            "fragmore" => wanted.more = true,
            _ => wanted.last = true,
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        Ok(Match::Behind(Box::new(Behind::Fragment(self.0))))
    }
}

/// The flags with their names in options and lists.
fn flags(wanted: &Fragment) -> impl Iterator<Item = (&'static str, &'static str)> {
    let flags = [
        (wanted.reserved, "fragres", "reserved"),
        (wanted.first, "fragfirst", "first"),
        (wanted.more, "fragmore", "more"),
        (wanted.last, "fraglast", "last"),
    ];
    flags.into_iter().filter(|(is, ..)| *is).map(|(_, option, word)| (option, word))
}

pub(super) fn saved(wanted: &Fragment) -> String {
    let mut text = " -m frag".to_owned()
        + &span::saved("fragid", &wanted.id)
        + &span::saved_number("fraglen", wanted.length);
    for (option, _) in flags(wanted) {
        text += &format!(" --{option}");
    }
    text
}

pub(super) fn listed(wanted: &Fragment) -> String {
    let mut text = " frag ".to_owned()
        + &span::listed("id", &wanted.id)
        + &span::listed_number(" length", wanted.length);
    for (_, word) in flags(wanted) {
        text += &format!(" {word}");
    }
    text
}
