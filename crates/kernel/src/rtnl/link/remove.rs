//! `RTM_DELLINK` (`rtnl_dellink`, `rtnl_group_dellink`).

use hairpin_netlink::{Errno, Failure};

use super::request::{Request, Wanted, ifla};
use crate::dev::Kind;
use crate::device::DevId;
use crate::netns::NsId;
use crate::world::World;

impl World {
    /// Deletes one device, or all of a group.
    pub(super) fn delete_link(&mut self, ns: NsId, request: &Request<'_>) -> Result<(), Failure> {
        request.one_netns(true)?;
        let target = self.target_netns(ns, request)?;
        match (self.wanted_link(target, request), request.attributes.u32(ifla::GROUP)) {
            (Wanted::Found(dev), _) if self.is_deletable(dev) => {
                self.delete(dev);
                Ok(())
            }
            (Wanted::Found(_), _) => Err(Errno::EOPNOTSUPP.into()),
            (Wanted::Missing, _) => Err(Errno::ENODEV.into()),
            (Wanted::Unnamed, Some(group)) => self.delete_group(target, group),
            (Wanted::Unnamed, None) => Err(Errno::EINVAL.into()),
        }
    }

    fn delete_group(&mut self, ns: NsId, group: u32) -> Result<(), Failure> {
        if group == 0 {
            return Err(Errno::EPERM.into());
        }
        let members = self.group_members(ns, group);
        if members.is_empty() {
            return Err(Errno::ENODEV.into());
        }
        if members.iter().any(|dev| !self.is_deletable(*dev)) {
            return Err(Errno::EOPNOTSUPP.into());
        }
        for dev in members {
            // One that went with its peer or lower device is gone already.
            self.delete(dev);
        }
        Ok(())
    }

    /// Listeners hear of the device below first: nothing stands on it any more (`netdev_upper_dev_unlink`).
    fn delete(&mut self, dev: DevId) {
        // `ipoib_del_child_link`: a card's own device stays, and nobody is told so.
        if matches!(self.devs.get(dev).map(|device| &device.kind), Some(Kind::Ipoib(own)) if own.parent.is_none())
        {
            return;
        }
        if let Some(Kind::Macvlan(_) | Kind::Ipvlan(_) | Kind::Vlan(_) | Kind::Macsec(_)) =
            self.devs.get(dev).map(|device| &device.kind)
            && let Some(lower) = self.devs.get(dev).and_then(|device| device.lower())
        {
            self.notify_link(lower);
        }
        self.unregister(dev);
    }

    pub(super) fn group_members(&self, ns: NsId, group: u32) -> Vec<DevId> {
        self.devices_of(ns).filter(|device| device.group == group).map(|device| device.id).collect()
    }

    /// Loopback and cards have no `dellink`.
    fn is_deletable(&self, dev: DevId) -> bool {
        self.devs.get(dev).is_some_and(|device| device.kind.name().is_some())
    }
}
