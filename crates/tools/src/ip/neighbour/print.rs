//! A neighbour as text or JSON.

use std::net::IpAddr;

use hairpin_netlink::route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourCacheInfo, NeighbourExtFlags, NeighbourFlags,
    NeighbourMessage,
};

use super::show::Filter;
use crate::iproute2::inet::family_of;
use crate::iproute2::layer::format_lladdr;
use crate::iproute2::names::Table;
use crate::iproute2::{Color, Context, Value};

/// `USER_HZ`, the unit of times in `nda_cacheinfo`.
const USER_HZ: u32 = 100;

/// `NUD_*`, in the order in which they are shown.
const STATES: [(u16, &str); 8] = [
    (0x01, "INCOMPLETE"),
    (0x02, "REACHABLE"),
    (0x04, "STALE"),
    (0x08, "DELAY"),
    (0x10, "PROBE"),
    (0x20, "FAILED"),
    (0x40, "NOARP"),
    (0x80, "PERMANENT"),
];

/// What a message says of the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ip) enum Event {
    New,
    Deleted,
    /// The kernel asks a program for the address.
    Miss,
}

/// Prints one entry. What `filter` selects by is not repeated.
pub(super) fn print_neighbour(
    ctx: &mut Context<'_>,
    filter: &Filter,
    event: Event,
    message: &NeighbourMessage,
) {
    let header = &message.header;
    let flags = header.flags;
    let mut destination = None;
    let mut lladdr = None;
    let mut cache_info = None;
    let mut probes = None;
    let mut protocol = 0;
    let mut ext_flags = NeighbourExtFlags::empty();
    for attribute in &message.attributes {
        match attribute {
            NeighbourAttribute::Destination(address) => destination = ip_address(address),
            NeighbourAttribute::LinkLayerAddress(bytes) => lladdr = Some(bytes),
            NeighbourAttribute::CacheInfo(info) => cache_info = Some(info),
            NeighbourAttribute::Probes(count) => probes = Some(*count),
            NeighbourAttribute::Protocol(id) => protocol = u8::from(*id),
            NeighbourAttribute::ExtFlags(flags) => ext_flags = *flags,
            _ => {}
        }
    }
    let device = (filter.device == 0 && header.ifindex != 0).then(|| ctx.link_name(header.ifindex));
    let layer = ctx.links.get(header.ifindex).map_or(u16::MAX, |link| link.layer);
    let lladdr = lladdr.map(|bytes| format_lladdr(bytes, layer));

    ctx.print.open_object(None);
    match event {
        Event::New => {}
        Event::Deleted => ctx.print.any("deleted", true, format_args!("Deleted ")),
        Event::Miss => ctx.print.any("miss", Value::Null, format_args!("miss ")),
    }
    if ctx.options.brief {
        print_brief(ctx, destination, device, lladdr);
        return;
    }
    if let Some(address) = destination {
        let text = address.to_string();
        ctx.print.colored(Color::family(family_of(address)), "dst", &text, format_args!("{text} "));
    }
    if let Some(name) = device {
        ctx.print.text(format_args!("dev "));
        ctx.print.colored(Color::InterfaceName, "dev", &name, format_args!("{name} "));
    }
    if let Some(text) = lladdr {
        ctx.print.text(format_args!("lladdr "));
        ctx.print.colored(Color::Mac, "lladdr", &text, format_args!("{text} "));
    }
    let words = [
        ("router", flags.contains(NeighbourFlags::Router)),
        ("proxy", flags.contains(NeighbourFlags::Proxy)),
        ("managed", ext_flags.contains(NeighbourExtFlags::Managed)),
        ("extern_learn", flags.contains(NeighbourFlags::ExtLearned)),
        ("offload", flags.contains(NeighbourFlags::Offloaded)),
    ];
    for (word, _) in words.iter().filter(|(_, set)| *set) {
        ctx.print.any(word, Value::Null, format_args!("{word} "));
    }
    if ctx.options.stats > 0 {
        if let Some(info) = cache_info {
            print_cache_info(ctx, info);
        }
        if let Some(probes) = probes {
            ctx.print.any("probes", probes, format_args!("probes {probes} "));
        }
    }
    print_state(ctx, header.state.into());
    if protocol != 0 {
        let name = ctx.name_of(Table::Protocol, protocol.into());
        ctx.print.any("protocol", &name, format_args!("proto {name} "));
    }
    ctx.print.text(format_args!("\n"));
    ctx.print.close_object();
}

fn print_brief(
    ctx: &mut Context<'_>,
    destination: Option<IpAddr>,
    device: Option<String>,
    lladdr: Option<String>,
) {
    if let Some(address) = destination {
        let text = address.to_string();
        ctx.print.colored(Color::family(family_of(address)), "dst", &text, format_args!("{text:<39} "));
    }
    if let Some(name) = device {
        ctx.print.colored(Color::InterfaceName, "dev", &name, format_args!("{name:<16} "));
    }
    if let Some(text) = lladdr {
        ctx.print.colored(Color::Mac, "lladdr", &text, format_args!("{text}"));
    }
    ctx.print.text(format_args!("\n"));
    ctx.print.close_object();
}

fn print_cache_info(ctx: &mut Context<'_>, info: &NeighbourCacheInfo) {
    if info.refcnt != 0 {
        ctx.print.any("refcnt", info.refcnt, format_args!(" ref {}", info.refcnt));
    }
    let (used, confirmed, updated) = (info.used / USER_HZ, info.confirmed / USER_HZ, info.updated / USER_HZ);
    ctx.print.any("used", used, format_args!(" used {used}"));
    ctx.print.any("confirmed", confirmed, format_args!("/{confirmed}"));
    ctx.print.any("updated", updated, format_args!("/{updated}"));
}

fn print_state(ctx: &mut Context<'_>, state: u16) {
    if state == 0 {
        return;
    }
    ctx.print.open_array(Some("state"));
    for (_, name) in STATES.iter().filter(|(bit, _)| state & bit != 0) {
        ctx.print.item(*name, format_args!("{name} "));
    }
    ctx.print.close_array();
}

/// An entry's address; those of other families than IP are told apart by length.
pub(super) fn ip_address(address: &NeighbourAddress) -> Option<IpAddr> {
    match address {
        NeighbourAddress::Inet(address) => Some((*address).into()),
        NeighbourAddress::Inet6(address) => Some((*address).into()),
        NeighbourAddress::Other(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(&bytes[..]).ok().map(IpAddr::from),
            16 => <[u8; 16]>::try_from(&bytes[..]).ok().map(IpAddr::from),
            _ => None,
        },
        _ => None,
    }
}
