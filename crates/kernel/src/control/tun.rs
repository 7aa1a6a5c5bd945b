//! Devices of tun come and go by a file (`tun_chr_ioctl`, `tun_set_iff`).

use hairpin_netlink::{Errno, TunDevice};

use crate::dev::Kind;
use crate::dev::tun::{QUEUES_MAX, Tun, flag};
use crate::netns::NsId;
use crate::world::World;

use super::register::NewDevice;

impl World {
    /// Makes a device that stays (`TUNSETIFF` with `IFF_TUN_EXCL`, then `TUNSETPERSIST`). Without a name it gets the next of
    /// its kind.
    ///
    /// # Errors
    /// `EBUSY`: there is a device of that name; `EINVAL`: a name that none can have, or no kind is asked for.
    pub(crate) fn add_tun(&mut self, ns: NsId, wanted: &TunDevice) -> Result<(), Errno> {
        if self.device_named(ns, &wanted.name).is_some() {
            return Err(Errno::EBUSY);
        }
        self.make_tun(ns, wanted)
    }

    /// Has a device end with the program that asks (`TUNSETIFF`, then `TUNSETPERSIST` of 0). One that is not there is made
    /// for the moment.
    ///
    /// # Errors
    /// `EINVAL`: the device of that name is of another kind.
    pub(crate) fn delete_tun(&mut self, ns: NsId, wanted: &TunDevice) -> Result<(), Errno> {
        let several = |flags: u16| flags & (flag::MULTI_QUEUE | flag::TUN | flag::TAP);
        let dev = match self.device_named(ns, &wanted.name) {
            Some(dev) => match self.devs.get(dev).map(|device| &device.kind) {
                Some(Kind::Tun(tun)) if several(tun.flags) == several(wanted.flags) => dev,
                _ => return Err(Errno::EINVAL),
            },
            None => {
                let before = self.netns.get(ns).map(|netns| netns.order.clone()).unwrap_or_default();
                self.make_tun(ns, wanted)?;
                let now = self.netns.get(ns).map(|netns| netns.order.clone()).unwrap_or_default();
                now.into_iter().find(|dev| !before.contains(dev)).ok_or(Errno::ENODEV)?
            }
        };
        self.unregister(dev);
        Ok(())
    }

    fn make_tun(&mut self, ns: NsId, wanted: &TunDevice) -> Result<(), Errno> {
        let TunDevice { name, flags, owner, group } = wanted;
        let pattern = match flags & (flag::TUN | flag::TAP) {
            flag::TUN => "tun%d",
            flag::TAP => "tap%d",
            _ => return Err(Errno::EINVAL),
        };
        let name = if name.is_empty() { pattern.to_owned() } else { name.clone() };
        let flags = flags & flag::KEPT | flag::PERSIST;
        let kind = Kind::Tun(Box::new(Tun { flags, owner: *owner, group: *group }));
        let new = NewDevice { name, kind, mac: None, ifindex: 0, mtu: None };
        let dev = self.register(ns, new).map_err(|failure| failure.errno)?;
        if let Some(device) = self.devs.get_mut(dev)
            && flags & flag::MULTI_QUEUE != 0
        {
            device.queues = (QUEUES_MAX, QUEUES_MAX);
        }
        self.changed();
        self.notify_link(dev);
        // `tun_detach`: the program that made it is gone.
        self.set_carrier(dev, false);
        Ok(())
    }
}
