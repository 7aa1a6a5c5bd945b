//! Bridges in loops, and the rules of ports one by one.

use slotmap::SlotMap;

use super::clock::{age_increment, from_units, on_the_second, to_units};
use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// Bridges whose ports are joined by wires that carry BPDUs without delay.
struct Loop {
    bridges: Vec<Bridge>,
    /// Port of a bridge to port of another.
    wires: Vec<((usize, DevId), (usize, DevId))>,
    now: Time,
}

impl Loop {
    /// `n` bridges, all of whose ports are listed as pairs of bridges.
    fn new(n: u8, pairs: &[(usize, usize)]) -> Self {
        let mut ids = SlotMap::<DevId, ()>::with_key();
        let mut net = Loop { bridges: Vec::new(), wires: Vec::new(), now: Time::ZERO };
        for i in 0..n {
            let mut bridge = Bridge::new(Time::ZERO);
            bridge.set_tree_mac(Mac([2, 0, 0, 0, 0, i]), net.clock());
            bridge.set_stp(true, net.clock());
            bridge.start(net.clock());
            net.bridges.push(bridge);
        }
        for (a, b) in pairs {
            let ends = [*a, *b].map(|bridge| {
                let dev = ids.insert(());
                let number = net.bridges[bridge].ports.len() as u16 + 1;
                net.bridges[bridge].ports.insert(0, BridgePort::new(dev, number, Mac([2, 0, 0, 0, 1, 0]), 2));
                net.bridges[bridge].adopt_port(dev);
                (bridge, dev)
            });
            net.wires.push((ends[0], ends[1]));
        }
        for (bridge, dev) in net.ends() {
            let clock = net.clock();
            net.bridges[bridge].enable_port(dev, clock);
        }
        net.settle();
        net
    }

    fn clock(&self) -> Clock {
        Clock { now: self.now, up: true }
    }

    fn ends(&self) -> Vec<(usize, DevId)> {
        self.wires.iter().flat_map(|(a, b)| [*a, *b]).collect()
    }

    fn peer(&self, end: (usize, DevId)) -> Option<(usize, DevId)> {
        self.wires.iter().find_map(|(a, b)| match end {
            end if end == *a => Some(*b),
            end if end == *b => Some(*a),
            _ => None,
        })
    }

    /// Carries BPDUs until there are none.
    fn settle(&mut self) {
        let clock = self.clock();
        while let Some(from) = (0..self.bridges.len()).find(|i| !self.bridges[*i].events.is_empty()) {
            let group = self.bridges[from].group_addr;
            for event in std::mem::take(&mut self.bridges[from].events) {
                if let Event::Bpdu(dev, bpdu) = event
                    && let Some((to, port)) = self.peer((from, dev))
                {
                    let mut bytes = [0; 38];
                    assert!(bpdu.emit(&mut bytes));
                    self.bridges[to].receive_bpdu(port, group, &bytes, clock);
                }
            }
        }
    }

    fn run(&mut self, seconds: u64) {
        let end = self.now + seconds as u32 * SECOND;
        while let Some(at) = self.bridges.iter().filter_map(Bridge::next_timer).min().filter(|at| *at <= end)
        {
            self.now = self.now.max(at);
            let clock = self.clock();
            for bridge in &mut self.bridges {
                bridge.expire_timers(clock);
            }
            self.settle();
        }
        self.now = end;
    }

    fn states(&self) -> Vec<State> {
        let state = |(bridge, dev): (usize, DevId)| {
            self.bridges[bridge].port(dev).map_or(State::Disabled, |port| port.state)
        };
        self.ends().into_iter().map(state).collect()
    }
}

use State::{Blocking, Forwarding, Learning, Listening};

#[test]
fn two_wires_between_two_bridges_leave_one_blocked() {
    let mut net = Loop::new(2, &[(0, 1), (0, 1)]);
    net.run(5);
    assert_eq!(net.states(), [Listening, Listening, Listening, Blocking]);
    net.run(15);
    assert_eq!(net.states(), [Learning, Learning, Learning, Blocking]);
    net.run(15);
    assert_eq!(net.states(), [Forwarding, Forwarding, Forwarding, Blocking]);
    assert!(net.bridges[0].is_root() && !net.bridges[1].is_root());
    assert_eq!((net.bridges[1].tree.root_port, net.bridges[1].tree.root_path_cost), (1, 2));
    // The topology changed when ports began to forward: addresses age fast for a while.
    assert!(net.bridges[0].tree.topology_change);
    assert_eq!(net.bridges[1].ageing, 30 * SECOND);
    net.run(60);
    assert!(!net.bridges[0].tree.topology_change && !net.bridges[1].tree.topology_change);
    assert_eq!(net.bridges[1].ageing, 300 * SECOND);
}

#[test]
fn a_triangle_blocks_the_port_farthest_from_the_root() {
    let mut net = Loop::new(3, &[(0, 1), (1, 2), (2, 0)]);
    net.run(40);
    assert_eq!(net.states(), [Forwarding, Forwarding, Forwarding, Blocking, Forwarding, Forwarding]);
}

#[test]
fn a_better_priority_takes_the_root_over() {
    let mut net = Loop::new(2, &[(0, 1), (0, 1)]);
    net.run(40);
    let clock = net.clock();
    net.bridges[1].set_priority(4096, clock);
    net.settle();
    net.run(40);
    assert!(net.bridges[1].is_root() && !net.bridges[0].is_root());
    assert_eq!(net.states(), [Forwarding, Forwarding, Blocking, Forwarding]);
}

#[test]
fn a_silent_neighbour_is_forgotten_after_the_greatest_age() {
    let mut net = Loop::new(2, &[(0, 1), (0, 1)]);
    net.run(40);
    // The first wire breaks without anybody's noticing.
    net.wires.remove(0);
    net.run(15);
    assert_eq!(net.states(), [Forwarding, Blocking]);
    net.run(7);
    assert_eq!(net.states(), [Forwarding, Listening]);
    net.run(31);
    assert_eq!(net.states(), [Forwarding, Forwarding]);
}

#[test]
fn guards_of_ports() {
    let mut net = Loop::new(2, &[(0, 1), (0, 1)]);
    net.run(40);
    let dev = net.wires[0].1.1;
    net.bridges[1].port_mut(dev).expect("a port").flags |= PortFlags::BPDU_GUARD;
    net.run(3);
    assert_eq!(net.states()[1], State::Disabled);

    let mut net = Loop::new(2, &[(0, 1)]);
    net.run(40);
    let dev = net.wires[0].1.1;
    net.bridges[1].port_mut(dev).expect("a port").flags |= PortFlags::ROOT_BLOCK;
    net.run(3);
    assert!(net.bridges[1].is_root());
    assert_eq!(net.states()[1], Listening);
}

#[test]
fn without_the_protocol_ports_forward_at_once_and_nothing_is_sent() {
    let mut bridge = Bridge::new(Time::ZERO);
    let mut ids = SlotMap::<DevId, ()>::with_key();
    let dev = ids.insert(());
    let clock = Clock { now: Time::ZERO, up: true };
    bridge.start(clock);
    bridge.ports.push(BridgePort::new(dev, 1, Mac([2, 0, 0, 0, 0, 1]), 2));
    bridge.adopt_port(dev);
    bridge.enable_port(dev, clock);
    assert_eq!(bridge.port(dev).map(|port| port.state), Some(Forwarding));
    bridge.expire_timers(Clock { now: Time::ZERO + 20 * SECOND, up: true });
    assert!(!bridge.events.iter().any(|event| matches!(event, Event::Bpdu(..))));
    assert!(bridge.events.contains(&Event::Carrier(true)));
}

#[test]
fn times_in_bpdus_are_rounded_as_the_kernel_rounds_them() {
    assert_eq!((to_units(20 * SECOND), from_units(5120)), (5120, 20 * SECOND));
    assert_eq!((to_units(age_increment()), from_units(1)), (1, age_increment()));
    let second = |nanos: u64| on_the_second(Time(nanos), SECOND).nanos();
    assert_eq!(
        (second(0), second(100_000_000), second(500_000_000)),
        (1_000_000_000, 1_000_000_000, 2_000_000_000)
    );
}

/// The wheel lets a timer of a second go off at its next step of eight ticks, a whole second or not.
#[test]
fn hello_goes_off_when_the_wheel_comes_to_it() {
    let alarm = Alarm::at(Time::ZERO, on_the_second(Time::ZERO, SECOND));
    assert_eq!((alarm.expires, alarm.fires), (Time(1_000_000_000), Time(1_024_000_000)));
}
