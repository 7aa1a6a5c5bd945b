//! `docker start`

use super::super::Command;
use super::super::engine::{Docker, Failure, Outcome};
use super::super::flags::{Flag, Operands, Parsed, Syntax, switch};
use super::program;

const FLAGS: &[Flag] = &[
    switch("attach", 'a', "Attach STDOUT/STDERR and forward signals"),
    switch("interactive", 'i', "Attach container's STDIN"),
];

pub(super) const COMMAND: Command = Command {
    names: &["start"],
    syntax: Syntax {
        path: "docker start",
        usage: "[OPTIONS] CONTAINER [CONTAINER...]",
        short: "Start one or more stopped containers",
        flags: &[FLAGS],
        operands: Operands::AtLeast(1),
        interspersed: true,
    },
    run,
};

fn run(docker: &mut Docker<'_>, parsed: &Parsed) -> Outcome {
    if parsed.is_on("attach") || parsed.is_on("interactive") {
        let [name] = parsed.operands.as_slice() else {
            return Err(Failure::of_client("you cannot start and attach multiple containers at once"));
        };
        let state = docker.state()?;
        let id = state.container(name).map_err(Failure::of_daemon)?.id.clone();
        docker.start_container(&id).map_err(Failure::of_daemon)?;
        let state = docker.state()?;
        let started = state.container(&id).map_err(Failure::of_daemon)?.clone();
        let code = program::run_main(docker, &started).map_err(Failure::of_daemon)?;
        program::ended(docker, &started, code).map_err(Failure::of_daemon)?;
        return Ok(code);
    }
    let mut failed = Vec::new();
    for name in &parsed.operands {
        match start(docker, name) {
            Ok(()) => docker.print(&format!("{name}\n")),
            Err(error) => {
                docker.complain(&format!("Error response from daemon: {error}"));
                failed.push(name.as_str());
            }
        }
    }
    match failed.is_empty() {
        true => Ok(0),
        false => Err(Failure::of_client(format!("failed to start containers: {}", failed.join(", ")))),
    }
}

/// Starts a container that does not run.
///
/// # Errors
/// As the daemon words it.
pub(super) fn start(docker: &mut Docker<'_>, name: &str) -> Result<(), String> {
    let state = docker.state().map_err(|failure| failure.text)?;
    let container = state.container(name)?;
    match container.is_running() {
        true => Ok(()),
        false => {
            docker.start_container(&container.id)?;
            program::start_main(docker, &container.id)
        }
    }
}
