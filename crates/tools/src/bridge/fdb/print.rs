//! An entry as `bridge fdb` and `bridge monitor` print it.

use hairpin_netlink::core::Nla;
use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourFlags, NeighbourMessage,
};

use super::{Filter, NUD_NOARP, NUD_PERMANENT, NUD_REACHABLE, NUD_STALE};
use crate::iproute2::inet::{AF_INET, AF_INET6};
use crate::iproute2::{Color, Context};

const NDA_NH_ID: u16 = 13;

/// `USER_HZ`: clock ticks a second in what the kernel reports.
const USER_HZ: u32 = 100;

/// One line for an entry.
pub(in crate::bridge) fn print(
    context: &mut Context<'_>,
    entry: &NeighbourMessage,
    filter: Filter,
    deleted: bool,
) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_have_words() {
        assert_eq!(state_text(NUD_PERMANENT | NUD_NOARP, false), "permanent");
        assert_eq!(state_text(NUD_REACHABLE, false), "");
        assert_eq!(state_text(1, false), "state=0x1");
        assert_eq!(state_text(1, true), "0x1");
    }
}
