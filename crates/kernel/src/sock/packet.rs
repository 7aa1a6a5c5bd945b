//! Packet sockets (net/packet/af_packet.c): taps.

use hairpin_netlink::socket::ETH_P_ALL;

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
    /// The device that it was bound to is gone, and it has not been told so yet (`packet_notifier`).
    pub is_orphan: bool,
}

impl Packet {
    /// Whether the socket sees all that a device's tap does: what comes before anybody takes it, and what goes.
    pub fn wants_all(&self) -> bool {
        self.protocol == ETH_P_ALL
    }

    /// Whether it is given a frame among the protocols: received, and taken by no bridge or macvlan.
    pub fn wants_protocol(&self, frame: &Frame) -> bool {
        !matches!(self.protocol, 0 | ETH_P_ALL) && self.protocol == frame.ethertype()
    }
}
