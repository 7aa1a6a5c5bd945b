//! Nothing panics, whatever the bytes are.

mod common;

use hairpin_capture::LinkType;
use hairpin_capture::filter::{Filter, FrameView, Target};
use hairpin_capture::pcap::Reader;
use hairpin_capture::text::{Dump, Frame, NoInterfaces, Options, Printer};
use proptest::prelude::*;

const LINKS: [LinkType; 3] = [LinkType::ETHERNET, LinkType::LINUX_SLL2, LinkType::LINUX_SLL];

fn print(data: &[u8], length: u32, verbose: u32, link: LinkType) {
    for (link_header, numeric) in [(false, true), (true, false)] {
        let options = Options {
            link_header,
            numeric,
            verbose,
            number: true,
            dump: Dump::HexAscii { link: true },
            ..Options::default()
        };
        let mut printer = Printer::new(options);
        let frame = Frame { time_ns: u64::MAX, length, data, link };
        let text = printer.print(&frame, &NoInterfaces);
        assert!(text.ends_with('\n'));
    }
}

proptest! {
    #[test]
    fn random_frames(data in proptest::collection::vec(any::<u8>(), 0..400), more in 0u32..100, verbose in 0u32..4) {
        for link in LINKS {
            print(&data, data.len() as u32 + more, verbose, link);
        }
    }

    /// Real packets with some bytes changed and the end cut off reach deeper.
    #[test]
    fn damaged_frames(
        which in any::<prop::sample::Index>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        verbose in 0u32..4,
    ) {
        let packets = common::packets::all();
        let mut data = which.get(&packets).data.clone();
        for (at, value) in changes {
            let at = at.index(data.len());
            data[at] = value;
        }
        let length = data.len() as u32;
        data.truncate(1 + cut.index(data.len()));
        print(&data, length, verbose, LinkType::ETHERNET);
    }

    #[test]
    fn random_expressions(text in "[ -~\\n]{0,60}") {
        compile(&text);
    }

    #[test]
    fn expressions_of_words(words in proptest::collection::vec(prop::sample::select(WORDS), 0..14)) {
        compile(&words.join(" "));
    }

    #[test]
    fn random_files(data in proptest::collection::vec(any::<u8>(), 0..300), start in 0usize..4) {
        let starts: [&[u8]; 4] = [
            &[],
            &[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0],
            &[0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0],
            &[0xa1, 0xb2, 0x3c, 0x4d, 0, 2, 0, 4],
        ];
        read(&[starts[start], &data].concat());
    }

    #[test]
    fn damaged_files(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut file = common::file(&common::packets::all()[..8], LinkType::ETHERNET);
        for (at, value) in changes {
            let at = at.index(file.len());
            file[at] = value;
        }
        file.truncate(1 + cut.index(file.len()));
        read(&file);
    }
}

const WORDS: &[&str] = &[
    "and",
    "or",
    "not",
    "(",
    ")",
    "host",
    "net",
    "port",
    "portrange",
    "src",
    "dst",
    "ip",
    "ip6",
    "tcp",
    "udp",
    "ether",
    "vlan",
    "10.0.0.1",
    "10/8",
    "::1",
    "53",
    "80-90",
    "domain",
    "ip[0]",
    "&",
    "=",
    "!=",
    "tcp[13]",
    "+",
    "1",
    "0x10",
    "[",
    "]",
    ":",
    "len",
    "proto",
    "broadcast",
    "multicast",
    "1:2:3:4:5:6",
    "gateway",
    "less",
    "-",
    "/",
    "%",
    "<<",
    "inbound",
    "mask",
    "llc",
    "icmp6",
    "arp",
    "\\tcp",
    "!",
];

fn compile(text: &str) {
    for live in [false, true] {
        for link in LINKS {
            if let Ok(filter) = Filter::compile(text, Target { link, live, netmask: 0xffff_ff00 }) {
                for length in [0, 1, 13, 14, 17, 18, 40, 80] {
                    let data = vec![0x45; length];
                    let view = FrameView { data: &data, length: u32::MAX, outgoing: live, tag_beside: live };
                    filter.matches(&view);
                }
            }
        }
    }
}

fn read(bytes: &[u8]) {
    if let Ok(mut reader) = Reader::new(bytes) {
        for _ in 0..1000 {
            if !matches!(reader.next_packet(), Ok(Some(_))) {
                break;
            }
        }
    }
}

#[test]
fn deep_expressions_end_with_an_error_or_a_filter() {
    compile(&"(".repeat(50_000));
    compile(&"not ".repeat(3_000));
    compile(&"-".repeat(3_000));
    compile(&format!("{}tcp", "! (".repeat(90)));
    compile(&vec!["tcp"; 1_900].join(" and "));
    compile(&(0..900).map(|port| format!("port {port}")).collect::<Vec<_>>().join(" or tcp and "));
    compile(&format!("ip[{}0{}] = 1", "ip[".repeat(500), "]".repeat(500)));
}

#[test]
fn tunnels_in_tunnels_end() {
    let mut packet = common::build::v4(17).packet(&[]);
    for _ in 0..400 {
        packet = common::build::v4(4).packet(&packet);
    }
    let frame = common::build::ether(common::build::B, common::build::A, 0x0800, &packet);
    print(&frame, frame.len() as u32, 2, LinkType::ETHERNET);
}
