//! `docker network prune`

use super::super::engine::{Docker, Failure, Outcome};
use super::super::flags::{Flag, Operands, Parsed, Syntax, switch, value};
use super::super::{Command, filter};
use super::remove::remove;

const FLAGS: &[Flag] = &[
    value("filter", ' ', "filter", "Provide filter values (e.g. \"until=<timestamp>\")"),
    switch("force", 'f', "Do not prompt for confirmation"),
];

pub(super) const COMMAND: Command = Command {
    names: &["prune"],
    syntax: Syntax {
        path: "docker network prune",
        usage: "[OPTIONS]",
        short: "Remove all unused networks",
        flags: &[FLAGS],
        operands: Operands::None,
        interspersed: true,
    },
    run,
};

const WARNING: &str = "WARNING! This will remove all custom networks not used by at least one container.";

fn run(docker: &mut Docker<'_>, parsed: &Parsed) -> Outcome {
    let filters = filter::parse(parsed.all("filter"), &["label"]).map_err(Failure::of_client)?;
    if !parsed.is_on("force") && !docker.confirm(WARNING) {
        return Err(Failure::of_client("network prune has been cancelled"));
    }
    let state = docker.state()?;
    let mut removed = Vec::new();
    for network in &state.networks {
        let is_used = state.endpoints(&network.id).any(|(container, _)| container.is_running());
        let is_meant = filters.all("label", |wanted| filter::has_label(&network.labels, wanted));
        if !network.is_predefined() && !is_used && is_meant && remove(docker, &network.id).is_ok() {
            removed.push(format!("{}\n", network.name));
        }
    }
    if !removed.is_empty() {
        docker.print(&format!("Deleted Networks:\n{}\n", removed.concat()));
    }
    Ok(0)
}
