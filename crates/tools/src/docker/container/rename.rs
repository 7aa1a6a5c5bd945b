//! `docker rename`

use super::super::Command;
use super::super::engine::{Docker, Failure, Outcome};
use super::super::flags::{Operands, Parsed, Syntax};
use super::super::names;
use super::options::check_name;

pub(super) const COMMAND: Command = Command {
    names: &["rename"],
    syntax: Syntax {
        path: "docker rename",
        usage: "CONTAINER NEW_NAME",
        short: "Rename a container",
        flags: &[],
        operands: Operands::Exactly(2),
        interspersed: true,
    },
    run,
};

fn run(docker: &mut Docker<'_>, parsed: &Parsed) -> Outcome {
    let [old, new] = parsed.operands.as_slice() else { return Ok(1) };
    let renamed = docker.update(|state| {
        let container = state.container(old)?;
        if container.name == *new {
            return Err("Renaming a container with the same name as its current name".to_owned());
        }
        let id = container.id.clone();
        check_name(state, new).map_err(|error| format!("Error when allocating new name: {error}"))?;
        if let Some(container) = state.container_mut(&id) {
            container.name.clone_from(new);
        }
        Ok(())
    });
    renamed.and_then(|()| names::write(docker)).map_err(Failure::of_daemon)?;
    Ok(0)
}
