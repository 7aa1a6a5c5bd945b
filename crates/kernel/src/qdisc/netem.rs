//! `netem`: a network's delay, losses, doubles and errors (net/sched/sch_netem.c).

use std::collections::BTreeMap;

use hairpin_netlink::tc::{Netem, Statistics};

use super::Next;
use crate::frame::Frame;
use crate::time::Time;

/// Random numbers of 32 bits.
type Random<'a> = &'a mut dyn FnMut() -> u32;

/// A generator whose numbers depend on the one before (`struct crndstate`).
#[derive(Clone, Copy, Debug, Default)]
struct Correlated {
    last: u32,
}

impl Correlated {
    /// `get_crandom`
    fn next(&mut self, correlation: u32, random: Random<'_>) -> u32 {
        let value = u64::from(random());
        if correlation == 0 {
            return value as u32;
        }
        let rho = u64::from(correlation) + 1;
        // Both products fit: the weights make up 2^32.
        let answer = (value * ((1 << 32) - rho) + u64::from(self.last) * rho) >> 32;
        self.last = answer as u32;
        self.last
    }
}

#[derive(Clone, Debug, Default)]
pub struct NetemQueue {
    pub settings: Netem,
    /// By when they may leave, and by how they came.
    waiting: BTreeMap<(Time, u64), Frame>,
    serial: u64,
    /// Frames since the last that went ahead of others.
    counter: u32,
    delay: Correlated,
    loss: Correlated,
    duplicate: Correlated,
    reorder: Correlated,
    corrupt: Correlated,
}

impl NetemQueue {
    pub fn new(settings: Netem) -> Self {
        NetemQueue { settings, ..NetemQueue::default() }
    }

    /// `netem_change`: what waits goes on waiting.
    pub fn change(&mut self, settings: Netem) {
        self.settings = settings;
        self.counter = 0;
    }

    /// `netem_enqueue`. Returns the frame if it is dropped.
    pub(super) fn enqueue(
        &mut self,
        frame: Frame,
        now: Time,
        statistics: &mut Statistics,
        random: Random<'_>,
    ) -> Option<Frame> {
        let Netem { duplicate, duplicate_correlation, .. } = self.settings;
        let doubled = duplicate != 0 && duplicate >= self.duplicate.next(duplicate_correlation, &mut *random);
        let lost = self.is_lost(random);
        match (doubled, lost) {
            (false, true) => {
                statistics.drops = statistics.drops.wrapping_add(1);
                Some(frame)
            }
            (false, false) | (true, true) => self.enqueue_one(frame, now, statistics, random),
            (true, false) => {
                // The double may be lost once more, but is not doubled again.
                let copy = frame.clone();
                if !self.is_lost(random) {
                    drop(self.enqueue_one(copy, now, statistics, random));
                }
                self.enqueue_one(frame, now, statistics, random)
            }
        }
    }

    fn is_lost(&mut self, random: Random<'_>) -> bool {
        let Netem { loss, loss_correlation, .. } = self.settings;
        loss != 0 && loss >= self.loss.next(loss_correlation, random)
    }

    fn enqueue_one(
        &mut self,
        mut frame: Frame,
        now: Time,
        statistics: &mut Statistics,
        random: Random<'_>,
    ) -> Option<Frame> {
        let settings = self.settings;
        let (corrupt, corrupt_correlation) = settings.corrupt;
        if corrupt != 0 && corrupt >= self.corrupt.next(corrupt_correlation, &mut *random) {
            let len = frame.len().max(1) as u32;
            let (at, bit) = (random() % len, random() % 8);
            if let Some(byte) = frame.bytes_mut().get_mut(at as usize) {
                *byte ^= 1 << bit;
            }
        }
        if self.waiting.len() >= settings.limit as usize {
            statistics.drops = statistics.drops.wrapping_add(1);
            return Some(frame);
        }
        statistics.queued += 1;
        statistics.backlog = statistics.backlog.wrapping_add(frame.len() as u32);
        let in_turn = settings.gap == 0
            || self.counter < settings.gap - 1
            || settings.reorder.0 < self.reorder.next(settings.reorder.1, &mut *random);
        let leaves = if in_turn {
            self.counter = self.counter.wrapping_add(1);
            self.leaves(frame.len(), now, random)
        } else {
            // Ahead of all others.
            self.counter = 0;
            statistics.requeues = statistics.requeues.wrapping_add(1);
            now
        };
        self.serial += 1;
        self.waiting.insert((leaves, self.serial), frame);
        None
    }

    /// When a frame that comes now may leave.
    fn leaves(&mut self, len: usize, now: Time, random: Random<'_>) -> Time {
        let Netem { latency, jitter, delay_correlation, rate, .. } = self.settings;
        // `tabledist` without a table: evenly within the jitter.
        let mut delay = match jitter {
            0 => i128::from(latency),
            jitter => {
                let value = u64::from(self.delay.next(delay_correlation, random));
                i128::from(value % jitter.saturating_mul(2)) + i128::from(latency) - i128::from(jitter)
            }
        };
        let mut from = now;
        if let Some(takes) = (len as u64 * 1_000_000_000).checked_div(rate) {
            // The one before takes its time, and its delay counts towards this one's.
            if let Some(((last, _), _)) = self.waiting.last_key_value() {
                delay = (delay - i128::from(last.since(now).as_nanos() as u64)).max(0);
                from = (*last).max(now);
            }
            delay += i128::from(takes);
        }
        let at = i128::from(from.nanos()) + delay;
        Time(u64::try_from(at.max(0)).unwrap_or(u64::MAX)).min(Time::END)
    }

    pub(super) fn dequeue(&mut self, now: Time) -> Next {
        let Some(first) = self.waiting.first_entry() else { return Next::Empty };
        match first.key().0 {
            at if at > now => Next::At(at),
            _ => Next::Frame(first.remove()),
        }
    }

    pub(super) fn drain(&mut self) -> Vec<Frame> {
        std::mem::take(&mut self.waiting).into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Frame {
        crate::frame::Pool::default().frame_from(&[0; 98])
    }

    fn queue(settings: Netem) -> NetemQueue {
        NetemQueue::new(Netem { limit: 1000, ..settings })
    }

    fn lost_of(queue: &mut NetemQueue, count: u32, mut random: impl FnMut() -> u32) -> usize {
        let mut statistics = Statistics::default();
        let lost =
            (0..count).filter(|_| queue.enqueue(frame(), Time::ZERO, &mut statistics, &mut random).is_some());
        let lost = lost.count();
        assert_eq!(statistics.drops as usize, lost);
        lost
    }

    #[test]
    fn a_frame_leaves_after_its_delay() {
        let mut queue = queue(Netem { latency: 5_000, jitter: 1_000, ..Netem::default() });
        let mut statistics = Statistics::default();
        for value in [0, 1_999, 1_000] {
            assert!(queue.enqueue(frame(), Time(100), &mut statistics, &mut || value).is_none());
        }
        assert_eq!((statistics.queued, statistics.backlog), (3, 294));
        let mut left = Vec::new();
        let mut now = Time(100);
        loop {
            match queue.dequeue(now) {
                Next::At(at) => now = at,
                Next::Frame(_) => left.push(now.nanos()),
                Next::Empty => break,
            }
        }
        assert_eq!(left, [4_100, 5_100, 6_099]);
    }

    #[test]
    fn losses_follow_the_probability() {
        let mut all = queue(Netem { loss: u32::MAX, ..Netem::default() });
        assert_eq!(lost_of(&mut all, 10, || u32::MAX), 10);
        let mut half = queue(Netem { loss: u32::MAX / 2, ..Netem::default() });
        let mut values = [0, u32::MAX].into_iter().cycle();
        assert_eq!(lost_of(&mut half, 10, || values.next().unwrap_or_default()), 5);
        // Doubles come back from the dead: the one is lost, the other is not.
        let mut doubled = queue(Netem { loss: u32::MAX, duplicate: u32::MAX, ..Netem::default() });
        assert_eq!(lost_of(&mut doubled, 3, || 7), 0);
        assert_eq!(doubled.waiting.len(), 3);
    }

    #[test]
    fn a_rate_spaces_frames() {
        let mut queue = queue(Netem { rate: 98_000, ..Netem::default() });
        let mut statistics = Statistics::default();
        for _ in 0..3 {
            assert!(queue.enqueue(frame(), Time(0), &mut statistics, &mut || 0).is_none());
        }
        let times: Vec<u64> = queue.waiting.keys().map(|(at, _)| at.nanos()).collect();
        assert_eq!(times, [1_000_000, 2_000_000, 3_000_000]);
        let mut full = NetemQueue::new(Netem { limit: 1, ..Netem::default() });
        assert!(full.enqueue(frame(), Time(0), &mut statistics, &mut || 0).is_none());
        assert!(full.enqueue(frame(), Time(0), &mut statistics, &mut || 0).is_some());
    }

    #[test]
    fn one_of_a_gap_goes_ahead() {
        let settings = Netem { latency: 1_000, gap: 3, reorder: (u32::MAX, 0), ..Netem::default() };
        let mut queue = queue(settings);
        let mut statistics = Statistics::default();
        for _ in 0..6 {
            assert!(queue.enqueue(frame(), Time(10), &mut statistics, &mut || 5).is_none());
        }
        let times: Vec<u64> = queue.waiting.keys().map(|(at, _)| at.nanos()).collect();
        assert_eq!(times, [10, 10, 1_010, 1_010, 1_010, 1_010]);
        assert_eq!(statistics.requeues, 2);
    }
}
