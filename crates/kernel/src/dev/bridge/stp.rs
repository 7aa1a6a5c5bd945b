//! Spanning tree (IEEE 802.1D-1998 clause 8, net/bridge/br_stp.c): loops of bridges come to rest.
//!
//! The standard's procedures are the functions here. What they bring about outside the bridge's own state is
//! left in [`Bridge::events`]. Times in force are the root's; those configured are used once this bridge is the root.
//!
//! The bridge's timers are hello, topology change and its notification; a port's are message age, forward
//! delay and hold. They are kept as the times when they go off; [`Bridge::next_timer`] is the earliest.

use std::time::Duration;

use hairpin_wire::bpdu::{Bpdu, Configuration};

use crate::device::DevId;
use crate::mac::Mac;
use crate::time::Time;

use super::port::{BridgePort, PortFlags, State};
use super::{Bridge, Event};

/// `BR_HOLD_TIME`: a port sends no two configurations within it.
const HOLD_TIME: Duration = Duration::from_secs(1);
/// What relaying adds to a message's age: the smallest step of the kernel's clock (`MESSAGE_AGE_INCR`).
const AGE_INCREMENT: Duration = Duration::from_millis(JIFFY_MS);
/// A kernel with 250 clock ticks a second.
const JIFFY_MS: u64 = 4;
const JIFFIES_A_SECOND: u64 = 1000 / JIFFY_MS;
/// Units of time in BPDUs.
const BPDU_UNITS_A_SECOND: u64 = 256;

/// What the procedures need to know of the bridge device.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    pub now: Time,
    /// The bridge device is up.
    pub up: bool,
}

/// A timer that is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// What it was set to, as `br_timer_value` tells what is left of it.
    pub expires: Time,
    /// When the timer wheel lets it go off: then or a little later.
    pub fires: Time,
}

impl Alarm {
    fn after(now: Time, delay: Duration) -> Alarm {
        Alarm { expires: now + delay, fires: now.timer(delay) }
    }

    fn at(time: Time) -> Alarm {
        Alarm { expires: time, fires: time }
    }
}

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
        self.events.push(Event::PortChanged(dev));
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
        self.events.push(Event::PortChanged(dev));
        if flush {
            self.events.push(Event::Flush(dev));
        }
        self.disable_port_snooping(dev);
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

    // The protocol's procedures (8.6).

    /// Configuration update (8.6.7).
    fn update(&mut self, clock: Clock) {
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
        self.events.push(Event::PortChanged(dev));
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
    fn designate(&mut self, dev: DevId) {
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
        self.events.push(Event::PortChanged(dev));
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
        self.events.push(Event::PortChanged(dev));
    }

    /// `br_become_root_bridge`, where this bridge has just become the root.
    fn become_root_if(&mut self, was_not: bool, clock: Clock) {
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
    fn generate_configurations(&mut self, clock: Clock) {
        for dev in self.port_devs() {
            let speaks =
                self.port(dev).is_some_and(|port| port.state != State::Disabled && self.is_designated(port));
            if speaks {
                self.transmit_configuration(dev, clock);
            }
        }
    }

    /// Transmit configuration BPDU (8.6.1).
    fn transmit_configuration(&mut self, dev: DevId, clock: Clock) {
        let age = match self.numbered(self.tree.root_port) {
            Some(root) if !self.is_root() => clock.now.since(root.branch.since) + AGE_INCREMENT,
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
            port.branch.hold = Some(Alarm::at(on_the_second(clock.now, HOLD_TIME)));
            self.events.push(Event::Bpdu(dev, Bpdu::Configuration(configuration)));
        }
    }

    /// Transmit topology change notification BPDU (8.6.6).
    fn transmit_notification(&mut self) {
        if let Some(root) = self.numbered(self.tree.root_port).map(|port| port.dev)
            && self.stp
        {
            self.events.push(Event::Bpdu(root, Bpdu::TopologyChange));
        }
    }

    /// Topology change detection (8.6.14).
    fn detect_topology_change(&mut self, clock: Clock) {
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
    fn set_topology_change(&mut self, on: bool) {
        if self.stp && self.tree.topology_change != on {
            self.ageing = if on { 2 * self.tree.forward_delay } else { self.bridge_ageing };
        }
        self.tree.topology_change = on;
    }

    // Received BPDUs (8.7.1, 8.7.2).

    /// `br_stp_rcv`: a BPDU to `destination` that a port has received.
    pub fn receive_bpdu(&mut self, dev: DevId, destination: Mac, payload: &[u8], clock: Clock) {
        let Some(port) = self.port(dev) else { return };
        if !self.stp || !clock.up || port.state == State::Disabled || destination != self.group_addr {
            return;
        }
        let Some(bpdu) = Bpdu::parse(payload) else { return };
        if port.has(PortFlags::BPDU_GUARD) {
            return self.disable_port(dev, clock);
        }
        match bpdu {
            Bpdu::Configuration(configuration) if configuration.message_age > configuration.max_age => {}
            Bpdu::Configuration(configuration) => self.receive_configuration(dev, &configuration, clock),
            Bpdu::TopologyChange if self.is_designated(port) => {
                self.detect_topology_change(clock);
                if let Some(port) = self.port_mut(dev) {
                    port.topology_change_ack = true;
                }
                self.transmit_configuration(dev, clock);
            }
            Bpdu::TopologyChange => {}
        }
    }

    fn receive_configuration(&mut self, dev: DevId, message: &Configuration, clock: Clock) {
        let Some(port) = self.port(dev) else { return };
        let was_root = self.is_root();
        if !self.supersedes(port, message) {
            if self.is_designated(port) {
                self.transmit_configuration(dev, clock);
            }
            return;
        }
        let age = from_units(message.message_age);
        if let Some(port) = self.port_mut(dev) {
            let branch = &mut port.branch;
            branch.root = message.root;
            branch.cost = message.root_path_cost;
            branch.bridge = message.bridge;
            branch.port = message.port;
            branch.since = clock.now - age;
            branch.message_age =
                Some(Alarm::after(clock.now, from_units(message.max_age).saturating_sub(age)));
        }
        self.update(clock);
        self.select_states(clock);
        if !self.is_root() && was_root {
            self.tree.hello = None;
            if self.tree.detected {
                self.tree.change = None;
                self.transmit_notification();
                self.tree.notification = Some(Alarm::after(clock.now, self.hello_time));
            }
        }
        if self.port(dev).is_some_and(|port| port.number == self.tree.root_port) {
            self.tree.max_age = from_units(message.max_age);
            self.tree.hello_time = from_units(message.hello_time);
            self.tree.forward_delay = from_units(message.forward_delay);
            self.set_topology_change(message.topology_change);
            self.generate_configurations(clock);
            if message.acknowledgement {
                self.tree.detected = false;
                self.tree.notification = None;
            }
        }
    }

    /// Whether a message is better than, or renews, what a port knows (8.6.2.2).
    fn supersedes(&self, port: &BridgePort, message: &Configuration) -> bool {
        let branch = &port.branch;
        let known = (branch.root, branch.cost, branch.bridge);
        match (message.root, message.root_path_cost, message.bridge).cmp(&known) {
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Greater => false,
            std::cmp::Ordering::Equal => message.bridge != self.tree.id || message.port <= branch.port,
        }
    }

    // Timers (8.7.3 to 8.7.8).

    /// When the earliest timer goes off.
    pub fn next_timer(&self) -> Option<Time> {
        let tree = [self.tree.hello, self.tree.notification, self.tree.change];
        let ports = self
            .ports
            .iter()
            .flat_map(|port| [port.branch.message_age, port.branch.forward_delay, port.branch.hold]);
        let tree = tree.into_iter().chain(ports).flatten().map(|alarm| alarm.fires);
        tree.chain(self.next_snooping_timer()).min()
    }

    /// Performs every timer that is due.
    pub fn expire_timers(&mut self, clock: Clock) {
        let due = |timer: &mut Option<Alarm>| timer.take_if(|alarm| alarm.fires <= clock.now).is_some();
        if due(&mut self.tree.hello) && clock.up {
            self.generate_configurations(clock);
            if self.stp {
                self.tree.hello = Some(Alarm::at(on_the_second(clock.now, self.tree.hello_time)));
            }
        }
        if due(&mut self.tree.notification) && clock.up && !self.is_root() {
            self.transmit_notification();
            self.tree.notification = Some(Alarm::after(clock.now, self.hello_time));
        }
        if due(&mut self.tree.change) {
            self.tree.detected = false;
            self.set_topology_change(false);
        }
        for dev in self.port_devs() {
            let mut timer = |of: fn(&mut Branch) -> &mut Option<Alarm>| {
                self.port_mut(dev).is_some_and(|port| due(of(&mut port.branch)))
            };
            let expired = [
                timer(|branch| &mut branch.message_age),
                timer(|branch| &mut branch.forward_delay),
                timer(|branch| &mut branch.hold),
            ];
            if expired[0] {
                self.message_age_expired(dev, clock);
            }
            if expired[1] {
                self.forward_delay_expired(dev, clock);
            }
            if expired[2] && self.port(dev).is_some_and(|port| port.config_pending) {
                self.transmit_configuration(dev, clock);
            }
        }
        self.expire_snooping_timers(clock);
    }

    fn message_age_expired(&mut self, dev: DevId, clock: Clock) {
        if self.port(dev).is_none_or(|port| port.state == State::Disabled) {
            return;
        }
        let was_root = self.is_root();
        self.designate(dev);
        self.update(clock);
        self.select_states(clock);
        self.become_root_if(!was_root, clock);
    }

    fn forward_delay_expired(&mut self, dev: DevId, clock: Clock) {
        let delay = self.tree.forward_delay;
        match self.port(dev).map(|port| port.state) {
            Some(State::Listening) => {
                if let Some(port) = self.port_mut(dev) {
                    port.state = State::Learning;
                    port.branch.forward_delay = Some(Alarm::after(clock.now, delay));
                }
            }
            Some(State::Learning) => {
                self.set_state(dev, State::Forwarding);
                let own = self.tree.id;
                if self.ports.iter().any(|port| port.state != State::Disabled && port.branch.bridge == own) {
                    self.detect_topology_change(clock);
                }
                self.events.push(Event::Carrier(true));
            }
            _ => {}
        }
        self.events.push(Event::PortChanged(dev));
    }
}

/// `br_set_ticks`
fn to_units(time: Duration) -> u16 {
    let jiffies = time.as_millis() as u64 / JIFFY_MS;
    u16::try_from(jiffies * BPDU_UNITS_A_SECOND / JIFFIES_A_SECOND).unwrap_or(u16::MAX)
}

/// `br_get_ticks`
fn from_units(units: u16) -> Duration {
    let jiffies = (u64::from(units) * JIFFIES_A_SECOND).div_ceil(BPDU_UNITS_A_SECOND);
    Duration::from_millis(jiffies * JIFFY_MS)
}

/// `round_jiffies`: a time after `after`, moved to a whole second of the clock, so that timers go off together.
fn on_the_second(now: Time, after: Duration) -> Time {
    const SECOND: u64 = 1_000_000_000;
    let at = now + after;
    let rest = at.nanos() % SECOND;
    let moved = if rest < SECOND / 4 { at.nanos() - rest } else { at.nanos() - rest + SECOND };
    if moved <= now.nanos() { at } else { Time(moved) }
}

#[cfg(test)]
#[path = "stp_tests.rs"]
mod tests;
