//! The watching of slaves' links: by carrier (`bond_mii_monitor`), or by ARP (`bond_arp_monitor`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use hairpin_wire::vlan::Tag;

use crate::dev::Kind;
use crate::dev::bond::options::Mode;
use crate::dev::bond::{Job, Link};
use crate::device::DevId;
use crate::frame::{ETH_LEN, ethertype};
use crate::ip6::address::solicited_node;
use crate::ip6::route::OutKey6;
use crate::mac::Mac;
use crate::neigh::arp::{ARP_LEN, Arp, REQUEST};
use crate::world::World;

impl World {
    /// `bond_mii_monitor`
    pub(super) fn run_mii_monitor(&mut self, bond: DevId) {
        let Some(state) = self.bond(bond) else { return };
        let (miimon, empty) = (state.params.miimon, state.slaves.is_empty());
        let mut announce = false;
        if !empty {
            announce = self.should_notify_peers(bond);
            let now = self.now;
            let Some(state) = self.bond_mut(bond) else { return };
            if state.inspect_carriers(now) {
                self.commit_carriers(bond);
            }
            // One that a failover of this run has left counts as made, as in Linux.
            if let Some(state) = self.bond_mut(bond) {
                state.peer_notices = state.peer_notices.saturating_sub(1);
            }
        }
        if miimon > 0 {
            self.schedule_bond(bond, Job::Mii, Duration::from_millis(u64::from(miimon)));
        }
        if announce {
            self.notify_peers(bond);
        }
    }

    /// `bond_miimon_commit`
    fn commit_carriers(&mut self, bond: DevId) {
        let now = self.now;
        let Some(state) = self.bond_mut(bond) else { return };
        for slave in &mut state.slaves {
            slave.link = slave.new_link.unwrap_or(slave.link);
        }
        let mut failover = false;
        for dev in self.bond_slaves(bond) {
            let Some(state) = self.bond_mut(bond) else { return };
            let mode = state.params.mode;
            let Some(slave) = state.slave_mut(dev) else { continue };
            let up = match slave.new_link.take() {
                Some(Link::Up) => true,
                Some(Link::Down) => false,
                None if mode == Mode::Lacp && slave.link == Link::Up => {
                    state.ad_speed_changed(dev);
                    continue;
                }
                _ => continue,
            };
            if up {
                self.refresh_slave_speed(bond, dev);
            }
            let Some(state) = self.bond_mut(bond) else { return };
            let Some(slave) = state.slave_mut(dev) else { continue };
            if up && slave.speed.is_none() && (mode == Mode::Lacp || mode.balances_load()) {
                // `bond_needs_speed_duplex`
                slave.link = Link::Down;
                continue;
            }
            if up {
                slave.last_link_up = now;
                slave.was_up = true;
                self.set_slave_link(bond, dev, Link::Up);
                self.start_again(bond, dev);
            } else {
                slave.failures = slave.failures.saturating_add(1);
                self.set_slave_link(bond, dev, Link::Down);
                if matches!(mode, Mode::ActiveBackup | Mode::Lacp) {
                    self.deactivate_slave(bond, dev);
                }
            }
            self.link_changed_for_mode(bond, dev, up);
            let Some(state) = self.bond(bond) else { return };
            let prio = |dev: Option<DevId>| dev.and_then(|dev| state.slave(dev)).map(|slave| slave.prio);
            failover |= match up {
                true => {
                    state.active.is_none()
                        || state.primary == Some(dev)
                        || prio(Some(dev)) > prio(state.active)
                }
                false => state.active == Some(dev),
            };
        }
        if failover {
            self.select_active(bond);
        }
        self.settle_bond_carrier(bond);
    }

    /// What a slave whose link is back is at first.
    fn start_again(&mut self, bond: DevId, dev: DevId) {
        let Some(state) = self.bond_mut(bond) else { return };
        let backup = match state.params.mode {
            // Not before its machines say so.
            Mode::Lacp => true,
            Mode::ActiveBackup => return,
            _ => false,
        };
        if let Some(slave) = state.slave_mut(dev)
            && std::mem::replace(&mut slave.backup, backup) != backup
        {
            self.slave_moved(bond, dev);
        }
    }

    /// `bond_arp_monitor`
    pub(super) fn run_arp_monitor(&mut self, bond: DevId) {
        let Some(state) = self.bond(bond) else { return };
        let (interval, mode, empty) = (state.params.arp_interval, state.params.mode, state.slaves.is_empty());
        let mut announce = false;
        if !empty {
            match mode {
                Mode::ActiveBackup => announce = self.watch_active_backup(bond),
                _ => self.watch_all(bond),
            }
        }
        if interval > 0 {
            self.schedule_bond(bond, Job::Arp, Duration::from_millis(u64::from(interval)));
        }
        if announce {
            if let Some(state) = self.bond_mut(bond) {
                state.peer_notices = state.peer_notices.saturating_sub(1);
            }
            self.notify_peers(bond);
        }
    }

    /// `bond_loadbalance_arp_mon`: every slave asks, and must hear something.
    fn watch_all(&mut self, bond: DevId) {
        let now = self.now;
        let mut failover = false;
        let mut changed = false;
        let old_active = self.bond(bond).and_then(|state| state.active);
        for dev in self.bond_slaves(bond) {
            let Some(state) = self.bond_mut(bond) else { return };
            let missed = u32::from(state.params.missed_max);
            let Some(slave) = state.slave(dev) else { continue };
            let within = |times| {
                let recent = |last| state.within(slave, now, last, times);
                recent(slave.last_tx) && recent(slave.last_rx)
            };
            let (was_up, running) = (slave.link == Link::Up, slave.running);
            let is_up = if was_up { within(missed) } else { within(1) };
            if was_up != is_up {
                changed = true;
                failover |= if is_up { old_active.is_none() } else { old_active == Some(dev) };
                if let Some(slave) = state.slave_mut(dev) {
                    slave.new_link = Some(if is_up { Link::Up } else { Link::Down });
                    slave.failures = slave.failures.saturating_add(u32::from(!is_up));
                }
            }
            if running {
                self.send_arp_probes(bond, dev);
            }
        }
        if !changed && !failover {
            return;
        }
        let Some(state) = self.bond_mut(bond) else { return };
        let mut moved = Vec::new();
        for slave in &mut state.slaves {
            slave.link = slave.new_link.take().unwrap_or(slave.link);
            // `bond_slave_state_change`
            let backup = slave.link != Link::Up;
            if std::mem::replace(&mut slave.backup, backup) != backup {
                moved.push(slave.dev);
            }
        }
        for dev in moved {
            self.slave_moved(bond, dev);
        }
        self.find_usable_slaves(bond);
        if failover {
            self.select_active(bond);
        }
        self.settle_bond_carrier(bond);
    }

    /// `bond_activebackup_arp_mon`. True if the peers are to be told.
    fn watch_active_backup(&mut self, bond: DevId) -> bool {
        let announce = self.should_notify_peers(bond);
        let now = self.now;
        if self.bond_mut(bond).is_some_and(|state| state.inspect_arp(now)) {
            self.commit_arp(bond);
        }
        self.probe(bond);
        announce
    }

    /// `bond_ab_arp_commit`
    fn commit_arp(&mut self, bond: DevId) {
        let now = self.now;
        let mut failover = false;
        for dev in self.bond_slaves(bond) {
            let Some(state) = self.bond_mut(bond) else { return };
            let Some(slave) = state.slave_mut(dev) else { continue };
            let Some(new) = slave.new_link.take() else { continue };
            match new {
                Link::Up => {
                    let fresh =
                        state.slave(dev).is_some_and(|slave| state.within(slave, now, slave.last_tx, 1));
                    if state.active != Some(dev) || (state.active.is_none() && fresh) {
                        let tried = state.arp_slave.take();
                        self.set_slave_link(bond, dev, Link::Up);
                        if let Some(tried) = tried {
                            self.deactivate_slave(bond, tried);
                        }
                        let Some(state) = self.bond_mut(bond) else { return };
                        let prio =
                            |dev: Option<DevId>| dev.and_then(|dev| state.slave(dev)).map(|slave| slave.prio);
                        failover |= state.active.is_none()
                            || state.primary == Some(dev)
                            || prio(Some(dev)) > prio(state.active);
                    }
                }
                Link::Down => {
                    slave.failures = slave.failures.saturating_add(1);
                    self.set_slave_link(bond, dev, Link::Down);
                    self.deactivate_slave(bond, dev);
                    let Some(state) = self.bond_mut(bond) else { return };
                    if state.active == Some(dev) {
                        state.arp_slave = None;
                        failover = true;
                    }
                }
                Link::Fail => {
                    self.set_slave_link(bond, dev, Link::Fail);
                    self.deactivate_slave(bond, dev);
                    let Some(state) = self.bond_mut(bond) else { return };
                    if state.active.is_some() {
                        state.arp_slave = None;
                    }
                }
                Link::Back => {}
            }
        }
        if failover {
            self.select_active(bond);
        }
        self.settle_bond_carrier(bond);
    }

    /// `bond_ab_arp_probe`: the active slave asks; without one, the slaves in turn.
    fn probe(&mut self, bond: DevId) {
        let now = self.now;
        let Some(state) = self.bond_mut(bond) else { return };
        if let Some(active) = state.active {
            return self.send_arp_probes(bond, active);
        }
        let Some(tried) = state.arp_slave.or(state.slaves.first().map(|slave| slave.dev)) else { return };
        let mut before = None;
        let mut next = None;
        let mut found = false;
        let mut down = Vec::new();
        for slave in &mut state.slaves {
            if slave.running {
                if !found && before.is_none() {
                    before = Some(slave.dev);
                }
                if found && next.is_none() {
                    next = Some(slave.dev);
                }
            } else if slave.link == Link::Up {
                slave.link = Link::Down;
                slave.failures = slave.failures.saturating_add(1);
                down.push(slave.dev);
            }
            found |= slave.dev == tried;
        }
        for dev in &down {
            state.deactivate(*dev);
        }
        let Some(next) = next.or(before) else { return };
        if let Some(slave) = state.slave_mut(next) {
            slave.link = Link::Back;
        }
        state.activate(next);
        self.send_arp_probes(bond, next);
        // `bond_slave_state_notify`, `bond_slave_link_notify`
        for dev in down.into_iter().chain([next]) {
            self.slave_moved(bond, dev);
        }
        if let Some(state) = self.bond_mut(bond) {
            state.arp_slave = Some(next);
            if let Some(slave) = state.slave_mut(next) {
                slave.last_link_up = now;
            }
        }
    }

    /// `bond_arp_send_all`: a question for each target, from the address that routing chooses.
    fn send_arp_probes(&mut self, bond: DevId, slave: DevId) {
        let Some(targets) = self.bond(bond).map(|state| state.params.arp_targets.clone()) else { return };
        let Some(ns) = self.devs.get(bond).map(|device| device.ns) else { return };
        for target in targets {
            let (sender, tags) = match self.route_output_simple(ns, target, Ipv4Addr::UNSPECIFIED) {
                // Some traffic at least.
                Err(_) => (Ipv4Addr::UNSPECIFIED, Vec::new()),
                Ok(route) => {
                    let Some(tags) = self.tags_up_to(bond, route.dev, 0) else { continue };
                    let scope = crate::neigh::arp::RT_SCOPE_LINK;
                    (self.select_source(route.dev, target, scope), tags)
                }
            };
            self.send_probe(bond, slave, target, sender, &tags);
        }
        self.send_solicitations(bond, slave);
    }

    /// `bond_ns_send_all`: the same by neighbour discovery. Not here: targets behind a VLAN on the bond.
    fn send_solicitations(&mut self, bond: DevId, slave: DevId) {
        let Some(targets) = self.bond(bond).map(|state| state.params.ns_targets.clone()) else { return };
        let Some(ns) = self.devs.get(bond).map(|device| device.ns) else { return };
        for target in targets {
            let source = match self.route_output6(OutKey6::to(ns, target)) {
                // Some traffic at least.
                Err(_) => None,
                Ok(route) => match self.tags_up_to(bond, route.dev, 0) {
                    Some(tags) if tags.is_empty() => self.select_source6(ns, Some(route.dev), target),
                    _ => continue,
                },
            };
            let now = self.now;
            if let Some(slave) = self.bond_mut(bond).and_then(|state| state.slave_mut(slave)) {
                slave.last_tx = Some(now);
            }
            // `ip6_output`
            if self.devs.get(slave).is_none_or(|device| device.ipv6_disabled) {
                continue;
            }
            let source = source.unwrap_or(Ipv6Addr::UNSPECIFIED);
            self.ndisc_send_ns(slave, target, solicited_node(target), source, None);
        }
    }

    /// `bond_verify_device_path`: the tags that packets of a device above get on their way down to the bond, the
    /// innermost first; none where it does not stand on the bond.
    fn tags_up_to(&self, from: DevId, to: DevId, depth: u32) -> Option<Vec<Tag>> {
        const DEPTH_MAX: u32 = 8;
        if from == to {
            return Some(Vec::new());
        }
        let device = self.devs.get(from).filter(|_| depth < DEPTH_MAX)?;
        let bridge = device.master.into_iter();
        device.uppers.iter().copied().chain(bridge).find_map(|upper| {
            let mut tags = self.tags_up_to(upper, to, depth + 1)?;
            if let Some(Kind::Vlan(vlan)) = self.devs.get(upper).map(|device| &device.kind) {
                tags.push(Tag { tpid: vlan.tpid, tci: vlan.vid });
            }
            Some(tags)
        })
    }

    /// `bond_arp_send`: by the slave itself, past the bond.
    fn send_probe(&mut self, bond: DevId, dev: DevId, target: Ipv4Addr, sender: Ipv4Addr, tags: &[Tag]) {
        let Some(own) = self.devs.get(dev).map(|device| device.mac) else { return };
        let mut frame = self.pool.frame(ETH_LEN + ARP_LEN);
        frame.set_header(Mac::BROADCAST, own, ethertype::ARP);
        let arp = Arp { operation: REQUEST, sender_mac: own, sender, target_mac: Mac::ZERO, target };
        arp.write(frame.payload_mut());
        for tag in tags {
            frame.push_tag(*tag);
        }
        self.name_frame(&mut frame);
        let now = self.now;
        if let Some(slave) = self.bond_mut(bond).and_then(|state| state.slave_mut(dev)) {
            slave.last_tx = Some(now);
        }
        self.transmit(dev, frame);
    }

    /// Whether an address is the bond's, or of a device on it (`bond_has_this_ip`, `bond_has_this_ip6`).
    pub(crate) fn bond_has_address(&self, bond: DevId, address: IpAddr) -> bool {
        const DEVICES_MAX: usize = 1000;
        let mut pending = vec![bond];
        let mut at = 0;
        while let Some(dev) = pending.get(at).copied().filter(|_| at < DEVICES_MAX) {
            at += 1;
            let Some(device) = self.devs.get(dev) else { continue };
            let has = match address {
                IpAddr::V4(address) => device.ipv4.iter().any(|known| known.local == address),
                IpAddr::V6(address) => device.ipv6.iter().any(|known| known.address == address),
            };
            if has {
                return true;
            }
            pending.extend(device.uppers.iter().copied().chain(device.master));
        }
        false
    }
}
