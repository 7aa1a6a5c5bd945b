//! ipoib (drivers/infiniband/ulp/ipoib/ipoib_netlink.c): partition, mode, umcast.

use hairpin_netlink::route::link::{InfoData, InfoIpoib, InfoKind, IpoibMode};
use hairpin_netlink::{Errno, Failure};

use super::simple::ANY_MTU;
use super::{Creation, LinkOps};
use crate::dev::Kind;
use crate::dev::ipoib::{ADDRESS_LEN, Ipoib};
use crate::device::{AddrAssign, DevId};
use crate::rtnl::link::attributes::{Attributes, Policy, U16};
use crate::rtnl::link::request::ifla;
use crate::world::World;

pub(super) const OPS: LinkOps = LinkOps {
    policy: Some(POLICY),
    mtu: ANY_MTU,
    validate: |_, _| Ok(()),
    change: Some(World::change_ipoib),
    ..LinkOps::new("ipoib", World::create_ipoib)
};

const IFLA_IPOIB_PKEY: u16 = 1;
const IFLA_IPOIB_MODE: u16 = 2;
const IFLA_IPOIB_UMCAST: u16 = 3;

const MODE_DATAGRAM: u16 = 0;
const MODE_CONNECTED: u16 = 1;

/// `ipoib_policy`
const POLICY: &[(u16, Policy)] = &[(IFLA_IPOIB_PKEY, U16), (IFLA_IPOIB_MODE, U16), (IFLA_IPOIB_UMCAST, U16)];

/// `ipoib_fill_info`
pub(super) fn describe(state: &Ipoib) -> (InfoKind, Option<InfoData>) {
    let mode = if state.connected { IpoibMode::Connected } else { IpoibMode::Datagram };
    let options =
        vec![InfoIpoib::Pkey(state.partition), InfoIpoib::Mode(mode), InfoIpoib::UmCast(state.umcast.into())];
    (InfoKind::Ipoib, Some(InfoData::Ipoib(options)))
}

impl World {
    /// `ipoib_new_child_link`. The MTU of a new device is the port's, whatever was asked for (`ipoib_ndo_init`).
    fn create_ipoib(&mut self, new: Creation<'_>) -> Result<DevId, Failure> {
        let Creation { place, mut draft, request, data } = new;
        let link = request.attributes.u32(ifla::LINK).ok_or(Errno::EINVAL)?;
        let parent = self.device_at(place.below(), link).ok_or(Errno::ENODEV)?;
        let address = request.attributes.get(ifla::ADDRESS).map(|given| {
            let mut address = [0; ADDRESS_LEN];
            address.iter_mut().zip(given).for_each(|(byte, given)| *byte = *given);
            address
        });
        let key = data.and_then(|data| data.u16(IFLA_IPOIB_PKEY));
        let child = self.new_ipoib_child(parent, key, address)?;
        (draft.mac, draft.mtu) = (None, None);
        let dev = self.register_draft(draft, Kind::Ipoib(Box::new(child)))?;
        if address.is_some() {
            self.on_device(dev, |device| device.addr_assign = AddrAssign::Set);
        }
        if let Some(data) = data
            && let Err(failure) = self.change_ipoib(dev, data)
        {
            self.unregister(dev);
            return Err(failure);
        }
        Ok(dev)
    }

    /// `ipoib_changelink`
    fn change_ipoib(&mut self, dev: DevId, data: &Attributes<'_>) -> Result<(), Failure> {
        match data.u16(IFLA_IPOIB_MODE) {
            None => {}
            Some(MODE_DATAGRAM) => self.set_ipoib_mode(dev, false),
            Some(MODE_CONNECTED) => self.set_ipoib_mode(dev, true),
            Some(_) => return Err(Errno::EINVAL.into()),
        }
        if let Some(umcast) = data.u16(IFLA_IPOIB_UMCAST) {
            self.set_ipoib_umcast(dev, umcast > 0);
        }
        Ok(())
    }
}
