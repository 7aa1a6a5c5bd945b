//! Whether a route that someone asks for makes sense, and what it becomes (`fib_create_info`).

use std::net::Ipv4Addr;

use hairpin_netlink::{Errno, Failure};

use crate::dev::tunnel::TunnelInfo;

use super::{
    fib::Fib,
    links::{LOOPBACK_IFINDEX, Links},
    lookup::Flow,
    model::{
        FLAG_DEAD, FLAG_LINKDOWN, FLAG_ONLINK, FLAG_PERVASIVE, Metrics, NextHop, Prefix, Route, RouteKind,
        Scope, TABLE_LOCAL, TABLE_MAIN,
    },
    object::ObjectUse,
};

/// `RTAX_FEATURE_MASK`: ECN, SACK, timestamps, allfrag.
const FEATURE_MASK: u32 = 0xf;

/// A route as it is asked for (`struct fib_config`). For a deletion, what is 0, `None` or empty fits any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteSpec {
    pub prefix: Prefix,
    pub tos: u8,
    /// 0 means main.
    pub table: u32,
    pub kind: RouteKind,
    /// For a deletion [`Scope::NOWHERE`] fits any.
    pub scope: Scope,
    pub protocol: u8,
    pub priority: u32,
    pub preferred_source: Option<Ipv4Addr>,
    pub metrics: Option<Vec<MetricSpec>>,
    /// `rtm_flags`
    pub flags: u32,
    pub ifindex: u32,
    pub gateway: Option<Ipv4Addr>,
    pub realm: u32,
    /// `RTA_ENCAP`
    pub tunnel: Option<TunnelInfo>,
    /// `RTA_MULTIPATH`, where given.
    pub multipath: Option<Vec<NextHopSpec>>,
    /// `RTA_NH_ID`, 0 where not given.
    pub nexthop_id: u32,
    /// The object of that id with its ways out, in a route that is new.
    pub object: Option<(ObjectUse, Vec<NextHop>)>,
}

impl RouteSpec {
    pub fn new(kind: RouteKind, prefix: Prefix) -> Self {
        RouteSpec {
            prefix,
            tos: 0,
            table: 0,
            kind,
            scope: Scope::UNIVERSE,
            protocol: 0,
            priority: 0,
            preferred_source: None,
            metrics: None,
            flags: 0,
            ifindex: 0,
            gateway: None,
            realm: 0,
            tunnel: None,
            multipath: None,
            nexthop_id: 0,
            object: None,
        }
    }

    /// The table, with the meaning of 0 put in.
    pub fn table_id(&self) -> u32 {
        if self.table == 0 { TABLE_MAIN } else { self.table }
    }
}

/// One member of `RTA_MULTIPATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextHopSpec {
    /// In a deletion 0 fits any.
    pub ifindex: u32,
    pub gateway: Option<Ipv4Addr>,
    /// `RTNH_F_*`
    pub flags: u32,
    /// 1 to 256
    pub weight: u16,
    pub realm: Option<u32>,
    /// `RTA_ENCAP`
    pub tunnel: Option<TunnelInfo>,
}

/// One member of `RTA_METRICS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetricSpec {
    /// `RTAX_*` and its value.
    Value(u16, u32),
    /// `RTAX_CC_ALGO`
    Congestion(String),
}

impl Fib {
    /// Checks a request and completes it: the device of each gateway, scopes, link state.
    ///
    /// # Errors
    /// The kernel's own errno and text.
    pub(super) fn build(&self, spec: &RouteSpec, links: &(impl Links + ?Sized)) -> Result<Route, Failure> {
        if spec.kind.least_scope() > spec.scope {
            return Err(invalid("Invalid scope"));
        }
        if spec.flags & (FLAG_DEAD | FLAG_LINKDOWN) != 0 {
            return Err(invalid("Invalid rtm_flags - can not contain DEAD or LINKDOWN"));
        }
        let mut route = Route {
            id: self.generation(),
            prefix: spec.prefix,
            tos: spec.tos,
            table: spec.table_id(),
            kind: spec.kind,
            scope: spec.scope,
            protocol: spec.protocol,
            priority: spec.priority,
            preferred_source: spec.preferred_source,
            metrics: convert_metrics(spec.metrics.as_deref())?,
            flags: spec.flags,
            nexthops: match &spec.object {
                Some((_, ways)) => ways.clone(),
                None => gather(spec)?,
            },
            object: spec.object.as_ref().map(|(used, _)| *used),
            source_removed: false,
        };
        match spec.kind {
            kind if kind.error().is_some() => {
                if spec.gateway.is_some() || spec.ifindex != 0 || spec.multipath.is_some() {
                    return Err(invalid(
                        "Gateway, device and multipath can not be specified for this route type",
                    ));
                }
                return Ok(route);
            }
            RouteKind::Unspec => return Err(invalid("Invalid route type")),
            _ => {}
        }
        if spec.scope > Scope::HOST {
            return Err(invalid("Invalid scope"));
        }
        if spec.object.is_some() {
            // Its ways were checked when it was made.
        } else if spec.scope == Scope::HOST {
            check_local(&mut route.nexthops, links)?;
        } else {
            for nexthop in &mut route.nexthops {
                self.check(nexthop, route.table, route.scope, links)?;
            }
            if route.nexthops.iter().all(NextHop::is_linkdown) {
                route.flags |= FLAG_LINKDOWN;
            }
        }
        if let Some(source) = spec.preferred_source
            && !self.is_valid_source(spec, source)
        {
            return Err(invalid("Invalid prefsrc address"));
        }
        self.rebalance(&mut route);
        Ok(route)
    }

    /// One way out that a next hop object stands for (`nh_create_ipv4`).
    ///
    /// # Errors
    /// As for a route of that table.
    pub fn check_way(
        &self,
        ifindex: u32,
        gateway: Option<Ipv4Addr>,
        flags: u32,
        table: u32,
        links: &(impl Links + ?Sized),
    ) -> Result<NextHop, Failure> {
        let mut way = NextHop {
            ifindex,
            gateway,
            flags,
            scope: Scope::UNIVERSE,
            weight: 1,
            realm: 0,
            upper_bound: 0,
            tunnel: None,
        };
        self.check(&mut way, table, Scope::UNIVERSE, links)?;
        Ok(way)
    }

    /// `fib_check_nh`
    fn check(
        &self,
        nexthop: &mut NextHop,
        table: u32,
        scope: Scope,
        links: &(impl Links + ?Sized),
    ) -> Result<(), Failure> {
        match nexthop.gateway {
            None => check_device(nexthop, links),
            Some(gateway) if nexthop.flags & FLAG_ONLINK != 0 => {
                self.check_onlink(nexthop, gateway, scope, links)
            }
            Some(gateway) => self.check_gateway(nexthop, gateway, table, scope, links),
        }
    }

    /// The gateway is a neighbour because the user says so (`fib_check_nh_v4_gw`, first half).
    fn check_onlink(
        &self,
        nexthop: &mut NextHop,
        gateway: Ipv4Addr,
        scope: Scope,
        links: &(impl Links + ?Sized),
    ) -> Result<(), Failure> {
        if scope >= Scope::LINK {
            return Err(invalid("Nexthop has invalid scope"));
        }
        let link = links
            .link(nexthop.ifindex)
            .ok_or_else(|| Failure::with_text(Errno::ENODEV, "Nexthop device required for onlink"))?;
        if !link.up {
            return Err(Failure::with_text(Errno::ENETDOWN, "Nexthop device is not up"));
        }
        let table = link.vrf.map_or(TABLE_LOCAL, |vrf| vrf.table);
        if self.address_kind(gateway, table) != RouteKind::Unicast {
            return Err(invalid("Nexthop has invalid gateway"));
        }
        if !link.carrier {
            nexthop.flags |= FLAG_LINKDOWN;
        }
        nexthop.scope = Scope::LINK;
        Ok(())
    }

    /// The gateway must be reached by a route of narrower scope (`fib_check_nh_v4_gw`, second half).
    fn check_gateway(
        &self,
        nexthop: &mut NextHop,
        gateway: Ipv4Addr,
        table: u32,
        scope: Scope,
        links: &(impl Links + ?Sized),
    ) -> Result<(), Failure> {
        let flow = Flow {
            scope: Scope(scope.0.saturating_add(1)).max(Scope::LINK),
            oif: nexthop.ifindex,
            iif: LOOPBACK_IFINDEX,
            vrf_table: links.link(nexthop.ifindex).and_then(|link| link.vrf).map(|vrf| vrf.table),
            ignore_linkstate: true,
            ..Flow::to(gateway)
        };
        let own = if table == TABLE_MAIN { None } else { self.lookup_table(table, &flow).ok() };
        let found = match own {
            Some(found) => found,
            None => self
                .lookup(&flow)
                .map_err(|error| Failure::with_text(error.errno(), "Nexthop has invalid gateway"))?,
        };
        if !matches!(found.kind(), RouteKind::Unicast | RouteKind::Local) {
            return Err(invalid("Nexthop has invalid gateway"));
        }
        nexthop.scope = found.route.scope;
        nexthop.ifindex = found.ifindex();
        let link =
            links.link(nexthop.ifindex).ok_or_else(|| invalid("No egress device for nexthop gateway"))?;
        if !link.carrier {
            nexthop.flags |= FLAG_LINKDOWN;
        }
        if link.up { Ok(()) } else { Err(Errno::ENETDOWN.into()) }
    }

    /// `fib_valid_prefsrc`: the address must be local, unless the route is what makes it so.
    fn is_valid_source(&self, spec: &RouteSpec, source: Ipv4Addr) -> bool {
        if spec.kind == RouteKind::Local && !source.is_unspecified() && source == spec.prefix.address {
            return true;
        }
        let table = if spec.table_id() == TABLE_MAIN { TABLE_LOCAL } else { spec.table_id() };
        self.address_kind(source, table) == RouteKind::Local
            || self.address_kind(source, TABLE_LOCAL) == RouteKind::Local
    }
}

/// The ways out as asked for, unchecked (`fib_get_nhs`, `fib_nh_init`).
fn gather(spec: &RouteSpec) -> Result<Vec<NextHop>, Failure> {
    let nexthop = |ifindex, gateway: Option<Ipv4Addr>, flags, weight, (realm, tunnel)| NextHop {
        ifindex,
        gateway: gateway.filter(|gateway| !gateway.is_unspecified()),
        flags,
        scope: Scope::UNIVERSE,
        weight,
        realm,
        upper_bound: 0,
        tunnel,
    };
    let Some(multipath) = &spec.multipath else {
        return Ok(vec![nexthop(spec.ifindex, spec.gateway, spec.flags, 1, (spec.realm, spec.tunnel))]);
    };
    let mut nexthops = Vec::with_capacity(multipath.len());
    for member in multipath {
        if member.flags & (FLAG_DEAD | FLAG_LINKDOWN) != 0 {
            return Err(invalid("Invalid flags for nexthop - can not contain DEAD or LINKDOWN"));
        }
        let flags = spec.flags & !0xff | member.flags;
        let realm = member.realm.unwrap_or(0);
        nexthops.push(nexthop(member.ifindex, member.gateway, flags, member.weight, (realm, member.tunnel)));
    }
    let Some(first) = nexthops.first() else { return Err(Errno::EINVAL.into()) };
    if spec.ifindex != 0 && first.ifindex != spec.ifindex {
        return Err(invalid("Nexthop device index does not match RTA_OIF"));
    }
    if spec.gateway.is_some_and(|gateway| !gateway.is_unspecified()) && first.gateway != spec.gateway {
        return Err(invalid("Nexthop gateway does not match RTA_GATEWAY or RTA_VIA"));
    }
    if spec.realm != 0 && first.realm != spec.realm {
        return Err(invalid("Nexthop class id does not match RTA_FLOW"));
    }
    Ok(nexthops)
}

/// A route of host scope leads to this host: one device, no gateway.
fn check_local(nexthops: &mut [NextHop], links: &(impl Links + ?Sized)) -> Result<(), Failure> {
    let [nexthop] = nexthops else {
        return Err(invalid("Route with host scope can not have multiple nexthops"));
    };
    if nexthop.gateway.is_some() {
        return Err(invalid("Route with host scope can not have a gateway"));
    }
    nexthop.scope = Scope::NOWHERE;
    links.link(nexthop.ifindex).map(|_| ()).ok_or_else(|| Errno::ENODEV.into())
}

/// `fib_check_nh_nongw`: the destination itself is on the link.
fn check_device(nexthop: &mut NextHop, links: &(impl Links + ?Sized)) -> Result<(), Failure> {
    if nexthop.flags & (FLAG_PERVASIVE | FLAG_ONLINK) != 0 {
        return Err(invalid("Invalid flags for nexthop - PERVASIVE and ONLINK can not be set"));
    }
    let link = links.link(nexthop.ifindex).filter(|link| link.ipv4).ok_or(Errno::ENODEV)?;
    if !link.up {
        return Err(Failure::with_text(Errno::ENETDOWN, "Device for nexthop is not up"));
    }
    if !link.carrier {
        nexthop.flags |= FLAG_LINKDOWN;
    }
    nexthop.scope = Scope::HOST;
    Ok(())
}

/// `ip_metrics_convert`
pub(crate) fn convert_metrics(given: Option<&[MetricSpec]>) -> Result<Option<Box<Metrics>>, Failure> {
    let mut metrics = Metrics::default();
    for metric in given.unwrap_or(&[]) {
        match metric {
            MetricSpec::Value(0, _) => {}
            MetricSpec::Value(kind, _) if *kind > Metrics::MAX => return Err(invalid("Invalid metric type")),
            MetricSpec::Value(Metrics::FEATURES, value) if value & !FEATURE_MASK != 0 => {
                return Err(invalid("Unknown flag set in feature mask in metrics attribute"));
            }
            MetricSpec::Value(kind, value) => {
                let most = match *kind {
                    Metrics::ADVMSS => 65535 - 40,
                    Metrics::MTU => 65535 - 15,
                    Metrics::HOPLIMIT => 255,
                    _ => u32::MAX,
                };
                metrics.set(*kind, (*value).min(most));
            }
            MetricSpec::Congestion(name) if matches!(name.as_str(), "reno" | "cubic") => {
                metrics.congestion = Some(name.clone());
            }
            MetricSpec::Congestion(_) => return Err(invalid("Unknown tcp congestion algorithm")),
        }
    }
    Ok((!metrics.is_empty()).then(|| Box::new(metrics)))
}

fn invalid(text: &str) -> Failure {
    Failure::with_text(Errno::EINVAL, text)
}
