//! Targets: what a rule does.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// `--reject-with`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RejectWith {
    /// `icmp-net-unreachable`; `icmp6-no-route`
    NetUnreachable,
    /// `icmp-host-unreachable`; `icmp6-addr-unreachable`
    HostUnreachable,
    /// `icmp-proto-unreachable`
    ProtocolUnreachable,
    /// `icmp-port-unreachable`; `icmp6-port-unreachable`
    PortUnreachable,
    /// `icmp-net-prohibited`
    NetProhibited,
    /// `icmp-host-prohibited`
    HostProhibited,
    /// `icmp-admin-prohibited`; `icmp6-adm-prohibited`
    AdminProhibited,
    /// `icmp6-policy-fail`
    PolicyFail,
    /// `icmp6-reject-route`
    RejectRoute,
    TcpReset,
}

/// Where a translated packet's address or port may go (`struct nf_nat_range`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NatRange {
    pub addresses: Option<(IpAddr, IpAddr)>,
    pub ports: Option<(u16, u16)>,
    /// DNAT: the port that the first of `ports` stands for.
    pub base_port: Option<u16>,
    /// `--random`
    pub random: bool,
    /// `--random-fully`
    pub random_fully: bool,
    /// `--persistent`
    pub persistent: bool,
}

/// `-j CONNMARK`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConnMark {
    /// The connection's mark := mark & !mask ^ value.
    Set { value: u32, mask: u32 },
    /// The connection's mark from the packet's.
    Save { packet_mask: u32, connection_mask: u32 },
    /// The packet's mark from the connection's.
    Restore { packet_mask: u32, connection_mask: u32 },
}

/// `-j LOG` options (`XT_LOG_*`).
pub mod log {
    pub const TCP_SEQUENCE: u8 = 1;
    pub const TCP_OPTIONS: u8 = 2;
    pub const IP_OPTIONS: u8 = 4;
    pub const UID: u8 = 8;
    pub const MAC: u8 = 32;
}

/// How the time to live changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TtlChange {
    Set,
    Increase,
    Decrease,
}

/// A target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// No `-j`: the rule only counts.
    #[default]
    None,
    Accept,
    Drop,
    Return,
    /// `-j CHAIN`
    Jump(String),
    /// `-g CHAIN`
    Goto(String),
    Reject(RejectWith),
    Log {
        level: u8,
        /// Bits of [`log`].
        flags: u8,
        prefix: String,
    },
    /// The packet's mark := mark & !mask ^ value.
    Mark {
        value: u32,
        mask: u32,
    },
    ConnMark(ConnMark),
    Snat(NatRange),
    Dnat(NatRange),
    Masquerade(NatRange),
    Redirect(NatRange),
    /// The network part of the address is replaced.
    Netmap {
        address: IpAddr,
        mask: IpAddr,
    },
    /// `-j CT --notrack`, or by its old name `-j NOTRACK`.
    NoTrack {
        old_name: bool,
    },
    /// `-j CT` otherwise: connections are tracked, by a helper if one is named, in a zone of their own.
    Track {
        helper: Option<String>,
        zone: Option<Zone>,
    },
    Ttl {
        change: TtlChange,
        value: u8,
    },
    /// `None`: what the path's MTU allows.
    TcpMss(Option<u16>),
    Trace,
    /// `-j SET`
    Set(Box<super::ipset::SetChange>),
    /// The field := field & !mask ^ value. `dscp`: by its name DSCP, the upper six bits.
    Tos {
        value: u8,
        mask: u8,
        dscp: bool,
    },
    /// The packet's priority.
    Classify(u32),
    Nflog(Box<Nflog>),
    NfQueue(Queue),
    /// `-j CHECKSUM`: what is left to the device is computed.
    Checksum,
}

/// `--zone`, `--zone-orig`, `--zone-reply` of `-j CT`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// None: the packet's mark.
    pub id: Option<u16>,
    /// It holds for packets of the original direction, for those of the reply.
    pub original: bool,
    pub reply: bool,
}

impl Zone {
    /// The zones of a packet with this mark, and of its answers.
    pub fn of(self, mark: u32) -> [u16; 2] {
        let id = self.id.unwrap_or(mark as u16);
        [if self.original { id } else { 0 }, if self.reply { id } else { 0 }]
    }
}

/// `-j NFLOG`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nflog {
    pub prefix: String,
    pub group: u16,
    /// Bytes of the packet; the option that never worked, and the one that does.
    pub range: Option<u32>,
    pub size: Option<u32>,
    pub threshold: u16,
}

/// `-j NFQUEUE`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    pub first: u16,
    /// More than one: spread over them.
    pub count: u16,
    /// Where nobody listens the packet is accepted.
    pub bypass: bool,
    pub cpu_fanout: bool,
}

impl Target {
    /// The chain it leads to.
    pub fn chain(&self) -> Option<&str> {
        match self {
            Target::Jump(chain) | Target::Goto(chain) => Some(chain),
            _ => None,
        }
    }

    pub fn chain_mut(&mut self) -> Option<&mut String> {
        match self {
            Target::Jump(chain) | Target::Goto(chain) => Some(chain),
            _ => None,
        }
    }

    /// The word behind `-j`.
    pub fn name(&self) -> &str {
        match self {
            Target::None => "",
            Target::Accept => "ACCEPT",
            Target::Drop => "DROP",
            Target::Return => "RETURN",
            Target::Jump(chain) | Target::Goto(chain) => chain,
            Target::Reject(_) => "REJECT",
            Target::Log { .. } => "LOG",
            Target::Mark { .. } => "MARK",
            Target::ConnMark(_) => "CONNMARK",
            Target::Snat(_) => "SNAT",
            Target::Dnat(_) => "DNAT",
            Target::Masquerade(_) => "MASQUERADE",
            Target::Redirect(_) => "REDIRECT",
            Target::Netmap { .. } => "NETMAP",
            Target::NoTrack { old_name: true } => "NOTRACK",
            Target::NoTrack { old_name: false } | Target::Track { .. } => "CT",
            Target::Ttl { .. } => "TTL",
            Target::TcpMss(_) => "TCPMSS",
            Target::Trace => "TRACE",
            Target::Set(_) => "SET",
            Target::Tos { dscp: true, .. } => "DSCP",
            Target::Tos { .. } => "TOS",
            Target::Classify(_) => "CLASSIFY",
            Target::Nflog(_) => "NFLOG",
            Target::NfQueue(_) => "NFQUEUE",
            Target::Checksum => "CHECKSUM",
        }
    }
}
