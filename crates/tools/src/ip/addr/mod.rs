//! `ip address`

mod flags;
mod flush;
mod modify;
mod print;
mod save;

pub(super) use flags::add_flag;
pub(super) use print::Address;

use hairpin_netlink::codec::{NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};

use super::list;
use crate::iproute2::{Args, Context, Stop, matches};

pub(super) fn main(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let Some(command) = args.take() else {
        return list::show(context, args, list::Subject::Addresses);
    };
    let is = |name| matches(command, name);
    if is("add") {
        modify::modify(context, args, Some(NLM_F_CREATE | NLM_F_EXCL))
    } else if is("change") || command == "chg" {
        modify::modify(context, args, Some(NLM_F_REPLACE))
    } else if is("replace") {
        modify::modify(context, args, Some(NLM_F_CREATE | NLM_F_REPLACE))
    } else if is("delete") {
        modify::modify(context, args, None)
    } else if is("list") || is("show") || is("lst") {
        list::show(context, args, list::Subject::Addresses)
    } else if is("flush") {
        flush::flush(context, args)
    } else if is("save") {
        save::save(context, args)
    } else if is("showdump") {
        save::show_dump(context)
    } else if is("restore") {
        save::restore(context)
    } else if is("help") {
        Err(usage())
    } else {
        Err(Stop::exit(255, format!("Command \"{command}\" is unknown, try \"ip address help\".\n")))
    }
}

pub(super) fn usage() -> Stop {
    Stop::exit(255, include_str!("../usage/addr.txt"))
}
