//! A front end's side of a session: system calls go to the session's socket.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::rc::Rc;

use hairpin_netlink::{Call, Errno, FIRST_NETNS, Reply, SocketKind, SocketOption, System};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::poll::{PollFd, PollFlags};
use nix::unistd::{getpgrp, setsid, tcgetpgrp};

use super::entering::{self, Entered};
use super::protocol::{Channel, Request, Response};
use super::{
    PATIENT_VARIABLE, SOCKET_VARIABLE, TASK_VARIABLE, TYPING_COST_NS, TaskName, VIEW_VARIABLE, launch, manage,
};
use crate::shell::Surroundings;
use crate::signals;

/// Where a descriptor that programs inherit is in nobody's way: scripts open low ones by number (`exec 3>&1`), or 200.
const INHERITED_MIN: [i32; 2] = [1000, 230];

/// A descriptor that outlives the exec (a namespace lives as long as the program in it), with a number that a script does
/// not use for its own.
fn out_of_the_way(stream: OwnedFd) -> nix::Result<OwnedFd> {
    for least in INHERITED_MIN {
        if let Ok(number) = fcntl(&stream, FcntlArg::F_DUPFD(least)) {
            // SAFETY: the call has made this descriptor, and nobody else knows of it.
            return Ok(unsafe { OwnedFd::from_raw_fd(number) });
        }
    }
    // So few may be open here.
    fcntl(&stream, FcntlArg::F_SETFD(FdFlag::empty()))?;
    Ok(stream)
}

/// A program in a session; connects at its first call.
#[derive(Clone)]
pub struct Session {
    inner: Rc<RefCell<Inner>>,
}

struct Inner {
    socket: PathBuf,
    task: TaskName,
    background: bool,
    channel: Option<Channel>,
    /// It has entered a namespace that its environment does not name yet.
    entered: bool,
    /// It becomes a shell that reads from a terminal.
    prompts: bool,
    /// It becomes another program.
    becomes: bool,
    /// Time does not jump for its waits.
    patient: bool,
    /// A program it has started in the background, which is to come to its point first.
    after: Option<u32>,
    /// The VRF that its sockets belong to.
    vrf: Option<String>,
}

impl Session {
    /// Whether the environment names a session.
    pub fn is_named() -> bool {
        std::env::var_os(SOCKET_VARIABLE).is_some_and(|path| !path.is_empty())
    }

    /// The session that the environment names.
    pub fn from_environment() -> Option<Session> {
        let socket = std::env::var_os(SOCKET_VARIABLE).filter(|path| !path.is_empty())?;
        let task = TaskName::parse(&std::env::var(TASK_VARIABLE).unwrap_or_default());
        Some(Session::new(socket.into(), task))
    }

    pub fn new(socket: PathBuf, task: TaskName) -> Session {
        let patient = std::env::var_os(PATIENT_VARIABLE).is_some();
        let background = patient || is_background();
        let inner = Inner {
            socket,
            task,
            background,
            channel: None,
            entered: false,
            prompts: false,
            becomes: false,
            patient,
            after: None,
            vrf: std::env::var(hairpin_tools::VRF_VARIABLE).ok().filter(|name| !name.is_empty()),
        };
        Session { inner: Rc::new(RefCell::new(inner)) }
    }

    /// Connects now; the error is for the user.
    ///
    /// # Errors
    /// The session is gone, or has no such host or namespace.
    pub fn connect(&self) -> Result<(), String> {
        self.inner.borrow_mut().connect()
    }

    /// Says that the program to come is a shell at which somebody types.
    pub fn prompts(&self) {
        self.inner.borrow_mut().prompts = true;
    }

    /// Lets the time pass in which somebody typed the command that this program becomes, unless it runs in the background.
    ///
    /// # Errors
    /// As [`Session::connect`].
    pub fn let_typing_pass(&self) -> Result<(), String> {
        self.inner.borrow_mut().becomes = true;
        self.connect()?;
        if self.inner.borrow().background {
            return Ok(());
        }
        let mut session = self.clone();
        // Interrupted, the command is as if typed faster.
        if let Ok(now) = session.now() {
            let _ = session.wait(&[], Some(now.monotonic_ns.saturating_add(TYPING_COST_NS)), true);
        }
        Ok(())
    }

    /// Prepares a command to run in this task's place: its environment, the view of its network namespace, and
    /// the connection that keeps the namespace alive, which lives as long as the command does.
    /// What the machine does not allow is told once where `warn` is set.
    ///
    /// # Errors
    /// As [`Session::connect`].
    pub fn enter(&self, command: &mut Command, warn: bool) -> Result<OwnedFd, String> {
        self.inner.borrow_mut().enter(command, warn)
    }
}

impl Inner {
    fn connect(&mut self) -> Result<(), String> {
        if self.channel.is_some() {
            return Ok(());
        }
        let gone = |error| format!("the session at {} is gone: {error}", self.socket.display());
        let mut channel = Channel::connect(&self.socket).map_err(gone)?;
        let hello = Request::Hello {
            task: self.task.clone(),
            background: self.background,
            after: self.after.take(),
            becomes: self.becomes,
        };
        match channel.ask(&hello).map_err(gone)? {
            Response::Welcome(task) => self.task = TaskName { token: self.task.token, ..task },
            Response::Refused(text) => return Err(text),
            _ => return Err("the session speaks another language: another version of hairpin?".to_owned()),
        }
        self.channel = Some(channel);
        Ok(())
    }

    fn enter(&mut self, command: &mut Command, warn: bool) -> Result<OwnedFd, String> {
        self.connect()?;
        let Some(mut channel) = self.channel.take() else { return Err("not connected".to_owned()) };
        let directory = self.socket.parent().unwrap_or(Path::new("/"));
        // The session learns which network namespace is this program's when it holds the task.
        let separated = entering::separate(directory, &self.task);
        let task =
            match channel.ask(&Request::Hold { prompts: self.prompts }).map_err(|error| error.to_string())? {
                Response::Held(task) => task,
                _ => return Err("the session did not keep the namespace".to_owned()),
            };
        let program = command.get_program();
        let (seen, complaints) = match entering::enter(separated, directory, &task, &mut channel, program) {
            Entered::Covered(complaints) => ("1", complaints),
            Entered::Impossible(text) => {
                ("none", vec![format!("/proc and /sys show this machine's own: {text}")])
            }
            Entered::Skipped => ("none", Vec::new()),
        };
        for text in complaints.iter().filter(|_| warn) {
            eprintln!("hairpin: {text}");
        }
        command.env(VIEW_VARIABLE, seen);
        command.env(SOCKET_VARIABLE, &self.socket).env(TASK_VARIABLE, task.to_string());
        out_of_the_way(OwnedFd::from(channel.into_stream())).map_err(|error| error.to_string())
    }

    /// A process that becomes `command` where this program is.
    fn entering(&self, command: &Command) -> io::Result<Command> {
        let mut entering = Command::new(std::env::current_exe()?);
        entering.arg0(launch::ENTER).arg(command.get_program()).args(command.get_args());
        entering.env(SOCKET_VARIABLE, &self.socket).env(TASK_VARIABLE, self.task.to_string());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => entering.env(name, value),
                None => entering.env_remove(name),
            };
        }
        Ok(entering)
    }

    fn call(&mut self, mut call: Call) -> Result<Reply, Errno> {
        if let (Call::Wait { bounded, .. }, true) = (&mut call, self.patient) {
            *bounded = false;
        }
        if let Err(text) = self.connect() {
            eprintln!("hairpin: {text}");
            std::process::exit(1);
        }
        let entered = match &call {
            Call::NetnsEnter(name) => Some(Some(name.clone()).filter(|name| name != FIRST_NETNS)),
            _ => None,
        };
        let waits = matches!(call, Call::Wait { .. });
        // What is there to be read is read before time passes: a wait may end in no time, and a program that sees both would
        // take it for the end of its patience.
        if waits && signals::watched_input_waits() {
            return Err(Errno::EINTR);
        }
        let channel = self.channel.as_mut().ok_or(Errno::ENOTCONN)?;
        channel.send(&Request::Call(call)).map_err(gone)?;
        if waits {
            let mut fds = [PollFd::new(channel.as_fd(), PollFlags::POLLIN)];
            if let Err(error) = signals::poll(&mut fds, None) {
                if error != Errno::EINTR {
                    return Err(error);
                }
                // The answer may already be on its way; one comes in any case.
                channel.send(&Request::Cancel).map_err(gone)?;
            }
        }
        let result = match channel.receive().map_err(gone)? {
            Response::Result(Ok(Reply::Ready(ready)))
                if ready.is_empty() && signals::watched_input_waits() =>
            {
                Err(Errno::EINTR)
            }
            Response::Result(result) => result,
            _ => Err(Errno::EPROTO),
        };
        if result.is_ok()
            && let Some(netns) = entered
        {
            self.task = TaskName { host: self.task.host.clone(), netns, token: None };
            self.entered = true;
        }
        result
    }
}

impl System for Session {
    fn call(&mut self, call: Call) -> Result<Reply, Errno> {
        let mut inner = self.inner.borrow_mut();
        let vrf = match call {
            Call::Socket(
                SocketKind::RawIpv4 { .. }
                | SocketKind::RawIpv6 { .. }
                | SocketKind::UdpIpv4
                | SocketKind::UdpIpv6
                | SocketKind::TcpIpv4
                | SocketKind::TcpIpv6,
            ) => inner.vrf.clone(),
            // Elsewhere it is none of this namespace's devices.
            Call::NetnsEnter(_) => inner.vrf.take().and(None),
            _ => None,
        };
        let reply = inner.call(call)?;
        if let (Some(name), Reply::Fd(fd)) = (vrf, &reply) {
            inner.call(Call::SetOption { fd: *fd, option: SocketOption::BindToDevice(name) })?;
        }
        Ok(reply)
    }
}

impl Surroundings for Session {
    fn exec(&mut self, command: &mut Command) -> io::Error {
        let mut kept = None;
        if self.inner.borrow().entered {
            match self.enter(command, true) {
                Ok(stream) => kept = Some(stream),
                Err(text) => return io::Error::other(text),
            }
        }
        let error = crate::shell::exec(command);
        drop(kept);
        error
    }

    fn run(&mut self, command: &mut Command, input: bool) -> io::Result<ExitStatus> {
        let mut entering = self.inner.borrow().entering(command)?;
        if !input {
            entering.stdin(Stdio::null());
        }
        // While the other runs this is no program of the session: time need not wait for it.
        self.inner.borrow_mut().channel = None;
        // What interrupts the other must not keep this one from its work behind it.
        if !signals::interrupt_is_ignored() {
            signals::catch();
        }
        entering.status()
    }

    fn start(&mut self, command: &mut Command, log: &str) -> io::Result<u32> {
        let path = self.log(log)?;
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let output = std::fs::File::options().create(true).append(true).open(path)?;
        let mut entering = self.inner.borrow().entering(command)?;
        entering.env(PATIENT_VARIABLE, "1");
        entering.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let leave = || setsid().map(drop).map_err(io::Error::from);
        // SAFETY: between fork and exec it makes one system call and touches no memory of others.
        unsafe { entering.pre_exec(leave) };
        let process = entering.spawn()?.id();
        let mut inner = self.inner.borrow_mut();
        inner.channel = None;
        inner.after = Some(process);
        Ok(process)
    }

    fn log(&self, log: &str) -> io::Result<PathBuf> {
        if log.is_empty() || log.contains(['/', '.']) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let inner = self.inner.borrow();
        let directory = inner.socket.parent().ok_or(io::ErrorKind::NotFound)?;
        Ok(directory.join("logs").join(log))
    }

    fn exec_on(&mut self, host: &str, argv: &[String]) -> io::Error {
        let socket = self.inner.borrow().socket.clone();
        let task = TaskName { host: host.to_owned(), ..TaskName::default() };
        match manage::describe(&socket) {
            Ok(session) if session.hosts.iter().all(|known| known.name != host) => {
                return io::ErrorKind::NotFound.into();
            }
            Ok(_) => {}
            Err(text) => return io::Error::other(text),
        }
        let there = Session::new(socket, task);
        let Some((program, arguments)) = argv.split_first() else {
            return io::ErrorKind::InvalidInput.into();
        };
        let mut command = Command::new(program);
        command.args(arguments);
        match there.enter(&mut command, true) {
            Ok(_kept) => crate::shell::exec(&mut command),
            Err(text) => io::Error::other(text),
        }
    }
}

/// The session's process is gone: what the kernel's going away would look like has no better number.
fn gone(error: io::Error) -> Errno {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => {
            eprintln!("hairpin: the session has ended");
            std::process::exit(1);
        }
        _ => crate::linux::errno(error),
    }
}

/// Started with `&` by a shell script (which ignores SIGINT for it), or by a shell with job control.
fn is_background() -> bool {
    if signals::interrupt_is_ignored() {
        return true;
    }
    let Ok(terminal) = std::fs::File::open("/dev/tty") else { return false };
    tcgetpgrp(&terminal).is_ok_and(|group| group != getpgrp())
}
