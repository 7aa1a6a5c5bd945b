//! `docker rm`

use super::super::Command;
use super::super::engine::{Docker, Failure, Outcome};
use super::super::flags::{Flag, Operands, Parsed, Syntax, switch};

const FLAGS: &[Flag] = &[
    switch("force", 'f', "Force the removal of a running container (uses SIGKILL)"),
    switch("link", 'l', "Remove the specified link"),
    switch("volumes", 'v', "Remove anonymous volumes associated with the container"),
];

pub(super) const COMMAND: Command = Command {
    names: &["rm", "remove"],
    syntax: Syntax {
        path: "docker rm",
        usage: "[OPTIONS] CONTAINER [CONTAINER...]",
        short: "Remove one or more containers",
        flags: &[FLAGS],
        operands: Operands::AtLeast(1),
        interspersed: true,
    },
    run,
};

fn run(docker: &mut Docker<'_>, parsed: &Parsed) -> Outcome {
    let force = parsed.is_on("force");
    let mut errors = Vec::new();
    for name in &parsed.operands {
        match remove(docker, name, force) {
            Ok(()) => docker.print(&format!("{name}\n")),
            Err(error) if force && error.starts_with("No such container") => {
                docker.complain(&format!("Error response from daemon: {error}"));
            }
            Err(error) => errors.push(format!("Error response from daemon: {error}")),
        }
    }
    match errors.is_empty() {
        true => Ok(0),
        false => Err(Failure::of_client(errors.join("\n"))),
    }
}

/// Removes a container; one that runs only by `force`.
///
/// # Errors
/// As the daemon words it.
pub(super) fn remove(docker: &mut Docker<'_>, name: &str, force: bool) -> Result<(), String> {
    let state = docker.state().map_err(|failure| failure.text)?;
    let container = state.container(name)?;
    if container.is_running() {
        if !force {
            return Err(format!(
                "cannot remove container \"{name}\": container is running: stop the container before removing or \
                 force remove"
            ));
        }
        super::stop::end(docker, name, true)?;
    }
    let id = container.id.clone();
    docker.update(|state| {
        state.containers.retain(|other| other.id != id);
        Ok(())
    })
}
