//! Published ports: packets to a port of the host become packets to one of the container.

use std::net::{IpAddr, Ipv4Addr};

use hairpin_netlink::{Address, SocketKind};

use super::super::engine::{Docker, go_text};
use super::super::model::{Bound, Container, Driver, Port, State};
use super::firewall::Rule;
use super::{leading, proxy};

/// Ports that are given out where the user names none (`net.ipv4.ip_local_port_range`).
const FIRST: u16 = 32_768;
const LAST: u16 = 60_999;

/// What a container's ports become now, in the network that gives its default route: only bridges publish.
///
/// # Errors
/// A port of the host is taken.
pub(in crate::docker) fn choose(state: &State, container: &Container) -> Result<Vec<Port>, String> {
    let mut ports = container.ports.clone();
    if container.publish_all {
        for (private, protocol) in &container.exposed {
            if !ports.iter().any(|port| port.private == *private && port.protocol == *protocol) {
                let (private, protocol) = (*private, protocol.clone());
                let host_ip = String::new();
                ports.push(Port { private, protocol, host_ip, host_first: 0, host_last: 0, bound: None });
            }
        }
    }
    let place = leading(state, container, true).filter(|(network, _)| network.driver == Driver::Bridge);
    let Some((network, endpoint)) = place.filter(|(network, _)| !network.internal) else {
        return Ok(unbound(ports));
    };
    let Some(address) = endpoint.ipv4 else { return Ok(unbound(ports)) };
    let mut chosen: Vec<Port> = Vec::new();
    for mut port in ports {
        let public = free_port(state, container, &chosen, &port).map_err(|error| {
            let (name, id) = (&container.name, &endpoint.id);
            format!("driver failed programming external connectivity on endpoint {name} ({id}): {error}")
        })?;
        let (address6, link) = (endpoint.ipv6, network.link.clone());
        port.bound = Some(Bound { public, address, address6, link, proxies: Vec::new() });
        chosen.push(port);
    }
    Ok(chosen)
}

fn unbound(ports: Vec<Port>) -> Vec<Port> {
    ports.into_iter().map(|port| Port { bound: None, ..port }).collect()
}

fn free_port(state: &State, own: &Container, chosen: &[Port], port: &Port) -> Result<u16, String> {
    let others = state.containers.iter().filter(|other| other.id != own.id && other.is_running());
    let bound: Vec<&Port> = others.flat_map(|other| other.ports.iter()).chain(chosen).collect();
    let is_taken = |number: u16| {
        bound.iter().any(|other| {
            other.protocol == port.protocol
                && other.bound.as_ref().is_some_and(|bound| bound.public == number)
                && (any(&other.host_ip) || any(&port.host_ip) || other.host_ip == port.host_ip)
        })
    };
    let range = if port.host_first == 0 { FIRST..=LAST } else { port.host_first..=port.host_last };
    match range.clone().find(|number| !is_taken(*number)) {
        Some(number) => Ok(number),
        None => {
            let ip = if any(&port.host_ip) { "0.0.0.0" } else { &port.host_ip };
            Err(format!("Bind for {ip}:{} failed: port is already allocated", port.host_first))
        }
    }
}

/// Whether the port is published on every address.
pub(in crate::docker) fn any(ip: &str) -> bool {
    matches!(ip, "" | "0.0.0.0" | "::")
}

/// Where a port is published: by IPv4, and by IPv6.
pub(super) fn families(port: &Port) -> (bool, bool) {
    match port.host_ip.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => (true, false),
        Ok(IpAddr::V6(_)) => (false, true),
        Err(_) => (true, true),
    }
}

/// The rules of a port, each with whether it is one of IPv4. By IPv6 there are some where the container has an address of
/// it; otherwise the proxy carries everything.
fn rules(port: &Port) -> Vec<(bool, Rule)> {
    let Some(Bound { public, address, address6, link, .. }) = &port.bound else { return Vec::new() };
    let Port { private, protocol, host_ip, .. } = port;
    let (by_ipv4, by_ipv6) = families(port);
    let to = match host_ip.parse::<IpAddr>() {
        Ok(ip) if !ip.is_unspecified() => format!("-d {ip} "),
        _ => String::new(),
    };
    let mut rules = Vec::new();
    for (is_ipv4, address) in
        [(true, by_ipv4.then_some(address)), (false, address6.as_ref().filter(|_| by_ipv6))]
    {
        let Some(address) = address else { continue };
        if host_ip.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()) {
            let text = format!("-d {host_ip} ! -i lo -p {protocol} --dport {public} -j DROP");
            rules.push((is_ipv4, Rule::append("raw", "PREROUTING", text)));
        }
        let target = end(*address, *private);
        let text =
            format!("{to}! -i {link} -p {protocol} --dport {public} -j DNAT --to-destination {target}");
        rules.push((is_ipv4, Rule::append("nat", "DOCKER", text)));
        let text = format!("-d {address} ! -i {link} -o {link} -p {protocol} --dport {private} -j ACCEPT");
        rules.push((is_ipv4, Rule::insert("filter", "DOCKER", text)));
    }
    rules
}

/// `192.0.2.1:80`, `[2001:db8::1]:80`
fn end(address: IpAddr, port: u16) -> String {
    std::net::SocketAddr::new(address, port).to_string()
}

/// Opens the ports of a container.
///
/// # Errors
/// A program of the host has one, or what iptables says.
pub(in crate::docker) fn open(docker: &mut Docker<'_>, ports: &mut [Port]) -> Result<(), String> {
    docker.enter_host()?;
    for port in ports {
        check_free(docker, port)?;
        for (is_ipv4, rule) in rules(port) {
            rule.add(docker, is_ipv4)?;
        }
        let started = proxy::start(docker, port);
        if let Some(bound) = &mut port.bound {
            bound.proxies = started;
        }
    }
    Ok(())
}

pub(in crate::docker) fn close(docker: &mut Docker<'_>, ports: &[Port]) {
    if docker.enter_host().is_err() {
        return;
    }
    for port in ports {
        for (is_ipv4, rule) in rules(port) {
            rule.remove(docker, is_ipv4);
        }
        for proxy in port.bound.iter().flat_map(|bound| &bound.proxies) {
            docker.shell.end(*proxy, true);
        }
    }
}

/// Docker binds the host's port itself: a program that has it is in the way.
fn check_free(docker: &mut Docker<'_>, port: &Port) -> Result<(), String> {
    let Some(Bound { public, address, .. }) = &port.bound else { return Ok(()) };
    let kind = match port.protocol.as_str() {
        "tcp" => SocketKind::TcpIpv4,
        "udp" => SocketKind::UdpIpv4,
        _ => return Ok(()),
    };
    let ip = match port.host_ip.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => ip,
        _ => Ipv4Addr::UNSPECIFIED,
    };
    let Ok(fd) = docker.system.socket(kind) else { return Ok(()) };
    let bound = docker.system.bind(fd, Address::Ipv4 { address: ip, port: *public });
    let _ = docker.system.close(fd);
    bound.map_err(|errno| {
        let Port { private, protocol, .. } = port;
        format!(
            "failed to bind host port for {ip}:{public}:{address}:{private}/{protocol}: {}",
            go_text(errno)
        )
    })
}
