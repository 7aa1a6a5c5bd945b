//! Spanning tree (IEEE 802.1D-1998 clause 8, net/bridge/br_stp.c): loops of bridges come to rest.
//!
//! The standard's procedures are the functions here. What they bring about outside the bridge's own state is
//! left in [`Bridge::events`]. Times in force are the root's; those configured are used once this bridge is the root.
//!
//! The bridge's timers are hello, topology change and its notification; a port's are message age, forward
//! delay and hold. They are kept as the times when they go off; [`Bridge::next_timer`] is the earliest.

mod clock;
mod messages;
mod procedures;
mod timers;

use std::time::Duration;

use crate::device::DevId;
use crate::mac::Mac;
use crate::time::Time;

pub use clock::{Alarm, Clock};

use super::port::{BridgePort, PortFlags, State};
use super::{Bridge, Event};

/// A bridge's part of the protocol. Identifiers have the priority in their upper 16 bits.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    pub id: u64,
    pub root: u64,
    pub root_path_cost: u32,
    /// Number of the port towards the root; 0 for the root itself.
    pub root_port: u16,
    pub max_age: Duration,
    pub hello_time: Duration,
    pub forward_delay: Duration,
    pub topology_change: bool,
    pub detected: bool,
    pub hello: Option<Alarm>,
    pub notification: Option<Alarm>,
    pub change: Option<Alarm>,
    /// The earliest time for which the world has been asked to wake the bridge.
    pub armed: Option<Time>,
}

/// A port's part of the protocol.
#[derive(Clone, Debug, Default)]
pub struct Branch {
    pub root: u64,
    pub cost: u32,
    pub bridge: u64,
    pub port: u16,
    /// When the message behind this was new at the root.
    since: Time,
    pub message_age: Option<Alarm>,
    pub forward_delay: Option<Alarm>,
    pub hold: Option<Alarm>,
}

/// An identifier of a priority and a MAC.
pub fn identifier(priority: u16, mac: Mac) -> u64 {
    mac.0.iter().fold(u64::from(priority), |id, byte| id << 8 | u64::from(*byte))
}

/// The priority and the MAC of an identifier.
pub fn parts(id: u64) -> (u16, [u8; 6]) {
    let [p, q, mac @ ..] = id.to_be_bytes();
    (u16::from_be_bytes([p, q]), mac)
}

impl Bridge {
    pub fn is_root(&self) -> bool {
        self.tree.id == self.tree.root
    }

    /// `br_is_designated_port`: the port stands for this bridge on its wire.
    fn is_designated(&self, port: &BridgePort) -> bool {
        port.branch.bridge == self.tree.id && port.branch.port == port.id()
    }

    fn numbered(&self, number: u16) -> Option<&BridgePort> {
        self.ports.iter().find(|port| port.number == number)
    }

    fn port_devs(&self) -> impl Iterator<Item = DevId> + use<> {
        let devs: Vec<DevId> = self.ports.iter().map(|port| port.dev).collect();
        devs.into_iter()
    }

    fn set_state(&mut self, dev: DevId, state: State) {
        if let Some(port) = self.port_mut(dev) {
            port.state = state;
        }
    }

    /// A port has come to the state it is in, which others are told of, whatever comes after it.
    fn tell_port(&mut self, dev: DevId) {
        if let Some(state) = self.port(dev).map(|port| port.state) {
            self.events.push(Event::PortChanged(dev, state));
        }
    }

    /// Gives a port another state, and nothing more; its old one.
    pub fn exchange_state(&mut self, dev: DevId, state: State) -> Option<State> {
        self.port_mut(dev).map(|port| std::mem::replace(&mut port.state, state))
    }

    // Enabling and disabling (8.8).

    /// `br_stp_enable_bridge`: the bridge device has gone up; its usable ports are to be enabled after this.
    pub fn start(&mut self, clock: Clock) {
        if self.stp {
            self.tree.hello = Some(Alarm::after(clock.now, self.tree.hello_time));
        }
        self.generate_configurations(clock);
    }

    /// `br_stp_disable_bridge`: the bridge device has gone down.
    pub fn stop(&mut self, clock: Clock) {
        for dev in self.port_devs() {
            if self.port(dev).is_some_and(|port| port.state != State::Disabled) {
                self.disable_port(dev, clock);
            }
        }
        self.set_topology_change(false);
        self.stop_snooping();
        let tree = &mut self.tree;
        tree.detected = false;
        tree.hello = None;
        tree.change = None;
        tree.notification = None;
    }

    /// `br_init_port`: as a port begins, blocking.
    fn begin_port(&mut self, dev: DevId) {
        self.designate(dev);
        if let Some(port) = self.port_mut(dev) {
            port.state = State::Blocking;
            port.topology_change_ack = false;
            port.config_pending = false;
        }
    }

    /// `br_init_port` of a new port, whose state is disabled yet.
    pub fn adopt_port(&mut self, dev: DevId) {
        self.begin_port(dev);
        self.set_state(dev, State::Disabled);
    }

    /// `br_stp_enable_port`
    pub fn enable_port(&mut self, dev: DevId, clock: Clock) {
        self.begin_port(dev);
        self.select_states(clock);
        self.tell_port(dev);
    }

    /// `br_stp_disable_port`
    pub fn disable_port(&mut self, dev: DevId, clock: Clock) {
        let was_root = self.is_root();
        self.designate(dev);
        let mut flush = false;
        if let Some(port) = self.port_mut(dev) {
            port.state = State::Disabled;
            port.topology_change_ack = false;
            port.config_pending = false;
            port.branch.message_age = None;
            port.branch.forward_delay = None;
            port.branch.hold = None;
            flush = port.backup.is_none();
        }
        self.tell_port(dev);
        if flush {
            self.events.push(Event::Flush(dev));
        }
        self.disable_port_snooping(dev, clock.up);
        self.update(clock);
        self.select_states(clock);
        self.become_root_if(!was_root, clock);
    }

    /// `br_stp_set_enabled` for the protocol in the kernel.
    pub fn set_stp(&mut self, on: bool, clock: Clock) {
        if on == self.stp {
            return;
        }
        self.stp = on;
        if !on {
            return;
        }
        let bounds = (Duration::from_secs(2), Duration::from_secs(30));
        self.set_forward_delay(self.forward_delay.clamp(bounds.0, bounds.1));
        if clock.up {
            self.tree.hello = Some(Alarm::after(clock.now, self.tree.hello_time));
        }
        self.select_states(clock);
    }

    // Configuration.

    pub fn set_forward_delay(&mut self, delay: Duration) {
        self.forward_delay = delay;
        if self.is_root() {
            self.tree.forward_delay = delay;
        }
    }

    pub fn set_hello_time(&mut self, hello: Duration) {
        self.hello_time = hello;
        if self.is_root() {
            self.tree.hello_time = hello;
        }
    }

    pub fn set_max_age(&mut self, age: Duration) {
        self.max_age = age;
        if self.is_root() {
            self.tree.max_age = age;
        }
    }

    /// `br_stp_change_bridge_id`: the bridge has another MAC.
    pub fn set_tree_mac(&mut self, mac: Mac, clock: Clock) {
        const ADDRESS: u64 = (1 << 48) - 1;
        let was_root = self.is_root();
        let old = self.tree.id & ADDRESS;
        let new = identifier(0, mac);
        let moved = |id: &mut u64| {
            if *id & ADDRESS == old {
                *id = *id & !ADDRESS | new;
            }
        };
        self.tree.id = self.tree.id & !ADDRESS | new;
        for port in &mut self.ports {
            moved(&mut port.branch.bridge);
            moved(&mut port.branch.root);
        }
        self.update(clock);
        self.select_states(clock);
        self.become_root_if(!was_root, clock);
    }

    /// `br_stp_set_bridge_priority`
    pub fn set_priority(&mut self, priority: u16, clock: Clock) {
        let was_root = self.is_root();
        let id = u64::from(priority) << 48 | self.tree.id & ((1 << 48) - 1);
        for dev in self.port_devs() {
            let designated =
                self.port(dev).is_some_and(|port| port.state != State::Disabled && self.is_designated(port));
            if designated && let Some(port) = self.port_mut(dev) {
                port.branch.bridge = id;
            }
        }
        self.priority = priority;
        self.tree.id = id;
        self.update(clock);
        self.select_states(clock);
        self.become_root_if(!was_root, clock);
    }

    /// `br_stp_set_port_priority`
    pub fn set_port_priority(&mut self, dev: DevId, priority: u8, clock: Clock) {
        let Some(port) = self.port(dev) else { return };
        let designated = self.is_designated(port);
        let own = self.tree.id;
        let Some(port) = self.port_mut(dev) else { return };
        port.priority = priority;
        let id = port.id();
        if designated {
            port.branch.port = id;
        }
        if port.branch.bridge == own && id < port.branch.port {
            self.designate(dev);
            self.select_states(clock);
        }
    }

    /// `br_stp_set_path_cost`
    pub fn set_path_cost(&mut self, dev: DevId, cost: u32, clock: Clock) {
        if let Some(port) = self.port_mut(dev) {
            port.cost = cost;
            port.flags |= PortFlags::ADMIN_COST;
        }
        self.update(clock);
        self.select_states(clock);
    }
}

#[cfg(test)]
mod tests;
