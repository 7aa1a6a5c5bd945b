//! The options of `docker run` and `docker create`.

use std::net::IpAddr;

use super::super::engine::Docker;
use super::super::flags::{Flag, Parsed, switch, value};
use super::super::model::{Container, Dns, Driver, Endpoint, State, Status, is_predefined};
use super::{image, publish};

/// Options with an effect on a container's network, name or command.
pub(super) const FLAGS: &[Flag] = &[
    value("add-host", ' ', "list", "Add a custom host-to-IP mapping (host:ip)"),
    value("dns", ' ', "list", "Set custom DNS servers"),
    value("dns-option", ' ', "list", "Set DNS options"),
    value("dns-search", ' ', "list", "Set custom DNS search domains"),
    value("entrypoint", ' ', "string", "Overwrite the default ENTRYPOINT of the image"),
    value("env", 'e', "list", "Set environment variables"),
    value("expose", ' ', "list", "Expose a port or a range of ports"),
    value("hostname", 'h', "string", "Container host name"),
    switch("interactive", 'i', "Keep STDIN open even if not attached"),
    value("ip", ' ', "string", "IPv4 address (e.g., 172.30.100.104)"),
    value("ip6", ' ', "string", "IPv6 address (e.g., 2001:db8::33)"),
    value("label", 'l', "list", "Set meta data on a container"),
    value("mac-address", ' ', "string", "Container MAC address (e.g., 92:d0:c6:0a:29:33)"),
    value("name", ' ', "string", "Assign a name to the container"),
    value("net", ' ', "network", ""),
    value("net-alias", ' ', "list", ""),
    value("network", ' ', "network", "Connect a container to a network"),
    value("network-alias", ' ', "list", "Add network-scoped alias for the container"),
    switch("privileged", ' ', "Give extended privileges to this container"),
    value("publish", 'p', "list", "Publish a container's port(s) to the host"),
    switch("publish-all", 'P', "Publish all exposed ports to random ports"),
    switch("rm", ' ', "Automatically remove the container when it exits"),
    value("sysctl", ' ', "map", "Sysctl options (default map[])"),
    switch("tty", 't', "Allocate a pseudo-TTY"),
];

/// Options without an effect here: containers have the machine's own files, processes and processors.
pub(super) const IGNORED: &[Flag] = &[
    value("attach", 'a', "list", ""),
    value("cap-add", ' ', "list", ""),
    value("cap-drop", ' ', "list", ""),
    value("cgroupns", ' ', "string", ""),
    value("cpu-shares", 'c', "int", ""),
    value("cpus", ' ', "decimal", ""),
    value("cpuset-cpus", ' ', "string", ""),
    value("device", ' ', "list", ""),
    value("domainname", ' ', "string", ""),
    switch("init", ' ', ""),
    value("ipc", ' ', "string", ""),
    value("log-driver", ' ', "string", ""),
    value("log-opt", ' ', "list", ""),
    value("memory", 'm', "bytes", ""),
    value("mount", ' ', "mount", ""),
    value("pid", ' ', "string", ""),
    value("platform", ' ', "string", ""),
    value("pull", ' ', "string", ""),
    switch("quiet", 'q', ""),
    switch("read-only", ' ', ""),
    value("restart", ' ', "string", ""),
    value("runtime", ' ', "string", ""),
    value("security-opt", ' ', "list", ""),
    value("shm-size", ' ', "bytes", ""),
    switch("sig-proxy", ' ', ""),
    value("stop-signal", ' ', "string", ""),
    value("stop-timeout", ' ', "int", ""),
    value("tmpfs", ' ', "list", ""),
    value("ulimit", ' ', "ulimit", ""),
    value("user", 'u', "string", ""),
    value("userns", ' ', "string", ""),
    value("uts", ' ', "string", ""),
    value("volume", 'v', "list", ""),
    value("volumes-from", ' ', "list", ""),
    value("workdir", 'w', "string", ""),
];

/// A container as the command line describes it, without id and name.
///
/// # Errors
/// What is wrong with an option.
pub(super) fn container(parsed: &Parsed) -> Result<Container, String> {
    let (image, arguments) = parsed.operands.split_first().ok_or("no image")?;
    let mut command = arguments.to_vec();
    let has_own_command = !arguments.is_empty() || !parsed.text("entrypoint").is_empty();
    if !parsed.text("entrypoint").is_empty() {
        command.insert(0, parsed.text("entrypoint").to_owned());
    } else if command.is_empty() {
        command = image::default_command(image);
    }
    let mac = parsed.text("mac-address");
    if !mac.is_empty() && !is_mac(mac) {
        return Err(format!("{mac} is not a valid mac address"));
    }
    let endpoints = endpoints(parsed)?;
    let mut ports = Vec::new();
    for text in parsed.all("publish") {
        ports.extend(publish::parse(text)?);
    }
    let mut exposed: Vec<(u16, String)> =
        ports.iter().map(|port| (port.private, port.protocol.clone())).collect();
    for text in parsed.all("expose") {
        exposed.extend(publish::exposed(text)?);
    }
    exposed.sort();
    exposed.dedup();
    for text in parsed.all("add-host") {
        let is_right = text.split_once([':', '=']).is_some_and(|(_, ip)| ip.parse::<IpAddr>().is_ok());
        if !is_right {
            return Err(format!(
                "invalid argument \"{text}\" for \"--add-host\" flag: bad format for add-host: \"{text}\""
            ));
        }
    }
    let mut servers = Vec::new();
    for text in parsed.all("dns") {
        // `opts.ValidateIPAddress`
        let server = text.trim().parse().map_err(|_| {
            format!("invalid argument \"{text}\" for \"--dns\" flag: {text} is not an ip address")
        });
        servers.push(server?);
    }
    let network_mode = endpoints.first().map_or("default".to_owned(), |endpoint| endpoint.network.clone());
    check_mode(parsed, &network_mode)?;
    Ok(Container {
        id: String::new(),
        name: parsed.text("name").to_owned(),
        image: image.clone(),
        command,
        has_own_command,
        created_ns: 0,
        started_ns: 0,
        finished_ns: 0,
        status: Status::Created,
        exit_code: 0,
        error: String::new(),
        hostname: parsed.text("hostname").to_owned(),
        tty: parsed.is_on("tty"),
        stdin: parsed.is_on("interactive"),
        auto_remove: parsed.is_on("rm"),
        privileged: parsed.is_on("privileged"),
        environment: parsed.all("env").to_vec(),
        labels: parsed.map("label"),
        extra_hosts: parsed.all("add-host").iter().map(|text| text.replacen('=', ":", 1)).collect(),
        dns: Dns {
            servers,
            search: parsed.all("dns-search").to_vec(),
            options: parsed.all("dns-option").to_vec(),
        },
        sysctls: parsed.map("sysctl"),
        network_mode,
        shares_with: None,
        sandbox: String::new(),
        process: 0,
        main: None,
        programs: Vec::new(),
        resolver: None,
        endpoints,
        ports,
        exposed,
        publish_all: parsed.is_on("publish-all"),
    })
}

/// What the ways to share a namespace exclude (`runconfig`).
fn check_mode(parsed: &Parsed, mode: &str) -> Result<(), String> {
    let shares = mode.starts_with("container:");
    let conflict = |what: &str| Err(format!("conflicting options: {what}"));
    if shares && !parsed.text("hostname").is_empty() {
        return conflict("hostname and the network mode");
    }
    if shares && !parsed.text("mac-address").is_empty() {
        return conflict("mac-address and the network mode");
    }
    if shares && parsed.is_given("add-host") {
        return conflict("custom host-to-IP mapping and the network mode");
    }
    if shares && (parsed.is_given("publish") || parsed.is_on("publish-all")) {
        return conflict("port publishing and the container type network mode");
    }
    if shares && parsed.is_given("expose") {
        return conflict("port exposing and the container type network mode");
    }
    Ok(())
}

/// The networks asked for; the plain options are the first one's.
fn endpoints(parsed: &Parsed) -> Result<Vec<Endpoint>, String> {
    let networks: Vec<&String> = parsed.all("network").iter().chain(parsed.all("net")).collect();
    let mut endpoints = Vec::new();
    for text in networks {
        endpoints.push(endpoint(text)?);
    }
    if endpoints.is_empty() {
        endpoints.push(Endpoint { network: "default".to_owned(), ..Endpoint::default() });
    }
    let several = endpoints.len() > 1;
    if several && endpoints.iter().any(|endpoint| is_mode(&endpoint.network)) {
        let text = "conflicting options: cannot attach both user-defined and non-user-defined network-modes";
        return Err(text.to_owned());
    }
    for (number, endpoint) in endpoints.iter().enumerate() {
        if endpoints.iter().take(number).any(|other| other.network == endpoint.network) {
            return Err(format!("network \"{}\" is specified multiple times", endpoint.network));
        }
    }
    let Some(first) = endpoints.first_mut() else { return Ok(endpoints) };
    let aliases: Vec<&String> = parsed.all("network-alias").iter().chain(parsed.all("net-alias")).collect();
    if !aliases.is_empty() && is_mode(&first.network) {
        return Err("network-scoped aliases are only supported for user-defined networks".to_owned());
    }
    first.aliases.extend(aliases.into_iter().cloned());
    if !parsed.text("ip").is_empty() {
        first.wanted_ipv4 = Some(address(parsed.text("ip"), true)?);
    }
    if !parsed.text("ip6").is_empty() {
        first.wanted_ipv6 = Some(address(parsed.text("ip6"), false)?);
    }
    if !parsed.text("mac-address").is_empty() {
        first.wanted_mac = Some(parsed.text("mac-address").to_lowercase());
    }
    Ok(endpoints)
}

/// `--network NAME` or `--network name=NAME,ip=ADDRESS,…`
fn endpoint(text: &str) -> Result<Endpoint, String> {
    let mut endpoint = Endpoint::default();
    if !text.contains('=') {
        text.clone_into(&mut endpoint.network);
        return Ok(endpoint);
    }
    let wrong = |error: String| format!("invalid argument \"{text}\" for \"--network\" flag: {error}");
    for field in text.split(',') {
        let (key, value) = field.split_once('=').ok_or_else(|| wrong(format!("invalid field {field}")))?;
        match key.trim() {
            "name" => value.clone_into(&mut endpoint.network),
            "alias" => endpoint.aliases.push(value.to_owned()),
            "ip" => endpoint.wanted_ipv4 = Some(address(value, true)?),
            "ip6" => endpoint.wanted_ipv6 = Some(address(value, false)?),
            "mac-address" if is_mac(value) => endpoint.wanted_mac = Some(value.to_lowercase()),
            "mac-address" => return Err(format!("{value} is not a valid mac address")),
            "gw-priority" => {
                let number = value.parse();
                endpoint.gateway_priority =
                    number.map_err(|_| wrong(format!("invalid gw-priority ({value}): invalid syntax")))?;
            }
            "link-local-ip" | "driver-opt" => {}
            other => return Err(wrong(format!("invalid field key {other}"))),
        }
    }
    match endpoint.network.is_empty() {
        true => Err(wrong("network name/id is not specified".to_owned())),
        false => Ok(endpoint),
    }
}

fn address(text: &str, is_ipv4: bool) -> Result<IpAddr, String> {
    let family = if is_ipv4 { "IPv4" } else { "IPv6" };
    let parsed: Option<IpAddr> =
        text.parse().ok().filter(|ip: &IpAddr| ip.is_ipv4() == is_ipv4 && !ip.is_unspecified());
    parsed.ok_or_else(|| format!("Error response from daemon: invalid IP{} address: {text}", &family[2..]))
}

/// Whether a network's name is one that docker has of itself.
pub(super) fn is_mode(name: &str) -> bool {
    is_predefined(name) || name.starts_with("container:")
}

fn is_mac(text: &str) -> bool {
    let parts: Vec<&str> = text.split([':', '-']).collect();
    parts.len() == 6
        && parts.iter().all(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Gives a new container its id and name, checks it against what there is, and keeps it.
///
/// # Errors
/// As the daemon words it.
pub(super) fn keep(docker: &mut Docker<'_>, container: Container) -> Result<Container, String> {
    let mut container = container;
    container.id = docker.new_id()?;
    container.created_ns = docker.now();
    let spare_name = match container.name.is_empty() {
        true => super::super::words::name(docker)?,
        false => String::new(),
    };
    docker.update(|state| {
        let mut container = container.clone();
        if container.name.is_empty() {
            container.name = (0..)
                .map(|n| if n == 0 { spare_name.clone() } else { format!("{spare_name}{n}") })
                .find(|name| !state.containers.iter().any(|other| other.name == *name))
                .unwrap_or_default();
        }
        check_name(state, &container.name)?;
        resolve(state, &mut container)?;
        if container.hostname.is_empty() {
            container.hostname = container.short_id().to_owned();
        }
        state.containers.push(container.clone());
        Ok(container)
    })
}

/// # Errors
/// The name is no name, or another's.
pub(super) fn check_name(state: &State, name: &str) -> Result<(), String> {
    let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let is_right =
        name.len() > 1 && name.chars().all(letter) && name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if !is_right {
        return Err(format!("Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"));
    }
    match state.containers.iter().find(|other| other.name == name) {
        Some(other) => Err(format!(
            "Conflict. The container name \"/{name}\" is already in use by container \"{}\". You have to remove (or \
             rename) that container to be able to reuse that name.",
            other.id
        )),
        None => Ok(()),
    }
}

/// Networks by their ids, where they are known.
fn resolve(state: &State, container: &mut Container) -> Result<(), String> {
    if container.network_mode.starts_with("container:") {
        container.endpoints.clear();
        return Ok(());
    }
    for endpoint in &mut container.endpoints {
        let name = if endpoint.network == "default" { "bridge" } else { endpoint.network.as_str() };
        if let Ok(network) = state.network(name) {
            if !matches!(network.driver, Driver::Host | Driver::Null) {
                let checked = super::super::sandbox::check_addresses(network, endpoint);
                checked.map_err(|error| format!("invalid config for network {}: {error}", network.name))?;
            }
            endpoint.network.clone_from(&network.id);
        }
    }
    Ok(())
}
