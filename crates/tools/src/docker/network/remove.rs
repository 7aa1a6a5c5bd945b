//! `docker network rm`

use super::super::engine::{Docker, Outcome};
use super::super::flags::{Flag, Operands, Parsed, Syntax, switch};
use super::super::model::{Network, short};
use super::super::{Command, driver};

const FLAGS: &[Flag] = &[switch("force", 'f', "Do not error if the network does not exist")];

pub(super) const COMMAND: Command = Command {
    names: &["rm", "remove"],
    syntax: Syntax {
        path: "docker network rm",
        usage: "NETWORK [NETWORK...]",
        short: "Remove one or more networks",
        flags: &[FLAGS],
        operands: Operands::AtLeast(1),
        interspersed: true,
    },
    run,
};

fn run(docker: &mut Docker<'_>, parsed: &Parsed) -> Outcome {
    let mut code = 0;
    for name in &parsed.operands {
        match remove(docker, name) {
            Ok(()) => docker.print(&format!("{name}\n")),
            Err(error) if parsed.is_on("force") && error.ends_with(" not found") => {}
            Err(error) => {
                docker.complain(&format!("Error response from daemon: {error}"));
                code = 1;
            }
        }
    }
    match code {
        0 => Ok(0),
        code => Err(super::super::engine::Failure { text: format!("exit status {code}"), code }),
    }
}

/// Removes a network that no running container is in.
///
/// # Errors
/// As the daemon words it.
pub(super) fn remove(docker: &mut Docker<'_>, name: &str) -> Result<(), String> {
    let removed: (_, Network) = docker.update(|state| {
        let network = state.network(name)?.clone();
        if network.is_predefined() {
            return Err(format!("{} is a pre-defined network and cannot be removed", network.name));
        }
        let active: Vec<String> = state
            .endpoints(&network.id)
            .filter(|(container, _)| container.is_running())
            .map(|(container, endpoint)| {
                format!("name:\"{}\" id:\"{}\"", container.name, short(&endpoint.id))
            })
            .collect();
        if !active.is_empty() {
            return Err(format!(
                "error while removing network: network {} has active endpoints ({})",
                network.name,
                active.join(", ")
            ));
        }
        state.networks.retain(|other| other.id != network.id);
        Ok((state.clone(), network))
    })?;
    let (state, network) = removed;
    driver::remove(docker, &state, &network);
    Ok(())
}
