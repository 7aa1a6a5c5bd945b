//! Multicast snooping (net/bridge/br_multicast.c): memberships are learned from reports, routers from queries, and
//! groups go only where they are wanted while there is a querier.
//!
//! Reports of IGMPv3 and MLDv2 count as those of the version before: their sources are not kept, as in Linux with
//! `mcast_igmp_version 2` and `mcast_mld_version 1`, its defaults.

mod members;
mod queries;
mod routers;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use hairpin_wire::snoop::{Message, Packet, read_ipv4, read_ipv6};

use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::{Frame, ethertype};
use crate::time::{Time, ticks, ticks_a_second};

pub use members::MdbChange;
pub use queries::{PortQueries, Queries, Query};

use super::mdb::{Group, is_all_nodes, is_local};
use super::port::{BridgePort, State};
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
            // A quarter of the one above, in ticks.
            startup_query_interval: ticks(125 * ticks_a_second() / 4),
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

impl Bridge {
    /// `br_multicast_ctx_should_use`
    fn uses(&self, port: Option<DevId>, clock: Clock) -> bool {
        let enabled = |dev| self.port(dev).is_some_and(|port| port.state != State::Disabled);
        clock.up && port.is_none_or(enabled)
    }

    /// `br_multicast_rcv`: looks into a multicast frame that a port has received, or that the bridge sends.
    ///
    /// # Errors
    /// It is a malformed packet, or joins a group for which the table has no room.
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
        self.events.push(Event::Timers);
        let reporter = frame.source();
        match message {
            Message::Report(group) => {
                snooped.to_routers = true;
                self.join(port, group, vid, reporter, clock)?;
            }
            Message::Leave(group) => self.leave(port, group, vid, reporter, clock),
            Message::Records(records) => {
                for (group, joins) in records.groups() {
                    match joins {
                        true => self.join(port, group, vid, reporter, clock)?,
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
        Ok(snooped)
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
    pub(super) fn disable_port_snooping(&mut self, dev: DevId, up: bool) {
        self.forget_groups(dev, false, up);
        if let Some(port) = self.port_mut(dev) {
            for queries in &mut port.queries {
                queries.router = None;
                queries.own.timer = None;
            }
        }
        self.remove_router(dev, &FAMILIES);
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
                    self.disable_port_snooping(dev, clock.up);
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
}

fn running(timer: Option<Time>, now: Time) -> bool {
    timer.is_some_and(|at| at > now)
}

#[cfg(test)]
mod tests;
