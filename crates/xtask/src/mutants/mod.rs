//! `cargo xtask mutants`: faults planted in a copy of the checkout, one at a time, and the case that catches each. Those of
//! the lists, and a sample of those that are found mechanically (`agree::flips`).
//!
//! Under `target/mutants` are `tree`, the copy, with all faults woven in (`agree::weave`), so that one build serves; `build`,
//! what it is built in; `cases`, scripts with the answers of the real kernel; `found`, what became of each fault with those
//! answers. The copy's own `cargo xtask mutants --judge` runs the cases, so that a panic or an endless loop is the fault's
//! and not this program's. Only cases that come to the place of a fault are run with it: `reach` has which do.

mod build;
mod table;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::Args;
use hairpin_testkit::agree::flips::{self, Flip, Unseen};
use hairpin_testkit::agree::generate;
use hairpin_testkit::agree::mutants::{self, Case, Mutant};
use hairpin_testkit::agree::oracle::{Kernel, Oracle};
use hairpin_testkit::agree::script::Script;
use hairpin_testkit::agree::weave::{CHOICE_VARIABLE, REACH_VARIABLE, REACHED};

/// Which faults, and which cases may catch them.
#[derive(Args)]
pub struct Options {
    /// Faults by name, or lists of them (macvlan, bridge, …, flips); all without
    name: Vec<String>,
    /// How many flips that are found mechanically are judged, too
    #[arg(long, default_value_t = 0)]
    flips: usize,
    /// Another sample of them
    #[arg(long, default_value_t = 1)]
    flips_seed: u64,
    /// Print the flips of the sample, and no more
    #[arg(long)]
    list_flips: bool,
    /// Print which of them no generated case comes to, and no more
    #[arg(long)]
    unreached: bool,
    /// The first seed of generated cases
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only cases about these topologies
    #[arg(long, value_name = "NAMES")]
    only: Option<String>,
    /// How many cases are generated of each topology
    #[arg(long, default_value_t = 12)]
    count: u64,
    /// Go on with the real kernel's answers of the last run, and what was found with them
    #[arg(long)]
    recorded: bool,
    /// Ask the real kernel, and no more
    #[arg(long)]
    record: bool,
    /// Take the emulation's own answers for the real kernel's: which faults would be noticed, in a minute
    #[arg(long, conflicts_with_all = ["recorded", "report"])]
    rehearse: bool,
    /// Scripts that run at once on the real kernel
    #[arg(long, default_value_t = 24)]
    at_once: usize,
    /// Write the table into this file (docs/mutants.md)
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Run the cases that are named, of a directory, in this build of the emulation
    #[arg(long, value_name = "DIRECTORY", hide = true)]
    judge: Option<PathBuf>,
}

/// A fault of a list, or a flip.
struct Fault {
    name: String,
    list: String,
    /// The topology whose cases are tried first.
    cases: String,
    /// By which the build chooses it.
    number: usize,
    kind: What,
}

enum What {
    Listed(Mutant),
    Flip(Flip),
}

/// What became of a fault.
enum Fate {
    Caught {
        case: String,
        generated: bool,
        line: String,
    },
    /// Though so many cases come to its place.
    Survived {
        cases: usize,
    },
    /// It makes no difference.
    Unseen {
        why: String,
    },
}

/// How long a case may take with a fault: none takes a tenth of it without.
const PATIENCE: Duration = Duration::from_secs(60);
/// How much memory, in KiB.
const MEMORY: usize = 8_000_000;
/// The list that flips are in.
const FLIPS: &str = "flips";
const LISTS: &str = "crates/testkit/mutants";
const UNSEEN: &str = "crates/testkit/mutants/unseen";
const NAMED: &str = "crates/hairpin/tests/agreement/scripts";
const NAMED_ENDING: &str = ".named";

/// Whether every fault was caught.
///
/// # Errors
/// A list is stale, the kernel does not come up, or the emulation does not build; the text is for the user.
pub fn run(options: &Options) -> Result<bool, String> {
    if let Some(directory) = &options.judge {
        return judge(directory, &options.name);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = root.canonicalize().map_err(|error| format!("{}: {error}", root.display()))?;
    let listed = mutants::read(&root.join(LISTS))?.into_iter().enumerate().map(|(number, mutant)| Fault {
        name: mutant.name.clone(),
        list: mutant.list.clone(),
        cases: mutant.cases.clone(),
        number,
        kind: What::Listed(mutant),
    });
    let mut all: Vec<Fault> = listed.collect();
    let places = sample(&root, options, &mut all)?;
    if options.list_flips {
        for Fault { name, kind, .. } in &all {
            if let What::Flip(Flip { file, function, how, text, .. }) = kind {
                println!("{name} {file}, {function}: {how}\n    {text}");
            }
        }
        return Ok(true);
    }
    let known = |name: &String| all.iter().any(|fault| fault.name == *name || fault.list == *name);
    if let Some(name) = options.name.iter().find(|name| !known(name)) {
        return Err(format!("no mutant, and no list of them, '{name}' in {LISTS}"));
    }
    // A stale list is no matter of minutes.
    build::woven(&root, &all)?;
    let place = root.join("target/mutants");
    let cases = place.join("cases");
    let found = place.join("found");
    if !options.recorded {
        record(&root, &cases, options)?;
        if found.exists() {
            fs::remove_dir_all(&found).map_err(|error| format!("{}: {error}", found.display()))?;
        }
        if options.record {
            return Ok(true);
        }
    }
    fs::create_dir_all(&found).map_err(|error| format!("{}: {error}", found.display()))?;
    let recorded = read(&cases.join("summary.txt"))?;
    let tree = place.join("tree");
    let program = build::build(&root, &tree, &place.join("build"), &mut all)?;
    if options.recorded {
        let names = names(&cases)?;
        if let Fate::Caught { case, line, .. } = try_cases(&program, &cases, &names, None)? {
            return Err(format!("{case} differs without a fault ({line}): run this without --recorded"));
        }
    }
    let reach = reach(&program, &cases)?;
    if options.unreached {
        print_unreached(&all, &reach);
        return Ok(true);
    }
    let unseen = flips::unseen(&root.join(UNSEEN))?;
    let bench = Bench { program: &program, cases: &cases, found: &found, reach: &reach, unseen: &unseen };
    let chosen = |fault: &&Fault| {
        options.name.is_empty() || options.name.contains(&fault.name) || options.name.contains(&fault.list)
    };
    let chosen: Vec<&Fault> = all.iter().filter(chosen).collect();
    let noticed = bench.judge_all(&chosen, options.recorded && options.name.is_empty());
    if let Some(path) = &options.report {
        let fates: Vec<(&Fault, Fate)> = all
            .iter()
            .filter_map(|fault| Some((fault, Fate::from_line(&read(&found.join(&fault.name)).ok()?)?)))
            .collect();
        write(path, &table::table(&fates, all.len(), &recorded, &places, options))?;
    }
    println!("{noticed} of {} caught", chosen.len());
    Ok(noticed == chosen.len())
}

/// Adds a sample of the flips; says of how many.
fn sample(root: &Path, options: &Options, all: &mut Vec<Fault>) -> Result<String, String> {
    if options.flips == 0 {
        return Ok(String::new());
    }
    let mut flips = flips::all(root)?;
    let places = format!("{} flips in {} files", flips.len(), flips::FILES.len());
    flips.sort_by_cached_key(|flip| flip.hash(options.flips_seed));
    flips.truncate(options.flips);
    flips.sort_by(|one, other| one.file.cmp(&other.file));
    for flip in flips {
        let name = format!("{FLIPS}-{:08x}", flip.hash(0) >> 32);
        if all.iter().any(|fault| fault.name == name) {
            // The same text twice in a function: one of them does.
            continue;
        }
        let number = all.len();
        all.push(Fault {
            name,
            list: FLIPS.to_owned(),
            cases: String::new(),
            number,
            kind: What::Flip(flip),
        });
    }
    Ok(places)
}

/// What faults are judged with.
struct Bench<'a> {
    program: &'a Path,
    cases: &'a Path,
    found: &'a Path,
    /// By case, which faults it comes to.
    reach: &'a [(String, BTreeSet<usize>)],
    unseen: &'a [Unseen],
}

impl Bench<'_> {
    /// How many of the faults are caught, tried one on each processor. What becomes of each is written down at once, so
    /// that a run that is stopped leaves what it has found; `go_on` leaves out those that were caught before.
    fn judge_all(&self, chosen: &[&Fault], go_on: bool) -> usize {
        let (next, caught) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let at_once = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..at_once.min(chosen.len()) {
                scope.spawn(|| {
                    while let Some(fault) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                        match self.judge(fault, go_on) {
                            Ok(is_caught) => {
                                caught.fetch_add(usize::from(is_caught), Ordering::Relaxed);
                            }
                            Err(text) => println!("{}: no verdict: {text}", fault.name),
                        }
                    }
                });
            }
        });
        caught.into_inner()
    }

    fn judge(&self, fault: &Fault, go_on: bool) -> Result<bool, String> {
        let place = self.found.join(&fault.name);
        let before = read(&place).ok().and_then(|line| Fate::from_line(&line));
        if go_on && matches!(before, Some(Fate::Caught { .. })) {
            return Ok(true);
        }
        let start = Instant::now();
        let unseen = match &fault.kind {
            What::Flip(flip) => self.unseen.iter().find(|unseen| unseen.is(flip)),
            What::Listed(_) => None,
        };
        let reaching = self.reach.iter().filter(|(_, reached)| reached.contains(&fault.number));
        let mut cases: Vec<String> = reaching.map(|(case, _)| case.clone()).collect();
        cases.sort_by_key(|case| (case.ends_with(NAMED_ENDING), !case.starts_with(&fault.cases)));
        let fate = match unseen {
            Some(unseen) => Fate::Unseen { why: unseen.why.clone() },
            None if cases.is_empty() => Fate::Survived { cases: 0 },
            None => try_cases(self.program, self.cases, &cases, Some(fault.number))?,
        };
        let seconds = start.elapsed().as_secs_f64();
        match &fate {
            Fate::Caught { case, line, .. } => {
                println!("{}: caught by {case} ({seconds:.0} s): {line}", fault.name);
            }
            Fate::Survived { cases } => {
                println!("{}: SURVIVED {cases} cases that come to it ({seconds:.0} s)", fault.name);
                if let What::Flip(Flip { file, function, how, text, .. }) = &fault.kind {
                    println!("== {file}, {function}: {how}\nwhy: \n---\n{text}");
                }
            }
            Fate::Unseen { .. } => {}
        }
        write(&place, &fate.to_line())?;
        Ok(!matches!(fate, Fate::Survived { .. }))
    }
}

impl Fate {
    fn to_line(&self) -> String {
        match self {
            Fate::Caught { case, generated, line } => {
                format!("{case}\t{}\t{line}", if *generated { "generated" } else { "named" })
            }
            Fate::Survived { cases } => format!("\tsurvived\t{cases}"),
            Fate::Unseen { why } => format!("\tunseen\t{why}"),
        }
    }

    fn from_line(line: &str) -> Option<Fate> {
        let mut words = line.splitn(3, '\t');
        let (case, how, line) = (words.next()?.to_owned(), words.next()?, words.next()?.to_owned());
        Some(match how {
            "survived" => Fate::Survived { cases: line.parse().ok()? },
            "unseen" => Fate::Unseen { why: line },
            _ => Fate::Caught { case, generated: how == "generated", line },
        })
    }
}

/// Asks the real kernel, once for all faults.
fn record(root: &Path, cases: &Path, options: &Options) -> Result<(), String> {
    let mut scripts: Vec<Script> = Vec::new();
    for topology in generate::topologies(options.only.as_deref(), false)? {
        for seed in options.seed..options.seed.saturating_add(options.count) {
            scripts.push(generate::script(seed, Some(topology.name), false)?.0);
        }
    }
    let generated = scripts.len();
    let named = root.join(NAMED);
    let entries = fs::read_dir(&named).map_err(|error| format!("{}: {error}", named.display()))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sh"));
    files.sort();
    for file in &files {
        let mut script = Script::read(file)?;
        script.name += NAMED_ENDING;
        if !script.for_bash {
            scripts.push(script);
        }
    }
    let oracle = match options.rehearse {
        true => None,
        false => Some(Oracle::start(Kernel::Uml, options.at_once)?),
    };
    let at_once = oracle.as_ref().map_or(options.at_once.min(2), |oracle| oracle.at_once);
    let agreeing: Mutex<Vec<(usize, Case)>> = Mutex::default();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..at_once.min(scripts.len()) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(script) = scripts.get(at) else { return };
                    let case = match &oracle {
                        Some(oracle) => Case::record(oracle, script),
                        None => Case::rehearse(script),
                    };
                    if let Some(case) = case {
                        agreeing.lock().unwrap_or_else(PoisonError::into_inner).push((at, case));
                    }
                }
            });
        }
    });
    let agreeing = agreeing.into_inner().unwrap_or_else(PoisonError::into_inner);
    if cases.exists() {
        fs::remove_dir_all(cases).map_err(|error| format!("{}: {error}", cases.display()))?;
    }
    fs::create_dir_all(cases).map_err(|error| format!("{}: {error}", cases.display()))?;
    for (_, case) in &agreeing {
        case.save(cases)?;
    }
    let of_generated = agreeing.iter().filter(|(at, _)| *at < generated).count();
    let text = format!(
        "{of_generated} of {generated} generated cases and {} of {} named ones serve, with the answers of {}",
        agreeing.len() - of_generated,
        scripts.len() - generated,
        oracle.as_ref().map_or("the emulation".to_owned(), |oracle| format!("Linux {}", oracle.release))
    );
    eprintln!("{text}");
    write(&cases.join("summary.txt"), &text)
}

/// The names of the cases of a directory: generated ones first, the first seeds of all topologies before the next.
fn names(cases: &Path) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(cases).map_err(|error| format!("{}: {error}", cases.display()))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".sh").map(str::to_owned))
        .collect();
    let seed = |name: &str| name.rsplit_once('-').and_then(|(_, seed)| seed.parse::<u64>().ok());
    names.sort_by_key(|name| (name.ends_with(NAMED_ENDING), seed(name).unwrap_or(0), name.clone()));
    if names.is_empty() {
        return Err(format!("{}: no cases", cases.display()));
    }
    Ok(names)
}

/// Which faults each case comes to, in the order of [`names`].
fn reach(program: &Path, cases: &Path) -> Result<Vec<(String, BTreeSet<usize>)>, String> {
    let names = names(cases)?;
    let next = AtomicUsize::new(0);
    let reached: Mutex<Vec<(usize, BTreeSet<usize>)>> = Mutex::default();
    let at_once = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(name) = names.get(at) else { return };
                    let output = Command::new(program)
                        .env(CHOICE_VARIABLE, "none")
                        .env(REACH_VARIABLE, "1")
                        .args(["mutants", "--judge"])
                        .arg(cases)
                        .arg(name)
                        .output();
                    let Ok(output) = output else { continue };
                    let said = String::from_utf8_lossy(&output.stderr);
                    let numbers =
                        said.lines().filter_map(|line| line.strip_prefix(REACHED)?.parse::<usize>().ok());
                    let of_case = (at, numbers.collect());
                    reached.lock().unwrap_or_else(PoisonError::into_inner).push(of_case);
                }
            });
        }
    });
    let mut reached = reached.into_inner().unwrap_or_else(PoisonError::into_inner);
    reached.sort();
    Ok(reached.into_iter().filter_map(|(at, numbers)| Some((names.get(at)?.clone(), numbers))).collect())
}

/// The flips that no generated case comes to.
fn print_unreached(all: &[Fault], reach: &[(String, BTreeSet<usize>)]) {
    let generated = reach.iter().filter(|(case, _)| !case.ends_with(NAMED_ENDING));
    let reached: BTreeSet<usize> = generated.flat_map(|(_, numbers)| numbers.iter().copied()).collect();
    let mut count = 0;
    for Fault { name, number, kind, .. } in all {
        if let What::Flip(Flip { file, function, how, text, .. }) = kind
            && !reached.contains(number)
        {
            println!("{name} {file}, {function}: {how}\n    {text}");
            count += 1;
        }
    }
    println!("no generated case comes to {count} flips");
}

/// Runs cases in a build with one of its faults or none, until one differs.
fn try_cases(program: &Path, cases: &Path, names: &[String], fault: Option<usize>) -> Result<Fate, String> {
    let said = cases.with_extension(fault.map_or("said".to_owned(), |number| format!("said-{number}")));
    let file = fs::File::create(&said).map_err(|error| format!("{}: {error}", said.display()))?;
    // An endless loop may want endless memory.
    let mut child = Command::new("sh")
        .env(CHOICE_VARIABLE, fault.map_or("none".to_owned(), |number| number.to_string()))
        .arg("-c")
        .arg(format!("ulimit -v {MEMORY}; exec \"$@\""))
        .arg("sh")
        .arg(program)
        .args(["mutants", "--judge"])
        .arg(cases)
        .args(names)
        .stdout(file)
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    let (mut since, mut length) = (Instant::now(), 0);
    let ended = loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            break Some(status);
        }
        let now = fs::metadata(&said).map_or(0, |file| file.len());
        if now != length {
            (since, length) = (Instant::now(), now);
        }
        if since.elapsed() > PATIENCE {
            let _ = child.kill();
            let _ = child.wait();
            break None;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let text = read(&said)?;
    let _ = fs::remove_file(&said);
    let last = text.lines().rev().find_map(|line| line.strip_prefix("@ ")).unwrap_or_default();
    let caught = |line: &str| Fate::Caught {
        case: last.trim_end_matches(NAMED_ENDING).to_owned(),
        generated: !last.ends_with(NAMED_ENDING),
        line: line.to_owned(),
    };
    match ended {
        Some(status) if status.success() => Ok(Fate::Survived { cases: names.len() }),
        Some(status) if status.code() == Some(1) => {
            let differs = |line: &&str| {
                line.starts_with(['+', '-']) && !line.starts_with("+++ ") && !line.starts_with("--- ")
            };
            Ok(caught(text.lines().find(differs).unwrap_or_default()))
        }
        Some(status) => match last.is_empty() || status.code() == Some(2) {
            true => Err(format!("the cases do not run: {status}")),
            false => Ok(caught("the emulation's process ended")),
        },
        None => Ok(caught("it does not end")),
    }
}

/// Runs the cases that are named, of a directory, until one differs.
fn judge(directory: &Path, names: &[String]) -> Result<bool, String> {
    // The cases were recorded there.
    Kernel::Uml.lend_ticks();
    for name in names {
        println!("@ {name}");
        if let Some(difference) = Case::load(directory, name)?.difference() {
            print!("{difference}");
            return Ok(false);
        }
    }
    Ok(true)
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
