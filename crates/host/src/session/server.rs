//! The loop that owns the emulator: one thread, one `poll`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hairpin_netlink::sock_diag::SocketInfo;
use hairpin_netlink::{Call, Errno, FIRST_NETNS, Reply};
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{getsockopt, sockopt};
use nix::sys::time::TimeSpec;
use nix::unistd::Pid;

use super::clock::Pacer;
use super::connection::{Client, Connection, Role, State};
use super::protocol::{Description, HostDescription, Inbox, Request, Response, encode};
use super::settle::{Entrance, Family, Proc, ProcessTable, Sleepers};
use super::{Emulator, Pace, TaskId, TaskName, entering};
use crate::view::View;

/// Programs have so long to end when the session does.
const DISMISS_MAX: Duration = Duration::from_secs(1);

/// Why [`Server::run`] returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    /// The watched descriptor has input.
    Watched,
    /// A client asked for it.
    Asked,
}

pub(super) struct Server {
    pub(super) emulator: Box<dyn Emulator>,
    world: String,
    pub(super) pace: Pace,
    trace: Option<std::fs::File>,
    listener: UnixListener,
    pub(super) connections: BTreeMap<u64, Connection>,
    /// Tasks that programs outside refer to, by token.
    pub(super) held: BTreeMap<u64, (TaskId, TaskName)>,
    next: u64,
    pub(super) family: Family<Proc>,
    pub(super) pacer: Pacer,
    /// Something has happened since the processes were last seen quiet.
    pub(super) disturbed: bool,
    pub(super) unquiet_since: Option<Instant>,
    /// Shells that run on and on: time no longer waits for them.
    pub(super) restless: BTreeSet<u32>,
    pub(super) idle: Option<(Instant, Sleepers)>,
    /// What real programs see in `/proc` and `/sys`.
    pub(super) views: Vec<View>,
    /// The session's directory.
    pub(super) directory: PathBuf,
    pub(super) generation: u64,
    pub(super) started: Instant,
    stopping: bool,
}

impl Server {
    /// Listens on `socket`. `reaper` is this process where orphans of the session become its children.
    pub fn new(
        emulator: Box<dyn Emulator>,
        world: &str,
        pace: Pace,
        socket: &Path,
        reaper: Option<u32>,
    ) -> io::Result<Self> {
        let listener = UnixListener::bind(socket)?;
        listener.set_nonblocking(true)?;
        let generation = emulator.generation();
        Ok(Server {
            emulator,
            world: world.to_owned(),
            pace,
            trace: None,
            listener,
            connections: BTreeMap::new(),
            held: BTreeMap::new(),
            next: 1,
            family: Family::new(Proc::new(), reaper),
            pacer: Pacer::default(),
            disturbed: true,
            unquiet_since: None,
            restless: BTreeSet::new(),
            idle: None,
            views: Vec::new(),
            directory: socket.parent().unwrap_or(Path::new("/")).to_owned(),
            generation,
            started: Instant::now(),
            stopping: false,
        })
    }

    pub fn trace_to(&mut self, file: std::fs::File) {
        self.trace = Some(file);
    }

    /// Opens a task that lives as long as the session.
    ///
    /// # Errors
    /// There is no such host or namespace, in words.
    pub fn hold(&mut self, name: &TaskName) -> Result<TaskName, String> {
        let (task, name) = self.open(name)?;
        Ok(self.keep(task, name))
    }

    /// Takes a process and all it starts into the session.
    pub fn adopt(&mut self, process: u32) {
        self.family.adopt(process);
    }

    /// Serves until `watched` has input or somebody asks for the end.
    pub fn run(&mut self, watched: Option<&impl AsFd>, until: Option<Instant>) -> io::Result<Stopped> {
        loop {
            let mut pause = self.step();
            if let Some(until) = until {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Ok(Stopped::Watched);
                }
                pause = Some(pause.map_or(left, |pause| pause.min(left)));
            }
            if self.poll(pause, watched)? {
                return Ok(Stopped::Watched);
            }
            if self.stopping {
                return Ok(Stopped::Asked);
            }
        }
    }

    /// Asks every program to end and serves them until they have, or for a second.
    pub fn dismiss(&mut self) -> io::Result<()> {
        let end = Instant::now() + DISMISS_MAX;
        for connection in self.connections.values() {
            if let Role::Client(_) = connection.role {
                signal(connection.process, Signal::SIGTERM);
            }
        }
        self.stopping = false;
        while self.connections.values().any(|c| matches!(c.role, Role::Client(_))) && Instant::now() < end {
            self.run(None::<&UnixStream>, Some(end.min(Instant::now() + Duration::from_millis(10))))?;
        }
        // Shells entered from elsewhere are hung up, like those of a machine that goes away.
        for connection in self.connections.values() {
            if let Role::Holder { age, .. } = connection.role
                && self.family.table().process(connection.process).is_some_and(|p| p.age_key() == age)
            {
                signal(connection.process, Signal::SIGHUP);
            }
        }
        Ok(())
    }

    /// Waits for input and handles all of it. True where `watched` has some.
    fn poll(&mut self, pause: Option<Duration>, watched: Option<&impl AsFd>) -> io::Result<bool> {
        let (mut others, mut seen) = (false, false);
        let mut ready = Vec::new();
        {
            let mut fds = vec![PollFd::new(self.listener.as_fd(), PollFlags::POLLIN)];
            for connection in self.connections.values() {
                let mut events = PollFlags::POLLIN;
                if !connection.outbox.is_empty() {
                    events |= PollFlags::POLLOUT;
                }
                fds.push(PollFd::new(connection.stream.as_fd(), events));
            }
            let attached = fds.len();
            fds.extend(self.views.iter().map(|view| PollFd::new(view.as_fd(), PollFlags::POLLIN)));
            let last = fds.len();
            if let Some(watched) = watched {
                fds.push(PollFd::new(watched.as_fd(), PollFlags::POLLIN));
            }
            match ppoll(&mut fds, pause.map(TimeSpec::from_duration), None) {
                Ok(0) | Err(nix::Error::EINTR) => return Ok(false),
                Ok(_) => {}
                Err(error) => return Err(error.into()),
            }
            let has_input = |fd: &PollFd<'_>| fd.any().unwrap_or(false);
            for (id, fd) in self.connections.keys().zip(&fds[1..attached]) {
                if has_input(fd) {
                    ready.push(*id);
                }
            }
            others |= fds[attached..last].iter().any(has_input);
            seen |= fds[last..].iter().any(has_input);
        }
        self.disturbed = true;
        self.idle = None;
        self.unquiet_since = None;
        self.catch_up();
        if others {
            self.serve_views(false);
        }
        self.accept();
        for id in ready {
            self.serve(id);
        }
        self.sweep();
        Ok(seen)
    }

    /// Whether some descriptor is readable at this instant.
    pub(super) fn has_input(&self) -> bool {
        let mut fds = vec![PollFd::new(self.listener.as_fd(), PollFlags::POLLIN)];
        fds.extend(self.connections.values().map(|c| PollFd::new(c.stream.as_fd(), PollFlags::POLLIN)));
        fds.extend(self.views.iter().map(|view| PollFd::new(view.as_fd(), PollFlags::POLLIN)));
        ppoll(&mut fds, Some(TimeSpec::new(0, 0)), None).is_ok_and(|count| count > 0)
    }

    fn accept(&mut self) {
        while let Ok((stream, _)) = self.listener.accept() {
            let credentials = getsockopt(&stream, sockopt::PeerCredentials);
            let Ok(process) = credentials.map(|peer| peer.pid().max(0) as u32) else { continue };
            if stream.set_nonblocking(true).is_err() {
                continue;
            }
            let id = self.number();
            let (inbox, outbox, role) = (Inbox::default(), Vec::new(), Role::Stranger);
            let descriptors = Vec::new();
            let connection = Connection { stream, inbox, descriptors, outbox, process, role, closed: false };
            self.connections.insert(id, connection);
            self.serve(id);
        }
    }

    /// Reads what a connection has sent and answers it.
    fn serve(&mut self, id: u64) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        connection.flush();
        connection.read();
        loop {
            let Some(connection) = self.connections.get_mut(&id) else { return };
            match connection.inbox.take() {
                Ok(Some(request)) => self.handle(id, request),
                Ok(None) => return,
                Err(_) => {
                    connection.closed = true;
                    return;
                }
            }
        }
    }

    fn handle(&mut self, id: u64, request: Request) {
        match request {
            Request::Hello { task, background, after, becomes } => {
                let response = match self.welcome(id, &task, background, after) {
                    Ok(name) => {
                        if let Some(client) = self.client(id) {
                            client.becomes = becomes;
                        }
                        Response::Welcome(name)
                    }
                    Err(text) => Response::Refused(text),
                };
                self.answer(id, &response);
            }
            Request::Call(call) => self.call(id, call),
            Request::Cancel => {
                if let Some(client) = self.client(id)
                    && !matches!(client.state, State::Running)
                {
                    client.resume();
                    self.answer(id, &Response::Result(Err(Errno::EINTR)));
                }
            }
            Request::Hold { prompts } => {
                let Some(connection) = self.connections.get_mut(&id) else { return };
                match std::mem::replace(&mut connection.role, Role::Stranger) {
                    Role::Client(client) => {
                        let name = self.keep(client.task, client.name);
                        if let (Some(connection), Some(token)) = (self.connections.get_mut(&id), name.token) {
                            let network = network_of(&connection.process.to_string());
                            connection.role = Role::Holder { token, age: client.age, network, prompts };
                        }
                        self.answer(id, &Response::Held(name));
                    }
                    _ => self.close(id),
                }
            }
            Request::View { device } => {
                let descriptor = self.connections.get_mut(&id).and_then(|c| c.descriptors.pop());
                let response =
                    if device != descriptor.is_some() { None } else { self.open_view(id, descriptor) };
                match response {
                    Some(response) => self.answer(id, &response),
                    None => self.close(id),
                }
            }
            Request::Describe => {
                let description = self.describe();
                self.answer(id, &Response::Description(description));
            }
            Request::Stop => {
                self.answer(id, &Response::Stopping);
                self.stopping = true;
            }
        }
    }

    fn welcome(
        &mut self,
        id: u64,
        name: &TaskName,
        background: bool,
        after: Option<u32>,
    ) -> Result<TaskName, String> {
        if let Some(connection) = self.connections.get(&id)
            && self.is_elsewhere(connection.process)
        {
            return Err("this program is in a network namespace of the machine's own (unshare -n, nsenter); those of \
                        the emulated kernel are made by 'ip netns add'"
                .to_owned());
        }
        if name.token.is_none()
            && let Some(process) = self.connections.get(&id).map(|connection| connection.process)
        {
            self.expect_others(process);
        }
        let kept = name.token.and_then(|token| self.held.get(&token)).cloned();
        let (task, name) = match kept {
            Some((task, name)) => {
                let fork = self.emulator.fork_task(task).map_err(|error| error.to_string())?;
                (fork, name)
            }
            None => self.open(name)?,
        };
        let Some(connection) = self.connections.get_mut(&id) else { return Ok(name) };
        let process = connection.process;
        self.family.adopt(process);
        let age = self.family.table().process(process).map_or((u64::MAX, process), |found| found.age_key());
        let client = Client {
            task,
            name: name.clone(),
            foreground: !background,
            age,
            after,
            state: State::Running,
            called: false,
            becomes: false,
            settled: false,
            busy_since: Instant::now(),
            stuck: false,
        };
        if let Role::Client(before) = std::mem::replace(&mut connection.role, Role::Client(client)) {
            self.emulator.close_task(before.task);
        }
        Ok(name)
    }

    /// Whether a process has left the machine's network namespaces that the session is in.
    fn is_elsewhere(&self, process: u32) -> bool {
        let there = network_of(&process.to_string());
        if there.is_none() || there == network_of("self") {
            return false;
        }
        let own = |connection: &Connection| matches!(&connection.role, Role::Holder { network, .. } if *network == there);
        !self.connections.values().any(own)
    }

    /// Somebody comes in from outside: who set out before (`hairpin exec … nc -l &`) and has not got here yet, because the
    /// machine is busy, is waited for as for any program that is starting.
    fn expect_others(&mut self, before: u32) {
        let Some(name) = self.directory.file_name().and_then(|name| name.to_str()) else { return };
        let to = Entrance { name, directory: &self.directory };
        let mut older = self.family.table().on_their_way(&to);
        let own = older.iter().position(|process| *process == before);
        // Whom it does not find is not called by that name: a front end that was started by itself.
        older.truncate(own.unwrap_or(0));
        for process in older {
            self.family.adopt(process);
        }
    }

    /// Opens a task by name; the error lists what there is.
    fn open(&mut self, name: &TaskName) -> Result<(TaskId, TaskName), String> {
        let hosts = self.emulator.hosts();
        let host = match hosts.as_slice() {
            [only] if name.host.is_empty() => only.clone(),
            _ if name.host.is_empty() => {
                return Err(format!("which host? There are: {}", hosts.join(", ")));
            }
            _ => name.host.clone(),
        };
        match self.emulator.open_task(&host, name.netns.as_deref()) {
            Ok(task) => Ok((task, TaskName { host, netns: name.netns.clone(), token: None })),
            Err(_) if !hosts.contains(&host) => {
                Err(format!("no host '{host}'; there are: {}", hosts.join(", ")))
            }
            Err(Errno::ENOENT) => {
                let netns = name.netns.as_deref().unwrap_or_default();
                let known = self.namespaces(&host);
                Err(if known.is_empty() {
                    format!("no network namespace '{netns}' on {host}; it has none")
                } else {
                    format!("no network namespace '{netns}' on {host}; there are: {}", known.join(", "))
                })
            }
            Err(error) => Err(format!("{host}: {error}")),
        }
    }

    fn namespaces(&mut self, host: &str) -> Vec<String> {
        let Ok(task) = self.emulator.open_task(host, None) else { return Vec::new() };
        let names = match self.emulator.call(task, Call::NetnsList) {
            Ok(Reply::Names(names)) => names,
            _ => Vec::new(),
        };
        self.emulator.close_task(task);
        names
    }

    fn keep(&mut self, task: TaskId, mut name: TaskName) -> TaskName {
        let token = self.number();
        name.token = Some(token);
        self.held.insert(token, (task, name.clone()));
        name
    }

    fn describe(&mut self) -> Description {
        let hosts = self.emulator.hosts();
        let hosts =
            hosts.into_iter().map(|name| HostDescription { namespaces: self.namespaces(&name), name });
        let hosts = hosts.collect();
        Description {
            world: self.world.clone(),
            process_id: std::process::id(),
            age_seconds: self.started.elapsed().as_secs(),
            pace: self.pace,
            monotonic_ns: self.emulator.now().monotonic_ns,
            hosts,
        }
    }

    fn call(&mut self, id: u64, call: Call) {
        let Some(client) = self.client(id) else { return self.close(id) };
        client.stuck = false;
        client.busy_since = Instant::now();
        if !client.called {
            client.called = true;
            client.state = State::First(call, Instant::now());
            return;
        }
        self.perform(id, call);
    }

    pub(super) fn perform(&mut self, id: u64, call: Call) {
        // What programs wrote into the views before comes first.
        self.serve_views(true);
        let Some(client) = self.client(id) else { return };
        let task = client.task;
        if let Call::Wait { fds, writable, until_ns, bounded } = call {
            client.settled = !client.becomes;
            client.state = State::Waiting { fds, writable, until_ns, bounded };
            self.wake(Some(id));
            return;
        }
        if let Call::NetnsEnter(name) = &call {
            let netns = Some(name.clone()).filter(|name| name != FIRST_NETNS);
            let result = self.emulator.call(task, call);
            if let (Ok(_), Some(client)) = (&result, self.client(id)) {
                client.name.netns = netns;
            }
            return self.answer(id, &Response::Result(result));
        }
        if let Call::WriteFile { path, data } = &call
            && path.starts_with("/etc/")
        {
            let host = client.name.host.clone();
            let written = entering::write_etc(&self.directory, &host, path, data);
            let result = written.map(|()| Reply::Done).map_err(crate::linux::errno);
            return self.answer(id, &Response::Result(result));
        }
        let located = self.locate(task, &call);
        let mut result = located.unwrap_or_else(|| self.emulator.call(task, call));
        if let Ok(Reply::Sockets(sockets)) = &mut result {
            self.name_owners(sockets);
        }
        // The next program of a script reads what this call has changed.
        self.changed();
        self.answer(id, &Response::Result(result));
    }

    /// The processes of the tasks that hold sockets.
    fn name_owners(&self, sockets: &mut [SocketInfo]) {
        for owner in sockets.iter_mut().flat_map(|socket| &mut socket.owners) {
            let process = self.connections.values().find_map(|connection| match &connection.role {
                Role::Client(client) if client.task.0 == owner.task => Some(connection.process),
                _ => None,
            });
            owner.process = process.unwrap_or(0);
            let name = std::fs::read_to_string(format!("/proc/{}/comm", owner.process));
            owner.name = name.map(|name| name.trim_end().to_owned()).unwrap_or_default();
        }
    }

    pub(super) fn write_trace(&mut self) {
        if let Some(file) = &mut self.trace {
            let bytes = self.emulator.take_trace();
            if !bytes.is_empty() && file.write_all(&bytes).is_err() {
                self.trace = None;
            }
        }
    }

    pub(super) fn client(&mut self, id: u64) -> Option<&mut Client> {
        match &mut self.connections.get_mut(&id)?.role {
            Role::Client(client) => Some(client),
            _ => None,
        }
    }

    pub(super) fn answer(&mut self, id: u64, response: &Response) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        match encode(response) {
            Ok(bytes) => connection.outbox.extend(bytes),
            Err(_) => connection.closed = true,
        }
        connection.flush();
    }

    fn close(&mut self, id: u64) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.closed = true;
        }
    }

    /// Removes closed connections with their tasks.
    fn sweep(&mut self) {
        let closed: Vec<u64> = self.connections.iter().filter(|(_, c)| c.closed).map(|(id, _)| *id).collect();
        for id in closed {
            let task = match self.connections.remove(&id).map(|connection| connection.role) {
                Some(Role::Client(client)) => Some(client.task),
                Some(Role::Holder { token, .. }) => self.held.remove(&token).map(|(task, _)| task),
                _ => None,
            };
            if let Some(task) = task {
                self.emulator.close_task(task);
            }
        }
        self.changed();
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

/// What tells the machine's network namespace that a process is in from others.
fn network_of(process: &str) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{process}/ns/net")).ok()
}

fn signal(process: u32, signal: Signal) {
    if let Ok(id) = i32::try_from(process)
        && id > 1
    {
        let _ = kill(Pid::from_raw(id), signal);
    }
}
