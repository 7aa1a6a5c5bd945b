//! 802.3ad: which links go together, found by talking LACP (IEEE 802.1AX clause 6; bond_3ad.c).
//!
//! Every slave has a [`Port`] with its state machines and an [`Aggregator`] that ports may join. All machines advance
//! together, ten times a second: [`Bond::ad_tick`]. Units that are to be sent are left in a list.
//!
//! * [`machines`] the state machines of a port
//! * [`select`] which aggregator a port joins, and which one carries the traffic

mod machines;
mod select;

use hairpin_wire::lacp::{Info, Lacpdu, state};

use super::{Bond, Link, Slave};
use crate::device::DevId;
use crate::mac::Mac;
use machines::churn_machine;

/// `AD_TIMER_INTERVAL` in milliseconds.
pub const TICK_MS: u64 = 100;
/// `ad_ticks_per_sec`
const SECOND: u32 = 10;
/// `AD_SHORT_TIMEOUT_TIME`, `AD_LONG_TIMEOUT_TIME` (3 and 90 seconds).
const SHORT_TIMEOUT: u32 = 3 * SECOND;
const LONG_TIMEOUT: u32 = 90 * SECOND;
/// `AD_FAST_PERIODIC_TIME`, `AD_SLOW_PERIODIC_TIME`
const FAST_PERIODIC: u32 = SECOND;
const SLOW_PERIODIC: u32 = 30 * SECOND;
/// `AD_AGGREGATE_WAIT_TIME`, `AD_CHURN_DETECTION_TIME`
const AGGREGATE_WAIT: u32 = 2 * SECOND;
const CHURN_DETECTION: u32 = 60 * SECOND;
/// `AD_AGGREGATOR_SELECTION_TIMER`
const SELECTION: u32 = 8 * SECOND;
/// Ticks between two looks at whether something is to be sent: three units a second at most
/// (`AD_MAX_TX_IN_SECOND`).
const TRANSMIT: u32 = SECOND / 3;
/// `AD_DUPLEX_KEY_MASKS`
const DUPLEX_KEY: u16 = 1;

/// What of LACP belongs to the whole bond (`struct ad_bond_info`).
#[derive(Clone, Copy, Debug, Default)]
pub struct AdBond {
    pub system: Mac,
    pub priority: u16,
    last_aggregator: u16,
    select_timer: u32,
}

/// What of LACP belongs to a slave (`struct ad_slave_info`).
#[derive(Clone, Debug, Default)]
pub struct AdSlave {
    pub id: u16,
    pub port: Port,
    pub aggregator: Aggregator,
}

/// `rx_states_t`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Rx {
    #[default]
    Dummy,
    Initialize,
    PortDisabled,
    LacpDisabled,
    Expired,
    Defaulted,
    Current,
}

/// `periodic_states_t`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Periodic {
    #[default]
    Dummy,
    None,
    Fast,
    Slow,
    Transmit,
}

/// `mux_states_t`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mux {
    #[default]
    Dummy,
    Detached,
    Waiting,
    Attached,
    CollectingDistributing,
}

/// `churn_state_t`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Churn {
    #[default]
    Monitor,
    Churned,
    None,
}

impl Churn {
    /// `bond_3ad_churn_desc`
    pub fn name(self) -> &'static str {
        match self {
            Churn::Monitor => "monitoring",
            Churn::Churned => "churned",
            Churn::None => "none",
        }
    }
}

/// A port with its state machines (`struct port`).
#[derive(Clone, Debug, Default)]
pub struct Port {
    pub number: u16,
    pub priority: u16,
    admin_key: u16,
    pub key: u16,
    /// `actor_oper_port_state`
    pub state: u8,
    partner_admin: Info,
    /// `partner_oper`
    pub partner: Info,
    /// The slave whose aggregator the port has joined.
    pub aggregator: Option<DevId>,
    bound: bool,
    enabled: bool,
    need_to_transmit: bool,
    begin: bool,
    lacp_enabled: bool,
    selected: bool,
    ready: bool,
    ready_n: bool,
    churned: bool,
    rx: Rx,
    rx_timer: u32,
    periodic: Periodic,
    periodic_timer: u32,
    mux: Mux,
    mux_timer: u32,
    tx_timer: u32,
    pub actor_churn: Churn,
    actor_churn_timer: u32,
    pub actor_churn_count: u32,
    pub partner_churn: Churn,
    partner_churn_timer: u32,
    pub partner_churn_count: u32,
}

/// What ports join (`struct aggregator`).
#[derive(Clone, Debug, Default)]
pub struct Aggregator {
    pub id: u16,
    individual: bool,
    pub actor_key: u16,
    pub partner_system: [u8; 6],
    partner_priority: u16,
    pub partner_key: u16,
    /// Slaves whose ports have joined, the latest first.
    pub ports: Vec<DevId>,
    pub active: bool,
}

impl Aggregator {
    fn has_partner(&self) -> bool {
        self.partner_system != [0; 6]
    }

    /// `ad_clear_agg`
    fn clear(&mut self) {
        *self = Aggregator { id: self.id, ..Aggregator::default() };
    }
}

/// What `bond_3ad_get_active_agg_info` tells.
#[derive(Clone, Copy, Debug)]
pub struct AdInfo {
    pub aggregator: u16,
    pub ports: u16,
    pub actor_key: u16,
    pub partner_key: u16,
    pub partner_system: Mac,
}

/// Units to be sent, and by which slave.
pub type Units = Vec<(DevId, Lacpdu)>;

impl Bond {
    /// `bond_3ad_initialize`: with the first slave.
    pub fn ad_initialize(&mut self, mac: Mac) {
        self.ad.last_aggregator = 0;
        self.ad_actor(mac);
        self.ad.select_timer = SELECTION;
    }

    fn ad_actor(&mut self, mac: Mac) {
        self.ad.priority = self.params.ad_actor_sys_prio;
        self.ad.system =
            if self.params.ad_actor_system.is_zero() { mac } else { self.params.ad_actor_system };
    }

    /// `bond_3ad_update_ad_actor_settings`
    pub fn ad_update_actor(&mut self, mac: Mac) {
        self.ad_actor(mac);
        for slave in &mut self.slaves {
            slave.ad.port.need_to_transmit = true;
        }
    }

    /// `bond_3ad_update_lacp_rate`, `bond_3ad_update_lacp_active`
    pub fn ad_update_rate(&mut self) {
        let (fast, active) = (self.params.lacp_fast, self.params.lacp_active);
        for slave in &mut self.slaves {
            let port = &mut slave.ad.port;
            set(&mut port.state, state::TIMEOUT, fast);
            set(&mut port.state, state::ACTIVITY, active);
        }
    }

    /// `bond_3ad_initiate_agg_selection`
    pub fn ad_select_soon(&mut self) {
        self.ad.select_timer = 1;
    }

    /// `bond_3ad_bind_slave`
    pub fn ad_bind(&mut self, dev: DevId, id: u16) {
        let (fast, active) = (self.params.lacp_fast, self.params.lacp_active);
        let user_key = self.params.ad_user_port_key;
        self.ad.last_aggregator = self.ad.last_aggregator.wrapping_add(1);
        let aggregator = self.ad.last_aggregator;
        let Some(slave) = self.slave_mut(dev) else { return };
        let unknown =
            Info { system_priority: 0xffff, key: 1, port: 1, port_priority: 0xff, ..Info::default() };
        let mut own = state::AGGREGATION;
        set(&mut own, state::ACTIVITY, active);
        set(&mut own, state::TIMEOUT, fast);
        slave.ad.id = id;
        slave.ad.port = Port {
            number: id,
            priority: 0xff,
            admin_key: user_key << 6,
            state: own,
            partner_admin: unknown,
            partner: unknown,
            bound: true,
            enabled: true,
            begin: true,
            lacp_enabled: true,
            tx_timer: TRANSMIT,
            ..Port::default()
        };
        slave.ad.aggregator = Aggregator { id: aggregator, ..Aggregator::default() };
        update_keys(slave, false);
        self.deactivate(dev);
    }

    /// `bond_3ad_unbind_slave`: the partner is told, and the port's place is filled. True if the usable slaves
    /// may be others now.
    pub fn ad_unbind(&mut self, dev: DevId, carrier: impl Fn(DevId) -> bool + Copy, out: &mut Units) {
        let Some(slave) = self.slave_mut(dev).filter(|slave| slave.ad.port.bound) else { return };
        slave.ad.port.state &=
            !(state::SYNCHRONIZATION | state::COLLECTING | state::DISTRIBUTING | state::AGGREGATION);
        self.send(dev, out);
        let Some(own) = self.slave(dev).map(|slave| slave.ad.aggregator.clone()) else { return };
        let mut reselect = false;
        if own.ports.iter().any(|port| *port != dev) {
            // Others use this slave's aggregator: they move to a free one, or to the one that this port leaves.
            let free = self.slaves.iter().map(|slave| (slave.dev, &slave.ad.aggregator));
            let heir = free
                .filter(|(other, aggregator)| {
                    *other != dev && (aggregator.ports.is_empty() || aggregator.ports == [dev])
                })
                .map(|(other, _)| other)
                .next();
            if let Some(heir) = heir {
                if let Some(slave) = self.slave_mut(heir) {
                    let aggregator = &mut slave.ad.aggregator;
                    reselect = aggregator.active && aggregator.ports == [dev];
                    *aggregator = Aggregator { id: aggregator.id, ..own.clone() };
                }
                for port in &own.ports {
                    if let Some(slave) = self.slave_mut(*port) {
                        slave.ad.port.aggregator = Some(heir);
                    }
                }
                if let Some(slave) = self.slave_mut(dev) {
                    slave.ad.aggregator.clear();
                }
            }
        } else if !own.ports.is_empty() {
            reselect = own.active;
            if let Some(slave) = self.slave_mut(dev) {
                slave.ad.aggregator.clear();
            }
        }
        if reselect {
            self.select_aggregator(carrier);
        }
        let mut lost_active = false;
        for at in 0..self.slaves.len() {
            let Some(slave) = self.slaves.get_mut(at) else { break };
            let aggregator = &mut slave.ad.aggregator;
            if !aggregator.ports.contains(&dev) {
                continue;
            }
            aggregator.ports.retain(|port| *port != dev);
            let left = aggregator.ports.clone();
            if left.iter().any(|port| self.slave(*port).is_some_and(|slave| slave.ad.port.enabled)) {
                continue;
            }
            if let Some(aggregator) = self.slaves.get_mut(at).map(|slave| &mut slave.ad.aggregator) {
                lost_active |= aggregator.active;
                if left.is_empty() {
                    aggregator.clear();
                }
            }
        }
        if lost_active {
            self.select_aggregator(carrier);
        }
        if let Some(slave) = self.slave_mut(dev) {
            slave.ad.port.bound = false;
            slave.ad.port.aggregator = None;
        }
    }

    /// `bond_3ad_state_machine_handler`. `carrier` tells whether a slave's device is up with carrier now. True if
    /// the usable slaves may be others now.
    pub fn ad_tick(&mut self, carrier: impl Fn(DevId) -> bool + Copy, out: &mut Units) -> bool {
        let mut changed = false;
        if self.ad.select_timer > 0 {
            self.ad.select_timer -= 1;
            if self.ad.select_timer == 0 && !self.slaves.is_empty() {
                changed |= self.select_aggregator(carrier);
            }
        }
        for at in 0..self.slaves.len() {
            let Some(dev) = self.slaves.get(at).map(|slave| slave.dev) else { break };
            self.rx_machine(dev, None);
            self.periodic_machine(dev);
            changed |= self.select_port(dev, carrier);
            changed |= self.mux_machine(dev);
            self.tx_machine(dev, out);
            if let Some(slave) = self.slave_mut(dev) {
                churn_machine(&mut slave.ad.port);
                slave.ad.port.begin = false;
            }
        }
        changed
    }

    /// `bond_3ad_rx_indication`: a unit from the partner.
    pub fn ad_receive(&mut self, dev: DevId, pdu: &Lacpdu) {
        if self.slave(dev).is_some_and(|slave| slave.ad.port.bound) {
            self.rx_machine(dev, Some(pdu));
        }
    }

    /// `bond_3ad_handle_link_change`
    pub fn ad_link_changed(&mut self, dev: DevId, up: bool, carrier: impl Fn(DevId) -> bool + Copy) {
        if let Some(slave) = self.slave_mut(dev).filter(|slave| slave.ad.port.bound) {
            slave.ad.port.enabled = up;
            update_keys(slave, !up);
            self.select_aggregator(carrier);
        }
    }

    /// `bond_3ad_adapter_speed_duplex_changed`
    pub fn ad_speed_changed(&mut self, dev: DevId) {
        if let Some(slave) = self.slave_mut(dev).filter(|slave| slave.ad.port.bound) {
            update_keys(slave, false);
        }
    }

    /// The slave whose aggregator is the active one (`__get_active_agg`).
    pub fn active_aggregator(&self) -> Option<DevId> {
        self.slaves.iter().find(|slave| slave.ad.aggregator.active).map(|slave| slave.dev)
    }

    /// `bond_3ad_set_carrier`
    pub(super) fn ad_carrier(&self) -> bool {
        let active = self.slaves.iter().map(|slave| &slave.ad.aggregator).find(|found| found.active);
        active.is_some_and(|found| self.enabled_ports(found) >= self.params.min_links as usize)
    }

    /// `__bond_3ad_get_active_agg_info`: none while no port is in the active aggregator.
    pub fn ad_info(&self) -> Option<AdInfo> {
        let active = self.active_aggregator()?;
        let joined = self.slaves.iter().any(|slave| slave.ad.port.aggregator == Some(active));
        let aggregator = &self.slave(active)?.ad.aggregator;
        joined.then(|| AdInfo {
            aggregator: aggregator.id,
            ports: u16::try_from(self.enabled_ports(aggregator)).unwrap_or(u16::MAX),
            actor_key: aggregator.actor_key,
            partner_key: aggregator.partner_key,
            partner_system: Mac(aggregator.partner_system),
        })
    }

    fn actor_info(&self, port: &Port) -> Info {
        Info {
            system_priority: self.ad.priority,
            system: self.ad.system.0,
            key: port.key,
            port_priority: port.priority,
            port: port.number,
            state: port.state,
        }
    }

    fn send(&self, dev: DevId, out: &mut Units) {
        if let Some(slave) = self.slave(dev) {
            let port = &slave.ad.port;
            let pdu = Lacpdu { actor: self.actor_info(port), partner: port.partner, collector_max_delay: 0 };
            out.push((dev, pdu));
        }
    }
}

fn set(bits: &mut u8, bit: u8, on: bool) {
    match on {
        true => *bits |= bit,
        false => *bits &= !bit,
    }
}

/// `ad_update_actor_keys`: the key tells speed and duplex.
fn update_keys(slave: &mut Slave, reset: bool) {
    let (speed, duplex) = match slave.link {
        Link::Up => (speed_key(slave.speed), u16::from(slave.full_duplex == Some(true))),
        _ => (0, 0),
    };
    let port = &mut slave.ad.port;
    let old = port.key;
    port.admin_key &= !0x3f;
    if !reset {
        port.admin_key |= speed << 1 | duplex;
    }
    port.key = port.admin_key;
    if old == port.key {
        return;
    }
    port.lacp_enabled = !reset && duplex != 0;
    let old_speed = (old & 0x3e) >> 1;
    if !reset && speed != 0 && duplex != 0 && old_speed != speed {
        port.begin = true;
    }
}

/// `__get_link_speed`: `AD_LINK_SPEED_*`
fn speed_key(speed: Option<u32>) -> u16 {
    match speed {
        Some(1) => 1,
        Some(10) => 2,
        Some(100) => 3,
        Some(1000) => 4,
        Some(2500) => 5,
        Some(5000) => 6,
        Some(10_000) => 7,
        Some(14_000) => 8,
        Some(20_000) => 9,
        Some(25_000) => 10,
        Some(40_000) => 11,
        Some(50_000) => 12,
        Some(56_000) => 13,
        Some(100_000) => 14,
        Some(200_000) => 15,
        Some(400_000) => 16,
        _ => 0,
    }
}
