//! `docker container inspect`

use super::super::engine::{Docker, Outcome};
use super::super::flags::{Flag, Operands, Parsed, Syntax, switch, value};
use super::super::model::{Container, Endpoint, State};
use super::super::value::Value;
use super::super::{Command, driver, inspect, names, time};
use super::port::shown_addresses;

const FLAGS: &[Flag] = &[
    value("format", 'f', "string", "Format output using a custom template: 'json' or 'TEMPLATE'"),
    switch("size", 's', "Display total file sizes"),
];

pub(super) const COMMAND: Command = Command {
    names: &["inspect"],
    syntax: Syntax {
        path: "docker container inspect",
        usage: "[OPTIONS] CONTAINER [CONTAINER...]",
        short: "Display detailed information on one or more containers",
        flags: &[FLAGS],
        operands: Operands::AtLeast(1),
        interspersed: true,
    },
    run,
};

fn run(docker: &mut Docker<'_>, parsed: &Parsed) -> Outcome {
    let state = docker.state()?;
    let find = |name: &str| {
        let found = state.container(name).map(|container| inspected(&state, container));
        found.map_err(|error| format!("Error response from daemon: {error}"))
    };
    inspect::print(docker, parsed.text("format"), &parsed.operands, find)
}

/// A container as the daemon describes it, as far as a network is concerned.
pub(in crate::docker) fn inspected(state: &State, container: &Container) -> Value {
    let (path, args) =
        container.command.split_first().map_or(("", &[][..]), |(path, args)| (path.as_str(), args));
    Value::fields([
        ("Id", container.id.as_str().into()),
        ("Created", time::rfc3339(container.created_ns).into()),
        ("Path", path.into()),
        ("Args", if args.is_empty() { Value::List(Vec::new()) } else { Value::list(args) }),
        ("State", status(container)),
        ("Name", format!("/{}", container.name).into()),
        ("RestartCount", 0.into()),
        ("Driver", "overlay2".into()),
        ("Platform", "linux".into()),
        ("HostConfig", host_config(state, container)),
        ("Config", config(container)),
        ("NetworkSettings", network_settings(state, container)),
    ])
}

fn status(container: &Container) -> Value {
    Value::fields([
        ("Status", container.state().into()),
        ("Running", container.is_running().into()),
        ("Paused", false.into()),
        ("Restarting", false.into()),
        ("OOMKilled", false.into()),
        ("Dead", false.into()),
        ("Pid", i64::from(container.process).into()),
        ("ExitCode", i64::from(container.exit_code).into()),
        ("Error", container.error.as_str().into()),
        ("StartedAt", time::rfc3339(container.started_ns).into()),
        ("FinishedAt", time::rfc3339(container.finished_ns).into()),
    ])
}

fn host_config(state: &State, container: &Container) -> Value {
    let mut bindings: Vec<(String, Value)> = Vec::new();
    for port in container.ports.iter().filter(|port| port.host_first != 0 || !container.publish_all) {
        let number = match (port.host_first, port.host_last) {
            (0, _) => String::new(),
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first}-{last}"),
        };
        let binding = Value::fields([("HostIp", port.host_ip.as_str().into()), ("HostPort", number.into())]);
        push(&mut bindings, format!("{}/{}", port.private, port.protocol), binding);
    }
    bindings.sort_by(|a, b| a.0.cmp(&b.0));
    let mode = match container.network_mode.as_str() {
        "default" => "bridge".to_owned(),
        mode => match mode.strip_prefix("container:") {
            Some(other) => format!("container:{}", state.container(other).map_or(other, |other| &other.id)),
            None => mode.to_owned(),
        },
    };
    Value::fields([
        ("NetworkMode", mode.into()),
        ("PortBindings", Value::Map(bindings)),
        ("AutoRemove", container.auto_remove.into()),
        ("ExtraHosts", Value::list(&container.extra_hosts)),
        ("Privileged", container.privileged.into()),
        ("PublishAllPorts", container.publish_all.into()),
    ])
}

fn config(container: &Container) -> Value {
    let exposed = container
        .exposed
        .iter()
        .map(|(port, protocol)| (format!("{port}/{protocol}"), Value::Struct(Vec::new())));
    let mut exposed: Vec<_> = exposed.collect();
    exposed.sort_by(|a, b| a.0.cmp(&b.0));
    Value::fields([
        ("Hostname", container.hostname.as_str().into()),
        ("Domainname", "".into()),
        ("User", "".into()),
        ("ExposedPorts", if exposed.is_empty() { Value::NilMap } else { Value::Map(exposed) }),
        ("Tty", container.tty.into()),
        ("OpenStdin", container.stdin.into()),
        ("Env", Value::list(&container.environment)),
        ("Cmd", Value::list(&container.command)),
        ("Image", container.image.as_str().into()),
        ("Labels", Value::texts(&container.labels)),
    ])
}

fn network_settings(state: &State, container: &Container) -> Value {
    let mut networks: Vec<(String, Value)> = container
        .endpoints
        .iter()
        .map(|place| {
            let name =
                state.network_by_id(&place.network).map_or(place.network.as_str(), |network| &network.name);
            (name.to_owned(), endpoint(state, container, place))
        })
        .collect();
    networks.sort_by(|a, b| a.0.cmp(&b.0));
    let mut ports: Vec<(String, Value)> = Vec::new();
    if container.is_running() {
        for (port, public) in super::super::sandbox::published(container) {
            for ip in shown_addresses(&port.host_ip) {
                let ip = ip.trim_matches(['[', ']']);
                let binding = Value::fields([("HostIp", ip.into()), ("HostPort", public.to_string().into())]);
                push(&mut ports, format!("{}/{}", port.private, port.protocol), binding);
            }
        }
        for (port, protocol) in &container.exposed {
            let key = format!("{port}/{protocol}");
            if !ports.iter().any(|(known, _)| *known == key) {
                ports.push((key, Value::NilList));
            }
        }
    }
    ports.sort_by(|a, b| a.0.cmp(&b.0));
    // What stands here beside the networks is that of the default one.
    let in_bridge = container
        .endpoints
        .iter()
        .find(|place| state.network_by_id(&place.network).is_some_and(|network| network.name == "bridge"));
    let nowhere = Endpoint::default();
    let default = endpoint(state, container, in_bridge.unwrap_or(&nowhere));
    let of_default = |name: &str| default.get(name).cloned().unwrap_or(Value::Null);
    let sandbox_id = container.sandbox.rsplit('/').next().unwrap_or("");
    Value::fields([
        ("Bridge", "".into()),
        ("SandboxID", sandbox_id.into()),
        ("SandboxKey", container.sandbox.as_str().into()),
        ("Ports", Value::Map(ports)),
        ("HairpinMode", false.into()),
        ("LinkLocalIPv6Address", "".into()),
        ("LinkLocalIPv6PrefixLen", 0.into()),
        ("SecondaryIPAddresses", Value::NilList),
        ("SecondaryIPv6Addresses", Value::NilList),
        ("EndpointID", of_default("EndpointID")),
        ("Gateway", of_default("Gateway")),
        ("GlobalIPv6Address", of_default("GlobalIPv6Address")),
        ("GlobalIPv6PrefixLen", of_default("GlobalIPv6PrefixLen")),
        ("IPAddress", of_default("IPAddress")),
        ("IPPrefixLen", of_default("IPPrefixLen")),
        ("IPv6Gateway", of_default("IPv6Gateway")),
        ("MacAddress", of_default("MacAddress")),
        ("Networks", Value::Map(networks)),
    ])
}

fn endpoint(state: &State, container: &Container, place: &Endpoint) -> Value {
    let network = state.network_by_id(&place.network);
    let length = |address: Option<std::net::IpAddr>| {
        let pool = network.zip(address).and_then(|(network, address)| network.pool_of(address));
        Value::Int(pool.map_or(0, |pool| i64::from(pool.subnet.length)))
    };
    let text =
        |address: Option<std::net::IpAddr>| address.map(|address| address.to_string()).unwrap_or_default();
    let gateway = |address| network.and_then(|network| driver::gateway(network, address));
    let wanted = match (place.wanted_ipv4, place.wanted_ipv6) {
        (None, None) => Value::Null,
        (ipv4, ipv6) => {
            let mut fields = Vec::new();
            for (name, address) in [("IPv4Address", ipv4), ("IPv6Address", ipv6)] {
                if address.is_some() {
                    fields.push((name.to_owned(), text(address).into()));
                }
            }
            Value::Struct(fields)
        }
    };
    let named = network.is_some_and(|network| !network.is_predefined());
    Value::fields([
        ("IPAMConfig", wanted),
        ("Links", Value::NilList),
        ("Aliases", Value::list(&place.aliases)),
        ("MacAddress", place.mac.as_str().into()),
        ("DriverOpts", Value::NilMap),
        ("GwPriority", place.gateway_priority.into()),
        ("NetworkID", network.map_or("", |network| network.id.as_str()).into()),
        ("EndpointID", place.id.as_str().into()),
        ("Gateway", text(gateway(place.ipv4)).into()),
        ("IPAddress", text(place.ipv4).into()),
        ("IPPrefixLen", length(place.ipv4)),
        ("IPv6Gateway", text(gateway(place.ipv6)).into()),
        ("GlobalIPv6Address", text(place.ipv6).into()),
        ("GlobalIPv6PrefixLen", length(place.ipv6)),
        ("DNSNames", if named { Value::list(&names::names(container, place)) } else { Value::NilList }),
    ])
}

/// Adds an item to the list behind a key.
fn push(map: &mut Vec<(String, Value)>, key: String, item: Value) {
    match map.iter_mut().find(|(known, _)| *known == key) {
        Some((_, Value::List(items))) => items.push(item),
        _ => map.push((key, Value::List(vec![item]))),
    }
}
