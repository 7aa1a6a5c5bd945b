//! `docker exec`

use super::super::Command;
use super::super::engine::{Docker, Failure, Outcome};
use super::super::flags::{Flag, Operands, Parsed, Syntax, switch, value};
use super::program;
use crate::Launch;

const FLAGS: &[Flag] = &[
    switch("detach", 'd', "Detached mode: run command in the background"),
    value("detach-keys", ' ', "string", "Override the key sequence for detaching a container"),
    value("env", 'e', "list", "Set environment variables"),
    value("env-file", ' ', "list", ""),
    switch("interactive", 'i', "Keep STDIN open even if not attached"),
    switch("privileged", ' ', "Give extended privileges to the command"),
    switch("tty", 't', "Allocate a pseudo-TTY"),
    value("user", 'u', "string", "Username or UID (format: \"<name|uid>[:<group|gid>]\")"),
    value("workdir", 'w', "string", "Working directory inside the container"),
];

pub(super) const COMMAND: Command = Command {
    names: &["exec"],
    syntax: Syntax {
        path: "docker exec",
        usage: "[OPTIONS] CONTAINER COMMAND [ARG...]",
        short: "Execute a command in a running container",
        flags: &[FLAGS],
        operands: Operands::AtLeast(2),
        interspersed: false,
    },
    run,
};

fn run(docker: &mut Docker<'_>, parsed: &Parsed) -> Outcome {
    let Some((name, argv)) = parsed.operands.split_first() else { return Ok(1) };
    let state = docker.state()?;
    let container = state.container(name).map_err(Failure::of_daemon)?;
    if !container.is_running() {
        return Err(Failure::of_daemon(format!("container {} is not running", container.id)));
    }
    let mut environment = program::environment(container);
    environment.extend(parsed.all("env").iter().map(|text| program::pair(text)));
    docker.enter(&container.sandbox).map_err(Failure::of_daemon)?;
    let input = parsed.is_on("interactive");
    let launch = Launch { argv, environment: &environment, input };
    if parsed.is_on("detach") {
        return program::start_beside(docker, &container.id, &launch).map(|()| 0).map_err(Failure::of_client);
    }
    match docker.shell.launch(&launch) {
        Ok(code) => Ok(code),
        Err(error) => {
            let why = program::not_started(argv, &error);
            let text =
                format!("OCI runtime exec failed: exec failed: unable to start container process: {why}");
            Err(Failure { text, code: 127 })
        }
    }
}
