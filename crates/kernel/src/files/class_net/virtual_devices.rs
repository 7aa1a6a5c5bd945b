//! `/sys/devices/virtual/net`: the directories of the devices that stand on no bus.

use hairpin_netlink::Errno;

use super::has_parent;
use crate::files::Names;
use crate::netns::NsId;
use crate::world::World;

/// Whether a device of this name is one of them.
///
/// # Errors
/// `ENOENT`: there is no such device.
pub(super) fn is_one(world: &World, ns: NsId, name: &str) -> Result<bool, Errno> {
    let device = world.devices_of(ns).find(|device| device.name == name).ok_or(Errno::ENOENT)?;
    Ok(!has_parent(device))
}

/// What a path names is in the class's directory of the same name.
fn check(world: &World, ns: NsId, names: Names<'_>) -> Result<(), Errno> {
    match names.first() {
        Some(name) if !is_one(world, ns, name)? => Err(Errno::ENOENT),
        _ => Ok(()),
    }
}

pub(in crate::files) fn read(world: &World, ns: NsId, names: Names<'_>) -> Result<Vec<u8>, Errno> {
    check(world, ns, names)?;
    super::read(world, ns, names)
}

pub(in crate::files) fn write(
    world: &mut World,
    ns: NsId,
    names: Names<'_>,
    data: &[u8],
) -> Result<(), Errno> {
    check(world, ns, names)?;
    super::write(world, ns, names, data)
}

pub(in crate::files) fn list(world: &World, ns: NsId, names: Names<'_>) -> Result<Vec<String>, Errno> {
    check(world, ns, names)?;
    if names.is_empty() {
        let devices = world.devices_of(ns).filter(|device| !has_parent(device));
        return Ok(devices.map(|device| device.name.clone()).collect());
    }
    super::list(world, ns, names)
}

pub(in crate::files) fn link(world: &World, ns: NsId, names: Names<'_>) -> Result<String, Errno> {
    check(world, ns, names)?;
    if names.len() < 2 {
        return Err(Errno::EINVAL);
    }
    super::link(world, ns, names)
}

pub(in crate::files) fn stamp(world: &World, ns: NsId, names: Names<'_>) -> Option<u64> {
    check(world, ns, names).ok()?;
    super::stamp(world, ns, names)
}
