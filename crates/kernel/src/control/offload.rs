//! The longest segment that a device takes to cut up itself (`dev->tso_max_size`). A stacked device copies that of the
//! one below when it is made and when that one's features change (`netif_inherit_tso_max`); a bridge or bond reckons
//! when a port comes or goes.

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

    /// `NETDEV_FEAT_CHANGE`: macvlans and VLANs copy anew. A bridge's features are others with ports than without.
    pub(super) fn features_changed(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        let tso_max = device.tso_max;
        for upper in device.uppers.clone() {
            if let Some(upper) = self.devs.get_mut(upper) {
                upper.tso_max = tso_max;
            }
        }
    }
}
