//! Packets of ipvlans in mode l3 and l3s: sent by the namespace of the lower device
//! (`ipvlan_process_v4_outbound`), received through its IP layer (drivers/net/ipvlan/ipvlan_l3s.c).

use std::net::IpAddr;

use hairpin_netlink::PacketType;

use crate::dev::{RxHandler, ipvlan::Mode};
use crate::device::{DevId, Device};
use crate::drop_reason::DropReason;
use crate::frame::{ETH_LEN, Frame, ethertype};
use crate::ip6::{self, route::OutKey6};
use crate::world::World;

use super::icmp::{Message, Unreachable};
use super::route::{InRoute, OutKey, RouteKind};
use super::{Header, write_checksum};

impl World {
    /// Sends what an ipvlan gave up to its lower device's namespace: as a packet of that namespace's own, but
    /// with the source it has, over that device. False if it went nowhere.
    pub(crate) fn route_below(&mut self, dev: DevId, lower: DevId, mut frame: Frame) -> bool {
        let ns = |dev: DevId| self.devs.get(dev).map(|device| device.ns);
        if ns(dev) != ns(lower) {
            // `skb_scrub_packet`
            frame.mark = 0;
        }
        frame.packet_type = PacketType::Host;
        frame.sender = None;
        frame.iif = 0;
        frame.forget_netfilter();
        let sent = match frame.ethertype() {
            ethertype::IPV4 => self.route_ipv4_below(lower, frame),
            _ => self.route_ipv6_below(lower, frame),
        };
        match sent {
            Ok(sent) => sent,
            Err((frame, reason)) => {
                self.drop_frame(Some(dev), frame, reason);
                false
            }
        }
    }

    /// `ipvlan_process_v4_outbound`; false: netfilter has dropped it.
    fn route_ipv4_below(&mut self, lower: DevId, mut frame: Frame) -> Result<bool, (Frame, DropReason)> {
        let device = self.devs.get(lower).map(|device| (device.ns, device.ifindex));
        let (Some((ns, oif)), Some(header)) = (device, Header::quoted(frame.payload())) else {
            return Err((frame, DropReason::IpvlanNoRoute));
        };
        let key = OutKey {
            source: header.source,
            oif,
            tos: header.tos & 0x1e,
            mark: frame.mark,
            any_source: true,
            ..OutKey::to(ns, header.destination)
        };
        let route = match self.route_output(key) {
            Ok(route) if matches!(route.kind, RouteKind::Unicast | RouteKind::Local) => route,
            _ => return Err((frame, DropReason::IpvlanNoRoute)),
        };
        // `__ip_local_out`: the packet is as long as the frame is.
        let packet = frame.payload_mut();
        let len = packet.len();
        if let (Some(total_len), Ok(len)) = (packet.get_mut(2..4), u16::try_from(len)) {
            total_len.copy_from_slice(&len.to_be_bytes());
        }
        write_checksum(packet, header.header_len);
        if len > route.mtu as usize && header.dont_fragment() {
            if let Some(netns) = self.netns.get_mut(ns) {
                netns.counters.out_requests += 1;
                netns.counters.fragmentation_failures += 1;
            }
            let mtu = u16::try_from(route.mtu).unwrap_or(u16::MAX);
            let message = Message::Unreachable(Unreachable::FragmentationNeeded { mtu });
            self.icmp_error(ns, None, &frame, message);
            return Err((frame, DropReason::PacketTooBig));
        }
        Ok(self.ip_output(ns, &route, false, frame).is_ok())
    }

    /// `ipvlan_process_v6_outbound`
    fn route_ipv6_below(&mut self, lower: DevId, mut frame: Frame) -> Result<bool, (Frame, DropReason)> {
        let device = self.devs.get(lower).map(|device| (device.ns, device.ifindex));
        let (Some((ns, oif)), Some(header)) = (device, ip6::Header::quoted(frame.payload())) else {
            return Err((frame, DropReason::IpvlanNoRoute));
        };
        let key =
            OutKey6 { source: header.source, oif, mark: frame.mark, ..OutKey6::to(ns, header.destination) };
        let Ok(route) = self.route_output6(key) else {
            self.transmit_no_way = true;
            return Err((frame, DropReason::IpvlanNoRoute));
        };
        // `__ip6_local_out`: the packet is as long as the frame is.
        let packet = frame.payload_mut();
        let len = packet.len();
        if let Some(payload_len) = packet.get_mut(4..6) {
            let payload = u16::try_from(len.saturating_sub(ip6::HEADER_LEN)).unwrap_or(0);
            payload_len.copy_from_slice(&payload.to_be_bytes());
        }
        if len > route.mtu as usize {
            // `ip6_fragment`: not its own packet, so its sender is to make it smaller.
            let message = ip6::icmp::Message6::PacketTooBig { mtu: route.mtu };
            self.icmp6_error(ns, None, &frame, message);
            return Err((frame, DropReason::PacketTooBig));
        }
        let _ = self.ip6_output(ns, &route, false, frame);
        Ok(true)
    }

    /// The ipvlan in mode l3s on `device` that a packet received there is for (`ipvlan_skb_to_addr`).
    #[inline]
    pub(crate) fn l3s_owner(device: &Device, destination: impl Into<IpAddr>) -> Option<DevId> {
        match &device.rx_handler {
            RxHandler::IpvlanPort(port) if port.mode == Mode::L3s => port.lookup(destination.into()),
            _ => None,
        }
    }

    /// `ipvlan_l3_rcv`, `ipvlan_nf_input`: a packet that came in on `dev` takes the route that it has on ipvlan
    /// `owner`, and passes to that one at the end of local delivery. Gives the frame back if that route
    /// leads nowhere.
    pub(super) fn l3s_receive(
        &mut self,
        dev: DevId,
        owner: DevId,
        header: Header,
        frame: Frame,
    ) -> Option<Frame> {
        match self.route_input(owner, &header, frame.mark) {
            Ok(InRoute::Deliver(kind)) => {
                self.local_deliver_to(dev, owner, header, kind, frame);
                None
            }
            _ => Some(frame),
        }
    }

    /// `ipvlan_nf_input`: what was delivered locally on `dev` is the ipvlan's from here on.
    #[inline]
    pub(crate) fn hand_to_owner(&mut self, owner: DevId, frame: &mut Frame) {
        if let Some(device) = self.devs.get_mut(owner) {
            frame.iif = device.ifindex;
            device.stats.rx_packets += 1;
            device.stats.rx_bytes += frame.len().max(ETH_LEN) as u64;
        }
    }
}
