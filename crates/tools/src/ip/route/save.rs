//! `ip route save`, `restore` and `showdump`: routes as raw netlink messages behind a magic number.

use hairpin_netlink::codec::{NLM_F_CREATE, NLM_F_MULTI, encode, messages};
use hairpin_netlink::route::route::RouteMessage;
use hairpin_netlink::{Errno, Message};

use super::filter::Filter;
use super::print::print_route;
use super::show::{dump_for_list, dump_request, parse_selectors};
use super::view::View;
use crate::iproute2::rtnl::refusal;
use crate::iproute2::{Args, Context, Stop};

const MAGIC: u32 = 0x4531_1224;

pub(super) fn save(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Stop> {
    if ctx.shell.is_terminal() {
        return Err(Stop::fail(1, "Not sending a binary stream to stdout\n"));
    }
    let out = ctx.shell.out();
    if out.write_all(&MAGIC.to_ne_bytes()).and_then(|()| out.flush()).is_err() {
        return Err(Stop::fail(1, "Can't write magic to dump file\n"));
    }
    let (mut filter, family) = parse_selectors(ctx, args)?;
    for route in dump_for_list(ctx, &filter, &dump_request(&filter, family))? {
        if filter.takes(ctx.options.family, &route) {
            let bytes = encode(&Message::NewRoute(route), NLM_F_MULTI, 1, 0);
            let _ = ctx.shell.out().write_all(&bytes);
        }
    }
    Ok(())
}

pub(super) fn restore(ctx: &mut Context<'_>) -> Result<(), Stop> {
    let routes = read(ctx)?;
    // Local addresses first, then networks on links, then what needs a gateway.
    for step in 0..3 {
        for route in routes.iter().filter(|route| step_of(route) == step) {
            let message = Message::NewRoute(route.clone());
            if let Err(failure) = ctx.talk_quietly(&message, NLM_F_CREATE | NLM_F_MULTI) {
                let text = refusal(&failure);
                if failure.errno != Errno::EEXIST {
                    return Err(Stop::fail(2, text));
                }
                ctx.complain(&text);
            }
        }
    }
    Ok(())
}

pub(super) fn show_dump(ctx: &mut Context<'_>) -> Result<(), Stop> {
    let filter = Filter::everything();
    for route in read(ctx)? {
        print_route(ctx, &filter, &route, false);
    }
    Ok(())
}

fn step_of(route: &RouteMessage) -> u8 {
    let view = View::new(route);
    if view.nexthop.gateway.is_some() {
        2
    } else if view.preferred_source.is_none() || view.preferred_source == view.destination {
        0
    } else {
        1
    }
}

fn read(ctx: &mut Context<'_>) -> Result<Vec<RouteMessage>, Stop> {
    let mut bytes = Vec::new();
    let _ = ctx.shell.input().read_to_end(&mut bytes);
    let magic = bytes.first_chunk::<4>().map_or(0, |magic| u32::from_ne_bytes(*magic));
    if magic != MAGIC {
        let items = u8::from(bytes.len() >= 4);
        return Err(Stop::fail(1, format!("Magic mismatch ({items} elems, {magic:x} magic)\n")));
    }
    let body = bytes.get(4..).unwrap_or(&[]);
    let found = messages(body).filter_map(|decoded| match decoded.message() {
        Ok(Message::NewRoute(route)) => Some(route),
        _ => None,
    });
    Ok(found.collect())
}
