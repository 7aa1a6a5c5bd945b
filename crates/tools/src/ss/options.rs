//! The command line of `ss`.

use hairpin_netlink::sock_diag::{SocketFamily, state};

use super::Listed;
use super::filter::Filter;
use crate::Program;
use crate::getopt::{Getopt, Item, Long, Value};
use crate::services::Services;

const SHORT: &str = "halBetuwxnro460spTbEf:mMiA:D:F:vVzZN:KHSOd";
const LONG: &[Long] = &[
    ("numeric", Value::None, 'n'),
    ("resolve", Value::None, 'r'),
    ("options", Value::None, 'o'),
    ("extended", Value::None, 'e'),
    ("memory", Value::None, 'm'),
    ("info", Value::None, 'i'),
    ("processes", Value::None, 'p'),
    ("tcp", Value::None, 't'),
    ("udp", Value::None, 'u'),
    ("raw", Value::None, 'w'),
    ("unix", Value::None, 'x'),
    ("all", Value::None, 'a'),
    ("listening", Value::None, 'l'),
    ("ipv4", Value::None, '4'),
    ("ipv6", Value::None, '6'),
    ("packet", Value::None, '0'),
    ("family", Value::Required, 'f'),
    ("socket", Value::Required, 'A'),
    ("query", Value::Required, 'A'),
    ("summary", Value::None, 's'),
    ("net", Value::Required, 'N'),
    ("no-header", Value::None, 'H'),
    ("oneline", Value::None, 'O'),
    ("threads", Value::None, 'T'),
    ("bpf", Value::None, 'b'),
    ("events", Value::None, 'E'),
    ("context", Value::None, 'Z'),
    ("contexts", Value::None, 'z'),
    ("mptcp", Value::None, 'M'),
    ("sctp", Value::None, 'S'),
    ("dccp", Value::None, 'd'),
    ("kill", Value::None, 'K'),
    ("diag", Value::Required, 'D'),
    ("filter", Value::Required, 'F'),
    ("tos", Value::None, TOS),
    ("cgroup", Value::None, CGROUP),
    ("tipc", Value::None, TIPC),
    ("tipcinfo", Value::None, TIPC_INFO),
    ("vsock", Value::None, VSOCK),
    ("xdp", Value::None, XDP),
    ("inet-sockopt", Value::None, INET_OPTIONS),
    ("version", Value::None, 'V'),
    ("help", Value::None, 'h'),
];

/// States of connections, and of those that only wait.
const CONNECTED: u32 =
    !(1 << state::LISTEN | 1 << state::CLOSED | 1 << state::TIME_WAIT | 1 << state::SYN_RECEIVED);
const LISTENING: u32 = 1 << state::LISTEN | 1 << state::CLOSED;
const ALL: u32 = 0xfff;

/// What `-h` prints, and a wrong option.
pub(super) const USAGE: &str = include_str!("usage.txt");
/// Options without a letter.
const TOS: char = '\u{1}';
const CGROUP: char = '\u{2}';
const TIPC: char = '\u{3}';
const TIPC_INFO: char = '\u{4}';
const VSOCK: char = '\u{5}';
const XDP: char = '\u{6}';
const INET_OPTIONS: char = '\u{7}';

/// It ends before it begins; what is said has been said.
pub(super) struct Stop(pub i32);

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    pub numeric: bool,
    pub resolve: bool,
    pub processes: bool,
    pub timers: bool,
    pub extended: bool,
    pub memory: bool,
    pub info: bool,
    pub one_line: bool,
    pub summary: bool,
    pub header: bool,
    pub netns: Option<String>,
    pub states: u32,
    pub filter: Filter,
    tcp: bool,
    udp: bool,
    raw: bool,
    packet: bool,
    /// Kinds of which there is none, a bit each.
    others: u32,
    ipv4: bool,
    ipv6: bool,
}

impl Options {
    pub fn read(program: &mut Program<'_>) -> Result<Options, Stop> {
        let mut options = Options { header: true, ..Options::default() };
        let (mut all, mut listening) = (false, false);
        let mut words = Getopt::new(program.name, program.args, SHORT, LONG);
        while let Some(item) = words.next() {
            let (letter, value) = match item {
                Item::Option(letter, value) => (letter, value.unwrap_or_default()),
                Item::Error(text) => {
                    let _ = write!(program.shell.err(), "{text}\n{USAGE}");
                    return Err(Stop(255));
                }
            };
            match letter {
                'n' => options.numeric = true,
                'r' => options.resolve = true,
                'p' => options.processes = true,
                'o' => options.timers = true,
                'e' => (options.extended, options.timers) = (true, true),
                'm' => options.memory = true,
                's' => options.summary = true,
                'H' => options.header = false,
                'O' => options.one_line = true,
                'i' => options.info = true,
                'N' => options.netns = Some(value.to_owned()),
                't' => options.tcp = true,
                'u' => options.udp = true,
                'w' => options.raw = true,
                // There are no sockets of these kinds.
                'x' | 'M' | 'S' | 'd' | TIPC | VSOCK | XDP => options.others |= 1 << (letter as u32 & 31),
                'Z' | 'z' => {
                    let _ = writeln!(program.shell.err(), "ss: SELinux is not enabled.");
                    return Err(Stop(1));
                }
                '0' => options.packet = true,
                '4' => options.ipv4 = true,
                '6' => options.ipv6 = true,
                'a' => all = true,
                'l' => listening = true,
                'f' => options.family(program, value)?,
                'A' => {
                    for word in value.split(',') {
                        options.query(program, word)?;
                    }
                }
                'V' | 'v' => {
                    let _ = writeln!(program.shell.out(), "ss utility, iproute2-6.1.0");
                    return Err(Stop(0));
                }
                'h' => {
                    let _ = program.shell.out().write_all(USAGE.as_bytes());
                    return Err(Stop(0));
                }
                other => {
                    let long =
                        LONG.iter().find(|(_, _, letter)| *letter == other).map_or("", |(name, ..)| *name);
                    let _ = writeln!(program.shell.err(), "ss: --{long} is not supported here");
                    return Err(Stop(255));
                }
            }
        }
        let operands = words.operands();
        let services = Services::read(program.shell);
        let parsed = Filter::parse(&operands, &services);
        let (filter, states) = match parsed {
            Ok(parsed) => parsed,
            Err(text) => {
                let _ = write!(program.shell.err(), "{text}");
                return Err(Stop(255));
            }
        };
        options.filter = filter;
        options.states = match (states, all, listening) {
            (Some(states), ..) => states,
            (None, true, _) => ALL,
            (None, false, true) => LISTENING,
            (None, false, false) => CONNECTED,
        };
        Ok(options)
    }

    fn family(&mut self, program: &mut Program<'_>, word: &str) -> Result<(), Stop> {
        match word {
            "inet" => self.ipv4 = true,
            "inet6" => self.ipv6 = true,
            "link" => self.packet = true,
            "unix" => self.others |= 1 << ('x' as u32 & 31),
            "help" => {
                let _ = program.shell.out().write_all(USAGE.as_bytes());
                return Err(Stop(0));
            }
            _ => {
                let _ = write!(program.shell.err(), "ss: \"{word}\" is invalid family\n{USAGE}");
                return Err(Stop(255));
            }
        }
        Ok(())
    }

    fn query(&mut self, program: &mut Program<'_>, word: &str) -> Result<(), Stop> {
        match word {
            "all" => (self.tcp, self.udp, self.raw, self.packet) = (true, true, true, true),
            "inet" => (self.tcp, self.udp, self.raw) = (true, true, true),
            "tcp" => self.tcp = true,
            "udp" => self.udp = true,
            "raw" => self.raw = true,
            "unix" => self.others |= 1 << ('x' as u32 & 31),
            "packet" | "packet_raw" | "packet_dgram" => self.packet = true,
            _ => {
                let _ = write!(program.shell.err(), "ss: \"{word}\" is illegal socket table id\n{USAGE}");
                return Err(Stop(255));
            }
        }
        Ok(())
    }

    /// What is listed, in the order in which it is.
    pub fn families(&self) -> Vec<Listed> {
        let any_kind = self.tcp || self.udp || self.raw || self.packet || self.others != 0;
        let any_family = self.ipv4 || self.ipv6;
        let families = [self.ipv4 || !any_family, self.ipv6 || !any_family];
        let wants = |asked: bool| asked || !any_kind;
        let mut listed: Vec<Listed> = Vec::new();
        if self.packet || !any_kind && !any_family {
            listed.push(("p_raw", SocketFamily::Packet));
        }
        type Make = fn(bool) -> SocketFamily;
        let inet: [(bool, &str, Make); 3] = [
            (wants(self.raw), "raw", |ipv6| SocketFamily::Raw { ipv6 }),
            (wants(self.udp), "udp", |ipv6| SocketFamily::Udp { ipv6 }),
            (wants(self.tcp), "tcp", |ipv6| SocketFamily::Tcp { ipv6 }),
        ];
        for (wanted, name, make) in inet {
            for ipv6 in [false, true] {
                if wanted && families[usize::from(ipv6)] {
                    listed.push((name, make(ipv6)));
                }
            }
        }
        listed
    }

    /// Several kinds of socket may be there.
    pub fn shows_kind(&self) -> bool {
        let kinds = [self.tcp, self.udp, self.raw];
        let known = u32::try_from(kinds.into_iter().filter(|kind| *kind).count()).unwrap_or(u32::MAX);
        // Unix sockets are of several kinds themselves.
        let unix = self.others & 1 << ('x' as u32 & 31) != 0;
        self.packet || unix || known + self.others.count_ones() != 1
    }

    /// Sockets may be in several states.
    pub fn shows_state(&self) -> bool {
        self.states & (self.states.wrapping_sub(1)) != 0
    }
}
