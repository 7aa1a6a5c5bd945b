//! The tail of what is in flight: nothing behind it tells of its loss, so that it is probed (RFC 8985 §7), and what tells
//! of duplicates (RFC 2883).

use std::time::Duration;

use super::congestion::Phase;
use super::{RTO_INITIAL, RTO_MIN, Sender};
use crate::tcp::seq::Seq;
use crate::time::Time;

/// `TCP_TIMEOUT_MIN_US`: what a probe of the tail waits for beyond two round trips.
const PROBE_SLACK: Duration = Duration::from_millis(2);

/// The probe of what is in flight last: lost, it would be missed only when the timeout comes (RFC 8985 §7).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tail {
    /// The timer that is set is the probe's.
    pub(super) is_due: bool,
    /// One new segment may go, whatever the congestion window.
    pub(super) takes_new: bool,
    /// What had been sent when a probe went, until that is acknowledged (`tlp_high_seq`).
    pub(super) asked: Option<Seq>,
    /// It was something sent before (`tlp_retrans`).
    pub(super) was_again: bool,
}

impl Sender {
    /// What is left of the timeout of what has been in flight longest (`tcp_rto_delta_us`).
    pub(super) fn until_timeout(&self, now: Time) -> Duration {
        let passed = self.flight.front().map_or(Duration::ZERO, |sent| now.since(sent.at));
        self.timeout().saturating_sub(passed)
    }

    /// The timeout, where a probe's timer stood in its place (`tcp_rearm_rto`).
    pub(super) fn arm_again(&mut self, now: Time) {
        let left = self.until_timeout(now).max(Duration::from_micros(1));
        self.timeout_at = Some(now.timer(left));
        self.tail.is_due = false;
    }

    /// Sets the timer for a probe of the tail, `left` before the timeout (`tcp_schedule_loss_probe`).
    pub(super) fn watch_tail(&mut self, left: Duration, now: Time) {
        let is_quiet = self.flight.iter().all(|sent| !sent.is_sacked && !sent.is_lost && !sent.is_again);
        if !self.probes_tail || self.phase != Phase::Open || self.flight.is_empty() || !is_quiet {
            return;
        }
        let wait = match self.srtt {
            Some(srtt) => srtt * 2 + if self.flight.len() == 1 { RTO_MIN } else { PROBE_SLACK },
            None => RTO_INITIAL,
        };
        let wait = if left.is_zero() { wait } else { wait.min(left) };
        self.timeout_at = Some(now.timer(wait));
        self.tail.is_due = true;
    }

    /// Whether the timer that is set is that of a probe.
    pub fn is_tail_due(&self) -> bool {
        self.tail.is_due
    }

    /// `tcp_send_loss_probe`: something new goes, or else the last segment again; one probe at a time.
    /// False where none goes.
    pub fn probe_tail(&mut self, now: Time) -> bool {
        if self.tail.asked.is_some() || self.flight.is_empty() {
            self.arm_again(now);
            return false;
        }
        let len = self.unsent().min(self.mss);
        let fits = !(self.next + len).is_after(self.unacked + self.window);
        self.tail.was_again = len == 0 || !fits;
        match self.flight.back_mut() {
            Some(last) if self.tail.was_again => {
                last.is_lost = true;
                self.tail.asked = Some(self.next);
                self.arm(now);
            }
            _ => self.tail.takes_new = true,
        }
        true
    }

    /// `tcp_process_tlp_ack`: what an acknowledgement of a probe says of losses. `twice` ends what it tells as come twice.
    pub(super) fn judge_probe(&mut self, ack: Seq, twice: Option<Seq>, is_repeat: bool) {
        let Some(asked) = self.tail.asked.filter(|asked| !ack.is_before(*asked)) else { return };
        let is_loss = self.tail.was_again && twice != Some(asked) && ack.is_after(asked);
        if is_loss {
            self.threshold = self.reduced();
            self.congestion = self.threshold;
        }
        if is_loss || !self.tail.was_again || twice == Some(asked) || is_repeat {
            self.tail.asked = None;
        }
    }
}

/// Where a first block ends that tells of what came twice, and the blocks behind it (`tcp_check_dsack`, RFC 2883 §4).
pub(super) fn split_duplicate(sack: &[(Seq, Seq)], ack: Seq) -> (Option<Seq>, &[(Seq, Seq)]) {
    match sack {
        [(left, right), rest @ ..] if left.is_before(ack) => (Some(*right), rest),
        [(left, right), rest @ ..]
            if rest.first().is_some_and(|(from, to)| !left.is_before(*from) && !right.is_after(*to)) =>
        {
            (Some(*right), rest)
        }
        _ => (None, sack),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time(1_000_000_000);

    fn sender() -> Sender {
        let mut sender = Sender::new(Seq(999));
        sender.probes_tail = true;
        sender.sent_syn(NOW);
        sender.start_window(65_535, Seq(0), Seq(1000));
        sender.acknowledge(Seq(1), Seq(1000), 65_535, &[], None, false, NOW + Duration::from_millis(1));
        sender.mss = 100;
        sender
    }

    fn wait_ms(sender: &Sender, now: Time) -> u64 {
        let due = sender.timeout_at.expect("a timer is set");
        due.since(now).as_millis() as u64
    }

    /// The probe comes when the timeout would, and the timeout as long after it: the last segment goes after 0.2, 0.4
    /// and 0.8 seconds.
    #[test]
    fn a_lost_tail_goes_again_once_more_before_timeouts_double() {
        let mut sender = sender();
        sender.write(b"ab");
        let first = Some((Seq(1000), 2, true, false));
        assert_eq!(sender.next_segment(100, NOW), first);
        assert!(sender.is_tail_due());
        assert!((200..230).contains(&wait_ms(&sender, NOW)));
        sender.probe_tail(NOW);
        assert_eq!(sender.next_segment(100, NOW), first);
        assert!(!sender.is_tail_due());
        assert!((200..230).contains(&wait_ms(&sender, NOW)));
        sender.timed_out(NOW);
        assert_eq!(sender.next_segment(100, NOW), first);
        assert!(!sender.is_tail_due());
        assert!((400..450).contains(&wait_ms(&sender, NOW)));
    }

    #[test]
    fn of_several_segments_the_last_is_asked_for_after_two_round_trips() {
        let mut sender = sender();
        sender.write(&[0; 300]);
        assert_eq!(std::iter::from_fn(|| sender.next_segment(100, NOW)).count(), 3);
        assert!(sender.is_tail_due());
        assert!(wait_ms(&sender, NOW) <= 20);
        sender.probe_tail(NOW);
        assert_eq!(sender.next_segment(100, NOW), Some((Seq(1200), 100, true, false)));
        assert_eq!(sender.next_segment(100, NOW), None);
    }

    /// What one small segment in flight keeps back is what goes.
    #[test]
    fn something_new_goes_rather_than_something_again() {
        let mut sender = sender();
        sender.write(b"ab");
        sender.next_segment(100, NOW);
        sender.write(b"cd");
        assert_eq!(sender.next_segment(100, NOW), None);
        sender.probe_tail(NOW);
        assert_eq!(sender.next_segment(100, NOW), Some((Seq(1002), 2, true, false)));
    }

    #[test]
    fn a_first_block_below_the_acknowledgement_tells_of_duplicates() {
        let beyond = (Seq(30), Seq(40));
        let part = (Seq(32), Seq(34));
        assert_eq!(split_duplicate(&[(Seq(5), Seq(9)), beyond], Seq(20)), (Some(Seq(9)), &[beyond][..]));
        assert_eq!(split_duplicate(&[part, beyond], Seq(20)), (Some(Seq(34)), &[beyond][..]));
        assert_eq!(split_duplicate(&[beyond], Seq(20)), (None, &[beyond][..]));
    }
}
