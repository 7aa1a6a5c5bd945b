//! DNS servers of a world: sockets that answer by themselves, from a list of names, where a machine has no program that
//! does (RFC 1035, 4.2), over UDP and TCP.

use std::collections::BTreeMap;
use std::net::IpAddr;

use hairpin_netlink::{Address, Errno, Received};
use hairpin_wire::dns::{Message, PORT, flag};
use hairpin_wire::zone::Zone;

use super::tcp::Tcp;
use super::udp::Udp;
use super::udp6::Udp6;
use super::{Kind, SockId};
use crate::device::Device;
use crate::frame::Frame;
use crate::netns::NsId;
use crate::world::World;

/// Longest answer over UDP; a longer one is sent without its records and says so (`TC`).
const ANSWER_MAX: usize = 1232;
/// Connections that wait to be taken, which they are at once.
const BACKLOG: u32 = 16;
/// What a client may have sent that is no whole question yet.
const QUESTION_MAX: usize = 2 + 0xffff;

/// What the servers know, and where they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Servers {
    zones: Vec<Zone>,
    /// Sockets of UDP, listeners of TCP and their connections, each with the number of the zone that answers there.
    sockets: BTreeMap<SockId, usize>,
    /// Of connections: what has come that is no whole question yet.
    received: BTreeMap<SockId, Vec<u8>>,
}

impl Servers {
    fn answer(&mut self, id: SockId, query: &[u8]) -> Option<Message> {
        let zone = self.zones.get_mut(*self.sockets.get(&id)?)?;
        zone.answer(&Message::parse(query)?)
    }

    fn forget(&mut self, id: SockId) {
        self.sockets.remove(&id);
        self.received.remove(&id);
    }
}

impl World {
    /// Lets a machine answer questions about names at one of its addresses.
    ///
    /// # Errors
    /// `ENOENT` without that machine, `EADDRNOTAVAIL` for an address that is not its own, `EADDRINUSE`.
    pub fn serve_dns(&mut self, host: usize, server: IpAddr, zone: Zone) -> Result<(), Errno> {
        let ns = self.hosts.get(host).ok_or(Errno::ENOENT)?.initial;
        let (udp, tcp) = match server {
            IpAddr::V4(_) => (Kind::Udp(Udp::default()), Tcp::default()),
            IpAddr::V6(_) => (Kind::Udp6(Udp6::default()), Tcp::ipv6()),
        };
        let number = self.dns.zones.len();
        for kind in [udp, Kind::Tcp(Box::new(tcp))] {
            let id = self.add_socket(ns, kind)?;
            if let Err(errno) = self.bind_server(id, ns, server) {
                self.close_socket(id);
                return Err(errno);
            }
            self.dns.sockets.insert(id, number);
        }
        self.dns.zones.push(zone);
        Ok(())
    }

    fn bind_server(&mut self, id: SockId, ns: NsId, server: IpAddr) -> Result<(), Errno> {
        match server {
            IpAddr::V4(address) => self.bind_socket(id, Address::Ipv4 { address, port: PORT })?,
            // While a world is made its addresses are tentative still, which nobody could bind to.
            IpAddr::V6(address) => {
                let has = |device: &Device| device.ipv6.iter().any(|entry| entry.address == address);
                if !self.devices_of(ns).any(has) {
                    return Err(Errno::EADDRNOTAVAIL);
                }
                match self.sockets.get(id).map(|socket| &socket.kind) {
                    Some(Kind::Tcp(_)) => self.take_tcp_port(id, ns, server, PORT)?,
                    _ => self.bind_udp6(id, ns, address, PORT)?,
                }
                if let Some(Kind::Udp6(udp)) = self.sockets.get_mut(id).map(|socket| &mut socket.kind) {
                    udp.inet.source = address;
                }
            }
        }
        match self.tcp_of(id) {
            Some(_) => self.listen_socket(id, BACKLOG),
            None => Ok(()),
        }
    }

    /// Whether a socket answers by itself.
    #[inline]
    pub(crate) fn is_dns_server(&self, id: SockId) -> bool {
        !self.dns.sockets.is_empty() && self.dns.sockets.contains_key(&id)
    }

    /// A datagram for a server, whose data begins `offset` bytes into the frame.
    pub(crate) fn dns_receive(&mut self, id: SockId, from: Address, offset: usize, frame: Frame) {
        let reply = frame.bytes().get(offset..).and_then(|query| self.dns.answer(id, query));
        self.consume(frame);
        let Some(reply) = reply else { return };
        let mut bytes = reply.write();
        if bytes.len() > ANSWER_MAX {
            let flags = reply.flags | flag::TRUNCATED;
            let short = Message { flags, answers: Vec::new(), additional: Vec::new(), ..reply };
            bytes = short.write();
        }
        // Where there is no way back nobody hears of it.
        let _ = self.send_from(id, &bytes, Some(from));
    }

    /// Takes the connection that waits at a server.
    pub(crate) fn dns_accept(&mut self, listener: SockId) {
        let Some(zone) = self.dns.sockets.get(&listener).copied() else { return };
        if let Ok(connection) = self.accept_socket(listener) {
            self.dns.sockets.insert(connection, zone);
        }
    }

    /// Answers what has come over a connection: messages behind their lengths.
    pub(crate) fn dns_stream(&mut self, id: SockId) {
        let Ok(items) = self.receive_tcp(id) else { return self.dns_hang_up(id) };
        let mut received = self.dns.received.remove(&id).unwrap_or_default();
        let mut ended = false;
        for item in items {
            match item {
                Received::Stream(data) => received.extend(data),
                Received::End => ended = true,
                _ => {}
            }
        }
        while let Some(length) = received.first_chunk::<2>() {
            let end = 2 + usize::from(u16::from_be_bytes(*length));
            let Some(query) = received.get(2..end) else { break };
            let reply = self.dns.answer(id, query).map(|reply| reply.write());
            received.drain(..end);
            let Some(bytes) = reply else { continue };
            let Ok(length) = u16::try_from(bytes.len()) else { continue };
            let message = [&length.to_be_bytes(), bytes.as_slice()].concat();
            // Who takes nothing gets nothing.
            if self.send_tcp(id, &message).is_ok_and(|sent| sent < message.len()) {
                return self.dns_hang_up(id);
            }
        }
        if ended || received.len() > QUESTION_MAX {
            return self.dns_hang_up(id);
        }
        if !received.is_empty() {
            self.dns.received.insert(id, received);
        }
    }

    fn dns_hang_up(&mut self, id: SockId) {
        self.dns.forget(id);
        self.close_socket(id);
    }
}
