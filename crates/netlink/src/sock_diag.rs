//! What `ss` asks a kernel about its sockets (`NETLINK_SOCK_DIAG`; include/uapi/linux/inet_diag.h).

use serde::{Deserialize, Serialize};

use crate::socket::Address;

/// `TCP_*` states; the bit of state `s` in a set of them is `1 << s`.
pub mod state {
    pub const ESTABLISHED: u8 = 1;
    pub const SYN_SENT: u8 = 2;
    pub const SYN_RECEIVED: u8 = 3;
    pub const FIN_WAIT_1: u8 = 4;
    pub const FIN_WAIT_2: u8 = 5;
    pub const TIME_WAIT: u8 = 6;
    /// Datagram sockets without a peer, too.
    pub const CLOSED: u8 = 7;
    pub const CLOSE_WAIT: u8 = 8;
    pub const LAST_ACK: u8 = 9;
    pub const LISTEN: u8 = 10;
    pub const CLOSING: u8 = 11;
}

/// Sockets that are listed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SocketFamily {
    Tcp { ipv6: bool },
    Udp { ipv6: bool },
    Raw { ipv6: bool },
    Packet,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketQuery {
    pub family: SocketFamily,
    /// The states that are wanted, a bit each.
    pub states: u32,
    /// The programs that hold them are wanted too.
    pub owners: bool,
    /// What connections know of their paths is wanted too (`INET_DIAG_INFO`).
    pub details: bool,
}

/// What a connection knows of its path and has counted (`struct tcp_info`), as far as it is shown. Zero: not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TcpInfo {
    /// What ends agreed on; the shifts of windows sent and received.
    pub timestamps: bool,
    pub sack: bool,
    pub scales: Option<(u8, u8)>,
    /// How congestion is controlled (`INET_DIAG_CONG`).
    pub congestion: String,
    pub backoff: u8,
    /// Times in microseconds.
    pub rto_us: u32,
    pub ato_us: u32,
    pub rtt_us: u32,
    pub rtt_variance_us: u32,
    pub min_rtt_us: u32,
    pub receive_rtt_us: u32,
    pub busy_us: u64,
    /// Sizes in bytes: segments sent and received, packets, what was offered.
    pub send_mss: u32,
    pub receive_mss: u32,
    pub path_mtu: u32,
    pub offered_mss: u32,
    /// In segments; the threshold is none where nothing was lost.
    pub window: u32,
    pub threshold: Option<u32>,
    pub unacked: u32,
    pub sacked: u32,
    pub lost: u32,
    /// On their way for another time, and how many there were in all.
    pub retransmits: u32,
    pub retransmits_total: u32,
    pub bytes_sent: u64,
    pub bytes_sent_again: u64,
    pub bytes_acked: u64,
    pub bytes_received: u64,
    pub segments_out: u32,
    pub segments_in: u32,
    pub data_segments_out: u32,
    pub data_segments_in: u32,
    pub delivered: u32,
    /// Milliseconds since.
    pub last_sent_ms: u32,
    pub last_received_ms: u32,
    pub last_acked_ms: u32,
    /// Bytes a second.
    pub pacing_rate: u64,
    pub delivery_rate: u64,
    pub is_program_limited: bool,
    pub receive_space: u32,
    pub receive_threshold: u32,
    pub unsent: u32,
    pub send_window: u32,
}

/// A socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketInfo {
    pub state: u8,
    /// 0 none, 1 retransmission, 2 keepalive, 3 time wait, 4 window probe
    pub timer: u8,
    pub retransmits: u8,
    /// When the timer goes off, from now.
    pub expires_ms: u32,
    /// A raw socket has its protocol for a port, a packet socket its EtherType.
    pub local: Address,
    pub remote: Address,
    /// The device it is bound to, or 0.
    pub ifindex: u32,
    /// Bytes that were not read yet; of a listener the connections that wait.
    pub receive_queue: u32,
    /// Bytes that were not acknowledged yet; of a listener how many may wait.
    pub send_queue: u32,
    pub uid: u32,
    pub inode: u32,
    /// A packet socket without link headers.
    pub cooked: bool,
    /// Takes no IPv4 (`IPV6_V6ONLY`).
    pub v6only: bool,
    /// Of TCP sockets, where asked for.
    pub tcp: Option<Box<TcpInfo>>,
    pub owners: Vec<SocketOwner>,
}

/// A program that holds a socket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketOwner {
    /// The number of an emulated kernel's task; whoever runs tasks knows their processes.
    pub task: u64,
    /// 0 where it is not known.
    pub process: u32,
    pub name: String,
    pub fd: u32,
}
