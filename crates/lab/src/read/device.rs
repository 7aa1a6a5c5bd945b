//! NICs and bridges of a host.

use std::collections::BTreeMap;

use super::address::with_prefix;
use super::segment::Wiring;
use super::value::Reader;
use super::{NO_MAC, wrong_type};
use crate::model::{AddrGenMode, Bridge, Nic, NicKind};
use crate::name::{altname_trouble, device_trouble, parse_mac};
use crate::node::{Data, Entry, Node, Place};
use crate::suggest;

const ADDR_GEN_MODES: &[(&str, AddrGenMode)] = &[
    ("eui64", AddrGenMode::Eui64),
    ("none", AddrGenMode::None),
    ("stable_secret", AddrGenMode::StableSecret),
    ("random", AddrGenMode::Random),
];

const NIC_KINDS: &[(&str, NicKind)] = &[("ethernet", NicKind::Ethernet), ("infiniband", NicKind::Infiniband)];

const NIC_KEYS: &[&str] =
    &["segment", "mac", "doc_mac", "altname", "master", "addrgenmode", "up", "ipv6", "kind"];

/// The device names of one host: each is there once.
pub(super) struct Devices {
    names: BTreeMap<String, Option<Place>>,
}

impl Devices {
    pub fn new() -> Self {
        Self { names: BTreeMap::from([("lo".to_owned(), None)]) }
    }

    fn add(&mut self, reader: &mut Reader, name: &str, place: &Place) {
        match self.names.get(name) {
            Some(Some(first)) => {
                let message = format!("there is a device `{name}` already, in {}", first.seen_from(place));
                reader.fail(place.error_with(message, "rename one of them"));
            }
            Some(None) => {
                let message = format!("there is a device `{name}` in every host already");
                reader.fail(place.error_with(message, "leave it out, or choose another name"));
            }
            None => {
                self.names.insert(name.to_owned(), Some(place.clone()));
            }
        }
    }

    /// A device named somewhere else in the host.
    pub fn find(&self, reader: &mut Reader, node: &Node, what: &str) -> Option<String> {
        let name = reader.text(node, what)?;
        if !self.names.contains_key(name) {
            let names = self.names.keys().map(String::as_str);
            let help = suggest::help(name, "devices of this host", names);
            reader.fail(node.place.error_with(format!("there is no device `{name}`"), help));
        }
        Some(name.to_owned())
    }
}

pub(super) fn bridge(reader: &mut Reader, entry: &Entry, devices: &mut Devices) -> Bridge {
    device_name(reader, entry, devices, "bridge");
    let record = reader.record(&entry.value, &format!("bridge `{}`", entry.key), &["addr", "carrier"]);
    Bridge {
        name: entry.key.clone(),
        addr: record.get("addr").and_then(|node| with_prefix(reader, node, "`addr`")),
        carrier: record.get("carrier").and_then(|node| reader.flag(node, "`carrier`")),
    }
}

/// `bridges` are the names that `master` can have.
pub(super) fn nic(
    reader: &mut Reader,
    host: &str,
    entry: &Entry,
    bridges: &[Bridge],
    devices: &mut Devices,
    wiring: &mut Wiring<'_>,
) -> Nic {
    device_name(reader, entry, devices, "NIC");
    let record = reader.record(&entry.value, &format!("NIC `{}`", entry.key), NIC_KEYS);
    if let Some(node) = record.get("doc_mac") {
        // Only for programs that compare with a document: it can be any address.
        if mac_text(node).is_none() {
            reader.fail(not_a_mac(node, "`doc_mac`"));
        }
    }
    let mac_node = record.get("mac");
    let mac = mac_node.and_then(|node| mac(reader, node));
    let owner = format!("host `{host}`, NIC `{}`", entry.key);
    let mac_at = mac.zip(mac_node.map(|node| &node.place));
    let kind = record.get("kind").and_then(|node| reader.word(node, "`kind`", NIC_KINDS)).unwrap_or_default();
    for key in ["segment", "master"] {
        if let (NicKind::Infiniband, Some(node)) = (kind, record.get(key)) {
            let message =
                format!("an InfiniBand NIC has no `{key}`: it has no link, and is no port of bridges");
            reader.fail(node.place.error_with(message, "leave it out"));
        }
    }
    Nic {
        name: entry.key.clone(),
        kind,
        segment: record.get("segment").and_then(|node| wiring.plug(reader, node, &owner, mac_at)),
        mac: mac.unwrap_or(NO_MAC),
        altname: record.get("altname").and_then(|node| altname(reader, node, devices)),
        master: record.get("master").and_then(|node| master(reader, node, bridges)),
        addrgenmode: record
            .get("addrgenmode")
            .and_then(|node| reader.word(node, "`addrgenmode`", ADDR_GEN_MODES)),
        up: record.get("up").and_then(|node| reader.flag(node, "`up`")).unwrap_or(true),
        ipv6: record.get("ipv6").and_then(|node| reader.flag(node, "`ipv6`")).unwrap_or(true),
    }
}

fn device_name(reader: &mut Reader, entry: &Entry, devices: &mut Devices, what: &str) {
    if let Some(trouble) = device_trouble(&entry.key) {
        let message = format!("{what} `{}` cannot have this name: {trouble}", entry.key);
        reader.fail(entry.place.error_with(message, "a device's name is like `eth0` or `br-lan`"));
    }
    devices.add(reader, &entry.key, &entry.place);
}

fn altname(reader: &mut Reader, node: &Node, devices: &mut Devices) -> Option<String> {
    let name = reader.text(node, "`altname`")?;
    if let Some(trouble) = altname_trouble(name) {
        let message = format!("`{name}` cannot be an alternative name: {trouble}");
        reader.fail(node.place.error_with(message, "it is like `enp0s31f6`"));
    }
    devices.add(reader, name, &node.place);
    Some(name.to_owned())
}

fn master(reader: &mut Reader, node: &Node, bridges: &[Bridge]) -> Option<String> {
    let name = reader.text(node, "`master`")?;
    if !bridges.iter().any(|bridge| bridge.name == name) {
        let names = bridges.iter().map(|bridge| bridge.name.as_str());
        let help = match suggest::nearest(name, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("declare it: `bridges: {{{name}: }}`"),
        };
        reader.fail(node.place.error_with(format!("this host has no bridge `{name}`"), help));
    }
    Some(name.to_owned())
}

fn mac(reader: &mut Reader, node: &Node) -> Option<[u8; 6]> {
    let Some(mac) = mac_text(node) else {
        reader.fail(not_a_mac(node, "`mac`"));
        return None;
    };
    // The kernel's is_valid_ether_addr.
    let [first, ..] = mac;
    if first & 1 == 1 {
        let help = format!("make its first byte even: `{:02x}:…`", first & !1);
        reader.fail(node.place.error_with("a group address cannot be a NIC's: its first byte is odd", help));
        return None;
    }
    if mac == [0; 6] {
        let help = "leave `mac` out: then the NIC gets one";
        reader.fail(node.place.error_with("the zero address cannot be a NIC's", help));
        return None;
    }
    Some(mac)
}

fn mac_text(node: &Node) -> Option<[u8; 6]> {
    match &node.data {
        Data::Scalar { text, .. } => parse_mac(text),
        _ => None,
    }
}

fn not_a_mac(node: &Node, what: &str) -> crate::error::Error {
    wrong_type(node, what, "a MAC address", "six bytes in hexadecimal: `\"02:00:00:00:00:01\"`")
}
