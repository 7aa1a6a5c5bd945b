//! Link-layer types and addresses as text.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::inet::{AF_INET, parse_addr};
use super::number::strtoul;

const ARPHRD_TUNNEL: u16 = 768;
const ARPHRD_TUNNEL6: u16 = 769;
const ARPHRD_SIT: u16 = 776;
const ARPHRD_IPGRE: u16 = 778;
const ARPHRD_IP6GRE: u16 = 823;

/// The most bytes an address may have (`MAX_ADDR_LEN`).
const ADDRESS_MAX: usize = 32;

/// `ARPHRD_*` and the names that follow `link/`.
const LAYERS: &[(u16, &str)] = &[
    (0, "netrom"),
    (1, "ether"),
    (2, "eether"),
    (3, "ax25"),
    (4, "pronet"),
    (5, "chaos"),
    (6, "ieee802"),
    (7, "arcnet"),
    (8, "atalk"),
    (15, "dlci"),
    (19, "atm"),
    (23, "metricom"),
    (24, "ieee1394"),
    (32, "infiniband"),
    (256, "slip"),
    (257, "cslip"),
    (258, "slip6"),
    (259, "cslip6"),
    (260, "rsrvd"),
    (264, "adapt"),
    (270, "rose"),
    (271, "x25"),
    (272, "hwx25"),
    (280, "can"),
    (512, "ppp"),
    (513, "hdlc"),
    (516, "lapb"),
    (517, "ddcmp"),
    (518, "rawhdlc"),
    (ARPHRD_TUNNEL, "ipip"),
    (ARPHRD_TUNNEL6, "tunnel6"),
    (770, "frad"),
    (771, "skip"),
    (772, "loopback"),
    (773, "ltalk"),
    (774, "fddi"),
    (775, "bif"),
    (ARPHRD_SIT, "sit"),
    (777, "ip/ddp"),
    (ARPHRD_IPGRE, "gre"),
    (779, "pimreg"),
    (780, "hippi"),
    (781, "ash"),
    (782, "econet"),
    (783, "irda"),
    (784, "fcpp"),
    (785, "fcal"),
    (786, "fcpl"),
    (787, "fcfb0"),
    (800, "tr"),
    (801, "ieee802.11"),
    (802, "ieee802.11/prism"),
    (803, "ieee802.11/radiotap"),
    (804, "ieee802.15.4"),
    (805, "ieee802.15.4/monitor"),
    (820, "phonet"),
    (821, "phonet_pipe"),
    (822, "caif"),
    (ARPHRD_IP6GRE, "gre6"),
    (824, "netlink"),
    (825, "6lowpan"),
    (0xfffe, "none"),
    (0xffff, "void"),
];

/// The name of a link-layer type, or its number in brackets.
pub(crate) fn layer_name(layer: u16, numeric: bool) -> String {
    match LAYERS.iter().find(|(known, _)| *known == layer) {
        Some((_, name)) if !numeric => (*name).to_owned(),
        _ => format!("[{layer}]"),
    }
}

/// A link-layer address; those of IP tunnels are IP addresses.
pub(crate) fn format_lladdr(address: &[u8], layer: u16) -> String {
    match layer {
        ARPHRD_TUNNEL | ARPHRD_SIT | ARPHRD_IPGRE => {
            if let Ok(octets) = <[u8; 4]>::try_from(address) {
                return Ipv4Addr::from(octets).to_string();
            }
        }
        ARPHRD_TUNNEL6 | ARPHRD_IP6GRE => {
            if let Ok(octets) = <[u8; 16]>::try_from(address) {
                return Ipv6Addr::from(octets).to_string();
            }
        }
        _ => {}
    }
    let bytes: Vec<String> = address.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(":")
}

/// Reads a link-layer address: bytes in hexadecimal between colons, or an IPv4 address.
///
/// # Errors
/// The text that says what is wrong, for standard error.
pub(crate) fn parse_lladdr(text: &str) -> Result<Vec<u8>, String> {
    let invalid = |text: &str| format!("\"{text}\" is invalid lladdr.\n");
    if text.contains('.') {
        return match parse_addr(text, AF_INET).map(|prefix| prefix.address) {
            Some(Some(IpAddr::V4(address))) => Ok(address.octets().to_vec()),
            Some(_) => Ok(vec![0; 4]),
            None => Err(invalid(text)),
        };
    }
    let mut address = Vec::new();
    for part in text.split(':').take(ADDRESS_MAX) {
        // As with sscanf("%x"), what follows the digits is not looked at.
        let value = strtoul(part, 16).and_then(|(value, _)| u8::try_from(value).ok());
        address.push(value.ok_or_else(|| invalid(part))?);
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_go_both_ways() {
        assert_eq!(parse_lladdr("2:0:0a:FF:1:0"), Ok(vec![2, 0, 10, 255, 1, 0]));
        assert_eq!(parse_lladdr("aa:zz:bb"), Err("\"zz\" is invalid lladdr.\n".to_owned()));
        assert_eq!(parse_lladdr("10.0.0.1"), Ok(vec![10, 0, 0, 1]));
        assert_eq!(format_lladdr(&[2, 0, 10, 255, 1, 0], 1), "02:00:0a:ff:01:00");
        assert_eq!(format_lladdr(&[10, 0, 0, 1], ARPHRD_SIT), "10.0.0.1");
        assert_eq!(layer_name(1, false), "ether");
        assert_eq!(layer_name(9999, false), "[9999]");
    }
}
