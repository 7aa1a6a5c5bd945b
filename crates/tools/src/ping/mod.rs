//! `ping`, as iputils 20221126 runs for root: over a raw ICMP or ICMPv6 socket.
//!
//! * `options` the command line
//! * `session` when packets are sent, what is waited for
//! * `receive` replies and errors
//! * `ping6` what is different over IPv6
//! * `report` the texts

mod options;
mod ping6;
mod receive;
mod report;
mod session;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr};

use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::route::address::{AddressAttribute, AddressMessage};
use hairpin_netlink::{
    Address, Errno, Fd, Message, PathMtuDiscovery, SocketKind, SocketOption, codec, transact,
};

use crate::Program;
use crate::busybox;
use crate::iputils::{self, Exit, complain, fail, failed};
use crate::resolver::{self, Host, Host6, Target};
use options::{Family, Options, TimeStamp};
use session::Session;

const IPPROTO_ICMP: u8 = 1;
/// The port of the socket that only asks for a route.
const PROBE_PORT: u16 = 1025;
/// Length of the route and time stamp options that are announced, however long they are.
const OPTIONS_LEN: usize = 40;
/// Longest data that is stored: more than fits into an IPv4 packet fails when it is sent, whatever it holds.
const DATA_MAX: usize = 0x1_0000;

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    if busybox::is_here(program.shell) {
        let code = busybox::ping::main(program);
        return iputils::close(program, code);
    }
    let code = run(program).unwrap_or_else(|Exit(code)| code);
    iputils::close(program, code)
}

fn run(program: &mut Program<'_>) -> Result<i32, Exit> {
    let args = program.args;
    let (mut options, operands) = options::parse(program, args)?;
    let data = fill(program, &options)?;
    let host = match target(program, &options, &operands)? {
        Target::V6(host) => return run6(program, options, &operands, data, &host),
        Target::V4(host) => host,
    };
    let fd = match program.system.socket(SocketKind::RawIpv4 { protocol: IPPROTO_ICMP }) {
        Ok(fd) => fd,
        Err(errno) => {
            complain(program, "socktype: SOCK_RAW");
            return Err(failed(program, "socket", errno));
        }
    };
    if options.verbose {
        tell_sockets(program, &options);
    }
    if options.tos != 0 {
        let tos = SocketOption::Tos(options.tos);
        program.system.set_option(fd, tos).map_err(|errno| failed(program, "setsockopt", errno))?;
    }
    let (route, hostname) = resolve(program, &mut options, &operands, host)?;
    let session = prepare(program, fd, options, data, &route, hostname)?;
    session.run(program)
}

/// The destination: the last operand.
fn target(program: &mut Program<'_>, options: &Options, operands: &[&str]) -> Result<Target, Exit> {
    let target = operands.last().copied().unwrap_or("");
    let found = match options.family {
        Family::V4 => resolver::lookup_ipv4(program, target).map(Target::V4),
        Family::V6 => resolver::lookup_ipv6(program, target).map(Target::V6),
        Family::Any => resolver::lookup(program, target),
    };
    found.map_err(|why| fail(program, 2, &format!("{target}: {}", why.text())))
}

fn run6(
    program: &mut Program<'_>,
    options: Options,
    operands: &[&str],
    data: Vec<u8>,
    host: &Host6,
) -> Result<i32, Exit> {
    let [target] = operands else { return Err(options::usage(program)) };
    if options.verbose {
        let (second, family) = match options.family {
            Family::V6 => ("-1 (socktype: 0)", "AF_INET6"),
            _ => ("3 (socktype: SOCK_RAW)", "AF_UNSPEC"),
        };
        let first = if options.family == Family::V6 { "3" } else { "4" };
        let text = format!(
            "sock4.fd: {second}, sock6.fd: {first} (socktype: SOCK_RAW), hints.ai_family: {family}\n"
        );
        complain(program, &text);
        let text = format!("ai->ai_family: AF_INET6, ai->ai_canonname: '{}'", host.canonical);
        let _ = writeln!(program.shell.out(), "{text}");
    }
    let fd = ping6::open(program, &options)?;
    let session = ping6::prepare(program, fd, options, data, target, host)?;
    session.run(program)
}

/// The data of every packet: counting bytes, or the pattern of `-p`.
fn fill(program: &mut Program<'_>, options: &Options) -> Result<Vec<u8>, Exit> {
    let length = options.data_len.min(DATA_MAX);
    let Some(pattern) = &options.pattern else {
        return Ok((0..length).map(|at| at as u8).collect());
    };
    if let Some(at) = pattern.find(|digit: char| !digit.is_ascii_hexdigit()) {
        let rest = pattern.get(at..).unwrap_or("");
        let text = format!("patterns must be specified as hex digits: {rest}");
        return Err(fail(program, 2, &text));
    }
    // Two digits a byte, at most 16 bytes; an odd last digit is a byte of its own.
    let bytes: Vec<u8> = pattern
        .as_bytes()
        .chunks(2)
        .take(16)
        .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    if !options.quiet {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let _ = writeln!(program.shell.out(), "PATTERN: 0x{digits}");
    }
    let mut data = vec![0; length];
    // iputils leaves the end of very short packets alone.
    let whole = options.data_len >= bytes.len() + 8;
    let filled = if whole { length } else { bytes.len().min(length) };
    for (place, byte) in data.iter_mut().take(filled).zip(bytes.iter().cycle()) {
        *place = *byte;
    }
    Ok(data)
}

/// What `-v` says of the sockets; the real program opens one for each family.
fn tell_sockets(program: &mut Program<'_>, options: &Options) {
    let (second, kind, family) = match options.family {
        Family::Any => ("4", "SOCK_RAW", "AF_UNSPEC"),
        Family::V4 | Family::V6 => ("-1", "0", "AF_INET"),
    };
    let text = format!(
        "sock4.fd: 3 (socktype: SOCK_RAW), sock6.fd: {second} (socktype: {kind}), hints.ai_family: {family}\n"
    );
    complain(program, &text);
}

/// The addresses of the operands (hops, then the destination) and the destination's name.
fn resolve(
    program: &mut Program<'_>,
    options: &mut Options,
    operands: &[&str],
    host: Host,
) -> Result<(Vec<Ipv4Addr>, String), Exit> {
    let target = operands.last().copied().unwrap_or("");
    if options.verbose {
        let canonical = &host.canonical;
        let text = format!("ai->ai_family: AF_INET, ai->ai_canonname: '{canonical}'");
        let _ = writeln!(program.shell.out(), "{text}");
    }
    if operands.len() > 1 {
        let most = match (options.record_route, options.time_stamp) {
            (true, _) => 1,
            (_, Some(TimeStamp::Prespecified)) => 5,
            (_, Some(_)) => 1,
            (false, None) => 10,
        };
        if operands.len() > most {
            return Err(options::usage(program));
        }
    }
    let mut route = Vec::new();
    for hop in operands.iter().take(operands.len().saturating_sub(1)) {
        route.push(match resolver::inet_aton(hop) {
            Some(address) => address,
            None => {
                resolver::lookup_ipv4(program, hop)
                    .map_err(|why| fail(program, 2, &format!("{hop}: {}", why.text())))?
                    .address
            }
        });
    }
    let is_number = resolver::inet_aton(target).is_some();
    options.numeric |= is_number;
    route.push(host.address);
    Ok((route, if is_number { target.to_owned() } else { host.canonical }))
}

/// Chooses the source, sets up the socket and prints the first line.
fn prepare(
    program: &mut Program<'_>,
    fd: Fd,
    mut options: Options,
    data: Vec<u8>,
    route: &[Ipv4Addr],
    hostname: String,
) -> Result<Session, Exit> {
    let mut target = route.last().copied().unwrap_or(Ipv4Addr::UNSPECIFIED);
    let source = match options.source {
        Some(source) => {
            if let Some(device) = options.device.clone() {
                bind_to_device(program, fd, &device, target)?;
            }
            source
        }
        None => probe_source(program, fd, &options, route.first().copied().unwrap_or(target), target)?,
    };
    if target.is_unspecified() {
        target = source;
    }
    let multicast = options.broadcast || target.is_multicast();
    if multicast {
        options.mtu_discovery = options.mtu_discovery.or(Some(PathMtuDiscovery::Do));
    }
    set_up_socket(program, fd, &options, source, route.split_last().map_or(&[], |(_, hops)| hops))?;
    let has_header_options = options.record_route || options.time_stamp.is_some();
    let options_len = if has_header_options { OPTIONS_LEN } else { 0 };
    let length = options.data_len;
    let mut header = format!("PING {hostname} ({target}) ");
    if options.device.is_some() || options.sticky_source {
        header.push_str(&format!("from {source} {}: ", options.device.as_deref().unwrap_or("")));
    }
    header.push_str(&format!("{length}({}) bytes of data.", length + 8 + options_len + 20));
    let _ = writeln!(program.shell.out(), "{header}");

    if options.flood && !options.interval_given {
        options.interval_ms = 0;
    }
    if options.interval_ms >= i64::from(i32::MAX) / options.preload.max(1) {
        let text = format!("illegal preload and/or interval: {}", options.interval_ms);
        return Err(fail(program, 2, &text));
    }
    if options.dont_route {
        // Without effect where the kernel refuses it, as in the real program.
        let _ = program.system.set_option(fd, SocketOption::DontRoute(true));
    }
    if let Some(mark) = options.mark {
        set_mark(program, fd, mark);
    }
    if options.connect {
        let address = Address::Ipv4 { address: target, port: PROBE_PORT };
        let connected = program.system.connect(fd, address);
        connected.map_err(|errno| failed(program, "connect failed", errno))?;
    }
    let ident = options.ident.unwrap_or((program.shell.process_id() & 0xffff) as u16);
    let target = Address::Ipv4 { address: target, port: 0 };
    Session::new(program, fd, options, data, target, hostname, ident, multicast)
}

/// Which source the kernel takes: a connected UDP socket knows.
fn probe_source(
    program: &mut Program<'_>,
    fd: Fd,
    options: &Options,
    first_hop: Ipv4Addr,
    target: Ipv4Addr,
) -> Result<Ipv4Addr, Exit> {
    let probe = match program.system.socket(SocketKind::UdpIpv4) {
        Ok(probe) => probe,
        Err(errno) => return Err(failed(program, "socket", errno)),
    };
    if let Some(device) = &options.device {
        bind_to_device(program, probe, device, target)?;
        bind_to_device(program, fd, device, target)?;
    }
    if options.tos != 0
        && let Err(errno) = program.system.set_option(probe, SocketOption::Tos(options.tos))
    {
        complain(program, &format!("warning: QOS sockopts: {errno}"));
    }
    if let Some(mark) = options.mark {
        set_mark(program, probe, mark);
    }
    connect_probe(program, probe, options, Address::Ipv4 { address: first_hop, port: PROBE_PORT })?;
    let source = match program.system.local_address(probe) {
        Ok(Address::Ipv4 { address, .. }) => address,
        Ok(_) => return Err(failed(program, "getsockname", Errno::EAFNOSUPPORT)),
        Err(errno) => return Err(failed(program, "getsockname", errno)),
    };
    if let Some(device) = &options.device
        && !has_address(program, device, source.into())?
    {
        let text = format!("Warning: source address might be selected on device other than: {device}");
        complain(program, &text);
    }
    let _ = program.system.close(probe);
    Ok(source)
}

fn connect_probe(program: &mut Program<'_>, probe: Fd, options: &Options, to: Address) -> Result<(), Exit> {
    match program.system.connect(probe, to) {
        Ok(()) => return Ok(()),
        Err(Errno::EACCES) => {}
        Err(errno) => return Err(failed(program, "connect", errno)),
    }
    // A broadcast address, or a route of type prohibit.
    if !options.broadcast {
        let text = "Do you want to ping broadcast? Then -b. If not, check your local firewall rules";
        return Err(fail(program, 2, text));
    }
    let _ = program.shell.out().flush();
    let _ = writeln!(program.shell.err(), "WARNING: pinging broadcast address");
    let allowed = program.system.set_option(probe, SocketOption::Broadcast(true));
    allowed.map_err(|errno| failed(program, "cannot set broadcasting", errno))?;
    program.system.connect(probe, to).map_err(|errno| failed(program, "connect", errno))
}

fn bind_to_device(program: &mut Program<'_>, fd: Fd, device: &str, target: Ipv4Addr) -> Result<(), Exit> {
    let Err(errno) = program.system.set_option(fd, SocketOption::BindToDevice(device.to_owned())) else {
        return Ok(());
    };
    if !target.is_multicast() {
        return Err(failed(program, &format!("SO_BINDTODEVICE {device}"), errno));
    }
    // An unprivileged user may still choose where multicast leaves.
    let Some(ifindex) = ifindex(program, device) else {
        return Err(fail(program, 2, &format!("unknown iface: {device}")));
    };
    let chosen = program.system.set_option(fd, SocketOption::MulticastInterface(ifindex));
    chosen.map_err(|errno| failed(program, "IP_MULTICAST_IF", errno))
}

fn ifindex(program: &mut Program<'_>, device: &str) -> Option<u32> {
    let text = program.system.read_file(&format!("/sys/class/net/{device}/ifindex")).ok()?;
    String::from_utf8(text).ok()?.trim().parse().ok()
}

/// Whether `device` has the address; one of IPv4 by label, as `getifaddrs` names it.
fn has_address(program: &mut Program<'_>, device: &str, wanted: IpAddr) -> Result<bool, Exit> {
    let mut request = AddressMessage::default();
    request.header.family = if wanted.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let own = ifindex(program, device);
    let found = transact(program.system, &Message::GetAddress(request), codec::NLM_F_DUMP)
        .map_err(|failure| failed(program, "gatifaddrs failed", failure.errno))?;
    Ok(found.iter().any(|message| {
        let Message::NewAddress(message) = message else { return false };
        let mut label = wanted.is_ipv6() && own == Some(message.header.index);
        let mut address = None;
        for attribute in &message.attributes {
            match attribute {
                AddressAttribute::Label(name) => label = name == device,
                AddressAttribute::Local(local) => address = Some(*local),
                AddressAttribute::Address(peer) => address = address.or(Some(*peer)),
                _ => {}
            }
        }
        label && address == Some(wanted)
    }))
}

fn set_mark(program: &mut Program<'_>, fd: Fd, mark: u32) {
    if let Err(errno) = program.system.set_option(fd, SocketOption::Mark(mark)) {
        complain(program, &format!("WARNING: failed to set mark: {mark}: {errno}"));
    }
}

/// Options of the raw socket, in the order in which iputils sets them.
fn set_up_socket(
    program: &mut Program<'_>,
    fd: Fd,
    options: &Options,
    source: Ipv4Addr,
    hops: &[Ipv4Addr],
) -> Result<(), Exit> {
    if let Some(discovery) = options.mtu_discovery {
        set(program, fd, SocketOption::PathMtuDiscovery(discovery), "IP_MTU_DISCOVER")?;
    }
    if options.sticky_source {
        let bound = program.system.bind(fd, Address::Ipv4 { address: source, port: 0 });
        bound.map_err(|errno| failed(program, "bind", errno))?;
    }
    let heard = [
        report::ECHO_REPLY,
        report::UNREACHABLE,
        report::SOURCE_QUENCH,
        report::REDIRECT,
        report::TIME_EXCEEDED,
        report::PARAMETER_PROBLEM,
    ];
    if let Err(errno) = program.system.set_option(fd, SocketOption::IcmpFilter(receive::all_but(&heard))) {
        complain(program, &format!("WARNING: setsockopt(ICMP_FILTER): {errno}"));
    }
    if program.system.set_option(fd, SocketOption::ReceiveErrors(true)).is_err() {
        complain(program, "WARNING: your kernel is veeery old. No problems.");
    }
    if options.record_route {
        set(program, fd, SocketOption::IpOptions(record_route()), "record route")?;
    }
    if let Some(kind) = options.time_stamp {
        let stamp = time_stamp(kind as u8, kind, hops);
        if program.system.set_option(fd, SocketOption::IpOptions(stamp)).is_err() {
            // The flag that very old kernels took for prespecified addresses.
            set(program, fd, SocketOption::IpOptions(time_stamp(2, kind, hops)), "ts option")?;
        }
    } else if !hops.is_empty() {
        // The kernel wants CAP_NET_RAW for a source route (net/ipv4/ip_options.c), and the real program has
        // given that up by now, also for root: hops never work.
        return Err(failed(program, "record route", Errno::EPERM));
    }
    // An estimate of what the replies take in the socket's buffer.
    let packet = options.data_len + 8;
    let packet = packet + packet.div_ceil(512) * (OPTIONS_LEN + 20 + 16 + 64 + 160);
    let buffer = packet.saturating_mul(options.preload as usize).max(65536);
    let buffer = SocketOption::ReceiveBuffer(u32::try_from(buffer).unwrap_or(u32::MAX));
    let _ = program.system.set_option(fd, buffer);
    if options.broadcast {
        set(program, fd, SocketOption::Broadcast(true), "cannot set broadcasting")?;
    }
    if options.no_loop {
        set(program, fd, SocketOption::MulticastLoop(false), "cannot disable multicast loopback")?;
    }
    if let Some(ttl) = options.ttl {
        set(program, fd, SocketOption::MulticastTtl(ttl), "cannot set multicast time-to-live")?;
        set(program, fd, SocketOption::Ttl(ttl), "cannot set unicast time-to-live")?;
    }
    Ok(())
}

fn set(program: &mut Program<'_>, fd: Fd, option: SocketOption, call: &str) -> Result<(), Exit> {
    program.system.set_option(fd, option).map_err(|errno| failed(program, call, errno))
}

/// RFC 791, 3.1: room for nine addresses behind a NOP.
fn record_route() -> Vec<u8> {
    let mut option = vec![1, 7, 39, 4];
    option.resize(40, 0);
    option
}

fn time_stamp(flag: u8, kind: TimeStamp, hops: &[Ipv4Addr]) -> Vec<u8> {
    let length = match kind {
        TimeStamp::Only => 40,
        TimeStamp::AndAddress => 36,
        TimeStamp::Prespecified => 4 + 8 * hops.len(),
    };
    let mut option = vec![68, length as u8, 5, flag];
    if kind == TimeStamp::Prespecified {
        for hop in hops {
            option.extend(hop.octets());
            option.extend([0; 4]);
        }
    }
    option.resize(length, 0);
    option
}
