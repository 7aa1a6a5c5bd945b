//! `bridge fdb`: forwarding databases of bridges, VXLAN devices and unicast filters.

use hairpin_netlink::Message;
use hairpin_netlink::codec::{NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use hairpin_netlink::core::{DefaultNla, Nla};
use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourFlags, NeighbourMessage, NeighbourState,
};

use super::{as_bridge, dump, fail};
use crate::c_number::atoi;
use crate::iproute2::inet::{AF_INET, AF_INET6, get_addr, octets};
use crate::iproute2::number::{get_u32, strtoul};
use crate::iproute2::{Args, Color, Context, Stop, matches};

const NUD_REACHABLE: u16 = 0x02;
const NUD_STALE: u16 = 0x04;
const NUD_NOARP: u16 = 0x40;
const NUD_PERMANENT: u16 = 0x80;

const NDA_NH_ID: u16 = 13;
const NDA_NDM_STATE_MASK: u16 = 16;
const NDA_NDM_FLAGS_MASK: u16 = 17;

/// `NLM_F_BULK` of a delete request.
const NLM_F_BULK: u16 = 0x200;

/// `USER_HZ`: clock ticks a second in what the kernel reports.
const USER_HZ: u32 = 100;

pub(super) fn main(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    context.options.timestamp = false;
    let Some(command) = args.take() else {
        return show(context, args);
    };
    let is = |name| matches(command, name);
    if is("add") {
        modify(context, args, Change::New(NLM_F_CREATE | NLM_F_EXCL))
    } else if is("append") {
        modify(context, args, Change::New(NLM_F_CREATE | NLM_F_APPEND))
    } else if is("replace") {
        modify(context, args, Change::New(NLM_F_CREATE | NLM_F_REPLACE))
    } else if is("delete") {
        modify(context, args, Change::Delete)
    } else if is("get") {
        get(context, args)
    } else if is("show") || is("lst") || is("list") {
        show(context, args)
    } else if command == "flush" {
        flush(context, args)
    } else if is("help") {
        Err(usage())
    } else {
        Err(Stop::exit(255, format!("Command \"{command}\" is unknown, try \"bridge fdb help\".\n")))
    }
}

/// What `bridge fdb show` leaves out.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Filter {
    index: u32,
    master: u32,
    state: u16,
    vlan: u16,
    dynamic: bool,
}

fn show(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let mut filter = Filter::default();
    let (mut device, mut bridge) = (None, None);
    while let Some(word) = args.take() {
        match word {
            "brport" | "dev" => device = Some(args.value()?),
            "br" => bridge = Some(args.value()?),
            "vlan" => {
                let value = args.value()?;
                if filter.vlan != 0 {
                    return Err(Stop::duparg("vlan", value));
                }
                filter.vlan = atoi(value) as u16;
            }
            "state" => {
                let value = args.value()?;
                filter.state |= read_state(value).ok_or_else(|| Stop::invarg("invalid state", value))?;
            }
            "dynamic" => filter.dynamic = true,
            word if matches(word, "help") => return Err(usage()),
            // Other words say nothing, as in iproute2.
            _ => {}
        }
    }
    context.learn_links()?;
    if let Some(name) = bridge {
        filter.master = require_bridge(context, name)?;
    }
    if let Some(name) = device {
        filter.index = context.require_link(name).map_err(as_bridge)?;
    }
    let mut request = NeighbourMessage::default();
    request.header.family = AddressFamily::Bridge;
    request.header.ifindex = filter.index;
    if filter.master != 0 {
        request.attributes.push(NeighbourAttribute::Controller(filter.master));
    }
    let entries = dump(context, &Message::GetNeighbour(request))?;
    context.begin();
    for message in entries {
        if let Message::NewNeighbour(entry) = message {
            print(context, &entry, filter, false);
        }
    }
    context.end();
    Ok(())
}

fn require_bridge(context: &mut Context<'_>, name: &str) -> Result<u32, Stop> {
    match context.link_index(name) {
        0 => Err(fail(format!("Cannot find bridge device \"{name}\"\n"))),
        index => Ok(index),
    }
}

fn read_state(text: &str) -> Option<u16> {
    Some(if matches(text, "permanent") {
        NUD_PERMANENT
    } else if matches(text, "static") || matches(text, "temp") {
        NUD_NOARP
    } else if matches(text, "stale") {
        NUD_STALE
    } else if matches(text, "reachable") || matches(text, "dynamic") {
        NUD_REACHABLE
    } else if text == "all" {
        u16::MAX
    } else {
        get_u32(text, 0)? as u16
    })
}

/// One line for an entry.
pub(super) fn print(context: &mut Context<'_>, entry: &NeighbourMessage, filter: Filter, deleted: bool) {
    let header = &entry.header;
    let state = u16::from(header.state);
    let vlan = entry.attributes.iter().find_map(|a| match a {
        NeighbourAttribute::Vlan(vlan) => Some(*vlan),
        _ => None,
    });
    let vlan = vlan.unwrap_or(0);
    if header.family != AddressFamily::Bridge
        || (filter.index != 0 && filter.index != header.ifindex)
        || (filter.state != 0 && state & filter.state == 0)
        || (filter.vlan != 0 && filter.vlan != vlan)
        || (filter.dynamic && state & NUD_PERMANENT != 0)
    {
        return;
    }
    context.print.open_object(None);
    if deleted {
        context.print.any("deleted", true, format_args!("Deleted "));
    }
    let find = |wanted: fn(&NeighbourAttribute) -> bool| entry.attributes.iter().find(|a| wanted(a));
    if let Some(NeighbourAttribute::LinkLayerAddress(mac)) =
        find(|a| matches!(a, NeighbourAttribute::LinkLayerAddress(_)))
    {
        let mac = hexadecimal(mac);
        context.print.colored(Color::Mac, "mac", &mac, format_args!("{mac} "));
    }
    if filter.index == 0 && header.ifindex != 0 {
        let name = context.link_name(header.ifindex);
        context.print.text(format_args!("dev "));
        context.print.colored(Color::InterfaceName, "ifname", &name, format_args!("{name} "));
    }
    if let Some(NeighbourAttribute::Destination(destination)) =
        find(|a| matches!(a, NeighbourAttribute::Destination(_)))
    {
        let (family, text) = destination_text(destination);
        context.print.text(format_args!("dst "));
        context.print.colored(Color::family(family), "dst", &text, format_args!("{text} "));
    }
    if vlan != 0 {
        context.print.any("vlan", vlan, format_args!("vlan {vlan} "));
    }
    print_numbers(context, entry);
    if context.options.stats > 0
        && let Some(NeighbourAttribute::CacheInfo(info)) =
            find(|a| matches!(a, NeighbourAttribute::CacheInfo(_)))
    {
        let (used, updated) = (info.used / USER_HZ, info.updated / USER_HZ);
        context.print.json("used", used);
        context.print.any("updated", updated, format_args!("used {used}/{updated} "));
    }
    print_flags(context, header.flags);
    if let Some(NeighbourAttribute::Controller(master)) =
        find(|a| matches!(a, NeighbourAttribute::Controller(_)))
    {
        let name = context.link_name(*master);
        context.print.any("master", &name, format_args!("master {name} "));
    }
    let state = state_text(state, context.print.is_json());
    context.print.any("state", &state, format_args!("{state}\n"));
    context.print.close_object();
    context.flush();
}

fn hexadecimal(address: &[u8]) -> String {
    address.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

fn destination_text(destination: &NeighbourAddress) -> (u8, String) {
    match destination {
        NeighbourAddress::Inet(address) => (AF_INET, address.to_string()),
        NeighbourAddress::Inet6(address) => (AF_INET6, address.to_string()),
        NeighbourAddress::Other(bytes) => {
            if let Ok(bytes) = <[u8; 16]>::try_from(bytes.as_slice()) {
                (AF_INET6, std::net::Ipv6Addr::from(bytes).to_string())
            } else if let Ok(bytes) = <[u8; 4]>::try_from(bytes.as_slice()) {
                (AF_INET, std::net::Ipv4Addr::from(bytes).to_string())
            } else {
                (AF_INET, "???".to_owned())
            }
        }
        _ => (AF_INET, "???".to_owned()),
    }
}

/// The attributes between VLAN and statistics, in the order of iproute2.
fn print_numbers(context: &mut Context<'_>, entry: &NeighbourMessage) {
    use NeighbourAttribute as Nda;
    let (mut port, mut vni, mut source_vni, mut via, mut nexthop, mut namespace) =
        (None, None, None, None, None, None);
    for attribute in &entry.attributes {
        match attribute {
            Nda::Port(value) => port = Some(*value),
            Nda::Vni(value) => vni = Some(*value),
            Nda::SourceVni(value) => source_vni = Some(*value),
            Nda::IfIndex(value) => via = Some(*value),
            Nda::LinkNetNsId(value) => namespace = Some(*value),
            Nda::Other(raw) if raw.kind() == NDA_NH_ID && raw.value_len() == 4 => {
                let mut value = [0; 4];
                raw.emit_value(&mut value);
                nexthop = Some(u32::from_ne_bytes(value));
            }
            _ => {}
        }
    }
    let p = &mut context.print;
    if let Some(port) = port {
        p.any("port", port, format_args!("port {port} "));
    }
    if let Some(vni) = vni {
        p.any("vni", vni, format_args!("vni {vni} "));
    }
    if let Some(vni) = source_vni {
        p.any("src_vni", vni, format_args!("src_vni {vni} "));
    }
    match via {
        Some(index) if namespace.is_some() => {
            p.any("viaIfIndex", index, format_args!("via ifindex {index} "));
        }
        Some(index) => {
            let name = context.link_name(index);
            context.print.any("viaIf", &name, format_args!("via {name} "));
        }
        None => {}
    }
    let p = &mut context.print;
    if let Some(id) = nexthop {
        p.any("nhid", id, format_args!("nhid {id} "));
    }
    if let Some(id) = namespace {
        p.any("linkNetNsId", id, format_args!("link-netnsid {} ", id as i32));
    }
}

fn print_flags(context: &mut Context<'_>, flags: NeighbourFlags) {
    const NAMES: [(NeighbourFlags, &str); 6] = [
        (NeighbourFlags::Own, "self"),
        (NeighbourFlags::Router, "router"),
        (NeighbourFlags::ExtLearned, "extern_learn"),
        (NeighbourFlags::Offloaded, "offload"),
        (NeighbourFlags::Controller, "master"),
        (NeighbourFlags::Sticky, "sticky"),
    ];
    context.print.open_array(Some("flags"));
    for (flag, name) in NAMES {
        if flags.contains(flag) {
            context.print.item(name, format_args!("{name} "));
        }
    }
    context.print.close_array();
}

fn state_text(state: u16, json: bool) -> String {
    if state & NUD_PERMANENT != 0 {
        "permanent".to_owned()
    } else if state & NUD_NOARP != 0 {
        "static".to_owned()
    } else if state & NUD_STALE != 0 {
        "stale".to_owned()
    } else if state & NUD_REACHABLE != 0 {
        String::new()
    } else {
        // C's `%#x` has no prefix for 0.
        let number = if state == 0 { "0".to_owned() } else { format!("{state:#x}") };
        if json { number } else { format!("state={number}") }
    }
}

/// What `modify` asks for.
#[derive(Clone, Copy)]
enum Change {
    /// With these `NLM_F_*`.
    New(u16),
    Delete,
}

fn modify(context: &mut Context<'_>, mut args: Args<'_>, change: Change) -> Result<(), Stop> {
    let (mut device, mut address, mut destination, mut via) = (None, None, None, None);
    let (mut nexthop, mut port, mut vlan): (u32, u16, i16) = (0, 0, -1);
    let (mut vni, mut source_vni) = (None, None);
    let mut flags = NeighbourFlags::empty();
    let mut state = NUD_NOARP;
    while let Some(word) = args.take() {
        match word {
            "dev" => device = Some(args.value()?),
            "dst" => {
                let value = args.value()?;
                if destination.is_some() {
                    return Err(Stop::duparg2("dst", value));
                }
                destination = Some(get_addr(value, context.options.family)?);
            }
            "nhid" => {
                let value = args.value()?;
                nexthop =
                    get_u32(value, 0).ok_or_else(|| Stop::invarg("\"id\" value is invalid\n", value))?;
            }
            "port" => port = read_port(args.value()?)?,
            "vni" => vni = Some(read_vni(args.value()?, "invalid VNI\n")?),
            "src_vni" => source_vni = Some(read_vni(args.value()?, "invalid src VNI\n")?),
            "via" => {
                let name = args.value()?;
                via = match context.link_index(name) {
                    0 => return Err(Stop::exit(255, format!("Cannot find device \"{name}\"\n"))),
                    index => Some(index),
                };
            }
            "self" => flags |= NeighbourFlags::Own,
            word if matches(word, "master") => flags |= NeighbourFlags::Controller,
            word if matches(word, "router") => flags |= NeighbourFlags::Router,
            word if matches(word, "local") || matches(word, "permanent") => state |= NUD_PERMANENT,
            word if matches(word, "temp") || matches(word, "static") => state |= NUD_REACHABLE,
            word if matches(word, "dynamic") => state = (state | NUD_REACHABLE) & !NUD_NOARP,
            word if matches(word, "vlan") => vlan = read_vlan(&mut args, vlan)?,
            word if matches(word, "use") => flags |= NeighbourFlags::Use,
            word if matches(word, "extern_learn") => flags |= NeighbourFlags::ExtLearned,
            word if matches(word, "sticky") => flags |= NeighbourFlags::Sticky,
            word => address = Some(read_to(&mut args, word, address)?),
        }
    }
    let (Some(device), Some(address)) = (device, address) else {
        return Err(fail("Device and address are required arguments.\n"));
    };
    if nexthop != 0 && (destination.is_some() || port != 0 || vni.is_some()) {
        return Err(fail("dst, port, vni are mutually exclusive with nhid\n"));
    }
    if !flags.intersects(NeighbourFlags::Own | NeighbourFlags::Controller) {
        flags |= NeighbourFlags::Own;
    }
    if state & (NUD_PERMANENT | NUD_REACHABLE) == 0 {
        state |= NUD_PERMANENT;
    }
    let mut request = request(address)?;
    let put = &mut request.attributes;
    if let Some(destination) = destination {
        let bytes = destination.address.map_or_else(Vec::new, octets);
        put.push(NeighbourAttribute::Destination(NeighbourAddress::Other(bytes)));
    }
    if vlan >= 0 {
        put.push(NeighbourAttribute::Vlan(vlan as u16));
    }
    if nexthop > 0 {
        let raw = DefaultNla::new(NDA_NH_ID, nexthop.to_ne_bytes().to_vec());
        put.push(NeighbourAttribute::Other(raw));
    }
    if port != 0 {
        put.push(NeighbourAttribute::Port(port));
    }
    put.extend(vni.map(NeighbourAttribute::Vni));
    put.extend(source_vni.map(NeighbourAttribute::SourceVni));
    put.extend(via.map(NeighbourAttribute::IfIndex));
    request.header.flags = flags;
    request.header.state = NeighbourState::from(state);
    request.header.ifindex = context.require_link(device).map_err(as_bridge)?;
    match change {
        Change::New(flags) => context.talk(&Message::NewNeighbour(request), flags),
        Change::Delete => context.talk(&Message::DelNeighbour(request), 0),
    }
    .map_err(as_bridge)?;
    Ok(())
}

/// A port number. Names of services are not looked up.
fn read_port(text: &str) -> Result<u16, Stop> {
    let port = strtoul(text, 0).filter(|(_, rest)| rest.is_empty());
    port.and_then(|(port, _)| u16::try_from(port).ok()).ok_or_else(|| Stop::invarg("invalid port\n", text))
}

fn read_vni(text: &str, message: &str) -> Result<u32, Stop> {
    let vni = strtoul(text, 0).filter(|(vni, rest)| rest.is_empty() && vni >> 24 == 0);
    vni.map(|(vni, _)| vni as u32).ok_or_else(|| Stop::invarg(message, text))
}

fn read_vlan(args: &mut Args<'_>, before: i16) -> Result<i16, Stop> {
    if before >= 0 {
        return Err(Stop::duparg2("vlan", "vlan"));
    }
    Ok(atoi(args.value()?) as i16)
}

/// A word that is no keyword: `[to] LLADDR`, or `help`.
fn read_to<'a>(args: &mut Args<'a>, word: &'a str, before: Option<&str>) -> Result<&'a str, Stop> {
    let word = if word == "to" { args.value()? } else { word };
    if matches(word, "help") {
        return Err(usage());
    }
    match before {
        Some(_) => Err(Stop::duparg2("to", word)),
        None => Ok(word),
    }
}

/// A request about one address.
fn request(address: &str) -> Result<NeighbourMessage, Stop> {
    let mac = read_mac(address).ok_or_else(|| fail(format!("Invalid mac address {address}\n")))?;
    let mut request = NeighbourMessage::default();
    request.header.family = AddressFamily::Bridge;
    request.attributes.push(NeighbourAttribute::LinkLayerAddress(mac.to_vec()));
    Ok(request)
}

/// `sscanf("%hhx:%hhx:%hhx:%hhx:%hhx:%hhx")`: what follows the sixth number is not looked at.
fn read_mac(text: &str) -> Option<[u8; 6]> {
    let mut mac = [0; 6];
    let mut rest = text;
    for (at, byte) in mac.iter_mut().enumerate() {
        let (value, length) = crate::c_number::strtol(rest, 16);
        if length == 0 {
            return None;
        }
        *byte = value as u8;
        rest = rest.get(length..)?;
        if at < 5 {
            rest = rest.strip_prefix(':')?;
        }
    }
    Some(mac)
}

fn get(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let (mut device, mut bridge, mut address, mut vni) = (None, None, None, None);
    let mut vlan = -1;
    let mut flags = NeighbourFlags::empty();
    let mut filter = Filter::default();
    while let Some(word) = args.take() {
        match word {
            "brport" | "dev" => device = Some(args.value()?),
            "br" => bridge = Some(args.value()?),
            "vni" => vni = Some(read_vni(args.value()?, "invalid VNI\n")?),
            "self" => flags |= NeighbourFlags::Own,
            word if matches(word, "master") => flags |= NeighbourFlags::Controller,
            word if matches(word, "vlan") => vlan = read_vlan(&mut args, vlan)?,
            word if matches(word, "dynamic") => filter.dynamic = true,
            word => address = Some(read_to(&mut args, word, address)?),
        }
    }
    let (true, Some(address)) = (device.is_some() || bridge.is_some(), address) else {
        return Err(fail("Device or master and address are required arguments.\n"));
    };
    let mut request = request(address)?;
    request.header.flags = flags;
    if vlan >= 0 {
        request.attributes.push(NeighbourAttribute::Vlan(vlan as u16));
    }
    request.attributes.extend(vni.map(NeighbourAttribute::Vni));
    if let Some(name) = device {
        request.header.ifindex = context.require_link(name).map_err(as_bridge)?;
    }
    if let Some(name) = bridge {
        let index = require_bridge(context, name)?;
        request.attributes.push(NeighbourAttribute::Controller(index));
    }
    let answer = context
        .talk(&Message::GetNeighbour(request), 0)
        .map_err(|stop| if stop.exit { stop } else { Stop { code: 254, ..stop } })?;
    context.begin();
    for message in answer {
        if let Message::NewNeighbour(entry) = message {
            print(context, &entry, filter, false);
        }
    }
    context.end();
    Ok(())
}

fn flush(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let (mut device, mut port) = (None, None);
    let mut vlan = -1;
    let mut own = NeighbourFlags::empty();
    let (mut flags, mut flags_mask) = (0u8, 0u8);
    let (mut state, mut state_mask) = (0u16, 0u16);
    while let Some(word) = args.take() {
        match word {
            "dev" => device = Some(args.value()?),
            "master" => own |= NeighbourFlags::Controller,
            "self" => own |= NeighbourFlags::Own,
            "permanent" => {
                state |= NUD_PERMANENT;
                state_mask |= NUD_PERMANENT;
            }
            "nopermanent" => {
                state &= !NUD_PERMANENT;
                state_mask |= NUD_PERMANENT;
            }
            "static" => {
                state |= NUD_NOARP;
                state_mask |= NUD_NOARP | NUD_PERMANENT;
            }
            "nostatic" => {
                state &= !NUD_NOARP;
                state_mask |= NUD_NOARP;
            }
            "dynamic" => {
                state &= !NUD_NOARP | NUD_PERMANENT;
                state_mask |= NUD_NOARP | NUD_PERMANENT;
            }
            "nodynamic" => {
                state |= NUD_NOARP;
                state_mask |= NUD_NOARP;
            }
            "brport" => {
                if port.is_some() {
                    return Err(Stop::duparg2("brport", "brport"));
                }
                port = Some(args.value()?);
            }
            "vlan" => vlan = read_vlan(&mut args, vlan)?,
            // A word behind `help` is skipped, other words say nothing, as in iproute2.
            "help" => {
                args.value()?;
            }
            word => {
                let (clear, name) = match word.strip_prefix("no") {
                    Some(name) => (true, name),
                    None => (false, word),
                };
                let flag = match name {
                    "added_by_user" => NeighbourFlags::Use,
                    "extern_learn" => NeighbourFlags::ExtLearned,
                    "sticky" => NeighbourFlags::Sticky,
                    "offloaded" => NeighbourFlags::Offloaded,
                    _ => continue,
                };
                flags_mask |= flag.bits();
                flags = if clear { flags & !flag.bits() } else { flags | flag.bits() };
            }
        }
    }
    let device = device.ok_or_else(|| fail("Device is a required argument.\n"))?;
    let mut request = NeighbourMessage::default();
    request.header.family = AddressFamily::Bridge;
    request.header.ifindex = require_bridge(context, device)?;
    if let Some(name) = port {
        match context.link_index(name) {
            0 => return Err(fail(format!("Cannot find bridge port device \"{name}\"\n"))),
            index => request.attributes.push(NeighbourAttribute::IfIndex(index)),
        }
    }
    if vlan >= 4096 {
        return Err(fail(format!("Invalid VLAN ID \"{vlan}\"\n")));
    }
    if !own.intersects(NeighbourFlags::Own | NeighbourFlags::Controller) {
        own |= NeighbourFlags::Own;
    }
    request.header.flags = NeighbourFlags::from_bits_retain(flags) | own;
    request.header.state = NeighbourState::from(state);
    if vlan > -1 {
        request.attributes.push(NeighbourAttribute::Vlan(vlan as u16));
    }
    let raw = |kind, value: Vec<u8>| NeighbourAttribute::Other(DefaultNla::new(kind, value));
    if flags_mask != 0 {
        request.attributes.push(raw(NDA_NDM_FLAGS_MASK, vec![flags_mask]));
    }
    if state_mask != 0 {
        request.attributes.push(raw(NDA_NDM_STATE_MASK, state_mask.to_ne_bytes().to_vec()));
    }
    context.talk(&Message::DelNeighbour(request), NLM_F_BULK).map_err(as_bridge)?;
    Ok(())
}

fn usage() -> Stop {
    Stop::exit(255, USAGE)
}

const USAGE: &str = "\
Usage: bridge fdb { add | append | del | replace } ADDR dev DEV
              [ self ] [ master ] [ use ] [ router ] [ extern_learn ]
              [ sticky ] [ local | static | dynamic ] [ vlan VID ]
              { [ dst IPADDR ] [ port PORT] [ vni VNI ] | [ nhid NHID ] }
\t       [ via DEV ] [ src_vni VNI ]
       bridge fdb [ show [ br BRDEV ] [ brport DEV ] [ vlan VID ]
              [ state STATE ] [ dynamic ] ]
       bridge fdb get [ to ] LLADDR [ br BRDEV ] { brport | dev } DEV
              [ vlan VID ] [ vni VNI ] [ self ] [ master ] [ dynamic ]
       bridge fdb flush dev DEV [ brport DEV ] [ vlan VID ]
              [ self ] [ master ] [ [no]permanent | [no]static | [no]dynamic ]
              [ [no]added_by_user ] [ [no]extern_learn ] [ [no]sticky ]
              [ [no]offloaded ]
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_by_sscanf() {
        assert_eq!(read_mac("02:0:0:0:0:Ab"), Some([2, 0, 0, 0, 0, 0xab]));
        assert_eq!(read_mac("02:00:00:00:00:01/48"), Some([2, 0, 0, 0, 0, 1]));
        assert_eq!(read_mac("02:00:00:00:00"), None);
        assert_eq!(read_mac("10.0.0.1"), None);
    }

    #[test]
    fn states_have_words() {
        assert_eq!(state_text(NUD_PERMANENT | NUD_NOARP, false), "permanent");
        assert_eq!(state_text(NUD_REACHABLE, false), "");
        assert_eq!(state_text(1, false), "state=0x1");
        assert_eq!(state_text(1, true), "0x1");
        assert_eq!(read_state("dyn"), Some(NUD_REACHABLE));
        assert_eq!(read_state("nope"), None);
    }
}
