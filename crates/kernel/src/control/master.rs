//! Ports come to masters and leave them (`do_set_master`): bridges (`br_add_if`, `br_del_if`).

use std::collections::BTreeSet;

use hairpin_netlink::{Errno, Failure};

use crate::dev::bridge::fdb::Key;
use crate::dev::bridge::vlan::Membership;
use crate::dev::bridge::{BridgePort, PortFlags, VlanGroup};
use crate::dev::{Kind, RxHandler};
use crate::device::{AddrAssign, DevId, Device};
use crate::mac::Mac;
use crate::world::World;

impl World {
    /// Makes a device a port of a master. One that it was a port of is left first.
    ///
    /// # Errors
    /// The kernel's: `EINVAL` for loopback, `ELOOP` for a bridge, `EBUSY` where something else takes the
    /// device's frames, `EOPNOTSUPP` where the master is none.
    pub(crate) fn enslave(&mut self, dev: DevId, master: DevId) -> Result<(), Failure> {
        self.release_from_master(dev);
        match self.devs.get(master).map(|device| &device.kind) {
            Some(Kind::Bridge(_)) => self.add_bridge_port(dev, master),
            Some(Kind::Bond(_)) => self.add_bond_slave(dev, master),
            Some(Kind::Team(_)) => self.add_team_port(dev, master),
            Some(Kind::Vrf(_)) => self.add_vrf_port(dev, master),
            _ => Err(Errno::EOPNOTSUPP.into()),
        }
    }

    /// Takes a port from its master, if it has one.
    pub(crate) fn release_from_master(&mut self, dev: DevId) {
        let Some(master) = self.devs.get(dev).and_then(|device| device.master) else { return };
        match self.devs.get(master).map(|device| &device.kind) {
            Some(Kind::Bridge(_)) => self.remove_bridge_port(dev, master),
            Some(Kind::Bond(_)) => self.remove_bond_slave(dev, master, false),
            Some(Kind::Team(_)) => self.remove_team_port(dev, master),
            Some(Kind::Vrf(_)) => self.remove_vrf_port(dev),
            _ => {}
        }
    }

    /// `br_add_if`
    fn add_bridge_port(&mut self, dev: DevId, master: DevId) -> Result<(), Failure> {
        let Some(device) = self.devs.get(dev) else { return Err(Errno::ENODEV.into()) };
        if device.is_loopback() || !device.is_ethernet() || !device.mac.is_valid_source() {
            return Err(Errno::EINVAL.into());
        }
        if matches!(device.kind, Kind::Bridge(_)) {
            return Err(Failure::with_text(Errno::ELOOP, "Can not enslave a bridge to a bridge"));
        }
        if !device.rx_handler.is_none() {
            return Err(Errno::EBUSY.into());
        }
        if device.refuses_rx_handler() {
            return Err(Errno::EINVAL.into());
        }
        // `__netdev_upper_dev_link`
        if self.stands_on(dev, master) {
            return Err(Errno::EBUSY.into());
        }
        let mac = device.mac;
        let usable = self.is_usable_port(dev);
        let carrier = device.carrier;
        let cost = self.port_cost(dev);
        let now = self.now;
        let before = self.features_before(master);
        if let Some(Kind::Bridge(bridge)) = self.devs.get_mut(master).map(|device| &mut device.kind) {
            let number = (1..=1023).find(|n| !bridge.ports.iter().any(|port| port.number == *n));
            let number = number.ok_or(Errno::EXDEV)?;
            bridge.ports.insert(0, BridgePort::new(dev, number, mac, cost));
            bridge.adopt_port(dev);
            if let Some(port) = bridge.port_mut(dev) {
                port.carrier = carrier;
            }
        }
        if let Some(device) = self.devs.get_mut(dev) {
            device.rx_handler = RxHandler::BridgePort { bridge: master };
            device.master = Some(master);
        }
        self.set_allmulti(dev, 1);
        // `NETDEV_CHANGEUPPER`
        self.notify_link(dev);
        self.disable_lro(dev);
        self.manage_bridge_promiscuity(master);
        self.update_features(master, &before);
        if let Some(Kind::Bridge(bridge)) = self.devs.get_mut(master).map(|device| &mut device.kind) {
            bridge.fdb.add_local(mac, 0, Some(dev), now);
            // `nbp_vlan_init`
            let pvid = bridge.default_pvid;
            if pvid != 0 {
                bridge.add_port_vlan(dev, pvid, Membership::DEFAULT, now);
                self.notify_own_addresses(master);
                self.notify_vlans(dev, pvid, pvid, false);
            }
        }
        self.notify_own_addresses(master);
        let old = self.recalculate_bridge_mac(master);
        if usable && self.devs.get(master).is_some_and(|master| master.is_up()) {
            self.bridge_act(master, |state, clock| state.enable_port(dev, clock));
        }
        self.changed();
        self.notify_bridge_link(dev);
        self.bridge_mac_told(master, old);
        self.adjust_bridge_mtu(master);
        self.reckon_tso_max(master);
        Ok(())
    }

    /// `port_cost`: by the speed that the device tells; 100 where it tells none.
    fn port_cost(&self, dev: DevId) -> u32 {
        let settings = self.devs.get(dev).and_then(|device| self.link_settings(device));
        match settings.and_then(|settings| settings.speed) {
            Some(10_000) => 2,
            Some(5000) => 3,
            Some(2500) => 4,
            Some(1000) => 5,
            Some(100) => 19,
            Some(speed) if speed > 10_000 => 1,
            _ => 100,
        }
    }

    /// Whether `dev` is stacked on `below`, directly or not. A bridge stands on its ports.
    pub(super) fn stands_on(&self, dev: DevId, below: DevId) -> bool {
        self.stack_of(dev).iter().any(|at| self.lowers(*at).contains(&below))
    }

    /// A device and all that it is stacked on, directly or not, each once and after the one that led to it.
    pub(super) fn stack_of(&self, dev: DevId) -> Vec<DevId> {
        let mut pending = vec![dev];
        let mut seen = Vec::new();
        while let Some(at) = pending.pop() {
            if !seen.contains(&at) {
                seen.push(at);
                pending.extend(self.lowers(at));
            }
        }
        seen
    }

    /// The devices that one is stacked on, or has as ports (`netdev_for_each_lower_dev`).
    pub(super) fn lowers(&self, dev: DevId) -> Vec<DevId> {
        let Some(device) = self.devs.get(dev) else { return Vec::new() };
        match &device.kind {
            Kind::Macvlan(_) | Kind::Ipvlan(_) | Kind::Vlan(_) | Kind::Macsec(_) => {
                device.lower().into_iter().collect()
            }
            Kind::Bridge(bridge) => bridge.ports.iter().map(|port| port.dev).collect(),
            Kind::Bond(bond) => bond.slaves.iter().map(|slave| slave.dev).collect(),
            Kind::Team(team) => team.ports.iter().map(|port| port.dev).collect(),
            _ => Vec::new(),
        }
    }

    /// `br_del_if`
    fn remove_bridge_port(&mut self, dev: DevId, master: DevId) {
        let before = self.features_before(master);
        self.detach_bridge_port(dev, master);
        self.adjust_bridge_mtu(master);
        self.reckon_tso_max(master);
        let old = self.recalculate_bridge_mac(master);
        self.bridge_mac_told(master, old);
        self.update_features(master, &before);
        self.changed();
    }

    /// `del_nbp`
    fn detach_bridge_port(&mut self, dev: DevId, master: DevId) {
        // `nbp_delete_promisc`
        let promiscuous = match self.devs.get(master).map(|device| &device.kind) {
            Some(Kind::Bridge(bridge)) => bridge.port(dev).is_some_and(|port| port.has(PortFlags::PROMISC)),
            _ => false,
        };
        self.set_allmulti(dev, -1);
        if promiscuous {
            self.set_promiscuity(dev, -1);
        }
        self.unteach_port(master, dev);
        if let Some(Kind::Bridge(bridge)) = self.devs.get_mut(master).map(|device| &mut device.kind)
            && let Some(port) = bridge.port_mut(dev)
        {
            // It is taught nothing on its way out.
            port.flags.insert(PortFlags::PROMISC);
        }
        self.bridge_act(master, |state, clock| state.disable_port(dev, clock));
        self.notify_bridge_port_gone(dev, master);
        let mut ranges: Vec<(u16, u16)> = Vec::new();
        if let Some(Kind::Bridge(bridge)) = self.devs.get(master).map(|device| &device.kind)
            && let Some(port) = bridge.port(dev)
        {
            ranges = port.vlans.ranges_without(0);
        }
        for (first, last) in ranges {
            self.notify_vlans(dev, first, last, true);
        }
        let up = self.devs.get(master).is_some_and(Device::is_up);
        if let Some(Kind::Bridge(bridge)) = self.devs.get_mut(master).map(|device| &mut device.kind) {
            bridge.flush_port_vlans(dev);
            // `nbp_backup_clear`
            for port in bridge.ports.iter_mut().filter(|port| port.backup == Some(dev)) {
                port.backup = None;
            }
        }
        self.flush_port(master, dev, true);
        if let Some(Kind::Bridge(bridge)) = self.devs.get_mut(master).map(|device| &mut device.kind) {
            bridge.ports.retain(|port| port.dev != dev);
        }
        if let Some(device) = self.devs.get_mut(dev) {
            device.rx_handler = RxHandler::None;
            device.master = None;
        }
        // `NETDEV_CHANGEUPPER`
        self.notify_link(dev);
        // `br_multicast_del_port`
        self.bridge_act(master, |state, _| state.forget_groups(dev, true, up));
        self.manage_bridge_promiscuity(master);
        self.changed();
    }

    /// `br_manage_promisc`: ports receive every frame, unless a bridge that filters by VLAN and is not
    /// promiscuous itself knows where its frames go without looking: at most one port learns and floods.
    pub(crate) fn manage_bridge_promiscuity(&mut self, bridge: DevId) {
        let Some(device) = self.devs.get(bridge) else { return };
        let Kind::Bridge(state) = &device.kind else { return };
        let all = device.promiscuity > 0 || !state.vlan_filtering;
        let auto = |port: &BridgePort| port.flags.intersects(PortFlags::AUTO);
        let autos = state.ports.iter().filter(|port| auto(port)).count();
        let mut changes = Vec::new();
        for port in &state.ports {
            // `IFF_UNICAST_FLT`: the device can be told which addresses it is to take.
            let filters = self.devs.get(port.dev).is_some_and(|device| device.filters_unicast());
            let known = filters && (autos == 0 || autos == 1 && auto(port));
            let wanted = all || !known;
            if wanted != port.has(PortFlags::PROMISC) {
                changes.push((port.dev, wanted));
            }
        }
        for (port, wanted) in changes {
            if let Some(Kind::Bridge(state)) = self.devs.get_mut(bridge).map(|device| &mut device.kind)
                && let Some(port) = state.port_mut(port)
            {
                port.flags.set(PortFlags::PROMISC, wanted);
            }
            self.set_promiscuity(port, if wanted { 1 } else { -1 });
        }
        self.teach_ports(bridge);
    }

    /// `br_fdb_sync_static`: a port that does not receive every frame is told the addresses that are never forgotten.
    fn teach_ports(&mut self, bridge: DevId) {
        let Some(Kind::Bridge(state)) = self.devs.get(bridge).map(|device| &device.kind) else { return };
        if state.ports.iter().all(|port| port.has(PortFlags::PROMISC) && port.taught.is_empty()) {
            return;
        }
        let fixed = state.fdb.fixed();
        let known: BTreeSet<Key> = fixed.iter().copied().collect();
        let ports: Vec<DevId> = state.ports.iter().map(|port| port.dev).collect();
        for dev in ports {
            let Some(Kind::Bridge(state)) = self.devs.get_mut(bridge).map(|device| &mut device.kind) else {
                return;
            };
            let Some(port) = state.port_mut(dev) else { continue };
            if port.has(PortFlags::PROMISC) {
                self.unteach_port(bridge, dev);
                continue;
            }
            let before = std::mem::replace(&mut port.taught, known.clone());
            for (mac, _) in fixed.iter().filter(|key| !before.contains(key)) {
                self.add_unicast(dev, *mac);
            }
            for (mac, _) in before.difference(&known) {
                self.remove_unicast(dev, *mac);
            }
        }
    }

    /// `fdb_add_hw_addr`, `fdb_del_hw_addr`: the same of one entry that came, changed or went.
    pub(crate) fn teach_entry(&mut self, bridge: DevId, key: Key) {
        let Some(Kind::Bridge(state)) = self.devs.get_mut(bridge).map(|device| &mut device.kind) else {
            return;
        };
        let is_fixed = state.fdb.get(key.0, key.1).is_some_and(|entry| entry.fixed);
        let mut told = Vec::new();
        for port in state.ports.iter_mut().filter(|port| !port.has(PortFlags::PROMISC)) {
            let is_new = if is_fixed { port.taught.insert(key) } else { port.taught.remove(&key) };
            if is_new {
                told.push(port.dev);
            }
        }
        for dev in told {
            match is_fixed {
                true => self.add_unicast(dev, key.0),
                false => drop(self.remove_unicast(dev, key.0)),
            }
        }
    }

    /// `br_fdb_unsync_static`
    fn unteach_port(&mut self, bridge: DevId, dev: DevId) {
        let Some(Kind::Bridge(state)) = self.devs.get_mut(bridge).map(|device| &mut device.kind) else {
            return;
        };
        let taught = state.port_mut(dev).map(|port| std::mem::take(&mut port.taught)).unwrap_or_default();
        for (mac, _) in taught {
            self.remove_unicast(dev, mac);
        }
    }

    /// `br_stp_recalculate_bridge_id`: unless set by hand, the numerically lowest MAC of the ports, or zero. The one
    /// of before, if it has changed: others are to be told.
    fn recalculate_bridge_mac(&mut self, bridge: DevId) -> Option<Mac> {
        let device = self.devs.get(bridge)?;
        let Kind::Bridge(state) = &device.kind else { return None };
        if state.mac_set || device.addr_assign == AddrAssign::Set {
            return None;
        }
        let lowest = state.ports.iter().map(|port| port.mac).min().unwrap_or(Mac::ZERO);
        let assign = device.addr_assign;
        if lowest == device.mac {
            return None;
        }
        self.assign_mac(bridge, lowest, assign)
    }

    fn bridge_mac_told(&mut self, bridge: DevId, old: Option<Mac>) {
        if let Some(old) = old {
            self.mac_changed(bridge, old);
        }
    }

    /// `br_stp_change_bridge_id`: the bridge's own entries follow its MAC, and its carrier is found anew.
    pub(super) fn bridge_mac_changed(&mut self, bridge: DevId, old: Mac, new: Mac) {
        let now = self.now;
        let Some(Kind::Bridge(state)) = self.devs.get(bridge).map(|device| &device.kind) else { return };
        for vlan in with_untagged(&state.vlans) {
            let Some(Kind::Bridge(state)) = self.devs.get_mut(bridge).map(|device| &mut device.kind) else {
                return;
            };
            let gone = state.forget_own_address(old, vlan, None, new);
            state.fdb.add_local(new, vlan, None, now);
            if let Some(gone) = gone {
                self.notify_fdb(bridge, (old, vlan), &gone, true);
            }
            self.notify_own_addresses(bridge);
        }
        self.bridge_act(bridge, |state, clock| state.set_tree_mac(new, clock));
    }

    /// The own entries that a new bridge starts with (`br_device_event`, `br_vlan_bridge_event`). A bridge that
    /// was given its MAC has looked for its carrier (`br_dev_newlink`); another one has it until its first port.
    pub(crate) fn start_bridge(&mut self, bridge: DevId) {
        let now = self.now;
        let Some(device) = self.devs.get_mut(bridge) else { return };
        let mac = device.mac;
        let Kind::Bridge(state) = &mut device.kind else { return };
        state.fdb.add_local(mac, 0, None, now);
        let pvid = state.default_pvid;
        state.add_own_vlan(pvid, Membership::DEFAULT, mac, now);
        let mac_was_given = device.addr_assign == AddrAssign::Set;
        state.mac_set |= mac_was_given;
        self.notify_own_addresses(bridge);
        self.notify_vlans(bridge, pvid, pvid, false);
        if mac_was_given {
            self.bridge_mac_changed(bridge, mac, mac);
        }
    }

    /// `br_fdb_changeaddr`: a port has another MAC.
    pub(super) fn port_mac_changed(&mut self, bridge: DevId, port: DevId, old: Mac, new: Mac) {
        let now = self.now;
        let Some(device) = self.devs.get_mut(bridge) else { return };
        let bridge_mac = device.mac;
        let mut gone = Vec::new();
        if let Kind::Bridge(state) = &mut device.kind {
            let mut vlans = Vec::new();
            if let Some(port) = state.port_mut(port) {
                port.mac = new;
                vlans = with_untagged(&port.vlans);
            }
            // The newest entry first.
            for vlan in vlans.iter().rev() {
                let entry = state.forget_own_address(old, *vlan, Some(port), bridge_mac);
                gone.extend(entry.map(|entry| ((old, *vlan), entry)));
            }
            for vlan in &vlans {
                state.fdb.add_local(new, *vlan, Some(port), now);
            }
        }
        for (key, entry) in gone {
            self.notify_fdb(bridge, key, &entry, true);
        }
        self.notify_own_addresses(bridge);
        let old = self.recalculate_bridge_mac(bridge);
        self.bridge_mac_told(bridge, old);
    }

    /// `br_dev_delete`: the ports leave, and the bridge's own entries go with it.
    pub(super) fn end_bridge(&mut self, bridge: DevId) {
        for port in self.bridge_ports(bridge) {
            self.detach_bridge_port(port, bridge);
        }
        let Some(Kind::Bridge(state)) = self.devs.get_mut(bridge).map(|device| &mut device.kind) else {
            return;
        };
        let own = state.fdb.flush(|_, entry| entry.port.is_none());
        for (key, entry) in own.into_iter().rev() {
            self.notify_fdb(bridge, key, &entry, true);
        }
    }
}

/// The VLANs in which an own address stands: that of unfiltered frames, and those of its owner.
fn with_untagged(group: &VlanGroup) -> Vec<u16> {
    std::iter::once(0).chain(group.members().map(|vlan| vlan.vid)).collect()
}
