//! Which tunnel stands for which VLAN of a bridge's port (net/bridge/br_netlink_tunnel.c, br_vlan_tunnel.c). Frames of such a VLAN
//! leave without their tag, and an `external` device sends them by the tunnel of that number.

use hairpin_netlink::route::link::{AfSpecBridge, BridgeVlanInfoFlags, BridgeVlanTunnelInfo};
use hairpin_netlink::{Errno, Failure};

use super::link::attributes::{Attributes, Policy, U16, U32};
use crate::dev::Kind;
use crate::dev::bridge::vlan::Vlan;
use crate::dev::bridge::{PortFlags, VlanGroup};
use crate::device::DevId;
use crate::world::World;

const IFLA_BRIDGE_VLAN_TUNNEL_ID: u16 = 1;
const IFLA_BRIDGE_VLAN_TUNNEL_VID: u16 = 2;
const IFLA_BRIDGE_VLAN_TUNNEL_FLAGS: u16 = 3;

/// `vlan_tunnel_policy`
const POLICY: &[(u16, Policy)] = &[
    (IFLA_BRIDGE_VLAN_TUNNEL_ID, U32),
    (IFLA_BRIDGE_VLAN_TUNNEL_VID, U16),
    (IFLA_BRIDGE_VLAN_TUNNEL_FLAGS, U16),
];

/// `VLAN_VID_MASK`
const VID_END: u16 = 0x0fff;

/// `IFLA_BRIDGE_VLAN_TUNNEL_INFO`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TunnelInfo {
    vid: u16,
    tunnel: u32,
    flags: BridgeVlanInfoFlags,
}

impl TunnelInfo {
    /// `br_parse_vlan_tunnel_info`
    fn parse(bytes: &[u8]) -> Result<TunnelInfo, Failure> {
        let found = Attributes::read(bytes, POLICY).map_err(|failure| failure.errno)?;
        let tunnel = found.u32(IFLA_BRIDGE_VLAN_TUNNEL_ID).ok_or(Errno::EINVAL)?;
        let vid = found.u16(IFLA_BRIDGE_VLAN_TUNNEL_VID).ok_or(Errno::EINVAL)?;
        if vid >= VID_END {
            return Err(Errno::ERANGE.into());
        }
        let flags = found.u16(IFLA_BRIDGE_VLAN_TUNNEL_FLAGS).unwrap_or(0);
        Ok(TunnelInfo { vid, tunnel, flags: BridgeVlanInfoFlags::from_bits_retain(flags) })
    }
}

impl World {
    /// `br_process_vlan_tunnel_info`: one VLAN, or a range of them whose beginning came before (`last`).
    ///
    /// # Errors
    /// `EINVAL` for a device without such tunnels, a VLAN that the port is not in, and a range that is none; `EEXIST`, `ERANGE`.
    pub(super) fn process_tunnel_info(
        &mut self,
        dev: DevId,
        delete: bool,
        bytes: &[u8],
        last: &mut Option<TunnelInfo>,
        changed: &mut bool,
    ) -> Result<(), Failure> {
        if self.tunnels_of(dev).is_none() {
            return Err(Errno::EINVAL.into());
        }
        let info = TunnelInfo::parse(bytes)?;
        if info.flags.contains(BridgeVlanInfoFlags::RangeBegin) {
            return match last.replace(info) {
                Some(_) => Err(Errno::EINVAL.into()),
                None => Ok(()),
            };
        }
        if !info.flags.contains(BridgeVlanInfoFlags::RangeEnd) {
            if last.is_some() {
                return Err(Errno::EINVAL.into());
            }
            *changed |= self.change_tunnel(dev, delete, info.vid, info.tunnel)?;
            self.notify_vlans(dev, info.vid, info.vid, false);
            return Ok(());
        }
        let first = last.take().ok_or(Errno::EINVAL)?;
        let count = info.vid.checked_sub(first.vid).ok_or(Errno::EINVAL)?;
        if u32::from(count) != info.tunnel.wrapping_sub(first.tunnel) {
            return Err(Errno::EINVAL.into());
        }
        let mut run: Option<(u16, u16)> = None;
        let mut outcome = Ok(());
        for step in 0..=count {
            let vid = first.vid + step;
            let one = self.change_tunnel(dev, delete, vid, first.tunnel.wrapping_add(step.into()));
            let is_changed = match one {
                Ok(is_changed) => is_changed,
                Err(failure) => {
                    outcome = Err(failure);
                    break;
                }
            };
            *changed |= is_changed;
            run = match run {
                Some((from, to)) if is_changed && self.in_one_range(dev, to, vid) => Some((from, vid)),
                before => {
                    if let Some((from, to)) = before {
                        self.notify_vlans(dev, from, to, false);
                    }
                    is_changed.then_some((vid, vid))
                }
            };
        }
        if let Some((from, to)) = run {
            self.notify_vlans(dev, from, to, false);
        }
        outcome
    }

    /// `br_vlan_tunnel_info`. True if there is something to tell.
    fn change_tunnel(&mut self, dev: DevId, delete: bool, vid: u16, tunnel: u32) -> Result<bool, Failure> {
        let group = self.tunnels_of(dev).ok_or(Errno::EINVAL)?;
        match delete {
            true => Ok(group.unmap_tunnel(vid)),
            false => group.map_tunnel(vid, tunnel).map(|()| true).map_err(Failure::from),
        }
    }

    /// The VLANs of a port with `vlan_tunnel`.
    fn tunnels_of(&mut self, dev: DevId) -> Option<&mut VlanGroup> {
        let bridge = self.devs.get(dev)?.master?;
        let Kind::Bridge(state) = &mut self.devs.get_mut(bridge)?.kind else { return None };
        let port = state.port_mut(dev)?;
        port.flags.contains(PortFlags::VLAN_TUNNEL).then_some(&mut port.vlans)
    }
}

/// Whether the tunnel of a VLAN follows that of the one before (`__vlan_tun_can_enter_range`).
pub(super) fn joins(last: &Vlan, next: &Vlan) -> bool {
    match (last.tunnel, next.tunnel) {
        (None, None) => true,
        (last, next) => next.unwrap_or(0).wrapping_sub(last.unwrap_or(0)) == 1,
    }
}

/// `br_fill_vlan_tunnel_info`
pub(super) fn describe(group: &VlanGroup) -> Vec<AfSpecBridge> {
    let mut ranges: Vec<(&Vlan, &Vlan)> = Vec::new();
    for vlan in group.members().filter(|vlan| vlan.tunnel.is_some()) {
        match ranges.last_mut() {
            Some((_, last)) if vlan.vid - last.vid == 1 && joins(last, vlan) => *last = vlan,
            _ => ranges.push((vlan, vlan)),
        }
    }
    let entry = |vlan: &Vlan, flags| {
        AfSpecBridge::VlanTunnelInfo(vec![
            BridgeVlanTunnelInfo::Id(vlan.tunnel.unwrap_or(0)),
            BridgeVlanTunnelInfo::Vid(vlan.vid),
            BridgeVlanTunnelInfo::Flags(flags),
        ])
    };
    let mut list = Vec::new();
    for (first, last) in ranges {
        if first.vid == last.vid {
            list.push(entry(first, BridgeVlanInfoFlags::empty()));
        } else {
            list.push(entry(first, BridgeVlanInfoFlags::RangeBegin));
            list.push(entry(last, BridgeVlanInfoFlags::RangeEnd));
        }
    }
    list
}
