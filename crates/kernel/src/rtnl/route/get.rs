//! `RTM_GETROUTE` for one destination: `ip route get` (`inet_rtm_getroute`).

use std::net::Ipv4Addr;

use hairpin_netlink::{
    Errno, Failure,
    route::{
        AddressFamily,
        route::{RouteAttribute, RouteCacheInfo, RouteFlags, RouteMessage, RouteMetric},
    },
};
use rustc_hash::FxHashMap;

use super::{header_table, invalid, ipv4, lwtunnel, metrics, realm_attribute, route_message};
use crate::ip::exception::Exception;
use crate::route::{
    Fib, FibResult, Flow, LOOPBACK_IFINDEX, Links, Metrics, RouteKind, Scope, WayId, model::TABLE_MAIN,
};
use crate::time::Time;

/// What a cached route is (`RTCF_*`), in the upper half of the answer's flags.
const RTCF_REDIRECTED: u32 = 0x0004_0000;
const RTCF_DOREDIRECT: u32 = 0x0100_0000;
const RTCF_BROADCAST: u32 = 0x1000_0000;
const RTCF_MULTICAST: u32 = 0x2000_0000;
const RTCF_LOCAL: u32 = 0x8000_0000;
const RTCF_NOTIFY: u32 = 0x0001_0000;

/// Bits of the TOS that a lookup looks at (`IPTOS_RT_MASK`).
const TOS_MASK: u8 = 0x1c;

/// Size of `struct rta_cacheinfo`.
const CACHE_INFO_LEN: usize = 32;

/// `RTM_GETROUTE` without `NLM_F_DUMP`. `uid` is the asking user's; `strict` as for a dump.
///
/// # Errors
/// The kernel's errno and extended-ack text; the errno of the lookup where there is no route.
pub fn get_route(
    fib: &Fib,
    links: &(impl Links + ?Sized),
    message: &RouteMessage,
    uid: u32,
    strict: bool,
) -> Result<RouteMessage, Failure> {
    get_route_learned(fib, links, message, (uid, strict), &|_, _| None)
}

/// What was learned about a destination that goes a certain way.
pub type Learned<'l> = dyn Fn(Ipv4Addr, &FibResult<'_>) -> Option<(Exception, Time)> + 'l;

/// [`get_route`] with the exceptions that ICMP messages told of.
///
/// # Errors
/// As [`get_route`].
pub fn get_route_learned(
    fib: &Fib,
    links: &(impl Links + ?Sized),
    message: &RouteMessage,
    (uid, strict): (u32, bool),
    learned: &Learned<'_>,
) -> Result<RouteMessage, Failure> {
    if strict {
        check_request(message)?;
    }
    let request = Request::parse(message, uid)?;
    let answer = if request.flow.iif == LOOPBACK_IFINDEX && !request.arrived {
        request.output(fib, links)?
    } else {
        request.input(fib, links)?
    };
    let wants = |flag| message.header.flags.contains(flag);
    let table = match answer.looked_up {
        _ if !wants(RouteFlags::LookupTable) => TABLE_MAIN,
        Some(found) => found.table,
        None => 0,
    };
    if wants(RouteFlags::FibMatch) {
        return match_message(fib, &answer, table);
    }
    let known = answer
        .found
        .filter(|_| answer.kind == RouteKind::Unicast && !request.arrived)
        .and_then(|found| learned(request.flow.destination, &found));
    let mut described = request.describe(&answer, table, wants(RouteFlags::Notify));
    if let Some((known, now)) = known {
        apply_exception(&mut described, &known, now);
    }
    Ok(described)
}

/// What was learned of each way of each route, as `ip route show cache` lists it (`fnhe_dump_bucket`, `rt_fill_info`
/// without a flow).
pub fn exception_messages(fib: &Fib, learned: &[(Ipv4Addr, Exception)], now: Time) -> Vec<RouteMessage> {
    if learned.is_empty() {
        return Vec::new();
    }
    let ways: FxHashMap<WayId, FibResult<'_>> = fib.all_ways().map(|found| (found.way(), found)).collect();
    let message = |(destination, known): &(Ipv4Addr, Exception)| {
        let found = *ways.get(&known.way)?;
        let request = Request { flow: Flow::to(*destination), arrived: false, uid: None };
        let answer = Answer {
            kind: found.kind(),
            flags: 0,
            ifindex: found.ifindex(),
            gateway: found.nexthop.gateway.filter(|_| found.nexthop.uses_gateway()),
            source: None,
            found: Some(found),
            looked_up: Some(found),
        };
        let mut message = request.describe(&answer, found.route.table, false);
        apply_exception(&mut message, known, now);
        Some(message)
    };
    learned.iter().filter_map(message).collect()
}

/// Puts what was learned in the place of what the tables say (`fill_route_from_fnhe`).
fn apply_exception(message: &mut RouteMessage, known: &Exception, now: Time) {
    let attributes = &mut message.attributes;
    if let Some(gateway) = known.gateway {
        message.header.flags |= RouteFlags::from_bits_retain(RTCF_REDIRECTED);
        let place = attributes.iter().position(|a| matches!(a, RouteAttribute::Gateway(_)));
        match place.and_then(|at| attributes.get_mut(at)) {
            Some(attribute) => *attribute = RouteAttribute::Gateway(gateway.into()),
            None => attributes.push(RouteAttribute::Gateway(gateway.into())),
        }
    }
    if let Some(mtu) = known.mtu {
        let place = attributes.iter().position(|a| matches!(a, RouteAttribute::Metrics(_)));
        let mut metrics = match place.map(|at| attributes.remove(at)) {
            Some(RouteAttribute::Metrics(metrics)) => metrics,
            _ => Vec::new(),
        };
        metrics.retain(|metric| !matches!(metric, RouteMetric::Mtu(_)));
        metrics.push(RouteMetric::Mtu(mtu));
        if known.mtu_locked {
            metrics.retain(|metric| !matches!(metric, RouteMetric::Lock(_)));
            metrics.insert(0, RouteMetric::Lock(1 << Metrics::MTU));
        }
        let at = place.unwrap_or(attributes.len());
        attributes.insert(at, RouteAttribute::Metrics(metrics));
    }
    for attribute in attributes {
        if let RouteAttribute::CacheInfo(info) = attribute {
            info.expires = u32::try_from(known.expires.since(now).as_millis() / 10).unwrap_or(u32::MAX);
        }
    }
}

struct Request {
    flow: Flow,
    /// `RTA_IIF` was given.
    arrived: bool,
    uid: Option<u32>,
}

/// How the packet would go.
struct Answer<'a> {
    kind: RouteKind,
    /// `RTCF_*`
    flags: u32,
    ifindex: u32,
    gateway: Option<Ipv4Addr>,
    /// The chosen source, for packets of this host.
    source: Option<Ipv4Addr>,
    /// The route whose metrics count.
    found: Option<FibResult<'a>>,
    looked_up: Option<FibResult<'a>>,
}

impl Request {
    fn parse(message: &RouteMessage, uid: u32) -> Result<Request, Failure> {
        let mut flow = Flow { protocol: 17, ..Flow::to(Ipv4Addr::UNSPECIFIED) };
        let (mut iif, mut given_uid) = (0, None);
        for attribute in &message.attributes {
            match attribute {
                RouteAttribute::Destination(address) => flow.destination = ipv4(address)?,
                RouteAttribute::Source(address) => flow.source = ipv4(address)?,
                RouteAttribute::Iif(ifindex) => iif = *ifindex,
                RouteAttribute::Oif(ifindex) => flow.oif = *ifindex,
                RouteAttribute::Mark(mark) => flow.mark = *mark,
                RouteAttribute::Uid(uid) => given_uid = Some(*uid),
                RouteAttribute::IpProto(protocol) => flow.protocol = *protocol,
                RouteAttribute::Sport(port) => flow.source_port = *port,
                RouteAttribute::Dport(port) => flow.destination_port = *port,
                _ => {}
            }
        }
        // rtm_getroute_parse_ip_proto: ICMP, TCP and UDP.
        if ![1, 6, 17].contains(&flow.protocol) {
            return Err(Failure::with_text(Errno::EOPNOTSUPP, "Unsupported ip proto"));
        }
        flow.tos = message.header.tos & TOS_MASK;
        let arrived = iif != 0;
        flow.iif = if arrived { iif } else { LOOPBACK_IFINDEX };
        let uid = given_uid.or((!arrived).then_some(uid));
        flow.uid = uid.unwrap_or(u32::MAX);
        Ok(Request { flow, arrived, uid })
    }

    fn output<'a>(&self, fib: &'a Fib, links: &(impl Links + ?Sized)) -> Result<Answer<'a>, Failure> {
        let output = fib.output(&self.flow, false, links)?;
        let mut flags = if output.local { RTCF_LOCAL } else { 0 };
        match output.kind {
            RouteKind::Broadcast => flags |= RTCF_BROADCAST,
            RouteKind::Multicast => flags |= RTCF_MULTICAST,
            _ => {}
        }
        Ok(Answer {
            kind: output.kind,
            flags,
            ifindex: output.ifindex,
            gateway: output.gateway,
            source: Some(output.source),
            found: output.found,
            looked_up: output.looked_up,
        })
    }

    fn input<'a>(&self, fib: &'a Fib, links: &(impl Links + ?Sized)) -> Result<Answer<'a>, Failure> {
        let link = links.link(self.flow.iif).ok_or(Errno::ENODEV)?;
        // A packet that arrived belongs to nobody: sock_net_uid without a socket is the owner of the namespace.
        let flow = Flow { uid: 0, ..self.flow.clone() };
        let input = fib.input(&flow, links).map_err(|error| error.errno())?;
        let delivered = link.vrf.map_or(LOOPBACK_IFINDEX, |vrf| vrf.ifindex);
        let found = input.found;
        let forward = found.filter(|_| input.kind == RouteKind::Unicast);
        let mut flags = match input.kind {
            RouteKind::Unicast => 0,
            RouteKind::Broadcast => RTCF_LOCAL | RTCF_BROADCAST,
            RouteKind::Multicast => RTCF_LOCAL | RTCF_MULTICAST,
            _ => RTCF_LOCAL,
        };
        if input.redirect {
            flags |= RTCF_DOREDIRECT;
        }
        Ok(Answer {
            kind: input.kind,
            flags,
            ifindex: forward.map_or(delivered, |found| found.ifindex()),
            gateway: forward
                .filter(|found| found.nexthop.uses_gateway())
                .and_then(|found| found.nexthop.gateway),
            source: None,
            found: forward,
            looked_up: found,
        })
    }

    /// `rt_fill_info`
    fn describe(&self, answer: &Answer<'_>, table: u32, notify: bool) -> RouteMessage {
        let mut message = RouteMessage::default();
        let header = &mut message.header;
        header.address_family = AddressFamily::Inet;
        header.destination_prefix_length = 32;
        header.tos = answer.looked_up.map_or(0, |found| found.route.tos);
        header.table = header_table(table);
        header.kind = answer.kind.number().into();
        header.scope = Scope::UNIVERSE.0.into();
        header.flags = RouteFlags::from_bits_retain(answer.flags) | RouteFlags::Cloned;
        if notify {
            header.flags |= RouteFlags::Notify | RouteFlags::from_bits_retain(RTCF_NOTIFY);
        }
        let source = self.flow.source;
        let attributes = &mut message.attributes;
        attributes.push(RouteAttribute::Table(table));
        attributes.push(RouteAttribute::Destination(self.flow.destination.into()));
        if !source.is_unspecified() {
            header.source_prefix_length = 32;
            attributes.push(RouteAttribute::Source(source.into()));
        }
        attributes.push(RouteAttribute::Oif(answer.ifindex));
        attributes.extend(lwtunnel::attributes(answer.found.and_then(|found| found.nexthop.tunnel)));
        attributes.extend(answer.found.and_then(|found| realm_attribute(class(&found))));
        if let Some(chosen) = answer.source.filter(|chosen| *chosen != source) {
            attributes.push(RouteAttribute::PrefSource(chosen.into()));
        }
        attributes.extend(answer.gateway.map(|gateway| RouteAttribute::Gateway(gateway.into())));
        attributes.extend(metrics::attribute(answer.found.and_then(|f| f.route.metrics.as_deref())));
        if self.flow.mark != 0 {
            attributes.push(RouteAttribute::Mark(self.flow.mark));
        }
        attributes.extend(self.uid.map(RouteAttribute::Uid));
        if self.arrived {
            attributes.push(RouteAttribute::Iif(self.flow.iif));
        }
        attributes.extend(cache_info(answer).map(RouteAttribute::CacheInfo));
        message
    }
}

/// The route itself instead of its use (`RTM_F_FIB_MATCH`).
fn match_message(fib: &Fib, answer: &Answer<'_>, table: u32) -> Result<RouteMessage, Failure> {
    let found = answer.looked_up.ok_or(Errno::EHOSTUNREACH)?;
    let mut message = route_message(fib, found.route);
    message.header.table = header_table(table);
    message.header.kind = answer.kind.number().into();
    if let Some(RouteAttribute::Table(first)) = message.attributes.first_mut() {
        *first = table;
    }
    Ok(message)
}

/// The way out's realms, each filled up from the rule's where it has none (`set_class_tag`).
fn class(found: &FibResult<'_>) -> u32 {
    let fill = |mask: u32| match found.nexthop.realm & mask {
        0 => found.rule_realm & mask,
        realm => realm,
    };
    fill(0xffff) | fill(0xffff_0000)
}

/// A fresh cache entry. Its users are this answer and, where Linux caches such a route, the cache; it does not
/// cache packets to an own address of a device that is not the loopback device.
fn cache_info(answer: &Answer<'_>) -> Option<RouteCacheInfo> {
    let cached = answer
        .found
        .is_some_and(|found| answer.kind != RouteKind::Local || found.ifindex() == answer.ifindex);
    let mut info = RouteCacheInfo::parse(&[0; CACHE_INFO_LEN]).ok()?;
    info.clntref = if cached { 2 } else { 1 };
    Some(info)
}

/// `inet_rtm_valid_getroute_req`
fn check_request(message: &RouteMessage) -> Result<(), Failure> {
    let header = &message.header;
    let odd = |length: u8| length != 0 && length != 32;
    if odd(header.source_prefix_length)
        || odd(header.destination_prefix_length)
        || header.table != 0
        || u8::from(header.protocol) != 0
        || u8::from(header.scope) != 0
        || u8::from(header.kind) != 0
    {
        return Err(invalid("ipv4: Invalid values in header for route get request"));
    }
    let known = RouteFlags::Notify | RouteFlags::LookupTable | RouteFlags::FibMatch;
    if !known.contains(header.flags) {
        return Err(invalid("ipv4: Unsupported rtm_flags for route get request"));
    }
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Source(_) if header.source_prefix_length == 0 => return Err(lengths()),
            RouteAttribute::Destination(_) if header.destination_prefix_length == 0 => return Err(lengths()),
            RouteAttribute::Iif(_)
            | RouteAttribute::Oif(_)
            | RouteAttribute::Source(_)
            | RouteAttribute::Destination(_)
            | RouteAttribute::IpProto(_)
            | RouteAttribute::Sport(_)
            | RouteAttribute::Dport(_)
            | RouteAttribute::Mark(_)
            | RouteAttribute::Uid(_) => {}
            _ => return Err(invalid("ipv4: Unsupported attribute in route get request")),
        }
    }
    Ok(())
}

fn lengths() -> Failure {
    invalid("ipv4: rtm_src_len and rtm_dst_len must be 32 for IPv4")
}
