//! `brport/*` of a bridge's port (net/bridge/br_sysfs_if.c of Linux 6.1).

use std::fmt::Display;

use hairpin_netlink::Errno;

use super::attribute::{Attribute, Seen, Store, file, line, write_only};
use super::bridge;
use super::netlink::{self, Nest};
use crate::dev::bridge::{Bridge, BridgePort, PortFlags};
use crate::dev::{Kind, RxHandler};
use crate::device::{DevId, Device};
use crate::rtnl::link::info::{expiry, timer_left};
use crate::time::Time;
use crate::world::World;

const fn number(kind: u16, bytes: usize) -> Store {
    Store::Number { nest: Nest::Port, kind, bytes }
}

const fn switch(kind: u16) -> Store {
    Store::Switch { nest: Nest::Port, kind }
}

/// A file that shows and switches one flag.
macro_rules! flag {
    ($name:literal, $kind:literal, $flag:ident) => {
        file($name, |seen| show(seen, |port| u8::from(port.has(PortFlags::$flag))), switch($kind))
    };
}

/// The netlink attribute of each file that can be written is its `IFLA_BRPORT_*`.
pub(super) const ATTRIBUTES: &[Attribute] = &[
    file("backup_port", backup, Store::CallText(set_backup)),
    flag!("bpdu_guard", 5, BPDU_GUARD),
    flag!("broadcast_flood", 30, BCAST_FLOOD),
    file("change_ack", |seen| show(seen, |port| u8::from(port.topology_change_ack)), Store::ReadOnly),
    file("config_pending", |seen| show(seen, |port| u8::from(port.config_pending)), Store::ReadOnly),
    file("designated_bridge", |seen| show(seen, |port| bridge::id(port.branch.bridge)), Store::ReadOnly),
    file("designated_cost", |seen| show(seen, |port| port.branch.cost), Store::ReadOnly),
    file("designated_port", |seen| show(seen, |port| port.branch.port), Store::ReadOnly),
    file("designated_root", |seen| show(seen, |port| bridge::id(port.branch.root)), Store::ReadOnly),
    write_only("flush", switch(24)),
    file(
        "forward_delay_timer",
        |seen| timer(seen, |port| expiry(port.branch.forward_delay)),
        Store::ReadOnly,
    ),
    file("group_fwd_mask", |seen| show(seen, |port| format!("{:#x}", port.group_fwd_mask)), number(31, 2)),
    flag!("hairpin_mode", 4, HAIRPIN),
    file("hold_timer", |seen| timer(seen, |port| expiry(port.branch.hold)), Store::ReadOnly),
    flag!("isolated", 33, ISOLATED),
    flag!("learning", 8, LEARNING),
    file("message_age_timer", |seen| timer(seen, |port| expiry(port.branch.message_age)), Store::ReadOnly),
    flag!("multicast_fast_leave", 7, FAST_LEAVE),
    flag!("multicast_flood", 27, MCAST_FLOOD),
    file("multicast_router", |seen| show(seen, |port| port.mcast_router), number(25, 1)),
    flag!("multicast_to_unicast", 28, MULTICAST_TO_UNICAST),
    flag!("neigh_suppress", 32, NEIGH_SUPPRESS),
    file("path_cost", |seen| show(seen, |port| port.cost), number(3, 4)),
    file("port_id", |seen| show(seen, |port| format!("{:#x}", port.id())), Store::ReadOnly),
    file("port_no", |seen| show(seen, |port| format!("{:#x}", port.number)), Store::ReadOnly),
    file("priority", |seen| show(seen, |port| port.priority), number(2, 2)),
    flag!("proxyarp", 10, PROXY_ARP),
    flag!("proxyarp_wifi", 12, PROXY_ARP_WIFI),
    flag!("root_block", 6, ROOT_BLOCK),
    file("state", |seen| show(seen, |port| port.state as u8), Store::ReadOnly),
    flag!("unicast_flood", 9, FLOOD),
];

/// The bridge that a device is a port of, and the port.
fn of<'a>(seen: &Seen<'a>) -> Option<(&'a Device, &'a Bridge, &'a BridgePort)> {
    let RxHandler::BridgePort { bridge } = seen.device.rx_handler else { return None };
    let master = seen.world.devs.get(bridge)?;
    match &master.kind {
        Kind::Bridge(bridge) => Some((master, bridge, bridge.port(seen.device.id)?)),
        _ => None,
    }
}

fn show<T: Display>(seen: &Seen<'_>, value: impl Fn(&BridgePort) -> T) -> Result<String, Errno> {
    let (_, _, port) = of(seen).ok_or(Errno::EINVAL)?;
    line(value(port))
}

fn timer(seen: &Seen<'_>, timer: impl Fn(&BridgePort) -> Option<Time>) -> Result<String, Errno> {
    show(seen, |port| timer_left(timer(port), seen.world.now))
}

const BACKUP_PORT: u16 = 34;

/// `store_backup_port`: by name; nothing takes it away.
fn set_backup(world: &mut World, dev: DevId, name: &str) -> Result<(), Errno> {
    let ns = world.devs.get(dev).ok_or(Errno::ENODEV)?.ns;
    let index = match name {
        "" => 0,
        name => world.devices_of(ns).find(|device| device.name == name).ok_or(Errno::ENOENT)?.ifindex,
    };
    netlink::set(world, dev, Nest::Port, BACKUP_PORT, &index.to_ne_bytes())
}

fn backup(seen: &Seen<'_>) -> Result<String, Errno> {
    let (_, _, port) = of(seen).ok_or(Errno::EINVAL)?;
    let backup = port.backup.and_then(|backup| seen.world.devs.get(backup));
    Ok(backup.map(|backup| format!("{}\n", backup.name)).unwrap_or_default())
}
