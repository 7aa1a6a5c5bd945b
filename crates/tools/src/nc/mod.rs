//! `nc`: netcat as OpenBSD has it (Debian patch level 1.219). TCP and UDP, both ends.

mod options;
mod transfer;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hairpin_netlink::{Address, Errno, Fd, SocketKind, SocketOption};

use crate::Program;
use crate::resolver::{self, Families, Place, Unresolved};
use crate::services::Services;
use options::{Options, Refused};

/// For so long a port of UDP is looked at without `-w` (`UDP_SCAN_TIMEOUT`).
const PROBE_SECONDS: u64 = 3;
/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1;
const NS_PER_SECOND: u64 = 1_000_000_000;

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let options = match Options::read(program) {
        Ok(options) => options,
        Err(Refused(code)) => return code,
    };
    match run(program, &options) {
        Ok(code) => code,
        Err(text) => {
            let _ = program.shell.out().flush();
            if !text.is_empty() {
                let _ = writeln!(program.shell.err(), "nc: {text}");
            }
            1
        }
    }
}

fn run(program: &mut Program<'_>, options: &Options) -> Result<i32, String> {
    let listed = options.ports.as_deref().unwrap_or_default();
    if options.listen {
        let port = own_port(program, listed, options.udp)?;
        return listen(program, options, port);
    }
    let ports = options::ports(listed, |name| service_port(program, name, options.udp))?;
    let port = ports.first().copied().unwrap_or(0);
    let host = options.host.as_deref().unwrap_or_default();
    let places = resolve(program, options, host, port)?;
    let mut code = 1;
    let count = ports.len();
    for (at, port) in ports.into_iter().enumerate() {
        if at > 0 && options.interval_s > 0 {
            pause(program, options.interval_s)?;
        }
        let Some((socket, place)) = reach(program, options, host, &places, port)? else { continue };
        code = 0;
        // Only with -v is a UDP port tried.
        if options.verbose {
            if options.udp && !probe(program, options, socket)? {
                code = 1;
                let _ = program.system.close(socket);
                continue;
            }
            announce(program, options, host, place, port);
        }
        if !options.scan {
            transfer::run(program, options, socket)?;
        }
        let _ = program.system.close(socket);
        if count > 1 && !options.scan {
            break;
        }
    }
    Ok(code)
}

fn pause(program: &mut Program<'_>, seconds: u64) -> Result<(), String> {
    let until = now(program)?.saturating_add(seconds.saturating_mul(NS_PER_SECOND));
    let waited = program.system.wait(&[], Some(until), true);
    waited.map(drop).map_err(|errno| errno.text())
}

fn now(program: &mut Program<'_>) -> Result<u64, String> {
    program.system.now().map(|now| now.monotonic_ns).map_err(|errno| errno.text())
}

fn resolve(
    program: &mut Program<'_>,
    options: &Options,
    host: &str,
    port: u16,
) -> Result<Vec<Place>, String> {
    let found = look_up(program, options, host);
    found.map_err(|error| format!("getaddrinfo for host \"{host}\" port {port}: {}", error.text()))
}

fn look_up(program: &mut Program<'_>, options: &Options, host: &str) -> Result<Vec<Place>, Unresolved> {
    match options.numeric && !resolver::is_number(host) {
        true => Err(Unresolved::NotKnown),
        false => resolver::addresses(program, host, options.families),
    }
}

/// A socket of the wanted kind with its options.
fn open(program: &mut Program<'_>, options: &Options, ipv6: bool) -> Result<Fd, Errno> {
    let kind = match (options.udp, ipv6) {
        (true, false) => SocketKind::UdpIpv4,
        (true, true) => SocketKind::UdpIpv6,
        (false, false) => SocketKind::TcpIpv4,
        (false, true) => SocketKind::TcpIpv6,
    };
    let socket = program.system.socket(kind)?;
    if let Some(ttl) = options.ttl {
        program.system.set_option(socket, SocketOption::Ttl(ttl))?;
    }
    if let Some(tos) = options.tos {
        program.system.set_option(socket, SocketOption::Tos(tos))?;
    }
    if options.broadcast {
        program.system.set_option(socket, SocketOption::Broadcast(true))?;
    }
    if !options.udp {
        program.system.set_option(socket, SocketOption::ReuseAddress(true))?;
    }
    Ok(socket)
}

/// Opens and connects to the first address that answers (`remote_connect`). None where none does, which is told with
/// `-v`.
fn reach(
    program: &mut Program<'_>,
    options: &Options,
    host: &str,
    places: &[Place],
    port: u16,
) -> Result<Option<(Fd, Place)>, String> {
    for place in places {
        let socket = open(program, options, place.address.is_ipv6()).map_err(|errno| errno.text())?;
        if options.source.is_some() || options.source_port.is_some() {
            let source = source(program, options, place.address.is_ipv6())?;
            let port = options.source_port.as_deref().unwrap_or("0");
            let port = port.parse().map_err(|_| format!("port number invalid: {port}"))?;
            let bound = program.system.bind(socket, source.end(port));
            bound.map_err(|errno| format!("bind failed: {}", errno.text()))?;
        }
        match connect(program, options, socket, place.end(port))? {
            Ok(()) => return Ok(Some((socket, *place))),
            Err(why) => {
                let _ = program.system.close(socket);
                if options.verbose {
                    let protocol = if options.udp { "udp" } else { "tcp" };
                    let verdict = if why == Errno::EINPROGRESS { "timed out" } else { "failed" };
                    let known_as = known_as(options, host, *place);
                    let text = why.text();
                    let _ = writeln!(
                        program.shell.err(),
                        "nc: connect to {host}{known_as} port {port} ({protocol}) {verdict}: {text}"
                    );
                }
            }
        }
    }
    Ok(None)
}

/// `-s`
fn source(program: &mut Program<'_>, options: &Options, ipv6: bool) -> Result<Place, String> {
    let (families, any): (Families, IpAddr) = match ipv6 {
        true => (Families::Ipv6, Ipv6Addr::UNSPECIFIED.into()),
        false => (Families::Ipv4, Ipv4Addr::UNSPECIFIED.into()),
    };
    let Some(source) = &options.source else { return Ok(any.into()) };
    let found = resolver::addresses(program, source, families);
    let found = found.map_err(|error| format!("getaddrinfo: {}", error.text()))?;
    Ok(found.first().copied().unwrap_or(any.into()))
}

/// The number of a host that was named.
fn known_as(options: &Options, host: &str, place: Place) -> String {
    let number = place.address.to_string();
    let is_number = host.split('%').next() == Some(number.as_str());
    if options.numeric || is_number { String::new() } else { format!(" ({number})") }
}

/// `timeout_connect`; `EINPROGRESS` when the time is over.
fn connect(
    program: &mut Program<'_>,
    options: &Options,
    socket: Fd,
    to: Address,
) -> Result<Result<(), Errno>, String> {
    match program.system.connect(socket, to) {
        Err(Errno::EINPROGRESS) => {}
        other => return Ok(other),
    }
    let until = match options.timeout_s {
        Some(seconds) => Some(now(program)?.saturating_add(seconds.saturating_mul(NS_PER_SECOND))),
        None => None,
    };
    loop {
        match program.system.wait_for(&[], &[socket], until, true) {
            Ok(ready) if ready.is_empty() => return Ok(Err(Errno::EINPROGRESS)),
            Ok(_) => return Ok(program.system.take_error(socket)),
            Err(Errno::EINTR) if program.shell.take_signal().is_some() => return Err(String::new()),
            Err(Errno::EINTR) => {}
            Err(errno) => return Ok(Err(errno)),
        }
    }
}

/// `udptest` of Debian's nc: two datagrams, and one more each second, as many as `-w` says; false where somebody says that
/// nobody listens.
fn probe(program: &mut Program<'_>, options: &Options, socket: Fd) -> Result<bool, String> {
    let send = |program: &mut Program<'_>| program.system.send(socket, b"X".to_vec(), None).map(drop);
    if send(program).is_err() || send(program) == Err(Errno::ECONNREFUSED) {
        return Ok(false);
    }
    for _ in 0..options.timeout_s.unwrap_or(PROBE_SECONDS) {
        pause(program, 1)?;
        if send(program) == Err(Errno::ECONNREFUSED) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `connection_info`
fn announce(program: &mut Program<'_>, options: &Options, host: &str, place: Place, port: u16) {
    let protocol = if options.udp { "udp" } else { "tcp" };
    let name = match options.numeric {
        true => None,
        false => service_name(program, port, protocol),
    };
    let known_as = known_as(options, host, place);
    let service = name.unwrap_or_else(|| "*".to_owned());
    let _ = writeln!(
        program.shell.err(),
        "Connection to {host}{known_as} {port} port [{protocol}/{service}] succeeded!"
    );
}

fn listen(program: &mut Program<'_>, options: &Options, port: u16) -> Result<i32, String> {
    let place = match &options.host {
        Some(host) => {
            let found = look_up(program, options, host);
            found.map_err(|error| format!("getaddrinfo: {}", error.text()))?.first().copied()
        }
        None => None,
    };
    // Of both families IPv4 comes first (`local_listen`).
    let place = place.unwrap_or_else(|| match options.families {
        Families::Ipv6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED).into(),
        Families::Any | Families::Ipv4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED).into(),
    });
    loop {
        let socket = open(program, options, place.address.is_ipv6()).map_err(|errno| errno.text())?;
        if options.udp && place.address.is_ipv6() {
            let both = program.system.set_option(socket, SocketOption::V6Only(false));
            both.map_err(|errno| errno.text())?;
        }
        let bound = program.system.bind(socket, place.end(port));
        bound.map_err(|errno| errno.text())?;
        if !options.udp {
            program.system.listen(socket, BACKLOG).map_err(|errno| format!("listen: {}", errno.text()))?;
        }
        if options.verbose {
            let what = if options.udp { "Bound on" } else { "Listening on" };
            report(program, options, what, place.end(port));
        }
        match options.udp {
            true => serve_datagrams(program, options, socket)?,
            false => serve_connections(program, options, socket)?,
        }
        let _ = program.system.close(socket);
        if !options.keep {
            return Ok(0);
        }
    }
}

fn serve_connections(program: &mut Program<'_>, options: &Options, listener: Fd) -> Result<(), String> {
    loop {
        watch(program, listener)?;
        let connection = match program.system.accept(listener) {
            Ok(connection) => connection,
            Err(Errno::EAGAIN) => continue,
            Err(errno) => return Err(format!("accept: {}", errno.text())),
        };
        if options.verbose
            && let Ok(peer) = program.system.peer_address(connection)
        {
            report(program, options, "Connection received on", peer);
        }
        // Who comes meanwhile waits, and is reset at the end.
        transfer::run(program, options, connection)?;
        let _ = program.system.close(connection);
        if !options.keep {
            return Ok(());
        }
    }
}

/// The first datagram decides whom it talks to; with `-k` it hears everybody, and talks to nobody.
fn serve_datagrams(program: &mut Program<'_>, options: &Options, socket: Fd) -> Result<(), String> {
    if options.keep {
        return transfer::run(program, options, socket);
    }
    watch(program, socket)?;
    let items = program.system.receive(socket, 1).map_err(|errno| errno.text())?;
    for item in items {
        let hairpin_netlink::Received::Datagram { data, from, .. } = item else { continue };
        program.system.connect(socket, from).map_err(|errno| format!("connect: {}", errno.text()))?;
        if options.verbose {
            report(program, options, "Connection received on", from);
        }
        let _ = program.shell.out().write_all(&data);
        let _ = program.shell.out().flush();
    }
    transfer::run(program, options, socket)
}

/// Waits, without an end of its own, until something is there.
fn watch(program: &mut Program<'_>, socket: Fd) -> Result<(), String> {
    loop {
        match program.system.wait(&[socket], None, false) {
            Ok(_) => return Ok(()),
            Err(Errno::EINTR) if program.shell.take_signal().is_some() => return Err(String::new()),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.text()),
        }
    }
}

/// `report_sock`: tells of an end by name.
fn report(program: &mut Program<'_>, options: &Options, what: &str, end: Address) {
    let (address, port) = match end {
        Address::Ipv4 { address, port } => (IpAddr::V4(address), port),
        Address::Ipv6 { address, port, .. } => (IpAddr::V6(address), port),
        Address::Link { .. } | Address::Can { .. } => return,
    };
    let name = match options.numeric {
        true => Some(address.to_string()),
        // Of IPv4 inside of IPv6 the inner address has a name.
        false => resolver::name_of(program, address.to_canonical())
            .map(|name| if name == address.to_canonical().to_string() { address.to_string() } else { name }),
    };
    let text = match name {
        Some(name) => format!("{what} {name} {port}"),
        None => "nc: getnameinfo: Temporary failure in name resolution".to_owned(),
    };
    let _ = writeln!(program.shell.err(), "{text}");
}

/// `getservbyname`
fn service_port(program: &mut Program<'_>, name: &str, udp: bool) -> Option<u16> {
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    Services::read(program.shell).port(name, if udp { "udp" } else { "tcp" })
}

/// A listener's port as `getaddrinfo` reads it: a number of any size, of which sixteen bits count, or a name.
fn own_port(program: &mut Program<'_>, text: &str, udp: bool) -> Result<u16, String> {
    let number = text.parse::<u32>().ok().map(|number| number as u16);
    let port = number.or_else(|| service_port(program, text, udp));
    port.ok_or_else(|| "getaddrinfo: Servname not supported for ai_socktype".to_owned())
}

/// `getservbyport`
fn service_name(program: &mut Program<'_>, port: u16, protocol: &str) -> Option<String> {
    Services::read(program.shell).name(port, protocol).map(str::to_owned)
}
