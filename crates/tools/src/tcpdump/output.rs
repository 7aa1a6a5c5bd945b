//! Where packets go: lines on standard output, or a file.

use std::io::Write;

use hairpin_capture::text::{Frame, Interfaces, Printer};
use hairpin_capture::{LinkType, pcap};

use super::options::Options;
use super::{Failed, WRITE_FAILED, reason};
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
            let failed = |error: std::io::Error| Failed::from(format!("{path}: {}", reason(&error)));
            let destination = if path == "-" {
                Destination::StandardOutput(Vec::new())
            } else {
                Destination::File(shell.create(path).map_err(failed)?)
            };
            let writer = pcap::Writer::new(destination, link, snaplen, options.text.nanoseconds);
            output.writer = Some(writer.map_err(failed)?);
            // The header is there before the first packet.
            output.flush(shell);
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
            // `pcap_dump` tells nobody what became of a packet.
            let _ = writer.write(frame.time_ns, frame.length, frame.data);
            if self.flush_packets {
                self.flush(shell);
            }
        }
        if let Some(printer) = self.printer.as_mut().filter(|_| !self.count_only) {
            let text = printer.print(frame, interfaces);
            let mut written = shell.out().write_all(text.as_bytes());
            if self.flush_lines {
                written = written.and_then(|()| shell.out().flush());
            }
            written.map_err(|error| Failed {
                text: format!("Unable to write output: {}", reason(&error)),
                code: WRITE_FAILED,
            })?;
        }
        Ok(())
    }

    /// Hands on what is buffered. What cannot be written then is lost without a word, as at the end of any program
    /// that uses stdio.
    pub fn flush(&mut self, shell: &mut dyn Shell) {
        if let Some(writer) = &mut self.writer {
            let _ = writer.flush();
            if let Destination::StandardOutput(buffer) = writer.get_mut() {
                let _ = shell.out().write_all(buffer);
                buffer.clear();
            }
        }
        let _ = shell.out().flush();
    }
}
