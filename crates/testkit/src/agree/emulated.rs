//! Scripts over the emulated kernel, in one process and in virtual time.
//!
//! The script's own thread owns the world. A program beside it has a thread, but only one of them runs at a time: while
//! it runs, the script serves its calls; when it waits, the script goes on. So the same script always gives the
//! same output.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use hairpin_host::emulated;
use hairpin_host::session::{Emulator, START_COST_NS, TaskId, WorldSource};
use hairpin_netlink::{Call, Errno, Fd, Reply, System};

use super::kernel::{Beside, Body, Kernel};

/// The first task of a new emulated kernel with nothing but `lo`, which is up.
///
/// # Errors
/// The world cannot be built; the text is for the user.
pub fn bare() -> Result<Box<dyn Kernel>, String> {
    let source = WorldSource { world: "bare".to_owned(), trace: None };
    let mut emulator = emulated::load(&source)?;
    let host = emulator.hosts().into_iter().next().unwrap_or_default();
    let task = emulator.open_task(&host, None).map_err(|errno| errno.text())?;
    let core = Core { emulator, beside: BTreeMap::new(), next: 0, follows: false };
    Ok(Box::new(Script { core: Rc::new(RefCell::new(core)), task }))
}

struct Core {
    emulator: Box<dyn Emulator>,
    beside: BTreeMap<usize, Program>,
    next: usize,
    /// Programs start without a cost: another kernel's clock says when.
    follows: bool,
}

/// A program beside the script.
struct Program {
    calls: Receiver<Asked>,
    answers: Sender<Answer>,
    /// What it waits for, when it does.
    waits: Option<Waits>,
    thread: Option<JoinHandle<i32>>,
}

struct Waits {
    task: TaskId,
    fds: Vec<Fd>,
    writable: Vec<Fd>,
    until_ns: Option<u64>,
}

/// What a program's thread asks of the script's.
enum Asked {
    Call(TaskId, Call),
    Fork(TaskId),
    Close(TaskId),
    Starts,
}

enum Answer {
    Reply(Result<Reply, Errno>),
    Task(Result<TaskId, Errno>),
    Done,
}

impl Core {
    fn now(&self) -> u64 {
        self.emulator.now().monotonic_ns
    }

    /// The processor time of a program's start. Whoever waits meanwhile sees it a little late, as on a machine with
    /// one processor.
    fn starts(&mut self) {
        if self.follows {
            return;
        }
        let after = self.now().saturating_add(START_COST_NS);
        self.emulator.advance_to(after);
    }

    /// Serves a program beside the script until it waits or has ended.
    fn serve(&mut self, id: usize) {
        let Some(mut program) = self.beside.remove(&id) else { return };
        while let Ok(asked) = program.calls.recv() {
            let answer = match asked {
                Asked::Call(task, Call::Wait { fds, writable, until_ns, .. }) => {
                    program.waits = Some(Waits { task, fds, writable, until_ns });
                    break;
                }
                Asked::Call(task, call) => Answer::Reply(self.emulator.call(task, call)),
                Asked::Fork(task) => Answer::Task(self.emulator.fork_task(task)),
                Asked::Close(task) => {
                    self.emulator.close_task(task);
                    Answer::Done
                }
                Asked::Starts => {
                    self.starts();
                    Answer::Done
                }
            };
            if program.answers.send(answer).is_err() {
                break;
            }
        }
        self.beside.insert(id, program);
    }

    /// Ends a program's wait and serves it.
    fn resume(&mut self, id: usize, ready: Result<Vec<Fd>, Errno>) {
        let Some(program) = self.beside.get_mut(&id) else { return };
        if program.waits.take().is_some()
            && program.answers.send(Answer::Reply(ready.map(Reply::Ready))).is_ok()
        {
            self.serve(id);
        }
    }

    fn has_ended(&self, id: usize) -> bool {
        self.beside.get(&id).is_none_or(|program| program.waits.is_none())
    }

    /// Lets every program beside the script run whose wait is over.
    fn run_beside(&mut self) {
        let mut at = 0;
        while let Some((id, program)) = self.beside.range(at..).next() {
            let id = *id;
            at = id + 1;
            let Some(Waits { task, fds, writable, until_ns }) = &program.waits else { continue };
            let over = until_ns.is_some_and(|until| until <= self.emulator.now().monotonic_ns);
            let ready = self.emulator.ready(*task, fds, writable);
            if over || !ready.is_empty() {
                self.resume(id, Ok(ready));
                // What it did may have woken another one.
                at = 0;
            }
        }
    }

    /// Lets time pass up to the next thing that happens, no further than `until`. False where nothing ever does.
    fn pass(&mut self, until: Option<u64>) -> bool {
        let waits = self.beside.values().filter_map(|program| program.waits.as_ref()?.until_ns);
        let Some(next) = waits.chain(self.emulator.next_event()).chain(until).min() else { return false };
        let next = next.max(self.now());
        self.emulator.advance_to(next);
        true
    }
}

/// A task of the script, or of a program that it runs in the foreground.
struct Script {
    core: Rc<RefCell<Core>>,
    task: TaskId,
}

impl System for Script {
    fn call(&mut self, call: Call) -> Result<Reply, Errno> {
        let mut core = self.core.borrow_mut();
        let Call::Wait { fds, writable, until_ns, .. } = call else {
            return core.emulator.call(self.task, call);
        };
        loop {
            core.run_beside();
            let ready = core.emulator.ready(self.task, &fds, &writable);
            if !ready.is_empty() || until_ns.is_some_and(|until| until <= core.now()) {
                return Ok(Reply::Ready(ready));
            }
            if !core.pass(until_ns) {
                return Err(Errno::ETIMEDOUT);
            }
        }
    }
}

impl Kernel for Script {
    fn fork(&mut self) -> Result<Box<dyn Kernel>, Errno> {
        let task = self.core.borrow_mut().emulator.fork_task(self.task)?;
        Ok(Box::new(Script { core: self.core.clone(), task }))
    }

    fn program_starts(&mut self) {
        self.core.borrow_mut().starts();
    }

    fn advance_to(&mut self, monotonic_ns: u64) {
        let mut core = self.core.borrow_mut();
        core.follows = true;
        core.run_beside();
        while core.now() < monotonic_ns && core.pass(Some(monotonic_ns)) {
            core.run_beside();
        }
    }

    fn spawn(&mut self, body: Body) -> Result<Box<dyn Beside>, Errno> {
        let mut core = self.core.borrow_mut();
        let task = core.emulator.fork_task(self.task)?;
        let (asks, calls) = channel();
        let (answers, answered) = channel();
        let kernel = move || Remote { line: Rc::new(Line { asks, answered }), task };
        let thread = std::thread::spawn(move || body(Box::new(kernel())));
        let id = core.next;
        core.next += 1;
        core.beside.insert(id, Program { calls, answers, waits: None, thread: Some(thread) });
        core.serve(id);
        Ok(Box::new(Handle { core: self.core.clone(), id }))
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        if let Ok(mut core) = self.core.try_borrow_mut() {
            core.emulator.close_task(self.task);
            core.run_beside();
        }
    }
}

/// A program beside the script, as the script sees it.
struct Handle {
    core: Rc<RefCell<Core>>,
    id: usize,
}

impl Beside for Handle {
    fn interrupt(&mut self) {
        self.core.borrow_mut().resume(self.id, Err(Errno::EINTR));
    }

    fn finish(&mut self) -> Result<i32, Errno> {
        let mut core = self.core.borrow_mut();
        while !core.has_ended(self.id) {
            core.run_beside();
            if !core.has_ended(self.id) && !core.pass(None) {
                return Err(Errno::ETIMEDOUT);
            }
        }
        let thread = core.beside.remove(&self.id).and_then(|mut program| program.thread.take());
        thread.map_or(Err(Errno::ESRCH), |thread| thread.join().map_err(|_| Errno::EFAULT))
    }
}

/// The way from a program's thread to the script's.
struct Line {
    asks: Sender<Asked>,
    answered: Receiver<Answer>,
}

impl Line {
    fn ask(&self, asked: Asked) -> Result<Answer, Errno> {
        self.asks.send(asked).map_err(|_| Errno::ENOTCONN)?;
        self.answered.recv().map_err(|_| Errno::ENOTCONN)
    }
}

/// A task of a program beside the script.
struct Remote {
    line: Rc<Line>,
    task: TaskId,
}

impl System for Remote {
    fn call(&mut self, call: Call) -> Result<Reply, Errno> {
        match self.line.ask(Asked::Call(self.task, call))? {
            Answer::Reply(reply) => reply,
            _ => Err(Errno::EPROTO),
        }
    }
}

impl Kernel for Remote {
    fn fork(&mut self) -> Result<Box<dyn Kernel>, Errno> {
        match self.line.ask(Asked::Fork(self.task))? {
            Answer::Task(task) => Ok(Box::new(Remote { line: self.line.clone(), task: task? })),
            _ => Err(Errno::EPROTO),
        }
    }

    fn program_starts(&mut self) {
        let _ = self.line.ask(Asked::Starts);
    }

    fn advance_to(&mut self, _monotonic_ns: u64) {}

    fn spawn(&mut self, _body: Body) -> Result<Box<dyn Beside>, Errno> {
        Err(Errno::ENOSYS)
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        let _ = self.line.ask(Asked::Close(self.task));
    }
}
