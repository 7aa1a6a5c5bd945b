//! A kernel for tests: a virtual clock, and a script that says what comes back for every packet sent.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, BufRead, Read, Write};
use std::net::Ipv4Addr;
use std::rc::Rc;

use hairpin_netlink::{Address, Call, Errno, Fd, Now, Received, Reply, SocketOption, System};

use crate::{Launch, Program, Shell, Signal};

/// The clock of the day starts here, in seconds since 1970.
const EPOCH_S: u64 = 1_700_000_000;

/// A packet that a program has sent.
pub(crate) struct Sent {
    pub now_ns: u64,
    pub ttl: u8,
    pub to: Address,
    pub data: Vec<u8>,
}

/// What a packet leads to: items of the socket, each after so many nanoseconds.
pub(crate) type Answers = Result<Vec<(u64, Received)>, Errno>;

/// See the module.
pub(crate) struct FakeKernel {
    pub now_ns: u64,
    script: Box<dyn FnMut(&Sent) -> Answers>,
    /// The bytes that answer a netlink request.
    pub netlink: fn(&[u8]) -> Vec<u8>,
    /// Files by path; directories are what their paths imply.
    pub files: BTreeMap<String, String>,
    next_fd: u32,
    peers: BTreeMap<Fd, Address>,
    ttls: BTreeMap<Fd, u8>,
    coming: Vec<(u64, Fd, Received)>,
    /// Environment variables.
    pub variables: BTreeMap<String, String>,
    /// Signals by the time at which they come.
    pub signals: Vec<(u64, Signal)>,
    arrived: Rc<Cell<Option<Signal>>>,
}

impl FakeKernel {
    pub fn new(script: impl FnMut(&Sent) -> Answers + 'static) -> Self {
        FakeKernel {
            now_ns: 0,
            script: Box::new(script),
            netlink: |_| Vec::new(),
            files: BTreeMap::new(),
            next_fd: 3,
            peers: BTreeMap::new(),
            ttls: BTreeMap::new(),
            coming: Vec::new(),
            variables: BTreeMap::new(),
            signals: Vec::new(),
            arrived: Rc::default(),
        }
    }

    /// Runs a command line to its exit code; what it has printed to both streams, in order.
    pub fn run(&mut self, line: &str) -> (String, i32) {
        let mut words = line.split_whitespace().map(str::to_owned);
        let name = words.next().expect("a program");
        let args: Vec<String> = words.collect();
        let mut shell = FakeShell {
            printed: Vec::new(),
            input: io::empty(),
            variables: self.variables.clone(),
            arrived: self.arrived.clone(),
        };
        let main = crate::find(&name).expect("a front end");
        let code = main(&mut Program { name: &name, args: &args, system: self, shell: &mut shell });
        (String::from_utf8(shell.printed).expect("text"), code)
    }

    fn entries(&self, path: &str) -> Result<Reply, Errno> {
        let directory = format!("{}/", path.trim_end_matches('/'));
        let below = self.files.keys().filter_map(|file| file.strip_prefix(&directory));
        let mut names: Vec<String> =
            below.filter_map(|rest| rest.split('/').next()).map(str::to_owned).collect();
        names.dedup();
        match (names.is_empty(), self.files.contains_key(path)) {
            (false, _) => Ok(Reply::Names(names)),
            (true, true) => Err(Errno::ENOTDIR),
            (true, false) => Err(Errno::ENOENT),
        }
    }

    fn send(&mut self, fd: Fd, data: Vec<u8>, to: Option<Address>) -> Result<Reply, Errno> {
        let length = data.len() as u32;
        let to = to.or(self.peers.get(&fd).copied()).ok_or(Errno::ENOTCONN)?;
        let ttl = self.ttls.get(&fd).copied().unwrap_or(64);
        let answers = (self.script)(&Sent { now_ns: self.now_ns, ttl, to, data })?;
        let now_ns = self.now_ns;
        self.coming.extend(answers.into_iter().map(|(delay, item)| (now_ns + delay, fd, item)));
        self.coming.sort_by_key(|(at, ..)| *at);
        Ok(Reply::Sent(length))
    }

    fn receive(&mut self, fd: Fd, max: u32) -> Vec<Received> {
        let mut items = Vec::new();
        while let Some(at) = self.coming.iter().position(|(at, to, _)| *at <= self.now_ns && *to == fd) {
            if items.len() == max as usize {
                break;
            }
            items.push(self.coming.remove(at).2);
        }
        items
    }

    fn wait(&mut self, fds: &[Fd], until_ns: Option<u64>) -> Result<Reply, Errno> {
        let item = self.coming.iter().filter(|(_, fd, _)| fds.contains(fd)).map(|(at, ..)| *at).min();
        let signal = self.signals.first().map(|(at, _)| *at);
        let next = [item, signal, until_ns].into_iter().flatten().min().expect("an end of the wait");
        self.now_ns = self.now_ns.max(next);
        if signal.is_some_and(|at| at <= self.now_ns) {
            self.arrived.set(Some(self.signals.remove(0).1));
            return Err(Errno::EINTR);
        }
        let mut ready: Vec<Fd> =
            self.coming.iter().filter(|(at, ..)| *at <= self.now_ns).map(|(_, fd, _)| *fd).collect();
        ready.retain(|fd| fds.contains(fd));
        ready.dedup();
        Ok(Reply::Ready(ready))
    }
}

impl System for FakeKernel {
    fn call(&mut self, call: Call) -> Result<Reply, Errno> {
        Ok(match call {
            Call::Now => Reply::Now(Now { monotonic_ns: self.now_ns, realtime_ns: realtime(self.now_ns) }),
            Call::Netlink(request) => Reply::Bytes((self.netlink)(&request)),
            Call::Socket(_) => {
                self.next_fd += 1;
                Reply::Fd(Fd(self.next_fd))
            }
            Call::SetOption { fd, option } => {
                if let SocketOption::Ttl(ttl) = option {
                    self.ttls.insert(fd, ttl);
                }
                Reply::Done
            }
            Call::Connect { fd, address } => {
                self.peers.insert(fd, address);
                Reply::Done
            }
            Call::LocalAddress(_) => Reply::Address(ipv4([10, 0, 0, 1], 0)),
            Call::Send { fd, data, to } => return self.send(fd, data, to),
            Call::Receive { fd, max } => Reply::Received(self.receive(fd, max)),
            Call::Wait { fds, until_ns, .. } => return self.wait(&fds, until_ns),
            Call::Bind { .. } | Call::Close(_) | Call::Module { .. } => Reply::Done,
            Call::ReadFile(path) => {
                Reply::Bytes(self.files.get(&path).ok_or(Errno::ENOENT)?.clone().into_bytes())
            }
            Call::WriteFile { path, data } => {
                let file = self.files.get_mut(&path).ok_or(Errno::ENOENT)?;
                *file = String::from_utf8(data).map_err(|_| Errno::EINVAL)?;
                Reply::Done
            }
            Call::ListDirectory(path) => return self.entries(&path),
            _ => return Err(Errno::ENOSYS),
        })
    }
}

/// The time of day at an instant of the clock.
pub(crate) fn realtime(monotonic_ns: u64) -> u64 {
    EPOCH_S * 1_000_000_000 + monotonic_ns
}

pub(crate) fn ipv4(address: [u8; 4], port: u16) -> Address {
    Address::Ipv4 { address: Ipv4Addr::from(address), port }
}

struct FakeShell {
    printed: Vec<u8>,
    input: io::Empty,
    variables: BTreeMap<String, String>,
    arrived: Rc<Cell<Option<Signal>>>,
}

impl Shell for FakeShell {
    fn out(&mut self) -> &mut dyn Write {
        &mut self.printed
    }

    fn err(&mut self) -> &mut dyn Write {
        &mut self.printed
    }

    fn input(&mut self) -> &mut dyn BufRead {
        &mut self.input
    }

    fn open(&mut self, path: &str) -> io::Result<Box<dyn Read>> {
        match path {
            "/etc/hosts" => Ok(Box::new(&b"# hosts\n10.0.0.7 seven.example seven\n::1 six\n"[..])),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn create(&mut self, _path: &str) -> io::Result<Box<dyn Write>> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn is_terminal(&self) -> bool {
        false
    }

    fn process_id(&self) -> u32 {
        0x1_1234
    }

    fn take_signal(&mut self) -> Option<Signal> {
        self.arrived.take()
    }

    /// Prints what it would run; there is no program `nope`.
    fn exec(&mut self, argv: &[String]) -> io::Result<i32> {
        if argv.first().is_some_and(|name| name == "nope") {
            return Err(io::ErrorKind::NotFound.into());
        }
        writeln!(self.printed, "{argv:?}")?;
        Ok(7)
    }

    /// As [`Shell::exec`].
    fn run(&mut self, launch: &Launch<'_>) -> io::Result<i32> {
        self.exec(launch.argv)
    }

    /// As [`Shell::exec`]; there is no host `nope`.
    fn exec_on(&mut self, host: &str, argv: &[String]) -> io::Result<i32> {
        if host == "nope" {
            return Err(io::ErrorKind::NotFound.into());
        }
        writeln!(self.printed, "{host}: {argv:?}")?;
        Ok(7)
    }
}
