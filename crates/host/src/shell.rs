//! What surrounds a front end that is a process of its own.

use std::fs::File;
use std::io::{self, BufRead, BufWriter, IsTerminal, LineWriter, Read, StdinLock, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

use hairpin_tools::{Background, Launch, Shell, Signal};

use crate::{background, signals};

/// The streams, environment and signals of this process.
pub struct ProcessShell {
    out: Output,
    err: Stream,
    input: Option<StdinLock<'static>>,
    surroundings: Box<dyn Surroundings>,
}

/// Where a process stands: what its commands are started with.
pub trait Surroundings {
    /// Replaces this process by `command` in the present network namespace, or says why it cannot.
    fn exec(&mut self, command: &mut Command) -> io::Error;
    /// Runs `command` in a process of its own in the present network namespace and waits for its end. Without `input` it
    /// has none.
    ///
    /// # Errors
    /// It cannot be started.
    fn run(&mut self, command: &mut Command, input: bool) -> io::Result<ExitStatus>;
    /// Starts `command` in the background in the present network namespace; its process id. What it prints goes to a log.
    ///
    /// # Errors
    /// It cannot be started, or there is no place for logs.
    fn start(&mut self, command: &mut Command, log: &str) -> io::Result<u32>;
    /// Where a log is.
    ///
    /// # Errors
    /// There is no place for logs.
    fn log(&self, log: &str) -> io::Result<PathBuf>;
    /// The same on another host of the world.
    fn exec_on(&mut self, host: &str, argv: &[String]) -> io::Error;
}

/// The real kernel: the process is in its namespaces itself, and there is no other host.
pub struct Machine;

impl Surroundings for Machine {
    fn exec(&mut self, command: &mut Command) -> io::Error {
        exec(command)
    }

    fn run(&mut self, command: &mut Command, _input: bool) -> io::Result<ExitStatus> {
        command.status()
    }

    fn start(&mut self, _command: &mut Command, _log: &str) -> io::Result<u32> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn log(&self, _log: &str) -> io::Result<PathBuf> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn exec_on(&mut self, host: &str, _argv: &[String]) -> io::Error {
        let text = format!("no host {host}: only an emulated world has other hosts");
        io::Error::new(io::ErrorKind::Unsupported, text)
    }
}

/// Replaces this process; signals are as at its start again.
pub(crate) fn exec(command: &mut Command) -> io::Error {
    command.exec()
}

/// How much a C library keeps back of what goes to a file or a pipe (`st_blksize`).
const BLOCK: usize = 4096;

/// Standard output as a C library buffers it: by lines on a terminal, else in blocks.
enum Output {
    Lines(LineWriter<Stream>),
    Blocks(BufWriter<Stream>),
}

/// A standard stream without a buffer.
enum Stream {
    Out(io::Stdout),
    Err(io::Stderr),
}

impl ProcessShell {
    pub fn new(surroundings: Box<dyn Surroundings>) -> Self {
        let out = Stream::Out(io::stdout());
        let out = if io::stdout().is_terminal() {
            Output::Lines(LineWriter::new(out))
        } else {
            Output::Blocks(BufWriter::with_capacity(BLOCK, out))
        };
        ProcessShell { out, err: Stream::Err(io::stderr()), input: None, surroundings }
    }

    /// Writes out what is still buffered.
    pub fn finish(&mut self) {
        let _ = self.out().flush();
    }
}

impl Shell for ProcessShell {
    fn out(&mut self) -> &mut dyn Write {
        match &mut self.out {
            Output::Lines(out) => out,
            Output::Blocks(out) => out,
        }
    }

    fn err(&mut self) -> &mut dyn Write {
        &mut self.err
    }

    fn input(&mut self) -> &mut dyn BufRead {
        self.input.get_or_insert_with(|| io::stdin().lock())
    }

    fn watch_input(&mut self, on: bool) -> bool {
        signals::watch_input(on);
        true
    }

    fn read_input(&mut self) -> io::Result<Option<Vec<u8>>> {
        if !signals::has_input() {
            return Ok(None);
        }
        let mut buffer = vec![0; 16 << 10];
        let length = nix::unistd::read(io::stdin(), &mut buffer)?;
        buffer.truncate(length);
        Ok(Some(buffer))
    }

    fn open(&mut self, path: &str) -> io::Result<Box<dyn Read>> {
        Ok(Box::new(File::open(path)?))
    }

    fn create(&mut self, path: &str) -> io::Result<Box<dyn Write>> {
        Ok(Box::new(BufWriter::new(File::create(path)?)))
    }

    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn is_terminal(&self) -> bool {
        matches!(self.out, Output::Lines(_))
    }

    fn process_id(&self) -> u32 {
        std::process::id()
    }

    fn take_signal(&mut self) -> Option<Signal> {
        signals::take()
    }

    fn directory(&mut self, path: &str) -> io::Result<Vec<(String, bool)>> {
        std::fs::read_dir(path)?
            .map(|entry| {
                let entry = entry?;
                let is_directory = entry.metadata().is_ok_and(|data| data.is_dir());
                Ok((entry.file_name().to_string_lossy().into_owned(), is_directory))
            })
            .collect()
    }

    fn exec(&mut self, argv: &[String]) -> io::Result<i32> {
        self.launch(&Launch { argv, environment: &[], input: true })
    }

    fn launch(&mut self, launch: &Launch<'_>) -> io::Result<i32> {
        self.finish();
        Err(self.surroundings.exec(&mut command(launch)?))
    }

    fn run(&mut self, launch: &Launch<'_>) -> io::Result<i32> {
        self.finish();
        let status = self.surroundings.run(&mut command(launch)?, launch.input)?;
        Ok(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)))
    }

    fn start(&mut self, launch: &Launch<'_>, log: &str) -> io::Result<Background> {
        self.finish();
        let process = self.surroundings.start(&mut command(launch)?, log)?;
        background::of(process)
    }

    fn end(&mut self, background: Background, by_force: bool) -> bool {
        background::end(background, by_force)
    }

    fn log(&mut self, log: &str) -> io::Result<Box<dyn Read>> {
        Ok(Box::new(File::open(self.surroundings.log(log)?)?))
    }

    fn exec_on(&mut self, host: &str, argv: &[String]) -> io::Result<i32> {
        self.finish();
        Err(self.surroundings.exec_on(host, argv))
    }
}

fn command(launch: &Launch<'_>) -> io::Result<Command> {
    let (program, args) = launch.argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command.args(args).envs(launch.environment.iter().map(|(name, value)| (name, value)));
    if !launch.input {
        command.stdin(Stdio::null());
    }
    Ok(command)
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(match self {
            Stream::Out(out) => nix::unistd::write(&*out, bytes)?,
            Stream::Err(err) => nix::unistd::write(&*err, bytes)?,
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
