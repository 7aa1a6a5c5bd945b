//! What `ss` asks a kernel about its sockets (`NETLINK_SOCK_DIAG`; include/uapi/linux/inet_diag.h).

use serde::{Deserialize, Serialize};

use crate::sys::Address;

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
