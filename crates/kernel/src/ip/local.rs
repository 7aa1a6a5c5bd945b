//! Delivery to this host (`ip_local_deliver`): reassembly, raw sockets, the protocol.

use hairpin_netlink::Address;
use hairpin_netlink::netfilter::Hook;

use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::{ETH_LEN, Frame};
use crate::netfilter::At;
use crate::netns::NsId;
use crate::route::RouteKind;
use crate::sock::{Item, Kind, SockId};
use crate::trace::Step;
use crate::world::World;

use super::icmp::{Message, Unreachable};
use super::{Header, protocol};

impl World {
    /// Delivers a packet that the route says is for this host.
    #[inline]
    pub(crate) fn local_deliver(&mut self, dev: DevId, header: Header, delivered: RouteKind, frame: Frame) {
        self.local_deliver_to(dev, dev, header, delivered, frame);
    }

    /// The same for a packet that came in on `dev` and is in the end of `owner`, an ipvlan on it or itself.
    pub(super) fn local_deliver_to(
        &mut self,
        dev: DevId,
        owner: DevId,
        mut header: Header,
        delivered: RouteKind,
        mut frame: Frame,
    ) {
        let Some(ns) = self.devs.get(dev).map(|device| device.ns) else { return };
        if header.is_fragment() {
            let Some(whole) = self.gather(ns, dev, &header, frame) else { return };
            (header, frame) = whole;
        }
        let Some(netns) = self.netns.get_mut(ns) else { return };
        if netns.netfilter.is_none() {
            netns.counters.in_delivers += 1;
        } else {
            let at = At { ns, hook: Hook::Input, input: Some(dev), output: None, next_hop: None };
            let Some(passed) = self.filter(at, frame) else { return };
            frame = passed.into_frame();
            header = Header::quoted(frame.payload()).unwrap_or(header);
            if let Some(netns) = self.netns.get_mut(ns) {
                netns.counters.in_delivers += 1;
            }
        }
        let (dev, ns) = match owner == dev {
            true => (dev, ns),
            false => {
                self.hand_to_owner(owner, &mut frame);
                let Some(ns) = self.devs.get(owner).map(|device| device.ns) else { return };
                (owner, ns)
            }
        };
        let listens = self.netns.get(ns).is_some_and(|netns| !netns.raw.is_empty());
        let raw = listens && self.raw_deliver(ns, &header, &frame);
        match header.protocol {
            protocol::ICMP => self.icmp_receive(ns, dev, &header, delivered, frame),
            protocol::UDP => self.udp_receive(ns, dev, &header, delivered, frame),
            protocol::TCP => self.tcp_receive(ns, dev, &header, delivered, frame),
            protocol::IGMP => self.igmp_receive(dev, frame),
            protocol::GRE | protocol::IPIP | protocol::IPV6 if self.takes_tunnels(ns) => {
                self.ip_tunnel_receive(ns, dev, &header, frame);
            }
            _ if raw => self.consume(frame),
            _ => {
                let message = Message::Unreachable(Unreachable::Protocol);
                self.icmp_error(ns, Some(dev), &frame, message);
                self.drop_frame(Some(dev), frame, DropReason::IpNoProtocol);
            }
        }
    }

    /// `raw_local_deliver`: a copy for every raw socket that matches. True if there was one.
    fn raw_deliver(&mut self, ns: NsId, header: &Header, frame: &Frame) -> bool {
        let Some(netns) = self.netns.get(ns) else { return false };
        let time = self.now;
        let icmp_kind = match header.protocol {
            protocol::ICMP => frame.payload().get(header.header_len).copied(),
            _ => None,
        };
        let mut found = false;
        for id in &netns.raw {
            let Some(socket) = self.sockets.get_mut(*id) else { continue };
            let Kind::Raw(raw) = &socket.kind else { continue };
            if !raw.matches(header.protocol, header.source, header.destination, frame.iif, frame.vrf_port) {
                continue;
            }
            found = true;
            if icmp_kind.is_some_and(|kind| raw.filters_icmp(kind)) {
                continue;
            }
            socket.push(Item::Packet {
                frame: frame.clone(),
                offset: ETH_LEN,
                from: Address::Ipv4 { address: header.source, port: 0 },
                to: Address::Ipv4 { address: header.destination, port: 0 },
                ttl: header.ttl,
                tos: header.tos,
                ifindex: frame.iif,
                time,
            });
        }
        found
    }

    /// Hands a datagram to one socket.
    #[inline]
    pub(crate) fn deliver_to(&mut self, dev: DevId, id: SockId, item: Item) {
        if let Item::Packet { frame, .. } = &item {
            self.trace_step(dev, frame, Step::Deliver("socket"));
        }
        let Some(socket) = self.sockets.get_mut(id) else { return };
        if let Err(Item::Packet { frame, .. }) = socket.offer(item) {
            self.drop_frame(Some(dev), frame, DropReason::SocketReceiveBuffer);
        }
    }
}
