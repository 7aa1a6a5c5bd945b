//! `docker wait`

use super::super::Command;
use super::super::engine::{Docker, Failure, Outcome};
use super::super::flags::{Operands, Parsed, Syntax};

pub(super) const COMMAND: Command = Command {
    names: &["wait"],
    syntax: Syntax {
        path: "docker wait",
        usage: "CONTAINER [CONTAINER...]",
        short: "Block until one or more containers stop, then print their exit codes",
        flags: &[],
        operands: Operands::AtLeast(1),
        interspersed: true,
    },
    run,
};

/// Between two looks at a container.
const LOOK_AGAIN_NS: u64 = 100_000_000;

fn run(docker: &mut Docker<'_>, parsed: &Parsed) -> Outcome {
    for name in &parsed.operands {
        let id = docker.state()?.container(name).map_err(Failure::of_daemon)?.id.clone();
        loop {
            let state = docker.state()?;
            let code = match state.container(&id) {
                Ok(container) if container.is_running() => None,
                Ok(container) => Some(container.exit_code),
                Err(_) => Some(0),
            };
            if let Some(code) = code {
                docker.print(&format!("{code}\n"));
                break;
            }
            let until = docker.system.now().map_or(0, |now| now.monotonic_ns).saturating_add(LOOK_AGAIN_NS);
            if docker.system.wait(&[], Some(until), true).is_err() {
                return Ok(130);
            }
        }
    }
    Ok(0)
}
