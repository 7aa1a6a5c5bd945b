//! Options of sets and elements, and the elements themselves.

use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hairpin_netlink::netfilter::Family;
use hairpin_netlink::netfilter::ipset::{
    Dimension, Element, Part, Place, SetOptions, SetType, Storage, masked,
};

use super::Fail;
use crate::Shell;
use crate::iptables::names::PROTOCOLS;

/// Addresses that one command may name (`IPSET_MAX_RANGE`).
const RANGE_MAX: u128 = 1 << 14;

/// Messages of ICMP by name: type and code.
pub(super) const ICMP: &[(&str, u8, u8)] = &[
    ("echo-reply", 0, 0),
    ("pong", 0, 0),
    ("network-unreachable", 3, 0),
    ("host-unreachable", 3, 1),
    ("protocol-unreachable", 3, 2),
    ("port-unreachable", 3, 3),
    ("fragmentation-needed", 3, 4),
    ("source-route-failed", 3, 5),
    ("network-unknown", 3, 6),
    ("host-unknown", 3, 7),
    ("network-prohibited", 3, 9),
    ("host-prohibited", 3, 10),
    ("TOS-network-unreachable", 3, 11),
    ("TOS-host-unreachable", 3, 12),
    ("communication-prohibited", 3, 13),
    ("host-precedence-violation", 3, 14),
    ("precedence-cutoff", 3, 15),
    ("source-quench", 4, 0),
    ("network-redirect", 5, 0),
    ("host-redirect", 5, 1),
    ("TOS-network-redirect", 5, 2),
    ("TOS-host-redirect", 5, 3),
    ("echo-request", 8, 0),
    ("ping", 8, 0),
    ("router-advertisement", 9, 0),
    ("router-solicitation", 10, 0),
    ("ttl-zero-during-transit", 11, 0),
    ("ttl-zero-during-reassembly", 11, 1),
    ("ip-header-bad", 12, 0),
    ("required-option-missing", 12, 1),
    ("timestamp-request", 13, 0),
    ("timestamp-reply", 14, 0),
    ("address-mask-request", 17, 0),
    ("address-mask-reply", 18, 0),
];

/// Messages of ICMPv6 by name: type and code.
pub(super) const ICMPV6: &[(&str, u8, u8)] = &[
    ("no-route", 1, 0),
    ("communication-prohibited", 1, 1),
    ("address-unreachable", 1, 3),
    ("port-unreachable", 1, 4),
    ("packet-too-big", 2, 0),
    ("ttl-zero-during-transit", 3, 0),
    ("ttl-zero-during-reassembly", 3, 1),
    ("bad-header", 4, 0),
    ("unknown-header-type", 4, 1),
    ("unknown-option", 4, 2),
    ("echo-request", 128, 0),
    ("ping", 128, 0),
    ("echo-reply", 129, 0),
    ("pong", 129, 0),
    ("router-solicitation", 133, 0),
    ("router-advertisement", 134, 0),
    ("neighbour-solicitation", 135, 0),
    ("neigbour-solicitation", 135, 0),
    ("neighbour-advertisement", 136, 0),
    ("redirect", 137, 0),
];

/// Names of old for types.
pub(super) fn type_name(name: &str) -> &str {
    match name {
        "ipmap" => "bitmap:ip",
        "macipmap" => "bitmap:ip,mac",
        "portmap" => "bitmap:port",
        "iphash" => "hash:ip",
        "nethash" => "hash:net",
        "ipporthash" => "hash:ip,port",
        "ipportiphash" => "hash:ip,port,ip",
        "ipportnethash" => "hash:ip,port,net",
        "setlist" => "list:set",
        other => other,
    }
}

/// A line of `restore`, with words in quotes.
pub(super) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    words
}

/// The options of `create`, and whether `-exist` was among them.
pub(super) fn options(
    kind: &SetType,
    words: &[String],
    shell: &mut dyn Shell,
) -> Result<(SetOptions, bool), Fail> {
    let mut options = SetOptions::default();
    let mut range: Option<&str> = None;
    let mut words = words.iter();
    let hash = kind.storage == Storage::Hash;
    while let Some(word) = words.next() {
        let mut value = || {
            let missing = || Fail::usage(format!("Missing mandatory argument of option `{word}'"));
            words.next().map(String::as_str).ok_or_else(missing)
        };
        match word.as_str() {
            "family" | "-6" | "-4" if hash && kind.has_family() => {
                let name = if word == "family" { value()? } else { word.trim_start_matches('-') };
                options.family = match name {
                    "inet" | "ipv4" | "-4" | "4" => Family::Ipv4,
                    "inet6" | "ipv6" | "-6" | "6" => Family::Ipv6,
                    other => return Err(Fail::syntax(format_args!("unknown inet family {other}"))),
                };
            }
            "hashsize" if hash => {
                let size = number(value()?, 1, u64::from(u32::MAX))?;
                options.hash_size = (size.max(64) as u32).checked_next_power_of_two().unwrap_or(1 << 31);
            }
            "maxelem" if hash => options.elements_max = number(value()?, 0, u64::from(u32::MAX))? as u32,
            "bucketsize" if hash => {
                options.bucket_size = (number(value()?, 2, 14)? as u8).next_multiple_of(2)
            }
            "initval" if hash => options.initial = number(value()?, 0, u64::from(u32::MAX))? as u32,
            "netmask" if kind.dimensions == [Dimension::Ip] => {
                let most = if options.family == Family::Ipv4 { 32 } else { 128 };
                options.netmask = Some(number(value()?, 1, most)? as u8);
            }
            "markmask" if kind.dimensions.contains(&Dimension::Mark) => {
                options.mark_mask = Some(number(value()?, 1, u64::from(u32::MAX))? as u32);
            }
            "range" if kind.storage == Storage::Bitmap => range = Some(value()?),
            "size" if kind.storage == Storage::List => {
                options.size = (number(value()?, 0, u64::from(u32::MAX))? as u32).max(4);
            }
            "timeout" => options.timeout_s = Some(number(value()?, 0, 2_147_483)? as u32),
            "counters" => options.counters = true,
            "comment" => options.comment = true,
            "skbinfo" => options.skbinfo = true,
            "forceadd" if hash => options.force_add = true,
            other => return Err(Fail::usage(format!("Unknown argument: `{other}'"))),
        }
    }
    if kind.has_family() || kind.storage != Storage::Hash {
        options.mark_mask = options.mark_mask.filter(|mask| *mask != u32::MAX);
    }
    if kind.storage == Storage::Bitmap {
        let text = range.ok_or_else(|| Fail::usage("Mandatory option `range' is missing"))?;
        options.range = Some(bitmap_range(kind, text, shell)?);
    }
    Ok((options, false))
}

fn bitmap_range(kind: &SetType, text: &str, shell: &mut dyn Shell) -> Result<(Part, Part), Fail> {
    if kind.dimensions == [Dimension::Port] {
        let (low, high) = text.split_once('-').unwrap_or((text, text));
        let (low, high) = (port(low, "tcp", shell)?, port(high, "tcp", shell)?);
        return Ok((Part::Port(0, low.min(high)), Part::Port(0, high.max(low))));
    }
    if let Some((low, high)) = text.split_once('-') {
        return Ok((Part::Ip(address(low, Family::Ipv4)?), Part::Ip(address(high, Family::Ipv4)?)));
    }
    let (network, prefix) = network(text, Family::Ipv4)?;
    let first = masked(network, prefix);
    Ok((Part::Ip(first), Part::Ip(last_of(first, prefix))))
}

/// What follows an element: its template, and whether `-exist` was there.
pub(super) fn extras(kind: &SetType, command: &str, words: &[String]) -> Result<(Element, bool), Fail> {
    let mut element = Element::default();
    let mut words = words.iter();
    let adds = command == "add";
    while let Some(word) = words.next() {
        let mut value = || {
            let missing = || Fail::usage(format!("Missing mandatory argument of option `{word}'"));
            words.next().map(String::as_str).ok_or_else(missing)
        };
        match word.as_str() {
            "timeout" if adds => element.timeout_s = Some(number(value()?, 0, 2_147_483)? as u32),
            "packets" if adds => {
                let count = number(value()?, 0, u64::MAX)?;
                element.counters.get_or_insert_default().0 = count;
            }
            "bytes" if adds => {
                let count = number(value()?, 0, u64::MAX)?;
                element.counters.get_or_insert_default().1 = count;
            }
            "comment" if adds => {
                let text = value()?;
                if text.contains('"') {
                    return Err(Fail::syntax("\" character is not permitted in comments"));
                }
                element.comment = Some(text.to_owned());
            }
            "nomatch" if kind.has_nets() && command != "del" => element.nomatch = true,
            "before" if kind.storage == Storage::List => {
                element.beside = Some((Place::Before, value()?.to_owned()));
            }
            "after" if kind.storage == Storage::List => {
                element.beside = Some((Place::After, value()?.to_owned()));
            }
            other => return Err(Fail::usage(format!("Unknown argument: `{other}'"))),
        }
    }
    Ok((element, false))
}

/// The elements that a text names: more than one where it has ranges.
pub(super) fn element(
    kind: &SetType,
    options: &SetOptions,
    text: &str,
    shell: &mut dyn Shell,
) -> Result<Vec<Vec<Part>>, Fail> {
    let pieces: Vec<&str> = text.split(',').collect();
    let dimensions = kind.dimensions;
    if pieces.len() > dimensions.len() {
        return Err(match dimensions.len() {
            1 => Fail::syntax(format_args!(
                "Elem separator in {text}, but settype {} supports none.",
                kind.name
            )),
            _ => Fail::syntax(format_args!("Elem separator in {text}, but settype {} has fewer.", kind.name)),
        });
    }
    // Only the hardware address of bitmap:ip,mac may be left out.
    if pieces.len() < dimensions.len() && kind.name != "bitmap:ip,mac" {
        let which = if pieces.len() == 1 { "Second" } else { "Third" };
        return Err(Fail::syntax(format_args!("{which} element is missing from {text}.")));
    }
    let mut all: Vec<Vec<Part>> = vec![Vec::new()];
    for (piece, dimension) in pieces.iter().zip(dimensions) {
        let choices = part(kind, *dimension, options, piece, shell)?;
        if all.len() * choices.len() > RANGE_MAX as usize {
            return Err(too_many());
        }
        all = all
            .iter()
            .flat_map(|parts| {
                choices.iter().map(move |choice| [parts.as_slice(), std::slice::from_ref(choice)].concat())
            })
            .collect();
    }
    Ok(all)
}

fn too_many() -> Fail {
    Fail { text: "Kernel error received: Numerical result out of range".to_owned(), hint: false }
}

fn part(
    kind: &SetType,
    dimension: Dimension,
    options: &SetOptions,
    text: &str,
    shell: &mut dyn Shell,
) -> Result<Vec<Part>, Fail> {
    let family = options.family;
    Ok(match dimension {
        Dimension::Ip => addresses(text, family)?.into_iter().map(Part::Ip).collect(),
        Dimension::Net => networks(text, family)?,
        Dimension::Port => ports(kind, text, family, shell)?,
        Dimension::Mac => {
            let bytes: Option<Vec<u8>> =
                text.split(':').map(|byte| u8::from_str_radix(byte, 16).ok()).collect();
            let bytes: Option<[u8; 6]> = bytes.and_then(|bytes| bytes.try_into().ok());
            let bad = || Fail::syntax(format_args!("cannot parse '{text}' as ethernet address"));
            vec![Part::Mac(bytes.ok_or_else(bad)?)]
        }
        Dimension::Interface => {
            let (name, physical) = match text.strip_prefix("physdev:") {
                Some(name) => (name, true),
                None => (text, false),
            };
            if name.len() > 15 {
                return Err(Fail::syntax(format_args!(
                    "interface name '{name}' is longer than 15 characters"
                )));
            }
            vec![Part::Interface { name: name.to_owned(), physical }]
        }
        Dimension::Mark => vec![Part::Mark(number(text, 0, u64::from(u32::MAX))? as u32)],
        Dimension::Set => vec![Part::Set(text.to_owned())],
    })
}

fn addresses(text: &str, family: Family) -> Result<Vec<IpAddr>, Fail> {
    let plain = |text: &str| Fail::syntax(format_args!("plain IP address must be supplied: {text}"));
    let (first, last) = if text.contains('/') {
        let (base, prefix) = network(text, family)?;
        if family == Family::Ipv6 && prefix != 128 {
            return Err(plain(text));
        }
        let first = masked(base, prefix);
        (first, last_of(first, prefix))
    } else if let Some((low, high)) = text.split_once('-') {
        if family == Family::Ipv6 {
            return Err(plain(text));
        }
        (address(low, family)?, address(high, family)?)
    } else {
        let only = address(text, family)?;
        (only, only)
    };
    let (first, last) = (value(first).min(value(last)), value(first).max(value(last)));
    if last - first >= RANGE_MAX {
        return Err(too_many());
    }
    Ok((first..=last).map(|number| of_value(number, family)).collect())
}

fn networks(text: &str, family: Family) -> Result<Vec<Part>, Fail> {
    let invalid = || Fail {
        text: "The value of the CIDR parameter of the IP address is invalid".to_owned(),
        hint: false,
    };
    let Some((low, high)) = text.split_once('-').filter(|_| !text.contains('/')) else {
        let (base, prefix) = network(text, family)?;
        if prefix == 0 {
            return Err(invalid());
        }
        return Ok(vec![Part::Net(masked(base, prefix), prefix)]);
    };
    // The fewest networks that make up the range (`ip_set_range_to_cidr`).
    let (mut first, last) = (value(address(low, family)?), value(address(high, family)?));
    let bits = if family == Family::Ipv4 { 32u8 } else { 128 };
    let mut parts = Vec::new();
    while first <= last {
        let mut prefix = bits;
        while prefix > 1 {
            let size = 1u128 << (bits - prefix + 1);
            if first % size != 0 || first + size - 1 > last {
                break;
            }
            prefix -= 1;
        }
        parts.push(Part::Net(of_value(first, family), prefix));
        match first.checked_add(1u128 << (bits - prefix)) {
            Some(next) => first = next,
            None => break,
        }
        if parts.len() > RANGE_MAX as usize {
            return Err(too_many());
        }
    }
    Ok(parts)
}

/// `[PROTO:]PORT[-PORT]`, `icmp:TYPE/CODE`
fn ports(kind: &SetType, text: &str, family: Family, shell: &mut dyn Shell) -> Result<Vec<Part>, Fail> {
    let bitmap = kind.storage == Storage::Bitmap;
    let (name, range) = match text.split_once(':') {
        Some((name, range)) => (name, range),
        None => ("tcp", text),
    };
    let bad = || Fail::syntax(format_args!("cannot parse '{name}' as a protocol"));
    let protocol = PROTOCOLS.iter().find(|(known, _)| *known == name).map(|(_, number)| *number);
    let protocol = protocol.or_else(|| name.parse().ok()).ok_or_else(bad)?;
    let number_shown = if bitmap { 0 } else { protocol };
    match protocol {
        6 | 17 | 132 | 136 => {
            let (low, high) = range.split_once('-').unwrap_or((range, range));
            let (low, high) = (port(low, name, shell)?, port(high, name, shell)?);
            Ok((low.min(high)..=low.max(high)).map(|port| Part::Port(number_shown, port)).collect())
        }
        1 | 58 => {
            let table = if family == Family::Ipv4 { ICMP } else { ICMPV6 };
            if let Some((_, kind, code)) = table.iter().find(|(known, ..)| *known == range) {
                return Ok(vec![Part::Port(protocol, u16::from_be_bytes([*kind, *code]))]);
            }
            let bad = || Fail::syntax(format_args!("cannot parse '{range}' as an {name} type"));
            let (kind, code) = range.split_once('/').ok_or_else(bad)?;
            let (kind, code) = (kind.parse().map_err(|_| bad())?, code.parse().map_err(|_| bad())?);
            Ok(vec![Part::Port(protocol, u16::from_be_bytes([kind, code]))])
        }
        _ if range == "0" => Ok(vec![Part::Port(protocol, 0)]),
        _ => Err(Fail::syntax(format_args!("Protocol {name} can be used only with pseudo port value 0."))),
    }
}

fn port(text: &str, protocol: &str, shell: &mut dyn Shell) -> Result<u16, Fail> {
    if let Ok(port) = text.parse() {
        return Ok(port);
    }
    let mut services = String::new();
    if let Ok(file) = shell.open("/etc/services") {
        let _ = file.take(1 << 20).read_to_string(&mut services);
    }
    let found = services.lines().find_map(|line| {
        let mut words = line.split('#').next()?.split_whitespace();
        let (name, place) = (words.next()?, words.next()?);
        let (port, of) = place.split_once('/')?;
        let named = name == text || words.any(|other| other == text);
        (named && of == protocol).then(|| port.parse().ok()).flatten()
    });
    let why = match text.parse::<u64>() {
        Ok(_) => format!("'{text}' is out of range 0-65535"),
        Err(_) => format!("'{text}' is invalid as number"),
    };
    found.ok_or_else(|| {
        Fail::syntax(format_args!(
            "{why}\nSyntax error: '{protocol}' is invalid as number\ncannot parse '{text}' as a {protocol} port"
        ))
    })
}

fn address(text: &str, family: Family) -> Result<IpAddr, Fail> {
    let parsed = match family {
        Family::Ipv4 => text.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        Family::Ipv6 => text.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
    };
    let name = if family == Family::Ipv4 { "IPv4" } else { "IPv6" };
    let bad = || Fail::syntax(format_args!("cannot parse {text}: resolving to {name} address failed"));
    parsed.ok_or_else(bad)
}

fn network(text: &str, family: Family) -> Result<(IpAddr, u8), Fail> {
    let most = if family == Family::Ipv4 { 32 } else { 128 };
    match text.split_once('/') {
        None => Ok((address(text, family)?, most)),
        Some((base, prefix)) => {
            let prefix = number(prefix, 0, u64::from(most))? as u8;
            Ok((address(base, family)?, prefix))
        }
    }
}

fn number(text: &str, low: u64, high: u64) -> Result<u64, Fail> {
    let parsed = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    };
    let found = parsed.ok_or_else(|| Fail::syntax(format_args!("'{text}' is invalid as number")))?;
    match (low..=high).contains(&found) {
        true => Ok(found),
        false => Err(Fail::syntax(format_args!("'{text}' is out of range {low}-{high}"))),
    }
}

fn value(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

fn of_value(value: u128, family: Family) -> IpAddr {
    match family {
        Family::Ipv4 => IpAddr::V4((value as u32).into()),
        Family::Ipv6 => IpAddr::V6(value.into()),
    }
}

/// The last address of a network.
fn last_of(first: IpAddr, prefix: u8) -> IpAddr {
    match first {
        IpAddr::V4(address) => {
            let host = u32::MAX.checked_shr(u32::from(prefix)).unwrap_or(0);
            IpAddr::V4((u32::from(address) | host).into())
        }
        IpAddr::V6(address) => {
            let host = u128::MAX.checked_shr(u32::from(prefix)).unwrap_or(0);
            IpAddr::V6((u128::from(address) | host).into())
        }
    }
}
