//! Who gets which group, rule by rule.

use slotmap::SlotMap;

use super::super::port::PortFlags;
use super::super::{Own, Verdict, Verdicts};
use super::*;
use crate::dev::PacketType;
use crate::frame::{ETH_LEN, Pool};
use crate::mac::Mac;

const GROUP: Ipv4Addr = Ipv4Addr::new(239, 1, 1, 1);
const QUERIER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 9);

struct Fixture {
    bridge: Bridge,
    own: DevId,
    ports: Vec<DevId>,
    now: Time,
}

impl Fixture {
    /// A bridge that is up with `n` forwarding ports.
    fn new(n: u16) -> Self {
        let mut ids = SlotMap::<DevId, ()>::with_key();
        let own = ids.insert(());
        let mut fixture =
            Fixture { bridge: Bridge::new(Time::ZERO), own, ports: Vec::new(), now: Time::ZERO };
        let clock = fixture.clock();
        fixture.bridge.start(clock);
        fixture.bridge.start_snooping(clock);
        for number in 1..=n {
            let dev = ids.insert(());
            let port = BridgePort::new(dev, number, Mac([2, 0, 0, 0, 1, number as u8]), 2);
            fixture.bridge.ports.insert(0, port);
            fixture.bridge.adopt_port(dev);
            fixture.bridge.enable_port(dev, clock);
            fixture.ports.push(dev);
        }
        fixture.bridge.events.clear();
        fixture
    }

    fn clock(&self) -> Clock {
        Clock { now: self.now, up: true }
    }

    fn run(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        while let Some(at) = self.bridge.next_timer().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            let clock = self.clock();
            self.bridge.expire_timers(clock);
        }
        self.now = end;
    }

    fn receive(&mut self, port: usize, to: Mac, body: &[u8]) -> Verdicts {
        let mut frame = Pool::default().frame(ETH_LEN + body.len());
        frame.set_header(to, Mac([2, 0, 0, 0, 0, port as u8 + 1]), ethertype::IPV4);
        frame.payload_mut().copy_from_slice(body);
        frame.packet_type = PacketType::Multicast;
        let own = Own {
            dev: self.own,
            mac: Mac([2, 0, 0, 0, 9, 9]),
            promiscuous: false,
            up: true,
            known: Default::default(),
        };
        let mut out = Vec::new();
        self.bridge.receive(own, self.ports[port], &mut frame, self.now, &mut out);
        out
    }

    /// An IPv4 packet to the group, of this protocol, that begins with `kind`.
    fn packet(protocol: u8, kind: u8) -> Vec<u8> {
        let mut bytes = vec![0; hairpin_wire::snoop::QUERY_LEN];
        assert!(hairpin_wire::snoop::write_query(&mut bytes, QUERIER, Some(GROUP), Duration::ZERO));
        bytes[9] = protocol;
        bytes[16..20].copy_from_slice(&GROUP.octets());
        bytes[24] = kind;
        for (from, to, sum) in [(0, 24, 10), (24, 32, 26)] {
            bytes[sum..sum + 2].fill(0);
            let value = crate::ip::checksum(&bytes[from..to]).to_be_bytes();
            bytes[sum..sum + 2].copy_from_slice(&value);
        }
        bytes
    }

    /// A message of IGMPv2.
    fn igmp(&mut self, port: usize, kind: u8) -> Verdicts {
        let bytes = Self::packet(2, kind);
        self.receive(port, Mac::of_ipv4_multicast(GROUP), &bytes)
    }

    fn query(&mut self, port: usize) {
        let mut bytes = [0; hairpin_wire::snoop::QUERY_LEN];
        assert!(hairpin_wire::snoop::write_query(&mut bytes, QUERIER, None, Duration::from_secs(10)));
        self.receive(port, Mac::of_ipv4_multicast(Ipv4Addr::new(224, 0, 0, 1)), &bytes);
    }

    /// The ports that a packet of the group which comes in by `port` leaves by, and whether it goes up.
    fn reach(&mut self, port: usize) -> (Vec<usize>, bool) {
        let bytes = Self::packet(17, 0);
        let verdicts = self.receive(port, Mac::of_ipv4_multicast(GROUP), &bytes);
        let mut ports = Vec::new();
        for verdict in &verdicts {
            if let Verdict::Forward { dev, .. } | Verdict::ForwardTo { dev, .. } = verdict {
                ports.extend(self.ports.iter().position(|port| port == dev));
            }
        }
        ports.sort();
        (ports, verdicts.iter().any(|verdict| matches!(verdict, Verdict::PassUp { .. })))
    }
}

const REPORT: u8 = 0x16;
const LEAVE: u8 = 0x17;

#[test]
fn without_a_querier_every_group_is_flooded() {
    let mut f = Fixture::new(4);
    f.igmp(1, REPORT);
    assert_eq!(f.bridge.mdb.len(), 1);
    assert_eq!(f.reach(0), (vec![1, 2, 3], true));
}

#[test]
fn with_a_querier_groups_go_to_members_and_routers() {
    let mut f = Fixture::new(4);
    f.query(3);
    f.igmp(1, REPORT);
    // Members have had no time to answer yet.
    assert_eq!(f.reach(0), (vec![1, 2, 3], true));
    f.run(11);
    assert_eq!(f.reach(0), (vec![1, 3], false));
    // Nobody's group goes to routers only.
    f.igmp(1, LEAVE);
    f.run(3);
    assert_eq!(f.bridge.mdb.len(), 1, "another querier decides who has left");
    f.run(260);
    assert!(f.bridge.mdb.is_empty());
    // By now the querier is silent, too.
    assert_eq!(f.reach(0), (vec![1, 2, 3], true));
}

#[test]
fn our_own_querier_asks_again_and_lets_members_go() {
    let mut f = Fixture::new(2);
    let clock = f.clock();
    f.bridge.set_querier(true, clock);
    f.run(11);
    let queries = |f: &mut Fixture| {
        let events = std::mem::take(&mut f.bridge.events);
        events.iter().filter(|event| matches!(event, Event::Query(Query { port: Some(_), .. }))).count()
    };
    assert_eq!(queries(&mut f), 2);
    f.run(31);
    assert_eq!(queries(&mut f), 2);
    f.igmp(1, REPORT);
    assert_eq!(f.reach(0), (vec![1], false));
    f.igmp(1, LEAVE);
    assert!(f.bridge.events.iter().any(|event| matches!(event, Event::Query(Query { group: Some(_), .. }))));
    f.run(3);
    assert!(f.bridge.mdb.is_empty());
    assert_eq!(f.reach(0), (vec![], false));
}

/// What is due must be over, or it would be due for ever.
#[test]
fn no_timer_is_left_behind() {
    let mut f = Fixture::new(2);
    let clock = f.clock();
    f.bridge.set_querier(true, clock);
    f.run(11);
    f.igmp(1, REPORT);
    let pass = |f: &mut Fixture, up: bool| {
        f.now += Duration::from_secs(10_000);
        let clock = Clock { up, ..f.clock() };
        // A timer may set another one.
        (0..10).for_each(|_| f.bridge.expire_snooping_timers(clock));
        assert!(f.bridge.next_snooping_timer().is_none_or(|at| at > clock.now));
    };
    for group in f.bridge.mdb.due(Time::END) {
        let entry = f.bridge.mdb.get_mut(&group).expect("an entry");
        entry.members.iter_mut().for_each(|member| member.permanent = true);
    }
    pass(&mut f, true);
    assert!(!f.bridge.mdb.is_empty());
    // Nor while the bridge is down.
    f.igmp(0, REPORT);
    pass(&mut f, false);
    assert!(!f.bridge.mdb.is_empty());
}

#[test]
fn a_port_may_leave_fast_and_lead_to_a_router_for_good() {
    let mut f = Fixture::new(3);
    f.query(2);
    f.run(11);
    f.igmp(1, REPORT);
    f.bridge.port_mut(f.ports[1]).expect("a port").flags |= PortFlags::FAST_LEAVE;
    f.igmp(1, LEAVE);
    assert!(f.bridge.mdb.is_empty());
    let clock = f.clock();
    assert!(f.bridge.set_port_router(f.ports[1], router::PERMANENT, clock));
    assert!(f.bridge.set_port_router(f.ports[2], router::DISABLED, clock));
    assert!(!f.bridge.set_port_router(f.ports[2], 4, clock));
    assert_eq!(f.reach(0), (vec![1], false));
}

#[test]
fn members_may_get_their_group_as_unicast() {
    let mut f = Fixture::new(2);
    f.query(0);
    f.run(11);
    f.bridge.port_mut(f.ports[1]).expect("a port").flags |= PortFlags::MULTICAST_TO_UNICAST;
    f.igmp(1, REPORT);
    let bytes = Fixture::packet(17, 0);
    let out = f.receive(0, Mac::of_ipv4_multicast(GROUP), &bytes);
    let to = Mac([2, 0, 0, 0, 0, 2]);
    assert_eq!(out, [Verdict::ForwardTo { dev: f.ports[1], untag: false, network: 0, to }]);
}

#[test]
fn spoilt_messages_go_nowhere_and_a_full_table_ends_snooping() {
    let mut f = Fixture::new(2);
    assert_eq!(
        f.receive(0, Mac::of_ipv4_multicast(GROUP), &[0x45, 0, 0]),
        [Verdict::Drop(DropReason::BridgeMulticast)]
    );
    f.bridge.snooping.hash_max = 0;
    // The report itself has been looked at, and is lost.
    assert_eq!(f.igmp(0, REPORT), [Verdict::Drop(DropReason::BridgeMulticast)]);
    assert!(!f.bridge.mcast_snooping);
    assert_eq!(f.reach(0).0, [1]);
}
