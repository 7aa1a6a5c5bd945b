//! Our lines against those of the real tcpdump.

mod common;

use hairpin_capture::LinkType;
use hairpin_capture::text::{Dump, Frame, NoInterfaces, Options, Printer, TimeStyle};

fn ours(options: &Options) -> String {
    let mut printer = Printer::new(options.clone());
    let packets = common::packets::all();
    let line = |packet: &hairpin_capture::Packet| {
        let frame = Frame {
            time_ns: packet.time_ns,
            length: packet.length,
            data: &packet.data,
            link: LinkType::ETHERNET,
        };
        printer.print(&frame, &NoInterfaces)
    };
    packets.iter().map(line).collect()
}

/// Names are compared with `-N`-like care only where no resolver is asked: every run is numeric.
fn compare(arguments: &[&str], options: Options) {
    let Some(program) = common::tcpdump() else { return };
    let file = common::file(&common::packets::all(), LinkType::ETHERNET);
    let (theirs, _) = common::run(program, &[&["-n"], arguments].concat(), &file);
    let ours = ours(&Options { numeric: true, number: true, ..options });
    let (mut theirs, mut ours) = (packets(&theirs).into_iter(), packets(&ours).into_iter());
    let mut differences = Vec::new();
    loop {
        match (theirs.next(), ours.next()) {
            (None, None) => break,
            (theirs, ours) if theirs == ours => {}
            (theirs, ours) => {
                differences.push(format!("- {}\n+ {}", theirs.unwrap_or_default(), ours.unwrap_or_default()))
            }
        }
    }
    assert!(
        differences.is_empty(),
        "tcpdump {arguments:?}: {}\n{}",
        differences.len(),
        differences.join("\n")
    );
}

/// The text of each packet: its number starts it.
fn packets(text: &str) -> Vec<String> {
    let mut packets: Vec<String> = Vec::new();
    for line in text.lines() {
        let starts = line.split_whitespace().next().is_some_and(|word| word.parse::<u32>().is_ok())
            && line.starts_with(|c: char| c == ' ' || c.is_ascii_digit());
        if starts || packets.is_empty() {
            packets.push(line.to_owned());
        } else if let Some(packet) = packets.last_mut() {
            packet.push('\n');
            packet.push_str(line);
        }
    }
    packets
}

fn options() -> Options {
    Options::default()
}

#[test]
fn plain() {
    compare(&["-#"], options());
}

#[test]
fn link_header() {
    compare(&["-#", "-e"], Options { link_header: true, ..options() });
}

#[test]
fn quiet() {
    compare(&["-#", "-q"], Options { quiet: true, ..options() });
    compare(&["-#", "-qe"], Options { quiet: true, link_header: true, ..options() });
}

#[test]
fn verbose() {
    compare(&["-#", "-v"], Options { verbose: 1, ..options() });
}

#[test]
fn more_verbose() {
    compare(&["-#", "-vv"], Options { verbose: 2, ..options() });
    compare(&["-#", "-vvve"], Options { verbose: 3, link_header: true, ..options() });
}

#[test]
fn absolute_sequence_numbers() {
    compare(&["-#", "-S"], Options { absolute_sequence: true, ..options() });
}

#[test]
fn times() {
    for (flag, time) in [
        ("-t", TimeStyle::None),
        ("-tt", TimeStyle::Seconds),
        ("-ttt", TimeStyle::SincePrevious),
        ("-tttt", TimeStyle::Date),
        ("-ttttt", TimeStyle::SinceFirst),
    ] {
        compare(&["-#", flag], Options { time, ..options() });
        compare(&["-#", flag, "--nano"], Options { time, nanoseconds: true, ..options() });
    }
}

#[test]
fn dumps() {
    for (flag, dump) in [
        ("-x", Dump::Hex { link: false }),
        ("-xx", Dump::Hex { link: true }),
        ("-X", Dump::HexAscii { link: false }),
        ("-XX", Dump::HexAscii { link: true }),
        ("-A", Dump::Ascii { link: false }),
        ("-AA", Dump::Ascii { link: true }),
    ] {
        compare(&["-#", flag], Options { dump, ..options() });
        compare(&["-#", flag, "-ve"], Options { dump, verbose: 1, link_header: true, ..options() });
    }
}
