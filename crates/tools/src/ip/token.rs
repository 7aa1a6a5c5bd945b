//! `ip token`: the interface identifiers that addresses of advertised prefixes get.

use std::net::Ipv6Addr;

use hairpin_netlink::codec::{attributes, put_attribute};

use crate::iproute2::inet::{AF_INET6, get_prefix};
use crate::iproute2::{Args, Color, Context, Stop, matches};

const RTM_GETLINK: u16 = 18;
const RTM_SETLINK: u16 = 19;
/// `struct ifinfomsg`
const IFINFOMSG_LEN: usize = 16;
const IFLA_PROTINFO: u16 = 12;
const IFLA_AF_SPEC: u16 = 26;
const IFLA_INET6_TOKEN: u16 = 7;
/// `NLA_F_NESTED`
const NESTED: u16 = 0x8000;
/// `IFF_LOOPBACK | IFF_NOARP`: devices without neighbours.
const WITHOUT_NEIGHBOURS: u32 = 0x88;

const USAGE: &str = "Usage: ip token [ list | set | del | get ] [ TOKEN ] [ dev DEV ]\n";

/// Runs `ip token` with the arguments behind the object.
pub(super) fn main(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let Some(command) = args.take() else { return list(context, args) };
    let is = |name| matches(command, name);
    if is("add") || is("set") {
        set(context, args, true)
    } else if is("delete") {
        set(context, args, false)
    } else if is("list") || is("lst") || is("show") || is("get") {
        list(context, args)
    } else if is("help") {
        Err(Stop::exit(255, USAGE))
    } else {
        Err(Stop::exit(255, format!("Command \"{command}\" is unknown, try \"ip token help\".\n")))
    }
}

/// A new token; with `given` false the one that there is goes.
fn set(context: &mut Context<'_>, mut args: Args<'_>, given: bool) -> Result<(), Stop> {
    let mut token = (!given).then_some(Ipv6Addr::UNSPECIFIED);
    let mut index = None;
    while let Some(word) = args.take() {
        if word == "dev" {
            index = Some(device(context, &mut args)?);
            // Whatever stands behind it is not read.
            break;
        }
        if token.is_none() {
            let prefix = get_prefix(word, AF_INET6)?;
            token = prefix.address.and_then(|address| match address {
                std::net::IpAddr::V6(address) => Some(address),
                std::net::IpAddr::V4(_) => None,
            });
        }
    }
    let lacking = |what: &str| Stop::fail(1, format!("Not enough information: {what} is required.\n"));
    let token = token.ok_or_else(|| lacking("token"))?;
    let index = index.ok_or_else(|| lacking("\"dev\" argument"))?;
    let mut own = Vec::new();
    put_attribute(&mut own, IFLA_INET6_TOKEN, &token.octets());
    let mut sides = Vec::new();
    put_attribute(&mut sides, AF_INET6.into(), &own);
    let mut request = vec![0; IFINFOMSG_LEN];
    request[0] = AF_INET6;
    request[4..8].copy_from_slice(&index.to_ne_bytes());
    put_attribute(&mut request, IFLA_AF_SPEC | NESTED, &sides);
    context.talk_raw(RTM_SETLINK, &request, 0)
}

fn device(context: &mut Context<'_>, args: &mut Args<'_>) -> Result<u32, Stop> {
    let name = args.value()?;
    match context.link_index(name) {
        0 => Err(Stop::invarg("dev is invalid\n", name)),
        index => Ok(index),
    }
}

fn list(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let mut wanted = 0;
    while let Some(word) = args.take() {
        // Any other word is passed over.
        if word == "dev" {
            wanted = device(context, &mut args)?;
            break;
        }
    }
    let mut request = vec![0; IFINFOMSG_LEN];
    request[0] = AF_INET6;
    let answer = context
        .dump_raw(RTM_GETLINK, &request)
        .map_err(|text| Stop::fail(1, format!("{text}Dump terminated\n")))?;
    context.begin();
    for (_, payload) in answer {
        let Some((index, token)) = token_of(&payload) else { continue };
        if wanted != 0 && index != wanted {
            continue;
        }
        let name = context.link_name(index);
        let print = &mut context.print;
        print.open_object(None);
        let token = token.to_string();
        print.text(format_args!("token "));
        print.colored(Color::family(AF_INET6), "token", &token, format_args!("{token}"));
        print.text(format_args!(" dev "));
        print.colored(Color::InterfaceName, "ifname", &name, format_args!("{name}"));
        print.text(format_args!("\n"));
        print.close_object();
    }
    context.end();
    Ok(())
}

/// Index and token of a device, if it can have one.
fn token_of(payload: &[u8]) -> Option<(u32, Ipv6Addr)> {
    let number = |at: usize| payload.get(at..)?.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes));
    let (index, flags) = (number(4)?, number(8)?);
    if payload.first() != Some(&AF_INET6) || flags & WITHOUT_NEIGHBOURS != 0 {
        return None;
    }
    let (_, side) = attributes(payload.get(IFINFOMSG_LEN..)?).find(|(kind, _)| *kind == IFLA_PROTINFO)?;
    let (_, token) = attributes(side).find(|(kind, _)| *kind == IFLA_INET6_TOKEN)?;
    Some((index, Ipv6Addr::from(*token.first_chunk::<16>()?)))
}
