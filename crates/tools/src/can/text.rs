//! A frame as text (lib.c): `123#DEADBEEF` on command lines and in logs, `123   [4]  DE AD BE EF` on the screen.

use super::{CAN_DATA, ERROR, EXTENDED, EXTENDED_MASK, Frame, REMOTE, STANDARD_MASK};

/// Lengths that a frame of CAN FD can have (`dlc2len`).
const FD_LENGTHS: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64];

/// How the data of a frame is shown on the screen (`CANLIB_VIEW_*`).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct View {
    pub ascii: bool,
    pub binary: bool,
    /// The last byte first.
    pub swapped: bool,
    /// Errors in words.
    pub errors: bool,
    /// Standard identifiers stand below the ends of extended ones.
    pub indented: bool,
}

/// Parts the bytes of [`View::swapped`].
const SWAPPED: char = '`';

fn nibble(byte: Option<&u8>) -> Option<u8> {
    char::from(*byte?).to_digit(16).map(|digit| digit as u8)
}

/// `parse_canframe`: none where it is no frame.
pub(super) fn parse(text: &str) -> Option<Frame> {
    let bytes = text.as_bytes();
    if bytes.len() < 4 {
        return None;
    }
    let digits = match (bytes.get(3), bytes.get(8)) {
        (Some(b'#'), _) => 3,
        (_, Some(b'#')) => 8,
        _ => return None,
    };
    let mut id = 0;
    for at in 0..digits {
        id = id << 4 | u32::from(nibble(bytes.get(at))?);
    }
    if digits == 8 && id & ERROR == 0 {
        id |= EXTENDED;
    }
    let mut frame = Frame::new(id, false);
    let mut at = digits + 1;
    if matches!(bytes.get(at), Some(b'R' | b'r')) {
        frame.id |= REMOTE;
        if let Some(len) = nibble(bytes.get(at + 1)).filter(|len| usize::from(*len) <= CAN_DATA) {
            frame.len = len;
        }
        return Some(frame);
    }
    if bytes.get(at) == Some(&b'#') {
        frame.is_fd = true;
        frame.flags = nibble(bytes.get(at + 1))?;
        at += 2;
    }
    let most = frame.data_max();
    for place in frame.data.iter_mut().take(most) {
        if bytes.get(at) == Some(&b'.') {
            at += 1;
        }
        if at >= bytes.len() {
            break;
        }
        *place = nibble(bytes.get(at))? << 4 | nibble(bytes.get(at + 1))?;
        at += 2;
        frame.len += 1;
    }
    Some(frame)
}

/// The length that a frame of CAN FD must have to bear so much (`can_dlc2len` of `can_len2dlc`).
pub(super) fn fd_length(len: u8) -> u8 {
    FD_LENGTHS.into_iter().find(|length| *length >= len).unwrap_or(64)
}

fn identifier(id: u32) -> String {
    match id {
        id if id & ERROR != 0 => format!("{:08X}", id & (EXTENDED_MASK | ERROR)),
        id if id & EXTENDED != 0 => format!("{:08X}", id & EXTENDED_MASK),
        id => format!("{:03X}", id & STANDARD_MASK),
    }
}

/// `sprint_canframe`: as in a log file.
pub(super) fn short(frame: &Frame) -> String {
    let mut text = format!("{}#", identifier(frame.id));
    if !frame.is_fd && frame.id & REMOTE != 0 {
        text.push('R');
        if frame.len != 0 && usize::from(frame.len) <= CAN_DATA {
            text.push_str(&format!("{:X}", frame.len));
        }
        return text;
    }
    if frame.is_fd {
        text.push_str(&format!("#{:X}", frame.flags & 0xf));
    }
    frame.data().iter().for_each(|byte| text.push_str(&format!("{byte:02X}")));
    text
}

/// `sprint_long_canframe`: as on the screen.
pub(super) fn long(frame: &Frame, view: View) -> String {
    let data = frame.data();
    let wide = frame.id & (ERROR | EXTENDED) != 0;
    let mut text = match wide {
        false if view.indented => format!("     {}", identifier(frame.id)),
        _ => identifier(frame.id),
    };
    // Identifier and length have fixed places.
    let width = if wide || view.indented { 10 } else { 5 };
    let gap = width - text.len();
    if frame.is_fd {
        text.push_str(&format!("{:gap$}[{:02}] ", "", data.len()));
    } else {
        text.push_str(&format!("{:gap$} [{}] ", "", data.len()));
        if frame.id & REMOTE != 0 {
            text.push_str(" remote request");
            return text;
        }
    }
    let bytes = data.iter().map(|byte| match view.binary {
        true => format!("{byte:08b}"),
        false => format!("{byte:02X}"),
    });
    let mut bytes: Vec<String> = bytes.collect();
    if view.swapped {
        bytes.reverse();
    }
    for (at, byte) in bytes.iter().enumerate() {
        text.push(if view.swapped && at > 0 { SWAPPED } else { ' ' });
        text.push_str(byte);
    }
    if data.len() > CAN_DATA {
        return text;
    }
    let room = (if view.binary { 9 } else { 3 }) * (CAN_DATA - data.len());
    if frame.id & ERROR != 0 {
        text.push_str(&format!("{:>1$}", "ERRORFRAME", room + 13));
        if view.errors {
            text.push_str(&format!("\n\t{}", error(frame)));
        }
    } else if view.ascii {
        let quote = if view.swapped { SWAPPED } else { '\'' };
        let letter = |byte: &u8| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' };
        let mut letters: Vec<char> = data.iter().map(letter).collect();
        if view.swapped {
            letters.reverse();
        }
        text.push_str(&format!("{quote:>0$}", room + 4));
        text.extend(letters);
        text.push(quote);
    }
    text
}

const CLASSES: [&str; 9] = [
    "tx-timeout",
    "lost-arbitration",
    "controller-problem",
    "protocol-violation",
    "transceiver-status",
    "no-acknowledgement-on-tx",
    "bus-off",
    "bus-error",
    "restarted-after-bus-off",
];
const CONTROLLER: [&str; 7] = [
    "rx-overflow",
    "tx-overflow",
    "rx-error-warning",
    "tx-error-warning",
    "rx-error-passive",
    "tx-error-passive",
    "back-to-error-active",
];
const PROTOCOL: [&str; 8] = [
    "single-bit-error",
    "frame-format-error",
    "bit-stuffing-error",
    "tx-dominant-bit-error",
    "tx-recessive-bit-error",
    "bus-overload",
    "active-error",
    "error-on-tx",
];
const UNSPECIFIED: &str = "unspecified";
const LOCATIONS: [&str; 32] = [
    UNSPECIFIED,
    UNSPECIFIED,
    "id.28-to-id.21",
    "start-of-frame",
    "bit-srtr",
    "bit-ide",
    "id.20-to-id.18",
    "id.17-to-id.13",
    "crc-sequence",
    "reserved-bit-0",
    "data-field",
    "data-length-code",
    "bit-rtr",
    "reserved-bit-1",
    "id.4-to-id.0",
    "id.12-to-id.5",
    UNSPECIFIED,
    "active-error-flag",
    "intermission",
    "tolerate-dominant-bits",
    UNSPECIFIED,
    UNSPECIFIED,
    "passive-error-flag",
    "error-delimiter",
    "crc-delimiter",
    "acknowledge-slot",
    "end-of-frame",
    "acknowledge-delimiter",
    "overload-flag",
    UNSPECIFIED,
    UNSPECIFIED,
    UNSPECIFIED,
];

/// `snprintf_can_error_frame`
fn error(frame: &Frame) -> String {
    const SEPARATOR: &str = "\n\t";
    const LOST_ARBITRATION: usize = 1;
    const CONTROLLER_PROBLEM: usize = 2;
    const PROTOCOL_VIOLATION: usize = 3;
    let data = |at: usize| frame.data.get(at).copied().unwrap_or(0);
    let words = |bits: u8, names: &[&str]| {
        let set = names.iter().enumerate().filter(|(at, _)| bits >> at & 1 != 0);
        set.map(|(_, name)| *name).collect::<Vec<_>>().join(",")
    };
    let mut parts = Vec::new();
    for (at, name) in CLASSES.iter().enumerate().filter(|(at, _)| frame.id >> at & 1 != 0) {
        let detail = match at {
            LOST_ARBITRATION => format!("{{at bit {}}}", data(0)),
            CONTROLLER_PROBLEM => format!("{{{}}}", words(data(1), &CONTROLLER)),
            PROTOCOL_VIOLATION => {
                let place = LOCATIONS.get(usize::from(data(3))).filter(|_| data(3) > 0).unwrap_or(&"");
                format!("{{{{{}}}{{{place}}}}}", words(data(2), &PROTOCOL))
            }
            _ => String::new(),
        };
        parts.push(format!("{name}{detail}"));
    }
    let mut text = parts.join(SEPARATOR);
    if data(6) != 0 || data(7) != 0 {
        text.push_str(&format!("{SEPARATOR}error-counter-tx-rx{{{{{}}}{{{}}}}}", data(6), data(7)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_and_written() {
        for (given, logged, shown) in [
            ("123#DEADBEEF", "123#DEADBEEF", "123   [4]  DE AD BE EF"),
            ("5A1#11.2233.44556677.88", "5A1#1122334455667788", "5A1   [8]  11 22 33 44 55 66 77 88"),
            ("5aa#", "5AA#", "5AA   [0] "),
            ("123#R", "123#R", "123   [0]  remote request"),
            ("00000123#R3", "00000123#R3", "00000123   [3]  remote request"),
            ("1F334455#1122", "1F334455#1122", "1F334455   [2]  11 22"),
            ("213##311223344", "213##311223344", "213  [04]  11 22 33 44"),
            ("123##1", "123##1", "123  [00] "),
        ] {
            let frame = parse(given).unwrap_or_else(|| panic!("{given}"));
            assert_eq!(short(&frame), logged);
            assert_eq!(long(&frame, View::default()), shown, "{given}");
            assert_eq!(Frame::of_bytes(&frame.to_bytes()), Some(frame));
        }
        for bad in ["", "123", "12#11", "123#1", "123#1g", "123##", "12345#11", "x23#11", "ääää"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn other_views() {
        let frame = parse("123#41420043").expect("a frame");
        let view = View::default();
        assert_eq!(long(&frame, View { ascii: true, ..view }), "123   [4]  41 42 00 43               'AB.C'");
        assert_eq!(
            long(&frame, View { ascii: true, swapped: true, ..view }),
            "123   [4]  43`00`42`41               `C.BA`"
        );
        assert_eq!(
            long(&frame, View { binary: true, indented: true, ..view }),
            "     123   [4]  01000001 01000010 00000000 01000011"
        );
    }

    #[test]
    fn errors_in_words() {
        let mut frame = Frame::new(ERROR | 0xe, false);
        frame.len = 8;
        frame.data[..8].copy_from_slice(&[5, 3, 4, 10, 0, 0, 1, 2]);
        let view = View { errors: true, ..View::default() };
        assert_eq!(
            long(&frame, view),
            "2000000E   [8]  05 03 04 0A 00 00 01 02   ERRORFRAME\n\tlost-arbitration{at bit 5}\n\t\
             controller-problem{rx-overflow,tx-overflow}\n\tprotocol-violation{{bit-stuffing-error}{data-field}}\n\t\
             error-counter-tx-rx{{1}{2}}"
        );
    }

    #[test]
    fn lengths_of_can_fd() {
        assert_eq!([0, 8, 9, 12, 33, 64].map(fd_length), [0, 8, 12, 12, 48, 64]);
    }
}
