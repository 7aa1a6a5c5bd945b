//! The pcap file format (draft-ietf-opsawg-pcap): a header of 24 bytes, then packets.

use std::io::{self, Read, Write};

use super::{Error, check_captured, read_up_to, read_vec, snaplen_of, truncated};
use crate::{LinkType, Packet};

const MAGIC_MICROSECONDS: u32 = 0xa1b2_c3d4;
const MAGIC_NANOSECONDS: u32 = 0xa1b2_3c4d;
const HEADER_LEN: usize = 24;
const PACKET_HEADER_LEN: usize = 16;
const NS_PER_S: u64 = 1_000_000_000;

#[derive(Debug)]
pub(crate) struct Header {
    big_endian: bool,
    nanoseconds: bool,
    lengths: Lengths,
    pub link: LinkType,
    pub snaplen: u32,
}

/// Old files have a packet's two lengths the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lengths {
    InOrder,
    Swapped,
    MaybeSwapped,
}

impl Header {
    /// Reads what follows the first four bytes; none if these are no pcap magic.
    pub fn read(magic: [u8; 4], input: &mut impl Read) -> Result<Option<Self>, Error> {
        let (big_endian, magic) = match u32::from_le_bytes(magic) {
            known @ (MAGIC_MICROSECONDS | MAGIC_NANOSECONDS) => (false, known),
            _ => (true, u32::from_be_bytes(magic)),
        };
        if !matches!(magic, MAGIC_MICROSECONDS | MAGIC_NANOSECONDS) {
            return Ok(None);
        }
        let mut rest = [0; HEADER_LEN - 4];
        let got = read_up_to(input, &mut rest)?;
        if got < rest.len() {
            return Err(truncated("file header bytes", HEADER_LEN, got));
        }
        let word = |at: usize| word(&rest, at, big_endian);
        let (major, minor) =
            if big_endian { (word(0) >> 16, word(0) & 0xffff) } else { (word(0) & 0xffff, word(0) >> 16) };
        let lengths = match (major, minor) {
            (0 | 1, _) => return Err(Error::Format("archaic pcap savefile format".to_owned())),
            (2, 0..=2) | (543, _) => Lengths::Swapped,
            (2, 3) => Lengths::MaybeSwapped,
            (2, 4) => Lengths::InOrder,
            _ => {
                return Err(Error::Format(format!("unsupported pcap savefile version {major}.{minor}")));
            }
        };
        let header = Header {
            big_endian,
            nanoseconds: magic == MAGIC_NANOSECONDS,
            lengths,
            link: LinkType(word(16) as u16),
            snaplen: snaplen_of(word(12)),
        };
        Ok(Some(header))
    }

    pub fn next_packet(&self, input: &mut impl Read) -> Result<Option<Packet>, Error> {
        let mut header = [0; PACKET_HEADER_LEN];
        match read_up_to(input, &mut header)? {
            0 => return Ok(None),
            PACKET_HEADER_LEN => {}
            got => return Err(truncated("header bytes", PACKET_HEADER_LEN, got)),
        }
        let word = |at: usize| word(&header, at, self.big_endian);
        let (mut captured, mut length) = (word(8), word(12));
        if self.lengths == Lengths::Swapped || (self.lengths == Lengths::MaybeSwapped && captured > length) {
            std::mem::swap(&mut captured, &mut length);
        }
        check_captured(captured, self.snaplen)?;
        let mut data = read_vec(input, captured as usize)?;
        if data.len() < captured as usize {
            return Err(truncated("captured bytes", captured as usize, data.len()));
        }
        data.truncate(self.snaplen as usize);
        let unit = if self.nanoseconds { 1 } else { 1000 };
        let time_ns = u64::from(word(0)) * NS_PER_S + u64::from(word(4)) * unit;
        Ok(Some(Packet { time_ns, length, data }))
    }
}

fn word(bytes: &[u8], at: usize, big_endian: bool) -> u32 {
    let bytes = bytes.get(at..at + 4).and_then(|b| b.first_chunk()).copied().unwrap_or_default();
    if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
}

/// Writes a pcap file in little-endian order.
#[derive(Debug)]
pub struct Writer<W> {
    output: W,
    nanoseconds: bool,
}

impl<W: Write> Writer<W> {
    /// Writes the file's header.
    ///
    /// # Errors
    /// The output's.
    pub fn new(mut output: W, link: LinkType, snaplen: u32, nanoseconds: bool) -> io::Result<Self> {
        let magic = if nanoseconds { MAGIC_NANOSECONDS } else { MAGIC_MICROSECONDS };
        let mut header = Vec::with_capacity(HEADER_LEN);
        header.extend(magic.to_le_bytes());
        header.extend(2u16.to_le_bytes());
        header.extend(4u16.to_le_bytes());
        header.extend([0; 8]);
        header.extend(snaplen.to_le_bytes());
        header.extend(u32::from(link.0).to_le_bytes());
        output.write_all(&header)?;
        Ok(Writer { output, nanoseconds })
    }

    /// # Errors
    /// The output's.
    pub fn write(&mut self, time_ns: u64, length: u32, data: &[u8]) -> io::Result<()> {
        let fraction = time_ns % NS_PER_S / if self.nanoseconds { 1 } else { 1000 };
        let mut header = [0; PACKET_HEADER_LEN];
        header[..4].copy_from_slice(&((time_ns / NS_PER_S) as u32).to_le_bytes());
        header[4..8].copy_from_slice(&(fraction as u32).to_le_bytes());
        header[8..12].copy_from_slice(&(data.len() as u32).to_le_bytes());
        header[12..].copy_from_slice(&length.to_le_bytes());
        self.output.write_all(&header)?;
        self.output.write_all(data)
    }

    /// # Errors
    /// The output's.
    pub fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }

    pub fn get_mut(&mut self) -> &mut W {
        &mut self.output
    }

    pub fn into_inner(self) -> W {
        self.output
    }
}

#[cfg(test)]
mod tests {
    use super::super::Reader;
    use super::*;

    fn file(nanoseconds: bool) -> Vec<u8> {
        let mut writer = Writer::new(Vec::new(), LinkType::ETHERNET, 65_535, nanoseconds).expect("header");
        writer.write(1_700_000_000_123_456_789, 60, &[1, 2, 3]).expect("packet");
        writer.into_inner()
    }

    /// The same file in the other byte order.
    fn swapped(bytes: &[u8]) -> Vec<u8> {
        let mut out: Vec<u8> = bytes[..4].iter().rev().copied().collect();
        out.extend([bytes[5], bytes[4], bytes[7], bytes[6]]);
        for word in bytes[8..40].chunks(4) {
            out.extend(word.iter().rev());
        }
        out.extend(&bytes[40..]);
        out
    }

    fn read(bytes: &[u8]) -> Result<Vec<Packet>, String> {
        let mut reader = Reader::new(bytes).map_err(|error| error.to_string())?;
        let mut packets = Vec::new();
        while let Some(packet) = reader.next_packet().map_err(|error| error.to_string())? {
            packets.push(packet);
        }
        Ok(packets)
    }

    #[test]
    fn what_is_written_is_read_back_in_both_byte_orders() {
        for (nanoseconds, time_ns) in [(true, 1_700_000_000_123_456_789), (false, 1_700_000_000_123_456_000)]
        {
            let expected = vec![Packet { time_ns, length: 60, data: vec![1, 2, 3] }];
            let file = file(nanoseconds);
            assert_eq!(read(&file).as_ref(), Ok(&expected));
            assert_eq!(read(&swapped(&file)).as_ref(), Ok(&expected));
        }
    }

    #[test]
    fn truncated_files_say_where() {
        let file = file(false);
        let error = |length: usize| read(&file[..length]).expect_err("truncated");
        assert_eq!(error(3), "truncated dump file; tried to read 4 file header bytes, only got 3");
        assert_eq!(error(10), "truncated dump file; tried to read 24 file header bytes, only got 6");
        assert_eq!(error(27), "truncated dump file; tried to read 16 header bytes, only got 3");
        assert_eq!(error(42), "truncated dump file; tried to read 3 captured bytes, only got 2");
        assert_eq!(read(b"abcdefgh"), Err("unknown file format".to_owned()));
        let mut huge = file;
        huge[35] = 0x40;
        assert_eq!(
            read(&huge),
            Err("invalid packet capture length 1073741827, bigger than snaplen of 65535".to_owned())
        );
    }
}
