//! balance-tlb and balance-alb: traffic is spread by load, and with balance-alb what comes back too, by telling
//! clients different MACs in ARP: [`receive`] (bond_alb.c).

mod receive;

use hairpin_wire::vlan::Tag;

use super::{Bond, Own, Slave, is_igmp};
use crate::device::DevId;
use crate::frame::{Frame, ethertype};
use crate::mac::Mac;
use crate::neigh::arp::Arp;
use receive::Client;

/// The monitor runs so often, in milliseconds (`ALB_TIMER_TICKS_PER_SEC`).
pub const TICK_MS: u64 = 100;
const SECOND: u32 = 10;
/// `BOND_TLB_REBALANCE_INTERVAL` in seconds.
const REBALANCE_SECONDS: u32 = 10;
const REBALANCE: u32 = REBALANCE_SECONDS * SECOND;
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
        if self.params.tlb_dynamic_lb {
            self.clear_flows(to, false);
        }
        None
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
    fn alb_slave_down(&mut self, dev: DevId) {
        self.clear_flows(dev, false);
        self.clear_clients(dev, false);
    }

    /// A slave leaves for good (`bond_alb_deinit_slave`).
    pub fn alb_slave_gone(&mut self, dev: DevId) {
        self.clear_flows(dev, false);
        self.clear_clients(dev, true);
    }

    /// `tlb_clear_slave`: a slave's flows are assigned anew.
    fn clear_flows(&mut self, dev: DevId, keep_load: bool) {
        if let Some(alb) = &mut self.alb {
            alb.clear_flows(dev, keep_load);
        }
        if let Some(slave) = self.slave_mut(dev) {
            slave.tlb.load = 0;
        }
    }

    /// The old active slave no longer hears everything (`bond_alb_handle_active_change`), and the flows of both
    /// are assigned anew.
    pub fn alb_active_changes(&mut self, old: Option<DevId>, swap: Option<DevId>, new: Option<DevId>) {
        if old.is_some()
            && let Some((dev, _)) = self.promiscuous.take()
        {
            self.alb_actions.push(Action::Promiscuity { dev, by: -1 });
        }
        if new.is_some() {
            for dev in [swap, new].into_iter().flatten() {
                self.clear_flows(dev, true);
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
                    self.alb_actions.push(Action::Learn { dev, mac, strict: false });
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
        self.alb_actions.push(Action::Learn { dev, mac, strict: false });
    }

    /// `bond_alb_monitor`; leaves what is to be done in [`Bond::alb_actions`].
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
            self.alb_actions.extend(self.slaves.iter().map(|slave| Action::Learn {
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
