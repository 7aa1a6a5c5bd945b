//! `/proc/sys/fs`: limits on open files. Nothing here comes near them; they can be read and set (fs/file_table.c,
//! kernel/sysctl.c).

use hairpin_netlink::Errno;

use super::Names;
use crate::netns::NsId;
use crate::world::World;

/// A number of the machine: name, value at the start, least, most, whether it can be set.
type Key = (&'static str, &'static str, u64, u64, bool);

const KEYS: &[Key] = &[
    ("file-max", "9223372036854775807", 0, i64::MAX as u64, true),
    ("file-nr", "1024\t0\t9223372036854775807", 0, 0, false),
    ("nr_open", "1048576", 64, 2_147_483_584, true),
];

fn find(name: &str) -> Result<&'static Key, Errno> {
    KEYS.iter().find(|(known, ..)| *known == name).ok_or(Errno::ENOENT)
}

/// The values are the machine's: its first namespace keeps them.
fn initial(world: &World, ns: NsId) -> Result<NsId, Errno> {
    let host = world.netns.get(ns).ok_or(Errno::ENOENT)?.host;
    world.hosts.get(host).map(|host| host.initial).ok_or(Errno::ENOENT)
}

pub(super) fn read(world: &World, ns: NsId, names: Names<'_>) -> Result<Vec<u8>, Errno> {
    match names {
        [] => Err(Errno::EISDIR),
        [name] => {
            let (name, default, ..) = find(name)?;
            let netns = world.netns.get(initial(world, ns)?).ok_or(Errno::ENOENT)?;
            let kept = netns.sysctl.other.get(&format!("fs/{name}"));
            Ok(format!("{}\n", kept.map_or(*default, String::as_str)).into_bytes())
        }
        [name, ..] => find(name).and(Err(Errno::ENOTDIR)),
    }
}

pub(super) fn write(world: &mut World, ns: NsId, names: Names<'_>, data: &[u8]) -> Result<(), Errno> {
    let [name] = names else { return Err(Errno::EISDIR) };
    let (name, _, least, most, can_be_set) = *find(name)?;
    if !can_be_set {
        return Err(Errno::EACCES);
    }
    let text = std::str::from_utf8(data).map_err(|_| Errno::EINVAL)?;
    let value: u64 = text.trim().parse().map_err(|_| Errno::EINVAL)?;
    if !(least..=most).contains(&value) {
        return Err(Errno::EINVAL);
    }
    let initial = initial(world, ns)?;
    let netns = world.netns.get_mut(initial).ok_or(Errno::ENOENT)?;
    netns.sysctl.other.insert(format!("fs/{name}"), value.to_string());
    world.changed();
    Ok(())
}

pub(super) fn mode(_: &World, _: NsId, names: Names<'_>) -> u32 {
    let key = names.first().and_then(|name| find(name).ok());
    if key.is_some_and(|(.., can_be_set)| !can_be_set) { 0o444 } else { 0o644 }
}

pub(super) fn list(_: &World, _: NsId, names: Names<'_>) -> Result<Vec<String>, Errno> {
    match names {
        [] => Ok(KEYS.iter().map(|(name, ..)| (*name).to_owned()).collect()),
        [name, ..] => find(name).and(Err(Errno::ENOTDIR)),
    }
}
