//! The fuzz targets on a stable compiler: what once crashed, and seeded random inputs.
//!
//! `HAIRPIN_FUZZ_ROUNDS` multiplies the number of inputs, `HAIRPIN_FUZZ_SEED` chooses others, `HAIRPIN_FUZZ_TARGET` one target.
//! An input that makes a target panic is written to the directory `HAIRPIN_FUZZ_KEEP`, if that is set; after the mend it
//! belongs into `crashers/TARGET/`, with a name that says what was wrong.
#![allow(clippy::disallowed_methods, reason = "tests read files and the environment")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use hairpin_testkit::fuzz::inputs::Inputs;
use hairpin_testkit::fuzz::{TARGETS, Target};

/// Inputs of one round for a target of cost 1.
const INPUTS: u64 = 20_000;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn left_out(target: &Target) -> bool {
    std::env::var("HAIRPIN_FUZZ_TARGET").is_ok_and(|only| only != target.name)
}

#[test]
fn what_once_crashed_does_not_any_more() {
    for target in TARGETS {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("crashers").join(target.name);
        let Ok(entries) = std::fs::read_dir(directory) else { continue };
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("a readable directory").path()).collect();
        paths.sort();
        for path in paths {
            println!("{}", path.display());
            (target.run)(&std::fs::read(&path).expect("a readable file"));
        }
    }
}

#[test]
fn every_kept_crasher_belongs_to_a_target() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("crashers");
    for entry in std::fs::read_dir(directory).expect("the crashers") {
        let name = entry.expect("a readable directory").file_name();
        assert!(name == "README.md" || TARGETS.iter().any(|target| name == target.name), "{name:?}");
    }
}

#[test]
fn seeds_pass() {
    for target in TARGETS {
        let seeds = (target.seeds)();
        assert!(!seeds.is_empty(), "{}", target.name);
        for seed in seeds {
            (target.run)(&seed);
        }
    }
}

#[test]
fn damaged_inputs_do_not_panic() {
    let seed = setting("HAIRPIN_FUZZ_SEED", 1);
    let mut crashes = 0;
    for target in TARGETS {
        if left_out(target) {
            continue;
        }
        let inputs = setting("HAIRPIN_FUZZ_ROUNDS", 1) * INPUTS / u64::from(target.cost);
        let started = std::time::Instant::now();
        for (number, input) in (0..inputs).zip(Inputs::new((target.seeds)(), seed)) {
            if catch_unwind(AssertUnwindSafe(|| (target.run)(&input))).is_err() {
                crashes += 1;
                keep(target, number, &input);
            }
        }
        println!("{}: {inputs} inputs in {:.1} s", target.name, started.elapsed().as_secs_f64());
    }
    assert_eq!(crashes, 0, "inputs that make a target panic");
}

fn keep(target: &Target, number: u64, input: &[u8]) {
    eprintln!("{}: input {number} panics", target.name);
    let Ok(directory) = std::env::var("HAIRPIN_FUZZ_KEEP") else { return };
    let path = Path::new(&directory).join(format!("{}-{number}", target.name));
    std::fs::write(&path, input).expect("a directory to write to");
    eprintln!("kept as {}", path.display());
}
