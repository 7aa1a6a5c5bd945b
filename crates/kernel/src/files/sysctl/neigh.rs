//! `net.{ipv4,ipv6}.neigh.{default,DEV}.*` (net/core/neighbour.c).

use hairpin_netlink::Errno;

use super::device::Scope;
use super::number::{self, TICK_MS, whole_ticks};
use crate::netns::NsId;
use crate::sysctl::{NeighParams, Sysctl};
use crate::world::World;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Ipv4,
    Ipv6,
}

/// One value of a device. Keys in different units may name the same value.
struct Key {
    name: &'static str,
    /// Bit in [`NeighParams::kept`].
    slot: u32,
    unit: Unit,
    get: fn(&NeighParams) -> i64,
    set: fn(&mut NeighParams, i64),
}

/// How a key counts, with the value kept in milliseconds or as it is. The kernel keeps times in ticks, of which
/// the emulated one has 250 a second: what is written is rounded to them.
#[derive(Clone, Copy)]
enum Unit {
    Plain,
    /// `proc_dointvec_jiffies`
    Seconds,
    /// `proc_dointvec_userhz_jiffies`: hundredths of a second, rounded down to a tick.
    UserTicks,
    /// `proc_dointvec_ms_jiffies`: rounded up to a tick.
    Milliseconds,
    /// IPv4 counts as `UserTicks`, IPv6 in ticks.
    Ticks,
    /// Bytes that a packet of full size weighs.
    Packets,
}

macro_rules! keys {
    ($($name:literal, $slot:literal, $unit:expr, $field:ident: $type:ty;)*) => {
        const KEYS: &[Key] = &[$(Key {
            name: $name,
            slot: $slot,
            unit: $unit,
            get: |params| i64::try_from(params.$field).unwrap_or(i64::MAX),
            set: |params, value| params.$field = <$type>::try_from(value).unwrap_or_default(),
        },)*];
    };
}

keys! {
    "anycast_delay", 0, Unit::UserTicks, anycast_delay_ms: u64;
    "app_solicit", 1, Unit::Plain, app_solicit: i32;
    "base_reachable_time", 2, Unit::Seconds, base_reachable_ms: u64;
    "base_reachable_time_ms", 2, Unit::Milliseconds, base_reachable_ms: u64;
    "delay_first_probe_time", 3, Unit::Seconds, delay_first_probe_ms: u64;
    "gc_stale_time", 4, Unit::Seconds, gc_stale_ms: u64;
    "interval_probe_time_ms", 5, Unit::Milliseconds, interval_probe_ms: u64;
    "locktime", 6, Unit::UserTicks, locktime_ms: u64;
    "mcast_resolicit", 7, Unit::Plain, mcast_resolicit: i32;
    "mcast_solicit", 8, Unit::Plain, mcast_solicit: i32;
    "proxy_delay", 9, Unit::UserTicks, proxy_delay_ms: u64;
    "proxy_qlen", 10, Unit::Plain, proxy_qlen: i32;
    "retrans_time", 11, Unit::Ticks, retrans_ms: u64;
    "retrans_time_ms", 11, Unit::Milliseconds, retrans_ms: u64;
    "ucast_solicit", 12, Unit::Plain, ucast_solicit: i32;
    "unres_qlen", 13, Unit::Packets, unres_qlen_bytes: i32;
    "unres_qlen_bytes", 13, Unit::Plain, unres_qlen_bytes: i32;
}

/// Keys of the table itself, beside `default`; they are the kernel's, and so in its first namespace.
struct TableKey {
    name: &'static str,
    unit: Unit,
    /// As it is kept: a time in milliseconds.
    default: i64,
    /// The field of the IPv4 table that the stack uses.
    field: Option<fn(&mut Sysctl) -> &mut i32>,
}

const TABLE_KEYS: &[TableKey] = &[
    TableKey { name: "gc_interval", unit: Unit::Seconds, default: 30_000, field: None },
    TableKey {
        name: "gc_thresh1",
        unit: Unit::Plain,
        default: 128,
        field: Some(|sysctl| &mut sysctl.gc_thresh1),
    },
    TableKey {
        name: "gc_thresh2",
        unit: Unit::Plain,
        default: 512,
        field: Some(|sysctl| &mut sysctl.gc_thresh2),
    },
    TableKey {
        name: "gc_thresh3",
        unit: Unit::Plain,
        default: 1024,
        field: Some(|sysctl| &mut sysctl.gc_thresh3),
    },
];

impl TableKey {
    fn kept(&self, sysctl: &Sysctl, family: Family) -> i64 {
        let kept = sysctl.other.get(&other(family, self)).and_then(|text| text.parse().ok());
        kept.unwrap_or(self.default)
    }

    /// Keeps a value, as many bits of it as an `int` has.
    fn keep(&self, sysctl: &mut Sysctl, family: Family, value: i64) {
        match (family, self.field) {
            (Family::Ipv4, Some(field)) => *field(sysctl) = value as i32,
            (Family::Ipv6, _) if self.name == "gc_thresh3" => sysctl.gc6_thresh3 = value as i32,
            _ => {}
        }
        sysctl.other.insert(other(family, self), value.to_string());
    }
}

pub(super) fn keys(scope: Scope) -> Vec<&'static str> {
    let table = TABLE_KEYS.iter().filter(|_| scope == Scope::Default).map(|key| key.name);
    KEYS.iter().map(|key| key.name).chain(table).collect()
}

pub(super) fn read(
    world: &World,
    ns: NsId,
    family: Family,
    scope: Scope,
    key: &str,
) -> Result<String, Errno> {
    let sysctl = &world.netns.get(ns).ok_or(Errno::ENOENT)?.sysctl;
    if let Some(key) = table_key(scope, key) {
        return Ok(format!("{}\n", key.kept(sysctl, family) / per_unit(key.unit, family)));
    }
    let key = KEYS.iter().find(|known| known.name == key).ok_or(Errno::ENOENT)?;
    let params = match (scope, family) {
        (Scope::Device(dev), family) => {
            let device = world.devs.get(dev).ok_or(Errno::ENOENT)?;
            if family == Family::Ipv4 { &device.neigh_params } else { &device.neigh6_params }
        }
        (_, Family::Ipv4) => &sysctl.neigh_default,
        (_, Family::Ipv6) => &sysctl.neigh6_default,
    };
    Ok(format!("{}\n", (key.get)(params) / per_unit(key.unit, family)))
}

/// `neigh_proc_update`: a default is taken over by devices without a value of their own.
pub(super) fn write(
    world: &mut World,
    ns: NsId,
    family: Family,
    scope: Scope,
    key: &str,
    data: &[u8],
) -> Result<(), Errno> {
    let table = table_key(scope, key);
    let key = KEYS.iter().find(|known| known.name == key);
    if table.is_none() && key.is_none() {
        return Err(Errno::ENOENT);
    }
    if data.is_empty() {
        return Ok(());
    }
    let written = number::integers(data, 1)?.first().copied().unwrap_or_default();
    let value = i32::try_from(written).ok().filter(|value| *value >= 0).ok_or(Errno::EINVAL)?;
    if let Some(key) = table {
        let sysctl = &mut world.netns.get_mut(ns).ok_or(Errno::ENOENT)?.sysctl;
        key.keep(sysctl, family, kept(value.into(), key.unit, family));
        return Ok(());
    }
    let key = key.ok_or(Errno::ENOENT)?;
    let value = kept(value.into(), key.unit, family);
    let set = |params: &mut NeighParams| {
        (key.set)(params, value);
        params.kept |= 1 << key.slot;
    };
    match (scope, family) {
        (Scope::Device(dev), _) => {
            let device = world.devs.get_mut(dev).ok_or(Errno::ENOENT)?;
            set(if family == Family::Ipv4 { &mut device.neigh_params } else { &mut device.neigh6_params });
        }
        (_, family) => {
            let netns = world.netns.get_mut(ns).ok_or(Errno::ENOENT)?;
            let sysctl = &mut netns.sysctl;
            set(if family == Family::Ipv4 { &mut sysctl.neigh_default } else { &mut sysctl.neigh6_default });
            for dev in &netns.order {
                let Some(device) = world.devs.get_mut(*dev) else { continue };
                let params = match family {
                    Family::Ipv4 => &mut device.neigh_params,
                    Family::Ipv6 => &mut device.neigh6_params,
                };
                if params.kept & 1 << key.slot == 0 {
                    (key.set)(params, value);
                }
            }
        }
    }
    Ok(())
}

impl NeighParams {
    /// Sets a value that netlink names, a time in milliseconds (`NEIGH_VAR_SET`).
    pub(crate) fn set_by_netlink(&mut self, key: &str, value: u64) {
        let Some(key) = KEYS.iter().find(|known| known.name == key) else { return };
        let value = i64::try_from(value).unwrap_or(i64::MAX);
        let value = match key.unit {
            Unit::Plain => i64::from(value as i32),
            Unit::Packets => value.saturating_mul(NeighParams::PACKET.into()),
            _ => whole_ticks(value),
        };
        (key.set)(self, value);
        self.kept |= 1 << key.slot;
    }
}

impl World {
    /// A number of the table of neighbours of the kernel that a namespace is of: `gc_thresh1` and so on; a time in
    /// milliseconds.
    pub(crate) fn neigh_table_value(&self, ns: NsId, ipv6: bool, key: &str) -> i64 {
        let host = self.netns.get(ns).and_then(|netns| self.hosts.get(netns.host));
        let first = host.and_then(|host| self.netns.get(host.initial));
        let family = if ipv6 { Family::Ipv6 } else { Family::Ipv4 };
        table_key(Scope::Default, key).zip(first).map_or(0, |(key, first)| key.kept(&first.sysctl, family))
    }

    /// Sets one, for the first namespace of its kernel, to whatever number it is (`neightbl_set`).
    pub(crate) fn set_neigh_table_value(&mut self, ns: NsId, ipv6: bool, key: &str, value: i64) {
        let family = if ipv6 { Family::Ipv6 } else { Family::Ipv4 };
        let Some((key, netns)) = table_key(Scope::Default, key).zip(self.netns.get_mut(ns)) else { return };
        let value = match key.unit {
            Unit::Plain => i64::from(value as i32),
            _ => whole_ticks(value),
        };
        key.keep(&mut netns.sysctl, family, value);
    }
}

fn table_key(scope: Scope, key: &str) -> Option<&'static TableKey> {
    TABLE_KEYS.iter().find(|known| scope == Scope::Default && known.name == key)
}

fn other(family: Family, key: &TableKey) -> String {
    let family = if family == Family::Ipv4 { "ipv4" } else { "ipv6" };
    format!("{family}/neigh/default/{}", key.name)
}

/// How many of what is kept make one of what is shown.
fn per_unit(unit: Unit, family: Family) -> i64 {
    match (unit, family) {
        (Unit::Plain | Unit::Milliseconds, _) => 1,
        (Unit::Seconds, _) => 1000,
        (Unit::UserTicks, _) | (Unit::Ticks, Family::Ipv4) => 10,
        (Unit::Ticks, Family::Ipv6) => TICK_MS,
        (Unit::Packets, _) => i64::from(NeighParams::PACKET),
    }
}

/// What is kept of a written value.
fn kept(value: i64, unit: Unit, family: Family) -> i64 {
    let value = value.saturating_mul(per_unit(unit, family));
    match unit {
        Unit::Plain | Unit::Packets => value,
        Unit::Milliseconds => whole_ticks(value),
        Unit::Seconds | Unit::UserTicks | Unit::Ticks => value / TICK_MS * TICK_MS,
    }
}
