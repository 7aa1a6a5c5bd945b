//! Socket calls: open, options, bind, connect, close.

use std::net::Ipv4Addr;

use hairpin_netlink::{Address, Errno, SocketOption};

use crate::ip::route::OutKey;
use crate::ip::{self, protocol};
use crate::netns::NsId;
use crate::route::RouteKind;
use crate::world::World;

use super::send::key;
use super::{Inet, Kind, SockId, Socket};

/// Sockets a world may have open.
const SOCKETS_MAX: usize = 1 << 20;

impl World {
    pub(crate) fn add_socket(&mut self, ns: NsId, kind: Kind) -> Result<SockId, Errno> {
        if self.sockets.len() >= SOCKETS_MAX {
            return Err(Errno::ENFILE);
        }
        let id = self.sockets.insert(Socket::new(ns, kind));
        self.hold_netns(ns);
        let (Some(netns), Some(socket)) = (self.netns.get_mut(ns), self.sockets.get(id)) else {
            return Err(Errno::ENODEV);
        };
        if let Kind::Packet(_) = socket.kind {
            self.packet_sockets += 1;
        }
        match &socket.kind {
            Kind::Packet(packet) if packet.protocol != 0 => netns.taps.push(id),
            Kind::Raw(_) => netns.raw.push(id),
            Kind::Raw6(_) => netns.raw6.push(id),
            Kind::Can(_) => netns.can.push(id),
            Kind::RouteEvents { .. } | Kind::ConntrackEvents => netns.events.push(id),
            _ => {}
        }
        Ok(id)
    }

    pub(crate) fn close_socket(&mut self, id: SockId) {
        if self.close_tcp(id) {
            return;
        }
        self.untap(id);
        self.unbind_udp(id);
        self.unbind_udp6(id);
        let Some(socket) = self.sockets.remove(id) else { return };
        if let Some(netns) = self.netns.get_mut(socket.ns) {
            netns.raw.retain(|known| *known != id);
            netns.raw6.retain(|known| *known != id);
            netns.can.retain(|known| *known != id);
            netns.events.retain(|known| *known != id);
        }
        match &socket.kind {
            Kind::Packet(packet) => {
                self.packet_sockets = self.packet_sockets.saturating_sub(1);
                for dev in &packet.promiscuous {
                    self.set_promiscuity(*dev, -1);
                }
            }
            Kind::Udp(_) | Kind::Raw(_) => {
                for (group, ifindex) in socket.inet().map(|inet| inet.groups.clone()).unwrap_or_default() {
                    if let Some(dev) = self.device_at(socket.ns, ifindex) {
                        self.leave_ipv4_group(dev, group);
                    }
                }
            }
            Kind::Tap(tap) => self.close_tap(id, tap.device),
            Kind::Raw6(_) | Kind::Udp6(_) => self.leave_socket_groups6(&socket),
            Kind::ConntrackEvents => {
                let netns = self.netns.get(socket.ns);
                let more = netns.is_some_and(|netns| {
                    let kind = |id: &SockId| self.sockets.get(*id).map(|socket| &socket.kind);
                    netns.events.iter().any(|id| matches!(kind(id), Some(Kind::ConntrackEvents)))
                });
                let _ = self.listen_to_connections(socket.ns, more);
            }
            Kind::RouteEvents { .. } | Kind::Tcp(_) | Kind::Can(_) => {}
        }
        self.release_netns(socket.ns);
    }

    /// Takes a packet socket off every list of taps.
    fn untap(&mut self, id: SockId) {
        let Some(socket) = self.sockets.get(id) else { return };
        let Kind::Packet(packet) = &socket.kind else { return };
        if let Some(device) = packet.device.and_then(|dev| self.devs.get_mut(dev)) {
            device.taps.retain(|known| *known != id);
        }
        if let Some(netns) = self.netns.get_mut(socket.ns) {
            netns.taps.retain(|known| *known != id);
        }
    }

    fn unbind_udp(&mut self, id: SockId) {
        let Some(socket) = self.sockets.get(id) else { return };
        let Kind::Udp(udp) = &socket.kind else { return };
        let port = udp.port;
        if let Some(netns) = self.netns.get_mut(socket.ns)
            && let Some(list) = netns.udp.get_mut(&port)
        {
            list.retain(|known| *known != id);
            if list.is_empty() {
                netns.udp.remove(&port);
            }
        }
    }

    pub(crate) fn set_socket_option(&mut self, id: SockId, option: SocketOption) -> Result<(), Errno> {
        let socket = self.sockets.get(id).ok_or(Errno::EBADF)?;
        let ns = socket.ns;
        if socket.inet6().is_some() {
            return self.set_socket_option6(id, ns, option);
        }
        if let Kind::Tcp(_) = socket.kind {
            return self.set_tcp_option(id, ns, option);
        }
        match option {
            SocketOption::BindToDevice(name) => {
                let ifindex = self.ifindex_named(ns, &name)?;
                self.inet_of(id)?.device = ifindex;
            }
            SocketOption::Promiscuous { ifindex } => {
                let dev = self.device_at(ns, ifindex).ok_or(Errno::ENODEV)?;
                match self.sockets.get_mut(id).map(|socket| &mut socket.kind) {
                    Some(Kind::Packet(packet)) => packet.promiscuous.push(dev),
                    _ => return Err(Errno::ENOPROTOOPT),
                }
                self.set_promiscuity(dev, 1);
            }
            SocketOption::JoinMulticast { group, ifindex } => self.join_multicast(id, ns, group, ifindex)?,
            SocketOption::LeaveMulticast { group, ifindex } => {
                let inet = self.inet_of(id)?;
                let at = inet.groups.iter().position(|(g, i)| *g == group && (ifindex == 0 || *i == ifindex));
                let (_, on) = inet.groups.remove(at.ok_or(Errno::EADDRNOTAVAIL)?);
                if let Some(dev) = self.device_at(ns, on) {
                    self.leave_ipv4_group(dev, group);
                }
            }
            SocketOption::ReceiveBuffer(bytes) => {
                let socket = self.sockets.get_mut(id).ok_or(Errno::EBADF)?;
                // The kernel doubles what is asked for.
                socket.set_limit((bytes as usize).saturating_mul(2));
            }
            SocketOption::HeaderIncluded(on) => match self.sockets.get_mut(id).map(|socket| &mut socket.kind)
            {
                Some(Kind::Raw(raw)) => raw.header_included = on,
                _ => return Err(Errno::ENOPROTOOPT),
            },
            SocketOption::IcmpFilter(filter) => match self.sockets.get_mut(id).map(|socket| &mut socket.kind)
            {
                Some(Kind::Raw(raw)) if raw.protocol == protocol::ICMP => raw.icmp_filter = filter,
                _ => return Err(Errno::EOPNOTSUPP),
            },
            SocketOption::ReuseAddress(_) => {}
            SocketOption::CanFdFrames(_)
            | SocketOption::CanFilters(_)
            | SocketOption::CanErrorFilter(_)
            | SocketOption::CanJoinFilters(_) => self.set_can_option(id, &option)?,
            SocketOption::Ttl(0) => return Err(Errno::EINVAL),
            SocketOption::IpOptions(options) if !ip::options::are_right(&options) => {
                return Err(Errno::EINVAL);
            }
            option => {
                let inet = self.inet_of(id)?;
                match option {
                    SocketOption::Broadcast(on) => inet.broadcast = on,
                    SocketOption::Mark(mark) => inet.mark = mark,
                    SocketOption::DontRoute(on) => inet.dont_route = on,
                    SocketOption::Ttl(ttl) => inet.ttl = Some(ttl),
                    SocketOption::MulticastTtl(ttl) => inet.multicast_ttl = ttl,
                    SocketOption::MulticastLoop(on) => inet.multicast_loop = on,
                    SocketOption::MulticastInterface(ifindex) => inet.multicast_interface = ifindex,
                    SocketOption::Tos(tos) => inet.tos = tos,
                    SocketOption::PathMtuDiscovery(how) => inet.pmtu = how,
                    SocketOption::ReceiveErrors(on) => inet.receive_errors = on,
                    SocketOption::IpOptions(options) => inet.options = options,
                    _ => return Err(Errno::ENOPROTOOPT),
                }
            }
        }
        Ok(())
    }

    /// The index of a device by its name; 0 for none.
    pub(super) fn ifindex_named(&self, ns: NsId, name: &str) -> Result<u32, Errno> {
        if name.is_empty() {
            return Ok(0);
        }
        let dev = self.device_named(ns, name).ok_or(Errno::ENODEV)?;
        Ok(self.devs.get(dev).map_or(0, |device| device.ifindex))
    }

    fn inet_of(&mut self, id: SockId) -> Result<&mut Inet, Errno> {
        self.sockets.get_mut(id).and_then(Socket::inet_mut).ok_or(Errno::ENOPROTOOPT)
    }

    fn join_multicast(&mut self, id: SockId, ns: NsId, group: Ipv4Addr, ifindex: u32) -> Result<(), Errno> {
        if !group.is_multicast() {
            return Err(Errno::EINVAL);
        }
        let dev = match ifindex {
            0 => self.route_output_simple(ns, group, Ipv4Addr::UNSPECIFIED).map_err(|_| Errno::ENODEV)?.dev,
            ifindex => self.device_at(ns, ifindex).ok_or(Errno::ENODEV)?,
        };
        let ifindex = self.devs.get(dev).ok_or(Errno::ENODEV)?.ifindex;
        let inet = self.inet_of(id)?;
        if inet.groups.contains(&(group, ifindex)) {
            return Err(Errno::EADDRINUSE);
        }
        inet.groups.push((group, ifindex));
        self.join_ipv4_group(dev, group);
        Ok(())
    }

    pub(crate) fn bind_socket(&mut self, id: SockId, address: Address) -> Result<(), Errno> {
        let ns = self.sockets.get(id).ok_or(Errno::EBADF)?.ns;
        match (self.sockets.get(id).map(|socket| &socket.kind), address) {
            (Some(Kind::Packet(_)), Address::Link { ifindex, protocol, .. }) => {
                self.bind_packet(id, ns, ifindex, protocol)
            }
            (Some(Kind::Raw(_)), Address::Ipv4 { address, .. }) => {
                let device = self.inet_of(id)?.device;
                self.check_own(ns, device, address)?;
                // `raw_bind`: a group or broadcast address limits what is received, not what is sent.
                let kind = self.address_kind(ns, address);
                let inet = self.inet_of(id)?;
                inet.received_by = address;
                inet.source = match kind {
                    RouteKind::Multicast | RouteKind::Broadcast => Ipv4Addr::UNSPECIFIED,
                    _ => address,
                };
                Ok(())
            }
            (Some(Kind::Udp(_)), Address::Ipv4 { address, port }) => {
                let device = self.inet_of(id)?.device;
                self.check_own(ns, device, address)?;
                self.bind_udp(id, ns, address, port)
            }
            (Some(Kind::Raw6(_) | Kind::Udp6(_)), Address::Ipv6 { address, port, scope }) => {
                self.bind_socket6(id, ns, (address, port, scope))
            }
            (Some(Kind::Tcp(_)), address) => self.bind_tcp(id, ns, address),
            (Some(Kind::Can(_)), Address::Can { ifindex }) => self.bind_can(id, ns, ifindex),
            _ => Err(Errno::EAFNOSUPPORT),
        }
    }

    fn bind_packet(&mut self, id: SockId, ns: NsId, ifindex: u32, protocol: u16) -> Result<(), Errno> {
        let dev = match ifindex {
            0 => None,
            ifindex => Some(self.device_at(ns, ifindex).ok_or(Errno::ENODEV)?),
        };
        self.untap(id);
        if let Some(Kind::Packet(packet)) = self.sockets.get_mut(id).map(|socket| &mut socket.kind) {
            packet.device = dev;
            if protocol != 0 {
                packet.protocol = protocol;
            }
            if packet.protocol == 0 {
                return Ok(());
            }
        }
        match dev.and_then(|dev| self.devs.get_mut(dev)) {
            Some(device) => device.taps.push(id),
            None => {
                if let Some(netns) = self.netns.get_mut(ns) {
                    netns.taps.push(id);
                }
            }
        }
        Ok(())
    }

    /// A source must be an own address, a group, or left open; of a socket that is bound to a device within a VRF, one of
    /// the VRF's.
    pub(super) fn check_own(&self, ns: NsId, device: u32, address: Ipv4Addr) -> Result<(), Errno> {
        let free = self.netns.get(ns).is_some_and(|netns| netns.sysctl.ip_nonlocal_bind);
        let kind = match self.device_at(ns, device) {
            Some(dev) => self.address_kind_at(dev, address),
            None => self.address_kind(ns, address),
        };
        match kind {
            _ if free || address.is_unspecified() => Ok(()),
            RouteKind::Local | RouteKind::Multicast | RouteKind::Broadcast => Ok(()),
            _ => Err(Errno::EADDRNOTAVAIL),
        }
    }

    pub(super) fn bind_udp(
        &mut self,
        id: SockId,
        ns: NsId,
        address: Ipv4Addr,
        port: u16,
    ) -> Result<(), Errno> {
        let port = match port {
            0 => self.free_udp_port(ns)?,
            port => port,
        };
        let device = self.inet_of(id)?.device;
        let clashes = |other: &SockId| match self.sockets.get(*other).map(|socket| &socket.kind) {
            Some(Kind::Udp(udp)) => {
                *other != id
                    && (udp.inet.source == address
                        || udp.inet.source.is_unspecified()
                        || address.is_unspecified())
                    && (udp.inet.device == 0 || device == 0 || udp.inet.device == device)
            }
            _ => false,
        };
        let taken = self.netns.get(ns).and_then(|netns| netns.udp.get(&port));
        let is_dual = |other: &SockId| match self.sockets.get(*other).map(|socket| &socket.kind) {
            Some(Kind::Udp6(udp)) => udp.dual && udp.inet.source.is_unspecified(),
            _ => false,
        };
        let of_both = self.netns.get(ns).and_then(|netns| netns.udp6.get(&port));
        if of_both.is_some_and(|list| list.iter().any(is_dual)) {
            return Err(Errno::EADDRINUSE);
        }
        if self.has_udp_tunnel(ns, port) || taken.is_some_and(|list| list.iter().any(clashes)) {
            return Err(Errno::EADDRINUSE);
        }
        self.unbind_udp(id);
        if let Some(Kind::Udp(udp)) = self.sockets.get_mut(id).map(|socket| &mut socket.kind) {
            udp.inet.source = address;
            udp.port = port;
        }
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.udp.entry(port).or_default().push(id);
        }
        Ok(())
    }

    pub(super) fn free_udp_port(&mut self, ns: NsId) -> Result<u16, Errno> {
        let (low, high) = self.netns.get(ns).ok_or(Errno::EBADF)?.sysctl.ip_local_port_range;
        let count = u64::from(high.saturating_sub(low)) + 1;
        let start = self.random_below(count);
        let netns = self.netns.get(ns).ok_or(Errno::EBADF)?;
        (0..count)
            .map(|i| low + ((start + i) % count) as u16)
            .find(|port| {
                !netns.udp.contains_key(port)
                    && !netns.udp6.contains_key(port)
                    && ![false, true].into_iter().any(|six| netns.udp_tunnels.contains_key(&(*port, six)))
            })
            .ok_or(Errno::EAGAIN)
    }

    /// That there is no way where a program looked for one is counted (`IPSTATS_MIB_OUTNOROUTES` of
    /// `__ip4_datagram_connect` and `udp_sendmsg`). Returns what the program is told.
    #[cold]
    pub(super) fn seeks_in_vain(&mut self, ns: NsId, errno: Errno) -> Errno {
        if errno == Errno::ENETUNREACH
            && let Some(netns) = self.netns.get_mut(ns)
        {
            netns.counters.out_no_routes += 1;
        }
        errno
    }

    pub(crate) fn connect_socket(&mut self, id: SockId, address: Address) -> Result<(), Errno> {
        if let Some(Socket { ns, kind: Kind::Tcp(_), .. }) = self.sockets.get(id) {
            return self.connect_tcp(id, *ns, address);
        }
        if let (Address::Ipv6 { address, port, scope }, Some(socket)) = (address, self.sockets.get(id))
            && socket.inet6().is_some()
        {
            let ns = socket.ns;
            return self.connect_socket6(id, ns, (address, port, scope));
        }
        let Address::Ipv4 { address, port } = address else { return Err(Errno::EAFNOSUPPORT) };
        let ns = self.sockets.get(id).ok_or(Errno::EBADF)?.ns;
        let inet = self.inet_of(id)?.clone();
        let wanted = key(ns, &inet, address, 0);
        let mut route = self.route_output(wanted).map_err(|errno| self.seeks_in_vain(ns, errno))?;
        if inet.source.is_unspecified() {
            // `ip_route_connect`: once the source is known, rules about it count.
            let wanted = OutKey { source: route.source, destination: route.destination, ..wanted };
            route = self.route_output(wanted).map_err(|errno| self.seeks_in_vain(ns, errno))?;
        }
        if route.kind == RouteKind::Broadcast && !inet.broadcast {
            return Err(Errno::EACCES);
        }
        if let Some(Kind::Udp(udp)) = self.sockets.get(id).map(|socket| &socket.kind)
            && udp.port == 0
        {
            self.bind_udp(id, ns, inet.source, 0)?;
        }
        let inet = self.inet_of(id)?;
        if inet.source.is_unspecified() {
            inet.source = route.source;
        }
        inet.remote = Some((route.destination, port));
        Ok(())
    }

    pub(crate) fn socket_address(&self, id: SockId) -> Result<Address, Errno> {
        let socket = self.sockets.get(id).ok_or(Errno::EBADF)?;
        Ok(match &socket.kind {
            Kind::Packet(packet) => {
                let device = packet.device.and_then(|dev| self.devs.get(dev));
                Address::Link {
                    ifindex: device.map_or(0, |device| device.ifindex),
                    protocol: packet.protocol,
                    mac: device.map_or([0; 6], |device| device.mac.0),
                }
            }
            Kind::Raw(raw) => Address::Ipv4 { address: raw.inet.source, port: u16::from(raw.protocol) },
            Kind::Udp(udp) => Address::Ipv4 { address: udp.inet.source, port: udp.port },
            Kind::Raw6(raw) => raw.inet.local(u16::from(raw.protocol)),
            Kind::Udp6(udp) => udp.inet.local(udp.port),
            Kind::Tcp(tcp) => tcp.local(),
            Kind::Can(can) => Address::Can { ifindex: self.can_ifindex(can) },
            Kind::Tap(_) | Kind::RouteEvents { .. } | Kind::ConntrackEvents => return Err(Errno::EOPNOTSUPP),
        })
    }
}
