//! When acknowledgements go out: at once, or with a delay in which data may take them along.

use std::time::Duration;

use super::{Acknowledge, DELAY_MAX, DELAY_MIN, Receiver};
use crate::time::Time;

/// `TCP_MAX_QUICKACKS`
const QUICK_ACKS_MAX: u32 = 16;

impl Receiver {
    /// `tcp_incr_quickack`
    pub(super) fn quick_acks(&mut self) {
        let count = (self.window / (2 * self.segment_size)).clamp(2, QUICK_ACKS_MAX);
        self.quick = self.quick.max(count);
    }

    /// The next acknowledgement does not wait.
    pub fn acknowledge_now(&mut self) {
        self.ack_due = true;
        self.ack_now = true;
    }

    /// Acknowledgements ride on data from now on (`inet_csk_enter_pingpong_mode`).
    pub fn be_interactive(&mut self) {
        self.interactive = true;
    }

    /// `tcp_event_data_sent`: an answer soon after data makes the connection interactive.
    pub fn note_sent(&mut self, now: Time) {
        if !self.delay.is_zero() && now.since(self.last_data) < self.delay {
            self.interactive = true;
        }
    }

    /// An acknowledgement has gone out, by itself or with data (`tcp_event_ack_sent`).
    pub fn acknowledged(&mut self) {
        self.quick = self.quick.saturating_sub(1);
        self.ack_due = false;
        self.ack_now = false;
        self.pushed = false;
        self.ack_at = None;
        self.twice = None;
    }

    /// After a segment: whether an acknowledgement goes out, now or later (`__tcp_ack_snd_check`).
    pub fn check(&mut self, srtt: Option<Duration>, now: Time) -> Acknowledge {
        if !self.ack_due {
            return Acknowledge::No;
        }
        let much = self.next - self.told_at > self.segment_size;
        let opens = much && self.wanted_window() >= self.window;
        if opens || (self.quick > 0 && !self.interactive) || self.ack_now || !self.beyond.is_empty() {
            return Acknowledge::Now;
        }
        // `tcp_send_delayed_ack`
        let mut delay = self.delay.max(DELAY_MIN);
        if delay > DELAY_MIN {
            let mut most = if self.interactive || self.pushed { DELAY_MAX } else { DELAY_MAX * 5 / 2 };
            if let Some(srtt) = srtt {
                most = most.min(srtt.max(DELAY_MIN));
            }
            delay = delay.min(most);
        }
        let at = now.timer(delay.min(DELAY_MAX));
        if self.ack_at.is_some_and(|at| at <= now + delay / 4) {
            return Acknowledge::Now;
        }
        self.ack_at = Some(self.ack_at.map_or(at, |earlier| earlier.min(at)));
        Acknowledge::Later
    }

    /// The delay of an acknowledgement is over (`tcp_delack_timer_handler`): true if one goes out.
    pub fn delay_over(&mut self) -> bool {
        self.ack_at = None;
        if !self.ack_due {
            return false;
        }
        match self.interactive {
            true => {
                self.interactive = false;
                self.delay = DELAY_MIN;
            }
            false => self.delay = (self.delay * 2).min(Duration::from_secs(1)),
        }
        self.ack_now = true;
        true
    }
}
