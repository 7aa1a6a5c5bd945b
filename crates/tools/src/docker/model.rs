//! What docker knows of a host: its networks and containers.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::ipam::{self, Pool, Taken};
use crate::Background;

/// Everything, as it is kept between two commands.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    /// In the order of their creation.
    pub networks: Vec<Network>,
    pub containers: Vec<Container>,
    /// The process id given out last.
    pub last_process: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Driver {
    Bridge,
    Macvlan,
    Ipvlan,
    Host,
    Null,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Network {
    pub id: String,
    pub name: String,
    pub driver: Driver,
    /// Nanoseconds since 1970.
    pub created_ns: u64,
    pub ipv4: bool,
    pub ipv6: bool,
    pub internal: bool,
    pub attachable: bool,
    /// As on the command line.
    pub config: Vec<ipam::Config>,
    pub pools: Vec<Pool>,
    pub options: BTreeMap<String, String>,
    pub labels: BTreeMap<String, String>,
    /// The link below macvlans and ipvlans, or the bridge.
    pub link: String,
    /// Whether the driver made that link.
    pub made_link: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Status {
    Created,
    Running,
    Exited,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Container {
    pub id: String,
    pub name: String,
    pub image: String,
    /// The command line, of the user or of the image.
    pub command: Vec<String>,
    /// Whether the user has said what it runs.
    pub has_own_command: bool,
    pub created_ns: u64,
    pub started_ns: u64,
    pub finished_ns: u64,
    pub status: Status,
    pub exit_code: i32,
    pub error: String,
    pub hostname: String,
    pub tty: bool,
    pub stdin: bool,
    pub auto_remove: bool,
    pub privileged: bool,
    pub environment: Vec<String>,
    pub labels: BTreeMap<String, String>,
    /// `NAME:ADDRESS` of `--add-host`.
    pub extra_hosts: Vec<String>,
    pub dns: Dns,
    pub sysctls: BTreeMap<String, String>,
    /// `default`, `none`, `host`, `container:NAME` or a network.
    pub network_mode: String,
    /// Whose namespace it shares: a container's id.
    pub shares_with: Option<String>,
    /// The name of its network namespace while it runs (a path, as in `SandboxKey`).
    pub sandbox: String,
    /// The process id that inspection shows; 0 while it does not run.
    pub process: u32,
    /// What runs its command, and other programs that were started in it, all in the background.
    pub main: Option<Background>,
    pub programs: Vec<Background>,
    /// Its name server.
    pub resolver: Option<Background>,
    pub endpoints: Vec<Endpoint>,
    pub ports: Vec<Port>,
    pub exposed: Vec<(u16, String)>,
    pub publish_all: bool,
}

/// What `--dns`, `--dns-search` and `--dns-option` say.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Dns {
    pub servers: Vec<IpAddr>,
    pub search: Vec<String>,
    pub options: Vec<String>,
}

/// A container's place in a network.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Endpoint {
    pub network: String,
    /// What the user asked for.
    pub wanted_ipv4: Option<IpAddr>,
    pub wanted_ipv6: Option<IpAddr>,
    pub wanted_mac: Option<String>,
    pub aliases: Vec<String>,
    pub gateway_priority: i64,
    /// What it has while the container runs; empty and nothing otherwise.
    pub id: String,
    pub ipv4: Option<IpAddr>,
    pub ipv6: Option<IpAddr>,
    pub mac: String,
    /// Its name in the container.
    pub interface: String,
    /// Its name, or its peer's, in the host.
    pub host_interface: String,
}

/// A published port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Port {
    /// Of the container.
    pub private: u16,
    pub protocol: String,
    /// Empty for every address of the host.
    pub host_ip: String,
    /// The ports of the host that may be used: one, unless a range was given; 0 for any.
    pub host_first: u16,
    pub host_last: u16,
    /// What is set up for it while the container runs.
    pub bound: Option<Bound>,
}

/// Where a published port leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bound {
    /// The port of the host.
    pub public: u16,
    /// The container's addresses, and the bridge it is behind.
    pub address: IpAddr,
    pub address6: Option<IpAddr>,
    pub link: String,
    /// What carries there what comes from the host's own loopback addresses, or by IPv6.
    pub proxies: Vec<Background>,
}

impl Driver {
    pub fn name(self) -> &'static str {
        match self {
            Driver::Bridge => "bridge",
            Driver::Macvlan => "macvlan",
            Driver::Ipvlan => "ipvlan",
            Driver::Host => "host",
            Driver::Null => "null",
        }
    }
}

impl Network {
    /// One of those that are always there.
    pub fn is_predefined(&self) -> bool {
        is_predefined(&self.name)
    }

    /// Whether it gives addresses to containers.
    pub fn has_pools(&self) -> bool {
        !matches!(self.driver, Driver::Host | Driver::Null)
    }

    pub fn pools_of(&self, is_ipv4: bool) -> impl Iterator<Item = &Pool> {
        self.pools.iter().filter(move |pool| pool.subnet.is_ipv4() == is_ipv4)
    }

    /// The pool that an address is of.
    pub fn pool_of(&self, address: IpAddr) -> Option<&Pool> {
        self.pools.iter().find(|pool| pool.subnet.contains(address))
    }

    pub fn option(&self, name: &str) -> &str {
        self.options.get(name).map_or("", String::as_str)
    }
}

pub(super) fn is_predefined(name: &str) -> bool {
    matches!(name, "bridge" | "host" | "none" | "default")
}

impl Container {
    pub fn is_running(&self) -> bool {
        self.status == Status::Running
    }

    pub fn short_id(&self) -> &str {
        short(&self.id)
    }

    /// `created`, `running`, `exited`
    pub fn state(&self) -> &'static str {
        match self.status {
            Status::Created => "created",
            Status::Running => "running",
            Status::Exited => "exited",
        }
    }
}

/// The first twelve letters of an id.
pub(super) fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// Why no one object is meant.
pub(super) enum NotOne {
    None,
    Several,
}

/// The object meant: by whole name, whole id, or the beginning of one id.
fn one<'a, T>(
    items: &'a [T],
    wanted: &str,
    name: impl Fn(&T) -> &str,
    id: impl Fn(&T) -> &str,
) -> Result<&'a T, NotOne> {
    if let Some(found) = items.iter().find(|item| id(item) == wanted || name(item) == wanted) {
        return Ok(found);
    }
    let mut found = items.iter().filter(|item| !wanted.is_empty() && id(item).starts_with(wanted));
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only),
        (Some(_), Some(_)) => Err(NotOne::Several),
        (None, _) => Err(NotOne::None),
    }
}

impl State {
    /// # Errors
    /// As the daemon words it.
    pub fn network(&self, wanted: &str) -> Result<&Network, String> {
        one(&self.networks, wanted, |network| &network.name, |network| &network.id).map_err(|why| match why {
            NotOne::None => format!("network {wanted} not found"),
            NotOne::Several => format!("network {wanted} is ambiguous (2 matches found based on ID prefix)"),
        })
    }

    /// # Errors
    /// As the daemon words it.
    pub fn container(&self, wanted: &str) -> Result<&Container, String> {
        let plain = wanted.strip_prefix('/').unwrap_or(wanted);
        one(&self.containers, plain, |container| &container.name, |container| &container.id).map_err(|why| {
            match why {
                NotOne::None => format!("No such container: {wanted}"),
                NotOne::Several => format!("multiple IDs found with provided prefix: {wanted}"),
            }
        })
    }

    pub fn container_mut(&mut self, id: &str) -> Option<&mut Container> {
        self.containers.iter_mut().find(|container| container.id == id)
    }

    pub fn network_by_id(&self, id: &str) -> Option<&Network> {
        self.networks.iter().find(|network| network.id == id)
    }

    /// The containers in a network, with their places; those that run have an address there.
    pub fn endpoints<'a>(&'a self, network: &'a str) -> impl Iterator<Item = (&'a Container, &'a Endpoint)> {
        self.containers.iter().flat_map(move |container| {
            let own = container.endpoints.iter().filter(move |endpoint| endpoint.network == network);
            own.map(move |endpoint| (container, endpoint))
        })
    }

    /// The addresses that containers have in a network.
    pub fn used_addresses(&self, network: &str) -> BTreeSet<IpAddr> {
        self.endpoints(network).flat_map(|(_, endpoint)| [endpoint.ipv4, endpoint.ipv6]).flatten().collect()
    }

    /// The subnets that networks have.
    pub fn taken_subnets(&self) -> Vec<Taken> {
        let pools = self.networks.iter().flat_map(|network| network.pools.iter());
        pools.map(|pool| Taken { subnet: pool.subnet, range: pool.range }).collect()
    }
}
