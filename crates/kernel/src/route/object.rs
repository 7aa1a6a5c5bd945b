//! Next hops with ids of their own, alone or in groups, that routes of both families refer to (net/ipv4/nexthop.c).

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::model::{NextHop, Scope};
use crate::route6::NextHop6;

/// What a route says of the next hop object that it leads by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectUse {
    pub id: u32,
    /// A group, of one member perhaps.
    pub is_group: bool,
    /// Packets are thrown away.
    pub is_blackhole: bool,
    /// Grows with every route that refers to an object of the namespace.
    pub serial: u64,
}

/// One way out (`struct nh_info`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Single {
    pub is_ipv6: bool,
    /// That of the loopback device where packets are thrown away.
    pub ifindex: u32,
    pub gateway: Option<IpAddr>,
    /// As routes have it (`nhc_scope`).
    pub scope: Scope,
    /// `RTNH_F_*`
    pub flags: u32,
    pub is_blackhole: bool,
}

/// A member of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    pub id: u32,
    /// Part of the flows, 1 to 256.
    pub weight: u16,
}

/// What an id stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    Single(Single),
    /// At least one member.
    Group(Vec<Share>),
}

/// A next hop object (`struct nexthop`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// `RTPROT_*`
    pub protocol: u8,
    pub what: What,
    /// The groups that it is in, in the order in which they hear of its end (`grp_list`).
    groups: Vec<u32>,
    /// When it, or what it became, was made, among all of the namespace.
    made: u64,
}

/// The next hop objects of a namespace.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    known: BTreeMap<u32, Object>,
    last: u32,
    serial: u64,
}

impl Objects {
    pub fn get(&self, id: u32) -> Option<&Object> {
        self.known.get(&id)
    }

    /// In the order of a dump.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Object)> {
        self.known.iter().map(|(id, object)| (*id, object))
    }

    /// An id that nobody has (`nh_find_unused_id`).
    pub fn unused_id(&mut self) -> Option<u32> {
        let start = self.last;
        loop {
            self.last = self.last.wrapping_add(1);
            if self.last == start {
                return None;
            }
            if self.last != 0 && !self.known.contains_key(&self.last) {
                return Some(self.last);
            }
        }
    }

    /// Makes an object, or gives what an id stands for another meaning. Members of a group must be known.
    pub fn set(&mut self, id: u32, protocol: u8, what: What) {
        self.serial += 1;
        let made = self.serial;
        let groups = match self.known.remove(&id) {
            Some(Object { what: What::Group(members), .. }) => {
                self.leave(id, &members);
                Vec::new()
            }
            Some(Object { groups, .. }) => groups,
            None => Vec::new(),
        };
        if let What::Group(members) = &what {
            self.join(id, members);
        }
        self.known.insert(id, Object { protocol, what, groups, made });
    }

    /// Takes an object away; its groups still have it.
    pub fn remove(&mut self, id: u32) -> Option<Object> {
        let object = self.known.remove(&id)?;
        if let What::Group(members) = &object.what {
            self.leave(id, members);
        }
        Some(object)
    }

    /// Takes a member out of a group that keeps others (`remove_nh_grp_entry`).
    pub fn shrink(&mut self, group: u32, member: u32) {
        let Some(Object { what: What::Group(members), .. }) = self.known.get_mut(&group) else { return };
        members.retain(|share| share.id != member);
        let rest = members.clone();
        self.leave(group, &rest);
        self.join(group, &rest);
    }

    fn join(&mut self, group: u32, members: &[Share]) {
        for share in members {
            if let Some(member) = self.known.get_mut(&share.id) {
                member.groups.insert(0, group);
            }
        }
    }

    fn leave(&mut self, group: u32, members: &[Share]) {
        for share in members {
            if let Some(member) = self.known.get_mut(&share.id) {
                member.groups.retain(|known| *known != group);
            }
        }
    }

    /// The objects that lead out of a device, in the order in which they go with it (`nexthop_flush_dev`).
    pub fn of_device(&self, ifindex: u32) -> Vec<u32> {
        let mut found: Vec<(u64, u32)> = self
            .known
            .iter()
            .filter(|(_, object)| match &object.what {
                What::Single(single) => single.ifindex == ifindex && !single.is_blackhole,
                What::Group(_) => false,
            })
            .map(|(id, object)| (object.made, *id))
            .collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        found.into_iter().map(|(_, id)| id).collect()
    }

    /// What a new route says of an object; none where there is no such.
    pub fn make_use(&mut self, id: u32) -> Option<ObjectUse> {
        self.serial += 1;
        let serial = self.serial;
        self.describe(id).map(|used| ObjectUse { serial, ..used })
    }

    /// The same of one that is in use already, whose serial number is another.
    pub fn describe(&self, id: u32) -> Option<ObjectUse> {
        let object = self.known.get(&id)?;
        let is_group = matches!(object.what, What::Group(_));
        let is_blackhole = self.singles(object).any(|(single, _)| single.is_blackhole);
        Some(ObjectUse { id, is_group, is_blackhole, serial: 0 })
    }

    /// The ways out behind an object, with their shares.
    pub fn singles<'a>(&'a self, object: &'a Object) -> impl Iterator<Item = (Single, u16)> + 'a {
        let (own, members): (Option<Single>, &[Share]) = match &object.what {
            What::Single(single) => (Some(*single), &[]),
            What::Group(members) => (None, members),
        };
        let of_members = members.iter().filter_map(|share| match self.known.get(&share.id)?.what {
            What::Single(single) => Some((single, share.weight)),
            What::Group(_) => None,
        });
        own.map(|single| (single, 1)).into_iter().chain(of_members)
    }

    /// The ways out of an IPv4 route; none where one of them has a gateway of IPv6.
    pub fn ways(&self, id: u32) -> Option<Vec<NextHop>> {
        let way = |(single, weight): (Single, u16)| {
            let gateway: Option<Ipv4Addr> = match single.gateway {
                Some(IpAddr::V4(gateway)) => Some(gateway),
                Some(IpAddr::V6(_)) => return None,
                None => None,
            };
            let Single { ifindex, scope, flags, .. } = single;
            Some(NextHop { ifindex, gateway, flags, scope, weight, realm: 0, upper_bound: 0, tunnel: None })
        };
        self.singles(self.known.get(&id)?).map(way).collect()
    }

    /// The ways out of an IPv6 route; none where one of them is of IPv4.
    pub fn ways6(&self, id: u32) -> Option<Vec<NextHop6>> {
        let way = |(single, weight): (Single, u16)| {
            let gateway: Option<Ipv6Addr> = match (single.is_ipv6, single.gateway) {
                (true, Some(IpAddr::V6(gateway))) => Some(gateway),
                (true, None) => None,
                _ => return None,
            };
            Some(NextHop6 { ifindex: single.ifindex, gateway, flags: single.flags, weight, tunnel: None })
        };
        self.singles(self.known.get(&id)?).map(way).collect()
    }
}

impl Object {
    /// The groups that it is in.
    pub fn groups(&self) -> &[u32] {
        &self.groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn single(ifindex: u32) -> What {
        What::Single(Single {
            is_ipv6: false,
            ifindex,
            gateway: Some(Ipv4Addr::new(10, 0, 0, 1).into()),
            scope: Scope::LINK,
            flags: 0,
            is_blackhole: false,
        })
    }

    fn share(id: u32) -> Share {
        Share { id, weight: 1 }
    }

    #[test]
    fn members_know_their_groups_the_newest_first() {
        let mut objects = Objects::default();
        objects.set(1, 0, single(2));
        objects.set(2, 0, single(3));
        objects.set(10, 0, What::Group(vec![share(1), share(2)]));
        objects.set(11, 0, What::Group(vec![share(1)]));
        assert_eq!(objects.get(1).map(Object::groups), Some(&[11, 10][..]));
        objects.shrink(10, 2);
        assert_eq!(objects.get(1).map(Object::groups), Some(&[10, 11][..]));
        objects.remove(10);
        assert_eq!(objects.get(1).map(Object::groups), Some(&[11][..]));
        assert_eq!(objects.of_device(2), [1]);
    }

    #[test]
    fn ids_are_handed_out_in_turn() {
        let mut objects = Objects::default();
        objects.set(1, 0, single(2));
        assert_eq!(objects.unused_id(), Some(2));
        assert_eq!(objects.unused_id(), Some(3));
    }
}
