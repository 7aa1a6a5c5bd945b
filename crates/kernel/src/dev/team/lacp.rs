//! What the runner `lacp` of `teamd` knows of a port, and how it compares ports (teamd_runner_lacp.c of libteam 1.31).
//! What it does is in `control/team/lacp.rs`.

use hairpin_netlink::team::TeamPolicy;
use hairpin_wire::lacp::Info;

use super::{Port, Team};
use crate::device::DevId;

/// `enum lacp_port_state`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    #[default]
    Disabled,
    /// The partner is heard.
    Current,
    /// It was not heard for a while, or not yet.
    Expired,
    /// There is none.
    Defaulted,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            State::Disabled => "disabled",
            State::Current => "current",
            State::Expired => "expired",
            State::Defaulted => "defaulted",
        }
    }
}

/// A timer of the daemon. It may go off while nobody looks; that is noticed later.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    pub serial: u32,
    pub watched: bool,
    pub gone_off: bool,
}

/// `struct lacp_port`
#[derive(Clone, Debug, Default)]
pub struct LacpPort {
    pub actor: Info,
    pub partner: Info,
    /// The partner's state when it was last acted upon.
    pub known_state: u8,
    pub periodic_on: bool,
    /// The port that leads its aggregator; none of a port that is not selected.
    pub lead: Option<DevId>,
    pub state: State,
    /// Link and duplex at the last look.
    pub link: (bool, bool),
    pub periodic: Clock,
    pub timeout: Clock,
    pub sticky: bool,
}

impl LacpPort {
    /// `lacp_port_loopback_free`
    pub fn is_loopback_free(&self) -> bool {
        self.actor.system != self.partner.system
    }

    /// `get_lacp_port_prio_info`: the end that decides, as bytes that are compared. Numbers are compared as they lie in
    /// memory.
    fn rank(&self) -> [u8; 15] {
        let own = (self.actor.system_priority, self.actor.system);
        let decides = if own < (self.partner.system_priority, self.partner.system) {
            &self.actor
        } else {
            &self.partner
        };
        let mut rank = [0; 15];
        rank[0..2].copy_from_slice(&decides.system_priority.to_le_bytes());
        rank[2..8].copy_from_slice(&decides.system);
        rank[10..12].copy_from_slice(&decides.port_priority.to_le_bytes());
        rank[12..14].copy_from_slice(&decides.port.to_le_bytes());
        rank
    }
}

/// `lacp_ports_aggregable`
fn go_together(one: &LacpPort, other: &LacpPort) -> bool {
    (one.partner.key, one.actor.key, one.partner.system)
        == (other.partner.key, other.actor.key, other.partner.system)
}

impl Team {
    pub fn lacp(&self, dev: DevId) -> Option<&LacpPort> {
        self.port(dev)?.lacp.as_deref()
    }

    pub fn lacp_mut(&mut self, dev: DevId) -> Option<&mut LacpPort> {
        self.port_mut(dev)?.lacp.as_deref_mut()
    }

    /// Ports with what LACP knows of them, the newest first, as the daemon's list is.
    fn lacp_ports(&self) -> impl Iterator<Item = (&Port, &LacpPort)> {
        self.ports.iter().rev().filter_map(|port| Some((port, port.lacp.as_deref()?)))
    }

    fn policy(&self) -> TeamPolicy {
        self.daemon.as_ref().and_then(|daemon| daemon.lacp).map(|lacp| lacp.policy).unwrap_or_default()
    }

    /// `lacp_port_better`
    fn is_better(&self, dev: DevId, other: Option<DevId>) -> bool {
        let Some(other) = other else { return true };
        let (Some(one), Some(two)) = (self.port(dev), self.port(other)) else { return false };
        match self.policy() {
            TeamPolicy::PortConfig => one.priority > two.priority,
            _ => match (&one.lacp, &two.lacp) {
                (Some(one), Some(two)) => one.rank() < two.rank(),
                _ => false,
            },
        }
    }

    /// `lacp_port_correct_aggregation`: whether a port fits the first other one of its aggregator.
    fn fits_aggregator(&self, dev: DevId) -> bool {
        let Some(own) = self.lacp(dev) else { return true };
        let mut others = self
            .lacp_ports()
            .filter(|(port, lacp)| port.dev != dev && lacp.lead.is_some() && lacp.lead == own.lead);
        others.next().is_none_or(|(_, other)| go_together(other, own))
    }

    /// `lacp_get_agg_lead`
    fn aggregator_for(&self, dev: DevId) -> Option<DevId> {
        let own = self.lacp(dev)?;
        let mut others = self
            .lacp_ports()
            .filter(|(port, lacp)| port.dev != dev && lacp.lead.is_some() && go_together(lacp, own));
        others.next().map_or(Some(dev), |(_, other)| other.lead)
    }

    fn members(&self, lead: DevId) -> impl Iterator<Item = &Port> {
        self.lacp_ports().filter(move |(_, lacp)| lacp.lead == Some(lead)).map(|(port, _)| port)
    }

    /// `lacp_port_mergeable`: it is alone in its aggregator, and fits another one.
    fn is_mergeable(&self, dev: DevId) -> bool {
        self.lacp(dev).is_some_and(|lacp| lacp.lead == Some(dev))
            && self.members(dev).count() == 1
            && self.aggregator_for(dev) != Some(dev)
    }

    /// `lacp_switch_agg_lead`
    fn rename_aggregator(&mut self, old: DevId, new: Option<DevId>) {
        if self.selected == Some(old) {
            self.selected = new;
        }
        for port in &mut self.ports {
            if let Some(lacp) = port.lacp.as_deref_mut().filter(|lacp| lacp.lead == Some(old)) {
                lacp.lead = new;
            }
        }
    }

    /// `lacp_port_agg_update` without its end: a port leaves an aggregator that it does not fit, and joins one.
    pub fn regroup(&mut self, dev: DevId) {
        let Some(lacp) = self.lacp(dev) else { return };
        let (state, free) = (lacp.state, lacp.is_loopback_free());
        let keeps = matches!(state, State::Current | State::Expired) && free;
        let stays = keeps && self.fits_aggregator(dev) && !self.is_mergeable(dev);
        if let Some(lead) = lacp_lead(self, dev).filter(|_| !stays) {
            if let Some(lacp) = self.lacp_mut(dev) {
                lacp.lead = None;
            }
            if lead == dev {
                let mut heir = None;
                for port in self.members(dev) {
                    if self.is_better(port.dev, heir) {
                        heir = Some(port.dev);
                    }
                }
                self.rename_aggregator(dev, heir);
            }
        }
        if lacp_lead(self, dev).is_none() && state == State::Current && free {
            let lead = self.aggregator_for(dev);
            if let Some(lacp) = self.lacp_mut(dev) {
                lacp.lead = lead;
            }
            if let Some(lead) = lead.filter(|lead| self.is_better(dev, Some(*lead))) {
                self.rename_aggregator(lead, Some(dev));
            }
        }
    }

    /// `lacp_get_next_agg`: the aggregator that is to carry the traffic.
    pub fn next_aggregator(&self) -> Option<DevId> {
        let leads = || self.lacp_ports().filter_map(|(_, lacp)| lacp.lead);
        let best_port = || {
            let mut best = None;
            for lead in leads() {
                if self.is_better(lead, best) {
                    best = Some(lead);
                }
            }
            best
        };
        // The first of those with the most, and more than none.
        let most = |measure: &dyn Fn(DevId) -> u64| {
            let mut best = (0, None);
            for lead in leads() {
                if measure(lead) > best.0 {
                    best = (measure(lead), Some(lead));
                }
            }
            best.1
        };
        match self.policy() {
            TeamPolicy::LacpPrio => best_port(),
            TeamPolicy::LacpPrioStable => self.selected.or_else(best_port),
            TeamPolicy::Bandwidth => most(&|lead| self.members(lead).map(|port| u64::from(port.speed)).sum()),
            TeamPolicy::Count => most(&|lead| self.members(lead).count() as u64),
            TeamPolicy::PortConfig => {
                let sticky =
                    |lead: DevId| self.lacp_ports().any(|(_, lacp)| lacp.lead == Some(lead) && lacp.sticky);
                self.selected.filter(|lead| sticky(*lead)).or_else(best_port)
            }
        }
    }
}

fn lacp_lead(team: &Team, dev: DevId) -> Option<DevId> {
    team.lacp(dev).and_then(|lacp| lacp.lead)
}
