//! Frames of vxlan devices beside the tunnel itself: what is answered for neighbours behind it, what goes to them at once,
//! what stays on this host, and what comes in (drivers/net/vxlan/vxlan_core.c).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::dev::tunnel::{TunnelInfo, VXLAN_LEN};
use crate::dev::vxlan::{self, Learned, Missed, Neighbour};
use crate::dev::{Kind, PacketType};
use crate::device::{DevId, Flags};
use crate::drop_reason::DropReason;
use crate::frame::{ETH_LEN, Frame, ethertype};
use crate::ip::{Header, UDP_LEN};
use crate::ip6::icmp::kind;
use crate::ip6::{self, next, seal_icmp};
use crate::mac::Mac;
use crate::neigh::arp::{ARP_LEN, Arp, REPLY, REQUEST};
use crate::neigh::ndisc::{Options, address_at, option};
use crate::neigh::nud;
use crate::netns::NsId;
use crate::world::{Waiting, World};

use super::tunnel::From;

/// Bytes of a neighbour solicitation or advertisement without options, and of an option with a MAC.
const ADVERTISEMENT_LEN: usize = 24;
const OPTION_LEN: usize = 8;

impl World {
    /// `vxlan_xmit`, before the frame finds its remote: requests for neighbours are answered here, and what goes to the
    /// MAC of a router may get that of the neighbour itself; whether it did is told with the frame.
    pub(super) fn vxlan_prepare(&mut self, dev: DevId, frame: Frame) -> Option<(Frame, bool)> {
        let now = self.now;
        let state = self.vxlan_mut(dev)?;
        let Some(network) = state.network_of(&frame) else { return Some((frame, false)) };
        if state.config.proxy {
            if frame.ethertype() == ethertype::ARP {
                self.vxlan_answer_arp(dev, network, Arp::parse(frame.payload()));
                self.consume(frame);
                return None;
            }
            if let Some((header, target)) = solicited(&frame) {
                self.vxlan_answer_solicitation(dev, network, &frame, (header, target));
                self.consume(frame);
                return None;
            }
        }
        let state = self.vxlan_mut(dev)?;
        if !state.short_circuit(&frame, network, now) {
            return Some((frame, false));
        }
        let destination = match frame.ethertype() {
            ethertype::IPV4 => Header::quoted(frame.payload()).map(|header| IpAddr::V4(header.destination)),
            ethertype::IPV6 => {
                ip6::Header::quoted(frame.payload()).map(|header| IpAddr::V6(header.destination))
            }
            _ => None,
        };
        let Some(destination) = destination else { return Some((frame, false)) };
        let router = frame.destination();
        match self.vxlan_neighbour(dev, destination, false) {
            Neighbour::At(mac) if mac != router => {
                let mut frame = frame;
                let kind = frame.ethertype();
                frame.set_header(mac, router, kind);
                Some((frame, true))
            }
            Neighbour::Unknown => {
                self.vxlan_misses(dev, destination);
                Some((frame, false))
            }
            _ => Some((frame, false)),
        }
    }

    /// `neigh_lookup`; with `sure`, an entry has to be a sure one.
    fn vxlan_neighbour(&self, dev: DevId, address: IpAddr, sure: bool) -> Neighbour {
        let device = self.devs.get(dev);
        let found = device
            .and_then(|device| self.netns.get(device.ns)?.neighbours(address).get(device.ifindex, address));
        match found {
            None => Neighbour::Unknown,
            Some(entry) if sure && entry.state & nud::CONNECTED == 0 => Neighbour::Unsure,
            Some(entry) => Neighbour::At(entry.mac),
        }
    }

    fn vxlan_misses(&mut self, dev: DevId, address: IpAddr) {
        if self.vxlan(dev).is_some_and(|state| state.config.l3miss) {
            self.notify_vxlan_miss(dev, Missed::Address(address));
        }
    }

    /// `arp_reduce`
    fn vxlan_answer_arp(&mut self, dev: DevId, network: u32, arp: Option<Arp>) {
        let noarp = self.devs.get(dev).is_none_or(|device| device.flags.contains(Flags::NOARP));
        let Some(arp) = arp.filter(|arp| arp.operation == REQUEST && !noarp) else { return };
        if arp.target.is_loopback() || arp.target.is_multicast() {
            return;
        }
        let now = self.now;
        match self.vxlan_neighbour(dev, arp.target.into(), true) {
            Neighbour::Unknown => self.vxlan_misses(dev, arp.target.into()),
            Neighbour::Unsure => {}
            Neighbour::At(mac) => {
                if self.vxlan_mut(dev).and_then(|state| state.answers_for((mac, network), now)).is_none() {
                    return;
                }
                let mut reply = self.pool.frame(ETH_LEN + ARP_LEN);
                reply.set_header(arp.sender_mac, mac, ethertype::ARP);
                let answer = Arp {
                    operation: REPLY,
                    sender_mac: mac,
                    sender: arp.target,
                    target_mac: arp.sender_mac,
                    target: arp.sender,
                };
                answer.write(reply.payload_mut());
                self.vxlan_answer(dev, reply);
            }
        }
    }

    /// `neigh_reduce`
    fn vxlan_answer_solicitation(
        &mut self,
        dev: DevId,
        network: u32,
        request: &Frame,
        (header, target): (ip6::Header, Ipv6Addr),
    ) {
        let off = self.devs.get(dev).is_none_or(|device| device.ipv6_disabled);
        if off || header.destination.is_loopback() || target.is_multicast() {
            return;
        }
        let now = self.now;
        match self.vxlan_neighbour(dev, target.into(), true) {
            Neighbour::Unknown => self.vxlan_misses(dev, target.into()),
            Neighbour::Unsure => {}
            Neighbour::At(mac) => {
                let Some(router) =
                    self.vxlan_mut(dev).and_then(|state| state.answers_for((mac, network), now))
                else {
                    return;
                };
                let body = request.payload().get(ip6::HEADER_LEN + ADVERTISEMENT_LEN..).unwrap_or(&[]);
                let Some(options) = Options::parse(body) else { return };
                let to = options.mac(option::SOURCE_MAC).ok().flatten().unwrap_or(request.source());
                let reply = self.vxlan_advertisement(header, target, mac, router, to);
                self.vxlan_answer(dev, reply);
            }
        }
    }

    /// `vxlan_na_create`
    fn vxlan_advertisement(
        &mut self,
        asked: ip6::Header,
        target: Ipv6Addr,
        mac: Mac,
        router: bool,
        to: Mac,
    ) -> Frame {
        const SOLICITED_OVERRIDE: u8 = 0x60;
        let len = ADVERTISEMENT_LEN + OPTION_LEN;
        let mut reply = self.pool.frame(ETH_LEN + ip6::HEADER_LEN + len);
        reply.set_header(to, mac, ethertype::IPV6);
        let packet = reply.payload_mut();
        let header = ip6::Header {
            flow_label: 0,
            payload_len: len,
            next_header: next::ICMP,
            hop_limit: 255,
            source: target,
            destination: asked.source,
            ..asked
        };
        header.write(packet);
        if let Some(message) = packet.get_mut(ip6::HEADER_LEN..)
            && message.len() == len
        {
            message.fill(0);
            message[0] = kind::NEIGHBOUR_ADVERTISEMENT;
            message[4] = SOLICITED_OVERRIDE | if router { 0x80 } else { 0 };
            message[8..24].copy_from_slice(&target.octets());
            message[24..26].copy_from_slice(&[option::TARGET_MAC, 1]);
            message[26..32].copy_from_slice(&mac.0);
            seal_icmp(target, asked.source, message);
        }
        reply
    }

    /// `netif_rx` of an answer made here.
    fn vxlan_answer(&mut self, dev: DevId, mut reply: Frame) {
        reply.packet_type = PacketType::Host;
        self.name_frame(&mut reply);
        self.enqueue(Waiting::Receive { dev, frame: reply });
    }

    /// `encap_bypass_if_local`: the other end is this host; no packet is made.
    pub(super) fn vxlan_bypass(
        &mut self,
        dev: DevId,
        underlay: NsId,
        socket: (u16, bool),
        vni: u32,
        frame: Frame,
    ) {
        let Some(to) = self.vxlan_with(underlay, socket, vni) else {
            if let Some(device) = self.devs.get_mut(dev) {
                device.stats.tx_errors += 1;
            }
            return self.drop_frame(Some(dev), frame, DropReason::VxlanVniNotFound);
        };
        let snoop = self.vxlan(to).is_some_and(|state| state.config.learning);
        self.vxlan_encap_bypass(dev, to, snoop, frame);
    }

    /// `vxlan_encap_bypass`: from one vxlan device into another, or into itself.
    pub(super) fn vxlan_encap_bypass(&mut self, dev: DevId, to: DevId, snoop: bool, mut frame: Frame) {
        let (source, len, now) = (frame.source(), frame.len() as u64, self.now);
        let Some(target) = self.devs.get_mut(to) else { return };
        let Kind::Vxlan(state) = &mut target.kind else { return };
        let loopback = match state.config.is_over_ipv6() {
            true => IpAddr::V6(Ipv6Addr::LOCALHOST),
            false => IpAddr::V4(Ipv4Addr::LOCALHOST),
        };
        // What the entry says of a fixed source does not matter here.
        let key = (source, 0);
        let learned = snoop && state.learn(key, loopback, now).is_ok();
        target.stats.rx_packets += 1;
        target.stats.rx_bytes += len;
        if let Some(device) = self.devs.get_mut(dev) {
            device.stats.tx_packets += 1;
            device.stats.tx_bytes += len;
        }
        if learned {
            self.vxlan_learned(to, key);
        }
        frame.packet_type = PacketType::Host;
        frame.sender = None;
        frame.iif = 0;
        self.enqueue_from_tunnel(to, frame);
    }

    /// The running vxlan device of a namespace's stack on this port, of IPv6 or not, with this network identifier.
    fn vxlan_with(&self, underlay: NsId, socket: (u16, bool), vni: u32) -> Option<DevId> {
        let candidates = self.netns.get(underlay)?.udp_tunnels.get(&socket)?;
        candidates.iter().copied().find(|dev| match self.devs.get(*dev).map(|device| &device.kind) {
            // Devices that go by what a frame says take all networks.
            Some(Kind::Vxlan(state)) => state.config.external || state.config.vni == vni,
            _ => false,
        })
    }

    /// `vxlan_rcv`
    pub(super) fn vxlan_receive(&mut self, ns: NsId, below: DevId, from: From, mut frame: Frame) {
        let start = from.start + UDP_LEN;
        let read = vxlan::read_header(frame.bytes().get(start..).unwrap_or(&[]));
        let read = match read {
            Ok(read) => read,
            Err(reason) => return self.drop_frame(Some(below), frame, reason),
        };
        let vni = read.vni;
        let Some(dev) = self.vxlan_with(ns, from.socket(), vni) else {
            return self.drop_frame(Some(below), frame, DropReason::VxlanVniNotFound);
        };
        let checksum = from.checksum_flag(&frame);
        frame.pull_front(start + VXLAN_LEN);
        if frame.len() < ETH_LEN {
            return self.drop_frame(Some(below), frame, DropReason::PacketTooSmall);
        }
        let (source, now) = (frame.source(), self.now);
        let Some(device) = self.devs.get_mut(dev) else { return };
        let mac = device.mac;
        let Kind::Vxlan(state) = &mut device.kind else { return };
        if !read.is_understood(state.config.policies) {
            return self.drop_frame(Some(below), frame, DropReason::VxlanInvalidHeader);
        }
        if let Some(mark) = read.policy.filter(|_| !state.config.external) {
            frame.mark = mark;
        }
        let key = (source, state.learned_in(vni));
        if state.config.external {
            frame.tunnel = Some(TunnelInfo::came(vni.into(), from.source, TunnelInfo::KEY | checksum));
        }
        match state.receive(mac, key, from.source, now) {
            Ok(Learned::Nothing) => {}
            Ok(Learned::Changed) => self.vxlan_learned(dev, key),
            Err(reason) => return self.drop_frame(Some(below), frame, reason),
        }
        let counted = frame.len() - ETH_LEN;
        self.decapsulated(dev, from.tos, counted, frame);
    }
}

/// The header and the target of a neighbour solicitation.
fn solicited(frame: &Frame) -> Option<(ip6::Header, Ipv6Addr)> {
    let packet = Some(frame).filter(|frame| frame.ethertype() == ethertype::IPV6)?.payload();
    let header = ip6::Header::quoted(packet).filter(|header| header.next_header == next::ICMP)?;
    let message = packet.get(ip6::HEADER_LEN..)?;
    if !message.starts_with(&[kind::NEIGHBOUR_SOLICITATION, 0]) {
        return None;
    }
    Some((header, address_at(message, 8)?))
}
