//! What the runner needs of a kernel beyond [`System`]: tasks that fork, and programs beside the script.

use hairpin_netlink::{Errno, System};

/// A kernel, as one task of it sees it.
pub trait Kernel: System {
    /// A task where this one is, with no descriptors. It ends when it is dropped.
    ///
    /// # Errors
    /// The kernel has no room for it.
    fn fork(&mut self) -> Result<Box<dyn Kernel>, Errno>;

    /// A front end starts in this task: in the emulation that costs time (`hairpin_host::session::START_COST_NS`), unless
    /// it follows another kernel's clock.
    fn program_starts(&mut self);

    /// Lets time pass up to an instant of the monotonic clock, where time is ours to move.
    fn advance_to(&mut self, monotonic_ns: u64);

    /// Runs `body` in a fork of this task beside the script. Returns once it waits for the first time, or has ended:
    /// a capture that is started misses nothing.
    ///
    /// # Errors
    /// `ENOSYS`: this task runs beside the script itself.
    fn spawn(&mut self, body: Body) -> Result<Box<dyn Beside>, Errno>;
}

/// What a program beside the script does, up to its exit code.
pub type Body = Box<dyn FnOnce(Box<dyn Kernel>) -> i32 + Send>;

/// A program beside the script.
pub trait Beside {
    /// Lets its wait fail with `EINTR`: a signal has come.
    fn interrupt(&mut self);

    /// Waits for its end.
    ///
    /// # Errors
    /// `ETIMEDOUT`: it never ends.
    fn finish(&mut self) -> Result<i32, Errno>;
}
