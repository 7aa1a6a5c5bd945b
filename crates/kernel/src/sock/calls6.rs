//! Calls of IPv6 sockets: options, bind, connect, send.

use std::net::{Ipv4Addr, Ipv6Addr};

use hairpin_netlink::{Address, Errno, ErrorOrigin, PathMtuDiscovery, Received, SocketOption};

use crate::frame::Owner;
use crate::ip::output::Fields;
use crate::ip::route::OutKey;
use crate::ip::{self, UDP_LEN, protocol};
use crate::ip6::address::{is_link_local, needs_device};
use crate::ip6::output::Fields6;
use crate::ip6::route::{OutKey6, OutRoute6};
use crate::ip6::{self, HEADER_LEN, next};
use crate::netns::NsId;
use crate::route::RouteKind;
use crate::world::World;

use super::inet6::Inet6;
use super::{Item, Kind, SockId, Socket};

/// `EDESTADDRREQ`
const NO_DESTINATION: Errno = Errno(89);

impl World {
    pub(super) fn set_socket_option6(
        &mut self,
        id: SockId,
        ns: NsId,
        option: SocketOption,
    ) -> Result<(), Errno> {
        match option {
            SocketOption::BindToDevice(name) => {
                let ifindex = self.ifindex_named(ns, &name)?;
                self.inet6_of(id)?.device = ifindex;
            }
            SocketOption::Icmp6Filter(filter) => match self.sockets.get_mut(id).map(|s| &mut s.kind) {
                Some(Kind::Raw6(raw)) if raw.protocol == next::ICMP => raw.icmp_filter = filter,
                _ => return Err(Errno::EOPNOTSUPP),
            },
            SocketOption::JoinMulticast6 { group, ifindex } => {
                self.join_socket_group6(id, ns, group, ifindex)?
            }
            SocketOption::ReceiveBuffer(bytes) => {
                let socket = self.sockets.get_mut(id).ok_or(Errno::EBADF)?;
                // The kernel doubles what is asked for.
                socket.set_limit((bytes as usize).saturating_mul(2));
            }
            SocketOption::V6Only(only) => match self.sockets.get_mut(id).map(|s| &mut s.kind) {
                Some(Kind::Udp6(udp)) if udp.port == 0 => udp.dual = !only,
                Some(Kind::Udp6(_)) => return Err(Errno::EINVAL),
                _ => return Err(Errno::ENOPROTOOPT),
            },
            SocketOption::MulticastInterface(ifindex) => {
                if ifindex != 0 && self.device_at(ns, ifindex).is_none() {
                    return Err(Errno::ENODEV);
                }
                self.inet6_of(id)?.multicast_interface = ifindex;
            }
            option => {
                let inet = self.inet6_of(id)?;
                match option {
                    SocketOption::Mark(mark) => inet.mark = mark,
                    SocketOption::DontRoute(on) => inet.dont_route = on,
                    SocketOption::Broadcast(_) => {}
                    SocketOption::Ttl(limit) => inet.hop_limit = Some(limit),
                    SocketOption::MulticastTtl(limit) => inet.multicast_hops = limit,
                    SocketOption::MulticastLoop(on) => inet.multicast_loop = on,
                    SocketOption::Tos(class) => inet.traffic_class = class,
                    SocketOption::PathMtuDiscovery(how) => inet.pmtu = how,
                    SocketOption::ReceiveErrors(on) => inet.receive_errors = on,
                    _ => return Err(Errno::ENOPROTOOPT),
                }
            }
        }
        Ok(())
    }

    fn inet6_of(&mut self, id: SockId) -> Result<&mut Inet6, Errno> {
        self.sockets.get_mut(id).and_then(Socket::inet6_mut).ok_or(Errno::ENOPROTOOPT)
    }

    /// `ipv6_sock_mc_join`
    fn join_socket_group6(
        &mut self,
        id: SockId,
        ns: NsId,
        group: Ipv6Addr,
        ifindex: u32,
    ) -> Result<(), Errno> {
        if !group.is_multicast() {
            return Err(Errno::EINVAL);
        }
        let dev = match ifindex {
            0 => self.route_output6(OutKey6::to(ns, group)).map_err(|_| Errno::ENODEV)?.dev,
            ifindex => self.device_at(ns, ifindex).ok_or(Errno::ENODEV)?,
        };
        let ifindex = self.devs.get(dev).ok_or(Errno::ENODEV)?.ifindex;
        let inet = self.inet6_of(id)?;
        if inet.groups.contains(&(group, ifindex)) {
            return Err(Errno::EADDRINUSE);
        }
        inet.groups.push((group, ifindex));
        self.join_ipv6_group(dev, group);
        Ok(())
    }

    /// The groups of a socket that closes.
    pub(super) fn leave_socket_groups6(&mut self, socket: &Socket) {
        for (group, ifindex) in socket.inet6().map(|inet| inet.groups.clone()).unwrap_or_default() {
            if let Some(dev) = self.device_at(socket.ns, ifindex) {
                self.leave_ipv6_group(dev, group);
            }
        }
    }

    pub(super) fn unbind_udp6(&mut self, id: SockId) {
        let Some(socket) = self.sockets.get(id) else { return };
        let Kind::Udp6(udp) = &socket.kind else { return };
        let port = udp.port;
        if let Some(netns) = self.netns.get_mut(socket.ns)
            && let Some(list) = netns.udp6.get_mut(&port)
        {
            list.retain(|known| *known != id);
            if list.is_empty() {
                netns.udp6.remove(&port);
            }
        }
    }

    /// `inet6_bind`, `rawv6_bind`: an own address, a group, or none.
    pub(super) fn bind_socket6(
        &mut self,
        id: SockId,
        ns: NsId,
        (address, port, scope): (Ipv6Addr, u16, u32),
    ) -> Result<(), Errno> {
        let inet = self.inet6_of(id)?;
        if is_link_local(address) {
            if scope != 0 {
                inet.device = scope;
            }
            if inet.device == 0 {
                return Err(Errno::EINVAL);
            }
        }
        let device = inet.device;
        let dev = match device {
            0 => None,
            device => Some(self.device_at(ns, device).ok_or(Errno::ENODEV)?),
        };
        if !address.is_unspecified() && !address.is_multicast() && !self.is_own_address6(ns, address, dev) {
            return Err(Errno::EADDRNOTAVAIL);
        }
        if matches!(self.sockets.get(id).map(|socket| &socket.kind), Some(Kind::Udp6(_))) {
            self.bind_udp6(id, ns, address, port)?;
        }
        let inet = self.inet6_of(id)?;
        inet.received_by = address;
        inet.source = if address.is_multicast() { Ipv6Addr::UNSPECIFIED } else { address };
        Ok(())
    }

    pub(super) fn bind_udp6(
        &mut self,
        id: SockId,
        ns: NsId,
        address: Ipv6Addr,
        port: u16,
    ) -> Result<(), Errno> {
        let port = match port {
            0 => self.free_udp_port(ns)?,
            port => port,
        };
        let device = self.inet6_of(id)?.device;
        let clashes = |other: &SockId| match self.sockets.get(*other).map(|socket| &socket.kind) {
            Some(Kind::Udp6(udp)) => {
                let own = udp.inet.source;
                *other != id
                    && (own == address || own.is_unspecified() || address.is_unspecified())
                    && (udp.inet.device == 0 || device == 0 || udp.inet.device == device)
            }
            _ => false,
        };
        let taken = self.netns.get(ns).and_then(|netns| netns.udp6.get(&port));
        if self.has_udp6_tunnel(ns, port) || taken.is_some_and(|list| list.iter().any(clashes)) {
            return Err(Errno::EADDRINUSE);
        }
        let is_dual = match self.sockets.get(id).map(|socket| &socket.kind) {
            Some(Kind::Udp6(udp)) => udp.dual && address.is_unspecified(),
            _ => false,
        };
        let of_ipv4 = self.netns.get(ns).is_some_and(|netns| netns.udp.contains_key(&port));
        if is_dual && of_ipv4 {
            return Err(Errno::EADDRINUSE);
        }
        self.unbind_udp6(id);
        if let Some(Kind::Udp6(udp)) = self.sockets.get_mut(id).map(|socket| &mut socket.kind) {
            udp.port = port;
        }
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.udp6.entry(port).or_default().push(id);
        }
        Ok(())
    }

    /// `ip6_datagram_connect`
    pub(super) fn connect_socket6(
        &mut self,
        id: SockId,
        ns: NsId,
        (mut address, port, scope): (Ipv6Addr, u16, u32),
    ) -> Result<(), Errno> {
        let inet = self.inet6_of(id)?;
        if address.is_unspecified() {
            address = Ipv6Addr::LOCALHOST;
        }
        if let Some(inner) = address.to_ipv4_mapped() {
            return self.connect_mapped(id, ns, (inner, port));
        }
        if needs_device(address) {
            if scope != 0 {
                if inet.device != 0 && inet.device != scope {
                    return Err(Errno::EINVAL);
                }
                inet.device = scope;
            }
            if inet.device == 0 && address.is_multicast() {
                inet.device = inet.multicast_interface;
            }
            if inet.device == 0 {
                return Err(Errno::EINVAL);
            }
        }
        let key = key6(ns, inet, address, 0);
        let route = self.seek_output6(key)?;
        self.set_peer6(id, ns, route.source, (address, port))
    }

    /// `ip6_datagram_connect` to an IPv4 address.
    fn connect_mapped(&mut self, id: SockId, ns: NsId, to: (Ipv4Addr, u16)) -> Result<(), Errno> {
        let key = mapped_key(ns, self.inet6_of(id)?, to.0)?;
        let route = self.route_output(key)?;
        self.set_peer6(id, ns, route.source.to_ipv6_mapped(), (to.0.to_ipv6_mapped(), to.1))
    }

    /// The end of `__ip6_datagram_connect`: a socket without a port gets one, one without an address the route's.
    fn set_peer6(&mut self, id: SockId, ns: NsId, own: Ipv6Addr, peer: (Ipv6Addr, u16)) -> Result<(), Errno> {
        if let Some(Kind::Udp6(udp)) = self.sockets.get(id).map(|socket| &socket.kind)
            && udp.port == 0
        {
            let source = udp.inet.source;
            self.bind_udp6(id, ns, source, 0)?;
        }
        let inet = self.inet6_of(id)?;
        if inet.source.is_unspecified() {
            inet.source = own;
        }
        inet.remote = Some(peer);
        Ok(())
    }

    /// `udp_sendmsg` of a socket of IPv6 (`udpv6_sendmsg`).
    fn send_mapped(&mut self, id: SockId, data: &[u8], to: (Ipv4Addr, u16)) -> Result<usize, Errno> {
        let socket = self.sockets.get(id).ok_or(Errno::EBADF)?;
        let (ns, Kind::Udp6(udp)) = (socket.ns, &socket.kind) else { return Err(Errno::EBADF) };
        if !udp.dual {
            return Err(Errno::ENETUNREACH);
        }
        let (key, port, inet) = (mapped_key(ns, &udp.inet, to.0)?, udp.port, udp.inet.clone());
        let route = self.route_output(key)?;
        if route.kind == RouteKind::Broadcast {
            return Err(Errno::EACCES);
        }
        let ttl = inet.hop_limit.unwrap_or_else(|| self.default_ttl(ns, route.source));
        let (owner, bound) = (Owner::Program, inet.device);
        let total = ip::HEADER_LEN + UDP_LEN + data.len();
        let partial = (total <= route.mtu as usize).then_some(ip::UDP_CHECKSUM);
        let fields = Fields { mark: inet.mark, owner, bound, partial, ..Fields::new(protocol::UDP, ttl) };
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.counters.udp_out += 1;
        }
        let (from, to) = ((route.source, port), (route.destination, to.1));
        self.ip_send(ns, &route, fields, UDP_LEN + data.len(), |body| {
            ip::write_udp(body, from, to, data, partial.is_none());
        })?;
        Ok(data.len())
    }

    /// Where to: what the call says, or what the socket is connected to.
    fn destination6(inet: &Inet6, to: Option<Address>) -> Result<(Ipv6Addr, u16, u32), Errno> {
        match to {
            Some(Address::Ipv6 { address, port, scope }) => {
                // `::` is this host.
                let address = if address.is_unspecified() { Ipv6Addr::LOCALHOST } else { address };
                Ok((address, port, if needs_device(address) { scope } else { 0 }))
            }
            Some(_) => Err(Errno::EAFNOSUPPORT),
            None => inet.remote.map(|(address, port)| (address, port, 0)).ok_or(NO_DESTINATION),
        }
    }

    /// `rawv6_sendmsg`
    pub(super) fn send_raw6(&mut self, id: SockId, data: &[u8], to: Option<Address>) -> Result<usize, Errno> {
        let socket = self.sockets.get(id).ok_or(Errno::EBADF)?;
        let Kind::Raw6(raw) = &socket.kind else { return Err(Errno::EBADF) };
        let (ns, raw) = (socket.ns, raw.clone());
        let (destination, _, scope) = World::destination6(&raw.inet, to)?;
        if data.len() > 0xffff {
            return Err(Errno::EMSGSIZE);
        }
        let route = self.seek_output6(key6(ns, &raw.inet, destination, scope))?;
        self.check_size6(id, &raw.inet, &route, data.len(), 0)?;
        let fields = fields6(&raw.inet, &route, raw.protocol);
        (self.transmit_refused, self.transmit_no_way) = (false, false);
        self.ip6_send(ns, &route, fields, data.len(), |body| {
            if body.len() == data.len() {
                body.copy_from_slice(data);
            }
            if raw.sums() {
                ip6::seal_icmp(route.source, route.destination, body);
            }
        })?;
        if std::mem::take(&mut self.transmit_refused) {
            if std::mem::take(&mut self.transmit_no_way) {
                return Err(Errno::ENETUNREACH);
            }
            if raw.inet.receive_errors {
                return Err(Errno::ENOBUFS);
            }
        }
        Ok(data.len())
    }

    /// `udpv6_sendmsg`
    pub(super) fn send_udp6(&mut self, id: SockId, data: &[u8], to: Option<Address>) -> Result<usize, Errno> {
        if let Some(errno) = self.sockets.get_mut(id).and_then(Socket::take_error) {
            return Err(errno);
        }
        let socket = self.sockets.get(id).ok_or(Errno::EBADF)?;
        let Kind::Udp6(udp) = &socket.kind else { return Err(Errno::EBADF) };
        let ns = socket.ns;
        let (destination, port, scope) = World::destination6(&udp.inet, to)?;
        // What is too long for any packet is refused with its way known (`__ip6_append_data`), but as part of IPv4.
        if data.len() + UDP_LEN > 0xffff && destination.to_ipv4_mapped().is_some() {
            return Err(Errno::EMSGSIZE);
        }
        if port == 0 {
            return Err(Errno::EINVAL);
        }
        let (source, mut source_port) = (udp.inet.source, udp.port);
        if source_port == 0 {
            self.bind_udp6(id, ns, source, 0)?;
            source_port = match self.sockets.get(id).map(|socket| &socket.kind) {
                Some(Kind::Udp6(udp)) => udp.port,
                _ => 0,
            };
        }
        if let Some(inner) = destination.to_ipv4_mapped() {
            return self.send_mapped(id, data, (inner, port));
        }
        let Some(inet) = self.sockets.get(id).and_then(Socket::inet6) else { return Err(Errno::EBADF) };
        let key = key6(ns, inet, destination, scope);
        let may_be_long = data.len() + UDP_LEN + HEADER_LEN > ip6::MIN_MTU as usize;
        let options = may_be_long.then(|| inet.clone());
        let route = self.seek_output6(key)?;
        if let Some(inet) = options {
            self.check_size6(id, &inet, &route, UDP_LEN + data.len(), port)?;
        }
        let Some(inet) = self.sockets.get(id).and_then(Socket::inet6) else { return Err(Errno::EBADF) };
        // `__ip6_append_data`: of what leaves whole.
        let whole = HEADER_LEN + UDP_LEN + data.len() <= route.mtu as usize;
        let partial = whole.then_some(ip::UDP_CHECKSUM);
        let fields = Fields6 { partial, ..fields6(inet, &route, next::UDP) };
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.counters6.udp_out += 1;
        }
        let (from, to) = ((route.source, source_port), (route.destination, port));
        self.ip6_send(ns, &route, fields, UDP_LEN + data.len(), |body| {
            ip6::write_udp6(body, from, to, data, partial.is_none());
        })?;
        Ok(data.len())
    }

    /// Whether a socket may send so much there (`__ip6_append_data`).
    fn check_size6(
        &mut self,
        id: SockId,
        inet: &Inet6,
        route: &OutRoute6,
        payload_len: usize,
        port: u16,
    ) -> Result<(), Errno> {
        let whole = matches!(inet.pmtu, PathMtuDiscovery::Do | PathMtuDiscovery::Probe);
        let total = HEADER_LEN + payload_len;
        if payload_len <= 0xffff && (!whole || total <= route.mtu as usize) {
            return Ok(());
        }
        if inet.receive_errors {
            // `ipv6_local_error`
            let error = Received::Error {
                errno: Errno::EMSGSIZE,
                origin: ErrorOrigin::Local,
                info: route.mtu,
                to: Address::Ipv6 { address: route.destination, port, scope: 0 },
                data: Vec::new(),
                ttl: 0,
                realtime_ns: self.epoch_ns + self.now.nanos(),
            };
            if let Some(socket) = self.sockets.get_mut(id) {
                socket.push(Item::Other(Box::new(error)));
            }
        }
        Err(Errno::EMSGSIZE)
    }
}

/// Header fields by a socket's options.
fn fields6(inet: &Inet6, route: &OutRoute6, protocol: u8) -> Fields6 {
    let hop_limit = match route.kind {
        RouteKind::Multicast => inet.multicast_hops,
        _ => inet.hop_limit.unwrap_or(route.hop_limit),
    };
    Fields6 {
        traffic_class: inet.traffic_class,
        mark: inet.mark,
        loop_back: inet.multicast_loop,
        owner: Owner::Program,
        bound: inet.device,
        ..Fields6::new(protocol, hop_limit)
    }
}

/// What decides the route of a socket of IPv6 to an IPv4 address.
fn mapped_key(ns: NsId, inet: &Inet6, destination: Ipv4Addr) -> Result<OutKey, Errno> {
    let source = match inet.source {
        source if source.is_unspecified() => Ipv4Addr::UNSPECIFIED,
        source => source.to_ipv4_mapped().ok_or(Errno::ENETUNREACH)?,
    };
    let (oif, mark, protocol) = (inet.device, inet.mark, protocol::UDP);
    Ok(OutKey { source, oif, mark, protocol, ..OutKey::to(ns, destination) })
}

/// What decides a socket's route to a destination.
fn key6(ns: NsId, inet: &Inet6, destination: Ipv6Addr, scope: u32) -> OutKey6 {
    let oif = match inet.device {
        0 if scope != 0 => scope,
        0 if destination.is_multicast() => inet.multicast_interface,
        device => device,
    };
    OutKey6 { ns, destination, source: inet.source, oif, mark: inet.mark }
}
