//! What a router advertises over IPv6.

use std::net::{IpAddr, Ipv6Addr};

use super::address::with_prefix;
use super::device::Devices;
use super::value::Reader;
use crate::model::Advertised;
use crate::node::{Data, Node};

/// `AdvDefaultLifetime` as radvd has it.
const LIFETIME_S: u16 = 1800;

/// An element of `ra`.
pub(super) fn advertised(reader: &mut Reader, node: &Node, devices: &Devices) -> Option<Advertised> {
    let what = "an element of `ra`";
    let record = reader.record(node, what, &["dev", "prefix", "lifetime", "mtu"]);
    let example = "`{dev: eth0, prefix: \"2001:db8::/64\"}`";
    let dev = record.need(reader, what, "dev", example).and_then(|node| devices.find(reader, node, "`dev`"));
    let prefixes = match record.get("prefix") {
        Some(Node { data: Data::List(prefixes), .. }) => prefixes.as_slice(),
        Some(node) => std::slice::from_ref(node),
        None => &[],
    };
    let prefixes = prefixes.iter().filter_map(|node| prefix(reader, node)).collect();
    let lifetime = record.get("lifetime").and_then(|node| reader.number(node, "`lifetime`", 0..=9000));
    let mtu = record.get("mtu").and_then(|node| reader.number(node, "`mtu`", 1280..=u16::MAX));
    Some(Advertised {
        dev: dev?,
        prefixes,
        lifetime: lifetime.unwrap_or(LIFETIME_S),
        mtu: mtu.map(u32::from),
    })
}

/// An IPv6 prefix with its length.
fn prefix(reader: &mut Reader, node: &Node) -> Option<(Ipv6Addr, u8)> {
    let text = with_prefix(reader, node, "`prefix`")?;
    let (address, length) = text.split_once('/').unwrap_or((&text, "128"));
    match (address.parse(), length.parse()) {
        (Ok(IpAddr::V6(address)), Ok(length)) => Some((address, length)),
        _ => {
            let message = format!("`{text}` is no IPv6 prefix");
            reader.fail(node.place.error_with(message, "write it as `2001:db8::/64`"));
            None
        }
    }
}
