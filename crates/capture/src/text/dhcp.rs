//! BOOTP and DHCP (RFC 951, 2131).

use super::dissect::{Dissected, Dissector, put};

const SERVER_NAME_AT: usize = 44;
const SERVER_NAME_LEN: usize = 64;
const FILE_AT: usize = 108;
const FILE_LEN: usize = 128;

impl Dissector<'_> {
    pub fn dhcp(&mut self, at: usize, length: usize) -> Dissected {
        self.protocol = "bootp";
        let operation = self.u8(at)?;
        match operation {
            1 => self.out.push_str("BOOTP/DHCP, Request"),
            2 => self.out.push_str("BOOTP/DHCP, Reply"),
            _ => put!(self, "BOOTP/DHCP, unknown (0x{operation:02x})"),
        }
        let (hardware, hardware_len) = (self.u8(at + 1)?, self.u8(at + 2)?);
        let ethernet = hardware == 1 && hardware_len == 6;
        if ethernet && operation == 1 {
            put!(self, " from {}", self.mac(at + 28)?);
        }
        put!(self, ", length {length}");
        if self.options.verbose == 0 {
            return Ok(());
        }
        if !self.has(at + 8, 2) {
            self.truncated();
            return Ok(());
        }
        if hardware != 1 {
            put!(self, ", htype {hardware}");
        }
        if !ethernet {
            put!(self, ", hlen {hardware_len}");
        }
        for (label, value) in [
            ("hops ", u32::from(self.u8(at + 3)?)),
            ("xid 0x", self.u32(at + 4)?),
            ("secs ", u32::from(self.u16(at + 8)?)),
        ] {
            match value {
                0 => {}
                value if label == "xid 0x" => put!(self, ", {label}{value:x}"),
                value => put!(self, ", {label}{value}"),
            }
        }
        let flags = self.u16(at + 10)?;
        put!(self, ", Flags [{}]", if flags & 0x8000 != 0 { "Broadcast" } else { "none" });
        if self.options.verbose > 1 {
            put!(self, " (0x{flags:04x})");
        }
        for (label, field) in [("Client-IP", 12), ("Your-IP", 16), ("Server-IP", 20), ("Gateway-IP", 24)] {
            if self.u32(at + field)? != 0 {
                put!(self, "\n\t  {label} {}", self.ipv4(at + field)?);
            }
        }
        if ethernet {
            put!(self, "\n\t  Client-Ethernet-Address {}", self.mac(at + 28)?);
        }
        for (label, field, field_len) in
            [("sname", SERVER_NAME_AT, SERVER_NAME_LEN), ("file", FILE_AT, FILE_LEN)]
        {
            if self.u8(at + field)? == 0 {
                continue;
            }
            put!(self, "\n\t  {label} \"");
            let terminated = self.terminated_characters(at + field, field_len);
            self.out.push('"');
            if !terminated {
                self.truncated();
                return Ok(());
            }
        }
        self.dhcp_options(at + 236)
    }

    /// False where no zero byte ends the text (`nd_printztn`).
    fn terminated_characters(&mut self, at: usize, length: usize) -> bool {
        for index in 0..length {
            match self.u8(at + index) {
                Ok(0) => return true,
                Ok(byte) => self.character(byte),
                Err(_) => return false,
            }
        }
        false
    }
}
