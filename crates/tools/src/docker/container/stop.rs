//! `docker stop`

use super::super::Command;
use super::super::engine::{Docker, Outcome};
use super::super::flags::{Flag, Operands, Parsed, Syntax, value};
use super::program;

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
    docker.each(&parsed.operands, |docker, name| stop(docker, name, false))
}

/// Stops a container that runs, and removes it where that was asked for.
///
/// # Errors
/// As the daemon words it.
pub(super) fn stop(docker: &mut Docker<'_>, name: &str, by_force: bool) -> Result<(), String> {
    let state = docker.state().map_err(|failure| failure.text)?;
    let container = state.container(name)?;
    let (id, auto_remove) = (container.id.clone(), container.auto_remove);
    end(docker, name, by_force)?;
    // Its keeper may have been faster.
    match auto_remove && docker.state().is_ok_and(|state| state.container(&id).is_ok()) {
        true => super::remove::remove(docker, &id, true),
        false => Ok(()),
    }
}

/// Ends a container that runs, and its programs.
///
/// # Errors
/// As the daemon words it.
pub(super) fn end(docker: &mut Docker<'_>, name: &str, by_force: bool) -> Result<(), String> {
    let state = docker.state().map_err(|failure| failure.text)?;
    let container = state.container(name)?;
    if !container.is_running() {
        return Ok(());
    }
    let code = program::end(docker, container, by_force);
    let id = container.id.clone();
    let state = docker.state().map_err(|failure| failure.text)?;
    match state.container(&id).is_ok_and(|container| container.is_running()) {
        true => docker.stop_container(&id, code),
        false => Ok(()),
    }
}
