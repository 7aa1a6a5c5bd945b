//! One link as `ip link` and `ip address` show it (iproute2's `print_linkinfo`).

use hairpin_netlink::Message;
use hairpin_netlink::route::link::{
    AfSpecInet6, AfSpecUnspec, In6AddrGenMode, LinkAttribute, LinkInfo, LinkMessage, LinkPhysId,
    LinkProtocolDownReason, Prop,
};

use super::kind;
use super::stats::print_counters;
use crate::ip::filter::{Filter, Master};
use crate::iproute2::inet::AF_PACKET;
use crate::iproute2::layer::{format_lladdr, layer_name};
use crate::iproute2::link_flags::{IFF_POINTOPOINT, print_flags};
use crate::iproute2::links::IFF_UP;
use crate::iproute2::names::Table;
use crate::iproute2::{Color, Context, find};

const OPERATIONAL_STATES: &[&str] =
    &["UNKNOWN", "NOTPRESENT", "DOWN", "LOWERLAYERDOWN", "TESTING", "DORMANT", "UP"];

/// What became of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ip) enum Shown {
    /// The selection leaves it out, with its addresses.
    Skipped,
    /// Its addresses may follow, statistics do not.
    Briefly,
    /// It was shown whole.
    Whole,
}

/// The number of an operational state by name.
pub(super) fn operational_state(name: &str) -> Option<u8> {
    let at = OPERATIONAL_STATES.iter().position(|known| known.eq_ignore_ascii_case(name));
    at.and_then(|at| u8::try_from(at).ok())
}

/// Prints a link if the selection holds it.
pub(in crate::ip) fn print_link(
    context: &mut Context<'_>,
    filter: &Filter,
    link: &LinkMessage,
    deleted: bool,
) -> Shown {
    let Some(name) = select(filter, link) else {
        return Shown::Skipped;
    };
    if filter.label.is_some() {
        return Shown::Briefly;
    }
    if deleted {
        context.print.any("deleted", true, format_args!("Deleted "));
    }
    if context.options.brief {
        print_brief(context, filter, link, name);
        return Shown::Briefly;
    }
    context.print.any("ifindex", link.header.index, format_args!("{}: ", link.header.index));
    let lower_down = print_name(context, link, name, 0);
    print_flags(&mut context.print, link.header.flags.bits(), lower_down);
    print_first_line(context, filter, link);
    if filter.family == 0 || filter.family == AF_PACKET || context.options.details > 0 {
        print_addresses(context, link);
    }
    print_netns(context, link);
    print_protodown(context, link);
    if context.options.details > 0 {
        print_details(context, filter, link);
    }
    if let Some(alias) = find!(link.attributes, LinkAttribute::IfAlias)
        && (filter.link || context.options.details > 0)
    {
        print_line_start(context);
        context.print.any("ifalias", alias, format_args!("alias {alias}"));
    }
    if filter.link && context.options.stats > 0 {
        context.print.line();
        print_counters(context, link);
    }
    print_altnames(context, link);
    context.print.text(format_args!("\n"));
    Shown::Whole
}

/// The name of a link that the selection holds.
fn select<'m>(filter: &Filter, link: &'m LinkMessage) -> Option<&'m str> {
    if filter.index != 0 && filter.index != link.header.index {
        return None;
    }
    if filter.up && link.header.flags.bits() & IFF_UP == 0 {
        return None;
    }
    let name = find!(link.attributes, LinkAttribute::IfName)?;
    if filter.label.is_some() {
        return Some(name);
    }
    let group = find!(link.attributes, LinkAttribute::Group);
    if filter.group.is_some() && group.is_some() && filter.group != group.copied() {
        return None;
    }
    let master = find!(link.attributes, LinkAttribute::Controller).copied();
    if let Master::Index(wanted) = filter.master
        && master != Some(wanted)
    {
        return None;
    }
    let info = find!(link.attributes, LinkAttribute::LinkInfo);
    if let Some(wanted) = &filter.kind {
        let kind = info.and_then(|info| find!(info, LinkInfo::Kind)).map(ToString::to_string);
        if info.is_none() || kind.unwrap_or_default() != *wanted {
            return None;
        }
    }
    if let Some(wanted) = &filter.port_kind {
        let kind = info.and_then(|info| find!(info, LinkInfo::PortKind)).map(ToString::to_string);
        if info.is_none() || kind.unwrap_or_default() != *wanted {
            return None;
        }
    }
    Some(name)
}

fn print_brief(context: &mut Context<'_>, filter: &Filter, link: &LinkMessage, name: &str) {
    let lower_down = print_name(context, link, name, 16);
    if let Some(state) = find!(link.attributes, LinkAttribute::OperState) {
        print_state(context, u8::from(*state), true);
    }
    if filter.family != AF_PACKET {
        return;
    }
    if let Some(address) = find!(link.attributes, LinkAttribute::Address) {
        let address = format_lladdr(address, u16::from(link.header.link_layer_type));
        context.print.colored(Color::Mac, "address", &address, format_args!("{address} "));
    }
    print_flags(&mut context.print, link.header.flags.bits(), lower_down);
    context.print.text(format_args!("\n"));
}

/// Prints `NAME@LINK`, padded in brief output; tells whether the link below is down.
fn print_name(context: &mut Context<'_>, link: &LinkMessage, name: &str, width: usize) -> bool {
    let mut lower_down = false;
    let mut shown = name.to_owned();
    match find!(link.attributes, LinkAttribute::Link).copied() {
        None => {}
        Some(0) => {
            context.print.json("link", crate::iproute2::Value::Null);
            shown.push_str("@NONE");
        }
        Some(lower) if find!(link.attributes, LinkAttribute::LinkNetNsId).is_some() => {
            context.print.json("link_index", lower as i32);
            shown.push_str(&format!("@if{lower}"));
        }
        Some(lower) => {
            let lower_name = context.link_name(lower);
            context.print.json("link", &lower_name);
            shown.push_str(&format!("@{lower_name}"));
            lower_down = context.link_flags(lower).is_some_and(|flags| flags & IFF_UP == 0);
        }
    }
    if context.print.is_json() {
        context.print.json("ifname", name);
    } else if width > 0 {
        context.print.colored_text(Color::InterfaceName, format_args!("{shown:<width$} "));
    } else {
        context.print.colored_text(Color::InterfaceName, format_args!("{shown}: "));
    }
    lower_down
}

fn print_first_line(context: &mut Context<'_>, filter: &Filter, link: &LinkMessage) {
    if let Some(mtu) = find!(link.attributes, LinkAttribute::Mtu) {
        context.print.any("mtu", *mtu as i32, format_args!("mtu {mtu} "));
    }
    if let Some(qdisc) = find!(link.attributes, LinkAttribute::Qdisc) {
        context.print.any("qdisc", qdisc, format_args!("qdisc {qdisc} "));
    }
    if let Some(master) = find!(link.attributes, LinkAttribute::Controller) {
        let master = context.link_name(*master);
        context.print.any("master", &master, format_args!("master {master} "));
    }
    if let Some(state) = find!(link.attributes, LinkAttribute::OperState) {
        print_state(context, u8::from(*state), false);
    }
    if let Some(mode) = find!(link.attributes, LinkAttribute::Mode)
        && filter.link
    {
        match u8::from(*mode) {
            0 => context.print.any("linkmode", "DEFAULT", format_args!("mode DEFAULT ")),
            1 => context.print.any("linkmode", "DORMANT", format_args!("mode DORMANT ")),
            mode => context.print.any("linkmode_index", mode, format_args!("mode {mode} ")),
        }
    }
    if let Some(group) = find!(link.attributes, LinkAttribute::Group) {
        let group = context.name_of(Table::Group, *group);
        context.print.any("group", &group, format_args!("group {group} "));
    }
    if filter.queue {
        let length = match find!(link.attributes, LinkAttribute::TxQueueLen) {
            Some(length) => *length,
            None => queue_length(context, link.header.index),
        };
        if length != 0 {
            context.print.any("txqlen", length as i32, format_args!("qlen {length}"));
        }
    }
    if let Some(event) = find!(link.attributes, LinkAttribute::Event) {
        const EVENTS: &[&str] = &[
            "NONE",
            "REBOOT",
            "FEATURE CHANGE",
            "BONDING FAILOVER",
            "NOTIFY PEERS",
            "RESEND IGMP",
            "BONDING OPTION",
        ];
        let event = u32::from(*event);
        match EVENTS.get(event as usize) {
            Some(_) if event == 0 => {}
            Some(name) => context.print.any("event", *name, format_args!("event {name} ")),
            None => context.print.any("event", event as i32, format_args!("event {event} ")),
        }
    }
}

/// The transmit queue length of a link whose message lacks it, as messages of `AF_INET6` do.
fn queue_length(context: &mut Context<'_>, index: u32) -> u32 {
    let mut request = LinkMessage::default();
    request.header.index = index;
    let answer = context.talk_quietly(&Message::GetLink(request), 0).unwrap_or_default();
    let length = answer.iter().find_map(|message| match message {
        Message::NewLink(link) => find!(link.attributes, LinkAttribute::TxQueueLen).copied(),
        _ => None,
    });
    length.unwrap_or(0)
}

fn print_state(context: &mut Context<'_>, state: u8, brief: bool) {
    let Some(name) = OPERATIONAL_STATES.get(usize::from(state)) else {
        context.print.any("operstate_index", state, format_args!("state {state:#x}"));
        return;
    };
    let color = match *name {
        "UP" => Color::Up,
        "DOWN" => Color::Down,
        _ => Color::None,
    };
    if brief {
        context.print.colored(color, "operstate", *name, format_args!("{name:<14} "));
    } else {
        context.print.text(format_args!("state "));
        context.print.colored(color, "operstate", *name, format_args!("{name} "));
    }
}

fn print_addresses(context: &mut Context<'_>, link: &LinkMessage) {
    let layer = u16::from(link.header.link_layer_type);
    context.print.line();
    let name = layer_name(layer, context.options.numeric);
    let print = &mut context.print;
    print.any("link_type", &name, format_args!("    link/{name} "));
    let address = find!(link.attributes, LinkAttribute::Address);
    if let Some(address) = address {
        let address = format_lladdr(address, layer);
        print.colored(Color::Mac, "address", &address, format_args!("{address}"));
    }
    if let Some(broadcast) = find!(link.attributes, LinkAttribute::Broadcast) {
        let broadcast = format_lladdr(broadcast, layer);
        if link.header.flags.bits() & IFF_POINTOPOINT != 0 {
            print.any("link_pointtopoint", true, format_args!(" peer "));
        } else {
            print.text(format_args!(" brd "));
        }
        print.colored(Color::Mac, "broadcast", &broadcast, format_args!("{broadcast}"));
    }
    if let Some(permanent) = find!(link.attributes, LinkAttribute::PermAddress)
        && address != Some(permanent)
    {
        let permanent = format_lladdr(permanent, layer);
        print.text(format_args!(" permaddr "));
        print.colored(Color::Mac, "permaddr", &permanent, format_args!("{permanent}"));
    }
}

fn print_netns(context: &mut Context<'_>, link: &LinkMessage) {
    if let Some(id) = find!(link.attributes, LinkAttribute::LinkNetNsId).copied() {
        context.print.json("link_netnsid", id);
        if !context.print.is_json() {
            if id < 0 {
                context.print.text(format_args!(" link-netnsid unknown"));
            } else if let Some(name) = context.nsid_name(id) {
                context.print.text(format_args!(" link-netns {name}"));
            } else {
                context.print.text(format_args!(" link-netnsid {id}"));
            }
        }
    }
    if let Some(id) = find!(link.attributes, LinkAttribute::NewNetnsId).copied()
        && !context.print.is_json()
    {
        match context.nsid_name(id) {
            Some(name) => context.print.text(format_args!(" new-netns {name}")),
            None => context.print.text(format_args!(" new-netnsid {id}")),
        }
    }
    if let Some(index) = find!(link.attributes, LinkAttribute::NewIfIndex) {
        context.print.text(format_args!(" new-ifindex {index}"));
    }
}

fn print_protodown(context: &mut Context<'_>, link: &LinkMessage) {
    let Some(down) = find!(link.attributes, LinkAttribute::ProtoDown) else {
        return;
    };
    let print = &mut context.print;
    if *down != 0 {
        print.any("proto_down", true, format_args!(" protodown on "));
    }
    let reasons = find!(link.attributes, LinkAttribute::ProtoDownReason);
    let mask =
        reasons.and_then(|reasons| find!(reasons, LinkProtocolDownReason::Value)).copied().unwrap_or(0);
    if mask == 0 {
        return;
    }
    print.open_array(Some("proto_down_reason"));
    print.text(format_args!("protodown_reason <"));
    let mut comma = "";
    for bit in 0..u32::BITS {
        if mask & (1 << bit) != 0 {
            print.item(&bit.to_string(), format_args!("{comma}{bit}"));
            comma = ",";
        }
    }
    print.close_array();
    print.text(format_args!(">"));
}

fn print_details(context: &mut Context<'_>, filter: &Filter, link: &LinkMessage) {
    macro_rules! numbers {
        ($(($variant:ident, $key:literal, $text:literal)),* $(,)?) => {
            $(if let Some(value) = find!(link.attributes, LinkAttribute::$variant) {
                context.print.any($key, *value, format_args!($text, value));
            })*
        };
    }
    numbers!(
        (Promiscuity, "promiscuity", " promiscuity {} "),
        (AllMulticast, "allmulti", " allmulti {} "),
        (MinMtu, "min_mtu", "minmtu {} "),
        (MaxMtu, "max_mtu", "maxmtu {} "),
    );
    if let Some(info) = find!(link.attributes, LinkAttribute::LinkInfo) {
        kind::print_info(context, info);
    }
    if filter.link {
        print_address_generation(context, link);
    }
    numbers!(
        (NumTxQueues, "num_tx_queues", "numtxqueues {} "),
        (NumRxQueues, "num_rx_queues", "numrxqueues {} "),
        (GsoMaxSize, "gso_max_size", "gso_max_size {} "),
        (GsoMaxSegs, "gso_max_segs", "gso_max_segs {} "),
        (TsoMaxSize, "tso_max_size", "tso_max_size {} "),
        (TsoMaxSegs, "tso_max_segs", "tso_max_segs {} "),
        (GroMaxSize, "gro_max_size", "gro_max_size {} "),
    );
    let print = &mut context.print;
    if let Some(name) = find!(link.attributes, LinkAttribute::PhysPortName) {
        print.any("phys_port_name", name, format_args!("portname {name} "));
    }
    if let Some(id) = find!(link.attributes, LinkAttribute::PhysPortId) {
        let id = hex_string(id);
        print.any("phys_port_id", &id, format_args!("portid {id} "));
    }
    if let Some(id) = find!(link.attributes, LinkAttribute::PhysSwitchId) {
        let id = hex_string(id);
        print.any("phys_switch_id", &id, format_args!("switchid {id} "));
    }
    if let Some(bus) = find!(link.attributes, LinkAttribute::ParentDevBusName) {
        print.any("parentbus", bus, format_args!("parentbus {bus} "));
    }
    if let Some(device) = find!(link.attributes, LinkAttribute::ParentDevName) {
        print.any("parentdev", device, format_args!("parentdev {device} "));
    }
}

fn hex_string(id: &LinkPhysId) -> String {
    id.id.iter().take(id.len).map(|byte| format!("{byte:02x}")).collect()
}

fn print_address_generation(context: &mut Context<'_>, link: &LinkMessage) {
    let Some(families) = find!(link.attributes, LinkAttribute::AfSpecUnspec) else {
        return;
    };
    let inet6 = find!(families, AfSpecUnspec::Inet6);
    if let Some(mode) = inet6.and_then(|inet6| find!(inet6, AfSpecInet6::AddrGenMode)) {
        let mode = match mode {
            In6AddrGenMode::Eui64 => "eui64".to_owned(),
            In6AddrGenMode::None => "none".to_owned(),
            In6AddrGenMode::StablePrivacy => "stable_secret".to_owned(),
            In6AddrGenMode::Random => "random".to_owned(),
            other => format!("{:#04x}", u8::from(other)),
        };
        context.print.any("inet6_addr_gen_mode", &mode, format_args!("addrgenmode {mode} "));
    }
}

fn print_altnames(context: &mut Context<'_>, link: &LinkMessage) {
    let Some(properties) = find!(link.attributes, LinkAttribute::PropList) else {
        return;
    };
    context.print.open_array(Some("altnames"));
    for property in properties {
        if let Prop::AltIfName(name) = property {
            print_line_start(context);
            context.print.item(name, format_args!("altname {name}"));
        }
    }
    context.print.close_array();
}

/// The end of a line and the indent of the next one.
fn print_line_start(context: &mut Context<'_>) {
    context.print.line();
    context.print.text(format_args!("    "));
}
