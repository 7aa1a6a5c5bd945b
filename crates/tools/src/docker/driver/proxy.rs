//! `docker-proxy`: carries TCP connections to a published port of the host to its container. Those from other hosts are
//! translated before they get here; what comes from the host's own loopback addresses is not.

use std::net::Ipv4Addr;

use hairpin_netlink::{Address, Errno, Fd, Received, SocketKind, SocketOption};

use super::super::engine::{Docker, Failure, Outcome};
use super::super::model::Port;
use crate::{Background, Launch};

/// The name by which docker is called as a proxy: behind it the host's address and port and the container's.
pub(in crate::docker) const PROXY: &str = "proxy-port";

/// Connections at a time; who comes later waits.
const CONNECTIONS_MAX: usize = 1000;
/// Bytes that wait for one side before no more is taken from the other.
const PENDING_MAX: usize = 64 << 10;
const BACKLOG: u32 = 128;

/// Starts the proxy of a port that is bound; nothing where there are no processes.
pub(super) fn start(docker: &mut Docker<'_>, port: &Port) -> Option<Background> {
    let bound = port.bound.as_ref().filter(|_| port.protocol == "tcp")?;
    let host_ip = if super::ports::any(&port.host_ip) { "0.0.0.0" } else { &port.host_ip };
    let words = [
        "docker".to_owned(),
        PROXY.to_owned(),
        host_ip.to_owned(),
        bound.public.to_string(),
        bound.address.to_string(),
        port.private.to_string(),
    ];
    docker.shell.start(&Launch { argv: &words, environment: &[], input: false }, "docker-proxy").ok()
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
    let [host_ip, public, address, private] = args else {
        return Err(Failure::of_client("docker-proxy: HOST_IP HOST_PORT CONTAINER_IP CONTAINER_PORT"));
    };
    let place = |ip: &str, port: &str| {
        Some(Address::Ipv4 { address: ip.parse::<Ipv4Addr>().ok()?, port: port.parse().ok()? })
    };
    let (Some(from), Some(to)) = (place(host_ip, public), place(address, private)) else { return Ok(0) };
    serve(docker, from, to).map_err(|errno| Failure::of_client(format!("docker-proxy: {errno}")))
}

fn serve(docker: &mut Docker<'_>, from: Address, to: Address) -> Result<i32, Errno> {
    let listener = docker.system.socket(SocketKind::TcpIpv4)?;
    docker.system.set_option(listener, SocketOption::ReuseAddress(true))?;
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
    let server = docker.system.socket(SocketKind::TcpIpv4).ok()?;
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
