//! `ip monitor`: prints what the kernel tells of changes, until a signal ends it.

use hairpin_netlink::codec::messages;
use hairpin_netlink::netconf::{NetconfMessage, RTM_DELNETCONF, RTM_NEWNETCONF};
use hairpin_netlink::nexthop::{NexthopMessage, RTM_DELNEXTHOP, RTM_NEWNEXTHOP};
use hairpin_netlink::route::address::AddressMessage;
use hairpin_netlink::route::link::LinkMessage;
use hairpin_netlink::route::neighbour::NeighbourMessage;
use hairpin_netlink::route::prefix::{PrefixAttribute, PrefixMessage};
use hairpin_netlink::route::route::{RouteFlags, RouteMessage};
use hairpin_netlink::{Errno, Fd, Message, Received, SocketKind};

use super::addr::Address;
use super::filter::Filter;
use super::{link, neighbour, netconf, netns, nexthop, route, rule};
use crate::Signal;
use crate::calendar::Date;
use crate::iproute2::inet::{AF_INET, AF_INET6};
use crate::iproute2::{Args, Context, Stop, matches};

/// Datagrams taken from the socket at once.
const BATCH: u32 = 64;

const USAGE: &str = "\
Usage: ip monitor [ all | OBJECTS ] [ FILE ] [ label ] [ all-nsid ]
                  [ dev DEVICE ]
OBJECTS :=  address | link | mroute | neigh | netconf |
            nexthop | nsid | prefix | route | rule | stats
FILE := file FILENAME
";

/// A kind of object and its multicast groups (`RTNLGRP_*`): of any family, of IPv4, of IPv6.
struct Object {
    word: &'static str,
    any: u32,
    ipv4: u32,
    ipv6: u32,
}

const fn object(word: &'static str, any: u32, ipv4: u32, ipv6: u32) -> Object {
    Object { word, any, ipv4, ipv6 }
}

/// In the order in which abbreviations are resolved.
const OBJECTS: &[Object] = &[
    object("link", 1, 0, 0),
    object("address", 0, 5, 9),
    object("route", 0, 7, 11),
    // There are no multicast routes or hardware counters here, of which something could be told.
    object("mroute", 0, 0, 0),
    object("prefix", 0, 0, 18),
    object("neigh", 3, 0, 0),
    object("netconf", 0, 24, 25),
    object("rule", 0, 8, 19),
    object("nsid", 28, 0, 0),
    object("nexthop", 32, 0, 0),
    object("stats", 0, 0, 0),
];

/// iproute2's objects that have no printer here.
const UNSUPPORTED: &[&str] = &["all-nsid"];

/// What is shown, and how.
#[derive(Default)]
struct View {
    /// Each event is labelled with its kind.
    label: bool,
    /// Only events of this device; 0 for any.
    device: u32,
}

/// Runs `ip monitor` with the arguments behind the object.
pub(super) fn main(ctx: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let mut view = View::default();
    let mut file = None;
    let mut chosen: Vec<&Object> = Vec::new();
    while let Some(word) = args.take() {
        if matches(word, "file") {
            file = Some(args.value()?);
        } else if matches(word, "label") || word == "all" {
            view.label = true;
        } else if let Some(object) = OBJECTS.iter().find(|object| matches(word, object.word)) {
            chosen.push(object);
        } else if let Some(name) = UNSUPPORTED.iter().find(|name| matches(word, name)) {
            return Err(Stop::fail(1, format!("ip monitor {name} is not supported by hairpin yet\n")));
        } else if matches(word, "help") {
            return Err(Stop::exit(255, USAGE));
        } else if word == "dev" {
            let value = args.value()?;
            view.device = ctx.link_index(value);
            if view.device == 0 {
                return Err(Stop::invarg("Device does not exist\n", value));
            }
        } else {
            let text = format!("Argument \"{word}\" is unknown, try \"ip monitor help\".\n");
            return Err(Stop::exit(255, text));
        }
    }
    if chosen.is_empty() {
        chosen.extend(OBJECTS);
    }
    if let Some(file) = file {
        return replay(ctx, &view, file);
    }
    let groups = groups(&chosen, ctx.options.family);
    let socket = ctx
        .system
        .socket(SocketKind::RouteEvents { groups })
        .map_err(|errno| Stop::exit(1, format!("Cannot open netlink socket: {errno}\n")))?;
    ctx.learn_links()?;
    // Names of namespaces must be known before they are deleted.
    ctx.nsid_name(0);
    listen(ctx, &view, socket)
}

/// The groups to join, bit `g - 1` for group `g`.
fn groups(objects: &[&Object], family: u8) -> u64 {
    let mut bits = 0;
    for object in objects {
        let ipv4 = if family == 0 || family == AF_INET { object.ipv4 } else { 0 };
        let ipv6 = if family == 0 || family == AF_INET6 { object.ipv6 } else { 0 };
        for group in [object.any, ipv4, ipv6] {
            bits |= group.checked_sub(1).map_or(0, |bit| 1 << bit);
        }
    }
    bits
}

fn listen(ctx: &mut Context<'_>, view: &View, socket: Fd) -> Result<(), Stop> {
    loop {
        match ctx.system.wait(&[socket], None, false) {
            Ok(_) => {}
            Err(Errno::EINTR) => match ctx.shell.take_signal() {
                // What a shell says of a program that a signal ended.
                Some(Signal::Interrupt) => return Err(Stop::exit(130, "")),
                Some(Signal::Terminate) => return Err(Stop::exit(143, "")),
                Some(Signal::Quit) => return Err(Stop::exit(131, "")),
                None => continue,
            },
            Err(errno) => return Err(receive_failed(errno)),
        }
        let items = match ctx.system.receive(socket, BATCH) {
            Ok(items) => items,
            Err(Errno::EINTR | Errno::EAGAIN) => continue,
            Err(Errno::ENOBUFS) => {
                let stop = receive_failed(Errno::ENOBUFS);
                ctx.complain(&stop.text);
                continue;
            }
            Err(errno) => return Err(receive_failed(errno)),
        };
        for item in items {
            if let Received::Netlink(bytes) = item {
                show_all(ctx, view, &bytes)?;
            }
        }
        ctx.flush();
    }
}

fn receive_failed(errno: Errno) -> Stop {
    Stop::exit(2, format!("netlink receive error {errno} ({})\n", errno.0))
}

/// `file FILE`: messages that were recorded.
fn replay(ctx: &mut Context<'_>, view: &View, file: &str) -> Result<(), Stop> {
    let mut bytes = Vec::new();
    let read = ctx.shell.open(file).and_then(|mut file| file.read_to_end(&mut bytes));
    if let Err(error) = read {
        let reason = error.raw_os_error().map_or_else(|| error.to_string(), |n| Errno(n).text());
        return Err(Stop::exit(255, format!("Cannot fopen: {reason}\n")));
    }
    show_all(ctx, view, &bytes)
}

fn show_all(ctx: &mut Context<'_>, view: &View, bytes: &[u8]) -> Result<(), Stop> {
    for decoded in messages(bytes) {
        if matches!(decoded.header.kind, RTM_NEWNETCONF | RTM_DELNETCONF) {
            head(ctx, view, "[NETCONF]")?;
            if let Some(message) = NetconfMessage::parse(decoded.payload) {
                netconf::print(ctx, decoded.header.kind, &message, view.device);
            }
        } else if matches!(decoded.header.kind, RTM_NEWNEXTHOP | RTM_DELNEXTHOP) {
            head(ctx, view, "[NEXTHOP]")?;
            if let Some(message) = NexthopMessage::parse(decoded.payload) {
                nexthop::print(ctx, &message, decoded.header.kind == RTM_DELNEXTHOP);
            }
        } else if let Ok(message) = decoded.message() {
            show(ctx, view, &message)?;
        }
    }
    Ok(())
}

fn show(ctx: &mut Context<'_>, view: &View, message: &Message) -> Result<(), Stop> {
    match message {
        Message::NewRoute(route) => show_route(ctx, view, route, false)?,
        Message::DelRoute(route) => show_route(ctx, view, route, true)?,
        Message::NewLink(link) => show_link(ctx, view, link, false)?,
        Message::DelLink(link) => show_link(ctx, view, link, true)?,
        Message::NewAddress(address) => show_address(ctx, view, address, false)?,
        Message::DelAddress(address) => show_address(ctx, view, address, true)?,
        Message::NewNeighbour(entry) => show_neighbour(ctx, view, entry, neighbour::Event::New)?,
        Message::DelNeighbour(entry) => show_neighbour(ctx, view, entry, neighbour::Event::Deleted)?,
        Message::GetNeighbour(entry) => show_neighbour(ctx, view, entry, neighbour::Event::Miss)?,
        Message::NewPrefix(prefix) => {
            head(ctx, view, "[PREFIX]")?;
            print_prefix(ctx, prefix);
        }
        Message::NewRule(entry) => {
            head(ctx, view, "[RULE]")?;
            rule::print_event(ctx, entry, false);
        }
        Message::DelRule(entry) => {
            head(ctx, view, "[RULE]")?;
            rule::print_event(ctx, entry, true);
        }
        Message::NewNsId(id) => {
            head(ctx, view, "[NSID]")?;
            netns::print_event(ctx, id, false);
        }
        Message::DelNsId(id) => {
            head(ctx, view, "[NSID]")?;
            netns::print_event(ctx, id, true);
        }
        _ => {}
    }
    Ok(())
}

fn show_route(ctx: &mut Context<'_>, view: &View, entry: &RouteMessage, deleted: bool) -> Result<(), Stop> {
    if entry.header.flags.contains(RouteFlags::Cloned) {
        return Ok(());
    }
    head(ctx, view, "[ROUTE]")?;
    route::print_event(ctx, view.device, entry, deleted);
    Ok(())
}

fn show_neighbour(
    ctx: &mut Context<'_>,
    view: &View,
    entry: &NeighbourMessage,
    event: neighbour::Event,
) -> Result<(), Stop> {
    if ctx.options.family == 0 || ctx.options.family == u8::from(entry.header.family) {
        head(ctx, view, "[NEIGH]")?;
        neighbour::print_event(ctx, view.device, event, entry);
    }
    Ok(())
}

fn show_link(ctx: &mut Context<'_>, view: &View, entry: &LinkMessage, deleted: bool) -> Result<(), Stop> {
    if deleted {
        ctx.links.forget(entry.header.index);
    } else {
        ctx.links.remember(entry);
    }
    head(ctx, view, "[LINK]")?;
    link::print_link(ctx, &selection(view), entry, deleted);
    Ok(())
}

fn show_address(
    ctx: &mut Context<'_>,
    view: &View,
    entry: &AddressMessage,
    deleted: bool,
) -> Result<(), Stop> {
    head(ctx, view, "[ADDR]")?;
    let filter = selection(view);
    let address = Address::from(entry.clone());
    if deleted && (view.device == 0 || view.device == address.index()) && address.selected(ctx, &filter) {
        ctx.print.text(format_args!("Deleted "));
    }
    address.print(ctx, &filter, false);
    Ok(())
}

/// What links and addresses are selected by; their lines name the link.
fn selection(view: &View) -> Filter {
    Filter { index: view.device, named: true, ..Filter::default() }
}

/// A prefix that a router has advertised. iproute2 6.1 has no blank behind the length, and takes flags for other bits than
/// those that the kernel sends (the byte of the router's option), so that it shows neither of an ordinary prefix.
fn print_prefix(ctx: &mut Context<'_>, message: &PrefixMessage) {
    let header = &message.header;
    ctx.print.text(format_args!("prefix "));
    for attribute in &message.attributes {
        if let PrefixAttribute::Address(address) = attribute {
            ctx.print.text(format_args!("{address}"));
        }
    }
    let device = ctx.link_name(header.ifindex as u32);
    ctx.print.text(format_args!("/{}dev {device} ", header.prefix_len));
    for (flag, word) in [(1, "onlink"), (2, "autoconf")] {
        if header.flags & flag != 0 {
            ctx.print.text(format_args!("{word} "));
        }
    }
    for attribute in &message.attributes {
        if let PrefixAttribute::CacheInfo(times) = attribute {
            let (valid, preferred) = (times.valid_time, times.preferred_time);
            ctx.print.text(format_args!("valid {valid} preferred {preferred} "));
        }
    }
    ctx.print.text(format_args!("\n"));
}

/// What stands in front of an event: its time and its kind, where asked for.
fn head(ctx: &mut Context<'_>, view: &View, label: &str) -> Result<(), Stop> {
    if ctx.options.timestamp {
        let now = ctx.system.now().map_err(|errno| Stop::exit(1, format!("clock: {errno}\n")))?;
        let text = timestamp(now.realtime_ns, ctx.options.timestamp_short);
        ctx.print.text(format_args!("{text}"));
    }
    if view.label {
        ctx.print.text(format_args!("{label}"));
    }
    Ok(())
}

/// The time of an event, in UTC.
fn timestamp(realtime_ns: u64, short: bool) -> String {
    let microseconds = realtime_ns / 1000 % 1_000_000;
    let date = Date::of(realtime_ns / 1_000_000_000);
    if short {
        let Date { year, month, day, hour, minute, second, .. } = date;
        return format!("[{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{microseconds:06}] ");
    }
    // `ctime` with the microseconds.
    format!("Timestamp: {} {microseconds} usec\n", date.ctime())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        // 2024-02-29 12:34:56.000789 UTC
        let ns = 1_709_210_096_000_789_000;
        assert_eq!(timestamp(ns, true), "[2024-02-29T12:34:56.000789] ");
        assert_eq!(timestamp(ns, false), "Timestamp: Thu Feb 29 12:34:56 2024 789 usec\n");
        assert_eq!(timestamp(0, false), "Timestamp: Thu Jan  1 00:00:00 1970 0 usec\n");
    }

    #[test]
    fn a_family_restricts_the_groups() {
        let route = OBJECTS.iter().find(|object| object.word == "route").into_iter().collect::<Vec<_>>();
        assert_eq!(groups(&route, 0), 1 << 6 | 1 << 10);
        assert_eq!(groups(&route, AF_INET), 1 << 6);
    }
}
