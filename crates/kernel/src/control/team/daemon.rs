//! What `teamd` does to a team: it takes the ports that come under its wing, lets its runner choose, and is asked and
//! told by `teamdctl` (teamd.c, teamd_runner_activebackup.c, teamd_runner_loadbalance.c, teamd_balancer.c of libteam).

use std::time::Duration;

use hairpin_netlink::Errno;
use hairpin_netlink::sys::Reply;
use hairpin_netlink::team::{
    TeamCall, TeamDaemon, TeamHash, TeamMacPolicy, TeamMode, TeamPortConfig, TeamPortState, TeamState,
    TeamWatch, TeamWatchState,
};

use super::TeamJob;
use crate::dev::team::{Balance, HASHES, Port, Watch};
use crate::device::DevId;
use crate::mac::Mac;
use crate::netns::NsId;
use crate::world::{TimerEvent, World};

impl World {
    /// What the daemon does with a new port.
    pub(super) fn team_port_added(&mut self, team: DevId, dev: DevId, carrier: bool) {
        self.read_team_port(team, dev, carrier);
        let name = self.devs.get(dev).map(|device| device.name.clone()).unwrap_or_default();
        let Some(state) = self.team_mut(team) else { return };
        let first = state.ports.len() == 1;
        let Some(daemon) = state.daemon.clone() else { return self.settle_team_carrier(team) };
        let Some(port) = state.port_mut(dev) else { return };
        let config = daemon.ports.iter().find(|config| config.name == name).cloned();
        let config = config.unwrap_or_else(|| TeamPortConfig::named(&name));
        configure(port, &config);
        let mut watches: Vec<TeamWatch> = config.watches.iter().chain(&daemon.watches).cloned().collect();
        if watches.is_empty() {
            watches.push(TeamWatch::Ethtool { delay_up: 0, delay_down: 0 });
        }
        // The kernel goes by the opinion of a watch that asks.
        port.user_linkup_enabled = watches.iter().any(|watch| matches!(watch, TeamWatch::ArpPing(_)));
        port.watches = watches.into_iter().map(watch).collect();
        port.user_linkup = false;
        let mac = port.mac;
        self.refresh_port_link(team, dev);
        if first && !daemon.own_mac {
            self.set_team_mac(team, mac);
        }
        let team_mac = self.devs.get(team).map(|team| team.mac).unwrap_or_default();
        match daemon.mode {
            TeamMode::ActiveBackup => {
                self.disable_team_port(team, dev);
                if daemon.mac_policy == TeamMacPolicy::SameAll {
                    // One that cannot have the MAC keeps its own.
                    let _ = self.set_mac(dev, team_mac);
                }
            }
            TeamMode::LoadBalance if daemon.lacp.is_some() => self.join_lacp(team, dev, &config),
            TeamMode::LoadBalance => {
                let _ = self.set_mac(dev, team_mac);
                if !carrier {
                    self.disable_team_port(team, dev);
                }
            }
            TeamMode::RoundRobin | TeamMode::Broadcast | TeamMode::Random => {}
        }
        self.start_watches(team, dev);
        self.settle_team_carrier(team);
    }

    /// `teamd_event_port_link_changed`: the link watches think otherwise of a port.
    pub(super) fn link_judged(&mut self, team: DevId, dev: DevId) {
        let Some(state) = self.team(team) else { return };
        let Some(daemon) = &state.daemon else { return };
        let up = state.port(dev).is_some_and(Port::watched_up);
        match daemon.mode {
            TeamMode::ActiveBackup => self.choose_team_port(team),
            TeamMode::LoadBalance if daemon.lacp.is_none() => match up {
                true => self.enable_team_port(team, dev),
                false => self.disable_team_port(team, dev),
            },
            _ => {}
        }
    }

    /// The team's MAC has changed: the ports that have it follow.
    pub(super) fn daemon_hears_of_mac(&mut self, team: DevId, mac: Mac) {
        let Some(state) = self.team(team) else { return };
        let Some(daemon) = &state.daemon else { return };
        let ports = match (daemon.mode, daemon.mac_policy) {
            (TeamMode::LoadBalance, _) | (TeamMode::ActiveBackup, TeamMacPolicy::SameAll) => {
                self.team_ports(team)
            }
            (TeamMode::ActiveBackup, TeamMacPolicy::OnlyActive) => state.chosen.into_iter().collect(),
            _ => Vec::new(),
        };
        for port in ports {
            // One that cannot have the MAC keeps its own.
            let _ = self.set_mac(port, mac);
        }
        self.lacp_mac_changed(team, mac);
    }

    /// `ab_link_watch_handler`
    pub(super) fn choose_team_port(&mut self, team: DevId) {
        let Some(state) = self.team(team) else { return };
        if state.daemon.as_ref().is_none_or(|daemon| daemon.mode != TeamMode::ActiveBackup) {
            return;
        }
        let old = state.chosen;
        let best = state.best();
        let lost = old.is_some_and(|old| state.port(old).is_none_or(|port| !port.watched_up()));
        if best != old || lost {
            self.change_team_port(team, best);
        }
    }

    /// `ab_change_active_port`
    fn change_team_port(&mut self, team: DevId, new: Option<DevId>) {
        let Some(state) = self.team_mut(team) else { return };
        let policy = state.daemon.as_ref().map(|daemon| daemon.mac_policy).unwrap_or_default();
        let own = state.active_mac.take();
        if let Some(old) = state.chosen.take() {
            self.disable_team_port(team, old);
            if let Some(own) = own {
                // It had it before.
                let _ = self.set_mac(old, own);
            }
        }
        if let Some(new) = new {
            if let Some(state) = self.team_mut(team) {
                state.active = Some(new);
                state.chosen = Some(new);
            }
            self.enable_team_port(team, new);
            let mac = |dev: DevId| self.devs.get(dev).map(|device| device.mac);
            if let (Some(own), Some(team_mac)) = (mac(new), mac(team)) {
                match policy {
                    TeamMacPolicy::SameAll => {}
                    TeamMacPolicy::ByActive => self.set_team_mac(team, own),
                    TeamMacPolicy::OnlyActive => {
                        if let Some(state) = self.team_mut(team) {
                            state.active_mac = Some(own);
                        }
                        // One that cannot have the MAC keeps its own.
                        let _ = self.set_mac(new, team_mac);
                    }
                }
            }
        }
        self.changed();
    }

    /// A team's clock has gone off.
    pub(crate) fn team_timer(&mut self, team: DevId, job: TeamJob, serial: u32) {
        let Some(state) = self.team(team) else { return };
        match job {
            TeamJob::Watch(dev, at) => self.watch_due(team, dev, at, serial),
            TeamJob::Notify if state.notice_serial == serial => self.team_announces(team),
            TeamJob::Rejoin if state.rejoin_serial == serial => self.team_rejoins(team),
            TeamJob::Notify | TeamJob::Rejoin => {}
            TeamJob::LacpPeriodic(dev) => self.lacp_periodic_due(team, dev, serial, false),
            TeamJob::LacpLate(dev) => self.lacp_periodic_due(team, dev, serial, true),
            TeamJob::LacpTimeout(dev) => self.lacp_timeout_due(team, dev, serial),
            TeamJob::Balance => self.balance_team(team, serial),
        }
    }

    /// `tb_rebalance`: the flows that send most go, one after the other, to the port that has least to send.
    fn balance_team(&mut self, team: DevId, serial: u32) {
        let Some(state) = self.team_mut(team) else { return };
        let interval = state.daemon.as_ref().and_then(|daemon| daemon.balances);
        let Some(interval) = interval.filter(|_| state.balance_serial == serial) else { return };
        let ports: Vec<DevId> = state.ports.iter().rev().map(|port| port.dev).collect();
        let mut loads: Vec<(DevId, u64)> =
            ports.into_iter().filter(|dev| state.enabled.contains(dev)).map(|dev| (dev, 0)).collect();
        if let Some(balance) = &mut state.balance {
            let changed = balance.sent.iter().any(|(sent, seen)| Some(*sent) != *seen && *sent > 0);
            let mut flows: Vec<(usize, u64)> = Vec::new();
            for (hash, (sent, seen)) in balance.sent.iter_mut().enumerate() {
                // What is seen for the first time is no load yet.
                flows.push((hash, seen.map_or(0, |seen| sent.wrapping_sub(seen))));
                if *sent > 0 {
                    *seen = Some(*sent);
                }
            }
            flows.sort_by_key(|(hash, load)| (std::cmp::Reverse(*load), *hash));
            for (hash, load) in flows.into_iter().filter(|_| changed) {
                let Some(place) = balance.mapped.get_mut(hash) else { continue };
                if place.is_some() && load == 0 {
                    continue;
                }
                let Some(least) = loads.iter_mut().min_by_key(|(_, bytes)| *bytes) else { break };
                *place = Some(least.0);
                least.1 += load;
            }
        }
        self.set_balance_clock(team, interval);
    }

    /// In tenths of a second.
    fn set_balance_clock(&mut self, team: DevId, interval: u32) {
        const TENTH: Duration = Duration::from_millis(100);
        let at = self.now.timer(TENTH * interval.max(1));
        let Some(state) = self.team_mut(team) else { return };
        state.balance_serial = state.balance_serial.wrapping_add(1);
        let serial = state.balance_serial;
        self.timers.add(at, TimerEvent::Team { team, job: TeamJob::Balance, serial });
    }

    /// What the programs of libteam ask.
    ///
    /// # Errors
    /// `ENODEV` where there is no such team, `ENOENT` where there is no such port; `EBUSY` for a mode of a team with
    /// ports.
    pub(crate) fn team_call(&mut self, ns: NsId, call: TeamCall) -> Result<Reply, Errno> {
        let (TeamCall::Start { ifindex, .. }
        | TeamCall::Stop { ifindex }
        | TeamCall::State { ifindex }
        | TeamCall::SetPriority { ifindex, .. }
        | TeamCall::SetEnabled { ifindex, .. }
        | TeamCall::SetActive { ifindex, .. }
        | TeamCall::SetQueue { ifindex, .. }
        | TeamCall::Choose { ifindex, .. }
        | TeamCall::Configure { ifindex, .. }) = call;
        let team = self.device_at(ns, ifindex).ok_or(Errno::ENODEV)?;
        let has_port = |world: &World, index| {
            let port = world.device_at(ns, index).ok_or(Errno::ENOENT)?;
            world.team(team).ok_or(Errno::ENODEV)?.port(port).map(|port| port.dev).ok_or(Errno::ENOENT)
        };
        match call {
            TeamCall::Start { daemon, .. } => self.start_team(team, daemon)?,
            TeamCall::Stop { .. } => self.stop_team(team)?,
            TeamCall::State { .. } => return self.team_state(team).map(|state| Reply::Team(Box::new(state))),
            TeamCall::SetPriority { port, priority, .. } => {
                let port = has_port(self, port)?;
                if let Some(port) = self.team_mut(team).and_then(|state| state.port_mut(port)) {
                    port.priority = priority;
                }
                self.choose_team_port(team);
            }
            TeamCall::SetQueue { port, queue_id, .. } => {
                let port = has_port(self, port)?;
                if let Some(port) = self.team_mut(team).and_then(|state| state.port_mut(port)) {
                    port.queue_id = queue_id;
                }
            }
            TeamCall::SetEnabled { port, enabled, .. } => {
                let port = has_port(self, port)?;
                match enabled {
                    true => self.enable_team_port(team, port),
                    false => self.disable_team_port(team, port),
                }
            }
            TeamCall::SetActive { port, .. } => {
                let port = has_port(self, port)?;
                self.team_mut(team).ok_or(Errno::ENODEV)?.active = Some(port);
            }
            TeamCall::Choose { port, .. } => {
                let port = has_port(self, port)?;
                self.change_team_port(team, Some(port));
            }
            TeamCall::Configure { daemon, .. } => self.configure_team(team, daemon)?,
        }
        Ok(Reply::Done)
    }

    fn start_team(&mut self, team: DevId, daemon: Box<TeamDaemon>) -> Result<(), Errno> {
        let state = self.team_mut(team).ok_or(Errno::ENODEV)?;
        if state.daemon.is_some() {
            return Err(Errno::EEXIST);
        }
        if state.mode != Some(daemon.mode) {
            if !state.ports.is_empty() {
                return Err(Errno::EBUSY);
            }
            state.mode = Some(daemon.mode);
        }
        state.balance = (daemon.mode == TeamMode::LoadBalance).then(|| Box::new(balance(&daemon)));
        state.own_carrier = daemon.lacp.map(|_| false);
        let balances = daemon.balances;
        state.daemon = Some(daemon);
        if let Some(interval) = balances {
            self.set_balance_clock(team, interval);
        }
        self.settle_team_carrier(team);
        for port in self.team_ports(team) {
            let carrier = self.devs.get(port).is_some_and(|device| device.is_up() && device.oper_up());
            self.team_port_added(team, port, carrier);
        }
        self.changed();
        Ok(())
    }

    /// The daemon ends, and the device stays as it is.
    fn stop_team(&mut self, team: DevId) -> Result<(), Errno> {
        for port in self.team_ports(team) {
            self.leave_lacp(team, port);
        }
        let state = self.team_mut(team).ok_or(Errno::ENODEV)?;
        state.daemon = None;
        state.chosen = None;
        for port in &mut state.ports {
            port.watches.clear();
        }
        Ok(())
    }

    /// `teamd_config_port_update`: priorities and the like are what the configuration says now.
    fn configure_team(&mut self, team: DevId, daemon: Box<TeamDaemon>) -> Result<(), Errno> {
        for dev in self.team_ports(team) {
            let name = self.devs.get(dev).map(|device| device.name.clone()).unwrap_or_default();
            let port = self.team_mut(team).and_then(|state| state.port_mut(dev));
            if let Some((port, config)) = port.zip(daemon.ports.iter().find(|config| config.name == name)) {
                configure(port, config);
            }
        }
        self.team_mut(team).ok_or(Errno::ENODEV)?.daemon = Some(daemon);
        self.choose_team_port(team);
        Ok(())
    }

    fn team_state(&self, team: DevId) -> Result<TeamState, Errno> {
        let state = self.team(team).ok_or(Errno::ENODEV)?;
        let index = |dev: DevId| self.devs.get(dev).map(|device| device.ifindex);
        let ports = state.ports.iter().filter_map(|port| {
            let device = self.devs.get(port.dev)?;
            let watches = port.watches.iter().map(|watch| TeamWatchState {
                watch: watch.config.clone(),
                up: watch.up,
                down_count: watch.down_count,
                missed: watch.missed,
            });
            Some(TeamPortState {
                ifindex: device.ifindex,
                name: device.name.clone(),
                mac: device.mac.0,
                up: port.up,
                speed: port.speed,
                full_duplex: port.full_duplex,
                watches: watches.collect(),
                watched_up: port.watched_up(),
                enabled: state.is_enabled(port.dev),
                priority: port.priority,
                queue_id: port.queue_id,
                user_linkup_enabled: port.user_linkup_enabled,
                lacp: self.lacp_state(team, port.dev),
                sent_bytes: port.sent_bytes,
            })
        });
        let daemon = state.daemon.as_deref();
        let hashes = state.balance.iter().flat_map(|balance| balance.sent.iter().zip(&balance.mapped));
        Ok(TeamState {
            mode: state.mode,
            daemon: daemon.cloned(),
            ports: ports.collect(),
            active: state.active.and_then(index),
            notify_peers: daemon.map_or((0, 0), |daemon| daemon.notify_peers),
            mcast_rejoin: daemon.map_or((0, 0), |daemon| daemon.mcast_rejoin),
            hashes: hashes.map(|((sent, _), mapped)| (*sent, mapped.and_then(index).unwrap_or(0))).collect(),
        })
    }
}

/// `teamd_config_port_load`
fn configure(port: &mut Port, config: &TeamPortConfig) {
    port.priority = config.priority.unwrap_or(port.priority);
    port.queue_id = config.queue_id.unwrap_or(port.queue_id);
    port.sticky = config.sticky;
}

fn watch(config: TeamWatch) -> Watch {
    Watch { config, up: false, down_count: 0, missed: 0, heard: false, serial: 0 }
}

fn balance(daemon: &TeamDaemon) -> Balance {
    let parts = TeamHash(daemon.hash.0);
    Balance { parts, sent: [(0, None); HASHES], mapped: [None; HASHES], uses_map: daemon.balances.is_some() }
}
