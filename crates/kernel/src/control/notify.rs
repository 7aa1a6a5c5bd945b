//! Netlink notifications: what `ip monitor` shows, queued for every socket that joined the group.

use std::net::{IpAddr, Ipv6Addr};

use hairpin_netlink::bridge_mdb::{MdbMessage, RTM_DELMDB, RTM_NEWMDB};
use hairpin_netlink::bridge_vlan::{RTM_DELVLAN, RTM_NEWVLAN};
use hairpin_netlink::netconf::{self, NetconfMessage, RTM_DELNETCONF, RTM_NEWNETCONF};
use hairpin_netlink::nexthop::{RTM_DELNEXTHOP, RTM_NEWNEXTHOP};
use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::route::link::{LinkAttribute, LinkEvent};
use hairpin_netlink::route::neighbour::{NeighbourAttribute, NeighbourFlags, NeighbourMessage};
use hairpin_netlink::route::nsid::{NsidAttribute, NsidMessage};
use hairpin_netlink::route::prefix::{CacheInfo, PrefixAttribute, PrefixMessage};
use hairpin_netlink::{Message, Received, codec};

use crate::dev::Kind;
use crate::dev::bridge::fdb::{Entry, Key};
use crate::dev::bridge::snoop::MdbChange;
use crate::dev::vxlan;
use crate::dev::vxlan::Missed;
use crate::device::{DevId, Ipv4Address, Ipv6Address};
use crate::files::sysctl::Scope;
use crate::mac::Mac;
use crate::neigh::Neighbour;
use crate::netns::NsId;
use crate::route::RouteChange;
use crate::route6::Change6;
use crate::rtnl;
use crate::sock::{Item, Kind as SocketKind};
use crate::sysctl::Conf;
use crate::world::World;

/// `RTNLGRP_*`
mod group {
    pub const LINK: u32 = 1;
    pub const NEIGH: u32 = 3;
    pub const IPV4_IFADDR: u32 = 5;
    pub const IPV4_ROUTE: u32 = 7;
    pub const IPV4_RULE: u32 = 8;
    pub const IPV6_IFADDR: u32 = 9;
    pub const MDB: u32 = 26;
    pub const IPV6_ROUTE: u32 = 11;
    pub const IPV6_PREFIX: u32 = 18;
    pub const IPV6_RULE: u32 = 19;
    pub const IPV4_NETCONF: u32 = 24;
    pub const IPV6_NETCONF: u32 = 25;
    pub const NSID: u32 = 28;
    pub const NEXTHOP: u32 = 32;
    pub const BRVLAN: u32 = 33;
}

/// Of a neighbour: an entry of the device itself.
const NTF_SELF: u8 = 0x02;

impl World {
    /// Whether somebody listens to a group.
    fn listened(&self, ns: NsId, group: u32) -> bool {
        let Some(netns) = self.netns.get(ns) else { return false };
        netns.events.iter().any(|id| match self.sockets.get(*id).map(|socket| &socket.kind) {
            Some(SocketKind::RouteEvents { groups }) => groups >> (group - 1) & 1 != 0,
            _ => false,
        })
    }

    /// `rtnl_notify`
    fn broadcast(&mut self, ns: NsId, group: u32, message: &Message, flags: u16) {
        self.broadcast_bytes(ns, group, &codec::encode(message, flags, 0, 0));
    }

    fn broadcast_bytes(&mut self, ns: NsId, group: u32, bytes: &[u8]) {
        self.nlmon_tap(ns, bytes);
        let Some(netns) = self.netns.get(ns) else { return };
        for id in &netns.events {
            let Some(socket) = self.sockets.get_mut(*id) else { continue };
            if let SocketKind::RouteEvents { groups } = &socket.kind
                && groups >> (group - 1) & 1 != 0
            {
                socket.push(Item::Other(Box::new(Received::Netlink(bytes.to_vec()))));
            }
        }
    }

    /// `rtmsg_ifinfo_event`
    pub(crate) fn notify_link(&mut self, dev: DevId) {
        let Some(ns) = self.netns_of_settled(dev) else { return };
        self.number_link_netns(dev, ns);
        if self.listened(ns, group::LINK) {
            let message = Message::NewLink(self.link_message(dev, ns));
            self.broadcast(ns, group::LINK, &message, 0);
        }
    }

    /// The namespace of a device, unless it is about to go.
    fn netns_of_settled(&self, dev: DevId) -> Option<NsId> {
        self.devs.get(dev).filter(|device| !device.leaving).map(|device| device.ns)
    }

    /// As [`World::notify_link`], with what happened (`IFLA_EVENT`).
    pub(crate) fn notify_link_event(&mut self, dev: DevId, event: LinkEvent) {
        let Some(ns) = self.netns_of_settled(dev) else { return };
        if self.listened(ns, group::LINK) {
            let mut message = self.link_message(dev, ns);
            message.attributes.push(LinkAttribute::Event(event));
            self.broadcast(ns, group::LINK, &Message::NewLink(message), 0);
        }
    }

    /// What is told of a device that goes, once it is gone: it is written before (`rtmsg_ifinfo_build_skb`).
    pub(super) fn link_deleted_notice(&mut self, dev: DevId) -> Option<Message> {
        let ns = self.devs.get(dev)?.ns;
        self.number_link_netns(dev, ns);
        self.listened(ns, group::LINK).then(|| Message::DelLink(self.link_message(dev, ns)))
    }

    pub(super) fn notify_link_deleted(&mut self, dev: DevId, notice: &Message) {
        if let Some(ns) = self.devs.get(dev).map(|device| device.ns) {
            self.broadcast(ns, group::LINK, notice, 0);
        }
    }

    /// Linux writes the message whether anybody listens or not, and with it gives the namespace of the device
    /// below a number (`rtnl_fill_link_netnsid`).
    fn number_link_netns(&mut self, dev: DevId, ns: NsId) {
        let below =
            self.devs.get(dev).and_then(|device| device.lower()).and_then(|lower| self.devs.get(lower));
        let underlay = || self.devs.get(dev).and_then(|device| device.kind.underlay());
        if let Some(other) = below.map(|below| below.ns).or_else(underlay).filter(|other| *other != ns) {
            self.nsid_for(ns, other);
        }
    }

    /// A device leaves for another namespace, where it gets that index: here it is gone.
    pub(super) fn notify_link_moved(&mut self, dev: DevId, to: NsId, index: u32) {
        let Some(ns) = self.devs.get(dev).map(|device| device.ns) else { return };
        let id = self.nsid_for(ns, to);
        self.number_link_netns(dev, ns);
        if self.listened(ns, group::LINK) {
            let mut message = self.link_message(dev, ns);
            message.attributes.push(LinkAttribute::NewNetnsId(id));
            message.attributes.push(LinkAttribute::NewIfIndex(index as i32));
            self.broadcast(ns, group::LINK, &Message::DelLink(message), 0);
        }
    }

    /// `rtnl_net_notifyid`
    pub(crate) fn notify_nsid(&mut self, ns: NsId, id: i32, gone: bool) {
        if !self.listened(ns, group::NSID) {
            return;
        }
        let mut message = NsidMessage::default();
        message.attributes.push(NsidAttribute::Id(id));
        let message = if gone { Message::DelNsId(message) } else { Message::NewNsId(message) };
        self.broadcast(ns, group::NSID, &message, 0);
    }

    /// A device has settings of IP, or has them no more.
    pub(super) fn notify_configuration(&mut self, dev: DevId, gone: bool) {
        self.notify_ipv4_configuration(dev, gone);
        self.notify_ipv6_configuration(dev, gone);
    }

    /// A device has another name: what goes by it goes and comes (`devinet_sysctl_unregister`,
    /// `addrconf_sysctl_unregister`).
    pub(crate) fn notify_configuration_renamed(&mut self, dev: DevId) {
        for gone in [true, false] {
            self.notify_ipv4_configuration(dev, gone);
        }
        for gone in [true, false] {
            self.notify_ipv6_configuration(dev, gone);
        }
    }

    /// `inet_netconf_notify_devconf`
    pub(super) fn notify_ipv4_configuration(&mut self, dev: DevId, gone: bool) {
        self.broadcast_configuration(dev, AddressFamily::Inet, group::IPV4_NETCONF, gone);
    }

    /// `inet6_netconf_notify_devconf`
    pub(super) fn notify_ipv6_configuration(&mut self, dev: DevId, gone: bool) {
        self.broadcast_configuration(dev, AddressFamily::Inet6, group::IPV6_NETCONF, gone);
    }

    /// A setting of IPv4 has another value (`devinet_conf_proc`, `devinet_sysctl_forward`); those of which nobody is told are
    /// left out. `ifindex` is a device's, or stands for all of them, or for those to come.
    pub(crate) fn notify_setting(&mut self, ns: NsId, ifindex: i32, conf: Conf, value: i32) {
        let kind = match conf {
            Conf::Forwarding => netconf::FORWARDING,
            Conf::RpFilter => netconf::RP_FILTER,
            Conf::ProxyArp => netconf::PROXY_NEIGH,
            Conf::IgnoreRoutesWithLinkdown => netconf::IGNORE_LINKDOWN,
            _ => return,
        };
        let message = NetconfMessage {
            family: AddressFamily::Inet.into(),
            ifindex: Some(ifindex),
            values: vec![(kind, value)],
        };
        self.broadcast_settings(ns, group::IPV4_NETCONF, RTM_NEWNETCONF, &message);
    }

    /// A router has advertised a prefix (`inet6_prefix_notify`); `flags` are those of its option. Lifetimes are in seconds.
    pub(super) fn notify_prefix(
        &mut self,
        dev: DevId,
        (prefix, length): (Ipv6Addr, u8),
        flags: u8,
        (valid, preferred): (u32, u32),
    ) {
        /// `ND_OPT_PREFIX_INFORMATION`
        const INFORMATION: u8 = 3;
        let Some((ns, ifindex)) = self.devs.get(dev).map(|device| (device.ns, device.ifindex)) else {
            return;
        };
        if !self.listened(ns, group::IPV6_PREFIX) {
            return;
        }
        let mut message = PrefixMessage::default();
        message.header.prefix_family = AddressFamily::Inet6.into();
        message.header.ifindex = ifindex as i32;
        message.header.prefix_type = INFORMATION;
        message.header.prefix_len = length;
        message.header.flags = flags;
        let mut times = CacheInfo::default();
        (times.preferred_time, times.valid_time) = (preferred, valid);
        message.attributes = vec![PrefixAttribute::Address(prefix), PrefixAttribute::CacheInfo(times)];
        self.broadcast(ns, group::IPV6_PREFIX, &Message::NewPrefix(message), 0);
    }

    fn broadcast_configuration(&mut self, dev: DevId, family: AddressFamily, group: u32, gone: bool) {
        let Some(ns) = self.devs.get(dev).map(|device| device.ns) else { return };
        if !self.listened(ns, group) {
            return;
        }
        let Some(mut message) = self.netconf_message(ns, family, Scope::Device(dev)) else { return };
        if gone {
            message.values.clear();
        }
        let kind = if gone { RTM_DELNETCONF } else { RTM_NEWNETCONF };
        self.broadcast_settings(ns, group, kind, &message);
    }

    fn broadcast_settings(&mut self, ns: NsId, group: u32, kind: u16, message: &NetconfMessage) {
        if self.listened(ns, group) {
            let header = codec::Header { kind, flags: 0, sequence: 0, port: 0 };
            self.broadcast_bytes(ns, group, &codec::encode_raw(header, &message.emit()));
        }
    }

    /// A port's state or flags, or its VLANs or the bridge's, have changed (`br_ifinfo_notify`).
    pub(crate) fn notify_bridge_link(&mut self, dev: DevId) {
        let Some(ns) = self.devs.get(dev).map(|device| device.ns) else { return };
        if self.listened(ns, group::LINK)
            && let Some(message) = self.bridge_link_message(dev)
        {
            self.broadcast(ns, group::LINK, &Message::NewLink(message), 0);
        }
    }

    /// VLANs `first` to `last` of a bridge or its port came, changed or (`gone`) went (`br_vlan_notify`).
    pub(crate) fn notify_vlans(&mut self, dev: DevId, first: u16, last: u16, gone: bool) {
        if let Some(bridge) = self.devs.get(dev).and_then(|device| device.master) {
            self.settle_bound_vlans(bridge);
        }
        let Some(ns) = self.devs.get(dev).map(|device| device.ns) else { return };
        if self.listened(ns, group::BRVLAN)
            && let Some(message) = self.vlan_notice(dev, first, last, gone)
        {
            let kind = if gone { RTM_DELVLAN } else { RTM_NEWVLAN };
            let header = codec::Header { kind, flags: 0, sequence: 0, port: 0 };
            let bytes = codec::encode_raw(header, &message.emit());
            self.broadcast_bytes(ns, group::BRVLAN, &bytes);
        }
    }

    /// `br_mdb_notify`
    pub(crate) fn notify_mdb(&mut self, bridge: DevId, change: &MdbChange) {
        let message = self.mdb_notice(bridge, change);
        self.broadcast_mdb(bridge, message, change.gone);
    }

    /// `br_rtr_notify`
    pub(crate) fn notify_router_port(&mut self, bridge: DevId, port: DevId, gone: bool) {
        let message = self.router_notice(bridge, port);
        self.broadcast_mdb(bridge, message, gone);
    }

    fn broadcast_mdb(&mut self, bridge: DevId, message: Option<MdbMessage>, gone: bool) {
        let Some(ns) = self.devs.get(bridge).map(|device| device.ns) else { return };
        if let Some(message) = message.filter(|_| self.listened(ns, group::MDB)) {
            let kind = if gone { RTM_DELMDB } else { RTM_NEWMDB };
            let header = codec::Header { kind, flags: 0, sequence: 0, port: 0 };
            self.broadcast_bytes(ns, group::MDB, &codec::encode_raw(header, &message.emit()));
        }
    }

    pub(super) fn notify_bridge_port_gone(&mut self, port: DevId, bridge: DevId) {
        let Some(ns) = self.devs.get(port).map(|device| device.ns) else { return };
        if self.listened(ns, group::LINK)
            && let Some(message) = self.former_port_message(port, bridge)
        {
            self.broadcast(ns, group::LINK, &Message::DelLink(message), 0);
        }
    }

    /// `nexthop_notify`
    pub(super) fn notify_nexthop(&mut self, ns: NsId, id: u32, gone: bool) {
        if !self.listened(ns, group::NEXTHOP) {
            return;
        }
        let object = self.netns.get(ns).and_then(|netns| netns.nexthops.get(id));
        let Some(message) = object.map(|object| rtnl::nexthop::nexthop_message(id, object)) else { return };
        let kind = if gone { RTM_DELNEXTHOP } else { RTM_NEWNEXTHOP };
        let header = codec::Header { kind, flags: 0, sequence: 0, port: 0 };
        self.broadcast_bytes(ns, group::NEXTHOP, &codec::encode_raw(header, &message.emit()));
    }

    pub(crate) fn notify_routes(&mut self, ns: NsId, changes: &[RouteChange]) {
        for change in changes {
            if let RouteChange::Removed(route) = change {
                self.routes.exceptions.forget_route(ns, route);
            }
        }
        if !changes.is_empty() {
            self.changed();
        }
        if !self.listened(ns, group::IPV4_ROUTE) {
            return;
        }
        for change in changes {
            let Some(fib) = self.fib.get(ns) else { return };
            let notification = rtnl::route::announce(fib, change);
            self.broadcast(ns, group::IPV4_ROUTE, &notification.message, notification.flags);
        }
    }

    pub(crate) fn notify_routes6(&mut self, ns: NsId, changes: &[Change6]) {
        for change in changes {
            if let Change6::Removed(route) = change {
                self.routes6.forget_route(ns, route);
            }
        }
        if !changes.is_empty() {
            self.changed();
        }
        if !self.listened(ns, group::IPV6_ROUTE) {
            return;
        }
        for change in changes {
            let notification = rtnl::route6::announce(change, self.now);
            self.broadcast(ns, group::IPV6_ROUTE, &notification.message, notification.flags);
        }
    }

    /// Sends what a route or rule handler wants announced.
    pub(crate) fn announce(&mut self, ns: NsId, notifications: &[rtnl::Notification]) {
        if !notifications.is_empty() {
            self.changed();
        }
        for notification in notifications {
            let group = match &notification.message {
                Message::NewRule(rule) | Message::DelRule(rule)
                    if rule.header.family == AddressFamily::Inet6 =>
                {
                    group::IPV6_RULE
                }
                Message::NewRule(_) | Message::DelRule(_) => group::IPV4_RULE,
                _ => group::IPV4_ROUTE,
            };
            if self.listened(ns, group) {
                self.broadcast(ns, group, &notification.message, notification.flags);
            }
        }
    }

    pub(super) fn notify_address(&mut self, dev: DevId, address: &Ipv4Address, gone: bool) {
        let Some(device) = self.devs.get(dev) else { return };
        let (ns, ifindex) = (device.ns, device.ifindex);
        if self.listened(ns, group::IPV4_IFADDR) {
            let message = rtnl::addr::ipv4_message(ifindex, address, self.now);
            let message = if gone { Message::DelAddress(message) } else { Message::NewAddress(message) };
            self.broadcast(ns, group::IPV4_IFADDR, &message, 0);
        }
    }

    pub(super) fn notify_address6(&mut self, dev: DevId, address: &Ipv6Address, gone: bool) {
        let Some(device) = self.devs.get(dev) else { return };
        let (ns, ifindex) = (device.ns, device.ifindex);
        if self.listened(ns, group::IPV6_IFADDR) {
            let message = rtnl::addr::ipv6_message(ifindex, address, self.now);
            let message = if gone { Message::DelAddress(message) } else { Message::NewAddress(message) };
            self.broadcast(ns, group::IPV6_IFADDR, &message, 0);
        }
    }

    pub(crate) fn notify_neighbour(&mut self, ns: NsId, ifindex: u32, address: IpAddr) {
        if !self.listened(ns, group::NEIGH) {
            return;
        }
        let Some(entry) =
            self.netns.get(ns).and_then(|netns| netns.neighbours(address).get(ifindex, address))
        else {
            return;
        };
        let message = Message::NewNeighbour(rtnl::neigh::neighbour_message(
            ifindex,
            address,
            entry,
            self.neigh_address_len(entry),
            self.now,
        ));
        self.broadcast(ns, group::NEIGH, &message, 0);
    }

    pub(crate) fn notify_neighbour_gone(
        &mut self,
        ns: NsId,
        ifindex: u32,
        address: IpAddr,
        entry: &Neighbour,
    ) {
        if self.listened(ns, group::NEIGH) {
            let message = rtnl::neigh::neighbour_message(
                ifindex,
                address,
                entry,
                self.neigh_address_len(entry),
                self.now,
            );
            self.broadcast(ns, group::NEIGH, &Message::DelNeighbour(message), 0);
        }
    }

    /// An entry of a bridge's forwarding database came, moved or went.
    pub(crate) fn notify_fdb(&mut self, bridge: DevId, key: Key, entry: &Entry, gone: bool) {
        let Some(ns) = self.devs.get(bridge).map(|device| device.ns) else { return };
        if entry.fixed || entry.added_by_user {
            self.teach_entry(bridge, key);
        }
        if !self.listened(ns, group::NEIGH) {
            return;
        }
        if let Some(message) = self.fdb_message(bridge, key, entry) {
            let message = if gone { Message::DelNeighbour(message) } else { Message::NewNeighbour(message) };
            self.broadcast(ns, group::NEIGH, &message, 0);
        }
    }

    /// `rtnl_fdb_notify`: what a device took for itself is told beside what its kind tells.
    pub(crate) fn notify_own_fdb(&mut self, dev: DevId, mac: Mac, vlan: u16, state: u16, gone: bool) {
        let Some((ns, ifindex)) = self.devs.get(dev).map(|device| (device.ns, device.ifindex)) else {
            return;
        };
        if !self.listened(ns, group::NEIGH) {
            return;
        }
        let mut message = NeighbourMessage::default();
        let header = &mut message.header;
        header.family = AddressFamily::Bridge;
        header.ifindex = ifindex;
        header.state = state.into();
        header.flags = NeighbourFlags::from_bits_retain(NTF_SELF);
        message.attributes.push(NeighbourAttribute::LinkLayerAddress(mac.0.to_vec()));
        if vlan != 0 {
            message.attributes.push(NeighbourAttribute::Vlan(vlan));
        }
        let message = if gone { Message::DelNeighbour(message) } else { Message::NewNeighbour(message) };
        self.broadcast(ns, group::NEIGH, &message, 0);
    }

    /// Own addresses have been added to a bridge's forwarding database.
    pub(crate) fn notify_own_addresses(&mut self, bridge: DevId) {
        let Some(Kind::Bridge(state)) = self.devs.get_mut(bridge).map(|device| &mut device.kind) else {
            return;
        };
        for key in state.fdb.take_news() {
            let entry = match self.devs.get(bridge).map(|device| &device.kind) {
                Some(Kind::Bridge(state)) => state.fdb.get(key.0, key.1).copied(),
                _ => None,
            };
            if let Some(entry) = entry {
                self.notify_fdb(bridge, key, &entry, false);
            }
        }
    }

    /// An entry of a vxlan device came, moved or went.
    pub(crate) fn notify_vxlan_fdb(&mut self, dev: DevId, key: vxlan::Key, entry: &vxlan::Entry, gone: bool) {
        let Some(ns) = self.devs.get(dev).map(|device| device.ns) else { return };
        if !self.listened(ns, group::NEIGH) {
            return;
        }
        let shown = if gone { entry.remotes.first() } else { entry.remotes.last() };
        if let Some(message) = shown.and_then(|remote| self.vxlan_fdb_message(dev, key, entry, remote)) {
            let message = if gone { Message::DelNeighbour(message) } else { Message::NewNeighbour(message) };
            self.broadcast(ns, group::NEIGH, &message, 0);
        }
    }

    /// A vxlan device does not know a destination (`vxlan_fdb_miss`).
    pub(crate) fn notify_vxlan_miss(&mut self, dev: DevId, missed: Missed) {
        let Some(ns) = self.devs.get(dev).map(|device| device.ns) else { return };
        if self.listened(ns, group::NEIGH)
            && let Some(message) = self.vxlan_miss_message(dev, missed)
        {
            self.broadcast(ns, group::NEIGH, &Message::GetNeighbour(message), 0);
        }
    }
}
