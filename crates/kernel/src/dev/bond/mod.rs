//! bond: several links that act as one (drivers/net/bonding).
//!
//! Configuration: [`options`], `IFLA_BOND_*` and the files of `bonding/`. State: the slaves with what is known
//! of their links, and which of them is the active one. Transmit: [`Bond::transmit`], by mode; [`hash`]
//! chooses a slave in the modes that hash. Receive on a slave: [`Bond::receive`]. 802.3ad's state machines are in [`lacp`],
//! the balancing of balance-tlb and balance-alb in [`alb`]. Timers (link monitors and the like) and what a change
//! of the active slave entails are `control/bond/`.

pub mod alb;
pub mod hash;
mod heard;
pub mod lacp;
pub mod options;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use crate::device::{DevId, Stats};
use crate::drop_reason::DropReason;
use crate::frame::{Frame, ethertype};
use crate::ip6::address::{ALL_NODES, solicited_node};
use crate::mac::Mac;
use crate::time::Time;

use super::{PacketType, Verdict, Verdicts};
use options::{Mode, Params};

pub use heard::Heard;

/// `BOND_LINK_*`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Link {
    Up = 0,
    /// Lost, within its `downdelay`.
    Fail = 1,
    Down = 2,
    /// Back, within its `updelay`.
    Back = 3,
}

impl Link {
    /// `bond_slave_link_status`
    pub fn name(self) -> &'static str {
        match self {
            Link::Up => "up",
            Link::Fail => "going down",
            Link::Down => "down",
            Link::Back => "going back",
        }
    }
}

/// What a bond does from time to time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// The link monitor (`mii_work`).
    Mii = 0,
    /// The ARP monitor (`arp_work`).
    Arp = 1,
    /// The state machines of 802.3ad (`ad_work`).
    Lacp = 2,
    /// The balancing (`alb_work`).
    Alb = 3,
    /// Reports of groups (`mcast_work`).
    Groups = 4,
}

/// A device that is part of a bond (`struct slave`).
#[derive(Clone, Debug)]
pub struct Slave {
    pub dev: DevId,
    pub link: Link,
    /// The state that a monitor wants to see.
    pub new_link: Option<Link>,
    /// Runs of the link monitor until a loss or return counts.
    pub delay: u32,
    /// `BOND_STATE_BACKUP`
    pub backup: bool,
    /// The same, as others were told last.
    pub told_backup: bool,
    /// Its frames are only for sockets that are bound to it.
    pub inactive: bool,
    /// Up with carrier: kept in step with the device (`bond_slave_is_up`).
    pub running: bool,
    /// Its present MAC, kept in step with the device.
    pub mac: Mac,
    pub permanent_mac: Mac,
    pub original_mtu: u32,
    pub failures: u32,
    pub queue_id: u16,
    pub prio: i32,
    /// Mbit/s; none where unknown.
    pub speed: Option<u32>,
    pub full_duplex: Option<bool>,
    pub last_link_up: Time,
    /// Whether the link was ever up (`last_link_up` is not 0).
    pub was_up: bool,
    /// When it became a slave, and by what `arp_interval` (in milliseconds): as if it had been heard, and had sent, an
    /// interval before that.
    pub joined: (Time, u32),
    pub last_rx: Option<Time>,
    pub last_tx: Option<Time>,
    /// When each ARP target was last heard of.
    pub target_rx: Vec<Option<Time>>,
    /// The device's counters at the last look.
    pub stats_before: Stats,
    pub ad: lacp::AdSlave,
    pub tlb: alb::TlbSlave,
}

impl Slave {
    pub fn new(dev: DevId) -> Slave {
        Slave {
            dev,
            link: Link::Down,
            new_link: None,
            delay: 0,
            backup: false,
            told_backup: false,
            inactive: false,
            running: false,
            mac: Mac::ZERO,
            permanent_mac: Mac::ZERO,
            original_mtu: 0,
            failures: 0,
            queue_id: 0,
            prio: 0,
            speed: None,
            full_duplex: None,
            last_link_up: Time::ZERO,
            was_up: false,
            joined: (Time::ZERO, 0),
            last_rx: None,
            last_tx: None,
            target_rx: Vec::new(),
            stats_before: Stats::default(),
            ad: lacp::AdSlave::default(),
            tlb: alb::TlbSlave::default(),
        }
    }

    /// `bond_is_active_slave`
    pub fn is_active(&self) -> bool {
        !self.backup
    }

    /// `bond_slave_can_tx`
    pub fn can_transmit(&self) -> bool {
        self.running && self.link == Link::Up && self.is_active()
    }

    /// The link works as far as the bond has decided, and now.
    fn works(&self) -> bool {
        self.running && self.link == Link::Up
    }
}

/// A bond device's own state (`struct bonding`).
#[derive(Clone, Debug, Default)]
pub struct Bond {
    pub params: Params,
    /// In the order in which they were enslaved.
    pub slaves: Vec<Slave>,
    /// `curr_active_slave`
    pub active: Option<DevId>,
    /// The slave that the ARP monitor tries while none is active (`current_arp_slave`).
    pub arp_slave: Option<DevId>,
    pub primary: Option<DevId>,
    pub force_primary: bool,
    /// Announcements that are still to be made (`send_peer_notif`).
    pub peer_notices: u32,
    /// Reports of groups that are still to be sent (`igmp_retrans`).
    pub igmp_reports: u8,
    /// Frames sent in round-robin mode.
    rr_count: u32,
    /// Slaves among which the hash chooses (`usable_slaves`); none before it was ever found.
    pub usable: Option<Vec<DevId>>,
    pub ad: lacp::AdBond,
    /// While the bond is up, in balance-tlb and balance-alb.
    pub alb: Option<Box<alb::Alb>>,
    /// The active slave that receives every frame for a while, and for how long it has (`primary_is_promisc`): also
    /// after the bond has gone down.
    pub promiscuous: Option<(DevId, u32)>,
    /// What balancing has left to be done.
    pub alb_actions: Vec<alb::Action>,
    /// Counters of slaves that have been added up (`bond_stats`).
    pub stats: Stats,
    /// How often each [`Job`]'s clock was set: what an older setting brings is void.
    pub serials: [u32; 5],
    /// The bond's device is up: what it receives is looked at (`recv_probe`).
    pub up: bool,
}

/// What a decision needs to know of the bond's device.
#[derive(Clone, Copy, Debug)]
pub struct Own {
    pub dev: DevId,
    pub mac: Mac,
    /// It is a port of a bridge.
    pub bridged: bool,
    /// The frame is an ARP packet of a bridge's address (in balance-alb).
    pub sender_bridged: bool,
    pub now: Time,
}

impl Bond {
    pub fn slave(&self, dev: DevId) -> Option<&Slave> {
        self.slaves.iter().find(|slave| slave.dev == dev)
    }

    pub fn slave_mut(&mut self, dev: DevId) -> Option<&mut Slave> {
        self.slaves.iter_mut().find(|slave| slave.dev == dev)
    }

    pub fn active_slave(&self) -> Option<&Slave> {
        self.active.and_then(|dev| self.slave(dev))
    }

    /// `bond_set_slave_active_flags`. True if that is news.
    pub fn activate(&mut self, dev: DevId) -> bool {
        let Some(slave) = self.slave_mut(dev) else { return false };
        slave.inactive = false;
        std::mem::replace(&mut slave.backup, false)
    }

    /// `bond_set_slave_inactive_flags`. True if that is news.
    pub fn deactivate(&mut self, dev: DevId) -> bool {
        let (keeps_state, all) = (self.params.mode.balances_load(), self.params.all_slaves_active);
        let Some(slave) = self.slave_mut(dev) else { return false };
        slave.inactive |= !all;
        !keeps_state && !std::mem::replace(&mut slave.backup, true)
    }

    /// `bond_find_best_slave`
    pub fn best(&mut self) -> Option<DevId> {
        if let Some(found) = self.primary_or_current() {
            return Some(found);
        }
        let mut least = self.params.updelay;
        let mut best = None;
        for slave in &self.slaves {
            if slave.link == Link::Up {
                return Some(slave.dev);
            }
            if slave.link == Link::Back && slave.running && slave.delay < least {
                least = slave.delay;
                best = Some(slave.dev);
            }
        }
        best
    }

    /// `bond_choose_primary_or_current`: without a primary slave, one of higher priority takes its part.
    fn primary_or_current(&mut self) -> Option<DevId> {
        let up = |slave: &&Slave| slave.link == Link::Up;
        let current = self.active_slave().filter(up);
        let mut wanted = self.primary.and_then(|dev| self.slave(dev)).filter(up);
        let is_primary = wanted.is_some();
        if !is_primary {
            let mut highest: Option<&Slave> = None;
            for slave in self.slaves.iter().filter(up) {
                if highest.is_none_or(|known| slave.prio > known.prio) {
                    highest = Some(slave);
                }
            }
            if highest.map(|slave| slave.dev) == self.active {
                return current.map(|slave| slave.dev);
            }
            wanted = highest;
        }
        let wanted = wanted?;
        if is_primary && self.force_primary {
            let wanted = wanted.dev;
            self.force_primary = false;
            return Some(wanted);
        }
        let Some(current) = current else { return Some(wanted.dev) };
        let better = (wanted.speed, wanted.full_duplex) > (current.speed, current.full_duplex);
        Some(match self.params.primary_reselect {
            options::RESELECT_ALWAYS => wanted.dev,
            options::RESELECT_BETTER if better => wanted.dev,
            _ => current.dev,
        })
    }

    /// `bond_update_slave_arr`
    pub fn find_usable(&mut self) {
        let hashes = matches!(self.params.mode, Mode::Xor | Mode::Lacp) || self.params.mode.balances_load();
        if !hashes {
            return;
        }
        let aggregator = self.active_aggregator();
        if self.params.mode == Mode::Lacp && aggregator.is_none() {
            self.usable = None;
            return;
        }
        let aggregated = |slave: &Slave| match self.params.mode {
            Mode::Lacp => slave.ad.port.aggregator.is_some() && slave.ad.port.aggregator == aggregator,
            _ => true,
        };
        let mut usable = self.usable.clone().unwrap_or_default();
        usable.clear();
        usable.extend(
            self.slaves
                .iter()
                .filter(|slave| aggregated(slave) && slave.can_transmit())
                .map(|slave| slave.dev),
        );
        self.usable = Some(usable);
    }

    /// The bond has a link, as far as its mode's rule goes (`bond_set_carrier`).
    pub fn has_carrier(&self) -> bool {
        match self.params.mode {
            _ if self.slaves.is_empty() => false,
            Mode::Lacp => self.ad_carrier(),
            _ => self.slaves.iter().any(|slave| slave.link == Link::Up),
        }
    }

    /// `__bond_start_xmit`. `random` is for round-robin among random slaves.
    pub fn transmit(&mut self, own: Own, random: u32, frame: &mut Frame, out: &mut Verdicts) {
        let to = match self.params.mode {
            Mode::RoundRobin => self.round_robin(random, frame),
            Mode::ActiveBackup => self.active,
            Mode::Xor | Mode::Lacp => self.hashed(frame),
            Mode::Broadcast => return self.broadcast(out),
            Mode::Tlb => self.tlb_transmit(frame),
            Mode::Alb => self.alb_transmit(own, frame),
        };
        out.push(match to {
            Some(dev) => Verdict::Transmit { dev },
            None => Verdict::Drop(DropReason::NoTransmitTarget),
        });
    }

    /// `bond_xmit_roundrobin_slave_get`: the memberships of groups always go one way.
    fn round_robin(&mut self, random: u32, frame: &Frame) -> Option<DevId> {
        if is_igmp(frame) {
            return self.active.or_else(|| self.slave_from(0));
        }
        let count = u32::try_from(self.slaves.len()).ok().filter(|count| *count > 0)?;
        let index = match self.params.packets_per_slave {
            0 => random,
            each => {
                self.rr_count = self.rr_count.wrapping_add(1);
                self.rr_count / each
            }
        };
        self.slave_from((index % count) as usize)
    }

    /// `bond_get_slave_by_id`: this slave, or the next one that works.
    fn slave_from(&self, index: usize) -> Option<DevId> {
        let (front, back) = self.slaves.split_at(index.min(self.slaves.len()));
        back.iter().chain(front).find(|slave| slave.can_transmit()).map(|slave| slave.dev)
    }

    /// `bond_xmit_3ad_xor_slave_get`
    fn hashed(&self, frame: &Frame) -> Option<DevId> {
        let usable = self.usable.as_deref().filter(|usable| !usable.is_empty())?;
        let hash = hash::hash(self.params.hash_policy(), frame);
        usable.get(hash as usize % usable.len()).copied()
    }

    /// `bond_xmit_broadcast`
    fn broadcast(&self, out: &mut Verdicts) {
        let working = self.slaves.iter().filter(|slave| slave.works());
        out.extend(working.map(|slave| Verdict::Transmit { dev: slave.dev }));
        if out.is_empty() {
            out.push(Verdict::Drop(DropReason::NoTransmitTarget));
        }
    }

    /// `bond_handle_frame`: a frame that a slave has received.
    pub fn receive(&mut self, own: Own, dev: DevId, frame: &mut Frame, out: &mut Verdicts) {
        if self.up {
            if self.params.mode == Mode::Lacp && is_slow_protocol(frame) {
                return out.push(Verdict::SlowProtocol { bond: own.dev, slave: dev });
            }
            if self.params.mode == Mode::Alb && frame.ethertype() == ethertype::ARP {
                self.rlb_learn(frame);
            }
        }
        let inactive = self.slave(dev).is_none_or(|slave| slave.inactive);
        let group = matches!(frame.packet_type, PacketType::Broadcast | PacketType::Multicast);
        if inactive && (self.params.mode != Mode::Alb || group) {
            return out.push(match is_link_local(frame.destination()) {
                true => Verdict::Local,
                false => Verdict::Exact,
            });
        }
        if self.params.mode == Mode::Alb
            && own.bridged
            && frame.packet_type == PacketType::Host
            && let Some(destination) = frame.bytes_mut().first_chunk_mut::<6>()
        {
            *destination = own.mac.0;
        }
        out.push(Verdict::Receive { dev: own.dev, packet_type: frame.packet_type });
    }

    /// `bond_rcv_validate`: something was heard on a slave. `is_own` tells the bond's addresses, and those of devices
    /// on it.
    pub fn hear(&mut self, now: Time, dev: DevId, frame: &Frame, is_own: impl Fn(IpAddr) -> bool) {
        let validate = self.params.arp_validate;
        let Some(slave) = self.slave(dev) else { return };
        let active = slave.is_active();
        let wanted = if active { options::VALIDATE_ACTIVE } else { options::VALIDATE_BACKUP };
        let is_probe = matches!(frame.ethertype(), ethertype::ARP | ethertype::IPV6);
        if validate & wanted == 0 {
            // `slave_do_arp_validate_only`: other packets are no sign of life.
            if (is_probe || validate & options::VALIDATE_FILTER == 0)
                && let Some(slave) = self.slave_mut(dev)
            {
                slave.last_rx = Some(now);
            }
            return;
        }
        let foreign = frame.packet_type == PacketType::OtherHost;
        let Some(heard) = Heard::of(frame).filter(|_| !foreign) else { return };
        let heard_since =
            |active: &Slave| self.heard(active).is_some_and(|heard| heard > active.last_link_up);
        let tried = self.arp_slave.and_then(|dev| self.slave(dev)).and_then(|slave| slave.last_tx);
        let (sender, target) = match () {
            () if active => (heard.sender, heard.target),
            // A backup hears the question that the active one has sent.
            () if self.active_slave().is_some_and(heard_since) => (heard.target, heard.sender),
            () if heard.answers && tried.is_some_and(|sent| self.in_interval(now, sent, 1)) => {
                (heard.sender, heard.target)
            }
            () => return,
        };
        // `bond_validate_arp`, `bond_validate_na`
        if sender.is_unspecified() || target != IpAddr::V6(ALL_NODES) && !is_own(target) {
            return;
        }
        let at = match sender {
            IpAddr::V4(sender) => self.params.arp_targets.iter().position(|known| *known == sender),
            // `bond_get_targets_ip6`: what the active slave asks goes to a group.
            IpAddr::V6(sender) => {
                let known = |known: &Ipv6Addr| *known == sender || solicited_node(*known) == sender;
                self.params.ns_targets.iter().position(known)
            }
        };
        let Some(at) = at else { return };
        if let Some(slave) = self.slave_mut(dev) {
            slave.last_rx = Some(now);
            if let Some(heard) = slave.target_rx.get_mut(at) {
                *heard = Some(now);
            }
        }
    }

    /// `bond_miimon_inspect`: what the carriers say of the links. True if there is something to commit.
    pub fn inspect_carriers(&mut self, now: Time) -> bool {
        let (updelay, downdelay) = (self.params.updelay, self.params.downdelay);
        // Without any link the first one is welcome at once.
        let mut hurry = match self.params.mode {
            Mode::ActiveBackup => self.active.is_none(),
            _ => self.usable.as_ref().is_some_and(Vec::is_empty),
        };
        let mut commit = false;
        for slave in &mut self.slaves {
            slave.new_link = None;
            let running = slave.running;
            if matches!((slave.link, running), (Link::Up, true) | (Link::Down, false)) {
                continue;
            }
            if matches!(slave.link, Link::Up | Link::Fail) {
                if slave.link == Link::Up {
                    slave.new_link = Some(Link::Fail);
                    slave.delay = downdelay;
                }
                if running {
                    slave.new_link = Some(Link::Up);
                    slave.last_link_up = now;
                } else if slave.delay == 0 {
                    slave.new_link = Some(Link::Down);
                } else {
                    slave.delay -= 1;
                }
            } else {
                if slave.link == Link::Down {
                    slave.new_link = Some(Link::Back);
                    slave.delay = updelay;
                }
                if running && hurry {
                    slave.delay = 0;
                }
                if !running {
                    slave.new_link = Some(Link::Down);
                } else if slave.delay == 0 {
                    slave.new_link = Some(Link::Up);
                    hurry = false;
                } else {
                    slave.delay -= 1;
                }
            }
            commit |= slave.new_link.is_some();
        }
        commit
    }

    /// `bond_ab_arp_inspect`: what was heard says of the links. True if there is something to commit.
    pub fn inspect_arp(&mut self, now: Time) -> bool {
        let missed = u32::from(self.params.missed_max);
        let mut found = Vec::new();
        for slave in &self.slaves {
            let within = |last: Option<Time>, times| self.within(slave, now, last, times);
            let heard = self.heard(slave);
            if slave.link != Link::Up {
                if within(heard, 1) {
                    found.push((slave.dev, Link::Up));
                } else if slave.link == Link::Back {
                    found.push((slave.dev, Link::Fail));
                }
                continue;
            }
            // Its first questions have not been answered yet.
            if self.in_interval(now, slave.last_link_up, 2) {
                continue;
            }
            let lost = match slave.is_active() {
                false => self.arp_slave.is_none() && !within(heard, missed.saturating_add(1)),
                true => !within(slave.last_tx, missed) || !within(heard, missed),
            };
            if lost {
                found.push((slave.dev, Link::Down));
            }
        }
        for (dev, link) in &found {
            if let Some(slave) = self.slave_mut(*dev) {
                slave.new_link = Some(*link);
            }
        }
        !found.is_empty()
    }

    /// `slave_last_rx`: with `arp_all_targets`, when the target was heard that has kept silent longest.
    pub fn heard(&self, slave: &Slave) -> Option<Time> {
        match self.params.arp_all_targets {
            1 => {
                // `slave_oldest_target_arp_rx`: of neighbour discovery the first one counts.
                let count = self.params.arp_targets.len().max(1);
                slave.target_rx.iter().take(count).min().copied().flatten()
            }
            _ => slave.last_rx,
        }
    }

    /// `bond_time_in_interval` of what a slave has done, or of when it came.
    pub fn within(&self, slave: &Slave, now: Time, last: Option<Time>, times: u32) -> bool {
        /// By so much more the time is set back at first: a tick.
        const TICK: Duration = Duration::from_millis(4);
        match last {
            Some(last) => self.in_interval(now, last, times),
            None => {
                let (joined, interval) = slave.joined;
                let before = Duration::from_millis(u64::from(interval)) + TICK;
                self.in_interval(now + before, joined, times)
            }
        }
    }

    /// `bond_time_in_interval`
    pub fn in_interval(&self, now: Time, last: Time, times: u32) -> bool {
        let interval = Duration::from_millis(u64::from(self.params.arp_interval));
        now <= last + interval * times + interval / 2
    }
}

/// A report of group memberships.
fn is_igmp(frame: &Frame) -> bool {
    const IGMP: u8 = 2;
    frame.ethertype() == ethertype::IPV4 && frame.payload().get(9) == Some(&IGMP)
}

/// A unit of LACP or a marker.
fn is_slow_protocol(frame: &Frame) -> bool {
    use hairpin_wire::lacp::{ETHERTYPE, GROUP, PDU_LEN};
    frame.ethertype() == ETHERTYPE && frame.destination().0 == GROUP && frame.payload().len() >= PDU_LEN
}

/// `is_link_local_ether_addr`: 01:80:c2:00:00:0X.
pub(super) fn is_link_local(mac: Mac) -> bool {
    let [a, b, c, d, e, f] = mac.0;
    [a, b, c, d, e] == [0x01, 0x80, 0xc2, 0, 0] && f & 0xf0 == 0
}
