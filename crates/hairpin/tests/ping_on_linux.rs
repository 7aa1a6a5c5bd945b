//! `ping`, `arping` and `traceroute` against the real programs, on the real kernel.
//!
//! Every line of `ping_on_linux/cases.txt` runs twice, each time in a network of its own: once with the
//! program of this machine, once with ours. What they print, and their exit codes, must agree; only times and
//! identifiers may differ. Needs root, `ip`, iputils 20221126 and traceroute 2.1; says so and passes where one
//! is missing.
//!
//! `HAIRPIN_CASE=words` runs only the lines that contain the words.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

const CASES: &str = include_str!("ping_on_linux/cases.txt");
const NETWORK: &str = include_str!("ping_on_linux/network.txt");
const WORKERS: usize = 6;
const TRIALS: usize = 3;
/// A program that has not ended by then is killed.
const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn they_print_what_the_real_programs_print() {
    if let Some(why) = missing() {
        eprintln!("skipped: {why}");
        return;
    }
    let bin = our_programs("all");
    let wanted = std::env::var("HAIRPIN_CASE").unwrap_or_default();
    let cases: Vec<Case> =
        CASES.lines().filter(|line| line.contains(&wanted)).filter_map(Case::parse).collect();
    let next = Mutex::new(0..cases.len());
    let failures = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..WORKERS.min(cases.len()) {
            scope.spawn(|| {
                while let Some(at) = take(&next) {
                    if let Some(text) = difference(&cases[at], at, &bin) {
                        failures.lock().unwrap().push((at, text));
                    }
                }
            });
        }
    });
    let _ = std::fs::remove_dir_all(&bin);
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    for (_, text) in &failures {
        eprintln!("{text}");
    }
    eprintln!(
        "{} of {} command lines agree with the real programs",
        cases.len() - failures.len(),
        cases.len()
    );
    assert!(failures.is_empty());
}

/// `docs/differences.md`: SIGTERM ends both with the same code; only ours prints its statistics.
#[test]
fn a_ping_that_is_terminated_also_prints_its_statistics() {
    if let Some(why) = missing() {
        eprintln!("skipped: {why}");
        return;
    }
    let bin = our_programs("term");
    let case = Case::parse("ping 10.0.2.2 | at 0.5: TERM").expect("a case");
    let real = normalise(&Network::new(9000, 'r').run(&case, None));
    let ours = normalise(&Network::new(9000, 'o').run(&case, Some(&bin)));
    let _ = std::fs::remove_dir_all(&bin);
    let statistics = "\n--- 10.0.2.2 ping statistics ---\n\
        1 packets transmitted, 1 received, 0% packet loss, time 000ms\n\
        rtt min/avg/max/mdev = T/T/T/T ms\n";
    let (lines, code) = real.split_at(real.rfind("exit code").expect("a code"));
    assert_eq!(code, "exit code 143");
    assert!(!lines.contains("statistics"), "{lines}");
    assert_eq!(ours, format!("{lines}{statistics}{code}"));
}

/// A line of the file: a command, what is done before it and while it runs.
struct Case {
    command: String,
    /// Commands of a host, before.
    before: Vec<String>,
    /// What happens after so long: a host's command, or a signal to the program (`INT`, `QUIT`).
    during: Vec<(Duration, String)>,
}

impl Case {
    /// `None` for comments and empty lines.
    fn parse(line: &str) -> Option<Case> {
        let mut parts = line.split(" | ").map(str::trim);
        let command = parts.next().filter(|command| !command.is_empty() && !command.starts_with('#'))?;
        let mut case = Case { command: command.to_owned(), before: Vec::new(), during: Vec::new() };
        for part in parts {
            match part.strip_prefix("at ").and_then(|rest| rest.split_once(": ")) {
                Some((seconds, event)) => {
                    let seconds: f64 = seconds.parse().expect("seconds");
                    case.during.push((Duration::from_secs_f64(seconds), event.to_owned()));
                }
                None => case.before.push(part.to_owned()),
            }
        }
        Some(case)
    }
}

fn take(next: &Mutex<std::ops::Range<usize>>) -> Option<usize> {
    next.lock().unwrap().next()
}

/// Runs a case both ways; how they differ. A busy machine is late now and then: what differs once is tried
/// again.
fn difference(case: &Case, at: usize, bin: &Path) -> Option<String> {
    let mut difference = None;
    for _ in 0..TRIALS {
        let real = Network::new(at, 'r').run(case, None);
        let ours = Network::new(at, 'o').run(case, Some(bin));
        if normalise(&real) == normalise(&ours) {
            return None;
        }
        difference = Some(format!("=== {}\n--- real\n{real}\n--- ours\n{ours}", case.command));
    }
    difference
}

/// Four hosts in namespaces of their own: `a` and `c` on one segment with the router `r`, `b` behind it.
struct Network {
    prefix: String,
}

impl Network {
    fn new(at: usize, kind: char) -> Network {
        let network = Network { prefix: format!("hp{}{kind}{at}", std::process::id()) };
        let prefix = &network.prefix;
        let setup = NETWORK.replace('@', prefix);
        let mut shell = Command::new("sh").arg("-e").stdin(Stdio::piped()).spawn().expect("sh");
        shell.stdin.take().unwrap().write_all(setup.as_bytes()).unwrap();
        assert!(shell.wait().unwrap().success(), "no network");
        network
    }

    fn run(&self, case: &Case, bin: Option<&Path>) -> String {
        for command in &case.before {
            self.host(command);
        }
        let path = std::env::var("PATH").unwrap_or_default();
        let path = bin.map_or(path.clone(), |bin| format!("{}:{path}", bin.display()));
        // `exec` all the way down: the child is the program itself.
        let mut child = Command::new("ip")
            .args(["netns", "exec", &format!("{}a", self.prefix), "sh", "-c"])
            .arg(format!("exec {} 2>&1", case.command))
            .env("PATH", path)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("ip netns exec");
        let start = Instant::now();
        let mut stdout = child.stdout.take().unwrap();
        let reader = thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stdout.read_to_end(&mut bytes);
            bytes
        });
        for (after, event) in &case.during {
            thread::sleep(after.saturating_sub(start.elapsed()));
            match event.split_once(' ') {
                None => signal(&child, event),
                Some(_) => self.host(event),
            }
        }
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if start.elapsed() > LIMIT {
                signal(&child, "KILL");
            }
            thread::sleep(Duration::from_millis(5));
        };
        let text = String::from_utf8_lossy(&reader.join().unwrap()).into_owned();
        // As a shell tells it: a program may catch a signal and end with its code.
        let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
        format!("{text}exit code {}", code.unwrap_or(-1))
    }

    /// Runs `HOST COMMAND`.
    fn host(&self, command: &str) {
        let (host, command) = command.split_once(' ').expect("HOST COMMAND");
        let namespace = format!("{}{host}", self.prefix);
        let done = Command::new("ip").args(["netns", "exec", &namespace, "sh", "-c", command]).output();
        let Output { status, stderr, .. } = done.expect("ip netns exec");
        assert!(status.success(), "{command}: {}", String::from_utf8_lossy(&stderr));
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for host in ["a", "b", "c", "r"] {
            let _ = Command::new("ip").args(["netns", "del", &format!("{}{host}", self.prefix)]).output();
        }
        let _ = std::fs::remove_dir_all(format!("/etc/netns/{}a", self.prefix));
    }
}

fn signal(child: &Child, name: &str) {
    let _ = Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status();
}

/// Without what differs from run to run: numbers with one dot are round trips and time stamps, `time N ms`
/// long ones of those, `time Nms` how long the program ran, `ident=N` an identifier; a number behind a
/// tabulator is a time of day or a difference of two. A quoted header is left out: it has an identifier and a
/// checksum.
fn normalise(text: &str) -> String {
    let mut normal = String::new();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with(" 4  5  00 ")).collect();
    let text = lines.join("\n");
    let mut rest = text.as_str();
    while let Some(start) = rest.find(|character: char| character.is_ascii_digit()) {
        let (before, number) = rest.split_at(start);
        let end =
            number.find(|character: char| !matches!(character, '0'..='9' | '.')).unwrap_or(number.len());
        let (number, after) = number.split_at(end);
        normal.push_str(before);
        if number.matches('.').count() == 1 || normal.ends_with("time=") {
            normal.push('T');
        } else if normal.ends_with("ident=") {
            normal.push('N');
        } else if normal.ends_with('\t') && !number.contains('.') {
            normal.push('T');
        } else if normal.ends_with(", time ") && after.starts_with("ms") {
            // Timers of a busy machine are late, never early.
            let tenths = number.parse::<u64>().map_or(0, |ms| (ms + 10) / 100);
            normal.push_str(&format!("{}00", tenths));
        } else {
            normal.push_str(number);
        }
        rest = after;
    }
    normal + rest
}

/// A directory with our programs by their names.
fn our_programs(test: &str) -> PathBuf {
    let directory = std::env::temp_dir().join(format!("hairpin-ping-{test}-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    for name in ["ping", "arping", "traceroute"] {
        // A copy: a link would change when the program is built again.
        std::fs::copy(env!("CARGO_BIN_EXE_hairpin"), directory.join(name)).unwrap();
    }
    directory
}

/// What this machine lacks to run the test.
fn missing() -> Option<String> {
    let says = |program: &str, argument: &str| {
        let output = Command::new(program).arg(argument).output().ok()?;
        Some(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    if says("id", "-u").is_none_or(|id| id.trim() != "0") {
        return Some("not root".to_owned());
    }
    let needed = [
        ("ping", "-V", "iputils 20221126"),
        ("arping", "-V", "iputils 20221126"),
        ("traceroute", "-V", "version 2.1"),
        ("ip", "-V", "iproute2"),
    ];
    for (program, argument, version) in needed {
        let says = says(program, argument);
        assert!(says.is_some() || std::env::var_os("CI").is_none(), "CI needs {program}");
        if says.is_none_or(|text| !text.contains(version)) {
            return Some(format!("no {program} of {version}"));
        }
    }
    let probe = format!("hp{}probe", std::process::id());
    let made = Command::new("ip").args(["netns", "add", &probe]).output();
    let _ = Command::new("ip").args(["netns", "del", &probe]).output();
    if made.is_ok_and(|output| output.status.success()) {
        None
    } else {
        Some("no network namespaces".to_owned())
    }
}
