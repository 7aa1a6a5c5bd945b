//! balance-tlb and balance-alb: traffic is spread by load, and with balance-alb what comes back too, by telling
//! clients different MACs in ARP (bond_alb.c).

use std::net::Ipv4Addr;

use hairpin_wire::vlan::Tag;

use super::{Bond, Own, Slave, is_igmp};
use crate::device::DevId;
use crate::frame::{Frame, ethertype};
use crate::mac::Mac;
use crate::neigh::arp::{Arp, REPLY, REQUEST};

/// The monitor runs so often, in milliseconds (`ALB_TIMER_TICKS_PER_SEC`).
pub const TICK_MS: u64 = 100;
const SECOND: u32 = 10;
/// `BOND_TLB_REBALANCE_INTERVAL` in seconds.
const REBALANCE_SECONDS: u32 = 10;
const REBALANCE: u32 = REBALANCE_SECONDS * SECOND;
/// `RLB_UPDATE_DELAY`, `RLB_UPDATE_RETRY`, `RLB_PROMISC_TIMEOUT`
const UPDATE_DELAY: u32 = 2 * SECOND;
const UPDATE_RETRY: u32 = 3;
const PROMISC_TIMEOUT: u32 = 10 * SECOND;
/// `RLB_ARP_BURST_SIZE`
const BURST: usize = 2;
/// Flows are told apart by so many hashes (`TLB_HASH_TABLE_SIZE`, `RLB_HASH_TABLE_SIZE`).
const TABLE: usize = 256;

/// What of the balance belongs to a slave (`struct tlb_slave_info`).
#[derive(Clone, Copy, Debug, Default)]
pub struct TlbSlave {
    /// Bytes a second of the flows that it carries.
    load: u32,
}

/// A class of flows (`struct tlb_client_info`).
#[derive(Clone, Copy, Debug, Default)]
struct Flow {
    slave: Option<DevId>,
    tx_bytes: u32,
    load_history: u32,
}

/// A client that was told a MAC (`struct rlb_client_info`).
#[derive(Clone, Copy, Debug)]
struct Client {
    source: Ipv4Addr,
    destination: Ipv4Addr,
    source_mac: Mac,
    mac: Mac,
    slave: DevId,
    /// It is to be told again.
    tell: bool,
    tag: Option<Tag>,
}

/// What the machine around the bond has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Frames from a MAC to itself, so that switches learn where it is; `strict` leaves out MACs of devices on the
    /// bond (`alb_send_learning_packets`).
    Learn { dev: DevId, mac: Mac, strict: bool },
    /// An answer to a client that did not ask.
    Tell { dev: DevId, arp: Arp, tag: Option<Tag> },
    /// The active slave hears everything for a while.
    Promiscuity { dev: DevId, by: i32 },
}

/// State while the bond is up (`struct alb_bond_info`).
#[derive(Clone, Debug)]
pub struct Alb {
    flows: Box<[Flow; TABLE]>,
    unbalanced: u32,
    rebalance_count: u32,
    learning_count: u32,
    /// `rlb_enabled`: balance-alb.
    receive: bool,
    clients: Box<[Option<Client>; TABLE]>,
    /// Indices of clients, the latest first.
    used: Vec<u8>,
    rx_slave: Option<DevId>,
    tell: bool,
    update_delay: u32,
    update_retry: u32,
    rebalance_clients: bool,
    promiscuous: Option<DevId>,
    promiscuous_count: u32,
    /// What is to be done next.
    pub actions: Vec<Action>,
}

impl Alb {
    /// `bond_alb_initialize`
    pub fn new(receive: bool) -> Alb {
        Alb {
            flows: Box::new([Flow::default(); TABLE]),
            unbalanced: 0,
            rebalance_count: 0,
            learning_count: 0,
            receive,
            clients: Box::new([None; TABLE]),
            used: Vec::new(),
            rx_slave: None,
            tell: false,
            update_delay: 0,
            update_retry: 0,
            rebalance_clients: false,
            promiscuous: None,
            promiscuous_count: 0,
            actions: Vec::new(),
        }
    }

    /// `tlb_clear_slave`: the flows of a slave are assigned anew.
    fn clear_flows(&mut self, dev: DevId, keep_load: bool) {
        for flow in self.flows.iter_mut().filter(|flow| flow.slave == Some(dev)) {
            if keep_load {
                flow.load_history = 1 + flow.tx_bytes / REBALANCE_SECONDS;
                flow.tx_bytes = 0;
            }
            flow.slave = None;
        }
    }

    /// A rebalance is due (`bond_alb_init_slave`, `bond_alb_handle_link_change`).
    fn rebalance_soon(&mut self) {
        self.rebalance_count = REBALANCE;
        self.rebalance_clients |= self.receive;
    }

    /// `rlb_update_client`
    fn tell_client(&mut self, client: Client, mac: Mac) {
        if !client.mac.is_valid_source() {
            return;
        }
        let arp = Arp {
            operation: REPLY,
            sender_mac: mac,
            sender: client.source,
            target_mac: client.mac,
            target: client.destination,
        };
        let tell = Action::Tell { dev: client.slave, arp, tag: client.tag };
        self.actions.extend([tell; BURST]);
    }

    fn clients_mut(&mut self) -> impl Iterator<Item = &mut Client> {
        self.clients.iter_mut().flatten()
    }
}

/// `_simple_hash`
fn simple_hash(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |hash, byte| hash ^ byte)
}

impl Bond {
    /// `bond_tlb_xmit`
    pub(super) fn tlb_transmit(&mut self, frame: &mut Frame) -> Option<DevId> {
        let is_ip = match frame.ethertype() {
            ethertype::IPV4 => true,
            ethertype::IPV6 => !is_neighbour_discovery(frame),
            _ => false,
        };
        let to = match is_ip && !frame.destination().is_group() {
            true => self.balanced(frame, None),
            false => None,
        };
        self.alb_send(to, frame)
    }

    /// `bond_alb_xmit`
    pub(super) fn alb_transmit(&mut self, own: Own, frame: &mut Frame) -> Option<DevId> {
        let payload = frame.payload();
        let to = match frame.ethertype() {
            ethertype::IPV4 => {
                let destination = payload.get(16..20).filter(|_| !frame.destination().is_broadcast());
                let address = destination.filter(|bytes| **bytes != [0xff; 4] && !is_igmp(frame));
                address.map(simple_hash).and_then(|hash| self.balanced(frame, Some(hash)))
            }
            ethertype::IPV6 => {
                const ALL_NODES: Mac = Mac([0x33, 0x33, 0, 0, 0, 1]);
                let group = frame.destination().is_broadcast() || frame.destination() == ALL_NODES;
                let unspecified = payload.get(8..24).is_none_or(|source| source == [0; 16]);
                let fixed = group || unspecified || is_neighbour_discovery(frame);
                let address = payload.get(24..40).filter(|_| !fixed);
                address.map(simple_hash).and_then(|hash| self.balanced(frame, Some(hash)))
            }
            ethertype::ARP => self.rlb_transmit(own, frame),
            _ => None,
        };
        self.alb_send(to, frame)
    }

    /// The slave for a flow: by load, or by hash alone with `tlb_dynamic_lb` off.
    fn balanced(&mut self, frame: &Frame, hash: Option<u8>) -> Option<DevId> {
        let policy_hash = || super::hash::hash(self.params.hash_policy(), frame);
        if !self.params.tlb_dynamic_lb {
            let usable = self.usable.as_deref().filter(|usable| !usable.is_empty())?;
            return usable.get(policy_hash() as usize % usable.len()).copied();
        }
        let index = hash.unwrap_or_else(|| policy_hash() as u8);
        self.choose_channel(index, u32::try_from(frame.len()).unwrap_or(u32::MAX))
    }

    /// `__tlb_choose_channel`
    fn choose_channel(&mut self, index: u8, bytes: u32) -> Option<DevId> {
        let known = self.alb.as_ref()?.flows.get(usize::from(index))?.slave;
        let least = self.least_loaded();
        let flow = self.alb.as_mut()?.flows.get_mut(usize::from(index))?;
        if known.is_none() {
            flow.slave = least;
        }
        let assigned = flow.slave?;
        flow.tx_bytes = flow.tx_bytes.wrapping_add(bytes);
        let history = flow.load_history;
        if known.is_none()
            && let Some(slave) = self.slave_mut(assigned)
        {
            slave.tlb.load = slave.tlb.load.wrapping_add(history);
        }
        Some(assigned)
    }

    /// `tlb_get_least_loaded_slave`
    fn least_loaded(&self) -> Option<DevId> {
        // `compute_gap`: megabits as 2²⁰ bits, in 32 bits as Linux counts them.
        let gap = |slave: &Slave| {
            let speed = slave.speed.unwrap_or(u32::MAX).wrapping_shl(20);
            i64::from(speed) - (i64::from(slave.tlb.load) << 3)
        };
        let mut best: Option<(i64, DevId)> = None;
        for slave in self.slaves.iter().filter(|slave| slave.can_transmit()) {
            if best.is_none_or(|(most, _)| gap(slave) > most) {
                best = Some((gap(slave), slave.dev));
            }
        }
        best.map(|(_, dev)| dev)
    }

    /// `bond_do_alb_xmit`: what is not balanced goes to the active slave; by others, with their own MAC.
    fn alb_send(&mut self, to: Option<DevId>, frame: &mut Frame) -> Option<DevId> {
        if to.is_none()
            && self.params.tlb_dynamic_lb
            && let Some(alb) = &mut self.alb
        {
            alb.unbalanced = alb.unbalanced.wrapping_add(u32::try_from(frame.len()).unwrap_or(u32::MAX));
        }
        let to = to.or(self.active)?;
        let slave = self.slave(to)?;
        if slave.can_transmit() {
            if self.active != Some(to) {
                let mac = slave.mac;
                if let Some(source) = frame.bytes_mut().get_mut(6..12) {
                    source.copy_from_slice(&mac.0);
                }
            }
            return Some(to);
        }
        if self.params.tlb_dynamic_lb
            && let Some(alb) = &mut self.alb
        {
            alb.clear_flows(to, false);
        }
        None
    }

    /// `rlb_arp_xmit`: an ARP packet of the bond's own gets the MAC of the slave that the client shall use.
    fn rlb_transmit(&mut self, own: Own, frame: &mut Frame) -> Option<DevId> {
        let arp = Arp::parse(frame.payload())?;
        let ours = self.slaves.iter().any(|slave| slave.mac == arp.sender_mac);
        if !ours || self.alb.as_ref().is_none_or(|alb| !alb.receive) {
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
                let mut tell = false;
                for client in alb.clients.iter_mut().flatten() {
                    let mac = slaves.iter().find(|slave| slave.dev == client.slave).map(|slave| slave.mac);
                    let elsewhere = mac != Some(own.mac);
                    if client.source == arp.sender && elsewhere && client.mac.is_valid_source() {
                        client.tell = true;
                        tell = true;
                    }
                }
                alb.tell |= tell;
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
        let known = *alb.clients.get(usize::from(index))?;
        if let Some(mut client) = known {
            if (client.source, client.destination) == (arp.sender, arp.target) {
                if !arp.target_mac.is_broadcast() {
                    client.mac = arp.target_mac;
                }
                client.source_mac = arp.sender_mac;
                alb.clients[usize::from(index)] = Some(client);
                return Some(client.slave);
            }
            // Its place is taken: the old client moves to the active slave.
            if let Some((dev, mac)) = active.filter(|(dev, _)| *dev != client.slave) {
                alb.tell_client(Client { slave: dev, ..client }, mac);
            }
        }
        let slave = self.next_rx_slave()?;
        let alb = self.alb.as_mut()?;
        let tell = arp.target_mac.is_valid_source();
        alb.tell |= tell;
        alb.clients[usize::from(index)] = Some(Client {
            source: arp.sender,
            destination: arp.target,
            source_mac: arp.sender_mac,
            mac: arp.target_mac,
            slave,
            tell,
            tag,
        });
        if known.is_none() {
            alb.used.insert(0, index);
        }
        Some(slave)
    }

    /// `__rlb_next_rx_slave`: the next in turn, or a faster one.
    fn next_rx_slave(&mut self) -> Option<DevId> {
        let last = self.alb.as_ref()?.rx_slave;
        let mut before: Option<&Slave> = None;
        let mut next: Option<&Slave> = None;
        let mut found = false;
        for slave in self.slaves.iter().filter(|slave| slave.can_transmit()) {
            let best = if found { &mut next } else { &mut before };
            if best.is_none_or(|best| best.speed < slave.speed) {
                *best = Some(slave);
            }
            found |= Some(slave.dev) == last;
        }
        if next.is_none() || before.is_some_and(|before| next.is_some_and(|next| next.speed < before.speed)) {
            next = before;
        }
        let chosen = next.map(|slave| slave.dev);
        if let (Some(alb), Some(_)) = (&mut self.alb, chosen) {
            alb.rx_slave = chosen;
        }
        chosen
    }

    /// `rlb_arp_recv`: a client's answer tells its MAC; one who uses an address of ours makes us forget it.
    pub(super) fn rlb_learn(&mut self, frame: &Frame) {
        let Some(arp) = Arp::parse(frame.payload()) else { return };
        let Some(alb) = self.alb.as_mut().filter(|alb| alb.receive) else { return };
        // `rlb_purge_src_ip`
        for index in alb.used.clone() {
            let place = &mut alb.clients[usize::from(index)];
            if place.is_some_and(|known| known.source == arp.sender && known.source_mac != arp.sender_mac) {
                *place = None;
                alb.used.retain(|used| *used != index);
            }
        }
        if arp.operation != REPLY {
            return;
        }
        let index = usize::from(simple_hash(&arp.sender.octets()));
        if let Some(client) = &mut alb.clients[index]
            && (client.source, client.destination) == (arp.target, arp.sender)
            && client.mac != arp.sender_mac
        {
            client.mac = arp.sender_mac;
            client.tell = true;
            alb.tell = true;
        }
    }

    /// A slave has come (`bond_alb_init_slave`), or its link is back.
    pub fn alb_slave_up(&mut self) {
        if let Some(alb) = &mut self.alb {
            alb.rebalance_soon();
        }
    }

    /// `bond_alb_handle_link_change`
    pub fn alb_link_changed(&mut self, dev: DevId, up: bool) {
        match up {
            true => self.alb_slave_up(),
            false => self.alb_slave_down(dev),
        }
    }

    /// The flows and clients of a slave go to others.
    pub fn alb_slave_down(&mut self, dev: DevId) {
        let Some(alb) = &mut self.alb else { return };
        alb.clear_flows(dev, false);
        if !alb.receive {
            return;
        }
        // `rlb_clear_slave`
        for index in alb.used.clone() {
            let at = usize::from(index);
            let Some(mut client) = self.alb.as_ref().and_then(|alb| alb.clients[at]) else { continue };
            if client.slave != dev {
                continue;
            }
            let heir = self.next_rx_slave();
            let Some(alb) = &mut self.alb else { return };
            match heir {
                Some(heir) => {
                    client.slave = heir;
                    if client.mac.is_valid_source() {
                        client.tell = true;
                        alb.tell = true;
                        alb.update_retry = UPDATE_RETRY;
                    }
                    alb.clients[at] = Some(client);
                }
                None => {
                    alb.clients[at] = None;
                    alb.used.retain(|used| *used != index);
                }
            }
        }
        if self.active != Some(dev)
            && let Some(mac) = self.slave(dev).map(|slave| slave.mac)
        {
            self.teach_on_active(mac);
        }
    }

    /// A slave leaves for good.
    pub fn alb_slave_gone(&mut self, dev: DevId) {
        if let Some(alb) = &mut self.alb {
            alb.rx_slave = None;
        }
        self.alb_slave_down(dev);
    }

    /// `rlb_teach_disabled_mac_on_primary`
    fn teach_on_active(&mut self, mac: Mac) {
        let (Some(active), Some(alb)) = (self.active, &mut self.alb) else { return };
        if alb.promiscuous.is_none() {
            alb.promiscuous = Some(active);
            alb.actions.push(Action::Promiscuity { dev: active, by: 1 });
        }
        alb.promiscuous_count = 0;
        alb.actions.push(Action::Learn { dev: active, mac, strict: true });
    }

    /// The old active slave no longer hears everything (`bond_alb_handle_active_change`), and the flows of both
    /// are assigned anew.
    pub fn alb_active_changes(&mut self, old: Option<DevId>, new: Option<DevId>) {
        let Some(alb) = &mut self.alb else { return };
        if old.is_some()
            && let Some(dev) = alb.promiscuous.take()
        {
            alb.promiscuous_count = 0;
            alb.actions.push(Action::Promiscuity { dev, by: -1 });
        }
        if new.is_some() {
            for dev in [old, new].into_iter().flatten() {
                alb.clear_flows(dev, true);
            }
        }
    }

    /// `alb_fasten_mac_swap`: two slaves have changed MACs.
    pub fn alb_swapped(&mut self, one: DevId, other: DevId) {
        let works = |dev: DevId| self.slave(dev).filter(|slave| slave.can_transmit()).map(|slave| slave.mac);
        let pair = [(one, works(one)), (other, works(other))];
        let mut disabled = None;
        for (dev, mac) in pair {
            match mac {
                Some(mac) => {
                    if let Some(alb) = &mut self.alb {
                        alb.actions.push(Action::Learn { dev, mac, strict: false });
                    }
                    self.update_clients_of(dev);
                }
                None => disabled = Some(dev),
            }
        }
        let differ = pair[0].1.is_some() != pair[1].1.is_some();
        let receives = self.alb.as_ref().is_some_and(|alb| alb.receive);
        if let Some(mac) =
            disabled.filter(|_| differ && receives).and_then(|dev| self.slave(dev)).map(|s| s.mac)
        {
            self.teach_on_active(mac);
        }
    }

    /// The active slave has got the bond's MAC (`bond_alb_handle_active_change` without a slave to swap with,
    /// `bond_alb_set_mac_address`).
    pub fn alb_took_mac(&mut self, dev: DevId, mac: Mac) {
        if let Some(alb) = &mut self.alb {
            alb.actions.push(Action::Learn { dev, mac, strict: false });
        }
    }

    /// `rlb_req_update_slave_clients`
    pub fn update_clients_of(&mut self, dev: DevId) {
        let Some(alb) = self.alb.as_mut().filter(|alb| alb.receive) else { return };
        let mut tell = false;
        for client in alb.clients_mut().filter(|client| client.slave == dev && client.mac.is_valid_source()) {
            client.tell = true;
            tell = true;
        }
        if tell {
            alb.tell = true;
            alb.update_retry = UPDATE_RETRY;
        }
    }

    /// `bond_alb_monitor`; leaves what is to be done in [`Alb::actions`].
    pub fn alb_tick(&mut self) {
        let interval = self.params.lp_interval.saturating_mul(SECOND);
        let active = self.active;
        let Some(alb) = &mut self.alb else { return };
        if self.slaves.is_empty() {
            alb.rebalance_count = 0;
            alb.learning_count = 0;
            return;
        }
        alb.rebalance_count += 1;
        alb.learning_count += 1;
        if alb.learning_count >= interval {
            alb.learning_count = 0;
            let receive = alb.receive;
            alb.actions.extend(self.slaves.iter().map(|slave| Action::Learn {
                dev: slave.dev,
                mac: slave.mac,
                strict: Some(slave.dev) != active || receive,
            }));
        }
        if alb.rebalance_count >= REBALANCE {
            alb.rebalance_count = 0;
            for slave in &mut self.slaves {
                alb.clear_flows(slave.dev, true);
                slave.tlb.load = 0;
                if Some(slave.dev) == active {
                    slave.tlb.load = alb.unbalanced / REBALANCE_SECONDS;
                    alb.unbalanced = 0;
                }
            }
        }
        if alb.receive {
            self.rlb_tick();
        }
    }

    fn rlb_tick(&mut self) {
        let Some(alb) = &mut self.alb else { return };
        if let Some(dev) = alb.promiscuous {
            alb.promiscuous_count += 1;
            if alb.promiscuous_count >= PROMISC_TIMEOUT {
                alb.promiscuous = None;
                alb.promiscuous_count = 0;
                alb.actions.push(Action::Promiscuity { dev, by: -1 });
            }
        }
        if std::mem::take(&mut alb.rebalance_clients) {
            // `rlb_rebalance`
            for index in alb.used.clone() {
                let next = self.next_rx_slave();
                let Some(alb) = &mut self.alb else { return };
                let Some(client) = &mut alb.clients[usize::from(index)] else { continue };
                if let Some(next) = next.filter(|next| *next != client.slave) {
                    client.slave = next;
                    if !client.mac.is_zero() {
                        client.tell = true;
                        alb.tell = true;
                    }
                }
            }
        }
        let Some(alb) = &mut self.alb else { return };
        if !alb.tell {
            return;
        }
        if alb.update_delay > 0 {
            alb.update_delay -= 1;
            return;
        }
        // `rlb_update_rx_clients`
        for index in alb.used.clone() {
            let at = usize::from(index);
            let Some(client) = alb.clients[at].filter(|client| client.tell) else { continue };
            let mac = self.slaves.iter().find(|slave| slave.dev == client.slave).map(|slave| slave.mac);
            if let Some(mac) = mac {
                alb.tell_client(client, mac);
            }
            if alb.update_retry == 0
                && let Some(client) = &mut alb.clients[at]
            {
                client.tell = false;
            }
        }
        match alb.update_retry {
            0 => alb.tell = false,
            _ => alb.update_retry -= 1,
        }
    }
}

/// `alb_determine_nd`: neighbour discovery is not balanced, for its answers carry MACs.
fn is_neighbour_discovery(frame: &Frame) -> bool {
    const ICMPV6: u8 = 58;
    let payload = frame.payload();
    match (payload.get(6), payload.get(40)) {
        (Some(&ICMPV6), Some(kind)) => matches!(kind, 135 | 136),
        (Some(&ICMPV6), None) => true,
        (None, _) => true,
        _ => false,
    }
}
