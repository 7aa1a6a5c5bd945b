//! Sending IPv4 packets of this host (`ip_local_out`, `ip_output`, `ip_mc_output`).

use std::net::Ipv4Addr;

use hairpin_netlink::netfilter::Hook;
use hairpin_netlink::{Errno, PacketType};

use crate::device::DevId;
use crate::frame::{ETH_LEN, Frame, Owner, Partial, ethertype};
use crate::mac::Mac;
use crate::netfilter::{At, Track};
use crate::netns::NsId;
use crate::route::RouteKind;
use crate::world::{Waiting, World};

use super::options::{self, Side};
use super::route::{OutKey, OutRoute};
use super::{HEADER_LEN, Header, fold, pseudo_sum};

/// What the header of a packet of this host says besides its route.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a> {
    pub protocol: u8,
    pub tos: u8,
    pub ttl: u8,
    pub dont_fragment: bool,
    /// None: the namespace's next.
    pub id: Option<u16>,
    pub mark: u32,
    pub options: &'a [u8],
    /// Multicast and broadcast are delivered to this host too.
    pub loop_back: bool,
    /// The connection of the packet that an ICMP error is about.
    pub track: Track,
    /// Whose socket sends it.
    pub owner: Owner,
    /// The device that the socket is bound to, by interface index; 0 for none.
    pub bound: u32,
    /// Where in the payload the checksum stands that is left to the device (`CHECKSUM_PARTIAL`).
    pub partial: Option<u8>,
}

impl<'a> Fields<'a> {
    pub fn new(protocol: u8, ttl: u8) -> Fields<'a> {
        Fields {
            protocol,
            tos: 0,
            ttl,
            dont_fragment: false,
            id: None,
            mark: 0,
            options: &[],
            loop_back: true,
            track: Track::default(),
            owner: Owner::Nobody,
            bound: 0,
            partial: None,
        }
    }
}

/// Whether `vrf_ip_out` leaves a packet alone: one to a group, or the limited broadcast, but not a network's.
#[inline]
fn is_to_all(route: &OutRoute) -> bool {
    route.destination.is_multicast() || route.destination.is_broadcast()
}

/// `rt_tos2priority`
pub(crate) fn priority_of(tos: u8) -> u32 {
    /// `ip_tos2prio`: best effort, bulk, interactive, both; without the bit of congestion.
    const PRIORITIES: [u32; 8] = [0, 0, 2, 2, 6, 6, 4, 4];
    PRIORITIES[usize::from(tos >> 2 & 7)]
}

impl World {
    /// Builds a packet of `len` bytes of payload, which `write` fills, and sends it by `route`.
    ///
    /// # Errors
    /// See [`World::ip_output`].
    #[inline]
    pub(crate) fn ip_send(
        &mut self,
        ns: NsId,
        route: &OutRoute,
        fields: Fields<'_>,
        len: usize,
        write: impl FnOnce(&mut [u8]),
    ) -> Result<(), Errno> {
        let header_len = HEADER_LEN + fields.options.len().next_multiple_of(4);
        let mut frame = self.pool.frame(ETH_LEN + header_len + len);
        frame.mark = fields.mark;
        frame.track = fields.track;
        frame.owner = fields.owner;
        if fields.owner == Owner::Program {
            // `IP_TOS` sets what `sk_priority` is.
            frame.priority = priority_of(fields.tos);
        }
        frame.bound = fields.bound;
        frame.partial = fields.partial.map_or(Partial::default(), |field| Partial::new(len, field));
        self.name_frame(&mut frame);
        let id = fields.id.unwrap_or_else(|| self.next_ip_id(ns));
        let header = Header {
            header_len,
            tos: fields.tos,
            total_len: header_len + len,
            id,
            fragment: if fields.dont_fragment { super::FLAG_DF } else { 0 },
            ttl: fields.ttl,
            protocol: fields.protocol,
            source: route.source,
            destination: route.destination,
        };
        let Some((link, packet)) = frame.bytes_mut().split_at_mut_checked(ETH_LEN) else {
            return Ok(());
        };
        // The addresses are the neighbour layer's; the type says what this is until then.
        link[12..].copy_from_slice(&ethertype::IPV4.to_be_bytes());
        if let Some((head, body)) = packet.split_at_mut_checked(header_len) {
            if let Some(options) = head.get_mut(HEADER_LEN..).filter(|options| !options.is_empty()) {
                options.fill(0);
                for (to, from) in options.iter_mut().zip(fields.options) {
                    *to = *from;
                }
            }
            write(body);
            if let Some(field) = fields.partial {
                let pseudo = pseudo_sum(route.source, route.destination, fields.protocol, len) << 16;
                if let Some(place) =
                    body.get_mut(usize::from(field)..).and_then(|rest| rest.first_chunk_mut())
                {
                    *place = fold(pseudo).to_be_bytes();
                }
            }
            if fields.protocol == super::protocol::ICMP
                && let Some(netns) = self.netns.get_mut(ns)
            {
                netns.counters.count_icmp_out(body.first().copied());
            }
        }
        if !fields.options.is_empty() {
            self.build_options(ns, packet, header_len, route.source);
        }
        header.write(packet);
        let sent = self.ip_output(ns, route, fields.loop_back, frame);
        // `ip_send_skb`; TCP counts nothing.
        if sent.is_err()
            && fields.protocol != super::protocol::TCP
            && let Some(netns) = self.netns.get_mut(ns)
        {
            netns.counters.out_discards += 1;
        }
        sent
    }

    /// `ip_options_build`
    #[inline(never)]
    fn build_options(&self, ns: NsId, packet: &mut [u8], header_len: usize, source: Ipv4Addr) {
        let is_elsewhere = |address| self.address_kind(ns, address) == RouteKind::Unicast;
        // What is wrong was refused when the socket got it.
        if let Ok(slots) = options::take_slots(packet, header_len, Side::Sends, is_elsewhere) {
            options::fill(packet, &slots, source, self.time_of_day_ms());
        }
    }

    /// The namespace's next identification.
    pub(crate) fn next_ip_id(&mut self, ns: NsId) -> u16 {
        let Some(netns) = self.netns.get_mut(ns) else { return 1 };
        netns.ip_id = netns.ip_id.wrapping_add(1).max(1);
        netns.ip_id
    }

    /// Sends a finished packet (link header unwritten) by its route.
    ///
    /// # Errors
    /// `EPERM`: netfilter has dropped it; others: it changed the packet, and there is no way to the new
    /// destination.
    pub(crate) fn ip_output(
        &mut self,
        ns: NsId,
        route: &OutRoute,
        loop_back: bool,
        mut frame: Frame,
    ) -> Result<(), Errno> {
        let (mut route, filtered) = (route, self.has_netfilter(ns));
        let mut other = None;
        if filtered {
            let (way, back) = self.filtered_output(ns, *route, frame)?;
            (route, frame) = (other.insert(way), back);
        }
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.counters.out_requests += 1;
            netns.counters.carried.left(frame.payload_len());
            netns.counters.carried.sends(route.kind, frame.payload_len());
        }
        frame.path_mtu = u16::try_from(route.mtu).unwrap_or(u16::MAX);
        frame.tunnel = route.tunnel;
        let next_hop = Some(route.next_hop().into());
        let at = At { ns, hook: Hook::Postrouting, input: None, output: Some(route.dev), next_hop };
        if !is_to_all(route) && !self.vrf_lets_out(route.dev, &frame) {
            self.drop_frame(Some(route.dev), frame, crate::DropReason::QdiscDrop);
            return Ok(());
        }
        if matches!(route.kind, RouteKind::Multicast | RouteKind::Broadcast) {
            let Some(back) = self.output_to_group(at, route, loop_back, frame) else { return Ok(()) };
            frame = back;
        }
        let passed = self.filter(at, frame).ok_or(Errno::EPERM)?;
        self.fragment_and_send(route.dev, route.next_hop(), route.mtu, passed);
        Ok(())
    }

    /// What is for several stations may be for this host too, which gets a copy, and need not leave it.
    #[inline(never)]
    fn output_to_group(&mut self, at: At, route: &OutRoute, loop_back: bool, frame: Frame) -> Option<Frame> {
        if loop_back && (route.kind == RouteKind::Broadcast || route.local) {
            // The copy passes the last hook by itself.
            let copy = self.pool.copy(&frame);
            if let Some(copy) = self.filter(at, copy) {
                self.loop_back(route.dev, route.kind, &copy.into_frame());
            }
        }
        if route.kind == RouteKind::Multicast && frame.payload().get(8) == Some(&0) {
            // `ip_mc_output`: TTL 0 stays on this host.
            self.consume(frame);
            return None;
        }
        Some(frame)
    }

    /// The hooks for this host's own packets: a VRF's, if the packet is to leave by that, and its device's.
    #[inline(never)]
    fn filtered_output(
        &mut self,
        ns: NsId,
        mut route: OutRoute,
        mut frame: Frame,
    ) -> Result<(OutRoute, Frame), Errno> {
        if !is_to_all(&route) {
            (route, frame) = self.vrf_output(ns, route, frame)?;
        }
        self.own_output(ns, route.dev, route, frame)
    }

    /// The hook for this host's own packets, which are to leave by `out`. What it changes may change the way
    /// (`ip_route_me_harder`).
    ///
    /// # Errors
    /// `EPERM`: they may not; others: there is no way to where they go now.
    pub(crate) fn own_output(
        &mut self,
        ns: NsId,
        out: DevId,
        route: OutRoute,
        frame: Frame,
    ) -> Result<(OutRoute, Frame), Errno> {
        let decides = |frame: &Frame| {
            let header = Header::quoted(frame.payload());
            header.map(|header| (header.source, header.destination, header.tos, frame.mark))
        };
        let before = decides(&frame);
        let next_hop = Some(route.next_hop().into());
        let at = At { ns, hook: Hook::Output, input: None, output: Some(out), next_hop };
        let frame = self.filter_own(at, frame)?.into_frame();
        let after = decides(&frame);
        let Some((source, destination, tos, mark)) = after.filter(|_| after != before) else {
            return Ok((route, frame));
        };
        let oif = self.device_anew(route.dev, frame.bound, destination.into());
        let tos = tos & 0x1e;
        let key = OutKey { source, oif, tos, mark, any_source: true, ..OutKey::to(ns, destination) };
        match self.route_output(key) {
            Ok(other) => Ok((other, frame)),
            Err(errno) => {
                self.drop_frame(Some(route.dev), frame, crate::DropReason::NetfilterDrop);
                Err(errno)
            }
        }
    }

    /// `ip_mc_finish_output`, `dev_loopback_xmit`: a copy of a broadcast or multicast for this host's own
    /// sockets. Taps, bridges and macvlans let it pass unseen (`PACKET_LOOPBACK`).
    fn loop_back(&mut self, dev: DevId, kind: RouteKind, frame: &Frame) {
        let mut copy = self.pool.copy(frame);
        copy.set_header(Mac::ZERO, Mac::ZERO, ethertype::IPV4);
        copy.packet_type = PacketType::Host;
        self.enqueue(Waiting::Looped { dev, kind, frame: copy });
    }

    /// The copy of [`World::loop_back`] is delivered.
    pub(crate) fn receive_looped(&mut self, dev: DevId, kind: RouteKind, mut frame: Frame) {
        frame.iif = self.devs.get(dev).map_or(0, |device| device.ifindex);
        frame.vrf_port = self.vrf_ifindex(dev);
        let Some(ns) = self.devs.get(dev).map(|device| device.ns) else { return };
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.counters.in_receives += 1;
            netns.counters.carried.came(frame.payload().len());
        }
        match Header::parse(frame.payload()) {
            Ok(mut header) => {
                if let Some(netns) = self.netns.get_mut(ns) {
                    netns.counters.carried.ecn[usize::from(header.tos & 3)] += 1;
                    netns.counters.carried.delivers(kind, frame.payload().len());
                }
                if self.has_netfilter(ns) {
                    let Some(passed) = self.prerouting(ns, dev, header, frame) else { return };
                    (header, frame) = passed;
                }
                self.local_deliver(dev, header, kind, frame);
            }
            Err(reason) => self.drop_frame(Some(dev), frame, reason),
        }
    }

    /// Checks that a packet of this host may go out whole or in fragments (`__ip_append_data`).
    ///
    /// # Errors
    /// `EMSGSIZE` with the MTU, where it may not.
    pub(crate) fn check_size(
        &self,
        route: &OutRoute,
        total_len: usize,
        may_fragment: bool,
    ) -> Result<(), (Errno, u32)> {
        if total_len > 65535 || (!may_fragment && total_len > route.mtu as usize) {
            return Err((Errno::EMSGSIZE, route.mtu));
        }
        Ok(())
    }

    /// A packet could not be delivered on the link of `dev`: its sender is told (`ipv4_link_failure`), and looked for in the
    /// VRF of that device. The frame has no link header.
    pub(crate) fn link_failure(&mut self, dev: DevId, frame: &Frame) {
        use super::icmp::{Message, Unreachable};
        let Some(ns) = self.devs.get(dev).map(|device| device.ns) else { return };
        let message = Message::Unreachable(Unreachable::Host);
        self.icmp_error(ns, Some(dev), frame, message);
    }

    /// TTL of a packet that this host sends from `source`.
    #[inline]
    pub(crate) fn default_ttl(&self, ns: NsId, source: Ipv4Addr) -> u8 {
        let Some(netns) = self.netns.get(ns) else { return 64 };
        let answer = self.hosts.get(netns.host).and_then(|host| host.answer_ttl.get(&source));
        answer.copied().unwrap_or(netns.sysctl.ip_default_ttl)
    }
}
