//! `docker port`

use super::super::Command;
use super::super::engine::{Docker, Failure, Outcome};
use super::super::flags::{Operands, Parsed, Syntax};
use super::super::sandbox::published;

pub(super) const COMMAND: Command = Command {
    names: &["port"],
    syntax: Syntax {
        path: "docker port",
        usage: "CONTAINER [PRIVATE_PORT[/PROTO]]",
        short: "List port mappings or a specific mapping for the container",
        flags: &[],
        operands: Operands::AtLeast(1),
        interspersed: true,
    },
    run,
};

fn run(docker: &mut Docker<'_>, parsed: &Parsed) -> Outcome {
    let state = docker.state()?;
    let name = parsed.operands.first().map_or("", String::as_str);
    let container = state.container(name).map_err(Failure::of_daemon)?;
    let wanted = parsed.operands.get(1).map(|text| match text.contains('/') {
        true => text.clone(),
        false => format!("{text}/tcp"),
    });
    let mut lines = Vec::new();
    for (port, public) in published(container) {
        let private = format!("{}/{}", port.private, port.protocol);
        for ip in shown_addresses(&port.host_ip) {
            match &wanted {
                Some(wanted) if *wanted == private => lines.push(format!("{ip}:{public}\n")),
                Some(_) => {}
                None => lines.push(format!("{private} -> {ip}:{public}\n")),
            }
        }
    }
    if let (Some(wanted), true) = (&wanted, lines.is_empty()) {
        return Err(Failure::of_client(format!("no public port '{wanted}' published for {name}")));
    }
    docker.print(&lines.concat());
    Ok(0)
}

/// The addresses of the host that a port is published on.
pub(super) fn shown_addresses(host_ip: &str) -> Vec<String> {
    match host_ip {
        "" => vec!["0.0.0.0".to_owned(), "[::]".to_owned()],
        ip if ip.contains(':') => vec![format!("[{ip}]")],
        ip => vec![ip.to_owned()],
    }
}
