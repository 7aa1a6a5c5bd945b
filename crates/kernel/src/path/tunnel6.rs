//! Tunnels over IPv6: packets into the IPv6 stack of the namespace below, and out of it
//! (net/ipv6/ip6_tunnel.c, ip6_gre.c, ip6_udp_tunnel.c).

use std::net::Ipv6Addr;

use crate::dev::ip6_tunnel::{Arrived, Variant};
use crate::dev::tunnel::{Gre, Outer, Shim, flow_hash};
use crate::dev::{Kind, PacketType, ip6_tunnel};
use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::{ETH_LEN, Frame, ethertype};
use crate::ip::icmp::{Message, Unreachable};
use crate::ip::protocol;
use crate::ip6::address::is_link_local;
use crate::ip6::icmp::{Message6, Unreachable6};
use crate::ip6::route::{OutKey6, OutRoute6};
use crate::ip6::{HEADER_LEN, Header, MIN_MTU, next};
use crate::mac::Mac;
use crate::netns::NsId;
use crate::route::RouteKind;
use crate::world::World;

use super::tunnel::From;

/// Bytes of the header with the option that limits how often a packet is put into others (RFC 2473 §4.1.1).
const LIMIT_LEN: usize = 8;
/// `IPV4_MIN_MTU`
const IPV4_MIN_MTU: u32 = 68;
/// The bit that tells a label made from the flow (`IPV6_FLOWLABEL_STATELESS_FLAG`).
const FLOW_LABEL_STATELESS: u32 = 0x80000;

impl World {
    /// `ip6_tnl_xmit`, `vxlan_xmit_one`, `geneve6_xmit_skb`
    pub(super) fn encapsulate6(
        &mut self,
        dev: DevId,
        mut frame: Frame,
        tag_len: usize,
        outer: Outer,
        (local, remote): (Ipv6Addr, Ipv6Addr),
    ) {
        let udp = matches!(outer.shim, Shim::Vxlan { .. } | Shim::Geneve { .. });
        if !udp && !self.tunnel6_may_send(&outer, local, remote) {
            // `ip6gre_tunnel_xmit` looks before it does anything.
            let told = matches!(outer.shim, Shim::Ip(_));
            return self.tunnel6_fails(dev, frame, told);
        }
        let key = OutKey6 { source: local, oif: outer.oif, ..OutKey6::to(outer.underlay, remote) };
        // `vxlan6_get_route` and `geneve_get_v6_dst` look for the way of a socket, `ip6_tnl_xmit` does not.
        let found = if udp { self.seek_output6(key) } else { self.route_output6(key) };
        let route = match found {
            Ok(route) if route.dev == dev => {
                if let Some(device) = self.devs.get_mut(dev) {
                    device.stats.collisions += 1;
                }
                return if udp {
                    self.tunnel_error(dev, frame, None)
                } else {
                    self.tunnel6_fails(dev, frame, false)
                };
            }
            Ok(route) => route,
            Err(errno) if udp => return self.tunnel_error(dev, frame, Some(errno)),
            Err(_) => return self.tunnel6_fails(dev, frame, true),
        };
        if route.kind == RouteKind::Local
            && let Shim::Vxlan { vni, ports, .. } = outer.shim
        {
            return self.vxlan_bypass(dev, outer.underlay, (ports.destination, true), vni, frame);
        }
        let option = if outer.six.encapsulation_limit.is_some() { LIMIT_LEN } else { 0 };
        if !self.tunnel6_path_mtu(dev, &frame, &outer, &route, udp) {
            return self.tunnel6_fails(dev, frame, false);
        }
        let label = self.tunnel6_label(&frame, &outer);
        let link_len = if outer.shim.carries_frames() { 0 } else { ETH_LEN };
        let counted = frame.len().saturating_sub(ETH_LEN + tag_len);
        frame.pull_front(link_len);
        let payload_len = option + outer.shim.size() + frame.len();
        if payload_len > usize::from(u16::MAX) || udp && HEADER_LEN + payload_len > route.mtu as usize {
            // `ip6_fragment`: `skb_scrub_packet` has forgotten that these may be cut.
            return self.tunnel_error(dev, frame, None);
        }
        frame.push_front(ETH_LEN + HEADER_LEN + option + outer.shim.size());
        let header = Header {
            traffic_class: outer.tos,
            flow_label: label,
            payload_len,
            next_header: if option > 0 { next::DESTINATION } else { outer.shim.protocol() },
            hop_limit: if outer.ttl == 0 && !outer.ttl_is_final { route.hop_limit } else { outer.ttl },
            source: route.source,
            destination: route.destination,
        };
        let mut partial = frame.partial;
        if let Some((link, packet)) = frame.bytes_mut().split_at_mut_checked(ETH_LEN) {
            link[12..].copy_from_slice(&ethertype::IPV6.to_be_bytes());
            header.write(packet);
            if let Some(limit) = outer.six.encapsulation_limit
                && let Some(bytes) = packet.get_mut(HEADER_LEN..).and_then(|rest| rest.first_chunk_mut())
            {
                // The option, and one that fills up.
                *bytes = [outer.shim.protocol(), 0, 4, 1, limit, 1, 1, 0];
            }
            if let Some(body) = packet.get_mut(HEADER_LEN + option..) {
                partial = outer.shim.write(body, route.source.into(), route.destination.into(), partial);
            }
        }
        frame.partial = partial;
        if self.devs.get(dev).is_some_and(|device| device.ns != outer.underlay) {
            // `skb_scrub_packet`
            frame.mark = 0;
            frame.sender = None;
        }
        frame.packet_type = PacketType::Host;
        frame.iif = 0;
        frame.fragment_max = 0;
        // What is known of the packet inside does not hold for the one around it.
        frame.forget_netfilter();
        // `ip6tunnel_xmit`
        let refused = std::mem::take(&mut self.transmit_refused);
        let sent = self.ip6_output(outer.underlay, &route, false, frame);
        let failed = std::mem::replace(&mut self.transmit_refused, refused) || sent.is_err();
        let Some(device) = self.devs.get_mut(dev) else { return };
        if failed {
            // `iptunnel_xmit_stats`
            device.stats.tx_errors += 1;
            device.stats.tx_aborted_errors += 1;
        } else {
            device.stats.tx_packets += 1;
            device.stats.tx_bytes += counted as u64;
        }
    }

    /// The label of the outer header: the tunnel's own, or one of the flow inside (`ip6_make_flowlabel`).
    fn tunnel6_label(&self, frame: &Frame, outer: &Outer) -> u32 {
        match outer.six.label {
            0 if outer.six.labels_flow => flow_hash(frame) & 0x000f_ffff | FLOW_LABEL_STATELESS,
            label => label,
        }
    }

    /// `ip6_tnl_xmit_ctl`: packets go from an address of this host to one of another.
    fn tunnel6_may_send(&self, outer: &Outer, local: Ipv6Addr, remote: Ipv6Addr) -> bool {
        let ends = !local.is_unspecified() && !remote.is_unspecified() && !local.is_multicast();
        let of_link = is_link_local(local) || is_link_local(remote);
        ends && (!of_link || outer.oif != 0)
            && !local.is_loopback()
            && !remote.is_loopback()
            && self.is_own_address6(outer.underlay, local, None)
            && (outer.six.local_remote
                || remote.is_multicast()
                || !self.is_own_address6(outer.underlay, remote, None))
    }

    /// A packet does not go; `told`: for there is no way, and its sender is told so (`tx_err_link_failure`).
    fn tunnel6_fails(&mut self, dev: DevId, frame: Frame, told: bool) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        device.stats.tx_errors += 1;
        device.stats.tx_dropped += 1;
        let ns = device.ns;
        if told {
            device.stats.tx_carrier_errors += 1;
            match frame.ethertype() {
                ethertype::IPV4 => self.link_failure(dev, &frame),
                ethertype::IPV6 => self.link_failure6(ns, &frame),
                _ => {}
            }
        }
        self.drop_frame(Some(dev), frame, DropReason::TunnelTransmitInfo);
    }

    /// `ip6_tnl_xmit`, `skb_tunnel_check_pmtu`: who sends more than fits the way below learns what does. False: the packet
    /// is too long and its sender has been told.
    fn tunnel6_path_mtu(
        &mut self,
        dev: DevId,
        frame: &Frame,
        outer: &Outer,
        route: &OutRoute6,
        udp: bool,
    ) -> bool {
        let Some(ns) = self.devs.get(dev).map(|device| device.ns) else { return true };
        let link_len = if outer.shim.carries_frames() { ETH_LEN } else { 0 };
        let option = if outer.six.encapsulation_limit.is_some() { LIMIT_LEN } else { 0 };
        let headroom = HEADER_LEN + option + outer.shim.size() + link_len;
        let room = route.mtu.saturating_sub(headroom as u32);
        let is_ipv6 = frame.ethertype() == ethertype::IPV6;
        let mtu = match udp {
            true => room,
            false => room.max(if is_ipv6 { MIN_MTU } else { IPV4_MIN_MTU }),
        };
        let fits = frame.payload().len() <= mtu as usize;
        if udp {
            if !fits {
                self.tunnel_route_mtu(dev, frame, mtu);
            }
            return true;
        }
        self.tunnel_route_mtu(dev, frame, mtu);
        if !fits && is_ipv6 {
            self.icmp6_error(ns, Some(dev), frame, Message6::PacketTooBig { mtu });
        } else if !fits && frame.ethertype() == ethertype::IPV4 {
            let too_big = Unreachable::FragmentationNeeded { mtu: mtu as u16 };
            self.icmp_error(ns, Some(dev), frame, Message::Unreachable(too_big));
        }
        fits
    }

    /// `ip6_tnl_start_xmit`: a packet may not be put into another once more (RFC 2473 §4.1.1).
    pub(super) fn tunnel_limit_reached(&mut self, dev: DevId, frame: Frame, pointer: u32) {
        let Some(ns) = self.devs.get(dev).map(|device| device.ns) else { return };
        self.icmp6_error(ns, Some(dev), &frame, Message6::ParameterProblem { code: 0, pointer });
        self.tunnel6_fails(dev, frame, false);
    }

    /// Whether packets in packets are looked at: the modules of such tunnels are loaded.
    pub(crate) fn takes_tunnels6(&self, ns: NsId) -> bool {
        let host = self.netns.get(ns).and_then(|netns| self.hosts.get(netns.host));
        host.is_some_and(|host| host.tunnels.1)
    }

    /// Whether a tunnel's socket of IPv6 has this port.
    pub(crate) fn has_udp6_tunnel(&self, ns: NsId, port: u16) -> bool {
        self.netns.get(ns).is_some_and(|netns| netns.udp_tunnels.contains_key(&(port, true)))
    }

    /// Whether tunnels on this port take datagrams without a checksum.
    pub(crate) fn udp6_tunnel_allows_no_checksum(&self, ns: NsId, port: u16) -> bool {
        let devs = self.netns.get(ns).and_then(|netns| netns.udp_tunnels.get(&(port, true)));
        devs.into_iter().flatten().any(|dev| match self.devs.get(*dev).map(|device| &device.kind) {
            Some(Kind::Vxlan(state)) => state.config.no_checksum_6.1,
            Some(Kind::Geneve(state)) => state.config.no_checksum_6.1,
            _ => false,
        })
    }

    /// A datagram for the socket of a tunnel on `port`, at byte `at` of the packet. It arrived on `below`.
    pub(crate) fn udp6_tunnel_receive(
        &mut self,
        ns: NsId,
        below: DevId,
        header: &Header,
        (port, at): (u16, usize),
        frame: Frame,
    ) {
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.counters6.udp_in += 1;
        }
        let from =
            From { source: header.source.into(), tos: header.traffic_class, port, start: ETH_LEN + at };
        self.udp_tunnel_decapsulate(ns, below, from, frame);
    }

    /// `ip6gre_rcv`, `ipxip6_rcv`: a packet in a packet, at byte `at`, which arrived on `below`.
    pub(crate) fn ip6_tunnel_receive(
        &mut self,
        ns: NsId,
        below: DevId,
        header: &Header,
        (carried, at): (u8, usize),
        mut frame: Frame,
    ) {
        let body = frame.payload().get(at..).unwrap_or(&[]);
        let plain = |protocol| Gre { protocol, key: None, sequence: None, checksum: false };
        let (fields, len) = match carried {
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
        let Some(dev) = self.ip6_tunnel_for(ns, carried, &fields, arrived) else {
            let message = Message6::Unreachable(Unreachable6::Port);
            self.icmp6_error(ns, Some(below), &frame, message);
            return self.drop_frame(Some(below), frame, DropReason::IpNoProtocol);
        };
        let may = carried == protocol::GRE || self.tunnel6_may_receive(ns, dev, header);
        let Some(Kind::Ip6Tunnel(state)) = self.devs.get_mut(dev).map(|device| &mut device.kind) else {
            return;
        };
        if !may || carried != protocol::GRE && !state.carries(carried) {
            return self.drop_frame(Some(dev), frame, DropReason::TunnelTransmitInfo);
        }
        let (frames, copies_dscp) =
            (state.variant == Variant::Ip6GreTap, state.config.has(ip6_tunnel::flag::COPY_DSCP));
        if let Err(reason) = state.receive(&fields) {
            if let Some(device) = self.devs.get_mut(dev) {
                device.stats.rx_errors += 1;
            }
            return self.drop_frame(Some(dev), frame, reason);
        }
        let start = ETH_LEN + at + len;
        if frames {
            frame.pull_front(start);
            if frame.len() < ETH_LEN {
                return self.drop_frame(Some(dev), frame, DropReason::PacketTooSmall);
            }
        } else {
            frame.pull_front(start - ETH_LEN);
            frame.set_header(Mac::ZERO, Mac::ZERO, fields.protocol);
        }
        if copies_dscp {
            crate::dev::tunnel::copy_dscp(header.traffic_class, &mut frame);
        }
        let counted = frame.payload().len();
        self.decapsulated(dev, header.traffic_class, counted, frame);
    }

    /// `ip6_tnl_rcv_ctl`
    fn tunnel6_may_receive(&self, ns: NsId, dev: DevId, header: &Header) -> bool {
        let Some(Kind::Ip6Tunnel(state)) = self.devs.get(dev).map(|device| &device.kind) else {
            return false;
        };
        let mut ends = state.config.clone();
        (ends.local, ends.remote) = (header.destination, header.source);
        let able = state.config.has(ip6_tunnel::flag::CAN_RECEIVE)
            || state.config.has(ip6_tunnel::flag::PER_PACKET)
                && ends.abilities() & ip6_tunnel::flag::CAN_RECEIVE != 0;
        able && (header.destination.is_multicast() || self.is_own_address6(ns, header.destination, None))
            && (state.config.has(ip6_tunnel::flag::LOCAL_REMOTE)
                || !self.is_own_address6(ns, header.source, None))
    }

    /// `ip6_tnl_lookup`, `ip6gre_tunnel_lookup`: of the tunnels for such packets the one that fits best.
    fn ip6_tunnel_for(&self, ns: NsId, carried: u8, fields: &Gre, arrived: Arrived) -> Option<DevId> {
        let candidates = self.netns.get(ns)?.ip6_tunnels.iter();
        let ranked = candidates.filter_map(|dev| {
            let Kind::Ip6Tunnel(state) = &self.devs.get(*dev)?.kind else { return None };
            let is_for = match state.variant {
                Variant::Ip6Gre => carried == protocol::GRE && fields.protocol != ethertype::TEB,
                Variant::Ip6GreTap => carried == protocol::GRE && fields.protocol == ethertype::TEB,
                Variant::Ip6Tnl => carried != protocol::GRE,
            };
            is_for.then(|| state.rank(arrived)).flatten().map(|rank| (rank, *dev))
        });
        ranked.min_by_key(|(rank, _)| *rank).map(|(_, dev)| dev)
    }
}
