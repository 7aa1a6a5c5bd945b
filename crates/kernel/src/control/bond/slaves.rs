//! Slaves come to a bond and leave it (`bond_enslave`, `__bond_release_one`).

use hairpin_netlink::{Errno, Failure};

use crate::dev::bond::options::Mode;
use crate::dev::bond::{Link, Slave};
use crate::dev::{Kind, RxHandler};
use crate::device::{AddrAssign, DevId, Device, Flags, hardware};
use crate::mac::Mac;
use crate::world::World;

impl World {
    /// `bond_enslave`
    ///
    /// # Errors
    /// `EPERM` for a device that is up, the bond itself, and a master of another kind; `EBUSY` where something
    /// else takes the device's frames, and for what stands on the bond; `EFAULT` where no MAC is free for it.
    pub(in crate::control) fn add_bond_slave(&mut self, dev: DevId, bond: DevId) -> Result<(), Failure> {
        self.check_bond_slave(dev, bond)?;
        let features = self.features_before(bond);
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
        self.refresh_slave_speed(bond, dev);
        self.first_link_state(bond, dev);
        self.start_slave(bond, dev);
        if let Some(device) = self.devs.get_mut(dev) {
            device.rx_handler = RxHandler::BondSlave { bond };
            device.master = Some(bond);
        }
        // `NETDEV_CHANGEUPPER` of `bond_master_upper_dev_link`, and `NETDEV_CHANGELOWERSTATE` of `bond_lower_state_changed`
        // behind it: a message each.
        self.slave_state_told(dev);
        self.slave_state_told(dev);
        self.share_filters(bond, dev);
        self.reckon_tso_max(bond);
        self.change_features(bond, &features);
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
            self.set_balanced_mac(bond, dev, free)?;
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
        let link = match () {
            () if miimon > 0 && !slave.running => Link::Down,
            () if miimon > 0 && updelay > 0 => Link::Back,
            () if miimon == 0 && arp > 0 && !carrier => Link::Down,
            () => Link::Up,
        };
        if link == Link::Back {
            slave.delay = updelay;
        }
        if link != Link::Down {
            slave.last_link_up = now;
            slave.was_up = true;
        }
        self.set_slave_link(bond, dev, link);
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
        if !matches!(mode, Mode::RoundRobin | Mode::Xor | Mode::Broadcast) {
            self.deactivate_slave(bond, dev);
        }
        let Some(state) = self.bond_mut(bond) else { return };
        match mode {
            Mode::ActiveBackup | Mode::Tlb | Mode::Alb => {}
            Mode::Lacp => {
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
    pub(in crate::control) fn remove_bond_slave(&mut self, dev: DevId, bond: DevId, all: bool) {
        let features = self.features_before(bond);
        self.deactivate_slave(bond, dev);
        let Some(state) = self.bond_mut(bond) else { return };
        let Some(slave) = state.slave(dev).cloned() else { return };
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
        }
        if mode == Mode::Lacp {
            self.unbind_port(bond, dev);
        }
        // `NETDEV_CHANGEUPPER`
        self.slave_state_told(dev);
        self.set_slave_flag(dev, false);
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
        self.find_usable_slaves(bond);
        if was_active && !all {
            self.select_active(bond);
        }
        self.settle_bond_carrier(bond);
        if self.bond(bond).is_some_and(|state| state.slaves.is_empty()) {
            let random = self.random_mac();
            self.store_mac(bond, random, AddrAssign::Random);
        }
        self.reckon_tso_max(bond);
        self.change_features(bond, &features);
        self.close(dev);
        if restores {
            // What it brought it had before.
            let _ = self.set_mac(dev, slave.permanent_mac);
        }
        match all {
            // `__dev_set_mtu` tells nobody.
            true => {
                if let Some(device) = self.devs.get_mut(dev) {
                    device.mtu = slave.original_mtu;
                }
            }
            false => drop(self.set_mtu(dev, slave.original_mtu)),
        }
        self.changed();
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
}

/// `ndo_set_mac_address`: whether a device lets its MAC be set.
fn takes_mac(device: &Device) -> bool {
    !matches!(device.kind, Kind::Ipvlan(_) | Kind::Ifb)
}
