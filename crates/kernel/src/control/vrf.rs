//! VRFs and their ports (`vrf_newlink`, `do_vrf_add_slave`, `do_vrf_del_slave`).

use hairpin_netlink::{Errno, Failure};

use crate::dev::{Kind, vrf};
use crate::device::DevId;
use crate::netns::NsId;
use crate::route::{Rule, Ruled as _, model::PROTOCOL_KERNEL};
use crate::route6::Flow6;
use crate::rtnl;
use crate::world::World;

impl World {
    /// `vrf_add_fib_rules`: the first VRF of a namespace brings the rule, which then stays.
    pub(crate) fn add_vrf_rule(&mut self, ns: NsId) {
        let Some(netns) = self.netns.get_mut(ns) else { return };
        if std::mem::replace(&mut netns.vrf_rule, true) {
            return;
        }
        let rule = Rule { vrf: true, protocol: PROTOCOL_KERNEL, ..Rule::lookup(vrf::RULE_PRIORITY, 0) };
        let (Some(netns), Some(fib)) = (self.netns.get(ns), self.fib.get_mut(ns)) else { return };
        let links = crate::links::NsLinks { devs: &self.devs, netns };
        // A rule like it, made by hand, is no obstacle.
        let mut notices = Vec::new();
        if let Ok(change) = fib.add_rule(rule.clone(), false, &links) {
            notices.push(rtnl::rule::announce(fib, &change));
        }
        if let Some(fib) = self.fib6.get_mut(ns)
            && let Ok(change) = fib.add_rule(rule, false, &links)
        {
            notices.push(rtnl::rule::announce(fib, &change));
        }
        self.announce(ns, &notices);
        self.changed();
    }

    /// `vrf_add_slave`
    pub(super) fn add_vrf_port(&mut self, dev: DevId, master: DevId) -> Result<(), Failure> {
        let Some(device) = self.devs.get(dev) else { return Err(Errno::ENODEV.into()) };
        if matches!(device.kind, Kind::Vrf(_)) {
            let text = "Can not enslave an L3 master device to a VRF";
            return Err(Failure::with_text(Errno::EINVAL, text));
        }
        if matches!(device.kind, Kind::Loopback) {
            let text = "Can not enslave loopback device to a VRF";
            return Err(Failure::with_text(Errno::EOPNOTSUPP, text));
        }
        self.set_vrf(dev, Some(master));
        Ok(())
    }

    /// `do_vrf_del_slave`
    pub(super) fn remove_vrf_port(&mut self, dev: DevId) {
        self.set_vrf(dev, None);
    }

    /// Routes move with the device from table to table: those of before go, going down and up brings the new.
    fn set_vrf(&mut self, dev: DevId, master: Option<DevId>) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        device.master = master;
        let (ns, ifindex, up) = (device.ns, device.ifindex, device.is_up());
        if let (Some(netns), Some(fib)) = (self.netns.get(ns), self.fib.get_mut(ns)) {
            let links = crate::links::NsLinks { devs: &self.devs, netns };
            let changes = fib.device_destroyed(ifindex, &links);
            self.notify_routes(ns, &changes);
        }
        // `addrconf_notify(NETDEV_CHANGEUPPER)`: addresses of IPv6 go with their routes.
        self.ip6_down(dev);
        self.changed();
        self.notify_link(dev);
        if up {
            self.keep_promiscuous(dev);
            self.cycle(dev);
        }
    }

    /// `cycle_netdev` asks for the flags that it finds: what was so for a capture's sake is now the user's own wish.
    fn keep_promiscuous(&mut self, dev: DevId) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        let promiscuous = device.promiscuity > 0 && !device.user_promisc;
        let all_groups = device.allmulti > 0 && !device.user_allmulti;
        device.user_promisc |= promiscuous;
        device.user_allmulti |= all_groups;
        if promiscuous {
            self.set_promiscuity(dev, 1);
        }
        if all_groups {
            self.set_allmulti(dev, 1);
        }
    }

    /// The ports of a VRF.
    pub(super) fn vrf_ports(&self, master: DevId) -> Vec<DevId> {
        let of_master = |device: &&crate::device::Device| device.master == Some(master);
        self.devs.values().filter(of_master).map(|device| device.id).collect()
    }

    /// The VRF that a device is, or is a port of (`l3mdev_master_dev`).
    #[inline]
    pub(crate) fn vrf_of(&self, dev: DevId) -> Option<DevId> {
        let device = self.devs.get(dev)?;
        match (&device.kind, device.master) {
            (Kind::Vrf(_), _) => Some(dev),
            (_, Some(master)) if matches!(self.devs.get(master)?.kind, Kind::Vrf(_)) => Some(master),
            _ => None,
        }
    }

    /// Interface index and table of the VRF that a device is, or is a port of.
    pub(crate) fn vrf_table(&self, dev: DevId) -> Option<(u32, u32)> {
        let vrf = self.devs.get(self.vrf_of(dev)?)?;
        match &vrf.kind {
            Kind::Vrf(own) => Some((vrf.ifindex, own.table)),
            _ => None,
        }
    }

    /// The table that holds what IPv6 has of a device: its VRF's, else `table` (`l3mdev_fib_table`).
    pub(crate) fn table6_of(&self, dev: DevId, table: u32) -> u32 {
        self.vrf_table(dev).map_or(table, |(_, own)| own)
    }

    /// `l3mdev_update_flow`: a device of a VRF sends the lookup to its table; the VRF itself is no way out.
    pub(crate) fn in_vrf6(&self, ns: NsId, flow: Flow6) -> Flow6 {
        let by = if flow.iif == 0 { flow.device } else { flow.iif };
        if by == 0 {
            return flow;
        }
        let Some((vrf, table)) = self.device_at(ns, by).and_then(|dev| self.vrf_table(dev)) else {
            return flow;
        };
        let device = if flow.device == vrf { 0 } else { flow.device };
        Flow6 { vrf_table: Some(table), device, ..flow }
    }

    /// Interface index of [`World::vrf_of`]; 0 for none (`l3mdev_master_ifindex`).
    pub(crate) fn vrf_ifindex(&self, dev: DevId) -> u32 {
        self.vrf_of(dev).and_then(|vrf| self.devs.get(vrf)).map_or(0, |vrf| vrf.ifindex)
    }
}
