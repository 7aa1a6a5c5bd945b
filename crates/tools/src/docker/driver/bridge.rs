//! The driver `bridge`: a bridge on the host with the gateway's address, and a pair of veths for each container.

use super::super::engine::Docker;
use super::super::model::{Driver, Endpoint, Network, State, short};
use super::firewall;

/// Options of bridge networks.
const NAME: &str = "com.docker.network.bridge.name";
const MTU: &str = "com.docker.network.driver.mtu";
pub(super) const ICC: &str = "com.docker.network.bridge.enable_icc";
pub(super) const MASQUERADE: &str = "com.docker.network.bridge.enable_ip_masquerade";

pub(super) fn check_options(network: &mut Network) -> Result<(), String> {
    for name in [ICC, MASQUERADE] {
        if !matches!(network.option(name), "" | "true" | "false" | "1" | "0") {
            let value = network.option(name);
            return Err(format!(
                "failed to parse {name} value: strconv.ParseBool: parsing \"{value}\": invalid syntax"
            ));
        }
    }
    if network.option(MTU).parse::<u32>().is_err() && !network.option(MTU).is_empty() {
        let value = network.option(MTU);
        return Err(format!(
            "failed to parse {MTU} value: {value} (strconv.Atoi: parsing \"{value}\": invalid syntax)"
        ));
    }
    let name = network.option(NAME).to_owned();
    network.link = if name.is_empty() { format!("br-{}", short(&network.id)) } else { name };
    Ok(())
}

/// Whether an option is on; it is unless somebody says otherwise.
pub(super) fn is_on(network: &Network, option: &str) -> bool {
    !matches!(network.option(option), "false" | "0")
}

/// Two networks have neither one bridge nor overlapping subnets (`conflictsWithNetworks`).
pub(super) fn check_conflicts(state: &State, network: &Network) -> Result<(), String> {
    for other in state.networks.iter().filter(|n| n.driver == Driver::Bridge && n.id != network.id) {
        let why = if other.link == network.link {
            "networks have same bridge name"
        } else if overlaps(network, other, true) {
            "networks have overlapping IPv4"
        } else if overlaps(network, other, false) {
            "networks have overlapping IPv6"
        } else {
            continue;
        };
        return Err(format!(
            "cannot create network {} ({}): conflicts with network {} ({}): {why}",
            network.id, network.link, other.id, other.link
        ));
    }
    Ok(())
}

fn overlaps(a: &Network, b: &Network, is_ipv4: bool) -> bool {
    a.pools_of(is_ipv4).any(|pool| b.pools_of(is_ipv4).any(|other| pool.subnet.overlaps(other.subnet)))
}

/// Makes the bridge, or takes the one that is there.
pub(in crate::docker) fn create(docker: &mut Docker<'_>, network: &Network) -> Result<bool, String> {
    let name = &network.link;
    let made = !docker.has_link(name);
    if made {
        docker.ip(&format!("link add name {name} txqueuelen 0 type bridge"))?;
        let mac = docker.new_mac()?;
        docker.ip(&format!("link set dev {name} address {mac}"))?;
    }
    if !network.option(MTU).is_empty() {
        docker.ip(&format!("link set dev {name} mtu {}", network.option(MTU)))?;
    }
    for pool in &network.pools {
        let Some(gateway) = pool.gateway else { continue };
        let length = pool.subnet.length;
        let broadcast = if gateway.is_ipv4() && length < 31 { " brd +" } else { "" };
        // One that is there may have its address already.
        let shown = docker.ip(&format!("-o address show dev {name}"))?;
        if !shown.contains(&format!(" {gateway}/{length} ")) {
            docker.ip(&format!("address add {gateway}/{length}{broadcast} dev {name}"))?;
        }
    }
    docker.ip(&format!("link set dev {name} up"))?;
    firewall::forward(docker, network)?;
    firewall::add_network(docker, network)?;
    Ok(made)
}

pub(super) fn remove(docker: &mut Docker<'_>, network: &Network) {
    firewall::remove_network(docker, network);
    if network.made_link {
        let _ = docker.ip(&format!("link delete {}", network.link));
    }
}

/// The container's end of a pair of veths whose other end is a port of the bridge.
pub(super) fn create_link(
    docker: &mut Docker<'_>,
    network: &Network,
    endpoint: &mut Endpoint,
) -> Result<String, String> {
    let (host, container) = (docker.new_link_name()?, docker.new_link_name()?);
    let failed =
        |error| format!("failed to add the host ({host}) <=> sandbox ({container}) pair interfaces: {error}");
    docker.ip(&format!("link add name {host} type veth peer name {container}")).map_err(failed)?;
    let mut attach = || -> Result<(), String> {
        for end in [&host, &container] {
            // Go's netlink package makes links without a queue where nobody asks for one.
            docker.ip(&format!("link set dev {end} txqueuelen 0"))?;
            if !network.option(MTU).is_empty() {
                docker.ip(&format!("link set dev {end} mtu {}", network.option(MTU)))?;
            }
        }
        let bridge = &network.link;
        docker
            .ip(&format!("link set dev {host} master {bridge}"))
            .map_err(|error| format!("adding interface {host} to bridge {bridge} failed: {error}"))?;
        docker.ip(&format!("link set dev {host} up"))?;
        firewall::add_endpoint(docker, network, endpoint)
    };
    if let Err(error) = attach() {
        let _ = docker.ip(&format!("link delete {host}"));
        return Err(error);
    }
    endpoint.host_interface = host;
    endpoint.mac = match &endpoint.wanted_mac {
        Some(mac) => mac.clone(),
        None => docker.new_mac()?,
    };
    Ok(container)
}
