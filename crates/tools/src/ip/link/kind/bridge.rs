//! `type bridge`

use hairpin_netlink::core::DefaultNla;
use hairpin_netlink::route::link::{
    BridgeBooleanOptionFlags, BridgeBooleanOptions, BridgeId, InfoBridge, VlanProtocol,
};

use super::help;
use super::vlan::parse_protocol;
use crate::ip::link::lladdr;
use crate::iproute2::layer::format_lladdr;
use crate::iproute2::number::{get_u8, get_u16, get_u32, get_u64};
use crate::iproute2::{Args, Context, Stop, find, matches};

const IFLA_BR_VLAN_PROTOCOL: u16 = 8;
const IFLA_BR_GROUP_ADDR: u16 = 20;

/// How the value of an option is read.
enum Value {
    U8(fn(u8) -> InfoBridge),
    U16(fn(u16) -> InfoBridge),
    U32(fn(u32) -> InfoBridge),
    U64(fn(u64) -> InfoBridge),
    Protocol,
    Address,
    /// A bit of `IFLA_BR_MULTI_BOOLOPT`; its keyword cannot be abbreviated.
    Bit(BridgeBooleanOptionFlags),
    Flush,
}

/// Options in the order in which abbreviations are resolved.
const OPTIONS: &[(&str, Value)] = &[
    ("forward_delay", Value::U32(InfoBridge::ForwardDelay)),
    ("hello_time", Value::U32(InfoBridge::HelloTime)),
    ("max_age", Value::U32(InfoBridge::MaxAge)),
    ("ageing_time", Value::U32(InfoBridge::AgeingTime)),
    ("stp_state", Value::U32(|value| InfoBridge::StpState(value.into()))),
    ("priority", Value::U16(InfoBridge::Priority)),
    ("vlan_filtering", Value::U8(|value| InfoBridge::VlanFiltering(value != 0))),
    ("vlan_protocol", Value::Protocol),
    ("group_fwd_mask", Value::U16(InfoBridge::GroupFwdMask)),
    ("group_address", Value::Address),
    ("no_linklocal_learn", Value::Bit(BridgeBooleanOptionFlags::NoLinkLocalLearn)),
    ("fdb_flush", Value::Flush),
    ("vlan_default_pvid", Value::U16(InfoBridge::VlanDefaultPvid)),
    ("vlan_stats_enabled", Value::U8(|value| InfoBridge::VlanStatsEnabled(value != 0))),
    ("vlan_stats_per_port", Value::U8(|value| InfoBridge::VlanStatsPerPort(value != 0))),
    ("mcast_router", Value::U8(|value| InfoBridge::MulticastRouter(value.into()))),
    ("mcast_snooping", Value::U8(|value| InfoBridge::MulticastSnooping(value != 0))),
    ("mcast_vlan_snooping", Value::Bit(BridgeBooleanOptionFlags::VlanMulticastSnooping)),
    ("mcast_query_use_ifaddr", Value::U8(|value| InfoBridge::MulticastQueryUseIfaddr(value != 0))),
    ("mcast_querier", Value::U8(|value| InfoBridge::MulticastQuerier(value != 0))),
    ("mcast_hash_elasticity", Value::U32(InfoBridge::MulticastHashElasticity)),
    ("mcast_hash_max", Value::U32(InfoBridge::MulticastHashMax)),
    ("mcast_last_member_count", Value::U32(InfoBridge::MulticastLastMemberCount)),
    ("mcast_startup_query_count", Value::U32(InfoBridge::MulticastStartupQueryCount)),
    ("mcast_last_member_interval", Value::U64(InfoBridge::MulticastLastMemberInterval)),
    ("mcast_membership_interval", Value::U64(InfoBridge::MulticastMembershipInterval)),
    ("mcast_querier_interval", Value::U64(InfoBridge::MulticastQuerierInterval)),
    ("mcast_query_interval", Value::U64(InfoBridge::MulticastQueryInterval)),
    ("mcast_query_response_interval", Value::U64(InfoBridge::MulticastQueryResponseInterval)),
    ("mcast_startup_query_interval", Value::U64(InfoBridge::MulticastStartupQueryInterval)),
    ("mcast_stats_enabled", Value::U8(|value| InfoBridge::MulticastStatsEnabled(value != 0))),
    ("mcast_igmp_version", Value::U8(InfoBridge::MulticastIgmpVersion)),
    ("mcast_mld_version", Value::U8(InfoBridge::MulticastMldVersion)),
    ("nf_call_iptables", Value::U8(|value| InfoBridge::NfCallIpTables(value != 0))),
    ("nf_call_ip6tables", Value::U8(|value| InfoBridge::NfCallIp6Tables(value != 0))),
    ("nf_call_arptables", Value::U8(|value| InfoBridge::NfCallArpTables(value != 0))),
];

pub(super) fn parse(args: &mut Args<'_>) -> Result<Vec<InfoBridge>, Stop> {
    let mut options = Vec::new();
    let empty = BridgeBooleanOptionFlags::empty();
    let mut bits = BridgeBooleanOptions { value: empty, mask: empty };
    while let Some(word) = args.take() {
        let known = OPTIONS.iter().find(|(name, value)| match value {
            Value::Bit(_) => word == *name,
            _ => matches(word, name),
        });
        let Some((name, value)) = known else {
            let text = help("bridge").unwrap_or_default();
            return Err(if matches(word, "help") {
                Stop::fail(1, text)
            } else {
                Stop::fail(1, format!("bridge: unknown command \"{word}\"?\n{text}"))
            });
        };
        if let Value::Flush = value {
            options.push(InfoBridge::FdbFlush);
            continue;
        }
        let word = args.value()?;
        let invalid = || Stop::invarg(&format!("invalid {name}"), word);
        options.push(match value {
            Value::U8(make) => make(get_u8(word, 0).ok_or_else(invalid)?),
            Value::U16(make) => make(get_u16(word, 0).ok_or_else(invalid)?),
            Value::U32(make) => make(get_u32(word, 0).ok_or_else(invalid)?),
            Value::U64(make) => make(get_u64(word, 0).ok_or_else(invalid)?),
            Value::Protocol => vlan_protocol(parse_protocol(word).ok_or_else(invalid)?),
            Value::Address => group_address(lladdr(word)?),
            Value::Bit(bit) => {
                let on = get_u8(word, 0).ok_or_else(invalid)? != 0;
                bits.mask.insert(*bit);
                bits.value.set(*bit, on);
                continue;
            }
            Value::Flush => continue,
        });
    }
    if !bits.mask.is_empty() {
        options.push(InfoBridge::MultiBoolOpt(bits));
    }
    Ok(options)
}

fn vlan_protocol(protocol: u16) -> InfoBridge {
    match protocol {
        0x8100 => InfoBridge::VlanProtocol(VlanProtocol::Ieee8021Q),
        0x88a8 => InfoBridge::VlanProtocol(VlanProtocol::Ieee8021Ad),
        // The kernel is to judge any other.
        other => InfoBridge::Other(DefaultNla::new(IFLA_BR_VLAN_PROTOCOL, other.to_be_bytes().to_vec())),
    }
}

fn group_address(address: Vec<u8>) -> InfoBridge {
    match <[u8; 6]>::try_from(address.as_slice()) {
        Ok(address) => InfoBridge::GroupAddr(address),
        Err(_) => InfoBridge::Other(DefaultNla::new(IFLA_BR_GROUP_ADDR, address)),
    }
}

pub(super) fn print(context: &mut Context<'_>, options: &[InfoBridge]) {
    macro_rules! numbers {
        ($(($variant:ident, $key:literal, $text:literal)),* $(,)?) => {
            $(if let Some(value) = find!(options, InfoBridge::$variant) {
                context.print.any($key, *value, format_args!(concat!($text, " {} "), value));
            })*
        };
    }
    macro_rules! bytes {
        ($(($variant:ident, $key:literal)),* $(,)?) => {
            $(if let Some(value) = find!(options, InfoBridge::$variant) {
                let value = u8::from(*value);
                context.print.any($key, value, format_args!(concat!($key, " {} "), value));
            })*
        };
    }
    numbers!(
        (ForwardDelay, "forward_delay", "forward_delay"),
        (HelloTime, "hello_time", "hello_time"),
        (MaxAge, "max_age", "max_age"),
        (AgeingTime, "ageing_time", "ageing_time"),
    );
    if let Some(state) = find!(options, InfoBridge::StpState) {
        let state = u32::from(*state);
        context.print.any("stp_state", state, format_args!("stp_state {state} "));
    }
    numbers!((Priority, "priority", "priority"));
    bytes!((VlanFiltering, "vlan_filtering"));
    if let Some(protocol) = find!(options, InfoBridge::VlanProtocol) {
        let protocol = protocol.to_string();
        context.print.any("vlan_protocol", &protocol, format_args!("vlan_protocol {protocol} "));
    }
    if let Some(id) = find!(options, InfoBridge::BridgeId) {
        let id = format_bridge_id(id);
        context.print.any("bridge_id", &id, format_args!("bridge_id {id} "));
        if find!(options, InfoBridge::RootId).is_some() {
            // iproute2 6.1 shows the bridge's own id here.
            context.print.any("root_id", &id, format_args!("designated_root {id} "));
        }
    }
    numbers!(
        (RootPort, "root_port", "root_port"),
        (RootPathCost, "root_path_cost", "root_path_cost"),
        (TopologyChange, "topology_change", "topology_change"),
        (TopologyChangeDetected, "topology_change_detected", "topology_change_detected"),
    );
    for (key, ticks) in [
        ("hello_timer", find!(options, InfoBridge::HelloTimer)),
        ("tcn_timer", find!(options, InfoBridge::TcnTimer)),
        ("topology_change_timer", find!(options, InfoBridge::TopologyChangeTimer)),
        ("gc_timer", find!(options, InfoBridge::GcTimer)),
    ] {
        if let Some(ticks) = ticks {
            print_timer(context, key, *ticks);
        }
    }
    numbers!((VlanDefaultPvid, "vlan_default_pvid", "vlan_default_pvid"));
    bytes!((VlanStatsEnabled, "vlan_stats_enabled"), (VlanStatsPerPort, "vlan_stats_per_port"));
    if let Some(mask) = find!(options, InfoBridge::GroupFwdMask) {
        let mask = hexadecimal(*mask);
        context.print.any("group_fwd_mask", &mask, format_args!("group_fwd_mask {mask} "));
    }
    if let Some(address) = find!(options, InfoBridge::GroupAddr) {
        let address = format_lladdr(address, 1);
        context.print.any("group_addr", &address, format_args!("group_address {address} "));
    }
    bytes!((MulticastSnooping, "mcast_snooping"));
    if let Some(bits) = find!(options, InfoBridge::MultiBoolOpt) {
        for (key, bit) in [
            ("no_linklocal_learn", BridgeBooleanOptionFlags::NoLinkLocalLearn),
            ("mcast_vlan_snooping", BridgeBooleanOptionFlags::VlanMulticastSnooping),
        ] {
            if bits.mask.contains(bit) {
                let on = u8::from(bits.value.contains(bit));
                context.print.any(key, on, format_args!("{key} {on} "));
            }
        }
    }
    bytes!(
        (MulticastRouter, "mcast_router"),
        (MulticastQueryUseIfaddr, "mcast_query_use_ifaddr"),
        (MulticastQuerier, "mcast_querier"),
    );
    numbers!(
        (MulticastHashElasticity, "mcast_hash_elasticity", "mcast_hash_elasticity"),
        (MulticastHashMax, "mcast_hash_max", "mcast_hash_max"),
        (MulticastLastMemberCount, "mcast_last_member_cnt", "mcast_last_member_count"),
        (MulticastStartupQueryCount, "mcast_startup_query_cnt", "mcast_startup_query_count"),
        (MulticastLastMemberInterval, "mcast_last_member_intvl", "mcast_last_member_interval"),
        (MulticastMembershipInterval, "mcast_membership_intvl", "mcast_membership_interval"),
        (MulticastQuerierInterval, "mcast_querier_intvl", "mcast_querier_interval"),
        (MulticastQueryInterval, "mcast_query_intvl", "mcast_query_interval"),
        (MulticastQueryResponseInterval, "mcast_query_response_intvl", "mcast_query_response_interval"),
        (MulticastStartupQueryInterval, "mcast_startup_query_intvl", "mcast_startup_query_interval"),
    );
    bytes!((MulticastStatsEnabled, "mcast_stats_enabled"));
    numbers!(
        (MulticastIgmpVersion, "mcast_igmp_version", "mcast_igmp_version"),
        (MulticastMldVersion, "mcast_mld_version", "mcast_mld_version"),
    );
    bytes!(
        (NfCallIpTables, "nf_call_iptables"),
        (NfCallIp6Tables, "nf_call_ip6tables"),
        (NfCallArpTables, "nf_call_arptables"),
    );
}

/// A timer in hundredths of a second (`USER_HZ`).
pub(super) fn print_timer(context: &mut Context<'_>, key: &str, ticks: u64) {
    let (seconds, hundredths) = (ticks / 100, ticks % 100);
    context.print.json(key, crate::iproute2::Value::Raw(&format!("{seconds}.{hundredths:02}")));
    context.print.text(format_args!("{key} {seconds:>4}.{hundredths:02} "));
}

/// Priority and address; the bytes of the address lack leading zeros.
pub(super) fn format_bridge_id(id: &BridgeId) -> String {
    let address: Vec<String> = id.address.iter().map(|byte| format!("{byte:x}")).collect();
    format!("{:04x}.{}", id.priority, address.join(":"))
}

/// `%#x` of C: zero has no prefix.
pub(super) fn hexadecimal(value: u16) -> String {
    if value == 0 { "0".to_owned() } else { format!("{value:#x}") }
}
