//! The command line.

use crate::Program;
use crate::getopt::{Getopt, Item, Long, Value};
use crate::resolver::Families;

const SHORT: &str = "p:f:i:D1VJvsc:ub:t:n:k:l:P:Rw:B:M:N46S:L:ZO:F:A:T:C:dI:hX:";
const LONG: &[Long] = &[
    ("port", Value::Required, 'p'),
    ("format", Value::Required, 'f'),
    ("interval", Value::Required, 'i'),
    ("daemon", Value::None, 'D'),
    ("one-off", Value::None, '1'),
    ("verbose", Value::None, 'V'),
    ("json", Value::None, 'J'),
    ("version", Value::None, 'v'),
    ("server", Value::None, 's'),
    ("client", Value::Required, 'c'),
    ("udp", Value::None, 'u'),
    ("bitrate", Value::Required, 'b'),
    ("bandwidth", Value::Required, 'b'),
    ("time", Value::Required, 't'),
    ("bytes", Value::Required, 'n'),
    ("blockcount", Value::Required, 'k'),
    ("length", Value::Required, 'l'),
    ("parallel", Value::Required, 'P'),
    ("reverse", Value::None, 'R'),
    ("bidir", Value::None, '\u{1}'),
    ("window", Value::Required, 'w'),
    ("bind", Value::Required, 'B'),
    ("bind-dev", Value::Required, '\u{2}'),
    ("cport", Value::Required, '\u{3}'),
    ("set-mss", Value::Required, 'M'),
    ("no-delay", Value::None, 'N'),
    ("version4", Value::None, '4'),
    ("version6", Value::None, '6'),
    ("tos", Value::Required, 'S'),
    ("zerocopy", Value::None, 'Z'),
    ("omit", Value::Required, 'O'),
    ("affinity", Value::Required, 'A'),
    ("title", Value::Required, 'T'),
    ("congestion", Value::Required, 'C'),
    ("logfile", Value::Required, '\u{4}'),
    ("forceflush", Value::None, '\u{5}'),
    ("connect-timeout", Value::Required, '\u{6}'),
    ("pidfile", Value::Required, 'I'),
    ("pacing-timer", Value::Required, '\u{7}'),
    ("get-server-output", Value::None, '\u{8}'),
    ("timestamps", Value::Optional, '\u{e}'),
    ("help", Value::None, 'h'),
];
pub(super) const PORT: u16 = 5201;
const STREAMS_MAX: u64 = 128;
const SECONDS_MAX: u64 = 86_400;
const BLOCK_MAX: u64 = 1 << 20;
/// Largest datagram's data (`MAX_UDP_BLOCKSIZE`).
const DATAGRAM_MAX: u64 = 65_507;

const USAGE: &str = "Usage: iperf3 [-s|-c host] [options]
       iperf3 [-h|--help] [-v|--version]

Server or Client:
  -p, --port      #         server port to listen on/connect to
  -f, --format   [kmgtKMGT] format to report: Kbits, Mbits, Gbits, Tbits
  -i, --interval  #         seconds between periodic throughput reports
  -B, --bind <host>         bind to the interface associated with the address <host>
  --bind-dev <dev>          bind to the network interface with SO_BINDTODEVICE
  -J, --json                output in JSON format
  --logfile f               send output to a log file
  -v, --version             show version information and quit
  -h, --help                show this message and quit
Server specific:
  -s, --server              run in server mode
  -D, --daemon              run the server as a daemon
  -1, --one-off             handle one client connection then exit
Client specific:
  -c, --client <host>       run in client mode, connecting to <host>
  -u, --udp                 use UDP rather than TCP
  --connect-timeout #       timeout for control connection setup (ms)
  -b, --bitrate #[KMG]      target bitrate in bits/sec
                            (default 1 Mbit/sec for UDP; for TCP 10 Mbit/sec of virtual time, shared by the streams)
  -t, --time      #         time in seconds to transmit for (default 10 secs)
  -n, --bytes     #[KMG]    number of bytes to transmit (instead of -t)
  -k, --blockcount #[KMG]   number of blocks (packets) to transmit (instead of -t or -n)
  -l, --length    #[KMG]    length of buffer to read or write
                            (default 128 KB for TCP, dynamic or 1460 for UDP)
  --cport         <port>    bind to a specific client port (TCP and UDP, default: ephemeral port)
  -P, --parallel  #         number of parallel client streams to run
  -R, --reverse             run in reverse mode (server sends, client receives)
  -N, --no-delay            set TCP no delay, disabling Nagle's Algorithm
  -4, --version4            only use IPv4
  -6, --version6            only use IPv6
  -S, --tos N               set the IP type of service, 0-255
  -T, --title str           prefix every output line with this string

[KMG] indicates options that support a K/M/G suffix for kilo-, mega-, or giga-
";

/// It ends before it begins; what is said has been said.
pub(super) struct Stop(pub i32);

/// What was asked for.
#[derive(Clone, Debug)]
pub(super) struct Options {
    /// The host to connect to; none is a server.
    pub client: Option<String>,
    pub port: u16,
    pub daemon: bool,
    pub one_off: bool,
    pub json: bool,
    pub log_file: Option<String>,
    pub format: char,
    pub interval_ns: u64,
    pub families: Families,
    pub bind: Option<String>,
    pub device: Option<String>,
    pub client_port: u16,
    pub connect_timeout_ms: Option<u64>,
    pub title: Option<String>,
    pub params: Params,
}

/// What client and server agree on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Params {
    pub udp: bool,
    /// One of these decides when a test ends; the others are 0.
    pub seconds: u64,
    pub bytes: u64,
    pub blocks: u64,
    /// Bytes of one write or datagram; 0: by the path.
    pub block_size: usize,
    /// Bits a second of each stream; none: as much as goes.
    pub rate: Option<u64>,
    pub streams: usize,
    pub reverse: bool,
    pub no_delay: bool,
    pub tos: u8,
}

impl Default for Params {
    fn default() -> Self {
        Params {
            udp: false,
            seconds: 10,
            bytes: 0,
            blocks: 0,
            block_size: 0,
            rate: None,
            streams: 1,
            reverse: false,
            no_delay: false,
            tos: 0,
        }
    }
}

impl Options {
    pub fn read(program: &mut Program<'_>) -> Result<Options, Stop> {
        let mut options = Options {
            client: None,
            port: PORT,
            daemon: false,
            one_off: false,
            json: false,
            log_file: None,
            format: 'a',
            interval_ns: super::NS_PER_S,
            families: Families::Any,
            bind: None,
            device: None,
            client_port: 0,
            connect_timeout_ms: None,
            title: None,
            params: Params::default(),
        };
        let (mut is_server, mut client_only, mut server_only) = (false, false, false);
        let mut seconds = None;
        let mut words = Getopt::new(program.name, program.args, SHORT, LONG);
        while let Some(item) = words.next() {
            let (letter, value) = match item {
                Item::Option(letter, value) => (letter, value.unwrap_or_default()),
                Item::Error(text) => {
                    let _ = write!(program.shell.err(), "{text}\n{USAGE}");
                    return Err(Stop(1));
                }
            };
            let number = |most: u64| scaled(value, 1024.0).filter(|number| *number <= most);
            let params = &mut options.params;
            let taken = match letter {
                'p' => value.parse().ok().filter(|port| *port != 0).map(|port| options.port = port),
                'f' => value.chars().next().filter(|c| "kmgtKMGTbB".contains(*c)).map(|c| options.format = c),
                'i' => value.parse::<f64>().ok().filter(|s| *s == 0.0 || (0.1..=60.0).contains(s)).map(|s| {
                    options.interval_ns = (s * super::NS_PER_S as f64) as u64;
                }),
                'D' => set(&mut options.daemon),
                '1' => set(&mut options.one_off),
                'J' => set(&mut options.json),
                's' => set(&mut is_server),
                'c' => {
                    options.client = Some(value.to_owned());
                    Some(())
                }
                'u' => set(&mut params.udp),
                'b' => scaled(value, 1000.0).map(|rate| params.rate = Some(rate).filter(|rate| *rate > 0)),
                't' => value.parse().ok().filter(|s| *s <= SECONDS_MAX).map(|s| seconds = Some(s)),
                'n' => number(u64::MAX).map(|bytes| params.bytes = bytes),
                'k' => number(u64::MAX).map(|blocks| params.blocks = blocks),
                'l' => number(BLOCK_MAX).map(|size| params.block_size = size as usize),
                'P' => value.parse::<u64>().ok().filter(|n| (1..=STREAMS_MAX).contains(n)).map(|n| {
                    params.streams = n as usize;
                }),
                'R' => set(&mut params.reverse),
                'N' => set(&mut params.no_delay),
                'S' => tos(value).map(|tos| params.tos = tos),
                'B' => {
                    let (host, device) = value.split_once('%').map_or((value, None), |(h, d)| (h, Some(d)));
                    options.bind = Some(host.to_owned());
                    options.device = device.map(str::to_owned).or(options.device.take());
                    Some(())
                }
                '\u{2}' => {
                    options.device = Some(value.to_owned());
                    Some(())
                }
                '\u{3}' => value.parse().ok().map(|port| options.client_port = port),
                '\u{4}' => {
                    options.log_file = Some(value.to_owned());
                    Some(())
                }
                '\u{6}' => value.parse().ok().map(|ms| options.connect_timeout_ms = Some(ms)),
                '4' => {
                    options.families = Families::Ipv4;
                    Some(())
                }
                '6' => {
                    options.families = Families::Ipv6;
                    Some(())
                }
                'T' => {
                    options.title = Some(value.to_owned());
                    Some(())
                }
                // What changes nothing here that can be seen: buffers, processors, flushing, timers.
                'w' | 'A' | 'Z' | 'I' | '\u{5}' | '\u{7}' => Some(()),
                'C' if value == "cubic" => Some(()),
                'v' => {
                    let _ = writeln!(program.shell.out(), "iperf 3.12 (cJSON 1.7.15)");
                    return Err(Stop(0));
                }
                'h' => {
                    let _ = program.shell.out().write_all(USAGE.as_bytes());
                    return Err(Stop(0));
                }
                other => {
                    let long =
                        LONG.iter().find(|(_, _, letter)| *letter == other).map_or("", |(name, ..)| name);
                    let name = if other.is_control() { format!("--{long}") } else { format!("-{other}") };
                    let text = format!("iperf3: parameter error - {name} is not emulated");
                    let _ = writeln!(program.shell.err(), "{text}");
                    return Err(Stop(1));
                }
            };
            if taken.is_none() {
                let what = match letter {
                    'i' => "invalid report interval (min = 0.1, max = 60 seconds)".to_owned(),
                    't' => "test duration too long (maximum = 86400 seconds)".to_owned(),
                    'P' => format!("number of parallel streams too large (maximum = {STREAMS_MAX})"),
                    'l' => "block size too large (maximum = 1048576 bytes)".to_owned(),
                    'p' => "port number must be between 1 and 65535 inclusive".to_owned(),
                    'f' => "bad format specifier (valid formats are in the set [kmgtKMGT])".to_owned(),
                    _ => format!("bad value of -{letter}: {value}"),
                };
                return Err(refuse(program, &what));
            }
            client_only |= "ubtnklPRNS".contains(letter);
            server_only |= matches!(letter, 'D' | '1');
        }
        if is_server && options.client.is_some() {
            return Err(refuse(program, "cannot be both server and client"));
        }
        if !is_server && options.client.is_none() {
            return Err(refuse(program, "must either be a client (-c) or server (-s)"));
        }
        if is_server && client_only {
            return Err(refuse(program, "some option you are trying to set is client only"));
        }
        if !is_server && server_only {
            return Err(refuse(program, "some option you are trying to set is server only"));
        }
        let params = &mut options.params;
        if params.udp && params.block_size as u64 > DATAGRAM_MAX {
            return Err(refuse(program, "block size invalid (minimum = 16 bytes, maximum = 65507 bytes)"));
        }
        let ends = [params.bytes > 0, params.blocks > 0, seconds.is_some()];
        if ends.iter().filter(|end| **end).count() > 1 {
            return Err(refuse(program, "only one test end condition (-t, -n, -k) may be specified"));
        }
        params.seconds = if params.bytes > 0 || params.blocks > 0 { 0 } else { seconds.unwrap_or(10) };
        if params.udp {
            // `UDP_RATE`
            params.rate = params.rate.or(Some(1 << 20));
        }
        Ok(options)
    }
}

fn set(flag: &mut bool) -> Option<()> {
    *flag = true;
    Some(())
}

fn refuse(program: &mut Program<'_>, why: &str) -> Stop {
    let _ = write!(program.shell.err(), "iperf3: parameter error - {why}\n\n{USAGE}");
    Stop(1)
}

/// `unit_atof`, `unit_atof_rate`: a number with a suffix; what comes behind a slash is not looked at.
fn scaled(text: &str, step: f64) -> Option<u64> {
    let text = text.split('/').next()?;
    let end = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let number: f64 = text.get(..end)?.parse().ok()?;
    let power = match text.get(end..)?.chars().next() {
        None => 0,
        Some('k' | 'K') => 1,
        Some('m' | 'M') => 2,
        Some('g' | 'G') => 3,
        Some('t' | 'T') => 4,
        Some(_) => return None,
    };
    (number >= 0.0).then_some((number * step.powi(power)) as u64)
}

fn tos(text: &str) -> Option<u8> {
    match text.strip_prefix("0x") {
        Some(hex) => u8::from_str_radix(hex, 16).ok(),
        None if text.len() > 1 && text.starts_with('0') => u8::from_str_radix(text, 8).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_suffixes() {
        assert_eq!(scaled("1M", 1000.0), Some(1_000_000));
        assert_eq!(scaled("1.5K", 1024.0), Some(1536));
        assert_eq!(scaled("10", 1024.0), Some(10));
        assert_eq!(scaled("100M/10", 1000.0), Some(100_000_000));
        assert_eq!(scaled("x", 1024.0), None);
        assert_eq!(scaled("1x", 1024.0), None);
        assert_eq!([tos("0x10"), tos("064"), tos("16")], [Some(16), Some(52), Some(16)]);
    }
}
