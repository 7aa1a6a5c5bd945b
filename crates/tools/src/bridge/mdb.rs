//! `bridge mdb`: multicast databases of bridges.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hairpin_netlink::bridge_mdb::{
    Address, Entry, MdbMessage, PERMANENT, RTM_DELMDB, RTM_GETMDB, RTM_NEWMDB, Request, Router, dump_request,
    flags,
};
use hairpin_netlink::codec::{NLM_F_CREATE, NLM_F_EXCL};

use super::{as_bridge, fail};
use crate::iproute2::inet::{AF_INET, AF_INET6};
use crate::iproute2::names::Table;
use crate::iproute2::number::atoi;
use crate::iproute2::{Args, Color, Context, Stop, matches};

/// What is left out: 0 for nothing.
#[derive(Clone, Copy, Default)]
struct Filter {
    index: u32,
    vid: u16,
}

pub(super) fn main(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    context.learn_links()?;
    context.options.timestamp = false;
    let Some(command) = args.take() else {
        return show(context, args);
    };
    let is = |name| matches(command, name);
    if is("add") {
        modify(context, args, RTM_NEWMDB)
    } else if is("delete") {
        modify(context, args, RTM_DELMDB)
    } else if is("show") || is("lst") || is("list") {
        show(context, args)
    } else if is("help") {
        Err(usage())
    } else {
        Err(Stop::exit(255, format!("Command \"{command}\" is unknown, try \"bridge mdb help\".\n")))
    }
}

fn show(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let mut device = None;
    let mut filter = Filter::default();
    while let Some(word) = args.take() {
        match word {
            "dev" => {
                let name = args.value()?;
                if device.is_some() {
                    return Err(Stop::duparg("dev", name));
                }
                device = Some(name);
            }
            "vid" => {
                let word = args.value()?;
                if filter.vid != 0 {
                    return Err(Stop::duparg("vid", word));
                }
                filter.vid = atoi(word) as u16;
            }
            _ => {}
        }
    }
    if let Some(name) = device {
        filter.index = require(context, name)?;
    }
    context.begin();
    context.print.open_object(None);
    let messages = dump(context)?;
    open_array(context, "mdb");
    for message in messages.iter().filter(|message| filter.index == 0 || message.ifindex == filter.index) {
        print_groups(context, filter, message);
    }
    context.print.close_array();
    let messages = dump(context)?;
    context.print.open_object(Some("router"));
    for message in messages.iter().filter(|message| filter.index == 0 || message.ifindex == filter.index) {
        if let Some(routers) = message.routers.as_ref().filter(|_| context.options.details > 0) {
            print_routers(context, message.ifindex, routers);
        }
    }
    context.print.close_object();
    context.print.close_object();
    context.end();
    Ok(())
}

fn dump(context: &mut Context<'_>) -> Result<Vec<MdbMessage>, Stop> {
    let answer = context
        .dump_raw(RTM_GETMDB, &dump_request())
        .map_err(|text| Stop::fail(255, format!("{text}Dump terminated\n")))?;
    Ok(answer.iter().filter_map(|(_, payload)| MdbMessage::parse(payload)).collect())
}

fn require(context: &mut Context<'_>, name: &str) -> Result<u32, Stop> {
    match context.link_index(name) {
        0 => Err(fail(format!("Cannot find device \"{name}\"\n"))),
        index => Ok(index),
    }
}

/// An array in JSON; nothing in text.
fn open_array(context: &mut Context<'_>, key: &str) {
    if context.print.is_json() {
        context.print.open_array(Some(key));
    }
}

/// `format_timer`, of `USER_HZ` ticks.
fn timer(ticks: u32, wide: bool) -> String {
    let (seconds, rest) = (ticks / 100, ticks % 100);
    if wide { format!("{seconds:4}.{rest:02}") } else { format!("{seconds}.{rest:02}") }
}

fn print_groups(context: &mut Context<'_>, filter: Filter, message: &MdbMessage) {
    for entry in message.groups.iter().flatten().flatten() {
        print_entry(context, filter, message.ifindex, entry);
    }
}

/// `print_mdb_entry`
fn print_entry(context: &mut Context<'_>, filter: Filter, bridge: u32, entry: &Entry) {
    if filter.vid != 0 && filter.vid != entry.vid {
        return;
    }
    let (group, color) = match entry.address {
        Address::Ip(IpAddr::V4(group)) => (group.to_string(), Color::family(AF_INET)),
        Address::Ip(IpAddr::V6(group)) => (group.to_string(), Color::family(AF_INET6)),
        Address::Mac(mac) => (mac.map(|byte| format!("{byte:02x}")).join(":"), Color::None),
        Address::Unknown(_) => return,
    };
    let (device, port) = (context.link_name(bridge), context.link_name(entry.ifindex));
    let (stats, details) = (context.options.stats > 0, context.options.details > 0);
    let p = &mut context.print;
    p.open_object(None);
    p.json("index", bridge as i32);
    p.text(format_args!("dev "));
    p.colored(Color::InterfaceName, "dev", &device, format_args!("{device}"));
    p.any("port", &port, format_args!(" port {port}"));
    p.text(format_args!(" grp "));
    p.colored(color, "grp", &group, format_args!("{group}"));
    if let Some(source) = entry.source {
        let source = source.to_string();
        p.text(format_args!(" src "));
        p.colored(color, "src", &source, format_args!("{source}"));
    }
    let state = if entry.state & PERMANENT != 0 { "permanent" } else { "temp" };
    p.any("state", state, format_args!(" {state}"));
    if details {
        if let Some(mode) = entry.mode {
            let mode = if mode == 1 { "include" } else { "exclude" };
            p.any("filter_mode", mode, format_args!(" filter_mode {mode}"));
        }
        if let Some(protocol) = entry.protocol {
            let protocol = context.name_of(Table::Protocol, protocol.into());
            context.print.any("protocol", &protocol, format_args!(" proto {protocol} "));
        }
    }
    open_array(context, "flags");
    let p = &mut context.print;
    for (flag, name) in [
        (flags::OFFLOAD, "offload"),
        (flags::FAST_LEAVE, "fast_leave"),
        (flags::STAR_EXCL, "added_by_star_ex"),
        (flags::BLOCKED, "blocked"),
    ] {
        if entry.flags & flag != 0 {
            p.item(name, format_args!(" {name}"));
        }
    }
    p.close_array();
    if entry.vid != 0 {
        p.any("vid", entry.vid, format_args!(" vid {}", entry.vid));
    }
    if let Some(ticks) = entry.timer.filter(|_| stats) {
        let timer = timer(ticks, true);
        p.any("timer", &timer, format_args!(" {timer}"));
    }
    p.line();
    p.close_object();
}

/// `br_print_router_ports`
fn print_routers(context: &mut Context<'_>, bridge: u32, routers: &[Router]) {
    let name = context.link_name(bridge);
    let stats = context.options.stats > 0;
    open_array(context, &name);
    if !stats {
        context.print.text(format_args!("router ports on {name}: "));
    }
    for router in routers {
        let port = context.link_name(router.ifindex);
        context.print.open_object(None);
        context.print.json("port", &port);
        match stats {
            true => context.print.text(format_args!("router ports on {name}: {port}")),
            false => context.print.text(format_args!("{port} ")),
        }
        if stats {
            print_router_stats(context, router);
            context.print.text(format_args!("\n"));
        }
        context.print.close_object();
    }
    if !stats {
        context.print.line();
    }
    context.print.close_array();
}

/// `br_print_router_port_stats`
pub(in crate::bridge) fn print_router_stats(context: &mut Context<'_>, router: &Router) {
    if let Some(ticks) = router.timer {
        let timer = timer(ticks, true);
        context.print.any("timer", &timer, format_args!(" {timer}"));
    }
    if let Some(kind) = router.kind {
        // `MDB_RTR_TYPE_TEMP_QUERY`, `MDB_RTR_TYPE_TEMP`
        let kind = if matches!(kind, 1 | 3) { "temp" } else { "permanent" };
        context.print.any("type", kind, format_args!(" {kind}"));
    }
}

/// A change of a multicast database, or of router ports, as `bridge monitor` shows it.
pub(super) fn print_event(context: &mut Context<'_>, payload: &[u8], deleted: bool) {
    let Some(message) = MdbMessage::parse(payload) else { return };
    if deleted {
        context.print.any("deleted", true, format_args!("Deleted "));
    }
    print_groups(context, Filter::default(), &message);
    if let Some(router) = message.routers.as_ref().and_then(|routers| routers.first()) {
        let (port, bridge) = (context.link_name(router.ifindex), context.link_name(message.ifindex));
        context.print.text(format_args!("router port dev {port} master {bridge}\n"));
    }
    // `print_mdb_event` leaves the text in the buffer of standard output.
}

fn modify(context: &mut Context<'_>, mut args: Args<'_>, command: u16) -> Result<(), Stop> {
    let (mut device, mut port, mut group, mut source) = (None, None, None, None);
    let (mut state, mut vid) = (0, 0);
    while let Some(word) = args.take() {
        match word {
            "dev" => device = Some(args.value()?),
            "grp" => group = Some(args.value()?),
            "port" => port = Some(args.value()?),
            "permanent" if command == RTM_NEWMDB => state = PERMANENT,
            "permanent" | "temp" => {}
            "vid" => vid = atoi(args.value()?) as u16,
            "src" => source = Some(args.value()?),
            word if matches(word, "help") => return Err(usage()),
            _ => {}
        }
    }
    let (Some(device), Some(group), Some(port)) = (device, group, port) else {
        return Err(fail("Device, group address and port name are required arguments.\n"));
    };
    let bridge = require(context, device)?;
    let ifindex = require(context, port)?;
    let Some(address) = read_group(group) else {
        let text = format!("\"{group}\" is invalid lladdr.\nInvalid address \"{group}\"\n");
        return Err(fail(text));
    };
    let source = match source {
        None => None,
        Some(text) => match read_ip(text) {
            None => return Err(fail(format!("Invalid source address \"{text}\"\n"))),
            source => source,
        },
    };
    let entry =
        Entry { ifindex, state, flags: 0, vid, address, source, timer: None, protocol: None, mode: None };
    let flags = if command == RTM_NEWMDB { NLM_F_CREATE | NLM_F_EXCL } else { 0 };
    context.talk_raw(command, &Request::emit(bridge, &entry), flags).map_err(as_bridge)
}

fn read_ip(text: &str) -> Option<IpAddr> {
    let v4 = text.parse::<Ipv4Addr>().map(IpAddr::V4);
    v4.or_else(|_| text.parse::<Ipv6Addr>().map(IpAddr::V6)).ok()
}

/// `mdb_parse_grp`
fn read_group(text: &str) -> Option<Address> {
    if let Some(address) = read_ip(text) {
        return Some(Address::Ip(address));
    }
    let octets: Option<Vec<u8>> = text.split(':').map(|octet| u8::from_str_radix(octet, 16).ok()).collect();
    octets?.try_into().ok().map(Address::Mac)
}

fn usage() -> Stop {
    Stop::exit(255, USAGE)
}

const USAGE: &str = "\
Usage: bridge mdb { add | del } dev DEV port PORT grp GROUP [src SOURCE] [permanent | temp] [vid VID]
       bridge mdb {show} [ dev DEV ] [ vid VID ]
";
