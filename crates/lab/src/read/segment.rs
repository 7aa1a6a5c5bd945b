//! Segments, and which NICs are plugged into them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use super::value::{Reader, as_flag};
use crate::model::{Host, LearnsFromIp, Segment, SegmentKind};
use crate::node::{Entry, Node, Place};
use crate::suggest;

const KINDS: &[(&str, SegmentKind)] =
    &[("switch", SegmentKind::Switch), ("hub", SegmentKind::Hub), ("cable", SegmentKind::Cable)];

/// The ports of all segments.
pub(super) struct Wiring<'n> {
    segments: BTreeSet<&'n str>,
    ports: BTreeMap<String, Vec<Port>>,
}

struct Port {
    /// "host `S3`, NIC `eno2`".
    owner: String,
    mac: Option<[u8; 6]>,
    place: Place,
}

impl<'n> Wiring<'n> {
    pub fn new(segments: &'n [Entry]) -> Self {
        let segments = segments.iter().map(|entry| entry.key.as_str()).collect();
        Self { segments, ports: BTreeMap::new() }
    }

    /// Plugs a NIC in. `mac` is the one of the file, and where it stands.
    pub fn plug(
        &mut self,
        reader: &mut Reader,
        segment: &Node,
        owner: &str,
        mac: Option<([u8; 6], &Place)>,
    ) -> Option<String> {
        let name = reader.text(segment, "`segment`")?;
        if !self.segments.contains(name) {
            let help = match suggest::nearest(name, self.segments.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("declare it: `segments: {{{name}: {{kind: switch}}}}`"),
            };
            reader.fail(segment.place.error_with(format!("there is no segment `{name}`"), help));
            return None;
        }
        let ports = self.ports.entry(name.to_owned()).or_default();
        if let Some((mac, place)) = mac
            && let Some(other) = ports.iter().find(|port| port.mac == Some(mac))
        {
            let message = format!("the MAC address is taken in segment `{name}`: {} has it", other.owner);
            let help = "give one of them another, or leave `mac` out: then each gets its own";
            reader.fail(place.error_with(message, help));
        }
        let place = segment.place.clone();
        ports.push(Port { owner: owner.to_owned(), mac: mac.map(|(mac, _)| mac), place });
        Some(name.to_owned())
    }

    /// A cable has two ends.
    pub fn check(&self, reader: &mut Reader, segment: &Segment) {
        let ports = self.ports.get(&segment.name).map(Vec::as_slice).unwrap_or_default();
        if let (SegmentKind::Cable, [first, second, third, ..]) = (segment.kind, ports) {
            let message = format!(
                "the cable `{}` has two ends, and they are taken: {}, {}",
                segment.name, first.owner, second.owner
            );
            reader.fail(third.place.error_with(message, "make the segment a `hub` or a `switch`"));
        }
    }
}

pub(super) fn segment(reader: &mut Reader, entry: &Entry, hosts: &[Host]) -> Segment {
    let what = format!("segment `{}`", entry.key);
    if entry.key.is_empty() {
        reader.fail(entry.place.error("a segment without a name"));
    }
    let keys = ["kind", "pad", "trunk", "gateway_learns_from_ip"];
    let record = reader.record(&entry.value, &what, &keys);
    let kind = record.get("kind").and_then(|node| reader.word(node, "`kind`", KINDS));
    let pad = record.get("pad").filter(|node| as_flag(node) != Some(false));
    let trunk = record.get("trunk").filter(|node| as_flag(node) != Some(false));
    let learns = record.get("gateway_learns_from_ip").filter(|node| as_flag(node) != Some(false));
    Segment {
        name: entry.key.clone(),
        kind: kind.unwrap_or(SegmentKind::Switch),
        // From an Ethernet header to a frame of the usual MTU.
        pad: pad.and_then(|node| reader.number(node, "`pad`", 14..=1514)),
        trunk: trunk.map(|node| {
            let vids = reader.list(node, "`trunk`", "200");
            vids.iter().filter_map(|vid| reader.number(vid, "a VLAN ID", 1..=4094)).collect()
        }),
        gateway_learns_from_ip: learns.and_then(|node| learns_from_ip(reader, node, hosts)),
    }
}

fn learns_from_ip(reader: &mut Reader, node: &Node, hosts: &[Host]) -> Option<LearnsFromIp> {
    let what = "`gateway_learns_from_ip`";
    let record = reader.record(node, what, &["host", "dev", "prefix"]);
    let example = "`{host: HOST, dev: NIC, prefix: 10.0.2.0/24}`, or `no`";
    let host_node = record.need(reader, what, "host", example);
    let dev_node = record.need(reader, what, "dev", example);
    let prefix = record.need(reader, what, "prefix", example).and_then(|node| prefix(reader, node));

    let name = reader.text(host_node?, "`host`")?;
    let Some(host) = hosts.iter().find(|host| host.name == name) else {
        let help = suggest::help(name, "hosts", hosts.iter().map(|host| host.name.as_str()));
        reader.fail(host_node?.place.error_with(format!("there is no host `{name}`"), help));
        return None;
    };
    let dev = reader.text(dev_node?, "`dev`")?;
    if !host.nics.iter().any(|nic| nic.name == dev) {
        let help = suggest::help(dev, "NICs", host.nics.iter().map(|nic| nic.name.as_str()));
        reader.fail(dev_node?.place.error_with(format!("host `{name}` has no NIC `{dev}`"), help));
        return None;
    }
    let (prefix, prefix_len) = prefix?;
    Some(LearnsFromIp { host: name.to_owned(), dev: dev.to_owned(), prefix, prefix_len })
}

/// `10.0.2.0/24`, or its beginning up to a dot, `10.0.2.`.
fn prefix(reader: &mut Reader, node: &Node) -> Option<(Ipv4Addr, u8)> {
    let text = reader.text(node, "`prefix`")?;
    let prefix = match text.strip_suffix('.') {
        Some(octets) => {
            let given = octets.split('.').count();
            let filled = format!("{octets}{}", ".0".repeat(4_usize.saturating_sub(given)));
            let len = u8::try_from(given.saturating_mul(8)).ok();
            filled.parse().ok().zip(len).filter(|_| given < 4)
        }
        None => text.split_once('/').and_then(|(address, len)| {
            let address = address.parse().ok()?;
            Some((address, len.parse().ok().filter(|len| *len <= 32)?))
        }),
    };
    if prefix.is_none() {
        let message = format!("`prefix` is an IPv4 prefix, not `{text}`");
        reader.fail(node.place.error_with(message, "write `10.0.2.0/24` or `10.0.2.`"));
    }
    prefix
}
