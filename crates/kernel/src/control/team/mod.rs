//! Teams among the other devices: ports come and go (`team_port_add`, `team_port_del`), and are enabled.
//!
//! * [`daemon`] what `teamd` does: it starts, is asked and told, and chooses the active port
//! * [`watch`] its link watches
//! * [`lacp`] its runner of that name

mod daemon;
mod lacp;
mod watch;

use std::time::Duration;

use hairpin_netlink::team::TeamMode;
use hairpin_netlink::{Errno, Failure};

use crate::dev::team::{Port, Team};
use crate::dev::{Kind, RxHandler};
use crate::device::{AddrAssign, DevId};
use crate::mac::Mac;
use crate::world::{TimerEvent, World};

/// What a team's clock is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TeamJob {
    /// A port's link watch, by its place: a carrier has lasted long enough, or it is time for a question.
    Watch(DevId, u8),
    Notify,
    Rejoin,
    /// LACP is to be sent by a port, at its interval; or what came late of that.
    LacpPeriodic(DevId),
    LacpLate(DevId),
    /// Nothing was heard of a port's partner.
    LacpTimeout(DevId),
    /// Flows may be moved to other ports.
    Balance,
}

impl World {
    pub(crate) fn team(&self, dev: DevId) -> Option<&Team> {
        match &self.devs.get(dev)?.kind {
            Kind::Team(team) => Some(team),
            _ => None,
        }
    }

    pub(crate) fn team_mut(&mut self, dev: DevId) -> Option<&mut Team> {
        match &mut self.devs.get_mut(dev)?.kind {
            Kind::Team(team) => Some(team),
            _ => None,
        }
    }

    /// The ports of a team.
    pub(super) fn team_ports(&self, team: DevId) -> Vec<DevId> {
        self.team(team).map(|team| team.ports.iter().map(|port| port.dev).collect()).unwrap_or_default()
    }

    /// `team_port_add`
    ///
    /// # Errors
    /// `EINVAL` for loopback and the team itself, `EBUSY` for what stands on the team, for a device that is up,
    /// and where something else takes the device's frames.
    pub(super) fn add_team_port(&mut self, dev: DevId, team: DevId) -> Result<(), Failure> {
        let (Some(device), Some(master)) = (self.devs.get(dev), self.devs.get(team)) else {
            return Err(Errno::ENODEV.into());
        };
        let refused = |errno, text: &str| Err(Failure::with_text(errno, text));
        if device.is_loopback() {
            return refused(Errno::EINVAL, "Loopback device can't be added as a team port");
        }
        if dev == team {
            return refused(Errno::EINVAL, "Cannot enslave team device to itself");
        }
        if self.stands_on(dev, team) {
            return refused(Errno::EBUSY, "Device is already an upper device of the team interface");
        }
        if self.stands_on(team, dev) {
            return refused(Errno::EBUSY, "Device is already a lower device of the team interface");
        }
        if device.is_up() {
            return refused(Errno::EBUSY, "Device is up. Set it down before adding it as a team port");
        }
        if !device.is_ethernet() {
            return refused(Errno::EOPNOTSUPP, "Teams of other than Ethernet devices are not emulated");
        }
        let features = self.features_before(team);
        let (mac, mtu, team_mac, up) = (device.mac, device.mtu, master.mac, master.is_up());
        self.set_mtu(dev, master.mtu)?;
        let joined = self.join_team(dev, team, team_mac);
        if let Err(failure) = joined {
            // It had these a moment ago.
            self.close(dev);
            let _ = self.set_mac(dev, mac);
            let _ = self.set_mtu(dev, mtu);
            return Err(failure);
        }
        if let Some(device) = self.devs.get_mut(dev) {
            device.rx_handler = RxHandler::TeamPort { team };
            device.master = Some(team);
        }
        self.changed();
        // `NETDEV_CHANGEUPPER`
        self.notify_link(dev);
        let carrier = self.devs.get(dev).is_some_and(|device| device.is_up() && device.oper_up());
        self.pass_filters(team, dev, 1);
        if up {
            self.pass_lists(team, dev);
        }
        if let Some(state) = self.team_mut(team) {
            state.ports.push(Port::new(dev, mac, mtu));
        }
        self.enable_team_port(team, dev);
        self.team_port_added(team, dev, carrier);
        self.change_features(team, &features);
        Ok(())
    }

    fn join_team(&mut self, dev: DevId, team: DevId, team_mac: Mac) -> Result<(), Failure> {
        if self.team(team).is_some_and(|team| team.mode.is_some_and(shares_mac)) {
            self.set_mac(dev, team_mac)?;
        }
        self.open(dev)?;
        match self.devs.get(dev) {
            Some(device) if !device.rx_handler.is_none() => Err(Errno::EBUSY.into()),
            Some(_) => Ok(()),
            None => Err(Errno::ENODEV.into()),
        }
    }

    /// `team_port_del`
    pub(super) fn remove_team_port(&mut self, dev: DevId, team: DevId) {
        let features = self.features_before(team);
        self.leave_lacp(team, dev);
        self.disable_team_port(team, dev);
        let Some(state) = self.team_mut(team) else { return };
        let Some(at) = state.ports.iter().position(|port| port.dev == dev) else { return };
        let port = state.ports.remove(at);
        if state.active == Some(dev) {
            state.active = None;
        }
        if state.chosen == Some(dev) {
            state.chosen = None;
        }
        self.pass_filters(team, dev, -1);
        if let Some(device) = self.devs.get_mut(dev) {
            device.rx_handler = RxHandler::None;
            device.master = None;
        }
        self.changed();
        // `NETDEV_CHANGEUPPER`
        self.notify_link(dev);
        if self.devs.get(team).is_some_and(|team| team.is_up()) {
            self.take_lists(team, dev);
        }
        self.close(dev);
        // `__team_port_change_port_removed`
        if port.told_link && !port.user_linkup_enabled {
            self.notify_link(dev);
        }
        self.settle_team_carrier(team);
        // It had these before.
        let _ = self.set_mac(dev, port.mac);
        let _ = self.set_mtu(dev, port.mtu);
        self.changed();
        self.change_features(team, &features);
        self.choose_team_port(team);
    }

    /// `team_device_event`: a port went up or down, or its link did.
    pub(super) fn team_port_changed(&mut self, team: DevId, dev: DevId) {
        let carrier = self.devs.get(dev).is_some_and(|device| device.is_up() && device.oper_up());
        let Some(state) = self.team_mut(team) else { return };
        if state.port(dev).is_none_or(|port| port.up == carrier) {
            return;
        }
        let watched = state.daemon.is_some();
        self.read_team_port(team, dev, carrier);
        if watched {
            self.watch_carrier(team, dev);
            self.lacp_link_changed(team, dev);
        }
        self.settle_team_carrier(team);
    }

    fn read_team_port(&mut self, team: DevId, dev: DevId, carrier: bool) {
        let settings = self.devs.get(dev).filter(|_| carrier).and_then(|device| self.link_settings(device));
        let Some(port) = self.team_mut(team).and_then(|state| state.port_mut(dev)) else { return };
        port.up = carrier;
        port.speed = settings.and_then(|settings| settings.speed).unwrap_or(0);
        port.full_duplex = settings.and_then(|settings| settings.full_duplex).unwrap_or(false);
        self.refresh_port_link(team, dev);
    }

    /// `team_refresh_port_linkup`
    fn refresh_port_link(&mut self, team: DevId, dev: DevId) {
        let Some(port) = self.team_mut(team).and_then(|state| state.port_mut(dev)) else { return };
        let link = port.has_link();
        if std::mem::replace(&mut port.told_link, link) != link {
            // `team_lower_state_changed`
            self.changed();
            self.notify_link(dev);
        }
    }

    /// `team_port_enable`: neighbours are told.
    fn enable_team_port(&mut self, team: DevId, dev: DevId) {
        let Some(state) = self.team_mut(team).filter(|state| !state.is_enabled(dev)) else { return };
        state.enabled.push(dev);
        self.announce_enabled(team);
        // `team_lower_state_changed`
        self.changed();
        self.notify_link(dev);
    }

    /// A team that is up tells its neighbours that it has another port.
    fn announce_enabled(&mut self, team: DevId) {
        let Some(device) = self.devs.get_mut(team).filter(|device| device.is_up()) else { return };
        let Kind::Team(state) = &mut device.kind else { return };
        let Some(daemon) = &state.daemon else { return };
        let (notices, rejoins) = (daemon.notify_peers.0, daemon.mcast_rejoin.0);
        state.notices = state.notices.saturating_add(notices);
        state.rejoins = state.rejoins.saturating_add(rejoins);
        if notices > 0 {
            self.team_announces(team);
        }
        if rejoins > 0 {
            self.team_rejoins(team);
        }
    }

    fn disable_team_port(&mut self, team: DevId, dev: DevId) {
        let Some(state) = self.team_mut(team).filter(|state| state.is_enabled(dev)) else { return };
        state.enabled.retain(|enabled| *enabled != dev);
        if let Some(balance) = &mut state.balance {
            // `lb_tx_hash_to_port_mapping_null_port`
            for mapped in balance.mapped.iter_mut().filter(|mapped| **mapped == Some(dev)) {
                *mapped = None;
            }
        }
        // `team_lower_state_changed`
        self.changed();
        self.notify_link(dev);
    }

    /// `team_notify_peers_work`
    fn team_announces(&mut self, team: DevId) {
        let Some(state) = self.team_mut(team).filter(|state| state.notices > 0) else { return };
        state.notices -= 1;
        state.notice_serial = state.notice_serial.wrapping_add(1);
        let (more, serial) = (state.notices > 0, state.notice_serial);
        let interval = state.daemon.as_ref().map_or(0, |daemon| daemon.notify_peers.1);
        self.notify_peers(team);
        if more {
            self.schedule_team(team, TeamJob::Notify, interval, serial);
        }
    }

    /// `team_mcast_rejoin_work`
    fn team_rejoins(&mut self, team: DevId) {
        let Some(state) = self.team_mut(team).filter(|state| state.rejoins > 0) else { return };
        state.rejoins -= 1;
        state.rejoin_serial = state.rejoin_serial.wrapping_add(1);
        let (more, serial) = (state.rejoins > 0, state.rejoin_serial);
        let interval = state.daemon.as_ref().map_or(0, |daemon| daemon.mcast_rejoin.1);
        self.resend_groups(team);
        if more {
            self.schedule_team(team, TeamJob::Rejoin, interval, serial);
        }
    }

    fn schedule_team(&mut self, team: DevId, job: TeamJob, after_ms: u32, serial: u32) {
        let at = self.now.timer(Duration::from_millis(u64::from(after_ms.max(1))));
        self.timers.add(at, TimerEvent::Team { team, job, serial });
    }

    fn settle_team_carrier(&mut self, team: DevId) {
        if let Some(carrier) = self.team(team).map(Team::has_carrier) {
            self.set_carrier(team, carrier);
        }
    }

    /// `team_set_mac_address`: in some modes the ports follow; `teamd` sees to it in mode activebackup.
    pub(super) fn set_team_mac(&mut self, team: DevId, mac: Mac) {
        self.store_mac(team, mac, AddrAssign::Set);
        let Some(state) = self.team(team) else { return };
        if state.mode.is_some_and(shares_mac) {
            for port in self.team_ports(team) {
                // One that cannot have the MAC keeps its own.
                let _ = self.set_mac(port, mac);
            }
        }
        self.daemon_hears_of_mac(team, mac);
    }

    /// `team_change_mtu`
    ///
    /// # Errors
    /// What a port answers; those before it have their old MTU again.
    pub(super) fn set_team_mtu(&mut self, team: DevId, mtu: u32) -> Result<(), Failure> {
        let old = self.devs.get(team).map_or(mtu, |device| device.mtu);
        let ports = self.team_ports(team);
        for (at, port) in ports.iter().enumerate() {
            if let Err(failure) = self.set_port_mtu(*port, mtu) {
                for done in &ports[..at] {
                    // It had this MTU a moment ago.
                    let _ = self.set_port_mtu(*done, old);
                }
                return Err(failure);
            }
        }
        Ok(())
    }

    /// A port's MTU, which only its team may change.
    fn set_port_mtu(&mut self, port: DevId, mtu: u32) -> Result<(), Failure> {
        let Some(device) = self.devs.get_mut(port) else { return Err(Errno::ENODEV.into()) };
        let handler = std::mem::take(&mut device.rx_handler);
        let result = self.set_mtu(port, mtu);
        if let Some(device) = self.devs.get_mut(port) {
            device.rx_handler = handler;
        }
        result
    }
}

/// Modes whose ports have the team's MAC (`team_modeop_port_enter`).
fn shares_mac(mode: TeamMode) -> bool {
    !matches!(mode, TeamMode::ActiveBackup | TeamMode::LoadBalance)
}
