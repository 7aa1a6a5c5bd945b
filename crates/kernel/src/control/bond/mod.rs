//! Bonds among the other devices: the bond goes up and down, and what a slave does is noticed.
//!
//! * [`slaves`] slaves come and go
//! * [`active`] which slave is the active one, and what its change entails
//! * [`monitor`] the watching of links, by carrier and by ARP
//! * [`balance`] the clockwork of 802.3ad, balance-tlb and balance-alb
//! * [`options`] options are set

mod active;
mod balance;
mod monitor;
mod options;
mod slaves;

use hairpin_netlink::{Errno, Failure};

pub(crate) use options::{OptionValue, replace_targets};

use crate::dev::Kind;
use crate::dev::bond::options::Mode;
use crate::dev::bond::{Bond, Link};
use crate::device::{DevId, Stats};
use crate::mac::Mac;
use crate::world::World;

/// Where LACP units go; slaves in 802.3ad listen to it.
const SLOW_PROTOCOLS: Mac = Mac(hairpin_wire::lacp::GROUP);

impl World {
    pub(crate) fn bond(&self, dev: DevId) -> Option<&Bond> {
        match &self.devs.get(dev)?.kind {
            Kind::Bond(bond) => Some(bond),
            _ => None,
        }
    }

    pub(crate) fn bond_mut(&mut self, dev: DevId) -> Option<&mut Bond> {
        match &mut self.devs.get_mut(dev)?.kind {
            Kind::Bond(bond) => Some(bond),
            _ => None,
        }
    }

    /// The devices that a bond stands on.
    pub(crate) fn bond_slaves(&self, bond: DevId) -> Vec<DevId> {
        self.bond(bond).map(|bond| bond.slaves.iter().map(|slave| slave.dev).collect()).unwrap_or_default()
    }

    /// `bond_open`
    pub(super) fn open_bond(&mut self, bond: DevId) {
        let Some(state) = self.bond_mut(bond) else { return };
        state.up = true;
        let mode = state.params.mode;
        let active = state.active;
        for dev in state.slaves.iter().map(|slave| slave.dev).collect::<Vec<_>>() {
            if mode.uses_primary() && active != Some(dev) {
                self.deactivate_slave(bond, dev);
            } else if mode != Mode::Lacp {
                self.activate_slave(bond, dev);
            }
        }
        let Some(state) = self.bond_mut(bond) else { return };
        if mode == Mode::Lacp {
            state.ad_select_soon();
        }
        if mode.balances_load() {
            state.alb = Some(Box::new(crate::dev::bond::alb::Alb::new(mode == Mode::Alb)));
            state.alb_slave_up();
        }
        for slave in self.bond_slaves(bond) {
            if mode == Mode::Lacp {
                self.join_group(slave, SLOW_PROTOCOLS);
            }
        }
        self.find_usable_slaves(bond);
    }

    /// The monitors of a bond that has gone up have their first run at once.
    pub(super) fn bond_opened(&mut self, bond: DevId) {
        let Some(state) = self.bond(bond) else { return };
        let (mode, params) = (state.params.mode, &state.params);
        let (miimon, arp, dynamic) = (params.miimon, params.arp_interval, params.tlb_dynamic_lb);
        if mode.balances_load() && (dynamic || mode == Mode::Alb) {
            self.run_alb(bond);
        }
        if miimon > 0 {
            self.run_mii_monitor(bond);
        }
        if arp > 0 {
            self.run_arp_monitor(bond);
        }
        if mode == Mode::Lacp {
            self.run_lacp(bond);
        }
    }

    /// `bond_close`
    pub(super) fn close_bond(&mut self, bond: DevId) {
        let Some(state) = self.bond_mut(bond) else { return };
        state.up = false;
        state.peer_notices = 0;
        state.alb = None;
        for serial in &mut state.serials {
            *serial = serial.wrapping_add(1);
        }
        let (mode, active) = (state.params.mode, state.active);
        for slave in self.bond_slaves(bond) {
            if !mode.uses_primary() || active == Some(slave) {
                self.take_lists(bond, slave);
            }
            if mode == Mode::Lacp {
                self.leave_group(slave, SLOW_PROTOCOLS);
            }
        }
    }

    /// `bond_slave_netdev_event`: a slave went up or down, or its link did.
    pub(super) fn bond_slave_changed(&mut self, bond: DevId, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        let (up, running) = (device.is_up(), device.can_transmit());
        let Some(slave) = self.bond_mut(bond).and_then(|state| state.slave_mut(dev)) else { return };
        slave.running = running;
        if up {
            self.slave_link_told(bond, dev);
        }
        self.find_usable_slaves(bond);
    }

    /// A slave that is up says that its link has changed: its speed may be another one, and with 802.3ad its key. A
    /// link without a speed is of no use there.
    fn slave_link_told(&mut self, bond: DevId, dev: DevId) {
        self.refresh_slave_speed(bond, dev);
        let Some(state) = self.bond_mut(bond).filter(|state| state.params.mode == Mode::Lacp) else { return };
        if let Some(slave) = state.slave_mut(dev).filter(|slave| slave.speed.is_none()) {
            slave.link = if slave.was_up { Link::Fail } else { Link::Down };
        }
        state.ad_speed_changed(dev);
    }

    /// `bond_update_speed_duplex`
    pub(super) fn refresh_slave_speed(&mut self, bond: DevId, dev: DevId) {
        let settings = self.devs.get(dev).and_then(|device| self.link_settings(device));
        let Some(slave) = self.bond_mut(bond).and_then(|state| state.slave_mut(dev)) else { return };
        let speed = settings.as_ref().and_then(|settings| settings.speed);
        let duplex = settings.and_then(|settings| settings.full_duplex);
        (slave.speed, slave.full_duplex) =
            if speed.is_some() && duplex.is_some() { (speed, duplex) } else { (None, None) };
    }

    pub(crate) fn find_usable_slaves(&mut self, bond: DevId) {
        if let Some(state) = self.bond_mut(bond) {
            state.find_usable();
        }
    }

    // A slave's state and link, of which all hear (`NETDEV_CHANGELOWERSTATE`).

    /// `bond_set_slave_active_flags`
    fn activate_slave(&mut self, bond: DevId, dev: DevId) {
        if self.bond_mut(bond).is_some_and(|state| state.activate(dev)) {
            self.slave_moved(bond, dev);
        }
    }

    /// `bond_set_slave_inactive_flags`
    fn deactivate_slave(&mut self, bond: DevId, dev: DevId) {
        if self.bond_mut(bond).is_some_and(|state| state.deactivate(dev)) {
            self.slave_moved(bond, dev);
        }
    }

    /// `bond_set_slave_link_state`
    fn set_slave_link(&mut self, bond: DevId, dev: DevId, link: Link) {
        if let Some(slave) = self.bond_mut(bond).and_then(|state| state.slave_mut(dev)) {
            slave.link = link;
            self.slave_state_told(dev);
        }
    }

    fn slave_moved(&mut self, bond: DevId, dev: DevId) {
        if let Some(slave) = self.bond_mut(bond).and_then(|state| state.slave_mut(dev)) {
            slave.told_backup = slave.backup;
        }
        self.slave_state_told(dev);
    }

    /// `bond_lower_state_changed`
    fn slave_state_told(&mut self, dev: DevId) {
        self.changed();
        self.notify_link(dev);
    }

    // Filters.

    /// A bond's promiscuity and addresses are its slaves' (in the modes with an active slave, that one's).
    fn share_filters(&mut self, bond: DevId, dev: DevId) {
        let Some(device) = self.devs.get(bond) else { return };
        let Kind::Bond(state) = &device.kind else { return };
        if state.params.mode.uses_primary() {
            return;
        }
        let (up, lacp) = (device.is_up(), state.params.mode == Mode::Lacp);
        self.pass_filters(bond, dev, 1);
        if up {
            self.pass_lists(bond, dev);
            if lacp {
                self.join_group(dev, SLOW_PROTOCOLS);
            }
        }
    }

    fn unshare_filters(&mut self, bond: DevId, dev: DevId) {
        let Some(device) = self.devs.get(bond) else { return };
        let Kind::Bond(state) = &device.kind else { return };
        let (up, lacp) = (device.is_up(), state.params.mode == Mode::Lacp);
        self.pass_filters(bond, dev, -1);
        if up {
            self.take_lists(bond, dev);
            if lacp {
                self.leave_group(dev, SLOW_PROTOCOLS);
            }
        }
    }

    /// What the bond itself wants of a slave: everything, or all groups.
    pub(in crate::control) fn pass_filters(&mut self, bond: DevId, dev: DevId, by: i32) {
        let Some(device) = self.devs.get(bond) else { return };
        let (promiscuous, groups) = (device.promiscuity > 0, device.allmulti > 0);
        if promiscuous {
            self.set_promiscuity(dev, by);
        }
        if groups {
            self.set_allmulti(dev, by);
        }
    }

    /// The devices whose filters carry those of a bond or a team now.
    pub(super) fn bond_filter_devices(&self, bond: DevId) -> Vec<DevId> {
        match self.bond(bond) {
            Some(state) if state.params.mode.uses_primary() => state.active.into_iter().collect(),
            Some(state) => state.slaves.iter().map(|slave| slave.dev).collect(),
            None => self.team_ports(bond),
        }
    }

    // Counters.

    /// `bond_get_stats`: a bond counts what its slaves count; other devices' counters are their own.
    pub(crate) fn stats_of(&self, dev: DevId) -> Stats {
        let Some(device) = self.devs.get(dev) else { return Stats::default() };
        let Kind::Bond(state) = &device.kind else { return device.stats };
        let mut total = device.stats;
        total.add(&state.stats);
        for slave in &state.slaves {
            total.add(&self.stats_of(slave.dev).since(&slave.stats_before));
        }
        total
    }

    /// Keeps what a slave that leaves has counted.
    fn fold_slave_stats(&mut self, bond: DevId, dev: DevId) {
        let now = self.stats_of(dev);
        let Some(state) = self.bond_mut(bond) else { return };
        let Some(slave) = state.slave_mut(dev) else { return };
        let counted = now.since(&slave.stats_before);
        slave.stats_before = now;
        state.stats.add(&counted);
    }

    // MAC and MTU of the bond.

    /// `bond_set_mac_address`: the slaves' MACs follow. True if the bond takes it.
    ///
    /// # Errors
    /// What a slave answers; those before it have their old MAC again.
    pub(super) fn set_bond_mac(&mut self, bond: DevId, mac: Mac) -> Result<bool, Failure> {
        let Some(device) = self.devs.get(bond) else { return Err(Errno::ENODEV.into()) };
        let old = device.mac;
        let Kind::Bond(state) = &device.kind else { return Err(Errno::ENODEV.into()) };
        if state.params.mode == Mode::Alb {
            self.set_alb_mac(bond, mac)?;
            return Ok(true);
        }
        if state.params.slaves_keep_mac() {
            return Ok(false);
        }
        let slaves = self.bond_slaves(bond);
        for (at, slave) in slaves.iter().enumerate() {
            if let Err(failure) = self.set_mac(*slave, mac) {
                for done in &slaves[..at] {
                    // It had this MAC a moment ago.
                    let _ = self.set_mac(*done, old);
                }
                return Err(failure);
            }
        }
        Ok(true)
    }

    /// `bond_change_mtu`
    ///
    /// # Errors
    /// What a slave answers; those before it have their old MTU again.
    pub(super) fn set_bond_mtu(&mut self, bond: DevId, mtu: u32) -> Result<(), Failure> {
        let old = self.devs.get(bond).map_or(mtu, |device| device.mtu);
        let slaves = self.bond_slaves(bond);
        for (at, slave) in slaves.iter().enumerate() {
            if let Err(failure) = self.set_mtu(*slave, mtu) {
                for done in &slaves[..at] {
                    // It had this MTU a moment ago.
                    let _ = self.set_mtu(*done, old);
                }
                return Err(failure);
            }
        }
        Ok(())
    }

    /// A slave has another MAC.
    pub(super) fn slave_mac_changed(&mut self, bond: DevId, dev: DevId, mac: Mac) {
        if let Some(slave) = self.bond_mut(bond).and_then(|state| state.slave_mut(dev)) {
            slave.mac = mac;
        }
    }
}
