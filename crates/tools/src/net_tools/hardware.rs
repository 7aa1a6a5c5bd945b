//! Hardware types by the names of net-tools.

/// A kind of hardware.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Hardware {
    pub name: &'static str,
    pub title: &'static str,
    /// `ARPHRD_*`; `None` for what is in no table.
    pub number: Option<u16>,
    /// Whether it has addresses, and with them ARP.
    pub has_arp: bool,
}

const fn hardware(name: &'static str, title: &'static str, number: u16, has_arp: bool) -> Hardware {
    Hardware { name, title, number: Some(number), has_arp }
}

const UNSPEC: Hardware = Hardware { name: "unspec", title: "UNSPEC", number: None, has_arp: false };

const TYPES: &[Hardware] = &[
    hardware("loop", "Local Loopback", 772, false),
    hardware("slip", "Serial Line IP", 256, false),
    hardware("cslip", "VJ Serial Line IP", 257, false),
    hardware("slip6", "6-bit Serial Line IP", 258, false),
    hardware("cslip6", "VJ 6-bit Serial Line IP", 259, false),
    hardware("adaptive", "Adaptive Serial Line IP", 264, false),
    hardware("ash", "Ash", 781, true),
    hardware("ether", "Ethernet", 1, true),
    hardware("ax25", "AMPR AX.25", 3, true),
    hardware("netrom", "AMPR NET/ROM", 0, true),
    hardware("rose", "AMPR ROSE", 270, true),
    hardware("tunnel", "IPIP Tunnel", 768, false),
    hardware("ppp", "Point-to-Point Protocol", 512, false),
    hardware("hdlc", "(Cisco)-HDLC", 513, false),
    hardware("lapb", "LAPB", 516, false),
    hardware("arcnet", "ARCnet", 7, true),
    hardware("dlci", "Frame Relay DLCI", 15, true),
    hardware("frad", "Frame Relay Access Device", 770, false),
    hardware("sit", "IPv6-in-IPv4", 776, false),
    hardware("fddi", "Fiber Distributed Data Interface", 774, true),
    hardware("hippi", "HIPPI", 780, true),
    hardware("irda", "IrLAP", 783, true),
    hardware("ec", "Econet", 782, false),
    hardware("x25", "generic X.25", 271, true),
    hardware("eui64", "Generic EUI-64", 27, true),
    UNSPEC,
];

pub(crate) fn by_name(name: &str) -> Option<&'static Hardware> {
    TYPES.iter().find(|hardware| hardware.name == name)
}

pub(crate) fn by_number(number: u16) -> Option<&'static Hardware> {
    TYPES.iter().find(|hardware| hardware.number == Some(number))
}

/// The type of a device, `unspec` if it is in no table.
pub(crate) fn of_device(number: u16) -> &'static Hardware {
    by_number(number).unwrap_or(&UNSPEC)
}

/// `print_hwlist`
pub(crate) fn list(arp: bool) -> String {
    let shown = TYPES.iter().filter(|hardware| hardware.number.is_some() && (hardware.has_arp || !arp));
    super::list(shown.map(|hardware| (hardware.name, hardware.title)))
}

/// An Ethernet address: hexadecimal digits, alone or in pairs, with or without colons. Less than six bytes are
/// filled up with zeros, what follows six is not looked at.
pub(crate) fn read_ethernet(text: &str) -> Option<[u8; 6]> {
    let mut bytes = text.bytes().peekable();
    let mut address = [0; 6];
    let digit = |byte: u8| (byte as char).to_digit(16).map(|digit| digit as u8);
    for octet in &mut address {
        let Some(first) = bytes.next() else { break };
        *octet = digit(first)?;
        match bytes.peek() {
            None | Some(b':') => {}
            Some(second) => *octet = *octet << 4 | digit(*second)?,
        }
        // The second digit or the colon behind a single one, then the colon behind a pair.
        bytes.next();
        if bytes.peek() == Some(&b':') {
            bytes.next();
        }
    }
    Some(address)
}

/// An address in the notation of Ethernet.
pub(crate) fn colons(address: &[u8]) -> String {
    address.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ethernet_addresses() {
        assert_eq!(read_ethernet("02:00:00:00:00:0a"), Some([2, 0, 0, 0, 0, 10]));
        assert_eq!(read_ethernet("2:0:0:0:0:a"), Some([2, 0, 0, 0, 0, 10]));
        assert_eq!(read_ethernet("02000000000A"), Some([2, 0, 0, 0, 0, 10]));
        assert_eq!(read_ethernet("02:01"), Some([2, 1, 0, 0, 0, 0]));
        assert_eq!(read_ethernet("02:00:00:00:00:zz"), None);
        assert_eq!(read_ethernet("x"), None);
    }
}
