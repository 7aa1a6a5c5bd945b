//! Teams (drivers/net/team/), with what `teamd` does to them.
//!
//! Configuration: mode and ports; per port whether it is enabled, its priority, its link. Transmit: by mode, to
//! one port, or to all. Receive: what an enabled port gets is the team's; in mode activebackup only what the active
//! port gets; in mode loadbalance the slow protocols are for who listens to the port itself.
//!
//! * [`hash`] by which mode loadbalance chooses a port
//! * [`lacp`] what the runner `lacp` knows

pub mod hash;
pub mod lacp;

use hairpin_netlink::PacketType;
use hairpin_netlink::team::{TeamDaemon, TeamHash, TeamMode, TeamWatch};

use super::{Verdict, Verdicts};
use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::Frame;
use crate::mac::Mac;

/// How many hashes there are (`LB_TX_HASHTABLE_SIZE`).
pub const HASHES: usize = 256;

/// A link watch of a port.
#[derive(Clone, Debug)]
pub struct Watch {
    pub config: TeamWatch,
    /// What it thinks of the port's link.
    pub up: bool,
    pub down_count: u32,
    pub missed: u32,
    /// Something was heard since the last look.
    pub heard: bool,
    /// Counts the delays begun, so that one that was given up is known by its number.
    pub serial: u32,
}

/// What mode loadbalance keeps (`struct lb_priv`), and the daemon's balancer.
#[derive(Clone, Debug)]
pub struct Balance {
    pub parts: TeamHash,
    /// By hash: bytes sent, and how many there were when the balancer last looked.
    pub sent: [(u64, Option<u64>); HASHES],
    /// By hash: the port that it is mapped to.
    pub mapped: [Option<DevId>; HASHES],
    /// The map is used (`lb_tx_method` is `hash_to_port_mapping`).
    pub uses_map: bool,
}

/// A port of a team.
#[derive(Clone, Debug)]
pub struct Port {
    pub dev: DevId,
    /// MAC and MTU that it came with.
    pub mac: Mac,
    pub mtu: u32,
    /// Its carrier.
    pub up: bool,
    /// It has a link, as others were told last (`port->linkup`).
    pub told_link: bool,
    pub speed: u32,
    pub full_duplex: bool,
    pub priority: i32,
    pub queue_id: u32,
    pub watches: Vec<Watch>,
    /// The daemon's opinion of the link, and whether the kernel goes by it.
    pub user_linkup: bool,
    pub user_linkup_enabled: bool,
    pub sticky: bool,
    pub lacp: Option<Box<lacp::LacpPort>>,
    /// Bytes sent in mode loadbalance.
    pub sent_bytes: u64,
}

impl Port {
    pub fn new(dev: DevId, mac: Mac, mtu: u32) -> Port {
        Port {
            dev,
            mac,
            mtu,
            up: false,
            told_link: false,
            speed: 0,
            full_duplex: false,
            priority: 0,
            queue_id: 0,
            watches: Vec::new(),
            user_linkup: false,
            user_linkup_enabled: false,
            sticky: false,
            lacp: None,
            sent_bytes: 0,
        }
    }

    /// `teamd_link_watch_port_up`: any of the link watches says so.
    pub fn watched_up(&self) -> bool {
        self.watches.is_empty() || self.watches.iter().any(|watch| watch.up)
    }

    /// `team_refresh_port_linkup`
    pub fn has_link(&self) -> bool {
        if self.user_linkup_enabled { self.user_linkup } else { self.up }
    }
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
    /// In mode loadbalance.
    pub balance: Option<Box<Balance>>,
    /// The runner lacp's aggregator, known by the port that leads it.
    pub selected: Option<DevId>,
    /// The runner lacp's word on the carrier, by which the kernel goes once it has heard it.
    pub own_carrier: Option<bool>,
    pub daemon: Option<Box<TeamDaemon>>,
    /// The MAC that the chosen port had before it got the team's (`hwaddr_policy` is `only_active`).
    pub active_mac: Option<Mac>,
    pub balance_serial: u32,
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
        self.is_enabled(dev) && self.port(dev).is_some_and(Port::has_link)
    }

    /// `team_get_first_port_txable_rcu`: this port, or the next one of all that can send.
    fn first_sending(&self, from: DevId) -> Option<DevId> {
        let at = self.ports.iter().position(|port| port.dev == from)?;
        let (before, rest) = self.ports.split_at(at);
        rest.iter().chain(before).map(|port| port.dev).find(|dev| self.can_send(*dev))
    }

    /// `team_xmit`: the ports by which a frame leaves.
    pub fn transmit(&mut self, random: u32, frame: &Frame, out: &mut Verdicts) {
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
            Some(TeamMode::LoadBalance) => {
                let port = self.balanced(frame);
                out.extend(port.map(|dev| Verdict::Transmit { dev }));
            }
            Some(TeamMode::Broadcast) => {
                let ports = self.ports.iter().map(|port| port.dev).filter(|dev| self.can_send(*dev));
                out.extend(ports.map(|dev| Verdict::Transmit { dev }));
            }
        }
        if out.is_empty() {
            out.push(Verdict::Drop(DropReason::NoPort));
        }
    }

    /// `lb_transmit`: the port of a frame's hash, working or not.
    fn balanced(&mut self, frame: &Frame) -> Option<DevId> {
        let balance = self.balance.as_deref_mut()?;
        let hash = usize::from(hash::hash(balance.parts, frame));
        let mapped = balance.mapped.get(hash).copied().flatten().filter(|_| balance.uses_map);
        let dev = mapped.or_else(|| self.enabled.get(hash.checked_rem(self.enabled.len())?).copied())?;
        let bytes = frame.len() as u64;
        if let Some(sent) = balance.sent.get_mut(hash) {
            sent.0 = sent.0.wrapping_add(bytes);
        }
        if let Some(port) = self.port_mut(dev) {
            port.sent_bytes = port.sent_bytes.wrapping_add(bytes);
        }
        Some(dev)
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
            Some(TeamMode::LoadBalance) if is_slow_protocol(frame) => Verdict::Exact,
            _ => Verdict::Receive { dev: team, packet_type },
        }
    }

    /// `__team_carrier_check`
    pub fn has_carrier(&self) -> bool {
        self.own_carrier.unwrap_or_else(|| self.ports.iter().any(Port::has_link))
    }

    /// `ab_link_watch_handler`: the port that is to be the active one. The present one is kept where no other is
    /// better.
    pub fn best(&self) -> Option<DevId> {
        let present = self.chosen.and_then(|dev| self.port(dev)).filter(|port| port.watched_up());
        if let Some(port) = present.filter(|port| port.sticky) {
            return Some(port.dev);
        }
        let mut best = present;
        // The daemon's list begins with the newest.
        for port in self.ports.iter().rev().filter(|port| port.watched_up()) {
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

/// What LACP and its like send (`lb_receive`).
fn is_slow_protocol(frame: &Frame) -> bool {
    use hairpin_wire::lacp::{ETHERTYPE, GROUP};
    frame.ethertype() == ETHERTYPE && frame.destination().0 == GROUP
}
