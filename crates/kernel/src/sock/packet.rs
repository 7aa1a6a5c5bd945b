//! Packet sockets (net/packet/af_packet.c): taps.

use hairpin_netlink::{PacketType, sys::ETH_P_ALL};

use crate::device::DevId;
use crate::frame::Frame;

use super::PromiscuousUse;

/// A packet socket.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Without link header (`SOCK_DGRAM`).
    pub cooked: bool,
    /// EtherType, `ETH_P_ALL`, or 0 for none yet.
    pub protocol: u16,
    /// Bound device.
    pub device: Option<DevId>,
    pub promiscuous: PromiscuousUse,
}

impl Packet {
    /// Whether the socket sees a frame at a device's tap. Only `ETH_P_ALL` sockets see outgoing frames.
    pub fn wants(&self, frame: &Frame, packet_type: PacketType) -> bool {
        match self.protocol {
            0 => false,
            ETH_P_ALL => true,
            protocol => packet_type != PacketType::Outgoing && protocol == frame.ethertype(),
        }
    }
}
