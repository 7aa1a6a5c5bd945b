//! Timers that go off (8.7.3 to 8.7.8).

use crate::device::DevId;
use crate::time::Time;

use super::super::port::State;
use super::super::{Bridge, Event};
use super::Branch;
use super::clock::{Alarm, Clock, on_the_second};

impl Bridge {
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
                self.tree.hello = Some(Alarm::at(clock.now, on_the_second(clock.now, self.tree.hello_time)));
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
        self.tell_port(dev);
    }
}
