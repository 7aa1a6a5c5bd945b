//! Netfilter (net/netfilter): the five hooks in a packet's way, and what is called there in which order.
//!
//! The path calls [`World::filter`] at each hook with what it knows ([`At`]) and goes on only with the [`Passed`]
//! packet that it gets back. At a hook, tables of rules ([`table`], [`evaluate`], [`matches`]), connection tracking
//! ([`conntrack`]), address translation ([`nat`]) and the chains of nftables ([`nft`]) have their turns by priority ([`hook`]). They decide; what they
//! decide is performed here.

mod calls;
mod clock;
pub(crate) mod conntrack;
mod evaluate;
mod headers;
mod hook;
mod log;
mod matches;
mod nat;
mod nft;
mod packet;
mod reject;
mod sets;
mod state;
mod table;
mod way;
mod words;

use std::net::IpAddr;

use hairpin_netlink::Errno;
use hairpin_netlink::netfilter::targets::RejectWith;
use hairpin_netlink::netfilter::{Family, Hook, TableKind};

use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::Frame;
use crate::mac::Mac;
use crate::netns::NsId;
use crate::route::RouteKind;
use crate::time::Time;
use crate::trace::Step;
use crate::world::{TimerEvent, World};

use conntrack::Conntrack;
pub use conntrack::settings::Settings;
pub(crate) use conntrack::{Info, Track};
use evaluate::Place;
use nat::Random;
use nft::{Based, Nft};
use packet::protocol;
use sets::Sets;
use state::Stores;
use table::Rules;

/// Where in its way a packet is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    pub ns: NsId,
    pub hook: Hook,
    /// The device it came in by; none for what this host sends.
    pub input: Option<DevId>,
    /// The device it leaves by, where that is known.
    pub output: Option<DevId>,
    /// The address it is sent to on the link, where that is known.
    pub next_hop: Option<IpAddr>,
}

/// A packet that a hook has let pass; only [`World::filter`] makes one.
#[derive(Debug)]
#[must_use]
pub(crate) struct Passed(Frame);

impl Passed {
    pub fn into_frame(self) -> Frame {
        self.0
    }
}

/// The bridge ports of a bridged packet (`struct nf_bridge_info`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bridged {
    pub input: Option<DevId>,
    pub output: Option<DevId>,
    /// The source MAC of a frame whose packet got another destination, while its neighbour is looked for
    /// (`bridged_dnat`).
    pub redirected: Option<Mac>,
    /// It has been delivered by the bridge, and has not met the first hook a second time (`sabotage_in_done`).
    pub let_by: bool,
}

/// Netfilter of one namespace.
#[derive(Clone, Debug, Default)]
pub struct Netfilter {
    /// By family and kind.
    tables: [[Option<Box<Rules>>; 5]; 2],
    /// The tables in use by family, newest first.
    order: [Vec<TableKind>; 2],
    /// By family: some rule needs connections to be tracked.
    tracking: [bool; 2],
    conntrack: Conntrack,
    sets: Sets,
    stores: Stores,
    nft: Nft,
    /// By family: a rule of `iptables` needs connections.
    tables_track: [bool; 2],
    random: Random,
    /// The number of the newest rule.
    numbers: u64,
    /// When the collector's timer goes off.
    collector_at: Option<Time>,
    stack: Vec<(u32, u32)>,
    /// Levels and lines for the kernel's log.
    log: Vec<(u8, String)>,
}

/// What becomes of a packet at a hook.
enum Verdict {
    Accept,
    Drop(Cause),
    Reject(RejectWith, Cause),
}

/// What has decided against a packet.
#[derive(Clone, Copy, Debug)]
enum Cause {
    /// A rule or policy of a table.
    Rule(Place),
    /// The same of nftables: a rule of a chain, 0 for the policy.
    Nft(Based, usize, u32),
    /// A packet of this host was changed and has no way now: what its sender is told.
    NoWay(Errno),
    /// Something else, in words.
    Other(&'static str),
}

impl Netfilter {
    fn new(seed: u64) -> Netfilter {
        Netfilter { random: Random(seed), ..Netfilter::default() }
    }

    /// By family: whether something needs connections to be tracked.
    fn renew_tracking(&mut self) {
        for (family, tracking) in self.tracking.iter_mut().enumerate() {
            *tracking = self.tables_track[family] || self.nft.tracking[family];
        }
    }

    /// Which rule or policy it was.
    fn site(&self, family: Family, cause: Cause) -> Step {
        let place = match cause {
            Cause::Rule(place) => place,
            Cause::Nft(based, chain, rule) => {
                let (table, chain) = self.nft.names(based, chain);
                return Step::NftablesDrop { table, chain, rule };
            }
            Cause::NoWay(_) => {
                return Step::Log("no route to where the packet was sent instead".to_owned());
            }
            Cause::Other(why) => return Step::Log(why.to_owned()),
        };
        let rules = self.tables[family as usize][place.table as usize].as_deref();
        let chain = rules.and_then(|rules| rules.chains.get(place.chain as usize));
        Step::NetfilterDrop {
            table: place.table.name(),
            chain: chain.map_or(String::new(), |chain| chain.name.clone()),
            rule: place.rule,
        }
    }
}

/// The family of an IP packet.
fn family_of(frame: &Frame) -> Option<Family> {
    match frame.payload().first()? >> 4 {
        4 => Some(Family::Ipv4),
        6 => Some(Family::Ipv6),
        _ => None,
    }
}

impl World {
    /// A packet at a hook. None: it goes no further; its end has been reported.
    #[inline]
    pub(crate) fn filter(&mut self, at: At, frame: Frame) -> Option<Passed> {
        match self.has_netfilter(at.ns) {
            false => Some(Passed(frame)),
            true => self.filter_by_rules(at, frame).ok(),
        }
    }

    /// [`World::filter`] for a packet whose sender is told what has become of it.
    ///
    /// # Errors
    /// It goes no further: `EPERM`, or why it has no way since it was changed (`NF_DROP_GETERR`).
    #[inline]
    pub(crate) fn filter_own(&mut self, at: At, frame: Frame) -> Result<Passed, Errno> {
        match self.has_netfilter(at.ns) {
            false => Ok(Passed(frame)),
            true => self.filter_by_rules(at, frame),
        }
    }

    /// What the kernel itself says to its neighbours by `dev`, past the hooks for a host's own packets (`NF_INET_LOCAL_OUT`
    /// in `ndisc_send_skb`, `mld_sendpack` and `ip_local_out`, then `NF_INET_POST_ROUTING`). None where they have it.
    pub(crate) fn filter_word(&mut self, ns: NsId, dev: DevId, to: IpAddr, frame: Frame) -> Option<Frame> {
        if !self.has_netfilter(ns) {
            return Some(frame);
        }
        let at = At { ns, hook: Hook::Output, input: None, output: Some(dev), next_hop: Some(to) };
        let frame = self.filter(at, frame)?.into_frame();
        self.filter(At { hook: Hook::Postrouting, ..at }, frame).map(Passed::into_frame)
    }

    #[inline(never)]
    fn filter_by_rules(&mut self, at: At, frame: Frame) -> Result<Passed, Errno> {
        match self.netns.get_mut(at.ns).and_then(|netns| netns.netfilter.take()) {
            None => Ok(Passed(frame)),
            Some(netfilter) => self.filter_with(netfilter, at, frame),
        }
    }

    /// Whether what rules log gets into the kernel's log: of other namespaces than the first one only if `nf_log_all_netns`
    /// says so (`nf_log_ip_packet`).
    fn logs_packets(&self, ns: NsId) -> bool {
        let host = self.netns.get(ns).and_then(|netns| self.hosts.get(netns.host));
        host.is_some_and(|host| {
            let first = self.netns.get(host.initial);
            host.initial == ns || first.is_some_and(|netns| netns.sysctl.conntrack.log_all_netns)
        })
    }

    fn filter_with(
        &mut self,
        mut netfilter: Box<Netfilter>,
        at: At,
        mut frame: Frame,
    ) -> Result<Passed, Errno> {
        let Some(family) = family_of(&frame) else {
            self.put_back(at.ns, netfilter);
            return Ok(Passed(frame));
        };
        let mut seen_at = at;
        self.see_in_vrf(&mut seen_at, family, &frame);
        let verdict = netfilter.hook(self, &seen_at, family, &mut frame);
        self.schedule_collector(at.ns, &mut netfilter);
        let is_quiet = netfilter.log.is_empty() && netfilter.conntrack.changes.is_empty();
        if is_quiet && matches!(verdict, Verdict::Accept) {
            self.put_back(at.ns, netfilter);
            return Ok(Passed(frame));
        }
        self.conclude(netfilter, (at, family), verdict, frame)
    }

    /// A hook's verdict that is more than to let the packet pass, or that somebody is told of.
    #[inline(never)]
    fn conclude(
        &mut self,
        mut netfilter: Box<Netfilter>,
        (at, family): (At, Family),
        verdict: Verdict,
        frame: Frame,
    ) -> Result<Passed, Errno> {
        let site = match &verdict {
            Verdict::Drop(cause) | Verdict::Reject(_, cause) if self.trace.on => {
                Some(netfilter.site(family, *cause))
            }
            _ => None,
        };
        let lines = std::mem::take(&mut netfilter.log);
        let told = !netfilter.conntrack.changes.is_empty();
        self.put_back(at.ns, netfilter);
        if told {
            self.tell_connections(at.ns);
        }
        let dev = at.input.or(at.output);
        let logs = !lines.is_empty() && self.logs_packets(at.ns);
        for (level, line) in lines {
            if logs {
                self.log_kernel(at.ns, level, &line);
            }
            if let Some(dev) = dev {
                self.trace_step(dev, &frame, Step::Log(line));
            }
        }
        let errno = match verdict {
            Verdict::Accept => return Ok(Passed(frame)),
            Verdict::Drop(Cause::NoWay(errno)) => errno,
            Verdict::Drop(_) | Verdict::Reject(..) => Errno::EPERM,
        };
        if let Verdict::Reject(with, _) = verdict {
            if with == RejectWith::TcpReset {
                self.close_connection(at.ns, frame.track);
            }
            self.reject(&at, &frame, with);
        }
        if let (Some(dev), Some(site)) = (dev, site) {
            self.trace_step(dev, &frame, site);
        }
        self.drop_frame(dev, frame, DropReason::NetfilterDrop);
        Err(errno)
    }

    /// What a VRF's port has received belongs to the VRF once it has passed the first hook (`vrf_ip_rcv`,
    /// `vrf_ip6_rcv`), but for what neighbours say by IPv6.
    fn see_in_vrf(&self, at: &mut At, family: Family, frame: &Frame) {
        if !matches!(at.hook, Hook::Input | Hook::Forward)
            || family == Family::Ipv6 && frame.payload().get(6) == Some(&protocol::ICMPV6)
        {
            return;
        }
        if let Some(vrf) = at.input.and_then(|dev| self.vrf_of(dev)) {
            at.input = Some(vrf);
        }
    }

    /// `nf_ct_set_closing`
    fn close_connection(&mut self, ns: NsId, track: Track) {
        let now = self.now;
        let Some(netns) = self.netns.get_mut(ns) else { return };
        if let Some(netfilter) = &mut netns.netfilter {
            netfilter.conntrack.close(track, &netns.sysctl.conntrack, now);
        }
    }

    /// Whether anybody has asked for a table here.
    #[inline]
    pub(crate) fn has_netfilter(&self, ns: NsId) -> bool {
        self.netns.get(ns).is_some_and(|netns| netns.netfilter.is_some())
    }

    fn put_back(&mut self, ns: NsId, netfilter: Box<Netfilter>) {
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.netfilter = Some(netfilter);
        }
    }

    fn schedule_collector(&mut self, ns: NsId, netfilter: &mut Netfilter) {
        let Some(at) = netfilter.conntrack.gc_at else { return };
        if netfilter.collector_at.is_none_or(|known| known > at) {
            netfilter.collector_at = Some(at);
            self.timers.add(at, TimerEvent::ConntrackCollect { ns });
        }
    }

    /// The collector of expired connections is due.
    pub(crate) fn conntrack_collect(&mut self, ns: NsId) {
        let now = self.now;
        let Some(mut netfilter) = self.netns.get_mut(ns).and_then(|netns| netns.netfilter.take()) else {
            return;
        };
        if netfilter.collector_at.is_some_and(|at| at <= now) {
            netfilter.collector_at = None;
            netfilter.conntrack.collect(now);
            self.schedule_collector(ns, &mut netfilter);
        }
        self.put_back(ns, netfilter);
        self.tell_connections(ns);
    }

    /// `ip_sabotage_in`: what a bridge has delivered has passed the first hook there, and does so once.
    pub(crate) fn has_passed_prerouting(&self, dev: DevId, frame: &mut Frame) -> bool {
        let Some(bridged) = &mut frame.bridged else { return false };
        if bridged.let_by || self.vrf_ifindex(dev) != 0 {
            return false;
        }
        bridged.let_by = true;
        true
    }

    /// Whether fragments are put together before the first hook, as connection tracking needs it
    /// (`nf_defrag_ipv4`, `nf_defrag_ipv6`).
    #[inline]
    pub(crate) fn reassembles_first(&self, ns: NsId, family: Family) -> bool {
        let netfilter = self.netns.get(ns).and_then(|netns| netns.netfilter.as_ref());
        netfilter.is_some_and(|netfilter| netfilter.tracking[family as usize])
    }

    /// `masq_device_event`, `masq_inet_event`: a device has gone down, or an address is gone: connections that were
    /// masqueraded with it end.
    pub(crate) fn masquerade_lost(&mut self, ns: NsId, ifindex: u32, address: Option<IpAddr>) {
        let now = self.now;
        let Some(netfilter) = self.netns.get_mut(ns).and_then(|netns| netns.netfilter.as_mut()) else {
            return;
        };
        netfilter.conntrack.forget(now, |connection| {
            let reply = connection.tuple(conntrack::REPLY);
            connection.masquerade == ifindex
                && ifindex != 0
                && address.is_none_or(|address| reply.destination == address)
        });
    }

    /// Whether an IPv6 address is one of this namespace's, and the device that has it.
    fn owner_of_ipv6(&self, ns: NsId, address: std::net::Ipv6Addr) -> (RouteKind, u32) {
        let owner = self.devices_of(ns).find(|device| device.ipv6.iter().any(|own| own.address == address));
        owner.map_or((RouteKind::Unicast, 0), |device| (RouteKind::Local, device.ifindex))
    }
}
