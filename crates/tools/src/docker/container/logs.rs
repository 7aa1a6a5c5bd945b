//! `docker logs`

use std::io::Read;

use super::super::Command;
use super::super::engine::{Docker, Failure, Outcome};
use super::super::flags::{Flag, Operands, Parsed, Syntax, switch, value};

const FLAGS: &[Flag] = &[
    switch("details", ' ', "Show extra details provided to logs"),
    switch("follow", 'f', "Follow log output"),
    value("tail", 'n', "string", "Number of lines to show from the end of the logs (default \"all\")"),
];

pub(super) const COMMAND: Command = Command {
    names: &["logs"],
    syntax: Syntax {
        path: "docker logs",
        usage: "[OPTIONS] CONTAINER",
        short: "Fetch the logs of a container",
        flags: &[FLAGS],
        operands: Operands::Exactly(1),
        interspersed: true,
    },
    run,
};

/// More of a log is not read.
const READ_MAX: u64 = 64 << 20;
/// Between two looks at a log that is followed.
const LOOK_AGAIN_NS: u64 = 100_000_000;

fn run(docker: &mut Docker<'_>, parsed: &Parsed) -> Outcome {
    let name = parsed.operands.first().map_or("", String::as_str);
    let state = docker.state()?;
    let id = state.container(name).map_err(Failure::of_daemon)?.id.clone();
    let text = read(docker, &id);
    let mut shown = text.len();
    let lines = match parsed.text("tail") {
        "" | "all" => None,
        count => Some(count.parse().unwrap_or(usize::MAX)),
    };
    let start = match lines {
        Some(count) => {
            let body = text.strip_suffix(b"\n").unwrap_or(&text);
            let mut ends = (0..body.len()).rev().filter(|at| body.get(*at) == Some(&b'\n'));
            if count == 0 { text.len() } else { ends.nth(count - 1).map_or(0, |at| at + 1) }
        }
        None => 0,
    };
    let _ = docker.shell.out().write_all(text.get(start..).unwrap_or(&[]));
    while parsed.is_on("follow")
        && docker.state()?.container(&id).is_ok_and(|container| container.is_running())
    {
        let _ = docker.shell.out().flush();
        let until = docker.system.now().map_or(0, |now| now.monotonic_ns).saturating_add(LOOK_AGAIN_NS);
        // Time follows the wall clock meanwhile, as for a capture.
        if docker.system.wait(&[], Some(until), false).is_err() {
            break;
        }
        let text = read(docker, &id);
        let _ = docker.shell.out().write_all(text.get(shown..).unwrap_or(&[]));
        shown = text.len();
    }
    Ok(0)
}

/// What a container has printed so far.
fn read(docker: &mut Docker<'_>, id: &str) -> Vec<u8> {
    let mut text = Vec::new();
    if let Ok(log) = docker.shell.log(id) {
        let _ = log.take(READ_MAX).read_to_end(&mut text);
    }
    text
}
