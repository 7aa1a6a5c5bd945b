//! Capture files of both formats. The input is the file.

use hairpin_capture::LinkType;
use hairpin_capture::pcap::{InterfaceDescription, PcapngWriter, Reader, Writer};

use super::samples;

/// Runs one input.
pub fn run(data: &[u8]) {
    let Ok(mut reader) = Reader::new(data) else { return };
    let (_, _) = (reader.link(), reader.snaplen());
    // A packet is at least a header, so there are no more of them than bytes.
    for _ in 0..=data.len() {
        match reader.next_packet() {
            Ok(Some(packet)) => assert!(packet.data.len() <= data.len()),
            Ok(None) => break,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                break;
            }
        }
    }
}

/// The sample frames in a file of each format, in microseconds and nanoseconds.
pub fn seeds() -> Vec<Vec<u8>> {
    let frames = samples::frames();
    let frames = frames.get(..6).unwrap_or(frames);
    [classic(frames, false), classic(frames, true), pcapng(frames)].into_iter().flatten().collect()
}

fn classic(frames: &[Vec<u8>], nanoseconds: bool) -> std::io::Result<Vec<u8>> {
    let mut writer = Writer::new(Vec::new(), LinkType::ETHERNET, 262_144, nanoseconds)?;
    for (at, frame) in (0_u64..).zip(frames) {
        writer.write(at * 1_500_000_001, frame.len() as u32, frame)?;
    }
    Ok(writer.into_inner())
}

fn pcapng(frames: &[Vec<u8>]) -> std::io::Result<Vec<u8>> {
    let mut writer = PcapngWriter::new(Vec::new())?;
    let description = InterfaceDescription { name: "eth0".to_owned(), link: LinkType::ETHERNET, snaplen: 0 };
    let interface = writer.interface(&description)?;
    for (at, frame) in (0_u64..).zip(frames) {
        writer.packet(interface, at * 1_500_000_001, frame.len() as u32, frame)?;
    }
    Ok(writer.into_inner())
}
