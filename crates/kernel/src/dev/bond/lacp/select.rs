//! Which aggregator a port joins (IEEE 802.1AX §6.4.14), and which aggregator carries the traffic.

use hairpin_wire::lacp::state;

use super::super::{Bond, Link, Slave};
use super::{Aggregator, DUPLEX_KEY};
use crate::device::DevId;

impl Bond {
    /// `ad_port_selection_logic`: a port that has none looks for an aggregator (IEEE 802.1AX §6.4.14).
    pub(super) fn select_port(&mut self, dev: DevId, carrier: impl Fn(DevId) -> bool + Copy) -> bool {
        let Some(port) = self.slave(dev).map(|slave| &slave.ad.port) else { return false };
        if port.selected {
            return false;
        }
        let (key, partner) = (port.key, port.partner);
        if let Some(left) = port.aggregator
            && let Some(slave) = self.slave_mut(left)
        {
            let aggregator = &mut slave.ad.aggregator;
            aggregator.ports.retain(|port| *port != dev);
            if aggregator.ports.is_empty() {
                aggregator.clear();
            }
        }
        let fits = |aggregator: &Aggregator| {
            aggregator.actor_key == key
                && aggregator.partner_system == partner.system
                && aggregator.partner_priority == partner.system_priority
                && aggregator.partner_key == partner.key
                && partner.system != [0; 6]
                && !aggregator.individual
        };
        // The first that fits; a free one counts where none does.
        let joined = self.slaves.iter().map(|slave| (slave.dev, &slave.ad.aggregator));
        let found = joined.clone().find(|(_, found)| !found.ports.is_empty() && fits(found));
        let free = joined.clone().find(|(_, found)| found.ports.is_empty()).map(|(dev, _)| dev);
        let joined = match found.map(|(dev, _)| dev) {
            Some(found) => Some(found),
            None => free.inspect(|free| {
                if let Some(slave) = self.slave_mut(*free) {
                    let aggregator = &mut slave.ad.aggregator;
                    aggregator.individual = key & DUPLEX_KEY == 0;
                    aggregator.actor_key = key;
                    aggregator.partner_system = partner.system;
                    aggregator.partner_priority = partner.system_priority;
                    aggregator.partner_key = partner.key;
                }
            }),
        };
        if let Some(slave) = self.slave_mut(dev) {
            slave.ad.port.aggregator = joined;
            slave.ad.port.selected |= joined.is_some();
        }
        let Some(joined) = joined else { return false };
        if let Some(slave) = self.slave_mut(joined) {
            slave.ad.aggregator.ports.insert(0, dev);
        }
        self.settle_ready(joined);
        let changed = self.select_aggregator(carrier);
        if self.active_aggregator() != Some(joined)
            && let Some(slave) = self.slave_mut(dev)
        {
            slave.ad.port.state &= !state::SYNCHRONIZATION;
        }
        changed
    }

    /// `__set_agg_ports_ready`, `__agg_ports_are_ready`
    pub(super) fn settle_ready(&mut self, aggregator: DevId) {
        let joined = |slave: &&Slave| slave.ad.port.aggregator == Some(aggregator);
        let ready = self.slaves.iter().filter(joined).all(|slave| slave.ad.port.ready_n);
        for slave in self.slaves.iter_mut().filter(|slave| slave.ad.port.aggregator == Some(aggregator)) {
            slave.ad.port.ready = ready;
        }
    }

    /// `ad_agg_selection_logic`: which aggregator carries the traffic. True if it is another one than before.
    pub(super) fn select_aggregator(&mut self, carrier: impl Fn(DevId) -> bool + Copy) -> bool {
        let up = |aggregator: &Aggregator| aggregator.ports.iter().any(|port| carrier(*port));
        let active = self.active_aggregator();
        let found = |dev: DevId| self.slave(dev).map(|slave| &slave.ad.aggregator);
        let mut best = active.filter(|dev| found(*dev).is_some_and(up));
        for slave in &self.slaves {
            let candidate = &slave.ad.aggregator;
            if self.enabled_ports(candidate) > 0 && up(candidate) {
                let better = best.and_then(found).is_none_or(|best| self.beats(candidate, best));
                if better {
                    best = Some(slave.dev);
                }
            }
        }
        // `BOND_AD_STABLE`: what works stays.
        let stays = match (active.and_then(found), best.and_then(found)) {
            (Some(active), Some(best)) if self.params.ad_select == 0 => {
                self.enabled_ports(active) > 0
                    && (active.has_partner() || !best.has_partner())
                    && !(active.actor_key == 0 && best.actor_key != 0)
            }
            _ => false,
        };
        if stays || best == active {
            best = active.filter(|_| best.is_some());
        }
        let changed = best != active && best.is_some();
        let old_ports = active.and_then(found).map(|active| active.ports.clone()).unwrap_or_default();
        for slave in &mut self.slaves {
            slave.ad.aggregator.active = best == Some(slave.dev);
        }
        if changed {
            for port in old_ports {
                self.deactivate(port);
            }
        }
        if let Some(best) = best
            && let Some(aggregator) = self.slave(best).map(|slave| slave.ad.aggregator.clone())
            && !aggregator.has_partner()
        {
            for port in aggregator.ports {
                self.enable_port(port);
            }
        }
        changed
    }

    /// `ad_agg_selection_test`: whether a candidate is better than the best so far.
    fn beats(&self, candidate: &Aggregator, best: &Aggregator) -> bool {
        const COUNT: u8 = 2;
        if candidate.individual != best.individual {
            return best.individual;
        }
        if candidate.has_partner() != best.has_partner() {
            return candidate.has_partner();
        }
        let (ports, most) = (self.enabled_ports(candidate), self.enabled_ports(best));
        if self.params.ad_select == COUNT && ports != most {
            return ports > most;
        }
        self.bandwidth(candidate) > self.bandwidth(best)
    }

    /// `__get_agg_bandwidth`
    fn bandwidth(&self, aggregator: &Aggregator) -> u64 {
        let first = aggregator.ports.first().and_then(|port| self.slave(*port));
        let speed = first.filter(|slave| slave.link == Link::Up).and_then(|slave| slave.speed).unwrap_or(0);
        self.enabled_ports(aggregator) as u64 * u64::from(speed)
    }

    /// `__agg_active_ports`
    pub(super) fn enabled_ports(&self, aggregator: &Aggregator) -> usize {
        let enabled = |port: &&DevId| self.slave(**port).is_some_and(|slave| slave.ad.port.enabled);
        aggregator.ports.iter().filter(enabled).count()
    }

    /// `__enable_port`
    pub(super) fn enable_port(&mut self, dev: DevId) {
        if self.slave(dev).is_some_and(Slave::works) {
            self.activate(dev);
        }
    }
}
