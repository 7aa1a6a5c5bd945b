//! IPv6 routes: `RTM_NEWROUTE`, `RTM_DELROUTE`, `RTM_GETROUTE` (net/ipv6/route.c).

use std::net::Ipv6Addr;
use std::time::Duration;

use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::route::route::{
    RouteAddress, RouteAttribute, RouteCacheInfo, RouteFlags, RouteMessage, RouteNextHop, RouteNextHopFlags,
    RoutePreference, RouteVia,
};
use hairpin_netlink::{Errno, Failure, Message};

use crate::dev::tunnel::TunnelInfo;
use crate::ip6::address::{is_link_local, needs_device};
use crate::ip6::event::Event6;
use crate::ip6::route::{Exception6, Learned6};
use crate::netns::NsId;
use crate::route::object::Object;
use crate::route::{
    InsertMode, LOOPBACK_IFINDEX, LookupError, MetricSpec, RouteKind, Scope, convert_metrics,
};
use crate::route6::fib::Wanted6;
use crate::route6::model::{
    FLAG_DEAD, FLAG_LINKDOWN, FLAG_ONLINK, METRIC_USER, TABLE_COMPAT, TABLE_MAIN, rtf,
};
use crate::route6::{Change6, Flow6, NextHop6, Prefix6, Route6};
use crate::time::Time;
use crate::world::{TimerEvent, World};

use super::nexthop::check_family6;
use super::route::metrics;
use super::{Dump, Notification, lwtunnel};

/// Size of `struct rta_cacheinfo`.
const CACHE_INFO_LEN: usize = 32;

/// A route as it is asked for (`struct fib6_config`).
struct Spec6 {
    prefix: Prefix6,
    table: u32,
    kind: RouteKind,
    protocol: u8,
    metric: u32,
    preferred_source: Option<Ipv6Addr>,
    metrics: Option<Vec<MetricSpec>>,
    /// Seconds.
    expires: Option<u32>,
    preference: u8,
    way: WaySpec,
    multipath: Option<Vec<WaySpec>>,
    /// `RTA_NH_ID`, 0 where not given.
    nexthop_id: u32,
}

#[derive(Clone, Copy, Default)]
struct WaySpec {
    ifindex: u32,
    gateway: Option<Ipv6Addr>,
    flags: u32,
    weight: u16,
    tunnel: Option<TunnelInfo>,
}

impl Spec6 {
    /// A default route of the main table.
    fn to_all() -> Self {
        Spec6 {
            prefix: Prefix6::DEFAULT,
            table: TABLE_MAIN,
            kind: RouteKind::Unicast,
            protocol: 0,
            metric: 0,
            preferred_source: None,
            metrics: None,
            expires: None,
            preference: 0,
            way: WaySpec { weight: 1, ..WaySpec::default() },
            multipath: None,
            nexthop_id: 0,
        }
    }
}

impl World {
    /// `inet6_rtm_newroute`; `flags` are those of the netlink header.
    ///
    /// # Errors
    /// The kernel's errno and extended-ack text.
    pub(super) fn new_route6(&mut self, ns: NsId, message: &RouteMessage, flags: u16) -> Result<(), Failure> {
        let spec = parse(message)?;
        let mode = InsertMode::from_flags(flags);
        let ways = spec.multipath.clone().unwrap_or_else(|| vec![spec.way]);
        let mut mode_of_rest = mode;
        for (i, way) in ways.iter().enumerate() {
            let route = match spec.nexthop_id {
                0 => self.build_route6(ns, &spec, *way)?,
                id => self.build_object_route6(ns, &spec, id)?,
            };
            let expires = route.expires;
            let mode = if i == 0 { mode } else { mode_of_rest };
            let change = self.fib6.get_mut(ns).ok_or(Errno::ENODEV)?.insert(route, mode)?;
            if ways.len() == 1 {
                self.notify_routes6(ns, &[change]);
            }
            if let Some(at) = expires {
                self.timers.add(at, TimerEvent::Ipv6(Event6::RouteExpiry { ns }));
            }
            // The other ways out join the first.
            mode_of_rest = InsertMode::APPEND;
        }
        if ways.len() > 1 {
            let fib = self.fib6.get(ns).ok_or(Errno::ENODEV)?;
            let whole = fib
                .routes(spec.table)
                .find(|route| route.prefix == spec.prefix && route.metric == spec.metric);
            if let Some(whole) = whole.cloned() {
                self.notify_routes6(ns, &[Change6::Added(whole, flags & 0x0f00)]);
            }
        }
        self.changed();
        Ok(())
    }

    /// `inet6_rtm_delroute`
    ///
    /// # Errors
    /// `ESRCH`: there is no such route.
    pub(super) fn del_route6(&mut self, ns: NsId, message: &RouteMessage) -> Result<(), Failure> {
        let spec = parse_for(message, false)?;
        if message.header.flags.contains(RouteFlags::Cloned) {
            return self.forget_learned6(ns, spec.table, spec.prefix, (spec.way.ifindex, spec.way.gateway));
        }
        if spec.nexthop_id != 0 {
            self.nexthop6(ns, spec.nexthop_id)?;
        }
        let ways = spec.multipath.clone().unwrap_or_else(|| vec![spec.way]);
        for way in ways {
            let wanted = Wanted6 {
                ifindex: way.ifindex,
                gateway: way.gateway,
                metric: spec.metric,
                protocol: spec.protocol,
                flags: 0,
                object: Some(spec.nexthop_id),
            };
            let fib = self.fib6.get_mut(ns).ok_or(Errno::ENODEV)?;
            let change = fib.delete(spec.table, spec.prefix, &wanted)?;
            self.notify_routes6(ns, &[change]);
        }
        Ok(())
    }

    /// `ip6_route_info_create`
    fn build_route6(&self, ns: NsId, spec: &Spec6, way: WaySpec) -> Result<Route6, Failure> {
        let netns = self.netns.get(ns).ok_or(Errno::ENODEV)?;
        let mut dev = match way.ifindex {
            0 => None,
            ifindex => Some(self.device_at(ns, ifindex).ok_or(Errno::ENODEV)?),
        };
        if way.flags & FLAG_ONLINK != 0 {
            let Some(device) = dev.and_then(|dev| self.devs.get(dev)) else {
                return Err(failure(Errno::ENODEV, "Nexthop device required for onlink"));
            };
            if !device.is_up() {
                return Err(failure(Errno::ENETDOWN, "Nexthop device is not up"));
            }
        }
        let rejects = matches!(
            spec.kind,
            RouteKind::Unreachable | RouteKind::Blackhole | RouteKind::Prohibit | RouteKind::Throw
        );
        let onto_loopback = dev.and_then(|dev| self.devs.get(dev)).is_some_and(|device| device.is_loopback())
            && !spec.prefix.address.is_loopback()
            && spec.kind != RouteKind::Local;
        let mut flags = rtf::UP;
        let mut gateway = None;
        if rejects || onto_loopback {
            dev = Some(netns.lo);
            flags |= rtf::REJECT | rtf::NONEXTHOP;
        } else if let Some(through) = way.gateway {
            dev = Some(self.check_gateway6(ns, through, dev, (spec.table, way.flags & FLAG_ONLINK != 0))?);
            gateway = Some(through);
            flags |= rtf::GATEWAY;
        }
        let device = dev.and_then(|dev| self.devs.get(dev)).ok_or(Errno::ENODEV)?;
        // `in6_dev_get`: a link too narrow for IPv6 has no part in it.
        if !device.has_ipv6 {
            return Err(Errno::ENODEV.into());
        }
        if device.ipv6_disabled && !rejects {
            return Err(failure(Errno::EACCES, "IPv6 is disabled on nexthop device"));
        }
        if !device.is_up() && flags & rtf::REJECT == 0 {
            return Err(failure(Errno::ENETDOWN, "Nexthop device is not up"));
        }
        if spec.kind == RouteKind::Local {
            flags |= rtf::LOCAL | rtf::NONEXTHOP;
        }
        if let Some(source) = spec.preferred_source
            && !self.is_own_address6(ns, source, Some(device.id))
        {
            return Err(failure(Errno::EINVAL, "Invalid source address"));
        }
        if spec.expires.is_some() {
            flags |= rtf::EXPIRES;
        }
        let linkdown = !device.carrier && !rejects;
        Ok(Route6 {
            prefix: spec.prefix,
            table: spec.table,
            kind: spec.kind,
            protocol: spec.protocol,
            metric: spec.metric,
            preferred_source: spec.preferred_source,
            metrics: convert_metrics(spec.metrics.as_deref())?,
            flags,
            expires: spec.expires.map(|seconds| self.now + Duration::from_secs(seconds.into())),
            preference: spec.preference,
            nexthops: vec![NextHop6 {
                ifindex: device.ifindex,
                gateway,
                flags: way.flags & FLAG_ONLINK | if linkdown { FLAG_LINKDOWN } else { 0 },
                weight: way.weight.max(1),
                tunnel: way.tunnel,
            }],
            object: None,
        })
    }

    /// One way out that a next hop object stands for (`nh_create_ipv6`).
    pub(super) fn nexthop_way6(
        &self,
        ns: NsId,
        ifindex: u32,
        gateway: Option<Ipv6Addr>,
        flags: u32,
    ) -> Result<NextHop6, Failure> {
        let way = WaySpec { ifindex, gateway, flags, weight: 1, tunnel: None };
        let spec = Spec6 { way, ..Spec6::to_all() };
        let mut route = self.build_route6(ns, &spec, way)?;
        route.nexthops.pop().ok_or_else(|| Errno::EINVAL.into())
    }

    /// The object that a route names.
    fn nexthop6(&self, ns: NsId, id: u32) -> Result<&Object, Failure> {
        let object = self.netns.get(ns).and_then(|netns| netns.nexthops.get(id));
        object.ok_or_else(|| failure(Errno::EINVAL, "Nexthop id does not exist"))
    }

    /// `ip6_route_info_create` with a next hop object.
    fn build_object_route6(&mut self, ns: NsId, spec: &Spec6, id: u32) -> Result<Route6, Failure> {
        let object = self.nexthop6(ns, id)?;
        let objects = &self.netns.get(ns).ok_or(Errno::ENODEV)?.nexthops;
        check_family6(objects, &object.what)?;
        let nexthops = objects.ways6(id).ok_or(Errno::EINVAL)?;
        let mut route = Route6::of_device(spec.kind, spec.prefix, spec.table, spec.metric, 0);
        let first = nexthops.first().and_then(|way| self.device_at(ns, way.ifindex));
        if let Some(source) = spec.preferred_source {
            if !self.is_own_address6(ns, source, first) {
                return Err(failure(Errno::EINVAL, "Invalid source address"));
            }
            route.preferred_source = Some(source);
        }
        route.protocol = spec.protocol;
        route.metrics = convert_metrics(spec.metrics.as_deref())?;
        if let Some(seconds) = spec.expires {
            route.flags |= rtf::EXPIRES;
            route.expires = Some(self.now + Duration::from_secs(seconds.into()));
        }
        route.preference = spec.preference;
        route.nexthops = nexthops;
        route.object = self.netns.get_mut(ns).and_then(|netns| netns.nexthops.make_use(id));
        Ok(route)
    }

    /// `ip6_validate_gw`: the gateway must be a neighbour, by the device where one is named.
    fn check_gateway6(
        &self,
        ns: NsId,
        gateway: Ipv6Addr,
        dev: Option<crate::device::DevId>,
        (table, onlink): (u32, bool),
    ) -> Result<crate::device::DevId, Failure> {
        let own = |dev: Option<crate::device::DevId>| {
            self.devices_of(ns)
                .filter(|device| dev.is_none_or(|dev| dev == device.id))
                .any(|device| device.ipv6.iter().any(|entry| entry.address == gateway))
        };
        let local = || failure(Errno::EINVAL, "Gateway can not be a local address");
        if dev.is_some() && own(if is_link_local(gateway) { dev } else { None }) {
            return Err(local());
        }
        let mut out = dev;
        if !is_link_local(gateway) {
            if gateway.is_multicast() || gateway.is_unspecified() || gateway.is_loopback() {
                return Err(failure(Errno::EINVAL, "Invalid gateway address"));
            }
            if !onlink {
                let fib = self.fib6.get(ns).ok_or(Errno::ENODEV)?;
                let netns = self.netns.get(ns).ok_or(Errno::ENODEV)?;
                let ifindex = dev.and_then(|dev| self.devs.get(dev)).map_or(0, |device| device.ifindex);
                let flow = Flow6 { device: ifindex, strict: ifindex != 0, ..Flow6::to(gateway) };
                let around = crate::ip6::route::Around { netns, now: self.now };
                // `ip6_route_check_nh`: by the route's own table first.
                let found = match fib.lookup_table(table, &Flow6 { strict: true, ..flow.clone() }, &around) {
                    Ok(found) if found.way.gateway.is_none() => found,
                    _ => fib.lookup(&self.in_vrf6(ns, flow), &around).map_err(|_| Errno::EHOSTUNREACH)?,
                };
                if found.way.gateway.is_some() {
                    return Err(Errno::EHOSTUNREACH.into());
                }
                if found.route.kind == RouteKind::Local {
                    return Err(local());
                }
                out = out.or_else(|| self.device_at(ns, found.way.ifindex));
            }
        }
        let Some(out) = out else { return Err(failure(Errno::EINVAL, "Egress device not specified")) };
        if self.devs.get(out).is_some_and(|device| device.is_loopback()) {
            return Err(failure(Errno::EINVAL, "Egress device can not be loopback device for this route"));
        }
        // `need_addr_check`: an address that duplicates another's has no route that would tell.
        if dev.is_none() && own(is_link_local(gateway).then_some(out)) {
            return Err(local());
        }
        Ok(out)
    }

    /// `inet6_dump_fib`
    ///
    /// # Errors
    /// The kernel's errno and extended-ack text.
    pub(super) fn dump_routes6(&self, ns: NsId, message: &RouteMessage) -> Result<Dump, Failure> {
        let fib = self.fib6.get(ns).ok_or(Errno::ENODEV)?;
        let header = &message.header;
        let mut table = u32::from(header.table);
        let mut ifindex = 0;
        for attribute in &message.attributes {
            match attribute {
                RouteAttribute::Table(wanted) => table = *wanted,
                RouteAttribute::Oif(wanted) => ifindex = *wanted,
                _ => {}
            }
        }
        let (protocol, kind) = (u8::from(header.protocol), u8::from(header.kind));
        let cached = header.flags.contains(RouteFlags::Cloned);
        let filtered = table != 0 || ifindex != 0 || protocol != 0 || kind != 0 || cached;
        let mut dump = Dump { messages: Vec::new(), filtered };
        if table != 0 && !fib.has_table(table) {
            if header.address_family != AddressFamily::Inet6 {
                return Ok(dump);
            }
            return Err(failure(Errno::ENOENT, "ipv6: FIB table does not exist"));
        }
        let learned = if cached { self.routes6.learned(ns, self.now) } else { Learned6::default() };
        for id in fib.table_ids().filter(|id| table == 0 || *id == table) {
            let mut before = None;
            for route in fib.routes(id) {
                let is_first = before.replace(route.prefix) != Some(route.prefix);
                let wanted = (protocol == 0 || route.protocol == protocol)
                    && (kind == 0 || route.kind.number() == kind)
                    && (ifindex == 0 || route.nexthops.iter().any(|way| way.ifindex == ifindex));
                let prefix_only = header.flags.contains(RouteFlags::Prefix);
                if !wanted || prefix_only && route.flags & rtf::PREFIX_RT == 0 {
                    continue;
                }
                if cached {
                    dump.messages.extend(learned.of(route).map(|(destination, way, known)| {
                        Message::NewRoute(exception_message(route, destination, way, known, self.now))
                    }));
                } else {
                    let mut message = route_message(route, self.now);
                    if fib.traps && is_first {
                        message.header.flags |= RouteFlags::RtTrap;
                    }
                    dump.messages.push(Message::NewRoute(message));
                }
            }
        }
        Ok(dump)
    }

    /// `inet6_rtm_getroute`
    ///
    /// # Errors
    /// The kernel's errno and extended-ack text; the errno of the lookup where there is no route.
    pub(super) fn get_route6(&mut self, ns: NsId, message: &RouteMessage) -> Result<RouteMessage, Failure> {
        let (mut destination, mut source) = (Ipv6Addr::UNSPECIFIED, Ipv6Addr::UNSPECIFIED);
        let (mut iif, mut oif, mut mark, mut uid) = (0, 0, 0, None);
        for attribute in &message.attributes {
            match attribute {
                RouteAttribute::Destination(address) => destination = ipv6(address)?,
                RouteAttribute::Source(address) => source = ipv6(address)?,
                RouteAttribute::Iif(ifindex) => iif = *ifindex,
                RouteAttribute::Oif(ifindex) => oif = *ifindex,
                RouteAttribute::Mark(given) => mark = *given,
                RouteAttribute::Uid(given) => uid = Some(*given),
                _ => {}
            }
        }
        if iif != 0 && self.device_at(ns, iif).is_none() {
            return Err(Errno::ENODEV.into());
        }
        let netns = self.netns.get(ns).ok_or(Errno::ENODEV)?;
        let fib = self.fib6.get(ns).ok_or(Errno::ENODEV)?;
        let device = if iif != 0 { iif } else { oif };
        let strict = needs_device(destination) || iif == 0 && oif != 0;
        let flow = Flow6 {
            destination,
            source,
            device,
            mark,
            iif,
            strict,
            reachable_first: !netns.sysctl.ipv6_forwarding,
            vrf_table: None,
        };
        let flow = self.in_vrf6(ns, flow);
        let around = crate::ip6::route::Around { netns, now: self.now };
        let found = fib.lookup(&flow, &around).map_err(|error| match error {
            LookupError::Continue => Errno::ENETUNREACH,
            error => error.errno(),
        })?;
        let known = self.routes6.exception(ns, destination, found.id(), self.now).copied();
        let (route, way) = (std::sync::Arc::clone(found.route), found.way.clone());
        if message.header.flags.contains(RouteFlags::FibMatch) {
            return Ok(route_message(&route, self.now));
        }
        let mut answer = head(&route, destination, 128);
        answer.header.flags = way_flags(&way);
        let attributes = &mut answer.attributes;
        attributes.push(RouteAttribute::Table(route.table));
        attributes.push(RouteAttribute::Destination(destination.into()));
        answer.header.source_prefix_length = 128;
        attributes.push(RouteAttribute::Source(source.into()));
        if iif != 0 {
            attributes.push(RouteAttribute::Iif(iif));
        } else {
            let through = self.device_at(ns, way.ifindex);
            let chosen = route.preferred_source.or_else(|| self.select_source6(ns, through, destination));
            attributes.extend(chosen.map(|source| RouteAttribute::PrefSource(source.into())));
        }
        let mut shown = route.metrics.as_deref().cloned().unwrap_or_default();
        if let Some(mtu) = known.and_then(|known| known.mtu) {
            shown.set(crate::route::Metrics::MTU, mtu);
        }
        attributes.extend(metrics::attribute(Some(&shown)));
        attributes.push(RouteAttribute::Priority(route.metric));
        let gateway = known.and_then(|known| known.gateway).or(way.gateway);
        attributes.extend(gateway.map(|gateway| RouteAttribute::Gateway(gateway.into())));
        // `ip6_rt_get_dev_rcu`
        let own = matches!(route.kind, RouteKind::Local | RouteKind::Anycast);
        let owner = self.device_at(ns, way.ifindex).and_then(|dev| self.vrf_table(dev));
        let delivered = owner.map_or(LOOPBACK_IFINDEX, |(vrf, _)| vrf);
        let delivered = if needs_device(destination) { LOOPBACK_IFINDEX } else { delivered };
        attributes.push(RouteAttribute::Oif(if own { delivered } else { way.ifindex }));
        attributes.extend(lwtunnel::attributes(way.tunnel));
        attributes.extend(uid.map(RouteAttribute::Uid));
        let expires = known.map(|known| known.expires);
        if known.is_some() {
            answer.header.flags |= RouteFlags::Cloned;
        }
        answer.attributes.extend(cache_info(expires, self.now));
        answer.attributes.push(RouteAttribute::Preference(preference(route.preference)));
        Ok(answer)
    }
}

/// The announcement of a change.
pub(crate) fn announce(change: &Change6, now: Time) -> Notification {
    match change {
        Change6::Added(route, flags) => {
            Notification { message: Message::NewRoute(route_message(route, now)), flags: *flags }
        }
        Change6::Removed(route) => {
            Notification { message: Message::DelRoute(route_message(route, now)), flags: 0 }
        }
    }
}

fn head(route: &Route6, destination: Ipv6Addr, length: u8) -> RouteMessage {
    let mut message = RouteMessage::default();
    let header = &mut message.header;
    header.address_family = AddressFamily::Inet6;
    header.destination_prefix_length =
        if destination.is_unspecified() { route.prefix.length } else { length };
    header.table = u8::try_from(route.table).unwrap_or(TABLE_COMPAT);
    header.kind = route.kind.number().into();
    header.scope = Scope::UNIVERSE.0.into();
    header.protocol = route.protocol.into();
    message
}

/// A route as the kernel describes it (`rt6_fill_node`).
fn route_message(route: &Route6, now: Time) -> RouteMessage {
    let mut message = head(route, Ipv6Addr::UNSPECIFIED, 0);
    let attributes = &mut message.attributes;
    attributes.push(RouteAttribute::Table(route.table));
    if route.prefix.length > 0 {
        attributes.push(RouteAttribute::Destination(route.prefix.address.into()));
    }
    attributes.extend(route.preferred_source.map(|source| RouteAttribute::PrefSource(source.into())));
    attributes.extend(metrics::attribute(route.metrics.as_deref()));
    attributes.push(RouteAttribute::Priority(route.metric));
    if let Some(used) = route.object {
        attributes.push(RouteAttribute::NhId(used.id));
        if used.is_blackhole {
            message.header.kind = RouteKind::Blackhole.number().into();
        }
    }
    let in_group = route.object.is_some_and(|used| used.is_group);
    if let ([way], false) = (route.nexthops.as_slice(), in_group) {
        message.header.flags = way_flags(way);
        attributes.extend(way.gateway.map(|gateway| RouteAttribute::Gateway(gateway.into())));
        attributes.push(RouteAttribute::Oif(way.ifindex));
        attributes.extend(lwtunnel::attributes(way.tunnel));
    } else {
        let members = route.nexthops.iter().map(|way| {
            let mut member = RouteNextHop::default();
            member.flags = RouteNextHopFlags::from_bits_retain(way_flags(way).bits() as u8);
            member.hops = u8::try_from(way.weight.saturating_sub(1)).unwrap_or(u8::MAX);
            member.interface_index = way.ifindex;
            member.attributes.extend(way.gateway.map(|gateway| RouteAttribute::Gateway(gateway.into())));
            member.attributes.extend(lwtunnel::attributes(way.tunnel));
            member
        });
        attributes.push(RouteAttribute::MultiPath(members.collect()));
    }
    attributes.extend(cache_info(route.expires, now));
    attributes.push(RouteAttribute::Preference(preference(route.preference)));
    message
}

/// What was learned of one destination, as a route (`rt6_fill_node` of a `struct rt6_info`).
fn exception_message(
    route: &Route6,
    destination: Ipv6Addr,
    way: &NextHop6,
    known: &Exception6,
    now: Time,
) -> RouteMessage {
    let mut message = head(route, destination, 128);
    message.header.flags = RouteFlags::Cloned;
    let attributes = &mut message.attributes;
    attributes.push(RouteAttribute::Table(route.table));
    attributes.push(RouteAttribute::Destination(destination.into()));
    attributes.extend(route.preferred_source.map(|source| RouteAttribute::PrefSource(source.into())));
    let mut learned = route.metrics.as_deref().cloned().unwrap_or_default();
    if let Some(mtu) = known.mtu {
        learned.set(crate::route::Metrics::MTU, mtu);
    }
    attributes.extend(metrics::attribute(Some(&learned)));
    attributes.push(RouteAttribute::Priority(route.metric));
    attributes.extend(known.gateway.or(way.gateway).map(|gateway| RouteAttribute::Gateway(gateway.into())));
    attributes.push(RouteAttribute::Oif(way.ifindex));
    attributes.extend(lwtunnel::attributes(way.tunnel));
    attributes.extend(cache_info(Some(known.expires), now));
    attributes.push(RouteAttribute::Preference(preference(route.preference)));
    message
}

fn way_flags(way: &NextHop6) -> RouteFlags {
    RouteFlags::from_bits_retain(way.flags & (FLAG_DEAD | FLAG_LINKDOWN | FLAG_ONLINK))
}

fn preference(number: u8) -> RoutePreference {
    RoutePreference::from(number)
}

/// `rtnl_put_cacheinfo`
fn cache_info(expires: Option<Time>, now: Time) -> Option<RouteAttribute> {
    let mut info = RouteCacheInfo::parse(&[0; CACHE_INFO_LEN]).ok()?;
    if let Some(at) = expires {
        info.expires = u32::try_from(at.since(now).as_millis() / 10).unwrap_or(u32::MAX);
    }
    Some(RouteAttribute::CacheInfo(info))
}

fn parse(message: &RouteMessage) -> Result<Spec6, Failure> {
    parse_for(message, true)
}

/// `rtm_to_fib6_config`; for a new route what is not said has its default.
fn parse_for(message: &RouteMessage, new: bool) -> Result<Spec6, Failure> {
    let header = &message.header;
    let kind = RouteKind::from_number(header.kind.into())
        .ok_or_else(|| failure(Errno::EINVAL, "Invalid route type"))?;
    if header.tos != 0 {
        return Err(failure(Errno::EINVAL, "Invalid dsfield (tos): option not available for IPv6"));
    }
    let length = header.destination_prefix_length;
    let mut destination = Ipv6Addr::UNSPECIFIED;
    let mut spec = Spec6 {
        table: header.table.into(),
        kind: if kind == RouteKind::Unspec { RouteKind::Unicast } else { kind },
        protocol: header.protocol.into(),
        way: WaySpec { flags: header.flags.bits(), weight: 1, ..WaySpec::default() },
        ..Spec6::to_all()
    };
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Destination(address) => destination = ipv6(address)?,
            RouteAttribute::Oif(ifindex) => spec.way.ifindex = *ifindex,
            RouteAttribute::Gateway(address) => spec.way.gateway = Some(ipv6(address)?),
            RouteAttribute::Via(RouteVia::Inet6(address)) => spec.way.gateway = Some(*address),
            RouteAttribute::Via(_) => {
                return Err(failure(Errno::EINVAL, "IPv6 does not support RTA_VIA attribute"));
            }
            RouteAttribute::Priority(metric) => spec.metric = *metric,
            RouteAttribute::PrefSource(address) => {
                spec.preferred_source = Some(ipv6(address)?).filter(|source| !source.is_unspecified());
            }
            RouteAttribute::Metrics(given) => spec.metrics = Some(metrics::parse(given)?),
            RouteAttribute::MultiPath(members) => {
                spec.multipath = Some(members.iter().map(member).collect::<Result<_, _>>()?);
            }
            RouteAttribute::Table(table) => spec.table = *table,
            RouteAttribute::Expires(seconds) => spec.expires = Some(*seconds).filter(|seconds| *seconds > 0),
            RouteAttribute::Preference(given) => {
                spec.preference = match u8::from(*given) {
                    known @ (0 | 1 | 3) => known,
                    _ => 0,
                };
            }
            RouteAttribute::NhId(id) => spec.nexthop_id = *id,
            _ => {}
        }
    }
    spec.way.tunnel = lwtunnel::parse(&message.attributes)?;
    let has_way = spec.way.ifindex != 0 || spec.way.gateway.is_some() || spec.way.tunnel.is_some();
    if spec.nexthop_id != 0 && (has_way || spec.multipath.is_some()) {
        return Err(failure(Errno::EINVAL, "Nexthop specification and nexthop id are mutually exclusive"));
    }
    if length > 128 {
        return Err(failure(Errno::EINVAL, "Invalid prefix length"));
    }
    spec.prefix = Prefix6::of(destination, length);
    if spec.table == 0 {
        spec.table = TABLE_MAIN;
    }
    if new && spec.metric == 0 {
        spec.metric = METRIC_USER;
    }
    Ok(spec)
}

fn member(given: &RouteNextHop) -> Result<WaySpec, Failure> {
    let mut way = WaySpec {
        ifindex: given.interface_index,
        gateway: None,
        flags: given.flags.bits().into(),
        weight: u16::from(given.hops) + 1,
        tunnel: lwtunnel::parse(&given.attributes)?,
    };
    for attribute in &given.attributes {
        if let RouteAttribute::Gateway(address) = attribute {
            way.gateway = Some(ipv6(address)?);
        }
    }
    Ok(way)
}

fn ipv6(address: &RouteAddress) -> Result<Ipv6Addr, Failure> {
    match address {
        RouteAddress::Inet6(address) => Ok(*address),
        _ => Err(Errno::EINVAL.into()),
    }
}

fn failure(errno: Errno, text: &str) -> Failure {
    Failure::with_text(errno, text)
}
