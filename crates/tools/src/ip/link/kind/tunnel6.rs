//! `type ip6tnl`, `ip6gre` and `ip6gretap`

use std::net::{IpAddr, Ipv6Addr};

use hairpin_netlink::route::link::InfoData;

use super::gre::{Erspan, GreWords};
use super::help;
use super::raw::Raw;
use super::tunnel::{existing_data, parse_key};
use crate::iproute2::inet::{AF_INET6, get_addr};
use crate::iproute2::number::get_u32;
use crate::iproute2::{Args, Context, Stop, matches};

/// Numbers of the attributes, which differ between GRE and the others.
struct Numbers {
    link: u16,
    local: u16,
    remote: u16,
    ttl: u16,
    limit: u16,
    flow: u16,
    flags: u16,
    encap_type: u16,
    encap_flags: u16,
    encap_source: u16,
    encap_destination: u16,
    external: u16,
    mark: u16,
}

/// `IFLA_GRE_*`
const GRE: Numbers = Numbers {
    link: 1,
    local: 6,
    remote: 7,
    ttl: 8,
    limit: 11,
    flow: 12,
    flags: 13,
    encap_type: 14,
    encap_flags: 15,
    encap_source: 16,
    encap_destination: 17,
    external: 18,
    mark: 20,
};
/// `IFLA_IPTUN_*`
const IPTUN: Numbers = Numbers {
    link: 1,
    local: 2,
    remote: 3,
    ttl: 4,
    limit: 6,
    flow: 7,
    flags: 8,
    encap_type: 15,
    encap_flags: 16,
    encap_source: 17,
    encap_destination: 18,
    external: 19,
    mark: 20,
};
const IPTUN_PROTO: u16 = 9;

/// `IP6_TNL_F_*`
const IGNORE_ENCAP_LIMIT: u32 = 0x1;
const INNER_TRAFFIC_CLASS: u32 = 0x2;
const INNER_FLOW_LABEL: u32 = 0x4;
const MIP6: u32 = 0x8;
const COPY_DSCP: u32 = 0x10;
const INNER_MARK: u32 = 0x20;
const LOCAL_REMOTE: u32 = 0x40;

const TRAFFIC_CLASS: u32 = 0x0ff0_0000;
const FLOW_LABEL: u32 = 0x000f_ffff;
/// `TUNNEL_ENCAP_FLAG_CSUM6`
const ENCAP_CHECKSUM_6: u16 = 2;
const HOP_LIMIT: u8 = 64;
/// `IPV6_DEFAULT_TNL_ENCAP_LIMIT`
const ENCAP_LIMIT: u8 = 4;

fn is_gre(kind: &str) -> bool {
    kind != "ip6tnl"
}

fn numbers(kind: &str) -> &'static Numbers {
    if is_gre(kind) { &GRE } else { &IPTUN }
}

/// What the words come to.
struct Tunnel {
    local: Ipv6Addr,
    remote: Ipv6Addr,
    link: u32,
    hop_limit: u8,
    encap_limit: u8,
    flow: u32,
    flags: u32,
    mark: u32,
    protocol: u8,
    external: bool,
    gre: GreWords,
}

impl Tunnel {
    fn new() -> Tunnel {
        Tunnel {
            local: Ipv6Addr::UNSPECIFIED,
            remote: Ipv6Addr::UNSPECIFIED,
            link: 0,
            hop_limit: HOP_LIMIT,
            encap_limit: ENCAP_LIMIT,
            flow: 0,
            flags: 0,
            mark: 0,
            protocol: 0,
            external: false,
            gre: GreWords::default(),
        }
    }

    /// What a link says of itself.
    fn of(kind: &str, raw: &Raw) -> Tunnel {
        let numbers = numbers(kind);
        let new = Tunnel::new();
        Tunnel {
            local: raw.get_ipv6(numbers.local).unwrap_or(new.local),
            remote: raw.get_ipv6(numbers.remote).unwrap_or(new.remote),
            link: raw.get_u32(numbers.link).unwrap_or(0),
            hop_limit: raw.get_u8(numbers.ttl).unwrap_or(HOP_LIMIT),
            encap_limit: raw.get_u8(numbers.limit).unwrap_or(ENCAP_LIMIT),
            flow: raw.get_be32(numbers.flow).unwrap_or(0),
            flags: raw.get_u32(numbers.flags).unwrap_or(0),
            mark: raw.get_u32(numbers.mark).unwrap_or(0),
            protocol: raw.get_u8(IPTUN_PROTO).filter(|_| !is_gre(kind)).unwrap_or(0),
            external: raw.get(numbers.external).is_some(),
            gre: if is_gre(kind) { GreWords::of(raw) } else { GreWords::default() },
        }
    }

    fn into_raw(self, kind: &str) -> Raw {
        let numbers = numbers(kind);
        let mut raw = Raw::default();
        if !is_gre(kind) {
            raw.u8(IPTUN_PROTO, self.protocol);
        }
        if self.external {
            raw.bytes(numbers.external, &[]);
            return raw;
        }
        if is_gre(kind) {
            self.gre.write(&mut raw);
        }
        raw.bytes(numbers.local, &self.local.octets());
        raw.bytes(numbers.remote, &self.remote.octets());
        if self.link != 0 || !is_gre(kind) {
            raw.u32(numbers.link, self.link);
        }
        raw.u8(numbers.ttl, self.hop_limit);
        raw.u8(numbers.limit, self.encap_limit);
        raw.be32(numbers.flow, self.flow);
        raw.u32(numbers.flags, self.flags);
        raw.u32(numbers.mark, self.mark);
        raw.bytes(numbers.encap_type, &0_u16.to_ne_bytes());
        raw.bytes(numbers.encap_flags, &ENCAP_CHECKSUM_6.to_ne_bytes());
        raw.be16(numbers.encap_source, 0);
        raw.be16(numbers.encap_destination, 0);
        raw
    }

    fn set_flag(&mut self, flag: u32, on: bool) {
        self.flags = if on { self.flags | flag } else { self.flags & !flag };
    }
}

/// An IPv6 address; `any` is none.
fn end(word: &str) -> Result<Ipv6Addr, Stop> {
    match get_addr(word, AF_INET6)?.address {
        Some(IpAddr::V6(address)) => Ok(address),
        _ => Ok(Ipv6Addr::UNSPECIFIED),
    }
}

fn byte(word: &str, base: u32, text: &str) -> Result<u8, Stop> {
    let number = get_u32(word, base).and_then(|number| u8::try_from(number).ok());
    number.ok_or_else(|| Stop::invarg(text, word))
}

/// Reads the arguments behind `type KIND`.
pub(super) fn parse(
    context: &mut Context<'_>,
    kind: &str,
    args: &mut Args<'_>,
    existing: Option<u32>,
) -> Result<InfoData, Stop> {
    let mut tunnel = match existing {
        Some(index) => Tunnel::of(kind, &Raw::of(&existing_data(context, index)?)),
        None => Tunnel::new(),
    };
    let gre = is_gre(kind);
    let mut erspan = Erspan::default();
    while let Some(word) = args.take() {
        let is = |name| if gre { matches(word, name) } else { word == name };
        if gre && gre_word(&mut tunnel.gre, word, args)? {
            continue;
        }
        if !gre && word == "mode" {
            let word = args.value()?;
            tunnel.protocol = match word {
                "ipv6/ipv6" | "ip6ip6" => 41,
                "ip/ipv6" | "ipv4/ipv6" | "ipip6" | "ip4ip6" => 4,
                "any/ipv6" | "any" => 0,
                word => return Err(Stop::invarg("Cannot guess tunnel mode.", word)),
            };
        } else if is("remote") {
            tunnel.remote = end(args.value()?)?;
        } else if is("local") {
            tunnel.local = end(args.value()?)?;
        } else if matches(word, "dev") {
            let name = args.value()?;
            tunnel.link = match context.link_index(name) {
                0 => return Err(Stop { code: 255, exit: true, ..Stop::no_device(name) }),
                index => index,
            };
        } else if is("ttl") || is("hoplimit") || is("hlim") {
            tunnel.hop_limit = match args.value()? {
                "inherit" => 0,
                word => byte(word, 0, "invalid HLIM\n")?,
            };
        } else if word == "encaplimit" {
            let word = args.value()?;
            tunnel.set_flag(IGNORE_ENCAP_LIMIT, word == "none");
            if word != "none" {
                tunnel.encap_limit = byte(word, 0, "invalid ELIM")?;
            }
        } else if is("tclass") || word == "tc" || is("tos") || matches(word, "dsfield") {
            let word = args.value()?;
            tunnel.flow &= !TRAFFIC_CLASS;
            tunnel.set_flag(INNER_TRAFFIC_CLASS, word == "inherit");
            if word != "inherit" {
                tunnel.flow |= u32::from(byte(word, 16, "invalid TClass")?) << 20;
            }
        } else if word == "flowlabel" || word == "fl" {
            let word = args.value()?;
            tunnel.flow &= !FLOW_LABEL;
            tunnel.set_flag(INNER_FLOW_LABEL, word == "inherit");
            if word != "inherit" {
                let label = get_u32(word, 16).filter(|label| *label <= FLOW_LABEL);
                tunnel.flow |= label.ok_or_else(|| Stop::invarg("invalid Flowlabel", word))?;
            }
        } else if word == "dscp" {
            match args.value()? {
                "inherit" => tunnel.set_flag(COPY_DSCP, true),
                word => return Err(Stop::invarg("not inherit", word)),
            }
        } else if word == "fwmark" {
            let word = args.value()?;
            tunnel.set_flag(INNER_MARK, word == "inherit");
            tunnel.mark = match word {
                "inherit" => 0,
                word => get_u32(word, 0).ok_or_else(|| Stop::invarg("invalid fwmark\n", word))?,
            };
        } else if word == "allow-localremote" || word == "noallow-localremote" {
            tunnel.set_flag(LOCAL_REMOTE, word == "allow-localremote");
        } else if word == "external" {
            tunnel.external = true;
        } else if word == "noencap" {
            // As it is without the word.
        } else if word.starts_with("encap") {
            return Err(Stop::fail(1, format!("{kind}: encap is not supported by hairpin yet\n")));
        } else if kind == "ip6erspan" && erspan.word(word, args)? {
            // Noted.
        } else {
            return Err(Stop::fail(1, help(kind).unwrap_or_default()));
        }
    }
    let mut raw = tunnel.into_raw(kind);
    if kind == "ip6erspan" {
        erspan.write(&mut raw);
    }
    Ok(raw.into_data())
}

/// Words that only GRE has. True if it was one.
fn gre_word(words: &mut GreWords, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
    let is = |name| matches(word, name);
    if is("key") {
        let key = parse_key("key", args.value()?)?;
        words.set_keys(Some(key), Some(key));
    } else if is("ikey") {
        words.set_keys(Some(parse_key("ikey", args.value()?)?), None);
    } else if is("okey") {
        words.set_keys(None, Some(parse_key("okey", args.value()?)?));
    } else {
        return Ok(words.flag_word(word));
    }
    Ok(true)
}

/// Prints the options of a link.
pub(super) fn print(context: &mut Context<'_>, kind: &str, data: &InfoData) {
    let raw = Raw::of(data);
    let numbers = numbers(kind);
    let tunnel = Tunnel::of(kind, &raw);
    if tunnel.external {
        context.print.any("external", true, format_args!("external "));
    }
    if !is_gre(kind) {
        let name = match tunnel.protocol {
            4 => Some("ipip6"),
            41 => Some("ip6ip6"),
            0 => Some("any"),
            _ => None,
        };
        if let Some(name) = name {
            context.print.any("proto", name, format_args!("{name} "));
        }
    }
    for (name, end) in [("remote", tunnel.remote), ("local", tunnel.local)] {
        let text = if end.is_unspecified() { "any".to_owned() } else { end.to_string() };
        context.print.any(name, &text, format_args!("{name} {text} "));
    }
    if tunnel.link != 0 {
        let name = context.link_name(tunnel.link);
        context.print.any("link", &name, format_args!("dev {name} "));
    }
    let print = &mut context.print;
    let hop_limit = raw.get_u8(numbers.ttl).unwrap_or(0);
    print.json("ttl", hop_limit);
    match hop_limit {
        0 => print.text(format_args!("hoplimit inherit ")),
        limit => print.text(format_args!("hoplimit {limit} ")),
    }
    let has = |flag| tunnel.flags & flag != 0;
    if has(IGNORE_ENCAP_LIMIT) {
        print.any("ip6_tnl_f_ign_encap_limit", true, format_args!("encaplimit none "));
    } else if let Some(limit) = raw.get_u8(numbers.limit) {
        print.any("encap_limit", limit, format_args!("encaplimit {limit} "));
    }
    let flow = raw.get_be32(numbers.flow);
    if has(INNER_TRAFFIC_CLASS) {
        print.any("ip6_tnl_f_use_orig_tclass", true, format_args!("tclass inherit "));
    } else if let Some(flow) = flow {
        let class = format!("{:#04x}", (flow & TRAFFIC_CLASS) >> 20);
        print.any("tclass", &class, format_args!("tclass {class} "));
    }
    if has(INNER_FLOW_LABEL) {
        print.any("ip6_tnl_f_use_orig_flowlabel", true, format_args!("flowlabel inherit "));
    } else if let Some(flow) = flow {
        let label = format!("{:#07x}", flow & FLOW_LABEL);
        print.any("flowlabel", &label, format_args!("flowlabel {label} "));
    }
    for (flag, key, text) in [
        (COPY_DSCP, "ip6_tnl_f_rcv_dscp_copy", "dscp inherit "),
        (MIP6, "ip6_tnl_f_mip6_dev", "mip6 "),
        (LOCAL_REMOTE, "ip6_tnl_f_allow_local_remote", "allow-localremote "),
    ] {
        if has(flag) && (flag != MIP6 || !is_gre(kind)) {
            print.any(key, true, format_args!("{text}"));
        }
    }
    if is_gre(kind) {
        tunnel.gre.print(print);
    }
    if has(INNER_MARK) {
        print.any("ip6_tnl_f_use_orig_fwmark", true, format_args!("fwmark inherit "));
    } else if tunnel.mark != 0 {
        let mark = format!("{:#x}", tunnel.mark);
        print.any("fwmark", &mark, format_args!("fwmark {mark} "));
    }
}
