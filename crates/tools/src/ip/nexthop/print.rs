//! A next hop as text or JSON.

use hairpin_netlink::nexthop::{GROUP_MULTIPATH, GROUP_RESILIENT, NexthopMessage};
use hairpin_netlink::route::route::RouteFlags;

use crate::ip::route::print::{print_device, print_flags, print_gateway};
use crate::iproute2::names::Table;
use crate::iproute2::{Context, Value};

/// Prints one next hop with its line's end.
pub(in crate::ip) fn print(ctx: &mut Context<'_>, message: &NexthopMessage, deleted: bool) {
    ctx.print.open_object(None);
    if deleted {
        ctx.print.any("deleted", true, format_args!("Deleted "));
    }
    print_fields(ctx, message);
    ctx.print.text(format_args!("\n"));
    ctx.print.close_object();
}

/// What there is to a next hop, within an object that is open.
pub(in crate::ip) fn print_fields(ctx: &mut Context<'_>, message: &NexthopMessage) {
    let details = ctx.options.details > 0;
    if let Some(id) = message.id {
        ctx.print.any("id", id, format_args!("id {id} "));
    }
    print_group(ctx, message);
    if let Some(gateway) = message.gateway {
        print_gateway(ctx, gateway);
    }
    if let Some(ifindex) = message.ifindex {
        print_device(ctx, "dev", ifindex);
    }
    if message.scope != 0 || details {
        let scope = ctx.name_of(Table::Scope, message.scope.into());
        ctx.print.any("scope", &scope, format_args!("scope {scope} "));
    }
    if message.blackhole {
        ctx.print.any("blackhole", Value::Null, format_args!("blackhole "));
    }
    if message.protocol != 0 || details {
        let protocol = ctx.name_of(Table::Protocol, message.protocol.into());
        ctx.print.any("protocol", &protocol, format_args!("proto {protocol} "));
    }
    print_flags(ctx, RouteFlags::from_bits_retain(message.flags));
    if message.fdb {
        ctx.print.any("fdb", Value::Null, format_args!("fdb"));
    }
}

fn print_group(ctx: &mut Context<'_>, message: &NexthopMessage) {
    let Some(members) = &message.group else { return };
    ctx.print.open_array(Some("group"));
    for (at, member) in members.iter().enumerate() {
        let front = if at == 0 { "group " } else { "/" };
        ctx.print.open_object(None);
        ctx.print.any("id", member.id, format_args!("{front}{}", member.id));
        if member.weight != 0 {
            let weight = u32::from(member.weight) + 1;
            ctx.print.any("weight", weight, format_args!(",{weight}"));
        }
        ctx.print.close_object();
    }
    ctx.print.text(format_args!(" "));
    ctx.print.close_array();
    match message.group_type {
        None | Some(GROUP_MULTIPATH) => {}
        Some(GROUP_RESILIENT) => ctx.print.any("type", "resilient", format_args!("type resilient ")),
        Some(_) => ctx.print.any("type", "<unknown type>", format_args!("type <unknown type> ")),
    }
}
