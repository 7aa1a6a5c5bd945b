//! `docker network disconnect`

use super::super::engine::{Docker, Failure, Outcome};
use super::super::flags::{Flag, Operands, Parsed, Syntax, switch};
use super::super::{Command, driver, names};

const FLAGS: &[Flag] = &[switch("force", 'f', "Force the container to disconnect from a network")];

pub(super) const COMMAND: Command = Command {
    names: &["disconnect"],
    syntax: Syntax {
        path: "docker network disconnect",
        usage: "[OPTIONS] NETWORK CONTAINER",
        short: "Disconnect a container from a network",
        flags: &[FLAGS],
        operands: Operands::Exactly(2),
        interspersed: true,
    },
    run,
};

fn run(docker: &mut Docker<'_>, parsed: &Parsed) -> Outcome {
    let [network, container] = parsed.operands.as_slice() else { return Ok(1) };
    disconnect(docker, network, container).map_err(Failure::of_daemon)?;
    Ok(0)
}

fn disconnect(docker: &mut Docker<'_>, network: &str, container: &str) -> Result<(), String> {
    let state = docker.state().map_err(|failure| failure.text)?;
    let container = state.container(container)?;
    let network = state.network(network)?;
    if container.network_mode == "host" && network.name == "host" {
        return Err(
            "cannot disconnect container from host network - container was created in host network mode"
                .to_owned(),
        );
    }
    let place = container.endpoints.iter().find(|endpoint| endpoint.network == network.id);
    let Some(place) = place else {
        let article = if container.is_running() { "" } else { "the " };
        return Err(format!(
            "container {} is not connected to {article}network {}",
            container.id, network.name
        ));
    };
    let id = container.id.clone();
    if container.is_running() {
        driver::leave(docker, network, place, &container.sandbox);
    }
    let gone = network.id.clone();
    docker.update(|state| {
        if let Some(container) = state.container_mut(&id) {
            container.endpoints.retain(|endpoint| endpoint.network != gone);
        }
        Ok(())
    })?;
    if container.is_running() {
        docker.settle(&id)?;
    }
    names::write(docker)
}
