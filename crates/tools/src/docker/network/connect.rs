//! `docker network connect`

use std::net::IpAddr;

use super::super::engine::{Docker, Failure, Outcome};
use super::super::flags::{Flag, Operands, Parsed, Syntax, value};
use super::super::model::{Driver, Endpoint};
use super::super::{Command, driver, names, sandbox};

const FLAGS: &[Flag] = &[
    value("alias", ' ', "strings", "Add network-scoped alias for the container"),
    value("driver-opt", ' ', "strings", "driver options for the network"),
    value(
        "gw-priority",
        ' ',
        "int",
        "Highest gw-priority provides the default gateway. Accepts positive and negative values.",
    ),
    value("ip", ' ', "string", "IPv4 address (e.g., \"172.30.100.104\")"),
    value("ip6", ' ', "string", "IPv6 address (e.g., \"2001:db8::33\")"),
    value("link", ' ', "list", "Add link to another container"),
    value("link-local-ip", ' ', "strings", "Add a link-local address for the container"),
];

pub(super) const COMMAND: Command = Command {
    names: &["connect"],
    syntax: Syntax {
        path: "docker network connect",
        usage: "[OPTIONS] NETWORK CONTAINER",
        short: "Connect a container to a network",
        flags: &[FLAGS],
        operands: Operands::Exactly(2),
        interspersed: true,
    },
    run,
};

fn run(docker: &mut Docker<'_>, parsed: &Parsed) -> Outcome {
    let [network, container] = parsed.operands.as_slice() else { return Ok(1) };
    let mut endpoint = Endpoint { aliases: parsed.split("alias"), ..Endpoint::default() };
    let invalid = |family: &str, text: &str| {
        Failure::of_daemon(format!("invalid endpoint settings:\ninvalid {family} address: {text}"))
    };
    for (flag, family) in [("ip", "IPv4"), ("ip6", "IPv6")] {
        let text = parsed.text(flag);
        if text.is_empty() {
            continue;
        }
        let address: Option<IpAddr> =
            text.parse().ok().filter(|address: &IpAddr| address.is_ipv4() == (flag == "ip"));
        let address = address.ok_or_else(|| invalid(family, text))?;
        if flag == "ip" { endpoint.wanted_ipv4 = Some(address) } else { endpoint.wanted_ipv6 = Some(address) }
    }
    endpoint.gateway_priority = parsed.text("gw-priority").parse().unwrap_or(0);
    connect(docker, network, container, endpoint).map_err(Failure::of_daemon)?;
    Ok(0)
}

fn connect(
    docker: &mut Docker<'_>,
    network: &str,
    container: &str,
    endpoint: Endpoint,
) -> Result<(), String> {
    let endpoint_id = docker.new_id()?;
    let (id, number) = docker.update(|state| {
        let container = state.container(container)?.clone();
        let network = state.network(network)?.clone();
        let mut endpoint = Endpoint { network: network.id.clone(), ..endpoint.clone() };
        let is_shared = container.network_mode == "host" || container.network_mode.starts_with("container:");
        if network.driver == Driver::Host {
            return Err(
                "cannot connect container to host network - container must be created in host network mode"
                    .to_owned(),
            );
        }
        if is_shared {
            return Err(
                "container sharing network namespace with another container or host cannot be connected to \
                        any other network"
                    .to_owned(),
            );
        }
        if container.network_mode == "none" || network.driver == Driver::Null {
            return Err(
                "container cannot be connected to multiple networks with one of the networks in private \
                        (none) mode"
                    .to_owned(),
            );
        }
        if container
            .endpoints
            .iter()
            .any(|place| place.network == network.id || place.network == network.name)
        {
            let Some(container) = container.is_running().then_some(&container.name) else {
                return Ok((container.id.clone(), None));
            };
            return Err(format!("endpoint with name {container} already exists in network {}", network.name));
        }
        sandbox::check_addresses(&network, &endpoint)?;
        if container.is_running() {
            endpoint.id.clone_from(&endpoint_id);
            sandbox::assign(state, &network, &mut endpoint)?;
        }
        let running = container.is_running().then_some(container.endpoints.len());
        if let Some(kept) = state.container_mut(&container.id) {
            kept.endpoints.push(endpoint);
        }
        Ok((container.id, running))
    })?;
    let Some(number) = number else { return Ok(()) };
    let joined = docker.join_network(&id, number).and_then(|()| docker.settle(&id));
    if joined.is_err() {
        let state = docker.state().map_err(|failure| failure.text)?;
        if let Ok(container) = state.container(&id)
            && let Some(endpoint) = container.endpoints.get(number)
            && let Some(network) = state.network_by_id(&endpoint.network)
        {
            driver::leave(docker, network, endpoint, &container.sandbox);
        }
        docker.update(|state| {
            if let Some(container) = state.container_mut(&id) {
                container.endpoints.retain(|endpoint| endpoint.id != endpoint_id);
            }
            Ok(())
        })?;
    }
    joined?;
    names::write(docker)
}
