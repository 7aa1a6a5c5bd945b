//! stub
use super::Names;
use crate::netns::NsId;
use crate::world::World;
use hairpin_netlink::Errno;
pub(super) fn read(_: &World, _: NsId, _: Names<'_>) -> Result<Vec<u8>, Errno> {
    Err(Errno::ENOENT)
}
pub(super) fn write(_: &mut World, _: NsId, _: Names<'_>, _: &[u8]) -> Result<(), Errno> {
    Err(Errno::ENOENT)
}
pub(super) fn list(_: &World, _: NsId, _: Names<'_>) -> Result<Vec<String>, Errno> {
    Err(Errno::ENOENT)
}
