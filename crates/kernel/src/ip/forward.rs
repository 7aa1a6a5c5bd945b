//! Forwarding (`ip_forward`).

use std::net::Ipv4Addr;

use hairpin_netlink::PacketType;

use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::Frame;
use crate::trace::Step;
use crate::world::World;

use super::icmp::{Message, Unreachable};
use super::{Header, write_checksum};

impl World {
    #[allow(clippy::too_many_arguments)]
    pub(super) fn forward(
        &mut self,
        dev: DevId,
        header: Header,
        out: DevId,
        gateway: Option<Ipv4Addr>,
        redirect: bool,
        mtu: u32,
        mut frame: Frame,
    ) {
        let Some(ns) = self.devs.get(dev).map(|device| device.ns) else { return };
        if frame.packet_type != PacketType::Host {
            return self.drop_frame(Some(dev), frame, DropReason::ForwardNotHost);
        }
        if header.ttl <= 1 {
            self.icmp_error(ns, Some(dev), &frame, Message::TimeExceeded);
            return self.drop_frame(Some(dev), frame, DropReason::IpInHeader);
        }
        if header.total_len > mtu as usize && header.dont_fragment() {
            let message = Message::Unreachable(Unreachable::FragmentationNeeded { mtu: mtu as u16 });
            self.icmp_error(ns, Some(dev), &frame, message);
            return self.drop_frame(Some(dev), frame, DropReason::PacketTooBig);
        }
        let next_hop = gateway.unwrap_or(header.destination);
        if redirect && self.redirect_allowed(ns, header.source) {
            self.icmp_error(ns, Some(dev), &frame, Message::Redirect { gateway: next_hop });
        }
        self.trace_step(dev, &frame, Step::Forward);
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.counters.forwarded += 1;
        }
        let packet = frame.payload_mut();
        if let Some(ttl) = packet.get_mut(8) {
            *ttl -= 1;
        }
        write_checksum(packet, header.header_len);
        self.fragment_and_send(out, next_hop, false, mtu, frame);
    }
}
