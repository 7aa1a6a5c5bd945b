//! Next hop objects: `RTM_NEWNEXTHOP`, `RTM_DELNEXTHOP`, `RTM_GETNEXTHOP` (net/ipv4/nexthop.c).

use std::net::IpAddr;

use hairpin_netlink::codec::{Decoded, NLM_F_CREATE, NLM_F_DUMP, NLM_F_MULTI, NLM_F_REPLACE};
use hairpin_netlink::nexthop::{
    GROUP_MULTIPATH, GROUP_RESILIENT, Member, NexthopMessage, RTM_DELNEXTHOP, RTM_NEWNEXTHOP,
};
use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::{Answer, Errno, Failure};

use super::link::not_emulated;
use crate::links::NsLinks;
use crate::netns::NsId;
use crate::route::model::{FLAG_ONLINK, TABLE_MAIN};
use crate::route::object::{Object, Objects, Share, Single, What};
use crate::route::{Links, Scope};
use crate::world::World;

impl World {
    /// One request, or dump.
    ///
    /// # Errors
    /// The kernel's errno and extended-ack text.
    pub(super) fn rtnl_nexthop(
        &mut self,
        ns: NsId,
        decoded: &Decoded<'_>,
        answer: &mut Answer,
    ) -> Result<(), Failure> {
        let message = NexthopMessage::parse(decoded.payload).ok_or(Errno::EINVAL)?;
        let flags = decoded.header.flags;
        match decoded.header.kind {
            RTM_NEWNEXTHOP => self.new_nexthop(ns, &message, flags),
            RTM_DELNEXTHOP => {
                let id = named_id(&message)?;
                if self.netns.get(ns).and_then(|netns| netns.nexthops.get(id)).is_none() {
                    return Err(Errno::ENOENT.into());
                }
                self.remove_nexthop(ns, id, true);
                Ok(())
            }
            _ if flags & NLM_F_DUMP == NLM_F_DUMP => self.dump_nexthops(ns, &message, answer),
            _ => {
                let id = named_id(&message)?;
                let objects = &self.netns.get(ns).ok_or(Errno::ENODEV)?.nexthops;
                let object = objects.get(id).ok_or(Errno::ENOENT)?;
                answer.push_raw(RTM_NEWNEXTHOP, &nexthop_message(id, object).emit(), 0);
                Ok(())
            }
        }
    }

    /// `rtm_new_nexthop`
    fn new_nexthop(&mut self, ns: NsId, message: &NexthopMessage, flags: u16) -> Result<(), Failure> {
        check(message)?;
        if message.fdb {
            return Err(not_emulated("next hops of forwarding databases"));
        }
        let members = match &message.group {
            Some(members) => {
                let objects = &self.netns.get(ns).ok_or(Errno::ENODEV)?.nexthops;
                Some(check_group(objects, message, members)?)
            }
            None => {
                self.check_single(ns, message)?;
                None
            }
        };
        let replace = flags & NLM_F_REPLACE != 0;
        let id = match message.id.unwrap_or(0) {
            0 if replace => return Err(invalid("Replace requires nexthop id")),
            0 => {
                let netns = self.netns.get_mut(ns).ok_or(Errno::ENODEV)?;
                netns.nexthops.unused_id().ok_or_else(|| invalid("No unused id"))?
            }
            id => id,
        };
        let what = match members {
            Some(members) => What::Group(members),
            None => What::Single(self.make_single(ns, message)?),
        };
        let objects = &self.netns.get(ns).ok_or(Errno::ENODEV)?.nexthops;
        let old = objects.get(id);
        match old {
            Some(_) if !replace => return Err(Errno::EEXIST.into()),
            Some(old) => self.check_replacement(ns, id, old, &what)?,
            None if replace && flags & NLM_F_CREATE == 0 => {
                let text = "Replace specified without create and no entry exists";
                return Err(Failure::with_text(Errno::ENOENT, text));
            }
            None => {}
        }
        self.set_nexthop(ns, id, message.protocol, what);
        Ok(())
    }

    /// What the device of a request must be like (`rtm_to_nh_config`).
    fn check_single(&self, ns: NsId, message: &NexthopMessage) -> Result<(), Failure> {
        if message.blackhole {
            if message.gateway.is_some() || message.ifindex.is_some() || message.encapsulation.is_some() {
                return Err(invalid("Blackhole attribute can not be used with gateway, oif, encap or fdb"));
            }
            return Ok(());
        }
        let Some(ifindex) = message.ifindex else {
            return Err(invalid("Device attribute required for non-blackhole and non-fdb nexthops"));
        };
        let down = |text| Err(Failure::with_text(Errno::ENETDOWN, text));
        match self.device_at(ns, ifindex).and_then(|dev| self.devs.get(dev)) {
            None => return Err(invalid("Invalid device index")),
            Some(device) if !device.is_up() => return down("Nexthop device is not up"),
            Some(device) if !device.carrier => return down("Carrier for nexthop device is down"),
            Some(_) => {}
        }
        match message.gateway {
            Some(gateway) if gateway.is_ipv4() != is_ipv4(message) => return Err(invalid("Invalid gateway")),
            None if message.flags & FLAG_ONLINK != 0 => {
                return Err(invalid("ONLINK flag can not be set for nexthop without a gateway"));
            }
            _ => {}
        }
        match message.encapsulation {
            Some(_) => Err(not_emulated("tunnels of next hops")),
            None => Ok(()),
        }
    }

    /// `nexthop_create`
    fn make_single(&self, ns: NsId, message: &NexthopMessage) -> Result<Single, Failure> {
        let netns = self.netns.get(ns).ok_or(Errno::ENODEV)?;
        let lo = self.devs.get(netns.lo).map_or(0, |device| device.ifindex);
        let ifindex = if message.blackhole { lo } else { message.ifindex.unwrap_or(0) };
        if !is_ipv4(message) {
            let gateway = match message.gateway {
                Some(IpAddr::V6(gateway)) if !gateway.is_unspecified() => Some(gateway),
                _ => None,
            };
            let way = self.nexthop_way6(ns, ifindex, gateway, message.flags)?;
            return Ok(Single {
                is_ipv6: true,
                ifindex: way.ifindex,
                gateway: way.gateway.map(IpAddr::V6),
                scope: Scope::LINK,
                flags: way.flags,
                is_blackhole: message.blackhole,
            });
        }
        let gateway = match message.gateway {
            Some(IpAddr::V4(gateway)) if !gateway.is_unspecified() => Some(gateway),
            _ => None,
        };
        let links = NsLinks { devs: &self.devs, netns };
        let fib = self.fib.get(ns).ok_or(Errno::ENODEV)?;
        let table = links.link(ifindex).and_then(|link| link.vrf).map_or(TABLE_MAIN, |vrf| vrf.table);
        let way = fib.check_way(ifindex, gateway, message.flags, table, &links)?;
        Ok(Single {
            is_ipv6: false,
            ifindex: way.ifindex,
            gateway: way.gateway.map(IpAddr::V4),
            scope: way.scope,
            flags: way.flags,
            is_blackhole: message.blackhole,
        })
    }

    /// `replace_nexthop`
    fn check_replacement(&self, ns: NsId, id: u32, old: &Object, new: &What) -> Result<(), Failure> {
        let objects = &self.netns.get(ns).ok_or(Errno::ENODEV)?.nexthops;
        self.check_users(ns, id, new)?;
        for group in old.groups() {
            let several = objects
                .get(*group)
                .is_some_and(|group| matches!(&group.what, What::Group(members) if members.len() > 1));
            if several && matches!(new, What::Single(single) if single.is_blackhole) {
                return Err(invalid(
                    "Blackhole nexthop can not be a member of a group with more than one path",
                ));
            }
            self.check_users(ns, *group, new)?;
        }
        match (&old.what, new) {
            (What::Group(_), What::Single(_)) => {
                Err(invalid("Can not replace a nexthop group with a nexthop."))
            }
            (What::Single(_), What::Group(_)) => {
                Err(invalid("Can not replace a nexthop with a nexthop group."))
            }
            _ => Ok(()),
        }
    }

    /// Whether the routes of an object could lead by another (`fib_check_nh_list`, `fib6_check_nh_list`).
    fn check_users(&self, ns: NsId, id: u32, new: &What) -> Result<(), Failure> {
        let objects = &self.netns.get(ns).ok_or(Errno::ENODEV)?.nexthops;
        let (fib, fib6) = (self.fib.get(ns).ok_or(Errno::ENODEV)?, self.fib6.get(ns).ok_or(Errno::ENODEV)?);
        let scopes = fib.object_scopes(id);
        for scope in &scopes {
            check_scope(objects, new, *scope)?;
        }
        if !scopes.is_empty() && singles(objects, new).any(|single| has_ipv6_gateway(&single)) {
            return Err(not_emulated("IPv4 routes by gateways of IPv6"));
        }
        if fib6.has_object_routes(id) {
            check_family6(objects, new)?;
        }
        Ok(())
    }

    /// `rtm_dump_nexthop`
    fn dump_nexthops(&self, ns: NsId, message: &NexthopMessage, answer: &mut Answer) -> Result<(), Failure> {
        if message.protocol != 0 || message.scope != 0 || message.flags != 0 {
            return Err(invalid("Invalid values in header for nexthop dump request"));
        }
        let (device, master) = (message.ifindex.unwrap_or(0), message.master.unwrap_or(0));
        let master_of = |ifindex| {
            let master = self.device_at(ns, ifindex).and_then(|dev| self.devs.get(dev)?.master);
            master.and_then(|dev| self.devs.get(dev)).map(|device| device.ifindex)
        };
        let fits = |object: &Object| match &object.what {
            What::Group(_) => device == 0 && master == 0 && message.family == 0,
            What::Single(single) => {
                !message.groups
                    && (message.family == 0 || message.family == family(single))
                    && (device == 0 || single.ifindex == device)
                    && (master == 0 || master_of(single.ifindex) == Some(master))
            }
        };
        let objects = &self.netns.get(ns).ok_or(Errno::ENODEV)?.nexthops;
        for (id, object) in objects.iter().filter(|(_, object)| fits(object)) {
            answer.push_raw(RTM_NEWNEXTHOP, &nexthop_message(id, object).emit(), NLM_F_MULTI);
        }
        Ok(())
    }
}

/// An object as the kernel describes it (`nh_fill_node`).
pub(crate) fn nexthop_message(id: u32, object: &Object) -> NexthopMessage {
    let message = NexthopMessage { protocol: object.protocol, id: Some(id), ..NexthopMessage::default() };
    match &object.what {
        What::Group(members) => {
            let member = |share: &Share| Member {
                id: share.id,
                weight: u8::try_from(share.weight.saturating_sub(1)).unwrap_or(u8::MAX),
            };
            NexthopMessage {
                group: Some(members.iter().map(member).collect()),
                group_type: Some(GROUP_MULTIPATH),
                ..message
            }
        }
        What::Single(single) if single.is_blackhole => {
            NexthopMessage { family: family(single), flags: single.flags, blackhole: true, ..message }
        }
        What::Single(single) => NexthopMessage {
            family: family(single),
            scope: single.scope.0,
            flags: single.flags,
            ifindex: Some(single.ifindex),
            gateway: single.gateway,
            ..message
        },
    }
}

/// Whether an IPv4 route of a scope can lead by an object (`fib_check_nexthop`).
pub(super) fn check_scope(objects: &Objects, what: &What, scope: Scope) -> Result<(), Failure> {
    if matches!(what, What::Group(_)) && scope == Scope::HOST {
        return Err(invalid("Route with host scope can not have multiple nexthops"));
    }
    // All members of a group have the same scope.
    let Some(first) = singles(objects, what).next() else { return Ok(()) };
    if scope == Scope::HOST && first.gateway.is_some() {
        return Err(invalid("Route with host scope can not have a gateway"));
    }
    if first.flags & FLAG_ONLINK != 0 && scope >= Scope::LINK {
        return Err(invalid("Scope mismatch with nexthop"));
    }
    Ok(())
}

/// Whether an IPv6 route can lead by an object (`fib6_check_nexthop`).
pub(super) fn check_family6(objects: &Objects, what: &What) -> Result<(), Failure> {
    if singles(objects, what).any(|single| !single.is_ipv6) {
        return Err(invalid("IPv6 routes can not use an IPv4 nexthop"));
    }
    Ok(())
}

fn singles<'a>(objects: &'a Objects, what: &'a What) -> Box<dyn Iterator<Item = Single> + 'a> {
    match what {
        What::Single(single) => Box::new(std::iter::once(*single)),
        What::Group(members) => Box::new(
            members
                .iter()
                .filter_map(|share| objects.get(share.id))
                .flat_map(|member| objects.singles(member).map(|(single, _)| single)),
        ),
    }
}

fn has_ipv6_gateway(single: &Single) -> bool {
    single.gateway.is_some_and(|gateway| gateway.is_ipv6())
}

fn family(single: &Single) -> u8 {
    if single.is_ipv6 { AddressFamily::Inet6.into() } else { AddressFamily::Inet.into() }
}

fn is_ipv4(message: &NexthopMessage) -> bool {
    message.family == u8::from(AddressFamily::Inet)
}

/// The first checks of `rtm_to_nh_config`.
fn check(message: &NexthopMessage) -> Result<(), Failure> {
    if message.scope != 0 {
        return Err(invalid("Invalid values in ancillary header"));
    }
    if message.flags & !FLAG_ONLINK != 0 {
        return Err(invalid("Invalid nexthop flags in ancillary header"));
    }
    match AddressFamily::from(message.family) {
        AddressFamily::Inet | AddressFamily::Inet6 => {}
        AddressFamily::Unspec if message.group.is_some() => {}
        _ => return Err(invalid("Invalid address family")),
    }
    if message.fdb && (message.ifindex.is_some() || message.blackhole || message.encapsulation.is_some()) {
        return Err(invalid("Fdb attribute can not be used with encap, oif or blackhole"));
    }
    Ok(())
}

/// `nh_check_attr_group`
fn check_group(
    objects: &Objects,
    message: &NexthopMessage,
    members: &[Member],
) -> Result<Vec<Share>, Failure> {
    if message.family != 0 {
        return Err(invalid("Invalid family for group"));
    }
    match message.group_type.unwrap_or(GROUP_MULTIPATH) {
        GROUP_MULTIPATH => {}
        GROUP_RESILIENT => return Err(not_emulated("resilient groups of next hops")),
        _ => return Err(invalid("Invalid group type")),
    }
    if members.is_empty() {
        return Err(invalid("Invalid length for nexthop group attribute"));
    }
    for (at, member) in members.iter().enumerate() {
        // A share of 256 would fit, but is not taken before later 6.1 kernels, whose shares have 16 bits.
        if member.weight == u8::MAX {
            return Err(invalid("Invalid value for weight"));
        }
        if members.iter().skip(at + 1).any(|other| other.id == member.id) {
            return Err(invalid("Nexthop id can not be used twice in a group"));
        }
    }
    for member in members {
        match objects.get(member.id).map(|object| &object.what) {
            None => return Err(invalid("Invalid nexthop id")),
            Some(What::Group(_)) => {
                return Err(invalid("Hash-threshold group can not be a nexthop within a group"));
            }
            Some(What::Single(single)) if single.is_blackhole && members.len() > 1 => {
                return Err(invalid("Blackhole nexthop can not be used in a group with more than 1 path"));
            }
            Some(What::Single(_)) => {}
        }
    }
    if message.blackhole || message.ifindex.is_some() || message.gateway.is_some() {
        return Err(invalid("No other attributes can be set in nexthop groups"));
    }
    let share = |member: &Member| Share { id: member.id, weight: u16::from(member.weight) + 1 };
    Ok(members.iter().map(share).collect())
}

/// `nh_valid_get_del_req`
fn named_id(message: &NexthopMessage) -> Result<u32, Failure> {
    if message.protocol != 0 || message.scope != 0 || message.flags != 0 {
        return Err(invalid("Invalid values in header"));
    }
    match message.id {
        None => Err(invalid("Nexthop id is missing")),
        Some(0) => Err(invalid("Invalid nexthop id")),
        Some(id) => Ok(id),
    }
}

fn invalid(text: &str) -> Failure {
    Failure::with_text(Errno::EINVAL, text)
}
