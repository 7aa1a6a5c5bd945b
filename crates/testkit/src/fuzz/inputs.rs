//! Inputs for a run without libFuzzer: from a target's seeds, damaged in the ways that parsers fear. The same seed
//! number gives the same inputs.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

/// The longest input.
const LENGTH_MAX: usize = 4096;
/// Values at the ends of number ranges, as bytes.
const EDGES: &[&[u8]] = &[
    &[0],
    &[1],
    &[0x7f],
    &[0x80],
    &[0xff],
    &[0, 0],
    &[0xff, 0xff],
    &[0x7f, 0xff],
    &[0xff, 0x7f],
    &[0, 0, 0, 0],
    &[0xff, 0xff, 0xff, 0xff],
    &[0xff, 0xff, 0xff, 0x7f],
    &[0, 0, 0, 0x80],
    &[0, 0, 0, 0, 0, 0, 0, 0],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
];

/// An endless row of inputs.
pub struct Inputs {
    seeds: Vec<Vec<u8>>,
    random: ChaCha8Rng,
}

impl Inputs {
    pub fn new(seeds: Vec<Vec<u8>>, number: u64) -> Self {
        Inputs { seeds, random: ChaCha8Rng::seed_from_u64(number) }
    }

    fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { (self.random.next_u64() % bound as u64) as usize }
    }

    fn seed(&mut self) -> Vec<u8> {
        let at = self.below(self.seeds.len());
        self.seeds.get(at).cloned().unwrap_or_default()
    }

    fn noise(&mut self, length: usize) -> Vec<u8> {
        let mut noise = vec![0; length];
        self.random.fill_bytes(&mut noise);
        noise
    }

    fn edit(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len());
        let length = self.below(16).min(input.len() - at);
        match self.below(8) {
            0 => {
                let noise = self.noise(length);
                input[at..at + length].copy_from_slice(&noise);
            }
            1 if at < input.len() => input[at] ^= 1 << self.below(8),
            2 => input.truncate(at),
            3 => drop(input.drain(at..at + length)),
            4 => {
                let noise = self.noise(length);
                input.splice(at..at, noise);
            }
            5 => {
                let again = input[at..at + length].to_vec();
                let to = self.below(input.len());
                input.splice(to..to, again);
            }
            6 => {
                let other = self.seed();
                let (from, to) = (self.below(other.len()), self.below(other.len()));
                let part = &other[from.min(to)..from.max(to)];
                input.splice(at..at, part.iter().copied());
            }
            _ => {
                let edge = EDGES[self.below(EDGES.len())];
                for (old, new) in input.iter_mut().skip(at).zip(edge) {
                    *old = *new;
                }
            }
        }
    }
}

impl Iterator for Inputs {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut input = if self.below(16) == 0 {
            let length = self.below(300);
            self.noise(length)
        } else {
            self.seed()
        };
        for _ in 0..self.below(8) {
            self.edit(&mut input);
        }
        input.truncate(LENGTH_MAX);
        Some(input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_number_gives_the_same_inputs() {
        let inputs = |number| Inputs::new(vec![vec![7; 40], vec![8; 3], Vec::new()], number).take(500);
        assert!(inputs(1).eq(inputs(1)));
        assert!(!inputs(1).eq(inputs(2)));
    }
}
