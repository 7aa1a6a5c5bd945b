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
    /// Run each script so many times on the real kernel and print how many a second
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
    if let Some(path) = &options.report {
        let only = options.only.as_ref().map_or(String::new(), |names| format!(" --only {names}"));
        let each = if options.each { " --each" } else { "" };
        let (seed, count) = (options.seed, options.count);
        let command = format!("cargo xtask agree{each}{only} --seed {seed} --count {count}");
        let topics: Vec<&str> = scripts
            .iter()
            .map(|script| script.name.rsplit_once('-').map_or("named", |(topic, _)| topic))
            .collect();
        let text = report::text(&command, &oracle.release, &topics, &scripts, &trials, &open_scripts()?);
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
    println!(
        "{agreeing} of {} scripts agree, {equal} of {lines} lines equal, in {:.1} s",
        trials.len(),
        start.elapsed().as_secs_f64()
    );
    Ok(good)
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
    let start = Instant::now();
    let jobs: Vec<&Script> = scripts.iter().cycle().take(times * scripts.len()).collect();
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
    let seconds = start.elapsed().as_secs_f64();
    println!("{} jobs in {seconds:.2} s: {:.1} a second", jobs.len(), jobs.len() as f64 / seconds);
    Ok(true)
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
            let script = read(&file)?;
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
    let scripts = files.iter().map(|file| read(file)).collect::<Result<Vec<_>, String>>()?;
    Ok(scripts.into_iter().filter(|script| script.open.is_some()).collect())
}

fn read(file: &Path) -> Result<Script, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let name = file.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Script::new(&name, &text)
}
