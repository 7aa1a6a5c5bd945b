//! Answering ARP for others (net/bridge/br_arp_nd_proxy.c): `proxy_arp`, `proxy_arp_wifi` and `neigh_suppress` of ports.
//!
//! The bridge answers for a neighbour that its own device knows and that is behind a known port, and does not
//! flood the request to ports that are spared it. Neighbour discovery of IPv6 is flooded as it is.

use std::net::Ipv4Addr;

use hairpin_wire::vlan::Tag;

use crate::device::DevId;
use crate::frame::{Frame, ethertype};
use crate::mac::Mac;
use crate::neigh::arp::{Arp, REPLY, REQUEST};

use super::{Bridge, Event, PortFlags};

/// What the bridge device knows of the address that a request is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// There is a device to look it up on: the bridge, or that of the frame's VLAN on it.
    pub asked: bool,
    /// It is an address of the bridge device's own.
    pub own: bool,
    /// The MAC of a valid neighbour.
    pub mac: Option<Mac>,
}

/// An answer given for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The port it leaves by; none for one to the bridge device itself.
    pub port: Option<DevId>,
    pub arp: Arp,
    pub tag: Option<Tag>,
    /// The request was in a VLAN. An answer outside of any goes out of the device that asked, be it the bridge.
    pub in_vlan: bool,
}

impl Bridge {
    /// Whether any port wants ARP answered or kept away, so that neighbours have to be looked up.
    pub fn proxies_arp(&self) -> bool {
        let flags = PortFlags::PROXY_ARP | PortFlags::PROXY_ARP_WIFI | PortFlags::NEIGH_SUPPRESS;
        self.ports.iter().any(|port| port.flags.intersects(flags))
    }

    /// `br_do_proxy_suppress_arp`, for a frame that came in by a port or (`None`) is the bridge's own. True if it
    /// is not to go to ports that are spared ARP.
    #[inline]
    pub(super) fn proxy_arp(&mut self, port: Option<DevId>, frame: &Frame, vid: u16, known: Known) -> bool {
        frame.ethertype() == ethertype::ARP && self.proxies_arp() && self.proxy(port, frame, vid, known)
    }

    fn proxy(&mut self, port: Option<DevId>, frame: &Frame, vid: u16, known: Known) -> bool {
        let suppresses = self.ports.iter().any(|port| port.has(PortFlags::NEIGH_SUPPRESS));
        if port.is_none() && !suppresses {
            return false;
        }
        let Some(arp) = Arp::parse(frame.payload()) else { return false };
        if arp.target.is_loopback() || arp.target.is_multicast() {
            return false;
        }
        let has = |flag| port.and_then(|dev| self.port(dev)).is_some_and(|port| port.has(flag));
        if suppresses {
            if has(PortFlags::NEIGH_SUPPRESS) {
                return false;
            }
            if arp.sender == arp.target || arp.sender.is_unspecified() {
                // Gratuitous, or a probe: everybody there knows by other means.
                return true;
            }
        }
        if arp.operation != REQUEST || !known.asked {
            return false;
        }
        if suppresses && known.own {
            return true;
        }
        let Some(mac) = known.mac else { return false };
        let Some(entry) = self.fdb.get(mac, vid) else { return false };
        let behind = entry.port.and_then(|dev| self.port(dev));
        let answers = has(PortFlags::PROXY_ARP)
            || behind.is_some_and(|port| {
                port.flags.intersects(PortFlags::PROXY_ARP_WIFI | PortFlags::NEIGH_SUPPRESS)
            });
        if answers {
            let own_pvid = match port.and_then(|dev| self.port(dev)) {
                Some(port) => port.vlans.pvid,
                None => self.vlans.pvid,
            };
            let answer = Arp {
                operation: REPLY,
                sender_mac: mac,
                sender: arp.target,
                target_mac: arp.sender_mac,
                target: arp.sender,
            };
            let tag = frame.tag.filter(|tag| vid != 0 && tag.vid() != own_pvid);
            self.events.push(Event::Answer(Answer { port, arp: answer, tag, in_vlan: vid != 0 }));
        }
        answers || suppresses
    }
}

/// The address that an ARP frame asks for.
pub fn asked(frame: &Frame) -> Option<Ipv4Addr> {
    match frame.ethertype() {
        ethertype::ARP => Arp::parse(frame.payload()).map(|arp| arp.target),
        _ => None,
    }
}
