//! `ip nexthop`: next hops with ids of their own, alone and in groups.

mod modify;
mod print;

use hairpin_netlink::codec::{NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use hairpin_netlink::nexthop::{NexthopMessage, RTM_DELNEXTHOP, RTM_GETNEXTHOP};

use super::route::modify::vrf_table;
use crate::iproute2::number::get_u32;
use crate::iproute2::rtnl::refusal;
use crate::iproute2::{Args, Context, Stop, matches};

pub(super) use print::{print, print_fields};

const USAGE: &str = "\
Usage: ip nexthop { list | flush } [ protocol ID ] SELECTOR
       ip nexthop { add | replace } id ID NH [ protocol ID ]
       ip nexthop { get | del } id ID
       ip nexthop bucket list BUCKET_SELECTOR
       ip nexthop bucket get id ID index INDEX
SELECTOR := [ id ID ] [ dev DEV ] [ vrf NAME ] [ master DEV ]
            [ groups ] [ fdb ]
BUCKET_SELECTOR := SELECTOR | [ nhid ID ]
NH := { blackhole | [ via ADDRESS ] [ dev DEV ] [ onlink ]
        [ encap ENCAPTYPE ENCAPHDR ] |
        group GROUP [ fdb ] [ type TYPE [ TYPE_ARGS ] ] }
GROUP := [ <id[,weight]>/<id[,weight]>/... ]
TYPE := { mpath | resilient }
TYPE_ARGS := [ RESILIENT_ARGS ]
RESILIENT_ARGS := [ buckets BUCKETS ] [ idle_timer IDLE ]
                  [ unbalanced_timer UNBALANCED ]
ENCAPTYPE := [ mpls ]
ENCAPHDR := [ MPLSLABEL ]
";

/// Runs `ip nexthop` with the arguments behind the object.
pub(super) fn main(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let Some(command) = args.take() else { return list(context, args, Purpose::Show) };
    let is = |name| matches(command, name);
    if is("add") {
        modify::modify(context, args, NLM_F_CREATE | NLM_F_EXCL)
    } else if is("replace") {
        modify::modify(context, args, NLM_F_CREATE | NLM_F_REPLACE)
    } else if is("delete") {
        delete(context, args)
    } else if is("list") || is("show") || is("lst") {
        list(context, args, Purpose::Show)
    } else if is("get") {
        get(context, args)
    } else if is("flush") {
        list(context, args, Purpose::Flush)
    } else if is("help") {
        Err(usage())
    } else if is("bucket") {
        Err(Stop::fail(1, "ip nexthop bucket is not supported by hairpin yet\n"))
    } else {
        Err(Stop::exit(255, format!("Command \"{command}\" is unknown, try \"ip nexthop help\".\n")))
    }
}

fn usage() -> Stop {
    Stop::exit(255, USAGE)
}

fn delete(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let mut request = NexthopMessage { family: context.options.family, ..NexthopMessage::default() };
    while let Some(word) = args.take() {
        match word {
            "id" => request.id = Some(id(&mut args)?),
            word => return Err(Stop::invarg("", word)),
        }
    }
    context.talk_raw(RTM_DELNEXTHOP, &request.emit(), 0)
}

fn get(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let mut wanted = None;
    while let Some(word) = args.take() {
        match word {
            "id" => wanted = Some(id(&mut args)?),
            _ => return Err(usage()),
        }
    }
    let wanted = wanted.filter(|id| *id != 0).ok_or_else(usage)?;
    show_one(context, wanted)
}

fn id(args: &mut Args<'_>) -> Result<u32, Stop> {
    let text = args.value()?;
    get_u32(text, 0).ok_or_else(|| Stop::invarg("invalid id value", text))
}

fn show_one(context: &mut Context<'_>, id: u32) -> Result<(), Stop> {
    let found = find(context, id)?;
    context.begin();
    if let Some(message) = &found {
        print(context, message, false);
    }
    context.end();
    Ok(())
}

/// The next hop of an id, as the kernel has it.
///
/// # Errors
/// There is none.
pub(super) fn find(context: &mut Context<'_>, id: u32) -> Result<Option<NexthopMessage>, Stop> {
    let request = NexthopMessage { id: Some(id), ..NexthopMessage::default() };
    let answer = context
        .ask_raw(RTM_GETNEXTHOP, &request.emit())
        .map_err(|failure| Stop::fail(2, refusal(&failure)))?;
    Ok(answer.first().and_then(|(_, payload)| NexthopMessage::parse(payload)))
}

/// What a list is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Show,
    Flush,
}

fn list(context: &mut Context<'_>, mut args: Args<'_>, purpose: Purpose) -> Result<(), Stop> {
    let mut request = NexthopMessage { family: context.options.family, ..NexthopMessage::default() };
    let mut protocol = 0;
    let is_all = args.is_empty();
    while let Some(word) = args.take() {
        match word {
            "dev" => request.ifindex = Some(device(context, &mut args)?),
            "groups" => request.groups = true,
            "master" => request.master = Some(device(context, &mut args)?),
            "vrf" => {
                let name = args.value()?;
                if vrf_table(context, name).is_none_or(|table| table == 0) {
                    return Err(Stop::invarg("Invalid VRF\n", name));
                }
                request.master = Some(context.link_index(name));
            }
            "id" => {
                let id = id(&mut args)?;
                return match purpose {
                    Purpose::Show => show_one(context, id),
                    Purpose::Flush => remove(context, id),
                };
            }
            "fdb" => request.fdb = true,
            word if matches(word, "protocol") => {
                let text = args.value()?;
                protocol = get_u32(text, 0).ok_or_else(|| Stop::invarg("invalid protocol value", text))?;
            }
            word if matches(word, "help") => return Err(usage()),
            word => return Err(Stop::invarg("", word)),
        }
    }
    if purpose == Purpose::Flush {
        return flush(context, request, protocol, is_all);
    }
    let found = dump(context, &request, protocol)?;
    context.begin();
    for message in &found {
        print(context, message, false);
    }
    context.end();
    Ok(())
}

/// What the kernel lists for a request, of one protocol or (0) any.
fn dump(
    context: &mut Context<'_>,
    request: &NexthopMessage,
    protocol: u32,
) -> Result<Vec<NexthopMessage>, Stop> {
    let fits = |message: &NexthopMessage| protocol == 0 || u32::from(message.protocol) == protocol;
    let answer = context
        .dump_raw(RTM_GETNEXTHOP, &request.emit())
        .map_err(|text| Stop::fail(2, format!("{text}Dump terminated\n")))?;
    Ok(answer.iter().filter_map(|(_, payload)| NexthopMessage::parse(payload)).filter(fits).collect())
}

/// Where all are to go, groups go first, and are not told of each member that they lose.
fn flush(
    context: &mut Context<'_>,
    mut request: NexthopMessage,
    protocol: u32,
    is_all: bool,
) -> Result<(), Stop> {
    let mut flushed = 0;
    let passes = if is_all { vec![true, false] } else { vec![request.groups] };
    for groups in passes {
        request.groups = groups;
        for message in dump(context, &request, protocol)? {
            match remove(context, message.id.unwrap_or(0)) {
                Ok(()) => flushed += 1,
                Err(stop) => context.complain(&stop.text),
            }
        }
    }
    match flushed {
        0 => context.print.text(format_args!("Nothing to flush\n")),
        count => context.print.text(format_args!("Flushed {count} nexthops\n")),
    }
    Ok(())
}

fn remove(context: &mut Context<'_>, id: u32) -> Result<(), Stop> {
    let request = NexthopMessage { id: Some(id), ..NexthopMessage::default() };
    context.talk_raw(RTM_DELNEXTHOP, &request.emit(), 0)
}

fn device(context: &mut Context<'_>, args: &mut Args<'_>) -> Result<u32, Stop> {
    let name = args.value()?;
    match context.link_index(name) {
        0 => Err(Stop::invarg("Device does not exist\n", name)),
        index => Ok(index),
    }
}
