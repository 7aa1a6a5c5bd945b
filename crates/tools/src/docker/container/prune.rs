//! `docker container prune`

use super::super::Command;
use super::super::engine::{Docker, Failure, Outcome};
use super::super::flags::{Flag, Operands, Parsed, Syntax, switch, value};
use super::remove::remove;

const FLAGS: &[Flag] = &[
    value("filter", ' ', "filter", "Provide filter values (e.g. \"until=<timestamp>\")"),
    switch("force", 'f', "Do not prompt for confirmation"),
];

pub(super) const COMMAND: Command = Command {
    names: &["prune"],
    syntax: Syntax {
        path: "docker container prune",
        usage: "[OPTIONS]",
        short: "Remove all stopped containers",
        flags: &[FLAGS],
        operands: Operands::None,
        interspersed: true,
    },
    run,
};

fn run(docker: &mut Docker<'_>, parsed: &Parsed) -> Outcome {
    if !parsed.is_on("force") && !docker.confirm("WARNING! This will remove all stopped containers.") {
        return Err(Failure::of_client("container prune has been cancelled"));
    }
    let state = docker.state()?;
    let mut removed = String::new();
    for container in state.containers.iter().filter(|container| !container.is_running()) {
        if remove(docker, &container.id, false).is_ok() {
            removed.push_str(&format!("{}\n", container.id));
        }
    }
    if !removed.is_empty() {
        docker.print(&format!("Deleted Containers:\n{removed}\n"));
    }
    docker.print("Total reclaimed space: 0B\n");
    Ok(0)
}
