//! A device's MAC and MTU (`dev_set_mac_address`, `dev_set_mtu_ext`) and what follows them.

use hairpin_netlink::{Errno, Failure};

use crate::dev::ip_tunnel::Variant as Variant4;
use crate::dev::ip6_tunnel::{Ip6Tunnel, Variant};
use crate::dev::{Kind, RxHandler};
use crate::device::{AddrAssign, DevId};
use crate::frame::ETH_LEN;
use crate::ip::protocol;
use crate::ip6::MIN_MTU;
use crate::mac::Mac;
use crate::world::World;

use super::state::IPV4_MIN_MTU;

impl World {
    /// Gives a device a MAC by hand.
    ///
    /// # Errors
    /// `EADDRNOTAVAIL` for a group address or zero, `EADDRINUSE` for one that another macvlan of the lower
    /// device, or that itself, has.
    pub(crate) fn set_mac(&mut self, dev: DevId, mac: Mac) -> Result<(), Failure> {
        let Some(device) = self.devs.get(dev) else { return Err(Errno::ENODEV.into()) };
        // `ndo_set_mac_address`: ifb has none, the loopback device that of Ethernet.
        if !(device.is_ethernet() || device.is_loopback()) || matches!(device.kind, Kind::Ifb) {
            return Err(Errno::EOPNOTSUPP.into());
        }
        if matches!(device.kind, Kind::Ipvlan(_)) {
            return Err(Errno::EOPNOTSUPP.into());
        }
        if !mac.is_valid_source() {
            return Err(Errno::EADDRNOTAVAIL.into());
        }
        let (old, up) = (device.mac, device.is_up());
        match &device.kind {
            Kind::Macvlan(state) => {
                let lower = state.lower;
                if old == mac {
                    return Ok(());
                }
                if self.macvlan_port(lower).is_some_and(|port| port.is_passthru()) {
                    return self.set_passthru_mac(lower, mac);
                }
                self.change_macvlan_mac(dev, lower, mac)?;
            }
            Kind::Vlan(state) => {
                let lower = state.lower;
                let below = self.devs.get(lower).map(|below| below.mac);
                if up {
                    if below != Some(mac) {
                        self.add_unicast(lower, mac);
                    }
                    if below != Some(old) {
                        self.remove_unicast(lower, old);
                    }
                }
            }
            Kind::Macsec(state) => {
                let lower = state.lower;
                if up {
                    self.add_unicast(lower, mac);
                    self.remove_unicast(lower, old);
                }
            }
            Kind::Team(_) => {
                self.set_team_mac(dev, mac);
                return Ok(());
            }
            Kind::Bond(_) => {
                let (ns, ifindex) = (device.ns, device.ifindex);
                let takes = self.set_bond_mac(dev, mac)?;
                self.store_mac(dev, if takes { mac } else { old }, AddrAssign::Set);
                if !takes {
                    // All hear that it has changed, though it has not.
                    self.forget_resolved(ns, ifindex);
                }
                return Ok(());
            }
            _ => {}
        }
        self.store_mac(dev, mac, AddrAssign::Set);
        Ok(())
    }

    /// `macvlan_set_mac_address`: the new MAC must be free, up or down.
    fn change_macvlan_mac(&mut self, dev: DevId, lower: DevId, mac: Mac) -> Result<(), Failure> {
        let Some(device) = self.devs.get(dev) else { return Err(Errno::ENODEV.into()) };
        let (old, up) = (device.mac, device.is_up());
        // `macvlan_addr_busy`
        let lower_mac = self.devs.get(lower).map(|below| below.mac);
        let taken = self.macvlan_port(lower).is_some_and(|port| port.lookup(mac).is_some());
        if taken || lower_mac == Some(mac) {
            return Err(Errno::EADDRINUSE.into());
        }
        if !up {
            if let Some(member) = self.macvlan_port(lower).and_then(|port| port.member_mut(dev)) {
                member.mac = mac;
            }
            return Ok(());
        }
        self.add_unicast(lower, mac);
        self.remove_unicast(lower, old);
        if let Some(port) = self.macvlan_port(lower) {
            port.set_up(dev, true, mac);
        }
        Ok(())
    }

    /// A passthru macvlan's MAC is its lower device's.
    fn set_passthru_mac(&mut self, lower: DevId, mac: Mac) -> Result<(), Failure> {
        let now = self.devs.get(lower).map(|below| below.mac);
        let before = self.macvlan_port(lower).and_then(|port| port.lower_mac_before).or(now);
        self.store_mac(lower, mac, AddrAssign::Set);
        if let Some(port) = self.macvlan_port(lower) {
            port.lower_mac_before = before;
        }
        Ok(())
    }

    /// Stores a MAC and tells everything that stands on the device.
    pub(crate) fn store_mac(&mut self, dev: DevId, mac: Mac, assign: AddrAssign) {
        if let Some(old) = self.assign_mac(dev, mac, assign) {
            self.mac_changed(dev, old);
        }
    }

    /// Gives a device another MAC, of which nobody is told yet; the one of before.
    pub(super) fn assign_mac(&mut self, dev: DevId, mac: Mac, assign: AddrAssign) -> Option<Mac> {
        let device = self.devs.get_mut(dev)?;
        let old = std::mem::replace(&mut device.mac, mac);
        device.addr_assign = assign;
        if let Kind::Bridge(bridge) = &mut device.kind
            && assign == AddrAssign::Set
        {
            bridge.mac_set = true;
        }
        if old != mac && matches!(device.kind, Kind::Bridge(_)) {
            self.bridge_mac_changed(dev, old, mac);
        }
        self.changed();
        Some(old)
    }

    /// `NETDEV_CHANGEADDR`, in the order in which they hear of it: who listens, neighbours, what stands on the device.
    pub(super) fn mac_changed(&mut self, dev: DevId, old: Mac) {
        let Some(device) = self.devs.get(dev) else { return };
        let mac = device.mac;
        let (ns, ifindex, handler) = (device.ns, device.ifindex, device.rx_handler.clone());
        self.notify_link(dev);
        if old != mac {
            // `arp_netdev_event`: what was resolved over the old address is void.
            self.forget_resolved(ns, ifindex);
            self.announce_addresses(dev);
        }
        for vlan in self.devs.get(dev).map(|device| device.vlans.clone()).unwrap_or_default() {
            self.vlan_follows(vlan.1, old, mac);
        }
        match handler {
            RxHandler::MacvlanPort(port) if port.is_passthru() => {
                if let Some(member) = port.members.first() {
                    let upper = member.dev;
                    if let Some(port) = self.macvlan_port(dev)
                        && let Some(member) = port.member_mut(upper)
                    {
                        member.mac = mac;
                        let up = member.up;
                        port.set_up(upper, up, mac);
                        // `macvlan_sync_address`: what the lower device was given by itself, it keeps.
                        port.lower_mac_before = None;
                    }
                    if self.devs.get(upper).is_some_and(|upper| upper.mac != mac) {
                        self.store_mac(upper, mac, AddrAssign::Set);
                    }
                }
            }
            RxHandler::IpvlanPort(_) => self.ipvlans_follow_mac(dev, mac),
            RxHandler::BridgePort { bridge } => {
                self.port_mac_changed(bridge, dev, old, mac);
                self.notify_bridge_link(dev);
            }
            RxHandler::BondSlave { bond } => self.slave_mac_changed(bond, dev, mac),
            _ => {}
        }
    }

    /// `vlan_sync_address`: a VLAN that inherited its MAC follows, if it is up.
    fn vlan_follows(&mut self, vlan: DevId, old: Mac, new: Mac) {
        let Some(device) = self.devs.get(vlan) else { return };
        if !device.is_up() {
            return;
        }
        let Some(lower) = device.lower() else { return };
        if device.addr_assign == AddrAssign::Stolen {
            return self.store_mac(vlan, new, AddrAssign::Stolen);
        }
        let own = device.mac;
        if own != old && own == new {
            self.remove_unicast(lower, own);
        } else if own == old && own != new {
            self.add_unicast(lower, own);
        }
    }

    /// Puts a device into a group; rules may look at it.
    pub(crate) fn set_group(&mut self, dev: DevId, group: u32) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        device.group = group;
        let (ns, ifindex) = (device.ns, device.ifindex);
        if let Some(fib) = self.fib.get_mut(ns) {
            fib.set_device_group(ifindex, group);
        }
        self.changed();
    }

    /// Sets a device's MTU.
    ///
    /// # Errors
    /// `EINVAL` with the kernel's text outside the device's bounds or above a lower device's; `ERANGE` for a
    /// VLAN above its lower device's.
    pub(crate) fn set_mtu(&mut self, dev: DevId, mtu: u32) -> Result<(), Failure> {
        let Some(device) = self.devs.get(dev) else { return Err(Errno::ENODEV.into()) };
        if device.mtu == mtu {
            return Ok(());
        }
        if mtu > i32::MAX as u32 || mtu < device.min_mtu {
            return Err(Failure::with_text(Errno::EINVAL, "mtu less than device minimum"));
        }
        if device.max_mtu > 0 && mtu > device.max_mtu {
            return Err(Failure::with_text(Errno::EINVAL, "mtu greater than device maximum"));
        }
        let below = device.lower().and_then(|lower| self.devs.get(lower)).map(|below| below.mtu);
        match (&device.kind, below) {
            (Kind::Macvlan(_), Some(below)) if mtu > below => return Err(Errno::EINVAL.into()),
            (Kind::Vlan(vlan), _) if self.vlan_mtu_most(vlan.lower).is_some_and(|most| mtu > most) => {
                return Err(Errno::ERANGE.into());
            }
            // `macsec_change_mtu`
            (Kind::Macsec(state), Some(below)) if mtu > below.wrapping_sub(state.overhead()) => {
                return Err(Errno::ERANGE.into());
            }
            // `vcan_change_mtu`
            (Kind::Vcan | Kind::Vxcan(_), _) if device.is_up() => return Err(Errno::EBUSY.into()),
            (Kind::Vcan | Kind::Vxcan(_), _) if !crate::dev::can::is_mtu(mtu) => {
                return Err(Errno::EINVAL.into());
            }
            // `__ip_tunnel_change_mtu`
            (Kind::IpTunnel(state), _)
                if state.variant != Variant4::Sit && !(68..=65_515 - state.headroom()).contains(&mtu) =>
            {
                return Err(Errno::EINVAL.into());
            }
            // `ip6_tnl_change_mtu`
            (Kind::Ip6Tunnel(state), _) if !ip6_tunnel_mtu_fits(state, mtu) => {
                return Err(Errno::EINVAL.into());
            }
            (Kind::Ipoib(state), _) if !state.takes_mtu(mtu) => return Err(Errno::EINVAL.into()),
            // `vxlan_change_mtu`
            (Kind::Vxlan(state), _) if self.vxlan_room(state).is_some_and(|room| mtu > room) => {
                return Err(Errno::EINVAL.into());
            }
            _ => {}
        }
        if matches!(device.rx_handler, RxHandler::TeamPort { .. }) {
            // The team's `NETDEV_PRECHANGEMTU`
            return Err(Errno::EPERM.into());
        }
        self.set_bond_mtu(dev, mtu)?;
        self.set_team_mtu(dev, mtu)?;
        self.store_mtu(dev, mtu);
        if let Some(Kind::Bridge(bridge)) = self.devs.get_mut(dev).map(|device| &mut device.kind) {
            bridge.mtu_set = true;
        }
        Ok(())
    }

    pub(super) fn store_mtu(&mut self, dev: DevId, mtu: u32) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        let (old, ns, ifindex) = (device.mtu, device.ns, device.ifindex);
        device.mtu = mtu;
        self.changed();
        self.notify_link(dev);
        self.routes.exceptions.device_mtu_changed(ns, ifindex, old, mtu);
        let Some(device) = self.devs.get(dev) else { return };
        let (uppers, handler) = (device.uppers.clone(), device.rx_handler.clone());
        // `inetdev_event`: too small for IPv4, the device loses its addresses.
        let (had, has) = (device.has_ipv4, mtu >= IPV4_MIN_MTU);
        if had && !has {
            self.lose_addresses(dev);
            self.leave_ipv4_groups(dev);
            self.notify_ipv4_configuration(dev, true);
        }
        if let Some(device) = self.devs.get_mut(dev) {
            device.has_ipv4 = has;
        }
        if has && !had {
            self.ipv4_begins_anew(dev);
            self.rejoin_ipv4_groups(dev);
            self.notify_ipv4_configuration(dev, false);
        }
        let has_ipv6 = |world: &World| world.devs.get(dev).is_some_and(|device| device.has_ipv6);
        let had = has_ipv6(self);
        if mtu < MIN_MTU && self.devs.get(dev).is_some_and(|device| !device.is_loopback()) {
            self.notify_ipv6_configuration(dev, true);
        }
        self.ip6_mtu_changed(dev, old);
        if !had && has_ipv6(self) {
            self.notify_ipv6_configuration(dev, false);
        }
        for upper in uppers {
            if let Some(upper) = self.devs.get_mut(upper)
                && matches!(upper.kind, Kind::Ipvlan(_))
            {
                // `ipvlan_adjust_mtu` tells nobody.
                upper.mtu = mtu;
                continue;
            }
            // `macsec_notify` leaves room for what a frame grows by.
            let most = match self.devs.get(upper).map(|upper| &upper.kind) {
                Some(Kind::Macsec(state)) => mtu.saturating_sub(state.overhead()),
                _ => mtu,
            };
            // `dev_set_mtu` takes none below the least: a macvlan then keeps what it has.
            if self.devs.get(upper).is_some_and(|upper| upper.mtu > most && most >= upper.min_mtu) {
                self.store_mtu(upper, most);
            }
        }
        if let RxHandler::BridgePort { bridge } = handler {
            self.adjust_bridge_mtu(bridge);
        }
        self.changed();
    }

    /// `inetdev_init`: a device that has IPv4 again has the settings of a new one.
    fn ipv4_begins_anew(&mut self, dev: DevId) {
        let Some(ns) = self.devs.get(dev).map(|device| device.ns) else { return };
        let (neigh_params, _) = self.new_neigh_params(ns);
        let Some(conf) = self.netns.get(ns).map(|netns| netns.sysctl.default.clone()) else { return };
        if let Some(device) = self.devs.get_mut(dev) {
            (device.ipv4_conf, device.neigh_params) = (conf, neigh_params);
        }
        self.settle_ignore_linkdown(dev);
    }

    /// `br_mtu_auto_adjust`: until one is set by hand, a bridge has its ports' least MTU.
    pub(super) fn adjust_bridge_mtu(&mut self, bridge: DevId) {
        let Some(Kind::Bridge(state)) = self.devs.get(bridge).map(|device| &device.kind) else { return };
        if state.mtu_set {
            return;
        }
        let least = state.ports.iter().filter_map(|port| self.devs.get(port.dev)).map(|port| port.mtu).min();
        let mtu = least.unwrap_or(1500);
        if self.devs.get(bridge).is_some_and(|device| device.mtu != mtu) {
            self.store_mtu(bridge, mtu);
        }
    }
}

/// `ip6_tnl_change_mtu`
fn ip6_tunnel_mtu_fits(state: &Ip6Tunnel, mtu: u32) -> bool {
    /// `IP6_MAX_MTU`, `IP_MAX_MTU`
    const MOST_IPV6: u32 = 65_535 + 40;
    const MOST_IPV4: u32 = 65_535;
    let carried = state.config.protocol;
    let least = if carried == protocol::IPV6 { MIN_MTU } else { IPV4_MIN_MTU };
    let most = if carried == protocol::IPV6 || carried == 0 { MOST_IPV6 } else { MOST_IPV4 };
    let (frames, gre) = (state.variant == Variant::Ip6GreTap, state.gre_len());
    let link = if frames { ETH_LEN as u32 } else { 0 };
    (least..=most - link - 40 - gre).contains(&mtu)
}
