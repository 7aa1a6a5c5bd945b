//! The route of a packet that this host sends (`ip_route_output_key_hash_rcu`, `__mkroute_output`).

use std::net::Ipv4Addr;

use hairpin_netlink::Errno;

use super::{
    fib::Fib,
    links::{LOOPBACK_IFINDEX, LinkState, Links, device_with_address},
    lookup::{FibResult, Flow},
    model::{RouteKind, Scope, TABLE_LOCAL},
    source::{route_source, select_source},
};

const IPPROTO_IGMP: u8 = 2;

/// How a packet of this host goes out.
#[derive(Clone, Copy, Debug)]
pub struct Output<'a> {
    /// Unicast, local, broadcast or multicast.
    pub kind: RouteKind,
    pub ifindex: u32,
    /// Address to resolve, where it is not the destination.
    pub gateway: Option<Ipv4Addr>,
    pub source: Ipv4Addr,
    /// Differs from what was asked for only where nothing was: then it is the source.
    pub destination: Ipv4Addr,
    /// A copy is delivered to this host (`RTCF_LOCAL`).
    pub local: bool,
    /// The route behind it, with its metrics. `None` where an outgoing device alone decided.
    pub found: Option<FibResult<'a>>,
    /// What the tables said, also where it does not count: limited broadcast goes by no route, multicast not
    /// by a default route.
    pub looked_up: Option<FibResult<'a>>,
}

/// Found by [`Fib::output`] before the outgoing device has its say.
struct Choice<'a> {
    kind: RouteKind,
    ifindex: u32,
    source: Ipv4Addr,
    destination: Ipv4Addr,
    found: Option<FibResult<'a>>,
}

impl Fib {
    /// The route of a packet of this host. `flow.source` may be unspecified, `flow.oif` 0. `any_source`
    /// allows a source that is not an address of this host (`FLOWI_FLAG_ANYSRC`: raw sockets with their own
    /// header, transparent ones).
    ///
    /// # Errors
    /// What `connect` or `sendto` fail with: `ENETUNREACH`, `EHOSTUNREACH`, `EACCES`, `EINVAL`, `ENODEV`.
    pub fn output<'a>(
        &'a self,
        flow: &Flow,
        any_source: bool,
        links: &(impl Links + ?Sized),
    ) -> Result<Output<'a>, Errno> {
        let choice = self.choose_output(flow, any_source, links)?;
        finish(choice, links)
    }

    fn choose_output<'a>(
        &'a self,
        flow: &Flow,
        any_source: bool,
        links: &(impl Links + ?Sized),
    ) -> Result<Choice<'a>, Errno> {
        let Flow { destination, source, mut oif, .. } = *flow;
        let direct = |ifindex, source, kind| Choice { kind, ifindex, source, destination, found: None };
        if !source.is_unspecified() {
            if source.is_multicast() || source.is_broadcast() {
                return Err(Errno::EINVAL);
            }
            if oif == 0 && (destination.is_multicast() || destination.is_broadcast()) {
                let device = self.device_of(source, links).ok_or(Errno::ENETUNREACH)?;
                return Ok(direct(device, source, RouteKind::Unspec));
            }
            if !any_source && self.device_of(source, links).is_none() {
                return Err(Errno::ENETUNREACH);
            }
        }
        let mut chosen = source;
        if oif != 0 {
            let link = links.link(oif).ok_or(Errno::ENODEV)?;
            if !link.up || !link.ipv4 {
                return Err(Errno::ENETUNREACH);
            }
            let select = |scope| select_source(links, oif, Ipv4Addr::UNSPECIFIED, scope);
            if is_local_multicast(destination) || destination.is_broadcast() || flow.protocol == IPPROTO_IGMP
            {
                let source = if source.is_unspecified() { select(Scope::LINK) } else { source };
                return Ok(direct(oif, source, RouteKind::Unspec));
            }
            if source.is_unspecified() {
                if destination.is_multicast() {
                    chosen = select(flow.scope);
                } else if destination.is_unspecified() {
                    chosen = select(Scope::HOST);
                }
            }
        }
        if destination.is_unspecified() {
            let own = if chosen.is_unspecified() { Ipv4Addr::LOCALHOST } else { chosen };
            return Ok(Choice {
                kind: RouteKind::Local,
                ifindex: LOOPBACK_IFINDEX,
                source: own,
                destination: own,
                found: None,
            });
        }
        let vrf = links.link(oif).and_then(|link| link.vrf);
        let mut flow =
            Flow { source: chosen, vrf_table: flow.vrf_table.or(vrf.map(|vrf| vrf.table)), ..flow.clone() };
        if vrf.is_some_and(|vrf| vrf.ifindex == oif) {
            // A VRF device stands for its table, not for a way out (l3mdev_update_flow).
            oif = 0;
            flow.oif = 0;
        }
        let found = match self.lookup(&flow) {
            Ok(found) => found,
            Err(_) if oif != 0 && (destination.is_multicast() || vrf.is_none()) => {
                // With a device given, the destination counts as on its link.
                let select = || select_source(links, oif, Ipv4Addr::UNSPECIFIED, Scope::LINK);
                let source = if chosen.is_unspecified() { select() } else { chosen };
                return Ok(direct(oif, source, RouteKind::Unicast));
            }
            Err(error) => return Err(error.errno()),
        };
        if found.kind() == RouteKind::Local {
            if chosen.is_unspecified() {
                chosen = found.route.preferred_source.unwrap_or(destination);
            }
            let vrf = links.link(found.ifindex()).and_then(|link| link.vrf);
            let ifindex = vrf.map_or(LOOPBACK_IFINDEX, |vrf| vrf.ifindex);
            let kind = RouteKind::Local;
            return Ok(Choice { kind, ifindex, source: chosen, destination, found: Some(found) });
        }
        let found = self.select_path(found, &flow);
        if chosen.is_unspecified() {
            // `fib_select_path`: where a packet of a VRF leaves by another device, its source is still the VRF's.
            let of = links.link(found.ifindex()).and_then(|link| link.vrf).map(|vrf| vrf.ifindex);
            chosen = match vrf {
                Some(vrf) if of != Some(vrf.ifindex) => {
                    select_source(links, vrf.ifindex, Ipv4Addr::UNSPECIFIED, Scope::LINK)
                }
                _ => route_source(links, &found),
            };
        }
        let kind = found.kind();
        Ok(Choice { kind, ifindex: found.ifindex(), source: chosen, destination, found: Some(found) })
    }

    /// Which device an address of this host is on: the one that has it, else the one of its local route
    /// (`__ip_dev_find`).
    fn device_of(&self, address: Ipv4Addr, links: &(impl Links + ?Sized)) -> Option<u32> {
        device_with_address(links, address).or_else(|| {
            let flow = Flow { iif: 0, ..Flow::to(address) };
            let found = self.lookup_table(TABLE_LOCAL, &flow).ok()?;
            (found.kind() == RouteKind::Local).then(|| found.ifindex())
        })
    }
}

/// `__mkroute_output`
fn finish<'a>(choice: Choice<'a>, links: &(impl Links + ?Sized)) -> Result<Output<'a>, Errno> {
    let Choice { kind, ifindex, source, destination, found: looked_up } = choice;
    let mut found = looked_up;
    let link = links.link(ifindex).filter(|link| link.ipv4).ok_or(Errno::EINVAL)?;
    let is_vrf = |link: &LinkState<'_>| link.vrf.is_some_and(|vrf| vrf.ifindex == ifindex);
    if source.is_loopback() && !link.loopback && !is_vrf(&link) && !links.settings(ifindex).route_localnet {
        return Err(Errno::EINVAL);
    }
    let kind = if destination.is_broadcast() {
        found = None;
        RouteKind::Broadcast
    } else if destination.is_multicast() {
        RouteKind::Multicast
    } else if destination.is_unspecified() {
        return Err(Errno::EINVAL);
    } else {
        kind
    };
    let mut local = link.loopback || kind == RouteKind::Local;
    match kind {
        RouteKind::Broadcast => local = true,
        RouteKind::Multicast => {
            local = links.joined(ifindex, destination);
            // A default route is no reason to send a multicast packet to a gateway.
            found = found.filter(|found| found.prefix().length >= 4);
        }
        _ => {}
    }
    let gateway = found.filter(|found| found.nexthop.uses_gateway()).and_then(|found| found.nexthop.gateway);
    Ok(Output { kind, ifindex, gateway, source, destination, local, found, looked_up })
}

/// 224.0.0.0/24: never leaves the link.
pub(super) fn is_local_multicast(address: Ipv4Addr) -> bool {
    matches!(address.octets(), [224, 0, 0, _])
}
