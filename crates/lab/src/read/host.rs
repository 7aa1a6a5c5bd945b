//! Hosts.

use super::address::{address, answer, command_arguments, dns};
use super::advertise::advertised;
use super::device::{Devices, bridge, nic};
use super::segment::Wiring;
use super::value::{Reader, as_flag};
use crate::model::{Bridge, Host, Nic, Sysctl, TextFile};
use crate::name::host_trouble;
use crate::node::{Data, Entry, Node};

const KEYS: &[&str] = &[
    "role",
    "nics",
    "bridges",
    "addresses",
    "routes",
    "modules",
    "sysctl",
    "iptables",
    "files",
    "setup",
    "answers",
    "dns",
    "ra",
];

pub(super) fn host(reader: &mut Reader, entry: &Entry, wiring: &mut Wiring<'_>) -> Host {
    let name = &entry.key;
    if let Some(trouble) = host_trouble(name) {
        let help = "a host's name has letters, digits, `-`, `_` and `.`";
        reader.fail(entry.place.error_with(format!("host `{name}` cannot have this name: {trouble}"), help));
    }
    let record = reader.record(&entry.value, &format!("host `{name}`"), KEYS);
    let mut devices = Devices::new();
    let bridges = record.get("bridges").map(|node| reader.map(node, "`bridges`")).unwrap_or_default();
    let bridges: Vec<Bridge> = bridges.iter().map(|entry| bridge(reader, entry, &mut devices)).collect();
    let nics = record.get("nics").map(|node| reader.map(node, "`nics`")).unwrap_or_default();
    let nics: Vec<Nic> =
        nics.iter().map(|entry| nic(reader, name, entry, &bridges, &mut devices, wiring)).collect();
    let sysctl = record.get("sysctl").map(|node| reader.map(node, "`sysctl`")).unwrap_or_default();
    let files = record.get("files").map(|node| reader.map(node, "`files`")).unwrap_or_default();
    let list = |reader: &mut Reader, key: &str, example: &str| {
        record.get(key).map(|node| reader.list(node, &format!("`{key}`"), example)).unwrap_or_default()
    };
    let addresses = list(reader, "addresses", "{dev: eth0, ip: 192.0.2.1/24}");
    let routes = list(reader, "routes", "\"default via 192.0.2.1\"");
    let iptables = list(reader, "iptables", "\"-P FORWARD DROP\"");
    let modules = list(reader, "modules", "br_netfilter");
    let answers = list(reader, "answers", "{ip: 8.8.8.8, ttl: 117}");
    let ra = list(reader, "ra", "{dev: eth0, prefix: \"2001:db8::/64\"}");
    let setup = list(reader, "setup", "\"ip link add dummy0 type dummy\"");
    Host {
        name: name.clone(),
        role: record.get("role").and_then(|node| reader.text(node, "`role`")).map(str::to_owned),
        modules: modules.iter().filter_map(|node| reader.text(node, "a module").map(str::to_owned)).collect(),
        sysctl: sysctl.iter().filter_map(|entry| variable(reader, entry)).collect(),
        bridges,
        nics,
        addresses: addresses.iter().filter_map(|node| address(reader, node, &devices)).collect(),
        routes: routes
            .iter()
            .filter_map(|node| command_arguments(reader, node, "routes", "ip route add"))
            .collect(),
        iptables: iptables
            .iter()
            .filter_map(|node| command_arguments(reader, node, "iptables", "iptables"))
            .collect(),
        answers: answers.iter().filter_map(|node| answer(reader, node)).collect(),
        advertised: ra.iter().filter_map(|node| advertised(reader, node, &devices)).collect(),
        files: files.iter().filter_map(|entry| file(reader, entry)).collect(),
        setup: setup.iter().filter_map(|node| line(reader, node)).collect(),
        dns: record.get("dns").and_then(|node| dns(reader, node)),
    }
}

fn variable(reader: &mut Reader, entry: &Entry) -> Option<Sysctl> {
    let key = &entry.key;
    if key.is_empty() || key.chars().any(|c| c == '=' || c.is_whitespace() || c.is_control()) {
        let message = format!("`{key}` is no sysctl variable");
        reader.fail(entry.place.error_with(message, "write `net.ipv4.ip_forward: 1`"));
        return None;
    }
    let value = match (&entry.value.data, as_flag(&entry.value)) {
        (Data::Scalar { plain: true, .. }, Some(flag)) => u8::from(flag).to_string(),
        _ => reader.text(&entry.value, &format!("`{key}`"))?.to_owned(),
    };
    Some(Sysctl { key: key.clone(), value })
}

fn file(reader: &mut Reader, entry: &Entry) -> Option<TextFile> {
    let path = &entry.key;
    if !path.starts_with('/') || path.ends_with('/') || path.contains('\0') {
        let message = format!("`{path}` is no absolute path of a file");
        reader.fail(entry.place.error_with(message, "write `/etc/resolv.conf: \"…\"`"));
        return None;
    }
    if entry.value.is_null() {
        return Some(TextFile { path: path.clone(), text: String::new() });
    }
    let mut text = reader.text(&entry.value, &format!("`{path}`"))?.to_owned();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Some(TextFile { path: path.clone(), text })
}

fn line(reader: &mut Reader, node: &Node) -> Option<String> {
    let text = reader.text(node, "a line of `setup`")?;
    (!text.trim().is_empty()).then(|| text.to_owned())
}
