//! `bonding/*` of a bond, `bonding_slave/*` of a slave, and `bonding_masters`
//! (drivers/net/bonding/bond_sysfs.c, bond_sysfs_slave.c of Linux 6.1).

use std::fmt::Display;

use hairpin_netlink::Errno;
use hairpin_netlink::route::link::LinkEvent;

use super::attribute::{Attribute, Seen, Store, file, line};
use crate::control::bond::OptionValue;
use crate::dev::Kind;
use crate::dev::bond::lacp::AdInfo;
use crate::dev::bond::options::{Mode, Opt, Params};
use crate::dev::bond::{Bond, Slave};
use crate::device::DevId;
use crate::netns::NsId;
use crate::world::World;

/// The file that lists, makes and deletes bonds.
pub(super) const MASTERS: &str = "bonding_masters";

/// A file that shows a number.
macro_rules! number {
    ($name:literal, $option:ident, $value:expr) => {
        file($name, |seen| show(seen, $value), Store::Bond(Opt::$option))
    };
}

/// A file that shows a word and its number.
macro_rules! word {
    ($name:literal, $option:ident, $value:expr) => {
        file($name, |seen| words(seen, Opt::$option, $value), Store::Bond(Opt::$option))
    };
}

pub(super) const ATTRIBUTES: &[Attribute] = &[
    file("active_slave", active, Store::Bond(Opt::ActiveSlave)),
    file("ad_actor_key", |seen| aggregated(seen, |info| info.map_or(0, |info| info.actor_key)), READ_ONLY),
    file(
        "ad_actor_sys_prio",
        |seen| of_lacp(seen, |bond| bond.params.ad_actor_sys_prio),
        Store::Bond(Opt::AdActorSysPrio),
    ),
    file(
        "ad_actor_system",
        |seen| of_lacp(seen, |bond| bond.params.ad_actor_system),
        Store::Bond(Opt::AdActorSystem),
    ),
    file("ad_aggregator", |seen| aggregated(seen, |info| info.map_or(0, |info| info.aggregator)), READ_ONLY),
    file("ad_num_ports", |seen| aggregated(seen, |info| info.map_or(0, |info| info.ports)), READ_ONLY),
    file(
        "ad_partner_key",
        |seen| aggregated(seen, |info| info.map_or(0, |info| info.partner_key)),
        READ_ONLY,
    ),
    file("ad_partner_mac", partner_mac, READ_ONLY),
    word!("ad_select", AdSelect, |params| params.ad_select),
    file(
        "ad_user_port_key",
        |seen| of_lacp(seen, |bond| bond.params.ad_user_port_key),
        Store::Bond(Opt::AdUserPortKey),
    ),
    number!("all_slaves_active", AllSlavesActive, |params| u8::from(params.all_slaves_active)),
    word!("arp_all_targets", ArpAllTargets, |params| params.arp_all_targets),
    number!("arp_interval", ArpInterval, |params| params.arp_interval),
    file("arp_ip_target", targets, Store::Bond(Opt::ArpTargets)),
    number!("arp_missed_max", MissedMax, |params| params.missed_max),
    word!("arp_validate", ArpValidate, |params| params.arp_validate),
    number!("downdelay", DownDelay, |params| params.downdelay.saturating_mul(params.miimon)),
    word!("fail_over_mac", FailOverMac, |params| params.fail_over_mac),
    word!("lacp_active", LacpActive, |params| u8::from(params.lacp_active)),
    word!("lacp_rate", LacpRate, |params| u8::from(params.lacp_fast)),
    number!("lp_interval", LpInterval, |params| params.lp_interval),
    file("mii_status", |seen| line(if seen.device.carrier { "up" } else { "down" }), READ_ONLY),
    number!("miimon", MiiMon, |params| params.miimon),
    number!("min_links", MinLinks, |params| params.min_links),
    word!("mode", Mode, |params| params.mode as u8),
    number!("num_grat_arp", NumPeerNotif, |params| params.num_peer_notif),
    number!("num_unsol_na", NumPeerNotif, |params| params.num_peer_notif),
    number!("packets_per_slave", PacketsPerSlave, |params| params.packets_per_slave),
    number!("peer_notif_delay", PeerNotifDelay, |params| params
        .peer_notif_delay
        .saturating_mul(params.miimon)),
    file("primary", |seen| named(seen, bond(seen)?.primary), Store::Bond(Opt::Primary)),
    word!("primary_reselect", PrimaryReselect, |params| params.primary_reselect),
    file("queue_id", |seen| listed(seen, |slave, name| format!("{name}:{}", slave.queue_id)), QUEUE),
    number!("resend_igmp", ResendIgmp, |params| params.resend_igmp),
    file("slaves", |seen| listed(seen, |_, name| name.to_owned()), Store::Bond(Opt::Slaves)),
    number!("tlb_dynamic_lb", TlbDynamicLb, |params| u8::from(params.tlb_dynamic_lb)),
    number!("updelay", UpDelay, |params| params.updelay.saturating_mul(params.miimon)),
    number!("use_carrier", UseCarrier, |params| params.use_carrier),
    word!("xmit_hash_policy", XmitHash, |params| params.hash_policy),
];

const READ_ONLY: Store = Store::ReadOnly;
const QUEUE: Store = Store::Bond(Opt::QueueId);

/// `bonding_slave/*`
pub(super) const SLAVE: &[Attribute] = &[
    file("ad_actor_oper_port_state", |seen| port(seen, |slave, _| slave.ad.port.state.into()), READ_ONLY),
    file("ad_aggregator_id", |seen| port(seen, |_, aggregator| aggregator), READ_ONLY),
    file(
        "ad_partner_oper_port_state",
        |seen| port(seen, |slave, _| slave.ad.port.partner.state.into()),
        READ_ONLY,
    ),
    file("link_failure_count", |seen| line(slave(seen)?.1.failures), READ_ONLY),
    file("mii_status", |seen| line(slave(seen)?.1.link.name()), READ_ONLY),
    file("perm_hwaddr", |seen| line(slave(seen)?.1.permanent_mac), READ_ONLY),
    file("queue_id", |seen| line(slave(seen)?.1.queue_id), READ_ONLY),
    file("state", |seen| line(if slave(seen)?.1.backup { "backup" } else { "active" }), READ_ONLY),
];

fn bond<'a>(seen: &Seen<'a>) -> Result<&'a Bond, Errno> {
    match &seen.device.kind {
        Kind::Bond(bond) => Ok(bond),
        _ => Err(Errno::EINVAL),
    }
}

fn show<T: Display>(seen: &Seen<'_>, value: impl Fn(&Params) -> T) -> Result<String, Errno> {
    line(value(&bond(seen)?.params))
}

fn words(seen: &Seen<'_>, option: Opt, value: impl Fn(&Params) -> u8) -> Result<String, Errno> {
    let number = value(&bond(seen)?.params);
    line(format_args!("{} {number}", option.word(number)))
}

/// A device's name; nothing at all without one.
fn named(seen: &Seen<'_>, dev: Option<DevId>) -> Result<String, Errno> {
    let device = dev.and_then(|dev| seen.world.devs.get(dev));
    Ok(device.map(|device| format!("{}\n", device.name)).unwrap_or_default())
}

fn active(seen: &Seen<'_>) -> Result<String, Errno> {
    let bond = bond(seen)?;
    named(seen, bond.active.filter(|_| bond.params.mode.uses_primary()))
}

/// Words in a line; nothing at all without one.
fn joined(words: &[String]) -> String {
    if words.is_empty() { String::new() } else { format!("{}\n", words.join(" ")) }
}

fn listed(seen: &Seen<'_>, word: impl Fn(&Slave, &str) -> String) -> Result<String, Errno> {
    let slaves = bond(seen)?.slaves.iter();
    let words = slaves.filter_map(|slave| Some(word(slave, &seen.world.devs.get(slave.dev)?.name)));
    Ok(joined(&words.collect::<Vec<_>>()))
}

fn targets(seen: &Seen<'_>) -> Result<String, Errno> {
    let targets: Vec<String> = bond(seen)?.params.arp_targets.iter().map(ToString::to_string).collect();
    Ok(joined(&targets))
}

/// What only 802.3ad has: the file is empty in other modes.
fn of_lacp<T: Display>(seen: &Seen<'_>, value: impl Fn(&Bond) -> T) -> Result<String, Errno> {
    let bond = bond(seen)?;
    if bond.params.mode == Mode::Lacp { line(value(bond)) } else { Ok(String::new()) }
}

fn aggregated(seen: &Seen<'_>, value: impl Fn(Option<AdInfo>) -> u16) -> Result<String, Errno> {
    of_lacp(seen, |bond| value(bond.ad_info()))
}

fn partner_mac(seen: &Seen<'_>) -> Result<String, Errno> {
    let bond = bond(seen)?;
    let info = bond.ad_info().filter(|_| bond.params.mode == Mode::Lacp);
    Ok(info.map(|info| format!("{}\n", info.partner_system)).unwrap_or_default())
}

fn slave<'a>(seen: &Seen<'a>) -> Result<(&'a Bond, &'a Slave), Errno> {
    let bond = seen.device.master.and_then(|master| seen.world.bond(master)).ok_or(Errno::EINVAL)?;
    Ok((bond, bond.slave(seen.device.id).ok_or(Errno::EINVAL)?))
}

fn port(seen: &Seen<'_>, value: impl Fn(&Slave, u16) -> u16) -> Result<String, Errno> {
    let (bond, slave) = slave(seen)?;
    let joined = slave.ad.port.aggregator.filter(|_| bond.params.mode == Mode::Lacp);
    match joined.and_then(|dev| bond.slave(dev)) {
        Some(owner) => line(value(slave, owner.ad.aggregator.id)),
        None => line("N/A"),
    }
}

fn bonds(world: &World, ns: NsId) -> impl Iterator<Item = (&str, DevId)> {
    let bonds = world.devices_of(ns).filter(|device| matches!(device.kind, Kind::Bond(_)));
    bonds.map(|device| (device.name.as_str(), device.id))
}

/// Whether the list of bonds is there to be seen: once there is a bond, as the driver's module comes with it.
pub(super) fn has_bonds(world: &World, ns: NsId) -> bool {
    bonds(world, ns).next().is_some()
}

/// `bonding_show_bonds`
pub(super) fn masters(world: &World, ns: NsId) -> String {
    joined(&bonds(world, ns).map(|(name, _)| name.to_owned()).collect::<Vec<_>>())
}

/// `bonding_store_bonds`: `+NAME` makes a bond, `-NAME` deletes one.
///
/// # Errors
/// `EPERM` for anything else; `EEXIST`, `ENODEV`
pub(super) fn change_masters(world: &mut World, ns: NsId, data: &[u8]) -> Result<(), Errno> {
    let text = std::str::from_utf8(data).map_err(|_| Errno::EPERM)?;
    let word = text.split_whitespace().next().unwrap_or("");
    let name = word.get(1..).filter(|name| crate::control::register::valid_name(name));
    match (word.as_bytes().first(), name) {
        (Some(b'+'), Some(name)) => world.create_bond_named(ns, name).map_err(|failure| failure.errno),
        (Some(b'-'), Some(name)) => {
            let found = bonds(world, ns).find(|(known, _)| *known == name).map(|(_, dev)| dev);
            world.unregister(found.ok_or(Errno::ENODEV)?);
            Ok(())
        }
        _ => Err(Errno::EPERM),
    }
}

/// Writing a file of `bonding/`.
///
/// # Errors
/// What the option answers.
pub(super) fn set(world: &mut World, dev: DevId, option: Opt, data: &[u8]) -> Result<(), Errno> {
    let text = std::str::from_utf8(data).map_err(|_| Errno::EINVAL)?;
    let outcome = world.set_bond_option(dev, option, OptionValue::Text(text));
    outcome.map_err(|failure| failure.errno)?;
    // `NETDEV_CHANGEINFODATA`
    world.notify_link_event(dev, LinkEvent::BondingOptions);
    Ok(())
}
