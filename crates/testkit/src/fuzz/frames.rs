//! Frames into every device of a world.
//!
//! The input is a list of: place, interface, pause, length (two bytes, little endian), frame.

use super::arena::Arena;
use super::bytes::Bytes;
use super::samples;

/// Frames that one input may hold.
const FRAMES_MAX: usize = 64;

/// Runs one input.
pub fn run(data: &[u8]) {
    let mut arena = Arena::new();
    let mut input = Bytes(data);
    for _ in 0..FRAMES_MAX {
        if input.is_empty() {
            break;
        }
        let (place, ifindex, pause, length) = (input.u8(), input.u8(), input.u8(), input.u16());
        arena.inject(place, ifindex % 20, input.take(usize::from(length)));
        arena.pause(pause);
    }
    arena.finish();
}

/// Every sample frame through some device, some at a time.
pub fn seeds() -> Vec<Vec<u8>> {
    let record = |(at, frame): (usize, &Vec<u8>)| {
        let length = (frame.len() as u16).to_le_bytes();
        let mut record = vec![(at % 6) as u8, 1 + (at % 5) as u8, (at % 3 * 10) as u8, length[0], length[1]];
        record.extend(frame);
        record
    };
    let records: Vec<Vec<u8>> = samples::frames().iter().enumerate().map(record).collect();
    records.chunks(4).map(<[_]>::concat).collect()
}
