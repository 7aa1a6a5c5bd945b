//! Tunnels: packets into the IP stack of the namespace below, and out of it
//! (net/ipv4/ip_tunnel_core.c, net/ipv4/udp_tunnel_core.c, drivers/net/vxlan).

use std::net::{IpAddr, Ipv4Addr};

use hairpin_netlink::Errno;
use hairpin_wire::vlan::TAG_LEN;

use crate::dev::geneve;
use crate::dev::ip_tunnel::{Arrived, Variant};
use crate::dev::tunnel::{Gre, Outer, Shim, TunnelInfo, decapsulate_ecn};
use crate::dev::{Kind, PacketType};
use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::{ETH_LEN, Frame, ethertype};
use crate::ip::exception::Path;
use crate::ip::icmp::{self, Message, Unreachable};
use crate::ip::route::{OutKey, OutRoute};
use crate::ip::{FLAG_DF, HEADER_LEN, Header, UDP_LEN, checksum, protocol};
use crate::ip6::{self, icmp::Message6, route::OutKey6};
use crate::mac::Mac;
use crate::netns::NsId;
use crate::route::RouteKind;
use crate::world::{Waiting, World};

/// `icmp_is_err`
const ICMP_ERRORS: [u8; 5] = [
    icmp::kind::DEST_UNREACHABLE,
    icmp::kind::SOURCE_QUENCH,
    icmp::kind::REDIRECT,
    icmp::kind::TIME_EXCEEDED,
    icmp::kind::PARAMETER_PROBLEM,
];

/// What a tunnel over UDP looks at in the packet around its frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct From {
    pub source: IpAddr,
    pub tos: u8,
    /// Of the tunnel's socket.
    pub port: u16,
    /// Where the UDP header begins in the frame.
    pub start: usize,
}

impl From {
    /// The port and whether it is one of IPv6.
    pub fn socket(&self) -> (u16, bool) {
        (self.port, self.source.is_ipv6())
    }

    /// [`TunnelInfo::CHECKSUM`] where the datagram has a checksum (`udp_tun_rx_dst`).
    pub fn checksum_flag(&self, frame: &Frame) -> u16 {
        let sum = frame.bytes().get(self.start + 6..self.start + UDP_LEN);
        if sum.is_some_and(|sum| sum != [0, 0]) { TunnelInfo::CHECKSUM } else { 0 }
    }
}

impl World {
    /// `vxlan_xmit_one`, `iptunnel_xmit`: puts a packet of tunnel device `dev` into its outer one and sends that.
    pub(super) fn encapsulate(&mut self, dev: DevId, mut frame: Frame, outer: Outer) {
        // `iptunnel_xmit` counts from the inner network header on: a tag that is still beside the frame goes before it.
        let tag_len = if frame.tag.is_some() { TAG_LEN } else { 0 };
        frame.retag();
        match (outer.local, outer.remote) {
            (IpAddr::V4(local), IpAddr::V4(remote)) => {
                self.encapsulate4(dev, frame, tag_len, outer, (local, remote));
            }
            (IpAddr::V6(local), IpAddr::V6(remote)) => {
                self.encapsulate6(dev, frame, tag_len, outer, (local, remote));
            }
            // The ends of a device are of one family.
            _ => self.drop_frame(Some(dev), frame, DropReason::NotSpecified),
        }
    }

    fn encapsulate4(
        &mut self,
        dev: DevId,
        mut frame: Frame,
        tag_len: usize,
        mut outer: Outer,
        (local, remote): (Ipv4Addr, Ipv4Addr),
    ) {
        let key = OutKey {
            source: local,
            oif: outer.oif,
            tos: outer.tos,
            protocol: outer.shim.protocol(),
            ..OutKey::to(outer.underlay, remote)
        };
        let route = match self.route_output(key) {
            Ok(route) if route.dev == dev => {
                if let Some(device) = self.devs.get_mut(dev) {
                    device.stats.collisions += 1;
                }
                return self.tunnel_error(dev, frame, None);
            }
            Ok(route) => route,
            Err(errno) => return self.tunnel_error(dev, frame, Some(errno)),
        };
        if route.kind == RouteKind::Local
            && frame.tunnel.is_none()
            && let Shim::Vxlan { vni, ports, .. } = outer.shim
        {
            return self.vxlan_bypass(dev, outer.underlay, (ports.destination, false), vni, frame);
        }
        if outer.shim == Shim::Ip(protocol::IPV6) {
            match self.sit_path_mtu(dev, &frame, outer.dont_fragment, route.mtu) {
                Some(dont_fragment) => outer.dont_fragment = dont_fragment,
                None => return self.tunnel_error(dev, frame, None),
            }
        } else if !self.tunnel_path_mtu(dev, &frame, &outer, &route) {
            return self.tunnel_error(dev, frame, None);
        }
        let udp = matches!(outer.shim, Shim::Vxlan { .. } | Shim::Geneve { .. });
        if udp && let Some(answer) = self.tunnel_too_big_answer(dev, &frame, &outer, route.mtu, HEADER_LEN) {
            return self.tunnel_answers(dev, frame, answer);
        }
        let now = self.now;
        if let Some(device) = self.devs.get_mut(dev)
            && let Kind::IpTunnel(state) = &mut device.kind
            && state.failures.take(now)
        {
            // `dst_link_failure`; the packet goes all the same.
            let ns = device.ns;
            match frame.ethertype() {
                ethertype::IPV4 => self.link_failure(dev, &frame),
                ethertype::IPV6 => self.link_failure6(ns, &frame),
                _ => {}
            }
        }
        let link_len = if outer.shim.carries_frames() { 0 } else { ETH_LEN };
        let counted = frame.len().saturating_sub(ETH_LEN + tag_len);
        frame.pull_front(link_len);
        let total_len = HEADER_LEN + outer.shim.size() + frame.len();
        if total_len > usize::from(u16::MAX) {
            return self.tunnel_error(dev, frame, None);
        }
        frame.push_front(ETH_LEN + HEADER_LEN + outer.shim.size());
        let header = Header {
            header_len: HEADER_LEN,
            tos: outer.tos,
            total_len,
            id: self.next_ip_id(outer.underlay),
            fragment: if outer.dont_fragment { FLAG_DF } else { 0 },
            ttl: match outer.ttl {
                0 if !outer.ttl_is_final => self.default_ttl(outer.underlay, route.source),
                ttl => ttl,
            },
            protocol: outer.shim.protocol(),
            source: route.source,
            destination: route.destination,
        };
        let mut partial = frame.partial;
        if let Some((link, packet)) = frame.bytes_mut().split_at_mut_checked(ETH_LEN) {
            link[12..].copy_from_slice(&ethertype::IPV4.to_be_bytes());
            if let Some(body) = packet.get_mut(HEADER_LEN..) {
                partial = outer.shim.write(body, route.source.into(), route.destination.into(), partial);
            }
            header.write(packet);
        }
        frame.partial = partial;
        if self.devs.get(dev).is_some_and(|device| device.ns != outer.underlay) {
            // `skb_scrub_packet`
            frame.mark = 0;
            frame.sender = None;
        }
        frame.packet_type = PacketType::Host;
        (frame.iif, frame.fragment_max) = (0, 0);
        if outer.dont_fragment && total_len > route.mtu as usize {
            if let Some(device) = self.devs.get_mut(dev) {
                device.stats.tx_dropped += 1;
            }
            if let Some(netns) = self.netns.get_mut(outer.underlay) {
                netns.counters.fragmentation_failures += 1;
            }
            // `ip_fragment` tells the sender, which is this host.
            frame.forget_netfilter();
            let needed = Unreachable::FragmentationNeeded { mtu: route.mtu as u16 };
            self.icmp_error(outer.underlay, None, &frame, Message::Unreachable(needed));
            return self.drop_frame(Some(route.dev), frame, DropReason::PacketTooBig);
        }
        // What is known of the packet inside does not hold for the one around it.
        frame.forget_netfilter();
        // `iptunnel_xmit`: what becomes of it is counted here, and nobody else is told. A tunnel's own groupcasts do not
        // come back to it.
        let refused = std::mem::take(&mut self.transmit_refused);
        let sent = self.ip_output(outer.underlay, &route, false, frame);
        let failed = std::mem::replace(&mut self.transmit_refused, refused) || sent.is_err();
        let Some(device) = self.devs.get_mut(dev) else { return };
        if failed {
            device.stats.tx_dropped += 1;
        } else {
            device.stats.tx_packets += 1;
            device.stats.tx_bytes += counted as u64;
        }
    }

    /// `skb_tunnel_check_pmtu` of a bridge's port: who sends a frame that is too long for the way below, and must not be
    /// cut, is answered in the name of where it was going (`iptunnel_pmtud_check_icmp`).
    pub(super) fn tunnel_too_big_answer(
        &mut self,
        dev: DevId,
        frame: &Frame,
        outer: &Outer,
        mtu: u32,
        outer_header: usize,
    ) -> Option<Frame> {
        /// Least MTU that is told, and how long the answer is at most.
        const LEAST: u32 = 576;
        const ANSWER_MAX: usize = 576;
        let port = self.devs.get(dev)?.master.and_then(|master| self.devs.get(master))?;
        if !matches!(port.kind, Kind::Bridge(_)) || frame.ethertype() != ethertype::IPV4 {
            return None;
        }
        let room = mtu.saturating_sub((outer_header + outer.shim.size() + ETH_LEN) as u32);
        let packet = frame.payload();
        let header = Header::quoted(packet).filter(|_| packet.len() > room as usize && room >= LEAST)?;
        let odd = |address: Ipv4Addr| address.is_broadcast() || address.is_multicast();
        let nobody = header.source.octets()[0] == 0 || header.source.is_loopback();
        let error = header.protocol == protocol::ICMP
            && packet.get(header.header_len).is_some_and(|kind| ICMP_ERRORS.contains(kind));
        if header.fragment != FLAG_DF || odd(header.source) || odd(header.destination) || nobody || error {
            return None;
        }
        let quoted = packet.get(..packet.len().min(ANSWER_MAX - HEADER_LEN - 8))?;
        let total_len = HEADER_LEN + 8 + quoted.len();
        let mut answer = self.pool.frame(ETH_LEN + total_len);
        answer.set_header(frame.source(), frame.destination(), ethertype::IPV4);
        let body = answer.payload_mut();
        let about = Header {
            header_len: HEADER_LEN,
            tos: 0,
            total_len,
            id: 0,
            fragment: FLAG_DF,
            ttl: 64,
            protocol: protocol::ICMP,
            source: header.destination,
            destination: header.source,
        };
        about.write(body);
        if let Some(message) = body.get_mut(HEADER_LEN..)
            && message.len() == 8 + quoted.len()
        {
            message[..8].copy_from_slice(&[icmp::kind::DEST_UNREACHABLE, 4, 0, 0, 0, 0, 0, 0]);
            message[6..8].copy_from_slice(&(room as u16).to_be_bytes());
            message[8..].copy_from_slice(quoted);
            let sum = checksum(message);
            message[2..4].copy_from_slice(&sum.to_be_bytes());
        }
        self.name_frame(&mut answer);
        Some(answer)
    }

    /// The answer comes out of the tunnel device as if it came from the other end.
    pub(super) fn tunnel_answers(&mut self, dev: DevId, frame: Frame, mut answer: Frame) {
        // `skb_tunnel_info_unclone`
        answer.tunnel = frame.tunnel;
        self.drop_frame(Some(dev), frame, DropReason::PacketTooBig);
        let Some(device) = self.devs.get_mut(dev) else { return };
        if matches!(device.kind, Kind::Vxlan(_)) {
            return self.vxlan_encap_bypass(dev, dev, false, answer);
        }
        device.stats.tx_errors += 1;
        answer.packet_type = World::packet_type_for(answer.destination(), device.mac);
        self.enqueue_from_tunnel(dev, answer);
    }

    /// A packet finds no way, or (without `errno`) cannot go it.
    pub(super) fn tunnel_error(&mut self, dev: DevId, frame: Frame, errno: Option<Errno>) {
        if let Some(device) = self.devs.get_mut(dev) {
            device.stats.tx_errors += 1;
            if errno.is_some() {
                device.stats.tx_carrier_errors += 1;
            }
        }
        self.drop_frame(Some(dev), frame, DropReason::TunnelTransmitInfo);
    }

    /// `skb_tunnel_check_pmtu`, `tnl_update_pmtu`: who sends more than fits the way below learns what does; over IP tunnels
    /// everybody learns it. False: the packet is too long, must not be cut, and its sender has been told.
    fn tunnel_path_mtu(&mut self, dev: DevId, frame: &Frame, outer: &Outer, route: &OutRoute) -> bool {
        let udp = matches!(outer.shim, Shim::Vxlan { .. } | Shim::Geneve { .. });
        let link_len = if outer.shim.carries_frames() { ETH_LEN } else { 0 };
        let headroom = HEADER_LEN + outer.shim.size() + link_len;
        let Some(device) = self.devs.get(dev) else { return true };
        let ns = device.ns;
        let mtu = match udp || outer.dont_fragment {
            true => route.mtu.saturating_sub(headroom as u32),
            false if frame.path_mtu != 0 => frame.path_mtu.into(),
            false => device.mtu,
        };
        let fits = frame.payload().len() <= mtu as usize;
        if udp && fits {
            return true;
        }
        self.tunnel_route_mtu(dev, frame, mtu);
        if udp || fits {
            return true;
        }
        let six = frame.ethertype() == ethertype::IPV6 && mtu >= ip6::MIN_MTU;
        if six {
            self.icmp6_error(ns, Some(dev), frame, Message6::PacketTooBig { mtu });
        }
        let four = frame.ethertype() == ethertype::IPV4
            && Header::quoted(frame.payload()).is_some_and(|header| header.dont_fragment());
        if four {
            let too_big = Unreachable::FragmentationNeeded { mtu: mtu as u16 };
            self.icmp_error(ns, Some(dev), frame, Message::Unreachable(too_big));
        }
        !six && !four
    }

    /// `ipip6_tunnel_xmit`: whether the packet around one of IPv6 must not be cut, on a way below that takes `below` bytes
    /// at once. None: what is inside is too long, and its sender has been told.
    fn sit_path_mtu(&mut self, dev: DevId, frame: &Frame, dont_fragment: bool, below: u32) -> Option<bool> {
        /// `IPV4_MIN_MTU`
        const LEAST: u32 = 68;
        if !dont_fragment {
            return Some(false);
        }
        let room = below.saturating_sub(HEADER_LEN as u32);
        let device = self.devs.get_mut(dev)?;
        if room < LEAST {
            device.stats.collisions += 1;
            return None;
        }
        let (ns, mtu) = (device.ns, room.max(ip6::MIN_MTU));
        // Of one whose end the packet inside says, the route is not that of the tunnel.
        let is_configured =
            matches!(&device.kind, Kind::IpTunnel(state) if !state.config.remote.is_unspecified());
        if is_configured {
            self.tunnel_route_mtu(dev, frame, mtu);
        }
        if frame.payload().len() > mtu as usize {
            self.icmp6_error(ns, Some(dev), frame, Message6::PacketTooBig { mtu });
            return None;
        }
        Some(room >= ip6::MIN_MTU)
    }

    /// `skb_dst_update_pmtu_no_confirm`: the route by which a packet came to tunnel device `dev` takes `mtu` bytes at once.
    pub(super) fn tunnel_route_mtu(&mut self, dev: DevId, frame: &Frame, mtu: u32) {
        let Some(device) = self.devs.get(dev).filter(|_| frame.path_mtu != 0) else { return };
        let (ns, known) = (device.ns, u32::from(frame.path_mtu));
        // `ip_rt_update_pmtu`: a bridge's port is on no way.
        let port = device.master.and_then(|master| self.devs.get(master));
        let bridged = port.is_some_and(|port| matches!(port.kind, Kind::Bridge(_)));
        let oif = if bridged { 0 } else { device.ifindex };
        match frame.ethertype() {
            ethertype::IPV4 => {
                if let Some(Header { source, destination, tos, .. }) = Header::quoted(frame.payload()) {
                    self.learn_path_mtu(Path { ns, source, destination, oif, tos }, known, mtu);
                }
            }
            // `__ip6_rt_update_pmtu`
            ethertype::IPV6 if mtu >= ip6::MIN_MTU && mtu < known => {
                if let Some(header) = ip6::Header::quoted(frame.payload()) {
                    let key = OutKey6 { source: header.source, oif, ..OutKey6::to(ns, header.destination) };
                    self.learn_mtu6(key, mtu);
                }
            }
            _ => {}
        }
    }

    /// Whether a tunnel's socket has this port.
    pub(crate) fn has_udp_tunnel(&self, ns: NsId, port: u16) -> bool {
        self.netns.get(ns).is_some_and(|netns| netns.udp_tunnels.contains_key(&(port, false)))
    }

    /// A datagram for the socket of a tunnel on `port`, its checksum right. It arrived on `below`.
    pub(crate) fn udp_tunnel_receive(
        &mut self,
        ns: NsId,
        below: DevId,
        header: &Header,
        port: u16,
        frame: Frame,
    ) {
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.counters.udp_in += 1;
        }
        let from =
            From { source: header.source.into(), tos: header.tos, port, start: ETH_LEN + header.header_len };
        self.udp_tunnel_decapsulate(ns, below, from, frame);
    }

    /// The same for either family of the outer packet.
    pub(super) fn udp_tunnel_decapsulate(&mut self, ns: NsId, below: DevId, from: From, frame: Frame) {
        let first = self.netns.get(ns).and_then(|netns| netns.udp_tunnels.get(&from.socket())?.first());
        match first.and_then(|dev| self.devs.get(*dev)).map(|device| &device.kind) {
            Some(Kind::Geneve(_)) => self.geneve_receive(ns, below, from, frame),
            _ => self.vxlan_receive(ns, below, from, frame),
        }
    }

    /// `geneve_udp_encap_recv`
    fn geneve_receive(&mut self, ns: NsId, below: DevId, from: From, mut frame: Frame) {
        let start = from.start + UDP_LEN;
        let (vni, len) = match geneve::read_header(frame.bytes().get(start..).unwrap_or(&[])) {
            Ok(read) => read,
            Err(reason) => return self.drop_frame(Some(below), frame, reason),
        };
        let candidates = self.netns.get(ns).and_then(|netns| netns.udp_tunnels.get(&from.socket()));
        let found = candidates.and_then(|devs| {
            devs.iter().copied().find(|dev| {
                matches!(self.devs.get(*dev).map(|device| &device.kind), Some(Kind::Geneve(state))
                    if state.config.external || (state.config.vni, state.config.remote) == (vni, from.source))
            })
        });
        let checksum = from.checksum_flag(&frame);
        frame.pull_front(start + len);
        let Some(device) = found.and_then(|dev| self.devs.get_mut(dev)) else {
            return self.drop_frame(Some(below), frame, DropReason::VxlanVniNotFound);
        };
        if frame.len() < ETH_LEN {
            return self.drop_frame(Some(below), frame, DropReason::PacketTooSmall);
        }
        let (dev, mac) = (device.id, device.mac);
        if let Kind::Geneve(state) = &device.kind
            && let Err(reason) = state.receive(mac, frame.source())
        {
            device.stats.rx_errors += 1;
            return self.drop_frame(Some(below), frame, reason);
        }
        if matches!(&device.kind, Kind::Geneve(state) if state.config.external) {
            frame.tunnel = Some(TunnelInfo::came(vni.into(), from.source, TunnelInfo::KEY | checksum));
        }
        let counted = frame.len() - ETH_LEN;
        self.decapsulated(dev, from.tos, counted, frame);
    }

    /// Whether packets in packets are looked at: the modules of such tunnels are loaded.
    pub(crate) fn takes_tunnels(&self, ns: NsId) -> bool {
        let host = self.netns.get(ns).and_then(|netns| self.hosts.get(netns.host));
        host.is_some_and(|host| host.tunnels.0)
    }

    /// The first tunnel over IPv4, or over IPv6, brings the modules with it.
    pub(crate) fn load_tunnels(&mut self, ns: NsId, six: bool) {
        let Some(host) = self.netns.get(ns).map(|netns| netns.host) else { return };
        if let Some(host) = self.hosts.get_mut(host) {
            let loaded = if six { &mut host.tunnels.1 } else { &mut host.tunnels.0 };
            *loaded = true;
        }
    }

    /// `ipgre_err`, `ipip_err`: an ICMP error about a tunnel's packet has come, its quotation from the outer header on.
    pub(crate) fn ip_tunnel_erred(
        &mut self,
        ns: NsId,
        below: DevId,
        original: &Header,
        quoted: &[u8],
        (kind, code): (u8, u8),
    ) {
        let unreachable = kind == icmp::kind::DEST_UNREACHABLE;
        let expired = kind == icmp::kind::TIME_EXCEEDED && code == 0;
        let gre = original.protocol == protocol::GRE;
        // A source route that failed, a packet too long, and what cannot be (a port) are no failures.
        if !(unreachable && !matches!(code, 4 | 5) && !(gre && code == 3) || expired) {
            return;
        }
        let found = self.ip_tunnel_of(ns, below, original, quoted);
        let now = self.now;
        if let Some(Kind::IpTunnel(state)) =
            found.and_then(|dev| self.devs.get_mut(dev)).map(|device| &mut device.kind)
        {
            let config = &state.config;
            let points = !config.remote.is_unspecified() && !config.remote.is_multicast();
            // `ipip6_err` tells an IPv6 sender (`ip6_err_gen_icmpv6_unreach`), for which it takes whatever is long enough
            // to be a packet of one, and does not count that.
            let told =
                state.variant == Variant::Sit && quoted.len() >= original.header_len + ip6::HEADER_LEN + 8;
            if points && !told && !(expired && config.ttl == 0) {
                state.failures.note(now);
            }
        }
    }

    /// `ipip_err`, `ipip6_err`: the device that the way of a tunnel's packets is bound to, 0 for none of them; none where
    /// there is no tunnel of which an ICMP error that came in on `below` can be about a packet.
    pub(crate) fn ip_tunnel_told(
        &self,
        ns: NsId,
        below: DevId,
        original: &Header,
        quoted: &[u8],
    ) -> Option<u32> {
        let dev = self.ip_tunnel_of(ns, below, original, quoted)?;
        match &self.devs.get(dev)?.kind {
            Kind::IpTunnel(state) => Some(state.config.link),
            _ => None,
        }
    }

    /// The tunnel that sent a packet which is quoted from its outer header on.
    fn ip_tunnel_of(&self, ns: NsId, below: DevId, original: &Header, quoted: &[u8]) -> Option<DevId> {
        let plain = |protocol| Gre { protocol, key: None, sequence: None, checksum: false };
        let fields = match original.protocol {
            protocol::GRE => Gre::quoted(quoted.get(original.header_len..).unwrap_or(&[]))?,
            protocol::IPIP => plain(ethertype::IPV4),
            protocol::IPV6 => plain(ethertype::IPV6),
            _ => return None,
        };
        let iif = self.devs.get(below).map_or(0, |device| device.ifindex);
        let (source, destination) = (original.destination, original.source);
        let arrived = Arrived { source, destination, iif, key: fields.key };
        self.ip_tunnel_for(ns, original.protocol, &fields, arrived)
    }

    /// `gre_rcv`, `tunnel4_rcv`: a packet in a packet, which arrived on `below`.
    pub(crate) fn ip_tunnel_receive(&mut self, ns: NsId, below: DevId, header: &Header, frame: Frame) {
        let body = frame.payload().get(header.header_len..).unwrap_or(&[]);
        let plain = |protocol| Gre { protocol, key: None, sequence: None, checksum: false };
        let (fields, len) = match header.protocol {
            protocol::GRE => match Gre::read(body, !frame.partial.is_due()) {
                Ok(read) => read,
                Err(reason) => return self.drop_frame(Some(below), frame, reason),
            },
            protocol::IPIP => (plain(ethertype::IPV4), 0),
            _ => (plain(ethertype::IPV6), 0),
        };
        let iif = self.devs.get(below).map_or(0, |device| device.ifindex);
        let arrived =
            Arrived { source: header.source, destination: header.destination, iif, key: fields.key };
        let Some(dev) = self.ip_tunnel_for(ns, header.protocol, &fields, arrived) else {
            self.icmp_error(ns, Some(below), &frame, Message::Unreachable(Unreachable::Port));
            return self.drop_frame(Some(below), frame, DropReason::IpNoProtocol);
        };
        let Some(device) = self.devs.get_mut(dev) else { return };
        let Kind::IpTunnel(state) = &mut device.kind else { return };
        let frames = state.variant == Variant::GreTap;
        if let Err(reason) = state.receive(&fields) {
            device.stats.rx_errors += 1;
            return self.drop_frame(Some(dev), frame, reason);
        }
        let mut frame = frame;
        if state.config.external {
            // `ip_tun_rx_dst`
            let key = if fields.key.is_some() { TunnelInfo::KEY } else { 0 };
            let id = fields.key.unwrap_or(0).into();
            frame.tunnel = Some(TunnelInfo::came(id, header.source.into(), key));
        }
        let start = ETH_LEN + header.header_len + len;
        if frames {
            frame.pull_front(start);
            if frame.len() < ETH_LEN {
                return self.drop_frame(Some(dev), frame, DropReason::PacketTooSmall);
            }
            let counted = frame.len();
            return self.decapsulated(dev, header.tos, counted, frame);
        }
        frame.pull_front(start - ETH_LEN);
        frame.set_header(Mac::ZERO, Mac::ZERO, fields.protocol);
        let counted = frame.payload().len();
        self.decapsulated(dev, header.tos, counted, frame);
    }

    /// `ip_tunnel_lookup`: of the tunnels that carry such packets the one that fits best.
    fn ip_tunnel_for(&self, ns: NsId, protocol: u8, fields: &Gre, arrived: Arrived) -> Option<DevId> {
        let candidates = self.netns.get(ns)?.ip_tunnels.iter();
        let ranked = candidates.filter_map(|dev| {
            let Kind::IpTunnel(state) = &self.devs.get(*dev)?.kind else { return None };
            let carried = match state.variant {
                Variant::Gre => protocol == protocol::GRE && fields.protocol != ethertype::TEB,
                Variant::GreTap => protocol == protocol::GRE && fields.protocol == ethertype::TEB,
                Variant::Ipip => protocol == protocol::IPIP && state.carries(protocol),
                Variant::Sit => protocol != protocol::GRE && state.carries(protocol),
            };
            // `ipip` comes before `sit` for what both carry.
            let order = u32::from(state.variant == Variant::Sit);
            carried.then(|| state.rank(arrived)).flatten().map(|rank| ((order, rank), *dev))
        });
        ranked.min_by_key(|(rank, _)| *rank).map(|(_, dev)| dev)
    }

    /// A frame has come out of a tunnel, `counted` bytes of it: into the device's receive path (`gro_cells_receive`).
    pub(super) fn decapsulated(&mut self, dev: DevId, outer_tos: u8, counted: usize, mut frame: Frame) {
        if let Err(reason) = decapsulate_ecn(outer_tos, &mut frame) {
            if let Some(device) = self.devs.get_mut(dev) {
                device.stats.rx_errors += 1;
            }
            return self.drop_frame(Some(dev), frame, reason);
        }
        if let Some(device) = self.devs.get_mut(dev) {
            device.stats.rx_packets += 1;
            device.stats.rx_bytes += counted as u64;
            frame.packet_type = match device.is_ethernet() {
                true => World::packet_type_for(frame.destination(), device.mac),
                false => PacketType::Host,
            };
        }
        frame.tag = None;
        frame.iif = 0;
        self.enqueue_from_tunnel(dev, frame);
    }

    /// What comes out of a tunnel, of which alone it knows.
    pub(super) fn enqueue_from_tunnel(&mut self, dev: DevId, mut frame: Frame) {
        let tunnel = frame.tunnel;
        frame.forget_netfilter();
        frame.tunnel = tunnel;
        self.enqueue_scrubbed(Waiting::Receive { dev, frame });
    }
}
