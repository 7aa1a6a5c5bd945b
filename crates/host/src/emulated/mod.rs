//! The emulated kernel as a session's [`Emulator`].
//!
//! * [`build`] a world from its file

mod build;

use std::collections::BTreeMap;

pub use hairpin_kernel::trace::RECORDS_MAX as TRACE_LINES_MAX;
use hairpin_kernel::{Time, World};
use hairpin_netlink::{Call, Errno, Fd, Now, Reply};

use crate::session::{Emulator, TaskId, WorldSource};

/// A world with the session's names for its tasks.
pub struct EmulatedWorld {
    world: World,
    tasks: BTreeMap<TaskId, hairpin_kernel::TaskId>,
    next_task: u64,
    files: BTreeMap<String, Vec<(String, Vec<u8>)>>,
    /// The bound of the trace; `None` once its end has been told.
    trace: Option<u64>,
}

/// Builds the world that the user named.
///
/// # Errors
/// The world's file cannot be read, is none, or describes what cannot be built; the text is for the user.
pub fn load(source: &WorldSource) -> Result<Box<dyn Emulator>, String> {
    let built = build::build(&source.world)?;
    let mut emulated = EmulatedWorld {
        world: built.world,
        tasks: BTreeMap::new(),
        next_task: 1,
        files: built.files,
        trace: source.trace,
    };
    if let Some(lines_max) = source.trace {
        emulated.world.limit_trace(lines_max);
        emulated.world.set_tracing(true);
    }
    Ok(Box::new(emulated))
}

impl EmulatedWorld {
    fn add(&mut self, task: hairpin_kernel::TaskId) -> TaskId {
        let id = TaskId(self.next_task);
        self.next_task += 1;
        self.tasks.insert(id, task);
        id
    }

    fn task(&self, task: TaskId) -> Result<hairpin_kernel::TaskId, Errno> {
        self.tasks.get(&task).copied().ok_or(Errno::ESRCH)
    }
}

impl Emulator for EmulatedWorld {
    fn hosts(&self) -> Vec<String> {
        self.world.host_names()
    }

    fn open_task(&mut self, host: &str, netns: Option<&str>) -> Result<TaskId, Errno> {
        if self.world.host_named(host).is_none() {
            return Err(Errno::EHOSTUNREACH);
        }
        let task = self.world.open_task(host, netns)?;
        Ok(self.add(task))
    }

    fn fork_task(&mut self, task: TaskId) -> Result<TaskId, Errno> {
        let of = self.task(task)?;
        let forked = self.world.fork_task(of)?;
        Ok(self.add(forked))
    }

    fn close_task(&mut self, task: TaskId) {
        if let Some(task) = self.tasks.remove(&task) {
            self.world.close_task(task);
        }
    }

    fn call(&mut self, task: TaskId, call: Call) -> Result<Reply, Errno> {
        let task = self.task(task)?;
        let mut reply = self.world.call(task, call)?;
        if let Reply::Sockets(sockets) = &mut reply {
            // Tasks have numbers of their own here.
            for owner in sockets.iter_mut().flat_map(|socket| &mut socket.owners) {
                let found = self.tasks.iter().find(|(_, task)| task.number() == owner.task);
                owner.task = found.map_or(0, |(id, _)| id.0);
            }
        }
        Ok(reply)
    }

    fn place(&self, task: TaskId) -> Result<(String, u64), Errno> {
        self.world.task_place(self.task(task)?)
    }

    fn name_namespace(&mut self, task: TaskId, name: &str) -> Result<(), Errno> {
        let task = self.task(task)?;
        self.world.name_netns_of(task, name)
    }

    fn ready(&mut self, task: TaskId, fds: &[Fd], writable: &[Fd]) -> Vec<Fd> {
        self.task(task).map_or(Vec::new(), |task| self.world.ready(task, fds, writable))
    }

    fn now(&self) -> Now {
        let monotonic_ns = self.world.now().nanos();
        Now { monotonic_ns, realtime_ns: self.world.epoch_ns() + monotonic_ns }
    }

    fn next_event(&self) -> Option<u64> {
        self.world.next_event().map(Time::nanos)
    }

    fn advance_to(&mut self, monotonic_ns: u64) {
        self.world.advance_to(Time(monotonic_ns));
    }

    fn generation(&self) -> u64 {
        self.world.generation()
    }

    fn directory_stamp(&self, task: TaskId, path: &str) -> Option<u64> {
        self.world.directory_stamp(self.task(task).ok()?, path)
    }

    fn file_mode(&self, task: TaskId, path: &str) -> Option<u32> {
        self.world.file_mode(self.task(task).ok()?, path)
    }

    fn take_trace(&mut self) -> Vec<u8> {
        let mut text = String::new();
        for record in self.world.take_trace() {
            text.push_str(&record.to_string());
            text.push('\n');
        }
        if self.world.trace_is_full()
            && let Some(lines) = self.trace.take()
        {
            text.push_str(&format!("trace ends here: {lines} lines are its bound (--trace-lines)\n"));
        }
        text.into_bytes()
    }

    fn files(&self, host: &str) -> Vec<(String, Vec<u8>)> {
        self.files.get(host).cloned().unwrap_or_default()
    }
}
