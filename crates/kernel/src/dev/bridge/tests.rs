//! Forwarding decisions, one rule a test.

use slotmap::SlotMap;

use super::*;

struct Fixture {
    bridge: Bridge,
    own: Own,
    ports: Vec<DevId>,
}

fn mac(last: u8) -> Mac {
    Mac([2, 0, 0, 0, 0, last])
}

/// A bridge with `n` forwarding ports, added in the order of `ports`.
fn fixture(n: u8) -> Fixture {
    let mut ids = SlotMap::<DevId, ()>::with_key();
    let own = Own { dev: ids.insert(()), mac: mac(0xb0), promiscuous: false, up: true };
    let mut bridge = Bridge::new(Time::ZERO);
    bridge.fdb.add_local(own.mac, 0, None, Time::ZERO);
    let ports = (1..=n)
        .map(|i| {
            let dev = ids.insert(());
            let mut port = BridgePort::new(dev, u16::from(i), mac(0xf0 + i), 2);
            port.state = State::Forwarding;
            bridge.fdb.add_local(port.mac, 0, Some(dev), Time::ZERO);
            bridge.ports.insert(0, port);
            dev
        })
        .collect();
    Fixture { bridge, own, ports }
}

impl Fixture {
    fn receive(&mut self, port: usize, destination: Mac, source: Mac) -> Verdicts {
        let mut out = Vec::new();
        let header = Header { destination, source, packet_type: PacketType::OtherHost };
        self.bridge.receive(self.own, self.ports[port], header, Time::ZERO, &mut out);
        out
    }

    fn set(&mut self, port: usize, flag: PortFlags, on: bool) {
        let dev = self.ports[port];
        if let Some(port) = self.bridge.port_mut(dev) {
            port.flags.set(flag, on);
        }
    }

    fn to(&self, port: usize) -> Verdict {
        Verdict::Forward { dev: self.ports[port] }
    }

    fn up(&self, packet_type: PacketType) -> Verdict {
        Verdict::Receive { dev: self.own.dev, packet_type }
    }
}

#[test]
fn a_flood_goes_to_the_newest_port_first_and_then_up() {
    let mut f = fixture(3);
    let expected = [f.to(2), f.to(1), f.up(PacketType::OtherHost)];
    assert_eq!(f.receive(0, Mac::BROADCAST, mac(1)), expected);
    let expected = [f.to(2), f.to(1)];
    assert_eq!(f.receive(0, mac(9), mac(1)), expected);
}

#[test]
fn a_learned_address_is_forwarded_to_its_port_only() {
    let mut f = fixture(3);
    f.receive(1, Mac::BROADCAST, mac(2));
    assert_eq!(f.receive(0, mac(2), mac(1)), [f.to(1)]);
    // It moves with its last frame.
    f.receive(2, Mac::BROADCAST, mac(2));
    assert_eq!(f.receive(0, mac(2), mac(1)), [f.to(2)]);
}

#[test]
fn a_frame_leaves_by_its_own_port_only_with_hairpin() {
    let mut f = fixture(2);
    f.receive(0, Mac::BROADCAST, mac(1));
    f.receive(0, Mac::BROADCAST, mac(2));
    assert_eq!(f.receive(0, mac(1), mac(2)), [Verdict::Drop(DropReason::BridgeSamePort)]);
    f.set(0, PortFlags::HAIRPIN, true);
    assert_eq!(f.receive(0, mac(1), mac(2)), [f.to(0)]);
}

#[test]
fn isolated_ports_meet_only_others() {
    let mut f = fixture(3);
    f.set(0, PortFlags::ISOLATED, true);
    f.set(1, PortFlags::ISOLATED, true);
    assert_eq!(f.receive(0, mac(9), mac(1)), [f.to(2)]);
    f.receive(1, mac(9), mac(2));
    assert_eq!(f.receive(0, mac(2), mac(1)), [Verdict::Drop(DropReason::BridgeIsolated)]);
}

#[test]
fn learning_and_flood_flags() {
    let mut f = fixture(3);
    f.set(1, PortFlags::LEARNING, false);
    f.receive(1, Mac::BROADCAST, mac(2));
    assert_eq!(f.receive(0, mac(2), mac(1)), [f.to(2), f.to(1)]);
    f.set(2, PortFlags::FLOOD, false);
    f.set(1, PortFlags::BCAST_FLOOD, false);
    assert_eq!(f.receive(0, mac(2), mac(1)), [f.to(1)]);
    assert_eq!(f.receive(0, Mac::BROADCAST, mac(1)), [f.to(2), f.up(PacketType::OtherHost)]);
}

#[test]
fn own_addresses_are_delivered_up() {
    let mut f = fixture(2);
    assert_eq!(f.receive(0, mac(0xb0), mac(1)), [f.up(PacketType::Host)]);
    // A port's address is the bridge's too, but the packet is still somebody else's for IP.
    assert_eq!(f.receive(0, mac(0xf2), mac(1)), [f.up(PacketType::OtherHost)]);
}

#[test]
fn a_promiscuous_bridge_sees_what_it_forwards() {
    let mut f = fixture(2);
    f.own.promiscuous = true;
    f.receive(1, Mac::BROADCAST, mac(2));
    assert_eq!(f.receive(0, mac(2), mac(1)), [f.to(1), f.up(PacketType::OtherHost)]);
}

#[test]
fn port_states_let_pass_learn_or_drop() {
    let mut f = fixture(2);
    let dev = f.ports[0];
    for (state, learned) in [(State::Blocking, false), (State::Listening, false), (State::Learning, true)] {
        if let Some(port) = f.bridge.port_mut(dev) {
            port.state = state;
        }
        assert_eq!(f.receive(0, mac(9), mac(1)), [Verdict::Drop(DropReason::BridgeIngressState)]);
        assert_eq!(f.bridge.fdb.get(mac(1), 0).is_some(), learned);
    }
}

#[test]
fn reserved_group_addresses() {
    let mut f = fixture(2);
    let reserved = |last| Mac([1, 0x80, 0xc2, 0, 0, last]);
    assert_eq!(f.receive(0, reserved(0), mac(1)), [f.to(1), f.up(PacketType::OtherHost)]);
    assert_eq!(f.receive(0, reserved(1), mac(1)), [Verdict::Drop(DropReason::MacControl)]);
    assert_eq!(f.receive(0, reserved(0xe), mac(1)), [Verdict::Local]);
    assert_eq!(f.receive(0, reserved(0x10), mac(1)), [f.to(1), f.up(PacketType::OtherHost)]);
    f.bridge.group_fwd_mask = 1 << 0xe;
    assert_eq!(f.receive(0, reserved(0xe), mac(1)), [f.to(1), f.up(PacketType::OtherHost)]);
}

#[test]
fn a_bad_source_is_dropped() {
    let mut f = fixture(2);
    for source in [Mac::ZERO, Mac::BROADCAST, Mac([1, 0, 0x5e, 0, 0, 1])] {
        assert_eq!(f.receive(0, mac(9), source), [Verdict::Drop(DropReason::MacInvalidSource)]);
    }
}

#[test]
fn the_bridge_itself_floods_groups_everywhere_but_unknown_unicast_by_flag() {
    let mut f = fixture(2);
    f.set(0, PortFlags::BCAST_FLOOD, false);
    f.set(1, PortFlags::FLOOD, false);
    let mut out = Vec::new();
    f.bridge.transmit(Mac::BROADCAST, Time::ZERO, &mut out);
    assert_eq!(out, [f.to(1), f.to(0)]);
    out.clear();
    f.bridge.transmit(mac(9), Time::ZERO, &mut out);
    assert_eq!(out, [f.to(0)]);
    out.clear();
    f.bridge.transmit(mac(0xf1), Time::ZERO, &mut out);
    assert_eq!(out, [Verdict::Drop(DropReason::BridgeOwnAddress)]);
}

#[test]
fn static_entries_move_but_sticky_and_permanent_ones_do_not() {
    let mut f = fixture(3);
    let entry = |f: &Fixture, port: usize| {
        let mut fdb = f.bridge.fdb.clone();
        fdb.learn(mac(1), 0, f.ports[port], Time::ZERO);
        fdb.get(mac(1), 0).map(|entry| entry.port)
    };
    f.receive(0, Mac::BROADCAST, mac(1));
    if let Some(known) = f.bridge.fdb.get_mut(mac(1), 0) {
        known.fixed = true;
    }
    assert_eq!(entry(&f, 2), Some(Some(f.ports[2])));
    if let Some(known) = f.bridge.fdb.get_mut(mac(1), 0) {
        known.sticky = true;
    }
    assert_eq!(entry(&f, 2), Some(Some(f.ports[0])));
}

#[test]
fn entries_age_from_the_last_frame_seen() {
    let mut f = fixture(2);
    f.receive(0, Mac::BROADCAST, mac(1));
    let ageing = Duration::from_secs(300);
    let (gone, next) = f.bridge.fdb.expire(Time::ZERO + Duration::from_secs(299), ageing);
    assert_eq!((gone.len(), next), (0, Some(Time::ZERO + ageing)));
    let (gone, next) = f.bridge.fdb.expire(Time::ZERO + ageing, ageing);
    assert_eq!((gone.len(), next), (1, None));
}
