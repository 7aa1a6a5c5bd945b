//! Planted faults: a rule of Linux, the place in the emulation's code that follows it, and a replacement that breaks it.
//! A fault counts as caught when a case that the emulation agrees with Linux about comes out otherwise.
//!
//! The list is in `mutants/*.txt`. Text before the first entry is a comment; an entry is
//!
//! ```text
//! == NAME
//! rule: what Linux does, in one sentence
//! cases: the topology whose generated cases are tried first
//! file: PATH, from the root of the repository
//! ---
//! text that the file has exactly once, within one function
//! +++
//! what stands in its place
//! ```

use std::fs;
use std::path::Path;

use super::oracle::Oracle;
use super::script::Script;
use super::shell::Ran;
use super::{compare, normalise, trial};

/// One planted fault.
#[derive(Clone, Debug)]
pub struct Mutant {
    pub name: String,
    /// The list it is in: the name of the file without its ending.
    pub list: String,
    pub rule: String,
    pub cases: String,
    pub file: String,
    pub text: String,
    pub replacement: String,
}

impl Mutant {
    /// The file's text with the fault.
    ///
    /// # Errors
    /// The list is stale: the text is not there exactly once.
    pub fn plant(&self, code: &str) -> Result<String, String> {
        match code.matches(&self.text).count() {
            1 => Ok(code.replacen(&self.text, &self.replacement, 1)),
            count => Err(format!(
                "the list of mutants is stale: {} has the text of '{}' {count} times, not once:\n{}",
                self.file, self.name, self.text
            )),
        }
    }
}

/// Every fault of the lists in a directory, in the order of the files' names.
///
/// # Errors
/// A list cannot be read, an entry lacks something, or two have one name; the text is for the user.
pub fn read(directory: &Path) -> Result<Vec<Mutant>, String> {
    let entries = fs::read_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    let mut mutants: Vec<Mutant> = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let list = file.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        for entry in format!("\n{text}").split("\n== ").skip(1) {
            let mutant = parse(&list, entry).map_err(|what| {
                format!("{}: '{}': {what}", file.display(), entry.lines().next().unwrap_or_default())
            })?;
            if mutants.iter().any(|other| other.name == mutant.name) {
                return Err(format!("{}: there are two of the name '{}'", file.display(), mutant.name));
            }
            mutants.push(mutant);
        }
    }
    Ok(mutants)
}

fn parse(list: &str, entry: &str) -> Result<Mutant, String> {
    let (head, body) = entry.split_once("\n---\n").ok_or("no line '---'")?;
    let (text, replacement) = body.split_once("\n+++").ok_or("no line '+++'")?;
    let field = |key: &str| {
        let value = head.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
        value.map(str::to_owned).ok_or(format!("no line '{key}: …'"))
    };
    Ok(Mutant {
        name: head.lines().next().unwrap_or_default().to_owned(),
        list: list.to_owned(),
        rule: field("rule")?,
        cases: field("cases")?,
        file: field("file")?,
        text: text.to_owned(),
        replacement: replacement.trim_matches('\n').to_owned(),
    })
}

/// A script, and what Linux printed.
#[derive(Clone, Debug)]
pub struct Case {
    pub script: Script,
    /// Where the emulation agrees only with commands that start when they did on Linux: when that was.
    clock: Option<Vec<u64>>,
    /// Of the real kernel: some lines are compared with some kernels only.
    release: String,
    expected: Vec<String>,
}

/// How often a script is tried that differs: on a busy machine the real kernel is late.
const ATTEMPTS: usize = 3;

impl Case {
    /// Runs the script on the real kernel. None if the emulation does not agree, even without a fault: then it could
    /// not tell one.
    pub fn record(oracle: &Oracle, script: &Script) -> Option<Case> {
        for _ in 0..ATTEMPTS {
            let outcome = oracle.run(script).ok()?;
            if outcome.ran.error.is_some() {
                return None;
            }
            let expected = normalise::lines(&outcome.ran.output, script, &oracle.release);
            for clock in [None, Some(oracle.kernel.clock_of(&outcome.ran))] {
                let (release, expected) = (oracle.release.clone(), expected.clone());
                let case = Case { script: script.clone(), clock, release, expected };
                if case.difference().is_none() {
                    return Some(case);
                }
            }
        }
        None
    }

    /// What the emulation prints otherwise than Linux did.
    pub fn difference(&self) -> Option<String> {
        let Ran { output, error, .. } = trial::emulate(&self.script, self.clock.as_deref());
        if let Some(error) = error {
            return Some(format!("+{error}\n"));
        }
        let ours = normalise::lines(&output, &self.script, &self.release);
        let score = compare::score(&self.script.name, &self.expected, &ours);
        (!score.difference.is_empty()).then_some(score.difference)
    }

    /// A case with the emulation's own answers: what a rehearsal runs with. None where the script does not run.
    pub fn rehearse(script: &Script) -> Option<Case> {
        const RELEASE: &str = "6.1.0";
        let ran = trial::emulate(script, None);
        let expected = normalise::lines(&ran.output, script, RELEASE);
        let case = Case { script: script.clone(), clock: None, release: RELEASE.to_owned(), expected };
        ran.error.is_none().then_some(case)
    }

    /// Writes the case into a directory.
    ///
    /// # Errors
    /// The text is for the user.
    pub fn save(&self, directory: &Path) -> Result<(), String> {
        let numbers: Vec<String> = self.clock.iter().flatten().map(u64::to_string).collect();
        let clock = self.clock.as_ref().map_or_else(|| "-".to_owned(), |_| numbers.join(" "));
        let answers = format!("{}\n{clock}\n{}", self.release, self.expected.join("\n"));
        for (ending, text) in [("sh", &self.script.text), ("linux", &answers)] {
            let path = directory.join(format!("{}.{ending}", self.script.name));
            fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(())
    }

    /// Reads what [`Case::save`] wrote.
    ///
    /// # Errors
    /// The text is for the user.
    pub fn load(directory: &Path, name: &str) -> Result<Case, String> {
        let read = |ending: &str| {
            let path = directory.join(format!("{name}.{ending}"));
            fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
        };
        let script = Script::new(name, &read("sh")?)?;
        let answers = read("linux")?;
        let (release, answers) = answers.split_once('\n').ok_or(format!("{name}: no answers"))?;
        let (clock, expected) = answers.split_once('\n').ok_or(format!("{name}: no answers"))?;
        let clock = (clock != "-")
            .then(|| clock.split_whitespace().filter_map(|number| number.parse().ok()).collect());
        let expected = expected.split('\n').map(str::to_owned).collect();
        Ok(Case { script, clock, release: release.to_owned(), expected })
    }
}

/// Every planted fault is still where the list says.
#[test]
fn the_lists_fit_the_code() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mutants = read(&here.join("mutants")).expect("lists");
    assert!(mutants.len() >= 24, "{} mutants", mutants.len());
    let mut stale = Vec::new();
    for mutant in &mutants {
        let code = fs::read_to_string(here.join("../..").join(&mutant.file)).expect(&mutant.file);
        stale.extend(super::weave::weave(&code, &[(0, mutant)], &[]).err());
    }
    assert!(stale.is_empty(), "{}", stale.join("\n"));
}
