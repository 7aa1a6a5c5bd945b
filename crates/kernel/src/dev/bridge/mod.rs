//! The bridge: a learning switch whose uplink is the host itself (net/bridge).
//!
//! Configuration: `IFLA_BR_*` of the device, `IFLA_BRPORT_*` of its ports. State: ports (newest first, the
//! order of floods) and the forwarding database. Receive on a port: [`Bridge::receive`]; transmit of the
//! bridge device: [`Bridge::transmit`]. Timers: the ageing of the database.

pub mod fdb;
pub mod port;

use std::time::Duration;

use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::mac::Mac;
use crate::time::Time;

pub use fdb::{Entry, Fdb, Learned};
pub use port::{BridgePort, PortFlags, State};

use super::{PacketType, Verdict, Verdicts};

/// The group addresses 01:80:c2:00:00:0X (IEEE 802.1D-2004 table 7-10).
const RESERVED: [u8; 5] = [0x01, 0x80, 0xc2, 0x00, 0x00];

/// A bridge device's own state.
#[derive(Clone, Debug)]
pub struct Bridge {
    /// Newest first: floods go out in this order.
    pub ports: Vec<BridgePort>,
    pub fdb: Fdb,
    pub ageing: Duration,
    pub forward_delay: Duration,
    pub hello_time: Duration,
    pub max_age: Duration,
    pub priority: u16,
    pub stp: bool,
    pub group_fwd_mask: u16,
    pub vlan_filtering: bool,
    pub vlan_protocol: u16,
    pub default_pvid: u16,
    pub mcast_snooping: bool,
    pub mcast_router: u8,
    pub nf_call: [bool; 3],
    /// A MAC was set by hand: it no longer follows the ports.
    pub mac_set: bool,
    /// An MTU was set by hand: it no longer follows the ports.
    pub mtu_set: bool,
    /// When the next ageing run is due.
    pub ageing_at: Option<Time>,
    pub created: Time,
}

/// What the decision needs to know of the bridge device.
#[derive(Clone, Copy, Debug)]
pub struct Own {
    pub dev: DevId,
    pub mac: Mac,
    pub promiscuous: bool,
    pub up: bool,
}

/// The part of a frame that a bridge looks at.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    pub destination: Mac,
    pub source: Mac,
    pub packet_type: PacketType,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flood {
    Unicast,
    Multicast,
    Broadcast,
}

impl Flood {
    fn of(destination: Mac) -> Flood {
        if destination.is_broadcast() {
            Flood::Broadcast
        } else if destination.is_group() {
            Flood::Multicast
        } else {
            Flood::Unicast
        }
    }
}

impl Bridge {
    /// A bridge as `ip link add type bridge` makes it.
    pub fn new(now: Time) -> Self {
        Bridge {
            ports: Vec::new(),
            fdb: Fdb::default(),
            ageing: Duration::from_secs(300),
            forward_delay: Duration::from_secs(15),
            hello_time: Duration::from_secs(2),
            max_age: Duration::from_secs(20),
            priority: 0x8000,
            stp: false,
            group_fwd_mask: 0,
            vlan_filtering: false,
            vlan_protocol: hairpin_wire::vlan::TPID_8021Q,
            default_pvid: 1,
            mcast_snooping: true,
            mcast_router: 1,
            nf_call: [false; 3],
            mac_set: false,
            mtu_set: false,
            ageing_at: None,
            created: now,
        }
    }

    pub fn port(&self, dev: DevId) -> Option<&BridgePort> {
        self.ports.iter().find(|port| port.dev == dev)
    }

    pub fn port_mut(&mut self, dev: DevId) -> Option<&mut BridgePort> {
        self.ports.iter_mut().find(|port| port.dev == dev)
    }

    /// `fdb_delete_local`: an own address that a port, or the bridge (`None`), has no longer. Another port with
    /// the same address takes it over, then the bridge whose MAC is `bridge_mac`. The entry, if it is gone.
    pub fn forget_own_address(
        &mut self,
        mac: Mac,
        vlan: u16,
        owner: Option<DevId>,
        bridge_mac: Mac,
    ) -> Option<Entry> {
        let entry = self.fdb.get(mac, vlan)?;
        if !entry.local || entry.added_by_user || entry.port != owner {
            return None;
        }
        self.hand_over(mac, vlan, owner, bridge_mac)
    }

    fn hand_over(&mut self, mac: Mac, vlan: u16, owner: Option<DevId>, bridge_mac: Mac) -> Option<Entry> {
        let other = self.ports.iter().find(|port| port.mac == mac && Some(port.dev) != owner);
        let heir = match other {
            Some(port) => Some(Some(port.dev)),
            None => (owner.is_some() && bridge_mac == mac).then_some(None),
        };
        match heir {
            Some(heir) => {
                let entry = self.fdb.get_mut(mac, vlan)?;
                entry.port = heir;
                entry.added_by_user = false;
                None
            }
            None => self.fdb.remove(mac, vlan),
        }
    }

    /// `br_fdb_delete_by_port`: what was learned behind a port; `all`: its own and fixed entries too. Returns
    /// what is gone.
    pub fn flush_port(&mut self, port: DevId, all: bool, bridge_mac: Mac) -> Vec<(fdb::Key, Entry)> {
        let mut gone = Vec::new();
        for (key, entry) in self.fdb.dump() {
            if entry.port != Some(port) || !all && (entry.fixed || entry.extern_learn) {
                continue;
            }
            let removed = match entry.local {
                true => self.hand_over(key.0, key.1, Some(port), bridge_mac),
                false => self.fdb.remove(key.0, key.1),
            };
            gone.extend(removed.map(|entry| (key, entry)));
        }
        gone
    }

    /// `br_handle_frame`, `br_handle_frame_finish`: a frame received on port device `from`.
    pub fn receive(&mut self, own: Own, from: DevId, header: Header, now: Time, out: &mut Verdicts) {
        let Header { destination, source, .. } = header;
        if !source.is_valid_source() {
            return out.push(Verdict::Drop(DropReason::MacInvalidSource));
        }
        let Some(ingress) = self.ports.iter().find(|port| port.dev == from) else {
            return out.push(Verdict::Local);
        };
        let (state, flags) = (ingress.state, ingress.flags);
        if destination.0[..5] == RESERVED {
            let number = destination.0[5];
            match number {
                // Bridge Group Address: with STP off it is an ordinary multicast.
                0x00 if !self.stp && ingress.has(PortFlags::BPDU_GUARD) => {
                    return out.push(Verdict::Drop(DropReason::NotSpecified));
                }
                0x00 if !self.stp => {}
                // IEEE 802.3x pause: never forwarded.
                0x01 => return out.push(Verdict::Drop(DropReason::MacControl)),
                0x00..=0x0f => {
                    let mask = self.group_fwd_mask | ingress.group_fwd_mask;
                    if mask & (1 << number) == 0 {
                        // `br_handle_local_finish`: the source is learned, the frame is the port's own.
                        if flags.contains(PortFlags::LEARNING) && learns(state) {
                            self.learn(source, from, now);
                        }
                        return out.push(Verdict::Local);
                    }
                }
                _ => {}
            }
        }
        if !matches!(state, State::Learning | State::Forwarding) {
            return out.push(Verdict::Drop(DropReason::BridgeIngressState));
        }
        if flags.contains(PortFlags::LOCKED) {
            let known = self.fdb.get(source, 0).is_some_and(|entry| entry.port == Some(from) && !entry.local);
            if !known {
                return out.push(Verdict::Drop(DropReason::BridgeLocked));
            }
        }
        if flags.contains(PortFlags::LEARNING) {
            self.learn(source, from, now);
        }
        if state == State::Learning {
            return out.push(Verdict::Drop(DropReason::BridgeIngressState));
        }
        let isolated = flags.contains(PortFlags::ISOLATED);
        let packet_type = if destination == own.mac { PacketType::Host } else { header.packet_type };
        let mut local = own.promiscuous;
        let before = out.len();
        if destination.is_group() {
            self.flood(Some(from), isolated, Flood::of(destination), out);
            local = true;
        } else {
            match self.fdb.get_mut(destination, 0) {
                Some(entry) if entry.local => {
                    local = true;
                    entry.used = now;
                }
                Some(entry) => {
                    entry.used = now;
                    let port = entry.port;
                    let verdict = self.to_port(port, Some(from), isolated);
                    if !matches!(verdict, Verdict::Drop(_)) || !local {
                        out.push(verdict);
                    }
                }
                None => self.flood(Some(from), isolated, Flood::Unicast, out),
            }
        }
        if local {
            // `br_pass_frame_up`: the bridge device has received the frame.
            out.push(Verdict::Receive { dev: own.dev, packet_type });
        } else if out.len() == before {
            out.push(Verdict::Drop(DropReason::NoTransmitTarget));
        }
    }

    /// `br_dev_xmit`: a frame sent by the bridge device itself.
    pub fn transmit(&mut self, destination: Mac, now: Time, out: &mut Verdicts) {
        let before = out.len();
        if destination.is_group() {
            self.flood(None, false, Flood::of(destination), out);
        } else if let Some(entry) = self.fdb.get_mut(destination, 0) {
            entry.used = now;
            let (local, port) = (entry.local, entry.port);
            out.push(match local {
                true => Verdict::Drop(DropReason::BridgeOwnAddress),
                false => self.to_port(port, None, false),
            });
        } else {
            self.flood(None, false, Flood::Unicast, out);
        }
        if out.len() == before {
            out.push(Verdict::Drop(DropReason::NoTransmitTarget));
        }
    }

    /// `br_forward`: known unicast to one port.
    fn to_port(&self, port: Option<DevId>, from: Option<DevId>, isolated: bool) -> Verdict {
        let Some(egress) = port.and_then(|dev| self.port(dev)) else {
            return Verdict::Drop(DropReason::NoTransmitTarget);
        };
        if from == Some(egress.dev) && !egress.has(PortFlags::HAIRPIN) {
            return Verdict::Drop(DropReason::BridgeSamePort);
        }
        if egress.state != State::Forwarding {
            return Verdict::Drop(DropReason::BridgeEgressState);
        }
        if isolated && egress.has(PortFlags::ISOLATED) {
            return Verdict::Drop(DropReason::BridgeIsolated);
        }
        Verdict::Forward { dev: egress.dev }
    }

    /// `br_flood`: to every eligible port.
    fn flood(&self, from: Option<DevId>, isolated: bool, kind: Flood, out: &mut Verdicts) {
        for egress in &self.ports {
            let wanted = match kind {
                Flood::Unicast => egress.has(PortFlags::FLOOD),
                Flood::Multicast => egress.has(PortFlags::MCAST_FLOOD) || from.is_none(),
                Flood::Broadcast => egress.has(PortFlags::BCAST_FLOOD) || from.is_none(),
            };
            if wanted && !matches!(self.to_port(Some(egress.dev), from, isolated), Verdict::Drop(_)) {
                out.push(Verdict::Forward { dev: egress.dev });
            }
        }
    }

    /// Learns a source address, and schedules its ageing.
    fn learn(&mut self, source: Mac, from: DevId, now: Time) {
        // `hold_time`: with ageing 0 nothing is learned into use.
        if self.ageing.is_zero() {
            return;
        }
        self.fdb.learn(source, 0, from, now);
        if self.ageing_at.is_none() {
            self.ageing_at = Some(now + self.ageing);
        }
    }
}

fn learns(state: State) -> bool {
    matches!(state, State::Learning | State::Forwarding)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
