//! IPv4 addresses of devices, and what comes and goes with them (net/ipv4/devinet.c).

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use hairpin_netlink::{Errno, Failure};

use crate::device::{DevId, Device, Ipv4Address, Ipv4Group, ifa};
use crate::ip::igmp::Change;
use crate::mac::Mac;
use crate::neigh::{Neighbour, arp};
use crate::netns::NsId;
use crate::route::{InterfaceAddress, Scope};
use crate::sysctl::Conf;
use crate::world::{TimerEvent, World};

use super::state::IPV4_MIN_MTU;

/// The group every IPv4 host listens to (RFC 1112 §4).
const ALL_HOSTS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 1);
/// `RT_SCOPE_HOST`
const SCOPE_HOST: u8 = 254;
/// `INFINITY_LIFE_TIME`
const FOREVER: u32 = u32::MAX;

/// An address to be added (`rtm_to_ifaddr`).
#[derive(Clone, Debug)]
pub(crate) struct AddressRequest {
    pub local: Ipv4Addr,
    pub peer: Ipv4Addr,
    pub prefix_len: u8,
    pub broadcast: Option<Ipv4Addr>,
    pub scope: u8,
    pub flags: u32,
    pub label: Option<String>,
    pub valid_lft: u32,
    pub preferred_lft: u32,
    pub metric: u32,
    pub protocol: u8,
}

impl World {
    /// `inet_rtm_newaddr`. `replace` allows an address that is there already, whose life is renewed.
    ///
    /// # Errors
    /// `EEXIST`; `EINVAL` for a scope that differs from the subnet's other addresses'; `ENOBUFS` where the MTU
    /// is too small for IPv4.
    pub(crate) fn add_address(
        &mut self,
        dev: DevId,
        request: &AddressRequest,
        replace: bool,
    ) -> Result<(), Failure> {
        let now = self.now;
        let Some(device) = self.devs.get_mut(dev) else { return Err(Errno::ENODEV.into()) };
        if !device.has_ipv4 {
            return Err(Errno::ENOBUFS.into());
        }
        device.ipv4_conf.keep_all();
        if request.local.is_unspecified() {
            // `__inet_insert_ifa` takes it and keeps nothing.
            return Ok(());
        }
        let same_subnet = |known: &Ipv4Address| {
            known.prefix_len == request.prefix_len
                && masked(known.peer, known.prefix_len) == masked(request.peer, known.prefix_len)
        };
        if let Some(known) =
            device.ipv4.iter_mut().find(|known| same_subnet(known) && known.local == request.local)
        {
            if !replace {
                return Err(Errno::EEXIST.into());
            }
            let (old_metric, metric) = (known.metric, request.metric);
            known.metric = metric;
            known.updated = now;
            set_lifetime(known, request);
            let local = known.local;
            return self.address_renewed(dev, local, (old_metric != metric).then_some(old_metric));
        }
        let mut address = Ipv4Address {
            local: request.local,
            peer: request.peer,
            prefix_len: request.prefix_len,
            broadcast: request.broadcast.unwrap_or(Ipv4Addr::UNSPECIFIED),
            scope: request.scope,
            flags: request.flags & !(ifa::SECONDARY | ifa::TENTATIVE | ifa::NODAD),
            label: request.label.clone().unwrap_or_else(|| device.name.clone()),
            valid_lft: FOREVER,
            preferred_lft: FOREVER,
            metric: request.metric,
            protocol: request.protocol,
            created: now,
            updated: now,
        };
        set_lifetime(&mut address, request);
        // `__inet_insert_ifa`: primaries behind the last of no narrower scope, secondaries last.
        let mut place = 0;
        for (i, known) in device.ipv4.iter().enumerate() {
            if known.flags & ifa::SECONDARY == 0 && address.scope <= known.scope {
                place = i + 1;
            }
            if same_subnet(known) {
                if known.scope != address.scope {
                    return Err(Errno::EINVAL.into());
                }
                address.flags |= ifa::SECONDARY;
            }
        }
        if address.flags & ifa::SECONDARY != 0 {
            place = device.ipv4.len();
        }
        self.check_ipvlan_address(dev, address.peer.into())?;
        let Some(device) = self.devs.get_mut(dev) else { return Err(Errno::ENODEV.into()) };
        device.ipv4.insert(place, address.clone());
        refresh_routing(device);
        self.ipvlan_addresses_changed(dev);
        self.schedule_expiry(dev, &address);
        self.changed();
        self.notify_address(dev, &address, false);
        self.routes_of_address(dev, &address);
        Ok(())
    }

    fn address_renewed(
        &mut self,
        dev: DevId,
        local: Ipv4Addr,
        old_metric: Option<u32>,
    ) -> Result<(), Failure> {
        let Some(device) = self.devs.get_mut(dev) else { return Ok(()) };
        let Some(address) = device.ipv4.iter().find(|known| known.local == local).cloned() else {
            return Ok(());
        };
        if let Some(old_metric) = old_metric {
            let before = InterfaceAddress { metric: old_metric, ..to_routing(&address) };
            let (ns, ifindex) = (device.ns, device.ifindex);
            refresh_routing(device);
            if let (Some(netns), Some(fib)) = (self.netns.get(ns), self.fib.get_mut(ns)) {
                let links = crate::links::NsLinks { devs: &self.devs, netns };
                let changes = fib.change_prefix_metric(ifindex, &before, address.metric, &links);
                self.notify_routes(ns, &changes);
            }
        }
        self.schedule_expiry(dev, &address);
        self.changed();
        self.notify_address(dev, &address, false);
        Ok(())
    }

    /// Deletes the address at this place in the device's list (`__inet_del_ifa`): with a primary one its
    /// secondaries go, or the first of them takes its place where `promote_secondaries` says so.
    pub(crate) fn delete_address(&mut self, dev: DevId, at: usize) {
        let promotes = self.dev_conf_either(dev, Conf::PromoteSecondaries);
        let Some(device) = self.devs.get(dev) else { return };
        let Some(gone) = device.ipv4.get(at).cloned() else { return };
        let mut secondaries: Vec<Ipv4Address> = Vec::new();
        if gone.flags & ifa::SECONDARY == 0 {
            let under = device.ipv4.iter().filter(|known| is_secondary_of(known, &gone));
            secondaries = under.cloned().collect();
        }
        if promotes {
            // Their routes name the old primary as source: they go, to come again with the new one.
            for address in &secondaries {
                self.forget_routes_before_promotion(dev, address, &gone);
            }
        } else {
            for address in secondaries.drain(..) {
                self.unlink_address(dev, &address);
            }
        }
        self.unlink_address(dev, &gone);
        let moved: Vec<(Ipv4Addr, u8)> =
            secondaries.iter().map(|address| (address.local, address.prefix_len)).collect();
        if let Some(first) = secondaries.first()
            && let Some(device) = self.devs.get_mut(dev)
        {
            let promoted =
                |known: &&mut Ipv4Address| (known.local, known.prefix_len) == (first.local, first.prefix_len);
            if let Some(known) = device.ipv4.iter_mut().find(promoted) {
                known.flags &= !ifa::SECONDARY;
            }
            refresh_routing(device);
        }
        let there = self.devs.get(dev).map(|device| device.ipv4.clone()).unwrap_or_default();
        for address in there.iter().filter(|address| moved.contains(&(address.local, address.prefix_len))) {
            if address.flags & ifa::SECONDARY == 0 {
                self.notify_address(dev, address, false);
            }
            self.routes_of_address(dev, address);
        }
        let left = self.devs.get(dev).map(|device| (device.ipv4.is_empty(), device.ns, device.ifindex));
        if let Some((true, ns, ifindex)) = left {
            // `fib_disable_ip`, `arp_ifdown`: with the last address the neighbours are forgotten.
            self.flush_neighbours(ns, ifindex, false);
        }
        self.changed();
    }

    /// Takes one address off the list, with its routes.
    fn unlink_address(&mut self, dev: DevId, gone: &Ipv4Address) {
        let Some((ns, ifindex)) = self.devs.get(dev).map(|device| (device.ns, device.ifindex)) else {
            return;
        };
        self.masquerade_lost(ns, ifindex, Some(gone.local.into()));
        let Some(device) = self.devs.get_mut(dev) else { return };
        device.ipv4.retain(|known| {
            known.local != gone.local || known.prefix_len != gone.prefix_len || known.peer != gone.peer
        });
        refresh_routing(device);
        self.ipvlan_addresses_changed(dev);
        self.notify_address(dev, gone, true);
        self.forget_routes_of(dev, &to_routing(gone));
    }

    fn forget_routes_before_promotion(&mut self, dev: DevId, address: &Ipv4Address, old: &Ipv4Address) {
        let Some(device) = self.devs.get(dev) else { return };
        let (ns, ifindex) = (device.ns, device.ifindex);
        let (Some(netns), Some(fib)) = (self.netns.get(ns), self.fib.get_mut(ns)) else { return };
        let links = crate::links::NsLinks { devs: &self.devs, netns };
        let all = &device.routing_addresses;
        let (address, old) = (to_routing(address), to_routing(old));
        let changes = fib.remove_address_routes(ifindex, all, &address, Some(&old), &links);
        self.notify_routes(ns, &changes);
    }

    /// `inetdev_destroy` of a device that stays where it is: its addresses go one by one, none takes another's place.
    pub(crate) fn lose_addresses(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        let (ns, ifindex, had_addresses) = (device.ns, device.ifindex, !device.ipv4.is_empty());
        while let Some(device) = self.devs.get_mut(dev)
            && !device.ipv4.is_empty()
        {
            let gone = device.ipv4.remove(0);
            refresh_routing(device);
            let rest = device.routing_addresses.clone();
            self.masquerade_lost(ns, ifindex, Some(gone.local.into()));
            self.ipvlan_addresses_changed(dev);
            self.notify_address(dev, &gone, true);
            let (Some(netns), Some(fib)) = (self.netns.get(ns), self.fib.get_mut(ns)) else { continue };
            let links = crate::links::NsLinks { devs: &self.devs, netns };
            let changes = fib.address_dies(ifindex, &rest, &to_routing(&gone), &links);
            self.notify_routes(ns, &changes);
        }
        // Routes through a device without an address stay (`fib_netdev_event`).
        if had_addresses && let Some(fib) = self.fib.get_mut(ns) {
            let changes = fib.last_address_removed(ifindex);
            self.notify_routes(ns, &changes);
        }
        self.flush_neighbours(ns, ifindex, false);
        self.flush_addresses6(dev);
        self.changed();
    }

    /// `inetdev_destroy`: the addresses and routes of a device that leaves its namespace.
    pub(super) fn destroy_addresses(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        let (ns, ifindex, addresses) = (device.ns, device.ifindex, device.ipv4.clone());
        let changes = match (self.netns.get(ns), self.fib.get_mut(ns)) {
            (Some(netns), Some(fib)) => {
                let links = crate::links::NsLinks { devs: &self.devs, netns };
                fib.device_destroyed(ifindex, &links)
            }
            _ => Vec::new(),
        };
        for address in &addresses {
            self.notify_address(dev, address, true);
        }
        self.notify_routes(ns, &changes);
        if let Some(device) = self.devs.get_mut(dev) {
            device.ipv4.clear();
            device.routing_addresses.clear();
        }
        self.ipvlan_addresses_changed(dev);
        self.changed();
    }

    /// The routes that an address brings (`fib_inetaddr_event`).
    fn routes_of_address(&mut self, dev: DevId, address: &Ipv4Address) {
        let Some(device) = self.devs.get(dev) else { return };
        let (ns, ifindex) = (device.ns, device.ifindex);
        let (Some(netns), Some(fib)) = (self.netns.get(ns), self.fib.get_mut(ns)) else { return };
        let links = crate::links::NsLinks { devs: &self.devs, netns };
        let changes = fib.address_added(ifindex, &to_routing(address), &links);
        self.notify_routes(ns, &changes);
    }

    fn forget_routes_of(&mut self, dev: DevId, address: &InterfaceAddress) {
        let Some(device) = self.devs.get(dev) else { return };
        let (ns, ifindex) = (device.ns, device.ifindex);
        let (Some(netns), Some(fib)) = (self.netns.get(ns), self.fib.get_mut(ns)) else { return };
        let links = crate::links::NsLinks { devs: &self.devs, netns };
        let changes = fib.address_removed(ifindex, address, &links);
        self.notify_routes(ns, &changes);
    }

    fn schedule_expiry(&mut self, dev: DevId, address: &Ipv4Address) {
        for lft in [address.preferred_lft, address.valid_lft] {
            if lft != FOREVER {
                let at = address.updated + Duration::from_secs(u64::from(lft));
                self.timers.add(at, TimerEvent::AddressLifetime { dev });
            }
        }
    }

    /// `check_lifetime`: addresses whose time is over are deprecated, then deleted.
    pub(crate) fn address_lifetimes(&mut self, dev: DevId) {
        let now = self.now;
        let over = |address: &Ipv4Address, lft: u32| {
            lft != FOREVER && now >= address.updated + Duration::from_secs(u64::from(lft))
        };
        while let Some(at) = self.devs.get(dev).and_then(|d| d.ipv4.iter().position(|a| over(a, a.valid_lft)))
        {
            self.delete_address(dev, at);
        }
        let Some(device) = self.devs.get_mut(dev) else { return };
        let mut deprecated = Vec::new();
        for address in &mut device.ipv4 {
            if address.flags & ifa::DEPRECATED == 0 && over(address, address.preferred_lft) {
                address.flags |= ifa::DEPRECATED;
                deprecated.push(address.clone());
            }
        }
        for address in &deprecated {
            self.notify_address(dev, address, false);
        }
        self.address6_lifetimes(dev);
    }

    /// IPv4 and IPv6 of a device that went up (`inetdev_event`, `fib_netdev_event`).
    pub(super) fn ip_up(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        let (ns, ifindex) = (device.ns, device.ifindex);
        if device.has_ipv4 && device.mtu >= IPV4_MIN_MTU {
            if device.is_loopback() && device.ipv4.is_empty() {
                let request = AddressRequest {
                    local: Ipv4Addr::LOCALHOST,
                    peer: Ipv4Addr::LOCALHOST,
                    prefix_len: 8,
                    broadcast: None,
                    scope: SCOPE_HOST,
                    flags: ifa::PERMANENT,
                    label: None,
                    valid_lft: FOREVER,
                    preferred_lft: FOREVER,
                    metric: 0,
                    protocol: 1,
                };
                // A fresh loopback device has no address that this one could clash with.
                let _ = self.add_address(dev, &request, false);
            }
            self.groups_up(dev);
            let (Some(netns), Some(fib)) = (self.netns.get(ns), self.fib.get_mut(ns)) else { return };
            let links = crate::links::NsLinks { devs: &self.devs, netns };
            let changes = fib.device_up(ifindex, &links);
            self.notify_routes(ns, &changes);
        }
        self.announce_addresses(dev);
        self.ip6_up(dev);
    }

    /// The same for one that went down.
    pub(super) fn ip_down(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        let (ns, ifindex) = (device.ns, device.ifindex);
        self.flush_nexthops_of(ns, ifindex);
        self.masquerade_lost(ns, ifindex, None);
        if let Some(fib) = self.fib.get_mut(ns) {
            let changes = fib.device_down(ifindex);
            self.notify_routes(ns, &changes);
        }
        self.leave_ipv4_groups(dev);
        self.flush_neighbours(ns, ifindex, false);
        self.ip6_down(dev);
    }

    pub(super) fn fib_carrier(&mut self, ns: NsId, ifindex: u32, carrier: bool) {
        if !carrier {
            self.flush_nexthops_of(ns, ifindex);
        }
        let (Some(netns), Some(fib)) = (self.netns.get(ns), self.fib.get_mut(ns)) else { return };
        let links = crate::links::NsLinks { devs: &self.devs, netns };
        fib.carrier(ifindex, carrier, &links);
        self.changed();
    }

    /// `neigh_carrier_down`: what was resolved is forgotten, but for what the user set.
    pub(super) fn neighbours_lose_carrier(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        let (ns, ifindex) = (device.ns, device.ifindex);
        let evicts = self
            .netns
            .get(ns)
            .is_some_and(|netns| netns.sysctl.both(&device.ipv4_conf, Conf::ArpEvictNocarrier));
        if evicts {
            self.flush_neighbours(ns, ifindex, true);
        }
    }

    /// Removes a device's neighbours.
    pub(crate) fn flush_neighbours(&mut self, ns: NsId, ifindex: u32, keep_permanent: bool) {
        let Some(netns) = self.netns.get_mut(ns) else { return };
        let gone = netns.neigh.remove_device(ifindex, keep_permanent);
        netns.neigh.remove_proxies(ifindex);
        self.neighbours_gone(ns, ifindex, gone);
    }

    /// A device has ARP from now on, or has none: what was resolved before is void (`arp_netdev_event`,
    /// `ndisc_netdev_event`).
    pub(crate) fn arp_switched(&mut self, dev: DevId) {
        if let Some(device) = self.devs.get(dev) {
            self.forget_resolved(device.ns, device.ifindex);
        }
    }

    /// `neigh_changeaddr`: the neighbours of a device, permanent ones too. Whom it answers for stays.
    pub(super) fn forget_resolved(&mut self, ns: NsId, ifindex: u32) {
        let Some(netns) = self.netns.get_mut(ns) else { return };
        let mut gone = netns.neigh.remove_device(ifindex, false);
        gone.extend(netns.neigh6.remove_device(ifindex, false));
        self.neighbours_gone(ns, ifindex, gone);
    }

    /// Announces and frees neighbours that are no longer in their table.
    pub(super) fn neighbours_gone(&mut self, ns: NsId, ifindex: u32, gone: Vec<(IpAddr, Neighbour)>) {
        for (address, entry) in gone {
            self.notify_neighbour_gone(ns, ifindex, address, &entry);
            self.neigh_release(entry);
        }
    }

    /// `inetdev_send_gratuitous_arp`, where `arp_notify` asks for it: on going up and on a new MAC.
    pub(super) fn announce_addresses(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        if device.is_up() && self.dev_conf_either(dev, Conf::ArpNotify) {
            self.send_gratuitous_arp(dev);
        }
    }

    /// `inetdev_send_gratuitous_arp`: a question for each own address, which neighbours hear.
    pub(crate) fn send_gratuitous_arp(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        let addresses: Vec<Ipv4Addr> = device.ipv4.iter().map(|address| address.local).collect();
        for address in addresses {
            self.arp_send(dev, arp::REQUEST, address, address, None, Mac::ZERO);
        }
    }

    /// Tells routing whether it is to ignore routes through a device without carrier
    /// (`IN_DEV_IGNORE_ROUTES_WITH_LINKDOWN`).
    pub(crate) fn settle_ignore_linkdown(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        let (ns, ifindex) = (device.ns, device.ifindex);
        let ignore = self.dev_conf_either(dev, Conf::IgnoreRoutesWithLinkdown);
        if let Some(fib) = self.fib.get_mut(ns) {
            fib.set_ignore_linkdown(ifindex, ignore);
        }
    }

    /// `ip_mc_inc_group`
    pub(crate) fn join_ipv4_group(&mut self, dev: DevId, group: Ipv4Addr) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        match device.ipv4_groups.iter_mut().find(|known| known.address == group) {
            Some(known) => known.users += 1,
            None => {
                device.ipv4_groups.push(Ipv4Group { address: group, users: 1, is_filtered: true });
                if !device.is_loopback() {
                    self.join_group(dev, Mac::of_ipv4_multicast(group));
                }
                self.report_group(dev, group, Change::Joined);
            }
        }
        self.changed();
    }

    /// `ip_mc_dec_group`
    pub(crate) fn leave_ipv4_group(&mut self, dev: DevId, group: Ipv4Addr) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        let Some(at) = device.ipv4_groups.iter().position(|known| known.address == group) else { return };
        if device.ipv4_groups[at].users > 1 {
            device.ipv4_groups[at].users -= 1;
            return;
        }
        let has_ipv4 = device.has_ipv4;
        let known = device.ipv4_groups.remove(at);
        if known.is_filtered && !device.is_loopback() {
            self.leave_group(dev, Mac::of_ipv4_multicast(group));
        }
        // Of a device that has lost IPv4 nobody is told any more (`ip_mc_leave_group`).
        if has_ipv4 {
            self.report_group(dev, group, Change::Left);
        }
        self.changed();
    }

    /// `inetdev_init` of a device that is up.
    pub(super) fn rejoin_ipv4_groups(&mut self, dev: DevId) {
        if self.devs.get(dev).is_some_and(|device| device.is_up()) {
            self.groups_up(dev);
        }
    }

    /// `ip_mc_up`
    fn groups_up(&mut self, dev: DevId) {
        self.join_ipv4_group(dev, ALL_HOSTS);
        self.filter_groups(dev, true);
        self.report_groups(dev);
    }

    /// `ip_mc_down`: the group of all hosts is left; frames to those of sockets are taken again when it is up.
    pub(super) fn leave_ipv4_groups(&mut self, dev: DevId) {
        self.stop_reports(dev);
        self.filter_groups(dev, false);
        self.leave_ipv4_group(dev, ALL_HOSTS);
    }

    /// Whether a device takes frames to the groups that are joined on it: all of them, the newest first.
    fn filter_groups(&mut self, dev: DevId, takes: bool) {
        let Some(device) = self.devs.get_mut(dev).filter(|device| !device.is_loopback()) else { return };
        let other = device.ipv4_groups.iter_mut().rev().filter(|group| group.is_filtered != takes);
        let changed: Vec<Ipv4Addr> = other
            .map(|group| {
                group.is_filtered = takes;
                group.address
            })
            .collect();
        for group in changed {
            if takes {
                self.join_group(dev, Mac::of_ipv4_multicast(group));
            } else {
                self.leave_group(dev, Mac::of_ipv4_multicast(group));
            }
        }
    }
}

fn is_secondary_of(known: &Ipv4Address, primary: &Ipv4Address) -> bool {
    known.flags & ifa::SECONDARY != 0
        && known.prefix_len == primary.prefix_len
        && masked(known.peer, known.prefix_len) == masked(primary.peer, known.prefix_len)
}

fn masked(address: Ipv4Addr, prefix_len: u8) -> u32 {
    let mask = u32::MAX.checked_shl(32 - u32::from(prefix_len.min(32))).unwrap_or(0);
    u32::from(address) & mask
}

/// `set_ifa_lifetime`
fn set_lifetime(address: &mut Ipv4Address, request: &AddressRequest) {
    address.valid_lft = request.valid_lft;
    address.preferred_lft = request.preferred_lft;
    address.flags &= !(ifa::PERMANENT | ifa::DEPRECATED);
    if request.valid_lft == FOREVER {
        address.flags |= ifa::PERMANENT;
    }
    if request.preferred_lft == 0 {
        address.flags |= ifa::DEPRECATED;
    }
}

fn to_routing(address: &Ipv4Address) -> InterfaceAddress {
    InterfaceAddress {
        local: address.local,
        peer: address.peer,
        prefix_length: address.prefix_len,
        broadcast: (!address.broadcast.is_unspecified()).then_some(address.broadcast),
        scope: Scope(address.scope),
        secondary: address.flags & ifa::SECONDARY != 0,
        no_prefix_route: address.flags & ifa::NOPREFIXROUTE != 0,
        metric: address.metric,
    }
}

fn refresh_routing(device: &mut Device) {
    device.routing_addresses = device.ipv4.iter().map(to_routing).collect();
}
