//! Capture files: pcap and pcapng, read and written.
//!
//! The error texts are libpcap's (1.10.3), without the program name that a front end puts before them.

use std::io::{self, Read};

mod classic;
mod pcapng;

pub use classic::Writer;
pub use pcapng::{InterfaceDescription, Writer as PcapngWriter};

use crate::{LinkType, Packet};

/// The largest packet that is believed (`MAXIMUM_SNAPLEN`), and tcpdump's default snapshot length.
pub const SNAPLEN_MAX: u32 = 262_144;

/// Why a capture file cannot be read.
#[derive(Debug)]
pub enum Error {
    Io(io::Error),
    /// The file is not what it should be; the text is libpcap's.
    Format(String),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Error::Io(error) => {
                // Without the number that Rust adds.
                let text = error.to_string();
                let end = text.find(" (os error").unwrap_or(text.len());
                write!(f, "error reading dump file: {}", &text[..end])
            }
            Error::Format(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Error::Io(error)
    }
}

/// Reads a capture file of either format.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    decoder: Decoder,
}

impl<R: Read> Reader<R> {
    /// Reads the file's header.
    ///
    /// # Errors
    /// No capture file, or a broken header.
    pub fn new(mut input: R) -> Result<Self, Error> {
        let decoder = Decoder::read(&mut input)?;
        Ok(Reader { input, decoder })
    }

    pub fn link(&self) -> LinkType {
        self.decoder.link()
    }

    /// The snapshot length in bytes.
    pub fn snaplen(&self) -> u32 {
        self.decoder.snaplen()
    }

    /// The next packet, or none at the end.
    ///
    /// # Errors
    /// The file ends within a packet, or is broken.
    pub fn next_packet(&mut self) -> Result<Option<Packet>, Error> {
        self.decoder.next_packet(&mut self.input)
    }
}

/// What is known of a capture file, for a reader that does not own its input.
#[derive(Debug)]
pub struct Decoder {
    format: Format,
}

#[derive(Debug)]
enum Format {
    Classic(classic::Header),
    Pcapng(pcapng::Section),
}

impl Decoder {
    /// Reads the file's header.
    ///
    /// # Errors
    /// No capture file, or a broken header.
    pub fn read(mut input: impl Read) -> Result<Self, Error> {
        let mut magic = [0; 4];
        let got = read_up_to(&mut input, &mut magic)?;
        if got < magic.len() {
            return Err(truncated("file header bytes", magic.len(), got));
        }
        let format = if let Some(header) = classic::Header::read(magic, &mut input)? {
            Format::Classic(header)
        } else if let Some(section) = pcapng::Section::read(magic, &mut input)? {
            Format::Pcapng(section)
        } else {
            return Err(Error::Format("unknown file format".to_owned()));
        };
        Ok(Decoder { format })
    }

    pub fn link(&self) -> LinkType {
        match &self.format {
            Format::Classic(header) => header.link,
            Format::Pcapng(section) => section.link(),
        }
    }

    /// The snapshot length in bytes.
    pub fn snaplen(&self) -> u32 {
        match &self.format {
            Format::Classic(header) => header.snaplen,
            Format::Pcapng(section) => section.snaplen(),
        }
    }

    /// The next packet of the input whose header this is, or none at the end.
    ///
    /// # Errors
    /// The file ends within a packet, or is broken.
    pub fn next_packet(&mut self, mut input: impl Read) -> Result<Option<Packet>, Error> {
        match &mut self.format {
            Format::Classic(header) => header.next_packet(&mut input),
            Format::Pcapng(section) => section.next_packet(&mut input),
        }
    }
}

/// Fills `buffer` as far as the input goes.
fn read_up_to(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(got) => filled += got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Reads up to `length` bytes; memory grows only with what is there.
fn read_vec(input: &mut impl Read, length: usize) -> io::Result<Vec<u8>> {
    let mut data = Vec::new();
    input.take(length as u64).read_to_end(&mut data)?;
    Ok(data)
}

fn truncated(what: &str, wanted: usize, got: usize) -> Error {
    Error::Format(format!("truncated dump file; tried to read {wanted} {what}, only got {got}"))
}

fn snaplen_of(field: u32) -> u32 {
    if field == 0 || field > i32::MAX as u32 { SNAPLEN_MAX } else { field }
}

/// Both formats refuse a packet that is longer than anything sensible.
fn check_captured(captured: u32, snaplen: u32) -> Result<(), Error> {
    if captured <= SNAPLEN_MAX {
        return Ok(());
    }
    Err(Error::Format(if captured > snaplen {
        format!("invalid packet capture length {captured}, bigger than snaplen of {snaplen}")
    } else {
        format!("invalid packet capture length {captured}, bigger than maximum of {SNAPLEN_MAX}")
    }))
}
