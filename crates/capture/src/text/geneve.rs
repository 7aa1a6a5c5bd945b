//! geneve (RFC 8926).

use super::dissect::{Dissected, Dissector, name, put};
use crate::names::ETHERTYPES;

const HEADER_LEN: usize = 8;
const FLAGS: &[(u8, char)] = &[(0x80, 'O'), (0x40, 'C')];
/// An Ethernet frame.
const TEB: u16 = 0x6558;

impl Dissector<'_> {
    pub fn geneve(&mut self, at: usize, length: usize) -> Dissected {
        self.protocol = "geneve";
        put!(self, "Geneve");
        if length < HEADER_LEN {
            put!(self, " [length {length} < {HEADER_LEN}]");
            self.invalid();
            return Ok(());
        }
        self.bytes(at, HEADER_LEN)?;
        let (first, flags) = (self.u8(at)?, self.u8(at + 1)?);
        if first >> 6 != 0 {
            put!(self, " ERROR: unknown-version {}", first >> 6);
            return Ok(());
        }
        put!(self, ", Flags [");
        if flags == 0 {
            put!(self, "none");
        }
        for (flag, letter) in FLAGS {
            if flags & flag != 0 {
                put!(self, "{letter}");
            }
        }
        let vni = self.u32(at + 4)? >> 8;
        put!(self, "], vni 0x{vni:x}");
        let protocol = self.u16(at + 2)?;
        if self.options.link_header {
            let known = name(ETHERTYPES, u32::from(protocol)).unwrap_or("unknown");
            put!(self, ", proto {known} (0x{protocol:04x})");
        }
        let options = usize::from(first & 0x3f) * 4;
        if options > 0 {
            put!(self, ", options [{options} bytes]");
        }
        let start = at + HEADER_LEN + options;
        let rest = length.saturating_sub(HEADER_LEN + options);
        put!(self, "{}", if self.options.verbose > 0 { "\n\t" } else { ": " });
        let captured = self.left(start);
        match protocol {
            TEB => {
                self.nested(|d| d.ethernet(start, rest, captured))?;
            }
            protocol => {
                if !self.payload_of_ethertype(protocol, start, rest, captured)? {
                    put!(self, "geneve-proto-0x{protocol:x}");
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::LinkType;
    use crate::text::{Frame, NoInterfaces, Options, Printer, TimeStyle};

    /// What tcpdump 4.99.3 says of an echo request in IP in geneve, behind the time.
    #[test]
    fn the_protocol_is_told_with_the_link_header() {
        let outer = [
            [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0].as_slice(),
            &[0x45, 0, 0, 64, 0, 1, 0, 0, 64, 17, 0x66, 0xaa, 10, 0, 0, 1, 10, 0, 0, 2],
            &[0x9c, 0x40, 0x17, 0xc1, 0, 44, 0, 0],
            &[0, 0, 8, 0, 0, 0, 9, 0],
            &[0x45, 0, 0, 28, 0, 1, 0, 0, 64, 1, 0x74, 0xdb, 1, 1, 1, 1, 2, 2, 2, 2],
            &[8, 0, 0xf7, 0xff, 0, 0, 0, 0],
        ]
        .concat();
        let length = outer.len() as u32;
        let frame = Frame { time_ns: 0, length, data: &outer, link: LinkType::ETHERNET };
        let text = |link_header| {
            let options = Options { numeric: true, link_header, time: TimeStyle::None, ..Options::default() };
            Printer::new(options).print(&frame, &NoInterfaces)
        };
        let inner = "1.1.1.1 > 2.2.2.2: ICMP echo request, id 0, seq 0, length 8\n";
        assert_eq!(
            text(false),
            format!("IP 10.0.0.1.40000 > 10.0.0.2.6081: Geneve, Flags [none], vni 0x9: IP {inner}")
        );
        assert_eq!(
            text(true),
            format!(
                "02:00:00:00:00:02 > 02:00:00:00:00:01, ethertype IPv4 (0x0800), length 78: 10.0.0.1.40000 > \
                 10.0.0.2.6081: Geneve, Flags [none], vni 0x9, proto IPv4 (0x0800): {inner}"
            )
        );
    }
}
