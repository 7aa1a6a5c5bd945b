//! Where packets go: lines on standard output, or a file.

use std::io::Write;

use hairpin_capture::text::{Frame, Interfaces, Printer};
use hairpin_capture::{LinkType, pcap};

use super::options::Options;
use super::rotation::{Next, Rotation};
use super::{Failed, WRITE_FAILED, reason};
use crate::Shell;

/// Takes packets as the options say.
pub(super) struct Output {
    printer: Option<Printer>,
    writer: Option<pcap::Writer<Destination>>,
    /// `-C -G -W`: when another file begins.
    rotation: Option<Rotation>,
    /// What a file begins with.
    header: (LinkType, u32, bool),
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
        now_s: u64,
    ) -> Result<Self, Failed> {
        let mut output = Output {
            printer: (options.write.is_none() || options.print).then(|| Printer::new(options.text.clone())),
            writer: None,
            rotation: Rotation::new(options, now_s),
            header: (link, snaplen, options.text.nanoseconds),
            count_only: options.count_only,
            flush_lines: options.flush_lines,
            flush_packets: options.flush_packets,
            count: 0,
        };
        if let Some(path) = &options.write {
            let first = output.rotation.as_ref().map_or_else(|| path.clone(), Rotation::file_name);
            output.begin_file(shell, &first)?;
        }
        Ok(output)
    }

    fn begin_file(&mut self, shell: &mut dyn Shell, path: &str) -> Result<(), Failed> {
        let failed = |error: std::io::Error| Failed::from(format!("{path}: {}", reason(&error)));
        let destination = if path == "-" {
            Destination::StandardOutput(Vec::new())
        } else {
            Destination::File(shell.create(path).map_err(failed)?)
        };
        let (link, snaplen, nanoseconds) = self.header;
        let writer = pcap::Writer::new(destination, link, snaplen, nanoseconds);
        self.writer = Some(writer.map_err(failed)?);
        if self.flush_packets {
            // The header is there before the first packet.
            self.flush(shell);
        }
        Ok(())
    }

    /// Whether lines of packets are what is shown.
    pub fn prints_only(&self) -> bool {
        self.writer.is_none()
    }

    /// Takes a packet at `now_s`, in seconds since 1970. False: there may be no more files.
    pub fn packet(
        &mut self,
        shell: &mut dyn Shell,
        frame: &Frame<'_>,
        interfaces: &dyn Interfaces,
        now_s: u64,
    ) -> Result<bool, Failed> {
        self.count += 1;
        if let Some(rotation) = &mut self.rotation {
            match rotation.next(now_s, frame.data.len()) {
                Next::Same => {}
                Next::File(path) => {
                    self.flush(shell);
                    self.begin_file(shell, &path)?;
                }
                Next::NoMore(files) => {
                    let _ = writeln!(shell.err(), "Maximum file limit reached: {files}");
                    return Ok(false);
                }
            }
        }
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
        Ok(true)
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
