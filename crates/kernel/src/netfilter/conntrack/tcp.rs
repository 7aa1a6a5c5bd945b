//! The states of a TCP connection as connection tracking sees them (nf_conntrack_proto_tcp.c). [`super::window`] is about
//! sequence numbers.

use std::time::Duration;

use hairpin_netlink::netfilter::conntrack::TcpState;

use super::segment::{Kind, Segment, before};
use super::settings::Settings;
use super::window::{Fit, Side, about};
use super::{ORIGINAL, REPLY};

/// What tracking remembers of a TCP connection (`struct ip_ct_tcp`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tcp {
    pub state: TcpState,
    /// By direction.
    pub(super) sides: [Side; 2],
    pub(super) last: Last,
}

/// The segment before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Last {
    pub direction: u8,
    pub kind: Kind,
    /// How often the same acknowledgement has come again.
    pub retransmissions: u8,
    pub sequence: u32,
    pub acknowledged: u32,
    pub end: u32,
    pub window: u16,
    /// What a SYN that was let by would agree to.
    scale: u8,
    /// Bits of [`about`] and [`expected`].
    flags: u8,
}

/// What may come of a SYN (`IP_CT_EXP_CHALLENGE_ACK`, `IP_CT_TCP_SIMULTANEOUS_OPEN`).
mod expected {
    pub const CHALLENGE: u8 = 0x40;
    pub const SIMULTANEOUS_OPEN: u8 = 0x80;
}

/// What a segment does to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Go(TcpState),
    Ignore,
    Invalid,
}

/// What is known of a connection beside its protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// There was an answer.
    pub answered: bool,
    pub assured: bool,
    /// How long it is remembered yet.
    pub lasts: Duration,
}

/// What tracking makes of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// It belongs to the connection, which now lives for so many seconds.
    Valid {
        timeout_s: u32,
        assured: bool,
    },
    /// It belongs to it, and is not counted; the connection lives no longer for it.
    Ignored,
    Invalid,
    /// That, and the connection may be over: it lives for so many seconds.
    Doubted {
        timeout_s: u32,
    },
    /// The connection is over; the segment begins a new one.
    Reopen,
    /// The connection ends at once: a reset before any answer.
    Kill,
}

/// What a reset may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reset {
    /// It closes the connection if it is in the window.
    Closes,
    /// It is in the window at most: its number is not the next one.
    Stays,
    /// Whatever its number is.
    Believed {
        closes: bool,
    },
    Invalid,
}

/// Below this an invalid end of a connection leaves its time alone (`nf_tcp_handle_invalid`).
const SOON: Duration = Duration::from_secs(120);

impl Tcp {
    /// A connection of which nothing but its state is known.
    pub fn in_state(state: TcpState) -> Tcp {
        Tcp { state, ..Tcp::default() }
    }

    /// `tcp_new`: whether a segment may begin a connection, and what is then remembered.
    pub fn begin(segment: &Segment, settings: &Settings) -> Option<Tcp> {
        let window = u32::from(segment.window).max(1);
        let mut first =
            Side { end: segment.end, max_end: segment.end, max_window: window, ..Side::default() };
        let mut second = Side::default();
        match transition(ORIGINAL, TcpState::None, segment.kind) {
            Next::Go(TcpState::SynSent) => first.agree(segment),
            // Connections that were there before tracking are picked up in the middle: nobody knows their scale.
            Next::Go(_) if settings.tcp_loose => {
                first.max_end = segment.end.wrapping_add(window);
                first.flags = about::SACK_PERMITTED | about::LIBERAL;
                second.flags = first.flags;
            }
            _ => return None,
        }
        let last = Last { kind: Kind::None, ..Last::default() };
        Some(Tcp { state: TcpState::None, sides: [first, second], last })
    }

    fn side(&mut self, direction: u8) -> &mut Side {
        let [original, reply] = &mut self.sides;
        if direction == ORIGINAL { original } else { reply }
    }

    /// `nf_conntrack_tcp_packet`: a segment in a direction.
    pub fn see(&mut self, direction: u8, segment: &Segment, known: &Known, settings: &Settings) -> Seen {
        let (mut old, kind) = (self.state, segment.kind);
        let mut believed = false;
        let mut new = match transition(direction, old, kind) {
            Next::Invalid => return Seen::Invalid,
            Next::Go(TcpState::SynSent)
                if matches!(old, TcpState::TimeWait | TcpState::Close | TcpState::SynSent2) =>
            {
                // RFC 1122 4.2.2.13: a new connection may reuse the ports of one that is over.
                let closed = self.sides.iter().any(|side| side.has(about::CLOSES_FIRST));
                if closed || self.last.direction == direction && self.last.kind == Kind::Rst {
                    return Seen::Reopen;
                }
                return self.let_by(direction, segment);
            }
            Next::Ignore if self.answers_ignored_syn(direction, segment) => {
                // Both ends are in step, and tracking is not: it goes by the SYN that it has let by.
                let last = self.last;
                *self.side(last.direction) = Side {
                    end: last.end,
                    max_end: last.end,
                    max_window: u32::from(last.window).max(1),
                    max_acknowledged: self.side(last.direction).max_acknowledged,
                    scale: last.scale,
                    flags: last.flags & !expected::CHALLENGE,
                };
                self.last.flags &= !expected::CHALLENGE;
                self.side(direction).forget();
                old = TcpState::SynSent;
                TcpState::SynRecv
            }
            Next::Ignore => return self.let_by(direction, segment),
            Next::Go(new) => new,
        };
        match new {
            TcpState::TimeWait if self.is_challenge(direction, segment) => {
                self.last.flags &= !expected::CHALLENGE;
                return Seen::Ignored;
            }
            TcpState::SynSent2 => self.last.flags |= expected::SIMULTANEOUS_OPEN,
            TcpState::SynRecv
                if direction == REPLY
                    && kind == Kind::Ack
                    && self.last.flags & expected::SIMULTANEOUS_OPEN != 0 =>
            {
                new = TcpState::Established;
            }
            TcpState::Close if kind == Kind::Rst => match self.reset(direction, segment, known, settings) {
                Reset::Closes => {}
                Reset::Stays => new = old,
                Reset::Believed { closes } => {
                    believed = true;
                    new = if closes { new } else { old };
                }
                Reset::Invalid => return Seen::Invalid,
            },
            _ => {}
        }
        if !believed {
            match self.fits(direction, segment, settings) {
                Fit::Fits => {}
                Fit::Ignored => return Seen::Ignored,
                Fit::Invalid => return self.doubt(direction, kind, known, settings),
            }
        }
        self.last.kind = kind;
        self.last.direction = direction;
        self.state = new;
        if old != new && new == TcpState::FinWait {
            self.side(direction).flags |= about::CLOSES_FIRST;
        }
        let mut timeout_s = self.timeout(kind, settings);
        let mut assured = false;
        if !known.answered {
            if kind == Kind::Rst {
                // "Connection refused" leaves no connection behind.
                return Seen::Kill;
            }
            if kind == Kind::Syn && old == TcpState::SynSent {
                // Who asks again and again must not keep it for ever.
                return Seen::Ignored;
            }
            if new == TcpState::Established {
                timeout_s = timeout_s.min(settings.tcp_unacknowledged);
            }
        } else if !known.assured
            && matches!(old, TcpState::SynRecv | TcpState::Established)
            && new == TcpState::Established
        {
            assured = true;
        }
        Seen::Valid { timeout_s, assured }
    }

    /// A segment that may be out of step with what is remembered: both ends decide (`TCP_CONNTRACK_IGNORE`).
    fn let_by(&mut self, direction: u8, segment: &Segment) -> Seen {
        let last = &mut self.last;
        last.kind = segment.kind;
        last.direction = direction;
        last.sequence = segment.sequence;
        last.end = segment.end;
        last.window = segment.window;
        if segment.kind == Kind::Syn && direction == ORIGINAL {
            let mut side = Side::default();
            side.agree(segment);
            (last.scale, last.flags) = (side.scale, side.flags);
            if self.state == TcpState::LastAck {
                last.flags |= expected::CHALLENGE;
            }
        }
        if self.state == TcpState::SynSent && segment.kind == Kind::Ack && direction == REPLY {
            last.acknowledged = segment.acknowledged;
        }
        Seen::Ignored
    }

    /// A SYN-ACK to a SYN that was let by.
    fn answers_ignored_syn(&self, direction: u8, segment: &Segment) -> bool {
        segment.kind == Kind::SynAck
            && self.last.kind == Kind::Syn
            && self.last.direction != direction
            && segment.acknowledged == self.last.end
    }

    /// RFC 5961 §4: what answers a SYN in the midst of a connection does not acknowledge its end.
    fn is_challenge(&self, direction: u8, segment: &Segment) -> bool {
        self.state == TcpState::LastAck
            && segment.kind == Kind::Ack
            && self.last.direction != direction
            && self.last.kind == Kind::Syn
            && self.last.flags & expected::CHALLENGE != 0
    }

    /// `TCP_CONNTRACK_CLOSE`: RFC 5961 §3, a reset must have the very next number.
    fn reset(&self, direction: u8, segment: &Segment, known: &Known, settings: &Settings) -> Reset {
        use TcpState::{Close, CloseWait, Established, FinWait, LastAck, SynSent, TimeWait};
        if matches!(self.state, FinWait | LastAck | TimeWait | Close | CloseWait) {
            return Reset::Believed { closes: true };
        }
        let [original, reply] = &self.sides;
        let peer = if direction == ORIGINAL { reply } else { original };
        let last = &self.last;
        let mut closes = true;
        if peer.has(about::ACKNOWLEDGES) && last.kind != Kind::Syn {
            let established = self.state == Established && known.assured;
            if segment.sequence == 0 && !established {
                return Reset::Closes;
            }
            if before(segment.sequence, peer.max_acknowledged) && !settings.tcp_ignore_invalid_rst {
                return Reset::Invalid;
            }
            // The last of several segments that were sent at once.
            let behind =
                last.kind == Kind::Ack && last.direction == direction && segment.sequence == last.end;
            if !established || segment.sequence == peer.max_acknowledged || behind {
                return Reset::Closes;
            }
            closes = false;
        }
        let answers_syn = known.answered && last.kind == Kind::Syn && last.direction != direction;
        let half_open = !known.assured && last.kind == Kind::Ack;
        let answers = (answers_syn || half_open) && segment.acknowledged == last.end;
        let challenged = self.state == SynSent
            && last.kind == Kind::Ack
            && last.direction == REPLY
            && segment.sequence == last.acknowledged;
        match (answers || challenged, closes) {
            (true, closes) => Reset::Believed { closes },
            (false, true) => Reset::Closes,
            (false, false) => Reset::Stays,
        }
    }

    /// `nf_tcp_handle_invalid`: where both sides want to end it, though out of the window, it is not kept for days.
    fn doubt(&mut self, direction: u8, kind: Kind, known: &Known, settings: &Settings) -> Seen {
        let ends = |kind| matches!(kind, Kind::Fin | Kind::Rst);
        if !known.assured || !ends(kind) {
            return Seen::Invalid;
        }
        let timeout_s = settings.tcp_unacknowledged;
        if self.last.direction == direction || !ends(self.last.kind) {
            self.last.kind = kind;
            self.last.direction = direction;
        } else if known.lasts >= SOON && known.lasts > Duration::from_secs(u64::from(timeout_s)) {
            return Seen::Doubted { timeout_s };
        }
        Seen::Invalid
    }

    /// How long a connection in this state is remembered.
    fn timeout(&self, kind: Kind, settings: &Settings) -> u32 {
        let normal = settings.tcp(self.state);
        let unacknowledged = self.sides.iter().any(|side| side.has(about::UNACKNOWLEDGED));
        if u32::from(self.last.retransmissions) >= settings.tcp_max_retrans
            && normal > settings.tcp_retransmitted
        {
            settings.tcp_retransmitted
        } else if kind == Kind::Rst {
            settings.tcp(TcpState::Close)
        } else if unacknowledged && normal > settings.tcp_unacknowledged {
            settings.tcp_unacknowledged
        } else if self.last.window == 0 {
            normal.min(settings.tcp_retransmitted)
        } else {
            normal
        }
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
    use crate::netfilter::conntrack::segment::flag;

    const ACK: u8 = flag::ACK;
    const SYN: u8 = flag::SYN;
    const SYN_ACK: u8 = flag::SYN | flag::ACK;
    const FIN: u8 = flag::FIN | flag::ACK;
    const RST: u8 = flag::RST;

    /// Two ends that count bytes, and tracking between them.
    struct Talk {
        tcp: Option<Tcp>,
        /// By direction: the next number.
        next: [u32; 2],
        known: Known,
        settings: Settings,
    }

    impl Talk {
        fn new() -> Talk {
            // Close to where numbers begin again.
            let next = [u32::MAX - 3, 5000];
            Talk { tcp: None, next, known: Known::default(), settings: Settings::default() }
        }

        /// A segment with data, from so many bytes behind its right place.
        fn send_from(&mut self, direction: u8, flags: u8, len: usize, shift: i32) -> (&'static str, u32) {
            let at = usize::from(direction);
            let mut bytes = vec![0u8; 20 + len];
            let sequence = self.next[at].wrapping_add_signed(shift);
            bytes[4..8].copy_from_slice(&sequence.to_be_bytes());
            if flags & ACK != 0 {
                bytes[8..12].copy_from_slice(&self.next[1 - at].to_be_bytes());
            }
            bytes[12] = 0x50;
            bytes[13] = flags;
            bytes[14..16].copy_from_slice(&1000u16.to_be_bytes());
            let segment = Segment::read(&bytes).expect("a segment");
            if shift == 0 {
                self.next[at] = segment.end;
            }
            let begun = self.tcp.or_else(|| Tcp::begin(&segment, &self.settings));
            let mut tcp = begun.expect("a beginning");
            let seen = tcp.see(direction, &segment, &self.known, &self.settings);
            self.tcp = Some(tcp);
            self.known.answered |= direction == 1;
            let mut lasts = 0;
            let what = match seen {
                Seen::Valid { timeout_s, assured } => {
                    self.known.assured |= assured;
                    lasts = timeout_s;
                    tcp.state.name()
                }
                Seen::Ignored => "ignored",
                Seen::Invalid | Seen::Doubted { .. } => "invalid",
                Seen::Reopen => "reopen",
                Seen::Kill => "kill",
            };
            (what, lasts)
        }

        fn send(&mut self, direction: u8, flags: u8, len: usize) -> &'static str {
            self.send_from(direction, flags, len, 0).0
        }

        fn open() -> Talk {
            let mut talk = Talk::new();
            for (direction, flags) in [(0, SYN), (1, SYN_ACK), (0, ACK)] {
                talk.send(direction, flags, 0);
            }
            assert!(talk.known.assured, "after three segments");
            talk
        }
    }

    /// Runs segments (direction, flags) and lists the states.
    fn states(segments: &[(u8, u8)]) -> Vec<&'static str> {
        let mut talk = Talk::new();
        segments.iter().map(|(direction, flags)| talk.send(*direction, *flags, 0)).collect()
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
        assert_eq!(states(&[(0, SYN), (1, RST | ACK)]), ["SYN_SENT", "kill"]);
    }

    #[test]
    fn a_closed_connection_may_be_opened_again() {
        let all = [(0, SYN), (1, SYN_ACK), (0, ACK), (0, RST), (0, SYN)];
        assert_eq!(states(&all), ["SYN_SENT", "SYN_RECV", "ESTABLISHED", "CLOSE", "reopen"]);
        // Who has not closed it does not open it: the SYN is let by.
        let all = [(0, SYN), (1, SYN_ACK), (0, ACK), (1, RST), (0, SYN)];
        assert_eq!(states(&all), ["SYN_SENT", "SYN_RECV", "ESTABLISHED", "CLOSE", "ignored"]);
    }

    #[test]
    fn what_opens_nothing_is_invalid() {
        let settings = Settings::default();
        let begins = |flags: u8, settings: &Settings| {
            let mut bytes = [0u8; 20];
            bytes[12] = 0x50;
            bytes[13] = flags;
            Tcp::begin(&Segment::read(&bytes).expect("a segment"), settings).is_some()
        };
        assert!(!begins(SYN_ACK, &settings));
        assert!(!begins(RST, &settings));
        assert!(begins(ACK, &settings));
        assert!(!begins(ACK, &Settings { tcp_loose: false, ..settings }));
    }

    #[test]
    fn a_segment_must_be_in_the_window() {
        let mut talk = Talk::open();
        assert_eq!(talk.send(0, ACK, 100), "ESTABLISHED");
        assert_eq!(talk.send(1, ACK, 0), "ESTABLISHED");
        // What was sent before, again.
        assert_eq!(talk.send_from(0, ACK, 100, -100).0, "ESTABLISHED");
        // Beyond what the other side has room for.
        assert_eq!(talk.send_from(0, ACK, 10, 5000).0, "invalid");
        // More of it than there is room for.
        assert_eq!(talk.send_from(0, ACK, 10, 1001).0, "ignored");
        // Older than a window.
        assert_eq!(talk.send_from(0, ACK, 10, -5000).0, "ignored");
        // What acknowledges what nobody has sent.
        talk.next[1] += 10;
        assert_eq!(talk.send(0, ACK, 0), "invalid");
        talk.settings.tcp_be_liberal = true;
        assert_eq!(talk.send(0, ACK, 0), "ESTABLISHED");
    }

    #[test]
    fn a_reset_must_have_the_next_number() {
        let mut talk = Talk::open();
        talk.send(0, ACK, 100);
        talk.send(1, ACK, 0);
        assert_eq!(talk.send_from(0, RST, 0, -1).0, "invalid");
        // In the window: the other side asks back.
        assert_eq!(talk.send_from(0, RST, 0, 7).0, "ESTABLISHED");
        assert_eq!(talk.send_from(0, RST, 0, 0).0, "CLOSE");
    }

    #[test]
    fn what_nobody_has_acknowledged_lives_less_long() {
        let mut talk = Talk::open();
        assert_eq!(talk.send_from(0, ACK, 100, 0), ("ESTABLISHED", 300));
        assert_eq!(talk.send_from(1, ACK, 0, 0), ("ESTABLISHED", 432_000));
        for _ in 0..2 {
            assert_eq!(talk.send_from(1, ACK, 0, 0), ("ESTABLISHED", 432_000));
        }
        // The third time that the same comes again.
        assert_eq!(talk.send_from(1, ACK, 0, 0), ("ESTABLISHED", 300));
        // Picked up in the middle, and nobody answers.
        assert_eq!(Talk::new().send_from(0, ACK, 10, 0), ("ESTABLISHED", 300));
    }

    #[test]
    fn a_syn_that_is_let_by_may_begin_anew() {
        let mut talk = Talk::open();
        talk.next = [77_000, 99_000];
        assert_eq!(talk.send(0, SYN, 0), "ignored");
        assert_eq!(talk.send(1, SYN_ACK, 0), "SYN_RECV");
        assert_eq!(talk.send(0, ACK, 0), "ESTABLISHED");
        assert_eq!(talk.send(0, ACK, 10), "ESTABLISHED");
    }
}
