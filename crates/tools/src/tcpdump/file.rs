//! `-r`: packets of a file.

use std::io::Read;

use hairpin_capture::LinkType;
use hairpin_capture::filter::{FrameView, Target};
use hairpin_capture::pcap::Decoder;
use hairpin_capture::text::Frame;

use super::devices::Devices;
use super::options::Options;
use super::output::Output;
use super::{Failed, filter, reason};
use crate::Program;

pub(super) fn run(program: &mut Program<'_>, options: &Options, path: &str) -> Result<i32, Failed> {
    let mut file: Option<Box<dyn Read>> = match path {
        "-" => None,
        path => {
            let opened = program.shell.open(path);
            Some(opened.map_err(|error| Failed::from(format!("{path}: {}", reason(&error))))?)
        }
    };
    let decoder = match &mut file {
        Some(file) => Decoder::read(file),
        None => Decoder::read(program.shell.input()),
    };
    let mut decoder = decoder.map_err(|error| Failed::from(error.to_string()))?;
    let (link, snaplen) = (decoder.link(), decoder.snaplen());
    let kind = match link.name().zip(link.description()) {
        Some((name, description)) => format!("{name} ({description})"),
        None => link.0.to_string(),
    };
    let _ = writeln!(
        program.shell.err(),
        "reading from file {path}, link-type {kind}, snapshot length {snaplen}"
    );
    let mut devices = Devices::default();
    if link == LinkType::LINUX_SLL2 {
        let _ = writeln!(program.shell.err(), "Warning: interface names might be incorrect");
        devices = Devices::list(program.system).unwrap_or_default();
    }
    if link.name().is_none() {
        return Err(format!("packet printing is not supported for link type {kind}: use -w").into());
    }
    let filter =
        filter(program.shell, options, Target { link: super::filtered_as(link), live: false, netmask: 0 })?;
    let start_s = super::seconds(options, program.system);
    let mut output = Output::open(program.shell, options, link, snaplen, start_s)?;
    let mut code = 0;
    let mut interrupted = false;
    loop {
        if program.shell.take_signal().is_some() {
            interrupted = true;
            break;
        }
        if options.count.is_some_and(|count| output.count >= count) {
            break;
        }
        let next = match &mut file {
            Some(file) => decoder.next_packet(file),
            None => decoder.next_packet(program.shell.input()),
        };
        match next {
            Ok(None) => break,
            Ok(Some(packet)) => {
                let view = super::as_filtered(&packet.data, link);
                if filter.matches(&FrameView::of_file(&view, packet.length)) {
                    let now_s = super::seconds(options, program.system);
                    if !output.packet(program.shell, &frame(&packet, link), &devices, now_s)? {
                        break;
                    }
                }
            }
            Err(error) => {
                output.flush(program.shell);
                let _ = writeln!(program.shell.err(), "{}: pcap_loop: {error}", program.name);
                code = 1;
                break;
            }
        }
    }
    if interrupted && output.prints_only() {
        let _ = writeln!(program.shell.out());
    }
    output.flush(program.shell);
    if options.count_only {
        let _ = writeln!(program.shell.out(), "{}", super::live::packets(output.count));
    }
    Ok(code)
}

fn frame(packet: &hairpin_capture::Packet, link: LinkType) -> Frame<'_> {
    Frame { time_ns: packet.time_ns, length: packet.length, data: &packet.data, link }
}
