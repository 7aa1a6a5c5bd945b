//! `type gre`, `gretap`, `ipip` and `sit`

use std::net::Ipv4Addr;

use hairpin_netlink::Message;
use hairpin_netlink::route::link::{InfoData, LinkAttribute, LinkInfo, LinkMessage};

use super::gre::{Erspan, GreWords};
use super::help;
use super::raw::Raw;
use crate::iproute2::inet::{AF_INET, get_addr};
use crate::iproute2::names::Table;
use crate::iproute2::number::get_u32;
use crate::iproute2::rtnl::refusal;
use crate::iproute2::{Args, Context, Stop, find, matches};

/// Numbers of the attributes, which differ between GRE and the others.
pub(in crate::ip) struct Numbers {
    pub link: u16,
    pub local: u16,
    pub remote: u16,
    pub ttl: u16,
    pub tos: u16,
    pub pmtudisc: u16,
    pub external: u16,
}

/// `IFLA_GRE_*`
const GRE: Numbers = Numbers { link: 1, local: 6, remote: 7, ttl: 8, tos: 9, pmtudisc: 10, external: 18 };
/// `IFLA_IPTUN_*`
const IPTUN: Numbers = Numbers { link: 1, local: 2, remote: 3, ttl: 4, tos: 5, pmtudisc: 10, external: 19 };

const GRE_IGNORE_DF: u16 = 19;
const IPTUN_PROTO: u16 = 9;

pub(super) fn is_gre(kind: &str) -> bool {
    matches!(kind, "gre" | "gretap" | "erspan")
}

fn numbers(kind: &str) -> &'static Numbers {
    if is_gre(kind) { &GRE } else { &IPTUN }
}

/// What the words come to.
#[derive(Debug, Default)]
pub(in crate::ip) struct Tunnel {
    pub local: Option<Ipv4Addr>,
    pub remote: Option<Ipv4Addr>,
    pub link: Option<u32>,
    pub ttl: Option<u8>,
    pub tos: Option<u8>,
    pub pmtudisc: Option<bool>,
    pub ignore_df: Option<bool>,
    pub external: bool,
    pub protocol: Option<u8>,
    pub gre: GreWords,
}

impl Tunnel {
    /// What the link of a name says of itself, of a dump.
    pub fn of_data(kind: &str, data: &InfoData) -> Tunnel {
        Tunnel::of(kind, &Raw::of(data))
    }

    /// A tunnel to a group has the group for its keys, where none are given. False where it lacks the source that one needs.
    pub fn has_source_for_group(&mut self) -> bool {
        let Some(group) = self.remote.filter(Ipv4Addr::is_multicast) else { return true };
        self.gre.fill_keys(group);
        self.local.is_some_and(|local| !local.is_unspecified())
    }

    /// What a link says of itself.
    fn of(kind: &str, raw: &Raw) -> Tunnel {
        let numbers = numbers(kind);
        let mut tunnel = Tunnel {
            local: raw.get_ipv4(numbers.local),
            remote: raw.get_ipv4(numbers.remote),
            link: raw.get_u32(numbers.link),
            ttl: raw.get_u8(numbers.ttl),
            tos: raw.get_u8(numbers.tos),
            pmtudisc: raw.get_u8(numbers.pmtudisc).map(|on| on != 0),
            external: raw.get(numbers.external).is_some(),
            ..Tunnel::default()
        };
        if is_gre(kind) {
            tunnel.ignore_df = raw.get_u8(GRE_IGNORE_DF).map(|on| on != 0);
            tunnel.gre = GreWords::of(raw);
        } else {
            tunnel.protocol = raw.get_u8(IPTUN_PROTO);
        }
        tunnel
    }

    /// The options as bytes. The kernel takes what it is not told for nothing.
    pub fn into_data(self, kind: &str) -> InfoData {
        self.into_raw(kind).into_data()
    }

    fn into_raw(self, kind: &str) -> Raw {
        let numbers = numbers(kind);
        let mut raw = Raw::default();
        if is_gre(kind) && self.external {
            // The packets say the rest.
            raw.bytes(numbers.external, &[]);
            return raw;
        }
        if is_gre(kind) {
            self.gre.write(&mut raw);
            if let Some(ignore) = self.ignore_df {
                raw.u8(GRE_IGNORE_DF, ignore.into());
            }
        } else {
            raw.u8(IPTUN_PROTO, self.protocol.unwrap_or(0));
        }
        let [local, remote] = [self.local, self.remote].map(|end| end.unwrap_or(Ipv4Addr::UNSPECIFIED));
        raw.bytes(numbers.local, &local.octets());
        raw.bytes(numbers.remote, &remote.octets());
        raw.u8(numbers.pmtudisc, self.pmtudisc.unwrap_or(true).into());
        if let Some(link) = self.link {
            raw.u32(numbers.link, link);
        }
        raw.u8(numbers.ttl, self.ttl.unwrap_or(0));
        raw.u8(numbers.tos, self.tos.unwrap_or(0));
        if self.external {
            raw.bytes(numbers.external, &[]);
        }
        raw
    }
}

/// A key: a number, or four with dots (`tnl_parse_key`).
pub(in crate::ip) fn parse_key(name: &str, word: &str) -> Result<u32, Stop> {
    if word.contains('.') {
        return match get_addr(word, AF_INET)?.address {
            Some(std::net::IpAddr::V4(address)) => Ok(address.into()),
            _ => Ok(0),
        };
    }
    get_u32(word, 0).ok_or_else(|| {
        Stop::fail(
            255,
            format!("invalid value for \"{name}\": \"{word}\"; it should be an unsigned integer\n"),
        )
    })
}

/// An IPv4 address; `any` is none.
pub(in crate::ip) fn parse_end(word: &str) -> Result<Option<Ipv4Addr>, Stop> {
    match get_addr(word, AF_INET)?.address {
        Some(std::net::IpAddr::V4(address)) => Ok(Some(address)),
        _ => Ok(Some(Ipv4Addr::UNSPECIFIED)),
    }
}

/// A time to live: `inherit` is 0.
pub(in crate::ip) fn parse_ttl(word: &str) -> Result<u8, Stop> {
    match word {
        "inherit" => Ok(0),
        word => get_u32(word, 0)
            .and_then(|ttl| u8::try_from(ttl).ok())
            .ok_or_else(|| Stop::invarg("invalid TTL\n", word)),
    }
}

/// A type of service: `inherit` is 1.
pub(in crate::ip) fn parse_tos(context: &mut Context<'_>, word: &str) -> Result<u8, Stop> {
    match word {
        "inherit" => Ok(1),
        word => context
            .id_of(Table::DsField, word)
            .and_then(|tos| u8::try_from(tos).ok())
            .ok_or_else(|| Stop::invarg("bad TOS value", word)),
    }
}

/// Reads the arguments behind `type KIND`.
pub(super) fn parse(
    context: &mut Context<'_>,
    kind: &str,
    args: &mut Args<'_>,
    existing: Option<u32>,
) -> Result<InfoData, Stop> {
    let mut tunnel = match existing {
        Some(index) => existing_tunnel(context, kind, index)?,
        None => Tunnel::default(),
    };
    let usage = || Stop::fail(1, help(kind).unwrap_or_default());
    let mut erspan = Erspan::default();
    while let Some(word) = args.take() {
        let is = |name| matches(word, name);
        if gre_word(&mut tunnel, kind, word, args)? {
            continue;
        }
        if is("remote") {
            tunnel.remote = parse_end(args.value()?)?;
        } else if is("local") {
            tunnel.local = parse_end(args.value()?)?;
        } else if is("dev") {
            let name = args.value()?;
            tunnel.link = Some(match context.link_index(name) {
                0 => return Err(Stop { code: 255, exit: true, ..Stop::no_device(name) }),
                index => index,
            });
        } else if is("ttl") || is("hoplimit") || is("hlim") {
            tunnel.ttl = Some(parse_ttl(args.value()?)?);
        } else if is("tos") || is("tclass") || is("dsfield") {
            let word = args.value()?;
            tunnel.tos = Some(parse_tos(context, word)?);
        } else if is("nopmtudisc") {
            tunnel.pmtudisc = Some(false);
        } else if is("pmtudisc") {
            tunnel.pmtudisc = Some(true);
        } else if is("external") {
            tunnel.external = true;
        } else if is("noencap") {
            // As it is without the word.
        } else if is("encap") {
            return Err(Stop::fail(1, format!("{kind}: encap is not supported by hairpin yet\n")));
        } else if kind == "erspan" && erspan.word(word, args)? {
            // Noted.
        } else if !is_gre(kind) && is("mode") {
            tunnel.protocol = Some(mode(kind, args.value()?)?);
        } else {
            return Err(usage());
        }
    }
    if is_gre(kind) && !tunnel.has_source_for_group() {
        return Err(Stop::fail(1, "A broadcast tunnel requires a source address.\n"));
    }
    let mut raw = tunnel.into_raw(kind);
    if kind == "erspan" {
        erspan.write(&mut raw);
    }
    Ok(raw.into_data())
}

/// The options of a tunnel that is to be changed.
fn existing_tunnel(context: &mut Context<'_>, kind: &str, index: u32) -> Result<Tunnel, Stop> {
    Ok(Tunnel::of_data(kind, &existing_data(context, index)?))
}

/// What a link that is to be changed says of itself.
pub(super) fn existing_data(context: &mut Context<'_>, index: u32) -> Result<InfoData, Stop> {
    let mut request = LinkMessage::default();
    request.header.index = index;
    let failed = |text: &str| Stop::fail(1, format!("{text}Failed to get existing tunnel info.\n"));
    let answer = context.talk_quietly(&Message::GetLink(request), 0);
    let answer = answer.map_err(|failure| failed(&refusal(&failure)))?;
    let data = answer.iter().find_map(|message| match message {
        Message::NewLink(link) => {
            let info = find!(link.attributes, LinkAttribute::LinkInfo)?;
            find!(info, LinkInfo::Data)
        }
        _ => None,
    });
    data.cloned().ok_or_else(|| failed(""))
}

/// `mode` of ipip and sit: the protocol that is carried.
fn mode(kind: &str, word: &str) -> Result<u8, Stop> {
    match (kind, word) {
        (_, "any" | "any/ipv4") => Ok(0),
        (_, "ipip" | "ipv4/ipv4" | "ip4ip4" | "ip4/ip4") => Ok(4),
        ("sit", "ip6ip" | "ipv6/ipv4" | "ip6/ip4") => Ok(41),
        ("sit", word) => Err(Stop::invarg("Cannot guess tunnel mode.", word)),
        (_, word) => Err(Stop::invarg("Cannot guess tunnel mode.", word)),
    }
}

/// Words that only GRE has. True if it was one.
fn gre_word(tunnel: &mut Tunnel, kind: &str, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
    if !is_gre(kind) {
        return Ok(false);
    }
    let is = |name| matches(word, name);
    if is("key") {
        let key = parse_key("key", args.value()?)?;
        tunnel.gre.set_keys(Some(key), Some(key));
    } else if is("ikey") {
        tunnel.gre.set_keys(Some(parse_key("ikey", args.value()?)?), None);
    } else if is("okey") {
        tunnel.gre.set_keys(None, Some(parse_key("okey", args.value()?)?));
    } else if tunnel.gre.flag_word(word) {
        // Noted.
    } else if is("ignore-df") {
        tunnel.ignore_df = Some(true);
    } else if is("noignore-df") {
        tunnel.ignore_df = Some(false);
    } else {
        return Ok(false);
    }
    Ok(true)
}

/// Prints the options of a link.
pub(super) fn print(context: &mut Context<'_>, kind: &str, data: &InfoData) {
    let raw = Raw::of(data);
    let numbers = numbers(kind);
    if raw.get(numbers.external).is_some() {
        context.print.any("external", true, format_args!("external "));
    }
    if !is_gre(kind)
        && let Some(protocol) = raw.get_u8(IPTUN_PROTO)
    {
        let name = match protocol {
            4 => "ipip",
            41 => "ip6ip",
            _ => "any",
        };
        context.print.any("proto", name, format_args!("{name} "));
    }
    for (name, number) in [("remote", numbers.remote), ("local", numbers.local)] {
        let end = raw.get_ipv4(number).filter(|end| !end.is_unspecified());
        let end = end.map_or("any".to_owned(), |end| end.to_string());
        context.print.any(name, &end, format_args!("{name} {end} "));
    }
    if let Some(link) = raw.get_u32(numbers.link).filter(|link| *link != 0) {
        let name = context.link_name(link);
        context.print.any("link", &name, format_args!("dev {name} "));
    }
    let print = &mut context.print;
    if let Some(ttl) = raw.get_u8(numbers.ttl) {
        print.json("ttl", ttl);
        match ttl {
            0 => print.text(format_args!("ttl inherit ")),
            ttl => print.text(format_args!("ttl {ttl} ")),
        }
    }
    if let Some(tos) = raw.get_u8(numbers.tos).filter(|tos| *tos != 0) {
        let hex = format!("{tos:#x}");
        print.json("tos", &hex);
        match tos {
            1 => print.text(format_args!("tos inherit ")),
            _ => print.text(format_args!("tos {hex} ")),
        }
    }
    match raw.get_u8(numbers.pmtudisc) {
        Some(0) => print.any("pmtudisc", false, format_args!("nopmtudisc ")),
        Some(_) => {
            print.json("pmtudisc", true);
            if !is_gre(kind) {
                print.text(format_args!("pmtudisc "));
            }
        }
        None => {}
    }
    if is_gre(kind) {
        print_gre(context, &raw);
    }
}

/// The line of `ip tunnel show` behind the name, with what GRE expects below it (`print_tunnel`).
pub(in crate::ip) fn print_tunnel(context: &mut Context<'_>, kind: &str, data: &InfoData) {
    let raw = Raw::of(data);
    let numbers = numbers(kind);
    let carried = match (kind, raw.get_u8(IPTUN_PROTO)) {
        ("gre", _) => "gre/ip",
        (_, Some(4)) => "ip/ip",
        (_, Some(41)) => "ipv6/ip",
        _ => "any/ip",
    };
    context.print.text(format_args!("{carried} "));
    for (name, number) in [("remote", numbers.remote), ("local", numbers.local)] {
        let end = raw.get_ipv4(number).filter(|end| !end.is_unspecified());
        let end = end.map_or("any".to_owned(), |end| end.to_string());
        context.print.text(format_args!("{name} {end} "));
    }
    if let Some(link) = raw.get_u32(numbers.link).filter(|link| *link != 0) {
        let name = context.link_name(link);
        context.print.text(format_args!("dev {name} "));
    }
    let print = &mut context.print;
    match raw.get_u8(numbers.ttl).unwrap_or(0) {
        0 => print.text(format_args!("ttl inherit")),
        ttl => print.text(format_args!("ttl {ttl}")),
    }
    match raw.get_u8(numbers.tos).unwrap_or(0) {
        0 => {}
        1 => print.text(format_args!(" tos inherit")),
        tos => print.text(format_args!(" tos {tos:#x}")),
    }
    if raw.get_u8(numbers.pmtudisc) == Some(0) {
        print.text(format_args!(" nopmtudisc"));
    }
    if kind == "gre" {
        GreWords::of(&raw).print_tunnel(print);
    }
    print.text(format_args!("\n"));
}

fn print_gre(context: &mut Context<'_>, raw: &Raw) {
    let print = &mut context.print;
    if raw.get_u8(GRE_IGNORE_DF).is_some_and(|on| on != 0) {
        print.any("ignore_df", true, format_args!("ignore-df "));
    }
    GreWords::of(raw).print(print);
}
