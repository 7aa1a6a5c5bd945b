//! Settings of connection tracking (`net.netfilter.nf_conntrack_*`), with Linux's defaults.

use hairpin_netlink::netfilter::conntrack::TcpState;

/// Timeouts in seconds, and the bounds of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Settings {
    /// By [`TcpState`].
    pub tcp: [u32; 10],
    pub tcp_retransmitted: u32,
    pub tcp_unacknowledged: u32,
    /// How often the same acknowledgement may come again before `tcp_retransmitted` counts.
    pub tcp_max_retrans: u32,
    pub tcp_loose: bool,
    pub tcp_be_liberal: bool,
    pub tcp_ignore_invalid_rst: bool,
    pub udp: u32,
    pub udp_stream: u32,
    pub icmp: u32,
    pub icmpv6: u32,
    pub generic: u32,
    /// Connections that a namespace may track.
    pub max: u32,
    /// Packets and bytes of connections that begin are counted.
    pub acct: bool,
    /// What rules of any namespace log is in the kernel's log.
    pub log_all_netns: bool,
    /// Checksums of what arrives are looked at.
    pub checksum: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            tcp: [0, 120, 60, 432_000, 120, 60, 30, 120, 10, 120],
            tcp_retransmitted: 300,
            tcp_unacknowledged: 300,
            tcp_max_retrans: 3,
            tcp_loose: true,
            tcp_be_liberal: false,
            tcp_ignore_invalid_rst: false,
            udp: 30,
            udp_stream: 120,
            icmp: 30,
            icmpv6: 30,
            generic: 600,
            max: 262_144,
            acct: false,
            log_all_netns: false,
            checksum: true,
        }
    }
}

impl Settings {
    pub fn tcp(&self, state: TcpState) -> u32 {
        self.tcp.get(state as usize).copied().unwrap_or(0)
    }
}
