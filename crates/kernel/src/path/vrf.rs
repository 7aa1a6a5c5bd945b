//! Packets of VRFs on their way (drivers/net/vrf.c): what the VRF device has of them.

use std::net::IpAddr;

use hairpin_netlink::netfilter::Hook;
use hairpin_netlink::{Errno, PacketType};

use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::{ETH_LEN, Frame, ethertype};
use crate::ip::Header;
use crate::ip::route::{OutKey, OutRoute};
use crate::ip6::address::needs_device;
use crate::ip6::route::{OutKey6, OutRoute6};
use crate::ip6::{self, Header as Header6, next};
use crate::mac::Mac;
use crate::netfilter::{At, Info, Passed, Track};
use crate::netns::NsId;
use crate::route::RouteKind;
use crate::world::{Waiting, World};

impl World {
    /// `vrf_ip_rcv`: an IPv4 packet that came in on `dev`, if that is a VRF's port. The frame is the VRF's from here on,
    /// and meets the first hook once more as such.
    pub(crate) fn vrf_receive(
        &mut self,
        (ns, dev): (NsId, DevId),
        header: Header,
        mut frame: Frame,
    ) -> Option<(Header, Frame)> {
        let Some(vrf) = self.vrf_of(dev) else { return Some((header, frame)) };
        self.vrf_receives(vrf, &mut frame, &header);
        if vrf == dev || header.destination.is_multicast() || !self.has_netfilter(ns) {
            return Some((header, frame));
        }
        let at = At { ns, hook: Hook::Prerouting, input: Some(vrf), output: None, next_hop: None };
        let frame = self.filter(at, frame)?.into_frame();
        Some((Header::quoted(frame.payload()).unwrap_or(header), frame))
    }

    /// `vrf_ip6_rcv`: the same of IPv6. What neighbours say stays the port's; what else is of one link is the VRF's, but is not
    /// seen there.
    pub(crate) fn vrf_receive6(
        &mut self,
        (ns, dev): (NsId, DevId),
        header: Header6,
        mut frame: Frame,
    ) -> Option<(Header6, Frame)> {
        let Some(vrf) = self.vrf_of(dev).filter(|vrf| *vrf != dev) else { return Some((header, frame)) };
        let kind = frame.payload().get(ip6::HEADER_LEN).filter(|_| header.next_header == next::ICMP);
        let is_neighbours = kind.is_some_and(|kind| (133..=137).contains(kind));
        let on_link = needs_device(header.destination);
        if !is_neighbours {
            frame.vrf_port = frame.iif;
            frame.iif = self.devs.get(vrf)?.ifindex;
        }
        if on_link && !is_neighbours {
            return Some((header, frame));
        }
        if !is_neighbours {
            self.vrf_sees(vrf, &mut frame);
        }
        if !self.has_netfilter(ns) {
            return Some((header, frame));
        }
        let at = At { ns, hook: Hook::Prerouting, input: Some(vrf), output: None, next_hop: None };
        let frame = self.filter(at, frame)?.into_frame();
        Some((Header6::quoted(frame.payload()).unwrap_or(header), frame))
    }

    fn vrf_receives(&mut self, vrf: DevId, frame: &mut Frame, header: &Header) {
        frame.vrf_port = frame.iif;
        let Some(device) = self.devs.get_mut(vrf) else { return };
        frame.iif = device.ifindex;
        if !header.destination.is_multicast() {
            self.vrf_sees(vrf, frame);
        }
    }

    /// What a port has received counts as the VRF's, and shows on it.
    fn vrf_sees(&mut self, vrf: DevId, frame: &mut Frame) {
        let Some(device) = self.devs.get_mut(vrf) else { return };
        device.stats.rx_packets += 1;
        device.stats.rx_bytes += frame.payload().len() as u64;
        if !device.taps.is_empty() {
            // `dev_queue_xmit_nit` serves the VRF's taps, so they see it go out.
            self.tap(vrf, frame, PacketType::Outgoing);
        }
    }

    /// `vrf_ip_out_direct`: what is to leave by a VRF's port meets the hooks of this host's own packets as the VRF's
    /// first.
    ///
    /// # Errors
    /// As of [`World::own_output`].
    pub(crate) fn vrf_output(
        &mut self,
        ns: NsId,
        route: OutRoute,
        mut frame: Frame,
    ) -> Result<(OutRoute, Frame), Errno> {
        let Some(passage) = self.enter_vrf(route.dev, &mut frame) else { return Ok((route, frame)) };
        let (route, frame) = self.own_output(ns, passage.vrf, route, frame)?;
        let frame = self.leave_vrf(ns, passage, route.next_hop().into(), frame)?;
        Ok((route, frame))
    }

    /// `vrf_ip6_out_direct`
    ///
    /// # Errors
    /// As of [`World::own_output6`].
    pub(crate) fn vrf_output6(
        &mut self,
        ns: NsId,
        route: OutRoute6,
        mut frame: Frame,
    ) -> Result<(OutRoute6, Frame), Errno> {
        let Some(passage) = self.enter_vrf(route.dev, &mut frame) else { return Ok((route, frame)) };
        let (route, frame) = self.own_output6(ns, passage.vrf, route, frame)?;
        let frame = self.leave_vrf(ns, passage, route.next_hop().into(), frame)?;
        Ok((route, frame))
    }

    /// A packet that is to leave by a port of a VRF is of no connection at the VRF's hooks (`vrf_nf_set_untracked`).
    fn enter_vrf(&self, dev: DevId, frame: &mut Frame) -> Option<Passage> {
        let vrf = self.vrf_of(dev).filter(|vrf| *vrf != dev)?;
        let untracked = matches!(frame.track.info, Info::None | Info::Untracked) && !frame.track.is_tracked();
        if untracked {
            frame.track.info = Info::Untracked;
        }
        Some(Passage { vrf, untracked })
    }

    /// The last of the VRF's hooks; behind it the packet may be of a connection again (`vrf_nf_reset_ct`).
    ///
    /// # Errors
    /// `EPERM`: it may not leave.
    fn leave_vrf(
        &mut self,
        ns: NsId,
        passage: Passage,
        next_hop: IpAddr,
        frame: Frame,
    ) -> Result<Frame, Errno> {
        let (output, next_hop) = (Some(passage.vrf), Some(next_hop));
        let at = At { ns, hook: Hook::Postrouting, input: None, output, next_hop };
        let mut frame = self.filter_own(at, frame)?.into_frame();
        if passage.untracked {
            frame.track = Track::default();
        }
        Ok(frame)
    }

    /// `vrf_ip_out`: a packet of this host that leaves by a VRF's port is seen on the VRF, and does not get past one that
    /// is down.
    #[inline]
    pub(crate) fn vrf_lets_out(&mut self, dev: DevId, frame: &Frame) -> bool {
        // Most devices are no port at all.
        self.devs.get(dev).is_none_or(|device| device.master.is_none()) || self.vrf_passes(dev, frame)
    }

    #[inline(never)]
    fn vrf_passes(&mut self, dev: DevId, frame: &Frame) -> bool {
        let Some(vrf) = self.vrf_of(dev) else { return true };
        let Some(device) = self.devs.get(vrf) else { return true };
        if !device.is_up() {
            return false;
        }
        if device.taps.is_empty() {
            return true;
        }
        let mac = device.mac;
        let mut copy = self.pool.copy(frame);
        copy.set_header(Mac::ZERO, mac, frame.ethertype());
        self.tap(vrf, &copy, PacketType::Outgoing);
        self.consume(copy);
        true
    }

    /// `vrf_process_v4_outbound`: a packet that was transmitted on a VRF is routed by its table.
    pub(super) fn vrf_route(&mut self, vrf: DevId, frame: Frame) {
        if frame.ethertype() == ethertype::IPV6 {
            return self.vrf_route6(vrf, frame);
        }
        let Some(device) = self.devs.get(vrf) else { return };
        let (ns, oif) = (device.ns, device.ifindex);
        let header = Header::quoted(frame.payload()).filter(|_| frame.ethertype() == ethertype::IPV4);
        let route = header.and_then(|header| {
            let (source, tos) = (header.source, header.tos & 0x1e);
            let key = OutKey { source, oif, tos, any_source: true, ..OutKey::to(ns, header.destination) };
            self.route_output(key).ok()
        });
        let Some(route) = route.filter(|route| matches!(route.kind, RouteKind::Unicast | RouteKind::Local))
        else {
            return self.vrf_knows_no_way(vrf, frame);
        };
        let way = (route.dev, route.next_hop().into(), route.mtu);
        if let Some(passed) = self.vrf_sends(vrf, ns, way, frame) {
            self.fragment_and_send(route.dev, route.next_hop(), route.mtu, passed);
        }
    }

    /// `vrf_process_v6_outbound`
    fn vrf_route6(&mut self, vrf: DevId, frame: Frame) {
        let Some(device) = self.devs.get(vrf) else { return };
        let (ns, oif) = (device.ns, device.ifindex);
        let route = Header6::quoted(frame.payload()).and_then(|header| {
            let key = OutKey6 { source: header.source, oif, ..OutKey6::to(ns, header.destination) };
            self.seek_output6(OutKey6 { mark: frame.mark, ..key }).ok()
        });
        let Some(route) = route else { return self.vrf_knows_no_way(vrf, frame) };
        let way = (route.dev, route.next_hop().into(), route.mtu);
        if let Some(passed) = self.vrf_sends(vrf, ns, way, frame) {
            self.fragment_and_send6(ns, (route.dev, route.next_hop()), route.mtu, passed);
        }
    }

    fn vrf_knows_no_way(&mut self, vrf: DevId, frame: Frame) {
        if let Some(device) = self.devs.get_mut(vrf) {
            device.stats.tx_errors += 1;
            device.stats.tx_dropped += 1;
        }
        self.drop_frame(Some(vrf), frame, DropReason::IpOutNoRoutes);
    }

    /// A packet that is to leave a VRF by a device, to a next hop, in pieces of so many bytes. None where it goes no
    /// further: it is for the VRF's own end, or may not.
    fn vrf_sends(
        &mut self,
        vrf: DevId,
        ns: NsId,
        (out, next_hop, mtu): (DevId, IpAddr, u32),
        mut frame: Frame,
    ) -> Option<Passed> {
        let len = frame.len() as u64;
        let device = self.devs.get_mut(vrf)?;
        device.stats.tx_packets += 1;
        device.stats.tx_bytes += len;
        if out == vrf {
            // `vrf_local_xmit`: taps have seen it already.
            device.stats.rx_packets += 1;
            device.stats.rx_bytes += len;
            self.enqueue(Waiting::Looped { dev: vrf, kind: RouteKind::Local, frame });
            return None;
        }
        if frame.len() < ETH_LEN {
            self.drop_frame(Some(vrf), frame, DropReason::PacketTooSmall);
            return None;
        }
        frame.path_mtu = u16::try_from(mtu).unwrap_or(u16::MAX);
        let (output, next_hop) = (Some(out), Some(next_hop));
        self.filter(At { ns, hook: Hook::Postrouting, input: None, output, next_hop }, frame)
    }
}

/// A packet of this host on its way through a VRF's hooks.
#[derive(Clone, Copy)]
struct Passage {
    vrf: DevId,
    /// It is of no connection there, and of none that is known.
    untracked: bool,
}
