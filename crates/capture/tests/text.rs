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

fn compare(arguments: &[&str], options: Options) {
    compare_as(&["-n"], arguments, Options { numeric: true, ..options });
}

fn compare_as(more: &[&str], arguments: &[&str], options: Options) {
    let Some(program) = common::tcpdump() else { return };
    let file = common::file(&common::packets::all(), LinkType::ETHERNET);
    let (theirs, _) = common::run(program, &[more, arguments].concat(), &file);
    let ours = ours(&Options { number: true, ..options });
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

/// Cooked captures: the same packets behind the header of `-i any`.
fn compare_cooked(arguments: &[&str], options: Options) {
    let Some(program) = common::tcpdump() else { return };
    let mut packets = common::packets::all();
    packets.retain(|packet| packet.data.len() >= 14);
    for (index, packet) in packets.iter_mut().enumerate() {
        let mut cooked = packet.data[12..14].to_vec();
        if u16::from_be_bytes([cooked[0], cooked[1]]) <= 1500 {
            cooked = vec![0, 4];
        }
        // No machine has a device of this number.
        cooked.extend([0, 0, 0x7f, 0xff, 0, 9, 0, 1, index as u8 % 6, 6]);
        cooked.extend(&packet.data[6..12]);
        cooked.extend([0, 0]);
        cooked.extend(&packet.data[14..]);
        packet.length += 6;
        packet.data = cooked;
    }
    let file = common::file(&packets, LinkType::LINUX_SLL2);
    let (theirs, _) = common::run(program, &[&["-n"], arguments].concat(), &file);
    let mut printer = Printer::new(Options { numeric: true, ..options });
    let mut ours = String::new();
    for packet in &packets {
        let frame = Frame {
            time_ns: packet.time_ns,
            length: packet.length,
            data: &packet.data,
            link: LinkType::LINUX_SLL2,
        };
        ours.push_str(&printer.print(&frame, &NoInterfaces));
    }
    for (number, (theirs, ours)) in theirs.lines().zip(ours.lines()).enumerate() {
        assert_eq!(theirs, ours, "line {number} of {arguments:?}");
    }
    assert_eq!(theirs.len(), ours.len());
}

#[test]
fn cooked() {
    compare_cooked(&[], options());
    compare_cooked(&["-e"], Options { link_header: true, ..options() });
    compare_cooked(&["-vvX"], Options { verbose: 2, dump: Dump::HexAscii { link: false }, ..options() });
    compare_cooked(&["-qe"], Options { quiet: true, link_header: true, ..options() });
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

/// Names of ports, protocols and vendors. Addresses would be looked up, so this runs only where no name server answers:
/// `unshare -n cargo test -- --ignored`.
#[test]
#[ignore = "needs a machine without a name server"]
fn named() {
    for (arguments, options) in [
        (["-#", "-q"], Options { quiet: true, ..options() }),
        (["-#", "-e"], Options { link_header: true, ..options() }),
        (["-#", "-vv"], Options { verbose: 2, ..options() }),
    ] {
        compare_as(&[], &arguments, Options { numeric: false, ..options });
    }
}

/// How often each packet is damaged.
const ROUNDS: u64 = 60;

/// What the real program says of protocols that we do not dissect.
const GAPS: &[&str] = &[
    "atm",
    "grev1",
    "(rtaf",
    "igrp",
    "dccp",
    "dvmrp",
    "pimv1",
    "egp",
    "ppp",
    "mobil",
    "tftp",
    "sctp",
    "rsvp",
    "mptcp",
    "ospf",
    "eigrp",
    "pim",
    "pgm",
    "ah(",
    "esp(",
    "ipcomp",
    "mpls",
    "geneve",
    "isakmp",
    "ntp",
    "snmp",
    "rip",
    "radius",
    "cfm",
    "decnet",
    "at-",
    "ipx",
    "netbeui",
    "is-is",
    "pppoe",
    "eapol",
    "telnet",
    "ftp",
    "smtp",
    "bgp",
    "oam",
    "rx ",
    "kip",
    "dhcp6",
    "tipc",
    "aoe",
    "nsh",
    "geonet",
    "calm",
    "arista",
    "msnlb",
    "realtek",
    "rrcp",
    "mtrace",
    "mresp",
    "cdp",
    "udld",
    "vtp",
    "dtp",
    "oui ethernet bridged",
    "[mbz",
    "fqdn",
];

#[test]
fn damaged() {
    let Some(program) = common::tcpdump() else { return };
    let input = common::packets::damaged(ROUNDS);
    let file = common::file(&input, LinkType::ETHERNET);
    for (arguments, options) in [
        (["-#", "-q"], Options { quiet: true, ..options() }),
        (["-#", "-e"], Options { link_header: true, ..options() }),
        (["-#", "-vv"], Options { verbose: 2, ..options() }),
        (["-#", "-x"], Options { dump: Dump::Hex { link: false }, ..options() }),
    ] {
        let (theirs, _) = common::run(program, &[&["-n"], arguments.as_slice()].concat(), &file);
        let mut printer = Printer::new(Options { numeric: true, number: true, ..options });
        let mut ours = String::new();
        for packet in &input {
            let frame = Frame {
                time_ns: packet.time_ns,
                length: packet.length,
                data: &packet.data,
                link: LinkType::ETHERNET,
            };
            ours.push_str(&printer.print(&frame, &NoInterfaces));
        }
        let (theirs, ours) = (packets(&theirs), packets(&ours));
        assert_eq!((theirs.len(), ours.len()), (input.len(), input.len()));
        let known = |text: &str| GAPS.iter().any(|gap| text.to_ascii_lowercase().contains(gap));
        let wrong: Vec<String> = std::iter::zip(&theirs, &ours)
            .filter(|(theirs, ours)| theirs != ours && !known(theirs))
            .map(|(theirs, ours)| format!("- {theirs}\n+ {ours}"))
            .collect();
        assert!(wrong.is_empty(), "{arguments:?}: {}\n{}", wrong.len(), wrong.join("\n"));
    }
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

/// Each frame whole, and cut behind each of its bytes.
#[test]
fn loopback() {
    use common::build::{ether, hex, padded};
    let Some(program) = common::tcpdump() else { return };
    let to = |payload: &str| ether([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2], 0x9000, &hex(payload));
    let frames = [
        padded(to("")),
        padded(to("0000 0100 0500 0102")),
        padded(to("0000 0200 000102030405 0102")),
        padded(to("0900 010203040506070809 0100 0500")),
        to("0800 0000"),
        to("0000 0100 05"),
        to("0000 0200 0102"),
        to("0000 0300 05"),
    ];
    let mut packets = Vec::new();
    for frame in frames {
        for cut in 14..=frame.len() {
            packets.push(hairpin_capture::Packet {
                time_ns: 1_700_000_000_000_000_000,
                length: u32::try_from(frame.len()).unwrap(),
                data: frame[..cut].to_vec(),
            });
        }
    }
    let file = common::file(&packets, LinkType::ETHERNET);
    let (theirs, _) = common::run(program, &["-n", "-e"], &file);
    let mut printer = Printer::new(Options { numeric: true, link_header: true, ..options() });
    let mut ours = String::new();
    for packet in &packets {
        let (time_ns, length, data) = (packet.time_ns, packet.length, &packet.data);
        let frame = Frame { time_ns, length, data, link: LinkType::ETHERNET };
        ours.push_str(&printer.print(&frame, &NoInterfaces));
    }
    for (number, (theirs, ours)) in theirs.lines().zip(ours.lines()).enumerate() {
        assert_eq!(theirs, ours, "line {number}");
    }
    assert_eq!(theirs.len(), ours.len());
}
