//! IPv6 addresses of devices: they are given, renewed and taken, and end by themselves (`inet6_addr_add`, `ipv6_del_addr`,
//! `addrconf_verify_rtnl` of net/ipv6/addrconf.c); and those that a device makes itself (`addrconf_addr_gen`).

use std::net::Ipv6Addr;
use std::time::Duration;

use hairpin_netlink::{Errno, Failure};

use crate::control::tunnel_address::{isatap, tunnel_end};
use crate::dev::Kind;
use crate::device::{AddrGenMode, Dad, DevId, Ipv6Address, hardware, ifa};
use crate::ip6::address::{is_link_local, link_local, scope, solicited_node};
use crate::route::RouteKind;
use crate::route6::fib::Wanted6;
use crate::route6::model::{TABLE_LOCAL, TABLE_MAIN, rtf};
use crate::route6::{Prefix6, Route6};
use crate::world::{TimerEvent, World};

use super::SCOPE_LINK;

/// `IFAPROT_KERNEL_LL`
const PROTOCOL_LINK_LOCAL: u8 = 3;
/// `INFINITY_LIFE_TIME`
const FOREVER: u32 = u32::MAX;

impl World {
    /// `addrconf_addr_gen`
    pub(super) fn generate_link_local(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        // A VRF has no link to be local to.
        if device.ipv6_disabled || matches!(device.kind, Kind::Vrf(_)) {
            return;
        }
        if device.hardware == hardware::NONE && device.addr_gen_mode == AddrGenMode::Eui64 {
            // `addrconf_dev_config`: there is nothing to make it of.
            if let Some(device) = self.devs.get_mut(dev) {
                device.addr_gen_mode = AddrGenMode::Random;
            }
        }
        let Some(device) = self.devs.get(dev) else { return };
        let by_mac = match device.hardware {
            hardware::NONE => None,
            hardware::ETHER => Some(link_local(device.mac, device.dev_id)),
            // `addrconf_ifid_ip6tnl`
            hardware::TUNNEL6 | hardware::IP6GRE => Some(link_local(device.permanent_mac, 0)),
            // `addrconf_ifid_gre`
            hardware::GRE | hardware::IPIP => isatap(tunnel_end(device.mac)),
            // `addrconf_sit_config`, `addrconf_gre_config`
            hardware::SIT => return self.add_ipv4_made_addresses(dev),
            _ => return,
        };
        if by_mac.is_none() && device.hardware == hardware::GRE && device.addr_gen_mode == AddrGenMode::Eui64
        {
            return self.add_ipv4_made_addresses(dev);
        }
        let address = match (device.addr_gen_mode, by_mac) {
            (AddrGenMode::Eui64, Some(address)) => address,
            (AddrGenMode::Random | AddrGenMode::StablePrivacy, _)
                if !device.ipv6.iter().any(|own| is_link_local(own.address)) =>
            {
                let identifier = u128::from(self.random_below(u64::MAX));
                Ipv6Addr::from(0xfe80 << 112 | identifier)
            }
            _ => return,
        };
        if self.devs.get(dev).is_some_and(|device| device.ipv6.iter().any(|own| own.address == address)) {
            return;
        }
        let random = self.devs.get(dev).is_some_and(|device| device.addr_gen_mode != AddrGenMode::Eui64);
        let mut own = self.new_address6_entry(address, 64, SCOPE_LINK, PROTOCOL_LINK_LOCAL);
        own.flags = ifa::PERMANENT | ifa::TENTATIVE | if random { ifa::STABLE_PRIVACY } else { 0 };
        self.insert_address6(dev, own);
        self.add_prefix_route6(dev, Prefix6::of(address, 64), 0, 0, None);
        self.dad_start(dev, address);
    }

    /// A device that makes addresses by a new rule gets the one it lacks, if it is up.
    pub(crate) fn ip6_mode_changed(&mut self, dev: DevId) {
        if self.link_ready(dev) {
            self.generate_link_local(dev);
        }
    }

    pub(in crate::control) fn new_address6_entry(
        &self,
        address: Ipv6Addr,
        prefix_len: u8,
        scope: u8,
        protocol: u8,
    ) -> Ipv6Address {
        Ipv6Address {
            address,
            peer: None,
            prefix_len,
            scope,
            flags: 0,
            valid_lft: FOREVER,
            preferred_lft: FOREVER,
            metric: 0,
            protocol,
            created: self.now,
            updated: self.now,
            dad: Dad::default(),
            temporary: None,
            tokenized: false,
        }
    }

    /// `ipv6_link_dev_addr`: of wider scope first, the newest first among equals.
    pub(in crate::control) fn insert_address6(&mut self, dev: DevId, entry: Ipv6Address) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        let wide = scope(entry.address);
        let place = device.ipv6.iter().position(|known| scope(known.address) <= wide);
        device.ipv6.insert(place.unwrap_or(device.ipv6.len()), entry);
        self.ipvlan_addresses_changed(dev);
        self.changed();
    }

    /// `inet6_rtm_newaddr`
    ///
    /// # Errors
    /// `EEXIST` for an address that is there already, `EACCES` where IPv6 is switched off, `EADDRNOTAVAIL` for
    /// one that no device may have.
    pub(crate) fn add_address6(
        &mut self,
        dev: DevId,
        mut entry: Ipv6Address,
        replace: bool,
    ) -> Result<(), Failure> {
        let Some(device) = self.devs.get(dev) else { return Err(Errno::ENODEV.into()) };
        if !device.has_ipv6 {
            return Err(Errno::EINVAL.into());
        }
        let known = device.ipv6.iter().any(|known| known.address == entry.address);
        let loopback = device.is_loopback() || matches!(device.kind, Kind::Vrf(_));
        let disabled = device.ipv6_disabled;
        if known {
            if !replace {
                return Err(Errno::EEXIST.into());
            }
            return self.renew_address6(dev, entry);
        }
        if disabled {
            return Err(Errno::EACCES.into());
        }
        self.check_ipvlan_address(dev, entry.address.into())?;
        self.ip6_join_in(dev);
        let nobodys = entry.address.is_unspecified() || entry.address.is_multicast();
        if nobodys || entry.address.is_loopback() && !loopback {
            return Err(Errno::EADDRNOTAVAIL.into());
        }
        if entry.flags & ifa::NODAD == 0 {
            entry.flags |= ifa::TENTATIVE;
        }
        let (address, prefix, metric) =
            (entry.address, Prefix6::of(entry.address, entry.prefix_len), entry.metric);
        let (flags, valid) = (entry.flags, entry.valid_lft);
        self.schedule_expiry6(dev, &entry);
        self.insert_address6(dev, entry);
        if flags & ifa::NOPREFIXROUTE == 0 {
            self.add_prefix_route6(dev, prefix, metric, 0, (valid != FOREVER).then_some(valid));
        }
        if flags & ifa::NODAD == 0 {
            self.notify_own_address6(dev, address);
        }
        self.dad_start(dev, address);
        Ok(())
    }

    /// `inet6_addr_modify`
    fn renew_address6(&mut self, dev: DevId, entry: Ipv6Address) -> Result<(), Failure> {
        let now = self.now;
        let Some(device) = self.devs.get_mut(dev) else { return Err(Errno::ENODEV.into()) };
        let Some(known) = device.ipv6.iter_mut().find(|known| known.address == entry.address) else {
            return Err(Errno::EADDRNOTAVAIL.into());
        };
        const SET: u32 = ifa::DEPRECATED
            | ifa::PERMANENT
            | ifa::NODAD
            | ifa::HOMEADDRESS
            | ifa::MANAGETEMPADDR
            | ifa::NOPREFIXROUTE;
        let had_route = known.flags & ifa::NOPREFIXROUTE == 0;
        let old_metric = known.metric;
        known.flags = known.flags & !SET | entry.flags & SET;
        (known.valid_lft, known.preferred_lft) = (entry.valid_lft, entry.preferred_lft);
        known.updated = now;
        known.metric = entry.metric;
        if entry.protocol != 0 {
            known.protocol = entry.protocol;
        }
        let (prefix, wants_route) =
            (Prefix6::of(known.address, known.prefix_len), known.flags & ifa::NOPREFIXROUTE == 0);
        if had_route && (!wants_route || old_metric != entry.metric) {
            self.remove_prefix_route6(dev, prefix, old_metric);
        }
        if wants_route {
            let finite = (entry.valid_lft != FOREVER).then_some(entry.valid_lft);
            self.add_prefix_route6(dev, prefix, entry.metric, 0, finite);
        }
        self.schedule_expiry6(dev, &entry);
        self.changed();
        self.notify_own_address6(dev, entry.address);
        Ok(())
    }

    /// `inet6_rtm_deladdr`
    ///
    /// # Errors
    /// `EADDRNOTAVAIL` where there is no such address.
    pub(crate) fn delete_address6(
        &mut self,
        dev: DevId,
        address: Ipv6Addr,
        prefix_len: u8,
    ) -> Result<(), Failure> {
        let Some(device) = self.devs.get(dev) else { return Err(Errno::ENODEV.into()) };
        let fits = |own: &Ipv6Address| own.address == address && own.prefix_len == prefix_len;
        if !device.ipv6.iter().any(fits) {
            return Err(Errno::EADDRNOTAVAIL.into());
        }
        self.drop_address6(dev, address);
        Ok(())
    }

    /// `ipv6_del_addr`: the address goes with its route, and with the last of its subnet the subnet's.
    pub(in crate::control) fn drop_address6(&mut self, dev: DevId, address: Ipv6Addr) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        let Some(at) = device.ipv6.iter().position(|own| own.address == address) else { return };
        let gone = device.ipv6.remove(at);
        let prefix = Prefix6::of(gone.address, gone.prefix_len);
        // `check_cleanup_prefix_route`
        let shared = device.ipv6.iter().any(|own| {
            own.prefix_len == gone.prefix_len
                && prefix.contains(own.address)
                && own.flags & ifa::NOPREFIXROUTE == 0
        });
        self.ipvlan_addresses_changed(dev);
        self.address6_gone(dev, &gone);
        if gone.flags & ifa::PERMANENT != 0 && gone.flags & ifa::NOPREFIXROUTE == 0 && !shared {
            self.remove_prefix_route6(dev, prefix, gone.metric);
        }
        self.changed();
    }

    /// `__ipv6_ifa_notify(RTM_DELADDR)`
    pub(super) fn address6_gone(&mut self, dev: DevId, gone: &Ipv6Address) {
        self.notify_address6(dev, gone, true);
        let Some(device) = self.devs.get(dev) else { return };
        let (ns, ifindex) = (device.ns, device.ifindex);
        if !device.is_noarp() {
            self.leave_ipv6_group(dev, solicited_node(gone.address));
        }
        let wanted = Wanted6 { ifindex, ..Wanted6::default() };
        if let Some(peer) = gone.peer {
            let table = self.table6_of(dev, TABLE_MAIN);
            self.remove_kernel_route6(ns, table, Prefix6::host(peer), &wanted);
        }
        let wanted = Wanted6 { flags: rtf::LOCAL, ..wanted };
        let table = self.table6_of(dev, TABLE_LOCAL);
        self.remove_kernel_route6(ns, table, Prefix6::host(gone.address), &wanted);
        self.leave_anycast(dev, gone);
    }

    /// `__ipv6_ifa_notify(RTM_NEWADDR)`: from now on the address is this host's.
    pub(in crate::control) fn address6_confirmed(&mut self, dev: DevId, address: Ipv6Addr) {
        self.notify_own_address6(dev, address);
        let Some(device) = self.devs.get(dev) else { return };
        let (ns, ifindex) = (device.ns, device.ifindex);
        let Some(entry) = device.ipv6.iter().find(|own| own.address == address).cloned() else { return };
        let table = self.table6_of(dev, TABLE_LOCAL);
        let mut route = Route6::of_device(RouteKind::Local, Prefix6::host(address), table, 0, ifindex);
        route.flags |= rtf::LOCAL | rtf::NONEXTHOP;
        self.add_kernel_route6(ns, route);
        if self.forwards6(dev) {
            self.join_anycast(dev, &entry);
        }
        if let Some(peer) = entry.peer {
            self.add_prefix_route6(dev, Prefix6::host(peer), entry.metric, 0, None);
        }
        self.changed();
    }

    /// `addrconf_join_anycast`: a router answers to its subnets' lowest addresses (RFC 4291 §2.6.1).
    pub(super) fn join_anycast(&mut self, dev: DevId, entry: &Ipv6Address) {
        let Some(device) = self.devs.get(dev) else { return };
        let (ns, ifindex) = (device.ns, device.ifindex);
        let Some(subnet) = anycast_of(entry) else { return };
        if device.is_loopback() {
            return;
        }
        let Some(device) = self.devs.get_mut(dev) else { return };
        let known = device.inet6.anycast.iter_mut().find(|(known, _)| *known == subnet);
        if let Some((_, users)) = known {
            *users += 1;
            return;
        }
        device.inet6.anycast.push((subnet, 1));
        let table = self.table6_of(dev, TABLE_LOCAL);
        let mut route = Route6::of_device(RouteKind::Anycast, Prefix6::host(subnet), table, 0, ifindex);
        route.flags |= rtf::ANYCAST | rtf::NONEXTHOP;
        self.add_kernel_route6(ns, route);
        self.join_ipv6_group(dev, solicited_node(subnet));
    }

    pub(super) fn leave_anycast(&mut self, dev: DevId, entry: &Ipv6Address) {
        let Some(device) = self.devs.get(dev) else { return };
        let (ns, ifindex) = (device.ns, device.ifindex);
        let Some(subnet) = anycast_of(entry) else { return };
        let Some(device) = self.devs.get_mut(dev) else { return };
        let anycast = &mut device.inet6.anycast;
        let Some(at) = anycast.iter().position(|(known, _)| *known == subnet) else { return };
        anycast[at].1 -= 1;
        if anycast[at].1 > 0 {
            return;
        }
        anycast.remove(at);
        self.leave_ipv6_group(dev, solicited_node(subnet));
        let wanted = Wanted6 { ifindex, flags: rtf::ANYCAST, ..Wanted6::default() };
        let table = self.table6_of(dev, TABLE_LOCAL);
        self.remove_kernel_route6(ns, table, Prefix6::host(subnet), &wanted);
    }

    /// `addrconf_permanent_addr`: addresses that were there before the device went up.
    pub(super) fn restore_addresses6(&mut self, dev: DevId) {
        let there = self.devs.get(dev).map(|device| device.ipv6.clone()).unwrap_or_default();
        for own in there {
            if own.flags & ifa::NOPREFIXROUTE == 0 && !own.address.is_loopback() {
                self.add_prefix_route6(dev, Prefix6::of(own.address, own.prefix_len), own.metric, 0, None);
            }
            self.dad_start(dev, own.address);
        }
    }

    pub(crate) fn flush_addresses6(&mut self, dev: DevId) {
        while let Some(first) =
            self.devs.get(dev).and_then(|device| device.ipv6.first()).map(|own| own.address)
        {
            self.drop_address6(dev, first);
        }
    }

    pub(in crate::control) fn schedule_expiry6(&mut self, dev: DevId, entry: &Ipv6Address) {
        for lft in [entry.preferred_lft, entry.valid_lft] {
            if lft != FOREVER {
                let at = entry.updated + Duration::from_secs(u64::from(lft));
                self.timers.add(at, TimerEvent::AddressLifetime { dev });
            }
        }
    }

    /// `addrconf_verify_rtnl`: addresses whose time is over are deprecated, then deleted.
    pub(crate) fn address6_lifetimes(&mut self, dev: DevId) {
        let now = self.now;
        self.replace_temporary(dev);
        let over = |own: &Ipv6Address, lft: u32| {
            lft != FOREVER && now >= own.updated + Duration::from_secs(u64::from(lft))
        };
        while let Some(gone) = self
            .devs
            .get(dev)
            .and_then(|device| device.ipv6.iter().find(|own| over(own, own.valid_lft)))
            .map(|own| own.address)
        {
            self.drop_address6(dev, gone);
        }
        let Some(device) = self.devs.get_mut(dev) else { return };
        let mut deprecated = Vec::new();
        for own in &mut device.ipv6 {
            if own.flags & ifa::DEPRECATED == 0 && over(own, own.preferred_lft) {
                own.flags |= ifa::DEPRECATED;
                deprecated.push(own.address);
            }
        }
        for address in deprecated {
            self.changed();
            self.notify_own_address6(dev, address);
        }
    }

    /// Announces an address as it is now.
    pub(in crate::control) fn notify_own_address6(&mut self, dev: DevId, address: Ipv6Addr) {
        let own = self.devs.get(dev).and_then(|device| device.ipv6.iter().find(|own| own.address == address));
        if let Some(own) = own.cloned() {
            self.notify_address6(dev, &own, false);
        }
    }
}

/// The subnet-router anycast address; none for subnets of one or two addresses (RFC 6164).
fn anycast_of(entry: &Ipv6Address) -> Option<Ipv6Addr> {
    let subnet = Prefix6::of(entry.address, entry.prefix_len).address;
    (entry.prefix_len < 127 && !subnet.is_unspecified()).then_some(subnet)
}
