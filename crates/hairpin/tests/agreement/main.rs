//! The score of agreement: scripts on a real Linux kernel and in the emulation print the same lines.
//!
//! Every script in `scripts/` runs on the real kernel and in the emulation with our front ends, in one process and
//! without exec (`hairpin_testkit::agree`): on Linux 6.1 (User-Mode Linux, Debian's package user-mode-linux) and on the
//! running kernel. What differs from run to run on the real side too (random MACs, times) is bound or blanked; the
//! rest is compared line by line, and none may differ.
//!
//! Those with `# runs: with the real programs` in their header run a second time by bash: there with the
//! distribution's `ip`, `ping` and `tcpdump`, here with `hairpin run`. It shows that our front ends print what theirs print.
//!
//! Header lines of a script:
//! ```text
//! # needs: uml                     needs devices that a running kernel may lack (`dummy`, `8021q`, bridge VLANs)
//! # needs: nftables                User-Mode Linux lacks it: by exec on the running kernel, if that has it
//! # ipv6: on                       namespaces have IPv6
//! # runs: with the real programs   by exec too
//! # runs: by bash alone            its language is richer than that of the runner
//! # programs: NAME NAME            by exec it runs these, which may not be installed
//! # clock: real                    by exec a guest runs it in real time, for a program in it never pauses
//! # modules: NAME NAME             the kernel, a User-Mode Linux of its own, has loaded these; as functions alone
//! # covers: PART KIND KIND         dumps, refusals or traffic of these kinds are compared: docs/kinds.md
//! # with: FILE                     this file of the directory stands here: functions that scripts share
//! # differs: REASON                a known difference, and on the next lines
//! # differs after 6.1: REASON      one of a newer kernel, as the running one may be
//! # lines: REGEX                   which lines are left out of the comparison because of it
//! # open: WHAT                     known to differ and not mended yet: fails nothing; by exec it runs when asked for
//! ```
//!
//! The real programs take real time on a machine that may be busy, and Linux does not print the same each time: a
//! script that differs when run by exec runs again on both sides, up to four times in all. What a command prints here in
//! at least half of these runs must be what it printed there in one of them.
//!
//! * `HAIRPIN_AGREEMENT=word` runs the scripts whose name has the word in it.
//! * `HAIRPIN_AGREEMENT_KERNEL=running` (or `uml`) runs them on that kernel alone.
//! * `HAIRPIN_AGREEMENT_WITH=exec` (or `functions`) runs them in that way alone; `exec` takes every script.
//!
//! `cargo xtask agree` runs generated scripts, thousands of them. Needs root or user namespaces, and the real programs
//! for the second way; says so and passes where they are missing, but not in CI.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod exec;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use hairpin_testkit::agree::chance::{self, Kept, Run};
use hairpin_testkit::agree::oracle::{Kernel, Oracle};
use hairpin_testkit::agree::script::Script;
use hairpin_testkit::agree::trial::{self, Verdict};
use hairpin_testkit::agree::{compare, guest, normalise, worker};

/// Real scripts sleep most of their time.
const AT_ONCE: usize = 16;
/// How often a script runs by exec at most.
const EXEC_RUNS: usize = 4;

fn main() -> ExitCode {
    if worker::serve_if_called() {
        return ExitCode::SUCCESS;
    }
    if std::env::args().any(|word| word == "--list") {
        println!("scripts_print_the_same_lines_on_linux: test");
        return ExitCode::SUCCESS;
    }
    let start = Instant::now();
    let (nftables, scripts): (Vec<Script>, Vec<Script>) =
        wanted().into_iter().partition(|script| script.needs_nftables);
    let functions_on = |kernel| {
        let mut good = true;
        if wants(kernel, "functions") {
            for (modules, scripts) in by_modules(&scripts, kernel) {
                good &= timed(|| as_functions(&scripts, kernel, &modules));
            }
        }
        good
    };
    let mut good = functions_on(Kernel::Uml);
    // On the running kernel scripts sleep most of the time that the others compute. The emulation's timers are set for
    // one kernel at a time: of these two only one runs scripts as functions.
    good &= std::thread::scope(|scope| {
        let on_uml = scope.spawn(|| {
            guest::give_way();
            !wants(Kernel::Uml, "exec") || timed(|| by_exec(&scripts, Kernel::Uml))
        });
        let mut good = functions_on(Kernel::Running);
        if setting("WITH").is_some_and(|way| way == "exec") && wants(Kernel::Running, "exec") {
            good &= timed(|| by_exec(&scripts, Kernel::Running));
        }
        if wants(Kernel::Running, "exec") && !nftables.is_empty() {
            match exec::lacks_nftables() {
                // A kernel is as it is configured, in CI too.
                true => println!("skipped: the running kernel has no nftables, or nft is not installed"),
                false => good &= timed(|| by_exec(&nftables, Kernel::Running)),
            }
        }
        on_uml.join().is_ok_and(|all| all) && good
    });
    let verdict = if good { "ok" } else { "FAILED" };
    println!("\ntest result: {verdict}. finished in {:.2}s\n", start.elapsed().as_secs_f64());
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether scripts are to run on this kernel in this way.
fn wants(kernel: Kernel, way: &str) -> bool {
    setting("KERNEL").is_none_or(|name| name == name_of(kernel))
        && setting("WITH").is_none_or(|name| name == way)
}

fn timed(part: impl FnOnce() -> bool) -> bool {
    let start = Instant::now();
    let good = part();
    println!("took {} s", start.elapsed().as_secs());
    good
}

fn setting(name: &str) -> Option<String> {
    std::env::var(format!("HAIRPIN_AGREEMENT_{name}")).ok()
}

fn name_of(kernel: Kernel) -> &'static str {
    match kernel {
        Kernel::Uml => "uml",
        Kernel::Running => "running",
    }
}

/// What is missing is told; in CI nothing may be.
fn skipped(what: &str, missing: &str) -> bool {
    println!("skipped: {what}: {missing}");
    std::env::var_os("CI").is_none()
}

/// Those that need nothing that this kernel may lack.
fn fitting(scripts: &[Script], kernel: Kernel) -> Vec<Script> {
    let (fitting, others): (Vec<Script>, Vec<Script>) =
        scripts.iter().cloned().partition(|script| kernel == Kernel::Uml || !script.needs_uml);
    for script in others {
        println!("left out on the running kernel, which may lack its devices: {}", script.name);
    }
    fitting
}

/// The scripts by what modules they are for: a kernel cannot have and not have one.
fn by_modules(scripts: &[Script], kernel: Kernel) -> BTreeMap<Vec<String>, Vec<Script>> {
    let mut groups: BTreeMap<Vec<String>, Vec<Script>> = BTreeMap::new();
    for script in scripts.iter().filter(|script| kernel == Kernel::Uml || script.modules.is_empty()) {
        groups.entry(script.modules.clone()).or_default().push(script.clone());
    }
    groups
}

fn as_functions(scripts: &[Script], kernel: Kernel, modules: &[String]) -> bool {
    // To start a User-Mode Linux takes as long as some scripts.
    let at_once = if kernel == Kernel::Uml { AT_ONCE.min(scripts.len() / 3) } else { AT_ONCE };
    let oracle = match Oracle::start_with(kernel, at_once, modules) {
        Ok(oracle) => oracle,
        Err(text) => return skipped(name_of(kernel), &text),
    };
    println!("\nLinux {}, our front ends as functions", oracle.release);
    let mut scripts = fitting(scripts, kernel);
    scripts.retain(|script| !script.for_bash);
    let trials = trial::run_all(&oracle, &scripts, |trial| {
        println!("{}: {} of {} lines equal", trial.name, trial.score.equal, trial.score.lines);
    });
    let mut good = true;
    for (script, trial) in std::iter::zip(&scripts, &trials) {
        match &trial.verdict {
            Verdict::Agrees => continue,
            Verdict::Differs | Verdict::LinuxDiffers => print!("{}", trial.score.difference),
            Verdict::TooBusy => {
                println!(
                    "{}: the machine was busy in each of its runs\n{}",
                    trial.name, trial.score.difference
                );
            }
            Verdict::Failed(text) => println!("{}: {text}", trial.name),
        }
        good &= is_open(script);
    }
    let equal: usize = trials.iter().map(|trial| trial.score.equal).sum();
    let lines: usize = trials.iter().map(|trial| trial.score.lines).sum();
    println!("{} scripts on Linux {}: {equal} of {lines} lines equal", trials.len(), oracle.release);
    good
}

fn by_exec(scripts: &[Script], kernel: Kernel) -> bool {
    if let Some(missing) = exec::missing(kernel) {
        return skipped("the real programs", missing);
    }
    let all = setting("WITH").is_some();
    let mut scripts = fitting(scripts, kernel);
    scripts.retain(|script| all || script.with_real_programs || script.for_bash);
    scripts.retain(|script| script.modules.is_empty());
    if !all {
        for script in scripts.extract_if(.., |script| script.open.is_some()) {
            println!("open, not run: {}: {}", script.name, script.open.unwrap_or_default());
        }
    }
    let mut good = true;
    scripts.retain(|script| match script.programs.iter().find(|program| !exec::is_installed(program)) {
        Some(program) => {
            good &= skipped(&script.name, &format!("{program} is not installed"));
            false
        }
        None => true,
    });
    if scripts.is_empty() {
        return good;
    }
    println!("\n{} kernel, the real programs", name_of(kernel));
    let work =
        std::env::temp_dir().join(format!("hairpin-agreement-{}-{}", name_of(kernel), std::process::id()));
    std::fs::create_dir_all(&work).expect("a scratch directory");
    let mut seen: BTreeMap<String, Vec<Run>> = BTreeMap::new();
    for again in (0..EXEC_RUNS).rev() {
        let ran = exec::all(&scripts, kernel, &work);
        let mut differing = Vec::new();
        for (script, (real, ours)) in scripts.into_iter().zip(ran) {
            let took = [real.took, ours.took].map(|took| took.as_secs_f32());
            let [real, ours] = [real.output, ours.output]
                .map(|text| in_order(normalise::lines(&text, &script, &exec::release(kernel))));
            let score = compare::score(&script.name, &real, &ours);
            print!("{}: {} of {} lines equal", script.name, score.equal, score.lines);
            println!(" ({:.1} s there, {:.1} s here)", took[0], took[1]);
            print!("{}", score.difference);
            // Where bash tells of a command in the background, hangs on chance; lines with commands do not count.
            if score.equal == score.lines && score.lines > 0 {
                continue;
            }
            let runs = seen.entry(script.name.clone()).or_default();
            runs.push(Run { real, ours });
            if score.lines > 0 && chance::command_by_command(runs) == Some(Kept::All) {
                println!("{}: each command agrees in one of {} runs", script.name, runs.len());
                continue;
            }
            differing.push(script);
        }
        scripts = differing;
        if again == 0 || scripts.iter().all(|script| script.open.is_some()) {
            break;
        }
        scripts.retain(|script| script.open.is_none());
        println!("once more, for the machine may have been busy: {}", scripts.len());
    }
    for script in &scripts {
        good &= is_open(script);
    }
    let _ = std::fs::remove_dir_all(&work);
    good
}

/// In which order the shells of a pipeline tell what they start hangs on chance: commands that are told one behind the
/// other are sorted.
fn in_order(mut lines: Vec<String>) -> Vec<String> {
    let told = |line: &String| line.starts_with('$');
    for run in lines.chunk_by_mut(|a, b| told(a) && told(b)) {
        run.sort();
    }
    lines
}

/// Whether a script that differs is known to, and not mended yet.
fn is_open(script: &Script) -> bool {
    if let Some(what) = &script.open {
        println!("open: {}: {what}", script.name);
    }
    script.open.is_some()
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/agreement/scripts")
}

/// The scripts of the directory whose names have the wanted word in them.
fn wanted() -> Vec<Script> {
    let word = std::env::var("HAIRPIN_AGREEMENT").unwrap_or_default();
    let mut paths: Vec<PathBuf> = std::fs::read_dir(directory())
        .expect("a directory of scripts")
        .map(|entry| entry.expect("a script").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sh"))
        .collect();
    paths.sort();
    let scripts = paths.iter().map(|path| Script::read(path).unwrap_or_else(|error| panic!("{error}")));
    scripts.filter(|script| script.name.contains(&word)).collect()
}
