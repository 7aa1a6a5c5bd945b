//! The protocol's procedures (8.6): who is the root, which ports lead where, and what is sent.

use std::time::Duration;

use hairpin_wire::bpdu::{Bpdu, Configuration};

use crate::device::DevId;

use super::super::port::{BridgePort, PortFlags, State};
use super::super::{Bridge, Event};
use super::clock::{Alarm, Clock, age_increment, on_the_second, to_units};

/// `BR_HOLD_TIME`: a port sends no two configurations within it.
const HOLD_TIME: Duration = Duration::from_secs(1);

impl Bridge {
    /// Configuration update (8.6.7).
    pub(super) fn update(&mut self, clock: Clock) {
        self.select_root(clock);
        self.select_designated();
    }

    /// Root selection (8.6.8).
    fn select_root(&mut self, clock: Clock) {
        let mut chosen: Option<DevId> = None;
        for dev in self.port_devs() {
            if !self.leads_to_root(dev, chosen) {
                continue;
            }
            if self.port(dev).is_some_and(|port| port.has(PortFlags::ROOT_BLOCK)) {
                self.block_root_port(dev, clock);
            } else {
                chosen = Some(dev);
            }
        }
        let tree = &mut self.tree;
        match chosen.and_then(|dev| self.ports.iter().find(|port| port.dev == dev)) {
            Some(port) => {
                tree.root_port = port.number;
                tree.root = port.branch.root;
                tree.root_path_cost = port.branch.cost.saturating_add(port.cost);
            }
            None => {
                tree.root_port = 0;
                tree.root = tree.id;
                tree.root_path_cost = 0;
            }
        }
    }

    /// Whether a port knows a better way to a better root than the one chosen so far.
    fn leads_to_root(&self, dev: DevId, chosen: Option<DevId>) -> bool {
        let Some(port) = self.port(dev) else { return false };
        if port.state == State::Disabled || self.is_designated(port) || self.tree.id <= port.branch.root {
            return false;
        }
        let Some(best) = chosen.and_then(|dev| self.port(dev)) else { return true };
        let key = |port: &BridgePort| {
            let branch = &port.branch;
            (branch.root, branch.cost.saturating_add(port.cost), branch.bridge, branch.port, port.id())
        };
        key(port) < key(best)
    }

    /// `br_root_port_block`: a guarded port begins again instead of becoming the root port.
    fn block_root_port(&mut self, dev: DevId, clock: Clock) {
        let delay = self.tree.forward_delay;
        if let Some(port) = self.port_mut(dev) {
            port.state = State::Listening;
            if !delay.is_zero() {
                port.branch.forward_delay = Some(Alarm::after(clock.now, delay));
            }
        }
        self.tell_port(dev);
    }

    /// Designated port selection (8.6.9).
    fn select_designated(&mut self) {
        for dev in self.port_devs() {
            let Some(port) = self.port(dev) else { continue };
            if port.state != State::Disabled && self.should_be_designated(port) {
                self.designate(dev);
            }
        }
    }

    fn should_be_designated(&self, port: &BridgePort) -> bool {
        let branch = &port.branch;
        self.is_designated(port)
            || branch.root != self.tree.root
            || (self.tree.root_path_cost, self.tree.id, port.id()) < (branch.cost, branch.bridge, branch.port)
    }

    /// Become designated port (8.6.10).
    pub(super) fn designate(&mut self, dev: DevId) {
        let (root, cost, bridge) = (self.tree.root, self.tree.root_path_cost, self.tree.id);
        if let Some(port) = self.port_mut(dev) {
            port.branch.root = root;
            port.branch.cost = cost;
            port.branch.bridge = bridge;
            port.branch.port = port.id();
        }
    }

    /// Port state selection (8.6.11), and the bridge's carrier: it has one while a port forwards.
    pub fn select_states(&mut self, clock: Clock) {
        for dev in self.port_devs() {
            let Some(port) = self.port(dev).filter(|port| port.state != State::Disabled) else { continue };
            let (is_root, designated) = (port.number == self.tree.root_port, self.is_designated(port));
            if !is_root && designated {
                if let Some(port) = self.port_mut(dev) {
                    port.branch.message_age = None;
                }
            } else if let Some(port) = self.port_mut(dev) {
                port.config_pending = false;
                port.topology_change_ack = false;
            }
            match is_root || designated {
                true => self.make_forwarding(dev, clock),
                false => self.make_blocking(dev, clock),
            }
            if self.port(dev).is_some_and(|port| port.state != State::Blocking) {
                self.enable_port_snooping(dev, clock);
            }
        }
        self.events.push(Event::Carrier(self.ports.iter().any(|port| port.state == State::Forwarding)));
    }

    /// Make forwarding (8.6.12).
    fn make_forwarding(&mut self, dev: DevId, clock: Clock) {
        if self.port(dev).is_none_or(|port| port.state != State::Blocking) {
            return;
        }
        let delay = self.tree.forward_delay;
        if !self.stp || delay.is_zero() {
            self.set_state(dev, State::Forwarding);
            self.detect_topology_change(clock);
            if let Some(port) = self.port_mut(dev) {
                port.branch.forward_delay = None;
            }
        } else {
            self.set_state(dev, State::Listening);
        }
        self.tell_port(dev);
        if !delay.is_zero()
            && let Some(port) = self.port_mut(dev)
        {
            port.branch.forward_delay = Some(Alarm::after(clock.now, delay));
        }
    }

    /// Make blocking (8.6.13).
    fn make_blocking(&mut self, dev: DevId, clock: Clock) {
        let Some(state) = self.port(dev).map(|port| port.state) else { return };
        if matches!(state, State::Disabled | State::Blocking) {
            return;
        }
        if matches!(state, State::Forwarding | State::Learning) {
            self.detect_topology_change(clock);
        }
        if let Some(port) = self.port_mut(dev) {
            port.state = State::Blocking;
            port.branch.forward_delay = None;
        }
        self.tell_port(dev);
    }

    /// `br_become_root_bridge`, where this bridge has just become the root.
    pub(super) fn become_root_if(&mut self, was_not: bool, clock: Clock) {
        if !was_not || !self.is_root() {
            return;
        }
        self.tree.max_age = self.max_age;
        self.tree.hello_time = self.hello_time;
        self.tree.forward_delay = self.forward_delay;
        self.detect_topology_change(clock);
        self.tree.notification = None;
        if clock.up {
            self.generate_configurations(clock);
            self.tree.hello = Some(Alarm::after(clock.now, self.tree.hello_time));
        }
    }

    /// Configuration BPDU generation (8.6.4).
    pub(super) fn generate_configurations(&mut self, clock: Clock) {
        for dev in self.port_devs() {
            let speaks =
                self.port(dev).is_some_and(|port| port.state != State::Disabled && self.is_designated(port));
            if speaks {
                self.transmit_configuration(dev, clock);
            }
        }
    }

    /// Transmit configuration BPDU (8.6.1).
    pub(super) fn transmit_configuration(&mut self, dev: DevId, clock: Clock) {
        let age = match self.numbered(self.tree.root_port) {
            Some(root) if !self.is_root() => clock.now.last_tick().since(root.branch.since) + age_increment(),
            _ => Duration::ZERO,
        };
        let (tree, stp) = (self.tree.clone(), self.stp);
        let Some(port) = self.port_mut(dev) else { return };
        if port.branch.hold.is_some() {
            port.config_pending = true;
            return;
        }
        if age >= tree.max_age {
            return;
        }
        let configuration = Configuration {
            topology_change: tree.topology_change,
            acknowledgement: port.topology_change_ack,
            root: tree.root,
            root_path_cost: tree.root_path_cost,
            bridge: tree.id,
            port: port.id(),
            message_age: to_units(age),
            max_age: to_units(tree.max_age),
            hello_time: to_units(tree.hello_time),
            forward_delay: to_units(tree.forward_delay),
        };
        port.topology_change_ack = false;
        port.config_pending = false;
        if stp {
            port.branch.hold = Some(Alarm::at(clock.now, on_the_second(clock.now, HOLD_TIME)));
            self.events.push(Event::Bpdu(dev, Bpdu::Configuration(configuration)));
        }
    }

    /// Transmit topology change notification BPDU (8.6.6).
    pub(super) fn transmit_notification(&mut self) {
        if let Some(root) = self.numbered(self.tree.root_port).map(|port| port.dev)
            && self.stp
        {
            self.events.push(Event::Bpdu(root, Bpdu::TopologyChange));
        }
    }

    /// Topology change detection (8.6.14).
    pub(super) fn detect_topology_change(&mut self, clock: Clock) {
        if !self.stp || !clock.up {
            return;
        }
        if self.is_root() {
            self.set_topology_change(true);
            self.tree.change = Some(Alarm::after(clock.now, self.forward_delay + self.max_age));
        } else if !self.tree.detected {
            self.transmit_notification();
            self.tree.notification = Some(Alarm::after(clock.now, self.hello_time));
        }
        self.tree.detected = true;
    }

    /// `__br_set_topology_change`: addresses age fast while the topology changes.
    pub(super) fn set_topology_change(&mut self, on: bool) {
        if self.stp && self.tree.topology_change != on {
            self.ageing = if on { 2 * self.tree.forward_delay } else { self.bridge_ageing };
        }
        self.tree.topology_change = on;
    }
}
