//! `docker run`

use super::super::Command;
use super::super::engine::{Docker, Failure, Outcome};
use super::super::flags::{Flag, Operands, Parsed, Syntax, switch};
use super::options::{self, FLAGS, IGNORED};
use super::program;

const OWN: &[Flag] = &[switch("detach", 'd', "Run container in background and print container ID")];

pub(super) const COMMAND: Command = Command {
    names: &["run"],
    syntax: Syntax {
        path: "docker run",
        usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
        short: "Create and run a new container from an image",
        flags: &[OWN, FLAGS, IGNORED],
        operands: Operands::AtLeast(1),
        interspersed: false,
    },
    run,
};

fn run(docker: &mut Docker<'_>, parsed: &Parsed) -> Outcome {
    let container = options::container(parsed).map_err(|text| failure(&text))?;
    let container = options::keep(docker, container).map_err(|text| refused(&text))?;
    let id = &container.id;
    if let Err(error) = docker.start_container(id) {
        if container.auto_remove {
            let _ = super::remove::remove(docker, id, true);
        }
        return Err(refused(&error));
    }
    if parsed.is_on("detach") {
        if let Err(error) = program::start_main(docker, id) {
            if container.auto_remove {
                let _ = super::remove::remove(docker, id, true);
            }
            return Err(Failure { code: 127, ..refused(&error) });
        }
        docker.print(&format!("{id}\n"));
        return Ok(0);
    }
    let state = docker.state()?;
    let started = state.container(id).map_err(|text| refused(&text))?.clone();
    let result = program::run_main(docker, &started);
    let code = *result.as_ref().unwrap_or(&127);
    // Somebody may have ended it meanwhile.
    let state = docker.state()?;
    if let Some(container) = state.container(id).ok().filter(|container| container.is_running()) {
        program::ended(docker, container, code).map_err(|text| refused(&text))?;
    }
    match result {
        Ok(code) => Ok(code),
        Err(text) => Err(Failure { code: 127, ..refused(&text) }),
    }
}

fn failure(text: &str) -> Failure {
    Failure { text: format!("docker: {text}\n\nRun 'docker run --help' for more information"), code: 125 }
}

fn refused(text: &str) -> Failure {
    failure(&format!("Error response from daemon: {text}"))
}
