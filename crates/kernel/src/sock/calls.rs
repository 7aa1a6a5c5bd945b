//! Socket calls: open, options, bind, connect, send, close.

use std::net::Ipv4Addr;

use hairpin_netlink::{Address, Errno, ErrorOrigin, PathMtuDiscovery, Received, SocketOption};

use crate::device::DevId;
use crate::frame::{ETH_LEN, Owner};
use crate::ip::output::Fields;
use crate::ip::route::{OutKey, OutRoute};
use crate::ip::{self, protocol};
use crate::mac::Mac;
use crate::netns::NsId;
use crate::route::RouteKind;
use crate::world::World;

use super::{Inet, Item, Kind, SockId, Socket};

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
                self.check_own(ns, address)?;
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
                self.check_own(ns, address)?;
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

    /// A source must be an own address, a group, or left open.
    pub(super) fn check_own(&self, ns: NsId, address: Ipv4Addr) -> Result<(), Errno> {
        let free = self.netns.get(ns).is_some_and(|netns| netns.sysctl.ip_nonlocal_bind);
        match self.address_kind(ns, address) {
            _ if free || address.is_unspecified() => Ok(()),
            RouteKind::Local | RouteKind::Multicast | RouteKind::Broadcast => Ok(()),
            _ => Err(Errno::EADDRNOTAVAIL),
        }
    }

    fn bind_udp(&mut self, id: SockId, ns: NsId, address: Ipv4Addr, port: u16) -> Result<(), Errno> {
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
        let mut route = self.route_output(wanted)?;
        if inet.source.is_unspecified() {
            // `ip_route_connect`: once the source is known, rules about it count.
            route =
                self.route_output(OutKey { source: route.source, destination: route.destination, ..wanted })?;
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

    pub(crate) fn send_from(&mut self, id: SockId, data: &[u8], to: Option<Address>) -> Result<usize, Errno> {
        match self.sockets.get(id).map(|socket| &socket.kind) {
            Some(Kind::Packet(_)) => self.send_packet(id, data, to),
            Some(Kind::Raw(_)) => self.send_raw(id, data, to),
            Some(Kind::Udp(_)) => {
                let to = match to {
                    None => None,
                    Some(Address::Ipv4 { address, port }) => Some((address, port)),
                    Some(_) => return Err(Errno::EAFNOSUPPORT),
                };
                self.send_udp(id, data, to)
            }
            Some(Kind::Raw6(_)) => self.send_raw6(id, data, to),
            Some(Kind::Udp6(_)) => self.send_udp6(id, data, to),
            Some(Kind::Tcp(_)) => self.send_tcp(id, data),
            Some(Kind::Tap(_)) => self.write_tap(id, data),
            Some(Kind::Can(_)) => match to {
                None => self.send_can(id, data, None),
                Some(Address::Can { ifindex }) => self.send_can(id, data, Some(ifindex)),
                Some(_) => Err(Errno::EINVAL),
            },
            Some(Kind::RouteEvents { .. } | Kind::ConntrackEvents) => Err(Errno::EOPNOTSUPP),
            None => Err(Errno::EBADF),
        }
    }

    /// `packet_snd`
    fn send_packet(&mut self, id: SockId, data: &[u8], to: Option<Address>) -> Result<usize, Errno> {
        let socket = self.sockets.get(id).ok_or(Errno::EBADF)?;
        let Kind::Packet(packet) = &socket.kind else { return Err(Errno::EBADF) };
        let (cooked, bound, protocol) = (packet.cooked, packet.device, packet.protocol);
        let (dev, protocol, mac): (Option<DevId>, u16, Mac) = match to {
            Some(Address::Link { ifindex, protocol, mac }) => {
                (self.device_at(socket.ns, ifindex).or(bound), protocol, Mac(mac))
            }
            None => (bound, protocol, Mac::ZERO),
            Some(_) => return Err(Errno::EAFNOSUPPORT),
        };
        let device = dev.and_then(|dev| self.devs.get(dev)).ok_or(Errno::ENXIO)?;
        if !device.is_up() {
            return Err(Errno::ENETDOWN);
        }
        let (dev, own, mtu) = (device.id, device.mac, device.mtu as usize);
        // Without a link header, what is sent is all payload.
        let cooked = cooked || device.header_len() == 0;
        let whole = if cooked { data.len() + ETH_LEN } else { data.len() };
        let tagged = data.get(12..14).is_some_and(|t| matches!(t, [0x81, 0x00] | [0x88, 0xa8]));
        let room = mtu + ETH_LEN + if !cooked && tagged { hairpin_wire::vlan::TAG_LEN } else { 0 };
        if whole > room {
            return Err(Errno::EMSGSIZE);
        }
        if !cooked && data.len() < ETH_LEN {
            return Err(Errno::EINVAL);
        }
        let mut frame = self.pool.frame(whole);
        if cooked {
            frame.payload_mut().copy_from_slice(data);
            self.write_header(dev, &mut frame, (mac, own), protocol);
        } else {
            frame.bytes_mut().copy_from_slice(data);
        }
        frame.sender = Some(id);
        self.name_frame(&mut frame);
        self.transmit_refused = false;
        self.transmit(dev, frame);
        self.sent(id, data.len())
    }

    /// How a sending ends that the device was asked for: only some devices tell that they could not (`net_xmit_errno`),
    /// and a raw or UDP socket hears of it if it wants to hear of errors.
    fn sent(&mut self, id: SockId, length: usize) -> Result<usize, Errno> {
        if std::mem::take(&mut self.transmit_refused) {
            let inet = self.sockets.get(id).and_then(Socket::inet);
            if inet.is_none_or(|inet| inet.receive_errors) {
                return Err(Errno::ENOBUFS);
            }
        }
        Ok(length)
    }

    /// `raw_sendmsg`
    fn send_raw(&mut self, id: SockId, data: &[u8], to: Option<Address>) -> Result<usize, Errno> {
        let socket = self.sockets.get(id).ok_or(Errno::EBADF)?;
        let Kind::Raw(raw) = &socket.kind else { return Err(Errno::EBADF) };
        let (ns, raw) = (socket.ns, raw.clone());
        let destination = match to {
            Some(Address::Ipv4 { address, .. }) => address,
            Some(_) => return Err(Errno::EAFNOSUPPORT),
            None => raw.inet.remote.ok_or(Errno(89))?.0,
        };
        if data.len() > 0xffff {
            return Err(Errno::EMSGSIZE);
        }
        if raw.header_included {
            return self.send_raw_header(ns, &raw.inet, destination, data);
        }
        let route = self.route_output(key(ns, &raw.inet, destination, raw.protocol))?;
        let route = self.route_to_probe(route, raw.inet.pmtu);
        let header_len = ip::HEADER_LEN + raw.inet.options.len().next_multiple_of(4);
        self.check_sendable(id, &raw.inet, &route, header_len + data.len(), (destination, 0))?;
        let whole = header_len + data.len();
        let fields = self.fields(ns, &raw.inet, &route, raw.protocol, whole);
        self.transmit_refused = false;
        self.ip_send(ns, &route, fields, data.len(), |body| {
            if body.len() == data.len() {
                body.copy_from_slice(data);
            }
        })?;
        self.sent(id, data.len())
    }

    /// `raw_send_hdrinc`: the program wrote the header; length, checksum, and an id and a source left zero are
    /// filled in.
    fn send_raw_header(
        &mut self,
        ns: NsId,
        inet: &Inet,
        destination: Ipv4Addr,
        data: &[u8],
    ) -> Result<usize, Errno> {
        let header = ip::Header::quoted(data).ok_or(Errno::EINVAL)?;
        if header.header_len > data.len() {
            return Err(Errno::EINVAL);
        }
        let key = OutKey { any_source: true, ..key(ns, inet, destination, header.protocol) };
        let route = self.route_output(key)?;
        if data.len() > route.mtu as usize {
            return Err(Errno::EMSGSIZE);
        }
        let id = if header.id == 0 { self.next_ip_id(ns) } else { header.id };
        let mut frame = self.pool.frame(ETH_LEN + data.len());
        self.name_frame(&mut frame);
        let packet = frame.payload_mut();
        packet.copy_from_slice(data);
        packet[2..4].copy_from_slice(&(data.len() as u16).to_be_bytes());
        packet[4..6].copy_from_slice(&id.to_be_bytes());
        if header.source.is_unspecified() {
            packet[12..16].copy_from_slice(&route.source.octets());
        }
        ip::write_checksum(packet, header.header_len);
        frame.owner = Owner::Program;
        frame.bound = inet.device;
        frame.mark = inet.mark;
        self.ip_output(ns, &route, inet.multicast_loop, frame).inspect_err(|_| {
            if let Some(netns) = self.netns.get_mut(ns) {
                netns.counters.out_discards += 1;
            }
        })?;
        Ok(data.len())
    }

    /// `udp_sendmsg`
    #[inline]
    pub(crate) fn send_udp(
        &mut self,
        id: SockId,
        data: &[u8],
        to: Option<(Ipv4Addr, u16)>,
    ) -> Result<usize, Errno> {
        let socket = self.sockets.get_mut(id).ok_or(Errno::EBADF)?;
        if socket.is_ready()
            && let Some(errno) = socket.take_error()
        {
            return Err(errno);
        }
        let ns = socket.ns;
        let Kind::Udp(udp) = &socket.kind else { return Err(Errno::EBADF) };
        let (destination, port) = to.or(udp.inet.remote).ok_or(Errno(89))?;
        if data.len() > 0xffff {
            return Err(Errno::EMSGSIZE);
        }
        if port == 0 {
            return Err(Errno::EINVAL);
        }
        if udp.port == 0 {
            let source = udp.inet.source;
            self.bind_udp(id, ns, source, 0)?;
        }
        let Some(Kind::Udp(udp)) = self.sockets.get(id).map(|socket| &socket.kind) else {
            return Err(Errno::EBADF);
        };
        let source_port = udp.port;
        // The options are cloned only off the fast path.
        let (plain, pmtu, bound) = (is_plain(&udp.inet), udp.inet.pmtu, udp.inet.device);
        let route = self.route_output(key(ns, &udp.inet, destination, protocol::UDP))?;
        let route = if plain { route } else { self.route_to_probe(route, pmtu) };
        let total = ip::HEADER_LEN + ip::UDP_LEN + data.len();
        let inet = match plain && total <= route.mtu as usize && route.kind == RouteKind::Unicast {
            true => None,
            false => self.sockets.get(id).and_then(Socket::inet).cloned(),
        };
        let fields = match &inet {
            Some(inet) => {
                let whole = total + inet.options.len().next_multiple_of(4);
                self.check_sendable(id, inet, &route, whole, (destination, port))?;
                self.fields(ns, inet, &route, protocol::UDP, whole)
            }
            None => {
                let ttl = self.default_ttl(ns, route.source);
                Fields {
                    dont_fragment: !route.mtu_locked,
                    owner: Owner::Program,
                    bound,
                    ..Fields::new(protocol::UDP, ttl)
                }
            }
        };
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.counters.udp_out += 1;
        }
        let (from, to) = ((route.source, source_port), (route.destination, port));
        self.transmit_refused = false;
        self.ip_send(ns, &route, fields, ip::UDP_LEN + data.len(), |body| {
            ip::write_udp(body, from, to, data);
        })?;
        self.sent(id, data.len())
    }

    /// `ip_sk_use_pmtu`: who probes for the path's MTU does not mind what is known of it.
    fn route_to_probe(&self, route: OutRoute, how: PathMtuDiscovery) -> OutRoute {
        match self.devs.get(route.dev) {
            Some(device) if how == PathMtuDiscovery::Probe => OutRoute { mtu: device.mtu, ..route },
            _ => route,
        }
    }

    /// Whether a socket may send so much there: broadcasts must be allowed, and what is too long for the path
    /// must be allowed to be cut.
    fn check_sendable(
        &mut self,
        id: SockId,
        inet: &Inet,
        route: &OutRoute,
        total_len: usize,
        to: (Ipv4Addr, u16),
    ) -> Result<(), Errno> {
        if route.kind == RouteKind::Broadcast && !inet.broadcast {
            return Err(Errno::EACCES);
        }
        let may_fragment = !matches!(inet.pmtu, PathMtuDiscovery::Do | PathMtuDiscovery::Probe);
        let Err((errno, mtu)) = self.check_size(route, total_len, may_fragment) else { return Ok(()) };
        if inet.receive_errors {
            // `ip_local_error`
            let error = Received::Error {
                errno,
                origin: ErrorOrigin::Local,
                info: mtu,
                to: Address::Ipv4 { address: to.0, port: to.1 },
                data: Vec::new(),
                realtime_ns: self.epoch_ns + self.now.nanos(),
            };
            if let Some(socket) = self.sockets.get_mut(id) {
                socket.push(Item::Other(Box::new(error)));
            }
        }
        Err(errno)
    }

    /// Header fields by a socket's options, for a packet of `total_len` bytes.
    fn fields<'a>(
        &self,
        ns: NsId,
        inet: &'a Inet,
        route: &OutRoute,
        protocol: u8,
        total_len: usize,
    ) -> Fields<'a> {
        let ttl = match route.kind {
            RouteKind::Multicast => inet.multicast_ttl,
            _ => inet.ttl.unwrap_or_else(|| self.default_ttl(ns, route.source)),
        };
        // `ip_dont_fragment`; what leaves in fragments may be cut again on its way (`__ip_make_skb`).
        let dont_fragment = match inet.pmtu {
            PathMtuDiscovery::Do | PathMtuDiscovery::Probe => true,
            PathMtuDiscovery::Want => !route.mtu_locked && total_len <= route.mtu as usize,
            PathMtuDiscovery::Dont => false,
        };
        Fields {
            protocol,
            tos: inet.tos,
            ttl,
            dont_fragment,
            id: None,
            mark: inet.mark,
            options: &inet.options,
            loop_back: inet.multicast_loop,
            owner: Owner::Program,
            bound: inet.device,
            ..Fields::new(protocol, ttl)
        }
    }
}

/// A UDP socket without options that change its packets.
#[inline]
fn is_plain(inet: &Inet) -> bool {
    inet.ttl.is_none()
        && inet.tos == 0
        && inet.mark == 0
        && inet.options.is_empty()
        && inet.pmtu == PathMtuDiscovery::Want
}

/// What decides a socket's route to a destination.
#[inline]
fn key(ns: NsId, inet: &Inet, destination: Ipv4Addr, protocol: u8) -> OutKey {
    let oif = match inet.device {
        0 if destination.is_multicast() => inet.multicast_interface,
        device => device,
    };
    OutKey {
        ns,
        destination,
        source: inet.source,
        oif,
        tos: inet.tos & 0x1e,
        mark: inet.mark,
        protocol,
        any_source: false,
        on_link: inet.dont_route,
    }
}
