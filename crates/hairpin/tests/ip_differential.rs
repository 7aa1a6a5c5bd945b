//! The same `ip` commands through the real iproute2 and through ours, in twin network namespaces of the
//! running kernel: standard output, standard error and exit code must be the same.
//!
//! The commands stand in `ip_differential.txt` and `ip_link_addr/*.cases`:
//!
//! * `== NAME` starts a scenario: two fresh namespaces, each with a private `/run`.
//! * `? COMMAND` skips the scenario where the command fails: the kernel lacks what it needs.
//! * `! COMMAND` prepares: the real programs run it in both.
//! * `COMMAND` is compared; `ip` is the real one in one namespace and ours in the other.
//! * `~ COMMAND` is compared with every number in the output replaced (statistics, ages).
//! * `* COMMAND` is compared without regard to the order of lines and JSON objects (the kernel lists
//!   neighbours in the order of a hash with a random seed). It may stand before `~`.
//! * `# TEXT` is a comment.
//!
//! Random link-layer addresses are compared by their order of appearance, running timers not at all. At the
//! end of a scenario the links and addresses of both namespaces have to be the same.
//!
//! Needs root and iproute2 6.1; elsewhere the test says so and passes. `IP_DIFFERENTIAL=WORD` in the
//! environment runs only scenarios whose names contain WORD.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

const CASES: &[&str] = &[
    include_str!("ip_differential.txt"),
    include_str!("ip_link_addr/addr.cases"),
    include_str!("ip_link_addr/link.cases"),
    include_str!("ip_link_addr/modules.cases"),
];
/// What both namespaces are compared by at the end.
const STATE: &str = "/usr/sbin/ip -d -d addr show | sed -E 's/_lft [0-9]+sec/_lft N/g; s/ tentative//'";
const REAL_PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// Scenarios that run at once: they wait for timers half of the time.
const AT_ONCE: usize = 3;

#[test]
fn commands_answer_as_iproute2_does() {
    if let Some(reason) = unfit() {
        eprintln!("skipped: {reason}");
        return;
    }
    let ours = Tools::new();
    let wanted = std::env::var("IP_DIFFERENTIAL").unwrap_or_default();
    let scenarios = CASES.iter().flat_map(|cases| cases.split("== ").skip(1));
    let scenarios = scenarios.map(|scenario| scenario.split_once('\n').unwrap_or((scenario, "")));
    let scenarios: Vec<(&str, &str)> = scenarios.filter(|(name, _)| name.contains(&wanted)).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let (mut compared, mut differing) = (0, Vec::new());
        while let Some((name, lines)) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
            compared += compare(name, lines, &ours, &mut differing);
        }
        (compared, differing)
    };
    let (compared, differing) = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        let done = threads.into_iter().map(|thread| thread.join().expect("no panic"));
        done.fold((0, Vec::new()), |(sum, mut all), (compared, differing)| {
            all.extend(differing);
            (sum + compared, all)
        })
    });
    eprintln!("{} of {compared} commands agree", compared - differing.len());
    assert!(differing.is_empty(), "{} differ:\n{}", differing.len(), differing.join("\n"));
}

/// Runs a scenario in both namespaces: how many commands were compared. Those that differ are added to the list.
fn compare(name: &str, lines: &str, ours: &Tools, differing: &mut Vec<String>) -> usize {
    let mut compared = 0;
    let twins = [Namespace::new(), Namespace::new()];
    let mut names = [BTreeMap::new(), BTreeMap::new()];
    let state = std::iter::once(STATE);
    for line in lines.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).chain(state) {
        if let Some(command) = line.strip_prefix("? ") {
            if twins[0].run(command, REAL_PATH).code != Some(0) {
                eprintln!("{name}: skipped, this kernel fails: {command}");
                break;
            }
            continue;
        }
        if let Some(command) = line.strip_prefix("! ") {
            for twin in &twins {
                let result = twin.run(command, REAL_PATH);
                assert!(result.code == Some(0), "{name}: {command}: {result:?}");
            }
            continue;
        }
        let (line, unordered) = line.strip_prefix("* ").map_or((line, false), |line| (line, true));
        let (command, loose) = line.strip_prefix("~ ").map_or((line, false), |command| (command, true));
        let mut real = twins[0].run(command, REAL_PATH);
        let mut own = twins[1].run(command, &ours.path());
        real.normalize(&mut names[0]);
        own.normalize(&mut names[1]);
        if loose {
            real.hide_numbers();
            own.hide_numbers();
        }
        if unordered {
            real.sort();
            own.sort();
        }
        compared += 1;
        if real != own {
            differing.push(format!("[{name}] {command}\n{}", real.compare(&own)));
        }
    }
    compared
}

/// Why this machine cannot run the comparison.
fn unfit() -> Option<&'static str> {
    let output = |program: &str, argument: &str| {
        let output = Command::new(program).arg(argument).env("PATH", REAL_PATH).output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    if output("id", "-u").as_deref() != Some("0\n") {
        return Some("not root");
    }
    match output("ip", "-V") {
        None => {
            assert!(std::env::var_os("CI").is_none(), "CI needs iproute2");
            return Some("no iproute2");
        }
        Some(version) if !version.contains("iproute2-6.1") => return Some("another iproute2 than 6.1"),
        Some(_) => {}
    }
    if !Command::new("unshare").args(["-n", "-m", "true"]).status().is_ok_and(|status| status.success()) {
        return Some("no network namespaces");
    }
    None
}

/// A directory with our programs under the names they are called by.
struct Tools(PathBuf);

impl Tools {
    fn new() -> Self {
        let directory = std::env::temp_dir().join(format!("hairpin-ip-differential-{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a temporary directory");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_hairpin"), directory.join("ip"))
            .expect("a link to our program");
        Tools(directory)
    }

    fn path(&self) -> String {
        format!("{}:{REAL_PATH}", Path::display(&self.0))
    }
}

impl Drop for Tools {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A network and mount namespace kept alive by a sleeping process.
struct Namespace(Child);

impl Namespace {
    fn new() -> Self {
        let script = "mount -t tmpfs none /run && mkdir /run/netns && echo && exec sleep 1000";
        let mut child = Command::new("unshare")
            .args(["-n", "-m", "sh", "-c", script])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a namespace");
        // The line says that everything is mounted.
        let mut line = [0];
        let stdout = child.stdout.as_mut().expect("a pipe");
        std::io::Read::read_exact(stdout, &mut line).expect("a namespace that is ready");
        Namespace(child)
    }

    fn run(&self, command: &str, path: &str) -> Answer {
        let pid = self.0.id();
        let output = Command::new("nsenter")
            .arg(format!("--net=/proc/{pid}/ns/net"))
            .arg(format!("--mount=/proc/{pid}/ns/mnt"))
            .args(["sh", "-c", command])
            .env("PATH", path)
            .stdin(Stdio::null())
            .output()
            .expect("nsenter");
        Answer {
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code(),
        }
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a command answered.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    out: String,
    err: String,
    code: Option<i32>,
}

impl Answer {
    /// The lines in which two answers differ.
    fn compare(&self, other: &Answer) -> String {
        let mut text = String::new();
        for (what, real, own) in [("out", &self.out, &other.out), ("err", &self.err, &other.err)] {
            let (mut real, mut own) = (real.split_inclusive('\n'), own.split_inclusive('\n'));
            loop {
                match (real.next(), own.next()) {
                    (None, None) => break,
                    (real, own) if real == own => {}
                    (real, own) => text += &format!("  {what} real {real:?}\n  {what} ours {own:?}\n"),
                }
            }
        }
        if self.code != other.code {
            text += &format!("  code real {:?} ours {:?}\n", self.code, other.code);
        }
        text
    }

    fn sort(&mut self) {
        let mut pieces: Vec<_> = self.out.split(['\n', '}']).collect();
        pieces.iter_mut().for_each(|piece| *piece = piece.trim_matches([',', ' ', '[', ']', '{']));
        pieces.sort_unstable();
        self.out = pieces.join("\n");
    }

    fn normalize(&mut self, names: &mut BTreeMap<String, usize>) {
        self.out = normalize(&without_age(&self.out), names);
        self.err = normalize(&self.err, names);
    }

    fn hide_numbers(&mut self) {
        let mut hidden = String::new();
        for c in self.out.chars() {
            if !c.is_ascii_digit() {
                hidden.push(c);
            } else if !hidden.ends_with('N') {
                hidden.push('N');
            }
        }
        self.out = hidden;
    }
}

/// A cached route's age, which is left out while it is zero seconds of the kernel's own clock.
fn without_age(text: &str) -> String {
    let mut rest = text;
    let mut result = String::new();
    while let Some(at) = rest.find(" age ") {
        let (before, after) = rest.split_at(at);
        let number = after[5..].trim_start_matches(|c: char| c.is_ascii_digit());
        result += before;
        rest = match number.strip_prefix("sec") {
            Some(rest) => rest,
            None => {
                result += " age ";
                &after[5..]
            }
        };
    }
    result + rest
}

/// Replaces link-layer addresses by their order of appearance, and running timers by a word.
fn normalize(text: &str, names: &mut BTreeMap<String, usize>) -> String {
    let mut result = String::new();
    let mut timer = false;
    for word in text.split_inclusive([' ', '\n', '"', ',']) {
        let bare = word.trim_end_matches([' ', '\n', '"', ',']);
        let address = bare.strip_prefix("8000.").unwrap_or(bare);
        let bytes = address.split(':');
        let is_address = bytes.clone().count() == 6 && bytes.clone().all(is_byte);
        // Addresses that the cases give start with 02:00 and are compared as they are, as are the kernel's
        // fixed ones.
        let first: Vec<&str> = bytes.clone().take(2).collect();
        let random = is_address
            && !matches!(
                first.as_slice(),
                ["02", "00"] | ["2", "0"] | ["00", "00"] | ["0", "0"] | ["ff", "ff"] | ["01", "80"]
            );
        if random {
            let padded: Vec<String> = bytes.map(|byte| format!("{byte:0>2}")).collect();
            let next = names.len();
            let number = *names.entry(padded.join(":")).or_insert(next);
            result += &word.replace(address, &format!("MAC{number}"));
        } else if timer && bare.trim_start_matches(':').parse::<f64>().is_ok() {
            result += &word.replace(bare, "TIME");
        } else if timer && bare.is_empty() {
            continue;
        } else {
            result += word;
        }
        timer = bare.ends_with("_timer") || timer && (bare.is_empty() || bare == ":");
    }
    result
}

fn is_byte(text: &str) -> bool {
    !text.is_empty() && text.len() <= 2 && text.chars().all(|c| c.is_ascii_hexdigit())
}
