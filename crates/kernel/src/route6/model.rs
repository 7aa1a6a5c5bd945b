//! What an IPv6 route is (`struct fib6_info`), without behaviour that needs other routes.

use std::net::Ipv6Addr;

use crate::dev::tunnel::TunnelInfo;
use crate::route::object::ObjectUse;
use crate::route::trie::Keyed;
use crate::route::{Metrics, RouteKind};
use crate::time::Time;

pub use crate::route::model::{
    FLAG_DEAD, FLAG_LINKDOWN, FLAG_ONLINK, PROTOCOL_KERNEL, TABLE_COMPAT, TABLE_LOCAL, TABLE_MAIN,
};

/// `RTPROT_RA`: learned from a router advertisement.
pub const PROTOCOL_RA: u8 = 9;
/// Metrics: of routes that users make without one (`IP6_RT_PRIO_USER`), of those of addresses and
/// advertisements (`IP6_RT_PRIO_ADDRCONF`).
pub const METRIC_USER: u32 = 1024;
pub const METRIC_ADDRCONF: u32 = 256;

/// `RTF_*` flags that routes have here.
pub mod rtf {
    pub const UP: u32 = 0x1;
    pub const GATEWAY: u32 = 0x2;
    pub const HOST: u32 = 0x4;
    pub const REJECT: u32 = 0x200;
    pub const DEFAULT: u32 = 0x0001_0000;
    pub const ADDRCONF: u32 = 0x0004_0000;
    pub const PREFIX_RT: u32 = 0x0008_0000;
    pub const ANYCAST: u32 = 0x0010_0000;
    pub const NONEXTHOP: u32 = 0x0020_0000;
    pub const EXPIRES: u32 = 0x0040_0000;
    pub const ROUTEINFO: u32 = 0x0080_0000;
    pub const LOCAL: u32 = 0x8000_0000;
}

/// An IPv6 prefix. Bits behind the length are cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Prefix6 {
    pub address: Ipv6Addr,
    /// 0 to 128 bits.
    pub length: u8,
}

impl Prefix6 {
    pub const DEFAULT: Prefix6 = Prefix6 { address: Ipv6Addr::UNSPECIFIED, length: 0 };

    /// The prefix around `address`.
    pub fn of(address: Ipv6Addr, length: u8) -> Self {
        let length = length.min(128);
        Prefix6 { address: (u128::from(address) & mask(length)).into(), length }
    }

    pub fn host(address: Ipv6Addr) -> Self {
        Prefix6 { address, length: 128 }
    }

    pub fn contains(self, address: Ipv6Addr) -> bool {
        (u128::from(self.address) ^ u128::from(address)) & mask(self.length) == 0
    }
}

fn mask(length: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(length.min(128))).unwrap_or(0)
}

impl Keyed for Prefix6 {
    type Bits = u128;

    #[inline]
    fn key(self) -> u128 {
        self.address.into()
    }

    #[inline]
    fn length(self) -> u8 {
        self.length
    }

    fn from_key(key: u128, length: u8) -> Self {
        Prefix6 { address: key.into(), length }
    }
}

/// One way out of a route (`struct fib6_nh`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextHop6 {
    pub ifindex: u32,
    pub gateway: Option<Ipv6Addr>,
    /// `RTNH_F_*`
    pub flags: u32,
    /// Share of the flows in a multipath route, 1 to 256.
    pub weight: u16,
    /// The tunnel that packets of this way go by.
    pub tunnel: Option<TunnelInfo>,
}

/// A route in a table. Linux keeps the ways out of a multipath route as sibling routes; here they are one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route6 {
    pub prefix: Prefix6,
    pub table: u32,
    pub kind: RouteKind,
    /// `RTPROT_*`: who made it.
    pub protocol: u8,
    /// Of routes to the same prefix the lowest wins.
    pub metric: u32,
    pub preferred_source: Option<Ipv6Addr>,
    pub metrics: Option<Box<Metrics>>,
    /// `RTF_*`
    pub flags: u32,
    /// When it goes by itself.
    pub expires: Option<Time>,
    /// Preference of the router (RFC 4191): 0 medium, 1 high, 3 low.
    pub preference: u8,
    /// At least one.
    pub nexthops: Vec<NextHop6>,
    /// The next hop object whose ways out these are.
    pub object: Option<ObjectUse>,
}

impl Route6 {
    /// A route that the kernel makes for a device.
    pub fn of_device(kind: RouteKind, prefix: Prefix6, table: u32, metric: u32, ifindex: u32) -> Self {
        Route6 {
            prefix,
            table,
            kind,
            protocol: PROTOCOL_KERNEL,
            metric,
            preferred_source: None,
            metrics: None,
            flags: rtf::UP,
            expires: None,
            preference: 0,
            nexthops: vec![NextHop6 { ifindex, gateway: None, flags: 0, weight: 1, tunnel: None }],
            object: None,
        }
    }

    pub fn is_expired(&self, now: Time) -> bool {
        self.expires.is_some_and(|at| at <= now)
    }

    /// Whether it may share its prefix and metric with others as one multipath route (`rt6_qualify_for_ecmp`).
    pub(super) fn joins_others(&self) -> bool {
        self.flags & rtf::ADDRCONF == 0
            && self.object.is_none()
            && self.nexthops.first().is_some_and(|way| way.gateway.is_some())
    }

    /// The route's own MTU (`RTAX_MTU`).
    pub fn mtu(&self) -> Option<u32> {
        let mtu = self.metrics.as_ref().map_or(0, |metrics| metrics.get(Metrics::MTU));
        (mtu != 0).then_some(mtu)
    }
}
