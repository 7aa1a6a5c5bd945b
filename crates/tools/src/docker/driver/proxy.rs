//! `docker-proxy`: carries TCP connections and UDP datagrams to a published port of the host to its container. What comes
//! from other hosts by IPv4 is translated before it gets here; what comes from the host's own loopback addresses, or by IPv6,
//! is not.

use std::net::IpAddr;

use hairpin_netlink::{Address, Errno, Fd, Received, SocketKind, SocketOption};

use super::super::engine::{Docker, Failure, Outcome};
use super::super::model::Port;
use crate::stream::end_of;
use crate::{Background, Launch};

/// The name by which docker is called as a proxy: behind it the host's address and port and the container's.
pub(in crate::docker) const PROXY: &str = "proxy-port";

/// Connections at a time; who comes later waits.
const CONNECTIONS_MAX: usize = 1000;
/// Bytes that wait for one side before no more is taken from the other.
const PENDING_MAX: usize = 64 << 10;
const BACKLOG: u32 = 128;
/// Clients of datagrams at a time, and how long one is remembered (`UDPConnTrackTimeout`).
const CLIENTS_MAX: usize = 1000;
const CLIENT_NS: u64 = 90_000_000_000;

/// Starts the proxies of a port that is bound, one a family; none where there are no processes.
pub(super) fn start(docker: &mut Docker<'_>, port: &Port) -> Vec<Background> {
    let Some(bound) = port.bound.as_ref().filter(|_| matches!(port.protocol.as_str(), "tcp" | "udp")) else {
        return Vec::new();
    };
    let (by_ipv4, by_ipv6) = super::ports::families(port);
    let own = port.host_ip.as_str();
    let places =
        [(by_ipv4, "0.0.0.0", bound.address), (by_ipv6, "::", bound.address6.unwrap_or(bound.address))];
    let mut started = Vec::new();
    for (_, any, address) in places.into_iter().filter(|(publishes, ..)| *publishes) {
        let host_ip = if own.is_empty() { any } else { own };
        let words = [
            "docker".to_owned(),
            PROXY.to_owned(),
            port.protocol.clone(),
            host_ip.to_owned(),
            bound.public.to_string(),
            address.to_string(),
            port.private.to_string(),
        ];
        let launch = Launch { argv: &words, environment: &[], input: false };
        started.extend(docker.shell.start(&launch, "docker-proxy"));
    }
    started
}

/// One direction of a connection.
#[derive(Default)]
struct Way {
    pending: Vec<u8>,
    /// The sender sends no more.
    ended: bool,
    /// The receiver has been told so.
    told: bool,
}

/// A connection of a client, and the one that was made for it.
struct Pair {
    client: Fd,
    server: Fd,
    /// To the server, and from it.
    there: Way,
    back: Way,
    broken: bool,
}

/// The proxy itself: it ends only by a signal.
pub(in crate::docker) fn run(docker: &mut Docker<'_>, args: &[String]) -> Outcome {
    let [protocol, host_ip, public, address, private] = args else {
        let text = "docker-proxy: PROTOCOL HOST_IP HOST_PORT CONTAINER_IP CONTAINER_PORT";
        return Err(Failure::of_client(text));
    };
    let place = |ip: &str, port: &str| Some(end_of(ip.parse::<IpAddr>().ok()?, port.parse().ok()?));
    let (Some(from), Some(to)) = (place(host_ip, public), place(address, private)) else { return Ok(0) };
    let outcome = if protocol == "udp" { serve_datagrams(docker, from, to) } else { serve(docker, from, to) };
    outcome.map_err(|errno| Failure::of_client(format!("docker-proxy: {errno}")))
}

fn kind_of(end: Address, udp: bool) -> SocketKind {
    match (matches!(end, Address::Ipv6 { .. }), udp) {
        (false, false) => SocketKind::TcpIpv4,
        (true, false) => SocketKind::TcpIpv6,
        (false, true) => SocketKind::UdpIpv4,
        (true, true) => SocketKind::UdpIpv6,
    }
}

/// A client of datagrams: the socket that stands for it, and until when it is remembered.
struct Client {
    address: Address,
    fd: Fd,
    until_ns: u64,
}

fn serve_datagrams(docker: &mut Docker<'_>, from: Address, to: Address) -> Result<i32, Errno> {
    let listener = docker.system.socket(kind_of(from, true))?;
    docker.system.bind(listener, from)?;
    let mut clients: Vec<Client> = Vec::new();
    loop {
        let mut reading: Vec<Fd> = clients.iter().map(|client| client.fd).collect();
        reading.push(listener);
        let until = clients.iter().map(|client| client.until_ns).min();
        match docker.system.wait_for(&reading, &[], until, false) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
        let until_ns = docker.system.now()?.monotonic_ns;
        for item in docker.system.receive(listener, 64)? {
            let Received::Datagram { data, from, .. } = item else { continue };
            let known = clients.iter_mut().find(|client| client.address == from).map(|client| {
                client.until_ns = until_ns + CLIENT_NS;
                client.fd
            });
            let fd = match known {
                Some(fd) => fd,
                None if clients.len() >= CLIENTS_MAX => continue,
                None => {
                    let fd = docker.system.socket(kind_of(to, true))?;
                    docker.system.connect(fd, to)?;
                    clients.push(Client { address: from, fd, until_ns: until_ns + CLIENT_NS });
                    fd
                }
            };
            // What the container refuses is lost, as on any way.
            let _ = docker.system.send(fd, data, None);
        }
        for client in &clients {
            for item in docker.system.receive(client.fd, 64)? {
                if let Received::Datagram { data, .. } = item {
                    let _ = docker.system.send(listener, data, Some(client.address));
                }
            }
        }
        clients.retain(|client| {
            let lives = client.until_ns > until_ns;
            if !lives {
                let _ = docker.system.close(client.fd);
            }
            lives
        });
    }
}

fn serve(docker: &mut Docker<'_>, from: Address, to: Address) -> Result<i32, Errno> {
    let listener = docker.system.socket(kind_of(from, false))?;
    docker.system.set_option(listener, SocketOption::ReuseAddress(true))?;
    if matches!(from, Address::Ipv6 { .. }) {
        // The proxy of IPv4 is another.
        docker.system.set_option(listener, SocketOption::V6Only(true))?;
    }
    docker.system.bind(listener, from)?;
    docker.system.listen(listener, BACKLOG)?;
    let mut pairs: Vec<Pair> = Vec::new();
    loop {
        let mut reading = Vec::new();
        let mut writing = Vec::new();
        if pairs.len() < CONNECTIONS_MAX {
            reading.push(listener);
        }
        for Pair { client, server, there, back, .. } in &pairs {
            for (way, sender, receiver) in [(there, *client, *server), (back, *server, *client)] {
                if !way.ended && way.pending.len() < PENDING_MAX {
                    reading.push(sender);
                }
                if !way.pending.is_empty() {
                    writing.push(receiver);
                }
            }
        }
        match docker.system.wait_for(&reading, &writing, None, false) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
        while pairs.len() < CONNECTIONS_MAX
            && let Ok(client) = docker.system.accept(listener)
        {
            pairs.extend(connect(docker, client, to));
        }
        for pair in &mut pairs {
            let Pair { client, server, there, back, broken } = pair;
            *broken |= !carry(docker, there, *client, *server) || !carry(docker, back, *server, *client);
        }
        pairs.retain(|pair| {
            let over = pair.broken || pair.there.told && pair.back.told;
            if over {
                let _ = docker.system.close(pair.client);
                let _ = docker.system.close(pair.server);
            }
            !over
        });
    }
}

fn connect(docker: &mut Docker<'_>, client: Fd, to: Address) -> Option<Pair> {
    let server = docker.system.socket(kind_of(to, false)).ok()?;
    match docker.system.connect(server, to) {
        Ok(()) | Err(Errno::EINPROGRESS) => {
            let (there, back) = (Way::default(), Way::default());
            Some(Pair { client, server, there, back, broken: false })
        }
        Err(_) => {
            let _ = docker.system.close(server);
            let _ = docker.system.close(client);
            None
        }
    }
}

/// Moves what can be moved; false where the connection is broken.
fn carry(docker: &mut Docker<'_>, way: &mut Way, sender: Fd, receiver: Fd) -> bool {
    if !way.ended && way.pending.len() < PENDING_MAX {
        match docker.system.receive(sender, 16) {
            Ok(items) => {
                for item in items {
                    match item {
                        Received::Stream(data) => way.pending.extend(data),
                        Received::End => way.ended = true,
                        _ => {}
                    }
                }
            }
            // Not connected yet, or nothing there.
            Err(Errno::EAGAIN | Errno::ENOTCONN) => {}
            Err(_) => return false,
        }
    }
    while !way.pending.is_empty() {
        match docker.system.send(receiver, way.pending.clone(), None) {
            Ok(0) | Err(Errno::EAGAIN | Errno::ENOTCONN) => return true,
            Ok(sent) => drop(way.pending.drain(..sent.min(way.pending.len()))),
            Err(_) => return false,
        }
    }
    if way.ended && !way.told {
        way.told = true;
        let _ = docker.system.shutdown(receiver);
    }
    true
}
