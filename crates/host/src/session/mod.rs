//! A session: one process owns an emulated world, every program in it is a client.
//!
//! * [`Emulator`] what a session needs of an emulated kernel
//! * `protocol` what goes over the unix socket
//! * `server` the loop that owns the emulator, `drive` what it does between inputs,
//!   `showing` its views
//! * [`clock`] when virtual time moves
//! * [`settle`] what the session's processes are doing, `whereabouts` where they are
//! * [`client`] a front end's side
//! * `entering` the namespaces of a session's real programs
//! * [`registry`] where sessions are found by name
//! * [`launch`] `run`, `shell`, `exec`
//! * [`manage`] `up`, `ls`, `down`

pub mod client;
pub mod clock;
mod connection;
mod drive;
pub(crate) mod entering;
pub mod launch;
pub mod manage;
mod protocol;
pub mod registry;
mod server;
pub mod settle;
mod showing;
mod task;
mod whereabouts;

use hairpin_netlink::{Call, Errno, Fd, Now, Reply};
use serde::{Deserialize, Serialize};

pub use protocol::{Description, HostDescription};
pub use task::TaskName;

/// Names the session's socket to every program in it.
pub const SOCKET_VARIABLE: &str = "HAIRPIN_SOCKET";
/// Names the host and network namespace that a program is in; see [`TaskName`].
pub const TASK_VARIABLE: &str = "HAIRPIN_TASK";
/// Set where a program waits in the background for as long as its container runs: time does not jump for it.
const PATIENT_VARIABLE: &str = "HAIRPIN_PATIENT";
/// Says what the program sees in `/proc` and `/sys`: `1` the session's, `none` this machine's own.
const VIEW_VARIABLE: &str = "HAIRPIN_VIEW";

/// What the start of a program costs in virtual time, charged at its first call. Without it a script would find counters
/// and timers as they are in the very instant at which the program before ended, where Linux is a little further.
pub const START_COST_NS: u64 = 1_000_000;

/// What lies between a command typed for a world that is up (`hairpin exec`) and the one before: nobody types faster.
/// Without it every such command would come within milliseconds, and what Linux does in the seconds after a change (looking
/// for duplicates of an IPv6 address) would never have been done.
pub const TYPING_COST_NS: u64 = 200_000_000;

/// A task of an emulated kernel: a host, a network namespace of it, and open descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TaskId(pub u64);

/// A deterministic world of emulated kernels. Nothing in it moves but by these calls.
pub trait Emulator {
    /// Hosts in the order of the world's file.
    fn hosts(&self) -> Vec<String>;
    /// A new task on `host`, in its first namespace or a named one.
    ///
    /// # Errors
    /// `EHOSTUNREACH` without such a host, `ENOENT` without such a namespace.
    fn open_task(&mut self, host: &str, netns: Option<&str>) -> Result<TaskId, Errno>;
    /// A new task in the same namespace, with no descriptors.
    fn fork_task(&mut self, task: TaskId) -> Result<TaskId, Errno>;
    /// Ends a task: its descriptors are closed.
    fn close_task(&mut self, task: TaskId);
    /// Any call but [`Call::Wait`]; time stands still.
    ///
    /// # Errors
    /// As on Linux.
    fn call(&mut self, task: TaskId, call: Call) -> Result<Reply, Errno>;
    /// Where a task is: its host, and what identifies its namespace.
    ///
    /// # Errors
    /// `ESRCH` without such a task.
    fn place(&self, _task: TaskId) -> Result<(String, u64), Errno> {
        Err(Errno::ENOSYS)
    }
    /// Gives a task's namespace a name.
    ///
    /// # Errors
    /// As on Linux.
    fn name_namespace(&mut self, _task: TaskId, _name: &str) -> Result<(), Errno> {
        Err(Errno::ENOSYS)
    }
    /// Which of `fds` have something to receive, or, of `writable`, can send without waiting.
    fn ready(&mut self, task: TaskId, fds: &[Fd], writable: &[Fd]) -> Vec<Fd>;
    fn now(&self) -> Now;
    /// When the next thing happens by itself, on the monotonic clock.
    fn next_event(&self) -> Option<u64>;
    /// Lets everything happen that is due up to `monotonic_ns`, and sets the clock to it.
    fn advance_to(&mut self, monotonic_ns: u64);
    /// Changes whenever configuration has changed.
    fn generation(&self) -> u64;
    /// A number that changes whenever something below a directory does, as `task` sees it; `None` where only reading
    /// tells.
    fn directory_stamp(&self, _task: TaskId, _path: &str) -> Option<u64> {
        None
    }
    /// The bits of a file's permissions, as `task` sees it; `None` for what is no file.
    fn file_mode(&self, _task: TaskId, _path: &str) -> Option<u32> {
        None
    }
    /// Trace records since the last call, as text; empty where tracing is off.
    fn take_trace(&mut self) -> Vec<u8> {
        Vec::new()
    }
    /// Files that a host of this world has of its own (`/etc/resolv.conf`).
    fn files(&self, _host: &str) -> Vec<(String, Vec<u8>)> {
        Vec::new()
    }
}

/// What world a session runs.
#[derive(Clone, Debug)]
pub struct WorldSource {
    /// The name of a built-in world, or a file's path.
    pub world: String,
    /// Whether [`Emulator::take_trace`] will be asked, and for how many records at most.
    pub trace: Option<u64>,
}

/// Builds a world; the error is for the user.
pub type Load = fn(&WorldSource) -> Result<Box<dyn Emulator>, String>;

/// What paces a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Pace {
    /// Time passes where programs wait for it, and as fast as they do.
    #[default]
    Virtual,
    /// Time passes as on the wall.
    Real,
}
