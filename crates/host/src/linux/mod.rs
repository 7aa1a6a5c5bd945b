//! The real Linux kernel behind [`System`]: what `--engine linux` runs on.
//!
//! A [`Fd`] is the process's own descriptor number, so that `IFLA_NET_NS_FD` means the same to the kernel.
//! Entering a namespace (`setns`) moves the calling thread, as it moves the process of a real `ip`. A process that runs
//! many front ends as functions takes [`LinuxSystem::of_thread`].

mod address;
mod can;
mod diag;
mod errors;
mod klog;
mod netfilter;
mod netlink;
mod netns;
mod packet;
mod raw;
mod raw6;
mod socket;
mod tcp;
mod thread;

use std::collections::BTreeMap;
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use hairpin_netlink::{Call, Errno, Fd, Now, Reply, SocketKind, SocketOption, System};
use nix::poll::{PollFd, PollFlags};
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime};

use crate::signals;
use thread::Standing;

/// The real kernel, as this thread sees it.
#[derive(Default)]
pub struct LinuxSystem {
    /// The socket of [`Call::Netlink`], opened at first use in the present namespace.
    requests: Option<netlink::Requests>,
    /// That of [`Call::GenericNetlink`].
    generic: Option<netlink::Requests>,
    descriptors: BTreeMap<u32, Descriptor>,
    manner: Manner,
}

/// What the task is to the kernel.
#[derive(Default)]
enum Manner {
    /// A process, which ends with the front end.
    #[default]
    Process,
    /// A thread that goes on after it.
    Thread(Standing),
}

/// What a [`Fd`] stands for.
enum Descriptor {
    Packet(packet::PacketSocket),
    Can(can::CanSocket),
    Inet(raw::InetSocket),
    Inet6(raw6::Inet6Socket),
    RouteEvents(netlink::Events),
    Tcp(tcp::TcpSocket),
    Namespace(OwnedFd),
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Descriptor::Packet(socket) => socket.as_fd(),
            Descriptor::Can(socket) => socket.as_fd(),
            Descriptor::Inet(socket) => socket.as_fd(),
            Descriptor::Inet6(socket) => socket.as_fd(),
            Descriptor::RouteEvents(socket) => socket.as_fd(),
            Descriptor::Tcp(socket) => socket.as_fd(),
            Descriptor::Namespace(fd) => fd.as_fd(),
        }
    }
}

impl LinuxSystem {
    pub fn new() -> Self {
        LinuxSystem::default()
    }

    /// A task that is the calling thread and goes on after the front end. It enters network namespaces alone, without a
    /// mount namespace for each; `/sys` is looked at through a mount in `/run`, which should be the thread's own.
    /// A wait fails with `EINTR` for each byte that `interrupt` gives.
    pub fn of_thread(interrupt: Option<OwnedFd>) -> Self {
        LinuxSystem { manner: Manner::Thread(Standing::new(interrupt)), ..LinuxSystem::default() }
    }

    /// A task of the same thread that begins where this one is and has no descriptors. It has to end before this one.
    ///
    /// # Errors
    /// The thread cannot go there.
    pub fn fork(&mut self) -> Result<Self, Errno> {
        let manner = match &mut self.manner {
            Manner::Process => Manner::Process,
            Manner::Thread(standing) => Manner::Thread(standing.fork()?),
        };
        Ok(LinuxSystem { manner, ..LinuxSystem::default() })
    }

    /// Takes the thread to where its task is: the next thread that it makes begins there.
    ///
    /// # Errors
    /// As [`LinuxSystem::fork`].
    pub fn arrive(&mut self) -> Result<(), Errno> {
        match &mut self.manner {
            Manner::Process => Ok(()),
            Manner::Thread(standing) => standing.arrive(),
        }
    }

    /// A path as this task sees it.
    fn own_view(&self, path: &str) -> Result<String, Errno> {
        let under = |directory: &str| {
            path.strip_prefix(directory).filter(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        // `/proc/net` means the process's first thread; a task here is the calling thread.
        if let Some(rest) = under("/proc/net") {
            return Ok(format!("/proc/thread-self/net{rest}"));
        }
        match (under("/sys"), &self.manner) {
            (Some(rest), Manner::Thread(_)) => Ok(format!("{}{rest}", netns::sys_of_thread()?)),
            _ => Ok(path.to_owned()),
        }
    }

    fn insert(&mut self, descriptor: Descriptor) -> Result<Reply, Errno> {
        let number = u32::try_from(descriptor.as_fd().as_raw_fd()).map_err(|_| Errno::EBADF)?;
        self.descriptors.insert(number, descriptor);
        Ok(Reply::Fd(Fd(number)))
    }

    fn descriptor(&mut self, fd: Fd) -> Result<&mut Descriptor, Errno> {
        self.descriptors.get_mut(&fd.0).ok_or(Errno::EBADF)
    }

    fn tcp(&mut self, fd: Fd) -> Result<&mut tcp::TcpSocket, Errno> {
        match self.descriptor(fd)? {
            Descriptor::Tcp(socket) => Ok(socket),
            _ => Err(Errno::EOPNOTSUPP),
        }
    }

    fn netlink(&mut self, request: &[u8]) -> Result<Reply, Errno> {
        if let Manner::Thread(standing) = &mut self.manner {
            return standing.ask(libc::NETLINK_ROUTE, |socket| socket.transact(request)).map(Reply::Bytes);
        }
        if self.requests.is_none() {
            self.requests = Some(netlink::Requests::open(libc::NETLINK_ROUTE)?);
        }
        let requests = self.requests.as_mut().ok_or(Errno::EBADF)?;
        let answer = requests.transact(request);
        if answer.is_err() {
            // What is left of the failed answer must not mix with the next one.
            self.requests = None;
        }
        Ok(Reply::Bytes(answer?))
    }

    fn generic_netlink(&mut self, family: &str, request: Vec<u8>) -> Result<Reply, Errno> {
        if let Manner::Thread(standing) = &mut self.manner {
            let ask = |socket: &mut netlink::Requests| socket.transact_generic(family, request);
            return standing.ask(libc::NETLINK_GENERIC, ask).map(Reply::Bytes);
        }
        if self.generic.is_none() {
            self.generic = Some(netlink::Requests::open(libc::NETLINK_GENERIC)?);
        }
        let requests = self.generic.as_mut().ok_or(Errno::EBADF)?;
        let answer = requests.transact_generic(family, request);
        if answer.is_err() {
            self.generic = None;
        }
        Ok(Reply::Bytes(answer?))
    }

    fn open_socket(&mut self, kind: SocketKind) -> Result<Reply, Errno> {
        let descriptor = match kind {
            SocketKind::Packet { cooked, protocol } => {
                Descriptor::Packet(packet::PacketSocket::open(cooked, protocol)?)
            }
            SocketKind::RawIpv4 { protocol } => Descriptor::Inet(raw::InetSocket::open_raw(protocol)?),
            SocketKind::UdpIpv4 => Descriptor::Inet(raw::InetSocket::open_udp()?),
            SocketKind::RawIpv6 { protocol } => Descriptor::Inet6(raw6::Inet6Socket::open_raw(protocol)?),
            SocketKind::UdpIpv6 => Descriptor::Inet6(raw6::Inet6Socket::open_udp()?),
            SocketKind::TcpIpv4 => Descriptor::Tcp(tcp::TcpSocket::open(false)?),
            SocketKind::TcpIpv6 => Descriptor::Tcp(tcp::TcpSocket::open(true)?),
            SocketKind::CanRaw => Descriptor::Can(can::CanSocket::open()?),
            SocketKind::Tap { .. } => return Err(Errno::ENOSYS),
            SocketKind::ConntrackEvents => return Err(Errno::ENOSYS),
            SocketKind::RouteEvents { groups } => Descriptor::RouteEvents(netlink::Events::open(groups)?),
        };
        self.insert(descriptor)
    }

    fn set_option(&mut self, fd: Fd, option: &SocketOption) -> Result<Reply, Errno> {
        let descriptor = self.descriptor(fd)?;
        match (option, &mut *descriptor) {
            (_, Descriptor::Namespace(_)) => return Err(Errno(libc::ENOTSOCK)),
            (SocketOption::Promiscuous { ifindex }, Descriptor::Packet(socket)) => {
                socket.set_promiscuous(*ifindex)?;
            }
            (SocketOption::ReceiveBuffer(bytes), Descriptor::Packet(socket)) => socket.set_buffer(*bytes)?,
            (SocketOption::Promiscuous { .. }, _) => return Err(Errno::ENOPROTOOPT),
            (option, Descriptor::Can(socket)) => socket.set_option(option)?,
            (option, Descriptor::Inet(socket)) => socket.set_option(option)?,
            (option, Descriptor::Inet6(socket)) => socket.set_option(option)?,
            (option, Descriptor::Tcp(socket)) => socket.set_option(option)?,
            (option, other) => raw::set_common_option(other.as_fd(), option)?,
        }
        Ok(Reply::Done)
    }

    fn wait(&mut self, fds: &[Fd], writable: &[Fd], until_ns: Option<u64>) -> Result<Reply, Errno> {
        let mut polled = Vec::with_capacity(fds.len() + writable.len() + 1);
        let reading = fds.iter().map(|fd| (fd, PollFlags::POLLIN));
        for (fd, events) in reading.chain(writable.iter().map(|fd| (fd, PollFlags::POLLOUT))) {
            let descriptor = self.descriptors.get(&fd.0).ok_or(Errno::EBADF)?;
            polled.push(PollFd::new(descriptor.as_fd(), events));
        }
        let interrupt = match &self.manner {
            Manner::Thread(standing) => standing.interrupt.as_ref(),
            Manner::Process => None,
        };
        polled.extend(interrupt.map(|interrupt| PollFd::new(interrupt.as_fd(), PollFlags::POLLIN)));
        loop {
            let now = now()?.monotonic_ns;
            let timeout = until_ns.map(|until| {
                let left = until.saturating_sub(now);
                TimeSpec::new((left / 1_000_000_000) as i64, (left % 1_000_000_000) as i64)
            });
            let count = signals::poll(&mut polled, timeout)?;
            if let Some(interrupt) = interrupt
                && polled.last().and_then(PollFd::any) == Some(true)
            {
                nix::unistd::read(interrupt, &mut [0]).map_err(from_nix)?;
                return Err(Errno::EINTR);
            }
            let mut ready: Vec<Fd> = std::iter::zip(fds.iter().chain(writable), &polled)
                .filter(|(_, poll)| poll.any().unwrap_or(false))
                .map(|(fd, _)| *fd)
                .collect();
            ready.dedup();
            let expired = match until_ns {
                Some(until) => self::now()?.monotonic_ns >= until,
                None => false,
            };
            if count > 0 || expired {
                return Ok(Reply::Ready(ready));
            }
        }
    }
}

impl System for LinuxSystem {
    fn call(&mut self, call: Call) -> Result<Reply, Errno> {
        let needs_no_place = matches!(
            call,
            Call::Now
                | Call::Netlink(_)
                | Call::GenericNetlink { .. }
                | Call::NetnsEnter(_)
                | Call::NetnsDelete(_)
                | Call::NetnsList
        );
        if !needs_no_place {
            self.arrive()?;
        }
        match call {
            Call::Now => now().map(Reply::Now),
            Call::Netlink(request) => self.netlink(&request),
            Call::GenericNetlink { family, request } => self.generic_netlink(&family, request),
            Call::Socket(kind) => self.open_socket(kind),
            Call::SetOption { fd, option } => self.set_option(fd, &option),
            Call::Bind { fd, address } => {
                socket::bind(self.descriptor(fd)?.as_fd(), &address::encode(address))?;
                Ok(Reply::Done)
            }
            Call::Connect { fd, address } => {
                socket::connect(self.descriptor(fd)?.as_fd(), &address::encode(address))?;
                Ok(Reply::Done)
            }
            Call::Listen { fd, backlog } => self.tcp(fd)?.listen(backlog).map(|()| Reply::Done),
            Call::Accept(fd) => {
                let accepted = self.tcp(fd)?.accept()?;
                self.insert(Descriptor::Tcp(accepted))
            }
            Call::Shutdown(fd) => self.tcp(fd)?.shutdown().map(|()| Reply::Done),
            Call::TakeError(fd) => self.tcp(fd)?.take_error().map(|()| Reply::Done),
            Call::PeerAddress(fd) => {
                let name = self.tcp(fd)?.peer_name()?;
                address::decode(&name).map(Reply::Address).ok_or(Errno::EAFNOSUPPORT)
            }
            Call::LocalAddress(fd) => {
                let name = socket::local_name(self.descriptor(fd)?.as_fd())?;
                address::decode(&name).map(Reply::Address).ok_or(Errno::EAFNOSUPPORT)
            }
            Call::Send { fd, data, to } => {
                let to = to.map(address::encode);
                let sent = socket::send(self.descriptor(fd)?.as_fd(), &data, to.as_deref())?;
                Ok(Reply::Sent(sent as u32))
            }
            Call::Receive { fd, max } => {
                let items = match self.descriptor(fd)? {
                    Descriptor::Packet(socket) => socket.receive(max)?,
                    Descriptor::Can(socket) => socket.receive(max)?,
                    Descriptor::Inet(socket) => socket.receive(max)?,
                    Descriptor::Inet6(socket) => socket.receive(max)?,
                    Descriptor::RouteEvents(socket) => socket.receive(max)?,
                    Descriptor::Tcp(socket) => socket.receive()?,
                    Descriptor::Namespace(_) => return Err(Errno::EINVAL),
                };
                Ok(Reply::Received(items))
            }
            Call::Statistics(fd) => match self.descriptor(fd)? {
                Descriptor::Packet(socket) => socket.statistics().map(Reply::Statistics),
                _ => Err(Errno::ENOPROTOOPT),
            },
            Call::Close(fd) => self.descriptors.remove(&fd.0).map(|_| Reply::Done).ok_or(Errno::EBADF),
            Call::Wait { fds, writable, until_ns, bounded: _ } => self.wait(&fds, &writable, until_ns),
            Call::ReadFile(path) => std::fs::read(self.own_view(&path)?).map(Reply::Bytes).map_err(errno),
            Call::WriteFile { path, data } => {
                // One write: each is one request to a file of /proc or /sys.
                let mut file =
                    std::fs::OpenOptions::new().write(true).open(self.own_view(&path)?).map_err(errno)?;
                file.write_all(&data).map_err(errno)?;
                Ok(Reply::Done)
            }
            Call::ListDirectory(path) => list_directory(&self.own_view(&path)?).map(Reply::Names),
            Call::ReadLink(path) => std::fs::read_link(self.own_view(&path)?)
                .map(|target| Reply::Bytes(target.into_os_string().into_encoded_bytes()))
                .map_err(errno),
            Call::KernelLog { clear: false } => klog::records().map(Reply::LogRecords).map_err(errno),
            Call::KernelLog { clear: true } => Err(Errno::ENOSYS),
            Call::NetnsAdd(name) => netns::add(&name).map(|()| Reply::Done),
            Call::NetnsDelete(name) => {
                if let Manner::Thread(standing) = &mut self.manner {
                    standing.forget();
                }
                netns::delete(&name).map(|()| Reply::Done)
            }
            Call::NetnsList => netns::list().map(Reply::Names),
            Call::NetnsEnter(name) => {
                (self.requests, self.generic) = (None, None);
                match &mut self.manner {
                    Manner::Process => netns::enter(&name)?,
                    Manner::Thread(standing) => standing.enter(&name)?,
                }
                Ok(Reply::Done)
            }
            Call::NetnsOpen(name) => {
                let namespace = netns::open(&name)?;
                self.insert(Descriptor::Namespace(namespace))
            }
            Call::NetnsOpenSelf => {
                let namespace = netns::open_self()?;
                self.insert(Descriptor::Namespace(namespace))
            }
            Call::NetnsIdentify(pid) => netns::identify(pid).map(Reply::Names),
            Call::NetnsProcesses(name) => netns::processes(&name).map(Reply::Names),
            Call::NetnsAttach { name, pid } => netns::attach(&name, pid).map(|()| Reply::Done),
            Call::Netfilter(call) => netfilter::call(call),
            Call::Module { name, load } => module(&name, load).map(|()| Reply::Done),
            Call::Sockets(query) => diag::list(query).map(Reply::Sockets),
            Call::Random(length) => random(length).map(Reply::Bytes),
            Call::Group { device, mac, join } => {
                socket::change_group(&device, mac, join).map(|()| Reply::Done)
            }
            // Linux has the real `teamd`, and the real docker, for this.
            Call::Team(_)
            | Call::StoreLoad(_)
            | Call::StoreSave { .. }
            | Call::Features(_)
            | Call::SetFeatures { .. }
            // And the real `ip tuntap`.
            | Call::TunAdd(_)
            | Call::TunDelete(_) => Err(Errno::ENOSYS),
        }
    }
}

/// Loads a module, or takes it out, by the system's own program.
fn module(name: &str, load: bool) -> Result<(), Errno> {
    let mut command = std::process::Command::new("/sbin/modprobe");
    command.arg("-q").args((!load).then_some("-r")).arg("--").arg(name);
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err(Errno::ENOENT),
    }
}

/// The clocks of this machine.
pub(crate) fn now() -> Result<Now, Errno> {
    let nanoseconds = |clock| {
        let time = clock_gettime(clock).map_err(from_nix)?;
        let (seconds, rest) = (u64::try_from(time.tv_sec()), u64::try_from(time.tv_nsec()));
        match (seconds, rest) {
            (Ok(seconds), Ok(rest)) => Ok(seconds.saturating_mul(1_000_000_000).saturating_add(rest)),
            _ => Err(Errno::EINVAL),
        }
    };
    Ok(Now {
        monotonic_ns: nanoseconds(ClockId::CLOCK_MONOTONIC)?,
        realtime_ns: nanoseconds(ClockId::CLOCK_REALTIME)?,
    })
}

fn random(length: u32) -> Result<Vec<u8>, Errno> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let source = std::fs::File::open("/dev/urandom").map_err(errno)?;
    source.take(u64::from(length.min(4096))).read_to_end(&mut bytes).map_err(errno)?;
    Ok(bytes)
}

fn list_directory(path: &str) -> Result<Vec<String>, Errno> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path).map_err(errno)? {
        names.push(entry.map_err(errno)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

pub(crate) fn errno(error: std::io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno)
}

pub(crate) fn from_nix(error: nix::Error) -> Errno {
    Errno(error as i32)
}
