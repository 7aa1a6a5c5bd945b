//! What surrounds a front end that is a function: streams and files in memory, signals, other programs.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufWriter, Cursor, Read, Write};
use std::rc::Rc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hairpin_netlink::{Call, Errno, Reply, System};
use hairpin_tools::{Program, Shell, Signal};

use super::builtins;
use super::parse::ScriptError;
use crate::agree::kernel::Kernel;

/// What one script may print, or write into one file.
const OUTPUT_MAX: usize = 64 << 20;

/// A task that the interpreter, a front end and what it executes share.
#[derive(Clone)]
pub(super) struct Task(Rc<RefCell<Box<dyn Kernel>>>);

impl Task {
    pub fn new(kernel: Box<dyn Kernel>) -> Self {
        Task(Rc::new(RefCell::new(kernel)))
    }

    pub fn with<R>(&self, body: impl FnOnce(&mut dyn Kernel) -> R) -> R {
        body(self.0.borrow_mut().as_mut())
    }

    pub fn fork(&self) -> Result<Task, Errno> {
        self.with(|kernel| kernel.fork()).map(Task::new)
    }
}

impl System for Task {
    fn call(&mut self, call: Call) -> Result<Reply, Errno> {
        self.0.borrow_mut().call(call)
    }
}

/// Where output goes.
#[derive(Clone)]
pub(super) enum Sink {
    Memory(Content),
    Null,
}

impl Sink {
    pub fn new() -> Self {
        Sink::Memory(Arc::default())
    }

    /// Everything so far; what follows comes after it.
    pub fn take(&self) -> Vec<u8> {
        match self {
            Sink::Memory(bytes) => std::mem::take(&mut *lock(bytes)),
            Sink::Null => Vec::new(),
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Sink::Memory(memory) = self {
            let mut memory = lock(memory);
            if memory.len() + bytes.len() > OUTPUT_MAX {
                return Err(io::ErrorKind::StorageFull.into());
            }
            memory.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The files of a script, by name.
#[derive(Clone, Default)]
pub(super) struct Files(Arc<Mutex<BTreeMap<String, Content>>>);

type Content = Arc<Mutex<Vec<u8>>>;

impl Files {
    pub fn open(&self, name: &str, append: bool) -> Sink {
        let mut files = lock(&self.0);
        let file = files.entry(name.to_owned()).or_default();
        if !append {
            *file = Arc::default();
        }
        Sink::Memory(file.clone())
    }

    pub fn read(&self, name: &str) -> Option<Vec<u8>> {
        lock(&self.0).get(name).map(|file| lock(file).clone())
    }

    /// A file, or what a directory has in it.
    pub fn remove(&self, name: &str) -> bool {
        let mut files = lock(&self.0);
        let before = files.len();
        files.retain(|known, _| {
            known != name && !known.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'))
        });
        files.len() < before
    }
}

/// The signals that have come to a program and were not taken.
#[derive(Default)]
pub struct Signals(AtomicU8);

impl Signals {
    const ALL: [Signal; 3] = [Signal::Interrupt, Signal::Terminate, Signal::Quit];

    pub fn send(&self, signal: Signal) {
        if let Some(bit) = Self::ALL.iter().position(|known| *known == signal) {
            self.0.fetch_or(1 << bit, Ordering::SeqCst);
        }
    }

    fn take(&self) -> Option<Signal> {
        Self::ALL.into_iter().enumerate().find_map(|(bit, signal)| {
            (self.0.fetch_and(!(1 << bit), Ordering::SeqCst) & 1 << bit != 0).then_some(signal)
        })
    }
}

/// What all programs of a script share.
#[derive(Clone, Default)]
pub(super) struct Surroundings {
    pub files: Files,
    pub signals: Arc<Signals>,
    pub processes: Arc<AtomicU32>,
    /// A command that is none of ours: the script ends with it.
    pub unknown: Arc<Mutex<Option<ScriptError>>>,
    /// Where in the script.
    pub line: usize,
    /// A directory of the kernel that the shell is in; empty elsewhere.
    pub directory: String,
}

impl Surroundings {
    /// The number of a new process: counted, so that it is the same on every kernel.
    pub fn process_id(&self) -> u32 {
        1000 + self.processes.fetch_add(1, Ordering::SeqCst)
    }

    /// A path as seen from the present directory.
    pub fn path(&self, path: &str) -> String {
        if self.directory.is_empty() || path.starts_with('/') {
            return path.to_owned();
        }
        format!("{}/{path}", self.directory)
    }

    pub fn note_unknown(&self, word: &str, text: &str) {
        let error = ScriptError { line: self.line, word: word.to_owned(), text: text.to_owned() };
        lock(&self.unknown).get_or_insert(error);
    }
}

/// The three streams of a command.
pub(super) struct Streams {
    pub input: Vec<u8>,
    pub out: Sink,
    pub err: Sink,
}

/// Runs a front end or a program of [`builtins`] in `task` to its exit code.
///
/// # Errors
/// There is none of that name.
pub(super) fn run_program(
    surroundings: &Surroundings,
    task: &Task,
    argv: &[String],
    streams: Streams,
) -> io::Result<i32> {
    let (name, args) = argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    if let Some(program) = builtins::program(name) {
        let (mut out, err) = (streams.out.clone(), streams.err.clone());
        return Ok(program(&mut builtins::Builtin { args, task, surroundings, streams, out: &mut out, err }));
    }
    let Some(main) = hairpin_tools::find(name) else {
        surroundings.note_unknown(name, "no program of the runner");
        return Err(io::ErrorKind::NotFound.into());
    };
    task.with(|kernel| kernel.program_starts());
    let mut shell = MemoryShell {
        task: task.clone(),
        surroundings: surroundings.clone(),
        process_id: surroundings.process_id(),
        out: BufWriter::new(streams.out),
        err: streams.err,
        input: Cursor::new(streams.input),
    };
    let code = main(&mut Program { name, args, system: &mut task.clone(), shell: &mut shell });
    let _ = shell.out.flush();
    Ok(code)
}

struct MemoryShell {
    task: Task,
    surroundings: Surroundings,
    process_id: u32,
    /// In blocks, as a C library writes to what is no terminal.
    out: BufWriter<Sink>,
    err: Sink,
    input: Cursor<Vec<u8>>,
}

impl Shell for MemoryShell {
    fn out(&mut self) -> &mut dyn Write {
        &mut self.out
    }

    fn err(&mut self) -> &mut dyn Write {
        &mut self.err
    }

    fn input(&mut self) -> &mut dyn BufRead {
        &mut self.input
    }

    fn open(&mut self, path: &str) -> io::Result<Box<dyn Read>> {
        let missing = || io::Error::from_raw_os_error(Errno::ENOENT.0);
        self.surroundings
            .files
            .read(path)
            .map(|bytes| Box::new(Cursor::new(bytes)) as Box<dyn Read>)
            .ok_or_else(missing)
    }

    fn create(&mut self, path: &str) -> io::Result<Box<dyn Write>> {
        Ok(Box::new(self.surroundings.files.open(path, false)))
    }

    fn variable(&self, name: &str) -> Option<String> {
        (name == "LC_ALL").then(|| "C".to_owned())
    }

    fn is_terminal(&self) -> bool {
        false
    }

    fn process_id(&self) -> u32 {
        self.process_id
    }

    fn take_signal(&mut self) -> Option<Signal> {
        self.surroundings.signals.take()
    }

    fn exec(&mut self, argv: &[String]) -> io::Result<i32> {
        let _ = self.out.flush();
        let streams = Streams {
            input: std::mem::take(self.input.get_mut()),
            out: self.out.get_ref().clone(),
            err: self.err.clone(),
        };
        run_program(&self.surroundings, &self.task, argv, streams)
    }

    fn exec_on(&mut self, host: &str, _argv: &[String]) -> io::Result<i32> {
        self.surroundings.note_unknown(host, "the runner has one host");
        Err(io::ErrorKind::Unsupported.into())
    }
}
