//! The rules of bridge networks, as Docker 28 lays them out (moby's `iptablesdoc`).

use std::net::IpAddr;

use super::super::engine::Docker;
use super::super::model::{Endpoint, Network};
use super::bridge::{ICC, MASQUERADE, is_on};

/// A rule: its table, its chain, whether it goes to the head of that, and what stands in it.
pub(super) struct Rule {
    pub table: &'static str,
    pub chain: &'static str,
    pub first: bool,
    pub text: String,
}

impl Rule {
    pub(super) fn append(table: &'static str, chain: &'static str, text: String) -> Rule {
        Rule { table, chain, first: false, text }
    }

    pub(super) fn insert(table: &'static str, chain: &'static str, text: String) -> Rule {
        Rule { table, chain, first: true, text }
    }

    pub(super) fn add(&self, docker: &mut Docker<'_>, is_ipv4: bool) -> Result<(), String> {
        let how = if self.first { "-I" } else { "-A" };
        let Rule { table, chain, text, .. } = self;
        docker.iptables(is_ipv4, &format!("-t {table} {how} {chain} {text}")).map(drop)
    }

    pub(super) fn remove(&self, docker: &mut Docker<'_>, is_ipv4: bool) {
        let Rule { table, chain, text, .. } = self;
        let _ = docker.iptables(is_ipv4, &format!("-t {table} -D {chain} {text}"));
    }
}

/// The chains of the filter table, in the order in which they are made.
const CHAINS: [&str; 6] = [
    "DOCKER",
    "DOCKER-FORWARD",
    "DOCKER-BRIDGE",
    "DOCKER-CT",
    "DOCKER-ISOLATION-STAGE-1",
    "DOCKER-ISOLATION-STAGE-2",
];

/// What the daemon sets up when it starts (`setupIPChains`, `setupUserChain`).
///
/// # Errors
/// What iptables says.
pub(in crate::docker) fn start(docker: &mut Docker<'_>) -> Result<(), String> {
    for (is_ipv4, loopback) in [(true, "127.0.0.0/8"), (false, "::1/128")] {
        let mut run = |line: &str| docker.iptables(is_ipv4, line);
        run("-t nat -N DOCKER")?;
        for chain in CHAINS {
            run(&format!("-N {chain}"))?;
        }
        run("-t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER")?;
        run(&format!("-t nat -A OUTPUT -m addrtype --dst-type LOCAL -j DOCKER ! -d {loopback}"))?;
        run("-I FORWARD -j DOCKER-FORWARD")?;
        for chain in ["DOCKER-BRIDGE", "DOCKER-ISOLATION-STAGE-1", "DOCKER-CT"] {
            run(&format!("-I DOCKER-FORWARD -j {chain}"))?;
        }
        run("-N DOCKER-USER")?;
        run("-I FORWARD -j DOCKER-USER")?;
    }
    Ok(())
}

/// Makes the host forward packets. Who turns that on closes the way for all others (`setupIPv4Forwarding`).
///
/// # Errors
/// The setting cannot be made.
pub(super) fn forward(docker: &mut Docker<'_>, network: &Network) -> Result<(), String> {
    let mut turn_on = |path: &str| -> Result<bool, String> {
        let before = docker.system.read_file(path).unwrap_or_default();
        if before.first() == Some(&b'1') {
            return Ok(false);
        }
        docker
            .write_file(path, "1")
            .map(|()| true)
            .map_err(|error| format!("failed to set IP forwarding '{path}' = '1': {error}"))
    };
    let ipv4 = network.ipv4 && turn_on("/proc/sys/net/ipv4/ip_forward")?;
    let ipv6 = network.ipv6
        && (turn_on("/proc/sys/net/ipv6/conf/default/forwarding")?
            | turn_on("/proc/sys/net/ipv6/conf/all/forwarding")?);
    for (changed, is_ipv4) in [(ipv4, true), (ipv6, false)] {
        if changed {
            docker.iptables(is_ipv4, "-P FORWARD DROP")?;
        }
    }
    Ok(())
}

/// The rules of a network.
fn rules(network: &Network, is_ipv4: bool) -> Vec<Rule> {
    let link = &network.link;
    let mut rules = Vec::new();
    let icc = is_on(network, ICC);
    for pool in network.pools_of(is_ipv4) {
        let subnet = pool.subnet;
        if network.internal {
            let (inward, outward) = match is_ipv4 {
                true => (format!("! -d {subnet} -i {link}"), format!("! -s {subnet} -o {link}")),
                false => (
                    format!("! -d {subnet} -i {link} ! -o {link}"),
                    format!("! -s {subnet} ! -i {link} -o {link}"),
                ),
            };
            for way in [inward, outward] {
                rules.push(Rule::insert("filter", "DOCKER-ISOLATION-STAGE-1", format!("{way} -j DROP")));
            }
        } else if is_on(network, MASQUERADE) {
            rules.push(Rule::insert("nat", "POSTROUTING", format!("-s {subnet} ! -o {link} -j MASQUERADE")));
            rules.push(Rule::insert("nat", "DOCKER", format!("-i {link} -j RETURN")));
        }
    }
    if rules.is_empty() && network.pools_of(is_ipv4).next().is_none() {
        return rules;
    }
    let mut append = |chain, text: String| rules.push(Rule::append("filter", chain, text));
    if network.internal {
        let verdict = if icc { "ACCEPT" } else { "DROP" };
        append("DOCKER-FORWARD", format!("-i {link} -o {link} -j {verdict}"));
        return rules;
    }
    if icc {
        append("DOCKER-FORWARD", format!("-i {link} -j ACCEPT"));
    } else {
        append("DOCKER-FORWARD", format!("-i {link} -o {link} -j DROP"));
        append("DOCKER-FORWARD", format!("-i {link} ! -o {link} -j ACCEPT"));
    }
    append("DOCKER", format!("! -i {link} -o {link} -j DROP"));
    append("DOCKER-CT", format!("-o {link} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"));
    append("DOCKER-BRIDGE", format!("-o {link} -j DOCKER"));
    append("DOCKER-ISOLATION-STAGE-1", format!("-i {link} ! -o {link} -j DOCKER-ISOLATION-STAGE-2"));
    rules.push(Rule::insert("filter", "DOCKER-ISOLATION-STAGE-2", format!("-o {link} -j DROP")));
    rules
}

pub(super) fn add_network(docker: &mut Docker<'_>, network: &Network) -> Result<(), String> {
    for is_ipv4 in [true, false] {
        for rule in rules(network, is_ipv4) {
            rule.add(docker, is_ipv4).map_err(|error| format!("Failed to Setup IP tables: {error}"))?;
        }
    }
    Ok(())
}

pub(super) fn remove_network(docker: &mut Docker<'_>, network: &Network) {
    for is_ipv4 in [true, false] {
        for rule in rules(network, is_ipv4) {
            rule.remove(docker, is_ipv4);
        }
    }
}

/// Nobody outside of the network speaks to a container's own address (`filterDirectAccess`).
fn endpoint_rules(network: &Network, endpoint: &Endpoint) -> Vec<(bool, Rule)> {
    if network.internal {
        return Vec::new();
    }
    let rule = |address: IpAddr| {
        let text = format!("-d {address} ! -i {} -j DROP", network.link);
        (address.is_ipv4(), Rule::append("raw", "PREROUTING", text))
    };
    [endpoint.ipv4, endpoint.ipv6].into_iter().flatten().map(rule).collect()
}

pub(super) fn add_endpoint(
    docker: &mut Docker<'_>,
    network: &Network,
    endpoint: &Endpoint,
) -> Result<(), String> {
    for (is_ipv4, rule) in endpoint_rules(network, endpoint) {
        rule.add(docker, is_ipv4)?;
    }
    Ok(())
}

pub(super) fn remove_endpoint(docker: &mut Docker<'_>, network: &Network, endpoint: &Endpoint) {
    for (is_ipv4, rule) in endpoint_rules(network, endpoint) {
        rule.remove(docker, is_ipv4);
    }
}
