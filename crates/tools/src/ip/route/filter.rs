//! Which routes a listing or flush is about.

use std::net::IpAddr;

use hairpin_netlink::route::route::{RouteFlags, RouteMessage, RouteType, RouteVia};

use super::view::View;
use super::{RT_TABLE_LOCAL, RT_TABLE_MAIN};
use crate::iproute2::inet::{AF_INET6, Prefix, family_of};

/// Routes or the entries of the routing cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Cached {
    #[default]
    No,
    Only,
    Either,
}

/// The selectors of `ip route list`. What is `None` or 0 selects nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    /// 0 for every table.
    pub table: u32,
    pub cached: Cached,
    pub protocol: Option<u8>,
    pub scope: Option<u8>,
    /// Bit `t` takes `RTN_*` type `t`.
    pub types: Option<u64>,
    pub tos: Option<u8>,
    pub iif: Option<u32>,
    pub oif: Option<u32>,
    pub mark: Option<u32>,
    pub metric: Option<u32>,
    /// Realms and which of their bits count.
    pub realm: Option<(u32, u32)>,
    pub preferred_source: Option<Prefix>,
    pub via: Option<Prefix>,
    /// Destinations not shorter than this prefix.
    pub root: Option<Prefix>,
    /// Destinations not longer than this prefix.
    pub within: Option<Prefix>,
    pub source_root: Option<Prefix>,
    pub source_within: Option<Prefix>,
    /// A flush leaves the kernel's own unreachable IPv6 default route alone.
    pub flushing: bool,
    /// An IPv6 route outside the main table has been seen, so the kernel has several tables.
    several_tables6: bool,
}

impl Filter {
    /// Every route and cache entry.
    pub(super) fn everything() -> Self {
        Filter { cached: Cached::Either, ..Filter::default() }
    }

    /// The routes of one table.
    pub(super) fn of_table(table: u32) -> Self {
        Filter { table, ..Filter::default() }
    }

    /// Routes through one device, or through any for 0.
    pub(super) fn of_device(index: u32) -> Self {
        Filter { oif: Some(index).filter(|index| *index != 0), ..Filter::default() }
    }

    /// Whether routes of a type are taken.
    pub(super) fn takes_type(&self, kind: u8) -> bool {
        self.types.is_none_or(|types| types & 1_u64.checked_shl(kind.into()).unwrap_or(0) != 0)
    }

    /// Whether a route is taken. `family` is that of the options, 0 for any.
    pub(super) fn takes(&mut self, family: u8, message: &RouteMessage) -> bool {
        let view = View::new(message);
        let header = view.header;
        let family_id = view.family();
        if family != 0 && family != family_id {
            return false;
        }
        if family_id == AF_INET6 && view.table != RT_TABLE_MAIN {
            self.several_tables6 = true;
        }
        let cloned = header.flags.contains(RouteFlags::Cloned);
        let same = |wanted: Option<u32>, found: Option<u32>| wanted.is_none_or(|w| w == found.unwrap_or(0));
        let realm = view.nexthop.realm.map_or(0, |r| u32::from(r.source) << 16 | u32::from(r.destination));
        (match self.cached {
            Cached::No => !cloned,
            Cached::Only => cloned,
            Cached::Either => true,
        }) && self.takes_table(&view)
            && self.protocol.is_none_or(|protocol| protocol == u8::from(header.protocol))
            && self.scope.is_none_or(|scope| scope == u8::from(header.scope))
            && self.takes_type(header.kind.into())
            && self.tos.is_none_or(|tos| tos == header.tos)
            && root_takes(self.root, &view, view.destination, header.destination_prefix_length)
            && within_takes(self.within, &view, view.destination, header.destination_prefix_length)
            && root_takes(self.source_root, &view, view.source, header.source_prefix_length)
            && within_takes(self.source_within, &view, view.source, header.source_prefix_length)
            && self.takes_via(&view)
            && self.preferred_source.is_none_or(|wanted| {
                !is_active(&wanted)
                    || (wanted.family == family_id
                        && same_bits(&wanted, view.preferred_source, wanted.length))
            })
            && self.realm.is_none_or(|(wanted, mask)| (realm ^ wanted) & mask == 0)
            && same(self.iif, view.iif)
            && same(self.oif, view.oif)
            && same(self.mark, view.mark)
            && same(self.metric, view.metric)
            && !(self.flushing
                && family_id == AF_INET6
                && header.destination_prefix_length == 0
                && header.kind == RouteType::Unreachable
                && view.metric == Some(u32::MAX))
    }

    /// Kernels without several IPv6 tables tell local routes apart by type only.
    fn takes_table(&self, view: &View<'_>) -> bool {
        if self.table == 0 {
            return true;
        }
        if view.family() != AF_INET6 || self.several_tables6 {
            return self.table == view.table;
        }
        match self.table {
            RT_TABLE_LOCAL => view.header.kind == RouteType::Local,
            RT_TABLE_MAIN => view.header.kind != RouteType::Local,
            _ => false,
        }
    }

    fn takes_via(&self, view: &View<'_>) -> bool {
        let Some(wanted) = self.via.filter(|via| via.family != 0) else {
            return true;
        };
        let other: Option<IpAddr> = match view.nexthop.via {
            Some(RouteVia::Inet(address)) => Some((*address).into()),
            Some(RouteVia::Inet6(address)) => Some((*address).into()),
            _ => None,
        };
        let family = other.map_or(view.family(), family_of);
        family == wanted.family && same_bits(&wanted, other.or(view.nexthop.gateway), wanted.length)
    }
}

/// `all` without a family selects nothing; `default` and addresses do.
fn is_active(prefix: &Prefix) -> bool {
    prefix.family != 0 || prefix.specified
}

fn family_fits(prefix: &Prefix, view: &View<'_>) -> bool {
    prefix.family == 0 || prefix.family == view.family()
}

fn root_takes(root: Option<Prefix>, view: &View<'_>, address: Option<IpAddr>, length: u8) -> bool {
    root.filter(is_active).is_none_or(|root| {
        family_fits(&root, view) && root.length <= length && same_bits(&root, address, root.length)
    })
}

fn within_takes(within: Option<Prefix>, view: &View<'_>, address: Option<IpAddr>, length: u8) -> bool {
    within.filter(is_active).is_none_or(|within| {
        family_fits(&within, view) && within.length >= length && same_bits(&within, address, length)
    })
}

/// Whether the first `bits` bits of two addresses agree; a missing one is all zeros.
fn same_bits(prefix: &Prefix, address: Option<IpAddr>, bits: u8) -> bool {
    let differing = from_top(prefix.address) ^ from_top(address);
    differing.leading_zeros() >= u32::from(bits)
}

/// An address's bits from the top of 128.
fn from_top(address: Option<IpAddr>) -> u128 {
    match address {
        Some(IpAddr::V4(address)) => u128::from(u32::from(address)) << 96,
        Some(IpAddr::V6(address)) => address.into(),
        None => 0,
    }
}
