//! A name server's sockets: questions by UDP and by TCP (RFC 1035, 4.2), and their answers.

use std::net::IpAddr;

use hairpin_netlink::{Address, Errno, Fd, Received, SocketKind, SocketOption, System};
use hairpin_wire::dns::{self, Message, kind};

use crate::stream::end_of;

/// Answers by UDP are no longer, whatever a client says it takes.
const ANSWER_MAX: usize = 1232;
/// What every client takes.
const ANSWER_MIN: usize = 512;
/// Connections at a time; who comes later waits (dnsmasq's `MAX_PROCS`).
const CLIENTS_MAX: usize = 20;
const BACKLOG: u32 = 5;
/// Questions that a client has put before it is read on.
const PENDING_MAX: usize = 64 << 10;

/// A question, and where its answer goes.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub message: Message,
    pub from: Address,
    fd: Fd,
    /// Bytes of the longest answer; none for one by TCP.
    limit: Option<usize>,
}

/// A connection: what has come and what has not gone yet.
#[derive(Debug)]
struct Client {
    fd: Fd,
    address: Address,
    received: Vec<u8>,
    pending: Vec<u8>,
    /// Questions without an answer.
    open: usize,
    /// It asks no more.
    ended: bool,
    broken: bool,
}

/// The sockets.
#[derive(Debug, Default)]
pub(crate) struct Sockets {
    datagrams: Vec<Fd>,
    listeners: Vec<Fd>,
    clients: Vec<Client>,
}

impl Sockets {
    /// Listens on a port of an address by both protocols; the ports, which the kernel chooses where it is 0.
    ///
    /// # Errors
    /// The port is taken, or the address none of this host's.
    pub fn open(&mut self, system: &mut dyn System, address: IpAddr, port: u16) -> Result<(u16, u16), Errno> {
        let (udp, tcp) = match address {
            IpAddr::V4(_) => (SocketKind::UdpIpv4, SocketKind::TcpIpv4),
            IpAddr::V6(_) => (SocketKind::UdpIpv6, SocketKind::TcpIpv6),
        };
        let datagrams = system.socket(udp)?;
        self.datagrams.push(datagrams);
        let listener = system.socket(tcp)?;
        self.listeners.push(listener);
        if address.is_ipv6() {
            // IPv4 has sockets of its own.
            system.set_option(datagrams, SocketOption::V6Only(true))?;
            system.set_option(listener, SocketOption::V6Only(true))?;
        }
        system.set_option(listener, SocketOption::ReuseAddress(true))?;
        let place = end_of(address, port);
        system.bind(datagrams, place)?;
        system.bind(listener, place)?;
        system.listen(listener, BACKLOG)?;
        Ok((port_of(system.local_address(datagrams)?), port_of(system.local_address(listener)?)))
    }

    /// What to wait for before [`Sockets::take`]: what can be read, and what can be written.
    pub fn watched(&self) -> (Vec<Fd>, Vec<Fd>) {
        let mut reading = self.datagrams.clone();
        if self.clients.len() < CLIENTS_MAX {
            reading.extend(&self.listeners);
        }
        let reads = |client: &&Client| !client.ended && client.pending.len() < PENDING_MAX;
        reading.extend(self.clients.iter().filter(reads).map(|client| client.fd));
        let writes = |client: &&Client| !client.pending.is_empty();
        (reading, self.clients.iter().filter(writes).map(|client| client.fd).collect())
    }

    /// The questions that have come.
    pub fn take(&mut self, system: &mut dyn System) -> Vec<Question> {
        let mut questions = Vec::new();
        for fd in &self.datagrams {
            for item in system.receive(*fd, 64).unwrap_or_default() {
                let Received::Datagram { data, from, .. } = item else { continue };
                let Some(message) = Message::parse(&data) else { continue };
                let limit = Some(limit(&message));
                questions.push(Question { message, from, fd: *fd, limit });
            }
        }
        for listener in &self.listeners {
            while self.clients.len() < CLIENTS_MAX
                && let Ok(fd) = system.accept(*listener)
            {
                let Ok(address) = system.peer_address(fd) else {
                    let _ = system.close(fd);
                    continue;
                };
                self.clients.push(Client {
                    fd,
                    address,
                    received: Vec::new(),
                    pending: Vec::new(),
                    open: 0,
                    ended: false,
                    broken: false,
                });
            }
        }
        for client in &mut self.clients {
            client.read(system);
            questions.append(&mut client.questions());
        }
        self.clear(system);
        questions
    }

    /// Answers a question; one that is too long for a datagram says so (`TC`) without its records.
    pub fn reply(&mut self, system: &mut dyn System, to: &Question, reply: &Message) {
        let mut bytes = reply.write();
        match to.limit {
            Some(limit) => {
                if bytes.len() > limit {
                    let flags = reply.flags | dns::flag::TRUNCATED;
                    let short = Message {
                        id: reply.id,
                        flags,
                        questions: reply.questions.clone(),
                        ..Message::default()
                    };
                    bytes = short.write();
                }
                // Where there is no way back nobody hears of it.
                let _ = system.send(to.fd, bytes, Some(to.from));
            }
            None => {
                // Who has gone meanwhile hears nothing, and a new client has another number.
                let same = |client: &&mut Client| client.fd == to.fd && client.address == to.from;
                let Some(client) = self.clients.iter_mut().find(same) else { return };
                client.open = client.open.saturating_sub(1);
                let Ok(length) = u16::try_from(bytes.len()) else { return client.broken = true };
                client.pending.extend(length.to_be_bytes());
                client.pending.append(&mut bytes);
                client.write(system);
                self.clear(system);
            }
        }
    }

    pub fn close(&mut self, system: &mut dyn System) {
        let clients = self.clients.drain(..).map(|client| client.fd);
        for fd in self.datagrams.drain(..).chain(self.listeners.drain(..)).chain(clients) {
            let _ = system.close(fd);
        }
    }

    /// Forgets the connections that are over.
    fn clear(&mut self, system: &mut dyn System) {
        self.clients.retain(|client| {
            let over = client.broken || client.ended && client.open == 0 && client.pending.is_empty();
            if over {
                let _ = system.close(client.fd);
            }
            !over
        });
    }
}

impl Client {
    fn read(&mut self, system: &mut dyn System) {
        if self.ended || self.pending.len() >= PENDING_MAX {
            return;
        }
        match system.receive(self.fd, 16) {
            Ok(items) => {
                for item in items {
                    match item {
                        Received::Stream(data) => self.received.extend(data),
                        Received::End => self.ended = true,
                        _ => {}
                    }
                }
            }
            Err(Errno::EAGAIN) => {}
            Err(_) => self.broken = true,
        }
        self.write(system);
    }

    /// The messages that are whole, each behind its length (RFC 1035, 4.2.2).
    fn questions(&mut self) -> Vec<Question> {
        let mut questions = Vec::new();
        while let Some(length) = self.received.first_chunk::<2>() {
            let end = 2 + usize::from(u16::from_be_bytes(*length));
            let Some(bytes) = self.received.get(2..end) else { break };
            match Message::parse(bytes) {
                Some(message) => {
                    self.open += 1;
                    questions.push(Question { message, from: self.address, fd: self.fd, limit: None });
                }
                None => self.broken = true,
            }
            self.received.drain(..end);
        }
        questions
    }

    fn write(&mut self, system: &mut dyn System) {
        while !self.pending.is_empty() {
            match system.send(self.fd, self.pending.clone(), None) {
                Ok(0) | Err(Errno::EAGAIN) => return,
                Ok(sent) => drop(self.pending.drain(..sent.min(self.pending.len()))),
                Err(_) => return self.broken = true,
            }
        }
    }
}

/// How long an answer by UDP may be: 512 bytes, or what the question says (RFC 6891, 6.2.3).
fn limit(question: &Message) -> usize {
    let said = question.additional.iter().find(|record| record.kind == kind::OPT);
    said.map_or(ANSWER_MIN, |record| usize::from(record.class).clamp(ANSWER_MIN, ANSWER_MAX))
}

fn port_of(address: Address) -> u16 {
    match address {
        Address::Ipv4 { port, .. } | Address::Ipv6 { port, .. } => port,
        _ => 0,
    }
}
