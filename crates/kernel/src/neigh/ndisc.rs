//! Neighbour discovery (RFC 4861; net/ipv6/ndisc.c): solicitations, advertisements and redirects. What routers
//! advertise is in [`crate::control`].

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use hairpin_netlink::PacketType;

use crate::device::{DevId, ifa};
use crate::drop_reason::DropReason;
use crate::frame::{ETH_LEN, Frame, ethertype};
use crate::ip6::address::{ALL_NODES, ALL_ROUTERS, is_link_local, is_solicited_node, solicited_node};
use crate::ip6::event::Event6;
use crate::ip6::icmp::kind;
use crate::ip6::route::OutKey6;
use crate::ip6::{HEADER_LEN, Header, next, seal_icmp};
use crate::mac::Mac;
use crate::netns::NsId;
use crate::world::{TimerEvent, World};

use super::nud;
use super::state::Update;

/// `ND_OPT_*`
pub(crate) mod option {
    pub const SOURCE_MAC: u8 = 1;
    pub const TARGET_MAC: u8 = 2;
    pub const PREFIX: u8 = 3;
    pub const REDIRECTED: u8 = 4;
    pub const MTU: u8 = 5;
    pub const NONCE: u8 = 14;
    pub const ROUTE: u8 = 24;
}

/// Length of a solicitation or advertisement without options.
const TARGET_LEN: usize = 24;
/// Length of a redirect without options.
const REDIRECT_LEN: usize = 40;
/// Options of one message that are looked at.
const OPTIONS_MAX: usize = 64;

/// A random number that tells an own solicitation from another's (RFC 7527).
pub type Nonce = [u8; 6];

/// The options of a message.
pub(crate) struct Options<'a>(&'a [u8]);

impl<'a> Options<'a> {
    /// None where one of them has no length or does not fit (RFC 4861 §6.1, §7.1).
    pub fn parse(bytes: &'a [u8]) -> Option<Options<'a>> {
        let mut rest = bytes;
        for _ in 0..OPTIONS_MAX {
            if rest.is_empty() {
                return Some(Options(bytes));
            }
            let len = usize::from(*rest.get(1)?) * 8;
            if len == 0 {
                return None;
            }
            rest = rest.get(len..)?;
        }
        None
    }

    pub fn iter(&self) -> impl Iterator<Item = (u8, &'a [u8])> + use<'a> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (kind, len) = (*rest.first()?, usize::from(*rest.get(1)?) * 8);
            let (option, behind) = rest.split_at_checked(len)?;
            rest = behind;
            Some((kind, option))
        })
    }

    pub fn get(&self, wanted: u8) -> Option<&'a [u8]> {
        self.iter().find(|(kind, _)| *kind == wanted).map(|(_, option)| option)
    }

    /// A link-layer address; an error where the option has another length than Ethernet's.
    pub fn mac(&self, wanted: u8) -> Result<Option<Mac>, ()> {
        match self.get(wanted) {
            None => Ok(None),
            Some(option) if option.len() == 8 => Ok(option.get(2..).and_then(Mac::read)),
            Some(_) => Err(()),
        }
    }
}

/// The flags of an advertisement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Advertised {
    pub router: bool,
    pub solicited: bool,
    pub override_known: bool,
}

/// An advertisement that a proxy sends later.
#[derive(Clone, Copy, Debug)]
pub struct Delayed {
    pub to: Ipv6Addr,
    pub target: Ipv6Addr,
    pub router: bool,
}

impl World {
    /// `ndisc_rcv`: a message has come to this host, at byte `at` of the packet.
    pub(crate) fn ndisc_receive(
        &mut self,
        dev: DevId,
        header: &Header,
        at: usize,
        reassembled: bool,
        frame: Frame,
    ) {
        let ignored = DropReason::NeighbourDiscoveryIgnored;
        let message = frame.payload().get(at..).unwrap_or(&[]);
        // RFC 4861 6.1, 7.1: nobody else than a neighbour can send these; fragments: RFC 6980.
        let suppressed = reassembled && self.conf6(dev, "suppress_frag_ndisc") != 0;
        if suppressed || header.hop_limit != 255 || message.get(1) != Some(&0) {
            return self.drop_frame(Some(dev), frame, ignored);
        }
        let packet_type = frame.packet_type;
        let handled = match message.first().copied() {
            Some(kind::NEIGHBOUR_SOLICITATION) => self.solicitation(dev, header, message, packet_type),
            Some(kind::NEIGHBOUR_ADVERTISEMENT) => self.advertisement(dev, header, message),
            Some(kind::ROUTER_SOLICITATION) => self.router_solicitation(dev, header, message),
            Some(kind::ROUTER_ADVERTISEMENT) => self.router_advertisement(dev, header, message),
            Some(kind::REDIRECT) => self.redirect6(dev, header, message),
            _ => None,
        };
        match handled {
            Some(()) => self.consume(frame),
            None => self.drop_frame(Some(dev), frame, ignored),
        }
    }

    /// `ndisc_recv_ns`
    fn solicitation(
        &mut self,
        dev: DevId,
        header: &Header,
        message: &[u8],
        packet_type: PacketType,
    ) -> Option<()> {
        let target = target(message)?;
        let (source, to_group) = (header.source, header.destination.is_multicast());
        let probing = source.is_unspecified();
        if target.is_multicast() || probing && !is_solicited_node(header.destination) {
            return None;
        }
        let options = Options::parse(message.get(TARGET_LEN..)?)?;
        let mac = options.mac(option::SOURCE_MAC).ok()?;
        // RFC 4861 7.1.1: who has no address yet must not tell one.
        if probing && mac.is_some() {
            return None;
        }
        let device = self.devs.get(dev)?;
        let (ns, ifindex) = (device.ns, device.ifindex);
        let mut router = self.forwards6(dev);
        let of = |device: &'_ crate::device::Device| {
            device.ipv6.iter().find(|entry| entry.address == target).cloned()
        };
        // Of a port's VRF it answers for too.
        let vrf = || self.vrf_of(dev).and_then(|vrf| self.devs.get(vrf));
        let own = of(device).or_else(|| vrf().and_then(of));
        let has = own.is_some();
        match own {
            Some(entry) if entry.flags & ifa::TENTATIVE != 0 => {
                let nonce = options.get(option::NONCE).and_then(|option| option.get(2..8));
                let looped = nonce.is_some_and(|nonce| nonce == entry.dad.nonce && nonce != [0; 6]);
                // RFC 4862 5.4.3: somebody else is after the same address.
                if probing && !looped {
                    self.dad_failed(dev, target);
                }
                return Some(());
            }
            Some(_) => {}
            None if self.is_anycast(dev, target) => {}
            None if router && self.proxies_ndp(dev, target) => {
                router = self.proxy_is_router(dev, target);
                let delay = device_delay(self, dev);
                if packet_type != PacketType::Host && to_group && delay > 0 {
                    // `pneigh_enqueue`
                    let wait = Duration::from_micros(self.random_below(delay * 1000));
                    let to = if probing { ALL_NODES } else { source };
                    let event =
                        TimerEvent::Ipv6(Event6::ProxyNdp { dev, delayed: Delayed { to, target, router } });
                    self.timers.add(self.now + wait, event);
                    if !probing {
                        self.learn_solicitor(ns, ifindex, source, mac, true);
                    }
                    return Some(());
                }
            }
            None => return None,
        }
        if probing {
            let flags = Advertised { router, solicited: false, override_known: has };
            self.ndisc_send_na(dev, ALL_NODES, target, flags, true);
            return Some(());
        }
        if self.learn_solicitor(ns, ifindex, source, mac, !to_group || mac.is_some()) {
            let flags = Advertised { router, solicited: true, override_known: has && to_group };
            self.ndisc_send_na(dev, source, target, flags, to_group);
        }
        Some(())
    }

    /// Remembers who asked. False where there is no entry and none is to be made.
    fn learn_solicitor(
        &mut self,
        ns: NsId,
        ifindex: u32,
        source: Ipv6Addr,
        mac: Option<Mac>,
        create: bool,
    ) -> bool {
        let known = self.netns.get(ns).is_some_and(|netns| netns.neigh6.get(ifindex, source).is_some());
        if !known && (!create || !self.neigh_ensure(ns, ifindex, source)) {
            return false;
        }
        let how = Update { replace: true, weak: true, ..Update::default() };
        self.neigh_update(ns, ifindex, source, mac, nud::STALE, how);
        true
    }

    /// `ndisc_recv_na`
    fn advertisement(&mut self, dev: DevId, header: &Header, message: &[u8]) -> Option<()> {
        let target = target(message)?;
        let flags = *message.get(4)?;
        let (router, solicited, override_known) = (flags & 0x80 != 0, flags & 0x40 != 0, flags & 0x20 != 0);
        if target.is_multicast() || header.destination.is_multicast() && solicited {
            return None;
        }
        if !solicited && self.conf6_either(dev, "drop_unsolicited_na") {
            return None;
        }
        let options = Options::parse(message.get(TARGET_LEN..)?)?;
        let mac = options.mac(option::TARGET_MAC).ok()?;
        let device = self.devs.get(dev)?;
        let (ns, ifindex, own_mac) = (device.ns, device.ifindex, device.mac);
        if let Some(own) = device.ipv6.iter().find(|entry| entry.address == target) {
            if own.flags & ifa::TENTATIVE != 0 {
                self.dad_failed(dev, target);
            }
            return Some(());
        }
        let state = if solicited { nud::REACHABLE } else { nud::STALE };
        let known = self.netns.get(ns).and_then(|netns| netns.neigh6.get(ifindex, target)).map(|n| n.state);
        if known.is_none() && mac.is_some() && !solicited && self.accepts_untracked(dev, target) {
            self.neigh_ensure(ns, ifindex, target);
        } else if known? & nud::FAILED != 0 {
            return None;
        }
        // A proxy hears its own advertisement.
        if mac == Some(own_mac) && self.forwards6(dev) && self.proxies_ndp(dev, target) {
            return Some(());
        }
        let how = Update { replace: override_known, weak: true, router: Some(router), ..Update::default() };
        let was_router = self
            .netns
            .get(ns)
            .and_then(|n| n.neigh6.get(ifindex, target))
            .is_some_and(|n| n.flags & super::ROUTER != 0);
        self.neigh_update(ns, ifindex, target, mac, state, how);
        if was_router && !router {
            // `rt6_clean_tohost`: it has become a host.
            self.forget_router(dev, target);
        }
        Some(())
    }

    /// `accept_untracked_na` (RFC 9131), which routers may switch on.
    fn accepts_untracked(&self, dev: DevId, target: Ipv6Addr) -> bool {
        match self.conf6(dev, "accept_untracked_na") {
            0 => false,
            _ if !self.forwards6(dev) => false,
            1 => true,
            _ => self.devs.get(dev).is_some_and(|device| {
                device
                    .ipv6
                    .iter()
                    .any(|own| crate::route6::Prefix6::of(own.address, own.prefix_len).contains(target))
            }),
        }
    }

    /// `ndisc_recv_rs`: a router remembers who asked.
    fn router_solicitation(&mut self, dev: DevId, header: &Header, message: &[u8]) -> Option<()> {
        let options = Options::parse(message.get(8..)?)?;
        self.send_advertisement(dev);
        if !self.forwards6(dev) || header.source.is_unspecified() {
            return None;
        }
        let mac = options.mac(option::SOURCE_MAC).ok()?;
        let device = self.devs.get(dev)?;
        let (ns, ifindex) = (device.ns, device.ifindex);
        if self.neigh_ensure(ns, ifindex, header.source) {
            let how = Update { replace: true, weak: true, router: Some(false), ..Update::default() };
            self.neigh_update(ns, ifindex, header.source, mac, nud::STALE, how);
        }
        Some(())
    }

    /// `rt6_do_redirect`
    fn redirect6(&mut self, dev: DevId, header: &Header, message: &[u8]) -> Option<()> {
        let (better, destination) = (target(message)?, address_at(message, 24)?);
        let options = Options::parse(message.get(REDIRECT_LEN..)?)?;
        let on_link = better == destination;
        if !is_link_local(header.source)
            || destination.is_multicast()
            || !on_link && !is_link_local(better)
            || self.forwards6(dev)
            || self.conf6(dev, "accept_redirects") == 0
        {
            return None;
        }
        let device = self.devs.get(dev)?;
        let (ns, ifindex) = (device.ns, device.ifindex);
        // Only the router that packets go to now may redirect them.
        let key = OutKey6 { oif: 0, ..OutKey6::to(ns, destination) };
        let route = self.route_output6(key).ok()?;
        if route.dev != dev || route.gateway != Some(header.source) {
            return None;
        }
        let mac = options.mac(option::TARGET_MAC).ok()?;
        if !self.neigh_ensure(ns, ifindex, better) {
            return None;
        }
        let how =
            Update { replace: true, weak: true, router: (!on_link).then_some(true), ..Update::default() };
        self.neigh_update(ns, ifindex, better, mac, nud::STALE, how);
        self.learn_gateway6(ns, destination, better);
        Some(())
    }

    /// `ndisc_solicit` by way of `neigh_probe`: asks the group, or (when it is being probed) the known station.
    pub(super) fn ndisc_solicit(&mut self, ns: NsId, ifindex: u32, address: Ipv6Addr) {
        let Some(entry) = self.netns.get_mut(ns).and_then(|n| n.neigh6.get_mut(ifindex, address)) else {
            return;
        };
        let probes = entry.probes;
        entry.probes += 1;
        let dev = entry.dev;
        let waiting = entry.queue.back().and_then(|frame| address_at(frame.payload(), 8));
        let Some(device) = self.devs.get(dev) else { return };
        let usable = |wanted: Ipv6Addr| {
            device.ipv6.iter().any(|own| own.address == wanted && own.flags & ifa::TENTATIVE == 0)
        };
        let source = waiting.filter(|source| usable(*source)).or_else(|| self.link_local_of(dev));
        let Some(source) = source else { return };
        let unicast = device.neigh6_params.ucast_solicit.max(0) as u32;
        let to = if probes < unicast { address } else { solicited_node(address) };
        self.ndisc_send_ns(dev, address, to, source, None);
    }

    /// An own link-local address that is not tentative (`ipv6_get_lladdr`).
    pub(crate) fn link_local_of(&self, dev: DevId) -> Option<Ipv6Addr> {
        let mut own = self.devs.get(dev)?.ipv6.iter();
        let usable = own.find(|own| is_link_local(own.address) && own.flags & ifa::TENTATIVE == 0);
        usable.map(|own| own.address)
    }

    /// `ndisc_send_ns`: the sender's MAC is told unless its address is still to be confirmed.
    pub(crate) fn ndisc_send_ns(
        &mut self,
        dev: DevId,
        target: Ipv6Addr,
        to: Ipv6Addr,
        source: Ipv6Addr,
        nonce: Option<Nonce>,
    ) {
        let Some(mac) = self.devs.get(dev).map(|device| device.mac) else { return };
        let tells = !source.is_unspecified();
        let len = TARGET_LEN + if tells { 8 } else { 0 } + if nonce.is_some() { 8 } else { 0 };
        self.ndisc_send(dev, source, to, len, |message| {
            message[0] = kind::NEIGHBOUR_SOLICITATION;
            put(message, 8, &target.octets());
            let mut at = TARGET_LEN;
            if tells {
                put_option(message, at, option::SOURCE_MAC, &mac.0);
                at += 8;
            }
            if let Some(nonce) = nonce {
                put_option(message, at, option::NONCE, &nonce);
            }
        });
    }

    /// `ndisc_send_na`
    pub(crate) fn ndisc_send_na(
        &mut self,
        dev: DevId,
        to: Ipv6Addr,
        target: Ipv6Addr,
        flags: Advertised,
        tells: bool,
    ) {
        let Some(device) = self.devs.get(dev) else { return };
        let (ns, mac) = (device.ns, device.mac);
        let own = device.ipv6.iter().any(|entry| entry.address == target);
        // For a proxy the target is not the source.
        let source = if own { Some(target) } else { self.select_source6(ns, Some(dev), to) };
        let Some(source) = source else { return };
        let tells = tells || own && self.conf6(dev, "force_tllao") != 0;
        let len = TARGET_LEN + if tells { 8 } else { 0 };
        self.ndisc_send(dev, source, to, len, |message| {
            message[0] = kind::NEIGHBOUR_ADVERTISEMENT;
            message[4] = u8::from(flags.router) << 7
                | u8::from(flags.solicited) << 6
                | u8::from(flags.override_known) << 5;
            put(message, 8, &target.octets());
            if tells {
                put_option(message, TARGET_LEN, option::TARGET_MAC, &mac.0);
            }
        });
    }

    /// The delayed answer of a proxy.
    pub(crate) fn proxy_ndp_due(&mut self, dev: DevId, delayed: Delayed) {
        let solicited = !delayed.to.is_multicast();
        let flags = Advertised { router: delayed.router, solicited, override_known: false };
        self.ndisc_send_na(dev, delayed.to, delayed.target, flags, true);
    }

    /// `ndisc_send_rs`
    pub(crate) fn ndisc_send_rs(&mut self, dev: DevId, source: Ipv6Addr) {
        let Some(device) = self.devs.get(dev) else { return };
        let mut address = device.addresses().0;
        if source.is_unspecified() {
            address.clear();
        }
        // Kind, length, address and padding.
        let room = if address.is_empty() { 0 } else { (2 + address.len()).next_multiple_of(8) };
        self.ndisc_send(dev, source, ALL_ROUTERS, 8 + room, |message| {
            message[0] = kind::ROUTER_SOLICITATION;
            if room > 0 {
                put(message, 8, &[option::SOURCE_MAC, (room / 8) as u8]);
                put(message, 10, &address);
            }
        });
    }

    /// `ndisc_send_redirect`: the sender of a packet could reach `next_hop` itself.
    pub(crate) fn ndisc_send_redirect(
        &mut self,
        dev: DevId,
        header: &Header,
        next_hop: Ipv6Addr,
        about: &Frame,
    ) {
        let on_link = next_hop == header.destination;
        let Some(source) = self.link_local_of(dev) else { return };
        if !on_link && !is_link_local(next_hop) {
            return;
        }
        let Some((ns, ifindex)) = self.devs.get(dev).map(|device| (device.ns, device.ifindex)) else {
            return;
        };
        // Who is behind another router is no neighbour.
        let key = OutKey6 { source, oif: ifindex, ..OutKey6::to(ns, header.source) };
        if !self.route_output6(key).is_ok_and(|route| route.gateway.is_none())
            || !self.redirect6_allowed(ns, header.source)
        {
            return;
        }
        let entry = self.netns.get(ns).and_then(|netns| netns.neigh6.get(ifindex, next_hop));
        let mac = entry.filter(|entry| entry.is_valid()).map(|entry| entry.mac);
        let mac_len = if mac.is_some() { 8 } else { 0 };
        // The option has a header of eight bytes, and as much of the packet as fits into the least MTU; whole units of
        // eight bytes.
        let room = crate::ip6::MIN_MTU as usize - HEADER_LEN - REDIRECT_LEN - mac_len;
        let quoted_len = (((about.payload().len() + 8).min(room)) & !7).saturating_sub(8);
        let quoted: Vec<u8> = about.payload().iter().take(quoted_len).copied().collect();
        let destination = header.destination;
        let len = REDIRECT_LEN + mac_len + 8 + quoted.len();
        self.ndisc_send(dev, source, header.source, len, |message| {
            message[0] = kind::REDIRECT;
            put(message, 8, &next_hop.octets());
            put(message, 24, &destination.octets());
            let mut at = REDIRECT_LEN;
            if let Some(mac) = mac {
                put_option(message, at, option::TARGET_MAC, &mac.0);
                at += 8;
            }
            put(message, at, &[option::REDIRECTED, (quoted.len() / 8 + 1) as u8]);
            put(message, at + 8, &quoted);
        });
    }

    /// `ndisc_send_skb`: with the hop limit that proves the sender to be a neighbour.
    pub(crate) fn ndisc_send(
        &mut self,
        dev: DevId,
        source: Ipv6Addr,
        to: Ipv6Addr,
        len: usize,
        write: impl FnOnce(&mut [u8]),
    ) {
        let Some(device) = self.devs.get(dev) else { return };
        let ns = device.ns;
        let traffic_class = self.conf6(dev, "ndisc_tclass") as u8;
        let mut frame = self.pool.frame(ETH_LEN + HEADER_LEN + len);
        self.name_frame(&mut frame);
        frame.set_header(Mac::ZERO, Mac::ZERO, ethertype::IPV6);
        let header = Header {
            traffic_class,
            flow_label: 0,
            payload_len: len,
            next_header: next::ICMP,
            hop_limit: 255,
            source,
            destination: to,
        };
        let packet = frame.payload_mut();
        header.write(packet);
        let Some(message) = packet.get_mut(HEADER_LEN..) else { return };
        message.fill(0);
        write(message);
        seal_icmp(source, to, message);
        let what = message.first().copied().unwrap_or(0);
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.counters6.sent(HEADER_LEN + len, to.is_multicast());
        }
        let Some(frame) = self.filter_word(ns, dev, to.into(), frame) else { return };
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.counters6.count_icmp_out(what);
        }
        self.neigh_output(dev, to, frame);
    }

    /// Whether a device hears what is asked about an address that it answers for (`pndisc_constructor`,
    /// `pndisc_destructor`).
    pub(crate) fn hear_for_proxy(&mut self, ns: NsId, ifindex: u32, address: IpAddr, hear: bool) {
        let (IpAddr::V6(address), Some(dev)) = (address, self.device_at(ns, ifindex)) else { return };
        match hear {
            true => self.join_ipv6_group(dev, solicited_node(address)),
            false => self.leave_ipv6_group(dev, solicited_node(address)),
        }
    }

    /// Whether a device answers for an address that is elsewhere (`pneigh_lookup` with `proxy_ndp`).
    pub(crate) fn proxies_ndp(&self, dev: DevId, target: Ipv6Addr) -> bool {
        let Some(device) = self.devs.get(dev) else { return false };
        let Some(netns) = self.netns.get(device.ns) else { return false };
        let proxies = &netns.neigh6.proxies;
        !proxies.is_empty()
            && (proxies.contains_key(&(device.ifindex, target.into()))
                || proxies.contains_key(&(0, target.into())))
            && self.conf6_either(dev, "proxy_ndp")
    }

    /// `pndisc_is_router`
    fn proxy_is_router(&self, dev: DevId, target: Ipv6Addr) -> bool {
        let Some(device) = self.devs.get(dev) else { return false };
        let entry =
            self.netns.get(device.ns).and_then(|n| n.neigh6.proxies.get(&(device.ifindex, target.into())));
        entry.is_some_and(|flags| flags & super::ROUTER != 0)
    }

    fn is_anycast(&self, dev: DevId, target: Ipv6Addr) -> bool {
        let table = self.table6_of(dev, crate::route6::model::TABLE_LOCAL);
        let fib = self.devs.get(dev).and_then(|device| self.fib6.get(device.ns));
        let owner = fib.and_then(|fib| fib.owner_in(table, target));
        owner.is_some_and(|(kind, _)| kind == crate::route::RouteKind::Anycast)
    }

    /// Whether a device is a router's (`cnf.forwarding`).
    pub(crate) fn forwards6(&self, dev: DevId) -> bool {
        self.conf6(dev, "forwarding") != 0
    }
}

fn device_delay(world: &World, dev: DevId) -> u64 {
    world.devs.get(dev).map_or(0, |device| device.neigh6_params.proxy_delay_ms)
}

fn target(message: &[u8]) -> Option<Ipv6Addr> {
    address_at(message, 8)
}

pub(crate) fn address_at(bytes: &[u8], at: usize) -> Option<Ipv6Addr> {
    bytes.get(at..)?.first_chunk::<16>().map(|octets| Ipv6Addr::from(*octets))
}

pub(crate) fn put(message: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = message.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

/// An option of eight bytes.
pub(crate) fn put_option(message: &mut [u8], at: usize, kind: u8, data: &[u8; 6]) {
    put(message, at, &[kind, 1]);
    put(message, at + 2, data);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_one_after_the_other() {
        let bytes = [1, 1, 2, 0, 0, 0, 0, 9, 5, 1, 0, 0, 0, 0, 5, 0xdc];
        let options = Options::parse(&bytes).unwrap();
        assert_eq!(options.mac(option::SOURCE_MAC), Ok(Some(Mac([2, 0, 0, 0, 0, 9]))));
        assert_eq!(options.get(option::MTU).map(|option| option[7]), Some(0xdc));
        assert_eq!(options.mac(option::TARGET_MAC), Ok(None));
        assert!(Options::parse(&bytes[..12]).is_none());
        assert!(Options::parse(&[1, 0, 0, 0, 0, 0, 0, 0]).is_none());
    }
}
