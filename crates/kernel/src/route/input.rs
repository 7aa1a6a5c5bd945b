//! The route of a packet that arrived (`ip_route_input_slow`), and whether its source may be where it came
//! from (`fib_validate_source`).

use std::net::Ipv4Addr;

use hairpin_netlink::Errno;

use super::{
    fib::Fib,
    links::{LOOPBACK_IFINDEX, Links, device_with_address},
    lookup::{FibResult, Flow, LookupError},
    model::{RouteKind, Scope},
    output::is_local_multicast,
};

const IPPROTO_IGMP: u8 = 2;

/// Where a packet that arrived goes.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    pub kind: RouteKind,
    /// It goes on; else it is delivered here. A broadcast of another link goes on where `bc_forwarding` says
    /// so.
    pub forward: bool,
    /// `None` for limited broadcast and multicast.
    pub found: Option<FibResult<'a>>,
    /// The sender could reach the next hop itself: it is told so (`IPSKB_DOREDIRECT`).
    pub redirect: bool,
}

/// Why a packet that arrived goes nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputError {
    /// The device has no IPv4 side.
    Disabled,
    /// Source multicast, limited broadcast, or 0.0.0.0 to anything but limited broadcast.
    InvalidSource,
    /// Destination 0.0.0.0, or a route that is neither for delivery nor for forwarding.
    InvalidDestination,
    /// 127.0.0.0/8 on a device that is not for it.
    Localnet,
    /// A multicast group nobody here listens to.
    NotJoined,
    /// The source is an address of this host.
    LocalSource,
    /// The way back to the source is another one (`rp_filter`).
    ReversePath,
    /// Not for this host, and the device does not forward.
    NotForwarding,
    /// No route, or one that says no: the sender is told.
    NoRoute(LookupError),
}

impl InputError {
    /// What `ip route get … iif` fails with.
    pub fn errno(self) -> Errno {
        match self {
            InputError::ReversePath => Errno::EXDEV,
            InputError::NotForwarding => Errno::EHOSTUNREACH,
            InputError::NoRoute(error) => error.errno(),
            _ => Errno::EINVAL,
        }
    }
}

impl Fib {
    /// The route of a packet with the addresses of `flow` that arrived on device `flow.iif`. `oif` and
    /// `vrf_table` of the flow are not looked at. Not for packets that this host sent to itself: they keep
    /// the route they left by when they come out of the loopback device.
    ///
    /// # Errors
    /// [`InputError`]
    pub fn input<'a>(&'a self, flow: &Flow, links: &(impl Links + ?Sized)) -> Result<Input<'a>, InputError> {
        let Flow { source, destination, iif, .. } = *flow;
        let link = links.link(iif).filter(|link| link.ipv4).ok_or(InputError::Disabled)?;
        let vrf_table = link.vrf.map(|vrf| vrf.table);
        let flow = &Flow { oif: 0, scope: Scope::UNIVERSE, vrf_table, ..flow.clone() };
        if destination.is_multicast() {
            return self.multicast_input(flow, links);
        }
        if source.is_multicast() || source.is_broadcast() {
            return Err(InputError::InvalidSource);
        }
        if destination.is_broadcast() || source.is_unspecified() && destination.is_unspecified() {
            return self.broadcast_input(flow, None, links);
        }
        if source.is_unspecified() {
            return Err(InputError::InvalidSource);
        }
        if destination.is_unspecified() {
            return Err(InputError::InvalidDestination);
        }
        let settings = links.settings(iif);
        if (destination.is_loopback() || source.is_loopback()) && !settings.route_localnet {
            return Err(InputError::Localnet);
        }
        let found = match self.lookup(flow) {
            Ok(found) => found,
            Err(_) if !settings.forwarding => return Err(InputError::NotForwarding),
            Err(error) => return Err(InputError::NoRoute(error)),
        };
        match found.kind() {
            RouteKind::Broadcast if !settings.bc_forwarding => {
                return self.broadcast_input(flow, Some(found), links);
            }
            RouteKind::Local => {
                self.validate_source(flow, 0, links)?;
                return Ok(Input {
                    kind: RouteKind::Local,
                    forward: false,
                    found: Some(found),
                    redirect: false,
                });
            }
            RouteKind::Broadcast => {}
            _ if !settings.forwarding => return Err(InputError::NotForwarding),
            RouteKind::Unicast => {}
            _ => return Err(InputError::InvalidDestination),
        }
        let found = self.select_path(found, flow);
        let on_link = self.validate_source(flow, found.ifindex(), links)?;
        let redirect = found.ifindex() == iif
            && on_link
            && settings.send_redirects
            && (settings.shared_media || {
                let gateway = found.nexthop.gateway.unwrap_or(Ipv4Addr::UNSPECIFIED);
                share_subnet(links, iif, source, gateway)
            });
        Ok(Input { kind: found.kind(), forward: true, found: Some(found), redirect })
    }

    fn broadcast_input<'a>(
        &'a self,
        flow: &Flow,
        found: Option<FibResult<'a>>,
        links: &(impl Links + ?Sized),
    ) -> Result<Input<'a>, InputError> {
        if !flow.source.is_unspecified() {
            let flow = Flow { destination: Ipv4Addr::UNSPECIFIED, ..flow.clone() };
            self.validate_source(&flow, 0, links)?;
        }
        Ok(Input { kind: RouteKind::Broadcast, forward: false, found, redirect: false })
    }

    /// `ip_route_input_mc`, `ip_mc_validate_source`
    fn multicast_input<'a>(
        &'a self,
        flow: &Flow,
        links: &(impl Links + ?Sized),
    ) -> Result<Input<'a>, InputError> {
        let Flow { source, destination, iif, .. } = *flow;
        if !links.joined(iif, destination) {
            return Err(InputError::NotJoined);
        }
        if source.is_multicast() || source.is_broadcast() {
            return Err(InputError::InvalidSource);
        }
        if source.is_loopback() && !links.settings(iif).route_localnet {
            return Err(InputError::Localnet);
        }
        if source.is_unspecified() {
            if !is_local_multicast(destination) && flow.protocol != IPPROTO_IGMP {
                return Err(InputError::InvalidSource);
            }
        } else {
            let flow = Flow { destination: Ipv4Addr::UNSPECIFIED, ..flow.clone() };
            self.validate_source(&flow, 0, links)?;
        }
        Ok(Input { kind: RouteKind::Multicast, forward: false, found: None, redirect: false })
    }

    /// Whether a packet from `flow.source` may arrive on `flow.iif`; `oif` is where it is forwarded to, 0 for
    /// delivery here. Says whether the sender is on that link (of use for redirects only).
    ///
    /// # Errors
    /// [`InputError::LocalSource`], [`InputError::ReversePath`]
    pub fn validate_source(
        &self,
        flow: &Flow,
        oif: u32,
        links: &(impl Links + ?Sized),
    ) -> Result<bool, InputError> {
        let settings = links.settings(flow.iif);
        if settings.rp_filter == 0 && (flow.iif != oif || !settings.send_redirects) {
            if settings.accept_local {
                return Ok(false);
            }
            if !self.has_custom_local_routes() && !self.has_custom_rules() {
                return match device_with_address(links, flow.source) {
                    Some(_) => Err(InputError::LocalSource),
                    None => Ok(false),
                };
            }
        }
        self.validate_fully(flow, oif, links)
    }

    /// `__fib_validate_source`
    fn validate_fully(
        &self,
        flow: &Flow,
        oif: u32,
        links: &(impl Links + ?Sized),
    ) -> Result<bool, InputError> {
        let dev = flow.iif;
        let settings = links.settings(dev);
        let unroutable = || if settings.rp_filter > 0 { Err(InputError::ReversePath) } else { Ok(false) };
        let mut back = Flow {
            destination: flow.source,
            source: flow.destination,
            iif: if oif == 0 { LOOPBACK_IFINDEX } else { oif },
            mark: if settings.src_valid_mark { flow.mark } else { 0 },
            source_port: flow.destination_port,
            destination_port: flow.source_port,
            ..flow.clone()
        };
        let Ok(found) = self.lookup(&back) else { return unroutable() };
        match found.kind() {
            RouteKind::Unicast => {}
            RouteKind::Local if settings.accept_local => {}
            _ => return Err(InputError::LocalSource),
        }
        let via_device = found.route.nexthops.iter().any(|nexthop| {
            let vrf = links.link(nexthop.ifindex).and_then(|link| link.vrf);
            nexthop.ifindex == dev || vrf.is_some_and(|vrf| vrf.ifindex == dev)
        });
        if via_device || found.kind() == RouteKind::Local && dev == LOOPBACK_IFINDEX {
            return Ok(found.nexthop.scope >= Scope::HOST);
        }
        if links.addresses(dev).is_empty() {
            return unroutable();
        }
        if settings.rp_filter == 1 {
            return Err(InputError::ReversePath);
        }
        back.oif = dev;
        back.ignore_linkstate = true;
        Ok(self
            .lookup(&back)
            .is_ok_and(|found| found.kind() == RouteKind::Unicast && found.nexthop.scope >= Scope::HOST))
    }
}

/// `inet_addr_onlink`: one primary address of the device has both in its subnet.
fn share_subnet(links: &(impl Links + ?Sized), ifindex: u32, a: Ipv4Addr, b: Ipv4Addr) -> bool {
    links.addresses(ifindex).iter().any(|address| {
        let prefix = address.prefix();
        prefix.contains(a) && (b.is_unspecified() || prefix.contains(b))
    })
}
