//! IPv6 addresses of devices, and what comes and goes with them (net/ipv6/addrconf.c). Confirming that nobody
//! else has an address is in [`super::dad`], what routers tell in [`super::autoconf`].

use std::net::Ipv6Addr;
use std::time::Duration;

use hairpin_netlink::{Errno, Failure};

use crate::device::{AddrGenMode, Dad, DevId, Device, Flags, Ipv6Address, hardware, ifa};
use crate::ip6::MIN_MTU;
use crate::ip6::address::{
    ALL_NODES, ALL_ROUTERS, INTERFACE_ALL_NODES, INTERFACE_ALL_ROUTERS, SITE_ALL_ROUTERS, is_link_local,
    link_local, scope, solicited_node,
};
use crate::ip6::event::Event6;
use crate::netns::NsId;
use crate::route::{InsertMode, RouteKind};
use crate::route6::fib::Wanted6;
use crate::route6::model::{METRIC_ADDRCONF, TABLE_LOCAL, TABLE_MAIN, rtf};
use crate::route6::{Change6, Prefix6, Route6};
use crate::world::{TimerEvent, World};

use super::tunnel_address::{isatap, tunnel_end};

/// `RT_SCOPE_LINK`, `RT_SCOPE_HOST`
pub(super) const SCOPE_LINK: u8 = 253;
pub(super) const SCOPE_HOST: u8 = 254;
/// `IFAPROT_KERNEL_LO`, `IFAPROT_KERNEL_LL`
const PROTOCOL_LOOPBACK: u8 = 1;
const PROTOCOL_LINK_LOCAL: u8 = 3;
/// `INFINITY_LIFE_TIME`
const FOREVER: u32 = u32::MAX;
/// Where multicast goes: every device takes it.
const MULTICAST: Prefix6 = Prefix6 { address: Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), length: 8 };

impl World {
    /// `ipv6_add_dev`: a device begins with what its namespace sets for new ones. It begins anew where it moves to
    /// another namespace, and when its MTU has been too small for IPv6.
    pub(super) fn ip6_begins(&mut self, dev: DevId) {
        let Some(ns) = self.devs.get(dev).map(|device| device.ns) else { return };
        let (_, neigh6_params) = self.new_neigh_params(ns);
        let Some(sysctl) = self.netns.get(ns).map(|netns| &netns.sysctl) else { return };
        let Some(device) = self.devs.get_mut(dev) else { return };
        device.ipv6_conf = sysctl.ipv6_default.clone();
        device.ipv6_disabled = sysctl.ipv6_disable_default || sysctl.ipv6_disable_all;
        device.addr_gen_mode = match sysctl.ipv6_default.get("addr_gen_mode") {
            Some(1) => AddrGenMode::None,
            Some(3) => AddrGenMode::Random,
            _ => AddrGenMode::Eui64,
        };
        device.neigh6_params = neigh6_params;
    }

    /// `ipv6_add_dev`: the groups of all nodes are listened to from the start, up or down, with IPv6 switched off
    /// too, as long as the MTU is large enough.
    pub(super) fn ip6_registered(&mut self, dev: DevId) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        device.has_ipv6 |= device.mtu >= MIN_MTU;
        if device.mtu < MIN_MTU || self.listens_to(dev, ALL_NODES) {
            return;
        }
        self.join_ipv6_group(dev, INTERFACE_ALL_NODES);
        self.join_ipv6_group(dev, ALL_NODES);
        let multicast = self.devs.get(dev).is_some_and(|device| device.flags.contains(Flags::MULTICAST));
        if multicast && self.forwards6(dev) {
            self.join_ipv6_group(dev, ALL_ROUTERS);
        }
        self.settle_ignore_linkdown6(dev);
    }

    /// `addrconf_notify(NETDEV_UP)`
    pub(super) fn ip6_up(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        if device.ipv6_disabled || device.flags.contains(Flags::SLAVE) {
            return;
        }
        if device.mtu < MIN_MTU {
            let mtu = device.mtu;
            return self.ip6_mtu_changed(dev, mtu);
        }
        self.ip6_registered(dev);
        // The slaves of a bond have no addresses.
        if self.devs.get(dev).is_some_and(|device| device.flags.contains(Flags::SLAVE)) {
            return;
        }
        self.restore_addresses6(dev);
        if self.link_ready(dev) {
            self.ip6_becomes_ready(dev);
        }
    }

    /// `addrconf_link_ready`
    fn link_ready(&self, dev: DevId) -> bool {
        self.devs.get(dev).is_some_and(|device| device.can_transmit() && device.oper_up())
    }

    /// `addrconf_notify(NETDEV_CHANGE)`: the carrier of a device that is up came or went, or a flag of it.
    pub(crate) fn ip6_carrier_changed(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        let (ns, ifindex, carrier) = (device.ns, device.ifindex, device.carrier);
        let silent =
            |device: &Device| device.ipv6_disabled || !device.has_ipv6 || device.flags.contains(Flags::SLAVE);
        if self.devs.get(dev).is_none_or(silent) {
            return;
        }
        if let Some(fib) = self.fib6.get_mut(ns) {
            fib.carrier(ifindex, carrier);
        }
        self.changed();
        match self.devs.get(dev).map(|device| device.inet6.ready) {
            _ if !self.link_ready(dev) => {}
            // We may have roamed: the switches there should know of our groups.
            Some(true) => self.report_ipv6_groups(dev),
            _ => self.ip6_becomes_ready(dev),
        }
    }

    /// `ndisc_netdev_event`: what was resolved by a link that is gone is forgotten, after all others have heard of it.
    pub(crate) fn neighbours6_lose_carrier(&mut self, dev: DevId) {
        let evicts = self.conf6(dev, "ndisc_evict_nocarrier") != 0;
        if let Some(device) = self.devs.get(dev).filter(|_| evicts) {
            self.flush_neighbours6(device.ns, device.ifindex, true);
        }
    }

    /// `addrconf_dev_config`, `addrconf_dad_run`: with a link, a device has a link-local address.
    fn ip6_becomes_ready(&mut self, dev: DevId) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        device.inet6.ready = true;
        let (ns, ifindex) = (device.ns, device.ifindex);
        self.ip6_configure(dev);
        self.dad_run(dev);
        if let Some(fib) = self.fib6.get_mut(ns) {
            fib.device_up(ifindex);
        }
        self.changed();
    }

    fn ip6_configure(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        if device.is_loopback() {
            if !device.ipv6.iter().any(|own| own.address.is_loopback()) {
                let mut own =
                    self.new_address6_entry(Ipv6Addr::LOCALHOST, 128, SCOPE_HOST, PROTOCOL_LOOPBACK);
                own.flags = ifa::PERMANENT;
                self.insert_address6(dev, own);
                self.address6_confirmed(dev, Ipv6Addr::LOCALHOST);
            }
            return;
        }
        self.ip6_join_in(dev);
        self.generate_link_local(dev);
    }

    /// `addrconf_add_dev`: groups are reported, and there is a way for multicast.
    fn ip6_join_in(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        let (ns, ifindex) = (device.ns, device.ifindex);
        if !device.is_up() {
            return;
        }
        self.report_ipv6_groups(dev);
        if self.devs.get(dev).is_some_and(|device| device.is_loopback() || device.ipv6_disabled) {
            return;
        }
        let route = Route6::of_device(RouteKind::Multicast, MULTICAST, TABLE_LOCAL, METRIC_ADDRCONF, ifindex);
        self.add_kernel_route6(ns, route);
    }

    /// `addrconf_addr_gen`
    fn generate_link_local(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        if device.ipv6_disabled {
            return;
        }
        let by_mac = match device.hardware {
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

    pub(super) fn new_address6_entry(
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
        }
    }

    /// `ipv6_link_dev_addr`: of wider scope first, the newest first among equals.
    pub(super) fn insert_address6(&mut self, dev: DevId, entry: Ipv6Address) {
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
        let (disabled, loopback) = (device.ipv6_disabled, device.is_loopback());
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
        const SET: u32 =
            ifa::DEPRECATED | ifa::PERMANENT | ifa::NODAD | ifa::MANAGETEMPADDR | ifa::NOPREFIXROUTE;
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
    pub(super) fn drop_address6(&mut self, dev: DevId, address: Ipv6Addr) {
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
    fn address6_gone(&mut self, dev: DevId, gone: &Ipv6Address) {
        self.notify_address6(dev, gone, true);
        let Some(device) = self.devs.get(dev) else { return };
        let (ns, ifindex) = (device.ns, device.ifindex);
        if !device.is_noarp() {
            self.leave_ipv6_group(dev, solicited_node(gone.address));
        }
        let wanted = Wanted6 { ifindex, ..Wanted6::default() };
        if let Some(peer) = gone.peer {
            self.remove_kernel_route6(ns, TABLE_MAIN, Prefix6::host(peer), &wanted);
        }
        let wanted = Wanted6 { flags: rtf::LOCAL, ..wanted };
        self.remove_kernel_route6(ns, TABLE_LOCAL, Prefix6::host(gone.address), &wanted);
        self.leave_anycast(dev, gone);
    }

    /// `__ipv6_ifa_notify(RTM_NEWADDR)`: from now on the address is this host's.
    pub(super) fn address6_confirmed(&mut self, dev: DevId, address: Ipv6Addr) {
        self.notify_own_address6(dev, address);
        let Some(device) = self.devs.get(dev) else { return };
        let (ns, ifindex) = (device.ns, device.ifindex);
        let Some(entry) = device.ipv6.iter().find(|own| own.address == address).cloned() else { return };
        let mut route = Route6::of_device(RouteKind::Local, Prefix6::host(address), TABLE_LOCAL, 0, ifindex);
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
    fn join_anycast(&mut self, dev: DevId, entry: &Ipv6Address) {
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
        let mut route = Route6::of_device(RouteKind::Anycast, Prefix6::host(subnet), TABLE_LOCAL, 0, ifindex);
        route.flags |= rtf::ANYCAST | rtf::NONEXTHOP;
        self.add_kernel_route6(ns, route);
        self.join_ipv6_group(dev, solicited_node(subnet));
    }

    fn leave_anycast(&mut self, dev: DevId, entry: &Ipv6Address) {
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
        self.remove_kernel_route6(ns, TABLE_LOCAL, Prefix6::host(subnet), &wanted);
    }

    /// `dev_forward_change`: routers listen to the routers' groups, and learn no routers.
    pub(crate) fn ip6_forwarding_changed(&mut self, dev: DevId) {
        let on = self.forwards6(dev);
        let Some(device) = self.devs.get(dev) else { return };
        let entries = device.ipv6.clone();
        if device.flags.contains(Flags::MULTICAST) {
            for group in [ALL_ROUTERS, INTERFACE_ALL_ROUTERS, SITE_ALL_ROUTERS] {
                match on {
                    true => self.join_ipv6_group(dev, group),
                    false => self.leave_ipv6_group(dev, group),
                }
            }
        }
        for entry in entries.iter().filter(|entry| entry.flags & ifa::TENTATIVE == 0) {
            match on {
                true => self.join_anycast(dev, entry),
                false => self.leave_anycast(dev, entry),
            }
        }
        if on && self.conf6(dev, "accept_ra") != 2 {
            self.forget_routers(dev);
        }
        self.changed();
    }

    /// `dev_disable_change`: switches a device's IPv6 off, with its addresses, or on.
    pub(crate) fn set_ipv6_disabled(&mut self, dev: DevId, disabled: bool) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        if std::mem::replace(&mut device.ipv6_disabled, disabled) == disabled {
            return;
        }
        let up = device.is_up();
        match (disabled, up) {
            (true, _) => self.ip6_down(dev),
            (false, true) => self.ip6_up(dev),
            (false, false) => {}
        }
        self.changed();
    }

    /// `addrconf_notify(NETDEV_CHANGEMTU)`: a link too narrow for IPv6 has none, and forgets its settings (a loopback
    /// keeps them).
    pub(super) fn ip6_mtu_changed(&mut self, dev: DevId, old: u32) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        let (up, loopback) = (device.is_up(), device.is_loopback());
        match (device.has_ipv6, device.mtu >= MIN_MTU) {
            (true, false) => {
                device.has_ipv6 = loopback;
                self.ip6_down(dev);
                self.leave_all_groups6(dev);
            }
            (true, true) => {
                // `cnf.mtu6`
                device.ipv6_conf.remove("mtu");
                let (ns, ifindex, new) = (device.ns, device.ifindex, device.mtu);
                self.routes6.device_mtu_changed(ns, ifindex, old, new);
            }
            (false, true) => {
                self.ip6_begins(dev);
                self.ip6_registered(dev);
                if up {
                    self.ip6_up(dev);
                }
            }
            _ => {}
        }
    }

    /// `addrconf_ifdown`: addresses go with the link being set down, unless `keep_addr_on_down` is set.
    pub(super) fn ip6_down(&mut self, dev: DevId) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        let (ns, ifindex) = (device.ns, device.ifindex);
        device.inet6.ready = false;
        device.inet6.solicit = Default::default();
        if let Some(fib) = self.fib6.get_mut(ns) {
            let changes = fib.device_down(ifindex);
            self.notify_routes6(ns, &changes);
        }
        self.flush_neighbours6(ns, ifindex, false);
        let keeps = self.conf6_either(dev, "keep_addr_on_down");
        let Some(device) = self.devs.get_mut(dev) else { return };
        let stays = |own: &Ipv6Address| {
            keeps
                && own.flags & ifa::PERMANENT != 0
                && !is_link_local(own.address)
                && !own.address.is_loopback()
        };
        let (kept, gone): (Vec<_>, Vec<_>) = std::mem::take(&mut device.ipv6).into_iter().partition(stays);
        device.ipv6 = kept;
        let noarp = device.is_noarp();
        for own in &mut device.ipv6 {
            own.dad = Dad::default();
            if own.flags & ifa::NODAD == 0 {
                own.flags |= ifa::TENTATIVE;
            }
        }
        let kept: Vec<Ipv6Addr> = device.ipv6.iter().map(|own| own.address).collect();
        self.ipvlan_addresses_changed(dev);
        for own in &gone {
            self.address6_gone(dev, own);
        }
        for address in kept.into_iter().filter(|_| !noarp) {
            self.leave_ipv6_group(dev, solicited_node(address));
        }
        self.stop_ipv6_reports(dev);
        self.changed();
    }

    /// `addrconf_permanent_addr`: addresses that were there before the device went up.
    fn restore_addresses6(&mut self, dev: DevId) {
        let there = self.devs.get(dev).map(|device| device.ipv6.clone()).unwrap_or_default();
        for own in there {
            if own.flags & ifa::NOPREFIXROUTE == 0 && !own.address.is_loopback() {
                self.add_prefix_route6(dev, Prefix6::of(own.address, own.prefix_len), own.metric, 0, None);
            }
            self.dad_start(dev, own.address);
        }
    }

    /// A device leaves its namespace: nothing of IPv6 stays.
    pub(super) fn ip6_forget(&mut self, dev: DevId) {
        self.ip6_down(dev);
        self.flush_addresses6(dev);
        self.leave_all_groups6(dev);
        let Some((ns, ifindex)) = self.devs.get(dev).map(|device| (device.ns, device.ifindex)) else {
            return;
        };
        if let Some(fib) = self.fib6.get_mut(ns) {
            let changes = fib.remove_where(|route| route.nexthops.iter().any(|way| way.ifindex == ifindex));
            fib.set_ignore_linkdown(ifindex, false);
            self.notify_routes6(ns, &changes);
        }
    }

    fn leave_all_groups6(&mut self, dev: DevId) {
        while let Some(group) = self
            .devs
            .get(dev)
            .and_then(|device| device.inet6.listener.groups.first())
            .map(|group| group.address)
        {
            self.leave_ipv6_group(dev, group);
        }
        if let Some(device) = self.devs.get_mut(dev) {
            device.inet6.listener = Default::default();
        }
    }

    pub(crate) fn flush_addresses6(&mut self, dev: DevId) {
        while let Some(first) =
            self.devs.get(dev).and_then(|device| device.ipv6.first()).map(|own| own.address)
        {
            self.drop_address6(dev, first);
        }
    }

    /// `neigh_ifdown` of IPv6's neighbours.
    pub(crate) fn flush_neighbours6(&mut self, ns: NsId, ifindex: u32, keep_permanent: bool) {
        let Some(netns) = self.netns.get_mut(ns) else { return };
        let gone = netns.neigh6.remove_device(ifindex, keep_permanent);
        let proxies = netns.neigh6.remove_proxies(ifindex);
        self.neighbours_gone(ns, ifindex, gone);
        for address in proxies {
            self.hear_for_proxy(ns, ifindex, address, false);
        }
    }

    /// Tells routing whether it is to ignore routes through a device without carrier.
    pub(crate) fn settle_ignore_linkdown6(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        let (ns, ifindex) = (device.ns, device.ifindex);
        let ignore = self.conf6(dev, "ignore_routes_with_linkdown") != 0;
        if let Some(fib) = self.fib6.get_mut(ns) {
            fib.set_ignore_linkdown(ifindex, ignore);
        }
    }

    // Routes.

    /// `addrconf_prefix_route`; `lifetime` in seconds where it ends. There is none through a device that is down.
    pub(super) fn add_prefix_route6(
        &mut self,
        dev: DevId,
        prefix: Prefix6,
        metric: u32,
        flags: u32,
        lifetime: Option<u32>,
    ) {
        let Some(device) = self.devs.get(dev) else { return };
        if !device.is_up() {
            return;
        }
        let metric = if metric == 0 { METRIC_ADDRCONF } else { metric };
        let mut route = Route6::of_device(RouteKind::Unicast, prefix, TABLE_MAIN, metric, device.ifindex);
        route.flags |= flags;
        if device.is_loopback() && !prefix.address.is_loopback() {
            route.flags |= rtf::REJECT;
        }
        if let Some(seconds) = lifetime {
            route.flags |= rtf::EXPIRES;
            route.expires = Some(self.now + Duration::from_secs(seconds.into()));
        }
        let ns = device.ns;
        self.add_kernel_route6(ns, route);
    }

    fn remove_prefix_route6(&mut self, dev: DevId, prefix: Prefix6, metric: u32) {
        let Some(device) = self.devs.get(dev) else { return };
        let (ns, ifindex) = (device.ns, device.ifindex);
        let metric = if metric == 0 { METRIC_ADDRCONF } else { metric };
        let wanted = Wanted6 { ifindex, metric, ..Wanted6::default() };
        self.remove_kernel_route6(ns, TABLE_MAIN, prefix, &wanted);
    }

    /// Adds a route of the kernel; one that is there already stays.
    pub(super) fn add_kernel_route6(&mut self, ns: NsId, route: Route6) {
        let carrier = route.nexthops.first().and_then(|way| self.device_at(ns, way.ifindex));
        let carrier = carrier.and_then(|dev| self.devs.get(dev)).is_none_or(|device| device.carrier);
        let mut route = route;
        if !carrier && route.flags & (rtf::LOCAL | rtf::ANYCAST) == 0 {
            route.nexthops.iter_mut().for_each(|way| way.flags |= crate::route6::model::FLAG_LINKDOWN);
        }
        let expires = route.expires;
        let Some(fib) = self.fib6.get_mut(ns) else { return };
        if let Ok(change) = fib.insert(route, InsertMode::PREPEND) {
            self.notify_routes6(ns, &[change]);
        }
        if let Some(at) = expires {
            self.timers.add(at, TimerEvent::Ipv6(Event6::RouteExpiry { ns }));
        }
        self.changed();
    }

    pub(super) fn remove_kernel_route6(&mut self, ns: NsId, table: u32, prefix: Prefix6, wanted: &Wanted6) {
        let Some(fib) = self.fib6.get_mut(ns) else { return };
        if let Ok(change) = fib.delete(table, prefix, wanted) {
            self.notify_routes6(ns, &[change]);
        }
    }

    /// `fib6_run_gc`: routes whose time is over go.
    pub(crate) fn route6_expiry(&mut self, ns: NsId) {
        let now = self.now;
        let Some(fib) = self.fib6.get_mut(ns) else { return };
        let changes: Vec<Change6> = fib.expire(now);
        let next = fib.next_expiry();
        self.notify_routes6(ns, &changes);
        if let Some(at) = next {
            self.timers.add(at, TimerEvent::Ipv6(Event6::RouteExpiry { ns }));
        }
    }

    // Lifetimes.

    pub(super) fn schedule_expiry6(&mut self, dev: DevId, entry: &Ipv6Address) {
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
    pub(super) fn notify_own_address6(&mut self, dev: DevId, address: Ipv6Addr) {
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
