//! Whether a packet is what a rule asks for.

use std::net::IpAddr;

use hairpin_netlink::PacketType;
use hairpin_netlink::netfilter::conntrack::status;
use hairpin_netlink::netfilter::counting::{ConnBytes, Counted, Direction, Ecn, Statistic, Text};
use hairpin_netlink::netfilter::matches::{
    AddrType, Comparison, Conntrack as Wanted, PhysDev, Ports, Side, TcpFlags, state,
};
use hairpin_netlink::netfilter::{Header, Interface, Match};

use super::At;
use super::conntrack::tuple;
use super::conntrack::{Connection, Conntrack, Info, ORIGINAL, REPLY};
use super::evaluate::Aids;
use super::headers;
use super::packet::{Ip, protocol};
use super::state::{State, by_chance};
use crate::device::{DevId, hardware};
use crate::frame::{Frame, Owner};
use crate::route::RouteKind;
use crate::world::World;

/// A packet at a hook, and what is around it.
pub(super) struct Around<'a> {
    pub world: &'a World,
    pub at: &'a At,
    pub frame: &'a Frame,
    pub ip: &'a Ip,
    pub conntrack: &'a Conntrack,
}

impl Around<'_> {
    fn bytes(&self) -> &[u8] {
        self.frame.payload()
    }

    fn connection(&self) -> Option<&Connection> {
        self.conntrack.get(self.frame.track)
    }

    fn name_of(&self, dev: Option<DevId>) -> &str {
        dev.and_then(|dev| self.world.devs.get(dev)).map_or("", |device| device.name.as_str())
    }

    /// `ip_packet_match`, `ip6_packet_match`. `lost` where the packet's protocol is asked for and cannot be told.
    pub fn has_header(&self, header: &Header, lost: &mut bool) -> bool {
        if let Some(network) = &header.source
            && !network.contains(self.ip.source)
        {
            return false;
        }
        if let Some(network) = &header.destination
            && !network.contains(self.ip.destination)
        {
            return false;
        }
        if let Some(input) = &header.input
            && !input.matches(self.name_of(self.at.input))
        {
            return false;
        }
        if let Some(output) = &header.output
            && !output.matches(self.name_of(self.at.output))
        {
            return false;
        }
        if header.protocol.is_some() && self.ip.protocol_is_hidden {
            *lost = true;
            return false;
        }
        if let Some((protocol, invert)) = header.protocol
            && (self.ip.protocol == protocol) == invert
        {
            return false;
        }
        header.fragment.is_none_or(|wanted| (self.ip.offset != 0) == wanted)
    }

    /// Whether all matches of a rule hold. `states` is what those of them remember that do.
    pub fn has(&self, matches: &[Match], states: &mut [State], aids: &mut Aids<'_>) -> bool {
        let mut states = states.iter_mut();
        let now = self.world.now;
        matches.iter().all(|wanted| match wanted {
            Match::Limit(limit) => match states.next() {
                Some(State::Limit(bucket)) => bucket.take(limit, now),
                _ => false,
            },
            Match::Set(wanted) => aids.sets.matches(wanted, self),
            Match::Statistic(Statistic::Random { probability, invert }) => {
                by_chance(*probability, aids.random) != *invert
            }
            Match::Statistic(Statistic::Nth { every, invert, .. }) => {
                states.next().is_some_and(|state| state.is_nth(*every)) != *invert
            }
            Match::Quota { bytes: _, invert } => {
                let len = self.bytes().len() as u64;
                states.next().is_some_and(|state| state.within_quota(len)) != *invert
            }
            Match::ConnLimit(limit) => {
                let Some(state) = states.next() else { return false };
                // A connection that has just ended is known yet, though nobody finds it.
                let (tuple, known) = match self.connection() {
                    Some(found) => (Some(*found.tuple(ORIGINAL)), found.has(status::CONFIRMED)),
                    None => {
                        let tuple = tuple::of_packet(self.ip, self.ip.payload(self.bytes()));
                        (tuple, tuple.is_some_and(|tuple| self.conntrack.look_up(&tuple, now).is_some()))
                    }
                };
                let address = if limit.destination { self.ip.destination } else { self.ip.source };
                let by_loopback = self.at.input.and_then(|dev| self.world.devs.get(dev));
                let by_loopback = by_loopback.is_some_and(|device| device.is_loopback());
                let count = tuple.map_or(0, |tuple| {
                    let packet = (&tuple, known, by_loopback);
                    state.connections(limit, address, packet, self.conntrack, now)
                });
                aids.lost |= count == 0;
                count != 0 && (count > u64::from(limit.limit)) != limit.up_to
            }
            Match::Recent(wanted) => {
                let address = if wanted.destination { self.ip.destination } else { self.ip.source };
                // As it was before it was forwarded.
                let forwarded = self.at.output.is_some() && self.frame.owner != Owner::Program;
                let ttl = self.ip.ttl.wrapping_add(u8::from(forwarded));
                aids.stores.is_recent(wanted, address, ttl, now)
            }
            Match::HashLimit(wanted) => {
                let (from, to) = self.ip.ports(self.bytes()).unwrap_or((0, 0));
                let (source, destination) = ((self.ip.source, from), (self.ip.destination, to));
                aids.stores.is_below(wanted, source, destination, self.ip.total_len, now) != wanted.above
            }
            Match::Behind(wanted) => {
                let link = self.came_by_ethernet().then(|| (self.frame.source().0, self.frame.ethertype()));
                let packet = headers::Packet { bytes: self.bytes(), ip: self.ip, link };
                headers::has(packet, wanted).unwrap_or_else(|headers::Malformed| {
                    aids.lost = true;
                    false
                })
            }
            wanted => self.is(wanted),
        })
    }

    /// Whether it came by a device that gives frames MACs: not by loopback, nor by a tunnel.
    pub(super) fn came_by_ethernet(&self) -> bool {
        let input = self.at.input.and_then(|dev| self.world.devs.get(dev));
        input.is_some_and(|device| device.hardware == hardware::ETHER)
    }

    fn is(&self, wanted: &Match) -> bool {
        match wanted {
            Match::Tcp { source, destination, flags, option } => {
                self.is_tcp(source, destination, flags.as_ref(), *option)
            }
            Match::Udp { source, destination } | Match::Sctp { source, destination } => {
                self.has_ports(source, destination)
            }
            Match::Icmp { kind, codes, invert } => self.is_icmp(*kind, *codes, *invert),
            Match::Conntrack(wanted) => self.is_connection(wanted),
            Match::State { states, invert } => (self.state() & states != 0) != *invert,
            Match::Multiport { side, ports, invert } => self.is_multiport(*side, ports, *invert),
            Match::AddrType(wanted) => self.is_addrtype(wanted),
            Match::RpFilter(wanted) => self.comes_by_its_way(wanted) != wanted.invert,
            Match::Mac { address, invert } => {
                self.came_by_ethernet() && (self.frame.source().0 == *address) != *invert
            }
            Match::Mark { value, mask, invert } => (self.frame.mark & mask == *value) != *invert,
            Match::ConnMark { value, mask, invert } => {
                self.connection().is_some_and(|found| (found.mark & mask == *value) != *invert)
            }
            Match::Comment(_) => true,
            // Seen to by [`Around::has`].
            Match::Limit(_)
            | Match::Behind(_)
            | Match::Set(_)
            | Match::Statistic(_)
            | Match::Quota { .. }
            | Match::ConnLimit(_)
            | Match::Recent(_)
            | Match::HashLimit(_) => true,
            Match::Tos { value, mask, invert } => (self.ip.tos & mask == *value) != *invert,
            Match::Dscp { value, invert } => (self.ip.tos >> 2 == *value) != *invert,
            Match::ConnBytes(wanted) => self.has_carried(wanted),
            Match::Ecn(wanted) => self.is_ecn(wanted),
            Match::Words(wanted) => super::words::has_words(self.bytes(), wanted) != wanted.invert,
            Match::Time(wanted) => {
                let seconds = (self.world.epoch_ns + self.world.now.nanos()) / 1_000_000_000;
                super::clock::is_time(wanted, seconds)
            }
            Match::String(wanted) => contains(self.bytes(), wanted) != wanted.invert,
            Match::TcpMss { low, high, invert } => {
                let segment = self.ip.payload(self.bytes());
                super::evaluate::mss(segment).is_some_and(|(_, mss)| *low <= mss && mss <= *high) != *invert
            }
            Match::IpRange { source, destination } => {
                in_range(source, self.ip.source) && in_range(destination, self.ip.destination)
            }
            Match::PhysDev(wanted) => self.is_physdev(wanted),
            Match::PktType { kind, invert } => {
                let is = match self.frame.packet_type {
                    PacketType::Broadcast => 1,
                    PacketType::Multicast => 2,
                    PacketType::OtherHost => 3,
                    PacketType::Host | PacketType::Outgoing => 0,
                };
                (is == *kind) != *invert
            }
            Match::Ttl { comparison, value } => match comparison {
                Comparison::Equal => self.ip.ttl == *value,
                Comparison::NotEqual => self.ip.ttl != *value,
                Comparison::Less => self.ip.ttl < *value,
                Comparison::Greater => self.ip.ttl > *value,
            },
            Match::Length { low, high, invert } => {
                let len = self.ip.total_len;
                (usize::from(*low) <= len && len <= usize::from(*high)) != *invert
            }
            Match::Owner { user, group, socket, .. } => self.is_owned(*user, *group, *socket),
        }
    }

    fn has_ports(&self, source: &Ports, destination: &Ports) -> bool {
        let ports = self.ip.ports(self.bytes());
        ports.is_some_and(|(from, to)| source.contain(from) && destination.contain(to))
    }

    fn is_tcp(
        &self,
        source: &Ports,
        destination: &Ports,
        flags: Option<&TcpFlags>,
        option: Option<(u8, bool)>,
    ) -> bool {
        if self.ip.protocol != protocol::TCP || !self.has_ports(source, destination) {
            return false;
        }
        let segment = self.ip.payload(self.bytes());
        let Some(head) = segment.first_chunk::<20>() else { return false };
        if let Some(wanted) = flags
            && (head[13] & wanted.mask == wanted.set) == wanted.invert
        {
            return false;
        }
        option.is_none_or(|(wanted, invert)| {
            let end = usize::from(head[12] >> 4) * 4;
            tcp_options(segment.get(20..end).unwrap_or(&[])).any(|kind| kind == wanted) != invert
        })
    }

    fn is_icmp(&self, kind: u8, (low, high): (u8, u8), invert: bool) -> bool {
        const ANY: u8 = 255;
        let Some(&[found, code]) = self.ip.payload(self.bytes()).first_chunk::<2>() else { return false };
        let any = kind == ANY && self.ip.protocol == protocol::ICMP;
        (any || found == kind && low <= code && code <= high) != invert
    }

    /// The packet's state, as a bit of [`state`].
    fn state(&self) -> u16 {
        match self.frame.track.info {
            Info::None | Info::Attached => state::INVALID,
            Info::Untracked => state::UNTRACKED,
            Info::New => state::NEW,
            Info::Related | Info::RelatedReply => state::RELATED,
            Info::Established | Info::EstablishedReply => state::ESTABLISHED,
        }
    }

    /// xt_conntrack.c
    fn is_connection(&self, wanted: &Wanted) -> bool {
        let connection = self.connection();
        if let Some((states, invert)) = wanted.state {
            let mut is = self.state();
            if let Some(connection) = connection {
                if connection.has(status::SRC_NAT) {
                    is |= state::SNAT;
                }
                if connection.has(status::DST_NAT) {
                    is |= state::DNAT;
                }
            }
            if (is & states != 0) == invert {
                return false;
            }
        }
        let Some(connection) = connection else {
            // `conntrack_mt`: without a connection nothing but the state can be asked for.
            return Wanted { state: None, ..wanted.clone() } == Wanted::default();
        };
        let (original, reply) = (connection.tuple(ORIGINAL), connection.tuple(REPLY));
        if let Some(of_reply) = wanted.reply_direction
            && (self.frame.track.direction() == REPLY) != of_reply
        {
            return false;
        }
        if let Some((bits, invert)) = wanted.status {
            // `NONE` is no bit: nothing has it.
            if (connection.status & bits != 0) == invert {
                return false;
            }
        }
        if let Some((number, invert)) = wanted.protocol
            && (original.protocol == number) == invert
        {
            return false;
        }
        let addresses = [
            (&wanted.original_source, original.source),
            (&wanted.original_destination, original.destination),
            (&wanted.reply_source, reply.source),
            (&wanted.reply_destination, reply.destination),
        ];
        let ports =
            [original.source_port, original.destination_port, reply.source_port, reply.destination_port];
        let is = |(wanted, port): (&Option<(u16, u16, bool)>, u16)| {
            wanted.is_none_or(|(low, high, invert)| (low <= port && port <= high) != invert)
        };
        // Of one that is not confirmed its time has not begun.
        let left = match connection.has(status::CONFIRMED) {
            true => u32::try_from(connection.lasts(self.world.now).as_secs()).unwrap_or(u32::MAX),
            false => 0,
        };
        addresses.iter().all(|(network, address)| network.as_ref().is_none_or(|n| n.contains(*address)))
            && wanted.ports.iter().zip(ports).all(is)
            && wanted.expires.is_none_or(|(low, high, invert)| (low <= left && left <= high) != invert)
    }

    /// `connbytes_mt`
    fn has_carried(&self, wanted: &ConnBytes) -> bool {
        let counters = self.connection().and_then(|connection| connection.counters());
        let Some([original, reply]) = counters else { return false };
        let (packets, bytes) = match wanted.direction {
            Direction::Original => original,
            Direction::Reply => reply,
            Direction::Both => (original.0 + reply.0, original.1 + reply.1),
        };
        let what = match wanted.what {
            Counted::Packets => packets,
            Counted::Bytes => bytes,
            Counted::Average => bytes.checked_div(packets).unwrap_or(0),
        };
        (wanted.low <= what && what <= wanted.high) != wanted.invert
    }

    /// xt_ecn.c
    fn is_ecn(&self, wanted: &Ecn) -> bool {
        const FLAGS: usize = 13;
        const ECE: u8 = 0x40;
        const CWR: u8 = 0x80;
        if wanted.ip.is_some_and(|(bits, invert)| (self.ip.tos & 3 == bits) == invert) {
            return false;
        }
        let asked = [(wanted.ece, ECE), (wanted.cwr, CWR)];
        if asked.iter().all(|(wanted, _)| wanted.is_none()) {
            return true;
        }
        let segment = self.ip.payload(self.bytes());
        let Some(flags) = segment.get(FLAGS).filter(|_| self.ip.protocol == protocol::TCP) else {
            return false;
        };
        asked.iter().all(|(wanted, bit)| wanted.is_none_or(|wanted| (flags & bit != 0) == wanted))
    }

    fn is_multiport(&self, side: Side, wanted: &[(u16, u16)], invert: bool) -> bool {
        let Some((from, to)) = self.ip.ports(self.bytes()) else { return false };
        let has = |port: u16| wanted.iter().any(|(low, high)| *low <= port && port <= *high);
        let found = match side {
            Side::Source => has(from),
            Side::Destination => has(to),
            Side::Either => has(from) || has(to),
        };
        found != invert
    }

    /// xt_addrtype.c
    fn is_addrtype(&self, wanted: &AddrType) -> bool {
        let dev = match (wanted.limit_input, wanted.limit_output) {
            (true, _) => self.at.input,
            (_, true) => self.at.output,
            _ => None,
        };
        let is = |asked: Option<(u16, bool)>, address: IpAddr| {
            asked.is_none_or(|(kinds, invert)| {
                let is = match address {
                    IpAddr::V4(_) => kinds & self.kind_of(address, dev) != 0,
                    IpAddr::V6(address) => self.is_kind6(address, kinds, dev),
                };
                is != invert
            })
        };
        is(wanted.source, self.ip.source) && is(wanted.destination, self.ip.destination)
    }

    /// `inet_dev_addr_type` as a bit of `RTN_*`; with a device, only its own addresses are local.
    pub fn kind_of(&self, address: IpAddr, dev: Option<DevId>) -> u16 {
        const UNICAST: u16 = 1 << 1;
        let (kind, owner) = match address {
            IpAddr::V4(address) => self.world.address_owner(self.at.ns, address),
            IpAddr::V6(address) if address.is_multicast() => (RouteKind::Multicast, 0),
            IpAddr::V6(address) => self.world.owner_of_ipv6(self.at.ns, address),
        };
        let limit = dev.and_then(|dev| self.world.devs.get(dev)).map(|device| device.ifindex);
        let elsewhere = limit.is_some_and(|limit| limit != owner && owner != 0);
        if elsewhere { UNICAST } else { 1u16.checked_shl(u32::from(kind as u8)).unwrap_or(0) }
    }

    /// `physdev_mt`
    fn is_physdev(&self, wanted: &PhysDev) -> bool {
        let flags = [wanted.is_bridged, wanted.is_in, wanted.is_out];
        let Some(bridged) = self.frame.bridged else {
            // Not bridged, or not known yet to be: only what asks for the contrary is met.
            let ports = [&wanted.input, &wanted.output];
            return flags.iter().all(|asked| asked.is_none_or(|is| !is))
                && ports.iter().all(|port| port.as_ref().is_none_or(|port| port.invert));
        };
        let has = [bridged.output.is_some(), bridged.input.is_some(), bridged.output.is_some()];
        flags.iter().zip(has).all(|(asked, is)| asked.is_none_or(|asked| asked == is))
            && (bridged.input.is_none() || self.is_port(wanted.input.as_ref(), bridged.input))
            && (wanted.output.is_none()
                || bridged.output.is_some() && self.is_port(wanted.output.as_ref(), bridged.output))
    }

    fn is_port(&self, wanted: Option<&Interface>, port: Option<DevId>) -> bool {
        wanted.is_none_or(|wanted| wanted.matches(self.name_of(port)))
    }

    /// xt_owner.c. Everything that runs in a world is root's.
    fn is_owned(
        &self,
        user: Option<(u32, u32, bool)>,
        group: Option<(u32, u32, bool)>,
        socket: Option<bool>,
    ) -> bool {
        const ROOT: u32 = 0;
        let is = |asked: Option<(u32, u32, bool)>| {
            asked.is_none_or(|(low, high, invert)| (low..=high).contains(&ROOT) != invert)
        };
        if self.frame.owner != Owner::Program {
            // The kernel's own packets have no owner: only what asks for none is met.
            let none = |asked: Option<(u32, u32, bool)>| asked.is_none_or(|(_, _, invert)| invert);
            // Its ICMP goes out by a socket of its own, which nobody has opened, and so do answers of TCP.
            let by_socket = self.frame.owner == Owner::Kernel
                || matches!(self.ip.protocol, protocol::ICMP | protocol::ICMPV6);
            return socket.is_none_or(|wanted| wanted == by_socket) && none(user) && none(group);
        }
        socket.is_none_or(|wanted| wanted) && is(user) && is(group)
    }
}

fn in_range(range: &Option<(IpAddr, IpAddr, bool)>, address: IpAddr) -> bool {
    range.is_none_or(|(low, high, invert)| (low <= address && address <= high) != invert)
}

/// `string_mt`: whether a pattern begins and ends within its part of a packet.
fn contains(packet: &[u8], wanted: &Text) -> bool {
    let (from, to) = (usize::from(wanted.from), usize::from(wanted.to).min(packet.len()));
    let Some(part) = packet.get(from..to) else { return false };
    let same = |window: &[u8]| match wanted.ignore_case {
        true => window.eq_ignore_ascii_case(&wanted.pattern),
        false => window == wanted.pattern,
    };
    !wanted.pattern.is_empty() && part.windows(wanted.pattern.len()).any(same)
}

/// The kinds of the options of a TCP header.
fn tcp_options(options: &[u8]) -> impl Iterator<Item = u8> {
    let mut rest = options;
    std::iter::from_fn(move || {
        loop {
            let kind = *rest.first()?;
            match kind {
                0 => return None,
                1 => rest = rest.get(1..)?,
                _ => {
                    let len = usize::from(*rest.get(1)?).max(2);
                    rest = rest.get(len..).unwrap_or(&[]);
                    return Some(kind);
                }
            }
        }
    })
}
