//! Addresses with a prefix length: subnets, and addresses inside them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// An address and a prefix length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Prefix {
    pub address: IpAddr,
    pub length: u8,
}

impl Prefix {
    /// `netip.ParsePrefix`: no leading zeros, no zone.
    pub fn parse(text: &str) -> Option<Prefix> {
        let (address, length) = text.split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        let plain =
            length.bytes().all(|byte| byte.is_ascii_digit()) && (length == "0" || !length.starts_with('0'));
        let length: u8 = length.parse().ok().filter(|_| plain)?;
        (length <= bits_of(address)).then_some(Prefix { address, length })
    }

    pub fn is_ipv4(self) -> bool {
        self.address.is_ipv4()
    }

    /// `IPv4` or `IPv6`
    pub fn family(self) -> &'static str {
        if self.is_ipv4() { "IPv4" } else { "IPv6" }
    }

    /// Bits behind the prefix.
    pub fn host_bits(self) -> u32 {
        u32::from(bits_of(self.address).saturating_sub(self.length))
    }

    /// The subnet: host bits are zero.
    pub fn masked(self) -> Prefix {
        Prefix {
            address: from_number(number(self.address) & self.mask(), self.is_ipv4()),
            length: self.length,
        }
    }

    pub fn contains(self, address: IpAddr) -> bool {
        address.is_ipv4() == self.is_ipv4() && (number(address) ^ number(self.address)) & self.mask() == 0
    }

    pub fn overlaps(self, other: Prefix) -> bool {
        if self.length <= other.length { self.contains(other.address) } else { other.contains(self.address) }
    }

    /// The lowest address of the subnet.
    pub fn first(self) -> IpAddr {
        self.masked().address
    }

    /// The highest address of the subnet; of IPv4 with more than two addresses it is the broadcast address.
    pub fn last(self) -> IpAddr {
        from_number(number(self.first()) | !self.mask() & all(self.is_ipv4()), self.is_ipv4())
    }

    fn mask(self) -> u128 {
        let width = u32::from(bits_of(self.address));
        let host = self.host_bits();
        if host >= width { 0 } else { (all(self.is_ipv4()) >> host) << host }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

/// The address as a number.
pub(super) fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// The address of a number.
pub(super) fn from_number(number: u128, is_ipv4: bool) -> IpAddr {
    if is_ipv4 {
        IpAddr::V4(Ipv4Addr::from_bits(number as u32))
    } else {
        IpAddr::V6(Ipv6Addr::from_bits(number))
    }
}

fn bits_of(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn all(is_ipv4: bool) -> u128 {
    if is_ipv4 { u128::from(u32::MAX) } else { u128::MAX }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> Prefix {
        Prefix::parse(text).expect("a prefix")
    }

    #[test]
    fn subnets_and_their_bounds() {
        assert_eq!(prefix("192.168.2.9/24").masked().to_string(), "192.168.2.0/24");
        assert_eq!(prefix("192.168.2.9/24").last().to_string(), "192.168.2.255");
        assert_eq!(prefix("10.0.0.1/32").last().to_string(), "10.0.0.1");
        assert_eq!(prefix("0.0.0.0/0").last().to_string(), "255.255.255.255");
        assert_eq!(prefix("fd00::5/64").first().to_string(), "fd00::");
        assert!(prefix("::/0").contains("fe80::1".parse().expect("an address")));
        assert!(prefix("172.16.0.0/12").overlaps(prefix("172.18.0.0/16")));
        assert!(!prefix("172.17.0.0/16").overlaps(prefix("172.18.0.0/16")));
        assert!(!prefix("0.0.0.0/0").overlaps(prefix("::/0")));
    }

    #[test]
    fn what_is_no_prefix() {
        for text in
            ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/08", "10.0.0/8", "::/129", "x/8", "/8", "10.0.0.0/-1"]
        {
            assert_eq!(Prefix::parse(text), None, "{text}");
        }
    }
}
