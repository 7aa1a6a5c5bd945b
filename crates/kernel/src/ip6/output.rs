//! Sending IPv6 packets of this host (`ip6_local_out`, `ip6_output`).

use std::hash::{Hash as _, Hasher as _};

use hairpin_netlink::netfilter::Hook;
use hairpin_netlink::{Errno, PacketType};
use rustc_hash::FxHasher;

use crate::device::DevId;
use crate::frame::{ETH_LEN, Frame, Owner, Partial, ethertype};
use crate::mac::Mac;
use crate::netfilter::{At, Track};
use crate::netns::NsId;
use crate::route::RouteKind;
use crate::world::{Waiting, World};

use super::address::needs_device;
use super::route::{OutKey6, OutRoute6};
use super::{HEADER_LEN, Header, next, pseudo_sum};
use crate::ip::fold;

/// What the header of a packet of this host says besides its route.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields6 {
    pub protocol: u8,
    pub traffic_class: u8,
    pub hop_limit: u8,
    pub mark: u32,
    /// Multicast is delivered to this host too.
    pub loop_back: bool,
    /// The connection of the packet that an ICMPv6 error is about.
    pub track: Track,
    /// Whose socket sends it.
    pub owner: Owner,
    /// The device that the socket is bound to, by interface index; 0 for none.
    pub bound: u32,
    /// Where in the payload the checksum stands that is left to the device (`CHECKSUM_PARTIAL`).
    pub partial: Option<u8>,
}

impl Fields6 {
    pub fn new(protocol: u8, hop_limit: u8) -> Fields6 {
        Fields6 {
            protocol,
            traffic_class: 0,
            hop_limit,
            mark: 0,
            loop_back: true,
            track: Track::default(),
            owner: Owner::Nobody,
            bound: 0,
            partial: None,
        }
    }
}

impl World {
    /// Builds a packet of `len` bytes of payload, which `write` fills, and sends it by `route`.
    ///
    /// # Errors
    /// See [`World::ip6_output`].
    #[inline]
    pub(crate) fn ip6_send(
        &mut self,
        ns: NsId,
        route: &OutRoute6,
        fields: Fields6,
        len: usize,
        write: impl FnOnce(&mut [u8]),
    ) -> Result<(), Errno> {
        let mut frame = self.pool.frame(ETH_LEN + HEADER_LEN + len);
        frame.mark = fields.mark;
        frame.track = fields.track;
        frame.owner = fields.owner;
        frame.bound = fields.bound;
        frame.partial = fields.partial.map_or(Partial::default(), |field| Partial::new(len, field));
        self.name_frame(&mut frame);
        let header = Header {
            traffic_class: fields.traffic_class,
            flow_label: flow_label(route, fields.protocol),
            payload_len: len,
            next_header: fields.protocol,
            hop_limit: fields.hop_limit,
            source: route.source,
            destination: route.destination,
        };
        let Some((link, packet)) = frame.bytes_mut().split_at_mut_checked(ETH_LEN) else {
            return Ok(());
        };
        // The addresses are the neighbour layer's; the type says what this is until then.
        link[12..].copy_from_slice(&ethertype::IPV6.to_be_bytes());
        header.write(packet);
        if let Some(body) = packet.get_mut(HEADER_LEN..) {
            write(body);
            if let Some(field) = fields.partial
                && let Some(place) =
                    body.get_mut(usize::from(field)..).and_then(|rest| rest.first_chunk_mut())
            {
                let sum = pseudo_sum(route.source, route.destination, fields.protocol, len);
                *place = fold(sum).to_be_bytes();
            }
            if fields.protocol == next::ICMP
                && let Some(netns) = self.netns.get_mut(ns)
            {
                netns.counters6.count_icmp_out(body.first().copied().unwrap_or(0));
            }
        }
        self.ip6_output(ns, route, fields.loop_back, frame)
    }

    /// Sends a finished packet (link header unwritten) by its route.
    ///
    /// # Errors
    /// `EPERM`: netfilter has dropped it; others: it changed the packet, and there is no way to the new
    /// destination.
    pub(crate) fn ip6_output(
        &mut self,
        ns: NsId,
        route: &OutRoute6,
        loop_back: bool,
        frame: Frame,
    ) -> Result<(), Errno> {
        let mut frame = frame;
        let mut route = *route;
        // `vrf_ip6_out` leaves what is of one link alone.
        let on_link = needs_device(route.destination);
        if self.has_netfilter(ns) {
            if !on_link {
                (route, frame) = self.vrf_output6(ns, route, frame)?;
            }
            (route, frame) = self.own_output6(ns, route.dev, route, frame)?;
        }
        let next_hop = Some(route.next_hop().into());
        let at = At { ns, hook: Hook::Postrouting, input: None, output: Some(route.dev), next_hop };
        let group = route.kind == RouteKind::Multicast;
        frame.path_mtu = u16::try_from(route.mtu).unwrap_or(u16::MAX);
        frame.tunnel = route.tunnel;
        if route.kind == RouteKind::Local {
            frame.iif = route.owner;
        }
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.counters6.sent(frame.len() - ETH_LEN, group);
        }
        if !on_link && !self.vrf_lets_out(route.dev, &frame) {
            self.drop_frame(Some(route.dev), frame, crate::DropReason::QdiscDrop);
            return Ok(());
        }
        if group {
            if loop_back && self.listens_to(route.dev, route.destination) {
                // The copy passes the last hook by itself.
                let copy = self.pool.copy(&frame);
                if let Some(copy) = self.filter(at, copy) {
                    self.loop_back6(route.dev, &copy.into_frame());
                }
            }
            // `ip6_finish_output2`: groups of the interface, and hop limit 0, stay on this host.
            let stays = frame.payload().get(7) == Some(&0) || super::address::scope(route.destination) <= 1;
            if stays && !self.devs.get(route.dev).is_some_and(|device| device.is_loopback()) {
                self.consume(frame);
                return Ok(());
            }
        }
        let passed = self.filter(at, frame).ok_or(Errno::EPERM)?;
        self.fragment_and_send6(ns, (route.dev, route.next_hop()), route.mtu, passed);
        Ok(())
    }

    /// The hook for this host's own packets, which are to leave by `out`. What it changes may change the way
    /// (`ip6_route_me_harder`).
    ///
    /// # Errors
    /// `EPERM`: they may not; others: there is no way to where they go now.
    pub(crate) fn own_output6(
        &mut self,
        ns: NsId,
        out: DevId,
        route: OutRoute6,
        frame: Frame,
    ) -> Result<(OutRoute6, Frame), Errno> {
        let decides = |frame: &Frame| {
            let header = Header::quoted(frame.payload());
            header.map(|header| (header.source, header.destination, frame.mark))
        };
        let before = decides(&frame);
        let next_hop = Some(route.next_hop().into());
        let at = At { ns, hook: Hook::Output, input: None, output: Some(out), next_hop };
        let frame = self.filter_own(at, frame)?.into_frame();
        let after = decides(&frame);
        let Some((source, destination, mark)) = after.filter(|_| after != before) else {
            return Ok((route, frame));
        };
        let oif = self.device_anew(route.dev, frame.bound, destination.into());
        match self.seek_output6(OutKey6 { source, oif, mark, ..OutKey6::to(ns, destination) }) {
            Ok(other) => Ok((other, frame)),
            Err(errno) => {
                self.drop_frame(Some(route.dev), frame, crate::DropReason::NetfilterDrop);
                Err(errno)
            }
        }
    }

    /// `ip6_finish_output2`, `dev_loopback_xmit`: a copy of a multicast for this host's own sockets.
    fn loop_back6(&mut self, dev: DevId, frame: &Frame) {
        let mut copy = self.pool.copy(frame);
        copy.set_header(Mac::ZERO, Mac::ZERO, ethertype::IPV6);
        copy.packet_type = PacketType::Host;
        self.enqueue(Waiting::Looped { dev, kind: RouteKind::Multicast, frame: copy });
    }

    /// The copy of [`World::loop_back6`] is delivered.
    pub(crate) fn receive_looped6(&mut self, dev: DevId, kind: RouteKind, mut frame: Frame) {
        frame.iif = self.devs.get(dev).map_or(0, |device| device.ifindex);
        frame.vrf_port = self.vrf_ifindex(dev);
        let Some(ns) = self.devs.get(dev).map(|device| device.ns) else { return };
        // It comes in like any other (`ipv6_rcv`).
        if let Some(netns) = self.netns.get_mut(ns) {
            let group = frame.payload().get(24) == Some(&0xff);
            netns.counters6.received(frame.payload().len(), group);
        }
        match Header::parse(frame.payload()) {
            Ok(mut header) => {
                if self.has_netfilter(ns) {
                    let Some(passed) = self.prerouting6(ns, dev, header, frame) else { return };
                    (header, frame) = passed;
                }
                self.local_deliver6(dev, header, kind, frame);
            }
            Err(reason) => self.drop_frame(Some(dev), frame, reason),
        }
    }
}

/// `ip6_make_flowlabel`: every flow has a label of its own (RFC 6437).
#[inline]
fn flow_label(route: &OutRoute6, protocol: u8) -> u32 {
    let mut hasher = FxHasher::default();
    (route.source, route.destination, protocol).hash(&mut hasher);
    (hasher.finish() >> 20) as u32 & 0x000f_ffff
}
