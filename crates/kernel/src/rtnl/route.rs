//! IPv4 routes: `RTM_NEWROUTE`, `RTM_DELROUTE`, `RTM_GETROUTE` (`fib_frontend.c`, `route.c`).

mod get;
pub(super) mod metrics;
#[cfg(test)]
mod tests;

use std::net::Ipv4Addr;

use hairpin_netlink::{
    Errno, Failure, Message,
    route::{
        AddressFamily,
        route::{
            RouteAddress, RouteAttribute, RouteFlags, RouteMessage, RouteNextHop, RouteNextHopFlags,
            RouteRealm, RouteVia,
        },
    },
};

use super::link::not_emulated;
use super::nexthop::check_scope;
use super::{Dump, Notification, lwtunnel};
use crate::route::object::{ObjectUse, Objects};
use crate::route::{
    Fib, InsertMode, Links, NextHop, NextHopSpec, Prefix, Route, RouteChange, RouteKind, RouteSpec, Scope,
    model::{FLAG_DEAD, FLAG_LINKDOWN, FLAG_OFFLOAD, FLAG_ONLINK, FLAG_TRAP, TABLE_COMPAT},
};

pub use get::{exception_messages, get_route, get_route_learned};

/// `RTM_NEWROUTE`; `flags` are those of the netlink header.
///
/// # Errors
/// The kernel's errno and extended-ack text.
pub fn new_route(
    fib: &mut Fib,
    links: &(impl Links + ?Sized),
    objects: &Objects,
    message: &RouteMessage,
    flags: u16,
) -> Result<Vec<Notification>, Failure> {
    let mut spec = parse(message)?;
    // `fib_new_table` comes before what may fail.
    fib.note_table(spec.table);
    if spec.nexthop_id != 0 {
        spec.object = Some(object_ways(objects, &spec)?);
    }
    let change = fib.insert(&spec, InsertMode::from_flags(flags), links)?;
    if spec.kind == RouteKind::Local {
        fib.note_custom_local_route();
    }
    Ok(change.iter().map(|change| announce(fib, change)).collect())
}

/// The next hop object that a new route names, and its ways out.
fn object_ways(objects: &Objects, spec: &RouteSpec) -> Result<(ObjectUse, Vec<NextHop>), Failure> {
    let id = spec.nexthop_id;
    let object = objects.get(id).ok_or_else(|| invalid("Nexthop id does not exist"))?;
    check_scope(objects, &object.what, spec.scope)?;
    let used = objects.describe(id).ok_or(Errno::EINVAL)?;
    let ways = objects.ways(id).ok_or_else(|| not_emulated("IPv4 routes by gateways of IPv6"))?;
    Ok((used, ways))
}

/// `RTM_DELROUTE`
///
/// # Errors
/// The kernel's errno and extended-ack text.
pub fn del_route(fib: &mut Fib, objects: &Objects, message: &RouteMessage) -> Result<RouteChange, Failure> {
    let spec = parse(message)?;
    if spec.nexthop_id != 0 && objects.get(spec.nexthop_id).is_none() {
        return Err(invalid("Nexthop id does not exist"));
    }
    fib.delete(&spec)
}

/// `RTM_GETROUTE` with `NLM_F_DUMP`. `strict` is the socket's `NETLINK_GET_STRICT_CHK`, which every program
/// of iproute2 sets: only then are the filters of the request obeyed.
///
/// # Errors
/// The kernel's errno and extended-ack text.
pub fn dump_routes(
    fib: &Fib,
    links: &(impl Links + ?Sized),
    message: &RouteMessage,
    strict: bool,
) -> Result<Dump, Failure> {
    let filter = if strict { Filter::parse(message, links)? } else { Filter::default() };
    let mut dump = Dump { messages: Vec::new(), filtered: filter.is_set() };
    let flags = message.header.flags;
    // IPv4 has no prefix routes in this sense; exceptions are no routes of a table.
    if flags.contains(RouteFlags::Prefix) || strict && flags.contains(RouteFlags::Cloned) {
        return Ok(dump);
    }
    let tables = if filter.table == 0 {
        fib.table_ids().collect()
    } else if fib.has_table(filter.table) {
        vec![filter.table]
    } else if message.header.address_family == AddressFamily::Inet {
        return Err(Failure::with_text(Errno::ENOENT, "ipv4: FIB table does not exist"));
    } else {
        Vec::new()
    };
    for table in tables {
        let routes = fib.routes(table);
        let mut before = None;
        for route in routes {
            // Drivers are told of the first route of a prefix alone.
            let is_first = before.replace(route.prefix) != Some(route.prefix);
            if filter.passes(route, links) {
                let mut message = route_message(fib, route);
                if fib.traps && is_first {
                    message.header.flags |= RouteFlags::RtTrap;
                }
                dump.messages.push(Message::NewRoute(message));
            }
        }
    }
    Ok(dump)
}

/// The announcement of a change.
pub fn announce(fib: &Fib, change: &RouteChange) -> Notification {
    match change {
        RouteChange::Added(route, flags) => {
            Notification { message: Message::NewRoute(route_message(fib, route)), flags: *flags }
        }
        RouteChange::Removed(route) => {
            Notification { message: Message::DelRoute(route_message(fib, route)), flags: 0 }
        }
    }
}

/// A route as the kernel describes it (`fib_dump_info`).
pub fn route_message(fib: &Fib, route: &Route) -> RouteMessage {
    let mut message = RouteMessage::default();
    let header = &mut message.header;
    header.address_family = AddressFamily::Inet;
    header.destination_prefix_length = route.prefix.length;
    header.tos = route.tos;
    header.table = header_table(route.table);
    header.kind = route.kind.number().into();
    header.scope = route.scope.0.into();
    header.protocol = route.protocol.into();
    header.flags = RouteFlags::from_bits_retain(route.flags);
    let attributes = &mut message.attributes;
    attributes.push(RouteAttribute::Table(route.table));
    if route.prefix.length > 0 {
        attributes.push(RouteAttribute::Destination(route.prefix.address.into()));
    }
    if route.priority != 0 {
        attributes.push(RouteAttribute::Priority(route.priority));
    }
    attributes.extend(metrics::attribute(route.metrics.as_deref()));
    if let Some(source) = route.preferred_source {
        attributes.push(RouteAttribute::PrefSource(source.into()));
    }
    if let Some(used) = route.object {
        attributes.push(RouteAttribute::NhId(used.id));
        if used.is_blackhole {
            header.kind = RouteKind::Blackhole.number().into();
        }
    }
    if let [nexthop] = route.nexthops.as_slice() {
        header.flags = RouteFlags::from_bits_retain(nexthop_flags(fib, nexthop));
        attributes.extend(nexthop.gateway.map(|gateway| RouteAttribute::Gateway(gateway.into())));
        if nexthop.ifindex != 0 {
            attributes.push(RouteAttribute::Oif(nexthop.ifindex));
        }
        attributes.extend(realm_attribute(nexthop.realm));
        attributes.extend(lwtunnel::attributes(nexthop.tunnel));
    } else {
        let members = route.nexthops.iter().map(|nexthop| {
            let mut member = RouteNextHop::default();
            member.flags = RouteNextHopFlags::from_bits_retain(nexthop_flags(fib, nexthop) as u8);
            member.hops = u8::try_from(nexthop.weight.saturating_sub(1)).unwrap_or(u8::MAX);
            member.interface_index = nexthop.ifindex;
            member.attributes.extend(nexthop.gateway.map(|gateway| RouteAttribute::Gateway(gateway.into())));
            member.attributes.extend(realm_attribute(nexthop.realm));
            member.attributes.extend(lwtunnel::attributes(nexthop.tunnel));
            member
        });
        attributes.push(RouteAttribute::MultiPath(members.collect()));
    }
    message
}

/// The table as far as the header's one byte goes.
fn header_table(table: u32) -> u8 {
    u8::try_from(table).unwrap_or(TABLE_COMPAT)
}

/// `fib_nexthop_info`
fn nexthop_flags(fib: &Fib, nexthop: &NextHop) -> u32 {
    let mut flags = nexthop.flags & (FLAG_DEAD | FLAG_LINKDOWN | FLAG_ONLINK | FLAG_OFFLOAD | FLAG_TRAP);
    if nexthop.is_linkdown() && fib.ignores_linkdown(nexthop.ifindex) {
        flags |= FLAG_DEAD;
    }
    flags
}

fn realm_attribute(realm: u32) -> Option<RouteAttribute> {
    let halves = RouteRealm { source: (realm >> 16) as u16, destination: realm as u16 };
    (realm != 0).then_some(RouteAttribute::Realm(halves))
}

fn realm_value(realm: RouteRealm) -> u32 {
    u32::from(realm.source) << 16 | u32::from(realm.destination)
}

/// `rtm_to_fib_config`
fn parse(message: &RouteMessage) -> Result<RouteSpec, Failure> {
    let header = &message.header;
    if header.address_family != AddressFamily::Inet {
        return Err(Errno::EOPNOTSUPP.into());
    }
    if header.tos & 3 != 0 {
        return Err(invalid("Invalid dsfield (tos): ECN bits must be 0"));
    }
    let kind = RouteKind::from_number(header.kind.into()).ok_or_else(|| invalid("Invalid route type"))?;
    let mut destination = Ipv4Addr::UNSPECIFIED;
    let length = header.destination_prefix_length;
    let mut spec = RouteSpec {
        tos: header.tos,
        table: header.table.into(),
        scope: Scope(header.scope.into()),
        protocol: header.protocol.into(),
        flags: header.flags.bits(),
        ..RouteSpec::new(kind, Prefix::DEFAULT)
    };
    let (mut has_gateway, mut has_via, mut nexthop_id) = (false, false, 0);
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Destination(address) => destination = ipv4(address)?,
            RouteAttribute::Oif(ifindex) => spec.ifindex = *ifindex,
            RouteAttribute::Gateway(address) => {
                has_gateway = true;
                spec.gateway = Some(ipv4(address)?).filter(|gateway| !gateway.is_unspecified());
            }
            RouteAttribute::Via(via) => {
                has_via = true;
                spec.gateway = Some(via_gateway(via)?);
            }
            RouteAttribute::Priority(priority) => spec.priority = *priority,
            RouteAttribute::PrefSource(address) => {
                spec.preferred_source = Some(ipv4(address)?).filter(|source| !source.is_unspecified());
            }
            RouteAttribute::Metrics(given) => spec.metrics = Some(metrics::parse(given)?),
            RouteAttribute::MultiPath(members) => spec.multipath = Some(parse_multipath(members)?),
            RouteAttribute::Realm(realm) => spec.realm = realm_value(*realm),
            RouteAttribute::Table(table) => spec.table = *table,
            RouteAttribute::NhId(id) => nexthop_id = *id,
            _ => {}
        }
    }
    spec.tunnel = lwtunnel::parse(&message.attributes)?;
    if length > 32 {
        return Err(invalid("Invalid prefix length"));
    }
    spec.prefix = Prefix { address: destination, length };
    if !spec.prefix.is_canonical() {
        return Err(invalid("Invalid prefix for given prefix length"));
    }
    if nexthop_id != 0 {
        let has_way = spec.ifindex != 0 || spec.gateway.is_some() || spec.tunnel.is_some();
        if has_way || spec.multipath.is_some() {
            return Err(invalid("Nexthop specification and nexthop id are mutually exclusive"));
        }
        spec.nexthop_id = nexthop_id;
    }
    if has_gateway && has_via {
        return Err(both_gateways());
    }
    Ok(spec)
}

fn parse_multipath(members: &[RouteNextHop]) -> Result<Vec<NextHopSpec>, Failure> {
    members.iter().map(parse_member).collect()
}

/// One nexthop of `RTA_MULTIPATH` (`fib_get_nhs`).
fn parse_member(member: &RouteNextHop) -> Result<NextHopSpec, Failure> {
    let mut spec = NextHopSpec {
        ifindex: member.interface_index,
        gateway: None,
        flags: member.flags.bits().into(),
        weight: u16::from(member.hops) + 1,
        realm: None,
        tunnel: lwtunnel::parse(&member.attributes)?,
    };
    let (mut has_gateway, mut has_via) = (false, false);
    for attribute in &member.attributes {
        match attribute {
            RouteAttribute::Gateway(address) => {
                has_gateway = true;
                spec.gateway = Some(ipv4(address)?).filter(|gateway| !gateway.is_unspecified());
            }
            RouteAttribute::Via(via) => {
                has_via = true;
                spec.gateway = Some(via_gateway(via)?);
            }
            RouteAttribute::Realm(realm) => spec.realm = Some(realm_value(*realm)),
            _ => {}
        }
    }
    if has_gateway && has_via {
        return Err(both_gateways());
    }
    Ok(spec)
}

/// `fib_gw_from_via`
fn via_gateway(via: &RouteVia) -> Result<Ipv4Addr, Failure> {
    match via {
        RouteVia::Inet(address) => Ok(*address),
        RouteVia::Inet6(_) => Err(invalid("IPv6 support not enabled in kernel")),
        _ => Err(invalid("Unsupported address family in RTA_VIA")),
    }
}

fn ipv4(address: &RouteAddress) -> Result<Ipv4Addr, Failure> {
    match address {
        RouteAddress::Inet(address) => Ok(*address),
        _ => Err(Errno::EINVAL.into()),
    }
}

fn both_gateways() -> Failure {
    invalid("Nexthop configuration can not contain both GATEWAY and VIA")
}

fn invalid(text: &str) -> Failure {
    Failure::with_text(Errno::EINVAL, text)
}

/// What a strict dump request asks for (`struct fib_dump_filter`); 0 is any.
#[derive(Default)]
struct Filter {
    table: u32,
    kind: u8,
    protocol: u8,
    ifindex: u32,
    flags: bool,
}

impl Filter {
    /// `ip_valid_fib_dump_req`
    fn parse(message: &RouteMessage, links: &(impl Links + ?Sized)) -> Result<Filter, Failure> {
        let header = &message.header;
        if header.destination_prefix_length != 0
            || header.source_prefix_length != 0
            || header.tos != 0
            || u8::from(header.scope) != 0
        {
            return Err(invalid("Invalid values in header for FIB dump request"));
        }
        if !(RouteFlags::Cloned | RouteFlags::Prefix).contains(header.flags) {
            return Err(invalid("Invalid flags for FIB dump request"));
        }
        let mut filter = Filter {
            table: header.table.into(),
            kind: header.kind.into(),
            protocol: header.protocol.into(),
            ifindex: 0,
            flags: !header.flags.is_empty(),
        };
        for attribute in &message.attributes {
            match attribute {
                RouteAttribute::Table(table) => filter.table = *table,
                RouteAttribute::Oif(ifindex) => {
                    links.link(*ifindex).ok_or(Errno::ENODEV)?;
                    filter.ifindex = *ifindex;
                }
                _ => return Err(invalid("Unsupported attribute in dump request")),
            }
        }
        Ok(filter)
    }

    fn is_set(&self) -> bool {
        self.flags || self.table != 0 || self.kind != 0 || self.protocol != 0 || self.ifindex != 0
    }

    fn passes(&self, route: &Route, links: &(impl Links + ?Sized)) -> bool {
        let uses_device = || {
            route.nexthops.iter().any(|nexthop| {
                let vrf = || links.link(nexthop.ifindex).and_then(|link| link.vrf).map(|vrf| vrf.ifindex);
                nexthop.ifindex == self.ifindex || vrf() == Some(self.ifindex)
            })
        };
        (self.kind == 0 || self.kind == route.kind.number())
            && (self.protocol == 0 || self.protocol == route.protocol)
            && (self.ifindex == 0 || uses_device())
    }
}
