//! Names and numbers in expressions: protocols, ports, addresses, and what is refused.

use super::Error;
use super::primitive::Qualifiers;
use crate::names;
use crate::services::{self, Transport};

pub(super) const IPV4: u32 = 0x0800;
pub(super) const ARP: u32 = 0x0806;
pub(super) const REVERSE_ARP: u32 = 0x8035;
pub(super) const IPV6: u32 = 0x86dd;
pub(super) const LENGTH_MAX: u32 = 1500;
/// LLC service access points that stand in for EtherTypes.
pub(super) const ISO: u32 = 0xfe;
pub(super) const STP: u32 = 0x42;
pub(super) const IPX_SAP: u32 = 0xe0;
pub(super) const NETBEUI: u32 = 0xf0;
pub(super) const IP_SAP: u32 = 0x06;
pub(super) const IPX: u32 = 0x8137;
pub(super) const ATALK: u32 = 0x809b;
pub(super) const AARP: u32 = 0x80f3;

pub(super) const TCP: u32 = 6;
pub(super) const UDP: u32 = 17;
pub(super) const SCTP: u32 = 132;
pub(super) const IPV6_FRAGMENT: u32 = 44;

/// What a protocol's name alone asks for.
pub(super) enum Abbreviation {
    EtherType(u32),
    /// An IP protocol over IPv4 only.
    Ipv4(u32),
    /// Over IPv6 only.
    Ipv6(u32),
    /// Over both.
    Ip(u32),
    /// A network layer protocol of ISO.
    Iso(u32),
    Unsupported,
}

pub(super) fn abbreviation(word: &str) -> Option<Abbreviation> {
    Some(match word {
        "sctp" => Abbreviation::Ip(SCTP),
        "tcp" => Abbreviation::Ip(TCP),
        "udp" => Abbreviation::Ip(UDP),
        "pim" => Abbreviation::Ip(103),
        "ah" => Abbreviation::Ip(51),
        "esp" => Abbreviation::Ip(50),
        "icmp" => Abbreviation::Ipv4(1),
        "igmp" => Abbreviation::Ipv4(2),
        "igrp" => Abbreviation::Ipv4(9),
        "vrrp" | "carp" => Abbreviation::Ipv4(112),
        "icmp6" => Abbreviation::Ipv6(58),
        "ip" => Abbreviation::EtherType(IPV4),
        "ip6" => Abbreviation::EtherType(IPV6),
        "arp" => Abbreviation::EtherType(ARP),
        "rarp" => Abbreviation::EtherType(REVERSE_ARP),
        "atalk" => Abbreviation::EtherType(ATALK),
        "aarp" => Abbreviation::EtherType(AARP),
        "decnet" => Abbreviation::EtherType(0x6003),
        "sca" => Abbreviation::EtherType(0x6007),
        "lat" => Abbreviation::EtherType(0x6004),
        "mopdl" => Abbreviation::EtherType(0x6001),
        "moprc" => Abbreviation::EtherType(0x6002),
        "iso" => Abbreviation::EtherType(ISO),
        "stp" => Abbreviation::EtherType(STP),
        "ipx" => Abbreviation::EtherType(IPX_SAP),
        "netbeui" => Abbreviation::EtherType(NETBEUI),
        "esis" => Abbreviation::Iso(0x82),
        "isis" => Abbreviation::Iso(0x83),
        "clnp" => Abbreviation::Iso(0x81),
        "l1" | "l2" | "iih" | "lsp" | "snp" | "csnp" | "psnp" => Abbreviation::Unsupported,
        _ => return None,
    })
}

pub(super) fn refused_protocol(protocol: &str, what: &str) -> Error {
    Error::new(match protocol {
        "ether" => format!("link-layer modifier applied to {what}"),
        "atalk" => "AppleTalk host filtering not implemented".to_owned(),
        "lat" | "sca" | "moprc" | "mopdl" => {
            format!("{} host filtering not implemented", protocol.to_ascii_uppercase())
        }
        "decnet" => "DECnet addresses are not supported here".to_owned(),
        "iso" => "ISO host filtering not implemented".to_owned(),
        "aarp" => "AARP host filtering not implemented".to_owned(),
        protocol => format!("'{protocol}' modifier applied to {what}"),
    })
}

/// The IP protocol of `udp port` and the like; none for any.
pub(super) fn transport_of(qualifiers: &Qualifiers, what: &str) -> Result<Option<u32>, Error> {
    match qualifiers.protocol {
        None => Ok(None),
        Some("udp") => Ok(Some(UDP)),
        Some("tcp") => Ok(Some(TCP)),
        Some("sctp") => Ok(Some(SCTP)),
        Some(_) => Err(Error::new(format!("illegal qualifier of '{what}'"))),
    }
}

/// A port by number or service name, and the one protocol that has the service.
pub(super) fn named_port(name: &str) -> Option<(u32, Option<u32>)> {
    if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()) {
        return name.parse().ok().map(|port| (port, None));
    }
    let tcp = services::port_of_service(name, Transport::Tcp).map(u32::from);
    let udp = services::port_of_service(name, Transport::Udp).map(u32::from);
    match (tcp, udp) {
        (Some(tcp), Some(udp)) if tcp == udp => Some((tcp, None)),
        (Some(tcp), _) => Some((tcp, Some(TCP))),
        (None, Some(udp)) => Some((udp, Some(UDP))),
        (None, None) => {
            services::port_of_service(name, Transport::Sctp).map(|port| (port.into(), Some(SCTP)))
        }
    }
}

pub(super) fn check_transport(
    wanted: Option<u32>,
    real: Option<u32>,
    what: &str,
) -> Result<Option<u32>, Error> {
    match (wanted, real) {
        (Some(wanted), Some(real)) if wanted != real => {
            let name = match real {
                TCP => "tcp",
                UDP => "udp",
                _ => "sctp",
            };
            Err(Error::new(format!("{what} is {name}")))
        }
        (wanted, real) => Ok(wanted.or(real)),
    }
}

pub(super) fn check_port(port: u32) -> Result<u32, Error> {
    if port > 65_535 {
        return Err(Error::new(format!("illegal port number {port} > 65535")));
    }
    Ok(port)
}

/// `lookup_proto`
pub(super) fn protocol_by_name(name: &str, protocol: Option<&str>) -> Result<u32, Error> {
    match protocol {
        None | Some("ip" | "ip6") => names::protocol_number(name)
            .map(u32::from)
            .ok_or_else(|| Error::new(format!("unknown ip proto '{name}'"))),
        Some("ether") => match name {
            "loopback" => Ok(0x9000),
            "iso" | "stp" | "ipx" | "netbeui" | "aarp" | "arp" | "atalk" | "decnet" | "ip" | "ip6"
            | "lat" | "mopdl" | "moprc" | "rarp" | "sca" => match abbreviation(name) {
                Some(Abbreviation::EtherType(ethertype)) => Ok(ethertype),
                _ => Err(Error::new(format!("unknown ether proto '{name}'"))),
            },
            _ => Err(Error::new(format!("unknown ether proto '{name}'"))),
        },
        Some("iso") => match name {
            "esis" => Ok(0x82),
            "isis" => Ok(0x83),
            "clnp" => Ok(0x81),
            _ => Err(Error::new(format!("unknown osi proto '{name}'"))),
        },
        Some(_) => Err(Error::new(format!("unknown protocol: {name}"))),
    }
}

/// An address of one to four parts, and the mask of those given.
pub(super) fn dotted_address(text: &str) -> Result<(u32, u32), Error> {
    let invalid = || Error::new(format!("invalid IPv4 address '{text}'"));
    let mut address = 0u32;
    let mut bits = 0;
    for part in text.split('.') {
        let part: u32 = part.parse().map_err(|_| invalid())?;
        if part > 255 || bits >= 32 {
            return Err(invalid());
        }
        address = address << 8 | part;
        bits += 8;
    }
    let missing = 32 - bits;
    Ok((address.checked_shl(missing).unwrap_or(0), u32::MAX.checked_shl(missing).unwrap_or(0)))
}
