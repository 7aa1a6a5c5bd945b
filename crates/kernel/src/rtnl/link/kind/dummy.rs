//! dummy (drivers/net/dummy.c): no options.

use hairpin_netlink::Failure;

use super::{Creation, LinkOps};
use crate::dev::Kind;
use crate::device::DevId;
use crate::world::World;

pub(super) const OPS: LinkOps =
    LinkOps { mtu: (0, i32::MAX as u32), ..LinkOps::new("dummy", World::create_dummy) };

impl World {
    fn create_dummy(&mut self, new: Creation<'_>) -> Result<DevId, Failure> {
        self.register_draft(new.draft, Kind::Dummy)
    }
}
