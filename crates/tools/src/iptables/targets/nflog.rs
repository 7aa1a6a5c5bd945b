//! `-j NFLOG`

use hairpin_netlink::netfilter::Target;
use hairpin_netlink::netfilter::targets::Nflog;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;
use super::super::text::quoted;

/// Characters of a prefix.
const PREFIX_MAX: usize = 63;

#[derive(Default)]
pub(super) struct Reading(Nflog);

impl Reader<Target> for Reading {
    fn name(&self) -> &'static str {
        "NFLOG"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[
            opt("nflog-group"),
            opt("nflog-prefix"),
            opt("nflog-range").exclusive(1),
            opt("nflog-size").exclusive(1),
            opt("nflog-threshold"),
        ];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, rest: &mut Rest<'_, '_>) -> Result<(), Fail> {
        match given.id {
            "nflog-group" => self.0.group = given.number(0, 65_535)? as u16,
            "nflog-threshold" => self.0.threshold = given.number(0, 65_535)? as u16,
            "nflog-size" => self.0.size = Some(given.number(0, u64::from(u32::MAX))? as u32),
            "nflog-range" => {
                let text = "warn: --nflog-range has never worked and is no longer supported, please use \
                            --nflog-size instead";
                let _ = writeln!(rest.names.shell.err(), "{text}");
                self.0.range = Some(given.number(0, u64::from(u32::MAX))? as u32);
            }
            _ => {
                if given.value.is_empty() {
                    return Err(Fail::parameter("Argument must have a minimum length of 1 characters\n"));
                }
                if given.value.contains('\n') {
                    return Err(Fail::parameter("Newlines not allowed in --log-prefix"));
                }
                self.0.prefix = given.value.chars().take(PREFIX_MAX).collect();
            }
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Target, Fail> {
        Ok(Target::Nflog(Box::new(self.0.clone())))
    }
}

fn text(found: &Nflog, dashes: &str, prefix: &str) -> String {
    let mut text = String::new();
    if !found.prefix.is_empty() {
        text += &format!(" {dashes}nflog-prefix {prefix}");
    }
    if found.group != 0 {
        text += &format!(" {dashes}nflog-group {}", found.group);
    }
    for (name, bytes) in [("size", found.size), ("range", found.range)] {
        if let Some(bytes) = bytes.filter(|bytes| *bytes != 0 || name == "size") {
            text += &format!(" {dashes}nflog-{name} {bytes}");
        }
    }
    if found.threshold != 0 {
        text += &format!(" {dashes}nflog-threshold {}", found.threshold);
    }
    text
}

pub(super) fn saved(found: &Nflog) -> String {
    text(found, "--", &quoted(&found.prefix))
}

pub(super) fn listed(found: &Nflog) -> String {
    text(found, "", &quoted(&found.prefix))
}
