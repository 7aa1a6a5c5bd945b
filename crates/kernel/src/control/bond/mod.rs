//! Bonds among the other devices: slaves come and go (`bond_enslave`, `__bond_release_one`), the bond goes up
//! and down, and what a slave does is noticed.
//!
//! * [`active`] which slave is the active one, and what its change entails
//! * [`monitor`] the watching of links, by carrier and by ARP
//! * [`balance`] the clockwork of 802.3ad, balance-tlb and balance-alb
//! * [`options`] options are set

mod active;
mod balance;
mod monitor;
mod options;

use hairpin_netlink::{Errno, Failure};

pub(crate) use options::{OptionValue, replace_targets};

use crate::dev::bond::options::Mode;
use crate::dev::bond::{Bond, Link, Slave};
use crate::dev::{Kind, RxHandler};
use crate::device::{AddrAssign, DevId, Device, Flags, Stats, hardware};
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

    /// `bond_enslave`
    ///
    /// # Errors
    /// `EPERM` for a device that is up, the bond itself, and a master of another kind; `EBUSY` where something
    /// else takes the device's frames, and for what stands on the bond; `EFAULT` where no MAC is free for it.
    pub(super) fn add_bond_slave(&mut self, dev: DevId, bond: DevId) -> Result<(), Failure> {
        self.check_bond_slave(dev, bond)?;
        let first = self.bond(bond).is_some_and(|bond| bond.slaves.is_empty());
        let (Some(device), Some(master)) = (self.devs.get(dev), self.devs.get(bond)) else {
            return Err(Errno::ENODEV.into());
        };
        let (permanent, original_mtu, mtu) = (device.mac, device.mtu, master.mtu);
        if !takes_mac(device) {
            self.follow_macs_of_slaves(bond, first)?;
        }
        let Some(master) = self.devs.get(bond) else { return Err(Errno::ENODEV.into()) };
        if first && master.addr_assign == AddrAssign::Random {
            self.store_mac(bond, permanent, AddrAssign::Stolen);
        }
        let joined = self.join_bond(dev, bond, mtu);
        if let Err(failure) = joined {
            // Everything is put back.
            self.close(dev);
            self.set_slave_flag(dev, false);
            let _ = self.set_mac(dev, permanent);
            let _ = self.set_mtu(dev, original_mtu);
            if first && self.devs.get(bond).is_some_and(|master| master.mac == permanent) {
                let random = self.random_mac();
                self.store_mac(bond, random, AddrAssign::Random);
            }
            return Err(failure);
        }
        let stats_before = self.stats_of(dev);
        let (mac, running) =
            self.devs.get(dev).map_or((permanent, false), |device| (device.mac, device.can_transmit()));
        let now = self.now;
        if let Some(state) = self.bond_mut(bond) {
            let targets = state.params.arp_targets.len();
            let mut slave = Slave::new(dev);
            slave.permanent_mac = permanent;
            slave.original_mtu = original_mtu;
            slave.stats_before = stats_before;
            slave.mac = mac;
            slave.running = running;
            slave.joined = (now, state.params.arp_interval);
            slave.target_rx = vec![None; targets];
            state.slaves.push(slave);
        }
        self.reckon_tso_max(bond);
        self.refresh_slave_speed(bond, dev);
        self.first_link_state(bond, dev);
        self.start_slave(bond, dev);
        if let Some(device) = self.devs.get_mut(dev) {
            device.rx_handler = RxHandler::BondSlave { bond };
            device.master = Some(bond);
        }
        self.changed();
        self.notify_link(dev);
        self.share_filters(bond, dev);
        self.settle_bond_carrier(bond);
        if self.bond(bond).is_some_and(|bond| bond.params.mode.uses_primary()) {
            self.select_active(bond);
        }
        self.find_usable_slaves(bond);
        Ok(())
    }

    /// Of slaves that take no MAC a bond takes theirs, if the mode allows it (`BOND_FOM_ACTIVE`).
    fn follow_macs_of_slaves(&mut self, bond: DevId, first: bool) -> Result<(), Failure> {
        const FOLLOWS: u8 = 1;
        let Some(state) = self.bond_mut(bond) else { return Err(Errno::ENODEV.into()) };
        if state.params.mode != Mode::ActiveBackup || state.params.fail_over_mac == FOLLOWS {
            return Ok(());
        }
        if !first {
            let text = "Slave device does not support setting the MAC address, but fail_over_mac is not set to active";
            return Err(Failure::with_text(Errno::EOPNOTSUPP, text));
        }
        state.params.fail_over_mac = FOLLOWS;
        Ok(())
    }

    fn check_bond_slave(&mut self, dev: DevId, bond: DevId) -> Result<(), Failure> {
        let Some(device) = self.devs.get(dev) else { return Err(Errno::ENODEV.into()) };
        let refused = |errno, text: &str| Err(Failure::with_text(errno, text));
        if device.hardware == hardware::CAN {
            return refused(Errno::EPERM, "CAN devices cannot be enslaved");
        }
        if device.flags.contains(Flags::MASTER) && !matches!(device.kind, Kind::Bond(_)) {
            return refused(Errno::EPERM, "Device type (master device) cannot be enslaved");
        }
        if !device.rx_handler.is_none() {
            return refused(Errno::EBUSY, "Device is in use and cannot be enslaved");
        }
        if dev == bond {
            return refused(Errno::EPERM, "Cannot enslave bond to itself.");
        }
        if device.is_up() {
            return refused(Errno::EPERM, "Device can not be enslaved while up");
        }
        let has_slaves = self.bond(bond).is_some_and(|bond| !bond.slaves.is_empty());
        if !device.is_ethernet() {
            return match has_slaves {
                true => refused(Errno::EINVAL, "Device type is different from other slaves"),
                false => refused(Errno::EOPNOTSUPP, "Bonds of other than Ethernet devices are not emulated"),
            };
        }
        if self.stands_on(dev, bond) {
            // Linux notices last of all: the device was up for a moment, and a bond without slaves has taken its
            // MAC and lost it again.
            let mac = device.mac;
            let took = |bond: &Device| bond.addr_assign == AddrAssign::Random || bond.mac == mac;
            if !has_slaves && self.devs.get(bond).is_some_and(took) {
                let random = self.random_mac();
                self.store_mac(bond, random, AddrAssign::Random);
            }
            if let Some(device) = self.devs.get_mut(dev) {
                device.qdisc = "noqueue";
            }
            return Err(Errno::EBUSY.into());
        }
        Ok(())
    }

    /// The device gets the bond's MTU and MAC, and goes up.
    fn join_bond(&mut self, dev: DevId, bond: DevId, mtu: u32) -> Result<(), Failure> {
        self.set_mtu(dev, mtu)?;
        let permanent = self.devs.get(dev).map(|device| device.mac).unwrap_or_default();
        let (mac, keeps) = match self.devs.get(bond).map(|device| (device.mac, &device.kind)) {
            Some((mac, Kind::Bond(state))) => (mac, state.params.slaves_keep_mac()),
            _ => return Err(Errno::ENODEV.into()),
        };
        if !keeps {
            self.set_mac(dev, mac)?;
        }
        // So that IPv6 leaves the device alone.
        self.set_slave_flag(dev, true);
        self.open(dev)?;
        if matches!(self.devs.get(dev).map(|device| &device.kind), Some(Kind::Ipvlan(_))) {
            // `netdev_rx_handler_register`: nobody takes its frames (`IFF_NO_RX_HANDLER`).
            return Err(Errno::EINVAL.into());
        }
        if self.bond(bond).is_some_and(|bond| bond.params.mode.balances_load()) {
            let free = self.free_slave_mac(bond, permanent)?;
            self.set_mac(dev, free)?;
            if let Some(state) = self.bond_mut(bond) {
                state.alb_slave_up();
            }
        }
        Ok(())
    }

    /// `alb_handle_addr_collision_on_attach`: each slave has a MAC of its own, one of those that slaves brought.
    fn free_slave_mac(&self, bond: DevId, permanent: Mac) -> Result<Mac, Failure> {
        let Some(device) = self.devs.get(bond) else { return Err(Errno::ENODEV.into()) };
        let Kind::Bond(state) = &device.kind else { return Err(Errno::ENODEV.into()) };
        let used = |mac: Mac| state.slaves.iter().any(|slave| slave.mac == mac);
        if state.slaves.is_empty() || (permanent != device.mac && !used(permanent)) {
            return Ok(permanent);
        }
        let spare = state.slaves.iter().map(|slave| slave.permanent_mac).find(|mac| !used(*mac));
        match spare {
            Some(mac) => Ok(mac),
            None if used(device.mac) => Err(Errno::EFAULT.into()),
            None => Ok(device.mac),
        }
    }

    fn set_slave_flag(&mut self, dev: DevId, on: bool) {
        if let Some(device) = self.devs.get_mut(dev) {
            device.flags.set(Flags::SLAVE, on);
        }
    }

    /// The state that a new slave's link starts with.
    fn first_link_state(&mut self, bond: DevId, dev: DevId) {
        let now = self.now;
        let carrier = self.devs.get(dev).is_some_and(|device| device.carrier);
        let Some(state) = self.bond_mut(bond) else { return };
        let (miimon, arp, updelay) = (state.params.miimon, state.params.arp_interval, state.params.updelay);
        let Some(slave) = state.slave_mut(dev) else { return };
        slave.link = match () {
            () if miimon > 0 && !slave.running => Link::Down,
            () if miimon > 0 && updelay > 0 => Link::Back,
            () if miimon == 0 && arp > 0 && !carrier => Link::Down,
            () => Link::Up,
        };
        if slave.link == Link::Back {
            slave.delay = updelay;
        }
        if slave.link != Link::Down {
            slave.last_link_up = now;
            slave.was_up = true;
        }
    }

    /// What a slave is at first, by mode.
    fn start_slave(&mut self, bond: DevId, dev: DevId) {
        let name = self.devs.get(dev).map(|device| device.name.clone()).unwrap_or_default();
        let mac = self.devs.get(bond).map(|device| device.mac).unwrap_or_default();
        let Some(state) = self.bond_mut(bond) else { return };
        let mode = state.params.mode;
        if mode.uses_primary() && !name.is_empty() && state.params.primary == name {
            state.primary = Some(dev);
            state.force_primary = true;
        }
        match mode {
            Mode::ActiveBackup | Mode::Tlb | Mode::Alb => state.deactivate(dev),
            Mode::Lacp => {
                state.deactivate(dev);
                let before = state.slaves.iter().rev().nth(1).map(|slave| slave.ad.id);
                if before.is_none() {
                    state.ad_initialize(mac);
                }
                state.ad_bind(dev, before.map_or(1, |before| before.wrapping_add(1)));
            }
            Mode::RoundRobin | Mode::Xor | Mode::Broadcast => {
                let up = state.slave(dev).is_some_and(|slave| slave.link == Link::Up);
                if state.active.is_none() && up {
                    state.active = Some(dev);
                }
            }
        }
    }

    /// `__bond_release_one`. `all`: the bond itself goes, and chooses no other slave.
    pub(super) fn remove_bond_slave(&mut self, dev: DevId, bond: DevId, all: bool) {
        let Some(state) = self.bond_mut(bond) else { return };
        let Some(slave) = state.slave(dev).cloned() else { return };
        state.deactivate(dev);
        let primary_mode = state.params.mode.uses_primary();
        let (mode, restores) = (
            state.params.mode,
            state.params.mode != Mode::ActiveBackup
                || state.params.fail_over_mac != crate::dev::bond::options::FAIL_OVER_MAC_ACTIVE,
        );
        self.fold_slave_stats(bond, dev);
        if let Some(device) = self.devs.get_mut(dev) {
            device.rx_handler = RxHandler::None;
            device.master = None;
            device.flags.remove(Flags::SLAVE);
        }
        if mode == Mode::Lacp {
            self.unbind_port(bond, dev);
        }
        let was_active = self.bond(bond).is_some_and(|state| state.active == Some(dev));
        if !primary_mode {
            self.unshare_filters(bond, dev);
        }
        if let Some(state) = self.bond_mut(bond) {
            state.arp_slave = None;
            if state.primary == Some(dev) {
                state.primary = None;
            }
        }
        if was_active {
            self.change_active(bond, None);
        }
        if mode.balances_load() {
            self.return_slave_mac(bond, dev);
            if let Some(state) = self.bond_mut(bond) {
                state.alb_slave_gone(dev);
            }
            self.perform_alb_actions_now(bond);
        }
        if let Some(state) = self.bond_mut(bond) {
            state.slaves.retain(|slave| slave.dev != dev);
            if all {
                state.active = None;
            }
        }
        self.reckon_tso_max(bond);
        self.find_usable_slaves(bond);
        if was_active && !all {
            self.select_active(bond);
        }
        if self.bond(bond).is_some_and(|state| state.slaves.is_empty()) {
            self.settle_bond_carrier(bond);
            let random = self.random_mac();
            self.store_mac(bond, random, AddrAssign::Random);
        } else {
            self.settle_bond_carrier(bond);
        }
        self.close(dev);
        if restores {
            // What it brought it had before.
            let _ = self.set_mac(dev, slave.permanent_mac);
        }
        let _ = self.set_mtu(dev, slave.original_mtu);
        self.changed();
        self.notify_link(dev);
    }

    /// `alb_change_hw_addr_on_detach`: a slave that has another's MAC gives it back.
    fn return_slave_mac(&mut self, bond: DevId, dev: DevId) {
        let bond_mac = self.devs.get(bond).map(|device| device.mac);
        let Some(state) = self.bond(bond) else { return };
        let Some(slave) = state.slave(dev) else { return };
        if slave.permanent_mac == slave.mac || Some(slave.permanent_mac) == bond_mac {
            return;
        }
        let holder = state.slaves.iter().find(|other| other.mac == slave.permanent_mac && other.dev != dev);
        if let Some(holder) = holder.map(|holder| holder.dev) {
            self.swap_slave_macs(bond, dev, holder);
            if let Some(state) = self.bond_mut(bond) {
                state.alb_swapped(dev, holder);
            }
        }
    }

    /// `bond_open`
    pub(super) fn open_bond(&mut self, bond: DevId) {
        let Some(state) = self.bond_mut(bond) else { return };
        state.up = true;
        let mode = state.params.mode;
        let active = state.active;
        for dev in state.slaves.iter().map(|slave| slave.dev).collect::<Vec<_>>() {
            if mode.uses_primary() && active != Some(dev) {
                state.deactivate(dev);
            } else if mode != Mode::Lacp {
                state.activate(dev);
            }
        }
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

/// `ndo_set_mac_address`: whether a device lets its MAC be set.
fn takes_mac(device: &Device) -> bool {
    !matches!(device.kind, Kind::Ipvlan(_) | Kind::Ifb)
}
