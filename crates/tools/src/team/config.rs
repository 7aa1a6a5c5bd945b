//! The configuration of `teamd`: JSON, into which the program puts what it goes by where nothing is said (teamd.conf(5)).

use std::net::Ipv4Addr;

use hairpin_netlink::Errno;
use hairpin_netlink::team::{
    TeamArpPing, TeamDaemon, TeamHash, TeamLacp, TeamMacPolicy, TeamMode, TeamPolicy, TeamPortConfig,
    TeamWatch,
};
use serde_json::{Map, Value as Json, json};

/// Link watches of the real program that the emulated kernel lacks.
const OTHER_WATCHES: &[&str] = &["nsna_ping", "tipc"];

/// Why a configuration will not do.
pub(super) enum Unfit {
    NotEmulated(String),
    /// The real program says why in the system's log.
    Refused(Errno),
}

use Unfit::{NotEmulated, Refused};

/// What the kernel is to know of a configuration, into which defaults are put as the real program puts them.
pub(super) fn read(config: &mut Map<String, Json>) -> Result<TeamDaemon, Unfit> {
    let name = runner_value(config, "name").and_then(Json::as_str).unwrap_or("roundrobin").to_owned();
    let talks = name == "lacp";
    let mode = if talks { "loadbalance" } else { name.as_str() };
    let mode = TeamMode::ALL.into_iter().find(|known| known.name() == mode).ok_or(Refused(Errno::EINVAL))?;
    set_default(config, "runner", "name", json!(name));
    let mut mac_policy = TeamMacPolicy::default();
    if mode == TeamMode::ActiveBackup {
        set_default(config, "notify_peers", "count", json!(1));
        set_default(config, "mcast_rejoin", "count", json!(1));
        mac_policy = match runner_value(config, "hwaddr_policy").and_then(Json::as_str) {
            None | Some("same_all") => TeamMacPolicy::SameAll,
            Some("by_active") => TeamMacPolicy::ByActive,
            Some("only_active") => TeamMacPolicy::OnlyActive,
            Some(_) => return Err(Refused(Errno::ENOENT)),
        };
    }
    let mut hash = TeamHash::default();
    if mode == TeamMode::LoadBalance {
        set_default(config, "runner", "tx_hash", json!(["eth", "ipv4", "ipv6"]));
        let words = runner_value(config, "tx_hash").and_then(Json::as_array).cloned().unwrap_or_default();
        // An unknown word is passed over.
        let parts = words.iter().filter_map(Json::as_str).filter_map(TeamHash::of);
        hash = parts.fold(hash, |hash, part| TeamHash(hash.0 | part.0));
    }
    let watches = watches(config.get("link_watch"))?;
    let mut ports = Vec::new();
    if let Some(Json::Object(configured)) = config.get("ports") {
        for (name, port) in configured {
            ports.push(read_port(name, port)?);
        }
    }
    let pair = |name: &str| {
        let of = |key: &str| {
            let value = config.get(name).and_then(|object| object.get(key));
            let value = value.and_then(Json::as_i64).unwrap_or(0);
            u32::try_from(value).map_err(|_| Refused(Errno::EINVAL))
        };
        Ok((of("count")?, of("interval")?))
    };
    Ok(TeamDaemon {
        mode,
        lacp: if talks { Some(read_lacp(config)?) } else { None },
        hash,
        balances: balancer(config),
        mac_policy,
        own_mac: config.contains_key("hwaddr"),
        watches,
        notify_peers: pair("notify_peers")?,
        mcast_rejoin: pair("mcast_rejoin")?,
        ports,
        config: Json::Object(config.clone()).to_string(),
        destroys: true,
        process_id: 0,
        debug_level: 0,
    })
}

fn runner_value<'a>(config: &'a Map<String, Json>, key: &str) -> Option<&'a Json> {
    config.get("runner")?.get(key)
}

fn set_default(config: &mut Map<String, Json>, object: &str, key: &str, value: Json) {
    if let Json::Object(object) = config.entry(object).or_insert_with(|| json!({})) {
        object.entry(key).or_insert(value);
    }
}

/// The interval of `tx_balancer` in tenths of a second; none where it is off.
fn balancer(config: &Map<String, Json>) -> Option<u32> {
    const DEFAULT: u32 = 50;
    let balancer = runner_value(config, "tx_balancer")?;
    let basic = balancer.get("name").and_then(Json::as_str) == Some("basic");
    let interval = balancer.get("balancing_interval").and_then(Json::as_i64);
    basic.then(|| interval.and_then(|interval| u32::try_from(interval).ok()).unwrap_or(DEFAULT))
}

/// `lacp_load_config`
fn read_lacp(config: &Map<String, Json>) -> Result<TeamLacp, Unfit> {
    let flag = |key: &str, default| runner_value(config, key).and_then(Json::as_bool).unwrap_or(default);
    let number = |key: &str, default, least, most| {
        let value = runner_value(config, key).and_then(Json::as_i64).unwrap_or(default);
        if (least..=most).contains(&value) { Ok(value) } else { Err(Refused(Errno::EINVAL)) }
    };
    let policy = match runner_value(config, "agg_select_policy").and_then(Json::as_str) {
        None => TeamPolicy::default(),
        Some(name) => TeamPolicy::of(name).ok_or(Refused(Errno::ENOENT))?,
    };
    const MOST: i64 = u16::MAX as i64;
    Ok(TeamLacp {
        active: flag("active", true),
        // Within bounds.
        system_priority: number("sys_prio", MOST, 0, MOST)? as u16,
        fast_rate: flag("fast_rate", false),
        min_ports: number("min_ports", 1, 1, 255)? as u32,
        policy,
    })
}

/// What is said of a port.
pub(super) fn read_port(name: &str, port: &Json) -> Result<TeamPortConfig, Unfit> {
    let number = |key: &str| port.get(key).and_then(Json::as_i64);
    let short = |key: &str, default: u16| match number(key) {
        None => Ok(default),
        Some(value) => u16::try_from(value).map_err(|_| Refused(Errno::EINVAL)),
    };
    let default = TeamPortConfig::named(name);
    Ok(TeamPortConfig {
        priority: number("prio").map(i32::try_from).transpose().map_err(|_| Refused(Errno::ERANGE))?,
        queue_id: number("queue_id").map(u32::try_from).transpose().map_err(|_| Refused(Errno::EINVAL))?,
        sticky: port.get("sticky").and_then(Json::as_bool).unwrap_or(false),
        lacp_priority: short("lacp_prio", default.lacp_priority)?,
        lacp_key: short("lacp_key", default.lacp_key)?,
        watches: watches(port.get("link_watch"))?,
        ..default
    })
}

/// One link watch, or several in an array.
fn watches(config: Option<&Json>) -> Result<Vec<TeamWatch>, Unfit> {
    match config {
        None => Ok(Vec::new()),
        Some(Json::Array(watches)) => watches.iter().map(read_watch).collect(),
        Some(watch) => Ok(vec![read_watch(watch)?]),
    }
}

fn read_watch(watch: &Json) -> Result<TeamWatch, Unfit> {
    let number = |key: &str, default: i64| {
        let value = watch.get(key).and_then(Json::as_i64).unwrap_or(default);
        u32::try_from(value).map_err(|_| Refused(Errno::EINVAL))
    };
    let flag = |key: &str| watch.get(key).and_then(Json::as_bool).unwrap_or(false);
    match watch.get("name").and_then(Json::as_str) {
        Some("ethtool") => {
            Ok(TeamWatch::Ethtool { delay_up: number("delay_up", 0)?, delay_down: number("delay_down", 0)? })
        }
        Some("arp_ping") => {
            let host = |key: &str| watch.get(key).and_then(Json::as_str).map(address).transpose();
            let vlan = watch.get("vlanid").and_then(Json::as_i64);
            const VLANS: u16 = 4096;
            let vlan = vlan
                .map(|vid| u16::try_from(vid).ok().filter(|vid| *vid < VLANS).ok_or(Refused(Errno::EINVAL)));
            Ok(TeamWatch::ArpPing(TeamArpPing {
                source: host("source_host")?.unwrap_or(Ipv4Addr::UNSPECIFIED),
                target: host("target_host")?.ok_or(Refused(Errno::EINVAL))?,
                vlan: vlan.transpose()?,
                interval: number("interval", 1000)?,
                init_wait: number("init_wait", 0)?,
                missed_max: number("missed_max", 3)?,
                validate_active: flag("validate_active"),
                validate_inactive: flag("validate_inactive"),
                send_always: flag("send_always"),
            }))
        }
        Some(name) if OTHER_WATCHES.contains(&name) => Err(NotEmulated(format!("the link watch {name}"))),
        Some(_) => Err(Refused(Errno::EINVAL)),
        None => Err(Refused(Errno::ENOENT)),
    }
}

/// A host given by its address.
fn address(text: &str) -> Result<Ipv4Addr, Unfit> {
    text.parse().map_err(|_| Refused(Errno::EINVAL))
}
