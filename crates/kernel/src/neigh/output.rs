//! Sending a packet to the next hop: the link header, or a wait for it (`neigh_resolve_output`).

use std::net::{IpAddr, Ipv4Addr};

use crate::dev::Kind;
use crate::dev::vlan::VlanFlags;
use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::{Frame, ethertype};
use crate::mac::Mac;
use crate::netns::NsId;
use crate::world::World;

use super::nud;

impl World {
    /// Sends a packet (14 unused bytes, then the packet) to `next_hop` on `dev`.
    pub(crate) fn neigh_output(&mut self, dev: DevId, next_hop: impl Into<IpAddr>, mut frame: Frame) {
        let mut next_hop = next_hop.into();
        let Some(device) = self.devs.get(dev) else {
            return self.drop_frame(None, frame, DropReason::DeviceGone);
        };
        let (ns, ifindex, own) = (device.ns, device.ifindex, device.mac);
        let is_vlan = matches!(device.kind, Kind::Vlan(_));
        if next_hop.is_ipv4() && device.has_one_neighbour() {
            next_hop = Ipv4Addr::UNSPECIFIED.into();
        }
        let now = self.now;
        let entry = self
            .netns
            .get_mut(ns)
            .and_then(|netns| netns.neighbours_mut(next_hop).get_mut(ifindex, next_hop));
        if let Some(entry) = entry
            && entry.state & nud::CONNECTED != 0
        {
            entry.used = now;
            let mac = entry.mac;
            match is_vlan {
                true => self.write_header(dev, &mut frame, (mac, own), protocol(next_hop)),
                false => frame.set_header(mac, own, protocol(next_hop)),
            }
            return self.transmit(dev, frame);
        }
        if !self.neigh_ensure(ns, ifindex, next_hop) {
            return self.drop_frame(Some(dev), frame, DropReason::NeighbourCreateFail);
        }
        // What needs no resolution is known from the first packet on.
        let mut slot = Some(frame);
        let known = self.neigh_event_send(ns, ifindex, next_hop, &mut slot);
        // What became of a question for the neighbour is nothing to this packet, which waits.
        self.transmit_congested = false;
        if known && let Some(frame) = slot {
            self.send_to_neighbour(ns, ifindex, next_hop, frame);
        }
    }

    /// Writes the header from the entry as it is, and transmits.
    pub(super) fn send_to_neighbour(&mut self, ns: NsId, ifindex: u32, address: IpAddr, mut frame: Frame) {
        let entry = self.netns.get(ns).and_then(|netns| netns.neighbours(address).get(ifindex, address));
        let Some((dev, mac)) = entry.map(|entry| (entry.dev, entry.mac)) else {
            return self.drop_frame(None, frame, DropReason::NeighbourDead);
        };
        let Some(own) = self.devs.get(dev).map(|device| device.mac) else {
            return self.drop_frame(None, frame, DropReason::NeighbourDead);
        };
        self.write_header(dev, &mut frame, (mac, own), protocol(address));
        self.transmit(dev, frame);
    }

    /// `dev_hard_header`: destination and source, and what is in it. `vlan_dev_hard_header`: a VLAN without `reorder_hdr`
    /// writes its tag too where the device below does not tag by itself.
    #[inline]
    pub(crate) fn write_header(&self, dev: DevId, frame: &mut Frame, (to, from): (Mac, Mac), protocol: u16) {
        frame.set_header(to, from, protocol);
        if let Some(Kind::Vlan(vlan)) = self.devs.get(dev).map(|device| &device.kind)
            && !vlan.flags.contains(VlanFlags::REORDER_HDR)
            && !self.devs.get(vlan.lower).is_some_and(|below| below.kind.offloads_tags())
        {
            let tag = vlan.tag(frame.priority);
            frame.push_tag(tag);
            frame.retag();
        }
    }
}

/// The EtherType of packets to an address.
#[inline]
fn protocol(address: IpAddr) -> u16 {
    if address.is_ipv4() { ethertype::IPV4 } else { ethertype::IPV6 }
}
