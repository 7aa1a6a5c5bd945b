//! `docker restart`

use super::super::Command;
use super::super::engine::{Docker, Outcome};
use super::super::flags::{Flag, Operands, Parsed, Syntax, value};
use super::program;
use super::stop::end;

const FLAGS: &[Flag] = &[
    value("signal", 's', "string", "Signal to send to the container"),
    value("timeout", 't', "int", "Seconds to wait before killing the container"),
    value("time", ' ', "int", ""),
];

pub(super) const COMMAND: Command = Command {
    names: &["restart"],
    syntax: Syntax {
        path: "docker restart",
        usage: "[OPTIONS] CONTAINER [CONTAINER...]",
        short: "Restart one or more containers",
        flags: &[FLAGS],
        operands: Operands::AtLeast(1),
        interspersed: true,
    },
    run,
};

fn run(docker: &mut Docker<'_>, parsed: &Parsed) -> Outcome {
    docker.each(&parsed.operands, |docker, name| {
        let state = docker.state().map_err(|failure| failure.text)?;
        let container = state.container(name)?;
        let id = container.id.clone();
        end(docker, name, false)?;
        let started = docker.start_container(&id).and_then(|()| program::start_main(docker, &id));
        started.map_err(|error| format!("Cannot restart container {name}: {error}"))
    })
}
