//! ARP over Ethernet (RFC 826; net/ipv4/arp.c).

use std::net::Ipv4Addr;
use std::time::Duration;

use hairpin_netlink::PacketType;

use crate::dev::tunnel::TunnelInfo;
use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::{ETH_LEN, Frame, ethertype};
use crate::ip::route::RouteKind;
use crate::mac::Mac;
use crate::netns::NsId;
use crate::sysctl::Conf;
use crate::world::{TimerEvent, World};

use super::nud;
use super::state::Update;

/// Length of an ARP packet for IPv4 over Ethernet.
pub const ARP_LEN: usize = 28;
/// Kinds of hardware that are one: those of frames with a type, and with a length (`ARPHRD_ETHER`, `ARPHRD_IEEE802`).
const ETHERNET: u16 = 1;
const IEEE802: u16 = 6;

/// `ARPOP_*`
pub const REQUEST: u16 = 1;
pub const REPLY: u16 = 2;

/// An ARP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arp {
    pub operation: u16,
    pub sender_mac: Mac,
    pub sender: Ipv4Addr,
    pub target_mac: Mac,
    pub target: Ipv4Addr,
}

impl Arp {
    /// Reads a request or reply for IPv4 over Ethernet; anything else is none.
    pub fn parse(bytes: &[u8]) -> Option<Arp> {
        let bytes = bytes.first_chunk::<ARP_LEN>()?;
        let hardware = u16::from_be_bytes([bytes[0], bytes[1]]);
        let protocol = u16::from_be_bytes([bytes[2], bytes[3]]);
        let operation = u16::from_be_bytes([bytes[6], bytes[7]]);
        if !matches!(hardware, ETHERNET | IEEE802)
            || protocol != ethertype::IPV4
            || bytes[4] != 6
            || bytes[5] != 4
        {
            return None;
        }
        let address = |at: usize| Ipv4Addr::new(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]);
        Some(Arp {
            operation,
            sender_mac: Mac::read(&bytes[8..])?,
            sender: address(14),
            target_mac: Mac::read(&bytes[18..])?,
            target: address(24),
        })
    }

    pub fn write(&self, bytes: &mut [u8]) {
        let Some(bytes) = bytes.first_chunk_mut::<ARP_LEN>() else { return };
        bytes[0..8].copy_from_slice(&[0, 1, 8, 0, 6, 4, 0, 0]);
        bytes[6..8].copy_from_slice(&self.operation.to_be_bytes());
        bytes[8..14].copy_from_slice(&self.sender_mac.0);
        bytes[14..18].copy_from_slice(&self.sender.octets());
        bytes[18..24].copy_from_slice(&self.target_mac.0);
        bytes[24..28].copy_from_slice(&self.target.octets());
    }
}

impl World {
    /// `arp_rcv`, `arp_process`: an ARP packet has reached the protocol layer of `dev`.
    pub(crate) fn arp_receive(&mut self, dev: DevId, frame: Frame) {
        let Some(device) = self.devs.get(dev) else { return };
        let (ns, ifindex) = (device.ns, device.ifindex);
        if device.is_noarp() || frame.packet_type == PacketType::OtherHost {
            return self.drop_frame(Some(dev), frame, DropReason::ArpIgnored);
        }
        let Some(arp) = Arp::parse(frame.payload()) else {
            return self.drop_frame(Some(dev), frame, DropReason::ArpIgnored);
        };
        if !matches!(arp.operation, REQUEST | REPLY) || !self.arp_target_allowed(dev, &arp) {
            return self.drop_frame(Some(dev), frame, DropReason::ArpIgnored);
        }
        let request = arp.operation == REQUEST;
        if arp.sender.is_unspecified() {
            // Duplicate address detection (RFC 5227): answered, but nothing is learned from it.
            if request
                && self.address_kind_at(dev, arp.target) == RouteKind::Local
                && !self.arp_ignores(dev, &arp)
            {
                let back = frame.tunnel.and_then(TunnelInfo::back);
                let answer = (REPLY, arp.sender, arp.target);
                self.arp_send_by(back, dev, answer, Some(arp.sender_mac), arp.sender_mac);
            }
            return self.consume(frame);
        }
        if request {
            match self.route_input_kind(dev, arp.target, arp.sender, true) {
                Some((RouteKind::Local, _)) => {
                    if !self.arp_ignores(dev, &arp)
                        && !self.arp_filtered(dev, &arp)
                        && self.arp_learn_sender(ns, ifindex, &arp)
                    {
                        let back = frame.tunnel.and_then(TunnelInfo::back);
                        let answer = (REPLY, arp.sender, arp.target);
                        self.arp_send_by(back, dev, answer, Some(arp.sender_mac), arp.sender_mac);
                    }
                    return self.consume(frame);
                }
                Some((RouteKind::Unicast, out)) if self.arp_proxies(dev, out, &arp) => {
                    self.arp_learn_sender(ns, ifindex, &arp);
                    return self.arp_proxy_reply(dev, &arp, frame);
                }
                _ => {}
            }
        }
        self.arp_update(ns, dev, &arp, frame.packet_type);
        self.consume(frame);
    }

    fn arp_target_allowed(&self, dev: DevId, arp: &Arp) -> bool {
        let conf = |conf| self.dev_conf_either(dev, conf);
        let loopback = arp.target.is_loopback() && !conf(Conf::RouteLocalnet);
        let gratuitous = arp.sender == arp.target && conf(Conf::DropGratuitousArp);
        !arp.target.is_multicast() && !loopback && !gratuitous
    }

    /// `arp_ignore`: whether this device keeps silent about the target address.
    fn arp_ignores(&self, dev: DevId, arp: &Arp) -> bool {
        let Some(device) = self.devs.get(dev) else { return true };
        let on_device = |strict_sender: bool| {
            device.ipv4.iter().any(|address| {
                address.local == arp.target
                    && (!strict_sender
                        || arp.sender.is_unspecified()
                        || same_subnet(address.peer, arp.sender, address.prefix_len))
            })
        };
        match self.dev_conf_larger(dev, Conf::ArpIgnore) {
            0 => false,
            1 => !on_device(false),
            2 => !on_device(true),
            3 => {
                // Only addresses that are not of host scope, on whichever device.
                let ns = device.ns;
                !self.devices_of(ns).any(|other| {
                    other.ipv4.iter().any(|address| address.local == arp.target && address.scope != 254)
                })
            }
            8 => true,
            _ => false,
        }
    }

    /// `arp_filter`: answers only if the way back to the sender leaves through this device.
    fn arp_filtered(&mut self, dev: DevId, arp: &Arp) -> bool {
        if !self.dev_conf_either(dev, Conf::ArpFilter) {
            return false;
        }
        let Some(ns) = self.devs.get(dev).map(|device| device.ns) else { return true };
        match self.route_output_simple(ns, arp.sender, arp.target) {
            Ok(route) => route.dev != dev,
            Err(_) => true,
        }
    }

    /// `arp_fwd_proxy`, `arp_fwd_pvlan`, `pneigh_lookup`
    fn arp_proxies(&self, dev: DevId, out: DevId, arp: &Arp) -> bool {
        let Some(device) = self.devs.get(dev) else { return false };
        if !device.ipv4_conf.is_set(Conf::Forwarding) {
            return false;
        }
        if out == dev {
            return self.dev_conf_either(dev, Conf::ProxyArpPvlan) && arp.sender != arp.target;
        }
        let listed = self.netns.get(device.ns).is_some_and(|netns| {
            netns.neigh.proxies.contains_key(&(device.ifindex, arp.target.into()))
                || netns.neigh.proxies.contains_key(&(0, arp.target.into()))
        });
        listed || self.dev_conf_either(dev, Conf::ProxyArp)
    }

    /// Answers for another address: a broadcast question after a random delay of up to `proxy_delay`.
    fn arp_proxy_reply(&mut self, dev: DevId, arp: &Arp, frame: Frame) {
        let delay = self.devs.get(dev).map_or(0, |device| device.neigh_params.proxy_delay_ms);
        if frame.packet_type == PacketType::Host || delay == 0 {
            self.arp_send(dev, REPLY, arp.sender, arp.target, Some(arp.sender_mac), arp.sender_mac);
        } else {
            let wait = Duration::from_micros(self.random_below(delay * 1000));
            let event = TimerEvent::ProxyArp { dev, arp: *arp };
            self.timers.add(self.now + wait, event);
        }
        self.consume(frame);
    }

    /// The delayed answer of [`World::arp_proxy_reply`].
    pub(crate) fn arp_proxy_timeout(&mut self, dev: DevId, arp: &Arp) {
        if self.devs.get(dev).is_some_and(|device| device.can_transmit()) {
            self.arp_send(dev, REPLY, arp.sender, arp.target, Some(arp.sender_mac), arp.sender_mac);
        }
    }

    /// `neigh_event_ns`: somebody asked for us; remember who.
    fn arp_learn_sender(&mut self, ns: NsId, ifindex: u32, arp: &Arp) -> bool {
        if !self.neigh_ensure(ns, ifindex, arp.sender) {
            return false;
        }
        let how = Update { replace: true, ..Update::default() };
        self.neigh_update(ns, ifindex, arp.sender, Some(arp.sender_mac), nud::STALE, how);
        true
    }

    /// The end of `arp_process`: an answer, or a packet that is not for us, renews a known entry.
    fn arp_update(&mut self, ns: NsId, dev: DevId, arp: &Arp, packet_type: PacketType) {
        let Some(device) = self.devs.get(dev) else { return };
        let (ifindex, locktime) = (device.ifindex, device.neigh_params.locktime_ms);
        let known = self.netns.get(ns).and_then(|n| n.neigh.get(ifindex, arp.sender)).map(|n| n.updated);
        let accept = self.dev_conf_larger(dev, Conf::ArpAccept);
        let accepts = match accept {
            0 => false,
            1 => true,
            _ => self.devs.get(dev).is_some_and(|device| {
                device.ipv4.iter().any(|a| same_subnet(a.peer, arp.sender, a.prefix_len))
            }),
        };
        // `arp_is_garp`: sender and target are one; in a reply the target MAC must be the sender's.
        let gratuitous = arp.sender == arp.target
            && (arp.operation != REPLY || arp.target_mac == arp.sender_mac)
            && self.is_unicast_address(ns, arp.sender);
        let mut updated = known;
        if known.is_none() {
            let welcome = gratuitous || (arp.operation == REPLY && self.is_unicast_address(ns, arp.sender));
            if !accepts || !welcome || !self.neigh_ensure(ns, ifindex, arp.sender) {
                return;
            }
            updated = Some(self.now - Duration::from_secs(3600));
        }
        let locktime = Duration::from_millis(locktime);
        let replace = gratuitous || updated.is_some_and(|at| self.now.is_after(at, locktime));
        let state = if arp.operation == REPLY && packet_type == PacketType::Host {
            nud::REACHABLE
        } else {
            nud::STALE
        };
        self.neigh_update(
            ns,
            ifindex,
            arp.sender,
            Some(arp.sender_mac),
            state,
            Update { replace, ..Update::default() },
        );
    }

    /// `arp_send`: an ARP packet to `target`. `to` is the link-layer destination; none is broadcast.
    pub(crate) fn arp_send(
        &mut self,
        dev: DevId,
        operation: u16,
        target: Ipv4Addr,
        sender: Ipv4Addr,
        to: Option<Mac>,
        target_mac: Mac,
    ) {
        self.arp_send_by(None, dev, (operation, target, sender), to, target_mac);
    }

    /// `arp_send_dst`: the same by a tunnel, where the device wants to be told which.
    fn arp_send_by(
        &mut self,
        tunnel: Option<TunnelInfo>,
        dev: DevId,
        (operation, target, sender): (u16, Ipv4Addr, Ipv4Addr),
        to: Option<Mac>,
        target_mac: Mac,
    ) {
        let Some(device) = self.devs.get(dev) else { return };
        if device.is_noarp() {
            return;
        }
        let (own, broadcast) = (device.mac, device.broadcast);
        let mut frame = self.pool.frame(ETH_LEN + ARP_LEN);
        Arp { operation, sender_mac: own, sender, target_mac, target }.write(frame.payload_mut());
        self.write_header(dev, &mut frame, (to.unwrap_or(broadcast), own), ethertype::ARP);
        frame.tunnel = tunnel;
        self.name_frame(&mut frame);
        self.transmit(dev, frame);
    }

    /// `arp_solicit`: asks for an address, by broadcast or (when it is being probed)
    /// of the known station.
    pub(super) fn arp_solicit(&mut self, ns: NsId, ifindex: u32, address: Ipv4Addr) {
        let Some(netns) = self.netns.get_mut(ns) else { return };
        let Some(entry) = netns.neigh.get_mut(ifindex, address) else { return };
        let probes = entry.probes;
        entry.probes += 1;
        let (dev, mac) = (entry.dev, entry.mac);
        // The question goes where the packet does (`arp_send_dst`).
        let tunnel = entry.queue.back().and_then(|frame| frame.tunnel);
        let packet_source = entry.queue.back().and_then(|frame| {
            let bytes = frame.payload().get(12..16)?;
            Some(Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3]))
        });
        let ucast = self.devs.get(dev).map_or(0, |device| device.neigh_params.ucast_solicit.max(0) as u32);
        let mut sender = None;
        if let Some(source) = packet_source
            && self.address_kind_at(dev, source) == RouteKind::Local
        {
            let known_to_target = || {
                self.devs.get(dev).is_some_and(|device| {
                    device.ipv4.iter().any(|a| {
                        same_subnet(a.peer, address, a.prefix_len)
                            && same_subnet(a.peer, source, a.prefix_len)
                    })
                })
            };
            match self.dev_conf_larger(dev, Conf::ArpAnnounce) {
                0 => sender = Some(source),
                1 if known_to_target() => sender = Some(source),
                _ => {}
            }
        }
        let sender = sender.unwrap_or_else(|| self.select_source(dev, address, RT_SCOPE_LINK));
        let to = (probes < ucast).then_some(mac);
        let arp = (REQUEST, address, sender);
        self.arp_send_by(tunnel, dev, arp, to, Mac::ZERO);
    }
}

/// `RT_SCOPE_LINK`
pub const RT_SCOPE_LINK: u8 = 253;

fn same_subnet(a: Ipv4Addr, b: Ipv4Addr, prefix_len: u8) -> bool {
    let mask = u32::MAX.checked_shl(32 - u32::from(prefix_len.min(32))).unwrap_or(0);
    (u32::from(a) ^ u32::from(b)) & mask == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_survives_the_round_trip() {
        let arp = Arp {
            operation: REPLY,
            sender_mac: Mac([2, 0, 0, 0, 0, 1]),
            sender: Ipv4Addr::new(10, 0, 0, 1),
            target_mac: Mac([2, 0, 0, 0, 0, 2]),
            target: Ipv4Addr::new(10, 0, 0, 2),
        };
        let mut bytes = [0; ARP_LEN];
        arp.write(&mut bytes);
        assert_eq!(Arp::parse(&bytes), Some(arp));
        assert_eq!(Arp::parse(&bytes[..27]), None);
        bytes[4] = 8;
        assert_eq!(Arp::parse(&bytes), None);
    }
}
