//! The link below macvlans and ipvlans: one of the host's, a VLAN made on demand (`eth0.200`), or a dummy where the
//! user names none.

use super::super::engine::Docker;
use super::super::model::{Driver, Network, State, short};

/// The name of the dummy below a network without a parent.
pub(super) fn dummy_name(network: &str) -> String {
    format!("dm-{}", short(network))
}

/// Makes the parent where it is missing. Whether the network's end is its end too.
///
/// # Errors
/// In moby's words (`createVlanLink`, `createDummyLink`).
pub(super) fn create(docker: &mut Docker<'_>, state: &State, network: &Network) -> Result<bool, String> {
    let parent = &network.link;
    if docker.has_link(parent) {
        // Made for another network: the last one removes it.
        let same = |other: &&Network| other.id != network.id && other.link == *parent && other.made_link;
        return Ok(network.driver == Driver::Macvlan && state.networks.iter().any(|other| same(&other)));
    }
    if *parent == dummy_name(&network.id) {
        docker.ip(&format!("link add name {parent} txqueuelen 0 type dummy"))?;
    } else {
        create_vlan(docker, parent)?;
    }
    let kind = network.driver.name();
    let enabled = docker.ip(&format!("link set dev {parent} up"));
    enabled.map_err(|error| format!("failed to enable {parent} the {kind} parent link: {error}"))?;
    Ok(true)
}

fn create_vlan(docker: &mut Docker<'_>, name: &str) -> Result<(), String> {
    if !name.contains('.') {
        return Err(format!("invalid subinterface vlan name {name}, example formatting is eth0.10"));
    }
    let (parent, vlan) = split(docker, name)?;
    if !(1..=4094).contains(&vlan) {
        return Err(format!("vlan id must be between 1-4094, received: {vlan}"));
    }
    let made = docker.ip(&format!("link add link {parent} name {name} txqueuelen 0 type vlan id {vlan}"));
    made.map(drop).map_err(|error| format!("failed to create {name} vlan link: {error}"))
}

/// A VLAN's name as the name of what it is on, and its number.
fn split<'a>(docker: &mut Docker<'_>, name: &'a str) -> Result<(&'a str, i64), String> {
    let parts: Vec<&str> = name.split('.').collect();
    let [parent, vlan] = parts.as_slice() else {
        return Err(format!(
            "required interface name format is: name.vlan_id, ex. eth0.10 for vlan 10, instead received {name}"
        ));
    };
    let vlan = vlan
        .parse()
        .map_err(|_| format!("unable to parse a valid vlan id from: {vlan} (ex. eth0.10 for vlan 10)"))?;
    if !docker.has_link(parent) {
        return Err(format!("-o parent interface was not found on the host: {parent}"));
    }
    Ok((parent, vlan))
}

/// Removes the parent that was made for the network, unless another network is on it.
pub(super) fn remove(docker: &mut Docker<'_>, state: &State, network: &Network) {
    let is_used = state.networks.iter().any(|other| other.id != network.id && other.link == network.link);
    if network.made_link && !is_used && docker.has_link(&network.link) {
        let _ = docker.ip(&format!("link delete {}", network.link));
    }
}
