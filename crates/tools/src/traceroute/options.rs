//! What traceroute's options mean.

use std::net::{IpAddr, Ipv4Addr};

use super::command_line::{Found, Item, Known, Walk};
use super::{Exit, refuse};
use crate::Program;
use crate::c_number::{general, strtod, strtol, strtoul};
use crate::resolver::{self, Target, Unresolved};

const VERSION: &str = "Modern traceroute for Linux, version 2.1.2
Copyright (c) 2016  Dmitry Butskoy,   License: GPL v2 or any later
";

/// What `--help` prints behind `Usage:` and the program's name: the original's layout, in our own words.
const HELP: &str = include_str!("help.txt");

const MAX_HOPS: u32 = 255;
const MAX_PROBES: u32 = 10;
const MAX_GATEWAYS: usize = 8;
const MAX_PACKET_LEN: i32 = 65000;
/// Data of a packet, transport header included, where no length is given.
const DATA_LEN: usize = 40;
const IPV4_HEADER_LEN: usize = 20;
const IPV6_HEADER_LEN: usize = 40;
/// Where the ports of UDP start, and the fixed one of `-U` (RFC 1035).
const START_PORT: u16 = 33434;
const UDP_PORT: u16 = 53;
const TCP_PORT: u16 = 80;
/// Bytes of a SYN with the options of Linux.
pub(super) const TCP_LEN: usize = 40;

/// The options in the order in which `--help` lists them.
pub(super) const KNOWN: &[Known] = &[
    plain(Some('4'), None, None),
    plain(Some('6'), None, None),
    plain(Some('d'), Some("debug"), None),
    shortened(Some('F'), Some("dont-fragment"), None),
    plain(Some('f'), Some("first"), Some("first_ttl")),
    list(Some('g'), Some("gateway"), Some("gate")),
    plain(Some('I'), Some("icmp"), None),
    plain(Some('T'), Some("tcp"), None),
    plain(Some('i'), Some("interface"), Some("device")),
    plain(Some('m'), Some("max-hops"), Some("max_ttl")),
    plain(Some('N'), Some("sim-queries"), Some("squeries")),
    plain(Some('n'), None, None),
    plain(Some('p'), Some("port"), Some("port")),
    plain(Some('t'), Some("tos"), Some("tos")),
    plain(Some('l'), Some("flowlabel"), Some("flow_label")),
    plain(Some('w'), Some("wait"), Some("MAX,HERE,NEAR")),
    plain(Some('q'), Some("queries"), Some("nqueries")),
    plain(Some('r'), None, None),
    plain(Some('s'), Some("source"), Some("src_addr")),
    plain(Some('z'), Some("sendwait"), Some("sendwait")),
    shortened(Some('e'), Some("extensions"), None),
    plain(Some('A'), Some("as-path-lookups"), None),
    plain(Some('M'), Some("module"), Some("name")),
    list(Some('O'), Some("options"), Some("OPTS")),
    plain(None, Some("sport"), Some("num")),
    plain(None, Some("fwmark"), Some("num")),
    plain(Some('U'), Some("udp"), None),
    one_dash(None, Some("UL"), None),
    plain(Some('D'), Some("dccp"), None),
    plain(Some('P'), Some("protocol"), Some("prot")),
    plain(None, Some("mtu"), None),
    plain(None, Some("back"), None),
    plain(Some('V'), Some("version"), None),
    plain(None, Some("help"), None),
];

const fn plain(short: Option<char>, long: Option<&'static str>, value: Option<&'static str>) -> Known {
    Known { short, long, value, is_list: false, may_be_shortened: false, one_dash: false }
}

const fn list(short: Option<char>, long: Option<&'static str>, value: Option<&'static str>) -> Known {
    Known { is_list: true, ..plain(short, long, value) }
}

const fn shortened(short: Option<char>, long: Option<&'static str>, value: Option<&'static str>) -> Known {
    Known { may_be_shortened: true, ..plain(short, long, value) }
}

const fn one_dash(short: Option<char>, long: Option<&'static str>, value: Option<&'static str>) -> Known {
    Known { one_dash: true, ..plain(short, long, value) }
}

/// How the way is probed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// UDP, another port each time.
    Default,
    /// UDP to one port.
    Udp,
    Icmp,
    /// SYNs to one port.
    Tcp,
}

impl Method {
    /// Length of the header that the kernel puts in front of the data.
    pub fn header_len(self) -> usize {
        if matches!(self, Method::Icmp | Method::Tcp) { 0 } else { 8 }
    }
}

/// What the command line says, checked. Times are in seconds.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub method: Method,
    pub host: String,
    pub target: IpAddr,
    /// The device of a link-local target, by index; 0 for none.
    pub scope: u32,
    pub first_hop: usize,
    pub max_hops: usize,
    pub probes_per_hop: usize,
    pub sim_probes: usize,
    pub numeric: bool,
    pub device: Option<String>,
    pub source: Option<IpAddr>,
    pub source_port: u16,
    /// The first port, or the first sequence number.
    pub port: u16,
    pub wait_s: f64,
    pub here_factor: f64,
    pub near_factor: f64,
    pub send_wait_s: f64,
    pub tos: u8,
    pub mark: u32,
    pub dont_route: bool,
    pub dont_fragment: bool,
    pub find_mtu: bool,
    /// IPv4 options of every packet: the source route of `-g`.
    pub ip_options: Vec<u8>,
    /// Lengths of all headers, and of the data behind them.
    pub header_len: usize,
    pub data_len: usize,
}

/// The command line as it stands, before it is checked as a whole.
struct Given {
    family: Option<u8>,
    module: String,
    module_options: Vec<String>,
    first_hop: u32,
    max_hops: u32,
    sim_probes: u32,
    probes_per_hop: u32,
    numeric: bool,
    device: Option<String>,
    source: Option<IpAddr>,
    source_port: u32,
    port: u32,
    wait: (f64, f64, f64),
    send_wait_s: f64,
    tos: u32,
    mark: u32,
    dont_route: bool,
    dont_fragment: bool,
    find_mtu: bool,
    gateways: Vec<String>,
    packet_len: i32,
}

/// Reads and checks the command line.
pub(super) fn read(program: &mut Program<'_>, args: &[String]) -> Result<Options, Exit> {
    if args.is_empty() {
        return Err(help(program));
    }
    let mut given = Given {
        family: program.name.ends_with('6').then_some(6),
        module: "default".to_owned(),
        module_options: Vec::new(),
        first_hop: 1,
        max_hops: 30,
        sim_probes: 16,
        probes_per_hop: 3,
        numeric: false,
        device: None,
        source: None,
        source_port: 0,
        port: 0,
        wait: (5.0, 3.0, 10.0),
        send_wait_s: 0.0,
        tos: 0,
        mark: 0,
        dont_route: false,
        dont_fragment: false,
        find_mtu: false,
        gateways: Vec::new(),
        packet_len: -1,
    };
    let mut walk = Walk::new(args, KNOWN);
    while let Some(item) = walk.next() {
        match item {
            Item::Mistake(text) => return Err(refuse(program, &text)),
            Item::Option(found) => {
                if !apply(program, &mut given, &found)? {
                    return Err(refuse(program, &found.refused()));
                }
            }
        }
    }
    let (host, target) = operands(program, &mut given, &walk.operands)?;
    check(program, given, host, target)
}

/// Takes over one option; false where its value does not fit.
fn apply(program: &mut Program<'_>, given: &mut Given, found: &Found<'_>) -> Result<bool, Exit> {
    let value = found.value.unwrap_or("");
    let module = |given: &mut Given, name: &str| name.clone_into(&mut given.module);
    match found.name {
        "4" => given.family = Some(4),
        "6" => given.family = Some(6),
        // SO_DEBUG has no effect that can be seen.
        "d" => {}
        "F" => given.dont_fragment = true,
        "f" => return Ok(unsigned(value, &mut given.first_hop)),
        "g" => given.gateways.extend(words(value)),
        "I" => module(given, "icmp"),
        "T" => module(given, "tcp"),
        "i" => given.device = Some(value.to_owned()),
        "m" => return Ok(unsigned(value, &mut given.max_hops)),
        "N" => return Ok(unsigned(value, &mut given.sim_probes)),
        "n" => given.numeric = true,
        "p" => return Ok(port(value, &mut given.port)),
        "t" => return Ok(unsigned(value, &mut given.tos)),
        "l" => return Ok(unsigned(value, &mut 0)),
        "w" => return Ok(wait(value, &mut given.wait)),
        "q" => return Ok(unsigned(value, &mut given.probes_per_hop)),
        "r" => given.dont_route = true,
        "s" => match address(program, given.family, value)? {
            Some((source, _)) => given.source = Some(source),
            None => return Ok(false),
        },
        "z" => {
            let (seconds, length) = strtod(value);
            given.send_wait_s = seconds;
            return Ok(length > 0 && length == value.len());
        }
        "e" => return Err(refuse(program, "-e: hairpin's traceroute shows no ICMP extensions yet")),
        "A" => return Err(refuse(program, "-A: hairpin's traceroute asks no routing registries")),
        "M" => module(given, value),
        "O" => given.module_options.extend(words(value)),
        "sport" => return Ok(port(value, &mut given.source_port)),
        "fwmark" => return Ok(unsigned(value, &mut given.mark)),
        "U" => module(given, "udp"),
        "UL" => module(given, "udplite"),
        "D" => module(given, "dccp"),
        "P" => module(given, "raw"),
        "mtu" => given.find_mtu = true,
        "back" => return Err(refuse(program, "--back: hairpin's traceroute knows no way back yet")),
        "V" => {
            let _ = program.shell.err().write_all(VERSION.as_bytes());
            return Err(Exit(0));
        }
        _ => return Err(help(program)),
    }
    Ok(true)
}

fn help(program: &mut Program<'_>) -> Exit {
    let name = program.name;
    let _ = write!(program.shell.err(), "Usage:\n  {name} {HELP}");
    Exit(0)
}

/// The host and the length of the packets.
fn operands(
    program: &mut Program<'_>,
    given: &mut Given,
    operands: &[(usize, &str)],
) -> Result<(String, (IpAddr, u32)), Exit> {
    let Some((position, host)) = operands.first() else {
        return Err(refuse(program, "Specify \"host\" missing argument."));
    };
    if let Some((position, word)) = operands.get(2) {
        let text = format!("Extra arg `{word}' (position 3, argc {position})");
        return Err(refuse(program, &text));
    }
    let Some(target) = address(program, given.family, host)? else {
        let text = format!("Cannot handle \"host\" cmdline arg `{host}' on position 1 (argc {position})");
        return Err(refuse(program, &text));
    };
    if let Some((position, word)) = operands.get(1) {
        let (value, length) = strtol(word, 0);
        if length == 0 || length < word.len() {
            let text =
                format!("Cannot handle \"packetlen\" cmdline arg `{word}' on position 2 (argc {position})");
            return Err(refuse(program, &text));
        }
        given.packet_len = value as i32;
    }
    Ok(((*host).to_owned(), target))
}

fn check(
    program: &mut Program<'_>,
    given: Given,
    host: String,
    target: (IpAddr, u32),
) -> Result<Options, Exit> {
    let method = match given.module.as_str() {
        "default" => Method::Default,
        "udp" => Method::Udp,
        "icmp" => Method::Icmp,
        "tcp" => Method::Tcp,
        known @ ("tcpconn" | "udplite" | "dccp" | "raw") => {
            let text = format!("hairpin's traceroute has no method {known} yet");
            return Err(refuse(program, &text));
        }
        other => return Err(refuse(program, &format!("Unknown traceroute module {other}"))),
    };
    let (wait_s, mut here_factor, mut near_factor) = given.wait;
    let mistake = if given.first_hop == 0 || given.first_hop > given.max_hops {
        Some("first hop out of range".to_owned())
    } else if given.max_hops > MAX_HOPS {
        Some(format!("max hops cannot be more than {MAX_HOPS}"))
    } else if given.probes_per_hop == 0 || given.probes_per_hop > MAX_PROBES {
        Some(format!("no more than {MAX_PROBES} probes per hop"))
    } else if wait_s < 0.0 || here_factor < 0.0 || near_factor < 0.0 {
        let [wait, here, near] = [wait_s, here_factor, near_factor].map(general);
        Some(format!("bad wait specifications `{wait},{here},{near}' used"))
    } else if given.packet_len > MAX_PACKET_LEN {
        Some(format!("too big packetlen {} specified", given.packet_len))
    } else if given.send_wait_s < 0.0 {
        Some(format!("bad sendtime `{}' specified", general(given.send_wait_s)))
    } else {
        None
    };
    if let Some(text) = mistake {
        return Err(refuse(program, &text));
    }
    let ip_options = match target.0 {
        IpAddr::V4(target) => source_route(program, &given, target)?,
        IpAddr::V6(_) if given.gateways.is_empty() => Vec::new(),
        IpAddr::V6(_) => return Err(refuse(program, "hairpin has no source routes of IPv6")),
    };
    if let Some(option) = given.module_options.first() {
        // The methods that there are have only options on how they open their socket.
        if method != Method::Icmp || !matches!(option.as_str(), "raw" | "dgram") {
            return Err(refuse(program, &format!("Bad keyword `{option}' (argc 1)")));
        }
    }
    let mut sim_probes = given.sim_probes.max(1);
    if given.source_port as u16 != 0 || given.source_port != 0 {
        sim_probes = 1;
        (here_factor, near_factor) = (0.0, 0.0);
    }
    let mut packet_len = given.packet_len;
    if given.find_mtu {
        sim_probes = 1;
        packet_len = if packet_len < 0 { MAX_PACKET_LEN } else { packet_len };
    }
    let ip_len = if target.0.is_ipv4() { IPV4_HEADER_LEN } else { IPV6_HEADER_LEN };
    let header_len = ip_len + ip_options.len() + method.header_len();
    let mut data_len = match usize::try_from(packet_len) {
        Err(_) => DATA_LEN - method.header_len(),
        Ok(length) => length.saturating_sub(header_len),
    };
    if method == Method::Icmp {
        data_len = data_len.max(8);
    }
    if method == Method::Tcp {
        data_len = TCP_LEN;
    }
    let first = match method {
        Method::Default => START_PORT,
        Method::Udp => UDP_PORT,
        Method::Icmp => 1,
        Method::Tcp => TCP_PORT,
    };
    Ok(Options {
        method,
        host,
        target: target.0,
        scope: target.1,
        first_hop: given.first_hop as usize,
        max_hops: given.max_hops as usize,
        probes_per_hop: given.probes_per_hop as usize,
        sim_probes: sim_probes as usize,
        numeric: given.numeric,
        device: given.device,
        source: given.source,
        source_port: given.source_port as u16,
        port: if given.port == 0 { first } else { given.port as u16 },
        wait_s,
        here_factor,
        near_factor,
        // From ten on it is milliseconds.
        send_wait_s: if given.send_wait_s >= 10.0 { given.send_wait_s / 1000.0 } else { given.send_wait_s },
        tos: given.tos as u8,
        mark: given.mark,
        dont_route: given.dont_route,
        dont_fragment: given.dont_fragment || given.find_mtu,
        find_mtu: given.find_mtu,
        ip_options,
        header_len,
        data_len,
    })
}

/// A loose source route over the gateways to the target (RFC 791, 3.1).
fn source_route(program: &mut Program<'_>, given: &Given, target: Ipv4Addr) -> Result<Vec<u8>, Exit> {
    if given.gateways.is_empty() {
        return Ok(Vec::new());
    }
    if given.gateways.len() > MAX_GATEWAYS {
        let text = format!("Too many gateways specified. No more than {MAX_GATEWAYS}");
        return Err(refuse(program, &text));
    }
    let mut hops = Vec::new();
    for gateway in &given.gateways {
        match address(program, Some(4), gateway)? {
            Some((IpAddr::V4(hop), _)) => hops.push(hop),
            _ => return Err(refuse(program, "")),
        }
    }
    hops.push(target);
    let mut option = vec![1, 131, (3 + 4 * hops.len()) as u8, 4];
    option.extend(hops.iter().flat_map(|hop| hop.octets()));
    Ok(option)
}

/// Looks up a name, with the index of the device that it names behind a `%`; what is wrong with it has been said
/// where there is none.
fn address(program: &mut Program<'_>, family: Option<u8>, name: &str) -> Result<Option<(IpAddr, u32)>, Exit> {
    let found = match family {
        Some(6) => resolver::lookup_ipv6(program, name).map(Target::V6),
        Some(_) => resolver::lookup_ipv4(program, name).map(Target::V4),
        None => resolver::lookup(program, name),
    };
    let why = match found {
        Ok(Target::V4(host)) => return Ok(Some((host.address.into(), 0))),
        Ok(Target::V6(host)) => {
            let scope = host.device.map_or(Some(0), |device| ifindex(program, &device));
            if let Some(scope) = scope {
                return Ok(Some((host.address.into(), scope)));
            }
            Unresolved::NotKnown
        }
        Err(why) => why,
    };
    let _ = writeln!(program.shell.err(), "{name}: {}", why.text());
    Ok(None)
}

fn ifindex(program: &mut Program<'_>, device: &str) -> Option<u32> {
    if let Ok(number) = device.parse() {
        return Some(number);
    }
    let text = program.system.read_file(&format!("/sys/class/net/{device}/ifindex")).ok()?;
    String::from_utf8(text).ok()?.trim().parse().ok()
}

fn unsigned(text: &str, place: &mut u32) -> bool {
    let (value, length) = strtoul(text, 0);
    *place = value as u32;
    length > 0 && length == text.len()
}

/// A port by number; what follows the number is ignored.
fn port(text: &str, place: &mut u32) -> bool {
    let (value, length) = strtoul(text, 0);
    *place = value as u32;
    length > 0
}

/// `MAX,HERE,NEAR`; what is not given is off.
fn wait(text: &str, place: &mut (f64, f64, f64)) -> bool {
    let (first, length) = strtod(text);
    *place = (first, 0.0, 0.0);
    if length == 0 {
        return false;
    }
    let Some(rest) = text.get(length + 1..) else { return true };
    let (second, length) = strtod(rest);
    place.1 = second;
    if length == 0 {
        return false;
    }
    let Some(rest) = rest.get(length + 1..) else { return true };
    let (third, length) = strtod(rest);
    place.2 = third;
    length > 0 && length == rest.len()
}

/// The words of a list.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split([' ', '\t', ',']).filter(|word| !word.is_empty()).map(str::to_owned)
}
