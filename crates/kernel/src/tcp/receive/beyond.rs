//! What has come beyond a gap, and what is told of it (SACK, RFC 2018 and RFC 2883).

use super::Receiver;
use crate::tcp::segment::SackBlocks;
use crate::tcp::seq::Seq;

/// Segments out of order that are kept.
const BEYOND_MAX: usize = 4096;

impl Receiver {
    /// `tcp_data_queue_ofo`: a duplicate acknowledgement tells of the gap.
    pub(super) fn keep_beyond(&mut self, seq: Seq, data: &[u8]) {
        self.ack_due = true;
        self.ack_now = true;
        if data.is_empty() || self.beyond.len() >= BEYOND_MAX || self.space() < data.len() as u32 {
            return;
        }
        let end = seq + data.len() as u32;
        let at = self.beyond.partition_point(|(start, _)| start.is_before(seq));
        self.note_twice(seq, end);
        // What neighbours have already is cut off; one that is covered goes.
        let mut start = seq;
        if let Some((left, known)) = at.checked_sub(1).and_then(|before| self.beyond.get(before)) {
            start = start.max(*left + known.len() as u32);
        }
        while let Some((left, known)) = self.beyond.get(at)
            && !(*left + known.len() as u32).is_after(end)
        {
            self.beyond.remove(at);
        }
        let stop = match self.beyond.get(at) {
            Some((left, _)) if left.is_before(end) => *left,
            _ => end,
        };
        if start.is_before(stop) {
            let part = data.get((start - seq) as usize..(stop - seq) as usize).unwrap_or(&[]);
            self.beyond.insert(at, (start, part.to_vec()));
        }
        self.note_block(seq);
    }

    /// What of a segment beyond a gap is there already (`tcp_data_queue_ofo`).
    fn note_twice(&mut self, seq: Seq, end: Seq) {
        for (left, known) in &self.beyond {
            let right = *left + known.len() as u32;
            let (from, to) = (seq.max(*left), if right.is_before(end) { right } else { end });
            if from.is_before(to) {
                let first = self.twice.map_or(from, |(first, _)| first);
                self.twice = Some((first, to));
            }
        }
    }

    /// A segment from `seq` to `end` is old, in part at least: the next acknowledgement tells of it (`tcp_dsack_set`).
    pub fn tell_twice(&mut self, seq: Seq, end: Seq) {
        if seq.is_before(self.next) && seq != end {
            self.twice = Some((seq, if end.is_after(self.next) { self.next } else { end }));
            self.quick_acks();
        }
    }

    /// The next acknowledgement tells of something that came twice.
    pub fn tells_old(&self) -> bool {
        self.tells_twice && self.twice.is_some_and(|(start, _)| start.is_before(self.next))
    }

    /// The block around `seq` becomes the first that SACK tells (RFC 2018 §4).
    fn note_block(&mut self, seq: Seq) {
        let blocks = self.blocks();
        let Some(block) = blocks.iter().find(|(left, right)| seq.is_within(*left, *right)).copied() else {
            return;
        };
        self.recent.retain(|(left, right)| {
            let inside = left.is_within(block.0, block.1) && right.is_within(block.0, block.1);
            !inside && blocks.iter().any(|known| known == &(*left, *right))
        });
        self.recent.insert(0, block);
        self.recent.truncate(4);
    }

    /// Contiguous stretches of `beyond`.
    fn blocks(&self) -> Vec<(Seq, Seq)> {
        let mut blocks: Vec<(Seq, Seq)> = Vec::new();
        for (start, data) in &self.beyond {
            let end = *start + data.len() as u32;
            match blocks.last_mut() {
                Some((_, right)) if *right == *start => *right = end,
                _ => blocks.push((*start, end)),
            }
        }
        blocks
    }

    /// `tcp_ofo_queue`
    pub(super) fn close_gap(&mut self) {
        while let Some((start, data)) = self.beyond.first()
            && !start.is_after(self.next)
        {
            let known = (self.next - *start) as usize;
            let overlap = (*start, *start + known.min(data.len()) as u32);
            let data = data.get(known..).unwrap_or(&[]).to_vec();
            if known > 0 {
                self.twice = Some((self.twice.map_or(overlap.0, |(first, _)| first), overlap.1));
            }
            self.beyond.remove(0);
            self.append(&data);
        }
        let next = self.next;
        self.recent.retain(|(_, right)| right.is_after(next));
    }

    /// SACK blocks for a segment that goes out.
    pub fn sack(&self, most: usize) -> SackBlocks {
        let mut sack = SackBlocks::default();
        for block in self.twice.iter().filter(|_| self.tells_twice).chain(&self.recent).take(most) {
            sack.push(*block);
        }
        sack
    }
}
