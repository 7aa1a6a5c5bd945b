//! Devices go (`unregister_netdevice_many`), and what stands on them goes before they are gone.

use crate::dev::Kind;
use crate::device::DevId;
use crate::world::World;

impl World {
    /// Removes a device with everything that cannot be without it: its peer, the devices on it.
    pub(crate) fn unregister(&mut self, dev: DevId) {
        match self.devs.get(dev).map(|device| &device.kind) {
            Some(Kind::Veth(veth) | Kind::Vxcan(veth)) if veth.peer.is_some() => {
                let ends: Vec<DevId> = std::iter::once(dev).chain(veth.peer).collect();
                // `veth_dellink`, `dev_close_many`: the ends part, then both go down, and the link watch finds no link
                // that it could tell of.
                for end in &ends {
                    if let Some(Kind::Veth(veth) | Kind::Vxcan(veth)) =
                        self.devs.get_mut(*end).map(|device| &mut device.kind)
                    {
                        veth.peer = None;
                    }
                    if *end != dev {
                        self.carrier_quietly(*end, false);
                    }
                }
                return self.unregister_many(&ends);
            }
            Some(Kind::Bridge(_)) => self.end_bridge(dev),
            // `vrf_dellink`
            Some(Kind::Vrf(_)) => {
                for port in self.vrf_ports(dev) {
                    self.release_from_master(port);
                }
            }
            _ => {}
        }
        self.unregister_many(&[dev]);
    }

    /// `unregister_netdevice_many`: all are closed, with the VLANs on them, before anybody hears that one goes.
    fn unregister_many(&mut self, devs: &[DevId]) {
        for dev in devs {
            // `macvlan_dellink`
            if let Some(Kind::Macvlan(state)) = self.devs.get(*dev).map(|device| &device.kind) {
                let lower = state.lower;
                self.refresh_broadcast_queue(lower, devs);
            }
        }
        for dev in devs {
            self.close(*dev);
        }
        for dev in devs {
            if let Some(device) = self.devs.get_mut(*dev) {
                device.leaving = true;
            }
        }
        for dev in devs {
            self.unregister_one(*dev);
        }
        self.changed();
    }

    fn unregister_one(&mut self, dev: DevId) {
        if !self.devs.contains_key(dev) {
            return;
        }
        self.shut_queue(dev);
        // Who hears of it, in the order in which they do: IP, the master, what stands on it (`NETDEV_UNREGISTER`).
        self.forget_ip(dev);
        self.release_from_master(dev);
        if let Some(Kind::Bridge(bridge)) = self.devs.get(dev).map(|device| &device.kind)
            && bridge.vlans.member(bridge.default_pvid).is_some()
        {
            // `br_vlan_bridge_event`
            let pvid = bridge.default_pvid;
            self.notify_vlans(dev, pvid, pvid, true);
        }
        self.unregister_uppers(dev);
        let notice = self.link_deleted_notice(dev);
        self.uninit(dev);
        if let Some(notice) = notice {
            self.notify_link_deleted(dev, &notice);
        }
        for tap in self.devs.get(dev).map(|device| device.taps.clone()).unwrap_or_default() {
            if let Some(crate::sock::Kind::Packet(packet)) = self.sockets.get_mut(tap).map(|s| &mut s.kind) {
                packet.device = None;
                packet.protocol = 0;
                packet.is_orphan = true;
            }
        }
        self.unlist(dev);
        if let Some(device) = self.devs.remove(dev)
            && let Some(host) = self.netns.get(device.ns).map(|netns| netns.host)
            && let Some(host) = self.hosts.get_mut(host)
        {
            host.rounds_of_gone += device.rounds;
        }
    }

    /// The devices on this one go, those of a kind together: each kind's notifier sees to its own.
    fn unregister_uppers(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        let mut uppers = device.uppers.clone();
        uppers.extend(self.tunnels_over(device.ns, Some(device.ifindex)));
        let kind_of = |world: &World, dev: DevId| world.devs.get(dev).and_then(|device| device.kind.name());
        while let Some(first) = uppers.first().copied() {
            let kind = kind_of(self, first);
            let (now, later): (Vec<DevId>, Vec<DevId>) =
                uppers.into_iter().partition(|upper| kind_of(self, *upper) == kind);
            uppers = later;
            self.unregister_many(&now);
        }
    }

    /// `ndo_uninit`: it lets go of its ports and of what it stands on.
    fn uninit(&mut self, dev: DevId) {
        for port in self.team_ports(dev) {
            self.remove_team_port(port, dev);
        }
        for slave in self.bond_slaves(dev) {
            self.remove_bond_slave(slave, dev, true);
        }
        if let Some(Kind::Bridge(bridge)) = self.devs.get(dev).map(|device| &device.kind) {
            // `br_vlan_flush`
            let ranges = bridge.vlans.ranges_without(bridge.default_pvid);
            for (first, last) in ranges {
                self.notify_vlans(dev, first, last, true);
            }
        }
        self.forget_tap(dev);
        self.tell_can_sockets(dev, hairpin_netlink::Errno::ENODEV);
        self.unwire(dev);
    }

    /// Addresses, routes and neighbours of a device that leaves its namespace.
    pub(super) fn forget_ip(&mut self, dev: DevId) {
        let Some((ns, ifindex)) = self.devs.get(dev).map(|device| (device.ns, device.ifindex)) else {
            return;
        };
        self.destroy_addresses(dev);
        self.flush_neighbours(ns, ifindex, false);
        self.ip6_forget(dev);
        self.notify_configuration(dev, true);
    }
}
