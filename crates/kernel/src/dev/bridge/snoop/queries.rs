//! Who asks for members: another querier, or this bridge.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use crate::device::DevId;
use crate::time::Time;

use super::super::port::State;
use super::super::stp::Clock;
use super::super::{Bridge, Event};
use super::{FAMILIES, Family, router, running};

/// Our own queries (`struct bridge_mcast_own_query`).
#[derive(Clone, Copy, Debug, Default)]
pub struct OwnQuery {
    pub timer: Option<Time>,
    startup_sent: u32,
}

impl OwnQuery {
    /// `br_multicast_enable`: from the start, at the next tick.
    pub(super) fn start(&mut self, now: Time) {
        self.startup_sent = 0;
        self.timer = Some(now.timer(Duration::ZERO));
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

impl Bridge {
    /// `br_ip4_multicast_query_received`: a querier asks for all groups.
    pub(super) fn general_query(
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
        // `br_multicast_select_querier`: the lowest address, unless the one known is silent. None known is an address of
        // zeros, which in IPv4 is not lower than another one.
        let known = queries.querier.map(|(address, _)| address).filter(|address| !address.is_unspecified());
        let better = match family {
            Family::V4 => known.is_none_or(|known| from <= known),
            Family::V6 => from <= known.unwrap_or(Ipv6Addr::UNSPECIFIED.into()),
        };
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

    /// `br_multicast_querier_exists`: somebody asks, and members have had the time to answer.
    pub fn has_querier(&self, family: Family, now: Time) -> bool {
        let queries = &self.snooping.queries[family as usize];
        // A querier of IPv6 needs an address of its own, which is not looked for.
        let own = self.snooping.querier && family == Family::V4;
        !running(queries.delay, now) && (own || running(queries.other, now))
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
    pub(super) fn start_querier(&mut self, family: Family, clock: Clock) {
        if self.mcast_snooping {
            self.snooping.queries[family as usize].own.start(clock.now);
        }
        for port in &mut self.ports {
            if !matches!(port.state, State::Disabled | State::Blocking) {
                port.queries[family as usize].own.start(clock.now);
            }
        }
    }

    /// `br_multicast_query_expired`, `br_multicast_port_query_expired`: it is time for a query of our own, if we
    /// are the querier.
    pub(super) fn query_expired(&mut self, port: Option<DevId>, family: Family, clock: Clock) {
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
        // Who asked before is not the querier any more.
        let queries = &mut self.snooping.queries[family as usize];
        if port.is_none() && matches!(queries.querier, Some((_, Some(_)))) {
            queries.querier = None;
        }
        // Without an address of its own the bridge asks for no groups of IPv6.
        if family == Family::V4 {
            self.send_query(port, None, clock);
        }
    }

    /// `__br_multicast_send_query`
    pub(super) fn send_query(&mut self, port: Option<DevId>, group: Option<Ipv4Addr>, clock: Clock) {
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
