//! `bridge fdb add`, `append`, `replace` and `delete`, and the words that they share with `get` and `flush`.

use hairpin_netlink::Message;
use hairpin_netlink::core::DefaultNla;
use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourFlags, NeighbourMessage, NeighbourState,
};

use super::{NUD_NOARP, NUD_PERMANENT, NUD_REACHABLE, as_bridge, fail, usage};
use crate::c_number::atoi;
use crate::iproute2::inet::{get_addr, octets};
use crate::iproute2::number::{get_u32, strtoul};
use crate::iproute2::{Args, Context, Stop, matches};

const NDA_NH_ID: u16 = 13;

/// What `modify` asks for.
#[derive(Clone, Copy)]
pub(super) enum Change {
    /// With these `NLM_F_*`.
    New(u16),
    Delete,
}

pub(super) fn modify(context: &mut Context<'_>, mut args: Args<'_>, change: Change) -> Result<(), Stop> {
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

pub(super) fn read_vni(text: &str, message: &str) -> Result<u32, Stop> {
    let vni = strtoul(text, 0).filter(|(vni, rest)| rest.is_empty() && vni >> 24 == 0);
    vni.map(|(vni, _)| vni as u32).ok_or_else(|| Stop::invarg(message, text))
}

pub(super) fn read_vlan(args: &mut Args<'_>, before: i16) -> Result<i16, Stop> {
    if before >= 0 {
        return Err(Stop::duparg2("vlan", "vlan"));
    }
    Ok(atoi(args.value()?) as i16)
}

/// A word that is no keyword: `[to] LLADDR`, or `help`.
pub(super) fn read_to<'a>(args: &mut Args<'a>, word: &'a str, before: Option<&str>) -> Result<&'a str, Stop> {
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
pub(super) fn request(address: &str) -> Result<NeighbourMessage, Stop> {
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
}
