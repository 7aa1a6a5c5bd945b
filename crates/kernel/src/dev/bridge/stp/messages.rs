//! BPDUs that are received (8.7.1, 8.7.2).

use hairpin_wire::bpdu::{Bpdu, Configuration};

use crate::device::DevId;
use crate::mac::Mac;

use super::super::Bridge;
use super::super::port::{BridgePort, PortFlags, State};
use super::clock::{Alarm, Clock, from_units};

impl Bridge {
    /// `br_stp_rcv`: a BPDU to `destination` that a port has received.
    pub fn receive_bpdu(&mut self, dev: DevId, destination: Mac, payload: &[u8], clock: Clock) {
        let Some(port) = self.port(dev) else { return };
        if !self.stp || !clock.up || port.state == State::Disabled || destination != self.group_addr {
            return;
        }
        // A guard does not read on.
        if port.has(PortFlags::BPDU_GUARD) && Bpdu::begins(payload) {
            return self.disable_port(dev, clock);
        }
        let Some(bpdu) = Bpdu::parse(payload) else { return };
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
            branch.since = clock.now.last_tick() - age;
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
}
