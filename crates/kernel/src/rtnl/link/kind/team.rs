//! team (drivers/net/team/team.c): no options; what there is to set is set otherwise.

use hairpin_netlink::Failure;

use super::{Creation, LinkOps};
use crate::dev::Kind;
use crate::device::DevId;
use crate::world::World;

pub(super) const OPS: LinkOps = LinkOps { queues: 16, ..LinkOps::new("team", World::create_team) };

impl World {
    /// `team_newlink`
    fn create_team(&mut self, new: Creation<'_>) -> Result<DevId, Failure> {
        let dev = self.register_draft(new.draft, Kind::Team(Box::default()))?;
        // `team_init`: it begins so, and nobody is told.
        self.carrier_quietly(dev, false);
        Ok(dev)
    }
}
