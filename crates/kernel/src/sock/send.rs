//! Sending from a socket over IPv4, and frames from a packet socket (`ip_make_skb`, `packet_snd`).

use std::net::Ipv4Addr;

use hairpin_netlink::{Address, Errno, ErrorOrigin, PathMtuDiscovery, Received};

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

impl World {
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
        let wanted = key(ns, &udp.inet, destination, protocol::UDP);
        let mut route = self.route_output(wanted).map_err(|errno| self.seeks_in_vain(ns, errno))?;
        if !plain {
            route = self.route_to_probe(route, pmtu);
        }
        let total = ip::HEADER_LEN + ip::UDP_LEN + data.len();
        // `__ip_append_data`: of what leaves whole.
        let offloaded = |total: usize| (total <= route.mtu as usize).then_some(ip::UDP_CHECKSUM);
        let inet = match plain && total <= route.mtu as usize && route.kind == RouteKind::Unicast {
            true => None,
            false => self.sockets.get(id).and_then(Socket::inet).cloned(),
        };
        let fields = match &inet {
            Some(inet) => {
                let whole = total + inet.options.len().next_multiple_of(4);
                self.check_sendable(id, inet, &route, whole, (destination, port))?;
                let fields = self.fields(ns, inet, &route, protocol::UDP, whole);
                Fields { partial: offloaded(whole), ..fields }
            }
            None => {
                let ttl = self.default_ttl(ns, route.source);
                Fields {
                    dont_fragment: !route.mtu_locked,
                    owner: Owner::Program,
                    bound,
                    partial: offloaded(total),
                    ..Fields::new(protocol::UDP, ttl)
                }
            }
        };
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.counters.udp_out += 1;
        }
        let sums = fields.partial.is_none();
        let (from, to) = ((route.source, source_port), (route.destination, port));
        self.transmit_refused = false;
        self.ip_send(ns, &route, fields, ip::UDP_LEN + data.len(), |body| {
            ip::write_udp(body, from, to, data, sums);
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
                ttl: 0,
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
pub(super) fn key(ns: NsId, inet: &Inet, destination: Ipv4Addr, protocol: u8) -> OutKey {
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
