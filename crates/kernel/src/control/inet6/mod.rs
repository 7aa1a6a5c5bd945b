//! IPv6 of devices: it begins and ends with them, with their links and by their settings (`addrconf_notify` of
//! net/ipv6/addrconf.c). Confirming that nobody else has an address is in [`super::dad`], what routers tell in
//! [`super::autoconf`].
//!
//! * [`address`] addresses come and go
//! * [`route`] routes of addresses and devices

mod address;
mod route;

use std::net::Ipv6Addr;

use crate::dev::Kind;
use crate::device::{AddrGenMode, Dad, DevId, Device, Flags, Ipv6Address, ifa};
use crate::ip6::MIN_MTU;
use crate::ip6::address::{
    ALL_NODES, ALL_ROUTERS, INTERFACE_ALL_NODES, INTERFACE_ALL_ROUTERS, SITE_ALL_ROUTERS, is_link_local,
    solicited_node,
};
use crate::netns::NsId;
use crate::route::RouteKind;
use crate::route6::model::{METRIC_ADDRCONF, TABLE_LOCAL};
use crate::route6::{Prefix6, Route6};
use crate::world::World;

/// `RT_SCOPE_LINK`
pub(in crate::control) const SCOPE_LINK: u8 = 253;
/// `RT_SCOPE_HOST`
pub(in crate::control) const SCOPE_HOST: u8 = 254;
/// `IFAPROT_KERNEL_LO`
const PROTOCOL_LOOPBACK: u8 = 1;
/// Where multicast goes: every device takes it.
const MULTICAST: Prefix6 = Prefix6 { address: Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), length: 8 };

impl World {
    /// `ipv6_add_dev`: a device begins with what its namespace sets for new ones. It begins anew where it moves to
    /// another namespace, and when its MTU has been too small for IPv6.
    pub(in crate::control) fn ip6_begins(&mut self, dev: DevId) {
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
    pub(in crate::control) fn ip6_registered(&mut self, dev: DevId) {
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
    pub(in crate::control) fn ip6_up(&mut self, dev: DevId) {
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
        let Some(device) = self.devs.get(dev) else { return };
        if device.is_loopback() || device.ipv6_disabled || matches!(device.kind, Kind::Vrf(_)) {
            return;
        }
        let table = self.table6_of(dev, TABLE_LOCAL);
        let route = Route6::of_device(RouteKind::Multicast, MULTICAST, table, METRIC_ADDRCONF, ifindex);
        self.add_kernel_route6(ns, route);
    }

    /// `dev_forward_change`: routers listen to the routers' groups, and learn no routers.
    pub(crate) fn ip6_forwarding_changed(&mut self, dev: DevId) {
        let on = self.forwards6(dev);
        if on {
            self.disable_lro(dev);
        }
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
    pub(in crate::control) fn ip6_mtu_changed(&mut self, dev: DevId, old: u32) {
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
                // `ipv6_add_dev`: it counts as ready at once, with IPv6 switched off too, so that its groups go with the link.
                if self.link_ready(dev)
                    && let Some(device) = self.devs.get_mut(dev)
                {
                    device.inet6.listener.is_up = true;
                }
            }
            _ => {}
        }
    }

    /// `addrconf_ifdown`: addresses go with the link being set down, unless `keep_addr_on_down` is set.
    pub(in crate::control) fn ip6_down(&mut self, dev: DevId) {
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
        let kept = device.ipv6.clone();
        self.ipvlan_addresses_changed(dev);
        for own in &gone {
            self.address6_gone(dev, own);
        }
        let forwards = self.forwards6(dev);
        for own in kept {
            if forwards {
                self.leave_anycast(dev, &own);
            }
            if !noarp {
                self.leave_ipv6_group(dev, solicited_node(own.address));
            }
        }
        self.stop_ipv6_reports(dev);
        self.changed();
    }

    /// A device leaves its namespace: nothing of IPv6 stays.
    pub(in crate::control) fn ip6_forget(&mut self, dev: DevId) {
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
}
