//! `type vxlan`

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hairpin_netlink::route::link::{InfoVxlan, VxlanDf};

use super::help;
use crate::iproute2::inet::{AF_INET, AF_INET6, AF_UNSPEC, format_host, get_addr};
use crate::iproute2::names::Table;
use crate::iproute2::number::{get_u16, get_u32};
use crate::iproute2::{Args, Context, Stop, find, matches};

/// The largest network identifier and one.
const VNI_END: u32 = 1 << 24;
const LABEL_MAX: u32 = 0xf_ffff;
/// The port of VXLAN with the generic protocol extension.
const GPE_PORT: u16 = 4790;

const NO_PORT: &str = "vxlan: destination port not specified\n\
    Will use Linux kernel default (non-standard value)\n\
    Use 'dstport 4789' to get the IANA assigned value\n\
    Use 'dstport 0' to get default and quiet this message\n";

type Switch = fn(bool) -> InfoVxlan;

/// `WORD` and `noWORD`, which JSON key and whether the text names the value `false` too.
const SWITCHES: &[(&str, Switch)] = &[
    ("proxy", InfoVxlan::Proxy),
    ("rsc", InfoVxlan::Rsc),
    ("l2miss", InfoVxlan::L2Miss),
    ("l3miss", InfoVxlan::L3Miss),
    ("udpcsum", InfoVxlan::UDPCsum),
    ("udp6zerocsumtx", InfoVxlan::UDPZeroCsumTX),
    ("udp6zerocsumrx", InfoVxlan::UDPZeroCsumRX),
    ("remcsumtx", InfoVxlan::RemCsumTX),
    ("remcsumrx", InfoVxlan::RemCsumRX),
];

/// The arguments read so far.
#[derive(Default)]
struct Parser {
    options: Vec<InfoVxlan>,
    /// Keywords that have been given.
    seen: BTreeSet<&'static str>,
    id: Option<u32>,
    local: Option<IpAddr>,
    remote: Option<IpAddr>,
    learning: Option<bool>,
    external: bool,
    port: Option<u16>,
}

pub(super) fn parse(
    context: &mut Context<'_>,
    args: &mut Args<'_>,
    create: bool,
) -> Result<Vec<InfoVxlan>, Stop> {
    let mut parser = Parser::default();
    while let Some(word) = args.take() {
        if parser.address(word, args)? || parser.value(context, word, args)? || parser.switch(word)? {
            continue;
        }
        let text = help("vxlan").unwrap_or_default();
        return Err(if matches(word, "help") {
            Stop::fail(1, text)
        } else {
            Stop::fail(1, format!("vxlan: unknown command \"{word}\"?\n{text}"))
        });
    }
    parser.finish(context, create)
}

impl Parser {
    /// Notes a keyword; `word` is what a second one is reported with.
    fn once(&mut self, key: &'static str, shown: &str, word: &str) -> Result<(), Stop> {
        if self.seen.insert(key) { Ok(()) } else { Err(Stop::duparg2(shown, word)) }
    }

    /// `id`, `group`, `remote`, `local`
    fn address(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        let is = |name| matches(word, name);
        let family = |address: Option<IpAddr>| match address {
            Some(IpAddr::V4(_)) => AF_INET,
            Some(IpAddr::V6(_)) => AF_INET6,
            None => AF_UNSPEC,
        };
        let both = || Stop::fail(1, "vxlan: both group and remote cannot be specified\n");
        let plain = |address: &IpAddr| !address.is_multicast() && !address.is_unspecified();
        if is("id") || is("vni") {
            let word = args.value()?;
            self.once("id", "id", word)?;
            let id = get_u32(word, 0).filter(|id| *id < VNI_END);
            self.id = Some(id.ok_or_else(|| Stop::invarg("invalid id", word))?);
        } else if is("group") {
            if self.remote.is_some_and(|address| !address.is_multicast()) {
                return Err(both());
            }
            let word = args.value()?;
            self.once("group", "group", word)?;
            let address = get_addr(word, family(self.local))?.address.filter(IpAddr::is_multicast);
            self.remote = Some(address.ok_or_else(|| Stop::invarg("invalid group address", word))?);
        } else if is("remote") {
            if self.remote.is_some_and(|address| address.is_multicast()) {
                return Err(both());
            }
            let word = args.value()?;
            self.once("group", "remote", word)?;
            let address = get_addr(word, family(self.local))?.address.filter(|a| !a.is_multicast());
            self.remote = Some(address.ok_or_else(|| Stop::invarg("invalid remote address", word))?);
        } else if is("local") {
            let word = args.value()?;
            self.once("local", "local", word)?;
            let address = get_addr(word, family(self.remote))?.address.filter(|a| !a.is_multicast());
            self.local = Some(address.ok_or_else(|| Stop::invarg("invalid local address", word))?);
            self.local = self.local.filter(plain);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Keywords with a value.
    fn value(&mut self, context: &mut Context<'_>, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        let is = |name| matches(word, name);
        if is("dev") {
            let word = args.value()?;
            self.once("dev", "dev", word)?;
            match context.link_index(word) {
                0 => return Err(Stop { code: 255, exit: true, ..Stop::no_device(word) }),
                index => self.options.push(InfoVxlan::Link(index)),
            }
        } else if is("ttl") || is("hoplimit") {
            let word = args.value()?;
            self.once("ttl", "ttl", word)?;
            self.options.push(match word {
                "inherit" => InfoVxlan::TtlInheritFlag,
                "auto" => InfoVxlan::Ttl(0),
                word => {
                    let ttl = get_u32(word, 0).ok_or_else(|| Stop::invarg("invalid TTL", word))?;
                    let ttl = u8::try_from(ttl).map_err(|_| Stop::invarg("TTL must be <= 255", word))?;
                    InfoVxlan::Ttl(ttl)
                }
            });
        } else if is("tos") || is("dsfield") {
            let word = args.value()?;
            self.once("tos", "tos", word)?;
            let tos = match word {
                "inherit" => Some(1),
                word => context.id_of(Table::DsField, word),
            };
            let tos = tos.ok_or_else(|| Stop::invarg("bad TOS value", word))?;
            self.options.push(InfoVxlan::Tos(tos as u8));
        } else if is("df") {
            let word = args.value()?;
            self.once("df", "df", word)?;
            self.options.push(InfoVxlan::Df(match word {
                "unset" => VxlanDf::Unset,
                "set" => VxlanDf::Set,
                "inherit" => VxlanDf::Inherit,
                word => return Err(Stop::invarg("DF must be 'unset', 'set' or 'inherit'", word)),
            }));
        } else if is("label") || is("flowlabel") {
            let word = args.value()?;
            self.once("label", "flowlabel", word)?;
            let label = get_u32(word, 0).filter(|label| *label <= LABEL_MAX);
            let label = label.ok_or_else(|| Stop::invarg("invalid flowlabel", word))?;
            self.options.push(InfoVxlan::Label(label));
        } else if is("ageing") {
            let word = args.value()?;
            self.once("ageing", "ageing", word)?;
            let age = if word == "none" { Some(0) } else { get_u32(word, 0) };
            let age = age.ok_or_else(|| Stop::invarg("ageing timer", word))?;
            self.options.push(InfoVxlan::Ageing(age));
        } else if is("maxaddress") {
            let word = args.value()?;
            self.once("maxaddress", "maxaddress", word)?;
            let limit = if word == "unlimited" { Some(0) } else { get_u32(word, 0) };
            let limit = limit.ok_or_else(|| Stop::invarg("max addresses", word))?;
            self.options.push(InfoVxlan::Limit(limit));
        } else if is("port") || is("srcport") {
            let word = args.value()?;
            self.once("srcport", "srcport", word)?;
            let low = get_u16(word, 0).ok_or_else(|| Stop::invarg("min port", word))?;
            let word = args.value()?;
            let high = get_u16(word, 0).ok_or_else(|| Stop::invarg("max port", word))?;
            if low != 0 || high != 0 {
                self.options.push(InfoVxlan::PortRange((low, high)));
            }
        } else if is("dstport") {
            let word = args.value()?;
            self.once("dstport", "dstport", word)?;
            self.port = Some(get_u16(word, 0).ok_or_else(|| Stop::invarg("dst port", word))?);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Keywords without a value.
    fn switch(&mut self, word: &str) -> Result<bool, Stop> {
        let is = |name| matches(word, name);
        if is("nolearning") || is("learning") {
            self.once("learning", word, word)?;
            self.learning = Some(is("learning"));
            return Ok(true);
        }
        for (name, make) in SWITCHES {
            let on = is(name);
            if on || word.strip_prefix("no").is_some_and(|rest| matches(rest, name)) {
                self.once(name, word, word)?;
                self.options.push(make(on));
                return Ok(true);
            }
        }
        if is("external") || is("noexternal") {
            self.once("external", word, word)?;
            self.external = is("external");
            self.options.push(InfoVxlan::CollectMetadata(self.external));
        } else if is("gbp") {
            self.once("gbp", word, word)?;
            self.options.push(InfoVxlan::Gbp);
        } else if is("gpe") {
            self.once("gpe", word, word)?;
            self.options.push(InfoVxlan::Gpe);
        } else if word == "vnifilter" || word == "novnifilter" {
            self.once("vnifilter", word, word)?;
            self.options.push(InfoVxlan::Vnifilter(word == "vnifilter"));
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// What can only be said when every word is known.
    fn finish(mut self, context: &mut Context<'_>, create: bool) -> Result<Vec<InfoVxlan>, Stop> {
        let filters = find!(self.options, InfoVxlan::Vnifilter) == Some(&true);
        if filters && !self.external {
            return Err(Stop::fail(1, "vxlan: vnifilter is valid only when 'external' is set\n"));
        }
        if self.external && self.id.is_some() {
            return Err(Stop::fail(1, "vxlan: both 'external' and vni cannot be specified\n"));
        }
        if !self.external && !filters && self.id.is_none() && create {
            return Err(Stop::fail(1, "vxlan: missing virtual network identifier\n"));
        }
        if self.remote.is_some_and(|address| address.is_multicast()) && !self.seen.contains("dev") {
            return Err(Stop::fail(1, "vxlan: 'group' requires 'dev' to be specified\n"));
        }
        let mut port = self.port.unwrap_or(0);
        if self.port.is_none() && self.seen.contains("gpe") {
            port = GPE_PORT;
        } else if self.port.is_none() && create {
            context.complain(NO_PORT);
        }
        let options = &mut self.options;
        options.extend(self.id.map(InfoVxlan::Id));
        options.extend(self.local.map(|address| match address {
            IpAddr::V4(address) => InfoVxlan::Local(address),
            IpAddr::V6(address) => InfoVxlan::Local6(address),
        }));
        options.extend(self.remote.map(|address| match address {
            IpAddr::V4(address) => InfoVxlan::Group(address),
            IpAddr::V6(address) => InfoVxlan::Group6(address),
        }));
        if self.local.is_none() && self.remote.is_none() {
            match context.options.family {
                AF_INET => options.push(InfoVxlan::Group(Ipv4Addr::UNSPECIFIED)),
                AF_INET6 => options.push(InfoVxlan::Group6(Ipv6Addr::UNSPECIFIED)),
                _ => {}
            }
        }
        if create || self.learning.is_some() {
            // A link that takes its tunnels from routes does not learn.
            options.push(InfoVxlan::Learning(!self.external && self.learning.unwrap_or(true)));
        }
        if port != 0 {
            options.push(InfoVxlan::Port(port));
        }
        Ok(self.options)
    }
}

pub(super) fn print(context: &mut Context<'_>, options: &[InfoVxlan]) {
    let print = &mut context.print;
    if find!(options, InfoVxlan::CollectMetadata) == Some(&true) {
        print.any("external", true, format_args!("external "));
    }
    if find!(options, InfoVxlan::Vnifilter) == Some(&true) {
        print.any("vnifilter", true, format_args!("vnifilter"));
    }
    if let Some(id) = find!(options, InfoVxlan::Id) {
        print.any("id", *id, format_args!("id {id} "));
    }
    let group = find!(options, InfoVxlan::Group).copied().map(IpAddr::V4);
    let group6 = find!(options, InfoVxlan::Group6).copied().map(IpAddr::V6);
    let suffix = |address: &IpAddr| if address.is_ipv6() { "6" } else { "" };
    if let Some(address) = group.or(group6).filter(|address| !address.is_unspecified()) {
        let word = if address.is_multicast() { "group" } else { "remote" };
        let text = format_host(address);
        print.any(&format!("{word}{}", suffix(&address)), &text, format_args!("{word} {text} "));
    }
    let local = find!(options, InfoVxlan::Local).copied().map(IpAddr::V4);
    let local6 = find!(options, InfoVxlan::Local6).copied().map(IpAddr::V6);
    if let Some(address) = local.or(local6).filter(|address| !address.is_unspecified()) {
        let text = format_host(address);
        print.any(&format!("local{}", suffix(&address)), &text, format_args!("local {text} "));
    }
    if let Some(link) = find!(options, InfoVxlan::Link).filter(|link| **link != 0) {
        let name = context.link_name(*link);
        context.print.any("link", &name, format_args!("dev {name} "));
    }
    print_ports(context, options);
    print_switches(context, options);
    print_header_fields(context, options);
    print_limits(context, options);
}

fn print_ports(context: &mut Context<'_>, options: &[InfoVxlan]) {
    let print = &mut context.print;
    if let Some((low, high)) = find!(options, InfoVxlan::PortRange) {
        print.open_object(Some("port_range"));
        print.json("low", *low);
        print.json("high", *high);
        print.close_object();
        print.text(format_args!("srcport {low} {high} "));
    }
    if let Some(port) = find!(options, InfoVxlan::Port) {
        print.any("port", *port, format_args!("dstport {port} "));
    }
}

fn print_switches(context: &mut Context<'_>, options: &[InfoVxlan]) {
    let print = &mut context.print;
    if let Some(learning) = find!(options, InfoVxlan::Learning) {
        print.json("learning", *learning);
        if !learning {
            print.text(format_args!("nolearning "));
        }
    }
    for (key, value) in [
        ("proxy", find!(options, InfoVxlan::Proxy)),
        ("rsc", find!(options, InfoVxlan::Rsc)),
        ("l2miss", find!(options, InfoVxlan::L2Miss)),
        ("l3miss", find!(options, InfoVxlan::L3Miss)),
    ] {
        if value == Some(&true) {
            print.any(key, true, format_args!("{key} "));
        }
    }
}

fn print_header_fields(context: &mut Context<'_>, options: &[InfoVxlan]) {
    let print = &mut context.print;
    if let Some(tos) = find!(options, InfoVxlan::Tos).filter(|tos| **tos != 0) {
        let hex = format!("{tos:#x}");
        print.json("tos", &hex);
        let shown = if *tos == 1 { "inherit" } else { &hex };
        print.text(format_args!("tos {shown} "));
    }
    let inherits = matches!(find!(options, InfoVxlan::TtlInherit), Some(value) if *value != 0);
    if inherits {
        print.text(format_args!("ttl inherit "));
    } else if let Some(ttl) = find!(options, InfoVxlan::Ttl) {
        print.json("ttl", *ttl);
        let shown = if *ttl == 0 { "auto".to_owned() } else { ttl.to_string() };
        print.text(format_args!("ttl {shown} "));
    }
    match find!(options, InfoVxlan::Df) {
        Some(VxlanDf::Unset) => print.json("df", "unset"),
        Some(VxlanDf::Set) => print.any("df", "set", format_args!("df set ")),
        Some(VxlanDf::Inherit) => print.any("df", "inherit", format_args!("df inherit ")),
        _ => {}
    }
    if let Some(label) = find!(options, InfoVxlan::Label).filter(|label| **label != 0) {
        let hex = format!("{label:#x}");
        print.any("label", &hex, format_args!("flowlabel {hex} "));
    }
}

fn print_limits(context: &mut Context<'_>, options: &[InfoVxlan]) {
    let print = &mut context.print;
    if let Some(age) = find!(options, InfoVxlan::Ageing) {
        let shown = if *age == 0 { "none".to_owned() } else { age.to_string() };
        print.any("ageing", *age, format_args!("ageing {shown} "));
    }
    if let Some(limit) = find!(options, InfoVxlan::Limit).filter(|limit| **limit != 0) {
        print.any("limit", *limit, format_args!("maxaddr {limit} "));
    }
    for (key, word, value) in [
        ("udp_csum", "udpcsum", find!(options, InfoVxlan::UDPCsum)),
        ("udp_zero_csum6_tx", "udp6zerocsumtx", find!(options, InfoVxlan::UDPZeroCsumTX)),
        ("udp_zero_csum6_rx", "udp6zerocsumrx", find!(options, InfoVxlan::UDPZeroCsumRX)),
    ] {
        if let Some(value) = value {
            print.any(key, *value, format_args!("{}{word} ", if *value { "" } else { "no" }));
        }
    }
    for (key, word, value) in [
        ("remcsum_tx", "remcsumtx", find!(options, InfoVxlan::RemCsumTX)),
        ("remcsum_rx", "remcsumrx", find!(options, InfoVxlan::RemCsumRX)),
    ] {
        if value == Some(&true) {
            print.any(key, true, format_args!("{word} "));
        }
    }
    for option in options {
        match option {
            InfoVxlan::Gbp => print.any("gbp", true, format_args!("gbp ")),
            InfoVxlan::Gpe => print.any("gpe", true, format_args!("gpe ")),
            _ => {}
        }
    }
}
