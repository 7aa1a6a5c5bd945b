//! What carries segments: IPv4 or IPv6, by the addresses of a connection's ends.

use std::net::IpAddr;

use hairpin_netlink::Errno;

use super::segment::{self, CHECKSUM};
use super::{Arrival, Endpoint};
use crate::frame::Owner;
use crate::ip::output::Fields;
use crate::ip::route::{OutKey, OutRoute};
use crate::ip::{self, fold, protocol, pseudo_sum, sum};
use crate::ip6::address::needs_device;
use crate::ip6::output::Fields6;
use crate::ip6::route::{OutKey6, OutRoute6};
use crate::ip6::{self, next, upper_checksum};
use crate::netns::NsId;
use crate::route::RouteKind;
use crate::sock::tcp::Ends;
use crate::world::World;

/// Largest number of bytes in one segment (`MAX_TCP_WINDOW` of a loopback device's packets).
const MSS_MAX: u32 = 65_495;

/// The way of a connection's packets.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    V4(OutRoute),
    V6(OutRoute6),
}

impl Way {
    pub fn kind(&self) -> RouteKind {
        match self {
            Way::V4(route) => route.kind,
            Way::V6(route) => route.kind,
        }
    }

    pub fn source(&self) -> IpAddr {
        match self {
            Way::V4(route) => route.source.into(),
            Way::V6(route) => route.source.into(),
        }
    }

    /// Bytes of TCP data that fit into one packet, without options.
    pub fn mss(&self) -> u32 {
        let (mtu, below) = match self {
            Way::V4(route) => (route.mtu, ip::HEADER_LEN),
            Way::V6(route) => (route.mtu, ip6::HEADER_LEN),
        };
        mtu.saturating_sub((below + segment::HEADER_LEN) as u32).clamp(1, MSS_MAX)
    }
}

/// What a segment's packet is given besides its way.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Style {
    pub tos: u8,
    pub ttl: Option<u8>,
    pub mark: u32,
    /// Of IPv4.
    pub id: u16,
    /// It may not be cut, whatever the path is like.
    pub whole: bool,
    /// Whose socket sends it.
    pub owner: Owner,
    /// The device that the socket is bound to, by interface index; 0 for none.
    pub bound: u32,
    /// The checksum is left to the device.
    pub partial: bool,
}

impl World {
    /// # Errors
    /// What `connect` fails with.
    pub(crate) fn tcp_route(
        &mut self,
        ns: NsId,
        ends: &Ends,
        source: IpAddr,
        remote: Endpoint,
    ) -> Result<Way, Errno> {
        match (source, remote.0) {
            (source, IpAddr::V4(destination)) => {
                let key = OutKey {
                    oif: ends.device,
                    tos: ends.tos & 0x1e,
                    mark: ends.mark,
                    protocol: protocol::TCP,
                    on_link: ends.dont_route,
                    ..OutKey::to(ns, destination)
                };
                match source {
                    IpAddr::V4(source) => self.route_output(OutKey { source, ..key }).map(Way::V4),
                    IpAddr::V6(_) => self.route_output(key).map(Way::V4),
                }
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                let key =
                    OutKey6 { source, oif: ends.device, mark: ends.mark, ..OutKey6::to(ns, destination) };
                self.seek_output6(key).map(Way::V6)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) => Err(Errno::ENETUNREACH),
        }
    }

    /// The way of an answer that belongs to no socket; to a link-local address by where it came from
    /// (`tcp_v6_send_response`).
    pub(super) fn tcp_route_back(&mut self, ns: NsId, at: &Arrival) -> Result<Way, Errno> {
        let strict = matches!(at.from.0, IpAddr::V6(from) if needs_device(from));
        // `ip_send_unicast_reply`: what came in in a VRF is answered there.
        let device = if strict { at.came.iif } else { at.came.vrf() };
        let ends = Ends { device, ..Ends::default() };
        self.tcp_route(ns, &ends, at.to.0, at.from)
    }

    /// Sends a segment of `len` bytes, which `write` fills. What a rule drops is sent again, as if it was lost on the way.
    pub(super) fn tcp_transmit(
        &mut self,
        ns: NsId,
        way: &Way,
        style: Style,
        len: usize,
        write: impl FnOnce(&mut [u8]),
    ) {
        let partial = style.partial.then_some(CHECKSUM);
        match way {
            Way::V4(route) => {
                let ttl = style.ttl.unwrap_or_else(|| self.default_ttl(ns, route.source));
                let fields = Fields {
                    tos: style.tos,
                    dont_fragment: style.whole || !route.mtu_locked,
                    id: Some(style.id),
                    mark: style.mark,
                    owner: style.owner,
                    bound: style.bound,
                    partial,
                    ..Fields::new(protocol::TCP, ttl)
                };
                let _ = self.ip_send(ns, route, fields, len, write);
            }
            Way::V6(route) => {
                let fields = Fields6 {
                    traffic_class: style.tos,
                    mark: style.mark,
                    owner: style.owner,
                    bound: style.bound,
                    partial,
                    ..Fields6::new(next::TCP, style.ttl.unwrap_or(route.hop_limit))
                };
                let _ = self.ip6_send(ns, route, fields, len, write);
            }
        }
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.counters.tcp_out += 1;
        }
    }
}

/// The checksum over a segment with its pseudo-header: 0 over one that contains a right one.
pub(super) fn checksum(ends: (IpAddr, IpAddr), segment: &[u8]) -> u16 {
    match ends {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let pseudo = pseudo_sum(source, destination, protocol::TCP, segment.len()) << 16;
            !fold(pseudo + sum(segment))
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            upper_checksum(source, destination, next::TCP, segment)
        }
        _ => 1,
    }
}
