//! vcan and vxcan: CAN frames on one device, and across a pair of them (drivers/net/can/vcan.c, vxcan.c).
//!
//! Frames are `struct can_frame` (16 bytes) or `struct canfd_frame` (72), without a link header; the EtherType tells which.

use crate::device::Stats;
use crate::drop_reason::DropReason;
use crate::frame::{Frame, ethertype};

use super::veth::Veth;
use super::{PacketType, Verdict, Verdicts};

/// `CAN_MTU`, `CANFD_MTU`
pub const CAN_MTU: u32 = 16;
pub const CANFD_MTU: u32 = 72;
/// Frames of CAN XL (`CANXL_MIN_MTU`, `CANXL_MAX_MTU`).
const CANXL_MTU: std::ops::RangeInclusive<u32> = 76..=2060;
/// `CAN_RTR_FLAG`
const REMOTE: u32 = 0x4000_0000;
/// Most bytes of data.
const CAN_DATA: u8 = 8;
const CANFD_DATA: u8 = 64;

/// Whether a CAN device may have this MTU (`vcan_change_mtu`).
pub fn is_mtu(mtu: u32) -> bool {
    mtu == CAN_MTU || mtu == CANFD_MTU || CANXL_MTU.contains(&mtu)
}

/// `can_dropped_invalid_skb`, `can_skb_get_data_len`: bytes of data that a frame carries, and a remote request bears none,
/// whatever it says; none for one that is no CAN frame.
pub fn data_len(frame: &Frame) -> Option<u64> {
    let bytes = frame.payload();
    let (size, most) = match frame.ethertype() {
        ethertype::CAN => (CAN_MTU, CAN_DATA),
        ethertype::CANFD => (CANFD_MTU, CANFD_DATA),
        _ => return None,
    };
    let len = bytes.get(4).copied().filter(|len| *len <= most && bytes.len() == size as usize)?;
    let id = u32::from_ne_bytes(*bytes.first_chunk()?);
    let remote = frame.ethertype() == ethertype::CAN && id & REMOTE != 0;
    Some(if remote { 0 } else { u64::from(len) })
}

/// `vcan_tx`: the frame is heard by the sockets of this host, which the CAN layer has served; it goes nowhere else.
pub fn transmit_alone(stats: &mut Stats, frame: &Frame, out: &mut Verdicts) {
    match data_len(frame) {
        Some(len) => {
            stats.tx_packets += 1;
            stats.tx_bytes += len;
            out.push(Verdict::Consume);
        }
        None => {
            stats.tx_dropped += 1;
            out.push(Verdict::Drop(DropReason::NotCan));
        }
    }
}

/// `vxcan_xmit`: the frame crosses to the peer.
pub fn transmit_pair(pair: &Veth, stats: &mut Stats, frame: &Frame, out: &mut Verdicts) {
    match (data_len(frame), pair.peer) {
        (Some(len), Some(peer)) => {
            stats.tx_packets += 1;
            stats.tx_bytes += len;
            out.push(Verdict::Enqueue { dev: peer, packet_type: PacketType::Broadcast });
        }
        (Some(_), None) => {
            stats.tx_dropped += 1;
            out.push(Verdict::Drop(DropReason::NoPeer));
        }
        (None, _) => {
            stats.tx_dropped += 1;
            out.push(Verdict::Drop(DropReason::NotCan));
        }
    }
}

/// `vcan_tx`: of a frame that the CAN layer loops back, which bears `len` bytes of data.
pub fn count_echo(stats: &mut Stats, len: u64) {
    stats.rx_packets += 1;
    stats.rx_bytes += len;
}

/// A frame has come from the peer.
pub fn count_received(stats: &mut Stats, frame: &Frame) {
    stats.rx_packets += 1;
    stats.rx_bytes += data_len(frame).unwrap_or(0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{ETH_LEN, Pool};
    use crate::mac::Mac;

    fn frame(kind: u16, bytes: &[u8]) -> Frame {
        let mut frame = Pool::default().frame(ETH_LEN + bytes.len());
        frame.set_header(Mac::ZERO, Mac::ZERO, kind);
        frame.payload_mut().copy_from_slice(bytes);
        frame
    }

    #[test]
    fn only_whole_can_frames_pass() {
        let good = [0x23, 1, 0, 0, 4, 0, 0, 0, 0xde, 0xad, 0xbe, 0xef, 0, 0, 0, 0];
        let mut long = good;
        long[4] = 9;
        let mut remote = good;
        remote[3] |= 0x40;
        for (kind, bytes, data) in [
            (ethertype::CAN, &good[..], Some(4)),
            (ethertype::CAN, &long, None),
            (ethertype::CAN, &good[..15], None),
            (ethertype::CAN, &remote, Some(0)),
            (ethertype::CANFD, &good, None),
            (ethertype::IPV4, &good, None),
        ] {
            assert_eq!(data_len(&frame(kind, bytes)), data);
            let (mut stats, mut out) = (Stats::default(), Vec::new());
            transmit_alone(&mut stats, &frame(kind, bytes), &mut out);
            assert_eq!((stats.tx_bytes, stats.tx_dropped), (data.unwrap_or(0), u64::from(data.is_none())));
        }
    }

    #[test]
    fn mtus_are_those_of_can_frames() {
        let allowed: Vec<u32> = (0..100).filter(|mtu| is_mtu(*mtu)).collect();
        assert_eq!(allowed[..3], [16, 72, 76]);
    }
}
