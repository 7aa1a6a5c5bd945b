//! Rules of the house that no compiler checks.

use std::collections::{BTreeMap, BTreeSet};
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
        let script = Script::read(&entry.path()).expect("a header");
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

/// What is compared of a kind of links, as scripts say in their headers (`# covers: PART KIND…`).
const PARTS: [&str; 3] = ["dumps", "refusals", "traffic"];
/// Kinds that a kernel of no machine here can make.
const NOWHERE: [&str; 2] = ["ipoib", "netdevsim"];

/// `docs/kinds.md` is the table of which script compares what of which kind; `UPDATE_DOCS=1` writes it anew.
#[test]
fn every_kind_of_links_is_compared_with_linux() {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/agreement/scripts");
    let mut covered: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for entry in fs::read_dir(scripts).expect("scripts").flatten() {
        let path = entry.path();
        let text = fs::read_to_string(&path).expect("a script");
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let commands = text.lines().filter(|line| !line.starts_with('#'));
        for line in text.lines().filter_map(|line| line.strip_prefix("# covers: ")) {
            let (part, kinds) = line.split_once(' ').expect("a part and its kinds");
            assert!(PARTS.contains(&part), "{name}: {part}");
            for kind in kinds.split(' ') {
                // Some have their devices from a file that they share.
                let made = commands.clone().any(|line| line.contains(kind)) || text.contains("\n# with: ");
                assert!(made, "{name} makes no {kind}");
                covered.entry((kind.to_owned(), part.to_owned())).or_default().insert(name.clone());
            }
        }
    }
    let mut table = String::new();
    let mut gaps = Vec::new();
    let kinds: BTreeSet<&str> = hairpin_testkit::link_kinds().collect();
    for kind in &kinds {
        table.push_str(&format!("| {kind} |"));
        for part in PARTS {
            let names = covered.get(&((*kind).to_owned(), part.to_owned()));
            let names =
                names.into_iter().flatten().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            if names.is_empty() && !NOWHERE.contains(kind) {
                gaps.push(format!("{part} of {kind}"));
            }
            table.push_str(&format!(" {names} |"));
        }
        table.push('\n');
    }
    assert_eq!(gaps, Vec::<String>::new());
    let unknown: Vec<&String> =
        covered.keys().map(|(kind, _)| kind).filter(|kind| !kinds.contains(kind.as_str())).collect();
    assert_eq!(unknown, Vec::<&String>::new());
    let path = house().join("docs/kinds.md");
    let text = fs::read_to_string(&path).expect("docs/kinds.md");
    let head = "| kind | dumps | refusals | traffic |\n|---|---|---|---|\n";
    let (before, rest) = text.split_once(head).expect("a table");
    let after = rest.find("\n\n").and_then(|at| rest.get(at + 1..)).unwrap_or("");
    let now = format!("{before}{head}{table}{after}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &now).expect("docs/kinds.md");
    }
    assert_eq!(
        text.lines().collect::<Vec<_>>(),
        now.lines().collect::<Vec<_>>(),
        "UPDATE_DOCS=1 writes it anew"
    );
}
