//! Forwarding (`ip_forward`).

use std::net::Ipv4Addr;

use hairpin_netlink::PacketType;
use hairpin_netlink::netfilter::Hook;

use crate::dev::tunnel::TunnelInfo;
use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::Frame;
use crate::netfilter::At;
use crate::trace::Step;
use crate::world::World;

use super::icmp::{Message, Unreachable};
use super::output::priority_of;
use super::{HEADER_LEN, Header, options, write_checksum};

/// How a packet goes on.
pub(super) struct Onward {
    pub out: DevId,
    pub gateway: Option<Ipv4Addr>,
    /// The sender could reach the next hop itself.
    pub redirect: bool,
    pub mtu: u32,
    pub path_mtu: u32,
    pub tunnel: Option<TunnelInfo>,
    /// What its options have room for.
    pub slots: options::Slots,
}

impl World {
    pub(super) fn forward(&mut self, dev: DevId, header: Header, onward: Onward, mut frame: Frame) {
        let Onward { out, gateway, redirect, mtu, path_mtu, tunnel, slots } = onward;
        let Some(ns) = self.devs.get(dev).map(|device| device.ns) else { return };
        if frame.packet_type != PacketType::Host {
            return self.drop_frame(Some(dev), frame, DropReason::ForwardNotHost);
        }
        if header.ttl <= 1 {
            if let Some(netns) = self.netns.get_mut(ns) {
                netns.counters.in_header_errors += 1;
            }
            self.icmp_error(ns, Some(dev), &frame, Message::TimeExceeded);
            return self.drop_frame(Some(dev), frame, DropReason::IpInHeader);
        }
        if header.total_len > mtu as usize && header.dont_fragment() {
            if let Some(netns) = self.netns.get_mut(ns) {
                netns.counters.fragmentation_failures += 1;
            }
            let message = Message::Unreachable(Unreachable::FragmentationNeeded { mtu: mtu as u16 });
            self.icmp_error(ns, Some(dev), &frame, message);
            return self.drop_frame(Some(dev), frame, DropReason::PacketTooBig);
        }
        let next_hop = gateway.unwrap_or(header.destination);
        let packet = frame.payload_mut();
        if header.header_len > HEADER_LEN {
            self.forward_options(slots, out, next_hop, packet);
        }
        if let Some(ttl) = packet.get_mut(8) {
            *ttl -= 1;
        }
        write_checksum(packet, header.header_len);
        // A redirect quotes the packet as it goes on.
        if redirect && self.redirect_allowed(ns, header.source) {
            self.icmp_error(ns, Some(dev), &frame, Message::Redirect { gateway: next_hop });
        }
        let (input, output, next) = (Some(dev), Some(out), Some(next_hop.into()));
        let at = At { ns, hook: Hook::Forward, input, output, next_hop: next };
        let Some(passed) = self.filter(at, frame) else { return };
        let mut frame = passed.into_frame();
        frame.path_mtu = u16::try_from(path_mtu).unwrap_or(u16::MAX);
        frame.tunnel = tunnel;
        // `ip_forward_update_priority`
        frame.priority = priority_of(header.tos);
        self.trace_step(dev, &frame, Step::Forward);
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.counters.forwarded += 1;
            netns.counters.out_requests += 1;
            // `ip_forward_finish` and `ip_output` both count it.
            netns.counters.carried.left(2 * frame.payload().len());
        }
        let Some(passed) = self.filter(At { hook: Hook::Postrouting, ..at }, frame) else { return };
        self.fragment_and_send(out, next_hop, mtu, passed);
    }
}
