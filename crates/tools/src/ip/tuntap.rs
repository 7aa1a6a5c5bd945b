//! `ip tuntap`: tun and tap devices that stay when nobody holds their other end.

use hairpin_netlink::route::link::{InfoKind, LinkAttribute, LinkInfo, LinkLayerType, LinkMessage};
use hairpin_netlink::{Call, Message, TunDevice};

use crate::iproute2::links::is_ifname;
use crate::iproute2::number::{get_u32, strtoul};
use crate::iproute2::{Args, Context, Stop, matches};

/// `IFF_*` of linux/if_tun.h.
const TUN: u16 = 0x0001;
const TAP: u16 = 0x0002;
const MULTI_QUEUE: u16 = 0x0100;
const PERSIST: u16 = 0x0800;
/// Without packet information; seen from the other side, with a filter (`IFF_NOFILTER`).
const NO_PI: u16 = 0x1000;
const ONE_QUEUE: u16 = 0x2000;
const VNET_HDR: u16 = 0x4000;

const USAGE: &str = "\
Usage: ip tuntap { add | del | show | list | lst | help } [ dev PHYS_DEV ]
       [ mode { tun | tap } ] [ user USER ] [ group GROUP ]
       [ one_queue ] [ pi ] [ vnet_hdr ] [ multi_queue ] [ name NAME ]

Where: USER  := { STRING | NUMBER }
       GROUP := { STRING | NUMBER }
";

/// Runs `ip tuntap` with the arguments behind the object.
pub(super) fn main(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let Some(command) = args.take() else { return show(context) };
    let is = |name| matches(command, name);
    if is("add") {
        let device = parse(context, args, true)?;
        perform(context, Call::TunAdd(device))
    } else if is("delete") {
        let device = parse(context, args, false)?;
        perform(context, Call::TunDelete(device))
    } else if is("show") || is("lst") || is("list") {
        show(context)
    } else if is("help") {
        Err(Stop::exit(255, USAGE))
    } else {
        Err(Stop::exit(255, format!("Command \"{command}\" is unknown, try \"ip tuntap help\".\n")))
    }
}

/// `tap_add_ioctl`, `tap_del_ioctl`
fn perform(context: &mut Context<'_>, call: Call) -> Result<(), Stop> {
    match context.system.call(call) {
        Ok(_) => Ok(()),
        Err(errno) => Err(Stop::fail(1, format!("ioctl(TUNSETIFF): {errno}\n"))),
    }
}

/// `parse_args`; users and groups are for devices that are made.
fn parse(context: &mut Context<'_>, mut args: Args<'_>, owned: bool) -> Result<TunDevice, Stop> {
    let mut device = TunDevice { name: String::new(), flags: NO_PI, owner: None, group: None };
    while let Some(word) = args.take() {
        let is = |name| matches(word, name);
        if is("mode") {
            let mode = args.value()?;
            let (wanted, other) = match mode {
                mode if matches(mode, "tun") => (TUN, TAP),
                mode if matches(mode, "tap") => (TAP, TUN),
                mode => return Err(Stop::exit(255, format!("Unknown tunnel mode \"{mode}\"\n"))),
            };
            if device.flags & other != 0 {
                return Err(Stop::exit(255, "You managed to ask for more than one tunnel mode.\n"));
            }
            device.flags |= wanted;
        } else if owned && is("user") {
            device.owner = Some(account(context, "user", "/etc/passwd", args.value()?)?);
        } else if owned && is("group") {
            device.group = Some(account(context, "group", "/etc/group", args.value()?)?);
        } else if is("pi") {
            device.flags &= !NO_PI;
        } else if is("one_queue") {
            device.flags |= ONE_QUEUE;
        } else if is("vnet_hdr") {
            device.flags |= VNET_HDR;
        } else if is("multi_queue") {
            device.flags |= MULTI_QUEUE;
        } else if is("dev") {
            device.name = name(args.value()?, "dev")?;
        } else {
            let word = match word {
                word if matches(word, "name") => args.value()?,
                word if matches(word, "help") => return Err(Stop::exit(255, USAGE)),
                word => word,
            };
            if !device.name.is_empty() {
                return Err(Stop::duparg2("name", word));
            }
            device.name = name(word, "name")?;
        }
    }
    match device.flags & (TUN | TAP) {
        0 => Err(Stop::fail(1, "You failed to specify a tunnel mode\n")),
        _ => Ok(device),
    }
}

fn name(text: &str, key: &str) -> Result<String, Stop> {
    match is_ifname(text) {
        true => Ok(text.to_owned()),
        false => Err(Stop::invarg(&format!("\"{key}\" not a valid ifname"), text)),
    }
}

/// The number of a user or group, by that or by name.
fn account(context: &mut Context<'_>, what: &str, file: &str, given: &str) -> Result<u32, Stop> {
    if let Some((number, "")) = strtoul(given, 10) {
        return Ok(number as u32);
    }
    let mut text = String::new();
    let read = context.shell.open(file).and_then(|mut file| file.read_to_string(&mut text));
    let found = read.ok().and_then(|_| {
        text.lines().find_map(|line| {
            let mut fields = line.split(':');
            (fields.next() == Some(given)).then(|| fields.nth(1))?
        })
    });
    let number = found.and_then(|number| get_u32(number, 10));
    number.ok_or_else(|| Stop::exit(255, format!("invalid {what} \"{given}\"\n")))
}

/// `do_show`: what sysfs says of them.
fn show(context: &mut Context<'_>) -> Result<(), Stop> {
    let messages = context.dump(&Message::GetLink(LinkMessage::default()))?;
    context.begin();
    for message in messages {
        let Message::NewLink(link) = message else { continue };
        let wanted = matches!(link.header.link_layer_type, LinkLayerType::None | LinkLayerType::Ether);
        let is_tun = link.attributes.iter().any(|attribute| match attribute {
            LinkAttribute::LinkInfo(infos) => infos.contains(&LinkInfo::Kind(InfoKind::Tun)),
            _ => false,
        });
        let name = link.attributes.iter().find_map(|attribute| match attribute {
            LinkAttribute::IfName(name) => Some(name.clone()),
            _ => None,
        });
        if let Some(name) = name.filter(|_| wanted && is_tun) {
            print(context, &name);
        }
    }
    context.end();
    Ok(())
}

/// `print_tuntap`
fn print(context: &mut Context<'_>, name: &str) {
    let mut property = |file: &str| {
        let text = context.system.read_file(&format!("/sys/class/net/{name}/{file}")).ok()?;
        let text = String::from_utf8(text).ok()?;
        match text.trim().strip_prefix("0x") {
            Some(digits) => i64::from_str_radix(digits, 16).ok(),
            None => text.trim().parse::<i64>().ok(),
        }
    };
    let (Some(flags), Some(owner), Some(group)) =
        (property("tun_flags"), property("owner"), property("group"))
    else {
        return;
    };
    let has = |flag: u16| flags & i64::from(flag) != 0;
    let words = [
        (has(TUN), "tun"),
        (has(TAP), "tap"),
        (!has(NO_PI), "pi"),
        (has(ONE_QUEUE), "one_queue"),
        (has(VNET_HDR), "vnet_hdr"),
        (has(MULTI_QUEUE), "multi_queue"),
        (has(PERSIST), "persist"),
        (!has(NO_PI), "filter"),
    ];
    let print = &mut context.print;
    print.open_object(None);
    print.any("ifname", name, format_args!("{name}:"));
    print.open_array(Some("flags"));
    for (_, word) in words.into_iter().filter(|(is_set, _)| *is_set) {
        print.item(word, format_args!(" {word}"));
    }
    print.close_array();
    if owner != -1 {
        print.any("user", owner, format_args!(" user {owner}"));
    }
    if group != -1 {
        print.any("group", group, format_args!(" group {group}"));
    }
    print.text(format_args!("\n"));
    if context.options.details > 0 {
        // Nobody holds the other end.
        print.open_array(Some("processes"));
        print.text(format_args!("\tAttached to processes:"));
        print.close_array();
        print.text(format_args!("\n"));
    }
    print.close_object();
}
