//! The DNS server that containers of user-defined networks have at 127.0.0.11: it knows the containers of their networks
//! and asks the host's name servers for all else (libnetwork's `resolver.go`). A process in the container's namespace.

use std::net::{IpAddr, Ipv4Addr};

use hairpin_netlink::{Errno, Fd, Received, SocketKind};
use hairpin_wire::dns::{self, Data, IN, Message, Record, flag, kind, response};

use super::engine::{Docker, Failure, Outcome};
use super::model::{Container, Driver, Endpoint, Network, State};
use super::resolv_conf::Upstream;
use super::{driver, names};
use crate::dns::server::{Question, Sockets};
use crate::stream::end_of;
use crate::{Background, Launch};

/// The name by which docker is called as a container's name server: behind it the container's id and the servers that it
/// asks.
pub(super) const RESOLVER: &str = "resolve-names";
/// Where it is in the container.
pub(super) const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 11);

/// How long answers may be kept, in seconds (`respTTL`).
const TTL: u32 = 600;
/// Questions at a time for which other servers are asked (`maxConcurrent`), how many of these (`maxExtDNS`), and how
/// long for each (`extIOTimeout`).
const FORWARDED_MAX: usize = 1024;
const SERVERS_MAX: usize = 3;
const SERVER_NS: u64 = 4_000_000_000;

/// The chains that lead questions to its ports, and answers back from port 53 (`setupIPTable`).
const TO_IT: &str = "DOCKER_OUTPUT";
const FROM_IT: &str = "DOCKER_POSTROUTING";

/// Starts the server of a container; none where there are no processes.
///
/// # Errors
/// The container's namespace is not there.
pub(super) fn start(
    docker: &mut Docker<'_>,
    container: &Container,
    servers: &[Upstream],
) -> Result<Option<Background>, String> {
    docker.enter(&container.sandbox)?;
    let mut argv = ["docker", RESOLVER, &container.id].map(str::to_owned).to_vec();
    argv.extend(servers.iter().map(Upstream::to_string));
    let launch = Launch { argv: &argv, environment: &[], input: false };
    Ok(docker.shell.start(&launch, "docker-resolver").ok())
}

/// A question for others.
struct Asked {
    question: Question,
    /// The server to ask next.
    next: usize,
    /// What an earlier one has said: the next may know better.
    said: Option<Message>,
}

/// One that a server has been asked.
struct Forwarded {
    asked: Asked,
    fd: Fd,
    until_ns: u64,
}

/// The server itself: it ends only by a signal.
pub(super) fn run(docker: &mut Docker<'_>, args: &[String]) -> Outcome {
    let Some((id, servers)) = args.split_first() else {
        return Err(Failure::of_client("docker-resolver: CONTAINER SERVER..."));
    };
    let servers = servers.iter().take(SERVERS_MAX).filter_map(|text| Upstream::parse(text)).collect();
    let failed = |errno: Errno| Failure::of_client(format!("docker-resolver: {errno}"));
    let mut sockets = Sockets::default();
    let (udp, tcp) = sockets.open(docker.system, ADDRESS.into(), 0).map_err(failed)?;
    redirect(docker, udp, tcp).map_err(Failure::of_client)?;
    let mut resolver = Resolver { id: id.clone(), servers, forwarded: Vec::new() };
    loop {
        let (mut reading, writing) = sockets.watched();
        reading.extend(resolver.forwarded.iter().map(|forwarded| forwarded.fd));
        let until_ns = resolver.forwarded.iter().map(|forwarded| forwarded.until_ns).min();
        match docker.system.wait_for(&reading, &writing, until_ns, false) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(failed(errno)),
        }
        for question in sockets.take(docker.system) {
            resolver.ask(docker, &mut sockets, question)?;
        }
        resolver.hear(docker, &mut sockets).map_err(failed)?;
    }
}

/// Makes port 53 of the address lead to the server's own ports.
fn redirect(docker: &mut Docker<'_>, udp: u16, tcp: u16) -> Result<(), String> {
    let mut run = |line: &str| docker.iptables(true, &format!("-t nat {line}"));
    for (chain, jump) in [("OUTPUT", TO_IT), ("POSTROUTING", FROM_IT)] {
        run(&format!("-N {jump}"))?;
        run(&format!("-I {chain} -d {ADDRESS} -j {jump}"))?;
    }
    for (protocol, port) in [("udp", udp), ("tcp", tcp)] {
        run(&format!(
            "-I {TO_IT} -d {ADDRESS} -p {protocol} --dport 53 -j DNAT --to-destination {ADDRESS}:{port}"
        ))?;
        run(&format!("-I {FROM_IT} -s {ADDRESS} -p {protocol} --sport {port} -j SNAT --to-source :53"))?;
    }
    Ok(())
}

struct Resolver {
    /// The container's.
    id: String,
    servers: Vec<Upstream>,
    forwarded: Vec<Forwarded>,
}

impl Resolver {
    /// Answers a question, or begins to ask others (`ServeDNS`).
    fn ask(
        &mut self,
        docker: &mut Docker<'_>,
        sockets: &mut Sockets,
        question: Question,
    ) -> Result<(), Failure> {
        if question.message.has(flag::RESPONSE) || question.message.questions.is_empty() {
            return Ok(());
        }
        let state = docker.state()?;
        let Ok(container) = state.container(&self.id) else { return Ok(()) };
        let own = answer(&state, container, &question.message);
        let asked = Asked { question, next: 0, said: own };
        match asked.said.is_none() && has_way_out(&state, container) && self.forwarded.len() < FORWARDED_MAX {
            true => self.forward(docker, sockets, &container.sandbox, asked),
            false => finish(docker, sockets, &asked),
        }
        Ok(())
    }

    /// Asks the next server that can be asked.
    fn forward(&mut self, docker: &mut Docker<'_>, sockets: &mut Sockets, sandbox: &str, mut asked: Asked) {
        while let Some(server) = self.servers.get(asked.next) {
            asked.next += 1;
            if let Some((fd, until_ns)) = send(docker, sandbox, *server, &asked.question.message) {
                return self.forwarded.push(Forwarded { asked, fd, until_ns });
            }
        }
        finish(docker, sockets, &asked);
    }

    /// Hears what the servers say, and asks the next one for those that say nothing (`forwardExtDNS`).
    fn hear(&mut self, docker: &mut Docker<'_>, sockets: &mut Sockets) -> Result<(), Errno> {
        if self.forwarded.is_empty() {
            return Ok(());
        }
        let now_ns = docker.system.now()?.monotonic_ns;
        let mut again = Vec::new();
        for mut forwarded in std::mem::take(&mut self.forwarded) {
            let heard = hear(docker, &forwarded);
            let is_final = heard.as_ref().is_ok_and(|heard| heard.as_ref().is_some_and(is_final));
            match heard {
                Ok(None) if now_ns < forwarded.until_ns => {
                    self.forwarded.push(forwarded);
                    continue;
                }
                Ok(Some(said)) => forwarded.asked.said = Some(said),
                Ok(None) | Err(_) => {}
            }
            let _ = docker.system.close(forwarded.fd);
            match is_final {
                true => finish(docker, sockets, &forwarded.asked),
                false => again.push(forwarded.asked),
            }
        }
        if again.is_empty() {
            return Ok(());
        }
        let sandbox =
            docker.state().ok().and_then(|state| Some(state.container(&self.id).ok()?.sandbox.clone()));
        for asked in again {
            self.forward(docker, sockets, sandbox.as_deref().unwrap_or_default(), asked);
        }
        Ok(())
    }
}

/// Sends a question to a server, from the host's namespace where the server is the host's; the socket and until when it
/// may take.
fn send(docker: &mut Docker<'_>, sandbox: &str, server: Upstream, question: &Message) -> Option<(Fd, u64)> {
    if server.of_host {
        docker.enter_host().ok()?;
    }
    let kind = if server.address.is_ipv4() { SocketKind::UdpIpv4 } else { SocketKind::UdpIpv6 };
    let socket = docker.system.socket(kind);
    if server.of_host {
        docker.enter(sandbox).ok()?;
    }
    let fd = socket.ok()?;
    let now_ns = docker.system.now().ok()?.monotonic_ns;
    let mut put = || -> Result<usize, Errno> {
        docker.system.connect(fd, end_of(server.address, dns::PORT))?;
        docker.system.send(fd, question.write(), None)
    };
    match put() {
        Ok(_) => Some((fd, now_ns.saturating_add(SERVER_NS))),
        Err(_) => {
            let _ = docker.system.close(fd);
            None
        }
    }
}

/// The answer that has come.
fn hear(docker: &mut Docker<'_>, forwarded: &Forwarded) -> Result<Option<Message>, Errno> {
    for item in docker.system.receive(forwarded.fd, 16)? {
        match item {
            Received::Datagram { data, .. } => {
                let wanted = |message: &Message| {
                    message.has(flag::RESPONSE) && message.id == forwarded.asked.question.message.id
                };
                if let Some(message) = Message::parse(&data).filter(wanted) {
                    return Ok(Some(message));
                }
            }
            Received::Error { errno, .. } => return Err(errno),
            _ => {}
        }
    }
    Ok(None)
}

/// Whether no other server is asked any more.
fn is_final(said: &Message) -> bool {
    match said.response() {
        response::NO_ERROR => true,
        response::NAME_ERROR => said.has(flag::AUTHORITATIVE),
        _ => false,
    }
}

/// Answers with what was found; without anything, that it failed.
fn finish(docker: &mut Docker<'_>, sockets: &mut Sockets, asked: &Asked) {
    let failure = || {
        let mut reply = asked.question.message.reply();
        reply.set_response(response::SERVER_FAILURE);
        reply
    };
    let reply = asked.said.clone().unwrap_or_else(failure);
    sockets.reply(docker.system, &asked.question, &reply);
}

/// Whether a container has a way to anywhere: without one nobody is asked for names (`hasExternalAccess`).
fn has_way_out(state: &State, container: &Container) -> bool {
    let places = container.endpoints.iter().filter(|endpoint| !endpoint.interface.is_empty());
    places.filter_map(|endpoint| Some((state.network_by_id(&endpoint.network)?, endpoint))).any(
        |(network, endpoint)| {
            let has_gateway = |address| driver::gateway(network, address).is_some();
            !network.internal
                && !matches!(network.driver, Driver::Host | Driver::Null)
                && (has_gateway(endpoint.ipv4)
                    || has_gateway(endpoint.ipv6)
                    || driver::has_device_route(network))
        },
    )
}

/// What docker itself knows.
fn answer(state: &State, container: &Container, query: &Message) -> Option<Message> {
    let question = query.questions.first()?;
    let mut reply = query.reply();
    reply.flags |= flag::RECURSION_AVAILABLE;
    let mut push = |data| {
        let name = question.name.clone();
        reply.answers.push(Record { name, kind: question.kind, class: IN, ttl: TTL, data });
    };
    match question.kind {
        kind::A | kind::AAAA | kind::MX => {
            let addresses = addresses(state, container, &question.name);
            if addresses.is_empty() {
                return None;
            }
            // Of a name that is there without such an address, and of its mail, nothing is said.
            for address in addresses {
                match address {
                    IpAddr::V4(address) if question.kind == kind::A => push(Data::A(address)),
                    IpAddr::V6(address) if question.kind == kind::AAAA => push(Data::Aaaa(address)),
                    _ => {}
                }
            }
        }
        kind::PTR => push(Data::Name(name_of(state, container, &question.name)?)),
        _ => return None,
    }
    Some(reply)
}

/// The user-defined networks that a container is in.
fn networks<'a>(state: &'a State, container: &'a Container) -> impl Iterator<Item = &'a Network> {
    let places = container.endpoints.iter().filter(|endpoint| !endpoint.interface.is_empty());
    let networks = places.filter_map(|endpoint| state.network_by_id(&endpoint.network));
    networks.filter(|network| !network.is_predefined())
}

fn running<'a>(
    state: &'a State,
    network: &'a Network,
) -> impl Iterator<Item = (&'a Container, &'a Endpoint)> {
    state.endpoints(&network.id).filter(|(other, _)| other.is_running())
}

/// The addresses of a name, of the first network that has it (`Sandbox.ResolveName`): `NAME`, or `NAME.NETWORK`.
fn addresses(state: &State, container: &Container, name: &str) -> Vec<IpAddr> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let in_network = |network: &Network, name: &str| -> Vec<IpAddr> {
        running(state, network)
            .filter(|(other, place)| {
                names::names(other, place).iter().any(|known| dns::is_same_name(known, name))
            })
            .flat_map(|(_, place)| [place.ipv4, place.ipv6])
            .flatten()
            .collect()
    };
    for network in networks(state, container) {
        let below = name.rsplit_once('.').filter(|(_, last)| *last == network.name).map(|(name, _)| name);
        for name in [Some(name), below].into_iter().flatten() {
            let found = in_network(network, name);
            if !found.is_empty() {
                return found;
            }
        }
    }
    Vec::new()
}

/// The name of an address that is looked up backwards: `NAME.NETWORK` (`Sandbox.ResolveIP`).
fn name_of(state: &State, container: &Container, name: &str) -> Option<String> {
    networks(state, container).find_map(|network| {
        let (other, _) = running(state, network).find(|(_, place)| {
            let addresses = [place.ipv4, place.ipv6].into_iter().flatten();
            addresses.map(dns::reverse_name).any(|own| dns::is_same_name(&own, name))
        })?;
        Some(format!("{}.{}", other.name, network.name))
    })
}
