//! Every lab prints, from start to end and every time, what stands beside it.
//!
//! Time is virtual and everything random comes from one seed, so even round-trip times are compared. `HAIRPIN_BLESS=1`
//! writes what a lab prints to its `.out` file, to be read before it is taken.
#![allow(clippy::disallowed_methods, reason = "tests read files and start programs")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[test]
fn labs_print_what_stands_beside_them() {
    let scripts = scripts();
    assert!(scripts.len() >= 7, "{scripts:?}");
    let runtime = Runtime::new();
    let bless = std::env::var_os("HAIRPIN_BLESS").is_some();
    let mut failures = Vec::new();
    for script in scripts {
        let golden = script.with_extension("out");
        let first = run(&script, &runtime);
        if first != run(&script, &runtime) {
            failures.push(format!("{}: not the same twice", script.display()));
        }
        if bless {
            std::fs::write(&golden, &first).expect("the lab's directory to be writable");
        } else {
            let expected = std::fs::read_to_string(&golden).unwrap_or_default();
            if first != expected {
                failures.push(format!("{}:\n{}", script.display(), difference(&expected, &first)));
            }
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

fn scripts() -> Vec<PathBuf> {
    let labs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../labs");
    let entries = std::fs::read_dir(labs).expect("the labs");
    let paths = entries.map(|entry| entry.expect("a readable directory").path());
    let mut scripts: Vec<_> = paths.filter(|path| path.extension().is_some_and(|e| e == "sh")).collect();
    scripts.sort();
    scripts
}

/// What a lab prints, both streams in one, and its exit code where that is not 0.
fn run(script: &Path, runtime: &Runtime) -> String {
    let name = script.file_name().expect("a script's name");
    // The shell joins the streams, so that the order of what is printed is kept.
    let output = Command::new("sh")
        .args(["-c", r#"exec "$0" run "$1" 2>&1"#, env!("CARGO_BIN_EXE_hairpin")])
        .arg(name)
        .current_dir(script.parent().expect("a script's directory"))
        .env("XDG_RUNTIME_DIR", &runtime.0)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .expect("a shell");
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        text.push_str(&format!("{}\n", output.status));
    }
    text
}

/// The first line that differs.
fn difference(expected: &str, seen: &str) -> String {
    let (mut expected, mut seen) = (expected.lines(), seen.lines());
    for number in 1.. {
        let (wanted, got) = (expected.next(), seen.next());
        if wanted != got || wanted.is_none() {
            return format!(
                "line {number}:\n- {}\n+ {}",
                wanted.unwrap_or("(the end)"),
                got.unwrap_or("(the end)")
            );
        }
    }
    String::new()
}

/// A directory for this test's sessions, so that they meet no others.
struct Runtime(PathBuf);

impl Runtime {
    fn new() -> Self {
        use std::os::unix::fs::DirBuilderExt as _;
        let path = std::env::temp_dir().join(format!("hairpin-labs-{}", std::process::id()));
        std::fs::DirBuilder::new().mode(0o700).create(&path).expect("a new directory");
        Runtime(path)
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
