//! Promiscuity and address lists of devices, and how stacked devices pass them down
//! (net/core/dev_addr_lists.c, `__dev_set_rx_mode`).

use crate::dev::{GroupFilter, Kind, RxHandler};
use crate::device::{DevId, Device, MacList};
use crate::mac::Mac;
use crate::world::World;

impl World {
    /// `dev_set_promiscuity`: so many more (or fewer) users want every frame.
    pub(crate) fn set_promiscuity(&mut self, dev: DevId, by: i32) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        let before = device.promiscuity > 0;
        device.promiscuity = device.promiscuity.saturating_add_signed(by);
        let after = device.promiscuity > 0;
        if before != after {
            if device.is_up()
                && let Some(lower) = stacked_on(device)
                && self.passes_promiscuity(dev, lower)
            {
                self.set_promiscuity(lower, if after { 1 } else { -1 });
            }
            for slave in self.bond_filter_devices(dev) {
                self.set_promiscuity(slave, if after { 1 } else { -1 });
            }
            self.manage_bridge_promiscuity(dev);
            self.refresh_filter(dev);
            self.changed();
            self.notify_link(dev);
        }
    }

    /// `dev_set_allmulti`
    pub(crate) fn set_allmulti(&mut self, dev: DevId, by: i32) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        let before = device.allmulti > 0;
        device.allmulti = device.allmulti.saturating_add_signed(by);
        let after = device.allmulti > 0;
        if before != after {
            // `ipvlan_change_rx_flags` does not ask whether the device is up.
            if (device.is_up() || matches!(device.kind, Kind::Ipvlan(_)))
                && let Some(lower) = stacked_on(device)
            {
                self.set_allmulti(lower, if after { 1 } else { -1 });
            }
            for slave in self.bond_filter_devices(dev) {
                self.set_allmulti(slave, if after { 1 } else { -1 });
            }
            self.refresh_filter(dev);
            self.changed();
            self.notify_link(dev);
        }
    }

    /// `ip link set DEV promisc on`
    pub(crate) fn set_user_promisc(&mut self, dev: DevId, on: bool) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        if device.user_promisc != on {
            device.user_promisc = on;
            self.set_promiscuity(dev, if on { 1 } else { -1 });
        }
    }

    /// `ip link set DEV allmulticast on`
    pub(crate) fn set_user_allmulti(&mut self, dev: DevId, on: bool) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        if device.user_allmulti != on {
            device.user_allmulti = on;
            self.set_allmulti(dev, if on { 1 } else { -1 });
        }
    }

    /// What a stacked device wants of its lower device when it goes up, and no longer when it goes down.
    pub(super) fn pass_filters_down(&mut self, dev: DevId, up: bool) {
        let Some(device) = self.devs.get(dev) else { return };
        let Some(lower) = stacked_on(device) else { return };
        let (promisc, allmulti) = (device.promiscuity > 0, device.allmulti > 0);
        let by = if up { 1 } else { -1 };
        let groups = device.multicast.clone();
        if promisc && self.passes_promiscuity(dev, lower) {
            self.set_promiscuity(lower, by);
        }
        if allmulti && !matches!(self.devs.get(dev).map(|device| &device.kind), Some(Kind::Ipvlan(_))) {
            self.set_allmulti(lower, by);
        }
        for (group, _) in groups {
            match up {
                true => self.join_group(lower, group),
                false => self.leave_group(lower, group),
            }
        }
        self.refresh_filter(dev);
    }

    /// Whether a device that wants every frame makes the one below promiscuous: an ipvlan does not, nor does a
    /// passthru macvlan, which has made it so already.
    fn passes_promiscuity(&self, dev: DevId, lower: DevId) -> bool {
        let ipvlan = matches!(self.devs.get(dev).map(|device| &device.kind), Some(Kind::Ipvlan(_)));
        let passthru = matches!(
            self.devs.get(lower).map(|device| &device.rx_handler),
            Some(RxHandler::MacvlanPort(port)) if port.is_passthru()
        );
        !ipvlan && !passthru
    }

    /// `dev_mc_add`
    pub(crate) fn join_group(&mut self, dev: DevId, group: Mac) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        if add(&mut device.multicast, group) && device.is_up() {
            let lower = stacked_on(device);
            for lower in lower.into_iter().chain(self.bond_filter_devices(dev)) {
                self.join_group(lower, group);
            }
        }
        self.refresh_filter(dev);
    }

    /// `dev_mc_del`
    pub(crate) fn leave_group(&mut self, dev: DevId, group: Mac) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        if remove(&mut device.multicast, group) && device.is_up() {
            let lower = stacked_on(device);
            for lower in lower.into_iter().chain(self.bond_filter_devices(dev)) {
                self.leave_group(lower, group);
            }
        }
        self.refresh_filter(dev);
    }

    /// `dev_uc_add`: a secondary unicast address. A device without a filter for such becomes promiscuous.
    pub(crate) fn add_unicast(&mut self, dev: DevId, mac: Mac) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        add(&mut device.unicast, mac);
        self.sync_unicast(dev);
    }

    /// `dev_uc_del`. True if the address was there.
    pub(crate) fn remove_unicast(&mut self, dev: DevId, mac: Mac) -> bool {
        let Some(device) = self.devs.get_mut(dev) else { return false };
        let known = device.unicast.iter().any(|(known, _)| *known == mac);
        remove(&mut device.unicast, mac);
        self.sync_unicast(dev);
        known
    }

    /// `__dev_set_rx_mode`: nothing happens while the device is down, and is made up for when it goes up.
    pub(super) fn sync_unicast(&mut self, dev: DevId) {
        let Some(device) = self.devs.get_mut(dev).filter(|device| device.is_up()) else { return };
        // `IFF_UNICAST_FLT`
        let filters = matches!(
            device.kind,
            Kind::Nic { .. }
                | Kind::Macvlan(_)
                | Kind::Ipvlan(_)
                | Kind::Vlan(_)
                | Kind::Bond(_)
                | Kind::Team(_)
        );
        let wanted = !filters && !device.unicast.is_empty();
        if wanted != device.uc_promisc {
            device.uc_promisc = wanted;
            self.set_promiscuity(dev, if wanted { 1 } else { -1 });
        }
        let Some(device) = self.devs.get(dev).filter(|device| device.is_up()) else { return };
        let lowers: Vec<DevId> =
            stacked_on(device).into_iter().chain(self.bond_filter_devices(dev)).collect();
        for lower in lowers {
            // `dev_uc_sync`: what stands on a stacked device reaches the lower one.
            let Some(device) = self.devs.get(dev) else { return };
            let wanted: Vec<Mac> = device.unicast.iter().map(|(mac, _)| *mac).collect();
            let missing: Vec<Mac> = match self.devs.get(lower) {
                Some(below) => {
                    wanted.into_iter().filter(|mac| !below.unicast.iter().any(|(m, _)| m == mac)).collect()
                }
                None => Vec::new(),
            };
            for mac in missing {
                self.add_unicast(lower, mac);
            }
        }
    }

    /// `macvlan_compute_filter`, `ipvlan_set_multicast_mac_filter`: tells the port which groups a device takes.
    pub(super) fn refresh_filter(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        let lower = match &device.kind {
            Kind::Macvlan(state) => state.lower,
            Kind::Ipvlan(state) => state.lower,
            _ => return,
        };
        let all = device.promiscuity > 0 || device.allmulti > 0;
        let mut groups: Vec<Mac> = device.multicast.iter().map(|(group, _)| *group).collect();
        groups.push(device.broadcast);
        let filter = GroupFilter { all, groups };
        match self.devs.get_mut(lower).map(|below| &mut below.rx_handler) {
            Some(RxHandler::MacvlanPort(port)) => {
                if let Some(member) = port.member_mut(dev) {
                    member.filter = filter;
                }
            }
            Some(RxHandler::IpvlanPort(port)) => {
                if let Some(member) = port.member_mut(dev) {
                    member.filter = filter;
                }
            }
            _ => {}
        }
    }
}

/// The device whose filters carry those of this one.
fn stacked_on(device: &Device) -> Option<DevId> {
    match &device.kind {
        Kind::Macvlan(macvlan) => Some(macvlan.lower),
        Kind::Ipvlan(ipvlan) => Some(ipvlan.lower),
        Kind::Vlan(vlan) => Some(vlan.lower),
        Kind::Macsec(macsec) => Some(macsec.lower),
        _ => None,
    }
}

/// One more user of an address. True if it is the first.
fn add(list: &mut MacList, mac: Mac) -> bool {
    match list.iter_mut().find(|(known, _)| *known == mac) {
        Some((_, users)) => {
            *users += 1;
            false
        }
        None => {
            list.push((mac, 1));
            true
        }
    }
}

/// One user fewer. True if it was the last.
fn remove(list: &mut MacList, mac: Mac) -> bool {
    let Some(at) = list.iter().position(|(known, _)| *known == mac) else { return false };
    if list[at].1 > 1 {
        list[at].1 -= 1;
        return false;
    }
    list.remove(at);
    true
}
