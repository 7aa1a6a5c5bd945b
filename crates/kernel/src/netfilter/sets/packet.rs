//! What of a packet stands at an element's places, and what rules ask of and do to sets with it.

use hairpin_netlink::netfilter::Family;
use hairpin_netlink::netfilter::ipset::{Dimension, Part, SetChange, SetMatch, SetSides, Storage};

use super::super::matches::Around;
use super::super::packet::protocol;
use super::element::{Cell, Keep, Kept, Key, expiry, named};
use super::{Set, Sets};
use crate::device::DevId;

impl Sets {
    /// `set_match_v4`
    pub fn matches(&mut self, wanted: &SetMatch, packet: &Around<'_>) -> bool {
        self.meets(&wanted.sides.set, wanted, packet) != wanted.invert
    }

    fn meets(&mut self, name: &str, wanted: &SetMatch, packet: &Around<'_>) -> bool {
        let now = packet.world.now;
        let Some(set) = self.by_name.get(name) else { return false };
        if set.kind.storage == Storage::List {
            // Its members, which are no lists, stand beside it: it lends out their names meanwhile.
            let members =
                self.by_name.get_mut(name).map(|set| std::mem::take(&mut set.list)).unwrap_or_default();
            let alive = members.iter().filter(|(_, kept)| !kept.has_expired(now));
            let met = alive.map(|(member, _)| member).any(|member| {
                let Some(set) = self.by_name.get_mut(member) else { return false };
                set.key_of(&wanted.sides, packet).is_some_and(|key| set.meets(&key, wanted, packet))
            });
            if let Some(set) = self.by_name.get_mut(name) {
                set.list = members;
            }
            return met;
        }
        let Some(set) = self.by_name.get_mut(name) else { return false };
        let Some(key) = set.key_of(&wanted.sides, packet) else { return false };
        set.meets(&key, wanted, packet)
    }

    /// `set_target_v2`
    pub fn change(&mut self, change: &SetChange, packet: &Around<'_>) {
        let now = packet.world.now;
        if let Some(sides) = &change.add {
            self.for_each_named(&sides.set, &mut |set| {
                let Some(key) = set.key_of(sides, packet).map(|key| set.elements.as_added(key)) else {
                    return;
                };
                let timeout_s = change.timeout_s.or(set.options.timeout_s);
                let kept = Kept {
                    expires: expiry(timeout_s.filter(|_| set.options.timeout_s.is_some()), now),
                    ..Kept::default()
                };
                let _ = set.elements.insert(key, kept, change.exist, now);
            });
        }
        if let Some(sides) = &change.delete {
            self.for_each_named(&sides.set, &mut |set| {
                if let Some(key) = set.key_of(sides, packet).map(|key| set.elements.as_added(key)) {
                    set.elements.remove(&key, now);
                }
            });
        }
    }

    /// A set, or the first of a list that can take it.
    fn for_each_named(&mut self, name: &str, act: &mut dyn FnMut(&mut Set)) {
        let Some(set) = self.by_name.get_mut(name) else { return };
        if set.kind.storage != Storage::List {
            return act(set);
        }
        let Some(first) = set.list.first().map(|(member, _)| member.clone()) else { return };
        if let Some(member) = self.by_name.get_mut(&first) {
            act(member);
        }
    }
}

impl Set {
    fn meets(&mut self, key: &Key, wanted: &SetMatch, packet: &Around<'_>) -> bool {
        let counts = self.options.counters;
        // `IPSET_FLAG_RETURN_NOMATCH` turns the answer of types over that have such elements.
        let wants_nomatch = wanted.return_nomatch && self.kind.has_nets();
        let Some(kept) = self.elements.find(key, packet.world.now) else { return false };
        if kept.nomatch != wants_nomatch {
            return false;
        }
        if !counts {
            return true;
        }
        if wanted.update_counters {
            kept.counters.0 += 1;
            kept.counters.1 += packet.ip.total_len as u64;
        }
        let (packets, bytes) = kept.counters;
        wanted.packets.is_none_or(|test| test.holds(packets))
            && wanted.bytes.is_none_or(|test| test.holds(bytes))
    }

    /// The key of a packet; none where it has not what this type is about.
    fn key_of(&self, sides: &SetSides, packet: &Around<'_>) -> Option<Key> {
        let dimensions = self.elements.dimensions();
        if sides.sources.len() < dimensions.len()
            || self.kind.has_family() && packet.ip.family != self.options.family
        {
            return None;
        }
        let mut key = Key::default();
        for ((cell, dimension), source) in key.iter_mut().zip(dimensions).zip(&sides.sources) {
            *cell = cell_of(&self.elements, self.kind.storage, *dimension, *source, packet)?;
        }
        self.elements.in_range(&key).then_some(key)
    }
}

fn cell_of(
    elements: &Keep,
    storage: Storage,
    dimension: Dimension,
    source: bool,
    packet: &Around<'_>,
) -> Option<Cell> {
    let part = match dimension {
        Dimension::Ip | Dimension::Net => {
            Part::Ip(if source { packet.ip.source } else { packet.ip.destination })
        }
        Dimension::Port => {
            let (number, port) = port_of(packet, source)?;
            match storage {
                Storage::Bitmap if !matches!(number, protocol::TCP | protocol::UDP) => return None,
                Storage::Bitmap => Part::Port(0, port),
                _ => Part::Port(number, port),
            }
        }
        Dimension::Mac => {
            if !packet.came_by_ethernet() {
                return None;
            }
            let mac = if source { packet.frame.source() } else { packet.frame.destination() };
            Part::Mac(mac.0)
        }
        Dimension::Interface => {
            let dev: Option<DevId> = if source { packet.at.input } else { packet.at.output };
            let device = dev.and_then(|dev| packet.world.devs.get(dev))?;
            return Some((named(&device.name), 0));
        }
        Dimension::Mark => Part::Mark(packet.frame.mark),
        Dimension::Set => return None,
    };
    elements.packet_cell(dimension, &part)
}

/// `get_port`: the protocol and port, or ICMP's type and code.
fn port_of(packet: &Around<'_>, source: bool) -> Option<(u8, u16)> {
    let ip = packet.ip;
    if let Some((from, to)) = ip.ports(packet.frame.payload()) {
        return Some((ip.protocol, if source { from } else { to }));
    }
    match (ip.protocol, ip.family) {
        (protocol::ICMP, Family::Ipv4) | (protocol::ICMPV6, Family::Ipv6) => {
            let kind = ip.payload(packet.frame.payload()).first_chunk::<2>()?;
            Some((ip.protocol, u16::from_be_bytes(*kind)))
        }
        (protocol::TCP | protocol::UDP | protocol::SCTP | protocol::UDPLITE, _) => None,
        (other, _) => Some((other, 0)),
    }
}

impl Keep {
    /// The key of what a rule adds: networks are as long as the longest prefix there is.
    fn as_added(&self, mut key: Key) -> Key {
        let whole = if self.is_ipv4() { 32 } else { 128 };
        for ((cell, dimension), place) in key.iter_mut().zip(self.dimensions()).zip(0..) {
            if *dimension == Dimension::Net {
                *cell = self.cut_to(*cell, self.longest_prefix(place).unwrap_or(whole));
            }
        }
        key
    }
}
