//! `ip route get`

use hairpin_netlink::Message;
use hairpin_netlink::route::route::{RouteAttribute, RouteFlags, RouteMessage};

use super::filter::Filter;
use super::print::print_route;
use super::show::byte;
use super::usage;
use crate::ip::link::is_vrf;
use crate::ip::rt_names::ip_protocol_id;
use crate::iproute2::inet::{AF_INET, AF_INET6, Prefix, get_addr, get_prefix};
use crate::iproute2::names::Table;
use crate::iproute2::number::{get_u16, get_u32};
use crate::iproute2::{Args, Context, Stop, matches};

pub(super) fn main(ctx: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let mut message = RouteMessage::default();
    let mut family = ctx.options.family;
    let (mut iif, mut oif) = (None, None);
    let mut mark = 0;
    let (mut connected, mut fib_match, mut source_given, mut found) = (false, false, false, false);
    while let Some(word) = args.take() {
        if word == "tos" || matches(word, "dsfield") {
            let value = args.value()?;
            message.header.tos = byte(ctx, Table::DsField, value, "TOS value is invalid\n")?;
        } else if matches(word, "from") {
            let value = args.value()?;
            if matches(value, "help") {
                return Err(usage());
            }
            source_given = true;
            let prefix = in_family(get_prefix(value, family)?, &mut family);
            message.attributes.extend(prefix.address.map(|a| RouteAttribute::Source(a.into())));
            message.header.source_prefix_length = prefix.length;
        } else if matches(word, "iif") {
            iif = Some(args.value()?);
        } else if matches(word, "mark") {
            let value = args.value()?;
            mark = get_u32(value, 0).ok_or_else(|| Stop::invarg("invalid mark value", value))?;
        } else if matches(word, "oif") || word == "dev" {
            oif = Some(args.value()?);
        } else if matches(word, "notify") {
            message.header.flags |= RouteFlags::Notify;
        } else if matches(word, "connected") {
            connected = true;
        } else if matches(word, "vrf") {
            let value = args.value()?;
            let index = ctx.link_index(value);
            if index == 0 || !is_vrf(ctx, index) {
                return Err(Stop::invarg("Invalid VRF\n", value));
            }
            oif = Some(value);
        } else if matches(word, "uid") {
            let value = args.value()?;
            let uid = get_u32(value, 0).ok_or_else(|| Stop::invarg("invalid UID\n", value))?;
            message.attributes.push(RouteAttribute::Uid(uid));
        } else if matches(word, "fibmatch") {
            fib_match = true;
        } else if word == "as" {
            args.take_if("to");
            let prefix = in_family(get_addr(args.value()?, family)?, &mut family);
            let address = prefix.address.map(|a| RouteAttribute::NewDestinationAddress(a.into()));
            message.attributes.extend(address);
        } else if matches(word, "sport") {
            let value = args.value()?;
            let port = get_u16(value, 0).ok_or_else(|| Stop::invarg("invalid sport\n", value))?;
            message.attributes.push(RouteAttribute::Sport(port));
        } else if matches(word, "dport") {
            let value = args.value()?;
            let port = get_u16(value, 0).ok_or_else(|| Stop::invarg("invalid dport\n", value))?;
            message.attributes.push(RouteAttribute::Dport(port));
        } else if matches(word, "ipproto") {
            let value = args.value()?;
            let invalid = || Stop::invarg("Invalid \"ipproto\" value\n", value);
            message.attributes.push(RouteAttribute::IpProto(ip_protocol_id(value).ok_or_else(invalid)?));
        } else {
            let word = if word == "to" { args.value()? } else { word };
            if matches(word, "help") {
                return Err(usage());
            }
            let prefix = in_family(get_prefix(word, family)?, &mut family);
            message.attributes.extend(prefix.address.map(|a| RouteAttribute::Destination(a.into())));
            message.header.destination_prefix_length = whole_address(ctx, family, prefix.length);
            found = true;
        }
    }
    if !found {
        return Err(Stop::fail(1, "need at least a destination address\n"));
    }
    if let Some(name) = iif {
        message.attributes.push(RouteAttribute::Iif(ctx.require_link(name)?));
    }
    if let Some(name) = oif {
        message.attributes.push(RouteAttribute::Oif(ctx.require_link(name)?));
    }
    if mark != 0 {
        message.attributes.push(RouteAttribute::Mark(mark));
    }
    if family == 0 {
        family = AF_INET;
    }
    message.header.address_family = family.into();
    // Only IPv4 tells the table in which it found the route.
    if family == AF_INET {
        message.header.flags |= RouteFlags::LookupTable;
    }
    if fib_match {
        message.header.flags |= RouteFlags::FibMatch;
    }
    let filter = Filter::everything();
    let mut route = ask(ctx, message.clone())?;
    if connected && !source_given {
        print(ctx, &filter, &route);
        if !has_source(&route) {
            return Err(Stop::fail(1, "Failed to connect the route\n"));
        }
        // iproute2 6.1 prepares a question from that source, but sends the first one again.
        route = ask(ctx, message)?;
    }
    print(ctx, &filter, &route);
    Ok(())
}

/// A prefix; its family becomes the command's where that was open.
fn in_family(prefix: Prefix, family: &mut u8) -> Prefix {
    if *family == 0 {
        *family = prefix.family;
    }
    prefix
}

/// A shorter destination prefix is warned of and taken for a whole address.
fn whole_address(ctx: &mut Context<'_>, family: u8, length: u8) -> u8 {
    let whole = match family {
        AF_INET => 32,
        AF_INET6 => 128,
        _ => return length,
    };
    if length != whole {
        ctx.complain(&format!(
            "Warning: /{length} as prefix is invalid, only /{whole} (or none) is supported.\n"
        ));
    }
    whole
}

fn ask(ctx: &mut Context<'_>, message: RouteMessage) -> Result<RouteMessage, Stop> {
    let answer = ctx.talk(&Message::GetRoute(message), 0)?;
    let route = answer.into_iter().find_map(|message| match message {
        Message::NewRoute(route) => Some(route),
        _ => None,
    });
    route.ok_or_else(|| Stop::fail(1, "An error :-)\n"))
}

fn print(ctx: &mut Context<'_>, filter: &Filter, route: &RouteMessage) {
    ctx.begin();
    if filter.clone().takes(ctx.options.family, route) {
        print_route(ctx, filter, route, false);
    }
    ctx.end();
}

/// Whether an answer has a source address with which `connected` could ask again.
fn has_source(route: &RouteMessage) -> bool {
    let sources = |a: &RouteAttribute| matches!(a, RouteAttribute::PrefSource(_) | RouteAttribute::Source(_));
    route.attributes.iter().any(sources)
}
