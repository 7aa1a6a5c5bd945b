//! Choosing a source address (`inet_select_addr`).

use std::net::Ipv4Addr;

use super::{
    links::{InterfaceAddress, Links},
    lookup::FibResult,
    model::Scope,
};

/// The source address for packets out of a device: the first primary one of it that is visible in `scope` and
/// whose subnet holds `next_hop` (any, where that is unspecified), else the first visible one, else one of
/// another device. Unspecified if there is none.
pub fn select_source(
    links: &(impl Links + ?Sized),
    ifindex: u32,
    next_hop: Ipv4Addr,
    scope: Scope,
) -> Ipv4Addr {
    // With route_localnet, 127/8 addresses may leave the host.
    let host = if links.settings(ifindex).route_localnet { Scope::LINK } else { Scope::HOST };
    let mut first = None;
    for address in primaries(links, ifindex).filter(|address| address.scope.min(host) <= scope) {
        if next_hop.is_unspecified() || address.prefix().contains(next_hop) {
            return address.local;
        }
        first = first.or(Some(address.local));
    }
    first.or_else(|| from_another_device(links, ifindex, scope)).unwrap_or(Ipv4Addr::UNSPECIFIED)
}

/// The source for a packet by a route: the one it prefers, else by its way out (`fib_result_prefsrc`).
pub fn route_source(links: &(impl Links + ?Sized), found: &FibResult<'_>) -> Ipv4Addr {
    found.route.preferred_source.unwrap_or_else(|| {
        let gateway = found.nexthop.gateway.unwrap_or(Ipv4Addr::UNSPECIFIED);
        select_source(links, found.ifindex(), gateway, found.route.scope)
    })
}

/// The VRF's own device first, then every device of the same VRF (or of none).
fn from_another_device(links: &(impl Links + ?Sized), ifindex: u32, scope: Scope) -> Option<Ipv4Addr> {
    let vrf = |ifindex| links.link(ifindex).and_then(|link| link.vrf).map(|vrf| vrf.ifindex);
    let visible = |ifindex| {
        let mut all = primaries(links, ifindex);
        all.find(|address| address.scope != Scope::LINK && address.scope <= scope).map(|a| a.local)
    };
    let own_vrf = vrf(ifindex);
    if let Some(found) = own_vrf.and_then(visible) {
        return Some(found);
    }
    let devices = std::iter::successors(links.next(0), |device| links.next(*device));
    devices.filter(|device| vrf(*device) == own_vrf).find_map(visible)
}

fn primaries(links: &(impl Links + ?Sized), ifindex: u32) -> impl Iterator<Item = &InterfaceAddress> {
    links.addresses(ifindex).iter().filter(|address| !address.secondary)
}
