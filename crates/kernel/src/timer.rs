//! Timers: a heap ordered by time, and by order of setting among equals; or, as on the kernel's timer wheel, those of
//! coarser levels first and of one level in the reverse order of setting.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::time::Time;

/// Levels of the wheel (`LVL_DEPTH`), of which more than seven do not matter.
const LEVELS: u64 = 7;

#[derive(Clone, Debug)]
struct Entry<E> {
    at: Time,
    serial: u64,
    event: E,
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.serial) == (other.at, other.serial)
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.serial).cmp(&(other.at, other.serial))
    }
}

/// Pending events of type `E`.
#[derive(Clone, Debug)]
pub struct Timers<E> {
    heap: BinaryHeap<Reverse<Entry<E>>>,
    serial: u64,
}

impl<E> Default for Timers<E> {
    fn default() -> Self {
        Timers { heap: BinaryHeap::new(), serial: 0 }
    }
}

impl<E> Timers<E> {
    pub fn add(&mut self, at: Time, event: E) {
        self.serial += 1;
        self.heap.push(Reverse(Entry { at, serial: self.serial, event }));
    }

    /// Among equals behind those of [`Timers::add`], as timers that share a slot of the wheel: the latest first
    /// (`enqueue_timer` puts it at the head of the slot's list), behind those of coarser levels (`expire_timers`).
    /// `at` is what [`Time::timer`] makes of `now`.
    pub fn add_on_wheel(&mut self, now: Time, at: Time, event: E) {
        const LEVEL_BITS: u32 = 56;
        self.serial += 1;
        let finer = LEVELS.saturating_sub(at.wheel_level(now)).saturating_add(1);
        let serial = (finer << LEVEL_BITS).saturating_sub(self.serial & ((1 << LEVEL_BITS) - 1));
        self.heap.push(Reverse(Entry { at, serial: 1 << (u64::BITS - 1) | serial, event }));
    }

    /// When the next event is due.
    pub fn next(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse(entry)| entry.at)
    }

    /// The next event if it is due at `now`, and such.
    pub fn pop_due_if(&mut self, now: Time, is: impl Fn(&E) -> bool) -> Option<(Time, E)> {
        let Reverse(next) = self.heap.peek()?;
        if is(&next.event) { self.pop_due(now) } else { None }
    }

    /// The next event if it is due at `now`.
    pub fn pop_due(&mut self, now: Time) -> Option<(Time, E)> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| (entry.at, entry.event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coarser_levels_come_first() {
        let second = Time(0).timer(std::time::Duration::from_secs(1));
        let mut timers = Timers::default();
        timers.add_on_wheel(second, second, "now");
        timers.add_on_wheel(Time(0), second, "a second ago");
        timers.add_on_wheel(second, second, "now too");
        let order: Vec<&str> =
            std::iter::from_fn(|| timers.pop_due(second).map(|(_, event)| event)).collect();
        assert_eq!(order, ["a second ago", "now too", "now"]);
    }

    #[test]
    fn equals_come_in_the_order_of_setting_or_the_reverse_of_it() {
        let mut timers = Timers::default();
        timers.add_on_wheel(Time(5), Time(5), "third");
        timers.add(Time(5), "first");
        timers.add_on_wheel(Time(5), Time(5), "second");
        timers.add(Time(4), "zeroth");
        let order: Vec<&str> =
            std::iter::from_fn(|| timers.pop_due(Time(5)).map(|(_, event)| event)).collect();
        assert_eq!(order, ["zeroth", "first", "second", "third"]);
    }
}
