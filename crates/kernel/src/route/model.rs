//! What a route is (`struct fib_info` with its `fib_alias`), without behaviour that needs other routes.

use std::net::Ipv4Addr;

use super::lookup::LookupError;
use super::object::ObjectUse;
use super::trie::Keyed;
use crate::dev::tunnel::TunnelInfo;

/// Table identifiers with a fixed meaning.
pub const TABLE_COMPAT: u8 = 252;
pub const TABLE_DEFAULT: u32 = 253;
pub const TABLE_MAIN: u32 = 254;
pub const TABLE_LOCAL: u32 = 255;

/// `RTPROT_KERNEL`: routes that the kernel makes for addresses.
pub const PROTOCOL_KERNEL: u8 = 2;

/// Nexthop and route flags (`RTNH_F_*`).
pub const FLAG_DEAD: u32 = 1;
pub const FLAG_PERVASIVE: u32 = 2;
pub const FLAG_ONLINK: u32 = 4;
pub const FLAG_OFFLOAD: u32 = 8;
pub const FLAG_LINKDOWN: u32 = 16;
pub const FLAG_TRAP: u32 = 64;
/// What two routes may differ in and still be the same route (`RTNH_COMPARE_MASK`).
const FLAGS_NOT_COMPARED: u32 = FLAG_DEAD | FLAG_LINKDOWN | FLAG_OFFLOAD | FLAG_TRAP;

/// An IPv4 prefix. Bits behind the length may be set in a request; routes in a table have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Prefix {
    pub address: Ipv4Addr,
    /// 0 to 32 bits.
    pub length: u8,
}

impl Prefix {
    pub const DEFAULT: Prefix = Prefix { address: Ipv4Addr::UNSPECIFIED, length: 0 };

    pub fn new(address: Ipv4Addr, length: u8) -> Self {
        Prefix { address, length: length.min(32) }
    }

    pub fn host(address: Ipv4Addr) -> Self {
        Prefix { address, length: 32 }
    }

    /// The prefix around `address`: the bits behind the length cleared.
    pub fn of(address: Ipv4Addr, length: u8) -> Self {
        let length = length.min(32);
        Prefix { address: Ipv4Addr::from(u32::from(address) & mask(length)), length }
    }

    pub fn contains(self, address: Ipv4Addr) -> bool {
        (u32::from(self.address) ^ u32::from(address)) & mask(self.length) == 0
    }

    /// The address with all bits behind the length set.
    pub fn broadcast(self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.address) | !mask(self.length))
    }

    /// Whether no bit behind the length is set.
    pub fn is_canonical(self) -> bool {
        u32::from(self.address) & !mask(self.length) == 0
    }
}

impl Keyed for Prefix {
    type Bits = u32;

    #[inline]
    fn key(self) -> u32 {
        self.address.into()
    }

    #[inline]
    fn length(self) -> u8 {
        self.length
    }

    fn from_key(key: u32, length: u8) -> Self {
        Prefix { address: key.into(), length }
    }
}

impl std::fmt::Display for Prefix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

/// The netmask of a prefix length of at most 32.
pub(crate) fn mask(length: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(length.min(32))).unwrap_or(0)
}

/// How far away a destination is (`RT_SCOPE_*`): a larger number is nearer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope(pub u8);

impl Scope {
    pub const UNIVERSE: Scope = Scope(0);
    pub const SITE: Scope = Scope(200);
    pub const LINK: Scope = Scope(253);
    pub const HOST: Scope = Scope(254);
    pub const NOWHERE: Scope = Scope(255);
}

/// The type of a route (`RTN_*`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RouteKind {
    #[default]
    Unspec,
    Unicast,
    Local,
    Broadcast,
    Anycast,
    Multicast,
    Blackhole,
    Unreachable,
    Prohibit,
    Throw,
    Nat,
    XResolve,
}

impl RouteKind {
    /// The kind with a number of `RTN_*`; `None` above `RTN_MAX`.
    pub fn from_number(number: u8) -> Option<Self> {
        use RouteKind::*;
        [
            Unspec,
            Unicast,
            Local,
            Broadcast,
            Anycast,
            Multicast,
            Blackhole,
            Unreachable,
            Prohibit,
            Throw,
            Nat,
            XResolve,
        ]
        .get(usize::from(number))
        .copied()
    }

    pub fn number(self) -> u8 {
        self as u8
    }

    /// What a lookup that meets this route fails with (`fib_props[].error`).
    pub fn error(self) -> Option<LookupError> {
        match self {
            RouteKind::Blackhole | RouteKind::Nat | RouteKind::XResolve => Some(LookupError::Blackhole),
            RouteKind::Unreachable => Some(LookupError::HostUnreachable),
            RouteKind::Prohibit => Some(LookupError::Prohibited),
            RouteKind::Throw => Some(LookupError::Continue),
            _ => None,
        }
    }

    /// The widest scope such a route may have (`fib_props[].scope`).
    pub fn least_scope(self) -> Scope {
        match self {
            RouteKind::Unspec | RouteKind::Nat | RouteKind::XResolve => Scope::NOWHERE,
            RouteKind::Local => Scope::HOST,
            RouteKind::Broadcast | RouteKind::Anycast => Scope::LINK,
            _ => Scope::UNIVERSE,
        }
    }
}

/// One way out of a route (`struct fib_nh`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextHop {
    /// Outgoing device; 0 for routes that lead nowhere (blackhole and the like).
    pub ifindex: u32,
    pub gateway: Option<Ipv4Addr>,
    /// `RTNH_F_*`
    pub flags: u32,
    /// Scope of the gateway: [`Scope::LINK`] when it is a neighbour, [`Scope::HOST`] without a gateway or
    /// where the gateway is an own address, [`Scope::NOWHERE`] for local routes.
    pub scope: Scope,
    /// Share of the flows in a multipath route, 1 to 256.
    pub weight: u16,
    /// `RTA_FLOW`: source realm in the upper, destination realm in the lower half.
    pub realm: u32,
    /// A flow whose 31-bit hash is not above this takes this way; -1: none does.
    pub upper_bound: i32,
    /// The tunnel that packets of this way go by (`nhc_lwtstate`).
    pub tunnel: Option<TunnelInfo>,
}

impl NextHop {
    pub fn is_dead(&self) -> bool {
        self.flags & FLAG_DEAD != 0
    }

    pub fn is_linkdown(&self) -> bool {
        self.flags & FLAG_LINKDOWN != 0
    }

    /// Whether packets go to the gateway's link address (`rt_uses_gateway`); else to the destination's own.
    pub fn uses_gateway(&self) -> bool {
        self.gateway.is_some() && self.scope == Scope::LINK
    }

    /// `nh_comp`
    fn same_as(&self, other: &NextHop) -> bool {
        self.ifindex == other.ifindex
            && self.gateway == other.gateway
            && self.scope == other.scope
            && self.weight == other.weight
            && self.realm == other.realm
            && self.tunnel == other.tunnel
            && (self.flags ^ other.flags) & !FLAGS_NOT_COMPARED == 0
    }
}

/// A route in a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// No other route that was ever made in the namespace has it: what is learned of a way goes with its route.
    pub(super) id: u64,
    pub prefix: Prefix,
    /// DSCP bits; 0 matches every packet.
    pub tos: u8,
    pub table: u32,
    pub kind: RouteKind,
    pub scope: Scope,
    /// `RTPROT_*`: who made it.
    pub protocol: u8,
    /// Metric: of routes to the same prefix the lowest wins.
    pub priority: u32,
    pub preferred_source: Option<Ipv4Addr>,
    /// `None` where every metric is zero.
    pub metrics: Option<Box<Metrics>>,
    /// `fib_flags`: the flags of the request, and dead or linkdown when every way out is.
    pub flags: u32,
    /// At least one.
    pub nexthops: Vec<NextHop>,
    /// The next hop object whose ways out these are.
    pub object: Option<ObjectUse>,
    /// The preferred source went away: its removal is announced (`pfsrc_removed`).
    pub(super) source_removed: bool,
}

impl Route {
    /// Whether both would share one `fib_info` and have the same type (`fib_find_info`).
    pub(super) fn same_as(&self, other: &Route) -> bool {
        self.kind == other.kind
            && self.protocol == other.protocol
            && self.scope == other.scope
            && self.preferred_source == other.preferred_source
            && self.priority == other.priority
            && self.table == other.table
            && self.metrics == other.metrics
            && (self.flags ^ other.flags) & !FLAGS_NOT_COMPARED == 0
            && match (self.object, other.object) {
                (None, None) => {
                    self.nexthops.len() == other.nexthops.len()
                        && self.nexthops.iter().zip(&other.nexthops).all(|(a, b)| a.same_as(b))
                }
                (a, b) => a.map(|used| used.id) == b.map(|used| used.id),
            }
    }

    /// The value of an `RTAX_*` metric, 0 where it is not set.
    pub fn metric(&self, kind: u16) -> u32 {
        self.metrics.as_ref().map_or(0, |metrics| metrics.get(kind))
    }

    /// The route's own MTU (`RTAX_MTU`), and whether it is locked against path MTU discovery.
    pub fn mtu(&self) -> Option<(u32, bool)> {
        let locked = self.metric(Metrics::LOCK) & (1 << Metrics::MTU) != 0;
        match self.metric(Metrics::MTU) {
            0 => None,
            mtu => Some((mtu, locked)),
        }
    }
}

/// Route metrics (`RTAX_*`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    values: [u32; Metrics::MAX as usize],
    /// `RTAX_CC_ALGO`
    pub congestion: Option<String>,
}

impl Metrics {
    pub const LOCK: u16 = 1;
    pub const MTU: u16 = 2;
    pub const WINDOW: u16 = 3;
    pub const RTT: u16 = 4;
    pub const ADVMSS: u16 = 8;
    pub const HOPLIMIT: u16 = 10;
    pub const FEATURES: u16 = 12;
    pub const CC_ALGO: u16 = 16;
    /// `RTAX_MAX`
    pub const MAX: u16 = 17;

    /// 0 where it is not set or there is no such metric.
    pub fn get(&self, kind: u16) -> u32 {
        kind.checked_sub(1).and_then(|at| self.values.get(usize::from(at))).copied().unwrap_or(0)
    }

    pub(crate) fn set(&mut self, kind: u16, value: u32) {
        if let Some(slot) = kind.checked_sub(1).and_then(|at| self.values.get_mut(usize::from(at))) {
            *slot = value;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.congestion.is_none() && self.values.iter().all(|value| *value == 0)
    }
}
