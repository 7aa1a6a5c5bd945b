//! Frames by way of bonds: what the bond decides, with what it needs to know of its device and of the world.

use hairpin_netlink::team::TeamMode;

use crate::dev::bond::options::Mode;
use crate::dev::bond::{Heard, Own};
use crate::dev::{Kind, RxHandler, Verdict};
use crate::device::{DevId, Device};
use crate::frame::{Frame, ethertype};
use crate::neigh::arp::Arp;
use crate::world::World;

use super::tx::Next;

impl World {
    fn own(&self, dev: DevId) -> Option<Own> {
        let device: &Device = self.devs.get(dev)?;
        let bridged = matches!(device.rx_handler, RxHandler::BridgePort { .. });
        Some(Own { dev, mac: device.mac, bridged, sender_bridged: false, now: self.now })
    }

    /// A bond sends: its counters are its slaves'.
    pub(super) fn bond_transmit(&mut self, dev: DevId, mut frame: Frame) {
        let Some(mut own) = self.own(dev) else { return };
        own.sender_bridged = self.is_of_bridge(dev, &frame);
        let draws = self.bond(dev).is_some_and(|bond| bond.params.packets_per_slave == 0);
        let random = if draws { self.random_below(1 << 32) as u32 } else { 0 };
        let mut verdicts = self.verdicts.pop().unwrap_or_default();
        if let Some(bond) = self.bond_mut(dev) {
            bond.transmit(own, random, &mut frame, &mut verdicts);
        }
        if self.bond(dev).is_some_and(|bond| !bond.alb_actions.is_empty()) {
            self.perform_alb_actions(dev);
        }
        self.carry_out(dev, frame, verdicts);
    }

    /// Whether a frame that a bond in balance-alb sends is an ARP packet of an address that a bridge has.
    fn is_of_bridge(&self, dev: DevId, frame: &Frame) -> bool {
        let Some(device) = self.devs.get(dev) else { return false };
        let balances = matches!(&device.kind, Kind::Bond(bond) if bond.params.mode == Mode::Alb);
        if !balances || frame.ethertype() != ethertype::ARP {
            return false;
        }
        let Some(arp) = Arp::parse(frame.payload()) else { return false };
        self.devs.iter().any(|(_, other)| {
            matches!(other.kind, Kind::Bridge(_))
                && other.ns == device.ns
                && other.ipv4.iter().any(|known| known.local == arp.sender)
        })
    }

    /// A slave has received.
    pub(super) fn bond_receive(
        &mut self,
        bond: DevId,
        dev: DevId,
        mut frame: Frame,
    ) -> Option<(Next, Frame)> {
        let own = self.own(bond)?;
        let listens = self.bond(bond).is_some_and(|bond| bond.up && bond.params.arp_interval > 0);
        if listens {
            // The address in question is looked up beforehand: the bond does not know its device's addresses.
            let known = Heard::of(&frame).map(|heard| {
                [heard.sender, heard.target].map(|address| (address, self.bond_has_address(bond, address)))
            });
            let is_own = |address| known.iter().flatten().any(|(known, own)| *known == address && *own);
            if let Some(Kind::Bond(state)) = self.devs.get_mut(bond).map(|device| &mut device.kind) {
                state.hear(own.now, dev, &frame, is_own);
            }
        }
        let mut verdicts = self.verdicts.pop().unwrap_or_default();
        self.bond_mut(bond)?.receive(own, dev, &mut frame, &mut verdicts);
        self.perform_all(dev, frame, verdicts)
    }
}

impl World {
    /// A team sends: counted is what a port takes.
    pub(super) fn team_transmit(&mut self, dev: DevId, frame: Frame) {
        let draws = matches!(self.team(dev), Some(team) if team.mode == Some(TeamMode::Random));
        let random = if draws { self.random_below(1 << 32) as u32 } else { 0 };
        let mut verdicts = self.verdicts.pop().unwrap_or_default();
        if let Some(team) = self.team_mut(dev) {
            team.transmit(random, &frame, &mut verdicts);
        }
        let takes = |verdict: &Verdict| matches!(verdict, Verdict::Transmit { dev } if self.devs.get(*dev).is_some_and(Device::can_transmit));
        let sent = verdicts.iter().any(takes);
        if let Some(device) = self.devs.get_mut(dev) {
            if sent {
                device.stats.tx_packets += 1;
                device.stats.tx_bytes += frame.len() as u64;
            } else {
                device.stats.tx_dropped += 1;
            }
        }
        if frame.ethertype() == ethertype::ARP {
            // Its link watches see what leaves by a port too.
            for verdict in &verdicts {
                if let Verdict::Transmit { dev: port } = verdict {
                    self.team_sees_arp(dev, *port, &frame);
                }
            }
        }
        self.carry_out(dev, frame, verdicts);
    }

    /// A port has received.
    pub(super) fn team_receive(&mut self, team: DevId, dev: DevId, frame: Frame) -> Option<(Next, Frame)> {
        let verdict = self.team(team)?.receive(team, dev, &frame, frame.packet_type);
        if let (Verdict::Exact, Some(device)) = (verdict, self.devs.get_mut(team)) {
            device.stats.rx_nohandler += 1;
        }
        match frame.ethertype() {
            ethertype::ARP => self.team_sees_arp(team, dev, &frame),
            hairpin_wire::lacp::ETHERTYPE => self.team_hears_lacp(team, dev, &frame),
            _ => {}
        }
        let mut verdicts = self.verdicts.pop().unwrap_or_default();
        verdicts.push(verdict);
        self.perform_all(dev, frame, verdicts)
    }
}
