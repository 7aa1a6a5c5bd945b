//! `ip tunnel`: gre, ipip and sit tunnels, and a listing of those of IPv6. The real program asks by `ioctl`; here it is
//! the same links by rtnetlink.

use std::net::{IpAddr, Ipv4Addr};

use hairpin_netlink::codec::{NLM_F_CREATE, NLM_F_EXCL};
use hairpin_netlink::route::link::{InfoData, InfoKind, LinkAttribute, LinkInfo, LinkMessage, Stats64};
use hairpin_netlink::{Errno, Message};

use super::link::kind::tunnel::{self as options, Tunnel};
use super::link::kind::tunnel6;
use crate::iproute2::inet::{AF_INET, AF_INET6, parse_addr};
use crate::iproute2::{Args, Context, Stop, find, matches};

const USAGE: &str = "\
Usage: ip tunnel { add | change | del | show | prl | 6rd } [ NAME ]
        [ mode { gre | ipip | isatap | sit | vti } ]
        [ remote ADDR ] [ local ADDR ]
        [ [i|o]seq ] [ [i|o]key KEY ] [ [i|o]csum ]
        [ prl-default ADDR ] [ prl-nodefault ADDR ] [ prl-delete ADDR ]
        [ 6rd-prefix ADDR ] [ 6rd-relay_prefix ADDR ] [ 6rd-reset ]
        [ ttl TTL ] [ tos TOS ] [ [no]pmtudisc ] [ dev PHYS_DEV ]

Where: NAME := STRING
       ADDR := { IP_ADDRESS | any }
       TOS  := { STRING | 00..ff | inherit | inherit/STRING | inherit/00..ff }
       TTL  := { 1..255 | inherit }
       KEY  := { DOTTED_QUAD | NUMBER }
";

/// Runs `ip tunnel` with the arguments behind the object.
pub(super) fn main(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let Some(command) = args.take() else { return show(context, None) };
    let is = |name| matches(command, name);
    let six = context.options.family == AF_INET6;
    if six && (is("add") || is("change") || is("delete")) {
        Err(Stop::fail(1, format!("ip -6 tunnel {command} is not supported by hairpin yet: see ip link\n")))
    } else if is("add") {
        change(context, args, true)
    } else if is("change") {
        change(context, args, false)
    } else if is("delete") {
        delete(context, args)
    } else if is("show") || is("lst") || is("list") {
        show(context, args.take())
    } else if is("prl") || is("6rd") {
        Err(Stop::fail(1, format!("ip tunnel {command} is not supported by hairpin yet\n")))
    } else if is("help") {
        Err(Stop::exit(255, USAGE))
    } else {
        Err(Stop::exit(255, format!("Command \"{command}\" is unknown, try \"ip tunnel help\"\n")))
    }
}

/// What the words of `add` and `change` say.
#[derive(Default)]
struct Words {
    name: Option<String>,
    kind: Option<String>,
    options: Tunnel,
}

/// `get_addr32`: an IPv4 address, `any` is none.
fn end(word: &str) -> Result<Ipv4Addr, Stop> {
    let none = || Stop::exit(1, format!("Error: an IP address is expected rather than \"{word}\"\n"));
    match parse_addr(word, AF_INET).ok_or_else(none)?.address {
        Some(IpAddr::V4(address)) => Ok(address),
        _ => Ok(Ipv4Addr::UNSPECIFIED),
    }
}

/// Where a tunnel is to be changed and named first, its options are what it has.
fn words(context: &mut Context<'_>, args: &mut Args<'_>, changes: bool) -> Result<Words, Stop> {
    let mut found = Words::default();
    let mut first = true;
    while let Some(word) = args.take() {
        let changes = changes && std::mem::take(&mut first);
        let options = &mut found.options;
        match word {
            "mode" => {
                let (kind, protocol) = match args.value()? {
                    "ipip" | "ip/ip" => ("ipip", Some(4)),
                    "gre" | "gre/ip" => ("gre", None),
                    "sit" | "ipv6/ip" => ("sit", Some(41)),
                    "any" | "any/ip" => ("ipip", Some(0)),
                    mode @ ("vti" | "isatap") => {
                        return Err(Stop::fail(
                            1,
                            format!("ip tunnel mode {mode} is not supported by hairpin yet\n"),
                        ));
                    }
                    mode => return Err(Stop::exit(255, format!("Unknown tunnel mode \"{mode}\"\n"))),
                };
                (found.kind, options.protocol) = (Some(kind.to_owned()), protocol);
            }
            "key" => {
                let key = options::parse_key("key", args.value()?)?;
                options.gre.set_keys(Some(key), Some(key));
            }
            "ikey" => options.gre.set_keys(Some(options::parse_key("ikey", args.value()?)?), None),
            "okey" => options.gre.set_keys(None, Some(options::parse_key("okey", args.value()?)?)),
            "seq" => options.gre.set_sequence(true, true),
            "iseq" => options.gre.set_sequence(true, false),
            "oseq" => options.gre.set_sequence(false, true),
            "csum" => options.gre.set_checksum(true, true),
            "icsum" => options.gre.set_checksum(true, false),
            "ocsum" => options.gre.set_checksum(false, true),
            "nopmtudisc" => options.pmtudisc = Some(false),
            "pmtudisc" => options.pmtudisc = Some(true),
            "remote" => options.remote = Some(end(args.value()?)?),
            "local" => options.local = Some(end(args.value()?)?),
            "dev" => {
                let name = args.value()?;
                options.link = Some(match context.link_index(name) {
                    0 => return Err(Stop { code: 255, exit: true, ..Stop::no_device(name) }),
                    index => index,
                });
            }
            "ttl" | "hoplimit" | "hlim" => options.ttl = Some(options::parse_ttl(args.value()?)?),
            "tos" | "tclass" => {
                let word = args.value()?;
                options.tos = Some(options::parse_tos(context, word)?);
            }
            word => {
                let name = if word == "name" { args.value()? } else { word };
                if matches(name, "help") {
                    return Err(Stop::exit(255, USAGE));
                }
                if found.name.is_some() {
                    return Err(Stop::duparg2("name", name));
                }
                found.name = Some(name.to_owned());
                if changes && let Some(shown) = known(context, name)? {
                    found.options = Tunnel::of_data(&shown.kind, &shown.data);
                    found.kind = Some(shown.kind);
                }
            }
        }
    }
    Ok(found)
}

fn change(context: &mut Context<'_>, mut args: Args<'_>, create: bool) -> Result<(), Stop> {
    let found = words(context, &mut args, !create)?;
    let mut kind = found.kind;
    if !create && let Some(name) = &found.name {
        kind = kind.or(known(context, name)?.map(|shown| shown.kind));
    }
    let Some(kind) = kind else {
        let text = "cannot determine tunnel mode (ipip, gre, vti or sit)\n";
        return Err(Stop::exit(1, text));
    };
    let ttl = found.options.ttl.unwrap_or(0);
    if ttl != 0 && found.options.pmtudisc == Some(false) {
        return Err(Stop::exit(1, "ttl != 0 and nopmtudisc are incompatible\n"));
    }
    let info_kind = match kind.as_str() {
        "gre" => InfoKind::GreTun,
        "ipip" => InfoKind::IpIp,
        _ => InfoKind::SitTun,
    };
    let mut options = found.options;
    if !options.has_source_for_group() {
        return Err(Stop::exit(1, "A broadcast tunnel requires a source address\n"));
    }
    let mut message = LinkMessage::default();
    message.attributes.extend(found.name.clone().map(LinkAttribute::IfName));
    let data = options.into_data(&kind);
    message.attributes.push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(info_kind), LinkInfo::Data(data)]));
    let flags = if create { NLM_F_CREATE | NLM_F_EXCL } else { 0 };
    let (verb, fallback) = match (create, kind.as_str()) {
        (true, "gre") => ("add", "gre0"),
        (true, "ipip") => ("add", "tunl0"),
        (true, _) => ("add", "sit0"),
        (false, _) => ("change", ""),
    };
    match context.talk_quietly(&Message::NewLink(message), flags) {
        Ok(_) => Ok(()),
        Err(failure) => {
            let name = if create { fallback.to_owned() } else { found.name.unwrap_or_default() };
            Err(Stop::exit(1, format!("{verb} tunnel \"{name}\" failed: {}\n", failure.errno.text())))
        }
    }
}

fn delete(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let found = words(context, &mut args, false)?;
    let name = found.name.unwrap_or_default();
    let failed = |errno: Errno| Stop::exit(1, format!("delete tunnel \"{name}\" failed: {}\n", errno.text()));
    // `SIOCDELTUNNEL` is for devices that know it; a link of another kind must not go.
    if context.link_index(&name) != 0 && !tunnels(context)?.iter().any(|tunnel| tunnel.name == name) {
        return Err(failed(Errno::EOPNOTSUPP));
    }
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::IfName(name.clone()));
    context.talk_quietly(&Message::DelLink(message), 0).map(|_| ()).map_err(|failure| failed(failure.errno))
}

/// A tunnel of a dump.
struct Shown {
    name: String,
    kind: String,
    data: InfoData,
    stats: Option<Stats64>,
}

/// The tunnels over IPv4, or with `-6` those over IPv6 that are no Ethernet devices.
fn tunnels(context: &mut Context<'_>) -> Result<Vec<Shown>, Stop> {
    let six = context.options.family == AF_INET6;
    let answer = context.dump(&Message::GetLink(LinkMessage::default()))?;
    let of_link = |link: &LinkMessage| {
        let info = find!(link.attributes, LinkAttribute::LinkInfo)?;
        let kind = find!(info, LinkInfo::Kind)?.to_string();
        let kinds: &[&str] = if six { &["ip6tnl", "ip6gre"] } else { &["gre", "ipip", "sit"] };
        if !kinds.contains(&kind.as_str()) {
            return None;
        }
        Some(Shown {
            name: find!(link.attributes, LinkAttribute::IfName)?.clone(),
            kind,
            data: find!(info, LinkInfo::Data)?.clone(),
            stats: find!(link.attributes, LinkAttribute::Stats64).cloned(),
        })
    };
    Ok(answer
        .iter()
        .filter_map(|message| match message {
            Message::NewLink(link) => of_link(link),
            _ => None,
        })
        .collect())
}

fn known(context: &mut Context<'_>, name: &str) -> Result<Option<Shown>, Stop> {
    Ok(tunnels(context)?.into_iter().find(|tunnel| tunnel.name == name))
}

fn show(context: &mut Context<'_>, name: Option<&str>) -> Result<(), Stop> {
    for tunnel in tunnels(context)? {
        if name.is_some_and(|name| name != tunnel.name) {
            continue;
        }
        context.print.text(format_args!("{}: ", tunnel.name));
        if context.options.family == AF_INET6 {
            tunnel6::print_tunnel(context, &tunnel.kind, &tunnel.data);
        } else {
            options::print_tunnel(context, &tunnel.kind, &tunnel.data);
        }
        if context.options.stats > 0
            && let Some(stats) = &tunnel.stats
        {
            let print = &mut context.print;
            print.text(format_args!("RX: Packets    Bytes        Errors CsumErrs OutOfSeq Mcasts\n"));
            print.text(format_args!(
                "    {:<10} {:<12} {:<6} {:<8} {:<8} {:<8}\n",
                stats.rx_packets,
                stats.rx_bytes,
                stats.rx_errors,
                stats.rx_crc_errors,
                stats.rx_frame_errors,
                stats.multicast
            ));
            print.text(format_args!("TX: Packets    Bytes        Errors DeadLoop NoRoute  NoBufs\n"));
            print.text(format_args!(
                "    {:<10} {:<12} {:<6} {:<8} {:<8} {:<6}\n",
                stats.tx_packets,
                stats.tx_bytes,
                stats.tx_errors,
                stats.collisions,
                stats.tx_carrier_errors,
                stats.tx_dropped
            ));
        }
    }
    Ok(())
}
