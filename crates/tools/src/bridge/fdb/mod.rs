//! `bridge fdb`: forwarding databases of bridges, VXLAN devices and unicast filters.

mod modify;
mod print;

use hairpin_netlink::Message;
use hairpin_netlink::codec::{NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use hairpin_netlink::core::DefaultNla;
use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::route::neighbour::{
    NeighbourAttribute, NeighbourFlags, NeighbourMessage, NeighbourState,
};

use self::modify::{Change, modify, read_to, read_vlan, read_vni, request};
pub(super) use self::print::print;
use super::{as_bridge, dump, fail};
use crate::c_number::atoi;
use crate::iproute2::number::get_u32;
use crate::iproute2::{Args, Context, Stop, matches};

const NUD_REACHABLE: u16 = 0x02;
const NUD_STALE: u16 = 0x04;
const NUD_NOARP: u16 = 0x40;
const NUD_PERMANENT: u16 = 0x80;

const NDA_NDM_STATE_MASK: u16 = 16;
const NDA_NDM_FLAGS_MASK: u16 = 17;

/// `NLM_F_BULK` of a delete request.
const NLM_F_BULK: u16 = 0x200;

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
    fn states_have_words() {
        assert_eq!(read_state("dyn"), Some(NUD_REACHABLE));
        assert_eq!(read_state("0x40"), Some(NUD_NOARP));
        assert_eq!(read_state("nope"), None);
    }
}
