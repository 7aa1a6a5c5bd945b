//! The states of a neighbour and what moves it from one to the next.
//!
//! | from | event | to | frames |
//! |---|---|---|---|
//! | none | multicast, broadcast, a device without ARP | NOARP | the packet |
//! | none, FAILED | packet to send | INCOMPLETE | broadcast request, then one a second |
//! | INCOMPLETE | reply | REACHABLE | queued packets |
//! | INCOMPLETE | 3 requests unanswered | FAILED | host unreachable for each queued packet |
//! | STALE | packet sent | DELAY | the packet, to the known MAC |
//! | DELAY | 5 s without confirmation | PROBE | unicast request, then one a second |
//! | PROBE | reply | REACHABLE | |
//! | PROBE | 3 requests unanswered | FAILED | |
//! | REACHABLE | its time is over, used in the last 5 s | DELAY | |
//! | REACHABLE | its time is over, unused | STALE | |

use std::net::IpAddr;
use std::time::Duration;

use crate::device::{DevId, Flags};
use crate::drop_reason::DropReason;
use crate::frame::Frame;
use crate::mac::Mac;
use crate::netns::NsId;
use crate::route::RouteKind;
use crate::sysctl::NeighParams;
use crate::time::Time;
use crate::world::{TimerEvent, World};

use super::{QUEUED_OVERHEAD, ROUTER, nud};

/// `REACHABLE_TIME` is drawn anew at this interval (`neigh_periodic_work`).
const REDRAW: Duration = Duration::from_secs(300);

/// How an update may change an entry (`NEIGH_UPDATE_F_*`).
#[derive(Clone, Copy, Debug, Default)]
pub struct Update {
    /// A different MAC replaces the known one.
    pub replace: bool,
    /// The user said so.
    pub admin: bool,
    /// A different MAC that may not replace the known one of a confirmed entry makes it stale.
    pub weak: bool,
    /// Whether the neighbour is a router, where the message tells.
    pub router: Option<bool>,
}

impl World {
    pub(crate) fn neigh_params(&self, ns: NsId, ifindex: u32, address: IpAddr) -> NeighParams {
        let Some(netns) = self.netns.get(ns) else { return NeighParams::default() };
        let device = netns.devices.get(&ifindex).and_then(|dev| self.devs.get(*dev));
        match address {
            IpAddr::V4(_) => device.map_or(netns.sysctl.neigh_default, |device| device.neigh_params),
            IpAddr::V6(_) => device.map_or(netns.sysctl.neigh6_default, |device| device.neigh6_params),
        }
    }

    /// How long a confirmation holds on this device: half to one and a half times the base.
    pub(crate) fn reachable_time(&mut self, ns: NsId, ifindex: u32, address: IpAddr) -> Duration {
        let base = self.neigh_params(ns, ifindex, address).base_reachable_ms;
        let now = self.now;
        let drawn =
            self.netns.get(ns).and_then(|netns| netns.neighbours(address).reachable.get(&ifindex)).copied();
        if let Some((time, at)) = drawn
            && now.since(at) < REDRAW
        {
            return time;
        }
        let time = Duration::from_millis(base / 2 + self.random_below(base.max(1)));
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.neighbours_mut(address).reachable.insert(ifindex, (time, now));
        }
        time
    }

    /// Sets the entry's timer for `at` (`neigh_add_timer`).
    fn neigh_timer(&mut self, ns: NsId, ifindex: u32, address: IpAddr, at: Time) {
        let at = self.now.timer(at.since(self.now));
        let Some(netns) = self.netns.get_mut(ns) else { return };
        let table = netns.neighbours_mut(address);
        table.timers = table.timers.wrapping_add(1);
        let timer = table.timers;
        if let Some(entry) = table.get_mut(ifindex, address) {
            entry.timer = timer;
            let event = TimerEvent::Neighbour { ns, ifindex, address, timer };
            self.timers.add_on_wheel(self.now, at, event);
        }
    }

    /// `neigh_event_send`: a packet is about to go to this neighbour. True if it may be sent now; otherwise it
    /// was queued, or dropped.
    pub(super) fn neigh_event_send(
        &mut self,
        ns: NsId,
        ifindex: u32,
        address: IpAddr,
        frame: &mut Option<Frame>,
    ) -> bool {
        let now = self.now;
        let params = self.neigh_params(ns, ifindex, address);
        let Some(entry) =
            self.netns.get_mut(ns).and_then(|n| n.neighbours_mut(address).get_mut(ifindex, address))
        else {
            return false;
        };
        entry.used = now;
        match entry.state {
            state if state & (nud::CONNECTED | nud::DELAY | nud::PROBE) != 0 => return true,
            nud::STALE => {
                entry.state = nud::DELAY;
                entry.updated = now;
                let at = now + Duration::from_millis(params.delay_first_probe_ms);
                self.neigh_timer(ns, ifindex, address, at);
                return true;
            }
            _ => {}
        }
        let first = entry.state != nud::INCOMPLETE;
        if first {
            if params.mcast_solicit + params.app_solicit <= 0 {
                entry.state = nud::FAILED;
                entry.updated = now;
                if let Some(frame) = frame.take() {
                    self.drop_frame(None, frame, DropReason::NeighbourFailed);
                }
                return false;
            }
            entry.probes = params.ucast_solicit.max(0) as u32;
            entry.state = nud::INCOMPLETE;
            entry.updated = now;
        }
        let mut overflow = Vec::new();
        if let Some(frame) = frame.take() {
            entry.queued += frame.len() + QUEUED_OVERHEAD;
            entry.queue.push_back(frame);
            while entry.queued > params.unres_qlen_bytes.max(0) as usize && entry.queue.len() > 1 {
                if let Some(oldest) = entry.queue.pop_front() {
                    entry.queued = entry.queued.saturating_sub(oldest.len() + QUEUED_OVERHEAD);
                    overflow.push(oldest);
                }
            }
        }
        for oldest in overflow {
            self.drop_frame(None, oldest, DropReason::NeighbourQueueFull);
        }
        if first {
            let at = now + Duration::from_millis(params.retrans_ms.max(10));
            self.neigh_timer(ns, ifindex, address, at);
            self.neigh_probe(ns, ifindex, address);
        }
        false
    }

    /// `neigh_timer_handler`
    pub(crate) fn neigh_timeout(&mut self, ns: NsId, ifindex: u32, address: IpAddr, timer: u32) {
        let now = self.now;
        let params = self.neigh_params(ns, ifindex, address);
        let reachable = self.reachable_time(ns, ifindex, address);
        let delay = Duration::from_millis(params.delay_first_probe_ms);
        let retrans = Duration::from_millis(params.retrans_ms.max(10));
        let Some(entry) =
            self.netns.get_mut(ns).and_then(|n| n.neighbours_mut(address).get_mut(ifindex, address))
        else {
            return;
        };
        if entry.timer != timer || entry.state & nud::IN_TIMER == 0 {
            return;
        }
        let before = entry.state;
        let mut next = now + retrans;
        match entry.state {
            nud::REACHABLE if now <= entry.confirmed + reachable => next = entry.confirmed + reachable,
            nud::REACHABLE if now <= entry.used + delay => {
                entry.state = nud::DELAY;
                next = now + delay;
            }
            nud::REACHABLE => entry.state = nud::STALE,
            nud::DELAY if now <= entry.confirmed + delay => {
                entry.state = nud::REACHABLE;
                next = entry.confirmed + reachable;
            }
            nud::DELAY => {
                entry.state = nud::PROBE;
                entry.probes = 0;
            }
            _ => {}
        }
        let probing = entry.state & (nud::INCOMPLETE | nud::PROBE) != 0;
        if probing {
            let last = if entry.state == nud::PROBE { params.mcast_resolicit } else { params.mcast_solicit };
            let most = params.ucast_solicit + params.app_solicit + last;
            if i64::from(entry.probes) >= i64::from(most) {
                entry.state = nud::FAILED;
            }
        }
        if entry.state != before {
            entry.updated = now;
        }
        let after = entry.state;
        if after & nud::IN_TIMER != 0 {
            self.neigh_timer(ns, ifindex, address, next.max(now + Duration::from_millis(10)));
        }
        if after != before && after != nud::DELAY {
            self.notify_neighbour(ns, ifindex, address);
        }
        if address.is_ipv6() && (after ^ before) & nud::FAILED != 0 {
            // Choosing among routers looks at it.
            self.changed();
        }
        if after == nud::FAILED {
            self.neigh_invalidate(ns, ifindex, address);
        } else if probing {
            self.neigh_probe(ns, ifindex, address);
        }
    }

    /// `neigh_probe`: asks for the address as its family does.
    fn neigh_probe(&mut self, ns: NsId, ifindex: u32, address: IpAddr) {
        match address {
            IpAddr::V4(address) => self.arp_solicit(ns, ifindex, address),
            IpAddr::V6(address) => self.ndisc_solicit(ns, ifindex, address),
        }
    }

    /// `neigh_invalidate`: the address could not be resolved.
    fn neigh_invalidate(&mut self, ns: NsId, ifindex: u32, address: IpAddr) {
        let (dev, queue) =
            match self.netns.get_mut(ns).and_then(|n| n.neighbours_mut(address).get_mut(ifindex, address)) {
                Some(entry) => {
                    entry.queued = 0;
                    (entry.dev, std::mem::take(&mut entry.queue))
                }
                None => return,
            };
        for frame in queue {
            match address {
                IpAddr::V4(_) => self.link_failure(dev, &frame),
                IpAddr::V6(_) => self.link_failure6(ns, &frame),
            }
            self.drop_frame(Some(dev), frame, DropReason::NeighbourFailed);
        }
    }

    /// `neigh_update`: what was learned, or set by the user. Creates nothing.
    pub(crate) fn neigh_update(
        &mut self,
        ns: NsId,
        ifindex: u32,
        address: impl Into<IpAddr>,
        mac: Option<Mac>,
        state: u16,
        how: Update,
    ) {
        let address = address.into();
        let now = self.now;
        let reachable = self.reachable_time(ns, ifindex, address);
        let base = Duration::from_millis(self.neigh_params(ns, ifindex, address).base_reachable_ms);
        let Some(entry) =
            self.netns.get_mut(ns).and_then(|n| n.neighbours_mut(address).get_mut(ifindex, address))
        else {
            return;
        };
        let old = entry.state;
        let mut new = state;
        if !how.admin && old & (nud::NOARP | nud::PERMANENT) != 0 {
            return;
        }
        let mut failed = None;
        if new & nud::VALID == 0 {
            entry.state = new;
            entry.updated = now;
            failed = Some(old & (nud::INCOMPLETE | nud::PROBE) != 0 && new & nud::FAILED != 0);
        }
        if let Some(failed) = failed {
            if failed {
                self.neigh_invalidate(ns, ifindex, address);
            }
            if failed || old & nud::VALID != 0 {
                self.notify_neighbour(ns, ifindex, address);
            }
            return;
        }
        let was_valid = old & nud::VALID != 0;
        let mut is_router = how.router;
        let mut mac = match mac {
            Some(mac) if was_valid && mac == entry.mac => entry.mac,
            Some(mac) => mac,
            None if was_valid => entry.mac,
            None => return,
        };
        if new & nud::CONNECTED != 0 {
            entry.confirmed = now;
        }
        if was_valid {
            if mac != entry.mac && !how.replace {
                if !how.weak || old & nud::CONNECTED == 0 {
                    return;
                }
                mac = entry.mac;
                new = nud::STALE;
                is_router = None;
            } else if mac == entry.mac && new == nud::STALE && !how.admin {
                new = old;
            }
        }
        let changed_mac = mac != entry.mac || !was_valid;
        if new != old || mac != entry.mac {
            entry.updated = now;
        }
        entry.state = new;
        let was_router = entry.flags & ROUTER != 0;
        if let Some(router) = is_router {
            entry.flags = entry.flags & !ROUTER | if router { ROUTER } else { 0 };
        }
        let changed_router = was_router != (entry.flags & ROUTER != 0);
        if changed_mac {
            entry.mac = mac;
            if new & nud::CONNECTED == 0 {
                entry.confirmed = now - base * 2;
            }
        }
        if new == nud::PROBE && new != old {
            entry.probes = 0;
        }
        let queue = match was_valid {
            true => Default::default(),
            false => {
                entry.queued = 0;
                std::mem::take(&mut entry.queue)
            }
        };
        if new != old && new & nud::IN_TIMER != 0 {
            let wait = if new == nud::REACHABLE { reachable } else { Duration::ZERO };
            self.neigh_timer(ns, ifindex, address, now + wait);
        }
        if new != old || changed_mac || changed_router {
            self.notify_neighbour(ns, ifindex, address);
        }
        for frame in queue {
            self.send_to_neighbour(ns, ifindex, address, frame);
        }
    }

    /// `NTF_USE`: as if a packet had been sent to the neighbour.
    pub(crate) fn neigh_use(&mut self, ns: NsId, ifindex: u32, address: impl Into<IpAddr>) {
        self.neigh_event_send(ns, ifindex, address.into(), &mut None);
    }

    /// Finds or makes an entry, and says whether there is one now.
    pub(crate) fn neigh_ensure(&mut self, ns: NsId, ifindex: u32, address: impl Into<IpAddr>) -> bool {
        let address = address.into();
        let limit = self.netns.get(ns).map_or(0, |netns| match address {
            IpAddr::V4(_) => netns.sysctl.gc_thresh3,
            IpAddr::V6(_) => netns.sysctl.gc6_thresh3,
        });
        self.neigh_ensure_within(ns, ifindex, address, limit)
    }

    /// The same with a limit of its own: none counts entries that the collector must leave alone (`neigh_alloc`,
    /// `exempt_from_gc`).
    pub(crate) fn neigh_ensure_within(
        &mut self,
        ns: NsId,
        ifindex: u32,
        address: IpAddr,
        limit: i32,
    ) -> bool {
        let now = self.now;
        let Some(netns) = self.netns.get_mut(ns) else { return false };
        if netns.neighbours(address).get(ifindex, address).is_some() {
            return true;
        }
        let Some(dev) = netns.devices.get(&ifindex).copied() else { return false };
        if netns.neighbours_mut(address).create(ifindex, address, dev, now, limit).is_none() {
            return false;
        }
        let mac = self.unresolved_mac(dev, address);
        if let Some(mac) = mac
            && let Some(entry) =
                self.netns.get_mut(ns).and_then(|n| n.neighbours_mut(address).get_mut(ifindex, address))
        {
            entry.state = nud::NOARP;
            entry.mac = mac;
        }
        true
    }

    /// `arp_constructor`, `ndisc_constructor`: the MAC of an address that needs no resolution.
    fn unresolved_mac(&self, dev: DevId, address: IpAddr) -> Option<Mac> {
        let device = self.devs.get(dev)?;
        if address.is_multicast() {
            return Some(Mac::of_multicast(address));
        }
        if device.is_noarp() {
            return Some(device.mac);
        }
        let to_all = device.flags.contains(Flags::POINTOPOINT)
            || matches!(address, IpAddr::V4(address) if self.address_kind_at(dev, address) == RouteKind::Broadcast);
        to_all.then_some(device.broadcast)
    }

    /// Takes an entry away, with what waits for it.
    pub(crate) fn neigh_forget(&mut self, ns: NsId, ifindex: u32, address: IpAddr) -> bool {
        let Some(entry) =
            self.netns.get_mut(ns).and_then(|n| n.neighbours_mut(address).remove(ifindex, address))
        else {
            return false;
        };
        self.neigh_release(entry);
        true
    }

    /// Frees what waited for an entry that is gone.
    pub(crate) fn neigh_release(&mut self, entry: super::Neighbour) {
        for frame in entry.queue {
            self.drop_frame(None, frame, DropReason::NeighbourDead);
        }
    }
}
