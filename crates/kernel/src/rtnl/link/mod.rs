//! placeholder
use super::{Dump, server::Asker};
use crate::{device::DevId, netns::NsId, world::World};
use hairpin_netlink::{Answer, Errno, Failure, Message, codec::Decoded, route::link::LinkMessage};
impl World {
    pub(crate) fn rtnl_link(
        &mut self,
        _: &Asker<'_>,
        _: &Message,
        _: &Decoded<'_>,
        _: &mut Answer,
    ) -> Result<(), Failure> {
        Err(Errno::EOPNOTSUPP.into())
    }
    pub(crate) fn dump_links(&mut self, _: NsId, _: &LinkMessage) -> Result<Dump, Failure> {
        Err(Errno::EOPNOTSUPP.into())
    }
    pub(crate) fn link_message(&mut self, _: DevId, _: NsId) -> LinkMessage {
        LinkMessage::default()
    }
}
