//! What `teamd`, `teamdctl` and `teamnl` tell and ask a kernel about teams.
//!
//! On Linux the kernel's team device is ruled by a daemon, over generic netlink. The emulated kernel does the
//! daemon's work itself: [`TeamCall::Start`] hands it over, and it lasts as long as the device, or until
//! [`TeamCall::Stop`].

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

/// How a team sends (the kernel's modes; each runner of `teamd` has one of its own name, but for `lacp`, whose mode is
/// `loadbalance`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TeamMode {
    ActiveBackup,
    RoundRobin,
    Broadcast,
    Random,
    LoadBalance,
}

impl TeamMode {
    pub const ALL: [TeamMode; 5] = [
        TeamMode::ActiveBackup,
        TeamMode::RoundRobin,
        TeamMode::Broadcast,
        TeamMode::Random,
        TeamMode::LoadBalance,
    ];

    pub fn name(self) -> &'static str {
        match self {
            TeamMode::ActiveBackup => "activebackup",
            TeamMode::RoundRobin => "roundrobin",
            TeamMode::Broadcast => "broadcast",
            TeamMode::Random => "random",
            TeamMode::LoadBalance => "loadbalance",
        }
    }
}

/// What of a frame the hash covers by which a port is chosen (`runner.tx_hash`), as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamHash(pub u8);

impl TeamHash {
    pub const ETHERNET: TeamHash = TeamHash(1);
    pub const VLAN: TeamHash = TeamHash(2);
    pub const IPV4: TeamHash = TeamHash(4);
    pub const IPV6: TeamHash = TeamHash(8);
    pub const TCP: TeamHash = TeamHash(16);
    pub const UDP: TeamHash = TeamHash(32);
    pub const SCTP: TeamHash = TeamHash(64);

    /// What a word of the configuration stands for.
    pub fn of(word: &str) -> Option<TeamHash> {
        const IP: u8 = TeamHash::IPV4.0 | TeamHash::IPV6.0;
        const PORTS: u8 = TeamHash::TCP.0 | TeamHash::UDP.0 | TeamHash::SCTP.0;
        Some(match word {
            "eth" => TeamHash::ETHERNET,
            "vlan" => TeamHash::VLAN,
            "ipv4" => TeamHash::IPV4,
            "ipv6" => TeamHash::IPV6,
            "ip" | "l3" => TeamHash(IP),
            "l4" => TeamHash(PORTS),
            "tcp" => TeamHash::TCP,
            "udp" => TeamHash::UDP,
            "sctp" => TeamHash::SCTP,
            _ => return None,
        })
    }

    pub fn covers(self, part: TeamHash) -> bool {
        self.0 & part.0 != 0
    }
}

/// What becomes of MACs in the runner `activebackup` (`runner.hwaddr_policy`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TeamMacPolicy {
    /// All ports have the team's.
    #[default]
    SameAll,
    /// The team takes the active port's.
    ByActive,
    /// Only the active port has the team's.
    OnlyActive,
}

/// Which aggregator the runner `lacp` takes (`runner.agg_select_policy`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TeamPolicy {
    #[default]
    LacpPrio,
    LacpPrioStable,
    Bandwidth,
    Count,
    PortConfig,
}

impl TeamPolicy {
    const ALL: [TeamPolicy; 5] = [
        TeamPolicy::LacpPrio,
        TeamPolicy::LacpPrioStable,
        TeamPolicy::Bandwidth,
        TeamPolicy::Count,
        TeamPolicy::PortConfig,
    ];

    pub fn of(name: &str) -> Option<TeamPolicy> {
        TeamPolicy::ALL.into_iter().find(|policy| policy.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            TeamPolicy::LacpPrio => "lacp_prio",
            TeamPolicy::LacpPrioStable => "lacp_prio_stable",
            TeamPolicy::Bandwidth => "bandwidth",
            TeamPolicy::Count => "count",
            TeamPolicy::PortConfig => "port_config",
        }
    }
}

/// The runner `lacp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamLacp {
    pub active: bool,
    pub system_priority: u16,
    pub fast_rate: bool,
    pub min_ports: u32,
    pub policy: TeamPolicy,
}

/// What watches a port's link (`link_watch`). Times are in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TeamWatch {
    /// The carrier; how long it must last before it counts.
    Ethtool {
        delay_up: u32,
        delay_down: u32,
    },
    ArpPing(TeamArpPing),
}

/// The link watch `arp_ping`: a host is asked for, and must be heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamArpPing {
    pub source: Ipv4Addr,
    pub target: Ipv4Addr,
    pub vlan: Option<u16>,
    pub interval: u32,
    pub init_wait: u32,
    pub missed_max: u32,
    pub validate_active: bool,
    pub validate_inactive: bool,
    pub send_always: bool,
}

/// What the configuration says of a port.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamPortConfig {
    pub name: String,
    pub priority: Option<i32>,
    pub queue_id: Option<u32>,
    /// Stays the active port though a better one is there.
    pub sticky: bool,
    pub lacp_priority: u16,
    pub lacp_key: u16,
    /// Those of the port itself, before those of the whole team.
    pub watches: Vec<TeamWatch>,
}

impl TeamPortConfig {
    /// A port of which nothing is said.
    pub fn named(name: &str) -> TeamPortConfig {
        const LACP_PRIORITY: u16 = 0xff;
        TeamPortConfig { name: name.to_owned(), lacp_priority: LACP_PRIORITY, ..TeamPortConfig::default() }
    }
}

/// A running `teamd`, as far as the kernel acts for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamDaemon {
    pub mode: TeamMode,
    /// The runner is `lacp`.
    pub lacp: Option<TeamLacp>,
    /// For the runners whose mode is `loadbalance`.
    pub hash: TeamHash,
    /// Flows are moved from port to port by their loads, at this interval in tenths of a second (`tx_balancer`).
    pub balances: Option<u32>,
    pub mac_policy: TeamMacPolicy,
    /// `hwaddr` is given: the first port's address is not taken over.
    pub own_mac: bool,
    pub watches: Vec<TeamWatch>,
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
    /// How much the daemon logs.
    pub debug_level: u32,
}

impl TeamDaemon {
    pub fn runner_name(&self) -> &'static str {
        match self.lacp {
            Some(_) => "lacp",
            None => self.mode.name(),
        }
    }
}

/// What a link watch thinks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamWatchState {
    pub watch: TeamWatch,
    pub up: bool,
    /// How often it has turned to down.
    pub down_count: u32,
    /// Answers that have not come, one after the other.
    pub missed: u32,
}

/// One of the two ends of a link, as LACP tells of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamLacpInfo {
    pub system_priority: u16,
    pub system: [u8; 6],
    pub key: u16,
    pub port_priority: u16,
    pub port: u16,
    pub state: u8,
}

/// What the runner `lacp` knows of a port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamLacpPort {
    pub selected: bool,
    /// The interface index of the port that leads its aggregator, or 0.
    pub aggregator: u32,
    pub aggregator_selected: bool,
    pub state: String,
    pub actor: TeamLacpInfo,
    pub partner: TeamLacpInfo,
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
    /// What the link watches think, and what comes of it.
    pub watches: Vec<TeamWatchState>,
    pub watched_up: bool,
    pub enabled: bool,
    pub priority: i32,
    pub queue_id: u32,
    /// The link watch's opinion counts in the kernel too (`user_linkup_enabled`).
    pub user_linkup_enabled: bool,
    pub lacp: Option<TeamLacpPort>,
    /// Bytes sent by it, in mode loadbalance.
    pub sent_bytes: u64,
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
    /// Bytes sent by hash, and the port's interface index that a hash is mapped to, in mode loadbalance.
    pub hashes: Vec<(u64, u32)>,
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
    SetQueue {
        ifindex: u32,
        port: u32,
        queue_id: u32,
    },
    /// The daemon is told to use this port (`runner.active_port`).
    Choose {
        ifindex: u32,
        port: u32,
    },
    /// What the daemon goes by from now on. Ports that are there keep their link watches.
    Configure {
        ifindex: u32,
        daemon: Box<TeamDaemon>,
    },
}
