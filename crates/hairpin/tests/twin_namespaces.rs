//! The front ends beside the real programs on the real kernel.
//!
//! Each file in `twins/` is a list of experiments. An experiment is run twice, each time in a fresh network
//! namespace of the same make: once with the programs of this machine, once with ours. Standard output,
//! standard error and exit codes must be the same.
//!
//! Needs root and the real programs; says so and passes where they are missing. `HAIRPIN_TWINS=word` runs the
//! experiments whose title has the word in it.
//!
//! ```text
//! == title        starts an experiment
//! needs PROGRAM…  skips it where a program is missing
//! ~ COMMAND       sets up; the experiment is skipped where it fails (a kind of device that this kernel lacks)
//! ! COMMAND       sets up: the real program on both sides, must succeed
//! $ COMMAND       compared: the real program on one side, ours on the other
//! ? COMMAND       compared: the real program on both sides (what the commands before have done)
//! ```
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Programs of which ours are compared.
const FRONT_ENDS: &[&str] = &[
    "arp",
    "brctl",
    "bridge",
    "ethtool",
    "ifconfig",
    "ip6tables-legacy",
    "iptables-legacy",
    "iptables-legacy-restore",
    "iptables-legacy-save",
    "route",
    "sleep",
    "sysctl",
];

#[test]
fn bridge() {
    agree("bridge");
}

#[test]
fn brctl() {
    agree("brctl");
}

#[test]
fn iptables() {
    agree("iptables");
}

#[test]
fn net_tools() {
    agree("net-tools");
}

#[test]
fn sysctl() {
    agree("sysctl");
}

#[test]
fn ethtool() {
    agree("ethtool");
}

#[test]
fn sleep() {
    agree("sleep");
}

#[derive(Debug, Default)]
struct Experiment {
    title: String,
    needs: Vec<String>,
    /// Kind (`~`, `!`, `$`, `?`) and command line.
    steps: Vec<(char, String)>,
}

/// What a command printed, and its exit code.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    out: String,
    err: String,
    code: String,
}

fn agree(name: &str) {
    if let Some(missing) = missing() {
        eprintln!("skipped: {missing}");
        return;
    }
    let wanted = std::env::var("HAIRPIN_TWINS").unwrap_or_default();
    let text = std::fs::read_to_string(format!("tests/twins/{name}.cases")).expect("a list of experiments");
    let work = scratch(name);
    let (mut same, mut compared) = (0, 0);
    let mut report = String::new();
    for (number, experiment) in parse(&text).iter().enumerate() {
        if !experiment.title.contains(&wanted) {
            continue;
        }
        if let Some(program) = experiment.needs.iter().find(|program| !installed(program)) {
            assert!(std::env::var_os("CI").is_none(), "CI needs {program}");
            eprintln!("skipped: {}: {program} is not installed", experiment.title);
            continue;
        }
        let real = run(experiment, &work.join(format!("{number}-real")), None);
        let ours = run(experiment, &work.join(format!("{number}-ours")), Some(&work.join("bin")));
        let lacking =
            experiment.steps.iter().zip(&real).find(|((kind, _), real)| *kind == '~' && real.code != "0");
        if let Some(((_, command), _)) = lacking {
            eprintln!("skipped: {}: this kernel has no {command}", experiment.title);
            continue;
        }
        for (((kind, command), real), ours) in experiment.steps.iter().zip(real).zip(ours) {
            if matches!(kind, '~' | '!') {
                if real.code != "0" || ours.code != "0" {
                    let title = &experiment.title;
                    let _ = writeln!(report, "== {title}\n! {command}: {real:?} {ours:?}");
                }
                continue;
            }
            compared += 1;
            if real == ours {
                same += 1;
            } else {
                let _ = writeln!(report, "== {}\n{kind} {command}", experiment.title);
                difference(&mut report, "stdout", &real.out, &ours.out);
                difference(&mut report, "stderr", &real.err, &ours.err);
                difference(&mut report, "exit code", &real.code, &ours.code);
            }
        }
    }
    let _ = std::fs::remove_dir_all(&work);
    eprintln!("{name}: {same} of {compared} command lines agree");
    assert!(report.is_empty(), "{name}: {same} of {compared} command lines agree\n{report}");
}

/// A proxy entry without a device outlives its namespace in the kernel, and turns up in a new one whose structure
/// lies at the same address.
const NO_STRAYS: &str = "while read -r address _ _ _ _ device; do
            if [ \"$device\" = '*' ]; then arp -d \"$address\" pub; fi
        done </proc/net/arp";

/// What this machine lacks for any of it.
fn missing() -> Option<&'static str> {
    if !cfg!(target_os = "linux") {
        return Some("not Linux");
    }
    let mut unshare = Command::new("unshare");
    unshare.args(["--net", "--mount", "mount", "-t", "sysfs", "sysfs", "/sys"]);
    match unshare.stdout(Stdio::null()).stderr(Stdio::null()).status() {
        Ok(status) if status.success() => None,
        _ => Some("needs root: no network namespace of its own"),
    }
}

fn installed(program: &str) -> bool {
    ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        .iter()
        .any(|directory| Path::new(directory).join(program).exists())
}

/// A directory of this run, with our programs in `bin`.
fn scratch(name: &str) -> PathBuf {
    let work = std::env::temp_dir().join(format!("hairpin-twins-{name}-{}", std::process::id()));
    let bin = work.join("bin");
    std::fs::create_dir_all(&bin).expect("a scratch directory");
    let program = bin.join("hairpin");
    std::fs::copy(env!("CARGO_BIN_EXE_hairpin"), &program).expect("a copy of the program");
    for front_end in FRONT_ENDS {
        std::os::unix::fs::symlink(&program, bin.join(front_end)).expect("a link to the program");
    }
    work
}

fn parse(text: &str) -> Vec<Experiment> {
    let mut experiments: Vec<Experiment> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(title) = line.strip_prefix("== ") {
            experiments.push(Experiment { title: title.to_owned(), ..Experiment::default() });
            continue;
        }
        let experiment = experiments.last_mut().expect("a title before the first step");
        match line.split_once(' ').expect("a kind and a command") {
            ("needs", programs) => experiment.needs.extend(programs.split(' ').map(str::to_owned)),
            (kind, command) => {
                let kind = kind.chars().next().expect("a kind");
                experiment.steps.push((kind, command.to_owned()));
            }
        }
    }
    experiments
}

/// Runs the steps in one namespace; with `ours`, commands marked `$` find our programs first.
fn run(experiment: &Experiment, results: &Path, ours: Option<&Path>) -> Vec<Outcome> {
    std::fs::create_dir_all(results).expect("a directory for results");
    let real = "/usr/sbin:/usr/bin:/sbin:/bin";
    let ours = ours.map_or(real.to_owned(), |bin| format!("{}:{real}", bin.display()));
    // No name server, so that every name that is no address fails at once.
    // No IPv6 on new links, whose duplicate address detection takes a time of its own.
    let mut script = format!(
        "mount -t sysfs sysfs /sys; mount --bind /dev/null /etc/resolv.conf; cd {}
        echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
        {NO_STRAYS}\n",
        results.display()
    );
    for (number, (kind, command)) in experiment.steps.iter().enumerate() {
        let path = if *kind == '$' { &ours } else { real };
        let base = results.join(number.to_string());
        let base = base.display();
        let _ = writeln!(
            script,
            "( export PATH={path}; {command} ) >{base}.out 2>{base}.err </dev/null; echo $? >{base}.code"
        );
    }
    let status = Command::new("unshare")
        .args(["--net", "--mount", "bash", "-c", &script])
        .env("LC_ALL", "C")
        .status()
        .expect("unshare runs");
    assert!(status.success(), "{}: {status}", experiment.title);
    let read = |number: usize, what: &str| {
        let bytes = std::fs::read(results.join(format!("{number}.{what}"))).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    (0..experiment.steps.len())
        .map(|number| Outcome {
            out: read(number, "out"),
            err: read(number, "err"),
            code: read(number, "code").trim().to_owned(),
        })
        .collect()
}

fn difference(report: &mut String, what: &str, real: &str, ours: &str) {
    if real != ours {
        let only = |text: &str, other: &str, sign: char| {
            let lines = text.lines().filter(|line| !other.lines().any(|other| other == *line));
            lines.map(|line| format!("  {sign} {line}\n")).collect::<String>()
        };
        let _ = writeln!(report, "  {what}: {} and {} bytes, differing lines:", real.len(), ours.len());
        let _ = write!(report, "{}{}", only(real, ours, '-'), only(ours, real, '+'));
    }
}
