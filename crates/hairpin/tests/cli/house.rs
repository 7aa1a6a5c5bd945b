//! Rules of the house that no compiler checks.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hairpin_testkit::agree::script::Script;

fn house() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// `.ci/run`; only a clone of the repository has it.
fn ci() -> Option<String> {
    fs::read_to_string(house().join(".ci/run")).ok()
}

#[test]
fn bash_reads_what_the_server_runs() {
    let Some(text) = ci() else { return };
    let parsed = Command::new("bash").args(["-n", "-c", &text]).output().expect("bash");
    assert!(parsed.status.success(), "{}", String::from_utf8_lossy(&parsed.stderr));
}

/// The server looks for the programs of its list and installs packages where one is missing: whatever a script names in
/// its header must be among them.
#[test]
fn the_server_looks_for_every_program_that_a_script_needs() {
    let Some(text) = ci() else { return };
    let list = text.split_once("\nprograms=(").and_then(|(_, rest)| rest.split_once(')'));
    let known: BTreeSet<&str> = list.expect("a list of programs").0.split_whitespace().collect();
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/agreement/scripts");
    let mut unknown = BTreeSet::new();
    for entry in fs::read_dir(scripts).expect("scripts").flatten() {
        let (name, text) = (entry.file_name(), fs::read_to_string(entry.path()).expect("a script"));
        let script = Script::new(&name.to_string_lossy(), &text).expect("a header");
        let missing = script.programs.into_iter().filter(|program| !known.contains(program.as_str()));
        unknown.extend(missing.map(|program| format!("{program} of {}", script.name)));
    }
    assert_eq!(unknown, BTreeSet::new());
}

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Code that the compiler cannot check is in `host`, and in the library that is preloaded into a User-Mode Linux, which no
/// program of ours is linked with. That each has its reason beside it is clippy's to see.
#[test]
fn unsafe_code_has_two_places() {
    let crates = house().join("crates");
    let mut found = Vec::new();
    sources(&crates, &mut found);
    assert!(found.len() > 100, "{} files", found.len());
    // Put together, or this file would be one of them.
    let allowance = ["allow(unsafe", "_code"].concat();
    found.retain(|path| fs::read_to_string(path).is_ok_and(|text| text.contains(&allowance)));
    let mut places: Vec<&str> = found
        .iter()
        .filter_map(|path| path.strip_prefix(&crates).ok()?.components().next()?.as_os_str().to_str())
        .collect();
    places.dedup();
    places.sort_unstable();
    places.dedup();
    assert_eq!(places, ["host", "uml-clock"]);
    let mut manifests = fs::read_dir(&crates).expect("crates").flatten();
    let depends = |text: &str| text.lines().any(|line| line.starts_with("hairpin-uml-clock"));
    assert!(!manifests.any(|entry| {
        fs::read_to_string(entry.path().join("Cargo.toml")).is_ok_and(|text| depends(&text))
    }));
}
