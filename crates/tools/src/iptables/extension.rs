//! How a match or target reads its options (libxtables' `x6` parser): which there are, what they may be combined
//! with, and the texts of what goes wrong.

use hairpin_netlink::netfilter::Family;

use super::fail::Fail;
use super::names::Names;

/// How many words follow an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Words {
    None,
    One,
    Two,
}

/// An option of a match or target.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opt {
    pub name: &'static str,
    /// What it is called in error texts and by its extension; other names of one option share it.
    pub id: &'static str,
    pub words: Words,
    pub invert: bool,
    pub required: bool,
    /// It may be given more than once.
    pub many: bool,
    /// Options that exclude each other have a bit in common.
    pub exclusive: u8,
    /// It goes only with this one.
    pub also: &'static str,
}

pub(super) const fn opt(name: &'static str) -> Opt {
    Opt {
        name,
        id: name,
        words: Words::One,
        invert: false,
        required: false,
        many: false,
        exclusive: 0,
        also: "",
    }
}

impl Opt {
    pub const fn alias(mut self, id: &'static str) -> Opt {
        self.id = id;
        self
    }

    pub const fn flag(mut self) -> Opt {
        self.words = Words::None;
        self
    }

    pub const fn two(mut self) -> Opt {
        self.words = Words::Two;
        self
    }

    pub const fn invertible(mut self) -> Opt {
        self.invert = true;
        self
    }

    pub const fn many(mut self) -> Opt {
        self.many = true;
        self
    }

    pub const fn required(mut self) -> Opt {
        self.required = true;
        self
    }

    pub const fn exclusive(mut self, bits: u8) -> Opt {
        self.exclusive = bits;
        self
    }

    pub const fn also(mut self, id: &'static str) -> Opt {
        self.also = id;
        self
    }
}

/// One option as it was given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Given<'a> {
    pub id: &'static str,
    /// The extension's name, for error texts.
    pub of: &'static str,
    pub name: &'static str,
    pub value: &'a str,
    pub second: &'a str,
    pub invert: bool,
}

impl Given<'_> {
    /// A number in a range (`xtopt_parse_int`).
    pub fn number(&self, low: u64, high: u64) -> Result<u64, Fail> {
        let found = super::names::number(self.value, high).filter(|number| *number >= low);
        found.ok_or_else(|| {
            let (of, name) = (self.of, self.name);
            Fail::parameter(format!(
                "{of}: bad value for option \"--{name}\", or out of range ({low}-{high}).\n"
            ))
        })
    }

    /// `LOW:HIGH`, either of them missing, or one number (`xtopt_parse_mint`).
    pub fn range(&self, max: u64) -> Result<(u64, u64), Fail> {
        let number = |text: &str, missing: u64| match text {
            "" => Ok(missing),
            text => super::names::number(text, max).ok_or_else(|| {
                let (of, name) = (self.of, self.name);
                Fail::parameter(format!(
                    "{of}: bad value for option \"--{name}\" near \"{text}\", or out of range (0-{max}).\n"
                ))
            }),
        };
        if self.value.split(':').count() > 2 {
            let (of, name) = (self.of, self.name);
            return Err(Fail::parameter(format!(
                "{of}: Too many components for option \"--{name}\" (max: 2)\n"
            )));
        }
        match self.value.split_once(':') {
            Some((low, high)) => Ok((number(low, 0)?, number(high, max)?)),
            None => number(self.value, 0).map(|only| (only, only)),
        }
    }

    /// `VALUE[/MASK]` (`xtopt_parse_markmask`).
    pub fn mark(&self) -> Result<(u32, u32), Fail> {
        let max = u64::from(u32::MAX);
        let (value, mask) = match self.value.split_once('/') {
            Some((value, mask)) => (value, Some(mask)),
            None => (self.value, None),
        };
        let value = super::names::number(value, max);
        let mask = mask.map_or(Some(max), |mask| super::names::number(mask, max));
        match (value, mask) {
            (Some(value), Some(mask)) => Ok((value as u32, mask as u32)),
            _ => {
                let (of, name) = (self.of, self.name);
                Err(Fail::parameter(format!(
                    "{of}: bad integer value for option \"--{name}\", or out of range.\n"
                )))
            }
        }
    }
}

/// What an extension knows of the rest of the rule.
pub(super) struct Rest<'r, 's> {
    pub names: &'r mut Names<'s>,
    /// The rule's protocol and whether it is inverted.
    pub protocol: Option<(u8, bool)>,
}

impl Rest<'_, '_> {
    pub fn family(&self) -> Family {
        self.names.family
    }

    /// The rule's protocol, where it is one that has ports.
    pub fn has_ports(&self) -> bool {
        matches!(self.protocol, Some((6 | 17 | 33 | 132 | 136, false)))
    }
}

/// A match or target while its options are read.
pub(super) trait Reader<T> {
    /// The name behind `-m` or `-j`.
    fn name(&self) -> &'static str;
    fn options(&self) -> &'static [Opt];
    fn option(&mut self, given: &Given<'_>, rest: &mut Rest<'_, '_>) -> Result<(), Fail>;
    /// What is looked at before options that are missing are (`x6_fcheck`).
    fn first(&mut self) -> Result<(), Fail> {
        Ok(())
    }
    fn finish(&mut self, rest: &mut Rest<'_, '_>) -> Result<T, Fail>;
}

/// A reader, and which of its options have been given.
pub(super) struct Reading<T> {
    pub reader: Box<dyn Reader<T>>,
    given: Vec<&'static str>,
}

impl<T> Reading<T> {
    pub fn new(reader: Box<dyn Reader<T>>) -> Self {
        Reading { reader, given: Vec::new() }
    }

    pub fn option(
        &mut self,
        opt: &'static Opt,
        (value, second): (&str, &str),
        invert: bool,
        rest: &mut Rest<'_, '_>,
    ) -> Result<(), Fail> {
        let of = self.reader.name();
        if invert && !opt.invert {
            return Err(Fail::parameter(format!("{of}: option \"--{}\" cannot be inverted.\n", opt.name)));
        }
        if !opt.many && self.given.contains(&opt.id) {
            return Err(Fail::parameter(format!("{of}: option \"--{}\" can only be used once.\n", opt.id)));
        }
        self.given.push(opt.id);
        let given = Given { id: opt.id, of, name: opt.name, value, second, invert };
        self.reader.option(&given, rest)
    }

    pub fn finish(mut self, rest: &mut Rest<'_, '_>) -> Result<T, Fail> {
        let of = self.reader.name();
        self.reader.first()?;
        // `xtables_options_fcheck`
        for opt in self.reader.options() {
            let id = opt.id;
            let given = |id: &'static str| self.given.contains(&id);
            if !given(id) && opt.required {
                return Err(Fail::parameter(format!("{of}: option \"--{id}\" must be specified\n")));
            }
            if !given(id) {
                continue;
            }
            if !opt.also.is_empty() && !given(opt.also) {
                let also = opt.also;
                return Err(Fail::parameter(format!(
                    "{of}: option \"--{id}\" also requires \"--{also}\".\n"
                )));
            }
            let mut others = self.reader.options().iter();
            let clash = others
                .find(|other| other.exclusive & opt.exclusive != 0 && other.id != id && given(other.id));
            if let Some(other) = clash {
                let other = other.id;
                return Err(Fail::parameter(format!(
                    "{of}: option \"--{id}\" cannot be used together with \"--{other}\".\n"
                )));
            }
        }
        self.reader.finish(rest)
    }
}
