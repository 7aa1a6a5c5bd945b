//! 802.1Q and 802.1ad tags (IEEE 802.1Q-2018 §9).

/// Tag protocol identifier of 802.1Q ("C-tag").
pub const TPID_8021Q: u16 = 0x8100;
/// Tag protocol identifier of 802.1ad ("S-tag").
pub const TPID_8021AD: u16 = 0x88a8;
/// Bytes that a tag adds to a frame.
pub const TAG_LEN: usize = 4;
/// Largest VLAN id that a device may have; 4095 is reserved.
pub const VID_MAX: u16 = 4094;

/// One VLAN tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tag {
    pub tpid: u16,
    /// Priority (3 bits), drop eligibility (1 bit), VLAN id (12 bits).
    pub tci: u16,
}

impl Tag {
    pub fn vid(self) -> u16 {
        self.tci & 0x0fff
    }

    /// Priority code point, 0 to 7.
    pub fn priority(self) -> u8 {
        (self.tci >> 13) as u8
    }

    /// Drop eligible indicator.
    pub fn drop_eligible(self) -> bool {
        self.tci & 0x1000 != 0
    }

    /// Whether an EtherType announces a tag.
    pub fn is_tpid(ethertype: u16) -> bool {
        matches!(ethertype, TPID_8021Q | TPID_8021AD)
    }

    /// The outermost tag of an Ethernet frame.
    pub fn of_frame(frame: &[u8]) -> Option<Tag> {
        let header = frame.get(12..16)?;
        let tpid = u16::from_be_bytes([header[0], header[1]]);
        Tag::is_tpid(tpid).then(|| Tag { tpid, tci: u16::from_be_bytes([header[2], header[3]]) })
    }

    pub fn to_bytes(self) -> [u8; TAG_LEN] {
        let ([a, b], [c, d]) = (self.tpid.to_be_bytes(), self.tci.to_be_bytes());
        [a, b, c, d]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_a_tag() {
        let mut frame = vec![0; 12];
        frame.extend([0x81, 0x00, 0xb0, 0x05, 0x08, 0x00]);
        let tag = Tag::of_frame(&frame).expect("a tagged frame");
        assert_eq!((tag.vid(), tag.priority(), tag.drop_eligible()), (5, 5, true));
        assert_eq!(tag.to_bytes(), [0x81, 0x00, 0xb0, 0x05]);
        assert_eq!(Tag::of_frame(&frame[..15]), None);
    }
}
