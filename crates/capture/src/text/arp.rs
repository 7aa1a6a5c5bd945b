//! ARP and its relatives (RFC 826, 903, 2390).

use super::dissect::{Dissected, Dissector, name, put};
use super::ether::IPV4;
use crate::names::ETHERTYPES;

const HEADER_LEN: usize = 8;
/// `ETHERTYPE_TRAIL`, whose addresses are IPv4's.
const TRAILER: u16 = 0x1000;

const HARDWARE: &[(u32, &str)] = &[
    (1, "Ethernet"),
    (6, "TokenRing"),
    (7, "ArcNet"),
    (15, "FrameRelay"),
    (23, "Strip"),
    (24, "IEEE 1394"),
    (19, "ATM"),
    (32, "InfiniBand"),
];

const OPERATIONS: &[(u32, &str)] = &[
    (1, "Request"),
    (2, "Reply"),
    (3, "Reverse Request"),
    (4, "Reverse Reply"),
    (8, "Inverse Request"),
    (9, "Inverse Reply"),
    (10, "NACK Reply"),
];

/// Where the addresses are and how long.
struct Fields {
    protocol: u16,
    hardware_len: usize,
    protocol_len: usize,
    sender_hardware: usize,
    sender_protocol: usize,
    target_hardware: usize,
    target_protocol: usize,
}

impl Dissector<'_> {
    pub fn arp(&mut self, at: usize, length: usize, captured: usize) -> Dissected {
        self.protocol = "arp";
        self.bytes(at, HEADER_LEN)?;
        let hardware = self.u16(at)?;
        let hardware_len = usize::from(self.u8(at + 4)?);
        let protocol_len = usize::from(self.u8(at + 5)?);
        let operation = self.u16(at + 6)?;
        let sender_hardware = at + HEADER_LEN;
        let sender_protocol = sender_hardware + hardware_len;
        let target_hardware = sender_protocol + protocol_len;
        let target_protocol = target_hardware + hardware_len;
        let fields = Fields {
            protocol: self.u16(at + 2)?,
            hardware_len,
            protocol_len,
            sender_hardware,
            sender_protocol,
            target_hardware,
            target_protocol,
        };
        self.bytes(target_protocol, protocol_len)?;
        if !self.options.link_header {
            self.out.push_str("ARP, ");
        }
        let verbose = self.options.verbose > 0;
        if !fields.is_ipv4() || protocol_len != 4 || hardware_len == 0 || verbose {
            self.token(HARDWARE, u32::from(hardware), |number| format!("Unknown Hardware ({number})"));
            put!(self, " (len {hardware_len}), ");
            match name(ETHERTYPES, u32::from(fields.protocol)) {
                Some(known) => self.out.push_str(known),
                None => put!(self, "Unknown Protocol (0x{:04x})", fields.protocol),
            }
            put!(self, " (len {protocol_len})");
            if !verbose {
                put!(self, ", length {length}");
                return Ok(());
            }
            self.out.push_str(", ");
        }
        self.token(OPERATIONS, u32::from(operation), |number| format!("Unknown ({number})"));
        self.out.push(' ');
        match operation {
            1 => {
                self.out.push_str("who-has ");
                self.arp_protocol_address(&fields, target_protocol)?;
                if self.bytes(target_hardware, hardware_len)?.iter().any(|byte| *byte != 0) {
                    put!(self, " ({})", self.link_address(target_hardware, hardware_len)?);
                }
                self.out.push_str(" tell ");
                self.arp_protocol_address(&fields, sender_protocol)?;
            }
            2 => {
                self.arp_protocol_address(&fields, sender_protocol)?;
                put!(self, " is-at {}", self.link_address(sender_hardware, hardware_len)?);
            }
            3 | 8 => {
                put!(self, "who-is {}", self.link_address(target_hardware, hardware_len)?);
                put!(self, " tell {}", self.link_address(sender_hardware, hardware_len)?);
            }
            4 => {
                put!(self, "{} at ", self.link_address(fields.target_hardware, fields.hardware_len)?);
                self.arp_protocol_address(&fields, fields.target_protocol)?;
            }
            9 => {
                put!(self, "{} at ", self.link_address(fields.sender_hardware, fields.hardware_len)?);
                self.arp_protocol_address(&fields, fields.sender_protocol)?;
            }
            _ => return self.hex_and_ascii(at, captured),
        }
        put!(self, ", length {length}");
        Ok(())
    }

    fn arp_protocol_address(&mut self, fields: &Fields, at: usize) -> Dissected {
        if !fields.is_ipv4() {
            self.out.push_str("<wrong proto type>");
        } else if fields.protocol_len != 4 {
            self.out.push_str("<wrong len>");
        } else {
            put!(self, "{}", self.ipv4(at)?);
        }
        Ok(())
    }
}

impl Fields {
    fn is_ipv4(&self) -> bool {
        matches!(self.protocol, IPV4 | TRAILER)
    }
}
