//! `type bond` and `type bond_slave`

use hairpin_netlink::core::DefaultNla;
use hairpin_netlink::route::link::{BondAdInfo, InfoBond, InfoBondPort};

use super::help;
use crate::ip::link::lladdr;
use crate::iproute2::inet::{AF_INET6, get_addr, parse_addr};
use crate::iproute2::layer::format_lladdr;
use crate::iproute2::number::{get_i32, get_u8, get_u16, get_u32};
use crate::iproute2::{Args, Context, Stop, Value as Json, find, matches};

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const IFLA_BOND_USE_CARRIER: u16 = 6;
const IFLA_BOND_AD_ACTOR_SYSTEM: u16 = 26;
const IFLA_BOND_TLB_DYNAMIC_LB: u16 = 27;

/// The most addresses that a bond watches.
const TARGETS_MAX: usize = 16;

const MODES: &[&str] =
    &["balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb"];
const ARP_VALIDATE: &[&str] =
    &["none", "active", "backup", "all", "filter", "filter_active", "filter_backup"];
const ARP_ALL_TARGETS: &[&str] = &["any", "all"];
const PRIMARY_RESELECT: &[&str] = &["always", "better", "failure"];
const FAIL_OVER_MAC: &[&str] = &["none", "active", "follow"];
const HASH_POLICIES: &[&str] = &["layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac"];
const LACP_ACTIVE: &[&str] = &["off", "on"];
const LACP_RATES: &[&str] = &["slow", "fast"];
const AD_SELECT: &[&str] = &["stable", "bandwidth", "count"];

/// How the value of an option is read.
enum Value {
    U8(fn(u8) -> InfoBond),
    U16(fn(u16) -> InfoBond),
    U32(fn(u32) -> InfoBond),
    /// A word of a list, or its place in it.
    Word(&'static [&'static str], fn(u8) -> InfoBond),
    Port(fn(u32) -> InfoBond),
    NoPort,
    ArpTargets,
    NsTargets,
    System,
}

/// Options in the order in which abbreviations are resolved, and whether they can be abbreviated.
const OPTIONS: &[(&str, bool, Value)] = &[
    ("mode", true, Value::Word(MODES, |value| InfoBond::Mode(value.into()))),
    ("active_slave", true, Value::Port(InfoBond::ActivePort)),
    ("clear_active_slave", true, Value::NoPort),
    ("miimon", true, Value::U32(InfoBond::MiiMon)),
    ("updelay", true, Value::U32(InfoBond::UpDelay)),
    ("downdelay", true, Value::U32(InfoBond::DownDelay)),
    ("peer_notify_delay", true, Value::U32(InfoBond::PeerNotifDelay)),
    ("use_carrier", true, Value::U8(|value| raw(IFLA_BOND_USE_CARRIER, value))),
    ("arp_interval", true, Value::U32(InfoBond::ArpInterval)),
    ("arp_ip_target", true, Value::ArpTargets),
    ("ns_ip6_target", false, Value::NsTargets),
    ("arp_validate", true, Value::Word(ARP_VALIDATE, |value| InfoBond::ArpValidate(u32::from(value).into()))),
    (
        "arp_all_targets",
        true,
        Value::Word(ARP_ALL_TARGETS, |value| InfoBond::ArpAllTargets(u32::from(value).into())),
    ),
    ("arp_missed_max", false, Value::U8(InfoBond::MissedMax)),
    ("primary", true, Value::Port(InfoBond::Primary)),
    (
        "primary_reselect",
        true,
        Value::Word(PRIMARY_RESELECT, |value| InfoBond::PrimaryReselect(value.into())),
    ),
    ("fail_over_mac", true, Value::Word(FAIL_OVER_MAC, |value| InfoBond::FailOverMac(value.into()))),
    ("xmit_hash_policy", true, Value::Word(HASH_POLICIES, |value| InfoBond::XmitHashPolicy(value.into()))),
    ("resend_igmp", true, Value::U32(InfoBond::ResendIgmp)),
    ("num_grat_arp", true, Value::U8(InfoBond::NumPeerNotif)),
    ("num_unsol_na", true, Value::U8(InfoBond::NumPeerNotif)),
    ("all_slaves_active", true, Value::U8(|value| InfoBond::AllPortsActive(value.into()))),
    ("min_links", true, Value::U32(InfoBond::MinLinks)),
    ("lp_interval", true, Value::U32(InfoBond::LpInterval)),
    ("packets_per_slave", true, Value::U32(InfoBond::PacketsPerPort)),
    ("lacp_rate", true, Value::Word(LACP_RATES, |value| InfoBond::AdLacpRate(value.into()))),
    ("lacp_active", false, Value::Word(LACP_ACTIVE, |value| InfoBond::AdLacpActive(value != 0))),
    ("ad_select", true, Value::Word(AD_SELECT, |value| InfoBond::AdSelect(value.into()))),
    ("ad_user_port_key", true, Value::U16(InfoBond::AdUserPortKey)),
    ("ad_actor_sys_prio", true, Value::U16(InfoBond::AdActorSysPrio)),
    ("ad_actor_system", true, Value::System),
    ("tlb_dynamic_lb", true, Value::U8(|value| raw(IFLA_BOND_TLB_DYNAMIC_LB, value))),
];

pub(super) fn parse(context: &mut Context<'_>, args: &mut Args<'_>) -> Result<Vec<InfoBond>, Stop> {
    let mut options = Vec::new();
    while let Some(word) = args.take() {
        let known = OPTIONS
            .iter()
            .find(|(name, abbreviable, _)| word == *name || *abbreviable && matches(word, name));
        let Some((name, _, value)) = known else {
            let text = help("bond").unwrap_or_default();
            return Err(if matches(word, "help") {
                Stop::fail(1, text)
            } else {
                Stop::fail(1, format!("bond: unknown command \"{word}\"?\n{text}"))
            });
        };
        match value {
            Value::NoPort => {
                options.push(InfoBond::ActivePort(0));
                continue;
            }
            // These two may end the command line.
            Value::ArpTargets => {
                options.push(InfoBond::ArpIpTarget(arp_targets(args.take())?));
                continue;
            }
            Value::NsTargets => {
                options.push(InfoBond::NsIp6Target(ns_targets(args.take())?));
                continue;
            }
            _ => {}
        }
        let word = args.value()?;
        let shown = if name.starts_with("num_") { "num_grat_arp|num_unsol_na" } else { name };
        let invalid = || Stop::invarg(&format!("invalid {shown}"), word);
        options.push(match value {
            Value::U8(make) => make(get_u8(word, 0).ok_or_else(invalid)?),
            Value::U16(make) => make(get_u16(word, 0).ok_or_else(invalid)?),
            Value::U32(make) => make(get_u32(word, 0).ok_or_else(invalid)?),
            Value::Word(words, make) => make(index(words, word).ok_or_else(invalid)?),
            Value::Port(make) => make(context.require_link(word)?),
            Value::System => actor_system(lladdr(word)?),
            Value::NoPort | Value::ArpTargets | Value::NsTargets => continue,
        });
    }
    Ok(options)
}

/// A number that the kernel is to judge, be it neither 0 nor 1.
fn raw(kind: u16, value: u8) -> InfoBond {
    InfoBond::Other(DefaultNla::new(kind, vec![value]))
}

/// A number within the list, or one of its words.
fn index(words: &[&str], word: &str) -> Option<u8> {
    let number = get_i32(word, 10).and_then(|number| usize::try_from(number).ok());
    let at = number.filter(|at| *at < words.len()).or_else(|| words.iter().position(|w| *w == word));
    at.and_then(|at| u8::try_from(at).ok())
}

fn arp_targets(list: Option<&str>) -> Result<Vec<Ipv4Addr>, Stop> {
    let words = list.unwrap_or_default().split(',').filter(|word| !word.is_empty()).take(TARGETS_MAX);
    words
        .map(|word| match parse_addr(word, 2).map(|prefix| prefix.address) {
            Some(Some(IpAddr::V4(address))) => Ok(address),
            Some(_) => Ok(Ipv4Addr::UNSPECIFIED),
            None => Err(Stop::exit(1, format!("Error: an IP address is expected rather than \"{word}\"\n"))),
        })
        .collect()
}

fn ns_targets(list: Option<&str>) -> Result<Vec<Ipv6Addr>, Stop> {
    let words = list.unwrap_or_default().split(',').filter(|word| !word.is_empty()).take(TARGETS_MAX);
    words
        .map(|word| match get_addr(word, AF_INET6)?.address {
            Some(IpAddr::V6(address)) => Ok(address),
            _ => Ok(Ipv6Addr::UNSPECIFIED),
        })
        .collect()
}

fn actor_system(address: Vec<u8>) -> InfoBond {
    match <[u8; 6]>::try_from(address.as_slice()) {
        Ok(address) => InfoBond::AdActorSystem(address),
        Err(_) => InfoBond::Other(DefaultNla::new(IFLA_BOND_AD_ACTOR_SYSTEM, address)),
    }
}

pub(super) fn print(context: &mut Context<'_>, options: &[InfoBond]) {
    macro_rules! numbers {
        ($(($variant:ident, $key:literal, $text:literal)),* $(,)?) => {
            $(if let Some(value) = find!(options, InfoBond::$variant) {
                context.print.any($key, *value, format_args!(concat!($text, " {} "), value));
            })*
        };
    }
    macro_rules! words {
        ($(($variant:ident, $number:ty, $words:ident, $key:literal, $text:literal)),* $(,)?) => {
            $(if let Some(value) = find!(options, InfoBond::$variant) {
                let word = name($words, <$number>::from(*value).into());
                context.print.any($key, word, format_args!(concat!($text, " {} "), word));
            })*
        };
    }
    macro_rules! switches {
        ($(($variant:ident, $key:literal)),* $(,)?) => {
            $(if let Some(value) = find!(options, InfoBond::$variant) {
                let value = u8::from(*value);
                context.print.any($key, value, format_args!(concat!($key, " {} "), value));
            })*
        };
    }
    words!((Mode, u8, MODES, "mode", "mode"));
    print_port_name(context, "active_slave", find!(options, InfoBond::ActivePort));
    numbers!(
        (MiiMon, "miimon", "miimon"),
        (UpDelay, "updelay", "updelay"),
        (DownDelay, "downdelay", "downdelay"),
        (PeerNotifDelay, "peer_notify_delay", "peer_notify_delay"),
    );
    switches!((UseCarrier, "use_carrier"));
    numbers!((ArpInterval, "arp_interval", "arp_interval"), (MissedMax, "arp_missed_max", "arp_missed_max"),);
    if let Some(targets) = find!(options, InfoBond::ArpIpTarget) {
        print_targets(context, "arp_ip_target", targets.iter().map(ToString::to_string).collect());
    }
    if let Some(targets) = find!(options, InfoBond::NsIp6Target) {
        print_targets(context, "ns_ip6_target", targets.iter().map(ToString::to_string).collect());
    }
    if let Some(validate) = find!(options, InfoBond::ArpValidate) {
        let number = u32::from(*validate);
        let word = name(ARP_VALIDATE, number);
        let json = if number == 0 { Json::Null } else { Json::String(word) };
        context.print.any("arp_validate", json, format_args!("arp_validate {word} "));
    }
    words!((ArpAllTargets, u32, ARP_ALL_TARGETS, "arp_all_targets", "arp_all_targets"));
    print_port_name(context, "primary", find!(options, InfoBond::Primary));
    words!(
        (PrimaryReselect, u8, PRIMARY_RESELECT, "primary_reselect", "primary_reselect"),
        (FailOverMac, u8, FAIL_OVER_MAC, "fail_over_mac", "fail_over_mac"),
        (XmitHashPolicy, u8, HASH_POLICIES, "xmit_hash_policy", "xmit_hash_policy"),
    );
    numbers!((ResendIgmp, "resend_igmp", "resend_igmp"), (NumPeerNotif, "num_peer_notif", "num_grat_arp"),);
    switches!((AllPortsActive, "all_slaves_active"));
    numbers!(
        (MinLinks, "min_links", "min_links"),
        (LpInterval, "lp_interval", "lp_interval"),
        (PacketsPerPort, "packets_per_slave", "packets_per_slave"),
    );
    words!(
        (AdLacpActive, u8, LACP_ACTIVE, "ad_lacp_active", "lacp_active"),
        (AdLacpRate, u8, LACP_RATES, "ad_lacp_rate", "lacp_rate"),
        (AdSelect, u8, AD_SELECT, "ad_select", "ad_select"),
    );
    if let Some(info) = find!(options, InfoBond::AdInfo) {
        print_aggregation(context, info);
    }
    numbers!(
        (AdActorSysPrio, "ad_actor_sys_prio", "ad_actor_sys_prio"),
        (AdUserPortKey, "ad_user_port_key", "ad_user_port_key"),
    );
    if let Some(address) = find!(options, InfoBond::AdActorSystem) {
        let address = format_lladdr(address, 1);
        context.print.any("ad_actor_system", &address, format_args!("ad_actor_system {address} "));
    }
    switches!((TlbDynamicLb, "tlb_dynamic_lb"));
}

fn name(words: &'static [&'static str], number: u32) -> &'static str {
    words.get(number as usize).copied().unwrap_or("UNKNOWN")
}

fn print_port_name(context: &mut Context<'_>, key: &str, index: Option<&u32>) {
    if let Some(index) = index.filter(|index| **index != 0) {
        let name = context.link_name(*index);
        context.print.any(key, &name, format_args!("{key} {name} "));
    }
}

fn print_targets(context: &mut Context<'_>, key: &str, targets: Vec<String>) {
    if targets.is_empty() {
        return;
    }
    let print = &mut context.print;
    print.open_array(Some(key));
    print.text(format_args!("{key} "));
    for (at, target) in targets.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        print.item(target, format_args!("{comma}{target}"));
    }
    print.text(format_args!(" "));
    print.close_array();
}

fn print_aggregation(context: &mut Context<'_>, info: &[BondAdInfo]) {
    let print = &mut context.print;
    print.open_object(Some("ad_info"));
    for (key, value) in [
        ("aggregator", find!(info, BondAdInfo::Aggregator)),
        ("num_ports", find!(info, BondAdInfo::NumPorts)),
        ("actor_key", find!(info, BondAdInfo::ActorKey)),
        ("partner_key", find!(info, BondAdInfo::PartnerKey)),
    ] {
        if let Some(value) = value {
            print.any(key, *value, format_args!("ad_{key} {value} "));
        }
    }
    if let Some(address) = find!(info, BondAdInfo::PartnerMac) {
        let address = format_lladdr(address, 1);
        print.any("partner_mac", &address, format_args!("ad_partner_mac {address} "));
    }
    print.close_object();
}

pub(super) fn parse_port(args: &mut Args<'_>) -> Result<Vec<InfoBondPort>, Stop> {
    let mut options = Vec::new();
    while let Some(word) = args.take() {
        if matches(word, "queue_id") {
            let word = args.value()?;
            let id = get_u16(word, 0).ok_or_else(|| Stop::invarg("queue_id is invalid", word))?;
            options.push(InfoBondPort::QueueId(id));
        } else if word == "prio" {
            let word = args.value()?;
            let priority = get_i32(word, 0).ok_or_else(|| Stop::invarg("prio is invalid", word))?;
            options.push(InfoBondPort::Prio(priority));
        } else {
            let text = help("bond_slave").unwrap_or_default();
            return Err(if matches(word, "help") {
                Stop::fail(1, text)
            } else {
                Stop::fail(1, format!("bond_slave: unknown option \"{word}\"?\n{text}"))
            });
        }
    }
    Ok(options)
}

pub(super) fn print_port(context: &mut Context<'_>, options: &[InfoBondPort]) {
    let print = &mut context.print;
    if let Some(state) = find!(options, InfoBondPort::BondPortState) {
        let state = u8::from(*state);
        match ["ACTIVE", "BACKUP"].get(usize::from(state)) {
            Some(name) => print.any("state", *name, format_args!("state {name} ")),
            None => print.any("state_index", state, format_args!("state {state} ")),
        }
    }
    if let Some(status) = find!(options, InfoBondPort::MiiStatus) {
        let status = u8::from(*status);
        match ["UP", "GOING_DOWN", "DOWN", "GOING_BACK"].get(usize::from(status)) {
            Some(name) => print.any("mii_status", *name, format_args!("mii_status {name} ")),
            None => print.any("mii_status_index", status, format_args!("mii_status {status} ")),
        }
    }
    if let Some(count) = find!(options, InfoBondPort::LinkFailureCount) {
        print.any("link_failure_count", *count, format_args!("link_failure_count {count} "));
    }
    if let Some(address) = find!(options, InfoBondPort::PermHwaddr) {
        let address = format_lladdr(address, 1);
        print.any("perm_hwaddr", &address, format_args!("perm_hwaddr {address} "));
    }
    if let Some(id) = find!(options, InfoBondPort::QueueId) {
        print.any("queue_id", *id, format_args!("queue_id {id} "));
    }
    if let Some(priority) = find!(options, InfoBondPort::Prio) {
        print.any("prio", *priority, format_args!("prio {priority} "));
    }
    if let Some(id) = find!(options, InfoBondPort::AdAggregatorId) {
        print.any("ad_aggregator_id", *id, format_args!("ad_aggregator_id {id} "));
    }
    for (key, text, state) in [
        (
            "ad_actor_oper_port_state",
            "ad_actor_oper_port_state_str",
            find!(options, InfoBondPort::AdActorOperPortState),
        ),
        (
            "ad_partner_oper_port_state",
            "ad_partner_oper_port_state_str",
            find!(options, InfoBondPort::AdPartnerOperPortState),
        ),
    ] {
        if let Some(state) = state {
            print_lacp_state(context, key, text, state.bits());
        }
    }
}

fn print_lacp_state(context: &mut Context<'_>, key: &str, words_key: &str, state: u8) {
    const WORDS: &[&str] = &[
        "active",
        "short_timeout",
        "aggregating",
        "in_sync",
        "collecting",
        "distributing",
        "defaulted",
        "expired",
    ];
    let print = &mut context.print;
    print.any(key, state, format_args!("{key} {state} "));
    // iproute2 prints the key of the list as text too.
    print.open_array(Some(words_key));
    print.text(format_args!("{words_key} <"));
    let mut rest = state;
    for (bit, word) in WORDS.iter().enumerate() {
        if rest & (1 << bit) != 0 {
            rest &= !(1 << bit);
            let comma = if rest == 0 { "" } else { "," };
            print.item(*word, format_args!("{word}{comma}"));
        }
    }
    print.close_array();
    print.text(format_args!("> "));
}
