//! `ip link`

pub(super) mod kind;
mod modify;
mod print;
mod property;
mod stats;

pub(super) use modify::is_vrf;
pub(super) use print::{Shown, print_link};
pub(super) use stats::print_counters;

use super::list;
use crate::iproute2::inet::AF_PACKET;
use crate::iproute2::layer::parse_lladdr;
use crate::iproute2::{Args, Context, Stop, matches};
use hairpin_netlink::codec::{NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};

pub(super) fn main(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let Some(command) = args.take() else {
        return show(context, args);
    };
    let is = |name| matches(command, name);
    if is("add") {
        modify::modify(context, args, Some(NLM_F_CREATE | NLM_F_EXCL))
    } else if is("set") || is("change") {
        modify::modify(context, args, Some(0))
    } else if is("replace") {
        modify::modify(context, args, Some(NLM_F_CREATE | NLM_F_REPLACE))
    } else if is("delete") {
        modify::modify(context, args, None)
    } else if is("show") || is("lst") || is("list") {
        show(context, args)
    } else if is("xstats") || is("afstats") {
        Err(Stop::fail(1, format!("ip link {command} is not supported by hairpin yet\n")))
    } else if is("property") {
        property::main(context, args)
    } else if is("help") {
        help(context, args)
    } else {
        Err(Stop::exit(255, format!("Command \"{command}\" is unknown, try \"ip link help\".\n")))
    }
}

fn show(context: &mut Context<'_>, args: Args<'_>) -> Result<(), Stop> {
    context.options.family = AF_PACKET;
    list::show(context, args, list::Subject::Links)
}

/// The help of a kind goes to standard output, that of the command to standard error.
fn help(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    match args.take().map(kind::help) {
        Some(Some(text)) => {
            context.print.text(format_args!("{text}"));
            Ok(())
        }
        _ => Err(usage()),
    }
}

pub(super) fn usage() -> Stop {
    Stop::exit(255, include_str!("../usage/link.txt"))
}

fn garbage(word: &str) -> Stop {
    Stop::fail(1, format!("Garbage instead of arguments \"{word} ...\". Try \"ip link help\".\n"))
}

/// A word that has to be exactly `on` or `off`.
fn on_off(name: &str, word: &str) -> Stop {
    Stop::fail(1, format!("Error: argument of \"{name}\" must be \"on\" or \"off\", not \"{word}\"\n"))
}

/// A word that abbreviates `off` or `on` (`parse_on_off`).
///
/// # Errors
/// The text that says what is wrong.
fn parse_on_off(name: &str, word: &str) -> Result<bool, String> {
    if matches(word, "off") {
        Ok(false)
    } else if matches(word, "on") {
        Ok(true)
    } else {
        Err(format!("Error: argument of \"{name}\" must be one of \"off\", \"on\", not \"{word}\"\n"))
    }
}

/// A link-layer address.
fn lladdr(word: &str) -> Result<Vec<u8>, Stop> {
    parse_lladdr(word).map_err(|text| Stop::fail(1, text))
}
