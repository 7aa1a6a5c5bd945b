//! ICMP that this host sends: errors with their rate limits, echo replies (net/ipv4/icmp.c, RFC 792, RFC 1122
//! §3.2.2).

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use hairpin_netlink::PacketType;
use rustc_hash::FxHashMap;

use crate::device::DevId;
use crate::frame::Frame;
use crate::netns::NsId;
use crate::route::RouteKind;
use crate::time::Time;
use crate::world::World;

use super::output::Fields;
use super::route::OutKey;
use super::{HEADER_LEN, Header, checksum, protocol};

/// ICMP types.
pub mod kind {
    pub const ECHO_REPLY: u8 = 0;
    pub const DEST_UNREACHABLE: u8 = 3;
    pub const SOURCE_QUENCH: u8 = 4;
    pub const REDIRECT: u8 = 5;
    pub const ECHO: u8 = 8;
    pub const TIME_EXCEEDED: u8 = 11;
    pub const PARAMETER_PROBLEM: u8 = 12;
    pub const TIMESTAMP: u8 = 13;
    pub const TIMESTAMP_REPLY: u8 = 14;
}

/// Codes of "destination unreachable" that this host sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreachable {
    Net,
    Host,
    Protocol,
    Port,
    FragmentationNeeded { mtu: u16 },
    NetProhibited,
    HostProhibited,
    PacketFiltered,
}

/// An ICMP error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    Unreachable(Unreachable),
    TimeExceeded,
    ReassemblyTimeExceeded,
    Redirect {
        gateway: Ipv4Addr,
    },
    /// The byte of the packet that is wrong.
    ParameterProblem {
        pointer: u8,
    },
}

impl Message {
    /// Type, code and the four bytes that follow the checksum.
    fn encode(self) -> (u8, u8, [u8; 4]) {
        match self {
            Message::Unreachable(what) => {
                let (code, rest) = match what {
                    Unreachable::Net => (0, [0; 4]),
                    Unreachable::Host => (1, [0; 4]),
                    Unreachable::Protocol => (2, [0; 4]),
                    Unreachable::Port => (3, [0; 4]),
                    Unreachable::FragmentationNeeded { mtu } => {
                        let [a, b] = mtu.to_be_bytes();
                        (4, [0, 0, a, b])
                    }
                    Unreachable::NetProhibited => (9, [0; 4]),
                    Unreachable::HostProhibited => (10, [0; 4]),
                    Unreachable::PacketFiltered => (13, [0; 4]),
                };
                (kind::DEST_UNREACHABLE, code, rest)
            }
            Message::TimeExceeded => (kind::TIME_EXCEEDED, 0, [0; 4]),
            Message::ReassemblyTimeExceeded => (kind::TIME_EXCEEDED, 1, [0; 4]),
            Message::Redirect { gateway } => (kind::REDIRECT, 1, gateway.octets()),
            Message::ParameterProblem { pointer } => (kind::PARAMETER_PROBLEM, 0, [pointer, 0, 0, 0]),
        }
    }
}

/// What a destination may still be sent (`struct inet_peer`), in nanoseconds of credit.
#[derive(Clone, Copy, Debug)]
struct Peer {
    tokens: u64,
    /// Nanoseconds since the world started; before that for a peer that is new in its first minute.
    last: i64,
    redirects: u32,
}

impl Peer {
    /// Nanoseconds since the last message.
    fn quiet(&self, now: Time) -> u64 {
        u64::try_from(nanos(now).saturating_sub(self.last)).unwrap_or(0)
    }
}

fn nanos(at: Time) -> i64 {
    i64::try_from(at.nanos()).unwrap_or(i64::MAX)
}

/// Limits on ICMP errors of one namespace.
#[derive(Clone, Debug, Default)]
pub struct RateLimits {
    peers: FxHashMap<IpAddr, Peer>,
    /// Messages that may go to anybody, and when some were added.
    global: Option<(i64, Time)>,
}

/// Destinations remembered; when there are more, all start anew.
const PEERS_MAX: usize = 1 << 16;
const SECOND: u64 = 1_000_000_000;
/// Between two times that messages for everybody are added.
const PAUSE_MIN: Duration = Duration::from_millis(20);
/// `XRLIM_BURST_FACTOR`
const BURST: u64 = 6;
/// `ip_rt_error_burst` in units of `ip_rt_error_cost`.
const ROUTE_ERROR_BURST: u64 = 5;
/// `ip_rt_redirect_number`, `_load`, `_silence`
const REDIRECTS_MAX: u32 = 9;
const REDIRECT_LOAD: Duration = Duration::from_millis(20);
const REDIRECT_SILENCE: Duration = Duration::from_millis(20 << 10);
/// Longest ICMP error with its header (RFC 1812 §4.3.2.3).
const ERROR_LEN_MAX: usize = 576;

impl RateLimits {
    /// A peer unheard of counts as last seen a minute ago (`inet_getpeer`).
    fn peer(&mut self, address: IpAddr, now: Time) -> &mut Peer {
        if self.peers.len() >= PEERS_MAX {
            self.peers.clear();
        }
        let last = nanos(now) - 60 * SECOND as i64;
        self.peers.entry(address).or_insert(Peer { tokens: 0, last, redirects: 0 })
    }

    /// Whether a message that costs so many nanoseconds may go to this destination.
    pub(crate) fn take(&mut self, address: IpAddr, now: Time, cost: u64, most: u64) -> bool {
        let peer = self.peer(address, now);
        peer.tokens = peer.tokens.saturating_add(peer.quiet(now)).min(most);
        peer.last = nanos(now);
        let allowed = peer.tokens >= cost;
        if allowed {
            peer.tokens -= cost;
        }
        allowed
    }

    fn take_redirect(&mut self, address: IpAddr, now: Time) -> bool {
        let peer = self.peer(address, now);
        let quiet = Duration::from_nanos(peer.quiet(now));
        if quiet > REDIRECT_SILENCE {
            // Redirects and errors share the time of the last message: a station that is redirected first has
            // no credit for an error about the same packet.
            peer.tokens = 0;
            peer.redirects = 0;
        }
        if peer.redirects >= REDIRECTS_MAX {
            peer.last = nanos(now);
            return false;
        }
        let allowed = peer.redirects == 0 || quiet > REDIRECT_LOAD * (1 << peer.redirects);
        if allowed {
            peer.last = nanos(now);
            peer.redirects += 1;
        }
        allowed
    }

    /// `icmp_global_allow`: so many a second for everybody together. They are added when there are none left, at most
    /// fifty times a second and those of one second.
    pub(crate) fn allows_anybody(&mut self, now: Time, per_second: u32, burst: u32) -> bool {
        let (credit, quiet) = match self.global {
            Some((credit, _)) if credit > 0 => return true,
            Some((credit, last)) => (credit, now.since(last).min(Duration::from_secs(1))),
            None => (0, Duration::from_secs(1)),
        };
        let earned = u128::from(per_second) * quiet.as_nanos() / u128::from(SECOND);
        if quiet < PAUSE_MIN || earned == 0 {
            return false;
        }
        let credit = credit.saturating_add(earned as i64).min(burst.into());
        self.global = Some((credit, now));
        true
    }

    /// `icmp_global_consume`: one for a message that goes out, which is the mean of what Linux takes at random.
    pub(crate) fn one_went(&mut self) {
        if let Some((credit, _)) = &mut self.global {
            *credit = credit.saturating_sub(1);
        }
    }
}

impl World {
    /// The limit of `ip_error` on errors that a route causes.
    pub(super) fn route_error_allowed(&mut self, ns: NsId, to: Ipv4Addr) -> bool {
        let now = self.now;
        let Some(netns) = self.netns.get_mut(ns) else { return false };
        netns.limits.take(to.into(), now, SECOND, ROUTE_ERROR_BURST * SECOND)
    }

    /// `ip_rt_send_redirect`: nine redirects to a station that does not listen, ever more rarely.
    pub(super) fn redirect_allowed(&mut self, ns: NsId, to: Ipv4Addr) -> bool {
        let now = self.now;
        self.netns.get_mut(ns).is_some_and(|netns| netns.limits.take_redirect(to.into(), now))
    }

    /// `icmp_send`: tells the sender of a packet why it goes nowhere.
    pub(crate) fn icmp_error(&mut self, ns: NsId, dev: Option<DevId>, about: &Frame, message: Message) {
        let packet = about.payload();
        let Some(header) = Header::quoted(packet) else { return };
        // RFC 1122 3.2.2: not about link or IP broadcasts, fragments but the first, ICMP errors.
        if about.packet_type != PacketType::Host || header.fragment_offset() != 0 {
            return;
        }
        let kind = match dev {
            Some(dev) => self.address_kind_at(dev, header.destination),
            None => self.address_kind(ns, header.destination),
        };
        match kind {
            RouteKind::Broadcast | RouteKind::Multicast => return,
            _ => {}
        }
        if header.protocol == protocol::ICMP {
            match packet.get(header.header_len) {
                Some(&original) if is_query(original) => {}
                _ => return,
            }
        }
        let local = kind == RouteKind::Local;
        let source = if local { header.destination } else { Ipv4Addr::UNSPECIFIED };
        let inbound = self.errors_came_in_on(ns, about).filter(|_| !local);
        let source = inbound.map_or(source, |dev| self.select_source(dev, Ipv4Addr::UNSPECIFIED, 253));
        let key = OutKey {
            source,
            oif: dev.map_or(0, |dev| self.vrf_ifindex(dev)),
            tos: header.tos & 0x1e,
            protocol: protocol::ICMP,
            ..OutKey::to(ns, header.source)
        };
        // To nobody's address means to this host's own (`ip_route_output_key_hash_rcu`).
        let Ok(route) = self.route_output(key) else { return };
        let (kind, code, rest) = message.encode();
        if !self.icmp_allowed(ns, &route, kind, code) {
            return;
        }
        let options = answer_options(packet, &header);
        let around = HEADER_LEN + options.len().next_multiple_of(4) + 8;
        let room = (route.mtu as usize).min(ERROR_LEN_MAX).saturating_sub(around);
        let quoted: Vec<u8> = packet.iter().take(header.total_len.min(room)).copied().collect();
        // RFC 1812 4.3.2.5: errors have precedence "internetwork control".
        let tos = header.tos & 0x1e | 0xc0;
        let ttl = self.default_ttl(ns, Ipv4Addr::UNSPECIFIED);
        let track = about.track.of_error();
        let fields = Fields { tos, track, options: &options, ..Fields::new(protocol::ICMP, ttl) };
        let _ = self.ip_send(ns, &route, fields, 8 + quoted.len(), |body| {
            write_icmp(body, kind, code, rest, &quoted);
        });
    }

    /// `net.ipv4.icmp_errors_use_inbound_ifaddr`: the device whose address an error about this packet comes from.
    fn errors_came_in_on(&self, ns: NsId, about: &Frame) -> Option<DevId> {
        let netns = self.netns.get(ns).filter(|netns| netns.sysctl.icmp_errors_use_inbound_ifaddr)?;
        netns.devices.get(&about.iif).copied()
    }

    /// `icmpv4_mask_allow`, `icmpv4_global_allow`, `icmpv4_xrlim_allow`
    fn icmp_allowed(&mut self, ns: NsId, route: &super::route::OutRoute, kind: u8, code: u8) -> bool {
        let now = self.now;
        let loopback = self.devs.get(route.dev).is_some_and(|device| device.is_loopback());
        let Some(netns) = self.netns.get_mut(ns) else { return false };
        let sysctl = &netns.sysctl;
        let masked = kind < 32 && sysctl.icmp_ratemask >> kind & 1 != 0;
        // Path MTU discovery is not limited.
        if !masked || (kind == kind::DEST_UNREACHABLE && code == 4) {
            return true;
        }
        let (rate, per_second, burst) =
            (sysctl.icmp_ratelimit_ms, sysctl.icmp_msgs_per_sec, sysctl.icmp_msgs_burst);
        if !netns.limits.allows_anybody(now, per_second, burst) {
            netns.counters.icmp_limited += 1;
            return false;
        }
        // Without a limit a station's credit is cut to nothing all the same, which `ip_error` then finds.
        let cost = u64::from(rate) * 1_000_000;
        let allowed = loopback || netns.limits.take(route.destination.into(), now, cost, BURST * cost);
        match allowed {
            true => netns.limits.one_went(),
            false => netns.counters.icmp_limited_host += 1,
        }
        allowed
    }

    /// `icmp_reply`: answers an echo request with its own data.
    pub(super) fn icmp_echo_reply(
        &mut self,
        ns: NsId,
        dev: DevId,
        header: &Header,
        delivered: RouteKind,
        frame: &Frame,
    ) {
        let Some(data) = frame.payload().get(header.header_len..) else { return };
        // `fib_compute_spec_dst`: a broadcast is answered from the address of the device it came in on.
        let source = match delivered {
            RouteKind::Local => header.destination,
            _ => self.select_source(dev, header.source, 253),
        };
        let key = OutKey {
            source,
            oif: self.vrf_ifindex(dev),
            tos: header.tos & 0x1e,
            mark: 0,
            protocol: protocol::ICMP,
            ..OutKey::to(ns, header.source)
        };
        let Ok(route) = self.route_output(key) else { return };
        let ttl = self.default_ttl(ns, route.source);
        let options = answer_options(frame.payload(), header);
        let fields = Fields { tos: header.tos, options: &options, ..Fields::new(protocol::ICMP, ttl) };
        let reply_frame = frame.clone();
        let _ = self.ip_send(ns, &route, fields, data.len(), |body| {
            let data = reply_frame.payload().get(header.header_len..).unwrap_or(&[]);
            if body.len() == data.len() {
                body.copy_from_slice(data);
            }
            if let Some(first) = body.first_mut() {
                *first = kind::ECHO_REPLY;
            }
            seal(body);
        });
    }
}

/// The options of an answer to a packet.
fn answer_options(packet: &[u8], header: &Header) -> Vec<u8> {
    match header.header_len > HEADER_LEN {
        true => super::options::echoed(packet, header.header_len),
        false => Vec::new(),
    }
}

/// Types that ask rather than report (`icmp_pointers[].error` is 0).
fn is_query(kind: u8) -> bool {
    !matches!(
        kind,
        kind::DEST_UNREACHABLE
            | kind::SOURCE_QUENCH
            | kind::REDIRECT
            | kind::TIME_EXCEEDED
            | kind::PARAMETER_PROBLEM
    ) && kind <= 18
}

fn write_icmp(body: &mut [u8], kind: u8, code: u8, rest: [u8; 4], data: &[u8]) {
    if let Some((head, tail)) = body.split_at_mut_checked(8) {
        head[..4].copy_from_slice(&[kind, code, 0, 0]);
        head[4..].copy_from_slice(&rest);
        for (to, from) in tail.iter_mut().zip(data) {
            *to = *from;
        }
    }
    seal(body);
}

/// Writes an ICMP message's checksum.
fn seal(body: &mut [u8]) {
    if body.len() < 4 {
        return;
    }
    body[2..4].fill(0);
    let sum = checksum(body);
    body[2..4].copy_from_slice(&sum.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Time {
        Time(ms * 1_000_000)
    }

    const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

    /// At five errors a second Linux answers packets 1 to 7 and then every fifth.
    #[test]
    fn a_destination_gets_a_burst_and_then_one_a_second() {
        let mut limits = RateLimits::default();
        let answered: Vec<u64> = (0..20)
            .filter(|i| limits.take(PEER, at(i * 200), SECOND, BURST * SECOND))
            .map(|i| i + 1)
            .collect();
        assert_eq!(answered, [1, 2, 3, 4, 5, 6, 7, 11, 16]);
    }

    /// Errors that a route causes pay twice: at one ping a second only the first four are answered.
    #[test]
    fn route_errors_pay_twice() {
        let mut limits = RateLimits::default();
        let answered: Vec<u64> = (0..10)
            .filter(|i| {
                limits.take(PEER, at(i * 1000), SECOND, ROUTE_ERROR_BURST * SECOND)
                    && limits.take(PEER, at(i * 1000), SECOND, BURST * SECOND)
            })
            .map(|i| i + 1)
            .collect();
        assert_eq!(answered, [1, 2, 3, 4]);
    }

    #[test]
    fn a_redirect_uses_up_the_credit_of_a_new_peer() {
        let mut limits = RateLimits::default();
        assert!(limits.take_redirect(PEER, at(0)));
        assert!(!limits.take(PEER, at(0), SECOND, BURST * SECOND));
        assert!(limits.take(PEER, at(1000), SECOND, BURST * SECOND));
    }

    /// The pause before the next redirect doubles with each, from 20 ms on.
    #[test]
    fn redirects_become_rare() {
        let mut limits = RateLimits::default();
        let sent: Vec<u64> =
            (0..14).filter(|i| limits.take_redirect(PEER, at(i * 205))).map(|i| i + 1).collect();
        assert_eq!(sent, [1, 2, 3, 4, 6, 10]);
    }

    #[test]
    fn everybody_together_is_limited() {
        let mut limits = RateLimits::default();
        let mut take = |ms| {
            let allowed = limits.allows_anybody(at(ms), 1000, 50);
            if allowed {
                limits.one_went();
            }
            allowed
        };
        assert_eq!((0..100).filter(|_| take(0)).count(), 50);
        assert!(!take(19));
        assert_eq!((0..100).filter(|_| take(30)).count(), 30);
    }
}
