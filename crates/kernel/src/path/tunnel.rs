//! Tunnels: packets into the IP stack of the namespace below, and out of it
//! (net/ipv4/ip_tunnel_core.c, net/ipv4/udp_tunnel_core.c, drivers/net/vxlan).

use std::net::Ipv4Addr;
use std::time::Duration;

use hairpin_netlink::Errno;

use crate::dev::geneve;
use crate::dev::ip_tunnel::{Arrived, Variant};
use crate::dev::tunnel::{Gre, Outer, Shim, VXLAN_LEN, decapsulate_ecn};
use crate::dev::vxlan::{self, Learned};
use crate::dev::{Kind, PacketType};
use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::{ETH_LEN, Frame, ethertype};
use crate::ip::icmp::{Message, Unreachable};
use crate::ip::route::{Learned as LearnedRoute, OutKey, OutRoute};
use crate::ip::{FLAG_DF, HEADER_LEN, Header, UDP_LEN, protocol};
use crate::ip6;
use crate::mac::Mac;
use crate::netns::NsId;
use crate::route::RouteKind;
use crate::world::{Waiting, World};

/// `ip_rt_mtu_expires`: how long a path's MTU is remembered.
const MTU_EXPIRES: Duration = Duration::from_secs(600);

impl World {
    /// `vxlan_xmit_one`, `iptunnel_xmit`: puts a packet of tunnel device `dev` into its outer one and sends that.
    pub(super) fn encapsulate(&mut self, dev: DevId, mut frame: Frame, outer: Outer) {
        frame.retag();
        let key = OutKey {
            source: outer.local,
            oif: outer.oif,
            tos: outer.tos,
            protocol: outer.shim.protocol(),
            ..OutKey::to(outer.underlay, outer.remote)
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
            && let Shim::Vxlan { vni, ports } = outer.shim
        {
            return self.vxlan_bypass(dev, outer.underlay, ports.destination, vni, frame);
        }
        if !self.tunnel_path_mtu(dev, &frame, &outer, &route) {
            return self.tunnel_error(dev, frame, None);
        }
        let link_len = if outer.shim.carries_frames() { 0 } else { ETH_LEN };
        let counted = frame.len().saturating_sub(ETH_LEN);
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
            ttl: if outer.ttl == 0 { self.default_ttl(outer.underlay, route.source) } else { outer.ttl },
            protocol: outer.shim.protocol(),
            source: route.source,
            destination: route.destination,
        };
        if let Some((link, packet)) = frame.bytes_mut().split_at_mut_checked(ETH_LEN) {
            link[12..].copy_from_slice(&ethertype::IPV4.to_be_bytes());
            if let Some(body) = packet.get_mut(HEADER_LEN..) {
                outer.shim.write(body, route.source, route.destination);
            }
            header.write(packet);
        }
        if let Some(device) = self.devs.get_mut(dev) {
            device.stats.tx_packets += 1;
            device.stats.tx_bytes += counted as u64;
            if device.ns != outer.underlay {
                // `skb_scrub_packet`
                frame.mark = 0;
                frame.sender = None;
            }
        }
        frame.iif = 0;
        if outer.dont_fragment && total_len > route.mtu as usize {
            if let Some(netns) = self.netns.get_mut(outer.underlay) {
                netns.counters.fragmentation_failures += 1;
            }
            return self.drop_frame(Some(route.dev), frame, DropReason::PacketTooBig);
        }
        // What is known of the packet inside does not hold for the one around it.
        frame.forget_netfilter();
        // A tunnel's own groupcasts do not come back to it.
        let _ = self.ip_output(outer.underlay, &route, false, frame);
    }

    /// A packet finds no way, or (without `errno`) cannot go it.
    fn tunnel_error(&mut self, dev: DevId, frame: Frame, errno: Option<Errno>) {
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
            false => device.mtu,
        };
        let fits = frame.payload().len() <= mtu as usize;
        if udp && fits {
            return true;
        }
        if frame.ethertype() == ethertype::IPV6 {
            self.tunnel_path_mtu6(dev, frame, mtu, udp);
        }
        if frame.ethertype() != ethertype::IPV4 {
            return true;
        }
        let Some(header) = Header::quoted(frame.payload()) else { return true };
        if !udp && !fits && header.dont_fragment() {
            let too_big = Unreachable::FragmentationNeeded { mtu: mtu as u16 };
            self.icmp_error(ns, Some(dev), frame, Message::Unreachable(too_big));
            return false;
        }
        if frame.iif == 0 && self.is_local_address(ns, header.source) {
            let learned = LearnedRoute::Mtu { mtu, locked: false };
            let expires = self.now + MTU_EXPIRES;
            self.learn_exception(ns, header.destination, header.source, learned, expires);
        }
        true
    }

    /// `skb_dst_update_pmtu_no_confirm` for IPv6: a way that leads over a vxlan or a geneve is known to be narrower
    /// from the second packet on. Frames that ports give to the device have no route.
    fn tunnel_path_mtu6(&mut self, dev: DevId, frame: &Frame, mtu: u32, udp: bool) {
        let Some(device) = self.devs.get(dev).filter(|device| udp && device.rx_handler.is_none()) else {
            return;
        };
        let ns = device.ns;
        if let Some(header) = ip6::Header::quoted(frame.payload()).filter(|_| mtu >= ip6::MIN_MTU) {
            self.learn_mtu6(ns, header.destination, mtu);
        }
    }

    /// `encap_bypass_if_local`: the other end is this host; no packet is made.
    fn vxlan_bypass(&mut self, dev: DevId, underlay: NsId, port: u16, vni: u32, mut frame: Frame) {
        let Some(to) = self.vxlan_with(underlay, port, vni) else {
            if let Some(device) = self.devs.get_mut(dev) {
                device.stats.tx_errors += 1;
            }
            return self.drop_frame(Some(dev), frame, DropReason::VxlanVniNotFound);
        };
        let (source, len, now) = (frame.source(), frame.len() as u64, self.now);
        let Some(target) = self.devs.get_mut(to) else { return };
        let Kind::Vxlan(state) = &mut target.kind else { return };
        // What the entry says of a fixed source does not matter here.
        let learned = state.config.learning && state.learn(source, Ipv4Addr::LOCALHOST, now).is_ok();
        target.stats.rx_packets += 1;
        target.stats.rx_bytes += len;
        if let Some(device) = self.devs.get_mut(dev) {
            device.stats.tx_packets += 1;
            device.stats.tx_bytes += len;
        }
        if learned {
            self.vxlan_learned(to, source);
        }
        frame.packet_type = PacketType::Host;
        frame.sender = None;
        frame.iif = 0;
        self.enqueue(Waiting::Receive { dev: to, frame });
    }

    /// The running vxlan device of a namespace's stack on this port with this network identifier.
    fn vxlan_with(&self, underlay: NsId, port: u16, vni: u32) -> Option<DevId> {
        let candidates = self.netns.get(underlay)?.udp_tunnels.get(&port)?;
        candidates.iter().copied().find(|dev| match self.devs.get(*dev).map(|device| &device.kind) {
            Some(Kind::Vxlan(state)) => state.config.vni == vni,
            _ => false,
        })
    }

    /// Whether a tunnel's socket has this port.
    pub(crate) fn has_udp_tunnel(&self, ns: NsId, port: u16) -> bool {
        self.netns.get(ns).is_some_and(|netns| netns.udp_tunnels.contains_key(&port))
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
        let first = self.netns.get(ns).and_then(|netns| netns.udp_tunnels.get(&port)?.first());
        match first.and_then(|dev| self.devs.get(*dev)).map(|device| &device.kind) {
            Some(Kind::Geneve(_)) => self.geneve_receive(ns, below, header, port, frame),
            _ => self.vxlan_receive(ns, below, header, port, frame),
        }
    }

    /// `geneve_udp_encap_recv`
    fn geneve_receive(&mut self, ns: NsId, below: DevId, header: &Header, port: u16, mut frame: Frame) {
        let start = ETH_LEN + header.header_len + UDP_LEN;
        let (vni, len) = match geneve::read_header(frame.bytes().get(start..).unwrap_or(&[])) {
            Ok(read) => read,
            Err(reason) => return self.drop_frame(Some(below), frame, reason),
        };
        let candidates = self.netns.get(ns).and_then(|netns| netns.udp_tunnels.get(&port));
        let found = candidates.and_then(|devs| {
            devs.iter().copied().find(|dev| {
                matches!(self.devs.get(*dev).map(|device| &device.kind), Some(Kind::Geneve(state))
                    if (state.config.vni, state.config.remote) == (vni, header.source))
            })
        });
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
        let counted = frame.len() - ETH_LEN;
        self.decapsulated(dev, header.tos, counted, frame);
    }

    pub(crate) fn has_ip_tunnel(&self, ns: NsId) -> bool {
        self.netns.get(ns).is_some_and(|netns| !netns.ip_tunnels.is_empty())
    }

    /// `gre_rcv`, `tunnel4_rcv`: a packet in a packet, which arrived on `below`.
    pub(crate) fn ip_tunnel_receive(&mut self, ns: NsId, below: DevId, header: &Header, frame: Frame) {
        let body = frame.payload().get(header.header_len..).unwrap_or(&[]);
        let plain = |protocol| Gre { protocol, key: None, sequence: None, checksum: false };
        let (fields, len) = match header.protocol {
            protocol::GRE => match Gre::read(body) {
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

    /// `vxlan_rcv`
    fn vxlan_receive(&mut self, ns: NsId, below: DevId, header: &Header, port: u16, mut frame: Frame) {
        let start = ETH_LEN + header.header_len + UDP_LEN;
        let read = vxlan::read_header(frame.bytes().get(start..).unwrap_or(&[]));
        let vni = match read {
            Ok(vni) => vni,
            Err(reason) => return self.drop_frame(Some(below), frame, reason),
        };
        let Some(dev) = self.vxlan_with(ns, port, vni) else {
            return self.drop_frame(Some(below), frame, DropReason::VxlanVniNotFound);
        };
        frame.pull_front(start + VXLAN_LEN);
        if frame.len() < ETH_LEN {
            return self.drop_frame(Some(below), frame, DropReason::PacketTooSmall);
        }
        let (source, now) = (frame.source(), self.now);
        let Some(device) = self.devs.get_mut(dev) else { return };
        let mac = device.mac;
        let Kind::Vxlan(state) = &mut device.kind else { return };
        match state.receive(mac, source, header.source, now) {
            Ok(Learned::Nothing) => {}
            Ok(Learned::Changed) => self.vxlan_learned(dev, source),
            Err(reason) => return self.drop_frame(Some(below), frame, reason),
        }
        let counted = frame.len() - ETH_LEN;
        self.decapsulated(dev, header.tos, counted, frame);
    }

    /// A frame has come out of a tunnel, `counted` bytes of it: into the device's receive path (`gro_cells_receive`).
    fn decapsulated(&mut self, dev: DevId, outer_tos: u8, counted: usize, mut frame: Frame) {
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
        self.enqueue(Waiting::Receive { dev, frame });
    }
}
