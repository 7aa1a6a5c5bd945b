//! VLAN devices, 802.1Q and 802.1ad (net/8021q).
//!
//! Configuration: `IFLA_VLAN_ID`, `_PROTOCOL`, `_FLAGS`, `_EGRESS_QOS`, `_INGRESS_QOS`. Transmit: tag, then
//! the lower device. Receive: the device layer finds the VLAN device by tag before any other handler
//! (`vlan_do_receive`), so it is [`Vlan::receive`] that says how.

use bitflags::bitflags;
use hairpin_wire::vlan::Tag;

use crate::device::DevId;
use crate::frame::Frame;
use crate::mac::Mac;

use super::{PacketType, Verdict, Verdicts};

bitflags! {
    /// `VLAN_FLAG_*`
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct VlanFlags: u32 {
        const REORDER_HDR = 0x1;
        const GVRP = 0x2;
        const LOOSE_BINDING = 0x4;
        const MVRP = 0x8;
        const BRIDGE_BINDING = 0x10;
    }
}

/// A VLAN device.
#[derive(Clone, Debug)]
pub struct Vlan {
    pub lower: DevId,
    pub tpid: u16,
    pub vid: u16,
    pub flags: VlanFlags,
    /// Packet priority to priority code point, in the order of configuration.
    pub egress_qos: Vec<(u32, u32)>,
    /// Priority code point to packet priority.
    pub ingress_qos: [u32; 8],
}

impl Vlan {
    pub fn new(lower: DevId, tpid: u16, vid: u16) -> Self {
        Vlan { lower, tpid, vid, flags: VlanFlags::REORDER_HDR, egress_qos: Vec::new(), ingress_qos: [0; 8] }
    }

    /// The tag of a frame of this priority (`vlan_dev_get_egress_qos_mask`).
    pub fn tag(&self, priority: u32) -> Tag {
        let mapped = self.egress_qos.iter().find(|(from, _)| *from == priority);
        let priority = mapped.map_or(0, |(_, to)| *to as u16 & 7);
        Tag { tpid: self.tpid, tci: self.vid | priority << 13 }
    }

    /// `vlan_dev_hard_start_xmit`: without `reorder_hdr` a tag that is in the bytes already counts as this device's own.
    pub fn transmit(&self, frame: &mut Frame, out: &mut Verdicts) {
        if !self.flags.contains(VlanFlags::REORDER_HDR) && frame.ethertype() == self.tpid {
            return out.push(Verdict::Transmit { dev: self.lower });
        }
        let tag = self.tag(frame.priority);
        frame.push_tag(tag);
        out.push(Verdict::Transmit { dev: self.lower });
    }

    /// `vlan_do_receive`: takes the tag off and gives the packet type as seen from this device, whose own MAC is `mac`.
    /// That the tag may stay in the bytes for taps is the receive path's business.
    pub fn receive(&self, frame: &mut Frame, mac: Mac) -> PacketType {
        // `vlan_get_ingress_priority`
        let class = frame.tag.map_or(0, |tag| usize::from(tag.tci >> 13));
        frame.priority = self.ingress_qos.get(class).copied().unwrap_or(0);
        frame.tag = None;
        match frame.packet_type {
            PacketType::OtherHost if frame.destination() == mac => PacketType::Host,
            other => other,
        }
    }
}
