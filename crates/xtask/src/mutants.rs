//! `cargo xtask mutants`: faults planted in a copy of the checkout, one at a time, and the case that catches each.
//!
//! Under `target/mutants` are `tree`, the copy, with all faults woven in (`agree::weave`), so that one build serves; `build`,
//! what it is built in; `cases`, scripts with the answers of the real kernel; `found`, what became of each fault with those
//! answers. The copy's own `cargo xtask mutants --judge` runs the cases, so that a panic or an endless loop is the fault's
//! and not this program's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::Args;
use hairpin_testkit::agree::generate;
use hairpin_testkit::agree::mutants::{self, Case, Mutant};
use hairpin_testkit::agree::oracle::{Kernel, Oracle};
use hairpin_testkit::agree::script::Script;
use hairpin_testkit::agree::weave::{self, CHOICE_VARIABLE};

/// Which faults, and which cases may catch them.
#[derive(Args)]
pub struct Options {
    /// Faults by name, or lists of them (macvlan, bridge, …); all without
    name: Vec<String>,
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
    /// Run the cases of a directory in this build of the emulation, those of a topology first
    #[arg(long, value_name = "DIRECTORY", hide = true)]
    judge: Option<PathBuf>,
}

/// What became of a fault.
enum Fate {
    Caught { case: String, generated: bool, line: String },
    Survived,
}

/// How long all cases may take with one fault.
const PATIENCE: Duration = Duration::from_secs(600);
const LISTS: &str = "crates/testkit/mutants";
const NAMED: &str = "crates/hairpin/tests/agreement/scripts";

/// Whether every fault was caught.
///
/// # Errors
/// A list is stale, the kernel does not come up, or the emulation does not build; the text is for the user.
pub fn run(options: &Options) -> Result<bool, String> {
    if let Some(directory) = &options.judge {
        return judge(directory, options.name.first().map_or("", String::as_str));
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = root.canonicalize().map_err(|error| format!("{}: {error}", root.display()))?;
    let all = mutants::read(&root.join(LISTS))?;
    let known = |name: &String| all.iter().any(|mutant| mutant.name == *name || mutant.list == *name);
    if let Some(name) = options.name.iter().find(|name| !known(name)) {
        return Err(format!("no mutant, and no list of them, '{name}' in {LISTS}"));
    }
    let chosen = |mutant: &&Mutant| {
        options.name.is_empty() || options.name.contains(&mutant.name) || options.name.contains(&mutant.list)
    };
    let chosen: Vec<&Mutant> = all.iter().filter(chosen).collect();
    // A stale list is no matter of minutes.
    let woven = woven(&root, &all)?;
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
    copy(&root, &tree, Path::new(""), &woven)?;
    let program = build(&tree, &place.join("build"))?;
    if options.recorded
        && let Fate::Caught { case, line, .. } = try_cases(&program, &cases, "", None)?
    {
        return Err(format!("{case} differs without a fault ({line}): run this without --recorded"));
    }
    let bench = Bench { program: &program, cases: &cases, found: &found, all: &all };
    let caught = bench.judge_all(&chosen, options.recorded && options.name.is_empty());
    if let Some(path) = &options.report {
        let fates: Vec<(&Mutant, Fate)> = all
            .iter()
            .filter_map(|mutant| Some((mutant, Fate::from_line(&read(&found.join(&mutant.name)).ok()?)?)))
            .collect();
        write(path, &table(&fates, all.len(), &recorded, options))?;
    }
    println!("{caught} of {} caught", chosen.len());
    Ok(caught == chosen.len())
}

/// What faults are judged with.
struct Bench<'a> {
    program: &'a Path,
    cases: &'a Path,
    found: &'a Path,
    all: &'a [Mutant],
}

impl Bench<'_> {
    /// How many of the faults are caught, tried one on each processor. What becomes of each is written down at once, so
    /// that a run that is stopped leaves what it has found; `go_on` leaves out those that were caught before.
    fn judge_all(&self, chosen: &[&Mutant], go_on: bool) -> usize {
        let (next, caught) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let at_once = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..at_once.min(chosen.len()) {
                scope.spawn(|| {
                    while let Some(mutant) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                        match self.judge(mutant, go_on) {
                            Ok(is_caught) => {
                                caught.fetch_add(usize::from(is_caught), Ordering::Relaxed);
                            }
                            Err(text) => println!("{}: no verdict: {text}", mutant.name),
                        }
                    }
                });
            }
        });
        caught.into_inner()
    }

    fn judge(&self, mutant: &Mutant, go_on: bool) -> Result<bool, String> {
        let place = self.found.join(&mutant.name);
        let before = read(&place).ok().and_then(|line| Fate::from_line(&line));
        if go_on && matches!(before, Some(Fate::Caught { .. })) {
            return Ok(true);
        }
        let start = Instant::now();
        let number = self.all.iter().position(|other| other.name == mutant.name);
        let fate = try_cases(self.program, self.cases, &mutant.cases, number)?;
        let seconds = start.elapsed().as_secs_f64();
        match &fate {
            Fate::Caught { case, line, .. } => {
                println!("{}: caught by {case} ({seconds:.0} s): {line}", mutant.name);
            }
            Fate::Survived => println!("{}: SURVIVED ({seconds:.0} s)", mutant.name),
        }
        write(&place, &fate.to_line())?;
        Ok(matches!(fate, Fate::Caught { .. }))
    }
}

impl Fate {
    fn to_line(&self) -> String {
        match self {
            Fate::Caught { case, generated, line } => {
                format!("{case}\t{}\t{line}", if *generated { "generated" } else { "named" })
            }
            Fate::Survived => String::new(),
        }
    }

    fn from_line(line: &str) -> Option<Fate> {
        if line.is_empty() {
            return Some(Fate::Survived);
        }
        let mut words = line.splitn(3, '\t');
        let (case, how, line) = (words.next()?.to_owned(), words.next()?, words.next()?.to_owned());
        Some(Fate::Caught { case, generated: how == "generated", line })
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
        script.name += ".named";
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

/// The files that are not copied as they are: those of the faults, and `lib.rs` of their crates.
fn woven(root: &Path, all: &[Mutant]) -> Result<BTreeMap<PathBuf, String>, String> {
    let mut faults: BTreeMap<&str, Vec<(usize, &Mutant)>> = BTreeMap::new();
    for (number, mutant) in all.iter().enumerate() {
        faults.entry(&mutant.file).or_default().push((number, mutant));
    }
    let mut woven = BTreeMap::new();
    for (file, faults) in faults {
        woven.insert(PathBuf::from(file), weave::weave(&read(&root.join(file))?, &faults)?);
        let (source, _) = file.split_once("/src/").ok_or(format!("{file} is in no crate"))?;
        let library = PathBuf::from(format!("{source}/src/lib.rs"));
        let text = read(&root.join(&library))? + &weave::chooser();
        woven.entry(library).or_insert(text);
    }
    Ok(woven)
}

/// Makes the copy like the checkout but for the files that are woven; what is alike keeps its time, so that it is not
/// built again. `below` is the path from the roots.
fn copy(from: &Path, to: &Path, below: &Path, woven: &BTreeMap<PathBuf, String>) -> Result<(), String> {
    fs::create_dir_all(to).map_err(|error| format!("{}: {error}", to.display()))?;
    let list = |directory: &Path| -> Result<BTreeSet<std::ffi::OsString>, String> {
        let entries = fs::read_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
        let names = entries.flatten().map(|entry| entry.file_name());
        Ok(names.filter(|name| name != "target" && name != ".git").collect())
    };
    let names = list(from)?;
    for gone in list(to)?.difference(&names) {
        let path = to.join(gone);
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.map_err(|error| format!("{}: {error}", path.display()))?;
    }
    for name in names {
        let (from, to, below) = (from.join(&name), to.join(&name), below.join(&name));
        if from.is_dir() {
            copy(&from, &to, &below, woven)?;
            continue;
        }
        let bytes = woven.get(&below).map(|text| text.clone().into_bytes());
        if let Some(bytes) = bytes.or_else(|| fs::read(&from).ok())
            && fs::read(&to).ok().as_ref() != Some(&bytes)
        {
            fs::write(&to, bytes).map_err(|error| format!("{}: {error}", to.display()))?;
        }
    }
    Ok(())
}

/// Builds this program in the copy.
fn build(tree: &Path, target: &Path) -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(tree)
        .env("CARGO_TARGET_DIR", target)
        .args(["build", "--quiet", "--offline", "--package", "xtask"])
        .output()
        .map_err(|error| format!("cargo: {error}"))?;
    match output.status.success() {
        true => Ok(target.join("debug/xtask")),
        false => Err(format!("it does not build:\n{}", String::from_utf8_lossy(&output.stderr))),
    }
}

/// Runs the cases in a build with one of its faults or none, those of a topology first.
fn try_cases(program: &Path, cases: &Path, topology: &str, fault: Option<usize>) -> Result<Fate, String> {
    let said = cases.with_extension(fault.map_or("said".to_owned(), |number| format!("said-{number}")));
    let file = fs::File::create(&said).map_err(|error| format!("{}: {error}", said.display()))?;
    let mut child = Command::new(program)
        .env(CHOICE_VARIABLE, fault.map_or("none".to_owned(), |number| number.to_string()))
        .args(["mutants", "--judge"])
        .arg(cases)
        .arg(topology)
        .stdout(file)
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    let start = Instant::now();
    let ended = loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            break Some(status);
        }
        if start.elapsed() > PATIENCE {
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
        case: last.trim_end_matches(".named").to_owned(),
        generated: !last.ends_with(".named"),
        line: line.to_owned(),
    };
    match ended {
        Some(status) if status.success() => Ok(Fate::Survived),
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
        None => Err(format!("no end of {last} after {} s", PATIENCE.as_secs())),
    }
}

/// Runs the cases of a directory until one differs: generated ones first, among them those of a topology.
fn judge(directory: &Path, topology: &str) -> Result<bool, String> {
    // The cases were recorded there.
    Kernel::Uml.lend_ticks();
    let entries = fs::read_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".sh").map(str::to_owned))
        .collect();
    let seed = |name: &str| name.rsplit_once('-').and_then(|(_, seed)| seed.parse::<u64>().ok());
    names.sort_by_key(|name| {
        (name.ends_with(".named"), !name.starts_with(topology), seed(name).unwrap_or(0), name.clone())
    });
    if names.is_empty() {
        return Err(format!("{}: no cases", directory.display()));
    }
    for name in names {
        println!("@ {name}");
        if let Some(difference) = Case::load(directory, &name)?.difference() {
            print!("{difference}");
            return Ok(false);
        }
    }
    Ok(true)
}

fn table(fates: &[(&Mutant, Fate)], faults: usize, recorded: &str, options: &Options) -> String {
    let caught = fates.iter().filter(|(_, fate)| matches!(fate, Fate::Caught { .. })).count();
    let by_generated =
        fates.iter().filter(|(_, fate)| matches!(fate, Fate::Caught { generated: true, .. })).count();
    let only = options.only.as_ref().map_or(String::new(), |names| format!(" --only {names}"));
    let share = by_generated as f64 * 100.0 / fates.len().max(1) as f64;
    let mut text = format!(
        "# Planted faults\n\n\
         Does the comparison with Linux notice a rule that is broken? `cargo xtask mutants` breaks one at a time in a copy \
         of the checkout and runs the cases that agree with Linux without the fault until one of them differs. \
         The faults are in `{LISTS}`; a test checks that each still fits the code. This table is written by\n\n\
         ```sh\ncargo xtask mutants{only} --seed {} --count {} --report docs/mutants.md\n```\n\n\
         {recorded}. **{caught} of {} faults are caught, {by_generated} ({share:.1} %) of them by a generated case.** A case \
         NAME-SEED is generated (`cargo xtask agree --only NAME --seed SEED --count 1`), any other is a script of `{NAMED}`. The last \
         column is the first line that differs: `-` is printed by Linux only, `+` by the emulation with the fault only.\n",
        options.seed,
        options.count,
        fates.len()
    );
    if fates.len() != faults {
        let _ = write!(text, "\n{} more have no verdict.\n", faults - fates.len());
    }
    let mut list = "";
    for (mutant, fate) in fates {
        if mutant.list != list {
            list = &mutant.list;
            let _ = write!(
                text,
                "\n## {list}\n\n| fault | rule that it breaks | caught by | line |\n|---|---|---|---|\n"
            );
        }
        let (case, line) = match fate {
            Fate::Caught { case, line, .. } => (case.as_str(), line.as_str()),
            Fate::Survived => ("**survived**", ""),
        };
        let line: String = line.replace('|', "\\|").replace('`', "'");
        let line = if line.is_empty() { line } else { format!("`{}`", line.trim_end()) };
        let _ = writeln!(text, "| {} | {} | {case} | {line} |", mutant.name, mutant.rule);
    }
    text
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
