//! A container's link in its namespace: name, addresses, routes (libnetwork's `osl`).

use std::net::{IpAddr, Ipv4Addr};

use hairpin_netlink::{Address, SocketKind};

use super::super::engine::Docker;
use super::super::model::{Container, Driver, Endpoint, Network, State};
use super::{gateway, has_device_route};

const ETHERTYPE_ARP: u16 = 0x0806;

/// Moves a link into the container and configures it.
pub(super) fn configure(
    docker: &mut Docker<'_>,
    network: &Network,
    endpoint: &mut Endpoint,
    sandbox: &str,
    link: &str,
) -> Result<(), String> {
    docker.ip(&format!("link set dev {link} netns {sandbox}"))?;
    docker.enter(sandbox)?;
    let name = free_name(docker);
    docker.ip(&format!("link set dev {link} name {name}"))?;
    endpoint.interface.clone_from(&name);
    if network.driver == Driver::Ipvlan {
        // It has its parent's address; moby shows none.
        endpoint.mac.clear();
    } else {
        docker.ip(&format!("link set dev {name} address {}", endpoint.mac))?;
    }
    if let Some(address) = endpoint.ipv4 {
        let length = network.pool_of(address).map_or(32, |pool| pool.subnet.length);
        // As Go's netlink package, which sets a broadcast address where there can be one.
        let broadcast = if length < 31 { " brd +" } else { "" };
        docker.ip(&format!("address add {address}/{length}{broadcast} dev {name}"))?;
    }
    // A link has IPv6 only where its network has (`setInterfaceIPv6`).
    let disable = if endpoint.ipv6.is_none() { "1" } else { "0" };
    let path = format!("/proc/sys/net/ipv6/conf/{name}/disable_ipv6");
    docker.write_file(&path, disable).map_err(|error| format!("failed to configure ipv6: {error}"))?;
    if let Some(address) = endpoint.ipv6 {
        let length = network.pool_of(address).map_or(128, |pool| pool.subnet.length);
        docker.ip(&format!("-6 address add {address}/{length} dev {name} nodad"))?;
    }
    let raised = docker.ip(&format!("link set dev {name} up"));
    raised.map_err(|error| format!("failed to set link up: {error}"))?;
    if let Some(IpAddr::V4(address)) = endpoint.ipv4 {
        // Without effect where the link does without ARP.
        let _ = advertise(docker, &name, address);
    }
    Ok(())
}

/// Tells the others on the wire whose address it is now (RFC 5227, 3): they may still know who had it before. Docker says
/// it three times, a second apart.
fn advertise(docker: &mut Docker<'_>, name: &str, address: Ipv4Addr) -> Option<()> {
    let mut file = |file: &str| {
        let text = docker.system.read_file(&format!("/sys/class/net/{name}/{file}")).ok()?;
        Some(String::from_utf8_lossy(&text).trim().to_owned())
    };
    let ifindex: u32 = file("ifindex")?.parse().ok()?;
    let mac: Vec<u8> =
        file("address")?.split(':').map_while(|part| u8::from_str_radix(part, 16).ok()).collect();
    let ip = address.octets();
    // Ethernet and IPv4 with their lengths, a request; who sends, what for.
    let packet = [&[0, 1, 8, 0, 6, 4, 0, 1], mac.as_slice(), &ip, &[0; 6], &ip].concat();
    let fd = docker.system.socket(SocketKind::Packet { cooked: true, protocol: 0 }).ok()?;
    let to = Address::Link { ifindex, protocol: ETHERTYPE_ARP, mac: [0xff; 6] };
    let _ = docker.system.send(fd, packet, Some(to));
    docker.system.close(fd).ok()
}

/// `eth0` or the next number that is free.
fn free_name(docker: &mut Docker<'_>) -> String {
    let mut number = 0;
    while docker.has_link(&format!("eth{number}")) {
        number += 1;
    }
    format!("eth{number}")
}

/// Sets the default routes of a running container: those of one network lead (`Endpoint.Less`).
///
/// # Errors
/// In words.
pub(in crate::docker) fn program_gateway(
    docker: &mut Docker<'_>,
    state: &State,
    container: &Container,
) -> Result<(), String> {
    docker.enter(&container.sandbox)?;
    for (family, is_ipv4) in [("-4", true), ("-6", false)] {
        while docker.ip(&format!("{family} route delete default")).is_ok() {}
        if let Some(route) = default_route(state, container, is_ipv4) {
            docker.ip(&format!("{family} route add default {route}"))?;
        }
    }
    Ok(())
}

/// `via GATEWAY dev LINK` or `dev LINK`, of the network that leads.
fn default_route(state: &State, container: &Container, is_ipv4: bool) -> Option<String> {
    leading(state, container, is_ipv4).and_then(|(network, endpoint)| {
        let address = if is_ipv4 { endpoint.ipv4 } else { endpoint.ipv6 };
        let name = &endpoint.interface;
        match gateway(network, address) {
            Some(gateway) => Some(format!("via {gateway} dev {name}")),
            None if has_device_route(network) => Some(format!("dev {name}")),
            None => None,
        }
    })
}

/// The place in a network that gives the default route.
pub(in crate::docker) fn leading<'a>(
    state: &'a State,
    container: &'a Container,
    is_ipv4: bool,
) -> Option<(&'a Network, &'a Endpoint)> {
    let has = |network: &Network, endpoint: &Endpoint, is_ipv4: bool| {
        let address = if is_ipv4 { endpoint.ipv4 } else { endpoint.ipv6 };
        address.is_some() && (gateway(network, address).is_some() || has_device_route(network))
    };
    let places = container.endpoints.iter().filter(|endpoint| !endpoint.interface.is_empty());
    let places = places.filter_map(|endpoint| Some((state.network_by_id(&endpoint.network)?, endpoint)));
    places.filter(|(network, endpoint)| has(network, endpoint, is_ipv4)).min_by(|(a, x), (b, y)| {
        let routes = |network: &Network, endpoint: &Endpoint| {
            [true, false].into_iter().filter(|family| has(network, endpoint, *family)).count()
        };
        y.gateway_priority
            .cmp(&x.gateway_priority)
            .then(a.internal.cmp(&b.internal))
            .then(routes(b, y).cmp(&routes(a, x)))
            .then(a.name.cmp(&b.name))
    })
}
