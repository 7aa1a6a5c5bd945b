//! `tbf`: a token bucket that holds frames to a rate (net/sched/sch_tbf.c).

use std::collections::VecDeque;
use std::time::Duration;

use hairpin_netlink::tc::{Statistics, TICK_NS, Tbf};

use super::Next;
use crate::frame::Frame;
use crate::time::Time;

#[derive(Clone, Debug, Default)]
pub struct TbfQueue {
    pub settings: Tbf,
    waiting: VecDeque<Frame>,
    backlog: u64,
    /// What the bucket holds, as time at the rate.
    tokens: i64,
    /// When the bucket was looked at last.
    seen: Time,
}

impl TbfQueue {
    /// With a full bucket (`tbf_change`).
    pub fn new(settings: Tbf, now: Time) -> Self {
        let tokens = bucket_ns(&settings);
        TbfQueue { settings, tokens, seen: now, ..TbfQueue::default() }
    }

    /// As for a new one. What waits goes on waiting, but for what is too long now: it would wait for ever.
    pub fn change(&mut self, settings: Tbf, now: Time, statistics: &mut Statistics) {
        self.settings = settings;
        (self.tokens, self.seen) = (bucket_ns(&settings), now);
        let longest = self.longest();
        let before = self.waiting.len();
        self.waiting.retain(|frame| frame.len() as u64 <= longest);
        self.backlog = self.waiting.iter().map(|frame| frame.len() as u64).sum();
        statistics.queued = self.waiting.len() as u32;
        statistics.backlog = u32::try_from(self.backlog).unwrap_or(u32::MAX);
        statistics.drops = statistics.drops.wrapping_add((before - self.waiting.len()) as u32);
    }

    /// The longest frame that ever passes: the bucket's size.
    fn longest(&self) -> u64 {
        let bytes = bucket_ns(&self.settings) as u64 * u64::from(self.settings.rate.rate) / 1_000_000_000;
        self.settings.burst.map_or(bytes, u64::from)
    }

    /// `tbf_enqueue`. Returns the frame if it is dropped.
    pub(super) fn enqueue(&mut self, frame: Frame, statistics: &mut Statistics) -> Option<Frame> {
        let len = frame.len() as u64;
        if len > self.longest() || self.backlog + len > u64::from(self.settings.limit) {
            statistics.drops = statistics.drops.wrapping_add(1);
            return Some(frame);
        }
        self.backlog += len;
        statistics.queued += 1;
        statistics.backlog = statistics.backlog.wrapping_add(frame.len() as u32);
        self.waiting.push_back(frame);
        None
    }

    /// `tbf_dequeue`
    pub(super) fn dequeue(&mut self, now: Time, statistics: &mut Statistics) -> Next {
        let Some(first) = self.waiting.front() else { return Next::Empty };
        let bucket = bucket_ns(&self.settings);
        let passed = i64::try_from(now.since(self.seen).as_nanos()).unwrap_or(i64::MAX).min(bucket);
        let cost = first.len() as u64 * 1_000_000_000 / u64::from(self.settings.rate.rate.max(1));
        let left = passed.saturating_add(self.tokens).min(bucket).saturating_sub(cost as i64);
        if left < 0 {
            statistics.overlimits = statistics.overlimits.wrapping_add(1);
            return Next::At(now + Duration::from_nanos(left.unsigned_abs()));
        }
        (self.seen, self.tokens) = (now, left);
        match self.waiting.pop_front() {
            Some(frame) => {
                self.backlog = self.backlog.saturating_sub(frame.len() as u64);
                Next::Frame(frame)
            }
            None => Next::Empty,
        }
    }

    pub(super) fn drain(&mut self) -> Vec<Frame> {
        self.backlog = 0;
        std::mem::take(&mut self.waiting).into()
    }
}

/// How long the rate needs for what the bucket holds.
fn bucket_ns(settings: &Tbf) -> i64 {
    let ns = match settings.burst {
        Some(burst) => u64::from(burst) * 1_000_000_000 / u64::from(settings.rate.rate.max(1)),
        None => u64::from(settings.buffer) * TICK_NS,
    };
    i64::try_from(ns).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hairpin_netlink::tc::RateSpec;

    #[test]
    fn frames_wait_for_tokens() {
        // 100 bytes take a millisecond; the bucket holds two frames, three more may wait.
        let settings = Tbf {
            rate: RateSpec { cell_log: 3, rate: 100_000 },
            burst: Some(200),
            limit: 500,
            ..Tbf::default()
        };
        let mut queue = TbfQueue::new(settings, Time(0));
        let mut statistics = Statistics::default();
        let frame = |len: usize| crate::frame::Pool::default().frame_from(&vec![0; len]);
        assert!(queue.enqueue(frame(201), &mut statistics).is_some(), "longer than the bucket");
        for i in 0..6 {
            assert_eq!(queue.enqueue(frame(100), &mut statistics).is_some(), i == 5, "{i}");
        }
        let (mut now, mut left) = (Time(0), Vec::new());
        loop {
            match queue.dequeue(now, &mut statistics) {
                Next::At(at) => now = at,
                Next::Frame(_) => left.push(now.nanos() / 1000),
                Next::Empty => break,
            }
        }
        assert_eq!(left, [0, 0, 1_000, 2_000, 3_000]);
        assert_eq!((statistics.drops, statistics.overlimits), (2, 3));
    }
}
