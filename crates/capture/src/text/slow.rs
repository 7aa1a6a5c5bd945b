//! Slow protocols: LACP and its marker protocol (IEEE 802.1AX), OAM by name only.

use super::dissect::{Dissected, Dissector, name, put};

const LACP: u8 = 1;
const MARKER: u8 = 2;
const OAM: u8 = 3;

/// Subtype and TLV type.
const TLVS: &[(u32, &str)] = &[
    (0x100, "Terminator"),
    (0x101, "Actor Information"),
    (0x102, "Partner Information"),
    (0x103, "Collector Information"),
    (0x200, "Terminator"),
    (0x201, "Marker Information"),
];
const STATES: &[(u32, &str)] = &[
    (0x01, "Activity"),
    (0x02, "Timeout"),
    (0x04, "Aggregation"),
    (0x08, "Synchronization"),
    (0x10, "Collecting"),
    (0x20, "Distributing"),
    (0x40, "Default"),
    (0x80, "Expired"),
];

impl Dissector<'_> {
    pub fn slow(&mut self, at: usize, length: usize) -> Dissected {
        self.protocol = "slow";
        let too_short =
            if self.options.verbose == 0 { " (packet is too short)" } else { "\n\t\t packet is too short" };
        if length < 1 {
            self.out.push_str(too_short);
            return Ok(());
        }
        let subtype = self.u8(at)?;
        match subtype {
            LACP | MARKER => {
                let protocol = if subtype == LACP { "LACP" } else { "MARKER" };
                if length < 2 {
                    self.out.push_str(too_short);
                    return Ok(());
                }
                let version = self.u8(at + 1)?;
                if version != 1 {
                    put!(self, "{protocol} version {version} packet not supported");
                    return Ok(());
                }
                put!(self, "{protocol}v{version}, length {length}");
                if self.options.verbose > 0 {
                    self.lacp_tlvs(at + 2, length - 2, subtype)?;
                }
            }
            OAM => put!(self, "OAM, length {length}"),
            _ => {
                put!(self, "unknown ({subtype}), length {length}");
                self.unknown_data("\n\t", at, length)?;
            }
        }
        Ok(())
    }

    fn lacp_tlvs(&mut self, at: usize, length: usize, subtype: u8) -> Dissected {
        let mut done = 0;
        while done < length {
            let (tlv, left) = (at + done, length - done);
            if left < 2 {
                self.out.push_str("\n\t\t packet is too short");
                return Ok(());
            }
            let (kind, tlv_len) = (self.u8(tlv)?, usize::from(self.u8(tlv + 1)?));
            let key = u32::from(subtype) << 8 | u32::from(kind);
            let known = name(TLVS, key).unwrap_or("Unknown");
            put!(self, "\n\t{known} TLV (0x{kind:02x}), length {tlv_len}");
            if kind == 0 {
                return Ok(());
            }
            if tlv_len < 2 {
                self.out.push_str("\n\t    ERROR: illegal length - should be >= 2");
                return Ok(());
            }
            if left < tlv_len {
                self.out.push_str("\n\t\t packet is too short");
                return Ok(());
            }
            self.bytes(tlv, tlv_len)?;
            self.lacp_tlv(tlv + 2, tlv_len, key)?;
            if self.options.verbose > 1 {
                self.unknown_data("\n\t  ", tlv + 2, tlv_len - 2)?;
            }
            done += tlv_len;
        }
        Ok(())
    }

    fn lacp_tlv(&mut self, at: usize, tlv_len: usize, key: u32) -> Dissected {
        let right = match key {
            0x101 | 0x102 => 20,
            0x103 | 0x201 => 16,
            _ => {
                if self.options.verbose <= 1 {
                    self.unknown_data("\n\t  ", at, tlv_len - 2)?;
                }
                return Ok(());
            }
        };
        if tlv_len != right {
            put!(self, "\n\t    ERROR: illegal length - should be {right}");
            return Ok(());
        }
        match key {
            0x103 => put!(self, "\n\t  Max Delay {}", self.u16(at)?),
            0x201 => {
                let (port, system) = (self.u16(at)?, self.mac(at + 2)?);
                put!(self, "\n\t  Request System {system}, Request Port {port}");
                put!(self, ", Request Transaction ID 0x{:08x}", self.u32(at + 8)?);
            }
            _ => {
                let (priority, system, key) = (self.u16(at)?, self.mac(at + 2)?, self.u16(at + 8)?);
                let (port_priority, port) = (self.u16(at + 10)?, self.u16(at + 12)?);
                put!(self, "\n\t  System {system}, System Priority {priority}, Key {key}");
                put!(self, ", Port {port}, Port Priority {port_priority}\n\t  State Flags [");
                let state = self.u8(at + 14)?;
                self.bits(STATES, "none", state.into(), ", ");
                self.out.push(']');
            }
        }
        Ok(())
    }
}
