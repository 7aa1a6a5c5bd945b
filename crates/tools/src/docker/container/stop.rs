//! `docker stop`

use super::super::Command;
use super::super::engine::{Docker, Outcome};
use super::super::flags::{Flag, Operands, Parsed, Syntax, value};
use super::super::model::Status;

const FLAGS: &[Flag] = &[
    value("signal", 's', "string", "Signal to send to the container"),
    value("timeout", 't', "int", "Seconds to wait before killing the container"),
    value("time", ' ', "int", ""),
];

pub(super) const COMMAND: Command = Command {
    names: &["stop"],
    syntax: Syntax {
        path: "docker stop",
        usage: "[OPTIONS] CONTAINER [CONTAINER...]",
        short: "Stop one or more running containers",
        flags: &[FLAGS],
        operands: Operands::AtLeast(1),
        interspersed: true,
    },
    run,
};

fn run(docker: &mut Docker<'_>, parsed: &Parsed) -> Outcome {
    // A shell is the first process of its container: SIGTERM does not end it, the SIGKILL behind does.
    docker.each(&parsed.operands, |docker, name| stop(docker, name, 137))
}

/// Stops a container that runs, and removes it where that was asked for.
///
/// # Errors
/// As the daemon words it.
pub(super) fn stop(docker: &mut Docker<'_>, name: &str, exit_code: i32) -> Result<(), String> {
    let state = docker.state().map_err(|failure| failure.text)?;
    let container = state.container(name)?;
    if container.status != Status::Running {
        return Ok(());
    }
    docker.stop_container(&container.id, exit_code)?;
    match container.auto_remove {
        true => super::remove::remove(docker, &container.id, true),
        false => Ok(()),
    }
}
