//! Scripts over the real kernel, many at once in one process: each has a thread in network and mount namespaces of
//! its own.

use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hairpin_host::linux::LinuxSystem;
use hairpin_host::session::START_COST_NS;
use hairpin_netlink::{Call, Errno, Reply, System};
use hairpin_tools::quiet::{self, QuietShell};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use super::kernel::{Beside, Body, Kernel};
use super::worker::GUEST_VARIABLE;

/// A program that was told to end, or is waited for, has this long.
const END_MAX: Duration = Duration::from_secs(60);

/// How much later than it is to a long wait may end: a part of it, and no more than that (`select_estimate_accuracy`).
const SLACK_PART: u64 = 1000;
const SLACK_MAX_NS: u64 = 100_000_000;

/// How late things came: the machine was busy with something else.
#[derive(Default)]
pub struct Lateness(AtomicU64);

impl Lateness {
    fn note(&self, late: Duration) {
        self.0.fetch_max(late.as_nanos() as u64, Ordering::Relaxed);
    }

    /// The longest that a wait overslept, or a program took between two waits.
    pub fn longest(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

/// Moves the calling thread into fresh network and mount namespaces with nothing but `lo`, which is up, and no
/// named namespaces.
///
/// # Errors
/// The kernel refuses: not root, or not in a user namespace of one's own.
pub fn enclose() -> Result<(), Errno> {
    let failed = |error: nix::Error| Errno(error as i32);
    const NOTHING: Option<&str> = None;
    unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS).map_err(failed)?;
    mount(NOTHING, "/", NOTHING, MsFlags::MS_PRIVATE | MsFlags::MS_REC, NOTHING).map_err(failed)?;
    mount(Some("run"), "/run", Some("tmpfs"), MsFlags::empty(), NOTHING).map_err(failed)?;
    let mut system = LinuxSystem::of_thread(None);
    let mut shell = QuietShell::default();
    let argv: Vec<String> = "ip link set lo up".split(' ').map(str::to_owned).collect();
    quiet::run(&mut system, &mut shell, &argv);
    Ok(())
}

/// A task on the real kernel: the calling thread where it stands.
pub fn here(lateness: Arc<Lateness>) -> Box<dyn Kernel> {
    Box::new(Thread {
        system: LinuxSystem::of_thread(None),
        lateness,
        busy_since: None,
        waits: None,
        beside: false,
        gives_way: std::env::var_os(GUEST_VARIABLE).is_some(),
    })
}

struct Thread {
    system: LinuxSystem,
    lateness: Arc<Lateness>,
    /// Since when a program has been running without a wait.
    busy_since: Option<Instant>,
    /// Told at the first wait.
    waits: Option<Sender<()>>,
    beside: bool,
    /// The kernel's own threads have their turn before each program, for as long as a start takes in the emulation: the
    /// clock of a User-Mode Linux stands while a program computes, and nobody else's turn comes.
    gives_way: bool,
}

impl Thread {
    fn note_busy(&mut self) {
        if let Some(since) = self.busy_since.take() {
            self.lateness.note(since.elapsed());
        }
    }
}

impl System for Thread {
    fn call(&mut self, call: Call) -> Result<Reply, Errno> {
        let Call::Wait { until_ns: until, .. } = call else { return self.system.call(call) };
        self.note_busy();
        if let Some(waits) = self.waits.take() {
            let _ = waits.send(());
        }
        let from = self.system.now().map_or(0, |now| now.monotonic_ns);
        let result = self.system.call(call);
        if let (Some(until), Ok(Reply::Ready(ready))) = (until, &result)
            && ready.is_empty()
            && let Ok(now) = self.system.now()
        {
            let slack = (until.saturating_sub(from) / SLACK_PART).min(SLACK_MAX_NS);
            let due = until.saturating_add(slack);
            self.lateness.note(Duration::from_nanos(now.monotonic_ns.saturating_sub(due)));
        }
        self.busy_since = Some(Instant::now());
        result
    }
}

impl Kernel for Thread {
    fn fork(&mut self) -> Result<Box<dyn Kernel>, Errno> {
        Ok(Box::new(Thread {
            system: LinuxSystem::of_thread(None),
            lateness: self.lateness.clone(),
            busy_since: None,
            waits: None,
            beside: self.beside,
            gives_way: self.gives_way,
        }))
    }

    fn program_starts(&mut self) {
        if self.gives_way {
            std::thread::sleep(Duration::from_nanos(START_COST_NS));
        }
        self.busy_since = Some(Instant::now());
    }

    fn advance_to(&mut self, _monotonic_ns: u64) {}

    fn spawn(&mut self, body: Body) -> Result<Box<dyn Beside>, Errno> {
        if self.beside {
            return Err(Errno::ENOSYS);
        }
        let (wakes, wake) = std::io::pipe().map_err(|_| Errno::EMFILE)?;
        let (waits, waiting) = channel();
        let (ends, ended) = channel();
        let (lateness, gives_way) = (self.lateness.clone(), self.gives_way);
        // A new thread is where the one is that makes it.
        self.system.arrive()?;
        let thread = std::thread::spawn(move || {
            let kernel = Box::new(Thread {
                system: LinuxSystem::of_thread(Some(OwnedFd::from(wakes))),
                lateness,
                busy_since: None,
                waits: Some(waits),
                beside: true,
                gives_way,
            });
            let code = body(kernel);
            let _ = ends.send(());
            code
        });
        // An error is the end of the program without a wait.
        let _ = waiting.recv();
        Ok(Box::new(Handle { wake, ended, thread: Some(thread) }))
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.note_busy();
    }
}

struct Handle {
    wake: std::io::PipeWriter,
    ended: Receiver<()>,
    thread: Option<JoinHandle<i32>>,
}

impl Beside for Handle {
    fn interrupt(&mut self) {
        let _ = self.wake.write_all(b"!");
    }

    fn finish(&mut self) -> Result<i32, Errno> {
        if self.ended.recv_timeout(END_MAX) == Err(RecvTimeoutError::Timeout) {
            return Err(Errno::ETIMEDOUT);
        }
        let thread = self.thread.take().ok_or(Errno::ESRCH)?;
        thread.join().map_err(|_| Errno::EFAULT)
    }
}
