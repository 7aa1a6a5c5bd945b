//! Link messages of family `AF_BRIDGE`: ports as `bridge link` lists and changes them
//! (`rtnl_bridge_getlink`, `rtnl_bridge_setlink`, net/bridge/br_netlink.c).

use hairpin_netlink::{
    Errno, Failure, Message, codec,
    core::{DefaultNla, Nla},
    route::{
        AddressFamily,
        link::{
            AfSpecBridge, BridgeVlanInfo, BridgeVlanInfoFlags, LinkAttribute, LinkExtentMask, LinkFlags,
            LinkMessage, LinkProtoInfoBridge,
        },
    },
};

use super::attributes::Attributes;
use super::message::oper_state;
use super::port_options::PORT_POLICY;
use super::request::{Request, ifla};
use super::{AF_BRIDGE, info, not_emulated};
use crate::dev::bridge::{PortFlags, VlanGroup};
use crate::dev::{Kind, RxHandler};
use crate::device::DevId;
use crate::netns::NsId;
use crate::rtnl::Dump;
use crate::rtnl::vlan::VlanInfo;
use crate::rtnl::vlan_tunnel;
use crate::world::World;

const IFLA_BRIDGE_FLAGS: u16 = 0;
const IFLA_BRIDGE_MODE: u16 = 1;
const IFLA_BRIDGE_VLAN_INFO: u16 = 2;
const IFLA_BRIDGE_VLAN_TUNNEL_INFO: u16 = 3;
/// `BRIDGE_FLAGS_*`: whom a request is for.
const FOR_MASTER: u16 = 1;
const FOR_SELF: u16 = 2;

impl World {
    /// The ports of a namespace's bridges; with VLANs asked for, the bridges too.
    pub(super) fn dump_bridge_links(&self, ns: NsId, request: &Request<'_>) -> Dump {
        let mask = request.attributes.u32(ifla::EXT_MASK).unwrap_or(0);
        let asked = |what| mask & u32::from(what) != 0;
        let vlans = match (asked(LinkExtentMask::BrvlanCompressed), asked(LinkExtentMask::Brvlan)) {
            (true, _) => Vlans::Ranges,
            (false, true) => Vlans::Each,
            (false, false) => Vlans::None,
        };
        let mut messages = Vec::new();
        for device in self.devices_of(ns) {
            messages.extend(self.bridge_port_message(device.id, vlans).map(Message::NewLink));
            if vlans != Vlans::None && matches!(device.kind, Kind::Bridge(_)) {
                let bridge = self.describe_for_bridge(device.id, device.id, vlans);
                messages.extend(bridge.map(Message::NewLink));
            }
        }
        Dump { messages, filtered: false }
    }

    fn bridge_port_message(&self, dev: DevId, vlans: Vlans) -> Option<LinkMessage> {
        let master = self.devs.get(dev)?.master?;
        self.describe_for_bridge(dev, master, vlans)
    }

    /// A port, or a bridge, as `bridge monitor` is told of it (`br_fill_ifinfo`); none for another device.
    pub(crate) fn bridge_link_message(&self, dev: DevId) -> Option<LinkMessage> {
        match self.is_bridge_port(dev) {
            true => self.bridge_port_message(dev, Vlans::Ranges),
            false => self.describe_for_bridge(dev, dev, Vlans::Ranges),
        }
    }

    /// A device that is no port of `bridge` any more (`br_ifinfo_notify` with `RTM_DELLINK`).
    pub(crate) fn former_port_message(&self, dev: DevId, bridge: DevId) -> Option<LinkMessage> {
        let mut message = self.describe_for_bridge(dev, bridge, Vlans::None)?;
        message.attributes.retain(|attribute| !matches!(attribute, LinkAttribute::ProtoInfoBridge(_)));
        Some(message)
    }

    fn describe_for_bridge(&self, dev: DevId, bridge: DevId, vlans: Vlans) -> Option<LinkMessage> {
        let device = self.devs.get(dev)?;
        let master = self.devs.get(bridge)?;
        let Kind::Bridge(state) = &master.kind else { return None };
        let mut message = LinkMessage::default();
        message.header.interface_family = AddressFamily::Bridge;
        message.header.index = device.ifindex;
        message.header.link_layer_type = device.hardware.into();
        message.header.flags = LinkFlags::from_bits_retain(device.shown_flags().bits());
        let attributes = &mut message.attributes;
        attributes.extend([
            LinkAttribute::IfName(device.name.clone()),
            LinkAttribute::Controller(master.ifindex),
            LinkAttribute::Mtu(device.mtu),
            LinkAttribute::OperState(oper_state(device)),
            LinkAttribute::Address(device.mac.0.to_vec()),
        ]);
        if let Some((index, _)) = self.link_below(dev).filter(|(index, _)| *index != device.ifindex) {
            attributes.push(LinkAttribute::Link(index));
        }
        if let Some(port) = info::port_data(self, device) {
            let raw = |option| LinkProtoInfoBridge::Other(untyped(&option));
            attributes.push(LinkAttribute::ProtoInfoBridge(port.into_iter().map(raw).collect()));
        }
        let group = match state.port(dev) {
            Some(port) => &port.vlans,
            None => &state.vlans,
        };
        let has_tunnels = state.port(dev).is_some_and(|port| port.flags.contains(PortFlags::VLAN_TUNNEL));
        let tunnels =
            if has_tunnels && vlans != Vlans::None { vlan_tunnel::describe(group) } else { Vec::new() };
        let mut vlans = vlans.of(group);
        vlans.extend(tunnels);
        if !vlans.is_empty() {
            attributes.push(LinkAttribute::AfSpecBridge(vlans));
        }
        Some(message)
    }

    /// `rtnl_bridge_setlink`
    pub(super) fn set_bridge_link(&mut self, ns: NsId, request: &Request<'_>) -> Result<(), Failure> {
        let dev = self.bridge_target(ns, request)?;
        let flags = bridge_flags(request)?;
        if flags == 0 || flags & FOR_MASTER != 0 {
            if self.devs.get(dev).is_none_or(|device| device.master.is_none()) {
                return Err(Errno::EOPNOTSUPP.into());
            }
            self.set_for_bridge(dev, request)?;
        }
        if flags & FOR_SELF != 0 {
            self.check_bridge_itself(dev)?;
            self.set_for_bridge(dev, request)?;
        }
        Ok(())
    }

    /// `rtnl_bridge_dellink`, which only takes VLANs away.
    pub(super) fn delete_bridge_link(&mut self, ns: NsId, request: &Request<'_>) -> Result<(), Failure> {
        let dev = self.bridge_target(ns, request)?;
        let flags = bridge_flags(request)?;
        if (flags == 0 || flags & FOR_MASTER != 0)
            && self.devs.get(dev).is_none_or(|device| device.master.is_none())
        {
            return Err(Errno::EOPNOTSUPP.into());
        }
        if flags == 0 || flags & FOR_MASTER != 0 {
            self.change_vlans_of(dev, request, true).map_err(|failure| failure.errno)?;
        }
        if flags & FOR_SELF != 0 {
            self.check_bridge_itself(dev)?;
            self.change_vlans_of(dev, request, true).map_err(|failure| failure.errno)?;
        }
        Ok(())
    }

    fn bridge_target(&self, ns: NsId, request: &Request<'_>) -> Result<DevId, Failure> {
        if request.family != AF_BRIDGE {
            return Err(Errno::EPFNOSUPPORT.into());
        }
        let found = u32::try_from(request.index).ok().and_then(|index| self.device_at(ns, index));
        found.ok_or_else(|| Failure::with_text(Errno::ENODEV, "unknown ifindex"))
    }

    /// Only a bridge has a bridge side of its own.
    fn check_bridge_itself(&self, dev: DevId) -> Result<(), Failure> {
        match self.devs.get(dev).map(|device| &device.kind) {
            Some(Kind::Bridge(_)) => Ok(()),
            _ => Err(Errno::EOPNOTSUPP.into()),
        }
    }

    /// `br_setlink`
    fn set_for_bridge(&mut self, dev: DevId, request: &Request<'_>) -> Result<(), Failure> {
        let options = request.attributes.get(ifla::PROTINFO);
        let sides = request.attributes.get(ifla::AF_SPEC);
        let is_port = self.is_bridge_port(dev);
        if options.is_none() && sides.is_none() {
            return Ok(());
        }
        if !is_port && sides.is_none() {
            return Err(Errno::EINVAL.into());
        }
        if let (true, Some(options)) = (is_port, options) {
            match options {
                // A lone number: the port's state, as old spanning-tree daemons send it.
                [state] => self.change_port_state(dev, *state)?,
                _ => {
                    // Linux passes no extended acknowledgement here.
                    let options = Attributes::read(options, PORT_POLICY).map_err(|failure| failure.errno)?;
                    self.change_port(dev, &options)?;
                }
            }
        }
        self.change_vlans_of(dev, request, false)
    }

    fn is_bridge_port(&self, dev: DevId) -> bool {
        self.devs.get(dev).is_some_and(|device| matches!(device.rx_handler, RxHandler::BridgePort { .. }))
    }

    /// `br_afspec`: the VLANs that a request gives to a port or a bridge, or takes away.
    fn change_vlans_of(&mut self, dev: DevId, request: &Request<'_>, delete: bool) -> Result<(), Failure> {
        let (mut range, mut tunnels) = (None, None);
        let mut changed = false;
        let mut outcome = Ok(());
        for (kind, value) in codec::attributes(request.attributes.get(ifla::AF_SPEC).unwrap_or(&[])) {
            match (kind, value) {
                (IFLA_BRIDGE_FLAGS | IFLA_BRIDGE_MODE, _) => {}
                (IFLA_BRIDGE_VLAN_INFO, &[a, b, c, d]) => {
                    let info =
                        VlanInfo { flags: u16::from_ne_bytes([a, b]), vid: u16::from_ne_bytes([c, d]) };
                    outcome = self.process_vlan_info(dev, delete, info, &mut range, &mut changed);
                }
                (IFLA_BRIDGE_VLAN_INFO, _) => outcome = Err(Errno::EINVAL.into()),
                (IFLA_BRIDGE_VLAN_TUNNEL_INFO, value) => {
                    outcome = self.process_tunnel_info(dev, delete, value, &mut tunnels, &mut changed);
                }
                _ => outcome = Err(not_emulated("Bridge option")),
            }
            if outcome.is_err() {
                break;
            }
        }
        if changed {
            self.changed();
            self.notify_bridge_link(dev);
        }
        outcome
    }
}

/// How a message lists VLANs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Vlans {
    None,
    /// `RTEXT_FILTER_BRVLAN`
    Each,
    /// `RTEXT_FILTER_BRVLAN_COMPRESSED`
    Ranges,
}

impl Vlans {
    /// `br_fill_ifvlaninfo`, `br_fill_ifvlaninfo_compressed`
    fn of(self, group: &VlanGroup) -> Vec<AfSpecBridge> {
        let mut ranges: Vec<(u16, u16, BridgeVlanInfoFlags)> = Vec::new();
        if self == Vlans::None {
            return Vec::new();
        }
        for vlan in group.members() {
            let mut flags = BridgeVlanInfoFlags::empty();
            flags.set(BridgeVlanInfoFlags::Pvid, group.is_pvid(vlan.vid));
            flags.set(BridgeVlanInfoFlags::Untagged, vlan.untagged);
            match ranges.last_mut() {
                Some((_, last, of)) if self == Vlans::Ranges && vlan.vid == *last + 1 && flags == *of => {
                    *last = vlan.vid;
                }
                _ => ranges.push((vlan.vid, vlan.vid, flags)),
            }
        }
        let mut list = Vec::new();
        for (first, last, flags) in ranges {
            let mut push = |vid, flags| list.push(AfSpecBridge::VlanInfo(BridgeVlanInfo { flags, vid }));
            match first == last {
                true => push(first, flags),
                false => {
                    push(first, flags | BridgeVlanInfoFlags::RangeBegin);
                    push(last, flags | BridgeVlanInfoFlags::RangeEnd);
                }
            }
        }
        list
    }
}

/// `IFLA_BRIDGE_FLAGS` of a request; 0 without.
fn bridge_flags(request: &Request<'_>) -> Result<u16, Failure> {
    let mut flags = 0;
    for (kind, value) in codec::attributes(request.attributes.get(ifla::AF_SPEC).unwrap_or(&[])) {
        match (kind, value.first_chunk()) {
            (IFLA_BRIDGE_FLAGS, Some(found)) => flags = u16::from_ne_bytes(*found),
            (IFLA_BRIDGE_FLAGS | IFLA_BRIDGE_MODE, None) => return Err(Errno::EINVAL.into()),
            _ => {}
        }
    }
    Ok(flags)
}

/// An option of a port as the plain attribute that this family's messages carry.
fn untyped(option: &impl Nla) -> DefaultNla {
    let mut value = vec![0; option.value_len()];
    option.emit_value(&mut value);
    DefaultNla::new(option.kind(), value)
}
