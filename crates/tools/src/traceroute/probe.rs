//! One probe, and what an ICMP error says of it.

use std::net::IpAddr;

use hairpin_netlink::Fd;

const UNREACHABLE: u8 = 3;
const TIME_EXCEEDED: u8 = 11;
/// Code of [`UNREACHABLE`] for a packet that is too long.
const FRAGMENTATION_NEEDED: u8 = 4;
/// The same of ICMPv6 (RFC 4443).
const UNREACHABLE6: u8 = 1;
const TOO_BIG6: u8 = 2;
const TIME_EXCEEDED6: u8 = 3;
const PARAMETER6: u8 = 4;

/// A probe. Times are in seconds since 1970.
#[derive(Clone, Debug, Default)]
pub(super) struct Probe {
    pub sent_s: Option<f64>,
    pub received_s: Option<f64>,
    /// It is answered or given up.
    pub is_done: bool,
    /// Its answer came from where the way ends.
    pub is_final: bool,
    /// Who answered.
    pub from: Option<IpAddr>,
    /// TTL of the answer, where it is known.
    pub answer_ttl: Option<u8>,
    /// `!H` and the like, behind the time.
    pub remark: String,
    /// Its own socket (UDP).
    pub socket: Option<Fd>,
    /// By what its answer is known: the port (UDP) or the sequence number.
    pub sequence: u16,
}

impl Probe {
    /// How long the answer took; `None` where there is none, or none that took any time.
    pub fn round_trip_s(&self) -> Option<f64> {
        let taken = self.received_s.unwrap_or(0.0) - self.sent_s.unwrap_or(0.0);
        Some(taken).filter(|taken| self.is_done && *taken > 0.0)
    }

    /// Whether an answer with this sequence number is for it.
    pub fn awaits(&self, sequence: u16) -> bool {
        self.sent_s.is_some() && !self.is_done && self.sequence == sequence && sequence != 0
    }

    /// Takes over an ICMP error; `info` is the MTU where a packet was too long.
    pub fn take_error(&mut self, kind: u8, code: u8, info: u32) {
        if (kind, code) == (TIME_EXCEEDED, 0) {
            return;
        }
        self.is_final = true;
        let remark = match (kind, code) {
            (UNREACHABLE, 0 | 6 | 8 | 11) => "!N",
            (UNREACHABLE, 1 | 7 | 12) => "!H",
            (UNREACHABLE, 2) => "!P",
            // The port is closed: the target is reached.
            (UNREACHABLE, 3) => return,
            (UNREACHABLE, FRAGMENTATION_NEEDED) => return self.take_mtu(info),
            (UNREACHABLE, 5) => "!S",
            (UNREACHABLE, 9 | 10 | 13) => "!X",
            (UNREACHABLE, 14) => "!V",
            (UNREACHABLE, 15) => "!C",
            (UNREACHABLE, code) => return self.remark = format!("!<{code}>"),
            (kind, code) => return self.remark = format!("!<{kind}-{code}>"),
        };
        remark.clone_into(&mut self.remark);
    }

    /// Takes over an ICMPv6 error.
    pub fn take_error6(&mut self, kind: u8, code: u8, info: u32) {
        if (kind, code) == (TIME_EXCEEDED6, 0) {
            return;
        }
        self.is_final = true;
        let remark = match (kind, code) {
            (UNREACHABLE6, 0) => "!N",
            (UNREACHABLE6, 1) => "!X",
            (UNREACHABLE6, 2 | 3) => "!H",
            // The port is closed: the target is reached.
            (UNREACHABLE6, 4) => return,
            (TOO_BIG6, _) => return self.take_mtu(info),
            (PARAMETER6, 1) => "!P",
            (UNREACHABLE6, code) => return self.remark = format!("!<{code}>"),
            (kind, code) => return self.remark = format!("!<{kind}-{code}>"),
        };
        remark.clone_into(&mut self.remark);
    }

    /// The packet was too long for a device with this MTU.
    pub fn take_mtu(&mut self, mtu: u32) {
        self.is_final = true;
        self.remark = format!("!F-{mtu}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_their_marks() {
        let cases = [
            (11, 0, "", false),
            (3, 3, "", true),
            (3, 1, "!H", true),
            (3, 0, "!N", true),
            (3, 2, "!P", true),
            (3, 13, "!X", true),
            (3, 5, "!S", true),
            (3, 4, "!F-1400", true),
            (3, 99, "!<99>", true),
            (11, 1, "!<11-1>", true),
        ];
        for (kind, code, remark, is_final) in cases {
            let mut probe = Probe::default();
            probe.take_error(kind, code, 1400);
            assert_eq!((probe.remark.as_str(), probe.is_final), (remark, is_final), "{kind} {code}");
        }
        let cases = [
            (3, 0, "", false),
            (1, 4, "", true),
            (1, 3, "!H", true),
            (1, 1, "!X", true),
            (2, 0, "!F-1400", true),
        ];
        for (kind, code, remark, is_final) in cases {
            let mut probe = Probe::default();
            probe.take_error6(kind, code, 1400);
            assert_eq!((probe.remark.as_str(), probe.is_final), (remark, is_final), "{kind} {code}");
        }
    }
}
