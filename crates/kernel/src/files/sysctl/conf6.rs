//! `net.ipv6.conf.{all,default,DEV}.*` (net/ipv6/addrconf.c of Linux 6.1).

use hairpin_netlink::Errno;

use super::device::Scope;
use super::number;
use crate::device::{AddrGenMode, DevId};
use crate::netns::NsId;
use crate::sysctl::Overrides;
use crate::world::World;

/// An integer of each device. Those that the stack uses are in [`EFFECTIVE`].
struct Key {
    name: &'static str,
    all: i64,
    default: i64,
    loopback: i64,
    min: i64,
    max: i64,
}

const MIN: i64 = i32::MIN as i64;
const MAX: i64 = i32::MAX as i64;

const fn int(name: &'static str, default: i64) -> Key {
    Key { name, all: default, default, loopback: default, min: MIN, max: MAX }
}

const fn range(name: &'static str, default: i64, min: i64, max: i64) -> Key {
    Key { name, all: default, default, loopback: default, min, max }
}

const fn differing(name: &'static str, all: i64, default: i64, loopback: i64) -> Key {
    Key { name, all, default, loopback, min: MIN, max: MAX }
}

const KEYS: &[Key] = &[
    differing("accept_dad", 0, 1, -1),
    int("accept_ra", 1),
    int("accept_ra_defrtr", 1),
    int("accept_ra_from_local", 0),
    int("accept_ra_min_hop_limit", 1),
    int("accept_ra_min_lft", 0),
    int("accept_ra_mtu", 1),
    int("accept_ra_pinfo", 1),
    int("accept_ra_rt_info_max_plen", 0),
    int("accept_ra_rt_info_min_plen", 0),
    int("accept_ra_rtr_pref", 1),
    int("accept_redirects", 1),
    int("accept_source_route", 0),
    range("accept_untracked_na", 0, 0, 2),
    int(ADDR_GEN_MODE, 0),
    int("autoconf", 1),
    int("dad_transmits", 1),
    int(DISABLE_IPV6, 0),
    int("disable_policy", 0),
    int("drop_unicast_in_l2_multicast", 0),
    int("drop_unsolicited_na", 0),
    int("enhanced_dad", 1),
    int("force_mld_version", 0),
    int("force_tllao", 0),
    int(FORWARDING, 0),
    range("hop_limit", 64, 1, 255),
    int(IGNORE_LINKDOWN, 0),
    range("ioam6_enabled", 0, 0, 1),
    range("ioam6_id", 65_535, 0, 65_535),
    range("ioam6_id_wide", 4_294_967_295, 0, 4_294_967_295),
    int("keep_addr_on_down", 0),
    int("max_addresses", 16),
    int("max_desync_factor", 600),
    int(MC_FORWARDING, 0),
    int("mldv1_unsolicited_report_interval", 10_000),
    int("mldv2_unsolicited_report_interval", 1_000),
    int(MTU, 1280),
    range("ndisc_evict_nocarrier", 1, 0, 1),
    int("ndisc_notify", 0),
    range("ndisc_tclass", 0, 0, 255),
    int("optimistic_dad", 0),
    int("proxy_ndp", 0),
    range("ra_defrtr_metric", 1024, 1, 4_294_967_295),
    int("regen_max_retry", 3),
    int("router_probe_interval", 60),
    int("router_solicitation_delay", 1),
    int("router_solicitation_interval", 4),
    int("router_solicitation_max_interval", 3600),
    range("router_solicitations", -1, -1, MAX),
    int("rpl_seg_enabled", 0),
    int("seg6_enabled", 0),
    int("seg6_require_hmac", 0),
    int("suppress_frag_ndisc", 1),
    int("temp_prefered_lft", 86_400),
    int("temp_valid_lft", 604_800),
    int("use_oif_addrs_only", 0),
    int("use_optimistic", 0),
    differing("use_tempaddr", 0, 0, -1),
];

const ADDR_GEN_MODE: &str = "addr_gen_mode";
const DISABLE_IPV6: &str = "disable_ipv6";
const FORWARDING: &str = "forwarding";
const IGNORE_LINKDOWN: &str = "ignore_routes_with_linkdown";
const MC_FORWARDING: &str = "mc_forwarding";
const MTU: &str = "mtu";
/// A secret that addresses are made from; it can be written, and read once it has been.
const STABLE_SECRET: &str = "stable_secret";
/// Keys that writing to `all` sets for every device too.
const FOR_ALL: &[&str] = &["disable_policy", IGNORE_LINKDOWN];

pub(super) fn keys() -> Vec<&'static str> {
    KEYS.iter().map(|key| key.name).chain([STABLE_SECRET]).collect()
}

pub(super) fn read(world: &World, ns: NsId, scope: Scope, key: &str) -> Result<String, Errno> {
    if key == STABLE_SECRET {
        return Err(Errno::EIO);
    }
    Ok(format!("{}\n", value(world, ns, scope, find(key)?)))
}

fn value(world: &World, ns: NsId, scope: Scope, key: &Key) -> i64 {
    let value = effective(world, ns, scope, key.name).or_else(|| kept(world, ns, scope, key.name));
    let default = match scope {
        Scope::All => key.all,
        Scope::Default => key.default,
        Scope::Device(dev) if world.devs.get(dev).is_some_and(|device| device.is_loopback()) => key.loopback,
        Scope::Device(_) => key.default,
    };
    value.unwrap_or(default)
}

impl World {
    /// A value of a device, of all, or of devices to come; 0 for a key that there is not.
    pub(crate) fn conf6_in(&self, ns: NsId, scope: Scope, key: &str) -> i64 {
        find(key).map_or(0, |key| value(self, ns, scope, key))
    }

    /// A value of `net.ipv6.conf.DEV`; 0 for a key that there is not.
    pub(crate) fn conf6(&self, dev: DevId, key: &str) -> i64 {
        let Some(ns) = self.devs.get(dev).map(|device| device.ns) else { return 0 };
        find(key).map_or(0, |key| value(self, ns, Scope::Device(dev), key))
    }

    /// The value of `net.ipv6.conf.all` where the device is.
    pub(crate) fn conf6_of_all(&self, dev: DevId, key: &str) -> i64 {
        let Some(ns) = self.devs.get(dev).map(|device| device.ns) else { return 0 };
        find(key).map_or(0, |key| value(self, ns, Scope::All, key))
    }

    /// Whether a key is set for all or for the device.
    pub(crate) fn conf6_either(&self, dev: DevId, key: &str) -> bool {
        self.conf6_of_all(dev, key) != 0 || self.conf6(dev, key) != 0
    }
}

/// Values that the stack uses.
fn effective(world: &World, ns: NsId, scope: Scope, key: &str) -> Option<i64> {
    let sysctl = &world.netns.get(ns)?.sysctl;
    // A switch shows the number that was written.
    let switch = |on: bool| {
        let written = kept(world, ns, scope, key).filter(|written| (*written != 0) == on);
        written.unwrap_or(on.into())
    };
    let value = match (key, scope) {
        (DISABLE_IPV6, Scope::All) => switch(sysctl.ipv6_disable_all),
        (DISABLE_IPV6, Scope::Default) => switch(sysctl.ipv6_disable_default),
        (DISABLE_IPV6, Scope::Device(dev)) => switch(world.devs.get(dev)?.ipv6_disabled),
        (FORWARDING, Scope::All) => switch(sysctl.ipv6_forwarding),
        (ADDR_GEN_MODE, Scope::Device(dev)) => world.devs.get(dev)?.addr_gen_mode as i64,
        (MTU, Scope::Device(dev)) => {
            let device = world.devs.get(dev)?;
            kept(world, ns, scope, key).unwrap_or_else(|| device.mtu.into())
        }
        _ => return None,
    };
    Some(value)
}

fn kept(world: &World, ns: NsId, scope: Scope, key: &str) -> Option<i64> {
    let sysctl = &world.netns.get(ns)?.sysctl;
    let values: &Overrides = match scope {
        Scope::All => &sysctl.ipv6_all,
        Scope::Default => &sysctl.ipv6_default,
        Scope::Device(dev) => &world.devs.get(dev)?.ipv6_conf,
    };
    values.get(key).copied()
}

pub(super) fn write(world: &mut World, ns: NsId, scope: Scope, key: &str, data: &[u8]) -> Result<(), Errno> {
    match key {
        // Addresses made from a secret are missing.
        STABLE_SECRET => return Err(Errno::EOPNOTSUPP),
        MC_FORWARDING => return Err(Errno::EACCES),
        _ => {}
    }
    let key = find(key)?;
    if data.is_empty() {
        return Ok(());
    }
    let value = number::integers(data, 1)?.first().copied().ok_or(Errno::EINVAL)?;
    if !(key.min..=key.max).contains(&value) {
        return Err(Errno::EINVAL);
    }
    match key.name {
        DISABLE_IPV6 => disable(world, ns, scope, key.name, value),
        FORWARDING => forward(world, ns, scope, key.name, value),
        ADDR_GEN_MODE => generate(world, ns, scope, key.name, value),
        MTU => {
            if let Scope::Device(dev) = scope {
                let mtu = world.devs.get(dev).ok_or(Errno::ENOENT)?.mtu;
                if !(1280..=i64::from(mtu)).contains(&value) {
                    return Err(Errno::EINVAL);
                }
            }
            keep(world, ns, scope, key.name, value)
        }
        name if scope == Scope::All && FOR_ALL.contains(&name) => {
            everywhere(world, ns, name, value)?;
            for dev in devices(world, ns) {
                world.settle_ignore_linkdown6(dev);
            }
            Ok(())
        }
        IGNORE_LINKDOWN => {
            keep(world, ns, scope, IGNORE_LINKDOWN, value)?;
            if let Scope::Device(dev) = scope {
                world.settle_ignore_linkdown6(dev);
            }
            Ok(())
        }
        name => keep(world, ns, scope, name, value),
    }
}

/// `addrconf_disable_ipv6`: for all, new devices and every device alike.
fn disable(world: &mut World, ns: NsId, scope: Scope, name: &'static str, value: i64) -> Result<(), Errno> {
    let disabled = value != 0;
    let sysctl = &mut world.netns.get_mut(ns).ok_or(Errno::ENOENT)?.sysctl;
    match scope {
        Scope::All => {
            sysctl.ipv6_disable_all = disabled;
            sysctl.ipv6_disable_default = disabled;
            for dev in devices(world, ns) {
                world.set_ipv6_disabled(dev, disabled);
            }
            return everywhere(world, ns, name, value);
        }
        Scope::Default => sysctl.ipv6_disable_default = disabled,
        Scope::Device(dev) => world.set_ipv6_disabled(dev, disabled),
    }
    keep(world, ns, scope, name, value)
}

/// `addrconf_fixup_forwarding`
fn forward(world: &mut World, ns: NsId, scope: Scope, name: &'static str, value: i64) -> Result<(), Errno> {
    let chosen = match scope {
        Scope::All => {
            world.netns.get_mut(ns).ok_or(Errno::ENOENT)?.sysctl.ipv6_forwarding = value != 0;
            devices(world, ns)
        }
        Scope::Default => Vec::new(),
        Scope::Device(dev) => vec![dev],
    };
    let before: Vec<bool> = chosen.iter().map(|dev| world.forwards6(*dev)).collect();
    match scope {
        Scope::All => everywhere(world, ns, name, value)?,
        scope => keep(world, ns, scope, name, value)?,
    }
    for (dev, before) in chosen.into_iter().zip(before) {
        if before != (value != 0) {
            world.ip6_forwarding_changed(dev);
        }
    }
    Ok(())
}

/// `addrconf_sysctl_addr_gen_mode`: for all, new devices and every device alike.
fn generate(world: &mut World, ns: NsId, scope: Scope, name: &'static str, value: i64) -> Result<(), Errno> {
    let mode = match value {
        0 => AddrGenMode::Eui64,
        1 => AddrGenMode::None,
        3 => AddrGenMode::Random,
        // 2 needs a secret, which no device has.
        _ => return Err(Errno::EINVAL),
    };
    let devices = match scope {
        Scope::Device(dev) => vec![dev],
        Scope::All => devices(world, ns),
        Scope::Default => Vec::new(),
    };
    for dev in devices {
        if let Some(device) = world.devs.get_mut(dev) {
            device.addr_gen_mode = mode;
        }
        world.ip6_mode_changed(dev);
    }
    match scope {
        Scope::All => {
            keep(world, ns, Scope::All, name, value)?;
            keep(world, ns, Scope::Default, name, value)
        }
        Scope::Default => keep(world, ns, Scope::Default, name, value),
        Scope::Device(_) => Ok(()),
    }
}

fn everywhere(world: &mut World, ns: NsId, name: &'static str, value: i64) -> Result<(), Errno> {
    keep(world, ns, Scope::All, name, value)?;
    keep(world, ns, Scope::Default, name, value)?;
    for dev in devices(world, ns) {
        keep(world, ns, Scope::Device(dev), name, value)?;
    }
    Ok(())
}

fn keep(world: &mut World, ns: NsId, scope: Scope, name: &'static str, value: i64) -> Result<(), Errno> {
    let sysctl = &mut world.netns.get_mut(ns).ok_or(Errno::ENOENT)?.sysctl;
    let values = match scope {
        Scope::All => &mut sysctl.ipv6_all,
        Scope::Default => &mut sysctl.ipv6_default,
        Scope::Device(dev) => &mut world.devs.get_mut(dev).ok_or(Errno::ENOENT)?.ipv6_conf,
    };
    values.insert(name, value);
    Ok(())
}

fn find(key: &str) -> Result<&'static Key, Errno> {
    KEYS.iter().find(|known| known.name == key).ok_or(Errno::ENOENT)
}

fn devices(world: &World, ns: NsId) -> Vec<DevId> {
    world.netns.get(ns).map(|netns| netns.order.clone()).unwrap_or_default()
}
