//! IPv6 addresses as far as the listing of addresses goes: link-local ones come with a device's link, others by
//! hand. There is no IPv6 forwarding, neighbour discovery or duplicate address detection yet, so no
//! address is ever tentative.

use std::net::Ipv6Addr;

use hairpin_netlink::{Errno, Failure};

use crate::device::{AddrGenMode, DevId, Ipv6Address, ifa};
use crate::mac::Mac;
use crate::world::World;

/// `RT_SCOPE_LINK`, `RT_SCOPE_HOST`
const SCOPE_LINK: u8 = 253;
const SCOPE_HOST: u8 = 254;
/// `IFAPROT_KERNEL_LO`, `IFAPROT_KERNEL_LL`
const PROTOCOL_LOOPBACK: u8 = 1;
const PROTOCOL_LINK_LOCAL: u8 = 3;
/// The MAC of ff02::1, the group of all nodes on the link.
const ALL_NODES: Mac = Mac([0x33, 0x33, 0, 0, 0, 1]);
/// Least MTU of an IPv6 link (RFC 8200 §5).
const MIN_MTU: u32 = 1280;

impl World {
    /// `addrconf_notify(NETDEV_UP)`
    pub(super) fn ip6_up(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        if device.ipv6_disabled || device.mtu < MIN_MTU {
            return;
        }
        if device.is_loopback() {
            if device.ipv6.is_empty() {
                self.insert_address6(
                    dev,
                    Ipv6Addr::LOCALHOST,
                    128,
                    SCOPE_HOST,
                    ifa::PERMANENT,
                    PROTOCOL_LOOPBACK,
                );
            }
            return;
        }
        self.ip6_registered(dev);
        for address in self.devs.get(dev).map(|device| device.ipv6.clone()).unwrap_or_default() {
            self.join_group(dev, solicited(address.address));
        }
        self.ip6_link_ready(dev);
    }

    /// `dev_disable_change`: switches a device's IPv6 off, with its addresses, or on.
    pub(crate) fn set_ipv6_disabled(&mut self, dev: DevId, disabled: bool) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        if std::mem::replace(&mut device.ipv6_disabled, disabled) == disabled {
            return;
        }
        let up = device.is_up();
        match (disabled, up) {
            (true, _) => self.ip6_down(dev),
            (false, true) => self.ip6_up(dev),
            (false, false) => {}
        }
        self.changed();
    }

    /// A device that makes addresses by a new rule gets the one it lacks, if it is up.
    pub(crate) fn ip6_mode_changed(&mut self, dev: DevId) {
        if self.devs.get(dev).is_some_and(|device| device.is_up()) {
            self.ip6_link_ready(dev);
        }
    }

    /// `ipv6_add_dev`: the group of all nodes is listened to from the start, up or down, with IPv6 switched off
    /// too, as long as the MTU is large enough.
    pub(super) fn ip6_registered(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        let joined = device.multicast.iter().any(|(group, _)| *group == ALL_NODES);
        if !joined && device.mtu >= MIN_MTU && !device.is_loopback() {
            self.join_group(dev, ALL_NODES);
        }
    }

    /// `addrconf_notify(NETDEV_CHANGEMTU)`: a link too narrow for IPv6 has none.
    pub(super) fn ip6_mtu_changed(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        let wide = device.mtu >= MIN_MTU;
        let joined = device.multicast.iter().any(|(group, _)| *group == ALL_NODES);
        match (wide, joined) {
            (false, true) => {
                self.ip6_down(dev);
                self.leave_group(dev, ALL_NODES);
            }
            (true, false) if device.is_up() => self.ip6_up(dev),
            (true, false) => self.ip6_registered(dev),
            _ => {}
        }
    }

    /// `addrconf_dev_config`: with a link, a device has a link-local address.
    pub(super) fn ip6_link_ready(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        let has = device.ipv6.iter().any(|address| is_link_local(address.address));
        if has
            || !device.can_transmit()
            || !device.is_ethernet()
            || device.ipv6_disabled
            || device.mtu < MIN_MTU
            || device.addr_gen_mode != AddrGenMode::Eui64
            || !device.mac.is_valid_source()
        {
            return;
        }
        let address = link_local(device.mac, device.dev_id);
        self.insert_address6(dev, address, 64, SCOPE_LINK, ifa::PERMANENT, PROTOCOL_LINK_LOCAL);
        self.join_group(dev, solicited(address));
    }

    /// `addrconf_ifdown`: addresses go with the link being set down, but for the loopback's.
    pub(super) fn ip6_down(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        if device.is_loopback() {
            return self.flush_addresses6(dev);
        }
        self.flush_addresses6(dev);
    }

    fn insert_address6(
        &mut self,
        dev: DevId,
        address: Ipv6Addr,
        prefix_len: u8,
        scope: u8,
        flags: u32,
        protocol: u8,
    ) {
        let now = self.now;
        let Some(device) = self.devs.get_mut(dev) else { return };
        let entry = Ipv6Address {
            address,
            peer: None,
            prefix_len,
            scope,
            flags,
            valid_lft: u32::MAX,
            preferred_lft: u32::MAX,
            metric: 0,
            protocol,
            created: now,
            updated: now,
        };
        // `ipv6_link_dev_addr`: of wider scope first.
        let place = device.ipv6.iter().position(|known| known.scope >= scope).unwrap_or(device.ipv6.len());
        device.ipv6.insert(place, entry.clone());
        self.ipvlan_addresses_changed(dev);
        self.changed();
        self.notify_address6(dev, &entry, false);
    }

    /// `inet6_rtm_newaddr`
    ///
    /// # Errors
    /// `EEXIST` for an address that is there already, `EACCES` where IPv6 is switched off.
    pub(crate) fn add_address6(
        &mut self,
        dev: DevId,
        entry: Ipv6Address,
        replace: bool,
    ) -> Result<(), Failure> {
        let Some(device) = self.devs.get(dev) else { return Err(Errno::ENODEV.into()) };
        if device.ipv6_disabled {
            return Err(Failure::with_text(Errno::EACCES, "IPv6 is disabled on this device"));
        }
        if !device.ipv6.iter().any(|known| known.address == entry.address) {
            self.check_ipvlan_address(dev, entry.address.into())?;
        }
        let Some(device) = self.devs.get_mut(dev) else { return Err(Errno::ENODEV.into()) };
        if let Some(known) = device.ipv6.iter_mut().find(|known| known.address == entry.address) {
            if !replace {
                return Err(Failure::with_text(Errno::EEXIST, "address already assigned"));
            }
            *known = entry.clone();
        } else {
            let place =
                device.ipv6.iter().position(|known| known.scope >= entry.scope).unwrap_or(device.ipv6.len());
            device.ipv6.insert(place, entry.clone());
            self.ipvlan_addresses_changed(dev);
        }
        if self.devs.get(dev).is_some_and(|device| device.is_up()) {
            self.join_group(dev, solicited(entry.address));
        }
        self.changed();
        self.notify_address6(dev, &entry, false);
        Ok(())
    }

    /// `inet6_rtm_deladdr`
    ///
    /// # Errors
    /// `EADDRNOTAVAIL` where there is no such address.
    pub(crate) fn delete_address6(
        &mut self,
        dev: DevId,
        address: Ipv6Addr,
        prefix_len: u8,
    ) -> Result<(), Failure> {
        let Some(device) = self.devs.get_mut(dev) else { return Err(Errno::ENODEV.into()) };
        let at = device.ipv6.iter().position(|a| a.address == address && a.prefix_len == prefix_len);
        let Some(at) = at else {
            return Err(Failure::with_text(Errno::EADDRNOTAVAIL, "address not found"));
        };
        let gone = device.ipv6.remove(at);
        if device.is_up() {
            self.leave_group(dev, solicited(address));
        }
        self.ipvlan_addresses_changed(dev);
        self.changed();
        self.notify_address6(dev, &gone, true);
        Ok(())
    }

    pub(crate) fn flush_addresses6(&mut self, dev: DevId) {
        while let Some(first) = self.devs.get(dev).and_then(|device| device.ipv6.first()).cloned() {
            if self.delete_address6(dev, first.address, first.prefix_len).is_err() {
                return;
            }
        }
    }
}

/// A link-local address with an interface identifier from a MAC (RFC 4291 appendix A); where several devices
/// have one MAC, their identifiers stand in its middle and tell them apart (`addrconf_ifid_eui48`).
fn link_local(mac: Mac, dev_id: u16) -> Ipv6Addr {
    let [a, b, c, d, e, f] = mac.0;
    let ([g, h], a) = match dev_id {
        0 => ([0xff, 0xfe], a ^ 2),
        id => (id.to_be_bytes(), a),
    };
    Ipv6Addr::from([0xfe, 0x80, 0, 0, 0, 0, 0, 0, a, b, c, g, h, d, e, f])
}

/// The MAC of an address's solicited-node group (RFC 4291 §2.7.1, RFC 2464 §7).
fn solicited(address: Ipv6Addr) -> Mac {
    let [.., a, b, c] = address.octets();
    Mac([0x33, 0x33, 0xff, a, b, c])
}

fn is_link_local(address: Ipv6Addr) -> bool {
    address.segments()[0] & 0xffc0 == 0xfe80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_local_address_has_the_macs_identifier() {
        let mac = Mac([0x06, 0x84, 0x97, 0xf4, 0x94, 0x01]);
        assert_eq!(link_local(mac, 0).to_string(), "fe80::484:97ff:fef4:9401");
        assert_eq!(link_local(mac, 2).to_string(), "fe80::684:9700:2f4:9401");
        assert_eq!(solicited(link_local(mac, 0)).to_string(), "33:33:ff:f4:94:01");
    }
}
