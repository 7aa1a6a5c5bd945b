//! The system calls a front end (`ip`, `ping`, `tcpdump`, …) makes, as plain data.
//!
//! A front end is written once against [`System`]. Behind it stands the emulated kernel (in the same
//! process, or a session's over a unix socket) or the real Linux kernel. [`Call`] and [`Reply`] can be
//! sent as bytes; the methods of [`System`] are typed wrappers around one [`System::call`].
//!
//! Every call acts for one *task*: it has a host (of the world), a network namespace and open sockets.

use serde::{Deserialize, Serialize};

use crate::Errno;
use crate::features::Features;
use crate::netfilter::{NetfilterCall, NetfilterReply};
use crate::sock_diag::{SocketInfo, SocketQuery};
use crate::socket::{Address, Received, SocketKind, SocketOption, SocketStatistics};
use crate::team::{TeamCall, TeamState};

/// What a host's first network namespace is called wherever one is named by a path.
pub const FIRST_NETNS: &str = "/proc/1/ns/net";

/// A descriptor of this task: a socket or an opened network namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fd(pub u32);

/// Instants of a kernel's two clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    /// Nanoseconds since the kernel (the world) started. Deadlines of [`Call::Wait`] are on this clock.
    pub monotonic_ns: u64,
    /// Nanoseconds since 1970. Capture time stamps are on this clock.
    pub realtime_ns: u64,
}

/// What a kernel has told in its log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogRecord {
    /// Nanoseconds since the kernel started.
    pub at_ns: u64,
    /// 0 (the most urgent) to 7.
    pub level: u8,
    pub text: String,
}

/// One system call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Call {
    Now,
    /// One rtnetlink request (a whole `nlmsghdr` with payload); answered with every message of the
    /// answer up to and including the acknowledgement, error or `NLMSG_DONE`.
    Netlink(Vec<u8>),
    /// The same for a generic netlink family; whoever answers puts its number in. `ENOENT` where there is no such
    /// family.
    GenericNetlink {
        family: String,
        request: Vec<u8>,
    },
    Socket(SocketKind),
    SetOption {
        fd: Fd,
        option: SocketOption,
    },
    Bind {
        fd: Fd,
        address: Address,
    },
    /// A TCP socket fails with `EINPROGRESS` once it has begun; it is writable when that has ended, and
    /// [`Call::TakeError`] says how.
    Connect {
        fd: Fd,
        address: Address,
    },
    /// `listen`
    Listen {
        fd: Fd,
        backlog: u32,
    },
    /// The oldest connection that waits, as a descriptor of its own; `EAGAIN` while none does.
    Accept(Fd),
    /// `shutdown(SHUT_WR)`
    Shutdown(Fd),
    /// `SO_ERROR`: fails with the error that the socket has kept.
    TakeError(Fd),
    /// `getpeername`
    PeerAddress(Fd),
    /// `getsockname`
    LocalAddress(Fd),
    Send {
        fd: Fd,
        data: Vec<u8>,
        to: Option<Address>,
    },
    /// Takes up to `max` queued items; never blocks.
    Receive {
        fd: Fd,
        max: u32,
    },
    Statistics(Fd),
    Close(Fd),
    /// Blocks until one of `fds` has something to receive, or the monotonic clock reaches `until_ns`.
    /// `bounded` promises that this program ends by itself even if nothing more arrives (`ping -c 3`,
    /// `sleep 6`): such a wait lets virtual time jump ahead; any other (`tcpdump`, `ping` without an
    /// end) only watches time pass.
    Wait {
        fds: Vec<Fd>,
        /// Or until one of these can send without waiting.
        writable: Vec<Fd>,
        until_ns: Option<u64>,
        bounded: bool,
    },
    /// Reads a file under `/proc/sys/net`, `/proc/net`, `/sys/class/net` as seen from the task's namespace.
    ReadFile(String),
    /// Writes such a file; in a session also one of the host's own below `/etc`.
    WriteFile {
        path: String,
        data: Vec<u8>,
    },
    /// Entries of a directory there, sorted.
    ListDirectory(String),
    /// Where a symbolic link there leads, as [`Reply::Bytes`]; `EINVAL` where the path names something else.
    ReadLink(String),
    /// Creates a named network namespace (`ip netns add`). A name may be an absolute path, as those of containers
    /// are (`/var/run/docker/netns/ID`): such a one is not listed.
    NetnsAdd(String),
    /// Removes a name; the namespace lives on while a task is in it.
    NetnsDelete(String),
    /// Names, in the order in which a directory listing gives them on Linux (newest first on tmpfs).
    NetnsList,
    /// Moves the task into a named namespace (`setns`). `/proc/1/ns/net` is the host's first one.
    NetnsEnter(String),
    /// Opens a named namespace; the descriptor's number goes into `IFLA_NET_NS_FD` and the like.
    NetnsOpen(String),
    /// Opens the task's own namespace.
    NetnsOpenSelf,
    /// The names of the namespace that the task is in, or the process `pid` (`ip netns identify`).
    NetnsIdentify(Option<u32>),
    /// The ids of the processes in a named namespace, ascending, as text (`ip netns pids`).
    NetnsProcesses(String),
    /// Gives the namespace of the process `pid` a name (`ip netns attach`).
    NetnsAttach {
        name: String,
        pid: u32,
    },
    /// Tables of rules and tracked connections.
    Netfilter(NetfilterCall),
    /// Loads a module of the kernel, or takes it out (`modprobe`). `ENOENT`: there is none of that name.
    Module {
        name: String,
        load: bool,
    },
    /// The kernel's log, the oldest record first; with `clear` what is told now is not told again. [`Reply::LogRecords`]
    KernelLog {
        clear: bool,
    },
    /// Makes a device of tun that stays (`TUNSETIFF` with `IFF_TUN_EXCL`, `TUNSETPERSIST`).
    TunAdd(TunDevice),
    /// Has one end with the program that asks.
    TunDelete(TunDevice),
    /// Teams, and the daemon's work on them.
    Team(TeamCall),
    /// The sockets of the task's namespace.
    Sockets(SocketQuery),
    /// So many random bytes, at most 4096 (`getrandom`).
    Random(u32),
    /// A document that programs keep on the task's host. Emulated kernels only, as [`Call::StoreSave`].
    StoreLoad(String),
    /// Keeps a document, where nobody has since `version` of it was loaded; `EAGAIN` otherwise.
    StoreSave {
        name: String,
        version: u64,
        data: Vec<u8>,
    },
    /// Has the device of this name listen to a link-layer group, or no longer (`SIOCADDMULTI`, `SIOCDELMULTI`).
    Group {
        device: String,
        mac: [u8; 6],
        join: bool,
    },
    /// What the device of this name can do for the stack (`ETHTOOL_MSG_FEATURES_GET`).
    Features(String),
    /// Which of those features are wanted, as far as the mask goes; answered with what came of it
    /// (`ETHTOOL_MSG_FEATURES_SET`).
    SetFeatures {
        device: String,
        wanted: u64,
        mask: u64,
    },
}

/// A device of tun as `TUNSETIFF` and its like ask for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TunDevice {
    /// Empty: the next free one of its kind.
    pub name: String,
    /// `IFF_TUN` or `IFF_TAP`, and others of linux/if_tun.h.
    pub flags: u16,
    /// The user, and the group, that may hold the other end; none for anybody.
    pub owner: Option<u32>,
    pub group: Option<u32>,
}

/// The answer to a [`Call`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    Done,
    Now(Now),
    Bytes(Vec<u8>),
    Fd(Fd),
    Address(Address),
    Sent(u32),
    Received(Vec<Received>),
    Statistics(SocketStatistics),
    /// Which of the waited descriptors are ready; empty when the deadline passed.
    Ready(Vec<Fd>),
    Names(Vec<String>),
    Netfilter(NetfilterReply),
    Team(Box<TeamState>),
    Sockets(Vec<SocketInfo>),
    /// A document and its version; 0 where there is none.
    Stored {
        version: u64,
        data: Vec<u8>,
    },
    Features(Features),
    LogRecords(Vec<LogRecord>),
}

/// A kernel, as one task sees it.
///
/// Every method fails with the error number that Linux gives in the same case; `ENOSYS` where this kernel
/// lacks the call.
pub trait System {
    /// Performs one call. Only [`Call::Wait`] blocks; it fails with `EINTR` when a signal interrupts it.
    fn call(&mut self, call: Call) -> Result<Reply, Errno>;

    fn now(&mut self) -> Result<Now, Errno> {
        match self.call(Call::Now)? {
            Reply::Now(now) => Ok(now),
            _ => Err(Errno::EPROTO),
        }
    }

    fn netlink(&mut self, request: Vec<u8>) -> Result<Vec<u8>, Errno> {
        self.bytes(Call::Netlink(request))
    }

    fn socket(&mut self, kind: SocketKind) -> Result<Fd, Errno> {
        self.fd(Call::Socket(kind))
    }

    fn set_option(&mut self, fd: Fd, option: SocketOption) -> Result<(), Errno> {
        self.done(Call::SetOption { fd, option })
    }

    fn bind(&mut self, fd: Fd, address: Address) -> Result<(), Errno> {
        self.done(Call::Bind { fd, address })
    }

    fn connect(&mut self, fd: Fd, address: Address) -> Result<(), Errno> {
        self.done(Call::Connect { fd, address })
    }

    /// See [`Call::Listen`].
    fn listen(&mut self, fd: Fd, backlog: u32) -> Result<(), Errno> {
        self.done(Call::Listen { fd, backlog })
    }

    /// See [`Call::Accept`].
    fn accept(&mut self, fd: Fd) -> Result<Fd, Errno> {
        self.fd(Call::Accept(fd))
    }

    /// See [`Call::Shutdown`].
    fn shutdown(&mut self, fd: Fd) -> Result<(), Errno> {
        self.done(Call::Shutdown(fd))
    }

    /// See [`Call::TakeError`].
    fn take_error(&mut self, fd: Fd) -> Result<(), Errno> {
        self.done(Call::TakeError(fd))
    }

    fn peer_address(&mut self, fd: Fd) -> Result<Address, Errno> {
        match self.call(Call::PeerAddress(fd))? {
            Reply::Address(address) => Ok(address),
            _ => Err(Errno::EPROTO),
        }
    }

    fn local_address(&mut self, fd: Fd) -> Result<Address, Errno> {
        match self.call(Call::LocalAddress(fd))? {
            Reply::Address(address) => Ok(address),
            _ => Err(Errno::EPROTO),
        }
    }

    fn send(&mut self, fd: Fd, data: Vec<u8>, to: Option<Address>) -> Result<usize, Errno> {
        match self.call(Call::Send { fd, data, to })? {
            Reply::Sent(length) => Ok(length as usize),
            _ => Err(Errno::EPROTO),
        }
    }

    fn receive(&mut self, fd: Fd, max: u32) -> Result<Vec<Received>, Errno> {
        match self.call(Call::Receive { fd, max })? {
            Reply::Received(items) => Ok(items),
            _ => Err(Errno::EPROTO),
        }
    }

    fn statistics(&mut self, fd: Fd) -> Result<SocketStatistics, Errno> {
        match self.call(Call::Statistics(fd))? {
            Reply::Statistics(statistics) => Ok(statistics),
            _ => Err(Errno::EPROTO),
        }
    }

    fn close(&mut self, fd: Fd) -> Result<(), Errno> {
        self.done(Call::Close(fd))
    }

    /// See [`Call::Wait`]. An empty answer means that the deadline passed.
    fn wait(&mut self, fds: &[Fd], until_ns: Option<u64>, bounded: bool) -> Result<Vec<Fd>, Errno> {
        self.wait_for(fds, &[], until_ns, bounded)
    }

    /// As [`System::wait`], or until one of `writable` can send. The answer names what is ready of both lists.
    fn wait_for(
        &mut self,
        fds: &[Fd],
        writable: &[Fd],
        until_ns: Option<u64>,
        bounded: bool,
    ) -> Result<Vec<Fd>, Errno> {
        let call = Call::Wait { fds: fds.to_vec(), writable: writable.to_vec(), until_ns, bounded };
        match self.call(call)? {
            Reply::Ready(ready) => Ok(ready),
            _ => Err(Errno::EPROTO),
        }
    }

    fn read_file(&mut self, path: &str) -> Result<Vec<u8>, Errno> {
        self.bytes(Call::ReadFile(path.to_owned()))
    }

    fn write_file(&mut self, path: &str, data: &[u8]) -> Result<(), Errno> {
        self.done(Call::WriteFile { path: path.to_owned(), data: data.to_vec() })
    }

    fn list_directory(&mut self, path: &str) -> Result<Vec<String>, Errno> {
        self.names(Call::ListDirectory(path.to_owned()))
    }

    fn netns_add(&mut self, name: &str) -> Result<(), Errno> {
        self.done(Call::NetnsAdd(name.to_owned()))
    }

    fn netns_delete(&mut self, name: &str) -> Result<(), Errno> {
        self.done(Call::NetnsDelete(name.to_owned()))
    }

    fn netns_list(&mut self) -> Result<Vec<String>, Errno> {
        self.names(Call::NetnsList)
    }

    fn netns_enter(&mut self, name: &str) -> Result<(), Errno> {
        self.done(Call::NetnsEnter(name.to_owned()))
    }

    fn netns_open(&mut self, name: &str) -> Result<Fd, Errno> {
        self.fd(Call::NetnsOpen(name.to_owned()))
    }

    fn netns_open_self(&mut self) -> Result<Fd, Errno> {
        self.fd(Call::NetnsOpenSelf)
    }

    /// See [`Call::NetnsIdentify`].
    fn netns_identify(&mut self, pid: Option<u32>) -> Result<Vec<String>, Errno> {
        self.names(Call::NetnsIdentify(pid))
    }

    /// See [`Call::NetnsProcesses`].
    fn netns_processes(&mut self, name: &str) -> Result<Vec<String>, Errno> {
        self.names(Call::NetnsProcesses(name.to_owned()))
    }

    /// See [`Call::NetnsAttach`].
    fn netns_attach(&mut self, name: &str, pid: u32) -> Result<(), Errno> {
        self.done(Call::NetnsAttach { name: name.to_owned(), pid })
    }

    /// See [`NetfilterCall`]; `None` where the call asks for nothing.
    fn netfilter(&mut self, call: NetfilterCall) -> Result<Option<NetfilterReply>, Errno> {
        match self.call(Call::Netfilter(call))? {
            Reply::Netfilter(reply) => Ok(Some(reply)),
            Reply::Done => Ok(None),
            _ => Err(Errno::EPROTO),
        }
    }

    /// See [`Call::Sockets`].
    fn sockets(&mut self, query: SocketQuery) -> Result<Vec<SocketInfo>, Errno> {
        match self.call(Call::Sockets(query))? {
            Reply::Sockets(sockets) => Ok(sockets),
            _ => Err(Errno::EPROTO),
        }
    }

    #[doc(hidden)]
    fn done(&mut self, call: Call) -> Result<(), Errno> {
        match self.call(call)? {
            Reply::Done => Ok(()),
            _ => Err(Errno::EPROTO),
        }
    }

    #[doc(hidden)]
    fn bytes(&mut self, call: Call) -> Result<Vec<u8>, Errno> {
        match self.call(call)? {
            Reply::Bytes(bytes) => Ok(bytes),
            _ => Err(Errno::EPROTO),
        }
    }

    #[doc(hidden)]
    fn fd(&mut self, call: Call) -> Result<Fd, Errno> {
        match self.call(call)? {
            Reply::Fd(fd) => Ok(fd),
            _ => Err(Errno::EPROTO),
        }
    }

    #[doc(hidden)]
    fn names(&mut self, call: Call) -> Result<Vec<String>, Errno> {
        match self.call(call)? {
            Reply::Names(names) => Ok(names),
            _ => Err(Errno::EPROTO),
        }
    }
}

impl<S: System + ?Sized> System for &mut S {
    fn call(&mut self, call: Call) -> Result<Reply, Errno> {
        (**self).call(call)
    }
}

impl<S: System + ?Sized> System for Box<S> {
    fn call(&mut self, call: Call) -> Result<Reply, Errno> {
        (**self).call(call)
    }
}
