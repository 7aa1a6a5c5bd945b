//! `cargo xtask agree`: scripts on a real kernel and in the emulation.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, ValueEnum};
use hairpin_testkit::agree::generate;
use hairpin_testkit::agree::oracle::{Kernel, Oracle};
use hairpin_testkit::agree::script::Script;
use hairpin_testkit::agree::shrink;
use hairpin_testkit::agree::trial::{self, Trial, Verdict};

use crate::report;

/// What to compare, and on which kernel.
#[derive(Args)]
pub struct Options {
    /// The real kernel
    #[arg(long, value_enum, default_value_t = Which::Uml)]
    kernel: Which,
    /// The first seed of generated scripts
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many scripts are generated
    #[arg(long, default_value_t = 100)]
    count: u64,
    /// Only scripts about these topologies: bridge,macvlan,vlan,bond,…
    #[arg(long, value_name = "NAMES")]
    only: Option<String>,
    /// So many of each topology, instead of so many in all
    #[arg(long)]
    each: bool,
    /// Scripts, or directories of scripts, instead of generated ones
    #[arg(long, value_name = "PATH")]
    script: Vec<PathBuf>,
    /// Write the scripts into this directory
    #[arg(long, value_name = "DIRECTORY")]
    keep: Option<PathBuf>,
    /// Write the score into this file (docs/agreement.md)
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Leave differing scripts as long as they are
    #[arg(long)]
    no_shrink: bool,
    /// Scripts that run at once
    #[arg(long, default_value_t = 16)]
    at_once: usize,
    /// Print what the script prints on both sides
    #[arg(long)]
    show: bool,
    /// Run each script so many times on the real kernel and print how many a second; 0: only write them (--keep)
    #[arg(long, value_name = "TIMES")]
    measure: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    /// Linux 6.1 as User-Mode Linux
    Uml,
    /// The kernel of this machine, as root or in a user namespace
    Running,
}

/// Whether everything agrees.
///
/// # Errors
/// The kernel does not come up, or a script cannot be read.
pub fn run(options: &Options) -> Result<bool, String> {
    let scripts = scripts(options)?;
    if let Some(directory) = &options.keep {
        std::fs::create_dir_all(directory).map_err(|error| error.to_string())?;
        for script in &scripts {
            let path = directory.join(format!("{}.sh", script.name));
            std::fs::write(&path, &script.text).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    if options.measure == Some(0) {
        return Ok(true);
    }
    let kernel = match options.kernel {
        Which::Uml => Kernel::Uml,
        Which::Running => Kernel::Running,
    };
    let start = Instant::now();
    let shrinks = !options.no_shrink && options.measure.is_none() && !options.show;
    let at_once = if shrinks { options.at_once } else { options.at_once.min(scripts.len()) };
    let oracle = Oracle::start(kernel, at_once)?;
    eprintln!("Linux {} is up after {:.1} s", oracle.release, start.elapsed().as_secs_f64());
    for line in oracle.log.iter().filter(|line| line.starts_with("@@LOG")) {
        eprintln!("{line}");
    }
    if let Some(times) = options.measure {
        return measure(&oracle, &scripts, times);
    }
    if options.show {
        return show(&oracle, &scripts);
    }
    let trials = trial::run_all(&oracle, &scripts, |trial| {
        let Trial { name, score, late, on_its_clock, .. } = trial;
        let clock = if *on_its_clock { ", on its clock" } else { "" };
        eprintln!(
            "{name}: {} of {} lines equal (late {} ms{clock})",
            score.equal,
            score.lines,
            late.as_millis()
        );
    });
    let seconds = start.elapsed().as_secs_f64();
    if let Some(path) = &options.report {
        let only = options.only.as_ref().map_or(String::new(), |names| format!(" --only {names}"));
        let each = if options.each { " --each" } else { "" };
        let (seed, count) = (options.seed, options.count);
        let command = format!("cargo xtask agree{each}{only} --seed {seed} --count {count}");
        let topics: Vec<&str> = scripts
            .iter()
            .map(|script| script.name.rsplit_once('-').map_or("named", |(topic, _)| topic))
            .collect();
        let speed = speed(&oracle, &scripts, seconds)?;
        let open = open_scripts()?;
        let text = report::text(&report::Facts {
            command: &command,
            release: &oracle.release,
            only: options.only.as_deref(),
            topics: &topics,
            scripts: &scripts,
            trials: &trials,
            open: &open,
            speed: &speed,
        });
        std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let mut good = true;
    for (script, trial) in scripts.iter().zip(&trials) {
        match &trial.verdict {
            Verdict::Agrees if trial.wavers => {
                println!("{}: Linux does not always print the same", trial.name);
                continue;
            }
            Verdict::Agrees => continue,
            Verdict::Differs => print!("{}", trial.score.difference),
            Verdict::LinuxDiffers => {
                print!("{}: Linux differs from itself\n{}", trial.name, trial.score.difference);
                continue;
            }
            Verdict::TooBusy => print!("{}: too busy a machine\n{}", trial.name, trial.score.difference),
            Verdict::Failed(text) => println!("{}: {text}", trial.name),
        }
        good = false;
        if trial.verdict == Verdict::Differs && !options.no_shrink {
            smallest(&oracle, script, trial);
        }
    }
    let equal: usize = trials.iter().map(|trial| trial.score.equal).sum();
    let lines: usize = trials.iter().map(|trial| trial.score.lines).sum();
    let agreeing = trials.iter().filter(|trial| trial.verdict == Verdict::Agrees).count();
    let itself = trials.iter().filter(|trial| trial.verdict == Verdict::LinuxDiffers).count();
    let itself = if itself == 0 { String::new() } else { format!(", of {itself} Linux differs from itself") };
    println!(
        "{agreeing} of {} scripts agree{itself}, {equal} of {lines} lines equal, in {:.1} s",
        trials.len(),
        seconds
    );
    Ok(good)
}

/// Two namespaces, a macvlan on a veth, one ping, and all of it deleted: what a job costs beside what it compares.
const SMALL_JOB: &str = "\
ip netns add a
ip netns add b
ip link add v0 netns a type veth peer name v1 netns b
ip -n a link set v0 up
ip -n b link set v1 up
ip -n a link add m0 link v0 type macvlan mode bridge
ip -n a link set m0 up
ip -n a addr add 10.0.0.1/24 dev m0
ip -n b addr add 10.0.0.2/24 dev v1
ip netns exec a ping -c1 -W1 10.0.0.2
ip netns del a
ip netns del b
";
/// How many small jobs are timed, and how many generated ones.
const SMALL_JOBS: usize = 400;
const GENERATED_JOBS: usize = 60;

/// How fast this kernel answers, for the report: `seconds` is what the whole comparison took.
fn speed(oracle: &Oracle, scripts: &[Script], seconds: f64) -> Result<String, String> {
    let small = vec![Script::new("small", SMALL_JOB)?];
    let rate = |scripts: &[Script], count| jobs_a_second(oracle, scripts, count);
    // Once before: what the first ones warm up is not timed.
    rate(&small, 20);
    let (small, generated) = (rate(&small, SMALL_JOBS), rate(scripts, GENERATED_JOBS));
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    Ok(format!(
        "A small job (two namespaces, a macvlan on a veth, one ping, all of it deleted: 12 commands) takes {:.1} ms: \
         {small:.0} a second; of generated scenarios {generated:.1} a second run on the real kernel alone, and {:.1} a second \
         with the emulation and the comparison. Measured with {} at once on {} processors, while the machine's load was {load}.",
        1000.0 / small.max(0.001),
        scripts.len() as f64 / seconds.max(0.001),
        oracle.hosts(),
        std::thread::available_parallelism().map_or(1, usize::from),
    ))
}

/// Prints the smallest script that still shows one of the lines that differ, and them.
fn smallest(oracle: &Oracle, script: &Script, trial: &Trial) {
    let signed = |difference: &str| -> Vec<String> {
        let lines = difference.lines().filter(|line| line.starts_with(['+', '-']) && line.len() > 2);
        lines.filter(|line| !line.starts_with("+++") && !line.starts_with("---")).map(str::to_owned).collect()
    };
    let wanted = signed(&trial.score.difference);
    let again = |text: &str| {
        let candidate = Script::new(&script.name, text).ok()?;
        let trial = trial::run(oracle, &candidate);
        let same = signed(&trial.score.difference).iter().any(|line| wanted.contains(line));
        (trial.verdict == Verdict::Differs && same).then_some(trial)
    };
    let text = shrink::shrink(
        &script.text,
        oracle.at_once,
        |text| again(text).is_some(),
        |left| eprint!("\r{left} lines  "),
    );
    eprintln!();
    println!("smallest script of {}:\n{text}", script.name);
    if let Some(trial) = again(&text) {
        print!("{}", trial.score.difference);
    }
}

fn measure(oracle: &Oracle, scripts: &[Script], times: usize) -> Result<bool, String> {
    let count = times * scripts.len();
    println!("{count} jobs, {:.1} a second", jobs_a_second(oracle, scripts, count));
    Ok(true)
}

/// Runs so many jobs on the real kernel, the scripts in turn.
fn jobs_a_second(oracle: &Oracle, scripts: &[Script], count: usize) -> f64 {
    let start = Instant::now();
    let jobs: Vec<&Script> = scripts.iter().cycle().take(count).collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..oracle.at_once {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    if let Err(text) = oracle.run(job) {
                        eprintln!("{text}");
                    }
                }
            });
        }
    });
    jobs.len() as f64 / start.elapsed().as_secs_f64()
}

fn show(oracle: &Oracle, scripts: &[Script]) -> Result<bool, String> {
    for script in scripts {
        let real = oracle.run(script)?;
        let ours = trial::emulate(script, None);
        for (side, ran) in [("Linux", &real.ran), ("hairpin", &ours)] {
            println!("== {} on {side}\n{}", script.name, ran.output);
            if let Some(error) = &ran.error {
                println!("== ended: {error}");
            }
        }
    }
    Ok(true)
}

fn scripts(options: &Options) -> Result<Vec<Script>, String> {
    let mut scripts = Vec::new();
    let running = options.kernel == Which::Running;
    if options.script.is_empty() {
        for seed in options.seed..options.seed.saturating_add(options.count) {
            if !options.each {
                scripts.push(generate::script(seed, options.only.as_deref(), running)?.0);
                continue;
            }
            for topology in generate::topologies(options.only.as_deref(), running)? {
                scripts.push(generate::script(seed, Some(topology.name), running)?.0);
            }
        }
    }
    for path in &options.script {
        let mut files = vec![path.clone()];
        if path.is_dir() {
            let entries = std::fs::read_dir(path).map_err(|error| format!("{}: {error}", path.display()))?;
            files = entries.flatten().map(|entry| entry.path()).collect();
            files.retain(|file| file.extension().is_some_and(|extension| extension == "sh"));
            files.sort();
        }
        for file in files {
            let script = Script::read(&file)?;
            if !script.for_bash {
                scripts.push(script);
            }
        }
    }
    Ok(scripts)
}

/// The named scripts that are known to differ and not mended yet.
fn open_scripts() -> Result<Vec<Script>, String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../hairpin/tests/agreement/scripts");
    let entries =
        std::fs::read_dir(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let scripts = files.iter().map(|file| Script::read(file)).collect::<Result<Vec<_>, String>>()?;
    Ok(scripts.into_iter().filter(|script| script.open.is_some()).collect())
}
