//! DNS servers of a world: a socket that answers by itself, from a list of names, where a machine has no program that
//! does (RFC 1035, 4.2.1; over UDP and IPv4).

use std::net::Ipv4Addr;

use hairpin_netlink::{Address, Errno};
use hairpin_wire::dns::{Message, PORT};
use hairpin_wire::zone::Zone;

use super::{Kind, SockId};
use crate::frame::Frame;
use crate::world::World;

/// Longest answer over UDP; a longer one is sent without its records and says so (`TC`).
const ANSWER_MAX: usize = 1232;

impl World {
    /// Lets a machine answer questions about names at one of its addresses.
    ///
    /// # Errors
    /// `ENOENT` without that machine, `EADDRNOTAVAIL` for an address that is not its own, `EADDRINUSE`.
    pub fn serve_dns(&mut self, host: usize, server: Ipv4Addr, zone: Zone) -> Result<(), Errno> {
        let ns = self.hosts.get(host).ok_or(Errno::ENOENT)?.initial;
        let id = self.add_socket(ns, Kind::Udp(super::udp::Udp::default()))?;
        if let Err(errno) = self.bind_socket(id, Address::Ipv4 { address: server, port: PORT }) {
            self.close_socket(id);
            return Err(errno);
        }
        if let Some(Kind::Udp(udp)) = self.sockets.get_mut(id).map(|socket| &mut socket.kind) {
            udp.zone = Some(Box::new(zone));
        }
        Ok(())
    }

    /// Whether a UDP socket answers by itself.
    #[inline]
    pub(crate) fn is_dns_server(&self, id: SockId) -> bool {
        matches!(self.sockets.get(id).map(|socket| &socket.kind), Some(Kind::Udp(udp)) if udp.zone.is_some())
    }

    /// A datagram for a server, whose data begins `offset` bytes into the frame.
    pub(crate) fn dns_receive(&mut self, id: SockId, from: (Ipv4Addr, u16), offset: usize, frame: Frame) {
        let query = frame.bytes().get(offset..).and_then(Message::parse);
        self.consume(frame);
        let Some(Kind::Udp(udp)) = self.sockets.get_mut(id).map(|socket| &mut socket.kind) else { return };
        let Some(reply) = query.and_then(|query| udp.zone.as_mut()?.answer(&query)) else { return };
        let mut bytes = reply.write();
        if bytes.len() > ANSWER_MAX {
            let flags = reply.flags | hairpin_wire::dns::flag::TRUNCATED;
            let short = Message { flags, answers: Vec::new(), additional: Vec::new(), ..reply };
            bytes = short.write();
        }
        // Where there is no way back nobody hears of it.
        let _ = self.send_udp(id, &bytes, Some(from));
    }
}
