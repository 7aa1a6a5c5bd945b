//! The copy of the checkout, with the faults woven in, and its build.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hairpin_testkit::agree::flips::Flip;
use hairpin_testkit::agree::mutants::Mutant;
use hairpin_testkit::agree::weave;

use super::{Fault, What, read};

/// The files that are not copied as they are: those of the faults, and `lib.rs` of their crates.
pub(super) fn woven(root: &Path, all: &[Fault]) -> Result<BTreeMap<PathBuf, String>, String> {
    type OfFile<'a> = (Vec<(usize, &'a Mutant)>, Vec<(usize, &'a Flip)>);
    let mut faults: BTreeMap<&str, OfFile> = BTreeMap::new();
    for fault in all {
        match &fault.kind {
            What::Listed(mutant) => {
                faults.entry(&mutant.file).or_default().0.push((fault.number, mutant));
            }
            What::Flip(flip) => faults.entry(&flip.file).or_default().1.push((fault.number, flip)),
        }
    }
    let mut woven = BTreeMap::new();
    for (file, (faults, flips)) in faults {
        woven.insert(PathBuf::from(file), weave::weave(&read(&root.join(file))?, &faults, &flips)?);
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
        let sources =
            entries.flatten().filter(|entry| !is_built_in(&entry.path()) && entry.file_name() != ".git");
        Ok(sources.map(|entry| entry.file_name()).collect())
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

/// Whether cargo, or whoever else can make it anew, has marked a directory as its own.
fn is_built_in(directory: &Path) -> bool {
    directory.join("CACHEDIR.TAG").exists()
}

/// Builds this program in the copy, without those flips that the compiler does not take.
pub(super) fn build(
    root: &Path,
    tree: &Path,
    target: &Path,
    all: &mut Vec<Fault>,
) -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&cargo);
        command.current_dir(tree).env("CARGO_TARGET_DIR", target).args(arguments);
        command.output().map_err(|error| format!("cargo: {error}"))
    };
    loop {
        copy(root, tree, Path::new(""), &woven(root, all)?)?;
        let output = run(&["build", "--quiet", "--offline", "--package", "xtask", "--message-format=short"])?;
        if output.status.success() {
            return Ok(target.join("debug/xtask"));
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let wrong = refused(tree, &said);
        let before = all.len();
        all.retain(|fault| matches!(fault.kind, What::Listed(_)) || !wrong.contains(&fault.number));
        if all.len() == before {
            return Err(format!("it does not build:\n{said}"));
        }
        eprintln!("{} flips are no Rust", before - all.len());
    }
}

/// How a flip asks whether it is chosen, up to its number.
const QUESTION: &str = "crate::planted::is(";

/// The numbers of the faults in lines that the compiler complains about.
fn refused(tree: &Path, said: &str) -> BTreeSet<usize> {
    let mut numbers = BTreeSet::new();
    for line in said.lines().filter(|line| line.contains(": error")) {
        let mut words = line.splitn(3, ':');
        let (Some(file), Some(Ok(at))) = (words.next(), words.next().map(str::parse::<usize>)) else {
            continue;
        };
        let code = fs::read_to_string(tree.join(file)).unwrap_or_default();
        // What is wrong at a line may come of what was done before: of the nearest flips.
        let lines: Vec<&str> = code.lines().take(at).collect();
        let Some(line) = lines.iter().rev().find(|line| line.contains(QUESTION)) else { continue };
        for question in line.split(QUESTION).skip(1) {
            numbers.extend(question.split(')').next().and_then(|number| number.parse::<usize>().ok()));
        }
    }
    numbers
}
