//! Segments that arrive: whose they are, and what becomes of them (`tcp_v4_rcv`, `tcp_v4_err`).

use std::net::IpAddr;

use hairpin_netlink::Errno;

use super::connection::{Connection, Outcome, State};
use super::segment::{Flags, Segment};
use super::seq::Seq;
use super::way::checksum;
use super::{Arrival, Endpoint};
use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::Frame;
use crate::ip::Header;
use crate::ip6::address::is_link_local;
use crate::netns::NsId;
use crate::route::RouteKind;
use crate::sock::came_in::CameIn;
use crate::sock::tcp::{Ends, Role, Tcp};
use crate::sock::{Kind, SockId};
use crate::trace::Step;
use crate::world::World;

impl World {
    /// `tcp_v4_rcv`
    pub(crate) fn tcp_receive(
        &mut self,
        ns: NsId,
        dev: DevId,
        header: &Header,
        delivered: RouteKind,
        frame: Frame,
    ) {
        let ends = (header.source.into(), header.destination.into());
        self.tcp_segment(ns, dev, ends, delivered, (header.header_len, header.total_len), frame);
    }

    /// `tcp_v6_rcv`, of a segment that begins `at` bytes into the packet
    pub(crate) fn tcp6_receive(
        &mut self,
        ns: NsId,
        dev: DevId,
        header: &crate::ip6::Header,
        delivered: RouteKind,
        at: usize,
        frame: Frame,
    ) {
        let ends = (header.source.into(), header.destination.into());
        self.tcp_segment(ns, dev, ends, delivered, (at, header.total_len()), frame);
    }

    /// A segment between two addresses, from `start` to `end` of the packet.
    fn tcp_segment(
        &mut self,
        ns: NsId,
        dev: DevId,
        ends: (IpAddr, IpAddr),
        delivered: RouteKind,
        (start, end): (usize, usize),
        frame: Frame,
    ) {
        let bytes = frame.payload().get(start..end).unwrap_or(&[]);
        let Some((segment, offset)) = Segment::parse(bytes) else {
            return self.drop_frame(Some(dev), frame, DropReason::PacketTooSmall);
        };
        if !frame.partial.is_due() && checksum(ends, bytes) != 0 {
            return self.drop_frame(Some(dev), frame, DropReason::TcpChecksum);
        }
        if delivered != RouteKind::Local {
            return self.drop_frame(Some(dev), frame, DropReason::TcpNotUnicast);
        }
        let accepts = self.netns.get(ns).is_some_and(|netns| netns.sysctl.tcp_l3mdev_accept);
        let came = CameIn { iif: frame.iif, vrf_port: frame.vrf_port, accepts };
        let at = Arrival { from: (ends.0, segment.source), to: (ends.1, segment.destination), came };
        let len = bytes.len() - offset;
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.counters.tcp_in += 1;
        }
        let Some(id) = self.tcp_socket(ns, &at, &segment) else {
            self.tcp_reset(ns, &segment, &at, len);
            return self.drop_frame(Some(dev), frame, DropReason::NoSocket);
        };
        self.trace_step(dev, &frame, Step::Deliver("socket"));
        let data = bytes.get(offset..).unwrap_or(&[]);
        match self.tcp_of(id).map(|tcp| &tcp.role) {
            Some(Role::Listening(_)) => self.tcp_listener_receive(id, &segment, data, &at),
            Some(Role::Connection(_)) => self.tcp_connection_receive(id, &segment, data, &at),
            _ => {}
        }
        self.consume(frame);
    }

    pub(crate) fn tcp_of(&self, id: SockId) -> Option<&Tcp> {
        match &self.sockets.get(id)?.kind {
            Kind::Tcp(tcp) => Some(tcp),
            _ => None,
        }
    }

    pub(crate) fn tcp_of_mut(&mut self, id: SockId) -> Option<&mut Tcp> {
        match &mut self.sockets.get_mut(id)?.kind {
            Kind::Tcp(tcp) => Some(tcp),
            _ => None,
        }
    }

    pub(crate) fn connection_of(&mut self, id: SockId) -> Option<&mut Connection> {
        match &mut self.tcp_of_mut(id)?.role {
            Role::Connection(connection) => Some(connection),
            _ => None,
        }
    }

    /// `__inet_lookup_skb`: the connection, else the listener that fits best. A connection that only waits out its
    /// time makes room for a new one.
    fn tcp_socket(&mut self, ns: NsId, at: &Arrival, segment: &Segment) -> Option<SockId> {
        let found = self.netns.get(ns)?.tcp.find(at.to, at.from, at.came.vrf());
        let is_its = |id: &SockId| self.tcp_of(*id).is_some_and(|tcp| at.came.fits(tcp.ends.device));
        if let Some(id) = found.filter(is_its) {
            let opens = segment.flags.has(Flags::SYN) && !segment.flags.has(Flags::ACK);
            let yields = opens
                && self.connection_of(id).is_some_and(|connection| connection.gives_way_to(segment))
                && self.tcp_listener(ns, at.to, at.came).is_some();
            if !yields {
                return Some(id);
            }
            self.tcp_forget(id);
        }
        self.tcp_listener(ns, at.to, at.came)
    }

    /// `inet_lhash2_lookup`, `compute_score`: a bound address counts for more than none, a bound device too, and a
    /// socket of IPv4 for more than one of both.
    fn tcp_listener(&self, ns: NsId, to: Endpoint, came: CameIn) -> Option<SockId> {
        let candidates = self.netns.get(ns)?.tcp.bound.get(&to.1)?;
        let score = |id: &SockId| {
            let tcp = self.tcp_of(*id)?;
            let fits =
                matches!(tcp.role, Role::Listening(_)) && tcp.takes(to.0) && came.fits(tcp.ends.device);
            let is_of_family = tcp.family.is_ipv6() == to.0.is_ipv6();
            fits.then_some(
                (tcp.ends.source == to.0) as u32 * 4
                    + (tcp.ends.device != 0) as u32 * 2
                    + is_of_family as u32,
            )
        };
        candidates
            .iter()
            .filter_map(|id| Some((score(id)?, *id)))
            .max_by_key(|found| found.0)
            .map(|found| found.1)
    }

    /// `tcp_rcv_state_process` of a listener: a SYN opens a connection (`tcp_conn_request`).
    fn tcp_listener_receive(&mut self, id: SockId, segment: &Segment, data: &[u8], at: &Arrival) {
        let flags = segment.flags;
        if flags.has(Flags::RST) {
            return;
        }
        let Some(socket) = self.sockets.get(id) else { return };
        let (ns, Kind::Tcp(tcp)) = (socket.ns, &socket.kind) else { return };
        let mut child = tcp.for_connection(id, at);
        if flags.has(Flags::ACK) {
            return match self.cookie_check(ns, id, segment, at) {
                Some(child) => self.tcp_connection_receive(child, segment, data, at),
                None => self.tcp_reset(ns, segment, at, data.len()),
            };
        }
        let Some(Role::Listening(listener)) = self.tcp_of(id).map(|tcp| &tcp.role) else { return };
        if !flags.has(Flags::SYN) || flags.has(Flags::FIN) || listener.is_full() {
            return;
        }
        // A queue without room drops the SYN, or nothing is remembered of it.
        let Some(by_cookie) = self.wants_cookie(ns, id, at.to.1) else { return };
        let settings = self.tcp_settings(ns);
        let Ok(way) = self.tcp_route(ns, &child.ends, at.to.0, at.from) else { return };
        if by_cookie {
            return self.tcp_answer_by_cookie(ns, segment, at, way.mss());
        }
        let iss = Seq(self.random_below(1 << 32) as u32);
        let connection = Connection::accept(settings, iss, way.mss(), segment, self.now);
        child.next_ip_id = self.random_below(1 << 16) as u16;
        child.role = Role::Connection(Box::new(connection));
        if let Some(child) = self.add_tcp_child(ns, child, at) {
            self.tcp_push(child);
        }
    }

    /// A connection that no program has yet.
    pub(super) fn add_tcp_child(&mut self, ns: NsId, child: Tcp, at: &Arrival) -> Option<SockId> {
        let (port, vrf) = (child.port, child.ends.vrf);
        let child = self.add_socket(ns, Kind::Tcp(Box::new(child))).ok()?;
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.tcp.bind(port, child);
            netns.tcp.connections.insert((at.to, at.from, vrf), child);
        }
        // The namespace may go without waiting for it.
        self.release_netns(ns);
        Some(child)
    }

    /// The answer to a SYN of which nothing is kept (`tcp_v4_send_synack` of a cookie).
    fn tcp_answer_by_cookie(&mut self, ns: NsId, syn: &Segment, at: &Arrival, path_mss: u32) {
        // Without time stamps there is no room for what was agreed on.
        let syn = match syn.timestamps {
            Some(_) => *syn,
            None => Segment { window_scale: None, sack_permitted: false, ..*syn },
        };
        let cookie = self.cookie_for(ns, (at.to, at.from), &syn);
        let now = self.now;
        let mut connection = Connection::accept(self.tcp_settings(ns), cookie, path_mss, &syn, now);
        let Some(answer) = connection.transmit(now) else { return };
        let mut answer = answer.segment;
        if let Some((value, _)) = &mut answer.timestamps {
            *value = super::cookie::stamp(*value, &syn);
        }
        self.tcp_send_alone(ns, answer, at);
    }

    fn tcp_connection_receive(&mut self, id: SockId, segment: &Segment, data: &[u8], at: &Arrival) {
        let now = self.now;
        let Some(ns) = self.sockets.get(id).map(|socket| socket.ns) else { return };
        let Some(connection) = self.connection_of(id) else { return };
        let was = connection.state;
        let outcome = connection.receive(segment, data, now);
        let is = connection.state;
        if was == State::SynReceived && is != State::SynReceived {
            self.tcp_child_changed(id, is);
        }
        if outcome == Outcome::Reset {
            self.tcp_reset(ns, segment, at, data.len());
        }
        self.tcp_push(id);
        if self.is_dns_server(id) {
            self.dns_stream(id);
        }
    }

    /// A connection on its way to a listener has been established, or has died.
    fn tcp_child_changed(&mut self, id: SockId, state: State) {
        let of = self.tcp_of_mut(id).and_then(|tcp| tcp.listener.take());
        if state == State::Closed {
            return;
        }
        if let Some(ns) = self.sockets.get(id).map(|socket| socket.ns)
            && let Some(netns) = self.netns.get_mut(ns)
        {
            netns.counters.tcp_passive_opens += 1;
        }
        let queue = of.and_then(|listener| self.tcp_of_mut(listener)).map(|tcp| &mut tcp.role);
        match queue {
            Some(Role::Listening(listener)) => {
                listener.queue.push_back(id);
                if let Some(listener) = of.filter(|listener| self.is_dns_server(*listener)) {
                    self.dns_accept(listener);
                }
            }
            // The listener has gone: nobody can take the connection.
            _ => {
                if let Some(connection) = self.connection_of(id) {
                    connection.abort();
                }
            }
        }
    }

    /// `tcp_v4_err`, `tcp_v6_err`: an ICMP error quotes a segment of ours, between these addresses. What it tells of the
    /// path's MTU is known to the route already.
    /// `vrf`: the VRF that it came in in, 0 for none. `ends_request`: a connection that a SYN has asked for, and that is not established yet, is given up.
    pub(crate) fn tcp_error(
        &mut self,
        ns: NsId,
        ends: (IpAddr, IpAddr),
        quoted: &[u8],
        (errno, ends_request): (Errno, bool),
        vrf: u32,
    ) {
        let Some(&[a, b, c, d, e, f, g, h]) = quoted.first_chunk() else { return };
        let local = (ends.0, u16::from_be_bytes([a, b]));
        let remote = (ends.1, u16::from_be_bytes([c, d]));
        let seq = Seq(u32::from_be_bytes([e, f, g, h]));
        let found = self.netns.get(ns).and_then(|netns| netns.tcp.find(local, remote, vrf));
        let Some(id) = found else { return };
        let is_owned = self.connecting == Some(id);
        let is_request = self.tcp_of(id).is_some_and(|tcp| tcp.listener.is_some());
        let Some(connection) = self.connection_of(id) else { return };
        if !seq.is_within(connection.send.unacked, connection.send.next) {
            return;
        }
        // `tcp_req_err`
        if is_request && connection.state == State::SynReceived {
            if ends_request {
                connection.give_up(seq);
                self.tcp_push(id);
            }
            return;
        }
        if errno != Errno::EMSGSIZE {
            connection.unreachable(errno, is_owned);
            return self.tcp_push(id);
        }
        let Some(ends) = self.tcp_of(id).map(|tcp| tcp.ends) else { return };
        let Ok(way) = self.tcp_route(ns, &ends, local.0, remote) else { return };
        if let Some(connection) = self.connection_of(id) {
            connection.shrink_path(way.mss());
        }
        self.tcp_push(id);
    }
}

impl Ends {
    /// Those of a connection to a listener; to a link-local address it is bound to where that came from
    /// (`tcp_v6_init_req`).
    pub(crate) fn of_child(&self, at: &Arrival) -> Ends {
        let strict = matches!(at.from.0, IpAddr::V6(from) if is_link_local(from));
        // `inet_request_bound_dev_if`: one of a VRF stays there, whoever listens.
        let (device, vrf) = match at.came.vrf() {
            vrf if strict => (at.came.iif, vrf),
            vrf if self.device == 0 && vrf != 0 => (vrf, vrf),
            _ => (self.device, self.vrf),
        };
        Ends { source: at.to.0, remote: Some(at.from), device, vrf, ..*self }
    }
}
