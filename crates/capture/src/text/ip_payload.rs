//! What an IP packet carries (`ip_demux_print`).

use super::dissect::{Dissected, Dissector, put};
use crate::names::protocol_name;

pub(crate) const ICMP: u8 = 1;
pub(crate) const IGMP: u8 = 2;
pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;
const DCCP: u8 = 33;
pub(crate) const GRE: u8 = 47;
pub(crate) const ICMPV6: u8 = 58;
pub(crate) const VRRP: u8 = 112;
const SCTP: u8 = 132;
const ETHERNET: u8 = 143;

/// The IP packet around a payload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Carrier {
    /// Where its header starts.
    pub header: usize,
    pub version: u8,
    pub fragmented: bool,
    /// TTL or hop limit.
    pub ttl: u8,
    /// What its header says follows: behind IPv6 extension headers not the payload's protocol.
    pub first_protocol: u8,
}

impl Dissector<'_> {
    pub fn ip_payload(&mut self, at: usize, length: usize, protocol: u8, carrier: &Carrier) -> Dissected {
        match protocol {
            TCP => self.tcp(at, length, carrier),
            UDP => self.udp(at, length, carrier),
            ICMP if carrier.version == 4 => self.icmp(at, length, carrier),
            IGMP if carrier.version == 4 => self.igmp(at, length),
            ICMPV6 if carrier.version == 6 => self.icmp6(at, length, carrier),
            ICMP => self.wrong_version("ICMP", 4),
            IGMP => self.wrong_version("IGMP", 4),
            ICMPV6 => self.wrong_version("ICMPv6", 6),
            4 => self.nested(|d| d.ipv4_packet(at, length)),
            41 => self.nested(|d| d.ipv6_packet(at, length)),
            GRE => self.gre(at, length),
            VRRP => self.vrrp(at, length, carrier),
            // Sun ND.
            77 => {
                put!(self, " nd {length}");
                Ok(())
            }
            59 => {
                self.out.push_str("no next header");
                Ok(())
            }
            ETHERNET if carrier.version == 6 => {
                let captured = self.left(at);
                self.nested(|d| d.ethernet(at, length, captured)).map(|_| ())
            }
            ETHERNET => self.wrong_version("Ethernet", 6),
            _ => {
                if matches!(protocol, DCCP | SCTP) && carrier.first_protocol == protocol {
                    self.endpoints(carrier, protocol, None)?;
                    self.out.push(' ');
                }
                match protocol_name(protocol) {
                    Some(name) if !self.options.numeric => put!(self, " {name}"),
                    _ => put!(self, " ip-proto-{protocol}"),
                }
                put!(self, " {length}");
                Ok(())
            }
        }
    }

    fn wrong_version(&mut self, protocol: &str, version: u8) -> Dissected {
        put!(self, "[{protocol} requires IPv{version}]");
        self.invalid();
        Ok(())
    }

    /// The checksum of a transport packet with its pseudo header; 0 when it is right.
    pub fn transport_checksum(
        &self,
        carrier: &Carrier,
        at: usize,
        length: usize,
        protocol: u8,
    ) -> Dissected<u16> {
        if carrier.version == 4 {
            self.checksum_over_ipv4(carrier.header, at, length, protocol)
        } else {
            self.checksum_over_ipv6(carrier.header, at, length, protocol)
        }
    }

    /// `SOURCE > DESTINATION:`, with ports if the carrier's header names this protocol.
    pub fn endpoints(
        &mut self,
        carrier: &Carrier,
        protocol: u8,
        ports: Option<(String, String)>,
    ) -> Dissected {
        let ip = carrier.header;
        let Some((source_port, destination_port)) = ports else {
            if carrier.version == 4 {
                put!(self, "{} > {}:", self.ipv4(ip + 12)?, self.ipv4(ip + 16)?);
            } else {
                put!(self, "{} > {}:", self.ipv6(ip + 8)?, self.ipv6(ip + 24)?);
            }
            return Ok(());
        };
        if carrier.first_protocol != protocol {
            put!(self, "{source_port} > {destination_port}: ");
        } else if carrier.version == 4 {
            let (source, destination) = (self.ipv4(ip + 12)?, self.ipv4(ip + 16)?);
            put!(self, "{source}.{source_port} > {destination}.{destination_port}: ");
        } else {
            let (source, destination) = (self.ipv6(ip + 8)?, self.ipv6(ip + 24)?);
            put!(self, "{source}.{source_port} > {destination}.{destination_port}: ");
        }
        Ok(())
    }
}
