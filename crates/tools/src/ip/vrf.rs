//! `ip vrf`: the VRFs and their tables, and programs whose sockets belong to one.
//!
//! Linux binds the sockets of `exec`'s programs by a filter of their control group; in a session it is done for each
//! program that the environment says it of ([`crate::VRF_VARIABLE`]).

use hairpin_netlink::route::link::{InfoData, InfoVrf, LinkAttribute, LinkInfo, LinkMessage};
use hairpin_netlink::{Call, Errno, Message};

use super::route::modify::vrf_table;
use crate::Launch;
use crate::iproute2::{Args, Context, Stop, find, matches};

const USAGE: &str = "\
Usage:	ip vrf show [NAME] ...
	ip vrf exec [NAME] cmd ...
	ip vrf identify [PID]
	ip vrf pids [NAME]
";

/// Runs `ip vrf` with the arguments behind the object.
pub(super) fn main(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let Some(command) = args.take() else { return list(context) };
    let is = |name| matches(command, name);
    if is("identify") {
        identify(context)
    } else if is("pids") {
        pids(context, args)
    } else if is("exec") {
        exec(context, args)
    } else if is("show") || is("lst") || is("list") {
        show(context, args)
    } else if is("help") {
        Err(Stop::exit(255, USAGE))
    } else {
        Err(Stop::exit(255, format!("Command \"{command}\" is unknown, try \"ip vrf help\".\n")))
    }
}

/// Of this program only; others are in none.
fn identify(context: &mut Context<'_>) -> Result<(), Stop> {
    if let Some(name) = context.shell.variable(crate::VRF_VARIABLE).filter(|name| !name.is_empty()) {
        context.print.text(format_args!("{name}\n"));
    }
    Ok(())
}

fn exec(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let name = args.take().ok_or_else(|| Stop::fail(1, "No VRF name specified\n"))?;
    let program = args.peek().ok_or_else(|| Stop::fail(1, "No command specified\n"))?;
    let vrf = match name {
        "default" => "",
        name if vrf_table(context, name).is_some_and(|table| table != 0) => name,
        _ => return Err(Stop::exit(255, "Invalid VRF name\n")),
    };
    // Only a session knows of the environment; a real kernel keeps no documents.
    if context.system.call(Call::StoreLoad(String::new())).is_err() {
        return Err(Stop::fail(1, "ip vrf exec: hairpin does it for its own kernel only\n"));
    }
    context.flush();
    let environment = [(crate::VRF_VARIABLE.to_owned(), vrf.to_owned())];
    match context.shell.launch(&Launch { argv: args.rest(), environment: &environment, input: true }) {
        Ok(0) => Ok(()),
        Ok(code) => Err(Stop::silent(code)),
        Err(error) => {
            let reason = error.raw_os_error().map_or_else(|| error.to_string(), |n| Errno(n).text());
            Err(Stop::fail(1, format!("exec of \"{program}\" failed: {reason}\n")))
        }
    }
}

fn show(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let Some(name) = args.take() else { return list(context) };
    if args.peek().is_some() {
        return Err(Stop::exit(255, USAGE));
    }
    let table = vrf_table(context, name).filter(|table| *table != 0);
    let table = table.ok_or_else(|| Stop::exit(255, "Invalid VRF\n"))?;
    context.print.text(format_args!("{name} {table}\n"));
    Ok(())
}

fn pids(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let Some(name) = args.take() else { return Ok(()) };
    match vrf_table(context, name) {
        Some(_) => Ok(()),
        None => Err(Stop::exit(255, "Invalid VRF name\n")),
    }
}

fn list(context: &mut Context<'_>) -> Result<(), Stop> {
    let answer = context.dump(&Message::GetLink(LinkMessage::default()))?;
    let vrfs: Vec<(String, u32)> = answer
        .iter()
        .filter_map(|message| match message {
            Message::NewLink(link) => {
                let info = find!(link.attributes, LinkAttribute::LinkInfo)?;
                let Some(InfoData::Vrf(options)) = find!(info, LinkInfo::Data) else { return None };
                let table = find!(options, InfoVrf::TableId)?;
                Some((find!(link.attributes, LinkAttribute::IfName)?.clone(), *table))
            }
            _ => None,
        })
        .collect();
    context.begin();
    context.print.text(format_args!("{:<16}  {:>5}\n{}\n", "Name", "Table", "-".repeat(23)));
    if vrfs.is_empty() {
        context.print.text(format_args!("No VRF has been configured\n"));
    }
    for (name, table) in vrfs {
        context.print.open_object(None);
        context.print.any("name", &name, format_args!("{name:<16}"));
        context.print.any("table", table, format_args!(" {table:>5}"));
        context.print.text(format_args!("\n"));
        context.print.close_object();
    }
    context.end();
    Ok(())
}
