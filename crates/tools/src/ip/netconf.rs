//! `ip netconf`: the IP settings of devices, and what `ip monitor` prints of them.

use hairpin_netlink::netconf::{self, NetconfMessage, RTM_DELNETCONF, RTM_GETNETCONF};

use crate::iproute2::inet::family_name;
use crate::iproute2::{Args, Color, Context, Stop, matches};

const USAGE: &str = "Usage: ip netconf show [ dev STRING ]\n";

/// Runs `ip netconf` with the arguments behind the object.
pub(super) fn main(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let Some(command) = args.take() else { return show(context, args) };
    let is = |name| matches(command, name);
    if is("show") || is("lst") || is("list") {
        show(context, args)
    } else if is("help") {
        Err(Stop::exit(255, USAGE))
    } else {
        Err(Stop::exit(255, format!("Command \"{command}\" is unknown, try \"ip netconf help\".\n")))
    }
}

fn show(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let mut device = 0;
    while let Some(word) = args.take() {
        // Every other word is passed over.
        if word == "dev" {
            let name = args.value()?;
            device = context.link_index(name);
            if device == 0 {
                return Err(Stop::fail(1, format!("Device \"{name}\" does not exist.\n")));
            }
        }
    }
    let family = context.options.family;
    let request = NetconfMessage { family, ifindex: None, values: Vec::new() };
    let answer = context
        .dump_raw(RTM_GETNETCONF, &request.emit())
        .map_err(|text| Stop::fail(1, format!("{text}Dump terminated\n")))?;
    context.begin();
    for (kind, payload) in answer {
        if let Some(message) = NetconfMessage::parse(&payload) {
            print(context, kind, &message, device);
        }
    }
    context.end();
    Ok(())
}

/// One message, unless it is of another device than the wanted one (0: any).
pub(super) fn print(ctx: &mut Context<'_>, kind: u16, message: &NetconfMessage, device: u32) {
    const SWITCHES: [(u16, &str); 5] = [
        (netconf::FORWARDING, "forwarding"),
        (netconf::MC_FORWARDING, "mc_forwarding"),
        (netconf::PROXY_NEIGH, "proxy_neigh"),
        (netconf::IGNORE_LINKDOWN, "ignore_routes_with_linkdown"),
        (netconf::INPUT, "input"),
    ];
    if device != 0 && message.ifindex.unwrap_or(0) as u32 != device {
        return;
    }
    ctx.print.open_object(None);
    if kind == RTM_DELNETCONF {
        ctx.print.any("deleted", true, format_args!("Deleted "));
    }
    let family = family_name(message.family);
    ctx.print.any("family", family, format_args!("{family} "));
    if let Some(index) = message.ifindex {
        let name = match index {
            netconf::ALL => "all".to_owned(),
            netconf::DEFAULT => "default".to_owned(),
            index => ctx.link_name(index as u32),
        };
        ctx.print.colored(Color::InterfaceName, "interface", &name, format_args!("{name} "));
    }
    for (kind, name) in SWITCHES {
        // The reverse-path filter stands behind the first switch.
        if kind == netconf::MC_FORWARDING
            && let Some(mode) = message.value(netconf::RP_FILTER)
        {
            let other = mode.to_string();
            let mode = match mode {
                0 => "off",
                1 => "strict",
                2 => "loose",
                _ => &other,
            };
            ctx.print.any("rp_filter", mode, format_args!("rp_filter {mode} "));
        }
        if let Some(value) = message.value(kind) {
            ctx.print.on_off(name, value != 0);
        }
    }
    ctx.print.close_object();
    ctx.print.text(format_args!("\n"));
}
