//! Options of a bridge's port: `IFLA_BRPORT_*` (`br_setport`).

use hairpin_netlink::{Errno, Failure};

use super::attributes::{Attributes, Policy, U8, U16, U32};
use crate::dev::bridge::{BridgePort, PortFlags, State};
use crate::dev::{Kind, RxHandler};
use crate::device::DevId;
use crate::world::World;

const STATE: u16 = 1;
const PRIORITY: u16 = 2;
const COST: u16 = 3;
const FLUSH: u16 = 24;
const MULTICAST_ROUTER: u16 = 25;
const GROUP_FWD_MASK: u16 = 31;
const BACKUP_PORT: u16 = 34;
const MCAST_EHT_HOSTS_LIMIT: u16 = 37;

/// Attributes that switch one flag.
const FLAGS: &[(u16, PortFlags)] = &[
    (4, PortFlags::HAIRPIN),
    (5, PortFlags::BPDU_GUARD),
    (6, PortFlags::ROOT_BLOCK),
    (7, PortFlags::FAST_LEAVE),
    (8, PortFlags::LEARNING),
    (9, PortFlags::FLOOD),
    (10, PortFlags::PROXY_ARP),
    (12, PortFlags::PROXY_ARP_WIFI),
    (27, PortFlags::MCAST_FLOOD),
    (28, PortFlags::MULTICAST_TO_UNICAST),
    (29, PortFlags::VLAN_TUNNEL),
    (30, PortFlags::BCAST_FLOOD),
    (32, PortFlags::NEIGH_SUPPRESS),
    (33, PortFlags::ISOLATED),
    (39, PortFlags::LOCKED),
];

/// `br_port_policy`
pub(super) const PORT_POLICY: &[(u16, Policy)] = &[
    (STATE, U8),
    (PRIORITY, U16),
    (COST, U32),
    (4, U8),
    (5, U8),
    (6, U8),
    (7, U8),
    (8, U8),
    (9, U8),
    (10, U8),
    (12, U8),
    (27, U8),
    (28, U8),
    (29, U8),
    (30, U8),
    (32, U8),
    (33, U8),
    (39, U8),
    (MULTICAST_ROUTER, U8),
    (GROUP_FWD_MASK, U16),
    (BACKUP_PORT, U32),
    (MCAST_EHT_HOSTS_LIMIT, U32),
];

/// `BR_MAX_PORT_PRIORITY`
const PRIORITY_MAX: u16 = 63;
/// `BR_MAX_PATH_COST`
const COST_MAX: u32 = 65_535;
/// Bit of the pause address in a forwarding mask (`BR_GROUPFWD_MACPAUSE`).
const FORWARD_PAUSE: u16 = 1 << 1;

impl World {
    /// `br_setport`: options before a refused one stay changed.
    pub(super) fn change_port(&mut self, dev: DevId, options: &Attributes<'_>) -> Result<(), Failure> {
        let (bridge, port) = self.port(dev)?;
        let old = port.flags;
        let flags = options_flags(old, options);
        port.flags = flags;
        if (old - flags).contains(PortFlags::VLAN_TUNNEL) {
            port.vlans.unmap_tunnels();
        }
        self.changed();
        if (old ^ flags).intersects(PortFlags::AUTO) {
            self.manage_bridge_promiscuity(bridge);
        }
        if let Some(cost) = options.u32(COST) {
            if cost == 0 || cost > COST_MAX {
                return Err(Errno::ERANGE.into());
            }
            let bridge = self.port(dev)?.0;
            self.bridge_act(bridge, |state, clock| state.set_path_cost(dev, cost, clock));
        }
        if let Some(priority) = options.u16(PRIORITY) {
            if priority > PRIORITY_MAX {
                return Err(Errno::ERANGE.into());
            }
            let bridge = self.port(dev)?.0;
            self.bridge_act(bridge, |state, clock| state.set_port_priority(dev, priority as u8, clock));
        }
        if let Some(state) = options.u8(STATE) {
            self.change_port_state(dev, state)?;
        }
        if options.has(FLUSH) {
            let bridge = self.port(dev)?.0;
            self.flush_port(bridge, dev, false);
        }
        if let Some(router) = options.u8(MULTICAST_ROUTER) {
            let bridge = self.port(dev)?.0;
            if self.bridge_act(bridge, |state, clock| state.set_port_router(dev, router, clock)) != Some(true)
            {
                return Err(Errno::EINVAL.into());
            }
        }
        match options.u32(MCAST_EHT_HOSTS_LIMIT) {
            Some(0) => return Err(Errno::EINVAL.into()),
            Some(limit) => self.port(dev)?.1.eht_hosts_limit = limit,
            None => {}
        }
        if let Some(mask) = options.u16(GROUP_FWD_MASK) {
            if mask & FORWARD_PAUSE != 0 {
                return Err(Errno::EINVAL.into());
            }
            self.port(dev)?.1.group_fwd_mask = mask;
        }
        if let Some(index) = options.u32(BACKUP_PORT) {
            self.change_backup(dev, index)?;
        }
        self.notify_bridge_link(dev);
        Ok(())
    }

    /// `br_set_port_state`
    pub(super) fn change_port_state(&mut self, dev: DevId, state: u8) -> Result<(), Failure> {
        let state = State::from_number(state).ok_or(Errno::EINVAL)?;
        let Some(device) = self.devs.get(dev) else { return Err(Errno::ENODEV.into()) };
        let usable = device.is_up() && (device.oper_up() || state == State::Disabled);
        let bridge = self.port(dev)?.0;
        if let Some(Kind::Bridge(own)) = self.devs.get(bridge).map(|device| &device.kind)
            && own.stp
        {
            return Err(Errno::EBUSY.into());
        }
        if !usable {
            return Err(Errno::ENETDOWN.into());
        }
        self.bridge_act(bridge, |own, clock| {
            if let Some(port) = own.port_mut(dev) {
                port.state = state;
            }
            own.select_states(clock);
        });
        self.changed();
        Ok(())
    }

    /// `nbp_backup_change`: another port of the same bridge, or none.
    fn change_backup(&mut self, dev: DevId, index: u32) -> Result<(), Failure> {
        let bridge = self.port(dev)?.0;
        if index == 0 {
            self.port(dev)?.1.backup = None;
            return Ok(());
        }
        let ns = self.devs.get(dev).ok_or(Errno::ENODEV)?.ns;
        let backup = self.device_at(ns, index).ok_or(Errno::ENOENT)?;
        match self.devs.get(backup).map(|device| &device.rx_handler) {
            Some(RxHandler::BridgePort { bridge: other }) if *other == bridge && backup != dev => {
                self.port(dev)?.1.backup = Some(backup);
                Ok(())
            }
            Some(RxHandler::BridgePort { .. }) => Err(Errno::EINVAL.into()),
            _ => Err(Errno::ENOENT.into()),
        }
    }

    /// The bridge that a device is a port of, and the port.
    fn port(&mut self, dev: DevId) -> Result<(DevId, &mut BridgePort), Failure> {
        let Some(RxHandler::BridgePort { bridge }) = self.devs.get(dev).map(|device| &device.rx_handler)
        else {
            return Err(Errno::EINVAL.into());
        };
        let bridge = *bridge;
        match self.devs.get_mut(bridge).map(|device| &mut device.kind) {
            Some(Kind::Bridge(own)) => Ok((bridge, own.port_mut(dev).ok_or(Errno::EINVAL)?)),
            _ => Err(Errno::EINVAL.into()),
        }
    }
}

/// The flags that a port is to have.
fn options_flags(old: PortFlags, options: &Attributes<'_>) -> PortFlags {
    let mut flags = old;
    for (kind, flag) in FLAGS {
        if let Some(on) = options.u8(*kind) {
            flags.set(*flag, on != 0);
        }
    }
    flags
}
