//! The multicast database of a bridge (net/bridge/br_mdb.c): which ports want which groups.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rustc_hash::FxHashMap;

use crate::device::DevId;
use crate::mac::Mac;
use crate::time::Time;

/// What a group is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GroupAddress {
    Ip(IpAddr),
    /// Frames that are not of IP.
    Mac(Mac),
}

/// A group, or a source's share of it (`struct br_ip`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Group {
    pub address: GroupAddress,
    pub source: Option<IpAddr>,
    /// 0 without VLAN filtering.
    pub vid: u16,
}

impl Group {
    pub fn of_ip(address: IpAddr, vid: u16) -> Group {
        Group { address: GroupAddress::Ip(address), source: None, vid }
    }

    pub fn of_mac(mac: Mac, vid: u16) -> Group {
        Group { address: GroupAddress::Mac(mac), source: None, vid }
    }

    pub fn is_ip(&self) -> bool {
        matches!(self.address, GroupAddress::Ip(_))
    }
}

/// A port that wants a group (`struct net_bridge_port_group`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    pub port: DevId,
    pub port_number: u16,
    pub permanent: bool,
    /// It left fast, as the port is told to.
    pub fast_leave: bool,
    /// Added by hand rather than by a report (`RTPROT_STATIC`, `RTPROT_KERNEL`).
    pub by_hand: bool,
    /// Who reported it.
    pub reporter: Option<Mac>,
    pub expires: Option<Time>,
    /// Order of joining.
    pub serial: u64,
}

/// A group that somebody wants (`struct net_bridge_mdb_entry`).
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// The bridge device itself wants it.
    pub host_joined: bool,
    pub host_expires: Option<Time>,
    /// By port number, the highest first: the order of copies.
    pub members: Vec<Member>,
    /// Order of creation; dumps list the newest first.
    serial: u64,
}

/// The table.
#[derive(Clone, Debug, Default)]
pub struct Mdb {
    entries: FxHashMap<Group, Entry>,
    serial: u64,
}

impl Mdb {
    pub fn get(&self, group: &Group) -> Option<&Entry> {
        self.entries.get(group)
    }

    pub fn get_mut(&mut self, group: &Group) -> Option<&mut Entry> {
        self.entries.get_mut(group)
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entry of a group, made if there is none. None if the table is full (`hash_max`).
    pub fn entry(&mut self, group: Group, most: u32) -> Option<&mut Entry> {
        if !self.entries.contains_key(&group) {
            if self.entries.len() >= most as usize {
                return None;
            }
            self.serial += 1;
            self.entries.insert(group, Entry { serial: self.serial, ..Entry::default() });
        }
        self.entries.get_mut(&group)
    }

    /// Adds a member to a group that there is.
    pub fn add(&mut self, group: &Group, member: Member) {
        self.serial += 1;
        let serial = self.serial;
        if let Some(entry) = self.entries.get_mut(group) {
            entry.add(Member { serial, ..member });
        }
    }

    /// Removes a group that nobody wants any more. While the bridge is down (`up`) it stays, until somebody has joined and
    /// left it again: it counts for the table's size, and is not listed (`__br_multicast_del_pg`).
    pub fn tidy(&mut self, group: &Group, up: bool) {
        if up && self.entries.get(group).is_some_and(|entry| !entry.host_joined && entry.members.is_empty()) {
            self.entries.remove(group);
        }
    }

    /// Groups, the newest first.
    pub fn dump(&self) -> Vec<(Group, &Entry)> {
        let mut all: Vec<_> = self.entries.iter().map(|(group, entry)| (*group, entry)).collect();
        all.sort_by_key(|(_, entry)| std::cmp::Reverse(entry.serial));
        all
    }

    /// When the first membership ends.
    pub fn next_timer(&self) -> Option<Time> {
        let timers = |entry: &Entry| {
            entry.members.iter().filter_map(|member| member.expires).chain(entry.host_expires).min()
        };
        self.entries.values().filter_map(timers).min()
    }

    /// Groups with a membership that ends by now, in the order of creation.
    pub fn due(&self, now: Time) -> Vec<Group> {
        let due = |timer: Option<Time>| timer.is_some_and(|at| at <= now);
        let mut found: Vec<(u64, Group)> = self
            .entries
            .iter()
            .filter(|(_, entry)| {
                due(entry.host_expires) || entry.members.iter().any(|member| due(member.expires))
            })
            .map(|(group, entry)| (entry.serial, *group))
            .collect();
        found.sort_by_key(|(serial, _)| *serial);
        found.into_iter().map(|(_, group)| group).collect()
    }

    /// Groups that a port wants, the last one it joined first (`net_bridge_port::mglist`).
    pub fn of_port(&self, port: DevId) -> Vec<Group> {
        let joined = |(group, entry): (&Group, &Entry)| {
            let serials =
                entry.members.iter().filter(|member| member.port == port).map(|member| member.serial);
            serials.max().map(|serial| (serial, *group))
        };
        let mut found: Vec<(u64, Group)> = self.entries.iter().filter_map(joined).collect();
        found.sort_by_key(|(serial, _)| std::cmp::Reverse(*serial));
        found.into_iter().map(|(_, group)| group).collect()
    }
}

impl Entry {
    /// Adds a member at its place: by port number, the highest first, a port's oldest first.
    fn add(&mut self, member: Member) {
        let at = self.members.iter().position(|known| known.port_number < member.port_number);
        self.members.insert(at.unwrap_or(self.members.len()), member);
    }
}

/// 224.0.0.0/24, which is always flooded (`ipv4_is_local_multicast`).
pub fn is_local(group: Ipv4Addr) -> bool {
    let [a, b, c, _] = group.octets();
    (a, b, c) == (224, 0, 0)
}

/// ff02::1, which is always flooded (`ipv6_addr_is_ll_all_nodes`).
pub fn is_all_nodes(group: Ipv6Addr) -> bool {
    group == Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1)
}
