//! Who is a member of which group: by reports, until a leave or a time without a report.

use std::net::IpAddr;
use std::time::Duration;

use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::mac::Mac;
use crate::time::Time;

use super::super::mdb::{Group, Member, is_all_nodes, is_local};
use super::super::port::PortFlags;
use super::super::stp::Clock;
use super::super::{Bridge, Event};
use super::{Family, running};

/// A change of the multicast database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MdbChange {
    pub group: Group,
    /// The member; none for the bridge itself.
    pub member: Option<Member>,
    pub gone: bool,
}

impl Bridge {
    /// `br_multicast_add_group`
    ///
    /// # Errors
    /// The table is full: that ends snooping, and the report goes nowhere.
    pub(super) fn join(
        &mut self,
        port: Option<DevId>,
        address: IpAddr,
        vid: u16,
        reporter: Mac,
        clock: Clock,
    ) -> Result<(), DropReason> {
        let flooded = match address {
            IpAddr::V4(group) => is_local(group),
            IpAddr::V6(group) => is_all_nodes(group),
        };
        if flooded || !self.uses(port, clock) {
            return Ok(());
        }
        let group = Group::of_ip(address, vid);
        let expires = Some(clock.now.timer(self.snooping.membership_interval));
        let (most, to_unicast, number) = match port.and_then(|dev| self.port(dev)) {
            Some(port) => (self.snooping.hash_max, port.has(PortFlags::MULTICAST_TO_UNICAST), port.number),
            None => (self.snooping.hash_max, false, 0),
        };
        let Some(entry) = self.mdb.entry(group, most) else {
            // `br_multicast_new_group`
            self.mcast_snooping = false;
            return Err(DropReason::BridgeMulticast);
        };
        let Some(port) = port else {
            entry.host_expires = expires;
            if !std::mem::replace(&mut entry.host_joined, true) {
                self.events.push(Event::Mdb(MdbChange { group, member: None, gone: false }));
            }
            return Ok(());
        };
        let same =
            |member: &&mut Member| member.port == port && (!to_unicast || member.reporter == Some(reporter));
        if let Some(member) = entry.members.iter_mut().find(same) {
            member.expires = expires;
            return Ok(());
        }
        let member = Member {
            port,
            port_number: number,
            permanent: false,
            fast_leave: false,
            by_hand: false,
            reporter: Some(reporter),
            expires,
            serial: 0,
        };
        self.mdb.add(&group, member);
        self.events.push(Event::Mdb(MdbChange { group, member: Some(member), gone: false }));
        Ok(())
    }

    /// `br_multicast_leave_group`
    pub(super) fn leave(
        &mut self,
        port: Option<DevId>,
        address: IpAddr,
        vid: u16,
        reporter: Mac,
        clock: Clock,
    ) {
        let (flooded, family) = match address {
            IpAddr::V4(group) => (is_local(group), Family::V4),
            IpAddr::V6(group) => (is_all_nodes(group), Family::V6),
        };
        let group = Group::of_ip(address, vid);
        if flooded || !self.uses(port, clock) || self.mdb.get(&group).is_none() {
            return;
        }
        let of_port = port.and_then(|dev| self.port(dev));
        let fast = of_port.is_some_and(|port| port.has(PortFlags::FAST_LEAVE));
        let to_unicast = of_port.is_some_and(|port| port.has(PortFlags::MULTICAST_TO_UNICAST));
        let same =
            |member: &Member| Some(member.port) == port && (!to_unicast || member.reporter == Some(reporter));
        if fast {
            let found = self.mdb.get_mut(&group).and_then(|entry| {
                let at = entry.members.iter().position(same)?;
                if entry.members.get(at)?.permanent { None } else { Some(entry.members.remove(at)) }
            });
            if let Some(member) = found {
                let member = Some(Member { fast_leave: true, ..member });
                self.events.push(Event::Mdb(MdbChange { group, member, gone: true }));
                self.mdb.tidy(&group, clock.up);
            }
            return;
        }
        let now = clock.now;
        if running(self.snooping.queries[family as usize].other, now) {
            return;
        }
        let wait = self.snooping.last_member_interval.saturating_mul(self.snooping.last_member_count);
        let until = now.timer(wait);
        let querier = self.snooping.querier;
        if querier {
            if let IpAddr::V4(asked) = address {
                self.send_query(port, Some(asked), clock);
            }
            let own = match port.and_then(|dev| self.port_mut(dev)) {
                Some(port) => &mut port.queries[family as usize].own,
                None => &mut self.snooping.queries[family as usize].own,
            };
            own.timer = Some(until);
        }
        let Some(entry) = self.mdb.get_mut(&group) else { return };
        match port {
            None if entry.host_joined => shorten(&mut entry.host_expires, until),
            None => {}
            Some(port) => {
                // Who has left is asked, if somebody asks; the first of its port is not kept longer in any case.
                if querier && let Some(member) = entry.members.iter_mut().find(|member| same(member)) {
                    shorten(&mut member.expires, until);
                }
                if let Some(member) = entry.members.iter_mut().find(|member| member.port == port) {
                    shorten(&mut member.expires, until);
                }
            }
        }
    }

    /// A querier asks for one group: who does not answer in time is a member no longer.
    pub(super) fn group_query(&mut self, group: Group, response: Duration, clock: Clock) {
        let until = clock.now.timer(response.saturating_mul(self.snooping.last_member_count));
        let Some(entry) = self.mdb.get_mut(&group) else { return };
        if entry.host_joined {
            shorten(&mut entry.host_expires, until);
        }
        for member in entry.members.iter_mut().filter(|member| !member.permanent) {
            shorten(&mut member.expires, until);
        }
    }

    /// The groups of a port of a bridge that is `up`; `all`: those added to stay, too (`br_multicast_del_port`).
    pub fn forget_groups(&mut self, dev: DevId, all: bool, up: bool) {
        for group in self.mdb.of_port(dev) {
            let Some(entry) = self.mdb.get_mut(&group) else { continue };
            let mut gone = Vec::new();
            entry.members.retain(|member| {
                let goes = member.port == dev && (all || !member.permanent);
                if goes {
                    gone.push(*member);
                }
                !goes
            });
            for member in gone {
                self.events.push(Event::Mdb(MdbChange { group, member: Some(member), gone: true }));
            }
            self.mdb.tidy(&group, up);
        }
    }

    /// `br_multicast_group_expired`, `br_multicast_port_group_expired`: what ends while the bridge is down changes nothing.
    pub(super) fn expire_groups(&mut self, clock: Clock) {
        let Clock { now, up, .. } = clock;
        for group in self.mdb.due(now) {
            let Some(entry) = self.mdb.get_mut(&group) else { continue };
            if entry.host_expires.take_if(|at| *at <= now).is_some()
                && up
                && std::mem::replace(&mut entry.host_joined, false)
            {
                self.events.push(Event::Mdb(MdbChange { group, member: None, gone: true }));
            }
            let mut gone = Vec::new();
            entry.members.retain_mut(|member| {
                // A report starts the timer of a permanent member too, whose end changes nothing.
                let goes = member.expires.take_if(|at| *at <= now).is_some() && up && !member.permanent;
                if goes {
                    gone.push(*member);
                }
                !goes
            });
            for member in gone {
                self.events.push(Event::Mdb(MdbChange { group, member: Some(member), gone: true }));
            }
            self.mdb.tidy(&group, up);
        }
    }
}

/// Makes a timer go off by `until`; one that does not run is started.
fn shorten(timer: &mut Option<Time>, until: Time) {
    if timer.is_none_or(|at| at > until) {
        *timer = Some(until);
    }
}
