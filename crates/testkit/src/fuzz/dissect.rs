//! tcpdump's text of any bytes.
//!
//! The input: link type, options, verbosity, how much longer the packet was on the wire, packet.

use hairpin_capture::LinkType;
use hairpin_capture::text::{Dump, Frame, NoInterfaces, Options, Printer, TimeStyle};

use super::bytes::Bytes;
use super::samples;

const LINKS: [LinkType; 3] = [LinkType::ETHERNET, LinkType::LINUX_SLL, LinkType::LINUX_SLL2];
const TIMES: [TimeStyle; 6] = [
    TimeStyle::Clock,
    TimeStyle::None,
    TimeStyle::Seconds,
    TimeStyle::SincePrevious,
    TimeStyle::Date,
    TimeStyle::SinceFirst,
];

/// Runs one input.
pub fn run(data: &[u8]) {
    let mut input = Bytes(data);
    let (link, flags, verbose, more) = (input.u8(), input.u8(), input.u8(), input.u8());
    let on = |bit: u8| flags & 1 << bit != 0;
    let link = LINKS[usize::from(link) % LINKS.len()];
    let options = Options {
        link_header: on(0),
        numeric: on(1),
        quiet: on(2),
        verbose: u32::from(verbose % 4),
        absolute_sequence: on(3),
        skip_checksums: on(4),
        number: on(5),
        time: TIMES[usize::from(verbose / 4) % TIMES.len()],
        nanoseconds: on(6),
        dump: match verbose / 32 {
            0 => Dump::Hex { link: on(7) },
            1 => Dump::HexAscii { link: on(7) },
            2 => Dump::Ascii { link: on(7) },
            _ => Dump::None,
        },
    };
    let mut printer = Printer::new(options);
    // The same packet twice: TCP's relative numbers depend on what came before.
    for time_ns in [u64::MAX / 2, 1] {
        let length = input.0.len() as u32 + u32::from(more);
        let frame = Frame { time_ns, length, data: input.0, link };
        let text = printer.print(&frame, &NoInterfaces);
        assert!(text.ends_with('\n'));
    }
}

/// Every sample frame, fully dissected.
pub fn seeds() -> Vec<Vec<u8>> {
    let of_all_protocols = super::packets::all().into_iter().map(|packet| packet.data);
    let frames = samples::frames().iter().cloned().chain(of_all_protocols);
    frames.map(|frame| [&[0, 1, 0xe3, 0], frame.as_slice()].concat()).collect()
}
