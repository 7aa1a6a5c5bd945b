//! `bridge/*` of a bridge (net/bridge/br_sysfs_br.c of Linux 6.1). Times are in `USER_HZ` ticks of 10 ms.

use std::time::Duration;

use hairpin_netlink::Errno;

use super::attribute::{Attribute, Seen, Store, binary, file, line, write_only};
use super::netlink::{self, Nest};
use crate::dev::Kind;
use crate::dev::bridge::{Bridge, stp};
use crate::device::DevId;
use crate::rtnl::link::info::{expiry, long_ticks, multicast, timer_left};
use crate::time::Time;
use crate::world::World;

const fn number(kind: u16, bytes: usize) -> Store {
    Store::Number { nest: Nest::Bridge, kind, bytes }
}

const fn switch(kind: u16) -> Store {
    Store::Switch { nest: Nest::Bridge, kind }
}

/// The netlink attribute of each file that can be written is its `IFLA_BR_*`.
pub(super) const ATTRIBUTES: &[Attribute] = &[
    file("ageing_time", |seen| show(seen, |bridge| ticks(bridge.ageing)), number(4, 4)),
    file("bridge_id", |seen| show(seen, |bridge| id(bridge.tree.id)), Store::ReadOnly),
    file("default_pvid", |seen| show(seen, |bridge| bridge.default_pvid), Store::Call(set_default_pvid)),
    write_only("flush", switch(21)),
    file("forward_delay", |seen| show(seen, |bridge| ticks(bridge.tree.forward_delay)), number(1, 4)),
    file("gc_timer", |seen| timer(seen, |bridge| bridge.next_ageing(seen.world.now)), Store::ReadOnly),
    file(
        "group_addr",
        |seen| show(seen, |bridge| bridge.group_addr),
        Store::Mac { nest: Nest::Bridge, kind: 20 },
    ),
    file("group_fwd_mask", |seen| show(seen, |bridge| format!("{:#x}", bridge.group_fwd_mask)), number(9, 2)),
    file("hash_elasticity", |_| line(multicast::HASH_ELASTICITY), number(26, 4)),
    file("hash_max", |seen| show(seen, |bridge| bridge.snooping.hash_max), number(27, 4)),
    file("hello_time", |seen| show(seen, |bridge| ticks(bridge.tree.hello_time)), number(2, 4)),
    file("hello_timer", |seen| timer(seen, |bridge| expiry(bridge.tree.hello)), Store::ReadOnly),
    file("max_age", |seen| show(seen, |bridge| ticks(bridge.tree.max_age)), number(3, 4)),
    file("multicast_igmp_version", |_| line(multicast::IGMP_VERSION), number(43, 1)),
    file(
        "multicast_last_member_count",
        |seen| show(seen, |bridge| bridge.snooping.last_member_count),
        number(28, 4),
    ),
    file(
        "multicast_last_member_interval",
        |seen| show(seen, |bridge| long_ticks(bridge.snooping.last_member_interval)),
        number(30, 8),
    ),
    file(
        "multicast_membership_interval",
        |seen| show(seen, |bridge| long_ticks(bridge.snooping.membership_interval)),
        number(31, 8),
    ),
    file("multicast_mld_version", |_| line(multicast::MLD_VERSION), number(44, 1)),
    file("multicast_querier", |seen| show(seen, |bridge| u8::from(bridge.snooping.querier)), switch(25)),
    file(
        "multicast_querier_interval",
        |seen| show(seen, |bridge| long_ticks(bridge.snooping.querier_interval)),
        number(32, 8),
    ),
    file(
        "multicast_query_interval",
        |seen| show(seen, |bridge| long_ticks(bridge.snooping.query_interval)),
        number(33, 8),
    ),
    file(
        "multicast_query_response_interval",
        |seen| show(seen, |bridge| long_ticks(bridge.snooping.query_response_interval)),
        number(34, 8),
    ),
    file(
        "multicast_query_use_ifaddr",
        |seen| show(seen, |bridge| u8::from(bridge.snooping.use_ifaddr)),
        switch(24),
    ),
    file("multicast_router", |seen| show(seen, |bridge| bridge.mcast_router), number(22, 1)),
    file("multicast_snooping", |seen| show(seen, |bridge| u8::from(bridge.mcast_snooping)), switch(23)),
    file(
        "multicast_startup_query_count",
        |seen| show(seen, |bridge| bridge.snooping.startup_query_count),
        number(29, 4),
    ),
    file(
        "multicast_startup_query_interval",
        |seen| show(seen, |bridge| long_ticks(bridge.snooping.startup_query_interval)),
        number(35, 8),
    ),
    file("multicast_stats_enabled", |seen| show(seen, |bridge| u8::from(bridge.snooping.stats)), switch(42)),
    file("nf_call_arptables", |seen| show(seen, |bridge| u8::from(bridge.nf_call[2])), switch(38)),
    file("nf_call_ip6tables", |seen| show(seen, |bridge| u8::from(bridge.nf_call[1])), switch(37)),
    file("nf_call_iptables", |seen| show(seen, |bridge| u8::from(bridge.nf_call[0])), switch(36)),
    file(
        "no_linklocal_learn",
        |seen| show(seen, |bridge| u8::from(bridge.no_linklocal_learn)),
        Store::Call(set_no_linklocal_learn),
    ),
    file("priority", |seen| show(seen, |bridge| bridge.priority), number(6, 2)),
    file("root_id", |seen| show(seen, |bridge| id(bridge.tree.root)), Store::ReadOnly),
    file("root_path_cost", |seen| show(seen, |bridge| bridge.tree.root_path_cost), Store::ReadOnly),
    file("root_port", |seen| show(seen, |bridge| bridge.tree.root_port), Store::ReadOnly),
    file("stp_state", |seen| show(seen, |bridge| u8::from(bridge.stp)), switch(5)),
    file("tcn_timer", |seen| timer(seen, |bridge| expiry(bridge.tree.notification)), Store::ReadOnly),
    file(
        "topology_change",
        |seen| show(seen, |bridge| u8::from(bridge.tree.topology_change)),
        Store::ReadOnly,
    ),
    file(
        "topology_change_detected",
        |seen| show(seen, |bridge| u8::from(bridge.tree.detected)),
        Store::ReadOnly,
    ),
    file("topology_change_timer", |seen| timer(seen, |bridge| expiry(bridge.tree.change)), Store::ReadOnly),
    file("vlan_filtering", |seen| show(seen, |bridge| u8::from(bridge.vlan_filtering)), switch(7)),
    file(
        "vlan_protocol",
        |seen| show(seen, |bridge| format!("{:#06x}", bridge.vlan_protocol)),
        Store::Call(set_vlan_protocol),
    ),
    file("vlan_stats_enabled", |seen| show(seen, |bridge| u8::from(bridge.vlan_stats)), number(41, 1)),
    file(
        "vlan_stats_per_port",
        |seen| show(seen, |bridge| u8::from(bridge.vlan_stats_per_port)),
        number(45, 1),
    ),
];

fn show<T: std::fmt::Display>(seen: &Seen<'_>, value: impl Fn(&Bridge) -> T) -> Result<String, Errno> {
    match &seen.device.kind {
        Kind::Bridge(bridge) => line(value(bridge)),
        _ => Err(Errno::EINVAL),
    }
}

fn ticks(time: Duration) -> u128 {
    time.as_millis() / 10
}

/// `br_show_bridge_id`: priority and MAC in hexadecimal, without colons.
pub(super) fn id(id: u64) -> String {
    let (priority, [a, b, c, d, e, f]) = stp::parts(id);
    format!("{priority:04x}.{a:02x}{b:02x}{c:02x}{d:02x}{e:02x}{f:02x}")
}

/// What a bridge has beside the directory `bridge`.
pub(super) const OWN: &[Attribute] = &[binary("brforward", forwarding)];

/// `br_fdb_fillbuf`: the addresses of ports as `struct __fdb_entry`, the newest first. They have grown too old where they
/// have not been seen for as long as that takes.
fn forwarding(seen: &Seen<'_>) -> Result<Vec<u8>, Errno> {
    let Kind::Bridge(bridge) = &seen.device.kind else { return Err(Errno::EINVAL) };
    let mut bytes = Vec::new();
    for ((mac, _), entry) in bridge.fdb.dump() {
        let Some(port) = entry.port.and_then(|dev| bridge.port(dev)) else { continue };
        let (age, stays) = (seen.world.now.since(entry.updated), entry.local || entry.fixed);
        if !stays && !entry.extern_learn && age >= bridge.ageing {
            continue;
        }
        let age = if stays { 0 } else { ticks(age) };
        let [low, high] = port.number.to_le_bytes();
        bytes.extend(mac.0);
        bytes.extend([low, u8::from(entry.local)]);
        bytes.extend((age as u32).to_ne_bytes());
        bytes.extend([high, 0, 0, 0]);
    }
    Ok(bytes)
}

fn timer(seen: &Seen<'_>, timer: impl Fn(&Bridge) -> Option<Time>) -> Result<String, Errno> {
    show(seen, |bridge| timer_left(timer(bridge), seen.world.now))
}

const VLAN_PROTOCOL: u16 = 8;
const VLAN_DEFAULT_PVID: u16 = 39;
const MULTI_BOOLOPT: u16 = 46;

/// `br_vlan_set_default_pvid`: other than by netlink, only while nothing is filtered.
fn set_default_pvid(world: &mut World, dev: DevId, pvid: u64) -> Result<(), Errno> {
    let Some(Kind::Bridge(bridge)) = world.devs.get(dev).map(|device| &device.kind) else {
        return Err(Errno::ENODEV);
    };
    if pvid >= 0xfff {
        return Err(Errno::EINVAL);
    }
    if u64::from(bridge.default_pvid) == pvid {
        return Ok(());
    }
    if bridge.vlan_filtering {
        return Err(Errno::EPERM);
    }
    netlink::set(world, dev, Nest::Bridge, VLAN_DEFAULT_PVID, &(pvid as u16).to_ne_bytes())
}

fn set_vlan_protocol(world: &mut World, dev: DevId, tpid: u64) -> Result<(), Errno> {
    netlink::set(world, dev, Nest::Bridge, VLAN_PROTOCOL, &(tpid as u16).to_be_bytes())
}

fn set_no_linklocal_learn(world: &mut World, dev: DevId, on: u64) -> Result<(), Errno> {
    let value = [u32::from(on != 0).to_ne_bytes(), 1u32.to_ne_bytes()].concat();
    netlink::set(world, dev, Nest::Bridge, MULTI_BOOLOPT, &value)
}
