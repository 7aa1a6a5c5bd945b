//! Random sessions on the kernel of this machine and here. Needs root and iproute2; run with
//! `cargo test -p hairpin-kernel differential -- --ignored`.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use super::{random, sessions::differences};

/// Runs the lines it reads in a namespace with the devices of [`super::world::World::new`].
const RUNNER: &str = r#"
for n in 0 1 2; do ip link add v$n type veth peer name p$n; done
while read -r command; do printf '$ %s\n' "$command"; $command 2>&1; done
"#;

const SESSIONS: u64 = 30;
const LENGTH: usize = 120;

#[test]
#[ignore = "needs root and a Linux kernel"]
fn random_sessions_print_the_same() {
    let mut wrong = String::new();
    for seed in 0..SESSIONS {
        let commands = random::session(seed, LENGTH, seed % 3 == 0);
        let recorded = on_this_kernel(&commands);
        let found = differences(&recorded);
        if let Some(first) = found.first() {
            wrong += &format!("== seed {seed}: {} steps differ, first:\n{first}", found.len());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn on_this_kernel(commands: &[String]) -> String {
    let mut shell = Command::new("unshare")
        .args(["-n", "bash", "-c", RUNNER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("unshare and bash");
    let mut input = shell.stdin.take().unwrap();
    for command in commands {
        writeln!(input, "{command}").unwrap();
    }
    drop(input);
    let text = String::from_utf8(shell.wait_with_output().unwrap().stdout).unwrap();
    // What later kernels say in other words than 6.1.
    text.replace("Error: ipv4: Address not found.", "RTNETLINK answers: Cannot assign requested address")
        .replace("Error: ipv4: Address already assigned.", "RTNETLINK answers: File exists")
}
