//! `netstat`, as net-tools 2.10 has it: sockets (`/proc/net`), routes, interfaces, counters.

mod counters;
mod groups;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hairpin_netlink::sock_diag::{SocketFamily, SocketQuery, state};

use crate::getopt::{Getopt, Item, Long, Value};
use crate::services::Services;
use crate::{Program, ifconfig, resolver, route};

const SHORT: &str = "A:CFMacdeghilnNoprsStuUvVWw2fx64ZF:";
const LONG: &[Long] = &[
    ("all", Value::None, 'a'),
    ("extend", Value::None, 'e'),
    ("groups", Value::None, 'g'),
    ("interfaces", Value::None, 'i'),
    ("listening", Value::None, 'l'),
    ("numeric", Value::None, 'n'),
    ("numeric-hosts", Value::None, 'n'),
    ("numeric-ports", Value::None, 'n'),
    ("programs", Value::None, 'p'),
    ("raw", Value::None, 'w'),
    ("route", Value::None, 'r'),
    ("statistics", Value::None, 's'),
    ("tcp", Value::None, 't'),
    ("timers", Value::None, 'o'),
    ("udp", Value::None, 'u'),
    ("unix", Value::None, 'x'),
    ("version", Value::None, 'V'),
    ("wide", Value::None, 'W'),
    ("help", Value::None, 'h'),
];
/// Widths of an address with its port, of `State` and of a program.
const ADDRESS_WIDTH: usize = 23;
const STATE_WIDTH: usize = 11;
const PROGRAM_WIDTH: usize = 20;
const NOT_SUPPORTED: i32 = 1;
/// `E_OPTERR`
const OPTION_ERROR: i32 = 3;

const STATES: [&str; 12] = [
    "UNKNOWN",
    "ESTABLISHED",
    "SYN_SENT",
    "SYN_RECV",
    "FIN_WAIT1",
    "FIN_WAIT2",
    "TIME_WAIT",
    "CLOSE",
    "CLOSE_WAIT",
    "LAST_ACK",
    "LISTEN",
    "CLOSING",
];

#[derive(Clone, Debug, Default)]
struct Options {
    all: bool,
    listening: bool,
    numeric: bool,
    programs: bool,
    extended: u32,
    timers: bool,
    wide: bool,
    tcp: bool,
    udp: bool,
    raw: bool,
    unix: bool,
    ipv4: bool,
    ipv6: bool,
    routes: bool,
    interfaces: bool,
    statistics: bool,
    groups: bool,
}

/// A line of `/proc/net/{tcp,udp,raw}`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    local: (IpAddr, u16),
    remote: (IpAddr, u16),
    state: u8,
    send_queue: u64,
    receive_queue: u64,
    timer: u8,
    timer_ticks: u64,
    retransmits: u64,
    uid: u64,
    timeout: u64,
    inode: u64,
}

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let options = match read_options(program) {
        Ok(options) => options,
        Err(code) => return code,
    };
    let code = if options.routes {
        as_route(program, &options)
    } else if options.interfaces {
        as_ifconfig(program, &options)
    } else if options.groups {
        groups::show(program, options.ipv4, options.ipv6)
    } else if options.statistics {
        counters::show(program, options.tcp, options.udp, options.raw, options.ipv6)
    } else {
        sockets(program, &options)
    };
    let _ = program.shell.out().flush();
    code
}

fn read_options(program: &mut Program<'_>) -> Result<Options, i32> {
    let mut options = Options::default();
    let mut words = Getopt::new(program.name, program.args, SHORT, LONG);
    while let Some(item) = words.next() {
        let letter = match item {
            Item::Option(letter, _) => letter,
            Item::Error(text) => {
                let _ = writeln!(program.shell.err(), "{text}");
                return Err(OPTION_ERROR);
            }
        };
        match letter {
            'a' => options.all = true,
            'l' => options.listening = true,
            'n' => options.numeric = true,
            'p' => options.programs = true,
            'e' => options.extended += 1,
            'o' => options.timers = true,
            'W' => options.wide = true,
            't' => options.tcp = true,
            'u' => options.udp = true,
            'w' => options.raw = true,
            'x' => options.unix = true,
            '4' => options.ipv4 = true,
            '6' => options.ipv6 = true,
            'r' => options.routes = true,
            'i' => options.interfaces = true,
            's' => options.statistics = true,
            'g' => options.groups = true,
            'v' | 'F' => {}
            'V' => {
                let _ = writeln!(program.shell.out(), "net-tools 2.10");
                return Err(0);
            }
            other => {
                let _ = writeln!(program.shell.err(), "netstat: -{other} is not supported here");
                return Err(NOT_SUPPORTED);
            }
        }
    }
    Ok(options)
}

/// `netstat -r` is `route` with the columns of `-e`.
fn as_route(program: &mut Program<'_>, options: &Options) -> i32 {
    let mut args = vec!["-e".to_owned()];
    if options.extended > 0 {
        // net-tools counts its own default in.
        args = vec!["-ee".to_owned()];
    }
    if options.numeric {
        args.push("-n".to_owned());
    }
    if options.ipv6 {
        args.push("-6".to_owned());
    }
    route::main(&mut Program { name: "route", args: &args, system: program.system, shell: program.shell })
}

/// `netstat -i` is `ifconfig -s`, with `-e` plain `ifconfig`.
fn as_ifconfig(program: &mut Program<'_>, options: &Options) -> i32 {
    let _ = program.shell.out().write_all(b"Kernel Interface table\n");
    let mut args = Vec::new();
    if options.all {
        args.push("-a".to_owned());
    }
    if options.extended == 0 {
        args.push("-s".to_owned());
    }
    ifconfig::main(&mut Program {
        name: "netstat",
        args: &args,
        system: program.system,
        shell: program.shell,
    })
}

fn sockets(program: &mut Program<'_>, options: &Options) -> i32 {
    let any_kind = options.tcp || options.udp || options.raw || options.unix;
    let any_family = options.ipv4 || options.ipv6;
    let which = match (options.all, options.listening) {
        (true, _) => "servers and established",
        (false, true) => "only servers",
        (false, false) => "w/o servers",
    };
    let families = [options.ipv4 || !any_family, options.ipv6 || !any_family];
    let inet = !any_kind || options.tcp || options.udp || options.raw;
    if inet {
        let mut text = format!(
            "Active Internet connections ({which})\nProto Recv-Q Send-Q Local Address           Foreign Address         \
             State      "
        );
        if options.extended > 0 {
            text.push_str(" User       Inode     ");
        }
        if options.programs {
            text.push_str(" PID/Program name    ");
        }
        if options.timers {
            text.push_str(" Timer");
        }
        text.push('\n');
        let _ = program.shell.out().write_all(text.as_bytes());
        let owners = if options.programs { owners(program) } else { BTreeMap::new() };
        let services = if options.numeric { Services::default() } else { Services::read(program.shell) };
        for (kind, wanted) in [("tcp", options.tcp), ("udp", options.udp), ("raw", options.raw)] {
            if any_kind && !wanted {
                continue;
            }
            for (ipv6, shown) in [(false, families[0]), (true, families[1])] {
                if shown {
                    list(program, options, kind, ipv6, &owners, &services);
                }
            }
        }
    }
    if !any_kind && !any_family || options.unix {
        // Programs here have no sockets of that kind.
        let text = format!(
            "Active UNIX domain sockets ({which})\nProto RefCnt Flags       Type       State         I-Node   {}Path\n",
            if options.programs { "PID/Program name     " } else { "" }
        );
        let _ = program.shell.out().write_all(text.as_bytes());
    }
    0
}

fn list(
    program: &mut Program<'_>,
    options: &Options,
    kind: &str,
    ipv6: bool,
    owners: &BTreeMap<u64, String>,
    services: &Services,
) {
    let name = if ipv6 { format!("{kind}6") } else { kind.to_owned() };
    // A kernel without IPv6 has no such file.
    let Ok(bytes) = program.system.read_file(&format!("/proc/net/{name}")) else { return };
    for line in String::from_utf8_lossy(&bytes).lines().skip(1).filter_map(parse) {
        let is_server = match kind {
            "tcp" => line.state == state::LISTEN,
            _ => line.remote.1 == 0 && line.remote.0.is_unspecified(),
        };
        if !options.all && is_server != options.listening {
            continue;
        }
        let ends = [line.local, line.remote].map(|end| end_text(program, options, kind, services, end));
        let [local, remote] = ends;
        let state = match kind {
            "tcp" => STATES.get(usize::from(line.state)).copied().unwrap_or("UNKNOWN").to_owned(),
            "udp" if line.state == state::ESTABLISHED => "ESTABLISHED".to_owned(),
            "udp" => String::new(),
            _ => line.state.to_string(),
        };
        let mut text = format!(
            "{name:<4}  {:>6} {:>6} {local:<ADDRESS_WIDTH$} {remote:<ADDRESS_WIDTH$} {state:<STATE_WIDTH$}",
            line.receive_queue, line.send_queue
        );
        if options.extended > 0 {
            let user =
                if line.uid == 0 && !options.numeric { "root".to_owned() } else { line.uid.to_string() };
            text.push_str(&format!(" {user:<10} {:<10}", line.inode));
        }
        if options.programs {
            let owner = owners.get(&line.inode).map_or("-", String::as_str);
            text.push_str(&format!(" {owner:<PROGRAM_WIDTH$.PROGRAM_WIDTH$}"));
        }
        if options.timers {
            text.push_str(&timer(&line));
        }
        let _ = writeln!(program.shell.out(), "{text}");
    }
}

fn timer(line: &Line) -> String {
    const NAMES: [&str; 5] = ["off", "on", "keepalive", "timewait", "probe"];
    let name = NAMES.get(usize::from(line.timer)).copied().unwrap_or("unkn-4");
    let seconds = if line.timer == 0 { 0.0 } else { line.timer_ticks as f64 / 100.0 };
    format!(" {name} ({seconds:.2}/{}/{})", line.retransmits, line.timeout)
}

/// Address and port, cut where they are too long (`addr_do_one`).
fn end_text(
    program: &mut Program<'_>,
    options: &Options,
    kind: &str,
    services: &Services,
    (address, port): (IpAddr, u16),
) -> String {
    let name = match options.numeric || address.is_unspecified() {
        true => None,
        false => resolver::name_of(program, address.to_canonical()),
    };
    let any = if options.numeric { None } else { address.is_unspecified().then(|| any_text(address)) };
    let mut host = name.or(any).unwrap_or_else(|| address_text(address));
    let number = port.to_string();
    let port = match port {
        0 => "*",
        _ if kind == "raw" => number.as_str(),
        port => services.name(port, kind).unwrap_or(&number),
    };
    if !options.wide {
        let room = (ADDRESS_WIDTH - 1).saturating_sub(port.len());
        host.truncate(host.floor_char_boundary(room));
    }
    format!("{host}:{port}")
}

fn any_text(address: IpAddr) -> String {
    if address.is_ipv4() { "0.0.0.0".to_owned() } else { "[::]".to_owned() }
}

fn address_text(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(v4) => v4.to_string(),
            None => address.to_string(),
        },
    }
}

/// `PID/NAME` by the number of the socket.
fn owners(program: &mut Program<'_>) -> BTreeMap<u64, String> {
    let mut owners = BTreeMap::new();
    for family in [
        SocketFamily::Tcp { ipv6: false },
        SocketFamily::Tcp { ipv6: true },
        SocketFamily::Udp { ipv6: false },
        SocketFamily::Udp { ipv6: true },
        SocketFamily::Raw { ipv6: false },
        SocketFamily::Raw { ipv6: true },
    ] {
        let query = SocketQuery { family, states: u32::MAX, owners: true, details: false };
        for socket in program.system.sockets(query).unwrap_or_default() {
            if let Some(owner) = socket.owners.iter().find(|owner| owner.process != 0) {
                owners.insert(u64::from(socket.inode), format!("{}/{}", owner.process, owner.name));
            }
        }
    }
    owners
}

fn parse(line: &str) -> Option<Line> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [_, local, remote, state, queues, timer, retransmits, uid, timeout, inode, ..] = words.as_slice()
    else {
        return None;
    };
    let hex = |text: &str| u64::from_str_radix(text, 16).ok();
    let (send_queue, receive_queue) = queues.split_once(':')?;
    let (timer, ticks) = timer.split_once(':')?;
    Some(Line {
        local: end(local)?,
        remote: end(remote)?,
        state: u8::try_from(hex(state)?).ok()?,
        send_queue: hex(send_queue)?,
        receive_queue: hex(receive_queue)?,
        timer: u8::try_from(hex(timer)?).ok()?,
        timer_ticks: hex(ticks)?,
        retransmits: hex(retransmits)?,
        uid: uid.parse().ok()?,
        timeout: timeout.parse().ok()?,
        inode: inode.parse().ok()?,
    })
}

/// `0100007F:0050`: memory read as numbers.
fn end(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| Some(u32::from_str_radix(address.get(at..at + 8)?, 16).ok()?.to_ne_bytes());
    if address.len() == 8 {
        return Some((Ipv4Addr::from(word(0)?).into(), port));
    }
    let mut octets = [0; 16];
    for (at, place) in octets.chunks_exact_mut(4).enumerate() {
        place.copy_from_slice(&word(at * 8)?);
    }
    Some((Ipv6Addr::from(octets).into(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_kernel() {
        let line = parse(
            "   0: 0100007F:0050 0200000A:9C40 01 00000003:00000005 01:0000002A 00000001     0        0 4711 1 0",
        )
        .expect("a line");
        assert_eq!(line.local, ([127, 0, 0, 1].into(), 80));
        assert_eq!(line.remote, ([10, 0, 0, 2].into(), 40_000));
        assert_eq!((line.send_queue, line.receive_queue, line.inode), (3, 5, 4711));
        assert_eq!(timer(&line), " on (0.42/1/0)");
        let any = end("00000000000000000000000001000000:0051").expect("an end");
        assert_eq!(any, (Ipv6Addr::LOCALHOST.into(), 81));
        assert_eq!(parse("nonsense"), None);
    }
}
