//! Tunnels: packets into the IP stack of the namespace below, and out of it
//! (net/ipv4/ip_tunnel_core.c, net/ipv4/udp_tunnel_core.c, drivers/net/vxlan).

use std::net::Ipv4Addr;
use std::time::Duration;

use hairpin_netlink::Errno;

use crate::dev::tunnel::{Outer, Shim, VXLAN_LEN, decapsulate_ecn};
use crate::dev::vxlan::{self, Learned};
use crate::dev::{Kind, PacketType};
use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::{ETH_LEN, Frame, ethertype};
use crate::ip::route::{Learned as LearnedRoute, OutKey, OutRoute};
use crate::ip::{FLAG_DF, HEADER_LEN, Header, UDP_LEN};
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
            Ok(route) if route.dev == dev => return self.tunnel_error(dev, frame, None),
            Ok(route) => route,
            Err(errno) => return self.tunnel_error(dev, frame, Some(errno)),
        };
        if route.kind == RouteKind::Local
            && let Shim::Vxlan { vni, ports } = outer.shim
        {
            return self.vxlan_bypass(dev, outer.underlay, ports.destination, vni, frame);
        }
        self.tunnel_path_mtu(dev, &frame, &outer, &route);
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

    /// A packet finds no way, or (without `errno`) one through its own tunnel.
    fn tunnel_error(&mut self, dev: DevId, frame: Frame, errno: Option<Errno>) {
        if let Some(device) = self.devs.get_mut(dev) {
            device.stats.tx_errors += 1;
            match errno {
                Some(_) => device.stats.tx_carrier_errors += 1,
                None => device.stats.collisions += 1,
            }
        }
        self.drop_frame(Some(dev), frame, DropReason::TunnelTransmitInfo);
    }

    /// `skb_tunnel_check_pmtu`: who sends more than fits the way below learns what does.
    fn tunnel_path_mtu(&mut self, dev: DevId, frame: &Frame, outer: &Outer, route: &OutRoute) {
        let link_len = if outer.shim.carries_frames() { ETH_LEN } else { 0 };
        let headroom = HEADER_LEN + outer.shim.size() + link_len;
        let mtu = route.mtu.saturating_sub(headroom as u32);
        let len = frame.payload().len();
        if len <= mtu as usize || frame.iif != 0 || frame.ethertype() != ethertype::IPV4 {
            return;
        }
        let Some(ns) = self.devs.get(dev).map(|device| device.ns) else { return };
        let Some(header) = Header::quoted(frame.payload()) else { return };
        if self.is_local_address(ns, header.source) {
            let learned = LearnedRoute::Mtu { mtu, locked: false };
            let expires = self.now + MTU_EXPIRES;
            self.learn_exception(ns, header.destination, header.source, learned, expires);
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
        self.vxlan_receive(ns, below, header, port, frame);
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
        self.decapsulated(dev, header.tos, mac, frame);
    }

    /// A frame has come out of a tunnel: into the device's receive path (`gro_cells_receive`).
    fn decapsulated(&mut self, dev: DevId, outer_tos: u8, mac: Mac, mut frame: Frame) {
        if let Err(reason) = decapsulate_ecn(outer_tos, &mut frame) {
            if let Some(device) = self.devs.get_mut(dev) {
                device.stats.rx_errors += 1;
            }
            return self.drop_frame(Some(dev), frame, reason);
        }
        if let Some(device) = self.devs.get_mut(dev) {
            device.stats.rx_packets += 1;
            device.stats.rx_bytes += frame.len().saturating_sub(ETH_LEN) as u64;
        }
        frame.tag = None;
        frame.iif = 0;
        frame.packet_type = World::packet_type_for(frame.destination(), mac);
        self.enqueue(Waiting::Receive { dev, frame });
    }
}
