//! `tap`: what a program does that has the queue of a macvtap or ipvtap open, as `/dev/tapN` is on Linux. `tap dump` takes the
//! frames that the device receives, `tap send` puts frames into it, which the device sends. While the queue is open, the
//! IP stack of the device's namespace gets nothing of it.
//!
//! Linux has no such command: a program of its own (qemu, say) does this there.

use hairpin_capture::text::{Dump, Frame, NoInterfaces, Options, Printer, TimeStyle};
use hairpin_capture::{LinkType, pcap};
use hairpin_netlink::codec::NLM_F_DUMP;
use hairpin_netlink::route::link::{LinkAttribute, LinkMessage};
use hairpin_netlink::{Errno, Fd, Message, Received, SocketKind, transact};

use crate::getopt::{Getopt, Item};
use crate::{Program, Signal};

const USAGE: &str = "\
Usage: tap dump [-x] [-c COUNT] [-W SECONDS] [-w FILE] DEVICE
       tap send [-r FILE] DEVICE [FRAME]...

dump takes the frames that a macvtap or ipvtap receives, and prints them as
'tcpdump -e -n -t' does or writes a pcap file; send makes it send the frames
of a pcap file, or those given in hexadecimal.
";
/// Frames taken at once.
const BATCH: u32 = 256;
const NS_PER_SECOND: f64 = 1e9;
/// What a capture file says of the longest frame.
const SNAPLEN: u32 = 262_144;

/// Why the program ends early: what it says.
struct Failed(String);

impl<T: Into<String>> From<T> for Failed {
    fn from(text: T) -> Self {
        Failed(text.into())
    }
}

/// What the command line says.
#[derive(Default)]
struct Asked {
    hexadecimal: bool,
    count: Option<u64>,
    seconds: Option<f64>,
    file: Option<String>,
    operands: Vec<String>,
}

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let command = program.args.first().map(String::as_str);
    let done = match command {
        Some("dump") => read_arguments(program, "xc:W:w:").and_then(|asked| dump(program, &asked)),
        Some("send") => read_arguments(program, "r:").and_then(|asked| send(program, &asked)),
        Some("help" | "-h" | "--help") => {
            let _ = write!(program.shell.out(), "{USAGE}");
            return 0;
        }
        _ => {
            let _ = write!(program.shell.err(), "{USAGE}");
            return 2;
        }
    };
    match done {
        Ok(()) => 0,
        Err(Failed(text)) => {
            let _ = writeln!(program.shell.err(), "tap: {text}");
            1
        }
    }
}

fn read_arguments(program: &Program<'_>, known: &'static str) -> Result<Asked, Failed> {
    let mut asked = Asked::default();
    let rest = program.args.get(1..).unwrap_or(&[]);
    let mut options = Getopt::new("tap", rest, known, &[]);
    while let Some(item) = options.next() {
        let number = |text: Option<&str>| text.and_then(|text| text.parse::<f64>().ok());
        match item {
            Item::Option('x', _) => asked.hexadecimal = true,
            Item::Option('c', value) => {
                asked.count = Some(value.and_then(|text| text.parse().ok()).ok_or("-c wants a number")?);
            }
            Item::Option('W', value) => {
                let seconds = number(value).filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
                asked.seconds = Some(seconds.ok_or("-W wants a number of seconds")?);
            }
            Item::Option(_, value) => asked.file = value.map(str::to_owned),
            Item::Error(text) => return Err(text.trim_start_matches("tap: ").into()),
        }
    }
    asked.operands = options.operands().into_iter().map(str::to_owned).collect();
    Ok(asked)
}

/// Opens the queue of the device that is named first.
fn open(program: &mut Program<'_>, asked: &Asked) -> Result<Fd, Failed> {
    let name = asked.operands.first().ok_or("which device?")?;
    let answer = transact(program.system, &Message::GetLink(LinkMessage::default()), NLM_F_DUMP);
    let links = answer.map_err(|failure| failure.errno.text())?;
    let index = links.iter().find_map(|message| match message {
        Message::NewLink(link) => {
            let named = |attribute: &LinkAttribute| matches!(attribute, LinkAttribute::IfName(known) if known == name);
            link.attributes.iter().any(named).then_some(link.header.index)
        }
        _ => None,
    });
    let ifindex = index.ok_or_else(|| format!("{name}: no such device"))?;
    program.system.socket(SocketKind::Tap { ifindex }).map_err(|errno| match errno {
        Errno::ENODEV => format!("{name} is no macvtap or ipvtap").into(),
        Errno::ENOSYS => "only an emulated kernel's queues can be opened so: on Linux open /dev/tapN".into(),
        errno => format!("{name}: {}", errno.text()).into(),
    })
}

fn dump(program: &mut Program<'_>, asked: &Asked) -> Result<(), Failed> {
    let queue = open(program, asked)?;
    let mut writer = match &asked.file {
        Some(path) => {
            let failed = |error: std::io::Error| Failed(format!("{path}: {error}"));
            let file = program.shell.create(path).map_err(failed)?;
            Some(pcap::Writer::new(file, LinkType::ETHERNET, SNAPLEN, false).map_err(failed)?)
        }
        None => None,
    };
    let dump = if asked.hexadecimal { Dump::Hex { link: true } } else { Dump::None };
    let style =
        Options { link_header: true, numeric: true, time: TimeStyle::None, dump, ..Options::default() };
    let mut printer = Printer::new(style);
    // Whoever starts it waits for this line.
    let _ = writeln!(program.shell.err(), "tap: the queue is open");
    let _ = program.shell.err().flush();
    let now = program.system.now().map_err(|errno| errno.text())?.monotonic_ns;
    let until = asked.seconds.map(|seconds| now.saturating_add((seconds * NS_PER_SECOND) as u64));
    let mut taken = 0;
    while asked.count.is_none_or(|count| taken < count) {
        if matches!(program.shell.take_signal(), Some(Signal::Interrupt | Signal::Terminate)) {
            break;
        }
        match program.system.wait(&[queue], until, until.is_some()) {
            Ok(ready) if ready.is_empty() => break,
            Ok(_) => {}
            Err(Errno::EINTR) => continue,
            Err(errno) => return Err(errno.text().into()),
        }
        for item in program.system.receive(queue, BATCH).map_err(|errno| errno.text())? {
            let Received::Frame { data, realtime_ns, .. } = item else { continue };
            if asked.count.is_some_and(|count| taken >= count) {
                break;
            }
            taken += 1;
            let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
            if let Some(writer) = &mut writer {
                writer.write(realtime_ns, length, &data).map_err(|error| error.to_string())?;
            } else {
                let frame = Frame { time_ns: realtime_ns, length, data: &data, link: LinkType::ETHERNET };
                let text = printer.print(&frame, &NoInterfaces);
                let _ = program.shell.out().write_all(text.as_bytes());
            }
        }
        let _ = program.shell.out().flush();
    }
    if let Some(writer) = &mut writer {
        writer.flush().map_err(|error| error.to_string())?;
    }
    program.system.close(queue).map_err(|errno| errno.text().into())
}

fn send(program: &mut Program<'_>, asked: &Asked) -> Result<(), Failed> {
    let mut frames = Vec::new();
    for text in asked.operands.iter().skip(1) {
        frames.push(read_frame(text).ok_or_else(|| format!("'{text}' is no frame in hexadecimal"))?);
    }
    if let Some(path) = &asked.file {
        let file = program.shell.open(path).map_err(|error| format!("{path}: {error}"))?;
        let mut reader = pcap::Reader::new(file).map_err(|error| format!("{path}: {error}"))?;
        if reader.link() != LinkType::ETHERNET {
            return Err(format!("{path} has no Ethernet frames").into());
        }
        while let Some(packet) = reader.next_packet().map_err(|error| format!("{path}: {error}"))? {
            frames.push(packet.data);
        }
    }
    let queue = open(program, asked)?;
    for frame in frames {
        program.system.send(queue, frame, None).map_err(|errno| errno.text())?;
    }
    program.system.close(queue).map_err(|errno| errno.text().into())
}

/// Bytes in hexadecimal, with colons or without.
fn read_frame(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text
        .chars()
        .filter(|letter| *letter != ':')
        .map(|letter| letter.to_digit(16))
        .collect::<Option<_>>()?;
    let whole = digits.len().is_multiple_of(2) && !digits.is_empty();
    whole.then(|| {
        digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | *digit as u8)).collect()
    })
}

#[test]
fn frames_are_read_with_colons_and_without() {
    assert_eq!(read_frame("02:0a:ff"), Some(vec![2, 10, 255]));
    assert_eq!(read_frame("020aFF"), Some(vec![2, 10, 255]));
    for bad in ["", "0", "0g", "02 0a"] {
        assert_eq!(read_frame(bad), None, "{bad}");
    }
}
