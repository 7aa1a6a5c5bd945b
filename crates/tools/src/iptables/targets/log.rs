//! `-j LOG`

use hairpin_netlink::netfilter::Target;
use hairpin_netlink::netfilter::targets::log;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;

use super::super::names::number;
use super::super::text::quoted;

/// Characters of a prefix.
const PREFIX_MAX: usize = 29;
const WARNING: u8 = 4;
/// Levels by name; of names for one level the first is printed.
const LEVELS: &[(&str, u8)] = &[
    ("alert", 1),
    ("crit", 2),
    ("debug", 7),
    ("emerg", 0),
    ("info", 6),
    ("notice", 5),
    ("panic", 0),
    ("warn", 4),
    ("err", 3),
    ("error", 3),
    ("warning", 4),
];
/// The options in the order in which they are saved, and how they are listed.
const FLAGS: &[(&str, u8, &str)] = &[
    ("log-tcp-sequence", log::TCP_SEQUENCE, "tcp-sequence"),
    ("log-tcp-options", log::TCP_OPTIONS, "tcp-options"),
    ("log-ip-options", log::IP_OPTIONS, "ip-options"),
    ("log-uid", log::UID, "uid"),
    ("log-macdecode", log::MAC, "macdecode"),
];

pub(super) struct Log {
    level: u8,
    flags: u8,
    prefix: String,
}

impl Default for Log {
    fn default() -> Self {
        Log { level: WARNING, flags: 0, prefix: String::new() }
    }
}

impl Reader<Target> for Log {
    fn name(&self) -> &'static str {
        "LOG"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[
            opt("log-level"),
            opt("log-prefix"),
            opt("log-tcp-sequence").flag(),
            opt("log-tcp-options").flag(),
            opt("log-ip-options").flag(),
            opt("log-uid").flag(),
            opt("log-macdecode").flag(),
        ];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, rest: &mut Rest<'_, '_>) -> Result<(), Fail> {
        match given.id {
            "log-level" => {
                let text = given.value.to_lowercase();
                let named = LEVELS.iter().find(|(name, _)| *name == text).map(|(_, level)| *level);
                let level = number(&text, 7).map(|level| level as u8).or(named);
                self.level = level
                    .ok_or_else(|| Fail::parameter(format!("log level \"{}\" unknown\n", given.value)))?;
            }
            "log-prefix" => {
                if given.value.is_empty() {
                    return Err(Fail::parameter("Argument must have a minimum length of 1 characters\n"));
                }
                if given.value.contains('\n') {
                    return Err(Fail::parameter("LOG: Newlines not allowed in --log-prefix"));
                }
                self.prefix = given.value.chars().take(PREFIX_MAX).collect();
                let _ = rest;
            }
            id => {
                let flag = FLAGS.iter().find(|(name, ..)| *name == id).map_or(0, |(_, bit, _)| *bit);
                self.flags |= flag;
            }
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Target, Fail> {
        let Log { level, flags, prefix } = std::mem::take(self);
        Ok(Target::Log { level, flags, prefix })
    }
}

pub(super) fn saved(level: u8, flags: u8, prefix: &str) -> String {
    let mut text = String::new();
    if !prefix.is_empty() {
        text += &format!(" --log-prefix {}", quoted(prefix));
    }
    if level != WARNING {
        text += &format!(" --log-level {level}");
    }
    for (name, bit, _) in FLAGS {
        if flags & bit != 0 {
            text += &format!(" --{name}");
        }
    }
    text
}

pub(super) fn listed(level: u8, flags: u8, prefix: &str, numeric: bool) -> String {
    let mut text = " LOG".to_owned();
    if numeric {
        text += &format!(" flags {flags} level {level}");
    } else {
        let name = LEVELS.iter().find(|(_, known)| *known == level).map_or("UNKNOWN", |(name, _)| name);
        text += &format!(" level {name}");
        for (_, bit, title) in FLAGS {
            if flags & bit != 0 {
                text += &format!(" {title}");
            }
        }
    }
    if !prefix.is_empty() {
        text += &format!(" prefix \"{prefix}\"");
    }
    text
}
