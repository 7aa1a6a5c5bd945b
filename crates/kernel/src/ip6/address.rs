//! Kinds of IPv6 addresses, and addresses made from others (RFC 4291).

use std::net::Ipv6Addr;

use crate::mac::Mac;

pub use crate::route6::source::scope;

/// ff02::1, all nodes on the link.
pub const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
/// ff01::1, all nodes on the interface.
pub const INTERFACE_ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff01, 0, 0, 0, 0, 0, 0, 1);
/// ff02::2, all routers on the link; ff01::2, ff05::2 on the interface and the site.
pub const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);
pub const INTERFACE_ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff01, 0, 0, 0, 0, 0, 0, 2);
pub const SITE_ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff05, 0, 0, 0, 0, 0, 0, 2);
/// ff02::16, routers that understand MLD version 2 (RFC 3810 §5.2.14).
pub const MLD_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x16);
/// ff02::6a, all snoopers (RFC 4286).
pub const SNOOPERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x6a);

pub fn is_link_local(address: Ipv6Addr) -> bool {
    address.segments()[0] & 0xffc0 == 0xfe80
}

/// Whether an address says nothing without a device (`__ipv6_addr_needs_scope_id`).
pub fn needs_device(address: Ipv6Addr) -> bool {
    is_link_local(address) || address.is_multicast() && matches!(address.segments()[0] & 15, 1 | 2)
}

/// The group of everybody whose address ends like this one (§2.7.1).
pub fn solicited_node(address: Ipv6Addr) -> Ipv6Addr {
    let [.., a, b, c] = address.octets();
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | u16::from(a), u16::from_be_bytes([b, c]))
}

pub fn is_solicited_node(address: Ipv6Addr) -> bool {
    solicited_node(address) == address
}

/// An interface identifier from a MAC (appendix A) behind the first 64 bits of `prefix`; where several devices
/// have one MAC, their identifiers stand in its middle and tell them apart (`addrconf_ifid_eui48`).
pub fn eui64(prefix: Ipv6Addr, mac: Mac, dev_id: u16) -> Ipv6Addr {
    let [a, b, c, d, e, f] = mac.0;
    let ([g, h], a) = match dev_id {
        0 => ([0xff, 0xfe], a ^ 2),
        id => (id.to_be_bytes(), a),
    };
    let mut octets = prefix.octets();
    octets[8..].copy_from_slice(&[a, b, c, g, h, d, e, f]);
    octets.into()
}

/// The link-local address of a MAC.
pub fn link_local(mac: Mac, dev_id: u16) -> Ipv6Addr {
    eui64(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), mac, dev_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_local_address_has_the_macs_identifier() {
        let mac = Mac([0x06, 0x84, 0x97, 0xf4, 0x94, 0x01]);
        assert_eq!(link_local(mac, 2).to_string(), "fe80::684:9700:2f4:9401");
        let own = link_local(mac, 0);
        assert_eq!(own.to_string(), "fe80::484:97ff:fef4:9401");
        assert_eq!(solicited_node(own).to_string(), "ff02::1:fff4:9401");
        assert_eq!(Mac::of_ipv6_multicast(solicited_node(own)).to_string(), "33:33:ff:f4:94:01");
        assert!(is_solicited_node(solicited_node(own)) && !is_solicited_node(own));
    }
}
