//! Multicast databases of bridges: `RTM_NEWMDB`, `RTM_DELMDB`, `RTM_GETMDB` (net/bridge/br_mdb.c).

use std::net::IpAddr;

use hairpin_netlink::bridge_mdb::{
    self, Address, Entry, MdbMessage, PERMANENT, RTM_DELMDB, RTM_GETMDB, RTM_NEWMDB, Request, Router, flags,
};
use hairpin_netlink::codec::{Decoded, NLM_F_DUMP, NLM_F_MULTI};
use hairpin_netlink::{Answer, Errno, Failure};

use crate::dev::bridge::mdb::{self, Group, GroupAddress, Member, is_all_nodes, is_local};
use crate::dev::bridge::snoop::MdbChange;
use crate::dev::bridge::{Bridge, Clock, Event, State};
use crate::dev::{Kind, RxHandler};
use crate::device::DevId;
use crate::mac::Mac;
use crate::netns::NsId;
use crate::world::World;

use super::link::info::timer_left;

/// `RTPROT_KERNEL`, `RTPROT_STATIC`
const BY_REPORT: u8 = 2;
const BY_HAND: u8 = 4;

/// As `NL_SET_ERR_MSG_MOD` of the bridge module words it.
fn failure(errno: Errno, text: &str) -> Failure {
    Failure::with_text(errno, format!("bridge: {text}"))
}

fn wrong(text: &str) -> Failure {
    failure(Errno::EINVAL, text)
}

impl World {
    /// One request, or dump, of these kinds.
    ///
    /// # Errors
    /// The kernel's errno and extended-ack text.
    pub(super) fn rtnl_mdb(
        &mut self,
        ns: NsId,
        decoded: &Decoded<'_>,
        answer: &mut Answer,
    ) -> Result<(), Failure> {
        let dump = decoded.header.flags & NLM_F_DUMP == NLM_F_DUMP;
        match decoded.header.kind {
            RTM_GETMDB if dump => self.dump_mdb(ns, decoded.payload, answer),
            RTM_NEWMDB => self.change_mdb(ns, decoded.payload, false),
            RTM_DELMDB => self.change_mdb(ns, decoded.payload, true),
            _ => Err(Errno::EOPNOTSUPP.into()),
        }
    }

    /// `br_mdb_add`, `br_mdb_del`
    fn change_mdb(&mut self, ns: NsId, payload: &[u8], delete: bool) -> Result<(), Failure> {
        let request = Request::parse(payload).ok_or(Errno::EINVAL)?;
        let (bridge, entry) = self.parse_mdb(ns, &request)?;
        let device = self.devs.get(bridge).ok_or(Errno::ENODEV)?;
        let Kind::Bridge(state) = &device.kind else { return Err(Errno::EOPNOTSUPP.into()) };
        if !delete {
            if !device.is_up() {
                return Err(wrong("Bridge device is not running"));
            }
            if !state.mcast_snooping {
                return Err(wrong("Bridge's multicast processing is disabled"));
            }
        }
        let filters = state.vlan_filtering;
        let port =
            if entry.ifindex == device.ifindex { None } else { Some(self.mdb_port(ns, bridge, &entry)?) };
        let disabled = port.and_then(|dev| state.port(dev)).is_some_and(|port| port.state == State::Disabled);
        if !delete && disabled && entry.state != PERMANENT {
            return Err(wrong("Port is in disabled state and entry is not permanent"));
        }
        let group = match port {
            Some(dev) => state.port(dev).map(|port| &port.vlans),
            None => Some(&state.vlans),
        };
        // Without a VLAN, the entry is in every VLAN of its owner.
        let vids: Vec<u16> = match group {
            Some(group) if filters && entry.vid == 0 => group.all().iter().map(|vlan| vlan.vid).collect(),
            _ => vec![entry.vid],
        };
        let mut outcome = Ok(());
        for vid in vids {
            let entry = Entry { vid, ..entry };
            let acted = self.bridge_act(bridge, |state, clock| match delete {
                false => add(state, port, &entry, clock),
                true => remove(state, port, &entry, clock),
            });
            outcome = acted.unwrap_or_else(|| Err(Errno::ENODEV.into()));
            if outcome.is_err() && !delete {
                break;
            }
        }
        self.changed();
        outcome
    }

    /// `br_mdb_parse`
    fn parse_mdb(&self, ns: NsId, request: &Request) -> Result<(DevId, Entry), Failure> {
        if request.bridge == 0 {
            return Err(wrong("Invalid bridge ifindex"));
        }
        let bridge = self
            .device_at(ns, request.bridge)
            .ok_or_else(|| failure(Errno::ENODEV, "Bridge device doesn't exist"))?;
        if !matches!(self.devs.get(bridge).map(|device| &device.kind), Some(Kind::Bridge(_))) {
            return Err(failure(Errno::EOPNOTSUPP, "Device is not a bridge"));
        }
        let mut entry = match request.entry {
            Some(entry) => entry,
            None if request.has_entry => return Err(wrong("Invalid MDBA_SET_ENTRY attribute length")),
            None => return Err(wrong("Missing MDBA_SET_ENTRY attribute")),
        };
        check_entry(&entry)?;
        if let Some((len, source)) = request.source {
            entry.source = Some(check_source(&entry, len, source)?);
        }
        Ok((bridge, entry))
    }

    fn mdb_port(&self, ns: NsId, bridge: DevId, entry: &Entry) -> Result<DevId, Failure> {
        let port = self
            .device_at(ns, entry.ifindex)
            .ok_or_else(|| failure(Errno::ENODEV, "Port net device doesn't exist"))?;
        match self.devs.get(port).map(|device| &device.rx_handler) {
            Some(RxHandler::BridgePort { bridge: master }) if *master == bridge => Ok(port),
            Some(RxHandler::BridgePort { .. }) => Err(wrong("Port belongs to a different bridge device")),
            _ => Err(wrong("Net device is not a bridge port")),
        }
    }

    /// `br_mdb_dump`
    fn dump_mdb(&self, ns: NsId, payload: &[u8], answer: &mut Answer) -> Result<(), Failure> {
        match bridge_mdb::dump_index(payload) {
            None => return Err(wrong("Invalid header for mdb dump request")),
            Some(0) => {}
            Some(_) => {
                return Err(wrong("Filtering by device index is not supported for mdb dump request"));
            }
        }
        for device in self.devices_of(ns) {
            let Kind::Bridge(state) = &device.kind else { continue };
            let mut message = MdbMessage { ifindex: device.ifindex, ..MdbMessage::default() };
            if state.mcast_snooping {
                let groups = state.mdb.dump().into_iter().map(|(group, entry)| {
                    let host = entry.host_joined.then_some(None);
                    let members = entry.members.iter().map(|member| Some(*member));
                    let owners = host.into_iter().chain(members);
                    owners.map(|member| self.describe_mdb(device.ifindex, &group, entry, member)).collect()
                });
                message.groups = Some(groups.collect());
            }
            message.routers = self.router_ports(state);
            answer.push_raw(RTM_GETMDB, &message.emit(), NLM_F_MULTI);
        }
        Ok(())
    }

    /// `br_rports_fill_info`; none without a router.
    fn router_ports(&self, state: &Bridge) -> Option<Vec<Router>> {
        let left = |timer| timer_left(timer, self.now) as u32;
        let routers: Vec<Router> = state
            .ports
            .iter()
            .filter(|port| port.queries.iter().any(|queries| queries.is_router))
            .map(|port| {
                let [v4, v6] = port.queries;
                Router {
                    ifindex: self.devs.get(port.dev).map_or(0, |device| device.ifindex),
                    timer: Some(left(v4.router).max(left(v6.router))),
                    kind: Some(port.mcast_router),
                    inet_timer: v4.is_router.then(|| left(v4.router)),
                    inet6_timer: v6.is_router.then(|| left(v6.router)),
                }
            })
            .collect();
        (state.mcast_router != 0 && !routers.is_empty()).then_some(routers)
    }

    /// `__mdb_fill_info`
    fn describe_mdb(&self, bridge: u32, group: &Group, entry: &mdb::Entry, member: Option<Member>) -> Entry {
        let index = member.and_then(|member| self.devs.get(member.port)).map(|device| device.ifindex);
        let timer = member.map_or(entry.host_expires, |member| member.expires);
        let mut described = shown(bridge, group, member);
        described.ifindex = index.unwrap_or(bridge);
        described.timer = Some(timer_left(timer, self.now) as u32);
        described
    }

    /// What everybody who listens is told of a change (`br_mdb_notify`).
    pub(crate) fn mdb_notice(&self, bridge: DevId, change: &MdbChange) -> Option<MdbMessage> {
        let ifindex = self.devs.get(bridge)?.ifindex;
        let mut entry = shown(ifindex, &change.group, change.member);
        if let Some(member) = change.member {
            entry.ifindex = self.devs.get(member.port)?.ifindex;
            entry.timer = Some(timer_left(member.expires, self.now) as u32);
        } else {
            entry.timer = Some(0);
        }
        Some(MdbMessage { ifindex, groups: Some(vec![vec![entry]]), routers: None })
    }

    /// The same of a router port that came or went (`br_rtr_notify`).
    pub(crate) fn router_notice(&self, bridge: DevId, port: DevId) -> Option<MdbMessage> {
        let router = Router { ifindex: self.devs.get(port)?.ifindex, ..Router::default() };
        Some(MdbMessage {
            ifindex: self.devs.get(bridge)?.ifindex,
            groups: None,
            routers: Some(vec![router]),
        })
    }
}

fn shown(bridge: u32, group: &Group, member: Option<Member>) -> Entry {
    let permanent = member.is_some_and(|member| member.permanent) || !group.is_ip();
    let fast = member.is_some_and(|member| member.fast_leave);
    Entry {
        ifindex: bridge,
        state: if permanent { PERMANENT } else { 0 },
        flags: if fast { flags::FAST_LEAVE } else { 0 },
        vid: group.vid,
        address: match group.address {
            GroupAddress::Ip(address) => Address::Ip(address),
            GroupAddress::Mac(mac) => Address::Mac(mac.0),
        },
        source: group.source,
        timer: None,
        protocol: member.map(|member| if member.by_hand { BY_HAND } else { BY_REPORT }),
        mode: None,
    }
}

/// `is_valid_mdb_entry`
fn check_entry(entry: &Entry) -> Result<(), Failure> {
    if entry.ifindex == 0 {
        return Err(wrong("Zero entry ifindex is not allowed"));
    }
    match entry.address {
        Address::Ip(IpAddr::V4(group)) if !group.is_multicast() => {
            return Err(wrong("IPv4 entry group address is not multicast"));
        }
        Address::Ip(IpAddr::V4(group)) if is_local(group) => {
            return Err(wrong("IPv4 entry group address is local multicast"));
        }
        Address::Ip(IpAddr::V6(group)) if is_all_nodes(group) => {
            return Err(wrong("IPv6 entry group address is link-local all nodes"));
        }
        Address::Mac([first, ..]) if first & 1 == 0 => return Err(wrong("L2 entry group is not multicast")),
        Address::Unknown(_) => return Err(wrong("Unknown entry protocol")),
        _ => {}
    }
    if entry.state > PERMANENT {
        return Err(wrong("Unknown entry state"));
    }
    if entry.vid >= 0xfff {
        return Err(wrong("Invalid entry VLAN id"));
    }
    Ok(())
}

/// `is_valid_mdb_source`
fn check_source(entry: &Entry, len: usize, source: Option<IpAddr>) -> Result<IpAddr, Failure> {
    match (entry.address, source) {
        (Address::Ip(IpAddr::V4(_)), Some(IpAddr::V4(source))) if source.is_multicast() => {
            Err(wrong("IPv4 multicast source address is not allowed"))
        }
        (Address::Ip(IpAddr::V6(_)), Some(IpAddr::V6(source))) if source.is_multicast() => {
            Err(wrong("IPv6 multicast source address is not allowed"))
        }
        (Address::Ip(IpAddr::V4(_)), Some(source @ IpAddr::V4(_)))
        | (Address::Ip(IpAddr::V6(_)), Some(source @ IpAddr::V6(_))) => Ok(source),
        (Address::Ip(IpAddr::V4(_)), _) if (4..=16).contains(&len) => {
            Err(wrong("IPv4 invalid source address length"))
        }
        (Address::Ip(IpAddr::V6(_)), _) if (4..=16).contains(&len) => {
            Err(wrong("IPv6 invalid source address length"))
        }
        (Address::Ip(_), _) => Err(Errno::ERANGE.into()),
        _ => Err(wrong("Invalid protocol used with source address")),
    }
}

fn group_of(entry: &Entry) -> Group {
    let address = match entry.address {
        Address::Ip(address) => GroupAddress::Ip(address),
        Address::Mac(mac) => GroupAddress::Mac(Mac(mac)),
        Address::Unknown(_) => GroupAddress::Mac(Mac::ZERO),
    };
    Group { address, source: entry.source.filter(|source| !source.is_unspecified()), vid: entry.vid }
}

/// `br_mdb_add_group`
fn add(state: &mut Bridge, port: Option<DevId>, entry: &Entry, clock: Clock) -> Result<(), Failure> {
    let group = group_of(entry);
    let permanent = entry.state == PERMANENT;
    if port.is_none() && group.is_ip() {
        if permanent {
            return Err(wrong("Flags are not allowed for host groups"));
        }
        if group.source.is_some() {
            return Err(wrong("Groups with sources cannot be manually host joined"));
        }
    }
    if !group.is_ip() && !permanent {
        return Err(wrong("Only permanent L2 entries allowed"));
    }
    let until = clock.now.timer(state.snooping.membership_interval);
    let number = port.and_then(|dev| state.port(dev)).map_or(0, |port| port.number);
    let most = state.snooping.hash_max;
    let Some(known) = state.mdb.entry(group, most) else {
        // `br_multicast_new_group`: a full table ends snooping.
        state.mcast_snooping = false;
        return Err(Errno::E2BIG.into());
    };
    let Some(port) = port else {
        if known.host_joined {
            return Err(failure(Errno::EEXIST, "Group is already joined by host"));
        }
        known.host_joined = true;
        known.host_expires = group.is_ip().then_some(until);
        state.events.push(Event::Mdb(MdbChange { group, member: None, gone: false }));
        return Ok(());
    };
    if known.members.iter().any(|member| member.port == port) {
        return Err(failure(Errno::EEXIST, "Group is already joined by port"));
    }
    let member = Member {
        port,
        port_number: number,
        permanent,
        fast_leave: false,
        by_hand: true,
        reporter: None,
        expires: (!permanent).then_some(until),
        serial: 0,
    };
    state.mdb.add(&group, member);
    state.events.push(Event::Mdb(MdbChange { group, member: Some(member), gone: false }));
    Ok(())
}

/// `__br_mdb_del`
fn remove(state: &mut Bridge, port: Option<DevId>, entry: &Entry, clock: Clock) -> Result<(), Failure> {
    let group = group_of(entry);
    if !clock.up || !state.mcast_snooping {
        return Err(Errno::EINVAL.into());
    }
    let Some(known) = state.mdb.get_mut(&group) else { return Err(Errno::EINVAL.into()) };
    let member = match port {
        None if known.host_joined => {
            known.host_joined = false;
            known.host_expires = None;
            None
        }
        None => return Err(Errno::EINVAL.into()),
        Some(port) => {
            let at = known.members.iter().position(|member| member.port == port).ok_or(Errno::EINVAL)?;
            Some(known.members.remove(at))
        }
    };
    state.mdb.tidy(&group, clock.up);
    state.events.push(Event::Mdb(MdbChange { group, member, gone: true }));
    Ok(())
}
