//! `docker network create`

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::super::engine::{Docker, Failure, Outcome};
use super::super::flags::{Flag, Operands, Parsed, Syntax, switch, value};
use super::super::ipam::{self, Config};
use super::super::model::{Driver, Network, is_predefined};
use super::super::prefix::Prefix;
use super::super::{Command, driver, start};

const FLAGS: &[Flag] = &[
    switch("attachable", ' ', "Enable manual container attachment"),
    value(
        "aux-address",
        ' ',
        "map",
        "Auxiliary IPv4 or IPv6 addresses used by Network driver (default map[])",
    ),
    value("config-from", ' ', "string", "The network from which to copy the configuration"),
    switch("config-only", ' ', "Create a configuration only network"),
    value("driver", 'd', "string", "Driver to manage the Network (default \"bridge\")"),
    value("gateway", ' ', "strings", "IPv4 or IPv6 Gateway for the master subnet"),
    switch("ingress", ' ', "Create swarm routing-mesh network"),
    switch("internal", ' ', "Restrict external access to the network"),
    value("ip-range", ' ', "strings", "Allocate container ip from a sub-range"),
    value("ipam-driver", ' ', "string", "IP Address Management Driver (default \"default\")"),
    value("ipam-opt", ' ', "map", "Set IPAM driver specific options (default map[])"),
    switch("ipv4", ' ', "Enable or disable IPv4 address assignment (default true)"),
    switch("ipv6", ' ', "Enable or disable IPv6 address assignment"),
    value("label", ' ', "list", "Set metadata on a network"),
    value("opt", 'o', "map", "Set driver specific options (default map[])"),
    value("scope", ' ', "string", "Control the network's scope"),
    value("subnet", ' ', "strings", "Subnet in CIDR format that represents a network segment"),
];

pub(super) const COMMAND: Command = Command {
    names: &["create"],
    syntax: Syntax {
        path: "docker network create",
        usage: "[OPTIONS] NETWORK",
        short: "Create a network",
        flags: &[FLAGS],
        operands: Operands::Exactly(1),
        interspersed: true,
    },
    run,
};

fn run(docker: &mut Docker<'_>, parsed: &Parsed) -> Outcome {
    for flag in ["config-from", "config-only", "ingress"] {
        if parsed.is_given(flag) {
            return Err(Failure::of_client(format!(
                "docker network create --{flag}: hairpin has no swarms yet"
            )));
        }
    }
    let name = parsed.operands.first().map(String::as_str).unwrap_or("");
    let config = ipam_config(parsed).map_err(Failure::of_client)?;
    let id = docker.new_id().map_err(Failure::of_daemon)?;
    let created_ns = docker.now();
    let driver = driver_named(parsed).map_err(Failure::of_daemon)?;
    let mut network = start::empty(id, name, driver, created_ns);
    network.ipv4 = !parsed.is_given("ipv4") || parsed.is_on("ipv4");
    network.ipv6 = parsed.is_on("ipv6");
    network.internal = parsed.is_on("internal");
    network.attachable = parsed.is_on("attachable");
    network.options = parsed.map("opt");
    network.labels = parsed.map("label");
    network.config = config;
    create(docker, network).map_err(Failure::of_daemon).map(|id| {
        docker.print(&format!("{id}\n"));
        0
    })
}

fn driver_named(parsed: &Parsed) -> Result<Driver, String> {
    match parsed.text("driver") {
        "" | "bridge" => Ok(Driver::Bridge),
        "macvlan" => Ok(Driver::Macvlan),
        "ipvlan" => Ok(Driver::Ipvlan),
        "host" => Err("only one instance of \"host\" network is allowed".to_owned()),
        "null" => Err("only one instance of \"null\" network is allowed".to_owned()),
        "overlay" => {
            Err("This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to \
                          connect this node to swarm and try again."
                .to_owned())
        }
        other => Err(format!("could not find plugin {other} in v1 plugin registry: plugin not found")),
    }
}

/// What the daemon does; the new network's id.
fn create(docker: &mut Docker<'_>, mut network: Network) -> Result<String, String> {
    let name = network.name.clone();
    if is_predefined(&name) {
        return Err(format!("operation is not permitted on predefined {name} network"));
    }
    ipam::validate(&network.config, network.ipv6)?;
    check_name(&name)?;
    docker.enter_host()?;
    let reserved = docker.reserved_subnets();
    if docker.state().is_ok_and(|state| state.networks.iter().any(|other| other.name == name)) {
        return Err(format!("network with name {name} already exists"));
    }
    driver::check_options(&mut network)?;
    let id = network.id.clone();
    let (state, network) = docker.update(|state| {
        if state.networks.iter().any(|other| other.name == name) {
            return Err(format!("network with name {name} already exists"));
        }
        let mut network = network.clone();
        let local = start::unique_local(state.networks.first().map_or("", |bridge| bridge.id.as_str()));
        let families = (network.ipv4, network.ipv6);
        let (taken, gateway) = (state.taken_subnets(), driver::wants_gateway(network.driver));
        network.pools = ipam::allocate(&network.config, families, &taken, &reserved, local, gateway)?;
        driver::check_conflicts(state, &network)?;
        state.networks.push(network.clone());
        Ok((state.clone(), network))
    })?;
    match driver::create(docker, &state, &network) {
        Ok(made_link) => docker.update(|state| {
            for network in state.networks.iter_mut().filter(|network| network.id == id) {
                network.made_link = made_link;
            }
            Ok(id.clone())
        }),
        Err(error) => {
            docker.update(|state| {
                state.networks.retain(|network| network.id != id);
                Ok(())
            })?;
            Err(error)
        }
    }
}

/// `config.ValidateName`
fn check_name(name: &str) -> Result<(), String> {
    match name.trim().is_empty() {
        true => Err("invalid name: name is empty".to_owned()),
        false => Ok(()),
    }
}

/// What belongs to which subnet (`createIPAMConfig` of the command).
fn ipam_config(parsed: &Parsed) -> Result<Vec<Config>, String> {
    let (subnets, ranges, gateways) =
        (parsed.split("subnet"), parsed.split("ip-range"), parsed.split("gateway"));
    if subnets.len() < ranges.len() || subnets.len() < gateways.len() {
        return Err("every ip-range or gateway must have a corresponding subnet".to_owned());
    }
    let mut configs: Vec<Config> = Vec::new();
    for subnet in &subnets {
        for other in &configs {
            if matches(&other.subnet, subnet)? || matches(subnet, &other.subnet)? {
                return Err("multiple overlapping subnet configuration is not supported".to_owned());
            }
        }
        configs.push(Config { subnet: subnet.clone(), aux: BTreeMap::new(), ..Config::default() });
    }
    for range in &ranges {
        if Prefix::parse(range).is_none() {
            return Err(format!("invalid CIDR address: {range}"));
        }
        let config =
            matching(&mut configs, range)?.ok_or_else(|| format!("no matching subnet for range {range}"))?;
        if !config.range.is_empty() {
            let Config { range: other, subnet, .. } = config;
            return Err(format!(
                "cannot configure multiple ranges ({range}, {other}) on the same subnet ({subnet})"
            ));
        }
        config.range.clone_from(range);
    }
    for gateway in &gateways {
        let config = matching(&mut configs, gateway)?
            .ok_or_else(|| format!("no matching subnet for gateway {gateway}"))?;
        if !config.gateway.is_empty() {
            let Config { gateway: other, subnet, .. } = config;
            return Err(format!(
                "cannot configure multiple gateways ({gateway}, {other}) for the same subnet ({subnet})"
            ));
        }
        config.gateway.clone_from(gateway);
    }
    for (name, address) in parsed.map("aux-address") {
        let config = matching(&mut configs, &address)?;
        let config = config.ok_or_else(|| format!("no matching subnet for aux-address {address}"))?;
        config.aux.insert(name, address);
    }
    Ok(configs)
}

fn matching<'a>(configs: &'a mut [Config], data: &str) -> Result<Option<&'a mut Config>, String> {
    for config in configs {
        if matches(&config.subnet, data)? {
            return Ok(Some(config));
        }
    }
    Ok(None)
}

/// `subnetMatches`
fn matches(subnet: &str, data: &str) -> Result<bool, String> {
    let prefix =
        Prefix::parse(subnet).ok_or_else(|| format!("invalid subnet: invalid CIDR address: {subnet}"))?;
    let address: IpAddr = match data.contains('/') {
        true => Prefix::parse(data).ok_or_else(|| format!("invalid CIDR address: {data}"))?.address,
        false => match data.parse() {
            Ok(address) => address,
            Err(_) => return Ok(false),
        },
    };
    Ok(prefix.contains(address))
}
