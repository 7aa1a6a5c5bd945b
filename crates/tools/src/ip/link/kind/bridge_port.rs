//! `type bridge_slave`: a link as a port of a bridge.

use hairpin_netlink::route::link::InfoBridgePort;

use super::bridge::{format_bridge_id, hexadecimal, print_timer};
use super::help;
use crate::ip::link::parse_on_off;
use crate::iproute2::number::{get_u8, get_u16, get_u32};
use crate::iproute2::{Args, Context, Stop, find, matches};

/// How the value of an option is read.
enum Value {
    /// `on` or `off`
    Switch(fn(bool) -> InfoBridgePort),
    U8(fn(u8) -> InfoBridgePort, &'static str),
    U16(fn(u16) -> InfoBridgePort, &'static str),
    U32(fn(u32) -> InfoBridgePort, &'static str),
    Backup,
    NoBackup,
    Flush,
}

/// Options in the order in which abbreviations are resolved.
const OPTIONS: &[(&str, Value)] = &[
    ("fdb_flush", Value::Flush),
    ("state", Value::U8(|value| InfoBridgePort::State(value.into()), "state is invalid")),
    ("priority", Value::U16(InfoBridgePort::Priority, "priority is invalid")),
    ("cost", Value::U32(InfoBridgePort::Cost, "cost is invalid")),
    ("hairpin", Value::Switch(InfoBridgePort::HairpinMode)),
    ("guard", Value::Switch(InfoBridgePort::Guard)),
    ("root_block", Value::Switch(InfoBridgePort::Protect)),
    ("fastleave", Value::Switch(InfoBridgePort::FastLeave)),
    ("learning", Value::Switch(InfoBridgePort::Learning)),
    ("flood", Value::Switch(InfoBridgePort::UnicastFlood)),
    ("mcast_flood", Value::Switch(InfoBridgePort::MulticastFlood)),
    ("bcast_flood", Value::Switch(InfoBridgePort::BroadcastFlood)),
    ("mcast_to_unicast", Value::Switch(InfoBridgePort::MulticastToUnicast)),
    ("proxy_arp", Value::Switch(InfoBridgePort::ProxyARP)),
    ("proxy_arp_wifi", Value::Switch(InfoBridgePort::ProxyARPWifi)),
    (
        "mcast_router",
        Value::U8(|value| InfoBridgePort::MulticastRouter(value.into()), "invalid mcast_router"),
    ),
    ("mcast_fast_leave", Value::Switch(InfoBridgePort::FastLeave)),
    ("neigh_suppress", Value::Switch(InfoBridgePort::NeighSupress)),
    ("group_fwd_mask", Value::U16(InfoBridgePort::GroupFwdMask, "invalid group_fwd_mask")),
    ("vlan_tunnel", Value::Switch(InfoBridgePort::VlanTunnel)),
    ("isolated", Value::Switch(InfoBridgePort::Isolated)),
    ("locked", Value::Switch(InfoBridgePort::Locked)),
    ("backup_port", Value::Backup),
    ("nobackup_port", Value::NoBackup),
];

pub(super) fn parse(context: &mut Context<'_>, args: &mut Args<'_>) -> Result<Vec<InfoBridgePort>, Stop> {
    let mut options = Vec::new();
    while let Some(word) = args.take() {
        let Some((name, value)) = OPTIONS.iter().find(|(name, _)| matches(word, name)) else {
            let text = help("bridge_slave").unwrap_or_default();
            return Err(if matches(word, "help") {
                Stop::fail(1, text)
            } else {
                Stop::fail(1, format!("bridge_slave: unknown option \"{word}\"?\n{text}"))
            });
        };
        options.push(match value {
            Value::Switch(make) => {
                make(parse_on_off(name, args.value()?).map_err(|text| Stop::exit(1, text))?)
            }
            Value::U8(make, message) => {
                let word = args.value()?;
                make(get_u8(word, 0).ok_or_else(|| Stop::invarg(message, word))?)
            }
            Value::U16(make, message) => {
                let word = args.value()?;
                make(get_u16(word, 0).ok_or_else(|| Stop::invarg(message, word))?)
            }
            Value::U32(make, message) => {
                let word = args.value()?;
                make(get_u32(word, 0).ok_or_else(|| Stop::invarg(message, word))?)
            }
            Value::Backup => {
                let word = args.value()?;
                match context.link_index(word) {
                    0 => return Err(Stop::invarg("Device does not exist\n", word)),
                    index => InfoBridgePort::BackupPort(index),
                }
            }
            Value::NoBackup => InfoBridgePort::BackupPort(0),
            Value::Flush => InfoBridgePort::Flush,
        });
    }
    Ok(options)
}

pub(super) fn print(context: &mut Context<'_>, options: &[InfoBridgePort]) {
    macro_rules! switches {
        ($(($variant:ident, $key:literal)),* $(,)?) => {
            $(if let Some(value) = find!(options, InfoBridgePort::$variant) {
                context.print.on_off($key, *value);
            })*
        };
    }
    if let Some(state) = find!(options, InfoBridgePort::State) {
        let number = u8::from(*state);
        if number <= 4 {
            let name = state.to_string();
            context.print.any("state", &name, format_args!("state {name} "));
        } else {
            context.print.any("state_index", number, format_args!("state ({number}) "));
        }
    }
    if let Some(priority) = find!(options, InfoBridgePort::Priority) {
        context.print.any("priority", *priority, format_args!("priority {priority} "));
    }
    if let Some(cost) = find!(options, InfoBridgePort::Cost) {
        context.print.any("cost", *cost as i32, format_args!("cost {} ", *cost as i32));
    }
    switches!(
        (HairpinMode, "hairpin"),
        (Guard, "guard"),
        (Protect, "root_block"),
        (FastLeave, "fastleave"),
        (Learning, "learning"),
        (UnicastFlood, "flood"),
    );
    if let Some(id) = find!(options, InfoBridgePort::PortId) {
        let id = hexadecimal(*id);
        context.print.any("id", &id, format_args!("port_id {id} "));
    }
    if let Some(number) = find!(options, InfoBridgePort::PortNumber) {
        let number = hexadecimal(*number);
        context.print.any("no", &number, format_args!("port_no {number} "));
    }
    if let Some(port) = find!(options, InfoBridgePort::DesignatedPort) {
        context.print.any("designated_port", *port, format_args!("designated_port {port} "));
    }
    if let Some(cost) = find!(options, InfoBridgePort::DesignatedCost) {
        context.print.any("designated_cost", *cost, format_args!("designated_cost {cost} "));
    }
    if let Some(id) = find!(options, InfoBridgePort::BridgeId) {
        let id = format_bridge_id(id);
        context.print.any("bridge_id", &id, format_args!("designated_bridge {id} "));
    }
    if let Some(id) = find!(options, InfoBridgePort::RootId) {
        let id = format_bridge_id(id);
        context.print.any("root_id", &id, format_args!("designated_root {id} "));
    }
    for (key, ticks) in [
        ("hold_timer", find!(options, InfoBridgePort::HoldTimer)),
        ("message_age_timer", find!(options, InfoBridgePort::MessageAgeTimer)),
        ("forward_delay_timer", find!(options, InfoBridgePort::ForwardDelayTimer)),
    ] {
        if let Some(ticks) = ticks {
            print_timer(context, key, *ticks);
        }
    }
    for (key, value) in [
        ("topology_change_ack", find!(options, InfoBridgePort::TopologyChangeAck)),
        ("config_pending", find!(options, InfoBridgePort::ConfigPending)),
    ] {
        if let Some(value) = value {
            let value = u8::from(*value);
            context.print.any(key, value, format_args!("{key} {value} "));
        }
    }
    switches!((ProxyARP, "proxy_arp"), (ProxyARPWifi, "proxy_arp_wifi"));
    if let Some(router) = find!(options, InfoBridgePort::MulticastRouter) {
        let router = u8::from(*router);
        context.print.any("multicast_router", router, format_args!("mcast_router {router} "));
    }
    if let Some(value) = find!(options, InfoBridgePort::FastLeave) {
        let value = if *value { "on" } else { "off" };
        context.print.text(format_args!("mcast_fast_leave {value} "));
    }
    switches!(
        (MulticastFlood, "mcast_flood"),
        (BroadcastFlood, "bcast_flood"),
        (MulticastToUnicast, "mcast_to_unicast"),
        (NeighSupress, "neigh_suppress"),
    );
    if let Some(mask) = find!(options, InfoBridgePort::GroupFwdMask) {
        let hex = hexadecimal(*mask);
        context.print.any("group_fwd_mask", &hex, format_args!("group_fwd_mask {hex} "));
        let names = mask_names(*mask);
        context.print.any("group_fwd_mask_str", &names, format_args!("group_fwd_mask_str {names} "));
    }
    switches!((VlanTunnel, "vlan_tunnel"), (Isolated, "isolated"), (Locked, "locked"));
    if let Some(backup) = find!(options, InfoBridgePort::BackupPort) {
        let backup = context.link_name(*backup);
        context.print.any("backup_port", &backup, format_args!("backup_port {backup} "));
    }
}

/// Protocols whose link-local frames a port forwards.
fn mask_names(mask: u16) -> String {
    let names: Vec<String> = (0..16)
        .filter(|bit| mask & (1 << bit) != 0)
        .map(|bit| match bit {
            0 => "stp".to_owned(),
            2 => "lacp".to_owned(),
            14 => "lldp".to_owned(),
            bit => format!("{:#x}", 1u32 << bit),
        })
        .collect();
    if names.is_empty() { "0x0".to_owned() } else { names.join(",") }
}
