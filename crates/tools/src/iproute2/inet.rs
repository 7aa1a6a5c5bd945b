//! Addresses and prefixes as iproute2 reads them (`get_addr`, `get_prefix`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Stop;
use super::number::{get_u32, strtoul};

pub(crate) const AF_UNSPEC: u8 = 0;
pub(crate) const AF_INET: u8 = 2;
pub(crate) const AF_BRIDGE: u8 = 7;
pub(crate) const AF_INET6: u8 = 10;
pub(crate) const AF_PACKET: u8 = 17;
pub(crate) const AF_MPLS: u8 = 28;

/// An address or prefix as given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prefix {
    /// The family; with `default` and `any` the one asked for, which may be 0.
    pub family: u8,
    /// `None` for `any` and `all`; all zeros for `default`.
    pub address: Option<IpAddr>,
    /// Bits of the prefix: the whole address where none were given, 0 for `default`, `any` and `all`.
    pub length: u8,
    /// Whether a length was given (`/24`, `default`).
    pub specified: bool,
}

impl Prefix {
    /// Whether `address` lies in the prefix. A prefix of length 0 holds every address of its family.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (Some(IpAddr::V4(net)), IpAddr::V4(host)) => {
                let differing = u32::from(net) ^ u32::from(host);
                differing.leading_zeros() >= u32::from(self.length.min(32))
            }
            (Some(IpAddr::V6(net)), IpAddr::V6(host)) => {
                let differing = u128::from(net) ^ u128::from(host);
                differing.leading_zeros() >= u32::from(self.length.min(128))
            }
            (None, _) => true,
            _ => false,
        }
    }
}

/// Bytes of an address.
pub(crate) fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// An address as `inet_ntop` of glibc writes it: one with its first 96 bits zero ends like an IPv4 address,
/// unless only its last 16 bits are set.
pub(crate) fn format_host(address: IpAddr) -> String {
    match address {
        IpAddr::V6(v6) => match v6.segments() {
            [0, 0, 0, 0, 0, 0, high, low] if high != 0 => {
                let [a, b] = high.to_be_bytes();
                let [c, d] = low.to_be_bytes();
                format!("::{a}.{b}.{c}.{d}")
            }
            _ => v6.to_string(),
        },
        IpAddr::V4(v4) => v4.to_string(),
    }
}

/// The family of an address.
pub(crate) fn family_of(address: IpAddr) -> u8 {
    if address.is_ipv4() { AF_INET } else { AF_INET6 }
}

/// `-f NAME`
pub(crate) fn read_family(name: &str) -> Option<u8> {
    Some(match name {
        "inet" => AF_INET,
        "inet6" => AF_INET6,
        "link" => AF_PACKET,
        "mpls" => AF_MPLS,
        "bridge" => AF_BRIDGE,
        _ => return None,
    })
}

pub(crate) fn family_name(family: u8) -> &'static str {
    match family {
        AF_INET => "inet",
        AF_INET6 => "inet6",
        AF_PACKET => "link",
        AF_MPLS => "mpls",
        AF_BRIDGE => "bridge",
        _ => "???",
    }
}

/// An address of a family (0 for either).
///
/// # Errors
/// It is none; exit code 1.
pub(crate) fn get_addr(text: &str, family: u8) -> Result<Prefix, Stop> {
    parse_addr(text, family).ok_or_else(|| {
        let family = expected(family);
        Stop::exit(1, format!("Error: {family} address is expected rather than \"{text}\".\n"))
    })
}

/// A prefix of a family (0 for either).
///
/// # Errors
/// It is none; exit code 1.
pub(crate) fn get_prefix(text: &str, family: u8) -> Result<Prefix, Stop> {
    if family == AF_PACKET {
        return Err(Stop::exit(
            1,
            format!("Error: \"{text}\" may be inet prefix, but it is not allowed in this context.\n"),
        ));
    }
    parse_prefix(text, family).ok_or_else(|| {
        let family = expected(family);
        Stop::exit(1, format!("Error: {family} prefix is expected rather than \"{text}\".\n"))
    })
}

/// `get_addr_1`
pub(crate) fn parse_addr(text: &str, family: u8) -> Option<Prefix> {
    let prefix = |address, length| Prefix { family, address, length, specified: false };
    if text == "default" {
        let address = match family {
            AF_INET => Some(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            AF_INET6 => Some(IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
            _ => None,
        };
        return Some(Prefix { specified: true, ..prefix(address, 0) });
    }
    if text == "all" || text == "any" {
        return Some(prefix(None, 0));
    }
    let address =
        if text.contains(':') { IpAddr::V6(text.parse().ok()?) } else { IpAddr::V4(parse_ipv4(text)?) };
    let own = family_of(address);
    if family != AF_UNSPEC && family != own {
        return None;
    }
    let length = if own == AF_INET { 32 } else { 128 };
    Some(Prefix { family: own, address: Some(address), length, specified: false })
}

/// `get_prefix_1`
pub(crate) fn parse_prefix(text: &str, family: u8) -> Option<Prefix> {
    let Some((address, length)) = text.split_once('/') else {
        return parse_addr(text, family);
    };
    let prefix = parse_addr(address, family)?;
    if prefix.address.is_none() || address == "default" {
        return None;
    }
    let length = u8::try_from(parse_netmask(length)?).ok().filter(|bits| *bits <= prefix.length)?;
    Some(Prefix { length, specified: true, ..prefix })
}

/// Bits, or an IPv4 mask.
fn parse_netmask(text: &str) -> Option<u32> {
    if let Some(bits) = get_u32(text, 0) {
        return Some(bits);
    }
    let mask = match parse_addr(text, AF_INET)?.address {
        Some(IpAddr::V4(mask)) => u32::from(mask),
        _ => 0,
    };
    (mask.leading_ones() + mask.trailing_zeros() >= 32).then(|| mask.leading_ones())
}

/// Up to four numbers between dots, each as C reads it; `10.8` is 10.8.0.0.
fn parse_ipv4(text: &str) -> Option<Ipv4Addr> {
    let mut octets = [0; 4];
    let mut rest = text;
    for (at, octet) in octets.iter_mut().enumerate() {
        let (value, after) = strtoul(rest, 0)?;
        *octet = u8::try_from(value).ok()?;
        if after.is_empty() {
            break;
        }
        if at == 3 {
            return None;
        }
        rest = after.strip_prefix('.')?;
    }
    Some(octets.into())
}

fn expected(family: u8) -> &'static str {
    if family == AF_UNSPEC { "any valid" } else { family_name(family) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_glibc_does() {
        for text in ["::1.2.3.4", "::ffff:1.2.3.4", "::1", "::", "1::", "fe80::1:0:0:1", "1:0:2:3:4:5:6:7"] {
            let address: IpAddr = text.parse().expect("an address");
            assert_eq!(format_host(address), text);
        }
    }

    #[test]
    fn prefixes_take_lengths_masks_and_short_forms() {
        let length = |text| parse_prefix(text, 0).map(|prefix| prefix.length);
        assert_eq!(length("192.168.100.1/255.255.255.0"), Some(24));
        assert_eq!(length("10.8/16"), Some(16));
        assert_eq!(length("10.0.0.1"), Some(32));
        assert_eq!(length("10.0.0.1/33"), None);
        assert_eq!(length("10.0.0.1/255.0.255.0"), None);
        assert_eq!(length("default"), Some(0));
        assert_eq!(length("default/8"), None);
        assert_eq!(length("fe80::1/64"), Some(64));
        assert_eq!(length("fe80::1/129"), None);
        assert_eq!(length("300.1.1.1"), None);
        assert_eq!(length("1.2.3.4.5"), None);
        assert_eq!(length(""), None);
        let short = parse_prefix("10.8", 0).and_then(|prefix| prefix.address);
        assert_eq!(short, Some(IpAddr::V4(Ipv4Addr::new(10, 8, 0, 0))));
    }
}
