//! Timers: a heap ordered by time, and by order of setting among equals; or, as in a slot of the kernel's timer wheel, by
//! the reverse of that.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::time::Time;

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

    /// Among equals the latest first, and behind those of [`Timers::add`]: timers that share a slot of the wheel
    /// (`enqueue_timer` puts them at the head of its list).
    pub fn add_latest_first(&mut self, at: Time, event: E) {
        self.serial += 1;
        self.heap.push(Reverse(Entry { at, serial: u64::MAX - self.serial, event }));
    }

    /// When the next event is due.
    pub fn next(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse(entry)| entry.at)
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
    fn equals_come_in_the_order_of_setting_or_the_reverse_of_it() {
        let mut timers = Timers::default();
        timers.add_latest_first(Time(5), "third");
        timers.add(Time(5), "first");
        timers.add_latest_first(Time(5), "second");
        timers.add(Time(4), "zeroth");
        let order: Vec<&str> =
            std::iter::from_fn(|| timers.pop_due(Time(5)).map(|(_, event)| event)).collect();
        assert_eq!(order, ["zeroth", "first", "second", "third"]);
    }
}
