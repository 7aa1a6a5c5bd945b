//! 802.2 logical link control, with SNAP headers.

use super::dissect::{Dissected, Dissector, name, put};
use super::ether::Addresses;
use crate::names::{ETHERTYPES, OUIS};

const SAPS: &[(u32, &str)] = &[
    (0x00, "Null"),
    (0xfe, "OSI"),
    (0x02, "802.1B I"),
    (0x03, "802.1B G"),
    (0x06, "IP"),
    (0x04, "SNA"),
    (0x0e, "ProWay NM"),
    (0x42, "STP"),
    (0x4e, "RS511"),
    (0x7e, "ISO8208"),
    (0x8e, "ProWay"),
    (0xaa, "SNAP"),
    (0xe0, "IPX"),
    (0xf0, "NetBeui"),
    (0xff, "Global"),
];
const STP: u8 = 0x42;
const IP: u8 = 0x06;
const SNAP: u8 = 0xaa;

/// Low bits of the control field.
const UNNUMBERED: u8 = 3;
const POLL: u8 = 0x10;
const UNNUMBERED_INFORMATION: u8 = 0x03;
const EXCHANGE_IDENTIFICATION: u8 = 0xaf;
const COMMANDS: &[(u32, &str)] = &[
    (0x03, "ui"),
    (0xe3, "test"),
    (0xaf, "xid"),
    (0x63, "ua"),
    (0x43, "disc"),
    (0x0f, "dm"),
    (0x6f, "sabme"),
    (0x87, "frmr"),
];
const SUPERVISORY: &[(u32, &str)] = &[(0, "Receiver Ready"), (1, "Receiver not Ready"), (2, "Reject")];

const ENCAPSULATED: u32 = 0x00_0000;
const CISCO: u32 = 0x00_000c;
const CISCO_BRIDGED: u32 = 0x00_00f8;
const APPLETALK: u32 = 0x08_0007;
const BRIDGED: u32 = 0x00_80c2;
const CISCO_PROTOCOLS: &[(u32, &str)] = &[
    (0x2000, "CDP"),
    (0x2003, "VTP"),
    (0x2004, "DTP"),
    (0x0111, "UDLD"),
    (0x010b, "PVST"),
    (0x010c, "VLAN Bridge"),
];
const BRIDGED_PROTOCOLS: &[(u32, &str)] = &[
    (0x0001, "Ethernet + FCS"),
    (0x0007, "Ethernet w/o FCS"),
    (0x0002, "802.4 + FCS"),
    (0x0008, "802.4 w/o FCS"),
    (0x0003, "Token Ring + FCS"),
    (0x0009, "Token Ring w/o FCS"),
    (0x0004, "FDDI + FCS"),
    (0x000a, "FDDI w/o FCS"),
    (0x0006, "802.6 + FCS"),
    (0x000b, "802.6 w/o FCS"),
    (0x000e, "BPDU"),
];

impl Dissector<'_> {
    /// Prints an LLC packet, in hex where nobody knows it; returns the length of its headers.
    pub fn llc_or_dump(
        &mut self,
        at: usize,
        length: usize,
        captured: usize,
        addresses: Option<Addresses>,
    ) -> Dissected<usize> {
        let (header, known) = self.nested(|d| d.llc(at, length, captured, addresses))?;
        if !known {
            self.unknown_payload(at, captured)?;
        }
        Ok(header)
    }

    /// Returns the length of the headers, and whether the payload was printed.
    pub fn llc(
        &mut self,
        at: usize,
        length: usize,
        captured: usize,
        addresses: Option<Addresses>,
    ) -> Dissected<(usize, bool)> {
        self.protocol = "llc";
        let there = length.min(captured);
        if there < 3 {
            self.truncated();
            self.hex_and_ascii(at, captured)?;
            return Ok((there, true));
        }
        let (dsap_field, ssap_field, control) = (self.u8(at)?, self.u8(at + 1)?, self.u8(at + 2)?);
        let unnumbered = control & UNNUMBERED == UNNUMBERED;
        let header = if unnumbered { 3 } else { 4 };
        if there < header {
            self.truncated();
            self.hex_and_ascii(at, captured)?;
            return Ok((there, true));
        }
        let (dsap, ssap) = (dsap_field & !1, ssap_field & !1);
        if self.options.link_header {
            put!(self, "LLC, dsap {} (0x{dsap:02x}) ", name(SAPS, dsap.into()).unwrap_or("Unknown"));
            self.out.push_str(if dsap_field & 1 == 0 { "Individual" } else { "Group" });
            put!(self, ", ssap {} (0x{ssap:02x}) ", name(SAPS, ssap.into()).unwrap_or("Unknown"));
            self.out.push_str(if ssap_field & 1 == 0 { "Command" } else { "Response" });
            if unnumbered {
                put!(self, ", ctrl 0x{control:02x}: ");
            } else {
                put!(self, ", ctrl 0x{:04x}: ", self.u16_le(at + 2)?);
            }
        }
        let (payload, rest, rest_captured) = (at + header, length - header, captured - header);
        if control == UNNUMBERED_INFORMATION && ssap == dsap {
            match ssap {
                SNAP => {
                    let known = self.snap(payload, rest, rest_captured, addresses)?;
                    return Ok((header + 5, known));
                }
                STP => {
                    self.stp(payload, rest)?;
                    return Ok((header, true));
                }
                IP => {
                    self.nested(|d| d.ipv4_packet(payload, rest))?;
                    return Ok((header, true));
                }
                _ => {}
            }
        }
        if !self.options.link_header {
            self.saps(ssap, dsap, addresses)?;
        }
        let known = self.control(at, unnumbered, ssap_field, length, captured)?;
        Ok((header, known))
    }

    /// Service access points where no link header was printed.
    fn saps(&mut self, ssap: u8, dsap: u8, addresses: Option<Addresses>) -> Dissected {
        let to = name(SAPS, dsap.into());
        let to = to.map_or_else(|| format!("Unknown DSAP 0x{dsap:02x}"), str::to_owned);
        let from = name(SAPS, ssap.into());
        let from = from.map_or_else(|| format!("Unknown SSAP 0x{ssap:02x}"), str::to_owned);
        match addresses {
            None if ssap == dsap => put!(self, "{to} "),
            None => put!(self, "{from} > {to} "),
            Some(addresses) => {
                let (source, destination) = (self.mac(addresses.source)?, self.mac(addresses.destination)?);
                if ssap == dsap {
                    put!(self, "{source} > {destination} {to} ");
                } else {
                    put!(self, "{source} {from} > {destination} {to} ");
                }
            }
        }
        Ok(())
    }

    /// The control field; false when a payload follows that nobody knows.
    fn control(
        &mut self,
        at: usize,
        unnumbered: bool,
        ssap_field: u8,
        length: usize,
        captured: usize,
    ) -> Dissected<bool> {
        let response = ssap_field & 1 != 0;
        let flags = |poll: bool| match (response, poll) {
            (false, false) => "Command",
            (true, false) => "Response",
            (false, true) => "Poll",
            (true, true) => "Final",
        };
        if unnumbered {
            let control = self.u8(at + 2)?;
            let command = control & !POLL;
            self.out.push_str("Unnumbered, ");
            self.token(COMMANDS, command.into(), |command| format!("{command:02x}"));
            put!(self, ", Flags [{}], length {length}", flags(control & POLL != 0));
            if command != EXCHANGE_IDENTIFICATION {
                return Ok(false);
            }
            if length == 3 {
                return Ok(true);
            }
            if captured < 4 {
                self.truncated();
                return Ok(true);
            }
            // The format identifier of basic XID.
            if self.u8(at + 3)? != 0x81 {
                return Ok(false);
            }
            if length.min(captured) < 6 {
                self.truncated();
                self.hex_and_ascii(at + 3, captured - 3)?;
            } else {
                put!(self, ": {:02x} {:02x}", self.u8(at + 4)?, self.u8(at + 5)?);
            }
            return Ok(true);
        }
        let control = self.u16_le(at + 2)?;
        let received = control >> 9;
        let flags = flags(control & 0x100 != 0);
        if control & 1 != 0 {
            let command = name(SUPERVISORY, (control >> 2 & 3).into()).unwrap_or("?");
            put!(self, "Supervisory, {command}, rcv seq {received}, Flags [{flags}], length {length}");
            return Ok(true);
        }
        let sent = control >> 1 & 0x7f;
        put!(self, "Information, send seq {sent}, rcv seq {received}, Flags [{flags}], length {length}");
        Ok(false)
    }

    /// False when the payload is unknown.
    fn snap(
        &mut self,
        at: usize,
        length: usize,
        captured: usize,
        addresses: Option<Addresses>,
    ) -> Dissected<bool> {
        self.protocol = "snap";
        if length.min(captured) < 5 || !self.has(at, 5) {
            self.truncated();
            return Ok(true);
        }
        let (vendor, protocol) = (self.u24(at)?, self.u16(at + 3)?);
        let protocols = match vendor {
            ENCAPSULATED | CISCO_BRIDGED | APPLETALK => ETHERTYPES,
            CISCO => CISCO_PROTOCOLS,
            BRIDGED => BRIDGED_PROTOCOLS,
            _ => &[],
        };
        let vendor_name = name(OUIS, vendor).unwrap_or("Unknown");
        let protocol_name = name(protocols, protocol.into()).unwrap_or("Unknown");
        let (payload, rest, rest_captured) = (at + 5, length - 5, captured - 5);
        if self.options.link_header {
            let kind = if vendor == ENCAPSULATED { "ethertype" } else { "pid" };
            put!(self, "oui {vendor_name} (0x{vendor:06x}), ");
            put!(self, "{kind} {protocol_name} (0x{protocol:04x}), length {rest}: ");
        }
        let known = match (vendor, protocol) {
            (ENCAPSULATED | CISCO_BRIDGED, _) => {
                self.payload_of_ethertype(protocol, payload, rest, rest_captured)?
            }
            (CISCO, 0x010b | 0x010c) | (BRIDGED, 0x000e) => {
                self.stp(payload, rest)?;
                true
            }
            (BRIDGED, 0x0001 | 0x0007) if rest.min(rest_captured) >= 2 => {
                self.nested(|d| d.ethernet(payload + 2, rest - 2, rest_captured - 2))?;
                true
            }
            _ => false,
        };
        if known {
            return Ok(true);
        }
        if !self.options.link_header {
            if let Some(addresses) = addresses {
                put!(self, "{} > {} ", self.mac(addresses.source)?, self.mac(addresses.destination)?);
            }
            if vendor == ENCAPSULATED {
                put!(self, "SNAP, ethertype {protocol_name} (0x{protocol:04x}), length {rest}: ");
            } else {
                put!(self, "SNAP, oui {vendor_name} (0x{vendor:06x}), ");
                put!(self, "pid {protocol_name} (0x{protocol:04x}), length {rest}: ");
            }
        }
        Ok(false)
    }
}
