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
    ("version", Value::None, 'V'),
    ("help", Value::None, 'h'),
];

/// States of connections, and of those that only wait.
const CONNECTED: u32 =
    !(1 << state::LISTEN | 1 << state::CLOSED | 1 << state::TIME_WAIT | 1 << state::SYN_RECEIVED);
const LISTENING: u32 = 1 << state::LISTEN | 1 << state::CLOSED;
const ALL: u32 = 0xfff;

const USAGE: &str = "Usage: ss [ OPTIONS ]
       ss [ OPTIONS ] [ FILTER ]
   -h, --help          this message
   -V, --version       output version information
   -n, --numeric       don't resolve service names
   -r, --resolve       resolve host names
   -a, --all           display all sockets
   -l, --listening     display listening sockets
   -o, --options       show timer information
   -e, --extended      show detailed socket information
   -m, --memory        show socket memory usage
   -i, --info          show internal TCP information
   -p, --processes     show process using socket
   -s, --summary       show socket usage summary
   -N, --net           switch to the specified network namespace name

   -4, --ipv4          display only IP version 4 sockets
   -6, --ipv6          display only IP version 6 sockets
   -0, --packet        display PACKET sockets
   -t, --tcp           display only TCP sockets
   -u, --udp           display only UDP sockets
   -w, --raw           display only RAW sockets
   -x, --unix          display only Unix domain sockets
   -f, --family=FAMILY display sockets of type FAMILY
       FAMILY := {inet|inet6|link|unix|help}

   -H, --no-header     Suppress header line
   -O, --oneline       socket's data printed on a single line

   -A, --query=QUERY, --socket=QUERY
       QUERY := {all|inet|tcp|udp|raw|unix|packet|packet_raw|packet_dgram}[,QUERY]

       FILTER := [ state STATE-FILTER ] [ EXPRESSION ]
       STATE-FILTER := {all|connected|synchronized|bucket|big|TCP-STATES}
         TCP-STATES := {established|syn-sent|syn-recv|fin-wait-{1,2}|time-wait|closed|close-wait|last-ack|listening|closing}
          connected := {established|syn-sent|syn-recv|fin-wait-{1,2}|time-wait|close-wait|last-ack|closing}
       synchronized := {established|syn-recv|fin-wait-{1,2}|time-wait|close-wait|last-ack|closing}
             bucket := {syn-recv|time-wait}
                big := {established|syn-sent|fin-wait-{1,2}|closed|close-wait|last-ack|listening|closing}
";

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
    unix: bool,
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
                'x' => options.unix = true,
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
                    let _ = writeln!(program.shell.err(), "ss: -{other} is not supported here");
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
            "unix" => self.unix = true,
            _ => {
                let _ = writeln!(program.shell.err(), "ss: \"{word}\" is invalid family");
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
            "unix" => self.unix = true,
            "packet" | "packet_raw" | "packet_dgram" => self.packet = true,
            _ => {
                let _ = writeln!(program.shell.err(), "ss: \"{word}\" is illegal socket table id");
                return Err(Stop(255));
            }
        }
        Ok(())
    }

    /// What is listed, in the order in which it is.
    pub fn families(&self) -> Vec<Listed> {
        let any_kind = self.tcp || self.udp || self.raw || self.packet || self.unix;
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
        let kinds = [self.tcp, self.udp, self.raw, self.unix];
        self.packet || kinds.into_iter().filter(|kind| *kind).count() != 1
    }

    /// Sockets may be in several states.
    pub fn shows_state(&self) -> bool {
        self.states & (self.states.wrapping_sub(1)) != 0
    }
}
