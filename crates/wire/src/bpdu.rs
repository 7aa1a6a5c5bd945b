//! Bridge protocol data units of spanning tree (IEEE 802.1D-1998 9.3), with the 802.2 LLC header that carries them.

/// LLC: both service access points are spanning tree's, an unnumbered information frame.
const LLC: [u8; 3] = [0x42, 0x42, 0x03];
const TYPE_CONFIGURATION: u8 = 0x00;
const TYPE_TOPOLOGY_CHANGE: u8 = 0x80;
const FLAG_TOPOLOGY_CHANGE: u8 = 0x01;
const FLAG_ACKNOWLEDGEMENT: u8 = 0x80;

/// Length of a configuration BPDU with its LLC header.
pub const CONFIGURATION_LEN: usize = 38;
/// Length of a topology change notification with its LLC header.
pub const TOPOLOGY_CHANGE_LEN: usize = 7;

/// Times are in 1/256 s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Configuration {
    pub topology_change: bool,
    pub acknowledgement: bool,
    /// Priority in the upper 16 bits, address in the lower 48.
    pub root: u64,
    pub root_path_cost: u32,
    /// The bridge that sends, as `root`.
    pub bridge: u64,
    pub port: u16,
    pub message_age: u16,
    pub max_age: u16,
    pub hello_time: u16,
    pub forward_delay: u16,
}

/// A BPDU of version 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bpdu {
    Configuration(Configuration),
    TopologyChange,
}

impl Bpdu {
    /// Reads what follows the Ethernet header. None for what is no BPDU of version 0, or cut short.
    pub fn parse(bytes: &[u8]) -> Option<Bpdu> {
        let body = bytes.strip_prefix(&LLC)?;
        match body {
            [0, 0, 0, TYPE_TOPOLOGY_CHANGE, ..] => Some(Bpdu::TopologyChange),
            [0, 0, 0, TYPE_CONFIGURATION, rest @ ..] => Configuration::parse(rest).map(Bpdu::Configuration),
            _ => None,
        }
    }

    /// Whether what follows the Ethernet header begins as a BPDU of version 0 does, of whatever type and however short.
    pub fn begins(bytes: &[u8]) -> bool {
        bytes.strip_prefix(&LLC).is_some_and(|body| matches!(body, [0, 0, 0, _, ..]))
    }

    /// Length with the LLC header.
    pub fn len(&self) -> usize {
        match self {
            Bpdu::Configuration(_) => CONFIGURATION_LEN,
            Bpdu::TopologyChange => TOPOLOGY_CHANGE_LEN,
        }
    }

    pub fn is_empty(&self) -> bool {
        false
    }

    /// Writes it with its LLC header. False if there is too little room.
    pub fn emit(&self, bytes: &mut [u8]) -> bool {
        let Some(bytes) = bytes.get_mut(..self.len()) else { return false };
        bytes.fill(0);
        bytes[..3].copy_from_slice(&LLC);
        match self {
            Bpdu::TopologyChange => bytes[6] = TYPE_TOPOLOGY_CHANGE,
            Bpdu::Configuration(configuration) => {
                bytes[6] = TYPE_CONFIGURATION;
                configuration.emit(&mut bytes[7..]);
            }
        }
        true
    }
}

impl Configuration {
    fn parse(bytes: &[u8]) -> Option<Configuration> {
        let bytes = bytes.first_chunk::<31>()?;
        let number = |from: usize, len: usize| {
            bytes[from..from + len].iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte))
        };
        Some(Configuration {
            topology_change: bytes[0] & FLAG_TOPOLOGY_CHANGE != 0,
            acknowledgement: bytes[0] & FLAG_ACKNOWLEDGEMENT != 0,
            root: number(1, 8),
            root_path_cost: number(9, 4) as u32,
            bridge: number(13, 8),
            port: number(21, 2) as u16,
            message_age: number(23, 2) as u16,
            max_age: number(25, 2) as u16,
            hello_time: number(27, 2) as u16,
            forward_delay: number(29, 2) as u16,
        })
    }

    fn emit(&self, bytes: &mut [u8]) {
        bytes[0] = if self.topology_change { FLAG_TOPOLOGY_CHANGE } else { 0 };
        bytes[0] |= if self.acknowledgement { FLAG_ACKNOWLEDGEMENT } else { 0 };
        bytes[1..9].copy_from_slice(&self.root.to_be_bytes());
        bytes[9..13].copy_from_slice(&self.root_path_cost.to_be_bytes());
        bytes[13..21].copy_from_slice(&self.bridge.to_be_bytes());
        let rest = [self.port, self.message_age, self.max_age, self.hello_time, self.forward_delay];
        for (at, value) in rest.into_iter().enumerate() {
            bytes[21 + 2 * at..23 + 2 * at].copy_from_slice(&value.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: Configuration = Configuration {
        topology_change: true,
        acknowledgement: false,
        root: 0x8000_0200_0000_0001,
        root_path_cost: 2,
        bridge: 0x8000_0200_0000_0002,
        port: 0x8001,
        message_age: 1,
        max_age: 20 * 256,
        hello_time: 2 * 256,
        forward_delay: 15 * 256,
    };

    #[test]
    fn bpdus_survive_the_round_trip() {
        for bpdu in [Bpdu::Configuration(SAMPLE), Bpdu::TopologyChange] {
            let mut bytes = [0xff; 40];
            assert!(bpdu.emit(&mut bytes));
            assert_eq!(Bpdu::parse(&bytes), Some(bpdu));
            for cut in 0..bpdu.len() {
                assert_eq!(Bpdu::parse(&bytes[..cut]), None, "{cut}");
            }
        }
    }

    #[test]
    fn a_configuration_has_its_fields_where_the_standard_has_them() {
        let mut bytes = [0; CONFIGURATION_LEN];
        assert!(Bpdu::Configuration(SAMPLE).emit(&mut bytes));
        let expected = [
            0x42, 0x42, 0x03, 0, 0, 0, 0, 0x01, 0x80, 0x00, 0x02, 0, 0, 0, 0, 0x01, 0, 0, 0, 2, 0x80, 0x00,
            0x02, 0, 0, 0, 0, 0x02, 0x80, 0x01, 0, 1, 20, 0, 2, 0, 15, 0,
        ];
        assert_eq!(bytes, expected);
    }

    #[test]
    fn rapid_spanning_tree_is_not_understood() {
        let mut bytes = [0; CONFIGURATION_LEN];
        assert!(Bpdu::Configuration(SAMPLE).emit(&mut bytes));
        bytes[5] = 2;
        assert_eq!(Bpdu::parse(&bytes), None);
        assert!(!Bpdu::TopologyChange.emit(&mut bytes[..3]));
    }
}
