//! The congestion window (RFC 5681, RFC 6582) and which segments count as lost (RFC 6675).

use std::collections::VecDeque;

use super::{Sender, Sent};
use crate::tcp::seq::Seq;
use crate::time::Time;

/// Duplicate acknowledgements that tell of a loss (`tcp_reordering`).
const DUPLICATES: u32 = 3;

/// Whether losses are being mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    /// Until everything sent before is acknowledged.
    Recovery {
        until: Seq,
    },
    /// After a timeout.
    Loss {
        until: Seq,
    },
}

/// How the window shrinks while losses are mended (RFC 6937): as segments leave the network, others may enter it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reduction {
    /// The window before.
    pub(super) before: u32,
    pub(super) delivered: u32,
    pub(super) sent: u32,
}

impl Sender {
    pub(super) fn mark_sacked(&mut self, sack: &[(Seq, Seq)]) -> bool {
        let mut news = false;
        for sent in &mut self.flight {
            let covered =
                sack.iter().any(|(left, right)| !sent.start.is_before(*left) && !sent.end.is_after(*right));
            news |= covered && !sent.is_sacked;
            self.delivered = self.delivered.wrapping_add(u32::from(covered && !sent.is_sacked));
            sent.is_sacked |= covered;
        }
        news
    }

    /// `tcp_fastretrans_alert`: enough was received behind a gap.
    pub(super) fn look_for_loss(&mut self, has_sack: bool, now: Time) {
        if has_sack {
            let mut behind = 0;
            for sent in self.flight.iter_mut().rev() {
                if sent.is_sacked {
                    behind += 1;
                } else if behind >= DUPLICATES && !sent.is_again {
                    sent.is_lost = true;
                }
            }
        } else if self.duplicates == DUPLICATES
            && self.phase == Phase::Open
            && let Some(first) = self.flight.front_mut()
        {
            first.is_lost = true;
        }
        let lost = self.flight.iter().any(|sent| sent.is_lost);
        if lost && self.phase == Phase::Open {
            self.reduction = Reduction { before: self.congestion, ..Reduction::default() };
            self.threshold = self.reduced();
            self.phase = Phase::Recovery { until: self.next };
            self.arm(now);
        }
    }

    /// `tcp_cwnd_reduction`: `delivered` segments have left the network. The first lost one goes again at once.
    pub(super) fn reduce(&mut self, delivered: u32) {
        let Phase::Recovery { .. } = self.phase else { return };
        let Reduction { before, sent, .. } = self.reduction;
        self.reduction.delivered += delivered;
        let delivered_all = self.reduction.delivered;
        let flight = self.in_flight();
        let more = match flight > self.threshold {
            true => (delivered_all * self.threshold).div_ceil(before.max(1)).saturating_sub(sent),
            false => (self.threshold - flight).min(delivered_all.saturating_sub(sent).max(delivered) + 1),
        };
        self.congestion = flight + more.max(u32::from(sent == 0));
    }

    /// What is left of the window after a loss (`bictcp_recalc_ssthresh`: 717/1024).
    pub(super) fn reduced(&self) -> u32 {
        (self.congestion * 717 / 1024).max(2)
    }

    pub(super) fn advance_phase(&mut self, ack: Seq, segments: u32, busy: u32, has_sack: bool, now: Time) {
        match self.phase {
            Phase::Open => {
                self.duplicates = 0;
                self.grow(segments, busy);
                self.look_for_loss(has_sack, now);
                self.reduce(segments);
            }
            Phase::Recovery { until } | Phase::Loss { until } if !ack.is_before(until) => {
                if let Phase::Recovery { .. } = self.phase {
                    self.congestion = self.threshold;
                }
                self.phase = Phase::Open;
                self.duplicates = 0;
            }
            Phase::Recovery { .. } => {
                // RFC 6582: a partial acknowledgement tells of the next loss.
                if !has_sack && let Some(first) = self.flight.front_mut() {
                    first.is_lost = true;
                }
                self.look_for_loss(has_sack, now);
                self.reduce(segments);
            }
            Phase::Loss { .. } => self.grow(segments, busy),
        }
    }

    /// Slow start, then one segment a round trip; not while the window is not made use of (`tcp_is_cwnd_limited`):
    /// `busy` segments were in flight.
    fn grow(&mut self, segments: u32, busy: u32) {
        if self.congestion < self.threshold {
            if self.congestion >= 2 * busy {
                return;
            }
            self.congestion = self.congestion.saturating_add(segments);
            return;
        }
        if self.congestion > busy {
            return;
        }
        self.grown += segments;
        if self.grown >= self.congestion {
            self.grown -= self.congestion;
            self.congestion = self.congestion.saturating_add(1);
        }
    }

    /// The timeout has come (`tcp_retransmit_timer`): everything in flight counts as lost.
    pub fn timed_out(&mut self, now: Time) {
        self.backoff += 1;
        self.tail.asked = None;
        if self.flight.is_empty() {
            return self.arm(now);
        }
        if !matches!(self.phase, Phase::Loss { .. }) {
            self.threshold = self.reduced();
        }
        self.congestion = 1;
        self.grown = 0;
        self.phase = Phase::Loss { until: self.next };
        for sent in &mut self.flight {
            sent.is_lost = !sent.is_sacked;
        }
        self.arm(now);
    }

    /// The path's MTU has shrunk (`tcp_simple_retransmit`): what is too long goes again, cut anew.
    pub fn shrink(&mut self, mss: u32) {
        self.mss = mss.max(1);
        let mut cut = VecDeque::with_capacity(self.flight.len());
        for sent in self.flight.drain(..) {
            let mut start = sent.start;
            while sent.end - start > self.mss && !sent.is_sacked {
                let end = start + self.mss;
                cut.push_back(Sent { start, end, is_lost: true, ..sent });
                start = end;
            }
            let too_long = start != sent.start;
            cut.push_back(Sent { start, is_lost: sent.is_lost || too_long, ..sent });
        }
        self.flight = cut;
    }
}
