//! Virtual time: nanoseconds since the world started.

use std::ops::{Add, AddAssign, Sub};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// `CONFIG_HZ`: clock ticks a second of the kernel that is emulated, as distributions configure it.
const TICKS_A_SECOND: u64 = 250;
const SECOND_NS: u64 = 1_000_000_000;

static TICK_NS: AtomicU64 = AtomicU64::new(SECOND_NS / TICKS_A_SECOND);

/// Emulates a kernel with another `CONFIG_HZ`, whose timers are as coarse as that: for all worlds of the process, before
/// the first of them. 0 and what is finer than a nanosecond changes nothing.
pub fn set_ticks_a_second(ticks: u32) {
    if let Some(tick) = SECOND_NS.checked_div(u64::from(ticks)).filter(|tick| *tick > 0) {
        TICK_NS.store(tick, Ordering::Relaxed);
    }
}

/// So many ticks of the kernel's clock (`jiffies + count`).
pub(crate) fn ticks(count: u64) -> Duration {
    Duration::from_nanos(count.saturating_mul(TICK_NS.load(Ordering::Relaxed)))
}

/// So many whole ticks are in a time.
pub(crate) fn in_ticks(time: Duration) -> u64 {
    let tick = TICK_NS.load(Ordering::Relaxed).max(1);
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX) / tick
}

/// Ticks of the kernel's clock in a second (`HZ`).
pub(crate) fn ticks_a_second() -> u64 {
    (SECOND_NS / TICK_NS.load(Ordering::Relaxed).max(1)).max(1)
}

/// An instant of a world's monotonic clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub u64);

/// Ticks that one level of the timer wheel covers, without those of the one below, in its own grains.
const LEVEL: u64 = 63;

impl Time {
    pub const ZERO: Time = Time(0);
    /// As far as the clock goes, 292 years (`KTIME_MAX`): what is due later never happens.
    pub const END: Time = Time(i64::MAX as u64);

    pub fn nanos(self) -> u64 {
        self.0
    }

    /// When the kernel's clock ticked last.
    pub(crate) fn last_tick(self) -> Time {
        Time(self.0 - self.0 % TICK_NS.load(Ordering::Relaxed).max(1))
    }

    /// How long ago `earlier` was; zero if it is in the future.
    pub fn since(self, earlier: Time) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// When a timer of the kernel that is set at this time for `after` goes off: a few milliseconds late, the
    /// more the longer it is (the timer wheel of kernel/time/timer.c: each level of the wheel is eight times coarser
    /// than the one below).
    pub fn timer(self, after: Duration) -> Time {
        let tick = TICK_NS.load(Ordering::Relaxed).max(1);
        let now = self.0 / tick;
        let wait = u64::try_from(after.as_nanos()).unwrap_or(u64::MAX).div_ceil(tick);
        let mut grain = 1u64;
        while wait >= LEVEL.saturating_mul(grain) && grain < 1 << 21 {
            grain *= 8;
        }
        let at = now.saturating_add(wait).saturating_add(grain) / grain * grain;
        Time(at.saturating_mul(tick))
    }

    /// The level of the wheel in which a timer waits that was set at `now` for this time.
    pub(crate) fn wheel_level(self, now: Time) -> u64 {
        let tick = TICK_NS.load(Ordering::Relaxed).max(1);
        let wait = self.0.saturating_sub(now.0) / tick;
        let mut level = 0;
        while wait >= LEVEL.saturating_mul(1 << (3 * level)) && level < 7 {
            level += 1;
        }
        level
    }

    /// Whether more than `wait` has passed since `earlier` by a clock that goes in ticks
    /// (`time_after(jiffies, earlier + wait)`).
    pub fn is_after(self, earlier: Time, wait: Duration) -> bool {
        let tick = TICK_NS.load(Ordering::Relaxed).max(1);
        let wait = u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX).div_ceil(tick);
        self.0 / tick > (earlier.0 / tick).saturating_add(wait)
    }

    /// In `USER_HZ` ticks (1/100 s), the unit of times in netlink messages.
    pub fn ticks(self) -> u64 {
        self.0 / 10_000_000
    }
}

impl Add<Duration> for Time {
    type Output = Time;

    fn add(self, by: Duration) -> Time {
        Time(self.0.saturating_add(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl AddAssign<Duration> for Time {
    fn add_assign(&mut self, by: Duration) {
        *self = *self + by;
    }
}

impl Sub<Duration> for Time {
    type Output = Time;

    fn sub(self, by: Duration) -> Time {
        Time(self.0.saturating_sub(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Linux asks for a silent neighbour after 1.004 to 1.032 s, and says so after 5.004 to 5.256 s.
    #[test]
    fn timers_go_off_late_the_more_the_longer_they_are() {
        for start in (0..2_000_000_000).step_by(7_654_321) {
            let late = |after: u64| {
                let after = Duration::from_millis(after);
                (Time(start).timer(after).since(Time(start)) - after).as_millis()
            };
            assert!((0..=4).contains(&late(100)), "{start}");
            assert!((0..=32).contains(&late(1000)), "{start}");
            assert!((0..=256).contains(&late(5000)), "{start}");
        }
        assert_eq!(Time(0).timer(Duration::from_secs(1)), Time(1_024_000_000));
        assert_eq!(Time(1_024_000_000).timer(Duration::from_secs(1)), Time(2_048_000_000));
    }
}
