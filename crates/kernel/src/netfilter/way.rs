//! What netfilter asks the routing tables: whether a packet that it has changed still has a way, what kind an address of IPv6
//! is, and whether an answer would leave by the device that a packet came in by.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hairpin_netlink::Errno;
use hairpin_netlink::netfilter::matches::{RpFilter, address_type};

use super::At;
use super::matches::Around;
use super::packet::Ip;
use crate::device::{DevId, Ipv6Address, ifa};
use crate::frame::Frame;
use crate::ip6::address::needs_device;
use crate::ip6::route::Around as Neighbours;
use crate::route::{Flow, RouteKind};
use crate::route6::Flow6;
use crate::world::World;

/// What decides the way of a packet of this host: source, destination, TOS and mark.
pub(super) type Deciding = (IpAddr, IpAddr, u8, u32);

pub(super) fn deciding(frame: &Frame) -> Option<Deciding> {
    Ip::read(frame.payload()).map(|ip| (ip.source, ip.destination, ip.tos, frame.mark))
}

impl World {
    /// Interface index of the device that a packet of this host is to leave by which a rule has changed, 0 for any: its
    /// socket's; else the VRF that it was to leave through, or, to where only a device gives a way, that very one
    /// (`ip_route_me_harder`, `ip6_route_me_harder`).
    pub(crate) fn device_anew(&self, dev: DevId, bound: u32, destination: IpAddr) -> u32 {
        if bound != 0 {
            return bound;
        }
        match destination {
            IpAddr::V4(group) if group.is_multicast() || group.is_broadcast() => 0,
            IpAddr::V4(_) => self.vrf_ifindex(dev),
            IpAddr::V6(to) if to.is_multicast() || to.is_unicast_link_local() => {
                self.devs.get(dev).map_or(0, |device| device.ifindex)
            }
            IpAddr::V6(_) => self.vrf_ifindex(dev),
        }
    }

    /// Whether a packet of this host has a way, if what decides that is no longer what it was `before`, and takes note of
    /// what it is now.
    ///
    /// # Errors
    /// As of [`World::has_way`].
    #[inline(never)]
    pub(super) fn still_has_way(
        &self,
        at: &At,
        frame: &Frame,
        before: &mut Option<Deciding>,
    ) -> Result<(), Errno> {
        match deciding(frame) {
            Some(now) if Some(now) != *before => {
                *before = Some(now);
                self.has_way(at, frame.bound, now)
            }
            _ => Ok(()),
        }
    }

    /// `ip_route_me_harder`, `ip6_route_me_harder`: whether there is a way for a packet of this host that was changed.
    /// `bound` is the device of its socket.
    ///
    /// # Errors
    /// What its sender is told where there is none.
    pub(super) fn has_way(&self, at: &At, bound: u32, deciding: Deciding) -> Result<(), Errno> {
        let (source, destination, tos, mark) = deciding;
        let ns = at.ns;
        let device = at.output.map_or(bound, |dev| self.device_anew(dev, bound, destination));
        match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                let links = self.links(ns).ok_or(Errno::ENETUNREACH)?;
                let fib = self.fib.get(ns).ok_or(Errno::ENETUNREACH)?;
                let flow = Flow { source, oif: device, tos: tos & 0x1e, mark, ..Flow::to(destination) };
                fib.output(&flow, true, &links).map(|_| ())
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                let netns = self.netns.get(ns).ok_or(Errno::ENETUNREACH)?;
                let fib = self.fib6.get(ns).ok_or(Errno::ENETUNREACH)?;
                let strict = device != 0 || needs_device(destination);
                let flow = Flow6 { source, device, mark, strict, ..Flow6::to(destination) };
                let flow = self.in_vrf6(ns, flow);
                let found = fib.lookup(&flow, &Neighbours { netns, now: self.now });
                found.map(|_| ()).map_err(|error| error.errno())
            }
            _ => Ok(()),
        }
    }
}

impl Around<'_> {
    /// `match_type6`: kinds of address are asked for all at once.
    pub(super) fn is_kind6(&self, address: Ipv6Addr, kinds: u16, dev: Option<DevId>) -> bool {
        use address_type::{ANYCAST, LOCAL, MULTICAST, UNICAST, UNREACHABLE, UNSPEC};
        let multicast = address.is_multicast();
        let mapped = address.to_ipv4_mapped().is_some();
        let unicast = !multicast && !mapped && !address.is_unspecified();
        if kinds & MULTICAST != 0 && !multicast
            || kinds & UNICAST != 0 && !unicast
            || kinds & UNSPEC != 0 && !address.is_unspecified()
        {
            return false;
        }
        let by_route = kinds & (LOCAL | ANYCAST | UNREACHABLE);
        by_route == 0 || self.kind_by_route6(address, dev) & kinds != 0
    }

    /// `match_lookup_rt6`
    fn kind_by_route6(&self, address: Ipv6Addr, dev: Option<DevId>) -> u16 {
        use address_type::{ANYCAST, LOCAL, UNREACHABLE};
        let ns = self.at.ns;
        let device = dev.and_then(|dev| self.world.devs.get(dev));
        let mut kinds = 0;
        // `ipv6_chk_addr`: what is still looked for duplicates of is not there yet.
        let is_own = |own: &Ipv6Address| own.address == address && own.flags & ifa::TENTATIVE == 0;
        if device.is_some_and(|device| device.ipv6.iter().any(is_own)) {
            kinds = LOCAL;
        }
        let (Some(netns), Some(fib)) = (self.world.netns.get(ns), self.world.fib6.get(ns)) else {
            return UNREACHABLE;
        };
        let oif = device.map_or(0, |device| device.ifindex);
        let flow = Flow6 { device: oif, strict: oif != 0, ..Flow6::to(address) };
        let flow = self.world.in_vrf6(ns, flow);
        let Ok(found) = fib.lookup(&flow, &Neighbours { netns, now: self.world.now }) else {
            return UNREACHABLE;
        };
        let route = found.route;
        if device.is_none() && route.kind == RouteKind::Local {
            kinds |= LOCAL;
        }
        // `ipv6_anycast_destination`: the router's address of a subnet too.
        let of_subnet = route.prefix.length < 127
            && found.way.gateway.is_none()
            && route.kind == RouteKind::Unicast
            && route.prefix.address == address;
        if route.kind == RouteKind::Anycast || of_subnet {
            kinds |= ANYCAST;
        }
        kinds
    }

    /// `rpfilter_mt`
    pub(super) fn comes_by_its_way(&self, wanted: &RpFilter) -> bool {
        let Some(device) = self.at.input.and_then(|dev| self.world.devs.get(dev)) else { return false };
        if device.is_loopback() {
            return true;
        }
        match (self.ip.source, self.ip.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                let nobody = source.octets()[0] == 0;
                if nobody && (destination.is_broadcast() || destination.octets()[..3] == [224, 0, 0]) {
                    return true;
                }
                self.answers_leave(device.ifindex, source, destination, wanted)
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                source.is_unspecified() || self.answers_leave6(device.ifindex, source, destination, wanted)
            }
            _ => false,
        }
    }

    /// `rpfilter_lookup_reverse`
    fn answers_leave(
        &self,
        ifindex: u32,
        source: Ipv4Addr,
        destination: Ipv4Addr,
        wanted: &RpFilter,
    ) -> bool {
        let ns = self.at.ns;
        let (Some(links), Some(fib)) = (self.world.links(ns), self.world.fib.get(ns)) else { return false };
        let group = destination.is_multicast() || destination.is_broadcast() || destination.octets()[0] == 0;
        let vrf = crate::route::Links::link(&links, ifindex).and_then(|link| link.vrf);
        let flow = Flow {
            source: if group { Ipv4Addr::UNSPECIFIED } else { destination },
            mark: if wanted.mark { self.frame.mark } else { 0 },
            tos: self.ip.tos & 0x1e,
            vrf_table: vrf.map(|vrf| vrf.table),
            ignore_linkstate: true,
            ..Flow::to(source)
        };
        let Ok(found) = fib.lookup(&flow) else { return false };
        let fits = match found.kind() {
            RouteKind::Unicast => true,
            RouteKind::Local => wanted.accept_local,
            _ => false,
        };
        // `nhc_l3mdev_matches_dev`: a packet that came into a VRF passes once more as the VRF's.
        let of_it = |out: u32| {
            let master = || crate::route::Links::link(&links, out).and_then(|link| link.vrf);
            out == ifindex || master().is_some_and(|vrf| vrf.ifindex == ifindex)
        };
        fits && (wanted.loose || found.route.nexthops.iter().any(|nexthop| of_it(nexthop.ifindex)))
    }

    /// `rpfilter_lookup_reverse6`
    fn answers_leave6(
        &self,
        ifindex: u32,
        source: Ipv6Addr,
        destination: Ipv6Addr,
        wanted: &RpFilter,
    ) -> bool {
        let ns = self.at.ns;
        let (Some(netns), Some(fib)) = (self.world.netns.get(ns), self.world.fib6.get(ns)) else {
            return false;
        };
        let on_link = source.is_unicast_link_local();
        let flow = Flow6 {
            source: if destination.is_multicast() { Ipv6Addr::UNSPECIFIED } else { destination },
            device: if on_link || !wanted.loose { ifindex } else { 0 },
            mark: if wanted.mark { self.frame.mark } else { 0 },
            strict: on_link,
            ..Flow6::to(source)
        };
        let flow = self.world.in_vrf6(ns, flow);
        let Ok(found) = fib.lookup(&flow, &Neighbours { netns, now: self.world.now }) else { return false };
        match found.route.kind {
            RouteKind::Anycast => false,
            RouteKind::Local => wanted.accept_local,
            RouteKind::Unicast => {
                let out = found.way.ifindex;
                let master = || netns.devices.get(&out).map(|dev| self.world.vrf_ifindex(*dev));
                wanted.loose || out == ifindex || master() == Some(ifindex)
            }
            _ => false,
        }
    }
}
