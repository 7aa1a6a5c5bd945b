//! The packets of the synthetic capture.

mod dns;
mod ipv4;
mod ipv6;
mod link;

use hairpin_capture::Packet;

use super::build::*;

/// Times are between those of a microsecond.
const FIRST_NS: u64 = 1_700_000_000_000_000_123;
const GAP_NS: u64 = 1_234_567_890;

/// Every packet, with its time.
pub fn all() -> Vec<Packet> {
    let frames = [
        ipv4::arps(),
        ipv4::icmps(),
        ipv4::udps(),
        ipv4::tcps(),
        ipv4::fragments(),
        ipv6::ipv6s(),
        ipv6::neighbors(),
        link::vlans(),
        link::links(),
        dns::names(),
        broken(),
    ];
    let frames: Vec<Frame> = frames.concat();
    let mut time_ns = FIRST_NS;
    let mut packets = Vec::new();
    for frame in frames {
        time_ns += GAP_NS;
        let length = frame.length.unwrap_or(frame.data.len()) as u32;
        packets.push(Packet { time_ns, length, data: frame.data });
    }
    packets
}

/// The packets again and again, each with a few bytes changed or its end cut off: the same ones every time.
pub fn damaged(rounds: u64) -> Vec<Packet> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    // xorshift64
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    };
    let mut packets = Vec::new();
    for _ in 0..rounds {
        for mut packet in all() {
            for _ in 0..1 + random(3) {
                let at = random(packet.data.len());
                packet.data[at] =
                    if random(2) == 0 { random(256) as u8 } else { packet.data[at] ^ 1 << random(8) };
            }
            if random(3) == 0 {
                packet.data.truncate(1 + random(packet.data.len()));
            }
            packet.time_ns = FIRST_NS + packets.len() as u64 * GAP_NS;
            packets.push(packet);
        }
    }
    packets
}

#[derive(Clone)]
struct Frame {
    data: Vec<u8>,
    /// If more was on the wire.
    length: Option<usize>,
}

impl From<Vec<u8>> for Frame {
    fn from(data: Vec<u8>) -> Self {
        Frame { data, length: None }
    }
}

fn whole(frames: Vec<Vec<u8>>) -> Vec<Frame> {
    frames.into_iter().map(Frame::from).collect()
}

/// Cuts the capture off.
fn cut(frame: &[u8], captured: usize) -> Frame {
    Frame { data: frame[..captured.min(frame.len())].to_vec(), length: Some(frame.len()) }
}

fn broken() -> Vec<Frame> {
    let echo = v4(1).frame(&icmp(8, 0, 1, b"some data"));
    let with = |at: usize, value: u8| {
        let mut frame = echo.clone();
        frame[at] = value;
        frame
    };
    let mut frames = whole(vec![
        with(14, 0x44),
        with(14, 0x4f),
        with(14, 0x55),
        with(14, 0x65),
        with(17, 0),
        with(17, 10),
        with(17, 200),
        ether(B, A, 0x0800, b""),
        ether(B, A, 0x0800, &[0x45, 0]),
        ether(B, A, 0x86dd, &[0x60, 0]),
        ether(B, A, 0x86dd, &[0x45; 60]),
        vec![1, 2, 3, 4, 5],
        padded(echo.clone()),
    ]);
    for captured in [14, 15, 20, 33] {
        frames.push(cut(&echo, captured));
    }
    frames
}
