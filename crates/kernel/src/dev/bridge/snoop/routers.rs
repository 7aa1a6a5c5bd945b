//! Where routers of multicast are, which get every group: by queries, or as they are set.

use crate::device::DevId;
use crate::time::Time;

use super::super::stp::Clock;
use super::super::{Bridge, Event};
use super::{FAMILIES, Family, router, running};

impl Bridge {
    /// `br_multicast_mark_router`: a port leads to a router of multicast.
    pub(super) fn mark_router(&mut self, dev: DevId, family: Family, clock: Clock) {
        let until = clock.now.timer(self.snooping.querier_interval);
        let Some(port) = self.port_mut(dev) else { return };
        if matches!(port.mcast_router, router::DISABLED | router::PERMANENT) {
            return;
        }
        port.queries[family as usize].router = Some(until);
        self.add_router(dev, family);
    }

    /// `br_multicast_add_router`; only a port that was no router in either family is announced.
    pub(super) fn add_router(&mut self, dev: DevId, family: Family) {
        let Some(port) = self.port_mut(dev) else { return };
        let was = port.queries.iter().any(|queries| queries.is_router);
        port.queries[family as usize].is_router = true;
        if !was {
            self.events.push(Event::Router(dev, false));
        }
    }

    /// `br_multicast_rport_del`
    pub(super) fn remove_router(&mut self, dev: DevId, families: &[Family]) {
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

    /// `br_multicast_is_router`: the bridge device itself wants everything.
    pub fn is_multicast_router(&self, family: Family, now: Time) -> bool {
        match self.mcast_router {
            router::PERMANENT => true,
            router::QUERY => running(self.snooping.queries[family as usize].router, now),
            _ => false,
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
}
