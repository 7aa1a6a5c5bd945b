//! LLDP (IEEE 802.1AB). TLVs of organizations are shown in hex.

use super::dissect::{Dissected, Dissector, name, put};
use crate::names::OUIS;

const TLVS: &[(u32, &str)] = &[
    (0, "End"),
    (1, "Chassis ID"),
    (2, "Port ID"),
    (3, "Time to Live"),
    (4, "Port Description"),
    (5, "System Name"),
    (6, "System Description"),
    (7, "System Capabilities"),
    (8, "Management Address"),
    (127, "Organization specific"),
];
const CHASSIS_ID: u16 = 1;
const CHASSIS_SUBTYPES: &[(u32, &str)] = &[
    (1, "Chassis component"),
    (2, "Interface alias"),
    (3, "Port component"),
    (4, "MAC address"),
    (5, "Network address"),
    (6, "Interface name"),
    (7, "Local"),
];
const PORT_SUBTYPES: &[(u32, &str)] = &[
    (1, "Interface alias"),
    (2, "Port component"),
    (3, "MAC address"),
    (4, "Network Address"),
    (5, "Interface Name"),
    (6, "Agent circuit ID"),
    (7, "Local"),
];
const CAPABILITIES: &[(u32, &str)] = &[
    (0x01, "Other"),
    (0x02, "Repeater"),
    (0x04, "Bridge"),
    (0x08, "WLAN AP"),
    (0x10, "Router"),
    (0x20, "Telephone"),
    (0x40, "Docsis"),
    (0x80, "Station Only"),
];
const NUMBERINGS: &[(u32, &str)] = &[(2, "Interface Index"), (3, "System Port Number")];

/// How a TLV ended.
enum Shown {
    Yes,
    /// Not understood: in hex.
    No,
    Truncated,
}

impl Dissector<'_> {
    pub fn lldp(&mut self, at: usize, length: usize) -> Dissected {
        self.protocol = "lldp";
        put!(self, "LLDP, length {length}");
        let verbose = self.options.verbose;
        let mut done = 0;
        while length - done >= 2 {
            if !self.has(at + done, 2) {
                self.truncated();
                return Ok(());
            }
            let head = self.u16(at + done)?;
            let (kind, tlv_len) = (head >> 9, usize::from(head & 0x1ff));
            done += 2;
            if verbose > 0 {
                let known = name(TLVS, kind.into()).unwrap_or("Unknown");
                put!(self, "\n\t{known} TLV ({kind}), length {tlv_len}");
            }
            if kind == 0 || tlv_len == 0 {
                break;
            }
            let value = at + done;
            if !self.has(value, tlv_len) || length - done < tlv_len {
                self.truncated();
                return Ok(());
            }
            let shown = self.lldp_tlv(value, tlv_len, kind)?;
            if matches!(shown, Shown::Truncated) {
                self.truncated();
                return Ok(());
            }
            if verbose > 1 || (verbose > 0 && matches!(shown, Shown::No)) {
                self.unknown_data("\n\t  ", value, tlv_len)?;
            }
            done += tlv_len;
        }
        Ok(())
    }

    fn lldp_tlv(&mut self, at: usize, length: usize, kind: u16) -> Dissected<Shown> {
        if kind == 5 {
            self.out.push_str(": ");
            self.padded_characters(at, length)?;
            return Ok(Shown::Yes);
        }
        if self.options.verbose == 0 {
            return Ok(Shown::Yes);
        }
        match kind {
            1 | 2 => return self.lldp_id(at, length, kind),
            3 if length < 2 => return Ok(Shown::Truncated),
            3 => put!(self, ": TTL {}s", self.u16(at)?),
            4 | 6 => {
                self.out.push_str(if kind == 4 { ": " } else { "\n\t  " });
                self.padded_characters(at, length)?;
            }
            7 if length < 4 => return Ok(Shown::Truncated),
            7 => {
                for (label, field) in [("System ", at), ("Enabled", at + 2)] {
                    let capabilities = self.u16(field)?;
                    put!(self, "\n\t  {label} Capabilities [");
                    self.bits(CAPABILITIES, "none", capabilities.into(), ", ");
                    put!(self, "] (0x{capabilities:04x})");
                }
            }
            8 => return self.lldp_management_address(at, length),
            127 if length < 3 => return Ok(Shown::Truncated),
            127 => {
                let vendor = self.u24(at)?;
                put!(self, ": OUI {} (0x{vendor:06x})", name(OUIS, vendor).unwrap_or("Unknown"));
                return Ok(Shown::No);
            }
            _ => return Ok(Shown::No),
        }
        Ok(Shown::Yes)
    }

    /// Of the chassis or the port, whose subtypes are numbered differently.
    fn lldp_id(&mut self, at: usize, length: usize, kind: u16) -> Dissected<Shown> {
        if length < 2 {
            return Ok(Shown::Truncated);
        }
        let (subtypes, mac, network) =
            if kind == CHASSIS_ID { (CHASSIS_SUBTYPES, 4, 5) } else { (PORT_SUBTYPES, 3, 4) };
        let subtype = self.u8(at)?;
        let known = name(subtypes, subtype.into());
        put!(self, "\n\t  Subtype {} ({subtype}): ", known.unwrap_or("Unknown"));
        if known.is_none() {
            return Ok(Shown::No);
        }
        if subtype == mac {
            if length < 7 {
                return Ok(Shown::Truncated);
            }
            put!(self, "{}", self.mac(at + 1)?);
        } else if subtype == network {
            match self.lldp_address(at + 1, length - 1)? {
                Some(address) => self.out.push_str(&address),
                None => return Ok(Shown::Truncated),
            }
        } else {
            self.padded_characters(at + 1, length - 1)?;
        }
        Ok(Shown::Yes)
    }

    fn lldp_address(&self, at: usize, length: usize) -> Dissected<Option<String>> {
        if length < 1 {
            return Ok(None);
        }
        let family = self.u8(at)?;
        let left = length - 1;
        Ok(match family {
            1 if left >= 4 => Some(format!("AFI IPv4 (1): {}", self.ipv4(at + 1)?)),
            2 if left >= 16 => Some(format!("AFI IPv6 (2): {}", self.ipv6(at + 1)?)),
            6 if left >= 6 => Some(format!("AFI 802 (6): {}", self.mac(at + 1)?)),
            1 | 2 | 6 => None,
            _ => Some(format!("AFI Unknown ({family}), no AF printer !")),
        })
    }

    fn lldp_management_address(&mut self, at: usize, length: usize) -> Dissected<Shown> {
        let address_len = usize::from(self.u8(at)?);
        let mut left = length - 1;
        if left < address_len {
            return Ok(Shown::Truncated);
        }
        let Some(address) = self.lldp_address(at + 1, address_len)? else { return Ok(Shown::Truncated) };
        put!(self, "\n\t  Management Address length {address_len}, {address}");
        let numbering_at = at + 1 + address_len;
        left -= address_len;
        if left < 5 {
            return Ok(Shown::Truncated);
        }
        let subtype = self.u8(numbering_at)?;
        let known = name(NUMBERINGS, subtype.into()).unwrap_or("Unknown");
        put!(self, "\n\t  {known} Interface Numbering ({subtype}): {}", self.u32(numbering_at + 1)?);
        left -= 5;
        if left > 0 {
            let id_at = numbering_at + 5;
            let id_len = usize::from(self.u8(id_at)?);
            if left < 1 + id_len {
                return Ok(Shown::Truncated);
            }
            if id_len > 0 {
                put!(self, "\n\t  OID length {id_len}");
                self.padded_characters(id_at + 1, id_len)?;
            }
        }
        Ok(Shown::Yes)
    }
}
