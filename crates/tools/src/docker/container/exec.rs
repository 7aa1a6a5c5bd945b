//! `docker exec`, and how the programs of containers are started.

use std::io;

use super::super::Command;
use super::super::engine::{Docker, Failure, Outcome};
use super::super::flags::{Flag, Operands, Parsed, Syntax, switch, value};
use super::super::model::Container;
use super::image;

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
    let mut environment = environment(container);
    environment.extend(parsed.all("env").iter().map(|text| pair(text)));
    docker.enter(&container.sandbox).map_err(Failure::of_daemon)?;
    if parsed.is_on("detach") {
        return Err(Failure::of_client("docker exec -d is not supported by hairpin yet"));
    }
    match docker.shell.exec_with(argv, &environment) {
        Ok(code) => Ok(code),
        Err(error) => {
            let why = not_started(argv, &error);
            let text =
                format!("OCI runtime exec failed: exec failed: unable to start container process: {why}");
            Err(Failure { text, code: 127 })
        }
    }
}

/// Runs a container's own command to its end; its exit code.
///
/// # Errors
/// It cannot be started, in the daemon's words.
pub(super) fn run_main(docker: &mut Docker<'_>, container: &Container) -> Result<i32, String> {
    docker.enter(&container.sandbox)?;
    let failed = |error: io::Error| {
        format!(
            "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create \
             failed: unable to start container process: error during container init: {}",
            not_started(&container.command, &error)
        )
    };
    docker.shell.run(&container.command, &environment(container)).map_err(failed)
}

/// What runc says of a program that cannot be started.
fn not_started(argv: &[String], error: &io::Error) -> String {
    let program = argv.first().map_or("", String::as_str);
    let why = match error.kind() {
        io::ErrorKind::NotFound if program.contains('/') => {
            format!("stat {program}: no such file or directory")
        }
        io::ErrorKind::NotFound => "executable file not found in $PATH".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    };
    format!("exec: \"{program}\": {why}: unknown")
}

/// What the programs of a container have in their environment beside what is there.
fn environment(container: &Container) -> Vec<(String, String)> {
    let mut environment = vec![("HOSTNAME".to_owned(), container.hostname.clone())];
    if let Some(userland) = image::userland(&container.image) {
        environment.push((crate::USERLAND_VARIABLE.to_owned(), userland.to_owned()));
    }
    environment.extend(container.environment.iter().map(|text| pair(text)));
    environment
}

fn pair(text: &str) -> (String, String) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    (name.to_owned(), value.to_owned())
}
