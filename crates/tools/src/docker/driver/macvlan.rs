//! The driver `macvlan`: each container has a macvlan on the network's parent.

use super::super::engine::Docker;
use super::super::model::{Driver, Endpoint, Network, State};
use super::parent::dummy_name;

pub(super) fn check_options(network: &mut Network) -> Result<(), String> {
    let mode = mode(network);
    if !["bridge", "private", "passthru", "vepa"].contains(&mode) {
        return Err(format!(
            "requested macvlan mode '{mode}' is not valid, 'bridge' mode is the macvlan driver default"
        ));
    }
    let parent = network.option("parent").to_owned();
    if parent == "lo" {
        return Err("loopback interface is not a valid macvlan parent link".to_owned());
    }
    network.link = if parent.is_empty() { dummy_name(&network.id) } else { parent };
    Ok(())
}

fn mode(network: &Network) -> &str {
    match network.option("macvlan_mode") {
        "" => "bridge",
        mode => mode,
    }
}

/// A passthru network is alone on its parent.
pub(super) fn check_conflicts(state: &State, network: &Network) -> Result<(), String> {
    for other in &state.networks {
        if other.driver != Driver::Macvlan || other.link != network.link || other.id == network.id {
            continue;
        }
        if mode(network) == "passthru" {
            return Err(format!(
                "cannot use mode passthru, macvlan network {} is already using parent interface {}",
                other.id, network.link
            ));
        }
        if mode(other) == "passthru" {
            return Err(format!(
                "macvlan network {} is already using parent interface {} in mode passthru",
                other.id, network.link
            ));
        }
    }
    Ok(())
}

/// The container's link, still in the host.
pub(super) fn create_link(
    docker: &mut Docker<'_>,
    network: &Network,
    endpoint: &mut Endpoint,
) -> Result<String, String> {
    let parent = &network.link;
    if !docker.has_link(parent) {
        return Err(format!("the requested parent interface {parent} was not found on the Docker host"));
    }
    let name = docker.new_link_name()?;
    let made = docker
        .ip(&format!("link add link {parent} name {name} txqueuelen 0 type macvlan mode {}", mode(network)));
    made.map_err(|error| format!("failed to create the macvlan port: {error}"))?;
    endpoint.host_interface.clone_from(&name);
    endpoint.mac = match &endpoint.wanted_mac {
        Some(mac) => mac.clone(),
        None => docker.new_mac()?,
    };
    Ok(name)
}
