//! Multicast databases of bridges: `RTM_NEWMDB` and its kin, for which the typed crate has no messages
//! (net/bridge/br_mdb.c, include/uapi/linux/if_bridge.h).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::codec::{NLA_F_NESTED, attributes, put_attribute};

pub const RTM_NEWMDB: u16 = 84;
pub const RTM_DELMDB: u16 = 85;
pub const RTM_GETMDB: u16 = 86;

/// `MDB_PERMANENT`
pub const PERMANENT: u8 = 1;
/// `MDB_FLAGS_*`
pub mod flags {
    pub const OFFLOAD: u8 = 1 << 0;
    pub const FAST_LEAVE: u8 = 1 << 1;
    pub const STAR_EXCL: u8 = 1 << 2;
    pub const BLOCKED: u8 = 1 << 3;
}

const MDBA_MDB: u16 = 1;
const MDBA_ROUTER: u16 = 2;
const MDBA_MDB_ENTRY: u16 = 1;
const MDBA_MDB_ENTRY_INFO: u16 = 1;
const EATTR_TIMER: u16 = 1;
const EATTR_GROUP_MODE: u16 = 3;
const EATTR_SOURCE: u16 = 4;
const EATTR_RTPROT: u16 = 5;
const MDBA_ROUTER_PORT: u16 = 1;
const PATTR_TIMER: u16 = 1;
const PATTR_TYPE: u16 = 2;
const PATTR_INET_TIMER: u16 = 3;
const PATTR_INET6_TIMER: u16 = 4;
const MDBA_SET_ENTRY: u16 = 1;
const MDBA_SET_ENTRY_ATTRS: u16 = 2;
const MDBE_ATTR_SOURCE: u16 = 1;
/// Size of `struct br_port_msg`.
const HEADER_LEN: usize = 8;
/// Size of `struct br_mdb_entry`.
const ENTRY_LEN: usize = 28;
const AF_BRIDGE: u8 = 7;
const ETH_P_IP: u16 = 0x0800;
const ETH_P_IPV6: u16 = 0x86dd;

/// A group: of IP, or an Ethernet address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    Ip(IpAddr),
    Mac([u8; 6]),
    /// Of an EtherType that there are no groups of.
    Unknown(u16),
}

/// `struct br_mdb_entry` with what is said of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The port, or the bridge itself.
    pub ifindex: u32,
    pub state: u8,
    /// [`flags`]
    pub flags: u8,
    pub vid: u16,
    pub address: Address,
    pub source: Option<IpAddr>,
    /// What is left of a membership, in `USER_HZ` ticks.
    pub timer: Option<u32>,
    /// `RTPROT_*` of who added it.
    pub protocol: Option<u8>,
    /// `MCAST_INCLUDE` (1) or `MCAST_EXCLUDE` (0).
    pub mode: Option<u8>,
}

/// A port that leads to a router of multicast. Times in `USER_HZ` ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Router {
    pub ifindex: u32,
    pub timer: Option<u32>,
    pub kind: Option<u8>,
    pub inet_timer: Option<u32>,
    pub inet6_timer: Option<u32>,
}

/// A message about a bridge's multicast: entries grouped by their group, and router ports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MdbMessage {
    pub ifindex: u32,
    /// None where the message has no list.
    pub groups: Option<Vec<Vec<Entry>>>,
    pub routers: Option<Vec<Router>>,
}

impl MdbMessage {
    /// The payload of a netlink message.
    pub fn emit(&self) -> Vec<u8> {
        let mut bytes = header(self.ifindex);
        if let Some(groups) = &self.groups {
            let mut list = Vec::new();
            for group in groups {
                let mut nested = Vec::new();
                for entry in group {
                    put_attribute(&mut nested, MDBA_MDB_ENTRY_INFO, &entry.emit_with_attributes());
                }
                put_attribute(&mut list, MDBA_MDB_ENTRY, &nested);
            }
            put_attribute(&mut bytes, MDBA_MDB, &list);
        }
        if let Some(routers) = &self.routers {
            put_attribute(&mut bytes, MDBA_ROUTER, &emit_routers(routers));
        }
        bytes
    }

    /// Reads a payload; none if it is too short for its header.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let mut message = MdbMessage { ifindex: number(payload.get(4..HEADER_LEN)?), ..Self::default() };
        for (kind, value) in attributes(payload.get(HEADER_LEN..)?) {
            match kind {
                MDBA_MDB => {
                    let groups = attributes(value).map(|(_, group)| {
                        attributes(group)
                            .filter_map(|(_, entry)| Entry::parse_with_attributes(entry))
                            .collect()
                    });
                    message.groups = Some(groups.collect());
                }
                MDBA_ROUTER => {
                    let routers = attributes(value).filter_map(|(_, router)| Router::parse(router));
                    message.routers = Some(routers.collect());
                }
                _ => {}
            }
        }
        Some(message)
    }
}

/// `MDBA_ROUTER`'s value.
pub fn emit_routers(routers: &[Router]) -> Vec<u8> {
    let mut list = Vec::new();
    for router in routers {
        put_attribute(&mut list, MDBA_ROUTER_PORT, &router.emit());
    }
    list
}

/// The payload of a dump request.
pub fn dump_request() -> Vec<u8> {
    header(0)
}

/// The bridge that a dump is limited to, which no kernel allows: 0 for all.
pub fn dump_index(payload: &[u8]) -> Option<u32> {
    payload.get(4..HEADER_LEN).map(number)
}

/// What a request to add or delete says, as far as it can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    pub bridge: u32,
    /// None without an entry, or with one of the wrong length.
    pub entry: Option<Entry>,
    /// There is an entry, of whatever length.
    pub has_entry: bool,
    /// The length of the source's address, and the address if it is one of IP.
    pub source: Option<(usize, Option<IpAddr>)>,
}

impl Request {
    /// The payload of a request.
    pub fn emit(bridge: u32, entry: &Entry) -> Vec<u8> {
        let mut bytes = header(bridge);
        put_attribute(&mut bytes, MDBA_SET_ENTRY, &entry.emit());
        if let Some(source) = entry.source {
            let mut nested = Vec::new();
            put_attribute(&mut nested, MDBE_ATTR_SOURCE, &octets(source));
            put_attribute(&mut bytes, MDBA_SET_ENTRY_ATTRS | NLA_F_NESTED, &nested);
        }
        bytes
    }

    /// Reads a payload; none if it is too short for its header.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let bridge = number(payload.get(4..HEADER_LEN)?);
        let mut request = Request { bridge, entry: None, has_entry: false, source: None };
        for (kind, value) in attributes(payload.get(HEADER_LEN..)?) {
            match kind {
                MDBA_SET_ENTRY => {
                    request.has_entry = true;
                    request.entry = Entry::parse(value).filter(|_| value.len() == ENTRY_LEN);
                }
                MDBA_SET_ENTRY_ATTRS => {
                    request.source = attributes(value)
                        .find(|(kind, _)| *kind == MDBE_ATTR_SOURCE)
                        .map(|(_, source)| (source.len(), address(source)));
                }
                _ => {}
            }
        }
        Some(request)
    }
}

impl Entry {
    fn emit(&self) -> Vec<u8> {
        let mut bytes = self.ifindex.to_ne_bytes().to_vec();
        bytes.extend([self.state, self.flags]);
        bytes.extend(self.vid.to_ne_bytes());
        let (octets, protocol) = match self.address {
            Address::Ip(ip) => (octets(ip), if ip.is_ipv4() { ETH_P_IP } else { ETH_P_IPV6 }),
            Address::Mac(mac) => (mac.to_vec(), 0),
            Address::Unknown(protocol) => (Vec::new(), protocol),
        };
        bytes.extend(octets);
        bytes.resize(24, 0);
        bytes.extend(protocol.to_be_bytes());
        bytes.resize(ENTRY_LEN, 0);
        bytes
    }

    fn emit_with_attributes(&self) -> Vec<u8> {
        let mut bytes = self.emit();
        if let Some(timer) = self.timer {
            put_attribute(&mut bytes, EATTR_TIMER, &timer.to_ne_bytes());
        }
        if let Some(source) = self.source {
            put_attribute(&mut bytes, EATTR_SOURCE, &octets(source));
        }
        if let Some(protocol) = self.protocol {
            put_attribute(&mut bytes, EATTR_RTPROT, &[protocol]);
        }
        if let Some(mode) = self.mode {
            put_attribute(&mut bytes, EATTR_GROUP_MODE, &[mode]);
        }
        bytes
    }

    fn parse(value: &[u8]) -> Option<Self> {
        let fixed = value.first_chunk::<ENTRY_LEN>()?;
        let address = match u16::from_be_bytes([fixed[24], fixed[25]]) {
            ETH_P_IP => Address::Ip(address(&fixed[8..12])?),
            ETH_P_IPV6 => Address::Ip(address(&fixed[8..24])?),
            0 => Address::Mac(*fixed[8..].first_chunk()?),
            other => Address::Unknown(other),
        };
        Some(Entry {
            ifindex: number(&fixed[0..4]),
            state: fixed[4],
            flags: fixed[5],
            vid: u16::from_ne_bytes([fixed[6], fixed[7]]),
            address,
            source: None,
            timer: None,
            protocol: None,
            mode: None,
        })
    }

    fn parse_with_attributes(value: &[u8]) -> Option<Self> {
        let mut entry = Self::parse(value)?;
        for (kind, value) in attributes(value.get(ENTRY_LEN..)?) {
            match kind {
                EATTR_TIMER => entry.timer = Some(number(value)),
                EATTR_SOURCE => entry.source = address(value),
                EATTR_RTPROT => entry.protocol = value.first().copied(),
                EATTR_GROUP_MODE => entry.mode = value.first().copied(),
                _ => {}
            }
        }
        Some(entry)
    }
}

impl Router {
    fn emit(&self) -> Vec<u8> {
        let mut bytes = self.ifindex.to_ne_bytes().to_vec();
        let mut put = |kind, timer: Option<u32>| {
            if let Some(timer) = timer {
                put_attribute(&mut bytes, kind, &timer.to_ne_bytes());
            }
        };
        put(PATTR_TIMER, self.timer);
        if let Some(kind) = self.kind {
            put_attribute(&mut bytes, PATTR_TYPE, &[kind]);
        }
        let mut put = |kind, timer: Option<u32>| {
            if let Some(timer) = timer {
                put_attribute(&mut bytes, kind, &timer.to_ne_bytes());
            }
        };
        put(PATTR_INET_TIMER, self.inet_timer);
        put(PATTR_INET6_TIMER, self.inet6_timer);
        bytes
    }

    fn parse(value: &[u8]) -> Option<Self> {
        let mut router = Router { ifindex: number(value.get(0..4)?), ..Router::default() };
        for (kind, value) in attributes(value.get(4..)?) {
            match kind {
                PATTR_TIMER => router.timer = Some(number(value)),
                PATTR_TYPE => router.kind = value.first().copied(),
                PATTR_INET_TIMER => router.inet_timer = Some(number(value)),
                PATTR_INET6_TIMER => router.inet6_timer = Some(number(value)),
                _ => {}
            }
        }
        Some(router)
    }
}

/// Router ports in `MDBA_ROUTER`'s value.
pub fn parse_routers(value: &[u8]) -> Vec<Router> {
    attributes(value).filter_map(|(_, router)| Router::parse(router)).collect()
}

fn header(ifindex: u32) -> Vec<u8> {
    let mut bytes = vec![AF_BRIDGE, 0, 0, 0];
    bytes.extend(ifindex.to_ne_bytes());
    bytes
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => bytes.first_chunk::<4>().map(|octets| IpAddr::V4(Ipv4Addr::from(*octets))),
        16 => bytes.first_chunk::<16>().map(|octets| IpAddr::V6(Ipv6Addr::from(*octets))),
        _ => None,
    }
}

fn number(value: &[u8]) -> u32 {
    value.first_chunk().map_or(0, |bytes| u32::from_ne_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(address: Address) -> Entry {
        Entry {
            ifindex: 3,
            state: PERMANENT,
            flags: flags::FAST_LEAVE,
            vid: 10,
            address,
            source: Some(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1))),
            timer: Some(26_000),
            protocol: Some(2),
            mode: None,
        }
    }

    #[test]
    fn messages_survive_the_round_trip() {
        let v4 = Address::Ip(IpAddr::V4(Ipv4Addr::new(239, 1, 1, 1)));
        let v6 = Address::Ip(IpAddr::V6(Ipv6Addr::new(0xff05, 0, 0, 0, 0, 0, 0, 9)));
        let mac = Address::Mac([1, 0, 0x5e, 0, 0, 1]);
        let message = MdbMessage {
            ifindex: 2,
            groups: Some(vec![vec![entry(v4), entry(v6)], vec![entry(mac)]]),
            routers: Some(vec![Router {
                ifindex: 4,
                timer: Some(1),
                kind: Some(1),
                inet_timer: Some(1),
                inet6_timer: None,
            }]),
        };
        assert_eq!(MdbMessage::parse(&message.emit()), Some(message));
        assert_eq!(MdbMessage::parse(&[7, 0]), None);
    }

    #[test]
    fn requests_survive_the_round_trip() {
        let wanted = entry(Address::Ip(IpAddr::V4(Ipv4Addr::new(239, 1, 1, 1))));
        let bytes = Request::emit(2, &wanted);
        let request = Request::parse(&bytes).expect("a request");
        assert_eq!((request.bridge, request.source), (2, Some((4, wanted.source))));
        let bare = Entry { source: None, timer: None, protocol: None, ..wanted };
        assert_eq!(request.entry, Some(bare));
    }
}
