//! ipvlan: devices that share their lower device's MAC and are told apart by their IP addresses
//! (drivers/net/ipvlan/ipvlan_core.c).
//!
//! Configuration: `IFLA_IPVLAN_MODE`, `IFLA_IPVLAN_FLAGS`; both are the port's, so all devices on one lower
//! device have the same. State: one [`Ipvlan`] a device; one [`Port`] on the lower device, which knows every
//! ipvlan standing on it and whose address is whose. Transmit: [`Port::transmit`]. Receive on the lower
//! device: [`Port::receive`]; multicast and broadcast are distributed later by [`Port::distribute`]. In mode l3s
//! the IP layer of the lower device asks [`Port::lookup`] itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rustc_hash::FxHashMap;

use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::{Frame, ethertype};
use crate::mac::Mac;

use super::{GroupFilter, PacketType, Verdict, Verdicts};

/// `IPVLAN_MODE_*`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Mode {
    L2 = 0,
    L3 = 1,
    L3s = 2,
}

impl Mode {
    pub fn from_number(number: u16) -> Option<Mode> {
        [Mode::L2, Mode::L3, Mode::L3s].into_iter().find(|mode| *mode as u16 == number)
    }

    /// Whether devices have no ARP: the lower device's namespace finds the way.
    pub fn routes(self) -> bool {
        self != Mode::L2
    }
}

/// `IPVLAN_F_PRIVATE`: neighbours on one lower device do not hear each other's unicast.
pub const FLAG_PRIVATE: u16 = 1;
/// `IPVLAN_F_VEPA`: everything goes to the wire.
pub const FLAG_VEPA: u16 = 2;
/// `IPVLAN_QBACKLOG_LIMIT`
pub const BACKLOG_MAX: u32 = 1000;
/// Identifiers of devices go from 1 up to this one's predecessor, and begin anew then.
const ID_END: u16 = 0xfffe;

/// An ipvlan device.
#[derive(Clone, Debug)]
pub struct Ipvlan {
    pub lower: DevId,
    /// It is an ipvtap.
    pub tap: bool,
}

/// What the port knows of one ipvlan.
#[derive(Clone, Debug)]
pub struct Member {
    pub dev: DevId,
    /// `dev->dev_id`: tells devices with one MAC apart in their IPv6 link-local addresses.
    pub id: u16,
    pub up: bool,
    pub filter: GroupFilter,
    /// Addresses of the device that no other had before it.
    pub addresses: Vec<IpAddr>,
}

/// The lower device's side of its ipvlans (`struct ipvl_port`).
#[derive(Clone, Debug)]
pub struct Port {
    pub mode: Mode,
    pub flags: u16,
    /// In the order of creation.
    pub members: Vec<Member>,
    /// Addresses of those that are up.
    table: FxHashMap<IpAddr, DevId>,
    next_id: u16,
    /// How many frames wait to be distributed.
    pub queued: u32,
}

impl Default for Port {
    /// `ipvlan_port_create`
    fn default() -> Port {
        Port {
            mode: Mode::L3,
            flags: 0,
            members: Vec::new(),
            table: FxHashMap::default(),
            next_id: 1,
            queued: 0,
        }
    }
}

/// The layer-3 addresses by which a frame is told (`ipvlan_get_L3_hdr`, `ipvlan_addr_lookup`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    pub to: IpAddr,
    pub from: IpAddr,
}

impl Ends {
    /// Destination and source of an IP packet, target and sender of an ARP packet; of a duplicate address
    /// probe (RFC 4862 §5.4.2) both are the address that is probed. None for what is neither.
    pub fn of(frame: &Frame) -> Option<Ends> {
        let packet = frame.payload();
        match frame.ethertype() {
            ethertype::ARP => Some(Ends { to: ipv4(packet, 24)?, from: ipv4(packet, 14)? }),
            ethertype::IPV4 => {
                let ends = Ends { to: ipv4(packet, 16)?, from: ipv4(packet, 12)? };
                let header_len = usize::from(packet[0] & 15) * 4;
                let total_len = usize::from(u16::from_be_bytes([packet[2], packet[3]]));
                let sound = packet[0] >> 4 == 4
                    && header_len >= 20
                    && (header_len..=packet.len()).contains(&total_len);
                sound.then_some(ends)
            }
            ethertype::IPV6 => {
                let ends = Ends { to: ipv6(packet, 24)?, from: ipv6(packet, 8)? };
                if packet[0] >> 4 != 6 {
                    return None;
                }
                if packet[6] != ICMPV6 || !ends.from.is_unspecified() {
                    return Some(ends);
                }
                if *packet.get(40)? != NEIGHBOUR_SOLICITATION {
                    return None;
                }
                let target = ipv6(packet, 48)?;
                Some(Ends { to: target, from: target })
            }
            _ => None,
        }
    }
}

const ICMPV6: u8 = 58;
const NEIGHBOUR_SOLICITATION: u8 = 135;

fn ipv4(packet: &[u8], at: usize) -> Option<IpAddr> {
    packet.get(at..)?.first_chunk::<4>().map(|bytes| Ipv4Addr::from(*bytes).into())
}

fn ipv6(packet: &[u8], at: usize) -> Option<IpAddr> {
    packet.get(at..)?.first_chunk::<16>().map(|bytes| Ipv6Addr::from(*bytes).into())
}

impl Port {
    pub fn is_private(&self) -> bool {
        self.flags & FLAG_PRIVATE != 0
    }

    pub fn is_vepa(&self) -> bool {
        self.flags & FLAG_VEPA != 0
    }

    pub fn member_mut(&mut self, dev: DevId) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.dev == dev)
    }

    /// The ipvlan that is up and has this address (`ipvlan_ht_addr_lookup`).
    #[inline]
    pub fn lookup(&self, address: IpAddr) -> Option<DevId> {
        self.table.get(&address).copied()
    }

    /// Whether one of the devices, up or down, has an address (`ipvlan_addr_busy`).
    pub fn has(&self, address: IpAddr) -> bool {
        self.members.iter().any(|member| member.addresses.contains(&address))
    }

    /// Enters a new device, and returns its identifier. None when all are taken.
    pub fn add(&mut self, dev: DevId) -> Option<u16> {
        if self.next_id >= ID_END {
            self.next_id = 1;
        }
        let free = |id: &u16| !self.members.iter().any(|member| member.id == *id);
        let id = (self.next_id..ID_END).find(free).or_else(|| (1..self.next_id).find(free))?;
        self.next_id = id + 1;
        let member = Member { dev, id, up: false, filter: GroupFilter::default(), addresses: Vec::new() };
        self.members.push(member);
        Some(id)
    }

    pub fn remove(&mut self, dev: DevId) {
        self.members.retain(|member| member.dev != dev);
        self.table.retain(|_, owner| *owner != dev);
    }

    /// A device goes up or down: its addresses are entered in, or taken from, the table.
    pub fn set_up(&mut self, dev: DevId, up: bool) {
        if let Some(member) = self.member_mut(dev) {
            member.up = up;
        }
        self.refresh(dev);
    }

    /// A device has these addresses now. One that another device had before it stays that device's
    /// (`ipvlan_add_addr4`).
    pub fn set_addresses(&mut self, dev: DevId, addresses: impl Iterator<Item = IpAddr> + Clone) {
        let Some(at) = self.members.iter().position(|member| member.dev == dev) else { return };
        let mut kept = std::mem::take(&mut self.members[at].addresses);
        kept.retain(|known| addresses.clone().any(|address| address == *known));
        for address in addresses {
            if !kept.contains(&address) && !self.has(address) {
                kept.push(address);
            }
        }
        self.members[at].addresses = kept;
        self.refresh(dev);
    }

    fn refresh(&mut self, dev: DevId) {
        self.table.retain(|_, owner| *owner != dev);
        if let Some(member) = self.members.iter().find(|member| member.dev == dev && member.up) {
            self.table.extend(member.addresses.iter().map(|address| (*address, dev)));
        }
    }

    /// `ipvlan_queue_xmit`: a frame of ipvlan `dev` on its way out.
    pub fn transmit(&self, dev: DevId, lower: DevId, frame: &Frame, out: &mut Verdicts) {
        match self.mode {
            Mode::L2 => self.transmit_l2(dev, lower, frame, out),
            Mode::L3 | Mode::L3s => self.transmit_l3(lower, frame, out),
        }
    }

    /// `ipvlan_xmit_mode_l2`
    fn transmit_l2(&self, dev: DevId, lower: DevId, frame: &Frame, out: &mut Verdicts) {
        let destination = frame.destination();
        if !self.is_vepa() && destination == frame.source() {
            match self.sibling(frame) {
                Some(verdict) => out.push(verdict),
                // The MAC is everybody's here, the address nobody's: it may be the lower device's own.
                None => out.push(Verdict::Inject { dev: lower }),
            }
        } else if destination.is_group() {
            out.push(Verdict::IpvlanMulticast { lower, from: Some(dev) });
        } else {
            out.push(Verdict::Transmit { dev: lower });
        }
    }

    /// `ipvlan_xmit_mode_l3`, `ipvlan_process_outbound`
    fn transmit_l3(&self, lower: DevId, frame: &Frame, out: &mut Verdicts) {
        let sibling = if self.is_vepa() { None } else { self.sibling(frame) };
        out.push(match sibling {
            Some(verdict) => verdict,
            None if frame.destination().is_group() => Verdict::Drop(DropReason::IpvlanGroup),
            None if matches!(frame.ethertype(), ethertype::IPV4 | ethertype::IPV6) => {
                Verdict::RouteBelow { lower }
            }
            None => Verdict::Drop(DropReason::IpvlanNotIp),
        });
    }

    /// What becomes of a frame for another ipvlan of this port; none if it is for no ipvlan.
    fn sibling(&self, frame: &Frame) -> Option<Verdict> {
        let dev = self.lookup(Ends::of(frame)?.to)?;
        Some(match self.is_private() {
            true => Verdict::Drop(DropReason::IpvlanPrivate),
            false => Verdict::Inject { dev },
        })
    }

    /// `ipvlan_handle_frame`: a frame received on the lower device, whose MAC is `mac`.
    pub fn receive(&self, lower: DevId, mac: Mac, frame: &Frame, out: &mut Verdicts) {
        if self.mode == Mode::L3s {
            return out.push(Verdict::Local);
        }
        let ends = Ends::of(frame);
        if self.mode == Mode::L2 && frame.destination().is_group() {
            // A frame of one of the devices that comes back from the wire is not distributed again.
            let own = frame.source() == mac && ends.is_some_and(|ends| self.lookup(ends.from).is_some());
            if !own {
                out.push(Verdict::IpvlanMulticast { lower, from: None });
            }
            return out.push(Verdict::Local);
        }
        out.push(match ends.and_then(|ends| self.lookup(ends.to)) {
            Some(dev) => Verdict::Receive { dev, packet_type: frame.packet_type },
            None => Verdict::Local,
        });
    }

    /// `ipvlan_process_multicast`: a queued frame reaches the ipvlans, whatever the flags; one that an ipvlan
    /// sent goes to the wire then.
    pub fn distribute(&self, lower: DevId, from: Option<DevId>, destination: Mac, out: &mut Verdicts) {
        let packet_type =
            if destination.is_broadcast() { PacketType::Broadcast } else { PacketType::Multicast };
        for member in &self.members {
            if Some(member.dev) == from || !member.up || !member.filter.passes(destination) {
                continue;
            }
            out.push(match from {
                Some(_) => Verdict::Inject { dev: member.dev },
                None => Verdict::Enqueue { dev: member.dev, packet_type },
            });
        }
        if from.is_some() {
            out.push(Verdict::Transmit { dev: lower });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Pool;
    use slotmap::SlotMap;

    const LOWER: Mac = Mac([2, 0, 0, 0, 0, 1]);
    const OUTSIDE: Mac = Mac([2, 0, 0, 0, 0, 9]);

    fn v4(last: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(10, 0, 0, last))
    }

    fn packet(destination: Mac, source: Mac, from: u8, to: u8) -> Frame {
        let mut bytes = vec![0; 34];
        bytes[14] = 0x45;
        bytes[17] = 20;
        bytes[26..34].copy_from_slice(&[10, 0, 0, from, 10, 0, 0, to]);
        let mut frame = Pool::default().frame_from(&bytes);
        frame.set_header(destination, source, ethertype::IPV4);
        frame
    }

    fn arp(destination: Mac, source: Mac, from: u8, to: u8) -> Frame {
        let mut bytes = vec![0; 42];
        bytes[28..32].copy_from_slice(&[10, 0, 0, from]);
        bytes[38..42].copy_from_slice(&[10, 0, 0, to]);
        let mut frame = Pool::default().frame_from(&bytes);
        frame.set_header(destination, source, ethertype::ARP);
        frame
    }

    struct Lab {
        port: Port,
        lower: DevId,
        /// They have 10.0.0.11, .12, …; all are up.
        devs: Vec<DevId>,
    }

    impl Lab {
        fn new(mode: Mode, flags: u16, count: u8) -> Lab {
            let mut ids = SlotMap::<DevId, ()>::with_key();
            let lower = ids.insert(());
            let mut port = Port { mode, flags, ..Port::default() };
            let devs = (0..count)
                .map(|i| {
                    let dev = ids.insert(());
                    assert_eq!(port.add(dev), Some(u16::from(i) + 1));
                    port.set_addresses(dev, std::iter::once(v4(11 + i)));
                    port.set_up(dev, true);
                    if let Some(member) = port.member_mut(dev) {
                        member.filter = GroupFilter::new(false, [Mac::BROADCAST]);
                    }
                    dev
                })
                .collect();
            Lab { port, lower, devs }
        }

        fn sent(&self, frame: &Frame) -> Verdicts {
            let mut out = Vec::new();
            self.port.transmit(self.devs[0], self.lower, frame, &mut out);
            out
        }

        fn received(&self, frame: &Frame) -> Verdicts {
            let mut out = Vec::new();
            self.port.receive(self.lower, LOWER, frame, &mut out);
            out
        }
    }

    #[test]
    fn l2_tells_siblings_by_address_and_the_outside_by_mac() {
        let sibling = packet(LOWER, LOWER, 11, 12);
        let below = packet(LOWER, LOWER, 11, 1);
        let outside = packet(OUTSIDE, LOWER, 11, 9);
        for (flags, to_sibling, to_lower) in [
            (0, "inject sibling", "inject lower"),
            (FLAG_PRIVATE, "private", "inject lower"),
            (FLAG_VEPA, "wire", "wire"),
        ] {
            let lab = Lab::new(Mode::L2, flags, 2);
            let verdict = |name| match name {
                "inject sibling" => Verdict::Inject { dev: lab.devs[1] },
                "inject lower" => Verdict::Inject { dev: lab.lower },
                "private" => Verdict::Drop(DropReason::IpvlanPrivate),
                _ => Verdict::Transmit { dev: lab.lower },
            };
            assert_eq!(lab.sent(&sibling), [verdict(to_sibling)], "{flags}");
            assert_eq!(lab.sent(&below), [verdict(to_lower)], "{flags}");
            assert_eq!(lab.sent(&outside), [verdict("wire")], "{flags}");
            let broadcast = arp(Mac::BROADCAST, LOWER, 11, 12);
            let queued = Verdict::IpvlanMulticast { lower: lab.lower, from: Some(lab.devs[0]) };
            assert_eq!(lab.sent(&broadcast), [queued], "{flags}");
        }
    }

    #[test]
    fn l3_routes_what_is_for_no_sibling() {
        for mode in [Mode::L3, Mode::L3s] {
            let lab = Lab::new(mode, 0, 2);
            let routed = Verdict::RouteBelow { lower: lab.lower };
            assert_eq!(lab.sent(&packet(LOWER, LOWER, 11, 12)), [Verdict::Inject { dev: lab.devs[1] }]);
            assert_eq!(lab.sent(&packet(LOWER, LOWER, 11, 9)), [routed]);
            let group = [Verdict::Drop(DropReason::IpvlanGroup)];
            assert_eq!(lab.sent(&arp(Mac::BROADCAST, LOWER, 11, 9)), group);
            assert_eq!(lab.sent(&arp(LOWER, LOWER, 11, 9)), [Verdict::Drop(DropReason::IpvlanNotIp)]);
            let private = Lab::new(mode, FLAG_PRIVATE, 2);
            let refused = [Verdict::Drop(DropReason::IpvlanPrivate)];
            assert_eq!(private.sent(&packet(LOWER, LOWER, 11, 12)), refused);
            let vepa = Lab::new(mode, FLAG_VEPA, 2);
            assert_eq!(vepa.sent(&packet(LOWER, LOWER, 11, 12)), [Verdict::RouteBelow { lower: vepa.lower }]);
        }
    }

    #[test]
    fn received_frames_are_told_by_address() {
        let l2 = Lab::new(Mode::L2, 0, 2);
        let to_first = [Verdict::Receive { dev: l2.devs[0], packet_type: PacketType::Host }];
        assert_eq!(l2.received(&packet(LOWER, OUTSIDE, 9, 11)), to_first);
        assert_eq!(l2.received(&packet(LOWER, OUTSIDE, 9, 1)), [Verdict::Local]);
        let queued = Verdict::IpvlanMulticast { lower: l2.lower, from: None };
        assert_eq!(l2.received(&arp(Mac::BROADCAST, OUTSIDE, 9, 11)), [queued, Verdict::Local]);
        // The own broadcast, sent back by a switch; and one of the lower device's own.
        assert_eq!(l2.received(&arp(Mac::BROADCAST, LOWER, 11, 9)), [Verdict::Local]);
        assert_eq!(l2.received(&arp(Mac::BROADCAST, LOWER, 1, 9)), [queued, Verdict::Local]);
        // In l3 a broadcast question is taken by the device that it asks for.
        let l3 = Lab::new(Mode::L3, 0, 2);
        let to_first = [Verdict::Receive { dev: l3.devs[0], packet_type: PacketType::Host }];
        assert_eq!(l3.received(&arp(Mac::BROADCAST, OUTSIDE, 9, 11)), to_first);
        let l3s = Lab::new(Mode::L3s, 0, 2);
        assert_eq!(l3s.received(&packet(LOWER, OUTSIDE, 9, 11)), [Verdict::Local]);
    }

    #[test]
    fn multicast_reaches_all_others_then_the_wire() {
        let mut lab = Lab::new(Mode::L2, FLAG_PRIVATE, 4);
        let (dev, down) = (lab.devs[0], lab.devs[2]);
        lab.port.set_up(down, false);
        let mut out = Vec::new();
        lab.port.distribute(lab.lower, Some(dev), Mac::BROADCAST, &mut out);
        let copies = [
            Verdict::Inject { dev: lab.devs[1] },
            Verdict::Inject { dev: lab.devs[3] },
            Verdict::Transmit { dev: lab.lower },
        ];
        assert_eq!(out, copies);
        out.clear();
        lab.port.distribute(lab.lower, None, Mac([1, 0, 0x5e, 0, 0, 5]), &mut out);
        assert_eq!(out, [], "nobody listens to that group");
        out.clear();
        lab.port.distribute(lab.lower, None, Mac::BROADCAST, &mut out);
        assert_eq!(out.len(), 3);
    }

    #[test]
    fn an_address_is_of_the_device_that_had_it_first() {
        let mut lab = Lab::new(Mode::L2, 0, 2);
        let (first, second) = (lab.devs[0], lab.devs[1]);
        lab.port.set_addresses(second, [v4(12), v4(11)].into_iter());
        assert_eq!(lab.port.lookup(v4(11)), Some(first));
        lab.port.set_up(first, false);
        assert_eq!((lab.port.lookup(v4(11)), lab.port.has(v4(11))), (None, true));
        lab.port.remove(first);
        assert!(!lab.port.has(v4(11)));
        assert_eq!(lab.port.add(first), Some(3), "identifiers are not used again at once");
    }

    #[test]
    fn a_duplicate_address_probe_is_told_by_its_target() {
        let mut bytes = vec![0; 14 + 40 + 24];
        bytes[14] = 0x60;
        bytes[20] = ICMPV6;
        bytes[54] = NEIGHBOUR_SOLICITATION;
        bytes[14 + 24..14 + 40].copy_from_slice(&[0xff; 16]);
        bytes[62..78].copy_from_slice(&[7; 16]);
        bytes[12..14].copy_from_slice(&ethertype::IPV6.to_be_bytes());
        let target = IpAddr::V6(Ipv6Addr::from([7; 16]));
        let ends = Ends { to: target, from: target };
        assert_eq!(Ends::of(&Pool::default().frame_from(&bytes)), Some(ends));
        assert_eq!(Ends::of(&Pool::default().frame_from(&bytes[..70])), None, "cut short");
        bytes[54] = 134;
        assert_eq!(Ends::of(&Pool::default().frame_from(&bytes)), None);
        bytes[22] = 1;
        let to = IpAddr::V6(Ipv6Addr::from([0xff; 16]));
        assert_eq!(Ends::of(&Pool::default().frame_from(&bytes)).map(|ends| ends.to), Some(to));
    }
}
