//! The command line of `ping`.

use std::net::{Ipv4Addr, Ipv6Addr};

use hairpin_netlink::{Errno, PathMtuDiscovery};

use crate::Program;
use crate::c_number::{strtod, strtol, strtoul};
use crate::getopt::{Getopt, Item};
use crate::iputils::{Exit, complain, fail, signed, unsigned};

const LETTERS: &str = "h?4bRT:6F:N:aABc:CdDe:fi:I:l:Lm:M:nOp:qQ:rs:S:t:UvVw:W:";

const USAGE: &str = "
Usage
  ping [options] <destination>

Options:
  <destination>      dns name or ip address
  -a                 use audible ping
  -A                 use adaptive ping
  -B                 sticky source address
  -c <count>         stop after <count> replies
  -C                 call connect() syscall on socket creation
  -D                 print timestamps
  -d                 use SO_DEBUG socket option
  -e <identifier>    define identifier for ping session, default is random for
                     SOCK_RAW and kernel defined for SOCK_DGRAM
                     Imply using SOCK_RAW (for IPv4 only for identifier 0)
  -f                 flood ping
  -h                 print help and exit
  -I <interface>     either interface name or address
  -i <interval>      seconds between sending each packet
  -L                 suppress loopback of multicast packets
  -l <preload>       send <preload> number of packages while waiting replies
  -m <mark>          tag the packets going out
  -M <pmtud opt>     define mtu discovery, can be one of <do|dont|want>
  -n                 no dns name resolution
  -O                 report outstanding replies
  -p <pattern>       contents of padding byte
  -q                 quiet output
  -Q <tclass>        use quality of service <tclass> bits
  -s <size>          use <size> as number of data bytes to be sent
  -S <size>          use <size> as SO_SNDBUF socket option value
  -t <ttl>           define time to live
  -U                 print user-to-user latency
  -v                 verbose output
  -V                 print version and exit
  -w <deadline>      reply wait <deadline> in seconds
  -W <timeout>       time to wait for response

IPv4 options:
  -4                 use IPv4
  -b                 allow pinging broadcast
  -R                 record route
  -T <timestamp>     define timestamp, can be one of <tsonly|tsandaddr|tsprespec>

IPv6 options:
  -6                 use IPv6
  -F <flowlabel>     define flow label, default is random
  -N <nodeinfo opt>  use icmp6 node info query, try <help> as argument

For more details see ping(8).
";

const VERSION: &str = "ping from iputils 20221126
libcap: yes, IDN: yes, NLS: no, error.h: yes, getrandom(): yes, __fpending(): yes
";

/// Longest preload: the span of sequence numbers in which duplicates are known.
const PRELOAD_MAX: i64 = 0x10000;

/// Which address family the user asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Any,
    V4,
    V6,
}

/// `-T`: the flag field of the time stamp option (RFC 791, 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeStamp {
    Only = 0,
    AndAddress = 1,
    Prespecified = 3,
}

/// What the command line says. Times are in milliseconds.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub family: Family,
    pub adaptive: bool,
    pub audible: bool,
    pub broadcast: bool,
    pub connect: bool,
    pub count: i64,
    pub data_len: usize,
    pub deadline_s: i64,
    pub device: Option<String>,
    pub dont_route: bool,
    pub flood: bool,
    pub ident: Option<u16>,
    pub interval_ms: i64,
    pub interval_given: bool,
    pub latency: bool,
    pub linger_ms: i64,
    pub mark: Option<u32>,
    pub mtu_discovery: Option<PathMtuDiscovery>,
    pub no_loop: bool,
    pub numeric: bool,
    pub outstanding: bool,
    pub pattern: Option<String>,
    pub preload: i64,
    pub quiet: bool,
    pub record_route: bool,
    pub source: Option<Ipv4Addr>,
    pub source6: Option<Ipv6Addr>,
    pub sticky_source: bool,
    pub time_of_day: bool,
    pub time_stamp: Option<TimeStamp>,
    pub tos: u8,
    pub ttl: Option<u8>,
    pub verbose: bool,
}

/// Prints the usage; exit code 2.
pub(super) fn usage(program: &mut Program<'_>) -> Exit {
    let _ = program.shell.out().flush();
    let _ = program.shell.err().write_all(USAGE.as_bytes());
    Exit(2)
}

/// Reads the command line: options and the destination behind its hops.
pub(super) fn parse<'a>(
    program: &mut Program<'a>,
    args: &'a [String],
) -> Result<(Options, Vec<&'a str>), Exit> {
    let mut options = Options {
        family: match program.name.as_bytes().last() {
            Some(b'4') => Family::V4,
            Some(b'6') => Family::V6,
            _ => Family::Any,
        },
        adaptive: false,
        audible: false,
        broadcast: false,
        connect: false,
        count: 0,
        data_len: 56,
        deadline_s: 0,
        device: None,
        dont_route: false,
        flood: false,
        ident: None,
        interval_ms: 1000,
        interval_given: false,
        latency: false,
        linger_ms: 10_000,
        mark: None,
        mtu_discovery: None,
        no_loop: false,
        numeric: false,
        outstanding: false,
        pattern: None,
        preload: 1,
        quiet: false,
        record_route: false,
        source: None,
        source6: None,
        sticky_source: false,
        time_of_day: false,
        time_stamp: None,
        tos: 0,
        ttl: None,
        verbose: false,
    };
    let mut getopt = Getopt::new(program.name, args, LETTERS, &[]);
    while let Some(item) = getopt.next() {
        match item {
            Item::Option(letter, None) => flag(program, &mut options, letter)?,
            Item::Option(letter, Some(value)) => with_value(program, &mut options, letter, value)?,
            Item::Error(text) => {
                let _ = program.shell.out().flush();
                let _ = writeln!(program.shell.err(), "{text}");
                return Err(usage(program));
            }
        }
    }
    let operands = getopt.operands();
    if operands.is_empty() {
        return Err(fail(program, 1, "usage error: Destination address required"));
    }
    Ok((options, operands))
}

fn flag(program: &mut Program<'_>, options: &mut Options, letter: char) -> Result<(), Exit> {
    match letter {
        '4' | '6' => {
            let wanted = if letter == '4' { Family::V4 } else { Family::V6 };
            if options.family != Family::Any && options.family != wanted {
                return Err(fail(program, 2, "only one -4 or -6 option may be specified"));
            }
            options.family = wanted;
        }
        'R' => {
            if options.time_stamp.is_some() {
                return Err(fail(program, 2, "only one of -T or -R may be used"));
            }
            options.record_route = true;
        }
        'V' => {
            let _ = program.shell.out().write_all(VERSION.as_bytes());
            return Err(Exit(0));
        }
        'a' => options.audible = true,
        'A' => options.adaptive = true,
        'b' => options.broadcast = true,
        'B' => options.sticky_source = true,
        'C' => options.connect = true,
        'D' => options.time_of_day = true,
        'f' => {
            options.flood = true;
            options.numeric = true;
        }
        'L' => options.no_loop = true,
        'n' => options.numeric = true,
        'O' => options.outstanding = true,
        'q' => options.quiet = true,
        'r' => options.dont_route = true,
        'U' => options.latency = true,
        'v' => options.verbose = true,
        // SO_DEBUG has no effect that can be seen.
        'd' => {}
        _ => return Err(usage(program)),
    }
    Ok(())
}

fn with_value(
    program: &mut Program<'_>,
    options: &mut Options,
    letter: char,
    value: &str,
) -> Result<(), Exit> {
    match letter {
        'c' => options.count = signed(program, value, 1, i64::MAX)?,
        'e' => options.ident = Some(unsigned(program, value, 0, 0xffff)? as u16),
        'F' => flow_label(program, value)?,
        'i' => {
            let seconds = seconds(program, value, "bad timing interval")?;
            if seconds > f64::from(i32::MAX) / 1000.0 {
                return Err(fail(program, 2, &format!("bad timing interval: {value}")));
            }
            options.interval_ms = (seconds * 1000.0) as i64;
            options.interval_given = true;
        }
        'I' => source_or_device(program, options, value)?,
        'l' => options.preload = signed(program, value, 1, PRELOAD_MAX)?,
        'm' => options.mark = Some(unsigned(program, value, 0, u32::MAX.into())? as u32),
        'M' => {
            options.mtu_discovery = Some(match value {
                "do" => PathMtuDiscovery::Do,
                "dont" => PathMtuDiscovery::Dont,
                "want" => PathMtuDiscovery::Want,
                _ => return Err(fail(program, 2, &format!("invalid -M argument: {value}"))),
            });
        }
        'N' => return Err(fail(program, 2, "-N: hairpin has no node information queries")),
        'p' => options.pattern = Some(value.to_owned()),
        'Q' => options.tos = type_of_service(program, value)?,
        's' => options.data_len = signed(program, value, 0, i32::MAX.into())? as usize,
        // The size of a send buffer has no effect that can be seen.
        'S' => _ = signed(program, value, 1, i32::MAX.into())?,
        't' => options.ttl = Some(signed(program, value, 0, 255)? as u8),
        'T' => {
            if options.record_route {
                return Err(fail(program, 2, "only one of -T or -R may be used"));
            }
            options.time_stamp = Some(match value {
                "tsonly" => TimeStamp::Only,
                "tsandaddr" => TimeStamp::AndAddress,
                "tsprespec" => TimeStamp::Prespecified,
                _ => return Err(fail(program, 2, &format!("invalid timestamp type: {value}"))),
            });
        }
        'w' => options.deadline_s = signed(program, value, 0, i32::MAX.into())?,
        'W' => {
            let seconds = seconds(program, value, "bad linger time")?;
            if !(0.0..=f64::from(i32::MAX) / 1000.0).contains(&seconds) {
                return Err(fail(program, 2, &format!("bad linger time: {value}")));
            }
            options.linger_ms = (seconds * 1000.0) as i64;
        }
        _ => return Err(usage(program)),
    }
    Ok(())
}

/// `-i` and `-W`: a fraction; what follows it is complained of and ignored.
fn seconds(program: &mut Program<'_>, text: &str, what: &str) -> Result<f64, Exit> {
    // The C library's last error at this place: it has looked for a locale in vain.
    if text.is_empty() {
        return Err(fail(program, 2, &format!("{what}: {text}: {}", Errno::ENOENT)));
    }
    let (value, length) = strtod(text);
    let is_named = text.contains(['i', 'I']);
    let out_of_range = value.is_subnormal() || (value.is_infinite() && !is_named);
    if out_of_range || length < text.len() {
        let rest = text.get(length..).unwrap_or("");
        complain(program, &format!("option argument contains garbage: {rest}"));
        complain(program, "this will become fatal error in the future");
    }
    if value == 0.0 || value.is_normal() {
        return Ok(value);
    }
    Err(fail(program, 2, &format!("{what}: {text}: {}", Errno::ERANGE)))
}

fn source_or_device(program: &mut Program<'_>, options: &mut Options, value: &str) -> Result<(), Exit> {
    if value.contains(':') {
        let (address, device) = value.split_once('%').map_or((value, None), |(a, d)| (a, Some(d)));
        let Ok(address) = address.parse::<Ipv6Addr>() else {
            return Err(fail(program, 2, &format!("invalid source address: {value}")));
        };
        options.source6 = Some(address).filter(|address| !address.is_unspecified());
        // A source of IPv6 says nothing to a ping of IPv4, but the header line then has the source.
        options.device = device.map(str::to_owned).or(options.device.take());
        options.sticky_source = true;
    } else if let Ok(address) = value.parse::<Ipv4Addr>() {
        options.source = Some(address).filter(|address| !address.is_unspecified());
        options.sticky_source = true;
    } else {
        options.device = Some(value.to_owned());
    }
    Ok(())
}

/// `-Q`: decimal or `0x…`.
fn type_of_service(program: &mut Program<'_>, text: &str) -> Result<u8, Exit> {
    let (digits, base) = hexadecimal(text).map_or((text, 10), |digits| (digits, 16));
    let (value, length) = strtol(digits, base);
    if length < digits.len() {
        return Err(fail(program, 2, &format!("bad TOS value: {text}")));
    }
    let value = value as i32;
    if value > 255 {
        let text = format!("the decimal value of TOS bits must be in range 0-255: {value}");
        return Err(fail(program, 2, &text));
    }
    // The kernel takes the low byte of a negative one.
    Ok(value as u8)
}

/// `-F`: checked, and of no use to IPv4.
fn flow_label(program: &mut Program<'_>, text: &str) -> Result<(), Exit> {
    let (digits, base) = hexadecimal(text).map_or((text, 10), |digits| (digits, 16));
    let (value, length) = strtoul(digits, base);
    if length < digits.len() {
        return Err(fail(program, 2, &format!("bad value for flowinfo: {text}")));
    }
    if value as u32 & !0xf_ffff != 0 {
        return Err(fail(program, 2, &format!("flow value is greater than 20 bits: {text}")));
    }
    Ok(())
}

fn hexadecimal(text: &str) -> Option<&str> {
    text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))
}
