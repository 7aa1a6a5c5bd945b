//! Which slave is the active one, and what follows from a change (`bond_change_active_slave`).

use std::net::Ipv6Addr;
use std::time::Duration;

use hairpin_netlink::route::link::LinkEvent;

use crate::dev::bond::options::{FAIL_OVER_MAC_ACTIVE, FAIL_OVER_MAC_FOLLOW, Mode};
use crate::dev::bond::{Job, Link};
use crate::dev::{Kind, RxHandler};
use crate::device::{AddrAssign, DevId, ifa};
use crate::ip6::address::ALL_NODES;
use crate::neigh::ndisc::Advertised;
use crate::world::{TimerEvent, World};

/// Between two reports of the groups (`HZ / 5`).
const REPORT_INTERVAL: Duration = Duration::from_millis(200);

impl World {
    /// `bond_select_active_slave`
    pub(super) fn select_active(&mut self, bond: DevId) {
        let Some(state) = self.bond_mut(bond) else { return };
        let best = state.best();
        if best != state.active {
            self.change_active(bond, best);
            self.settle_bond_carrier(bond);
        }
    }

    /// `bond_set_carrier`
    pub(super) fn settle_bond_carrier(&mut self, bond: DevId) {
        if let Some(carrier) = self.bond(bond).map(|state| state.has_carrier()) {
            self.set_carrier(bond, carrier);
        }
    }

    /// `bond_change_active_slave`
    pub(super) fn change_active(&mut self, bond: DevId, new: Option<DevId>) {
        let now = self.now;
        let Some(state) = self.bond_mut(bond) else { return };
        let (old, mode) = (state.active, state.params.mode);
        if old == new {
            return;
        }
        if let Some(slave) = new.and_then(|new| state.slave_mut(new)) {
            slave.last_link_up = now;
            slave.was_up = true;
            if slave.link == Link::Back {
                slave.delay = 0;
                let dev = slave.dev;
                self.set_slave_link(bond, dev, Link::Up);
                self.link_changed_for_mode(bond, dev, true);
            }
        }
        if mode.uses_primary() {
            self.swap_filters(bond, new, old);
        }
        if mode.balances_load() {
            self.alb_change_active(bond, new);
        } else if let Some(state) = self.bond_mut(bond) {
            state.active = new;
        }
        if mode.uses_primary() {
            if let Some(old) = old {
                self.deactivate_slave(bond, old);
            }
            if let Some(new) = new {
                self.activate_slave(bond, new);
            }
        }
        self.changed();
        if mode == Mode::ActiveBackup && new.is_some() {
            self.active_backup_changed(bond, new, old);
        }
        let Some(device) = self.devs.get(bond) else { return };
        let up = device.is_up();
        let Kind::Bond(state) = &device.kind else { return };
        let reports = (mode.uses_primary() && new.is_some()) || mode == Mode::RoundRobin;
        let count = state.params.resend_igmp;
        if up && count > 0 && reports {
            if let Some(state) = self.bond_mut(bond) {
                state.igmp_reports = count;
            }
            self.schedule_bond(bond, Job::Groups, Duration::from_millis(1));
        }
    }

    fn active_backup_changed(&mut self, bond: DevId, new: Option<DevId>, old: Option<DevId>) {
        self.fail_over_mac(bond, new, old);
        let Some(device) = self.devs.get_mut(bond) else { return };
        let up = device.is_up();
        let Kind::Bond(state) = &mut device.kind else { return };
        if up {
            let delay = state.params.peer_notif_delay.max(1);
            state.peer_notices = u32::from(state.params.num_peer_notif).saturating_mul(delay);
        }
        let announce = up && self.should_notify_peers(bond);
        self.tell_failover(bond);
        if announce {
            if let Some(state) = self.bond_mut(bond) {
                state.peer_notices = state.peer_notices.saturating_sub(1);
            }
            self.notify_peers(bond);
        }
    }

    /// `bond_should_notify_peers`
    pub(super) fn should_notify_peers(&self, bond: DevId) -> bool {
        let Some(device) = self.devs.get(bond) else { return false };
        let Kind::Bond(state) = &device.kind else { return false };
        let due = state.peer_notices > 0 && state.peer_notices % state.params.peer_notif_delay.max(1) == 0;
        due && state.active.is_some() && device.carrier
    }

    /// `NETDEV_NOTIFY_PEERS`: the device's addresses are announced by ARP and neighbour discovery, and those of the
    /// devices on it.
    pub(crate) fn notify_peers(&mut self, dev: DevId) {
        self.notify_link_event(dev, LinkEvent::NotifyPeers);
        self.send_gratuitous_arp(dev);
        self.send_unsolicited_na(dev);
        for upper in self.followers(dev) {
            self.notify_peers(upper);
        }
        // Sent by a process: what arrives of it is received at once, by a slave that is about to leave too.
        self.run_frames();
    }

    /// `NETDEV_BONDING_FAILOVER`, which the devices on a bond tell of themselves too.
    fn tell_failover(&mut self, dev: DevId) {
        self.notify_link_event(dev, LinkEvent::BondingFailover);
        for upper in self.followers(dev) {
            self.tell_failover(upper);
        }
    }

    /// `ndisc_send_unsol_na`
    fn send_unsolicited_na(&mut self, dev: DevId) {
        let router = self.forwards6(dev);
        let Some(device) = self.devs.get(dev) else { return };
        let settled = device.ipv6.iter().filter(|entry| entry.flags & ifa::TENTATIVE == 0);
        let addresses: Vec<Ipv6Addr> = settled.map(|entry| entry.address).collect();
        for address in addresses {
            let flags = Advertised { router, solicited: false, override_known: true };
            self.ndisc_send_na(dev, ALL_NODES, address, flags, true);
        }
    }

    /// `NETDEV_RESEND_IGMP`
    pub(in crate::control) fn resend_groups(&mut self, dev: DevId) {
        self.notify_link_event(dev, LinkEvent::IgmpResend);
        self.rejoin_groups(dev);
        let master = match self.devs.get(dev).map(|device| &device.rx_handler) {
            Some(RxHandler::BridgePort { bridge: master } | RxHandler::BondSlave { bond: master }) => {
                Some(*master)
            }
            Some(RxHandler::TeamPort { team }) => Some(*team),
            _ => None,
        };
        for upper in self.followers(dev).into_iter().chain(master) {
            self.resend_groups(upper);
        }
    }

    /// The devices to which such news is passed on: VLANs and macvlans on this one.
    fn followers(&self, dev: DevId) -> Vec<DevId> {
        let Some(device) = self.devs.get(dev) else { return Vec::new() };
        let stacked = |upper: &DevId| {
            let kind = self.devs.get(*upper).map(|upper| &upper.kind);
            matches!(kind, Some(Kind::Vlan(_) | Kind::Macvlan(_)))
        };
        device.uppers.iter().copied().filter(stacked).collect()
    }

    /// `bond_resend_igmp_join_requests_delayed`
    pub(super) fn bond_groups_due(&mut self, bond: DevId) {
        self.resend_groups(bond);
        let Some(state) = self.bond_mut(bond) else { return };
        if state.igmp_reports > 1 {
            state.igmp_reports -= 1;
            self.schedule_bond(bond, Job::Groups, REPORT_INTERVAL);
        }
    }

    /// `bond_do_fail_over_mac`
    fn fail_over_mac(&mut self, bond: DevId, new: Option<DevId>, old: Option<DevId>) {
        let Some(device) = self.devs.get(bond) else { return };
        let bond_mac = device.mac;
        let Kind::Bond(state) = &device.kind else { return };
        let Some(new) = new.and_then(|new| state.slave(new)) else { return };
        let (new, new_mac) = (new.dev, new.mac);
        match state.params.fail_over_mac {
            FAIL_OVER_MAC_ACTIVE => self.store_mac(bond, new_mac, AddrAssign::Stolen),
            FAIL_OVER_MAC_FOLLOW => {
                // The one that has the bond's MAC gives it to the new active slave.
                let holder = || state.slaves.iter().find(|slave| slave.dev != new && slave.mac == bond_mac);
                let old = old.and_then(|old| state.slave(old)).or_else(holder);
                let old = old.map(|old| (old.dev, old.mac));
                let wanted = old.map_or(bond_mac, |(_, mac)| mac);
                // Slaves are Ethernet devices and take any MAC that another one had.
                let _ = self.set_mac(new, wanted);
                if let Some((old, _)) = old {
                    let _ = self.set_mac(old, new_mac);
                }
            }
            _ => {}
        }
    }

    /// `bond_hw_addr_swap`
    fn swap_filters(&mut self, bond: DevId, new: Option<DevId>, old: Option<DevId>) {
        let up = self.devs.get(bond).is_some_and(|device| device.is_up());
        for (dev, on) in [(old, false), (new, true)] {
            let Some(dev) = dev else { continue };
            self.pass_filters(bond, dev, if on { 1 } else { -1 });
            match on {
                true if up => self.pass_lists(bond, dev),
                false if up => self.take_lists(bond, dev),
                _ => {}
            }
        }
    }

    /// `bond_miimon_link_change`
    pub(super) fn link_changed_for_mode(&mut self, bond: DevId, dev: DevId, up: bool) {
        let carrier = carriers(self, bond);
        let Some(state) = self.bond_mut(bond) else { return };
        match state.params.mode {
            Mode::Lacp => state.ad_link_changed(dev, up, |dev| carrier.contains(&dev)),
            Mode::Tlb | Mode::Alb => {
                state.alb_link_changed(dev, up);
                self.perform_alb_actions(bond);
            }
            _ => {}
        }
        self.find_usable_slaves(bond);
    }

    /// Sets a bond's clock for a job; one that is set already is void.
    pub(super) fn schedule_bond(&mut self, bond: DevId, job: Job, after: Duration) {
        let at = self.now.timer(after);
        let Some(state) = self.bond_mut(bond) else { return };
        let Some(serial) = state.serials.get_mut(job as usize) else { return };
        *serial = serial.wrapping_add(1);
        let serial = *serial;
        self.timers.add_on_wheel(self.now, at, TimerEvent::Bond { bond, job, serial });
    }

    /// A bond's clock has gone off.
    pub(crate) fn bond_timer(&mut self, bond: DevId, job: Job, serial: u32) {
        let current = self.bond(bond).and_then(|state| state.serials.get(job as usize));
        if current != Some(&serial) {
            return;
        }
        match job {
            Job::Mii => self.run_mii_monitor(bond),
            Job::Arp => self.run_arp_monitor(bond),
            Job::Lacp => self.run_lacp(bond),
            Job::Alb => self.run_alb(bond),
            Job::Groups => self.bond_groups_due(bond),
        }
    }

    /// Stops a job.
    pub(super) fn cancel_bond(&mut self, bond: DevId, job: Job) {
        if let Some(serial) = self.bond_mut(bond).and_then(|state| state.serials.get_mut(job as usize)) {
            *serial = serial.wrapping_add(1);
        }
    }
}

/// The slaves whose devices are up with carrier.
pub(super) fn carriers(world: &World, bond: DevId) -> Vec<DevId> {
    let works = |dev: &DevId| world.devs.get(*dev).is_some_and(|device| device.can_transmit());
    world.bond_slaves(bond).into_iter().filter(works).collect()
}
