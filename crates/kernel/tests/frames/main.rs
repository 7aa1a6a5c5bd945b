//! Frames put on devices, and who sees them in which order, as what, and why they die. Every script in this directory
//! was held against what Linux 6.1 and 6.18 do with the same frames; its lines are in [`bench`].
//!
//! `HAIRPIN_BLESS=1` writes what the emulation does into the scripts, to be read before it is taken.
#![allow(clippy::disallowed_methods, reason = "tests read files")]

mod bench;

use std::path::Path;

use bench::Bench;

#[test]
fn frames_go_where_linux_lets_them_go() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/frames");
    let mut scripts: Vec<_> = std::fs::read_dir(directory)
        .expect("the scripts")
        .map(|entry| entry.expect("a readable directory").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    scripts.sort();
    assert!(!scripts.is_empty());
    let bless = std::env::var_os("HAIRPIN_BLESS").is_some();
    let mut failures = Vec::new();
    for script in scripts {
        let expected = std::fs::read_to_string(&script).expect("a script");
        let seen = run(&expected);
        if bless {
            std::fs::write(&script, &seen).expect("a writable script");
        } else if let Some(text) = difference(&expected, &seen) {
            failures.push(format!("{}: {text}", script.display()));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// Runs a script; the script with what follows each line.
fn run(script: &str) -> String {
    let mut bench = Bench::new();
    let mut seen = String::new();
    for line in script.lines().filter(|line| !line.starts_with("  ")) {
        seen.push_str(line);
        seen.push('\n');
        if !line.is_empty() && !line.starts_with('#') {
            seen.push_str(&bench.perform(line));
        }
    }
    seen
}

/// The first place where they differ, with the line that led there.
fn difference(expected: &str, seen: &str) -> Option<String> {
    let mut last = "";
    let (mut expected, mut seen) = (expected.lines(), seen.lines());
    for number in 1.. {
        let (wanted, got) = (expected.next(), seen.next());
        if wanted != got {
            return Some(format!(
                "line {number}, after '{last}':\n- {}\n+ {}",
                wanted.unwrap_or("(the end)"),
                got.unwrap_or("(the end)")
            ));
        }
        last = match wanted? {
            line if line.starts_with("  ") => last,
            line => line,
        };
    }
    None
}
