//! A route message's attributes, found by kind.

use std::net::IpAddr;

use hairpin_netlink::route::route::{
    RouteAddress, RouteAttribute, RouteCacheInfo, RouteHeader, RouteLwEnCapType, RouteLwTunnelEncap,
    RouteMessage, RouteMetric, RouteMplsTtlPropagation, RouteNextHop, RoutePreference, RouteRealm, RouteVia,
};

/// A route message with its attributes at hand.
pub(super) struct View<'a> {
    pub header: &'a RouteHeader,
    pub destination: Option<IpAddr>,
    pub source: Option<IpAddr>,
    pub preferred_source: Option<IpAddr>,
    pub nexthop: NextHopView<'a>,
    pub oif: Option<u32>,
    pub iif: Option<u32>,
    pub table: u32,
    pub metric: Option<u32>,
    pub mark: Option<u32>,
    pub uid: Option<u32>,
    pub nexthop_id: Option<u32>,
    pub cache_info: Option<&'a RouteCacheInfo>,
    pub metrics: Option<&'a [RouteMetric]>,
    pub preference: Option<RoutePreference>,
    pub ttl_propagate: Option<bool>,
    pub multipath: Option<&'a [RouteNextHop]>,
}

/// The attributes that a route has itself or, with several next hops, each of these has.
#[derive(Default)]
pub(super) struct NextHopView<'a> {
    pub gateway: Option<IpAddr>,
    pub via: Option<&'a RouteVia>,
    pub realm: Option<RouteRealm>,
    pub new_destination: Option<IpAddr>,
    pub encap: Option<RouteLwEnCapType>,
    pub encap_parts: &'a [RouteLwTunnelEncap],
}

impl<'a> View<'a> {
    pub(super) fn new(message: &'a RouteMessage) -> Self {
        let mut view = View {
            header: &message.header,
            destination: None,
            source: None,
            preferred_source: None,
            nexthop: NextHopView::new(&message.attributes),
            oif: None,
            iif: None,
            table: message.header.table.into(),
            metric: None,
            mark: None,
            uid: None,
            nexthop_id: None,
            cache_info: None,
            metrics: None,
            preference: None,
            ttl_propagate: None,
            multipath: None,
        };
        for attribute in &message.attributes {
            match attribute {
                RouteAttribute::Destination(a) => view.destination = ip_address(a),
                RouteAttribute::Source(a) => view.source = ip_address(a),
                RouteAttribute::PrefSource(a) => view.preferred_source = ip_address(a),
                RouteAttribute::Oif(index) => view.oif = Some(*index),
                RouteAttribute::Iif(index) => view.iif = Some(*index),
                RouteAttribute::Table(table) => view.table = *table,
                RouteAttribute::Priority(metric) => view.metric = Some(*metric),
                RouteAttribute::Mark(mark) => view.mark = Some(*mark),
                RouteAttribute::Uid(uid) => view.uid = Some(*uid),
                RouteAttribute::NhId(id) => view.nexthop_id = Some(*id),
                RouteAttribute::CacheInfo(info) => view.cache_info = Some(info),
                RouteAttribute::Metrics(metrics) => view.metrics = Some(metrics),
                RouteAttribute::Preference(preference) => view.preference = Some(*preference),
                RouteAttribute::TtlPropagate(way) => {
                    view.ttl_propagate = Some(*way != RouteMplsTtlPropagation::Disabled);
                }
                RouteAttribute::MultiPath(hops) => view.multipath = Some(hops),
                _ => {}
            }
        }
        view
    }

    /// `AF_*`
    pub(super) fn family(&self) -> u8 {
        self.header.address_family.into()
    }
}

impl<'a> NextHopView<'a> {
    pub(super) fn new(attributes: &'a [RouteAttribute]) -> Self {
        let mut view = NextHopView::default();
        for attribute in attributes {
            match attribute {
                RouteAttribute::Gateway(a) => view.gateway = ip_address(a),
                RouteAttribute::Via(via) => view.via = Some(via),
                RouteAttribute::Realm(realm) => view.realm = Some(*realm),
                RouteAttribute::NewDestinationAddress(a) => view.new_destination = ip_address(a),
                RouteAttribute::EncapType(kind) => view.encap = Some(*kind),
                RouteAttribute::Encap(parts) => view.encap_parts = parts,
                _ => {}
            }
        }
        view
    }
}

/// The address in an attribute; multicast forwarding entries have families of their own, so their addresses
/// are told apart by length.
fn ip_address(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(address) => Some((*address).into()),
        RouteAddress::Inet6(address) => Some((*address).into()),
        RouteAddress::Other(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(&bytes[..]).ok().map(IpAddr::from),
            16 => <[u8; 16]>::try_from(&bytes[..]).ok().map(IpAddr::from),
            _ => None,
        },
        _ => None,
    }
}
