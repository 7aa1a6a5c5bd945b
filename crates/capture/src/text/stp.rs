//! Spanning tree (IEEE 802.1D, 802.1w, 802.1s).

use super::dissect::{Dissected, Dissector, hex_colon, name, put};

const VERSIONS: &[(u32, &str)] = &[(0, "802.1d"), (2, "802.1w"), (3, "802.1s"), (4, "802.1aq")];
const TYPES: &[(u32, &str)] = &[(0x00, "Config"), (0x02, "Rapid STP"), (0x80, "Topology Change")];
const FLAGS: &[(u32, &str)] = &[
    (0x01, "Topology change"),
    (0x02, "Proposal"),
    (0x10, "Learn"),
    (0x20, "Forward"),
    (0x40, "Agreement"),
    (0x80, "Topology change ACK"),
];
const ROLES: &[(u32, &str)] = &[(0, "Unknown"), (1, "Alternate"), (2, "Root"), (3, "Designated")];

const RAPID: u8 = 2;
const MULTIPLE: u8 = 3;
const SHORTEST_PATH: u8 = 4;
const CONFIG_LEN: usize = 35;
const RAPID_LEN: usize = 36;
const MULTIPLE_LEN_MIN: usize = 102;
const INSTANCE_LEN: usize = 16;
/// What the version 3 length counts before the instances.
const MULTIPLE_CONFIG_LEN: usize = 64;

impl Dissector<'_> {
    pub fn stp(&mut self, at: usize, length: usize) -> Dissected {
        self.protocol = "stp";
        if length < 4 {
            self.invalid();
            return Ok(());
        }
        if self.u16(at)? != 0 {
            put!(self, "unknown STP version, length {length}");
            return Ok(());
        }
        let version = self.u8(at + 2)?;
        self.out.push_str("STP ");
        self.token(VERSIONS, version.into(), |number| format!("Unknown STP protocol (0x{number:02x})"));
        if name(VERSIONS, version.into()).is_none() {
            return Ok(());
        }
        let kind = self.u8(at + 3)?;
        self.out.push_str(", ");
        self.token(TYPES, kind.into(), |number| format!("Unknown BPDU Type (0x{number:02x})"));
        match (kind, version) {
            (0x00, _) if length < CONFIG_LEN => self.invalid(),
            (0x00, _) => self.stp_config(at, length, version)?,
            (0x02, RAPID) if length < RAPID_LEN => self.invalid(),
            (0x02, RAPID) => self.stp_config(at, length, version)?,
            (0x02, MULTIPLE | SHORTEST_PATH) => {
                if length < MULTIPLE_LEN_MIN
                    || self.u8(at + 35)? != 0
                    || length < RAPID_LEN + 2 + usize::from(self.u16(at + 36)?)
                {
                    self.invalid();
                } else {
                    self.stp_multiple(at, length)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn stp_config(&mut self, at: usize, length: usize, version: u8) -> Dissected {
        let flags = self.u8(at + 4)?;
        self.out.push_str(", Flags [");
        self.bits(FLAGS, "none", flags.into(), ", ");
        self.out.push(']');
        put!(self, ", bridge-id {}.{:04x}, length {length}", self.bridge_id(at + 17)?, self.u16(at + 25)?);
        if self.options.verbose == 0 {
            return Ok(());
        }
        self.stp_times(at)?;
        put!(self, "\n\troot-id {}, root-pathcost {}", self.bridge_id(at + 5)?, self.u32(at + 13)?);
        if version == RAPID {
            put!(self, ", port-role {}", role(flags));
        }
        Ok(())
    }

    fn stp_multiple(&mut self, at: usize, length: usize) -> Dissected {
        let flags = self.u8(at + 4)?;
        self.out.push_str(", CIST Flags [");
        self.bits(FLAGS, "none", flags.into(), ", ");
        put!(self, "], length {length}");
        if self.options.verbose == 0 {
            return Ok(());
        }
        put!(self, "\n\tport-role {}, ", role(flags));
        put!(self, "CIST root-id {}, CIST ext-pathcost {}", self.bridge_id(at + 5)?, self.u32(at + 13)?);
        put!(self, "\n\tCIST regional-root-id {}, ", self.bridge_id(at + 17)?);
        put!(self, "CIST port-id {:04x},", self.u16(at + 25)?);
        self.stp_times(at)?;
        let version_3_len = usize::from(self.u16(at + 36)?);
        put!(self, "\n\tv3len {version_3_len}, MCID Name ");
        self.padded_characters(at + 39, 32)?;
        self.bytes(at + 71, 18)?;
        put!(self, ", rev {},\n\t\tdigest ", self.u16(at + 71)?);
        self.plain_hex(at + 73, 16)?;
        self.out.push_str(", ");
        put!(self, "CIST int-root-pathcost {},", self.u32(at + 89)?);
        put!(self, "\n\tCIST bridge-id {}, ", self.bridge_id(at + 93)?);
        put!(self, "CIST remaining-hops {}", self.u8(at + 101)?);
        let instances = version_3_len.saturating_sub(MULTIPLE_CONFIG_LEN) / INSTANCE_LEN;
        for instance in (0..instances).map(|index| at + MULTIPLE_LEN_MIN + index * INSTANCE_LEN) {
            let flags = self.u8(instance)?;
            put!(self, "\n\tMSTI {}, Flags [", self.u16(instance + 1)? & 0xfff);
            self.bits(FLAGS, "none", flags.into(), ", ");
            put!(self, "], port-role {}", role(flags));
            let (root, cost) = (self.bridge_id(instance + 1)?, self.u32(instance + 9)?);
            put!(self, "\n\t\tMSTI regional-root-id {root}, pathcost {cost}");
            let (bridge, port) = (self.u8(instance + 13)? >> 4, self.u8(instance + 14)? >> 4);
            let hops = self.u8(instance + 15)?;
            put!(self, "\n\t\tMSTI bridge-prio {bridge}, port-prio {port}, hops {hops}");
        }
        Ok(())
    }

    fn stp_times(&mut self, at: usize) -> Dissected {
        self.bytes(at + 27, 8)?;
        let names = ["\n\tmessage-age ", ", max-age ", ", hello-time ", ", forwarding-delay "];
        for (index, name) in names.into_iter().enumerate() {
            // 256ths of a second.
            let time = f32::from(self.u16(at + 27 + index * 2)?) / 256.0;
            put!(self, "{name}{time:.2}s");
        }
        Ok(())
    }

    fn bridge_id(&self, at: usize) -> Dissected<String> {
        let (priority, address) = (self.u16(at)?, self.bytes(at + 2, 6)?);
        Ok(format!("{priority:04x}.{}", hex_colon(address)))
    }
}

fn role(flags: u8) -> &'static str {
    name(ROLES, (flags >> 2 & 3).into()).unwrap_or("Unknown")
}
