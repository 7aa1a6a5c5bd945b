//! The stub resolver: questions to name servers over UDP, and over TCP where an answer is too long for that (glibc's
//! resolv/res_send.c, res_query.c).

use std::net::{IpAddr, Ipv4Addr};

use hairpin_netlink::{Address, Errno, Fd, Received, SocketKind, SocketOption};
use hairpin_wire::dns::{self, Data, Message, Record, kind, response};

use super::settings::Settings;
use crate::Program;
use crate::stream::{Fault, From as Own, Stream};

const NS_PER_S: u64 = 1_000_000_000;

/// Why a server gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    /// Questions cannot be sent there.
    Unreachable(Errno),
    /// It was told that nobody listens there.
    Error(Errno),
    TimedOut,
    /// A signal came.
    Interrupted,
}

/// What a question came to, where no records did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// `HOST_NOT_FOUND`
    NoName,
    /// `NO_DATA`
    NoData,
    /// `TRY_AGAIN`
    TryAgain,
    Interrupted,
}

/// An answer, and how many bytes it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub message: Message,
    pub length: usize,
}

/// What carries questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Udp,
    /// Whatever ICMP says of a question ends the wait for its answer (`__res_enable_icmp`).
    UdpWithErrors,
    Tcp,
}

/// The address of a server's port.
pub(crate) fn server_address(server: IpAddr, port: u16) -> Address {
    match server {
        IpAddr::V4(address) => Address::Ipv4 { address, port },
        IpAddr::V6(address) => Address::Ipv6 { address, port, scope: 0 },
    }
}

/// A number for a question that was not used just before.
pub(crate) fn identifier(program: &mut Program<'_>) -> u16 {
    let now = program.system.now().map_or(0, |now| now.monotonic_ns ^ now.realtime_ns.rotate_left(17));
    let mixed = (now ^ u64::from(program.shell.process_id()) << 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 40) as u16
}

/// Sends questions to a server, all at once, and waits until each is answered.
///
/// # Errors
/// No server there, no way there, or not in time; what was answered until then is lost.
pub(crate) fn exchange(
    program: &mut Program<'_>,
    to: Address,
    from: Option<Address>,
    queries: &[Message],
    timeout_ns: u64,
    transport: Transport,
) -> Result<Vec<Answer>, Silence> {
    let kind = match (transport, to) {
        (Transport::Tcp, _) => return exchange_by_stream(program, to, from, queries, timeout_ns),
        (_, Address::Ipv6 { .. }) => SocketKind::UdpIpv6,
        _ => SocketKind::UdpIpv4,
    };
    let socket = program.system.socket(kind).map_err(Silence::Unreachable)?;
    if transport == Transport::UdpWithErrors {
        let _ = program.system.set_option(socket, SocketOption::ReceiveErrors(true));
    }
    let outcome = ask(program, socket, to, from, queries, timeout_ns);
    let _ = program.system.close(socket);
    outcome
}

fn ask(
    program: &mut Program<'_>,
    socket: Fd,
    to: Address,
    from: Option<Address>,
    queries: &[Message],
    timeout_ns: u64,
) -> Result<Vec<Answer>, Silence> {
    if let Some(from) = from {
        program.system.bind(socket, from).map_err(Silence::Unreachable)?;
    }
    program.system.connect(socket, to).map_err(Silence::Unreachable)?;
    for query in queries {
        program.system.send(socket, query.write(), None).map_err(Silence::Unreachable)?;
    }
    let now = program.system.now().map_err(Silence::Error)?.monotonic_ns;
    let until = now.saturating_add(timeout_ns);
    let mut answers: Vec<Option<Answer>> = vec![None; queries.len()];
    while answers.iter().any(Option::is_none) {
        match program.system.wait(&[socket], Some(until), true) {
            Ok(ready) if ready.is_empty() => return Err(Silence::TimedOut),
            Ok(_) => {}
            Err(Errno::EINTR) => return Err(Silence::Interrupted),
            Err(errno) => return Err(Silence::Error(errno)),
        }
        for item in program.system.receive(socket, 16).map_err(Silence::Error)? {
            let data = match item {
                Received::Datagram { data, .. } => data,
                Received::Error { errno, .. } => return Err(Silence::Error(errno)),
                _ => continue,
            };
            // What answers no question of ours is not heard.
            let Some(message) = Message::parse(&data).filter(|message| message.has(dns::flag::RESPONSE))
            else {
                continue;
            };
            for (query, place) in queries.iter().zip(&mut answers) {
                if query.id == message.id && place.is_none() {
                    *place = Some(Answer { message: message.clone(), length: data.len() });
                }
            }
        }
    }
    Ok(answers.into_iter().flatten().collect())
}

/// The same over one connection, where each message stands behind its length (RFC 1035, 4.2.2).
fn exchange_by_stream(
    program: &mut Program<'_>,
    to: Address,
    from: Option<Address>,
    queries: &[Message],
    timeout_ns: u64,
) -> Result<Vec<Answer>, Silence> {
    let now = program.system.now().map_err(Silence::Error)?.monotonic_ns;
    let own = match from {
        Some(Address::Ipv4 { address, port }) => Own { address: Some(address.into()), port, device: None },
        Some(Address::Ipv6 { address, port, .. }) => {
            Own { address: Some(address.into()), port, device: None }
        }
        _ => Own::default(),
    };
    let until = Some(now.saturating_add(timeout_ns));
    let connected = Stream::connect(program, to, &own, until);
    let mut stream = connected.map_err(|fault| match fault {
        Fault::Error(errno) => Silence::Unreachable(errno),
        Fault::TimedOut => Silence::TimedOut,
        Fault::Interrupted => Silence::Interrupted,
    })?;
    let outcome = ask_by_stream(program, &mut stream, queries);
    stream.close(program);
    outcome.map_err(|fault| match fault {
        Fault::Error(errno) => Silence::Error(errno),
        Fault::TimedOut => Silence::TimedOut,
        Fault::Interrupted => Silence::Interrupted,
    })
}

fn ask_by_stream(
    program: &mut Program<'_>,
    stream: &mut Stream,
    queries: &[Message],
) -> Result<Vec<Answer>, Fault> {
    let mut sent = Vec::new();
    for query in queries {
        let bytes = query.write();
        sent.extend(u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes());
        sent.extend(bytes);
    }
    stream.send(program, &sent)?;
    let mut answers: Vec<Option<Answer>> = vec![None; queries.len()];
    let mut received = Vec::new();
    while answers.iter().any(Option::is_none) {
        // Who ends before he has answered has broken off.
        let data = stream.receive(program)?.ok_or(Fault::Error(Errno::ECONNRESET))?;
        received.extend(data);
        while let Some(length) = received.first_chunk::<2>() {
            let end = 2 + usize::from(u16::from_be_bytes(*length));
            let Some(bytes) = received.get(2..end) else { break };
            if let Some(message) = Message::parse(bytes).filter(|message| message.has(dns::flag::RESPONSE)) {
                for (query, place) in queries.iter().zip(&mut answers) {
                    if query.id == message.id && place.is_none() {
                        *place = Some(Answer { message: message.clone(), length: bytes.len() });
                    }
                }
            }
            received.drain(..end);
        }
    }
    Ok(answers.into_iter().flatten().collect())
}

/// `__res_context_send`: asks one server after the other, and all of them again.
fn send(
    program: &mut Program<'_>,
    settings: &Settings,
    queries: &[Message],
) -> Result<Vec<Message>, Failure> {
    let default = [IpAddr::V4(Ipv4Addr::LOCALHOST)];
    let servers = if settings.servers.is_empty() { &default[..] } else { &settings.servers };
    for _ in 0..settings.attempts {
        for (at, server) in servers.iter().enumerate() {
            let mut seconds = settings.timeout_s << at;
            if at > 0 {
                seconds /= servers.len() as u64;
            }
            let to = server_address(*server, dns::PORT);
            let timeout_ns = seconds.max(1).saturating_mul(NS_PER_S);
            let first = if settings.by_stream { Transport::Tcp } else { Transport::UdpWithErrors };
            let mut answers = exchange(program, to, None, queries, timeout_ns, first);
            let is_short = |answer: &Answer| answer.message.has(dns::flag::TRUNCATED);
            if first != Transport::Tcp && answers.as_ref().is_ok_and(|answers| answers.iter().any(is_short)) {
                answers = exchange(program, to, None, queries, timeout_ns, Transport::Tcp);
            }
            match answers {
                Ok(answers) if answers.iter().any(|answer| is_refusal(&answer.message)) => {}
                Ok(answers) => return Ok(answers.into_iter().map(|answer| answer.message).collect()),
                Err(Silence::Interrupted) => return Err(Failure::Interrupted),
                Err(_) => {}
            }
        }
    }
    Err(Failure::TryAgain)
}

/// The next server may know better.
fn is_refusal(message: &Message) -> bool {
    use response::{NOT_IMPLEMENTED, REFUSED, SERVER_FAILURE};
    matches!(message.response(), SERVER_FAILURE | NOT_IMPLEMENTED | REFUSED)
}

/// Asks for records of these kinds of a name as it is (`__res_context_query`).
fn query(
    program: &mut Program<'_>,
    settings: &Settings,
    name: &str,
    kinds: &[u16],
) -> Result<Vec<Record>, Failure> {
    let first = identifier(program);
    let queries: Vec<Message> = kinds
        .iter()
        .zip(0u16..)
        .map(|(kind, at)| Message::query(first.wrapping_add(at * 7919), name, *kind))
        .collect();
    let answers = send(program, settings, &queries)?;
    let no_name = answers.iter().all(|answer| answer.response() == response::NAME_ERROR);
    let records: Vec<Record> = answers
        .into_iter()
        .filter(|answer| answer.response() == response::NO_ERROR)
        .flat_map(|answer| answer.answers)
        .collect();
    match records.is_empty() {
        false => Ok(records),
        true if no_name => Err(Failure::NoName),
        true => Err(Failure::NoData),
    }
}

/// `__res_context_search`: the name as it is and below the domains of the search list, in the order that its dots ask
/// for.
///
/// # Errors
/// What the last question came to that says most.
pub(crate) fn search(program: &mut Program<'_>, name: &str, kinds: &[u16]) -> Result<Vec<Record>, Failure> {
    let settings = Settings::read(program.shell);
    let dots = name.bytes().filter(|byte| *byte == b'.').count();
    let is_whole = name.ends_with('.');
    let mut as_is = None;
    if dots >= settings.dots || is_whole {
        match query(program, &settings, name, kinds) {
            Ok(records) => return Ok(records),
            Err(Failure::Interrupted) => return Err(Failure::Interrupted),
            Err(failure) => as_is = Some(failure),
        }
    }
    let mut no_data = false;
    if !is_whole {
        for domain in &settings.search {
            match query(program, &settings, &format!("{name}.{domain}"), kinds) {
                Ok(records) => return Ok(records),
                Err(Failure::NoData) => no_data = true,
                Err(Failure::NoName) => {}
                Err(failure) => return Err(failure),
            }
        }
    }
    if as_is.is_none() && (dots > 0 || settings.search.is_empty()) {
        return query(program, &settings, name, kinds);
    }
    Err(as_is.unwrap_or(if no_data { Failure::NoData } else { Failure::NoName }))
}

/// Where a name leads along its aliases.
pub(crate) fn canonical(records: &[Record], name: &str) -> String {
    let mut name = name.strip_suffix('.').unwrap_or(name).to_owned();
    // Each alias once: a loop ends.
    for _ in records {
        let alias = records.iter().find_map(|record| match &record.data {
            Data::Name(target) if record.kind == kind::CNAME && dns::is_same_name(&record.name, &name) => {
                Some(target.clone())
            }
            _ => None,
        });
        match alias {
            Some(target) => name = target,
            None => break,
        }
    }
    name
}

/// The name of an address (`gethostbyaddr`).
///
/// # Errors
/// As [`search`].
pub(crate) fn reverse(program: &mut Program<'_>, address: IpAddr) -> Result<String, Failure> {
    let settings = Settings::read(program.shell);
    let name = dns::reverse_name(address);
    let records = query(program, &settings, &name, &[kind::PTR])?;
    let name = records.into_iter().find_map(|record| match record.data {
        Data::Name(name) if record.kind == kind::PTR && dns::is_name(&name) => Some(name),
        _ => None,
    });
    name.ok_or(Failure::NoData)
}
