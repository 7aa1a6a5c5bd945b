//! Frames of MACsec devices on their way to and from the device below.

use hairpin_netlink::PacketType;
use hairpin_wire::macsec::{ETHERTYPE, SecTag, tci};

use crate::dev::macsec::{self, Macsec, Port, Received, Validate, sci_of};
use crate::dev::{Kind, RxHandler};
use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::{ETH_LEN, Frame};
use crate::world::{Waiting, World};

use super::tx::Next;

impl World {
    fn macsec_mut(&mut self, dev: DevId) -> Option<&mut Macsec> {
        match self.devs.get_mut(dev).map(|device| &mut device.kind) {
            Some(Kind::Macsec(macsec)) => Some(macsec),
            _ => None,
        }
    }

    /// `macsec_start_xmit`
    pub(crate) fn macsec_transmit(&mut self, dev: DevId, mut frame: Frame) {
        let Some(lower) = self.macsec_mut(dev).map(|macsec| macsec.lower) else { return };
        let below = self.devs.get(lower).map(|below| (below.mtu as usize, below.can_transmit()));
        let Some((mtu, can_transmit)) = below else { return };
        let len = frame.len();
        let Some(outcome) = self.macsec_mut(dev).map(|macsec| macsec.transmit(&mut frame, mtu)) else {
            return;
        };
        if let Some(device) = self.devs.get_mut(dev) {
            match outcome {
                Ok(()) if can_transmit => {
                    device.stats.tx_packets += 1;
                    device.stats.tx_bytes += len as u64;
                }
                Ok(()) => {}
                Err(_) => device.stats.tx_dropped += 1,
            }
        }
        match outcome {
            Ok(()) => self.transmit(lower, frame),
            Err(reason) => self.drop_frame(Some(dev), frame, reason),
        }
    }

    /// The MACsec device at a place of the list of those on `lower`.
    fn macsec_member(&self, lower: DevId, at: usize) -> Option<(DevId, &Macsec)> {
        let RxHandler::MacsecPort(port) = &self.devs.get(lower)?.rx_handler else { return None };
        let dev = *port.members.get(at)?;
        match &self.devs.get(dev)?.kind {
            Kind::Macsec(macsec) => Some((dev, macsec)),
            _ => None,
        }
    }

    /// `macsec_handle_frame`: the frame, where it goes on on the device below.
    pub(super) fn macsec_receive(&mut self, lower: DevId, mut frame: Frame) -> Option<(Next, Frame)> {
        if frame.ethertype() != ETHERTYPE {
            self.macsec_untagged(lower, &frame);
            return Some((Next::Local, frame));
        }
        // What Linux looks for is longer by the EtherType.
        let room = frame.len().saturating_sub(ETH_LEN);
        let tag = SecTag::of_frame(frame.bytes()).filter(|tag| room >= macsec::extra_len(tag.sci.is_some()));
        let Some(tag) = tag else {
            self.drop_frame(Some(lower), frame, DropReason::HeaderTruncated);
            return None;
        };
        if tag.tci_an & (tci::CHANGED_TEXT | tci::ENCRYPTED) == tci::ENCRYPTED {
            // A reserved encoding: not for the controlled port.
            return Some((Next::Local, frame));
        }
        // `macsec_frame_sci`
        let sci = match tag.sci {
            Some(sci) => Some(sci),
            None if !tag.has(tci::END_STATION) && self.macsec_member(lower, 1).is_none() => {
                self.macsec_member(lower, 0).and_then(|(_, only)| only.only_channel())
            }
            None => Some(sci_of(frame.source(), macsec::PORT)),
        };
        let Some(sci) = sci.filter(|sci| *sci != [0; 8]) else {
            self.drop_frame(Some(lower), frame, DropReason::MacsecNoChannel);
            return None;
        };
        let mut at = 0;
        while let Some((dev, member)) = self.macsec_member(lower, at) {
            if let Some(channel) = member.channel(sci) {
                let received = self.macsec_mut(dev)?.receive(channel, &mut frame, &tag);
                self.macsec_received(dev, frame, received);
                return None;
            }
            at += 1;
        }
        self.macsec_unknown_channel(lower, &frame, &tag);
        Some((Next::Local, frame))
    }

    fn macsec_received(&mut self, dev: DevId, mut frame: Frame, received: Received) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        let reason = match received {
            Received::Deliver if device.is_up() => {
                device.stats.rx_packets += 1;
                device.stats.rx_bytes += frame.len() as u64;
                frame.packet_type = World::packet_type_for(frame.destination(), device.mac);
                frame.sender = None;
                return self.enqueue(Waiting::Receive { dev, frame });
            }
            // `gro_cells_receive`
            Received::Deliver => {
                device.stats.rx_dropped += 1;
                DropReason::TargetDown
            }
            Received::Late => {
                device.stats.rx_dropped += 1;
                DropReason::MacsecLate
            }
            Received::Error(reason) => {
                device.stats.rx_errors += 1;
                reason
            }
        };
        self.drop_frame(Some(dev), frame, reason);
    }

    /// `handle_not_macsec` (IEEE 802.1AE 10.6): frames without a tag are for the uncontrolled port, and for the
    /// controlled one too where it is not strict.
    fn macsec_untagged(&mut self, lower: DevId, frame: &Frame) {
        let mut at = 0;
        while let Some((dev, _)) = self.macsec_member(lower, at) {
            at += 1;
            let Some(device) = self.devs.get_mut(dev) else { continue };
            let Kind::Macsec(macsec) = &mut device.kind else { continue };
            if macsec.validate == Validate::Strict {
                macsec.counters.in_no_tag += 1;
                device.stats.rx_dropped += 1;
                continue;
            }
            macsec.counters.in_untagged += 1;
            self.enqueue_copy(dev, frame.clone(), frame.packet_type);
        }
    }

    /// IEEE 802.1AE 10.6.1: a channel that nobody here knows.
    fn macsec_unknown_channel(&mut self, lower: DevId, frame: &Frame, tag: &SecTag) {
        let mut at = 0;
        while let Some((dev, _)) = self.macsec_member(lower, at) {
            at += 1;
            let Some(device) = self.devs.get_mut(dev) else { continue };
            let Kind::Macsec(macsec) = &mut device.kind else { continue };
            if tag.has(tci::CHANGED_TEXT) || macsec.validate == Validate::Strict {
                macsec.counters.in_no_sci += 1;
                device.stats.rx_errors += 1;
                continue;
            }
            macsec.counters.in_unknown_sci += 1;
            let mut copy = frame.clone();
            macsec::strip(&mut copy, tag, macsec::cipher::ICV_LEN);
            let packet_type = World::packet_type_for(copy.destination(), device.mac);
            self.enqueue_copy(dev, copy, packet_type);
        }
    }

    /// `netif_rx`
    fn enqueue_copy(&mut self, dev: DevId, mut frame: Frame, packet_type: PacketType) {
        frame.packet_type = packet_type;
        frame.sender = None;
        self.enqueue(Waiting::Receive { dev, frame });
    }
}

impl Port {
    pub(crate) fn of(device: &mut crate::device::Device) -> Option<&mut Port> {
        match &mut device.rx_handler {
            RxHandler::MacsecPort(port) => Some(port),
            _ => None,
        }
    }
}
