//! A TCP segment: header and options (RFC 9293 §3.1, RFC 7323, RFC 2018), in the order in which Linux writes options.

use super::seq::Seq;

/// Length of a header without options.
pub const HEADER_LEN: usize = 20;
/// Where the checksum stands in a header.
pub const CHECKSUM: u8 = 16;
/// Largest length of options.
pub const OPTIONS_MAX: usize = 40;
/// SACK blocks beside a time stamp, and without one.
const SACK_BLOCKS_MAX: usize = 4;

/// The control bits of a header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u8);

impl Flags {
    pub const FIN: Flags = Flags(0x01);
    pub const SYN: Flags = Flags(0x02);
    pub const RST: Flags = Flags(0x04);
    pub const PSH: Flags = Flags(0x08);
    pub const ACK: Flags = Flags(0x10);

    pub fn has(self, other: Flags) -> bool {
        self.0 & other.0 != 0
    }

    pub fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

/// Blocks that have arrived beyond a gap, as SACK tells them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SackBlocks {
    blocks: [(Seq, Seq); SACK_BLOCKS_MAX],
    count: usize,
}

impl SackBlocks {
    /// Adds a block while there is room for it.
    pub fn push(&mut self, block: (Seq, Seq)) {
        if let Some(free) = self.blocks.get_mut(self.count) {
            *free = block;
            self.count += 1;
        }
    }

    pub fn as_slice(&self) -> &[(Seq, Seq)] {
        self.blocks.get(..self.count).unwrap_or(&[])
    }
}

/// What a segment says besides its data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    pub source: u16,
    pub destination: u16,
    pub seq: Seq,
    pub ack: Seq,
    pub flags: Flags,
    /// As on the wire: not scaled.
    pub window: u16,
    pub mss: Option<u16>,
    pub window_scale: Option<u8>,
    pub sack_permitted: bool,
    /// Value and echo.
    pub timestamps: Option<(u32, u32)>,
    pub sack: SackBlocks,
}

/// Option kinds.
mod kind {
    pub const END: u8 = 0;
    pub const NOP: u8 = 1;
    pub const MSS: u8 = 2;
    pub const WINDOW_SCALE: u8 = 3;
    pub const SACK_PERMITTED: u8 = 4;
    pub const SACK: u8 = 5;
    pub const TIMESTAMPS: u8 = 8;
}

/// Largest shift of a window (RFC 7323 §2.3).
pub const WINDOW_SCALE_MAX: u8 = 14;

impl Segment {
    /// Reads a segment: what it says, and where its data starts. None where the header is cut short or its length
    /// is wrong.
    pub fn parse(bytes: &[u8]) -> Option<(Segment, usize)> {
        let fixed = bytes.first_chunk::<HEADER_LEN>()?;
        let offset = usize::from(fixed[12] >> 4) * 4;
        let options = bytes.get(HEADER_LEN..offset)?;
        let mut segment = Segment {
            source: u16::from_be_bytes([fixed[0], fixed[1]]),
            destination: u16::from_be_bytes([fixed[2], fixed[3]]),
            seq: Seq(u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]])),
            ack: Seq(u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]])),
            flags: Flags(fixed[13]),
            window: u16::from_be_bytes([fixed[14], fixed[15]]),
            ..Segment::default()
        };
        segment.read_options(options);
        Some((segment, offset))
    }

    /// `tcp_parse_options`: unknown ones are skipped; behind a malformed one nothing is read.
    fn read_options(&mut self, mut options: &[u8]) {
        while let [kind, rest @ ..] = options {
            match *kind {
                kind::END => return,
                kind::NOP => {
                    options = rest;
                    continue;
                }
                _ => {}
            }
            let Some(length) = rest.first().map(|length| usize::from(*length)) else { return };
            let Some(value) = options.get(2..length) else { return };
            let syn = self.flags.has(Flags::SYN);
            match (*kind, value) {
                (kind::MSS, [a, b]) if syn => self.mss = Some(u16::from_be_bytes([*a, *b])),
                (kind::WINDOW_SCALE, [shift]) if syn => {
                    self.window_scale = Some((*shift).min(WINDOW_SCALE_MAX));
                }
                (kind::SACK_PERMITTED, []) if syn => self.sack_permitted = true,
                (kind::TIMESTAMPS, [a, b, c, d, e, f, g, h]) => {
                    let value = u32::from_be_bytes([*a, *b, *c, *d]);
                    self.timestamps = Some((value, u32::from_be_bytes([*e, *f, *g, *h])));
                }
                (kind::SACK, blocks) => {
                    for block in blocks.chunks_exact(8) {
                        if let [a, b, c, d, e, f, g, h] = *block {
                            let left = Seq(u32::from_be_bytes([a, b, c, d]));
                            self.sack.push((left, Seq(u32::from_be_bytes([e, f, g, h]))));
                        }
                    }
                }
                _ => {}
            }
            options = options.get(length..).unwrap_or(&[]);
        }
    }

    /// Bytes of the header with options.
    pub fn header_len(&self) -> usize {
        let sack = match self.sack.as_slice().len() {
            0 => 0,
            blocks => 4 + 8 * blocks,
        };
        let mut options = sack;
        options += if self.mss.is_some() { 4 } else { 0 };
        // Without a time stamp, two NOPs take the place of its ten bytes' filling (`tcp_options_write`).
        options += match (self.timestamps.is_some(), self.sack_permitted) {
            (true, _) => 12,
            (false, true) => 4,
            (false, false) => 0,
        };
        options += if self.window_scale.is_some() { 4 } else { 0 };
        HEADER_LEN + options
    }

    /// Writes header and options; the checksum stays zero. `bytes` starts the segment.
    pub fn write(&self, bytes: &mut [u8]) {
        let header_len = self.header_len();
        let Some((fixed, rest)) = bytes.split_first_chunk_mut::<HEADER_LEN>() else { return };
        fixed[0..2].copy_from_slice(&self.source.to_be_bytes());
        fixed[2..4].copy_from_slice(&self.destination.to_be_bytes());
        fixed[4..8].copy_from_slice(&self.seq.0.to_be_bytes());
        fixed[8..12].copy_from_slice(&self.ack.0.to_be_bytes());
        fixed[12] = ((header_len / 4) as u8) << 4;
        fixed[13] = self.flags.0;
        fixed[14..16].copy_from_slice(&self.window.to_be_bytes());
        fixed[16..20].fill(0);
        let Some(options) = rest.get_mut(..header_len - HEADER_LEN) else { return };
        let mut written = Writer { options, at: 0 };
        if let Some(mss) = self.mss {
            let [a, b] = mss.to_be_bytes();
            written.put(&[kind::MSS, 4, a, b]);
        }
        match (self.timestamps, self.sack_permitted) {
            (Some((value, echo)), permitted) => {
                written.put(match permitted {
                    true => &[kind::SACK_PERMITTED, 2, kind::TIMESTAMPS, 10],
                    false => &[kind::NOP, kind::NOP, kind::TIMESTAMPS, 10],
                });
                written.put(&value.to_be_bytes());
                written.put(&echo.to_be_bytes());
            }
            (None, true) => written.put(&[kind::NOP, kind::NOP, kind::SACK_PERMITTED, 2]),
            (None, false) => {}
        }
        if let Some(shift) = self.window_scale {
            written.put(&[kind::NOP, kind::WINDOW_SCALE, 3, shift]);
        }
        let blocks = self.sack.as_slice();
        if !blocks.is_empty() {
            written.put(&[kind::NOP, kind::NOP, kind::SACK, 2 + 8 * blocks.len() as u8]);
            for (left, right) in blocks {
                written.put(&left.0.to_be_bytes());
                written.put(&right.0.to_be_bytes());
            }
        }
    }
}

struct Writer<'a> {
    options: &'a mut [u8],
    at: usize,
}

impl Writer<'_> {
    fn put(&mut self, bytes: &[u8]) {
        if let Some(place) = self.options.get_mut(self.at..self.at + bytes.len()) {
            place.copy_from_slice(bytes);
            self.at += bytes.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(segment: &Segment) -> Vec<u8> {
        let mut bytes = vec![0xee; segment.header_len()];
        segment.write(&mut bytes);
        bytes
    }

    /// Options of a SYN as Linux sends them.
    #[test]
    fn a_syn_has_its_options_in_linuxs_order() {
        let syn = Segment {
            source: 40000,
            destination: 80,
            seq: Seq(1),
            flags: Flags::SYN,
            window: 64240,
            mss: Some(1460),
            window_scale: Some(7),
            sack_permitted: true,
            timestamps: Some((0x0102_0304, 0)),
            ..Segment::default()
        };
        let bytes = written(&syn);
        let expected = [2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7];
        assert_eq!(bytes[HEADER_LEN..], expected);
        assert_eq!(Segment::parse(&bytes), Some((syn, 40)));
    }

    #[test]
    fn what_is_written_can_be_read() {
        let mut sack = SackBlocks::default();
        sack.push((Seq(5), Seq(9)));
        sack.push((Seq(20), Seq(30)));
        let cases = [
            Segment { flags: Flags::ACK, ..Segment::default() },
            Segment { flags: Flags::SYN, sack_permitted: true, mss: Some(536), ..Segment::default() },
            Segment { flags: Flags::ACK, timestamps: Some((7, 8)), sack, ..Segment::default() },
        ];
        for segment in cases {
            let bytes = written(&segment);
            assert_eq!(Segment::parse(&bytes), Some((segment, bytes.len())));
        }
    }

    #[test]
    fn malformed_options_end_the_reading() {
        let mut bytes = written(&Segment { flags: Flags::SYN, mss: Some(1460), ..Segment::default() });
        for damage in [[2, 0, 5, 0xb4], [2, 1, 5, 0xb4], [2, 9, 5, 0xb4], [1, 1, 1, 2]] {
            bytes[HEADER_LEN..].copy_from_slice(&damage);
            assert_eq!(Segment::parse(&bytes).map(|(segment, _)| segment.mss), Some(None), "{damage:?}");
        }
        bytes[12] = 0xf0;
        assert_eq!(Segment::parse(&bytes), None);
    }
}
