//! The state machines of a port (IEEE 802.1AX §6.4): receive, periodic transmission, multiplexing, transmission, churn.

use hairpin_wire::lacp::{Info, Lacpdu, state};

use super::super::Bond;
use super::{
    AGGREGATE_WAIT, CHURN_DETECTION, Churn, DUPLEX_KEY, FAST_PERIODIC, LONG_TIMEOUT, Mux, Periodic, Port, Rx,
    SHORT_TIMEOUT, SLOW_PERIODIC, TRANSMIT, Units, set,
};
use crate::device::DevId;

impl Bond {
    /// `ad_rx_machine` (IEEE 802.1AX §6.4.12)
    pub(super) fn rx_machine(&mut self, dev: DevId, pdu: Option<&Lacpdu>) {
        let (own_system, own_priority) = (self.ad.system.0, self.ad.priority);
        let Some(slave) = self.slave_mut(dev) else { return };
        let port = &mut slave.ad.port;
        let last = port.rx;
        if port.begin {
            port.rx = Rx::Initialize;
            port.churned = true;
        } else if !port.enabled {
            port.rx = Rx::PortDisabled;
        } else if pdu.is_some() && matches!(port.rx, Rx::Expired | Rx::Defaulted | Rx::Current) {
            port.churned |= port.rx != Rx::Current;
            port.rx_timer = 0;
            port.rx = Rx::Current;
        } else if expired(&mut port.rx_timer) {
            port.rx = match port.rx {
                Rx::Expired => Rx::Defaulted,
                Rx::Current => Rx::Expired,
                other => other,
            };
        } else if port.rx == Rx::PortDisabled {
            port.rx = if port.lacp_enabled { Rx::Expired } else { Rx::LacpDisabled };
        }
        if port.rx == last && pdu.is_none() {
            return;
        }
        match port.rx {
            Rx::Initialize => {
                port.lacp_enabled = port.key & DUPLEX_KEY != 0;
                port.selected = false;
                record_default(port);
                port.state &= !state::EXPIRED;
                port.rx = Rx::PortDisabled;
            }
            Rx::LacpDisabled => {
                port.selected = false;
                record_default(port);
                port.partner.state &= !state::AGGREGATION;
                port.state &= !state::EXPIRED;
            }
            Rx::Expired => {
                port.partner.state &= !state::SYNCHRONIZATION;
                port.partner.state |= state::TIMEOUT;
                port.rx_timer = SHORT_TIMEOUT;
                port.state |= state::EXPIRED;
                port.churned = true;
            }
            Rx::Defaulted => {
                if differs(&port.partner_admin, &port.partner) {
                    port.selected = false;
                }
                record_default(port);
                port.state &= !state::EXPIRED;
            }
            Rx::Current => {
                // Without a unit the state was left for another.
                let Some(pdu) = pdu else { return };
                if pdu.actor.system == own_system {
                    // An illegal loopback.
                    return;
                }
                let own = Info {
                    system_priority: own_priority,
                    system: own_system,
                    key: port.key,
                    port_priority: port.priority,
                    port: port.number,
                    state: port.state,
                };
                take(port, pdu, &own);
            }
            Rx::Dummy | Rx::PortDisabled => {}
        }
    }

    /// `ad_periodic_machine` (IEEE 802.1AX §6.4.13)
    pub(super) fn periodic_machine(&mut self, dev: DevId) {
        let Some(slave) = self.slave_mut(dev) else { return };
        let port = &mut slave.ad.port;
        let last = port.periodic;
        let short = port.partner.state & state::TIMEOUT != 0;
        let talks = (port.state | port.partner.state) & state::ACTIVITY != 0;
        if port.begin || !port.lacp_enabled || !port.enabled || !talks {
            port.periodic = Periodic::None;
        } else if port.periodic_timer > 0 {
            port.periodic_timer -= 1;
            match port.periodic {
                _ if port.periodic_timer == 0 => port.periodic = Periodic::Transmit,
                Periodic::Fast if !short => port.periodic = Periodic::Slow,
                Periodic::Slow if short => {
                    port.periodic_timer = 0;
                    port.periodic = Periodic::Transmit;
                }
                _ => {}
            }
        } else {
            port.periodic = match port.periodic {
                Periodic::None => Periodic::Fast,
                Periodic::Transmit if short => Periodic::Fast,
                Periodic::Transmit => Periodic::Slow,
                other => other,
            };
        }
        if port.periodic == last {
            return;
        }
        match port.periodic {
            Periodic::None => port.periodic_timer = 0,
            // One tick has gone with the change of state.
            Periodic::Fast => port.periodic_timer = FAST_PERIODIC - 1,
            Periodic::Slow => port.periodic_timer = SLOW_PERIODIC - 1,
            Periodic::Transmit => port.need_to_transmit = true,
            Periodic::Dummy => {}
        }
    }

    /// `ad_mux_machine` (IEEE 802.1AX §6.4.15). True if the usable slaves may be others now.
    pub(super) fn mux_machine(&mut self, dev: DevId) -> bool {
        let selecting = self.ad.select_timer > 0;
        let active = self.active_aggregator();
        let Some(port) = self.slave(dev).map(|slave| slave.ad.port.clone()) else { return false };
        let in_active = port.aggregator.is_some() && port.aggregator == active;
        let partner_synchronous = port.partner.state & state::SYNCHRONIZATION != 0;
        let last = port.mux;
        let mut next = port.mux;
        let mut changed = false;
        let mut unready = false;
        match port.mux {
            _ if port.begin => next = Mux::Detached,
            Mux::Dummy => {}
            Mux::Detached if port.selected => next = Mux::Waiting,
            Mux::Detached => {}
            Mux::Waiting if !port.selected => {
                unready = true;
                next = Mux::Detached;
            }
            Mux::Waiting => {
                if let Some(slave) = self.slave_mut(dev) {
                    let port = &mut slave.ad.port;
                    port.ready_n |= expired(&mut port.mux_timer);
                }
                if let Some(aggregator) = port.aggregator {
                    self.settle_ready(aggregator);
                }
                let port = self.slave(dev).map(|slave| &slave.ad.port);
                if port.is_some_and(|port| port.ready && port.mux_timer == 0) {
                    next = Mux::Attached;
                }
            }
            Mux::Attached if port.selected && partner_synchronous && !selecting => {
                if in_active {
                    next = Mux::CollectingDistributing;
                }
            }
            Mux::Attached if !port.selected => {
                unready = true;
                next = Mux::Detached;
            }
            Mux::Attached => {
                if in_active && let Some(slave) = self.slave_mut(dev) {
                    slave.ad.port.state |= state::SYNCHRONIZATION;
                }
            }
            Mux::CollectingDistributing => {
                if !port.selected || !partner_synchronous || port.state & state::SYNCHRONIZATION == 0 {
                    next = Mux::Attached;
                } else if in_active && self.slave(dev).is_some_and(|slave| slave.backup) {
                    self.enable_port(dev);
                    changed = true;
                }
            }
        }
        if unready {
            if let Some(slave) = self.slave_mut(dev) {
                slave.ad.port.ready_n = false;
            }
            if let Some(aggregator) = port.aggregator {
                self.settle_ready(aggregator);
            }
        }
        if let Some(slave) = self.slave_mut(dev) {
            slave.ad.port.mux = next;
        }
        changed | (next != last && self.enter_mux(dev, next, in_active))
    }

    fn enter_mux(&mut self, dev: DevId, next: Mux, in_active: bool) -> bool {
        const FLOWS: u8 = state::COLLECTING | state::DISTRIBUTING;
        let joined = self.slave(dev).and_then(|slave| slave.ad.port.aggregator);
        let has_partner = joined
            .and_then(|joined| self.slave(joined))
            .is_some_and(|slave| slave.ad.aggregator.has_partner());
        let Some(slave) = self.slave_mut(dev) else { return false };
        let port = &mut slave.ad.port;
        match next {
            Mux::Dummy => return false,
            Mux::Waiting => {
                port.mux_timer = AGGREGATE_WAIT;
                return false;
            }
            Mux::Detached => port.state &= !(state::SYNCHRONIZATION | FLOWS),
            Mux::Attached => {
                set(&mut port.state, state::SYNCHRONIZATION, in_active);
                port.state &= !FLOWS;
            }
            Mux::CollectingDistributing => port.state |= state::SYNCHRONIZATION | FLOWS,
        }
        port.need_to_transmit = true;
        match next {
            Mux::CollectingDistributing if in_active => {
                self.enable_port(dev);
                true
            }
            Mux::Detached | Mux::Attached if has_partner => {
                self.deactivate(dev);
                true
            }
            _ => false,
        }
    }

    /// `ad_tx_machine`
    pub(super) fn tx_machine(&mut self, dev: DevId, out: &mut Units) {
        let Some(slave) = self.slave_mut(dev) else { return };
        let port = &mut slave.ad.port;
        if !expired(&mut port.tx_timer) {
            return;
        }
        port.tx_timer = TRANSMIT;
        if port.need_to_transmit && port.lacp_enabled {
            port.need_to_transmit = false;
            self.send(dev, out);
        }
    }
}

/// Counts a timer down. True if this was its last tick.
fn expired(timer: &mut u32) -> bool {
    if *timer == 0 {
        return false;
    }
    *timer -= 1;
    *timer == 0
}

/// `__record_default`
fn record_default(port: &mut Port) {
    port.partner = port.partner_admin;
    port.state |= state::DEFAULTED;
}

/// Whether two ends are not the same, or not the same in whether they can be aggregated.
fn differs(a: &Info, b: &Info) -> bool {
    let relevant = |info: &Info| Info { state: info.state & state::AGGREGATION, ..*info };
    relevant(a) != relevant(b)
}

/// `__update_selected`, `__update_ntt`, `__record_pdu`: what a unit from the partner changes.
fn take(port: &mut Port, pdu: &Lacpdu, own: &Info) {
    const TOLD: u8 = state::ACTIVITY | state::TIMEOUT | state::SYNCHRONIZATION | state::AGGREGATION;
    if differs(&pdu.actor, &port.partner) {
        port.selected = false;
    }
    let told = |info: &Info| Info { state: info.state & TOLD, ..*info };
    if told(&pdu.partner) != told(own) {
        port.need_to_transmit = true;
    }
    let matched = !differs(&pdu.partner, own) || pdu.actor.state & state::AGGREGATION == 0;
    port.partner = pdu.actor;
    port.state &= !state::DEFAULTED;
    let synchronous = matched && pdu.actor.state & state::SYNCHRONIZATION != 0;
    set(&mut port.partner.state, state::SYNCHRONIZATION, synchronous);
    port.rx_timer = if port.state & state::TIMEOUT != 0 { SHORT_TIMEOUT } else { LONG_TIMEOUT };
    port.state &= !state::EXPIRED;
}

/// `ad_churn_machine` (IEEE 802.1AX §6.4.17)
pub(super) fn churn_machine(port: &mut Port) {
    if port.churned {
        port.churned = false;
        (port.actor_churn, port.partner_churn) = (Churn::Monitor, Churn::Monitor);
        (port.actor_churn_timer, port.partner_churn_timer) = (CHURN_DETECTION, CHURN_DETECTION);
        return;
    }
    let outcome = |state: u8, count: &mut u32| match state & state::SYNCHRONIZATION {
        0 => {
            *count += 1;
            Churn::Churned
        }
        _ => Churn::None,
    };
    if expired(&mut port.actor_churn_timer) && port.actor_churn == Churn::Monitor {
        port.actor_churn = outcome(port.state, &mut port.actor_churn_count);
    }
    if expired(&mut port.partner_churn_timer) && port.partner_churn == Churn::Monitor {
        port.partner_churn = outcome(port.partner.state, &mut port.partner_churn_count);
    }
}
