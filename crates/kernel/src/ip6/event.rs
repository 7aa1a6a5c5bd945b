//! What happens at an instant in IPv6.

use std::net::Ipv6Addr;

use crate::device::DevId;
use crate::neigh::ndisc::Delayed;
use crate::netns::NsId;
use crate::world::World;

/// A timer of IPv6 that goes off.
#[derive(Clone, Debug)]
pub enum Event6 {
    /// Duplicate address detection.
    Dad {
        dev: DevId,
        address: Ipv6Addr,
        timer: u32,
    },
    RouterSolicitation {
        dev: DevId,
        timer: u32,
    },
    /// A router of a world advertises itself.
    RouterAdvertisement {
        dev: DevId,
    },
    ListenerReport {
        dev: DevId,
    },
    /// An answer to a query for listeners.
    ListenerAnswer {
        dev: DevId,
    },
    /// The same when there is an address to report from.
    InitialReport {
        dev: DevId,
    },
    ProxyNdp {
        dev: DevId,
        delayed: Delayed,
    },
    Reassembly {
        ns: NsId,
        id: u64,
    },
    RouteExpiry {
        ns: NsId,
    },
}

impl World {
    pub(crate) fn perform6(&mut self, event: Event6) {
        match event {
            Event6::Dad { dev, address, timer } => self.dad_due(dev, address, timer),
            Event6::RouterSolicitation { dev, timer } => self.solicitation_due(dev, timer),
            Event6::RouterAdvertisement { dev } => self.advertisement_due(dev),
            Event6::ListenerReport { dev } => self.listener_report_due(dev),
            Event6::ListenerAnswer { dev } => self.listener_answers_due(dev),
            Event6::InitialReport { dev } => self.initial_report_due(dev),
            Event6::ProxyNdp { dev, delayed } => self.proxy_ndp_due(dev, delayed),
            Event6::Reassembly { ns, id } => self.reassembly_timeout6(ns, id),
            Event6::RouteExpiry { ns } => self.route6_expiry(ns),
        }
    }
}
