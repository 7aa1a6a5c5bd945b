//! LACP: link aggregation control protocol data units (IEEE 802.1AX-2014 §6.4.2.3).

/// The slow protocols' EtherType and group address (IEEE 802.3 annex 57A).
pub const ETHERTYPE: u16 = 0x8809;
pub const GROUP: [u8; 6] = [0x01, 0x80, 0xc2, 0, 0, 2];
/// Length of a unit behind the Ethernet header.
pub const PDU_LEN: usize = 110;
/// Subtypes of slow protocols.
pub const SUBTYPE_LACP: u8 = 1;
pub const SUBTYPE_MARKER: u8 = 2;

/// Bits of a port's state.
pub mod state {
    pub const ACTIVITY: u8 = 0x01;
    pub const TIMEOUT: u8 = 0x02;
    pub const AGGREGATION: u8 = 0x04;
    pub const SYNCHRONIZATION: u8 = 0x08;
    pub const COLLECTING: u8 = 0x10;
    pub const DISTRIBUTING: u8 = 0x20;
    pub const DEFAULTED: u8 = 0x40;
    pub const EXPIRED: u8 = 0x80;
}

/// What a unit says of one of the two ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Info {
    pub system_priority: u16,
    pub system: [u8; 6],
    pub key: u16,
    pub port_priority: u16,
    pub port: u16,
    pub state: u8,
}

/// A unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lacpdu {
    pub actor: Info,
    pub partner: Info,
    /// In tens of microseconds.
    pub collector_max_delay: u16,
}

const VERSION: u8 = 1;
const TLV_ACTOR: u8 = 1;
const TLV_PARTNER: u8 = 2;
const TLV_COLLECTOR: u8 = 3;
const INFO_LEN: u8 = 20;
const COLLECTOR_LEN: u8 = 16;

impl Info {
    fn parse(bytes: &[u8]) -> Option<Info> {
        let bytes = bytes.first_chunk::<15>()?;
        let number = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        let [_, _, a, b, c, d, e, f, ..] = *bytes;
        Some(Info {
            system_priority: number(0),
            system: [a, b, c, d, e, f],
            key: number(8),
            port_priority: number(10),
            port: number(12),
            state: bytes[14],
        })
    }

    fn write(&self, bytes: &mut [u8; 15]) {
        bytes[0..2].copy_from_slice(&self.system_priority.to_be_bytes());
        bytes[2..8].copy_from_slice(&self.system);
        bytes[8..10].copy_from_slice(&self.key.to_be_bytes());
        bytes[10..12].copy_from_slice(&self.port_priority.to_be_bytes());
        bytes[12..14].copy_from_slice(&self.port.to_be_bytes());
        bytes[14] = self.state;
    }
}

impl Lacpdu {
    /// Reads a unit of the LACP subtype; as receivers do, by position and without a look at the TLVs' types.
    pub fn parse(bytes: &[u8]) -> Option<Lacpdu> {
        let bytes = bytes.first_chunk::<PDU_LEN>()?;
        if bytes[0] != SUBTYPE_LACP {
            return None;
        }
        Some(Lacpdu {
            actor: Info::parse(&bytes[4..])?,
            partner: Info::parse(&bytes[24..])?,
            collector_max_delay: u16::from_be_bytes([bytes[44], bytes[45]]),
        })
    }

    /// The unit's bytes.
    pub fn to_bytes(&self) -> [u8; PDU_LEN] {
        let mut bytes = [0; PDU_LEN];
        bytes[0..4].copy_from_slice(&[SUBTYPE_LACP, VERSION, TLV_ACTOR, INFO_LEN]);
        bytes[22..24].copy_from_slice(&[TLV_PARTNER, INFO_LEN]);
        bytes[42..44].copy_from_slice(&[TLV_COLLECTOR, COLLECTOR_LEN]);
        bytes[44..46].copy_from_slice(&self.collector_max_delay.to_be_bytes());
        for (at, info) in [(4, &self.actor), (24, &self.partner)] {
            if let Some(place) = bytes[at..].first_chunk_mut::<15>() {
                info.write(place);
            }
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_survives_the_round_trip() {
        let actor = Info {
            system_priority: 65535,
            system: [2, 0, 0, 0, 0, 1],
            key: 15,
            port_priority: 255,
            port: 1,
            state: state::ACTIVITY | state::AGGREGATION,
        };
        let pdu = Lacpdu { actor, partner: Info { port: 7, ..Info::default() }, collector_max_delay: 0 };
        let bytes = pdu.to_bytes();
        assert_eq!(Lacpdu::parse(&bytes), Some(pdu));
        assert_eq!(Lacpdu::parse(&bytes[..109]), None);
        assert_eq!(bytes[..8], [1, 1, 1, 20, 0xff, 0xff, 2, 0]);
    }
}
