//! `encap TYPE …` of a route: `ip` and `ip6` (ip/iproute_lwtunnel.c).

use std::collections::BTreeSet;
use std::net::IpAddr;

use hairpin_netlink::route::route::{
    RouteAttribute, RouteIp6Tunnel, RouteIp6TunnelFlags, RouteIpTunnel, RouteIpTunnelFlags, RouteLwEnCapType,
    RouteLwTunnelEncap,
};

use crate::iproute2::inet::{AF_INET, AF_INET6, get_addr};
use crate::iproute2::names::Table;
use crate::iproute2::number::{get_u8, get_u64};
use crate::iproute2::print::Printer;
use crate::iproute2::{Args, Color, Context, Stop};

/// `TUNNEL_*`, by their words.
const FLAGS: &[(&str, u16)] = &[("key", 0x04), ("csum", 0x01), ("seq", 0x08)];

/// Encapsulations of iproute2 that are not for this kernel.
const OTHERS: &[&str] = &["mpls", "ila", "bpf", "seg6", "seg6local", "rpl", "ioam6", "xfrm"];

const USAGE: &str = "Usage: ip route ... encap TYPE [ OPTIONS ] [...]\n\
    mpls TYPE := \nip       \nila       \nip6       \nseg6       \nbpf       \nseg6local       \nrpl       \n\
    ioam6       \nxfrm       \n";

/// Reads what follows the word `encap`.
pub(super) fn parse(context: &mut Context<'_>, args: &mut Args<'_>) -> Result<[RouteAttribute; 2], Stop> {
    let word = args.value()?;
    let kind = match word {
        "ip" => RouteLwEnCapType::Ip,
        "ip6" => RouteLwEnCapType::Ip6,
        "help" => return Err(Stop::exit(255, USAGE)),
        word if OTHERS.contains(&word) => {
            let text = format!("ip route: encap {word} is not supported by hairpin yet\n");
            return Err(Stop::exit(255, text));
        }
        word => return Err(Stop::invarg("\"encap type\" value is invalid\n", word)),
    };
    let first = args.peek();
    // One word alone is no description.
    let mut rest = *args;
    rest.take();
    if first.is_none() {
        return Err(Stop::incomplete());
    }
    if rest.is_empty() {
        return Err(Stop::exit(255, "Error: unexpected end of line after \"encap\"\n"));
    }
    let parts = match kind {
        RouteLwEnCapType::Ip6 => parse_parts(context, args, true)?,
        _ => parse_parts(context, args, false)?,
    };
    Ok([RouteAttribute::Encap(parts), RouteAttribute::EncapType(kind)])
}

fn parse_parts(
    context: &mut Context<'_>,
    args: &mut Args<'_>,
    six: bool,
) -> Result<Vec<RouteLwTunnelEncap>, Stop> {
    let mut parts = Vec::new();
    let mut seen = BTreeSet::new();
    let mut flags = 0;
    while let Some(word) = args.peek() {
        if let Some((name, flag)) = FLAGS.iter().find(|(name, _)| *name == word) {
            args.take();
            if !seen.insert(*name) {
                return Err(Stop::duparg2(name, word));
            }
            flags |= flag;
            continue;
        }
        let name = match (word, six) {
            ("id", _) => "id",
            ("dst", _) => "dst",
            ("src", _) => "src",
            ("tos", false) => "tos",
            ("ttl", false) => "ttl",
            ("tc", true) => "tc",
            ("hoplimit", true) => "hoplimit",
            ("geneve_opts" | "vxlan_opts" | "erspan_opts", _) => {
                let text = format!("ip route: {word} is not supported by hairpin yet\n");
                return Err(Stop::exit(255, text));
            }
            _ => break,
        };
        args.take();
        let value = args.value()?;
        if !seen.insert(name) {
            return Err(Stop::duparg2(name, value));
        }
        let invalid = || Stop::invarg(&format!("\"{name}\" value is invalid\n"), value);
        parts.push(match name {
            "id" => {
                let id = get_u64(value, 0).ok_or_else(invalid)?;
                if six {
                    RouteLwTunnelEncap::Ip6(RouteIp6Tunnel::Id(id))
                } else {
                    RouteLwTunnelEncap::Ip(RouteIpTunnel::Id(id))
                }
            }
            "dst" | "src" => {
                let family = if six { AF_INET6 } else { AF_INET };
                match (get_addr(value, family)?.address, name) {
                    (Some(IpAddr::V4(end)), "dst") => RouteLwTunnelEncap::Ip(RouteIpTunnel::Destination(end)),
                    (Some(IpAddr::V4(end)), _) => RouteLwTunnelEncap::Ip(RouteIpTunnel::Source(end)),
                    (Some(IpAddr::V6(end)), "dst") => {
                        RouteLwTunnelEncap::Ip6(RouteIp6Tunnel::Destination(end))
                    }
                    (Some(IpAddr::V6(end)), _) => RouteLwTunnelEncap::Ip6(RouteIp6Tunnel::Source(end)),
                    (None, _) => continue,
                }
            }
            "tos" | "tc" => {
                let tos = context.id_of(Table::DsField, value).and_then(|tos| u8::try_from(tos).ok());
                let tos = tos.ok_or_else(invalid)?;
                if six {
                    RouteLwTunnelEncap::Ip6(RouteIp6Tunnel::Tc(tos))
                } else {
                    RouteLwTunnelEncap::Ip(RouteIpTunnel::Tos(tos))
                }
            }
            _ => {
                let ttl = get_u8(value, 0).ok_or_else(invalid)?;
                if six {
                    RouteLwTunnelEncap::Ip6(RouteIp6Tunnel::Hoplimit(ttl))
                } else {
                    RouteLwTunnelEncap::Ip(RouteIpTunnel::Ttl(ttl))
                }
            }
        });
    }
    if flags != 0 {
        parts.push(if six {
            RouteLwTunnelEncap::Ip6(RouteIp6Tunnel::Flags(RouteIp6TunnelFlags::from_bits_retain(flags)))
        } else {
            RouteLwTunnelEncap::Ip(RouteIpTunnel::Flags(RouteIpTunnelFlags::from_bits_retain(flags)))
        });
    }
    Ok(parts)
}

/// Prints what a route says of its tunnel (`lwt_print_encap`).
pub(super) fn print(print: &mut Printer, kind: RouteLwEnCapType, parts: &[RouteLwTunnelEncap]) {
    let name = match kind {
        RouteLwEnCapType::None | RouteLwEnCapType::Other(_) => "unknown".to_owned(),
        kind => kind.to_string(),
    };
    print.any("encap", &name, format_args!(" encap {name} "));
    let of4 = |pick: fn(&RouteIpTunnel) -> bool| {
        parts.iter().find_map(move |part| match part {
            RouteLwTunnelEncap::Ip(part) if pick(part) => Some(part),
            _ => None,
        })
    };
    let of6 = |pick: fn(&RouteIp6Tunnel) -> bool| {
        parts.iter().find_map(move |part| match part {
            RouteLwTunnelEncap::Ip6(part) if pick(part) => Some(part),
            _ => None,
        })
    };
    let number = |print: &mut Printer, key: &str, value: u64| {
        print.any(key, value, format_args!("{key} {value} "));
    };
    if let Some(RouteIpTunnel::Id(id)) = of4(|part| matches!(part, RouteIpTunnel::Id(_))) {
        number(print, "id", *id);
    }
    if let Some(RouteIp6Tunnel::Id(id)) = of6(|part| matches!(part, RouteIp6Tunnel::Id(_))) {
        number(print, "id", *id);
    }
    let ends = [
        (
            "src",
            of4(|part| matches!(part, RouteIpTunnel::Source(_))),
            of6(|part| matches!(part, RouteIp6Tunnel::Source(_))),
        ),
        (
            "dst",
            of4(|part| matches!(part, RouteIpTunnel::Destination(_))),
            of6(|part| matches!(part, RouteIp6Tunnel::Destination(_))),
        ),
    ];
    for (key, four, six) in ends {
        let end = match (four, six) {
            (Some(RouteIpTunnel::Source(end) | RouteIpTunnel::Destination(end)), _) => IpAddr::V4(*end),
            (_, Some(RouteIp6Tunnel::Source(end) | RouteIp6Tunnel::Destination(end))) => IpAddr::V6(*end),
            _ => continue,
        };
        let family = if end.is_ipv4() { AF_INET } else { AF_INET6 };
        let text = end.to_string();
        print.colored(Color::family(family), key, &text, format_args!("{key} {text} "));
    }
    if let Some(RouteIpTunnel::Ttl(ttl)) = of4(|part| matches!(part, RouteIpTunnel::Ttl(_))) {
        number(print, "ttl", (*ttl).into());
    }
    if let Some(RouteIpTunnel::Tos(tos)) = of4(|part| matches!(part, RouteIpTunnel::Tos(_))) {
        number(print, "tos", (*tos).into());
    }
    if let Some(RouteIp6Tunnel::Hoplimit(limit)) = of6(|part| matches!(part, RouteIp6Tunnel::Hoplimit(_))) {
        number(print, "hoplimit", (*limit).into());
    }
    if let Some(RouteIp6Tunnel::Tc(class)) = of6(|part| matches!(part, RouteIp6Tunnel::Tc(_))) {
        number(print, "tc", (*class).into());
    }
    let flags = match (
        of4(|part| matches!(part, RouteIpTunnel::Flags(_))),
        of6(|part| matches!(part, RouteIp6Tunnel::Flags(_))),
    ) {
        (Some(RouteIpTunnel::Flags(flags)), _) => flags.bits(),
        (_, Some(RouteIp6Tunnel::Flags(flags))) => flags.bits(),
        _ => 0,
    };
    for (key, flag) in FLAGS {
        if flags & flag != 0 {
            print.any(key, true, format_args!("{key} "));
        }
    }
}
