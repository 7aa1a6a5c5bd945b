//! Segments that leave, and the timers of connections (`tcp_transmit_skb`, `tcp_v4_send_reset`).

use hairpin_netlink::Errno;

use super::Endpoint;
use super::connection::{Connection, Outgoing, Settings, State};
use super::segment::{self, Flags, Segment};
use super::seq::Seq;
use crate::ip::output::Fields;
use crate::ip::route::{OutKey, OutRoute};
use crate::ip::{self, fold, protocol, pseudo_sum, sum};
use crate::netns::NsId;
use crate::sock::tcp::Role;
use crate::sock::{Inet, SockId};
use crate::world::{TimerEvent, World};

/// Bytes of TCP data that a path of this MTU takes in one packet, without options.
pub(crate) fn path_mss(mtu: u32) -> u32 {
    mtu.saturating_sub((ip::HEADER_LEN + segment::HEADER_LEN) as u32).clamp(1, 65_495)
}

impl World {
    /// What `net.ipv4.tcp_*` gives new connections.
    pub(crate) fn tcp_settings(&self, ns: NsId) -> Settings {
        self.netns.get(ns).map_or_else(Settings::default, |netns| netns.sysctl.tcp)
    }

    pub(crate) fn tcp_route(
        &mut self,
        ns: NsId,
        inet: &Inet,
        source: std::net::Ipv4Addr,
        remote: Endpoint,
    ) -> Result<OutRoute, Errno> {
        self.route_output(OutKey {
            source,
            oif: inet.device,
            tos: inet.tos & 0x1e,
            mark: inet.mark,
            protocol: protocol::TCP,
            on_link: inet.dont_route,
            ..OutKey::to(ns, remote.0)
        })
    }

    /// Sends all that a connection has to send, sets its timer, and lets it go once it is over.
    pub(crate) fn tcp_push(&mut self, id: SockId) {
        let Some(ns) = self.sockets.get(id).map(|socket| socket.ns) else { return };
        // The connection is taken out while it sends: nothing that sending causes reaches it before it is back.
        let Some(tcp) = self.tcp_of_mut(id) else { return };
        let Role::Connection(mut connection) = std::mem::take(&mut tcp.role) else { return };
        let (inet, port) = (tcp.inet.clone(), tcp.port);
        let local = (inet.source, port);
        if let Some(remote) = inet.remote {
            self.tcp_send_all(id, ns, &inet, local, remote, &mut connection);
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
                self.timers.add(at, TimerEvent::Tcp { socket: id });
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
        ns: NsId,
        inet: &Inet,
        local: Endpoint,
        remote: Endpoint,
        connection: &mut Connection,
    ) {
        let now = self.now;
        while let Some(Outgoing { mut segment, data }) = connection.transmit(now) {
            let Ok(route) = self.tcp_route(ns, inet, local.0, remote) else { continue };
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
            let fields = Fields {
                tos: inet.tos,
                dont_fragment: !route.mtu_locked,
                id: Some(ip_id),
                mark: inet.mark,
                owned: true,
                ..Fields::new(protocol::TCP, inet.ttl.unwrap_or_else(|| self.default_ttl(ns, route.source)))
            };
            let header_len = segment.header_len();
            let ends = (local.0, remote.0);
            // What a rule drops is sent again, as if it was lost on the way.
            let _ = self.ip_send(ns, &route, fields, header_len + len, |body| {
                if let Some(place) = body.get_mut(header_len..) {
                    connection.copy(seq, place);
                }
                write(&segment, ends, body);
            });
            if let Some(netns) = self.netns.get_mut(ns) {
                netns.counters.tcp_out += 1;
            }
        }
    }

    /// `tcp_v4_send_reset`: for a segment with `len` bytes of data that nobody takes.
    pub(super) fn tcp_reset(
        &mut self,
        ns: NsId,
        segment: &Segment,
        from: Endpoint,
        to: Endpoint,
        len: usize,
    ) {
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
        self.tcp_send_alone(ns, reply, to, from);
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.counters.tcp_out_resets += 1;
        }
    }

    /// Sends a segment that belongs to no socket, from `to` to `from`.
    pub(super) fn tcp_send_alone(&mut self, ns: NsId, segment: Segment, to: Endpoint, from: Endpoint) {
        let segment = Segment { source: to.1, destination: from.1, ..segment };
        let inet = Inet::default();
        let Ok(route) = self.tcp_route(ns, &inet, to.0, from) else { return };
        let fields = Fields {
            dont_fragment: true,
            id: Some(0),
            ..Fields::new(protocol::TCP, self.default_ttl(ns, route.source))
        };
        let _ = self.ip_send(ns, &route, fields, segment.header_len(), |body| {
            write(&segment, (to.0, from.0), body);
        });
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.counters.tcp_out += 1;
        }
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

/// Writes a segment's header in front of its data, with the checksum.
fn write(segment: &Segment, ends: (std::net::Ipv4Addr, std::net::Ipv4Addr), body: &mut [u8]) {
    segment.write(body);
    let pseudo = pseudo_sum(ends.0, ends.1, protocol::TCP, body.len()) << 16;
    let sum = !fold(pseudo + sum(body));
    if let Some(place) = body.get_mut(16..18) {
        place.copy_from_slice(&sum.to_be_bytes());
    }
}
