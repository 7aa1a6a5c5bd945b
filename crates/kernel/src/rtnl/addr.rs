//! Addresses: `RTM_NEWADDR`, `RTM_DELADDR`, `RTM_GETADDR` (net/ipv4/devinet.c, net/ipv6/addrconf.c).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hairpin_netlink::codec::{NLM_F_EXCL, NLM_F_REPLACE};
use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::route::address::{
    AddressAttribute, AddressFlags, AddressHeaderFlags, AddressMessage, AddressScope, CacheInfo,
};
use hairpin_netlink::{Errno, Failure, Message};

use crate::control::AddressRequest;
use crate::control::register::NAME_MAX;
use crate::device::{DevId, Ipv4Address, Ipv6Address, ifa};
use crate::netns::NsId;
use crate::time::Time;
use crate::world::World;

use super::Dump;

const FOREVER: u32 = u32::MAX;
/// Flags of IPv6 addresses that users set (`inet6_rtm_newaddr`).
const SET_BY_USERS: u32 =
    ifa::NODAD | ifa::HOMEADDRESS | ifa::MANAGETEMPADDR | ifa::NOPREFIXROUTE | ifa::MCAUTOJOIN;

/// An IPv4 address as the kernel describes it (`inet_fill_ifaddr`).
pub(crate) fn ipv4_message(ifindex: u32, address: &Ipv4Address, now: Time) -> AddressMessage {
    let mut message = header(AddressFamily::Inet, ifindex, address.prefix_len, address.flags, address.scope);
    let attributes = &mut message.attributes;
    attributes.push(AddressAttribute::Address(IpAddr::V4(address.peer)));
    attributes.push(AddressAttribute::Local(IpAddr::V4(address.local)));
    if !address.broadcast.is_unspecified() {
        attributes.push(AddressAttribute::Broadcast(address.broadcast));
    }
    if !address.label.is_empty() {
        attributes.push(AddressAttribute::Label(address.label.clone()));
    }
    if address.protocol != 0 {
        attributes.push(AddressAttribute::Protocol(address.protocol.into()));
    }
    attributes.push(AddressAttribute::Flags(AddressFlags::from_bits_retain(address.flags)));
    if address.metric != 0 {
        attributes.push(AddressAttribute::RoutePriority(address.metric));
    }
    // One that stays is not told of as one that is preferred for a time.
    let life = match address.flags & ifa::PERMANENT {
        0 => (address.preferred_lft, address.valid_lft),
        _ => (FOREVER, FOREVER),
    };
    attributes.push(AddressAttribute::CacheInfo(cache_info(life, address.created, address.updated, now)));
    message
}

/// An IPv6 address as the kernel describes it (`inet6_fill_ifaddr`).
pub(crate) fn ipv6_message(ifindex: u32, address: &Ipv6Address, now: Time) -> AddressMessage {
    let mut message = header(AddressFamily::Inet6, ifindex, address.prefix_len, address.flags, address.scope);
    let attributes = &mut message.attributes;
    match address.peer {
        Some(peer) => {
            attributes.push(AddressAttribute::Local(IpAddr::V6(address.address)));
            attributes.push(AddressAttribute::Address(IpAddr::V6(peer)));
        }
        None => attributes.push(AddressAttribute::Address(IpAddr::V6(address.address))),
    }
    if address.metric != 0 {
        attributes.push(AddressAttribute::RoutePriority(address.metric));
    }
    let life = (address.preferred_lft, address.valid_lft);
    attributes.push(AddressAttribute::CacheInfo(cache_info(life, address.created, address.updated, now)));
    attributes.push(AddressAttribute::Flags(AddressFlags::from_bits_retain(address.flags)));
    if address.protocol != 0 {
        attributes.push(AddressAttribute::Protocol(address.protocol.into()));
    }
    message
}

fn header(family: AddressFamily, index: u32, prefix_len: u8, flags: u32, scope: u8) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.family = family;
    message.header.prefix_len = prefix_len;
    message.header.flags = AddressHeaderFlags::from_bits_retain(flags as u8);
    message.header.scope = AddressScope::from(scope);
    message.header.index = index;
    message
}

fn cache_info((preferred, valid): (u32, u32), created: Time, updated: Time, now: Time) -> CacheInfo {
    let left = |lft: u32| match lft {
        FOREVER => FOREVER,
        lft => lft.saturating_sub(u32::try_from(now.since(updated).as_secs()).unwrap_or(u32::MAX)),
    };
    let mut info = CacheInfo::default();
    info.ifa_preferred = left(preferred);
    info.ifa_valid = left(valid);
    info.cstamp = created.ticks() as u32;
    info.tstamp = updated.ticks() as u32;
    info
}

/// What a request says.
#[derive(Default)]
struct Parsed {
    address: Option<IpAddr>,
    local: Option<IpAddr>,
    broadcast: Option<Ipv4Addr>,
    label: Option<String>,
    flags: Option<u32>,
    metric: u32,
    protocol: u8,
    life: Option<(u32, u32)>,
}

impl Parsed {
    fn of(message: &AddressMessage) -> Parsed {
        let mut parsed = Parsed::default();
        for attribute in &message.attributes {
            match attribute {
                AddressAttribute::Address(address) => parsed.address = Some(*address),
                AddressAttribute::Local(local) => parsed.local = Some(*local),
                AddressAttribute::Broadcast(broadcast) => parsed.broadcast = Some(*broadcast),
                AddressAttribute::Label(label) => parsed.label = Some(label.clone()),
                AddressAttribute::Flags(flags) => parsed.flags = Some(flags.bits()),
                AddressAttribute::RoutePriority(metric) => parsed.metric = *metric,
                AddressAttribute::Protocol(protocol) => parsed.protocol = u8::from(*protocol),
                AddressAttribute::CacheInfo(info) => {
                    parsed.life = Some((info.ifa_preferred, info.ifa_valid));
                }
                _ => {}
            }
        }
        parsed
    }
}

fn v4(address: Option<IpAddr>) -> Option<Ipv4Addr> {
    match address {
        Some(IpAddr::V4(address)) => Some(address),
        _ => None,
    }
}

fn v6(address: Option<IpAddr>) -> Option<Ipv6Addr> {
    match address {
        Some(IpAddr::V6(address)) => Some(address),
        _ => None,
    }
}

impl World {
    /// `RTM_NEWADDR`; `flags` are those of the netlink header.
    ///
    /// # Errors
    /// The kernel's errno and extended-ack text.
    pub(super) fn new_address(
        &mut self,
        ns: NsId,
        message: &AddressMessage,
        flags: u16,
    ) -> Result<(), Failure> {
        if !matches!(message.header.family, AddressFamily::Inet | AddressFamily::Inet6) {
            return Err(Errno::EOPNOTSUPP.into());
        }
        let parsed = Parsed::of(message);
        // `ifa_ipv4_policy`
        if parsed.label.as_ref().is_some_and(|label| label.len() > NAME_MAX) {
            return Err(Failure::with_text(Errno::ERANGE, "Attribute failed policy validation"));
        }
        let prefix_len = message.header.prefix_len;
        let (preferred_lft, valid_lft) = parsed.life.unwrap_or((FOREVER, FOREVER));
        if valid_lft == 0 || preferred_lft > valid_lft {
            return Err(Errno::EINVAL.into());
        }
        let own_flags = parsed.flags.unwrap_or(u32::from(message.header.flags.bits()));
        let replace = flags & NLM_F_REPLACE != 0 && flags & NLM_F_EXCL == 0;
        if message.header.family == AddressFamily::Inet6 {
            return self.new_address6(ns, message, &parsed, own_flags, replace);
        }
        let local = v4(parsed.local);
        if prefix_len > 32 || local.is_none() {
            return Err(Errno::EINVAL.into());
        }
        let dev = self.device_at(ns, message.header.index).ok_or(Errno::ENODEV)?;
        let local = local.unwrap_or(Ipv4Addr::UNSPECIFIED);
        let request = AddressRequest {
            local,
            peer: v4(parsed.address).unwrap_or(local),
            prefix_len,
            broadcast: parsed.broadcast,
            scope: u8::from(message.header.scope),
            flags: own_flags,
            label: parsed.label,
            valid_lft,
            preferred_lft,
            metric: parsed.metric,
            protocol: parsed.protocol,
        };
        // `ip_mc_autojoin_config`
        let group = request.peer;
        let known = self.devs.get(dev).is_some_and(|device| {
            device.ipv4.iter().any(|known| known.local == local && known.prefix_len == prefix_len)
        });
        let joins = own_flags & ifa::MCAUTOJOIN != 0 && group.is_multicast() && !known;
        if joins {
            self.join_ipv4_group(dev, group);
        }
        let outcome = self.add_address(dev, &request, replace);
        if joins && outcome.is_err() {
            self.leave_ipv4_group(dev, group);
        }
        outcome
    }

    fn new_address6(
        &mut self,
        ns: NsId,
        message: &AddressMessage,
        parsed: &Parsed,
        flags: u32,
        replace: bool,
    ) -> Result<(), Failure> {
        let (address, local) = (v6(parsed.address), v6(parsed.local));
        let Some(own) = local.or(address) else { return Err(Errno::EINVAL.into()) };
        let dev = self.device_at(ns, message.header.index).ok_or(Errno::ENODEV)?;
        // Temporary addresses are made of a prefix of 64 bits alone.
        let manages = flags & ifa::MANAGETEMPADDR != 0 && message.header.prefix_len != 64;
        if message.header.prefix_len > 128 || manages {
            return Err(Errno::EINVAL.into());
        }
        let scope = match own {
            own if own.is_loopback() => 254,
            own if own.segments()[0] & 0xffc0 == 0xfe80 => 253,
            own if own.segments()[0] & 0xffc0 == 0xfec0 => 200,
            _ => 0,
        };
        let (preferred_lft, valid_lft) = parsed.life.unwrap_or((FOREVER, FOREVER));
        let permanent = if valid_lft == FOREVER { ifa::PERMANENT } else { 0 };
        let deprecated = if preferred_lft == 0 { ifa::DEPRECATED } else { 0 };
        let entry = Ipv6Address {
            address: own,
            peer: address.filter(|address| *address != own),
            prefix_len: message.header.prefix_len,
            scope,
            flags: flags & SET_BY_USERS | permanent | deprecated,
            valid_lft,
            preferred_lft,
            metric: parsed.metric,
            protocol: parsed.protocol,
            created: self.now,
            updated: self.now,
            dad: Default::default(),
            temporary: None,
            tokenized: false,
        };
        let manages = entry.flags & ifa::MANAGETEMPADDR != 0;
        self.add_address6(dev, entry, replace)?;
        if manages {
            self.manage_temporary(dev, own, (valid_lft, preferred_lft), true);
        }
        Ok(())
    }

    /// `RTM_DELADDR`
    ///
    /// # Errors
    /// `EADDRNOTAVAIL`, `ENODEV`
    pub(super) fn del_address(&mut self, ns: NsId, message: &AddressMessage) -> Result<(), Failure> {
        let parsed = Parsed::of(message);
        let prefix_len = message.header.prefix_len;
        let dev = self.device_at(ns, message.header.index).ok_or(Errno::ENODEV)?;
        if message.header.family == AddressFamily::Inet6 {
            let own = v6(parsed.local).or(v6(parsed.address)).ok_or(Errno::EINVAL)?;
            self.delete_address6(dev, own, prefix_len)?;
            if parsed.flags.unwrap_or(0) & ifa::MANAGETEMPADDR != 0 {
                self.manage_temporary(dev, own, (0, 0), false);
            }
            return Ok(());
        }
        let (local, address) = (v4(parsed.local), v4(parsed.address));
        let mask = |prefix_len: u8| u32::MAX.checked_shl(32 - u32::from(prefix_len.min(32))).unwrap_or(0);
        let matches = |known: &Ipv4Address| {
            local.is_none_or(|local| known.local == local)
                && parsed.label.as_ref().is_none_or(|label| known.label == *label)
                && address.is_none_or(|address| {
                    let mask = mask(known.prefix_len);
                    known.prefix_len == prefix_len
                        && u32::from(known.peer) & mask == u32::from(address) & mask
                })
        };
        let at = self.devs.get(dev).and_then(|device| device.ipv4.iter().position(matches));
        match at {
            Some(at) => {
                let joined = self.devs.get(dev).and_then(|device| device.ipv4.get(at)).and_then(|known| {
                    (known.flags & ifa::MCAUTOJOIN != 0 && known.peer.is_multicast()).then_some(known.peer)
                });
                if let Some(group) = joined {
                    self.leave_ipv4_group(dev, group);
                }
                self.delete_address(dev, at);
                Ok(())
            }
            None => Err(Errno::EADDRNOTAVAIL.into()),
        }
    }

    /// `RTM_GETADDR` with `NLM_F_DUMP`: IPv4 of every device, then IPv6.
    ///
    /// # Errors
    /// `ENODEV`: the device to be listed does not exist.
    pub(super) fn dump_addresses(&self, ns: NsId, message: &AddressMessage) -> Result<Dump, Failure> {
        let only = message.header.index;
        let family = message.header.family;
        let mut dump = Dump { messages: Vec::new(), filtered: only != 0 };
        if only != 0 && self.device_at(ns, only).is_none() {
            return Err(Errno::ENODEV.into());
        }
        let Some(netns) = self.netns.get(ns) else { return Ok(dump) };
        let chosen: Vec<DevId> = netns
            .devices
            .iter()
            .filter(|(ifindex, _)| only == 0 || only == **ifindex)
            .map(|(_, dev)| *dev)
            .collect();
        let devices = || chosen.iter().filter_map(|dev| self.devs.get(*dev));
        if matches!(family, AddressFamily::Inet | AddressFamily::Unspec) {
            for device in devices() {
                let all = device.ipv4.iter();
                dump.messages
                    .extend(all.map(|a| Message::NewAddress(ipv4_message(device.ifindex, a, self.now))));
            }
        }
        if matches!(family, AddressFamily::Inet6 | AddressFamily::Unspec) {
            for device in devices() {
                let all = device.ipv6.iter();
                dump.messages
                    .extend(all.map(|a| Message::NewAddress(ipv6_message(device.ifindex, a, self.now))));
            }
        }
        Ok(dump)
    }
}
