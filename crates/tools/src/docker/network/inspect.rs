//! `docker network inspect`

use super::super::engine::{Docker, Outcome};
use super::super::flags::{Flag, Operands, Parsed, Syntax, switch, value};
use super::super::ipam::Config;
use super::super::model::{Endpoint, Network, State};
use super::super::value::Value;
use super::super::{Command, inspect, time};

const FLAGS: &[Flag] = &[
    value("format", 'f', "string", "Format output using a custom template: 'json' or 'TEMPLATE'"),
    switch("verbose", 'v', "Verbose output for diagnostics"),
];

pub(super) const COMMAND: Command = Command {
    names: &["inspect"],
    syntax: Syntax {
        path: "docker network inspect",
        usage: "[OPTIONS] NETWORK [NETWORK...]",
        short: "Display detailed information on one or more networks",
        flags: &[FLAGS],
        operands: Operands::AtLeast(1),
        interspersed: true,
    },
    run,
};

fn run(docker: &mut Docker<'_>, parsed: &Parsed) -> Outcome {
    let state = docker.state()?;
    let find = |name: &str| {
        let found = state.network(name).map(|network| inspected(&state, network));
        found.map_err(|error| format!("Error response from daemon: {error}"))
    };
    inspect::print(docker, parsed.text("format"), &parsed.operands, find)
}

/// A network as the daemon describes it.
pub(in crate::docker) fn inspected(state: &State, network: &Network) -> Value {
    let mut containers: Vec<(String, Value)> = state
        .endpoints(&network.id)
        .filter(|(container, _)| container.is_running())
        .map(|(container, endpoint)| (container.id.clone(), attached(network, &container.name, endpoint)))
        .collect();
    containers.sort_by(|a, b| a.0.cmp(&b.0));
    let config: Vec<Value> = match network.has_pools() {
        true => configs(network).iter().map(config).collect(),
        false => Vec::new(),
    };
    let driver = if network.has_pools() || network.is_predefined() { "default" } else { "null" };
    Value::fields([
        ("Name", network.name.as_str().into()),
        ("Id", network.id.as_str().into()),
        ("Created", time::rfc3339(network.created_ns).into()),
        ("Scope", "local".into()),
        ("Driver", network.driver.name().into()),
        ("EnableIPv4", network.ipv4.into()),
        ("EnableIPv6", network.ipv6.into()),
        (
            "IPAM",
            Value::fields([
                ("Driver", driver.into()),
                ("Options", if network.is_predefined() { Value::NilMap } else { Value::Map(Vec::new()) }),
                ("Config", if config.is_empty() { Value::NilList } else { Value::List(config) }),
            ]),
        ),
        ("Internal", network.internal.into()),
        ("Attachable", network.attachable.into()),
        ("Ingress", false.into()),
        ("ConfigFrom", Value::fields([("Network", "".into())])),
        ("ConfigOnly", false.into()),
        ("Containers", Value::Map(containers)),
        ("Options", Value::texts(&network.options)),
        ("Labels", Value::texts(&network.labels)),
    ])
}

/// What the user said of the subnets, or what was chosen.
fn configs(network: &Network) -> Vec<Config> {
    let mut configs = Vec::new();
    for is_ipv4 in [true, false] {
        let given: Vec<&Config> = network
            .config
            .iter()
            .filter(|config| config.subnet.contains(':') != is_ipv4 && !config.subnet.is_empty())
            .collect();
        if !given.is_empty() {
            configs.extend(given.into_iter().cloned());
            continue;
        }
        configs.extend(network.pools_of(is_ipv4).map(|pool| Config {
            subnet: pool.subnet.to_string(),
            gateway: pool.gateway.map(|gateway| gateway.to_string()).unwrap_or_default(),
            ..Config::default()
        }));
    }
    configs
}

/// Empty fields are left out.
fn config(config: &Config) -> Value {
    let mut fields = Vec::new();
    for (name, text) in [("Subnet", &config.subnet), ("IPRange", &config.range), ("Gateway", &config.gateway)]
    {
        let name = if text.is_empty() { format!("\0{name}") } else { name.to_owned() };
        fields.push((name, text.as_str().into()));
    }
    if !config.aux.is_empty() {
        fields.push(("AuxiliaryAddresses".to_owned(), Value::texts(&config.aux)));
    }
    Value::Struct(fields)
}

fn attached(network: &Network, name: &str, endpoint: &Endpoint) -> Value {
    let with_length = |address: Option<std::net::IpAddr>| match address {
        Some(address) => {
            let length = network.pool_of(address).map_or(0, |pool| pool.subnet.length);
            format!("{address}/{length}")
        }
        None => String::new(),
    };
    Value::fields([
        ("Name", name.into()),
        ("EndpointID", endpoint.id.as_str().into()),
        ("MacAddress", endpoint.mac.as_str().into()),
        ("IPv4Address", with_length(endpoint.ipv4).into()),
        ("IPv6Address", with_length(endpoint.ipv6).into()),
    ])
}
