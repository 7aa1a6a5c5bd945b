//! The score of agreement: scripts on a real Linux kernel and in the emulation print the same lines.
//!
//! Each script in `scripts/` runs twice: with the distribution's programs in namespaces of the real kernel, and
//! with `hairpin run --world bare`. What differs from run to run on the real side too (random MACs, times) is
//! bound or blanked, see `normalise.rs`; the rest is compared line by line.
//!
//! The real kernel is Linux 6.1 as User-Mode Linux (Debian's package user-mode-linux) where that is installed:
//! it has every device and the version that the emulation follows. One boot runs all scripts. Elsewhere it is the
//! running kernel, and scripts with `# needs: uml` in their header are left out.
//!
//! Header lines of a script:
//! ```text
//! # needs: uml              needs devices that a running kernel may lack (`dummy`, `8021q`, bridge VLANs)
//! # differs: REASON         a known difference, and on the next line
//! # lines: REGEX            which lines are left out of the comparison because of it
//! ```
//!
//! Needs root, `unshare` and the real programs; says so and passes where they are missing.
//!
//! * `HAIRPIN_AGREEMENT=word` runs the scripts whose name has the word in it.
//! * `HAIRPIN_AGREEMENT_SEEDS=1-40` runs the generated scripts of these seeds instead.
//! * `HAIRPIN_AGREEMENT_KERNEL=running` runs them on the running kernel.
//! * `HAIRPIN_AGREEMENT_KEEP=DIRECTORY` keeps the scripts and what they printed; a script that is there
//!   unchanged does not run on the real kernel again.
//! * `HAIRPIN_AGREEMENT_PROGRAM=hairpin` takes another program for ours.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod compare;
mod generate;
mod normalise;
mod run;
mod script;

use std::path::{Path, PathBuf};

use run::Kernel;
use script::Script;

#[test]
fn scripts_print_the_same_lines_on_linux() {
    if let Some(missing) = run::missing() {
        eprintln!("skipped: {missing}");
        return;
    }
    let work = scratch();
    let mut scripts = wanted();
    let running = std::env::var("HAIRPIN_AGREEMENT_KERNEL").is_ok_and(|kernel| kernel == "running");
    let kernel = match run::uml_missing() {
        None if !running => Kernel::Uml,
        missing => {
            let in_ci = std::env::var_os("CI").is_some();
            assert!(running || !in_ci, "CI needs User-Mode Linux: {}", missing.unwrap_or_default());
            for script in scripts.extract_if(.., |script| script.needs_uml) {
                eprintln!("skipped: {}: {}", script.name, missing.unwrap_or("needs User-Mode Linux"));
            }
            Kernel::Running
        }
    };
    let mut outcomes: Vec<Outcome> = Vec::new();
    for attempt in 0..ATTEMPTS {
        // A busy machine moves the real kernel's clock, not ours: what differs is tried again, anew on both sides.
        let (again, rest): (Vec<Script>, Vec<Script>) = std::mem::take(&mut scripts)
            .into_iter()
            .partition(|script| outcomes.iter().all(|known| known.name != script.name || !known.agrees()));
        scripts = rest;
        if again.is_empty() {
            break;
        }
        let place = if attempt == 0 { work.clone() } else { work.join(format!("again-{attempt}")) };
        std::fs::create_dir_all(&place).expect("a scratch directory");
        let ran = run::all(&again, kernel, &place);
        for (script, (real, ours)) in again.iter().zip(&ran) {
            let real = normalise::lines(real, script);
            let ours = normalise::lines(ours, script);
            let score = compare::score(&script.name, &real, &ours);
            eprintln!("{}: {} of {} lines equal", script.name, score.equal, score.lines);
            let outcome = Outcome {
                name: script.name.clone(),
                equal: score.equal,
                lines: score.lines,
                difference: score.difference,
            };
            match outcomes.iter_mut().find(|known| known.name == outcome.name) {
                Some(known) if known.missing() <= outcome.missing() => {}
                Some(known) => *known = outcome,
                None => outcomes.push(outcome),
            }
        }
        scripts.extend(again);
    }
    if std::env::var("HAIRPIN_AGREEMENT_KEEP").is_err() {
        let _ = std::fs::remove_dir_all(&work);
    }
    let equal: usize = outcomes.iter().map(|outcome| outcome.equal).sum();
    let lines: usize = outcomes.iter().map(|outcome| outcome.lines).sum();
    let report: String = outcomes.iter().map(|outcome| outcome.difference.as_str()).collect();
    eprintln!("{} scripts: {equal} of {lines} lines equal\n{report}", outcomes.len());
    assert!(
        (lines - equal) * 1000 <= lines * NOISE_PER_MILLE,
        "{equal} of {lines} lines equal: more differ than is let pass"
    );
}

/// How often a script is tried whose lines differ.
const ATTEMPTS: usize = 3;
/// Lines in a thousand that may differ in the end. Meant for counters and states that the real kernel prints otherwise
/// when its processes are late; but it hides any small difference, a real one too. What differs is printed always.
/// Open: in `macvlan-source` the receive counter of the source-mode macvlan in `b` is one frame too high, each time.
const NOISE_PER_MILLE: usize = 5;

/// The best of a script's runs.
struct Outcome {
    name: String,
    equal: usize,
    lines: usize,
    difference: String,
}

impl Outcome {
    fn agrees(&self) -> bool {
        self.difference.is_empty()
    }

    fn missing(&self) -> usize {
        self.lines - self.equal
    }
}

/// The scripts to run: those of the directory, or generated ones.
fn wanted() -> Vec<Script> {
    if let Ok(seeds) = std::env::var("HAIRPIN_AGREEMENT_SEEDS") {
        let (first, last) = seeds.split_once('-').unwrap_or((&seeds, &seeds));
        let seed = |text: &str| text.parse::<u64>().expect("HAIRPIN_AGREEMENT_SEEDS=FIRST-LAST");
        return (seed(first)..=seed(last)).map(generate::script).collect();
    }
    let word = std::env::var("HAIRPIN_AGREEMENT").unwrap_or_default();
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/agreement/scripts");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(directory)
        .expect("a directory of scripts")
        .map(|entry| entry.expect("a script").path())
        .collect();
    paths.sort();
    let scripts = paths.iter().map(|path| {
        let name = path.file_stem().expect("a file name").to_string_lossy();
        Script::new(&name, &std::fs::read_to_string(path).expect("a script"))
    });
    scripts.filter(|script| script.name.contains(&word)).collect()
}

/// A directory of this run.
fn scratch() -> PathBuf {
    let work = match std::env::var("HAIRPIN_AGREEMENT_KEEP") {
        Ok(directory) => PathBuf::from(directory),
        Err(_) => std::env::temp_dir().join(format!("hairpin-agreement-{}", std::process::id())),
    };
    std::fs::create_dir_all(&work).expect("a scratch directory");
    work
}
