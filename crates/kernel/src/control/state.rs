//! Up, down, carrier and operational state (`__dev_open`, `__dev_close_many`, net/core/link_watch.c).
//!
//! Linux acts on carrier changes in a work queue: `link_watch.rs` says when.

use std::time::Duration;

use hairpin_netlink::{Errno, Failure};

use crate::dev::bridge::{Bridge, State};
use crate::dev::{Kind, RxHandler, macvlan};
use crate::device::{AddrAssign, DevId, Flags, OperState};
use crate::mac::Mac;
use crate::qdisc::default_name;
use crate::world::{TimerEvent, World};

/// The queueing discipline of a device with a queue, where `net.core.default_qdisc` names none: that of most distributions.
pub(crate) const DEFAULT_QDISC: &str = "fq_codel";
/// What it may name.
pub(crate) const QDISCS: &[&str] =
    &["fq_codel", "pfifo_fast", "fq", "cake", "codel", "pfifo", "bfifo", "sfq", "pie", "fq_pie"];

impl World {
    /// Sets a device up. Up already is no error.
    ///
    /// # Errors
    /// `ENETDOWN`: the device below is down. `EADDRINUSE`: another macvlan, or the lower device, has the MAC.
    /// `ENOTCONN`: a veth without its peer.
    pub(crate) fn open(&mut self, dev: DevId) -> Result<(), Failure> {
        let Some(device) = self.devs.get(dev) else { return Err(Errno::ENODEV.into()) };
        if device.is_up() {
            return Ok(());
        }
        let (mac, lower) = (device.mac, device.lower());
        match &device.kind {
            Kind::Veth(veth) | Kind::Vxcan(veth) => {
                let peer = veth.peer.ok_or(Errno::ENOTCONN)?;
                if self.devs.get(peer).is_some_and(|peer| peer.is_up()) {
                    self.set_carrier(dev, true);
                    self.set_carrier(peer, true);
                }
            }
            Kind::Macvlan(_) => self.open_macvlan(dev, lower.ok_or(Errno::ENODEV)?, mac)?,
            Kind::Ipvlan(_) => self.open_ipvlan(dev, lower.ok_or(Errno::ENODEV)?),
            Kind::Vlan(vlan) => {
                let lower = vlan.lower;
                let loose = vlan.flags.contains(crate::dev::vlan::VlanFlags::LOOSE_BINDING);
                let below = self.devs.get(lower).ok_or(Errno::ENODEV)?;
                if !below.is_up() && !loose {
                    return Err(Errno::ENETDOWN.into());
                }
                let (carrier, below) = (below.carrier, below.mac);
                if below != mac && device.addr_assign == AddrAssign::Stolen {
                    // `vlan_dev_inherit_address`: what it missed while it was down.
                    self.store_mac(dev, below, AddrAssign::Stolen);
                } else if below != mac {
                    self.add_unicast(lower, mac);
                }
                if self.binds_to_ports(dev) {
                    self.settle_bound_vlan(dev);
                } else if carrier {
                    // One that is bound loosely keeps the carrier it has got while both were down.
                    let gets = self.devs.get(dev).is_some_and(|device| !device.carrier);
                    self.set_carrier(dev, true);
                    if gets {
                        // In Linux it is up by now.
                        self.call_link_watch(dev, true);
                    }
                }
            }
            Kind::Vxlan(_) => self.open_vxlan(dev)?,
            Kind::Macsec(_) => self.open_macsec(dev),
            // `ipoib_open`: without a fabric no port has a link.
            Kind::Ipoib(_) => drop(self.carrier_quietly(dev, false)),
            Kind::Geneve(_) | Kind::IpTunnel(_) | Kind::Ip6Tunnel(_) | Kind::Nlmon => {
                self.open_endpoint(dev)?
            }
            _ => {}
        }
        if matches!(self.devs.get(dev).map(|device| &device.kind), Some(Kind::Bond(_))) {
            self.open_bond(dev);
        }
        self.set_up_flag(dev);
        let default_qdisc = self.default_qdisc(dev);
        if let Some(device) = self.devs.get_mut(dev)
            && device.qdisc == "noop"
        {
            device.qdisc = default_name(device, default_qdisc);
        }
        self.set_rx_mode(dev);
        if matches!(self.devs.get(dev).map(|device| &device.kind), Some(Kind::Bridge(_))) {
            self.open_bridge(dev);
        }
        self.settle_opened(dev);
        self.activate(dev);
        self.changed();
        self.notify_link(dev);
        self.ip_up(dev);
        self.lower_went_up(dev);
        self.port_changed(dev);
        self.bond_opened(dev);
        self.team_went(dev, true);
        self.ipoib_children_follow(dev, true);
        Ok(())
    }

    /// `net.core.default_qdisc` of the host that a device is on.
    pub(crate) fn default_qdisc(&self, dev: DevId) -> &'static str {
        let netns = self.devs.get(dev).and_then(|device| self.netns.get(device.ns));
        let first = netns.and_then(|netns| self.hosts.get(netns.host)).map(|host| host.initial);
        let set = first.and_then(|first| self.netns.get(first)?.sysctl.other.get("core/default_qdisc"));
        let known = |name: &String| QDISCS.iter().copied().find(|known| known == name);
        set.and_then(known).unwrap_or(DEFAULT_QDISC)
    }

    fn set_up_flag(&mut self, dev: DevId) {
        if let Some(device) = self.devs.get_mut(dev) {
            device.flags.insert(Flags::UP);
        }
    }

    fn open_macvlan(&mut self, dev: DevId, lower: DevId, mac: Mac) -> Result<(), Failure> {
        let Some(below) = self.devs.get(lower) else { return Err(Errno::ENODEV.into()) };
        let RxHandler::MacvlanPort(port) = &below.rx_handler else { return Err(Errno::ENODEV.into()) };
        let passthru = port.is_passthru();
        let nopromisc = match self.devs.get(dev).map(|device| &device.kind) {
            Some(Kind::Macvlan(state)) => state.flags & macvlan::FLAG_NOPROMISC != 0,
            _ => false,
        };
        if passthru {
            if !nopromisc {
                self.set_promiscuity(lower, 1);
            }
        } else {
            // `macvlan_addr_busy`
            if below.mac == mac || port.lookup(mac).is_some() {
                return Err(Errno::EADDRINUSE.into());
            }
            self.add_unicast(lower, mac);
            self.pass_flags(dev, lower, 1);
        }
        if let Some(port) = self.macvlan_port(lower) {
            port.set_up(dev, true, mac);
        }
        Ok(())
    }

    /// Sets a device down and up again at once (`cycle_netdev`). The link watch finds a veth's other end as it was. One
    /// that cannot go up again stays down.
    pub(super) fn cycle(&mut self, dev: DevId) {
        self.close(dev);
        let _ = self.open(dev);
    }

    /// Sets a device down. Down already does nothing.
    pub(crate) fn close(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev).filter(|device| device.is_up()) else { return };
        let (mac, lower) = (device.mac, device.lower());
        let kind = self.devs.get(dev).map(|device| &device.kind);
        match kind {
            Some(Kind::Veth(veth) | Kind::Vxcan(veth)) => {
                let peer = veth.peer;
                self.down_flag(dev);
                self.set_carrier(dev, false);
                if let Some(peer) = peer {
                    self.set_carrier(peer, false);
                }
            }
            Some(Kind::Macvlan(state)) => {
                let nopromisc = state.flags & macvlan::FLAG_NOPROMISC != 0;
                if let Some(lower) = lower {
                    self.take_lists(dev, lower);
                    if !self.is_passthru_lower(lower) {
                        self.pass_flags(dev, lower, -1);
                        self.remove_unicast(lower, mac);
                    } else if !nopromisc {
                        self.set_promiscuity(lower, -1);
                    }
                    if let Some(port) = self.macvlan_port(lower) {
                        port.set_up(dev, false, mac);
                    }
                }
                self.down_flag(dev);
            }
            Some(Kind::Ipvlan(state)) => {
                let lower = state.lower;
                self.take_lists(dev, lower);
                self.close_ipvlan(dev, lower);
                self.down_flag(dev);
            }
            Some(Kind::Vlan(vlan)) => {
                let lower = vlan.lower;
                self.take_lists(dev, lower);
                if self.devs.get(lower).is_some_and(|below| below.mac != mac) {
                    self.remove_unicast(lower, mac);
                }
                self.down_flag(dev);
                self.set_carrier(dev, false);
            }
            Some(Kind::Macsec(macsec)) => {
                let lower = macsec.lower;
                self.take_lists(dev, lower);
                self.pass_flags(dev, lower, -1);
                self.remove_unicast(lower, mac);
                self.down_flag(dev);
                self.set_carrier(dev, false);
            }
            Some(Kind::Bridge(_)) => {
                self.down_flag(dev);
                self.close_bridge(dev);
            }
            Some(Kind::Geneve(_) | Kind::IpTunnel(_) | Kind::Ip6Tunnel(_) | Kind::Nlmon) => {
                self.down_flag(dev);
                self.close_endpoint(dev);
            }
            Some(Kind::Team(_)) => {
                for port in self.team_ports(dev) {
                    self.take_lists(dev, port);
                }
                self.down_flag(dev);
            }
            Some(Kind::Bond(_)) => {
                self.close_bond(dev);
                self.down_flag(dev);
            }
            Some(Kind::Vxlan(_)) => {
                self.down_flag(dev);
                self.close_vxlan(dev);
            }
            _ => self.down_flag(dev),
        }
        self.empty_queue(dev);
        self.tell_can_sockets(dev, Errno::ENETDOWN);
        self.changed();
        self.notify_link(dev);
        self.ip_down(dev);
        self.lower_went_down(dev);
        self.port_changed(dev);
        self.team_went(dev, false);
        self.ipoib_children_follow(dev, false);
    }

    /// `dev_activate`, `dev_deactivate`
    fn activate(&mut self, dev: DevId) {
        if let Some(device) = self.devs.get_mut(dev) {
            device.activated = device.carrier;
        }
    }

    fn down_flag(&mut self, dev: DevId) {
        if let Some(device) = self.devs.get_mut(dev) {
            device.flags.remove(Flags::UP);
            device.activated = false;
        }
    }

    /// `netif_carrier_on`, `netif_carrier_off`: the link watch is to look at the device (`linkwatch_fire_event`).
    pub(crate) fn set_carrier(&mut self, dev: DevId, carrier: bool) {
        if !self.count_carrier(dev, carrier) {
            return;
        }
        self.changed();
        self.fire_link_event(dev);
    }

    /// `linkwatch_do_dev`, with those who hear of it by `NETDEV_CHANGE`, in their order.
    pub(crate) fn link_event(&mut self, dev: DevId) {
        self.settle_operstate(dev);
        self.changed();
        let Some(device) = self.devs.get(dev) else { return };
        // Of a device that is down nobody hears.
        if !device.is_up() {
            return;
        }
        self.activate(dev);
        let Some(device) = self.devs.get(dev) else { return };
        let (ns, ifindex, carrier) = (device.ns, device.ifindex, device.carrier);
        self.fib_carrier(ns, ifindex, carrier);
        if !carrier {
            self.neighbours_lose_carrier(dev);
        }
        self.ip6_carrier_changed(dev);
        self.lower_carrier(dev, &[]);
        self.port_changed(dev);
        if !carrier {
            self.neighbours6_lose_carrier(dev);
        }
        self.notify_link(dev);
    }

    /// Changes the carrier and its counters. True if it changed.
    fn count_carrier(&mut self, dev: DevId, carrier: bool) -> bool {
        let Some(device) = self.devs.get_mut(dev).filter(|device| device.carrier != carrier) else {
            return false;
        };
        device.carrier = carrier;
        match carrier {
            true => device.carrier_up_count += 1,
            false => device.carrier_down_count += 1,
        }
        true
    }

    /// Changes the carrier, its counters and the state at once, where nobody is to hear of it. True if it changed.
    pub(crate) fn carrier_quietly(&mut self, dev: DevId, carrier: bool) -> bool {
        if !self.count_carrier(dev, carrier) {
            return false;
        }
        let device = self.devs.get(dev).filter(|device| device.is_up());
        if let Some((ns, ifindex)) = device.map(|device| (device.ns, device.ifindex)) {
            self.fib_carrier(ns, ifindex, carrier);
        }
        self.settle_operstate(dev);
        self.call_link_watch(dev, false);
        true
    }

    /// Devices whose carrier another one has part in have their state from when it changed last.
    fn settle_opened(&mut self, dev: DevId) {
        let kind = self.devs.get(dev).map(|device| &device.kind);
        if !matches!(
            kind,
            Some(
                Kind::Veth(_)
                    | Kind::Vxcan(_)
                    | Kind::Macvlan(_)
                    | Kind::Vlan(_)
                    | Kind::Ipvlan(_)
                    | Kind::Bridge(_)
            )
        ) {
            self.settle_operstate(dev);
        }
    }

    /// A device and those that hear of its carrier, with how often theirs have changed.
    pub(super) fn watched_with(&self, dev: DevId) -> Vec<(DevId, u32)> {
        let Some(device) = self.devs.get(dev) else { return Vec::new() };
        let around = device.lower().into_iter().chain(device.uppers.iter().copied());
        let changes = |dev: DevId| Some((dev, self.devs.get(dev)?.carrier_changes()));
        std::iter::once(dev).chain(around).filter_map(changes).collect()
    }

    /// The link watch comes to the devices whose carrier has changed once a command is through, and looks at where they
    /// are then.
    pub(super) fn link_watch(&mut self, watched: &[(DevId, u32)]) {
        for (dev, changes) in watched {
            if self.devs.get(*dev).is_some_and(|device| device.carrier_changes() != *changes) {
                self.settle_operstate(*dev);
            }
        }
    }

    /// `rfc2863_policy`, as Linux 6.1 has it. Devices whose carrier never changed stay "unknown".
    pub(crate) fn settle_operstate(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        let never = device.carrier_changes() == 0;
        let stacked = matches!(device.kind, Kind::Macvlan(_) | Kind::Vlan(_) | Kind::Macsec(_));
        let state = if !device.carrier {
            let below = device.lower().and_then(|lower| self.devs.get(lower));
            match below {
                // `default_operstate` compares numbers only, also of different namespaces.
                Some(below) if below.ifindex != device.ifindex => OperState::LowerLayerDown,
                _ => OperState::Down,
            }
        } else if never && !stacked {
            match device.kind {
                // A card's driver has reported its link.
                Kind::Nic { .. } => OperState::Up,
                // `vrf_dev_init`
                Kind::Vrf(_) => OperState::Up,
                _ => OperState::Unknown,
            }
        } else {
            OperState::Up
        };
        if let Some(device) = self.devs.get_mut(dev) {
            device.operstate = state;
        }
    }

    /// `netif_stacked_transfer_operstate`: a stacked device has the carrier of what it stands on; but for those that do not
    /// hear of it.
    fn lower_carrier(&mut self, lower: DevId, deaf: &[DevId]) {
        let Some(below) = self.devs.get(lower) else { return };
        let (carrier, up) = (below.carrier, below.is_up());
        let (bridge, uppers) = (below.master, below.uppers.clone());
        if let Some(bridge) = bridge {
            // `br_vlan_port_event`
            self.settle_bound_vlans(bridge);
        }
        for upper in uppers {
            if self.binds_to_ports(upper) {
                self.settle_bound_vlan(upper);
                continue;
            }
            // `ipvlan_device_event` of Linux 6.1 does not hear of a device that goes down, and `vlan_device_event` tells
            // only the VLANs that go down with it.
            let hears = match self.devs.get(upper).map(|upper| &upper.kind) {
                Some(Kind::Ipvlan(_)) => false,
                Some(Kind::Vlan(vlan)) => !vlan.flags.contains(crate::dev::vlan::VlanFlags::LOOSE_BINDING),
                _ => true,
            };
            if !up && !hears || deaf.contains(&upper) {
                continue;
            }
            self.set_carrier(upper, carrier);
        }
    }

    /// Whether a VLAN device has the carrier of the ports of its VLAN (`VLAN_FLAG_BRIDGE_BINDING`).
    pub(super) fn binds_to_ports(&self, dev: DevId) -> bool {
        use crate::dev::vlan::VlanFlags;
        matches!(self.devs.get(dev).map(|device| &device.kind),
            Some(Kind::Vlan(vlan)) if vlan.flags.contains(VlanFlags::BRIDGE_BINDING))
    }

    /// `br_vlan_set_vlan_dev_state`: a port of the VLAN is up; over another device than a bridge nobody says so.
    pub(super) fn settle_bound_vlan(&mut self, dev: DevId) {
        let Some(Kind::Vlan(vlan)) = self.devs.get(dev).map(|device| &device.kind) else { return };
        let Some(below) = self.devs.get(vlan.lower) else { return };
        let Kind::Bridge(bridge) = &below.kind else { return };
        let works = |dev: DevId| self.devs.get(dev).is_some_and(|port| port.is_up() && port.oper_up());
        let mut ports = bridge.ports.iter();
        let carrier =
            below.carrier && ports.any(|port| port.vlans.find(vlan.vid).is_some() && works(port.dev));
        self.set_carrier(dev, carrier);
    }

    /// `br_vlan_set_all_vlan_dev_state`
    pub(crate) fn settle_bound_vlans(&mut self, bridge: DevId) {
        let Some(device) = self.devs.get(bridge).filter(|device| !device.vlans.is_empty()) else { return };
        let vlans: Vec<DevId> = device.vlans.iter().map(|(_, dev)| *dev).collect();
        for dev in vlans {
            if self.binds_to_ports(dev) {
                self.settle_bound_vlan(dev);
            }
        }
    }

    /// `vlan_device_event`: the VLANs of a device that goes up go up with it. One that is up already, for it is bound loosely,
    /// does not hear of it.
    fn lower_went_up(&mut self, lower: DevId) {
        let Some(below) = self.devs.get(lower) else { return };
        let is_up = |dev: &DevId| self.devs.get(*dev).is_some_and(|vlan| vlan.is_up());
        let already: Vec<DevId> = below.vlans.iter().map(|(_, dev)| *dev).filter(is_up).collect();
        for vlan in self.tight_vlans(lower) {
            // A VLAN that cannot go up (its own conflict) stays down, as in Linux.
            let _ = self.open(vlan);
        }
        self.lower_carrier(lower, &already);
    }

    fn lower_went_down(&mut self, lower: DevId) {
        for vlan in self.tight_vlans(lower) {
            self.close(vlan);
        }
        self.lower_carrier(lower, &[]);
    }

    fn tight_vlans(&self, lower: DevId) -> Vec<DevId> {
        let Some(below) = self.devs.get(lower) else { return Vec::new() };
        let loose = |dev: &DevId| match self.devs.get(*dev).map(|device| &device.kind) {
            Some(Kind::Vlan(vlan)) => vlan.flags.contains(crate::dev::vlan::VlanFlags::LOOSE_BINDING),
            _ => true,
        };
        below.vlans.iter().map(|(_, dev)| *dev).filter(|dev| !loose(dev)).collect()
    }

    // The bridge's part.

    /// `br_dev_open`: ports with a link start to forward.
    fn open_bridge(&mut self, bridge: DevId) {
        self.schedule_bridge_ageing(bridge, AGEING_FIRST);
        // Linux hears of the link later: the groups are older than what an address entails.
        if self.snoops(bridge) {
            self.join_snoopers(bridge, true);
        }
        self.bridge_act(bridge, Bridge::start);
        for port in self.bridge_ports(bridge) {
            if self.is_usable_port(port) {
                self.bridge_act(bridge, |state, clock| state.enable_port(port, clock));
            }
        }
        self.bridge_act(bridge, Bridge::start_snooping);
    }

    /// `netif_running`, `netif_oper_up`
    pub(super) fn is_usable_port(&self, port: DevId) -> bool {
        self.devs.get(port).is_some_and(|device| device.is_up() && device.oper_up())
    }

    /// `br_stp_disable_bridge`
    fn close_bridge(&mut self, bridge: DevId) {
        if self.snoops(bridge) {
            self.join_snoopers(bridge, false);
        }
        self.bridge_act(bridge, |state, clock| {
            state.stop(clock);
            state.ageing_at = None;
        });
    }

    /// `br_multicast_toggle`: a bridge that is up joins or leaves the groups of all snoopers.
    pub(crate) fn toggle_snooping(&mut self, bridge: DevId, on: bool) {
        if self.devs.get(bridge).is_some_and(|device| device.is_up()) {
            self.join_snoopers(bridge, on);
        }
    }

    fn join_snoopers(&mut self, bridge: DevId, join: bool) {
        match join {
            true => {
                self.join_ipv4_group(bridge, SNOOPERS);
                self.join_ipv6_group(bridge, crate::ip6::address::SNOOPERS);
            }
            false => {
                self.leave_ipv4_group(bridge, SNOOPERS);
                self.leave_ipv6_group(bridge, crate::ip6::address::SNOOPERS);
            }
        }
    }

    fn snoops(&self, bridge: DevId) -> bool {
        matches!(self.devs.get(bridge).map(|device| &device.kind), Some(Kind::Bridge(b)) if b.mcast_snooping)
    }

    pub(crate) fn bridge_ports(&self, bridge: DevId) -> Vec<DevId> {
        match self.devs.get(bridge).map(|device| &device.kind) {
            Some(Kind::Bridge(state)) => state.ports.iter().map(|port| port.dev).collect(),
            _ => Vec::new(),
        }
    }

    /// `br_device_event`, `br_port_carrier_check`: a port went up or down, or its link did.
    pub(super) fn port_changed(&mut self, port: DevId) {
        let Some(device) = self.devs.get(port) else { return };
        let bridge = match device.rx_handler {
            RxHandler::BridgePort { bridge } => bridge,
            RxHandler::BondSlave { bond } => return self.bond_slave_changed(bond, port),
            RxHandler::TeamPort { team } => return self.team_port_changed(team, port),
            _ => return,
        };
        let (usable, carrier, down) = (self.is_usable_port(port), device.carrier, !device.is_up());
        if let Some(Kind::Bridge(own)) = self.devs.get_mut(bridge).map(|device| &mut device.kind)
            && let Some(port) = own.port_mut(port)
        {
            port.carrier = carrier;
        }
        let Some(master) = self.devs.get(bridge) else { return };
        let Kind::Bridge(state) = &master.kind else { return };
        let enabled = state.port(port).is_some_and(|port| port.state != State::Disabled);
        // A port that goes down is disabled, also where somebody has disabled it before (`br_device_event`).
        match (usable, enabled || down) {
            (true, false) if master.is_up() => {
                self.bridge_act(bridge, |state, clock| state.enable_port(port, clock));
            }
            (false, true) if master.is_up() => {
                self.bridge_act(bridge, |state, clock| state.disable_port(port, clock));
            }
            _ => self.notify_bridge_link(port),
        }
    }

    /// Forgets what was learned behind a port (`br_fdb_delete_by_port`).
    pub(crate) fn flush_port(&mut self, bridge: DevId, port: DevId, all: bool) {
        let Some(device) = self.devs.get_mut(bridge) else { return };
        let mac = device.mac;
        let Kind::Bridge(own) = &mut device.kind else { return };
        let gone = own.flush_port(port, all, mac);
        for (key, entry) in gone {
            self.notify_fdb(bridge, key, &entry, true);
        }
    }

    /// Looks through a bridge's forwarding database after so long.
    pub(crate) fn schedule_bridge_ageing(&mut self, bridge: DevId, after: Duration) {
        let at = self.now + after;
        if let Some(Kind::Bridge(own)) = self.devs.get_mut(bridge).map(|device| &mut device.kind) {
            own.ageing_at = Some(at);
            own.ageing_rests = false;
            self.timers.add(at, TimerEvent::BridgeAgeing { bridge });
        }
    }

    /// Something has been learned: the database is looked through again.
    pub(crate) fn wake_bridge_ageing(&mut self, bridge: DevId) {
        let now = self.now;
        if let Some(Kind::Bridge(own)) = self.devs.get_mut(bridge).map(|device| &mut device.kind)
            && own.ageing_rests
            && let Some(at) = own.next_ageing(now)
        {
            own.ageing_at = Some(at);
            own.ageing_rests = false;
            self.timers.add(at, TimerEvent::BridgeAgeing { bridge });
        }
    }

    /// `br_fdb_cleanup`: the timer of a bridge's forwarding database.
    pub(crate) fn bridge_ageing(&mut self, bridge: DevId) {
        let now = self.now;
        let Some(Kind::Bridge(own)) = self.devs.get_mut(bridge).map(|device| &mut device.kind) else {
            return;
        };
        if own.ageing_at.is_none_or(|at| at > now) {
            return;
        }
        let ageing = own.hold_time();
        let (gone, next) = own.fdb.expire(now, ageing);
        own.ageing_at = None;
        if next.is_none() && !ageing.is_zero() {
            own.ageing_at = Some(now + ageing);
            own.ageing_rests = true;
        }
        // With ageing 0 nothing is learned: there will be nothing to look for.
        if let Some(at) = next.filter(|_| !ageing.is_zero()) {
            let after = at.since(now).min(ageing);
            self.schedule_bridge_ageing(bridge, after.max(AGEING_APART));
        }
        for (key, entry) in gone {
            self.notify_fdb(bridge, key, &entry, true);
        }
    }

    /// The macvlans' side of a lower device.
    pub(crate) fn macvlan_port(&mut self, lower: DevId) -> Option<&mut macvlan::Port> {
        match self.devs.get_mut(lower).map(|device| &mut device.rx_handler) {
            Some(RxHandler::MacvlanPort(port)) => Some(port),
            _ => None,
        }
    }
}

/// How long after it went up a bridge looks for old entries first (`br_stp_enable_bridge`).
const AGEING_FIRST: Duration = Duration::from_millis(100);
/// And how long it waits at least between two looks.
const AGEING_APART: Duration = Duration::from_millis(10);
/// The groups of all snoopers (RFC 4286), which a snooping bridge joins.
const SNOOPERS: std::net::Ipv4Addr = std::net::Ipv4Addr::new(224, 0, 0, 106);
/// Least MTU for an IPv4 side of a device (`inetdev_valid_mtu`).
pub(super) const IPV4_MIN_MTU: u32 = 68;
