//! bridge (net/bridge/br_netlink.c). Its many options are in [`crate::rtnl::link::bridge_options`].

use hairpin_netlink::Failure;

use super::{Creation, LinkOps};
use crate::dev::Kind;
use crate::dev::bridge::Bridge;
use crate::device::DevId;
use crate::rtnl::link::attributes::Attributes;
use crate::rtnl::link::bridge_options::{self, BRIDGE_POLICY};
use crate::rtnl::link::change::valid_address;
use crate::rtnl::link::port_options::PORT_POLICY;
use crate::world::World;

pub(super) const OPS: LinkOps = LinkOps {
    policy: Some(BRIDGE_POLICY),
    validate,
    change: Some(World::change_bridge),
    port_policy: Some(PORT_POLICY),
    change_port: Some(World::change_port),
    ..LinkOps::new("bridge", World::create_bridge)
};

fn validate(attributes: &Attributes<'_>, data: Option<&Attributes<'_>>) -> Result<(), Failure> {
    valid_address(attributes)?;
    data.map_or(Ok(()), bridge_options::validate)
}

impl World {
    /// `br_dev_newlink`
    fn create_bridge(&mut self, new: Creation<'_>) -> Result<DevId, Failure> {
        let Creation { draft, data, .. } = new;
        let dev = self.register_draft(draft, Kind::Bridge(Box::new(Bridge::new(self.now))))?;
        self.start_bridge(dev);
        if let Some(data) = data
            && let Err(failure) = self.change_bridge(dev, data)
        {
            self.unregister(dev);
            return Err(failure);
        }
        Ok(dev)
    }
}
