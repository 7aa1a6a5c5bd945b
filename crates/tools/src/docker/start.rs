//! The daemon's start: the networks that are always there. It happens at the first docker command on a host.

use std::collections::BTreeMap;

use hairpin_netlink::Errno;

use super::engine::{Docker, Failure};
use super::ipam;
use super::model::{Driver, Network, State};
use super::prefix::Prefix;
use super::{driver, store};

/// Numbers behind this one are no processes of Linux's (`PID_MAX_LIMIT`): they stand for containers.
const LAST_PROCESS: u32 = 4 << 20;
const DEFAULT_BRIDGE: &str = "docker0";

/// Options that `docker network inspect bridge` shows.
const BRIDGE_OPTIONS: &[(&str, &str)] = &[
    ("com.docker.network.bridge.default_bridge", "true"),
    ("com.docker.network.bridge.enable_icc", "true"),
    ("com.docker.network.bridge.enable_ip_masquerade", "true"),
    ("com.docker.network.bridge.host_binding_ipv4", "0.0.0.0"),
    ("com.docker.network.bridge.name", DEFAULT_BRIDGE),
    ("com.docker.network.driver.mtu", "1500"),
];

impl Docker<'_> {
    /// Starts the daemon where it does not run yet.
    ///
    /// # Errors
    /// This is no host of a world, or something is in the way.
    pub(super) fn start_daemon(&mut self) -> Result<(), Failure> {
        match store::load(self.system) {
            Ok(Some(_)) => Ok(()),
            Ok(None) => {
                self.start().map_err(|text| Failure::of_client(format!("failed to start daemon: {text}")))
            }
            Err(Errno::ENOSYS) => Err(Failure::of_client(
                "docker: hairpin's docker is for emulated worlds only: it does not touch this machine's containers",
            )),
            Err(errno) => Err(Failure::of_client(format!("docker: {errno}"))),
        }
    }

    fn start(&mut self) -> Result<(), String> {
        self.enter_host()?;
        let created_ns = self.now();
        let mut networks = Vec::new();
        for (name, kind) in [("bridge", Driver::Bridge), ("host", Driver::Host), ("none", Driver::Null)] {
            networks.push(empty(self.new_id()?, name, kind, created_ns));
        }
        let reserved = self.reserved_subnets();
        let existing = self.bridge_address();
        if let Some(bridge) = networks.first_mut() {
            let config: Vec<ipam::Config> = existing.into_iter().map(|(config, _)| config).collect();
            let local = unique_local(&bridge.id);
            bridge.pools = ipam::allocate(&config, (true, false), &[], &reserved, local, true)?;
            bridge.config = bridge.pools.iter().map(shown).collect();
            bridge.options = BRIDGE_OPTIONS.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            bridge.link = DEFAULT_BRIDGE.to_owned();
        }
        let is_first = self.update(|state| {
            let is_first = state.networks.is_empty();
            if is_first {
                *state = State { networks: networks.clone(), last_process: LAST_PROCESS, ..State::default() };
            }
            Ok(is_first)
        })?;
        if is_first {
            driver::firewall::start(self)?;
            if let Some(bridge) = networks.first() {
                driver::bridge::create(self, bridge)?;
            }
        }
        Ok(())
    }

    /// Subnets that the host itself is on (`InferReservedNetworks`).
    pub(super) fn reserved_subnets(&mut self) -> Vec<Prefix> {
        let mut found = Vec::new();
        for family in ["-4", "-6"] {
            let routes = self.ip(&format!("{family} route show scope link")).unwrap_or_default();
            found.extend(routes.lines().filter_map(|line| Prefix::parse(line.split_whitespace().next()?)));
        }
        found
    }

    /// The subnet and address of a `docker0` that is there before docker is.
    fn bridge_address(&mut self) -> Option<(ipam::Config, Prefix)> {
        let shown = self.ip(&format!("-4 -o address show dev {DEFAULT_BRIDGE}")).ok()?;
        let address = shown.split_whitespace().skip_while(|word| *word != "inet").nth(1)?;
        let address = Prefix::parse(address)?;
        let gateway = address.address.to_string();
        let config = ipam::Config { subnet: address.masked().to_string(), gateway, ..Default::default() };
        Some((config, address))
    }
}

/// A network without addresses and options.
pub(super) fn empty(id: String, name: &str, driver: Driver, created_ns: u64) -> Network {
    Network {
        id,
        name: name.to_owned(),
        driver,
        created_ns,
        ipv4: true,
        ipv6: false,
        internal: false,
        attachable: false,
        config: Vec::new(),
        pools: Vec::new(),
        options: BTreeMap::new(),
        labels: BTreeMap::new(),
        link: String::new(),
        made_link: false,
    }
}

fn shown(pool: &ipam::Pool) -> ipam::Config {
    let gateway = pool.gateway.map(|gateway| gateway.to_string()).unwrap_or_default();
    ipam::Config { subnet: pool.subnet.to_string(), gateway, ..Default::default() }
}

/// The prefix from which IPv6 networks without a subnet get theirs: a unique local one (RFC 4193) of this host.
pub(super) fn unique_local(bridge_id: &str) -> Prefix {
    let bits = bridge_id.get(..10).and_then(|digits| u128::from_str_radix(digits, 16).ok()).unwrap_or(0);
    let address = std::net::Ipv6Addr::from_bits(0xfd << 120 | bits << 80);
    Prefix { address: address.into(), length: 48 }
}
