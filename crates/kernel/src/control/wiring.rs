//! Stacking devices on one another, and taking the stack apart.

use hairpin_netlink::{Errno, Failure};

use crate::dev::{GroupFilter, Kind, RxHandler, macvlan};
use crate::device::{AddrAssign, DevId, Flags};
use crate::mac::Mac;
use crate::world::World;

/// Where VLANs and groups are registered with neighbours (IEEE 802.1Q table 10-1).
const REGISTRATION: Mac = Mac([0x01, 0x80, 0xc2, 0, 0, 0x21]);

impl World {
    /// Makes two registered ends (of veth, or vxcan) one pair: no carrier until both are up.
    pub(crate) fn link_veth(&mut self, a: DevId, b: DevId) {
        for (dev, peer) in [(a, b), (b, a)] {
            if let Some(Kind::Veth(pair) | Kind::Vxcan(pair)) =
                self.devs.get_mut(dev).map(|device| &mut device.kind)
            {
                pair.peer = Some(peer);
            }
        }
        for dev in [b, a] {
            self.set_carrier(dev, false);
        }
    }

    /// Whether a macvlan of this mode may be made on `lower` (`macvlan_port_create`, `macvlan_common_newlink`).
    ///
    /// # Errors
    /// `EINVAL` for loopback and what is not Ethernet, and where passthru would share the port; `EBUSY` where
    /// something else takes the device's frames.
    pub(crate) fn check_macvlan(&self, lower: DevId, mode: macvlan::Mode) -> Result<(), Failure> {
        let Some(below) = self.devs.get(lower) else { return Err(Errno::ENODEV.into()) };
        match &below.rx_handler {
            RxHandler::MacvlanPort(port) => {
                if port.is_passthru() || (mode == macvlan::Mode::Passthru && !port.members.is_empty()) {
                    return Err(Errno::EINVAL.into());
                }
            }
            _ if !below.is_ethernet() || below.is_loopback() => return Err(Errno::EINVAL.into()),
            RxHandler::None if below.refuses_rx_handler() => return Err(Errno::EINVAL.into()),
            RxHandler::None => {}
            _ => return Err(Errno::EBUSY.into()),
        }
        Ok(())
    }

    /// Puts a registered macvlan on its lower device. [`World::check_macvlan`] has said that it may.
    pub(crate) fn link_macvlan(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        let Kind::Macvlan(state) = &device.kind else { return };
        let (lower, mode) = (state.lower, state.mode);
        let member = macvlan::Member {
            dev,
            mac: device.mac,
            mode,
            up: false,
            nodst: state.flags & macvlan::FLAG_NODST != 0,
            sources: state.sources.clone(),
            filter: GroupFilter::default(),
        };
        let Some(below) = self.devs.get_mut(lower) else { return };
        if below.rx_handler.is_none() {
            below.rx_handler = RxHandler::MacvlanPort(Box::default());
        }
        let (mac, max_mtu, carrier) = (below.mac, below.max_mtu, below.carrier);
        below.uppers.push(dev);
        if let RxHandler::MacvlanPort(port) = &mut below.rx_handler {
            port.add(member);
        }
        if let Some(device) = self.devs.get_mut(dev) {
            device.max_mtu = max_mtu;
            // `macvlan_init` copies the link's state: it starts so, and has not changed.
            device.carrier = carrier;
            if mode == macvlan::Mode::Passthru {
                device.mac = mac;
            }
        }
        if mode == macvlan::Mode::Passthru
            && let Some(member) = self.macvlan_port(lower).and_then(|port| port.member_mut(dev))
        {
            member.mac = mac;
        }
        self.inherit_lro(dev, lower);
        self.refresh_broadcast_queue(lower, &[]);
        self.refresh_filter(dev);
        self.settle_without_carrier(dev);
        self.inherit_link_state(dev, lower);
    }

    /// `update_port_bc_queue_len`: the port's queue is as long as the longest that a macvlan asks for, but for those
    /// that leave.
    pub(crate) fn refresh_broadcast_queue(&mut self, lower: DevId, leaving: &[DevId]) {
        let Some(RxHandler::MacvlanPort(port)) = self.devs.get(lower).map(|below| &below.rx_handler) else {
            return;
        };
        let longest = port
            .members
            .iter()
            .filter(|member| !leaving.contains(&member.dev))
            .filter_map(|member| self.devs.get(member.dev).filter(|device| !device.leaving))
            .filter_map(|device| match &device.kind {
                Kind::Macvlan(state) => Some(state.bc_queue_len_requested),
                _ => None,
            })
            .max();
        if let Some(port) = self.macvlan_port(lower) {
            port.bc_queue_len = longest.unwrap_or(0);
        }
    }

    /// Changes a macvlan's mode and flags (`macvlan_changelink`).
    ///
    /// # Errors
    /// `EINVAL`: to or from passthru, or flags that a mode does not have.
    pub(crate) fn change_macvlan(
        &mut self,
        dev: DevId,
        mode: Option<macvlan::Mode>,
        flags: Option<u16>,
    ) -> Result<(), Failure> {
        let Some(device) = self.devs.get(dev) else { return Err(Errno::ENODEV.into()) };
        let Kind::Macvlan(state) = &device.kind else { return Err(Errno::EOPNOTSUPP.into()) };
        let (lower, old_mode, old_flags) = (state.lower, state.mode, state.flags);
        let mode = mode.unwrap_or(old_mode);
        if (mode == macvlan::Mode::Passthru) != (old_mode == macvlan::Mode::Passthru) {
            return Err(Errno::EINVAL.into());
        }
        if let Some(flags) = flags {
            let toggled = (flags ^ old_flags) & macvlan::FLAG_NOPROMISC != 0;
            if toggled && mode != macvlan::Mode::Passthru {
                return Err(Errno::EINVAL.into());
            }
            // Of one that is down too, which has asked for nothing yet.
            if toggled {
                let on = flags & macvlan::FLAG_NOPROMISC != 0;
                self.set_promiscuity(lower, if on { -1 } else { 1 });
            }
        }
        if let Some(Kind::Macvlan(state)) = self.devs.get_mut(dev).map(|device| &mut device.kind) {
            state.mode = mode;
            state.flags = flags.unwrap_or(old_flags);
            if old_mode == macvlan::Mode::Source && mode != macvlan::Mode::Source {
                state.sources.clear();
            }
        }
        self.refresh_member(dev, lower);
        self.changed();
        Ok(())
    }

    /// Replaces the list of MACs that a source-mode macvlan receives from.
    pub(crate) fn set_macvlan_sources(&mut self, dev: DevId, sources: Vec<crate::Mac>) {
        let Some(Kind::Macvlan(state)) = self.devs.get_mut(dev).map(|device| &mut device.kind) else {
            return;
        };
        state.sources = sources;
        let lower = state.lower;
        self.refresh_member(dev, lower);
        self.changed();
    }

    /// Tells the port what has changed of a macvlan.
    fn refresh_member(&mut self, dev: DevId, lower: DevId) {
        let Some(Kind::Macvlan(state)) = self.devs.get(dev).map(|device| &device.kind) else { return };
        let (mode, nodst, sources) =
            (state.mode, state.flags & macvlan::FLAG_NODST != 0, state.sources.clone());
        if let Some(member) = self.macvlan_port(lower).and_then(|port| port.member_mut(dev)) {
            member.mode = mode;
            member.nodst = nodst;
            member.sources = sources;
        }
    }

    /// Whether a VLAN device may be made on `lower` (`vlan_check_real_dev`).
    ///
    /// # Errors
    /// `EOPNOTSUPP` and `EEXIST` with the kernel's texts.
    pub(crate) fn check_vlan(&self, lower: DevId, tpid: u16, vid: u16) -> Result<(), Failure> {
        let Some(below) = self.devs.get(lower) else { return Err(Errno::ENODEV.into()) };
        // `NETIF_F_VLAN_CHALLENGED`
        if below.is_loopback() || !below.is_ethernet() || matches!(below.kind, Kind::Ipvlan(_) | Kind::Vrf(_))
        {
            return Err(Failure::with_text(Errno::EOPNOTSUPP, "8021q: VLANs not supported on device"));
        }
        if below.vlans.iter().any(|(key, _)| *key == (tpid, vid)) {
            return Err(Failure::with_text(Errno::EEXIST, "8021q: VLAN device already exists"));
        }
        Ok(())
    }

    /// `netif_reduces_vlan_mtu`: over MACsec a VLAN's tag takes from the MTU.
    pub(crate) fn vlan_mtu_most(&self, lower: DevId) -> Option<u32> {
        let below = self.devs.get(lower)?;
        let tag = if matches!(below.kind, Kind::Macsec(_)) { hairpin_wire::vlan::TAG_LEN as u32 } else { 0 };
        Some(below.mtu.saturating_sub(tag))
    }

    /// Puts a registered VLAN device on its lower device. Its MAC is the lower device's unless one was given.
    pub(crate) fn link_vlan(&mut self, dev: DevId, own_mac: bool) {
        let Some(Kind::Vlan(vlan)) = self.devs.get(dev).map(|device| &device.kind) else { return };
        let (lower, key) = (vlan.lower, (vlan.tpid, vlan.vid));
        let Some(below) = self.devs.get_mut(lower) else { return };
        let first = below.vlans.is_empty();
        below.vlans.push((key, dev));
        below.uppers.push(dev);
        let (carrier, mac, inherited) = (
            below.carrier,
            below.mac,
            below.flags - (Flags::UP | Flags::PROMISC | Flags::ALLMULTI | Flags::MASTER | Flags::SLAVE),
        );
        if let Some(device) = self.devs.get_mut(dev) {
            device.flags = inherited;
            // `vlan_dev_init` copies the link's state: it starts so, and has not changed.
            device.carrier = carrier;
            if !own_mac {
                device.mac = mac;
                device.addr_assign = AddrAssign::Stolen;
            }
        }
        if first {
            // `register_vlan_dev`: GVRP and MVRP listen.
            self.join_group(lower, REGISTRATION);
            self.join_group(lower, REGISTRATION);
        }
        if self.binds_to_ports(dev) {
            if let Some(device) = self.devs.get_mut(dev) {
                device.carrier = false;
            }
            self.settle_without_carrier(dev);
            self.settle_bound_vlan(dev);
            return self.fire_link_event(dev);
        }
        self.settle_without_carrier(dev);
        self.inherit_link_state(dev, lower);
    }

    /// `linkwatch_init_dev`: one that is registered without a carrier is said to have none.
    fn settle_without_carrier(&mut self, dev: DevId) {
        if self.devs.get(dev).is_some_and(|device| !device.carrier) {
            self.settle_operstate(dev);
        }
    }

    pub(super) fn inherit_link_state(&mut self, dev: DevId, lower: DevId) {
        if let Some(carrier) = self.devs.get(lower).map(|below| below.carrier) {
            self.set_carrier(dev, carrier);
        }
        self.fire_link_event(dev);
    }

    /// Takes a device off what it stands on, before it goes.
    pub(super) fn unwire(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        let lower = match &device.kind {
            Kind::Macvlan(state) => state.lower,
            Kind::Vlan(state) => state.lower,
            Kind::Ipvlan(state) => {
                let lower = state.lower;
                return self.unlink_ipvlan(dev, lower);
            }
            Kind::Macsec(state) => {
                let lower = state.lower;
                return self.unlink_macsec(dev, lower);
            }
            Kind::Veth(veth) | Kind::Vxcan(veth) => {
                let peer = veth.peer;
                if let Some(Kind::Veth(other) | Kind::Vxcan(other)) =
                    peer.and_then(|peer| self.devs.get_mut(peer)).map(|peer| &mut peer.kind)
                {
                    other.peer = None;
                }
                return;
            }
            Kind::Nic { segment, port, .. } => {
                // The wire's port stays, unused: other cards keep their numbers.
                let (segment, port) = (*segment, *port);
                if let Some(slot) = self.segments.get_mut(segment).and_then(|s| s.ports.get_mut(port)) {
                    *slot = DevId::default();
                }
                return;
            }
            _ => return,
        };
        let Some(below) = self.devs.get_mut(lower) else { return };
        below.uppers.retain(|upper| *upper != dev);
        let tagged = !below.vlans.is_empty();
        below.vlans.retain(|(_, vlan)| *vlan != dev);
        let last_vlan = tagged && below.vlans.is_empty();
        let mut restore = None;
        let mut empty = false;
        if let RxHandler::MacvlanPort(port) = &mut below.rx_handler {
            let was_passthru = port.member(dev).is_some_and(|m| m.mode == macvlan::Mode::Passthru);
            port.remove(dev);
            empty = port.members.is_empty();
            if was_passthru {
                restore = port.lower_mac_before.take();
            }
        }
        if empty {
            below.rx_handler = RxHandler::None;
        } else {
            self.refresh_broadcast_queue(lower, &[]);
        }
        if last_vlan {
            self.leave_group(lower, REGISTRATION);
            self.leave_group(lower, REGISTRATION);
        }
        // `macvlan_port_destroy`: the MAC that passthru changed comes back.
        if let Some(mac) = restore {
            self.store_mac(lower, mac, AddrAssign::Permanent);
        }
    }
}
