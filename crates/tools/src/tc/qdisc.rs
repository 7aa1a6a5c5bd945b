//! `tc qdisc` (iproute2's tc_qdisc.c).

use hairpin_netlink::codec::{NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use hairpin_netlink::tc::{
    INGRESS, QdiscMessage, ROOT, RTM_DELQDISC, RTM_GETQDISC, RTM_NEWQDISC, Statistics,
};

use super::{fail, fifo, netem, tbf, units, wrong};
use crate::iproute2::print::Printer;
use crate::iproute2::{Args, Context, Stop, matches};

pub(super) fn main(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let Some(command) = args.take() else { return show(context, args) };
    let is = |name| matches(command, name);
    if is("add") {
        modify(context, args, RTM_NEWQDISC, NLM_F_EXCL | NLM_F_CREATE)
    } else if is("change") {
        modify(context, args, RTM_NEWQDISC, 0)
    } else if is("replace") {
        modify(context, args, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE)
    } else if is("link") {
        modify(context, args, RTM_NEWQDISC, NLM_F_REPLACE)
    } else if is("delete") {
        modify(context, args, RTM_DELQDISC, 0)
    } else if is("list") || is("show") || is("lst") {
        show(context, args)
    } else if is("help") {
        Err(Stop::fail(0, USAGE))
    } else {
        Err(fail(format!("Command \"{command}\" is unknown, try \"tc qdisc help\".\n")))
    }
}

/// `get_qdisc_handle`: `1:` or `1`, in hexadecimal; `none`.
fn handle(text: &str) -> Option<u32> {
    if text == "none" {
        return Some(0);
    }
    let major = text.split(':').next().unwrap_or(text);
    u16::from_str_radix(major, 16).ok().map(|major| u32::from(major) << 16)
}

/// `get_tc_classid`: `1:2`, `root` or `none`.
fn class(text: &str) -> Option<u32> {
    match text {
        "root" => Some(ROOT),
        "none" => Some(0),
        _ => {
            let (major, minor) = text.split_once(':')?;
            let part = |text: &str| match text {
                "" => Some(0),
                text => u16::from_str_radix(text, 16).ok(),
            };
            Some(u32::from(part(major)?) << 16 | u32::from(part(minor)?))
        }
    }
}

fn modify(context: &mut Context<'_>, mut args: Args<'_>, kind: u16, flags: u16) -> Result<(), Stop> {
    let mut request = QdiscMessage::default();
    let mut device = None;
    while let Some(word) = args.take() {
        let duplicate = |key: &str| fail(format!("Error: \"{key}\" is duplicate parent ID\n"));
        match word {
            "dev" => {
                let name = args.value()?;
                if device.replace(name).is_some() {
                    return Err(Stop::duparg("dev", name));
                }
            }
            "handle" => {
                let text = args.value()?;
                if request.handle != 0 {
                    return Err(Stop::duparg("handle", text));
                }
                request.handle = handle(text).ok_or_else(|| Stop::invarg("invalid qdisc ID", text))?;
            }
            "root" => {
                if request.parent != 0 {
                    return Err(Stop::exit(255, duplicate("root").text));
                }
                request.parent = ROOT;
            }
            "ingress" | "clsact" => {
                if request.parent != 0 {
                    return Err(Stop::exit(255, duplicate(word).text));
                }
                (request.parent, request.handle) = (INGRESS, 0xffff_0000);
                request.kind = Some(word.to_owned());
            }
            "parent" => {
                let text = args.value()?;
                if request.parent != 0 {
                    return Err(Stop::duparg("parent", text));
                }
                request.parent = class(text).ok_or_else(|| Stop::invarg("invalid parent ID", text))?;
            }
            "help" => return Err(Stop::exit(255, USAGE)),
            "estimator" | "stab" | "ingress_block" | "egress_block" => {
                return Err(fail(format!("tc qdisc: {word}: not supported by hairpin yet\n")));
            }
            name => {
                request.options = options(name, args)?;
                request.kind = Some(name.to_owned());
                break;
            }
        }
    }
    if let Some(name) = device {
        request.ifindex = context.require_link(name)?;
    }
    context.talk_raw(kind, &request.emit(), flags)
}

/// The discipline's own words.
fn options(kind: &str, args: Args<'_>) -> Result<Option<Vec<u8>>, Stop> {
    match kind {
        "netem" => netem::parse(args),
        "tbf" => tbf::parse(args),
        "pfifo" | "bfifo" => fifo::parse(kind, args),
        "fq_codel" => fifo::parse_fq_codel(args),
        // What these say the kernel would refuse.
        _ if KNOWN.contains(&kind) => Ok(None),
        _ => match args.peek() {
            Some(word) => {
                Err(wrong(format!("Unknown qdisc \"{kind}\", hence option \"{word}\" is unparsable\n")))
            }
            None => Ok(None),
        },
    }
}

/// Disciplines that `tc` has words for and hairpin has not.
const KNOWN: &[&str] = &[
    "cake", "cbs", "choke", "codel", "drr", "etf", "ets", "fq", "fq_pie", "gred", "hfsc", "hhf", "htb",
    "mqprio", "pie", "plug", "prio", "qfq", "red", "sfb", "sfq", "skbprio", "taprio",
];

fn show(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let (mut device, mut wanted_handle, mut wanted_parent) = (None, 0, 0);
    while let Some(word) = args.take() {
        match word {
            "dev" => device = Some(args.value()?),
            "root" => wanted_parent = ROOT,
            "ingress" | "clsact" => wanted_parent = INGRESS,
            "parent" => {
                let text = args.value()?;
                wanted_parent = class(text).ok_or_else(|| Stop::invarg("invalid parent ID", text))?;
            }
            "handle" => {
                let text = args.value()?;
                wanted_handle = handle(text).ok_or_else(|| Stop::invarg("invalid handle ID", text))?;
            }
            word if matches(word, "help") => return Err(Stop::exit(255, USAGE)),
            // What is never told of is not told of here either.
            "invisible" => {}
            _ => return Err(fail(format!("What is \"{word}\"? Try \"tc qdisc help\".\n"))),
        }
    }
    let wanted = match device {
        Some(name) => context.require_link(name)?,
        None => 0,
    };
    context.begin();
    let request = QdiscMessage { ifindex: wanted, ..QdiscMessage::default() };
    let answer = context
        .dump_raw(RTM_GETQDISC, &request.emit())
        .map_err(|text| wrong(format!("{text}Dump terminated\n")))?;
    for (_, payload) in answer {
        let Some(found) = QdiscMessage::parse(&payload) else { continue };
        if wanted != 0 && found.ifindex != wanted
            || wanted_handle != 0 && found.handle != wanted_handle
            || wanted_parent != 0 && found.parent != wanted_parent
        {
            continue;
        }
        let name = (wanted == 0).then(|| context.link_name(found.ifindex));
        let stats = context.options.stats > 0;
        let details = context.options.details > 0;
        print(&mut context.print, &found, name.as_deref(), stats, details);
    }
    context.end();
    Ok(())
}

/// `print_qdisc`
fn print(p: &mut Printer, found: &QdiscMessage, device: Option<&str>, stats: bool, details: bool) {
    let kind = found.kind.as_deref().unwrap_or_default();
    p.open_object(None);
    p.any("kind", kind, format_args!("qdisc {kind} "));
    let handle = format!("{:x}:", found.handle >> 16);
    p.any("handle", handle.as_str(), format_args!("{handle} "));
    if let Some(device) = device {
        p.any("dev", device, format_args!("dev {device} "));
    }
    match found.parent {
        ROOT => p.any("root", true, format_args!("root ")),
        0 => {}
        parent => {
            let parent = match parent {
                INGRESS => "ffff:fff1".to_owned(),
                parent => format!("{:x}:{:x}", parent >> 16, parent & 0xffff),
            };
            p.any("parent", parent.as_str(), format_args!("parent {parent} "));
        }
    }
    if found.references != 1 {
        p.any("refcnt", found.references, format_args!("refcnt {} ", found.references));
    }
    p.open_object(Some("options"));
    if let Some(options) = &found.options {
        match kind {
            "netem" => netem::print(p, options),
            "tbf" => tbf::print(p, options, details),
            "pfifo" | "bfifo" => fifo::print(p, kind, options),
            "pfifo_fast" => fifo::print_priorities(p, options),
            "fq_codel" => fifo::print_fq_codel(p, options),
            _ => p.text(format_args!("[unknown qdisc options]")),
        }
    }
    p.close_object();
    p.line();
    if let Some(statistics) = found.statistics.filter(|_| stats) {
        print_statistics(p, &statistics);
        p.line();
    }
    p.close_object();
}

/// `print_tcstats2_attr`
fn print_statistics(p: &mut Printer, found: &Statistics) {
    p.any("bytes", found.bytes, format_args!(" Sent {} bytes", found.bytes));
    p.any("packets", found.packets, format_args!(" {} pkt", found.packets));
    p.any("drops", found.drops, format_args!(" (dropped {}", found.drops));
    p.any("overlimits", found.overlimits, format_args!(", overlimits {}", found.overlimits));
    p.any("requeues", found.requeues, format_args!(" requeues {}) ", found.requeues));
    p.line();
    let backlog = units::format_size(found.backlog);
    p.any("backlog", found.backlog, format_args!(" backlog {backlog}"));
    p.any("qlen", found.queued, format_args!(" {}p", found.queued));
    p.text(format_args!(" requeues {}", found.requeues));
}

const USAGE: &str = "\
Usage: tc qdisc [ add | del | replace | change | show ] dev STRING
       [ handle QHANDLE ] [ root | ingress | clsact | parent CLASSID ]
       [ estimator INTERVAL TIME_CONSTANT ]
       [ stab [ help | STAB_OPTIONS] ]
       [ ingress_block BLOCK_INDEX ] [ egress_block BLOCK_INDEX ]
       [ [ QDISC_KIND ] [ help | OPTIONS ] ]

       tc qdisc { show | list } [ dev STRING ] [ QDISC_ID ] [ invisible ]
Where:
QDISC_KIND := { [p|b]fifo | tbf | prio | cbq | red | etc. }
OPTIONS := ... try tc qdisc add <desired QDISC_KIND> help
STAB_OPTIONS := ... try tc qdisc add stab help
QDISC_ID := { root | ingress | handle QHANDLE | parent CLASSID }
";
