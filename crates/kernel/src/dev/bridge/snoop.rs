//! Multicast snooping (net/bridge/br_multicast.c): memberships are learned from reports, routers from queries, and
//! groups go only where they are wanted while there is a querier.
//!
//! Reports of IGMPv3 and MLDv2 count as those of the version before: their sources are not kept, as in Linux with
//! `mcast_igmp_version 2` and `mcast_mld_version 1`, its defaults.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use hairpin_wire::snoop::{Message, Packet, read_ipv4, read_ipv6};

use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::{Frame, ethertype};
use crate::mac::Mac;
use crate::time::Time;

use super::mdb::{Group, Member, is_all_nodes, is_local};
use super::port::{BridgePort, PortFlags, State};
use super::stp::Clock;
use super::{Bridge, Event};

/// What a router port, or the bridge as a router, is (`MDB_RTR_TYPE_*`).
pub mod router {
    pub const DISABLED: u8 = 0;
    /// Found by queries.
    pub const QUERY: u8 = 1;
    pub const PERMANENT: u8 = 2;
    /// Set by hand, and kept up by hand.
    pub const TEMPORARY: u8 = 3;
}

/// The two families, by their place in arrays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    V4 = 0,
    V6 = 1,
}

const FAMILIES: [Family; 2] = [Family::V4, Family::V6];

/// Our own queries (`struct bridge_mcast_own_query`).
#[derive(Clone, Copy, Debug, Default)]
pub struct OwnQuery {
    pub timer: Option<Time>,
    startup_sent: u32,
}

impl OwnQuery {
    /// `br_multicast_enable`: from the start, at once.
    fn start(&mut self, now: Time) {
        self.startup_sent = 0;
        self.timer = Some(now);
    }
}

/// What is known of queriers of a family.
#[derive(Clone, Copy, Debug, Default)]
pub struct Queries {
    /// Until when another querier counts as present.
    pub other: Option<Time>,
    /// Until when members may still be answering it.
    pub delay: Option<Time>,
    pub own: OwnQuery,
    /// The querier's address, and the port it is behind (`None`: this bridge).
    pub querier: Option<(IpAddr, Option<DevId>)>,
    /// Until when the bridge device is a router of multicast.
    pub router: Option<Time>,
}

/// A port's part in one family.
#[derive(Clone, Copy, Debug, Default)]
pub struct PortQueries {
    pub own: OwnQuery,
    pub is_router: bool,
    pub router: Option<Time>,
}

/// A bridge's settings and state of multicast.
#[derive(Clone, Debug)]
pub struct Snooping {
    pub querier: bool,
    pub use_ifaddr: bool,
    pub stats: bool,
    pub hash_max: u32,
    pub last_member_count: u32,
    pub startup_query_count: u32,
    pub last_member_interval: Duration,
    pub membership_interval: Duration,
    pub querier_interval: Duration,
    pub query_interval: Duration,
    pub query_response_interval: Duration,
    pub startup_query_interval: Duration,
    pub queries: [Queries; 2],
    /// Where queries of the bridge itself come from with `mcast_query_use_ifaddr`.
    pub address: Ipv4Addr,
}

impl Default for Snooping {
    /// `br_multicast_ctx_init`
    fn default() -> Self {
        Snooping {
            querier: false,
            use_ifaddr: false,
            stats: false,
            hash_max: 4096,
            last_member_count: 2,
            startup_query_count: 2,
            last_member_interval: Duration::from_secs(1),
            membership_interval: Duration::from_secs(260),
            querier_interval: Duration::from_secs(255),
            query_interval: Duration::from_secs(125),
            query_response_interval: Duration::from_secs(10),
            // 31.25 s in ticks of 4 ms.
            startup_query_interval: Duration::from_millis(31_248),
            queries: Default::default(),
            address: Ipv4Addr::UNSPECIFIED,
        }
    }
}

/// What snooping found out about a frame.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Snooped {
    /// It is a message about membership itself, whose group says nothing.
    pub about_groups: bool,
    /// Routers must have it, whoever else wants it.
    pub to_routers: bool,
    pub family: Option<Family>,
    /// The IP packet's destination.
    pub destination: Option<IpAddr>,
}

/// A query to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    /// The port it leaves by; none for one that the bridge device itself receives.
    pub port: Option<DevId>,
    /// The group it is about; none for all.
    pub group: Option<Ipv4Addr>,
    pub source: Ipv4Addr,
    pub response: Duration,
}

/// A change of the multicast database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MdbChange {
    pub group: Group,
    /// The member; none for the bridge itself.
    pub member: Option<Member>,
    pub gone: bool,
}

impl Bridge {
    /// `br_multicast_ctx_should_use`
    fn uses(&self, port: Option<DevId>, clock: Clock) -> bool {
        let enabled = |dev| self.port(dev).is_some_and(|port| port.state != State::Disabled);
        clock.up && port.is_none_or(enabled)
    }

    /// `br_multicast_rcv`: looks into a multicast frame that a port has received, or that the bridge sends.
    ///
    /// # Errors
    /// It is a malformed packet.
    pub(super) fn snoop(
        &mut self,
        port: Option<DevId>,
        frame: &Frame,
        vid: u16,
        clock: Clock,
    ) -> Result<Snooped, DropReason> {
        if !self.mcast_snooping {
            return Ok(Snooped::default());
        }
        let (family, packet) = match frame.ethertype() {
            ethertype::IPV4 => (Family::V4, read_ipv4(frame.payload())),
            ethertype::IPV6 => (Family::V6, read_ipv6(frame.payload())),
            _ => return Ok(Snooped::default()),
        };
        let mut snooped = Snooped { family: Some(family), ..Snooped::default() };
        let message = match packet {
            Packet::Malformed => return Err(DropReason::BridgeMulticast),
            Packet::Other { to } => {
                snooped.destination = Some(to);
                snooped.to_routers = match to {
                    IpAddr::V4(group) => !is_local(group),
                    IpAddr::V6(group) => !is_all_nodes(group),
                };
                return Ok(snooped);
            }
            Packet::Message(message) => message,
        };
        snooped.about_groups = true;
        let reporter = frame.source();
        match message {
            Message::Report(group) => {
                snooped.to_routers = true;
                self.join(port, group, vid, reporter, clock);
            }
            Message::Leave(group) => self.leave(port, group, vid, reporter, clock),
            Message::Records(records) => {
                for (group, joins) in records.groups() {
                    match joins {
                        true => self.join(port, group, vid, reporter, clock),
                        false => self.leave(port, group, vid, reporter, clock),
                    }
                }
            }
            Message::Query { group: None, from, response, .. } => {
                self.general_query(port, family, from, response, clock);
            }
            Message::Query { group: Some(group), response, .. } => {
                self.group_query(Group::of_ip(group, vid), response, clock);
            }
        }
        self.events.push(Event::Timers);
        Ok(snooped)
    }

    /// `br_multicast_add_group`
    fn join(&mut self, port: Option<DevId>, address: IpAddr, vid: u16, reporter: Mac, clock: Clock) {
        let flooded = match address {
            IpAddr::V4(group) => is_local(group),
            IpAddr::V6(group) => is_all_nodes(group),
        };
        if flooded || !self.uses(port, clock) {
            return;
        }
        let group = Group::of_ip(address, vid);
        let expires = Some(clock.now.timer(self.snooping.membership_interval));
        let (most, to_unicast, number) = match port.and_then(|dev| self.port(dev)) {
            Some(port) => (self.snooping.hash_max, port.has(PortFlags::MULTICAST_TO_UNICAST), port.number),
            None => (self.snooping.hash_max, false, 0),
        };
        let Some(entry) = self.mdb.entry(group, most) else {
            // `br_multicast_new_group`: a full table ends snooping.
            self.mcast_snooping = false;
            return;
        };
        let Some(port) = port else {
            entry.host_expires = expires;
            if !std::mem::replace(&mut entry.host_joined, true) {
                self.events.push(Event::Mdb(MdbChange { group, member: None, gone: false }));
            }
            return;
        };
        let same =
            |member: &&mut Member| member.port == port && (!to_unicast || member.reporter == Some(reporter));
        if let Some(member) = entry.members.iter_mut().find(same) {
            member.expires = expires;
            return;
        }
        let member = Member {
            port,
            port_number: number,
            permanent: false,
            fast_leave: false,
            by_hand: false,
            reporter: Some(reporter),
            expires,
        };
        entry.add(member);
        self.events.push(Event::Mdb(MdbChange { group, member: Some(member), gone: false }));
    }

    /// `br_multicast_leave_group`
    fn leave(&mut self, port: Option<DevId>, address: IpAddr, vid: u16, reporter: Mac, clock: Clock) {
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
                self.mdb.tidy(&group);
            }
            return;
        }
        let now = clock.now;
        if running(self.snooping.queries[family as usize].other, now) {
            return;
        }
        let wait = self.snooping.last_member_interval * self.snooping.last_member_count;
        let until = now.timer(wait);
        if self.snooping.querier {
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
                if let Some(member) = entry.members.iter_mut().find(|member| member.port == port) {
                    shorten(&mut member.expires, until);
                }
            }
        }
    }

    /// `br_ip4_multicast_query_received`: a querier asks for all groups.
    fn general_query(
        &mut self,
        port: Option<DevId>,
        family: Family,
        from: IpAddr,
        response: Duration,
        clock: Clock,
    ) {
        if !self.uses(port, clock) {
            return;
        }
        let now = clock.now;
        let interval = self.snooping.querier_interval;
        let router_mode = self.mcast_router;
        let queries = &mut self.snooping.queries[family as usize];
        // `br_multicast_select_querier`: the lowest address, unless the one known is silent.
        let known = queries.querier.map(|(address, _)| address).filter(|address| !address.is_unspecified());
        let better = known.is_none_or(|known| from <= known);
        if !better && (queries.own.timer.is_some() || running(queries.other, now)) {
            return;
        }
        queries.querier = Some((from, port));
        if !running(queries.other, now) {
            queries.delay = Some(now.timer(response));
        }
        queries.other = Some(now.timer(interval));
        match port {
            None if router_mode == router::QUERY => queries.router = Some(now.timer(interval)),
            None => {}
            Some(port) => self.mark_router(port, family, clock),
        }
    }

    /// `br_multicast_mark_router`: a port leads to a router of multicast.
    fn mark_router(&mut self, dev: DevId, family: Family, clock: Clock) {
        let until = clock.now.timer(self.snooping.querier_interval);
        let Some(port) = self.port_mut(dev) else { return };
        if matches!(port.mcast_router, router::DISABLED | router::PERMANENT) {
            return;
        }
        port.queries[family as usize].router = Some(until);
        self.add_router(dev, family);
    }

    /// `br_multicast_add_router`; only a port that was no router in either family is announced.
    fn add_router(&mut self, dev: DevId, family: Family) {
        let Some(port) = self.port_mut(dev) else { return };
        let was = port.queries.iter().any(|queries| queries.is_router);
        port.queries[family as usize].is_router = true;
        if !was {
            self.events.push(Event::Router(dev, false));
        }
    }

    /// `br_multicast_rport_del`
    fn remove_router(&mut self, dev: DevId, families: &[Family]) {
        let Some(port) = self.port_mut(dev) else { return };
        let was = port.queries.iter().any(|queries| queries.is_router);
        for family in families {
            port.queries[*family as usize].is_router = false;
        }
        if was && !port.queries.iter().any(|queries| queries.is_router) {
            if port.mcast_router == router::TEMPORARY {
                port.mcast_router = router::QUERY;
            }
            self.events.push(Event::Router(dev, true));
        }
    }

    /// A querier asks for one group: who does not answer in time is a member no longer.
    fn group_query(&mut self, group: Group, response: Duration, clock: Clock) {
        let until = clock.now.timer(response * self.snooping.last_member_count);
        let Some(entry) = self.mdb.get_mut(&group) else { return };
        if entry.host_joined {
            shorten(&mut entry.host_expires, until);
        }
        for member in entry.members.iter_mut().filter(|member| !member.permanent) {
            shorten(&mut member.expires, until);
        }
    }

    /// `br_multicast_querier_exists`: somebody asks, and members have had the time to answer.
    pub(super) fn has_querier(&self, family: Family, now: Time) -> bool {
        let queries = &self.snooping.queries[family as usize];
        // A querier of IPv6 needs an address of its own, which is not looked for.
        let own = self.snooping.querier && family == Family::V4;
        !running(queries.delay, now) && (own || running(queries.other, now))
    }

    /// `br_multicast_is_router`: the bridge device itself wants everything.
    pub(super) fn is_multicast_router(&self, family: Family, now: Time) -> bool {
        match self.mcast_router {
            router::PERMANENT => true,
            router::QUERY => running(self.snooping.queries[family as usize].router, now),
            _ => false,
        }
    }

    // Ports and the bridge come and go.

    /// `br_multicast_open`: the bridge has gone up.
    pub fn start_snooping(&mut self, clock: Clock) {
        if self.mcast_snooping {
            for queries in &mut self.snooping.queries {
                queries.own.start(clock.now);
            }
        }
    }

    /// `br_multicast_stop`: the bridge has gone down.
    pub(super) fn stop_snooping(&mut self) {
        for queries in &mut self.snooping.queries {
            queries.other = None;
            queries.delay = None;
            queries.own.timer = None;
            queries.router = None;
        }
    }

    /// `br_multicast_enable_port`
    pub(super) fn enable_port_snooping(&mut self, dev: DevId, clock: Clock) {
        if !self.mcast_snooping || !clock.up {
            return;
        }
        let Some(port) = self.port_mut(dev) else { return };
        for queries in &mut port.queries {
            queries.own.start(clock.now);
        }
        if port.mcast_router == router::PERMANENT {
            for family in FAMILIES {
                self.add_router(dev, family);
            }
        }
    }

    /// `br_multicast_disable_port`: what was learned of a port is void.
    pub(super) fn disable_port_snooping(&mut self, dev: DevId) {
        self.forget_groups(dev, false);
        if let Some(port) = self.port_mut(dev) {
            for queries in &mut port.queries {
                queries.router = None;
                queries.own.timer = None;
            }
        }
        self.remove_router(dev, &FAMILIES);
    }

    /// The groups of a port; `all`: those added to stay, too (`br_multicast_del_port`).
    pub fn forget_groups(&mut self, dev: DevId, all: bool) {
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
            self.mdb.tidy(&group);
        }
    }

    /// `br_multicast_toggle`. True if snooping changed.
    pub fn set_snooping(&mut self, on: bool, clock: Clock) -> bool {
        if self.mcast_snooping == on {
            return false;
        }
        self.mcast_snooping = on;
        let ports: Vec<DevId> = self.ports.iter().map(|port| port.dev).collect();
        if !on {
            for dev in ports {
                if self.port(dev).is_some_and(|port| port.state != State::Disabled) {
                    self.disable_port_snooping(dev);
                }
            }
        } else if clock.up {
            self.start_snooping(clock);
            for dev in ports {
                let live = |port: &BridgePort| !matches!(port.state, State::Disabled | State::Blocking);
                if self.port(dev).is_some_and(live) {
                    self.enable_port_snooping(dev, clock);
                }
            }
        }
        true
    }

    /// `br_multicast_set_querier`
    pub fn set_querier(&mut self, on: bool, clock: Clock) {
        if std::mem::replace(&mut self.snooping.querier, on) == on || !on {
            return;
        }
        let delay = clock.now.timer(self.snooping.query_response_interval);
        for family in FAMILIES {
            let queries = &mut self.snooping.queries[family as usize];
            if !running(queries.other, clock.now) {
                queries.delay = Some(delay);
            }
            self.start_querier(family, clock);
        }
    }

    /// `br_multicast_start_querier`
    fn start_querier(&mut self, family: Family, clock: Clock) {
        if self.mcast_snooping {
            self.snooping.queries[family as usize].own.start(clock.now);
        }
        for port in &mut self.ports {
            if !matches!(port.state, State::Disabled | State::Blocking) {
                port.queries[family as usize].own.start(clock.now);
            }
        }
    }

    /// `br_multicast_set_router`. False for a kind that the bridge cannot be.
    pub fn set_router(&mut self, kind: u8) -> bool {
        if kind > router::PERMANENT {
            return false;
        }
        if kind != router::QUERY {
            for queries in &mut self.snooping.queries {
                queries.router = None;
            }
        }
        self.mcast_router = kind;
        true
    }

    /// `br_multicast_set_port_router`. False for a kind that there is not.
    pub fn set_port_router(&mut self, dev: DevId, kind: u8, clock: Clock) -> bool {
        let until = clock.now.timer(self.snooping.querier_interval);
        let Some(port) = self.port_mut(dev) else { return false };
        if kind > router::TEMPORARY {
            return false;
        }
        if port.mcast_router == kind {
            if kind == router::TEMPORARY {
                for queries in &mut port.queries {
                    queries.router = Some(until);
                }
            }
            return true;
        }
        port.mcast_router = kind;
        if matches!(kind, router::DISABLED | router::PERMANENT) {
            for queries in &mut port.queries {
                queries.router = None;
            }
        }
        match kind {
            router::PERMANENT => {
                for family in FAMILIES {
                    self.add_router(dev, family);
                }
            }
            router::TEMPORARY => {
                for family in FAMILIES {
                    if self.uses(Some(dev), clock) {
                        self.mark_router(dev, family, clock);
                    }
                }
            }
            _ => self.remove_router(dev, &FAMILIES),
        }
        true
    }

    // Timers.

    pub(super) fn next_snooping_timer(&self) -> Option<Time> {
        let bridge = self
            .snooping
            .queries
            .iter()
            .flat_map(|queries| [queries.other, queries.delay, queries.own.timer, queries.router]);
        let ports = self.ports.iter().flat_map(|port| &port.queries);
        let ports = ports.flat_map(|queries| [queries.own.timer, queries.router]);
        bridge.chain(ports).flatten().chain(self.mdb.next_timer()).min()
    }

    pub(super) fn expire_snooping_timers(&mut self, clock: Clock) {
        let due = |timer: &mut Option<Time>| timer.take_if(|at| *at <= clock.now).is_some();
        for family in FAMILIES {
            let queries = &mut self.snooping.queries[family as usize];
            due(&mut queries.delay);
            due(&mut queries.router);
            if due(&mut queries.other) && clock.up && self.mcast_snooping {
                self.start_querier(family, clock);
            }
            if due(&mut self.snooping.queries[family as usize].own.timer) {
                self.query_expired(None, family, clock);
            }
            let ports: Vec<DevId> = self.ports.iter().map(|port| port.dev).collect();
            for dev in ports {
                let Some(port) = self.port_mut(dev) else { continue };
                let queries = &mut port.queries[family as usize];
                let (own, router_gone) = (due(&mut queries.own.timer), due(&mut queries.router));
                let stopped = matches!(port.state, State::Disabled | State::Blocking);
                let learned = !matches!(port.mcast_router, router::DISABLED | router::PERMANENT);
                if own && !stopped {
                    self.query_expired(Some(dev), family, clock);
                }
                if router_gone && learned {
                    self.remove_router(dev, &[family]);
                }
            }
        }
        self.expire_groups(clock);
    }

    /// `br_multicast_group_expired`, `br_multicast_port_group_expired`: what ends while the bridge is down changes nothing.
    fn expire_groups(&mut self, clock: Clock) {
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
            self.mdb.tidy(&group);
        }
    }

    /// `br_multicast_query_expired`, `br_multicast_port_query_expired`: it is time for a query of our own, if we
    /// are the querier.
    fn query_expired(&mut self, port: Option<DevId>, family: Family, clock: Clock) {
        let most = self.snooping.startup_query_count;
        let (startup, normal) = (self.snooping.startup_query_interval, self.snooping.query_interval);
        let silent = !self.uses(port, clock)
            || !self.mcast_snooping
            || !self.snooping.querier
            || running(self.snooping.queries[family as usize].other, clock.now);
        let own = match port.and_then(|dev| self.port_mut(dev)) {
            Some(port) => &mut port.queries[family as usize].own,
            None => &mut self.snooping.queries[family as usize].own,
        };
        if own.startup_sent < most {
            own.startup_sent += 1;
        }
        if silent {
            return;
        }
        let wait = if own.startup_sent < most { startup } else { normal };
        own.timer = Some(clock.now.timer(wait));
        // Without an address of its own the bridge asks for no groups of IPv6.
        if family == Family::V4 {
            self.send_query(port, None, clock);
        }
    }

    /// `__br_multicast_send_query`
    fn send_query(&mut self, port: Option<DevId>, group: Option<Ipv4Addr>, clock: Clock) {
        if !self.uses(port, clock) {
            return;
        }
        let snooping = &mut self.snooping;
        let source = if snooping.use_ifaddr { snooping.address } else { Ipv4Addr::UNSPECIFIED };
        if port.is_none() {
            // `br_multicast_select_own_querier`
            snooping.queries[Family::V4 as usize].querier = Some((IpAddr::V4(source), None));
        }
        let response = match group {
            Some(_) => snooping.last_member_interval,
            None => snooping.query_response_interval,
        };
        self.events.push(Event::Query(Query { port, group, source, response }));
    }
}

fn running(timer: Option<Time>, now: Time) -> bool {
    timer.is_some_and(|at| at > now)
}

/// Makes a timer go off by `until`; one that does not run is started.
fn shorten(timer: &mut Option<Time>, until: Time) {
    if timer.is_none_or(|at| at > until) {
        *timer = Some(until);
    }
}

#[cfg(test)]
#[path = "snoop_tests.rs"]
mod tests;
