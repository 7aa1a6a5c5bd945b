//! Forwarding (`ip6_forward`).

use std::net::Ipv6Addr;

use hairpin_netlink::PacketType;
use hairpin_netlink::netfilter::Hook;

use crate::dev::tunnel::TunnelInfo;
use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::Frame;
use crate::netfilter::At;
use crate::trace::Step;
use crate::world::World;

use super::Header;
use super::address::is_link_local;
use super::icmp::{Message6, Unreachable6};

impl World {
    pub(super) fn forward6(
        &mut self,
        dev: DevId,
        header: Header,
        (out, gateway, tunnel): (DevId, Option<Ipv6Addr>, Option<TunnelInfo>),
        (mtu, learned): (u32, Option<u32>),
        mut frame: Frame,
    ) {
        let Some(ns) = self.devs.get(dev).map(|device| device.ns) else { return };
        let Some(netns) = self.netns.get_mut(ns) else { return };
        if !netns.sysctl.ipv6_forwarding {
            netns.counters6.in_address_errors += 1;
            return self.drop_frame(Some(dev), frame, DropReason::IpInAddressErrors);
        }
        if frame.packet_type != PacketType::Host {
            netns.counters6.in_discards += 1;
            return self.drop_frame(Some(dev), frame, DropReason::ForwardNotHost);
        }
        if header.hop_limit <= 1 {
            netns.counters6.in_header_errors += 1;
            self.icmp6_error(ns, Some(dev), &frame, Message6::TimeExceeded);
            return self.drop_frame(Some(dev), frame, DropReason::IpInHeader);
        }
        if self.proxies_ndp(dev, header.destination) {
            // `ip6_forward_proxy_check`: neighbour discovery is for the proxy itself.
            if super::extension::upper_layer(frame.payload())
                .filter(|(kind, _)| *kind == super::next::ICMP)
                .and_then(|(_, at)| frame.payload().get(at).copied())
                .is_some_and(|kind| (133..=137).contains(&kind))
            {
                return self.icmp6_receive_proxied(ns, dev, &header, frame);
            }
            if is_link_local(header.destination) {
                self.link_failure6(ns, &frame);
                return self.drop_frame(Some(dev), frame, DropReason::IpInAddressErrors);
            }
        }
        let next_hop = gateway.unwrap_or(header.destination);
        if out == dev && !self.devs.get(dev).is_some_and(|device| device.is_noarp()) {
            // By whom the packet is for; by who sent it, there: for one station that is both it counts twice.
            if self.redirect6_allowed(ns, header.destination) {
                self.ndisc_send_redirect(dev, &header, next_hop, &frame);
            }
        } else if header.source.is_unspecified() || header.source.is_loopback() {
            return self.refuse_source(ns, dev, frame);
        } else if is_link_local(header.source) {
            self.icmp6_error(ns, Some(dev), &frame, Message6::Unreachable(Unreachable6::BeyondScope));
            return self.refuse_source(ns, dev, frame);
        }
        // What came in fragments may leave in fragments as long.
        let whole =
            if frame.fragment_max == 0 { header.total_len() } else { usize::from(frame.fragment_max) };
        if whole > mtu as usize {
            if let Some(netns) = self.netns.get_mut(ns) {
                netns.counters6.in_too_big += 1;
                netns.counters6.fragmentation_failures += 1;
            }
            self.icmp6_error(ns, Some(dev), &frame, Message6::PacketTooBig { mtu });
            return self.drop_frame(Some(dev), frame, DropReason::PacketTooBig);
        }
        if let Some(hop_limit) = frame.payload_mut().get_mut(7) {
            *hop_limit -= 1;
        }
        let (input, output, next) = (Some(dev), Some(out), Some(next_hop.into()));
        let at = At { ns, hook: Hook::Forward, input, output, next_hop: next };
        let Some(passed) = self.filter(at, frame) else { return };
        let mut frame = passed.into_frame();
        self.trace_step(dev, &frame, Step::Forward);
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.counters6.forwarded += 1;
            netns.counters6.sent(header.total_len(), false);
        }
        // `ip6_finish_output`: what was learned of the way further on counts for others' packets only here.
        if let Some(mtu) = learned.filter(|learned| whole > *learned as usize) {
            if let Some(netns) = self.netns.get_mut(ns) {
                netns.counters6.fragmentation_failures += 1;
            }
            self.icmp6_error(ns, Some(dev), &frame, Message6::PacketTooBig { mtu });
            return self.drop_frame(Some(out), frame, DropReason::PacketTooBig);
        }
        frame.path_mtu = u16::try_from(learned.unwrap_or(mtu)).unwrap_or(u16::MAX);
        frame.tunnel = tunnel;
        let Some(passed) = self.filter(At { hook: Hook::Postrouting, ..at }, frame) else { return };
        self.fragment_and_send6(ns, (out, next_hop), mtu, passed);
    }

    fn refuse_source(&mut self, ns: crate::netns::NsId, dev: DevId, frame: Frame) {
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.counters6.in_address_errors += 1;
        }
        self.drop_frame(Some(dev), frame, DropReason::IpInAddressErrors);
    }
}
