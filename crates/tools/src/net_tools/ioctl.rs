//! The `SIOC*` requests of net-tools, as rtnetlink messages with the results of the `ioctl`s
//! (net/core/dev_ioctl.c, net/ipv4/devinet.c).

use std::net::{IpAddr, Ipv4Addr};

use hairpin_netlink::codec::{NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL};
use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::route::address::{AddressAttribute, AddressMessage, AddressScope};
use hairpin_netlink::route::link::{LinkAttribute, LinkFlags, LinkMessage};
use hairpin_netlink::{Errno, Message, System, transact};

use crate::interfaces::{IFF_BROADCAST, IFF_POINTOPOINT, IFF_UP, Interface, Interfaces, cut};

/// An IPv4 address of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inet {
    pub index: u32,
    /// The interface's name, or `NAME:ALIAS`.
    pub label: String,
    pub local: Ipv4Addr,
    /// The far end of a point-to-point link; `local` elsewhere.
    pub peer: Ipv4Addr,
    pub broadcast: Option<Ipv4Addr>,
    pub prefix: u8,
}

impl Inet {
    pub(crate) fn mask(&self) -> Ipv4Addr {
        mask_of(self.prefix)
    }

    fn message(&self) -> AddressMessage {
        let mut message = AddressMessage::default();
        message.header.family = AddressFamily::Inet;
        message.header.index = self.index;
        message.header.prefix_len = self.prefix;
        message.header.scope =
            if self.local.is_loopback() { AddressScope::Host } else { AddressScope::Universe };
        message.attributes.push(AddressAttribute::Local(IpAddr::V4(self.local)));
        message.attributes.push(AddressAttribute::Address(IpAddr::V4(self.peer)));
        message.attributes.extend(self.broadcast.map(AddressAttribute::Broadcast));
        message.attributes.push(AddressAttribute::Label(self.label.clone()));
        message
    }
}

/// What of an address a request changes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    /// `SIOCSIFNETMASK`
    Netmask(Ipv4Addr),
    /// `SIOCSIFBRDADDR`
    Broadcast(Ipv4Addr),
    /// `SIOCSIFDSTADDR`
    Destination(Ipv4Addr),
}

/// Every IPv4 address.
///
/// # Errors
/// The kernel refuses the dump.
pub(crate) fn addresses(system: &mut dyn System) -> Result<Vec<Inet>, Errno> {
    let mut request = AddressMessage::default();
    request.header.family = AddressFamily::Inet;
    let answer = transact(system, &Message::GetAddress(request), NLM_F_DUMP).map_err(|f| f.errno)?;
    let addresses = answer.into_iter().filter_map(|message| match message {
        Message::NewAddress(address) if address.header.family == AddressFamily::Inet => Some(inet(&address)),
        _ => None,
    });
    Ok(addresses.flatten().collect())
}

fn inet(message: &AddressMessage) -> Option<Inet> {
    let (mut local, mut peer, mut broadcast, mut label) = (None, None, None, String::new());
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(IpAddr::V4(address)) => local = Some(*address),
            AddressAttribute::Address(IpAddr::V4(address)) => peer = Some(*address),
            AddressAttribute::Broadcast(address) => broadcast = Some(*address),
            AddressAttribute::Label(text) => label.clone_from(text),
            _ => {}
        }
    }
    let local = local.or(peer)?;
    let (index, prefix) = (message.header.index, message.header.prefix_len);
    Some(Inet { index, label, local, peer: peer.unwrap_or(local), broadcast, prefix })
}

/// The interface of a name, with or without `:ALIAS`.
///
/// # Errors
/// `ENODEV`
pub(crate) fn device(system: &mut dyn System, name: &str) -> Result<Interface, Errno> {
    let name = cut(name).split(':').next().unwrap_or("");
    let interfaces = Interfaces::dump(system).map_err(|failure| failure.errno)?;
    interfaces.by_name(name).cloned().ok_or(Errno::ENODEV)
}

/// `SIOCSIFFLAGS`: changes the flags in `mask` to those in `flags`. Taking an alias down deletes its address.
///
/// # Errors
/// Those of the kernel.
pub(crate) fn set_flags(system: &mut dyn System, name: &str, flags: u32, mask: u32) -> Result<(), Errno> {
    let device = device(system, name)?;
    if name.contains(':') {
        let label = cut(name);
        let found = addresses(system)?.into_iter().find(|a| a.index == device.index() && a.label == label);
        let address = found.ok_or(Errno::EADDRNOTAVAIL)?;
        let stays_up = if mask & IFF_UP != 0 { flags & IFF_UP != 0 } else { device.flags() & IFF_UP != 0 };
        if !stays_up {
            return delete(system, &address);
        }
    }
    let mut message = LinkMessage::default();
    message.header.index = device.index();
    message.header.flags = LinkFlags::from_bits_retain(flags);
    message.header.change_mask = LinkFlags::from_bits_retain(mask);
    send(system, &Message::SetLink(message), 0)
}

/// `SIOCSIFMTU`, `SIOCSIFTXQLEN`, `SIOCSIFHWADDR`, `SIOCSIFNAME`: changes one attribute of an interface.
///
/// # Errors
/// Those of the kernel.
pub(crate) fn set_link(system: &mut dyn System, name: &str, attribute: LinkAttribute) -> Result<(), Errno> {
    let mut message = LinkMessage::default();
    message.header.index = device(system, name)?.index();
    message.attributes.push(attribute);
    send(system, &Message::SetLink(message), 0)
}

/// `SIOCSIFADDR`: the only address of its label, with the mask of its class.
///
/// # Errors
/// Those of the kernel.
pub(crate) fn set_address(system: &mut dyn System, name: &str, local: Ipv4Addr) -> Result<(), Errno> {
    let device = device(system, name)?;
    let class = class_length(local).ok_or(Errno::EINVAL)?;
    let label = cut(name).to_owned();
    let old = addresses(system)?.into_iter().find(|a| a.index == device.index() && a.label == label);
    if let Some(old) = old {
        if old.local == local {
            return Ok(());
        }
        delete(system, &old)?;
    }
    if local.is_unspecified() {
        return Ok(());
    }
    let (mut prefix, mut broadcast) = (32, None);
    if device.flags() & IFF_POINTOPOINT == 0 {
        prefix = class;
        if device.flags() & IFF_BROADCAST != 0 && prefix < 31 {
            broadcast = Some(Ipv4Addr::from(u32::from(local) | !u32::from(mask_of(prefix))));
        }
    }
    add(system, &Inet { index: device.index(), label, local, peer: local, broadcast, prefix })
}

/// Changes the address of a label.
///
/// # Errors
/// `EADDRNOTAVAIL` if it has none; those of the kernel.
pub(crate) fn change_address(system: &mut dyn System, name: &str, change: Change) -> Result<(), Errno> {
    let device = device(system, name)?;
    let label = cut(name);
    let found = addresses(system)?.into_iter().find(|a| a.index == device.index() && a.label == label);
    let old = found.ok_or(Errno::EADDRNOTAVAIL)?;
    let mut new = old.clone();
    match change {
        Change::Netmask(mask) => {
            let bits = u32::from(mask);
            if bits.leading_ones() + bits.trailing_zeros() < 32 {
                return Err(Errno::EINVAL);
            }
            new.prefix = bits.leading_ones() as u8;
            // A broadcast address that followed from the old mask follows the new one.
            let of_mask = |mask: Ipv4Addr| Ipv4Addr::from(u32::from(old.local) | !u32::from(mask));
            if device.flags() & IFF_BROADCAST != 0
                && new.prefix < 31
                && old.broadcast == Some(of_mask(old.mask()))
            {
                new.broadcast = Some(of_mask(mask));
            }
        }
        Change::Broadcast(address) => {
            new.broadcast = (!address.is_unspecified()).then_some(address);
        }
        Change::Destination(address) => {
            class_length(address).ok_or(Errno::EINVAL)?;
            new.peer = address;
        }
    }
    if new == old {
        return Ok(());
    }
    delete(system, &old)?;
    add(system, &new)
}

fn add(system: &mut dyn System, address: &Inet) -> Result<(), Errno> {
    send(system, &Message::NewAddress(address.message()), NLM_F_CREATE | NLM_F_EXCL)
}

fn delete(system: &mut dyn System, address: &Inet) -> Result<(), Errno> {
    send(system, &Message::DelAddress(address.message()), 0)
}

fn send(system: &mut dyn System, message: &Message, flags: u16) -> Result<(), Errno> {
    transact(system, message, flags).map(drop).map_err(|failure| failure.errno)
}

pub(crate) fn mask_of(prefix: u8) -> Ipv4Addr {
    Ipv4Addr::from(u32::MAX.unbounded_shl(32 - u32::from(prefix.min(32))))
}

/// Bits of the network of an address's class (`inet_abc_len`); multicast has none.
fn class_length(address: Ipv4Addr) -> Option<u8> {
    match address.octets()[0] {
        _ if address.is_broadcast() => Some(0),
        0 => Some(0),
        1..128 => Some(8),
        128..192 => Some(16),
        192..224 => Some(24),
        224..240 => None,
        _ => Some(32),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_masks() {
        assert_eq!(class_length(Ipv4Addr::new(10, 1, 2, 3)), Some(8));
        assert_eq!(class_length(Ipv4Addr::new(172, 16, 0, 1)), Some(16));
        assert_eq!(class_length(Ipv4Addr::new(192, 168, 0, 1)), Some(24));
        assert_eq!(class_length(Ipv4Addr::new(224, 0, 0, 1)), None);
        assert_eq!(mask_of(0), Ipv4Addr::UNSPECIFIED);
        assert_eq!(mask_of(24), Ipv4Addr::new(255, 255, 255, 0));
        assert_eq!(mask_of(32), Ipv4Addr::BROADCAST);
    }
}
