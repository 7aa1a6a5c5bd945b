//! Segments that leave, and the timers of connections (`tcp_transmit_skb`, `tcp_v4_send_reset`).

use std::net::IpAddr;

use super::connection::{Connection, Outgoing, Settings, State};
use super::segment::{Flags, Segment};
use super::seq::Seq;
use super::way::{Style, checksum};
use super::{Arrival, Endpoint};
use crate::frame::Owner;
use crate::netns::NsId;
use crate::sock::SockId;
use crate::sock::tcp::{Ends, Role};
use crate::world::{TimerEvent, World};

impl World {
    /// What `net.ipv4.tcp_*` gives new connections.
    pub(crate) fn tcp_settings(&self, ns: NsId) -> Settings {
        self.netns.get(ns).map_or_else(Settings::default, |netns| netns.sysctl.tcp)
    }

    /// Sends all that a connection has to send, sets its timer, and lets it go once it is over.
    pub(crate) fn tcp_push(&mut self, id: SockId) {
        // What nobody holds any longer belongs to no program (`sock_orphan`).
        let owner = match self.connection_of(id).is_some_and(|connection| connection.is_orphan) {
            true => Owner::Kernel,
            false => Owner::Program,
        };
        self.tcp_push_of(id, owner);
    }

    /// [`World::tcp_push`] of what `owner` sends: what leaves while a program closes its socket is still the program's
    /// (`tcp_close`).
    pub(crate) fn tcp_push_of(&mut self, id: SockId, owner: Owner) {
        let now = self.now;
        let Some(ns) = self.sockets.get(id).map(|socket| socket.ns) else { return };
        // The connection is taken out while it sends: nothing that sending causes reaches it before it is back.
        let Some(tcp) = self.tcp_of_mut(id) else { return };
        let Role::Connection(mut connection) = std::mem::take(&mut tcp.role) else { return };
        let (ends, port) = (tcp.ends, tcp.port);
        if let Some(remote) = ends.remote {
            self.tcp_send_all(id, (ns, owner), &ends, (ends.source, port), remote, &mut connection);
        }
        let news = std::mem::take(&mut connection.counts.news);
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.counters.tcp.add(news);
        }
        let next = connection.next_timeout();
        let is_over = connection.state == State::Closed;
        let is_orphan = connection.is_orphan;
        let unclaimed = self.tcp_of(id).is_some_and(|tcp| tcp.listener.is_some());
        if let Some(tcp) = self.tcp_of_mut(id) {
            tcp.role = Role::Connection(connection);
            if let Some(at) = next
                && tcp.timer_at.is_none_or(|armed| at < armed)
            {
                tcp.timer_at = Some(at);
                self.timers.add_on_wheel(now, at, TimerEvent::Tcp { socket: id });
            }
        }
        if is_over {
            self.tcp_unhash(id);
            if is_orphan || unclaimed {
                self.tcp_forget(id);
            }
        }
    }

    fn tcp_send_all(
        &mut self,
        id: SockId,
        (ns, owner): (NsId, Owner),
        ends: &Ends,
        local: Endpoint,
        remote: Endpoint,
        connection: &mut Connection,
    ) {
        let now = self.now;
        while let Some(Outgoing { mut segment, data }) = connection.transmit(now) {
            let Ok(way) = self.tcp_route(ns, ends, local.0, remote) else { continue };
            (segment.source, segment.destination) = (local.1, remote.1);
            let answers_syn = segment.flags.has(Flags::SYN) && segment.flags.has(Flags::ACK);
            let ip_id = match self.tcp_of_mut(id) {
                // `ip_build_and_send_pkt`: what may not be cut needs no id; later segments count.
                Some(_) if answers_syn => 0,
                Some(tcp) => {
                    tcp.next_ip_id = tcp.next_ip_id.wrapping_add(1);
                    tcp.next_ip_id
                }
                None => 0,
            };
            let (seq, len) = (data.0, data.1 as usize);
            let style = Style {
                tos: ends.tos,
                ttl: ends.ttl,
                mark: ends.mark,
                id: ip_id,
                whole: false,
                owner,
                bound: ends.device,
                partial: true,
            };
            let header_len = segment.header_len();
            self.tcp_transmit(ns, &way, style, header_len + len, |body| {
                if let Some(place) = body.get_mut(header_len..) {
                    connection.copy(seq, place);
                }
                segment.write(body);
            });
        }
    }

    /// `tcp_v4_send_reset`: for a segment with `len` bytes of data that nobody takes.
    pub(super) fn tcp_reset(&mut self, ns: NsId, segment: &Segment, at: &Arrival, len: usize) {
        let flags = segment.flags;
        if flags.has(Flags::RST) {
            return;
        }
        let reply = match flags.has(Flags::ACK) {
            true => Segment { seq: segment.ack, flags: Flags::RST, ..Segment::default() },
            false => {
                let control = u32::from(flags.has(Flags::SYN)) + u32::from(flags.has(Flags::FIN));
                let ack = segment.seq + len as u32 + control;
                Segment { seq: Seq(0), ack, flags: Flags::RST.with(Flags::ACK), ..Segment::default() }
            }
        };
        self.tcp_send_alone(ns, reply, at);
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.counters.tcp_out_resets += 1;
        }
    }

    /// Answers what has arrived with a segment that belongs to no socket.
    pub(super) fn tcp_send_alone(&mut self, ns: NsId, segment: Segment, at: &Arrival) {
        let segment = Segment { source: at.to.1, destination: at.from.1, ..segment };
        let Ok(way) = self.tcp_route_back(ns, at) else { return };
        // By the socket that the kernel has for this.
        // `tcp_v6_send_response` leaves the checksum to the device, `ip_send_unicast_reply` does not.
        let partial = at.to.0.is_ipv6();
        let style = Style { whole: true, owner: Owner::Kernel, partial, ..Style::default() };
        self.tcp_transmit(ns, &way, style, segment.header_len(), |body| {
            segment.write(body);
            if !partial {
                seal((at.to.0, at.from.0), body);
            }
        });
    }

    /// A connection's timer has come.
    pub(crate) fn tcp_timeout(&mut self, id: SockId) {
        let now = self.now;
        let Some(tcp) = self.tcp_of_mut(id) else { return };
        tcp.timer_at = None;
        let Role::Connection(connection) = &mut tcp.role else { return };
        if connection.next_timeout().is_some_and(|at| at <= now) {
            connection.timeout(now);
        }
        self.tcp_push(id);
    }
}

/// Computes a segment's checksum.
fn seal(ends: (IpAddr, IpAddr), body: &mut [u8]) {
    let sum = checksum(ends, body);
    if let Some(place) = body.get_mut(16..18) {
        place.copy_from_slice(&sum.to_be_bytes());
    }
}
