//! From a merged tree to a [`World`]: every key known, every value of its type, every name existing.

mod address;
mod advertise;
mod device;
mod host;
mod segment;
mod value;

use std::collections::BTreeSet;

use crate::error::{Error, Errors};
use crate::model::{Host, World};
use crate::name::derive_mac;
use crate::node::{Data, Node};

use value::Reader;

/// # Errors
/// All that is wrong, in the order of the files.
pub(crate) fn world(name: &str, root: &Node) -> Result<World, Errors> {
    let mut reader = Reader::default();
    let top = reader.record(root, "a world", &["extends", "segments", "hosts"]);

    let segments = top.get("segments").map(|node| reader.map(node, "`segments`")).unwrap_or_default();

    let host_entries = top.get("hosts").map(|node| reader.map(node, "`hosts`")).unwrap_or_default();
    if host_entries.is_empty() && reader.errors.is_empty() {
        let help = "at least one: `hosts: {box: }`";
        reader.fail(root.place.error_with("a world without hosts", help));
    }
    let mut wiring = segment::Wiring::new(segments);
    let mut hosts: Vec<Host> =
        host_entries.iter().map(|entry| host::host(&mut reader, entry, &mut wiring)).collect();
    fill_in_macs(&mut hosts);

    let segments = segments
        .iter()
        .map(|entry| {
            let segment = segment::segment(&mut reader, entry, &hosts);
            wiring.check(&mut reader, &segment);
            segment
        })
        .collect();
    if reader.errors.is_empty() {
        return Ok(World { name: name.to_owned(), segments, hosts });
    }
    Err(Errors::new(reader.errors))
}

/// What `nic.mac` is until [`fill_in_macs`]: no NIC can have it by a file.
const NO_MAC: [u8; 6] = [0; 6];

/// Gives the NICs without MAC address one that no other NIC of the world has.
fn fill_in_macs(hosts: &mut [Host]) {
    let mut taken: BTreeSet<[u8; 6]> = hosts.iter().flat_map(|host| &host.nics).map(|nic| nic.mac).collect();
    for host in hosts {
        for nic in host.nics.iter_mut().filter(|nic| nic.mac == NO_MAC) {
            nic.mac = derive_mac(&host.name, &nic.name, 0);
            for attempt in 1..=u8::MAX {
                if taken.insert(nic.mac) {
                    break;
                }
                nic.mac = derive_mac(&host.name, &nic.name, attempt);
            }
        }
    }
}

/// The error for a value of the wrong type.
fn wrong_type(node: &Node, what: &str, wanted: &str, example: &str) -> Error {
    let message = match &node.data {
        Data::Scalar { text, .. } if !node.is_null() && text.len() <= 40 => {
            format!("{what} is {wanted}, not `{text}`")
        }
        _ => format!("{what} is {wanted}, not {}", node.kind()),
    };
    node.place.error_with(message, format!("write {example}"))
}
