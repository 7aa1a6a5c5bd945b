//! `candump`: the frames of CAN devices, as they come.

use hairpin_netlink::{Address, Errno, Fd, PacketType, Received, SocketKind, SocketOption};

use super::text::{self, View};
use super::{ERROR, EXTENDED, Frame, INVERTED};
use crate::calendar::Date;
use crate::getopt::{Getopt, Item};
use crate::interfaces::{Interfaces, NAME_MAX};
use crate::{Program, Signal};

const OPTIONS: &str = "t:HciaSs:lDdxLn:r:heT:?";
/// Every CAN device.
const ANY: &str = "any";
/// Devices on a command line (`MAXSOCK`).
const DEVICES_MAX: usize = 16;
/// Frames taken at once.
const BATCH: u32 = 256;
const NS_PER_MS: u64 = 1_000_000;
const NS_PER_US: u64 = 1000;
const US_PER_SECOND: u64 = 1_000_000;

/// Colours by the place of the device, and the end of them.
const COLOURS: [&str; 6] = [
    "\x1b[1m\x1b[34m",
    "\x1b[1m\x1b[31m",
    "\x1b[1m\x1b[32m",
    "\x1b[1m",
    "\x1b[1m\x1b[35m",
    "\x1b[1m\x1b[36m",
];
const PLAIN: &str = "\x1b[0m";

/// What is shown on the screen (`SILENT_*`).
#[derive(Clone, Copy, PartialEq)]
enum Silent {
    Off,
    /// A wheel that turns.
    Animation,
    On,
}

/// What the command line says.
#[derive(Default)]
struct Options {
    /// `a`, `A`, `d` or `z`.
    stamp: Option<char>,
    /// Of the device's own clock, which has none here.
    hardware_stamp: bool,
    colours: u32,
    view: View,
    silent: Option<Silent>,
    log: bool,
    log_format: bool,
    stays: bool,
    drops: bool,
    extra: bool,
    count: Option<u64>,
    buffer: Option<u32>,
    timeout_ms: Option<u64>,
    devices: Vec<String>,
}

/// Why the program ends: what it says, and its code.
struct Ended(String, i32);

fn failed(call: &'static str) -> impl Fn(Errno) -> Ended {
    move |errno| Ended(format!("{call}: {}\n", errno.text()), 1)
}

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let done =
        read_arguments(program).and_then(|options| Dump::open(program, options)).and_then(|mut dump| {
            let ended = dump.run(program);
            for socket in &dump.sockets {
                let _ = program.system.close(socket.fd);
            }
            ended
        });
    match done {
        Ok(()) => 0,
        Err(Ended(text, code)) => {
            let _ = write!(program.shell.err(), "{text}");
            code
        }
    }
}

fn read_arguments(program: &mut Program<'_>) -> Result<Options, Ended> {
    let mut options = Options::default();
    let name = program.name;
    let wrong = || Ended(usage(name), 1);
    let mut walk = Getopt::new(name, program.args, OPTIONS, &[]);
    while let Some(item) = walk.next() {
        let (letter, value) = match item {
            Item::Option(letter, value) => (letter, value.unwrap_or("")),
            Item::Error(text) => return Err(Ended(format!("{text}\n{}", usage(name)), 1)),
        };
        match letter {
            't' => match value.chars().next() {
                Some(kind @ ('a' | 'A' | 'd' | 'z')) => options.stamp = Some(kind),
                other => {
                    let other = other.map(String::from).unwrap_or_default();
                    let text = format!("{name}: unknown timestamp mode '{other}' - ignored");
                    let _ = writeln!(program.shell.err(), "{text}");
                    options.stamp = None;
                }
            },
            'H' => options.hardware_stamp = true,
            'c' => options.colours += 1,
            'i' => options.view.binary = true,
            'a' => options.view.ascii = true,
            'S' => options.view.swapped = true,
            'e' => options.view.errors = true,
            's' => {
                options.silent = Some(match leading_number(value) {
                    0 => Silent::Off,
                    1 => Silent::Animation,
                    2 => Silent::On,
                    _ => return Err(wrong()),
                });
            }
            'l' => options.log = true,
            'D' => options.stays = true,
            'd' => options.drops = true,
            'x' => options.extra = true,
            'L' => options.log_format = true,
            'n' => {
                options.count =
                    Some(u64::try_from(leading_number(value)).ok().filter(|n| *n > 0).ok_or_else(wrong)?)
            }
            'r' => {
                options.buffer =
                    Some(u32::try_from(leading_number(value)).ok().filter(|n| *n > 0).ok_or_else(wrong)?)
            }
            'T' => options.timeout_ms = Some(u64::try_from(leading_number(value)).unwrap_or(0)),
            _ => return Err(wrong()),
        }
    }
    options.devices = walk.operands().into_iter().map(str::to_owned).collect();
    if options.devices.is_empty() {
        return Err(Ended(usage(name), 0));
    }
    let view = options.view;
    if options.log_format && (view.ascii || view.binary || view.swapped || view.errors) {
        let text = "Log file format selected: Please disable ASCII/BINARY/SWAP options!\n";
        return Err(Ended(text.to_owned(), 0));
    }
    if options.devices.len() > DEVICES_MAX {
        return Err(Ended(format!("More than {DEVICES_MAX} CAN devices given on commandline!\n"), 1));
    }
    Ok(options)
}

/// `atoi`
fn leading_number(text: &str) -> i64 {
    let text = text.trim_start();
    let end = text.bytes().skip(1).position(|byte| !byte.is_ascii_digit()).map_or(text.len(), |at| at + 1);
    text.get(..end).and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// What stands behind a device's name, parted by commas.
#[derive(Debug, Default, PartialEq)]
struct Filters {
    wanted: Vec<(u32, u32)>,
    errors: u32,
    join: bool,
}

impl Filters {
    /// # Errors
    /// The one that is none, with what follows it.
    fn parse(text: &str) -> Result<Filters, String> {
        let mut filters = Filters::default();
        let mut rest = Some(text);
        while let Some(here) = rest {
            let (filter, behind) =
                here.split_once(',').map_or((here, None), |(filter, behind)| (filter, Some(behind)));
            rest = behind;
            if let Some((id, mask)) = pair(filter, ':') {
                filters.wanted.push((id, mask & !ERROR));
            } else if let Some((id, mask)) = pair(filter, '~') {
                filters.wanted.push((id | INVERTED, mask & !ERROR));
            } else if filter.starts_with(['j', 'J']) {
                filters.join = true;
            } else {
                let mask = filter.strip_prefix('#').and_then(hexadecimal).ok_or_else(|| here.to_owned())?;
                filters.errors = mask.0;
            }
        }
        Ok(filters)
    }
}

/// An identifier and a mask, as `sscanf` reads them. Eight digits are an extended identifier.
fn pair(text: &str, between: char) -> Option<(u32, u32)> {
    let (id, rest) = hexadecimal(text)?;
    let mask = hexadecimal(rest.strip_prefix(between)?)?.0;
    let extended = text.as_bytes().get(8) == Some(&(between as u8));
    Some((if extended { id | EXTENDED } else { id }, mask))
}

/// A number in hexadecimal at the beginning, and what follows it.
fn hexadecimal(text: &str) -> Option<(u32, &str)> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let end = digits.bytes().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(digits.len());
    let (number, rest) = digits.split_at_checked(end).filter(|(number, _)| !number.is_empty())?;
    let value = u64::from_str_radix(number, 16).unwrap_or(u64::MAX);
    Some((value as u32, rest))
}

/// A socket that listens.
struct Socket {
    fd: Fd,
    /// The device that it is bound to; 0 for all.
    ifindex: u32,
    dropped: u64,
}

/// The devices and what has been shown so far.
struct Dump {
    options: Options,
    silent: Silent,
    sockets: Vec<Socket>,
    /// Devices by index, in the order in which they were seen.
    names: Vec<(u32, String)>,
    name_width: usize,
    log: Option<Box<dyn std::io::Write>>,
    /// Of the frame that times are counted from, in microseconds.
    last_us: Option<u64>,
    turns: usize,
}

impl Dump {
    fn open(program: &mut Program<'_>, options: Options) -> Result<Dump, Ended> {
        let silent = options.silent.unwrap_or(if options.log { Silent::On } else { Silent::Off });
        if options.silent.is_none() && options.log {
            let _ = writeln!(program.shell.err(), "Disabled standard output while logging.");
        }
        let mut dump = Dump {
            silent,
            sockets: Vec::new(),
            names: Vec::new(),
            name_width: 0,
            log: None,
            last_us: None,
            turns: 0,
            options,
        };
        for at in 0..dump.options.devices.len() {
            let Some(operand) = dump.options.devices.get(at).cloned() else { break };
            let socket = dump.listen(program, &operand)?;
            dump.sockets.push(socket);
        }
        if dump.options.log {
            dump.open_log(program)?;
        }
        Ok(dump)
    }

    fn listen(&mut self, program: &mut Program<'_>, operand: &str) -> Result<Socket, Ended> {
        let system = &mut *program.system;
        let fd = system.socket(SocketKind::CanRaw).map_err(failed("socket"))?;
        let (name, filters) =
            operand.split_once(',').map_or((operand, None), |(name, rest)| (name, Some(rest)));
        if name.len() > NAME_MAX {
            return Err(Ended(format!("name of CAN device '{operand}' is too long!\n"), 1));
        }
        self.name_width = self.name_width.max(name.len());
        let ifindex = match name {
            ANY => 0,
            name => {
                let found = Interfaces::dump(system).ok();
                let found = found.as_ref().and_then(|found| found.by_name(name)).map(|found| found.index());
                found.ok_or_else(|| failed("SIOCGIFINDEX")(Errno::ENODEV))?
            }
        };
        if let Some(filters) = filters {
            let wrong = |at: String| Ended(format!("Error in filter option parsing: '{at}'\n"), 1);
            let filters = Filters::parse(filters).map_err(wrong)?;
            if filters.errors != 0 {
                let _ = system.set_option(fd, SocketOption::CanErrorFilter(filters.errors));
            }
            if filters.join {
                let call = "setsockopt CAN_RAW_JOIN_FILTERS not supported by your Linux Kernel";
                system.set_option(fd, SocketOption::CanJoinFilters(true)).map_err(failed(call))?;
            }
            if !filters.wanted.is_empty() {
                let _ = system.set_option(fd, SocketOption::CanFilters(filters.wanted));
            }
        }
        let _ = system.set_option(fd, SocketOption::CanFdFrames(true));
        if let Some(bytes) = self.options.buffer {
            let set = system.set_option(fd, SocketOption::ReceiveBuffer(bytes));
            set.map_err(failed("setsockopt SO_RCVBUF"))?;
        }
        if self.options.drops {
            let call = "setsockopt SO_RXQ_OVFL not supported by your Linux Kernel";
            system.statistics(fd).map_err(failed(call))?;
        }
        system.bind(fd, Address::Can { ifindex }).map_err(failed("bind"))?;
        Ok(Socket { fd, ifindex, dropped: 0 })
    }

    fn open_log(&mut self, program: &mut Program<'_>) -> Result<(), Ended> {
        let now = program.system.now().map_err(failed("time"))?;
        let date = Date::of(now.realtime_ns / 1_000_000_000);
        let Date { year, month, day, hour, minute, second, .. } = date;
        let name = format!("candump-{year:04}-{month:02}-{day:02}_{hour:02}{minute:02}{second:02}.log");
        if self.silent != Silent::On {
            let _ = writeln!(program.shell.err(), "Warning: Console output active while logging!");
        }
        let _ = writeln!(program.shell.err(), "Enabling Logfile '{name}'");
        let file = program.shell.create(&name);
        self.log = Some(file.map_err(|error| Ended(format!("logfile: {error}\n"), 1))?);
        Ok(())
    }

    /// Shows frames until there have been enough, nothing comes for too long, or somebody ends it.
    fn run(&mut self, program: &mut Program<'_>) -> Result<(), Ended> {
        let fds: Vec<Fd> = self.sockets.iter().map(|socket| socket.fd).collect();
        let mut left = self.options.count;
        loop {
            if matches!(program.shell.take_signal(), Some(Signal::Interrupt | Signal::Terminate)) {
                break;
            }
            let now = program.system.now().map_err(failed("select"))?.monotonic_ns;
            let until =
                self.options.timeout_ms.map(|wait| now.saturating_add(wait.saturating_mul(NS_PER_MS)));
            match program.system.wait(&fds, until, until.is_some()) {
                Ok(ready) if ready.is_empty() => break,
                Ok(_) => {}
                Err(Errno::EINTR) => continue,
                Err(_) => break,
            }
            for at in 0..self.sockets.len() {
                let Some(&Socket { fd, ifindex, .. }) = self.sockets.get(at) else { break };
                let items = match program.system.receive(fd, BATCH) {
                    Ok(items) => items,
                    Err(errno) => {
                        let device = self.device(program, ifindex);
                        let name = self.names.get(device).map(|(_, name)| name.clone()).unwrap_or_default();
                        if errno != Errno::ENETDOWN || !self.options.stays {
                            return Err(failed("read")(errno));
                        }
                        let _ = writeln!(program.shell.err(), "{name}: interface down");
                        continue;
                    }
                };
                for item in items {
                    let Received::Frame { data, ifindex, packet_type, realtime_ns, .. } = item else {
                        continue;
                    };
                    let device = self.device(program, ifindex);
                    let Some(frame) = Frame::of_bytes(&data) else {
                        return Err(Ended("read: incomplete CAN frame\n".to_owned(), 1));
                    };
                    self.report_drops(program, at, device);
                    let stamp_us = if self.options.hardware_stamp { 0 } else { realtime_ns / NS_PER_US };
                    self.show(program, &frame, device, packet_type == PacketType::Outgoing, stamp_us)?;
                    left = left.map(|left| left - 1);
                    if left == Some(0) {
                        return self.end_log();
                    }
                }
            }
            let _ = program.shell.out().flush();
        }
        self.end_log()
    }

    fn end_log(&mut self) -> Result<(), Ended> {
        let flushed = self.log.as_mut().map_or(Ok(()), |log| log.flush());
        flushed.map_err(|error| Ended(format!("logfile: {error}\n"), 1))
    }

    /// The place of a device in [`Dump::names`] (`idx2dindex`).
    fn device(&mut self, program: &mut Program<'_>, ifindex: u32) -> usize {
        if let Some(at) = self.names.iter().position(|(known, _)| *known == ifindex) {
            return at;
        }
        let found = Interfaces::dump(program.system).ok();
        let name =
            found.as_ref().and_then(|found| found.by_index(ifindex)).map(|found| found.name().to_owned());
        if name.is_none() {
            let _ = writeln!(program.shell.err(), "SIOCGIFNAME: {}", Errno::ENODEV.text());
        }
        let name = name.unwrap_or_default();
        self.name_width = self.name_width.max(name.len());
        self.names.push((ifindex, name));
        self.names.len() - 1
    }

    /// What the socket had no room for.
    fn report_drops(&mut self, program: &mut Program<'_>, at: usize, device: usize) {
        let Some(socket) = self.sockets.get_mut(at).filter(|_| self.options.drops) else { return };
        let Ok(statistics) = program.system.statistics(socket.fd) else { return };
        let new = statistics.dropped.saturating_sub(socket.dropped);
        socket.dropped = statistics.dropped;
        if new == 0 {
            return;
        }
        let name = self.names.get(device).map_or("", |(_, name)| name);
        let (plural, total) = (if new > 1 { "s" } else { "" }, statistics.dropped);
        let text =
            format!("DROPCOUNT: dropped {new} CAN frame{plural} on '{name}' socket (total drops {total})\n");
        if self.silent != Silent::On {
            let _ = program.shell.out().write_all(text.as_bytes());
        }
        if let Some(log) = &mut self.log {
            let _ = log.write_all(text.as_bytes());
        }
    }

    fn show(
        &mut self,
        program: &mut Program<'_>,
        frame: &Frame,
        device: usize,
        sent: bool,
        stamp_us: u64,
    ) -> Result<(), Ended> {
        // From the first extended identifier on.
        self.options.view.indented |= frame.id & EXTENDED != 0;
        let width = self.name_width;
        let name = self.names.get(device).map_or("", |(_, name)| name);
        let (seconds, micros) = (stamp_us / US_PER_SECOND, stamp_us % US_PER_SECOND);
        let way = match (self.options.extra, sent) {
            (false, _) => "",
            (true, true) => " T",
            (true, false) => " R",
        };
        let logged = format!("({seconds:010}.{micros:06}) {name:>width$} {}{way}\n", text::short(frame));
        if let Some(log) = &mut self.log {
            log.write_all(logged.as_bytes()).map_err(|error| Ended(format!("logfile: {error}\n"), 1))?;
        }
        let shown = match self.silent {
            Silent::Off if self.options.log_format => logged,
            Silent::Off => self.line(frame, device, sent, stamp_us),
            Silent::Animation => {
                let wheel = ['|', '/', '-', '\\'];
                let sign = wheel.get(self.turns % wheel.len()).copied().unwrap_or(' ');
                self.turns += 1;
                format!("{sign}\x08")
            }
            Silent::On => String::new(),
        };
        let _ = program.shell.out().write_all(shown.as_bytes());
        Ok(())
    }

    /// A frame as the screen shows it.
    fn line(&mut self, frame: &Frame, device: usize, sent: bool, stamp_us: u64) -> String {
        let colours = self.options.colours;
        let colour = COLOURS.get(device % COLOURS.len()).copied().unwrap_or("");
        let mut line = format!(" {}", if colours > 2 { colour } else { "" });
        line.push_str(&self.stamp(stamp_us));
        line.push_str(&format!(" {}", if (1..=2).contains(&colours) { colour } else { "" }));
        let (name, width) = (self.names.get(device).map_or("", |(_, name)| name), self.name_width);
        line.push_str(&format!("{name:>width$}"));
        if self.options.extra {
            let of_fd = ["- -", "B -", "- E", "B E"].get(usize::from(frame.flags & 3)).copied().unwrap_or("");
            line.push_str(&format!("  {} {of_fd}", if sent { "TX" } else { "RX" }));
        }
        line.push_str(if colours == 1 { PLAIN } else { "" });
        line.push_str(&format!("  {}", text::long(frame, self.options.view)));
        line.push_str(if colours > 1 { PLAIN } else { "" });
        line.push('\n');
        line
    }

    fn stamp(&mut self, stamp_us: u64) -> String {
        let (seconds, micros) = (stamp_us / US_PER_SECOND, stamp_us % US_PER_SECOND);
        match self.options.stamp {
            Some('a') => format!("({seconds:010}.{micros:06}) "),
            Some('A') => {
                let Date { year, month, day, hour, minute, second, .. } = Date::of(seconds);
                format!("({year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{micros:06}) ")
            }
            Some(kind) => {
                let last = *self.last_us.get_or_insert(stamp_us);
                let passed = stamp_us.saturating_sub(last);
                if kind == 'd' {
                    self.last_us = Some(stamp_us);
                }
                format!("({:03}.{:06}) ", passed / US_PER_SECOND, passed % US_PER_SECOND)
            }
            None => String::new(),
        }
    }
}

fn usage(name: &str) -> String {
    format!(
        "{name} - dump CAN bus traffic.

Usage: {name} [options] <CAN interface>+
  (use CTRL-C to terminate {name})

Options:
         -t <type>   (timestamp: (a)bsolute/(d)elta/(z)ero/(A)bsolute w date)
         -H          (read hardware timestamps instead of system timestamps)
         -c          (increment color mode level)
         -i          (binary output - may exceed 80 chars/line)
         -a          (enable additional ASCII output)
         -S          (swap byte order in printed CAN data[] - marked with '`' )
         -s <level>  (silent mode - 0: off (default) 1: animation 2: silent)
         -l          (log CAN-frames into file. Sets '-s 2' by default)
         -L          (use log file format on stdout)
         -n <count>  (terminate after reception of <count> CAN frames)
         -r <size>   (set socket receive buffer to <size>)
         -D          (Don't exit if a \"detected\" can device goes down.
         -d          (monitor dropped CAN frames)
         -e          (dump CAN error frames in human-readable format)
         -x          (print extra message infos, rx/tx brs esi)
         -T <msecs>  (terminate after <msecs> without any reception)

Up to {DEVICES_MAX} CAN interfaces with optional filter sets can be specified
on the commandline in the form: <ifname>[,filter]*

Filters:
  Comma separated filters can be specified for each given CAN interface:
    <can_id>:<can_mask>
         (matches when <received_can_id> & mask == can_id & mask)
    <can_id>~<can_mask>
         (matches when <received_can_id> & mask != can_id & mask)
    #<error_mask>
         (set error frame filter, see include/linux/can/error.h)
    [j|J]
         (join the given CAN filters - logical AND semantic)

CAN IDs, masks and data content are given and expected in hexadecimal values.
When the can_id is 8 digits long the CAN_EFF_FLAG is set for 29 bit EFF format.
Without any given filter all data frames are received ('0:0' default filter).

Use interface name '{ANY}' to receive from all CAN interfaces.

Examples:
{name} -c -c -ta can0,123:7FF,400:700,#000000FF can2,400~7F0 can3 can8

{name} -l any,0~0,#FFFFFFFF
         (log only error frames but no(!) data frames)
{name} -l any,0:0,#FFFFFFFF
         (log error frames and also all data frames)
{name} vcan2,12345678:DFFFFFFF
         (match only for extended CAN ID 12345678)
{name} vcan2,123:7FF
         (matches CAN ID 123 - including EFF and RTR frames)
{name} vcan2,123:C00007FF
         (matches CAN ID 123 - only SFF and non-RTR frames)

"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_behind_a_name() {
        let filters = Filters::parse("123:7FF,400~7F0,12345678:DFFFFFFF,#FF,j").expect("filters");
        let wanted = vec![(0x123, 0x7ff), (INVERTED | 0x400, 0x7f0), (EXTENDED | 0x1234_5678, 0xdfff_ffff)];
        assert_eq!(filters, Filters { wanted, errors: 0xff, join: true });
        assert_eq!(Filters::parse("123:7FF,xyz,4"), Err("xyz,4".to_owned()));
        assert_eq!(Filters::parse(""), Err(String::new()));
    }

    #[test]
    fn numbers_are_read_as_far_as_they_are_some() {
        assert_eq!(["5", " 12x", "-3", "x", ""].map(leading_number), [5, 12, -3, 0, 0]);
    }
}
