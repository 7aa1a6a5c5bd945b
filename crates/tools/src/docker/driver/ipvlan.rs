//! The driver `ipvlan`: each container has an ipvlan on the network's parent.

use super::super::engine::Docker;
use super::super::model::{Driver, Network, State};
use super::parent::dummy_name;

pub(super) fn check_options(network: &mut Network) -> Result<(), String> {
    let (mode, flag) = (mode(network), flag(network));
    if !["l2", "l3", "l3s"].contains(&mode) {
        return Err(format!(
            "requested ipvlan mode '{mode}' is not valid, 'l2' mode is the ipvlan driver default"
        ));
    }
    if !["bridge", "private", "vepa"].contains(&flag) {
        return Err(format!(
            "requested ipvlan flag '{flag}' is not valid, 'bridge' is the ipvlan driver default"
        ));
    }
    let parent = network.option("parent").to_owned();
    if parent == "lo" {
        return Err("loopback interface is not a valid ipvlan parent link".to_owned());
    }
    network.link = if parent.is_empty() { dummy_name(&network.id) } else { parent };
    Ok(())
}

fn mode(network: &Network) -> &str {
    match network.option("ipvlan_mode") {
        "" => "l2",
        mode => mode,
    }
}

fn flag(network: &Network) -> &str {
    match network.option("ipvlan_flag") {
        "" => "bridge",
        flag => flag,
    }
}

/// Whether the containers route by themselves: their default route leads to the device.
pub(super) fn is_routed(network: &Network) -> bool {
    network.driver == Driver::Ipvlan && mode(network) != "l2"
}

/// An ipvlan network is alone on its parent.
pub(super) fn check_conflicts(state: &State, network: &Network) -> Result<(), String> {
    let same = |other: &&Network| {
        other.driver == Driver::Ipvlan && other.link == network.link && other.id != network.id
    };
    match state.networks.iter().find(same) {
        Some(other) => {
            let name = dummy_name(&other.id);
            Err(format!("network {name} is already using parent interface {}", network.link))
        }
        None => Ok(()),
    }
}

/// The container's link, still in the host.
pub(super) fn create_link(docker: &mut Docker<'_>, network: &Network) -> Result<String, String> {
    let parent = &network.link;
    if !docker.has_link(parent) {
        return Err(format!("the requested parent interface {parent} was not found on the Docker host"));
    }
    let name = docker.new_link_name()?;
    let (mode, flag) = (mode(network), flag(network));
    let made =
        docker.ip(&format!("link add link {parent} name {name} txqueuelen 0 type ipvlan mode {mode} {flag}"));
    made.map_err(|error| format!("failed to create the ipvlan port: {error}"))?;
    Ok(name)
}
