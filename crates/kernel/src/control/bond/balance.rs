//! The clockwork of 802.3ad (`bond_3ad_state_machine_handler`) and of balance-tlb and balance-alb
//! (`bond_alb_monitor`): what their decisions do to devices.

use std::time::Duration;

use hairpin_netlink::Failure;
use hairpin_wire::lacp::{ETHERTYPE, Lacpdu, PDU_LEN, SUBTYPE_MARKER};
use hairpin_wire::vlan::Tag;

use super::active::carriers;
use crate::dev::Kind;
use crate::dev::bond::alb::{Action, TICK_MS};
use crate::dev::bond::lacp::{self, Units};
use crate::dev::bond::{Job, options::Mode};
use crate::device::{AddrAssign, DevId};
use crate::frame::{ETH_LEN, Frame, ethertype};
use crate::mac::Mac;
use crate::neigh::arp::ARP_LEN;
use crate::world::World;

/// Ethernet loopback (`ETH_P_LOOPBACK`), the type of learning packets.
const LOOPBACK: u16 = 0x9000;
/// Least length of an Ethernet frame.
const FRAME_MIN: usize = 60;

impl World {
    pub(super) fn run_lacp(&mut self, bond: DevId) {
        let carrier = carriers(self, bond);
        let Some(state) = self.bond_mut(bond) else { return };
        let mut units = Units::new();
        let changed = state.ad_tick(|dev| carrier.contains(&dev), &mut units);
        // `bond_slave_state_notify`: of what has changed since the last time too.
        let moved = state.slaves.iter_mut().filter(|slave| slave.backup != slave.told_backup);
        let moved: Vec<DevId> = moved
            .map(|slave| {
                slave.told_backup = slave.backup;
                slave.dev
            })
            .collect();
        if changed || !moved.is_empty() {
            self.find_usable_slaves(bond);
        }
        self.settle_bond_carrier(bond);
        for dev in moved {
            self.changed();
            self.notify_link(dev);
        }
        self.send_units(bond, &units);
        self.schedule_bond(bond, Job::Lacp, Duration::from_millis(lacp::TICK_MS));
    }

    /// `ad_lacpdu_send`: from the MAC that the slave brought.
    fn send_units(&mut self, bond: DevId, units: &Units) {
        for (dev, pdu) in units {
            self.send_slow_protocol(bond, *dev, &pdu.to_bytes());
        }
    }

    fn send_slow_protocol(&mut self, bond: DevId, dev: DevId, bytes: &[u8]) {
        let permanent = self.bond(bond).and_then(|state| state.slave(dev)).map(|slave| slave.permanent_mac);
        let Some(source) = permanent else { return };
        let mut frame = self.pool.frame(ETH_LEN + bytes.len());
        frame.set_header(super::SLOW_PROTOCOLS, source, ETHERTYPE);
        frame.payload_mut().copy_from_slice(bytes);
        self.name_frame(&mut frame);
        self.transmit(dev, frame);
    }

    /// `bond_3ad_rx_indication`: a unit or a marker of the partner.
    pub(crate) fn bond_slow_protocol(&mut self, bond: DevId, dev: DevId, frame: &Frame) {
        let payload = frame.payload();
        if let Some(pdu) = Lacpdu::parse(payload) {
            if let Some(state) = self.bond_mut(bond) {
                state.ad_receive(dev, &pdu);
            }
            return;
        }
        // A marker is answered with itself (IEEE 802.1AX §6.5).
        const MARKER_INFORMATION: u8 = 1;
        const MARKER_RESPONSE: u8 = 2;
        if let [SUBTYPE_MARKER, _, MARKER_INFORMATION, ..] = *payload
            && let Some(marker) = payload.first_chunk::<PDU_LEN>()
        {
            let mut answer = *marker;
            answer[2] = MARKER_RESPONSE;
            self.send_slow_protocol(bond, dev, &answer);
        }
    }

    /// A port leaves (`bond_3ad_unbind_slave`); the partner is told.
    pub(super) fn unbind_port(&mut self, bond: DevId, dev: DevId) {
        let carrier = carriers(self, bond);
        let mut units = Units::new();
        if let Some(state) = self.bond_mut(bond) {
            state.ad_unbind(dev, |dev| carrier.contains(&dev), &mut units);
        }
        self.send_units(bond, &units);
    }

    pub(super) fn run_alb(&mut self, bond: DevId) {
        if let Some(state) = self.bond_mut(bond) {
            state.alb_tick();
        }
        self.perform_alb_actions_now(bond);
        self.schedule_bond(bond, Job::Alb, Duration::from_millis(TICK_MS));
    }

    /// Does what balancing has left to be done.
    pub(crate) fn perform_alb_actions(&mut self, bond: DevId) {
        self.act_for_alb(bond, false);
    }

    /// The same for a change of the configuration, or the bond's worker.
    pub(super) fn perform_alb_actions_now(&mut self, bond: DevId) {
        self.act_for_alb(bond, true);
        self.run_softirqs();
    }

    fn act_for_alb(&mut self, bond: DevId, in_process: bool) {
        let Some(state) = self.bond_mut(bond) else { return };
        for action in std::mem::take(&mut state.alb_actions) {
            match action {
                Action::Learn { dev, mac, strict } => {
                    self.send_learning(bond, dev, mac, strict);
                    // Outside of a softirq it is received before anything else is done (`local_bh_enable`).
                    if in_process {
                        self.run_softirqs();
                    }
                }
                Action::Tell { dev, arp, tag } => {
                    let mut frame = self.pool.frame(ETH_LEN + ARP_LEN);
                    frame.set_header(arp.target_mac, arp.sender_mac, ethertype::ARP);
                    arp.write(frame.payload_mut());
                    frame.tag = tag;
                    self.name_frame(&mut frame);
                    self.transmit(dev, frame);
                }
                Action::Promiscuity { dev, by } => self.set_promiscuity(dev, by),
            }
        }
    }

    /// `alb_send_learning_packets`: for the slave's own MAC, and those of VLANs and macvlans on the bond.
    fn send_learning(&mut self, bond: DevId, dev: DevId, mac: Mac, strict: bool) {
        self.send_learning_packet(dev, mac, None);
        let direct = self.devs.get(bond).map(|device| device.uppers.clone()).unwrap_or_default();
        for (upper, tags) in self.devices_above(bond) {
            let Some(device) = self.devs.get(upper) else { continue };
            match &device.kind {
                Kind::Vlan(_) if direct.contains(&upper) => {
                    let own = device.addr_assign != AddrAssign::Stolen;
                    let mac = if own { device.mac } else { mac };
                    self.send_learning_packet(dev, mac, tags.first().copied());
                }
                Kind::Macvlan(_) if !strict => {
                    let mac = device.mac;
                    self.send_learning_packet(dev, mac, tags.first().copied());
                }
                _ => {}
            }
        }
    }

    /// The devices that stand on a bond, near or far, with the tags that VLANs between add, the outermost first
    /// (`netdev_walk_all_upper_dev_rcu`).
    fn devices_above(&self, bond: DevId) -> Vec<(DevId, Vec<Tag>)> {
        const DEVICES_MAX: usize = 1000;
        let above = |dev: DevId| {
            let device = self.devs.get(dev);
            let uppers =
                device.into_iter().flat_map(|device| device.uppers.iter().copied().chain(device.master));
            uppers.collect::<Vec<_>>().into_iter().rev()
        };
        let mut found = Vec::new();
        let mut pending: Vec<(DevId, Vec<Tag>)> = above(bond).map(|upper| (upper, Vec::new())).collect();
        while let Some((dev, mut tags)) = pending.pop().filter(|_| found.len() < DEVICES_MAX) {
            if let Some(Kind::Vlan(vlan)) = self.devs.get(dev).map(|device| &device.kind) {
                tags.push(Tag { tpid: vlan.tpid, tci: vlan.vid });
            }
            pending.extend(above(dev).map(|upper| (upper, tags.clone())));
            found.push((dev, tags));
        }
        found
    }

    /// `alb_send_lp_vid`
    fn send_learning_packet(&mut self, dev: DevId, mac: Mac, tag: Option<Tag>) {
        let mut frame = self.pool.frame(FRAME_MIN);
        frame.bytes_mut().fill(0);
        frame.set_header(mac, mac, LOOPBACK);
        frame.tag = tag;
        self.name_frame(&mut frame);
        self.transmit(dev, frame);
    }

    /// `bond_alb_handle_active_change`: the new active slave gets the bond's MAC, from whoever has it.
    pub(super) fn alb_change_active(&mut self, bond: DevId, new: Option<DevId>) {
        let Some(device) = self.devs.get_mut(bond) else { return };
        let bond_mac = device.mac;
        let Kind::Bond(state) = &mut device.kind else { return };
        let old = state.active;
        state.active = new;
        let holder = state.slaves.iter().find(|slave| slave.mac == bond_mac).map(|slave| slave.dev);
        let swap = old.or(holder);
        state.alb_active_changes(old, swap, new);
        if let Some(new) = new {
            self.force_bond_mac(bond, new, bond_mac);
            match swap {
                Some(swap) => {
                    self.swap_slave_macs(bond, swap, new);
                    if let Some(state) = self.bond_mut(bond) {
                        state.alb_swapped(swap, new);
                    }
                }
                None => {
                    // A slave takes any MAC that a bond has.
                    let _ = self.set_balanced_mac(bond, new, bond_mac);
                    if let Some(state) = self.bond_mut(bond) {
                        state.alb_took_mac(new, bond_mac);
                    }
                }
            }
        }
        self.perform_alb_actions_now(bond);
    }

    /// In balance-tlb the device is told the bond's MAC, whatever it has, before that is set right quietly.
    fn force_bond_mac(&mut self, bond: DevId, new: DevId, bond_mac: Mac) {
        if self.bond(bond).is_some_and(|state| state.params.mode == Mode::Tlb)
            && let Some(own) = self.devs.get(new).map(|device| device.mac)
        {
            // One that cannot have it keeps its own.
            let _ = self.set_mac(new, bond_mac);
            let _ = self.set_balanced_mac(bond, new, own);
        }
    }

    /// `alb_swap_mac_addr`
    pub(super) fn swap_slave_macs(&mut self, bond: DevId, one: DevId, other: DevId) {
        let mac = |dev: DevId| self.bond(bond).and_then(|state| state.slave(dev)).map(|slave| slave.mac);
        let (Some(one_mac), Some(other_mac)) = (mac(one), mac(other)) else { return };
        if one != other && one_mac != other_mac {
            // Both are MACs that slaves have now.
            let _ = self.set_balanced_mac(bond, one, other_mac);
            let _ = self.set_balanced_mac(bond, other, one_mac);
        }
    }

    /// `alb_set_slave_mac_addr`: nobody is told where only sending is balanced.
    ///
    /// # Errors
    /// What the slave answers.
    pub(super) fn set_balanced_mac(&mut self, bond: DevId, dev: DevId, mac: Mac) -> Result<(), Failure> {
        if self.bond(bond).is_none_or(|state| state.params.mode == Mode::Alb) {
            return self.set_mac(dev, mac);
        }
        if let Some(assign) = self.devs.get(dev).map(|device| device.addr_assign) {
            self.assign_mac(dev, mac, assign);
            self.slave_mac_changed(bond, dev, mac);
        }
        Ok(())
    }

    /// `bond_alb_set_mac_address`: the active slave takes the bond's new MAC.
    ///
    /// # Errors
    /// What the slave answers.
    pub(super) fn set_alb_mac(&mut self, bond: DevId, mac: Mac) -> Result<(), Failure> {
        let Some(state) = self.bond(bond).filter(|state| state.params.mode == Mode::Alb) else {
            return Ok(());
        };
        let Some(active) = state.active else { return Ok(()) };
        let holder = state.slaves.iter().find(|slave| slave.mac == mac).map(|slave| slave.dev);
        match holder {
            Some(holder) => {
                self.swap_slave_macs(bond, holder, active);
                if let Some(state) = self.bond_mut(bond) {
                    state.alb_swapped(holder, active);
                }
            }
            None => {
                self.set_mac(active, mac)?;
                if let Some(state) = self.bond_mut(bond) {
                    state.alb_took_mac(active, mac);
                    state.update_clients_of(active);
                }
            }
        }
        self.perform_alb_actions_now(bond);
        Ok(())
    }
}
