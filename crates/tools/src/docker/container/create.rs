//! `docker create`

use super::super::Command;
use super::super::engine::{Docker, Failure, Outcome};
use super::super::flags::{Operands, Parsed, Syntax};
use super::options::{self, FLAGS, IGNORED};

pub(super) const COMMAND: Command = Command {
    names: &["create"],
    syntax: Syntax {
        path: "docker create",
        usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
        short: "Create a new container",
        flags: &[FLAGS, IGNORED],
        operands: Operands::AtLeast(1),
        interspersed: false,
    },
    run,
};

fn run(docker: &mut Docker<'_>, parsed: &Parsed) -> Outcome {
    let help = |text: String| Failure {
        text: format!("docker: {text}\n\nRun 'docker create --help' for more information"),
        code: 125,
    };
    let container = options::container(parsed).map_err(help)?;
    let container = options::keep(docker, container).map_err(Failure::of_daemon)?;
    docker.print(&format!("{}\n", container.id));
    Ok(0)
}
