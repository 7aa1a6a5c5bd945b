//! `docker kill`

use super::super::Command;
use super::super::engine::{Docker, Outcome};
use super::super::flags::{Flag, Operands, Parsed, Syntax, value};
use super::stop::stop;

const FLAGS: &[Flag] = &[value("signal", 's', "string", "Signal to send to the container")];

pub(super) const COMMAND: Command = Command {
    names: &["kill"],
    syntax: Syntax {
        path: "docker kill",
        usage: "[OPTIONS] CONTAINER [CONTAINER...]",
        short: "Kill one or more running containers",
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
        if !container.is_running() {
            let id = &container.id;
            return Err(format!("cannot kill container: {name}: container {id} is not running"));
        }
        stop(docker, name, true)
    })
}
