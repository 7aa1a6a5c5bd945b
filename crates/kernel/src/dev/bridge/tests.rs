//! Forwarding decisions, one rule a test.

use hairpin_wire::vlan::TPID_8021AD;
use slotmap::SlotMap;

use super::vlan::Membership;
use super::*;
use crate::frame::{Pool, ethertype};
use crate::neigh::arp::{Arp, REQUEST};
use std::net::Ipv4Addr;

struct Fixture {
    bridge: Bridge,
    own: Own,
    ports: Vec<DevId>,
}

fn frame(destination: Mac, source: Mac) -> Frame {
    let mut frame = Pool::default().frame(60);
    frame.set_header(destination, source, 0x9000);
    frame
}

fn mac(last: u8) -> Mac {
    Mac([2, 0, 0, 0, 0, last])
}

/// A bridge with `n` forwarding ports, added in the order of `ports`.
fn fixture(n: u8) -> Fixture {
    let mut ids = SlotMap::<DevId, ()>::with_key();
    let own =
        Own { dev: ids.insert(()), mac: mac(0xb0), promiscuous: false, up: true, known: Known::default() };
    let mut bridge = Bridge::new(Time::ZERO);
    bridge.fdb.add_local(own.mac, 0, None, Time::ZERO);
    bridge.add_own_vlan(1, Membership::DEFAULT, own.mac, Time::ZERO);
    let ports = (1..=n)
        .map(|i| {
            let dev = ids.insert(());
            let mut port = BridgePort::new(dev, u16::from(i), mac(0xf0 + i), 2);
            port.state = State::Forwarding;
            bridge.fdb.add_local(port.mac, 0, Some(dev), Time::ZERO);
            bridge.ports.insert(0, port);
            bridge.add_port_vlan(dev, 1, Membership::DEFAULT, Time::ZERO);
            dev
        })
        .collect();
    Fixture { bridge, own, ports }
}

impl Fixture {
    fn receive(&mut self, port: usize, destination: Mac, source: Mac) -> Verdicts {
        self.receive_tagged(port, destination, source, None).0
    }

    /// What becomes of a frame, and the tag by which the bridge then knows it.
    fn receive_tagged(
        &mut self,
        port: usize,
        destination: Mac,
        source: Mac,
        tag: Option<Tag>,
    ) -> (Verdicts, Option<Tag>) {
        let mut out = Vec::new();
        let mut frame = frame(destination, source);
        frame.tag = tag;
        frame.packet_type = PacketType::OtherHost;
        self.bridge.receive(self.own, self.ports[port], &mut frame, Time::ZERO, &mut out);
        (out, frame.tag)
    }

    fn transmit(&mut self, destination: Mac) -> Verdicts {
        let mut out = Vec::new();
        let source = self.own.mac;
        let known = self.own.known;
        self.bridge.transmit(&mut frame(destination, source), known, Time::ZERO, &mut out);
        out
    }

    fn set(&mut self, port: usize, flag: PortFlags, on: bool) {
        let dev = self.ports[port];
        if let Some(port) = self.bridge.port_mut(dev) {
            port.flags.set(flag, on);
        }
    }

    fn to(&self, port: usize) -> Verdict {
        Verdict::Forward { dev: self.ports[port], untag: false, network: 0 }
    }

    fn up_multicast(&self) -> Verdict {
        Verdict::PassUp {
            bridge: self.own.dev,
            packet_type: PacketType::OtherHost,
            egress: Egress::Tagged,
            multicast: true,
        }
    }

    fn up(&self, packet_type: PacketType) -> Verdict {
        Verdict::PassUp { bridge: self.own.dev, packet_type, egress: Egress::Tagged, multicast: false }
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
    assert_eq!(f.receive(0, reserved(0), mac(1)), [f.to(1), f.up_multicast()]);
    assert_eq!(f.receive(0, reserved(1), mac(1)), [Verdict::Drop(DropReason::MacControl)]);
    assert_eq!(f.receive(0, reserved(0xe), mac(1)), [Verdict::Local]);
    assert_eq!(f.receive(0, reserved(0x10), mac(1)), [f.to(1), f.up_multicast()]);
    f.bridge.group_fwd_mask = 1 << 0xe;
    assert_eq!(f.receive(0, reserved(0xe), mac(1)), [f.to(1), f.up_multicast()]);
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
    assert_eq!(f.transmit(Mac::BROADCAST), [f.to(1), f.to(0)]);
    assert_eq!(f.transmit(mac(9)), [f.to(0)]);
    // A port's address is no exception.
    assert_eq!(f.transmit(mac(0xf2)), [f.to(1)]);
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

const TAGGED: Membership = Membership { pvid: false, untagged: false };

fn tag(vid: u16) -> Option<Tag> {
    Some(Tag { tpid: TPID_8021Q, tci: vid })
}

/// Port 0: VLAN 1 untagged, 10 tagged. Port 1: VLAN 10 untagged and pvid. Port 2: VLAN 1 untagged. Bridge: VLAN 1.
fn filtering() -> Fixture {
    let mut f = fixture(3);
    f.bridge.vlan_filtering = true;
    f.bridge.add_port_vlan(f.ports[0], 10, TAGGED, Time::ZERO);
    f.bridge.add_port_vlan(f.ports[1], 10, Membership::DEFAULT, Time::ZERO);
    f.bridge.delete_port_vlan(f.ports[1], 1, f.own.mac);
    f
}

#[test]
fn a_frame_stays_in_its_vlan_and_changes_its_tag_at_the_ports() {
    let mut f = filtering();
    let untagged =
        |f: &Fixture, port: usize| Verdict::Forward { dev: f.ports[port], untag: true, network: 0 };
    let (out, known) = f.receive_tagged(0, Mac::BROADCAST, mac(1), None);
    let up = |egress| Verdict::PassUp {
        bridge: f.own.dev,
        packet_type: PacketType::OtherHost,
        egress,
        multicast: false,
    };
    assert_eq!((out, known), (vec![untagged(&f, 2), up(Egress::Untagged)], tag(1)));
    // Of VLAN 10 the bridge device is no member.
    let (out, _) = f.receive_tagged(0, Mac::BROADCAST, mac(1), tag(10));
    let refused = Verdict::PassUp {
        bridge: f.own.dev,
        packet_type: PacketType::OtherHost,
        egress: Egress::Refused,
        multicast: false,
    };
    assert_eq!(out, [untagged(&f, 1), refused]);
    let (out, known) = f.receive_tagged(1, mac(1), mac(2), None);
    assert_eq!((out, known), (vec![f.to(0)], tag(10)));
    // What was learned in VLAN 10 is unknown in VLAN 1.
    let (out, _) = f.receive_tagged(2, mac(2), mac(3), None);
    assert_eq!(out, [untagged(&f, 0)]);
}

#[test]
fn a_vlan_of_no_member_comes_in_nowhere() {
    let mut f = filtering();
    let refused = vec![Verdict::Drop(DropReason::BridgeVlan)];
    assert_eq!(f.receive_tagged(2, mac(9), mac(3), tag(10)).0, refused);
    assert_eq!(f.receive_tagged(1, mac(9), mac(3), tag(1)).0, refused);
    assert!(f.bridge.fdb.get(mac(3), 10).is_none());
    // A priority tag is in the pvid, and keeps its priority.
    let (_, known) = f.receive_tagged(1, mac(9), mac(3), Some(Tag { tpid: TPID_8021Q, tci: 0xa000 }));
    assert_eq!(known, Some(Tag { tpid: TPID_8021Q, tci: 0xa00a }));
    // Another protocol's tag is payload.
    let (_, known) = f.receive_tagged(1, mac(9), mac(3), Some(Tag { tpid: TPID_8021AD, tci: 5 }));
    assert_eq!(known, tag(10));
    // Without a pvid there is no place for frames without a tag.
    f.bridge.add_port_vlan(f.ports[1], 10, Membership { pvid: false, untagged: true }, Time::ZERO);
    assert_eq!(f.receive_tagged(1, mac(9), mac(3), None).0, refused);
}

#[test]
fn a_bridge_keeps_the_vlans_of_its_ports_but_is_no_member() {
    let mut f = filtering();
    assert!(f.bridge.vlans.find(10).is_some() && f.bridge.vlans.member(10).is_none());
    f.bridge.delete_port_vlan(f.ports[0], 10, f.own.mac);
    assert!(f.bridge.vlans.find(10).is_some());
    f.bridge.flush_port_vlans(f.ports[1]);
    assert!(f.bridge.vlans.find(10).is_none());
}

#[test]
fn another_default_vlan_moves_those_who_have_the_old_one() {
    let mut f = filtering();
    let change = f.bridge.set_default_pvid(20, f.own.mac, Time::ZERO);
    let port = |dev: DevId, f: &Fixture| f.bridge.port(dev).map(|port| port.vlans.pvid);
    assert_eq!(change.joined, [None, Some(f.ports[2]), Some(f.ports[0])]);
    assert_eq!(port(f.ports[0], &f), Some(20));
    // Port 1 has another pvid by hand.
    assert_eq!(port(f.ports[1], &f), Some(10));
    f.bridge.set_default_pvid(0, f.own.mac, Time::ZERO);
    assert_eq!((f.bridge.vlans.pvid, port(f.ports[2], &f)), (0, Some(0)));
}

/// A request for `target` out of the host behind a port.
fn ask(f: &mut Fixture, port: usize, target: Ipv4Addr, known: Known) -> (Verdicts, Vec<Event>) {
    let arp = Arp {
        operation: REQUEST,
        sender_mac: mac(1),
        sender: Ipv4Addr::new(10, 0, 0, 1),
        target_mac: Mac::ZERO,
        target,
    };
    let mut frame = frame(Mac::BROADCAST, mac(1));
    frame.set_header(Mac::BROADCAST, mac(1), ethertype::ARP);
    arp.write(frame.payload_mut());
    frame.packet_type = PacketType::OtherHost;
    let mut out = Vec::new();
    let own = Own { known, ..f.own };
    f.bridge.events.clear();
    f.bridge.receive(own, f.ports[port], &mut frame, Time::ZERO, &mut out);
    let events = std::mem::take(&mut f.bridge.events);
    (out, events.into_iter().filter(|event| matches!(event, Event::Answer(_))).collect())
}

#[test]
fn a_port_may_be_spared_arp_for_neighbours_that_the_bridge_knows() {
    let target = Ipv4Addr::new(10, 0, 0, 2);
    let known = Known { asked: true, own: false, mac: Some(mac(2)) };
    let mut f = fixture(3);
    f.receive(1, Mac::BROADCAST, mac(2));
    f.set(1, PortFlags::NEIGH_SUPPRESS, true);
    let (out, answers) = ask(&mut f, 0, target, known);
    assert_eq!(out, [f.to(2), f.up(PacketType::OtherHost)]);
    let [Event::Answer(answer)] = answers[..] else { panic!("{answers:?}") };
    assert_eq!(
        (answer.port, answer.arp.sender_mac, answer.arp.target),
        (Some(f.ports[0]), mac(2), [10, 0, 0, 1].into())
    );
    // An unknown one is asked for everywhere; one's own address, and gratuitous ARP, are not.
    let unknown = Known { asked: true, ..Known::default() };
    assert_eq!(
        ask(&mut f, 0, target, unknown),
        (vec![f.to(2), f.to(1), f.up(PacketType::OtherHost)], vec![])
    );
    let own = Known { own: true, ..unknown };
    assert_eq!(ask(&mut f, 0, target, own).0, [f.to(2), f.up(PacketType::OtherHost)]);
    let gratuitous = Ipv4Addr::new(10, 0, 0, 1);
    assert_eq!(ask(&mut f, 0, gratuitous, unknown).0, [f.to(2), f.up(PacketType::OtherHost)]);
    // What comes in by a port that is spared is flooded as it is.
    f.set(0, PortFlags::NEIGH_SUPPRESS, true);
    assert_eq!(ask(&mut f, 0, target, known), (vec![f.to(2), f.to(1), f.up(PacketType::OtherHost)], vec![]));
}

#[test]
fn a_proxy_arp_port_is_answered_and_never_flooded() {
    let target = Ipv4Addr::new(10, 0, 0, 2);
    let known = Known { asked: true, own: false, mac: Some(mac(2)) };
    let mut f = fixture(3);
    f.receive(1, Mac::BROADCAST, mac(2));
    f.set(0, PortFlags::PROXY_ARP, true);
    let (out, answers) = ask(&mut f, 0, target, known);
    assert_eq!((out.len(), answers.len()), (3, 1));
    assert_eq!(f.receive(1, mac(9), mac(2)), [f.to(2)]);
}

#[test]
fn a_backup_port_carries_what_is_for_one_without_carrier() {
    let mut f = fixture(3);
    f.receive(1, Mac::BROADCAST, mac(2));
    let (dev, backup) = (f.ports[1], f.ports[2]);
    if let Some(port) = f.bridge.port_mut(dev) {
        port.backup = Some(backup);
        port.carrier = false;
        port.state = State::Disabled;
    }
    assert_eq!(f.receive(0, mac(2), mac(1)), [f.to(2)]);
}
