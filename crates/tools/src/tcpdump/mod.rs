//! `tcpdump` 4.99.3: captures from a packet socket, or reads a file.
//!
//! Times are shown in UTC. The filter runs here rather than in the kernel, so "received by filter" counts what the
//! filter took. Not supported, and refused: `-d` (BPF code), `-z -V` (commands, many files), `-E -M` (secrets),
//! `-T`. Devices without an Ethernet header cannot be captured on alone, only with `-i any`; libpcap's
//! pseudo devices other than `any` do not exist.

mod devices;
mod file;
mod live;
mod options;
mod output;
mod rotation;

use hairpin_capture::LinkType;
use hairpin_capture::filter::{Filter, Target};
use hairpin_netlink::System;

use crate::{Program, Shell};
use devices::Devices;
use options::{Fault, Options, Request};

const VERSION: &str = "\
tcpdump version 4.99.3
libpcap version 1.10.3 (with TPACKET_V3)
OpenSSL 3.0.19 27 Jan 2026
";

const USAGE: &str = "\
Usage: tcpdump [-AbdDefhHIJKlLnNOpqStuUvxX#] [ -B size ] [ -c count ] [--count]
\t\t[ -C file_size ] [ -E algo:secret ] [ -F file ] [ -G seconds ]
\t\t[ -i interface ] [ --immediate-mode ] [ -j tstamptype ]
\t\t[ -M secret ] [ --number ] [ --print ] [ -Q in|out|inout ]
\t\t[ -r file ] [ -s snaplen ] [ -T type ] [ --version ]
\t\t[ -V file ] [ -w file ] [ -W filecount ] [ -y datalinktype ]
\t\t[ --time-stamp-precision precision ] [ --micro ] [ --nano ]
\t\t[ -z postrotate-command ] [ -Z user ] [ expression ]
";

/// The text that stands behind `tcpdump: ` when the program ends, and its exit code.
struct Failed {
    text: String,
    code: i32,
}

impl<T: Into<String>> From<T> for Failed {
    fn from(text: T) -> Self {
        Failed { text: text.into(), code: 1 }
    }
}

/// `S_ERR_ND_WRITE_FILE`
const WRITE_FAILED: i32 = 14;

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let request = match options::parse(program.args) {
        Ok(request) => request,
        Err(Fault::Usage(text)) => {
            let name = program.name;
            let _ = write!(program.shell.err(), "{name}: {text}\n{VERSION}{USAGE}");
            return 1;
        }
        Err(Fault::Plain(text)) => return fail(program, Failed::from(text)),
    };
    let outcome = match request {
        Request::Help => {
            let _ = write!(program.shell.out(), "{VERSION}{USAGE}");
            Ok(0)
        }
        Request::Version => {
            let _ = write!(program.shell.out(), "{VERSION}");
            Ok(0)
        }
        Request::Run(options) => run(program, &options),
    };
    let code = match outcome {
        Ok(code) => code,
        Err(failed) => fail(program, failed),
    };
    let _ = program.shell.out().flush();
    code
}

fn run(program: &mut Program<'_>, options: &Options) -> Result<i32, Failed> {
    if options.list_devices {
        return list_devices(program);
    }
    match &options.read {
        Some(path) => file::run(program, options, path),
        None => live::run(program, options),
    }
}

fn fail(program: &mut Program<'_>, failed: Failed) -> i32 {
    let _ = program.shell.out().flush();
    let _ = writeln!(program.shell.err(), "{}: {}", program.name, failed.text);
    failed.code
}

fn list_devices(program: &mut Program<'_>) -> Result<i32, Failed> {
    let devices = known_devices(program.system)?;
    for (index, device) in devices.in_order().iter().enumerate() {
        let _ = writeln!(program.shell.out(), "{}.{}", index + 1, device.description());
    }
    Ok(0)
}

fn known_devices(system: &mut dyn System) -> Result<Devices, Failed> {
    Devices::list(system)
        .map_err(|failure| Failed::from(format!("Can't get list of interfaces: {}", failure.errno.text())))
}

/// The filter of the remaining arguments, or of the file that `-F` names.
fn filter(shell: &mut dyn Shell, options: &Options, target: Target) -> Result<Filter, Failed> {
    let expression = match &options.filter_file {
        Some(path) => read_filter(shell, path)?,
        None => options.expression.join(" "),
    };
    Filter::compile(&expression, target).map_err(|error| Failed::from(error.to_string()))
}

/// What a filter takes packets of this type for: those without a link header get a cooked one for it.
fn filtered_as(link: LinkType) -> LinkType {
    match link {
        LinkType::RAW | LinkType::CAN_SOCKETCAN | LinkType::NETLINK => LinkType::LINUX_SLL,
        link => link,
    }
}

/// A packet as the filter looks at it.
fn as_filtered(data: &[u8], link: LinkType) -> std::borrow::Cow<'_, [u8]> {
    let protocol: u16 = match (link, data.first().map_or(0, |first| first >> 4)) {
        (LinkType::CAN_SOCKETCAN, _) => 0x000c,
        (LinkType::RAW, 6) => 0x86dd,
        (LinkType::RAW, _) => 0x0800,
        _ => return data.into(),
    };
    let mut cooked = vec![0; 14];
    cooked.extend(protocol.to_be_bytes());
    cooked.extend(data);
    cooked.into()
}

fn read_filter(shell: &mut dyn Shell, path: &str) -> Result<String, Failed> {
    let mut bytes = Vec::new();
    let mut file =
        shell.open(path).map_err(|error| Failed::from(format!("can't open {path}: {}", reason(&error))))?;
    file.read_to_end(&mut bytes).map_err(|error| Failed::from(format!("read {path}: {}", reason(&error))))?;
    let text = String::from_utf8_lossy(&bytes);
    // A number sign starts a comment.
    let lines: Vec<&str> = text.lines().map(|line| line.split('#').next().unwrap_or_default()).collect();
    Ok(lines.join("\n"))
}

/// The time of day, in seconds since 1970, where files end by their age.
fn seconds(options: &Options, system: &mut dyn System) -> u64 {
    match options.file_seconds {
        0 => 0,
        _ => system.now().map_or(0, |now| now.realtime_ns / 1_000_000_000),
    }
}

/// What `strerror` says, without Rust's addition.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests;
