//! TCP sockets of both families: bind, listen, connect, accept, close (net/ipv4/inet_connection_sock.c, af_inet.c,
//! net/ipv6/tcp_ipv6.c).

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hairpin_netlink::{Address, Errno, Received, SocketOption};

use super::{Kind, SockId};
use crate::frame::Owner;
use crate::ip6::address::{is_link_local, needs_device};
use crate::netns::NsId;
use crate::route::RouteKind;
use crate::tcp::connection::{Connection, State};
use crate::tcp::seq::Seq;
use crate::tcp::{Arrival, ConnectionKey, Endpoint};
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

/// The family that a program opened a socket with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    #[default]
    Ipv4,
    /// `only` (`IPV6_V6ONLY`): IPv4 connections are not for it.
    Ipv6 { only: bool },
}

impl Family {
    pub fn is_ipv6(self) -> bool {
        self != Family::Ipv4
    }

    /// An address as the socket's program gives it.
    fn unmapped(self, address: IpAddr) -> IpAddr {
        if self.is_ipv6() { address.to_canonical() } else { address }
    }
}

/// Where a socket's packets come from and go to, and what they are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// Bound source; unspecified where not bound. Of the family of what is sent, never `::ffff:…`.
    pub source: IpAddr,
    pub remote: Option<Endpoint>,
    /// `SO_BINDTODEVICE`, or the device of a link-local address, by interface index; 0 for none.
    pub device: u32,
    /// The VRF that the device is or is a port of, by interface index; 0 for none.
    pub vrf: u32,
    pub mark: u32,
    pub dont_route: bool,
    /// None: what the namespace or the route says.
    pub ttl: Option<u8>,
    pub tos: u8,
}

impl Default for Ends {
    fn default() -> Self {
        Ends {
            source: Ipv4Addr::UNSPECIFIED.into(),
            remote: None,
            device: 0,
            vrf: 0,
            mark: 0,
            dont_route: false,
            ttl: None,
            tos: 0,
        }
    }
}

/// A TCP socket.
#[derive(Clone, Debug, Default)]
pub struct Tcp {
    pub ends: Ends,
    pub family: Family,
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
    /// An unbound socket of IPv6, for IPv4 too (`net.ipv6.bindv6only` is 0).
    pub fn ipv6() -> Tcp {
        let ends = Ends { source: Ipv6Addr::UNSPECIFIED.into(), ..Ends::default() };
        Tcp { ends, family: Family::Ipv6 { only: false }, ..Tcp::default() }
    }

    /// Whether what goes to `address` is for a socket bound as this one.
    pub fn takes(&self, address: IpAddr) -> bool {
        match (self.ends.source, address) {
            (source, address) if source == address => true,
            (IpAddr::V4(source), IpAddr::V4(_)) => source.is_unspecified(),
            (IpAddr::V6(source), IpAddr::V6(_)) => source.is_unspecified(),
            (IpAddr::V6(source), IpAddr::V4(_)) => {
                source.is_unspecified() && self.family == Family::Ipv6 { only: false }
            }
            _ => false,
        }
    }

    /// Whether something could be for both (`inet_rcv_saddr_equal`); with `accepts` of those in other VRFs too
    /// (`inet_sk_bound_l3mdev`).
    fn shares_place(&self, other: &Tcp, accepts: bool) -> bool {
        if !accepts && self.ends.vrf != other.ends.vrf {
            return false;
        }
        let same_place = self.takes(other.ends.source) || other.takes(self.ends.source);
        let (own, others) = (self.ends.device, other.ends.device);
        same_place && (own == 0 || others == 0 || own == others)
    }

    /// An end as the program sees it: IPv4 as a part of IPv6 where it opened a socket of that.
    pub fn name(&self, (address, port): Endpoint) -> Address {
        match (address, self.family) {
            (IpAddr::V4(address), Family::Ipv4) => Address::Ipv4 { address, port },
            (IpAddr::V4(address), _) => Address::Ipv6 { address: address.to_ipv6_mapped(), port, scope: 0 },
            (IpAddr::V6(address), _) => {
                let scope = if needs_device(address) { self.ends.device } else { 0 };
                Address::Ipv6 { address, port, scope }
            }
        }
    }

    pub fn local(&self) -> Address {
        self.name((self.ends.source, self.port))
    }

    /// `inet_csk_clone_lock`: a connection begins with the options of its listener.
    pub(crate) fn for_connection(&self, listener: SockId, at: &Arrival) -> Tcp {
        Tcp {
            ends: self.ends.of_child(at),
            family: self.family,
            port: at.to.1,
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
    /// Options of TCP sockets; those that change nothing here are taken.
    ///
    /// # Errors
    /// `ENODEV`, `EINVAL`, `ENOPROTOOPT`.
    pub(super) fn set_tcp_option(&mut self, id: SockId, ns: NsId, option: SocketOption) -> Result<(), Errno> {
        if let SocketOption::BindToDevice(name) = &option {
            let device = self.ifindex_named(ns, name)?;
            let vrf = self.device_at(ns, device).map_or(0, |dev| self.vrf_ifindex(dev));
            let ends = &mut self.tcp_of_mut(id).ok_or(Errno::EBADF)?.ends;
            (ends.device, ends.vrf) = (device, vrf);
            return Ok(());
        }
        let tcp = self.tcp_of_mut(id).ok_or(Errno::EBADF)?;
        match option {
            SocketOption::ReuseAddress(on) => tcp.reuse = on,
            SocketOption::V6Only(only) => match &mut tcp.family {
                Family::Ipv6 { .. } if tcp.port != 0 => return Err(Errno::EINVAL),
                Family::Ipv6 { only: known } => *known = only,
                Family::Ipv4 => return Err(Errno::ENOPROTOOPT),
            },
            SocketOption::Mark(mark) => tcp.ends.mark = mark,
            SocketOption::DontRoute(on) => tcp.ends.dont_route = on,
            SocketOption::Ttl(0) if !tcp.family.is_ipv6() => return Err(Errno::EINVAL),
            SocketOption::Ttl(ttl) => tcp.ends.ttl = Some(ttl),
            SocketOption::Tos(tos) => tcp.ends.tos = tos,
            SocketOption::NoDelay(on) => {
                tcp.no_delay = on;
                if let Some(connection) = self.connection_of(id) {
                    connection.send.no_delay = on;
                    self.tcp_push(id);
                }
            }
            SocketOption::Broadcast(_)
            | SocketOption::ReceiveBuffer(_)
            | SocketOption::MulticastTtl(_)
            | SocketOption::MulticastLoop(_)
            | SocketOption::PathMtuDiscovery(_)
            | SocketOption::ReceiveErrors(_) => {}
            _ => return Err(Errno::ENOPROTOOPT),
        }
        Ok(())
    }

    /// An address that a program names, by a socket's family; a link-local one binds the socket to its device.
    fn tcp_address(&mut self, id: SockId, address: Address) -> Result<Endpoint, Errno> {
        let vrf = match address {
            Address::Ipv6 { scope, .. } => {
                let ns = self.sockets.get(id).ok_or(Errno::EBADF)?.ns;
                self.device_at(ns, scope).map_or(0, |dev| self.vrf_ifindex(dev))
            }
            _ => 0,
        };
        let tcp = self.tcp_of_mut(id).ok_or(Errno::EBADF)?;
        match (address, tcp.family) {
            (Address::Ipv4 { address, port }, Family::Ipv4) => Ok((address.into(), port)),
            (Address::Ipv6 { address, port, scope }, Family::Ipv6 { .. }) => {
                if is_link_local(address) {
                    if scope != 0 && tcp.ends.device != 0 && scope != tcp.ends.device {
                        return Err(Errno::EINVAL);
                    }
                    if scope != 0 {
                        (tcp.ends.device, tcp.ends.vrf) = (scope, vrf);
                    }
                    if tcp.ends.device == 0 {
                        return Err(Errno::EINVAL);
                    }
                }
                Ok((tcp.family.unmapped(address.into()), port))
            }
            _ => Err(Errno::EAFNOSUPPORT),
        }
    }

    /// `inet_bind`, `inet6_bind`
    pub(super) fn bind_tcp(&mut self, id: SockId, ns: NsId, address: Address) -> Result<(), Errno> {
        let (address, port) = self.tcp_address(id, address)?;
        let device = self.tcp_of(id).map_or(0, |tcp| tcp.ends.device);
        match address {
            IpAddr::V4(address) => self.check_own(ns, device, address)?,
            IpAddr::V6(address) => {
                let dev = match device {
                    0 => None,
                    device => Some(self.device_at(ns, device).ok_or(Errno::ENODEV)?),
                };
                if address.is_multicast() {
                    return Err(Errno::EINVAL);
                }
                if !address.is_unspecified() && !self.is_own_address6(ns, address, dev) {
                    return Err(Errno::EADDRNOTAVAIL);
                }
            }
        }
        if let (IpAddr::V4(_), Some(Family::Ipv6 { only: true })) =
            (address, self.tcp_of(id).map(|tcp| tcp.family))
        {
            return Err(Errno::EINVAL);
        }
        self.take_tcp_port(id, ns, address, port)
    }

    /// `inet_csk_get_port`: a port of its own, or one whose other users all let it be shared.
    pub(super) fn take_tcp_port(
        &mut self,
        id: SockId,
        ns: NsId,
        address: IpAddr,
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
        let own = self.tcp_of(id).ok_or(Errno::EBADF)?;
        let wanted = Tcp {
            ends: Ends { source: address, ..own.ends },
            family: own.family,
            reuse: own.reuse,
            ..Tcp::default()
        };
        let accepts = self.netns.get(ns).is_some_and(|netns| netns.sysctl.tcp_l3mdev_accept);
        let clashes = |other: &SockId| {
            self.tcp_of(*other).is_some_and(|tcp| {
                let shares = wanted.reuse && tcp.reuse && !matches!(tcp.role, Role::Listening(_));
                tcp.shares_place(&wanted, accepts) && !shares
            })
        };
        let taken = self.netns.get(ns).and_then(|netns| netns.tcp.bound.get(&port));
        if taken.is_some_and(|list| list.iter().any(clashes)) {
            return Err(Errno::EADDRINUSE);
        }
        if let Some(tcp) = self.tcp_of_mut(id) {
            tcp.ends.source = address;
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
        source: IpAddr,
        to: Endpoint,
    ) -> Result<Option<Seq>, Errno> {
        let (low, high) = self.netns.get(ns).ok_or(Errno::EBADF)?.sysctl.ip_local_port_range;
        let count = u64::from(high.saturating_sub(low)) + 1;
        let start = self.random_below(count);
        let vrf = self.tcp_of(id).map_or(0, |tcp| tcp.ends.vrf);
        for at in 0..count {
            let port = low + ((start + at) % count) as u16;
            let users = self.netns.get(ns).and_then(|netns| netns.tcp.bound.get(&port));
            let is_shared = |id: &SockId| self.tcp_of(*id).is_some_and(|tcp| tcp.shares_port);
            if users.is_some_and(|users| !users.iter().all(is_shared)) {
                continue;
            }
            let Some(replaced) = self.tcp_take_place(ns, ((source, port), to, vrf)) else { continue };
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
    fn tcp_take_place(&mut self, ns: NsId, key: ConnectionKey) -> Option<Option<Seq>> {
        let netns = self.netns.get(ns)?;
        let Some(known) = netns.tcp.connections.get(&key).copied() else { return Some(None) };
        let may = match netns.sysctl.tcp_tw_reuse {
            0 => false,
            1 => true,
            _ => key.0.0.is_loopback() || key.1.0.is_loopback(),
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
            let source = tcp.ends.source;
            self.take_tcp_port(id, ns, source, 0)?;
        }
        let tcp = self.tcp_of(id).ok_or(Errno::EOPNOTSUPP)?;
        // A port that is shared is still listened to by one only.
        let netns = self.netns.get(ns);
        let accepts = netns.is_some_and(|netns| netns.sysctl.tcp_l3mdev_accept);
        let others = netns.and_then(|netns| netns.tcp.bound.get(&tcp.port));
        let taken = others.is_some_and(|list| {
            list.iter()
                .filter(|other| **other != id)
                .filter_map(|other| self.tcp_of(*other))
                .any(|other| matches!(other.role, Role::Listening(_)) && other.shares_place(tcp, accepts))
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

    /// `tcp_v4_connect`, `tcp_v6_connect`: sends the SYN. The program hears later how it went.
    ///
    /// # Errors
    /// `EINPROGRESS` when it has begun; `EISCONN`, `EALREADY`; the route's; `EADDRNOTAVAIL` without a free port.
    pub(super) fn connect_tcp(&mut self, id: SockId, ns: NsId, to: Address) -> Result<(), Errno> {
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
        let to = self.tcp_address(id, to)?;
        let tcp = self.tcp_of(id).ok_or(Errno::EBADF)?;
        let (mut ends, bound) = (tcp.ends, tcp.port != 0);
        // A wildcard means this host (`ip_route_connect`).
        let to = match to {
            (IpAddr::V4(address), port) if address.is_unspecified() => (Ipv4Addr::LOCALHOST.into(), port),
            (IpAddr::V6(address), port) if address.is_unspecified() => (Ipv6Addr::LOCALHOST.into(), port),
            to => to,
        };
        if ends.source.is_unspecified() && to.0.is_ipv4() {
            ends.source = Ipv4Addr::UNSPECIFIED.into();
        }
        // `IPV6_V6ONLY`, or a source of the other family
        if to.0.is_ipv4() && tcp.family == (Family::Ipv6 { only: true })
            || ends.source.is_ipv4() != to.0.is_ipv4()
        {
            return Err(Errno::ENETUNREACH);
        }
        let way = self.tcp_route(ns, &ends, ends.source, to)?;
        if matches!(way.kind(), RouteKind::Broadcast | RouteKind::Multicast) {
            return Err(Errno::ENETUNREACH);
        }
        let source = if ends.source.is_unspecified() { way.source() } else { ends.source };
        let replaced = match self.tcp_of(id).filter(|_| bound).map(|tcp| tcp.port) {
            Some(port) => {
                self.tcp_take_place(ns, ((source, port), to, ends.vrf)).ok_or(Errno::EADDRNOTAVAIL)?
            }
            None => self.bind_to_connect(id, ns, source, to)?,
        };
        let drawn = Seq(self.random_below(1 << 32) as u32);
        let iss = replaced.unwrap_or(drawn);
        let ip_id = self.random_below(1 << 16) as u16;
        let settings = self.tcp_settings(ns);
        let now = self.now;
        let tcp = self.tcp_of_mut(id).ok_or(Errno::EBADF)?;
        tcp.ends.source = source;
        tcp.ends.remote = Some(to);
        tcp.next_ip_id = ip_id;
        tcp.is_connecting = true;
        let key = ((source, tcp.port), to, tcp.ends.vrf);
        let mut connection = Connection::connect(settings, iss, way.mss(), now);
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
        // An error that comes back while the call still runs is told by the next SYN's: so Linux 6.1 does over IPv6, and
        // not over IPv4.
        self.connecting = to.0.is_ipv6().then_some(id);
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
        match &socket.kind {
            Kind::Tcp(tcp) => tcp.ends.remote.map(|remote| tcp.name(remote)).ok_or(Errno::ENOTCONN),
            Kind::Udp6(udp) => {
                let (address, port) = udp.inet.remote.ok_or(Errno::ENOTCONN)?;
                let scope = if needs_device(address) { udp.inet.device } else { 0 };
                Ok(Address::Ipv6 { address, port, scope })
            }
            _ => {
                let (address, port) = socket.inet().and_then(|inet| inet.remote).ok_or(Errno::ENOTCONN)?;
                Ok(Address::Ipv4 { address, port })
            }
        }
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
                self.tcp_push_of(id, Owner::Program);
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
        let (port, source, remote, vrf) = (tcp.port, tcp.ends.source, tcp.ends.remote, tcp.ends.vrf);
        if let Some(netns) = self.netns.get_mut(socket.ns) {
            netns.tcp.unbind(port, id);
            if let Some(remote) = remote {
                let key = ((source, port), remote, vrf);
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
