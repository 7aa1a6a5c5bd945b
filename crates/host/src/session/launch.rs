//! Programs started in a session: `hairpin run`, `hairpin shell`, `hairpin exec`.
#![allow(unsafe_code)]

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use hairpin_netlink::System;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::client::Session;
use super::entering;
use super::registry::Entry;
use super::server::{Server, Stopped};
use super::{Load, Pace, SOCKET_VARIABLE, TASK_VARIABLE, TaskName, WorldSource, manage, registry, settle};
use crate::multicall;

/// The name by which a session's first process is called.
pub const ENTER: &str = "hairpin-enter";

/// What `run` and `shell` have in common.
#[derive(Clone, Debug)]
pub struct Options {
    /// A built-in world's name or a file.
    pub world: String,
    /// Where the program starts; empty for the first host.
    pub task: TaskName,
    pub pace: Pace,
    pub trace: Option<TraceTo>,
}

/// Where a session records what happens to every frame.
#[derive(Clone, Debug)]
pub struct TraceTo {
    pub file: PathBuf,
    /// Recording ends after so many lines, and says so.
    pub lines_max: u64,
}

/// Runs a bash script (`-`: from standard input) in a world of its own; returns its exit code, 128 and the
/// signal's number where one ended it.
///
/// # Errors
/// The world or the session cannot be built; for the user.
pub fn run(load: Load, options: &Options, script: &str, args: &[String]) -> Result<i32, String> {
    let mut argv = vec!["bash"];
    if script == "-" {
        argv.extend(["-s", "--"]);
    } else {
        if !Path::new(script).exists() {
            return Err(format!("{script}: No such file or directory"));
        }
        argv.push(script);
    }
    argv.extend(args.iter().map(String::as_str));
    start(load, options, &format!("run-{}", std::process::id()), &argv)
}

/// An interactive shell in a world of its own.
///
/// # Errors
/// As [`run`].
pub fn shell(load: Load, options: &Options) -> Result<i32, String> {
    let name = manage::default_name(&options.world);
    start(load, options, &name, &[])
}

/// Replaces this process by a command (a shell where `argv` is empty) in a session that is up. `session` may be
/// left out inside one, or where exactly one is up.
///
/// # Errors
/// No such session, host, namespace or program; for the user. Does not return otherwise.
pub fn exec(session: Option<&str>, task: &TaskName, argv: &[String]) -> Result<i32, String> {
    let socket = find(session)?;
    let session = Session::new(socket.clone(), task.clone());
    if manage::describe(&socket)?.pace == Pace::Virtual {
        session.let_typing_pass()?;
    }
    // What the machine does not allow was said when the session started.
    become_program(&session, &socket, argv, false)
}

/// What a session's first process does: it becomes the program `argv`. It is called as [`ENTER`].
pub fn enter(argv: &[String]) -> i32 {
    let socket = std::env::var_os(SOCKET_VARIABLE).unwrap_or_default();
    let result = match Session::from_environment() {
        Some(session) => become_program(&session, Path::new(&socket), argv, true),
        None => Err("not in a session".to_owned()),
    };
    result.unwrap_or_else(|text| {
        eprintln!("hairpin: {text}");
        1
    })
}

/// Replaces this process by a program (a shell where `argv` is empty) in the session's namespaces.
fn become_program(session: &Session, socket: &Path, argv: &[String], warn: bool) -> Result<i32, String> {
    let (program, args) =
        argv.split_first().map_or(("bash", &[][..]), |(program, args)| (program.as_str(), args));
    let mut command = Command::new(program);
    command.args(args);
    if args.is_empty() && settle::is_shell(program) && std::io::stdin().is_terminal() {
        session.prompts();
    }
    let kept = session.enter(&mut command, warn)?;
    dress(&mut command, socket, argv.is_empty());
    let error = crate::shell::exec(&mut command);
    drop(kept);
    eprintln!("hairpin: {program}: {}", crate::linux::errno(error));
    Ok(if error_is_missing(program) { 127 } else { 126 })
}

/// Lets `seconds` of a session's time pass.
///
/// # Errors
/// No such session, or no number; for the user.
pub fn wait(session: Option<&str>, seconds: &str) -> Result<(), String> {
    let duration = seconds
        .parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| format!("'{seconds}' is no number of seconds"))?;
    let socket = find(session)?;
    // Any host will do.
    let host = manage::describe(&socket)?.hosts.into_iter().next().map(|host| host.name).unwrap_or_default();
    let mut session = Session::new(socket, TaskName { host, ..TaskName::default() });
    session.connect()?;
    let now = session.now().map_err(|error| error.to_string())?.monotonic_ns;
    let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    session.wait(&[], Some(now.saturating_add(nanoseconds)), true).map_err(|error| error.to_string())?;
    Ok(())
}

/// The socket of the session meant.
///
/// # Errors
/// None, or not exactly one; for the user.
pub(super) fn find(session: Option<&str>) -> Result<PathBuf, String> {
    if let Some(name) = session {
        return registry::socket_of(name);
    }
    if let Some(socket) = std::env::var_os(SOCKET_VARIABLE).filter(|path| !path.is_empty()) {
        return Ok(socket.into());
    }
    // Worlds of scripts come and go: they must be named.
    let names: Vec<String> = registry::list().into_iter().filter(|name| !name.starts_with("run-")).collect();
    match names.as_slice() {
        [name] => registry::socket_of(name),
        [] => Err("no world is up; 'hairpin up WORLD' starts one".to_owned()),
        names => Err(format!("which world? -w NAME, one of: {}", names.join(", "))),
    }
}

fn start(load: Load, options: &Options, name: &str, argv: &[&str]) -> Result<i32, String> {
    let source = WorldSource {
        world: options.world.clone(),
        trace: options.trace.as_ref().map(|trace| trace.lines_max),
    };
    let emulator = load(&source)?;
    let trace = match &options.trace {
        Some(TraceTo { file, .. }) => Some(
            File::create(file)
                .map_err(|error| format!("{}: {}", file.display(), crate::linux::errno(error)))?,
        ),
        None => None,
    };
    let mut task = options.task.clone();
    if task.host.is_empty() {
        task.host = emulator.hosts().into_iter().next().ok_or("the world has no host")?;
    }
    let names = program_names();
    let entry = Entry::create_numbered(name, &names)?;
    let words = |error: io::Error| error.to_string();
    entering::prepare(&entry.directory, &*emulator, &names).map_err(words)?;
    let reaper = nix::sys::prctl::set_child_subreaper(true).is_ok().then(std::process::id);
    let socket = entry.socket();
    let mut server = Server::new(emulator, &options.world, options.pace, &socket, reaper).map_err(words)?;
    if let Some(file) = trace {
        server.trace_to(file);
    }
    let task = server.hold(&task)?;
    let signals = Signals::block(&[
        Signal::SIGCHLD,
        Signal::SIGHUP,
        Signal::SIGINT,
        Signal::SIGQUIT,
        Signal::SIGTERM,
        Signal::SIGUSR1,
        Signal::SIGUSR2,
    ])
    .map_err(words)?;
    let mut command = Command::new(std::env::current_exe().map_err(words)?);
    command.arg0(ENTER).args(argv);
    command.env(SOCKET_VARIABLE, &socket).env(TASK_VARIABLE, task.to_string());
    unblock_signals(&mut command);
    let child = command.spawn().map_err(words)?.id();
    server.adopt(child);
    let code = serve(&mut server, &signals, child).map_err(words)?;
    server.dismiss().map_err(words)?;
    Ok(code)
}

/// Serves until the child ends; returns its exit code.
fn serve(server: &mut Server, signals: &Signals, child: u32) -> io::Result<i32> {
    let pid = Pid::from_raw(child as i32);
    loop {
        if server.run(Some(&signals.0), None)? == Stopped::Asked {
            let _ = kill(pid, Signal::SIGHUP);
            server.dismiss()?;
            return Ok(128 + Signal::SIGHUP as i32);
        }
        while let Some((signal, by_program)) = signals.take() {
            // What the terminal sends reaches the child without us.
            if signal != Signal::SIGCHLD && by_program {
                let _ = kill(pid, signal);
            }
        }
        // Orphans of the session are ours to collect.
        while let Ok(status) = waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            match status {
                WaitStatus::StillAlive => break,
                WaitStatus::Exited(id, code) if id == pid => return Ok(code),
                WaitStatus::Signaled(id, signal, _) if id == pid => return Ok(128 + signal as i32),
                _ => {}
            }
        }
    }
}

/// Names of everything that goes into a session's `bin`.
pub(super) fn program_names() -> Vec<&'static str> {
    multicall::names().chain(["hairpin"]).collect()
}

/// Puts the front ends first on the command's PATH; an interactive bash gets a prompt that names the host.
fn dress(command: &mut Command, socket: &Path, interactive: bool) {
    let Some(directory) = socket.parent() else { return };
    let bin = directory.join("bin");
    let mut path = OsString::from(&bin);
    if let Some(rest) = std::env::var_os("PATH").filter(|rest| !rest.is_empty()) {
        path.push(":");
        path.push(rest);
    }
    command.env("PATH", path);
    if interactive {
        let task = command
            .get_envs()
            .find(|(name, _)| *name == TASK_VARIABLE)
            .and_then(|(_, value)| value)
            .map(|value| TaskName { token: None, ..TaskName::parse(&value.to_string_lossy()) });
        let rc = directory.join("bashrc");
        let text = format!(
            "[ -r ~/.bashrc ] && . ~/.bashrc\nPATH='{}':\"$PATH\"\nPS1='[{}] \\w\\$ '\n",
            bin.display(),
            task.unwrap_or_default()
        );
        if std::fs::write(&rc, text).is_ok() {
            command.arg("--rcfile").arg(rc).arg("-i");
        }
    }
}

/// The child gets the signals that are input here.
fn unblock_signals(command: &mut Command) {
    let unblock =
        || sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None).map_err(io::Error::from);
    // SAFETY: between fork and exec it makes one system call and touches no memory of others.
    unsafe { command.pre_exec(unblock) };
}

/// Whether a shell would say "command not found".
fn error_is_missing(program: &str) -> bool {
    let found = |path: PathBuf| path.exists();
    if program.contains('/') {
        return !found(PathBuf::from(program));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    !std::env::split_paths(&path).any(|directory| found(directory.join(program)))
}

/// Signals that arrive as input.
pub(super) struct Signals(SignalFd);

impl Signals {
    pub fn block(signals: &[Signal]) -> io::Result<Self> {
        let set: SigSet = signals.iter().copied().collect();
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&set), None)?;
        Ok(Signals(SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?))
    }

    /// The next one, and whether a program sent it (rather than the terminal).
    pub fn take(&self) -> Option<(Signal, bool)> {
        let info = self.0.read_signal().ok()??;
        let signal = Signal::try_from(info.ssi_signo as i32).ok()?;
        Some((signal, info.ssi_code <= 0))
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}
