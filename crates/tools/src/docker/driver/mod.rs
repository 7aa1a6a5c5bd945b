//! The drivers of networks: what is made on the host for a network, and for each container in it.
//!
//! * `bridge` a bridge and pairs of veths, with the rules of `firewall` and the published ports of `ports`; `proxy` serves
//!   those on loopback addresses
//! * `macvlan`, `ipvlan` links on top of a parent; `parent` makes that where it is missing
//! * `join` what all of them do in the container's namespace

pub(super) mod bridge;
pub(super) mod firewall;
mod ipvlan;
mod join;
mod macvlan;
mod parent;
pub(super) mod ports;
pub(super) mod proxy;

use std::net::IpAddr;

use super::engine::Docker;
use super::model::{Driver, Endpoint, Network, State};

pub(super) use join::{leading, program_gateway};

/// What a new network's options say, before anything is made.
///
/// # Errors
/// An option has no such value.
pub(super) fn check_options(network: &mut Network) -> Result<(), String> {
    match network.driver {
        Driver::Macvlan => macvlan::check_options(network),
        Driver::Ipvlan => ipvlan::check_options(network),
        Driver::Bridge => bridge::check_options(network),
        Driver::Host | Driver::Null => Ok(()),
    }
}

/// Whether a gateway is chosen where the user names none. Those of macvlan and ipvlan networks stand outside of
/// docker: there is none unless somebody says which (moby's `GetSkipGwAlloc`).
pub(super) fn wants_gateway(driver: Driver) -> bool {
    driver == Driver::Bridge
}

/// Whether another network is in the way of a new one.
///
/// # Errors
/// It is.
pub(super) fn check_conflicts(state: &State, network: &Network) -> Result<(), String> {
    match network.driver {
        Driver::Macvlan => macvlan::check_conflicts(state, network),
        Driver::Ipvlan => ipvlan::check_conflicts(state, network),
        Driver::Bridge => bridge::check_conflicts(state, network),
        Driver::Host | Driver::Null => Ok(()),
    }
}

/// Makes what a network needs on the host. Whether its link was made, and not found.
///
/// # Errors
/// In words.
pub(super) fn create(docker: &mut Docker<'_>, state: &State, network: &Network) -> Result<bool, String> {
    docker.enter_host()?;
    match network.driver {
        Driver::Macvlan | Driver::Ipvlan => parent::create(docker, state, network),
        Driver::Bridge => bridge::create(docker, network),
        Driver::Host | Driver::Null => Ok(false),
    }
}

/// Takes away what a network had on the host. `state` knows it no longer.
pub(super) fn remove(docker: &mut Docker<'_>, state: &State, network: &Network) {
    if docker.enter_host().is_err() {
        return;
    }
    match network.driver {
        Driver::Macvlan | Driver::Ipvlan => parent::remove(docker, state, network),
        Driver::Bridge => bridge::remove(docker, network),
        Driver::Host | Driver::Null => {}
    }
}

/// Puts a container's namespace into a network.
///
/// # Errors
/// In words; nothing is left.
pub(super) fn join(
    docker: &mut Docker<'_>,
    network: &Network,
    endpoint: &mut Endpoint,
    sandbox: &str,
) -> Result<(), String> {
    docker.enter_host()?;
    let link = match network.driver {
        Driver::Macvlan => macvlan::create_link(docker, network, endpoint)?,
        Driver::Ipvlan => ipvlan::create_link(docker, network)?,
        Driver::Bridge => bridge::create_link(docker, network, endpoint)?,
        Driver::Host | Driver::Null => return Ok(()),
    };
    let configured = join::configure(docker, network, endpoint, sandbox, &link);
    if configured.is_err() && docker.enter_host().is_ok() {
        let _ = docker.ip(&format!("link delete {link}"));
    }
    configured
}

/// Takes a container out of a network.
pub(super) fn leave(docker: &mut Docker<'_>, network: &Network, endpoint: &Endpoint, sandbox: &str) {
    if network.driver == Driver::Bridge && docker.enter_host().is_ok() {
        firewall::remove_endpoint(docker, network, endpoint);
    }
    if docker.enter(sandbox).is_ok() {
        let _ = docker.ip(&format!("link delete {}", endpoint.interface));
    }
}

/// The gateway of a container's place in a network, where it has one.
pub(in crate::docker) fn gateway(network: &Network, address: Option<IpAddr>) -> Option<IpAddr> {
    if network.internal || ipvlan::is_routed(network) {
        return None;
    }
    network.pool_of(address?)?.gateway
}

/// Whether a container's place in a network gives it a default route without a gateway.
pub(in crate::docker) fn has_device_route(network: &Network) -> bool {
    ipvlan::is_routed(network) && !network.internal
}
