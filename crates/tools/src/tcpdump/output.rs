//! Where packets go: lines on standard output, or a file.

use std::io::Write;

use hairpin_capture::text::{Frame, Interfaces, Printer};
use hairpin_capture::{LinkType, pcap};

use super::options::Options;
use super::{Failed, reason};
use crate::Shell;

/// Takes packets as the options say.
pub(super) struct Output {
    printer: Option<Printer>,
    writer: Option<pcap::Writer<Destination>>,
    count_only: bool,
    flush_lines: bool,
    flush_packets: bool,
    /// Packets taken.
    pub count: u64,
}

/// A file, or bytes that are on their way to standard output.
enum Destination {
    File(Box<dyn Write>),
    StandardOutput(Vec<u8>),
}

impl Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Destination::File(file) => file.write(bytes),
            Destination::StandardOutput(buffer) => buffer.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Destination::File(file) => file.flush(),
            Destination::StandardOutput(_) => Ok(()),
        }
    }
}

impl Output {
    pub fn open(
        shell: &mut dyn Shell,
        options: &Options,
        link: LinkType,
        snaplen: u32,
    ) -> Result<Self, Failed> {
        let mut output = Output {
            printer: (options.write.is_none() || options.print).then(|| Printer::new(options.text.clone())),
            writer: None,
            count_only: options.count_only,
            flush_lines: options.flush_lines,
            flush_packets: options.flush_packets,
            count: 0,
        };
        if let Some(path) = &options.write {
            let failed = |error: std::io::Error| Failed(format!("{path}: {}", reason(&error)));
            let destination = if path == "-" {
                Destination::StandardOutput(Vec::new())
            } else {
                Destination::File(shell.create(path).map_err(failed)?)
            };
            let writer = pcap::Writer::new(destination, link, snaplen, options.text.nanoseconds);
            output.writer = Some(writer.map_err(failed)?);
            // The header is there before the first packet.
            output.flush(shell)?;
        }
        Ok(output)
    }

    /// Whether lines of packets are what is shown.
    pub fn prints_only(&self) -> bool {
        self.writer.is_none()
    }

    pub fn packet(
        &mut self,
        shell: &mut dyn Shell,
        frame: &Frame<'_>,
        interfaces: &dyn Interfaces,
    ) -> Result<(), Failed> {
        self.count += 1;
        if let Some(writer) = &mut self.writer {
            let written = writer.write(frame.time_ns, frame.length, frame.data);
            written.map_err(|error| Failed(format!("Unable to write output: {}", reason(&error))))?;
            if self.flush_packets {
                self.flush(shell)?;
            }
        }
        if let Some(printer) = self.printer.as_mut().filter(|_| !self.count_only) {
            let text = printer.print(frame, interfaces);
            let written = shell.out().write_all(text.as_bytes());
            written.map_err(|error| Failed(format!("Unable to write output: {}", reason(&error))))?;
            if self.flush_lines {
                self.flush(shell)?;
            }
        }
        Ok(())
    }

    /// Hands on what is buffered.
    pub fn flush(&mut self, shell: &mut dyn Shell) -> Result<(), Failed> {
        let mut flush = || -> std::io::Result<()> {
            if let Some(writer) = &mut self.writer {
                writer.flush()?;
                if let Destination::StandardOutput(buffer) = writer.get_mut() {
                    shell.out().write_all(buffer)?;
                    buffer.clear();
                }
            }
            shell.out().flush()
        };
        flush().map_err(|error| Failed(format!("Unable to write output: {}", reason(&error))))
    }
}
