//! rtnetlink requests, several in a row, then some traffic.
//!
//! The input is a list of: place (bit 7: the length in the request's header is put right), length (two bytes, little
//! endian), request.

use hairpin_netlink::{Call, Reply, codec};

use super::arena::Arena;
use super::bytes::Bytes;
use super::samples;

/// Requests that one input may hold.
const REQUESTS_MAX: usize = 64;
const LENGTH_IS_PUT_RIGHT: u8 = 0x80;

/// Runs one input.
pub fn run(data: &[u8]) {
    let mut arena = Arena::new();
    let mut input = Bytes(data);
    for _ in 0..REQUESTS_MAX {
        if input.is_empty() {
            break;
        }
        let (place, length) = (input.u8(), input.u16());
        let mut request = input.take(usize::from(length)).to_vec();
        if place & LENGTH_IS_PUT_RIGHT != 0 {
            put_length(&mut request);
        }
        ask(&mut arena, place & !LENGTH_IS_PUT_RIGHT, &request);
    }
    for (at, frame) in samples::frames().iter().enumerate().take(12) {
        arena.inject(at as u8, at as u8 % 8, frame);
    }
    arena.pause(24);
    arena.finish();
}

/// Sends a request; the answer must be whole messages, each of which parses.
pub(super) fn ask(arena: &mut Arena, place: u8, request: &[u8]) {
    let Ok(Reply::Bytes(answer)) = arena.call(place, Call::Netlink(request.to_vec())) else { return };
    let mut length = 0;
    for message in codec::messages(&answer) {
        length += (codec::HEADER_LEN + message.payload.len()).next_multiple_of(4);
        if message.outcome().is_none() && message.header.kind != codec::NLMSG_NOOP {
            let parsed = message.message();
            assert!(parsed.is_ok(), "an answer does not parse: {:?} {parsed:?}", message);
        }
    }
    assert_eq!(length, answer.len(), "an answer is not a row of messages");
}

fn put_length(request: &mut [u8]) {
    let length = request.len() as u32;
    if let Some(field) = request.first_chunk_mut::<4>() {
        *field = length.to_ne_bytes();
    }
}

/// The sample requests, some at a time.
pub fn seeds() -> Vec<Vec<u8>> {
    let record = |request: &Vec<u8>| {
        let length = (request.len() as u16).to_le_bytes();
        let mut record = vec![LENGTH_IS_PUT_RIGHT, length[0], length[1]];
        record.extend(request);
        record
    };
    let records: Vec<Vec<u8>> = samples::requests().iter().map(record).collect();
    records.chunks(6).map(<[_]>::concat).collect()
}
