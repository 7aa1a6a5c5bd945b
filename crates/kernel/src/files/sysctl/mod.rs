//! `/proc/sys/net`: keys of a namespace in tables ([`ipv4`], [`others`]), keys of devices in [`device`].

mod bridge_netfilter;
mod conf4;
mod conf6;
mod device;
mod ipv4;
mod key;
mod neigh;
mod netfilter;
mod number;
mod others;

use hairpin_netlink::Errno;

use super::{Names, stamp_of};
use crate::netns::NsId;
use crate::world::World;
pub(crate) use device::Scope;
use device::{DeviceValues, FAMILIES, PerDevice};
use key::{Key, Surroundings};

/// The tables of keys that are there whatever devices there are.
const TABLES: &[&[Key]] = &[bridge_netfilter::KEYS, ipv4::KEYS, others::KEYS, netfilter::KEYS];

pub(super) fn read(world: &World, ns: NsId, names: Names<'_>) -> Result<Vec<u8>, Errno> {
    if let Some((family, below)) = family(names) {
        return match below {
            [] => Err(Errno::EISDIR),
            [scope, below @ ..] => {
                let scope = family.scope(world, ns, scope)?;
                let [key, beyond @ ..] = below else { return Err(Errno::EISDIR) };
                let text = family.read(world, ns, scope, key);
                if beyond.is_empty() { text.map(String::into_bytes) } else { Err(beyond_file(&text)) }
            }
        };
    }
    let path = names.join("/");
    match find(world, ns, &path) {
        Some(key) if key.name == "netfilter/nf_conntrack_count" => {
            Ok(format!("{}\n", world.connection_count(ns)).into_bytes())
        }
        Some(key) => {
            let sysctl = &world.netns.get(ns).ok_or(Errno::ENOENT)?.sysctl;
            key.read(sysctl).map(String::into_bytes)
        }
        None => Err(missing(world, ns, names)),
    }
}

pub(super) fn write(world: &mut World, ns: NsId, names: Names<'_>, data: &[u8]) -> Result<(), Errno> {
    if let Some((family, below)) = family(names) {
        return match below {
            [] => Err(Errno::EISDIR),
            [scope, below @ ..] => {
                let scope = family.scope(world, ns, scope)?;
                match below {
                    [] => Err(Errno::EISDIR),
                    [key] => {
                        family.write(world, ns, scope, key, data)?;
                        world.changed();
                        Ok(())
                    }
                    [key, ..] => Err(beyond_file(&family.read(world, ns, scope, key))),
                }
            }
        };
    }
    let path = names.join("/");
    match find(world, ns, &path) {
        Some(key) => {
            key.write(world, ns, data)?;
            world.changed();
            Ok(())
        }
        None => Err(missing(world, ns, names)),
    }
}

pub(super) fn mode(world: &World, ns: NsId, names: Names<'_>) -> u32 {
    if family(names).is_some() {
        let is_fixed = names.last() == Some(&conf4::MC_FORWARDING);
        return if is_fixed { 0o444 } else { 0o644 };
    }
    let around = surroundings(world, ns);
    find(world, ns, &names.join("/")).map_or(0o444, |key| key.mode(around))
}

pub(super) fn list(world: &World, ns: NsId, names: Names<'_>) -> Result<Vec<String>, Errno> {
    if let Some((family, below)) = family(names) {
        return match below {
            [] => Ok(family.scopes(world, ns)),
            [scope, below @ ..] => {
                let scope = family.scope(world, ns, scope)?;
                let keys = family.keys(scope);
                match below {
                    [] => Ok(keys.into_iter().map(str::to_owned).collect()),
                    [key, ..] if keys.contains(key) => Err(Errno::ENOTDIR),
                    _ => Err(Errno::ENOENT),
                }
            }
        };
    }
    let path = names.join("/");
    if find(world, ns, &path).is_some() {
        return Err(Errno::ENOTDIR);
    }
    let found = children(world, ns, names);
    if found.is_empty() { Err(missing(world, ns, names)) } else { Ok(found) }
}

/// Of the whole tree, and of the values of one device: both are made from few things.
pub(super) fn stamp(world: &World, ns: NsId, names: Names<'_>) -> Option<u64> {
    let sysctl = &world.netns.get(ns)?.sysctl;
    if names.is_empty() {
        let devices: Vec<_> =
            world.devices_of(ns).map(|device| (&device.name, DeviceValues::of(device))).collect();
        return Some(stamp_of(&(sysctl, world.connection_count(ns), devices)));
    }
    let (family, [name]) = family(names)? else { return None };
    match family.scope(world, ns, name).ok()? {
        Scope::Device(dev) => Some(stamp_of(&DeviceValues::of(world.devs.get(dev)?))),
        Scope::All | Scope::Default => Some(stamp_of(sysctl)),
    }
}

/// The family that a path is in, and the rest of the path.
fn family<'a>(names: Names<'a>) -> Option<(&'static PerDevice, Names<'a>)> {
    FAMILIES.iter().find_map(|family| names.strip_prefix(&family.path).map(|below| (family, below)))
}

fn surroundings(world: &World, ns: NsId) -> Surroundings {
    let host = world.netns.get(ns).and_then(|netns| world.hosts.get(netns.host));
    Surroundings {
        first: device::is_first(world, ns),
        bridge_netfilter: host.is_some_and(|host| host.bridge_netfilter),
    }
}

fn find(world: &World, ns: NsId, path: &str) -> Option<&'static Key> {
    let around = surroundings(world, ns);
    TABLES.iter().flat_map(|table| table.iter()).find(|key| key.name == path && key.is_in(around))
}

/// What is directly below a directory of the tables.
fn children(world: &World, ns: NsId, names: Names<'_>) -> Vec<String> {
    let around = surroundings(world, ns);
    let mut found: Vec<String> = Vec::new();
    let mut add = |name: &str| {
        if found.last().is_none_or(|last| last != name) {
            found.push(name.to_owned());
        }
    };
    let known = TABLES.iter().flat_map(|table| table.iter()).filter(|key| key.is_in(around));
    for key in known {
        let mut parts = key.name.split('/');
        if names.iter().all(|name| parts.next() == Some(*name))
            && let Some(child) = parts.next()
        {
            add(child);
        }
    }
    for family in FAMILIES {
        if let Some([child, ..]) = family.path.strip_prefix(names) {
            add(child);
        }
    }
    found
}

/// Why there is no file: the path names a directory, goes on behind a file, or names nothing.
fn missing(world: &World, ns: NsId, names: Names<'_>) -> Errno {
    if !children(world, ns, names).is_empty() {
        return Errno::EISDIR;
    }
    let behind_file = (1..names.len())
        .any(|end| names.get(..end).is_some_and(|front| find(world, ns, &front.join("/")).is_some()));
    if behind_file { Errno::ENOTDIR } else { Errno::ENOENT }
}

fn beyond_file(file: &Result<String, Errno>) -> Errno {
    match file {
        Err(Errno::ENOENT) => Errno::ENOENT,
        _ => Errno::ENOTDIR,
    }
}
