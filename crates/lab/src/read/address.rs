//! Addresses, routes, and what a host answers for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::device::Devices;
use super::value::Reader;
use super::wrong_type;
use crate::model::{Address, Answer, Dns, DnsName};
use crate::node::{Data, Entry, Node};

pub(super) fn address(reader: &mut Reader, node: &Node, devices: &Devices) -> Option<Address> {
    let what = "an address";
    let record = reader.record(node, what, &["dev", "ip", "opts"]);
    let example = "`{dev: eth0, ip: 192.0.2.1/24}`";
    let dev = record.need(reader, what, "dev", example).and_then(|node| devices.find(reader, node, "`dev`"));
    let ip = record.need(reader, what, "ip", example).and_then(|node| with_prefix(reader, node, "`ip`"));
    let opts = record.get("opts").and_then(|node| reader.arguments(node, "`opts`")).unwrap_or_default();
    Some(Address { dev: dev?, ip: ip?, opts })
}

/// An address with a prefix length, as it is written.
pub(super) fn with_prefix(reader: &mut Reader, node: &Node, what: &str) -> Option<String> {
    let Data::Scalar { text, .. } = &node.data else {
        reader.fail(wrong_type(node, what, "an address", "`192.0.2.1/24`"));
        return None;
    };
    // Without a length iproute2 takes the whole address.
    let (address, len) = match text.split_once('/') {
        Some((address, len)) => (address, Some(len)),
        None => (text.as_str(), None),
    };
    let max = match address.parse() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => {
            let message = format!("`{address}` is no IP address");
            reader.fail(node.place.error_with(message, "write it as `192.0.2.1/24` or `2001:db8::1/64`"));
            return None;
        }
    };
    let Some(len) = len else { return Some(text.clone()) };
    if len.parse::<u8>().is_ok_and(|len| len <= max) && !len.starts_with('+') {
        return Some(text.clone());
    }
    let message = format!("`{len}` is no prefix length of `{address}`");
    reader.fail(node.place.error_with(message, format!("it is a number from 0 to {max}")));
    None
}

/// An element of the list `key`: the arguments of `command`.
pub(super) fn command_arguments(
    reader: &mut Reader,
    node: &Node,
    key: &str,
    command: &str,
) -> Option<Vec<String>> {
    let words = reader.arguments(node, &format!("an element of `{key}`"))?;
    let program = command.split(' ').next().unwrap_or(command);
    match words.first() {
        Some(first) if first == program => {
            let message = format!("`{key}` has only the arguments, not the command itself");
            reader.fail(node.place.error_with(message, format!("leave out `{command}`")));
            None
        }
        Some(_) => Some(words),
        None => {
            let help = format!("write the arguments of `{command}`");
            reader.fail(node.place.error_with(format!("an element of `{key}` is empty"), help));
            None
        }
    }
}

pub(super) fn answer(reader: &mut Reader, node: &Node) -> Option<Answer> {
    let what = "an answer";
    let record = reader.record(node, what, &["ip", "ttl"]);
    let ip = record
        .need(reader, what, "ip", "`{ip: 8.8.8.8, ttl: 117}`")
        .and_then(|node| ip(reader, node, "`ip`"));
    // One is added to it, and a TTL has eight bits.
    let ttl = record.get("ttl").and_then(|node| reader.number(node, "`ttl`", 1..=254));
    Some(Answer { ip: ip?, ttl: ttl.and_then(|ttl| u8::try_from(ttl).ok()) })
}

pub(super) fn dns(reader: &mut Reader, node: &Node) -> Option<Dns> {
    let record = reader.record(node, "`dns`", &["server", "names"]);
    let example = "`{server: 8.8.8.8, names: {example.org: {a: [192.0.2.1]}}}`";
    let server = record.need(reader, "`dns`", "server", example);
    let servers = match server {
        Some(Node { data: Data::List(servers), .. }) => servers.as_slice(),
        Some(node) => std::slice::from_ref(node),
        None => &[],
    };
    let servers: Vec<IpAddr> = servers.iter().filter_map(|node| ip(reader, node, "`server`")).collect();
    let names = record.get("names").map(|node| reader.map(node, "`names`")).unwrap_or_default();
    let names = names.iter().map(|entry| dns_name(reader, entry)).collect();
    Some(Dns { servers, names })
}

fn dns_name(reader: &mut Reader, entry: &Entry) -> DnsName {
    let record =
        reader.record(&entry.value, &format!("name `{}`", entry.key), &["cname", "a", "aaaa", "ptr"]);
    let a = record.get("a").map(|node| reader.list(node, "`a`", "192.0.2.1")).unwrap_or_default();
    let aaaa = record.get("aaaa").map(|node| reader.list(node, "`aaaa`", "2001:db8::1")).unwrap_or_default();
    let mut name = |key: &str| {
        record.get(key).and_then(|node| reader.text(node, &format!("`{key}`"))).map(str::to_owned)
    };
    DnsName {
        name: entry.key.clone(),
        cname: name("cname"),
        ptr: name("ptr"),
        aaaa: aaaa
            .iter()
            .filter_map(|node| {
                let what = "an element of `aaaa`";
                reader.parsed::<Ipv6Addr>(node, what, "an IPv6 address", "`2001:db8::1`")
            })
            .collect(),
        a: a.iter()
            .filter_map(|node| {
                reader.parsed::<Ipv4Addr>(node, "an element of `a`", "an IPv4 address", "`192.0.2.1`")
            })
            .collect(),
    }
}

fn ip(reader: &mut Reader, node: &Node, what: &str) -> Option<IpAddr> {
    reader.parsed(node, what, "an address without prefix length", "`192.0.2.1`")
}
