//! UDP (RFC 768).

use super::dissect::{Dissected, Dissector, checksum_should_be, put};
use super::ip_payload::{Carrier, UDP};

const HEADER_LEN: usize = 8;

const DNS: u16 = 53;
const DHCP_SERVER: u16 = 67;
const DHCP_CLIENT: u16 = 68;
const VXLAN: u16 = 4789;
const MDNS: u16 = 5353;
const GENEVE: u16 = 6081;
const OTV: u16 = 8472;

impl Dissector<'_> {
    pub fn udp(&mut self, at: usize, length: usize, carrier: &Carrier) -> Dissected {
        self.protocol = "udp";
        if !self.has(at + 2, 2) {
            self.udp_addresses(carrier, None)?;
            self.truncated();
            return Ok(());
        }
        let (source, destination) = (self.u16(at)?, self.u16(at + 2)?);
        self.udp_addresses(carrier, Some((self.udp_port(source), self.udp_port(destination))))?;
        if length < HEADER_LEN {
            put!(self, "truncated-udp {length}");
            return Ok(());
        }
        if !self.has(at + 4, 2) {
            self.truncated();
            return Ok(());
        }
        let mut claimed = usize::from(self.u16(at + 4)?);
        if claimed == 0 && length > 65_535 {
            claimed = length;
        }
        if claimed < HEADER_LEN {
            put!(self, "truncated-udplength {claimed}");
            return Ok(());
        }
        let claimed = claimed - HEADER_LEN;
        let length = (length - HEADER_LEN).min(claimed);
        let payload = at + HEADER_LEN;
        if payload > self.end {
            self.truncated();
            return Ok(());
        }
        self.udp_checksum(at, length, carrier)?;
        if self.options.quiet {
            self.udp_length(claimed, length, carrier);
            return Ok(());
        }
        let either = |port: u16| source == port || destination == port;
        if either(DNS) {
            self.dns(payload, length, false)
        } else if either(MDNS) {
            self.dns(payload, length, true)
        } else if either(DHCP_SERVER) || either(DHCP_CLIENT) {
            self.dhcp(payload, length)
        } else if either(OTV) {
            self.otv(payload, length)
        } else if either(VXLAN) {
            self.vxlan(payload, length)
        } else if either(GENEVE) {
            self.geneve(payload, length)
        } else {
            self.udp_length(claimed, length, carrier);
            Ok(())
        }
    }

    fn udp_addresses(&mut self, carrier: &Carrier, ports: Option<(String, String)>) -> Dissected {
        if ports.is_some() {
            return self.endpoints(carrier, UDP, ports);
        }
        if carrier.first_protocol == UDP {
            self.endpoints(carrier, UDP, None)?;
            self.out.push(' ');
        }
        Ok(())
    }

    fn udp_checksum(&mut self, at: usize, payload_len: usize, carrier: &Carrier) -> Dissected {
        // Over IPv4 it may be missing, and only -vv asks for it.
        let wanted = self.options.verbose > usize::from(carrier.version == 4) as u32;
        if !wanted || self.options.skip_checksums || carrier.fragmented {
            return Ok(());
        }
        if carrier.version == 6 && !self.has(at + 6, 2) {
            return Ok(());
        }
        let field = self.u16(at + 6)?;
        if carrier.version == 4 && field == 0 {
            self.out.push_str("[no cksum] ");
        } else if self.has(at + HEADER_LEN, payload_len) {
            let sum = self.transport_checksum(carrier, at, HEADER_LEN + payload_len, UDP)?;
            if sum != 0 {
                let right = checksum_should_be(field, sum);
                put!(self, "[bad udp cksum 0x{field:04x} -> 0x{right:04x}!] ");
            } else {
                self.out.push_str("[udp sum ok] ");
            }
        }
        Ok(())
    }

    fn udp_length(&mut self, claimed: usize, length: usize, carrier: &Carrier) {
        if claimed > length && !carrier.fragmented {
            put!(self, "UDP, bad length {claimed} > {length}");
        } else {
            put!(self, "UDP, length {claimed}");
        }
    }
}
