//! Docker's address management: which subnet a network gets, which address a container.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::prefix::{Prefix, from_number, number};

/// Subnets that networks without one get: what is divided, and the length of the parts
/// (libnetwork's `ipamutils`).
const PREDEFINED: &[(&str, u8)] = &[
    ("172.17.0.0/16", 16),
    ("172.18.0.0/16", 16),
    ("172.19.0.0/16", 16),
    ("172.20.0.0/14", 16),
    ("172.24.0.0/14", 16),
    ("172.28.0.0/14", 16),
    ("192.168.0.0/16", 20),
];

pub(super) const OVERLAP: &str = "invalid pool request: Pool overlaps with other one on this address space";
pub(super) const IN_USE: &str = "Address already in use";
pub(super) const NONE_LEFT: &str = "no available addresses on this pool";

/// What the user says of one subnet, as it stands on the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Config {
    pub subnet: String,
    pub range: String,
    pub gateway: String,
    /// Addresses of others, by name.
    pub aux: BTreeMap<String, String>,
}

/// One subnet of a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pool {
    pub subnet: Prefix,
    /// Where containers get their addresses from.
    pub range: Option<Prefix>,
    pub gateway: Option<IpAddr>,
    pub aux: BTreeMap<String, IpAddr>,
}

/// A subnet that some network has, and the part of it that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    pub subnet: Prefix,
    pub range: Option<Prefix>,
}

/// `networktypes.ValidateIPAM`: everything that is wrong with what the user says.
///
/// # Errors
/// One text for all of it.
pub(super) fn validate(configs: &[Config], ipv6: bool) -> Result<(), String> {
    let mut errors = Vec::new();
    for config in configs {
        let Some(subnet) = Prefix::parse(&config.subnet) else {
            errors.push(format!("invalid subnet {}: invalid CIDR block notation", config.subnet));
            continue;
        };
        if !ipv6 && !subnet.is_ipv4() {
            continue;
        }
        if subnet != subnet.masked() {
            errors.push(format!("invalid subnet {subnet}: it should be {}", subnet.masked()));
        }
        validate_range(&config.range, subnet, &mut errors);
        if let Err(error) = validate_address(&config.gateway, subnet) {
            errors.push(format!("invalid gateway {}: {error}", config.gateway));
        }
        for (name, address) in &config.aux {
            if let Err(error) = validate_address(address, subnet) {
                errors.push(format!("invalid auxiliary address {name}: {error}"));
            }
        }
    }
    match joined(&errors) {
        Some(text) => Err(format!("invalid network config:\n{text}")),
        None => Ok(()),
    }
}

/// Several errors as one text: a list, unless there is only one.
pub(super) fn joined(errors: &[String]) -> Option<String> {
    match errors {
        [] => None,
        [only] => Some(only.clone()),
        all => Some(format!("* {}", all.join("\n* "))),
    }
}

fn validate_range(range: &str, subnet: Prefix, errors: &mut Vec<String>) {
    if range.is_empty() {
        return;
    }
    let Some(prefix) = Prefix::parse(range) else {
        errors.push(format!("invalid ip-range {range}: invalid CIDR block notation"));
        return;
    };
    if prefix.is_ipv4() != subnet.is_ipv4() {
        errors.push(format!("invalid ip-range {range}: parent subnet is an {} block", subnet.family()));
        return;
    }
    if prefix.length < subnet.length {
        errors
            .push(format!("invalid ip-range {range}: CIDR block is bigger than its parent subnet {subnet}"));
    }
    if prefix != prefix.masked() {
        errors.push(format!("invalid ip-range {prefix}: it should be {}", prefix.masked()));
    }
    if !subnet.overlaps(prefix) {
        errors.push(format!("invalid ip-range {range}: parent subnet {subnet} doesn't contain ip-range"));
    }
}

fn validate_address(address: &str, subnet: Prefix) -> Result<(), String> {
    if address.is_empty() {
        return Ok(());
    }
    let parsed: IpAddr = address.parse().map_err(|_| "invalid address".to_owned())?;
    if parsed.is_ipv4() != subnet.is_ipv4() {
        return Err(format!("parent subnet is an {} block", subnet.family()));
    }
    if !subnet.contains(parsed) {
        return Err(format!("parent subnet {subnet} doesn't contain this address"));
    }
    Ok(())
}

/// The subnet of a network: the one asked for, or one of the predefined that overlaps neither those `taken` nor the
/// networks that the host is on (`reserved`).
///
/// # Errors
/// It overlaps, or none is left.
pub(super) fn choose_subnet(
    config: &Config,
    is_ipv4: bool,
    taken: &[Taken],
    reserved: &[Prefix],
    unique_local: Prefix,
) -> Result<Taken, String> {
    if config.subnet.is_empty() {
        let occupied: Vec<Prefix> =
            taken.iter().map(|taken| taken.subnet).chain(reserved.iter().copied()).collect();
        let bases: Vec<(Prefix, u8)> = match is_ipv4 {
            true => {
                PREDEFINED.iter().filter_map(|(base, size)| Some((Prefix::parse(base)?, *size))).collect()
            }
            false => vec![(unique_local, 64)],
        };
        let mut candidates = bases.into_iter().flat_map(|(base, size)| parts(base, size));
        let free = candidates.find(|candidate| !occupied.iter().any(|other| other.overlaps(*candidate)));
        return free
            .map(|subnet| Taken { subnet, range: None })
            .ok_or_else(|| "all predefined address pools have been fully subnetted".to_owned());
    }
    let subnet = Prefix::parse(&config.subnet).ok_or("invalid address pool")?.masked();
    let range = Prefix::parse(&config.range).map(Prefix::masked);
    // `allocateSubnet`: only whole subnets are compared with all others; a part of one that exists only with the parts
    // that are taken of it.
    let collides = match range {
        None => taken.iter().any(|other| other.subnet.overlaps(subnet)),
        Some(_) => taken.iter().any(|other| other.subnet == subnet && other.range == range),
    };
    if collides { Err(OVERLAP.to_owned()) } else { Ok(Taken { subnet, range }) }
}

/// The subnets of length `size` in `base`.
fn parts(base: Prefix, size: u8) -> impl Iterator<Item = Prefix> {
    let is_ipv4 = base.is_ipv4();
    let count = 1u128 << u32::from(size.saturating_sub(base.length)).min(16);
    let step = 1u128 << Prefix { length: size, ..base }.host_bits().min(127);
    let first = number(base.first());
    (0..count).map(move |part| Prefix { address: from_number(first + part * step, is_ipv4), length: size })
}

impl Pool {
    /// Whether the address can never be given away: the network's own, and IPv4's broadcast address
    /// (`newPoolData`; RFC 3021 for /31).
    fn is_special(&self, address: IpAddr) -> bool {
        let wide = self.subnet.host_bits() > 1;
        let lowest = address == self.subnet.first() && (wide || !self.subnet.is_ipv4());
        lowest || self.subnet.is_ipv4() && wide && address == self.subnet.last()
    }

    /// Whether the address is the gateway's or another's.
    fn is_set_aside(&self, address: IpAddr) -> bool {
        self.gateway == Some(address) || self.aux.values().any(|other| *other == address)
    }

    /// `RequestAddress`: the address asked for, or the lowest that is free.
    ///
    /// # Errors
    /// It is taken, or none is left.
    pub fn request(&self, wanted: Option<IpAddr>, used: &BTreeSet<IpAddr>) -> Result<IpAddr, String> {
        let is_free = |address: IpAddr| {
            !self.is_special(address) && !self.is_set_aside(address) && !used.contains(&address)
        };
        if let Some(address) = wanted {
            return if is_free(address) { Ok(address) } else { Err(IN_USE.to_owned()) };
        }
        let range = self.range.unwrap_or(self.subnet);
        let (mut next, last) = (number(range.first()), number(range.last()));
        // Every step but the last few passes an address that somebody has: this ends.
        while next <= last {
            let address = from_number(next, range.is_ipv4());
            if is_free(address) {
                return Ok(address);
            }
            next = match next.checked_add(1) {
                Some(next) => next,
                None => break,
            };
        }
        Err(NONE_LEFT.to_owned())
    }
}

/// The subnets of a new network with their gateways (`ipamAllocateVersion`). `wants_gateway` says whether a gateway is
/// chosen where the user names none.
///
/// # Errors
/// A subnet or an address cannot be had.
pub(super) fn allocate(
    configs: &[Config],
    families: (bool, bool),
    taken: &[Taken],
    reserved: &[Prefix],
    unique_local: Prefix,
    wants_gateway: bool,
) -> Result<Vec<Pool>, String> {
    let mut taken = taken.to_vec();
    let mut pools = Vec::new();
    for is_ipv4 in [true, false] {
        if !(if is_ipv4 { families.0 } else { families.1 }) {
            continue;
        }
        let own = |config: &&Config| Prefix::parse(&config.subnet).is_some_and(|p| p.is_ipv4() == is_ipv4);
        let mut configs: Vec<Config> = configs.iter().filter(own).cloned().collect();
        if configs.is_empty() {
            configs.push(Config::default());
        }
        for config in &configs {
            let chosen = choose_subnet(config, is_ipv4, &taken, reserved, unique_local)?;
            taken.push(chosen);
            let mut pool =
                Pool { subnet: chosen.subnet, range: chosen.range, gateway: None, aux: BTreeMap::new() };
            let wanted: Option<IpAddr> = config.gateway.parse().ok();
            if wanted.is_some() || wants_gateway {
                let failed = |error| format!("failed to allocate gateway ({}): {error}", config.gateway);
                pool.gateway = Some(pool.request(wanted, &BTreeSet::new()).map_err(failed)?);
            }
            for (name, address) in &config.aux {
                let Ok(parsed) = address.parse() else { continue };
                let failed =
                    |error| format!("failed to allocate secondary ip address ({name}:{address}): {error}");
                pool.request(Some(parsed), &BTreeSet::new()).map_err(failed)?;
                pool.aux.insert(name.clone(), parsed);
            }
            pools.push(pool);
        }
    }
    Ok(pools)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> Prefix {
        Prefix::parse(text).expect("a prefix")
    }

    fn config(subnet: &str, range: &str, gateway: &str) -> Config {
        Config { subnet: subnet.into(), range: range.into(), gateway: gateway.into(), aux: BTreeMap::new() }
    }

    fn create(configs: &[Config], taken: &[Taken], reserved: &[&str]) -> Result<Vec<Pool>, String> {
        let reserved: Vec<Prefix> = reserved.iter().map(|text| prefix(text)).collect();
        allocate(configs, (true, false), taken, &reserved, prefix("fd00::/48"), true)
    }

    fn whole(text: &str) -> Taken {
        Taken { subnet: prefix(text), range: None }
    }

    #[test]
    fn predefined_subnets_come_in_their_order() {
        let mut taken = Vec::new();
        let mut given = Vec::new();
        while let Ok(pools) = create(&[], &taken, &["192.168.0.0/17"]) {
            given.push(pools[0].subnet.to_string());
            taken.push(Taken { subnet: pools[0].subnet, range: None });
        }
        assert_eq!(given.first().map(String::as_str), Some("172.17.0.0/16"));
        assert_eq!(given.get(14).map(String::as_str), Some("172.31.0.0/16"));
        assert_eq!(given.get(15).map(String::as_str), Some("192.168.128.0/20"));
        assert_eq!(given.len(), 15 + 8);
        let error = create(&[], &taken, &["192.168.0.0/17"]);
        assert_eq!(error, Err("all predefined address pools have been fully subnetted".to_owned()));
    }

    #[test]
    fn the_gateway_is_the_first_address_of_the_range() {
        let gateway =
            |config: Config| create(&[config], &[], &[]).map(|pools| pools[0].gateway.map(|g| g.to_string()));
        assert_eq!(gateway(config("10.1.0.0/16", "", "")), Ok(Some("10.1.0.1".to_owned())));
        assert_eq!(gateway(config("10.1.0.0/16", "10.1.5.0/24", "")), Ok(Some("10.1.5.0".to_owned())));
        assert_eq!(gateway(config("10.1.0.0/16", "", "10.1.9.9")), Ok(Some("10.1.9.9".to_owned())));
        let broadcast = gateway(config("10.1.0.0/24", "", "10.1.0.255"));
        assert_eq!(
            broadcast,
            Err("failed to allocate gateway (10.1.0.255): Address already in use".to_owned())
        );
    }

    #[test]
    fn whole_subnets_must_not_overlap_but_parts_may() {
        let taken = [whole("10.1.0.0/16")];
        assert_eq!(create(&[config("10.1.5.0/24", "", "")], &taken, &[]), Err(OVERLAP.to_owned()));
        assert_eq!(create(&[config("10.0.0.0/8", "", "")], &taken, &[]), Err(OVERLAP.to_owned()));
        assert!(create(&[config("10.1.0.0/16", "10.1.5.0/24", "")], &taken, &[]).is_ok());
        let part = Taken { subnet: prefix("10.1.0.0/16"), range: Some(prefix("10.1.5.0/24")) };
        let twice = create(&[config("10.1.0.0/16", "10.1.5.0/24", "")], &[part], &[]);
        assert_eq!(twice, Err(OVERLAP.to_owned()));
        assert!(create(&[config("10.2.0.0/16", "", "")], &taken, &["10.2.0.0/16"]).is_ok());
    }

    #[test]
    fn addresses_are_the_lowest_free_ones() {
        let pool = create(&[config("10.1.0.0/29", "", "")], &[], &[]).expect("a pool").remove(0);
        let mut used = BTreeSet::new();
        for last in 2..=6 {
            let address = pool.request(None, &used).expect("an address");
            assert_eq!(address.to_string(), format!("10.1.0.{last}"));
            used.insert(address);
        }
        assert_eq!(pool.request(None, &used), Err(NONE_LEFT.to_owned()));
        used.remove(&"10.1.0.3".parse().expect("an address"));
        assert_eq!(pool.request(None, &used).map(|a| a.to_string()), Ok("10.1.0.3".to_owned()));
        for taken in ["10.1.0.0", "10.1.0.1", "10.1.0.2", "10.1.0.7"] {
            assert_eq!(pool.request(taken.parse().ok(), &used), Err(IN_USE.to_owned()), "{taken}");
        }
    }

    #[test]
    fn small_subnets_have_no_broadcast_address() {
        let pool = Pool { subnet: prefix("10.0.0.0/31"), range: None, gateway: None, aux: BTreeMap::new() };
        assert_eq!(pool.request(None, &BTreeSet::new()).map(|a| a.to_string()), Ok("10.0.0.0".to_owned()));
        let used = ["10.0.0.0".parse().expect("an address")].into();
        assert_eq!(pool.request(None, &used).map(|a| a.to_string()), Ok("10.0.0.1".to_owned()));
    }

    #[test]
    fn a_range_and_other_addresses_are_respected() {
        let mut asked = config("192.168.2.0/24", "192.168.2.128/30", "192.168.2.1");
        asked.aux.insert("router".into(), "192.168.2.129".into());
        let pool = create(&[asked], &[], &[]).expect("a pool").remove(0);
        let mut used = BTreeSet::new();
        let mut given = Vec::new();
        while let Ok(address) = pool.request(None, &used) {
            given.push(address.to_string());
            used.insert(address);
        }
        assert_eq!(given, ["192.168.2.128", "192.168.2.130", "192.168.2.131"]);
        // A fixed address need not be in the range.
        assert!(pool.request("192.168.2.9".parse().ok(), &used).is_ok());
    }

    /// The texts of moby's `api/types/network`.
    #[test]
    fn everything_wrong_is_told_at_once() {
        let error = validate(&[config("10.0.0.5/24", "10.0.1.0/23", "10.9.0.1")], false);
        assert_eq!(
            error,
            Err("invalid network config:\n* invalid subnet 10.0.0.5/24: it should be 10.0.0.0/24\n* invalid ip-range \
                 10.0.1.0/23: CIDR block is bigger than its parent subnet 10.0.0.5/24\n* invalid ip-range \
                 10.0.1.0/23: it should be 10.0.0.0/23\n* invalid gateway 10.9.0.1: parent subnet 10.0.0.5/24 \
                 doesn't contain this address"
                .to_owned())
        );
        let one = validate(&[config("10.0.0.0/24", "", "fd00::1")], false);
        let text = "invalid network config:\ninvalid gateway fd00::1: parent subnet is an IPv4 block";
        assert_eq!(one, Err(text.to_owned()));
        assert_eq!(validate(&[config("fd00::/64", "", "x")], false), Ok(()));
    }
}
