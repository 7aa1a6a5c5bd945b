//! What `teamd`, `teamdctl` and `teamnl` tell and ask a kernel about teams.
//!
//! On Linux the kernel's team device is ruled by a daemon, over generic netlink. The emulated kernel does the
//! daemon's work itself: [`TeamCall::Start`] hands it over, and it lasts as long as the device, or until
//! [`TeamCall::Stop`].

use serde::{Deserialize, Serialize};

/// How a team sends (the kernel's modes; each runner of `teamd` that is emulated has one of its own name).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TeamMode {
    ActiveBackup,
    RoundRobin,
    Broadcast,
    Random,
}

impl TeamMode {
    pub const ALL: [TeamMode; 4] =
        [TeamMode::ActiveBackup, TeamMode::RoundRobin, TeamMode::Broadcast, TeamMode::Random];

    pub fn name(self) -> &'static str {
        match self {
            TeamMode::ActiveBackup => "activebackup",
            TeamMode::RoundRobin => "roundrobin",
            TeamMode::Broadcast => "broadcast",
            TeamMode::Random => "random",
        }
    }
}

/// What the configuration says of a port.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamPortConfig {
    pub name: String,
    pub priority: i32,
    /// Stays the active port though a better one is there.
    pub sticky: bool,
}

/// A running `teamd`, as far as the kernel acts for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamDaemon {
    pub runner: TeamMode,
    /// `hwaddr` is given: the first port's address is not taken over.
    pub own_mac: bool,
    /// `link_watch`: how long, in milliseconds, a port's carrier must last before it counts.
    pub delay_up_ms: u32,
    pub delay_down_ms: u32,
    /// How often, and at what interval in milliseconds, addresses are announced after a port is enabled.
    pub notify_peers: (u32, u32),
    /// The same for the groups of IGMP.
    pub mcast_rejoin: (u32, u32),
    pub ports: Vec<TeamPortConfig>,
    /// The configuration as JSON, for `teamdctl`.
    pub config: String,
    /// The device goes with the daemon.
    pub destroys: bool,
    pub process_id: u32,
}

/// A port of a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamPortState {
    pub ifindex: u32,
    pub name: String,
    pub mac: [u8; 6],
    /// The carrier as the kernel sees it.
    pub up: bool,
    /// In Mbit/s.
    pub speed: u32,
    pub full_duplex: bool,
    /// The link watch's opinion, and how often it has turned to down.
    pub watched_up: bool,
    pub down_count: u32,
    pub enabled: bool,
    pub priority: i32,
}

/// What there is to say of a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamState {
    pub mode: Option<TeamMode>,
    pub daemon: Option<TeamDaemon>,
    /// In the order in which they came.
    pub ports: Vec<TeamPortState>,
    /// The active port's interface index.
    pub active: Option<u32>,
    pub notify_peers: (u32, u32),
    pub mcast_rejoin: (u32, u32),
}

/// A question or an order; `ifindex` is that of a team of the task's namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TeamCall {
    Start {
        ifindex: u32,
        daemon: Box<TeamDaemon>,
    },
    /// The daemon's end, without the device's.
    Stop {
        ifindex: u32,
    },
    State {
        ifindex: u32,
    },
    SetPriority {
        ifindex: u32,
        port: u32,
        priority: i32,
    },
    SetEnabled {
        ifindex: u32,
        port: u32,
        enabled: bool,
    },
    SetActive {
        ifindex: u32,
        port: u32,
    },
}
