//! balance-alb's half for what comes in: clients are told different MACs in ARP, so that each sends to another slave
//! (the `rlb_*` of bond_alb.c).

use std::net::Ipv4Addr;

use hairpin_wire::vlan::Tag;

use super::super::{Bond, Own, Slave};
use super::{Action, Alb, SECOND, simple_hash};
use crate::device::DevId;
use crate::frame::Frame;
use crate::mac::Mac;
use crate::neigh::arp::{Arp, REPLY, REQUEST};

/// `RLB_UPDATE_DELAY`, `RLB_PROMISC_TIMEOUT`
const UPDATE_DELAY: u32 = 2 * SECOND;
const PROMISC_TIMEOUT: u32 = 10 * SECOND;
/// `RLB_UPDATE_RETRY`
const UPDATE_RETRY: u32 = 3;
/// `RLB_ARP_BURST_SIZE`
const BURST: usize = 2;

/// A client that was told a MAC (`struct rlb_client_info`).
#[derive(Clone, Copy, Debug)]
pub(super) struct Client {
    source: Ipv4Addr,
    destination: Ipv4Addr,
    source_mac: Mac,
    mac: Mac,
    /// The slave that it is to send to; none where no slave worked when its last one went away.
    slave: Option<DevId>,
    /// It is to be told again.
    tell: bool,
    tag: Option<Tag>,
}

impl Client {
    /// `rlb_update_client`: the answers that tell it the MAC of its slave.
    fn told(&self, mac: Mac) -> impl Iterator<Item = Action> + use<> {
        let arp = Arp {
            operation: REPLY,
            sender_mac: mac,
            sender: self.source,
            target_mac: self.mac,
            target: self.destination,
        };
        let tag = self.tag;
        let dev = self.slave.filter(|_| self.mac.is_valid_source());
        dev.into_iter().flat_map(move |dev| [Action::Tell { dev, arp, tag }; BURST])
    }
}

impl Alb {
    fn client_mut(&mut self, index: u8) -> Option<&mut Client> {
        self.clients.get_mut(usize::from(index))?.as_mut()
    }

    /// Marks clients that are to be told. True if there are any.
    fn mark(&mut self, wanted: impl Fn(&Client) -> bool) -> bool {
        let mut any = false;
        for client in self.clients.iter_mut().flatten() {
            if client.mac.is_valid_source() && wanted(client) {
                client.tell = true;
                any = true;
            }
        }
        self.tell |= any;
        any
    }
}

impl Bond {
    /// `rlb_arp_xmit`: an ARP packet of the bond's own gets the MAC of the slave that the client shall use.
    pub(super) fn rlb_transmit(&mut self, own: Own, frame: &mut Frame) -> Option<DevId> {
        let arp = Arp::parse(frame.payload())?;
        let ours = self.slaves.iter().any(|slave| slave.mac == arp.sender_mac);
        if !ours || own.sender_bridged || self.alb.as_ref().is_none_or(|alb| !alb.receive) {
            return None;
        }
        match arp.operation {
            REPLY => {
                let to = self.choose_client_slave(&arp, frame.tag)?;
                let sender_mac = self.slave(to)?.mac;
                Arp { sender_mac, ..arp }.write(frame.payload_mut());
                Some(to)
            }
            REQUEST => {
                let to = self.choose_client_slave(&arp, frame.tag);
                let slaves = &self.slaves;
                let alb = self.alb.as_mut()?;
                alb.update_delay = UPDATE_DELAY;
                // `rlb_req_update_subnet_clients`: whoever hears the question takes the bond's MAC for all.
                let elsewhere =
                    |dev: DevId| slaves.iter().any(|slave| slave.dev == dev && slave.mac != own.mac);
                alb.mark(|client| client.source == arp.sender && client.slave.is_some_and(elsewhere));
                to
            }
            _ => None,
        }
    }

    /// `rlb_choose_channel`
    fn choose_client_slave(&mut self, arp: &Arp, tag: Option<Tag>) -> Option<DevId> {
        let index = simple_hash(&arp.target.octets());
        let active = self.active_slave().map(|slave| (slave.dev, slave.mac));
        let alb = self.alb.as_mut()?;
        let place = alb.clients.get_mut(usize::from(index))?;
        let assigned = place.is_some();
        if let Some(client) = place {
            if (client.source, client.destination) == (arp.sender, arp.target) {
                if !arp.target_mac.is_broadcast() {
                    client.mac = arp.target_mac;
                }
                client.source_mac = arp.sender_mac;
                if client.slave.is_some() {
                    return client.slave;
                }
            } else if let Some((dev, mac)) = active.filter(|(dev, _)| Some(*dev) != client.slave) {
                // Its place is taken: the old client moves to the active slave.
                client.slave = Some(dev);
                self.alb_actions.extend(client.told(mac));
            }
        }
        let slave = self.next_rx_slave(None)?;
        let alb = self.alb.as_mut()?;
        let tell = arp.target_mac.is_valid_source();
        alb.tell |= tell;
        let client = Client {
            source: arp.sender,
            destination: arp.target,
            source_mac: arp.sender_mac,
            mac: arp.target_mac,
            slave: Some(slave),
            tell,
            tag,
        };
        *alb.clients.get_mut(usize::from(index))? = Some(client);
        if !assigned {
            alb.used.insert(0, index);
        }
        Some(slave)
    }

    /// `__rlb_next_rx_slave`: the next in turn, or a faster one. `leaving`: a slave that is none any more.
    fn next_rx_slave(&mut self, leaving: Option<DevId>) -> Option<DevId> {
        let last = self.alb.as_ref()?.rx_slave;
        // `SPEED_UNKNOWN` is the greatest number.
        let speed = |slave: &Slave| slave.speed.unwrap_or(u32::MAX);
        let mut before: Option<&Slave> = None;
        let mut next: Option<&Slave> = None;
        let mut found = false;
        for slave in self.slaves.iter().filter(|slave| slave.can_transmit() && Some(slave.dev) != leaving) {
            let best = if found { &mut next } else { &mut before };
            if best.is_none_or(|best| speed(best) < speed(slave)) {
                *best = Some(slave);
            }
            found |= Some(slave.dev) == last;
        }
        let slower = |next: &Slave| before.is_some_and(|before| speed(next) < speed(before));
        if next.is_none_or(slower) {
            next = before;
        }
        let chosen = next.map(|slave| slave.dev);
        if let (Some(alb), Some(_)) = (&mut self.alb, chosen) {
            alb.rx_slave = chosen;
        }
        chosen
    }

    /// `rlb_arp_recv`: a client's answer tells its MAC; one who uses an address of ours makes us forget it.
    pub(in crate::dev::bond) fn rlb_learn(&mut self, frame: &Frame) {
        let Some(arp) = Arp::parse(frame.payload()) else { return };
        let Some(alb) = self.alb.as_mut().filter(|alb| alb.receive) else { return };
        // `rlb_purge_src_ip`
        let Alb { clients, used, .. } = &mut **alb;
        used.retain(|index| {
            let Some(place) = clients.get_mut(usize::from(*index)) else { return false };
            let stale =
                place.is_some_and(|known| known.source == arp.sender && known.source_mac != arp.sender_mac);
            if stale {
                *place = None;
            }
            !stale
        });
        if arp.operation != REPLY {
            return;
        }
        if let Some(client) = alb.client_mut(simple_hash(&arp.sender.octets()))
            && (client.source, client.destination) == (arp.target, arp.sender)
            && client.mac != arp.sender_mac
        {
            client.mac = arp.sender_mac;
            client.tell = true;
            alb.tell = true;
        }
    }

    /// `rlb_clear_slave`: the clients of a slave go to others. `leaves`: for good.
    pub(super) fn clear_clients(&mut self, dev: DevId, leaves: bool) {
        let Some(alb) = self.alb.as_mut().filter(|alb| alb.receive) else { return };
        if leaves {
            alb.rx_slave = None;
        }
        for at in 0..alb.used.len() {
            let alb = self.alb.as_mut();
            let Some(index) = alb.and_then(|alb| alb.used.get(at).copied()) else { break };
            let mine = |client: &&mut Client| client.slave == Some(dev);
            if self.alb.as_mut().and_then(|alb| alb.client_mut(index)).filter(mine).is_none() {
                continue;
            }
            let heir = self.next_rx_slave(leaves.then_some(dev));
            let Some(alb) = &mut self.alb else { break };
            let Some(client) = alb.client_mut(index) else { continue };
            client.slave = heir;
            if heir.is_some() && client.mac.is_valid_source() {
                client.tell = true;
                alb.tell = true;
                // Clients are told more than once, so that none sends to the slave that is gone.
                alb.update_retry = UPDATE_RETRY;
            }
        }
        if self.active != Some(dev)
            && let Some(mac) = self.slave(dev).map(|slave| slave.mac)
        {
            self.teach_on_active(mac);
        }
    }

    /// `rlb_teach_disabled_mac_on_primary`
    pub(super) fn teach_on_active(&mut self, mac: Mac) {
        let Some(active) = self.active.filter(|_| self.alb.is_some()) else { return };
        match &mut self.promiscuous {
            Some((_, count)) => *count = 0,
            None => {
                self.promiscuous = Some((active, 0));
                self.alb_actions.push(Action::Promiscuity { dev: active, by: 1 });
            }
        }
        self.alb_actions.push(Action::Learn { dev: active, mac, strict: true });
    }

    /// `rlb_req_update_slave_clients`
    pub fn update_clients_of(&mut self, dev: DevId) {
        let Some(alb) = self.alb.as_mut().filter(|alb| alb.receive) else { return };
        if alb.mark(|client| client.slave == Some(dev)) {
            alb.update_retry = UPDATE_RETRY;
        }
    }

    /// The part of `bond_alb_monitor` that is for clients.
    pub(super) fn rlb_tick(&mut self) {
        let Some(alb) = &mut self.alb else { return };
        if let Some((dev, count)) = &mut self.promiscuous {
            *count += 1;
            if *count >= PROMISC_TIMEOUT {
                let dev = *dev;
                self.promiscuous = None;
                self.alb_actions.push(Action::Promiscuity { dev, by: -1 });
            }
        }
        if std::mem::take(&mut alb.rebalance_clients) {
            self.rebalance_clients();
        }
        let Some(alb) = &mut self.alb else { return };
        if !alb.tell {
            return;
        }
        if alb.update_delay > 0 {
            alb.update_delay -= 1;
            return;
        }
        self.tell_clients();
    }

    /// `rlb_rebalance`
    fn rebalance_clients(&mut self) {
        let count = self.alb.as_ref().map_or(0, |alb| alb.used.len());
        for at in 0..count {
            let next = self.next_rx_slave(None);
            let Some(alb) = &mut self.alb else { return };
            let Some(index) = alb.used.get(at).copied() else { return };
            let Some(client) = alb.client_mut(index) else { continue };
            if next.is_some() && client.slave != next {
                client.slave = next;
                if !client.mac.is_zero() {
                    client.tell = true;
                    alb.tell = true;
                }
            }
        }
    }

    /// `rlb_update_rx_clients`: those that are marked, and then none for a while.
    fn tell_clients(&mut self) {
        let Some(alb) = &mut self.alb else { return };
        for at in 0..alb.used.len() {
            let Some(index) = alb.used.get(at).copied() else { break };
            let last = alb.update_retry == 0;
            let Some(client) = alb.client_mut(index).filter(|client| client.tell) else { continue };
            client.tell = !last;
            let mac = self.slaves.iter().find(|slave| Some(slave.dev) == client.slave).map(|slave| slave.mac);
            self.alb_actions.extend(mac.into_iter().flat_map(|mac| client.told(mac)));
        }
        alb.update_delay = UPDATE_DELAY;
        match alb.update_retry {
            0 => alb.tell = false,
            _ => alb.update_retry -= 1,
        }
    }
}
