//! `-m set`

use hairpin_netlink::netfilter::Match;
use hairpin_netlink::netfilter::ipset::{CounterTest, SetMatch, SetSides};

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;
use super::super::names::Names;

/// Places that an element may have (`IPSET_DIM_MAX`).
const PLACES_MAX: usize = 6;

#[derive(Default)]
pub(super) struct Reading {
    sides: Option<(SetSides, bool)>,
    return_nomatch: bool,
    keep_counters: bool,
    keep_subcounters: bool,
    packets: Option<CounterTest>,
    bytes: Option<CounterTest>,
}

impl Reader<Match> for Reading {
    fn name(&self) -> &'static str {
        "set"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[
            opt("match-set").two().invertible().many(),
            opt("set").two().invertible().many(),
            opt("return-nomatch").flag(),
            opt("update-counters").flag().invertible(),
            opt("update-subcounters").flag().invertible(),
            opt("packets-eq").invertible().many(),
            opt("packets-lt").many(),
            opt("packets-gt").many(),
            opt("bytes-eq").invertible().many(),
            opt("bytes-lt").many(),
            opt("bytes-gt").many(),
        ];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, rest: &mut Rest<'_, '_>) -> Result<(), Fail> {
        match given.id {
            "match-set" | "set" => {
                if given.id == "set" {
                    let _ =
                        writeln!(rest.names.shell.err(), "--set option deprecated, please use --match-set");
                }
                if self.sides.is_some() {
                    return Err(Fail::parameter("--match-set can be specified only once"));
                }
                self.sides = Some((sides(given, rest.names)?, given.invert));
            }
            "return-nomatch" => self.return_nomatch = true,
            "update-counters" => self.keep_counters = given.invert,
            "update-subcounters" => self.keep_subcounters = given.invert,
            name => {
                let bad = || Fail::parameter(format!("can't parse {name} as integer"));
                let value: u64 = given.value.parse().map_err(|_| bad())?;
                let (which, how) = name.split_once('-').unwrap_or((name, ""));
                let test = match how {
                    "eq" if given.invert => CounterTest::NotEqual(value),
                    "eq" => CounterTest::Equal(value),
                    "lt" => CounterTest::Less(value),
                    _ => CounterTest::Greater(value),
                };
                let place = if which == "packets" { &mut self.packets } else { &mut self.bytes };
                if place.replace(test).is_some() {
                    return Err(Fail::parameter(format!("only one of the --{which}-[eq|lt|gt] is allowed")));
                }
            }
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        let missing = || Fail::parameter("You must specify `--match-set' with proper arguments");
        let (sides, invert) = self.sides.take().ok_or_else(missing)?;
        Ok(Match::Set(Box::new(SetMatch {
            sides,
            invert,
            return_nomatch: self.return_nomatch,
            update_counters: !self.keep_counters,
            update_subcounters: !self.keep_subcounters,
            packets: self.packets,
            bytes: self.bytes,
        })))
    }
}

/// The name of a set and `src,dst`, which the kernel must know and fit.
pub(in super::super) fn sides(given: &Given<'_>, names: &Names<'_>) -> Result<SetSides, Fail> {
    if given.second.is_empty() || given.second.starts_with(['-', '!']) {
        return Err(Fail::parameter(format!("--{} requires two args.", given.name)));
    }
    let set = given.value.to_owned();
    if let Some(known) = &names.sets {
        let Some((_, family)) = known.iter().find(|(name, _)| *name == set) else {
            return Err(Fail::parameter(format!("Set {set} doesn't exist.\n")));
        };
        if let Some(family) = family.filter(|family| *family != names.family) {
            let name = match family {
                hairpin_netlink::netfilter::Family::Ipv4 => "IPv4",
                hairpin_netlink::netfilter::Family::Ipv6 => "IPv6",
            };
            return Err(Fail::parameter(format!(
                "The protocol family of set {set} is {name}, which is not applicable.\n"
            )));
        }
    }
    let words: Vec<&str> = given.second.split(',').collect();
    if words.len() > PLACES_MAX {
        return Err(Fail::parameter(format!("Can't be more src/dst options than {PLACES_MAX}.")));
    }
    let source = |word: &&str| match *word {
        "src" => Ok(true),
        "dst" => Ok(false),
        _ => Err(Fail::parameter("You must spefify (the comma separated list of) 'src' or 'dst'.")),
    };
    Ok(SetSides { set, sources: words.iter().map(source).collect::<Result<_, _>>()? })
}

/// `NAME src,dst`
pub(in super::super) fn shown(sides: &SetSides) -> String {
    let words: Vec<&str> = sides.sources.iter().map(|source| if *source { "src" } else { "dst" }).collect();
    format!("{} {}", sides.set, words.join(","))
}

fn text(found: &SetMatch, dashes: &str) -> String {
    let not = if found.invert { " !" } else { "" };
    let mut text = format!("{not} {dashes}match-set {}", shown(&found.sides));
    if found.return_nomatch {
        text += &format!(" {dashes}return-nomatch");
    }
    if !found.update_counters {
        text += &format!(" ! {dashes}update-counters");
    }
    if !found.update_subcounters {
        text += &format!(" ! {dashes}update-subcounters");
    }
    for (name, test) in [("packets", found.packets), ("bytes", found.bytes)] {
        text += &match test {
            None => String::new(),
            Some(CounterTest::Equal(value)) => format!(" {dashes}{name}-eq {value}"),
            Some(CounterTest::NotEqual(value)) => format!(" ! {dashes}{name}-eq {value}"),
            Some(CounterTest::Less(value)) => format!(" {dashes}{name}-lt {value}"),
            Some(CounterTest::Greater(value)) => format!(" {dashes}{name}-gt {value}"),
        };
    }
    text
}

pub(super) fn saved(found: &SetMatch) -> String {
    " -m set".to_owned() + &text(found, "--")
}

pub(super) fn listed(found: &SetMatch) -> String {
    text(found, "")
}
