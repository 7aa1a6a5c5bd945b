//! `RTM_SETLINK`, and `RTM_NEWLINK` for a device that exists (`do_setlink`).
//!
//! Changes are made in Linux 6.1's order. One that fails ends the request; what was changed before it stays.

use hairpin_netlink::{Errno, Failure};

use super::attributes::{Attributes, U32};
use super::not_emulated;
use super::request::{Request, Wanted, ifla};
use crate::dev::Kind;
use crate::device::{DevId, Flags, OperState};
use crate::mac::Mac;
use crate::netns::NsId;
use crate::rtnl::server::Asker;
use crate::world::World;

/// Flags that a request may change beside up, promiscuous and all-multicast (`__dev_change_flags`).
const PLAIN_FLAGS: Flags = Flags::DEBUG
    .union(Flags::NOTRAILERS)
    .union(Flags::NOARP)
    .union(Flags::DYNAMIC)
    .union(Flags::MULTICAST)
    .union(Flags::PORTSEL)
    .union(Flags::AUTOMEDIA);

impl World {
    pub(super) fn set_link(&mut self, asker: &Asker<'_>, request: &Request<'_>) -> Result<(), Failure> {
        request.one_netns(false)?;
        match self.wanted_link(asker.ns, request) {
            Wanted::Found(dev) => self.change_link(asker, dev, request, false),
            Wanted::Missing => Err(Errno::ENODEV.into()),
            Wanted::Unnamed => Err(Errno::EINVAL.into()),
        }
    }

    /// `do_setlink`. `announce`: something was changed already that listeners must hear of.
    pub(super) fn change_link(
        &mut self,
        asker: &Asker<'_>,
        dev: DevId,
        request: &Request<'_>,
        announce: bool,
    ) -> Result<(), Failure> {
        self.validate_link(Some(dev), request)?;
        let mut announce = announce;
        let outcome = self.make_changes(asker, dev, request, &mut announce);
        self.changed();
        // `netdev_state_change`: of a device that is down nobody is told.
        if announce && self.devs.get(dev).is_some_and(|device| device.is_up()) {
            self.notify_link(dev);
        }
        outcome
    }

    /// `validate_linkmsg`
    pub(super) fn validate_link(&self, dev: Option<DevId>, request: &Request<'_>) -> Result<(), Failure> {
        if let Some(device) = dev.and_then(|dev| self.devs.get(dev)) {
            for kind in [ifla::ADDRESS, ifla::BROADCAST] {
                if request.attributes.get(kind).is_some_and(|address| address.len() < device.address_len()) {
                    return Err(Errno::EINVAL.into());
                }
            }
        }
        match request.attributes.get(ifla::AF_SPEC) {
            Some(sides) => self.validate_sides(dev, sides),
            None => Ok(()),
        }
    }

    fn make_changes(
        &mut self,
        asker: &Asker<'_>,
        dev: DevId,
        request: &Request<'_>,
        announce: &mut bool,
    ) -> Result<(), Failure> {
        let attributes = &request.attributes;
        let name = request.name();
        if [ifla::NET_NS_PID, ifla::NET_NS_FD, ifla::TARGET_NETNSID].iter().any(|kind| attributes.has(*kind))
        {
            self.move_link(asker, dev, request, name.as_deref())?;
        }
        if attributes.has(ifla::MAP) {
            return Err(Errno::EOPNOTSUPP.into());
        }
        let on_infiniband = matches!(self.devs.get(dev).map(|device| &device.kind), Some(Kind::Ipoib(_)));
        match attributes.mac(ifla::ADDRESS) {
            Some(_) if on_infiniband => {
                self.set_ipoib_address(dev, attributes.get(ifla::ADDRESS).unwrap_or_default())?;
            }
            Some(mac) => self.set_mac(dev, mac)?,
            // Too short for any device that would take one.
            None if attributes.has(ifla::ADDRESS) => return Err(Errno::EOPNOTSUPP.into()),
            None => {}
        }
        if let Some(mtu) = attributes.u32(ifla::MTU) {
            self.set_mtu(dev, mtu)?;
        }
        if let Some(group) = attributes.u32(ifla::GROUP) {
            self.set_group(dev, group);
            *announce = true;
        }
        if let (true, Some(name)) = (request.index > 0, &name) {
            self.rename_link(dev, name)?;
        }
        if let Some(alias) = attributes.text(ifla::IFALIAS) {
            self.on_device(dev, |device| device.alias = alias);
            *announce = true;
        }
        if let Some(broadcast) = attributes.mac(ifla::BROADCAST) {
            self.on_device(dev, |device| device.broadcast = broadcast);
        }
        if request.flags != 0 || request.change != 0 {
            self.change_flags(dev, request)?;
        }
        if let Some(master) = attributes.u32(ifla::MASTER) {
            self.set_master(dev, master)?;
        }
        if let Some(carrier) = attributes.u8(ifla::CARRIER) {
            self.change_carrier(dev, carrier != 0)?;
        }
        self.change_queue(dev, attributes)?;
        self.change_modes(dev, attributes, announce)?;
        for virtual_function in [ifla::VFINFO_LIST, ifla::VF_PORTS, ifla::PORT_SELF] {
            if attributes.has(virtual_function) {
                return Err(Errno::EOPNOTSUPP.into());
            }
        }
        if let Some(sides) = attributes.get(ifla::AF_SPEC) {
            self.set_sides(dev, sides)?;
            *announce = true;
        }
        if attributes.has(ifla::PROTO_DOWN) || attributes.has(ifla::PROTO_DOWN_REASON) {
            self.change_protodown(dev, attributes)?;
            *announce = true;
        }
        match attributes.get(ifla::XDP) {
            Some(xdp) => check_xdp(xdp),
            None => Ok(()),
        }
    }

    /// `__dev_change_net_namespace`. The requested name matters only where the device's own is taken there;
    /// as a new name it is set later.
    fn move_link(
        &mut self,
        asker: &Asker<'_>,
        dev: DevId,
        request: &Request<'_>,
        name: Option<&str>,
    ) -> Result<(), Failure> {
        let Some(device) = self.devs.get(dev) else { return Err(Errno::ENODEV.into()) };
        let (ns, taken_name) = (device.ns, device.name.clone());
        let target = self.destination_netns(asker, ns, request)?;
        let wanted = request.attributes.u32(ifla::NEW_IFINDEX);
        if wanted.is_some_and(|index| self.device_at(target, index).is_some()) && ns != target {
            return Err(Errno::EBUSY.into());
        }
        let clash = ns != target && self.device_named(target, &taken_name).is_some();
        let name = match name {
            Some(name) if clash => Some(self.free_name(target, name)?),
            _ => None,
        };
        self.move_to(dev, target, name.as_deref())?;
        if let Some(index) = wanted
            && ns != target
        {
            self.renumber(dev, target, index);
        }
        Ok(())
    }

    /// Gives a device that has just arrived in a namespace an index that is free there.
    fn renumber(&mut self, dev: DevId, ns: NsId, index: u32) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        let old = std::mem::replace(&mut device.ifindex, index);
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.devices.remove(&old);
            netns.devices.insert(index, dev);
        }
    }

    fn rename_link(&mut self, dev: DevId, name: &str) -> Result<(), Failure> {
        if self.devs.get(dev).is_some_and(|device| device.name == name) {
            return Ok(());
        }
        self.rename(dev, name)?;
        self.notify_link(dev);
        self.notify_configuration_renamed(dev);
        Ok(())
    }

    /// `dev_change_flags` with what `rtnl_dev_combine_flags` makes of the request.
    pub(super) fn change_flags(&mut self, dev: DevId, request: &Request<'_>) -> Result<(), Failure> {
        let Some(device) = self.devs.get(dev) else { return Err(Errno::ENODEV.into()) };
        let mut old = device.flags - (Flags::PROMISC | Flags::ALLMULTI);
        old.set(Flags::PROMISC, device.user_promisc);
        old.set(Flags::ALLMULTI, device.user_allmulti);
        let wanted = match request.change {
            0 => request.flags,
            change => (request.flags & change) | (old.bits() & !change),
        };
        let wanted = Flags::from_bits_truncate(wanted);
        let plain = (wanted & PLAIN_FLAGS) | (device.flags - PLAIN_FLAGS);
        let replaced = device.flags != plain;
        self.on_device(dev, |device| device.flags = plain);
        if replaced {
            self.changed();
        }
        self.set_rx_mode(dev);
        let opened = match (old.contains(Flags::UP), wanted.contains(Flags::UP)) {
            (false, true) => self.open(dev),
            (true, false) => {
                self.close(dev);
                Ok(())
            }
            _ => Ok(()),
        };
        self.set_user_promisc(dev, wanted.contains(Flags::PROMISC));
        self.set_user_allmulti(dev, wanted.contains(Flags::ALLMULTI));
        opened?;
        if replaced {
            self.notify_link(dev);
        }
        if replaced && old.contains(Flags::UP) && wanted.contains(Flags::UP) {
            self.ip6_carrier_changed(dev);
            if self.devs.get(dev).is_some_and(|device| !device.carrier) {
                self.neighbours6_lose_carrier(dev);
            }
        }
        // `arp_netdev_event`, which hears of flags of a device that is up only.
        if (old ^ wanted).contains(Flags::NOARP) && old.contains(Flags::UP) && wanted.contains(Flags::UP) {
            self.arp_switched(dev);
        }
        Ok(())
    }

    /// `do_set_master`; 0 releases.
    pub(super) fn set_master(&mut self, dev: DevId, index: u32) -> Result<(), Failure> {
        let Some(device) = self.devs.get(dev) else { return Err(Errno::ENODEV.into()) };
        let ns = device.ns;
        let current = device.master.and_then(|master| self.devs.get(master)).map(|master| master.ifindex);
        if current.is_some() && current == Some(index) {
            return Ok(());
        }
        self.release_from_master(dev);
        if index == 0 {
            return Ok(());
        }
        let master = self.device_at(ns, index).ok_or(Errno::EINVAL)?;
        self.enslave(dev, master)
    }

    /// `dev_change_carrier`: only dummies and teams let themselves be told.
    fn change_carrier(&mut self, dev: DevId, carrier: bool) -> Result<(), Failure> {
        match self.devs.get(dev).map(|device| &device.kind) {
            Some(Kind::Dummy | Kind::Team(_)) => {
                self.set_carrier(dev, carrier);
                Ok(())
            }
            _ => Err(Errno::EOPNOTSUPP.into()),
        }
    }

    /// Transmit queue length and offload bounds.
    fn change_queue(&mut self, dev: DevId, attributes: &Attributes<'_>) -> Result<(), Failure> {
        if let Some(length) = attributes.u32(ifla::TXQLEN) {
            // `dev_change_tx_queue_len`
            if length > i16::MAX as u32 {
                return Err(Errno::ERANGE.into());
            }
            let mut changed = false;
            self.on_device(dev, |device| {
                changed = std::mem::replace(&mut device.tx_queue_len, length) != length;
            });
            if changed {
                self.notify_link(dev);
            }
        }
        refuse_offload(attributes)
    }

    /// `set_operstate`, `IFLA_LINKMODE`.
    fn change_modes(
        &mut self,
        dev: DevId,
        attributes: &Attributes<'_>,
        announce: &mut bool,
    ) -> Result<(), Failure> {
        if let Some(wanted) = attributes.u8(ifla::OPERSTATE) {
            let mut changed = false;
            self.on_device(dev, |device| {
                let state = match (wanted, device.operstate) {
                    (6, OperState::Dormant | OperState::Testing | OperState::Unknown) => OperState::Up,
                    (4, OperState::Up | OperState::Unknown) => OperState::Testing,
                    (5, OperState::Up | OperState::Unknown) => OperState::Dormant,
                    (_, state) => state,
                };
                changed = state != device.operstate;
                device.operstate = state;
            });
            *announce |= changed;
        }
        match attributes.u8(ifla::LINKMODE) {
            None | Some(0) => Ok(()),
            Some(_) => Err(not_emulated("Link mode")),
        }
    }

    /// `do_set_proto_down`: only macvlans and vxlans have it.
    fn change_protodown(&mut self, dev: DevId, attributes: &Attributes<'_>) -> Result<(), Failure> {
        let kind = self.devs.get(dev).map(|device| &device.kind);
        if !matches!(kind, Some(Kind::Macvlan(_) | Kind::Vxlan(_))) {
            return Err(Failure::with_text(Errno::EOPNOTSUPP, "Protodown not supported by device"));
        }
        if let Some(reason) = attributes.get(ifla::PROTO_DOWN_REASON) {
            let reason = Attributes::read(reason, &[(1, U32), (2, U32)]).map_err(|failure| failure.errno)?;
            let Some(value) = reason.u32(2) else {
                return Err(Failure::with_text(Errno::EINVAL, "Invalid protodown reason value"));
            };
            if value != 0 {
                return Err(not_emulated("Protodown reason"));
            }
        }
        if let Some(down) = attributes.u8(ifla::PROTO_DOWN) {
            let down = down != 0;
            self.set_carrier(dev, !down);
            self.on_device(dev, |device| device.protodown = down);
        }
        Ok(())
    }

    pub(super) fn on_device(&mut self, dev: DevId, change: impl FnOnce(&mut crate::device::Device)) {
        if let Some(device) = self.devs.get_mut(dev) {
            change(device);
        }
    }
}

/// Bounds of segmentation offload, which frames here never meet: only the values that all devices have.
pub(super) fn refuse_offload(attributes: &Attributes<'_>) -> Result<(), Failure> {
    for (kind, only) in
        [(ifla::GSO_MAX_SIZE, 65_536), (ifla::GSO_MAX_SEGS, 65_535), (ifla::GRO_MAX_SIZE, 65_536)]
    {
        match attributes.u32(kind) {
            Some(value) if kind == ifla::GSO_MAX_SEGS && value > only => return Err(Errno::EINVAL.into()),
            Some(value) if value != only => return Err(not_emulated("Segmentation offload")),
            _ => {}
        }
    }
    Ok(())
}

/// Only taking a program off is possible: there is none.
fn check_xdp(xdp: &[u8]) -> Result<(), Failure> {
    let xdp = Attributes::read(xdp, &[(1, U32)]).map_err(|failure| failure.errno)?;
    match xdp.i32(1) {
        None | Some(i32::MIN..=-1) => Ok(()),
        Some(_) => Err(not_emulated("XDP")),
    }
}

/// `eth_validate_addr` of a request's own address: 6 bytes, no group, not zero.
pub(super) fn valid_address(attributes: &Attributes<'_>) -> Result<(), Failure> {
    match attributes.get(ifla::ADDRESS) {
        Some(address) if address.len() != 6 => Err(Errno::EINVAL.into()),
        Some(address) if !Mac::read(address).is_some_and(Mac::is_valid_source) => {
            Err(Errno::EADDRNOTAVAIL.into())
        }
        _ => Ok(()),
    }
}
