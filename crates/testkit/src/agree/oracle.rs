//! A real kernel that runs scripts, as the comparing process sees it: a [`super::worker`] on the running kernel, or in
//! User-Mode Linuxes, which are started once and serve one job after the other.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::guest::{self, Keeper, USER_MODE_LINUX};
use super::script::Script;
use super::shell::Ran;
use super::worker::{
    AT_ONCE_VARIABLE, GUEST_MODULES, GUEST_VARIABLE, MODULES_VARIABLE, Outcome, WORK_VARIABLE,
};

/// Which real kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// Of this machine: as root, or as root of a user namespace.
    Running,
    /// User-Mode Linux of Debian's package, as any user.
    Uml,
}

/// A job that takes longer is given up: the kernel hangs.
const JOB_MAX: Duration = Duration::from_secs(180);
const BOOT_MAX: Duration = Duration::from_secs(90);
const GUEST_MEMORY_MIB: u32 = 1024;
/// The C library of the worker in a guest keeps what memory it has: to map pages is dear there.
const GUEST_MEMORY: [&str; 4] = [
    "MALLOC_ARENA_MAX=1",
    "MALLOC_TOP_PAD_=33554432",
    "MALLOC_TRIM_THRESHOLD_=1000000000",
    "MALLOC_MMAP_THRESHOLD_=1000000000",
];

type Waiting = Arc<Mutex<BTreeMap<String, Sender<()>>>>;

/// A real kernel: a process of the running one, which serves many jobs at once, or User-Mode Linuxes, each of which serves
/// one job at a time. As sleeping takes no time there, more at once would only get in each other's way.
pub struct Oracle {
    pub kernel: Kernel,
    /// `uname -r`
    pub release: String,
    /// What it said while it came up: modules that are missing.
    pub log: Vec<String>,
    /// How many threads keep it busy.
    pub at_once: usize,
    hosts: Vec<Host>,
    /// Who can take a job: the place of a host, once for each job it can take.
    free: Mutex<Vec<usize>>,
    freed: Condvar,
    next: AtomicUsize,
}

/// A process that serves jobs.
struct Host {
    kernel: Kernel,
    work: PathBuf,
    child: Child,
    /// Of a User-Mode Linux.
    _keeper: Option<Keeper>,
    input: Mutex<ChildStdin>,
    waiting: Waiting,
}

/// What a host says when it is up: its release, and what it said before; or why it is not.
type ComesUp = Receiver<Result<(String, Vec<String>), String>>;

impl Kernel {
    /// The timers of the emulation are as coarse as those of this kernel from now on: by the `CONFIG_HZ` of User-Mode
    /// Linux; for a running kernel by that of distributions.
    pub fn lend_ticks(self) {
        hairpin_kernel::set_ticks_a_second(self.ticks_a_second());
    }

    /// `CONFIG_HZ`
    fn ticks_a_second(self) -> u32 {
        match self {
            Kernel::Uml => 100,
            Kernel::Running => 250,
        }
    }

    /// When the commands of a script are to start in the emulation: the first one when the emulation's wheel of timers, and
    /// its whole seconds (`round_jiffies`), stand as this kernel's stood. A kernel counts its ticks in 64 bits, from 300 s
    /// before 32 of them are full (`INITIAL_JIFFIES`).
    pub fn clock_of(self, ran: &Ran) -> Vec<u64> {
        /// Ticks in a slot of the coarsest level that timers of scripts are in.
        const COARSEST: u64 = 1 << 15;
        let ticks = u64::from(self.ticks_a_second());
        let first = (1 << 32) - 300 * ticks;
        let before = first % (COARSEST * ticks);
        let began = ran.began.saturating_add(before * (1_000_000_000 / ticks));
        ran.starts.iter().map(|start| began.saturating_add(*start)).collect()
    }

    /// What this machine lacks for it.
    pub fn missing(self) -> Option<&'static str> {
        let there = match self {
            Kernel::Running => cfg!(target_os = "linux"),
            Kernel::Uml => Path::new(USER_MODE_LINUX).exists() && Path::new(GUEST_MODULES).exists(),
        };
        match self {
            _ if there => None,
            Kernel::Running => Some("not Linux"),
            Kernel::Uml => Some("Debian's package user-mode-linux is not installed"),
        }
    }
}

impl Oracle {
    /// Starts the kernel and waits until it is ready for `at_once` jobs at a time; of User-Mode Linuxes there are no more
    /// than processors.
    ///
    /// # Errors
    /// It does not come up; the text is for the user.
    pub fn start(kernel: Kernel, at_once: usize) -> Result<Oracle, String> {
        Oracle::start_with(kernel, at_once, &[])
    }

    /// The same of User-Mode Linuxes that have loaded these modules too.
    ///
    /// # Errors
    /// It does not come up, or the running kernel is asked to load modules.
    pub fn start_with(kernel: Kernel, at_once: usize, modules: &[String]) -> Result<Oracle, String> {
        if let Some(missing) = kernel.missing() {
            return Err(missing.to_owned());
        }
        if kernel == Kernel::Running && !modules.is_empty() {
            return Err("the running kernel is not ours to load modules into".to_owned());
        }
        kernel.lend_ticks();
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let (count, each) = match kernel {
            Kernel::Running => (1, at_once.max(1)),
            Kernel::Uml => (at_once.clamp(1, processors), 1),
        };
        let started =
            (0..count).map(|_| Host::start(kernel, each, modules)).collect::<Result<Vec<_>, String>>()?;
        let (hosts, coming_up): (Vec<Host>, Vec<ComesUp>) = started.into_iter().unzip();
        let mut oracle = Oracle {
            kernel,
            release: String::new(),
            log: Vec::new(),
            // While one thread compares, another one gives its host something to do.
            at_once: if kernel == Kernel::Uml { count + 1 } else { each },
            hosts,
            free: Mutex::new((0..count).flat_map(|host| std::iter::repeat_n(host, each)).collect()),
            freed: Condvar::new(),
            next: AtomicUsize::new(0),
        };
        for coming_up in coming_up {
            let up =
                coming_up.recv_timeout(BOOT_MAX).map_err(|_| "the kernel does not come up".to_owned())?;
            (oracle.release, oracle.log) = up?;
        }
        for host in &oracle.hosts {
            host.rest(true);
        }
        Ok(oracle)
    }

    /// What runs the scripts, in words.
    pub fn hosts(&self) -> String {
        match (self.kernel, self.hosts.len()) {
            (Kernel::Uml, 1) => "one User-Mode Linux".to_owned(),
            (Kernel::Uml, count) => format!("{count} User-Mode Linuxes"),
            (Kernel::Running, _) => format!("{} scripts on the running kernel", self.at_once),
        }
    }

    /// Runs one script and waits for it; from as many threads as one likes.
    ///
    /// # Errors
    /// The kernel hangs or has ended.
    pub fn run(&self, script: &Script) -> Result<Outcome, String> {
        let name = format!("{}-{}", self.next.fetch_add(1, Ordering::Relaxed), script.name);
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let place = loop {
            match free.pop() {
                Some(place) => break place,
                None => free = self.freed.wait(free).unwrap_or_else(PoisonError::into_inner),
            }
        };
        drop(free);
        let outcome = match self.hosts.get(place) {
            Some(host) => host.run(&name, script),
            None => Err("no kernel".to_owned()),
        };
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(place);
        self.freed.notify_one();
        outcome
    }
}

impl Host {
    fn start(kernel: Kernel, at_once: usize, modules: &[String]) -> Result<(Host, ComesUp), String> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let work = std::env::temp_dir().join(format!("hairpin-oracle-{}-{number}", std::process::id()));
        fs::create_dir_all(&work).map_err(|error| format!("{}: {error}", work.display()))?;
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = match kernel {
            Kernel::Running => {
                let mut command = Command::new(&program);
                command.env(WORK_VARIABLE, &work).env(AT_ONCE_VARIABLE, at_once.to_string());
                command
            }
            Kernel::Uml => {
                let mut command = guest::command(&work, &program, GUEST_MEMORY_MIB);
                command.args(GUEST_MEMORY);
                command.arg(format!("{WORK_VARIABLE}={}", work.display()));
                command.arg(format!("{AT_ONCE_VARIABLE}={at_once}"));
                command.arg(format!("{MODULES_VARIABLE}={}", modules.join(",")));
                command.arg(format!("{GUEST_VARIABLE}=1"));
                command
            }
        };
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        let keeper = match kernel {
            Kernel::Running => None,
            Kernel::Uml => Some(Keeper::of(&child).map_err(|error| error.to_string())?),
        };
        let input = child.stdin.take().ok_or("no standard input")?;
        let output = child.stdout.take().ok_or("no standard output")?;
        let waiting = Waiting::default();
        let (came_up, coming_up) = channel();
        let done = waiting.clone();
        std::thread::spawn(move || {
            let mut log = Vec::new();
            for line in BufReader::new(output).split(b'\n') {
                let Ok(line) = line else { break };
                let line = String::from_utf8_lossy(&line);
                let line = line.trim_matches(['\r', '\n', '\0', ' ']);
                // The kernel's own messages may stand before ours.
                let said = line.find("@@").and_then(|at| line.get(at..)).unwrap_or(line);
                match said.split_once(' ') {
                    Some(("@@READY", release)) => {
                        drop(came_up.send(Ok((release.to_owned(), std::mem::take(&mut log)))));
                    }
                    Some(("@@FAILED", text)) => drop(came_up.send(Err(text.to_owned()))),
                    Some(("@@DONE", name)) => {
                        let told = done.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
                        if let Some(told) = told {
                            let _ = told.send(());
                        }
                    }
                    _ => log.push(line.to_owned()),
                }
            }
            // The end of the kernel is the end of all its jobs.
            done.lock().unwrap_or_else(PoisonError::into_inner).clear();
            let last: Vec<String> = log.into_iter().rev().take(5).collect();
            drop(came_up.send(Err(format!("the kernel ended: {}", last.join(" / ")))));
        });
        Ok((Host { kernel, work, child, _keeper: keeper, input: Mutex::new(input), waiting }, coming_up))
    }

    /// A User-Mode Linux without a job is stopped: it would run after its own timers as fast as it can.
    fn rest(&self, rests: bool) {
        if self.kernel == Kernel::Uml
            && let Ok(id) = i32::try_from(self.child.id())
        {
            let signal = if rests { Signal::SIGSTOP } else { Signal::SIGCONT };
            let _ = kill(Pid::from_raw(id), signal);
        }
    }

    fn run(&self, name: &str, script: &Script) -> Result<Outcome, String> {
        let path = self.work.join(format!("{name}.sh"));
        fs::write(&path, &script.text).map_err(|error| format!("{}: {error}", path.display()))?;
        let (tell, told) = channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), tell);
        self.rest(false);
        {
            let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
            writeln!(input, "JOB {name}").map_err(|error| format!("the kernel has ended: {error}"))?;
            input.flush().map_err(|error| error.to_string())?;
        }
        told.recv_timeout(JOB_MAX).map_err(|_| format!("{}: the kernel hangs or has ended", script.name))?;
        self.rest(true);
        let out = path.with_file_name(format!("{name}.out"));
        let bytes = fs::read(&out).map_err(|error| format!("{}: {error}", out.display()))?;
        for file in [&path, &out] {
            let _ = fs::remove_file(file);
        }
        Outcome::parse(&String::from_utf8_lossy(&bytes))
            .ok_or_else(|| format!("{}: the worker wrote no result", script.name))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.rest(false);
        if let Ok(input) = self.input.get_mut() {
            let _ = writeln!(input, "QUIT");
            let _ = input.flush();
        }
        let asked = Instant::now();
        while asked.elapsed() < Duration::from_secs(5) {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.work);
    }
}
