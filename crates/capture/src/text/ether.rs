//! Ethernet frames with their VLAN tags (IEEE 802.3, 802.1Q).

use super::dissect::{Dissected, Dissector, name, put};
use super::macsec::Secured;
use crate::names::ETHERTYPES;

const ADDRESSES_LEN: usize = 12;
/// Up to here the field behind the addresses is a length.
pub(crate) const LENGTH_MAX: u16 = 1500;

pub(crate) const IPV4: u16 = 0x0800;
pub(crate) const ARP: u16 = 0x0806;
pub(crate) const REVERSE_ARP: u16 = 0x8035;
pub(crate) const IPV6: u16 = 0x86dd;
pub(crate) const SLOW: u16 = 0x8809;
pub(crate) const LLDP: u16 = 0x88cc;
pub(crate) const MACSEC: u16 = 0x88e5;
/// Of the loopback test protocol.
pub(crate) const LOOPBACK: u16 = 0x9000;

/// Where a frame's addresses are, for the layers that print them when nobody else has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses {
    pub source: usize,
    pub destination: usize,
}

impl Dissector<'_> {
    /// Prints the frame at `at`; returns the length of its headers.
    pub fn ethernet(&mut self, at: usize, length: usize, captured: usize) -> Dissected<usize> {
        self.protocol = "ether";
        if length < captured {
            put!(self, "[length {length} < caplen {captured}]");
            self.invalid();
            return Ok(length);
        }
        if captured < ADDRESSES_LEN + 2 {
            self.truncated();
            return Ok(captured);
        }
        let addresses = Addresses { source: at + 6, destination: at };
        if self.options.link_header {
            self.addresses(addresses)?;
        }
        let mut ethertype = self.u16(at + ADDRESSES_LEN)?;
        let mut header = ADDRESSES_LEN + 2;
        let mut length_shown = false;
        let (mut length_left, mut captured_left) = (length - header, captured - header);
        if ethertype == MACSEC {
            if self.options.link_header {
                self.ethertype(ethertype);
                put!(self, ", length {length}: ");
                length_shown = true;
            }
            match self.macsec(at + header, length_left, captured_left, addresses)? {
                Secured::Encrypted { header: tag } => {
                    self.unknown_payload(at + header + tag, captured_left - tag)?;
                    return Ok(header + tag);
                }
                Secured::Broken => return Ok(captured),
                Secured::Plain { header: tag, length: inner, captured: inner_captured } => {
                    header += tag;
                    ethertype = self.u16(at + header)?;
                    if inner_captured < 2 {
                        self.invalid();
                        return Ok(header);
                    }
                    header += 2;
                    (length_left, captured_left) = (inner.saturating_sub(2), inner_captured - 2);
                }
            }
        }
        while matches!(ethertype, 0x8100 | 0x9100 | 0x9200 | 0x88a8) {
            let there = captured_left.min(length_left);
            if there < 4 {
                self.protocol = "vlan";
                self.truncated();
                return Ok(header + there);
            }
            if self.options.link_header {
                self.ethertype(ethertype);
                if length_shown {
                    self.out.push_str(", ");
                } else {
                    put!(self, ", length {length}: ");
                    length_shown = true;
                }
                let tci = self.u16(at + header)?;
                self.vlan(tci);
            }
            ethertype = self.u16(at + header + 2)?;
            header += 4;
            length_left -= 4;
            captured_left -= 4;
        }
        let (payload, rest, rest_captured) = (at + header, length_left, captured_left);
        if ethertype <= LENGTH_MAX {
            let rest = rest.min(usize::from(ethertype));
            let rest_captured = rest_captured.min(rest);
            let saved = self.end;
            self.end = saved.min(payload + rest);
            if self.options.link_header {
                self.out.push_str("802.3");
                if !length_shown {
                    put!(self, ", length {rest}: ");
                }
            }
            header += self.llc_or_dump(payload, rest, rest_captured, Some(addresses))?;
            self.end = saved;
            return Ok(header);
        }
        if self.options.link_header {
            self.ethertype(ethertype);
            if length_shown {
                self.out.push_str(", ");
            } else {
                put!(self, ", length {length}: ");
            }
        }
        if !self.payload_of_ethertype(ethertype, payload, rest, rest_captured)? {
            if !self.options.link_header {
                self.addresses(addresses)?;
                self.ethertype(ethertype);
                put!(self, ", length {length}: ");
            }
            self.unknown_payload(payload, rest_captured)?;
        }
        Ok(header)
    }

    /// Prints what an EtherType announces; false when nobody knows it (`ethertype_print`).
    pub fn payload_of_ethertype(
        &mut self,
        ethertype: u16,
        at: usize,
        length: usize,
        captured: usize,
    ) -> Dissected<bool> {
        match ethertype {
            IPV4 => self.nested(|d| d.ipv4_packet(at, length))?,
            IPV6 => self.nested(|d| d.ipv6_packet(at, length))?,
            ARP | REVERSE_ARP => self.arp(at, length, captured)?,
            SLOW => self.slow(at, length)?,
            LLDP => self.lldp(at, length)?,
            LOOPBACK => self.loopback(at, length)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// `SOURCE > DESTINATION, `
    pub fn addresses(&mut self, addresses: Addresses) -> Dissected {
        let (source, destination) = (self.mac(addresses.source)?, self.mac(addresses.destination)?);
        put!(self, "{source} > {destination}, ");
        Ok(())
    }

    pub fn ethertype(&mut self, ethertype: u16) {
        let known = name(ETHERTYPES, u32::from(ethertype));
        if self.options.quiet {
            match known {
                Some(known) => self.out.push_str(known),
                None => put!(self, "Unknown Ethertype (0x{ethertype:04x})"),
            }
        } else {
            put!(self, "ethertype {} (0x{ethertype:04x})", known.unwrap_or("Unknown"));
        }
    }

    /// `vlan 5, p 0, `
    pub fn vlan(&mut self, tci: u16) {
        let drop_eligible = if tci & 0x1000 != 0 { ", DEI" } else { "" };
        put!(self, "vlan {}, p {}{drop_eligible}, ", tci & 0xfff, tci >> 13);
    }
}
