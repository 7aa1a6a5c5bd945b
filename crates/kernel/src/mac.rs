//! Ethernet addresses.

use std::fmt;
use std::hash::{Hash, Hasher};

/// A 48-bit MAC address.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mac(pub [u8; 6]);

/// As one number: tables are asked for addresses with every frame.
impl Hash for Mac {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [a, b, c, d, e, f] = self.0;
        state.write_u64(u64::from_le_bytes([a, b, c, d, e, f, 0, 0]));
    }
}

impl Mac {
    pub const ZERO: Mac = Mac([0; 6]);
    pub const BROADCAST: Mac = Mac([0xff; 6]);

    pub fn is_broadcast(self) -> bool {
        self == Mac::BROADCAST
    }

    /// The group bit is set (multicast or broadcast).
    pub fn is_group(self) -> bool {
        self.0[0] & 1 != 0
    }

    pub fn is_zero(self) -> bool {
        self == Mac::ZERO
    }

    /// What an interface may have: neither a group address nor zero (`is_valid_ether_addr`).
    pub fn is_valid_source(self) -> bool {
        !self.is_group() && !self.is_zero()
    }

    /// The MAC of an IPv4 multicast group (RFC 1112 §6.4).
    pub fn of_ipv4_multicast(group: std::net::Ipv4Addr) -> Mac {
        let [_, b, c, d] = group.octets();
        Mac([0x01, 0x00, 0x5e, b & 0x7f, c, d])
    }

    /// The MAC of an IPv6 multicast group (RFC 2464 §7).
    pub fn of_ipv6_multicast(group: std::net::Ipv6Addr) -> Mac {
        let [.., a, b, c, d] = group.octets();
        Mac([0x33, 0x33, a, b, c, d])
    }

    /// The MAC of a multicast group.
    pub fn of_multicast(group: std::net::IpAddr) -> Mac {
        match group {
            std::net::IpAddr::V4(group) => Mac::of_ipv4_multicast(group),
            std::net::IpAddr::V6(group) => Mac::of_ipv6_multicast(group),
        }
    }

    /// Reads an address at the front of `bytes`.
    pub fn read(bytes: &[u8]) -> Option<Mac> {
        bytes.first_chunk::<6>().map(|mac| Mac(*mac))
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
