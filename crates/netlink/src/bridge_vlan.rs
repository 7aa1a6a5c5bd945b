//! VLANs of bridges: `RTM_NEWVLAN` and its kin, and the VLAN counters of `RTM_GETSTATS`, for which the typed crate
//! has no messages (net/bridge/br_vlan.c, include/uapi/linux/if_bridge.h).

use crate::bridge_mdb::{Router, emit_routers, parse_routers};
use crate::codec::{NLA_F_NESTED, attributes, put_attribute};

pub const RTM_NEWVLAN: u16 = 112;
pub const RTM_DELVLAN: u16 = 113;
pub const RTM_GETVLAN: u16 = 114;
pub const RTM_NEWSTATS: u16 = 92;
pub const RTM_GETSTATS: u16 = 94;

/// `BRIDGE_VLAN_INFO_*`
pub mod info {
    pub const MASTER: u16 = 1 << 0;
    pub const PVID: u16 = 1 << 1;
    pub const UNTAGGED: u16 = 1 << 2;
    pub const RANGE_BEGIN: u16 = 1 << 3;
    pub const RANGE_END: u16 = 1 << 4;
    pub const BRENTRY: u16 = 1 << 5;
    pub const ONLY_OPTS: u16 = 1 << 6;
}

/// `BRIDGE_VLANDB_GOPTS_*`: numbers of one, four or eight bytes.
pub mod global {
    pub const MCAST_SNOOPING: u16 = 3;
    pub const MCAST_IGMP_VERSION: u16 = 4;
    pub const MCAST_MLD_VERSION: u16 = 5;
    pub const MCAST_LAST_MEMBER_CNT: u16 = 6;
    pub const MCAST_STARTUP_QUERY_CNT: u16 = 7;
    pub const MCAST_LAST_MEMBER_INTVL: u16 = 8;
    pub const MCAST_MEMBERSHIP_INTVL: u16 = 10;
    pub const MCAST_QUERIER_INTVL: u16 = 11;
    pub const MCAST_QUERY_INTVL: u16 = 12;
    pub const MCAST_QUERY_RESPONSE_INTVL: u16 = 13;
    pub const MCAST_STARTUP_QUERY_INTVL: u16 = 14;
    pub const MCAST_QUERIER: u16 = 15;
    pub const MSTI: u16 = 18;

    /// How many bytes the number of an option has.
    pub fn width(kind: u16) -> usize {
        match kind {
            MCAST_LAST_MEMBER_CNT | MCAST_STARTUP_QUERY_CNT => 4,
            MCAST_LAST_MEMBER_INTVL..=MCAST_STARTUP_QUERY_INTVL => 8,
            MSTI => 2,
            _ => 1,
        }
    }
}

/// `BRIDGE_VLANDB_DUMPF_*`
pub const DUMP_STATS: u32 = 1;
pub const DUMP_GLOBAL: u32 = 2;

const BRIDGE_VLANDB_ENTRY: u16 = 1;
const BRIDGE_VLANDB_GLOBAL_OPTIONS: u16 = 2;
const BRIDGE_VLANDB_DUMP_FLAGS: u16 = 1;
const ENTRY_INFO: u16 = 1;
const ENTRY_RANGE: u16 = 2;
const ENTRY_STATE: u16 = 3;
const ENTRY_TUNNEL_INFO: u16 = 4;
const ENTRY_STATS: u16 = 5;
const ENTRY_MCAST_ROUTER: u16 = 6;
const GOPTS_ID: u16 = 1;
const GOPTS_RANGE: u16 = 2;
const GOPTS_MCAST_ROUTER_PORTS: u16 = 16;
const MDBA_ROUTER: u16 = 2;
/// `BRIDGE_VLANDB_STATS_*` in the order of [`Stats`].
const STATS: [u16; 4] = [1, 2, 3, 4];
/// Size of `struct br_vlan_msg`.
const HEADER_LEN: usize = 8;
const AF_BRIDGE: u8 = 7;

/// Counters of a VLAN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    pub rx_bytes: u64,
    pub rx_packets: u64,
    pub tx_bytes: u64,
    pub tx_packets: u64,
}

/// `BRIDGE_VLANDB_ENTRY`: a VLAN, or a range of them that have all this in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// `BRIDGE_VLANDB_ENTRY_INFO`: flags ([`info`]) and VLAN.
    pub info: Option<(u16, u16)>,
    /// The last VLAN of the range.
    pub range: Option<u16>,
    pub state: Option<u8>,
    pub mcast_router: Option<u8>,
    pub stats: Option<Stats>,
    /// A tunnel is mapped; what to is not read.
    pub tunnel: bool,
}

/// `BRIDGE_VLANDB_GLOBAL_OPTIONS`: options ([`global`]) of a VLAN, or of a range, of the whole bridge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GlobalOptions {
    pub vid: Option<u16>,
    pub range: Option<u16>,
    pub numbers: Vec<(u16, u64)>,
    /// Ports that lead to routers of multicast in this VLAN.
    pub routers: Vec<Router>,
}

/// One part of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Entry(Entry),
    Global(GlobalOptions),
}

/// A message about VLANs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VlanMessage {
    pub family: u8,
    pub ifindex: u32,
    pub parts: Vec<Part>,
}

impl VlanMessage {
    pub fn new(ifindex: u32) -> Self {
        VlanMessage { family: AF_BRIDGE, ifindex, parts: Vec::new() }
    }

    /// The payload of a netlink message.
    pub fn emit(&self) -> Vec<u8> {
        let mut bytes = header(self.family, self.ifindex);
        for part in &self.parts {
            match part {
                Part::Entry(entry) => {
                    put_attribute(&mut bytes, BRIDGE_VLANDB_ENTRY | NLA_F_NESTED, &entry.emit());
                }
                Part::Global(options) => {
                    put_attribute(&mut bytes, BRIDGE_VLANDB_GLOBAL_OPTIONS | NLA_F_NESTED, &options.emit());
                }
            }
        }
        bytes
    }

    /// Reads a payload; none if it is too short for its header.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let (family, ifindex) = parse_header(payload)?;
        let mut message = VlanMessage { family, ifindex, parts: Vec::new() };
        for (kind, value) in attributes(payload.get(HEADER_LEN..)?) {
            match kind {
                BRIDGE_VLANDB_ENTRY => message.parts.push(Part::Entry(Entry::parse(value))),
                BRIDGE_VLANDB_GLOBAL_OPTIONS => {
                    message.parts.push(Part::Global(GlobalOptions::parse(value)));
                }
                _ => {}
            }
        }
        Some(message)
    }
}

/// The payload of a dump request, with `BRIDGE_VLANDB_DUMP_FLAGS`.
pub fn dump_request(ifindex: u32, flags: u32) -> Vec<u8> {
    let mut bytes = header(AF_BRIDGE, ifindex);
    put_attribute(&mut bytes, BRIDGE_VLANDB_DUMP_FLAGS, &flags.to_ne_bytes());
    bytes
}

/// Interface index and flags of a dump request; none if it is too short.
pub fn parse_dump_request(payload: &[u8]) -> Option<(u32, u32)> {
    let (_, ifindex) = parse_header(payload)?;
    let flags = attributes(payload.get(HEADER_LEN..)?)
        .find(|(kind, _)| *kind == BRIDGE_VLANDB_DUMP_FLAGS)
        .map_or(0, |(_, value)| number(value) as u32);
    Some((ifindex, flags))
}

impl Entry {
    fn emit(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if let Some((flags, vid)) = self.info {
            let mut value = flags.to_ne_bytes().to_vec();
            value.extend(vid.to_ne_bytes());
            put_attribute(&mut bytes, ENTRY_INFO, &value);
        }
        if let Some(range) = self.range {
            put_attribute(&mut bytes, ENTRY_RANGE, &range.to_ne_bytes());
        }
        if let Some(state) = self.state {
            put_attribute(&mut bytes, ENTRY_STATE, &[state]);
        }
        if let Some(router) = self.mcast_router {
            put_attribute(&mut bytes, ENTRY_MCAST_ROUTER, &[router]);
        }
        if let Some(stats) = self.stats {
            let mut nested = Vec::new();
            let values = [stats.rx_bytes, stats.rx_packets, stats.tx_bytes, stats.tx_packets];
            for (kind, value) in STATS.into_iter().zip(values) {
                put_attribute(&mut nested, kind, &value.to_ne_bytes());
            }
            put_attribute(&mut bytes, ENTRY_STATS | NLA_F_NESTED, &nested);
        }
        bytes
    }

    fn parse(bytes: &[u8]) -> Self {
        let mut entry = Entry::default();
        for (kind, value) in attributes(bytes) {
            match kind {
                ENTRY_INFO => {
                    entry.info = value
                        .first_chunk()
                        .map(|[a, b, c, d]| (u16::from_ne_bytes([*a, *b]), u16::from_ne_bytes([*c, *d])));
                }
                ENTRY_RANGE => entry.range = Some(number(value) as u16),
                ENTRY_STATE => entry.state = Some(number(value) as u8),
                ENTRY_MCAST_ROUTER => entry.mcast_router = Some(number(value) as u8),
                ENTRY_TUNNEL_INFO => entry.tunnel = true,
                ENTRY_STATS => {
                    let of = |wanted| {
                        attributes(value).find(|(kind, _)| *kind == wanted).map_or(0, |(_, v)| number(v))
                    };
                    let [rx_bytes, rx_packets, tx_bytes, tx_packets] = STATS.map(of);
                    entry.stats = Some(Stats { rx_bytes, rx_packets, tx_bytes, tx_packets });
                }
                _ => {}
            }
        }
        entry
    }
}

impl GlobalOptions {
    fn emit(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if let Some(vid) = self.vid {
            put_attribute(&mut bytes, GOPTS_ID, &vid.to_ne_bytes());
        }
        if let Some(range) = self.range {
            put_attribute(&mut bytes, GOPTS_RANGE, &range.to_ne_bytes());
        }
        for (kind, value) in &self.numbers {
            let value = match global::width(*kind) {
                1 => vec![*value as u8],
                2 => (*value as u16).to_ne_bytes().to_vec(),
                4 => (*value as u32).to_ne_bytes().to_vec(),
                _ => value.to_ne_bytes().to_vec(),
            };
            put_attribute(&mut bytes, *kind, &value);
        }
        if !self.routers.is_empty() {
            let mut nested = Vec::new();
            put_attribute(&mut nested, MDBA_ROUTER, &emit_routers(&self.routers));
            put_attribute(&mut bytes, GOPTS_MCAST_ROUTER_PORTS | NLA_F_NESTED, &nested);
        }
        bytes
    }

    fn parse(bytes: &[u8]) -> Self {
        let mut options = GlobalOptions::default();
        for (kind, value) in attributes(bytes) {
            match kind {
                GOPTS_ID => options.vid = Some(number(value) as u16),
                GOPTS_RANGE => options.range = Some(number(value) as u16),
                GOPTS_MCAST_ROUTER_PORTS => {
                    options.routers =
                        attributes(value).flat_map(|(_, routers)| parse_routers(routers)).collect();
                }
                kind => options.numbers.push((kind, number(value))),
            }
        }
        options
    }

    /// The number of an option.
    pub fn number(&self, wanted: u16) -> Option<u64> {
        self.numbers.iter().find(|(kind, _)| *kind == wanted).map(|(_, value)| *value)
    }
}

/// `struct bridge_vlan_xstats`: counters of a VLAN with its flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VlanXstats {
    pub vid: u16,
    pub flags: u16,
    pub stats: Stats,
}

const IFLA_STATS_LINK_XSTATS: u16 = 2;
const IFLA_STATS_LINK_XSTATS_SLAVE: u16 = 3;
const LINK_XSTATS_TYPE_BRIDGE: u16 = 1;
const BRIDGE_XSTATS_VLAN: u16 = 1;
/// Size of `struct if_stats_msg`.
const STATS_HEADER_LEN: usize = 12;

/// The bit of a filter for [`IFLA_STATS_LINK_XSTATS`], or that of ports.
pub fn xstats_filter(of_port: bool) -> u32 {
    1 << (if of_port { IFLA_STATS_LINK_XSTATS_SLAVE } else { IFLA_STATS_LINK_XSTATS } - 1)
}

/// The payload of a request for statistics (`struct if_stats_msg`).
pub fn stats_request(ifindex: u32, filter: u32) -> Vec<u8> {
    let mut bytes = header(0, ifindex);
    bytes.extend(filter.to_ne_bytes());
    bytes
}

/// Interface index and filter of a request for statistics, or of an answer.
pub fn parse_stats_header(payload: &[u8]) -> Option<(u32, u32)> {
    let (_, ifindex) = parse_header(payload)?;
    let filter = payload.get(HEADER_LEN..)?.first_chunk::<4>()?;
    Some((ifindex, u32::from_ne_bytes(*filter)))
}

/// A link's VLAN counters as an answer carries them; of a port where `of_port` says so.
pub fn emit_xstats(ifindex: u32, filter: u32, of_port: bool, vlans: &[VlanXstats]) -> Vec<u8> {
    let mut list = Vec::new();
    for vlan in vlans {
        let stats = vlan.stats;
        let mut value = Vec::with_capacity(40);
        for number in [stats.rx_bytes, stats.rx_packets, stats.tx_bytes, stats.tx_packets] {
            value.extend(number.to_ne_bytes());
        }
        value.extend(vlan.vid.to_ne_bytes());
        value.extend(vlan.flags.to_ne_bytes());
        value.extend([0; 4]);
        put_attribute(&mut list, BRIDGE_XSTATS_VLAN, &value);
    }
    let mut nested = Vec::new();
    put_attribute(&mut nested, LINK_XSTATS_TYPE_BRIDGE, &list);
    let kind = if of_port { IFLA_STATS_LINK_XSTATS_SLAVE } else { IFLA_STATS_LINK_XSTATS };
    let mut bytes = stats_request(ifindex, filter);
    put_attribute(&mut bytes, kind, &nested);
    bytes
}

/// The VLAN counters in an answer.
pub fn parse_xstats(payload: &[u8]) -> Vec<VlanXstats> {
    let mut found = Vec::new();
    let Some(body) = payload.get(STATS_HEADER_LEN..) else { return found };
    for (kind, value) in attributes(body) {
        if !matches!(kind, IFLA_STATS_LINK_XSTATS | IFLA_STATS_LINK_XSTATS_SLAVE) {
            continue;
        }
        for (_, list) in attributes(value).filter(|(kind, _)| *kind == LINK_XSTATS_TYPE_BRIDGE) {
            let vlans = attributes(list).filter(|(kind, _)| *kind == BRIDGE_XSTATS_VLAN);
            found.extend(vlans.filter_map(|(_, value)| parse_vlan_xstats(value)));
        }
    }
    found
}

fn parse_vlan_xstats(value: &[u8]) -> Option<VlanXstats> {
    let at = |from: usize, len: usize| value.get(from..from + len).map(number);
    Some(VlanXstats {
        stats: Stats {
            rx_bytes: at(0, 8)?,
            rx_packets: at(8, 8)?,
            tx_bytes: at(16, 8)?,
            tx_packets: at(24, 8)?,
        },
        vid: at(32, 2)? as u16,
        flags: at(34, 2)? as u16,
    })
}

fn header(family: u8, ifindex: u32) -> Vec<u8> {
    let mut bytes = vec![family, 0, 0, 0];
    bytes.extend(ifindex.to_ne_bytes());
    bytes
}

fn parse_header(payload: &[u8]) -> Option<(u8, u32)> {
    let head = payload.first_chunk::<HEADER_LEN>()?;
    Some((head[0], u32::from_ne_bytes([head[4], head[5], head[6], head[7]])))
}

/// A number of one to eight bytes in the machine's order.
fn number(value: &[u8]) -> u64 {
    match *value {
        [a] => a.into(),
        [a, b] => u16::from_ne_bytes([a, b]).into(),
        [a, b, c, d] => u32::from_ne_bytes([a, b, c, d]).into(),
        _ => value.first_chunk().map_or(0, |bytes| u64::from_ne_bytes(*bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive_the_round_trip() {
        let mut message = VlanMessage::new(7);
        message.parts.push(Part::Entry(Entry {
            info: Some((info::UNTAGGED, 10)),
            range: Some(20),
            state: Some(3),
            mcast_router: Some(1),
            stats: Some(Stats { rx_bytes: 1, rx_packets: 2, tx_bytes: 3, tx_packets: 4 }),
            tunnel: false,
        }));
        message.parts.push(Part::Global(GlobalOptions {
            vid: Some(10),
            range: None,
            numbers: vec![(global::MCAST_SNOOPING, 1), (global::MCAST_QUERIER_INTVL, 25_500)],
            routers: vec![Router { ifindex: 5, timer: Some(0), kind: Some(1), ..Router::default() }],
        }));
        assert_eq!(VlanMessage::parse(&message.emit()), Some(message));
        assert_eq!(VlanMessage::parse(&[7, 0, 0]), None);
    }

    #[test]
    fn counters_survive_the_round_trip() {
        let vlans = [VlanXstats {
            vid: 5,
            flags: info::PVID,
            stats: Stats { rx_bytes: 1, rx_packets: 2, tx_bytes: 3, tx_packets: 4 },
        }];
        let bytes = emit_xstats(3, xstats_filter(true), true, &vlans);
        assert_eq!(parse_stats_header(&bytes), Some((3, 4)));
        assert_eq!(parse_xstats(&bytes), vlans);
        assert!(parse_xstats(&bytes[..20]).is_empty());
    }
}
