//! The states of a TCP connection as connection tracking sees them (nf_conntrack_proto_tcp.c). Sequence numbers
//! are not checked against windows: every segment counts as in the window (`nf_conntrack_tcp_be_liberal`).

use hairpin_netlink::netfilter::conntrack::TcpState;

use super::settings::Settings;

/// Flags of the TCP header.
mod flag {
    pub const FIN: u8 = 0x01;
    pub const SYN: u8 = 0x02;
    pub const RST: u8 = 0x04;
    pub const ACK: u8 = 0x10;
    /// URG, PSH, ECE, CWR say nothing about validity.
    pub const CHECKED: u8 = 0x17;
}

/// What tracking remembers of a TCP connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tcp {
    pub state: TcpState,
    /// Which sides have sent FIN.
    closing: [bool; 2],
}

/// Segments by their flags (`enum tcp_bit_set`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
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

/// What a segment does to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Go(TcpState),
    Ignore,
    Invalid,
}

/// What tracking makes of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It belongs to the connection, which now lives for so many seconds.
    Valid {
        timeout_s: u32,
        assured: bool,
    },
    /// It belongs to it and changes nothing.
    Ignored,
    Invalid,
    /// The connection is over; the segment begins a new one.
    Reopen,
    /// The connection ends at once: a reset before any answer.
    Kill,
}

/// The flags of a segment, and whether they are a combination that means something (`tcp_valid_flags`).
pub(super) fn flags(segment: &[u8]) -> Option<u8> {
    let head = segment.first_chunk::<20>()?;
    let header_len = usize::from(head[12] >> 4) * 4;
    if header_len < 20 || header_len > segment.len() {
        return None;
    }
    const VALID: &[u8] = &[
        flag::SYN,
        flag::SYN | flag::ACK,
        flag::RST,
        flag::RST | flag::ACK,
        flag::FIN | flag::ACK,
        flag::ACK,
    ];
    let flags = head[13];
    // SYN with URG, FIN+ACK with URG or PSH and the like are allowed too: those bits are not looked at.
    VALID.contains(&(flags & flag::CHECKED)).then_some(flags)
}

impl Tcp {
    /// A connection of which nothing but its state is known.
    pub fn in_state(state: TcpState) -> Tcp {
        Tcp { state, ..Tcp::default() }
    }

    /// `tcp_new`: whether a segment may begin a connection, and what is then remembered.
    pub fn begin(flags: u8, settings: &Settings) -> Option<Tcp> {
        match transition(0, TcpState::None, Kind::of(flags)) {
            Next::Go(TcpState::SynSent) => Some(Tcp::default()),
            // Connections that were there before tracking are picked up in the middle.
            Next::Go(_) if settings.tcp_loose => Some(Tcp::default()),
            _ => None,
        }
    }

    /// `nf_conntrack_tcp_packet`: a segment in a direction (0 original, 1 reply).
    pub fn see(
        &mut self,
        direction: u8,
        flags: u8,
        seen_reply: bool,
        assured: bool,
        settings: &Settings,
    ) -> Seen {
        let kind = Kind::of(flags);
        let old = self.state;
        let new = match transition(direction, old, kind) {
            Next::Go(new) => new,
            Next::Ignore => {
                // A SYN-ACK that answers an out-of-sync SYN re-opens the connection in Linux by its sequence
                // numbers; here it is let through.
                return Seen::Ignored;
            }
            Next::Invalid => return Seen::Invalid,
        };
        if new == TcpState::SynSent && matches!(old, TcpState::TimeWait | TcpState::Close | TcpState::LastAck)
        {
            // RFC 1122 4.2.2.13: a new connection may reuse the ports of one that is over.
            if old != TcpState::LastAck || self.closing[usize::from(direction & 1)] {
                return Seen::Reopen;
            }
        }
        if kind == Kind::Fin {
            self.closing[usize::from(direction & 1)] = true;
        }
        self.state = new;
        if !seen_reply && kind == Kind::Rst && direction == 1 {
            // "Connection refused" leaves no connection behind.
            return Seen::Kill;
        }
        let becomes_assured = !assured
            && seen_reply
            && (old == TcpState::SynRecv || old == TcpState::Established)
            && new == TcpState::Established;
        let timeout_s = settings.tcp(new);
        Seen::Valid { timeout_s, assured: becomes_assured }
    }
}

/// The table of transitions (`tcp_conntracks`), one line a kind of segment; states in the order of [`TcpState`].
fn transition(direction: u8, state: TcpState, kind: Kind) -> Next {
    use TcpState::{
        Close, CloseWait, Established, FinWait, LastAck, None, SynRecv, SynSent, SynSent2, TimeWait,
    };
    match (direction, kind, state) {
        (0, Kind::Syn, None | SynSent | TimeWait | Close) => Next::Go(SynSent),
        (0, Kind::Syn, SynSent2) => Next::Go(SynSent2),
        (0, Kind::Syn, _) => Next::Ignore,
        (0, Kind::SynAck, SynSent2) => Next::Go(SynRecv),
        (0, Kind::SynAck, SynRecv) => Next::Go(SynRecv),
        (0, Kind::SynAck, _) => Next::Invalid,
        (0, Kind::Fin, SynRecv | Established) => Next::Go(FinWait),
        (0, Kind::Fin, FinWait | CloseWait | LastAck) => Next::Go(LastAck),
        (0, Kind::Fin, TimeWait) => Next::Go(TimeWait),
        (0, Kind::Fin, Close) => Next::Go(Close),
        (0, Kind::Fin, _) => Next::Invalid,
        (0, Kind::Ack, None | SynRecv | Established) => Next::Go(Established),
        (0, Kind::Ack, FinWait | CloseWait) => Next::Go(CloseWait),
        (0, Kind::Ack, LastAck | TimeWait) => Next::Go(TimeWait),
        (0, Kind::Ack, Close) => Next::Go(Close),
        (0, Kind::Ack, SynSent | SynSent2) => Next::Invalid,
        (_, Kind::Rst, None) => Next::Invalid,
        (_, Kind::Rst, _) => Next::Go(Close),
        (1, Kind::Syn, SynSent) => Next::Go(SynSent2),
        (1, Kind::Syn, TimeWait) => Next::Go(SynSent),
        (1, Kind::Syn, SynSent2) => Next::Go(SynSent2),
        (1, Kind::Syn, _) => Next::Invalid,
        (1, Kind::SynAck, SynSent | SynSent2) => Next::Go(SynRecv),
        (1, Kind::SynAck, None) => Next::Invalid,
        (1, Kind::SynAck, _) => Next::Ignore,
        (1, Kind::Fin, SynRecv | Established) => Next::Go(FinWait),
        (1, Kind::Fin, FinWait | CloseWait | LastAck) => Next::Go(LastAck),
        (1, Kind::Fin, TimeWait) => Next::Go(TimeWait),
        (1, Kind::Fin, Close) => Next::Go(Close),
        (1, Kind::Fin, _) => Next::Invalid,
        (1, Kind::Ack, SynSent | SynSent2) => Next::Ignore,
        (1, Kind::Ack, SynRecv) => Next::Go(SynRecv),
        (1, Kind::Ack, Established) => Next::Go(Established),
        (1, Kind::Ack, FinWait | CloseWait) => Next::Go(CloseWait),
        (1, Kind::Ack, LastAck | TimeWait) => Next::Go(TimeWait),
        (1, Kind::Ack, Close) => Next::Go(Close),
        _ => Next::Invalid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACK: u8 = flag::ACK;
    const SYN: u8 = flag::SYN;
    const SYN_ACK: u8 = flag::SYN | flag::ACK;
    const FIN: u8 = flag::FIN | flag::ACK;
    const RST: u8 = flag::RST;

    /// Runs segments (direction, flags) and lists the states.
    fn states(segments: &[(u8, u8)]) -> Vec<&'static str> {
        let settings = Settings::default();
        let mut tcp = Tcp::begin(segments[0].1, &settings).expect("a beginning");
        let mut reply = false;
        let mut shown = Vec::new();
        for (direction, flags) in segments {
            let seen = tcp.see(*direction, *flags, reply, false, &settings);
            reply |= *direction == 1;
            shown.push(match seen {
                Seen::Valid { .. } => tcp.state.name(),
                Seen::Ignored => "ignored",
                Seen::Invalid => "invalid",
                Seen::Reopen => "reopen",
                Seen::Kill => "kill",
            });
        }
        shown
    }

    #[test]
    fn a_connection_opens_and_closes() {
        let all = [(0, SYN), (1, SYN_ACK), (0, ACK), (1, ACK), (0, FIN), (1, ACK), (1, FIN), (0, ACK)];
        let expected = [
            "SYN_SENT",
            "SYN_RECV",
            "ESTABLISHED",
            "ESTABLISHED",
            "FIN_WAIT",
            "CLOSE_WAIT",
            "LAST_ACK",
            "TIME_WAIT",
        ];
        assert_eq!(states(&all), expected);
    }

    #[test]
    fn a_refused_connection_is_forgotten() {
        assert_eq!(states(&[(0, SYN), (1, RST)]), ["SYN_SENT", "kill"]);
    }

    #[test]
    fn a_closed_connection_may_be_opened_again() {
        let all = [(0, SYN), (1, SYN_ACK), (0, ACK), (1, RST), (0, SYN)];
        assert_eq!(states(&all), ["SYN_SENT", "SYN_RECV", "ESTABLISHED", "CLOSE", "reopen"]);
    }

    #[test]
    fn what_opens_nothing_is_invalid() {
        let settings = Settings::default();
        assert!(Tcp::begin(SYN_ACK, &settings).is_none());
        assert!(Tcp::begin(RST, &settings).is_none());
        assert!(Tcp::begin(ACK, &settings).is_some());
        assert!(Tcp::begin(ACK, &Settings { tcp_loose: false, ..settings }).is_none());
    }

    #[test]
    fn senseless_flags_are_found() {
        let mut segment = [0u8; 20];
        segment[12] = 0x50;
        for (given, valid) in
            [(0x02, true), (0x12, true), (0x00, false), (0x03, false), (0x29, false), (0x11, true)]
        {
            segment[13] = given;
            assert_eq!(flags(&segment).is_some(), valid, "{given:#x}");
        }
    }
}
