//! The bridge: a learning switch whose uplink is the host itself (net/bridge).
//!
//! Configuration: `IFLA_BR_*` of the device, `IFLA_BRPORT_*` of its ports. State: ports (newest first, the
//! order of floods), the forwarding database, VLANs. Receive on a port: [`Bridge::receive`]; transmit of the
//! bridge device: [`Bridge::transmit`]. Timers: the ageing of the database, and those of spanning tree.
//!
//! * [`port`] flags and state of a port; [`fdb`] who is where
//! * [`vlan`] VLAN filtering; [`forward`] which ports a frame leaves by; [`stp`] spanning tree
//! * [`arp_proxy`] ARP answered for others
//! * [`snoop`] who wants which multicast; [`mdb`] the table of it

pub mod arp_proxy;
pub mod fdb;
mod forward;
pub mod mdb;
pub mod port;
pub mod snoop;
pub mod stp;
pub mod vlan;

use std::time::Duration;

use hairpin_wire::bpdu::Bpdu;
use hairpin_wire::vlan::{TPID_8021Q, Tag};

use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::Frame;
use crate::mac::Mac;
use crate::time::Time;

pub use arp_proxy::Known;
pub use fdb::{Entry, Fdb, Learned};
pub use mdb::Mdb;
pub use port::{BridgePort, PortFlags, State};
pub use snoop::Snooping;
pub use stp::{Clock, Tree};
pub use vlan::{Egress, VlanGroup};

use super::{PacketType, Verdict, Verdicts};
use arp_proxy::Answer;
use forward::{Flood, Passing};
use mdb::Group;
use snoop::{MdbChange, Query, Snooped};

/// The group addresses 01:80:c2:00:00:0X (IEEE 802.1D-2004 table 7-10).
const RESERVED: [u8; 5] = [0x01, 0x80, 0xc2, 0x00, 0x00];
/// A bridge's priority unless it is told another.
const PRIORITY: u16 = 0x8000;
/// The address of bridges among them, spanning tree's.
pub const GROUP_ADDRESS: Mac = Mac([0x01, 0x80, 0xc2, 0x00, 0x00, 0x00]);
/// Reserved addresses that a bridge of 802.1ad tags forwards (`BR_GROUPFWD_8021AD`, IEEE 802.1Q-2011 table 8-1).
const FORWARDED_8021AD: u16 = 0xb801;

/// A bridge device's own state.
#[derive(Clone, Debug)]
pub struct Bridge {
    /// Newest first: floods go out in this order.
    pub ports: Vec<BridgePort>,
    pub fdb: Fdb,
    /// How long an address is known, now and as configured: shorter while the topology changes.
    pub ageing: Duration,
    pub bridge_ageing: Duration,
    /// Spanning tree's times as configured; those in force are in `tree`.
    pub forward_delay: Duration,
    pub hello_time: Duration,
    pub max_age: Duration,
    pub priority: u16,
    pub stp: bool,
    pub tree: Tree,
    pub group_fwd_mask: u16,
    /// The address that spanning tree's frames go to.
    pub group_addr: Mac,
    /// It was set by hand: it no longer follows the VLAN protocol.
    pub group_addr_set: bool,
    /// Sources of frames to reserved addresses are not learned.
    pub no_linklocal_learn: bool,
    pub vlan_filtering: bool,
    pub vlan_protocol: u16,
    pub default_pvid: u16,
    pub vlan_stats: bool,
    pub vlan_stats_per_port: bool,
    /// The bridge device's own VLANs.
    pub vlans: VlanGroup,
    pub mcast_snooping: bool,
    pub snooping: Snooping,
    pub mdb: Mdb,
    pub mcast_router: u8,
    pub nf_call: [bool; 3],
    /// A MAC was set by hand: it no longer follows the ports.
    pub mac_set: bool,
    /// An MTU was set by hand: it no longer follows the ports.
    pub mtu_set: bool,
    /// When the forwarding database is next looked through; it is while the bridge is up.
    pub ageing_at: Option<Time>,
    /// Nothing in it ages: looking through it would find nothing, and waits until something is learned.
    pub ageing_rests: bool,
    pub created: Time,
    /// What decisions changed and others are to be told of.
    pub events: Vec<Event>,
}

/// A change that a frame brought about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// An address was learned, or is behind another port now.
    Learned(fdb::Key),
    /// A port's state changed, or is announced anew.
    PortChanged(DevId, State),
    /// What was learned behind a port is void.
    Flush(DevId),
    /// The bridge device has a carrier, or has none.
    Carrier(bool),
    /// A BPDU leaves a port.
    Bpdu(DevId, Bpdu),
    Mdb(MdbChange),
    /// A port leads to a router of multicast, or does no longer.
    Router(DevId, bool),
    /// A query of our own leaves.
    Query(Query),
    /// A timer was set.
    Timers,
    /// ARP answered for somebody else.
    Answer(Answer),
}

/// What the decision needs to know of the bridge device.
#[derive(Clone, Copy, Debug)]
pub struct Own {
    pub dev: DevId,
    pub mac: Mac,
    pub promiscuous: bool,
    pub up: bool,
    /// What it knows of the address that an ARP frame asks for.
    pub known: Known,
}

impl Bridge {
    /// A bridge as `ip link add type bridge` makes it.
    pub fn new(now: Time) -> Self {
        Bridge {
            ports: Vec::new(),
            fdb: Fdb::default(),
            ageing: Duration::from_secs(300),
            bridge_ageing: Duration::from_secs(300),
            forward_delay: Duration::from_secs(15),
            hello_time: Duration::from_secs(2),
            max_age: Duration::from_secs(20),
            priority: PRIORITY,
            stp: false,
            tree: Tree {
                id: stp::identifier(PRIORITY, Mac::ZERO),
                root: stp::identifier(PRIORITY, Mac::ZERO),
                forward_delay: Duration::from_secs(15),
                hello_time: Duration::from_secs(2),
                max_age: Duration::from_secs(20),
                ..Tree::default()
            },
            group_fwd_mask: 0,
            group_addr: GROUP_ADDRESS,
            group_addr_set: false,
            no_linklocal_learn: false,
            vlan_filtering: false,
            vlan_protocol: TPID_8021Q,
            default_pvid: 1,
            vlan_stats: false,
            vlan_stats_per_port: false,
            vlans: VlanGroup::default(),
            mcast_snooping: true,
            snooping: Snooping::default(),
            mdb: Mdb::default(),
            mcast_router: 1,
            nf_call: [false; 3],
            mac_set: false,
            mtu_set: false,
            ageing_at: None,
            ageing_rests: false,
            created: now,
            events: Vec::new(),
        }
    }

    /// When the forwarding database is next looked through, by the clock of Linux, which does so also in vain.
    pub fn next_ageing(&self, now: Time) -> Option<Time> {
        let at = self.ageing_at?;
        let every = self.hold_time().as_nanos() as u64;
        if !self.ageing_rests || at > now || every == 0 {
            return Some(at);
        }
        let missed = now.since(at).as_nanos() as u64 / every + 1;
        Some(Time(at.nanos().saturating_add(missed.saturating_mul(every))))
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
        let other = self.ports.iter().find(|port| {
            port.mac == mac && Some(port.dev) != owner && (vlan == 0 || port.vlans.find(vlan).is_some())
        });
        let heir = match other {
            Some(port) => Some(Some(port.dev)),
            None => {
                let in_vlan = vlan == 0 || self.vlans.member(vlan).is_some();
                (owner.is_some() && bridge_mac == mac && in_vlan).then_some(None)
            }
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

    /// Reserved addresses that are forwarded whatever the configuration says (`br_recalculate_fwd_mask`).
    fn forwarded_anyway(&self) -> u16 {
        match !self.vlan_filtering || self.vlan_protocol == TPID_8021Q {
            true => 0,
            false => FORWARDED_8021AD & !(1 << (self.group_addr.0[5] & 0xf)),
        }
    }

    /// `recalculate_group_addr`: a provider bridge has an address of its own (IEEE 802.1Q-2011 8.13.4).
    pub fn recalculate_group_address(&mut self) {
        if !self.group_addr_set {
            let provider = self.vlan_filtering && self.vlan_protocol != TPID_8021Q;
            self.group_addr.0[5] = if provider { 0x08 } else { 0x00 };
        }
    }

    /// Whether a frame that a port has received gets as far as the first hook of `br_handle_frame`.
    pub fn lets_in(&self, port: DevId, frame: &Frame) -> bool {
        let destination = frame.destination();
        frame.source().is_valid_source()
            && destination.0[..5] != RESERVED
            && self.port(port).is_some_and(|port| learns(port.state))
    }

    /// `br_handle_frame`, `br_handle_frame_finish`: a frame received on port device `from`.
    pub fn receive(&mut self, own: Own, from: DevId, frame: &mut Frame, now: Time, out: &mut Verdicts) {
        let (destination, source) = (frame.destination(), frame.source());
        if !source.is_valid_source() {
            return out.push(Verdict::Drop(DropReason::MacInvalidSource));
        }
        let Some(ingress) = self.ports.iter().find(|port| port.dev == from) else {
            return out.push(Verdict::Local);
        };
        let (mut state, flags) = (ingress.state, ingress.flags);
        if destination.0[..5] == RESERVED
            && destination.0[5] < 0x10
            && let Some(verdict) = self.reserved(from, destination.0[5], source, frame.tag, now)
        {
            return out.push(verdict);
        }
        if !matches!(state, State::Learning | State::Forwarding) {
            return out.push(Verdict::Drop(DropReason::BridgeIngressState));
        }
        let vid = match self.admit(Some(from), frame, &mut state) {
            Ok(vid) => vid,
            Err(reason) => return out.push(Verdict::Drop(reason)),
        };
        if flags.contains(PortFlags::LOCKED) {
            let known =
                self.fdb.get(source, vid).is_some_and(|entry| entry.port == Some(from) && !entry.local);
            if !known {
                return out.push(Verdict::Drop(DropReason::BridgeLocked));
            }
        }
        if flags.contains(PortFlags::LEARNING) {
            self.learn(source, vid, from, now);
        }
        let mut snooped = Snooped::default();
        if destination.is_group() && !destination.is_broadcast() {
            snooped = match self.snoop(Some(from), frame, vid, Clock { now, up: own.up }) {
                Ok(snooped) => snooped,
                Err(reason) => return out.push(Verdict::Drop(reason)),
            };
        }
        if state == State::Learning {
            return out.push(Verdict::Drop(DropReason::BridgeIngressState));
        }
        let packet_type = if destination == own.mac { PacketType::Host } else { frame.packet_type };
        let passing = Passing {
            from: Some(from),
            isolated: flags.contains(PortFlags::ISOLATED),
            vid,
            len: frame.len(),
            spared: self.proxy_arp(Some(from), frame, vid, own.known),
        };
        let mut local = own.promiscuous;
        let mut multicast = false;
        let before = out.len();
        if destination.is_broadcast() {
            self.flood(&passing, Flood::Broadcast, out);
            local = true;
        } else if destination.is_group() {
            let group = self.wanted_group(frame, vid, &snooped);
            let entry = group.and_then(|group| self.mdb.get(&group));
            let host = entry.is_some_and(|entry| entry.host_joined);
            let is_router = snooped.family.is_some_and(|family| self.is_multicast_router(family, now));
            if self.goes_by_group(group, &snooped, now) {
                multicast = host || is_router;
                self.flood_group(group, &snooped, source, &passing, out);
            } else {
                multicast = true;
                self.flood(&passing, Flood::Multicast, out);
            }
            local |= multicast;
        } else {
            match self.fdb.get_mut(destination, vid) {
                Some(entry) if entry.local => {
                    local = true;
                    entry.used = now;
                }
                Some(entry) => {
                    entry.used = now;
                    let port = entry.port;
                    let verdict = self.forward_to(port, &passing);
                    if !matches!(verdict, Verdict::Drop(_)) || !local {
                        out.push(verdict);
                    }
                }
                None => self.flood(&passing, Flood::Unicast, out),
            }
        }
        if local {
            out.push(self.pass_up(own, &passing, packet_type, multicast));
        } else if out.len() == before {
            out.push(Verdict::Drop(DropReason::NoTransmitTarget));
        }
    }

    /// `br_mdb_get`: the group that a multicast frame is of, if somebody wants it.
    fn wanted_group(&self, frame: &Frame, vid: u16, snooped: &Snooped) -> Option<Group> {
        if !self.mcast_snooping || snooped.about_groups || self.mdb.is_empty() {
            return None;
        }
        let group = match snooped.destination {
            Some(address) => Group::of_ip(address, vid),
            None => Group::of_mac(frame.destination(), vid),
        };
        self.mdb.get(&group).map(|_| group)
    }

    /// Whether a multicast frame goes only where it is wanted: there is a querier, so members have said so.
    fn goes_by_group(&self, group: Option<Group>, snooped: &Snooped, now: Time) -> bool {
        match snooped.family {
            Some(family) => (group.is_some() || snooped.to_routers) && self.has_querier(family, now),
            None => group.is_some(),
        }
    }

    /// What becomes of a frame to 01:80:c2:00:00:0X that is not forwarded like any other.
    fn reserved(
        &mut self,
        from: DevId,
        number: u8,
        source: Mac,
        tag: Option<Tag>,
        now: Time,
    ) -> Option<Verdict> {
        let port = self.port(from)?;
        let (state, flags) = (port.state, port.flags);
        let mut mask = self.forwarded_anyway() | port.group_fwd_mask;
        match number {
            // Bridge Group Address: with STP off it is an ordinary multicast.
            0 if !self.stp => return None,
            0 => {}
            1 => return Some(Verdict::Drop(DropReason::MacControl)),
            _ => mask |= self.group_fwd_mask,
        }
        if mask & (1 << number) != 0 {
            return None;
        }
        // `br_handle_local_finish`: the source is learned, the frame is the port's own.
        if flags.contains(PortFlags::LEARNING)
            && learns(state)
            && !self.no_linklocal_learn
            && let Some(vid) = self.learning_vlan(from, tag)
        {
            self.learn(source, vid, from, now);
        }
        Some(Verdict::Local)
    }

    /// `br_pass_frame_up`: the bridge device has received the frame, if it is a member of its VLAN.
    fn pass_up(&mut self, own: Own, passing: &Passing, packet_type: PacketType, multicast: bool) -> Verdict {
        let mut egress = Egress::Tagged;
        if self.vlan_filtering {
            egress = self.vlans.egress(passing.vid);
            if egress == Egress::Refused && own.promiscuous {
                // Somebody captures: as it is.
                egress = Egress::Tagged;
            } else if self.vlan_stats && egress != Egress::Refused {
                self.count_egress(None, passing.vid, passing.len);
            }
        }
        Verdict::PassUp { bridge: own.dev, packet_type, egress, multicast }
    }

    /// `br_dev_xmit`: a frame sent by the bridge device itself.
    pub fn transmit(&mut self, frame: &mut Frame, known: Known, now: Time, out: &mut Verdicts) {
        let mut state = State::Forwarding;
        let vid = match self.admit(None, frame, &mut state) {
            Ok(vid) => vid,
            Err(reason) => return out.push(Verdict::Drop(reason)),
        };
        let destination = frame.destination();
        let spared = self.proxy_arp(None, frame, vid, known);
        let passing = Passing { from: None, isolated: false, vid, len: frame.len(), spared };
        let before = out.len();
        if destination.is_broadcast() {
            self.flood(&passing, Flood::Broadcast, out);
        } else if destination.is_group() {
            let snooped = match self.snoop(None, frame, vid, Clock { now, up: true }) {
                Ok(snooped) => snooped,
                Err(reason) => return out.push(Verdict::Drop(reason)),
            };
            let group = self.wanted_group(frame, vid, &snooped);
            match self.goes_by_group(group, &snooped, now) {
                true => self.flood_group(group, &snooped, frame.source(), &passing, out),
                false => self.flood(&passing, Flood::Multicast, out),
            }
        } else if let Some(entry) = self.fdb.get_mut(destination, vid) {
            entry.used = now;
            // Where it is an own address too: `br_dev_xmit` asks for the port only, which the bridge's own address lacks.
            let (local, port) = (entry.local, entry.port);
            let verdict = match local && port.is_none() {
                true => Verdict::Drop(DropReason::BridgeOwnAddress),
                false => self.forward_to(port, &passing),
            };
            out.push(verdict);
        } else {
            self.flood(&passing, Flood::Unicast, out);
        }
        if out.len() == before {
            out.push(Verdict::Drop(DropReason::NoTransmitTarget));
        }
    }

    /// `hold_time`: how long an address is known after its last frame.
    pub fn hold_time(&self) -> Duration {
        match self.tree.topology_change {
            true => self.tree.forward_delay,
            false => self.ageing,
        }
    }

    /// Learns a source address.
    fn learn(&mut self, source: Mac, vid: u16, from: DevId, now: Time) {
        // With ageing 0 nothing is learned into use.
        if self.hold_time().is_zero() {
            return;
        }
        if self.fdb.learn(source, vid, from, now) == Learned::Changed {
            self.events.push(Event::Learned((source, vid)));
        }
    }
}

fn learns(state: State) -> bool {
    matches!(state, State::Learning | State::Forwarding)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
