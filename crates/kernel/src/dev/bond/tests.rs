//! Decisions of bonds, one rule a test.

use slotmap::SlotMap;

use super::*;
use crate::frame::Pool;

struct Fixture {
    bond: Bond,
    own: Own,
    slaves: Vec<DevId>,
}

fn mac(last: u8) -> Mac {
    Mac([2, 0, 0, 0, 0, last])
}

/// A bond that is up, with `n` slaves that work.
fn fixture(mode: Mode, n: u8) -> Fixture {
    let mut ids = SlotMap::<DevId, ()>::with_key();
    let own =
        Own { dev: ids.insert(()), mac: mac(1), bridged: false, sender_bridged: false, now: Time::ZERO };
    let mut bond = Bond { up: true, ..Bond::default() };
    bond.params.mode = mode;
    let slaves: Vec<DevId> = (1..=n)
        .map(|last| {
            let mut slave = Slave::new(ids.insert(()));
            (slave.link, slave.running, slave.mac) = (Link::Up, true, mac(last));
            (slave.speed, slave.full_duplex) = (Some(10_000), Some(true));
            bond.slaves.push(slave);
            bond.slaves[usize::from(last) - 1].dev
        })
        .collect();
    if mode.uses_primary() {
        for dev in &slaves[1..] {
            bond.deactivate(*dev);
        }
    }
    bond.active = slaves.first().copied();
    bond.find_usable();
    Fixture { bond, own, slaves }
}

fn frame(destination: Mac, kind: u16, payload: &[u8]) -> Frame {
    let mut frame = Pool::default().frame(14 + payload.len());
    frame.set_header(destination, mac(1), kind);
    frame.payload_mut().copy_from_slice(payload);
    frame
}

impl Fixture {
    fn send(&mut self, frame: &mut Frame) -> Verdicts {
        let mut out = Verdicts::new();
        self.bond.transmit(self.own, 0, frame, &mut out);
        out
    }

    /// Indices of the slaves that a frame leaves by.
    fn sent_by(&mut self, frame: &mut Frame) -> Vec<usize> {
        let verdicts = self.send(frame);
        let index = |verdict: &Verdict| match verdict {
            Verdict::Transmit { dev } => self.slaves.iter().position(|slave| slave == dev),
            _ => None,
        };
        verdicts.iter().filter_map(index).collect()
    }

    fn receive(&mut self, slave: usize, destination: Mac, packet_type: PacketType) -> Verdicts {
        let mut out = Verdicts::new();
        let mut frame = frame(destination, 0x88b5, &[0; 46]);
        frame.packet_type = packet_type;
        self.bond.receive(self.own, self.slaves[slave], &mut frame, &mut out);
        out
    }

    fn up(&self, packet_type: PacketType) -> Verdicts {
        vec![Verdict::Receive { dev: self.own.dev, packet_type }]
    }
}

#[test]
fn round_robin_takes_turns_and_skips_what_does_not_work() {
    let mut fixture = fixture(Mode::RoundRobin, 3);
    let mut plain = frame(mac(9), 0x88b5, &[0; 46]);
    let sent: Vec<_> = (0..4).flat_map(|_| fixture.sent_by(&mut plain)).collect();
    assert_eq!(sent, [1, 2, 0, 1]);
    fixture.bond.slaves[2].running = false;
    let sent: Vec<_> = (0..3).flat_map(|_| fixture.sent_by(&mut plain)).collect();
    assert_eq!(sent, [0, 0, 1]);
    // Reports of groups always go by the active slave.
    let mut igmp = frame(mac(9), ethertype::IPV4, &[0x46, 0, 0, 0, 0, 0, 0, 0, 1, 2]);
    assert_eq!(fixture.sent_by(&mut igmp), [0]);
    fixture.bond.params.packets_per_slave = 2;
    let sent: Vec<_> = (0..4).flat_map(|_| fixture.sent_by(&mut plain)).collect();
    assert_eq!(sent, [1, 1, 0, 0]);
}

#[test]
fn active_backup_sends_by_the_active_slave_only() {
    let mut fixture = fixture(Mode::ActiveBackup, 2);
    let mut plain = frame(mac(9), 0x88b5, &[0; 46]);
    assert_eq!(fixture.sent_by(&mut plain), [0]);
    fixture.bond.active = None;
    assert_eq!(fixture.send(&mut plain), [Verdict::Drop(DropReason::NoTransmitTarget)]);
}

#[test]
fn broadcast_sends_by_every_slave_that_works() {
    let mut fixture = fixture(Mode::Broadcast, 3);
    let mut plain = frame(mac(9), 0x88b5, &[0; 46]);
    assert_eq!(fixture.sent_by(&mut plain), [0, 1, 2]);
    fixture.bond.slaves[1].link = Link::Down;
    assert_eq!(fixture.sent_by(&mut plain), [0, 2]);
}

#[test]
fn hashes_choose_among_the_slaves_that_work() {
    let mut fixture = fixture(Mode::Xor, 2);
    assert_eq!(fixture.sent_by(&mut frame(mac(0x98), 0x88b5, &[0; 46])), [0]);
    assert_eq!(fixture.sent_by(&mut frame(mac(0x99), 0x88b5, &[0; 46])), [1]);
    fixture.bond.slaves[0].running = false;
    fixture.bond.find_usable();
    assert_eq!(fixture.sent_by(&mut frame(mac(0x98), 0x88b5, &[0; 46])), [1]);
}

#[test]
fn a_backup_slave_hears_for_itself_only() {
    let mut fixture = fixture(Mode::ActiveBackup, 2);
    assert_eq!(fixture.receive(0, mac(1), PacketType::Host), fixture.up(PacketType::Host));
    assert_eq!(fixture.receive(1, mac(1), PacketType::Host), [Verdict::Exact]);
    assert_eq!(fixture.receive(1, Mac::BROADCAST, PacketType::Broadcast), [Verdict::Exact]);
    let lldp = Mac([1, 0x80, 0xc2, 0, 0, 0x0e]);
    assert_eq!(fixture.receive(1, lldp, PacketType::Multicast), [Verdict::Local]);
    let mut fixture = self::fixture(Mode::Alb, 2);
    assert_eq!(fixture.receive(1, mac(2), PacketType::Host), fixture.up(PacketType::Host));
    assert_eq!(fixture.receive(1, Mac::BROADCAST, PacketType::Broadcast), [Verdict::Exact]);
}

#[test]
fn the_best_slave_is_the_primary_or_the_one_that_works() {
    let mut fixture = fixture(Mode::ActiveBackup, 3);
    let [first, second, third] = fixture.slaves[..] else { return };
    assert_eq!(fixture.bond.best(), Some(first));
    fixture.bond.slaves[0].link = Link::Down;
    assert_eq!(fixture.bond.best(), Some(second));
    fixture.bond.active = Some(second);
    fixture.bond.slaves[0].link = Link::Up;
    fixture.bond.primary = Some(third);
    assert_eq!(fixture.bond.best(), Some(third));
    fixture.bond.params.primary_reselect = 2;
    assert_eq!(fixture.bond.best(), Some(second));
    fixture.bond.params.primary_reselect = options::RESELECT_BETTER;
    assert_eq!(fixture.bond.best(), Some(second));
    fixture.bond.slaves[2].speed = Some(20_000);
    assert_eq!(fixture.bond.best(), Some(third));
}

#[test]
fn delays_hold_back_losses_and_returns() {
    let mut fixture = fixture(Mode::ActiveBackup, 2);
    (fixture.bond.params.downdelay, fixture.bond.params.updelay) = (2, 1);
    let look = |fixture: &mut Fixture, running: bool| {
        fixture.bond.slaves[1].running = running;
        fixture.bond.inspect_carriers(Time::ZERO);
        let slave = &mut fixture.bond.slaves[1];
        slave.link = slave.new_link.take().unwrap_or(slave.link);
        slave.link
    };
    let seen: Vec<Link> = [false, false, false, true, true, true].map(|up| look(&mut fixture, up)).to_vec();
    assert_eq!(seen, [Link::Fail, Link::Fail, Link::Down, Link::Back, Link::Up, Link::Up]);
    assert_eq!([false, true].map(|up| look(&mut fixture, up)), [Link::Fail, Link::Up]);
    // Without an active slave a link that is back counts at once.
    fixture.bond.active = None;
    fixture.bond.slaves[1].link = Link::Down;
    assert_eq!(look(&mut fixture, true), Link::Up);
}

#[test]
fn balancing_spreads_flows_and_keeps_them() {
    let mut fixture = fixture(Mode::Tlb, 2);
    for slave in &mut fixture.bond.slaves {
        slave.backup = false;
    }
    fixture.bond.alb = Some(Box::new(alb::Alb::new(false)));
    let mut plain = frame(mac(9), 0x88b5, &[0; 46]);
    assert_eq!(fixture.sent_by(&mut plain), [0], "what is no IP packet goes by the active slave");
    let mut packet = [0; 46];
    packet[0] = 0x45;
    let mut ip = frame(mac(9), ethertype::IPV4, &packet);
    let first = fixture.sent_by(&mut ip);
    assert_eq!(fixture.sent_by(&mut ip), first);
    let mut group = frame(Mac::BROADCAST, ethertype::IPV4, &packet);
    assert_eq!(fixture.sent_by(&mut group), [0]);
}

#[test]
fn two_ports_with_one_partner_go_together() {
    let mut ends = [fixture(Mode::Lacp, 2), fixture(Mode::Lacp, 2)];
    for (at, end) in ends.iter_mut().enumerate() {
        end.bond.ad_initialize(mac(0xa0 + at as u8));
        for (number, dev) in end.slaves.clone().into_iter().enumerate() {
            end.bond.ad_bind(dev, number as u16 + 1);
        }
        end.bond.ad_select_soon();
    }
    for _ in 0..60 {
        for at in 0..2 {
            let mut units = lacp::Units::new();
            ends[at].bond.ad_tick(|_| true, &mut units);
            for (dev, pdu) in units {
                let index = ends[at].slaves.iter().position(|slave| *slave == dev).unwrap_or(0);
                let to = ends[1 - at].slaves[index];
                ends[1 - at].bond.ad_receive(to, &pdu);
            }
        }
    }
    for (at, end) in ends.iter_mut().enumerate() {
        let info = end.bond.ad_info();
        let found = info.map(|info| (info.ports, info.partner_system));
        assert_eq!(found, Some((2, mac(0xa1 - at as u8))), "end {at}");
        let states: Vec<u8> = end.bond.slaves.iter().map(|slave| slave.ad.port.state).collect();
        assert_eq!(states, [0x3d, 0x3d]);
        assert!(end.bond.slaves.iter().all(Slave::is_active));
    }
}

#[test]
fn without_a_partner_one_port_carries_the_traffic() {
    let mut end = fixture(Mode::Lacp, 2);
    end.bond.ad_initialize(mac(1));
    for (number, dev) in end.slaves.clone().into_iter().enumerate() {
        end.bond.ad_bind(dev, number as u16 + 1);
    }
    end.bond.ad_select_soon();
    let mut units = lacp::Units::new();
    for _ in 0..4 {
        end.bond.ad_tick(|_| true, &mut units);
    }
    end.bond.find_usable();
    assert_eq!(end.bond.usable, Some(vec![end.slaves[0]]));
    assert!(end.bond.has_carrier());
    // Seen on a real Linux 6.1 at this time: active, aggregating, defaulted, expired.
    assert_eq!(end.bond.slaves[1].ad.port.state, 197);
    assert_eq!(end.bond.slaves[1].ad.port.partner.state, 2);
    assert_eq!(units.len(), 2);
}
