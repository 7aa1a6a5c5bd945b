//! Generic Routing Encapsulation, version 0 (RFC 1701, 2784).

use super::dissect::{Dissected, Dissector, name, put};
use super::ether::{IPV4, IPV6};
use crate::names::ETHERTYPES;

const CHECKSUM: u16 = 0x8000;
const ROUTING: u16 = 0x4000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
const FLAGS: &[(u32, &str)] = &[
    (0x8000, "checksum present"),
    (0x4000, "routing present"),
    (0x2000, "key present"),
    (0x1000, "sequence# present"),
    (0x0800, "source routing present"),
    (0x0080, "ack present"),
];
/// `ETHERTYPE_TEB`
const ETHERNET: u16 = 0x6558;

impl Dissector<'_> {
    pub fn gre(&mut self, at: usize, length: usize) -> Dissected {
        self.protocol = "gre";
        if length.min(self.left(at)) < 2 {
            self.truncated();
            return Ok(());
        }
        let flags = self.u16(at)?;
        put!(self, "GREv{}", flags & 7);
        if flags & 7 != 0 {
            if flags & 7 != 1 {
                self.out.push_str(" ERROR: unknown-version");
            }
            return Ok(());
        }
        let verbose = self.options.verbose > 0;
        if verbose {
            self.out.push_str(", Flags [");
            self.bits(FLAGS, "none", u32::from(flags), ", ");
            self.out.push(']');
        }
        let fields = [
            (true, 2, 2),
            (flags & (CHECKSUM | ROUTING) != 0, 4, 4),
            (flags & KEY != 0, 4, 8),
            (flags & SEQUENCE != 0, 4, 12),
        ];
        let mut done = 2;
        let mut protocol = 0;
        for (present, size, which) in fields {
            if !present {
                continue;
            }
            let field = at + done;
            let there = length.min(self.left(at));
            if there < done + size {
                // The checksum comes out even where the offset is cut off.
                if which == 4 && there >= done + 2 && verbose {
                    put!(self, ", sum 0x{:x}", self.u16(field)?);
                }
                self.truncated();
                return Ok(());
            }
            match which {
                2 => protocol = self.u16(field)?,
                4 => {
                    if verbose {
                        put!(self, ", sum 0x{:x}", self.u16(field)?);
                    }
                    put!(self, ", off 0x{:x}", self.u16(field + 2)?);
                }
                8 => put!(self, ", key=0x{:x}", self.u32(field)?),
                _ => put!(self, ", seq {}", self.u32(field)?),
            }
            done += size;
        }
        if flags & ROUTING != 0 {
            // Source routes were deprecated in 2000 and are not dissected.
            self.truncated();
            return Ok(());
        }
        if self.options.link_header {
            let known = name(ETHERTYPES, u32::from(protocol)).unwrap_or("unknown");
            put!(self, ", proto {known} (0x{protocol:04x})");
        }
        put!(self, ", length {length}");
        self.out.push_str(if verbose { "\n\t" } else { ": " });
        let (payload, rest) = (at + done, length - done);
        match protocol {
            IPV4 => self.nested(|d| d.ipv4_packet(payload, rest)),
            IPV6 => self.nested(|d| d.ipv6_packet(payload, rest)),
            ETHERNET => {
                let captured = self.left(payload);
                self.nested(|d| d.ethernet(payload, rest, captured)).map(|_| ())
            }
            _ => {
                put!(self, "gre-proto-0x{protocol:x}");
                Ok(())
            }
        }
    }
}
