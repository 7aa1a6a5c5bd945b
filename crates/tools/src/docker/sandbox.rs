//! A container's network namespace: made when the container starts, in its networks while it runs.

use std::collections::BTreeSet;
use std::net::IpAddr;

use hairpin_netlink::FIRST_NETNS;

use super::engine::Docker;
use super::model::{Container, Driver, Endpoint, Network, Port, State, Status};
use super::{driver, names, resolv_conf, resolver};

/// Where the namespaces of containers have their names.
const DIRECTORY: &str = "/var/run/docker/netns";

/// The namespace of a process, as `nsenter` and `ip link set … netns PID` find it.
fn of_process(process: u32) -> String {
    format!("/proc/{process}/ns/net")
}

impl Docker<'_> {
    /// Starts a container: its namespace, its addresses, its place in its networks, its published ports.
    ///
    /// # Errors
    /// As the daemon words it; the container is as it was.
    pub(super) fn start_container(&mut self, id: &str) -> Result<(), String> {
        let started_ns = self.now();
        let (sandbox_id, endpoint_ids) = (self.new_id()?, self.new_ids(id)?);
        let container = self.update(|state| prepare(state, id, &sandbox_id, &endpoint_ids, started_ns))?;
        let owns = container.shares_with.is_none() && container.sandbox != FIRST_NETNS;
        let result = if owns { self.make_sandbox(&container) } else { Ok(()) };
        if let Err(error) = result {
            self.forget_sandbox(id, |container| {
                container.status = if container.finished_ns == 0 { Status::Created } else { Status::Exited };
                container.error = format!("failed to set up container networking: {error}");
            })?;
            return Err(format!("failed to set up container networking: {error}"));
        }
        names::write(self)?;
        self.take_a_while();
        Ok(())
    }

    /// A container takes about a second to start, in which the link watch sees its new links.
    fn take_a_while(&mut self) {
        const NANOSECONDS: u64 = 1_000_000_000;
        if let Ok(now) = self.system.now() {
            // A signal ends it early.
            let _ = self.system.wait(&[], Some(now.monotonic_ns.saturating_add(NANOSECONDS)), true);
        }
    }

    fn new_ids(&mut self, id: &str) -> Result<Vec<String>, String> {
        let state = self.state().map_err(|failure| failure.text)?;
        let count = state.container(id)?.endpoints.len();
        (0..count).map(|_| self.new_id()).collect()
    }

    fn make_sandbox(&mut self, container: &Container) -> Result<(), String> {
        self.enter_host()?;
        let by_process = of_process(container.process);
        let words = |errno| super::engine::go_text(errno);
        self.system.netns_add(&by_process).map_err(words)?;
        self.system.netns_attach(&container.sandbox, container.process).map_err(words)?;
        self.enter(&container.sandbox)?;
        self.ip("link set dev lo up")?;
        for (name, value) in &container.sysctls {
            let path = format!("/proc/sys/{}", name.replace('.', "/"));
            self.write_file(&path, value).map_err(|error| format!("sysctl {name}: {error}"))?;
        }
        for number in 0..container.endpoints.len() {
            self.join_network(&container.id, number)?;
        }
        self.settle(&container.id)
    }

    /// Puts a running container into the network of one of its places.
    ///
    /// # Errors
    /// In words.
    pub(super) fn join_network(&mut self, id: &str, number: usize) -> Result<(), String> {
        let state = self.state().map_err(|failure| failure.text)?;
        let container = state.container(id)?;
        let Some(endpoint) = container.endpoints.get(number) else { return Ok(()) };
        let Some(network) = state.network_by_id(&endpoint.network) else {
            return Err(format!("network {} not found", endpoint.network));
        };
        let mut joined = endpoint.clone();
        driver::join(self, network, &mut joined, &container.sandbox)?;
        self.update(|state| {
            let places = state.container_mut(id).map(|container| &mut container.endpoints);
            if let Some(place) = places.and_then(|places| places.iter_mut().find(|e| e.id == joined.id)) {
                *place = joined.clone();
            }
            Ok(())
        })
    }

    /// Default routes and published ports, after a running container's networks have changed.
    ///
    /// # Errors
    /// A port is taken, or in words.
    pub(super) fn settle(&mut self, id: &str) -> Result<(), String> {
        let state = self.state().map_err(|failure| failure.text)?;
        let container = state.container(id)?;
        driver::program_gateway(self, &state, container)?;
        self.serve_names(&state, container)?;
        let before = container.ports.clone();
        let mut ports = self.update(|state| {
            let container = state.container(id)?;
            let ports = driver::ports::choose(state, container)?;
            let same = |port: &Port, other: &Port| {
                let place = |port: &Port| port.bound.as_ref().map(|bound| (bound.public, bound.address));
                place(port) == place(other)
            };
            if ports.len() == container.ports.len()
                && ports.iter().zip(&container.ports).all(|(a, b)| same(a, b))
            {
                return Ok(None);
            }
            if let Some(container) = state.container_mut(id) {
                container.ports.clone_from(&ports);
            }
            Ok(Some(ports))
        })?;
        let Some(ports) = &mut ports else { return Ok(()) };
        driver::ports::close(self, &before);
        driver::ports::open(self, ports)?;
        self.update(|state| {
            if let Some(container) = state.container_mut(id) {
                container.ports.clone_from(ports);
            }
            Ok(())
        })
    }

    /// Gives a container its `resolv.conf`, and its name server with the first user-defined network. Both stay.
    fn serve_names(&mut self, state: &State, container: &Container) -> Result<(), String> {
        let Some(directory) = names::directory(container).filter(|_| container.resolver.is_none()) else {
            return Ok(());
        };
        let mut networks =
            container.endpoints.iter().filter_map(|endpoint| state.network_by_id(&endpoint.network));
        let is_served = networks.any(|network| !network.is_predefined());
        let servers = resolv_conf::write(self, container, &directory, is_served);
        if !is_served {
            return Ok(());
        }
        let started = resolver::start(self, container, &servers)?;
        self.update(|state| {
            if let Some(container) = state.container_mut(&container.id) {
                container.resolver = started;
            }
            Ok(())
        })
    }

    /// Ends a container: nothing of it is left on the host.
    ///
    /// # Errors
    /// In words.
    pub(super) fn stop_container(&mut self, id: &str, exit_code: i32) -> Result<(), String> {
        let finished_ns = self.now();
        self.forget_sandbox(id, |container| {
            container.status = Status::Exited;
            container.exit_code = exit_code;
            container.finished_ns = finished_ns;
        })?;
        names::write(self)
    }

    /// Takes a container out of its networks, its namespace away, and `change`s what is known of it.
    fn forget_sandbox(&mut self, id: &str, change: impl Fn(&mut Container)) -> Result<(), String> {
        let state = self.state().map_err(|failure| failure.text)?;
        let container = state.container(id)?.clone();
        if container.shares_with.is_none()
            && container.sandbox != FIRST_NETNS
            && !container.sandbox.is_empty()
        {
            driver::ports::close(self, &container.ports);
            if let Some(resolver) = container.resolver {
                self.shell.end(resolver, true);
            }
            for endpoint in container.endpoints.iter().filter(|endpoint| !endpoint.interface.is_empty()) {
                if let Some(network) = state.network_by_id(&endpoint.network) {
                    driver::leave(self, network, endpoint, &container.sandbox);
                }
            }
            self.enter_host()?;
            let _ = self.system.netns_delete(&container.sandbox);
            let _ = self.system.netns_delete(&of_process(container.process));
        }
        self.update(|state| {
            if let Some(container) = state.container_mut(id) {
                container.sandbox.clear();
                container.process = 0;
                container.main = None;
                container.programs.clear();
                container.resolver = None;
                container.ports.retain(|port| port.host_first != 0 || !container.publish_all);
                container.ports.iter_mut().for_each(|port| port.bound = None);
                container.endpoints.iter_mut().for_each(forget);
                change(container);
            }
            Ok(())
        })
    }
}

/// A place in a network as it is while the container does not run.
pub(super) fn forget(endpoint: &mut Endpoint) {
    *endpoint = Endpoint {
        network: std::mem::take(&mut endpoint.network),
        wanted_ipv4: endpoint.wanted_ipv4,
        wanted_ipv6: endpoint.wanted_ipv6,
        wanted_mac: endpoint.wanted_mac.take(),
        aliases: std::mem::take(&mut endpoint.aliases),
        gateway_priority: endpoint.gateway_priority,
        ..Endpoint::default()
    };
}

/// What a start changes in the state: the container runs, its addresses are its own.
fn prepare(
    state: &mut State,
    id: &str,
    sandbox_id: &str,
    endpoint_ids: &[String],
    started_ns: u64,
) -> Result<Container, String> {
    let setup = |error: String| format!("failed to set up container networking: {error}");
    let container = state.container(id)?.clone();
    if container.is_running() {
        return Err(format!("container {id} is running"));
    }
    let mut started = container.clone();
    if let Some(other) = container.network_mode.strip_prefix("container:") {
        let donor = state.container(other);
        let donor = donor.map_err(|error| format!("joining network namespace of container: {error}"))?;
        if !donor.is_running() {
            return Err(format!(
                "cannot join network namespace of a non running container: container {} is {}",
                donor.name,
                donor.state()
            ));
        }
        started.shares_with = Some(donor.shares_with.clone().unwrap_or_else(|| donor.id.clone()));
        started.sandbox.clone_from(&donor.sandbox);
        started.hostname.clone_from(&donor.hostname);
    } else if container.network_mode == "host" {
        started.sandbox = FIRST_NETNS.to_owned();
    } else {
        started.sandbox = format!("{DIRECTORY}/{}", sandbox_id.get(..12).unwrap_or(sandbox_id));
    }
    state.last_process += 1;
    started.process = state.last_process;
    started.status = Status::Running;
    started.started_ns = started_ns;
    started.exit_code = 0;
    started.error.clear();
    for (endpoint, endpoint_id) in started.endpoints.iter_mut().zip(endpoint_ids) {
        let network = state.network(&endpoint.network).map_err(setup)?.clone();
        endpoint.network.clone_from(&network.id);
        endpoint.id.clone_from(endpoint_id);
        assign(state, &network, endpoint).map_err(setup)?;
    }
    if let Some(kept) = state.container_mut(id) {
        *kept = started.clone();
    }
    Ok(started)
}

/// Gives a place in a network its addresses.
///
/// # Errors
/// As the daemon words it.
pub(super) fn assign(state: &State, network: &Network, endpoint: &mut Endpoint) -> Result<(), String> {
    check_addresses(network, endpoint)?;
    if endpoint.wanted_mac.is_some() && network.driver == Driver::Ipvlan {
        return Err("ipvlan interfaces do not support custom mac address assignment".to_owned());
    }
    let used = state.used_addresses(&network.id);
    if !network.has_pools() {
        return Ok(());
    }
    if network.ipv4 {
        endpoint.ipv4 = Some(address(network, true, endpoint.wanted_ipv4, &used)?);
    }
    if network.ipv6 {
        endpoint.ipv6 = Some(address(network, false, endpoint.wanted_ipv6, &used)?);
    }
    Ok(())
}

/// `assignAddressVersion`
fn address(
    network: &Network,
    is_ipv4: bool,
    wanted: Option<IpAddr>,
    used: &BTreeSet<IpAddr>,
) -> Result<IpAddr, String> {
    for pool in network.pools_of(is_ipv4) {
        if wanted.is_some_and(|wanted| !pool.subnet.contains(wanted)) {
            continue;
        }
        match pool.request(wanted, used) {
            Err(error) if wanted.is_none() && error == super::ipam::NONE_LEFT => {}
            result => return result,
        }
    }
    if let Some(wanted) = wanted {
        return Err(format!("invalid address {wanted}: It does not belong to any of this network's subnets"));
    }
    let family = if is_ipv4 { "IPv4" } else { "IPv6" };
    let Network { name, id, .. } = network;
    Err(format!("no available {family} addresses on this network's address pools: {name} ({id})"))
}

/// Whether a place in a network may have the addresses that were asked for (`validateEndpointSettings`).
///
/// # Errors
/// As the daemon words it.
pub(super) fn check_addresses(network: &Network, endpoint: &Endpoint) -> Result<(), String> {
    let mut errors = Vec::new();
    let wanted = [endpoint.wanted_ipv4, endpoint.wanted_ipv6];
    if network.is_predefined() {
        if wanted.iter().any(Option::is_some) {
            errors.push("user specified IP address is supported on user defined networks only".to_owned());
        }
        if !endpoint.aliases.is_empty() {
            let text = "network-scoped alias is supported only for containers in user defined networks";
            errors.push(text.to_owned());
        }
    } else {
        errors.extend(wanted.into_iter().flatten().filter_map(|address| out_of_range(network, address)));
    }
    match super::ipam::joined(&errors) {
        None => Ok(()),
        Some(text) => Err(format!("invalid endpoint settings:\n{text}")),
    }
}

/// Why an address cannot be asked for in a network.
fn out_of_range(network: &Network, address: IpAddr) -> Option<String> {
    let subnets = network.config.iter().filter_map(|config| super::prefix::Prefix::parse(&config.subnet));
    let own: Vec<_> = subnets.filter(|subnet| subnet.is_ipv4() == address.is_ipv4()).collect();
    if own.is_empty() {
        let text = "user specified IP address is supported only when connecting to networks with user configured subnets";
        return Some(text.to_owned());
    }
    let is_inside = own.iter().any(|subnet| subnet.contains(address));
    (!is_inside).then(|| format!("no configured subnet or ip-range contain the IP address {address}"))
}

/// The ports of a container that are published now.
pub(super) fn published(container: &Container) -> impl Iterator<Item = (&Port, u16)> {
    container.ports.iter().filter_map(|port| Some((port, port.bound.as_ref()?.public)))
}
