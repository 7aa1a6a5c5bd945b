//! How the programs of containers are started and ended.
//!
//! What a container runs in the background has a keeper: a docker command of its own, which waits for the program's end and
//! then ends the container.

use std::io;

use super::super::engine::{Docker, Failure, Outcome};
use super::super::model::{Container, Status};
use super::image::{self, Main};
use super::remove;
use crate::Launch;

/// The name by which docker is called as a keeper: behind it the container's id and when that started.
pub(in crate::docker) const KEEPER: &str = "keep-container";

/// Runs a container's own command to its end; its exit code.
///
/// # Errors
/// It cannot be started, in the daemon's words.
pub(super) fn run_main(docker: &mut Docker<'_>, container: &Container) -> Result<i32, String> {
    if image::main(container, false) == Main::EndsAtOnce {
        return Ok(0);
    }
    find(docker, container)?;
    docker.enter(&container.sandbox)?;
    let launch =
        Launch { argv: &container.command, environment: &environment(container), input: container.stdin };
    docker.shell.run(&launch).map_err(|error| task_failed(container, &error))
}

/// Runs a container's own command in the background, where there is something to be seen of it.
///
/// # Errors
/// It cannot be started, in the daemon's words; the container has ended.
pub(super) fn start_main(docker: &mut Docker<'_>, id: &str) -> Result<(), String> {
    let state = docker.state().map_err(|failure| failure.text)?;
    let container = state.container(id)?;
    match image::main(container, true) {
        Main::Stays => return Ok(()),
        Main::EndsAtOnce => return ended(docker, container, 0),
        Main::Runs => {}
    }
    if let Err(error) = find(docker, container) {
        docker.stop_container(id, 127)?;
        docker.update(|state| {
            if let Some(container) = state.container_mut(id) {
                container.status = Status::Created;
                container.error.clone_from(&error);
            }
            Ok(())
        })?;
        return Err(error);
    }
    docker.enter_host()?;
    let argv = ["docker", KEEPER, id, &container.started_ns.to_string()].map(str::to_owned);
    let started = docker.shell.start(&Launch { argv: &argv, environment: &[], input: false }, &container.id);
    // Where there are no processes a container is its namespace only.
    let Ok(keeper) = started else { return Ok(()) };
    let start = container.started_ns;
    docker.update(|state| {
        let same = state
            .container_mut(id)
            .filter(|container| container.started_ns == start && container.is_running());
        if let Some(container) = same {
            container.main = Some(keeper);
        }
        Ok(())
    })
}

/// The keeper of a container's program.
pub(in crate::docker) fn keep(docker: &mut Docker<'_>, id: &str, started: &str) -> Outcome {
    let is_mine =
        |container: &Container| container.is_running() && container.started_ns.to_string() == started;
    let state = docker.state()?;
    let container = state.container(id).map_err(Failure::of_daemon)?;
    if !is_mine(container) {
        return Ok(0);
    }
    let code = run_main(docker, container).unwrap_or(127);
    // Meanwhile somebody may have stopped it, and even started it again.
    let state = docker.state()?;
    if let Some(container) = state.container(id).ok().filter(|container| is_mine(container)) {
        ended(docker, container, code).map_err(Failure::of_daemon)?;
    }
    Ok(code)
}

/// A container's command has ended.
pub(super) fn ended(docker: &mut Docker<'_>, container: &Container, code: i32) -> Result<(), String> {
    end_beside(docker, container);
    docker.stop_container(&container.id, code)?;
    match container.auto_remove {
        true => remove::remove(docker, &container.id, true),
        false => Ok(()),
    }
}

/// Starts a program in a container in the background, beside its own.
///
/// # Errors
/// It cannot be started.
pub(super) fn start_beside(docker: &mut Docker<'_>, id: &str, launch: &Launch<'_>) -> Result<(), String> {
    let started = docker.shell.start(launch, &format!("exec-{id}"));
    let program = started.map_err(|error| format!("docker exec -d: {error}"))?;
    docker.update(|state| {
        if let Some(container) = state.container_mut(id) {
            container.programs.push(program);
        }
        Ok(())
    })
}

/// Ends the programs of a container, its own by SIGTERM unless by force; the exit code that it has then.
pub(super) fn end(docker: &mut Docker<'_>, container: &Container, by_force: bool) -> i32 {
    const KILLED: i32 = 128 + 9;
    const TERMINATED: i32 = 128 + 15;
    end_beside(docker, container);
    // A shell without a command, which is no process here, does not end by SIGTERM.
    let Some(main) = container.main else { return KILLED };
    if !by_force && docker.shell.end(main, false) {
        return TERMINATED;
    }
    docker.shell.end(main, true);
    KILLED
}

fn end_beside(docker: &mut Docker<'_>, container: &Container) {
    for program in &container.programs {
        docker.shell.end(*program, true);
    }
}

/// Whether the program of a container can be found.
fn find(docker: &mut Docker<'_>, container: &Container) -> Result<(), String> {
    let program = container.command.first().map_or("", String::as_str);
    let path = docker.shell.variable("PATH").unwrap_or_default();
    let is_there = match program.contains('/') {
        true => docker.shell.open(program).is_ok(),
        false => path.split(':').any(|place| docker.shell.open(&format!("{place}/{program}")).is_ok()),
    };
    // Without a PATH nothing is known: the start will tell.
    match is_there || path.is_empty() {
        true => Ok(()),
        false => Err(task_failed(container, &io::ErrorKind::NotFound.into())),
    }
}

fn task_failed(container: &Container, error: &io::Error) -> String {
    format!(
        "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: \
         unable to start container process: error during container init: {}",
        not_started(&container.command, error)
    )
}

/// What runc says of a program that cannot be started.
pub(super) fn not_started(argv: &[String], error: &io::Error) -> String {
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
pub(super) fn environment(container: &Container) -> Vec<(String, String)> {
    let mut environment = vec![("HOSTNAME".to_owned(), container.hostname.clone())];
    if let Some(userland) = image::userland(&container.image) {
        environment.push((crate::USERLAND_VARIABLE.to_owned(), userland.to_owned()));
    }
    environment.extend(container.environment.iter().map(|text| pair(text)));
    environment
}

pub(super) fn pair(text: &str) -> (String, String) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    (name.to_owned(), value.to_owned())
}
