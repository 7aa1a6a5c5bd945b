//! The tree on a kernel.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Arc;

use hairpin_netlink::System as _;
use hairpin_tools::Signal;

use super::builtins::{self, is_of_the_kernel};
use super::parse::{self, Node, Redirect, RedirectKind, ScriptError, Simple};
use super::streams::{Signals, Sink, Streams, Surroundings, Task, lock, run_program};
use crate::agree::kernel::{Beside, Kernel};

/// Function calls within each other.
const DEPTH_MAX: usize = 30;
/// Commands of one script.
const COMMANDS_MAX: usize = 20_000;

/// What a script printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ran {
    /// Every command as `$ WORDS` before its output, `exit N` behind one that failed.
    pub output: String,
    /// Why the script ended before its end.
    pub error: Option<ScriptError>,
    /// When the first command started, by the kernel's monotonic clock in nanoseconds.
    pub began: u64,
    /// When each command started, in nanoseconds since the first one.
    pub starts: Vec<u64>,
}

/// A script that runs.
pub struct Interpreter {
    task: Task,
    surroundings: Surroundings,
    out: Sink,
    err: Sink,
    input: Vec<u8>,
    variables: BTreeMap<String, String>,
    arguments: Vec<String>,
    functions: BTreeMap<String, Vec<Node>>,
    background: Vec<Running>,
    status: i32,
    trace: bool,
    /// Whether namespaces that are made get IPv6.
    ipv6: bool,
    depth: usize,
    commands: usize,
    /// `exit` was called.
    over: bool,
    started: Option<u64>,
    starts: Vec<u64>,
    /// When each command is to start, by this kernel's monotonic clock.
    clock: Option<Vec<u64>>,
}

/// A program in the background.
struct Running {
    process: u32,
    beside: Box<dyn Beside>,
    signals: Arc<Signals>,
    /// What it prints, until it has ended.
    out: Sink,
    ended: bool,
    status: i32,
}

impl Interpreter {
    /// A script's interpreter in a kernel's task. `ipv6` leaves IPv6 on in namespaces that are made: duplicate
    /// address detection and listener reports come at times of their own, so most scripts do without.
    pub fn new(kernel: Box<dyn Kernel>, ipv6: bool) -> Self {
        let out = Sink::new();
        let streams = Streams { input: Vec::new(), err: out.clone(), out };
        let mut interpreter = Interpreter::inside(Task::new(kernel), Surroundings::default(), streams, &[]);
        interpreter.trace = true;
        interpreter.ipv6 = ipv6;
        interpreter
    }

    /// `sh -c` in a task.
    pub(super) fn inside(
        task: Task,
        surroundings: Surroundings,
        streams: Streams,
        arguments: &[String],
    ) -> Self {
        Interpreter {
            task,
            surroundings,
            out: streams.out,
            err: streams.err,
            input: streams.input,
            variables: BTreeMap::new(),
            arguments: arguments.to_vec(),
            functions: BTreeMap::new(),
            background: Vec::new(),
            status: 0,
            trace: false,
            ipv6: true,
            depth: 0,
            commands: 0,
            over: false,
            started: None,
            starts: Vec::new(),
            clock: None,
        }
    }

    /// Starts no command before its instant, in nanoseconds of this kernel's monotonic clock.
    #[must_use]
    pub fn on_the_clock_of(mut self, starts: Vec<u64>) -> Self {
        self.clock = Some(starts);
        self
    }

    /// Notes, or waits for, the time of the next command.
    fn tick(&mut self) {
        let mut task = self.task.clone();
        if let Some(at) = self.clock.as_ref().and_then(|clock| clock.get(self.starts.len())) {
            task.with(|kernel| kernel.advance_to(*at));
        }
        let Ok(now) = task.now() else { return };
        let started = *self.started.get_or_insert(now.monotonic_ns);
        self.starts.push(now.monotonic_ns.saturating_sub(started));
    }

    /// Runs a whole script.
    pub fn run(mut self, text: &str) -> Ran {
        let nodes = match parse::parse(text) {
            Ok(nodes) => nodes,
            Err(error) => return Ran { error: Some(error), ..Ran::default() },
        };
        if !self.ipv6 {
            without_ipv6(&mut self.task.clone());
        }
        let mut error = self.list(&nodes).err();
        for at in 0..self.background.len() {
            let ended = self.end(at, Some(Signal::Terminate));
            error = error.or(ended.err());
        }
        let output = String::from_utf8_lossy(&self.out.take()).into_owned();
        Ran { output, error, began: self.started.unwrap_or(0), starts: self.starts }
    }

    /// Runs the text of `sh -c` to its exit code.
    pub(super) fn run_text(&mut self, text: &str) -> i32 {
        let result = parse::parse(text).and_then(|nodes| self.list(&nodes));
        if let Err(error) = result {
            self.surroundings.note_unknown(&error.word, &error.text);
        }
        self.status
    }

    fn list(&mut self, nodes: &[Node]) -> Result<(), ScriptError> {
        for node in nodes {
            if self.over {
                break;
            }
            self.node(node)?;
            let tells = matches!(node, Node::Simple(_) | Node::Pipe(_) | Node::And(..) | Node::Or(..));
            if tells && self.status != 0 && self.trace {
                let _ = writeln!(self.out, "exit {}", self.status);
            }
        }
        Ok(())
    }

    fn node(&mut self, node: &Node) -> Result<(), ScriptError> {
        match node {
            Node::Simple(simple) => {
                let input = std::mem::take(&mut self.input);
                self.simple(simple, input)
            }
            Node::Pipe(stages) => self.pipe(stages),
            Node::And(left, right) | Node::Or(left, right) => {
                self.node(left)?;
                let goes_on = (self.status == 0) == matches!(node, Node::And(..));
                if goes_on && !self.over { self.node(right) } else { Ok(()) }
            }
            Node::Not(inner) => {
                self.node(inner)?;
                self.status = i32::from(self.status == 0);
                Ok(())
            }
            Node::Background(inner) => self.start(inner),
            Node::For { name, words, body } => {
                for value in self.expand_all(words, self.surroundings.line)? {
                    self.variables.insert(name.clone(), value);
                    self.list(body)?;
                }
                Ok(())
            }
            Node::If { condition, then, otherwise } => {
                let trace = std::mem::take(&mut self.trace);
                let result = self.list(condition);
                self.trace = trace;
                result?;
                let chosen = if self.status == 0 { then } else { otherwise };
                self.status = 0;
                self.list(chosen)
            }
            Node::Group { body, redirects } => self.redirected(redirects, |shell| shell.list(body)),
            Node::Function { name, body } => {
                self.functions.insert(name.clone(), body.clone());
                self.status = 0;
                Ok(())
            }
        }
    }

    fn pipe(&mut self, stages: &[Node]) -> Result<(), ScriptError> {
        let mut input = std::mem::take(&mut self.input);
        for (at, stage) in stages.iter().enumerate() {
            let out = self.out.clone();
            let between = Sink::new();
            if at + 1 < stages.len() {
                self.out = between.clone();
            }
            // The trace of a stage must not get into the pipe.
            let result = match stage {
                Node::Simple(simple) => {
                    self.traced_elsewhere(&out, |shell| shell.simple(simple, std::mem::take(&mut input)))
                }
                other => {
                    self.input = std::mem::take(&mut input);
                    self.traced_elsewhere(&out, |shell| shell.node(other))
                }
            };
            self.out = out;
            result?;
            input = between.take();
        }
        Ok(())
    }

    fn traced_elsewhere(
        &mut self,
        out: &Sink,
        body: impl FnOnce(&mut Self) -> Result<(), ScriptError>,
    ) -> Result<(), ScriptError> {
        let err = std::mem::replace(&mut self.err, out.clone());
        let result = body(self);
        self.err = err;
        result
    }

    /// The output of `$(…)`.
    pub(super) fn substitute(&mut self, body: &[Node], _line: usize) -> Result<String, ScriptError> {
        let (out, trace) = (std::mem::replace(&mut self.out, Sink::new()), std::mem::take(&mut self.trace));
        let result = self.list(body);
        let inner = std::mem::replace(&mut self.out, out);
        self.trace = trace;
        result.map(|()| String::from_utf8_lossy(&inner.take()).into_owned())
    }

    pub(super) fn variable(&self, name: &str) -> String {
        match name {
            "?" => self.status.to_string(),
            "!" => self.background.last().map(|running| running.process.to_string()).unwrap_or_default(),
            "*" | "@" => self.arguments.join(" "),
            "#" => self.arguments.len().to_string(),
            "$" => "999".to_owned(),
            "0" => "sh".to_owned(),
            _ => match name.parse::<usize>() {
                Ok(number) => self.arguments.get(number.wrapping_sub(1)).cloned().unwrap_or_default(),
                Err(_) => self.variables.get(name).cloned().unwrap_or_default(),
            },
        }
    }

    fn simple(&mut self, simple: &Simple, input: Vec<u8>) -> Result<(), ScriptError> {
        self.surroundings.line = simple.line;
        self.commands += 1;
        let error = |word: &str, text: &str| ScriptError {
            line: simple.line,
            word: word.to_owned(),
            text: text.to_owned(),
        };
        if self.commands > COMMANDS_MAX {
            return Err(error("", "too many commands"));
        }
        let words = self.expand_all(&simple.words, simple.line)?;
        if words.is_empty() {
            self.status = 0;
            for (name, value) in &simple.assignments {
                let value = self.expand_one(value, simple.line)?;
                self.variables.insert(name.clone(), value);
            }
            return self.redirected(&simple.redirects, |_| Ok(()));
        }
        if let Some((name, _)) = simple.assignments.first() {
            return Err(error(name, "an environment for one command is not in the language of the runner"));
        }
        if self.trace && words.first().is_none_or(|name| name != "set") {
            let _ = writeln!(self.err, "$ {}", words.join(" "));
        }
        self.tick();
        if let Some(body) = words.first().and_then(|name| self.functions.get(name)).cloned() {
            if self.depth >= DEPTH_MAX {
                return Err(error(&words[0], "calls itself too deeply"));
            }
            let before = std::mem::replace(&mut self.arguments, words[1..].to_vec());
            self.depth += 1;
            let result = self.redirected(&simple.redirects, |shell| shell.list(&body));
            self.depth -= 1;
            self.arguments = before;
            return result;
        }
        if let Some(result) = self.of_the_shell(&words, &error) {
            return result;
        }
        self.redirected(&simple.redirects, |shell| {
            let task = shell.task.fork().map_err(|errno| error(&words[0], &errno.text()))?;
            let streams = Streams { input, out: shell.out.clone(), err: shell.err.clone() };
            let ran = run_program(&shell.surroundings, &task, &words, streams);
            shell.status = ran.unwrap_or(127);
            drop(task);
            match lock(&shell.surroundings.unknown).take() {
                Some(unknown) => Err(unknown),
                None => Ok(()),
            }
        })?;
        self.namespace_added(&words);
        Ok(())
    }

    /// Commands that change the shell itself.
    fn of_the_shell(
        &mut self,
        words: &[String],
        error: &dyn Fn(&str, &str) -> ScriptError,
    ) -> Option<Result<(), ScriptError>> {
        let args: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
        match words.first()?.as_str() {
            "set" => {
                match args.as_slice() {
                    ["-x"] => self.trace = true,
                    ["+x"] => self.trace = false,
                    ["--", words @ ..] => {
                        self.arguments = words.iter().map(|word| (*word).to_owned()).collect()
                    }
                    _ => {
                        return Some(Err(error(&args.join(" "), "only set -x, +x and -- are in the runner")));
                    }
                }
                self.status = 0;
            }
            "exit" => {
                self.over = true;
                self.status = args.first().and_then(|code| code.parse().ok()).unwrap_or(self.status);
            }
            "cd" => match args.as_slice() {
                [path] if is_of_the_kernel(&self.surroundings.path(path)) => {
                    let path = self.surroundings.path(path);
                    self.status = 0;
                    match self.task.clone().list_directory(&path) {
                        Ok(_) => self.surroundings.directory = path,
                        Err(errno) => {
                            let _ = writeln!(self.err, "sh: cd: {path}: {}", errno.text());
                            self.status = 1;
                        }
                    }
                }
                _ => return Some(Err(error(&args.join(" "), "only directories of /proc and /sys"))),
            },
            "wait" => return Some(self.wait(&args, error)),
            "kill" => return Some(self.kill(&args, error)),
            _ => return None,
        }
        Some(Ok(()))
    }

    /// Which program in the background a word of `kill` or `wait` means.
    fn job(&self, word: &str) -> Option<usize> {
        match word.strip_prefix('%') {
            Some(number) => {
                number.parse::<usize>().ok()?.checked_sub(1).filter(|at| *at < self.background.len())
            }
            None => {
                let process = word.parse::<u32>().ok()?;
                self.background.iter().position(|running| running.process == process)
            }
        }
    }

    fn wait(&mut self, args: &[&str], error: &dyn Fn(&str, &str) -> ScriptError) -> Result<(), ScriptError> {
        let mut jobs: Vec<usize> = (0..self.background.len()).collect();
        if !args.is_empty() {
            jobs.clear();
            for word in args {
                jobs.push(self.job(word).ok_or_else(|| error(word, "no program in the background"))?);
            }
        }
        self.status = 0;
        for at in jobs {
            self.end(at, None)?;
            if !args.is_empty() {
                self.status = self.background[at].status;
            }
        }
        Ok(())
    }

    fn kill(&mut self, args: &[&str], error: &dyn Fn(&str, &str) -> ScriptError) -> Result<(), ScriptError> {
        let (signal, jobs) = match args {
            ["-2" | "-INT" | "-SIGINT", jobs @ ..] => (Signal::Interrupt, jobs),
            ["-3" | "-QUIT" | "-SIGQUIT", jobs @ ..] => (Signal::Quit, jobs),
            ["-15" | "-TERM" | "-SIGTERM", jobs @ ..] => (Signal::Terminate, jobs),
            [option, ..] if option.starts_with('-') => return Err(error(option, "not in the runner's kill")),
            jobs => (Signal::Terminate, jobs),
        };
        self.status = 0;
        for word in jobs {
            let at = self.job(word).ok_or_else(|| error(word, "no program in the background"))?;
            self.end(at, Some(signal))?;
        }
        Ok(())
    }

    /// Waits for a program's end, after a signal where one is given, and prints what it printed.
    fn end(&mut self, at: usize, signal: Option<Signal>) -> Result<(), ScriptError> {
        let line = self.surroundings.line;
        let Some(running) = self.background.get_mut(at) else { return Ok(()) };
        if running.ended {
            return Ok(());
        }
        if let Some(signal) = signal {
            running.signals.send(signal);
            running.beside.interrupt();
            if signal == Signal::Quit {
                return Ok(());
            }
        }
        running.ended = true;
        let ended = running.beside.finish();
        let printed = running.out.take();
        let _ = self.out.write_all(&printed);
        match ended {
            Ok(status) => {
                running.status = status;
                Ok(())
            }
            Err(errno) => Err(ScriptError {
                line,
                word: running.process.to_string(),
                text: format!("waited for: {errno}"),
            }),
        }
    }

    /// `COMMAND &`
    fn start(&mut self, node: &Node) -> Result<(), ScriptError> {
        let Node::Simple(simple) = node else {
            let line = self.surroundings.line;
            let text = "only simple commands go to the background in the runner".to_owned();
            return Err(ScriptError { line, word: "&".to_owned(), text });
        };
        self.surroundings.line = simple.line;
        let words = self.expand_all(&simple.words, simple.line)?;
        if self.trace {
            let _ = writeln!(self.err, "$ {} &", words.join(" "));
        }
        self.tick();
        let own = Sink::new();
        let (out, err, kernel_file) = self.targets(&simple.redirects, own.clone(), own.clone())?;
        if let Some((path, _)) = kernel_file {
            let text = "no file of the kernel for a program in the background".to_owned();
            return Err(ScriptError { line: simple.line, word: path, text });
        }
        let signals = Arc::new(Signals::default());
        let surroundings = Surroundings { signals: signals.clone(), ..self.surroundings.clone() };
        let body = Box::new(move |kernel: Box<dyn Kernel>| {
            let streams = Streams { input: Vec::new(), out, err };
            run_program(&surroundings, &Task::new(kernel), &words, streams).unwrap_or(127)
        });
        let beside = self.task.with(|kernel| kernel.spawn(body)).map_err(|errno| ScriptError {
            line: simple.line,
            word: "&".to_owned(),
            text: errno.text(),
        })?;
        if let Some(unknown) = lock(&self.surroundings.unknown).take() {
            return Err(unknown);
        }
        let process = self.surroundings.process_id();
        self.background.push(Running { process, beside, signals, out: own, ended: false, status: 0 });
        self.status = 0;
        Ok(())
    }

    /// Runs with output led elsewhere.
    fn redirected(
        &mut self,
        redirects: &[Redirect],
        body: impl FnOnce(&mut Self) -> Result<(), ScriptError>,
    ) -> Result<(), ScriptError> {
        if redirects.is_empty() {
            return body(self);
        }
        let (out, err, kernel_file) = self.targets(redirects, self.out.clone(), self.err.clone())?;
        let before = (std::mem::replace(&mut self.out, out), std::mem::replace(&mut self.err, err));
        let result = body(self);
        (self.out, self.err) = before;
        result?;
        if let Some((path, written)) = kernel_file {
            let bytes = written.take();
            // An empty write is none.
            if let Err(errno) = self.task.clone().write_file(&path, &bytes) {
                let _ = writeln!(self.err, "sh: {path}: {}", errno.text());
                self.status = 1;
            }
        }
        Ok(())
    }

    /// Where the two outputs go, and the kernel's file that gets the first.
    #[allow(clippy::type_complexity)]
    fn targets(
        &mut self,
        redirects: &[Redirect],
        mut out: Sink,
        mut err: Sink,
    ) -> Result<(Sink, Sink, Option<(String, Sink)>), ScriptError> {
        let mut kernel_file = None;
        for redirect in redirects {
            let path = self.expand_one(&redirect.to, redirect.line)?;
            let path = match redirect.kind {
                RedirectKind::Duplicate => path,
                _ => self.surroundings.path(&path),
            };
            let error =
                |text: &str| ScriptError { line: redirect.line, word: path.clone(), text: text.to_owned() };
            let sink = match redirect.kind {
                RedirectKind::Duplicate if path == "1" => out.clone(),
                RedirectKind::Duplicate if path == "2" => err.clone(),
                RedirectKind::Duplicate => return Err(error("not in the language of the runner")),
                RedirectKind::Read if path == "/dev/null" => continue,
                RedirectKind::Read => return Err(error("input from a file is not in the runner: use cat")),
                _ if path == "/dev/null" => Sink::Null,
                _ if is_of_the_kernel(&path) && redirect.fd == 1 => {
                    let written = Sink::new();
                    kernel_file = Some((path, written.clone()));
                    written
                }
                _ if path.starts_with('/') => {
                    return Err(error("the runner writes files of /proc, /sys and its own"));
                }
                kind => self.surroundings.files.open(&path, kind == RedirectKind::Append),
            };
            if redirect.fd == 2 { err = sink } else { out = sink }
        }
        Ok((out, err, kernel_file))
    }

    /// Turns IPv6 off in a namespace that was made.
    fn namespace_added(&mut self, words: &[String]) {
        let adds = words.windows(2).any(|pair| pair[0] == "netns" && pair[1] == "add");
        if self.ipv6 || self.status != 0 || !adds {
            return;
        }
        let Some(name) = words.last() else { return };
        let Ok(mut task) = self.task.fork() else { return };
        if task.netns_enter(name).is_ok() {
            without_ipv6(&mut task);
        }
    }

    /// Whether a word starts a command of the runner.
    pub fn knows(name: &str) -> bool {
        const OF_THE_SHELL: &[&str] = &["set", "exit", "cd", "wait", "kill"];
        OF_THE_SHELL.contains(&name)
            || builtins::program(name).is_some()
            || hairpin_tools::find(name).is_some()
    }
}

fn without_ipv6(task: &mut Task) {
    for of in ["all", "default"] {
        // A kernel without IPv6 has no such file.
        let _ = task.write_file(&format!("/proc/sys/net/ipv6/conf/{of}/disable_ipv6"), b"1");
    }
}
