//! Neighbours: `RTM_NEWNEIGH`, `RTM_DELNEIGH`, `RTM_GETNEIGH` of IPv4 and IPv6 (net/core/neighbour.c). Those of
//! `AF_BRIDGE` are in [`super::fdb`].

use std::net::{IpAddr, Ipv4Addr};

use hairpin_netlink::codec::{NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourFlags, NeighbourMessage,
};
use hairpin_netlink::route::route::RouteType;
use hairpin_netlink::{Errno, Failure, Message, neighbour_cache_info};

use crate::device::Device;
use crate::mac::Mac;
use crate::neigh::state::Update;
use crate::neigh::{Neighbour, Neighbours, nud};
use crate::netns::NsId;
use crate::time::Time;
use crate::world::World;

use super::Dump;

/// `NTF_*`
pub(super) mod ntf {
    pub const USE: u8 = 0x01;
    pub const SELF: u8 = 0x02;
    pub const MASTER: u8 = 0x04;
    pub const PROXY: u8 = 0x08;
    pub const EXT_LEARNED: u8 = crate::neigh::EXT_LEARNED;
    pub const OFFLOADED: u8 = 0x20;
    pub const STICKY: u8 = 0x40;
    pub const ROUTER: u8 = 0x80;
}

/// A neighbour as the kernel describes it (`neigh_fill_info`).
pub(crate) fn neighbour_message(
    ifindex: u32,
    address: IpAddr,
    entry: &Neighbour,
    address_len: usize,
    now: Time,
) -> NeighbourMessage {
    let mut message = NeighbourMessage::default();
    let header = &mut message.header;
    header.family = family_of(address);
    header.ifindex = ifindex;
    header.state = entry.state.into();
    header.flags = NeighbourFlags::from_bits_retain(entry.flags);
    header.kind = RouteType::Unicast;
    let attributes = &mut message.attributes;
    attributes.push(NeighbourAttribute::Destination(neighbour_address(address)));
    if entry.is_valid() {
        // Of a tunnel without a link header it is an IPv4 address.
        let mac = entry.mac.0.iter().take(address_len).copied().collect();
        attributes.push(NeighbourAttribute::LinkLayerAddress(mac));
    }
    attributes.push(NeighbourAttribute::Probes(entry.probes));
    let ago = |at: Time| (now.since(at).as_millis() / 10) as u32;
    let times = (ago(entry.confirmed), ago(entry.used), ago(entry.updated));
    // A pending timer holds the entry, beside the table.
    let references = u32::from(entry.state & nud::IN_TIMER != 0);
    attributes.extend(neighbour_cache_info(times.0, times.1, times.2, references));
    if entry.protocol != 0 {
        attributes.push(NeighbourAttribute::Protocol(entry.protocol.into()));
    }
    message
}

fn family_of(address: IpAddr) -> AddressFamily {
    if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 }
}

fn neighbour_address(address: IpAddr) -> NeighbourAddress {
    match address {
        IpAddr::V4(address) => NeighbourAddress::Inet(address),
        IpAddr::V6(address) => NeighbourAddress::Inet6(address),
    }
}

fn proxy_message(ifindex: u32, address: IpAddr) -> NeighbourMessage {
    let mut message = NeighbourMessage::default();
    message.header.family = family_of(address);
    message.header.ifindex = ifindex;
    message.header.state = nud::NONE.into();
    message.header.flags = NeighbourFlags::from_bits_retain(ntf::PROXY);
    message.header.kind = RouteType::Unicast;
    message.attributes.push(NeighbourAttribute::Destination(neighbour_address(address)));
    message
}

pub(super) fn link_layer(message: &NeighbourMessage) -> Option<&[u8]> {
    message.attributes.iter().find_map(|attribute| match attribute {
        NeighbourAttribute::LinkLayerAddress(bytes) => Some(bytes.as_slice()),
        _ => None,
    })
}

/// `neigh_find_table`
fn supported(message: &NeighbourMessage) -> Result<(), Failure> {
    match message.header.family {
        AddressFamily::Inet | AddressFamily::Inet6 => Ok(()),
        _ => Err(Errno::EAFNOSUPPORT.into()),
    }
}

fn destination(message: &NeighbourMessage) -> Result<IpAddr, Failure> {
    let found = message.attributes.iter().find_map(|attribute| match attribute {
        NeighbourAttribute::Destination(address) => Some(address),
        _ => None,
    });
    match found {
        Some(NeighbourAddress::Inet(address)) if message.header.family == AddressFamily::Inet => {
            Ok((*address).into())
        }
        Some(NeighbourAddress::Inet6(address)) if message.header.family == AddressFamily::Inet6 => {
            Ok((*address).into())
        }
        Some(_) => Err(Failure::with_text(Errno::EINVAL, "Invalid network address")),
        None => Err(Failure::with_text(Errno::EINVAL, "Network address not specified")),
    }
}

/// As many bytes of an address as fit.
fn padded(bytes: &[u8]) -> Mac {
    let mut mac = [0; 6];
    for (to, from) in mac.iter_mut().zip(bytes) {
        *to = *from;
    }
    Mac(mac)
}

impl World {
    /// Bytes of the link-layer address of a neighbour.
    pub(crate) fn neigh_address_len(&self, entry: &Neighbour) -> usize {
        self.devs.get(entry.dev).map_or(6, |device| device.address_len())
    }

    /// `RTM_NEWNEIGH` (`neigh_add`)
    ///
    /// # Errors
    /// The kernel's errno and extended-ack text.
    pub(super) fn new_neighbour(
        &mut self,
        ns: NsId,
        message: &NeighbourMessage,
        flags: u16,
    ) -> Result<(), Failure> {
        supported(message)?;
        let address = destination(message)?;
        let header = &message.header;
        let ifindex = header.ifindex;
        let dev = match ifindex {
            0 => None,
            ifindex => Some(self.device_at(ns, ifindex).ok_or(Errno::ENODEV)?),
        };
        let device = dev.and_then(|dev| self.devs.get(dev));
        let address_len = device.map_or(6, |device| device.address_len());
        let mac = match link_layer(message) {
            None => None,
            Some(bytes) if bytes.len() >= address_len => Some(padded(bytes)),
            Some(_) => return Err(Failure::with_text(Errno::EINVAL, "Invalid link address")),
        };
        let own = header.flags.bits();
        if own & ntf::PROXY != 0 {
            let Some(netns) = self.netns.get_mut(ns) else { return Ok(()) };
            let proxies = &mut netns.neighbours_mut(address).proxies;
            if proxies.insert((ifindex, address), own & ntf::ROUTER).is_none() {
                self.hear_for_proxy(ns, ifindex, address, true);
            }
            self.changed();
            return Ok(());
        }
        let Some(dev) = dev else {
            return Err(Failure::with_text(Errno::EINVAL, "Device not specified"));
        };
        // `ndisc_allow_add`
        if address.is_ipv6()
            && self.devs.get(dev).is_some_and(|device| device.ipv6_disabled || !device.has_ipv6)
        {
            return Err(Failure::with_text(Errno::EINVAL, "IPv6 is disabled on this device"));
        }
        let has_one = self.devs.get(dev).is_some_and(Device::has_one_neighbour);
        let known =
            self.netns.get(ns).is_some_and(|netns| netns.neighbours(address).get(ifindex, address).is_some());
        if known && flags & NLM_F_EXCL != 0 {
            return Err(Errno::EEXIST.into());
        }
        if !known && flags & NLM_F_CREATE == 0 {
            return Err(Errno::ENOENT.into());
        }
        // `arp_constructor`
        if !known && address.is_ipv4() && self.devs.get(dev).is_some_and(|device| !device.has_ipv4) {
            return Err(Errno::EINVAL.into());
        }
        let address = match address {
            // It is looked for by the address that was given, and then is there whatever that is (`___neigh_create`).
            IpAddr::V4(_) if has_one => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            address => address,
        };
        let state = u16::from(header.state);
        if !known {
            // Not counted, and never collected (`neigh_add`).
            let exempt = state & nud::PERMANENT != 0 || own & ntf::EXT_LEARNED != 0;
            let made = match exempt {
                true => self.neigh_ensure_within(ns, ifindex, address, i32::MAX),
                false => self.neigh_ensure(ns, ifindex, address),
            };
            if !made {
                return Err(Errno::ENOBUFS.into());
            }
        }
        if let Some(entry) =
            self.netns.get_mut(ns).and_then(|n| n.neighbours_mut(address).get_mut(ifindex, address))
        {
            if known && flags & NLM_F_REPLACE == 0 {
                entry.flags |= own & (ntf::ROUTER | ntf::EXT_LEARNED);
            } else {
                entry.flags = own & (ntf::ROUTER | ntf::EXT_LEARNED);
            }
            for attribute in &message.attributes {
                if let NeighbourAttribute::Protocol(protocol) = attribute {
                    entry.protocol = u8::from(*protocol);
                }
            }
        }
        self.changed();
        if own & ntf::USE != 0 {
            // What is used is no longer permanent, and has to be asked for (`__neigh_update`).
            let table = self.netns.get_mut(ns).map(|netns| netns.neighbours_mut(address));
            if let Some(entry) = table.and_then(|table| table.get_mut(ifindex, address)) {
                entry.state &= !nud::PERMANENT;
            }
            self.neigh_use(ns, ifindex, address);
            return Ok(());
        }
        if state & nud::VALID != 0 && mac.is_none() {
            let valid = self
                .netns
                .get(ns)
                .and_then(|n| n.neighbours(address).get(ifindex, address))
                .is_some_and(|e| e.is_valid());
            if !valid {
                // A new entry stays, without a state.
                return Err(Failure::with_text(Errno::EINVAL, "No link layer address given"));
            }
        }
        let replace = !known || flags & NLM_F_REPLACE != 0;
        self.neigh_update(
            ns,
            ifindex,
            address,
            mac,
            state,
            Update { replace, admin: true, ..Update::default() },
        );
        Ok(())
    }

    /// `RTM_DELNEIGH` (`neigh_delete`)
    ///
    /// # Errors
    /// `ENOENT`, `EINVAL` without a device.
    pub(super) fn del_neighbour(&mut self, ns: NsId, message: &NeighbourMessage) -> Result<(), Failure> {
        supported(message)?;
        let address = destination(message)?;
        let ifindex = message.header.ifindex;
        if ifindex != 0 && self.device_at(ns, ifindex).is_none() {
            return Err(Errno::ENODEV.into());
        }
        if message.header.flags.bits() & ntf::PROXY != 0 {
            let gone = self
                .netns
                .get_mut(ns)
                .and_then(|n| n.neighbours_mut(address).proxies.remove(&(ifindex, address)));
            if gone.is_some() {
                self.hear_for_proxy(ns, ifindex, address, false);
            }
            self.changed();
            return gone.map(drop).ok_or_else(|| Errno::ENOENT.into());
        }
        if ifindex == 0 {
            return Err(Errno::EINVAL.into());
        }
        let how = Update { replace: true, admin: true, ..Update::default() };
        if self.netns.get(ns).is_none_or(|netns| netns.neighbours(address).get(ifindex, address).is_none()) {
            return Err(Errno::ENOENT.into());
        }
        self.neigh_update(ns, ifindex, address, None, nud::FAILED, how);
        let entry =
            self.netns.get(ns).and_then(|netns| netns.neighbours(address).get(ifindex, address)).cloned();
        self.neigh_forget(ns, ifindex, address);
        if let Some(entry) = entry {
            self.notify_neighbour_gone(ns, ifindex, address, &entry);
        }
        self.changed();
        Ok(())
    }

    /// `RTM_GETNEIGH` with `NLM_F_DUMP`
    pub(super) fn dump_neighbours(&self, ns: NsId, message: &NeighbourMessage) -> Dump {
        let mut only = message.header.ifindex;
        let mut master = 0;
        for attribute in &message.attributes {
            match attribute {
                NeighbourAttribute::IfIndex(ifindex) => only = *ifindex,
                NeighbourAttribute::Controller(ifindex) => master = *ifindex,
                _ => {}
            }
        }
        let mut dump = Dump { messages: Vec::new(), filtered: only != 0 || master != 0 };
        let Some(netns) = self.netns.get(ns) else { return dump };
        let tables: Vec<&Neighbours> = match message.header.family {
            AddressFamily::Inet => vec![&netns.neigh],
            AddressFamily::Inet6 => vec![&netns.neigh6],
            AddressFamily::Unspec => vec![&netns.neigh, &netns.neigh6],
            _ => Vec::new(),
        };
        if message.header.flags.bits() & ntf::PROXY != 0 {
            for table in &tables {
                let proxies = table.proxies.keys().filter(|(ifindex, _)| only == 0 || only == *ifindex);
                dump.messages.extend(proxies.map(|(i, a)| Message::NewNeighbour(proxy_message(*i, *a))));
            }
            return dump;
        }
        let of_master = |ifindex: u32| {
            let device = netns.devices.get(&ifindex).and_then(|dev| self.devs.get(*dev));
            let master_of = device.and_then(|device| device.master).and_then(|m| self.devs.get(m));
            master_of.is_some_and(|found| found.ifindex == master)
        };
        for ((ifindex, address), entry) in tables.iter().flat_map(|table| table.dump()) {
            if (only == 0 || only == ifindex) && (master == 0 || of_master(ifindex)) {
                let message =
                    neighbour_message(ifindex, address, entry, self.neigh_address_len(entry), self.now);
                dump.messages.push(Message::NewNeighbour(message));
            }
        }
        dump
    }

    /// `RTM_GETNEIGH` of one entry (`neigh_get`)
    ///
    /// # Errors
    /// `ENOENT` with the kernel's text.
    pub(super) fn get_neighbour(
        &self,
        ns: NsId,
        message: &NeighbourMessage,
    ) -> Result<NeighbourMessage, Failure> {
        let address = destination(message)?;
        let ifindex = message.header.ifindex;
        let netns = self.netns.get(ns).ok_or(Errno::ENODEV)?;
        if ifindex != 0 && !netns.devices.contains_key(&ifindex) {
            return Err(Failure::with_text(Errno::ENODEV, "Unknown device ifindex"));
        }
        if message.header.flags.bits() & ntf::PROXY != 0 {
            return match netns.neighbours(address).proxies.contains_key(&(ifindex, address)) {
                true => Ok(proxy_message(ifindex, address)),
                false => Err(Failure::with_text(Errno::ENOENT, "Proxy neighbour entry not found")),
            };
        }
        if ifindex == 0 {
            return Err(Failure::with_text(Errno::EINVAL, "No device specified"));
        }
        let entry = netns.neighbours(address).get(ifindex, address);
        let entry = entry.ok_or_else(|| Failure::with_text(Errno::ENOENT, "Neighbour entry not found"))?;
        Ok(neighbour_message(ifindex, address, entry, self.neigh_address_len(entry), self.now))
    }
}
