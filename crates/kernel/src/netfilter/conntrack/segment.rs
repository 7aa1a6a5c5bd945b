//! A TCP segment as connection tracking reads it (RFC 793 §3.1).

/// Flags of the TCP header.
pub(super) mod flag {
    pub const FIN: u8 = 0x01;
    pub const SYN: u8 = 0x02;
    pub const RST: u8 = 0x04;
    pub const ACK: u8 = 0x10;
    pub const URG: u8 = 0x20;
    /// PSH, ECE and CWR say nothing about validity.
    pub const CHECKED: u8 = FIN | SYN | RST | ACK | URG;
}

/// Option kinds (RFC 793, RFC 7323, RFC 2018).
mod option {
    pub const END: u8 = 0;
    pub const NOTHING: u8 = 1;
    pub const WINDOW_SCALE: u8 = 3;
    pub const SACK_PERMITTED: u8 = 4;
    pub const SACK: u8 = 5;
}

/// The greatest shift of a window (RFC 7323 §2.3).
const SCALE_MAX: u8 = 14;

/// Segments by their flags (`enum tcp_bit_set`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// What Linux's zeroed memory says of a connection that a program has made.
    #[default]
    Syn,
    SynAck,
    Fin,
    Ack,
    Rst,
    None,
}

impl Kind {
    /// `get_conntrack_index`
    fn of(flags: u8) -> Kind {
        if flags & flag::RST != 0 {
            Kind::Rst
        } else if flags & flag::SYN != 0 {
            if flags & flag::ACK != 0 { Kind::SynAck } else { Kind::Syn }
        } else if flags & flag::FIN != 0 {
            Kind::Fin
        } else if flags & flag::ACK != 0 {
            Kind::Ack
        } else {
            Kind::None
        }
    }
}

/// What tracking asks of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment<'a> {
    pub flags: u8,
    pub kind: Kind,
    pub sequence: u32,
    /// The sequence number behind it: its data, SYN and FIN count.
    pub end: u32,
    /// What its field says, with or without the flag.
    pub acknowledged: u32,
    /// Not scaled.
    pub window: u16,
    options: &'a [u8],
}

/// What the options of a SYN agree to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Agreed {
    pub scale: Option<u8>,
    pub sack: bool,
}

impl<'a> Segment<'a> {
    /// `tcp_error`: none where it is cut short, or where its flags are no combination that means something.
    pub fn read(segment: &'a [u8]) -> Option<Segment<'a>> {
        const VALID: &[u8] = &[
            flag::SYN,
            flag::SYN | flag::URG,
            flag::SYN | flag::ACK,
            flag::RST,
            flag::RST | flag::ACK,
            flag::FIN | flag::ACK,
            flag::FIN | flag::ACK | flag::URG,
            flag::ACK,
            flag::ACK | flag::URG,
        ];
        let head = segment.first_chunk::<20>()?;
        let header_len = usize::from(head[12] >> 4) * 4;
        let options = segment.get(head.len()..header_len)?;
        let flags = head[13];
        if !VALID.contains(&(flags & flag::CHECKED)) {
            return None;
        }
        let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let counted = u32::from(flags & flag::SYN != 0) + u32::from(flags & flag::FIN != 0);
        let len = (segment.len() - header_len) as u32 + counted;
        Some(Segment {
            flags,
            kind: Kind::of(flags),
            sequence: word(4),
            end: word(4).wrapping_add(len),
            acknowledged: word(8),
            window: u16::from_be_bytes([head[14], head[15]]),
            options,
        })
    }

    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// `tcp_options`: none where it has no options at all.
    pub fn agreed(&self) -> Option<Agreed> {
        if self.options.is_empty() {
            return None;
        }
        let mut agreed = Agreed::default();
        for (kind, value) in Options(self.options) {
            match (kind, value) {
                (option::SACK_PERMITTED, []) => agreed.sack = true,
                (option::WINDOW_SCALE, &[scale]) => agreed.scale = Some(scale.min(SCALE_MAX)),
                _ => {}
            }
        }
        Some(agreed)
    }

    /// `tcp_sack`: the highest right edge of what it says has arrived, and no less than `acknowledged`.
    pub fn highest_seen(&self, acknowledged: u32) -> u32 {
        const BLOCK: usize = 8;
        let blocks = |(kind, value): &(u8, &[u8])| {
            *kind == option::SACK && !value.is_empty() && value.len().is_multiple_of(BLOCK)
        };
        let mut highest = acknowledged;
        if let Some((_, value)) = Options(self.options).find(blocks) {
            for block in value.chunks_exact(BLOCK) {
                let &[_, _, _, _, a, b, c, d] = block else { continue };
                let edge = u32::from_be_bytes([a, b, c, d]);
                if after(edge, highest) {
                    highest = edge;
                }
            }
        }
        highest
    }
}

/// Options one by one, with their kinds; what is cut short ends them.
struct Options<'a>(&'a [u8]);

impl<'a> Iterator for Options<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match *self.0 {
                [] | [option::END, ..] => return None,
                [option::NOTHING, ref rest @ ..] => self.0 = rest,
                [kind, len, ref rest @ ..] => {
                    let (value, rest) = rest.split_at_checked(usize::from(len).checked_sub(2)?)?;
                    self.0 = rest;
                    return Some((kind, value));
                }
                [_] => return None,
            }
        }
    }
}

/// Whether a sequence number is before another (RFC 793 §3.3: modulo 2^32).
pub(super) fn before(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) < 0
}

/// Whether a sequence number is behind another.
pub(super) fn after(a: u32, b: u32) -> bool {
    before(b, a)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senseless_flags_are_found() {
        let mut segment = [0u8; 20];
        segment[12] = 0x50;
        for (given, valid) in [
            (0x02, true),
            (0x12, true),
            (0x00, false),
            (0x03, false),
            (0x29, false),
            (0x11, true),
            (0x22, true),
            (0x32, false),
            (0x24, false),
            (0x31, true),
        ] {
            segment[13] = given;
            assert_eq!(Segment::read(&segment).is_some(), valid, "{given:#x}");
        }
    }

    #[test]
    fn options_are_read_up_to_where_they_end() {
        let mut bytes = vec![0, 80, 0, 81, 0, 0, 0, 9, 0, 0, 0, 7, 0xa0, 0x10, 1, 0, 0, 0, 0, 0];
        bytes.extend([3, 3, 20, 4, 2, 1, 5, 10, 0, 0, 0, 8, 0, 0, 0, 12, 0, 3, 3, 1]);
        bytes.extend(*b"data");
        let segment = Segment::read(&bytes).expect("a segment");
        assert_eq!((segment.sequence, segment.end, segment.acknowledged), (9, 13, 7));
        assert_eq!(segment.agreed(), Some(Agreed { scale: Some(14), sack: true }));
        assert_eq!(segment.highest_seen(7), 12);
        assert_eq!(segment.highest_seen(13), 13);
    }

    #[test]
    fn what_is_cut_short_is_no_segment() {
        let mut bytes = [0u8; 24];
        bytes[12] = 0x60;
        bytes[13] = 0x10;
        assert_eq!(Segment::read(&bytes[..20]), None);
        assert_eq!(Segment::read(&bytes[..19]), None);
        bytes[20..].copy_from_slice(&[5, 30, 1, 2]);
        assert_eq!(Segment::read(&bytes).and_then(|segment| segment.agreed()), Some(Agreed::default()));
    }
}
