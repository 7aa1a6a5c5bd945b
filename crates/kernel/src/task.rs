//! Tasks and their system calls: what programs do with the kernel.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use hairpin_netlink::{Call, Errno, Fd, Now, Reply, SocketKind};
use slotmap::{Key as _, new_key_type};

use crate::mac::Mac;
use crate::netns::NsId;
use crate::rtnl::server::Asker;
use crate::sock::{self, SockId};
use crate::time::Time;
use crate::world::World;

new_key_type! {
    /// A program (or a group that shares descriptors) on some host, in some namespace.
    pub struct TaskId;
}

impl TaskId {
    /// A number that no other task has.
    pub fn number(self) -> u64 {
        self.data().as_ffi()
    }
}

/// Descriptors a task may have open.
const FDS_MAX: usize = 1 << 16;
/// Random bytes of one call.
const RANDOM_MAX: u32 = 4096;
/// Bytes of all documents of a host, and of the name of one.
const STORE_MAX: usize = 64 << 20;
const STORE_NAME_MAX: usize = 255;

/// What a descriptor stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Open {
    Socket(SockId),
    Netns(NsId),
}

/// A task.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub host: usize,
    pub ns: NsId,
    pub fds: BTreeMap<u32, Open>,
    next_fd: u32,
}

impl World {
    /// A new task on a host, in its first namespace or a named one.
    ///
    /// # Errors
    /// `ENOENT`: no such host or namespace.
    pub fn open_task(&mut self, host: &str, netns: Option<&str>) -> Result<TaskId, Errno> {
        let number = self.host_named(host).ok_or(Errno::ENOENT)?;
        let host = self.hosts.get(number).ok_or(Errno::ENOENT)?;
        let ns = match netns {
            None => host.initial,
            Some(name) => host.named(name).ok_or(Errno::ENOENT)?,
        };
        Ok(self.start_task(number, ns))
    }

    fn start_task(&mut self, host: usize, ns: NsId) -> TaskId {
        self.hold_netns(ns);
        self.tasks.insert(Task { host, ns, fds: BTreeMap::new(), next_fd: 3 })
    }

    /// A task where another one is, with no descriptors.
    ///
    /// # Errors
    /// `ESRCH`: no such task.
    pub fn fork_task(&mut self, task: TaskId) -> Result<TaskId, Errno> {
        let of = self.tasks.get(task).ok_or(Errno::ESRCH)?;
        let (host, ns) = (of.host, of.ns);
        Ok(self.start_task(host, ns))
    }

    /// The end of a task: its descriptors are closed.
    pub fn close_task(&mut self, task: TaskId) {
        let Some(gone) = self.tasks.remove(task) else { return };
        for open in gone.fds.values() {
            self.close_open(*open);
        }
        self.release_netns(gone.ns);
        self.run();
    }

    /// Where a task is: host, and what identifies its namespace.
    ///
    /// # Errors
    /// `ESRCH`: no such task.
    pub fn task_place(&self, task: TaskId) -> Result<(String, u64), Errno> {
        let task = self.tasks.get(task).ok_or(Errno::ESRCH)?;
        let host = self.hosts.get(task.host).ok_or(Errno::ESRCH)?;
        let netns = self.netns.get(task.ns).ok_or(Errno::ESRCH)?;
        Ok((host.name.clone(), netns.inode))
    }

    /// A new task in the namespace with this inode number (see [`World::task_place`]).
    ///
    /// # Errors
    /// `ENOENT`: it is gone.
    pub fn open_task_in(&mut self, inode: u64) -> Result<TaskId, Errno> {
        let found = self.netns.iter().find(|(_, netns)| netns.inode == inode);
        let (ns, host) = found.map(|(ns, netns)| (ns, netns.host)).ok_or(Errno::ENOENT)?;
        Ok(self.start_task(host, ns))
    }

    /// Performs a call of a task. It never blocks and lets no time pass: [`Call::Wait`] is the driver's
    /// business (see [`World::ready`]) and fails here with `EINVAL`.
    ///
    /// # Errors
    /// What Linux fails with in the same case.
    pub fn call(&mut self, task: TaskId, call: Call) -> Result<Reply, Errno> {
        let reply = self.perform_call(task, call);
        self.run();
        self.connecting = None;
        reply
    }

    fn perform_call(&mut self, task: TaskId, call: Call) -> Result<Reply, Errno> {
        let (host, ns) = {
            let task = self.tasks.get(task).ok_or(Errno::ESRCH)?;
            (task.host, task.ns)
        };
        match call {
            Call::Now => Ok(Reply::Now(Now {
                monotonic_ns: self.now.nanos(),
                realtime_ns: self.epoch_ns + self.now.nanos(),
            })),
            Call::Netlink(request) => {
                let open: BTreeMap<u32, Open> =
                    self.tasks.get(task).map(|task| task.fds.clone()).unwrap_or_default();
                let opened = |fd: u32| match open.get(&fd) {
                    Some(Open::Netns(ns)) => Some(*ns),
                    _ => None,
                };
                Ok(Reply::Bytes(self.rtnetlink(&Asker { ns, opened: &opened }, &request)))
            }
            Call::Socket(kind) => {
                let id = self.open_socket(ns, kind)?;
                self.give_fd(task, Open::Socket(id))
            }
            Call::SetOption { fd, option } => {
                let id = self.socket_of(task, fd)?;
                self.set_socket_option(id, option).map(|()| Reply::Done)
            }
            Call::Bind { fd, address } => {
                let id = self.socket_of(task, fd)?;
                self.bind_socket(id, address).map(|()| Reply::Done)
            }
            Call::Connect { fd, address } => {
                let id = self.socket_of(task, fd)?;
                self.connect_socket(id, address).map(|()| Reply::Done)
            }
            Call::Listen { fd, backlog } => {
                let id = self.socket_of(task, fd)?;
                self.listen_socket(id, backlog).map(|()| Reply::Done)
            }
            Call::Accept(fd) => {
                let id = self.socket_of(task, fd)?;
                let accepted = self.accept_socket(id)?;
                self.give_fd(task, Open::Socket(accepted))
            }
            Call::Shutdown(fd) => {
                let id = self.socket_of(task, fd)?;
                self.shutdown_socket(id).map(|()| Reply::Done)
            }
            Call::TakeError(fd) => {
                let id = self.socket_of(task, fd)?;
                self.take_socket_error(id).map(|()| Reply::Done)
            }
            Call::PeerAddress(fd) => {
                let id = self.socket_of(task, fd)?;
                self.peer_address(id).map(Reply::Address)
            }
            Call::LocalAddress(fd) => {
                let id = self.socket_of(task, fd)?;
                self.socket_address(id).map(Reply::Address)
            }
            Call::Send { fd, data, to } => {
                let id = self.socket_of(task, fd)?;
                self.send_from(id, &data, to).map(|sent| Reply::Sent(sent as u32))
            }
            Call::Receive { fd, max } => {
                let id = self.socket_of(task, fd)?;
                if self.tcp_of(id).is_some() {
                    return self.receive_tcp(id).map(Reply::Received);
                }
                self.take_can_error(id)?;
                let epoch_ns = self.epoch_ns;
                let socket = self.sockets.get_mut(id).ok_or(Errno::EBADF)?;
                let strip = matches!(&socket.kind, sock::Kind::Packet(packet) if packet.cooked);
                let mut items = Vec::new();
                while items.len() < max as usize
                    && let Some(item) = socket.pop()
                {
                    let received = sock::received(&item, epoch_ns);
                    items.push(if strip { sock::cooked(received) } else { received });
                }
                if items.is_empty()
                    && let sock::Kind::Packet(packet) = &mut socket.kind
                    && std::mem::take(&mut packet.is_orphan)
                {
                    return Err(Errno::ENETDOWN);
                }
                Ok(Reply::Received(items))
            }
            Call::Statistics(fd) => {
                let id = self.socket_of(task, fd)?;
                let socket = self.sockets.get(id).ok_or(Errno::EBADF)?;
                Ok(Reply::Statistics(socket.statistics))
            }
            Call::Close(Fd(fd)) => {
                let owner = self.tasks.get_mut(task).ok_or(Errno::ESRCH)?;
                let open = owner.fds.remove(&fd).ok_or(Errno::EBADF)?;
                self.close_open(open);
                Ok(Reply::Done)
            }
            Call::Wait { .. } => Err(Errno::EINVAL),
            Call::ReadFile(path) => self.read_file(ns, &path).map(Reply::Bytes),
            Call::WriteFile { path, data } => self.write_file(ns, &path, &data).map(|()| Reply::Done),
            Call::ListDirectory(path) => self.list_directory(ns, &path).map(Reply::Names),
            Call::ReadLink(path) => self.read_link(ns, &path).map(|target| Reply::Bytes(target.into_bytes())),
            Call::KernelLog { clear } => Ok(Reply::LogRecords(self.kernel_log(ns, clear))),
            Call::NetnsAdd(name) => self.name_netns(host, &name).map(|_| Reply::Done),
            Call::NetnsDelete(name) => self.unname_netns(host, &name).map(|()| Reply::Done),
            Call::NetnsList => Ok(Reply::Names(self.netns_names(host))),
            Call::NetnsEnter(name) => {
                let to = self.hosts.get(host).and_then(|host| host.named(&name)).ok_or(Errno::ENOENT)?;
                self.hold_netns(to);
                if let Some(task) = self.tasks.get_mut(task) {
                    task.ns = to;
                }
                self.release_netns(ns);
                Ok(Reply::Done)
            }
            Call::NetnsOpen(name) => {
                let ns = self.hosts.get(host).and_then(|host| host.named(&name)).ok_or(Errno::ENOENT)?;
                self.hold_netns(ns);
                self.give_fd(task, Open::Netns(ns))
            }
            Call::NetnsIdentify(None) => {
                let names = self.hosts.get(host).map(|host| host.names.as_slice()).unwrap_or(&[]);
                let here = names.iter().filter(|(name, known)| *known == ns && !name.starts_with('/'));
                Ok(Reply::Names(here.map(|(name, _)| name.clone()).collect()))
            }
            Call::NetnsAttach { name, pid } => {
                self.name_netns_of_process(host, pid, &name).map(|()| Reply::Done)
            }
            // Programs are processes of the machine that runs the world; it alone knows where they are.
            Call::NetnsIdentify(Some(_)) | Call::NetnsProcesses(_) => Err(Errno::ENOSYS),
            Call::Random(length) => {
                let bytes = (0..length.min(RANDOM_MAX)).map(|_| self.random_below(256) as u8);
                Ok(Reply::Bytes(bytes.collect()))
            }
            Call::StoreLoad(name) => {
                let kept = self.hosts.get(host).and_then(|host| host.store.get(&name));
                let (version, data) = kept.cloned().unwrap_or_default();
                Ok(Reply::Stored { version, data })
            }
            Call::StoreSave { name, version, data } => self.save(host, name, version, data),
            Call::GenericNetlink { family, request } => {
                self.generic_netlink(ns, &family, &request).map(Reply::Bytes)
            }
            Call::Netfilter(call) => self.netfilter_call(ns, call),
            Call::Module { name, load } => self.module(host, &name, load).map(|()| Reply::Done),
            Call::Team(call) => self.team_call(ns, call),
            Call::TunAdd(device) => self.add_tun(ns, &device).map(|()| Reply::Done),
            Call::TunDelete(device) => self.delete_tun(ns, &device).map(|()| Reply::Done),
            Call::Sockets(query) => Ok(Reply::Sockets(self.list_sockets(ns, query))),
            Call::Group { device, mac, join } => {
                self.change_link_group(ns, &device, Mac(mac), join).map(|()| Reply::Done)
            }
            Call::Features(device) => self.features(ns, &device).map(Reply::Features),
            Call::SetFeatures { device, wanted, mask } => {
                self.set_features(ns, &device, wanted, mask).map(Reply::Features)
            }
            Call::NetnsOpenSelf => {
                self.hold_netns(ns);
                self.give_fd(task, Open::Netns(ns))
            }
        }
    }

    fn save(&mut self, host: usize, name: String, version: u64, data: Vec<u8>) -> Result<Reply, Errno> {
        let store = &mut self.hosts.get_mut(host).ok_or(Errno::ESRCH)?.store;
        if store.get(&name).map_or(0, |(version, _)| *version) != version {
            return Err(Errno::EAGAIN);
        }
        let others: usize =
            store.iter().filter(|(known, _)| **known != name).map(|(_, (_, d))| d.len()).sum();
        if name.len() > STORE_NAME_MAX || others.saturating_add(data.len()) > STORE_MAX {
            return Err(Errno::ENOSPC);
        }
        store.insert(name, (version + 1, data));
        Ok(Reply::Done)
    }

    fn give_fd(&mut self, task: TaskId, open: Open) -> Result<Reply, Errno> {
        let Some(owner) = self.tasks.get_mut(task).filter(|task| task.fds.len() < FDS_MAX) else {
            self.close_open(open);
            return Err(Errno::EMFILE);
        };
        let fd = owner.next_fd;
        owner.next_fd += 1;
        owner.fds.insert(fd, open);
        Ok(Reply::Fd(Fd(fd)))
    }

    fn close_open(&mut self, open: Open) {
        match open {
            Open::Socket(id) => self.close_socket(id),
            Open::Netns(ns) => self.release_netns(ns),
        }
    }

    fn socket_of(&self, task: TaskId, fd: Fd) -> Result<SockId, Errno> {
        match self.tasks.get(task).ok_or(Errno::ESRCH)?.fds.get(&fd.0) {
            Some(Open::Socket(id)) => Ok(*id),
            _ => Err(Errno::EBADF),
        }
    }

    /// The socket behind a descriptor, for callers in the same process that send much.
    ///
    /// # Errors
    /// `EBADF`: no socket.
    pub fn socket_id(&self, task: TaskId, fd: Fd) -> Result<SockId, Errno> {
        self.socket_of(task, fd)
    }

    /// Sends a datagram from a UDP socket, without the copies of a [`Call`], and lets it arrive.
    ///
    /// # Errors
    /// What `sendto` fails with.
    #[inline]
    pub fn send_datagram(
        &mut self,
        socket: SockId,
        data: &[u8],
        to: Option<(Ipv4Addr, u16)>,
    ) -> Result<usize, Errno> {
        let sent = self.send_udp(socket, data, to);
        self.run();
        sent
    }

    /// Takes the oldest datagram of a UDP socket: its length. The buffer is reused.
    #[inline]
    pub fn take_datagram(&mut self, socket: SockId) -> Option<usize> {
        match self.sockets.get_mut(socket)?.pop()? {
            sock::Item::Packet { frame, offset, .. } => {
                let len = frame.len().saturating_sub(offset);
                self.consume(frame);
                Some(len)
            }
            _ => Some(0),
        }
    }

    /// Which of a task's descriptors have something to receive, or, of `writable`, can send without waiting.
    pub fn ready(&self, task: TaskId, fds: &[Fd], writable: &[Fd]) -> Vec<Fd> {
        let socket = |fd: &Fd| self.socket_of(task, *fd).ok().and_then(|id| self.sockets.get(id));
        let readable = fds.iter().filter(|fd| socket(fd).is_some_and(|socket| socket.is_ready()));
        let sending = writable.iter().filter(|fd| socket(fd).is_some_and(|socket| socket.is_writable()));
        readable
            .chain(sending.filter(|fd| !fds.contains(fd) || !socket(fd).is_some_and(|s| s.is_ready())))
            .copied()
            .collect()
    }

    /// As a driver with nothing else to do would perform [`Call::Wait`]: lets time pass, event by event, until a
    /// descriptor is ready or the deadline has come. Without a deadline it ends when nothing is due any more.
    pub fn wait(&mut self, task: TaskId, fds: &[Fd], writable: &[Fd], until_ns: Option<u64>) -> Vec<Fd> {
        loop {
            let ready = self.ready(task, fds, writable);
            if !ready.is_empty() {
                return ready;
            }
            let until = until_ns.map(Time).filter(|until| *until <= Time::END);
            match (self.next_event(), until) {
                (Some(next), Some(until)) if next > until => {
                    self.advance_to(until);
                    return self.ready(task, fds, writable);
                }
                (Some(next), _) => self.advance_to(next),
                (None, Some(until)) => {
                    self.advance_to(until);
                    return self.ready(task, fds, writable);
                }
                (None, None) => return Vec::new(),
            }
        }
    }

    pub(crate) fn open_socket(&mut self, ns: NsId, kind: SocketKind) -> Result<SockId, Errno> {
        let kind = match kind {
            SocketKind::Packet { cooked, protocol } => sock::Kind::Packet(sock::packet::Packet {
                cooked,
                protocol,
                device: None,
                promiscuous: Vec::new(),
                is_orphan: false,
            }),
            SocketKind::RawIpv4 { protocol } => sock::Kind::Raw(sock::raw::Raw::new(protocol)),
            SocketKind::TcpIpv4 => sock::Kind::Tcp(Box::default()),
            SocketKind::TcpIpv6 => sock::Kind::Tcp(Box::new(sock::tcp::Tcp::ipv6())),
            SocketKind::UdpIpv4 => sock::Kind::Udp(sock::udp::Udp::default()),
            SocketKind::Tap { ifindex } => return self.open_tap(ns, ifindex),
            SocketKind::RawIpv6 { protocol } => sock::Kind::Raw6(sock::raw6::Raw6::new(protocol)),
            SocketKind::UdpIpv6 => sock::Kind::Udp6(sock::udp6::Udp6::default()),
            SocketKind::ConntrackEvents => {
                self.listen_to_connections(ns, true)?;
                sock::Kind::ConntrackEvents
            }
            SocketKind::CanRaw => sock::Kind::Can(sock::can::Can::default()),
            SocketKind::RouteEvents { groups } => sock::Kind::RouteEvents { groups },
        };
        self.add_socket(ns, kind)
    }
}

/// A task of a world as a [`hairpin_netlink::System`]: front ends run in this process, and time passes when they
/// wait.
pub struct LocalSystem<'a> {
    pub world: &'a mut World,
    pub task: TaskId,
}

impl hairpin_netlink::System for LocalSystem<'_> {
    fn call(&mut self, call: Call) -> Result<Reply, Errno> {
        match call {
            Call::Wait { fds, writable, until_ns, .. } => {
                Ok(Reply::Ready(self.world.wait(self.task, &fds, &writable, until_ns)))
            }
            call => self.world.call(self.task, call),
        }
    }
}

#[cfg(test)]
mod tests {
    use hairpin_netlink::FIRST_NETNS;

    use super::*;

    fn world() -> (World, TaskId) {
        let mut world = World::new(1);
        world.add_host("h").expect("a host");
        let task = world.open_task("h", None).expect("a task");
        (world, task)
    }

    #[test]
    fn a_document_is_kept_only_over_the_version_that_was_read() {
        let (mut world, task) = world();
        let load = Call::StoreLoad("d".to_owned());
        let save = |version, text: &str| {
            let data = text.as_bytes().to_vec();
            Call::StoreSave { name: "d".to_owned(), version, data }
        };
        assert_eq!(world.call(task, load.clone()), Ok(Reply::Stored { version: 0, data: Vec::new() }));
        assert_eq!(world.call(task, save(0, "a")), Ok(Reply::Done));
        assert_eq!(world.call(task, save(0, "b")), Err(Errno::EAGAIN));
        assert_eq!(world.call(task, save(1, "c")), Ok(Reply::Done));
        assert_eq!(world.call(task, load.clone()), Ok(Reply::Stored { version: 2, data: b"c".to_vec() }));
        let large = Call::StoreSave { name: "e".to_owned(), version: 0, data: vec![0; STORE_MAX] };
        assert_eq!(world.call(task, large), Err(Errno::ENOSPC));
        // Each host has its own.
        world.add_host("other").expect("a host");
        let there = world.open_task("other", None).expect("a task");
        assert_eq!(world.call(there, load), Ok(Reply::Stored { version: 0, data: Vec::new() }));
    }

    #[test]
    fn namespaces_named_by_a_path_are_found_but_not_listed() {
        let (mut world, task) = world();
        let path = "/var/run/docker/netns/x";
        let mut call = |call| world.call(task, call);
        assert_eq!(call(Call::NetnsAdd("/proc/5000000/ns/net".to_owned())), Ok(Reply::Done));
        let attach = |name: &str, pid| Call::NetnsAttach { name: name.to_owned(), pid };
        assert_eq!(call(attach(path, 5_000_000)), Ok(Reply::Done));
        assert_eq!(call(attach("seen", 5_000_001)), Err(Errno::ENOENT));
        assert_eq!(call(Call::NetnsList), Ok(Reply::Names(Vec::new())));
        assert_eq!(call(attach("seen", 5_000_000)), Ok(Reply::Done));
        assert_eq!(call(Call::NetnsList), Ok(Reply::Names(vec!["seen".to_owned()])));
        assert_eq!(call(Call::NetnsEnter(path.to_owned())), Ok(Reply::Done));
        assert_eq!(call(Call::NetnsIdentify(None)), Ok(Reply::Names(vec!["seen".to_owned()])));
        assert_eq!(call(Call::NetnsEnter(FIRST_NETNS.to_owned())), Ok(Reply::Done));
        assert_eq!(call(Call::NetnsIdentify(None)), Ok(Reply::Names(Vec::new())));
        assert_eq!(call(Call::NetnsAdd("a/b".to_owned())), Err(Errno::EINVAL));
    }

    #[test]
    fn random_bytes_come_from_the_worlds_seed() {
        let random = || {
            let (mut world, task) = world();
            world.call(task, Call::Random(16))
        };
        assert_eq!(random(), random());
        assert!(
            matches!(random(), Ok(Reply::Bytes(bytes)) if bytes.len() == 16 && bytes.iter().any(|b| *b != 0))
        );
    }
}
