//! Teams (drivers/net/team/), with what `teamd` does to them.
//!
//! Configuration: mode and ports; per port whether it is enabled, its priority, its link. Transmit: by mode, to
//! one port, or to all. Receive: what an enabled port gets is the team's; in mode activebackup only what the active
//! port gets.

use hairpin_netlink::PacketType;
use hairpin_netlink::team::{TeamDaemon, TeamMode};

use super::{Verdict, Verdicts};
use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::Frame;
use crate::mac::Mac;

/// A port of a team.
#[derive(Clone, Debug)]
pub struct Port {
    pub dev: DevId,
    /// MAC and MTU that it came with.
    pub mac: Mac,
    pub mtu: u32,
    /// Its carrier.
    pub up: bool,
    pub speed: u32,
    pub full_duplex: bool,
    pub priority: i32,
    /// What the daemon's link watch thinks of it.
    pub watched_up: bool,
    pub down_count: u32,
    pub sticky: bool,
    /// Counts the delays begun, so that one that was given up is known by its number.
    pub serial: u32,
}

/// A team.
#[derive(Clone, Debug, Default)]
pub struct Team {
    pub mode: Option<TeamMode>,
    /// In the order in which they came.
    pub ports: Vec<Port>,
    /// Those that may be used, by their index.
    pub enabled: Vec<DevId>,
    /// The kernel's active port, which is kept when it goes down.
    pub active: Option<DevId>,
    /// The daemon's.
    pub chosen: Option<DevId>,
    pub sent: u32,
    pub daemon: Option<Box<TeamDaemon>>,
    /// Announcements to come.
    pub notices: u32,
    pub rejoins: u32,
    pub notice_serial: u32,
    pub rejoin_serial: u32,
}

impl Team {
    pub fn port(&self, dev: DevId) -> Option<&Port> {
        self.ports.iter().find(|port| port.dev == dev)
    }

    pub fn port_mut(&mut self, dev: DevId) -> Option<&mut Port> {
        self.ports.iter_mut().find(|port| port.dev == dev)
    }

    /// `team_port_enabled`
    pub fn is_enabled(&self, dev: DevId) -> bool {
        self.enabled.contains(&dev)
    }

    /// `team_port_txable`
    pub fn can_send(&self, dev: DevId) -> bool {
        self.is_enabled(dev) && self.port(dev).is_some_and(|port| port.up)
    }

    /// `team_get_first_port_txable_rcu`: this port, or the next one of all that can send.
    fn first_sending(&self, from: DevId) -> Option<DevId> {
        let at = self.ports.iter().position(|port| port.dev == from)?;
        let (before, rest) = self.ports.split_at(at);
        rest.iter().chain(before).map(|port| port.dev).find(|dev| self.can_send(*dev))
    }

    /// `team_xmit`: the ports by which a frame leaves.
    pub fn transmit(&mut self, random: u32, out: &mut Verdicts) {
        let count = u32::try_from(self.enabled.len()).unwrap_or(0);
        let at = |number: u32| self.enabled.get(number.checked_rem(count)? as usize).copied();
        match self.mode {
            _ if count == 0 => {}
            None => {}
            Some(TeamMode::ActiveBackup) => {
                out.extend(self.active.map(|dev| Verdict::Transmit { dev }));
            }
            Some(TeamMode::RoundRobin) => {
                let port = at(self.sent).and_then(|port| self.first_sending(port));
                out.extend(port.map(|dev| Verdict::Transmit { dev }));
                self.sent = self.sent.wrapping_add(1);
            }
            Some(TeamMode::Random) => {
                let port = at(random).and_then(|port| self.first_sending(port));
                out.extend(port.map(|dev| Verdict::Transmit { dev }));
            }
            Some(TeamMode::Broadcast) => {
                let ports = self.ports.iter().map(|port| port.dev).filter(|dev| self.can_send(*dev));
                out.extend(ports.map(|dev| Verdict::Transmit { dev }));
            }
        }
        if out.is_empty() {
            out.push(Verdict::Drop(DropReason::NotSpecified));
        }
    }

    /// `team_handle_frame`: what becomes of a frame that a port has received.
    pub fn receive(&self, team: DevId, port: DevId, frame: &Frame, packet_type: PacketType) -> Verdict {
        if !self.is_enabled(port) {
            return match super::bond::is_link_local(frame.destination()) {
                true => Verdict::Local,
                false => Verdict::Exact,
            };
        }
        match self.mode {
            Some(TeamMode::ActiveBackup) if self.active != Some(port) => Verdict::Exact,
            _ => Verdict::Receive { dev: team, packet_type },
        }
    }

    /// `__team_carrier_check`
    pub fn has_carrier(&self) -> bool {
        self.ports.iter().any(|port| port.up)
    }

    /// `ab_link_watch_handler`: the port that is to be the active one. The present one is kept where no other is
    /// better.
    pub fn best(&self) -> Option<DevId> {
        let present = self.chosen.and_then(|dev| self.port(dev)).filter(|port| port.watched_up);
        if let Some(port) = present.filter(|port| port.sticky) {
            return Some(port.dev);
        }
        let mut best = present;
        // The daemon's list begins with the newest.
        for port in self.ports.iter().rev().filter(|port| port.watched_up) {
            let better = best.is_none_or(|best| {
                port.priority > best.priority
                    || port.speed > best.speed
                    || (port.speed == best.speed && port.full_duplex && !best.full_duplex)
            });
            if better {
                best = Some(port);
            }
        }
        best.map(|port| port.dev)
    }
}
