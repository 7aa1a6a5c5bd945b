//! How sets are printed: for people, as commands that make them again, as XML.

use std::fmt::Write as _;
use std::net::IpAddr;

use hairpin_netlink::netfilter::Family;
use hairpin_netlink::netfilter::ipset::{Dimension, Element, Part, Set, SetOptions, SetType, Storage};

use super::parse::{ICMP, ICMPV6};
use crate::iptables::names::PROTOCOLS;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Form {
    #[default]
    Plain,
    Save,
    Xml,
}

/// What `-o`, `-s`, `-n` and `-t` ask for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Output {
    pub form: Form,
    pub sorted: bool,
    pub names: bool,
    pub terse: bool,
}

pub(super) fn sets(sets: &[Set], output: &Output) -> String {
    let mut text = String::new();
    if output.form == Form::Xml {
        text.push_str("<ipsets>\n");
    }
    for (at, set) in sets.iter().enumerate() {
        match (output.form, output.names) {
            (Form::Xml, true) => drop(writeln!(text, "<ipset name=\"{}\"/>", set.name)),
            (_, true) => drop(writeln!(text, "{}", set.name)),
            (Form::Plain, _) => plain(&mut text, set, at > 0, output),
            (Form::Save, _) => save(&mut text, set, output),
            (Form::Xml, _) => xml(&mut text, set, output),
        }
    }
    if output.form == Form::Xml {
        text.push_str("</ipsets>\n");
    }
    text
}

fn plain(text: &mut String, set: &Set, follows: bool, output: &Output) {
    let revision = SetType::by_name(&set.kind).map_or(0, |kind| kind.revision);
    if follows {
        text.push('\n');
    }
    let header = header(set).iter().map(|(name, value)| joined(name, value)).collect::<Vec<_>>().join(" ");
    let _ = write!(
        text,
        "Name: {}\nType: {}\nRevision: {revision}\nHeader: {header}\nSize in memory: {}\nReferences: {}\n\
         Number of entries: {}\n",
        set.name,
        set.kind,
        set.memory,
        set.references,
        set.elements.len()
    );
    if output.terse {
        return;
    }
    text.push_str("Members:\n");
    for element in elements(set, output) {
        let _ = writeln!(text, "{}{}", shown(set, element), extras(element));
    }
}

fn save(text: &mut String, set: &Set, output: &Output) {
    let header: String =
        header(set).iter().map(|(name, value)| " ".to_owned() + &joined(name, value)).collect();
    let _ = writeln!(text, "create {} {}{header}", set.name, set.kind);
    if output.terse {
        return;
    }
    for element in elements(set, output) {
        let _ = writeln!(text, "add {} {}{}", set.name, shown(set, element), extras(element));
    }
}

fn xml(text: &mut String, set: &Set, output: &Output) {
    let revision = SetType::by_name(&set.kind).map_or(0, |kind| kind.revision);
    let header: String = header(set)
        .iter()
        .map(|(name, value)| match value.is_empty() {
            true => format!("<{name}/>"),
            false => format!("<{name}>{value}</{name}>"),
        })
        .collect();
    let _ = write!(
        text,
        "<ipset name=\"{}\">\n<type>{}</type>\n<revision>{revision}</revision>\n<header>{header}\n\
         <memsize>{}</memsize>\n<references>{}</references>\n<numentries>{}</numentries>\n</header>\n",
        set.name,
        set.kind,
        set.memory,
        set.references,
        set.elements.len()
    );
    if !output.terse {
        text.push_str("<members>\n");
        for element in elements(set, output) {
            let _ = write!(text, "<member><elem>{}</elem>", shown(set, element));
            if let Some(seconds) = element.timeout_s {
                let _ = write!(text, "<timeout>{seconds}</timeout>");
            }
            if let Some((packets, bytes)) = element.counters {
                let _ = write!(text, "<packets>{packets}</packets><bytes>{bytes}</bytes>");
            }
            if let Some(comment) = &element.comment {
                let _ = write!(text, "<comment>\"{comment}\"</comment>");
            }
            if element.nomatch {
                text.push_str("<nomatch/>");
            }
            text.push_str("</member>\n");
        }
        text.push_str("</members>\n");
    }
    text.push_str("</ipset>\n");
}

fn joined(name: &str, value: &str) -> String {
    if value.is_empty() { name.to_owned() } else { format!("{name} {value}") }
}

/// The options of `create` in the order in which they are printed.
fn header(set: &Set) -> Vec<(&'static str, String)> {
    let SetOptions { family, range, hash_size, elements_max, bucket_size, initial, .. } = &set.options;
    let Some(kind) = SetType::by_name(&set.kind) else { return Vec::new() };
    let options = &set.options;
    let mut header: Vec<(&'static str, String)> = Vec::new();
    if kind.has_family() {
        let name = if *family == Family::Ipv4 { "inet" } else { "inet6" };
        header.push(("family", name.to_owned()));
    }
    if kind.dimensions.contains(&Dimension::Mark)
        && let Some(mask) = options.mark_mask
    {
        header.push(("markmask", format!("0x{mask:08x}")));
    }
    match kind.storage {
        Storage::Hash => {
            header.push(("hashsize", hash_size.to_string()));
            header.push(("maxelem", elements_max.to_string()));
        }
        Storage::Bitmap => {
            if let Some((first, last)) = range {
                let shown = |part: &Part| match part {
                    Part::Port(_, port) => port.to_string(),
                    Part::Ip(address) => address.to_string(),
                    _ => String::new(),
                };
                header.push(("range", format!("{}-{}", shown(first), shown(last))));
            }
        }
        Storage::List => header.push(("size", options.size.to_string())),
    }
    if let Some(netmask) = options.netmask {
        header.push(("netmask", netmask.to_string()));
    }
    if let Some(seconds) = options.timeout_s {
        header.push(("timeout", seconds.to_string()));
    }
    let flags = [
        (options.counters, "counters"),
        (options.comment, "comment"),
        (options.skbinfo, "skbinfo"),
        (options.force_add, "forceadd"),
    ];
    header.extend(flags.into_iter().filter(|(on, _)| *on).map(|(_, name)| (name, String::new())));
    if kind.storage == Storage::Hash {
        header.push(("bucketsize", bucket_size.to_string()));
        header.push(("initval", format!("0x{initial:08x}")));
    }
    header
}

fn elements<'a>(set: &'a Set, output: &Output) -> Vec<&'a Element> {
    let mut all: Vec<&Element> = set.elements.iter().collect();
    if output.sorted && set.kind != "list:set" {
        all.sort_by_key(|element| element.parts.iter().map(rank).collect::<Vec<_>>());
    }
    all
}

/// The order of sorted output (`bitmap_ip_sort` and the like).
fn rank(part: &Part) -> (u128, u128, String) {
    let value = |address: &IpAddr| match address {
        IpAddr::V4(address) => u128::from(u32::from(*address)),
        IpAddr::V6(address) => u128::from(*address),
    };
    match part {
        Part::Ip(address) => (value(address), 0, String::new()),
        Part::Net(address, prefix) => (value(address), u128::from(*prefix), String::new()),
        Part::Port(protocol, port) => (u128::from(*protocol), u128::from(*port), String::new()),
        Part::Mac(mac) => (0, 0, format!("{mac:02x?}")),
        Part::Interface { name, .. } | Part::Set(name) => (0, 0, name.clone()),
        Part::Mark(mark) => (u128::from(*mark), 0, String::new()),
    }
}

fn shown(set: &Set, element: &Element) -> String {
    element.parts.iter().map(|part| shown_part(set, part)).collect::<Vec<_>>().join(",")
}

fn shown_part(set: &Set, part: &Part) -> String {
    match part {
        Part::Ip(address) => address.to_string(),
        Part::Net(address, prefix) if *prefix == if address.is_ipv4() { 32 } else { 128 } => {
            address.to_string()
        }
        Part::Net(address, prefix) => format!("{address}/{prefix}"),
        Part::Port(0, port) if set.kind == "bitmap:port" => port.to_string(),
        Part::Port(protocol @ (1 | 58), port) => {
            let (name, table) = if *protocol == 1 { ("icmp", ICMP) } else { ("ipv6-icmp", ICMPV6) };
            let [kind, code] = port.to_be_bytes();
            match table.iter().find(|(_, k, c)| (*k, *c) == (kind, code)) {
                Some((message, ..)) => format!("{name}:{message}"),
                None => format!("{name}:{kind}/{code}"),
            }
        }
        Part::Port(protocol, port) => {
            let known = PROTOCOLS.iter().find(|(_, number)| number == protocol);
            match known {
                Some((name, _)) => format!("{name}:{port}"),
                None => format!("{protocol}:{port}"),
            }
        }
        Part::Mac(mac) => mac.map(|byte| format!("{byte:02X}")).join(":"),
        Part::Interface { name, physical: true } => format!("physdev:{name}"),
        Part::Interface { name, .. } | Part::Set(name) => name.clone(),
        Part::Mark(mark) => format!("0x{mark:08x}"),
    }
}

fn extras(element: &Element) -> String {
    let mut text = String::new();
    if let Some(seconds) = element.timeout_s {
        let _ = write!(text, " timeout {seconds}");
    }
    if element.nomatch {
        text.push_str(" nomatch");
    }
    if let Some((packets, bytes)) = element.counters {
        let _ = write!(text, " packets {packets} bytes {bytes}");
    }
    if let Some(comment) = &element.comment {
        let _ = write!(text, " comment \"{comment}\"");
    }
    text
}
