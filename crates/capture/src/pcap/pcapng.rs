//! The pcapng file format (draft-ietf-opsawg-pcapng): blocks of sections, interfaces and packets.
//!
//! Obsolete packet blocks (type 2) are skipped like any unknown block. As in libpcap, every interface of a file has
//! the first one's link type.

use std::io::{self, Read, Write};

use super::{Error, SNAPLEN_MAX, read_up_to, snaplen_of};
use crate::{LinkType, Packet};

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
const OPTION_END: u16 = 0;
const OPTION_NAME: u16 = 2;
const OPTION_TIME_RESOLUTION: u16 = 9;
const OPTION_TIME_OFFSET: u16 = 14;

const BLOCK_LEN_MIN: u32 = 12;
const BLOCK_LEN_MAX: u32 = 16 * 1024 * 1024;
const INTERFACES_MAX: usize = 65_536;
const NS_PER_S: u128 = 1_000_000_000;

#[derive(Debug)]
pub(crate) struct Section {
    big_endian: bool,
    interfaces: Vec<Interface>,
}

#[derive(Clone, Copy, Debug)]
struct Interface {
    link: LinkType,
    snaplen: u32,
    /// Time units in a second.
    resolution: u64,
    offset_s: i64,
}

struct Block {
    kind: u32,
    body: Vec<u8>,
}

impl Section {
    /// Reads what follows the first four bytes up to the first interface; none if these start no section.
    pub fn read(magic: [u8; 4], input: &mut impl Read) -> Result<Option<Self>, Error> {
        if u32::from_be_bytes(magic) != SECTION_HEADER {
            return Ok(None);
        }
        let mut head = [0; 8];
        let got = read_up_to(input, &mut head)?;
        let order = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
        let big_endian = order == BYTE_ORDER_MAGIC;
        if got < head.len() || (!big_endian && order.swap_bytes() != BYTE_ORDER_MAGIC) {
            return Err(Error::Format("unknown file format".to_owned()));
        }
        let mut section = Section { big_endian, interfaces: Vec::new() };
        let length = section.word(&head, 0)?;
        if !(28..=1024 * 1024).contains(&length) {
            return Err(Error::Format(format!(
                "Section Header Block in pcapng dump file has invalid length 28 < _{length}_ < 1048576 \
                 (BT_SHB_INSANE_MAX)"
            )));
        }
        let mut body = order.to_be_bytes().to_vec();
        body.extend(rest_of_block(input, length as usize - 12)?);
        section.check_section(&body)?;
        while section.interfaces.is_empty() {
            match section.next_block(input)? {
                None => return Err(format("the capture file has no Interface Description Blocks")),
                Some(block) if block.kind == INTERFACE_DESCRIPTION => section.add_interface(&block)?,
                Some(block) if matches!(block.kind, SIMPLE_PACKET | ENHANCED_PACKET) => {
                    return Err(format(
                        "the capture file has a packet block before any Interface Description Blocks",
                    ));
                }
                Some(_) => {}
            }
        }
        Ok(Some(section))
    }

    pub fn link(&self) -> LinkType {
        self.interfaces.first().map_or(LinkType::ETHERNET, |interface| interface.link)
    }

    pub fn snaplen(&self) -> u32 {
        self.interfaces.first().map_or(SNAPLEN_MAX, |interface| interface.snaplen)
    }

    pub fn next_packet(&mut self, input: &mut impl Read) -> Result<Option<Packet>, Error> {
        let (link, snaplen) = (self.link(), self.snaplen());
        while let Some(block) = self.next_block(input)? {
            match block.kind {
                ENHANCED_PACKET => {
                    let (high, low) = (self.field(&block, 4)?, self.field(&block, 8)?);
                    let units = u64::from(high) << 32 | u64::from(low);
                    return self.packet(&block, self.field(&block, 0)?, units, 12, 16, 20).map(Some);
                }
                SIMPLE_PACKET => return self.simple_packet(&block).map(Some),
                INTERFACE_DESCRIPTION => {
                    self.add_interface(&block)?;
                    let added = self.interfaces.last().copied();
                    if let Some(added) = added.filter(|added| added.link != link) {
                        return Err(Error::Format(format!(
                            "an interface has a type {} different from the type of the first interface",
                            added.link.0
                        )));
                    }
                    if let Some(added) = added.filter(|added| added.snaplen != snaplen) {
                        return Err(Error::Format(format!(
                            "an interface has a snapshot length {} different from the snapshot length of the \
                             first interface",
                            added.snaplen
                        )));
                    }
                }
                SECTION_HEADER => {
                    self.check_section(&block.body)?;
                    // The new section counts its interfaces from 0; a file has one link type all the same.
                    let first = self.interfaces.first().copied();
                    self.interfaces.clear();
                    while self.interfaces.is_empty() {
                        match self.next_block(input)? {
                            None => return Ok(None),
                            Some(block) if block.kind == INTERFACE_DESCRIPTION => {
                                self.add_interface(&block)?
                            }
                            Some(block) if matches!(block.kind, SIMPLE_PACKET | ENHANCED_PACKET) => {
                                return Err(no_interface(0));
                            }
                            Some(_) => {}
                        }
                    }
                    if let (Some(first), Some(now)) = (first, self.interfaces.first())
                        && first.link != now.link
                    {
                        return Err(Error::Format(format!(
                            "an interface has a type {} different from the type of the first interface",
                            now.link.0
                        )));
                    }
                }
                _ => {}
            }
        }
        Ok(None)
    }

    fn packet(
        &self,
        block: &Block,
        interface: u32,
        units: u64,
        captured_at: usize,
        length_at: usize,
        data_at: usize,
    ) -> Result<Packet, Error> {
        let captured = self.field(block, captured_at)?;
        let length = self.field(block, length_at)?;
        let Some(interface) = self.interfaces.get(interface as usize) else {
            return Err(no_interface(interface));
        };
        let snaplen = self.snaplen();
        if captured > snaplen {
            return Err(Error::Format(format!(
                "invalid packet capture length {captured}, bigger than snaplen of {snaplen}"
            )));
        }
        let data = block.body.get(data_at..).and_then(|rest| rest.get(..captured as usize));
        let data = data.ok_or_else(|| too_short(block.kind))?.to_vec();
        Ok(Packet { time_ns: interface.nanoseconds(units), length, data })
    }

    fn simple_packet(&self, block: &Block) -> Result<Packet, Error> {
        let length = self.field(block, 0)?;
        let captured = length.min(self.snaplen()) as usize;
        let data = block.body.get(4..).and_then(|rest| rest.get(..captured));
        let data = data.ok_or_else(|| too_short(block.kind))?.to_vec();
        Ok(Packet { time_ns: 0, length, data })
    }

    fn check_section(&self, body: &[u8]) -> Result<(), Error> {
        match self.word(body, 0)? {
            BYTE_ORDER_MAGIC => {}
            order if order.swap_bytes() == BYTE_ORDER_MAGIC => {
                return Err(format("the file has sections with different byte orders"));
            }
            _ => return Err(format("the file has a section with a bad byte order magic field")),
        }
        let (major, minor) = (self.half(body, 4)?, self.half(body, 6)?);
        if major != 1 || !matches!(minor, 0 | 2) {
            return Err(Error::Format(format!("unsupported pcapng savefile version {major}.{minor}")));
        }
        Ok(())
    }

    fn add_interface(&mut self, block: &Block) -> Result<(), Error> {
        if self.interfaces.len() >= INTERFACES_MAX {
            return Err(Error::Format(format!("more than {INTERFACES_MAX} interfaces in the file")));
        }
        let mut interface = Interface {
            link: LinkType(self.half(&block.body, 0)?),
            snaplen: snaplen_of(self.field(block, 4)?),
            resolution: 1_000_000,
            offset_s: 0,
        };
        let mut at = 8;
        while at < block.body.len() {
            let kind = self.half(&block.body, at)?;
            let length = usize::from(self.half(&block.body, at + 2)?);
            let value = block.body.get(at + 4..).and_then(|rest| rest.get(..length));
            let value = value.ok_or_else(|| too_short(block.kind))?;
            match (kind, value) {
                (OPTION_END, []) => break,
                (OPTION_END, _) => {
                    return Err(Error::Format(format!(
                        "Interface Description Block has opt_endofopt option with length {length} != 0"
                    )));
                }
                (OPTION_TIME_RESOLUTION, [exponent]) => interface.resolution = resolution(*exponent)?,
                (OPTION_TIME_RESOLUTION, _) => {
                    return Err(Error::Format(format!(
                        "Interface Description Block has if_tsresol option with length {length} != 1"
                    )));
                }
                (OPTION_TIME_OFFSET, &[a, b, c, d, e, f, g, h]) => {
                    let bytes = [a, b, c, d, e, f, g, h];
                    interface.offset_s =
                        if self.big_endian { i64::from_be_bytes(bytes) } else { i64::from_le_bytes(bytes) };
                }
                (OPTION_TIME_OFFSET, _) => {
                    return Err(Error::Format(format!(
                        "Interface Description Block has if_tsoffset option with length {length} != 8"
                    )));
                }
                _ => {}
            }
            at += 4 + length.next_multiple_of(4);
        }
        self.interfaces.push(interface);
        Ok(())
    }

    fn next_block(&self, input: &mut impl Read) -> Result<Option<Block>, Error> {
        let mut head = [0; 8];
        match read_up_to(input, &mut head)? {
            0 => return Ok(None),
            8 => {}
            got => return Err(truncated(8, got)),
        }
        let (kind, length) = (self.word(&head, 0)?, self.word(&head, 4)?);
        if length < BLOCK_LEN_MIN {
            return Err(Error::Format(format!(
                "block in pcapng dump file has a length of {length} < {BLOCK_LEN_MIN}"
            )));
        }
        if length % 4 != 0 {
            return Err(Error::Format(format!(
                "block in pcapng dump file has a length of {length} that is not a multiple of 4"
            )));
        }
        if length > BLOCK_LEN_MAX {
            return Err(Error::Format(format!("pcapng block size {length} > maximum {BLOCK_LEN_MAX}")));
        }
        let mut body = rest_of_block(input, length as usize - 8)?;
        let trailer = body.split_off(body.len().saturating_sub(4));
        if self.word(&trailer, 0)? != length {
            return Err(format("block total length in header and trailer don't match"));
        }
        Ok(Some(Block { kind, body }))
    }

    fn field(&self, block: &Block, at: usize) -> Result<u32, Error> {
        self.word(&block.body, at).map_err(|_| too_short(block.kind))
    }

    fn word(&self, bytes: &[u8], at: usize) -> Result<u32, Error> {
        let bytes = bytes.get(at..).and_then(|rest| rest.first_chunk()).ok_or_else(|| too_short(0))?;
        Ok(if self.big_endian { u32::from_be_bytes(*bytes) } else { u32::from_le_bytes(*bytes) })
    }

    fn half(&self, bytes: &[u8], at: usize) -> Result<u16, Error> {
        let bytes = bytes.get(at..).and_then(|rest| rest.first_chunk()).ok_or_else(|| too_short(0))?;
        Ok(if self.big_endian { u16::from_be_bytes(*bytes) } else { u16::from_le_bytes(*bytes) })
    }
}

impl Interface {
    fn nanoseconds(&self, units: u64) -> u64 {
        let seconds = (units / self.resolution).wrapping_add_signed(self.offset_s);
        let fraction = u128::from(units % self.resolution) * NS_PER_S / u128::from(self.resolution);
        u64::try_from(u128::from(seconds) * NS_PER_S + fraction).unwrap_or(u64::MAX)
    }
}

/// `if_tsresol`: a negative power of 10, or of 2 with the upper bit.
fn resolution(exponent: u8) -> Result<u64, Error> {
    let (base, power) = if exponent & 0x80 != 0 { (2u64, exponent & 0x7f) } else { (10, exponent) };
    base.checked_pow(power.into()).ok_or_else(|| {
        Error::Format(format!(
            "Interface Description Block if_tsresol option resolution {base}^-{power} is too high"
        ))
    })
}

fn rest_of_block(input: &mut impl Read, length: usize) -> Result<Vec<u8>, Error> {
    let bytes = super::read_vec(input, length)?;
    if bytes.len() < length {
        return Err(truncated(length, bytes.len()));
    }
    Ok(bytes)
}

fn truncated(wanted: usize, got: usize) -> Error {
    Error::Format(format!("truncated pcapng dump file; tried to read {wanted} bytes, only got {got}"))
}

fn too_short(kind: u32) -> Error {
    Error::Format(format!("block of type {kind} in pcapng dump file is too short"))
}

fn no_interface(interface: u32) -> Error {
    Error::Format(format!(
        "a packet arrived on interface {interface}, but there's no Interface Description Block for that interface"
    ))
}

fn format(text: &str) -> Error {
    Error::Format(text.to_owned())
}

/// An interface of a file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceDescription {
    pub name: String,
    pub link: LinkType,
    pub snaplen: u32,
}

/// Writes a pcapng file of one section, with time stamps in nanoseconds.
#[derive(Debug)]
pub struct Writer<W> {
    output: W,
    interfaces: u32,
}

impl<W: Write> Writer<W> {
    /// Writes the section's header.
    ///
    /// # Errors
    /// The output's.
    pub fn new(output: W) -> io::Result<Self> {
        let mut writer = Writer { output, interfaces: 0 };
        let mut body = BYTE_ORDER_MAGIC.to_le_bytes().to_vec();
        body.extend(1u16.to_le_bytes());
        body.extend(0u16.to_le_bytes());
        // The section's length is not known.
        body.extend(u64::MAX.to_le_bytes());
        writer.block(SECTION_HEADER, &body)?;
        Ok(writer)
    }

    /// Describes an interface; returns its number in the section.
    ///
    /// # Errors
    /// The output's.
    pub fn interface(&mut self, description: &InterfaceDescription) -> io::Result<u32> {
        let mut body = description.link.0.to_le_bytes().to_vec();
        body.extend([0; 2]);
        body.extend(description.snaplen.to_le_bytes());
        put_option(&mut body, OPTION_NAME, description.name.as_bytes());
        put_option(&mut body, OPTION_TIME_RESOLUTION, &[9]);
        put_option(&mut body, OPTION_END, &[]);
        self.block(INTERFACE_DESCRIPTION, &body)?;
        self.interfaces += 1;
        Ok(self.interfaces - 1)
    }

    /// # Errors
    /// The output's.
    pub fn packet(&mut self, interface: u32, time_ns: u64, length: u32, data: &[u8]) -> io::Result<()> {
        let mut body = Vec::with_capacity(20 + data.len() + 4);
        body.extend(interface.to_le_bytes());
        body.extend(((time_ns >> 32) as u32).to_le_bytes());
        body.extend((time_ns as u32).to_le_bytes());
        body.extend((data.len() as u32).to_le_bytes());
        body.extend(length.to_le_bytes());
        body.extend(data);
        self.block(ENHANCED_PACKET, &body)
    }

    /// # Errors
    /// The output's.
    pub fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }

    pub fn into_inner(self) -> W {
        self.output
    }

    fn block(&mut self, kind: u32, body: &[u8]) -> io::Result<()> {
        let padded = body.len().next_multiple_of(4);
        let length = (padded + 12) as u32;
        let mut bytes = kind.to_le_bytes().to_vec();
        bytes.extend(length.to_le_bytes());
        bytes.extend(body);
        bytes.resize(8 + padded, 0);
        bytes.extend(length.to_le_bytes());
        self.output.write_all(&bytes)
    }
}

fn put_option(body: &mut Vec<u8>, kind: u16, value: &[u8]) {
    body.extend(kind.to_le_bytes());
    body.extend((value.len() as u16).to_le_bytes());
    body.extend(value);
    body.resize(body.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::super::Reader;
    use super::*;

    fn file() -> Vec<u8> {
        let mut writer = Writer::new(Vec::new()).expect("section");
        for name in ["eth0", "veth-long-name"] {
            let description =
                InterfaceDescription { name: name.to_owned(), link: LinkType::ETHERNET, snaplen: 65_535 };
            writer.interface(&description).expect("interface");
        }
        writer.packet(0, 1_700_000_000_123_456_789, 60, &[1, 2, 3]).expect("packet");
        writer.packet(1, 5, 4, &[1, 2, 3, 4]).expect("packet");
        writer.into_inner()
    }

    #[test]
    fn what_is_written_is_read_back() {
        let file = file();
        let mut reader = Reader::new(file.as_slice()).expect("a pcapng file");
        assert_eq!((reader.link(), reader.snaplen()), (LinkType::ETHERNET, 65_535));
        let mut packets = Vec::new();
        while let Some(packet) = reader.next_packet().expect("packets") {
            packets.push((packet.time_ns, packet.length, packet.data));
        }
        assert_eq!(packets, [(1_700_000_000_123_456_789, 60, vec![1, 2, 3]), (5, 4, vec![1, 2, 3, 4])]);
    }

    #[test]
    fn truncated_files_are_errors() {
        let file = file();
        for length in 5..file.len() {
            let mut reader = match Reader::new(&file[..length]) {
                Ok(reader) => reader,
                Err(_) => continue,
            };
            // Either an end between blocks or an error; never a wrong packet.
            while let Ok(Some(packet)) = reader.next_packet() {
                assert!(packet.data.len() == 3 || packet.data.len() == 4);
            }
        }
        let mut reader = Reader::new(&file[..file.len() - 2]).expect("headers");
        assert!(reader.next_packet().is_ok_and(|packet| packet.is_some()));
        let error = reader.next_packet().expect_err("cut off").to_string();
        assert_eq!(error, "truncated pcapng dump file; tried to read 28 bytes, only got 26");
    }
}
