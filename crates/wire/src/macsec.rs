//! The security tag of MACsec (IEEE 802.1AE-2018 9.3): what stands between the addresses of a protected frame and its
//! secure data.

/// EtherType of a protected frame.
pub const ETHERTYPE: u16 = 0x88e5;
/// Bytes of a tag without its channel identifier, the EtherType in front not counted.
pub const TAG_LEN: usize = 6;
pub const SCI_LEN: usize = 8;
/// Where the tag starts in a frame, behind the EtherType.
const TAG_AT: usize = 14;
/// Secure data of this length or more has a short length of 0 (IEEE 802.1AE-2018 9.7).
pub const MIN_NON_SHORT_LEN: usize = 48;

/// A secure channel identifier: an address and a port.
pub type Sci = [u8; SCI_LEN];

/// Bits of the first byte.
pub mod tci {
    pub const VERSION: u8 = 0x80;
    /// The source address tells the channel.
    pub const END_STATION: u8 = 0x40;
    /// The channel identifier is there.
    pub const SCI: u8 = 0x20;
    /// Single copy broadcast of a passive optical network.
    pub const SCB: u8 = 0x10;
    pub const ENCRYPTED: u8 = 0x08;
    pub const CHANGED_TEXT: u8 = 0x04;
    pub const ASSOCIATION: u8 = 0x03;
}

/// A security tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecTag {
    /// Flags and association number.
    pub tci_an: u8,
    /// Length of the secure data where that is short, and two bits that are to be 0.
    pub short_length: u8,
    pub packet_number: u32,
    pub sci: Option<Sci>,
}

impl SecTag {
    /// Bytes of a tag, with its channel identifier or without.
    pub const fn len(with_sci: bool) -> usize {
        if with_sci { TAG_LEN + SCI_LEN } else { TAG_LEN }
    }

    pub fn has(&self, bit: u8) -> bool {
        self.tci_an & bit != 0
    }

    /// Reads the tag of a whole frame. None if that is too short for it.
    pub fn of_frame(frame: &[u8]) -> Option<SecTag> {
        let tag = frame.get(TAG_AT..)?;
        let &[tci_an, short_length, a, b, c, d] = tag.first_chunk::<TAG_LEN>()?;
        let sci = match tci_an & tci::SCI {
            0 => None,
            _ => Some(*tag.get(TAG_LEN..)?.first_chunk::<SCI_LEN>()?),
        };
        Some(SecTag { tci_an, short_length, packet_number: u32::from_be_bytes([a, b, c, d]), sci })
    }

    /// Writes EtherType and tag behind the addresses of a frame, as far as it has room for them.
    pub fn write(&self, frame: &mut [u8]) {
        let Some(room) = frame.get_mut(TAG_AT - 2..) else { return };
        let [a, b, c, d] = self.packet_number.to_be_bytes();
        let [high, low] = ETHERTYPE.to_be_bytes();
        let sci = self.sci.into_iter().flatten();
        let bytes = [high, low, self.tci_an, self.short_length, a, b, c, d].into_iter().chain(sci);
        for (to, from) in room.iter_mut().zip(bytes) {
            *to = from;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_read_as_it_was_written() {
        let tags = [
            SecTag { tci_an: 0x2c, short_length: 30, packet_number: 7, sci: Some([2, 0, 0, 0, 0, 10, 0, 1]) },
            SecTag { tci_an: 0x43, short_length: 0, packet_number: u32::MAX, sci: None },
        ];
        for tag in tags {
            let mut frame = [0xee; 30];
            tag.write(&mut frame);
            assert_eq!(frame[12..14], ETHERTYPE.to_be_bytes());
            assert_eq!(SecTag::of_frame(&frame), Some(tag));
            assert_eq!(
                frame[14 + SecTag::len(tag.sci.is_some())..],
                vec![0xee; 16 - SecTag::len(tag.sci.is_some())]
            );
        }
    }

    #[test]
    fn a_tag_that_is_cut_short_is_none() {
        let mut frame = [0; 28];
        SecTag { tci_an: tci::SCI, short_length: 0, packet_number: 1, sci: Some([1; 8]) }.write(&mut frame);
        assert!(SecTag::of_frame(&frame).is_some());
        assert_eq!(SecTag::of_frame(&frame[..27]), None);
        assert_eq!(SecTag::of_frame(&[]), None);
    }
}
