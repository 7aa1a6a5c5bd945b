//! `-m physdev`

use hairpin_netlink::netfilter::matches::PhysDev;
use hairpin_netlink::netfilter::{Interface, Match};

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;

use super::not;

#[derive(Default)]
pub(super) struct Reading(PhysDev);

impl Reader<Match> for Reading {
    fn name(&self) -> &'static str {
        "physdev"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[
            opt("physdev-in").invertible(),
            opt("physdev-out").invertible(),
            opt("physdev-is-in").flag().invertible(),
            opt("physdev-is-out").flag().invertible(),
            opt("physdev-is-bridged").flag().invertible(),
        ];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        let named = || Some(Interface { name: given.value.to_owned(), invert: given.invert });
        match given.id {
            "physdev-in" => self.0.input = named(),
            "physdev-out" => self.0.output = named(),
            "physdev-is-in" => self.0.is_in = Some(!given.invert),
            "physdev-is-out" => self.0.is_out = Some(!given.invert),
            _ => self.0.is_bridged = Some(!given.invert),
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        if self.0 == PhysDev::default() {
            return Err(Fail::parameter("PHYSDEV: no physdev option specified"));
        }
        Ok(Match::PhysDev(Box::new(std::mem::take(&mut self.0))))
    }
}

fn parts(found: &PhysDev) -> String {
    let mut text = String::new();
    let flag = |title: &str, asked: Option<bool>| {
        asked.map_or(String::new(), |asked| format!("{} --physdev-{title}", not(!asked)))
    };
    let named = |title: &str, interface: &Option<Interface>| match interface {
        Some(Interface { name, invert }) => format!("{} --physdev-{title} {name}", not(*invert)),
        None => String::new(),
    };
    text += &flag("is-in", found.is_in);
    text += &named("in", &found.input);
    text += &flag("is-out", found.is_out);
    text += &named("out", &found.output);
    text + &flag("is-bridged", found.is_bridged)
}

pub(super) fn saved(found: &PhysDev) -> String {
    " -m physdev".to_owned() + &parts(found)
}

pub(super) fn listed(found: &PhysDev) -> String {
    " PHYSDEV match".to_owned() + &parts(found)
}
