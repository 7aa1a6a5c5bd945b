//! The link watch (net/core/link_watch.c): who hears of a carrier that came or went, and when.
//!
//! What does not press is looked at once a second: the first such event at once, those behind it a second after that. So a
//! device that has just been made next to others is in the state "unknown" for up to a second.

use std::time::Duration;

use crate::dev::Kind;
use crate::device::{DevId, Device};
use crate::time::Time;
use crate::world::{TimerEvent, World};

/// How long what does not press waits behind a look at all (`HZ`).
const INTERVAL: Duration = Duration::from_secs(1);
/// How many events it looks at in one go, beside one for each device (`MAX_DO_DEV_PER_LOOP`).
const EVENTS_MAX: usize = 100;

/// The link watch of one kernel.
#[derive(Clone, Debug, Default)]
pub(crate) struct LinkWatch {
    /// When it may look at all next (`linkwatch_nextevent`).
    next: Time,
    /// The devices that wait for that.
    waiting: Vec<DevId>,
    /// Whether it is to be called then.
    armed: bool,
}

impl World {
    /// `linkwatch_fire_event`: the device is to be looked at once the command is through.
    pub(crate) fn fire_link_event(&mut self, dev: DevId) {
        if !self.link_events.contains(&dev) {
            self.link_events.push_back(dev);
        }
        self.call_link_watch(dev, self.link_presses(dev));
    }

    /// The watch of the device's kernel has its turn even if there is nothing left to look at by then.
    pub(super) fn call_link_watch(&mut self, dev: DevId, presses: bool) {
        if let Some(host) = self.link_watch_of(dev) {
            self.note_link_call(host, presses);
        }
    }

    fn note_link_call(&mut self, host: usize, presses: bool) {
        match self.link_calls.iter_mut().find(|(called, _)| *called == host) {
            Some(call) => call.1 |= presses,
            None => self.link_calls.push((host, presses)),
        }
    }

    pub(crate) fn link_watch_due(&mut self, host: usize) {
        if let Some(host) = self.hosts.get_mut(host) {
            host.link_watch.armed = false;
        }
        self.note_link_call(host, false);
    }

    /// `linkwatch_event`, and what it makes wait.
    #[cold]
    pub(crate) fn watch_links(&mut self) {
        let mut left = EVENTS_MAX + self.devs.len();
        while !self.running && !self.link_calls.is_empty() && left > 0 {
            while left > 0 && !self.link_calls.is_empty() {
                for _ in 0..self.choose_link_events() {
                    if let Some(dev) = self.link_events.pop_front() {
                        left = left.saturating_sub(1);
                        self.link_event(dev);
                    }
                }
            }
            self.work_off(true);
        }
    }

    /// `__linkwatch_run_queue`: leaves in the list those whose turn it is, and says how many they are.
    fn choose_link_events(&mut self) -> usize {
        let called = std::mem::take(&mut self.link_calls);
        let fired: Vec<DevId> = self.link_events.drain(..).collect();
        for (host, presses) in called {
            let own = fired.iter().copied().filter(|dev| self.link_watch_of(*dev) == Some(host));
            let mut events: Vec<DevId> = own.collect();
            let Some(watch) = self.hosts.get_mut(host).map(|host| &mut host.link_watch) else { continue };
            let due = self.now >= watch.next;
            let waiting = std::mem::take(&mut watch.waiting);
            if due {
                watch.next = self.now + INTERVAL;
            }
            let run = due || presses;
            events.retain(|dev| !waiting.contains(dev));
            let mut stay = Vec::new();
            for dev in waiting.into_iter().chain(events) {
                match due || run && self.link_presses(dev) {
                    true => self.link_events.push_back(dev),
                    false => stay.push(dev),
                }
            }
            let Some(watch) = self.hosts.get_mut(host).map(|host| &mut host.link_watch) else { continue };
            watch.waiting = stay;
            if (!run || !watch.waiting.is_empty()) && !std::mem::replace(&mut watch.armed, true) {
                self.timers.add(watch.next, TimerEvent::LinkWatch { host });
            }
        }
        self.link_events.len()
    }

    /// `linkwatch_urgent_event`: devices that stand on another one, or share in a bond, and those that
    /// get a carrier after they have gone up without one (`qdisc_tx_changing`).
    fn link_presses(&self, dev: DevId) -> bool {
        let Some(device) = self.devs.get(dev).filter(|device| device.is_up()) else { return false };
        if self.iflink(device) != device.ifindex || device.carrier && !device.activated {
            return true;
        }
        let master = device.master.and_then(|master| self.devs.get(master));
        let gathers = |kind: &Kind| matches!(kind, Kind::Bond(_) | Kind::Team(_));
        gathers(&device.kind) || master.is_some_and(|master| gathers(&master.kind))
    }

    /// `dev_get_iflink`: a device below or the peer, wherever it is; else the device's own index.
    pub(crate) fn iflink(&self, device: &Device) -> u32 {
        let lower = device.lower().and_then(|lower| self.devs.get(lower));
        match (lower, &device.kind) {
            (Some(lower), _) => lower.ifindex,
            // A veth without a peer.
            (None, Kind::Veth(_) | Kind::Vxcan(_)) => 0,
            (None, Kind::IpTunnel(tunnel)) => tunnel.config.link,
            (None, Kind::Ip6Tunnel(tunnel)) => tunnel.config.link,
            (None, _) => device.ifindex,
        }
    }

    fn link_watch_of(&self, dev: DevId) -> Option<usize> {
        self.netns.get(self.devs.get(dev)?.ns).map(|netns| netns.host)
    }

    /// Whether the link watch has yet to look at a device whose carrier came or went.
    pub(crate) fn link_event_waits(&self, dev: DevId) -> bool {
        let waits = |host: &crate::netns::Host| host.link_watch.waiting.contains(&dev);
        self.link_events.contains(&dev)
            || self.link_watch_of(dev).and_then(|host| self.hosts.get(host)).is_some_and(waits)
    }
}
