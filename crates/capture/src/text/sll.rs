//! Linux cooked captures: `LINUX_SLL2` (of `-i any`) and its predecessor `LINUX_SLL`.

use super::dissect::{Dissected, Dissector, name, put};
use super::ether::LENGTH_MAX;
use crate::names::ETHERTYPES;

/// Names of devices by index, for cooked captures.
pub trait Interfaces {
    /// The name of device `index`, if there is such a device.
    fn name(&self, index: u32) -> Option<&str>;
}

/// Knows no device: every name is `?`.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoInterfaces;

impl Interfaces for NoInterfaces {
    fn name(&self, _index: u32) -> Option<&str> {
        None
    }
}

const SLL_LEN: usize = 16;
const SLL2_LEN: usize = 20;
/// `ETH_P_802_3` and `ETH_P_802_2`, in place of an EtherType.
const RAW_802_3: u16 = 1;
const LLC_802_2: u16 = 4;

const PACKET_TYPES: &[(u32, &str)] = &[(0, "In"), (1, "B"), (2, "M"), (3, "P"), (4, "Out")];

/// What the cooked header holds besides.
struct Cooked {
    packet_type: u32,
    address: usize,
    address_len: u32,
    ethertype: u16,
    /// Of version 2.
    ifindex: Option<u32>,
}

impl Dissector<'_> {
    /// Prints the packet; returns the length of its headers.
    pub fn sll2(&mut self, length: usize, interfaces: &dyn Interfaces) -> Dissected<usize> {
        self.protocol = "sll2";
        self.bytes(0, SLL2_LEN)?;
        let cooked = Cooked {
            packet_type: u32::from(self.u8(10)?),
            address: 12,
            address_len: u32::from(self.u8(11)?),
            ethertype: self.u16(0)?,
            ifindex: Some(self.u32(4)?),
        };
        let device = cooked.ifindex.and_then(|index| interfaces.name(index)).unwrap_or("?");
        let packet_type = name(PACKET_TYPES, cooked.packet_type).unwrap_or("?");
        put!(self, "{device:<5} {packet_type:<3} ");
        self.cooked(&cooked, SLL2_LEN, length)
    }

    /// Prints the packet; returns the length of its headers.
    pub fn sll(&mut self, length: usize) -> Dissected<usize> {
        self.protocol = "sll";
        self.bytes(0, SLL_LEN)?;
        let cooked = Cooked {
            packet_type: u32::from(self.u16(0)?),
            address: 6,
            address_len: u32::from(self.u16(4)?),
            ethertype: self.u16(14)?,
            ifindex: None,
        };
        self.cooked(&cooked, SLL_LEN, length)
    }

    fn cooked(&mut self, cooked: &Cooked, header_len: usize, length: usize) -> Dissected<usize> {
        if self.options.link_header {
            self.cooked_header(cooked, length)?;
        }
        let mut header = header_len;
        let mut ethertype = cooked.ethertype;
        loop {
            let rest = length.saturating_sub(header);
            let captured = self.left(header);
            if ethertype <= LENGTH_MAX {
                if ethertype == LLC_802_2 {
                    let (llc, known) = self.nested(|d| d.llc(header, rest, captured, None))?;
                    if known {
                        header += llc;
                    } else {
                        self.unknown_payload(header, captured)?;
                    }
                } else {
                    self.unknown_payload(header, captured)?;
                }
                return Ok(header);
            }
            if ethertype != 0x8100 {
                if !self.payload_of_ethertype(ethertype, header, rest, captured)? {
                    if !self.options.link_header {
                        self.cooked_header(cooked, rest + header_len)?;
                    }
                    self.unknown_payload(header, captured)?;
                }
                return Ok(header);
            }
            if captured < 4 {
                self.protocol = "vlan";
                self.truncated();
                return Ok(header + captured);
            }
            if self.options.link_header {
                let tci = self.u16(header)?;
                self.vlan(tci);
            }
            ethertype = match self.u16(header + 2)? {
                length if length <= LENGTH_MAX => LLC_802_2,
                ethertype => ethertype,
            };
            if !self.options.quiet {
                let known = name(ETHERTYPES, u32::from(ethertype)).unwrap_or("Unknown");
                put!(self, "ethertype {known}, ");
            }
            header += 4;
        }
    }

    fn cooked_header(&mut self, cooked: &Cooked, length: usize) -> Dissected {
        match cooked.ifindex {
            Some(index) => {
                self.protocol = "sll2";
                put!(self, "ifindex {index} ");
            }
            None => {
                self.protocol = "sll";
                put!(self, "{:>3} ", name(PACKET_TYPES, cooked.packet_type).unwrap_or("?"));
            }
        }
        if cooked.address_len == 6 {
            put!(self, "{} ", self.mac(cooked.address)?);
        }
        if self.options.quiet {
            return Ok(());
        }
        match cooked.ethertype {
            RAW_802_3 => self.out.push_str("802.3"),
            LLC_802_2 => self.out.push_str("802.2"),
            ethertype if ethertype <= LENGTH_MAX => put!(self, "ethertype Unknown (0x{ethertype:04x})"),
            ethertype => self.ethertype(ethertype),
        }
        put!(self, ", length {length}: ");
        Ok(())
    }
}
