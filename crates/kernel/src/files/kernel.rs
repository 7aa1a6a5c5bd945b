//! `/proc/sys/kernel`: the release that the emulated kernel goes by, which some drivers tell as their version.

use hairpin_netlink::Errno;

use super::Names;
use crate::netns::NsId;
use crate::world::World;

const RELEASE: &str = "osrelease";

pub(super) fn read(_: &World, _: NsId, names: Names<'_>) -> Result<Vec<u8>, Errno> {
    match names {
        [] => Err(Errno::EISDIR),
        [RELEASE] => Ok(format!("{}\n", crate::RELEASE).into_bytes()),
        [RELEASE, ..] => Err(Errno::ENOTDIR),
        _ => Err(Errno::ENOENT),
    }
}

pub(super) fn write(world: &mut World, ns: NsId, names: Names<'_>, _: &[u8]) -> Result<(), Errno> {
    read(world, ns, names).and(Err(Errno::EACCES))
}

pub(super) fn mode(_: &World, _: NsId, _: Names<'_>) -> u32 {
    0o444
}

pub(super) fn list(_: &World, _: NsId, names: Names<'_>) -> Result<Vec<String>, Errno> {
    match names {
        [] => Ok(vec![RELEASE.to_owned()]),
        [RELEASE, ..] => Err(Errno::ENOTDIR),
        _ => Err(Errno::ENOENT),
    }
}
