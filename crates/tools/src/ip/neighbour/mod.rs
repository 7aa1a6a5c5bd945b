//! `ip neigh`

use hairpin_netlink::Message;
use hairpin_netlink::codec::{NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use hairpin_netlink::route::neighbour::{
    NeighbourAttribute, NeighbourExtFlags, NeighbourFlags, NeighbourMessage,
};

pub(super) use self::print::Event;
use self::show::Filter;
use crate::iproute2::inet::{Prefix, get_addr};
use crate::iproute2::layer::parse_lladdr;
use crate::iproute2::names::Table;
use crate::iproute2::number::get_u32;
use crate::iproute2::{Args, Context, Stop, matches};

mod print;
mod show;

const NUD_FAILED: u32 = 0x20;
const NUD_NOARP: u32 = 0x40;
const NUD_PERMANENT: u32 = 0x80;

const USAGE: &str = "\
Usage: ip neigh { add | del | change | replace }
                { ADDR [ lladdr LLADDR ] [ nud STATE ] proxy ADDR }
                [ dev DEV ] [ router ] [ use ] [ managed ] [ extern_learn ]
                [ protocol PROTO ]

	ip neigh { show | flush } [ proxy ] [ to PREFIX ] [ dev DEV ] [ nud STATE ]
				  [ vrf NAME ] [ nomaster ]
	ip neigh get { ADDR | proxy ADDR } dev DEV

STATE := { delay | failed | incomplete | noarp | none |
           permanent | probe | reachable | stale }
";

/// Runs `ip neigh` with the arguments behind the object.
pub(super) fn main(ctx: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let Some(command) = args.take() else {
        return show::list(ctx, args);
    };
    // The order decides what an ambiguous abbreviation means.
    if matches(command, "add") {
        modify(ctx, Some(NLM_F_CREATE | NLM_F_EXCL), args)
    } else if matches(command, "change") || command == "chg" {
        modify(ctx, Some(NLM_F_REPLACE), args)
    } else if matches(command, "replace") {
        modify(ctx, Some(NLM_F_CREATE | NLM_F_REPLACE), args)
    } else if matches(command, "delete") {
        modify(ctx, None, args)
    } else if matches(command, "get") {
        get(ctx, args)
    } else if ["show", "lst", "list"].iter().any(|word| matches(command, word)) {
        show::list(ctx, args)
    } else if matches(command, "flush") {
        show::flush(ctx, args)
    } else if matches(command, "help") {
        Err(usage())
    } else {
        Err(Stop::exit(255, format!("Command \"{command}\" is unknown, try \"ip neigh help\".\n")))
    }
}

/// Prints a neighbour that a monitor heard of.
pub(super) fn print_event(ctx: &mut Context<'_>, device: u32, event: Event, message: &NeighbourMessage) {
    let filter = Filter { device, ..Filter::default() };
    if filter.takes(message) {
        print::print_neighbour(ctx, &filter, event, message);
    }
}

/// Adds or changes an entry with `NLM_F_*` flags, or deletes one.
fn modify(ctx: &mut Context<'_>, adds: Option<u16>, mut args: Args<'_>) -> Result<(), Stop> {
    let mut message = NeighbourMessage::default();
    let family = ctx.options.family;
    let mut state = NUD_PERMANENT;
    let mut ext_flags = NeighbourExtFlags::empty();
    let mut protocol = None;
    let mut lladdr = None;
    let mut device = None;
    let mut destination: Option<Prefix> = None;
    let mut has_device = false;
    while let Some(word) = args.take() {
        let flags = &mut message.header.flags;
        if matches(word, "lladdr") {
            let value = args.value()?;
            if lladdr.is_some() {
                return Err(Stop::duparg("lladdr", value));
            }
            lladdr = Some(value);
        } else if word == "nud" {
            let value = args.value()?;
            state = parse_state(value).ok_or_else(|| Stop::invarg("nud state is bad", value))?;
        } else if matches(word, "proxy") {
            destination = Some(proxy_address(&mut args, destination, family)?);
            has_device = true;
            *flags |= NeighbourFlags::Proxy;
        } else if word == "router" {
            *flags |= NeighbourFlags::Router;
        } else if word == "use" {
            *flags |= NeighbourFlags::Use;
        } else if word == "managed" {
            ext_flags |= NeighbourExtFlags::Managed;
            state = 0;
        } else if matches(word, "extern_learn") {
            *flags |= NeighbourFlags::ExtLearned;
        } else if word == "dev" {
            device = Some(args.value()?);
            has_device = true;
        } else if matches(word, "protocol") {
            let value = args.value()?;
            let id = ctx.id_of(Table::Protocol, value).and_then(|id| u8::try_from(id).ok());
            protocol = Some(id.ok_or_else(|| Stop::invarg("\"protocol\" value is invalid\n", value))?);
        } else {
            let word = if word == "to" { args.value()? } else { word };
            // As in iproute2 6.1, `help` is skipped here instead of shown.
            let word = if matches(word, "help") { args.value()? } else { word };
            if destination.is_some() {
                return Err(Stop::duparg2("to", word));
            }
            destination = Some(get_addr(word, family)?);
        }
    }
    let Some(destination) = destination.filter(|d| has_device && d.family != 0) else {
        return Err(Stop::exit(255, "Device and destination are required arguments.\n"));
    };
    message.header.family = destination.family.into();
    message.header.state = (state as u16).into();
    message.attributes.extend(protocol.map(|id| NeighbourAttribute::Protocol(id.into())));
    message.attributes.extend(destination.address.map(|a| NeighbourAttribute::Destination(a.into())));
    if !ext_flags.is_empty() {
        message.attributes.push(NeighbourAttribute::ExtFlags(ext_flags));
    }
    if let Some(text) = lladdr.filter(|text| *text != "null") {
        let address = parse_lladdr(text).map_err(|text| Stop::fail(1, text))?;
        message.attributes.push(NeighbourAttribute::LinkLayerAddress(address));
    }
    if let Some(name) = device {
        message.header.ifindex = ctx.require_link(name)?;
    }
    let (message, flags) = match adds {
        Some(flags) => (Message::NewNeighbour(message), flags),
        None => (Message::DelNeighbour(message), 0),
    };
    ctx.talk(&message, flags).map(drop).map_err(|stop| Stop { exit: true, ..stop })
}

/// `ip neigh get`
fn get(ctx: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let mut message = NeighbourMessage::default();
    let family = ctx.options.family;
    let mut destination: Option<Prefix> = None;
    let mut device = None;
    let mut has_device = false;
    while let Some(word) = args.take() {
        if word == "dev" {
            device = Some(args.value()?);
            has_device = true;
        } else if matches(word, "proxy") {
            destination = Some(proxy_address(&mut args, destination, family)?);
            has_device = true;
            message.header.flags |= NeighbourFlags::Proxy;
        } else {
            let word = if word == "to" { args.value()? } else { word };
            if matches(word, "help") {
                return Err(usage());
            }
            if destination.is_some() {
                return Err(Stop::duparg2("to", word));
            }
            destination = Some(get_addr(word, family)?);
        }
    }
    let Some(destination) = destination.filter(|d| has_device && d.family != 0) else {
        return Err(Stop::fail(1, "Device and address are required arguments.\n"));
    };
    message.header.family = destination.family.into();
    message.attributes.extend(destination.address.map(|a| NeighbourAttribute::Destination(a.into())));
    if let Some(name) = device {
        message.header.ifindex = ctx.require_link(name)?;
    }
    // The answer is text even with -json, as in iproute2 6.1.
    for answer in ctx.talk(&Message::GetNeighbour(message), 0)? {
        if let Message::NewNeighbour(neighbour) = answer {
            print::print_neighbour(ctx, &Filter::default(), Event::New, &neighbour);
        }
    }
    Ok(())
}

/// The address behind `proxy`.
fn proxy_address(args: &mut Args<'_>, before: Option<Prefix>, family: u8) -> Result<Prefix, Stop> {
    let value = args.value()?;
    if matches(value, "help") {
        return Err(usage());
    }
    if before.is_some() {
        return Err(Stop::duparg("address", value));
    }
    get_addr(value, family)
}

/// A state by word or as a number with one bit set.
fn parse_state(text: &str) -> Option<u32> {
    // The order decides what an ambiguous abbreviation means.
    Some(match text {
        _ if matches(text, "permanent") => NUD_PERMANENT,
        _ if matches(text, "reachable") => 0x02,
        "noarp" => NUD_NOARP,
        "none" => 0,
        "stale" => 0x04,
        "incomplete" => 0x01,
        "delay" => 0x08,
        "probe" => 0x10,
        _ if matches(text, "failed") => NUD_FAILED,
        _ => {
            return get_u32(text, 0).filter(|state| *state < 0x100 && state.count_ones() <= 1);
        }
    })
}

fn usage() -> Stop {
    Stop::exit(255, USAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_have_words_and_numbers() {
        assert_eq!(parse_state("perm"), Some(NUD_PERMANENT));
        assert_eq!(parse_state("stal"), None);
        assert_eq!(parse_state("f"), Some(NUD_FAILED));
        assert_eq!(parse_state("0x40"), Some(NUD_NOARP));
        assert_eq!(parse_state("3"), None);
        assert_eq!(parse_state("0x100"), None);
    }
}
