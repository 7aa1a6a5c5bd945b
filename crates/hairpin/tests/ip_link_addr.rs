//! The same command lines through iproute2 and through our `ip`, both on the real kernel in twin fresh
//! namespaces: standard output, standard error and exit code must agree, and so must the state afterwards.
//!
//! Needs root, Linux, bash, unshare and iproute2 6.1; otherwise it says so and passes. The cases are in
//! `ip_link_addr/*.cases`: a line `== NAME` starts a pair of namespaces, every other line is a shell command.
#![allow(clippy::disallowed_methods)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The real program.
const REAL: &str = "/usr/sbin/ip";

/// What a line did: exit code, standard output, standard error.
type Outcome = (String, String, String);

struct Group {
    name: String,
    lines: Vec<String>,
}

#[test]
fn our_ip_answers_as_iproute2_does() {
    if let Some(reason) = missing() {
        eprintln!("skipped: {reason}");
        return;
    }
    let scratch = std::env::temp_dir().join(format!("hairpin-ip-{}", std::process::id()));
    let (mut agreed, mut total) = (0, 0);
    let mut report = String::new();
    let wanted = std::env::var("CASES").unwrap_or_default();
    for group in groups().into_iter().filter(|group| group.name.contains(&wanted)) {
        let real = run(&group, &scratch.join("real"), None);
        let ours = run(&group, &scratch.join("ours"), Some(&our_binary()));
        for (at, (real, ours)) in real.iter().zip(&ours).enumerate() {
            total += 1;
            if real == ours {
                agreed += 1;
                continue;
            }
            let line = group.lines.get(at).map_or("(state afterwards)", String::as_str);
            report += &format!("== {}: {line}\n", group.name);
            for (what, real, ours) in
                [("code", &real.0, &ours.0), ("stdout", &real.1, &ours.1), ("stderr", &real.2, &ours.2)]
            {
                if real != ours {
                    report += &format!("-- {what}, iproute2:\n{real}-- {what}, ours:\n{ours}");
                }
            }
        }
    }
    let _ = fs::remove_dir_all(&scratch);
    eprintln!("{agreed} of {total} command lines agree");
    assert!(agreed == total, "{report}{agreed} of {total} command lines agree");
}

/// Why the test cannot run here.
fn missing() -> Option<String> {
    let version = Command::new(REAL).arg("-V").output().ok()?;
    if !String::from_utf8_lossy(&version.stdout).contains("iproute2-6.1.0") {
        return Some("iproute2 6.1.0 is not installed".into());
    }
    match Command::new("unshare").args(["-n", "-m", "mount", "-t", "tmpfs", "none", "/mnt"]).output() {
        Ok(output) if output.status.success() => None,
        _ => Some("no right to make namespaces".into()),
    }
}

fn our_binary() -> PathBuf {
    std::env::var_os("HAIRPIN").map_or_else(|| env!("CARGO_BIN_EXE_hairpin").into(), PathBuf::from)
}

fn groups() -> Vec<Group> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ip_link_addr");
    let mut files: Vec<PathBuf> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut groups: Vec<Group> = Vec::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|e| e == "cases")) {
        for line in fs::read_to_string(file).unwrap().lines().filter(|line| !line.trim().is_empty()) {
            match (line.strip_prefix("== "), groups.last_mut()) {
                (Some(name), _) => groups.push(Group { name: name.into(), lines: vec![] }),
                (None, Some(group)) if !line.starts_with('#') => group.lines.push(line.into()),
                _ => {}
            }
        }
    }
    groups
}

/// Runs a group in namespaces of its own; `binary` stands in for `ip`. The last outcome is the state.
fn run(group: &Group, scratch: &Path, binary: Option<&Path>) -> Vec<Outcome> {
    let _ = fs::remove_dir_all(scratch);
    let bin = scratch.join("bin");
    fs::create_dir_all(&bin).unwrap();
    symlink(binary.unwrap_or(Path::new(REAL)), bin.join("ip")).unwrap();
    let mut script = String::from("mkdir -p /run/netns; mount -t tmpfs none /run/netns\ncd $WORK\n");
    let state = format!("{REAL} -d -d addr show");
    for (at, line) in group.lines.iter().map(String::as_str).chain([state.as_str()]).enumerate() {
        script += &format!("( {line}\n) >{at}.out 2>{at}.err </dev/null; echo $? >{at}.code\n");
    }
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let mut shell = Command::new("unshare")
        .args(["-n", "-m", "bash", "-s"])
        .env("PATH", path)
        .env("WORK", scratch)
        .env("LC_ALL", "C")
        .env_remove("COLORFGBG")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    shell.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    shell.wait().unwrap();
    let mut names = BTreeMap::new();
    let read = |at: usize, part: &str| {
        let bytes = fs::read(scratch.join(format!("{at}.{part}"))).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let outcomes = 0..=group.lines.len();
    outcomes
        .map(|at| {
            let out = normalize(&read(at, "out"), &mut names);
            let err = normalize(&read(at, "err"), &mut names);
            (read(at, "code"), out, err)
        })
        .collect()
}

/// Replaces link-layer addresses by their order of appearance, and running timers by a word.
fn normalize(text: &str, names: &mut BTreeMap<String, usize>) -> String {
    let mut result = String::new();
    let mut timer = false;
    for word in text.split_inclusive([' ', '\n', '"', ',']) {
        let bare = word.trim_end_matches([' ', '\n', '"', ',']);
        let address = bare.strip_prefix("8000.").unwrap_or(bare);
        let bytes = address.split(':');
        let is_address = bytes.clone().count() == 6 && bytes.clone().all(is_byte);
        // Addresses that the cases give start with 02:00 and are compared as they are, as are the kernel's
        // fixed ones.
        let first: Vec<&str> = bytes.clone().take(2).collect();
        let random = is_address
            && !matches!(
                first.as_slice(),
                ["02", "00"] | ["2", "0"] | ["00", "00"] | ["0", "0"] | ["ff", "ff"] | ["01", "80"]
            );
        if random {
            let padded: Vec<String> = bytes.map(|byte| format!("{byte:0>2}")).collect();
            let next = names.len();
            let number = *names.entry(padded.join(":")).or_insert(next);
            result += &word.replace(address, &format!("MAC{number}"));
        } else if timer && bare.trim_start_matches(':').parse::<f64>().is_ok() {
            result += &word.replace(bare, "TIME");
        } else if timer && bare.is_empty() {
            continue;
        } else {
            result += word;
        }
        timer = bare.ends_with("_timer") || timer && (bare.is_empty() || bare == ":");
    }
    result
}

fn is_byte(text: &str) -> bool {
    !text.is_empty() && text.len() <= 2 && text.chars().all(|c| c.is_ascii_hexdigit())
}
