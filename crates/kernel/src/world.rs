//! The world: hosts, the wires between their cards, virtual time and what is due.

use std::net::IpAddr;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};
use rustc_hash::FxHashMap;
use slotmap::{SecondaryMap, SlotMap};

use crate::dev::Verdicts;
use crate::device::{DevId, Device};
use crate::drop_reason::DropReason;
use crate::frame::{Frame, PacketType, Pool, ethertype};
use crate::ip::route::RouteCache;
use crate::ip6::event::Event6;
use crate::ip6::route::RouteCache6;
use crate::mac::Mac;
use crate::neigh::arp::Arp;
use crate::netns::{Host, Netns, NsId};
use crate::route::Fib;
use crate::route6::Fib6;
use crate::segment::Segment;
use crate::sock::{SockId, Socket};
use crate::task::{Task, TaskId};
use crate::time::Time;
use crate::timer::Timers;
use crate::trace::{Record, Step, Trace};

/// Frames that may wait for delivery at once (`net.core.netdev_max_backlog` bounds one processor's in Linux).
const BACKLOG_MAX: usize = 1000;
/// Frames that one instant may cause before what is left is dropped, whatever the world's size, and for each of its devices:
/// a loop without spanning tree would never end, and virtual time would stand still. What ends by itself reaches
/// every device with a few copies.
const STORM_MAX: usize = 20_000;
const STORM_MAX_PER_DEVICE: usize = 256;
/// What the handling of one received frame costs in virtual time: cause comes before effect on the clock too.
const HANDLING: std::time::Duration = std::time::Duration::from_micros(1);
/// 2026-01-01T00:00:00Z: the wall clock of a world's start unless it is told another.
const EPOCH_NS: u64 = 1_767_225_600_000_000_000;

/// What happens at an instant.
#[derive(Clone, Debug)]
pub enum TimerEvent {
    Neighbour {
        ns: NsId,
        ifindex: u32,
        address: IpAddr,
        timer: u32,
    },
    ProxyArp {
        dev: DevId,
        arp: Arp,
    },
    LinkWatch {
        host: usize,
    },
    BridgeAgeing {
        bridge: DevId,
    },
    BridgeTree {
        bridge: DevId,
    },
    VxlanAgeing {
        dev: DevId,
    },
    GroupReport {
        dev: DevId,
    },
    Reassembly {
        ns: NsId,
        id: u64,
    },
    AddressLifetime {
        dev: DevId,
    },
    Bond {
        bond: DevId,
        job: crate::dev::bond::Job,
        serial: u32,
    },
    Team {
        team: DevId,
        job: crate::control::team::TeamJob,
        serial: u32,
    },
    ConntrackCollect {
        ns: NsId,
    },
    /// Something may leave a device's queue.
    Queue {
        dev: DevId,
    },
    Tcp {
        socket: SockId,
    },
    Ipv6(Event6),
}

impl TimerEvent {
    /// One of the kernel's timer wheel, whose handlers send: of a bridge's spanning tree or groups, of a neighbour.
    fn is_of_wheel(&self) -> bool {
        matches!(self, TimerEvent::BridgeTree { .. } | TimerEvent::Neighbour { .. })
    }
}

/// A frame that waits for its turn.
#[derive(Clone, Debug)]
pub(crate) enum Waiting {
    /// In a device's receive queue.
    Receive { dev: DevId, frame: Frame },
    /// A broadcast or multicast of this host, for its own sockets.
    Looped { dev: DevId, kind: crate::route::RouteKind, frame: Frame },
    /// To be distributed to the macvlans on a device.
    MacvlanBroadcast { lower: DevId, frame: Frame },
    /// To be distributed to the ipvlans on a device; `from` sent it.
    IpvlanMulticast { lower: DevId, from: Option<DevId>, frame: Frame },
}

impl Waiting {
    fn into_frame(self) -> (DevId, Frame) {
        match self {
            Waiting::Receive { dev, frame }
            | Waiting::Looped { dev, frame, .. }
            | Waiting::MacvlanBroadcast { lower: dev, frame }
            | Waiting::IpvlanMulticast { lower: dev, frame, .. } => (dev, frame),
        }
    }
}

/// Everything there is. Cloning it copies the whole simulation.
#[derive(Clone, Debug)]
pub struct World {
    pub(crate) now: Time,
    pub(crate) epoch_ns: u64,
    pub(crate) hosts: Vec<Host>,
    pub(crate) netns: SlotMap<NsId, Netns>,
    pub(crate) fib: SecondaryMap<NsId, Fib>,
    pub(crate) fib6: SecondaryMap<NsId, Fib6>,
    pub(crate) devs: SlotMap<DevId, Device>,
    pub(crate) sockets: SlotMap<SockId, Socket>,
    /// How many of the sockets are packet sockets: without one no frame looks for those that see it.
    pub(crate) packet_sockets: usize,
    pub(crate) dns: crate::sock::dns::Servers,
    pub(crate) tasks: SlotMap<TaskId, Task>,
    pub(crate) segments: Vec<Segment>,
    pub(crate) timers: Timers<TimerEvent>,
    pub(crate) backlog: std::collections::VecDeque<Waiting>,
    /// What Linux leaves to a worker thread: its turn comes when no frame waits in the backlog.
    pub(crate) works: std::collections::VecDeque<Waiting>,
    /// The devices whose carrier came or went, which the link watch is to look at (`lweventlist`).
    pub(crate) link_events: std::collections::VecDeque<DevId>,
    /// The hosts whose link watch has been called since it had its turn, and whether it presses.
    pub(crate) link_calls: Vec<(usize, bool)>,
    pub(crate) pool: Pool,
    pub(crate) trace: Trace,
    pub(crate) routes: RouteCache,
    pub(crate) routes6: RouteCache6,
    pub(crate) drops: FxHashMap<DropReason, u64>,
    /// Lists for reuse while verdicts are performed.
    pub(crate) verdicts: Vec<Verdicts>,
    /// A device has refused a frame so that its sender hears of it (`NET_XMIT_DROP`).
    pub(crate) transmit_refused: bool,
    /// A device without a carrier, or the one below a VLAN, a macvlan, an ipvlan or a MACsec device, had no queue for the last
    /// frame: no failure, but the fragments behind it are not sent (`NET_XMIT_CN` of `noop_enqueue`).
    pub(crate) transmit_congested: bool,
    /// What the sender is told then, if not `ENOBUFS`: `ipvlan_process_v6_outbound` knows no way.
    pub(crate) transmit_no_way: bool,
    /// The socket whose `connect` has sent what is being handled (`sock_owned_by_user`).
    pub(crate) connecting: Option<SockId>,
    /// How deep transmissions are nested now.
    pub(crate) depth: u32,
    /// Some host has the module br_netfilter: without it no bridged frame looks for its settings.
    pub(crate) bridge_netfilter: bool,
    /// Changes with every change of configuration.
    pub(crate) generation: u64,
    pub(crate) next_inode: u64,
    /// The number of the newest timer that can be void.
    last_timer: u32,
    pub(crate) running: bool,
    rng: ChaCha8Rng,
}

impl World {
    /// An empty world. The seed decides everything that Linux would draw at random: MACs, packet ids, timers.
    pub fn new(seed: u64) -> Self {
        World {
            now: Time::ZERO,
            epoch_ns: EPOCH_NS,
            hosts: Vec::new(),
            netns: SlotMap::with_key(),
            fib: SecondaryMap::new(),
            fib6: SecondaryMap::new(),
            devs: SlotMap::with_key(),
            sockets: SlotMap::with_key(),
            packet_sockets: 0,
            dns: crate::sock::dns::Servers::default(),
            tasks: SlotMap::with_key(),
            segments: Vec::new(),
            timers: Timers::default(),
            backlog: std::collections::VecDeque::new(),
            works: std::collections::VecDeque::new(),
            link_events: std::collections::VecDeque::new(),
            link_calls: Vec::new(),
            pool: Pool::default(),
            trace: Trace::default(),
            routes: RouteCache::default(),
            routes6: RouteCache6::default(),
            drops: FxHashMap::default(),
            verdicts: Vec::new(),
            transmit_refused: false,
            transmit_congested: false,
            transmit_no_way: false,
            connecting: None,
            depth: 0,
            bridge_netfilter: false,
            generation: 0,
            next_inode: 0xf000_0000,
            last_timer: 0,
            running: false,
            rng: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    /// The monotonic clock.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Sets the wall clock of the world's start, in nanoseconds since 1970.
    pub fn set_epoch(&mut self, epoch_ns: u64) {
        self.epoch_ns = epoch_ns;
    }

    /// The wall clock of the world's start.
    pub fn epoch_ns(&self) -> u64 {
        self.epoch_ns
    }

    /// Changes with every change of configuration.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// When something is due next.
    pub fn next_event(&self) -> Option<Time> {
        self.timers.next().filter(|at| *at <= Time::END)
    }

    /// Lets time pass up to `until`, performing what is due on the way. Time never goes back, nor past its end.
    pub fn advance_to(&mut self, until: Time) {
        let until = until.min(Time::END);
        self.run();
        while let Some((at, event)) = self.timers.pop_due(until) {
            self.now = self.now.max(at);
            let of_wheel = event.is_of_wheel();
            self.perform(event);
            // Timers of one tick go off before anybody receives what they have sent.
            while of_wheel && let Some((_, event)) = self.timers.pop_due_if(at, TimerEvent::is_of_wheel) {
                self.perform(event);
            }
            self.run();
        }
        self.now = self.now.max(until);
    }

    fn perform(&mut self, event: TimerEvent) {
        match event {
            TimerEvent::Neighbour { ns, ifindex, address, timer } => {
                self.neigh_timeout(ns, ifindex, address, timer);
            }
            TimerEvent::ProxyArp { dev, arp } => self.arp_proxy_timeout(dev, &arp),
            TimerEvent::LinkWatch { host } => self.link_watch_due(host),
            TimerEvent::BridgeAgeing { bridge } => self.bridge_ageing(bridge),
            TimerEvent::BridgeTree { bridge } => self.bridge_timers(bridge),
            TimerEvent::VxlanAgeing { dev } => self.vxlan_ageing(dev),
            TimerEvent::GroupReport { dev } => self.group_report_due(dev),
            TimerEvent::Reassembly { ns, id } => self.reassembly_timeout(ns, id),
            TimerEvent::AddressLifetime { dev } => self.address_lifetimes(dev),
            TimerEvent::Bond { bond, job, serial } => self.bond_timer(bond, job, serial),
            TimerEvent::Team { team, job, serial } => self.team_timer(team, job, serial),
            TimerEvent::ConntrackCollect { ns } => self.conntrack_collect(ns),
            TimerEvent::Queue { dev } => self.queue_due(dev),
            TimerEvent::Ipv6(event) => self.perform6(event),
            TimerEvent::Tcp { socket } => self.tcp_timeout(socket),
        }
    }

    /// Works off what waits, to the end: frames, then what the link watch is to look at, which waits for the call that holds
    /// the lock of rtnetlink.
    #[inline]
    pub(crate) fn run(&mut self) {
        self.work_off(true);
        if !self.link_calls.is_empty() {
            self.watch_links();
        }
    }

    /// Works off frames and what workers do with them, within a call.
    pub(crate) fn run_frames(&mut self) {
        self.work_off(true);
    }

    /// Works off frames that wait to be received, as `local_bh_enable` does within a call. What a worker does waits for the
    /// call's end.
    pub(crate) fn run_softirqs(&mut self) {
        self.work_off(false);
    }

    pub(crate) fn work_off(&mut self, workers: bool) {
        if self.running {
            return;
        }
        self.running = true;
        // What becomes of frames that wait is nothing to the call that is sending.
        let refused = self.transmit_refused;
        let storm = STORM_MAX + STORM_MAX_PER_DEVICE * self.devs.len();
        let mut steps = 0;
        let mut working = 0;
        while let Some(waiting) = self.next_waiting(&mut working, workers) {
            steps += 1;
            self.now += HANDLING;
            match waiting {
                Waiting::Receive { dev, frame } if steps <= storm => self.receive(dev, frame),
                waiting if steps > storm => {
                    let (dev, frame) = waiting.into_frame();
                    self.drop_frame(Some(dev), frame, DropReason::RecursionLimit);
                }
                Waiting::Looped { dev, kind, frame } if frame.ethertype() == ethertype::IPV6 => {
                    self.receive_looped6(dev, kind, frame);
                }
                Waiting::Looped { dev, kind, frame } => self.receive_looped(dev, kind, frame),
                Waiting::Receive { dev, frame } => self.receive(dev, frame),
                Waiting::MacvlanBroadcast { lower, frame } => self.macvlan_distribute(lower, frame),
                Waiting::IpvlanMulticast { lower, from, frame } => {
                    // What a worker transmits is on its way before the worker goes on (`dev_queue_xmit` in a process).
                    if from.is_some() {
                        working = 0;
                    }
                    self.ipvlan_distribute(lower, from, frame);
                }
            }
        }
        self.transmit_refused = refused;
        self.running = false;
    }

    /// The frame whose turn it is. A worker that has begun works off all it finds (`working`) before frames that
    /// it sends up are received.
    #[inline]
    fn next_waiting(&mut self, working: &mut usize, workers: bool) -> Option<Waiting> {
        if *working == 0 {
            if let Some(waiting) = self.backlog.pop_front() {
                return Some(waiting);
            }
            if !workers {
                return None;
            }
            *working = self.works.len();
        }
        *working = working.saturating_sub(1);
        self.works.pop_front()
    }

    /// Queues a frame for a device's receive path (`netif_rx`).
    pub(crate) fn enqueue(&mut self, mut waiting: Waiting) {
        // What comes back by loopback keeps its connection.
        if let Waiting::Receive { dev, frame } = &mut waiting
            && frame.is_known_to_netfilter()
            && self.devs.get(*dev).is_none_or(|device| !device.is_loopback())
        {
            frame.forget_netfilter();
        }
        self.enqueue_scrubbed(waiting);
    }

    /// The same for a frame that knows nothing of its way so far.
    #[inline]
    pub(crate) fn enqueue_scrubbed(&mut self, waiting: Waiting) {
        if self.backlog.len() < BACKLOG_MAX {
            self.backlog.push_back(waiting);
        } else {
            let (dev, frame) = waiting.into_frame();
            self.drop_frame(Some(dev), frame, DropReason::CpuBacklog);
        }
    }

    /// A number for a timer that can be void when it goes off; never 0.
    pub(crate) fn next_timer(&mut self) -> u32 {
        self.last_timer = self.last_timer.wrapping_add(1).max(1);
        self.last_timer
    }

    /// A number below `bound` (0 if that is 0).
    pub(crate) fn random_below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.rng.next_u64() % bound }
    }

    /// `eth_random_addr`: unicast, locally administered.
    pub(crate) fn random_mac(&mut self) -> Mac {
        let mut bytes = [0; 6];
        self.rng.fill_bytes(&mut bytes);
        bytes[0] = bytes[0] & 0xfe | 0x02;
        Mac(bytes)
    }

    /// Configuration has changed: cached routes and views are void.
    pub(crate) fn changed(&mut self) {
        self.generation += 1;
    }

    // Tracing and the end of frames.

    /// Gives a new frame its number.
    pub(crate) fn name_frame(&mut self, frame: &mut Frame) {
        if self.trace.on {
            self.trace.next_frame = self.trace.next_frame.wrapping_add(1);
            frame.trace = self.trace.next_frame;
        }
    }

    /// Switches recording on or off. It also ends by itself, after [`RECORDS_MAX`](crate::trace::RECORDS_MAX)
    /// records or those of [`World::limit_trace`].
    pub fn set_tracing(&mut self, on: bool) {
        self.trace.on = on && self.trace.left > 0;
    }

    /// Lets recording end after so many more records.
    pub fn limit_trace(&mut self, records: u64) {
        self.trace.left = records;
        self.trace.on &= records > 0;
    }

    /// Whether recording has ended because there were too many records.
    pub fn trace_is_full(&self) -> bool {
        self.trace.left == 0
    }

    /// Takes what has been recorded.
    pub fn take_trace(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.trace.records)
    }

    /// How many packets died of each reason.
    pub fn drop_counts(&self) -> Vec<(DropReason, u64)> {
        let mut counts: Vec<_> = self.drops.iter().map(|(reason, count)| (*reason, *count)).collect();
        counts.sort();
        counts
    }

    #[cold]
    fn record(&mut self, dev: Option<DevId>, frame: &Frame, step: Step) {
        let place = dev.map_or_else(|| "-".to_owned(), |dev| self.place(dev));
        let summary = crate::summary::summary(frame);
        self.trace.push(Record { time: self.now, frame: frame.trace, dev, place, step, summary });
    }

    #[inline]
    pub(crate) fn trace_step(&mut self, dev: DevId, frame: &Frame, step: Step) {
        if self.trace.on {
            self.record(Some(dev), frame, step);
        }
    }

    /// `host:netns/device`, the namespace left out where it is the host's first.
    fn place(&self, dev: DevId) -> String {
        let Some(device) = self.devs.get(dev) else { return "-".to_owned() };
        let Some(netns) = self.netns.get(device.ns) else { return device.name.clone() };
        let Some(host) = self.hosts.get(netns.host) else { return device.name.clone() };
        let ns = match host.names.iter().find(|(_, ns)| *ns == device.ns) {
            Some((name, _)) => format!(":{name}"),
            None if host.initial == device.ns => String::new(),
            None => format!(":[{}]", netns.inode),
        };
        format!("{}{ns}/{}", host.name, device.name)
    }

    /// The end of a packet that nobody gets, with its reason.
    pub(crate) fn drop_frame(&mut self, dev: Option<DevId>, frame: Frame, reason: DropReason) {
        *self.drops.entry(reason).or_default() += 1;
        if self.trace.on {
            self.record(dev, &frame, Step::Drop(reason));
        }
        self.pool.recycle(frame);
    }

    /// The end of a packet that has served its purpose.
    #[inline]
    pub(crate) fn consume(&mut self, frame: Frame) {
        self.pool.recycle(frame);
    }

    // Devices.

    /// The devices of a namespace in the order of registration.
    pub(crate) fn devices_of(&self, ns: NsId) -> impl Iterator<Item = &Device> {
        let order = self.netns.get(ns).map(|netns| netns.order.as_slice()).unwrap_or(&[]);
        order.iter().filter_map(|dev| self.devs.get(*dev))
    }

    /// The packet type of a frame by its destination, for a device with this MAC (`eth_type_trans`).
    #[inline]
    pub(crate) fn packet_type_for(destination: Mac, own: Mac) -> PacketType {
        if destination.is_broadcast() {
            PacketType::Broadcast
        } else if destination.is_group() {
            PacketType::Multicast
        } else if destination == own {
            PacketType::Host
        } else {
            PacketType::OtherHost
        }
    }
}
