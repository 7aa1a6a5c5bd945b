//! Tunnels that routes say (`RTA_ENCAP`, `RTA_ENCAP_TYPE`; net/core/lwtunnel.c, net/ipv4/ip_tunnel_core.c): of the encapsulations
//! `ip` and `ip6`, which tell a device that is `external` where a packet goes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hairpin_netlink::route::route::{
    RouteAttribute, RouteIp6Tunnel, RouteIp6TunnelFlags, RouteIpTunnel, RouteIpTunnelFlags, RouteLwEnCapType,
    RouteLwTunnelEncap,
};
use hairpin_netlink::{Errno, Failure};

use crate::dev::tunnel::{TunnelInfo, TunnelWay};

/// What the attributes of a route, or of one of its ways, say (`lwtunnel_build_state`).
///
/// # Errors
/// `EOPNOTSUPP` for another encapsulation, `EINVAL` for one that is not named; one that is only named is none.
pub(super) fn parse(attributes: &[RouteAttribute]) -> Result<Option<TunnelInfo>, Failure> {
    let kind = attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::EncapType(kind) => Some(*kind),
        _ => None,
    });
    let encap = attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Encap(encap) => Some(encap),
        _ => None,
    });
    let six = match (kind, encap) {
        (None | Some(RouteLwEnCapType::None), None) => return Ok(None),
        (Some(RouteLwEnCapType::Ip), Some(_)) => false,
        (Some(RouteLwEnCapType::Ip6), Some(_)) => true,
        (None | Some(RouteLwEnCapType::None), Some(_)) => {
            return Err(Failure::with_text(Errno::EINVAL, "LWT encap type not specified"));
        }
        (Some(RouteLwEnCapType::Ip | RouteLwEnCapType::Ip6), None) => return Ok(None),
        (Some(_), _) => {
            return Err(Failure::with_text(Errno::EOPNOTSUPP, "lwt encapsulation type not supported"));
        }
    };
    let nowhere = if six { IpAddr::V6(Ipv6Addr::UNSPECIFIED) } else { IpAddr::V4(Ipv4Addr::UNSPECIFIED) };
    let mut info = TunnelInfo {
        way: TunnelWay::Goes,
        id: 0,
        source: nowhere,
        destination: nowhere,
        tos: 0,
        ttl: 0,
        label: 0,
        flags: 0,
    };
    for part in encap.into_iter().flatten() {
        match part {
            RouteLwTunnelEncap::Ip(part) => match part {
                RouteIpTunnel::Id(id) => info.id = *id,
                RouteIpTunnel::Destination(end) => info.destination = (*end).into(),
                RouteIpTunnel::Source(end) => info.source = (*end).into(),
                RouteIpTunnel::Ttl(ttl) => info.ttl = *ttl,
                RouteIpTunnel::Tos(tos) => info.tos = *tos,
                RouteIpTunnel::Flags(flags) => info.flags = flags.bits(),
                RouteIpTunnel::Opts(_) => return Err(no_options()),
                _ => {}
            },
            RouteLwTunnelEncap::Ip6(part) => match part {
                RouteIp6Tunnel::Id(id) => info.id = *id,
                RouteIp6Tunnel::Destination(end) => info.destination = (*end).into(),
                RouteIp6Tunnel::Source(end) => info.source = (*end).into(),
                RouteIp6Tunnel::Hoplimit(limit) => info.ttl = *limit,
                RouteIp6Tunnel::Tc(class) => info.tos = *class,
                RouteIp6Tunnel::Flags(flags) => info.flags = flags.bits(),
                RouteIp6Tunnel::Opts(_) => return Err(no_options()),
                _ => {}
            },
            _ => {}
        }
    }
    Ok(Some(info))
}

fn no_options() -> Failure {
    super::link::not_emulated("options of tunnels")
}

/// `lwtunnel_fill_encap`
pub(super) fn attributes(info: Option<TunnelInfo>) -> Vec<RouteAttribute> {
    let Some(TunnelInfo { id, source, destination, tos, ttl, flags, .. }) = info else { return Vec::new() };
    let (kind, parts) = match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let parts = [
                RouteIpTunnel::Id(id),
                RouteIpTunnel::Destination(destination),
                RouteIpTunnel::Source(source),
                RouteIpTunnel::Tos(tos),
                RouteIpTunnel::Ttl(ttl),
                RouteIpTunnel::Flags(RouteIpTunnelFlags::from_bits_retain(flags)),
            ];
            (RouteLwEnCapType::Ip, parts.into_iter().map(RouteLwTunnelEncap::Ip).collect())
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let parts = [
                RouteIp6Tunnel::Id(id),
                RouteIp6Tunnel::Destination(destination),
                RouteIp6Tunnel::Source(source),
                RouteIp6Tunnel::Tc(tos),
                RouteIp6Tunnel::Hoplimit(ttl),
                RouteIp6Tunnel::Flags(RouteIp6TunnelFlags::from_bits_retain(flags)),
            ];
            (RouteLwEnCapType::Ip6, parts.into_iter().map(RouteLwTunnelEncap::Ip6).collect())
        }
        // The ends are of one family.
        _ => return Vec::new(),
    };
    vec![RouteAttribute::Encap(parts), RouteAttribute::EncapType(kind)]
}
