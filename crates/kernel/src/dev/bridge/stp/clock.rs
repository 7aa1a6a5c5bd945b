//! Times of the protocol: of its timers, and in its messages.

use std::time::Duration;

use crate::time::{Time, in_ticks, ticks, ticks_a_second};

/// Units of time in BPDUs.
const BPDU_UNITS_A_SECOND: u64 = 256;

/// What relaying adds to a message's age: a unit, or a tick of the kernel's clock if that is longer (`MESSAGE_AGE_INCR`).
pub(super) fn age_increment() -> Duration {
    ticks((ticks_a_second() / BPDU_UNITS_A_SECOND).max(1))
}

/// What the procedures need to know of the bridge device.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    pub now: Time,
    /// The bridge device is up.
    pub up: bool,
}

/// A timer that is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// What it was set to, as `br_timer_value` tells what is left of it.
    pub expires: Time,
    /// When the timer wheel lets it go off: then or a little later.
    pub fires: Time,
}

impl Alarm {
    pub(super) fn after(now: Time, delay: Duration) -> Alarm {
        Alarm { expires: now + delay, fires: now.timer(delay) }
    }

    /// At `time`, as it is set at `now`.
    pub(super) fn at(now: Time, time: Time) -> Alarm {
        Alarm { expires: time, fires: now.timer(time.since(now)) }
    }
}

/// `br_set_ticks`
pub(super) fn to_units(time: Duration) -> u16 {
    let units = in_ticks(time).saturating_mul(BPDU_UNITS_A_SECOND) / ticks_a_second();
    u16::try_from(units).unwrap_or(u16::MAX)
}

/// `br_get_ticks`
pub(super) fn from_units(units: u16) -> Duration {
    ticks((u64::from(units) * ticks_a_second()).div_ceil(BPDU_UNITS_A_SECOND))
}

/// `round_jiffies`: a time after `after`, moved to a whole second of the clock, so that timers go off together.
pub(super) fn on_the_second(now: Time, after: Duration) -> Time {
    const SECOND: u64 = 1_000_000_000;
    let at = now + after;
    let rest = at.nanos() % SECOND;
    let moved = if rest < SECOND / 4 { at.nanos() - rest } else { at.nanos() - rest + SECOND };
    if moved <= now.nanos() { at } else { Time(moved) }
}
