//! `IFLA_LINKINFO`: what a device's kind, and the bridge that it is a port of, say of it.

use hairpin_netlink::route::link::{
    BridgeBooleanOptionFlags, BridgeBooleanOptions, BridgeId, BridgeStpState, InfoBridge, InfoBridgePort,
    InfoData, LinkInfo, VlanProtocol,
};

use super::kind;
use crate::dev::bridge::{Bridge, BridgePort, PortFlags, stp};
use crate::dev::{Kind, RxHandler};
use crate::device::Device;
use crate::time::Time;
use crate::world::World;

/// What multicast snooping starts with (`br_multicast_ctx_init`); times in `USER_HZ` ticks.
pub(crate) mod multicast {
    pub const HASH_ELASTICITY: u32 = 16;
    pub const LAST_MEMBER_COUNT: u32 = 2;
    pub const STARTUP_QUERY_COUNT: u32 = 2;
    pub const LAST_MEMBER_INTERVAL: u64 = 100;
    pub const MEMBERSHIP_INTERVAL: u64 = 26_000;
    pub const QUERIER_INTERVAL: u64 = 25_500;
    pub const QUERY_INTERVAL: u64 = 12_500;
    pub const QUERY_RESPONSE_INTERVAL: u64 = 1_000;
    /// 31.25 s as a kernel with 250 ticks a second rounds it.
    pub const STARTUP_QUERY_INTERVAL: u64 = 3_124;
    pub const IGMP_VERSION: u8 = 2;
    pub const MLD_VERSION: u8 = 1;
}

/// Boolean options that a bridge of Linux 6.1 has: `no_linklocal_learn`, `mcast_vlan_snooping`, `mst_enable`.
pub(super) const BOOLEAN_OPTIONS: u32 = 0x7;

/// `rtnl_link_fill`; empty for a device without a kind that is no port.
pub(super) fn link_info(world: &World, device: &Device) -> Vec<LinkInfo> {
    let mut info = Vec::new();
    if let Some((kind, data)) = kind::describe(world, device) {
        info.push(LinkInfo::Kind(kind));
        info.extend(data.map(LinkInfo::Data));
    }
    if let Some((kind, data)) = kind::describe_port(world, device) {
        info.push(LinkInfo::PortKind(kind));
        info.extend(data.map(LinkInfo::PortData));
    }
    info
}

/// `br_fill_info`, of a kernel with VLAN filtering and multicast snooping built in.
pub(super) fn bridge_data(now: Time, bridge: &Bridge) -> InfoData {
    let (tree, snooping) = (&bridge.tree, &bridge.snooping);
    let ticks = |time: std::time::Duration| u32::try_from(time.as_millis() / 10).unwrap_or(u32::MAX);
    let left = |timer| timer_left(timer, now);
    InfoData::Bridge(vec![
        InfoBridge::HelloTimer(left(expiry(tree.hello))),
        InfoBridge::TcnTimer(left(expiry(tree.notification))),
        InfoBridge::TopologyChangeTimer(left(expiry(tree.change))),
        InfoBridge::GcTimer(left(bridge.next_ageing(now))),
        InfoBridge::ForwardDelay(ticks(tree.forward_delay)),
        InfoBridge::HelloTime(ticks(tree.hello_time)),
        InfoBridge::MaxAge(ticks(tree.max_age)),
        InfoBridge::AgeingTime(ticks(bridge.ageing)),
        InfoBridge::StpState(if bridge.stp { BridgeStpState::KernelStp } else { BridgeStpState::Disabled }),
        InfoBridge::Priority(bridge.priority),
        InfoBridge::VlanFiltering(bridge.vlan_filtering),
        InfoBridge::GroupFwdMask(bridge.group_fwd_mask),
        InfoBridge::BridgeId(bridge_id(tree.id)),
        InfoBridge::RootId(bridge_id(tree.root)),
        InfoBridge::RootPort(tree.root_port),
        InfoBridge::RootPathCost(tree.root_path_cost),
        InfoBridge::TopologyChange(tree.topology_change.into()),
        InfoBridge::TopologyChangeDetected(tree.detected.into()),
        InfoBridge::GroupAddr(bridge.group_addr.0),
        InfoBridge::MultiBoolOpt(BridgeBooleanOptions {
            value: BridgeBooleanOptionFlags::from_bits_retain(bridge.no_linklocal_learn.into()),
            mask: BridgeBooleanOptionFlags::from_bits_retain(BOOLEAN_OPTIONS),
        }),
        InfoBridge::VlanProtocol(VlanProtocol::from(bridge.vlan_protocol)),
        InfoBridge::VlanDefaultPvid(bridge.default_pvid),
        InfoBridge::VlanStatsEnabled(bridge.vlan_stats),
        InfoBridge::VlanStatsPerPort(bridge.vlan_stats_per_port),
        InfoBridge::MulticastRouter(bridge.mcast_router.into()),
        InfoBridge::MulticastSnooping(bridge.mcast_snooping),
        InfoBridge::MulticastQueryUseIfaddr(snooping.use_ifaddr),
        InfoBridge::MulticastQuerier(snooping.querier),
        InfoBridge::MulticastStatsEnabled(snooping.stats),
        InfoBridge::MulticastHashElasticity(multicast::HASH_ELASTICITY),
        InfoBridge::MulticastHashMax(snooping.hash_max),
        InfoBridge::MulticastLastMemberCount(snooping.last_member_count),
        InfoBridge::MulticastStartupQueryCount(snooping.startup_query_count),
        InfoBridge::MulticastIgmpVersion(multicast::IGMP_VERSION),
        InfoBridge::MulticastMldVersion(multicast::MLD_VERSION),
        InfoBridge::MulticastLastMemberInterval(long_ticks(snooping.last_member_interval)),
        InfoBridge::MulticastMembershipInterval(long_ticks(snooping.membership_interval)),
        InfoBridge::MulticastQuerierInterval(long_ticks(snooping.querier_interval)),
        InfoBridge::MulticastQueryInterval(long_ticks(snooping.query_interval)),
        InfoBridge::MulticastQueryResponseInterval(long_ticks(snooping.query_response_interval)),
        InfoBridge::MulticastStartupQueryInterval(long_ticks(snooping.startup_query_interval)),
        InfoBridge::NfCallIpTables(bridge.nf_call[0]),
        InfoBridge::NfCallIp6Tables(bridge.nf_call[1]),
        InfoBridge::NfCallArpTables(bridge.nf_call[2]),
    ])
}

/// A time in `USER_HZ` ticks.
pub(crate) fn long_ticks(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis() / 10).unwrap_or(u64::MAX)
}

/// What is left of a timer, in `USER_HZ` ticks; 0 where it does not run (`br_timer_value`).
pub(crate) fn timer_left(timer: Option<Time>, now: Time) -> u64 {
    timer.map_or(0, |at| u64::try_from(at.since(now).as_millis() / 10).unwrap_or(u64::MAX))
}

/// What a timer of spanning tree was set to.
pub(crate) fn expiry(alarm: Option<stp::Alarm>) -> Option<Time> {
    alarm.map(|alarm| alarm.expires)
}

/// An identifier of spanning tree.
pub(crate) fn bridge_id(id: u64) -> BridgeId {
    let (priority, address) = stp::parts(id);
    BridgeId { priority, address }
}

/// `br_port_fill_attrs` of a port, as Linux 6.1 has it; none for a device that is no port.
pub(super) fn port_data(world: &World, device: &Device) -> Option<Vec<InfoBridgePort>> {
    let RxHandler::BridgePort { bridge } = device.rx_handler else { return None };
    let master = world.devs.get(bridge)?;
    let Kind::Bridge(bridge) = &master.kind else { return None };
    let port: &BridgePort = bridge.port(device.id)?;
    let branch = &port.branch;
    let left = |timer| timer_left(timer, world.now);
    let has = |flag| port.has(flag);
    let mut data = vec![
        InfoBridgePort::State((port.state as u8).into()),
        InfoBridgePort::Priority(port.priority.into()),
        InfoBridgePort::Cost(port.cost),
        InfoBridgePort::HairpinMode(has(PortFlags::HAIRPIN)),
        InfoBridgePort::Guard(has(PortFlags::BPDU_GUARD)),
        InfoBridgePort::Protect(has(PortFlags::ROOT_BLOCK)),
        InfoBridgePort::FastLeave(has(PortFlags::FAST_LEAVE)),
        InfoBridgePort::MulticastToUnicast(has(PortFlags::MULTICAST_TO_UNICAST)),
        InfoBridgePort::Learning(has(PortFlags::LEARNING)),
        InfoBridgePort::UnicastFlood(has(PortFlags::FLOOD)),
        InfoBridgePort::MulticastFlood(has(PortFlags::MCAST_FLOOD)),
        InfoBridgePort::BroadcastFlood(has(PortFlags::BCAST_FLOOD)),
        InfoBridgePort::ProxyARP(has(PortFlags::PROXY_ARP)),
        InfoBridgePort::ProxyARPWifi(has(PortFlags::PROXY_ARP_WIFI)),
        InfoBridgePort::RootId(bridge_id(branch.root)),
        InfoBridgePort::BridgeId(bridge_id(branch.bridge)),
        InfoBridgePort::DesignatedPort(branch.port),
        InfoBridgePort::DesignatedCost(branch.cost as u16),
        InfoBridgePort::PortId(port.id()),
        InfoBridgePort::PortNumber(port.number),
        InfoBridgePort::TopologyChangeAck(port.topology_change_ack),
        InfoBridgePort::ConfigPending(port.config_pending),
        InfoBridgePort::VlanTunnel(has(PortFlags::VLAN_TUNNEL)),
        InfoBridgePort::GroupFwdMask(port.group_fwd_mask),
        InfoBridgePort::NeighSupress(has(PortFlags::NEIGH_SUPPRESS)),
        InfoBridgePort::MrpRingOpen(false),
        InfoBridgePort::MrpInOpen(false),
        InfoBridgePort::Isolated(has(PortFlags::ISOLATED)),
        InfoBridgePort::Locked(has(PortFlags::LOCKED)),
        InfoBridgePort::MessageAgeTimer(left(expiry(branch.message_age))),
        InfoBridgePort::ForwardDelayTimer(left(expiry(branch.forward_delay))),
        InfoBridgePort::HoldTimer(left(expiry(branch.hold))),
        InfoBridgePort::MulticastRouter(port.mcast_router.into()),
        InfoBridgePort::MulticastEhtHostsLimit(port.eht_hosts_limit),
        InfoBridgePort::MulticastEhtHostsCnt(0),
    ];
    let backup = port.backup.and_then(|backup| world.devs.get(backup));
    data.extend(backup.map(|backup| InfoBridgePort::BackupPort(backup.ifindex)));
    Some(data)
}
