//! IPv6 addresses that a tunnel makes from IPv4 addresses (`add_v4_addrs`, `addrconf_ifid_gre`, net/ipv6/addrconf.c).

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::device::{AddrGenMode, DevId, Flags, hardware, ifa};
use crate::mac::Mac;
use crate::route6::Prefix6;
use crate::world::World;

use super::inet6::{SCOPE_HOST, SCOPE_LINK};

/// `RT_SCOPE_UNIVERSE`
const SCOPE_UNIVERSE: u8 = 0;

impl World {
    /// `add_v4_addrs`: a tunnel has the IPv6 addresses that its own IPv4 address makes, or those of this host.
    pub(super) fn add_ipv4_made_addresses(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        let (ns, point) = (device.ns, device.flags.contains(Flags::POINTOPOINT));
        let compatible = !point && device.hardware == hardware::SIT;
        if !compatible && device.addr_gen_mode == AddrGenMode::None {
            return;
        }
        let own = tunnel_end(device.mac);
        let mut found: Vec<(Ipv4Addr, bool)> = Vec::new();
        if own.is_unspecified() {
            for other in self.devices_of(ns).filter(|other| other.is_up()) {
                for address in other.ipv4.iter().filter(|address| address.scope != SCOPE_LINK) {
                    let of_host = address.scope >= SCOPE_HOST;
                    if !(of_host && point) {
                        found.push((address.local, of_host));
                    }
                }
            }
        } else {
            found.push((own, false));
        }
        for (address, of_host) in found {
            let (prefix, len, scope) = match compatible {
                true => (0, 96, SCOPE_UNIVERSE),
                false => (0xfe80_u128 << 112, 64, SCOPE_LINK),
            };
            let address = Ipv6Addr::from(prefix | u128::from(u32::from(address)));
            let scope = if of_host { SCOPE_HOST } else { scope };
            if self.devs.get(dev).is_some_and(|device| device.ipv6.iter().any(|own| own.address == address)) {
                continue;
            }
            let mut own = self.new_address6_entry(address, len, scope, 0);
            own.flags = ifa::PERMANENT;
            self.insert_address6(dev, own);
            self.address6_confirmed(dev, address);
            self.add_prefix_route6(dev, Prefix6::of(address, len), 0, 0, None);
        }
    }
}

/// The IPv4 address that a tunnel has for a link-layer one.
pub(super) fn tunnel_end(mac: Mac) -> Ipv4Addr {
    let [a, b, c, d, ..] = mac.0;
    Ipv4Addr::new(a, b, c, d)
}

/// `__ipv6_isatap_ifid`: the link-local address of an IPv4 address (RFC 5214 §6.1).
pub(super) fn isatap(address: Ipv4Addr) -> Option<Ipv6Addr> {
    if address.is_unspecified() {
        return None;
    }
    let [a, b, c, _] = address.octets();
    let private = a == 0
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || matches!([a, b, c], [192, 0, 2] | [192, 88, 99] | [198, 51, 100] | [198, 18 | 19, _]);
    let identifier = if private { 0x0000_5efe } else { 0x0200_5efe };
    Some(Ipv6Addr::from(0xfe80_u128 << 112 | identifier << 32 | u128::from(u32::from(address))))
}

#[test]
fn an_identifier_tells_whether_the_address_is_unique() {
    let made = |address: [u8; 4]| isatap(address.into()).map(|made| made.to_string());
    assert_eq!(made([192, 168, 0, 1]).as_deref(), Some("fe80::5efe:c0a8:1"));
    assert_eq!(made([8, 8, 8, 8]).as_deref(), Some("fe80::200:5efe:808:808"));
    assert_eq!(made([0; 4]), None);
}
