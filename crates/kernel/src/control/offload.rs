//! The longest segment that a device takes to cut up itself (`dev->tso_max_size`). A stacked device copies that of the
//! one below when it is made and when that one's features change (`netif_inherit_tso_max`); a bridge or bond reckons
//! when a port comes or goes.

use hairpin_netlink::route::link::LinkEvent;

use crate::dev::Kind;
use crate::device::{DevId, TSO_MAX_HARDWARE, TSO_MAX_SOFTWARE};
use crate::world::World;

impl World {
    /// What a device of this kind starts with.
    pub(super) fn first_tso_max(&self, kind: &Kind) -> u32 {
        let below = match kind {
            Kind::Loopback | Kind::Veth(_) => return TSO_MAX_SOFTWARE,
            Kind::Macvlan(state) => Some(state.lower),
            Kind::Ipvlan(state) => Some(state.lower),
            Kind::Vlan(state) => Some(state.lower),
            Kind::Vxlan(state) if state.config.oif != 0 => self.device_at(state.underlay, state.config.oif),
            _ => None,
        };
        below.and_then(|below| self.devs.get(below)).map_or(TSO_MAX_HARDWARE, |below| below.tso_max)
    }

    /// A tunnel's device below is another one now.
    pub(crate) fn inherit_tso_max(&mut self, dev: DevId) {
        let Some(tso_max) = self.devs.get(dev).map(|device| self.first_tso_max(&device.kind)) else { return };
        if let Some(device) = self.devs.get_mut(dev) {
            device.tso_max = tso_max;
        }
    }

    /// `br_set_gso_limits`, `bond_compute_features`: the least of the ports'.
    pub(super) fn reckon_tso_max(&mut self, master: DevId) {
        let ports = match self.devs.get(master).map(|device| &device.kind) {
            Some(Kind::Bond(_)) => self.bond_slaves(master),
            _ => self.bridge_ports(master),
        };
        let least = ports.iter().filter_map(|port| self.devs.get(*port)).map(|port| port.tso_max).min();
        if let Some(device) = self.devs.get_mut(master) {
            device.tso_max = least.unwrap_or(TSO_MAX_SOFTWARE);
        }
    }

    /// The features of a device and of all that stands on it, before something changes them.
    pub(super) fn features_before(&self, dev: DevId) -> FeaturesBefore {
        let mut known: Vec<(DevId, u64)> = Vec::new();
        let mut pending = vec![dev];
        while let Some(at) = pending.pop() {
            let Some(device) = self.devs.get(at) else { continue };
            if known.iter().any(|(dev, _)| *dev == at) {
                continue;
            }
            known.push((at, self.active_features(at)));
            pending.extend(device.uppers.iter().copied().chain(device.master));
        }
        FeaturesBefore(known)
    }

    /// `netdev_update_features`: told only if they have changed.
    pub(super) fn update_features(&mut self, dev: DevId, before: &FeaturesBefore) {
        let was = before.0.iter().find(|(known, _)| *known == dev).map(|(_, features)| *features);
        if was.is_some_and(|was| was != self.active_features(dev)) {
            self.change_features(dev, before);
        }
    }

    /// `netdev_change_features`: `NETDEV_FEAT_CHANGE`, after which VLANs and macvlans copy anew, and masters reckon.
    pub(super) fn change_features(&mut self, dev: DevId, before: &FeaturesBefore) {
        self.notify_link_event(dev, LinkEvent::Features);
        let Some(device) = self.devs.get(dev) else { return };
        let (tso_max, uppers, master) = (device.tso_max, device.uppers.clone(), device.master);
        for upper in uppers {
            if let Some(device) = self.devs.get_mut(upper)
                && matches!(device.kind, Kind::Vlan(_) | Kind::Macvlan(_) | Kind::Ipvlan(_))
            {
                device.tso_max = tso_max;
                self.update_features(upper, before);
            }
        }
        let Some(master) = master else { return };
        match self.devs.get(master).map(|device| &device.kind) {
            Some(Kind::Bridge(_)) => self.update_features(master, before),
            Some(Kind::Bond(_)) => {
                self.reckon_tso_max(master);
                self.change_features(master, before);
            }
            Some(Kind::Team(_)) => self.change_features(master, before),
            _ => {}
        }
    }

    /// `dev_disable_lro`: segments that were put together cannot be passed on. A device and those below it do so no
    /// more, until somebody wants it again.
    pub(crate) fn disable_lro(&mut self, dev: DevId) {
        for at in self.stack_of(dev) {
            let before = self.features_before(at);
            if self.unwant_lro(at) {
                self.update_features(at, &before);
            }
        }
    }
}

/// What [`World::features_before`] found.
pub(super) struct FeaturesBefore(Vec<(DevId, u64)>);
