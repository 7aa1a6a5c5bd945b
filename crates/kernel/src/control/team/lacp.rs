//! The runner `lacp` of `teamd`: it talks with the partner of each port and enables those of the aggregator that it
//! has selected (teamd_runner_lacp.c of libteam 1.31).

use std::time::Duration;

use hairpin_netlink::team::{TeamLacpInfo, TeamLacpPort, TeamPortConfig};
use hairpin_wire::lacp::{ETHERTYPE, GROUP, Info, Lacpdu, PDU_LEN, state};

use super::TeamJob;
use crate::dev::team::Team;
use crate::dev::team::lacp::{LacpPort, State};
use crate::device::DevId;
use crate::frame::{ETH_LEN, Frame};
use crate::mac::Mac;
use crate::world::{TimerEvent, World};

/// `LACP_PERIODIC_SHORT`, `LACP_PERIODIC_LONG`
const SHORT: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(30);
/// `LACP_PERIODIC_MUL`: a partner is lost after so many intervals.
const INTERVALS: u32 = 3;

impl World {
    fn lacp(&self, team: DevId, dev: DevId) -> Option<&LacpPort> {
        self.team(team)?.lacp(dev)
    }

    fn lacp_mut(&mut self, team: DevId, dev: DevId) -> Option<&mut LacpPort> {
        self.team_mut(team)?.lacp_mut(dev)
    }

    /// `lacp_port_added`
    pub(super) fn join_lacp(&mut self, team: DevId, dev: DevId, config: &TeamPortConfig) {
        let (Some(device), Some(master)) = (self.devs.get(dev), self.devs.get(team)) else { return };
        let (mac, number) = (master.mac, device.ifindex);
        let Some(state) = self.team_mut(team) else { return };
        let Some(lacp) = state.daemon.as_ref().and_then(|daemon| daemon.lacp) else { return };
        let Some(port) = state.port_mut(dev) else { return };
        let actor = Info {
            system_priority: lacp.system_priority,
            system: mac.0,
            key: config.lacp_key,
            port_priority: config.lacp_priority,
            port: (number & 0xffff) as u16,
            state: 0,
        };
        port.lacp = Some(Box::new(LacpPort { actor, sticky: config.sticky, ..LacpPort::default() }));
        self.join_group(dev, Mac(GROUP));
        self.set_periodic(team, dev);
        self.disable_team_port(team, dev);
        // One that cannot have the MAC keeps its own.
        let _ = self.set_mac(dev, mac);
        self.lacp_link_changed(team, dev);
    }

    /// `lacp_port_removed`
    pub(super) fn leave_lacp(&mut self, team: DevId, dev: DevId) {
        if self.lacp(team, dev).is_none() {
            return;
        }
        self.leave_group(dev, Mac(GROUP));
        if let Some(lacp) = self.lacp_mut(team, dev) {
            lacp.partner = Info::default();
            lacp.state = State::Disabled;
        }
        if let Some(state) = self.team_mut(team) {
            state.regroup(dev);
            if let Some(port) = state.port_mut(dev) {
                port.lacp = None;
            }
        }
        self.select_aggregator(team);
    }

    /// `lacp_event_watch_admin_state_changed`
    pub(in crate::control) fn team_went(&mut self, team: DevId, up: bool) {
        let talks = self
            .team(team)
            .is_some_and(|state| state.daemon.as_ref().is_some_and(|daemon| daemon.lacp.is_some()));
        if !talks {
            return;
        }
        for dev in self.team_ports(team).into_iter().rev() {
            self.set_lacp_state(team, dev, if up { State::Expired } else { State::Disabled });
        }
    }

    /// `lacp_port_link_update`
    pub(super) fn lacp_link_changed(&mut self, team: DevId, dev: DevId) {
        let Some(port) = self.team(team).and_then(|state| state.port(dev)) else { return };
        let (up, full, has_speed) = (port.up, port.full_duplex, port.speed != 0);
        let Some(lacp) = &port.lacp else { return };
        if lacp.link != (up, full) {
            // Half duplex will not do; a device that tells neither speed nor duplex will.
            let works = up && full == has_speed;
            self.set_lacp_state(team, dev, if works { State::Expired } else { State::Disabled });
        }
        if let Some(lacp) = self.lacp_mut(team, dev) {
            lacp.link = (up, full);
        }
    }

    /// `lacp_event_watch_hwaddr_changed`
    pub(super) fn lacp_mac_changed(&mut self, team: DevId, mac: Mac) {
        for dev in self.team_ports(team) {
            if let Some(lacp) = self.lacp_mut(team, dev) {
                lacp.actor.system = mac.0;
            }
        }
    }

    /// `lacp_port_set_state`
    fn set_lacp_state(&mut self, team: DevId, dev: DevId, new: State) {
        let Some(lacp) = self.lacp_mut(team, dev).filter(|lacp| lacp.state != new) else { return };
        lacp.periodic_on = new != State::Disabled;
        self.watch_periodic(team, dev);
        let Some(lacp) = self.lacp_mut(team, dev) else { return };
        match new {
            State::Current => {}
            State::Expired => {
                lacp.partner.state |= state::TIMEOUT;
                lacp.partner.state &= !state::SYNCHRONIZATION;
                self.heed_periodic(team, dev, true);
                self.heed_partner(team, dev);
                self.set_timeout(team, dev, true);
            }
            State::Defaulted | State::Disabled => {
                lacp.partner = Info::default();
                if new == State::Defaulted {
                    lacp.timeout.watched = false;
                    lacp.partner.state = state::TIMEOUT;
                }
                self.heed_partner(team, dev);
            }
        }
        if let Some(lacp) = self.lacp_mut(team, dev) {
            lacp.state = new;
        }
        self.changed();
        self.regroup(team, dev);
        self.tell_partner(team, dev);
    }

    /// `lacp_port_agg_update`
    fn regroup(&mut self, team: DevId, dev: DevId) {
        if let Some(state) = self.team_mut(team) {
            state.regroup(dev);
        }
        self.select_aggregator(team);
    }

    /// `lacp_selected_agg_update`: the ports of the aggregator that is selected are enabled, once their partners are
    /// ready.
    fn select_aggregator(&mut self, team: DevId) {
        let Some(state) = self.team_mut(team) else { return };
        state.selected = state.next_aggregator();
        for dev in self.team_ports(team).into_iter().rev() {
            let Some(state) = self.team(team) else { return };
            match is_to_be_enabled(state, dev) {
                true => self.enable_team_port(team, dev),
                false => self.disable_team_port(team, dev),
            }
        }
        // `lacp_update_carrier`
        let Some(state) = self.team_mut(team) else { return };
        let least = state.daemon.as_ref().and_then(|daemon| daemon.lacp).map_or(1, |lacp| lacp.min_ports);
        let carrier = state.enabled.len() >= least as usize && !state.enabled.is_empty();
        state.own_carrier = Some(carrier);
        self.settle_team_carrier(team);
    }

    /// `lacp_port_partner_update`
    fn heed_partner(&mut self, team: DevId, dev: DevId) {
        let Some(lacp) = self.lacp_mut(team, dev) else { return };
        let changed = lacp.partner.state ^ lacp.known_state;
        lacp.known_state = lacp.partner.state;
        if changed & state::TIMEOUT != 0 {
            self.set_periodic(team, dev);
        }
        if changed & state::ACTIVITY != 0 {
            self.watch_periodic(team, dev);
        }
    }

    /// `lacp_port_periodic_cb_change_enabled`
    fn watch_periodic(&mut self, team: DevId, dev: DevId) {
        let own = self.team(team).and_then(|state| state.daemon.as_ref()).and_then(|daemon| daemon.lacp);
        let Some(lacp) = self.lacp(team, dev) else { return };
        let active = own.is_some_and(|own| own.active) || lacp.partner.state & state::ACTIVITY != 0;
        let on = active && lacp.periodic_on;
        self.heed_periodic(team, dev, on);
    }

    /// The daemon looks at the periodic timer from now on, or no longer; what has gone off meanwhile is late.
    fn heed_periodic(&mut self, team: DevId, dev: DevId, on: bool) {
        let now = self.now;
        let Some(lacp) = self.lacp_mut(team, dev) else { return };
        lacp.periodic.watched = on;
        if on && std::mem::take(&mut lacp.periodic.gone_off) {
            let serial = lacp.periodic.serial;
            self.timers.add(now, TimerEvent::Team { team, job: TeamJob::LacpLate(dev), serial });
        }
    }

    /// `lacp_port_periodic_set`: it goes off at once, and then at its interval.
    fn set_periodic(&mut self, team: DevId, dev: DevId) {
        let now = self.now;
        let Some(lacp) = self.lacp_mut(team, dev) else { return };
        lacp.periodic.serial = lacp.periodic.serial.wrapping_add(1);
        lacp.periodic.gone_off = false;
        let serial = lacp.periodic.serial;
        self.timers.add(now, TimerEvent::Team { team, job: TeamJob::LacpPeriodic(dev), serial });
    }

    pub(super) fn lacp_periodic_due(&mut self, team: DevId, dev: DevId, serial: u32, late: bool) {
        let now = self.now;
        let Some(lacp) = self.lacp_mut(team, dev).filter(|lacp| lacp.periodic.serial == serial) else {
            return;
        };
        let watched = lacp.periodic.watched;
        if !late {
            let interval = if lacp.partner.state & state::TIMEOUT != 0 { SHORT } else { LONG };
            lacp.periodic.gone_off |= !watched;
            self.timers
                .add(now + interval, TimerEvent::Team { team, job: TeamJob::LacpPeriodic(dev), serial });
        }
        if watched {
            self.tell_partner(team, dev);
        }
    }

    /// `lacp_port_timeout_set`
    fn set_timeout(&mut self, team: DevId, dev: DevId, short: bool) {
        let now = self.now;
        let own = self.team(team).and_then(|state| state.daemon.as_ref()).and_then(|daemon| daemon.lacp);
        let fast = short || own.is_some_and(|own| own.fast_rate);
        let Some(lacp) = self.lacp_mut(team, dev) else { return };
        lacp.timeout.serial = lacp.timeout.serial.wrapping_add(1);
        lacp.timeout.watched = true;
        let serial = lacp.timeout.serial;
        let after = if fast { SHORT } else { LONG } * INTERVALS;
        self.timers.add(now + after, TimerEvent::Team { team, job: TeamJob::LacpTimeout(dev), serial });
    }

    pub(super) fn lacp_timeout_due(&mut self, team: DevId, dev: DevId, serial: u32) {
        let Some(lacp) = self.lacp(team, dev) else { return };
        if lacp.timeout.serial != serial || !lacp.timeout.watched {
            return;
        }
        match lacp.state {
            State::Current => self.set_lacp_state(team, dev, State::Expired),
            State::Expired => self.set_lacp_state(team, dev, State::Defaulted),
            State::Defaulted | State::Disabled => {}
        }
    }

    /// `lacp_port_actor_update`
    fn refresh_actor(&mut self, team: DevId, dev: DevId) {
        let Some(state) = self.team_mut(team) else { return };
        let Some(own) = state.daemon.as_ref().and_then(|daemon| daemon.lacp) else { return };
        let selected = state.selected;
        let Some(lacp) = state.lacp_mut(dev) else { return };
        let mut told = state::AGGREGATION;
        let mut tell = |bits: u8, on: bool| told |= if on { bits } else { 0 };
        let in_selected = lacp.lead.is_some() && lacp.lead == selected;
        let synchronous = in_selected && lacp.partner.state & state::SYNCHRONIZATION != 0;
        tell(state::ACTIVITY, own.active);
        tell(state::TIMEOUT, own.fast_rate);
        tell(state::SYNCHRONIZATION, in_selected);
        tell(state::COLLECTING | state::DISTRIBUTING, synchronous);
        tell(state::EXPIRED, lacp.state == State::Expired);
        tell(state::DEFAULTED, lacp.state == State::Defaulted);
        lacp.actor.state = told;
    }

    /// The partner is told how things stand.
    fn tell_partner(&mut self, team: DevId, dev: DevId) {
        self.refresh_actor(team, dev);
        self.send_lacpdu(team, dev);
    }

    /// `lacpdu_send`: from the MAC that the port brought, while the team is up.
    fn send_lacpdu(&mut self, team: DevId, dev: DevId) {
        let Some(master) = self.devs.get(team).filter(|master| master.is_up()) else { return };
        let mac = master.mac;
        let Some(port) = self.team_mut(team).and_then(|state| state.port_mut(dev)) else { return };
        let source = port.mac;
        let Some(lacp) = port.lacp.as_deref_mut() else { return };
        lacp.actor.system = mac.0;
        let unit = Lacpdu { actor: lacp.actor, partner: lacp.partner, collector_max_delay: 0 };
        let mut frame = self.pool.frame(ETH_LEN + PDU_LEN);
        frame.set_header(Mac(GROUP), source, ETHERTYPE);
        frame.payload_mut().copy_from_slice(&unit.to_bytes());
        self.name_frame(&mut frame);
        self.transmit(dev, frame);
    }

    /// `lacpdu_recv`: a port has heard its partner.
    pub(crate) fn team_hears_lacp(&mut self, team: DevId, dev: DevId, frame: &Frame) {
        let Some(unit) = Lacpdu::parse(frame.payload()) else { return };
        let Some(lacp) = self.lacp_mut(team, dev) else { return };
        if lacp.partner != unit.actor {
            lacp.partner = unit.actor;
            self.heed_partner(team, dev);
            self.regroup(team, dev);
        }
        self.set_lacp_state(team, dev, State::Current);
        self.refresh_actor(team, dev);
        if self.lacp(team, dev).is_some_and(|lacp| lacp.actor != unit.partner) {
            self.send_lacpdu(team, dev);
        }
        self.set_timeout(team, dev, false);
    }

    /// What there is to say of a port.
    pub(super) fn lacp_state(&self, team: DevId, dev: DevId) -> Option<TeamLacpPort> {
        let state = self.team(team)?;
        let lacp = state.lacp(dev)?;
        let lead = lacp.lead.and_then(|lead| self.devs.get(lead)).map_or(0, |lead| lead.ifindex);
        Some(TeamLacpPort {
            selected: lacp.lead.is_some(),
            aggregator: lead,
            aggregator_selected: lacp.lead.is_some() && lacp.lead == state.selected,
            state: lacp.state.name().to_owned(),
            actor: told(&lacp.actor),
            partner: told(&lacp.partner),
        })
    }
}

/// `lacp_port_should_be_enabled`
fn is_to_be_enabled(state: &Team, dev: DevId) -> bool {
    state.lacp(dev).is_some_and(|lacp| {
        let synchronous = lacp.partner.state & state::SYNCHRONIZATION != 0;
        lacp.lead.is_some() && lacp.lead == state.selected && synchronous
    })
}

fn told(info: &Info) -> TeamLacpInfo {
    TeamLacpInfo {
        system_priority: info.system_priority,
        system: info.system,
        key: info.key,
        port_priority: info.port_priority,
        port: info.port,
        state: info.state,
    }
}
