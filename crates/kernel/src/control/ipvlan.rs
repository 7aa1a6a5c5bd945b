//! ipvlans on their lower device (drivers/net/ipvlan/ipvlan_main.c): coming and going, mode and flags, whose
//! address is whose.

use std::net::IpAddr;

use hairpin_netlink::{Errno, Failure};

use crate::dev::{Kind, RxHandler, ipvlan};
use crate::device::{AddrAssign, DevId, Flags};
use crate::mac::Mac;
use crate::world::World;

impl World {
    /// Whether an ipvlan may be made on `lower` (`ipvlan_link_new`).
    ///
    /// # Errors
    /// `EINVAL` for loopback and what is not Ethernet; `EBUSY` where something else takes the device's frames.
    pub(crate) fn check_ipvlan(&self, lower: DevId) -> Result<(), Failure> {
        let Some(below) = self.devs.get(lower) else { return Err(Errno::ENODEV.into()) };
        match &below.rx_handler {
            RxHandler::IpvlanPort(_) => Ok(()),
            _ if !below.is_ethernet() || below.is_loopback() => Err(Errno::EINVAL.into()),
            RxHandler::None if below.refuses_rx_handler() => Err(Errno::EINVAL.into()),
            RxHandler::None => Ok(()),
            _ => Err(Errno::EBUSY.into()),
        }
    }

    /// Puts a registered ipvlan on its lower device, whose MAC it gets. [`World::check_ipvlan`] has said that it
    /// may.
    ///
    /// # Errors
    /// `ENOSPC` when every identifier is taken.
    pub(crate) fn link_ipvlan(&mut self, dev: DevId, own_mac: bool) -> Result<(), Failure> {
        let Some(Kind::Ipvlan(state)) = self.devs.get(dev).map(|device| &device.kind) else {
            return Err(Errno::ENODEV.into());
        };
        let lower = state.lower;
        let Some(below) = self.devs.get_mut(lower) else { return Err(Errno::ENODEV.into()) };
        if below.rx_handler.is_none() {
            below.rx_handler = RxHandler::IpvlanPort(Box::default());
        }
        let (mac, carrier) = (below.mac, below.carrier);
        let RxHandler::IpvlanPort(port) = &mut below.rx_handler else { return Err(Errno::EBUSY.into()) };
        let id = port.add(dev).ok_or(Errno::ENOSPC)?;
        below.uppers.push(dev);
        if let Some(device) = self.devs.get_mut(dev) {
            device.mac = mac;
            device.dev_id = id;
            // `ipvlan_init` copies the link's state: it starts so, and has not changed.
            device.carrier = carrier;
            if !own_mac {
                device.addr_assign = AddrAssign::Permanent;
                device.permanent_mac = mac;
            }
        }
        self.refresh_filter(dev);
        self.settle_operstate(dev);
        Ok(())
    }

    /// Takes an ipvlan off its lower device (`ipvlan_link_delete`).
    pub(super) fn unlink_ipvlan(&mut self, dev: DevId, lower: DevId) {
        let Some(below) = self.devs.get_mut(lower) else { return };
        below.uppers.retain(|upper| *upper != dev);
        let RxHandler::IpvlanPort(port) = &mut below.rx_handler else { return };
        port.remove(dev);
        if port.members.is_empty() {
            below.rx_handler = RxHandler::None;
        }
    }

    /// The mode of all ipvlans on a device: where it routes they have no ARP (`ipvlan_set_port_mode`). `newest`
    /// has been made just now, and learns of it when it is set up.
    pub(crate) fn set_ipvlan_mode(&mut self, lower: DevId, mode: ipvlan::Mode, newest: Option<DevId>) {
        let Some(port) = self.ipvlan_port(lower).filter(|port| port.mode != mode) else { return };
        let members: Vec<DevId> = port.members.iter().map(|member| member.dev).collect();
        for dev in members.into_iter().filter(|dev| Some(*dev) != newest) {
            let Some(device) = self.devs.get_mut(dev) else { continue };
            let before = device.flags;
            let (promiscuous, all_groups) = (device.promiscuity > 0, device.allmulti > 0);
            device.flags.set(Flags::NOARP, mode.routes());
            if device.flags != before {
                self.notify_link(dev);
                self.noarp_changed(dev);
            }
            // `dev_change_flags` is told all of them: what a capture had set for a while counts as set by the user.
            if promiscuous {
                self.set_user_promisc(dev, true);
            }
            if all_groups {
                self.set_user_allmulti(dev, true);
            }
        }
        if let Some(port) = self.ipvlan_port(lower) {
            port.mode = mode;
        }
        self.changed();
    }

    /// `IPVLAN_F_*` of all ipvlans on a device.
    pub(crate) fn set_ipvlan_flags(&mut self, lower: DevId, flags: u16) {
        if let Some(port) = self.ipvlan_port(lower) {
            port.flags = flags;
        }
        self.changed();
    }

    /// A device came to have ARP, or has it no longer: what was known of its neighbours is void
    /// (`arp_netdev_event(NETDEV_CHANGE)`, `ndisc_netdev_event`).
    fn noarp_changed(&mut self, dev: DevId) {
        if let Some((ns, ifindex)) = self.devs.get(dev).map(|device| (device.ns, device.ifindex)) {
            self.forget_resolved(ns, ifindex);
        }
    }

    /// `ipvlan_open`
    pub(super) fn open_ipvlan(&mut self, dev: DevId, lower: DevId) {
        let Some(port) = self.ipvlan_port(lower) else { return };
        port.set_up(dev, true);
        let routes = port.mode.routes();
        if let Some(device) = self.devs.get_mut(dev) {
            device.flags.set(Flags::NOARP, routes);
        }
    }

    /// `ipvlan_stop`
    pub(super) fn close_ipvlan(&mut self, dev: DevId, lower: DevId) {
        if let Some(port) = self.ipvlan_port(lower) {
            port.set_up(dev, false);
        }
    }

    /// The lower device has another MAC: its ipvlans follow.
    pub(super) fn ipvlans_follow_mac(&mut self, lower: DevId, mac: Mac) {
        let members: Vec<DevId> = match self.ipvlan_port(lower) {
            Some(port) => port.members.iter().map(|member| member.dev).collect(),
            None => return,
        };
        for dev in members {
            if let Some(assign) = self.devs.get(dev).map(|device| device.addr_assign) {
                self.store_mac(dev, mac, assign);
            }
        }
    }

    /// `ipvlan_addr4_validator_event`: an address that a device is to get must be no other ipvlan's here.
    ///
    /// # Errors
    /// `EADDRINUSE`
    pub(crate) fn check_ipvlan_address(&self, dev: DevId, address: IpAddr) -> Result<(), Failure> {
        let lower = match self.devs.get(dev).map(|device| &device.kind) {
            Some(Kind::Ipvlan(state)) => state.lower,
            _ => return Ok(()),
        };
        match self.devs.get(lower).map(|below| &below.rx_handler) {
            Some(RxHandler::IpvlanPort(port)) if port.has(address) => {
                let text = "Address already assigned to an ipvlan device";
                Err(Failure::with_text(Errno::EADDRINUSE, text))
            }
            _ => Ok(()),
        }
    }

    /// `ipvlan_addr4_event`, `ipvlan_addr6_event`: an ipvlan's addresses are others now.
    pub(crate) fn ipvlan_addresses_changed(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        let Kind::Ipvlan(state) = &device.kind else { return };
        let lower = state.lower;
        let ipv4 = device.ipv4.iter().map(|address| IpAddr::V4(address.local));
        let addresses: Vec<IpAddr> =
            ipv4.chain(device.ipv6.iter().map(|address| IpAddr::V6(address.address))).collect();
        if let Some(port) = self.ipvlan_port(lower) {
            port.set_addresses(dev, addresses.into_iter());
        }
    }

    /// The ipvlans' side of a lower device.
    pub(crate) fn ipvlan_port(&mut self, lower: DevId) -> Option<&mut ipvlan::Port> {
        match self.devs.get_mut(lower).map(|device| &mut device.rx_handler) {
            Some(RxHandler::IpvlanPort(port)) => Some(port),
            _ => None,
        }
    }
}
