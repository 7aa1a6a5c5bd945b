//! TCP sockets: bind, listen, connect, accept, close (net/ipv4/inet_connection_sock.c, af_inet.c).

use std::collections::VecDeque;
use std::net::Ipv4Addr;

use hairpin_netlink::{Address, Errno, Received};

use super::{Inet, Kind, SockId};
use crate::netns::NsId;
use crate::route::RouteKind;
use crate::tcp::connection::{Connection, State};
use crate::tcp::seq::Seq;
use crate::time::Time;
use crate::world::World;

/// Longest queue of a listener (`net.core.somaxconn`).
const BACKLOG_MAX: u32 = 4096;
/// Bytes that one call takes out of a connection.
const READ_MAX: usize = 64 << 10;

/// What a TCP socket is.
#[derive(Clone, Debug, Default)]
pub enum Role {
    #[default]
    Idle,
    Listening(Listener),
    Connection(Box<Connection>),
}

/// Connections that wait to be accepted.
#[derive(Clone, Debug, Default)]
pub struct Listener {
    pub backlog: u32,
    pub queue: VecDeque<SockId>,
}

impl Listener {
    /// `sk_acceptq_is_full`
    pub fn is_full(&self) -> bool {
        self.queue.len() as u32 > self.backlog
    }
}

/// A TCP socket.
#[derive(Clone, Debug, Default)]
pub struct Tcp {
    pub inet: Inet,
    /// Local port; 0 while unbound.
    pub port: u16,
    /// `SO_REUSEADDR`
    pub reuse: bool,
    /// `TCP_NODELAY`
    pub no_delay: bool,
    /// `connect` chose the port: connections to elsewhere may have it too.
    pub shares_port: bool,
    pub role: Role,
    /// The listener that a connection still on its way belongs to.
    pub listener: Option<SockId>,
    pub next_ip_id: u16,
    /// When its timer goes off.
    pub timer_at: Option<Time>,
    /// A program's `connect` has not been answered yet.
    pub is_connecting: bool,
}

impl Tcp {
    /// `inet_csk_clone_lock`: a connection begins with the options of its listener.
    pub fn for_connection(&self, listener: SockId) -> Tcp {
        Tcp {
            inet: self.inet.clone(),
            port: self.port,
            reuse: self.reuse,
            listener: Some(listener),
            ..Tcp::default()
        }
    }

    /// A connection waits to be accepted, or has something to read.
    pub fn is_readable(&self) -> bool {
        match &self.role {
            Role::Idle => false,
            Role::Listening(listener) => !listener.queue.is_empty(),
            Role::Connection(connection) => connection.is_readable(),
        }
    }

    pub fn is_writable(&self) -> bool {
        match &self.role {
            Role::Connection(connection) => connection.is_writable(),
            _ => false,
        }
    }
}

impl World {
    /// `inet_csk_get_port`: a port of its own, or one whose other users all let it be shared.
    pub(super) fn bind_tcp(
        &mut self,
        id: SockId,
        ns: NsId,
        address: Ipv4Addr,
        port: u16,
    ) -> Result<(), Errno> {
        let tcp = self.tcp_of(id).ok_or(Errno::EBADF)?;
        if tcp.port != 0 || !matches!(tcp.role, Role::Idle) {
            return Err(Errno::EINVAL);
        }
        let port = match port {
            0 => self.free_tcp_port(ns)?,
            port => port,
        };
        let (reuse, device) = (tcp_reuse(self, id), self.tcp_of(id).map_or(0, |tcp| tcp.inet.device));
        let clashes = |other: &SockId| {
            self.tcp_of(*other).is_some_and(|tcp| {
                let same_place = tcp.inet.source == address
                    || tcp.inet.source.is_unspecified()
                    || address.is_unspecified();
                let same_device = tcp.inet.device == 0 || device == 0 || tcp.inet.device == device;
                let shares = reuse && tcp.reuse && !matches!(tcp.role, Role::Listening(_));
                same_place && same_device && !shares
            })
        };
        let taken = self.netns.get(ns).and_then(|netns| netns.tcp.bound.get(&port));
        if taken.is_some_and(|list| list.iter().any(clashes)) {
            return Err(Errno::EADDRINUSE);
        }
        if let Some(tcp) = self.tcp_of_mut(id) {
            tcp.inet.source = address;
            tcp.port = port;
        }
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.tcp.bind(port, id);
        }
        Ok(())
    }

    fn free_tcp_port(&mut self, ns: NsId) -> Result<u16, Errno> {
        let (low, high) = self.netns.get(ns).ok_or(Errno::EBADF)?.sysctl.ip_local_port_range;
        let count = u64::from(high.saturating_sub(low)) + 1;
        let start = self.random_below(count);
        let netns = self.netns.get(ns).ok_or(Errno::EBADF)?;
        (0..count)
            .map(|i| low + ((start + i) % count) as u16)
            .find(|port| !netns.tcp.bound.contains_key(port))
            .ok_or(Errno::EADDRINUSE)
    }

    /// `__inet_hash_connect`: a port that nobody has, or that has no connection to there.
    fn bind_to_connect(
        &mut self,
        id: SockId,
        ns: NsId,
        source: Ipv4Addr,
        to: (Ipv4Addr, u16),
    ) -> Result<Option<Seq>, Errno> {
        let (low, high) = self.netns.get(ns).ok_or(Errno::EBADF)?.sysctl.ip_local_port_range;
        let count = u64::from(high.saturating_sub(low)) + 1;
        let start = self.random_below(count);
        for at in 0..count {
            let port = low + ((start + at) % count) as u16;
            let users = self.netns.get(ns).and_then(|netns| netns.tcp.bound.get(&port));
            let is_shared = |id: &SockId| self.tcp_of(*id).is_some_and(|tcp| tcp.shares_port);
            if users.is_some_and(|users| !users.iter().all(is_shared)) {
                continue;
            }
            let Some(replaced) = self.tcp_take_place(ns, (source, port), to) else { continue };
            if let Some(tcp) = self.tcp_of_mut(id) {
                tcp.port = port;
                tcp.shares_port = true;
            }
            if let Some(netns) = self.netns.get_mut(ns) {
                netns.tcp.bind(port, id);
            }
            return Ok(replaced);
        }
        Err(Errno::EADDRNOTAVAIL)
    }

    /// `__inet_check_established`: whether a connection between these ends can be opened; one that only waits gives
    /// way where `tcp_tw_reuse` lets it, and its successor begins behind its last number.
    fn tcp_take_place(
        &mut self,
        ns: NsId,
        local: (Ipv4Addr, u16),
        to: (Ipv4Addr, u16),
    ) -> Option<Option<Seq>> {
        let netns = self.netns.get(ns)?;
        let Some(known) = netns.tcp.connections.get(&(local, to)).copied() else { return Some(None) };
        let may = match netns.sysctl.tcp_tw_reuse {
            0 => false,
            1 => true,
            _ => local.0.is_loopback() || to.0.is_loopback(),
        };
        let now = self.now;
        let next = self.connection_of(known).filter(|_| may)?.gives_place(now)?;
        self.tcp_forget(known);
        Some(Some(next))
    }

    /// `inet_listen`
    ///
    /// # Errors
    /// `EINVAL` for a connection, `EOPNOTSUPP` for other sockets.
    pub(crate) fn listen_socket(&mut self, id: SockId, backlog: u32) -> Result<(), Errno> {
        let ns = self.sockets.get(id).ok_or(Errno::EBADF)?.ns;
        let tcp = self.tcp_of(id).ok_or(Errno::EOPNOTSUPP)?;
        if tcp.port == 0 {
            let source = tcp.inet.source;
            self.bind_tcp(id, ns, source, 0)?;
        }
        let tcp = self.tcp_of(id).ok_or(Errno::EOPNOTSUPP)?;
        // A port that is shared is still listened to by one only.
        let (source, port) = (tcp.inet.source, tcp.port);
        let others = self.netns.get(ns).and_then(|netns| netns.tcp.bound.get(&port));
        let taken = others.is_some_and(|list| {
            list.iter().filter(|other| **other != id).filter_map(|other| self.tcp_of(*other)).any(|other| {
                matches!(other.role, Role::Listening(_))
                    && (other.inet.source == source
                        || other.inet.source.is_unspecified()
                        || source.is_unspecified())
            })
        });
        if taken {
            return Err(Errno::EADDRINUSE);
        }
        let backlog = backlog.min(BACKLOG_MAX);
        let tcp = self.tcp_of_mut(id).ok_or(Errno::EOPNOTSUPP)?;
        match &mut tcp.role {
            Role::Listening(listener) => listener.backlog = backlog,
            Role::Idle => tcp.role = Role::Listening(Listener { backlog, ..Listener::default() }),
            Role::Connection(_) => return Err(Errno::EINVAL),
        }
        Ok(())
    }

    /// `tcp_v4_connect`: sends the SYN. The program hears later how it went.
    ///
    /// # Errors
    /// `EINPROGRESS` when it has begun; `EISCONN`, `EALREADY`; the route's; `EADDRNOTAVAIL` without a free port.
    pub(super) fn connect_tcp(&mut self, id: SockId, ns: NsId, to: (Ipv4Addr, u16)) -> Result<(), Errno> {
        let tcp = self.tcp_of(id).ok_or(Errno::EBADF)?;
        match &tcp.role {
            Role::Idle => {}
            Role::Listening(_) => return Err(Errno::EISCONN),
            Role::Connection(connection) => {
                return match connection.state {
                    State::SynSent => Err(Errno::EALREADY),
                    _ => Err(Errno::EISCONN),
                };
            }
        }
        let inet = tcp.inet.clone();
        let bound = tcp.port != 0;
        // A wildcard means this host (`ip_route_connect`).
        let to = if to.0.is_unspecified() { (Ipv4Addr::LOCALHOST, to.1) } else { to };
        let route = self.tcp_route(ns, &inet, inet.source, to)?;
        if matches!(route.kind, RouteKind::Broadcast | RouteKind::Multicast) {
            return Err(Errno::ENETUNREACH);
        }
        let source = if inet.source.is_unspecified() { route.source } else { inet.source };
        let replaced = match self.tcp_of(id).filter(|_| bound).map(|tcp| tcp.port) {
            Some(port) => self.tcp_take_place(ns, (source, port), to).ok_or(Errno::EADDRNOTAVAIL)?,
            None => self.bind_to_connect(id, ns, source, to)?,
        };
        let drawn = Seq(self.random_below(1 << 32) as u32);
        let iss = replaced.unwrap_or(drawn);
        let ip_id = self.random_below(1 << 16) as u16;
        let settings = self.tcp_settings(ns);
        let now = self.now;
        let tcp = self.tcp_of_mut(id).ok_or(Errno::EBADF)?;
        if tcp.inet.source.is_unspecified() {
            tcp.inet.source = route.source;
        }
        tcp.inet.remote = Some(to);
        tcp.next_ip_id = ip_id;
        tcp.is_connecting = true;
        let key = ((tcp.inet.source, tcp.port), to);
        let mut connection = Connection::connect(settings, iss, crate::tcp::path_mss(route.mtu), now);
        connection.send.no_delay = tcp.no_delay;
        tcp.role = Role::Connection(Box::new(connection));
        if let Some(netns) = self.netns.get_mut(ns)
            && netns.tcp.connections.insert(key, id).is_some_and(|other| other != id)
        {
            return Err(Errno::EADDRNOTAVAIL);
        }
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.counters.tcp_active_opens += 1;
        }
        self.tcp_push(id);
        Err(Errno::EINPROGRESS)
    }

    /// `inet_csk_accept`: the oldest connection that waits, which gets a socket of its own.
    ///
    /// # Errors
    /// `EAGAIN` while none waits, `EINVAL` where nobody listens.
    pub(crate) fn accept_socket(&mut self, id: SockId) -> Result<SockId, Errno> {
        let ns = self.sockets.get(id).ok_or(Errno::EBADF)?.ns;
        loop {
            let tcp = self.tcp_of_mut(id).ok_or(Errno::EOPNOTSUPP)?;
            let Role::Listening(listener) = &mut tcp.role else { return Err(Errno::EINVAL) };
            let no_delay = tcp.no_delay;
            let child = listener.queue.pop_front().ok_or(Errno::EAGAIN)?;
            if let Some(connection) = self.connection_of(child) {
                connection.send.no_delay = no_delay;
                self.hold_netns(ns);
                return Ok(child);
            }
        }
    }

    /// The other end of a connection (`getpeername`).
    ///
    /// # Errors
    /// `ENOTCONN`
    pub(crate) fn peer_address(&self, id: SockId) -> Result<Address, Errno> {
        let socket = self.sockets.get(id).ok_or(Errno::EBADF)?;
        let (address, port) = socket.inet().and_then(|inet| inet.remote).ok_or(Errno::ENOTCONN)?;
        Ok(Address::Ipv4 { address, port })
    }

    /// `shutdown(SHUT_WR)`: no more will be sent.
    ///
    /// # Errors
    /// `ENOTCONN`
    pub(crate) fn shutdown_socket(&mut self, id: SockId) -> Result<(), Errno> {
        let connection = self.connection_of(id).ok_or(Errno::ENOTCONN)?;
        if connection.state == State::Closed {
            return Err(Errno::ENOTCONN);
        }
        connection.shutdown();
        self.tcp_push(id);
        Ok(())
    }

    /// `SO_ERROR`: how an attempt to connect went.
    ///
    /// # Errors
    /// The connection's error, once.
    pub(crate) fn take_socket_error(&mut self, id: SockId) -> Result<(), Errno> {
        let Some(connection) = self.connection_of(id) else { return Ok(()) };
        connection.error.take().map_or(Ok(()), Err)
    }

    pub(super) fn send_tcp(&mut self, id: SockId, data: &[u8]) -> Result<usize, Errno> {
        let connection = self.connection_of(id).ok_or(Errno::EPIPE)?;
        let sent = connection.write(data)?;
        self.tcp_push(id);
        Ok(sent)
    }

    /// What has arrived, up to a bound; [`Received::End`] once behind the last of it.
    ///
    /// # Errors
    /// The connection's error; `ENOTCONN` where there is none.
    pub(crate) fn receive_tcp(&mut self, id: SockId) -> Result<Vec<Received>, Errno> {
        let now = self.now;
        let connection = self.connection_of(id).ok_or(Errno::ENOTCONN)?;
        let (data, end) = connection.read(READ_MAX, now);
        let mut items = Vec::new();
        if !data.is_empty() {
            items.push(Received::Stream(data));
        } else if let Some(error) = connection.error.take() {
            return Err(error);
        } else if end {
            items.push(Received::End);
        }
        self.tcp_push(id);
        Ok(items)
    }

    /// The program closes the socket: a connection lives on until both sides are done (`tcp_close`). True if the
    /// socket stays.
    pub(super) fn close_tcp(&mut self, id: SockId) -> bool {
        let now = self.now;
        let Some(tcp) = self.tcp_of_mut(id) else { return false };
        match &mut tcp.role {
            Role::Idle => {}
            Role::Listening(listener) => {
                let mut doomed: Vec<SockId> = listener.queue.drain(..).collect();
                let halfway = |socket: &super::Socket| match &socket.kind {
                    Kind::Tcp(tcp) => tcp.listener == Some(id),
                    _ => false,
                };
                doomed.extend(self.sockets.iter().filter(|(_, socket)| halfway(socket)).map(|(id, _)| id));
                for child in doomed {
                    if let Some(connection) = self.connection_of(child) {
                        connection.is_orphan = true;
                        connection.abort();
                        self.tcp_push(child);
                    }
                }
            }
            Role::Connection(connection) => {
                connection.close(now);
                let Some(ns) = self.sockets.get(id).map(|socket| socket.ns) else { return false };
                self.tcp_push(id);
                // A connection that nobody holds does not keep its namespace alive.
                self.release_netns(ns);
                return true;
            }
        }
        self.tcp_unhash(id);
        false
    }

    /// Takes a socket out of the tables: no segment finds it any more.
    pub(crate) fn tcp_unhash(&mut self, id: SockId) {
        let Some(socket) = self.sockets.get(id) else { return };
        let Kind::Tcp(tcp) = &socket.kind else { return };
        let (port, source, remote) = (tcp.port, tcp.inet.source, tcp.inet.remote);
        if let Some(netns) = self.netns.get_mut(socket.ns) {
            netns.tcp.unbind(port, id);
            if let Some(remote) = remote {
                let key = ((source, port), remote);
                if netns.tcp.connections.get(&key) == Some(&id) {
                    netns.tcp.connections.remove(&key);
                }
            }
        }
    }

    /// The end of a connection that no program holds.
    pub(crate) fn tcp_forget(&mut self, id: SockId) {
        self.tcp_unhash(id);
        self.sockets.remove(id);
    }
}

fn tcp_reuse(world: &World, id: SockId) -> bool {
    world.tcp_of(id).is_some_and(|tcp| tcp.reuse)
}
