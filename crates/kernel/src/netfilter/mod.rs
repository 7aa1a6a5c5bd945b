//! Netfilter (net/netfilter): the five hooks in a packet's way, and what is called there in which order.
//!
//! The path calls [`World::filter`] at each hook with what it knows ([`At`]) and goes on only with the [`Passed`]
//! packet that it gets back. At a hook, tables of rules ([`table`], [`evaluate`], [`matches`]), connection tracking
//! ([`conntrack`]) and address translation ([`nat`]) have their turns by priority ([`steps`]). They decide; what they
//! decide is performed here.

mod calls;
pub(crate) mod conntrack;
mod evaluate;
mod log;
mod matches;
mod nat;
mod packet;
mod reject;
mod sets;
mod table;

use std::net::IpAddr;

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

pub(crate) use conntrack::Track;
pub use conntrack::settings::Settings;
use conntrack::{Conntrack, Decision, Info};
use evaluate::{Bench, Outcome, Place};
use nat::{Random, Side};
use packet::{Ip, protocol};
use sets::Sets;
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

/// What has its turn at a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Table(TableKind),
    Track,
    Nat(Side),
    Confirm,
}

/// The turns at a hook in the order of their priorities (`enum nf_ip_hook_priorities`). Reassembly (-400) comes
/// before: the path sees to it.
fn turns(hook: Hook) -> &'static [Turn] {
    use TableKind::{Filter, Mangle, Raw, Security};
    use Turn::{Confirm, Nat, Table, Track};
    match hook {
        Hook::Prerouting => &[Table(Raw), Track, Table(Mangle), Nat(Side::Destination)],
        Hook::Input => &[Table(Mangle), Table(Filter), Table(Security), Nat(Side::Source), Confirm],
        Hook::Forward => &[Table(Mangle), Table(Filter), Table(Security)],
        Hook::Output => {
            &[Table(Raw), Track, Table(Mangle), Nat(Side::Destination), Table(Filter), Table(Security)]
        }
        Hook::Postrouting => &[Table(Mangle), Nat(Side::Source), Confirm],
    }
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
    random: Random,
    /// The number of the newest rule.
    numbers: u64,
    /// When the collector's timer goes off.
    collector_at: Option<Time>,
    stack: Vec<(u32, u32)>,
    log: Vec<String>,
}

/// What becomes of a packet at a hook.
enum Verdict {
    Accept,
    /// Dropped: by a rule or policy, or in words by what else.
    Drop(Result<Place, &'static str>),
    Reject(hairpin_netlink::netfilter::targets::RejectWith, Place),
}

impl Netfilter {
    fn new(seed: u64) -> Netfilter {
        Netfilter { random: Random(seed), ..Netfilter::default() }
    }

    fn hook(&mut self, world: &World, at: &At, family: Family, frame: &mut Frame) -> Verdict {
        let index = family as usize;
        for turn in turns(at.hook) {
            match *turn {
                Turn::Table(kind) => {
                    let outcome = self.run(index, kind, world, at, frame);
                    match outcome {
                        Outcome::Accept => {}
                        Outcome::Drop(place) => return Verdict::Drop(Ok(place)),
                        Outcome::Reject(with, place) => return Verdict::Reject(with, place),
                    }
                }
                Turn::Track if self.tracking[index] => {
                    let Some(ip) = Ip::read(frame.payload()) else { continue };
                    let Some(netns) = world.netns.get(at.ns) else { continue };
                    let mut track = frame.track;
                    let arrived = at.hook == Hook::Prerouting;
                    let settings = &netns.sysctl.conntrack;
                    let packet = frame.payload();
                    let decision =
                        self.conntrack.receive(&ip, packet, arrived, &mut track, settings, world.now);
                    frame.track = track;
                    if decision == Decision::Drop {
                        return Verdict::Drop(Err("nf_conntrack: table full"));
                    }
                }
                Turn::Nat(side) if self.tracking[index] => {
                    if let Some(verdict) = self.translate(index, side, world, at, frame) {
                        return verdict;
                    }
                }
                Turn::Confirm if self.tracking[index] => {
                    if frame.track.is_tracked() && !self.conntrack.confirm(frame.track, world.now) {
                        return Verdict::Drop(Err("nf_conntrack: another connection has its tuple"));
                    }
                }
                Turn::Track | Turn::Nat(_) | Turn::Confirm => {}
            }
        }
        Verdict::Accept
    }

    fn run(&mut self, family: usize, kind: TableKind, world: &World, at: &At, frame: &mut Frame) -> Outcome {
        let Netfilter { tables, conntrack, random, sets, stack, log, .. } = self;
        let Some(rules) = &mut tables[family][kind as usize] else { return Outcome::Accept };
        let mut bench = Bench { conntrack, random, sets, stack, log };
        evaluate::run(rules, &mut bench, world, at, frame)
    }

    /// `nf_nat_ipv4_fn`, `nf_nat_inet_fn`: the table is asked at a connection's first packet only.
    fn translate(
        &mut self,
        family: usize,
        side: Side,
        world: &World,
        at: &At,
        frame: &mut Frame,
    ) -> Option<Verdict> {
        if self.tables[family][TableKind::Nat as usize].is_none() || !frame.track.is_tracked() {
            return None;
        }
        let track = frame.track;
        let related = matches!(track.info, Info::Related | Info::RelatedReply);
        let ip = Ip::read(frame.payload())?;
        if related && matches!(ip.protocol, protocol::ICMP | protocol::ICMPV6) {
            let fine = self.conntrack.rewrite_error(track, side, frame.payload_mut());
            return (!fine).then_some(Verdict::Drop(Err("nat: untranslatable ICMP message")));
        }
        if matches!(track.info, Info::New | Info::Related) && !self.conntrack.is_mapped(track, side) {
            match self.run(family, TableKind::Nat, world, at, frame) {
                Outcome::Accept => {}
                Outcome::Drop(place) => return Some(Verdict::Drop(Ok(place))),
                Outcome::Reject(with, place) => return Some(Verdict::Reject(with, place)),
            }
            if !self.conntrack.is_mapped(track, side) {
                self.conntrack.map_to_itself(track, side, world.now, &mut self.random);
            }
        } else if at.hook == Hook::Postrouting {
            let output = at.output.and_then(|dev| world.devs.get(dev)).map_or(0, |device| device.ifindex);
            if self.conntrack.left_its_device(track, output) {
                self.conntrack.remove(track.id, world.now);
                return Some(Verdict::Drop(Err("nat: a masqueraded connection left by another device")));
            }
        }
        if let Some(target) = self.conntrack.mapped(track, side) {
            nat::rewrite_packet(frame.payload_mut(), &target, side);
        }
        None
    }

    /// Which rule or policy it was.
    fn site(&self, family: Family, place: Place) -> Step {
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
        match self.netns.get_mut(at.ns).and_then(|netns| netns.netfilter.take()) {
            None => Some(Passed(frame)),
            Some(netfilter) => self.filter_with(netfilter, at, frame),
        }
    }

    fn filter_with(&mut self, mut netfilter: Box<Netfilter>, at: At, mut frame: Frame) -> Option<Passed> {
        let Some(family) = family_of(&frame) else {
            self.put_back(at.ns, netfilter);
            return Some(Passed(frame));
        };
        let verdict = netfilter.hook(self, &at, family, &mut frame);
        let site = match &verdict {
            Verdict::Drop(Ok(place)) | Verdict::Reject(_, place) if self.trace.on => {
                Some(netfilter.site(family, *place))
            }
            Verdict::Drop(Err(why)) if self.trace.on => Some(Step::Log((*why).to_owned())),
            _ => None,
        };
        let lines = std::mem::take(&mut netfilter.log);
        self.schedule_collector(at.ns, &mut netfilter);
        self.put_back(at.ns, netfilter);
        let dev = at.input.or(at.output);
        if let Some(dev) = dev {
            for line in lines {
                self.trace_step(dev, &frame, Step::Log(line));
            }
        }
        if let Verdict::Accept = verdict {
            return Some(Passed(frame));
        }
        if let Verdict::Reject(with, _) = verdict {
            self.reject(&at, &frame, with);
        }
        if let (Some(dev), Some(site)) = (dev, site) {
            self.trace_step(dev, &frame, site);
        }
        self.drop_frame(dev, frame, DropReason::NetfilterDrop);
        None
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
