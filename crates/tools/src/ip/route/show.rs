//! `ip route list` and `ip route flush`.

use hairpin_netlink::route::route::{RouteAttribute, RouteFlags, RouteMessage};
use hairpin_netlink::{Errno, Message};

use super::filter::{Cached, Filter};
use super::print::print_route;
use super::{RT_TABLE_MAIN, usage};
use crate::ip::rt_names::{realms, route_type_id};
use crate::iproute2::inet::{AF_INET, AF_INET6, Prefix, get_prefix, read_family};
use crate::iproute2::names::Table;
use crate::iproute2::number::get_u32;
use crate::iproute2::rtnl::RefusedDump;
use crate::iproute2::{Args, Context, Stop, matches};

/// How long a flush may take, in nanoseconds.
const FLUSH_TIME: u64 = 30_000_000_000;

/// `RTN_LOCAL` and `RTN_BROADCAST`, which a VRF's listing leaves out.
const LOCAL_AND_BROADCAST: u64 = 1 << 2 | 1 << 3;

/// `ip route list`
pub(super) fn list(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Stop> {
    let (mut filter, family) = parse_selectors(ctx, args)?;
    let request = dump_request(&filter, family);
    ctx.begin();
    let routes = dump_for_list(ctx, &filter, &request)?;
    for route in &routes {
        if filter.takes(ctx.options.family, route) {
            print_route(ctx, &filter, route, false);
        }
    }
    ctx.end();
    Ok(())
}

/// `ip route flush`
pub(super) fn flush(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Stop> {
    if args.is_empty() {
        return Err(Stop::fail(1, "\"ip route flush\" requires arguments.\n"));
    }
    let (mut filter, family) = parse_selectors(ctx, args)?;
    filter.flushing = true;
    let cached = filter.cached != Cached::No;
    if cached && family != AF_INET6 {
        flush_cache(ctx);
        if ctx.options.stats > 0 {
            ctx.print.text(format_args!("*** IPv4 routing cache is flushed.\n"));
        }
        if family == AF_INET {
            ctx.flush();
            return Ok(());
        }
    }
    let request = dump_request(&filter, family);
    let start = ctx.system.now().map_or(0, |now| now.monotonic_ns);
    let mut round = 0;
    loop {
        let routes = dump(ctx, &request, "Flush terminated\n")?;
        let family = ctx.options.family;
        let taken: Vec<_> = routes.into_iter().filter(|route| filter.takes(family, route)).collect();
        if ctx.options.stats > 1 {
            for route in &taken {
                print_route(ctx, &filter, route, false);
            }
        }
        if taken.is_empty() {
            if ctx.options.stats > 0 {
                if round == 0 && (!cached || family == AF_INET6) {
                    ctx.print.text(format_args!("Nothing to flush.\n"));
                } else {
                    let s = if round > 1 { "s" } else { "" };
                    ctx.print.text(format_args!("*** Flush is complete after {round} round{s} ***\n"));
                }
            }
            ctx.flush();
            return Ok(());
        }
        round += 1;
        let count = taken.len();
        for route in taken {
            if let Err(failure) = ctx.talk_quietly(&Message::DelRoute(route), 0) {
                ctx.flush();
                return Err(Stop::fail(2, format!("Failed to send flush request: {}\n", failure.errno)));
            }
        }
        let elapsed = ctx.system.now().map_or(0, |now| now.monotonic_ns).saturating_sub(start);
        if elapsed > FLUSH_TIME {
            let seconds = elapsed / 1_000_000_000;
            ctx.print.text(format_args!(
                "\n*** Flush not completed after {seconds} seconds, {count} entries remain ***\n"
            ));
            ctx.flush();
            return Err(Stop::silent(1));
        }
        if ctx.options.stats > 0 {
            ctx.print.text(format_args!("\n*** Round {round}, deleting {count} entries ***\n"));
            ctx.flush();
        }
    }
}

/// The routes of a dump.
///
/// # Errors
/// The kernel refuses; `last_words` end the text.
fn dump(ctx: &mut Context<'_>, request: &RouteMessage, last_words: &str) -> Result<Vec<RouteMessage>, Stop> {
    match ctx.dump_quietly(&Message::GetRoute(request.clone())) {
        Ok(messages) => Ok(routes_of(messages)),
        Err(refused) => Err(Stop::fail(2, refused.text + last_words)),
    }
}

/// The routes of a listing. A main table that does not exist yet is an empty one.
pub(super) fn dump_for_list(
    ctx: &mut Context<'_>,
    filter: &Filter,
    request: &RouteMessage,
) -> Result<Vec<RouteMessage>, Stop> {
    match ctx.dump_quietly(&Message::GetRoute(request.clone())) {
        Ok(messages) => Ok(routes_of(messages)),
        Err(RefusedDump { end: Some(Errno::ENOENT), .. }) if filter.table == RT_TABLE_MAIN => Ok(Vec::new()),
        Err(refused) => Err(Stop::fail(2, refused.text + "Dump terminated\n")),
    }
}

fn routes_of(messages: Vec<Message>) -> Vec<RouteMessage> {
    let routes = messages.into_iter().filter_map(|message| match message {
        Message::NewRoute(route) => Some(route),
        _ => None,
    });
    routes.collect()
}

/// What the kernel is asked for: it filters by table, protocol and outgoing device itself.
pub(super) fn dump_request(filter: &Filter, family: u8) -> RouteMessage {
    let mut request = RouteMessage::default();
    request.header.address_family = family.into();
    request.header.protocol = filter.protocol.unwrap_or(0).into();
    if filter.cached != Cached::No {
        request.header.flags |= RouteFlags::Cloned;
    }
    if filter.table != 0 {
        request.attributes.push(RouteAttribute::Table(filter.table));
    }
    request.attributes.extend(filter.oif.map(RouteAttribute::Oif));
    request
}

/// Reads `SELECTOR`s; returns them with the family to dump.
pub(super) fn parse_selectors(ctx: &mut Context<'_>, mut args: Args<'_>) -> Result<(Filter, u8), Stop> {
    let mut filter = Filter::of_table(RT_TABLE_MAIN);
    let mut family = ctx.options.family;
    let (mut iif, mut oif) = (None, None);
    while let Some(word) = args.take() {
        if matches(word, "table") {
            let value = args.value()?;
            match ctx.id_of(Table::RouteTable, value) {
                Some(table) => filter.table = table,
                None if value == "all" => filter.table = 0,
                None if value == "cache" => filter.cached = Cached::Only,
                None if value == "help" => return Err(usage()),
                None => return Err(Stop::invarg("table id value is invalid\n", value)),
            }
        } else if matches(word, "vrf") {
            let value = args.value()?;
            filter.table =
                super::modify::vrf_table(ctx, value).ok_or_else(|| Stop::invarg("Invalid VRF\n", value))?;
            filter.types = Some(!LOCAL_AND_BROADCAST);
        } else if matches(word, "cached") || matches(word, "cloned") {
            filter.cached = Cached::Only;
        } else if word == "tos" || matches(word, "dsfield") {
            let value = args.value()?;
            filter.tos = Some(byte(ctx, Table::DsField, value, "TOS value is invalid\n")?);
        } else if matches(word, "protocol") {
            filter.protocol = byte_or_all(ctx, Table::Protocol, args.value()?, "invalid \"protocol\"\n")?;
        } else if matches(word, "scope") {
            filter.scope = byte_or_all(ctx, Table::Scope, args.value()?, "invalid \"scope\"\n")?;
        } else if matches(word, "type") {
            let value = args.value()?;
            let kind =
                route_type_id(value).ok_or_else(|| Stop::invarg("node type value is invalid\n", value))?;
            filter.types = Some(1_u64.checked_shl(kind.into()).unwrap_or(0));
        } else if word == "dev" || word == "oif" {
            oif = Some(args.value()?);
        } else if word == "iif" {
            iif = Some(args.value()?);
        } else if word == "mark" {
            let value = args.value()?;
            filter.mark = Some(get_u32(value, 0).ok_or_else(|| Stop::invarg("invalid mark value", value))?);
        } else if is_metric(word) {
            let value = args.value()?;
            let invalid = || Stop::invarg("\"metric\" value is invalid\n", value);
            filter.metric = Some(get_u32(value, 0).ok_or_else(invalid)?);
        } else if word == "via" {
            let mut value = args.value()?;
            let mut via_family = family;
            if let Some(found) = read_family(value) {
                via_family = found;
                value = args.value()?;
            }
            filter.via = Some(get_prefix(value, via_family)?);
        } else if word == "src" {
            filter.preferred_source = Some(get_prefix(args.value()?, family)?);
        } else if matches(word, "realms") {
            let value = args.value()?;
            let realm = realms(ctx, value).ok_or_else(|| Stop::invarg("invalid realms\n", value))?;
            let mut mask = !0;
            if realm & 0xffff == 0 && value.ends_with('/') {
                mask &= !0xffff;
            }
            if realm >> 16 == 0 && (!value.contains('/') || value.starts_with('/')) {
                mask &= 0xffff;
            }
            filter.realm = Some((realm, mask));
        } else if matches(word, "from") {
            let word = args.value()?;
            (filter.source_root, filter.source_within) =
                parse_range(&mut args, word, family, (filter.source_root, filter.source_within))?;
        } else {
            let word = if matches(word, "to") { args.value()? } else { word };
            (filter.root, filter.within) =
                parse_range(&mut args, word, family, (filter.root, filter.within))?;
        }
    }
    if family == 0 && filter.table != 0 {
        family = AF_INET;
    }
    if let Some(name) = iif {
        filter.iif = Some(ctx.require_link(name)?);
    }
    if let Some(name) = oif {
        filter.oif = Some(ctx.require_link(name)?);
    }
    Ok((filter, family))
}

/// Whether a word is `metric` under any of its names.
pub(super) fn is_metric(word: &str) -> bool {
    matches(word, "metric") || matches(word, "priority") || word == "preference"
}

/// The prefix above and the prefix below which destinations are taken.
type Range = (Option<Prefix>, Option<Prefix>);

/// `root P`, `match P` or `[exact] P`; what is not given stays as in `range`.
fn parse_range(args: &mut Args<'_>, word: &str, family: u8, range: Range) -> Result<Range, Stop> {
    if matches(word, "root") {
        return Ok((Some(get_prefix(args.value()?, family)?), range.1));
    }
    if matches(word, "match") {
        return Ok((range.0, Some(get_prefix(args.value()?, family)?)));
    }
    let word = if matches(word, "exact") { args.value()? } else { word };
    let prefix = Some(get_prefix(word, family)?);
    Ok((prefix, prefix))
}

/// A number below 256 with a name.
pub(super) fn byte(ctx: &mut Context<'_>, table: Table, text: &str, message: &str) -> Result<u8, Stop> {
    let id = ctx.id_of(table, text).and_then(|id| u8::try_from(id).ok());
    id.ok_or_else(|| Stop::invarg(message, text))
}

/// As [`byte`]; `None` for `all`.
fn byte_or_all(ctx: &mut Context<'_>, table: Table, text: &str, message: &str) -> Result<Option<u8>, Stop> {
    match byte(ctx, table, text, message) {
        Err(_) if text == "all" => Ok(None),
        result => result.map(Some),
    }
}

/// Empties the IPv4 routing cache. A refusal is reported, but ends nothing.
fn flush_cache(ctx: &mut Context<'_>) {
    const PATH: &str = "/proc/sys/net/ipv4/route/flush";
    if let Err(errno) = ctx.system.write_file(PATH, b"-1") {
        ctx.complain(&format!("Cannot open \"{PATH}\": {errno}\n"));
    }
}
