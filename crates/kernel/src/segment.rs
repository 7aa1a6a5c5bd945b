//! The wires between network cards: switches, hubs and cables outside of every host.

use std::net::Ipv4Addr;

use hairpin_wire::vlan::Tag;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::{Frame, ethertype};
use crate::mac::Mac;
use crate::neigh::nud;
use crate::neigh::state::Update;
use crate::trace::Step;
use crate::world::{Waiting, World};

/// Shortest frame on real Ethernet, without checksum.
pub const ETHERNET_MIN: usize = 60;

/// How a segment passes frames on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentKind {
    /// Learns addresses, per VLAN tag; passes all VLANs.
    Switch,
    /// Hands every frame to everybody else.
    Hub,
    /// As a hub; meant for two cards.
    Cable,
}

/// A router outside of our reach that takes MACs from the IP packets it receives instead of asking by ARP
/// (some hypervisors' NAT engines).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LearnsFromIp {
    pub dev: DevId,
    /// Sources in this prefix are learned.
    pub prefix: crate::route::Prefix,
}

/// A segment.
#[derive(Clone, Debug)]
pub struct Segment {
    pub name: String,
    pub kind: SegmentKind,
    /// Frames are padded to this length; 0 leaves them alone.
    pub pad: usize,
    /// VLANs that are passed beside untagged frames; none: all.
    pub trunk: Option<Vec<u16>>,
    pub ports: Vec<DevId>,
    fdb: FxHashMap<(u16, Mac), usize>,
    pub learns_from_ip: Option<LearnsFromIp>,
    learned: FxHashSet<(Ipv4Addr, Mac)>,
}

/// Addresses a segment's switch remembers; then it forgets all (real ones flood what does not fit).
const FDB_MAX: usize = 1 << 16;

impl Segment {
    pub fn new(name: &str, kind: SegmentKind, pad: usize) -> Self {
        Segment {
            name: name.to_owned(),
            kind,
            pad,
            trunk: None,
            ports: Vec::new(),
            fdb: FxHashMap::default(),
            learns_from_ip: None,
            learned: FxHashSet::default(),
        }
    }

    /// Where a frame from port `from` goes: none is everywhere else.
    fn decide(&mut self, from: usize, frame: &Frame) -> Option<usize> {
        if self.kind != SegmentKind::Switch {
            return None;
        }
        let vid = Tag::of_frame(frame.bytes()).map_or(0, |tag| tag.tci);
        let (source, destination) = (frame.source(), frame.destination());
        if !source.is_group() {
            if self.fdb.len() >= FDB_MAX {
                self.fdb.clear();
            }
            self.fdb.insert((vid, source), from);
        }
        if destination.is_group() { None } else { self.fdb.get(&(vid, destination)).copied() }
    }
}

impl World {
    /// A card has sent a frame onto its wire.
    pub(crate) fn wire(&mut self, dev: DevId, segment: usize, from: usize, mut frame: Frame) {
        frame.retag();
        // A card does what is left to it.
        frame.complete_checksum();
        let Some(wire) = self.segments.get_mut(segment) else {
            return self.drop_frame(Some(dev), frame, DropReason::NoWire);
        };
        let vid = Tag::of_frame(frame.bytes()).map_or(0, Tag::vid);
        if vid != 0 && wire.trunk.as_ref().is_some_and(|trunk| !trunk.contains(&vid)) {
            return self.drop_frame(Some(dev), frame, DropReason::NoWire);
        }
        frame.pad_to(wire.pad);
        let to = wire.decide(from, &frame);
        let (pad, ports) = (wire.pad, wire.ports.len());
        debug_assert!(frame.len() >= pad);
        self.trace_step(dev, &frame, Step::Wire);
        self.learn_from_ip(segment, dev, &frame);
        // Nothing but bytes goes over a wire.
        frame.mark = 0;
        let mut reached = false;
        for port in 0..ports {
            if port == from || to.is_some_and(|to| to != port) {
                continue;
            }
            let Some(target) = self.segments[segment].ports.get(port).copied() else { continue };
            let Some(device) = self.devs.get_mut(target) else { continue };
            if !device.is_up() {
                continue;
            }
            reached = true;
            device.stats.rx_packets += 1;
            device.stats.rx_bytes += frame.len() as u64;
            let mut copy = self.pool.copy(&frame);
            copy.packet_type = World::packet_type_for(copy.destination(), device.mac);
            // What comes back by a wire finds the caller waiting.
            self.connecting = None;
            self.enqueue(Waiting::Receive { dev: target, frame: copy });
        }
        if reached {
            self.consume(frame);
        } else {
            self.drop_frame(Some(dev), frame, DropReason::NoWire);
        }
    }

    /// See [`LearnsFromIp`].
    fn learn_from_ip(&mut self, segment: usize, from: DevId, frame: &Frame) {
        let Some(wire) = self.segments.get_mut(segment) else { return };
        let Some(learns) = &wire.learns_from_ip else { return };
        let (dev, source) = (learns.dev, frame.source());
        if frame.ethertype() != ethertype::IPV4 || dev == from {
            return;
        }
        let Some(bytes) = frame.payload().get(12..16) else { return };
        let address = Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3]);
        if wire.learned.len() >= FDB_MAX {
            wire.learned.clear();
        }
        if !learns.prefix.contains(address) || !wire.learned.insert((address, source)) {
            return;
        }
        let Some((ns, ifindex)) = self.devs.get(dev).map(|device| (device.ns, device.ifindex)) else {
            return;
        };
        if self.neigh_ensure(ns, ifindex, address) {
            let how = Update { replace: true, admin: true, ..Update::default() };
            self.neigh_update(ns, ifindex, address, Some(source), nud::REACHABLE, how);
        }
    }
}
