//! A received IPv4 packet up to the decision: deliver or forward (`ip_rcv`, `ip_rcv_finish`).

use std::ops::ControlFlow;

use hairpin_netlink::PacketType;
use hairpin_netlink::netfilter::{Family, Hook};

use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::{ETH_LEN, Frame};
use crate::netfilter::At;
use crate::netns::NsId;
use crate::route::{InputError, LookupError, RouteKind};
use crate::sysctl::Conf;
use crate::world::World;

use super::forward::Onward;
use super::icmp::{self, Unreachable};
use super::route::InRoute;
use super::{HEADER_LEN, Header, options};

impl World {
    /// A frame with an IPv4 packet has reached the protocol layer of `dev`.
    pub(crate) fn ip_receive(&mut self, dev: DevId, mut frame: Frame) {
        let Some(device) = self.devs.get(dev) else {
            return self.drop_frame(None, frame, DropReason::DeviceGone);
        };
        let (ns, loopback, shared) = (device.ns, device.is_loopback(), !device.rx_handler.is_none());
        let of_vrf = device.may_be_of_vrf();
        frame.iif = device.ifindex;
        if frame.packet_type == PacketType::OtherHost {
            if let Some(device) = self.devs.get_mut(dev) {
                device.stats.rx_otherhost += 1;
            }
            return self.drop_frame(Some(dev), frame, DropReason::OtherHost);
        }
        let mut filtered = false;
        let parsed = Header::parse(frame.payload());
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.counters.in_receives += 1;
            netns.counters.carried.came(frame.payload_len());
            match &parsed {
                Ok(header) => netns.counters.carried.ecn[usize::from(header.tos & 3)] += 1,
                Err(_) => netns.counters.in_header_errors += 1,
            }
            filtered = netns.netfilter.is_some();
        }
        let mut header = match parsed {
            Ok(header) => header,
            Err(reason) => return self.drop_frame(Some(dev), frame, reason),
        };
        // The link may have padded the packet.
        frame.truncate(ETH_LEN + header.total_len);
        if filtered {
            let Some(passed) = self.prerouting(ns, dev, header, frame) else { return };
            (header, frame) = passed;
        }
        if of_vrf {
            let Some(passed) = self.vrf_receive((ns, dev), header, frame) else { return };
            (header, frame) = passed;
        }
        if loopback && let Some((kind, owner)) = self.looped_route(ns, &header) {
            // Sockets bound to a device see the one that has the address (`inet_iif`).
            if kind == RouteKind::Local {
                frame.iif = owner;
            }
            if header.header_len > HEADER_LEN {
                match self.receive_options((ns, dev), &header, Some(kind), frame) {
                    ControlFlow::Continue((_, back)) => frame = back,
                    ControlFlow::Break(()) => return,
                }
            }
            self.count_delivered(ns, kind, &frame);
            return self.local_deliver(dev, header, kind, frame);
        }
        if shared
            && let Some(owner) =
                self.devs.get(dev).and_then(|device| World::l3s_owner(device, header.destination))
        {
            match self.l3s_receive(dev, owner, header, frame) {
                Some(back) => frame = back,
                None => return,
            }
        }
        let route = self.route_input(dev, &header, frame.mark);
        let mut slots = options::Slots::default();
        if header.header_len > HEADER_LEN {
            let delivered = match &route {
                Ok(InRoute::Deliver(kind)) => Some(*kind),
                _ => None,
            };
            match self.receive_options((ns, dev), &header, delivered, frame) {
                ControlFlow::Continue(back) => (slots, frame) = back,
                ControlFlow::Break(()) => return,
            }
        }
        match route {
            Ok(InRoute::Deliver(kind)) => {
                // RFC 1122 3.3.6: with this setting, unicast in a link-layer broadcast is refused.
                let link_group = matches!(frame.packet_type, PacketType::Broadcast | PacketType::Multicast);
                if kind == RouteKind::Local
                    && link_group
                    && self.dev_conf_either(dev, Conf::DropUnicastInL2Multicast)
                {
                    return self.drop_frame(Some(dev), frame, DropReason::UnicastInL2Multicast);
                }
                self.count_delivered(ns, kind, &frame);
                self.local_deliver(dev, header, kind, frame);
            }
            Ok(InRoute::Forward { dev: out, gateway, redirect, mtu, path_mtu, tunnel, .. }) => {
                let onward = Onward { out, gateway, redirect, mtu, path_mtu, tunnel, slots };
                self.forward(dev, header, onward, frame);
            }
            Err(error) => self.refuse(ns, dev, &header, error, frame),
        }
    }

    /// `ip_rcv_finish_core`: what groups and all get is counted apart.
    #[inline]
    pub(super) fn count_delivered(&mut self, ns: NsId, kind: RouteKind, frame: &Frame) {
        if matches!(kind, RouteKind::Multicast | RouteKind::Broadcast)
            && let Some(netns) = self.netns.get_mut(ns)
        {
            netns.counters.carried.delivers(kind, frame.payload_len());
        }
    }

    /// Fragments are put together where connections are tracked; then the first hook.
    pub(super) fn prerouting(
        &mut self,
        ns: NsId,
        dev: DevId,
        mut header: Header,
        mut frame: Frame,
    ) -> Option<(Header, Frame)> {
        if self.has_passed_prerouting(dev, &mut frame) {
            return Some((header, frame));
        }
        if header.is_fragment() && self.reassembles_first(ns, Family::Ipv4) {
            (header, frame) = self.gather(ns, dev, &header, frame)?;
        }
        let at = At { ns, hook: Hook::Prerouting, input: Some(dev), output: None, next_hop: None };
        let frame = self.filter(at, frame)?.into_frame();
        Some((Header::quoted(frame.payload()).unwrap_or(header), frame))
    }

    /// What this host sent to itself keeps the route it was sent by: it is not routed again.
    fn looped_route(&self, ns: NsId, header: &Header) -> Option<(RouteKind, u32)> {
        match self.address_owner(ns, header.destination) {
            found @ (RouteKind::Local | RouteKind::Broadcast | RouteKind::Multicast, _) => Some(found),
            _ => None,
        }
    }

    /// `ip_error` and the martian cases of `ip_route_input_slow`.
    fn refuse(&mut self, ns: NsId, dev: DevId, header: &Header, error: InputError, frame: Frame) {
        let reason = match error {
            InputError::Disabled => DropReason::Ipv4Disabled,
            InputError::InvalidSource => DropReason::IpInvalidSource,
            InputError::InvalidDestination => DropReason::IpInvalidDestination,
            InputError::Localnet => DropReason::IpLocalNet,
            InputError::NotJoined => DropReason::NotJoined,
            InputError::LocalSource => DropReason::IpLocalSource,
            InputError::ReversePath => DropReason::IpReversePath,
            InputError::NotForwarding => DropReason::IpInAddressErrors,
            InputError::NoRoute(LookupError::NetUnreachable | LookupError::Continue) => {
                DropReason::IpInNoRoutes
            }
            InputError::NoRoute(_) => DropReason::RouteRefused,
        };
        let code = match error {
            InputError::NoRoute(LookupError::NetUnreachable | LookupError::Continue) => {
                Some(Unreachable::Net)
            }
            InputError::NoRoute(LookupError::HostUnreachable) => Some(Unreachable::Host),
            InputError::NoRoute(LookupError::Prohibited) => Some(Unreachable::PacketFiltered),
            _ => None,
        };
        if let Some(netns) = self.netns.get_mut(ns) {
            match reason {
                DropReason::IpInAddressErrors => netns.counters.in_address_errors += 1,
                DropReason::IpInNoRoutes => netns.counters.in_no_routes += 1,
                DropReason::IpReversePath => netns.counters.reverse_path += 1,
                _ => {}
            }
        }
        if let Some(code) = code
            && self.route_error_allowed(ns, header.source)
        {
            let message = icmp::Message::Unreachable(code);
            self.icmp_error(ns, Some(dev), &frame, message);
        }
        self.drop_frame(Some(dev), frame, reason);
    }
}
