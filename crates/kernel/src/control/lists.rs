//! Promiscuity and address lists of devices, and how stacked devices pass them down
//! (`__dev_set_rx_mode`, `dev_change_rx_flags`, net/core/dev_addr_lists.c).

use hairpin_netlink::Errno;

use crate::dev::{GroupFilter, Kind, RxHandler};
use crate::device::{DevId, Device};
use crate::mac::Mac;
use crate::mac_list::MacList;
use crate::netns::NsId;
use crate::world::World;

/// Which of a device's lists.
#[derive(Clone, Copy)]
enum List {
    Unicast,
    Multicast,
}

/// What is done between a device's list and that of the device below.
type Pass = fn(&mut MacList, &mut MacList);

impl World {
    /// `dev_set_promiscuity`: so many more (or fewer) users want every frame.
    pub(crate) fn set_promiscuity(&mut self, dev: DevId, by: i32) {
        let changes = self.change_promiscuity(dev, by);
        self.changed();
        // Of one user more or fewer is told too.
        self.notify_link(dev);
        if changes {
            self.set_rx_mode(dev);
        }
    }

    /// `__dev_set_promiscuity`. True if the device came to want every frame, or does no longer.
    fn change_promiscuity(&mut self, dev: DevId, by: i32) -> bool {
        let Some(device) = self.devs.get_mut(dev) else { return false };
        let before = device.promiscuity > 0;
        // Below nought it goes on from the other end, where one more is refused.
        match device.promiscuity.wrapping_add_signed(by) {
            0 if by > 0 => return false,
            count => device.promiscuity = count,
        }
        let after = device.promiscuity > 0;
        if before == after {
            return false;
        }
        let passed = if after { 1 } else { -1 };
        // `ndo_change_rx_flags`
        match &device.kind {
            Kind::Macvlan(state) if device.is_up() => {
                let lower = state.lower;
                if !self.is_passthru_lower(lower) {
                    self.set_promiscuity(lower, passed);
                }
            }
            Kind::Vlan(state) => {
                let lower = state.lower;
                self.set_promiscuity(lower, passed);
            }
            Kind::Macsec(state) if device.is_up() => {
                let lower = state.lower;
                self.set_promiscuity(lower, passed);
            }
            Kind::Bridge(_) => self.manage_bridge_promiscuity(dev),
            _ => {
                for slave in self.bond_filter_devices(dev) {
                    self.set_promiscuity(slave, passed);
                }
            }
        }
        true
    }

    /// `dev_set_allmulti`
    ///
    /// Nobody is told: of flags only those count that somebody has set (`__dev_notify_flags`).
    pub(crate) fn set_allmulti(&mut self, dev: DevId, by: i32) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        let before = device.allmulti > 0;
        device.allmulti = device.allmulti.saturating_add_signed(by);
        let after = device.allmulti > 0;
        if before == after {
            return;
        }
        let passed = if after { 1 } else { -1 };
        let lower = match &device.kind {
            Kind::Macvlan(state) => Some(state.lower).filter(|_| device.is_up()),
            // These two do not ask whether they are up.
            Kind::Vlan(state) => Some(state.lower),
            Kind::Ipvlan(state) => Some(state.lower),
            // `macsec_dev_change_rx_flags`
            Kind::Macsec(state) => Some(state.lower).filter(|_| device.is_up()),
            _ => None,
        };
        for below in lower.into_iter().chain(self.bond_filter_devices(dev)) {
            self.set_allmulti(below, passed);
        }
        self.set_rx_mode(dev);
        self.changed();
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
            self.notify_link(dev);
        }
    }

    /// What a macvlan or MACsec device that goes up, or down, wants of its lower device besides its address (`macvlan_open`).
    pub(super) fn pass_flags(&mut self, dev: DevId, lower: DevId, by: i32) {
        let Some(device) = self.devs.get(dev) else { return };
        let (promisc, allmulti) = (device.promiscuity > 0, device.allmulti > 0);
        if allmulti {
            self.set_allmulti(lower, by);
        }
        if promisc {
            self.set_promiscuity(lower, by);
        }
    }

    /// Whether the macvlans on a device are one in passthru mode.
    pub(super) fn is_passthru_lower(&self, lower: DevId) -> bool {
        matches!(
            self.devs.get(lower).map(|device| &device.rx_handler),
            Some(RxHandler::MacvlanPort(port)) if port.is_passthru()
        )
    }

    /// `dev_mc_add`
    pub(crate) fn join_group(&mut self, dev: DevId, group: Mac) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        device.multicast.add(group);
        self.set_rx_mode(dev);
    }

    /// `dev_mc_del`. True if the group was there.
    pub(crate) fn leave_group(&mut self, dev: DevId, group: Mac) -> bool {
        let known = self.devs.get_mut(dev).is_some_and(|device| device.multicast.remove(group));
        if known {
            self.set_rx_mode(dev);
        }
        known
    }

    /// `SIOCADDMULTI`, `SIOCDELMULTI`: a group that a user of the machine wants a device to listen to.
    ///
    /// # Errors
    /// `ENODEV`; `EINVAL`: a device without a filter (`ndo_set_rx_mode`); `ENOENT`: nobody has asked for the group.
    pub(crate) fn change_link_group(
        &mut self,
        ns: NsId,
        name: &str,
        group: Mac,
        join: bool,
    ) -> Result<(), Errno> {
        let dev = self.device_named(ns, name).ok_or(Errno::ENODEV)?;
        let device = self.devs.get_mut(dev).ok_or(Errno::ENODEV)?;
        if !device.has_ethernet_filter() {
            return Err(Errno::EINVAL);
        }
        if join {
            device.multicast.add_global(group);
        } else if !device.multicast.remove_global(group) {
            return Err(Errno::ENOENT);
        }
        self.set_rx_mode(dev);
        self.changed();
        Ok(())
    }

    /// `dev_uc_add`: a secondary unicast address. A device without a filter for such becomes promiscuous.
    pub(crate) fn add_unicast(&mut self, dev: DevId, mac: Mac) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        device.unicast.add(mac);
        self.set_rx_mode(dev);
    }

    /// `dev_uc_del`. True if the address was there.
    pub(crate) fn remove_unicast(&mut self, dev: DevId, mac: Mac) -> bool {
        let known = self.devs.get_mut(dev).is_some_and(|device| device.unicast.remove(mac));
        if known {
            self.set_rx_mode(dev);
        }
        known
    }

    /// `dev_uc_add_excl`, `dev_mc_add_excl`. False if the address is there already.
    pub(crate) fn add_filter(&mut self, dev: DevId, mac: Mac) -> bool {
        let Some(device) = self.devs.get_mut(dev) else { return false };
        let list = if mac.is_group() { &mut device.multicast } else { &mut device.unicast };
        let new = list.add_by_hand(mac);
        if new {
            self.set_rx_mode(dev);
        }
        new
    }

    /// `__dev_set_rx_mode`: nothing happens while the device is down, and is made up for when it goes up.
    pub(crate) fn set_rx_mode(&mut self, dev: DevId) {
        let Some(device) = self.devs.get_mut(dev).filter(|device| device.is_up()) else { return };
        let wanted = !device.filters_unicast() && !device.unicast.is_empty();
        if wanted != device.uc_promisc {
            device.uc_promisc = wanted;
            self.change_promiscuity(dev, if wanted { 1 } else { -1 });
        }
        // `ndo_set_rx_mode`
        match self.devs.get(dev).map(|device| &device.kind) {
            Some(Kind::Macvlan(state)) => {
                let lower = state.lower;
                self.refresh_filter(dev);
                self.pass_list(List::Unicast, dev, lower, MacList::pass_to);
                self.pass_list(List::Multicast, dev, lower, MacList::pass_to);
                self.refresh_macvlan_port_filter(lower);
            }
            Some(Kind::Ipvlan(state)) => {
                let lower = state.lower;
                self.refresh_filter(dev);
                self.pass_list(List::Unicast, dev, lower, MacList::pass_to);
                self.pass_list(List::Multicast, dev, lower, MacList::pass_to);
            }
            Some(Kind::Vlan(state)) => {
                let lower = state.lower;
                self.pass_list(List::Multicast, dev, lower, MacList::pass_to);
                self.pass_list(List::Unicast, dev, lower, MacList::pass_to);
            }
            Some(Kind::Macsec(state)) => {
                let lower = state.lower;
                self.pass_list(List::Multicast, dev, lower, MacList::pass_to);
                self.pass_list(List::Unicast, dev, lower, MacList::pass_to);
            }
            Some(Kind::Bond(_) | Kind::Team(_)) => {
                for slave in self.bond_filter_devices(dev) {
                    self.pass_lists(dev, slave);
                }
            }
            _ => {}
        }
    }

    /// A bond's or team's addresses are those of its slaves too.
    pub(super) fn pass_lists(&mut self, dev: DevId, slave: DevId) {
        let pass: Pass = match self.bond(dev).is_some_and(|bond| bond.params.mode.uses_primary()) {
            true => MacList::pass_to,
            false => MacList::pass_to_one_of,
        };
        self.pass_list(List::Unicast, dev, slave, pass);
        self.pass_list(List::Multicast, dev, slave, pass);
    }

    /// `dev_uc_unsync`, `dev_mc_unsync`: what a device has passed to the one below is taken back.
    pub(super) fn take_lists(&mut self, dev: DevId, lower: DevId) {
        self.pass_list(List::Unicast, dev, lower, MacList::take_from);
        self.pass_list(List::Multicast, dev, lower, MacList::take_from);
    }

    fn pass_list(&mut self, list: List, dev: DevId, lower: DevId, pass: Pass) {
        fn of(device: &mut Device, list: List) -> &mut MacList {
            match list {
                List::Unicast => &mut device.unicast,
                List::Multicast => &mut device.multicast,
            }
        }
        let Some(device) = self.devs.get_mut(dev) else { return };
        let mut own = std::mem::take(of(device, list));
        if let Some(below) = self.devs.get_mut(lower) {
            pass(&mut own, of(below, list));
        }
        if let Some(device) = self.devs.get_mut(dev) {
            *of(device, list) = own;
        }
        self.set_rx_mode(lower);
    }

    /// `macvlan_compute_filter`, `ipvlan_set_multicast_mac_filter`: tells the port which groups a device takes.
    pub(super) fn refresh_filter(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        let lower = match &device.kind {
            Kind::Macvlan(state) => state.lower,
            Kind::Ipvlan(state) => state.lower,
            _ => return,
        };
        let filter = group_filter(device);
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

    /// The groups that a lower device hands to its macvlans: those of its own list as it is when a macvlan's list
    /// changes, and not before the next change (`macvlan_set_mac_lists`).
    fn refresh_macvlan_port_filter(&mut self, lower: DevId) {
        let Some(filter) = self.devs.get(lower).map(group_filter) else { return };
        if let Some(port) = self.macvlan_port(lower) {
            port.filter = filter;
        }
    }
}

/// The groups that a device listens to: all, or those of its list and the broadcast address.
fn group_filter(device: &Device) -> GroupFilter {
    let all = device.promiscuity > 0 || device.allmulti > 0;
    GroupFilter::new(all, device.multicast.macs().chain([device.broadcast]))
}
